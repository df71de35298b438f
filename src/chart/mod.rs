//! Charts: what an archive, a version and a `Chart.yaml` are. Pure: no I/O, no clock.

pub mod archive;
pub mod digest;
pub mod limits;
mod lock;
pub mod metadata;
pub mod name;
pub mod provenance;
pub mod range;
pub mod sanitise;
#[cfg(test)]
#[path = "../../tests/support/archive_builder.rs"]
pub(crate) mod testing;
pub mod values;
pub mod version;
pub mod yaml;

pub use archive::{Acceptance, ArchiveError, ChartArchive};
pub use digest::{Digest, Hasher};
pub use limits::Limits;
pub use metadata::{Dependency, FieldError, ImportValue, Maintainer, Metadata, MetadataError};
pub use name::FileName;
pub use provenance::Provenance;
pub use range::VersionRange;
pub use version::ChartVersion;
