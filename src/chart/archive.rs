//! Reads chart archives: gzip, tar and the rules of Helm's loader, under limits.
//!
//! An archive is read once, front to back, in memory that does not depend on its size: only the
//! YAML files that decide whether Helm loads the chart are looked at, one at a time, and an archive
//! inside an archive is read where it stands.

mod chart;
mod contents;
mod gunzip;
mod header;
mod hint;
mod path;
mod pax;
mod tar;
mod upload;

pub use contents::{Contents, contents, file, files};
pub use hint::NotAnArchive;

use self::chart::Loader;
pub use self::upload::index_breaker;
use super::digest::Digest;
use super::limits::Limits;
use super::lock::LockError;
use super::metadata::{FieldError, Metadata, MetadataError};
use super::yaml::YamlError;

/// Which archives are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// What Helm loads: for archives that are in the store already.
    Helm,
    /// What is safe to publish: also refuses what breaks or endangers some clients.
    Upload,
}

/// What an archive says about its chart.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartArchive {
    /// The chart's metadata, checked and sanitised as Helm does.
    pub metadata: Metadata,
    /// Of the archive's bytes.
    pub digest: Digest,
    /// The archive's length.
    pub size: u64,
}

/// Why an archive is refused. Where Helm's loader has a text for it, this is that text, since
/// clients of `ChartMuseum` read it; [`ArchiveError::hint`] says more.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No bytes at all.
    #[error("EOF")]
    Empty,
    /// Fewer bytes than a gzip header, and not the beginning of one.
    #[error("unexpected EOF")]
    TooShort(NotAnArchive),
    /// Cut off.
    #[error("unexpected EOF")]
    Truncated,
    /// Not gzip.
    #[error("gzip: invalid header")]
    NotGzip(NotAnArchive),
    /// Damaged gzip.
    #[error("gzip: {0}")]
    CorruptGzip(String),
    /// Damaged tar, or a tar that readers could understand differently.
    #[error("archive/tar: invalid tar header")]
    TarHeader,
    /// A sparse file: nothing that packs charts writes them.
    #[error("archive/tar: sparse files are not supported")]
    Sparse,
    /// The archive itself is longer than the limit.
    #[error("chart archive is larger than the maximum size {0}")]
    ArchiveTooLarge(usize),
    /// The files together are larger than the limit.
    #[error("decompressed chart is larger than the maximum file size {0}")]
    TooLarge(u64),
    /// One file is larger than the limit.
    #[error("decompressed chart file {name:?} is larger than the maximum file size {limit}")]
    FileTooLarge {
        /// The name in the archive.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// A file that is read as YAML is larger than the limit.
    #[error("chart file {name:?} is larger than the maximum size {limit} of its kind")]
    MetadataTooLarge {
        /// The path in the chart.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// All YAML together is larger than the limit.
    #[error("the chart's YAML files together are larger than {0} bytes")]
    TooMuchYaml(usize),
    /// The files that were asked for are together larger than the limit.
    #[error("the files to be shown together are larger than {0} bytes")]
    ExtractedTooLarge(usize),
    /// More entries than the limit.
    #[error("chart archive has more than {0} entries")]
    TooManyEntries(usize),
    /// A long name or another attribute is larger than the limit.
    #[error("archive/tar: header field is larger than {0} bytes")]
    HeaderTooLarge(usize),
    /// Inflates to more than the limit's multiple of its size.
    #[error("chart archive inflates to more than {0} times its size")]
    Ratio(u64),
    /// Sub-charts inside each other deeper than the limit.
    #[error("sub-charts are nested deeper than {0} levels")]
    TooDeep(usize),
    /// A path such as `demo//etc/passwd`.
    #[error("chart illegally contains absolute paths")]
    AbsolutePath,
    /// A file that is not in a folder.
    #[error("chart illegally contains content outside the base directory: {0:?}")]
    OutsideBase(String),
    /// A path that begins with `..`.
    #[error("chart illegally references parent directory")]
    ParentPath,
    /// A path such as `c:/x`.
    #[error("chart contains illegally named files")]
    DrivePath,
    /// A folder named `Chart.yaml`.
    #[error("chart yaml not in base directory")]
    NotInBase,
    /// Nothing but directories, if that.
    #[error("no files in chart archive")]
    NoFiles,
    /// No `Chart.yaml` in the top folder.
    #[error("Chart.yaml file is missing")]
    MissingChart,
    /// A YAML file that is not YAML, or that is not what it must be.
    #[error("cannot load {file}: {problem}")]
    File {
        /// The path in the chart.
        file: &'static str,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// Metadata that Helm refuses.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A file below `charts/x.tgz`, where the archive must be.
    #[error("error unpacking subchart tar in {chart}: expected {expected}, got {found}")]
    NotASubchart {
        /// The chart that holds it.
        chart: String,
        /// The name of the sub-chart.
        expected: String,
        /// The path below `charts/`.
        found: String,
    },
    /// A sub-chart that Helm refuses.
    #[error("error unpacking subchart {name} in {chart}: {problem}")]
    Subchart {
        /// The name below `charts/`.
        name: String,
        /// The chart that holds it.
        chart: String,
        /// Why.
        problem: Box<ArchiveError>,
    },
    /// Uploads only: an entry that is neither a file nor a directory.
    #[error("chart archive contains {kind}: {name:?}")]
    SpecialFile {
        /// The name in the archive.
        name: String,
        /// Such as `a symbolic link`.
        kind: &'static str,
    },
    /// Uploads only.
    #[error(transparent)]
    Name(#[from] super::name::NameError),
    /// Uploads only: a text on which `helm repo index` fails for the whole directory.
    #[error("{0} contains a control character or a line break on which `helm repo index` fails")]
    ControlCharacter(String),
    /// Uploads only: metadata that is too large for an index.
    #[error("the chart's metadata is larger than {0} bytes")]
    RenderedTooLarge(usize),
    /// Reading failed for another reason.
    #[error("cannot read chart archive: {0}")]
    Io(std::io::Error),
}

/// What is wrong with a YAML file.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum FileProblem {
    /// It is not YAML.
    Yaml(#[from] YamlError),
    /// A field has the wrong kind.
    Field(#[from] FieldError),
    /// It is not a lock file.
    Lock(#[from] LockError),
}

impl From<std::io::Error> for ArchiveError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            return Self::Truncated;
        }
        // Errors of an archive travel through the readers of the archives inside it.
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => Self::Io(error),
        }
    }
}

/// Reads the archive of a chart.
///
/// # Errors
/// When Helm would not load it, when it exceeds `limits`, or when `acceptance` forbids it.
///
/// # Cost
/// Inflates and hashes the archive once: up to about a second for one at the limits, so not for an
/// async thread. Memory is bounded by `limits.yaml_bytes` and small for real charts.
pub fn read(
    bytes: &[u8],
    limits: &Limits,
    acceptance: Acceptance,
) -> Result<ChartArchive, ArchiveError> {
    check_size(bytes, limits)?;
    let mut input = bytes;
    let metadata = Loader::new(limits, acceptance).archive(&mut input)?;
    if acceptance == Acceptance::Upload {
        upload::check(&metadata, limits)?;
    }
    Ok(ChartArchive {
        metadata,
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
    })
}

fn check_size(bytes: &[u8], limits: &Limits) -> Result<(), ArchiveError> {
    if bytes.len() > limits.archive_bytes {
        return Err(ArchiveError::ArchiveTooLarge(limits.archive_bytes));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
