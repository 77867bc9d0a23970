//! Numbers looked up one by one: how a site's dial plan reads them, and what the world's numbering plans say of them.
//! For people who wonder about a number, and for the comparison with the oracle. No price comes of it.

use std::io::Write as _;

use super::RunError;
use crate::mediation::dial_plan::{Countries, DialPlan, Role, SitePlan, SitePlanError};
use crate::number::numbering::describe;
use crate::number::{Digits, E164, NumberClass, Party};

/// Whose dial plan reads the numbers.
#[derive(Clone, Debug)]
pub struct Options {
    /// ISO 3166-1: `GB`.
    pub country: String,
    /// The area code without national prefix, for local numbers.
    pub area_code: Option<Digits>,
    /// Trunk access codes, such as 9.
    pub outside_line: Vec<Digits>,
}

/// Looks numbers up.
#[derive(Debug)]
pub struct Numbers {
    /// `None` takes international numbers only.
    plan: Option<DialPlan>,
}

/// The columns of an answer.
pub const HEADER: &str = "text,kind,number,class,region,type,place\n";

impl Numbers {
    /// International numbers only, with or without `+`.
    #[must_use]
    pub const fn international() -> Self {
        Self { plan: None }
    }

    /// Digits as somebody at such a site would key them.
    ///
    /// # Errors
    ///
    /// [`RunError::Usage`] if no dial plan has the country or an outside-line code has no digits.
    pub fn dialled(options: &Options) -> Result<Self, RunError> {
        let countries = Countries::embedded();
        let site = SitePlan {
            country: options.country.clone(),
            area_code: options.area_code,
            outside_line: options.outside_line.clone(),
            extensions: Vec::new(),
        };
        let plan = DialPlan::compile(&site, &countries).map_err(|error| {
            let known = match &error {
                SitePlanError::UnknownCountry(_) => {
                    format!(": there are {}", countries.ids().collect::<Vec<_>>().join(" "))
                }
                _ => String::new(),
            };
            RunError::Usage(format!("{error}{known}"))
        })?;
        Ok(Self { plan: Some(plan) })
    }

    /// Appends the answer for one text as a line of CSV: the text, what it is, the international number, its class in the
    /// dial plans (which guards prices), and region, type and place by the numbering plans (which do not).
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::run::numbers::{Numbers, Options};
    ///
    /// let site = Options { country: "GB".to_owned(), area_code: None, outside_line: vec![] };
    /// let mut out = Vec::new();
    /// Numbers::dialled(&site)?.answer(b"020 7946 0958", &mut out);
    /// assert_eq!(out, b"020 7946 0958,number,+442079460958,geographic,GB,fixed_line,London\n");
    /// # Ok::<(), rating_core::run::RunError>(())
    /// ```
    pub fn answer(&self, text: &[u8], out: &mut Vec<u8>) {
        let (party, class) = match &self.plan {
            Some(plan) => {
                let party = plan.normalise(text, Role::Dialled);
                (party, plan.class_of(party).0)
            }
            None => (E164::parse(text).map_or(Party::Unclassified(text), Party::Number), NumberClass::Ordinary),
        };
        let kind = match party {
            Party::Number(_) => "number",
            Party::Extension(_) => "extension",
            Party::Emergency(_) => "emergency",
            Party::ShortCode(_) => "short_code",
            Party::Feature(_) => "feature",
            Party::Name(_) => "name",
            Party::Withheld => "withheld",
            Party::Unclassified(_) => "unclassified",
            Party::Missing => "missing",
        };
        let class = match (&self.plan, party) {
            (Some(_), Party::Number(_) | Party::Emergency(_) | Party::ShortCode(_)) => class.name(),
            _ => "",
        };
        cell(text, out);
        out.push(b',');
        // Writing to a vector cannot fail.
        let _ = write!(out, "{kind},");
        match party {
            Party::Number(number) => {
                let described = describe(number);
                let number_type = described.number_type.name();
                let _ = write!(out, "{number},{class},{},{number_type},", described.region.unwrap_or_default());
                cell(described.place.unwrap_or_default().as_bytes(), out);
            }
            Party::Emergency(digits) | Party::ShortCode(digits) => {
                let _ = write!(out, "{digits},{class},,,");
            }
            _ => out.extend_from_slice(b",,,,"),
        }
        out.push(b'\n');
    }
}

/// A cell of CSV, in quotes where it needs them (RFC 4180).
fn cell(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Digits {
        Digits::parse(text.as_bytes()).unwrap()
    }

    fn answer(numbers: &Numbers, text: &str) -> String {
        let mut out = Vec::new();
        numbers.answer(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_read_by_the_sites_plan_and_described_by_the_worlds() {
        let site = Options { country: "GB".into(), area_code: Some(digits("20")), outside_line: vec![digits("9")] };
        let london = Numbers::dialled(&site).unwrap();
        for (text, expected) in [
            ("9999", "9999,emergency,999,emergency,,,\n"),
            ("118500", "118500,short_code,118500,directory,,,\n"),
            ("7946 0958", "7946 0958,number,+442079460958,geographic,GB,fixed_line,London\n"),
            ("0012125550100", "0012125550100,number,+12125550100,ordinary,US,fixed_line_or_mobile,\"New York, NY\"\n"),
            ("a,b\"", "\"a,b\"\"\",name,,,,,\n"),
            ("", ",missing,,,,,\n"),
        ] {
            assert_eq!(answer(&london, text), expected);
        }
        assert_eq!(answer(&Numbers::international(), "02079460958"), "02079460958,unclassified,,,,,\n");
        let unknown = Numbers::dialled(&Options { country: "XX".into(), area_code: None, outside_line: vec![] });
        assert!(unknown.unwrap_err().to_string().contains("no dial plan for country `XX`: there are AG AI"));
    }
}
