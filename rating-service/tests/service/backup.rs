//! Copies of everything that the service keeps, and data folders made from them.

use std::io::ErrorKind;
use std::path::Path;

use rating_core::run::storage::{Disk, Failing, Storage as _};
use rating_service::app::App;
use rating_service::backup::{back_up, restore};
use rating_service::config::Config;

use crate::desk::{Desk, Who};

/// What a service answers to questions about everything.
async fn answers(desk: &Desk, who: &Who) -> Vec<(String, Vec<u8>)> {
    let mut answers = Vec::new();
    for path in [
        "/api/v1/sites",
        "/api/v1/occupiers",
        "/api/v1/sites/ldn/numbers?limit=500",
        "/api/v1/months/2026-10",
        "/api/v1/sources/ldn-pbx/files",
        "/api/v1/files/tariffs/retail-gb.csv",
        "/api/v1/audit/chain",
        "/api/v1/reports/download?month=2026-10&site=ldn&report=call-charges",
        "/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn&report=itemised",
    ] {
        answers.push((path.to_owned(), desk.get(who, path).await.expect(200).body));
    }
    answers
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_restored_service_gives_the_same_answers_and_runs_on() {
    let (desk, outside) = (Desk::new().await, tempfile::tempdir().unwrap());
    let demo = rating_service::demo::fill(&desk.app.config, desk.clock.now()).await.unwrap();
    let sign_in = serde_json::json!({ "email": demo.users[0].1, "password": demo.password });
    let ada = Desk::session(&desk.post(&Who::Nobody, "/api/v1/session", sign_in).await.expect(201));
    let (copy, data) = (outside.path().join("copy"), outside.path().join("data"));
    let copied = back_up(&Disk, desk.folder(), &copy).await.unwrap();
    assert!(copied.files > 20 && copied.bytes > 1 << 20, "{copied:?}");
    for disposable in ["tmp", "index", "mail"] {
        assert!(!copy.join(disposable).exists(), "{disposable}");
    }
    let before = answers(&desk, &ada).await;
    assert_eq!(restore(&Disk, &copy, &data).await.unwrap(), copied);
    let app = App::open(Config::local(&data), desk.clock.clone()).await.unwrap();
    let restored = desk.beside(app);
    for ((path, before), (_, after)) in before[..6].iter().zip(&answers(&restored, &ada).await) {
        assert_eq!(String::from_utf8_lossy(before), String::from_utf8_lossy(after), "{path}");
    }
    let after = answers(&restored, &ada).await;
    assert_eq!(before[8].1, after[8].1, "the report, byte for byte");
    assert_eq!(names(outside.path()), ["copy", "data"]);
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_taken_for_a_copy() {
    let ((desk, _), outside) = (Desk::set_up().await, tempfile::tempdir().unwrap());
    let (copy, full) = (outside.path().join("copy"), outside.path().join("full"));
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("precious"), "x").unwrap();
    let code = |result: rating_service::error::Result<_>| result.unwrap_err().code();
    assert_eq!(code(back_up(&Disk, desk.folder(), &full).await), "backup.target_not_free");
    assert_eq!(code(back_up(&Disk, desk.folder(), &desk.folder().join("copy")).await), "backup.target_not_free");
    assert_eq!(code(back_up(&Disk, &full, &copy).await), "backup.nothing_there");
    assert_eq!(code(restore(&Disk, &full, &copy).await), "backup.nothing_there");
    back_up(&Disk, desk.folder(), &copy).await.unwrap();
    assert_eq!(code(restore(&Disk, &copy, &full).await), "backup.target_not_free");
    assert_eq!(names(&full), ["precious"]);
    std::fs::create_dir(copy.join("files")).unwrap();
    std::fs::write(copy.join("files/added"), "x").unwrap();
    assert_eq!(code(restore(&Disk, &copy, &outside.path().join("data")).await), "backup.damaged");
    assert_eq!(names(outside.path()), ["copy", "full"]);
}

#[tokio::test]
async fn while_a_month_runs_there_is_no_copy() {
    let ((desk, _), outside) = (Desk::set_up().await, tempfile::tempdir().unwrap());
    std::fs::create_dir_all(desk.folder().join("out")).unwrap();
    let lock = Disk.lock(&desk.folder().join("out/.lock"), "a run").unwrap().unwrap();
    let copy = outside.path().join("copy");
    assert_eq!(back_up(&Disk, desk.folder(), &copy).await.unwrap_err().code(), "publish.busy");
    drop(lock);
    back_up(&Disk, desk.folder(), &copy).await.unwrap();
}

#[tokio::test]
async fn a_copy_that_breaks_off_anywhere_is_not_there() {
    let ((desk, _), outside) = (Desk::set_up().await, tempfile::tempdir().unwrap());
    for (folder, file) in [("cdr/ldn-pbx", "m.csv"), ("files", "0f"), ("out/versions/one", "rows.csv")] {
        std::fs::create_dir_all(desk.folder().join(folder)).unwrap();
        std::fs::write(desk.folder().join(folder).join(file), "something\n").unwrap();
    }
    let (copy, data) = (outside.path().join("copy"), outside.path().join("data"));
    let mut broken = 0;
    for call in 1..500 {
        let storage = Failing::new(Disk, call, true, ErrorKind::StorageFull);
        let done = back_up(&storage, desk.folder(), &copy).await;
        // Once it has its name it is whole, whatever fails then.
        if copy.exists() {
            break;
        }
        assert!(done.is_err(), "call {call}");
        broken += 1;
    }
    assert!(broken > 10 && broken < 490, "{broken}");
    for call in 1..500 {
        let storage = Failing::new(Disk, call, true, ErrorKind::StorageFull);
        let done = restore(&storage, &copy, &data).await;
        if data.exists() {
            break;
        }
        assert!(done.is_err(), "call {call}");
        broken += 1;
    }
    assert!(broken > 20, "{broken}");
    assert_eq!(names(&data), ["cdr", "files", "out", "rating.db"]);
    assert_eq!(std::fs::read_to_string(data.join("cdr/ldn-pbx/m.csv")).unwrap(), "something\n");
    assert_eq!(names(outside.path()), ["copy", "data"], "what was begun aside is gone with the next that is done");
}
