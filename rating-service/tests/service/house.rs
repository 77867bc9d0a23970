//! Two sites whose calls a test writes itself, at prices for mental arithmetic: a minute costs 6p retail and 3p wholesale, by
//! the second, so a minute's margin is 3p.

use std::collections::BTreeMap;

use rating_core::time::{Duration, Instant, Zone};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, Who};
use crate::months::{publish, until_done};

/// The main number of acme in London.
pub(crate) const MAIN: &str = "+442079460000";

const RETAIL: &str = r#"
id = "retail"
name = "Retail"
currency = "GBP"
from = "2026-01-01"
zone = "site"
prices = "p/min"
fees = "p"
increments = "1/1"
rounding = { stage = "call", rule = "up", step = "0.1p" }
decks = ["retail.csv"]
"#;
const DECK: &str = "prefix,destination,class,price\n44,UK landline,geographic,PRICE\n447,UK mobile,mobile,PRICE\n";

/// A row of a CSV, by column.
pub(crate) type Row = BTreeMap<String, String>;

/// The service with its two sites.
pub(crate) struct House {
    pub(crate) desk: Desk,
    pub(crate) ada: Who,
    calls: std::sync::Mutex<BTreeMap<&'static str, Vec<String>>>,
}

/// The sites, and where their numbers and extensions begin.
const SITES: [(&str, &str, &str, &str, u64, u64); 2] = [
    ("ldn", "Europe/London", "20", "GB", 442_079_460_100, 2000),
    ("man", "Europe/London", "161", "GB", 441_614_960_100, 3000),
];

impl House {
    /// acme has the first ten extensions of London (2000-2009) and Manchester (3000-3009), bolt the ten after them in London,
    /// and the operator 2090-2099; cedar has a voice line in London and no number. All since the beginning of the year.
    pub(crate) async fn new() -> Self {
        Self::at(crate::desk::NOW).await
    }

    /// The same, at a time.
    pub(crate) async fn at(now: &str) -> Self {
        let desk = Desk::at(now).await;
        let ada = desk.first_administrator().await;
        let house = Self { desk, ada, calls: std::sync::Mutex::default() };
        for (site, zone, area, country, first, extension) in SITES {
            house.site(site, zone, area, country, first, extension).await;
        }
        for (occupier, site, lines) in
            [("acme", "ldn", 20), ("bolt", "ldn", 10), ("cedar", "ldn", 1), ("acme", "man", 10)]
        {
            house.desk.lease(occupier, site, "2026-01-01", lines).await;
        }
        house.allocate("ldn", "acme", 0, "2026-01-01").await;
        house.allocate("ldn", "bolt", 10, "2026-01-01").await;
        house.allocate("ldn", "harbour", 90, "2026-01-01").await;
        house.allocate("man", "acme", 0, "2026-01-01").await;
        for (id, price) in [("retail", "6"), ("wholesale", "3")] {
            house.put_file(&format!("{id}.toml"), &RETAIL.replace("retail", id)).await;
            house.put_file(&format!("{id}.csv"), &DECK.replace("PRICE", price)).await;
            let body = json!({ "side": id, "payer": "*", "site": "*", "tariff": id, "from": "2026-01-01" });
            house.desk.post(&house.ada, "/api/v1/assignments", body).await.expect(201);
        }
        // What these tests ask about is often set aside on purpose.
        let limits = json!({ "suspended": "100%", "rejected": "100%" });
        house.desk.put(&house.ada, "/api/v1/project/limits", limits).await.expect(200);
        house
    }

    async fn site(&self, site: &str, zone: &str, area: &str, country: &str, first: u64, extension: u64) {
        let settings = json!({
            "name": site, "zone": zone, "country": country, "area_code": area,
            "outside_line": ["9"], "extensions": [format!("{extension}-{}", extension + 99)],
        });
        self.desk.post(&self.ada, "/api/v1/sites", json!({ "id": site, "settings": settings })).await.expect(201);
        self.desk.provision(&self.ada, site, &format!("+{first}"), &format!("+{}", first + 99)).await;
        let settings = json!({ "format": "asterisk", "zone": zone, "further": "trunks = [\"PJSIP/carrier*\"]" });
        let source = json!({ "id": format!("{site}-pbx"), "site": site, "settings": settings });
        self.desk.post(&self.ada, "/api/v1/sources", source).await.expect(201);
    }

    /// A file of the tariffs.
    pub(crate) async fn put_file(&self, name: &str, content: &str) {
        let path = format!("/api/v1/files/tariffs/{name}");
        let bytes = content.as_bytes().to_vec();
        self.desk.send(&self.ada, "PUT", &path, "application/octet-stream", bytes).await.expect(200);
    }

    fn numbers(site: &str, offset: u64) -> (String, String, u64) {
        let (.., first, extension) = SITES.into_iter().find(|known| known.0 == site).unwrap();
        (format!("+{}", first + offset), format!("+{}", first + offset + 9), extension + offset)
    }

    /// Something done to ten numbers of a site from an offset on, since a day.
    pub(crate) async fn ten(&self, site: &str, offset: u64, command: Value, at: &str) {
        let (first, last, _) = Self::numbers(site, offset);
        let body = json!({ "which": { "first": first, "last": last }, "command": command, "at": at });
        self.desk.post(&self.ada, &format!("/api/v1/sites/{site}/numbers/commands"), body).await.expect(200);
    }

    /// Ten numbers from an offset on to a holder, with their extensions.
    pub(crate) async fn allocate(&self, site: &str, holder: &str, offset: u64, at: &str) {
        let (.., extension) = Self::numbers(site, offset);
        self.ten(site, offset, json!({ "allocate": { "holder": holder, "extension": extension.to_string() } }), at)
            .await;
    }

    /// acme's main number in London, since the beginning of the year.
    pub(crate) async fn main_number(&self) {
        self.desk.provision(&self.ada, "ldn", MAIN, MAIN).await;
        for command in [json!({ "nominate": {} }), json!({ "allocate": { "holder": "acme" } })] {
            let body = json!({ "which": { "numbers": [MAIN] }, "command": command, "at": "2026-01-01" });
            self.desk.post(&self.ada, "/api/v1/sites/ldn/numbers/commands", body).await.expect(200);
        }
    }

    /// An occupier whose portal is active, with two lines and the extensions 2020-2029 in London: its id, and its
    /// administrator.
    pub(crate) async fn tenant(&self) -> (String, Who) {
        let sync = self.desk.token(&self.ada, &["sync"], None).await;
        let contact = json!({ "name": "Wile", "email": "wile@tenant.example", "phone": "+442079460999" });
        let body = json!({ "name": "tenant", "contact": contact });
        let made = self.desk.ask(&sync, "PUT", "/api/v1/occupiers/by-external-id/crm/7", Some(body), &[]).await;
        let id = made.expect(201).json()["id"].as_str().unwrap().to_owned();
        self.desk.lease(&id, "ldn", "2026-01-01", 2).await;
        self.allocate("ldn", &id, 20, "2026-01-01").await;
        let who = self.desk.portal(&self.ada, &id).await;
        (id, who)
    }

    /// A record of a switch: from, to, context and channels as Asterisk writes them; answered then (its zone's clock, with the
    /// offset), set up so many seconds before, talked for so many.
    fn record(&self, site: &'static str, legs: [&str; 5], answered_at: &str, before: i64, seconds: i64) {
        let zone = Zone::load("Europe/London").unwrap();
        let answer = Instant::parse_rfc3339(answered_at).unwrap();
        let clock = |at: Instant| zone.format(at)[..19].replace('T', " ");
        let (setup, end) = (answer.plus(Duration::from_seconds(-before)), answer.plus(Duration::from_seconds(seconds)));
        let mut calls = self.calls.lock().unwrap();
        let records = calls.entry(site).or_default();
        let [from, to, context, channel, onto] = legs;
        let unique = format!("{}.{}", setup.as_millis() / 1000, records.len());
        records.push(format!(
            "\"\",\"{from}\",\"{to}\",\"{context}\",\"{from}\",\"{channel}-{:08x}\",\"{onto}-{:08x}\",\"Dial\",\"x\",\"{}\",\"{}\",\"{}\",{},{seconds},\"ANSWERED\",\"DOCUMENTATION\",\"{unique}\",\"\"",
            2 * records.len(), 2 * records.len() + 1, clock(setup), clock(answer), clock(end), before + seconds,
        ));
    }

    /// A call from an extension to the outside, set up five seconds before it was answered.
    pub(crate) fn out(&self, site: &'static str, extension: &str, dialled: &str, answered_at: &str, seconds: i64) {
        self.slow(site, extension, dialled, answered_at, 5, seconds);
    }

    /// A call from an extension to the outside that rings for a while.
    pub(crate) fn slow(
        &self,
        site: &'static str,
        extension: &str,
        dialled: &str,
        answered_at: &str,
        rings: i64,
        seconds: i64,
    ) {
        let channel = format!("PJSIP/{extension}");
        self.record(
            site,
            [extension, dialled, "from-internal", &channel, "PJSIP/carrier"],
            answered_at,
            rings,
            seconds,
        );
    }

    /// A call from one extension to another.
    pub(crate) fn inside(&self, site: &'static str, from: &str, to: &str, answered_at: &str, seconds: i64) {
        let (channel, onto) = (format!("PJSIP/{from}"), format!("PJSIP/{to}"));
        self.record(site, [from, to, "from-internal", &channel, &onto], answered_at, 5, seconds);
    }

    /// A call from outside to a number, answered at an extension.
    pub(crate) fn inbound(&self, site: &'static str, number: &str, extension: &str, answered_at: &str, seconds: i64) {
        let onto = format!("PJSIP/{extension}");
        self.record(site, ["01614960777", number, "from-pstn", "PJSIP/carrier", &onto], answered_at, 5, seconds);
    }

    /// A call from outside to a number that the switch sends on to the outside.
    pub(crate) fn forwarded(&self, site: &'static str, number: &str, onto: &str, answered_at: &str, seconds: i64) {
        self.record(
            site,
            ["01614960777", number, "from-pstn", "PJSIP/carrier", "PJSIP/carrier"],
            answered_at,
            5,
            seconds,
        );
        let mut calls = self.calls.lock().unwrap();
        let last = calls.get_mut(site).and_then(|records| records.last_mut()).unwrap();
        *last = last.replace("\"Dial\",\"x\"", &format!("\"Dial\",\"PJSIP/{onto}@carrier,60\""));
    }

    /// Gives the last call of a switch an account code.
    pub(crate) fn coded(&self, site: &'static str, code: &str) {
        let mut calls = self.calls.lock().unwrap();
        let last = calls.get_mut(site).and_then(|records| records.last_mut()).unwrap();
        *last = last.replacen("\"\"", &format!("\"{code}\""), 1);
    }

    /// Hands the switches' files in.
    pub(crate) async fn hand_in(&self) {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        for (site, records) in calls {
            let path = format!("/api/v1/sources/{site}-pbx/files/Master.csv");
            let content = format!("{}\n", records.join("\n")).into_bytes();
            self.desk.send(&self.ada, "PUT", &path, "application/octet-stream", content).await.expect(201);
        }
    }

    /// Hands the switches' files in, and publishes October.
    pub(crate) async fn publish(&self) -> String {
        self.hand_in().await;
        publish(&self.desk, &self.ada).await
    }

    /// Publishes a month of what was handed in.
    pub(crate) async fn publish_month(&self, month: &str) {
        let base = format!("/api/v1/months/{month}");
        self.desk.ask(&self.ada, "POST", &format!("{base}/checks"), None, &[]).await.expect(202);
        let checked = until_done(&self.desk, &self.ada, month).await;
        assert_eq!(checked.get("last_refusal"), None, "{checked:#}");
        let run = json!({ "run": checked["runs"][0]["run"] });
        self.desk.post(&self.ada, &format!("{base}/approvals"), run.clone()).await.expect(200);
        self.desk.post(&self.ada, &format!("{base}/publications"), run).await.expect(202);
        let published = until_done(&self.desk, &self.ada, month).await;
        assert_eq!(published["state"], "published", "{published:#}");
    }

    /// Makes the preview of a month.
    pub(crate) async fn preview(&self, month: &str) {
        let path = format!("/api/v1/months/{month}/previews");
        self.desk.ask(&self.ada, "POST", &path, None, &[]).await.expect(202);
        let month = until_done(&self.desk, &self.ada, month).await;
        assert_eq!(month.get("last_refusal"), None, "{month:#}");
    }

    /// A download by the administrator.
    pub(crate) async fn download(&self, address: &str) -> Answer {
        self.desk.get(&self.ada, address).await
    }

    /// The rows of one of the operator's reports of October; of all sites if none is named.
    pub(crate) async fn report(&self, report: &str, site: Option<&str>) -> Vec<Row> {
        let site = site.map(|site| format!("&site={site}")).unwrap_or_default();
        let address = format!("/api/v1/reports/download?month=2026-10&format=machine-csv&report={report}{site}");
        rows(&self.download(&address).await.expect(200).text())
    }

    /// The rows of one of an occupier's reports of October at a site.
    pub(crate) async fn occupiers(&self, occupier: &str, site: &str, report: &str) -> Vec<Row> {
        let base = format!("/api/v1/occupiers/{occupier}/reports/download?month=2026-10&format=machine-csv");
        rows(&self.download(&format!("{base}&site={site}&report={report}")).await.expect(200).text())
    }

    /// The reasons that an occupier's reports are not there, without repetition; `available` of those that are.
    pub(crate) async fn reasons(&self, address: &str) -> Vec<String> {
        let reports = self.desk.get(&self.ada, address).await.expect(200).json();
        let all = reports["reports"].as_array().unwrap().iter();
        let mut reasons: Vec<String> =
            all.map(|row| row["reason"].as_str().unwrap_or("available").to_owned()).collect();
        reasons.sort();
        reasons.dedup();
        reasons
    }
}

/// The rows of a CSV.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let row =
        |record: csv::StringRecord| header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// A column of the rows.
pub(crate) fn column<'r>(rows: &'r [Row], name: &str) -> Vec<&'r str> {
    rows.iter().map(|row| row.get(name).unwrap_or_else(|| panic!("no column {name}: {row:?}")).as_str()).collect()
}
