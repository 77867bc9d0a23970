//! What is generated is read by the rooms that it is for, without a finding.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::assignment::{self, Assignments, SideKind};
use crate::attribution::attribute;
use crate::cdr::{self, Format};
use crate::directory::{self, Directory};
use crate::finding::settings::Spanned;
use crate::finding::{Findings, SourceText};
use crate::ids::{SiteId, SourceId};
use crate::mediation::dial_plan::{Countries, DialPlan, ExtensionRange, SitePlan};
use crate::mediation::{Direction, Mediated, Mediator, SourceSettings};
use crate::number::{Digits, Party};
use crate::run::settings::Settings;
use crate::tariff::{Called, Match, Query, SiteClock, Tariff, TariffBook};
use crate::time::Zone;

fn texts(project: &Project) -> BTreeMap<String, Arc<SourceText>> {
    let files = project.files().into_iter();
    let texts = files.filter_map(|file| match file.content {
        Content::Text(text) => Some((file.path.clone(), SourceText::new(file.path, text))),
        Content::Cdrs(_) => None,
    });
    texts.collect()
}

struct Read {
    settings: Settings,
    directory: Directory,
    book: TariffBook,
    assignments: Assignments,
}

/// Reads a project as a run does; there must be nothing to find.
fn read(project: &Project) -> Read {
    let texts = texts(project);
    let mut findings = Findings::default();
    let settings = Settings::read(&texts["rating.toml"], &mut findings).unwrap();
    let table = |name: &Option<Spanned<String>>| name.iter().map(|name| Arc::clone(&texts[&name.value])).collect();
    let files = directory::Files {
        occupiers: table(&settings.directory.occupiers),
        contracts: table(&settings.directory.contracts),
        services: table(&settings.directory.services),
        numbers: table(&settings.directory.numbers),
        allocations: table(&settings.directory.allocations),
        account_codes: Vec::new(),
    };
    let operator = directory::Operator {
        id: settings.operator.id.clone(),
        name: settings.operator.name.clone(),
        billing_reference: None,
        zone: settings.operator.zone.clone(),
    };
    let sites: Vec<directory::Site> = (settings.sites.iter())
        .map(|site| directory::Site { id: site.id.clone(), name: site.name.clone(), zone: site.zone.clone() })
        .collect();
    let directory = Directory::read(&files, &operator, &sites, None, &mut findings);
    let tariffs: Vec<Arc<SourceText>> = (texts.values())
        .filter(|text| settings.tariffs.files.iter().any(|pattern| pattern.is_match(&text.name)))
        .cloned()
        .collect();
    let clocks: Vec<SiteClock> = settings.sites.iter().map(|site| site.zone.clone().into()).collect();
    let load = &mut |path: &str| texts.get(path).cloned();
    let book = TariffBook::read(&tariffs, load, &clocks, &operator.zone, &mut findings);
    let payers: Vec<&str> = directory.payers().iter().map(|payer| payer.id.as_str()).collect();
    let named: Vec<(&str, &Zone)> = sites.iter().map(|site| (site.id.as_str(), &site.zone)).collect();
    let names = assignment::Names {
        payers: &payers,
        sites: &named,
        tariffs: &book.tariffs().iter().map(Tariff::id).collect::<Vec<_>>(),
        allowances: &[],
        operator_zone: &operator.zone,
    };
    let assignments = Assignments::read(&table(&settings.tariffs.assignments), &names, &mut findings);
    let shown: Vec<String> = findings.iter().map(ToString::to_string).take(5).collect();
    assert!(findings.is_empty(), "{} findings: {shown:#?}", findings.len());
    Read { settings, directory, book, assignments }
}

#[test]
fn settings_directory_and_tariffs_are_read_without_a_finding() {
    let plan = Plan::new(1_000, 1, october());
    let read = read(&Project::new(plan).unwrap());
    assert_eq!(read.settings.sites.len(), plan.sites);
    assert_eq!(read.settings.month, Some(plan.month));
    assert_eq!(read.directory.payers().len() as u64, plan.occupiers + 1);
    let tariffs: Vec<&str> = read.book.tariffs().iter().map(Tariff::id).collect();
    assert_eq!(tariffs, ["retail", "wholesale"]);
}

#[test]
fn every_record_is_a_call_that_somebody_holds_and_both_tariffs_price() {
    let plan = Plan { records: 5_000, ..Plan::new(100_000, 1, october()) };
    let project = Project::new(plan).unwrap();
    let read = read(&project);
    let (mut outbound, mut internal) = (0, 0);
    for file in project.cdr_files() {
        let mut bytes = Vec::new();
        project.write_cdrs(file.records.clone(), &mut bytes);
        let reader = cdr::open(Format::Asterisk, &cdr::Options::default(), &bytes, true).unwrap();
        let mediator = mediator(&read.settings, file.site);
        for record in reader.records(0, 0, &bytes, true) {
            let Mediated::Call(call) = mediator.mediate(&record.unwrap()) else { panic!("{}", file.path) };
            let shown = String::from_utf8_lossy(call.cdr.raw);
            match call.direction {
                Direction::Outbound => outbound += 1,
                Direction::Internal => internal += 1,
                other => panic!("{other:?}: {shown}"),
            }
            let attributed = attribute(&call, &read.directory);
            let holder = attributed.holder.unwrap_or_else(|reason| panic!("{reason:?}: {shown}"));
            let Party::Number(called) = call.called else {
                assert_eq!(call.direction, Direction::Internal, "{shown}");
                continue;
            };
            let called = Called::Number(called, call.called_class.0, call.called_class.1);
            for side in SideKind::ALL {
                let tariff = read.assignments.tariff(side, Some(holder.payer), call.site, call.charging_at).unwrap();
                let tariff = read.book.tariff(tariff).unwrap();
                assert_eq!(tariff.id(), side.name());
                let (_, version) = tariff.version_at(call.charging_at, call.site).unwrap();
                let found = version.find(&Query::new(called), call.charging_at, call.site);
                assert!(matches!(found, Match::Row(_)), "{found:?}, {called:?}: {shown}");
            }
        }
    }
    assert_eq!(outbound + internal, plan.records);
    // 10 of 100.
    assert!((430..570).contains(&internal), "{internal} inside");
}

fn mediator(settings: &Settings, site: usize) -> Mediator {
    let (source, site) = (&settings.sources[site], &settings.sites[site]);
    let digits = |text: &str| Digits::parse(text.as_bytes()).unwrap();
    let plan = SitePlan {
        country: site.country.value.clone(),
        area_code: site.area_code.as_ref().map(|code| digits(&code.value)),
        outside_line: Vec::new(),
        extensions: (site.extensions.iter())
            .map(|range| range.value.split_once('-').unwrap())
            .map(|(from, to)| ExtensionRange { from: digits(from), to: digits(to) })
            .collect(),
    };
    let trunks = source.trunks.iter().map(|pattern| pattern.value.clone()).collect();
    Mediator::new(
        SourceId(0),
        SiteId(u32::try_from(source.site).unwrap()),
        source.zone.clone(),
        DialPlan::compile(&plan, &Countries::embedded()).unwrap(),
        SourceSettings { trunks, ..SourceSettings::default() },
    )
}
