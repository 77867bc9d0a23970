//! Other systems' rate decks, turned into settings and decks of this one.
//!
//! Bytes in, texts out: nothing is written here. Every row of a file is imported, merged with an identical one, counted as
//! closed, left out because the caller said so, or rejected with its line, the reason and how to mend it. What a file does
//! not say (pounds or pence, whose clock, when the peak is) is asked for and never guessed. What comes out is read by
//! [`TariffBook::read`](super::TariffBook::read) before it is handed over.
//!
//! ```
//! use rating_core::tariff::import::{InputFile, Kind, Request, import};
//!
//! let deck = "Destination;Code;Rate;Increment\nUnited Kingdom;44;0,0103;30/6\nUK mobile;4474-4475;0,02;30/6\n";
//! let file = InputFile { name: "carrier.csv".into(), bytes: deck.into() };
//! let mut request = Request::new(Kind::Deck, vec![file]);
//! request.id = Some("carrier".into());
//! request.currency = Some("GBP".into());
//! request.from = Some("2026-12-01".into());
//! request.unit = Some("GBP/min".into());
//! let imported = import(&request).unwrap();
//! assert_eq!((imported.counts.read, imported.counts.imported), (2, 2));
//! assert_eq!(imported.deck.text, "prefix,destination,price\n44,United Kingdom,0.0103\n4474;4475,UK mobile,0.02\n");
//! ```

mod cells;
mod columns;
mod diff;
mod into;
mod kinds;
mod merge;
mod offer;
mod ours;
mod sheet;
mod write;

#[cfg(test)]
mod tests;

use std::fmt;

pub use diff::{Change, Changed, Comparison, Side, compare};
pub use into::{Merged, merge_into};
pub use sheet::InputFile;

use crate::finding::Findings;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// ASTPP's origination or termination rates.
    Astpp,
    /// An A2Billing rate card.
    A2billing,
    /// Kazoo's rates task.
    Kazoo,
    /// Gamma's tariff by charge code.
    Gamma,
    /// A Billingbooth rate sheet.
    Billingbooth,
    /// Twilio's price files: trunking, programmable voice, and numbers (inbound).
    Twilio,
    /// The A–Z deck with first and sub interval.
    Sdf,
    /// A list of prices by name and time slot.
    Interconn,
    /// Any A–Z deck whose header is understood.
    Deck,
}

impl Kind {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 9] = [
        Self::A2billing,
        Self::Astpp,
        Self::Billingbooth,
        Self::Deck,
        Self::Gamma,
        Self::Interconn,
        Self::Kazoo,
        Self::Sdf,
        Self::Twilio,
    ];

    /// As the command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Astpp => "astpp",
            Self::A2billing => "a2billing",
            Self::Kazoo => "kazoo",
            Self::Gamma => "gamma",
            Self::Billingbooth => "billingbooth",
            Self::Twilio => "twilio",
            Self::Sdf => "sdf",
            Self::Interconn => "interconn",
            Self::Deck => "deck",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What is to be imported, and what the files do not say themselves. Everything that is `None` or empty is asked for if
/// the files turn out to need it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose files they are.
    pub kind: Kind,
    /// The files; their rows become one deck.
    pub files: Vec<InputFile>,
    /// Id of the tariff; the files are named after it.
    pub id: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// From when the tariff holds, as settings write it.
    pub from: Option<String>,
    /// What bare prices are counted in: `p/min`, `USD/min`.
    pub unit: Option<String>,
    /// What bare fees are counted in, if not in the money of `unit`.
    pub fees: Option<String>,
    /// First and further increment, where the files do not say.
    pub increments: Option<String>,
    /// Whose clock times of day are read by; also the tariff's.
    pub zone: Option<String>,
    /// Bands of the week: name, then its times. A name may stand several times.
    pub bands: Vec<(String, String)>,
    /// More settings, as TOML, put into the tariff as they are.
    pub settings: Option<String>,
    /// Columns, where headers do not tell: ours (`price`), then theirs (by name, or `#3`).
    pub columns: Vec<(String, String)>,
    /// The order of the columns of a file without a header: our names, `-` for one that is not used.
    pub order: Vec<String>,
    /// `comma` or `point`, where the numbers of the file do not show it.
    pub decimal: Option<Decimal>,
    /// The order of day, month and year, where the dates of the file do not show it.
    pub dates: Option<DateOrder>,
    /// Whether an end date is the last day or the first moment outside.
    pub ends: Option<Ends>,
    /// What stands before a code and is no part of it: `00`, `011`.
    pub strip: Option<String>,
    /// Only rows whose column (by name) has this text; the others are counted as left out.
    pub only: Vec<(String, String)>,
    /// Which row counts if two for one prefix have different weights.
    pub weight: Option<Weight>,
    /// Whether to take what the carrier charges, where a file has both sides.
    pub cost: bool,
    /// Names to prefixes (CSV with `name,prefix`), for a file that has names alone.
    pub codes: Option<InputFile>,
    /// What a status word of the file means: `Pending` is `offered`.
    pub statuses: Vec<(String, String)>,
}

impl Request {
    /// A request that says no more than what is to be read.
    #[must_use]
    pub const fn new(kind: Kind, files: Vec<InputFile>) -> Self {
        Self {
            kind,
            files,
            id: None,
            currency: None,
            from: None,
            unit: None,
            fees: None,
            increments: None,
            zone: None,
            bands: Vec::new(),
            settings: None,
            columns: Vec::new(),
            order: Vec::new(),
            decimal: None,
            dates: None,
            ends: None,
            strip: None,
            only: Vec::new(),
            weight: None,
            cost: false,
            codes: None,
            statuses: Vec::new(),
        }
    }
}

/// The decimal sign of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimal {
    /// `0.0123`; a comma separates thousands.
    Point,
    /// `0,0123`; a point separates thousands.
    Comma,
}

/// The order of the parts of a date written with numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2026.
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
}

/// What an end date means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The row still holds on that day.
    LastDay,
    /// The row no longer holds from that moment on.
    FirstOutside,
}

/// Which of two weights wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The higher one.
    Higher,
    /// The lower one.
    Lower,
}

/// Where something stands in the files of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the file.
    pub file: u16,
    /// Line, counted from 1; 0 for the file as a whole.
    pub line: u32,
    /// The column by its name in the file, if it is about one cell.
    pub column: Option<String>,
}

/// What stops an import, or what is asked before it can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable code, `import.what`.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl Fault {
    fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let place = Place { file: 0, line: 0, column: None };
        Self { code, place, message: message.into(), help: help.into() }
    }
}

/// A row that is not imported, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// What is wrong, and where.
    pub fault: Fault,
    /// The row as it stands in the file.
    pub raw: String,
    /// Whether the row's prefixes stand in the deck all the same, with an unknown price, so that no shorter prefix
    /// prices them.
    pub stands_as_unknown: bool,
    /// Whether only some of the row's prefixes are meant; the row itself is imported.
    pub partly: bool,
}

/// What a column of a file was taken for, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnUse {
    /// Index of the file.
    pub file: u16,
    /// Place in the row, counted from 1.
    pub number: usize,
    /// The name in the file; empty without a header.
    pub header: String,
    /// What it is here; empty if it is not used.
    pub used_as: String,
    /// Why.
    pub reason: String,
}

/// How many rows became what. `read` is the sum of the next five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows with anything in them, header not counted.
    pub read: u64,
    /// In the deck.
    pub imported: u64,
    /// Identical to another row, and merged with it.
    pub duplicates: u64,
    /// Closing rows: they end a rate and have none themselves.
    pub closed: u64,
    /// Left out because the request says so.
    pub left_out: u64,
    /// Rejected.
    pub rejected: u64,
    /// Of those imported: not offered.
    pub blocked: u64,
    /// Of those imported: listed without a price.
    pub unknown: u64,
    /// Prefixes (or charge codes) in the deck.
    pub keys: u64,
    /// Prefixes that one row names twice.
    pub repeated_keys: u64,
    /// Rows written.
    pub written: u64,
}

impl Counts {
    /// Whether every row read is accounted for.
    #[must_use]
    pub const fn balance(&self) -> bool {
        self.read == self.imported + self.duplicates + self.closed + self.left_out + self.rejected
    }
}

/// A file to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// What an import came to.
#[derive(Debug)]
pub struct Imported {
    /// The settings file.
    pub settings: OutputFile,
    /// The deck.
    pub deck: OutputFile,
    /// What each column was taken for.
    pub columns: Vec<ColumnUse>,
    /// How the files were read: separators, decimal signs, what the kind says about its units.
    pub notes: Vec<String>,
    /// Rows that are not imported.
    pub rejects: Vec<Reject>,
    /// How many rows became what.
    pub counts: Counts,
    /// What reading the deck found; warnings at most.
    pub findings: Findings,
    /// The rows before they were written, for [`merge_into`].
    rows: merge::Rows,
}

/// Why an import came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportError {
    /// A file cannot be read, or a question must be answered first. All that could be found out is listed.
    Faults(Vec<Fault>),
    /// What was made is not accepted by this system's own reader. Nothing is handed out.
    Refused(Findings),
    /// A row was lost on the way: a fault of this program.
    Unbalanced(Counts),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => write!(f, "{}", faults.first().map_or("", |fault| &fault.message)),
            Self::Refused(_) => f.write_str("the deck made of the file is not accepted"),
            Self::Unbalanced(counts) => write!(f, "{} rows read, and not all accounted for", counts.read),
        }
    }
}

impl std::error::Error for ImportError {}

/// Reads the files of a request and makes a settings file and a deck of them.
///
/// # Errors
///
/// [`ImportError`]: files that are no tables, questions that the files leave open, and decks that this system's own reader
/// refuses. Rows that cannot be used are no error: they are rejects.
pub fn import(request: &Request) -> Result<Imported, ImportError> {
    let batch = kinds::read(request).map_err(ImportError::Faults)?;
    let merged = merge::merge(batch);
    let imported = write::write(request, merged)?;
    if !imported.counts.balance() {
        return Err(ImportError::Unbalanced(imported.counts));
    }
    Ok(imported)
}
