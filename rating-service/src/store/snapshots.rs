//! Takes a [`Snapshot`]: everything that a run needs, read in one transaction.

use std::collections::BTreeMap;
use std::path::Path;

use rating_core::time::{Instant, Interval};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use super::snapshot::{self, Snapshot};
use super::{numbers, occupiers, operator, services, sites, sources};
use crate::error::{Problem, Result};

/// What contracted lines cost the operator, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Lines of all sites together that cost nothing.
    pub allowance: u64,
    /// Of a line above them: `10.00 GBP`.
    pub price_per_month: String,
    /// Lines that cost nothing at a site.
    #[serde(default)]
    pub sites: BTreeMap<String, u64>,
}

/// When a run that finished is still not good, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Share of all calls that may be suspended, `0.1%`; empty is the engine's own.
    #[serde(default)]
    pub suspended: String,
    /// Share of all records that may be rejected; empty is the engine's own.
    #[serde(default)]
    pub rejected: String,
}

/// Where the content of files is kept, below the data folder.
pub const FILES: &str = "files";

/// An end of time is an empty cell.
fn cell(at: Instant) -> String {
    if at == Instant::MIN || at == Instant::MAX { String::new() } else { at.to_rfc3339() }
}

/// Reads everything that a run needs; contents of files are found below `data`.
///
/// # Errors
///
/// `operator.not_set_up`, or the database fails.
pub async fn take(on: &mut SqliteConnection, data: &Path) -> Result<Snapshot> {
    let operator = operator::get(on)
        .await?
        .ok_or_else(|| Problem::new("operator.not_set_up", "the operator is not set up yet"))?;
    let services = services::list(on, &services::Filter::default()).await?;
    let (usage, limits) = (sources::setting(on, "usage").await?.0, sources::setting(on, "limits").await?.0);
    let usage: Option<Usage> = usage.and_then(|content| serde_json::from_str(&content).ok());
    let limits: Limits = limits.and_then(|content| serde_json::from_str(&content).ok()).unwrap_or_default();
    Ok(Snapshot {
        operator: snapshot::Operator {
            id: operator.id,
            name: operator.name,
            currency: operator.currency,
            zone: operator.zone,
        },
        sites: sites::list(on).await?.into_iter().map(site).collect(),
        sources: sources::list(on)
            .await?
            .into_iter()
            .map(|source| snapshot::Source {
                id: source.id,
                site: source.site,
                format: source.format,
                zone: source.zone,
                settings: source.settings,
            })
            .collect(),
        occupiers: occupiers_and_names(on).await?,
        contracts: contracts(on).await?,
        services: services.iter().filter(|service| !service.time().is_empty()).map(line).collect(),
        numbers: all_numbers(on).await?,
        allocations: allocations(on).await?,
        account_codes: table(on, "account_codes").await?,
        files: sources::files(on)
            .await?
            .into_iter()
            .map(|file| snapshot::File {
                stored: data.join(FILES).join(&file.sha256),
                path: file.path,
                sha256: file.sha256,
            })
            .collect(),
        assignments: assignments(on, &services).await?,
        exchange_rates: table(on, "exchange_rates").await?,
        opening_balances: None,
        accepted_gaps: accepted_gaps(on).await?,
        usage: usage.map(|usage| snapshot::Usage {
            allowance: usage.allowance,
            price_per_month: usage.price_per_month,
            rounding: None,
            sites: usage.sites,
        }),
        reports: snapshot::Reports::default(),
        limits: snapshot::Limits { suspended: limits.suspended, rejected: limits.rejected },
    })
}

fn site(site: sites::Site) -> snapshot::Site {
    snapshot::Site {
        id: site.id,
        name: site.name,
        zone: site.zone,
        country: site.country,
        area_code: site.area_code.unwrap_or_default(),
        outside_line: site.outside_line,
        extensions: site.extensions,
        holidays: site.holidays,
    }
}

fn line(service: &services::Service) -> snapshot::Service {
    let time = service.time();
    snapshot::Service {
        id: service.id.clone(),
        contract: service.contract.clone(),
        lines: u64::from(service.all_lines()),
        from: cell(time.from),
        until: cell(time.until),
    }
}

async fn occupiers_and_names(on: &mut SqliteConnection) -> Result<Vec<snapshot::Occupier>> {
    let all = occupiers::list(on, &occupiers::Filter { limit: i64::MAX, ..occupiers::Filter::default() }).await?;
    let rows = all.into_iter().map(|occupier| snapshot::Occupier {
        id: occupier.id,
        name: occupier.name,
        billing_reference: occupier.billing_reference,
    });
    Ok(rows.collect())
}

async fn contracts(on: &mut SqliteConnection) -> Result<Vec<snapshot::Contract>> {
    let rows = sqlx::query(
        "SELECT id, occupier, site, valid_from, valid_until FROM contract WHERE discarded_at IS NULL \
         AND (valid_until IS NULL OR valid_until > valid_from)",
    )
    .fetch_all(on)
    .await?;
    rows.iter()
        .map(|row| {
            let until: Option<i64> = row.try_get("valid_until")?;
            Ok(snapshot::Contract {
                id: row.try_get("id")?,
                occupier: row.try_get("occupier")?,
                site: row.try_get("site")?,
                from: cell(Instant::from_millis(row.try_get("valid_from")?)),
                until: until.map(|until| cell(Instant::from_millis(until))).unwrap_or_default(),
            })
        })
        .collect()
}

async fn all_numbers(on: &mut SqliteConnection) -> Result<Vec<snapshot::Number>> {
    let all = numbers::list(on, &numbers::Filter { limit: i64::MAX, ..numbers::Filter::default() }).await?;
    let rows = all.into_iter().map(|number| snapshot::Number {
        number: number.facts.number.to_string(),
        last: String::new(),
        site: number.facts.site,
        kind: number.facts.kind.name().to_owned(),
    });
    Ok(rows.collect())
}

async fn allocations(on: &mut SqliteConnection) -> Result<Vec<snapshot::Allocation>> {
    let rows = numbers::allocations(on, None).await?.into_iter().map(|row| snapshot::Allocation {
        id: format!("a{}", row.seq),
        holder: row.holder.unwrap_or_default(),
        site: row.site,
        number: row.number,
        last: String::new(),
        extension: row.extension.unwrap_or_default(),
        from: cell(row.from),
        until: row.until.map(cell).unwrap_or_default(),
        recorded_at: cell(row.recorded_at),
        supersedes: row.supersedes.map(|seq| format!("a{seq}")).unwrap_or_default(),
    });
    Ok(rows.collect())
}

/// Who is on what: what was assigned by hand, and what services bring with them.
async fn assignments(on: &mut SqliteConnection, services: &[services::Service]) -> Result<Vec<snapshot::Assignment>> {
    let by_hand = sources::assignments(on).await?.into_iter().map(|assignment| snapshot::Assignment {
        side: assignment.side,
        payer: assignment.payer,
        site: assignment.site,
        tariff: assignment.tariff,
        from: assignment.from,
        until: assignment.until,
        quantity: assignment.quantity,
        group: assignment.group,
    });
    let mut rows: Vec<snapshot::Assignment> = by_hand.collect();

    // Several services of one occupier with one tariff are one assignment for as long as any of them is there.
    let mut tariffs: BTreeMap<(&str, &str, &str), Vec<Interval>> = BTreeMap::new();
    for service in services.iter().filter(|service| !service.time().is_empty()) {
        if !service.tariff.is_empty() {
            let key = (service.occupier.as_str(), service.site.as_str(), service.tariff.as_str());
            tariffs.entry(key).or_default().push(service.time());
        }
        if !service.allowance.is_empty() {
            rows.push(snapshot::Assignment {
                side: "allowance".to_owned(),
                payer: service.occupier.clone(),
                site: service.site.clone(),
                tariff: service.allowance.clone(),
                from: cell(service.time().from),
                until: cell(service.time().until),
                quantity: service.quantity.to_string(),
                group: String::new(),
            });
        }
    }
    for ((payer, site, tariff), times) in tariffs {
        rows.extend(joined(times).into_iter().map(|time| snapshot::Assignment {
            side: "retail".to_owned(),
            payer: payer.to_owned(),
            site: site.to_owned(),
            tariff: tariff.to_owned(),
            from: cell(time.from),
            until: cell(time.until),
            ..snapshot::Assignment::default()
        }));
    }
    Ok(rows)
}

/// Intervals that touch or overlap, as one.
fn joined(mut times: Vec<Interval>) -> Vec<Interval> {
    times.sort_by_key(|time| (time.from, time.until));
    let mut joined: Vec<Interval> = Vec::new();
    for time in times {
        match joined.last_mut() {
            Some(last) if time.from <= last.until => last.until = last.until.max(time.until),
            _ => joined.push(time),
        }
    }
    joined
}

/// A table that is kept as a setting.
async fn table<T: serde::de::DeserializeOwned>(on: &mut SqliteConnection, name: &str) -> Result<Vec<T>> {
    let (content, _) = sources::setting(on, name).await?;
    content.map_or(Ok(Vec::new()), |content| serde_json::from_str(&content).map_err(Problem::internal))
}

async fn accepted_gaps(on: &mut SqliteConnection) -> Result<Vec<snapshot::AcceptedGap>> {
    let rows = sqlx::query("SELECT * FROM accepted_gap").fetch_all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(snapshot::AcceptedGap {
                gap: row.try_get("gap")?,
                accepted_by: row.try_get("accepted_by")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_with_one_tariff_are_one_assignment_while_any_is_there() {
        let time =
            |from: i64, until: i64| Interval { from: Instant::from_millis(from), until: Instant::from_millis(until) };
        assert_eq!(joined(vec![time(5, 9), time(0, 3), time(3, 4), time(7, 12)]), [time(0, 4), time(5, 12)]);
    }
}
