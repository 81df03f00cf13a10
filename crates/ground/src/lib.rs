//! The ground on which Countersign and its sandbox stand: the one clock, the one source of chance, and hashes. Nothing
//! else looks at a clock or draws a random number.

/// The only place that looks at a clock.
pub mod clock;

/// The only place that draws random numbers.
pub mod chance;

/// SHA-256 and HMAC-SHA-256 of bytes.
pub mod digest;
