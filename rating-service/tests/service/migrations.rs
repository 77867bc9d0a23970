//! A database of an earlier version: it opens, is brought up to this one, and works.

use std::borrow::Cow;
use std::path::Path;

use rating_core::run::storage::Disk;
use rating_service::app::App;
use rating_service::backup::{back_up, restore};
use rating_service::config::Config;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::desk::{Desk, PASSWORD, Who};

/// Makes a database of the first migration alone, with an operator, a site, and two users of it.
async fn first_version(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let options = SqliteConnectOptions::new().filename(folder.join("rating.db")).create_if_missing(true);
    let mut on = SqliteConnection::connect_with(&options).await.unwrap();
    let mut migrator = sqlx::migrate!("src/store/migrations");
    let first = migrator.migrations.first().cloned().unwrap();
    assert!(migrator.migrations.len() > 4, "there is something to be brought up to");
    migrator.migrations = Cow::Owned(vec![first]);
    migrator.run(&mut on).await.unwrap();
    let hash = rating_service::auth::password::hash(PASSWORD.to_owned()).await.unwrap();
    for sql in [
        "INSERT INTO operator (only_one, id, name, currency, zone) VALUES (1, 'harbour', 'Harbour', 'GBP', 'Europe/London')",
        "INSERT INTO site (id, name, zone, country, business_hours, created_at) \
         VALUES ('ldn', 'London', 'Europe/London', 'GB', '{\"weekly\":[]}', 0)",
        "INSERT INTO user (id, role, every_site, state, created_at) VALUES ('user-1', 'operator_admin', 1, 'active', 0), \
         ('user-2', 'operator_user', 0, 'closed', 0)",
        "INSERT INTO user_site (user, site) VALUES ('user-2', 'ldn')",
    ] {
        sqlx::query(sql).execute(&mut on).await.unwrap();
    }
    let person = "INSERT INTO person (user, email, name, password) VALUES ('user-1', 'ada@example.com', 'Ada', $1)";
    sqlx::query(person).bind(hash).execute(&mut on).await.unwrap();
    on.close().await.unwrap();
}

/// That a service on such a folder works: who was there signs in, and what came later can be done.
async fn works(desk: &Desk) {
    let sign_in = json!({ "email": "Ada@Example.com", "password": PASSWORD });
    let ada = Desk::session(&desk.post(&Who::Nobody, "/api/v1/session", sign_in).await.expect(201));
    assert_eq!(desk.get(&ada, "/api/v1/sites/ldn").await.expect(200).json()["settings"]["name"], "London");
    let users = desk.get(&ada, "/api/v1/users").await.expect(200).json();
    assert_eq!(users["items"].as_array().unwrap().len(), 2);
    // Of each later migration something.
    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    desk.provision(&ada, "ldn", "+442079460001", "+442079460002").await;
    desk.command(&ada, "ldn", &["+442079460001"], json!({ "allocate": { "holder": "acme" } })).await.expect(200);
    let source = json!({ "id": "pbx", "site": "ldn", "settings": { "format": "asterisk", "zone": "Europe/London" } });
    desk.post(&ada, "/api/v1/sources", source).await.expect(201);
    let rates = json!({ "items": [{ "from_currency": "USD", "to_currency": "GBP", "rate": "0.76" }] });
    desk.put(&ada, "/api/v1/project/exchange-rates", rates).await.expect(200);
    assert_eq!(desk.get(&ada, "/api/v1/audit/chain").await.expect(200).json().get("broken_at"), None);
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_this_one_and_works() {
    let desk = Desk::new().await;
    let folder = tempfile::tempdir().unwrap();
    first_version(folder.path()).await;
    let app = App::open(Config::local(folder.path()), desk.clock.clone()).await.unwrap();
    let old = desk.beside(app);
    assert_eq!(old.app.setup_link().await.unwrap(), None, "the operator is there");
    // Mails of the desk are looked for in its own folder, so nobody is invited here.
    works(&old).await;
}

#[tokio::test]
async fn a_copy_of_the_first_version_is_restored_and_works() {
    let desk = Desk::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (old, copy, new) = (folder.path().join("old"), folder.path().join("copy"), folder.path().join("new"));
    first_version(&old).await;
    back_up(&Disk, &old, &copy).await.unwrap();
    restore(&Disk, &copy, &new).await.unwrap();
    let app = App::open(Config::local(&new), desk.clock.clone()).await.unwrap();
    works(&desk.beside(app)).await;
    // The copy is as old as it was: it can be restored again.
    restore(&Disk, &copy, &folder.path().join("again")).await.unwrap();
}

#[tokio::test]
async fn what_the_fourth_version_kept_of_people_and_rates_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rating.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut on = SqliteConnection::connect_with(&options).await.unwrap();
    let mut migrator = sqlx::migrate!("src/store/migrations");
    migrator.migrations = Cow::Owned(migrator.migrations.iter().take(4).cloned().collect());
    migrator.run(&mut on).await.unwrap();
    for sql in [
        "INSERT INTO occupier (id, name, kind, billing_reference, created_at) VALUES ('acme', 'Acme', 'virtual', 'B1', 0)",
        "INSERT INTO user (id, occupier, role, every_site, state, created_at) VALUES \
         ('user-1', NULL, 'operator_admin', 1, 'active', 0), ('user-2', 'acme', 'occupier_admin', 1, 'invited', 0)",
        "INSERT INTO person (user, email, name) VALUES ('user-1', 'ada@example.com', 'Ada'), ('user-2', 'ann@acme.example', 'Ann')",
        "INSERT INTO exchange_rate (from_currency, to_currency, valid_from, rate) VALUES ('USD', 'GBP', '2026-01-01', '0.76')",
    ] {
        sqlx::query(sql).execute(&mut on).await.unwrap();
    }
    on.close().await.unwrap();
    let store = rating_service::store::Store::open(&file).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let ann = rating_service::store::users::by_email(reader.on(), "ANN@acme.example").await.unwrap();
    assert_eq!((ann.len(), ann[0].company.as_str(), ann[0].user.as_str()), (1, "acme", "user-2"));
    let ada = rating_service::store::users::by_email(reader.on(), "ada@example.com").await.unwrap();
    assert_eq!(ada[0].company, "");
    let (rates, revision) = rating_service::store::sources::setting(reader.on(), "exchange_rates").await.unwrap();
    let rates: serde_json::Value = serde_json::from_str(&rates.unwrap()).unwrap();
    let expected =
        json!([{ "from_currency": "USD", "to_currency": "GBP", "rate": "0.76", "from": "2026-01-01", "until": "" }]);
    assert_eq!((rates, revision), (expected, 1));
}
