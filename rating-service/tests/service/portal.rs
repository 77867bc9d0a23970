//! The portal of an occupier and its users (domain rules 69, 70, 72 to 75, 77).

use serde_json::{Value, json};

use crate::desk::{Desk, LEVEL, PASSWORD, Who};

const PORTAL: &str = "/api/v1/occupiers/acme/portal";
const USERS: &str = "/api/v1/occupiers/acme/users";

/// acme, its contact known, with contracts in London and New York.
async fn desk() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    desk.contract(&ada, "acme", "nyc", "2026-01-01").await;
    (desk, ada)
}

fn activation() -> Value {
    json!({ "level": LEVEL.clone(), "administrator": { "email": "ann@acme.example", "name": "Ann" } })
}

async fn post(desk: &Desk, who: &Who, what: &str, body: Value) -> crate::desk::Answer {
    desk.post(who, &format!("{PORTAL}/{what}"), body).await
}

fn faults(answer: &crate::desk::Answer) -> Vec<String> {
    let faults = answer.json()["errors"].as_array().unwrap().clone();
    faults.iter().map(|fault| fault["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn rule_73_activation_needs_a_synced_contact_a_level_and_somebody_and_sends_one_mail() {
    let (desk, ada) = desk().await;
    desk.post(&ada, "/api/v1/occupiers", json!({ "settings": { "name": "Birch" } })).await.expect(201);
    desk.post(&ada, "/api/v1/occupiers/birch/portal/activate", activation())
        .await
        .refused(409, "portal.contact_missing");
    desk.get(&ada, PORTAL).await.refused(404, "portal.never_activated");
    let missing = post(&desk, &ada, "activate", json!({})).await.refused(422, "request.invalid");
    assert_eq!(faults(&missing), ["portal.level_missing", "portal.administrator_missing"]);
    assert!(desk.mails_to("ann@acme.example").is_empty());
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["portal_active"], false);

    post(&desk, &ada, "activate", activation()).await.expect(200);
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["portal_active"], true, "the indicator");
    let mails = desk.mails_to("ann@acme.example");
    assert_eq!(mails.len(), 1, "one mail");
    assert!(mails[0].contains("http://127.0.0.1:8080/\r\n") && mails[0].contains("/join#"), "{}", mails[0]);
    assert!(!mails[0].contains(PASSWORD));
    let ann = desk.follow_link_to("ann@acme.example").await;
    let me = desk.get(&ann, "/api/v1/session").await.expect(200).json();
    assert_eq!((&me["user"]["role"], &me["user"]["occupier"]), (&json!("occupier_admin"), &json!("acme")));
    post(&desk, &ada, "activate", activation()).await.refused(409, "portal.active");
}

#[tokio::test]
async fn the_mail_is_shown_before_it_is_sent_and_its_text_can_be_adjusted() {
    let (desk, ada) = desk().await;
    let usual = post(&desk, &ada, "preview", activation()).await.expect(200).json();
    assert_eq!(
        (&usual["to"], &usual["subject"]),
        (&json!("ann@acme.example"), &json!("Harbour Workspaces: your portal of call charges and numbers"))
    );
    assert!(usual["text"].as_str().unwrap().starts_with("Dear Ann,\n\nHarbour Workspaces opens"), "{usual}");
    let mut adjusted = activation();
    adjusted["text"] = json!("Welcome {name} of {occupier}: {link}");
    let refused = post(&desk, &ada, "preview", adjusted.clone()).await.refused(422, "request.invalid");
    assert_eq!(faults(&refused), ["portal.text_incomplete"]);
    adjusted["text"] = json!("Welcome {name} of {occupier} {x}: {portal} {link}");
    // A name with braces in it fills nothing else in.
    adjusted["administrator"]["name"] = json!("Ann {link}");
    let preview = post(&desk, &ada, "preview", adjusted.clone()).await.expect(200).json();
    let expected = "Welcome Ann {link} of acme {x}: http://127.0.0.1:8080/ http://127.0.0.1:8080/join#…";
    assert_eq!(preview["text"], expected);
    assert!(desk.mails_to("ann@acme.example").is_empty(), "nothing was sent");
    desk.get(&ada, PORTAL).await.refused(404, "portal.never_activated");
    post(&desk, &ada, "activate", adjusted).await.expect(200);
    let mail = desk.mails_to("ann@acme.example").pop().unwrap();
    assert!(mail.contains("Welcome Ann {link} of acme {x}: http"), "{mail}");
}

#[tokio::test]
async fn rule_77_deactivation_ends_access_at_once_keeps_data_and_can_be_undone() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let (_, viewer) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    let bob = json!({ "email": "bob@acme.example", "settings": { "name": "Bob", "role": "occupier_view" } });
    desk.post(&ann, USERS, bob).await.expect(201);
    desk.get(&viewer, "/api/v1/occupiers/acme").await.expect(200);
    let closed = desk.ask(&ada, "POST", &format!("{PORTAL}/deactivate"), None, &[]).await.expect(200).json();
    assert_eq!(closed["active"], false);
    for who in [&ann, &viewer] {
        desk.get(who, "/api/v1/session").await.refused(401, "auth.not_signed_in");
    }
    let sign_in = json!({ "email": "admin@acme.example", "password": PASSWORD });
    desk.post(&Who::Nobody, "/api/v1/session", sign_in.clone()).await.refused(401, "auth.wrong_credentials");
    let join = json!({ "secret": desk.secret_mailed_to("bob@acme.example"), "password": PASSWORD });
    desk.post(&Who::Nobody, "/api/v1/invitation", join.clone()).await.refused(404, "auth.invitation_invalid");
    desk.ask(&ada, "POST", &format!("{PORTAL}/deactivate"), None, &[]).await.refused(409, "portal.inactive");
    let new = json!({ "email": "eve@acme.example", "settings": { "name": "Eve", "role": "occupier_view" } });
    desk.post(&ada, USERS, new).await.refused(409, "portal.inactive");

    // Level and administrator are those there were.
    post(&desk, &ada, "activate", json!({})).await.expect(200);
    assert_eq!(desk.get(&ada, PORTAL).await.json()["level"], *LEVEL);
    assert_eq!(desk.mails_to("admin@acme.example").len(), 2);
    for who in [&ann, &viewer] {
        desk.get(who, "/api/v1/session").await.refused(401, "auth.not_signed_in");
    }
    desk.post(&Who::Nobody, "/api/v1/invitation", join).await.refused(404, "auth.invitation_invalid");
    desk.post(&Who::Nobody, "/api/v1/session", sign_in).await.expect(201);
    assert_eq!(desk.get(&ada, USERS).await.json()["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn each_change_of_the_information_level_stands_in_the_audit_log() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let mut level = LEVEL.clone();
    level["itemised_calls"] = json!(false);
    level["called_numbers"] = json!("masked");
    let changed = desk.put(&ada, PORTAL, level.clone()).await.expect(200).json();
    assert_eq!(changed["level"], level);
    desk.ask(&ada, "PUT", PORTAL, Some(level.clone()), &[]).await.refused(428, "request.precondition_required");
    desk.ask(&ada, "PUT", PORTAL, Some(json!({})), &[("if-match", "*")]).await.refused(400, "request.body_malformed");
    let log = desk.get(&ada, "/api/v1/audit?occupier=acme&limit=1").await.json();
    assert_eq!(log["items"][0]["action"], "portal.level_changed");
    assert_eq!(log["items"][0]["details"], json!({ "before": LEVEL.clone(), "level": level }));
    // Its administrator sees it and does not change it.
    assert_eq!(desk.get(&ann, PORTAL).await.expect(200).json()["level"], level);
    desk.put(&ann, PORTAL, LEVEL.clone()).await.refused(403, "auth.not_allowed");
}

#[tokio::test]
async fn editors_know_the_names_of_those_they_give_numbers_to_and_no_more_of_them() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let (editors_id, editor) = desk.occupier_user(&ann, "acme", "occupier_edit", None).await;
    let (closed, _) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    desk.delete(&ann, &format!("{USERS}/{closed}")).await.expect(204);
    let people = desk.get(&editor, "/api/v1/occupiers/acme/people").await.expect(200).json()["items"].clone();
    assert!(people.as_array().unwrap().contains(&json!({ "id": editors_id, "name": "Somebody" })), "{people}");
    assert_eq!(people.as_array().unwrap().len(), 2, "Ann and the editor: {people}");
    // Who is limited to a site knows those who are at no other.
    let (own, limited) = desk.occupier_user(&ann, "acme", "occupier_edit", Some(&["ldn"])).await;
    let people = desk.get(&limited, "/api/v1/occupiers/acme/people").await.expect(200).json()["items"].clone();
    assert_eq!(people, json!([{ "id": own, "name": "Somebody" }]));
}

#[tokio::test]
async fn rule_70_an_administrator_of_an_occupier_neither_closes_nor_demotes_one() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let (other, _) = desk.occupier_user(&ann, "acme", "occupier_admin", None).await;
    let me = desk.get(&ann, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let settings = |role: &str| json!({ "name": "Renamed", "role": role });
    for id in [&other, &me] {
        let address = format!("{USERS}/{id}");
        desk.delete(&ann, &address).await.refused(403, "user.administrator_protected");
        let demoted = desk.put(&ann, &address, settings("occupier_edit")).await;
        demoted.refused(403, "user.administrator_protected");
    }
    let renamed = desk.put(&ann, &format!("{USERS}/{other}"), settings("occupier_admin")).await;
    renamed.refused(403, "user.administrator_protected");
    desk.put(&ann, &format!("{USERS}/{me}"), settings("occupier_admin")).await.expect(200);
    // The operator may, as long as one is left.
    desk.delete(&ada, &format!("{USERS}/{other}")).await.expect(204);
    desk.delete(&ada, &format!("{USERS}/{me}")).await.refused(409, "user.last_administrator");
    desk.put(&ada, &format!("{USERS}/{me}"), settings("occupier_view")).await.refused(409, "user.last_administrator");
}

#[tokio::test]
async fn rule_72_an_occupiers_user_keeps_its_address() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let (id, _) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    let address = format!("{USERS}/{id}");
    let before = desk.get(&ann, &address).await.expect(200).json();
    let changed = json!({ "name": "Bob", "role": "occupier_view", "email": "other@acme.example" });
    desk.put(&ann, &address, changed).await.refused(400, "request.body_malformed");
    assert_eq!(desk.get(&ann, &address).await.json()["email"], before["email"]);
}

#[tokio::test]
async fn rule_74_each_right_includes_the_one_before() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let (_, viewer) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    let (_, editor) = desk.occupier_user(&ann, "acme", "occupier_edit", None).await;
    let policy = rating_service::auth::policy::Policy::built_in().unwrap();
    use rating_service::auth::Role;
    let may = |role: Role| -> std::collections::BTreeSet<(String, String)> {
        let rules = policy.rules().iter().filter(|rule| rule.anyone || rule.roles.contains(&role));
        rules.map(|rule| (rule.method.clone(), rule.route.clone())).collect()
    };
    assert!(may(Role::OccupierView).is_subset(&may(Role::OccupierEdit)));
    assert!(may(Role::OccupierEdit).is_subset(&may(Role::OccupierAdmin)));
    for (who, expected) in [(&viewer, 403), (&editor, 403), (&ann, 200)] {
        desk.get(who, USERS).await.expect(expected);
        desk.get(who, "/api/v1/occupiers/acme/services").await.expect(200);
    }
}

#[tokio::test]
async fn rule_75_an_administrator_manages_the_users_of_its_own_occupier_and_within_its_sites() {
    let (desk, ada) = desk().await;
    desk.occupier(&ada, "birch").await;
    desk.contract(&ada, "birch", "ldn", "2026-01-01").await;
    let ann = desk.portal(&ada, "acme").await;
    let ben = desk.portal(&ada, "birch").await;
    let bens = desk.get(&ben, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let new = json!({ "email": "new@acme.example", "settings": { "name": "New", "role": "occupier_view" } });
    let unknown = desk.get(&ann, &format!("{USERS}/nobody")).await.refused(404, "user.unknown").text();
    for (method, address) in [
        ("GET", "/api/v1/occupiers/birch/users".to_owned()),
        ("POST", "/api/v1/occupiers/birch/users".to_owned()),
        ("GET", format!("/api/v1/occupiers/birch/users/{bens}")),
        ("DELETE", format!("/api/v1/occupiers/birch/users/{bens}")),
    ] {
        desk.ask(&ann, method, &address, Some(new.clone()), &[]).await.refused(404, "occupier.unknown");
    }
    // Nor by way of one's own occupier.
    for who in [&ann, &ada] {
        let hidden = desk.get(who, &format!("{USERS}/{bens}")).await.refused(404, "user.unknown").text();
        assert_eq!(hidden.replace(&bens, "nobody"), unknown);
        desk.delete(who, &format!("{USERS}/{bens}")).await.refused(404, "user.unknown");
    }
    // An operator's role is none here, and no role of an occupier is one there.
    let mut wrong = new.clone();
    wrong["settings"]["role"] = json!("operator_admin");
    assert_eq!(faults(&desk.post(&ann, USERS, wrong).await.refused(422, "request.invalid")), ["field.role_unknown"]);

    // Who is limited to sites gives no more than these, and sees no one who has more.
    let (_, local) = desk.occupier_user(&ann, "acme", "occupier_admin", Some(&["ldn"])).await;
    let (everywhere, _) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    desk.get(&local, &format!("{USERS}/{everywhere}")).await.refused(404, "user.unknown");
    assert_eq!(desk.get(&local, USERS).await.json()["items"].as_array().unwrap().len(), 1);
    let refused = desk.post(&local, USERS, new.clone()).await.refused(422, "request.invalid");
    assert_eq!(faults(&refused), ["user.beyond_own_sites"]);
    let mut there = new.clone();
    there["settings"]["sites"] = json!(["nyc"]);
    assert_eq!(faults(&desk.post(&local, USERS, there).await.refused(422, "request.invalid")), ["site.unknown"]);
    there = new;
    there["settings"]["sites"] = json!(["ldn"]);
    desk.post(&local, USERS, there).await.expect(201);
}

#[tokio::test]
async fn rule_69_an_occupiers_users_see_their_own_occupier_without_what_is_the_operators() {
    let (desk, ada) = desk().await;
    desk.occupier(&ada, "birch").await;
    let ann = desk.portal(&ada, "acme").await;
    let (_, local) = desk.occupier_user(&ann, "acme", "occupier_view", Some(&["ldn"])).await;
    let own = desk.get(&ann, "/api/v1/occupiers/acme").await.expect(200).json();
    for hidden in ["billing_reference", "external_identifiers"] {
        assert_eq!(own["settings"].get(hidden), None, "{hidden} is absent");
    }
    desk.get(&ann, "/api/v1/occupiers/birch").await.refused(404, "occupier.unknown");
    desk.get(&ann, "/api/v1/occupiers").await.refused(403, "auth.not_allowed");
    // One's own profile is one's own, but for role, sites and address.
    let renamed =
        desk.put(&local, "/api/v1/profile", json!({ "name": "Lou", "language": "fr" })).await.expect(200).json();
    assert_eq!(
        (&renamed["name"], &renamed["role"], &renamed["sites"]),
        (&json!("Lou"), &json!("occupier_view"), &json!(["ldn"]))
    );
    for more in ["role", "sites", "email"] {
        let body = json!({ "name": "Lou", more: "occupier_admin" });
        desk.put(&local, "/api/v1/profile", body).await.refused(400, "request.body_malformed");
    }
    let contracts = desk.get(&local, "/api/v1/occupiers/acme/contracts").await.expect(200).json();
    assert_eq!(contracts["items"].as_array().unwrap().len(), 1);
    desk.get(&local, "/api/v1/contracts/acme-ldn").await.expect(200);
    desk.get(&local, "/api/v1/contracts/acme-nyc").await.refused(404, "contract.unknown");
    desk.get(&local, "/api/v1/occupiers/acme/services?site=nyc").await.refused(404, "site.unknown");
}

#[tokio::test]
async fn rule_71_a_reserved_number_is_seen_by_the_administrator_and_not_changed() {
    let (desk, ada) = desk().await;
    let (reserved, active) = ("+442079460001", "+442079460002");
    desk.provision(&ada, "ldn", reserved, active).await;
    desk.product(&ada, "ldn", 1).await;
    desk.command(&ada, "ldn", &[active], json!({ "allocate": { "holder": "acme" } })).await.expect(200);
    desk.voice(&ada, "acme", "ldn", 1).await.expect(201);
    desk.command(&ada, "ldn", &[reserved], json!({ "allocate": { "holder": "acme" } })).await.expect(200);
    let ann = desk.portal(&ada, "acme").await;
    let list = desk.get(&ann, "/api/v1/occupiers/acme/numbers").await.expect(200).json();
    let states: Vec<(&str, &str)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|number| (number["number"].as_str().unwrap(), number["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [(reserved, "RESERVED"), (active, "ACTIVE")]);
    let commands = "/api/v1/occupiers/acme/numbers/commands";
    for command in [
        json!({ "label": { "label": "Desk" } }),
        json!({ "assign": { "kind": "device", "id": "handset-1" } }),
        json!({ "log_in": { "device": "handset-1" } }),
    ] {
        let asked = |number: &str| json!({ "number": number, "command": command });
        desk.post(&ann, commands, asked(reserved)).await.refused(409, "number.not_active");
        desk.post(&ann, commands, asked(active)).await.expect(200);
    }
    let features = json!({ "voicemail": true });
    let path = |number: &str| format!("/api/v1/numbers/{number}/features");
    let any = [("if-match", "*")];
    desk.ask(&ann, "PUT", &path(reserved), Some(features.clone()), &any).await.refused(409, "number.not_active");
    desk.put(&ann, &path(active), features).await.expect(200);
}

#[tokio::test]
async fn rule_69_a_user_with_the_right_to_view_has_its_own_number_alone() {
    let (desk, ada) = desk().await;
    let (own, other) = ("+442079460001", "+442079460002");
    desk.provision(&ada, "ldn", own, other).await;
    desk.product(&ada, "ldn", 2).await;
    desk.voice(&ada, "acme", "ldn", 1).await.expect(201);
    let ann = desk.portal(&ada, "acme").await;
    let (id, viewer) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    let commands = "/api/v1/occupiers/acme/numbers/commands";
    let assign = json!({ "number": own, "command": { "assign": { "kind": "user", "id": id } } });
    desk.post(&ann, commands, assign).await.expect(200);
    let list = desk.get(&viewer, "/api/v1/occupiers/acme/numbers").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let path = |number: &str| format!("/api/v1/numbers/{number}/features");
    desk.put(&viewer, &path(own), json!({ "voicemail": true })).await.expect(200);
    let any = [("if-match", "*")];
    desk.ask(&viewer, "PUT", &path(other), Some(json!({})), &any).await.refused(404, "number.unknown");
    desk.get(&viewer, &format!("/api/v1/numbers/{other}")).await.refused(404, "number.unknown");
    desk.put(&ann, &path(other), json!({ "voicemail": true })).await.expect(200);
}

#[tokio::test]
async fn rule_55_the_authorization_code_is_the_operators_to_set() {
    let (desk, ada) = desk().await;
    let number = "+442079460001";
    desk.provision(&ada, "ldn", number, number).await;
    desk.product(&ada, "ldn", 1).await;
    desk.voice(&ada, "acme", "ldn", 1).await.expect(201);
    let ann = desk.portal(&ada, "acme").await;
    let (_, editor) = desk.occupier_user(&ann, "acme", "occupier_edit", None).await;
    let path = format!("/api/v1/numbers/{number}/authorization-code");
    let code = || Some(json!({ "code": "482913" }));
    for who in [&ann, &editor] {
        desk.ask(who, "PUT", &path, code(), &[]).await.refused(403, "auth.not_allowed");
        desk.delete(who, &path).await.refused(403, "auth.not_allowed");
        let features = desk.get(who, &format!("/api/v1/numbers/{number}/features")).await.expect(200).text();
        assert!(!features.contains("code"), "{features}");
    }
    // Nor by way of the number's features.
    let features = format!("/api/v1/numbers/{number}/features");
    let smuggled = json!({ "voicemail": true, "authorization_code": "482913" });
    desk.put(&ann, &features, smuggled).await.refused(400, "request.body_malformed");
    desk.ask(&ada, "PUT", &path, code(), &[]).await.expect(204);
    desk.delete(&ada, &path).await.expect(204);
}

#[tokio::test]
async fn whether_an_address_is_known_elsewhere_is_told_to_nobody_and_each_company_has_its_own_user_of_it() {
    let (desk, ada) = desk().await;
    desk.occupier(&ada, "birch").await;
    desk.contract(&ada, "birch", "ldn", "2026-01-01").await;
    let ann = desk.portal(&ada, "acme").await;
    let ben = desk.portal(&ada, "birch").await;
    let shared =
        |name: &str| json!({ "email": "Eve@Both.example", "settings": { "name": name, "role": "occupier_view" } });
    let free = json!({ "email": "free@acme.example", "settings": { "name": "Free", "role": "occupier_view" } });
    let birch = "/api/v1/occupiers/birch/users";
    desk.post(&ben, birch, shared("Eve of Birch")).await.expect(201);
    // To acme's administrator the two addresses look alike, the operator's own too.
    let taken = desk.post(&ann, USERS, shared("Eve")).await;
    let unknown = desk.post(&ann, USERS, free).await.expect(201);
    assert_eq!(taken.status, unknown.status, "{}", taken.text());
    let shape =
        |answer: &crate::desk::Answer| -> Vec<String> { answer.json().as_object().unwrap().keys().cloned().collect() };
    assert_eq!(shape(&taken), shape(&unknown));
    let operators = json!({ "email": "ada@example.com", "settings": { "name": "Ada", "role": "occupier_view" } });
    desk.post(&ann, USERS, operators).await.expect(201);
    // In one company an address has one user.
    desk.post(&ann, USERS, shared("Eve again")).await.refused(409, "user.exists");

    // Each link leads to its own company, with a password of its own.
    let mails = desk.mails_to("Eve@Both.example");
    assert_eq!(mails.len(), 2);
    assert!(mails[0].contains("(birch)") && mails[1].contains("(acme)"), "{mails:?}");
    let secret = |mail: &str| mail.split_once("/join#").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let join = async |mail: &str, password: &str| {
        let body = json!({ "secret": secret(mail), "password": password });
        desk.post(&Who::Nobody, "/api/v1/invitation", body).await.expect(201).json()["user"]["occupier"].clone()
    };
    assert_eq!(join(&mails[0], "a password for birch").await, "birch");
    assert_eq!(join(&mails[1], "a password for acme").await, "acme");
    let sign_in = async |password: &str, company: Option<&str>| {
        let body = json!({ "email": "eve@both.example", "password": password, "company": company });
        desk.post(&Who::Nobody, "/api/v1/session", body).await
    };
    for (password, occupier) in [("a password for birch", "birch"), ("a password for acme", "acme")] {
        assert_eq!(sign_in(password, None).await.expect(201).json()["user"]["occupier"], occupier);
    }
    // One company's password is not the other's, though it is named.
    sign_in("a password for birch", Some("acme")).await.refused(401, "auth.wrong_credentials");
    sign_in("a password for neither", None).await.refused(401, "auth.wrong_credentials");

    // Who chooses one password for both says which is meant.
    desk.post(&Who::Nobody, "/api/v1/password-resets", json!({ "email": "eve@both.example" })).await.expect(202);
    let resets: Vec<String> = desk.awaits_mails_to("Eve@Both.example", 4).await.split_off(2);
    assert_eq!(resets.len(), 2, "one for each");
    for mail in &resets {
        join(mail, "one for both of them").await;
    }
    let asked = sign_in("one for both of them", None).await.refused(409, "auth.company_needed").json();
    assert!(asked["help"].as_str().unwrap().contains("acme, birch"), "{asked}");
    assert_eq!(sign_in("one for both of them", Some("acme")).await.expect(201).json()["user"]["occupier"], "acme");
    // A portal that is closed leaves the other.
    desk.ask(&ada, "POST", &format!("{PORTAL}/deactivate"), None, &[]).await.expect(200);
    assert_eq!(sign_in("one for both of them", None).await.expect(201).json()["user"]["occupier"], "birch");
}
