//! What tests of this crate, and of those above it, need of a store: the contract that every
//! backend fulfils, faults on demand, and a memory whose `ETag`s are like those of S3.

pub mod contract;
mod etag_memory;
pub mod faulty;

pub use etag_memory::{ContentEtagMemory, content_etag_memory};
pub use faulty::{Action, Faulty, Gate, Op, Plan};
