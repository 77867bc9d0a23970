//! Whether a configuration makes sense: everything that is wrong with it in one go.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Answer, Configuration, HuntGroup, Target};
use crate::directory::refusal::{Detail, Refusal, text_fault};
use crate::number::E164;

/// How many seconds a call may ring before it goes to the second target. Less than five is hardly a ring.
pub const NO_ANSWER_S: RangeInclusive<u32> = 5..=120;

/// The longest greeting, in characters.
pub const LONGEST_GREETING: usize = 500;

/// What a configuration is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The main number itself.
    pub number: E164,
    /// The organisation's other numbers at the site that are in use.
    pub own_numbers: &'a [E164],
}

/// The code of a configuration that is refused, then those of its details.
pub const CODES: [&str; 12] = [
    "main_number.not_valid",
    "main_number.email_malformed",
    "main_number.email_missing",
    "main_number.email_without_voicemail",
    "main_number.forwards_to_itself",
    "main_number.greeting_malformed",
    "main_number.hunt_group_empty",
    "main_number.hunt_group_repeated",
    "main_number.hunt_group_stranger",
    "main_number.no_answer_after_voicemail",
    "main_number.no_answer_same_target",
    "main_number.no_answer_seconds",
];

/// Whether a configuration makes sense for a main number. Whether the number may be configured at all, its life says
/// ([`may_configure`](crate::directory::lifecycle::may_configure)).
///
/// # Example: everything at once
///
/// ```
/// use rating_core::directory::main_number::*;
/// use rating_core::number::E164;
///
/// let number = E164::parse(b"+442079460000").unwrap();
/// let configuration = Configuration {
///     in_hours: Answer { target: Target::Forward(number), no_answer: None },
///     voicemail_to_email: Some("frontdesk".to_owned()),
///     ..Configuration::default()
/// };
/// let refusal = check(&configuration, Known { number, own_numbers: &[] }).unwrap_err();
/// assert_eq!(refusal.code, "main_number.not_valid");
/// let faults: Vec<_> = refusal.details.iter().map(|detail| (detail.of.as_str(), detail.code)).collect();
/// assert_eq!(faults, [
///     ("in_hours.target", "main_number.forwards_to_itself"),
///     ("voicemail_to_email", "main_number.email_malformed"),
///     ("voicemail_to_email", "main_number.email_without_voicemail"),
/// ]);
/// ```
///
/// # Errors
///
/// `main_number.not_valid`; its details name every fault, in the order of the fields.
pub fn check(configuration: &Configuration, known: Known<'_>) -> Result<(), Refusal> {
    let mut faults = Faults(Vec::new());
    answer("in_hours", &configuration.in_hours, known, &mut faults);
    answer("out_of_hours", &configuration.out_of_hours, known, &mut faults);
    hunt_group(configuration, known, &mut faults);
    voicemail_to_email(configuration, &mut faults);
    let greetings = [
        ("greeting_in_hours", &configuration.greeting_in_hours),
        ("greeting_out_of_hours", &configuration.greeting_out_of_hours),
    ];
    for (of, greeting) in greetings {
        if let Some(fault) = greeting.as_deref().and_then(|greeting| text_fault(greeting, LONGEST_GREETING)) {
            let help = "write a short text on one line, or none";
            faults.push(of, "main_number.greeting_malformed", format!("the greeting {fault}"), help);
        }
    }
    let Faults(details) = faults;
    if details.is_empty() {
        return Ok(());
    }
    let message = match details.len() {
        1 => format!("the configuration of {} has a fault", known.number),
        count => format!("the configuration of {} has {count} faults", known.number),
    };
    let why = "every call to a main number ends somewhere, whenever it comes";
    Err(Refusal { details, ..Refusal::request("main_number.not_valid", message, why, "mend each of them") })
}

struct Faults(Vec<Detail>);

impl Faults {
    fn push(&mut self, of: impl Into<String>, code: &'static str, message: impl Into<String>, help: &'static str) {
        self.0.push(Detail { of: of.into(), code, message: message.into(), help });
    }
}

fn answer(of: &str, answer: &Answer, known: Known<'_>, faults: &mut Faults) {
    target(&format!("{of}.target"), &answer.target, known, faults);
    let Some(step) = &answer.no_answer else { return };
    if answer.target == Target::Voicemail {
        let help = "leave the second target out, or let voicemail be the second";
        let message = "voicemail always answers";
        faults.push(format!("{of}.no_answer"), "main_number.no_answer_after_voicemail", message, help);
    }
    if !NO_ANSWER_S.contains(&step.after_s) {
        let message = format!("{} seconds are too few or too many to ring", step.after_s);
        let help = "choose 5 to 120 seconds";
        faults.push(format!("{of}.no_answer.after_s"), "main_number.no_answer_seconds", message, help);
    }
    let then = format!("{of}.no_answer.then");
    if step.then == answer.target && answer.target != Target::Voicemail {
        let message = "the second target is the first again";
        faults.push(then.clone(), "main_number.no_answer_same_target", message, "choose another target, or none");
    }
    target(&then, &step.then, known, faults);
}

// The help above is right as long as this holds.
const _: () = assert!(*NO_ANSWER_S.start() == 5 && *NO_ANSWER_S.end() == 120);

fn target(of: &str, target: &Target, known: Known<'_>, faults: &mut Faults) {
    if *target == Target::Forward(known.number) {
        let message = "the main number would forward calls to itself";
        faults.push(of, "main_number.forwards_to_itself", message, "choose another number");
    }
}

fn hunt_group(configuration: &Configuration, known: Known<'_>, faults: &mut Faults) {
    let of = "hunt_group";
    let is_empty = match &configuration.hunt_group {
        HuntGroup::All => {
            let answers = configuration.in_hours.targets().chain(configuration.out_of_hours.targets());
            known.own_numbers.is_empty() && answers.into_iter().any(|target| *target == Target::HuntGroup)
        }
        HuntGroup::Only(numbers) => numbers.is_empty(),
    };
    if is_empty {
        let help = "name at least one of the organisation's numbers that are in use, or choose another target";
        faults.push(of, "main_number.hunt_group_empty", "nobody would ring as the hunt group", help);
    }
    let HuntGroup::Only(numbers) = &configuration.hunt_group else { return };
    let mut seen = BTreeSet::new();
    for (index, number) in numbers.iter().enumerate() {
        let of = format!("{of}[{index}]");
        if !seen.insert(number) {
            let message = format!("{number} stands twice");
            faults.push(of, "main_number.hunt_group_repeated", message, "name each number once");
        } else if !known.own_numbers.contains(number) {
            let message = format!("{number} is none of the organisation's direct numbers in use at the site");
            let help = "name numbers that the organisation has activated at this site, and not its main number";
            faults.push(of, "main_number.hunt_group_stranger", message, help);
        }
    }
}

fn voicemail_to_email(configuration: &Configuration, faults: &mut Faults) {
    let of = "voicemail_to_email";
    let Some(address) = &configuration.voicemail_to_email else { return };
    if address.is_empty() {
        let message = "voicemail would be mailed to nobody";
        faults.push(of, "main_number.email_missing", message, "give an address, or switch this off");
    } else if !is_address(address) {
        let message = format!("`{address}` is no e-mail address");
        faults.push(of, "main_number.email_malformed", message, "write one address: name@example.com");
    }
    if !configuration.uses_voicemail() {
        let help = "choose voicemail as a target in at least one option, or switch this off";
        faults.push(of, "main_number.email_without_voicemail", "no call ever goes to voicemail", help);
    }
}

/// Whether a mail server could take it: something, `@`, something, and nothing that would make it two.
fn is_address(text: &str) -> bool {
    const LONGEST: usize = 254;
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| {
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>' | '"' | '@');
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.contains(odd)
    };
    text.len() <= LONGEST && plain(name) && plain(domain)
}
