//! Tests of the directory, by what they look at.

mod findings;
mod holders;
mod properties;

use super::{Directory, Files, Lookup, Operator, Site};
use crate::finding::{Findings, SourceText};
use crate::number::{Digits, E164};
use crate::time::{Instant, Zone};

const OCCUPIERS: &str = "id,name\nacme,Acme Ltd\nbirch,Birch LLP\ncedar,Cedar\n";

const NUMBERS: &str = "number,last,site,kind\n\
    +442079460000,,ldn,main\n\
    +442079460001,+442079460099,ldn,ddi\n\
    +442079460900,,ldn,main\n\
    +12125550100,+12125550199,nyc,ddi\n";

const ALLOCATIONS: &str = "id,holder,site,number,last,extension,from,until,recorded_at,supersedes\n";

fn operator() -> Operator {
    Operator {
        id: "harbour".to_owned(),
        name: "Harbour Workspaces".to_owned(),
        billing_reference: Some("HW-0".to_owned()),
        zone: Zone::load("Europe/London").unwrap(),
    }
}

/// New York is given first: ids go by name, not by the order given.
fn sites() -> Vec<Site> {
    [("nyc", "America/New_York"), ("ldn", "Europe/London")]
        .map(|(id, zone)| Site { id: id.to_owned(), name: id.to_uppercase(), zone: Zone::load(zone).unwrap() })
        .into()
}

fn files(allocations: &str) -> Files {
    Files {
        occupiers: vec![SourceText::new("occupiers.csv", OCCUPIERS)],
        numbers: vec![SourceText::new("numbers.csv", NUMBERS)],
        allocations: vec![SourceText::new("allocations.csv", format!("{ALLOCATIONS}{allocations}"))],
        ..Files::default()
    }
}

fn read_known(files: &Files, known_at: Option<&str>) -> (Directory, Vec<String>) {
    let mut findings = Findings::default();
    let directory = Directory::read(files, &operator(), &sites(), known_at.map(instant), &mut findings);
    (directory, findings.iter().map(ToString::to_string).collect())
}

/// Reads a directory that must have no findings.
fn read(files: &Files) -> Directory {
    let (directory, found) = read_known(files, None);
    assert_eq!(found, [""; 0]);
    directory
}

fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

fn number(text: &str) -> E164 {
    E164::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

fn digits(text: &str) -> Digits {
    Digits::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

/// A look-up in words: `acme ldn +442079460001 ext 201`, `free ldn main`, `unknown`.
fn words(directory: &Directory, lookup: Lookup) -> String {
    match lookup {
        Lookup::Unknown => "unknown".to_owned(),
        Lookup::NotAllocated { site, main } => {
            format!("free {}{}", directory.sites()[site.index()].id, if main { " main" } else { "" })
        }
        Lookup::Held { payer, site, number, extension, main } => {
            let number = number.map_or_else(String::new, |number| format!(" {number}"));
            let extension = extension.map_or_else(String::new, |extension| format!(" ext {extension}"));
            let main = if main { " main" } else { "" };
            let (payer, site) = (&directory.payers()[payer.index()].id, &directory.sites()[site.index()].id);
            format!("{payer} {site}{number}{extension}{main}")
        }
    }
}
