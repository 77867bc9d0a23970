//! A project read from disk and compiled: everything a run needs but the records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::RunError;
use super::completeness::Acceptances;
use super::exchange::ExchangeRates;
use super::inputs::{Found, find_files};
use super::publish::hex;
use super::settings::{Settings, SiteSettings, SourceSettings};
use super::storage::{Storage, StorageError};
use crate::assignment::{self, Assignments};
use crate::cdr;
use crate::directory::{self, Directory};
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::ids::{SiteId, SourceId};
use crate::mediation::dial_plan::{Countries, DialPlan, ExtensionRange, SitePlan, Winner};
use crate::mediation::{Mediator, SourceSettings as MediatorSettings};
use crate::number::Digits;
use crate::tariff::{Schemes, Scope, SiteClock, TariffBook, calendar};
use crate::time::{Instant, Zone};

/// The name of a project's settings file.
pub const SETTINGS_FILE: &str = "rating.toml";

/// A reference file as it was read, for the manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferenceFile {
    /// Path below the project.
    pub path: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// What it is read for; see [`role`].
    pub role: &'static str,
}

/// What a reference file is read for, as manifests say it.
pub mod role {
    /// `rating.toml`.
    pub const SETTINGS: &str = "settings";
    /// A table of the directory.
    pub const DIRECTORY: &str = "directory";
    /// Settings, a deck or another table of a tariff.
    pub const TARIFF: &str = "tariff";
    /// A site's calendar.
    pub const CALENDAR: &str = "calendar";
    /// Who is on which tariff.
    pub const ASSIGNMENTS: &str = "assignments";
    /// Allowances and volume tiers.
    pub const ALLOWANCES: &str = "allowances";
    /// How accounts stood when the month began.
    pub const BALANCES: &str = "balances";
    /// The manifest of a closed month, whose calls are in its books.
    pub const CLOSED_MONTH: &str = "closed month";
    /// Exchange rates for margins.
    pub const EXCHANGE_RATES: &str = "exchange rates";
    /// Gaps in the input that somebody accepted.
    pub const ACCEPTED_GAPS: &str = "accepted gaps";
}

/// A project, compiled.
pub struct Project {
    /// Its folder.
    pub root: PathBuf,
    /// What `rating.toml` says.
    pub settings: Settings,
    /// Who held what, when.
    pub directory: Directory,
    /// All tariffs.
    pub book: TariffBook,
    /// Who is on which tariff.
    pub assignments: Assignments,
    /// Allowances and volume tiers.
    pub schemes: Schemes,
    /// How accounts stood at the beginning of months.
    pub opening_balances: Vec<Arc<SourceText>>,
    /// For margins.
    pub rates: ExchangeRates,
    /// Gaps in the input that were accepted.
    pub acceptances: Acceptances,
    /// How each site dials, by [`SiteId`].
    pub plans: Vec<Arc<DialPlan>>,
    /// By [`SourceId`].
    pub mediators: Vec<Mediator>,
    /// By [`SourceId`].
    pub formats: Vec<(cdr::Format, cdr::Options)>,
    /// Every reference file read, by path.
    pub references: Vec<ReferenceFile>,
}

/// Files that stand in for those of a project, to see what a month would be with them; paths as the caller has them, not below
/// the project.
#[derive(Clone, Debug, Default)]
pub struct StandIns {
    /// Settings files of tariffs. One replaces the version with its id and `from`; else it is added.
    pub tariffs: Vec<PathBuf>,
    /// In place of the assignments.
    pub assignments: Option<PathBuf>,
    /// In place of the allocations.
    pub allocations: Option<PathBuf>,
}

/// What the names of stand-ins begin with, so that they are not taken for files of the project.
const STAND_IN: &str = "what-if: ";

/// Reads text files, remembers their hashes, and turns what is wrong with them into findings.
struct Reader<'s> {
    storage: &'s dyn Storage,
    root: &'s Path,
    references: Vec<ReferenceFile>,
    /// What the files that are read now are for.
    role: &'static str,
    stand_ins: &'s StandIns,
    /// Where a draft's tables may be besides: its folder, and the folder of the version that it replaces or follows.
    fallbacks: Vec<(String, String)>,
}

impl Reader<'_> {
    /// The content of a file and the name that it has in findings.
    fn content(&self, path: &str) -> super::storage::Result<(String, Vec<u8>)> {
        let Some(stand_in) = path.strip_prefix(STAND_IN) else {
            return Ok((path.to_owned(), self.storage.read(&self.root.join(path))?));
        };
        let own = self.storage.read(Path::new(stand_in));
        if own.is_ok() {
            return own.map(|content| (path.to_owned(), content));
        }
        for (from, to) in &self.fallbacks {
            if let Some(rest) = stand_in.strip_prefix(from.as_str())
                && let Ok(content) = self.storage.read(&self.root.join(to).join(rest))
            {
                return Ok((format!("{to}{rest}"), content));
            }
        }
        own.map(|content| (path.to_owned(), content))
    }

    /// A stand-in, by the caller's path.
    fn stand_in(&mut self, path: &Path, findings: &mut Findings) -> Option<Arc<SourceText>> {
        let shown = path.display().to_string();
        let shown = if shown.contains('/') { shown } else { format!("./{shown}") };
        self.text(&format!("{STAND_IN}{shown}"), None, findings)
    }

    /// The file named by the settings, or what stands in for it.
    fn named_or(
        &mut self,
        stand_in: Option<&PathBuf>,
        name: &Option<Spanned<String>>,
        by: &Arc<SourceText>,
        findings: &mut Findings,
    ) -> Vec<Arc<SourceText>> {
        match stand_in {
            Some(path) => self.stand_in(path, findings).into_iter().collect(),
            None => self.named(name, by, findings),
        }
    }

    /// A file of the project; `asked_by` is the place that names it.
    fn text(&mut self, path: &str, asked_by: Option<Label>, findings: &mut Findings) -> Option<Arc<SourceText>> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let place = |finding: Finding| match &asked_by {
            Some(label) => finding.at(label.clone()),
            None => finding.in_file(path),
        };
        let is_outside = path.starts_with('/') || path.split('/').any(|part| part == "..");
        if is_outside && !path.starts_with(STAND_IN) {
            findings.push(place(Finding::error("project.path_outside", format!("`{path}` leads out of the project"))));
            return None;
        }
        let (path, content) = match self.content(path) {
            Ok(found) => found,
            Err(error) => {
                findings.push(
                    place(Finding::error("project.file_unreadable", format!("cannot read `{path}`: {}", error.error)))
                        .help(match path.starts_with(STAND_IN) {
                            true => "check the name (it is relative to where you are) and who may read the file",
                            false => {
                                "check the name (it is relative to the project's folder) and who may read the file"
                            }
                        }),
                );
                return None;
            }
        };
        let sha256 = hex(&Sha256::digest(&content));
        self.references.push(ReferenceFile { path: path.clone(), sha256, role: self.role });
        match String::from_utf8(content) {
            Ok(text) => Some(SourceText::new(path, text)),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                let line = memchr::memchr_iter(b'\n', &bytes[..valid]).count() + 1;
                findings.push(
                    Finding::error("project.file_not_utf8", format!("byte {valid} (line {line}) is not UTF-8"))
                        .in_file(path)
                        .help("save the file as UTF-8; spreadsheets call it “CSV UTF-8”"),
                );
                None
            }
        }
    }

    fn named(
        &mut self,
        name: &Option<Spanned<String>>,
        by: &Arc<SourceText>,
        findings: &mut Findings,
    ) -> Vec<Arc<SourceText>> {
        let Some(name) = name else { return Vec::new() };
        let label = Label::new(by, name.span.clone(), "named here");
        self.text(&name.value, Some(label), findings).into_iter().collect()
    }
}

impl Project {
    /// Reads and compiles a project. What is wrong is in the findings; there is a project only if nothing is an error.
    ///
    /// # Errors
    ///
    /// [`RunError::Storage`] if a folder cannot be listed, [`RunError::Usage`] if there is no project.
    pub fn load(
        storage: &dyn Storage,
        root: &Path,
        known_at: Option<Instant>,
    ) -> Result<(Option<Self>, Findings), RunError> {
        Self::load_with(storage, root, known_at, &StandIns::default())
    }

    /// The same, with other files in place of some of its own.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_with(
        storage: &dyn Storage,
        root: &Path,
        known_at: Option<Instant>,
        stand_ins: &StandIns,
    ) -> Result<(Option<Self>, Findings), RunError> {
        let mut findings = Findings::default();
        if root.file_name().is_some_and(|name| name == SETTINGS_FILE) && storage.exists(root) {
            return Err(RunError::Usage(format!("`{}` is a file: give the project's folder", root.display())));
        }
        if !storage.exists(&root.join(SETTINGS_FILE)) {
            return Err(RunError::Usage(format!(
                "there is no project at `{}`: it has no {SETTINGS_FILE} (`rating generate` makes a project to start from)",
                root.display()
            )));
        }
        let mut reader =
            Reader { storage, root, references: Vec::new(), role: role::SETTINGS, stand_ins, fallbacks: Vec::new() };
        let Some(source) = reader.text(SETTINGS_FILE, None, &mut findings) else { return Ok((None, findings)) };
        let Some(settings) = Settings::read(&source, &mut findings) else { return Ok((None, findings)) };
        let plans = compile_plans(&settings, &mut findings);
        let (mediators, formats) = compile_sources(&mut reader, &settings, &plans, &mut findings);
        reader.role = role::DIRECTORY;
        let directory = read_directory(&mut reader, &settings, known_at, &mut findings);
        reader.role = role::TARIFF;
        let (book, declared) = read_tariffs(&mut reader, &settings, &mut findings)?;
        reader.role = role::ALLOWANCES;
        let (schemes, schemes_are_whole) = read_schemes(&mut reader, &settings, &book, &mut findings);
        reader.role = role::BALANCES;
        let opening_balances = reader.named(&settings.tariffs.opening_balances, &source, &mut findings);
        let mut of_assignments = Findings::default();
        reader.role = role::ASSIGNMENTS;
        let assignments = read_assignments(&mut reader, &settings, &directory, &book, &schemes, &mut of_assignments);
        // A tariff with a mistake in it is not in the book: that is no mistake of who is assigned to it.
        let is_declared = |message: &str| declared.iter().any(|id| message == format!("there is no tariff `{id}`"));
        for finding in of_assignments {
            let follows = finding.code == "assignment.unknown_allowance" && !schemes_are_whole;
            let is_broken = finding.code == "assignment.unknown_tariff" && is_declared(&finding.message);
            if !follows && !is_broken {
                findings.push(finding);
            }
        }
        reader.role = role::EXCHANGE_RATES;
        let rates = reader
            .named(&settings.tariffs.exchange_rates, &source, &mut findings)
            .first()
            .map_or_else(ExchangeRates::default, |text| {
                ExchangeRates::read(text, &settings.operator.zone, &mut findings)
            });
        reader.role = role::ACCEPTED_GAPS;
        let acceptances = reader
            .named(&settings.accepted_gaps, &source, &mut findings)
            .first()
            .map_or_else(Acceptances::default, |text| Acceptances::read(text, &mut findings));
        if findings.has_errors() {
            return Ok((None, findings));
        }
        let mut references = reader.references;
        references.sort();
        references.dedup();
        let project = Self {
            root: root.to_owned(),
            settings,
            directory,
            book,
            assignments,
            schemes,
            opening_balances,
            rates,
            acceptances,
            // Without errors every site has one.
            plans: plans.into_iter().flatten().collect(),
            mediators,
            formats,
            references,
        };
        Ok((Some(project), findings))
    }

    /// The files of a source, in canonical order, relative to the project.
    ///
    /// # Errors
    ///
    /// If a folder cannot be listed.
    pub fn files_of(&self, storage: &dyn Storage, source: SourceId) -> Result<Found, StorageError> {
        match self.settings.sources.get(source.index()) {
            Some(settings) => find_files(storage, &self.root, &settings.files),
            None => Ok(Found::default()),
        }
    }

    /// Ids of the sources, in canonical order.
    pub fn sources(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..self.settings.sources.len()).filter_map(|index| u32::try_from(index).ok().map(SourceId))
    }

    /// The zone of a site.
    #[must_use]
    pub fn zone(&self, site: SiteId) -> &Zone {
        self.settings.sites.get(site.index()).map_or(&self.settings.operator.zone, |site| &site.zone)
    }
}

/// The dial plan of each site; `None` where the site's settings have errors.
fn compile_plans(settings: &Settings, findings: &mut Findings) -> Vec<Option<Arc<DialPlan>>> {
    let countries = Countries::embedded();
    let sites = settings.sites.iter();
    sites.map(|site| compile_plan(site, &settings.source, &countries, findings).map(Arc::new)).collect()
}

fn compile_sources(
    reader: &mut Reader<'_>,
    settings: &Settings,
    plans: &[Option<Arc<DialPlan>>],
    findings: &mut Findings,
) -> (Vec<Mediator>, Vec<(cdr::Format, cdr::Options)>) {
    let mut mediators = Vec::new();
    let mut formats = Vec::new();
    for (index, source) in settings.sources.iter().enumerate() {
        let format = compile_format(source, &settings.source, findings).and_then(|(format, options)| {
            let template = read_template(reader, source, format, &settings.source, findings)?;
            Some((format, cdr::Options { template, ..options }))
        });
        let loses_zero = format
            .as_ref()
            .is_some_and(|(_, options)| options.template.as_ref().is_some_and(|template| template.loses_zero()));
        let plan = plans.get(source.site).cloned().flatten();
        let plan = plan.map(|plan| match loses_zero {
            true => Arc::new(Arc::unwrap_or_clone(plan).with_lost_zero()),
            false => plan,
        });
        let ids = u32::try_from(index).ok().zip(u32::try_from(source.site).ok());
        if let (Some(format), Some(plan), Some((source_id, site_id))) = (format, plan, ids) {
            let texts = |texts: &[Spanned<String>]| texts.iter().map(|text| text.value.clone()).collect();
            let settings = MediatorSettings {
                trunks: texts(&source.trunks),
                phones: texts(&source.phones),
                outside_contexts: texts(&source.outside_contexts),
                inside_contexts: texts(&source.inside_contexts),
                inside_partitions: texts(&source.inside_partitions),
            };
            mediators.push(Mediator::new(SourceId(source_id), SiteId(site_id), source.zone.clone(), plan, settings));
            formats.push(format);
        }
    }
    (mediators, formats)
}

fn compile_plan(
    site: &SiteSettings,
    source: &Arc<SourceText>,
    countries: &Countries,
    findings: &mut Findings,
) -> Option<DialPlan> {
    let label = |span: &std::ops::Range<usize>, text: &str| Label::new(source, span.clone(), text);
    let mut digits = |text: &Spanned<String>, what: &str| {
        let digits = Digits::parse(text.value.as_bytes());
        if digits.is_none() {
            findings.push(
                Finding::error("settings.digits_malformed", format!("`{}` is not {what}", text.value))
                    .at(label(&text.span, "digits only")),
            );
        }
        digits
    };
    let area_code = site.area_code.as_ref().filter(|text| !text.value.is_empty());
    let area_code = area_code.and_then(|text| digits(text, "an area code"));
    let outside_line: Vec<Digits> =
        site.outside_line.iter().filter_map(|text| digits(text, "an outside-line code")).collect();
    let mut extensions = Vec::new();
    for text in &site.extensions {
        let (from, to) = text.value.split_once('-').unwrap_or((&text.value, &text.value));
        let parse = |text: &str| Digits::parse(text.trim().as_bytes()).filter(|digits| !digits.is_empty());
        match (parse(from), parse(to)) {
            (Some(from), Some(to)) => extensions.push(ExtensionRange { from, to }),
            _ => findings.push(
                Finding::error(
                    "settings.extensions_malformed",
                    format!("`{}` is not a range of extensions", text.value),
                )
                .at(label(&text.span, "not a range"))
                .help("write the first and the last, equally long: `2000-2999`"),
            ),
        }
    }
    if !site.is_complete {
        return None;
    }
    let plan = SitePlan { country: site.country.value.clone(), area_code, outside_line, extensions };
    match DialPlan::compile(&plan, countries) {
        Ok(compiled) => {
            warn_of_conflicts(site, source, &compiled, findings);
            Some(compiled)
        }
        Err(error) => {
            let span = match error.code() {
                "dial_plan.unknown_country" => &site.country.span,
                "dial_plan.empty_outside_line" => {
                    site.outside_line.iter().find(|text| text.value.is_empty()).map_or(&site.span, |text| &text.span)
                }
                _ => site.extensions.first().map_or(&site.span, |text| &text.span),
            };
            let mut finding = Finding::error(error.code(), error.to_string()).at(label(span, "here"));
            if error.code() == "dial_plan.unknown_country" {
                let ids: Vec<&str> = countries.ids().collect();
                finding = finding.help(format!("the countries known are {}", ids.join(", ")));
            }
            findings.push(finding);
            None
        }
    }
}

/// One warning for each meaning that wins, however many extensions are also something else.
fn warn_of_conflicts(site: &SiteSettings, source: &Arc<SourceText>, plan: &DialPlan, findings: &mut Findings) {
    let span = site.extensions.first().map_or(&site.span, |text| &text.span);
    let conflicts = plan.conflicts();
    for (winner, help) in [
        (Winner::Emergency, "when one is dialled, the emergency call wins: move the extension"),
        (Winner::Extension, "when one is dialled, the extension wins; the other needs the outside-line code"),
    ] {
        let of = conflicts.iter().filter(|conflict| conflict.winner == winner);
        let digits: Vec<String> = of.map(|conflict| conflict.digits.to_string()).collect();
        if digits.is_empty() {
            continue;
        }
        let shown = digits.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if digits.len() > 8 { format!(" and {} more", digits.len() - 8) } else { String::new() };
        findings.push(
            Finding::warning(
                "dial_plan.extension_conflict",
                format!("site `{}`: among the extensions are numbers that people dial: {shown}{more}", site.id),
            )
            .at(Label::new(source, span.clone(), "these extensions"))
            .help(help),
        );
    }
}

fn compile_format(
    source: &SourceSettings,
    text: &Arc<SourceText>,
    findings: &mut Findings,
) -> Option<(cdr::Format, cdr::Options)> {
    let Some(format) = cdr::Format::from_name(&source.format.value) else {
        let names: Vec<&str> = cdr::Format::ALL.iter().map(|format| format.name()).collect();
        let help = match did_you_mean(&source.format.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the formats are {}", names.join(", ")),
        };
        findings.push(
            Finding::error("settings.format_unknown", format!("there is no format `{}`", source.format.value))
                .at(Label::new(text, source.format.span.clone(), "not known"))
                .help(help),
        );
        return None;
    };
    let layout = source.layout.as_ref().filter(|name| name.value != "auto");
    if let Some(name) = layout.filter(|name| !format.layouts().contains(&name.value.as_str())) {
        let names = format.layouts();
        let help = match did_you_mean(&name.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("files of `{}` show their layout: leave `layout` out", format.name()),
            None => format!("the layouts of `{}` are {}", format.name(), names.join(", ")),
        };
        findings.push(
            Finding::error("settings.layout_unknown", format!("there is no layout `{}`", name.value))
                .at(Label::new(text, name.span.clone(), "not known"))
                .help(help),
        );
    }
    let layout = layout.map(|name| name.value.clone());
    let columns = source.columns.iter().map(|column| column.value.clone()).collect();
    Some((format, cdr::Options { layout, columns, year: source.year, ..cdr::Options::default() }))
}

/// The template of a format that the project describes itself; `None` if it needs one and has none that is good.
fn read_template(
    reader: &mut Reader<'_>,
    source: &SourceSettings,
    format: cdr::Format,
    text: &Arc<SourceText>,
    findings: &mut Findings,
) -> Option<Option<Arc<cdr::Template>>> {
    let takes_one = matches!(format, cdr::Format::Delimited | cdr::Format::Fixed);
    match &source.template {
        None if takes_one => {
            findings.push(
                Finding::error("settings.template_missing", format!("`{}` files need a template", format.name()))
                    .at(Label::new(text, source.format.span.clone(), "what do they look like?"))
                    .help("name the file that describes them: `template = \"switches/acme.toml\"`"),
            );
            None
        }
        Some(named) if !takes_one => {
            findings.push(
                Finding::error("settings.template_unused", format!("`{}` takes no template", format.name()))
                    .at(Label::new(text, named.span.clone(), "not read"))
                    .help("leave it out, or set `format` to `delimited` or `fixed`"),
            );
            None
        }
        None => Some(None),
        Some(named) => {
            let label = Label::new(text, named.span.clone(), "named here");
            let file = reader.text(&named.value, Some(label), findings)?;
            let template = cdr::Template::read(&file, findings)?;
            if template.format() != format {
                let kind = template.format().name();
                findings.push(
                    Finding::error("settings.template_kind", format!("the template is one of `kind = \"{kind}\"`"))
                        .at(Label::new(text, source.format.span.clone(), format!("not `{}`", format.name())))
                        .help(format!("set `format = \"{kind}\"`")),
                );
                return None;
            }
            Some(Some(Arc::new(template)))
        }
    }
}

fn read_directory(
    reader: &mut Reader<'_>,
    settings: &Settings,
    known_at: Option<Instant>,
    findings: &mut Findings,
) -> Directory {
    let named = &settings.directory;
    let source = &settings.source;
    let files = directory::Files {
        occupiers: reader.named(&named.occupiers, source, findings),
        contracts: reader.named(&named.contracts, source, findings),
        services: reader.named(&named.services, source, findings),
        numbers: reader.named(&named.numbers, source, findings),
        allocations: reader.named_or(reader.stand_ins.allocations.as_ref(), &named.allocations, source, findings),
        account_codes: reader.named(&named.account_codes, source, findings),
    };
    let asked =
        [&named.occupiers, &named.contracts, &named.services, &named.numbers, &named.allocations, &named.account_codes];
    let read =
        [&files.occupiers, &files.contracts, &files.services, &files.numbers, &files.allocations, &files.account_codes];
    let is_whole = asked.iter().zip(read).all(|(asked, read)| asked.is_none() || !read.is_empty());
    let operator = directory::Operator {
        id: settings.operator.id.clone(),
        name: settings.operator.name.clone(),
        billing_reference: None,
        zone: settings.operator.zone.clone(),
    };
    let sites: Vec<directory::Site> = settings
        .sites
        .iter()
        .map(|site| directory::Site { id: site.id.clone(), name: site.name.clone(), zone: site.zone.clone() })
        .collect();
    let mut found = Findings::default();
    let directory = Directory::read(&files, &operator, &sites, known_at, &mut found);
    // What a missing file would have named is not unknown: the missing file is one finding, not one for each row.
    let follows = |finding: &Finding| {
        !is_whole
            && matches!(
                finding.code,
                "directory.unknown_occupier"
                    | "directory.unknown_contract"
                    | "directory.unknown_number"
                    | "directory.unknown_superseded"
            )
    };
    for finding in found {
        if !follows(&finding) {
            findings.push(finding);
        }
    }
    directory
}

/// The tariffs, and the ids that their files give themselves, readable or not.
fn read_tariffs(
    reader: &mut Reader<'_>,
    settings: &Settings,
    findings: &mut Findings,
) -> Result<(TariffBook, Vec<String>), RunError> {
    let mut paths = find_files(reader.storage, reader.root, &settings.tariffs.files)?.files;
    // A pattern for tariffs may reach the files of allowances, which are none.
    paths.retain(|path| !settings.tariffs.allowances.iter().any(|named| plain(&named.value) == path));
    if paths.is_empty() {
        findings.push(
            Finding::error("project.no_tariffs", "no tariff file matches")
                .at(Label::new(&settings.source, settings.tariffs.files_span.clone(), "this pattern"))
                .help("name the tariffs' settings files, such as `tariffs/*.toml`"),
        );
    }
    let mut files = Vec::new();
    for path in &paths {
        files.extend(reader.text(path, None, findings));
    }
    for path in &reader.stand_ins.tariffs {
        if let Some(draft) = reader.stand_in(path, findings) {
            replace_or_add(reader, &mut files, draft);
        }
    }
    reader.role = role::CALENDAR;
    let sites: Vec<SiteClock> =
        settings.sites.iter().map(|site| site_clock(reader, settings, site, findings)).collect();
    reader.role = role::TARIFF;
    // A deck is named relative to the tariff that names it; what cannot be read is the tariff reader's to report.
    let mut deck = |path: &str| reader.text(path, None, &mut Findings::default());
    let book = TariffBook::read(&files, &mut deck, &sites, &settings.operator.zone, findings);
    let declared = files.iter().filter_map(|file| {
        let mut ignored = Findings::default();
        Section::parse(file, &mut ignored).text("id", &mut ignored).map(|id| id.value)
    });
    Ok((book, declared.collect()))
}

/// Puts a draft in the place of the version with its id and `from`, or beside the others.
fn replace_or_add(reader: &mut Reader<'_>, files: &mut Vec<Arc<SourceText>>, draft: Arc<SourceText>) {
    let identity = |file: &Arc<SourceText>| {
        let mut ignored = Findings::default();
        let section = Section::parse(file, &mut ignored);
        let mut text = |key| section.text(key, &mut ignored).map(|text| text.value);
        (text("id"), text("from"))
    };
    let folder = |name: &str| name.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"));
    let own = identity(&draft);
    let same_id = files.iter().filter(|file| identity(file).0 == own.0);
    let model = same_id.max_by_key(|file| identity(file).1 == own.1).map(|file| folder(&file.name));
    if let Some(model) = model.filter(|model| !model.starts_with(STAND_IN)) {
        let from = folder(draft.name.strip_prefix(STAND_IN).unwrap_or(&draft.name));
        reader.fallbacks.push((from, model));
    }
    files.retain(|file| identity(file) != own);
    files.push(draft);
}

/// A path as files are found by.
fn plain(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// The allowances, and whether none of them was left out for a mistake.
fn read_schemes(
    reader: &mut Reader<'_>,
    settings: &Settings,
    book: &TariffBook,
    findings: &mut Findings,
) -> (Schemes, bool) {
    let mut found = Findings::default();
    let mut files = Vec::new();
    for name in &settings.tariffs.allowances {
        let label = Label::new(&settings.source, name.span.clone(), "named here");
        files.extend(reader.text(&name.value, Some(label), &mut found));
    }
    let bands: Vec<&str> = book.bands().iter().collect();
    let schemes = Schemes::read(&files, &bands, &mut found);
    if settings.directory.services.is_none() {
        for scheme in schemes.all().iter().filter(|scheme| scheme.scope == Scope::Service) {
            found.push(
                Finding::error("allowance.bad_definition", "an allowance for each voice line needs the voice lines")
                    .at(scheme.place.clone())
                    .help("name the table of voice services in `[directory]`, or use `scope = \"occupier\"`"),
            );
        }
    }
    let whole = !found.has_errors();
    findings.extend(found);
    (schemes, whole)
}

/// The clock of a site and its holidays, by built-in calendars and files.
fn site_clock(reader: &mut Reader<'_>, settings: &Settings, site: &SiteSettings, findings: &mut Findings) -> SiteClock {
    let mut dates = Vec::new();
    for name in &site.holidays {
        let place = Label::new(&settings.source, name.span.clone(), "");
        if let Some(built_in) = calendar::dates(&name.value) {
            dates.extend(built_in);
        } else if name.value.contains(['.', '/']) {
            let file = reader.text(&name.value, Some(place), findings);
            dates.extend(file.map(|file| calendar::read(&file, findings)).unwrap_or_default());
        } else {
            findings.push(
                Finding::error("settings.calendar_unknown", format!("there is no calendar `{}`", name.value))
                    .at(place)
                    .help(calendar::suggestion(&name.value)),
            );
        }
    }
    let holidays = (!site.holidays.is_empty()).then(|| dates.into());
    SiteClock { zone: site.zone.clone(), holidays }
}

fn read_assignments(
    reader: &mut Reader<'_>,
    settings: &Settings,
    directory: &Directory,
    book: &TariffBook,
    schemes: &Schemes,
    findings: &mut Findings,
) -> Assignments {
    let stand_in = reader.stand_ins.assignments.as_ref();
    let texts = reader.named_or(stand_in, &settings.tariffs.assignments, &settings.source, findings);
    let payers: Vec<&str> = directory.payers().iter().map(|payer| payer.id.as_str()).collect();
    let sites: Vec<(&str, &Zone)> = settings.sites.iter().map(|site| (site.id.as_str(), &site.zone)).collect();
    let tariffs: Vec<&str> = book.tariffs().iter().map(crate::tariff::Tariff::id).collect();
    let allowances: Vec<(&str, bool)> =
        schemes.all().iter().map(|scheme| (&*scheme.name, scheme.scope == Scope::Group)).collect();
    let names = assignment::Names {
        payers: &payers,
        sites: &sites,
        tariffs: &tariffs,
        allowances: &allowances,
        operator_zone: &settings.operator.zone,
    };
    Assignments::read(&texts, &names, findings)
}
