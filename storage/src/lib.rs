//! Objects and an append-only log over an object store.
//!
//! [`Store`] is the one way to objects: keys are validated, every operation has a deadline, and a
//! failure is never read as absence. The crate knows nothing of charts.

mod bucket;
pub mod clock;
mod error;
mod key;
mod local;
mod location;
pub mod log;
mod metered;
mod object;
pub mod probe;
mod repository_path;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use bucket::{BucketOptions, Encryption};
pub use clock::{Clock, Moment};
pub use error::{Operation, StorageError, StorageErrorKind};
pub use key::{Key, KeyError};
pub use location::{BucketService, Location, LocationError};
pub use metered::{Meter, Metered};
pub use object::{Listed, Object, ObjectId, ObjectStream, Written};
pub use repository_path::{RepositoryPath, RepositoryPathError};
pub use store::{Store, Timeouts};
