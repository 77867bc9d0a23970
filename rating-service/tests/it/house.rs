//! What all tests need: a copy of the demo project, and the command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file or folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A project in a folder of its own, as `demo`; the command is started beside it, so that its messages name no path
/// that differs from machine to machine.
pub(crate) struct House {
    folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn demo() -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap() };
        copy(&repository("testdata/demo"), &house.path("demo"));
        house
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Replaces a piece of text that must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        std::fs::write(self.path(path), text.replacen(from, to, 1)).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rating"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("NO_COLOR").env("RUST_BACKTRACE", "0");
        command
    }

    pub(crate) fn rating(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// The hash of every file below a folder, and where every link points.
    pub(crate) fn tree(&self, path: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut tree = BTreeMap::new();
        walk(&self.path(path), &mut tree);
        tree
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Asserts the exit code, and that nothing printed acts on a terminal.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        for text in [&self.out, &self.err] {
            assert!(text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{text:?}");
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.out))
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // What a person's own run left behind is no part of the demo.
        if entry.file_name() == "out" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn walk(path: &Path, tree: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let content = if kind.is_symlink() {
            std::fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
        } else if kind.is_dir() {
            walk(&entry.path(), tree);
            Vec::new()
        } else {
            std::fs::read(entry.path()).unwrap()
        };
        tree.insert(entry.path(), content);
    }
}

/// Compares with a text under `testdata/cli`; with `RATING_BLESS` set, writes it instead.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = repository("testdata/cli").join(name);
    if std::env::var_os("RATING_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} differs; RATING_BLESS=1 writes it anew. Now:\n{text}", path.display());
}
