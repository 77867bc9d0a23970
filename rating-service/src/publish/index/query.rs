//! Which calls a page shows, and what of them.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use rating_core::report::{Kind, Report};
use rating_core::time::Instant;

use super::columns::COLUMNS;
use crate::publish::download::{Audience, CalledNumbers, visible};
use crate::publish::published::Version;
use crate::publish::refusal::{Refusal, Result};

/// Which calls a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Of this site alone.
    pub site: Option<String>,
    /// Of these sites alone.
    pub sites: Option<Vec<String>>,
    /// Of this payer alone. An occupier's people see its own calls, whatever stands here.
    pub payer: Option<String>,
    /// Of this extension alone.
    pub extension: Option<String>,
    /// To this destination alone.
    pub destination: Option<String>,
    /// `charged`, `not chargeable` or `suspended`.
    pub status: Option<String>,
    /// With this text in a number, the destination or the switch's name of the call, as far as the reader is shown them.
    pub search: Option<String>,
    /// From this instant on.
    pub from: Option<Instant>,
    /// Before this instant.
    pub until: Option<Instant>,
    /// After the last call of the page before.
    pub after: Option<Cursor>,
    /// How many, at most a thousand.
    pub limit: u32,
}

/// Where a page ends: the next begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last call was charged, in milliseconds.
    pub charged_at: i64,
    /// Its id.
    pub id: i64,
}

impl Cursor {
    /// As it stands in answers.
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{}-{:016x}", self.charged_at, self.id)
    }

    /// The inverse.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (charged_at, id) = text.rsplit_once('-')?;
        Some(Self { charged_at: charged_at.parse().ok()?, id: parse_id(id)? })
    }
}

/// A page of calls, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The calls.
    pub calls: Vec<Call>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A call: the columns that its reader may see, each with its text as machine CSV has it (instants in UTC), empty cells left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// What it is named by, in every version.
    pub id: String,
    /// Column and text.
    pub cells: Vec<(&'static str, String)>,
}

impl Call {
    /// The text of a column, if the reader may see it and there is one.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.iter().find(|(name, _)| *name == column).map(|(_, text)| text.as_str())
    }
}

/// The id of a call as it stands in answers.
pub(super) fn id_text(id: i64) -> String {
    format!("{id:016x}")
}

/// The inverse: exactly as it stands in answers.
pub(super) fn parse_id(text: &str) -> Option<i64> {
    let id = i64::from_str_radix(text, 16).ok()?;
    (id_text(id) == text).then_some(id)
}

/// What of a call an audience is shown.
pub(super) struct Shown {
    columns: Vec<&'static str>,
    /// Whether numbers at the other end are masked.
    masks: bool,
}

impl Shown {
    /// # Errors
    ///
    /// `publish.not_available` if the audience may see no calls of the version.
    pub(super) fn of(version: &Version, audience: &Audience) -> Result<Self> {
        let nothing = || Refusal::new("publish.not_available", "there are no such calls");
        match audience {
            Audience::Operator { .. } => Ok(Self { columns: COLUMNS.map(|(name, _)| name).to_vec(), masks: false }),
            Audience::Occupier { visibility, .. } => {
                let shown = visible::columns(Report::Itemised, visibility).ok_or_else(nothing)?;
                if version.is_provisional() && !visibility.usage_to_date {
                    return Err(nothing());
                }
                let columns = COLUMNS.map(|(name, _)| name).into_iter().filter(|name| shown.contains(name)).collect();
                Ok(Self { columns, masks: visibility.called_numbers == CalledNumbers::Masked })
            }
        }
    }

    /// A call out of its row.
    pub(super) fn call(&self, row: &SqliteRow) -> std::result::Result<Call, sqlx::Error> {
        let text = |name: &str| -> std::result::Result<Option<String>, sqlx::Error> { row.try_get(name) };
        let own = [text("extension")?, text("number")?];
        let mut cells = Vec::new();
        for (name, kind) in COLUMNS.into_iter().filter(|(name, _)| self.columns.contains(name)) {
            let cell = match kind {
                Kind::Instant => {
                    let millis: Option<i64> = row.try_get(name)?;
                    millis.map(|millis| Instant::from_millis(millis).to_rfc3339())
                }
                _ => text(name)?,
            };
            let Some(cell) = cell else { continue };
            let hides = self.masks && visible::names_other_end(name) && !own.contains(&Some(cell.clone()));
            cells.push((name, if hides { visible::masked(&cell) } else { cell }));
        }
        Ok(Call { id: id_text(row.try_get("id")?), cells })
    }
}

/// Limits a statement to what an audience may see.
pub(super) fn limit_to(sql: &mut QueryBuilder<Sqlite>, audience: &Audience, sites: Option<&[String]>) {
    let mut within = |sites: &mut dyn Iterator<Item = &String>| {
        sql.push(" AND site IN (");
        let mut list = sql.separated(", ");
        for site in sites {
            list.push_bind(site.clone());
        }
        sql.push(")");
    };
    if let Some(sites) = sites {
        within(&mut sites.iter());
    }
    match audience {
        Audience::Occupier { id, .. } => {
            sql.push(" AND payer_id = ").push_bind(id.clone());
        }
        Audience::Operator { sites: Some(sites) } => within(&mut sites.iter()),
        Audience::Operator { sites: None } => {}
    }
}

/// The statement of a page.
pub(super) fn select(audience: &Audience, query: &Query, shown: &Shown, limit: u32) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM call WHERE 1 = 1");
    let mut is = |column: &str, value: Option<&String>| {
        if let Some(value) = value {
            sql.push(format!(" AND {column} = ")).push_bind(value.clone());
        }
    };
    is("site", query.site.as_ref());
    is("payer_id", query.payer.as_ref());
    is("extension", query.extension.as_ref());
    is("destination", query.destination.as_ref());
    is("status", query.status.as_ref());
    limit_to(&mut sql, audience, query.sites.as_deref());
    if let Some(search) = &query.search {
        searched(&mut sql, search, shown);
    }
    if let Some(from) = query.from {
        sql.push(" AND charged_at >= ").push_bind(from.as_millis());
    }
    if let Some(until) = query.until {
        sql.push(" AND charged_at < ").push_bind(until.as_millis());
    }
    if let Some(after) = query.after {
        sql.push(" AND (charged_at, id) > (").push_bind(after.charged_at);
        sql.push(", ").push_bind(after.id).push(")");
    }
    sql.push(" ORDER BY charged_at, id LIMIT ").push_bind(i64::from(limit) + 1);
    sql
}

/// What is looked for in numbers: a number may be written with spaces, as it is dialled in its country, or as it is shown where
/// the last digits are masked.
fn digits_of(search: &str) -> String {
    let is_number = search.bytes().all(|byte| byte.is_ascii_digit() || b"+-. ()/xX".contains(&byte));
    let plain: String = search.chars().filter(char::is_ascii_digit).collect();
    // Three digits at least: fewer say more about an extension.
    if !is_number || plain.len() < 3 {
        return search.to_owned();
    }
    let national = plain.strip_prefix("00").or_else(|| plain.strip_prefix('0')).filter(|rest| rest.len() > 2);
    national.map_or_else(|| plain.clone(), str::to_owned)
}

/// Looks for a text in what is shown, and in nothing else: where numbers are masked, asking for digit after digit would tell
/// those that are hidden. What a switch calls a call is found by its beginning alone: it is full of digits that say nothing.
fn searched(sql: &mut QueryBuilder<Sqlite>, search: &str, shown: &Shown) {
    let digits = digits_of(search);
    sql.push(" AND (");
    let mut or = "";
    for column in ["extension", "number", "destination", "call_id", "called", "dialled", "calling"] {
        if !shown.columns.contains(&column) {
            continue;
        }
        sql.push(or);
        or = " OR ";
        match column {
            _ if shown.masks && visible::names_other_end(column) => {
                // As `masked` leaves it: plain digits without the last three.
                sql.push(format!(
                    "({column} NOT GLOB '*[^0-9+]*' AND instr(substr({column}, 1, max(length({column}) - 3, 0)), "
                ));
                sql.push_bind(digits.clone()).push("))");
            }
            "call_id" => {
                sql.push("instr(lower(call_id), lower(").push_bind(search.to_owned()).push(")) = 1");
            }
            "destination" => {
                sql.push("instr(lower(destination), lower(").push_bind(search.to_owned()).push("))");
            }
            _ => {
                sql.push(format!("instr(lower({column}), lower(")).push_bind(digits.clone()).push("))");
            }
        }
    }
    sql.push(")");
}

/// Where a page ends that ends with this row.
pub(super) fn cursor(row: &SqliteRow) -> std::result::Result<Cursor, sqlx::Error> {
    Ok(Cursor { charged_at: row.try_get("charged_at")?, id: row.try_get("id")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_looked_for_as_people_write_them() {
        for (written, digits) in [
            ("020 7946 0958", "2079460958"),
            ("+44 (0)", "440"),
            ("0044 20", "4420"),
            ("+4420794609xxx", "4420794609"),
            ("020", "020"),
            ("12", "12"),
            ("Germany", "Germany"),
            ("PJSIP/x-00a1", "PJSIP/x-00a1"),
        ] {
            assert_eq!(digits_of(written), digits, "{written}");
        }
    }
}
