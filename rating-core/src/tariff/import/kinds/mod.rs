//! One file for each kind of rate deck: what its columns are, and what they mean.

mod a2billing;
mod astpp;
mod billingbooth;
mod deck;
mod gamma;
mod interconn;
mod kazoo;
mod sdf;
mod settle;
mod twilio;

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{self, Amount, Conventions, Increments, Read, Standing};
use super::columns::{self, Layout, Schema};
use super::offer::{Batch, Conditions, Key, Offer, OriginZone, RowPlace, RowState, Terms};
use super::sheet::{self, Sheet, SheetRow, Text};
use super::{Counts, Fault, Kind, Reject, Request};
use crate::number::Digits;

/// What is said about the unit of a kind's prices.
#[derive(Clone, Copy, Debug)]
enum Units {
    /// The file does not say: the request must.
    Asked,
    /// This one, with who says so.
    Fixed(&'static str, &'static str),
    /// Major units a minute of whatever currency, with who says so.
    Major(&'static str),
    /// Minor units a minute of whatever currency, with who says so.
    Minor(&'static str),
}

/// A kind of file.
struct Profile {
    schema: Schema,
    units: Units,
    /// What holds where the file has no increments, with who says so.
    increments: Option<(&'static str, &'static str)>,
    /// Band names, with the columns that have their prices.
    bands: &'static [(&'static str, &'static str)],
    keys: fn(&Cells<'_>, &mut Shared<'_>, &mut Vec<Key>) -> Read<()>,
    terms: fn(&Cells<'_>, &mut Shared<'_>, &mut Offer) -> Read<()>,
    /// What happens once all rows are read.
    finish: fn(&mut Vec<Offer>, &mut Shared<'_>),
    /// What an importing person should know.
    notes: &'static [&'static str],
    /// Fields with amounts, and with dates: what the conventions of the file are read from.
    amounts: &'static [&'static str],
    starts: &'static str,
    ends: &'static str,
    /// Whether end dates are known to be the first moment outside.
    ends_outside: bool,
}

/// What rows share: names of origin zones, tables beside the file.
struct Shared<'r> {
    request: &'r Request,
    zones: Vec<OriginZone>,
    bands: Vec<String>,
    fee_minor: u32,
    codes: Option<settle::Codes>,
    /// Whether codes stand without their country code, which another column has.
    codes_follow_country: bool,
    /// Weights of rows, by their index.
    weights: BTreeMap<u32, u32>,
    code_scratch: Vec<Digits>,
    /// More offers of the row in hand.
    extra: Vec<Offer>,
    /// Rows rejected by `finish`.
    late: Vec<(u32, Fault)>,
}

impl Shared<'_> {
    /// The zone of these caller prefixes, named `hint` if the name is still free.
    fn zone(&mut self, mut prefixes: Vec<Digits>, hint: &str) -> u16 {
        prefixes.sort_unstable();
        prefixes.dedup();
        if let Some(at) = self.zones.iter().position(|zone| zone.prefixes == prefixes) {
            return u16::try_from(at).unwrap_or(u16::MAX);
        }
        let free = |name: &str| !self.zones.iter().any(|zone| zone.name == name);
        let name = std::iter::once(hint.to_owned())
            .chain((2..).map(|number| format!("{hint}-{number}")))
            .find(|name| free(name))
            .unwrap_or_default();
        self.zones.push(OriginZone { name, prefixes });
        u16::try_from(self.zones.len() - 1).unwrap_or(u16::MAX)
    }
}

/// The cells of one row, by field.
struct Cells<'s> {
    row: SheetRow<'s>,
    layout: &'s Layout,
    conventions: &'s Conventions,
    request: &'s Request,
}

impl<'s> Cells<'s> {
    /// The text of a field; empty if the file does not have it.
    fn text(&self, field: &str) -> &'s str {
        self.layout.column(field).map_or("", |column| self.row.cell(column))
    }

    fn has(&self, field: &str) -> bool {
        self.layout.column(field).is_some()
    }

    /// Adds the column to what is wrong.
    fn at<T>(&self, field: &str, read: Read<T>) -> Read<T> {
        read.map_err(|mut fault| {
            fault.place.column =
                fault.place.column.take().or_else(|| self.layout.column(field).map(|at| self.layout.name(at)));
            fault
        })
    }

    /// A price, in the unit of prices.
    fn price(&self, field: &str) -> Read<Option<Amount>> {
        self.at(field, cells::amount(self.text(field), self.conventions, self.conventions.minor))
    }

    /// A fee, in the unit of fees; none for zero.
    fn fee(&self, field: &str) -> Read<Option<Amount>> {
        let read = cells::amount(self.text(field), self.conventions, self.conventions.fee_minor);
        self.at(field, read.map(|amount| amount.filter(|amount| !amount.is_zero())))
    }

    /// Seconds in milliseconds; `None` for an empty cell.
    fn seconds(&self, field: &str) -> Read<Option<i64>> {
        match self.text(field) {
            "" => Ok(None),
            text => self.at(field, cells::seconds(text)).map(Some),
        }
    }

    /// First and further increment from two columns, either of which may be missing or empty: `initial` and `next` are
    /// what then holds.
    fn increment_pair(&self, first: &str, further: &str, initial: i64, next: i64) -> Read<Option<Increments>> {
        let (one, two) = (self.seconds(first)?, self.seconds(further)?);
        if one.is_none() && two.is_none() {
            return Ok(None);
        }
        let (one, two) = (one.unwrap_or(initial), two.filter(|two| *two > 0).unwrap_or(next));
        self.at(further, cells::increment_pair(self.text(further), one, two)).map(Some)
    }

    /// Reads `from` and `until`, into `offer`.
    fn dates(&self, from: &str, until: &str, offer: &mut Offer) -> Read<()> {
        offer.from = self.at(from, cells::begins(self.text(from), self.conventions))?;
        let until_text = self.text(until);
        if !cells::is_nothing(until_text) {
            offer.until = self.at(until, cells::ends(until_text, self.conventions))?;
        }
        if let (Some(from), Some(until)) = (offer.from, offer.until) {
            let zone = self.conventions.zone.clone().unwrap_or_else(crate::time::Zone::utc);
            if from.in_zone(&zone) >= until.in_zone(&zone) {
                let message = format!("the row ends (`{until_text}`) before it begins (`{}`)", self.text("from"));
                let fault = Fault::new("import.bad_date", message, "ask which of the two dates is meant");
                return self.at("until", Err(fault));
            }
        }
        Ok(())
    }

    /// The codes of a row, with the country code of another column before each if there is one.
    fn prefixes(&self, field: &str, country: Option<&str>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
        let strip = self.conventions.strip.as_deref();
        let read = cells::codes(self.text(field), country, strip, &mut shared.code_scratch);
        self.at(field, read)?;
        keys.extend(shared.code_scratch.iter().copied().map(Key::Prefix));
        Ok(())
    }
}

/// A key for a charge code or a name.
fn code_key(text: &str) -> Read<Key> {
    if text.is_empty() {
        let help = "write the code that the calls' records carry";
        return Err(Fault::new("import.bad_code", "the charge code is empty", help));
    }
    Ok(Key::Written(format!("code:{text}").into()))
}

fn profile(kind: Kind, request: &Request) -> Profile {
    match kind {
        Kind::Astpp => astpp::profile(),
        Kind::A2billing => a2billing::profile(request),
        Kind::Kazoo => kazoo::profile(request),
        Kind::Gamma => gamma::profile(),
        Kind::Billingbooth => billingbooth::profile(request),
        Kind::Twilio => twilio::profile(),
        Kind::Sdf => sdf::profile(),
        Kind::Interconn => interconn::profile(),
        Kind::Deck => deck::profile(),
    }
}

fn nothing_more(_: &mut Vec<Offer>, _: &mut Shared<'_>) {}

/// Reads all files of a request to offers and rejects.
pub(super) fn read(request: &Request) -> Result<Batch, Vec<Fault>> {
    let profile = profile(request.kind, request);
    let mut faults = Vec::new();
    let mut opened: Vec<(Layout, Sheet<'_>)> = Vec::new();
    for (index, file) in request.files.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        match open(index, file, &profile, request) {
            Ok(found) => opened.push(found),
            Err(fault) => faults.push(*fault),
        }
    }
    if request.files.is_empty() {
        faults.push(Fault::new("import.empty", "there is no file to import", "name one or more files"));
    }
    let (basis, conventions, bands, mut notes) = match settle::settle(request, &profile, &opened, &mut faults) {
        Some(settled) if faults.is_empty() => settled,
        _ => return Err(faults),
    };
    let codes = match request.codes.as_ref().map(settle::Codes::read).transpose() {
        Ok(codes) => codes,
        Err(fault) => return Err(vec![*fault]),
    };
    notes.extend(profile.notes.iter().map(|note| (*note).to_owned()));
    let codes_follow_country = match settle::codes_follow_country(&opened) {
        Ok(follow) => follow,
        Err(fault) => return Err(vec![*fault]),
    };
    let mut shared = Shared {
        request,
        zones: Vec::new(),
        bands,
        fee_minor: basis.fee_minor,
        codes,
        codes_follow_country,
        weights: BTreeMap::new(),
        code_scratch: Vec::new(),
        extra: Vec::new(),
        late: Vec::new(),
    };
    let mut reader = Reader {
        profile: &profile,
        request,
        conventions: &conventions,
        offers: Vec::new(),
        rows: Vec::new(),
        rejects: Vec::new(),
        counts: Counts::default(),
    };
    for (layout, sheet) in &opened {
        reader.read(layout, sheet, &mut shared)?;
    }
    let Reader { mut offers, mut rows, mut rejects, counts, .. } = reader;
    (profile.finish)(&mut offers, &mut shared);
    for offer in offers.iter_mut().filter(|offer| offer.standing == Standing::Offered && offer.terms.steps.is_empty()) {
        offer.terms.increments = offer.terms.increments.or(basis.increments);
    }
    reject_late(&mut offers, &mut rejects, &mut rows, &shared.late);
    let columns = opened.into_iter().flat_map(|(layout, _)| layout.uses).collect();
    Ok(Batch { offers, rows, rejects, counts, columns, notes, bands: shared.bands, zones: shared.zones, basis })
}

fn open<'f>(
    index: u16,
    file: &'f super::InputFile,
    profile: &Profile,
    request: &Request,
) -> Result<(Layout, Sheet<'f>), Box<Fault>> {
    let text: Text<'f> = sheet::decode(index, file)?;
    let layout = columns::layout(&text, &profile.schema, request)?;
    let sheet = Sheet::read(&text, layout.separator);
    Ok((layout, sheet))
}

/// Rows that `finish` gives up: they stand as unknown, so that nothing shorter prices them.
fn reject_late(offers: &mut [Offer], rejects: &mut Vec<Reject>, rows: &mut [RowPlace], late: &[(u32, Fault)]) {
    let wanted: BTreeMap<u32, &Fault> = late.iter().map(|(row, fault)| (*row, fault)).collect();
    let mut standing = BTreeSet::new();
    for offer in offers.iter_mut() {
        if let Some(row) = offer.rows.iter().find(|row| wanted.contains_key(row)) {
            standing.insert(*row);
            offer.terms = Terms::default();
            offer.standing = Standing::Unknown;
            offer.rejected = true;
        }
    }
    for (row, fault) in wanted {
        let Some(place) = rows.get_mut(row as usize) else { continue };
        let mut fault = fault.clone();
        (fault.place.file, fault.place.line) = (place.file, place.line);
        place.state = RowState::Rejected;
        let stands_as_unknown = standing.contains(&row);
        rejects.push(Reject { fault, raw: place.raw.to_string(), stands_as_unknown, partly: false });
    }
}

struct Reader<'r> {
    profile: &'r Profile,
    request: &'r Request,
    conventions: &'r Conventions,
    offers: Vec<Offer>,
    rows: Vec<RowPlace>,
    rejects: Vec<Reject>,
    counts: Counts,
}

impl Reader<'_> {
    fn read(&mut self, layout: &Layout, sheet: &Sheet<'_>, shared: &mut Shared<'_>) -> Result<(), Vec<Fault>> {
        let mut only = Vec::new();
        for (name, value) in &self.request.only {
            let Some(column) = layout.by_name(name) else {
                let help = format!("its columns: {}", layout.headers.join(", "));
                return Err(vec![Fault::new("import.bad_column", format!("the file has no column `{name}`"), help)]);
            };
            only.push((column, value.as_str()));
        }
        for row in sheet.rows().skip(layout.first) {
            self.counts.read += 1;
            if !only.iter().all(|(column, value)| row.cell(*column) == *value) {
                self.counts.left_out += 1;
                continue;
            }
            let place = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            self.rows.push(RowPlace {
                file: row.file(),
                line: row.line(),
                raw: row.raw().into(),
                state: RowState::Pending,
            });
            let cells = Cells { row, layout, conventions: self.conventions, request: self.request };
            self.row(&cells, place, shared);
        }
        Ok(())
    }

    fn row(&mut self, cells: &Cells<'_>, place: u32, shared: &mut Shared<'_>) {
        let mut offer = Offer {
            rows: vec![place],
            keys: Vec::new(),
            destination: String::new(),
            conditions: Conditions::default(),
            terms: Terms::default(),
            standing: Standing::Offered,
            from: None,
            until: None,
            rejected: false,
            aside: false,
        };
        let keyed = shape(cells).and_then(|()| (self.profile.keys)(cells, shared, &mut offer.keys));
        let keys = match keyed {
            Ok(()) => true,
            Err(fault) => {
                self.reject(cells, fault, false);
                false
            }
        };
        if !keys {
            return;
        }
        match (self.profile.terms)(cells, shared, &mut offer) {
            Ok(()) => {}
            Err(fault) => {
                self.reject(cells, fault, true);
                shared.extra.clear();
                offer.terms = Terms::default();
                offer.standing = Standing::Unknown;
                offer.rejected = true;
            }
        }
        if offer.destination.is_empty() {
            offer.destination = offer.keys.first().map(ToString::to_string).unwrap_or_default();
        }
        self.offers.push(offer);
        self.offers.extend(shared.extra.drain(..).map(|offer| Offer { aside: true, ..offer }));
    }

    fn reject(&mut self, cells: &Cells<'_>, mut fault: Fault, stands_as_unknown: bool) {
        fault.place.file = cells.row.file();
        fault.place.line = cells.row.line();
        if let Some(row) = self.rows.last_mut() {
            row.state = RowState::Rejected;
        }
        self.rejects.push(Reject { fault, raw: cells.row.raw().to_owned(), stands_as_unknown, partly: false });
    }
}

/// Whether a row has the shape of its table.
fn shape(cells: &Cells<'_>) -> Read<()> {
    if cells.row.lines() > 1 {
        let message = format!("this row stands over {} lines", cells.row.lines());
        let help = "a quotation mark is opened and not closed on its line: double it (`\"\"`) or close it";
        return Err(Fault::new("import.quote_not_closed", message, help));
    }
    let (filled, width) = (cells.row.filled_width(), cells.layout.width);
    if width > 0 && filled > width {
        let message = format!("this row has {filled} cells, the header has {width}");
        let help = "put a text that holds the separator in double quotes";
        return Err(Fault::new("import.row_width", message, help));
    }
    if width > 0 && cells.row.width() < width && filled < width {
        // A row that is cut short must still have what the kind needs; what is missing at its end is empty.
        let last = cells.layout.fields().map(|(_, at)| at).max().unwrap_or(0);
        if cells.row.width() <= last {
            let message = format!("this row has {} cells, the header has {width}", cells.row.width());
            return Err(Fault::new("import.row_width", message, "write empty cells too, or look what is missing"));
        }
    }
    Ok(())
}

/// Prices by band from columns, or one price; an offer without any price is blocked or unknown, as `empty` says.
fn prices(
    cells: &Cells<'_>,
    shared: &Shared<'_>,
    bands: &[(&str, &str)],
    empty: Standing,
    offer: &mut Offer,
) -> Read<()> {
    offer.terms.price = cells.price("price")?;
    let mut missing = None;
    for (name, field) in bands.iter().filter(|(_, field)| cells.has(field)) {
        match (cells.price(field)?, shared.bands.iter().position(|band| band == name)) {
            (Some(amount), Some(band)) => offer.terms.bands.push((band, amount)),
            _ => missing = Some(*field),
        }
    }
    let none = offer.terms.price.is_none() && offer.terms.bands.is_empty();
    if none && offer.standing == Standing::Offered {
        offer.standing = empty;
    }
    if let Some(field) = missing.filter(|_| offer.terms.price.is_none() && !none) {
        let fault =
            Fault::new("import.price_missing", "this row has a price for some bands only", "ask for the missing one");
        return cells.at(field, Err(fault));
    }
    let first = offer.terms.bands.first().map(|(_, amount)| amount.clone());
    if let Some(first) = first.filter(|first| {
        offer.terms.bands.len() == shared.bands.len() && offer.terms.bands.iter().all(|(_, amount)| amount == first)
    }) {
        offer.terms.price = Some(first);
        offer.terms.bands.clear();
    }
    Ok(())
}
