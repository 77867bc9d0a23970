//! Batches, and the numbers of a first voice service.

use super::*;

fn available(last_digits: u32) -> Facts {
    in_state(number(last_digits), State::Available)
}

fn allocate(holder: &str, digits: Option<&str>) -> Command {
    Command::Allocate { holder: occupier(holder), extension: digits.and_then(extension) }
}

/// The codes of the outcomes, `done` for those without, and how many events are to be appended.
fn check(asked: &[(Facts, Command)], mode: Mode, codes: &[&str], events: usize) {
    let batch = decide_each(asked.iter().map(|(facts, command)| (facts, command)), mode, now());
    let found: Vec<&str> = batch
        .outcomes
        .iter()
        .map(|outcome| outcome.result.as_ref().map_or_else(|refusal| refusal.code, |_| "done"))
        .collect();
    assert_eq!(found, codes);
    let refused: Vec<E164> =
        asked.iter().zip(codes).filter(|(_, code)| **code != "done").map(|((facts, _), _)| facts.number).collect();
    assert_eq!(batch.refusals().map(|(number, _)| number).collect::<Vec<_>>(), refused);
    assert_eq!(batch.events().count(), events);
}

#[test]
fn one_refusal_stops_a_batch_that_goes_together_and_no_other() {
    let asked = [
        (available(1), allocate("acme", None)),
        (in_state(number(2), State::Cooldown), allocate("acme", None)),
        (available(3), allocate("acme", None)),
    ];
    let codes = ["done", "number.not_available", "done"];
    check(&asked, Mode::AllOrNothing, &codes, 0);
    check(&asked, Mode::EachByItself, &codes, 2);
    check(&[asked[0].clone(), asked[2].clone()], Mode::AllOrNothing, &["done", "done"], 2);
}

#[test]
fn rule_42_lines_are_counted_across_a_batch() {
    // Five lines, three in use: two more go in, then one must come out before the last.
    let reserved = |digits| {
        let mut facts = in_state(number(digits), State::Reserved);
        facts.around.in_use = 3;
        facts
    };
    let mut active = in_state(number(9), State::Active);
    active.around.in_use = 3;
    let asked = [
        (reserved(1), Command::Activate),
        (reserved(2), Command::Activate),
        (reserved(3), Command::Activate),
        (active, Command::Deactivate),
        (reserved(4), Command::Activate),
    ];
    // Each change that is done has two events.
    check(&asked, Mode::EachByItself, &["done", "done", "number.not_entitled", "done", "done"], 8);
}

#[test]
fn rule_49_a_batch_has_one_main_number_for_each_holder_and_site() {
    let main = |digits, site: &str| {
        let mut facts = available(digits);
        facts.kind = Kind::Main;
        facts.site = site.to_owned();
        facts
    };
    let asked = [
        (main(1, "ldn"), allocate("acme", None)),
        (main(2, "ldn"), allocate("acme", None)),
        (main(3, "ldn"), allocate("birch", None)),
        (main(4, "nyc"), allocate("acme", None)),
        (in_state(number(5), State::Reserved), Command::Nominate),
    ];
    check(&asked, Mode::EachByItself, &["done", "number.second_main", "done", "done", "number.second_main"], 3);
}

#[test]
fn an_extension_goes_to_one_holder_of_a_batch() {
    let asked = [
        (available(1), allocate("acme", Some("201"))),
        (available(2), allocate("birch", Some("201"))),
        (available(3), allocate("acme", Some("201"))),
        (available(4), allocate("birch", Some("202"))),
    ];
    check(&asked, Mode::EachByItself, &["done", "number.extension_taken", "done", "done"], 3);
}

#[test]
fn a_number_that_comes_twice_is_decided_as_the_first_command_left_it() {
    let asked = [
        (available(1), allocate("acme", None)),
        (available(1), allocate("birch", None)),
        (available(1), Command::Activate),
        (Facts::absent(number(2), "ldn"), command("provision", "")),
        (Facts::absent(number(2), "ldn"), command("provision", "")),
    ];
    let codes = ["done", "number.not_available", "done", "done", "number.exists"];
    check(&asked, Mode::EachByItself, &codes, 4);
}

/// What a service of `lines` gets: the last digits of its numbers, its shortage, and the codes of those passed over.
fn first(service: &FirstService<'_>) -> (Vec<u64>, u32, Vec<&'static str>) {
    let plan = first_service(service, now());
    let all: Vec<Facts> = service.reserved.iter().chain(service.pool).cloned().collect();
    for number in &plan.numbers {
        let before = all.iter().find(|facts| facts.number == *number).unwrap();
        let own: Vec<Event> = plan.events.iter().filter(|event| event.number == *number).cloned().collect();
        let after = after(before, &own);
        let expected = if before.around.confirms { State::Pending(Towards::Active) } else { State::Active };
        assert_eq!((after.state, after.holder.as_ref()), (expected, Some(service.holder)));
    }
    let of_others = plan.events.iter().filter(|event| !plan.numbers.contains(&event.number)).count();
    assert_eq!(of_others, 0);
    let numbers = plan.numbers.iter().map(|number| number.digits().value() % 100).collect();
    let codes = plan.passed_over.into_iter().map(|outcome| outcome.result.unwrap_err().code).collect();
    (numbers, plan.shortage, codes)
}

fn service<'a>(holder: &'a Holder, lines: u32, reserved: &'a [Facts], pool: &'a [Facts]) -> FirstService<'a> {
    FirstService { holder, lines, had_service: false, with_main_number: false, reserved, pool, extensions: &[] }
}

#[test]
fn rule_45_reserved_numbers_come_first_then_the_pool_ascending_and_all_end_active() {
    let acme = occupier("acme");
    let reserved = [in_state(number(30), State::Reserved), in_state(number(20), State::Reserved)];
    let pool = [available(5), available(4), available(6)];
    assert_eq!(first(&service(&acme, 2, &reserved, &pool)), (vec![20, 30], 0, vec![]));
    assert_eq!(first(&service(&acme, 4, &reserved, &pool)), (vec![20, 30, 4, 5], 0, vec![]));
    assert_eq!(first(&service(&acme, 1, &[], &pool)), (vec![4], 0, vec![]));
    assert_eq!(first(&service(&acme, 0, &reserved, &pool)), (vec![], 0, vec![]));
}

#[test]
fn rule_45_where_the_site_confirms_the_numbers_are_on_their_way() {
    let acme = occupier("acme");
    let pool = [1, 2].map(|digits| {
        let mut facts = available(digits);
        facts.around.confirms = true;
        facts
    });
    assert_eq!(first(&service(&acme, 2, &[], &pool)), (vec![1, 2], 0, vec![]));
}

#[test]
fn rule_46_a_second_voice_service_allocates_nothing() {
    let acme = occupier("acme");
    let pool = [available(1)];
    let second = FirstService { had_service: true, ..service(&acme, 3, &[], &pool) };
    assert_eq!(first(&second), (vec![], 0, vec![]));
}

#[test]
fn rule_47_what_the_pool_lacks_is_the_shortage() {
    let acme = occupier("acme");
    assert_eq!(first(&service(&acme, 3, &[], &[available(1)])), (vec![1], 2, vec![]));
    assert_eq!(first(&service(&acme, 3, &[], &[])), (vec![], 3, vec![]));
}

#[test]
fn rule_79_numbers_kept_for_others_are_passed_over() {
    let acme = occupier("acme");
    let mut pool = [available(1), available(2), available(3)];
    pool[0].hold = Some(hold("elm", "2026-12-01T00:00:00Z"));
    pool[1].hold = Some(hold("acme", "2026-12-01T00:00:00Z"));
    assert_eq!(first(&service(&acme, 3, &[], &pool)), (vec![2, 3], 1, vec!["number.held_for_prospect"]));
}

#[test]
fn a_main_number_is_picked_only_if_the_site_says_so_and_none_is_there() {
    let acme = occupier("acme");
    let mut pool = [available(1), available(2), available(3), available(4)];
    pool[2].kind = Kind::Main;
    pool[3].kind = Kind::Main;
    assert_eq!(first(&service(&acme, 3, &[], &pool)), (vec![1, 2], 1, vec![]));
    let with_main = FirstService { with_main_number: true, ..service(&acme, 3, &[], &pool) };
    // It takes a line like any other.
    assert_eq!(first(&with_main), (vec![3, 1, 2], 0, vec![]));

    // A reserved main number is used, and no other is picked beside it.
    let mut reserved = [in_state(number(10), State::Reserved), in_state(number(11), State::Reserved)];
    reserved[1].kind = Kind::Main;
    let with_own = FirstService { reserved: &reserved, ..with_main };
    assert_eq!(first(&with_own), (vec![11, 10, 1], 0, vec![]));

    let mut elsewhere = pool.clone();
    elsewhere.iter_mut().for_each(|facts| facts.around.has_main_number = true);
    let with_other = FirstService { pool: &elsewhere, ..with_main };
    assert_eq!(first(&with_other), (vec![1, 2], 1, vec![]));
}

#[test]
fn extensions_are_handed_out_in_order_and_not_to_numbers_passed_over() {
    let acme = occupier("acme");
    let mut pool = [available(1), available(2), available(3), available(4)];
    pool[1].hold = Some(hold("elm", "2026-12-01T00:00:00Z"));
    let extensions = [extension("201").unwrap(), extension("202").unwrap()];
    let service = FirstService { extensions: &extensions, ..service(&acme, 3, &[], &pool) };
    let plan = first_service(&service, now());
    let given: Vec<Option<Digits>> = plan
        .events
        .iter()
        .filter_map(|event| match event.allocation() {
            Some(AllocationChange::Begun { extension, .. }) => Some(extension),
            _ => None,
        })
        .collect();
    assert_eq!(given, [extension("201"), extension("202"), None]);
}

#[test]
fn an_activation_that_is_refused_leaves_nothing_allocated() {
    // Two lines are promised, but the numbers are counted against one.
    let acme = occupier("acme");
    let pool = [1, 2].map(|digits| {
        let mut facts = available(digits);
        facts.around.lines = 1;
        facts
    });
    let plan = first_service(&service(&acme, 2, &[], &pool), now());
    assert_eq!(plan.events.len(), 3, "{:?}", plan.events);
    assert_eq!((plan.numbers, plan.shortage), (vec![number(1)], 1));
    assert_eq!(plan.passed_over[0].result.as_ref().unwrap_err().code, "number.not_entitled");
}
