//! Bounds on how often: requests by one caller, failed sign-ins for one user or from one address.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rating_core::time::{Duration, Instant};

/// Counts by key within windows of time. Keeps a bounded number of keys.
#[derive(Debug)]
pub struct Limiter {
    window: Duration,
    most: u32,
    counts: Mutex<HashMap<String, (Instant, u32)>>,
}

/// More keys than this are not kept: those of windows that are over go first, then those that did not reach their bound.
const KEYS: usize = 100_000;

/// Bytes of a key that tell it from others: no address is longer.
const KEY: usize = 300;

fn short(key: &str) -> &str {
    key.get(..key.floor_char_boundary(KEY)).unwrap_or_default()
}

impl Limiter {
    /// At most `most` in each `window`.
    #[must_use]
    pub fn new(window: Duration, most: u32) -> Self {
        Self { window, most, counts: Mutex::default() }
    }

    /// Whether one more is too many for `key` at `at`; if so, after how many seconds it is not any more. Counts it.
    pub fn count(&self, key: &str, at: Instant) -> Result<(), u64> {
        let key = short(key);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEYS && !counts.contains_key(key) {
            counts.retain(|_, (begun, _)| at.since(*begun) < self.window);
            if counts.len() >= KEYS {
                counts.retain(|_, (_, count)| *count >= self.most);
            }
            if counts.len() >= KEYS {
                counts.clear();
            }
        }
        let (begun, count) = counts.entry(key.to_owned()).or_insert((at, 0));
        if at.since(*begun) >= self.window {
            (*begun, *count) = (at, 0);
        }
        *count = count.saturating_add(1);
        if *count <= self.most { Ok(()) } else { Err(self.seconds_left(*begun, at)) }
    }

    /// Whether `key` has used up its window at `at`, without counting.
    pub fn check(&self, key: &str, at: Instant) -> Result<(), u64> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get(short(key)) {
            Some((begun, count)) if *count >= self.most && at.since(*begun) < self.window => {
                Err(self.seconds_left(*begun, at))
            }
            _ => Ok(()),
        }
    }

    /// Forgets what was counted for `key`.
    pub fn forget(&self, key: &str) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).remove(short(key));
    }

    fn seconds_left(&self, begun: Instant, at: Instant) -> u64 {
        let left = begun.plus(self.window).since(at).as_millis();
        // Whole seconds, the last one begun counts.
        u64::try_from((left + 999) / 1000).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends() {
        let limiter = Limiter::new(Duration::from_seconds(60), 2);
        let at = |seconds: i64| Instant::from_millis(seconds * 1000);
        assert_eq!(limiter.count("a", at(0)), Ok(()));
        assert_eq!(limiter.count("a", at(10)), Ok(()));
        assert_eq!(limiter.count("a", at(20)), Err(40));
        assert_eq!(limiter.count("b", at(20)), Ok(()));
        assert_eq!(limiter.check("a", at(59)), Err(1));
        assert_eq!(limiter.count("a", at(60)), Ok(()));
        // A key as long as a body is not kept as long as that.
        let long = "é".repeat(1_000);
        assert_eq!(limiter.count(&long, at(60)), Ok(()));
        assert!(limiter.counts.lock().unwrap().keys().all(|key| key.len() <= KEY));
    }
}
