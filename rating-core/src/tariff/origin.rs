//! Where calls come from: country codes, zones of origin, and regions for jurisdictions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::notation::{self, Fault};
use super::settings::{Loader, beside};
use super::trie::Trie;
use super::{Caller, DestinationKey};
use crate::finding::settings::{Section, Spanned};
use crate::finding::table::Table;
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::ids::Interner;
use crate::number::{Digits, E164};

/// Country codes in use, but for 1 and 7: two digits, or the two digits of a block of ten and the third digits of it that
/// are in use (ITU, List of ITU-T Recommendation E.164 assigned country codes).
const COUNTRY_CODES: [(usize, &[usize]); 26] = [
    (21, &[1, 2, 3, 6, 8]),
    (22, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (23, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (24, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (25, &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
    (26, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (29, &[0, 1, 7, 8, 9]),
    (35, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (37, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (38, &[0, 1, 2, 3, 5, 6, 7, 9]),
    (42, &[0, 1, 3]),
    (50, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (59, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (67, &[0, 2, 3, 4, 5, 6, 7, 8, 9]),
    (68, &[0, 1, 2, 3, 5, 6, 7, 8, 9]),
    (69, &[0, 1, 2]),
    (80, &[0, 8]),
    (85, &[0, 2, 3, 5, 6]),
    (87, &[0, 8]),
    (88, &[0, 1, 2, 3, 6, 8]),
    (96, &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
    (97, &[0, 1, 2, 3, 4, 5, 6, 7, 9]),
    (99, &[2, 3, 4, 5, 6, 8]),
    // Blocks without any.
    (28, &[]),
    (83, &[]),
    (89, &[]),
];

/// For each first three digits, whether they begin with a country code in use.
const IN_USE: [bool; 1_000] = {
    let mut table = [false; 1_000];
    let mut head = 100;
    while head < 1_000 {
        let block = head / 10;
        let mut used = true;
        let mut index = 0;
        while index < COUNTRY_CODES.len() {
            if COUNTRY_CODES[index].0 == block {
                used = false;
            }
            index += 1;
        }
        index = 0;
        while index < COUNTRY_CODES.len() {
            let (of, thirds) = COUNTRY_CODES[index];
            let mut third = 0;
            while of == block && third < thirds.len() {
                if thirds[third] == head % 10 {
                    used = true;
                }
                third += 1;
            }
            index += 1;
        }
        table[head] = used;
        head += 1;
    }
    table
};

/// Whether a number begins with a country code that is in use.
#[inline]
pub(super) fn has_country_code(number: E164) -> bool {
    let head = usize::try_from(number.digits().prefix(3).value()).unwrap_or(0);
    IN_USE.get(head).copied().unwrap_or(false)
}

/// Callers that a row is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origins {
    /// Sorted.
    pub(super) prefixes: Vec<Digits>,
    /// Bit n is set if some prefix has n digits.
    lengths: u16,
    pub(super) missing: bool,
    pub(super) invalid: bool,
}

impl Origins {
    fn new(mut prefixes: Vec<Digits>, missing: bool, invalid: bool) -> Self {
        prefixes.sort_unstable();
        prefixes.dedup();
        let lengths = prefixes.iter().fold(0, |bits, prefix| bits | 1 << prefix.len());
        Self { prefixes, lengths, missing, invalid }
    }

    /// How well a caller matches: 1 and the digits of the longest prefix that it begins with; `None` if it does not match.
    #[inline]
    pub(super) fn rank(&self, caller: Caller) -> Option<u16> {
        let number = match caller {
            Caller::Missing => return self.missing.then_some(1),
            Caller::Invalid => return self.invalid.then_some(1),
            Caller::Number(number) => number.digits(),
        };
        let mut left = self.lengths;
        while left != 0 {
            let len = 15 - left.leading_zeros();
            left ^= 1 << len;
            let prefix = number.prefix(len as usize);
            if prefix.len() == len as usize && self.prefixes.binary_search(&prefix).is_ok() {
                return u16::try_from(len).ok().map(|len| len + 1);
            }
        }
        None
    }
}

/// Regions of numbers, for `jurisdiction`. Empty if the settings name no table.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    regions: Trie,
    pub(super) is_given: bool,
}

impl Regions {
    /// The region that a number lies in.
    #[inline]
    pub(super) fn of(&self, digits: Digits) -> Option<u32> {
        let mut region = None;
        self.regions.walk(digits, |_, found| region = Some(found));
        region
    }

    pub(super) fn bytes(&self) -> usize {
        if self.is_given { self.regions.bytes() } else { 0 }
    }
}

/// What the settings say about which rows apply.
#[derive(Debug)]
pub(super) struct Matching {
    /// The tariff whose rows apply where this one has none, and where it is named.
    pub(super) parent: Option<(String, Label)>,
    /// Whether the origin is the line's number rather than the one shown.
    pub(super) by_network: bool,
    zones: BTreeMap<String, Vec<Digits>>,
    pub(super) regions: Regions,
}

impl Matching {
    /// Reads `parent`, `origin_by`, `[origins]` and `jurisdictions`.
    pub(super) fn read(section: &Section, load: &mut Loader<'_>, findings: &mut Findings) -> Self {
        let parent = section.text("parent", findings);
        let parent = parent.map(|text| (text.value, section.label(&text.span, "")));
        let by_network =
            section.text("origin_by", findings).is_some_and(|text| match text.value.as_str() {
                "presentation" => false,
                "network" => true,
                other => {
                    let message = format!("`{other}` is not a number of the caller");
                    findings.push(Finding::error("tariff.bad_origin", message).at(section.label(&text.span, "")).help(
                        "write `presentation` for the number that the call shows, `network` for that of the line",
                    ));
                    false
                }
            });
        let zones = zones(section, load, findings);
        let regions = regions(section, load, findings);
        Self { parent, by_network, zones, regions }
    }

    /// Reads the cell `origin`: names of zones, prefixes, `missing` and `invalid`, with `;` between them.
    pub(super) fn origins(&self, text: &str) -> Result<Origins, Fault> {
        let (mut prefixes, mut missing, mut invalid) = (Vec::new(), false, false);
        for item in text.split(';').map(str::trim) {
            match (item, self.zones.get(item)) {
                (_, Some(zone)) => prefixes.extend_from_slice(zone),
                ("missing", _) => missing = true,
                ("invalid", _) => invalid = true,
                (name, _) if name.starts_with(|c: char| c.is_ascii_digit() || c == '+') => {
                    prefixes_of(name, &mut prefixes)?;
                }
                (name, _) => {
                    let names = || self.zones.keys().map(String::as_str).chain(["missing", "invalid"]);
                    let help = match did_you_mean(name, names()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            "write a zone of `[origins]`, a prefix such as `4420`, `missing` or `invalid`".to_owned()
                        }
                    };
                    return Err(Fault::new("tariff.unknown_origin", format!("`{name}` is not an origin"), help));
                }
            }
        }
        Ok(Origins::new(prefixes, missing, invalid))
    }
}

/// Reads prefixes alone: no numbers, classes or codes.
pub(super) fn prefixes_of(text: &str, prefixes: &mut Vec<Digits>) -> Result<(), Fault> {
    let mut keys = Vec::new();
    notation::keys(text, &mut keys)?;
    for key in keys {
        let DestinationKey::Prefix(digits) = key else {
            let help = "write prefixes alone here: `44`, `+4420`, `4474-4479`";
            return Err(Fault::new("tariff.bad_prefix", format!("`{key}` is not a prefix"), help));
        };
        prefixes.push(digits);
    }
    Ok(())
}

fn zones(section: &Section, load: &mut Loader<'_>, findings: &mut Findings) -> BTreeMap<String, Vec<Digits>> {
    let mut zones = BTreeMap::new();
    let Some(table) = section.table("origins", findings) else { return zones };
    let keys: Vec<Spanned<String>> = table.keys().cloned().collect();
    for key in keys {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = key.value.as_str();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic())
            || !name.chars().all(good)
            || matches!(name, "missing" | "invalid")
        {
            let message = format!("`{name}` cannot be the name of a zone");
            let help =
                "begin with a letter, go on with letters, digits, `-`, `_` and `.`; `missing` and `invalid` are taken";
            findings.push(Finding::error("tariff.bad_origin", message).at(table.label(&key.span, "")).help(help));
        }
        let mut prefixes = Vec::new();
        for text in table.texts(name, findings) {
            if is_file(&text.value) {
                if let Some(file) = load_beside(&table, &text, load, findings) {
                    read_zone(&file, &mut prefixes, findings);
                }
            } else if let Err(fault) = prefixes_of(&text.value, &mut prefixes) {
                findings.push(fault.at(table.label(&text.span, "")));
            }
        }
        zones.insert(key.value, prefixes);
    }
    table.finish(findings);
    zones
}

/// Zones are lists of prefixes or files of them.
fn is_file(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_alphabetic())
}

fn load_beside(
    section: &Section,
    name: &Spanned<String>,
    load: &mut Loader<'_>,
    findings: &mut Findings,
) -> Option<Arc<SourceText>> {
    let path = beside(&section.source().name, &name.value);
    let file = load(&path);
    if file.is_none() {
        findings.push(
            Finding::error("tariff.table_missing", format!("table `{path}` cannot be read"))
                .at(section.label(&name.span, ""))
                .help("paths are relative to the folder of this file"),
        );
    }
    file
}

fn read_zone(file: &Arc<SourceText>, prefixes: &mut Vec<Digits>, findings: &mut Findings) {
    let table = Table::read(file, &["prefix"], &["name"], findings);
    let column = table.column("prefix");
    for row in table.rows() {
        if let Some(Err(fault)) = row.required(column, findings).map(|text| prefixes_of(text, prefixes)) {
            findings.push(fault.at(row.label(column, "")));
        }
    }
}

/// Reads `jurisdictions`: the table of regions by prefix.
fn regions(section: &Section, load: &mut Loader<'_>, findings: &mut Findings) -> Regions {
    let mut regions = Regions { regions: Trie::new(), is_given: false };
    let Some(name) = section.text("jurisdictions", findings) else { return regions };
    regions.is_given = true;
    let Some(file) = load_beside(section, &name, load, findings) else { return regions };
    let table = Table::read(&file, &["prefix", "region"], &["name"], findings);
    let (prefix, region) = (table.column("prefix"), table.column("region"));
    let mut names = Interner::default();
    let mut found: Vec<(Digits, u32, usize)> = Vec::new();
    let mut digits = Vec::new();
    for (place, row) in table.rows().enumerate() {
        let (Some(text), Some(name)) = (row.required(prefix, findings), row.required(region, findings)) else {
            continue;
        };
        digits.clear();
        match prefixes_of(text, &mut digits) {
            Ok(()) => found.extend(digits.iter().map(|digits| (*digits, names.intern(name), place))),
            Err(fault) => findings.push(fault.at(row.label(prefix, ""))),
        }
    }
    found.sort_unstable_by_key(|(digits, _, place)| (digits.text_order(), *place));
    for group in found.chunk_by(|left, right| left.0 == right.0) {
        let Some((digits, id, first)) = group.first().copied() else { continue };
        regions.regions.insert(digits, id);
        if let Some((_, _, other)) = group.iter().find(|(_, other, _)| *other != id) {
            let label = |place: usize, text: &str| table.rows().nth(place).map(|row| row.label(prefix, text));
            let mut finding = Finding::error("tariff.region_conflict", format!("`{digits}` lies in two regions"));
            finding.labels.extend(label(*other, "this row"));
            finding.labels.extend(label(first, "and this one"));
            findings.push(finding.help("each prefix has one region; a longer prefix may have another"));
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn country_codes_are_those_that_the_itu_has_assigned() {
        for (text, known) in [
            ("12125550100", true),
            ("74951234567", true),
            ("442079460958", true),
            ("353123456789", true),
            ("21012345678", false), // spare
            ("21612345678", true),  // Tunisia
            ("2811234567", false),
            ("38312345678", true), // Kosovo
            ("3841234567", false),
            ("4221234567", false), // of the former Czechoslovakia
            ("6931234567", false),
            ("80012345678", true), // international freephone
            ("8041234567", false),
            ("870773111632", true), // Inmarsat
            ("8711234567", false),  // Inmarsat of old
            ("8831234567", true),
            ("97912345678", true), // international premium rate
            ("97812345678", false),
            ("99912345678", false),
            ("9989012345", true),
        ] {
            assert_eq!(has_country_code(E164::parse(text.as_bytes()).unwrap()), known, "{text}");
        }
    }
}
