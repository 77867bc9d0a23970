//! Calendars of holidays: files that people write, and those that are built in.
//!
//! The built-in tables are `calendars/*.csv`, with their sources; `calendars/README.md` says what is in them and what is
//! not, and `calendars/rebuild.py` makes them.

use std::sync::Arc;

use super::notation;
use crate::finding::table::Table;
use crate::finding::{Findings, SourceText, did_you_mean};
use crate::time::Date;

/// The built-in tables: by country, the subdivisions that have a calendar (the empty one is the country itself).
const COUNTRIES: [(&str, &[&str], &str); 11] = [
    ("AT", &[""], include_str!("calendars/AT.csv")),
    ("BE", &[""], include_str!("calendars/BE.csv")),
    ("CH", &[""], include_str!("calendars/CH.csv")),
    (
        "DE",
        &["", "BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"],
        include_str!("calendars/DE.csv"),
    ),
    ("ES", &[""], include_str!("calendars/ES.csv")),
    ("FR", &["", "57", "6AE"], include_str!("calendars/FR.csv")),
    ("GB", &["ENG", "NIR", "SCT", "WLS"], include_str!("calendars/GB.csv")),
    ("IE", &[""], include_str!("calendars/IE.csv")),
    ("IT", &[""], include_str!("calendars/IT.csv")),
    ("NL", &[""], include_str!("calendars/NL.csv")),
    ("US", &[""], include_str!("calendars/US.csv")),
];

/// The dates of a built-in calendar, in order; `None` if there is none of that id.
///
/// # Example
///
/// ```
/// use rating_core::tariff::calendar;
/// use rating_core::time::Date;
/// // 26 December 2026 is a Saturday: GOV.UK lists the Monday after it, and not the day itself.
/// let england = calendar::dates("GB-ENG").unwrap();
/// assert!(england.contains(&Date::new(2026, 12, 28).unwrap()));
/// assert!(!england.contains(&Date::new(2026, 12, 26).unwrap()));
/// assert_eq!(calendar::dates("GB"), None); // its four nations differ
/// ```
#[must_use]
pub fn dates(id: &str) -> Option<Vec<Date>> {
    let (country, part) = id.split_once('-').unwrap_or((id, ""));
    let (.., table) = COUNTRIES.iter().find(|(have, parts, _)| *have == country && parts.contains(&part))?;
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let day = |line: &str| {
        let (date, rest) = line.split_once(',')?;
        let (parts, _) = rest.split_once(',')?;
        let is_in = parts.is_empty() || parts.split(';').any(|have| have == part);
        Date::parse(date).filter(|_| is_in)
    };
    let mut dates: Vec<Date> = rows.filter_map(day).collect();
    dates.sort_unstable();
    dates.dedup();
    Some(dates)
}

/// The ids of the built-in calendars: ISO 3166 codes of countries and of their parts.
pub fn ids() -> impl Iterator<Item = String> {
    COUNTRIES.iter().flat_map(|(country, parts, _)| {
        parts.iter().map(move |part| if part.is_empty() { (*country).to_owned() } else { format!("{country}-{part}") })
    })
}

/// Reads a calendar file: CSV with a column `date` and, for people, `name`.
#[must_use]
pub fn read(file: &Arc<SourceText>, findings: &mut Findings) -> Vec<Date> {
    let table = Table::read(file, &["date"], &["name"], findings);
    let column = table.column("date");
    let mut dates = Vec::new();
    for row in table.rows() {
        if let Some(text) = row.required(column, findings) {
            match notation::date(text) {
                Ok(date) => dates.push(date),
                Err(fault) => findings.push(fault.at(row.label(column, ""))),
            }
        }
    }
    dates
}

/// What to write instead of the id of a calendar that there is not.
#[must_use]
pub fn suggestion(id: &str) -> String {
    let ids: Vec<String> = ids().collect();
    let of_country: Vec<&str> = ids
        .iter()
        .filter(|have| have.strip_prefix(id).is_some_and(|rest| rest.starts_with('-')))
        .map(|id| &**id)
        .collect();
    if !of_country.is_empty() {
        return format!("write which one: `{}`", of_country.join("`, `"));
    }
    match did_you_mean(id, ids.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write a file (`days.csv`) or a built-in calendar: {}", ids.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(id: &str, date: &str) -> bool {
        dates(id).unwrap_or_else(|| panic!("{id}")).contains(&Date::parse(date).unwrap())
    }

    #[test]
    fn every_row_of_every_table_is_read_and_every_calendar_has_days_in_every_year() {
        for (country, parts, table) in COUNTRIES {
            let mut rows = table.lines().filter(|line| !line.starts_with('#'));
            assert_eq!(rows.next(), Some("date,in,name"), "{country}");
            for row in rows {
                let cells: Vec<&str> = row.splitn(3, ',').collect();
                let date = Date::parse(cells[0]).unwrap_or_else(|| panic!("{country}: {row}"));
                assert!((1996..=2040).contains(&date.civil().0), "{country}: {row}");
                assert!(cells[1].split(';').all(|part| part.is_empty() || parts.contains(&part)), "{country}: {row}");
                assert!(!cells[2].is_empty(), "{country}: {row}");
            }
        }
        for id in ids() {
            let dates = dates(&id).unwrap();
            for year in 1996..=2040 {
                let count = dates.iter().filter(|date| date.civil().0 == year).count();
                if id == "ES" && year < 2008 {
                    assert_eq!(count, 0, "the table of Spain begins in 2008");
                    continue;
                }
                // Switzerland as a whole keeps four days; no calendar here keeps more than fifteen.
                assert!((4..=15).contains(&count), "{id} has {count} days in {year}");
            }
        }
    }

    #[test]
    fn british_days_are_those_that_govuk_lists() {
        // GOV.UK, "UK bank holidays", and its archive.
        for (id, date, expected) in [
            ("GB-ENG", "2026-12-28", true),  // Boxing Day (substitute)
            ("GB-ENG", "2026-12-26", false), // the Saturday that it stands for
            ("GB-ENG", "2020-05-08", true),  // early May bank holiday, moved to VE Day
            ("GB-ENG", "2020-05-04", false),
            ("GB-ENG", "2022-06-02", true), // spring bank holiday, moved
            ("GB-ENG", "2022-06-03", true), // Platinum Jubilee
            ("GB-WLS", "2022-09-19", true), // State Funeral of Queen Elizabeth II
            ("GB-ENG", "2023-05-08", true), // Coronation
            ("GB-SCT", "2026-01-02", true),
            ("GB-ENG", "2026-01-02", false),
            ("GB-SCT", "2026-06-15", true), // World Cup bank holiday, Scotland alone
            ("GB-NIR", "2026-06-15", false),
            ("GB-SCT", "2026-08-03", true), // summer bank holiday: the first Monday of August in Scotland,
            ("GB-SCT", "2026-08-31", false),
            ("GB-ENG", "2026-08-31", true),  // the last one elsewhere
            ("GB-SCT", "2026-04-06", false), // Easter Monday is none in Scotland
            ("GB-NIR", "2026-07-13", true),  // Battle of the Boyne (substitute)
            ("GB-NIR", "2026-03-17", true),
            ("GB-ENG", "1999-12-31", true),
            ("GB-ENG", "2002-06-04", true),
        ] {
            assert_eq!(has(id, date), expected, "{id} {date}");
        }
    }

    #[test]
    fn other_days_are_those_of_the_law() {
        for (id, date, expected) in [
            ("DE", "2026-10-03", true),     // Day of German Unity
            ("DE", "2017-10-31", true),     // the Reformation's five hundredth year, in all states that once
            ("DE", "2026-10-31", false),    // and not since
            ("DE-NI", "2026-10-31", true),  // but in Lower Saxony since 2018
            ("DE-NI", "2016-10-31", false), // and not before
            ("DE-BY", "2026-01-06", true),
            ("DE-BE", "2026-03-08", true), // since 2019
            ("DE-BE", "2018-03-08", false),
            ("DE-SN", "2026-11-18", true), // Repentance Day, in Saxony alone since 1995
            ("FR", "2026-07-14", true),
            ("FR-57", "2026-12-26", true),
            ("FR", "2026-12-26", false),
            ("IE", "2023-02-06", true), // Saint Brigid's Day, since 2023
            ("IE", "2022-02-07", false),
            ("IE", "2027-12-27", false), // no other day for a Saturday or Sunday
            ("US", "2026-07-03", true),  // Independence Day is a Saturday: kept on Friday
            ("US", "2026-07-04", false),
            ("US", "2027-12-31", true), // New Year's Day of 2028
            ("US", "2021-06-18", true), // Juneteenth, first kept in 2021
            ("US", "2020-06-19", false),
            ("NL", "2026-04-27", true), // King's Day
            ("NL", "2013-04-30", true), // Queen's Day
            ("BE", "2026-07-21", true),
            ("ES", "2026-10-12", true),
            ("IT", "2026-06-02", true),
            ("AT", "2026-10-26", true),
            ("CH", "2026-08-01", true),
        ] {
            assert_eq!(has(id, date), expected, "{id} {date}");
        }
        for id in ["", "GB", "DE-XX", "FR-ENG", "gb-eng"] {
            assert_eq!(dates(id), None, "{id}");
        }
    }

    #[test]
    fn what_is_no_calendar_is_met_with_one_that_is() {
        assert_eq!(suggestion("GB"), "write which one: `GB-ENG`, `GB-NIR`, `GB-SCT`, `GB-WLS`");
        assert_eq!(suggestion("GB-EN"), "did you mean `GB-ENG`?");
        assert!(suggestion("Mars").ends_with("NL, US"));
    }
}
