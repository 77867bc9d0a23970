//! The policy, enforced: every route × every role, generated from the table.

use rating_service::auth::Role;
use rating_service::auth::policy::{Policy, SCOPES};

use crate::desk::{Desk, Who};

/// An address for a route: ids that there are not.
fn address(route: &str) -> String {
    let parts = route.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn who_may_not_is_refused_and_who_may_gets_past_the_guard() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let limited = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    let mut callers = vec![(Some(Role::OperatorUser), None, limited)];
    for scope in SCOPES {
        callers.push((None, Some(scope), desk.token(&ada, &[scope], None).await));
    }
    callers.push((Some(Role::OperatorAdmin), None, ada));
    let mut asked = 0;
    for rule in Policy::built_in().unwrap().rules() {
        let address = address(&rule.route);
        // Signing out is tested elsewhere: it would end the matrix.
        if (rule.method.as_str(), rule.route.as_str()) == ("DELETE", "/api/v1/session") {
            continue;
        }
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
    assert!(asked > 100, "{asked}");
}
