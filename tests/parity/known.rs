//! Where we differ from helm and know it. Each is told in docs/compatibility.md; a file here is left out
//! of the comparison, and nothing else of its directory is.

/// Archives, by the directory of the test that they are in.
const ARCHIVES: [(&str, &str); 5] = [
    // `sources: [!!str]`, a tag without a value, which helm refuses.
    ("scalars as every top-level text", "aek.tgz"),
    // `%YAML 1.2` in column 0 after the fields, which go-yaml accepts and our parser refuses.
    ("fields and YAML features", "afp.tgz"),
    // A leading `%YAML 1.2` directive, and a line that holds only a tab, which helm refuses.
    ("whole files of unusual make", "aal.tgz"),
    ("whole files of unusual make", "abd.tgz"),
    // A chart whose name is `/`, which passes helm's check because it is its own base name.
    (
        "invalid names, and names that sanitising changes",
        "aad.tgz",
    ),
];

/// Files to `--merge`: we read an index that is wrong in its types or its case differently.
const MERGED: [&str; 10] = [
    "an unquoted number",
    "an unquoted number in an annotation",
    "fields in capitals",
    "a number as name",
    "no urls",
    "two documents",
    "JSON with unknown fields",
    "JSON with a number as text",
    "JSON with escapes",
    "JSON in capitals",
];

/// Directories in which helm v3 and v4 differ, and we from both: a folder named like an archive is
/// skipped, where v3 lists it with the digest of nothing and v4 fails.
const DISPUTED: [&str; 1] = ["a folder called like an archive, with a chart in it"];

pub(crate) fn is_archive(directory: &str, path: &str) -> bool {
    ARCHIVES.contains(&(directory, path))
}

pub(crate) fn is_merged(file: &str) -> bool {
    MERGED.contains(&file)
}

pub(crate) fn is_disputed(directory: &str) -> bool {
    DISPUTED.contains(&directory)
}
