//! The policy: `policy.csv`, compiled in. Routes that it does not list do not exist.

use std::collections::HashMap;

use super::{Principal, Role};

/// Who may use one route by one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `GET`, `POST`, …
    pub method: String,
    /// The route's pattern, `/api/v1/sites/{site}`.
    pub route: String,
    /// Without signing in.
    pub anyone: bool,
    /// Users by role.
    pub roles: Vec<Role>,
    /// Machines with this scope.
    pub token: Option<String>,
}

impl Rule {
    /// Whether it lets somebody through, sites and occupier aside.
    #[must_use]
    pub fn allows(&self, principal: &Principal) -> bool {
        match principal {
            Principal::User { role, .. } => self.roles.contains(role),
            Principal::Machine { scopes, .. } => self.token.as_ref().is_some_and(|scope| scopes.contains(scope)),
        }
    }
}

/// All rules.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
    by_route: HashMap<(String, String), usize>,
}

/// The scopes that a token can have.
pub const SCOPES: [&str; 6] = ["read", "write", "numbers", "months", "metrics", "sync"];

impl Policy {
    /// The policy that is compiled in.
    ///
    /// # Errors
    ///
    /// The table is malformed, with its line: a test reads it, so that this never leaves the house.
    pub fn built_in() -> Result<Self, String> {
        Self::parse(include_str!("policy.csv"))
    }

    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// The line that cannot be understood, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        const COLUMNS: [&str; 9] = [
            "method",
            "route",
            "anyone",
            "operator_admin",
            "operator_user",
            "occupier_admin",
            "occupier_edit",
            "occupier_view",
            "token",
        ];
        let mut policy = Self { rules: Vec::new(), by_route: HashMap::new() };
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        match lines.next() {
            Some((_, header)) if header.split(',').eq(COLUMNS) => {}
            _ => return Err(format!("policy: the header must be {}", COLUMNS.join(","))),
        }
        for (number, line) in lines {
            let cells: Vec<&str> = line.split(',').collect();
            let [method, route, anyone, roles @ .., token] = cells.as_slice() else {
                return Err(format!("policy, line {number}: too few cells"));
            };
            if roles.len() != Role::ALL.len() {
                return Err(format!("policy, line {number}: {} cells, expected {}", cells.len(), COLUMNS.len()));
            }
            let yes = |cell: &str| match cell {
                "yes" => Ok(true),
                "-" => Ok(false),
                other => Err(format!("policy, line {number}: `{other}` is neither `yes` nor `-`")),
            };
            let mut allowed = Vec::new();
            for (cell, role) in roles.iter().zip(Role::ALL) {
                if yes(cell)? {
                    allowed.push(role);
                }
            }
            let token = match *token {
                "-" => None,
                scope if SCOPES.contains(&scope) => Some(scope.to_owned()),
                other => return Err(format!("policy, line {number}: there is no scope `{other}`")),
            };
            let key = ((*method).to_owned(), (*route).to_owned());
            if policy.by_route.insert(key, policy.rules.len()).is_some() {
                return Err(format!("policy, line {number}: {method} {route} stands twice"));
            }
            policy.rules.push(Rule {
                method: (*method).to_owned(),
                route: (*route).to_owned(),
                anyone: yes(anyone)?,
                roles: allowed,
                token,
            });
        }
        Ok(policy)
    }

    /// The rule of a route, if it has one.
    #[must_use]
    pub fn rule(&self, method: &str, route: &str) -> Option<&Rule> {
        // Answers to HEAD are those to GET without their body.
        let method = if method == "HEAD" { "GET" } else { method };
        let index = self.by_route.get(&(method.to_owned(), route.to_owned()))?;
        self.rules.get(*index)
    }

    /// All rules, in the order of the table.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_policy_can_be_read() {
        assert!(Policy::built_in().unwrap().rules().len() > 20);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let header =
            "method,route,anyone,operator_admin,operator_user,occupier_admin,occupier_edit,occupier_view,token\n";
        for (line, what) in [
            ("GET,/a,-,yes,-,-,-,-,fly\n", "no scope `fly`"),
            ("GET,/a,-,ja,-,-,-,-,-\n", "`ja`"),
            ("GET,/a,-,yes,-\n", "cells"),
        ] {
            let error = Policy::parse(&format!("{header}{line}")).unwrap_err();
            assert!(error.contains(what) && error.contains("line 2"), "{error}");
        }
    }
}
