//! A made-up operator with everything in it, for somebody who wants to see the service before there is anything to see:
//! `rating serve --demo`.
//!
//! All of it is entered through the interface, by requests to the service's own router, so that every rule holds for it as
//! for anything else. Days are counted from the service's clock: last month is published, this month is a preview.
//!
//! What has passed cannot be entered, and rightly so. The filling has therefore a clock of its own, which begins two years
//! ago and is moved on from one event to the next: the history that it leaves is one that could have happened.

mod calls;
mod client;
mod world;

use std::fmt;

use rating_core::time::{Date, Duration, Instant, Month, Zone};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Mail};
use crate::due::due;
use crate::error::{Problem, Result};
use crate::store::{operator, secrets};
use client::Client;
use world::{GIVEN_UP, HELD, LEASES, Lease, MAIN, OWN, PLACES, Place, RESERVED, TENANTS};

/// The operator.
const OPERATOR: &str = "harbour";
/// The occupier whose portal is active.
const SHOWN: &str = "acme";
/// The files of the tariffs.
const DECKS: [(&str, &str); 10] = [
    ("retail-gb.toml", include_str!("decks/retail-gb.toml")),
    ("retail-gb.csv", include_str!("decks/retail-gb.csv")),
    ("retail-us.toml", include_str!("decks/retail-us.toml")),
    ("retail-us.csv", include_str!("decks/retail-us.csv")),
    ("wholesale-gb.toml", include_str!("decks/wholesale-gb.toml")),
    ("wholesale-gb.csv", include_str!("decks/wholesale-gb.csv")),
    ("wholesale-eu.toml", include_str!("decks/wholesale-eu.toml")),
    ("wholesale-eu.csv", include_str!("decks/wholesale-eu.csv")),
    ("wholesale-us.toml", include_str!("decks/wholesale-us.toml")),
    ("wholesale-us.csv", include_str!("decks/wholesale-us.csv")),
];

/// Who can sign in, and what there is to be seen.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Where.
    pub address: String,
    /// Who, by what they are: an e-mail address each.
    pub users: Vec<(&'static str, String)>,
    /// The password of all of them, another one for each demo.
    pub password: String,
    /// The month that is published.
    pub published: Month,
    /// The month of which there is a preview.
    pub preview: Month,
}

impl fmt::Display for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Harbour Workspaces, a made-up operator: three sites, twelve occupiers, and their calls.")?;
        writeln!(f, "{} is published, {} is a preview.\n", self.published, self.preview)?;
        writeln!(f, "  address   {}/", self.address)?;
        for (what, email) in &self.users {
            writeln!(f, "  {email:<24}  {what}")?;
        }
        write!(f, "  password  {}   (of all of them; it is not shown again)", self.password)
    }
}

/// What every step needs.
struct Filling {
    app: App,
    nobody: Client,
    administrator: Client,
    email: String,
    password: String,
    /// The month that has begun at every site.
    month: Month,
}

/// Fills an empty data folder, as of an instant. The service starts when that is done.
///
/// # Errors
///
/// `operator.already_set_up`, if there is an operator in it already; `demo.not_entered`, with what was refused and why; or
/// the folder cannot be used.
pub async fn fill(config: &Config, now: Instant) -> Result<Demo> {
    // Mails are read here, and go to nobody.
    let config = Config { mail: Mail::Files, ..config.clone() };
    let app = App::open(config, Clock::fixed(now)).await?;
    let filled = fill_empty(&app, now).await;
    app.store.close().await;
    filled.map_err(|problem| match problem.code() {
        "operator.already_set_up" => problem,
        _ => problem.help(format!("the demo is half made: delete the folder {}", app.config.data.display())),
    })
}

async fn fill_empty(app: &App, now: Instant) -> Result<Demo> {
    if operator::get(app.store.read().await?.on()).await?.is_some() {
        let what = format!("the data folder {} has an operator already", app.config.data.display());
        return Err(Problem::new("operator.already_set_up", what)
            .help("a demo begins in an empty folder: name another with --data, or start without --demo"));
    }
    // New York is the last to begin a month.
    let zone = Zone::load("America/New_York").unwrap_or_else(Zone::utc);
    let month = Month::of(zone.to_local(now).date());
    let password: String = secrets::fresh()?.chars().take(20).collect();
    let nobody = Client::new(app)?;
    let mut filling = Filling {
        app: app.clone(),
        administrator: Client::new(app)?,
        nobody,
        email: format!("ada@{OPERATOR}.example"),
        password,
        month,
    };
    filling.operator().await?;
    let first = LEASES.iter().filter_map(|lease| lease.months_ago).max().unwrap_or_default();
    for months in (0..=first).rev() {
        filling.move_to(noon(filling.months_ago(months)).min(now)).await?;
        for lease in LEASES.iter().filter(|lease| lease.months_ago == Some(months)) {
            filling.lease(lease).await?;
        }
    }
    filling.today(now).await?;
    let colleague = format!("ben@{OPERATOR}.example");
    filling.colleague(&colleague).await?;
    let customer = format!("alice@{SHOWN}.example");
    filling.portal(&customer).await?;
    filling.administrator.delete("/api/v1/session").await?;
    Ok(Demo {
        address: app.config.url(),
        users: vec![
            ("the operator's administrator", filling.email),
            ("the operator's, for London and Manchester", colleague),
            ("an occupier's administrator: Acme Robotics", customer),
        ],
        password: filling.password,
        published: month.previous(),
        preview: month,
    })
}

/// Noon of a day by Greenwich, which is the same day at each site.
fn noon(day: Date) -> Instant {
    Zone::utc().start_of(day.midnight()).plus(Duration::from_seconds(12 * 3600))
}

/// The place of that id.
fn place(id: &str) -> Result<&'static Place> {
    PLACES
        .iter()
        .find(|place| place.id == id)
        .ok_or_else(|| Problem::new("demo.not_entered", format!("there is no site {id}")))
}

/// A range of a site's numbers: so many from an offset on.
fn range(place: &Place, (first, count): (u64, u64)) -> Value {
    json!({ "first": format!("+{}", place.number(first)), "last": format!("+{}", place.number(first + count - 1)) })
}

impl Filling {
    /// The operator, its sites and tariffs, and what the sites sell: a month before anybody moves in.
    async fn operator(&mut self) -> Result<()> {
        self.app.clock.set(noon(self.months_ago(24)));
        let link = self.app.setup_link().await?.unwrap_or_default();
        let setup = json!({
            "secret": link.split_once('#').map(|(_, secret)| secret).unwrap_or_default(),
            "operator_id": OPERATOR,
            "operator": {
                "name": "Harbour Workspaces", "currency": "GBP", "zone": "Europe/London",
                "support_contact": "support@harbour.example, 020 7946 0150",
            },
            "administrator": { "email": self.email, "name": "Ada Ames", "password": self.password },
        });
        let answer = self.nobody.post("/api/v1/setup", setup).await?;
        self.administrator = self.nobody.with_session_of(&answer);
        for place in &PLACES {
            self.place(place).await?;
        }
        self.tariffs().await?;
        self.own_numbers().await
    }

    /// Goes on to an instant: what is due by then is done, and the administrator signs in again.
    async fn move_to(&mut self, at: Instant) -> Result<()> {
        self.app.clock.set(at);
        due(&self.app).await?;
        let sign_in = json!({ "email": self.email, "password": self.password });
        let answer = self.nobody.post("/api/v1/session", sign_in).await?;
        self.administrator = self.nobody.with_session_of(&answer);
        Ok(())
    }

    /// What is as it is now: who is about to move in, numbers in all states, calls, months.
    async fn today(&mut self, now: Instant) -> Result<()> {
        self.move_to(now).await?;
        for lease in LEASES.iter().filter(|lease| lease.months_ago.is_none()) {
            self.lease(lease).await?;
        }
        self.contacts().await?;
        self.numbers().await?;
        self.main_number().await?;
        for place in &PLACES {
            self.calls(place, now).await?;
        }
        self.months().await
    }

    /// Somebody of the operator who sees two of the sites.
    async fn colleague(&self, email: &str) -> Result<()> {
        let settings = json!({ "name": "Ben Brook", "role": "operator_user", "sites": ["ldn", "man"] });
        self.administrator.post("/api/v1/users", json!({ "email": email, "settings": settings })).await?;
        self.join(email).await
    }

    /// An occupier's portal, and its administrator.
    async fn portal(&self, email: &str) -> Result<()> {
        let portal = json!({
            "level": {
                "summary_charges": true, "itemised_calls": true, "called_numbers": "full", "usage_to_date": true,
                "allowance_left": true,
            },
            "administrator": { "email": email, "name": "Alice Archer" },
        });
        self.administrator.post(&format!("/api/v1/occupiers/{SHOWN}/portal/activate"), portal).await?;
        self.join(email).await
    }

    /// The first day of the month so many months ago.
    fn months_ago(&self, count: u32) -> Date {
        (0..count).fold(self.month, |month, _| month.previous()).days().0
    }

    async fn place(&self, place: &Place) -> Result<()> {
        let settings = json!({
            "name": place.name, "zone": place.zone, "country": place.country, "area_code": place.area,
            "outside_line": ["9"], "extensions": [format!("{}-{}", place.extension, place.extension + 99)],
            "holidays": [place.holidays],
        });
        let administrator = &self.administrator;
        administrator.post("/api/v1/sites", json!({ "id": place.id, "settings": settings })).await?;
        let products = format!("/api/v1/sites/{}/products", place.id);
        // London's lines have minutes with them.
        let inclusive = if place.id == "ldn" { "inclusive" } else { "" };
        let voice = json!({
            "name": "Voice line", "lines": 1, "service_level": "standard", "price_per_month": "12.50",
            "allowance": inclusive,
        });
        administrator.post(&products, json!({ "id": "voice", "settings": voice })).await?;
        let phone = json!({ "name": "Conference phone, rented", "lines": 0, "price_per_month": "6.00" });
        administrator.post(&products, json!({ "id": "conference-phone", "settings": phone })).await?;
        let numbers = json!({ "which": range(place, (0, place.numbers.1)), "at": self.months_ago(24).to_string() });
        administrator.post(&format!("/api/v1/sites/{}/numbers", place.id), numbers).await?;
        let switch = json!({ "format": "asterisk", "zone": place.zone, "further": "trunks = [\"PJSIP/carrier*\"]" });
        let switch = json!({ "id": place.switch, "site": place.id, "settings": switch });
        administrator.post("/api/v1/sources", switch).await?;
        Ok(())
    }

    /// The holidays of the year, and the files that a site's switch has written.
    async fn calls(&self, place: &Place, now: Instant) -> Result<()> {
        let administrator = &self.administrator;
        let year = self.month.days().0.civil().0;
        let holidays = format!("/api/v1/sites/{}/schedule/holidays", place.id);
        administrator.post(&holidays, json!({ "year": year })).await?;
        for month in [self.month.previous(), self.month] {
            let content = calls::file(place, month, now);
            if !content.is_empty() {
                let path = format!("/api/v1/sources/{}/files/Master-{month}.csv", place.switch);
                administrator.send(&path, content).await?;
            }
        }
        Ok(())
    }

    async fn tariffs(&self) -> Result<()> {
        for (name, content) in DECKS {
            self.administrator.send(&format!("/api/v1/files/tariffs/{name}"), content.to_owned()).await?;
        }
        let allowance = include_str!("decks/inclusive.toml").to_owned();
        self.administrator.send("/api/v1/files/allowances/inclusive.toml", allowance).await?;
        // Manchester's carrier sends its bill in euro.
        let rate = json!({ "from_currency": "EUR", "to_currency": "GBP", "rate": "0.8612" });
        self.administrator.replace("/api/v1/project/exchange-rates", json!({ "items": [rate] })).await?;
        let usage = json!({ "allowance": 40, "price_per_month": "4.00 GBP" });
        self.administrator.replace("/api/v1/project/usage", usage).await?;
        for place in &PLACES {
            for (side, tariff) in place.tariffs {
                let from = self.months_ago(24).to_string();
                let assignment =
                    json!({ "side": side, "payer": "*", "site": place.id, "tariff": tariff, "from": from });
                self.administrator.post("/api/v1/assignments", assignment).await?;
            }
        }
        Ok(())
    }

    /// Makes the occupier of that id known, unless it is.
    async fn tenant(&self, id: &str) -> Result<()> {
        let Some((index, tenant)) = TENANTS.iter().enumerate().find(|(_, tenant)| tenant.id == id) else {
            return Err(Problem::new("demo.not_entered", format!("there is no occupier {id}")));
        };
        let known = self.administrator.get(&format!("/api/v1/occupiers?search={id}")).await?;
        if known.body.pointer("/items/0").is_some() {
            return Ok(());
        }
        let settings = json!({
            "name": tenant.name, "kind": tenant.kind, "billing_reference": format!("HW-{}", 1001 + index),
            "external_identifiers": [{ "system": "crm", "identifier": format!("C-{}", 1001 + index) }],
        });
        self.administrator.post("/api/v1/occupiers", json!({ "id": tenant.id, "settings": settings })).await?;
        Ok(())
    }

    /// Whom to write to, which a customer system brings.
    async fn contacts(&self) -> Result<()> {
        let token = json!({ "name": "customer system", "scopes": ["sync"] });
        let token = self.administrator.post("/api/v1/tokens", token).await?;
        let system = self.nobody.with_token(token.text("secret"));
        for (index, tenant) in TENANTS.iter().enumerate() {
            let email = format!("office@{}.example", tenant.id);
            let contact = json!({ "name": tenant.contact, "email": email, "phone": "+442079460999" });
            let path = format!("/api/v1/occupiers/by-external-id/crm/C-{}", 1001 + index);
            system.put(&path, json!({ "name": tenant.name, "contact": contact })).await?;
        }
        self.administrator.delete(&format!("/api/v1/tokens/{}", token.text("id"))).await?;
        Ok(())
    }

    async fn command(&self, place: &Place, numbers: (u64, u64), command: Value, at: Option<Date>) -> Result<()> {
        let at = at.map(|at| at.to_string());
        let body = json!({ "which": range(place, numbers), "command": command, "at": at });
        self.administrator.post(&format!("/api/v1/sites/{}/numbers/commands", place.id), body).await?;
        Ok(())
    }

    /// A contract, the numbers that are reserved with it, and the service that puts them to use.
    async fn lease(&self, lease: &Lease) -> Result<()> {
        let place = place(lease.place)?;
        self.tenant(lease.tenant).await?;
        let moved_in = lease.months_ago.map(|months| self.months_ago(months));
        let from = moved_in.unwrap_or_else(|| self.month.next().days().0).to_string();
        let contract = json!({ "site": place.id, "settings": { "from": from } });
        self.administrator.post(&format!("/api/v1/occupiers/{}/contracts", lease.tenant), contract).await?;
        if place.id == MAIN.0 && lease.offset == MAIN.1 {
            self.command(place, (MAIN.1, 1), json!({ "nominate": {} }), moved_in).await?;
        }
        let allocate = |offset: u64| json!({ "allocate": { "holder": lease.tenant, "extension": (place.extension + offset).to_string() } });
        self.command(place, (lease.offset, lease.lines), allocate(lease.offset), moved_in).await?;
        let service = json!({ "site": place.id, "product": "voice", "quantity": lease.lines, "from": from });
        self.administrator.post(&format!("/api/v1/occupiers/{}/services", lease.tenant), service).await?;
        Ok(())
    }

    /// The operator's own.
    async fn own_numbers(&self) -> Result<()> {
        let london = place("ldn")?;
        let extension = (london.extension + OWN.0).to_string();
        self.command(london, OWN, json!({ "allocate": { "holder": OPERATOR, "extension": extension } }), None).await?;
        self.command(london, OWN, json!({ "activate": {} }), None).await
    }

    /// Numbers in the other states that there are.
    async fn numbers(&self) -> Result<()> {
        let london = place("ldn")?;
        let extension = (london.extension + RESERVED.0).to_string();
        let reserve = json!({ "allocate": { "holder": "dynamo", "extension": extension } });
        self.command(london, RESERVED, reserve, None).await?;
        let hold = json!({ "prospect": "mistral", "until": self.month.next().next().days().0.to_string(), "contracted_lines": 4 });
        self.command(london, HELD, json!({ "hold": hold }), None).await?;
        self.command(london, GIVEN_UP, json!({ "deactivate": {} }), None).await?;
        self.command(london, GIVEN_UP, json!({ "deallocate": {} }), None).await?;
        for (offset, label, kind, id) in [
            (3, "Front desk", "place", "front desk"),
            (1, "Alice", "device", "desk phone 14"),
            (2, "Workshop", "place", "room 2.07"),
        ] {
            let number = format!("+{}", london.number(offset));
            let path = format!("/api/v1/occupiers/{SHOWN}/numbers/commands");
            let label = json!({ "number": number, "command": { "label": { "label": label } } });
            self.administrator.post(&path, label).await?;
            let assign = json!({ "number": number, "command": { "assign": { "kind": kind, "id": id } } });
            self.administrator.post(&path, assign).await?;
        }
        Ok(())
    }

    /// What happens to calls of Acme's main number, and a day on which the site is closed.
    async fn main_number(&self) -> Result<()> {
        let london = place("ldn")?;
        let handling = json!({
            "in_hours": { "target": "hunt_group", "no_answer": { "after_s": 20, "then": "reception" } },
            "out_of_hours": { "target": "voicemail" },
            "voicemail_to_email": "office@acme.example",
            "greeting_in_hours": "Acme Robotics, good morning",
        });
        let path = format!("/api/v1/numbers/+{}/handling", london.number(MAIN.1));
        self.administrator.replace(&path, handling).await?;
        let day = self.month.next().days().0;
        let event = json!({ "name": "Fire alarm test",
            "from": day.to_string(), "until": day.tomorrow().to_string() });
        self.administrator.post("/api/v1/sites/ldn/schedule", event).await?;
        Ok(())
    }

    /// Last month as the operator publishes it, and this month so far.
    async fn months(&self) -> Result<()> {
        let last = format!("/api/v1/months/{}", self.month.previous());
        let administrator = &self.administrator;
        administrator.post(&format!("{last}/checks"), Value::Null).await?;
        let checked = self.done(&last).await?;
        let run = checked.pointer("/runs/0/run").cloned().unwrap_or_default();
        administrator.post(&format!("{last}/approvals"), json!({ "run": run })).await?;
        administrator.post(&format!("{last}/publications"), json!({ "run": run })).await?;
        self.done(&last).await?;
        let this = format!("/api/v1/months/{}", self.month);
        administrator.post(&format!("{this}/previews"), Value::Null).await?;
        self.done(&this).await?;
        Ok(())
    }

    /// Waits until nothing of a month runs; the month then.
    async fn done(&self, path: &str) -> Result<Value> {
        loop {
            let month = self.administrator.get(path).await?.body;
            if month.get("running").is_none() {
                return match month.get("last_refusal") {
                    None => Ok(month),
                    Some(refusal) => Err(Problem::new("demo.not_entered", format!("{path}: {refusal}"))),
                };
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Follows the link that was mailed to somebody.
    async fn join(&self, email: &str) -> Result<()> {
        let secret = mailed_secret(&self.app.config.data.join("mail"), email).await?;
        let joining = json!({ "secret": secret, "password": self.password });
        let joined = self.nobody.post("/api/v1/invitation", joining).await?;
        self.nobody.with_session_of(&joined).delete("/api/v1/session").await?;
        Ok(())
    }
}

/// The secret of the link in the mail to an address, one of a folder.
async fn mailed_secret(folder: &std::path::Path, email: &str) -> Result<String> {
    let mut mails = tokio::fs::read_dir(folder).await.map_err(Problem::internal)?;
    while let Some(mail) = mails.next_entry().await.map_err(Problem::internal)? {
        let text = tokio::fs::read_to_string(mail.path()).await.map_err(Problem::internal)?;
        // Lines that quoted-printable broke are joined again.
        let text = text.replace("=\r\n", "").replace("=3D", "=");
        if let (true, Some((_, after))) = (text.contains(&format!("To: {email}")), text.split_once("/join#")) {
            return Ok(after.split_whitespace().next().unwrap_or_default().to_owned());
        }
    }
    Err(Problem::new("demo.not_entered", format!("no mail to {email}")))
}
