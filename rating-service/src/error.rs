//! What the service answers when it does not do what it was asked: problems as RFC 9457 describes them, each with a
//! stable code.
//!
//! A code, once published, keeps its meaning: clients branch on it, people search for it. [`CODES`] lists them all.

mod codes;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::directory::refusal::Refusal;
use serde::{Deserialize, Serialize};

pub use codes::{CODES, Code};

/// Everything that can go wrong ends here.
pub type Result<T> = std::result::Result<T, Problem>;

/// Why a request was not done: what, why, and how to mend it.
///
/// # Example
///
/// ```
/// use rating_service::error::Problem;
/// let problem = Problem::new("site.unknown", "there is no site `lnd`").help("did you mean `ldn`?");
/// assert_eq!(problem.status(), 404);
/// assert_eq!(problem.code(), "site.unknown");
/// ```
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: &'static Code,
    detail: String,
    help: Option<String>,
    errors: Vec<Fault>,
    retry_after: Option<u64>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer (`/hours/0/from`), or the name of a query parameter, or a row of a file (`row 7`).
    pub field: String,
    /// A stable code.
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// A problem of one of the [`CODES`]; `detail` says what is the matter with this request. A code that is not listed
    /// is a fault of this program, and is answered as one.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let found = codes::find(code);
        if found.is_none() {
            tracing::error!(code, "a problem code is not listed");
        }
        let detail = if found.is_some() { detail } else { format!("{code}: {detail}") };
        Self(Box::new(Inner {
            code: found.unwrap_or(&codes::INTERNAL),
            detail,
            help: None,
            errors: Vec::new(),
            retry_after: None,
        }))
    }

    /// A fault of this program: what went wrong stands in the log, the answer does not say it.
    #[must_use]
    pub fn internal(what: impl std::fmt::Display) -> Self {
        tracing::error!(error = %what, "internal error");
        Self::new("internal.error", "something went wrong on our side; the log has it under this request's id")
    }

    /// With a way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// With what is wrong field by field.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Fault>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With the number of seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.code.status
    }

    /// What is the matter.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The same words each time.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.0.code.title
    }

    /// How to mend it.
    #[must_use]
    pub fn mend(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// What is wrong field by field.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.0.errors
    }

    /// As one fault of a larger request: a row of a file, say.
    #[must_use]
    pub fn into_fault(self, field: impl Into<String>) -> Fault {
        Fault { field: field.into(), code: self.code().to_owned(), detail: self.0.detail, help: self.0.help }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code(), self.0.detail)?;
        self.0.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl std::error::Error for Problem {}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => {
                Self::new("store.busy", "the database is busy").help("try again in a moment").retry_after(1)
            }
            sqlx::Error::Database(database) if database.message().contains("database or disk is full") => {
                tracing::error!(%error, "the disk is full");
                Self::new("store.full", "the disk is full; nothing was changed").help("free some space")
            }
            _ => Self::internal(error),
        }
    }
}

impl From<Refusal> for Problem {
    /// A refusal of the directory, with the rule behind it, and each of its details as a fault of its own.
    fn from(refusal: Refusal) -> Self {
        let errors = refusal.details.into_iter().map(|detail| Fault {
            field: detail.of,
            code: detail.code.to_owned(),
            detail: detail.message,
            help: Some(detail.help.to_owned()),
        });
        Self::new(refusal.code, format!("{}; {}", refusal.message, refusal.why))
            .help(refusal.help)
            .errors(errors.collect())
    }
}

/// The body of a problem, as RFC 9457 has it.
#[derive(Serialize)]
struct Body<'p> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'p str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'p str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'p [Fault],
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let inner = &*self.0;
        let body = Body {
            r#type: format!("urn:rating:problem:{}", inner.code.code),
            title: inner.code.title,
            status: inner.code.status,
            detail: &inner.detail,
            code: inner.code.code,
            help: inner.help.as_deref(),
            errors: &inner.errors,
        };
        let status = StatusCode::from_u16(inner.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = inner.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // A page shows it in its own way.
        response.extensions_mut().insert(self);
        response
    }
}

/// Collects what is wrong with a request, so that all of it is said at once.
///
/// # Example
///
/// ```
/// use rating_service::error::Faults;
/// let mut faults = Faults::default();
/// faults.text("/name", " ", 200);
/// faults.id("/id", "a/b");
/// let problem = faults.finish().unwrap_err();
/// assert_eq!(problem.code(), "request.invalid");
/// assert_eq!(problem.faults().len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds one.
    pub fn push(&mut self, field: impl Into<String>, code: &str, detail: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into()).filter(|help: &String| !help.is_empty());
        self.0.push(Fault { field: field.into(), code: code.to_owned(), detail: detail.into(), help });
    }

    /// Adds what another check found.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.0.extend(faults);
    }

    /// A text that must say something, in at most `longest` characters, without control characters.
    pub fn text(&mut self, field: &str, text: &str, longest: usize) {
        if text.trim().is_empty() {
            self.push(field, "field.empty", "is empty", "say something");
        }
        self.optional_text(field, text, longest);
    }

    /// A text that may be empty.
    pub fn optional_text(&mut self, field: &str, text: &str, longest: usize) {
        let length = text.chars().count();
        if length > longest {
            self.push(field, "field.too_long", format!("has {length} characters, at most {longest} are kept"), "");
        }
        if text.chars().any(is_unseen) {
            self.push(field, "field.control_character", "holds a character that is not seen", "write it anew");
        }
    }

    /// An id, which becomes a name of files.
    pub fn id(&mut self, field: &str, id: &str) {
        if let Some(fault) = rating_core::ids::file_name_fault(id) {
            self.push(field, "field.id_malformed", format!("`{id}` {fault}"), "ids become names of files and folders");
        }
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is wrong, as one problem.
    ///
    /// # Errors
    ///
    /// `request.invalid`, if anything is.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let count = self.0.len();
        let detail = if count == 1 { "one field is wrong".to_owned() } else { format!("{count} fields are wrong") };
        Err(Problem::new("request.invalid", detail).errors(self.0))
    }
}

/// Whether a character is not seen, and makes a text look like another: controls, marks that turn the direction of writing,
/// spaces without width (Unicode Standard Annex 9; Unicode Technical Standard 39, section 3).
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_well_formed() {
        for pair in CODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} stands after {}", pair[0].code, pair[1].code);
        }
        for code in CODES {
            assert!(code.code.contains('.'), "{}", code.code);
            assert!((400..600).contains(&code.status), "{}", code.code);
        }
    }

    #[test]
    fn every_refusal_of_the_directory_has_its_code_here() {
        use rating_core::directory::{contracts, decommission};
        let codes = contracts::CODES.iter().chain(&contracts::SERVICE_CODES).chain(&decommission::CODES);
        for code in codes {
            assert!(codes::find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn every_refusal_of_the_directory_and_of_months_has_a_status() {
        use rating_core::directory::{contracts, decommission, lifecycle, main_number};
        let all = [
            lifecycle::CODES.as_slice(),
            &contracts::CODES,
            &contracts::SERVICE_CODES,
            &decommission::CODES,
            &main_number::CODES,
            &main_number::HOURS_CODES,
            &main_number::EVENT_CODES,
            crate::publish::CODES,
        ];
        for code in all.into_iter().flatten() {
            assert!(codes::find(code).is_some(), "{code} is not listed");
        }
    }

    #[test]
    fn an_unlisted_code_is_our_fault() {
        assert_eq!(Problem::new("no.such_code", "x").status(), 500);
    }
}
