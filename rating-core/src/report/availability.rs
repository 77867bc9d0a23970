//! Whether a month's report is there to be read, and if not, why.
//!
//! A report that is missing is missing for one of five reasons, and each has a text of its own that names the month and the zone
//! whose calendar it is of. Where several hold, the first counts:
//!
//! | code | the report is missing because | when it appears |
//! | --- | --- | --- |
//! | `telephony-not-managed` | the occupier's telephony is somebody else's business | never |
//! | `month-not-complete` | the month has not ended at the site | from the first instant of the next month on, once published |
//! | `no-voice-service` | there was no voice service in the month | never |
//! | `not-published` | the month is complete, and nobody has published it yet | when it is published |
//! | `no-data` | there was a voice service, and no call | never |
//!
//! `not-published` stands before `no-data`, for until a month is published nobody knows that there is no call in it; and after
//! `no-voice-service`, for there will be no report, and nobody should wait for one.
//!
//! Reports of the operator are missing for the same reasons but the first. The usage report counts contracted lines, not calls:
//! it is there at any time, and of the current month as far as that has come. Nothing here asks whether an occupier is still there:
//! the reports of its past months stay, that of its last partial month included once that is complete.
//!
//! # Example: either side of midnight in New York
//!
//! ```
//! use rating_core::report::Report;
//! use rating_core::report::availability::{Asked, Availability, Reader, availability};
//! use rating_core::time::{Instant, Month, Zone};
//!
//! let new_york = Zone::load("America/New_York").unwrap();
//! let asked = |now: &str| Asked {
//!     report: Report::Itemised,
//!     reader: Reader::Occupier { telephony_managed: true },
//!     month: Month::parse("2026-10").unwrap(),
//!     now: Instant::parse_rfc3339(now).unwrap(),
//!     zone: &new_york,
//!     had_voice_service: Some(true),
//!     is_published: true,
//!     has_data: true,
//! };
//! assert_eq!(availability(&asked("2026-11-01T00:00:00-04:00")), Ok(Availability::Available));
//! let Ok(Availability::Missing(missing)) = availability(&asked("2026-10-31T23:59:59-04:00")) else { panic!() };
//! assert_eq!(missing.reason.code(), "month-not-complete");
//! assert_eq!(
//!     missing.text,
//!     "October 2026 is not complete: it ends at 2026-11-01T00:00:00-04:00 (America/New_York), and its reports can be \
//!      published from then on."
//! );
//! ```

use super::Report;
use crate::time::{Instant, Month, Zone};

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// An occupier, its own reports of a site.
    Occupier {
        /// Whether the operator manages the occupier's telephony, or did in that month.
        telephony_managed: bool,
    },
    /// The operator, the reports of a site. Its voice services and data are those of anybody there.
    Operator,
}

/// What is asked, and what is known.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'z> {
    /// Which report.
    pub report: Report,
    /// Whose.
    pub reader: Reader,
    /// Of which month.
    pub month: Month,
    /// When it is asked.
    pub now: Instant,
    /// The zone of the site, whose calendar the month is of.
    pub zone: &'z Zone,
    /// Whether there was a voice service at any time of the month; `None` if nothing tells.
    pub had_voice_service: Option<bool>,
    /// Whether the month is published.
    pub is_published: bool,
    /// Whether what is published holds a call.
    pub has_data: bool,
}

/// Why a report is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The occupier's telephony is not managed here.
    TelephonyNotManaged,
    /// The month has not ended.
    MonthNotComplete,
    /// There was no voice service.
    NoVoiceService,
    /// The month has ended and is not published.
    NotPublished,
    /// There was no call.
    NoData,
}

impl Reason {
    /// Every reason, in the order in which they count.
    pub const ALL: [Self; 5] =
        [Self::TelephonyNotManaged, Self::MonthNotComplete, Self::NoVoiceService, Self::NotPublished, Self::NoData];

    /// Stable: `month-not-complete`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TelephonyNotManaged => "telephony-not-managed",
            Self::MonthNotComplete => "month-not-complete",
            Self::NoVoiceService => "no-voice-service",
            Self::NotPublished => "not-published",
            Self::NoData => "no-data",
        }
    }
}

/// A report that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Why.
    pub reason: Reason,
    /// The reason in words, for whoever looks for the report.
    pub text: String,
    /// The first instant at which it can be there, if that is known and lies ahead.
    pub not_before: Option<Instant>,
}

/// Whether a report is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is.
    Available,
    /// It is, as far as the month has come.
    MonthToDate,
    /// It is not.
    Missing(Missing),
}

/// A month that has not begun: there is nothing to be said about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} has not begun: it is {} in {zone}", month.in_words(), current.in_words())]
pub struct FutureMonth {
    /// The month that was asked for.
    pub month: Month,
    /// The month that it is.
    pub current: Month,
    /// In which zone.
    pub zone: String,
}

impl FutureMonth {
    /// Its stable code.
    pub const CODE: &'static str = "report.month_in_future";
}

/// Whether a report is there, or the first reason why not.
///
/// # Errors
///
/// [`FutureMonth`] if the month has not begun at the site, whatever the report.
pub fn availability(asked: &Asked<'_>) -> Result<Availability, FutureMonth> {
    let Asked { month, now, zone, .. } = *asked;
    let current = current_month(now, zone);
    if month > current {
        return Err(FutureMonth { month, current, zone: zone.name().to_owned() });
    }
    let is_complete = month < current;
    if asked.report == Report::Usage {
        return Ok(if is_complete { Availability::Available } else { Availability::MonthToDate });
    }
    let reason = match asked {
        Asked { reader: Reader::Occupier { telephony_managed: false }, .. } => Reason::TelephonyNotManaged,
        _ if !is_complete => Reason::MonthNotComplete,
        Asked { had_voice_service: Some(false), .. } => Reason::NoVoiceService,
        Asked { is_published: false, .. } => Reason::NotPublished,
        Asked { has_data: false, .. } => Reason::NoData,
        _ => return Ok(Availability::Available),
    };
    let complete_at = complete_at(month, zone);
    let not_before = (reason == Reason::MonthNotComplete).then_some(complete_at);
    Ok(Availability::Missing(Missing { reason, text: text(reason, asked, complete_at), not_before }))
}

/// The month that it is at a site.
#[must_use]
pub fn current_month(now: Instant, zone: &Zone) -> Month {
    Month::of(zone.to_local(now).date())
}

/// The month that is shown if none is asked for: the last complete one at the site.
///
/// # Example
///
/// ```
/// use rating_core::report::availability::default_month;
/// use rating_core::time::{Instant, Zone};
///
/// let now = Instant::parse_rfc3339("2026-11-01T02:00:00Z").unwrap();
/// assert_eq!(default_month(now, &Zone::load("Europe/London").unwrap()).to_string(), "2026-10");
/// // In New York it is still October.
/// assert_eq!(default_month(now, &Zone::load("America/New_York").unwrap()).to_string(), "2026-09");
/// ```
#[must_use]
pub fn default_month(now: Instant, zone: &Zone) -> Month {
    current_month(now, zone).previous()
}

/// The first instant at which a month is complete at a site.
#[must_use]
pub fn complete_at(month: Month, zone: &Zone) -> Instant {
    month.bounds(zone).1
}

fn text(reason: Reason, asked: &Asked<'_>, complete_at: Instant) -> String {
    let (month, zone) = (asked.month.in_words(), asked.zone.name());
    let end = asked.zone.format(complete_at);
    match reason {
        Reason::TelephonyNotManaged => format!(
            "Telephony of this occupier is not managed by the operator of the site, so there are no call charges for {month} \
             ({zone}) or any other month."
        ),
        Reason::MonthNotComplete => format!(
            "{month} is not complete: it ends at {end} ({zone}), and its reports can be published from then on."
        ),
        Reason::NoVoiceService => {
            format!("There was no voice service in {month} ({zone}), so there is nothing to report.")
        }
        Reason::NotPublished => format!(
            "{month} is complete since {end} ({zone}), but not published yet; its reports are here as soon as it is."
        ),
        Reason::NoData if asked.had_voice_service == Some(true) => {
            format!("There was a voice service in {month} ({zone}), but no call to report.")
        }
        Reason::NoData => format!("There was no call to report in {month} ({zone})."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    fn instant(text: &str) -> Instant {
        Instant::parse_rfc3339(text).unwrap()
    }

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn zone(name: &str) -> Zone {
        Zone::load(name).unwrap()
    }

    const MANAGED: Reader = Reader::Occupier { telephony_managed: true };
    const NOT_MANAGED: Reader = Reader::Occupier { telephony_managed: false };

    /// Of October 2026, asked in the middle of November, with everything there.
    fn october(zone: &Zone) -> Asked<'_> {
        Asked {
            report: Report::Itemised,
            reader: MANAGED,
            month: month("2026-10"),
            now: instant("2026-11-15T12:00:00Z"),
            zone,
            had_voice_service: Some(true),
            is_published: true,
            has_data: true,
        }
    }

    /// `available`, `month-to-date`, a reason's code, or that of a future month.
    fn code(asked: &Asked<'_>) -> &'static str {
        match availability(asked) {
            Ok(Availability::Available) => "available",
            Ok(Availability::MonthToDate) => "month-to-date",
            Ok(Availability::Missing(missing)) => missing.reason.code(),
            Err(FutureMonth { .. }) => FutureMonth::CODE,
        }
    }

    fn text(asked: &Asked<'_>) -> String {
        match availability(asked) {
            Ok(Availability::Missing(missing)) => missing.text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rule_1_without_managed_telephony_there_is_no_report_for_any_month() {
        let london = zone("Europe/London");
        for wanted in ["2020-01", "2026-10", "2026-11"] {
            let asked = Asked { reader: NOT_MANAGED, month: month(wanted), ..october(&london) };
            assert_eq!(code(&asked), "telephony-not-managed", "{wanted}");
        }
    }

    #[test]
    fn rules_2_and_3_a_month_is_complete_from_the_first_instant_of_the_next_at_the_site() {
        for (name, complete) in [
            ("Europe/London", "2026-11-01T00:00:00Z"),
            ("America/New_York", "2026-11-01T00:00:00-04:00"),
            ("Asia/Kathmandu", "2026-11-01T00:00:00+05:45"),
            ("Australia/Lord_Howe", "2026-11-01T00:00:00+11:00"),
        ] {
            let zone = zone(name);
            let complete = instant(complete);
            for report in Report::ALL.into_iter().filter(|report| *report != Report::Usage) {
                for reader in [MANAGED, Reader::Operator] {
                    let at = |now| code(&Asked { report, reader, now, ..october(&zone) });
                    assert_eq!(at(complete), "available", "{name}");
                    assert_eq!(at(complete.plus(Duration::from_seconds(-1))), "month-not-complete", "{name}");
                    assert_eq!(at(complete.plus(Duration::from_millis(-1))), "month-not-complete", "{name}");
                }
            }
            let before = Asked { now: complete.plus(Duration::from_millis(-1)), ..october(&zone) };
            let Ok(Availability::Missing(missing)) = availability(&before) else { panic!("{name}") };
            assert_eq!(missing.not_before, Some(complete));
        }
    }

    #[test]
    fn rules_4_and_5_no_voice_service_and_no_data_are_told_apart() {
        let london = zone("Europe/London");
        let without = Asked { has_data: false, ..october(&london) };
        assert_eq!(code(&Asked { had_voice_service: Some(false), ..without }), "no-voice-service");
        assert_eq!(code(&Asked { had_voice_service: Some(true), ..without }), "no-data");
        assert_eq!(code(&Asked { had_voice_service: None, ..without }), "no-data");
        assert_eq!(code(&Asked { had_voice_service: None, ..october(&london) }), "available");
    }

    /// Every combination: the first reason that holds is the one that is given.
    #[test]
    fn rule_6_the_first_reason_counts() {
        let london = zone("Europe/London");
        for holds in 0..32_u32 {
            let is = |reason: Reason| holds & (1 << Reason::ALL.iter().position(|one| *one == reason).unwrap()) != 0;
            let asked = Asked {
                reader: if is(Reason::TelephonyNotManaged) { NOT_MANAGED } else { MANAGED },
                now: instant(if is(Reason::MonthNotComplete) {
                    "2026-10-15T12:00:00Z"
                } else {
                    "2026-11-15T12:00:00Z"
                }),
                had_voice_service: Some(!is(Reason::NoVoiceService)),
                is_published: !is(Reason::NotPublished),
                has_data: !is(Reason::NoData),
                ..october(&london)
            };
            let expected = Reason::ALL.into_iter().find(|reason| is(*reason)).map_or("available", Reason::code);
            assert_eq!(code(&asked), expected, "{asked:?}");
        }
    }

    #[test]
    fn rule_7_the_default_month_is_the_last_complete_one_at_the_site() {
        let london = zone("Europe/London");
        for (now, expected) in [
            ("2026-10-31T23:59:59.999Z", "2026-09"),
            ("2026-11-01T00:00:00Z", "2026-10"),
            ("2027-01-01T00:00:00Z", "2026-12"),
            // In summer time the month begins an hour before midnight UTC.
            ("2026-06-30T22:59:59.999Z", "2026-05"),
            ("2026-06-30T23:00:00Z", "2026-06"),
        ] {
            assert_eq!(default_month(instant(now), &london).to_string(), expected, "{now}");
            let shown = Asked { month: default_month(instant(now), &london), now: instant(now), ..october(&london) };
            assert_eq!(code(&shown), "available", "{now}");
        }
    }

    #[test]
    fn rule_8_a_future_month_is_invalid_whatever_else_holds() {
        let london = zone("Europe/London");
        for report in Report::ALL {
            for reader in [MANAGED, NOT_MANAGED, Reader::Operator] {
                let asked = Asked { report, reader, month: month("2026-12"), has_data: false, ..october(&london) };
                let refused = availability(&asked).unwrap_err();
                assert_eq!(refused.to_string(), "December 2026 has not begun: it is November 2026 in Europe/London");
            }
        }
        // November has begun in London, and not in New York.
        let new_year = instant("2026-11-01T02:00:00Z");
        let new_york = zone("America/New_York");
        let november = |zone| code(&Asked { month: month("2026-11"), now: new_year, ..october(zone) });
        assert_eq!((november(&london), november(&new_york)), ("month-not-complete", FutureMonth::CODE));
    }

    #[test]
    fn rule_9_reports_of_the_operator_are_missing_for_the_same_reasons() {
        let london = zone("Europe/London");
        let asked = Asked { report: Report::CallCharges, reader: Reader::Operator, ..october(&london) };
        assert_eq!(code(&asked), "available");
        assert_eq!(code(&Asked { month: month("2026-11"), ..asked }), "month-not-complete");
        assert_eq!(code(&Asked { had_voice_service: Some(false), ..asked }), "no-voice-service");
        assert_eq!(code(&Asked { is_published: false, ..asked }), "not-published");
        assert_eq!(code(&Asked { has_data: false, ..asked }), "no-data");
    }

    #[test]
    fn rule_10_the_usage_report_is_month_to_date_and_needs_no_calls() {
        let london = zone("Europe/London");
        let usage = Asked {
            report: Report::Usage,
            reader: Reader::Operator,
            is_published: false,
            has_data: false,
            ..october(&london)
        };
        assert_eq!(code(&usage), "available");
        assert_eq!(code(&Asked { month: month("2026-11"), ..usage }), "month-to-date");
    }

    /// The occupier left on 12 October. It had a voice service until then.
    #[test]
    fn rule_11_the_last_partial_month_is_there_once_it_is_complete() {
        let london = zone("Europe/London");
        let asked = |now: &str| code(&Asked { now: instant(now), ..october(&london) });
        assert_eq!(asked("2026-10-13T00:00:00Z"), "month-not-complete");
        assert_eq!(asked("2026-11-01T00:00:00Z"), "available");
        assert_eq!(asked("2036-11-01T00:00:00Z"), "available");
        // The month after has no voice service of theirs.
        let after = Asked { month: month("2026-11"), now: instant("2026-12-01T00:00:00Z"), ..october(&london) };
        assert_eq!(code(&Asked { had_voice_service: Some(false), ..after }), "no-voice-service");
    }

    #[test]
    fn every_text_names_the_month_and_the_zone() {
        let london = zone("Europe/London");
        let full = october(&london);
        for (asked, expected) in [
            (
                Asked { reader: NOT_MANAGED, ..full },
                "Telephony of this occupier is not managed by the operator of the site, so there are no call charges for \
                 October 2026 (Europe/London) or any other month.",
            ),
            (
                Asked { month: month("2026-11"), ..full },
                "November 2026 is not complete: it ends at 2026-12-01T00:00:00+00:00 (Europe/London), and its reports can be \
                 published from then on.",
            ),
            (
                Asked { had_voice_service: Some(false), ..full },
                "There was no voice service in October 2026 (Europe/London), so there is nothing to report.",
            ),
            (
                Asked { is_published: false, ..full },
                "October 2026 is complete since 2026-11-01T00:00:00+00:00 (Europe/London), but not published yet; its \
                 reports are here as soon as it is.",
            ),
            (
                Asked { has_data: false, ..full },
                "There was a voice service in October 2026 (Europe/London), but no call to report.",
            ),
            (
                Asked { has_data: false, had_voice_service: None, ..full },
                "There was no call to report in October 2026 (Europe/London).",
            ),
        ] {
            assert_eq!(text(&asked), expected);
        }
    }
}
