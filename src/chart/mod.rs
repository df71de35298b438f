//! Charts: what an archive, a version and a `Chart.yaml` are. Pure: no I/O, no clock.

pub mod digest;
pub mod metadata;
pub mod version;

pub use digest::Digest;
pub use metadata::{Dependency, ImportValue, Maintainer, Metadata};
pub use version::ChartVersion;
