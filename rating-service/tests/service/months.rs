//! A month in the service: from uploaded files to published reports and their downloads (domain rules 1 to 28).

use serde_json::{Value, json};

use crate::desk::{Answer, Desk, Who};

/// The repository's demo.
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/demo");

pub(crate) fn demo(path: &str) -> Vec<u8> {
    std::fs::read(format!("{DEMO}/{path}")).unwrap()
}

/// London of the demo, with the switch's file.
pub(crate) async fn london() -> (Desk, Who) {
    let (desk, ada) = london_without_calls().await;
    upload(&desk, &ada, "Master-2026-10.csv", demo("cdr/ldn/Master-2026-10.csv")).await.expect(201);
    (desk, ada)
}

/// London of the demo, entered through the interface: three occupiers, a floor that changes hands in the middle of October,
/// the switch, both tariffs.
pub(crate) async fn london_without_calls() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    let settings = json!({
        "name": "London, Harbour House", "zone": "Europe/London", "country": "GB", "area_code": "20",
        "outside_line": ["9"], "extensions": ["2000-2099"],
    });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "ldn", "settings": settings })).await.expect(201);
    for (occupier, lines) in [("acme", 20), ("bolt", 10), ("cedar", 1)] {
        desk.occupier(&ada, occupier).await;
        desk.lease(occupier, "ldn", "2026-01-01", lines).await;
    }
    desk.provision(&ada, "ldn", "+442079460100", "+442079460199").await;
    let hold = async |command: Value, first: &str, last: &str, at: &str| {
        let body = json!({ "which": { "first": first, "last": last }, "command": command, "at": at });
        desk.post(&ada, "/api/v1/sites/ldn/numbers/commands", body).await.expect(200);
    };
    let to = |holder: &str, extension: &str| json!({ "allocate": { "holder": holder, "extension": extension } });
    hold(to("acme", "2000"), "+442079460100", "+442079460109", "2026-01-01").await;
    hold(to("bolt", "2010"), "+442079460110", "+442079460119", "2026-01-01").await;
    hold(json!({ "deallocate": {} }), "+442079460110", "+442079460119", "2026-10-15").await;
    hold(to("acme", "2010"), "+442079460110", "+442079460119", "2026-10-15").await;
    hold(to("harbour", "2090"), "+442079460190", "+442079460199", "2026-01-01").await;
    let settings = json!({ "format": "asterisk", "zone": "Europe/London", "further": "trunks = [\"PJSIP/carrier*\"]" });
    let source = json!({ "id": "ldn-pbx", "site": "ldn", "settings": settings });
    desk.post(&ada, "/api/v1/sources", source).await.expect(201);
    for file in ["retail-gb.toml", "retail-gb.csv", "wholesale-gb.toml", "wholesale-gb.csv"] {
        let path = format!("/api/v1/files/tariffs/{file}");
        let content = demo(&format!("tariffs/{file}"));
        desk.send(&ada, "PUT", &path, "application/octet-stream", content).await.expect(200);
    }
    for (side, tariff) in [("retail", "retail-gb"), ("wholesale", "wholesale-gb")] {
        let body = json!({ "side": side, "payer": "*", "site": "ldn", "tariff": tariff, "from": "2026-01-01" });
        desk.post(&ada, "/api/v1/assignments", body).await.expect(201);
    }
    (desk, ada)
}

pub(crate) async fn upload(desk: &Desk, who: &Who, name: &str, content: Vec<u8>) -> Answer {
    let path = format!("/api/v1/sources/ldn-pbx/files/{name}");
    desk.send(who, "PUT", &path, "application/octet-stream", content).await
}

/// Waits until nothing of October runs; gives the month.
pub(crate) async fn october(desk: &Desk, who: &Who) -> Value {
    until_done(desk, who, "2026-10").await
}

/// Waits until nothing of a month runs; gives the month.
pub(crate) async fn until_done(desk: &Desk, who: &Who, month: &str) -> Value {
    for _ in 0..600 {
        let month = desk.get(who, &format!("/api/v1/months/{month}")).await.expect(200).json();
        if month.get("running").is_none() {
            return month;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

pub(crate) async fn check(desk: &Desk, who: &Who) -> String {
    desk.ask(who, "POST", "/api/v1/months/2026-10/checks", None, &[]).await.expect(202);
    let month = october(desk, who).await;
    assert_eq!(month.get("last_refusal"), None, "{month:#}");
    month["runs"][0]["run"].as_str().unwrap().to_owned()
}

pub(crate) async fn publish(desk: &Desk, who: &Who) -> String {
    let run = check(desk, who).await;
    desk.post(who, "/api/v1/months/2026-10/approvals", json!({ "run": run })).await.expect(200);
    desk.post(who, "/api/v1/months/2026-10/publications", json!({ "run": run })).await.expect(202);
    let month = october(desk, who).await;
    assert_eq!((&month["state"], &month["in_force"]), (&json!("published"), &json!(run)), "{month:#}");
    run
}

#[tokio::test]
async fn a_month_goes_from_checked_to_approved_to_published_and_nothing_is_skipped() {
    let (desk, ada) = london().await;
    assert_eq!(october(&desk, &ada).await["state"], "draft");
    let run = check(&desk, &ada).await;
    let month = october(&desk, &ada).await;
    assert_eq!((&month["state"], month.get("in_force")), (&json!("checked"), None));
    let asked = json!({ "run": run });
    desk.post(&ada, "/api/v1/months/2026-10/publications", asked.clone()).await.refused(409, "month.not_approved");
    assert_eq!(
        desk.post(&ada, "/api/v1/months/2026-10/approvals", asked.clone()).await.expect(200).json()["state"],
        "approved"
    );
    desk.post(&ada, "/api/v1/months/2026-10/approvals", asked.clone()).await.refused(409, "month.not_checked");
    desk.post(&ada, "/api/v1/months/2026-10/publications", asked).await.expect(202);
    let month = october(&desk, &ada).await;
    assert_eq!((&month["state"], &month["in_force"]), (&json!("published"), &json!(run)), "{month:#}");
    let note = json!({ "note": "all there" });
    assert_eq!(desk.post(&ada, "/api/v1/months/2026-10/close", note).await.expect(200).json()["closed"], true);
    desk.ask(&ada, "POST", "/api/v1/months/2026-10/checks", None, &[]).await.expect(202);
    assert_eq!(october(&desk, &ada).await["closed"], true);
}

#[tokio::test]
async fn the_folder_of_the_service_run_by_the_command_is_the_same_run() {
    let (desk, ada) = london().await;
    let run = publish(&desk, &ada).await;
    let out = tempfile::tempdir().unwrap();
    let month = rating_core::time::Month::parse("2026-10").unwrap();
    let mut options = rating_core::run::Options::new(desk.folder().join("project"), month);
    options.out = Some(out.path().to_owned());
    let storage = rating_core::run::storage::Disk;
    let summary = rating_core::run::month(&storage, &options, &rating_core::run::Silent).unwrap();
    assert_eq!(summary.run, run, "the run's id is a hash of all that went in");
}

#[tokio::test]
async fn what_came_after_the_check_is_not_published_unseen() {
    let (desk, ada) = london().await;
    let run = check(&desk, &ada).await;
    let asked = json!({ "run": run });
    desk.post(&ada, "/api/v1/months/2026-10/approvals", asked.clone()).await.expect(200);
    upload(&desk, &ada, "Master-late.csv", demo("cdr/ldn/Master-2026-10.csv")).await.expect(201);
    desk.post(&ada, "/api/v1/months/2026-10/publications", asked).await.expect(202);
    let month = october(&desk, &ada).await;
    assert_eq!(month["last_refusal"]["code"], "publish.changed_since_check");
    assert!(month["last_refusal"]["detail"].as_str().unwrap().contains("Master-late.csv"), "{month:#}");
    assert_eq!(month.get("in_force"), None, "nothing was published");
    let left_out = json!({ "run": run, "leave_new_files_out": true });
    desk.post(&ada, "/api/v1/months/2026-10/publications", left_out).await.expect(202);
    assert_eq!(october(&desk, &ada).await["in_force"], json!(run));
}

#[tokio::test]
async fn a_file_name_is_used_once_and_hostile_ones_not_at_all() {
    let (desk, ada) = london().await;
    let content = demo("cdr/ldn/Master-2026-10.csv");
    upload(&desk, &ada, "Master-2026-10.csv", content).await.expect(200);
    upload(&desk, &ada, "Master-2026-10.csv", b"other".to_vec()).await.refused(409, "publish.file_exists");
    for name in ["..%2F..%2Fetc%2Fpasswd", ".hidden", "a%00b", "a%5Cb"] {
        upload(&desk, &ada, name, b"x".to_vec()).await.refused(422, "publish.file_path");
    }
    let files = desk.get(&ada, "/api/v1/sources/ldn-pbx/files").await.expect(200).json();
    assert_eq!(files["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_mistake_in_a_tariff_is_named_with_its_place_before_anything_is_rated() {
    let (desk, ada) = london().await;
    let broken = b"id = \"retail-gb\"\ncurency = \"GBP\"\n".to_vec();
    desk.send(&ada, "PUT", "/api/v1/files/tariffs/retail-gb.toml", "application/octet-stream", broken)
        .await
        .expect(200);
    let found = desk.ask(&ada, "POST", "/api/v1/project/checks", None, &[]).await.expect(200).json();
    let text = found.to_string();
    assert!(text.contains("tariffs/retail-gb.toml:2:1"), "{found:#}");
    desk.ask(&ada, "POST", "/api/v1/months/2026-10/checks", None, &[]).await.expect(202);
    let month = october(&desk, &ada).await;
    assert_eq!(month["last_refusal"]["code"], "publish.project_invalid", "{month:#}");
    assert_eq!(month["runs"], json!([]));
}

#[tokio::test]
async fn rules_2_to_8_a_report_that_is_not_there_says_why() {
    let (desk, ada) = london().await;
    let reasons = async |address: &str| -> Vec<String> {
        let reports = desk.get(&ada, address).await.expect(200).json();
        let mut reasons: Vec<String> = reports["reports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["reason"].as_str().unwrap_or("available").to_owned())
            .collect();
        reasons.dedup();
        reasons
    };
    let default = desk.get(&ada, "/api/v1/occupiers/acme/reports").await.expect(200).json();
    assert_eq!(default["month"], "2026-10", "the last complete month");
    assert_eq!(reasons("/api/v1/occupiers/acme/reports?month=2026-10").await, ["not-published"]);
    assert_eq!(reasons("/api/v1/occupiers/acme/reports?month=2026-11").await, ["month-not-complete"]);
    assert_eq!(reasons("/api/v1/occupiers/acme/reports?month=2025-10").await, ["no-voice-service"]);
    desk.get(&ada, "/api/v1/occupiers/acme/reports?month=2026-12").await.refused(422, "report.month_in_future");
    publish(&desk, &ada).await;
    assert_eq!(reasons("/api/v1/occupiers/acme/reports?month=2026-10").await, ["available"]);
    assert_eq!(reasons("/api/v1/occupiers/cedar/reports?month=2026-10").await, ["no-data"]);
    let answer = desk.get(&ada, "/api/v1/occupiers/cedar/reports/download?month=2026-10").await;
    let answer = answer.refused(409, "report.not_available").json();
    assert_eq!(answer["errors"][0]["code"], "no-data", "rule 26: no zip, the reason instead");
}

#[tokio::test]
async fn rules_25_to_27_one_report_is_a_bare_file_and_several_are_a_zip() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let base = "/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn";
    let one = desk.get(&ada, &format!("{base}&report=itemised")).await.expect(200);
    assert_eq!(one.header("content-type"), "text/csv; charset=utf-8; header=present");
    let disposition = one.header("content-disposition").to_owned();
    assert!(disposition.contains("filename=\"202610_ldn_itemised_acme.csv\""), "{disposition}");
    let all = desk.get(&ada, base).await.expect(200);
    assert_eq!(all.header("content-type"), "application/zip");
    assert!(all.header("content-disposition").contains("\"202610_"), "{}", all.header("content-disposition"));
    assert!(all.body.starts_with(b"PK"));
    for (format, magic) in [("xlsx", b"PK".as_slice()), ("parquet", b"PAR1".as_slice())] {
        let file = desk.get(&ada, &format!("{base}&report=itemised&format={format}")).await.expect(200);
        assert!(file.body.starts_with(magic), "{format}");
    }
    desk.get(&ada, &format!("{base}&report=everything")).await.refused(400, "request.parameter_malformed");

    // The same bytes are not sent twice, and a part of them can be.
    let tag = one.header("etag").to_owned();
    let address = format!("{base}&report=itemised");
    let again = desk.ask(&ada, "GET", &address, None, &[("if-none-match", &tag)]).await.expect(304);
    assert!(again.body.is_empty());
    let part = desk.ask(&ada, "GET", &address, None, &[("range", "bytes=0-9"), ("if-range", &tag)]).await.expect(206);
    assert_eq!(part.body, one.body[..10]);
    assert_eq!(part.header("content-range"), format!("bytes 0-9/{}", one.body.len()));
    let stale =
        desk.ask(&ada, "GET", &address, None, &[("range", "bytes=0-9"), ("if-range", "\"old\"")]).await.expect(200);
    assert_eq!(stale.body, one.body);
    let beyond = format!("bytes={}-", one.body.len());
    desk.ask(&ada, "GET", &address, None, &[("range", &beyond)]).await.refused(416, "request.range");
}

#[tokio::test]
async fn rules_13_14_and_20_both_amounts_for_the_operator_and_one_for_the_occupier() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let charges =
        desk.get(&ada, "/api/v1/reports/download?month=2026-10&site=ldn&report=call-charges").await.expect(200).text();
    let header = charges.lines().next().unwrap().to_owned();
    for column in ["client_id", "client_amount", "operator_amount"] {
        assert!(header.to_lowercase().contains(column), "{header}");
    }
    for occupier in ["acme", "harbour"] {
        assert!(charges.contains(occupier), "{charges}");
    }
    let base = "/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn&format=machine-csv&report=";
    for report in ["itemised", "extension-summary", "destinations"] {
        let text = desk.get(&ada, &format!("{base}{report}")).await.expect(200).text().to_lowercase();
        let header = text.lines().next().unwrap();
        assert!(
            !header.contains("operator") && !header.contains("wholesale") && !header.contains("margin"),
            "{header}"
        );
    }
    let log = desk.get(&ada, "/api/v1/audit?occupier=acme&limit=3").await.expect(200).json();
    assert_eq!(log["items"][0]["action"], "report.downloaded", "every download is on record");
}

#[tokio::test]
async fn progress_is_told_as_events_until_the_run_is_over() {
    let (desk, ada) = london().await;
    desk.get(&ada, "/api/v1/months/2026-10/progress").await.refused(404, "month.not_running");
    desk.ask(&ada, "POST", "/api/v1/months/2026-10/checks", None, &[]).await.expect(202);
    let events = desk.get(&ada, "/api/v1/months/2026-10/progress").await.expect(200);
    assert_eq!(events.header("content-type"), "text/event-stream");
    let text = events.text();
    assert!(text.contains("event: progress"), "{text}");
    assert!(text.trim_end().ends_with("}") && text.contains("\"phase\":\"done\""), "{text}");
}

#[tokio::test]
async fn a_month_that_is_not_over_has_previews_alone() {
    let (desk, ada) = london().await;
    desk.ask(&ada, "POST", "/api/v1/months/2026-11/checks", None, &[]).await.refused(409, "month.not_complete");
    desk.ask(&ada, "POST", "/api/v1/months/2026-12/previews", None, &[]).await.refused(409, "month.not_begun");
    desk.ask(&ada, "POST", "/api/v1/months/2026-11/previews", None, &[]).await.expect(202);
    for _ in 0..600 {
        let month = desk.get(&ada, "/api/v1/months/2026-11").await.expect(200).json();
        if month.get("running").is_none() {
            assert_eq!(month["runs"][0]["state"], "provisional", "{month:#}");
            let run = month["runs"][0]["run"].clone();
            let approval = json!({ "run": run });
            desk.post(&ada, "/api/v1/months/2026-11/approvals", approval).await.refused(404, "month.unknown_run");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

#[tokio::test]
async fn rules_30_to_36_the_usage_report_counts_contracted_lines_by_day() {
    let (desk, ada) = london().await;
    let path = "/api/v1/project/usage";
    let settings = json!({ "allowance": 28, "price_per_month": "10.00 GBP" });
    desk.ask(&ada, "PUT", path, Some(settings.clone()), &[]).await.refused(428, "request.precondition_required");
    desk.put(&ada, path, settings).await.expect(200);
    publish(&desk, &ada).await;
    let address = "/api/v1/reports/download?month=2026-10&report=usage&format=machine-csv";
    let text = desk.get(&ada, address).await.expect(200).text();
    // 20 + 10 + 1 lines, 28 free: 3 above. 10.00 / 31 x 3 = 0.9677…, so 0.97 a day, and 31 x 0.97 = 30.07 for October.
    assert!(text.contains("30.07"), "{text}");
}

#[tokio::test]
async fn a_share_that_is_none_is_named() {
    let (desk, ada) = london().await;
    let path = "/api/v1/project/limits";
    desk.put(&ada, path, json!({ "suspended": "a tenth" })).await.refused(422, "request.invalid");
    desk.put(&ada, path, json!({ "suspended": "5%" })).await.expect(200);
    assert_eq!(desk.get(&ada, path).await.json(), json!({ "suspended": "5%", "rejected": "" }));
    let gap = json!({ "gap": "ldn-pbx:day:2026-10-14", "reason": "the switch was off" });
    desk.post(&ada, "/api/v1/project/accepted-gaps", gap).await.expect(204);
    check(&desk, &ada).await;
}

#[tokio::test]
async fn a_draft_is_not_thrown_away_while_it_is_published() {
    let (desk, ada) = london().await;
    let run = check(&desk, &ada).await;
    let draft = format!("/api/v1/months/2026-10/runs/{run}");
    // As a publication has it.
    let _teller = desk.app.jobs.begin("2026-10", "publication").unwrap();
    desk.delete(&ada, &draft).await.refused(409, "month.running");
    desk.app.jobs.end("2026-10", None);
    desk.delete(&ada, &draft).await.expect(204);
    // Nothing is left under way.
    assert_eq!(check(&desk, &ada).await, run);
}
