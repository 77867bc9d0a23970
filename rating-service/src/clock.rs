//! The service's only clock. Everything that happens at a time asks it, so that a test can say what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rating_core::time::{Duration, Instant};

/// Where the time comes from.
///
/// # Example
///
/// ```
/// use rating_core::time::{Duration, Instant};
/// use rating_service::clock::Clock;
///
/// let clock = Clock::fixed(Instant::parse_rfc3339("2026-11-01T00:00:00Z").unwrap());
/// clock.advance(Duration::from_seconds(90));
/// assert_eq!(clock.now().to_rfc3339(), "2026-11-01T00:01:30Z");
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    System,
    Fixed(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Source::System))
    }

    /// A clock that stands still until it is told to move. Clones move together.
    #[must_use]
    pub fn fixed(at: Instant) -> Self {
        Self(Arc::new(Source::Fixed(AtomicI64::new(at.as_millis()))))
    }

    /// What time it is, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &*self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Source::Fixed(at) => Instant::from_millis(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock to `at`; the machine's clock stays what it is.
    pub fn set(&self, at: Instant) {
        if let Source::Fixed(now) = &*self.0 {
            now.store(at.as_millis(), Ordering::SeqCst);
        }
    }

    /// Moves a fixed clock by `duration`; the machine's clock stays what it is.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().plus(duration));
    }
}
