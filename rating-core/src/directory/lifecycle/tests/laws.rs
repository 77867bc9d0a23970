//! Laws that hold whatever is asked, in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const HOLDERS: [&str; 3] = ["harbour", "acme", "birch"];
const NUMBERS: usize = 4;

fn holder(index: usize) -> Holder {
    if index == 0 { Holder::Operator("harbour".to_owned()) } else { occupier(HOLDERS[index]) }
}

/// Something that happens at the site: a command to a number, or a change around it.
#[derive(Clone, Debug)]
enum Step {
    Ask(usize, Command),
    Lines(usize, u32),
    Contract(usize, Option<contracts::State>),
    Confirms(bool),
    Wait(i64),
}

fn commands() -> impl Strategy<Value = Command> {
    let kind = prop::sample::select(vec![Kind::Direct, Kind::Main]);
    let extension = proptest::option::of(prop::sample::select(vec!["201", "202", "203"]))
        .prop_map(|digits| digits.and_then(super::extension));
    let text = prop::sample::select(vec!["", "as asked", "b\tc"]).prop_map(str::to_owned);
    let ending = prop::sample::select(vec![Ending::Services, Ending::Contract, Ending::Decommission]);
    let assignee = prop::sample::select(vec![Assignee::User("u1".to_owned()), Assignee::Place("p1".to_owned())]);
    let hold = (prop::sample::select(vec!["acme", "elm"]), 0..200_i64).prop_map(|(prospect, days)| Hold {
        prospect: prospect.to_owned(),
        until: now().plus(Duration::from_seconds(days * 86_400)),
        contracted_lines: None,
    });
    prop_oneof![
        1 => kind.clone().prop_map(|kind| Command::Provision { kind, origin: Origin::Own, cool_off: None }),
        1 => (0..3_usize, extension.clone(), kind)
            .prop_map(|(to, extension, kind)| Command::PortIn { holder: holder(to), extension, kind }),
        6 => (0..3_usize, extension)
            .prop_map(|(to, extension)| Command::Allocate { holder: holder(to), extension }),
        6 => Just(Command::Activate),
        4 => Just(Command::Confirm),
        2 => text.clone().prop_map(|reason| Command::Fail { reason }),
        3 => Just(Command::Deactivate),
        2 => ending.prop_map(Command::End),
        3 => Just(Command::Deallocate),
        1 => text.clone().prop_map(|reason| Command::Release { reason }),
        3 => Just(Command::EndCoolOff),
        1 => Just(Command::Nominate),
        1 => Just(Command::WithdrawNomination),
        1 => (0..1_100_u16).prop_map(|days| Command::SetCoolOff(CoolOff::new(days))),
        1 => hold.prop_map(Command::Hold),
        1 => Just(Command::Unhold),
        2 => assignee.prop_map(Command::Assign),
        2 => Just(Command::Unassign),
        1 => text.clone().prop_map(|device| Command::LogIn { device }),
        1 => Just(Command::LogOut),
        1 => proptest::option::of(text).prop_map(Command::Label),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let contract = prop::sample::select(vec![
        None,
        Some(contracts::State::Upcoming),
        Some(contracts::State::Active),
        Some(contracts::State::Active),
        Some(contracts::State::Completed),
    ]);
    let step = prop_oneof![
        12 => (0..NUMBERS, commands()).prop_map(|(number, command)| Step::Ask(number, command)),
        2 => (0..3_usize, 0..4_u32).prop_map(|(holder, lines)| Step::Lines(holder, lines)),
        1 => (0..3_usize, contract).prop_map(|(holder, contract)| Step::Contract(holder, contract)),
        1 => any::<bool>().prop_map(Step::Confirms),
        // Now and then the clock goes back.
        3 => prop::sample::select(vec![0, 1, 3_600, 86_400, 40 * 86_400, 100 * 86_400, -60]).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..120)
}

/// A site in small: what a database would hold.
struct Site {
    at: Instant,
    numbers: Vec<Facts>,
    lines: [u32; 3],
    contracts: [Option<contracts::State>; 3],
    confirms: bool,
    history: Vec<Event>,
}

impl Site {
    /// Three of the four numbers are in the pool, one of them nominated.
    fn new() -> Self {
        let mut site = Self {
            at: now(),
            numbers: (0..4).map(|digits| Facts::absent(number(digits), "ldn")).collect(),
            lines: [0, 2, 1],
            contracts: [None, Some(contracts::State::Active), Some(contracts::State::Active)],
            confirms: false,
            history: Vec::new(),
        };
        for (index, kind) in [Kind::Main, Kind::Direct, Kind::Direct].into_iter().enumerate() {
            let provision = Command::Provision { kind, origin: Origin::Own, cool_off: None };
            let events = decide(&site.numbers[index], &provision, site.at).unwrap();
            site.numbers[index] = after(&site.numbers[index], &events);
            site.history.extend(events);
        }
        site
    }

    fn in_use(&self, holder: &Holder) -> u32 {
        let theirs = self.numbers.iter().filter(|facts| facts.holder.as_ref() == Some(holder));
        u32::try_from(theirs.filter(|facts| facts.state.takes_line()).count()).unwrap()
    }

    /// The facts of a number with what is around the holder whom the command is about.
    fn looked_up(&self, index: usize, command: &Command) -> Facts {
        let mut facts = self.numbers[index].clone();
        let (holder, extension) = match command {
            Command::Allocate { holder, extension } | Command::PortIn { holder, extension, .. } => {
                (Some(holder.clone()), *extension)
            }
            _ => (facts.holder.clone(), None),
        };
        facts.around = Around { confirms: self.confirms, ..Around::default() };
        let Some(holder) = holder else { return facts };
        let who = HOLDERS.iter().position(|id| *id == holder.id()).unwrap();
        let others = || self.numbers.iter().filter(|other| other.number != facts.number);
        facts.around.contract = self.contracts[who];
        facts.around.lines = self.lines[who];
        facts.around.in_use = self.in_use(&holder);
        facts.around.has_main_number =
            others().any(|other| other.holder.as_ref() == Some(&holder) && other.kind == Kind::Main);
        facts.around.extension_taken = extension.is_some()
            && others().any(|other| other.extension == extension && other.holder.as_ref() != Some(&holder));
        facts
    }
}

/// Everything that is true of one number by itself.
fn check_number(facts: &Facts) -> Result<(), TestCaseError> {
    prop_assert_eq!(facts.holder.is_some(), facts.state.is_held(), "{:?}", facts);
    prop_assert_eq!(facts.cool_off_until.is_some(), facts.state == State::Cooldown, "{:?}", facts);
    prop_assert!(facts.extension.is_none() || facts.state.is_held(), "{:?}", facts);
    prop_assert!(facts.label.is_none() || facts.state.is_held(), "{:?}", facts);
    prop_assert!(facts.assigned.is_none() || facts.state.takes_line(), "{:?}", facts);
    prop_assert!(facts.logged_in.is_none() || facts.state == State::Active, "{:?}", facts);
    prop_assert!(facts.hold.is_none() || facts.state == State::Available, "{:?}", facts);
    prop_assert!(facts.kind == Kind::Direct || (facts.assigned.is_none() && facts.logged_in.is_none()));
    prop_assert!(!facts.used || facts.state.is_held());
    Ok(())
}

/// The dated allocations of a number, from its events: one holder at a time, and a cool-off or a release between two
/// holders of a number that was in use.
fn check_history(number: E164, history: &[Event]) -> Result<(), TestCaseError> {
    let mut open: Option<Instant> = None;
    let mut ended = Instant::MIN;
    let (mut used, mut may_pass_on) = (false, true);
    for event in history.iter().filter(|event| event.number == number) {
        match event.allocation() {
            Some(AllocationChange::Begun { from, .. }) => {
                prop_assert_eq!(open, None, "held twice");
                prop_assert!(from >= ended);
                prop_assert!(may_pass_on, "passed on without a cool-off");
                (open, used) = (Some(from), false);
            }
            Some(AllocationChange::Ended { until }) => {
                let from = open.take();
                prop_assert!(from.is_some_and(|from| from <= until), "ended before it began");
                (ended, may_pass_on) = (until, !used);
            }
            None => {}
        }
        match &event.change {
            Change::Activated => used = true,
            Change::CoolOffEnded => {
                prop_assert!(event.at >= ended.plus(Duration::from_seconds(86_400)), "a cool-off of less than a day");
                may_pass_on = true;
            }
            Change::Released { .. } => may_pass_on = true,
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn one_holder_no_more_in_use_than_lines_and_the_history_tells_it_all(steps in steps()) {
        let mut site = Site::new();
        for step in steps {
            let (index, command) = match step {
                Step::Ask(index, command) => (index, command),
                Step::Lines(holder, lines) => { site.lines[holder] = lines; continue; }
                Step::Contract(holder, contract) => { site.contracts[holder] = contract; continue; }
                Step::Confirms(confirms) => { site.confirms = confirms; continue; }
                Step::Wait(seconds) => { site.at = site.at.plus(Duration::from_seconds(seconds)); continue; }
            };
            let facts = site.looked_up(index, &command);
            let in_use: Vec<u32> = (0..3).map(|who| site.in_use(&holder(who))).collect();
            match decide(&facts, &command, site.at) {
                Ok(events) => {
                    prop_assert!(!events.is_empty(), "{:?} did nothing", command);
                    site.numbers[index] = after(&facts, &events);
                    site.history.extend(events);
                }
                // Whoever is refused is refused again: deciding changes nothing.
                Err(refusal) => prop_assert_eq!(decide(&facts, &command, site.at), Err(refusal)),
            }
            check_number(&site.numbers[index])?;

            // More numbers in use than before: then there are lines for all of them.
            for (who, before) in in_use.into_iter().enumerate().skip(1) {
                let now = site.in_use(&holder(who));
                prop_assert!(now <= before || now <= site.lines[who], "{} in use, {} lines", now, site.lines[who]);
            }
            let mut mains = BTreeMap::new();
            let mut extensions = BTreeMap::new();
            for facts in &site.numbers {
                let Some(holder) = &facts.holder else { continue };
                if facts.kind == Kind::Main {
                    prop_assert_eq!(mains.insert(holder, facts.number), None, "two main numbers");
                }
                if let Some(extension) = facts.extension {
                    let other = extensions.insert(extension, holder);
                    prop_assert!(other.is_none_or(|other| other == holder), "two holders of an extension");
                }
            }
        }
        for (index, facts) in site.numbers.iter().enumerate() {
            check_history(facts.number, &site.history)?;
            let own: Vec<Event> =
                site.history.iter().filter(|event| event.number == facts.number).cloned().collect();
            let replayed = after(&Facts::absent(number(u32::try_from(index).unwrap()), "ldn"), &own);
            prop_assert_eq!(&Facts { around: facts.around.clone(), ..replayed }, facts);
            prop_assert!(own.is_sorted_by_key(|event| event.at));
        }
    }

    /// A batch comes to what its commands come to one after another, with everything looked up between them.
    #[test]
    fn a_batch_is_its_commands_one_after_another(
        before in steps(),
        asked in prop::collection::vec((0..NUMBERS, commands()), 1..12),
    ) {
        let mut site = Site::new();
        for step in before {
            match step {
                Step::Ask(index, command) => {
                    let facts = site.looked_up(index, &command);
                    if let Ok(events) = decide(&facts, &command, site.at) {
                        site.numbers[index] = after(&facts, &events);
                    }
                }
                Step::Lines(holder, lines) => site.lines[holder] = lines,
                Step::Contract(holder, contract) => site.contracts[holder] = contract,
                Step::Confirms(confirms) => site.confirms = confirms,
                Step::Wait(seconds) => site.at = site.at.plus(Duration::from_seconds(seconds)),
            }
        }
        let looked_up: Vec<(Facts, Command)> = asked
            .iter()
            .map(|(index, command)| (site.looked_up(*index, command), command.clone()))
            .collect();
        let pairs = looked_up.iter().map(|(facts, command)| (facts, command));
        let batch = decide_each(pairs, Mode::EachByItself, site.at);
        for ((index, command), outcome) in asked.iter().zip(&batch.outcomes) {
            let facts = site.looked_up(*index, command);
            let alone = decide(&facts, command, site.at);
            match (&alone, &outcome.result) {
                (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
                // A batch looked up who had what before it began, and may be the stricter for that.
                (Ok(_), Err(refusal)) => {
                    let stricter = ["number.second_main", "number.extension_taken", "number.not_entitled"];
                    prop_assert!(stricter.contains(&refusal.code), "{}", refusal.code);
                }
                (Err(one), Err(other)) => prop_assert_eq!(one.code, other.code),
                (Err(refusal), Ok(_)) => {
                    return Err(TestCaseError::fail(format!("{} alone, done in a batch", refusal.code)));
                }
            }
            if let Ok(events) = &outcome.result {
                site.numbers[*index] = after(&facts, events);
            }
        }
    }
}
