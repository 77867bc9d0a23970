//! Law: no settings file makes the reader panic, every finding points into a file, and whatever is accepted prices any call
//! or says why not, in bounded time, and never below zero.
//!
//! The bytes are a settings file, a line of `---`, and a deck.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rating_core::finding::{Findings, SourceText};
use rating_core::ids::TariffId;
use rating_core::number::{E164, NumberClass, Party};
use rating_core::rating::{Question, ask};
use rating_core::tariff::TariffBook;
use rating_core::time::{Duration, Instant, Zone};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (settings, deck) = text.split_once("\n---\n").unwrap_or((text, "prefix,destination,price\n44,UK,1\n"));
    let zone = Zone::load("Europe/London").expect("London has a zone");
    let mut findings = Findings::default();
    let files = [SourceText::new("t.toml", settings.to_owned())];
    let mut load = |name: &str| Some(SourceText::new(name.to_owned(), deck.to_owned()));
    let book = TariffBook::read(&files, &mut load, &[zone.clone().into()], &zone, &mut findings);
    for finding in findings.iter() {
        for label in &finding.labels {
            assert!(label.span.start <= label.span.end && label.span.end <= label.source.text.len());
        }
    }
    if findings.has_errors() {
        return;
    }
    // The autumn night on which an hour comes twice, and calls from a millisecond to more than a day.
    let at = Instant::parse_rfc3339("2026-10-24T22:59:59.999Z").expect("an instant");
    for millis in [1, 999, 60_000, 3_661_001, 90_000_000] {
        for (number, class, digits) in [
            (b"+442079460958".as_slice(), NumberClass::Geographic, 3),
            (b"+447700900123", NumberClass::Mobile, 3),
            (b"+449098790000", NumberClass::Premium, 3),
        ] {
            let Some(called) = E164::parse(number) else { continue };
            let question =
                Question::new(Party::Number(called), (class, digits), at, Duration::from_millis(millis));
            if let Ok(working) = ask(&book, TariffId(0), &question).outcome {
                assert!(working.charge.units() >= 0, "{working:?}");
            }
        }
    }
});
