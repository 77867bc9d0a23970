//! Whose an object is: the one place where the guard asks before a handler sees the request.

use sqlx::{Row, SqliteConnection};

use crate::error::{Problem, Result};

/// What a route can name besides `{site}` and `{occupier}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{contract}`.
    Contract,
    /// `{service}`.
    Service,
    /// `{user}`.
    User,
    /// `{token}`.
    Token,
    /// `{number}`.
    Number,
    /// `{assignment}`.
    Assignment,
    /// `{source}`.
    Source,
}

/// Where and whose an object is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// At which site, if at one.
    pub site: Option<String>,
    /// Of which occupier, if of one.
    pub occupier: Option<String>,
}

impl Kind {
    /// What a parameter of a route names.
    #[must_use]
    pub fn of_parameter(name: &str) -> Option<Self> {
        match name {
            "contract" => Some(Self::Contract),
            "service" => Some(Self::Service),
            "user" => Some(Self::User),
            "token" => Some(Self::Token),
            "number" => Some(Self::Number),
            "assignment" => Some(Self::Assignment),
            "source" => Some(Self::Source),
            _ => None,
        }
    }

    const fn query(self) -> &'static str {
        match self {
            Self::Contract => "SELECT site, occupier FROM contract WHERE id = $1 COLLATE BINARY",
            Self::Service => {
                "SELECT site, occupier FROM contract \
                 WHERE id = (SELECT contract FROM service WHERE service.id = $1)"
            }
            Self::User => "SELECT NULL AS site, occupier FROM user WHERE id = $1",
            Self::Token => "SELECT NULL AS site, NULL AS occupier FROM token WHERE id = $1",
            Self::Number => "SELECT site, holder AS occupier FROM number WHERE number = $1",
            Self::Assignment => "SELECT NULL AS site, NULL AS occupier FROM assignment WHERE id = $1",
            Self::Source => "SELECT site, NULL AS occupier FROM source WHERE id = $1",
        }
    }

    /// What is answered for one that there is not, or that the caller may not know of.
    #[must_use]
    pub fn unknown(self, id: &str) -> Problem {
        match self {
            Self::Contract => Problem::new("contract.unknown", format!("there is no contract `{id}`")),
            Self::Service => Problem::new("service.unknown", format!("there is no service `{id}`")),
            Self::User => Problem::new("user.unknown", format!("there is no user `{id}`")),
            Self::Token => Problem::new("token.unknown", format!("there is no token `{id}`")),
            Self::Number => Problem::new("number.unknown", format!("there is no number `{id}`")),
            Self::Assignment => Problem::new("assignment.unknown", format!("there is no assignment `{id}`")),
            Self::Source => Problem::new("source.unknown", format!("there is no source `{id}`")),
        }
    }
}

/// Whose an object is, if there is one.
///
/// # Errors
///
/// The database fails.
pub async fn owner(on: &mut SqliteConnection, kind: Kind, id: &str) -> Result<Option<Owner>> {
    let row = sqlx::query(kind.query()).bind(id).fetch_optional(on).await?;
    row.map(|row| Ok(Owner { site: row.try_get("site")?, occupier: row.try_get("occupier")? })).transpose()
}

/// Whether an occupier has, or had, a contract at one of the sites.
///
/// # Errors
///
/// The database fails.
pub async fn occupier_is_at(on: &mut SqliteConnection, occupier: &str, sites: &[String]) -> Result<bool> {
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM contract WHERE occupier = $1 AND discarded_at IS NULL \
         AND site IN (SELECT value FROM json_each($2))) AS is_there",
    )
    .bind(occupier)
    .bind(super::texts(sites))
    .fetch_one(on)
    .await?;
    Ok(row.try_get("is_there")?)
}

/// Whether an occupier's users may sign in.
///
/// # Errors
///
/// The database fails.
pub async fn portal_is_open(on: &mut SqliteConnection, occupier: &str) -> Result<bool> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM portal WHERE occupier = $1 AND is_active) AS is_open")
        .bind(occupier)
        .fetch_one(on)
        .await?;
    Ok(row.try_get("is_open")?)
}
