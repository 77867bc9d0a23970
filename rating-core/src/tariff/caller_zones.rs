//! Whose clock, if it is the caller's: zones by the beginning of the calling number.

use std::sync::Arc;

use super::DestinationKey;
use super::notation;
use super::trie::Trie;
use crate::finding::table::Table;
use crate::finding::{Finding, Findings, SourceText};
use crate::number::E164;
use crate::time::Zone;

/// Zones by prefix of the calling number; the longest prefix wins.
#[derive(Clone, Debug)]
pub(super) struct CallerZones {
    zones: Vec<Zone>,
    prefixes: Trie,
}

impl CallerZones {
    /// Reads a table of the columns `prefix` (as in decks: lists and ranges too) and `zone`.
    pub(super) fn read(file: &Arc<SourceText>, findings: &mut Findings) -> Self {
        let table = Table::read(file, &["prefix", "zone"], &["name"], findings);
        let (prefix, zone) = (table.column("prefix"), table.column("zone"));
        let mut zones: Vec<Zone> = Vec::new();
        let (mut keys, mut found) = (Vec::new(), Vec::new());
        for (place, row) in table.rows().enumerate() {
            let index = row.required(zone, findings).and_then(|name| {
                if let Some(known) = zones.iter().position(|have| have.name() == name) {
                    return Some(known);
                }
                match Zone::load(name) {
                    Some(loaded) => zones.push(loaded),
                    None => {
                        let message = format!("`{name}` is not a time zone");
                        let help = "write a name of the IANA database: `America/New_York`";
                        let finding = Finding::error("tariff.unknown_zone", message);
                        findings.push(finding.at(row.label(zone, "")).help(help));
                        return None;
                    }
                }
                Some(zones.len() - 1)
            });
            let Some(text) = row.required(prefix, findings) else { continue };
            if let Err(fault) = notation::keys(text, &mut keys) {
                findings.push(fault.at(row.label(prefix, "")));
                continue;
            }
            for key in &keys {
                match (key, index) {
                    (DestinationKey::Prefix(digits), Some(index)) => {
                        found.push((digits.text_order(), *digits, place, index))
                    }
                    (DestinationKey::Prefix(_), None) => {}
                    _ => {
                        let message = format!("`{key}` is not the beginning of a calling number");
                        let help = "write digits, country code first: `1212`";
                        let finding = Finding::error("tariff.bad_prefix", message);
                        findings.push(finding.at(row.label(prefix, "")).help(help));
                    }
                }
            }
        }
        // Text order puts a prefix before what extends it.
        found.sort_unstable_by_key(|(order, _, place, _)| (*order, *place));
        let mut prefixes = Trie::new();
        for pair in found.windows(2) {
            let ((.., digits, first, one), (.., again, second, other)) = (pair[0], pair[1]);
            if digits == again && one != other {
                let mut finding =
                    Finding::error("tariff.caller_zone_repeated", format!("callers from `{digits}` have two zones"));
                finding.labels.extend(table.rows().nth(second).map(|row| row.whole("this row")));
                finding.labels.extend(table.rows().nth(first).map(|row| row.whole("and this one")));
                findings.push(finding.help("remove one of the two rows"));
            }
        }
        for (_, digits, _, index) in found {
            prefixes.insert(digits, u32::try_from(index).unwrap_or(0));
        }
        Self { zones, prefixes }
    }

    /// The zone of a caller.
    #[inline]
    pub(super) fn of(&self, caller: E164) -> Option<&Zone> {
        let mut longest = None;
        self.prefixes.walk(caller.digits(), |_, zone| longest = Some(zone));
        self.zones.get(longest? as usize)
    }
}
