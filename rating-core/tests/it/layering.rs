//! The house stands: nobody names a floor above, the disk has one door, and each heavy dependency has one home.
//!
//! Reads the source text of `rating-core/src`. What counts is what a file names (`use` trees, and paths through `crate::`,
//! `super::`, `self::` or another crate's name); what it reaches through values it was handed, the compiler judges.

mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source::{Named, What, read};

const FOUNDATION: [&str; 6] = ["money", "number", "time", "ids", "source", "finding"];

/// Which module may name which, besides itself, in the order of the floors.
const MAY_NAME: &[(&str, &[&[&str]])] = &[
    ("money", &[]),
    ("number", &[]),
    ("time", &[]),
    ("ids", &[]),
    ("source", &[]),
    ("finding", &[]),
    ("cdr", &[&["source", "finding", "number", "time"]]),
    ("mediation", &[&["cdr"], &FOUNDATION]),
    ("directory", &[&FOUNDATION]),
    ("attribution", &[&["mediation", "directory"], &FOUNDATION]),
    ("tariff", &[&FOUNDATION]),
    ("assignment", &[&FOUNDATION]),
    ("rating", &[&["attribution", "tariff", "assignment"], &FOUNDATION]),
    ("aggregation", &[&["rating"], &FOUNDATION]),
    ("report", &[&["aggregation", "rating"], &FOUNDATION]),
    (
        "run",
        &[
            &["cdr", "mediation", "directory", "attribution", "tariff", "assignment"],
            &["rating", "aggregation", "report"],
            &FOUNDATION,
        ],
    ),
];

/// Where something from outside the crate may be named: in these modules (a trailing `*`: whatever begins so) and below.
const HOMES: &[(&str, &[&str])] = &[
    ("nom", &["cdr", "tariff", "mediation::dial_plan*"]),
    ("rust_decimal", &["money", "tariff", "report"]),
    ("rayon", &["run"]),
    ("std::thread", &["run"]),
    ("arrow", &["report", "run::batch"]),
    ("parquet", &["report", "run::batch"]),
    ("chrono", &["time"]),
    ("chrono_tz", &["time"]),
    ("axum", &[]),
    ("tokio", &[]),
    ("std::env", &[]),
    // The lock says which process holds it.
    ("std::process", &["run"]),
    ("std::io::stdin", &[]),
    ("std::io::stdout", &[]),
    ("std::io::stderr", &[]),
    ("std::fs", &["run::storage"]),
    ("std::net", &["run::storage"]),
    ("std::os", &["run::storage"]),
    ("std::time::SystemTime", &["run::storage"]),
    ("std::time::Instant", &["run::storage"]),
];

/// Modules of the crate that only some may name, though the module above them is everybody's. The type of a number never
/// chooses a price, so whoever prices cannot even ask for it.
const RESERVED: &[(&str, &[&str])] = &[("number::numbering", &["report", "run"])];

/// Named nowhere, not even in tests: a test that reads the environment passes on one machine and fails on the next.
const NOT_EVEN_IN_TESTS: &str = "std::env";

/// Macros that write to the terminal; the command prints, the library answers.
const TERMINAL: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// Where durations, prices and money are computed: no floating point.
const EXACT: [&str; 10] =
    ["money", "number", "time", "cdr", "mediation", "tariff", "assignment", "attribution", "rating", "aggregation"];

/// Violations in the file that holds `module` (`cdr::asterisk`; the crate's root is the empty name).
fn check(module: &str, text: &str) -> Vec<String> {
    let path = segments(module);
    let source = read(&path, text);
    let product = source.named.iter().flat_map(|named| violation(&path, named));
    let tests = source.named_in_tests.iter().flat_map(|named| test_violation(&path, named));
    product.chain(tests).collect()
}

fn segments(module: &str) -> Vec<String> {
    module.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn violation(module: &[String], named: &Named) -> Option<String> {
    let floor = module.first().map_or("the crate's root", String::as_str);
    let broken = match &named.what {
        What::Inside(path) => inside(module, path),
        What::Outside(path) => outside(module, path, false),
        What::OutsideModule(path) => outside(module, path, true),
        What::Macro(name) if TERMINAL.contains(&&**name) => {
            Some(format!("calls {name}!, but the library writes to no terminal"))
        }
        What::Float(text) if EXACT.contains(&floor) => {
            Some(format!("names {text}, but money, prices and durations are computed in integers"))
        }
        What::Macro(_) | What::Float(_) => None,
    };
    broken.map(|broken| format!("{}: {} {broken}", named.line, name(module)))
}

fn test_violation(module: &[String], named: &Named) -> Option<String> {
    match &named.what {
        What::Outside(path) | What::OutsideModule(path) if path.join("::").starts_with(NOT_EVEN_IN_TESTS) => {
            Some(format!("{}: a test in {} names {NOT_EVEN_IN_TESTS}, which nobody may", named.line, name(module)))
        }
        _ => None,
    }
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "the crate's root".to_owned() } else { module.join("::") }
}

fn inside(module: &[String], path: &[String]) -> Option<String> {
    // The root declares the modules and may offer any of them again.
    let floor = module.first()?;
    let Some(named) = path.first() else {
        return Some("names the crate's root as a whole; name modules one by one".to_owned());
    };
    let (_, allowed) = MAY_NAME.iter().find(|(module, _)| module == floor)?;
    let allowed: Vec<&str> = allowed.iter().flat_map(|group| group.iter().copied()).collect();
    if named == floor || allowed.contains(&&**named) {
        // Whoever brings the module above into scope as a whole, could name it through that.
        let reaches = |reserved: Vec<String>| path.starts_with(&reserved) || reserved.starts_with(path);
        let (reserved, may) =
            RESERVED.iter().find(|(reserved, may)| reaches(segments(reserved)) && !may.contains(&&**floor))?;
        let within = is_below(module, reserved);
        return (!within).then(|| format!("names {reserved}, which only {} may", may.join(" and ")));
    }
    let allowed = if allowed.is_empty() { "nothing in the crate".to_owned() } else { allowed.join(", ") };
    Some(format!("names {named}, but {floor} may name {allowed}"))
}

fn outside(module: &[String], path: &[String], brings_all: bool) -> Option<String> {
    // `io` itself is needed for `Read` and `Write`; `io::stdout` is found where it is used.
    let brings_all = brings_all && path.join("::") != "std::io";
    let (thing, homes) = HOMES.iter().find(|(thing, _)| {
        let thing = segments(thing);
        path.starts_with(&thing) || (brings_all && thing.starts_with(path))
    })?;
    let at_home = homes.iter().any(|home| is_below(module, home));
    // `std::time` as a whole is refused for what it offers; the message says so.
    let way =
        if path.len() < segments(thing).len() { format!(" (through {})", path.join("::")) } else { String::new() };
    let homes =
        if homes.is_empty() { "nowhere in this crate".to_owned() } else { format!("only in {}", homes.join(", ")) };
    (!at_home).then(|| format!("names {thing}{way}, which may be named {homes}"))
}

fn is_below(module: &[String], home: &str) -> bool {
    let home = segments(home);
    home.len() <= module.len()
        && home.iter().zip(module).all(|(home, segment)| match home.strip_suffix('*') {
            Some(beginning) => segment.starts_with(beginning),
            None => home == segment,
        })
}

/// Violations in a whole source tree, each with its file; and how many paths were looked at.
fn check_tree(root: &Path) -> (Vec<String>, usize) {
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    let (mut broken, mut looked_at) = (Vec::new(), 0);
    let mut test_modules = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    let sources: Vec<(PathBuf, Vec<String>, source::Source)> = files
        .into_iter()
        .map(|file| {
            let module = module_of(file.strip_prefix(root).unwrap());
            let source = read(&module, &std::fs::read_to_string(&file).unwrap());
            (file, module, source)
        })
        .collect();
    for (_, module, source) in &sources {
        test_modules.extend(source.test_modules.iter().map(|name| [&module[..], std::slice::from_ref(name)].concat()));
    }
    for (file, module, source) in &sources {
        let shown = file.strip_prefix(root.parent().unwrap()).unwrap().display();
        let is_test = test_modules.iter().any(|test| module.starts_with(test));
        let product = if is_test { [].iter() } else { source.named.iter() };
        let tests = source.named_in_tests.iter().chain(if is_test { source.named.iter() } else { [].iter() });
        looked_at += product.len();
        broken.extend(
            product
                .flat_map(|named| violation(module, named))
                .chain(tests.flat_map(|named| test_violation(module, named)))
                .map(|broken| format!("{shown}:{broken}")),
        );
        let known = |floor: &String| is_test || MAY_NAME.iter().any(|(module, _)| module == floor);
        unknown.extend(module.first().filter(|floor| !known(floor)).cloned());
    }
    broken.extend(
        unknown
            .iter()
            .map(|floor| format!("src/{floor}: module {floor} has no place in the house; give it one in MAY_NAME")),
    );
    (broken, looked_at)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `cdr/asterisk.rs` holds `cdr::asterisk`, `cdr/mod.rs` holds `cdr`, `lib.rs` the root.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

#[test]
fn every_module_names_only_what_it_may() {
    let (broken, looked_at) = check_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(looked_at > 50, "only {looked_at} paths found: the source text was not read");
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_table_lets_nobody_name_a_floor_above() {
    for (index, (module, allowed)) in MAY_NAME.iter().enumerate() {
        for name in allowed.iter().flat_map(|group| group.iter()) {
            let below = MAY_NAME[..index].iter().any(|(below, _)| below == name);
            assert!(below, "{module} may name {name}, which is not below it");
        }
    }
    for (thing, homes) in HOMES {
        for home in *homes {
            let floor = &segments(home)[0];
            assert!(MAY_NAME.iter().any(|(module, _)| module == floor), "{thing} lives in {home}, which has no place");
        }
    }
}

#[test]
fn a_forbidden_name_is_found_however_it_is_written() {
    // Module, source text, the line and name that must be reported.
    let cases = [
        ("cdr", "use crate::tariff;", "1: cdr names tariff"),
        ("cdr::asterisk", "use crate::money::Charge;", "1: cdr::asterisk names money"),
        ("cdr::asterisk", "use super::super::rating::Rate;", "1: cdr::asterisk names rating"),
        ("cdr", "use super::tariff::Deck;", "1: cdr names tariff"),
        ("cdr", "use self::super::tariff::Deck;", "1: cdr names tariff"),
        ("cdr", "mod a { mod b { use super::super::super::tariff; } }", "1: cdr names tariff"),
        (
            "tariff",
            "use crate::{\n    money::{self, Charge},\n    directory::{holder::Holder},\n};",
            "3: tariff names directory",
        ),
        ("directory", "use {std::fmt, crate::{ids, tariff as prices}};", "1: directory names tariff"),
        ("report", "pub use crate::directory::Holder as Owner;", "1: report names directory"),
        ("mediation", "fn f() {\n    let x = crate::attribution::attribute(1);\n}", "2: mediation names attribution"),
        ("money", "impl From<crate::time::Date> for Price {}", "1: money names time"),
        ("rating", "macro_rules! m { () => { $crate::report::Row } }", "1: rating names report"),
        ("rating", "use crate::Charge;", "1: rating names Charge"),
        ("rating", "use crate::*;", "1: rating names the crate's root"),
        ("money", "use super::*;", "1: money names the crate's root"),
        ("money", "use crate as everything;", "1: money names the crate's root"),
        ("mediation", "use nom::bytes::take;", "1: mediation names nom"),
        ("directory", "let d: rust_decimal::Decimal = x;", "1: directory names rust_decimal"),
        ("rating", "use rayon::prelude::*;", "1: rating names rayon"),
        ("run", "use parquet::file::writer::SerializedFileWriter;", "1: run names parquet"),
        ("aggregation", "fn f() -> arrow::array::Int64Array {}", "1: aggregation names arrow"),
        ("mediation", "use chrono_tz::Tz;", "1: mediation names chrono_tz"),
        ("run", "use axum::Router;", "1: run names axum"),
        ("run", "use std::fs::File;", "1: run names std::fs"),
        ("run", "let file = std::fs::File::open(path);", "1: run names std::fs"),
        ("report", "use std::{fmt, fs, io::Write};", "1: report names std::fs"),
        ("report", "use std::time;", "1: report names std::time::SystemTime (through std::time)"),
        ("report", "use std::*;", "1: report names std::thread (through std)"),
        ("report", "use std::io;\nfn f() { io::stdout(); }", "2: report names std::io::stdout"),
        ("time", "use std::time::{Duration, Instant};", "1: time names std::time::Instant"),
        ("run::storage", "fn f() { std::env::var(\"TZ\"); }", "1: run::storage names std::env"),
        ("cdr", "#[cfg(test)]\nmod tests {\n    use std::env;\n}", "3: a test in cdr names std::env"),
        ("cdr", "#[cfg(not(test))]\nuse crate::tariff;", "2: cdr names tariff"),
        ("cdr", "#[cfg(any(test, feature = \"x\"))]\nuse crate::tariff;", "2: cdr names tariff"),
        ("cdr", "#[cfg(test)]\nuse crate::money;\nuse crate::tariff;", "3: cdr names tariff"),
        ("cdr", "#[cfg(test)]\nfn f<A, B>(a: [A; 3]) {}\nuse crate::tariff;", "3: cdr names tariff"),
        ("cdr", "struct S { #[cfg(test)] a: u8, b: crate::tariff::Deck }", "1: cdr names tariff"),
        ("tariff", "let price = 0.5;", "1: tariff names 0.5"),
        ("tariff", "let price = 5e-1;", "1: tariff names 5e-1"),
        ("tariff", "fn f(price: f64) {}", "1: tariff names f64"),
        ("rating", "let x = f32::from(y);", "1: rating names f32"),
        (
            "tariff",
            "use crate::number::numbering::describe;",
            "1: tariff names number::numbering, which only report and run",
        ),
        (
            "rating",
            "fn f() { crate::number::numbering::describe(x); }",
            "1: rating names number::numbering, which only",
        ),
        ("rating", "use crate::number::{Digits, numbering as table};", "1: rating names number::numbering, which only"),
        ("rating", "use crate::number::{self, Digits};", "1: rating names number::numbering, which only"),
        ("tariff", "use crate::number::*;", "1: tariff names number::numbering, which only"),
        ("mediation", "use crate::number::numbering;", "1: mediation names number::numbering, which only"),
        ("rating", "println!(\"{x}\");", "1: rating calls println!"),
        ("", "use std::fs;", "1: the crate's root names std::fs"),
    ];
    for (module, text, expected) in cases {
        let broken = check(module, text);
        assert!(broken.len() == 1 && broken[0].starts_with(expected), "{module}: {text}\n{broken:#?}");
    }
}

#[test]
fn what_is_allowed_or_only_mentioned_is_not_reported() {
    let cases = [
        ("cdr", "use crate::{source::RecordId, time::{Duration, Instant}};"),
        (
            "cdr::asterisk",
            "use super::{Cdr, scan};\nuse crate::cdr::Reject;\npub(crate) fn f() {}\npub(in crate::cdr) fn g() {}",
        ),
        ("cdr::asterisk", "use super::super::number::Party;"),
        ("cdr", "use nom::IResult;"),
        ("mediation::dial_plan", "use nom::IResult;"),
        ("mediation::dial_plan_tables::gb", "use nom::IResult;"),
        (
            "tariff",
            "// use crate::rating;\n/* crate::directory /* nested */ crate::rating */\n/// [`crate::rating`]\nconst A: &str = \"crate::rating::f64\";",
        ),
        (
            "tariff",
            "const A: &str = r#\"quoted \" crate::rating\"#; const B: &[u8] = b\"crate::rating\"; const C: char = '\"'; const D: char = '\\'';",
        ),
        ("tariff", "fn f<'a>(x: &'a str) -> &'a str { x }"),
        ("tariff", "let x = pair.0.1; let y = 0..10; let z = 1.max(2); let u = 0xe1; let v = 1usize; let w = 3_u64;"),
        (
            "tariff",
            "#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::rating;\n    const X: f64 = 0.5;\n    fn f() { if true {} }\n    use std::fs;\n}",
        ),
        ("tariff", "#[cfg(test)]\n#[allow(unused)]\nuse crate::{rating, report};"),
        ("tariff", "#[cfg(all(test, feature = \"parquet\"))]\nmod tests { use crate::rating; }"),
        ("time", "use chrono::{Offset, TimeZone};\nlet x = chrono_tz::Tz::UTC;\nuse std::time::Duration;"),
        ("report::parquet", "use parquet::file::writer::SerializedFileWriter; use rust_decimal::Decimal;"),
        ("report", "#[cfg(feature = \"parquet\")]\npub mod parquet;\npub mod csv;"),
        ("run", "use crate::report::{csv, parquet};\nfn f() { parquet::write(); }"),
        ("run", "mod rayon;\nfn f() { rayon::go(); }"),
        ("run::storage", "use std::fs::File; use std::time::SystemTime;"),
        ("run::storage::failing", "use super::Storage; use crate::run::storage::Real; use std::{fs, io};"),
        ("run::batch", "use arrow::record_batch::RecordBatch;"),
        ("run", "let progress = 0.5; let share: f64 = x;"),
        ("report", "writeln!(out, \"{}\", x)?; let y = a != b;"),
        ("tariff", "use crate::number::{Digits, NumberClass};"),
        ("report", "use crate::number::numbering::describe;"),
        ("", "pub mod cdr;\npub use crate::money::Charge;"),
    ];
    for (module, text) in cases {
        assert_eq!(check(module, text), [""; 0], "{module}: {text}");
    }
}

#[test]
fn a_tree_is_read_file_by_file_and_strangers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("src");
    for (file, text) in [
        ("lib.rs", "pub mod cdr;\npub mod billing;\n"),
        ("cdr/mod.rs", "mod asterisk;\n#[cfg(test)]\nmod tests;\n"),
        ("cdr/asterisk.rs", "\nuse crate::tariff::Deck;\n"),
        ("cdr/tests.rs", "use crate::tariff::Deck;\n"),
        ("billing.rs", ""),
    ] {
        std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        std::fs::write(root.join(file), text).unwrap();
    }
    let (broken, looked_at) = check_tree(&root);
    assert_eq!(looked_at, 1);
    assert_eq!(
        broken,
        [
            "src/cdr/asterisk.rs:2: cdr::asterisk names tariff, but cdr may name source, finding, number, time",
            "src/billing: module billing has no place in the house; give it one in MAY_NAME",
        ]
    );
}
