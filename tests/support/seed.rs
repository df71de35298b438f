//! The seed of what a test draws at random.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Returns the seed: `CHARTROOM_SEED` to replay a run, else the given one.
pub(crate) fn seed_or(default: u64) -> u64 {
    match std::env::var_os("CHARTROOM_SEED") {
        None => default,
        Some(text) => text
            .to_str()
            .and_then(|text| text.parse().ok())
            .expect("CHARTROOM_SEED is a number"),
    }
}

/// Returns a generator for one use of a seed, so that uses do not shift each other.
pub(crate) fn generator(seed: u64, usage: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ usage.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
