//! Pauses: when to try again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

/// Doubles with every attempt up to ten minutes; the last half of each pause is left to chance, so
/// that what failed together does not come back together. A wait that was asked for is never cut short.
pub fn pause(attempts: u64, asked: Option<Duration>, fraction: f64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(16);
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let ours = whole.mul_f64(0.5 + 0.5 * fraction);
    match asked {
        Some(asked) => ours.max(asked + FIRST.mul_f64(fraction)),
        None => ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_and_obey() {
        let second = Duration::from_secs(1);
        assert_eq!(pause(1, None, 0.0), second / 2);
        assert_eq!(pause(3, None, 0.0), second * 2);
        assert_eq!(pause(3, None, 1.0), second * 4);
        assert_eq!(pause(60, None, 1.0), LONGEST);
        assert_eq!(pause(u64::MAX, None, 1.0), LONGEST);
        assert_eq!(pause(1, Some(second * 90), 0.0), second * 90);
        assert!(pause(1, Some(second * 90), 1.0) <= second * 91);
        assert_eq!(pause(30, Some(second), 0.0), LONGEST / 2);
    }
}
