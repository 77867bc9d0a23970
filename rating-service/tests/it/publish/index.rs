//! Pages of calls: from an index that may be removed at any time, and never more than its reader may see.

use std::collections::BTreeSet;
use std::fs;

use rating_core::report::Report;
use rating_core::time::{Instant, Month};
use rating_service::publish::download::{Audience, CalledNumbers, Visibility};
use rating_service::publish::engine::Engine;
use rating_service::publish::index::{Call, Index, Query};
use rating_service::publish::published::{Form, Of, Version};

use super::demo;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

struct House {
    data: tempfile::TempDir,
    version: Version,
    index: Index,
}

impl House {
    fn demo() -> Self {
        let data = demo::data();
        let engine = Engine::new(data.path());
        let month = Month::parse("2026-10").unwrap();
        let run = wait(engine.check(demo::snapshot(), month, None)).unwrap().summary.run;
        let version = engine.archive().version(month, &run).unwrap().unwrap();
        let index = Index::new(data.path());
        Self { data, version, index }
    }

    /// All pages of `limit` calls.
    fn all(&self, audience: &Audience, query: &Query) -> Vec<Call> {
        let mut query = query.clone();
        let mut calls = Vec::new();
        loop {
            let page = wait(self.index.calls(&self.version, audience, &query)).unwrap();
            assert!(page.calls.len() <= query.limit as usize);
            calls.extend(page.calls);
            query.after = page.next;
            if page.next.is_none() {
                return calls;
            }
            assert!(calls.len() < 10_000, "pages without end");
        }
    }
}

fn query(limit: u32) -> Query {
    Query { limit, ..Query::default() }
}

fn acme(visibility: Visibility) -> Audience {
    Audience::Occupier { id: "acme".into(), visibility }
}

#[test]
fn pages_of_any_size_have_every_call_once_in_the_order_of_time() {
    let house = House::demo();
    let all = house.all(&Audience::operator(), &query(1_000));
    assert_eq!(all.len() as u64, house.version.totals().calls);
    let times: Vec<&str> = all.iter().map(|call| call.get("charged_at").unwrap()).collect();
    assert!(times.is_sorted());
    for limit in [1, 3, 7] {
        assert_eq!(house.all(&Audience::operator(), &query(limit)), all, "{limit}");
    }
    // The index is made once; taken away, it is made again.
    let folder = house.data.path().join("index");
    let names = || fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names().len(), 1);
    fs::remove_file(folder.join(&names()[0])).unwrap();
    assert_eq!(house.all(&Audience::operator(), &query(1_000)), all);
    house.index.keep_only(std::slice::from_ref(&house.version)).unwrap();
    assert_eq!(names().len(), 1);
    house.index.keep_only(&[]).unwrap();
    assert_eq!(names().len(), 0);
}

#[test]
fn an_occupier_sees_the_calls_of_its_own_file_and_no_others_whatever_it_asks() {
    let house = House::demo();
    for payer in [None, Some("acme")] {
        let asked = Query { payer: payer.map(str::to_owned), site: Some("ldn".into()), ..query(10) };
        let calls = house.all(&acme(Visibility::ALL), &asked);
        let of = Of::Payer { site: "ldn".into(), payer: "acme".into() };
        let own = house.version.report(&of, Report::Itemised, Form::Machine).unwrap();
        let mut reader = csv::Reader::from_path(own.path).unwrap();
        let header = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(calls.len(), rows.len());
        for (name, cell) in calls.iter().flat_map(|call| &call.cells) {
            assert!(header.iter().any(|column| column == *name), "{name}: {cell} is in no file of an occupier");
        }
        let texts = |column: &str| -> Vec<String> {
            let at = header.iter().position(|name| name == column).unwrap();
            let mut texts: Vec<String> = rows.iter().map(|row| row[at].to_owned()).collect();
            texts.sort();
            texts
        };
        for column in ["call_id", "called", "cost", "duration_s", "destination"] {
            let mut shown: Vec<String> =
                calls.iter().map(|call| call.get(column).unwrap_or_default().to_owned()).collect();
            shown.sort();
            assert_eq!(shown, texts(column), "{column}");
        }
    }
    for payer in ["bolt", "harbour", "nobody"] {
        let asked = Query { payer: Some(payer.into()), ..query(10) };
        assert_eq!(house.all(&acme(Visibility::ALL), &asked), [], "{payer}");
    }
    let little = acme(Visibility { itemised: true, called_numbers: CalledNumbers::Masked, ..Visibility::NONE });
    let calls = house.all(&little, &query(100));
    let hidden: Vec<&str> =
        calls.iter().filter_map(|call| call.get("called")).filter(|to| to.starts_with("+44161")).collect();
    assert!(hidden.iter().all(|called| called.ends_with("xxx")) && !hidden.is_empty(), "{hidden:?}");
    assert!(calls.iter().all(|call| call.get("allowance_taken_s").is_none()));
    let none = wait(house.index.calls(&house.version, &acme(Visibility::NONE), &query(1))).unwrap_err();
    assert_eq!(none.code, "publish.not_available");
}

#[test]
fn rule_80_an_operator_limited_to_sites_sees_their_calls_alone() {
    let house = House::demo();
    let limited =
        |sites: &[&str]| Audience::Operator { sites: Some(sites.iter().map(|site| (*site).to_owned()).collect()) };
    let sites = |calls: &[Call]| -> BTreeSet<String> {
        calls.iter().map(|call| call.get("site").unwrap().to_owned()).collect()
    };
    assert_eq!(sites(&house.all(&limited(&["nyc"]), &query(50))), BTreeSet::from(["nyc".to_owned()]));
    let other = Query { site: Some("ldn".into()), ..query(50) };
    assert_eq!(house.all(&limited(&["nyc"]), &other), []);
    assert_eq!(house.all(&limited(&[]), &query(50)), []);
    assert_eq!(sites(&house.all(&limited(&["nyc", "ldn"]), &query(50))).len(), 2);
}

#[test]
fn filters_choose_and_hostile_texts_choose_nothing() {
    let house = House::demo();
    let all = house.all(&Audience::operator(), &query(1_000));
    let count = |query: Query| house.all(&Audience::operator(), &Query { limit: 1_000, ..query }).len();
    let of = |column: &str, text: &str| all.iter().filter(|call| call.get(column) == Some(text)).count();
    let suspended = count(Query { status: Some("suspended".into()), ..Query::default() });
    assert_eq!(suspended, of("status", "suspended"));
    assert!(suspended > 0);
    assert_eq!(count(Query { extension: Some("2001".into()), ..Query::default() }), of("extension", "2001"));
    let middle = Instant::parse_rfc3339(all[all.len() / 2].get("charged_at").unwrap()).unwrap();
    let before = count(Query { until: Some(middle), ..Query::default() });
    let after = count(Query { from: Some(middle), ..Query::default() });
    assert_eq!(before + after, all.len());
    for hostile in ["' OR 1=1 --", "%", "\u{0}", ""] {
        assert_eq!(count(Query { payer: Some(hostile.into()), ..Query::default() }), 0, "{hostile:?}");
        assert_eq!(count(Query { destination: Some(hostile.into()), ..Query::default() }), 0, "{hostile:?}");
    }
}
