//! The store over each backend, and its test doubles.

// Clippy takes only what is under `cfg(test)` for test code, helper functions included.
#[cfg(test)]
mod backends;
#[cfg(test)]
#[cfg(feature = "s3")]
mod credentials;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod local;
#[cfg(test)]
mod metered;
#[cfg(test)]
mod probe;
#[cfg(test)]
#[cfg(feature = "s3")]
mod refusals;
#[cfg(test)]
#[cfg(feature = "s3")]
mod service;
