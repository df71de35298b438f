//! The index: entries, their order, and the bodies that are served. Pure: no I/O, no clock.

pub mod entry;

pub use entry::Entry;
