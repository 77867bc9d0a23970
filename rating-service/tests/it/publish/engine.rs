//! A month is checked, published, closed; nothing that nobody looked at comes into force.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rating_core::report::Report;
use rating_core::run::publish::Published;
use rating_core::time::{Date, Month};
use rating_service::publish::Refusal;
use rating_service::publish::engine::{Engine, NewFiles, Outcome, Phase, Said};
use rating_service::publish::published::{Form, Of, Standing};

use super::demo;

fn october() -> Month {
    Month::parse("2026-10").unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

fn check(engine: &Engine) -> Outcome {
    wait(engine.check(demo::snapshot(), october(), None)).unwrap()
}

fn publish(engine: &Engine, run: &str, new_files: NewFiles) -> Result<Outcome, Refusal> {
    wait(engine.publish(demo::snapshot(), october(), run.to_owned(), new_files, None))
}

fn in_force(data: &Path) -> Option<String> {
    let link = fs::read_link(data.join("out/current/month=2026-10")).ok()?;
    Some(link.iter().nth(2)?.to_str()?.to_owned())
}

#[test]
fn a_month_is_checked_then_published_as_it_was_checked() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let checked = check(&engine);
    assert_eq!(checked.summary.published, Published::Draft);
    assert!(!checked.provisional && in_force(data.path()).is_none());
    let archive = engine.archive();
    assert_eq!(archive.in_force(october()).unwrap().map(|version| version.run), None);
    let run = checked.summary.run.clone();
    let draft = archive.version(october(), &run).unwrap().unwrap();
    assert_eq!(draft.standing, Standing::Checked);
    let manifest = draft.manifest_sha256;

    let published = publish(&engine, &run, NewFiles::Refuse).unwrap();
    assert_eq!((published.summary.published, &published.summary.run), (Published::Now, &run));
    assert_eq!(in_force(data.path()).as_ref(), Some(&run));
    let version = archive.in_force(october()).unwrap().unwrap();
    assert_eq!((version.standing, &version.manifest_sha256), (Standing::InForce, &manifest));
    assert_eq!(archive.verify(&version).unwrap(), Vec::<String>::new());
    let months = archive.months().unwrap();
    assert_eq!(months.iter().map(|month| (&*month.run, month.closed)).collect::<Vec<_>>(), [(&*run, false)]);
    // The sums are those of docs/demo.md.
    let totals = version.totals();
    assert_eq!((totals.calls, totals.rated + totals.not_chargeable + totals.suspended), (totals.calls, totals.calls));
    assert_eq!(totals.retail.keys().collect::<Vec<_>>(), ["GBP", "USD"]);
}

#[test]
fn what_changed_since_the_check_is_named_and_nothing_is_published() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let run = check(&engine).summary.run;
    let mut changed = demo::snapshot();
    changed.occupiers[0].name = "Another name".to_owned();
    let refusal = wait(engine.publish(changed, october(), run.clone(), NewFiles::Refuse, None)).unwrap_err();
    assert_eq!(refusal.code, "publish.changed_since_check");
    assert!(refusal.detail.contains("`directory/occupiers.csv`"), "{}", refusal.detail);
    // A switch's file that was written to.
    let file = data.path().join("cdr/ldn-pbx/Master-2026-10.csv");
    let before = fs::read(&file).unwrap();
    fs::write(&file, [before.clone(), b"more\r\n".to_vec()].concat()).unwrap();
    let refusal = publish(&engine, &run, NewFiles::LeaveOut).unwrap_err();
    assert_eq!(refusal.code, "publish.changed_since_check");
    assert!(refusal.detail.contains("Master-2026-10.csv"), "{}", refusal.detail);
    assert_eq!(in_force(data.path()), None);
    fs::write(&file, before).unwrap();
    assert_eq!(publish(&engine, &run, NewFiles::Refuse).unwrap().summary.run, run);
}

#[test]
fn files_that_came_since_the_check_are_published_only_if_somebody_says_what_becomes_of_them() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let run = check(&engine).summary.run;
    let late = data.path().join("cdr/ldn-pbx/Master-2026-11.csv");
    fs::write(&late, "").unwrap();
    let refusal = publish(&engine, &run, NewFiles::Refuse).unwrap_err();
    assert_eq!(refusal.code, "publish.changed_since_check");
    assert!(refusal.detail.contains("`cdr/ldn-pbx/Master-2026-11.csv`"), "{}", refusal.detail);
    assert_eq!(in_force(data.path()), None);
    let published = publish(&engine, &run, NewFiles::LeaveOut).unwrap();
    assert_eq!(published.summary.run, run);
    assert_eq!(in_force(data.path()), Some(run));
    // The project that it was made from reads the files that were checked and no others, and gives the same run by itself.
    let project = data.path().join("projects").join(published.project);
    assert!(project.join("cdr/ldn-pbx/Master-2026-10.csv").exists());
    assert!(!project.join("cdr/ldn-pbx/Master-2026-11.csv").exists());
    let again =
        rating_core::run::Options { month: Some(october()), ..rating_core::run::Options::new(project, october()) };
    let again = rating_core::run::month(&rating_core::run::storage::Disk, &again, &rating_core::run::Silent).unwrap();
    assert_eq!(again.published, Published::Already);
}

#[test]
fn a_preview_is_provisional_and_is_never_published() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let today = Date::parse("2026-10-12").unwrap();
    let first = wait(engine.preview(demo::snapshot(), october(), today, None)).unwrap();
    assert!(first.provisional);
    let archive = engine.archive();
    let preview = archive.preview(october()).unwrap().unwrap();
    assert_eq!((preview.run.as_str(), preview.to_date()), (first.summary.run.as_str(), Some(today)));
    let refusal = publish(&engine, &first.summary.run, NewFiles::Refuse).unwrap_err();
    assert_eq!(refusal.code, "publish.no_such_version");
    // The next preview takes its place.
    fs::write(data.path().join("cdr/ldn-pbx/Master-2026-10-b.csv"), "").unwrap();
    let second = wait(engine.preview(demo::snapshot(), october(), today, None)).unwrap();
    assert_ne!(second.summary.run, first.summary.run);
    let runs: Vec<String> = archive.versions(october()).unwrap().into_iter().map(|version| version.run).collect();
    assert_eq!(runs, std::slice::from_ref(&second.summary.run));
    // Once the month is over and is checked, it is no preview any more.
    let checked = check(&engine);
    assert_eq!((checked.provisional, &checked.summary.run), (false, &second.summary.run));
    assert!(!wait(engine.preview(demo::snapshot(), october(), today, None)).unwrap().provisional);
    assert_eq!(publish(&engine, &checked.summary.run, NewFiles::Refuse).unwrap().summary.run, checked.summary.run);
    assert_eq!(archive.preview(october()).unwrap().map(|version| version.run), None);
}

#[test]
fn a_month_is_closed_and_opened_again_by_somebody_with_a_reason() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    assert_eq!(wait(engine.close(october(), Said::default())).unwrap_err().code, "publish.refused");
    let run = check(&engine).summary.run;
    publish(&engine, &run, NewFiles::Refuse).unwrap();
    let said = Said { by: Some("M. Moor".into()), note: Some("sent".into()), on: Date::parse("2026-11-05") };
    let closing = wait(engine.close(october(), said.clone())).unwrap();
    assert_eq!((closing.closed.run, closing.closed.by), (run, said.by.clone()));
    assert!(engine.archive().months().unwrap()[0].closed);
    // What is closed does not change.
    let mut changed = demo::snapshot();
    changed.occupiers[0].name = "Another name".to_owned();
    let draft = wait(engine.check(changed.clone(), october(), None)).unwrap();
    let refusal = wait(engine.publish(changed, october(), draft.summary.run, NewFiles::Refuse, None)).unwrap_err();
    assert_eq!(refusal.code, "publish.month_closed");
    assert_eq!(wait(engine.reopen(october(), Said::default())).unwrap_err().code, "publish.refused");
    assert_eq!(wait(engine.reopen(october(), said)).unwrap().run_again, None);
    assert!(!engine.archive().months().unwrap()[0].closed);
}

#[test]
fn versions_are_compared_drafts_included() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let run = check(&engine).summary.run;
    publish(&engine, &run, NewFiles::Refuse).unwrap();
    let mut changed = demo::snapshot();
    // Bolt had the second floor until the middle of the month; now Acme has had it all along.
    changed.allocations.retain(|row| row.id != "a2");
    for row in changed.allocations.iter_mut().filter(|row| row.id == "a3") {
        row.from = "2026-01-01".into();
    }
    let draft = wait(engine.check(changed, october(), None)).unwrap().summary.run;
    let comparison = wait(engine.compare(october(), run.clone(), draft.clone())).unwrap();
    assert!(!comparison.is_same() && comparison.changed > 0, "{comparison:?}");
    assert!(wait(engine.compare(october(), run.clone(), run.clone())).unwrap().is_same());
    for (one, other) in [("2026-10-0000000000000000", &*run), (&*run, "../../../etc")] {
        let refusal = wait(engine.compare(october(), one.to_owned(), other.to_owned())).unwrap_err();
        assert_eq!(refusal.code, "publish.no_such_version");
    }
    // A draft goes; what is in force stays.
    wait(engine.discard(october(), draft.clone())).unwrap();
    assert_eq!(wait(engine.discard(october(), draft)).unwrap_err().code, "publish.no_such_version");
    assert_eq!(wait(engine.discard(october(), run)).unwrap_err().code, "publish.refused");
    // The project of the draft is not needed any more; that of the month is.
    assert_eq!(wait(engine.prune()).unwrap(), 0, "the last one written stays");
    wait(engine.look(demo::snapshot())).unwrap();
    assert_eq!(wait(engine.prune()).unwrap(), 1);
}

#[test]
fn what_is_wrong_comes_as_data_with_code_place_words_and_help() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let mut wrong = demo::snapshot();
    wrong.allocations[0].holder = "acmee".into();
    wrong.sites[0].zone = "Europe/Lodnon".into();
    let found = wait(engine.look(wrong.clone())).unwrap();
    let zone = found.iter().find(|found| found.code == "settings.zone_unknown").unwrap();
    assert_eq!((zone.severity, zone.how.as_deref()), ("error", Some("did you mean `Europe/London`?")));
    assert!(zone.place.starts_with("rating.toml:"), "{}", zone.place);
    let refusal = wait(engine.check(wrong, october(), None)).unwrap_err();
    assert_eq!(refusal.code, "publish.project_invalid");
    assert!(refusal.findings.iter().any(|found| found.code == "directory.unknown_occupier"), "{refusal:?}");
    // Calls that are set aside are findings, too: the demo has some on purpose.
    let outcome = check(&engine);
    let codes: BTreeSet<&str> = outcome.findings.iter().map(|found| &*found.code).collect();
    assert!(codes.contains("rating.no_rate_for_destination") || codes.len() > 3, "{codes:?}");
    for found in outcome.findings.iter().filter(|found| found.code.starts_with("attribution.")) {
        assert!(found.how.is_some() && found.place.contains("cdr/"), "{found:?}");
    }
}

#[test]
fn progress_is_told_and_ends_whatever_happens() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let (teller, watched) = tokio::sync::watch::channel(Default::default());
    wait(engine.check(demo::snapshot(), october(), Some(teller))).unwrap();
    let last = *watched.borrow();
    assert_eq!((last.phase, last.bytes_done), (Phase::Done, last.bytes));
    assert!(last.bytes > 1_000 && last.records > 10, "{last:?}");
    let (teller, watched) = tokio::sync::watch::channel(Default::default());
    let nobody = rating_service::store::snapshot::Snapshot::default();
    assert!(wait(engine.check(nobody, october(), Some(teller))).is_err());
    assert_eq!(watched.borrow().phase, Phase::Done);
}

#[test]
fn runs_take_turns_and_another_process_is_told_of() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    // Two at once in one process: each waits for the other, and both are done.
    let both = wait(async {
        tokio::join!(
            engine.check(demo::snapshot(), october(), None),
            engine.check(demo::snapshot(), october().previous(), None)
        )
    });
    assert!(both.0.is_ok() && both.1.is_ok());
    // Another process holds the lock of the engine's output.
    let lock = fs::File::options().write(true).open(data.path().join("out/.lock")).unwrap();
    lock.try_lock().unwrap();
    let refusal = wait(engine.check(demo::snapshot(), october(), None)).unwrap_err();
    assert_eq!(refusal.code, "publish.busy");
}

#[test]
fn a_run_goes_on_when_nobody_waits_for_it_any_more() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    wait(async {
        let running = tokio::spawn({
            let engine = engine.clone();
            async move { engine.check(demo::snapshot(), october(), None).await }
        });
        // It has begun when the project is there.
        while !data.path().join("project").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        running.abort();
        // The next one waits for its end, and finds the same run.
        let outcome = engine.check(demo::snapshot(), october(), None).await.unwrap();
        assert_eq!(outcome.summary.published, Published::Draft);
    });
    assert_eq!(engine.archive().versions(october()).unwrap().len(), 1);
}

#[test]
fn what_somebody_changed_on_the_disk_is_found() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let run = check(&engine).summary.run;
    publish(&engine, &run, NewFiles::Refuse).unwrap();
    let archive = engine.archive();
    let version = archive.in_force(october()).unwrap().unwrap();
    let acme = Of::Payer { site: "ldn".into(), payer: "acme".into() };
    let report = version.report(&acme, Report::Itemised, Form::Machine).unwrap();
    let mut bytes = fs::read(&report.path).unwrap();
    assert_eq!(bytes.len() as u64, report.bytes);
    bytes[40] ^= 1;
    fs::write(&report.path, bytes).unwrap();
    fs::remove_file(version.folder().join("all-sites/202610_all-sites_exceptions.csv")).unwrap();
    let damaged = archive.verify(&version).unwrap();
    let expected =
        ["all-sites/202610_all-sites_exceptions.csv", "site=ldn/payer=acme/202610_ldn_itemised_acme.machine.csv"];
    assert_eq!(damaged, expected);
    fs::write(version.folder().join("manifest.json"), "{}").unwrap();
    assert_eq!(archive.in_force(october()).unwrap_err().code, "publish.version_damaged");
}

#[test]
fn who_has_data_is_read_from_what_is_published() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let run = check(&engine).summary.run;
    let version = engine.archive().version(october(), &run).unwrap().unwrap();
    assert!(version.has_data("ldn", "acme") && version.has_data("nyc", "acme"));
    for (site, payer) in [("ldn", "acm"), ("ldn", "nobody"), ("par", "acme"), ("ldn", ""), ("ldn", "../acme")] {
        assert!(!version.has_data(site, payer), "{site} {payer}");
    }
    let reports = version.reports(&Of::Payer { site: "ldn".into(), payer: "acme".into() });
    let itemised: Vec<&str> =
        reports.iter().filter(|file| file.report == Report::Itemised).map(|file| file.name.as_str()).collect();
    let expected =
        ["202610_ldn_itemised_acme.csv", "202610_ldn_itemised_acme.machine.csv", "202610_ldn_itemised_acme.parquet"];
    assert_eq!(itemised, expected);
}
