//! The one place that names where randomness comes from; everything else takes a generator.

use rand::rngs::ThreadRng;

/// A cryptographically secure generator, seeded by the operating system.
pub fn rng() -> ThreadRng {
    rand::rng()
}
