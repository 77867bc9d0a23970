//! A CGRateS folder as tariffs of our own form: one for each tenant, category and subject.
//!
//! A profile becomes a tariff, each of its activations a version, each destination a row whose charge has the tiers as
//! steps and the timings as bands. Fallback subjects are written out: the rows of a fallback follow, where the profile
//! has none. What cannot be said is listed, and stands as a row of status `unknown`: calls to it are suspended, and no
//! shorter prefix prices them.

mod charges;
mod weeks;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{CgratesPlan, Offer, Plan};
use crate::finding::Findings;
use crate::money::Currency;
use crate::time::{Instant, Zone};
use charges::Charges;
use weeks::Weeks;

/// As for prices: a subject, its fallback, and that one's fallback.
const MOST_FALLBACKS: u8 = 3;
/// The most prefixes in one cell.
const CELL: usize = 100;

/// What the folder does not say.
#[derive(Clone, Copy, Debug)]
pub struct CgratesImport<'o> {
    /// What its amounts are in.
    pub currency: Currency,
    /// Whose clock its timings are read by.
    pub zone: &'o Zone,
}

/// A profile as a tariff.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CgratesTariff {
    /// The profile's tenant, category and subject.
    pub profile: [String; 3],
    /// Id of the tariff.
    pub id: String,
    /// Names and contents of its files: settings of each version, and their decks.
    pub files: Vec<(String, String)>,
    /// Rows with a price.
    pub priced: usize,
    /// What could not be said, one line each: such calls are suspended.
    pub left_out: Vec<String>,
    /// What is said, but not for ever or not quite.
    pub notes: Vec<String>,
}

/// A destination (`None` is `*any`), its prefixes, and the rows that a plan has for it.
type Offered<'p> = (Option<u32>, Vec<&'p [u8]>, &'p [Offer]);

/// What a version is made of.
struct Version<'p> {
    name: &'p str,
    from: &'p str,
    layers: &'p [&'p Plan],
    is_last: bool,
    has_plus: bool,
}

/// A row of a version, before it is written.
struct Row {
    /// Index of the destination; `None` is `*any`.
    destination: Option<u32>,
    keys: Vec<String>,
    charge: Result<String, String>,
}

impl CgratesPlan {
    /// Writes every profile as a tariff, in the order of tenant, category and subject.
    #[must_use]
    pub fn import(&self, options: &CgratesImport<'_>) -> Vec<CgratesTariff> {
        let mut ids = BTreeSet::new();
        let has_plus = self.prefixes.keys().any(|prefix| prefix.first() == Some(&b'+'));
        self.profiles
            .keys()
            .map(|key| {
                let mut parts = key.split('\n').map(str::to_owned);
                let profile = [(); 3].map(|()| parts.next().unwrap_or_default());
                let mut id = slug(&profile.join("-"));
                while !ids.insert(id.clone()) {
                    id.push('x');
                }
                self.tariff(profile, id, has_plus, options)
            })
            .collect()
    }

    fn tariff(&self, profile: [String; 3], id: String, has_plus: bool, options: &CgratesImport<'_>) -> CgratesTariff {
        let mut moments = BTreeSet::new();
        self.moments(&profile, &profile[2], 1, &mut moments);
        let own = self.activations(&profile, &profile[2]).first().map_or(Instant::MAX, |first| first.at);
        moments.retain(|moment| *moment >= own);
        let mut tariff = CgratesTariff { profile, id, ..CgratesTariff::default() };
        let versions: Vec<Instant> = moments.into_iter().collect();
        if versions.len() > 1 {
            let id = &tariff.id;
            let note = format!("{id}: in a call over a change of plans, maximum and rounding are of each plan's part");
            tariff.notes.push(note);
        }
        for (index, from) in versions.iter().enumerate() {
            let mut layers = Vec::new();
            self.layers(&tariff.profile, &tariff.profile[2], *from, 1, &mut layers);
            // CGRateS knows no time before its own; a version must begin somewhere.
            let from = if *from == Instant::MIN { "2000-01-01".to_owned() } else { options.zone.format(*from) };
            let name = if versions.len() == 1 { tariff.id.clone() } else { format!("{}-{}", tariff.id, slug(&from)) };
            let is_last = index + 1 == versions.len();
            let version = Version { name: &name, from: &from, layers: &layers, is_last, has_plus };
            self.version(&mut tariff, &version, options);
        }
        tariff
    }

    fn activations(&self, profile: &[String; 3], subject: &str) -> &[super::Activation] {
        let key = super::profile_key(&profile[0], &profile[1], subject);
        self.profiles.get(key.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The moments at which a subject, or one that it falls back on, changes plans.
    fn moments(&self, profile: &[String; 3], subject: &str, depth: u8, moments: &mut BTreeSet<Instant>) {
        if depth > MOST_FALLBACKS {
            return;
        }
        for activation in self.activations(profile, subject) {
            moments.insert(activation.at);
            for fallback in &activation.fallbacks {
                self.moments(profile, fallback, depth + 1, moments);
            }
        }
    }

    /// The plans that are asked at a moment, one after the other.
    fn layers<'p>(&'p self, profile: &[String; 3], subject: &str, at: Instant, depth: u8, layers: &mut Vec<&'p Plan>) {
        let begun = self.activations(profile, subject).iter().rev().find(|activation| activation.at <= at);
        let (Some(activation), true) = (begun, depth <= MOST_FALLBACKS) else { return };
        layers.extend(usize::try_from(activation.plan).ok().and_then(|index| self.plans.get(index)));
        for fallback in &activation.fallbacks {
            self.layers(profile, fallback, at, depth + 1, layers);
        }
    }

    /// What the plans offer, one after the other: a later one has what no earlier one knows.
    fn offered<'p>(&'p self, layers: &[&'p Plan]) -> Vec<Offered<'p>> {
        let mut offers = Vec::new();
        let mut covered: BTreeSet<&[u8]> = BTreeSet::new();
        for layer in layers {
            let before = covered.clone();
            let mut by_destination: BTreeMap<u32, Vec<&[u8]>> = BTreeMap::new();
            for (prefix, holders) in &self.prefixes {
                let hidden = (1..=prefix.len()).any(|length| prefix.get(..length).is_some_and(|p| before.contains(p)));
                // Of destinations with one prefix, the highest weight; of those, the first.
                let best = holders
                    .iter()
                    .filter_map(|holder| Some((super::find::weight(layer.by_destination.get(holder)?), holder)))
                    .max_by_key(|(weight, holder)| (*weight, std::cmp::Reverse(**holder)));
                if let (false, Some((_, holder))) = (hidden, best) {
                    by_destination.entry(*holder).or_default().push(prefix);
                    covered.insert(prefix);
                }
            }
            for (destination, mut prefixes) in by_destination {
                prefixes.sort_unstable();
                let rows = layer.by_destination.get(&destination).map_or(&[][..], Vec::as_slice);
                offers.push((Some(destination), prefixes, rows));
            }
            if !layer.any.is_empty() {
                offers.push((None, Vec::new(), &*layer.any));
                // Nothing gets past a row for everything.
                break;
            }
        }
        offers
    }

    fn version(&self, tariff: &mut CgratesTariff, version: &Version<'_>, options: &CgratesImport<'_>) {
        let Version { name, from, layers, is_last, has_plus } = version;
        let offers = self.offered(layers);
        let year = from.get(..4).and_then(|year| year.parse().ok()).unwrap_or(2000);
        let rows_of: Vec<&[Offer]> = offers.iter().map(|offer| offer.2).collect();
        let weeks = Weeks::new(&self.timings, &rows_of, year);
        let mut charges = Charges::new(self, &weeks, options.currency);
        let mut rows = Vec::new();
        for (place, (destination, prefixes, offered)) in offers.into_iter().enumerate() {
            let mut keys = Vec::new();
            for prefix in prefixes {
                match key(prefix, *has_plus) {
                    Some(key) => keys.push(key),
                    None => tariff.left_out.push(format!(
                        "{name}: prefix `{}` of `{}` is no number with its country code",
                        String::from_utf8_lossy(prefix),
                        self.destination_name(destination)
                    )),
                }
            }
            if destination.is_none() {
                keys.push("*".to_owned());
            }
            if !keys.is_empty() {
                rows.push(Row { destination, keys, charge: charges.of(place, offered) });
            }
        }
        let mut deck = String::from("prefix,destination,charges,status\n");
        for row in &rows {
            let destination = self.destination_name(row.destination);
            let (charge, status) = match &row.charge {
                Ok(charge) => (charge.as_str(), ""),
                Err(why) => {
                    tariff.left_out.push(format!("{name}: `{destination}` stands as unknown: {why}"));
                    ("", "unknown")
                }
            };
            for keys in row.keys.chunks(CELL) {
                let _ = writeln!(deck, "{},{},{charge},{status}", keys.join(";"), cell(destination));
                tariff.priced += usize::from(row.charge.is_ok());
            }
        }
        let mut settings = format!(
            "# From CGRateS: tenant {}, category {}, subject {}.\nid = {}\ncurrency = \"{}\"\nfrom = \"{from}\"\n\
             zone = \"{}\"\nboundary = \"split\"\noverrun = \"next\"\n",
            comment(&tariff.profile[0]),
            comment(&tariff.profile[1]),
            comment(&tariff.profile[2]),
            text(&tariff.id),
            options.currency,
            options.zone.name(),
        );
        if !is_last {
            settings.push_str("version_change = \"split\"\n");
        }
        // A prefix of CGRateS prices whatever begins with it.
        settings.push_str(
            "fallback = [\"premium\", \"personal\", \"paging\", \"service\", \"directory\", \"satellite\", \"short_code\"]\n",
        );
        let _ = writeln!(settings, "decks = [\"{name}.csv\"]");
        weeks.write(&mut settings);
        charges.write(&mut settings);
        tariff.notes.extend(weeks.notes().iter().map(|note| format!("{name}: {note}")));
        tariff.files.push((format!("{name}.toml"), settings));
        tariff.files.push((format!("{name}.csv"), deck));
    }

    fn destination_name(&self, destination: Option<u32>) -> &str {
        let name = destination.and_then(|index| self.destinations.get(usize::try_from(index).ok()?));
        name.map_or("*any", AsRef::as_ref)
    }
}

impl CgratesTariff {
    /// Reads what was written, as `rating check` does. What it finds is a fault of the import, or worth a look.
    #[must_use]
    pub fn check(&self, zone: &Zone) -> Findings {
        use crate::finding::SourceText;
        let settings: Vec<_> = self
            .files
            .iter()
            .filter(|(name, _)| name.ends_with(".toml"))
            .map(|(name, text)| SourceText::new(name.as_str(), text.as_str()))
            .collect();
        let mut load = |name: &str| {
            let file = self.files.iter().find(|file| file.0 == name);
            file.map(|(name, text)| SourceText::new(name.as_str(), text.as_str()))
        };
        let mut findings = Findings::default();
        let clock = crate::tariff::SiteClock::from(zone.clone());
        let _ = crate::tariff::TariffBook::read(&settings, &mut load, &[clock], zone, &mut findings);
        findings
    }
}

/// A prefix as a key of ours: digits, country code first. In a folder that writes any prefix with a plus, one without is
/// something else.
fn key(prefix: &[u8], has_plus: bool) -> Option<String> {
    let digits = match prefix.strip_prefix(b"+") {
        Some(digits) => digits,
        None if has_plus => return None,
        None => prefix,
    };
    let fits = !digits.is_empty() && digits.len() <= 15 && digits.first() != Some(&b'0');
    (fits && digits.iter().all(u8::is_ascii_digit)).then(|| String::from_utf8_lossy(digits).into_owned())
}

/// Small letters, digits and dashes.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "any".to_owned() } else { slug.to_owned() }
}

/// A text of a TOML file.
fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What may stand in a line of a comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A cell of a CSV table.
fn cell(text: &str) -> String {
    let plain = !text.contains(['"', ',', '\n', '\r']) && !text.starts_with('#');
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
