//! Every case of `testdata/dial_plan/cases.csv`, and laws over made-up input.

use proptest::prelude::*;

use super::*;

/// The first countries with all the ways in which numbers are written; the others.
const CASES: [&str; 2] = [
    include_str!("../../../../testdata/dial_plan/cases.csv"),
    include_str!("../../../../testdata/dial_plan/world.csv"),
];

fn digits(text: &str) -> Digits {
    Digits::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

/// A plan from the columns of a case: `9;8` are two outside-line codes, `2000-2999;3100-3199` two ranges.
fn plan(country: &str, area_code: &str, outside_line: &str, extensions: &str) -> DialPlan {
    let site = SitePlan {
        country: country.to_owned(),
        area_code: Some(area_code).filter(|text| !text.is_empty()).map(digits),
        outside_line: outside_line.split(';').filter(|text| !text.is_empty()).map(digits).collect(),
        extensions: extensions
            .split(';')
            .filter_map(|range| range.split_once('-'))
            .map(|(from, to)| ExtensionRange { from: digits(from), to: digits(to) })
            .collect(),
    };
    DialPlan::compile(&site, &Countries::embedded()).unwrap()
}

fn role(name: &str) -> Role {
    match name {
        "dialled" => Role::Dialled,
        "sent" => Role::Sent,
        "delivered" => Role::Delivered,
        "calling_outside" => Role::CallingOutside,
        "calling_inside" => Role::CallingInside,
        other => panic!("no role {other}"),
    }
}

/// What the first digits tell at once is what all the readings come to, in every country and role: of each first five
/// digits, continued to every length.
#[test]
fn a_number_with_a_clear_beginning_is_read_as_all_others() {
    let countries = Countries::embedded();
    let mut read_at_once = 0;
    for country in countries.countries.keys() {
        for (lines, extensions) in [("", ""), ("9;0", "2000-2999"), ("8", "100000-100999")] {
            let plan = plan(country, "20", lines, extensions);
            for role in [Role::Dialled, Role::Sent, Role::Delivered, Role::CallingOutside, Role::CallingInside] {
                for head in (0..100_000_u32).step_by(7) {
                    let len = 5 + head as usize % 12;
                    let text = format!("{head:05}{:011}", u64::from(head) * 7_919 % 100_000_000_000);
                    let text = text.get(..len).unwrap().as_bytes();
                    if let Some(number) = plan.prefixed(text, role) {
                        read_at_once += 1;
                        let expected = (Party::Number(number), AccessCodes::default());
                        assert_eq!(
                            plan.read(text, role),
                            expected,
                            "{country} {lines} {role:?} {}",
                            text.escape_ascii()
                        );
                    }
                }
            }
        }
    }
    assert!(read_at_once > 100_000, "{read_at_once}");
}

fn shown(party: Party<'_>) -> String {
    match party {
        Party::Number(number) => number.to_string(),
        Party::Extension(digits) => format!("ext:{digits}"),
        Party::Emergency(digits) => format!("emergency:{digits}"),
        Party::ShortCode(digits) => format!("short:{digits}"),
        Party::Feature(_) => "feature".to_owned(),
        Party::Name(_) => "name".to_owned(),
        Party::Withheld => "withheld".to_owned(),
        Party::Unclassified(_) => "unclassified".to_owned(),
        Party::Missing => "missing".to_owned(),
    }
}

#[test]
fn every_case_of_the_table_reads_as_it_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut known: Option<(String, DialPlan)> = None;
    for record in CASES.iter().flat_map(|cases| csv::Reader::from_reader(cases.as_bytes()).into_records()) {
        let record = record.unwrap();
        let [country, area_code, outside_line, extensions, as_role, text, expected, class] =
            std::array::from_fn(|index| record.get(index).unwrap());
        let key = format!("{country},{area_code},{outside_line},{extensions}");
        if known.as_ref().is_none_or(|(have, _)| *have != key) {
            known = Some((key, plan(country, area_code, outside_line, extensions)));
        }
        let (key, plan) = known.as_ref().unwrap();
        let party = plan.normalise(text.as_bytes(), role(as_role));
        let (found_class, established) = plan.class_of(party);
        let found = format!("{},{}/{established}", shown(party), found_class.name());
        if found != format!("{expected},{class}") {
            wrong.push(format!("{key},{as_role},{text}: {found}, not {expected},{class}"));
        }
        count += 1;
    }
    assert!(count > 700, "only {count} cases were read");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_country_has_cases_of_each_kind() {
    use std::collections::BTreeMap;
    const KINDS: [&str; 6] = ["emergency", "unclassified", "abroad", "its own", "short or protected", "seven in all"];
    let mut seen: BTreeMap<String, [usize; 6]> = BTreeMap::new();
    for record in csv::Reader::from_reader(CASES[1].as_bytes()).into_records() {
        let record = record.unwrap();
        let [country, expected, class] = [0, 6, 7].map(|index| record.get(index).unwrap());
        let class = NumberClass::from_name(class.split('/').next().unwrap()).unwrap();
        let counts = seen.entry(country.to_owned()).or_default();
        counts[0] += usize::from(expected.starts_with("emergency:"));
        counts[1] += usize::from(expected == "unclassified");
        let abroad = expected.starts_with("+44");
        counts[2] += usize::from(abroad);
        counts[3] += usize::from(expected.starts_with('+') && !abroad);
        counts[4] += usize::from(expected.starts_with("short:") || class.is_protected());
        counts[5] += 1;
    }
    // Of a territory that dials as the country whose file it is in, and of Britain, a few show what is different.
    seen.retain(|id, _| !["AX", "CC", "CX", "GB", "SJ"].contains(&&**id));
    assert_eq!(seen.len(), 38, "{:?}", seen.keys());
    for (id, counts) in seen {
        for (kind, count) in KINDS.iter().zip(counts).take(5) {
            assert!(count > 0, "{id} has no case: {kind}");
        }
        assert!(counts[5] >= 7, "{id} has only {} cases", counts[5]);
    }
}

#[test]
fn countries_that_share_a_code_are_told_apart() {
    let plan = plan("GB", "20", "9", "2000-2999");
    for (number, country) in [
        ("+442079460958", Some("GB")),
        ("+441481960123", Some("GG")),
        ("+441534960123", Some("JE")),
        ("+441624960123", Some("IM")),
        ("+447911123456", Some("GG")),
        ("+447911223456", Some("GB")),
        ("+447700300123", Some("JE")),
        ("+12125550100", Some("US")),
        ("+14165550100", Some("CA")),
        ("+18765550100", Some("JM")),
        ("+17875550100", Some("PR")),
        ("+390669820000", Some("VA")),
        ("+390612345678", Some("IT")),
        ("+3780549885123", Some("SM")),
        ("+353861234567", Some("IE")),
        ("+34600123456", Some("ES")),
        ("+77011234567", Some("KZ")),
        ("+74951234567", Some("RU")),
        ("+4779021234", Some("SJ")),
        ("+3581812345", Some("AX")),
        ("+61891641234", Some("CX")),
        ("+97145550100", None),
    ] {
        assert_eq!(plan.country_of(E164::parse(number.as_bytes()).unwrap()), country, "{number}");
    }
}

#[test]
fn extensions_that_mean_something_else_are_listed() {
    let found: Vec<String> = plan("GB", "20", "9", "100-199;2000-2999;9100-9199")
        .conflicts()
        .into_iter()
        .map(|conflict| {
            format!("{} in {}-{}: {:?}", conflict.digits, conflict.range.from, conflict.range.to, conflict.winner)
        })
        .collect();
    assert!(found.contains(&"112 in 100-199: Emergency".to_owned()), "{found:?}");
    assert!(found.contains(&"9112 in 9100-9199: Emergency".to_owned()), "{found:?}");
    assert!(found.contains(&"101 in 100-199: Extension".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("2000-2999")), "{found:?}");
    assert_eq!(plan("GB", "20", "9", "2000-2999").conflicts(), []);
    // 118000 to 118999 hold every 118xxx: the prefix is what the two share.
    let directory = plan("GB", "20", "9", "118400-118499").conflicts();
    assert_eq!(directory.iter().map(|conflict| conflict.digits).collect::<Vec<_>>(), [digits("118")]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let site = |country: &str, outside: &[&str], from: &str, to: &str| SitePlan {
        country: country.to_owned(),
        area_code: None,
        outside_line: outside.iter().map(|text| digits(text)).collect(),
        extensions: vec![ExtensionRange { from: digits(from), to: digits(to) }],
    };
    for (site, code) in [
        (site("XX", &[], "100", "199"), "dial_plan.unknown_country"),
        (site("GB", &[], "199", "100"), "dial_plan.extension_range"),
        (site("GB", &[], "100", "1999"), "dial_plan.extension_range"),
        (site("GB", &[], "", ""), "dial_plan.extension_range"),
        (site("GB", &[""], "100", "199"), "dial_plan.empty_outside_line"),
    ] {
        assert_eq!(DialPlan::compile(&site, &Countries::embedded()).unwrap_err().code(), code);
    }
}

#[test]
fn a_file_of_ones_own_adds_and_replaces() {
    let text = r#"
        [plan]
        country_code = "44"
        international = "00"
        national = "0"
        emergency = "999"
        [plan.lengths]
        1-9 = "10"
        [ranges]
        premium = "20"
        [[country]]
        id = "GB"
        name = "Another Britain"
    "#;
    let mut findings = crate::finding::Findings::default();
    let mut countries = Countries::embedded();
    countries.add(&crate::finding::SourceText::new("own.toml", text), &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(countries.name("GB"), Some("Another Britain"));
    let site = SitePlan { country: "GB".to_owned(), area_code: None, outside_line: vec![], extensions: vec![] };
    let plan = DialPlan::compile(&site, &countries).unwrap();
    let party = plan.normalise(b"02079460958", Role::Dialled);
    assert_eq!(plan.class_of(party), (NumberClass::Premium, 4), "+44 20");
    assert_eq!(shown(plan.normalise(b"101", Role::Dialled)), "unclassified", "its short codes are gone");
}

const COUNTRIES: [(&str, &str, &str); 7] = [
    ("GB", "20", "44"),
    ("IE", "1", "353"),
    ("US", "212", "1"),
    ("DE", "30", "49"),
    ("FR", "1", "33"),
    ("IT", "06", "39"),
    ("SM", "0549", "378"),
];

const ROLES: [Role; 5] = [Role::Dialled, Role::Sent, Role::Delivered, Role::CallingOutside, Role::CallingInside];

#[test]
fn no_bytes_make_it_panic_and_what_it_normalised_it_leaves_alone() {
    let countries = Countries::embedded();
    let world = "AR 11,BR 11,CN 10,HK 2,HU 1,JP 3,KR 2,MX 55,MY 3,RU 495,SG 6"
        .split(',')
        .filter_map(|site| site.split_once(' '));
    let first = COUNTRIES.into_iter().map(|(country, area, _)| (country, area));
    let plans: Vec<DialPlan> =
        first.chain(world).map(|(country, area)| plan(country, area, "9;0", "2000-2999;100-199")).collect();
    assert_eq!(plans.len(), 18);
    let text = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "[0-9+*#() .,wpE;@:<>\"-]{0,30}".prop_map(String::into_bytes),
        "(9|0|00|011|\\+|141|\\*67|01013|\\+5411|\\+521|02|0015|90|810|8~10)?(15)?[0-9]{1,16}#?"
            .prop_map(String::into_bytes),
    ];
    proptest!(ProptestConfig::with_cases(1_000), |(text in text, which in 0..18_usize, as_role in 0..5_usize)| {
        let (plan, as_role) = (&plans[which], ROLES[as_role]);
        let party = plan.normalise(&text, as_role);
        let (class, established) = plan.class_of(party);
        prop_assert!(established <= 15 && (class != NumberClass::Emergency || as_role == Role::Dialled || as_role == Role::Sent));
        if let Some(number) = party.e164() {
            if let Some(country) = plan.country_of(number) {
                prop_assert!(countries.name(country).is_some());
            }
            let written = number.to_string();
            for again in ROLES {
                prop_assert_eq!(plan.normalise(written.as_bytes(), again), party);
            }
        }
    });
}

#[test]
fn national_and_local_numbers_get_the_country_code_of_the_site() {
    let plans = COUNTRIES.map(|(country, area, _)| plan(country, area, "", ""));
    proptest!(ProptestConfig::with_cases(2_000), |(text in "0?[1-9][0-9]{4,10}", which in 0..7_usize)| {
        if let Some(number) = plans[which].normalise(text.as_bytes(), Role::Dialled).e164() {
            let number = number.to_string();
            // What leads elsewhere by the plan: San Marino, Northern Ireland, French overseas departments. `01…` is an
            // operator-assisted international call in America.
            let own = number.starts_with(&format!("+{}", COUNTRIES[which].2));
            let elsewhere = match COUNTRIES[which].0 {
                "IT" => number.starts_with("+3780549"),
                "IE" => number.starts_with("+4428"),
                "FR" => ["+262", "+590", "+594", "+596"].iter().any(|code| number.starts_with(code)),
                "US" => text.starts_with("01"),
                _ => false,
            };
            prop_assert!(own || elsewhere, "{} → {}", text, number);
        }
    });
}

#[test]
fn the_codes_before_a_number_are_told() {
    let british = plan("GB", "20", "9;8", "2000-2999");
    let german = plan("DE", "30", "", "");
    let austere = plan("GB", "20", "", "2000-2999");
    let [brazilian, hong_kong] = [plan("BR", "11", "0", ""), plan("HK", "", "9", "")];
    let [chinese, australian] = [plan("CN", "10", "", ""), plan("AU", "2", "", "")];
    for (plan, text, line, carrier) in [
        (&british, "9 020 7946 0958", "9", ""),
        (&british, "802079460958", "8", ""),
        (&british, "979460958", "9", ""),
        (&british, "914102079460958", "9", "141"),
        (&british, "02079460958", "", ""), // the code is not always recorded
        (&british, "+442079460958", "", ""),
        (&british, "9101", "9", ""),
        (&british, "2214", "", ""),
        (&british, "9999", "", ""), // an emergency call
        (&british, "900", "", ""),  // no number at all
        (&german, "0103303012345678", "", "01033"),
        (&german, "03012345678", "", ""),
        (&austere, "902079460958", "", ""),
        (&brazilian, "00015442079460958", "0", "0015"),
        (&brazilian, "0 021 11 98765 4321", "0", "021"),
        (&brazilian, "9015 11 98765 4321", "", "9015"), // collect
        (&brazilian, "0 11 98765 4321", "0", ""),
        (&hong_kong, "0060442079460958", "", "0060"),
        (&hong_kong, "1507442079460958", "", "1507"),
        (&hong_kong, "21234567", "", ""),
        (&chinese, "1790900442079460958", "", "17909"),
        (&australian, "1414 02 9999 1234", "", "1414"),
    ] {
        let (party, codes) = plan.normalise_with_access(text.as_bytes(), Role::Dialled);
        assert_eq!((codes.line.to_string().as_str(), codes.carrier.to_string().as_str()), (line, carrier), "{text}");
        assert_eq!(party, plan.normalise(text.as_bytes(), Role::Dialled), "{text}");
    }
}

#[test]
fn a_number_with_masked_digits_is_never_the_number_of_the_digits_left() {
    for plan in [plan("GB", "20", "9", "2000-2999"), plan("IT", "", "", ""), plan("US", "212", "9", "")] {
        for text in [
            "0376667XXX",
            "0376667xxx",
            "4315132***",
            "4315132###",
            "+44163296****",
            "0207946****",
            "020794****",
            "2079460***",
            "020 7946 ****",
            "+44 1632 96XXXX",
            "0163296??? ",
            "01632960XXX@carrier",
            "2***",
            "21XX",
        ] {
            for role in [Role::Dialled, Role::Sent, Role::Delivered, Role::CallingOutside, Role::CallingInside] {
                let party = plan.normalise(text.as_bytes(), role);
                let known =
                    matches!(party, Party::Number(_) | Party::Extension(_) | Party::Emergency(_) | Party::ShortCode(_));
                assert!(!known, "{text} {role:?} {party:?}");
            }
        }
    }
}

#[test]
fn a_national_number_whose_zero_a_spreadsheet_took_is_read_where_the_source_says_so() {
    let plain = plan("GB", "20", "9", "2000-2999");
    let lost = plain.clone().with_lost_zero();
    for (text, without, with) in [
        ("2079460101", "+442079460101", "+442079460101"),
        ("120462345", "unclassified", "+44120462345"), // nine digits behind the zero: Bolton
        ("02079460101", "+442079460101", "+442079460101"),
        ("442079460101", "+442079460101", "+442079460101"),
        ("2001", "ext:2001", "ext:2001"),
        ("4512345678", "unclassified", "unclassified"), // Denmark without 00, or nothing
    ] {
        assert_eq!(shown(plain.normalise(text.as_bytes(), Role::CallingInside)), without, "{text}");
        assert_eq!(shown(lost.normalise(text.as_bytes(), Role::CallingInside)), with, "{text}");
    }
}
