//! Groups of parts, one line a record; and what holds for every group.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::tests::{asterisk, line, mediator, with_trunks};
use super::*;
use crate::cdr::Part;
use crate::mediation::{Mediated, SourceSettings};
use crate::source::RecordId;

static MEDIATOR: LazyLock<Mediator> = LazyLock::new(|| mediator("Europe/London", SourceSettings::default()));
static WITH_TRUNKS: LazyLock<Mediator> = LazyLock::new(|| mediator("Europe/London", with_trunks()));

const NOON: i64 = 1_782_900_000_000;

/// A record set up `setup` seconds after noon and, where `talk` is above zero, answered then.
fn part(id: u64, role: PartRole, setup: i64, talk: i64, cdr: Cdr<'static>) -> Cdr<'static> {
    let at = |second: i64| Some(Stamp::Instant(Instant::from_millis(NOON + second * 1000)));
    Cdr {
        id: RecordId::new((id / 100) as u32, id % 100).unwrap(),
        setup: at(setup),
        answer: at(setup).filter(|_| talk > 0),
        end: at(setup + talk),
        duration: None,
        talk: Duration::from_seconds(talk),
        answered: talk > 0,
        kind: Kind::Part(Part { group: [b"call", b"", b""], role }),
        ..cdr
    }
}

fn out() -> Cdr<'static> {
    asterisk("114", "PJSIP/114-01", "907700900123", "PJSIP/trunk-02")
}

fn came_in() -> Cdr<'static> {
    asterisk("01632960001", "PJSIP/trunk-01", "105", "PJSIP/105-02")
}

fn named(name: &'static str, cdr: Cdr<'static>) -> Cdr<'static> {
    Cdr { call_id: name.as_bytes(), ..cdr }
}

/// Checks a group in the order given, backwards, and beginning in the middle.
#[track_caller]
fn check(group: &[Cdr<'_>], expected: &[&str]) {
    for turned in 0..group.len().max(1) {
        for backwards in [false, true] {
            let mut order: Vec<usize> = (0..group.len()).collect();
            order.rotate_left(turned);
            if backwards {
                order.reverse();
            }
            let handed: Vec<Cdr<'_>> = order.iter().map(|index| group[*index]).collect();
            let verdicts = WITH_TRUNKS.assemble(&handed);
            let mut shown = vec![String::new(); group.len()];
            for (verdict, index) in verdicts.iter().zip(&order) {
                shown[*index] = match verdict {
                    Assembled::Call(call) => format!("{} {}", line(call), call.duration),
                    Assembled::MergedInto(into) => format!("into {}", order[*into]),
                    Assembled::Waiting(why) => why.words().to_owned(),
                    other => panic!("{other:?}"),
                };
            }
            assert_eq!(shown, expected, "in the order {order:?}");
        }
    }
}

const OUT: &str = "outbound 114 → +447700900123 by 114";

#[test]
fn a_beginning_and_an_end_are_a_call_of_the_time_between() {
    let begin = part(0, PartRole::Begin, 0, 0, out());
    let end = |id, at| part(id, PartRole::End, at, 0, out());
    // 90 s from the answer to the BYE.
    let called = format!("{OUT} 90s");
    check(&[begin, end(1, 90)], &[&called, "into 0"]);
    // The BYE stands in an earlier file.
    check(&[part(100, PartRole::Begin, 0, 0, out()), end(1, 90)], &[&called, "into 0"]);
    // A repeated answer, a re-INVITE, a repeated BYE: the first of each counts.
    let again = |id, at| part(id, PartRole::Begin, at, 0, out());
    check(
        &[begin, again(1, 4), again(2, 60), end(3, 90), end(4, 91)],
        &[&called, "into 0", "into 0", "into 0", "into 0"],
    );
    // Hung up in the second of the answer: no talk time.
    check(&[begin, end(1, 0)], &[&format!("{OUT} 0s"), "into 0"]);
}

#[test]
fn a_beginning_waits_for_its_end_and_an_end_for_its_beginning() {
    let begin = |id, at| part(id, PartRole::Begin, at, 0, out());
    let end = |id, at| part(id, PartRole::End, at, 0, out());
    let (no_end, no_beginning) = ("its end has not come", "its beginning has not come");
    check(&[begin(0, 0)], &[no_end]);
    check(&[begin(0, 0), begin(1, 3)], &[no_end, no_end]);
    check(&[end(0, 90)], &[no_beginning]);
    // An end before the beginning ends something else.
    check(&[end(0, 0), begin(1, 10)], &[no_beginning, no_end]);
    check(&[end(0, 0), begin(1, 10), end(2, 40)], &[no_beginning, &format!("{OUT} 30s"), "into 1"]);
    // Eight days are no call.
    check(&[begin(0, 0), end(1, 8 * 86_400)], &[no_end, no_beginning]);
}

#[test]
fn a_dialog_used_again_is_another_call_but_an_answer_repeated_behind_the_end_is_not() {
    let begin = |id, at| part(id, PartRole::Begin, at, 0, out());
    let end = |id, at| part(id, PartRole::End, at, 0, out());
    let call = |talk: u32| format!("{OUT} {talk}s");
    check(&[begin(0, 0), end(1, 5), begin(2, 20)], &[&call(5), "into 0", "into 0"]);
    check(&[begin(0, 0), end(1, 5), begin(2, 600), end(3, 660)], &[&call(5), "into 0", &call(60), "into 2"]);
}

#[test]
fn interim_records_wait_for_the_final_one_and_are_merged_into_it() {
    let interim = |id, talk| part(id, PartRole::Interim, 0, talk, out());
    let last = part(9, PartRole::Final, 0, 1800, out());
    check(&[interim(0, 600), interim(1, 1200)], &["its end has not come", "its end has not come"]);
    check(&[interim(0, 600), interim(1, 1200), last], &["into 2", "into 2", &format!("{OUT} 1800s")]);
    check(&[last], &[&format!("{OUT} 1800s")]);
    // A beginning and its end complete a call with interim records, too.
    let (begin, end) = (part(0, PartRole::Begin, 0, 0, out()), part(2, PartRole::End, 70, 0, out()));
    check(&[begin, interim(1, 60), end], &[&format!("{OUT} 70s"), "into 0", "into 0"]);
}

#[test]
fn of_final_records_that_overlap_the_longest_stands_and_apart_in_time_each_is_a_call() {
    let last = |id, at, talk| part(id, PartRole::Final, at, talk, out());
    let call = |talk: u32| format!("{OUT} {talk}s");
    check(&[last(0, 0, 60), last(1, 0, 120)], &["into 1", &call(120)]);
    check(&[last(0, 0, 120), last(1, 0, 120)], &[&call(120), "into 0"]);
    check(&[last(0, 0, 60), last(1, 60, 120)], &[&call(60), &call(120)]);
    check(&[last(0, 0, 0), last(1, 0, 120)], &["into 1", &call(120)]);
    check(&[last(0, 0, 0), last(1, 3, 0)], &[&call(0), "into 0"]);
}

#[test]
fn the_leg_of_lowest_rank_stands_for_the_call_alone_or_not() {
    let leg = |id, rank, talk| named("a", part(id, PartRole::Leg { rank }, 0, talk, out()));
    let b = |id, rank, talk| named("b", leg(id, rank, talk));
    let call = |talk: u32| format!("{OUT} {talk}s");
    check(&[b(0, 1, 58), leg(1, 0, 60)], &["into 1", &call(60)]);
    check(&[b(0, 1, 58)], &[&call(58)]);
    // One leg written three times, once with another cause: the answered one, and once.
    check(&[leg(0, 0, 0), leg(1, 0, 60), leg(2, 0, 60)], &["into 1", &call(60), "into 1"]);
    // Two people's calls in one conversation are two calls; a branch that nobody answered is none.
    check(&[leg(0, 0, 60), b(1, 0, 30)], &[&call(60), &call(30)]);
    check(&[leg(0, 0, 60), b(1, 0, 0)], &[&call(60), "into 0"]);
    // A queue: three attempts, nobody answered.
    check(&[leg(0, 0, 0), leg(1, 0, 0), leg(2, 0, 0)], &[&call(0), "into 0", "into 0"]);
    // The same channel, first to one and then to another: two stretches of talk, each its own.
    let later = named("a", part(1, PartRole::Leg { rank: 0 }, 60, 120, out()));
    check(&[leg(0, 0, 60), later], &[&call(60), &call(120)]);
}

#[test]
fn where_the_second_leg_leads_outside_it_is_the_call_and_who_was_dialled_first_sent_it_on() {
    let a = named("a", part(0, PartRole::Leg { rank: 0 }, 0, 60, came_in()));
    let b = named(
        "b",
        part(
            1,
            PartRole::Leg { rank: 1 },
            2,
            58,
            asterisk("01632960001", "PJSIP/trunk-01", "907700900123", "PJSIP/trunk-02"),
        ),
    );
    check(&[a, b], &["into 1", "forwarded +441632960001 → +447700900123 by 105 via 105 58s"]);
    // Another branch rang a desk.
    let desk = named("c", part(2, PartRole::Leg { rank: 1 }, 0, 0, came_in()));
    check(&[a, b, desk], &["into 1", "forwarded +441632960001 → +447700900123 by 105 via 105 58s", "into 1"]);
}

#[test]
fn stretches_wait_for_the_last_and_where_they_are_counted_for_every_one_before() {
    let stretch = |id, number, more| part(id, PartRole::Segment { number, more }, 0, 60, out());
    let missing = "a later part has not come";
    check(&[stretch(0, 0, true)], &[missing]);
    check(&[stretch(0, 0, true), stretch(1, 0, false)], &[&format!("{OUT} 120s"), "into 0"]);
    check(&[stretch(0, 1, true), stretch(1, 2, true)], &[missing, missing]);
    check(&[stretch(0, 1, true), stretch(1, 3, false)], &[missing, missing]);
    check(&[stretch(0, 2, true), stretch(1, 3, false)], &["its beginning has not come"; 2]);
    // Three minutes in three stretches, in whatever files; one of them written twice.
    check(
        &[stretch(100, 1, true), stretch(0, 3, false), stretch(50, 2, true), stretch(51, 2, true)],
        &[&format!("{OUT} 180s"), "into 0", "into 0", "into 0"],
    );
}

#[test]
fn time_that_stretches_share_counts_once_unless_all_show_the_calls_own_set_up() {
    let stretch = |id, at, talk, more| part(id, PartRole::Segment { number: 0, more }, at, talk, out());
    // 0 to 60 and 50 to 110: 110 s.
    check(&[stretch(0, 0, 60, true), stretch(1, 50, 60, false)], &[&format!("{OUT} 110s"), "into 0"]);
    check(&[stretch(0, 0, 60, true), stretch(1, 0, 60, false)], &[&format!("{OUT} 120s"), "into 0"]);
    check(&[stretch(0, 0, 0, true), stretch(1, 0, 60, false)], &["into 1", &format!("{OUT} 60s")]);
}

#[test]
fn a_call_that_came_in_and_was_sent_on_is_one_up_to_there_and_another_from_there_on() {
    let stretch = |id, more, talk, cdr| part(id, PartRole::Segment { number: 0, more }, 0, talk, cdr);
    let sent_on = Cdr {
        forwarder: b"105",
        reached: b"907700900123",
        ..asterisk("01632960001", "PJSIP/trunk-01", "105", "PJSIP/trunk-02")
    };
    let inside = asterisk("105", "PJSIP/105-01", "106", "PJSIP/106-02");
    check(
        &[stretch(0, true, 60, came_in()), stretch(1, true, 20, inside), stretch(2, false, 120, sent_on)],
        &["inbound +441632960001 → 105 60s", "into 0", "forwarded +441632960001 → +447700900123 by 105 via 105 120s"],
    );
    // Placed by 114, handed to 115: one call to the outside, and 114's.
    let handed = asterisk("115", "PJSIP/115-01", "907700900123", "PJSIP/trunk-02");
    check(&[stretch(0, true, 60, out()), stretch(1, false, 30, handed)], &[&format!("{OUT} 90s"), "into 0"]);
}

#[test]
fn the_last_revision_stands_across_files() {
    let revision = |id, talk| part(id, PartRole::Revision, 0, talk, out());
    check(&[revision(0, 60), revision(101, 62), revision(100, 61)], &["into 1", &format!("{OUT} 62s"), "into 1"]);
    check(&[revision(7, 60)], &[&format!("{OUT} 60s")]);
}

#[test]
fn of_several_roles_the_most_complete_tells_of_the_call() {
    let begin = part(0, PartRole::Begin, 0, 0, out());
    let end = part(1, PartRole::End, 90, 0, out());
    let whole = part(2, PartRole::Final, 0, 90, out());
    let revision = part(3, PartRole::Revision, 0, 91, out());
    check(&[begin, end, whole], &["into 2", "into 2", &format!("{OUT} 90s")]);
    check(&[begin, end, whole, revision], &["into 3", "into 3", "into 3", &format!("{OUT} 91s")]);
    // What is no part at all is a call by itself.
    let plain = Cdr { kind: Kind::Call, ..part(4, PartRole::Final, 500, 7, out()) };
    check(&[whole, plain], &[&format!("{OUT} 90s"), &format!("{OUT} 7s")]);
}

fn roles() -> impl Strategy<Value = PartRole> {
    prop_oneof![
        (0..3_u8).prop_map(|rank| PartRole::Leg { rank }),
        Just(PartRole::Begin),
        Just(PartRole::End),
        Just(PartRole::Interim),
        Just(PartRole::Final),
        (0..4_u8, any::<bool>()).prop_map(|(number, more)| PartRole::Segment { number, more }),
        Just(PartRole::Revision),
    ]
}

/// A group of up to six records within three minutes: few enough that they often meet.
fn groups() -> impl Strategy<Value = Vec<(PartRole, i64, i64, u8, u8)>> {
    let one_role = roles()
        .prop_flat_map(|role| prop::collection::vec((Just(role), 0..180_i64, 0..90_i64, 0..3_u8, 0..4_u8), 1..6));
    let mixed = prop::collection::vec((roles(), 0..180_i64, 0..90_i64, 0..3_u8, 0..4_u8), 0..7);
    prop_oneof![one_role, mixed]
}

fn record(index: usize, (role, setup, talk, name, way): (PartRole, i64, i64, u8, u8)) -> Cdr<'static> {
    let cdr = match way {
        0 => out(),
        1 => came_in(),
        2 => asterisk("01632960001", "PJSIP/trunk-01", "105", "PJSIP/trunk-02"),
        _ => asterisk("114", "PJSIP/114-01", "105", "PJSIP/105-02"),
    };
    named(["a", "b", ""][usize::from(name)], part(index as u64, role, setup, talk / 2 * 2, cdr))
}

/// What became of each record, by its id: standing with its talk time, merged into another, or waiting.
fn verdicts(group: &[Cdr<'_>]) -> Vec<(RecordId, String)> {
    let mut shown: Vec<(RecordId, String)> = MEDIATOR
        .assemble(group)
        .iter()
        .zip(group)
        .map(|(verdict, cdr)| {
            let words = match verdict {
                Assembled::Call(call) => format!("{} {}", line(call), call.duration),
                Assembled::MergedInto(index) => format!("into {:?}", group[*index].id),
                Assembled::Waiting(why) => why.code().to_owned(),
                other => panic!("{other:?}"),
            };
            (cdr.id, words)
        })
        .collect();
    shown.sort();
    shown
}

fn talk(group: &[Cdr<'_>]) -> i64 {
    let calls = MEDIATOR.assemble(group);
    let talk = |verdict: &Assembled<'_>| match verdict {
        Assembled::Call(call) => call.duration.as_millis(),
        _ => 0,
    };
    calls.iter().map(talk).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_record_has_one_verdict_and_is_merged_only_into_one_that_stands(records in groups()) {
        let group: Vec<Cdr<'_>> = records.into_iter().enumerate().map(|(index, of)| record(index, of)).collect();
            let verdicts = MEDIATOR.assemble(&group);
        prop_assert_eq!(verdicts.len(), group.len());
        for verdict in &verdicts {
            if let Assembled::MergedInto(index) = verdict {
                prop_assert!(matches!(verdicts[*index], Assembled::Call(_)));
            }
        }
        // Every one was handed over by mediation, so that all are counted.
        for cdr in &group {
            prop_assert!(matches!(MEDIATOR.mediate(cdr), Mediated::NeedsPartner(..)));
        }
    }

    #[test]
    fn the_order_in_which_records_are_read_makes_no_difference(
        (group, shuffled) in groups().prop_flat_map(|records| {
            let group: Vec<Cdr<'static>> = records.into_iter().enumerate().map(|(index, of)| record(index, of)).collect();
            (Just(group.clone()), Just(group).prop_shuffle())
        })
    ) {
        prop_assert_eq!(verdicts(&group), verdicts(&shuffled));
    }

    #[test]
    fn a_record_written_again_under_another_key_never_adds_talk_time(
        records in groups(),
        which in any::<prop::sample::Index>(),
    ) {
        let mut group: Vec<Cdr<'_>> = records.into_iter().enumerate().map(|(index, of)| record(index, of)).collect();
        prop_assume!(!group.is_empty());
        let before = talk(&group);
        let again = group[which.index(group.len())];
        // Of stretches that are not counted, equal ones are told by their keys alone, before they come here; and of
        // revisions the last stands, whatever it says.
        let counted = |cdr: &Cdr<'_>| {
            let Kind::Part(part) = cdr.kind else { return false };
            !matches!(part.role, PartRole::Segment { number: 0, .. } | PartRole::Revision)
        };
        prop_assume!(counted(&again));
        group.push(Cdr { id: RecordId::new(9, 0).unwrap(), ..again });
        prop_assert_eq!(talk(&group), before);
    }

    #[test]
    fn all_talk_time_of_a_group_lies_between_its_first_and_last_moment_per_call(records in groups()) {
        let group: Vec<Cdr<'_>> = records.into_iter().enumerate().map(|(index, of)| record(index, of)).collect();
            let longest: i64 = group.iter().map(|cdr| cdr.talk.as_millis()).sum();
        for verdict in MEDIATOR.assemble(&group) {
            if let Assembled::Call(call) = verdict {
                // Begun and ended within the 180 s of the test, or out of the talk times of its parts.
                prop_assert!(call.duration.as_millis() <= longest.max(180_000));
            }
        }
    }
}
