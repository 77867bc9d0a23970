//! The tables' rows with their cells understood, one by one. What needs other rows to be judged is in `checks`.

use std::collections::BTreeMap;

use crate::finding::table::{Column, Row, Table};
use crate::finding::{Finding, Findings, Label, did_you_mean};
use crate::ids::{PayerId, SiteId, file_name_fault};
use crate::number::{Digits, E164};
use crate::time::{Instant, Interval, Zone};

use super::{Files, Operator, Site};

/// The tables, which the rows point into.
pub(super) struct Tables {
    occupiers: Vec<Table>,
    contracts: Vec<Table>,
    services: Vec<Table>,
    numbers: Vec<Table>,
    allocations: Vec<Table>,
    account_codes: Vec<Table>,
}

impl Tables {
    pub(super) fn read(files: &Files, findings: &mut Findings) -> Self {
        let mut read = |files: &[std::sync::Arc<_>], required: &[&str], optional: &[&str]| -> Vec<Table> {
            files.iter().map(|file| Table::read(file, required, optional, findings)).collect()
        };
        Self {
            occupiers: read(&files.occupiers, &["id", "name"], &["billing_reference"]),
            contracts: read(&files.contracts, &["id", "occupier", "site"], &["from", "until"]),
            services: read(&files.services, &["id", "contract", "lines"], &["from", "until"]),
            numbers: read(&files.numbers, &["number", "site"], &["last", "kind"]),
            allocations: read(
                &files.allocations,
                &["id", "holder", "site", "from", "until"],
                &["number", "last", "extension", "recorded_at", "supersedes"],
            ),
            account_codes: read(&files.account_codes, &["code", "holder"], &["site", "from", "until"]),
        }
    }
}

pub(super) struct Occupier<'t> {
    pub(super) id: &'t str,
    pub(super) name: &'t str,
    pub(super) billing_reference: Option<&'t str>,
}

pub(super) struct Contract<'t> {
    pub(super) row: Row<'t>,
    pub(super) payer: PayerId,
    pub(super) site: SiteId,
    pub(super) valid: Interval,
}

pub(super) struct Service {
    pub(super) payer: PayerId,
    pub(super) site: SiteId,
    pub(super) lines: u32,
    /// From the beginning of its contract at the earliest; its end is its own.
    pub(super) active: Interval,
}

pub(super) struct NumberRange<'t> {
    pub(super) row: Row<'t>,
    pub(super) first: E164,
    pub(super) last: E164,
    pub(super) site: SiteId,
    pub(super) main: bool,
}

/// A row of allocations.csv, whatever became of it since.
pub(super) struct AllocationRow<'t> {
    pub(super) row: Row<'t>,
    pub(super) id: &'t str,
    pub(super) recorded_at: Instant,
    pub(super) supersedes: Option<&'t str>,
    /// What it says; `None` for a retraction, and for a row in error.
    pub(super) content: Option<Content>,
}

/// What a row of allocations.csv says.
#[derive(Clone, Copy)]
pub(super) struct Content {
    pub(super) payer: PayerId,
    pub(super) site: SiteId,
    pub(super) numbers: Option<(E164, E164)>,
    pub(super) extension: Option<Digits>,
    pub(super) valid: Interval,
}

pub(super) struct AccountCode<'t> {
    pub(super) row: Row<'t>,
    pub(super) code: &'t str,
    pub(super) payer: PayerId,
    pub(super) site: Option<SiteId>,
    pub(super) valid: Interval,
}

/// Rows of one table, and whether none is missing for an error of its own.
pub(super) struct Rows<T> {
    pub(super) rows: Vec<T>,
    pub(super) whole: bool,
}

/// Reads rows with the names that they may refer to.
pub(super) struct Reader<'r> {
    operator: &'r Operator,
    sites: &'r [Site],
    site_ids: BTreeMap<&'r str, SiteId>,
    /// The operator and the occupiers.
    payer_ids: BTreeMap<&'r str, PayerId>,
    findings: &'r mut Findings,
}

impl<'r> Reader<'r> {
    /// Reads the occupiers first, in the order of their ids; everything else refers to them.
    pub(super) fn new<'t: 'r>(
        tables: &'t Tables,
        operator: &'r Operator,
        sites: &'r [Site],
        findings: &'r mut Findings,
    ) -> (Self, Vec<Occupier<'t>>) {
        let occupiers = occupiers(&tables.occupiers, operator, findings);
        let mut payer_ids: BTreeMap<&str, PayerId> =
            (1..).zip(&occupiers).map(|(id, occupier)| (occupier.id, PayerId(id))).collect();
        payer_ids.insert(&operator.id, PayerId::OPERATOR);
        let site_ids = (0..).zip(sites).map(|(id, site)| (site.id.as_str(), SiteId(id))).collect();
        (Self { operator, sites, site_ids, payer_ids, findings }, occupiers)
    }

    pub(super) fn contracts<'t>(&mut self, tables: &'t Tables) -> (Rows<Contract<'t>>, ContractIds<'t>) {
        let mut ids = ContractIds(BTreeMap::new());
        let mut seen = BTreeMap::new();
        let rows = self.rows(&tables.contracts, |reader, row| {
            let id = reader.unique_id(row, &mut seen)?;
            let payer = reader.payer(row, "occupier");
            let site = reader.site(row);
            let valid = reader.valid(row, site);
            let contract = match (payer, site, valid) {
                (Some(payer), Some(site), Some(valid)) => Some(Contract { row, payer, site, valid }),
                _ => None,
            };
            ids.0.insert(id, contract.as_ref().map(|contract| (contract.payer, contract.site, contract.valid)));
            contract
        });
        (rows, ids)
    }

    pub(super) fn services(&mut self, tables: &Tables, contracts: &ContractIds<'_>) -> Rows<Service> {
        let mut seen = BTreeMap::new();
        self.rows(&tables.services, |reader, row| {
            reader.unique_id(row, &mut seen)?;
            let lines = reader.lines(row);
            let column = row.column("contract");
            let given = row.required(column, reader.findings)?;
            let Some(contract) = contracts.0.get(given) else {
                reader.unknown("contract", given, row, "directory.unknown_contract", contracts.0.keys().copied());
                return None;
            };
            let valid = reader.valid(row, contract.map(|(_, site, _)| site));
            let (payer, site, contract_valid) = (*contract)?;
            let valid = valid?;
            // A service works once it is assigned and its contract has begun; its end is stated in its own row.
            let active = Interval { from: valid.from.max(contract_valid.from), until: valid.until };
            Some(Service { payer, site, lines: lines?, active })
        })
    }

    pub(super) fn numbers<'t>(&mut self, tables: &'t Tables) -> Rows<NumberRange<'t>> {
        self.rows(&tables.numbers, |reader, row| {
            let given = row.required(row.column("number"), reader.findings);
            let numbers = given.and_then(|given| reader.numbers_of(row, given));
            let site = reader.site(row);
            let main = match row.cell(row.column("kind")) {
                "" | "ddi" => Some(false),
                "main" => Some(true),
                other => {
                    let message = format!("`{other}` is not a kind of number");
                    let label = row.label(row.column("kind"), "neither `ddi` nor `main`");
                    let help = "write `ddi` for a direct number, `main` for the number of an organisation";
                    reader.findings.push(Finding::error("directory.unknown_kind", message).at(label).help(help));
                    None
                }
            };
            let (first, last) = numbers?;
            Some(NumberRange { row, first, last, site: site?, main: main? })
        })
    }

    pub(super) fn allocations<'t>(&mut self, tables: &'t Tables) -> Rows<AllocationRow<'t>> {
        let mut seen = BTreeMap::new();
        self.rows(&tables.allocations, |reader, row| {
            let id = reader.unique_id(row, &mut seen)?;
            let supersedes = row.filled(row.column("supersedes"));
            let recorded_at = reader.recorded_at(row);
            let content = if row.filled(row.column("holder")).is_some() {
                reader.content(row)
            } else {
                reader.retraction(row, supersedes);
                None
            };
            Some(AllocationRow { row, id, recorded_at: recorded_at?, supersedes, content })
        })
    }

    pub(super) fn account_codes<'t>(&mut self, tables: &'t Tables) -> Rows<AccountCode<'t>> {
        self.rows(&tables.account_codes, |reader, row| {
            let code = row.required(row.column("code"), reader.findings);
            let payer = reader.payer(row, "holder");
            let site = match row.filled(row.column("site")) {
                Some(_) => Some(reader.site(row)?),
                None => None,
            };
            let valid = reader.valid(row, site);
            Some(AccountCode { row, code: code?, payer: payer?, site, valid: valid? })
        })
    }

    fn rows<'t, T>(&mut self, tables: &'t [Table], mut read: impl FnMut(&mut Self, Row<'t>) -> Option<T>) -> Rows<T> {
        let before = self.findings.len();
        let mut rows = Vec::with_capacity(tables.iter().map(|table| table.rows().len()).sum());
        for table in tables {
            rows.extend(table.rows().filter_map(|row| read(self, row)));
        }
        Rows { rows, whole: self.findings.len() == before }
    }

    fn content(&mut self, row: Row<'_>) -> Option<Content> {
        let payer = self.payer(row, "holder");
        let site = self.site(row);
        let valid = self.valid(row, site);
        let numbers = match row.filled(row.column("number")) {
            Some(given) => Some(self.numbers_of(row, given)?),
            None => None,
        };
        let extension = match row.filled(row.column("extension")) {
            Some(given) => Some(self.extension_of(row, given, numbers)?),
            None => None,
        };
        if numbers.is_none() && (extension.is_none() || row.filled(row.column("last")).is_some()) {
            let message = match extension {
                None => "this row allocates neither a number nor an extension",
                Some(_) => "`last` without `number`",
            };
            let help = "give a `number`, or an `extension` alone for a telephone without a number";
            self.findings.push(Finding::error("directory.nothing_allocated", message).at(row.whole("")).help(help));
            return None;
        }
        Some(Content { payer: payer?, site: site?, numbers, extension, valid: valid? })
    }

    fn retraction(&mut self, row: Row<'_>, supersedes: Option<&str>) {
        if supersedes.is_none() {
            let label = row.label(row.column("holder"), "empty");
            let help = "name the occupier or the operator; only a row that `supersedes` another may have no holder, and \
                        takes that row back";
            self.findings
                .push(Finding::error("directory.holder_missing", "this row names no holder").at(label).help(help));
            return;
        }
        let stated = ["number", "last", "extension", "from", "until"];
        if let Some(name) = stated.into_iter().find(|name| row.filled(row.column(name)).is_some()) {
            let message = format!("a row without holder takes back the whole row that it supersedes, `{name}` and all");
            let label = row.label(row.column(name), "must be empty");
            let help = "to shorten an allocation, supersede it by a row with its holder and the right interval";
            self.findings.push(Finding::error("directory.retraction_not_empty", message).at(label).help(help));
        }
    }

    /// First and last number of a row.
    fn numbers_of(&mut self, row: Row<'_>, given: &str) -> Option<(E164, E164)> {
        let first = self.number(row, row.column("number"), given)?;
        let column = row.column("last");
        let Some(given_last) = row.filled(column) else { return Some((first, first)) };
        let last = self.number(row, column, given_last)?;
        let fault = if first.digits().len() != last.digits().len() {
            "has another length than the first number"
        } else if last < first {
            "comes before the first number"
        } else {
            return Some((first, last));
        };
        let finding = Finding::error("directory.range_malformed", format!("the last number {last} {fault}"))
            .at(row.label(column, fault))
            .at(row.label(row.column("number"), "first number"))
            .help("write first and last number in full; both belong to the range");
        self.findings.push(finding);
        None
    }

    fn number(&mut self, row: Row<'_>, column: Column, given: &str) -> Option<E164> {
        let number = E164::parse(given.as_bytes());
        if number.is_none() {
            let finding =
                Finding::error("directory.number_malformed", format!("`{given}` is not an international number"))
                    .at(row.label(column, "not a number"))
                    .help("write country code and number, 5 to 15 digits: `+442079460958`");
            self.findings.push(finding);
        }
        number
    }

    /// The extension of a row, or of its first number.
    fn extension_of(&mut self, row: Row<'_>, given: &str, numbers: Option<(E164, E164)>) -> Option<Digits> {
        let column = row.column("extension");
        let Some(extension) = Digits::parse(given.as_bytes()) else {
            let finding = Finding::error("directory.extension_malformed", format!("`{given}` is not an extension"))
                .at(row.label(column, "not an extension"))
                .help("an extension is 1 to 15 digits; for a range of numbers, that of the first");
            self.findings.push(finding);
            return None;
        };
        let steps = numbers.map_or(0, |(first, last)| last.digits().value() - first.digits().value());
        // Packed digits of one length count up as integers do; another length would be another extension.
        if Digits::from_bits(extension.to_bits() + steps).is_none() {
            let message = format!(
                "{} numbers from extension {extension} on need extensions of more than {} digits",
                steps + 1,
                extension.len()
            );
            let finding = Finding::error("directory.extension_range", message)
                .at(row.label(column, "extension of the first number"))
                .help("split the range where the extensions get longer");
            self.findings.push(finding);
            return None;
        }
        Some(extension)
    }

    fn lines(&mut self, row: Row<'_>) -> Option<u32> {
        let column = row.column("lines");
        let given = row.required(column, self.findings)?;
        let lines = given.parse::<u32>().ok();
        if lines.is_none() {
            let finding = Finding::error("directory.lines_malformed", format!("`{given}` is not a number of lines"))
                .at(row.label(column, "not a whole number"))
                .help("how many numbers may be active with this service: `10`");
            self.findings.push(finding);
        }
        lines
    }

    /// The id of a row, which no other row of the table may have.
    fn unique_id<'t>(&mut self, row: Row<'t>, seen: &mut BTreeMap<&'t str, Row<'t>>) -> Option<&'t str> {
        let column = row.column("id");
        let id = row.required(column, self.findings)?;
        if let Some(other) = seen.get(id) {
            let finding = Finding::error("directory.duplicate_id", format!("id `{id}` stands twice"))
                .at(row.label(column, "again here"))
                .at(other.label(other.column("id"), "first here"));
            self.findings.push(finding);
            return None;
        }
        seen.insert(id, row);
        Some(id)
    }

    fn payer(&mut self, row: Row<'_>, column: &str) -> Option<PayerId> {
        let given = row.required(row.column(column), self.findings)?;
        let payer = self.payer_ids.get(given).copied();
        if payer.is_none() {
            let known: Vec<&str> = self.payer_ids.keys().copied().collect();
            self.unknown(column, given, row, "directory.unknown_occupier", known);
        }
        payer
    }

    fn site(&mut self, row: Row<'_>) -> Option<SiteId> {
        let given = row.required(row.column("site"), self.findings)?;
        let site = self.site_ids.get(given).copied();
        if site.is_none() {
            let known: Vec<&str> = self.site_ids.keys().copied().collect();
            self.unknown("site", given, row, "directory.unknown_site", known);
        }
        site
    }

    fn unknown<'k>(
        &mut self,
        column: &str,
        given: &str,
        row: Row<'_>,
        code: &'static str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let help = match (did_you_mean(given, known), code) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, "directory.unknown_site") => "sites stand in the project's settings".to_owned(),
            (None, "directory.unknown_contract") => "add it to the contracts".to_owned(),
            (None, _) => format!("add it to the occupiers; the operator is `{}`", self.operator.id),
        };
        let message = format!("there is no {} `{given}`", if column == "holder" { "occupier" } else { column });
        let finding = Finding::error(code, message).at(row.label(row.column(column), "not known")).help(help);
        self.findings.push(finding);
    }

    /// The zone of a row's dates: that of its site, or of the operator where it has none.
    fn zone(&self, site: Option<SiteId>) -> &'r Zone {
        site.and_then(|site| self.sites.get(site.index())).map_or(&self.operator.zone, |site| &site.zone)
    }

    fn valid(&mut self, row: Row<'_>, site: Option<SiteId>) -> Option<Interval> {
        let zone = self.zone(site);
        let from = self.bound(row, "from", zone, Instant::MIN);
        let until = self.bound(row, "until", zone, Instant::MAX);
        let valid = Interval { from: from?, until: until? };
        if !valid.is_empty() {
            return Some(valid);
        }
        let message =
            if valid.from == valid.until { "the interval is empty" } else { "the interval ends before it begins" };
        let finding = Finding::error("directory.interval_empty", message)
            .at(row.label(row.column("until"), "the first moment outside"))
            .at(row.label(row.column("from"), "the first moment inside"))
            .help("`until` is not part of the interval: for the whole of July write 2026-07-01 and 2026-08-01");
        self.findings.push(finding);
        None
    }

    fn recorded_at(&mut self, row: Row<'_>) -> Option<Instant> {
        let site = self.site_ids.get(row.cell(row.column("site"))).copied();
        self.bound(row, "recorded_at", self.zone(site), Instant::MIN)
    }

    fn bound(&mut self, row: Row<'_>, name: &str, zone: &Zone, open: Instant) -> Option<Instant> {
        let column = row.column(name);
        let Some(given) = row.filled(column) else { return Some(open) };
        let bound = zone.bound(given);
        if bound.is_none() {
            let finding =
                Finding::error("directory.date_malformed", format!("`{given}` is neither a date nor an instant"))
                    .at(row.label(column, "not a time"))
                    .help("write a day, `2026-07-01`, or an instant with its offset, `2026-07-01T14:00:00+01:00`");
            self.findings.push(finding);
        }
        bound
    }
}

/// Contracts by id, with what is known of them; `None` for one in error.
pub(super) struct ContractIds<'t>(BTreeMap<&'t str, Option<(PayerId, SiteId, Interval)>>);

/// The occupiers by id. Ids become names of files, so two must differ by more than case.
fn occupiers<'t>(tables: &'t [Table], operator: &Operator, findings: &mut Findings) -> Vec<Occupier<'t>> {
    let mut occupiers: BTreeMap<&str, Occupier<'t>> = BTreeMap::new();
    let mut seen: BTreeMap<String, (&str, Row<'_>)> = BTreeMap::new();
    for row in tables.iter().flat_map(Table::rows) {
        let column = row.column("id");
        let name = row.required(row.column("name"), findings);
        let Some(id) = row.required(column, findings) else { continue };
        if let Some(fault) = file_name_fault(id) {
            let finding = Finding::error("directory.id_malformed", format!("id `{id}` {fault}"))
                .at(row.label(column, "cannot name a file"))
                .help("ids of occupiers become names of files and folders");
            findings.push(finding);
        }
        let clash = |code, message: String, other: Option<Label>| {
            let mut finding = Finding::error(code, message).at(row.label(column, "again here"));
            finding.labels.extend(other);
            finding
        };
        if id.eq_ignore_ascii_case(&operator.id) {
            findings.push(clash("directory.operator_id", format!("id `{id}` is the operator's own"), None));
            continue;
        }
        let lower = id.to_ascii_lowercase();
        if let Some((other, other_row)) = seen.get(&lower) {
            let label = Some(other_row.label(other_row.column("id"), "first here"));
            if *other == id {
                findings.push(clash("directory.duplicate_id", format!("id `{id}` stands twice"), label));
                continue;
            }
            let message = format!("ids `{other}` and `{id}` differ only in case");
            findings
                .push(clash("directory.id_collision", message, label).help("some systems take them for one file name"));
        } else {
            seen.insert(lower, (id, row));
        }
        // A row in error still has its id, so that what refers to it is not reported too.
        let billing_reference = row.filled(row.column("billing_reference"));
        occupiers.entry(id).or_insert(Occupier { id, name: name.unwrap_or(id), billing_reference });
    }
    occupiers.into_values().collect()
}
