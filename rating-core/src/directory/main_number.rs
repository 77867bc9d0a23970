//! What happens to a call to a main number: its configuration, the site's business hours and schedule, and the resolver.
//!
//! A main number takes an organisation's calls and sends them on. [`Configuration`] says where to, inside and outside the site's
//! business hours ([`Hours`]); an [`Event`] of the site's schedule (a bank holiday, a fire drill) forces what happens outside.
//! [`resolve`] puts them together and says what happens at an instant, why, and until when.
//!
//! # Rules
//!
//! - **Hours** are those of the clock on the site's wall, Monday to Friday 08:30 to 18:00 unless the site says otherwise. 08:30:00
//!   is inside, 18:00:00 is outside. An hour that the clock shows twice is inside both times; one that it skips, never.
//! - **Events** hold from their first instant until, and without, their last, also inside business hours. Whole days begin and end
//!   with the days of the site, however long those are.
//! - **No answer**: after so many seconds a call goes to a second target, once. Voicemail always answers.
//! - **Voicemail to e-mail** needs voicemail as one of the targets, and an address.
//! - A configuration is judged as a whole: [`check`] names everything that is wrong with it.
//!
//! Business hours of a site are not the time bands of a tariff: one says who answers, the other what a call costs.
//!
//! # Example: the Christmas party
//!
//! ```
//! use rating_core::directory::main_number::*;
//! use rating_core::time::{Instant, Interval, Zone};
//!
//! let london = Zone::load("Europe/London").unwrap();
//! let at = |text: &str| Instant::parse_rfc3339(text).unwrap();
//! let configuration = Configuration {
//!     in_hours: Answer { target: Target::Reception, no_answer: Some(NoAnswer { after_s: 20, then: Target::HuntGroup }) },
//!     out_of_hours: Answer { target: Target::Voicemail, no_answer: None },
//!     ..Configuration::default()
//! };
//! let party = Interval { from: at("2026-12-18T15:00:00Z"), until: at("2026-12-18T23:00:00Z") };
//! let events = [Event { name: "Party".to_owned(), when: When::Instants(party) }];
//!
//! let friday = |text: &str| {
//!     let handling = resolve(&configuration, &Hours::default(), &events, &london, at(text));
//!     let why: Vec<String> = handling.why.iter().map(|reason| reason.in_words(&london)).collect();
//!     (handling.answer.target.clone(), why.join("; "), handling.until)
//! };
//! let (target, why, until) = friday("2026-12-18T14:00:00Z");
//! assert_eq!(target, Target::Reception);
//! assert_eq!(why, "inside business hours, Friday 08:30–18:00");
//! assert_eq!(until, Some(at("2026-12-18T15:00:00Z")));
//!
//! let (target, why, until) = friday("2026-12-18T15:00:00Z");
//! assert_eq!(target, Target::Voicemail);
//! assert!(why.starts_with("Party, from 2026-12-18T15:00:00+00:00 until 2026-12-18T23:00:00+00:00; "));
//! assert_eq!(until, Some(at("2026-12-21T08:30:00Z"))); // Monday
//! ```

mod check;
mod hours;
mod resolve;
mod schedule;

pub use check::{CODES, Known, LONGEST_GREETING, NO_ANSWER_S, check};
pub use hours::{HOURS_CODES, Hours, Span, TimeOfDay, check_hours};
pub use resolve::{Handling, Period, Reason, resolve};
pub use schedule::{EVENT_CODES, Event, When, check_event};

use crate::number::E164;

/// Where a call is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The organisation's own phones: [`HuntGroup`].
    HuntGroup,
    /// The site's reception.
    #[default]
    Reception,
    /// The main number's voicemail.
    Voicemail,
    /// Another number. If it lies outside, the leg to it is charged to the organisation.
    Forward(E164),
}

impl Target {
    /// A stable word: `hunt_group`, `reception`, `voicemail`, `forward`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HuntGroup => "hunt_group",
            Self::Reception => "reception",
            Self::Voicemail => "voicemail",
            Self::Forward(_) => "forward",
        }
    }
}

/// Where a call goes if nobody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// After so many seconds of ringing: [`NO_ANSWER_S`].
    pub after_s: u32,
    /// The second target.
    pub then: Target,
}

/// What happens to calls of one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Where they are sent.
    pub target: Target,
    /// And where then, if nobody answers.
    pub no_answer: Option<NoAnswer>,
}

impl Answer {
    /// The one or two targets.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.target).chain(self.no_answer.as_ref().map(|step| &step.then))
    }
}

/// Which of the organisation's numbers at the site ring when a call goes to the hunt group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HuntGroup {
    /// All that are in use, the main number aside.
    #[default]
    All,
    /// These.
    Only(Vec<E164>),
}

/// How a main number handles calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// During business hours.
    pub in_hours: Answer,
    /// Outside them.
    pub out_of_hours: Answer,
    /// Who rings as the hunt group.
    pub hunt_group: HuntGroup,
    /// The address that voicemail is mailed to, if it is; empty for one that is still to be given, which [`check`] refuses.
    pub voicemail_to_email: Option<String>,
    /// What reception is shown to say during business hours.
    pub greeting_in_hours: Option<String>,
    /// And outside them.
    pub greeting_out_of_hours: Option<String>,
}

impl Configuration {
    /// Whether a call goes to voicemail in any option.
    #[must_use]
    pub fn uses_voicemail(&self) -> bool {
        self.in_hours.targets().chain(self.out_of_hours.targets()).any(|target| *target == Target::Voicemail)
    }
}

#[cfg(test)]
mod tests;
