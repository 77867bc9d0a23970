//! `rating.toml`: what a project says about itself.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use globset::GlobMatcher;

use super::completeness::Expect;
use super::inputs::pattern;
pub use super::usage_settings::UsageSettings;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::ids::file_name_fault;
use crate::money::Currency;
use crate::time::{Month, Zone};

/// A project's settings, checked one by one but not yet against the files they name.
#[derive(Debug)]
pub struct Settings {
    /// The file itself, for labels.
    pub source: Arc<SourceText>,
    /// The month to run when the command names none.
    pub month: Option<Month>,
    /// Who runs the sites and pays the carriers.
    pub operator: Operator,
    /// The sites, sorted by id.
    pub sites: Vec<SiteSettings>,
    /// The sources, sorted by id.
    pub sources: Vec<SourceSettings>,
    /// Where the directory's tables are.
    pub directory: DirectoryFiles,
    /// Where the tariffs are.
    pub tariffs: TariffFiles,
    /// What is written.
    pub reports: ReportSettings,
    /// When a run that finished is still not good.
    pub limits: Limits,
    /// Gaps in the input that were accepted: a table.
    pub accepted_gaps: Option<Spanned<String>>,
    /// What contracted lines cost, if that is to be reported.
    pub usage: Option<UsageSettings>,
}

/// Who runs the sites and pays the carriers.
#[derive(Debug)]
pub struct Operator {
    /// Id in reports and file names.
    pub id: String,
    /// Name in reports.
    pub name: String,
    /// Currency of the operator's reports.
    pub currency: Currency,
    /// The zone of dates that belong to no site.
    pub zone: Zone,
}

/// One site.
#[derive(Debug)]
pub struct SiteSettings {
    /// Id in reports and file names.
    pub id: String,
    /// Name in reports.
    pub name: String,
    /// The clock on its wall.
    pub zone: Zone,
    /// Country of its dial plan: `GB`, `US`, …
    pub country: Spanned<String>,
    /// Area code for local dialling, without the national prefix.
    pub area_code: Option<Spanned<String>>,
    /// Digits keyed to get an outside line.
    pub outside_line: Vec<Spanned<String>>,
    /// Ranges of extensions: `2000-2999`.
    pub extensions: Vec<Spanned<String>>,
    /// Its own holidays, for tariffs that name the calendar `site`: built-in calendars and files.
    pub holidays: Vec<Spanned<String>>,
    /// Where it stands in the file.
    pub span: Range<usize>,
    /// Whether it says all that a site must. If not, findings say what is wrong and nothing is rated; the site is kept
    /// so that whatever names it is not blamed too.
    pub is_complete: bool,
}

/// One source of CDRs: one switch's files at one site.
#[derive(Debug)]
pub struct SourceSettings {
    /// Id in reports.
    pub id: String,
    /// Index of its site in [`Settings::sites`].
    pub site: usize,
    /// Format name.
    pub format: Spanned<String>,
    /// Layout of the format, where the files alone do not tell.
    pub layout: Option<Spanned<String>>,
    /// Column names, for layouts that the switch's administrator chose.
    pub columns: Vec<Spanned<String>>,
    /// The year of dates that have none.
    pub year: Option<i32>,
    /// The file that describes the format, for formats that the project describes itself.
    pub template: Option<Spanned<String>>,
    /// Which files.
    pub files: Vec<GlobMatcher>,
    /// Where `files` stands.
    pub files_span: Range<usize>,
    /// The switch's clock.
    pub zone: Zone,
    /// Channel or device name patterns of lines to the outside.
    pub trunks: Vec<Spanned<String>>,
    /// Channel or device name patterns of phones inside.
    pub phones: Vec<Spanned<String>>,
    /// Contexts of calls that come from outside.
    pub outside_contexts: Vec<Spanned<String>>,
    /// Contexts of calls that come from inside.
    pub inside_contexts: Vec<Spanned<String>>,
    /// Partitions of inside parties.
    pub inside_partitions: Vec<Spanned<String>>,
    /// What its files should be, if their completeness is to be checked.
    pub expect: Option<Expect>,
}

/// Where the directory's tables are, relative to the project; `None` if there is no such table.
#[derive(Debug)]
pub struct DirectoryFiles {
    /// Occupiers.
    pub occupiers: Option<Spanned<String>>,
    /// Contracts.
    pub contracts: Option<Spanned<String>>,
    /// Voice services.
    pub services: Option<Spanned<String>>,
    /// Numbers and ranges.
    pub numbers: Option<Spanned<String>>,
    /// Dated allocations.
    pub allocations: Option<Spanned<String>>,
    /// Account codes.
    pub account_codes: Option<Spanned<String>>,
}

/// Where the tariffs are.
#[derive(Debug)]
pub struct TariffFiles {
    /// Tariff settings, one file a dated version.
    pub files: Vec<GlobMatcher>,
    /// Where `files` stands.
    pub files_span: Range<usize>,
    /// Who is on which tariff.
    pub assignments: Option<Spanned<String>>,
    /// Dated exchange rates for margins.
    pub exchange_rates: Option<Spanned<String>>,
    /// Definitions of allowances and volume tiers.
    pub allowances: Vec<Spanned<String>>,
    /// How accounts stood when a month began that nobody ran the month before of.
    pub opening_balances: Option<Spanned<String>>,
}

/// What is written.
#[derive(Debug)]
pub struct ReportSettings {
    /// CSV for spreadsheets.
    pub spreadsheet: bool,
    /// CSV for programs.
    pub machine: bool,
    /// Each payer's calls one by one in those CSV files too; the summaries are there either way.
    pub itemised_csv: bool,
    /// Parquet beside each payer's CSV.
    pub payer_parquet: bool,
    /// Each payer's calls one by one as Parquet too; the summaries are there if [`payer_parquet`](Self::payer_parquet) is.
    pub itemised_parquet: bool,
}

/// When a run that finished is still not good: exit code 4.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Suspended calls in parts per million of all calls.
    pub suspended_ppm: u64,
    /// Rejected records in parts per million of all records.
    pub rejected_ppm: u64,
}

impl Settings {
    /// Reads `rating.toml`. Every mistake is in `findings`; `None` if something that all else needs is missing.
    pub fn read(source: &Arc<SourceText>, findings: &mut Findings) -> Option<Self> {
        let file = Section::parse(source, findings);
        let month = file.text("month", findings).and_then(|text| {
            let month = Month::parse(&text.value);
            if month.is_none() {
                findings.push(
                    Finding::error("settings.month_malformed", format!("`{}` is not a month", text.value))
                        .at(file.label(&text.span, "not YYYY-MM"))
                        .help("write it as `2026-10`"),
                );
            }
            month
        });
        file.require("operator", findings);
        let operator = file.table("operator", findings).and_then(|section| read_operator(section, findings));
        file.require("site", findings);
        let sections = file.tables("site", findings);
        let written = sections.len();
        let mut sites: Vec<SiteSettings> =
            sections.into_iter().filter_map(|section| read_site(section, findings)).collect();
        // A site that does not say its id may be the one that a source means.
        let all_named = file.has("site") && sites.len() == written;
        sites.sort_by(|left, right| left.id.cmp(&right.id));
        repeated(source, "site", sites.iter().map(|site| (site.id.as_str(), &site.span)), findings);
        file.require("source", findings);
        let mut spans = Vec::new();
        let mut sources: Vec<SourceSettings> = Vec::new();
        for section in file.tables("source", findings) {
            let span = section.span();
            if let Some(read) = read_source(section, &sites, all_named, findings) {
                spans.push((read.id.clone(), span));
                sources.push(read);
            }
        }
        repeated(source, "source", spans.iter().map(|(id, span)| (id.as_str(), span)), findings);
        sources.sort_by(|left, right| left.id.cmp(&right.id));
        file.require("directory", findings);
        let directory = file.table("directory", findings).map(|section| read_directory(section, findings));
        file.require("tariffs", findings);
        let tariffs = file.table("tariffs", findings).map(|section| read_tariffs(section, findings));
        let reports = file.table("reports", findings).map(|section| read_reports(section, findings));
        let limits = file.table("limits", findings).map(|section| read_limits(section, findings));
        let accepted_gaps = file.table("completeness", findings).and_then(|section| {
            let accepted = section.text("accepted", findings);
            section.finish(findings);
            accepted
        });
        let usage = file.table("usage", findings).and_then(|section| {
            let services = directory.as_ref().is_some_and(|directory| directory.services.is_some());
            super::usage_settings::read(section, &sites, services, findings)
        });
        file.finish(findings);
        Some(Self {
            source: Arc::clone(source),
            month,
            operator: operator?,
            sites,
            sources,
            directory: directory?,
            tariffs: tariffs?,
            reports: reports.unwrap_or(ReportSettings {
                spreadsheet: true,
                machine: true,
                itemised_csv: true,
                payer_parquet: true,
                itemised_parquet: true,
            }),
            // Reliability goal A15: alarm when more than 0.1 % of the records wait for a price.
            limits: limits.unwrap_or(Limits { suspended_ppm: 1_000, rejected_ppm: 1_000 }),
            accepted_gaps,
            usage,
        })
    }
}

fn repeated<'a>(
    source: &Arc<SourceText>,
    what: &str,
    ids: impl Iterator<Item = (&'a str, &'a Range<usize>)>,
    findings: &mut Findings,
) {
    let mut first: HashMap<String, &Range<usize>> = HashMap::new();
    for (id, span) in ids {
        let first = *first.entry(id.to_ascii_lowercase()).or_insert(span);
        if std::ptr::eq(first, span) {
            continue;
        }
        findings.push(
            Finding::error("settings.repeated_id", format!("two {what}s have the id `{id}`"))
                .at(Label::new(source, span.clone(), "the second"))
                .at(Label::new(source, first.clone(), "the first"))
                .help("give one of them another id (capital and small letters do not tell ids apart)"),
        );
    }
}

/// An id, whether or not it can be one: what names it should find it, so that one mistake is one finding.
fn read_id(section: &Section, findings: &mut Findings) -> Option<String> {
    let id = section.required_text("id", findings)?;
    if let Some(fault) = file_name_fault(&id.value) {
        findings.push(
            Finding::error("settings.id_malformed", format!("`{}` cannot be an id: it {fault}", id.value))
                .at(section.label(&id.span, "not an id"))
                .help("ids become names of files and folders; write one such as `ldn` or `harbour-2`"),
        );
    }
    Some(id.value)
}

fn read_zone(section: &Section, key: &str, findings: &mut Findings) -> Option<Zone> {
    let name = section.required_text(key, findings)?;
    let zone = Zone::load(&name.value);
    if zone.is_none() {
        let near = did_you_mean(
            &name.value,
            [
                "Europe/London",
                "Europe/Dublin",
                "Europe/Berlin",
                "Europe/Paris",
                "Europe/Rome",
                "America/New_York",
                "America/Chicago",
                "America/Los_Angeles",
                "UTC",
            ],
        );
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "write the name of an IANA zone, such as `Europe/London`; offsets like `+01:00` know no clock changes"
                    .to_owned()
            }
        };
        findings.push(
            Finding::error("settings.zone_unknown", format!("`{}` is not a time zone", name.value))
                .at(section.label(&name.span, "no such zone"))
                .help(help),
        );
    }
    zone
}

fn read_operator(section: Section, findings: &mut Findings) -> Option<Operator> {
    let id = read_id(&section, findings);
    let name = section.text("name", findings);
    let currency = section.required_text("currency", findings).and_then(|text| {
        let currency = Currency::parse(&text.value);
        if currency.is_none() {
            findings.push(
                Finding::error("settings.currency_malformed", format!("`{}` is not a currency code", text.value))
                    .at(section.label(&text.span, "not three capital letters"))
                    .help("write the ISO 4217 code, such as `GBP`"),
            );
        }
        currency
    });
    let zone = read_zone(&section, "zone", findings);
    section.finish(findings);
    // What is wrong is in the findings, and nothing will be rated: these stand in so that the rest is judged as well.
    let id = id.unwrap_or_default();
    Some(Operator {
        name: name.map_or_else(|| id.clone(), |name| name.value),
        id,
        currency: currency.unwrap_or(Currency::NONE),
        zone: zone.unwrap_or_else(Zone::utc),
    })
}

fn read_site(section: Section, findings: &mut Findings) -> Option<SiteSettings> {
    let id = read_id(&section, findings);
    let name = section.text("name", findings);
    let zone = read_zone(&section, "zone", findings);
    let country = section.required_text("country", findings);
    let area_code = section.text("area_code", findings);
    let outside_line = section.texts("outside_line", findings);
    let extensions = section.texts("extensions", findings);
    let holidays = section.texts("holidays", findings);
    let span = section.span();
    section.finish(findings);
    let id = id?;
    Some(SiteSettings {
        name: name.map_or_else(|| id.clone(), |name| name.value),
        id,
        is_complete: zone.is_some() && country.is_some(),
        zone: zone.unwrap_or_else(Zone::utc),
        country: country.unwrap_or_else(|| Spanned { value: String::new(), span: span.clone() }),
        area_code,
        outside_line,
        extensions,
        holidays,
        span,
    })
}

/// The year of a source whose files have none.
fn read_year(section: &Section, findings: &mut Findings) -> Option<i32> {
    let year = section.integer("year", findings)?;
    let plausible = i32::try_from(year.value).ok().filter(|year| (1990..=2089).contains(year));
    if plausible.is_none() {
        findings.push(
            Finding::error("settings.wrong_type", format!("{} is no year that a call can be of", year.value))
                .at(section.label(&year.span, "not between 1990 and 2089")),
        );
    }
    plausible
}

/// File patterns, and where they stand.
fn read_patterns(section: &Section, key: &str, findings: &mut Findings) -> (Vec<GlobMatcher>, Range<usize>) {
    section.require(key, findings);
    let texts = section.texts(key, findings);
    let span = texts.first().map_or_else(|| section.span(), |text| text.span.clone());
    let mut patterns = Vec::new();
    for text in texts {
        let outside = text.value.starts_with('/') || text.value.split('/').any(|part| part == "..");
        match pattern(&text.value) {
            Ok(_) if outside => findings.push(
                Finding::error("settings.path_outside_project", format!("`{}` leads out of the project", text.value))
                    .at(section.label(&text.span, "outside"))
                    .help("put the files (or a link to their folder) below the project"),
            ),
            Ok(matcher) => patterns.push(matcher),
            Err(why) => findings.push(
                Finding::error("settings.pattern_malformed", format!("`{}` is not a file pattern: {why}", text.value))
                    .at(section.label(&text.span, "here")),
            ),
        }
    }
    (patterns, span)
}

fn read_source(
    section: Section,
    sites: &[SiteSettings],
    all_named: bool,
    findings: &mut Findings,
) -> Option<SourceSettings> {
    let id = read_id(&section, findings);
    let site = section.required_text("site", findings).and_then(|name| {
        let site = sites.binary_search_by(|site| site.id.as_str().cmp(&name.value)).ok();
        if site.is_none() && all_named {
            let near = did_you_mean(&name.value, sites.iter().map(|site| site.id.as_str()));
            findings.push(
                Finding::error("settings.site_unknown", format!("there is no site `{}`", name.value))
                    .at(section.label(&name.span, "no such site"))
                    .help(near.map_or_else(
                        || "add a [[site]] with this id".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    )),
            );
        }
        site
    });
    let format = section.required_text("format", findings);
    let layout = section.text("layout", findings);
    let columns = section.texts("columns", findings);
    let year = read_year(&section, findings);
    let template = section.text("template", findings);
    let (files, files_span) = read_patterns(&section, "files", findings);
    let zone = read_zone(&section, "zone", findings);
    let trunks = section.texts("trunks", findings);
    let phones = section.texts("phones", findings);
    let outside_contexts = section.texts("outside_contexts", findings);
    let inside_contexts = section.texts("inside_contexts", findings);
    let inside_partitions = section.texts("inside_partitions", findings);
    let expect = section.table("expect", findings).and_then(|section| Expect::read(section, findings));
    section.finish(findings);
    Some(SourceSettings {
        id: id?,
        site: site?,
        format: format?,
        layout,
        columns,
        year,
        template,
        files,
        files_span,
        zone: zone?,
        trunks,
        phones,
        outside_contexts,
        inside_contexts,
        inside_partitions,
        expect,
    })
}

fn read_directory(section: Section, findings: &mut Findings) -> DirectoryFiles {
    let directory = DirectoryFiles {
        occupiers: section.text("occupiers", findings),
        contracts: section.text("contracts", findings),
        services: section.text("services", findings),
        numbers: section.text("numbers", findings),
        allocations: section.text("allocations", findings),
        account_codes: section.text("account_codes", findings),
    };
    section.finish(findings);
    directory
}

fn read_tariffs(section: Section, findings: &mut Findings) -> TariffFiles {
    let (files, files_span) = read_patterns(&section, "files", findings);
    let assignments = section.required_text("assignments", findings);
    let exchange_rates = section.text("exchange_rates", findings);
    let allowances = section.texts("allowances", findings);
    let opening_balances = section.text("opening_balances", findings);
    section.finish(findings);
    TariffFiles { files, files_span, assignments, exchange_rates, allowances, opening_balances }
}

fn read_reports(section: Section, findings: &mut Findings) -> ReportSettings {
    const PROFILES: [&str; 2] = ["spreadsheet", "machine"];
    let profiles = section.texts("csv", findings);
    for profile in profiles.iter().filter(|profile| !PROFILES.contains(&profile.value.as_str())) {
        let near = did_you_mean(&profile.value, PROFILES);
        findings.push(
            Finding::error("settings.profile_unknown", format!("there is no CSV profile `{}`", profile.value))
                .at(section.label(&profile.span, "not known"))
                .help(near.map_or_else(
                    || "the profiles are `spreadsheet` and `machine`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                )),
        );
    }
    let asked = |name: &str| profiles.is_empty() || profiles.iter().any(|profile| profile.value == name);
    let wanted = |key: &str, findings: &mut Findings| section.boolean(key, findings).is_none_or(|wanted| wanted.value);
    let settings = ReportSettings {
        spreadsheet: asked("spreadsheet"),
        machine: asked("machine"),
        itemised_csv: wanted("itemised_csv", findings),
        payer_parquet: wanted("payer_parquet", findings),
        itemised_parquet: wanted("itemised_parquet", findings),
    };
    section.finish(findings);
    settings
}

fn read_limits(section: Section, findings: &mut Findings) -> Limits {
    let mut share = |key: &str| {
        let Some(text) = section.text(key, findings) else { return 1_000 };
        let ppm = parts_per_million(&text.value);
        if ppm.is_none() {
            findings.push(
                Finding::error("settings.share_malformed", format!("`{}` is not a share", text.value))
                    .at(section.label(&text.span, "not a percentage"))
                    .help("write a percentage with at most four decimals, such as `0.1%`"),
            );
        }
        ppm.unwrap_or(1_000)
    };
    let limits = Limits { suspended_ppm: share("suspended"), rejected_ppm: share("rejected") };
    section.finish(findings);
    limits
}

/// `0.1%` is 1,000 parts per million.
fn parts_per_million(text: &str) -> Option<u64> {
    let number = text.strip_suffix('%')?.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty()
        || fraction.len() > 4
        || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let ppm: u64 = format!("{whole}{fraction:0<4}").parse().ok()?;
    (ppm <= 1_000_000).then_some(ppm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        for (text, ppm) in
            [("0.1%", Some(1_000)), ("0.0001%", Some(1)), ("100%", Some(1_000_000)), ("20 %", Some(200_000))]
        {
            assert_eq!(parts_per_million(text), ppm, "{text}");
        }
        for text in ["0.1", "%", "101%", "0.00001%", "-1%", "1e2%"] {
            assert_eq!(parts_per_million(text), None, "{text}");
        }
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        let text = "\
month = \"2026-13\"
[operator]
id = \"../x\"
currency = \"gbp\"
zone = \"Europe/Lodnon\"
[[site]]
id = \"ldn\"
zone = \"+01:00\"
country = \"GB\"
[[source]]
id = \"pbx\"
site = \"lon\"
format = \"asterisk\"
files = [\"../cdr/*\", \"cdr/[\"]
zone = \"UTC\"
[directory]
[tariffs]
files = [\"tariffs/*.toml\"]
asignments = \"a.csv\"
[limits]
suspended = \"lots\"
";
        let source = SourceText::new("rating.toml", text);
        let mut findings = Findings::default();
        Settings::read(&source, &mut findings);
        let found: Vec<String> =
            findings.iter().map(|finding| format!("{} {}", finding.place(), finding.code)).collect();
        // The source names `lon`, not `ldn`: the site is there although its zone is wrong.
        assert_eq!(
            found,
            [
                "rating.toml:1:9 settings.month_malformed",
                "rating.toml:3:6 settings.id_malformed",
                "rating.toml:4:12 settings.currency_malformed",
                "rating.toml:5:8 settings.zone_unknown",
                "rating.toml:8:8 settings.zone_unknown",
                "rating.toml:12:8 settings.site_unknown",
                "rating.toml:14:10 settings.path_outside_project",
                "rating.toml:14:22 settings.pattern_malformed",
                "rating.toml:17:2 settings.missing_key",
                "rating.toml:19:1 settings.unknown_key",
                "rating.toml:21:13 settings.share_malformed",
            ]
        );
    }

    fn codes(text: &str) -> Vec<String> {
        let source = SourceText::new("rating.toml", text);
        let mut findings = Findings::default();
        Settings::read(&source, &mut findings);
        findings.iter().map(|finding| format!("{} {}", finding.place(), finding.code)).collect()
    }

    const REST: &str = "[directory]\n[tariffs]\nfiles = [\"t/*.toml\"]\nassignments = \"a.csv\"\n";

    #[test]
    fn a_site_that_is_wrong_is_there_all_the_same() {
        let project = |site: &str| {
            codes(&format!(
                "[operator]\nid = \"harbour\"\ncurrency = \"GBP\"\nzone = \"UTC\"\n[[site]]\n{site}\n[[source]]\nid = \"pbx\"\n\
                 site = \"ldn\"\nformat = \"asterisk\"\nfiles = [\"c/*\"]\nzone = \"UTC\"\n{REST}"
            ))
        };
        let good = "id = \"ldn\"\nzone = \"UTC\"\ncountry = \"GB\"";
        assert_eq!(project(good), Vec::<String>::new());
        for (site, expected) in [
            ("id = \"ldn\"\nzone = \"Mars\"\ncountry = \"GB\"", "rating.toml:7:8 settings.zone_unknown"),
            ("id = \"ldn\"\nzone = \"UTC\"", "rating.toml:5:1 settings.missing_key"),
            ("id = \"ldn\"\nzone = 1\ncountry = \"GB\"", "rating.toml:7:8 settings.wrong_type"),
            // Without an id it may well be the one that is meant.
            ("zone = \"UTC\"\ncountry = \"GB\"", "rating.toml:5:1 settings.missing_key"),
            ("id = \"l/n\"\nzone = \"UTC\"\ncountry = \"GB\"", "rating.toml:6:6 settings.id_malformed"),
        ] {
            let found = project(site);
            assert_eq!(found.first().map(String::as_str), Some(expected), "{site}");
            // Only a site under another name leaves the source without one.
            assert_eq!(found.len(), if site.contains("l/n") { 2 } else { 1 }, "{site}: {found:?}");
        }
    }

    #[test]
    fn what_is_wanted_of_reports_is_true_or_false() {
        let head = "[operator]\nid = \"harbour\"\ncurrency = \"GBP\"\nzone = \"UTC\"\n[[site]]\nid = \"ldn\"\nzone = \"UTC\"\n\
                    country = \"GB\"\n[[source]]\nid = \"pbx\"\nsite = \"ldn\"\nformat = \"asterisk\"\nfiles = [\"c/*\"]\nzone = \"UTC\"\n";
        for key in ["itemised_csv", "payer_parquet", "itemised_parquet"] {
            for (value, expected) in [
                ("true", None),
                ("false", None),
                ("\"no\"", Some("settings.wrong_type")),
                ("0", Some("settings.wrong_type")),
            ] {
                let found = codes(&format!("{head}{REST}[reports]\n{key} = {value}\n"));
                let place = format!("rating.toml:20:{}", key.len() + 4);
                assert_eq!(
                    found,
                    expected.map(|code| format!("{place} {code}")).into_iter().collect::<Vec<_>>(),
                    "{key} = {value}"
                );
            }
        }
    }

    #[test]
    fn ids_are_judged_as_the_directory_judges_them() {
        for id in ["", "con", "NUL.x", "a/b", ".a", "-a", "a.", "Zo\u{eb}", "lpt1", &"x".repeat(65)] {
            let found = codes(&format!(
                "[operator]\nid = \"{id}\"\ncurrency = \"GBP\"\nzone = \"UTC\"\n[[site]]\nid = \"{id}\"\nzone = \"UTC\"\ncountry = \"GB\"\n\
                 [[source]]\nid = \"{id}\"\nsite = \"{id}\"\nformat = \"asterisk\"\nfiles = [\"c/*\"]\nzone = \"UTC\"\n{REST}"
            ));
            let expected = ["rating.toml:2:6", "rating.toml:6:6", "rating.toml:10:6"];
            assert_eq!(found, expected.map(|place| format!("{place} settings.id_malformed")), "{id}");
            assert!(crate::ids::file_name_fault(id).is_some());
        }
    }
}
