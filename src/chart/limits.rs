//! What an archive may cost.

/// Bounds on an archive. The defaults are Helm's own where it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the archive itself.
    pub archive_bytes: usize,
    /// Sum of the files' sizes, which must stay below, sub-charts inside `.tgz` files included.
    /// Helm allows 100 MiB for each archive inside an archive; here they share it.
    pub content_bytes: u64,
    /// Size of one file.
    pub file_bytes: u64,
    /// Entries of any kind, headers that describe other entries included.
    pub entries: usize,
    /// Size of one record that holds a long name or other attributes.
    pub header_bytes: usize,
    /// `Chart.yaml`, `requirements.yaml` and the lock files, each.
    pub metadata_bytes: usize,
    /// All YAML that is looked at, sub-charts included.
    pub yaml_bytes: usize,
    /// Charts inside each other.
    pub depth: usize,
    /// How many bytes may come out of one, once more than 8 MiB have. Deflate cannot exceed 1032.
    pub ratio: u64,
    /// The files that are taken out of an archive to be shown, together.
    pub extracted_bytes: usize,
    /// The chart's metadata, rendered as JSON; checked for uploads only.
    pub rendered_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive_bytes: 100 << 20,
            content_bytes: 100 << 20,
            file_bytes: 5 << 20,
            entries: 10_000,
            header_bytes: 64 << 10,
            metadata_bytes: 1 << 20,
            yaml_bytes: 8 << 20,
            depth: 16,
            ratio: 300,
            extracted_bytes: 16 << 20,
            rendered_bytes: 256 << 10,
        }
    }
}
