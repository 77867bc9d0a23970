//! Many numbers in one go: ranges and imports.

use std::collections::BTreeMap;

use super::decide::decide;
use super::event::{Command, Event, apply};
use super::facts::{Around, Facts, Holder, Kind};
use crate::directory::refusal::Refusal;
use crate::number::{Digits, E164};
use crate::time::Instant;

/// What to do about the others if one number of a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing happens unless everything does.
    AllOrNothing,
    /// Each number goes its own way.
    EachByItself,
}

/// What became of one number of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The number.
    pub number: E164,
    /// Its events, or why not.
    pub result: Result<Vec<Event>, Refusal>,
}

/// What became of a batch: one outcome for each command, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What to do if one was refused.
    pub mode: Mode,
    /// One for each command.
    pub outcomes: Vec<Outcome>,
}

impl Batch {
    /// The events to append, in their order: none at all if one number was refused and all of them were to go together.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        let happens = self.mode == Mode::EachByItself || self.refusals().next().is_none();
        let all = self.outcomes.iter().filter(move |_| happens);
        all.filter_map(|outcome| outcome.result.as_ref().ok()).flatten()
    }

    /// What was refused, and of which number.
    pub fn refusals(&self) -> impl Iterator<Item = (E164, &Refusal)> {
        self.outcomes.iter().filter_map(|outcome| Some((outcome.number, outcome.result.as_ref().err()?)))
    }
}

/// Decides many commands at one instant, each as if those before it had been done: what a number takes up (a line, an
/// extension, the place of the main number), the ones after it find taken. A number may come more than once.
///
/// The facts of each are as they were before the batch, with what is [around](super::Around) the holder whom its command is
/// about.
#[must_use]
pub fn decide_each<'f>(asked: impl IntoIterator<Item = (&'f Facts, &'f Command)>, mode: Mode, at: Instant) -> Batch {
    let mut tally = Tally::default();
    let outcomes = asked.into_iter().map(|(facts, command)| tally.decide(facts, command, at)).collect();
    Batch { mode, outcomes }
}

/// Holder and site.
type Place = (String, String);

/// What earlier commands have changed around the later ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    numbers: BTreeMap<E164, Facts>,
    /// What was looked up around each holder: a later command may be about one that its own facts do not know yet.
    around: BTreeMap<Place, Around>,
    /// How many more lines are taken up.
    in_use: BTreeMap<Place, i64>,
    main_numbers: BTreeMap<Place, E164>,
    extensions: BTreeMap<(String, Digits), String>,
}

impl Tally {
    pub(super) fn decide(&mut self, facts: &Facts, command: &Command, at: Instant) -> Outcome {
        let facts = self.brought_up_to_date(facts, command);
        let result = decide(&facts, command, at);
        if let Ok(events) = &result {
            let after = events.iter().fold(facts.clone(), |facts, event| apply(&facts, event));
            self.learn(&facts, after);
        }
        Outcome { number: facts.number, result }
    }

    fn brought_up_to_date(&mut self, given: &Facts, command: &Command) -> Facts {
        // Around a main number itself there is no other: those after it are told of it.
        if let (Some(holder), Kind::Main, false) = (&given.holder, given.kind, self.numbers.contains_key(&given.number))
        {
            self.main_numbers.entry(place(holder, &given.site)).or_insert(given.number);
        }
        let mut facts = self.numbers.get(&given.number).unwrap_or(given).clone();
        let looked_up_for = subject(given, command).0.map(|holder| place(holder, &given.site));
        if let Some(place) = &looked_up_for {
            self.around.entry(place.clone()).or_insert_with(|| given.around.clone());
        }
        facts.around = given.around.clone();
        let (holder, extension) = subject(&facts, command);
        let Some(holder) = holder.cloned() else { return facts };
        let place = place(&holder, &facts.site);
        if looked_up_for.as_ref() != Some(&place)
            && let Some(around) = self.around.get(&place)
        {
            facts.around = around.clone();
        }
        let in_use = i64::from(facts.around.in_use) + self.in_use.get(&place).copied().unwrap_or(0);
        let main = self.main_numbers.get(&place).is_some_and(|number| *number != facts.number);
        let taken = extension
            .and_then(|extension| self.extensions.get(&(facts.site.clone(), extension)))
            .is_some_and(|other| other != holder.id());
        facts.around.in_use = u32::try_from(in_use.max(0)).unwrap_or(u32::MAX);
        facts.around.has_main_number |= main;
        facts.around.extension_taken |= taken;
        facts
    }

    fn learn(&mut self, before: &Facts, after: Facts) {
        if let Some(holder) = after.holder.as_ref().or(before.holder.as_ref()) {
            let change = i64::from(after.state.takes_line()) - i64::from(before.state.takes_line());
            *self.in_use.entry(place(holder, &after.site)).or_default() += change;
        }
        if let Some(holder) = &after.holder {
            if after.kind == Kind::Main {
                self.main_numbers.insert(place(holder, &after.site), after.number);
            }
            if let Some(extension) = after.extension {
                self.extensions.insert((after.site.clone(), extension), holder.id().to_owned());
            }
        }
        self.numbers.insert(after.number, after);
    }
}

/// The holder whom a command is about, and the extension that it asks for.
fn subject<'a>(facts: &'a Facts, command: &'a Command) -> (Option<&'a Holder>, Option<Digits>) {
    match command {
        Command::Allocate { holder, extension } | Command::PortIn { holder, extension, .. } => {
            (Some(holder), *extension)
        }
        _ => (facts.holder.as_ref(), None),
    }
}

fn place(holder: &Holder, site: &str) -> Place {
    (holder.id().to_owned(), site.to_owned())
}
