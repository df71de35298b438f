//! Where in a chart an entry belongs.

use super::ArchiveError;

/// Returns the path of an entry below the chart's folder, cleaned, as Helm's loader does: a
/// backslash anywhere in a name makes it the separator of the whole name, and the first component
/// is dropped whatever it is.
pub(super) fn inside(name: &[u8]) -> Result<String, ArchiveError> {
    // Go keeps such bytes; no file that anybody reads has them in its name.
    let name = String::from_utf8_lossy(name);
    let separator = if name.contains('\\') { '\\' } else { '/' };
    let (first, rest) = name.split_once(separator).unwrap_or((&name, ""));
    let rest = rest.replace(separator, "/");
    if rest.starts_with('/') {
        return Err(ArchiveError::AbsolutePath);
    }
    let path = clean(&rest);
    if path.is_empty() {
        return Err(ArchiveError::OutsideBase(name.into_owned()));
    }
    if path.starts_with("..") {
        return Err(ArchiveError::ParentPath);
    }
    if has_drive(&path) {
        return Err(ArchiveError::DrivePath);
    }
    if first == "Chart.yaml" {
        return Err(ArchiveError::NotInBase);
    }
    Ok(path)
}

/// Go's `path.Clean` for a relative path, with the empty text for the folder itself.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_map_to_paths_as_in_helm() {
        let cases = [
            ("demo/Chart.yaml", Ok("Chart.yaml")),
            ("./Chart.yaml", Ok("Chart.yaml")),
            ("./demo/Chart.yaml", Ok("demo/Chart.yaml")),
            ("demo\\templates\\a.yaml", Ok("templates/a.yaml")),
            ("demo\\a/../b.yaml", Ok("b.yaml")),
            ("/Chart.yaml", Ok("Chart.yaml")),
            ("demo/a/./b/../c", Ok("a/c")),
            ("demo/templates/", Ok("templates")),
            ("README.md", Err("illegally contains content outside")),
            ("demo/", Err("illegally contains content outside")),
            ("demo/a/..", Err("illegally contains content outside")),
            ("demo//etc/passwd", Err("absolute paths")),
            ("demo/../x", Err("parent directory")),
            ("demo/a/../../x", Err("parent directory")),
            ("demo/..foo", Err("parent directory")),
            ("demo/c:/x", Err("illegally named files")),
            ("demo\\c:\\x", Err("illegally named files")),
            ("Chart.yaml/x", Err("not in base directory")),
            ("", Err("illegally contains content outside")),
        ];
        for (name, expected) in cases {
            match (inside(name.as_bytes()), expected) {
                (Ok(path), Ok(expected)) => assert_eq!(path, expected, "{name}"),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{name}: {error}");
                }
                (actual, _) => panic!("{name}: {actual:?}"),
            }
        }
    }
}
