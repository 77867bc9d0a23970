//! What tests of tariffs and of rating share: books from texts, and numbers with their class.

use std::sync::{Arc, LazyLock};

use super::{Called, Match, Query, SiteClock, TariffBook, TariffVersion};
use crate::finding::{Findings, SourceText};
use crate::ids::SiteId;
use crate::number::{Digits, E164, NumberClass};
use crate::time::{Instant, Zone};

/// The sites of every test, by their zones.
pub(crate) const SITES: [&str; 3] = ["Europe/London", "America/New_York", "Europe/Berlin"];
pub(crate) const LONDON: SiteId = SiteId(0);
pub(crate) const NEW_YORK: SiteId = SiteId(1);

/// Reads a book from named texts: every `.toml` is a settings file, the rest is what they name.
pub(crate) fn read(files: &[(&str, &str)]) -> (TariffBook, Findings) {
    static CLOCKS: LazyLock<[SiteClock; 3]> = LazyLock::new(|| SITES.map(|name| Zone::load(name).unwrap().into()));
    read_for(files, &*CLOCKS)
}

/// [`read`] for other sites; the first one's zone is the operator's.
pub(crate) fn read_for(files: &[(&str, &str)], sites: &[SiteClock]) -> (TariffBook, Findings) {
    let sources: Vec<Arc<SourceText>> = files.iter().map(|(name, text)| SourceText::new(*name, *text)).collect();
    let settings: Vec<Arc<SourceText>> =
        sources.iter().filter(|source| source.name.ends_with(".toml")).cloned().collect();
    let mut findings = Findings::default();
    let mut load = |name: &str| sources.iter().find(|source| source.name == name).cloned();
    let book = TariffBook::read(&settings, &mut load, sites, &sites[0].zone, &mut findings);
    (book, findings)
}

/// A book that must be sound.
pub(crate) fn book(files: &[(&str, &str)]) -> TariffBook {
    let (book, findings) = read(files);
    assert!(findings.is_empty(), "{:#?}", findings.iter().map(ToString::to_string).collect::<Vec<_>>());
    book
}

/// A tariff of one version: `retail`, in pounds, prices in pence a minute, with more settings and a deck.
pub(crate) fn retail(settings: &str, deck: &str) -> TariffBook {
    let head =
        "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"retail.csv\"]\n";
    book(&[("retail.toml", &format!("{head}{settings}")), ("retail.csv", deck)])
}

/// The only version of a book's only tariff.
pub(crate) fn only(book: &TariffBook) -> &TariffVersion {
    assert_eq!(book.tariffs().len(), 1);
    &book.tariffs()[0].versions()[0]
}

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

/// A called number or short code with the class that a British dial plan gives it. A text of up to six digits without `+`
/// is a short code.
pub(crate) fn called(text: &str) -> Called {
    const CLASSES: [(&str, NumberClass); 10] = [
        ("4470", NumberClass::Personal),
        ("447624", NumberClass::Mobile), // Isle of Man, inside the paging range
        ("4476", NumberClass::Paging),
        ("447", NumberClass::Mobile),
        ("4484", NumberClass::Service),
        ("4487", NumberClass::Service),
        ("449", NumberClass::Premium),
        ("870", NumberClass::Satellite),
        ("881", NumberClass::Satellite),
        ("1900", NumberClass::Premium),
    ];
    if text == "internal" {
        return Called::Internal;
    }
    if text.len() <= 6 && !text.starts_with('+') {
        let digits = Digits::parse(text.as_bytes()).unwrap();
        return if text.starts_with("118") {
            Called::ShortCode(digits, NumberClass::Directory, 3)
        } else {
            Called::ShortCode(digits, NumberClass::ShortCode, u8::try_from(text.len()).unwrap())
        };
    }
    let number = E164::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
    let digits = number.digits().to_string();
    let (class, needed) = (CLASSES.iter().find(|(prefix, _)| digits.starts_with(prefix)))
        .map_or((NumberClass::Ordinary, 0), |(prefix, class)| (*class, u8::try_from(prefix.len()).unwrap()));
    Called::Number(number, class, needed)
}

/// What a version says about a number, in words: the destination, `blocked D`, `protected D` or `not found`.
pub(crate) fn found(book: &TariffBook, number: &str, instant: &str) -> String {
    let (_, version) = book.tariffs()[0].version_at(at(instant), LONDON).unwrap();
    let name = |row| book.destination(version.destination(row));
    match version.find(&Query::new(called(number)), at(instant), LONDON) {
        Match::Row(row) => name(row).to_owned(),
        Match::Blocked(row) => format!("blocked {}", name(row)),
        Match::Unknown(row) => format!("unknown {}", name(row)),
        Match::Protected(row) => format!("protected {}", name(row)),
        Match::NotFound => "not found".to_owned(),
    }
}
