//! What the benches measure on: generated projects in memory, and CUCM records made from generated Asterisk ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot go on must fail loudly"
)]

pub mod cucm;
pub mod samples;

use std::path::Path;

use rating_core::cdr::{Cdr, Reader, open};
use rating_core::ids::SourceId;
use rating_core::run::generate::{self, Content, Files, Plan};
use rating_core::run::project::Project;
use rating_core::run::storage::Memory;
use rating_core::time::Month;

/// The folder that every project in memory is in.
pub const ROOT: &str = "project";

/// The month that every generated call is in.
///
/// # Panics
///
/// Never.
#[must_use]
pub fn month() -> Month {
    Month::new(2026, 10).expect("a month")
}

/// A project of full size (12 sites, 500 occupiers, 20,000 numbers, 60,000 prefixes) with `records` records.
#[must_use]
pub fn full_size(records: u64) -> Plan {
    Plan { records, ..Plan::new(100_000, 1, month()) }
}

/// Generates a project and keeps all its files in memory.
///
/// # Panics
///
/// If the plan cannot be carried out.
#[must_use]
pub fn generate(plan: Plan) -> Memory {
    let project = generate::Project::new(plan).expect("a plan that can be carried out");
    let mut memory = Memory::default();
    for file in project.files() {
        let mut content = Vec::new();
        let _ = project.write::<()>(&file.content, |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        });
        memory.put(Path::new(ROOT).join(&file.path), content);
    }
    memory
}

/// Reads and compiles the project.
///
/// # Panics
///
/// If it has errors.
#[must_use]
pub fn load(memory: &Memory) -> Project {
    let (project, findings) = Project::load(memory, Path::new(ROOT), None).expect("a project");
    project.unwrap_or_else(|| panic!("{findings:?}"))
}

/// A switch's file and how to read it.
pub struct Input {
    /// Whose file.
    pub source: SourceId,
    /// All of it.
    pub bytes: Vec<u8>,
    /// For its layout.
    pub reader: Reader,
}

impl Input {
    /// Its records; none is rejected.
    ///
    /// # Panics
    ///
    /// If one is.
    pub fn records(&self) -> impl Iterator<Item = Cdr<'_>> {
        let records = self.reader.records(self.source.0, 0, &self.bytes, true);
        records.map(|record| record.unwrap_or_else(|reject| panic!("{reject:?}")))
    }
}

/// The records of a plan, one file for each site; sites and sources are numbered alike.
///
/// # Panics
///
/// If the plan cannot be carried out.
#[must_use]
pub fn inputs(plan: Plan, project: &Project) -> Vec<Input> {
    let generated = generate::Project::new(Plan { files: Files::PerSite(1), ..plan }).expect("a plan");
    let mut inputs = Vec::new();
    for file in generated.cdr_files() {
        let mut bytes = Vec::new();
        let _ = generated.write::<()>(&Content::Cdrs(file.records), |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        let (format, options) = &project.formats[file.site];
        let reader = open(*format, options, &bytes, true).expect("a file of its format");
        inputs.push(Input { source: SourceId(u32::try_from(file.site).expect("few sites")), bytes, reader });
    }
    inputs
}
