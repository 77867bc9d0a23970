//! What is worth a look in tariffs that are not wrong: rows that price nothing, prices out of line, numbers that only a
//! row not meant for them matches.
//!
//! Nothing here is proof of a mistake, and nothing here is asked when calls are rated. Each code is shown a few times for
//! each version of a tariff, and then counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::version::{RowView, TariffVersion};
use super::{DestinationKey, TariffBook};
use crate::finding::settings::{Section, Spanned};
use crate::finding::table::Table;
use crate::finding::{Finding, Findings, Label, SourceText};
use crate::ids::{DestinationId, SiteId};
use crate::money::Price;
use crate::number::{Digits, NumberClass};
use crate::time::{Instant, Interval};

/// How many findings of one code are shown for each version.
const EACH: usize = 3;

/// The site whose dates are looked at: rows and versions are compared on one clock, and any will do.
const ANY_SITE: SiteId = SiteId(u32::MAX);

/// How many times dearer or cheaper than its neighbours a price may be.
const TIMES: i128 = 10;

/// Hands out files by the names that rows carry.
pub type Loader<'l> = dyn FnMut(&str) -> Option<Arc<SourceText>> + 'l;

impl TariffBook {
    /// Looks at every version of every tariff. `ranges` are the digits that give a number its class, by the numbering
    /// plans; `load` hands out decks, to show rows.
    #[must_use]
    pub fn lint(&self, ranges: &[(Digits, NumberClass)], load: &mut Loader<'_>) -> Findings {
        let mut findings = Findings::default();
        for tariff in self.tariffs() {
            for version in tariff.versions() {
                let mut lint = Lint::new(self, version, ranges, load);
                lint.look();
                findings.extend(lint.finish());
            }
        }
        findings
    }
}

/// A row that is found by a prefix.
#[derive(Clone, Copy)]
struct Prefixed {
    digits: Digits,
    row: u32,
}

/// What siblings share: all digits but the last, and the class.
type Family = (Digits, Option<NumberClass>);

struct Lint<'b, 'l, 'f> {
    book: &'b TariffBook,
    version: &'b TariffVersion,
    ranges: &'b [(Digits, NumberClass)],
    classes: BTreeMap<Digits, NumberClass>,
    load: &'l mut Loader<'f>,
    texts: BTreeMap<String, Option<Arc<SourceText>>>,
    found: Vec<(u32, Finding)>,
    findings: Findings,
}

impl<'b, 'l, 'f> Lint<'b, 'l, 'f> {
    fn new(
        book: &'b TariffBook,
        version: &'b TariffVersion,
        ranges: &'b [(Digits, NumberClass)],
        load: &'l mut Loader<'f>,
    ) -> Self {
        Self {
            book,
            version,
            ranges,
            classes: ranges.iter().copied().collect(),
            load,
            texts: BTreeMap::new(),
            found: Vec::new(),
            findings: Findings::default(),
        }
    }

    fn finish(self) -> Findings {
        self.findings
    }

    fn look(&mut self) {
        let prefixed = self.prefixed();
        self.out_of_force();
        self.shadowed(&prefixed);
        let force = self.version.in_force(ANY_SITE);
        let live = |one: &Prefixed| self.view(one.row).is_some_and(|view| view.valid.overlaps(force));
        let live: Vec<Prefixed> = prefixed.into_iter().filter(live).collect();
        self.unpriced_classes(&live);
        self.outliers(&live);
        self.scale();
        self.never_used();
    }

    /// Charges, price points, sets of bands and origins that nothing names.
    fn never_used(&mut self) {
        let Some(source) = (self.load)(self.version.file()) else { return };
        let mut ignored = Findings::default();
        let section = Section::parse(&source, &mut ignored);
        let named = |table: &str| -> Vec<Spanned<String>> {
            let table = section.table(table, &mut Findings::default());
            table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
        };
        let points = section.text("price_points", &mut ignored);
        let kinds = [("charges", "charge"), ("band_sets", "set of bands"), ("origins", "origin")];
        let names = kinds.map(|(table, what)| (named(table), what));
        if points.is_none() && names.iter().all(|(names, _)| names.is_empty()) {
            return;
        }
        // What rows name, by the columns that name it.
        let mut used: [BTreeSet<String>; 3] = Default::default();
        let decks: BTreeSet<&str> = self.rows().map(|(_, view)| view.file).collect();
        for deck in decks {
            let Some(deck) = (self.load)(deck) else { continue };
            let table = Table::read_any(&deck, &mut ignored);
            let columns = ["charges", "band_set", "origin"].map(|name| table.column(name));
            for row in table.rows() {
                for (used, column) in used.iter_mut().zip(columns) {
                    let items = row.cell(column).split(['+', ';', ',']).map(str::trim).filter(|item| !item.is_empty());
                    used.extend(items.filter(|item| !used.contains(*item)).map(str::to_owned).collect::<Vec<_>>());
                }
            }
        }
        // Charges and surcharges have bands, and surcharges have origins.
        for table in ["charges", "surcharges"].iter().filter_map(|table| section.table(table, &mut ignored)) {
            for name in table.keys() {
                let Some(charge) = table.table(&name.value, &mut Findings::default()) else { continue };
                used[1].extend(charge.text("bands", &mut Findings::default()).map(|text| text.value));
                if let Some(when) = charge.table("when", &mut Findings::default()) {
                    used[2].extend(when.texts("origin", &mut Findings::default()).into_iter().map(|text| text.value));
                }
            }
        }
        for ((names, what), used) in names.iter().zip(&used) {
            for name in names.iter().filter(|name| !used.contains(&name.value)) {
                let message = format!("nothing names the {what} `{}`", name.value);
                let help = "remove it, or name it where it is meant; a slip of the finger in a deck names another";
                let label = section.label(&name.span, "");
                self.findings.push(Finding::warning("lint.never_used", message).at(label).help(help));
            }
        }
        // A list of price points is imported whole; that none of them is asked for is what is odd.
        let own: BTreeSet<&str> = names[0].0.iter().map(|name| name.value.as_str()).collect();
        if let Some(points) = points.filter(|_| used[0].iter().all(|name| own.contains(name.as_str()))) {
            let label = section.label(&points.span, "");
            let finding = Finding::warning("lint.never_used", "no row names a price point of this list");
            self.findings.push(finding.at(label).help("name them in the column `charges`, or leave the list out"));
        }
    }

    fn rows(&self) -> impl Iterator<Item = (u32, RowView<'b>)> + use<'b> {
        let version = self.version;
        (0_u32..)
            .zip(0..version.row_count())
            .filter_map(move |(row, _)| version.row(row, ANY_SITE).map(|view| (row, view)))
    }

    fn view(&self, row: u32) -> Option<RowView<'b>> {
        self.version.row(row, ANY_SITE)
    }

    /// Rows for prefixes, by their digits as text, then in the order of the decks.
    fn prefixed(&self) -> Vec<Prefixed> {
        let mut prefixed: Vec<Prefixed> = self
            .rows()
            .filter_map(|(row, view)| match view.key {
                DestinationKey::Prefix(digits) if !view.inbound => Some(Prefixed { digits, row }),
                _ => None,
            })
            .collect();
        prefixed.sort_by_key(|prefixed| (prefixed.digits.text_order(), prefixed.row));
        prefixed
    }

    /// Marks the line of a row.
    fn label(&mut self, row: u32, text: &str) -> Option<Label> {
        let view = self.view(row)?;
        let load = &mut self.load;
        let source = self.texts.entry(view.file.to_owned()).or_insert_with(|| load(view.file)).as_ref()?;
        Some(Label::new(source, source.line_span(usize::try_from(view.line).ok()?), text))
    }

    /// Sets a finding about a row aside; they are shown in the order of the rows.
    fn about(&mut self, row: u32, code: &'static str, message: String, help: impl Into<String>) {
        self.found.push((row, Finding::warning(code, message).help(help)));
    }

    /// Shows what was set aside: the first few, and how many more there are.
    fn show(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        // A row of a deck that lists several prefixes is several rows, but one line.
        found.sort_by_key(|(row, _)| *row);
        let line = |row: u32| self.version.row(row, ANY_SITE).map(|view| (view.file, view.line));
        found.dedup_by_key(|(row, finding)| (line(*row), finding.code, finding.message.clone()));
        let count = found.len();
        for (index, (row, mut finding)) in found.into_iter().enumerate().take(EACH + 1) {
            let label = self.label(row, "");
            let place = self.view(row).map(|view| view.file);
            if index == EACH && count > EACH + 1 {
                finding.message = format!("and {} more of these, the first of them here", count - EACH);
                finding.help = Some("look at the ones shown, and check again".to_owned());
            }
            self.findings.push(match (label, place) {
                (Some(label), _) => finding.at(label),
                (None, Some(file)) => finding.in_file(file),
                (None, None) => finding,
            });
        }
    }

    /// Rows whose dates and those of the version never meet.
    fn out_of_force(&mut self) {
        let force = self.version.in_force(ANY_SITE);
        for (row, view) in self.rows() {
            if view.valid.is_empty() || force.is_empty() {
                continue;
            }
            let message = if view.valid.until <= force.from {
                "this row ended before its tariff's version begins"
            } else if view.valid.from >= force.until {
                "this row begins when its tariff's version is over"
            } else {
                continue;
            };
            let help = "it prices nothing: remove it, or mend its dates";
            self.about(row, "lint.row_out_of_force", message.to_owned(), help);
        }
        self.show();
    }

    /// Rows for prefixes of which longer ones leave nothing: all ten digits that can follow have rows of their own, or
    /// belong to classes that the row may not price.
    fn shadowed(&mut self, prefixed: &[Prefixed]) {
        let force = self.version.in_force(ANY_SITE);
        let mut solid = Solid::default();
        for (digits, class) in self.ranges {
            // A prefix this short prices none of the class; a longer one may.
            if class.is_protected() && !self.version.falls_back(*class) {
                solid.add_guarded(*digits);
            }
        }
        let groups: Vec<&[Prefixed]> = prefixed.chunk_by(|left, right| left.digits == right.digits).collect();
        for group in &groups {
            let Some(first) = group.first() else { continue };
            let valid = group.iter().filter_map(|one| self.view(one.row)).filter(is_plain);
            solid.add_row(first.digits, covers(valid.map(|view| view.valid), force));
        }
        let shadowed = solid.shadowed();
        for group in groups {
            let Some(first) = group.first().filter(|first| shadowed.binary_search(&first.digits).is_ok()) else {
                continue;
            };
            for one in group {
                let Some(view) = self.view(one.row) else { continue };
                if view.class.is_some_and(NumberClass::is_protected) || !view.valid.overlaps(force) {
                    continue;
                }
                let message =
                    format!("no number is left for `{}`: longer prefixes have all that begin with it", first.digits);
                let help = "remove the row, or one of the longer ones if it is not meant";
                self.about(one.row, "lint.row_shadowed", message, help);
            }
        }
        self.show();
    }

    /// Premium and satellite numbers for which there is no row, though a shorter prefix matches that may not price them.
    fn unpriced_classes(&mut self, prefixed: &[Prefixed]) {
        for class in [NumberClass::Premium, NumberClass::Satellite] {
            if self.version.falls_back(class) || self.has_row_for(class) {
                continue;
            }
            let mut missing: Vec<(Digits, u32)> = Vec::new();
            for (range, _) in self.ranges.iter().filter(|(_, of)| *of == class) {
                if self.has_row_in(*range, prefixed) {
                    continue;
                }
                let Some(shorter) = self.shorter(*range, prefixed) else { continue };
                let Some(view) = self.view(shorter) else { continue };
                if view.class != Some(class) && !view.blocked {
                    missing.push((*range, shorter));
                }
            }
            missing.sort_by_key(|(range, _)| range.text_order());
            missing.dedup_by_key(|(range, _)| *range);
            let Some((_, row)) = missing.first().copied() else { continue };
            let (shown, more) = listed(missing.iter().map(|(range, _)| format!("+{range}")));
            let message =
                format!("{} numbers have no row, only prefixes that may not price them: {shown}{more}", class.name());
            let help = format!(
                "calls to them are suspended: add rows for them (`blocked` in `status` if they are barred), or name `{}` in \
                 `fallback`",
                class.name()
            );
            self.about(row, "lint.class_without_row", message, help);
            self.show();
        }
    }

    /// Whether a row prices a class by its name.
    fn has_row_for(&self, class: NumberClass) -> bool {
        self.rows().any(|(_, view)| view.key == DestinationKey::Class(class) && !view.inbound)
    }

    /// Whether a prefix begins with `range`, or a number does.
    fn has_row_in(&self, range: Digits, prefixed: &[Prefixed]) -> bool {
        let from = prefixed.partition_point(|one| one.digits.text_order() < range.text_order());
        prefixed.get(from).is_some_and(|one| one.digits.starts_with(range))
    }

    /// The row of the longest prefix that is shorter than `range` and begins it.
    fn shorter(&self, range: Digits, prefixed: &[Prefixed]) -> Option<u32> {
        (1..range.len()).rev().find_map(|len| {
            let wanted = range.prefix(len);
            let at = prefixed.binary_search_by_key(&wanted.text_order(), |one| one.digits.text_order()).ok()?;
            prefixed.get(at).map(|one| one.row)
        })
    }

    /// Prices ten times those of their neighbours, or a tenth: of the rows of the same destination, if it has three or
    /// more; else of the prefixes that differ in the last digit and are of the same class.
    fn outliers(&mut self, prefixed: &[Prefixed]) {
        for band in 0..u8::try_from(self.version.bands().len()).unwrap_or(u8::MAX) {
            let mut by_destination: BTreeMap<DestinationId, Vec<(u32, i128)>> = BTreeMap::new();
            for (row, view) in self.rows().filter(|(_, view)| is_plain(view)) {
                if let Some(price) = self.price(row, band) {
                    by_destination.entry(view.destination).or_default().push((row, price));
                }
            }
            by_destination.retain(|_, rows| rows.len() >= 3);
            for (destination, rows) in &by_destination {
                let Some(usual) = median(rows.iter().map(|(_, price)| *price)) else { continue };
                let odd: Vec<(u32, i128)> = rows.iter().copied().filter(|(_, price)| is_far(*price, usual)).collect();
                let Some((row, price)) = odd.first().copied() else { continue };
                let others = match odd.len() - 1 {
                    0 => String::new(),
                    1 => ", and so does one more row".to_owned(),
                    more => format!(", and so do {more} more rows"),
                };
                let message = format!(
                    "{}: this row costs {}, where most of the {} rows for it cost {}{others}",
                    self.book.destination(*destination),
                    self.shown(price),
                    rows.len(),
                    self.shown(usual),
                );
                self.about(row, "lint.price_out_of_line", message, OUT_OF_LINE);
            }
            let mut siblings: BTreeMap<Family, Vec<(Prefixed, i128)>> = BTreeMap::new();
            for one in prefixed {
                let Some(view) = self.view(one.row).filter(is_plain) else { continue };
                let (Some(family), Some(price)) = (self.family(one.digits), self.price(one.row, band)) else {
                    continue;
                };
                if !by_destination.contains_key(&view.destination) {
                    siblings.entry(family).or_default().push((*one, price));
                }
            }
            for (odd, price, usual) in siblings.values().filter_map(|prices| odd_one(prices)) {
                let message = format!(
                    "`{}` costs {}, where prefixes that differ in the last digit cost {} or so",
                    odd.digits,
                    self.shown(price),
                    self.shown(usual),
                );
                self.about(odd.row, "lint.price_out_of_line", message, OUT_OF_LINE);
            }
        }
        self.show();
    }

    /// What prefixes have in common that differ in the last digit only, and are in one country and of one class.
    fn family(&self, digits: Digits) -> Option<Family> {
        let stem = digits.prefix(digits.len().checked_sub(1)?);
        let class = self.class_of(digits);
        let least = match (stem.digit(0), class) {
            // Countries share +1, and are told apart by the three digits after it.
            (Some(1), _) => 4,
            (_, None) => 3,
            (_, Some(_)) => 2,
        };
        (stem.len() >= least).then_some((stem, class))
    }

    /// The class of all numbers that begin so, if the plans know it.
    fn class_of(&self, digits: Digits) -> Option<NumberClass> {
        (1..=digits.len()).rev().find_map(|len| self.classes.get(&digits.prefix(len)).copied())
    }

    /// What a minute costs by a row, in 10⁻¹² of the unit; `None` for rows that are free or not priced by time.
    fn price(&self, row: u32, band: u8) -> Option<i128> {
        let plan = self.version.plan(row, band)?;
        let per = i128::from(plan.per.as_millis());
        Some(i128::from(plan.price.units()) * 60_000 / per.max(1)).filter(|price| *price > 0)
    }

    fn shown(&self, price: i128) -> String {
        let price = Price::from_units(i64::try_from(price).unwrap_or(i64::MAX));
        format!("{price} {}/min", self.version.currency())
    }

    /// Decks that are a hundred times too dear or too cheap as a whole.
    fn scale(&mut self) {
        // What is usual is known for currencies whose unit is worth about as much as a pound.
        if !["GBP", "EUR", "USD", "CHF", "CAD", "AUD", "NZD", "GIP", "JEP", "GGP", "IMP"]
            .contains(&self.version.currency().code())
        {
            return;
        }
        let mut prices: Vec<(i128, u32)> = self
            .rows()
            .filter(|(_, view)| !view.class.is_some_and(NumberClass::is_protected))
            .filter_map(|(row, _)| Some((self.price(row, 0)?, row)))
            .collect();
        if prices.len() < 3 {
            return;
        }
        let middle = prices.len() / 2;
        let (_, (usual, row), _) = prices.select_nth_unstable(middle);
        let (usual, row) = (*usual, *row);
        // 1 a minute, and 0.0005: a hundred times what is dear, a tenth of what is cheap.
        let (most, least) = (1_000_000_000_000, 500_000_000);
        let (what, help) = if usual > most {
            ("dear", "if the prices are pence or cents, say so: `prices = \"p/min\"` or `\"ct/min\"`")
        } else if usual < least {
            ("cheap", "if the prices are pounds, euros or dollars, say so: `prices = \"GBP/min\"`")
        } else {
            return;
        };
        let message = format!(
            "these prices are very {what}: half the rows cost {} or {}",
            self.shown(usual),
            match what {
                "dear" => "more",
                _ => "less",
            }
        );
        self.about(row, "lint.price_scale", message, help);
        self.show();
    }
}

const OUT_OF_LINE: &str = "look for a slipped decimal point; if the price is right, leave it";

/// Whether a row applies to every call that its key fits.
const fn is_plain(view: &RowView<'_>) -> bool {
    !view.inbound && !view.conditional
}

/// Whether one is ten times the other.
const fn is_far(price: i128, usual: i128) -> bool {
    price >= TIMES * usual || price * TIMES <= usual
}

fn median(prices: impl Iterator<Item = i128>) -> Option<i128> {
    let mut prices: Vec<i128> = prices.collect();
    let middle = prices.len() / 2;
    if prices.is_empty() {
        return None;
    }
    Some(*prices.select_nth_unstable(middle).1)
}

/// The one price that is far from all others, where the others are close to each other; and what the others cost.
fn odd_one(prices: &[(Prefixed, i128)]) -> Option<(Prefixed, i128, i128)> {
    if prices.len() < 3 {
        return None;
    }
    prices.iter().enumerate().find_map(|(index, (one, price))| {
        let others = || prices.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, (_, price))| *price);
        let (least, most) = (others().min()?, others().max()?);
        let far = *price >= TIMES * most || *price * TIMES <= least;
        (far && most <= 2 * least).then_some((*one, *price, most))
    })
}

/// The first twelve of a list, and how many more there are.
fn listed(mut texts: impl ExactSizeIterator<Item = String>) -> (String, String) {
    const SHOWN: usize = 12;
    let more = texts.len().saturating_sub(SHOWN);
    let shown: Vec<String> = texts.by_ref().take(SHOWN).collect();
    (shown.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
}

/// Whether intervals together leave no moment of `whole` out.
fn covers(intervals: impl Iterator<Item = Interval>, whole: Interval) -> bool {
    let mut intervals: Vec<Interval> = intervals.collect();
    intervals.sort_unstable_by_key(|interval| interval.from);
    let mut reached: Instant = whole.from;
    for interval in intervals {
        if interval.from > reached {
            break;
        }
        reached = reached.max(interval.until);
    }
    reached >= whole.until
}

/// Which prefixes have all their numbers spoken for, by themselves or by longer ones.
#[derive(Default)]
struct Solid {
    /// [`Digits`] are ordered by their length first.
    nodes: BTreeMap<Digits, Node>,
}

#[derive(Clone, Copy, Default)]
struct Node {
    /// One bit for each next digit that is solid.
    children: u16,
    has_row: bool,
    is_solid: bool,
}

impl Solid {
    const ALL: u16 = (1 << 10) - 1;

    /// Digits that shorter prefixes may not price.
    fn add_guarded(&mut self, digits: Digits) {
        self.nodes.entry(digits).or_default().is_solid = true;
    }

    /// Digits with a row, that applies at all times or not.
    fn add_row(&mut self, digits: Digits, always: bool) {
        let node = self.nodes.entry(digits).or_default();
        node.has_row = true;
        node.is_solid |= always;
    }

    /// The prefixes with a row of which longer ones leave nothing, sorted.
    fn shadowed(mut self) -> Vec<Digits> {
        let mut shadowed = Vec::new();
        // From the longest to the shortest; each tells only shorter ones.
        let mut next = self.nodes.last_key_value().map(|(digits, node)| (*digits, *node));
        while let Some((digits, node)) = next {
            let covered = node.children == Self::ALL;
            if covered && node.has_row {
                shadowed.push(digits);
            }
            if (covered || node.is_solid)
                && let Some(last) = digits.len().checked_sub(1)
                && let Some(digit) = digits.digit(last)
            {
                self.nodes.entry(digits.prefix(last)).or_default().children |= 1 << digit;
            }
            next = self.nodes.range(..digits).next_back().map(|(digits, node)| (*digits, *node));
        }
        shadowed.sort_unstable();
        shadowed
    }
}

#[cfg(test)]
mod tests;
