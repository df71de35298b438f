//! The order of names and keys in a YAML index.
//!
//! go-yaml sorts the keys of every mapping "naturally": `app2` comes before `app10`, and `a-b`
//! before `ab`. Its rule compares two names from their first difference on, and contradicts itself
//! where a number in one name meets a letter in the other (`s10foo < s1proxy < s3proxy < s10foo`), so
//! that the output of `helm repo index` depends on chance for such names. An index must be the same
//! bytes whatever its history, and a sort must not meet a contradiction: [`natural`] is a total order
//! that agrees with go-yaml wherever go-yaml agrees with itself.
//!
//! It is total because it is a lexicographic comparison of two sequences of tokens whose own order is
//! total, and because different names have different sequences. A token is a whole run of digits, or
//! one other character; symbols come before numbers and numbers before letters. Comparing whole runs
//! gives go-yaml's answer for two runs that begin alike: after a common beginning that is not all
//! zeros the longer run is the larger number, and after zeros only the rest counts.
//!
//! The differences to go-yaml are these, and all of them lie where it contradicts itself:
//! - after a common run of digits one name goes on with a digit and the other with a letter: the
//!   numbers decide here, and thus the shorter one comes first (`s1proxy < s10foo`);
//! - numbers that do not fit 64 bits, which overflow there;
//! - digits other than `0` to `9`, which count as more than nine there.

use std::cmp::Ordering;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Compares two keys of a mapping as go-yaml sorts them.
pub fn natural(left: &str, right: &str) -> Ordering {
    Tokens { rest: left }.cmp(Tokens { rest: right })
}

/// A part of a name. The derived order is what the module describes: the variants in this order, and
/// numbers by value, then by the number of leading zeros. The text of a number only tells apart
/// values that are too large to be computed, and digits of other scripts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    Symbol(char),
    Number {
        value: u128,
        digits: usize,
        text: &'a str,
    },
    Letter(char),
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.rest.chars().next()?;
        let (token, length) = match class(first) {
            Class::Digit => number(self.rest),
            Class::Letter => (Token::Letter(first), first.len_utf8()),
            Class::Symbol => (Token::Symbol(first), first.len_utf8()),
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        Some(token)
    }
}

/// Reads the run of digits at the start of `text`; returns it with its length in bytes.
fn number(text: &str) -> (Token<'_>, usize) {
    let mut value = 0_u128;
    let mut digits = 0;
    let mut length = 0;
    for digit in text.chars() {
        if class(digit) != Class::Digit {
            break;
        }
        // The distance from `0` is what go-yaml counts for a digit of another script, too.
        let distance = u32::from(digit).saturating_sub(u32::from('0'));
        value = value.saturating_mul(10).saturating_add(distance.into());
        digits += 1;
        length += digit.len_utf8();
    }
    let text = text.get(..length).unwrap_or_default();
    let token = Token::Number {
        value,
        digits,
        text,
    };
    (token, length)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Symbol,
    Digit,
    Letter,
}

/// Tells digits (category Nd) and letters (L) from all else, as Go's `unicode` package does.
fn class(character: char) -> Class {
    use GeneralCategory as Category;
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '\0'..='\x7f' => Class::Symbol,
        _ => match get_general_category(character) {
            Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter => Class::Letter,
            Category::DecimalNumber => Class::Digit,
            _ => Class::Symbol,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// go-yaml's rule as helm-facts 1.7 describes it, contradictions included.
    fn as_go_yaml(left: &str, right: &str) -> Ordering {
        let left: Vec<char> = left.chars().collect();
        let right: Vec<char> = right.chars().collect();
        let Some(at) = left.iter().zip(&right).position(|(a, b)| a != b) else {
            return left.len().cmp(&right.len());
        };
        let (a, b) = (left[at], right[at]);
        match (class(a) == Class::Letter, class(b) == Class::Letter) {
            (true, true) => return a.cmp(&b),
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        let run = left[..at].iter().rev();
        let mut run = run.take_while(|digit| class(**digit) == Class::Digit);
        let carried = (a == '0' || b == '0') && run.any(|digit| *digit != '0');
        let number = |text: &[char]| {
            let digits = text.iter().take_while(|c| class(**c) == Class::Digit);
            digits.fold((i64::from(carried), 0), |(value, length), digit| {
                let digit = i64::from(u32::from(*digit)) - 48;
                (value.wrapping_mul(10).wrapping_add(digit), length + 1)
            })
        };
        number(&left[at..])
            .cmp(&number(&right[at..]))
            .then(a.cmp(&b))
    }

    /// Whether go-yaml's answer for this pair can be part of a contradiction; numbers beyond 64 bits
    /// are not looked for.
    fn is_contradictory(left: &str, right: &str) -> bool {
        let is_foreign_digit = |c: char| class(c) == Class::Digit && !c.is_ascii();
        if left.contains(is_foreign_digit) || right.contains(is_foreign_digit) {
            return true;
        }
        let left: Vec<char> = left.chars().collect();
        let right: Vec<char> = right.chars().collect();
        let common = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
        let (Some(a), Some(b)) = (left.get(common), right.get(common)) else {
            return false;
        };
        let after_digit = common > 0 && class(left[common - 1]) == Class::Digit;
        let classes = [class(*a), class(*b)];
        after_digit && classes.contains(&Class::Digit) && classes.contains(&Class::Letter)
    }

    #[test]
    fn ordinary_names_are_in_the_order_that_helm_wrote() {
        let names = "3scale 10web 2048 AB MinIO a-b a.b a_b aB ab app app-1.0 app-1.2 app-1.10 \
             app-v1 app-v2 app-v10 app1 app01 app001 app2 redis redis-2 redis-10 redis-cluster \
             redis2 redis10";
        let names: Vec<&str> = names.split_whitespace().collect();
        let mut sorted = names.clone();
        sorted.reverse();
        sorted.sort_by(|left, right| natural(left, right));
        assert_eq!(sorted, names);
    }

    #[test]
    fn where_go_yaml_contradicts_itself_the_numbers_decide() {
        // go-yaml puts the last of each row before the first.
        for [first, second, third] in [
            ["s1proxy", "s3proxy", "s10foo"],
            ["0x", "1", "01"],
            ["9a00", "19-9", "910-"],
        ] {
            assert_eq!(natural(first, second), Ordering::Less);
            assert_eq!(natural(second, third), Ordering::Less);
            assert_eq!(natural(first, third), Ordering::Less);
        }
        assert_eq!(as_go_yaml("s10foo", "s1proxy"), Ordering::Less);
        assert_eq!(as_go_yaml("01", "0x"), Ordering::Less);
        assert_eq!(as_go_yaml("910-", "9a00"), Ordering::Less);
    }

    #[test]
    fn agrees_with_go_yaml_itself() {
        // Each line holds two keys of a mapping in the order in which go.yaml.in/yaml/v2 2.4.4 wrote
        // them.
        for line in include_str!("../../tests/vectors/names.jsonl").lines() {
            let (first, second): (String, String) = serde_json::from_str(line).unwrap();
            if !is_contradictory(&first, &second) {
                assert_eq!(natural(&first, &second), Ordering::Less, "{first} {second}");
                assert_eq!(as_go_yaml(&first, &second), Ordering::Less);
            }
        }
    }

    /// Few characters, so that common prefixes and runs of digits are frequent.
    fn ordinary() -> impl Strategy<Value = String> {
        "[0129abAZ._éß日-]{0,7}"
    }

    /// Long numbers and digits of other scripts as well.
    fn adversarial() -> impl Strategy<Value = String> {
        prop_oneof![
            ordinary(),
            "[01xa٠٣९-]{0,5}",
            "[09]{17,45}[a0-]{0,2}",
            "\\PC{0,4}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn agrees_with_go_yaml_where_that_is_consistent(left in ordinary(), right in ordinary()) {
            prop_assume!(!is_contradictory(&left, &right));
            prop_assert_eq!(natural(&left, &right), as_go_yaml(&left, &right));
        }

        #[test]
        fn is_a_total_order(a in adversarial(), b in adversarial(), c in adversarial()) {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            let mut sorted = [&a, &b, &c];
            sorted.sort_by(|left, right| natural(left, right));
            let [first, second, third] = sorted;
            prop_assert_ne!(natural(first, second), Ordering::Greater);
            prop_assert_ne!(natural(second, third), Ordering::Greater);
            prop_assert_ne!(natural(first, third), Ordering::Greater);
        }
    }
}
