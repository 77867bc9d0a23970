//! From tables to a [`Directory`].

use std::collections::BTreeMap;

use crate::finding::Findings;
use crate::time::Instant;

use super::checks;
use super::history;
use super::holdings::{self, Belief};
use super::rows::{AccountCode, AllocationRow, Occupier, Reader, Rows, Tables};
use super::timelines::{AccountCodes, CodeSpan};
use super::{Allocation, Directory, Files, Operator, Payer, Site, VoiceService};

pub(super) fn directory(
    files: &Files,
    operator: &Operator,
    sites: &[Site],
    known_at: Option<Instant>,
    findings: &mut Findings,
) -> Directory {
    let mut sites: Box<[Site]> = sites.into();
    sites.sort_by(|left, right| left.id.cmp(&right.id));
    let tables = Tables::read(files, findings);

    let (mut reader, occupiers) = Reader::new(&tables, operator, &sites, findings);
    let (contracts, contract_ids) = reader.contracts(&tables);
    let services = reader.services(&tables, &contract_ids);
    let numbers = reader.numbers(&tables);
    let allocations = reader.allocations(&tables);
    let account_codes = reader.account_codes(&tables);
    drop(reader);

    let payers = payers(operator, &occupiers);
    let known = history::known(&allocations.rows, findings);
    let believed: Vec<Belief<'_>> = allocations
        .rows
        .iter()
        .zip(&known)
        .filter(|(_, known)| match known_at {
            Some(instant) => known.contains(instant),
            None => known.until == Instant::MAX,
        })
        .filter_map(|(row, _)| Some(Belief { row: row.row, content: row.content? }))
        .collect();

    let names = checks::Names { payers: &payers, sites: &sites };
    let (number_timelines, extensions) = holdings::compile(&believed, &numbers, &names, findings);
    if !files.contracts.is_empty() && contracts.whole {
        checks::contracts(&believed, &contracts.rows, &names, findings);
    }
    if !files.services.is_empty() && services.whole && contracts.whole {
        checks::lines(&believed, &services.rows, &names, findings);
    }
    let account_codes = compile_codes(account_codes, &names, findings);
    let services = (!files.services.is_empty()).then(|| {
        let mut services: Vec<VoiceService> = services
            .rows
            .iter()
            .filter(|service| !service.active.is_empty() && service.lines > 0)
            .map(|service| VoiceService {
                payer: service.payer,
                site: service.site,
                from: service.active.from,
                until: service.active.until,
                lines: service.lines,
            })
            .collect();
        services.sort_unstable();
        services.into()
    });
    let allocations = history_rows(&allocations, &known);
    Directory { payers, numbers: number_timelines, extensions, account_codes, allocations, services, sites }
}

fn payers(operator: &Operator, occupiers: &[Occupier<'_>]) -> Box<[Payer]> {
    let operator = Payer {
        id: operator.id.clone(),
        name: operator.name.clone(),
        billing_reference: operator.billing_reference.clone(),
    };
    let occupiers = occupiers.iter().map(|occupier| Payer {
        id: occupier.id.to_owned(),
        name: occupier.name.to_owned(),
        billing_reference: occupier.billing_reference.map(str::to_owned),
    });
    std::iter::once(operator).chain(occupiers).collect()
}

fn history_rows(rows: &Rows<AllocationRow<'_>>, known: &[crate::time::Interval]) -> Box<[Allocation]> {
    rows.rows
        .iter()
        .zip(known)
        .filter_map(|(row, known)| {
            let content = row.content?;
            Some(Allocation {
                id: row.id.to_owned(),
                payer: content.payer,
                site: content.site,
                numbers: content.numbers,
                extension: content.extension,
                valid: content.valid,
                known: *known,
            })
        })
        .collect()
}

fn compile_codes(mut codes: Rows<AccountCode<'_>>, names: &checks::Names<'_>, findings: &mut Findings) -> AccountCodes {
    let mut compiled = AccountCodes::new(names.sites.len());
    codes.rows.sort_by_key(|row| row.valid.from);
    let mut by_code: BTreeMap<&[u8], Vec<&AccountCode<'_>>> = BTreeMap::new();
    for row in &codes.rows {
        by_code.entry(row.code.as_bytes()).or_default().push(row);
    }
    for (code, rows) in by_code {
        checks::account_code(&rows, names, findings);
        compiled.push(code, rows.iter().map(|row| CodeSpan { valid: row.valid, site: row.site, payer: row.payer }));
    }
    compiled
}
