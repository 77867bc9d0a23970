//! The policy, enforced: every route × every role, generated from the table.

use rating_service::auth::Role;
use rating_service::auth::policy::{Policy, Rule, SCOPES};
use serde_json::json;

use crate::desk::{Desk, Who};

/// An address for a route: ids that there are not.
fn address(route: &str) -> String {
    filled(route, |_| None)
}

/// An address for a route with ids where they are known.
fn filled(route: &str, id: impl Fn(&str) -> Option<String>) -> String {
    let parts = route.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => id(name).unwrap_or_else(|| "nothing".to_owned()),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Signing out is tested elsewhere: it would end the matrix.
fn ends_session(rule: &Rule) -> bool {
    (rule.method.as_str(), rule.route.as_str()) == ("DELETE", "/api/v1/session") || rule.route == "/sign-out"
}

/// A user in each role of an occupier.
async fn of_occupier(desk: &Desk, ada: &Who, occupier: &str) -> Vec<(Role, Who)> {
    let administrator = desk.portal(ada, occupier).await;
    let (_, editor) = desk.occupier_user(&administrator, occupier, "occupier_edit", None).await;
    let (_, viewer) = desk.occupier_user(&administrator, occupier, "occupier_view", None).await;
    vec![(Role::OccupierAdmin, administrator), (Role::OccupierEdit, editor), (Role::OccupierView, viewer)]
}

#[tokio::test]
async fn who_may_not_is_refused_and_who_may_gets_past_the_guard() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    let limited = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    let mut callers = vec![(Some(Role::OperatorUser), None, limited)];
    for (role, who) in of_occupier(&desk, &ada, "acme").await {
        callers.push((Some(role), None, who));
    }
    for scope in SCOPES {
        callers.push((None, Some(scope), desk.token(&ada, &[scope], None).await));
    }
    callers.push((Some(Role::OperatorAdmin), None, ada));
    let mut asked = 0;
    for rule in Policy::built_in().unwrap().rules().iter().filter(|rule| !ends_session(rule)) {
        let address = address(&rule.route);
        if !rule.anyone {
            desk.ask(&Who::Nobody, &rule.method, &address, None, &[]).await.refused(401, "auth.not_signed_in");
        }
        for (role, scope, who) in &callers {
            let may = rule.anyone
                || role.is_some_and(|role| rule.roles.contains(&role))
                || scope.is_some_and(|scope| rule.token.as_deref() == Some(scope));
            let answer = desk.ask(who, &rule.method, &address, None, &[]).await;
            let was_refused = answer.status == 403 && answer.code() == "auth.not_allowed";
            assert_eq!(was_refused, !may, "{} {} by {role:?} {scope:?}: {}", rule.method, rule.route, answer.text());
            asked += 1;
        }
    }
    assert!(asked > 500, "{asked}");
}

/// Two occupiers with one of each thing; what routes of the second can name.
async fn birch(desk: &Desk, ada: &Who) -> Vec<(&'static str, String)> {
    desk.sites(ada).await;
    desk.product(ada, "ldn", 1).await;
    desk.provision(ada, "ldn", "+442079460001", "+442079460002").await;
    let mut service = String::new();
    for occupier in ["acme", "birch"] {
        desk.occupier(ada, occupier).await;
        desk.contract(ada, occupier, "ldn", "2026-01-01").await;
        let assigned = desk.voice(ada, occupier, "ldn", 1).await.expect(201).json();
        service = assigned["id"].as_str().unwrap().to_owned();
    }
    let settings = json!({ "format": "asterisk", "zone": "Europe/London" });
    desk.post(ada, "/api/v1/sources", json!({ "id": "pbx", "site": "ldn", "settings": settings })).await.expect(201);
    let administrator = desk.portal(ada, "birch").await;
    let user = desk.get(&administrator, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    vec![
        ("occupier", "birch".to_owned()),
        ("contract", "birch-ldn".to_owned()),
        ("service", service),
        ("number", "+442079460002".to_owned()),
        ("user", user),
        ("source", "pbx".to_owned()),
    ]
}

/// Answered for each route that names something of another occupier: exactly what is answered if there is no such thing.
async fn hides(desk: &Desk, callers: &[(String, Role, Who)], foreign: &[(&'static str, String)]) -> usize {
    let mut asked = 0;
    let policy = Policy::built_in().unwrap();
    let theirs = |name: &str| foreign.iter().find(|(known, _)| *known == name).map(|(_, id)| id.clone());
    for rule in policy.rules() {
        let names = foreign.iter().any(|(name, _)| rule.route.contains(&format!("{{{name}}}")));
        // A site of the route stands before what is at it.
        if !names || (rule.route.contains("{site}") && theirs("site").is_none()) {
            continue;
        }
        // A site of theirs may be named beside; a body may be sent or not.
        let real = filled(&rule.route, theirs);
        let unknown = filled(&rule.route, |name| theirs(name).map(|id| nothing_like(name, &id)));
        for (what, role, who) in callers.iter().filter(|(_, role, _)| rule.roles.contains(role)) {
            for body in [None, Some(json!({}))] {
                let headers = [("if-match", "*")];
                let hidden = desk.ask(who, &rule.method, &real, body.clone(), &headers).await;
                let absent = desk.ask(who, &rule.method, &unknown, body, &headers).await;
                let place = format!("{} {} by {what} {role:?}", rule.method, rule.route);
                assert_eq!(hidden.status, 404, "{place}: {}", hidden.text());
                let mut text = hidden.text();
                for (name, id) in foreign {
                    text = text.replace(&format!("`{id}`"), &format!("`{}`", nothing_like(name, id)));
                }
                assert_eq!((hidden.status, text), (absent.status, absent.text()), "{place}");
                asked += 1;
            }
        }
    }
    asked
}

/// An id of that form which nothing has.
fn nothing_like(name: &str, id: &str) -> String {
    if name == "number" { "+442079469999".to_owned() } else { format!("no-{id}") }
}

#[tokio::test]
async fn what_is_another_occupiers_is_answered_as_what_there_is_not() {
    let (desk, ada) = Desk::set_up().await;
    let foreign = birch(&desk, &ada).await;
    let callers: Vec<(String, Role, Who)> = of_occupier(&desk, &ada, "acme")
        .await
        .into_iter()
        .map(|(role, who)| ("acme's".to_owned(), role, who))
        .collect();
    let asked = hides(&desk, &callers, &foreign).await;
    assert!(asked > 60, "{asked}");
    // The same addresses are good for those whose they are: what was hidden was there.
    for address in [
        "/api/v1/occupiers/birch".to_owned(),
        "/api/v1/contracts/birch-ldn".to_owned(),
        format!("/api/v1/services/{}", foreign[2].1),
        "/api/v1/numbers/+442079460002".to_owned(),
    ] {
        desk.get(&ada, &address).await.expect(200);
        let birch = desk.sign_in("admin@birch.example").await;
        desk.get(&birch, &address).await.expect(200);
    }
}

#[tokio::test]
async fn what_is_at_another_site_is_answered_to_the_operators_users_as_what_there_is_not() {
    let (desk, ada) = Desk::set_up().await;
    let foreign = birch(&desk, &ada).await;
    let user = desk.operator_user(&ada, "operator_user", Some(&["nyc"])).await;
    let callers = vec![("limited".to_owned(), Role::OperatorUser, user)];
    // An operator's users are at no occupier: those of the operator alone are asked for by id.
    let foreign: Vec<_> = foreign.into_iter().filter(|(name, _)| *name != "user").collect();
    let asked = hides(&desk, &callers, &foreign).await;
    assert!(asked > 30, "{asked}");
    // And the site itself, with all that is at it.
    let asked = hides(&desk, &callers, &[("site", "ldn".to_owned())]).await;
    assert!(asked > 30, "{asked}");
    desk.get(&ada, "/api/v1/sites/ldn").await.expect(200);
}
