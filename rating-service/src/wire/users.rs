//! Users, sessions, invitations and tokens on the wire.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: String,
    /// Address to sign in with; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language of pages and mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `operator_admin`, `operator_user`, `occupier_admin`, `occupier_edit` or `occupier_view`.
    pub role: String,
    /// The occupier it belongs to; absent for the operator's users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupier: Option<String>,
    /// The sites it is limited to; absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<BTreeSet<String>>,
    /// `invited`, `active` or `closed`.
    pub state: String,
    /// When it was made.
    pub created_at: String,
}

/// A user by name, to give numbers to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A new user: it gets a mail with a link that is good once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Address to sign in with, which stays.
    #[schema(example = "mary@example.com")]
    pub email: String,
    /// What can be changed later.
    pub settings: UserSettings,
}

/// A user's settings, to be put in the place of those it has.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    /// Name.
    pub name: String,
    /// Its role.
    #[schema(example = "operator_user")]
    pub role: String,
    /// The sites it is limited to; left out or null, it is not.
    #[serde(default)]
    pub sites: Option<BTreeSet<String>>,
    /// Language of pages and mails.
    #[serde(default = "english")]
    pub language: String,
}

fn english() -> String {
    "en".to_owned()
}

/// What a user may change of itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Language of pages and mails.
    #[serde(default = "english")]
    pub language: String,
}

/// Signing in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user's address.
    pub email: String,
    /// Its password.
    #[schema(format = Password)]
    pub password: String,
    /// The company, if both are good for several: an occupier's id, or `operator`.
    #[serde(default)]
    pub company: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The user.
    pub user: User,
    /// The operator's name.
    pub operator: String,
    /// Where the operator's logo is; absent, if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/api/v1/operator/logo?version=9f86d081884c7d65")]
    pub logo: Option<String>,
    /// Whom occupiers ask for help; empty, if that is not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub support_contact: String,
    /// The day that it is, by the operator's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-02")]
    pub today: Option<String>,
}

/// Following an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// The secret of the link.
    pub secret: String,
    /// The password chosen, 12 characters at least.
    #[schema(format = Password, min_length = 12)]
    pub password: String,
}

/// Asking for a link to choose another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// The user's address.
    pub email: String,
}

/// A machine's token, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The sites it is limited to; absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<String>>,
    /// When it was made.
    pub created_at: String,
    /// Until when it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// `read`, `write`, `numbers`, `months`, `metrics`, `sync`.
    #[schema(example = json!(["read"]))]
    pub scopes: BTreeSet<String>,
    /// The sites it is limited to; left out or null, it is not.
    #[serde(default)]
    pub sites: Option<BTreeSet<String>>,
    /// Until when it is good: a day, which begins by the operator's clock, or an instant with its offset; left out, until
    /// revoked.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// A new token with its secret, which is shown this once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// The token.
    #[serde(flatten)]
    pub token: Token,
    /// Send it as `Authorization: Bearer …`.
    pub secret: String,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place, from 1.
    pub seq: i64,
    /// When.
    pub at: String,
    /// Who: `user:…`, `token:…`, `service`.
    pub actor: String,
    /// What: `site.created`.
    pub action: String,
    /// To what: `site:ldn`.
    pub subject: String,
    /// At which site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Of which occupier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupier: Option<String>,
    /// More.
    pub details: serde_json::Value,
    /// SHA-256 over the entry before and this one, as hexadecimal digits.
    pub hash: String,
}

/// Whether the audit log is whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Chain {
    /// Entries that fit the chain from the first on.
    pub entries: u64,
    /// The first place that does not fit; absent if all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<i64>,
}
