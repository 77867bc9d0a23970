//! Forms. A field is named by the place of its value in the JSON that the interface takes (`/settings/name`), so that what is
//! wrong with that place stands beside the field. After a bar comes what it is, if it is no text:
//!
//! - `|opt`: a text that is left out if it is empty
//! - `|int`: a whole number, left out if it is empty
//! - `|bool`: `true` if it is there at all (a box that is ticked); write `<input type="hidden" name="…|bool" value="">` before
//!   it, so that it is false otherwise
//! - `|list`: texts, one for each time the field is there, empty ones left out; as above for an empty list
//! - `|lines`: texts, one a line

use std::collections::BTreeMap;

use axum::extract::{Form as AxumForm, FromRequest, Request};
use serde_json::{Map, Value};

use crate::error::{Problem, Result};

/// What a form sent.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let AxumForm(pairs) = AxumForm::<Vec<(String, String)>>::from_request(request, state)
            .await
            .map_err(|rejection| Problem::new("request.body_malformed", rejection.body_text()))?;
        Ok(Self(pairs))
    }
}

impl Fields {
    /// The text of a field, trimmed; empty, if it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let found = self.0.iter().rev().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// All texts of a field, empty ones left out.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty()).collect()
    }

    /// The JSON that the fields whose names begin with `/` make up.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut root = Value::Object(Map::new());
        for (name, value) in &self.0 {
            let Some(path) = name.strip_prefix('/') else { continue };
            let (path, kind) = path.split_once('|').unwrap_or((path, ""));
            let value = value.trim();
            let parsed = match kind {
                "opt" | "int" if value.is_empty() => continue,
                // What is no number goes as it is, for the interface to say so.
                "int" => value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from),
                "bool" => Value::Bool(!value.is_empty()),
                "list" => {
                    let mut list = root.pointer(&format!("/{path}")).cloned().unwrap_or(Value::Array(Vec::new()));
                    if let (Value::Array(items), false) = (&mut list, value.is_empty()) {
                        items.push(Value::from(value));
                    }
                    list
                }
                "lines" => value.lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
                _ => Value::from(value),
            };
            set(&mut root, path, parsed);
        }
        root
    }
}

/// Puts a value at a place, making objects on the way there.
fn set(root: &mut Value, path: &str, value: Value) {
    let mut place = root;
    for part in path.split('/') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else { return };
        place = object.entry(part).or_insert(Value::Null);
    }
    *place = value;
}

/// A form as a page shows it: what was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    values: BTreeMap<String, Vec<String>>,
    faults: BTreeMap<String, Vec<String>>,
    /// What is wrong with it as a whole.
    pub problem: Option<Problem>,
}

impl Form {
    /// Filled with what there is: the JSON of the same shape as the interface takes.
    #[must_use]
    pub fn of(json: &Value) -> Self {
        let mut form = Self::default();
        form.fill("", json);
        form
    }

    fn fill(&mut self, at: &str, json: &Value) {
        let texts = match json {
            Value::Null => return,
            Value::Object(object) => {
                for (name, value) in object {
                    self.fill(&format!("{at}/{name}"), value);
                }
                return;
            }
            Value::Bool(is_so) => vec![if *is_so { "true".to_owned() } else { String::new() }],
            Value::Array(items) => items.iter().map(text_of).collect(),
            other => vec![text_of(other)],
        };
        self.values.insert(at.to_owned(), texts);
    }

    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), vec![value.into()]);
        self
    }

    /// With one more of several values.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.entry(name.to_owned()).or_default().push(value.into());
        self
    }

    /// With a value for a field that has none.
    #[must_use]
    pub fn or(self, name: &str, value: &str) -> Self {
        if self.values.contains_key(name) || value.is_empty() { self } else { self.with(name, value) }
    }

    /// What was sent.
    #[must_use]
    pub fn sent(sent: &Fields) -> Self {
        let mut form = Self::default();
        for (name, value) in &sent.0 {
            let name = name.split_once('|').map_or(name.as_str(), |(name, _)| name);
            form.values.entry(name.to_owned()).or_default().push(value.clone());
        }
        form
    }

    /// What was sent and refused.
    #[must_use]
    pub fn refused(sent: &Fields, problem: Problem) -> Self {
        Self::sent(sent).wrong(problem)
    }

    /// With what is wrong with it.
    #[must_use]
    pub fn wrong(mut self, problem: Problem) -> Self {
        let form = &mut self;
        for fault in problem.faults() {
            let text = match &fault.help {
                Some(help) => format!("{}: {help}", fault.detail),
                None => fault.detail.clone(),
            };
            form.faults.entry(fault.field.clone()).or_default().push(text);
        }
        form.problem = Some(problem);
        self
    }

    /// The text of a field.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.last()).map_or("", String::as_str)
    }

    /// The texts of a field, one a line.
    #[must_use]
    pub fn lines(&self, name: &str) -> String {
        self.values.get(name).map(|values| values.join("\n")).unwrap_or_default()
    }

    /// Whether a value is chosen: by a box that is ticked, or among a list.
    #[must_use]
    pub fn has(&self, name: &str, value: impl AsRef<str>) -> bool {
        self.values.get(name).is_some_and(|values| values.iter().any(|one| one == value.as_ref()))
    }

    /// What is wrong with a field, or with anything within it; empty, if nothing is.
    #[must_use]
    pub fn fault(&self, name: &str) -> String {
        let within = format!("{name}/");
        let found = self.faults.iter().filter(|(field, _)| *field == name || field.starts_with(&within));
        found.flat_map(|(_, faults)| faults).map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    /// What is wrong that stands beside none of these fields.
    #[must_use]
    pub fn others(&self, shown: impl AsRef<[&'static str]>) -> Vec<String> {
        let shown = shown.as_ref();
        let is_shown = |field: &str| shown.iter().any(|name| *name == field || field.starts_with(&format!("{name}/")));
        let others = self.faults.iter().filter(|(field, _)| !is_shown(field));
        others.flat_map(|(field, faults)| faults.iter().map(move |fault| format!("{field} {fault}"))).collect()
    }
}

/// A field's id on its page.
#[must_use]
pub fn id_of(name: &str) -> String {
    name.trim_start_matches('/').replace('/', "-")
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Fault;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn fields_make_the_json_that_the_interface_takes() {
        let sent = fields(&[
            ("tag", "\"r1\""),
            ("/settings/name", " Acme "),
            ("/settings/until|opt", ""),
            ("/settings/lines|int", "12"),
            ("/settings/days|int", "twelve"),
            ("/settings/own|bool", ""),
            ("/settings/own|bool", "on"),
            ("/settings/open|bool", ""),
            ("/sites|list", ""),
            ("/sites|list", "ldn"),
            ("/sites|list", "nyc"),
            ("/numbers|lines", "+441\n\n +442\n"),
        ]);
        let json = json!({
            "settings": { "name": "Acme", "lines": 12, "days": "twelve", "own": true, "open": false },
            "sites": ["ldn", "nyc"],
            "numbers": ["+441", "+442"],
        });
        assert_eq!(sent.json(), json);
        let form = Form::of(&json);
        assert_eq!(form.value("/settings/lines"), "12");
        assert!(form.has("/sites", "nyc") && !form.has("/sites", "par") && form.has("/settings/own", "true"));
        assert_eq!(form.lines("/numbers"), "+441\n+442");
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field_or_on_top() {
        let fault = |field: &str| Fault {
            field: field.to_owned(),
            code: "field.empty".to_owned(),
            detail: "is empty".to_owned(),
            help: Some("write something".to_owned()),
        };
        let problem =
            Problem::new("request.invalid", "two things").errors(vec![fault("/name"), fault("/hours/0/from")]);
        let form = Form::refused(&fields(&[("/name|opt", "")]), problem);
        assert_eq!(form.fault("/name"), "is empty: write something");
        assert_eq!(form.fault("/hours"), "is empty: write something");
        assert_eq!(form.fault("/nam"), "");
        assert_eq!(form.others(["/name"]), ["/hours/0/from is empty: write something"]);
    }
}
