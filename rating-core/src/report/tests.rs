//! Laws that hold across reports and writers, and the reports of a small month as files to read.

use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::csv::Profile;
use super::*;
use crate::aggregation::fixtures::{any_calls, call, currency, rated, unrated};
use crate::aggregation::{Aggregate, Amounts, PayerKey};
use crate::ids::{PayerId, SiteId, SourceId};
use crate::money::{Charge, Total};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::rating::{CallRow, Outcome, Side, flags};
use crate::source::RecordId;
use crate::time::{Duration, Zone};

fn names() -> Names {
    static NAMES: LazyLock<Names> = LazyLock::new(build_names);
    NAMES.clone()
}

fn build_names() -> Names {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let zone = |name| Zone::load(name).unwrap();
    Names::new(&NameLists {
        sites: vec![("london".to_owned(), zone("Europe/London")), ("new-york".to_owned(), zone("America/New_York"))],
        payers: [("landlord", "The Landlord Ltd"), ("acme", "Acme, Sons & Co"), ("bright", "=Bright GmbH")]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .into(),
        destinations: strings(&["UK geographic", "UK landline (carrier)", "France mobile"]),
        bands: strings(&["day"]),
        tariffs: strings(&["retail-2026", "carrier-2026"]),
        sources: strings(&["pbx"]),
        files: strings(&["Master.csv", "Master.csv.1"]),
    })
}

/// The calls of one small month in London, in canonical order, with every outcome.
fn month() -> Vec<CallRow<'static>> {
    let wholesale = |charge| {
        let mut side = rated("GBP", charge, 1);
        side.tariff = Some(crate::ids::TariffId(1));
        side
    };
    let mut calls = Vec::new();
    let mut add = |payer: Option<u32>, minutes: i64, change: &dyn Fn(&mut CallRow<'static>)| {
        let mut row = call();
        row.record = RecordId::new(0, 200 * calls.len() as u64).unwrap();
        row.payer = payer.map(PayerId);
        row.setup_at = row.setup_at.map(|at| at.plus(Duration::from_seconds(60 * minutes)));
        row.charging_at = row.charging_at.plus(Duration::from_seconds(60 * minutes));
        row.wholesale = wholesale("0.02");
        change(&mut row);
        calls.push(row);
    };
    let none = |code| unrated(Outcome::NotChargeable(code));
    let suspended = |code| unrated(Outcome::Suspended(code));
    // The operator's own call: wholesale only.
    add(Some(0), 0, &|row| {
        row.retail = none("rating.operator_call");
        row.extension = Digits::parse(b"0100");
        row.number = E164::parse(b"+442079460100");
    });
    // 0.065 GBP, before the clocks go back.
    add(Some(1), 0, &|_| {});
    // The same wall-clock time an hour later, to France, from another extension.
    add(Some(1), 60, &|row| {
        row.extension = Digits::parse(b"0201");
        row.number = E164::parse(b"+442079460201");
        row.calling = Party::Extension(Digits::parse(b"0201").unwrap());
        row.dialled = b"+33612345678";
        row.called = Party::Number(E164::parse(b"+33612345678").unwrap());
        row.class = NumberClass::Mobile;
        row.retail = rated("GBP", "1.234567", 2);
        row.wholesale = suspended("rating.no_tariff");
        row.duration = Duration::from_millis(57_600);
        row.flags = flags::NEAR_DUPLICATE;
    });
    add(Some(1), 61, &|row| {
        row.direction = Direction::Inbound;
        row.calling = Party::Withheld;
        row.dialled = b"";
        row.class = NumberClass::Internal;
        row.called = Party::Extension(Digits::parse(b"2001").unwrap());
        row.retail = none("rating.inbound");
        row.wholesale = none("rating.inbound");
    });
    add(Some(1), 62, &|row| {
        row.called = Party::Unclassified(b"=cmd|' /C calc'!A0");
        row.dialled = b"=cmd|' /C calc'!A0";
        row.retail = suspended("rating.no_rate_for_destination");
    });
    // A credit.
    add(Some(2), 63, &|row| {
        row.retail = rated("GBP", "-0.50", 0);
        row.setup_at = None;
        row.extension = None;
        row.forwarder = Some(Party::Name(b"client\xff1"));
    });
    add(None, 64, &|row| {
        row.retail = suspended("attribution.number_unknown");
        row.extension = None;
        row.number = None;
    });
    calls
}

fn aggregate(calls: &[CallRow<'_>]) -> Aggregate {
    let mut aggregate = Aggregate::new();
    calls.iter().for_each(|call| aggregate.add(call));
    assert_eq!(aggregate.check(), Ok(()));
    aggregate
}

const ACME: PayerKey = PayerKey { site: SiteId(0), payer: Some(PayerId(1)) };
const LANDLORD: PayerKey = PayerKey { site: SiteId(0), payer: Some(PayerId::OPERATOR) };

fn itemised(names: &Names, calls: &[CallRow<'_>], key: PayerKey) -> Batch {
    let mut rows = Itemised::for_payer(names, key);
    calls.iter().filter(|call| call.site == key.site && call.payer == key.payer).for_each(|call| rows.push(call));
    rows.finish()
}

fn site_itemised(names: &Names, calls: &[CallRow<'_>]) -> Batch {
    let mut rows = Itemised::for_site(names);
    calls.iter().for_each(|call| rows.push(call));
    rows.finish()
}

/// Every table a payer is given.
fn payer_tables(names: &Names, calls: &[CallRow<'_>], key: PayerKey) -> Vec<Batch> {
    let aggregate = aggregate(calls);
    vec![
        itemised(names, calls, key),
        extension_summary(&aggregate.listing(), names, key),
        payer_destinations(&aggregate.listing(), names, key),
    ]
}

/// Every table of the operator.
fn operator_tables(names: &Names, calls: &[CallRow<'_>]) -> Vec<Batch> {
    let aggregate = aggregate(calls);
    let reasons = aggregate.suspended();
    let listed: Vec<_> =
        reasons.iter().map(|(key, sums)| Exception::suspended(*key, sums, "add a row to the tariff")).collect();
    vec![
        site_itemised(names, calls),
        charges_by_occupier(&aggregate, names, None),
        site_destinations(&aggregate.listing(), names, SiteId(0)),
        exceptions(&listed, names),
    ]
}

fn csv_text(view: &View<'_>, profile: Profile) -> String {
    let mut out = Vec::new();
    csv::write(view, profile, &mut out);
    String::from_utf8(out).unwrap()
}

/// The cells of a CSV text by column name, row by row.
fn parsed(text: &str) -> Vec<Vec<(String, String)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let pair = |(name, cell): (&str, &str)| (name.to_owned(), cell.to_owned());
    reader.records().map(|row| header.iter().zip(row.unwrap().iter()).map(pair).collect()).collect()
}

fn cell<'r>(row: &'r [(String, String)], column: &str) -> &'r str {
    row.iter().find(|(name, _)| name == column).map(|(_, cell)| cell.as_str()).unwrap_or_else(|| panic!("{column}"))
}

fn units(cell: &str) -> i128 {
    if cell.is_empty() { 0 } else { Total::from(Charge::parse(cell).unwrap()).units() }
}

/// Compares with `testdata/reports/NAME`. Delete that file to have it written anew: the test then fails once.
fn check_golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/reports").join(name);
    if !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        panic!("{} was not there and is now: look at it and run the test again", path.display());
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, expected, "{}", path.display());
}

#[test]
fn the_reports_of_a_small_month_read_as_in_testdata() {
    let names = names();
    let calls = month();
    let mut tables: Vec<(String, Batch)> = Vec::new();
    for (name, key) in [("acme", ACME), ("landlord", LANDLORD)] {
        tables.extend(
            payer_tables(&names, &calls, key)
                .into_iter()
                .map(|table| (format!("{name}_{}", table.schema().name), table)),
        );
    }
    tables.extend(operator_tables(&names, &calls).into_iter().map(|table| (table.schema().name.to_owned(), table)));
    assert_eq!(tables.len(), 10);
    for (name, table) in tables {
        check_golden(&format!("{name}.csv"), &csv_text(&table.view(), Profile::Spreadsheet));
        check_golden(&format!("{name}.machine.csv"), &csv_text(&table.view(), Profile::Machine));
    }
}

#[test]
fn spreadsheets_have_a_mark_and_machines_none_and_both_end_lines_alike() {
    let names = names();
    for table in operator_tables(&names, &month()) {
        let spreadsheet = csv_text(&table.view(), Profile::Spreadsheet);
        let machine = csv_text(&table.view(), Profile::Machine);
        assert!(spreadsheet.starts_with("\u{feff}") && !machine.contains('\u{feff}'));
        for text in [&spreadsheet, &machine] {
            assert!(text.ends_with("\r\n"));
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        }
    }
}

/// Payloads of CWE-1236 and OWASP's "CSV Injection", and what disturbs terminals and readers.
const PAYLOADS: [&[u8]; 14] = [
    b"=HYPERLINK(\"http://x/?\"&A1,\"click\")",
    b"=1+1",
    b"+cmd|' /C calc'!A0",
    b"-2+3",
    b"@SUM(1+1)*cmd|' /C calc'!A0",
    b"\t=1+1",
    b"\r=1+1",
    b"\n=1+1",
    b"\0=1+1",
    b"\"=1+1",
    b"a;=1+1",
    b"a\",=1+1",
    b"\x1b[2J=1",
    b"\xff\xfe=1",
];

#[test]
fn no_payload_in_a_record_or_name_is_a_formula_in_a_spreadsheet_and_a_credit_stays_a_number() {
    for payload in PAYLOADS {
        let text = String::from_utf8_lossy(payload).into_owned();
        let mut lists = NameLists { sites: vec![(text.clone(), Zone::utc())], ..NameLists::default() };
        lists.payers = vec![(text.clone(), text.clone()); 3];
        for list in
            [&mut lists.destinations, &mut lists.bands, &mut lists.tariffs, &mut lists.sources, &mut lists.files]
        {
            *list = vec![text.clone(); 3];
        }
        let names = Names::new(&lists);
        let mut row = call();
        row.call_id = payload;
        row.dialled = payload;
        row.calling = Party::Name(payload);
        row.called = Party::Unclassified(payload);
        row.forwarder = Some(Party::Feature(payload));
        row.retail = rated("GBP", "-0.50", 0);
        row.wholesale = unrated(Outcome::Suspended("rating.no_tariff"));
        let mut tables = payer_tables(&names, &[row], ACME);
        tables.extend(operator_tables(&names, &[row]));
        for table in tables {
            let written = csv_text(&table.view(), Profile::Spreadsheet);
            assert!(!written.replace("\r\n", "").chars().any(char::is_control), "{written:?}");
            for row in parsed(&written) {
                for (column, cell) in row {
                    let money = ["cost", "client_amount", "money_at_stake", "margin"].contains(&column.as_str());
                    if money && !cell.is_empty() {
                        assert_eq!(cell, "-0.50", "{column}");
                    } else {
                        let begins = |cell: &str| cell.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@']);
                        assert!(!cell.split(';').any(begins), "{column}: {cell:?}");
                    }
                }
            }
        }
    }
}

/// A wholesale side whose every part would be recognised.
fn canary_side() -> Side {
    let mut side = rated("CHF", "98765.4321987654", 2);
    side.tariff = Some(crate::ids::TariffId(1));
    side.version = 7_777;
    if let Outcome::Rated(priced) = &mut side.outcome {
        priced.billed = Duration::from_seconds(55_555);
        priced.price = crate::money::Price::parse("0.0333444", 0).unwrap();
        priced.setup_fee = crate::money::Price::parse("0.0666777", 0).unwrap();
        priced.per = Duration::from_seconds(44_444);
        priced.band = crate::ids::BandId(1);
    }
    side
}

const CANARIES: [&str; 11] =
    ["98765", "CHF", "7777", "55555", "0333444", "0666777", "44444", "canary", "Canary", "wholesale", "operator"];

fn canary_month() -> (Names, Vec<CallRow<'static>>) {
    let mut names = names();
    names.tariffs = Dictionary::new(["retail-2026", "canary-tariff"]);
    names.destinations = Dictionary::new(["UK geographic", "UK mobile", "Canary Islands"]);
    names.bands = Dictionary::new(["day", "canary-band"]);
    names.payer_ids = Dictionary::new(["landlord", "acme", "canary-client"]);
    names.payer_names = Dictionary::new(["The Landlord Ltd", "Acme", "Canary Wharf Ltd"]);
    let mut calls = Vec::new();
    for payer in [1, 2] {
        for retail in [
            rated("GBP", "0.10", 0),
            unrated(Outcome::NotChargeable("rating.emergency")),
            unrated(Outcome::Suspended("rating.no_rate_for_destination")),
        ] {
            for wholesale in [canary_side(), unrated(Outcome::Suspended("canary.reason"))] {
                calls.push(CallRow { payer: Some(PayerId(payer)), retail, wholesale, ..call() });
            }
        }
    }
    (names, calls)
}

#[test]
fn nothing_an_occupier_is_given_tells_of_wholesale_or_of_others() {
    let (names, calls) = canary_month();
    let site = site_itemised(&names, &calls);
    // The canaries are there to be found.
    assert!(csv_text(&site.view(), Profile::Machine).contains("98765.4321987654"));
    let tables = payer_tables(&names, &calls, ACME);
    let mut views: Vec<View<'_>> = tables.iter().map(Batch::view).collect();
    views.push(Itemised::payer_view(&site, ACME, 0..6).unwrap());
    for view in views {
        assert!(view.rows() > 0);
        for profile in [Profile::Spreadsheet, Profile::Machine] {
            let text = csv_text(&view, profile);
            for canary in CANARIES {
                assert!(!text.contains(canary), "{canary} in {}:\n{text}", view.schema().name);
            }
        }
        #[cfg(feature = "parquet")]
        {
            let file = parquet::write(&view, Vec::new()).unwrap();
            let told = format!("{:?}", parquet_checks::read(&file));
            let raw = String::from_utf8_lossy(&file);
            for canary in CANARIES {
                assert!(!told.contains(canary) && !raw.contains(canary), "{canary} in {}", view.schema().name);
            }
        }
    }
}

#[test]
fn a_payers_view_of_the_sites_table_is_the_table_built_for_that_payer() {
    let names = names();
    let calls = month();
    let site = site_itemised(&names, &calls);
    let theirs = Itemised::payer_view(&site, ACME, 1..5).unwrap();
    let built = itemised(&names, &calls, ACME);
    for profile in [Profile::Spreadsheet, Profile::Machine] {
        assert_eq!(csv_text(&theirs, profile), csv_text(&built.view(), profile));
    }
    #[cfg(feature = "parquet")]
    assert!(parquet::write(&theirs, Vec::new()).unwrap() == parquet::write(&built.view(), Vec::new()).unwrap());

    assert!(Itemised::payer_view(&site, ACME, 0..5).is_none(), "the first row is the operator's");
    assert!(Itemised::payer_view(&site, ACME, 1..6).is_none(), "the last row is another's");
    assert!(Itemised::payer_view(&site, LANDLORD, 0..1).is_none(), "the operator's cost is another");
    assert!(Itemised::payer_view(&site, PayerKey { site: SiteId(1), ..ACME }, 1..5).is_none(), "another site");
    assert!(Itemised::payer_view(&built, ACME, 0..4).is_none(), "not a site's table");
}

#[test]
#[should_panic(expected = "a call of another payer or site")]
fn a_call_of_another_payer_is_refused() {
    Itemised::for_payer(&names(), PayerKey { payer: Some(PayerId(2)), ..ACME }).push(&call());
}

#[test]
fn a_payer_with_two_currencies_has_a_row_for_each_and_counts_in_the_first() {
    let mut euros = call();
    euros.retail = rated("EUR", "3", 0);
    let aggregate = aggregate(&[call(), euros]);
    let rows = parsed(&csv_text(&charges_by_occupier(&aggregate, &names(), None).view(), Profile::Machine));
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            ["client_amount", "currency", "operator_amount", "operator_currency", "margin", "calls"]
                .map(|column| cell(row, column))
        })
        .collect();
    assert_eq!(told, [["3.00", "EUR", "", "", "", "2"], ["0.065", "GBP", "0.04", "GBP", "", ""]]);
    let totals = parsed(&csv_text(&payer_destinations(&aggregate.listing(), &names(), ACME).view(), Profile::Machine));
    let told: Vec<_> =
        totals.iter().map(|row| ["row", "destination", "calls", "cost", "currency"].map(|c| cell(row, c))).collect();
    assert_eq!(
        told,
        [
            ["destination", "UK geographic", "2", "3.00", "EUR"],
            ["destination", "UK geographic", "", "0.065", "GBP"],
            ["total", "", "2", "3.00", "EUR"],
            ["total", "", "", "0.065", "GBP"],
        ]
    );
}

#[test]
fn exceptions_in_two_currencies_keep_their_count_once() {
    let mut at_stake = Amounts::default();
    at_stake.add(currency("GBP"), Charge::parse("1.5").unwrap());
    at_stake.add(currency("EUR"), Charge::parse("2").unwrap());
    let exception = Exception {
        site: None,
        source: Some(SourceId(0)),
        kind: ExceptionKind::Rejected,
        side: None,
        code: "cdr.duration_malformed",
        count: 3,
        record: RecordId::new(1, 4_096),
        record_number: Some(42),
        dialled: None,
        duration: None,
        at_stake,
        help: "check the duration column",
    };
    assert_eq!(
        csv_text(&exceptions(&[exception], &names()).view(), Profile::Machine),
        "site,source,kind,side,reason,count,duration_s,money_at_stake,currency,example_file,example_record,\
         example_offset,example_dialled,help\r\n\
         ,pbx,rejected,,cdr.duration_malformed,3,,2.00,EUR,Master.csv.1,42,4096,,check the duration column\r\n\
         ,pbx,rejected,,cdr.duration_malformed,,,1.50,GBP,Master.csv.1,42,4096,,check the duration column\r\n"
    );
}

fn sum(rows: &[Vec<(String, String)>], column: &str, of: &str, currency: &str) -> i128 {
    rows.iter().filter(|row| cell(row, of) == currency).map(|row| units(cell(row, column))).sum()
}

fn count(rows: &[Vec<(String, String)>], column: &str) -> u64 {
    rows.iter()
        .map(|row| cell(row, column))
        .filter(|cell| !cell.is_empty())
        .map(|cell| cell.parse::<u64>().unwrap())
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn itemised_calls_add_up_to_every_summary_to_the_last_digit(calls in any_calls()) {
        let names = names();
        let aggregate = aggregate(&calls);
        let read = |table: &Batch| parsed(&csv_text(&table.view(), Profile::Machine));
        let charges = read(&charges_by_occupier(&aggregate, &names, None));
        let site_rows = read(&site_itemised(&names, &calls));
        for code in ["GBP", "EUR", "USD"] {
            let client = sum(&site_rows, "cost", "currency", code);
            let operator = sum(&site_rows, "operator_amount", "operator_currency", code);
            prop_assert_eq!(sum(&charges, "client_amount", "currency", code), client);
            prop_assert_eq!(sum(&charges, "operator_amount", "operator_currency", code), operator);
            let mut by_destination = (0, 0);
            for site in [SiteId(0), SiteId(1)] {
                let mut rows = read(&site_destinations(&aggregate.listing(), &names, site));
                let totals = rows.split_off(rows.iter().position(|row| cell(row, "row") == "total").unwrap());
                let sums = [("cost", "currency"), ("operator_cost", "operator_currency")].map(|(amount, of)| {
                    assert_eq!(sum(&rows, amount, of, code), sum(&totals, amount, of, code), "total row");
                    sum(&rows, amount, of, code)
                });
                by_destination = (by_destination.0 + sums[0], by_destination.1 + sums[1]);
            }
            prop_assert_eq!(by_destination, (client, operator));
        }
        prop_assert_eq!(count(&charges, "calls"), calls.len() as u64);

        for (key, sums) in aggregate.payers() {
            let [items, lines, mut destinations] = payer_tables(&names, &calls, key).try_into().unwrap();
            let (items, lines) = (read(&items), read(&lines));
            let totals = destinations.rows()..usize::MAX;
            let destinations_read = read(&destinations);
            let (details, totals) = destinations_read.split_at(totals.start);
            for code in ["GBP", "EUR", "USD"] {
                let itemised = sum(&items, "cost", "currency", code);
                let own = if key.is_operator() { &sums.operator } else { &sums.client };
                prop_assert_eq!(itemised, own.get(currency(code)).map_or(0, |sum| sum.total.units()));
                prop_assert_eq!(sum(&lines, "cost", "currency", code), itemised);
                prop_assert_eq!(sum(details, "cost", "currency", code), itemised);
                prop_assert_eq!(sum(totals, "cost", "currency", code), itemised);
            }
            let charged = items.iter().filter(|row| cell(row, "status") == "charged").count() as u64;
            prop_assert_eq!((count(&lines, "billable_calls"), count(details, "calls"), count(totals, "calls")),
                (charged, charged, charged));
            destinations = payer_destinations(&aggregate.listing(), &names, key);
            prop_assert_eq!(destinations.rows(), details.len());
        }
        // All sites are the rows of the single sites, one after the other.
        let single = [SiteId(0), SiteId(1)].map(|site| read(&charges_by_occupier(&aggregate, &names, Some(site))));
        prop_assert_eq!(single.concat(), charges);
    }

    #[test]
    fn bytes_do_not_depend_on_the_order_of_aggregation(calls in any_calls(), cut in 0..60_usize) {
        let names = names();
        let (left, right) = calls.split_at(cut.min(calls.len()));
        let tables = |aggregate: &Aggregate| {
            let mut text = csv_text(&charges_by_occupier(aggregate, &names, None).view(), Profile::Spreadsheet);
            for site in [SiteId(0), SiteId(1)] {
                text += &csv_text(&site_destinations(&aggregate.listing(), &names, site).view(), Profile::Spreadsheet);
            }
            for (key, _) in aggregate.payers() {
                text += &csv_text(&extension_summary(&aggregate.listing(), &names, key).view(), Profile::Spreadsheet);
            }
            text
        };
        prop_assert_eq!(tables(&aggregate(&calls)), tables(&aggregate(right).merge(aggregate(left))));
    }
}

#[cfg(feature = "parquet")]
mod parquet_checks;

#[cfg(feature = "parquet")]
mod round_trips;
