//! Law: no file of another system makes an import panic; what comes out is accepted by this system's own reader, which the
//! import makes sure of by itself, and every row read is accounted for.
//!
//! The first byte says which system the file is from.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rating_core::tariff::import::{ImportError, InputFile, Kind, Request, import};

fuzz_target!(|data: &[u8]| {
    let Some((&first, file)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(first) % Kind::ALL.len()];
    let text = |text: &str| Some(text.to_owned());
    let request = Request {
        id: text("t"),
        // What every kind accepts: Twilio's files are in dollars, and only some kinds ask for a unit.
        currency: text("USD"),
        from: text("2026-01-01"),
        unit: if matches!(kind, Kind::Deck | Kind::Sdf | Kind::Gamma | Kind::Interconn) {
            text("ct/min")
        } else {
            None
        },
        increments: text("60/60"),
        zone: text("Europe/London"),
        bands: [("peak", "mon-fri 08:00-18:00"), ("offpeak", "mon-fri 18:00-08:00"), ("weekend", "sat-sun")]
            .map(|(name, times)| (name.to_owned(), times.to_owned()))
            .into(),
        ..Request::new(kind, vec![InputFile { name: "deck.csv".to_owned(), bytes: file.to_vec() }])
    };
    match import(&request) {
        Ok(imported) => assert!(imported.counts.balance()),
        Err(ImportError::Unbalanced(counts)) => panic!("{counts:?}"),
        Err(_) => {}
    }
});
