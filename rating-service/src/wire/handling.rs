//! What happens to calls, on the wire: business hours, schedules, main numbers, features of numbers.

use rating_core::directory::main_number::{
    Answer, Configuration, Event, Hours, HuntGroup, NoAnswer, Span, Target, TimeOfDay, When,
};
use rating_core::number::E164;
use rating_core::time::{Date, Instant, Interval, Weekday, Zone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Faults;

/// Weekly business hours of a site, on the clock of its wall. A day may have several spans, or none.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessHours {
    /// The spans, in any order.
    pub weekly: Vec<WeeklySpan>,
}

/// A part of a day, every week.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeeklySpan {
    /// `monday` to `sunday`.
    #[schema(example = "monday")]
    pub day: String,
    /// The first minute inside.
    #[schema(example = "08:30")]
    pub from: String,
    /// The first minute outside; `24:00` is midnight.
    #[schema(example = "18:00")]
    pub until: String,
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl BusinessHours {
    /// As the directory understands them; what cannot be understood is left out and named.
    pub fn read(&self, faults: &mut Faults) -> Hours {
        let mut spans = Vec::new();
        for (index, span) in self.weekly.iter().enumerate() {
            let at = format!("/weekly/{index}");
            let day = Weekday::parse(&span.day);
            if day.is_none() {
                faults.push(
                    format!("{at}/day"),
                    "field.weekday_unknown",
                    format!("`{}` is no day", span.day),
                    "monday to sunday",
                );
            }
            let mut time = |field: &str, text: &str| {
                let time = TimeOfDay::parse(text);
                if time.is_none() {
                    faults.push(
                        format!("{at}/{field}"),
                        "field.time_malformed",
                        format!("`{text}` is no time"),
                        "`08:30`",
                    );
                }
                time
            };
            if let (Some(day), Some(from), Some(until)) = (day, time("from", &span.from), time("until", &span.until)) {
                spans.push(Span { day, from, until });
            }
        }
        Hours { spans }
    }

    /// From what the directory understands.
    #[must_use]
    pub fn of(hours: &Hours) -> Self {
        let time = |time: TimeOfDay| format!("{:02}:{:02}", time.minutes() / 60, time.minutes() % 60);
        let weekly = hours.spans.iter().map(|span| WeeklySpan {
            day: DAYS.get(span.day.index()).copied().unwrap_or_default().to_owned(),
            from: time(span.from),
            until: time(span.until),
        });
        Self { weekly: weekly.collect() }
    }
}

/// Something on a site's schedule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScheduleEvent {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The first day, or the first instant.
    pub from: String,
    /// The first day after it, or the first instant after it.
    pub until: String,
}

/// Something that closes a site for a while: calls are handled as outside business hours.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScheduleEvent {
    /// What people call it.
    #[schema(example = "Christmas")]
    pub name: String,
    /// The first day, or the first instant: with its offset, or as the site's clock shows it.
    #[schema(example = "2026-12-25")]
    pub from: String,
    /// The first day after it, or the first instant after it.
    #[schema(example = "2026-12-27")]
    pub until: String,
}

impl NewScheduleEvent {
    /// As the directory understands it: whole days if both ends are days.
    pub fn read(&self, zone: &Zone, faults: &mut Faults) -> Option<Event> {
        let when = match (Date::parse(&self.from), Date::parse(&self.until)) {
            (Some(from), Some(until)) => When::Days { from, until },
            _ => {
                let mut bound = |field: &str, text: &str| -> Option<Instant> {
                    let bound = super::moment(zone, text);
                    if bound.is_none() {
                        let what = format!("`{text}` is neither a day nor an instant");
                        faults.push(
                            field,
                            "field.instant_malformed",
                            what,
                            "2026-12-25, 2026-12-25T12:00 or 2026-12-25T12:00:00+00:00",
                        );
                    }
                    bound
                };
                let (from, until) = (bound("/from", &self.from), bound("/until", &self.until));
                When::Instants(Interval { from: from?, until: until? })
            }
        };
        Some(Event { name: self.name.trim().to_owned(), when })
    }
}

/// The holidays of which year become events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// The year.
    #[schema(example = 2026)]
    pub year: i32,
    /// The calendar, `GB-ENG`; left out, the site's.
    #[serde(default)]
    pub calendar: Option<String>,
}

/// Where a call goes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CallTarget {
    /// The organisation's own phones.
    HuntGroup,
    /// The site's reception.
    #[default]
    Reception,
    /// The main number's voicemail.
    Voicemail,
    /// Another number, with `+` and country code.
    Forward(String),
}

/// What happens to calls of one period.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallAnswer {
    /// Where they are sent.
    pub target: CallTarget,
    /// And where then, if nobody answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<CallNoAnswer>,
}

/// Where a call goes if nobody answers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallNoAnswer {
    /// After so many seconds of ringing.
    pub after_s: u32,
    /// The second target.
    pub then: CallTarget,
}

/// What a main number does with its calls.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MainNumber {
    /// During business hours.
    pub in_hours: CallAnswer,
    /// Outside them, and during events of the schedule.
    pub out_of_hours: CallAnswer,
    /// The numbers that ring as the hunt group; left out or null, all of the organisation's at the site that are in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hunt_group: Option<Vec<String>>,
    /// The address that voicemail is mailed to, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voicemail_to_email: Option<String>,
    /// What reception is shown to say during business hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting_in_hours: Option<String>,
    /// And outside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting_out_of_hours: Option<String>,
}

fn number(faults: &mut Faults, field: &str, text: &str) -> Option<E164> {
    let number = Some(text).filter(|text| text.starts_with('+')).and_then(|text| E164::parse(text.as_bytes()));
    if number.is_none() {
        faults.push(
            field,
            "field.number_malformed",
            format!("`{text}` is no number"),
            "with `+` and country code: `+442079460001`",
        );
    }
    number
}

fn target(faults: &mut Faults, field: &str, target: &CallTarget) -> Target {
    match target {
        CallTarget::HuntGroup => Target::HuntGroup,
        CallTarget::Reception => Target::Reception,
        CallTarget::Voicemail => Target::Voicemail,
        CallTarget::Forward(text) => number(faults, field, text).map_or(Target::Reception, Target::Forward),
    }
}

fn answer(faults: &mut Faults, field: &str, answer: &CallAnswer) -> Answer {
    Answer {
        target: target(faults, &format!("{field}/target"), &answer.target),
        no_answer: answer.no_answer.as_ref().map(|step| NoAnswer {
            after_s: step.after_s,
            then: target(faults, &format!("{field}/no_answer/then"), &step.then),
        }),
    }
}

impl MainNumber {
    /// As the directory understands it; numbers that cannot be understood are named.
    pub fn read(&self, faults: &mut Faults) -> Configuration {
        let hunt_group = match &self.hunt_group {
            None => HuntGroup::All,
            Some(numbers) => {
                let read = |(index, text): (usize, &String)| number(faults, &format!("/hunt_group/{index}"), text);
                HuntGroup::Only(numbers.iter().enumerate().filter_map(read).collect())
            }
        };
        Configuration {
            in_hours: answer(faults, "/in_hours", &self.in_hours),
            out_of_hours: answer(faults, "/out_of_hours", &self.out_of_hours),
            hunt_group,
            voicemail_to_email: self.voicemail_to_email.clone(),
            greeting_in_hours: self.greeting_in_hours.clone(),
            greeting_out_of_hours: self.greeting_out_of_hours.clone(),
        }
    }
}

/// What happens to a call at an instant, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Handled {
    /// The instant asked about, on the site's clock.
    pub at: String,
    /// `in_hours` or `out_of_hours`.
    pub period: String,
    /// Where the call goes, and where then.
    pub answer: CallAnswer,
    /// What reception is shown to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// Why, the most telling first.
    pub why: Vec<String>,
    /// When the period changes next; absent if it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a number does with its calls.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    /// Whether calls go to its voicemail.
    pub voicemail: bool,
    /// The address that voicemail is mailed to, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail_to_email: Option<String>,
    /// All calls are forwarded to this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_always: Option<String>,
    /// Calls are forwarded to this number when it is busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_busy: Option<String>,
    /// Calls are forwarded to this number when nobody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_no_answer: Option<String>,
    /// Whether a second call is announced.
    pub call_waiting: bool,
    /// Whether it takes no calls for now.
    pub do_not_disturb: bool,
    /// What called parties see in the place of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling_line_id: Option<String>,
}

impl Features {
    /// Finds what is wrong with them.
    pub fn check(&self, faults: &mut Faults) {
        let numbers = [
            ("/forward_always", &self.forward_always),
            ("/forward_busy", &self.forward_busy),
            ("/forward_no_answer", &self.forward_no_answer),
            ("/calling_line_id", &self.calling_line_id),
        ];
        for (field, text) in numbers {
            if let Some(text) = text {
                number(faults, field, text);
            }
        }
        if let Some(address) = &self.voicemail_to_email {
            let looks_right =
                address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
            if !looks_right || address.len() > 254 || address.chars().any(char::is_whitespace) {
                faults.push("/voicemail_to_email", "field.email_malformed", "is no e-mail address", "");
            }
            if !self.voicemail {
                let what = "voicemail is mailed, and is off";
                faults.push(
                    "/voicemail_to_email",
                    "field.not_here",
                    what,
                    "switch voicemail on, or leave the address out",
                );
            }
        }
    }
}

/// A PIN that was reset: shown this once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ResetPin {
    /// Six digits.
    #[schema(example = "402917")]
    pub pin: String,
}

/// A code that calls need.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationCode {
    /// Four to ten digits.
    #[schema(format = Password)]
    pub code: String,
}
