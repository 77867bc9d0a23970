//! Who held what, case by case.

use super::super::Files;
use super::{digits, files, instant, number, read, read_known, words};
use crate::finding::SourceText;
use crate::ids::{PayerId, SiteId};
use crate::time::{Interval, Month};

const LONDON: SiteId = SiteId(0);
const NEW_YORK: SiteId = SiteId(1);

/// Reads allocations that must have no findings and asks for numbers (`+44…`) and extensions (`ldn/201`) at instants.
fn check(allocations: &str, cases: &[(&str, &str, &str)]) {
    let directory = read(&files(allocations));
    for (what, at, expected) in cases {
        let at = instant(at);
        let lookup = match what.split_once('/') {
            Some((site, extension)) => directory.extension_at(directory.site_id(site).unwrap(), digits(extension), at),
            None => directory.number_at(number(what), at),
        };
        assert_eq!(words(&directory, lookup), *expected, "{what} at {at:?}");
    }
}

#[test]
fn payers_are_the_operator_and_then_occupiers_by_id() {
    let occupiers = "id,name,billing_reference\nzebra,Zebra,Z-1\nBee,Bee,\nacme,Acme,A-1\n";
    let directory = read(&Files { occupiers: vec![SourceText::new("occupiers.csv", occupiers)], ..Files::default() });
    let payers: Vec<_> =
        directory.payers().iter().map(|payer| (payer.id.as_str(), payer.billing_reference.as_deref())).collect();
    // By bytes: capitals before small letters.
    assert_eq!(payers, [("harbour", Some("HW-0")), ("Bee", None), ("acme", Some("A-1")), ("zebra", Some("Z-1"))]);
    for (index, (id, _)) in (0..).zip(&payers) {
        assert_eq!(directory.payer_id(id), Some(PayerId(index)));
    }
    assert_eq!(directory.payer_id("acm"), None);
    assert_eq!((directory.site_id("ldn"), directory.site_id("nyc")), (Some(LONDON), Some(NEW_YORK)));
}

#[test]
fn a_number_that_moves_at_two_is_the_old_holders_until_the_last_millisecond() {
    check(
        "a1,acme,ldn,+442079460001,,201,,2026-07-15T14:00:00+01:00,,\n\
         a2,birch,ldn,+442079460001,,301,2026-07-15T14:00:00+01:00,,,\n",
        &[
            ("+442079460001", "2026-07-15T13:59:59.999+01:00", "acme ldn +442079460001 ext 201"),
            ("+442079460001", "2026-07-15T14:00:00.000+01:00", "birch ldn +442079460001 ext 301"),
            ("ldn/201", "2026-07-15T13:59:59.999+01:00", "acme ldn +442079460001 ext 201"),
            ("ldn/201", "2026-07-15T14:00:00.000+01:00", "free ldn"),
            ("ldn/301", "2026-07-15T13:59:59.999+01:00", "free ldn"),
            ("ldn/301", "2026-07-15T14:00:00.000+01:00", "birch ldn +442079460001 ext 301"),
            ("ldn/401", "2026-07-15T14:00:00.000+01:00", "unknown"),
            ("nyc/201", "2026-07-15T13:00:00.000+01:00", "unknown"),
        ],
    );
}

#[test]
fn a_day_begins_at_local_midnight_of_the_site() {
    check(
        "a1,acme,ldn,+442079460001,,,2026-07-01,2026-08-01,,\n\
         a2,acme,nyc,+12125550100,,,2026-07-01,2026-08-01,,\n",
        &[
            // London is an hour ahead of UTC in July, New York four hours behind.
            ("+442079460001", "2026-06-30T22:59:59.999Z", "free ldn"),
            ("+442079460001", "2026-06-30T23:00:00Z", "acme ldn +442079460001"),
            ("+442079460001", "2026-07-31T22:59:59.999Z", "acme ldn +442079460001"),
            ("+442079460001", "2026-07-31T23:00:00Z", "free ldn"),
            ("+12125550100", "2026-07-01T03:59:59.999Z", "free nyc"),
            ("+12125550100", "2026-07-01T04:00:00Z", "acme nyc +12125550100"),
        ],
    );
}

#[test]
fn extensions_of_a_range_count_up_in_step() {
    check(
        "a1,acme,ldn,+442079460001,+442079460020,0195,,,,\n",
        &[
            ("+442079460001", "2026-07-01T00:00:00Z", "acme ldn +442079460001 ext 0195"),
            ("+442079460020", "2026-07-01T00:00:00Z", "acme ldn +442079460020 ext 0214"),
            ("ldn/0200", "2026-07-01T00:00:00Z", "acme ldn +442079460006 ext 0200"),
            ("ldn/0194", "2026-07-01T00:00:00Z", "unknown"),
            ("ldn/0215", "2026-07-01T00:00:00Z", "unknown"),
            // Leading zeros are part of an extension.
            ("ldn/200", "2026-07-01T00:00:00Z", "unknown"),
            ("+442079460021", "2026-07-01T00:00:00Z", "free ldn"),
            ("+442079460100", "2026-07-01T00:00:00Z", "unknown"),
            ("+44207946002", "2026-07-01T00:00:00Z", "unknown"),
        ],
    );
}

#[test]
fn an_allocation_may_span_rows_of_numbers_and_keeps_its_step() {
    // The numbers table lists …00 (main) and …01 to …99 apart.
    check(
        "a1,acme,ldn,+442079460000,+442079460009,200,,,,\n",
        &[
            ("+442079460000", "2026-07-01T00:00:00Z", "acme ldn +442079460000 ext 200 main"),
            ("+442079460001", "2026-07-01T00:00:00Z", "acme ldn +442079460001 ext 201"),
            ("ldn/200", "2026-07-01T00:00:00Z", "acme ldn +442079460000 ext 200 main"),
            ("ldn/209", "2026-07-01T00:00:00Z", "acme ldn +442079460009 ext 209"),
        ],
    );
}

#[test]
fn a_single_number_may_leave_a_range_for_a_while() {
    check(
        "a1,acme,ldn,+442079460001,+442079460004,,,,,\n\
         a2,acme,ldn,+442079460006,+442079460009,,,,,\n\
         a3,acme,ldn,+442079460005,,,,2026-07-01,,\n\
         a4,birch,ldn,+442079460005,,,2026-07-01,2026-08-01,,\n\
         a5,acme,ldn,+442079460005,,,2026-08-01,,,\n",
        &[
            ("+442079460005", "2026-06-30T12:00:00Z", "acme ldn +442079460005"),
            ("+442079460005", "2026-07-15T12:00:00Z", "birch ldn +442079460005"),
            ("+442079460005", "2026-08-01T12:00:00Z", "acme ldn +442079460005"),
            ("+442079460004", "2026-07-15T12:00:00Z", "acme ldn +442079460004"),
            ("+442079460006", "2026-07-15T12:00:00Z", "acme ldn +442079460006"),
        ],
    );
}

#[test]
fn several_numbers_of_one_holder_may_ring_one_telephone_and_the_lowest_direct_one_answers() {
    check(
        "a1,acme,ldn,+442079460000,,201,,,,\n\
         a2,acme,ldn,+442079460009,,201,,,,\n\
         a3,acme,ldn,+442079460005,,201,2026-07-01,2026-08-01,,\n\
         a4,acme,ldn,,,250,,,,\n\
         a5,birch,ldn,+442079460900,,900,,,,\n",
        &[
            ("ldn/201", "2026-06-15T12:00:00Z", "acme ldn +442079460009 ext 201"),
            ("ldn/201", "2026-07-15T12:00:00Z", "acme ldn +442079460005 ext 201"),
            ("ldn/250", "2026-07-15T12:00:00Z", "acme ldn ext 250"),
            ("ldn/900", "2026-07-15T12:00:00Z", "birch ldn +442079460900 ext 900 main"),
        ],
    );
}

const CORRECTED: &str = "\
    a1,acme,ldn,+442079460001,,,2026-01-01,,2026-01-01,\n\
    a2,acme,ldn,+442079460001,,,2026-01-01,2026-07-01,2026-07-20,a1\n\
    a3,birch,ldn,+442079460001,,,2026-07-01,,2026-07-20,a1\n\
    a4,,ldn,,,,,,2026-07-25,a3\n";

#[test]
fn what_was_known_then_is_kept_beside_what_is_known_now() {
    // Believed in turn: acme for ever; from 20 July on that it moved to birch on 1 July; from 25 July on that birch
    // never had it.
    for (known_at, in_june, in_august) in [
        (Some("2025-12-31T23:59:59.999Z"), "free ldn", "free ldn"),
        (Some("2026-01-01T00:00:00Z"), "acme ldn +442079460001", "acme ldn +442079460001"),
        // 20 July begins in London at 23:00Z.
        (Some("2026-07-19T22:59:59.999Z"), "acme ldn +442079460001", "acme ldn +442079460001"),
        (Some("2026-07-19T23:00:00Z"), "acme ldn +442079460001", "birch ldn +442079460001"),
        (Some("2026-07-24T23:00:00Z"), "acme ldn +442079460001", "free ldn"),
        (None, "acme ldn +442079460001", "free ldn"),
    ] {
        let (directory, found) = read_known(&files(CORRECTED), known_at);
        assert_eq!(found, [""; 0]);
        let at = |at| words(&directory, directory.number_at(number("+442079460001"), instant(at)));
        assert_eq!(at("2026-06-15T12:00:00Z"), in_june, "known at {known_at:?}");
        assert_eq!(at("2026-08-15T12:00:00Z"), in_august, "known at {known_at:?}");
    }
}

#[test]
fn history_shows_both_times_whatever_is_known() {
    let (directory, _) = read_known(&files(CORRECTED), Some("2026-01-01T00:00:00Z"));
    let shown: Vec<String> = directory
        .allocations_of(number("+442079460001"))
        .into_iter()
        .map(|row| format!("{} {} valid {:?} known {:?}", row.id, row.payer.0, row.valid, row.known))
        .collect();
    assert_eq!(
        shown,
        [
            "a1 1 valid Interval { from: 2026-01-01T00:00:00Z, until: +∞ } \
             known Interval { from: 2026-01-01T00:00:00Z, until: 2026-07-19T23:00:00Z }",
            "a2 1 valid Interval { from: 2026-01-01T00:00:00Z, until: 2026-06-30T23:00:00Z } \
             known Interval { from: 2026-07-19T23:00:00Z, until: +∞ }",
            "a3 2 valid Interval { from: 2026-06-30T23:00:00Z, until: +∞ } \
             known Interval { from: 2026-07-19T23:00:00Z, until: 2026-07-24T23:00:00Z }",
        ]
    );
    assert!(directory.allocations_of(number("+442079460002")).is_empty());
}

#[test]
fn a_mistake_that_was_corrected_is_no_mistake_any_more() {
    // a2 overlapped a1 and named a number that does not exist; a3 and a4 put both right.
    let rows = "a1,acme,ldn,+442079460001,,,,,,\n\
                a2,birch,ldn,+442079460001,,,,,2026-07-01,\n\
                a3,birch,ldn,+442079460002,,,,,2026-07-02,a2\n";
    assert_eq!(read_known(&files(rows), None).1, [""; 0]);
    let (_, found) = read_known(&files(rows), Some("2026-07-01T12:00:00Z"));
    assert_eq!(
        found,
        ["allocations.csv:3:1: error[directory.number_held_twice]: +442079460001 is held by `acme` and `birch` at \
          once, always"]
    );
}

/// The lines of allocations.csv (the first row is line 2) and codes that rows are refused with.
fn check_refused(allocations: &str, expected: &[(usize, &str)]) {
    let (_, found) = read_known(&files(allocations), None);
    let found: Vec<String> =
        found.iter().map(|line| line.split("]:").next().unwrap().replace(":1: error[", " ")).collect();
    let expected: Vec<String> = expected.iter().map(|(line, code)| format!("allocations.csv:{line} {code}")).collect();
    assert_eq!(found, expected, "{allocations}");
}

#[test]
fn every_row_in_conflict_is_shown_whatever_shadow_it_lies_in() {
    let extension = "directory.extension_held_twice";
    // Birch's two rows both lie inside Acme's.
    check_refused(
        "a1,acme,ldn,,,201,,,,\na2,acme,ldn,+442079460003,,201,,,,\n\
         b1,birch,ldn,,,201,2026-01-01,2026-12-01,,\nb2,birch,ldn,,,201,2026-02-01,2026-03-01,,\n",
        &[(4, extension), (5, extension)],
    );
    // Acme's second row conflicts with Birch's alone, which lies in the shadow of Acme's first.
    check_refused(
        "a1,acme,ldn,,,201,2026-01-01,2026-12-01,,\nb1,birch,ldn,,,201,2026-02-01,2026-11-01,,\n\
         a2,acme,ldn,,,201,2026-03-01,2026-04-01,,\n",
        &[(3, extension), (4, extension)],
    );
    // Birch's second row conflicts with Acme's alone, which Birch's first outlasts.
    check_refused(
        "a1,acme,ldn,,,201,2026-01-01,2026-11-01,,\nb1,birch,ldn,,,201,2026-02-01,2026-12-01,,\n\
         b2,birch,ldn,,,201,2026-03-01,2026-04-01,,\n",
        &[(3, extension), (4, extension)],
    );
}

#[test]
fn one_main_number_held_twice_is_not_two_main_numbers() {
    check_refused(
        "a1,acme,ldn,+442079460000,,,,,,\na2,acme,ldn,+442079460000,,,2026-07-01,,,\n",
        &[(3, "directory.number_held_twice")],
    );
    // Both short rows lie inside the long one; they do not overlap each other.
    let (_, found) = read_known(
        &files(
            "a1,acme,ldn,+442079460000,,,,,,\na2,acme,ldn,+442079460900,,,2026-01-01,2026-02-01,,\n\
             a3,acme,ldn,+442079460900,,,2026-03-01,2026-04-01,,\n",
        ),
        None,
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|line| line.contains("[directory.main_number_twice]")), "{found:?}");
}

#[test]
fn account_codes_are_dated_and_may_belong_to_one_site() {
    let mut files = files("");
    files.account_codes = vec![SourceText::new(
        "account_codes.csv",
        "code,holder,site,from,until\n0471,acme,ldn,,2026-07-01\n0471,birch,ldn,2026-07-01,\nX9,cedar,ldn,,\n",
    )];
    let directory = read(&files);
    assert!(directory.has_account_codes());
    assert!(directory.uses_account_codes(LONDON) && !directory.uses_account_codes(NEW_YORK));
    for (site, code, at, expected) in [
        (LONDON, "0471", "2026-06-30T22:59:59.999Z", "acme ldn"),
        (LONDON, "0471", "2026-06-30T23:00:00Z", "birch ldn"),
        (LONDON, "471", "2026-06-30T23:00:00Z", "unknown"),
        (LONDON, "x9", "2026-06-30T23:00:00Z", "unknown"),
        (NEW_YORK, "X9", "2026-06-30T23:00:00Z", "unknown"),
    ] {
        let lookup = directory.account_code_at(site, code.as_bytes(), instant(at));
        assert_eq!(words(&directory, lookup), expected, "{code} at {at}");
    }
    // A code without a site counts everywhere.
    files.account_codes.push(SourceText::new("more.csv", "code,holder\n77,acme\n"));
    let directory = read(&files);
    assert!(directory.uses_account_codes(NEW_YORK));
    let lookup = directory.account_code_at(NEW_YORK, b"77", instant("2026-07-01T00:00:00Z"));
    assert_eq!(words(&directory, lookup), "acme nyc");
}

#[test]
fn a_voice_service_counts_in_every_month_it_touches() {
    let mut files = files("");
    let period = |month: &str| {
        let (from, until) = Month::parse(month).unwrap().bounds(&super::sites()[1].zone);
        Interval { from, until }
    };
    let acme = PayerId(1);
    assert_eq!(read(&files).has_voice_service(acme, LONDON, period("2026-07")), None, "no table: nothing tells");

    files.contracts =
        vec![SourceText::new("contracts.csv", "id,occupier,site,from,until\nc1,acme,ldn,2026-07-15,2026-12-01\n")];
    // The contract begins later than the service; no lines are no service.
    files.services = vec![SourceText::new(
        "services.csv",
        "id,contract,lines,from,until\ns1,c1,5,2026-06-01,2026-09-01\ns2,c1,0,2026-10-01,\n",
    )];
    let directory = read(&files);
    for (payer, site, month, expected) in [
        (acme, LONDON, "2026-06", false),
        (acme, LONDON, "2026-07", true),
        (acme, LONDON, "2026-08", true),
        (acme, LONDON, "2026-09", false),
        (acme, LONDON, "2026-10", false),
        (acme, NEW_YORK, "2026-08", false),
        (PayerId(2), LONDON, "2026-08", false),
    ] {
        assert_eq!(directory.has_voice_service(payer, site, period(month)), Some(expected), "{payer:?} {month}");
    }
}
