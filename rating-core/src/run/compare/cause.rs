//! Why a call is not the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::sides;
use crate::report::{PublishedCall, PublishedSide};
use crate::run::project::role;

/// Why a call is not the same in two versions: one cause for each, the first of these that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// It corrects a closed month.
    LateCall,
    /// Its file is new.
    NewFile,
    /// Its file is gone.
    FileGone,
    /// Its file has another content.
    FileChanged,
    /// Another file brought or took a record that makes it one call, or two, or another's duplicate.
    Assembly,
    /// Somebody else holds its number, extension or code.
    Allocation,
    /// Its payer is on another tariff.
    Assignment,
    /// Its tariff has another row, price or rule.
    Tariff,
    /// A site has other holidays.
    Calendar,
    /// An allowance is another, or other calls used it up.
    Allowance,
    /// `rating.toml` says something else.
    Settings,
    /// Another version of the program, or of the time-zone database.
    Software,
    /// None of these can be told.
    Unknown,
}

impl Cause {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 13] = [
        Self::LateCall,
        Self::NewFile,
        Self::FileGone,
        Self::FileChanged,
        Self::Assembly,
        Self::Allocation,
        Self::Assignment,
        Self::Tariff,
        Self::Calendar,
        Self::Allowance,
        Self::Settings,
        Self::Software,
        Self::Unknown,
    ];

    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LateCall => "late call",
            Self::NewFile => "new file",
            Self::FileGone => "file gone",
            Self::FileChanged => "file changed",
            Self::Assembly => "assembly",
            Self::Allocation => "allocation",
            Self::Assignment => "assignment",
            Self::Tariff => "tariff",
            Self::Calendar => "calendar",
            Self::Allowance => "allowance",
            Self::Settings => "settings",
            Self::Software => "software",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of a file of records between the first version and the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum FileFate {
    /// Only the second has it.
    New,
    /// Only the first has it.
    Gone,
    /// Both have it, with another content.
    Changed,
}

/// What went into two versions and is not the same.
#[derive(Debug, Default)]
pub(in crate::run) struct Evidence {
    /// Files of records, by source and path.
    pub(in crate::run) files: BTreeMap<(String, String), FileFate>,
    /// Reference files by role.
    pub(in crate::run) references: BTreeMap<String, BTreeSet<String>>,
    /// What of the program differs: `0.1.0 -> 0.2.0`.
    pub(in crate::run) software: Option<String>,
    /// The directory was known at another instant.
    pub(in crate::run) known_at: bool,
}

type Call<'c> = PublishedCall<&'c str>;
type Side<'c> = PublishedSide<&'c str>;

impl Evidence {
    /// What is not the same, one line for each.
    pub(in crate::run) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for ((source, path), fate) in &self.files {
            let word = match fate {
                FileFate::New => Cause::NewFile,
                FileFate::Gone => Cause::FileGone,
                FileFate::Changed => Cause::FileChanged,
            };
            lines.push(format!("{}: {path} ({source})", word.name()));
        }
        for (role, paths) in &self.references {
            lines.extend(paths.iter().map(|path| format!("{role}: {path}")));
        }
        if self.known_at {
            lines.push("directory: as it was known at another instant".to_owned());
        }
        lines.extend(self.software.iter().map(|software| format!("software: {software}")));
        lines
    }

    fn changed(&self, role: &str) -> Option<String> {
        let paths = self.references.get(role)?;
        (!paths.is_empty()).then(|| paths.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
    }

    fn directory(&self) -> Option<String> {
        self.changed(role::DIRECTORY).or_else(|| self.known_at.then(|| "known at another instant".to_owned()))
    }

    fn fate(&self, call: &Call<'_>) -> Option<(Cause, String)> {
        let fate = self.files.get(&(call.source.to_owned(), call.file.to_owned()))?;
        let cause = match fate {
            FileFate::New => Cause::NewFile,
            FileFate::Gone => Cause::FileGone,
            FileFate::Changed => Cause::FileChanged,
        };
        Some((cause, call.file.to_owned()))
    }

    /// Files that came, went or changed, best those of the call's source.
    fn other_files(&self, call: &Call<'_>) -> Option<String> {
        let of = |own: bool| -> Vec<&str> {
            let files = self.files.keys().filter(|(source, _)| !own || source == call.source);
            files.map(|(_, path)| path.as_str()).collect()
        };
        let files = Some(of(true)).filter(|files| !files.is_empty()).unwrap_or_else(|| of(false));
        let first = files.first()?;
        Some(if files.len() > 1 { format!("{first} and {} more", files.len() - 1) } else { (*first).to_owned() })
    }

    fn settings(&self) -> Option<(Cause, String)> {
        let settings = self.changed(role::SETTINGS).map(|files| (Cause::Settings, files));
        settings.or_else(|| self.software.clone().map(|software| (Cause::Software, software)))
    }

    /// Why a call is not the same in both.
    pub(in crate::run) fn cause(&self, before: Option<&Call<'_>>, after: Option<&Call<'_>>) -> (Cause, String) {
        match (before, after) {
            (None, None) => None,
            (Some(call), None) | (None, Some(call)) => self.of_one(call),
            (Some(before), Some(after)) => self.of_both(before, after),
        }
        .unwrap_or_else(|| (Cause::Unknown, self.lines().join("; ")))
    }

    /// Why only one has the call.
    fn of_one(&self, call: &Call<'_>) -> Option<(Cause, String)> {
        if !call.adjusts_month.is_empty() {
            return Some((Cause::LateCall, format!("for {}", call.adjusts_month)));
        }
        // The month at another site, or what is a call at all, may hang on the settings; another site is the directory's.
        self.fate(call)
            .or_else(|| self.other_files(call).map(|files| (Cause::Assembly, files)))
            .or_else(|| self.settings())
            .or_else(|| self.directory().map(|files| (Cause::Allocation, files)))
    }

    fn of_both(&self, before: &Call<'_>, after: &Call<'_>) -> Option<(Cause, String)> {
        if before.adjusts_month != after.adjusts_month {
            return Some((Cause::LateCall, format!("for {}{}", before.adjusts_month, after.adjusts_month)));
        }
        if facts(before) != facts(after) {
            let of_files = self.fate(after).or_else(|| self.fate(before));
            let of_files = of_files.or_else(|| self.other_files(after).map(|files| (Cause::Assembly, files)));
            return of_files
                .or_else(|| self.settings())
                .or_else(|| self.directory().map(|files| (Cause::Allocation, files)));
        }
        if holder(before) != holder(after) {
            let words = moved(before, after);
            let directory = self.directory().map(|files| (Cause::Allocation, format!("{words} ({files})")));
            return directory.or_else(|| self.settings());
        }
        let differing: Vec<(&str, &Side<'_>, &Side<'_>)> = sides(before)
            .into_iter()
            .zip(sides(after))
            .filter(|((_, one), (_, other))| one != other)
            .map(|((name, one), (_, other))| (name.name(), one, other))
            .collect();
        let priced_otherwise = differing.iter().any(|(_, one, other)| terms(one) != terms(other));
        let words = || {
            let words: Vec<String> = differing.iter().map(|(name, one, other)| repriced(name, one, other)).collect();
            words.join("; ")
        };
        let of = |role: &str, cause: Cause| self.changed(role).map(|_| (cause, words()));
        if priced_otherwise || before.vat != after.vat && before.allowance == after.allowance {
            let tariffs_differ = differing.iter().any(|(_, one, other)| one.tariff != other.tariff);
            let assignment = || of(role::ASSIGNMENTS, Cause::Assignment);
            return Some(())
                .filter(|()| tariffs_differ)
                .and_then(|()| assignment())
                .or_else(|| of(role::TARIFF, Cause::Tariff))
                .or_else(assignment)
                .or_else(|| of(role::CALENDAR, Cause::Calendar))
                .or_else(|| of(role::ALLOWANCES, Cause::Allowance))
                .or_else(|| of(role::BALANCES, Cause::Allowance))
                .or_else(|| self.directory().map(|files| (Cause::Allocation, files)))
                .or_else(|| self.settings());
        }
        if before.allowance != after.allowance {
            let files = [role::ALLOWANCES, role::BALANCES, role::ASSIGNMENTS, role::TARIFF];
            let changed = files.into_iter().find_map(|role| self.changed(role));
            return Some((Cause::Allowance, changed.unwrap_or_else(|| "other calls use it".to_owned())));
        }
        if !differing.is_empty() {
            // The rate is the same, and what comes of it is not: a minimum, a named charge, a cap, a tier.
            return of(role::TARIFF, Cause::Tariff)
                .or_else(|| of(role::ALLOWANCES, Cause::Allowance))
                .or_else(|| of(role::BALANCES, Cause::Allowance))
                .or_else(|| of(role::ASSIGNMENTS, Cause::Allowance))
                .or_else(|| self.settings())
                .or_else(|| Some((Cause::Allowance, "other calls use it".to_owned())));
        }
        // What is left is what is only worth a look: a nearly equal call beside it.
        self.other_files(after)
            .map(|files| (Cause::Assembly, files))
            .or_else(|| self.settings())
            .or_else(|| self.directory().map(|files| (Cause::Allocation, files)))
    }
}

/// What happened, whoever pays.
fn facts<'c>(call: &'c Call<'c>) -> impl PartialEq + 'c {
    (
        (call.call_id, call.started_at, call.charged_at, call.answered, call.duration),
        (call.calling, call.dialled, call.called, call.class, call.direction, call.forwarder),
    )
}

/// Whose call it is.
const fn holder<'c>(call: &Call<'c>) -> [&'c str; 4] {
    [call.payer, call.site, call.number, call.extension]
}

/// How a side is priced, but for what comes of it.
fn terms<'c>(side: &'c Side<'c>) -> impl PartialEq + 'c {
    (
        (side.status, side.reason, side.tariff, side.version, side.destination, side.band),
        (side.rate, side.per, side.connection, side.billed, side.currency),
    )
}

fn moved(before: &Call<'_>, after: &Call<'_>) -> String {
    let name = |call: &Call<'_>| if call.payer.is_empty() { "nobody known".to_owned() } else { call.payer.to_owned() };
    let (one, other) = (name(before), name(after));
    if one != other {
        return format!("{one} -> {other}");
    }
    let place = |call: &Call<'_>| format!("{} {} {}", call.site, call.number, call.extension).trim().to_owned();
    format!("{} -> {}", place(before), place(after))
}

/// `retail-gb v0: UK mobile at 0.05 per 60s -> 0.06 per 60s`.
fn repriced(name: &str, before: &Side<'_>, after: &Side<'_>) -> String {
    let tariff = |side: &Side<'_>| match (side.tariff, side.version) {
        ("", _) => "no tariff".to_owned(),
        (tariff, Some(version)) => format!("{tariff} v{version}"),
        (tariff, None) => tariff.to_owned(),
    };
    let (one, other) = (tariff(before), tariff(after));
    let tariffs = if one == other { one } else { format!("{one} -> {other}") };
    let (one, other) = (in_words(before), in_words(after));
    if one == other && before.charge == after.charge {
        return format!("{name} {tariffs}: {one}, as before");
    }
    if one == other {
        return format!("{name} {tariffs}: {one}, other steps or charges");
    }
    format!("{name} {tariffs}: {one} -> {other}")
}

/// `UK mobile at 0.05 per 60s + 0.02`, or why there is no charge.
pub(in crate::run) fn in_words(side: &Side<'_>) -> String {
    if side.charge.is_none() {
        return if side.reason.is_empty() { side.status.to_owned() } else { side.reason.to_owned() };
    }
    let mut text = if side.destination.is_empty() { side.status.to_owned() } else { side.destination.to_owned() };
    if !side.band.is_empty() && side.band != "all" {
        let _ = write!(text, " ({})", side.band);
    }
    if let Some(rate) = side.rate {
        let _ = write!(text, " at {rate}");
        if let Some(per) = side.per {
            let _ = write!(text, " per {per}");
        }
    }
    if let Some(connection) = side.connection.filter(|price| *price != crate::money::Price::ZERO) {
        let _ = write!(text, " + {connection}");
    }
    if !side.currency.is_empty() {
        let _ = write!(text, " {}", side.currency);
    }
    text
}
