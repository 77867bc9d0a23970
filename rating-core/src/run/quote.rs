//! What single calls cost by a tariff, without a project: for trying tariffs, and for quotes.

pub mod cgrates;
pub mod lines;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::RunError;
use super::storage::Storage;
use crate::finding::{Finding, Findings, SourceText};
use crate::ids::{SiteId, TariffId};
use crate::mediation::dial_plan::{Countries, DialPlan, Role, SitePlan};
use crate::number::{Direction, NumberClass, Party};
use crate::rating::{Answer, Question, ask};
use crate::tariff::{SiteClock, Tariff, TariffBook, TariffVersion};
use crate::time::{Date, Zone};

/// What to quote from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Settings files of tariffs; the decks that they name stand beside them.
    pub files: Vec<PathBuf>,
    /// Which tariff, if the files hold several.
    pub id: Option<String>,
    /// Settings files of the carrier's tariff, for rows that mark up what the carrier charges. May be empty.
    pub wholesale: Vec<PathBuf>,
    /// The clock of the site, for tariffs that go by it, and of the operator.
    pub zone: Zone,
    /// The clocks of further sites, by their names.
    pub sites: Vec<(String, Zone)>,
    /// The holidays of a site by its name, or of all that are not named, for tariffs that ask for the site's own.
    pub holidays: Vec<(Option<String>, Vec<Date>)>,
    /// The country whose dial plan reads the numbers: ISO 3166-1.
    pub country: String,
}

impl Options {
    /// Quotes from these files, for a British site whose clock is UTC and that has no holidays of its own.
    #[must_use]
    pub fn new(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            id: None,
            wholesale: Vec::new(),
            zone: Zone::utc(),
            sites: Vec::new(),
            holidays: Vec::new(),
            country: "GB".to_owned(),
        }
    }
}

impl Options {
    /// What is given for the site of that name, or else for all.
    fn holidays_of(&self, site: Option<&String>) -> Option<Arc<[Date]>> {
        let of = |site: Option<&String>| {
            let mut given = self.holidays.iter().filter(move |(name, _)| name.as_ref() == site).peekable();
            given.peek()?;
            Some(given.flat_map(|(_, dates)| dates.iter().copied()).collect())
        };
        of(site).or_else(|| of(None))
    }
}

/// A tariff, ready to be asked.
#[derive(Debug)]
pub struct Quoter {
    book: TariffBook,
    tariff: TariffId,
    plan: DialPlan,
    sites: Vec<String>,
    /// The carrier's side.
    wholesale: Option<Box<Self>>,
}

impl Quoter {
    /// Reads and compiles the files. What is worth a look is in the findings; none of them is an error.
    ///
    /// # Errors
    ///
    /// [`RunError::Usage`] for a file or country that there is not, and if it is not clear which tariff is asked;
    /// [`RunError::Invalid`] for mistakes in the files.
    pub fn open(storage: &dyn Storage, options: &Options) -> Result<(Self, Findings), RunError> {
        let plan = SitePlan {
            country: options.country.clone(),
            area_code: None,
            outside_line: Vec::new(),
            extensions: Vec::new(),
        };
        let countries = Countries::embedded();
        let plan = DialPlan::compile(&plan, &countries).map_err(|error| {
            let known: Vec<&str> = countries.ids().collect();
            RunError::Usage(format!("{error}; the countries known are {}", known.join(", ")))
        })?;
        let (book, mut findings) = read(storage, options)?;
        if findings.has_errors() {
            return Err(RunError::Invalid(findings));
        }
        let tariff = choose(&book, options.id.as_deref())?;
        let sites = options.sites.iter().map(|(name, _)| name.clone()).collect();
        let mut wholesale = None;
        if !options.wholesale.is_empty() {
            let files = options.wholesale.clone();
            let (side, more) =
                Self::open(storage, &Options { files, id: None, wholesale: Vec::new(), ..options.clone() })?;
            findings.extend(more);
            wholesale = Some(Box::new(side));
        }
        Ok((Self { book, tariff, plan, sites, wholesale }, findings))
    }

    /// The tariffs that were read.
    #[must_use]
    pub const fn book(&self) -> &TariffBook {
        &self.book
    }

    /// The tariff that is asked.
    #[must_use]
    pub fn tariff(&self) -> Option<&Tariff> {
        self.book.tariff(self.tariff)
    }

    /// The version that an answer comes from.
    #[must_use]
    pub fn version(&self, answer: &Answer) -> Option<&TariffVersion> {
        self.book.tariff(answer.tariff)?.versions().get(usize::from(answer.version?))
    }

    /// Who was called: as people dial it, or with country code and no plus, if only one number can be meant. With its
    /// class, and how many digits establish it.
    #[must_use]
    pub fn called<'a>(&self, text: &'a [u8]) -> (Party<'a>, (NumberClass, u8)) {
        let party = match self.plan.normalise(text, Role::Dialled) {
            // Bare digits of another country.
            Party::Unclassified(_) => self.plan.normalise(text, Role::CallingOutside),
            party => party,
        };
        (party, self.plan.class_of(party))
    }

    /// Who called: a number as carriers show it, or a word for none. Unless the call comes in, `2001` is an extension.
    #[must_use]
    pub fn calling<'a>(&self, text: &'a [u8], direction: Direction) -> (Party<'a>, NumberClass) {
        let role = if direction == Direction::Inbound { Role::CallingOutside } else { Role::CallingInside };
        let party = self.plan.normalise(text, role);
        (party, self.plan.class_of(party).0)
    }

    /// A site by its name; the first of all for none.
    #[must_use]
    pub fn site(&self, name: Option<&str>) -> Option<SiteId> {
        let Some(name) = name.filter(|_| !self.sites.is_empty()) else { return Some(SiteId(0)) };
        let index = self.sites.iter().position(|site| site == name)?;
        u32::try_from(index + 1).ok().map(SiteId)
    }

    /// What a call costs.
    #[must_use]
    pub fn ask(&self, question: &Question<'_>) -> Answer {
        let wholesale = self.wholesale.as_ref().and_then(|side| {
            let answer = side.ask(question);
            Some((answer.outcome.ok()?.charge, answer.currency?))
        });
        ask(&self.book, self.tariff, &Question { wholesale, ..*question })
    }

    /// Where a call goes, as the row of its answer says, or as the carrier's does.
    #[must_use]
    pub fn destination(&self, question: &Question<'_>, answer: &Answer) -> &str {
        let own = self.version(answer).zip(answer.outcome.ok());
        let own = own.map_or("", |(version, working)| self.book.destination(version.destination(working.row)));
        match &self.wholesale {
            Some(side) if own.is_empty() => side.destination(question, &side.ask(question)),
            _ => own,
        }
    }
}

/// The tariffs of the files, and what is wrong with them.
pub(super) fn read(storage: &dyn Storage, options: &Options) -> Result<(TariffBook, Findings), RunError> {
    let unread = RefCell::new(Findings::default());
    let mut files = Vec::new();
    for path in &options.files {
        if !storage.exists(path) {
            return Err(RunError::Usage(format!("there is no file `{}`", path.display())));
        }
        files.extend(text(&path.to_string_lossy(), storage.read(path)?, &unread));
    }
    let mut deck = |name: &str| text(name, storage.read(Path::new(name)).ok()?, &unread);
    let mut findings = Findings::default();
    let named = options.sites.iter().map(|(name, zone)| (Some(name), zone));
    let sites: Vec<SiteClock> = std::iter::once((None, &options.zone))
        .chain(named)
        .map(|(name, zone)| SiteClock { zone: zone.clone(), holidays: options.holidays_of(name) })
        .collect();
    let book = TariffBook::read(&files, &mut deck, &sites, &options.zone, &mut findings);
    findings.extend(unread.into_inner());
    Ok((book, findings))
}

/// A file as text, unless it is not UTF-8.
pub(super) fn text(name: &str, bytes: Vec<u8>, findings: &RefCell<Findings>) -> Option<Arc<SourceText>> {
    match String::from_utf8(bytes) {
        Ok(text) => Some(SourceText::new(name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            findings.borrow_mut().push(
                Finding::error("project.file_not_utf8", format!("byte {at} is not UTF-8"))
                    .in_file(name)
                    .help("save the file as UTF-8; spreadsheets call it “CSV UTF-8”"),
            );
            None
        }
    }
}

/// The tariff of that id, or the only one that no other inherits from.
fn choose(book: &TariffBook, id: Option<&str>) -> Result<TariffId, RunError> {
    let versions = || book.tariffs().iter().flat_map(Tariff::versions);
    let parents: Vec<&str> = versions().filter_map(|version| book.tariff(version.parent()?)).map(Tariff::id).collect();
    let all: Vec<&str> = book.tariffs().iter().map(Tariff::id).collect();
    let own: Vec<&str> = all.iter().copied().filter(|id| !parents.contains(id)).collect();
    let listed = |ids: &[&str]| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    let id = match (id, own.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only,
        (None, []) => return Err(RunError::Usage("the files hold no tariff".to_owned())),
        (None, several) => {
            let inherit = if parents.is_empty() { "" } else { " that no other inherits from" };
            return Err(RunError::Usage(format!(
                "the files hold several tariffs{inherit}, {}: say which one with --id",
                listed(several)
            )));
        }
    };
    book.tariff_id(id)
        .ok_or_else(|| RunError::Usage(format!("there is no tariff `{id}` in these files; there is {}", listed(&all))))
}
