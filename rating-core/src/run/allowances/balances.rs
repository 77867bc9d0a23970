//! Balances between months: what a month closes with is published, and the next month opens with it.
//!
//! A period that is longer than a calendar month, or that something is carried into, begins before the month that is run.
//! How its accounts stood then is read from the table that the project names in `opening_balances` (the rows whose
//! `as_of` is the month's first day), and for accounts that this table does not have from what the month before was
//! published with. Either is an input like any other: its hash is in the manifest and in the run's id. What is in neither
//! is a finding; nothing is guessed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Allowances, holder, present_in};
use crate::finding::table::{Row, Table};
use crate::finding::{Finding, Findings, SourceText};
use crate::money::LEDGER_SCALE;
use crate::number::NumberClass;
use crate::rating::allowance::{AccountKey, Balance, Counts, Ledger, Member, Owner};
use crate::report::csv::{self, Profile};
use crate::report::{BalanceLine, allowance_balances};
use crate::run::RunError;
use crate::run::project::{Project, ReferenceFile, role};
use crate::run::publish::{Stage, hex};
use crate::run::storage::Storage;
use crate::time::{Date, Interval, Month};

const COLUMNS: [&str; 14] = [
    "as_of",
    "allowance",
    "site",
    "client_id",
    "group",
    "line",
    "period_from",
    "carried_s",
    "carried_calls",
    "carried_money",
    "used_s",
    "used_calls",
    "used_money",
    "used_by_class",
];

/// The file that a month's closing balances are published in, below the month's folder.
fn closing_file(month: Month) -> String {
    format!("all-sites/{}_all-sites_allowance-balances.machine.csv", month.compact())
}

/// Balances by account.
type Balances = BTreeMap<AccountKey, Balance>;

/// How the accounts stood when a month began. What is missing is in `findings`.
///
/// # Errors
///
/// If what was published cannot be read.
pub(in crate::run) fn opening(
    storage: &dyn Storage,
    project: &Project,
    out: &Path,
    month: Month,
    findings: &mut Findings,
) -> Result<(Balances, Option<ReferenceFile>), RunError> {
    if !project.assignments.has_allowances() {
        return Ok((Balances::new(), None));
    }
    let first = month.days().0;
    let mut balances = Balances::new();
    let mut reference = None;
    let before = month.previous();
    let path = format!("current/month={before}/{}", closing_file(before));
    if storage.exists(&out.join(&path)) {
        let content = storage.read(&out.join(&path))?;
        let sha256 = hex(&Sha256::digest(&content));
        reference = Some(ReferenceFile { path: format!("published: {path}"), sha256, role: role::BALANCES });
        let text = SourceText::new(format!("out/{path}"), String::from_utf8_lossy(&content));
        balances = read(&text, project, first, true, findings);
    }
    for file in &project.opening_balances {
        balances.extend(read(file, project, first, false, findings));
    }
    missing(project, month, &balances, findings);
    Ok((balances, reference))
}

/// Lists what no table says and the month must know.
fn missing(project: &Project, month: Month, balances: &Balances, findings: &mut Findings) {
    let bands: Vec<&str> = project.book.bands().iter().collect();
    let first = month.days().0;
    for member in super::present(project, month) {
        let Some(holder) = holder(project, month, member) else { continue };
        let held = holder.held.clone();
        let holders = [holder];
        let lacking = Ledger::new(&project.schemes, &bands, month, &holders, balances).missing();
        for missing in lacking {
            let Some(scheme) = project.schemes.all().get(missing.key.scheme as usize) else { continue };
            // Who was not there before has used nothing and has nothing to carry over.
            let since = scheme.period.around(scheme.period.around(first).0.yesterday()).0;
            let was_there = present_in(project, |site| {
                let zone = project.zone(site);
                Interval { from: zone.start_of(since.midnight()), until: zone.start_of(first.midnight()) }
            });
            if !was_there.contains(&member) || held.is_empty() {
                continue;
            }
            let payer = project.directory.payers().get(member.payer.index()).map_or("", |payer| payer.id.as_str());
            let site = project.settings.sites.get(member.site.index()).map_or("", |site| site.id.as_str());
            findings.push(
                Finding::error(
                    "allowance.opening_balance_missing",
                    format!(
                        "nothing says how `{}` of `{payer}` at `{site}` stood on {first}: its period began on {}",
                        scheme.name, missing.key.from
                    ),
                )
                .at(scheme.place.clone())
                .help(format!(
                    "run {} first, or name a table in `opening_balances` that says it (a row without amounts: nothing used, nothing left over)",
                    month.previous()
                )),
            );
        }
    }
}

/// Reads the rows of a table that are as of a day. What a published table says of allowances that are no more is passed
/// over.
fn read(file: &Arc<SourceText>, project: &Project, as_of: Date, published: bool, findings: &mut Findings) -> Balances {
    let (required, optional) = COLUMNS.split_at(4);
    let table = Table::read(file, required, optional, findings);
    let mut balances = Balances::new();
    for row in table.rows() {
        let mut reader = Reader { row, project, findings };
        let Some(day) = reader.date("as_of") else { continue };
        if day != as_of {
            continue;
        }
        let Some((key, balance)) = reader.balance(day, published) else { continue };
        if balances.insert(key, balance).is_some() {
            reader.bad("allowance", "two rows are for one account", "remove one of them");
        }
    }
    balances
}

struct Reader<'r, 't> {
    row: Row<'t>,
    project: &'r Project,
    findings: &'r mut Findings,
}

impl<'t> Reader<'_, 't> {
    fn balance(&mut self, as_of: Date, published: bool) -> Option<(AccountKey, Balance)> {
        let name = self.cell("allowance");
        let Some((index, scheme)) = (0_u32..).zip(self.project.schemes.all()).find(|(_, scheme)| *scheme.name == *name)
        else {
            if !published {
                self.bad("allowance", &format!("there is no allowance `{name}`"), "mend the name, or remove the row");
            }
            return None;
        };
        let group = self.cell("group");
        let owner = if group.is_empty() { Owner::Member(self.member(published)?) } else { Owner::Group(group.into()) };
        let from = match self.row.filled(self.row.column("period_from")) {
            Some(_) => self.date("period_from")?,
            None => scheme.period.around(as_of).0,
        };
        if from != scheme.period.around(as_of).0 {
            if !published {
                let begins = scheme.period.around(as_of).0;
                self.bad("period_from", "no period of the allowance begins then", &format!("it is {begins}"));
            }
            return None;
        }
        let counts = |reader: &mut Self, what: &str| {
            Some(Counts {
                time: reader.number(&format!("{what}_s"), 3)?,
                calls: reader.number(&format!("{what}_calls"), 0)?,
                money: reader.number(&format!("{what}_money"), LEDGER_SCALE)?,
            })
        };
        let (carried, used) = (counts(self, "carried")?, counts(self, "used")?);
        let by_class = self.by_class()?;
        let key = AccountKey { scheme: index, owner, line: self.cell("line").into(), from };
        Some((key, Balance { carried, used, by_class }))
    }

    fn cell(&self, column: &str) -> &'t str {
        self.row.cell(self.row.column(column))
    }

    fn member(&mut self, published: bool) -> Option<Member> {
        let (site, payer) = (self.cell("site"), self.cell("client_id"));
        let (site_id, payer_id) = (self.project.directory.site_id(site), self.project.directory.payer_id(payer));
        if !published && site_id.is_none() {
            self.bad("site", &format!("there is no site `{site}`"), "mend the name");
        }
        if !published && payer_id.is_none() {
            self.bad("client_id", &format!("there is no payer `{payer}`"), "mend the name");
        }
        Some(Member { site: site_id?, payer: payer_id? })
    }

    fn date(&mut self, column: &str) -> Option<Date> {
        let text = self.cell(column);
        let date = Date::parse(text);
        if date.is_none() {
            self.bad(column, &format!("`{text}` is not a date"), "write it as `2026-07-01`");
        }
        date
    }

    fn number(&mut self, column: &str, decimals: u32) -> Option<i128> {
        let text = self.cell(column);
        let number = if text.is_empty() { Some(0) } else { scaled(text, decimals) };
        if number.is_none() {
            let help = "write a plain decimal number; leave the cell empty for nothing";
            self.bad(column, &format!("`{text}` is not an amount"), help);
        }
        number
    }

    /// `mobile=1200;premium=60`: units of the allowance's first resource.
    fn by_class(&mut self) -> Option<Vec<(NumberClass, i128)>> {
        let text = self.cell("used_by_class");
        let read = |item: &str| {
            let (class, used) = item.split_once('=')?;
            Some((NumberClass::from_name(class.trim())?, used.trim().parse().ok()?))
        };
        let list: Option<Vec<(NumberClass, i128)>> =
            text.split(';').filter(|item| !item.trim().is_empty()).map(read).collect();
        if list.is_none() {
            let help = "write classes and amounts: `mobile=1200;premium=60` (thousandths of a second, calls, or 10⁻¹⁰ of the currency unit)";
            self.bad("used_by_class", &format!("`{text}` does not say what was used"), help);
        }
        list
    }

    fn bad(&mut self, column: &str, message: &str, help: &str) {
        let label = self.row.label(self.row.column(column), "here");
        self.findings.push(Finding::error("allowance.bad_opening_balance", message).at(label).help(help));
    }
}

/// A plain decimal as a count of 10⁻ⁿ.
fn scaled(text: &str, decimals: u32) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let width = decimals as usize;
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > width || !plain || text.ends_with('.') {
        return None;
    }
    // Nothing that is counted reaches a million million.
    format!("{whole}{fraction:0<width$}").parse().ok().filter(|_| whole.len() <= 12)
}

/// Publishes what a month closes with.
///
/// # Errors
///
/// If the disk refuses.
pub(in crate::run) fn write_closing(
    allowances: &Allowances<'_>,
    stage: &Stage<'_>,
    closing: &Balances,
    names: &crate::report::Names,
) -> Result<(), RunError> {
    let schemes = super::scheme_names(allowances.project);
    let as_of = allowances.month.days().1.to_string();
    let lines: Vec<BalanceLine<'_>> = closing
        .iter()
        .map(|(key, balance)| BalanceLine {
            as_of: &as_of,
            allowance: schemes.get(key.scheme as usize).map_or("", |(name, _)| name),
            key,
            balance,
        })
        .collect();
    let mut bytes = Vec::new();
    csv::write(&allowance_balances(&lines, names).view(), Profile::Machine, &mut bytes);
    stage.write(&closing_file(allowances.month), &bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_decimals() {
        for (text, decimals, units) in [
            ("0", 3, Some(0)),
            ("12.5", 3, Some(12_500)),
            ("12.5004", 3, None),
            ("7", 0, Some(7)),
            ("7.0", 0, None),
            ("0.0000000001", 10, Some(1)),
            ("-1", 3, None),
            ("1e3", 3, None),
            ("1.", 3, None),
        ] {
            assert_eq!(scaled(text, decimals), units, "{text}");
        }
    }
}
