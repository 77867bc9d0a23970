//! What a rated shard says of itself: its totals, and the hash of its partial file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::RunError;
use super::super::control::Counts;
use crate::finding::{Finding, Findings};
use crate::money::{Currency, Total};

/// What the records of a shard came to when they were rated one by one: before duplicates are taken out, calls of several
/// records put together, and allowances settled, which needs all shards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Input files.
    pub files: u64,
    /// Their bytes, as stored.
    pub input_bytes: u64,
    /// Records read.
    pub records: u64,
    /// Of these: stand for a call by themselves.
    pub calls: u64,
    /// Of these: wait to be put together with others.
    pub set_aside: u64,
    /// Of these: no calls.
    pub not_a_call: u64,
    /// Of these: calls of other months.
    pub other_period: u64,
    /// Of these: not readable.
    pub rejected: u64,
    /// What occupiers would be charged, by currency, exact.
    pub retail: BTreeMap<String, String>,
    /// What the operator would be charged, by currency, exact.
    pub wholesale: BTreeMap<String, String>,
}

impl Totals {
    /// The identity `records = calls + set aside + no calls + other months + rejected`, and the words for it if it does not
    /// hold.
    ///
    /// # Errors
    ///
    /// The identity with its figures.
    pub(super) fn check(&self) -> Result<(), String> {
        let accounted = self.calls + self.set_aside + self.not_a_call + self.other_period + self.rejected;
        if self.records == accounted {
            return Ok(());
        }
        Err(format!(
            "{} records read, but {} calls + {} set aside + {} not calls + {} of other months + {} rejected = {accounted}",
            self.records, self.calls, self.set_aside, self.not_a_call, self.other_period, self.rejected
        ))
    }

    /// Adds what was counted of a file.
    pub(super) fn add_counts(&mut self, counts: &Counts) {
        self.records += counts.records;
        self.not_a_call += counts.not_a_call;
        self.other_period += counts.other_period;
        self.rejected += counts.rejected;
    }
}

/// Sums of money by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums(BTreeMap<Currency, Total>);

impl Sums {
    /// Adds a charge.
    pub(super) fn add(&mut self, currency: Currency, charge: Total) {
        let sum = self.0.entry(currency).or_insert(Total::ZERO);
        *sum = Total::from_units(sum.units().saturating_add(charge.units()));
    }

    /// Adds other sums.
    pub(super) fn merge(&mut self, other: &Self) {
        for (currency, total) in &other.0 {
            self.add(*currency, *total);
        }
    }

    /// As totals have them.
    #[must_use]
    pub(super) fn to_texts(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(currency, total)| (currency.code().to_owned(), total.to_string())).collect()
    }
}

/// What `rating rate-shard` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// SHA-256 of the plan's manifest.
    pub plan: String,
    /// The run that the shard is a part of.
    pub run: String,
    /// The shard's number.
    pub shard: u32,
    /// How many shards there are.
    pub of: u32,
    /// SHA-256 of the partial file, as `sha256sum` has it.
    pub sha256: String,
    /// Size of the partial file.
    pub bytes: u64,
    /// What its records came to.
    pub totals: Totals,
}

impl Acknowledgement {
    /// As one line of JSON, without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Compares what the partial files say with what was acknowledged, one line of JSON each. A shard that was rated again may
/// have several lines, all the same.
///
/// # Errors
///
/// [`RunError::Disagree`] with what is missing or differs.
pub(super) fn compare(name: &str, text: &str, partials: &[Acknowledgement]) -> Result<(), RunError> {
    let mut findings = Findings::default();
    let mut lines: BTreeMap<u32, Vec<(usize, Acknowledgement)>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Acknowledgement>(line) {
            Ok(read) => lines.entry(read.shard).or_default().push((number, read)),
            Err(error) => findings.push(
                Finding::error(
                    "shard.acknowledgement_differs",
                    format!("line {number} is no acknowledgement: {error}"),
                )
                .in_file(name),
            ),
        }
    }
    for partial in partials {
        let shard = partial.shard;
        let Some(own) = lines.remove(&shard) else {
            findings.push(
                Finding::error("shard.not_acknowledged", format!("nobody acknowledged shard {shard}"))
                    .in_file(name)
                    .help(format!("rate it again: `rating rate-shard`, shard {shard}")),
            );
            continue;
        };
        if let Some((number, _)) = own.iter().find(|(_, line)| line != partial) {
            findings.push(
                Finding::error(
                    "shard.acknowledgement_differs",
                    format!("shard {shard} was acknowledged in line {number} with another hash, plan or totals than its file has"),
                )
                .in_file(name)
                .help(format!("rate it again, and keep only what is acknowledged then: `rating rate-shard`, shard {shard}")),
            );
        }
    }
    for shard in lines.keys() {
        findings.push(
            Finding::error(
                "shard.acknowledgement_differs",
                format!("shard {shard} was acknowledged, and the plan has none"),
            )
            .in_file(name),
        );
    }
    if findings.is_empty() { Ok(()) } else { Err(RunError::Disagree(findings)) }
}

/// Compares what a partial file says of itself with what is in it.
///
/// # Errors
///
/// [`RunError::Disagree`] if that is not the same.
pub(super) fn agree(name: &str, said: &Totals, found: &Totals) -> Result<(), RunError> {
    let words = match found.check() {
        Ok(()) if said == found => return Ok(()),
        Ok(()) => "its totals are not the sum of what is in it".to_owned(),
        Err(words) => words,
    };
    let mut findings = Findings::default();
    findings.push(
        Finding::error("shard.totals_differ", words)
            .in_file(name)
            .help("a fault of this program: report it; nothing was published"),
    );
    Err(RunError::Disagree(findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledged(shard: u32) -> Acknowledgement {
        let totals = Totals { files: 1, records: 5, calls: 3, rejected: 2, ..Totals::default() };
        Acknowledgement {
            plan: "p".to_owned(),
            run: "r".to_owned(),
            shard,
            of: 2,
            sha256: "00".to_owned(),
            bytes: 9,
            totals,
        }
    }

    fn codes(text: &str) -> Vec<String> {
        match compare("acks", text, &[acknowledged(1), acknowledged(2)]) {
            Ok(()) => Vec::new(),
            Err(RunError::Disagree(findings)) => findings.iter().map(|finding| finding.code.to_owned()).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_shard_is_acknowledged_and_all_its_lines_say_the_same() {
        let (one, two) = (acknowledged(1).to_line(), acknowledged(2).to_line());
        let other = Acknowledgement { sha256: "11".to_owned(), ..acknowledged(2) }.to_line();
        let third = acknowledged(3).to_line();
        let none: [&str; 0] = [];
        assert_eq!(codes(&format!("{two}\n{one}\n")), none);
        assert_eq!(codes(&format!("{two}\n\n{one}\n{two}\n")), none, "rated twice, with the same result");
        assert_eq!(codes(&one), ["shard.not_acknowledged"]);
        assert_eq!(codes(&format!("{one}\n{two}\n{other}\n")), ["shard.acknowledgement_differs"]);
        assert_eq!(codes(&format!("{one}\n{two}\n{third}\n")), ["shard.acknowledgement_differs"]);
        assert_eq!(codes(&format!("{one}\n{two}\nno JSON\n")), ["shard.acknowledgement_differs"]);
    }

    #[test]
    fn totals_account_for_every_record() {
        let good = acknowledged(1).totals;
        agree("p", &good, &good).unwrap();
        let lost = Totals { calls: 2, ..good.clone() };
        assert!(matches!(agree("p", &lost, &lost), Err(RunError::Disagree(_))), "a record vanished");
        let other = Totals { retail: [("GBP".to_owned(), "1.00".to_owned())].into(), ..good.clone() };
        assert!(matches!(agree("p", &other, &good), Err(RunError::Disagree(_))));
    }
}
