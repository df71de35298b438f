//! Where a token says what it grants: a JMESPath with placeholders.

use jmespath::ast::Ast;
use jmespath::{DEFAULT_RUNTIME, Expression, JmespathError, Rcvar, Variable};
use serde_json::Value;
use uuid::Uuid;

/// Reading and evaluating take stack for each level: up to 16 KiB in an unoptimised build. The
/// built-in path has 67 bytes and 5 levels.
const LONGEST: usize = 512;
const DEEPEST: usize = 50;
const NAMESPACE: &str = "$NAMESPACE";
const ENTRY_TYPE: &str = "$ACCESS_ENTRY_TYPE";

/// An expression that a repository's name is put into.
///
/// ChartMuseum pastes the name into the text and compiles that, so that a name with a quote in it
/// ends the string and continues as code: a repository called ``z'||`true`||'`` was open to every
/// token. Here the text is compiled once, at start, with a word in place of the name, and for a
/// request the name takes the word's place in the strings of the compiled tree. Whatever is in the
/// name, it can only be text.
pub(super) struct SearchPath {
    tree: Ast,
    text: String,
    /// Stands for the name. Random, so that nothing else in the expression is taken for it.
    word: String,
}

/// Why a text is not a search path.
#[derive(Debug, thiserror::Error)]
pub enum SearchPathError {
    /// The text is too long.
    #[error("the expression has {0} bytes; {LONGEST} are accepted")]
    TooLong(usize),
    /// The text is nested too deeply.
    #[error("the expression has {0} levels; {DEEPEST} are accepted")]
    TooDeep(usize),
    /// The text is not JMESPath.
    #[error("`{text}` is not a JMESPath expression")]
    Syntax {
        /// The text.
        text: String,
        /// Why; boxed for its size.
        source: Box<JmespathError>,
    },
    /// A function does not exist.
    #[error("`{text}` calls `{function}`, which is not a function of JMESPath")]
    UnknownFunction {
        /// The text.
        text: String,
        /// The function.
        function: String,
    },
}

impl SearchPath {
    /// ChartMuseum's own: all actions of the entries with this type and name.
    pub(super) const BUILT_IN: &str =
        "access[?name=='$NAMESPACE' && type=='$ACCESS_ENTRY_TYPE'].actions[]";
    /// The type of the entries that count.
    pub(super) const ENTRY_TYPE: &str = "artifact-repository";

    pub(super) fn parse(text: &str) -> Result<Self, SearchPathError> {
        if text.len() > LONGEST {
            return Err(SearchPathError::TooLong(text.len()));
        }
        // Letters and digits only, so that it can stand wherever a name could in ChartMuseum.
        let word = format!("namespace{}", Uuid::new_v4().simple());
        // The type is ours, and always the same: it can be pasted.
        let filled = text
            .replace(ENTRY_TYPE, Self::ENTRY_TYPE)
            .replace(NAMESPACE, &word);
        let mut tree = jmespath::parse(&filled).map_err(|error| SearchPathError::Syntax {
            text: text.to_owned(),
            source: Box::new(error),
        })?;
        let depth = depth(&mut tree);
        if depth > DEEPEST {
            return Err(SearchPathError::TooDeep(depth));
        }
        if let Some(function) = unknown_function(&mut tree) {
            return Err(SearchPathError::UnknownFunction {
                text: text.to_owned(),
                function: function.replace(&word, NAMESPACE),
            });
        }
        let text = text.to_owned();
        Ok(Self { tree, text, word })
    }

    /// Tells whether `claims` grant `action` in `namespace`: whether the result is a list of texts
    /// that has it. Everything else, null and errors too, grants nothing.
    pub(super) fn allows(&self, claims: &Value, namespace: &str, action: &str) -> bool {
        let mut tree = self.tree.clone();
        fill(&mut tree, &self.word, namespace);
        let expression = Expression::new(self.text.as_str(), tree, &DEFAULT_RUNTIME);
        let Ok(result) = expression.search(claims) else {
            return false;
        };
        let Variable::Array(actions) = result.as_ref() else {
            return false;
        };
        let mut is_granted = false;
        for granted in actions {
            let Variable::String(granted) = granted.as_ref() else {
                return false;
            };
            is_granted |= granted == action;
        }
        is_granted
    }
}

/// Calls `visit` with every node of the tree, and its level below `level`.
fn each_node(tree: &mut Ast, level: usize, visit: &mut dyn FnMut(&mut Ast, usize)) {
    let level = level + 1;
    visit(tree, level);
    match tree {
        Ast::Field { .. }
        | Ast::Identity { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => {}
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => each_node(node, level, visit),
        Ast::And { lhs, rhs, .. }
        | Ast::Comparison { lhs, rhs, .. }
        | Ast::Condition {
            predicate: lhs,
            then: rhs,
            ..
        }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => {
            each_node(lhs, level, visit);
            each_node(rhs, level, visit);
        }
        Ast::Function { args: nodes, .. }
        | Ast::MultiList {
            elements: nodes, ..
        } => {
            for node in nodes {
                each_node(node, level, visit);
            }
        }
        Ast::MultiHash { elements, .. } => {
            for pair in elements {
                each_node(&mut pair.value, level, visit);
            }
        }
    }
}

/// Puts `name` in the place of `word` in every text of the tree. The names of functions are none, and
/// the word is in none of them: there is no such function.
fn fill(tree: &mut Ast, word: &str, name: &str) {
    each_node(tree, 0, &mut |node, _| match node {
        Ast::Field { name: field, .. } => fill_text(field, word, name),
        Ast::Literal { value, .. } => fill_literal(value, word, name),
        Ast::MultiHash { elements, .. } => {
            for pair in elements {
                fill_text(&mut pair.key, word, name);
            }
        }
        _ => {}
    });
}

fn fill_text(text: &mut String, word: &str, name: &str) {
    if text.contains(word) {
        *text = text.replace(word, name);
    }
}

fn fill_literal(value: &mut Rcvar, word: &str, name: &str) {
    let filled = match value.as_ref() {
        Variable::String(text) if text.contains(word) => Variable::String(text.replace(word, name)),
        Variable::Array(elements) => {
            let mut elements = elements.clone();
            for element in &mut elements {
                fill_literal(element, word, name);
            }
            Variable::Array(elements)
        }
        Variable::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                let mut value = Rcvar::clone(value);
                fill_literal(&mut value, word, name);
                (key.replace(word, name), value)
            });
            Variable::Object(fields.collect())
        }
        _ => return,
    };
    *value = Rcvar::new(filled);
}

fn depth(tree: &mut Ast) -> usize {
    let mut deepest = 0;
    each_node(tree, 0, &mut |_, level| deepest = deepest.max(level));
    deepest
}

/// A call of an unknown function would fail, and refuse everybody, at the first request.
fn unknown_function(tree: &mut Ast) -> Option<String> {
    let mut unknown = None;
    each_node(tree, 0, &mut |node, _| {
        if let Ast::Function { name, .. } = node
            && DEFAULT_RUNTIME.get_function(name).is_none()
        {
            unknown = Some(name.clone());
        }
    });
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn allows(path: &str, claims: &Value, namespace: &str) -> bool {
        SearchPath::parse(path)
            .unwrap()
            .allows(claims, namespace, "pull")
    }

    fn granted(name: &str) -> Value {
        json!({"access": [{"type": "artifact-repository", "name": name, "actions": ["pull"]}]})
    }

    /// Names that are code, if they are pasted: the first is ChartMuseum's hole.
    const HOSTILE: [&str; 9] = [
        "z'||`true`||'/../victim/repo",
        "z' || name=='victim",
        "'",
        "\\'",
        "\\",
        "`true`",
        "\"",
        "$NAMESPACE",
        "$ACCESS_ENTRY_TYPE",
    ];

    #[test]
    fn a_name_is_never_code() {
        for path in [
            SearchPath::BUILT_IN,
            "access[?name=='$NAMESPACE'].actions | [0]",
            "access[?name==`\"$NAMESPACE\"`].actions[]",
        ] {
            for name in HOSTILE {
                assert!(!allows(path, &granted("victim"), name), "{path} {name}");
                assert!(!allows(path, &granted("namespace"), name), "{path} {name}");
                assert!(allows(path, &granted(name), name), "{path} {name}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_name_opens_what_has_the_same_name_and_nothing_else(
            name in "[a-z'`\"|&$\\\\/. \\[\\]?@*(){}-]{1,20}",
            other in "[a-z'`\"|&$\\\\/. \\[\\]?@*(){}-]{1,20}",
        ) {
            prop_assert!(allows(SearchPath::BUILT_IN, &granted(&name), &name));
            prop_assert_eq!(
                allows(SearchPath::BUILT_IN, &granted(&other), &name),
                name == other
            );
        }
    }

    #[test]
    fn placeholders_stand_wherever_a_text_can() {
        let claims = json!({
            "access": [{"type": "artifact-repository", "name": "org/team", "actions": ["pull"]}],
            "rights": {"org/team": ["pull"], "flat": ["pull"]},
            "prefixes": [{"prefix": "org/", "actions": ["pull"]}],
            "wrapped": [{"name": "charts:org/team:*", "actions": ["pull"]}],
        });
        for path in [
            "access[?name=='$NAMESPACE' && type=='$ACCESS_ENTRY_TYPE'].actions[]",
            "rights.\"$NAMESPACE\"",
            "prefixes[?starts_with('$NAMESPACE', prefix)].actions[]",
            "wrapped[?name=='charts:$NAMESPACE:*'].actions | []",
            "access[?contains(['$NAMESPACE', 'x'], name)].actions[]",
            "access[?name==`{\"$NAMESPACE\": [\"$NAMESPACE\"]}`.\"$NAMESPACE\"[0]].actions[]",
            "{\"$NAMESPACE\": rights}.\"$NAMESPACE\".\"$NAMESPACE\"",
            "map(&@, access[?!(name!='$NAMESPACE')].actions[])",
            "access[0:1] | [?name=='$NAMESPACE'].actions | @[*] | []",
            "rights.[\"$NAMESPACE\"][] || rights.*",
        ] {
            assert!(allows(path, &claims, "org/team"), "{path}");
            assert!(!allows(path, &claims, "other/team"), "{path}");
        }
        assert!(allows("rights.$NAMESPACE", &claims, "flat"));
    }

    #[test]
    fn only_a_list_of_texts_with_the_action_grants_it() {
        for (value, is_granted) in [
            (json!(["pull"]), true),
            (json!(["push", "pull"]), true),
            (json!([]), false),
            (json!(["push"]), false),
            (json!("pull"), false),
            (json!({"pull": true}), false),
            (json!(null), false),
            (json!(true), false),
            (json!([["pull"]]), false),
            (json!(["pull", null]), false),
            (json!(["pull", {"x": 1}]), false),
        ] {
            let claims = json!({"actions": value});
            assert_eq!(allows("actions", &claims, "a"), is_granted, "{claims}");
        }
        assert!(!allows("nothing.here", &json!({}), "a"));
        // An error of a function, for the claims are not what it takes.
        assert!(!allows("sort(actions)", &json!({"actions": 5}), "a"));
    }

    #[test]
    fn what_is_no_expression_is_refused_at_start() {
        for path in [
            "",
            "access[",
            "access[?name=='$NAMESPACE'",
            "access[?name=$NAMESPACE]",
            "a b",
        ] {
            let error = SearchPath::parse(path).err();
            assert!(
                matches!(error, Some(SearchPathError::Syntax { .. })),
                "{path}"
            );
        }
        let error = SearchPath::parse("x.nope$NAMESPACE(@)").err().unwrap();
        assert_eq!(
            error.to_string(),
            "`x.nope$NAMESPACE(@)` calls `nope$NAMESPACE`, which is not a function of JMESPath"
        );
        let long = " ".repeat(LONGEST + 1);
        let error = SearchPath::parse(&long).err();
        assert!(matches!(error, Some(SearchPathError::TooLong(513))));
    }

    #[test]
    fn the_deepest_expression_fits_on_the_stack_of_a_worker() {
        let within = std::thread::Builder::new().stack_size(2 << 20);
        let within = within.spawn(|| {
            for (piece, count) in [("a|", 49), ("!", 49), ("a||", 49), ("[", 49)] {
                let end = if piece == "[" {
                    "]".repeat(count)
                } else {
                    String::new()
                };
                let path = format!("{}a{end}", piece.repeat(count));
                let path = SearchPath::parse(&path).unwrap();
                assert!(!path.allows(&json!({"a": [5]}), "a", "pull"));
                let deeper = format!("{}a{}", piece.repeat(count * 2), end.repeat(2));
                let error = SearchPath::parse(&deeper).err();
                assert!(
                    matches!(error, Some(SearchPathError::TooDeep(_))),
                    "{deeper}"
                );
            }
        });
        within.unwrap().join().unwrap();
    }
}
