//! The life of numbers, as operators see it (domain rules 39 to 56, 79).

use rating_core::time::Duration;
use serde_json::{Value, json};

use crate::desk::{Desk, Who};

const A: &str = "+442079460001";
const B: &str = "+442079460002";
const C: &str = "+442079460003";

/// Numbers …0001 to …0009 in London's pool; acme with two voice lines there, birch with a contract and none.
async fn desk() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.lease("acme", "ldn", "2026-01-01", 2).await;
    desk.lease("birch", "ldn", "2026-01-01", 0).await;
    desk.provision(&ada, "ldn", A, "+442079460009").await;
    (desk, ada)
}

fn allocate(holder: &str) -> Value {
    json!({ "allocate": { "holder": holder } })
}

async fn state(desk: &Desk, who: &Who, number: &str) -> String {
    desk.get(who, &format!("/api/v1/numbers/{number}")).await.expect(200).json()["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn rule_39_a_number_is_unique_and_belongs_to_one_site() {
    let (desk, ada) = desk().await;
    let again = json!({ "which": { "numbers": [A] } });
    desk.post(&ada, "/api/v1/sites/ldn/numbers", again.clone()).await.refused(409, "number.exists");
    desk.post(&ada, "/api/v1/sites/nyc/numbers", again).await.refused(409, "number.exists");
    desk.command(&ada, "nyc", &[A], allocate("acme")).await.refused(404, "number.unknown");
    assert_eq!(desk.get(&ada, &format!("/api/v1/numbers/{A}")).await.json()["site"], "ldn");
}

#[tokio::test]
async fn rule_40_allocation_needs_an_available_number_and_a_contract_at_the_site() {
    let (desk, ada) = desk().await;
    desk.lease("cedar", "nyc", "2026-01-01", 1).await;
    desk.command(&ada, "ldn", &[A], allocate("cedar")).await.refused(409, "number.contract_missing");
    desk.command(&ada, "ldn", &[A], allocate("nobody")).await.refused(404, "occupier.unknown");
    desk.command(&ada, "ldn", &[A], allocate("acme")).await.expect(200);
    desk.command(&ada, "ldn", &[A], allocate("birch")).await.refused(409, "number.not_available");
    desk.command(&ada, "ldn", &[B], allocate("harbour")).await.expect(200);
    assert_eq!(state(&desk, &ada, B).await, "RESERVED", "the operator needs no contract");
}

#[tokio::test]
async fn rules_41_and_42_activation_needs_reserved_and_a_free_voice_line() {
    let (desk, ada) = desk().await;
    let activate = json!({ "activate": {} });
    desk.command(&ada, "ldn", &[A], activate.clone()).await.refused(409, "number.not_reserved");
    desk.command(&ada, "ldn", &[A, B, C], allocate("acme")).await.expect(200);
    // Two lines: the third number of three is refused, and with it all, since all were to go together.
    let answer = desk.command(&ada, "ldn", &[A, B, C], activate.clone()).await.refused(409, "number.some_refused");
    assert_eq!(answer.json()["errors"][0]["code"], "number.not_entitled");
    assert_eq!(state(&desk, &ada, A).await, "RESERVED");
    desk.command(&ada, "ldn", &[A, B], activate.clone()).await.expect(200);
    desk.command(&ada, "ldn", &[C], activate.clone()).await.refused(409, "number.not_entitled");
    desk.command(&ada, "ldn", &[A], activate).await.refused(409, "number.not_reserved");
}

#[tokio::test]
async fn rules_43_and_44_deallocation_needs_reserved_and_deactivation_nobody_assigned() {
    let (desk, ada) = desk().await;
    desk.command(&ada, "ldn", &[A], allocate("acme")).await.expect(200);
    desk.command(&ada, "ldn", &[A], json!({ "activate": {} })).await.expect(200);
    desk.command(&ada, "ldn", &[A], json!({ "deallocate": {} })).await.refused(409, "number.not_reserved");
    let by_holder = async |command: Value| {
        desk.post(&ada, "/api/v1/occupiers/acme/numbers/commands", json!({ "number": A, "command": command })).await
    };
    by_holder(json!({ "log_in": { "device": "polycom-7" } })).await.expect(200);
    desk.command(&ada, "ldn", &[A], json!({ "deactivate": {} })).await.refused(409, "number.is_logged_in");
    by_holder(json!({ "log_out": {} })).await.expect(200);
    desk.command(&ada, "ldn", &[A], json!({ "deactivate": {} })).await.expect(200);
    assert_eq!(state(&desk, &ada, A).await, "RESERVED", "an ordinary deactivation keeps the holder");
}

#[tokio::test]
async fn rule_48_a_cooling_number_is_for_nobody_until_its_time_is_over_or_it_is_released_with_a_reason() {
    let (desk, ada) = desk().await;
    for command in
        [allocate("acme"), json!({ "activate": {} }), json!({ "deactivate": {} }), json!({ "deallocate": {} })]
    {
        desk.command(&ada, "ldn", &[A], command).await.expect(200);
    }
    let number = desk.get(&ada, &format!("/api/v1/numbers/{A}")).await.json();
    // 90 days after 2 November 2026, 09:00.
    assert_eq!(
        (&number["state"], &number["cool_off_until"]),
        (&json!("COOLDOWN"), &json!("2027-01-31T09:00:00+00:00"))
    );
    desk.command(&ada, "ldn", &[A], allocate("birch")).await.refused(409, "number.not_available");
    desk.command(&ada, "ldn", &[A], json!({ "activate": {} })).await.refused(409, "number.not_reserved");
    let release = |reason: &str| json!({ "which": { "numbers": [A] }, "reason": reason });
    desk.post(&ada, "/api/v1/sites/ldn/numbers/releases", release(" ")).await.refused(422, "number.text_malformed");

    let user = desk.operator_user(&ada, "operator_user", None).await;
    let path = "/api/v1/sites/ldn/numbers/releases";
    desk.post(&user, path, release("wanted back")).await.refused(403, "auth.not_allowed");
    desk.post(&ada, path, release("wanted back")).await.expect(200);
    assert_eq!(state(&desk, &ada, A).await, "AVAILABLE");
}

#[tokio::test]
async fn rule_48_the_cool_off_ends_by_itself() {
    let (desk, ada) = desk().await;
    for command in
        [allocate("acme"), json!({ "activate": {} }), json!({ "deactivate": {} }), json!({ "deallocate": {} })]
    {
        desk.command(&ada, "ldn", &[A], command).await.expect(200);
    }
    let due = async || {
        let mut change = desk.app.store.change(&rating_service::store::Actor::Service, desk.clock.now()).await.unwrap();
        let at = change.at();
        let ended = rating_service::numbering::end_cool_offs(&mut change, at).await.unwrap();
        change.commit_unnoted().await.unwrap();
        ended
    };
    desk.clock.advance(Duration::from_seconds(90 * 86_400 - 1));
    assert_eq!(due().await, 0);
    desk.clock.advance(Duration::from_seconds(1));
    assert_eq!(due().await, 1);
    let ada = desk.sign_in("ada@example.com").await;
    assert_eq!(state(&desk, &ada, A).await, "AVAILABLE");
}

#[tokio::test]
async fn rule_49_one_main_number_for_an_organisation_at_a_site() {
    let (desk, ada) = desk().await;
    desk.command(&ada, "ldn", &[A, B], json!({ "nominate": {} })).await.expect(200);
    desk.command(&ada, "ldn", &[A], allocate("acme")).await.expect(200);
    desk.command(&ada, "ldn", &[B], allocate("acme")).await.refused(409, "number.second_main");
    desk.command(&ada, "ldn", &[B], allocate("birch")).await.expect(200);
}

#[tokio::test]
async fn rule_56_a_ported_number_enters_as_reserved() {
    let (desk, ada) = desk().await;
    let ported = "+442071838750";
    desk.command(&ada, "ldn", &[ported], json!({ "port_in": { "holder": "acme", "extension": "2001" } }))
        .await
        .expect(200);
    let number = desk.get(&ada, &format!("/api/v1/numbers/{ported}")).await.json();
    assert_eq!(
        (&number["state"], &number["origin"], &number["holder"], &number["extension"]),
        (&json!("RESERVED"), &json!("ported"), &json!("acme"), &json!("2001"))
    );
}

#[tokio::test]
async fn rule_79_a_number_kept_for_a_prospect_goes_to_nobody_else_until_the_hold_is_over() {
    let (desk, ada) = desk().await;
    let hold = json!({ "hold": { "prospect": "dune", "until": "2026-12-01", "contracted_lines": 3 } });
    desk.command(&ada, "ldn", &[A], hold).await.expect(200);
    desk.command(&ada, "ldn", &[A], allocate("acme")).await.refused(409, "number.held_for_prospect");
    let counts = desk.get(&ada, "/api/v1/sites/ldn/inventory").await.expect(200).json();
    assert_eq!((&counts["available"], &counts["kept"], &counts["sellable"]), (&json!(8), &json!(1), &json!(9)));
    let held = desk.get(&ada, &format!("/api/v1/numbers/{A}/holder")).await.json();
    assert_eq!(held.get("holder"), None, "nobody holds it, so it makes no charges");
    desk.clock.set(rating_core::time::Instant::parse_rfc3339("2026-12-01T00:00:00Z").unwrap());
    let ada = desk.sign_in("ada@example.com").await;
    desk.command(&ada, "ldn", &[A], allocate("acme")).await.expect(200);
}

#[tokio::test]
async fn who_held_it_when_is_kept_with_both_its_times() {
    let (desk, ada) = desk().await;
    // Said on 2 November: acme has held it since 15 October, 14:00.
    let body = json!({
        "which": { "numbers": [A] }, "command": allocate("acme"), "at": "2026-10-15T14:00:00+01:00",
    });
    desk.post(&ada, "/api/v1/sites/ldn/numbers/commands", body).await.expect(200);
    let holder = async |at: &str| {
        desk.get(&ada, &format!("/api/v1/numbers/{A}/holder?at={at}")).await.expect(200).json()["holder"].clone()
    };
    assert_eq!(holder("2026-10-15T13:59:59%2B01:00").await, json!(null));
    assert_eq!(holder("2026-10-15T14:00:00%2B01:00").await, json!("acme"));
    desk.clock.advance(Duration::from_seconds(3600));
    desk.command(&ada, "ldn", &[A], json!({ "deallocate": {} })).await.expect(200);
    desk.command(&ada, "ldn", &[A], allocate("birch")).await.expect(200);
    assert_eq!(holder("2026-11-02T09:59:59Z").await, json!("acme"));
    assert_eq!(holder("2026-11-02T10:00:00Z").await, json!("birch"));

    let history = desk.get(&ada, &format!("/api/v1/numbers/{A}/history")).await.expect(200).json();
    let rows: Vec<(&str, &str, bool)> = history["allocations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let until = row.get("until").map_or("", |until| until.as_str().unwrap());
            (row["holder"].as_str().unwrap(), until, row["in_force"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(
        rows,
        [("acme", "", false), ("acme", "2026-11-02T10:00:00+00:00", true), ("birch", "", true)],
        "the first row still says what was known at nine"
    );
    let what: Vec<&str> =
        history["events"].as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["provisioned", "allocated", "deallocated", "allocated"]);

    // Nothing is decided for an instant before its last change.
    let early = json!({ "which": { "numbers": [A] }, "command": { "deallocate": {} }, "at": "2026-11-01" });
    desk.post(&ada, "/api/v1/sites/ldn/numbers/commands", early).await.refused(409, "number.out_of_order");
}

#[tokio::test]
async fn where_the_site_confirms_changes_they_are_pending_until_it_does() {
    let (desk, ada) = desk().await;
    let settings = json!({ "name": "London", "zone": "Europe/London", "country": "GB", "confirms_changes": true });
    desk.put(&ada, "/api/v1/sites/ldn", settings).await.expect(200);
    desk.command(&ada, "ldn", &[A], allocate("acme")).await.expect(200);
    desk.command(&ada, "ldn", &[A], json!({ "activate": {} })).await.expect(200);
    assert_eq!(state(&desk, &ada, A).await, "PENDING");
    desk.command(&ada, "ldn", &[A], json!({ "fail": { "reason": "no port" } })).await.expect(200);
    assert_eq!(state(&desk, &ada, A).await, "RESERVED");
    for (command, after) in
        [("activate", "PENDING"), ("confirm", "ACTIVE"), ("deactivate", "PENDING"), ("confirm", "RESERVED")]
    {
        desk.command(&ada, "ldn", &[A], json!({ command: {} })).await.expect(200);
        assert_eq!(state(&desk, &ada, A).await, after);
    }
}

#[tokio::test]
async fn an_import_says_of_each_row_what_is_wrong_and_takes_all_or_none() {
    let (desk, ada) = desk().await;
    let import = async |query: &str, text: &str| {
        desk.send(
            &ada,
            "POST",
            &format!("/api/v1/sites/ldn/numbers/import{query}"),
            "text/csv",
            text.as_bytes().to_vec(),
        )
        .await
    };
    let text = "number,last,kind,cool_off_days\n\
                +442079461000,+442079461009,,\n\
                +442079460001,,,\n\
                020 7946 1000,,,\n\
                +442079461010,,mian,\n\
                +442079461011,,main,1000\n";
    let answer = import("", text).await.refused(409, "number.some_refused").json();
    let errors: Vec<(&str, &str)> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        errors,
        [
            ("row 3", "number.exists"),
            ("row 4", "field.number_malformed"),
            ("row 5", "request.invalid"),
            ("row 6", "number.cool_off_malformed")
        ]
    );
    let counts = async || desk.get(&ada, "/api/v1/sites/ldn/inventory").await.json()["total"].as_i64().unwrap();
    assert_eq!(counts().await, 9);
    assert_eq!(import("?each_by_itself=true&dry_run=true", text).await.expect(200).json()["done"], 10);
    assert_eq!(counts().await, 9, "a dry run takes nothing");
    let taken = import("?each_by_itself=true", text).await.expect(200).json();
    assert_eq!((&taken["done"], &taken["refused"]), (&json!(10), &json!(4)));
    assert_eq!(counts().await, 19);
    import("", "number,colour\n+442079461020,red\n").await.refused(400, "request.body_malformed");
}

#[tokio::test]
async fn rule_29_the_csv_has_what_the_list_shows() {
    let (desk, ada) = desk().await;
    desk.command(&ada, "ldn", &[A, B], allocate("acme")).await.expect(200);
    desk.command(&ada, "ldn", &[A, B], json!({ "activate": {} })).await.expect(200);
    let label = json!({ "number": A, "command": { "label": { "label": "=cmd|' /C calc'!A0" } } });
    desk.post(&ada, "/api/v1/occupiers/acme/numbers/commands", label).await.expect(200);
    let list = desk.get(&ada, "/api/v1/sites/ldn/numbers?holder=acme").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let answer = desk.get(&ada, "/api/v1/sites/ldn/numbers.csv?holder=acme").await.expect(200);
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"ldn_numbers.csv\"");
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains(",'=cmd|' /C calc'!A0,"), "formulas are guarded: {text}");
    desk.get(&ada, "/api/v1/sites/ldn/numbers?state=GONE").await.refused(400, "request.parameter_malformed");
}
