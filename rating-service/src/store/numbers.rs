//! Numbers: as they stand, what happened to them, who held them when. `directory::lifecycle` decides what may happen; here
//! its events are appended, and what they change is kept.

use rating_core::directory::lifecycle::{
    AllocationChange, Assignee, Change as Happened, CoolOff, Event, Facts, Hold, Holder, Kind, Origin, State, Towards,
    apply,
};
use rating_core::number::{Digits, E164};
use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::Change;
use crate::error::{Problem, Result};

/// A number as it stands. What is around it is not filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What is known of it.
    pub facts: Facts,
    /// Grows with each change.
    pub revision: i64,
}

fn number(row: &SqliteRow) -> Result<Number> {
    let text = |column: &str| -> Result<Option<String>> { Ok(row.try_get(column)?) };
    let required = |column: &str| -> Result<String> { Ok(row.try_get(column)?) };
    let instant = |column: &str| -> Result<Option<Instant>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Instant::from_millis))
    };
    let malformed = || Problem::internal("a number in the database cannot be understood");
    let operator = text("operator")?;
    let holder = |id: String| match &operator {
        Some(operator) if *operator == id => Holder::Operator(id),
        _ => Holder::Occupier(id),
    };
    let e164 = E164::parse(required("number")?.as_bytes()).ok_or_else(malformed)?;
    let state = match (required("state")?.as_str(), text("towards")?.as_deref()) {
        ("AVAILABLE", _) => State::Available,
        ("RESERVED", _) => State::Reserved,
        ("ACTIVE", _) => State::Active,
        ("COOLDOWN", _) => State::Cooldown,
        ("PENDING", Some("ACTIVE")) => State::Pending(Towards::Active),
        ("PENDING", Some("RESERVED")) => State::Pending(Towards::Reserved),
        ("PENDING", Some("COOLDOWN")) => State::Pending(Towards::Cooldown),
        _ => return Err(malformed()),
    };
    let assigned = match (text("assigned_kind")?.as_deref(), text("assigned")?) {
        (Some("user"), Some(id)) => Some(Assignee::User(id)),
        (Some("device"), Some(id)) => Some(Assignee::Device(id)),
        (Some("place"), Some(id)) => Some(Assignee::Place(id)),
        (Some("softphone"), Some(id)) => Some(Assignee::Softphone(id)),
        _ => None,
    };
    let hold = match (text("hold_prospect")?, instant("hold_until")?) {
        (Some(prospect), Some(until)) => Some(Hold { prospect, until, contracted_lines: row.try_get("hold_lines")? }),
        _ => None,
    };
    let facts = Facts {
        number: e164,
        kind: if required("kind")? == "main" { Kind::Main } else { Kind::Direct },
        origin: if required("origin")? == "ported" { Origin::Ported } else { Origin::Own },
        state,
        holder: text("holder")?.map(holder),
        used: row.try_get("used")?,
        extension: text("extension")?.and_then(|text| Digits::parse(text.as_bytes())),
        assigned,
        logged_in: text("logged_in")?,
        label: text("label")?,
        cool_off_until: instant("cool_off_until")?,
        cool_off: row.try_get::<Option<u16>, _>("cool_off_days")?.and_then(CoolOff::new),
        last_holder: text("last_holder")?.map(holder),
        hold,
        changed_at: instant("changed_at")?,
        ..Facts::absent(e164, required("site")?)
    };
    Ok(Number { facts, revision: row.try_get("revision")? })
}

/// The number, if it was ever provisioned.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, which: E164) -> Result<Option<Number>> {
    let row = sqlx::query("SELECT *, (SELECT id FROM operator) AS operator FROM number WHERE number = $1")
        .bind(which.to_string())
        .fetch_optional(on)
        .await?;
    row.as_ref().map(number).transpose()
}

/// Which numbers. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this site.
    pub site: Option<String>,
    /// At one of these sites.
    pub sites: Option<Vec<String>>,
    /// In this state.
    pub state: Option<String>,
    /// Held by this organisation.
    pub holder: Option<String>,
    /// Of this kind: `ddi` or `main`.
    pub kind: Option<String>,
    /// Assigned to this user.
    pub user: Option<String>,
    /// Kept for a prospect at this instant.
    pub held_at: Option<Instant>,
    /// With these digits in the number or the extension, or this text in the label.
    pub search: Option<String>,
    /// Beyond this number.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// Numbers in their order. Plus sign and digits sort as text: shorter prefixes first.
///
/// # Errors
///
/// The database fails.
pub async fn list(on: &mut SqliteConnection, filter: &Filter) -> Result<Vec<Number>> {
    let query = sqlx::query(
        "SELECT *, (SELECT id FROM operator) AS operator FROM number WHERE ($1 IS NULL OR site = $1) AND ($2 IS NULL OR state = $2) \
         AND ($3 IS NULL OR holder = $3) AND ($4 IS NULL OR kind = $4) \
         AND ($5 IS NULL OR (assigned_kind = 'user' AND assigned = $5)) \
         AND ($6 IS NULL OR (hold_prospect IS NOT NULL AND hold_until > $6)) \
         AND ($7 IS NULL OR instr(number, $7) OR instr(coalesce(extension, ''), $7) \
              OR instr(lower(coalesce(label, '')), lower($7))) \
         AND ($8 IS NULL OR number > $8) \
         AND ($10 IS NULL OR site IN (SELECT value FROM json_each($10))) ORDER BY number LIMIT $9",
    );
    let query = query.bind(&filter.site).bind(&filter.state).bind(&filter.holder).bind(&filter.kind);
    let query = query.bind(&filter.user).bind(filter.held_at.map(Instant::as_millis)).bind(&filter.search);
    let query = query.bind(&filter.after).bind(filter.limit).bind(filter.sites.as_deref().map(super::texts));
    query.fetch_all(on).await?.iter().map(number).collect()
}

/// How many numbers of a site there are: `state`, whether they are the operator's own, whether they are kept for a
/// prospect, and how many.
///
/// # Errors
///
/// The database fails.
pub async fn counts(on: &mut SqliteConnection, site: &str, at: Instant) -> Result<Vec<(String, bool, bool, i64)>> {
    let rows = sqlx::query(
        "SELECT state, coalesce(holder = (SELECT id FROM operator), 0) AS own, coalesce(hold_until > $2, 0) AS kept, count(*) AS n FROM number \
         WHERE site = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
    .bind(site)
    .bind(at.as_millis())
    .fetch_all(on)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("state")?, row.try_get("own")?, row.try_get("kept")?, row.try_get("n")?)))
        .collect()
}

/// How many numbers of a holder at a site take up a line, and whether one but `except` is its main number there.
///
/// # Errors
///
/// The database fails.
pub async fn in_use(on: &mut SqliteConnection, holder: &str, site: &str, except: &str) -> Result<(u32, bool)> {
    let row = sqlx::query(
        "SELECT count(*) FILTER (WHERE state IN ('PENDING', 'ACTIVE')) AS in_use, \
         count(*) FILTER (WHERE kind = 'main' AND number <> $3) > 0 AS has_main \
         FROM number WHERE holder = $1 AND site = $2",
    )
    .bind(holder)
    .bind(site)
    .bind(except)
    .fetch_one(on)
    .await?;
    Ok((row.try_get("in_use")?, row.try_get("has_main")?))
}

/// Whether an extension belongs to another holder at the site.
///
/// # Errors
///
/// The database fails.
pub async fn extension_taken(on: &mut SqliteConnection, site: &str, extension: &str, holder: &str) -> Result<bool> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM number WHERE site = $1 AND extension = $2 AND holder <> $3) AS taken",
    )
    .bind(site)
    .bind(extension)
    .bind(holder)
    .fetch_one(on)
    .await?;
    Ok(row.try_get("taken")?)
}

/// Extensions of a site that somebody has.
///
/// # Errors
///
/// The database fails.
pub async fn extensions(on: &mut SqliteConnection, site: &str) -> Result<Vec<String>> {
    let rows = sqlx::query("SELECT DISTINCT extension FROM number WHERE site = $1 AND extension IS NOT NULL")
        .bind(site)
        .fetch_all(on)
        .await?;
    rows.iter().map(|row| Ok(row.try_get("extension")?)).collect()
}

/// Numbers whose cool-off is over at an instant.
///
/// # Errors
///
/// The database fails.
pub async fn cooled_off(on: &mut SqliteConnection, at: Instant) -> Result<Vec<Number>> {
    let rows = sqlx::query("SELECT *, (SELECT id FROM operator) AS operator FROM number WHERE state = 'COOLDOWN' AND cool_off_until <= $1 ORDER BY number")
        .bind(at.as_millis())
        .fetch_all(on)
        .await?;
    rows.iter().map(number).collect()
}

/// Appends what happened to numbers, in its order, and keeps what it changes.
///
/// # Errors
///
/// `number.changed_meanwhile`, if a number is not as it was when this was decided, and the database's own guard against
/// two holders at one time.
pub async fn append(change: &mut Change, events: &[Event]) -> Result<()> {
    for event in events {
        let before = get(change.on(), event.number).await?;
        let facts = match &before {
            Some(number) => number.facts.clone(),
            None => Facts::absent(event.number, String::new()),
        };
        let after = apply(&facts, event);
        save(change.on(), &after, before.as_ref().map(|number| number.revision)).await?;
        if let Some(allocation) = event.allocation() {
            allocate(change, &after, &allocation).await?;
            // Its settings were its holder's, whoever comes next.
            if matches!(allocation, AllocationChange::Ended { .. }) {
                super::handling::forget(change.on(), &event.number.to_string()).await?;
            }
        }
        let actor = change.actor().to_string();
        let recorded_at = change.at().as_millis();
        sqlx::query(
            "INSERT INTO number_event (number, at, recorded_at, actor, what, details) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(event.number.to_string())
        .bind(event.at.as_millis())
        .bind(recorded_at)
        .bind(actor)
        .bind(event.name())
        .bind(details(event).to_string())
        .execute(change.on())
        .await?;
    }
    Ok(())
}

/// What the history says of an event besides its name: no labels, devices or persons, which can be erased elsewhere.
fn details(event: &Event) -> serde_json::Value {
    use serde_json::json;
    match &event.change {
        Happened::Provisioned { site, kind, origin, cool_off } => {
            json!({ "site": site, "kind": kind.name(), "origin": origin.name(), "cool_off_days": cool_off.map(CoolOff::days) })
        }
        Happened::CoolOffSet(days) => json!({ "cool_off_days": days.map(CoolOff::days) }),
        Happened::Held(hold) => json!({
            "prospect": hold.prospect, "until": hold.until.to_rfc3339(), "contracted_lines": hold.contracted_lines,
        }),
        Happened::Allocated { holder, extension } => {
            json!({ "holder": holder.id(), "extension": extension.map(|digits| digits.to_string()) })
        }
        Happened::ActivationFailed { reason }
        | Happened::DeactivationFailed { reason }
        | Happened::Released { reason } => json!({ "reason": reason }),
        Happened::DeactivationBegun { towards } => json!({ "towards": towards_name(*towards) }),
        Happened::CoolOffBegun { until } => json!({ "until": until.to_rfc3339() }),
        Happened::Assigned(assignee) => json!({ "kind": assignee.kind() }),
        _ => json!({}),
    }
}

const fn towards_name(towards: Towards) -> &'static str {
    match towards {
        Towards::Active => "ACTIVE",
        Towards::Reserved => "RESERVED",
        Towards::Cooldown => "COOLDOWN",
    }
}

async fn save(on: &mut SqliteConnection, facts: &Facts, revision: Option<i64>) -> Result<()> {
    let sql = if revision.is_some() {
        "UPDATE number SET site = $2, kind = $3, origin = $4, state = $5, towards = $6, holder = $7, used = $8, \
         extension = $9, assigned_kind = $10, assigned = $11, logged_in = $12, label = $13, cool_off_until = $14, \
         cool_off_days = $15, last_holder = $16, hold_prospect = $17, hold_until = $18, hold_lines = $19, \
         changed_at = $20, revision = revision + 1 WHERE number = $1 AND revision = $21"
    } else {
        "INSERT INTO number (number, site, kind, origin, state, towards, holder, used, extension, assigned_kind, \
         assigned, logged_in, label, cool_off_until, cool_off_days, last_holder, hold_prospect, hold_until, hold_lines, \
         changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
         ON CONFLICT DO NOTHING"
    };
    let towards = match facts.state {
        State::Pending(towards) => Some(towards_name(towards)),
        _ => None,
    };
    let query = sqlx::query(sql).bind(facts.number.to_string()).bind(&facts.site).bind(facts.kind.name());
    let query = query.bind(facts.origin.name()).bind(facts.state.name()).bind(towards);
    let query = query.bind(facts.holder.as_ref().map(Holder::id)).bind(facts.used);
    let query = query.bind(facts.extension.map(|digits| digits.to_string()));
    let query = query.bind(facts.assigned.as_ref().map(Assignee::kind)).bind(facts.assigned.as_ref().map(Assignee::id));
    let query = query.bind(&facts.logged_in).bind(&facts.label).bind(facts.cool_off_until.map(Instant::as_millis));
    let query = query.bind(facts.cool_off.map(CoolOff::days)).bind(facts.last_holder.as_ref().map(Holder::id));
    let hold = facts.hold.as_ref();
    let query = query.bind(hold.map(|hold| &hold.prospect)).bind(hold.map(|hold| hold.until.as_millis()));
    let query = query.bind(hold.and_then(|hold| hold.contracted_lines));
    let query = query.bind(facts.changed_at.map_or(0, Instant::as_millis)).bind(revision);
    if query.execute(on).await?.rows_affected() != 1 {
        let what = format!("{} was changed by somebody else meanwhile", facts.number);
        return Err(Problem::new("number.changed_meanwhile", what).help("look at it again, and decide anew"));
    }
    Ok(())
}

async fn allocate(change: &mut Change, facts: &Facts, what: &AllocationChange<'_>) -> Result<()> {
    let number = facts.number.to_string();
    let open = sqlx::query(
        "SELECT seq, holder, extension, valid_from, recorded_at FROM allocation AS this WHERE number = $1 \
         AND holder IS NOT NULL AND valid_until IS NULL \
         AND NOT EXISTS (SELECT 1 FROM allocation AS newer WHERE newer.supersedes = this.seq)",
    )
    .bind(&number)
    .fetch_optional(change.on())
    .await?;
    let recorded_at = change.at().as_millis();
    let row = match what {
        AllocationChange::Begun { holder, extension, from } => NewRow {
            holder: Some(holder.id().to_owned()),
            extension: extension.map(|digits| digits.to_string()),
            from: from.as_millis(),
            until: None,
            recorded_at,
            supersedes: None,
        },
        AllocationChange::Ended { until } => {
            let Some(open) = open else { return Err(Problem::internal("an allocation ends that never began")) };
            let from: i64 = open.try_get("valid_from")?;
            // What is learned of a row is learned after the row.
            let recorded_at = recorded_at.max(open.try_get::<i64, _>("recorded_at")?.saturating_add(1));
            let was_held = until.as_millis() > from;
            NewRow {
                holder: if was_held { open.try_get("holder")? } else { None },
                extension: open.try_get("extension")?,
                from,
                until: was_held.then_some(until.as_millis()),
                recorded_at,
                supersedes: Some(open.try_get("seq")?),
            }
        }
    };
    let inserted = sqlx::query(
        "INSERT INTO allocation (holder, site, number, extension, valid_from, valid_until, recorded_at, supersedes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.holder)
    .bind(&facts.site)
    .bind(&number)
    .bind(&row.extension)
    .bind(row.from)
    .bind(row.until)
    .bind(row.recorded_at)
    .bind(row.supersedes)
    .execute(change.on())
    .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.message().contains("two holders at one time") => {
            let what = format!("{number} had another holder at that time");
            Err(Problem::new("number.two_holders", what).help("see its history, and take a later instant"))
        }
        Err(error) => Err(error.into()),
    }
}

struct NewRow {
    holder: Option<String>,
    extension: Option<String>,
    from: i64,
    until: Option<i64>,
    recorded_at: i64,
    supersedes: Option<i64>,
}

/// A row of the history of allocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Its place.
    pub seq: i64,
    /// Who held; `None` takes another row back.
    pub holder: Option<String>,
    /// Where.
    pub site: String,
    /// Which number.
    pub number: String,
    /// With which extension.
    pub extension: Option<String>,
    /// From when.
    pub from: Instant,
    /// Until when.
    pub until: Option<Instant>,
    /// When it became known.
    pub recorded_at: Instant,
    /// Which row it takes the place of.
    pub supersedes: Option<i64>,
}

/// The history of allocations, in its order: of a number, or of all.
///
/// # Errors
///
/// The database fails.
pub async fn allocations(on: &mut SqliteConnection, of: Option<&str>) -> Result<Vec<Allocation>> {
    let rows = sqlx::query("SELECT * FROM allocation WHERE $1 IS NULL OR number = $1 ORDER BY seq")
        .bind(of)
        .fetch_all(on)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Allocation {
                seq: row.try_get("seq")?,
                holder: row.try_get("holder")?,
                site: row.try_get("site")?,
                number: row.try_get("number")?,
                extension: row.try_get("extension")?,
                from: Instant::from_millis(row.try_get("valid_from")?),
                until: row.try_get::<Option<i64>, _>("valid_until")?.map(Instant::from_millis),
                recorded_at: Instant::from_millis(row.try_get("recorded_at")?),
                supersedes: row.try_get("supersedes")?,
            })
        })
        .collect()
}

/// What happened to a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its place.
    pub seq: i64,
    /// From when it holds.
    pub at: Instant,
    /// When it became known.
    pub recorded_at: Instant,
    /// Who did it.
    pub actor: String,
    /// What: `allocated`.
    pub what: String,
    /// More, a JSON object as text.
    pub details: String,
}

/// What happened to a number, in its order.
///
/// # Errors
///
/// The database fails.
pub async fn history(on: &mut SqliteConnection, number: &str) -> Result<Vec<Logged>> {
    let rows =
        sqlx::query("SELECT * FROM number_event WHERE number = $1 ORDER BY seq").bind(number).fetch_all(on).await?;
    rows.iter()
        .map(|row| {
            Ok(Logged {
                seq: row.try_get("seq")?,
                at: Instant::from_millis(row.try_get("at")?),
                recorded_at: Instant::from_millis(row.try_get("recorded_at")?),
                actor: row.try_get("actor")?,
                what: row.try_get("what")?,
                details: row.try_get("details")?,
            })
        })
        .collect()
}
