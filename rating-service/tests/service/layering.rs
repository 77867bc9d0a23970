//! Which room of the service may name which: read off the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A room, and what it may name of this crate and of `rating_core`.
const ROOMS: [(&str, &[&str], &[&str]); 3] = [
    ("store", &["error"], &["directory", "money", "number", "time", "ids", "source", "finding"]),
    ("wire", &["error"], &["directory", "money", "number", "time", "ids", "source", "finding"]),
    ("auth", &["error", "store", "app", "http"], &["directory", "money", "number", "time", "ids", "source", "finding"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The first words after `crate::` or `rating_core::`, also within braces.
fn named(text: &str, root: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices(root) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
            continue;
        }
        let rest = &code[at + root.len()..];
        let word =
            |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 1;
                let end = list.char_indices().find(|(_, c)| {
                    depth += i32::from(*c == '{') - i32::from(*c == '}');
                    depth == 0
                });
                let list = &list[..end.map_or(list.len(), |(end, _)| end)];
                let mut depth = 0;
                for item in list.split(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                }) {
                    names.insert(word(item));
                }
            }
            None => {
                names.insert(word(rest));
            }
        }
    }
    names.remove("");
    names
}

#[test]
fn rooms_name_only_what_they_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, own, core) in ROOMS {
        let mut files = sources(&source.join(room));
        files.extend(Some(source.join(format!("{room}.rs"))).filter(|file| file.exists()));
        assert!(!files.is_empty(), "{room}");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for name in named(&text, "crate::") {
                assert!(name == room || own.contains(&name.as_str()), "{} names {name}", file.display());
            }
            for name in named(&text, "rating_core::") {
                assert!(core.contains(&name.as_str()), "{} names rating_core::{name}", file.display());
            }
        }
    }
}

#[test]
fn the_reading_of_imports_is_itself_right() {
    let text =
        "use crate::a::{b, c};\nuse crate::{d::{e, f}, g};\n// crate::h\nlet x = crate::i::j();\nuse mycrate::k;";
    let expected: BTreeSet<String> = ["a", "d", "g", "i"].iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(named(text, "crate::"), expected);
}
