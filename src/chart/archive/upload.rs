//! What Helm loads but no server should publish.

use super::ArchiveError;
use crate::chart::limits::Limits;
use crate::chart::metadata::Metadata;
use crate::chart::name;

/// Checks metadata that Helm has nothing against.
pub(super) fn check(metadata: &Metadata, limits: &Limits) -> Result<(), ArchiveError> {
    name::check(&metadata.name)?;
    for (key, value) in &metadata.annotations {
        if key.chars().chain(value.chars()).any(breaks_index) {
            return Err(ArchiveError::AnnotationControl(key.clone()));
        }
    }
    let rendered = serde_json::to_vec(metadata)
        .map_err(|error| ArchiveError::Io(std::io::Error::other(error)))?;
    if rendered.len() > limits.rendered_bytes {
        return Err(ArchiveError::RenderedTooLarge(limits.rendered_bytes));
    }
    Ok(())
}

/// Helm renders an index as JSON and reads that with a YAML parser, which knows no such characters:
/// one of them in an annotation, which is not sanitised, fails `helm repo index` for every chart.
/// JSON escapes those below the space, so that they pass.
fn breaks_index(character: char) -> bool {
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
            ("\u{85}\u{A0}\u{2028}😀", true),
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
