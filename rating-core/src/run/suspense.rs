//! Suspense as a work list: what is charged to nobody, and the smallest change that clears the most of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::RunError;
use super::calls::{self, Found, Input, Seen};
use super::closing;
use super::codes;
use super::engine::{Arrived, Engine, Fate};
use super::history::History;
use super::inputs::OUTPUT_FOLDER;
use super::lint;
use super::project::Project;
use super::settings::DirectoryFiles;
use super::storage::Storage;
use crate::aggregation::SideName;
use crate::assignment::SideKind;
use crate::attribution::{AttributedCall, attribute};
use crate::directory::Lookup;
use crate::mediation::MediationReason;
use crate::money::{Charge, Currency, Total};
use crate::number::{Direction, Party};
use crate::rating::{CallRow, Outcome, Side, Worked};
use crate::source::RecordId;
use crate::tariff::TariffVersion;
use crate::time::{Date, Duration, Month};

/// Of what a work list is made.
#[derive(Clone, Debug)]
pub struct SuspenseOptions {
    /// The project's folder.
    pub project: PathBuf,
    /// Where its output is; `None` is `out` in the project.
    pub out: Option<PathBuf>,
    /// Only calls of this month; `None` is every month that there are records of.
    pub month: Option<Month>,
}

/// One thing to do, and what it clears.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// Which side of the calls; `None` for records.
    pub side: Option<SideName>,
    /// The reason's code.
    pub code: &'static str,
    /// What to do, in words.
    pub action: String,
    /// How many calls (or records) it clears.
    pub count: u64,
    /// How many of them are of closed months: cleared, they are charged in the month that follows.
    pub in_closed_months: u64,
    /// Talk time of all of them.
    pub duration: Duration,
    /// What they may come to, by currency, as far as anything tells.
    pub at_stake: Vec<(Currency, Total)>,
    /// What the estimate goes by; `None` where nothing tells.
    pub estimated_by: Option<String>,
    /// Day of the oldest, on its site's clock; `None` for records whose time is not known.
    pub oldest: Option<Date>,
    /// An example, `file@offset`, as `explain` takes it.
    pub example: String,
    /// What it looks like: who called whom, or the beginning of the record.
    pub looks_like: String,
}

/// A work list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspense {
    /// What to do, what clears most calls first. A call suspended on both sides is counted for each.
    pub work: Vec<Work>,
    /// Calls that are suspended on one side or both, each counted once.
    pub calls: u64,
    /// Records that cannot be read, or wait for a partner.
    pub records: u64,
}

/// What makes calls one piece of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    side: Option<SideKind>,
    code: &'static str,
    /// What must be changed: a tariff, a file.
    what: String,
    /// The number, extension or name that it is about.
    about: String,
}

#[derive(Debug, Default)]
struct Heap {
    count: u64,
    in_closed_months: u64,
    millis: i64,
    money: BTreeMap<Currency, Total>,
    by: Option<String>,
    oldest: Option<Date>,
    example: Option<(RecordId, String, String)>,
    /// The digits that all called numbers begin with.
    common: Option<String>,
    /// What to do, of the first call: the oldest date and the digits are filled in at the end.
    action: String,
}

impl Heap {
    fn example(&mut self, record: RecordId, place: impl FnOnce() -> String, looks_like: impl FnOnce() -> String) {
        if self.example.as_ref().is_none_or(|(first, ..)| record < *first) {
            self.example = Some((record, place(), looks_like()));
        }
    }
}

/// Puts the work list of a project together, from all its records. Calls of closed months are in it that are suspended in
/// their books still, and late ones that cannot be rated.
///
/// # Errors
///
/// [`RunError::Invalid`] for a project with mistakes or closed months that are not as they were closed,
/// [`RunError::Storage`] if a file cannot be read.
pub fn suspense(storage: &dyn Storage, options: &SuspenseOptions) -> Result<Suspense, RunError> {
    let (project, findings) = Project::load(storage, &options.project, None)?;
    let Some(project) = project else { return Err(RunError::Invalid(findings)) };
    let out = options.out.clone().unwrap_or_else(|| options.project.join(OUTPUT_FOLDER));
    let closed = closing::closed_months(storage, &out)?;
    let open = closed.last().map_or_else(|| Month::of(Date::from_days(0)), |last| last.month.next());
    let history = (!closed.is_empty()).then(|| History::new(storage, &out, closed));
    let engine = Engine::new(&project, open, None).with_history(history).for_any_month();
    let inputs = calls::inputs(storage, &engine)?;
    let mut list = List {
        engine: &engine,
        project: &project,
        inputs: &inputs,
        month: options.month,
        open,
        heaps: BTreeMap::new(),
        calls: 0,
        records: 0,
    };
    calls::every(storage, &engine, &inputs, &mut |seen| list.see(seen))?;
    engine.history().map_or(Ok(()), History::check)?;
    Ok(list.finish())
}

struct List<'l> {
    engine: &'l Engine<'l>,
    project: &'l Project,
    inputs: &'l [Input],
    month: Option<Month>,
    open: Month,
    heaps: BTreeMap<Key, Heap>,
    calls: u64,
    records: u64,
}

impl<'l> List<'l> {
    fn see(&mut self, seen: &Seen<'_>) {
        match seen {
            Seen::Call(found) => self.call(found),
            Seen::Rejected(reject, number) => {
                let file = self.path(reject.id);
                let shown: String = String::from_utf8_lossy(reject.raw).chars().take(60).collect();
                self.record(reject.reason.code(), reject.id, format!("{file}:{number}"), format!("`{shown}`"), "");
            }
            Seen::Refused(file, error) => {
                let Some(id) = RecordId::new(*file, 0) else { return };
                let path = self.path(id);
                self.record(error.code(), id, path.clone(), error.to_string(), &path);
            }
            Seen::Waiting(waiting) => {
                let cdr = &waiting.alone.cdr;
                let place = format!("{}@{}", self.path(cdr.id), cdr.id.offset());
                let id = String::from_utf8_lossy(cdr.call_id).into_owned();
                self.record(waiting.waits_for.code(), cdr.id, place, id, "");
            }
        }
    }

    fn path(&self, record: RecordId) -> String {
        self.inputs.get(record.file() as usize).map_or_else(String::new, |input| input.path.clone())
    }

    fn record(&mut self, code: &'static str, id: RecordId, place: String, looks_like: String, about: &str) {
        self.records += 1;
        let key = Key { side: None, code, what: String::new(), about: about.to_owned() };
        let heap = self.heaps.entry(key).or_default();
        heap.count += 1;
        heap.example(id, || place, || looks_like);
        if heap.action.is_empty() {
            codes::help(code).clone_into(&mut heap.action);
        }
    }

    fn call(&mut self, found: &Found<'_>) {
        let call = found.call;
        let suspended = found.suspended.map(MediationReason::code);
        let row = match self.engine.row(Arrived { call, suspended, hash: found.hash }) {
            Ok(row) => row,
            Err(Fate::Row(_) | Fate::Settled | Fate::StillSuspended | Fate::OtherPeriod) => return,
        };
        let day = self.project.zone(row.site).to_local(row.charging_at).date();
        if self.month.is_some_and(|month| month != Month::of(day)) {
            return;
        }
        let attributed = attribute(&call, &self.project.directory);
        let mut counted = false;
        // What stands in the books of a closed month still tells what the other side may come to.
        let rated = self.engine.rater().rate(attributed);
        let sides =
            [(SideKind::Retail, row.retail, rated.wholesale), (SideKind::Wholesale, row.wholesale, rated.retail)];
        for (kind, side, other) in sides {
            let Outcome::Suspended(code) = side.outcome else { continue };
            // What is wrong with the call itself is one thing to do, whichever side asks.
            let of_both = !code.starts_with("rating.") || OF_THE_CALL.contains(&code);
            if of_both && kind == SideKind::Wholesale && row.retail.outcome == side.outcome {
                continue;
            }
            counted = true;
            self.side(&attributed, &row, kind, code, other, day);
        }
        self.calls += u64::from(counted);
    }

    fn side(
        &mut self,
        call: &AttributedCall<'_, '_>,
        row: &CallRow<'_>,
        kind: SideKind,
        code: &'static str,
        other: Side,
        day: Date,
    ) {
        let worked = self.engine.rater().show(call, kind, Duration::ZERO, &mut ());
        let (what, about, action) = self.cause(call, &worked, kind, code);
        let place = format!("{}@{}", self.path(row.record), row.record.offset());
        let stake = self.stake(call, &worked, kind, other);
        let closed = self.engine.history().is_some() && Month::of(day) < self.open;
        let heap = self.heaps.entry(Key { side: Some(kind), code, what, about }).or_default();
        heap.count += 1;
        heap.in_closed_months += u64::from(closed);
        heap.millis = heap.millis.saturating_add(row.duration.as_millis());
        heap.oldest = Some(heap.oldest.map_or(day, |oldest| oldest.min(day)));
        heap.example(row.record, || place, || parties(row));
        if heap.action.is_empty() {
            heap.action = action;
        }
        let digits = match row.called {
            Party::Number(number) => number.digits().to_string(),
            _ => String::new(),
        };
        heap.common = Some(match heap.common.take() {
            None => digits,
            Some(common) => common_beginning(&common, &digits).to_owned(),
        });
        if let Some((charge, currency, by)) = stake {
            heap.money.entry(currency).or_default().add(charge);
            heap.by.get_or_insert(by);
        }
    }

    fn stake(
        &self,
        call: &AttributedCall<'_, '_>,
        worked: &Worked<'_>,
        kind: SideKind,
        other: Side,
    ) -> Option<(Charge, Currency, String)> {
        let by = match kind {
            SideKind::Retail => "what the carrier charges",
            SideKind::Wholesale => "what the occupiers pay",
        };
        lint::by_shorter(self.project, call, worked).or_else(|| match other.outcome {
            Outcome::Rated(priced) => Some((priced.charge, other.currency?, by.to_owned())),
            _ => None,
        })
    }

    fn finish(self) -> Suspense {
        let mut work: Vec<Work> = self
            .heaps
            .into_iter()
            .map(|(key, heap)| {
                let (_, example, looks_like) =
                    heap.example.unwrap_or((RecordId::from_bits(0), String::new(), String::new()));
                let from = heap.oldest.map_or_else(String::new, |day| day.to_string());
                let prefix = heap.common.as_deref().map_or("", |common| prefix(common, key.about.len()));
                Work {
                    side: key.side.map(|side| match side {
                        SideKind::Retail => SideName::Retail,
                        SideKind::Wholesale => SideName::Wholesale,
                    }),
                    code: key.code,
                    action: heap.action.replace("{from}", &from).replace("{prefix}", prefix),
                    count: heap.count,
                    in_closed_months: heap.in_closed_months,
                    duration: Duration::from_millis(heap.millis),
                    at_stake: heap.money.into_iter().collect(),
                    estimated_by: heap.by,
                    oldest: heap.oldest,
                    example,
                    looks_like,
                }
            })
            .collect();
        // Calls before records: these cost money. Ties fall to the order of the keys.
        work.sort_by_key(|work| (work.side.is_none(), std::cmp::Reverse(work.count)));
        Suspense { work, calls: self.calls, records: self.records }
    }

    /// What must be changed, what it is about, and what to do about it. `{from}` stands for the day of the oldest call,
    /// `{prefix}` for the digits that the called numbers share.
    fn cause(
        &self,
        call: &AttributedCall<'_, '_>,
        worked: &Worked<'_>,
        kind: SideKind,
        code: &'static str,
    ) -> (String, String, String) {
        let files = &self.project.settings.directory;
        let site = self.site(call);
        let payer = call.holder.ok().and_then(|holder| self.project.directory.payers().get(holder.payer.index()));
        let payer = payer.map_or("", |payer| payer.id.as_str());
        let party = |party: Party<'_>| shown(party);
        let own = |what: &str, about: String, action: String| (what.to_owned(), about, action);
        match code {
            "rating.no_rate_for_destination"
            | "rating.class_not_priced"
            | "rating.price_unknown"
            | "rating.destination_blocked" => {
                let deck = self.deck(call, worked);
                let begins = self.begins(call, code);
                let side = kind.name();
                let action = match (code, call.call.called) {
                    ("rating.destination_blocked", _) => {
                        format!("bar {{prefix}} on the switch, or give it a {side} price in {deck}, which blocks it")
                    }
                    ("rating.price_unknown", _) => {
                        format!("{deck} lists {{prefix}} without a {side} price: write it there")
                    }
                    ("rating.class_not_priced", Party::Number(_)) => {
                        let class = call.call.called_class.0.name();
                        format!(
                            "add prefix {{prefix}} ({class}) to {deck}: only a shorter prefix matches, and numbers of this class are never priced by one"
                        )
                    }
                    (_, Party::Number(_)) => format!("add prefix {{prefix}} to {deck}"),
                    (_, other) => format!("add {} to {deck}", party(other)),
                };
                own(&deck, begins, action)
            }
            "rating.no_tariff_assigned" => {
                let table = self
                    .project
                    .settings
                    .tariffs
                    .assignments
                    .as_ref()
                    .map_or("the assignments", |file| file.value.as_str());
                let who = if payer.is_empty() { "*" } else { payer };
                let action =
                    format!("add a row to {table}: a {} tariff of `{who}` at `{site}` from {{from}}", kind.name());
                own(table, format!("{payer} {site}"), action)
            }
            "rating.tariff_not_in_force" => {
                let tariff = worked
                    .assigned
                    .and_then(|tariff| self.project.book.tariff(tariff))
                    .map_or("", |tariff| tariff.id());
                own(
                    "",
                    tariff.to_owned(),
                    format!(
                        "tariff `{tariff}` has no version on {{from}}: add one, or mend the dates of the one meant"
                    ),
                )
            }
            "rating.caller_zone_unknown" => {
                let caller = worked.caller.map_or_else(|| party(call.call.calling), |number| number.to_string());
                own("", caller.clone(), format!("add the prefix of {caller} to the tariff's table of callers' zones"))
            }
            "rating.called_unclassified" => {
                let dialled = text(call.call.cdr.dialled);
                let action = format!(
                    "`{dialled}` is no number at `{site}`: check the site's `country`, `area_code` and `outside_line`"
                );
                own(site, dialled, action)
            }
            "rating.direction_unknown" => {
                let channels = self.channels(call);
                let source = self.source(call);
                let action = format!(
                    "name {channels} in the `trunks` or `phones` of source `{source}`, so that its ends can be told apart"
                );
                own(source, channels, action)
            }
            "rating.wholesale_unpriced" => own(
                "",
                String::new(),
                "the row marks the wholesale charge up, and there is none: mend the wholesale side".to_owned(),
            ),
            "attribution.extension_unknown" => {
                let extension = self.asked(call).map_or_else(|| "the extension".to_owned(), party);
                let action = format!(
                    "add extension {extension} at `{site}` to {} with a holder from {{from}}",
                    table(files, Table::Allocations)
                );
                own(site, extension, action)
            }
            "attribution.number_not_allocated" => {
                let number = self.asked(call).map_or_else(|| "the number".to_owned(), party);
                let action =
                    format!("allocate {number} to somebody from {{from}}, in {}", table(files, Table::Allocations));
                own(site, number, action)
            }
            "attribution.number_unknown" => {
                let number = self.asked(call).map_or_else(|| "the number".to_owned(), party);
                let action = format!(
                    "add {number} at `{site}` to {}, and its holder from {{from}} to {}",
                    table(files, Table::Numbers),
                    table(files, Table::Allocations)
                );
                own(site, number, action)
            }
            "attribution.account_code_unknown" => {
                let account = text(call.call.cdr.account);
                let action = format!(
                    "account code {account} is nobody's in {}: add it with its holder from {{from}}, or have the caller use another",
                    table(files, Table::AccountCodes)
                );
                own(site, account, action)
            }
            "attribution.main_number_originated" => {
                let number = party(call.call.calling);
                let action = format!(
                    "{number} is a main number and shows as the caller: have the switch write the extension, or set its `kind` in {}",
                    table(files, Table::Numbers)
                );
                own(site, number, action)
            }
            "attribution.no_inside_party" => {
                let channels = self.channels(call);
                let source = self.source(call);
                let action = format!(
                    "the record names nobody inside: see whether {channels} is a telephone, and name it in the `phones` of source `{source}`"
                );
                own(source, channels, action)
            }
            code => own("", String::new(), codes::help(code).to_owned()),
        }
    }

    fn site(&self, call: &AttributedCall<'_, '_>) -> &'l str {
        let site = call.holder.map_or(call.call.site, |holder| holder.site);
        self.project.settings.sites.get(site.index()).map_or("", |site| &site.id)
    }

    fn source(&self, call: &AttributedCall<'_, '_>) -> &'l str {
        self.project.settings.sources.get(call.call.source.index()).map_or("", |source| &source.id)
    }

    /// Whom attribution asked about and did not find.
    fn asked<'a>(&self, call: &AttributedCall<'_, 'a>) -> Option<Party<'a>> {
        let of = &call.call;
        let extension = of.extension.or(of.calling.extension()).map(Party::Extension);
        match of.direction {
            Direction::Inbound => Some(of.called),
            Direction::Forwarded => of.forwarder,
            Direction::Outbound | Direction::Unknown if of.forwarder.is_some() => of.forwarder,
            // A caller is asked for by extension first.
            _ => match (extension, of.calling) {
                (Some(Party::Extension(digits)), Party::Number(number))
                    if self.project.directory.extension_at(of.site, digits, of.charging_at) == Lookup::Unknown
                        && self.project.directory.number_at(number, of.charging_at) != Lookup::Unknown =>
                {
                    Some(Party::Extension(digits))
                }
                (Some(extension), _) => Some(extension),
                (None, calling) => Some(calling),
            },
        }
    }

    fn channels(&self, call: &AttributedCall<'_, '_>) -> String {
        let named = |channel: &[u8]| {
            let channel = text(channel);
            // `PJSIP/gateway-00000012` is the channel of this call, `PJSIP/gateway` the device.
            channel.rsplit_once('-').map_or(channel.clone(), |(device, _)| device.to_owned())
        };
        let channels: Vec<String> = [call.call.cdr.ingress, call.call.cdr.egress]
            .into_iter()
            .filter(|channel| !channel.is_empty())
            .map(|channel| format!("`{}`", named(channel)))
            .collect();
        if channels.is_empty() { "the channel".to_owned() } else { channels.join(" or ") }
    }

    /// The deck that a row would go to: that of the next shorter prefix, else of the version's first row, else its settings.
    fn deck(&self, call: &AttributedCall<'_, '_>, worked: &Worked<'_>) -> String {
        let version = || -> Option<&TariffVersion> {
            let tariff = self.project.book.tariff(worked.assigned?)?;
            Some(tariff.version_at(call.call.charging_at, worked.site)?.1)
        };
        let Some(version) = version() else { return "the tariff".to_owned() };
        let path = version.row(0, worked.site).map_or(version.file(), |row| row.file);
        path.rsplit('/').next().unwrap_or(path).to_owned()
    }

    /// What makes called numbers one group: what they begin with, as [`prefix`] reads it.
    fn begins(&self, call: &AttributedCall<'_, '_>, code: &str) -> String {
        match call.call.called {
            Party::Number(number) => {
                let of_class = usize::from(call.call.called_class.1);
                let len = if code == "rating.class_not_priced" && of_class > 0 { of_class } else { 4 };
                number.digits().prefix(len).to_string()
            }
            other => shown(other),
        }
    }
}

/// Reasons that are no matter of one side's tariff.
const OF_THE_CALL: [&str; 3] =
    ["rating.called_unclassified", "rating.direction_unknown", "rating.local_time_ambiguous"];

/// The most digits that a prefix is said with: it is to serve more than the numbers seen.
const LONGEST_PREFIX: usize = 6;

/// The prefix to add for numbers that all begin with `common`, and are one group by their first `group` digits.
fn prefix(common: &str, group: usize) -> &str {
    // One digit of country code is followed by an area code of three everywhere.
    let longest = if common.starts_with('1') { 4 } else { LONGEST_PREFIX };
    common.get(..longest.max(group)).unwrap_or(common)
}

/// What both begin with.
fn common_beginning<'a>(one: &'a str, other: &str) -> &'a str {
    let length = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    one.get(..length).unwrap_or("")
}

enum Table {
    Numbers,
    Allocations,
    AccountCodes,
}

/// The file of a table, or what it would be called.
fn table(files: &DirectoryFiles, table: Table) -> &str {
    let (file, name) = match table {
        Table::Numbers => (&files.numbers, "a table of `numbers`"),
        Table::Allocations => (&files.allocations, "a table of `allocations`"),
        Table::AccountCodes => (&files.account_codes, "a table of `account_codes`"),
    };
    file.as_ref().map_or(name, |file| file.value.as_str())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(party: Party<'_>) -> String {
    match party {
        Party::Number(number) => number.to_string(),
        Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => digits.to_string(),
        Party::Feature(name) | Party::Name(name) | Party::Unclassified(name) => format!("`{}`", text(name)),
        Party::Withheld => "withheld".to_owned(),
        Party::Missing => "nobody".to_owned(),
    }
}

/// Who called whom.
fn parties(row: &CallRow<'_>) -> String {
    let who = row.extension.map_or_else(|| shown(row.calling), |extension| extension.to_string());
    let dialled = text(row.dialled);
    let called = shown(row.called);
    let called = if dialled.is_empty() || called == dialled { called } else { format!("{dialled} ({called})") };
    format!("{who} called {called}")
}

impl SuspenseOptions {
    /// The whole work list of a project.
    #[must_use]
    pub fn new(project: impl AsRef<Path>) -> Self {
        Self { project: project.as_ref().to_owned(), out: None, month: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_serves_more_than_the_numbers_seen_and_is_never_shorter_than_its_group() {
        for (common, group, expected) in [
            ("447452123456", 4, "447452"), // one number: six digits of it
            ("44745", 4, "44745"),         // several that share five
            ("4474", 4, "4474"),
            ("12125550111", 4, "1212"), // +1: country code and area code
            ("44909879", 7, "4490987"), // the digits that make it premium
            ("", 4, ""),
        ] {
            assert_eq!(prefix(common, group), expected, "{common}");
        }
        assert_eq!(common_beginning("447452", "447459"), "44745");
    }
}
