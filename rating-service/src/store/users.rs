//! Users: who may sign in, in which role, at which sites. What tells who they are stands apart and can be erased.

use std::collections::BTreeSet;

use rating_core::time::Instant;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::is_taken;
use crate::error::{Problem, Result};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: String,
    /// Whose user: an occupier's, or (`None`) the operator's.
    pub occupier: Option<String>,
    /// `operator_admin`, `operator_user`, `occupier_admin`, `occupier_edit`, `occupier_view`.
    pub role: String,
    /// At which sites; `None` is all.
    pub sites: Option<BTreeSet<String>>,
    /// `invited`, `active`, `closed`.
    pub state: String,
    /// Who it is, unless erased.
    pub person: Option<Person>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// Grows with each change.
    pub revision: i64,
}

/// Who a user is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Address, never changed once made (rule 72).
    pub email: String,
    /// Name.
    pub name: String,
    /// Language of pages and mails.
    pub language: String,
}

const SELECT: &str = "SELECT user.*, person.email, person.name, person.language, \
     (SELECT json_group_array(site) FROM user_site WHERE user_site.user = user.id) AS sites \
     FROM user LEFT JOIN person ON person.user = user.id";

fn user(row: &SqliteRow) -> Result<User> {
    let every_site: bool = row.try_get("every_site")?;
    let sites: String = row.try_get("sites")?;
    let email: Option<String> = row.try_get("email")?;
    let person = match email {
        Some(email) => Some(Person { email, name: row.try_get("name")?, language: row.try_get("language")? }),
        None => None,
    };
    Ok(User {
        id: row.try_get("id")?,
        occupier: row.try_get("occupier")?,
        role: row.try_get("role")?,
        sites: (!every_site).then(|| super::from_texts(&sites).into_iter().collect()),
        state: row.try_get("state")?,
        person,
        created_at: Instant::from_millis(row.try_get("created_at")?),
        closed_at: row.try_get::<Option<i64>, _>("closed_at")?.map(Instant::from_millis),
        revision: row.try_get("revision")?,
    })
}

/// The user of that id.
///
/// # Errors
///
/// The database fails.
pub async fn get(on: &mut SqliteConnection, id: &str) -> Result<Option<User>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE user.id = $1"));
    sqlx::query(sql).bind(id).fetch_optional(on).await?.as_ref().map(user).transpose()
}

/// Users by id: an occupier's, or the operator's (`None`), after `after`.
///
/// # Errors
///
/// The database fails.
pub async fn list(
    on: &mut SqliteConnection,
    occupier: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<User>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE user.occupier IS $1 AND ($2 IS NULL OR user.id > $2) ORDER BY user.id LIMIT $3"
    ));
    sqlx::query(sql).bind(occupier).bind(after).bind(limit).fetch_all(on).await?.iter().map(user).collect()
}

/// A user that may sign in with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// Its company: an occupier, or empty for the operator.
    pub company: String,
    /// The hash of its password, if it has chosen one.
    pub password: Option<String>,
}

/// The users of an address, by company: the operator's first. Nobody has two in one company.
///
/// # Errors
///
/// The database fails.
pub async fn by_email(on: &mut SqliteConnection, email: &str) -> Result<Vec<Account>> {
    let sql = "SELECT user, company, password FROM person WHERE email = $1 ORDER BY company";
    let rows = sqlx::query(sql).bind(email).fetch_all(on).await?;
    rows.iter()
        .map(|row| {
            let (user, company, password) = (row.try_get("user")?, row.try_get("company")?, row.try_get("password")?);
            Ok(Account { user, company, password })
        })
        .collect()
}

/// Keeps a new user, with the sites it is limited to.
///
/// # Errors
///
/// `user.exists`, if the address belongs to another of the same company.
pub async fn insert(on: &mut SqliteConnection, user: &User) -> Result<()> {
    sqlx::query("INSERT INTO user (id, occupier, role, every_site, state, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&user.id)
        .bind(&user.occupier)
        .bind(&user.role)
        .bind(user.sites.is_none())
        .bind(&user.state)
        .bind(user.created_at.as_millis())
        .execute(&mut *on)
        .await?;
    if let Some(person) = &user.person {
        let query =
            sqlx::query("INSERT INTO person (user, company, email, name, language) VALUES ($1, $2, $3, $4, $5)");
        let query = query
            .bind(&user.id)
            .bind(user.occupier.as_deref().unwrap_or_default())
            .bind(&person.email)
            .bind(&person.name)
            .bind(&person.language);
        query.execute(&mut *on).await.map_err(|error| {
            if is_taken(&error) {
                return Problem::new("user.exists", "this e-mail address belongs to a user already")
                    .help("a person has one user in a company: change that one, or invite it again");
            }
            error.into()
        })?;
    }
    set_sites(on, &user.id, user.sites.as_ref()).await
}

async fn set_sites(on: &mut SqliteConnection, user: &str, sites: Option<&BTreeSet<String>>) -> Result<()> {
    sqlx::query("DELETE FROM user_site WHERE user = $1").bind(user).execute(&mut *on).await?;
    for site in sites.into_iter().flatten() {
        sqlx::query("INSERT INTO user_site (user, site) VALUES ($1, $2)")
            .bind(user)
            .bind(site)
            .execute(&mut *on)
            .await?;
    }
    Ok(())
}

/// Puts a user's role, sites, name and language in the place of those it had; its revision grows.
///
/// # Errors
///
/// The database fails.
pub async fn update(on: &mut SqliteConnection, user: &User) -> Result<()> {
    sqlx::query("UPDATE user SET role = $2, every_site = $3, revision = revision + 1 WHERE id = $1")
        .bind(&user.id)
        .bind(&user.role)
        .bind(user.sites.is_none())
        .execute(&mut *on)
        .await?;
    if let Some(person) = &user.person {
        sqlx::query("UPDATE person SET name = $2, language = $3 WHERE user = $1")
            .bind(&user.id)
            .bind(&person.name)
            .bind(&person.language)
            .execute(&mut *on)
            .await?;
    }
    set_sites(on, &user.id, user.sites.as_ref()).await
}

/// Keeps the hash of a user's password; the user is active from now on.
///
/// # Errors
///
/// The database fails.
pub async fn set_password(on: &mut SqliteConnection, user: &str, hash: &str) -> Result<()> {
    sqlx::query("UPDATE person SET password = $2 WHERE user = $1").bind(user).bind(hash).execute(&mut *on).await?;
    sqlx::query("UPDATE user SET state = 'active', revision = revision + 1 WHERE id = $1 AND state = 'invited'")
        .bind(user)
        .execute(on)
        .await?;
    Ok(())
}

/// Closes a user: it signs in no more, and who it was is erased. What it did stays in the log, by its id.
///
/// # Errors
///
/// The database fails.
pub async fn close(on: &mut SqliteConnection, user: &str, at: Instant) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE user = $1").bind(user).execute(&mut *on).await?;
    sqlx::query("DELETE FROM invitation WHERE user = $1").bind(user).execute(&mut *on).await?;
    sqlx::query("DELETE FROM person WHERE user = $1").bind(user).execute(&mut *on).await?;
    sqlx::query("UPDATE user SET state = 'closed', closed_at = $2, revision = revision + 1 WHERE id = $1")
        .bind(user)
        .bind(at.as_millis())
        .execute(on)
        .await?;
    Ok(())
}

/// How many users of that role can still sign in, or were invited: an occupier's, or (`None`) the operator's.
///
/// # Errors
///
/// The database fails.
pub async fn count(on: &mut SqliteConnection, occupier: Option<&str>, role: &str) -> Result<i64> {
    let row = sqlx::query("SELECT count(*) AS n FROM user WHERE occupier IS $1 AND role = $2 AND state <> 'closed'")
        .bind(occupier)
        .bind(role)
        .fetch_one(on)
        .await?;
    Ok(row.try_get("n")?)
}
