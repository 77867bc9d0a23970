//! Law: no deck makes the reader panic; whatever deck is accepted, each of its prefixes finds a row (that one or one that
//! is longer or later), and every finding points into the deck.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rating_core::finding::{Findings, SourceText};
use rating_core::ids::SiteId;
use rating_core::number::{Digits, E164, NumberClass};
use rating_core::tariff::{Called, DestinationKey, Match, Query, TariffBook};
use rating_core::time::Zone;

const SETTINGS: &str = "id = \"t\"\nname = \"T\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nzone = \"Europe/London\"\n\
    prices = \"p/min\"\nfees = \"p\"\nincrements = \"30/6\"\nrounding = { stage = \"call\", rule = \"up\", step = \"0.5p\" }\n\
    decks = [\"deck.csv\"]\n[bands]\nday = [\"mon-fri 08:00-18:00\"]\nnight = [\"mon-fri 18:00-08:00\", \"sat-sun\"]\n\
    [band_sets.week]\nday = [\"mon-fri\"]\nweekend = [\"sat-sun\"]\n";

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A header that fits, half of the time.
    let text = if data.len() % 2 == 0 {
        text.to_owned()
    } else {
        format!("prefix,destination,class,price_day,price_night,price_weekend,band_set,connection,minimum,increments,from,until,status\n{text}")
    };
    let zone = Zone::utc();
    let mut findings = Findings::default();
    let settings = [SourceText::new("t.toml", SETTINGS)];
    let mut load = |_: &str| Some(SourceText::new("deck.csv", text.clone()));
    let book = TariffBook::read(&settings, &mut load, &[zone.clone().into()], &zone, &mut findings);
    for finding in findings.iter() {
        for label in &finding.labels {
            assert!(label.span.start <= label.span.end && label.span.end <= label.source.text.len());
        }
    }
    if findings.has_errors() {
        return;
    }
    let Some(version) = book.tariffs().first().and_then(|tariff| tariff.versions().first()) else { return };
    let site = SiteId(0);
    for row in 0..u32::try_from(version.row_count()).unwrap_or(0) {
        let Some(view) = version.row(row, site) else { continue };
        let DestinationKey::Prefix(prefix) = view.key else { continue };
        let Some(padding) = Digits::parse(&b"000000000000000"[prefix.len()..]) else { continue };
        let Some(number) = prefix.concat(padding).and_then(E164::new) else { continue };
        let found = version.find(&Query::new(Called::Number(number, NumberClass::Ordinary, 0)), view.valid.from, site);
        assert!(!view.valid.is_empty());
        assert!(matches!(found, Match::Row(_) | Match::Blocked(_) | Match::Unknown(_)), "{prefix} finds {found:?}");
    }
});
