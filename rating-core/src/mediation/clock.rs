//! The instants of a record: clock readings get their zone, and repeated or missing hours are settled by evidence.
//!
//! When clocks go back, one reading is two instants; when they go forward, some readings are none. The evidence, in this
//! order:
//!
//! 1. The epoch in the record's unique id: the reading of the set-up nearest to it, if that is within half an hour.
//! 2. The record's own arithmetic: set-up + duration = end, answer + talk time = end, and the order set-up, answer, end.
//!    Here a stamp that is unambiguous settles the others; a call may lie across the change.
//! 3. Nothing left: the earlier reading is taken, and the other is kept ([`Call::other_reading`](super::Call)).

use crate::cdr::{Cdr, Stamp};
use crate::time::{Duration, Instant, Resolved, Zone};

/// The epoch of a unique id is that of the channel's creation; a set-up further from it than this is another reading.
const EPOCH_TOLERANCE: Duration = Duration::from_seconds(30 * 60);

/// How much worse than the best a reading may add up and still be possible. Clock changes are half an hour at least
/// (Lord Howe Island); switches are seconds off.
const ARITHMETIC_TOLERANCE: Duration = Duration::from_seconds(10 * 60);

/// The instants of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) setup_at: Option<Instant>,
    pub(super) answered_at: Option<Instant>,
    pub(super) charging_at: Instant,
    pub(super) other_reading: Option<Instant>,
    /// End of the call, where the record tells or allows to reckon it.
    pub(super) ended_at: Instant,
}

/// Settles the times of a record whose clock is in `zone`.
pub(super) fn times(cdr: &Cdr<'_>, zone: &Zone) -> Times {
    let setups = readings(cdr.setup, zone);
    let answers = readings(cdr.answer.filter(|_| cdr.answered && !is_reckoned(cdr)), zone);
    let ends = readings(cdr.end, zone);
    let setups = match cdr.epoch {
        Some(epoch) => nearest(setups, epoch),
        None => setups,
    };
    // Nearly every record: no reading leaves a choice.
    if let ([Some(setup), None], [Some(answer), None], [Some(end), None]) = (setups, answers, ends) {
        return reckon(cdr, setup, answer, end);
    }

    let mut best = i64::MAX;
    for_each(setups, answers, ends, |setup, answer, end| best = best.min(discrepancy(cdr, setup, answer, end)));
    let mut earlier: Option<Times> = None;
    let mut later: Option<Instant> = None;
    for_each(setups, answers, ends, |setup, answer, end| {
        if discrepancy(cdr, setup, answer, end).saturating_sub(best) >= ARITHMETIC_TOLERANCE.as_millis() {
            return;
        }
        let times = reckon(cdr, setup, answer, end);
        later = later.max(Some(times.charging_at));
        if earlier.is_none_or(|earlier| times.charging_at < earlier.charging_at) {
            earlier = Some(times);
        }
    });
    let mut times = earlier.unwrap_or_else(|| reckon(cdr, None, None, None));
    times.other_reading = later.filter(|later| *later != times.charging_at);
    times
}

/// Whether the answer is no evidence of its own: on the clock face it is exactly set-up + duration − talk time. So it is
/// in layouts that have no answer, where the parser reckoned it; over a clock change it may then be an hour off. Where it
/// was written, nothing is lost: it is reckoned again from the set-up.
fn is_reckoned(cdr: &Cdr<'_>) -> bool {
    match (cdr.setup, cdr.answer, cdr.duration) {
        (Some(Stamp::Local(setup)), Some(Stamp::Local(answer)), Some(duration)) => {
            answer.as_millis().saturating_sub(setup.as_millis())
                == duration.as_millis().saturating_sub(cdr.talk.as_millis())
        }
        _ => false,
    }
}

/// Up to two instants that a stamp may mean; a stamp that is not there counts as one unknown.
type Readings = [Option<Option<Instant>>; 2];

#[inline]
fn readings(stamp: Option<Stamp>, zone: &Zone) -> Readings {
    match stamp {
        None => [Some(None), None],
        Some(Stamp::Instant(instant)) => [Some(Some(instant)), None],
        Some(Stamp::Local(local)) => match zone.resolve(local) {
            Resolved::Unique(instant) => [Some(Some(instant)), None],
            Resolved::Repeated(earlier, later) | Resolved::Missing(earlier, later) => {
                [Some(Some(earlier)), Some(Some(later))]
            }
        },
    }
}

/// Of two readings the one nearer to `epoch`, if it is near enough to be evidence.
fn nearest(readings: Readings, epoch: Instant) -> Readings {
    let [Some(Some(first)), Some(Some(second))] = readings else { return readings };
    let (to_first, to_second) = (distance(first, epoch), distance(second, epoch));
    if to_first.min(to_second) > EPOCH_TOLERANCE.as_millis() || to_first == to_second {
        return readings;
    }
    [Some(Some(if to_first < to_second { first } else { second })), None]
}

fn for_each(
    setups: Readings,
    answers: Readings,
    ends: Readings,
    mut visit: impl FnMut(Option<Instant>, Option<Instant>, Option<Instant>),
) {
    for setup in setups.into_iter().flatten() {
        for answer in answers.into_iter().flatten() {
            for end in ends.into_iter().flatten() {
                visit(setup, answer, end);
            }
        }
    }
}

/// By how many milliseconds the instants disagree with the durations that the record reports, and with their own order.
fn discrepancy(cdr: &Cdr<'_>, setup: Option<Instant>, answer: Option<Instant>, end: Option<Instant>) -> i64 {
    let against = |from: Option<Instant>, until: Option<Instant>, expected: Option<Duration>| match (from, until) {
        (Some(from), Some(until)) => {
            let elapsed = until.since(from).as_millis();
            let apart = expected.map_or(0, |expected| elapsed.saturating_sub(expected.as_millis()).saturating_abs());
            // Backwards is wrong even where no duration says how long it was.
            apart.max(elapsed.saturating_neg())
        }
        _ => 0,
    };
    let talk = cdr.answered.then_some(cdr.talk);
    // Without a duration the least ringing is the likeliest.
    let ringing = match (cdr.duration, talk) {
        (Some(duration), Some(talk)) => {
            Duration::from_millis(duration.as_millis().saturating_sub(talk.as_millis()).max(0))
        }
        _ => Duration::ZERO,
    };
    against(setup, end, cdr.duration).saturating_add(against(answer, end, talk)).saturating_add(against(
        setup,
        answer,
        Some(ringing),
    ))
}

/// The times of one choice of readings; what the record leaves out follows from its durations.
#[inline]
fn reckon(cdr: &Cdr<'_>, setup: Option<Instant>, answer: Option<Instant>, end: Option<Instant>) -> Times {
    let before = |instant: Instant, duration: Duration| {
        instant.plus(Duration::from_millis(duration.as_millis().saturating_neg()))
    };
    let setup_at = setup.or_else(|| Some(before(end?, cdr.duration?)));
    let reckoned = || {
        // Seconds are truncated, so the talk time may exceed the duration; nobody answers before the set-up.
        let after_ringing = setup.and_then(|setup| Some(before(setup.plus(cdr.duration?), cdr.talk).max(setup)));
        after_ringing.or_else(|| end.map(|end| before(end, cdr.talk))).or(setup)
    };
    let answered_at = if cdr.answered { answer.or_else(reckoned) } else { None };
    // A record without any time is rejected by its parser; the epoch keeps this total.
    let charging_at = answered_at.or(setup_at).or(end).or(cdr.epoch).unwrap_or(Instant::from_millis(0));
    let ended_at = end.unwrap_or_else(|| match (setup_at, cdr.duration) {
        (Some(setup), Some(duration)) => setup.plus(duration),
        _ => charging_at.plus(cdr.talk),
    });
    Times { setup_at, answered_at, charging_at, other_reading: None, ended_at }
}

fn distance(one: Instant, other: Instant) -> i64 {
    one.since(other).as_millis().saturating_abs()
}
