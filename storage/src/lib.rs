//! Objects and an append-only log over an object store.

pub mod clock;

pub use clock::{Clock, Moment};
