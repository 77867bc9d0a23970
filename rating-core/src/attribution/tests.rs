//! Tests of attribution: which of the parties that a record names decides.

use super::{AttributedBy, AttributedCall, AttributionReason, Holder, attribute};
use crate::cdr::Cdr;
use crate::directory::{Directory, Files, Operator, Site};
use crate::finding::{Findings, SourceText};
use crate::ids::{PayerId, SiteId, SourceId};
use crate::mediation::dial_plan::AccessCodes;
use crate::mediation::{Call, Written};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::source::RecordId;
use crate::time::{Duration, Instant, Zone};

const ALLOCATIONS: &str = "id,holder,site,number,last,extension,from,until\n\
    main,acme,ldn,+442079460000,,200,,\n\
    moves1,acme,ldn,+442079460001,,201,,2026-07-15T14:00:00+01:00\n\
    moves2,birch,ldn,+442079460001,,201,2026-07-15T14:00:00+01:00,\n\
    bare,cedar,ldn,+442079460010,+442079460019,,,\n\
    desk,cedar,ldn,,,300,2026-07-01,2026-08-01\n\
    own,harbour,ldn,+442079460020,,400,,\n\
    far,acme,nyc,+12125550100,,201,,\n";

const CODES: &str = "code,holder,site,from,until\n4711,birch,ldn,2026-07-01,\n";

fn directory() -> Directory {
    let london = Zone::load("Europe/London").unwrap();
    let site = |id: &str, zone: &str| Site { id: id.into(), name: id.into(), zone: Zone::load(zone).unwrap() };
    let files = Files {
        occupiers: vec![SourceText::new("occupiers.csv", "id,name\nacme,Acme\nbirch,Birch\ncedar,Cedar\n")],
        numbers: vec![SourceText::new(
            "numbers.csv",
            "number,last,site,kind\n+442079460000,,ldn,main\n+442079460001,+442079460099,ldn,\n+12125550100,,nyc,\n",
        )],
        allocations: vec![SourceText::new("allocations.csv", ALLOCATIONS)],
        account_codes: vec![SourceText::new("account_codes.csv", CODES)],
        ..Files::default()
    };
    let operator = Operator { id: "harbour".into(), name: "Harbour".into(), billing_reference: None, zone: london };
    let sites = [site("ldn", "Europe/London"), site("nyc", "America/New_York")];
    let mut findings = Findings::default();
    let directory = Directory::read(&files, &operator, &sites, None, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    directory
}

/// An outbound call from London on 10 July, noon, to a British number, that names nobody inside.
fn call() -> Call<'static> {
    let at = Instant::parse_rfc3339("2026-07-10T12:00:00+01:00").unwrap();
    let cdr = Written::of(&Cdr::blank(RecordId::new(0, 0).unwrap(), b""));
    Call {
        cdr,
        source: SourceId(0),
        site: SiteId(0),
        setup_at: Some(at),
        answered_at: Some(at),
        charging_at: at,
        other_reading: None,
        duration: Duration::from_seconds(60),
        answered: true,
        direction: Direction::Outbound,
        calling: Party::Missing,
        called: number("+442071234567"),
        called_class: (NumberClass::Geographic, 4),
        calling_class: NumberClass::Ordinary,
        shown: None,
        trunk: b"",
        access: AccessCodes::default(),
        forwarder: None,
        extension: None,
    }
}

fn number(text: &str) -> Party<'static> {
    Party::Number(E164::parse(text.as_bytes()).unwrap())
}

fn digits(text: &str) -> Digits {
    Digits::parse(text.as_bytes()).unwrap()
}

fn extension(text: &str) -> Party<'static> {
    Party::Extension(digits(text))
}

/// `acme ldn by extension, ext 201, +442079460001`, or the reason's code.
fn words(directory: &Directory, attributed: &AttributedCall<'_, '_>) -> String {
    let holder = match attributed.holder {
        Ok(holder) => holder,
        Err(reason) => return reason.code().to_owned(),
    };
    let (payer, site) = (&directory.payers()[holder.payer.index()].id, &directory.sites()[holder.site.index()].id);
    let extension = holder.extension.map_or_else(String::new, |extension| format!(", ext {extension}"));
    let number = holder.number.map_or_else(String::new, |number| format!(", {number}"));
    format!("{payer} {site} by {}{extension}{number}", holder.by.name())
}

fn check(cases: &[(Call<'static>, &str)]) {
    let directory = directory();
    for (call, expected) in cases {
        let attributed = attribute(call, &directory);
        assert_eq!(words(&directory, &attributed), *expected, "{call:#?}");
        assert!(attributed.readings_agree);
    }
}

#[test]
fn the_first_party_named_decides() {
    let everything = Call {
        cdr: Written { account: b"4711", ..call().cdr },
        forwarder: Some(extension("400")),
        extension: Some(digits("201")),
        calling: number("+442079460010"),
        ..call()
    };
    check(&[
        (everything, "harbour ldn by forwarder, ext 400, +442079460020"),
        // The code's holder pays; the telephone is Acme's, so its number is not shown to Birch.
        (Call { forwarder: None, ..everything }, "birch ldn by account_code, ext 201"),
        (Call { forwarder: None, cdr: call().cdr, ..everything }, "acme ldn by extension, ext 201, +442079460001"),
        (
            Call { forwarder: None, cdr: call().cdr, extension: None, ..everything },
            "cedar ldn by calling_number, +442079460010",
        ),
        (call(), "attribution.no_inside_party"),
        (Call { direction: Direction::Unknown, ..everything }, "harbour ldn by forwarder, ext 400, +442079460020"),
    ]);
}

#[test]
fn a_party_that_decides_and_is_not_known_suspends_whatever_else_is_known() {
    let known = Call { extension: Some(digits("201")), calling: number("+442079460001"), ..call() };
    let with_code = |account| Call { cdr: Written { account, ..call().cdr }, ..known };
    check(&[
        (Call { forwarder: Some(extension("999")), ..known }, "attribution.extension_unknown"),
        (Call { forwarder: Some(number("+442071234567")), ..known }, "attribution.number_unknown"),
        (Call { forwarder: Some(number("+442079460099")), ..known }, "attribution.number_not_allocated"),
        (Call { forwarder: Some(Party::Name(b"queue")), ..known }, "attribution.no_inside_party"),
        (with_code(b"4712"), "attribution.account_code_unknown"),
        (with_code(b" 4711"), "attribution.account_code_unknown"),
        // No codes are in use in New York: what the switch writes there means nothing.
        (Call { site: SiteId(1), ..with_code(b"4712") }, "acme nyc by extension, ext 201, +12125550100"),
        // The directory names another extension for that number: record and directory contradict each other.
        (Call { extension: Some(digits("250")), ..known }, "attribution.extension_unknown"),
        (Call { calling: number("+442079460099"), extension: None, ..known }, "attribution.number_not_allocated"),
        (Call { calling: number("+442071234567"), extension: None, ..known }, "attribution.number_unknown"),
        (
            Call { calling: number("+442071234567"), extension: Some(digits("250")), ..known },
            "attribution.extension_unknown",
        ),
    ]);
}

#[test]
fn the_account_code_is_asked_at_the_instant_that_decides() {
    let at = |at| {
        let charging_at = Instant::parse_rfc3339(at).unwrap();
        Call { cdr: Written { account: b"4711", ..call().cdr }, charging_at, ..call() }
    };
    check(&[
        (at("2026-06-30T23:59:59.999+01:00"), "attribution.account_code_unknown"),
        (at("2026-07-01T00:00:00+01:00"), "birch ldn by account_code"),
    ]);
}

#[test]
fn an_extension_the_directory_never_heard_of_gives_way_to_a_number_kept_without_extension() {
    let cedar = Call { extension: Some(digits("250")), calling: number("+442079460010"), ..call() };
    check(&[
        (cedar, "cedar ldn by calling_number, ext 250, +442079460010"),
        // Extension 300 is in the directory, but nobody's in June: that is knowledge, not silence.
        (
            Call {
                extension: Some(digits("300")),
                charging_at: Instant::parse_rfc3339("2026-06-10T12:00:00Z").unwrap(),
                ..cedar
            },
            "attribution.extension_unknown",
        ),
        (Call { extension: Some(digits("300")), ..cedar }, "cedar ldn by extension, ext 300"),
    ]);
}

#[test]
fn a_main_number_forwards_and_takes_calls_but_places_none() {
    let main = "+442079460000";
    check(&[
        (Call { extension: Some(digits("200")), ..call() }, "attribution.main_number_originated"),
        (Call { calling: number(main), ..call() }, "attribution.main_number_originated"),
        (
            Call { calling: extension("200"), direction: Direction::Internal, ..call() },
            "attribution.main_number_originated",
        ),
        (Call { forwarder: Some(number(main)), ..call() }, "acme ldn by forwarder, ext 200, +442079460000"),
        (
            Call { forwarder: Some(extension("200")), direction: Direction::Forwarded, ..call() },
            "acme ldn by forwarder, ext 200, +442079460000",
        ),
        (
            Call { called: number(main), direction: Direction::Inbound, ..call() },
            "acme ldn by called_number, ext 200, +442079460000",
        ),
        // Shown to the called party, but the extension placed the call.
        (
            Call { extension: Some(digits("201")), calling: number(main), ..call() },
            "acme ldn by extension, ext 201, +442079460001",
        ),
    ]);
}

#[test]
fn a_forwarded_call_without_forwarder_has_no_payer() {
    check(&[(
        Call {
            direction: Direction::Forwarded,
            calling: number("+442079460001"),
            extension: Some(digits("201")),
            ..call()
        },
        "attribution.no_inside_party",
    )]);
}

#[test]
fn calls_nobody_is_charged_for_have_a_holder_too() {
    check(&[
        (
            Call {
                direction: Direction::Inbound,
                called: extension("201"),
                calling: number("+442071234567"),
                ..call()
            },
            "acme ldn by called_number, ext 201, +442079460001",
        ),
        (
            Call { direction: Direction::Inbound, called: number("+12125550100"), ..call() },
            "acme nyc by called_number, ext 201, +12125550100",
        ),
        (
            Call { direction: Direction::Internal, called: extension("400"), calling: extension("201"), ..call() },
            "acme ldn by extension, ext 201, +442079460001",
        ),
        (
            Call {
                direction: Direction::Internal,
                called: extension("201"),
                calling: number("+442079460010"),
                ..call()
            },
            "cedar ldn by calling_number, +442079460010",
        ),
        (Call { direction: Direction::Inbound, called: Party::Feature(b"s"), ..call() }, "attribution.no_inside_party"),
    ]);
}

#[test]
fn a_caller_recorded_by_a_name_is_found_by_an_account_code_only() {
    let named = Call { calling: Party::Name(b"client1"), ..call() };
    check(&[
        (named, "attribution.no_inside_party"),
        (Call { cdr: Written { account: b"4711", ..call().cdr }, ..named }, "birch ldn by account_code"),
    ]);
}

#[test]
fn the_answer_decides_who_held_a_number_that_moved() {
    let at = |at: &str| {
        let charging_at = Instant::parse_rfc3339(at).unwrap();
        Call { extension: Some(digits("201")), charging_at, ..call() }
    };
    check(&[
        (at("2026-07-15T13:59:59.999+01:00"), "acme ldn by extension, ext 201, +442079460001"),
        (at("2026-07-15T14:00:00.000+01:00"), "birch ldn by extension, ext 201, +442079460001"),
    ]);
}

#[test]
fn two_readings_of_a_local_time_are_compared() {
    let directory = directory();
    let reading = |other: &str| {
        let call = Call {
            extension: Some(digits("201")),
            other_reading: Some(Instant::parse_rfc3339(other).unwrap()),
            ..call()
        };
        attribute(&call, &directory).readings_agree
    };
    // Extension 201 moves from Acme to Birch on 15 July at 14:00.
    assert!(reading("2026-07-10T13:00:00+01:00"));
    assert!(!reading("2026-07-15T14:00:00+01:00"));
}

#[test]
fn codes_and_names_are_stable_and_differ() {
    assert_eq!(
        AttributionReason::ALL.map(AttributionReason::code),
        [
            "attribution.number_not_allocated",
            "attribution.number_unknown",
            "attribution.extension_unknown",
            "attribution.account_code_unknown",
            "attribution.main_number_originated",
            "attribution.no_inside_party",
        ]
    );
    assert_eq!(
        AttributedBy::ALL.map(AttributedBy::name),
        ["forwarder", "account_code", "extension", "calling_number", "called_number"]
    );
}

#[test]
fn a_call_made_for_a_test_keeps_its_holder() {
    let holder = Holder::for_test(PayerId(1), SiteId(0), Some(digits("201")), None);
    let call = call();
    let attributed = AttributedCall::for_test(&call, Ok(holder));
    assert_eq!(words(&directory(), &attributed), "acme ldn by extension, ext 201");
}
