use super::super::testing::read;
use crate::number::{Digits, NumberClass};

fn digits(text: &str) -> Digits {
    Digits::parse(text.as_bytes()).unwrap()
}

/// Codes and lines of what is worth a look in a tariff in pence with this deck, and what is said of it.
fn looked(settings: &str, deck: &str) -> Vec<(String, String)> {
    let ranges = [
        ("441", NumberClass::Geographic),
        ("442", NumberClass::Geographic),
        ("447", NumberClass::Mobile),
        ("4470", NumberClass::Personal),
        ("449", NumberClass::Premium),
        ("1900", NumberClass::Premium),
        ("881", NumberClass::Satellite),
    ]
    .map(|(prefix, class)| (digits(prefix), class));
    let head = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"d.csv\"]\n";
    let prices = if settings.contains("prices") { "" } else { "prices = \"p/min\"\n" };
    let (book, wrong) = read(&[("r.toml", &format!("{head}{prices}{settings}")), ("d.csv", deck)]);
    assert!(!wrong.has_errors(), "{:?}", wrong.iter().map(ToString::to_string).collect::<Vec<_>>());
    let source = crate::finding::SourceText::new("d.csv", deck);
    let text = format!("{head}{prices}{settings}");
    let found = book.lint(&ranges, &mut |name| match name {
        "d.csv" => Some(std::sync::Arc::clone(&source)),
        _ => Some(crate::finding::SourceText::new(name, text.as_str())),
    });
    assert!(!found.has_errors() && found.iter().all(|finding| finding.help.is_some()));
    let line = |place: String| place.split(':').nth(1).unwrap_or("?").to_owned();
    found.iter().map(|found| (format!("{}:{}", found.code, line(found.place())), found.message.clone())).collect()
}

#[track_caller]
fn check(settings: &str, deck: &str, expected: &[&str]) {
    let codes: Vec<String> = looked(settings, deck).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, expected, "{deck}");
}

/// Ten rows for the digits that follow a prefix, but for those in `without`.
fn ten(prefix: &str, without: &str, rest: &str) -> String {
    ('0'..='9').filter(|d| !without.contains(*d)).map(|d| format!("{prefix}{d},A,2{rest}\n")).collect()
}

#[test]
fn a_prefix_is_shadowed_if_longer_ones_leave_no_number_of_it() {
    let head = "prefix,destination,price\n";
    check("", &format!("{head}33,A,2\n{}", ten("33", "", "")), &["lint.row_shadowed:2"]);
    check("", &format!("{head}33,A,2\n{}", ten("33", "7", "")), &[]);
    // 337 is covered by its own ten, though it has no row.
    check("", &format!("{head}33,A,2\n{}{}", ten("33", "7", ""), ten("337", "", "")), &["lint.row_shadowed:2"]);
    // Both 33 and 337 are left nothing.
    check(
        "",
        &format!("{head}33,A,2\n{}{}", ten("33", "", ""), ten("337", "", "")),
        &["lint.row_shadowed:2", "lint.row_shadowed:10"],
    );
    // A blocked row decides as well as a price.
    let blocked = format!("prefix,destination,price,status\n33,A,2,\n{}337,A,,blocked\n", ten("33", "7", ","));
    check("", &blocked, &["lint.row_shadowed:2"]);
    // 4479 to 4471 have rows, and 4470 is personal, which 447 may not price; unless it is meant to.
    let guarded = format!("{head}447,A,2\n{}", ten("447", "0", ""));
    check("", &guarded, &["lint.row_shadowed:2"]);
    check("fallback = [\"personal\"]\n", &guarded, &[]);
    let meant = format!("prefix,destination,price,class\n447,A,2,personal\n{}", ten("447", "0", ","));
    check("", &meant, &[]);
}

#[test]
fn rows_that_follow_each_other_shadow_like_one_and_rows_with_a_gap_do_not() {
    let deck = |until: &str, from: &str| {
        format!(
            "prefix,destination,price,from,until\n33,A,2,,\n{}337,A,2,,{until}\n337,A,2,{from},\n",
            ten("33", "7", ",,")
        )
    };
    check("", &deck("2026-07-01", "2026-07-01"), &["lint.row_shadowed:2"]);
    check("", &deck("2026-07-01", "2026-07-02"), &[]);
    // What lies outside the version is no gap.
    check(
        "until = \"2026-07-01\"\n",
        &deck("2026-07-01", "2026-08-01"),
        &["lint.row_out_of_force:13", "lint.row_shadowed:2"],
    );
}

#[test]
fn a_row_is_out_of_force_if_its_dates_never_meet_those_of_the_version() {
    let deck = "prefix,destination,price,from,until\n33,A,2,,2026-01-01\n33,A,2,2026-01-01,2026-12-31\n\
                33,A,2,2026-12-31,\n34,B,2,2025-12-31,2026-01-02\n";
    check("until = \"2026-12-31\"\n", deck, &["lint.row_out_of_force:2", "lint.row_out_of_force:4"]);
    check("", deck, &["lint.row_out_of_force:2"]);
}

#[test]
fn a_premium_range_without_a_row_is_named_if_a_shorter_prefix_matches() {
    let head = "prefix,destination,price,class,status\n";
    for (rows, said) in [
        ("44,A,2,,\n1,B,2,,\n", "+1900, +449"),
        ("44,A,2,,\n449,P,,,blocked\n", ""),
        ("44,A,2,,\n4490,P,150,,\n", ""),
        ("44,A,2,premium,\n", ""),
        ("44,A,2,geographic,\n", "+449"),
        // Nothing matches: no row was meant to.
        ("441,A,2,,\n", ""),
        // Not offered at all.
        ("44,A,,,blocked\n", ""),
        ("88,A,2,,\n", "+881"),
    ] {
        let found = looked("", &format!("{head}{rows}"));
        let texts: Vec<&str> = found.iter().filter_map(|(_, message)| message.split(": ").nth(1)).collect();
        assert_eq!(texts.join("; "), said, "{rows}");
    }
    check("fallback = [\"premium\"]\n", &format!("{head}44,A,2,,\n"), &[]);
}

#[test]
fn a_price_is_out_of_line_at_ten_times_that_of_its_neighbours() {
    let head = "prefix,destination,price\n";
    for (rows, lines) in [
        // The same destination, three rows or more: against the one in the middle.
        ("331,A,2\n332,A,20\n333,A,2\n", &["3"][..]),
        ("331,A,2\n332,A,19.9\n333,A,2\n", &[]),
        ("331,A,2\n332,A,0.2\n333,A,2\n", &["3"]),
        ("331,A,2\n332,A,2000\n", &[]),
        // Free is free.
        ("331,A,2\n332,A,0\n333,A,2\n", &[]),
        // A price for another time is compared by the minute.
        ("331,A,2\n332,A,0.0334p/s\n333,A,2\n", &[]),
        // Two rows of one destination that are wrong in the same way are one finding.
        ("331,A,2\n332,A,20\n333,A,2\n334,A,20\n335,A,2\n", &["3"]),
        // Different destinations: prefixes of one class that differ in the last digit.
        ("4471,A,2\n4472,B,20\n4473,C,2\n", &["3"]),
        ("4471,A,2\n4472,B,20\n4473,C,4.1\n", &[]),
        // Fixed lines and mobiles are no neighbours, nor are countries.
        ("441,A,1\n442,B,1\n447,C,10\n", &[]),
        ("331,A,1\n332,B,1\n336,C,10\n", &[]),
        ("1242,A,20\n1246,B,2\n1248,C,2\n", &[]),
    ] {
        let expected: Vec<String> = lines.iter().map(|line| format!("lint.price_out_of_line:{line}")).collect();
        check("", &format!("{head}{rows}"), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let found = looked("", &format!("{head}331,A,2\n332,A,20\n333,A,2\n334,A,20\n335,A,2\n"));
    assert_eq!(
        found[0].1,
        "A: this row costs 0.2 GBP/min, where most of the 5 rows for it cost 0.02 GBP/min, and so does one more row"
    );
}

#[test]
fn a_deck_is_out_of_scale_if_half_its_rows_cost_more_than_a_pound_a_minute_or_next_to_nothing() {
    let head = "prefix,destination,price\n";
    let rows = "33,A,2.5\n34,B,3\n35,C,1.2\n";
    check("", &format!("{head}{rows}"), &[]);
    check("prices = \"GBP/min\"\n", &format!("{head}{rows}"), &["lint.price_scale:2"]);
    check("", &format!("{head}33,A,0.025\n34,B,0.03\n35,C,0.012\n"), &["lint.price_scale:2"]);
    // Two rows are no scale, and premium numbers are dear.
    check("prices = \"GBP/min\"\n", &format!("{head}33,A,2.5\n34,B,3\n"), &[]);
    check(
        "prices = \"GBP/min\"\n",
        "prefix,destination,price,class\n33,A,2.5,premium\n34,B,3,premium\n35,B,3,premium\n",
        &[],
    );
}

#[test]
fn what_is_said_often_is_counted() {
    let row = |n: u32| format!("{n},A{n},2,,2026-01-01\n");
    let deck: String =
        std::iter::once("prefix,destination,price,from,until\n".to_owned()).chain((100..110).map(row)).collect();
    let found = looked("", &deck);
    assert_eq!(found.len(), 4);
    assert_eq!(
        found[3],
        ("lint.row_out_of_force:5".to_owned(), "and 7 more of these, the first of them here".to_owned())
    );
    // A row that lists its prefixes is one line.
    check("", "prefix,destination,price,from,until\n100-105,A,2,,2026-01-01\n", &["lint.row_out_of_force:2"]);
}

#[test]
fn what_is_defined_and_never_named_is_listed() {
    let charges = "[charges.access]\nprice = \"1p/min\"\n[charges.spare]\nprice = \"2p/min\"\n";
    let deck = |cell: &str| format!("prefix,destination,charges\n44,A,{cell}\n");
    check(
        "",
        "prefix,destination,price\n44,A,2\n44,A,3\n".replace("44,A,3\n", "").as_str(),
        &["lint.class_without_row:2"],
    );
    let quiet = |settings: &str| format!("fallback = [\"premium\"]\n{settings}");
    check(&quiet(charges), &deck("access"), &["lint.never_used:9"]);
    check(&quiet(charges), &deck("access + spare"), &[]);
    let origins = "[origins]\neea = [\"33\"]\nrest = [\"1\"]\n";
    check(&quiet(origins), "prefix,destination,price,origin\n44,A,2,eea\n44,A,3,\n", &["lint.never_used:9"]);
    check(&quiet(origins), "prefix,destination,price,origin\n44,A,2,eea;rest\n44,A,3,\n", &[]);
    let sets = "[band_sets.long]\nnight = [\"mon-sun\"]\n";
    check(&quiet(sets), "prefix,destination,price\n44,A,2\n", &["lint.never_used:7"]);
    let of_charge = format!("{sets}[charges.access]\nprice = \"1p/min\"\nbands = \"long\"\n");
    check(&quiet(&of_charge), &deck("access"), &[]);
}
