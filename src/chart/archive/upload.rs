//! What Helm loads but no server should publish.

use super::ArchiveError;
use crate::chart::limits::Limits;
use crate::chart::metadata::{ImportValue, Metadata};
use crate::chart::name;

/// Checks metadata that Helm has nothing against.
pub(super) fn check(metadata: &Metadata, limits: &Limits) -> Result<(), ArchiveError> {
    name::check(&metadata.name)?;
    if let Some(place) = index_breaker(metadata) {
        return Err(ArchiveError::ControlCharacter(place));
    }
    let rendered = serde_json::to_vec(metadata)
        .map_err(|error| ArchiveError::Io(std::io::Error::other(error)))?;
    if rendered.len() > limits.rendered_bytes {
        return Err(ArchiveError::RenderedTooLarge(limits.rendered_bytes));
    }
    Ok(())
}

/// Returns where a character stands on which `helm repo index` fails for the whole directory: Helm
/// renders an index as JSON and reads that with a YAML parser. The fields that it sanitises cannot
/// hold one.
pub fn index_breaker(metadata: &Metadata) -> Option<String> {
    if metadata.api_version.contains(breaks_text) {
        return Some("the apiVersion".to_owned());
    }
    for (key, value) in &metadata.annotations {
        if breaks_key(key) || value.contains(breaks_text) {
            return Some(format!("annotation {key:?}"));
        }
    }
    let is_broken = |value: &ImportValue| breaks_import(value);
    let dependency = metadata
        .dependencies
        .iter()
        .find(|dependency| dependency.import_values.iter().any(is_broken))?;
    Some(format!("import-values of dependency {:?}", dependency.name))
}

fn breaks_import(value: &ImportValue) -> bool {
    match value {
        ImportValue::Text(text) => text.contains(breaks_text),
        ImportValue::List(values) => values.iter().any(breaks_import),
        ImportValue::Map(map) => map
            .iter()
            .any(|(key, value)| breaks_key(key) || breaks_import(value)),
        ImportValue::Null | ImportValue::Bool(_) | ImportValue::Number(_) => false,
    }
}

/// A key must moreover stand on one line: of what breaks lines in YAML, JSON escapes all but U+0085.
/// And `<<` is written plain, which every reader takes for a merge of mappings.
fn breaks_key(key: &str) -> bool {
    key == "<<" || key.contains(|character| breaks_text(character) || character == '\u{85}')
}

/// Characters that YAML forbids. JSON escapes those below the space, so that they pass.
fn breaks_text(character: char) -> bool {
    match character {
        '\u{85}' => false,
        '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_must_not_break_an_index() {
        let limits = Limits::default();
        let mut metadata = Metadata {
            name: "demo".to_owned(),
            ..Metadata::default()
        };
        for (text, is_fine) in [
            ("plain", true),
            ("\u{1}\t\n", true),
            ("\u{A0}\u{2028}\u{2029}😀", true),
            ("\u{7F}", false),
            ("\u{80}", false),
            ("\u{9F}", false),
            ("\u{FFFE}", false),
            ("\u{FFFF}", false),
        ] {
            metadata.annotations = [("key".to_owned(), text.to_owned())].into();
            assert_eq!(check(&metadata, &limits).is_ok(), is_fine, "{text:?}");
            metadata.annotations = [(text.to_owned(), "value".to_owned())].into();
            assert_eq!(check(&metadata, &limits).is_ok(), is_fine, "{text:?}");
        }
        metadata.annotations = [("key".to_owned(), "\u{85}".to_owned())].into();
        assert!(check(&metadata, &limits).is_ok(), "a next line in a value");
        metadata.annotations = [("<<".to_owned(), "value".to_owned())].into();
        assert!(check(&metadata, &limits).is_err(), "a merge key");
        metadata.annotations = [("\u{85}".to_owned(), "value".to_owned())].into();
        assert!(check(&metadata, &limits).is_err(), "a next line in a key");
    }

    #[test]
    fn metadata_must_fit_an_index() {
        let limits = Limits::default();
        let metadata = Metadata {
            name: "demo".to_owned(),
            description: "x".repeat(limits.rendered_bytes),
            ..Metadata::default()
        };
        let error = check(&metadata, &limits).unwrap_err();
        assert!(
            matches!(error, ArchiveError::RenderedTooLarge(_)),
            "{error}"
        );
    }
}
