//! The store over each backend, and its test doubles.

// Clippy takes only what is under `cfg(test)` for test code, helper functions included.
#[cfg(test)]
mod backends;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod local;
#[cfg(test)]
mod probe;
