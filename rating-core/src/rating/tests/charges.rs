//! Every shape of a charge, each with its sum.

use proptest::prelude::*;

use super::{NOON, cost, cost_from, worked};
use crate::money::Charge;
use crate::tariff::testing::retail;

/// Charges of British calls on a tariff of these settings and a deck with the columns `prefix,destination` and more.
#[track_caller]
fn check(settings: &str, deck: &str, cases: &[(&str, &str)]) {
    check_at(settings, deck, &cases.iter().map(|(duration, charge)| (NOON, *duration, *charge)).collect::<Vec<_>>());
}

#[track_caller]
fn check_at(settings: &str, deck: &str, cases: &[(&str, &str, &str)]) {
    let book = retail(settings, deck);
    for (at, duration, charge) in cases {
        assert_eq!(cost(&book, "+442079460958", at, duration), *charge, "{duration} at {at} on {settings}{deck}");
    }
}

#[test]
fn a_price_may_be_for_any_length_of_time_and_stays_for_it() {
    // 7p for 90 s: 60 s are 7 × 60/90 = 4.6666…p, 135 s are 10.5p.
    check("", "prefix,destination,price\n44,UK,7p/90s\n", &[("60s", "0.0466666667"), ("135s", "0.105")]);
}

#[test]
fn a_price_for_the_call_does_not_depend_on_its_length() {
    check("", "prefix,destination,price\n44,UK,20p/call\n", &[("1s", "0.20"), ("3600s", "0.20")]);
    // Its connection charge is on top.
    check("", "prefix,destination,price,connection\n44,UK,20p/call,5\n", &[("1s", "0.25")]);
}

#[test]
fn pulses_cost_whole_units_whose_length_depends_on_the_band() {
    let bands = "increments = \"unit\"\nboundary = \"unit\"\n[bands]\nday = [\"mon-sun 08:00-18:00\"]\n\
                 night = [\"mon-sun 18:00-08:00\"]\n";
    let deck = "prefix,destination,price_day,price_night\n44,UK,10p/90s,10p/240s\n";
    check_at(
        bands,
        deck,
        &[
            (NOON, "1s", "0.10"),
            (NOON, "90s", "0.10"),
            (NOON, "90.001s", "0.20"),
            // 17:59:00: one unit of 90 s begins by day, which ends at 18:00:30; 100 s more are one unit by night.
            ("2026-07-01T16:59:00Z", "190s", "0.20"),
            // 241 s more are two.
            ("2026-07-01T16:59:00Z", "331s", "0.30"),
        ],
    );
}

#[test]
fn units_that_bands_cut_are_of_one_length_if_only_the_end_is_rounded() {
    let bands = "boundary = \"split\"\n[bands]\nday = [\"mon-sun 08:00-18:00\"]\nnight = [\"mon-sun 18:00-08:00\"]\n\
                 [band_sets.flat]\nall = [\"mon-sun\"]\n";
    let charge = "[charges.pulse]\nincrements = \"unit\"\n";
    let row = "prefix,destination,price,band_set,charges,increments\n44,UK,";
    for (settings, cells, sound) in [
        ("", "10p/90s,flat,,unit", true), // the bands of other sets do not come into it
        ("", "10p/90s,,,unit", true),
        ("price = { day = \"1p/90s\", night = \"2p/90s\" }", ",,pulse,", true),
        ("price = { day = \"1p/90s\", night = \"2p/60s\" }", ",,pulse,", false),
        ("bands = \"flat\"\nprice = \"1p/90s\"", ",,pulse,", true),
    ] {
        let head = "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\ndecks = [\"retail.csv\"]\n";
        let text = format!("{head}{bands}{charge}{}", if settings.is_empty() { "price = \"1p/s\"" } else { settings });
        let deck = format!("{row}{cells}\n");
        let (_, findings) = crate::tariff::testing::read(&[("retail.toml", &text), ("retail.csv", &deck)]);
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        let expected: &[&str] = if sound { &[] } else { &["tariff.unit_needs_overrun"] };
        assert_eq!(codes, expected, "{settings} {cells}");
    }
}

#[test]
fn increments_of_none_bill_to_the_millisecond() {
    // 6p a minute is 0.1p a second: 1.234 s are 0.1234p.
    check("increments = \"none\"\n", "prefix,destination,price\n44,UK,6\n", &[("1.234s", "0.001234")]);
}

#[test]
fn talk_time_is_rounded_before_increments() {
    let deck = "prefix,destination,price,increments\n44,UK,6,none\n";
    check("duration_rounding = \"down 1s\"\n", deck, &[("1.999s", "0.001"), ("0.9s", "0.00")]);
    check("duration_rounding = \"up 6s\"\n", deck, &[("6.001s", "0.012")]);
    check("duration_rounding = \"nearest 1s\"\n", deck, &[("1.499s", "0.001"), ("1.5s", "0.002")]);
}

#[test]
fn a_call_below_the_grace_is_free_altogether_and_at_it_is_charged_in_full() {
    let settings = "free_below = \"3s\"\nconnection_charge = \"2p\"\nminimum_charge = \"1p\"\n";
    // 6p a minute: 3 s are 0.3p + 2p.
    check(settings, "prefix,destination,price\n44,UK,6\n", &[("2.999s", "0.00"), ("3s", "0.023"), ("60s", "0.08")]);
}

#[test]
fn a_charge_without_grace_makes_the_call_chargeable() {
    // The tariff gives ten seconds; the charge gives none: 5 s × 6p a minute = 0.5p, at least 9p for the call.
    let settings = "free_below = \"10s\"\n[charges.own]\nprice = \"6p/min\"\nfree_below = \"0s\"\n[charges.as-the-tariff]\n\
                    price = \"60p/min\"\n";
    let deck = |charges: &str| format!("prefix,destination,charges,minimum\n44,UK,{charges},9\n");
    check(settings, &deck("own"), &[("5s", "0.09")]);
    check(settings, &deck("own + as-the-tariff"), &[("5s", "0.09"), ("10s", "0.11")]);
    check(settings, &deck("as-the-tariff"), &[("5s", "0.00")]);
}

#[test]
fn a_limit_of_any_charge_of_the_call_is_told() {
    let settings = "[charges.plain]\nprice = \"6p/min\"\n[charges.floored]\nprice = \"6p/min\"\nminimum_charge = \"9p\"\n\
                    [charges.topped]\nprice = \"6p/min\"\nmaximum_charge = \"5p\"\n[charges.capped]\nprice = \"6p/min\"\n\
                    cap = { charge = \"4p\" }\n";
    // 60 s: 6p, 9p, 5p, 4p.
    for (charges, charge, floored, topped) in [
        ("plain", "0.06", false, false),
        ("floored + plain", "0.15", true, false),
        ("plain + floored", "0.15", true, false),
        ("topped + plain", "0.11", false, true),
        ("plain + capped", "0.10", false, true),
        ("capped + plain + floored", "0.19", true, true),
    ] {
        let book = retail(settings, &format!("prefix,destination,charges\n44,UK,{charges}\n"));
        let working = worked(&book, "+442079460958", NOON, "60s");
        let told = (working.charge.to_string(), working.minimum_applied, working.maximum_applied);
        assert_eq!(told, (charge.to_owned(), floored, topped), "{charges}");
    }
}

/// Keeps what a sum shows.
#[derive(Default)]
struct Seen(Vec<String>);

impl crate::rating::Show for Seen {
    fn stretch(&mut self, stretch: &crate::rating::Stretch) {
        self.0.push(format!("{} of {}", stretch.billed, stretch.length));
    }

    fn entry(&mut self, entry: &crate::rating::Entry) {
        self.0.push(format!("{} at {}", entry.amount, entry.from));
    }

    fn charge(&mut self, charge: &crate::rating::ChargeWorking<'_>) {
        self.0.push(format!("{} {}", charge.name, charge.amount.post().unwrap()));
    }
}

#[test]
fn a_sum_shows_each_stretch_each_step_and_each_charge() {
    let shown = |settings: &str, deck: &str| {
        let book = retail(settings, deck);
        let talk = crate::rating::Talk::new(
            crate::tariff::testing::at(NOON),
            crate::tariff::testing::LONDON,
            crate::time::Duration::from_seconds(100),
        );
        let mut seen = Seen::default();
        crate::rating::price(&book.tariffs()[0].versions()[0], 0, &talk, &mut seen).unwrap();
        seen.0.join(", ")
    };
    // A plain row: two minutes at 3p and 2p to connect.
    let plain = "prefix,destination,price,connection,increments\n44,UK,3,2,60/60\n";
    assert_eq!(shown("", plain), "120s of 100s,  0.08");
    // A first minute for 5p, then 40 s at 3p a minute; the step that begins at 50 min is not reached.
    let steps = "[charges.all]\nsteps = [{ from = \"0s\", charge = \"5p\" }, { from = \"60s\", price = \"3p/min\" }, \
                 { from = \"50min\", charge = \"9p\" }]\n";
    let deck = "prefix,destination,charges\n44,UK,all\n";
    assert_eq!(shown(steps, deck), "60s of 60s, 40s of 40s, 0.05 at 0s, all 0.07");
}

#[test]
fn seconds_for_connecting_are_taken_off() {
    // 6p a minute is 0.1p a second: 10 s are 8 s; 2 s are nothing but the connection charge.
    let settings = "subtract = \"2s\"\nconnection_charge = \"1p\"\n";
    check(settings, "prefix,destination,price\n44,UK,6\n", &[("10s", "0.018"), ("2s", "0.01"), ("1s", "0.01")]);
}

#[test]
fn a_minimum_duration_is_billed_at_least() {
    // 6p a minute: at least 30 s, then seconds.
    check(
        "minimum_duration = \"30s\"\n",
        "prefix,destination,price\n44,UK,6\n",
        &[("5s", "0.03"), ("30s", "0.03"), ("31s", "0.031")],
    );
}

#[test]
fn the_minimum_is_before_or_after_the_connection_charge_or_after_rounding() {
    let deck = "prefix,destination,price,connection,minimum\n44,UK,6,2,3\n";
    // 10 s are 1p. Before: 3p + 2p. After: 1p + 2p = 3p.
    check("minimum_stage = \"before-connection\"\n", deck, &[("10s", "0.05"), ("60s", "0.08")]);
    check("minimum_stage = \"after-connection\"\n", deck, &[("10s", "0.03"), ("5s", "0.03")]);
    // 25 s are 2.5p + 2p = 4.5p, up to 10p, at least 15p.
    let settings =
        "minimum_stage = \"after-rounding\"\nrounding = { stage = \"call\", rule = \"up\", step = \"10p\" }\n";
    check(
        settings,
        "prefix,destination,price,connection,minimum\n44,UK,6,2,15\n",
        &[("25s", "0.15"), ("190s", "0.30")],
    );
}

#[test]
fn a_call_costs_no_more_than_its_maximum() {
    let deck = "prefix,destination,price,connection,maximum\n44,UK,60,10,100\n";
    // 60p a minute and 10p: 80 s are 90p, 90 s 100p, 10 min 100p.
    check("", deck, &[("80s", "0.90"), ("90s", "1.00"), ("600s", "1.00")]);
}

#[test]
fn a_cap_holds_for_its_window_and_what_follows_is_named() {
    let deck = "prefix,destination,price,connection\n44,UK,10,8\n";
    let cap = |then: &str| format!("cap = {{ charge = \"25p\", window = \"60min\"{then} }}\n");
    // 10p a minute, 8p to connect, which the cap leaves alone. 2 min: 20p + 8p. 3 min and 60 min: 25p + 8p.
    let inside = [("120s", "0.28"), ("180s", "0.33"), ("3600s", "0.33")];
    // 61 min: the price goes on (25p + 10p), or nothing more is due, or the cap is lost (610p), or 1p a minute.
    for (then, beyond) in [
        ("", "0.43"),
        (", then = \"price\"", "0.43"),
        (", then = \"free\"", "0.33"),
        (", then = \"whole\"", "6.18"),
        (", then = \"1p/min\"", "0.34"),
    ] {
        let mut cases = inside.to_vec();
        cases.push(("3660s", beyond));
        check(&cap(then), deck, &cases);
    }
    // Without a window, for the whole call.
    check("cap = { charge = \"25p\" }\n", deck, &[("120s", "0.28"), ("36000s", "0.33")]);
}

#[test]
fn a_band_that_goes_on_after_midnight_has_no_edge_there() {
    // 23:59:30 to 00:00:20, the evening on both sides: 50 s are one minute of 3p, not two.
    let settings = "increments = \"60/60\"\nboundary = \"split\"\noverrun = \"alone\"\n[bands]\n\
                    day = [\"mon-sun 08:00-18:00\"]\nnight = [\"mon-sun 18:00-08:00\"]\n";
    let deck = "prefix,destination,price_day,price_night\n44,UK,6,3\n";
    check_at(settings, deck, &[("2026-07-01T22:59:30Z", "50s", "0.03")]);
    // 07:59:30 to 08:00:20 is one minute of each.
    check_at(settings, deck, &[("2026-07-01T06:59:30Z", "50s", "0.09")]);
}

#[test]
fn steps_follow_the_call() {
    // 75 minutes at 0p, then 9p a minute: redial resets.
    let free_hour = "[charges.saver]\nsteps = [\n{ from = \"0s\", price = \"0p/min\" },\n\
                     { from = \"75min\", price = \"9p/min\" },\n]\n";
    let deck = "prefix,destination,charges\n44,UK,saver\n";
    check(free_hour, deck, &[("4500s", "0.00"), ("4501s", "0.0015"), ("4560s", "0.09")]);
    // A first block of three minutes for 11p, then 2p for each started minute.
    let block = "[charges.block]\nsteps = [\n{ from = \"0s\", charge = \"11p\" },\n\
                 { from = \"3min\", price = \"2p/min\", increments = \"60\" },\n]\n";
    let deck = "prefix,destination,charges\n44,UK,block\n";
    check(block, deck, &[("1s", "0.11"), ("180s", "0.11"), ("181s", "0.13"), ("240s", "0.13"), ("240.001s", "0.15")]);
}

#[test]
fn who_gets_the_overrun_at_the_edge_of_a_step_is_named() {
    // 60/60; the first 90 s at 6p a minute, then at 2p a minute. 100 s:
    let steps = "increments = \"60/60\"\n[charges.two]\nsteps = [\n{ from = \"0s\", price = \"6p/min\" },\n\
                 { from = \"90s\", price = \"2p/min\" },\n]\n";
    let deck = "prefix,destination,charges\n44,UK,two\n";
    // end: the last instant is in the second step: 90 + ⌈10/60⌉ × 60 = 150 s; 9p + 2p = 11p.
    check(&format!("overrun = \"end\"\n{steps}"), deck, &[("100s", "0.11")]);
    // next: 90 s round up to 120 s, which is past the end: 12p.
    check(&format!("overrun = \"next\"\n{steps}"), deck, &[("100s", "0.12"), ("130s", "0.14")]);
    // alone: 120 s and 60 s: 12p + 2p.
    check(&format!("overrun = \"alone\"\n{steps}"), deck, &[("100s", "0.14"), ("90s", "0.12")]);
}

#[test]
fn a_call_over_the_edge_of_a_band_is_priced_as_the_tariff_says() {
    let bands = "[bands]\nday = [\"mon-sun 08:00-18:00\"]\nnight = [\"mon-sun 18:00-08:00\"]\n";
    let deck = "prefix,destination,price_day,price_night,increments\n44,UK,6,3,60/60\n";
    let at = "2026-07-01T16:59:30Z"; // 17:59:30 in London: 30 s by day
    for (settings, charge) in [
        ("", "0.12"),                                            // 90 s bill 2 min by day: 12p
        ("boundary = \"split\"\n", "0.075"),                     // 120 s: 30 s by day 3p, 90 s by night 4.5p
        ("boundary = \"split\"\noverrun = \"next\"\n", "0.09"),  // 60 s by day 6p (30 s of it eaten), 60 s by night 3p
        ("boundary = \"unit\"\n", "0.09"),                       // the same
        ("boundary = \"split\"\noverrun = \"alone\"\n", "0.09"), // 60 s by day 6p, 60 s by night 3p
    ] {
        check_at(&format!("{settings}{bands}"), deck, &[(at, "90s", charge)]);
    }
    // 100 s: next: 60 s by day, 40 s rounded to 60 by night: 9p. alone: 60 s, and 70 s rounded to 120: 6p + 6p.
    check_at(&format!("boundary = \"unit\"\n{bands}"), deck, &[(at, "100s", "0.09")]);
    check_at(&format!("boundary = \"split\"\noverrun = \"alone\"\n{bands}"), deck, &[(at, "100s", "0.12")]);
}

#[test]
fn a_split_call_is_priced_through_a_clock_change_by_elapsed_time() {
    // 25 October 2026, London: 01:00–02:00 comes twice. From 00:30 to the second 02:30 three hours pass; the band from
    // 00:00 to 02:00 lasts until 02:00 GMT, two and a half hours after the start: 150 × 6p + 30 × 3p = 990p.
    let bands = "boundary = \"split\"\n[bands]\nsmall = [\"mon-sun 00:00-02:00\"]\nrest = [\"mon-sun 02:00-24:00\"]\n";
    let deck = "prefix,destination,price_small,price_rest\n44,UK,6,3\n";
    check_at(bands, deck, &[("2026-10-24T23:30:00Z", "10800s", "9.90")]);
}

#[test]
fn a_share_of_the_price_holds_in_a_band_without_a_price_of_its_own() {
    let settings = "band_percent = { night = \"40%\" }\n[bands]\nday = [\"mon-sun 08:00-18:00\"]\n\
                    night = [\"mon-sun 18:00-08:00\"]\n";
    let night = "2026-07-01T22:00:00Z";
    check_at(settings, "prefix,destination,price\n44,UK,6\n", &[(NOON, "60s", "0.06"), (night, "60s", "0.024")]);
    let own = "prefix,destination,price,price_night\n44,UK,6,5\n";
    check_at(settings, own, &[(night, "60s", "0.05")]);
}

#[test]
fn a_row_adds_up_its_charges_each_rounded_on_its_own() {
    let settings = "rounding = [{ stage = \"component\", rule = \"up\", step = \"1p\" }]\n[charges.access]\n\
                    tag = \"access\"\nprice = \"10.24p/min\"\n[charges.service]\ntag = \"service\"\nprice = \"5p/min\"\n";
    // 70 s: access 11.9466…p → 12p, service 5.8333…p → 6p.
    check(settings, "prefix,destination,charges\n44,UK,access + service\n", &[("70s", "0.18")]);
    // With usage of its own, 1p a minute: 1.1666…p → 2p.
    check(settings, "prefix,destination,price,charges\n44,UK,1,access + service\n", &[("70s", "0.20")]);
}

#[test]
fn the_usage_is_rounded_before_the_connection_charge_where_the_list_says_so() {
    let settings = "connection_charge = \"2.5p\"\nrounding = { stage = \"usage\", rule = \"up\", step = \"1p\" }\n";
    // 70 s at 1p: 1.1666…p → 2p, and 2.5p.
    check(settings, "prefix,destination,price\n44,UK,1\n", &[("70s", "0.045")]);
}

#[test]
fn price_points_have_three_shapes() {
    let book = crate::tariff::testing::book(&[
        (
            "retail.toml",
            "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nfees = \"p\"\nprice_points = \"sc.csv\"\n\
             decks = [\"retail.csv\"]\n",
        ),
        ("sc.csv", "code,per_call,per_minute,included_s\nSC081,,18,\nSC084,250,75,\nSC087,898,449,60\nSC200,30,,\n"),
        (
            "retail.csv",
            "prefix,destination,class,charges\n4411,A,,SC081\n4412,B,,SC084\n4413,C,,SC087\n4414,D,,SC200\n",
        ),
    ]);
    for (number, duration, charge) in [
        ("+441132224444", "90s", "0.27"),   // 18p × 1.5
        ("+441212224444", "90s", "3.625"),  // 250p + 75p × 1.5 = 362.5p
        ("+441312224444", "60s", "8.98"),   // the first minute is in the 898p
        ("+441312224444", "90s", "11.225"), // 898p + 449p / 2
        ("+441312224444", "120s", "13.47"),
        ("+441412224444", "900s", "0.30"),
    ] {
        assert_eq!(cost(&book, number, NOON, duration), charge, "{number} {duration}");
    }
}

#[test]
fn price_points_may_bring_their_own_money() {
    // Nothing gives a bare number a unit here; the column says per minute: 250p + 75p × 1.5 = 362.5p.
    let book = crate::tariff::testing::book(&[
        (
            "retail.toml",
            "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprice_points = \"sc.csv\"\ndecks = [\"retail.csv\"]\n",
        ),
        ("sc.csv", "code,per_call,per_minute,included_s\nSC084,250p,75p,\nSC085,250p,1.25p/s,\n"),
        ("retail.csv", "prefix,destination,class,charges\n4412,B,,SC084\n4413,B,,SC085\n"),
    ]);
    assert_eq!(cost(&book, "+441212224444", NOON, "90s"), "3.625");
    assert_eq!(cost(&book, "+441312224444", NOON, "90s"), "3.625");
}

#[test]
fn a_version_that_ends_during_a_call_prices_it_whole_unless_it_says_split() {
    let book = |split: &str, overrun: &str| {
        let settings = |from: &str, deck: &str| {
            format!(
                "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nzone = \"UTC\"\nprices = \"p/min\"\n\
                 connection_charge = \"5p\"\nincrements = \"60/60\"\n{split}{overrun}decks = [\"{deck}\"]\n"
            )
        };
        crate::tariff::testing::book(&[
            ("old.toml", &settings("2026-01-01", "old.csv")),
            ("new.toml", &settings("2026-07-01", "new.csv")),
            ("old.csv", "prefix,destination,price\n44,UK,6\n"),
            ("new.csv", "prefix,destination,price\n44,UK,12\n"),
        ])
    };
    // 23:59:30, 100 s: 30 s in June at 6p, 70 s in July at 12p a minute; 5p to connect, once.
    let at = "2026-06-30T23:59:30Z";
    let split = "version_change = \"split\"\n";
    for (version_change, overrun, charge) in [
        ("", "", "0.17"),                         // 120 s in June: 12p + 5p
        (split, "", "0.32"),                      // 30 s: 3p; 70 s → 120 s: 24p; 5p
        (split, "overrun = \"next\"\n", "0.23"),  // 30 s → 60 s: 6p; 40 s → 60 s: 12p; 5p
        (split, "overrun = \"alone\"\n", "0.35"), // 30 s → 60 s: 6p; 70 s → 120 s: 24p; 5p
    ] {
        assert_eq!(
            cost(&book(version_change, overrun), "+442079460958", at, "100s"),
            charge,
            "{version_change}{overrun}"
        );
    }
    // A call that ends before the change is not split.
    assert_eq!(cost(&book(split, ""), "+442079460958", at, "30s"), "0.11");
}

/// A tariff of two versions that meet at midnight of 1 July (UTC), the first of which says that its end splits a call.
fn two_versions(old: &str, new: &str, old_row: &str, new_row: &str) -> crate::tariff::TariffBook {
    let settings = |from: &str, more: &str, deck: &str| {
        format!(
            "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nzone = \"UTC\"\nprices = \"p/min\"\nfees = \"p\"\n\
             decks = [\"{deck}\"]\n{more}"
        )
    };
    let deck = |row: &str| format!("prefix,destination,price,connection,minimum,maximum\n{row}\n");
    crate::tariff::testing::book(&[
        ("old.toml", &settings("2026-01-01", &format!("version_change = \"split\"\n{old}"), "old.csv")),
        ("new.toml", &settings("2026-07-01", new, "new.csv")),
        ("old.csv", &deck(old_row)),
        ("new.csv", &deck(new_row)),
    ])
}

/// Half a minute before the version changes.
const BEFORE: &str = "2026-06-30T23:59:30Z";

#[test]
fn the_parts_of_a_split_call_are_added_up_in_everything_that_is_told() {
    // 30 s at 6p a minute and 70 s at 12p, by the second, 5p to connect: 3p + 14p + 5p. The later version is a plain one.
    let book = two_versions("", "", "44,UK,6,5,,", "44,UK,12,5,,");
    let working = worked(&book, "+442079460958", BEFORE, "100s");
    assert_eq!(working.charge.to_string(), "0.22");
    assert_eq!(working.billed.to_string(), "100s");
    assert_eq!(working.usage.post().unwrap().to_string(), "0.17");
    assert!(!working.minimum_applied && !working.maximum_applied);
}

#[test]
fn a_surcharge_after_rounding_is_due_in_each_part_of_a_split_call() {
    // 1p a minute on top, never rounded: 0.5p and 7/6p. The call, 3p + 14p = 17p, goes up to 20p.
    let more = "rounding = { stage = \"call\", rule = \"up\", step = \"10p\" }\n[surcharges.top]\nprice = \"1p/min\"\n\
                after_rounding = true\nwhen = { direction = \"out\" }\n";
    let book = two_versions(more, more, "44,UK,6,,,", "44,UK,12,,,");
    assert_eq!(cost(&book, "+442079460958", BEFORE, "100s"), "0.2166666667");
}

#[test]
fn a_split_call_is_free_by_grace_only_if_every_version_gives_it() {
    let grace = "free_below = \"60s\"\n";
    // 40 s: both give grace, so not even the minimum is due.
    let both = two_versions(grace, grace, "44,UK,6,,9,", "44,UK,12,,9,");
    assert_eq!(cost(&both, "+442079460958", BEFORE, "40s"), "0.00");
    // The later one does not: 10 s × 12p = 2p, at least the first version's 9p.
    let one = two_versions(grace, "", "44,UK,6,,9,", "44,UK,12,,9,");
    assert_eq!(cost(&one, "+442079460958", BEFORE, "40s"), "0.09");
    assert!(worked(&one, "+442079460958", BEFORE, "40s").minimum_applied);
}

#[test]
fn a_cap_or_a_floor_in_one_part_of_a_split_call_is_told() {
    let cap = "cap = { charge = \"1p\" }\n";
    let plain = "44,UK,6,,,";
    for (old, new, capped) in [(cap, "", true), ("", cap, true), ("", "", false)] {
        let working = worked(&two_versions(old, new, plain, plain), "+442079460958", BEFORE, "100s");
        assert_eq!(working.maximum_applied, capped, "{old}{new}");
    }
    let floor = "[charges.all]\nprice = \"6p/min\"\nminimum_charge = \"20p\"\n";
    let book = |old: &str, new: &str| {
        let settings = |from: &str, more: &str, deck: &str| {
            format!(
                "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nzone = \"UTC\"\nversion_change = \"split\"\n\
                 decks = [\"{deck}\"]\n{more}"
            )
        };
        let plain = "[charges.all]\nprice = \"6p/min\"\n";
        let more = |text: &str| if text.is_empty() { plain.to_owned() } else { text.to_owned() };
        crate::tariff::testing::book(&[
            ("old.toml", &settings("2026-01-01", &more(old), "a.csv")),
            ("new.toml", &settings("2026-07-01", &more(new), "a.csv")),
            ("a.csv", "prefix,destination,charges\n44,UK,all\n"),
        ])
    };
    for (old, new, floored) in [(floor, "", true), ("", floor, true), ("", "", false)] {
        let working = worked(&book(old, new), "+442079460958", BEFORE, "100s");
        assert_eq!(working.minimum_applied, floored, "{old}{new}");
    }
}

#[test]
fn the_minimum_of_a_call_is_that_of_its_first_version() {
    let settings = |from: &str, minimum: &str| {
        format!(
            "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nzone = \"UTC\"\nprices = \"p/min\"\n\
             version_change = \"split\"\nminimum_stage = \"before-connection\"\nminimum_charge = \"{minimum}\"\n\
             decks = [\"a.csv\"]\n"
        )
    };
    let book = crate::tariff::testing::book(&[
        ("old.toml", &settings("2026-01-01", "3p")),
        ("new.toml", &settings("2026-07-01", "50p")),
        ("a.csv", "prefix,destination,price\n44,UK,1\n"),
    ]);
    // A minute in June: 1p, at least 3p. A minute in July: 1p, and no minimum of its own.
    assert_eq!(cost(&book, "+442079460958", "2026-06-30T23:59:00Z", "120s"), "0.04");
}

#[test]
fn a_cap_counts_the_window_from_the_answer_through_a_change_of_version() {
    let settings = |from: &str| {
        format!(
            "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"{from}\"\nzone = \"UTC\"\nprices = \"p/min\"\n\
             version_change = \"split\"\ncap = {{ charge = \"5p\", window = \"10min\" }}\ndecks = [\"a.csv\"]\n"
        )
    };
    let book = crate::tariff::testing::book(&[
        ("old.toml", &settings("2026-01-01")),
        ("new.toml", &settings("2026-07-01")),
        ("a.csv", "prefix,destination,price\n44,UK,1\n"),
    ]);
    // 8 minutes in June: 8p, capped at 5p. In July 2 minutes of the window, 2p, and 3 minutes behind it, 3p.
    assert_eq!(cost(&book, "+442079460958", "2026-06-30T23:52:00Z", "780s"), "0.10");
}

#[test]
fn a_surcharge_is_added_where_its_condition_holds() {
    let settings = "rounding = { stage = \"call\", rule = \"up\", step = \"1p\" }\n[origins]\neea = [\"33\", \"49\"]\n\
                    [surcharges.no-origin]\nprice = \"25p/min\"\nwhen = { origin = [\"missing\", \"invalid\"], destination = [\"447\"] }\n\
                    [surcharges.eea]\ncharge = \"0.25p\"\nafter_rounding = true\nwhen = { origin = \"eea\" }\n";
    let book = retail(settings, "prefix,destination,price\n44,UK,1\n447,UK mobile,2\n");
    for (caller, number, charge) in [
        ("+442079460958", "+447700900123", "0.03"), // 90 s × 2p = 3p
        ("missing", "+447700900123", "0.41"),       // 3p + 37.5p = 40.5p → 41p
        ("invalid", "+447700900123", "0.41"),
        ("missing", "+442079460958", "0.02"),        // not to a mobile: 1.5p → 2p
        ("+33199001234", "+442079460958", "0.0225"), // 2p, and 0.25p that is not rounded
    ] {
        assert_eq!(cost_from(&book, caller, number, NOON, "90s"), charge, "{caller} to {number}");
    }
}

#[test]
fn a_call_that_no_rule_rounds_is_posted_once_with_what_is_added_at_the_end() {
    // 1p/min × 1 s = 0.0001666…, twice 0.00033333…: each for itself would be posted as 0.0001666667.
    let settings = "[surcharges.late]\nprice = \"1p/min\"\nafter_rounding = true\nwhen = { destination = \"44\" }\n";
    let book = retail(settings, "prefix,destination,price\n44,UK,1\n");
    assert_eq!(cost_from(&book, "+33199001234", "+442079460958", NOON, "1s"), "0.0003333333");
}

#[test]
fn a_longer_call_is_never_billed_shorter_at_the_edge_of_a_step() {
    // 60/60 up to 90 s at 6p a minute, then seconds at 6p a minute. 90 s bill 120 s; so do 91 s.
    let steps = "increments = \"60/60\"\n[charges.two]\nsteps = [\n{ from = \"0s\", price = \"6p/min\" },\n\
                 { from = \"90s\", price = \"6p/min\", increments = \"1\" },\n]\n";
    let deck = "prefix,destination,charges\n44,UK,two\n";
    check(steps, deck, &[("90s", "0.12"), ("91s", "0.12"), ("121s", "0.121")]);
}

/// Settings, and the row's cells after `44,UK,`.
fn any_tariff() -> impl Strategy<Value = (String, String)> {
    let overrun = prop_oneof![Just("end"), Just("next"), Just("alone")];
    let steps = proptest::collection::vec((1..200_u32, 0..9_u32, 0..30_u32, 1..90_u32), 0..3);
    let row = (0..20_u32, 1..90_u32, 1..90_u32, 0..5_u32, 0..40_u32);
    (overrun, 0..9_u32, 0..5_u32, steps, row).prop_map(|(overrun, free, subtract, steps, row)| {
        let (price, first, further, connection, minimum) = row;
        let mut list = format!("{{ from = \"0s\", price = \"{price}p/min\", increments = \"{first}/{further}\" }}");
        let mut from = 0;
        for (length, price, charge, further) in steps {
            from += length;
            list.push_str(&format!(
                ", {{ from = \"{from}s\", price = \"{price}p/min\", charge = \"{charge}p\", increments = \"{further}\" }}"
            ));
        }
        let settings = format!(
            "overrun = \"{overrun}\"\nfree_below = \"{free}s\"\nsubtract = \"{subtract}s\"\n\
             [charges.all]\nsteps = [{list}]\nconnection_charge = \"{connection}p\"\n"
        );
        (settings, format!("all,{minimum}p"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_longer_call_never_costs_less(tariff in any_tariff(), seconds in 1..900_u32, more in 0..90_u32) {
        let book = retail(&tariff.0, &format!("prefix,destination,charges,minimum\n44,UK,{}\n", tariff.1));
        let charge = |seconds: u32| {
            Charge::parse(&cost(&book, "+442079460958", NOON, &format!("{seconds}s"))).unwrap()
        };
        prop_assert!(charge(seconds) <= charge(seconds + more), "{} {seconds} {more}", tariff.0);
    }

    #[test]
    fn the_short_sum_of_a_plain_row_is_the_long_one(
        price in 0..10_000_u32, first in 0..120_u32, further in 1..120_u32, connection in 0..50_u32, minimum in 0..50_u32,
        millis in 1..4_000_000_u32,
    ) {
        let deck = format!(
            "prefix,destination,price,connection,minimum,increments\n44,UK,0.{price},{connection},{minimum},{first}/{further}\n"
        );
        // A least duration of a millisecond changes nothing but that the sum is done stretch by stretch.
        let [short, long] = ["", "minimum_duration = \"1ms\"\n"].map(|settings| {
            cost(&retail(settings, &deck), "+442079460958", NOON, &format!("{millis}ms"))
        });
        prop_assert_eq!(short, long);
    }

    #[test]
    fn bands_of_one_price_may_be_split_without_a_difference(
        hour in 0..24_u32, seconds in 1..90_000_u32, first in 1..120_u32,
    ) {
        let bands = "[bands]\nday = [\"mon-sun 08:00-18:00\"]\nnight = [\"mon-sun 18:00-08:00\"]\n";
        let deck = format!("prefix,destination,price,increments\n44,UK,6,{first}/{first}\n");
        let at = format!("2026-07-01T{hour:02}:00:00Z");
        let whole = cost(&retail(bands, &deck), "+442079460958", &at, &format!("{seconds}s"));
        let split = format!("boundary = \"split\"\n{bands}");
        prop_assert_eq!(cost(&retail(&split, &deck), "+442079460958", &at, &format!("{seconds}s")), whole);
    }
}
