//! When a row applies.

use proptest::prelude::*;

use super::super::testing::{LONDON, at, book, called, only, read, retail};
use super::super::{Called, Caller, CallerType, Candidate, Level, Lost, Match, Query, TariffBook};
use crate::number::{Digits, Direction, E164, NumberClass};

const NOON: &str = "2026-07-01T12:00:00Z";

fn number(text: &str) -> E164 {
    E164::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

/// A question in words: the called number, then what else is known of the call: `from:+44…`, `from:missing`,
/// `from:invalid`, `line:+44…`, `mobile`, `fixed`, `payphone`, `trunk:…`, `access:…`, `code:…`, `in`.
fn ask(text: &str) -> Query<'_> {
    let mut words = text.split(' ');
    let mut query = Query::new(called(words.next().unwrap()));
    for word in words {
        let (kind, value) = word.split_once(':').unwrap_or((word, ""));
        match kind {
            "from" => {
                query.caller = match value {
                    "missing" => Caller::Missing,
                    "invalid" => Caller::Invalid,
                    value => Caller::of(number(value)),
                };
                query.network_caller = query.caller;
                query.caller_type = query.caller.number().map(|_| CallerType::Fixed);
            }
            "line" => query.network_caller = Caller::of(number(value)),
            "trunk" => query.trunks[0] = value.as_bytes(),
            "access" => query.access[0] = Digits::parse(value.as_bytes()).unwrap(),
            "code" => query.charge_code = value.as_bytes(),
            "in" => query.direction = Direction::Inbound,
            kind => query.caller_type = Some(CallerType::ALL.into_iter().find(|of| of.name() == kind).unwrap()),
        }
    }
    query
}

/// What a version says about a question: the destination, or why there is none.
fn answer(book: &TariffBook, question: &str) -> String {
    let version = only(book);
    let name = |row| book.destination(version.destination(row));
    let query = ask(question);
    let answer = match version.find(&query, at(NOON), LONDON) {
        Match::Row(row) => name(row).to_owned(),
        Match::Blocked(row) => format!("blocked {}", name(row)),
        Match::Unknown(row) => format!("unknown {}", name(row)),
        Match::Protected(row) => format!("protected {}", name(row)),
        Match::NotFound => "not found".to_owned(),
    };
    // An explanation names the same row.
    let deciding = version.candidates(&query, at(NOON), LONDON).into_iter().find(|candidate| candidate.lost.is_none());
    match deciding {
        Some(candidate) => assert!(answer.ends_with(name(candidate.row)), "{question}: {candidate:?}"),
        None => assert!(answer == "not found" || answer.starts_with("protected"), "{question}: {answer}"),
    }
    answer
}

#[track_caller]
fn check(book: &TariffBook, cases: &[(&str, &str)]) {
    for (question, expected) in cases {
        assert_eq!(answer(book, question), *expected, "{question}");
    }
}

/// A deck of rows that are found by the columns named in `head`; each costs a penny.
fn deck(head: &str, rows: &[&str]) -> String {
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!("price,destination,{head}\n{}", rows.lines().map(|row| format!("1,{row}\n")).collect::<String>())
}

#[test]
fn the_most_specific_key_decides() {
    let book = retail(
        "",
        &deck(
            "prefix,class",
            &[
                "By code,code:UK GEO 1,",
                "By number,number:+442079460958,",
                "By 4420,4420,",
                "By 44,44,",
                "By class,class:mobile,",
                "Any premium,class:premium,",
                "Short codes,class:short_code,",
                "Any,*,",
            ],
        ),
    );
    check(
        &book,
        &[
            ("+442079460958 code:UK", "By number"),
            ("+442079460959", "By 4420"),
            ("+441632960000", "By 44"),
            ("+447700900123", "By 44"),
            ("+33612345678", "Any"), // a French mobile is nothing special to the British plan of this test
            ("+449061234567", "Any premium"), // 44 is too short for it, its class is not
            ("+81312345678", "Any"),
            ("101", "Short codes"),
            ("118500", "not found"), // `*` is for numbers
            ("internal", "not found"),
        ],
    );
    // A charge code has blanks, and its case counts.
    let version = only(&book);
    for (code, expected) in [("UK GEO 1", "By code"), ("uk geo 1", "By number"), ("UK GEO", "By number")] {
        let query = Query { charge_code: code.as_bytes(), ..ask("+442079460958") };
        let Match::Row(row) = version.find(&query, at(NOON), LONDON) else { panic!() };
        assert_eq!(book.destination(version.destination(row)), expected, "{code}");
    }
}

#[test]
fn every_number_is_no_number_of_a_protected_class() {
    let any = retail("", &deck("prefix,class", &["Any,*,"]));
    check(&any, &[("+449061234567", "protected Any"), ("+442079460958", "Any")]);
    check(&retail("", &deck("prefix,class", &["Any,*,premium"])), &[("+449061234567", "Any")]);
    check(&retail("fallback = [\"premium\"]\n", &deck("prefix,class", &["Any,*,"])), &[("+449061234567", "Any")]);
    // A row that is for premium numbers only was meant for them.
    check(&retail("", &deck("prefix,only_class", &["Any,*,premium"])), &[("+449061234567", "Any")]);
}

#[test]
fn each_condition_holds_for_its_calls_and_no_others() {
    let settings = "jurisdictions = \"regions.csv\"\n[origins]\neea = [\"30\", \"31\", \"353\"]\n";
    let head = "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n";
    let regions = "prefix,region\n1212,NY\n1646,NY\n1201,NJ\n";
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "origin",
            "eea",
            &["+12125550100 from:+302101234567", "+12125550100 from:+353123456"],
            &[
                "+12125550100 from:+442079460958",
                "+12125550100 from:missing",
                "+12125550100 from:invalid",
                "+12125550100",
            ],
        ),
        (
            "origin",
            "4420;missing",
            &["+12125550100 from:+442079460958", "+12125550100 from:missing"],
            &["+12125550100 from:+441632960000", "+12125550100 from:invalid"],
        ),
        ("origin", "invalid", &["+12125550100 from:invalid", "+12125550100 from:+2101234567"], &["+12125550100"]),
        ("origin", "30-31", &["+12125550100 from:+302101234567"], &["+12125550100 from:+32212345678"]),
        (
            "jurisdiction",
            "intra",
            &["+12125550100 from:+16465550100"],
            &["+12125550100 from:+12015550100", "+12125550100 from:+13105550100", "+12125550100"],
        ),
        ("jurisdiction", "inter", &["+12125550100 from:+12015550100"], &["+12125550100 from:+16465550100"]),
        (
            "jurisdiction",
            "unknown",
            &["+12125550100", "+13105550100 from:+12125550100"],
            &["+12125550100 from:+12015550100"],
        ),
        ("caller_type", "mobile", &["+12125550100 mobile"], &["+12125550100 fixed", "+12125550100"]),
        ("caller_type", "fixed;payphone", &["+12125550100 fixed", "+12125550100 payphone"], &["+12125550100 mobile"]),
        (
            "trunk",
            "PJSIP/gamma;1033",
            &["+12125550100 trunk:pjsip/gamma", "+12125550100 access:1033"],
            &["+12125550100 trunk:PJSIP/gamma2", "+12125550100 access:10330", "+12125550100"],
        ),
        ("only_class", "mobile;free", &["+447700900123"], &["+442079460958", "101"]),
        ("length", "11", &["+12125550100"], &["+1212555010", "+121255501001"]),
        ("length", "12-", &["+121255501001"], &["+12125550100"]),
        ("length", "-10", &["+1212555010"], &["+12125550100"]),
        ("length", "10-11", &["+1212555010", "+12125550100"], &["+121255501001", "+121255501"]),
    ];
    for (column, cell, holding, failing) in cases {
        let (book, findings) = read(&[
            ("t.toml", &format!("{head}{settings}")),
            ("regions.csv", regions),
            ("d.csv", &format!("price,destination,prefix,{column}\n1,Special,*,{cell}\n2,Plain,*,\n")),
        ]);
        assert!(findings.is_empty(), "{findings:?}");
        for question in *holding {
            assert_eq!(answer(&book, question), "Special", "{column} {cell}: {question}");
        }
        for question in failing.iter().filter(|question| !question.starts_with("101")) {
            assert_eq!(answer(&book, question), "Plain", "{column} {cell}: {question}");
        }
    }
}

#[test]
fn the_longest_destination_comes_first_and_then_the_longest_origin() {
    // As carriers sell calls to Europe: a dearer price from outside the area, the dearest without a caller.
    let book = retail(
        "[origins]\neea = [\"30\", \"31\", \"353\"]\nuk = \"44\"\n",
        &deck(
            "prefix,origin",
            &[
                "France from EEA,33,eea",
                "France from UK,33,uk",
                "France from London,33,4420",
                "France from nobody,33,missing;invalid",
                "France,33,",
                "France mobile,336;337,",
                "France mobile from EEA,336;337,eea",
            ],
        ),
    );
    check(
        &book,
        &[
            ("+33199001234 from:+302101234567", "France from EEA"),
            ("+33199001234 from:+441632960000", "France from UK"),
            ("+33199001234 from:+442079460958", "France from London"),
            ("+33199001234 from:+12125550100", "France"),
            ("+33199001234 from:missing", "France from nobody"),
            ("+33199001234 from:invalid", "France from nobody"),
            // The longer destination decides, though no origin of it matches.
            ("+33612345678 from:+442079460958", "France mobile"),
            ("+33612345678 from:+302101234567", "France mobile from EEA"),
        ],
    );
}

#[test]
fn columns_decide_in_their_order() {
    let book = retail(
        "",
        &deck(
            "prefix,origin,caller_type,trunk,only_class,length",
            &[
                "all five,44,44,mobile,gamma,mobile,12",
                "from Britain,44,44,,,,",
                "mobile caller,44,,mobile,,,",
                "by gamma,44,,,gamma,,",
                "to mobiles,44,,,,mobile,",
                "twelve digits,44,,,,,12",
                "anything,44,,,,,",
            ],
        ),
    );
    check(
        &book,
        &[
            ("+447700900123 from:+447700900456 mobile trunk:gamma", "all five"),
            ("+447700900123 from:+447700900456 mobile", "from Britain"), // the origin outweighs all that follow
            ("+447700900123 from:+12125550100 mobile trunk:gamma", "mobile caller"),
            ("+447700900123 trunk:gamma", "by gamma"),
            ("+447700900123", "to mobiles"),
            ("+442079460958", "twelve digits"),
            ("+4420794609", "anything"),
        ],
    );
}

#[test]
fn a_row_that_offers_nothing_ends_the_search_only_where_its_conditions_hold() {
    let book = retail(
        "",
        &deck(
            "prefix,origin,status",
            &["World,*,,", "Cuba,53,,unknown", "Guantanamo,5399,44,blocked", "North Korea,850,,blocked"],
        ),
    );
    check(
        &book,
        &[
            ("+5371234567", "unknown Cuba"),
            ("+5399123456 from:+442079460958", "blocked Guantanamo"),
            ("+5399123456 from:+12125550100", "unknown Cuba"),
            ("+850212345678", "blocked North Korea"),
            ("+81312345678", "World"),
        ],
    );
    // Nothing is expected in the price cells of such rows.
    let bare = retail("", "prefix,destination,price,status\n53,Cuba,,unknown\n");
    check(&bare, &[("+5371234567", "unknown Cuba")]);
}

#[test]
fn rows_for_calls_in_are_a_world_of_their_own() {
    let book = retail(
        "",
        &deck(
            "prefix,direction,origin,caller_type",
            &[
                "Freephone in,44800;44808,in,,",
                "Freephone in from mobiles,44800;44808,in,,mobile",
                "Front desk in,number:+442079460958,in,,",
                "UK,44,out,,",
                "Freephone,44800,,,",
            ],
        ),
    );
    check(
        &book,
        &[
            ("+448001234567 in from:+441632960000", "Freephone in"),
            ("+448001234567 in from:+447700900123 mobile", "Freephone in from mobiles"),
            ("+442079460958 in", "Front desk in"),
            ("+442079460959 in", "not found"), // 44 is for calls out
            ("+448001234567", "Freephone"),
            ("+442079460958", "UK"),
        ],
    );
    let version = only(&book);
    assert!(version.prices_inbound_calls());
    assert!(version.row(0, LONDON).unwrap().inbound);
    assert!(!retail("", &deck("prefix", &["UK,44"])).prices_inbound_calls());
}

#[test]
fn the_origin_is_the_number_shown_or_that_of_the_line() {
    let rows = deck("prefix,origin", &["from Britain,33,44", "from Ireland,33,353", "from elsewhere,33,"]);
    for (settings, expected) in [
        ("", "from Britain"),
        ("origin_by = \"presentation\"\n", "from Britain"),
        ("origin_by = \"network\"\n", "from Ireland"),
    ] {
        check(&retail(settings, &rows), &[("+33199001234 from:+442079460958 line:+35312345678", expected)]);
    }
}

/// Rows of one key: the ones that conflict, as pairs of lines.
fn conflicts(head: &str, rows: &[&str]) -> Vec<String> {
    let settings = "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n\
                    jurisdictions = \"regions.csv\"\n[origins]\neea = [\"30\", \"31\", \"353\"]\nuk = \"44\"\n";
    let (_, findings) =
        read(&[("t.toml", settings), ("regions.csv", "prefix,region\n1212,NY\n"), ("d.csv", &deck(head, rows))]);
    let line =
        |label: &crate::finding::Label| format!("{}", label.source.text[..label.span.start].matches('\n').count());
    findings
        .iter()
        .map(|finding| {
            assert_eq!((finding.code, finding.labels.len()), ("tariff.rows_conflict", 2), "{finding}");
            format!("{}-{}", line(&finding.labels[1]), line(&finding.labels[0]))
        })
        .collect()
}

#[test]
fn two_rows_that_nothing_chooses_between_are_refused_and_others_are_not() {
    for (head, one, other, conflict) in [
        ("origin", "eea", "uk", false),
        ("origin", "eea", "30", true), // the zone is its prefixes
        ("origin", "eea", "3", false), // the longer one wins
        ("origin", "30;44", "uk;31", true),
        ("origin", "missing", "invalid", false),
        ("origin", "missing;44", "missing;30", true),
        ("origin", "eea", "", false),
        ("jurisdiction", "intra", "inter", false),
        ("jurisdiction", "intra;inter", "inter", true),
        ("caller_type", "fixed", "mobile", false),
        ("caller_type", "fixed;payphone", "mobile;payphone", true),
        ("trunk", "gamma", "bt", false),
        ("trunk", "gamma;bt", "BT", true),
        ("only_class", "mobile", "free", false),
        ("only_class", "mobile;free", "free", true),
        ("length", "10-11", "12-13", false),
        ("length", "10-12", "12-13", true),
        ("length", "-12", "11-", true),
        ("length", "", "11-", false),
        ("direction", "in", "out", false),
        ("direction", "in", "in", true),
        ("direction", "", "out", true),
        ("status", "blocked", "unknown", true), // a row that offers nothing is a row
        // Every filled column must be able to hold.
        ("origin,length", "eea,10", "30,11", false),
        ("origin,length", "eea,10-11", "30,11", true),
        ("origin,caller_type", "uk,", ",mobile", false), // other columns: the origin decides
        ("origin,from,until", "eea,,2026-07-01", "30,2026-07-01,", false),
        ("origin,from,until", "eea,,2026-07-02", "30,2026-07-01,", true),
        ("caller_type,from,until", "mobile,,2026-07-01", "mobile,2026-07-01,", false),
        ("caller_type,from,until", "mobile,,2026-07-02", "mobile,2026-07-01,", true),
    ] {
        let (one, other) = (format!("A,44,{one}"), format!("B,44,{other}"));
        let head = format!("prefix,{head}");
        let expected: &[&str] = if conflict { &["1-2"] } else { &[] };
        assert_eq!(conflicts(&head, &[&one, &other]), expected, "{head}: {one} {other}");
        assert_eq!(conflicts(&head, &[&other, &one]), expected, "{head}: {other} {one}");
        // Of other keys they never conflict.
        assert_eq!(conflicts(&head, &[&one, &other.replace("B,44,", "B,45,")]), [""; 0], "{head}");
    }
    for (one, other, conflict) in [
        ("*", "*", true),
        ("class:mobile", "class:mobile", true),
        ("class:mobile", "class:free", false),
        ("code:A", "code:A", true),
        ("code:A", "code:a", false),
        ("*", "class:free", false),
    ] {
        let found = conflicts("prefix", &[&format!("A,{one}"), &format!("B,{other}")]);
        assert_eq!(found.len(), usize::from(conflict), "{one} {other}");
    }
    // Of many rows, the pairs that clash.
    let many = ["A,44,eea", "B,44,uk", "C,44,353", "D,44,", "E,44,4420", "F,44,4420"];
    assert_eq!(conflicts("prefix,origin", &many), ["1-3", "5-6"]);
}

#[test]
fn candidates_say_why_they_lost() {
    let book = retail(
        "",
        &deck(
            "prefix,origin,caller_type,from,until,class",
            &[
                "0,*,,,,,",
                "1,44,,,,,",
                "2,4490,,,,,",
                "3,4490,44,,,,",
                "4,4490,44,mobile,,,",
                "5,4490,,mobile,,,",
                "6,4490,33,,,,",
                "7,4490,4420,,2026-08-01,,",
            ],
        ),
    );
    let candidate = |row, level, lost| Candidate { row, level, lost };
    let prefix = Level::Prefix(4);
    assert_eq!(
        only(&book).candidates(&ask("+449061234567 from:+442079460958 mobile"), at(NOON), LONDON),
        [
            candidate(2, prefix, Some(Lost::LessSpecific("origin"))),
            candidate(3, prefix, Some(Lost::LessSpecific("caller_type"))),
            candidate(4, prefix, None),
            candidate(5, prefix, Some(Lost::LessSpecific("origin"))),
            candidate(6, prefix, Some(Lost::Condition("origin"))),
            candidate(7, prefix, Some(Lost::NotValid)),
            candidate(1, Level::Prefix(2), Some(Lost::ProtectedClass)),
            candidate(0, Level::Any, Some(Lost::ProtectedClass)),
        ]
    );
    assert_eq!(only(&book).conditions_of(4).collect::<Vec<_>>(), [("origin", "44"), ("caller_type", "mobile")]);
}

fn family(child_rows: &[&str], parent_rows: &[&str]) -> TariffBook {
    let settings = |id: &str, more: &str| {
        format!(
            "id = \"{id}\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"{id}.csv\"]\n{more}"
        )
    };
    let grand = "price,destination,prefix\n9,Grandparent world,*\n9,Grandparent Norfolk Island,6723\n";
    book(&[
        ("child.toml", &settings("child", "parent = \"standard\"\n")),
        (
            "standard.toml",
            &settings(
                "standard",
                "parent = \"world\"\nrounding = { stage = \"call\", rule = \"up\", step = \"1p\" }\n",
            ),
        ),
        ("world.toml", &settings("world", "until = \"2027-01-01\"\n")),
        ("child.csv", &deck("prefix,origin,status", child_rows)),
        ("standard.csv", &deck("prefix,origin,status", parent_rows)),
        ("world.csv", grand),
    ])
}

fn inherited(book: &TariffBook, question: &str, instant: &str) -> String {
    let tariff = book.tariff_id("child").unwrap();
    let query = ask(question);
    let Some(found) = book.find(tariff, &query, at(instant), LONDON) else { return "not in force".to_owned() };
    let of = book.tariff(found.tariff).unwrap().id();
    let deciding = book.candidates(tariff, &query, at(instant), LONDON).into_iter().find(|(.., c)| c.lost.is_none());
    let name = |row| book.destination(found.rules.destination(row));
    match found.found {
        Match::Row(row) | Match::Blocked(row) | Match::Unknown(row) => {
            let (tariff, version, candidate) = deciding.unwrap();
            assert_eq!((tariff, version, candidate.row), (found.tariff, found.version, row), "{question}");
            format!("{of}: {}{}", if matches!(found.found, Match::Row(_)) { "" } else { "no " }, name(row))
        }
        Match::Protected(row) => format!("{of}: protected {}", name(row)),
        Match::NotFound => format!("{of}: not found"),
    }
}

#[test]
fn a_tariff_inherits_the_rows_that_it_lacks() {
    let book = family(
        &["Own UK,44,,", "Own mobile from abroad,447,33,", "No Cuba,53,,blocked"],
        &["UK,44,4420,", "London,4420,,", "UK mobile,447,,", "Cuban mobile,535,,"],
    );
    for (question, expected) in [
        ("+441632960000 from:+442079460958", "child: Own UK"), // at the same key the child, whatever the parent's conditions
        ("+442079460958", "standard: London"),                 // the longer prefix, wherever it is
        ("+447700900123 from:+33123456789", "child: Own mobile from abroad"),
        ("+447700900123", "standard: UK mobile"), // the child's row for that key is not for this call
        ("+5351234567", "standard: Cuban mobile"), // a longer prefix than the child's blocked one
        ("+5371234567", "child: no No Cuba"),
        ("+81312345678", "world: Grandparent world"),
        ("+672312345", "world: Grandparent Norfolk Island"),
        ("+449061234567", "child: protected Own UK"),
    ] {
        assert_eq!(inherited(&book, question, NOON), expected, "{question}");
    }
    // A parent that is not in force has nothing to give; the tariff itself must be.
    assert_eq!(inherited(&book, "+81312345678", "2027-07-01T12:00:00Z"), "child: not found");
    assert_eq!(inherited(&book, "+442079460958", "2025-07-01T12:00:00Z"), "not in force");
    // What decides brings its own rounding.
    let child = book.tariff_id("child").unwrap();
    let rounding = |question| book.find(child, &ask(question), at(NOON), LONDON).unwrap().rules.rounding();
    assert!(rounding("+442079460958").is_some() && rounding("+441632960000").is_none());
    let lost = |question| {
        let found = book.candidates(child, &ask(question), at(NOON), LONDON);
        found.into_iter().filter_map(|(.., candidate)| candidate.lost).collect::<Vec<_>>()
    };
    assert_eq!(lost("+441632960000 from:+442079460958"), [Lost::Inherited, Lost::LessSpecificKey]);
}

/// Key, origin, type of caller, trunk, length: the better row is greater.
type Worth = (usize, usize, bool, bool, bool);

/// A row as its author means it, for the naive scan.
#[derive(Clone, Debug)]
struct Naive {
    /// `None` is `*`.
    prefix: Option<String>,
    /// Empty for any; `-` stands for a missing caller.
    origins: Vec<String>,
    mobile: Option<bool>,
    trunk: Option<u8>,
    lengths: Option<(usize, usize)>,
    days: Option<(u32, u32)>,
    premium: bool,
    blocked: bool,
}

impl Naive {
    fn line(&self, index: usize) -> String {
        let origins: Vec<&str> = self.origins.iter().map(|o| if o == "-" { "missing" } else { o.as_str() }).collect();
        let length = self.lengths.map_or(String::new(), |(from, to)| format!("{from}-{to}"));
        let (from, until) = self.days.map_or((String::new(), String::new()), |(from, until)| {
            (format!("2026-07-{from:02}"), format!("2026-07-{until:02}"))
        });
        format!(
            "row{index},{},{},{},{},{length},{from},{until},{},{}",
            self.prefix.as_deref().unwrap_or("*"),
            origins.join(";"),
            self.mobile.map_or("", |mobile| if mobile { "mobile" } else { "fixed" }),
            self.trunk.map_or(String::new(), |trunk| format!("t{trunk}")),
            if self.premium { "premium" } else { "" },
            if self.blocked { "blocked" } else { "" },
        )
    }

    /// What the row is worth for a call, best greatest; `None` if it does not apply.
    fn worth(&self, call: &NaiveCall) -> Option<Worth> {
        let key = match &self.prefix {
            None => 0,
            Some(prefix) if call.number.starts_with(prefix.as_str()) => prefix.len(),
            Some(_) => return None,
        };
        let origin = if self.origins.is_empty() {
            0
        } else {
            let caller = call.caller.as_deref().unwrap_or("-");
            1 + self.origins.iter().filter(|origin| caller.starts_with(origin.as_str())).map(String::len).max()?
        };
        let holds = self.days.is_none_or(|(from, until)| from <= call.day && call.day < until)
            && self.mobile.is_none_or(|mobile| call.caller.is_some() && call.mobile == mobile)
            && self.trunk.is_none_or(|trunk| trunk == call.trunk)
            && self.lengths.is_none_or(|(from, to)| from <= call.number.len() && call.number.len() <= to);
        holds.then_some((key, origin, self.mobile.is_some(), self.trunk.is_some(), self.lengths.is_some()))
    }
}

#[derive(Clone, Debug)]
struct NaiveCall {
    number: String,
    caller: Option<String>,
    mobile: bool,
    trunk: u8,
    day: u32,
    /// A premium number, and how many digits tell.
    premium: Option<u8>,
}

fn naive_row() -> impl Strategy<Value = Naive> {
    (
        prop::option::weighted(0.9, "[1-2]{1,4}"),
        prop::collection::vec(prop_oneof!["1[1-2]{0,2}", Just("-".to_owned())], 0..3),
        prop::option::weighted(0.3, any::<bool>()),
        prop::option::weighted(0.3, 0_u8..2),
        prop::option::weighted(0.3, (5_usize..9, 0_usize..4).prop_map(|(from, more)| (from, from + more))),
        prop::option::weighted(0.4, (1_u32..20, 1_u32..12).prop_map(|(from, days)| (from, from + days))),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(prefix, origins, mobile, trunk, lengths, days, premium, blocked)| Naive {
            prefix,
            origins,
            mobile,
            trunk,
            lengths,
            days,
            premium,
            blocked,
        })
}

/// Whether nothing may choose between two rows.
fn clash(one: &Naive, other: &Naive) -> bool {
    let filled =
        |row: &Naive| (row.origins.is_empty(), row.mobile.is_some(), row.trunk.is_some(), row.lengths.is_some());
    one.prefix == other.prefix
        && filled(one) == filled(other)
        && (one.origins.is_empty() || one.origins.iter().any(|origin| other.origins.contains(origin)))
        && one.mobile == other.mobile
        && one.trunk == other.trunk
        && one.lengths.zip(other.lengths).is_none_or(|(a, b)| a.0 <= b.1 && b.0 <= a.1)
        && one.days.unwrap_or((0, 99)).0 < other.days.unwrap_or((0, 99)).1
        && other.days.unwrap_or((0, 99)).0 < one.days.unwrap_or((0, 99)).1
}

proptest! {
    #[test]
    fn the_row_found_is_that_of_a_naive_scan_over_all_rows(
        rows in prop::collection::vec(naive_row(), 1..40),
        calls in prop::collection::vec(
            (
                "[1-2]{5,9}",
                prop::option::weighted(0.8, "1[1-2]{6}"),
                any::<bool>(),
                0_u8..3,
                1_u32..31,
                prop::option::weighted(0.3, 0_u8..4),
            ),
            1..20,
        ),
    ) {
        let mut kept: Vec<Naive> = Vec::new();
        let mut refused: Option<Naive> = None;
        for row in rows {
            if kept.iter().any(|have| clash(have, &row)) {
                refused = refused.or(Some(row));
            } else {
                kept.push(row);
            }
        }
        let head = "prefix,origin,caller_type,trunk,length,from,until,class,status";
        let lines: Vec<String> = kept.iter().enumerate().map(|(index, row)| row.line(index)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let book = retail("zone = \"UTC\"\n", &deck(head, &lines));
        for (number, caller, mobile, trunk, day, premium) in calls {
            let call = NaiveCall { number, caller, mobile, trunk, day, premium };
            let mut best: Option<(Worth, u32)> = None;
            let mut protected = false;
            for (row, index) in kept.iter().zip(0_u32..) {
                let Some(worth) = row.worth(&call) else { continue };
                let long = row.prefix.is_some() && call.premium.is_none_or(|needed| worth.0 >= usize::from(needed));
                if call.premium.is_some() && !long && !row.premium && !row.blocked {
                    protected = true;
                } else if best.is_none_or(|(have, _)| worth > have) {
                    best = Some((worth, index));
                }
            }
            let class = if call.premium.is_some() { NumberClass::Premium } else { NumberClass::Ordinary };
            let trunk = format!("t{}", call.trunk);
            let of = call.caller.as_ref().map_or(Caller::Missing, |caller| Caller::of(number_of(caller)));
            let query = Query {
                caller: of,
                network_caller: of,
                caller_type: of.number().map(|_| if call.mobile { CallerType::Mobile } else { CallerType::Fixed }),
                trunks: [b"", trunk.as_bytes()],
                ..Query::new(Called::Number(number_of(&call.number), class, call.premium.unwrap_or(0)))
            };
            let instant = at(&format!("2026-07-{:02}T12:00:00Z", call.day));
            let found = only(&book).find(&query, instant, LONDON);
            let deciding = only(&book).candidates(&query, instant, LONDON).into_iter().find(|c| c.lost.is_none());
            prop_assert_eq!(deciding.map(|candidate| candidate.row), best.map(|(_, row)| row));
            match best {
                Some((_, row)) if kept[row as usize].blocked => prop_assert_eq!(found, Match::Blocked(row)),
                Some((_, row)) => prop_assert_eq!(found, Match::Row(row)),
                None if protected => prop_assert!(matches!(found, Match::Protected(_)), "{:?}", found),
                None => prop_assert_eq!(found, Match::NotFound),
            }
        }
        // A row that clashes with one of them is refused.
        if let Some(row) = refused {
            let line = row.line(kept.len());
            let lines: Vec<&str> = lines.iter().copied().chain([line.as_str()]).collect();
            let settings = "id = \"r\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"d.csv\"]\n";
            let (_, findings) = read(&[("r.toml", settings), ("d.csv", &deck(head, &lines))]);
            prop_assert!(findings.iter().any(|finding| finding.code == "tariff.rows_conflict"));
        }
    }
}

fn number_of(text: &str) -> E164 {
    E164::parse(text.as_bytes()).unwrap()
}
