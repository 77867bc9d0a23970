//! Laws of imports: nothing panics, every row is somewhere, and what comes out is a tariff that takes itself in again
//! without a change.

use proptest::prelude::*;

use super::*;
use crate::finding::SourceText;

fn request(kind: Kind, text: &[u8]) -> Request {
    let mut request = Request::new(kind, vec![InputFile { name: "file.csv".into(), bytes: text.to_vec() }]);
    request.id = Some("x".into());
    request.currency = Some("USD".into());
    request.from = Some("2026-12-01".into());
    request.zone = Some("Europe/London".into());
    request.increments = Some("60/60".into());
    request.ends = Some(Ends::LastDay);
    request.dates = Some(DateOrder::DayFirst);
    request.decimal = Some(Decimal::Point);
    let days = ["mon-fri 08:00-18:00", "mon-fri 18:00-08:00", "sat-sun"];
    request.bands =
        ["peak", "offpeak", "weekend"].map(str::to_owned).into_iter().zip(days.map(str::to_owned)).collect();
    if matches!(kind, Kind::Deck | Kind::Sdf | Kind::Gamma | Kind::Interconn) {
        request.unit = Some("USD/min".into());
    }
    request
}

const HEADERS: [(Kind, &str); 9] = [
    (Kind::A2billing, ""),
    (Kind::Astpp, "Code,Destination,Connection Cost (USD),Grace Time,Cost / Min (USD),Initial Increment,Increment\n"),
    (Kind::Billingbooth, ""),
    (Kind::Deck, "Code,Destination,Rate,Increment,Effective Date,End Date,Status\n"),
    (
        Kind::Gamma,
        "ChargeCode,Description,Peak Per Minute,Off Peak Per Minute,Weekend Per Minute,Peak Call Set Up Charge,\
         Off Peak Call Set Up Charge,Weekend Call Set Up Charge,Minimum Charge\n",
    ),
    (Kind::Interconn, "traffic_direction,rate,time_slot\n"),
    (Kind::Kazoo, "prefix,rate_cost,rate_surcharge,rate_nocharge_time,weight,direction,routes\n"),
    (Kind::Sdf, "Destination,Prefix,First Interval,Sub Interval,Rate,Status,Start Date,End Date\n"),
    (Kind::Twilio, "ISO,Country,Origination Prefixes,Destination Prefixes,Description,Price / min\n"),
];

fn cell() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "",
        "44",
        "447",
        "4474-4479",
        "44;447",
        "\"44,447\"",
        "+1-264",
        "0044",
        "0.01",
        "0.02",
        "1,5",
        "$0.5",
        "-1",
        "30",
        "6",
        "0",
        "30/6",
        "2026-12-15",
        "2027-01-01",
        "2010-07-02 11:06:58.484053",
        "closed",
        "current",
        "blocked",
        "flat",
        "peak",
        "off_peak",
        "outbound",
        "inbound",
        "UK, all",
        "\"",
        "#x",
        "é",
        "=1+1",
        "99999999999999999999",
        "0.00000000000000001",
        "code:x",
        "\u{feff}",
        "\u{202e}",
        "1-2-3",
        "--",
        "n/a",
        "4.4E+1",
    ])
    .prop_map(str::to_owned);
    prop_oneof![8 => fixed, 1 => "[0-9]{1,4}", 1 => ".{0,6}"]
}

fn sound(request: &Request) -> Result<(), TestCaseError> {
    let imported = match import(request) {
        Ok(imported) => imported,
        Err(ImportError::Faults(_)) => return Ok(()),
        Err(ImportError::Refused(findings)) => {
            let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
            return Err(TestCaseError::fail(format!("its own deck is refused: {found:#?}")));
        }
        Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
    };
    prop_assert!(imported.counts.balance(), "{:?}", imported.counts);
    let written = imported.deck.text.lines().count() as u64;
    prop_assert!(written > imported.counts.written, "a header and a line for each row");
    prop_assert!(imported.counts.imported == 0 || imported.counts.written > 0);
    // Into itself: nothing new, nothing ended, not a byte changed, unless a row refers to a charge by name.
    if imported.deck.text.lines().next().is_some_and(|header| header.contains("charges")) {
        return Ok(());
    }
    let settings = SourceText::new(imported.settings.name.as_str(), imported.settings.text.as_str());
    let deck = SourceText::new(imported.deck.name.as_str(), imported.deck.text.as_str());
    if let Ok(merged) = merge_into(&imported, &settings, &deck, true, &mut |_| None) {
        let changed = &merged.comparison;
        prop_assert_eq!((changed.up, changed.down, changed.otherwise), (0, 0, 0), "{}", &imported.deck.text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_table_breaks_an_import_and_every_row_is_accounted_for(
        kind in prop::sample::select(HEADERS.to_vec()),
        rows in prop::collection::vec(prop::collection::vec(cell(), 1..9), 0..12),
        separator in prop::sample::select(vec![",", ";", "\t"]),
    ) {
        let mut text = kind.1.to_owned();
        for row in rows {
            text.push_str(&row.join(separator));
            text.push('\n');
        }
        sound(&request(kind.0, text.as_bytes()))?;
    }

    #[test]
    fn no_bytes_break_an_import(
        kind in prop::sample::select(HEADERS.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        with_header in any::<bool>(),
    ) {
        let mut text = if with_header { kind.1.as_bytes().to_vec() } else { Vec::new() };
        text.extend(bytes);
        sound(&request(kind.0, &text))?;
    }
}

/// A deck by `deck`, without its header line; rejects as `line code`.
fn deck(rows: &str) -> (String, Vec<String>) {
    let header = "Code,Destination,Rate,Effective Date,Status\n";
    let imported = import(&request(Kind::Deck, format!("{header}{rows}").as_bytes())).unwrap();
    let rejects =
        imported.rejects.iter().map(|reject| format!("{} {}", reject.fault.place.line, reject.fault.code)).collect();
    (imported.deck.text, rejects)
}

#[test]
fn rows_of_one_prefix_follow_each_other_by_their_dates() {
    // In any order of the file; a closing row ends the last of them.
    let (text, rejects) =
        deck("44,UK,0.03,2027-02-01,\n44,UK,0.01,2026-12-01,\n44,UK,,2027-03-01,closed\n44,UK,0.02,2027-01-01,\n");
    assert_eq!(
        text,
        "prefix,destination,price,from,until\n\
         44,UK,0.03,2027-02-01,2027-03-01\n\
         44,UK,0.01,2026-12-01,2027-01-01\n\
         44,UK,0.02,2027-01-01,2027-02-01\n"
    );
    assert!(rejects.is_empty());
}

#[test]
fn a_prefix_that_is_priced_twice_has_no_price_and_the_others_of_its_row_have() {
    let (text, rejects) = deck("44;49,UK and Germany,0.01,,\n44,UK,0.02,,\n33,France,0.01,,\n33,Frankreich,0.010,,\n");
    assert_eq!(
        text,
        "prefix,destination,price,status\n44,UK and Germany,,unknown\n49,UK and Germany,0.01,\n33,France,0.01,\n"
    );
    assert_eq!(rejects, ["2 import.rows_conflict", "3 import.rows_conflict"]);
}

#[test]
fn a_list_is_written_as_spans_but_never_as_a_whole_decade() {
    // 4470-4479 would be read as 447, which is another prefix to a longer or shorter row.
    let all: Vec<String> = (4470..=4479).map(|code: u32| code.to_string()).collect();
    let (text, _) = deck(&format!("{},Ten,0.01,,\n1;2;3,Short,0.02,,\n", all.join(";")));
    assert_eq!(text, "prefix,destination,price\n4470-4478;4479,Ten,0.01\n1-3,Short,0.02\n");
}

#[test]
fn two_columns_of_one_name_are_asked_about() {
    let error = import(&request(Kind::Deck, b"Code,Rate,Rate\n44,0.01,0.02\n")).unwrap_err();
    let ImportError::Faults(faults) = error else { panic!("{error:?}") };
    assert_eq!(faults[0].code, "import.column_ambiguous");
    let mut chosen = request(Kind::Deck, b"Code,Rate,Rate\n44,0.01,0.02\n");
    chosen.columns = vec![("price".into(), "#3".into())];
    assert_eq!(import(&chosen).unwrap().deck.text, "prefix,destination,price\n44,44,0.02\n");
}

#[test]
fn several_files_become_one_deck() {
    let mut both = request(Kind::Deck, b"Code,Destination,Rate\n44,UK,0.01\n");
    both.files
        .push(InputFile { name: "more.csv".into(), bytes: b"Rate;Prefix;Name\n0.02;33;France\n0.02;44;UK\n".to_vec() });
    let imported = import(&both).unwrap();
    assert_eq!(imported.deck.text, "prefix,destination,price,status\n44,UK,,unknown\n33,France,0.02,\n");
    assert_eq!((imported.rejects.len(), imported.rejects[1].fault.place.file), (2, 1));
}

#[test]
fn a_header_in_pence_is_not_read_in_pounds() {
    for (header, unit, asked) in [
        ("Rate (p)", "GBP/min", true),
        ("Rate (pence per minute)", "GBP/min", true),
        ("Rate (GBP)", "p/min", true),
        ("Rate per minute", "GBP/s", true),
        ("Rate (p)", "p/min", false),
        ("Rate (GBP)", "GBP/min", false),
        ("Rate (net)", "p/min", false),
    ] {
        let mut request = request(Kind::Deck, format!("Code,{header}\n44,0.5\n").as_bytes());
        request.currency = Some("GBP".into());
        request.unit = Some(unit.into());
        let conflict =
            matches!(import(&request), Err(ImportError::Faults(faults)) if faults[0].code == "import.unit_conflict");
        assert_eq!(conflict, asked, "{header} {unit}");
    }
}

#[test]
fn rows_that_contradict_each_other_in_many_prefixes_are_rejected_once_each() {
    let (_, rejects) = deck("44;45;46;47,A,0.01,,\n44;45;46;47,B,0.02,,\n");
    assert_eq!(rejects, ["2 import.rows_conflict", "3 import.rows_conflict"]);
}
