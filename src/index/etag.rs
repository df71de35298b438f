//! The entity tag of an index.

use super::{Encoding, Format};

/// Counts the versions of the writers: it goes up when the same entries give other bytes than before,
/// so that a client does not keep what an earlier release served.
pub const WRITER_VERSION: u32 = 1;

/// Returns the entity tag of an index, quotes included.
///
/// `identity` names the log and `generation` a state of it; together with the format, the context path
/// and the version of the writers they say which bytes are served. A compressed body has a weak tag,
/// because compressors write different bytes on different machines. `identity` must consist of
/// characters that may stand in an entity tag.
pub fn etag(
    identity: &str,
    generation: u64,
    format: Format,
    encoding: Encoding,
    context_path: Option<&str>,
) -> String {
    let format = match format {
        Format::Yaml => "yaml",
        Format::Json => "json",
    };
    let context = match context_path {
        Some(path) => format!("-{:08x}", crc32fast::hash(path.as_bytes())),
        None => String::new(),
    };
    let name = format!("{identity}-{generation}-{format}{WRITER_VERSION}{context}");
    match encoding {
        Encoding::Identity => format!("\"{name}\""),
        Encoding::Gzip => format!("W/\"{name}-gzip\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_changes_the_bytes_changes_the_tag() {
        let tag = |generation, format, encoding, context| {
            etag("0f3c", generation, format, encoding, context)
        };
        let plain = tag(412, Format::Yaml, Encoding::Identity, None);
        assert_eq!(plain, "\"0f3c-412-yaml1\"");
        assert_eq!(
            tag(412, Format::Yaml, Encoding::Gzip, None),
            "W/\"0f3c-412-yaml1-gzip\""
        );
        let others = [
            tag(413, Format::Yaml, Encoding::Identity, None),
            tag(412, Format::Json, Encoding::Identity, None),
            tag(412, Format::Yaml, Encoding::Identity, Some("/a")),
            tag(412, Format::Yaml, Encoding::Identity, Some("/b")),
        ];
        for (position, other) in others.iter().enumerate() {
            assert_ne!(*other, plain);
            assert!(!others[..position].contains(other));
        }
    }
}
