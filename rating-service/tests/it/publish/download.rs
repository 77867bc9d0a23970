//! Reports on their way to a reader: who sees what, in which form, under which name.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rating_core::report::Report;
use rating_core::time::{Date, Month};
use rating_service::publish::Refusal;
use rating_service::publish::download::{Audience, Body, CalledNumbers, Desk, Format, Visibility, Wanted};
use rating_service::publish::engine::{Engine, NewFiles};
use rating_service::publish::published::{Form, Of, Version};
use rating_service::store::snapshot::Snapshot;

use super::demo;

fn october() -> Month {
    Month::parse("2026-10").unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(future)
}

/// A published October, and a desk for it.
struct House {
    data: tempfile::TempDir,
    version: Version,
    desk: Desk,
}

impl House {
    fn of(snapshot: Snapshot) -> Self {
        let data = demo::data();
        let engine = Engine::new(data.path());
        let version = wait(async {
            let run = engine.check(snapshot.clone(), october(), None).await.unwrap().summary.run;
            engine.publish(snapshot, october(), run, NewFiles::Refuse, None).await.unwrap();
            engine.archive().in_force(october()).unwrap().unwrap()
        });
        let desk = Desk::new(data.path()).unwrap().of("harbour");
        Self { data, version, desk }
    }

    fn demo() -> Self {
        Self::of(demo::snapshot())
    }

    fn get(&self, audience: &Audience, wanted: &[Wanted], format: Format) -> Result<Got, Refusal> {
        self.get_of(&self.version, audience, wanted, format)
    }

    fn get_of(
        &self,
        version: &Version,
        audience: &Audience,
        wanted: &[Wanted],
        format: Format,
    ) -> Result<Got, Refusal> {
        let prepared = self.desk.prepare(version, audience, wanted, format)?;
        let (name, etag, left_out) = (prepared.file_name.clone(), prepared.etag.clone(), prepared.left_out.clone());
        let media_type = prepared.media_type;
        wait(async {
            let body = prepared.body().await?;
            let (length, is_file) = (body.length(), matches!(body, Body::File { .. }));
            let bytes = match body {
                Body::File { mut file, .. } => {
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).unwrap();
                    bytes
                }
                Body::Whole(bytes) => bytes.to_vec(),
                Body::Stream(mut pieces) => {
                    let mut bytes = Vec::new();
                    while let Some(piece) = pieces.recv().await {
                        bytes.extend_from_slice(&piece.unwrap());
                    }
                    bytes
                }
            };
            assert!(length.is_none_or(|length| length == bytes.len() as u64));
            Ok(Got { name, etag, left_out, media_type, is_file, bytes })
        })
    }

    fn text(&self, audience: &Audience, of: &Of, report: Report, format: Format) -> String {
        let wanted = [Wanted { of: of.clone(), report }];
        String::from_utf8(self.get(audience, &wanted, format).unwrap().bytes).unwrap()
    }
}

struct Got {
    name: String,
    etag: String,
    left_out: Vec<Wanted>,
    media_type: &'static str,
    is_file: bool,
    bytes: Vec<u8>,
}

fn payer(site: &str, payer: &str) -> Of {
    Of::Payer { site: site.into(), payer: payer.into() }
}

fn occupier(id: &str, visibility: Visibility) -> Audience {
    Audience::Occupier { id: id.into(), visibility }
}

fn all_of(of: &Of) -> Vec<Wanted> {
    Report::ALL.into_iter().map(|report| Wanted { of: of.clone(), report }).collect()
}

/// The names and contents of a zip's files.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// The columns of a CSV file.
fn header(csv: &str) -> Vec<&str> {
    csv.trim_start_matches('\u{feff}').lines().next().unwrap().split(',').collect()
}

const OCCUPIERS: [(&str, &str); 5] =
    [("ldn", "acme"), ("ldn", "bolt"), ("ldn", "cedar"), ("nyc", "acme"), ("nyc", "bolt")];

#[test]
fn an_occupier_who_may_see_everything_gets_the_bytes_that_are_published() {
    let house = House::demo();
    let mut compared = 0;
    for (site, id) in OCCUPIERS {
        let of = payer(site, id);
        for file in house.version.reports(&of) {
            let format = match file.form {
                Form::Spreadsheet => Format::Spreadsheet,
                Form::Machine => Format::Machine,
                Form::Parquet => continue,
            };
            let wanted = [Wanted { of: of.clone(), report: file.report }];
            let got = house.get(&occupier(id, Visibility::ALL), &wanted, format).unwrap();
            assert_eq!(got.name, file.name);
            assert_eq!(String::from_utf8_lossy(&got.bytes), fs::read_to_string(&file.path).unwrap(), "{}", file.name);
            // It was rendered all the same.
            assert!(!got.is_file);
            compared += 1;
        }
    }
    assert!(compared >= 24, "{compared}");
}

#[test]
fn rule_25_one_report_is_a_bare_csv_and_several_are_one_zip() {
    let house = House::demo();
    let of = payer("ldn", "acme");
    let audience = occupier("acme", Visibility::ALL);
    let one =
        house.get(&audience, &[Wanted { of: of.clone(), report: Report::Itemised }], Format::Spreadsheet).unwrap();
    assert_eq!(
        (&*one.name, one.media_type),
        ("202610_ldn_itemised_acme.csv", "text/csv; charset=utf-8; header=present")
    );
    let all = house.get(&audience, &all_of(&of), Format::Spreadsheet).unwrap();
    assert_eq!((&*all.name, all.media_type), ("202610_ldn_call-charges_acme.zip", "application/zip"));
    let files = unzip(&all.bytes);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected =
        ["202610_ldn_itemised_acme.csv", "202610_ldn_extension-summary_acme.csv", "202610_ldn_destinations_acme.csv"];
    assert_eq!(names, expected);
    assert_eq!(files[0].1, one.bytes);
    // Both sites of one occupier: each report has a name of its own.
    let both = [all_of(&of), all_of(&payer("nyc", "acme"))].concat();
    let both = house.get(&audience, &both, Format::Machine).unwrap();
    assert_eq!(both.name, "202610_call-charges_acme.machine.csv.zip");
    let names: BTreeSet<String> = unzip(&both.bytes).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 6);
    assert!(names.iter().all(|name| name.starts_with("202610_")), "{names:?}");
}

#[test]
fn rule_26_what_is_not_there_is_left_out_and_nothing_at_all_is_refused() {
    let house = House::demo();
    let audience = occupier("acme", Visibility::ALL);
    let wanted: Vec<Wanted> =
        [Report::Itemised, Report::Bill].map(|report| Wanted { of: payer("ldn", "acme"), report }).to_vec();
    let got = house.get(&audience, &wanted, Format::Spreadsheet).unwrap();
    assert_eq!(unzip(&got.bytes).len(), 1);
    assert_eq!(got.left_out, [Wanted { of: payer("ldn", "acme"), report: Report::Bill }]);
    let nothing = house.get(&audience, &wanted[1..], Format::Spreadsheet).err().unwrap();
    assert_eq!(nothing.code, "publish.not_available");
    assert_eq!(house.get(&audience, &[], Format::Spreadsheet).err().unwrap().code, "publish.not_available");
}

#[test]
fn another_occupiers_reports_are_as_unknown_as_those_that_do_not_exist() {
    let house = House::demo();
    for id in ["acme", "bolt", "nobody", "harbour", ""] {
        let audience = occupier(id, Visibility::ALL);
        for of in [
            payer("ldn", "cedar"),
            payer("ldn", "harbour"),
            payer("ldn", "unknown"),
            payer("", ""),
            payer("ldn", "../payer=cedar"),
            Of::Site("ldn".into()),
            Of::AllSites,
        ] {
            assert_eq!(house.desk.reports(&house.version, &audience, &of), []);
            for format in Format::ALL {
                let refusal = house.get(&audience, &all_of(&of), format).err().unwrap();
                assert_eq!(
                    refusal,
                    Refusal::new("publish.not_available", "none of these reports is there"),
                    "{id} {of:?}"
                );
            }
        }
    }
}

/// A demo whose wholesale side says what nobody else may read, and whose retail side says what a spreadsheet would act on.
fn canaries(folder: &Path) -> Snapshot {
    let mut snapshot = demo::snapshot();
    let stored = |name: &str, edit: &dyn Fn(String) -> String| {
        let text = fs::read_to_string(crate::house::repository("testdata/demo/tariffs").join(name)).unwrap();
        let path = folder.join(name);
        fs::write(&path, edit(text)).unwrap();
        demo::stored(&format!("tariffs/{name}"), &path)
    };
    let wholesale = |text: String| text.replace("GB ", "CANARY-WHOLESALE ").replace("UK ", "CANARY-WHOLESALE ");
    let edited = [
        stored("wholesale-gb.csv", &wholesale),
        stored("wholesale-us.csv", &wholesale),
        stored("retail-gb.csv", &|text| text.replace("UK landline", "\"=HYPERLINK(\"\"http://x\"\")\"")),
    ];
    snapshot.files.retain(|file| !edited.iter().any(|edited| edited.path == file.path));
    snapshot.files.extend(edited);
    snapshot.operator.name = "CANARY-OPERATOR".into();
    snapshot
}

/// Everything that can be read in a file, packed or not.
fn readable(bytes: &[u8]) -> String {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if bytes.starts_with(b"PAR1") {
        let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes)).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            text.push_str(&row.unwrap().to_string());
        }
    }
    if bytes.starts_with(b"PK") {
        for (name, content) in unzip(bytes) {
            text.push_str(&name);
            text.push_str(&readable(&content));
        }
    }
    text
}

#[test]
fn rule_20_the_operators_amounts_and_wholesale_names_are_in_no_occupiers_file() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::of(canaries(folder.path()));
    // What the operator is charged, as its own reports say it; amounts that nobody else is charged by chance.
    let operator = Audience::operator();
    let margins = house.text(&operator, &Of::Site("ldn".into()), Report::Margin, Format::Machine);
    assert!(margins.contains("operator_amount"));
    let at = header(&margins).iter().position(|name| *name == "operator_amount").unwrap();
    let mut secrets: BTreeSet<String> = csv::Reader::from_reader(margins.as_bytes())
        .records()
        .map(|row| row.unwrap()[at].to_owned())
        .filter(|amount| amount.len() > 6)
        .collect();
    assert!(secrets.len() > 2, "{secrets:?}");
    secrets.extend(["CANARY", "wholesale", "operator", "margin"].map(str::to_owned));
    // Where they may be, they can be seen.
    for format in Format::ALL {
        let wanted = [Wanted { of: Of::Site("ldn".into()), report: Report::Itemised }];
        let theirs = readable(&house.get(&operator, &wanted, format).unwrap().bytes);
        assert!(["CANARY-WHOLESALE", "operator_amount"].iter().all(|canary| theirs.contains(canary)), "{format:?}");
        assert!(secrets.iter().any(|secret| theirs.contains(secret.as_str())), "{format:?}");
    }
    // A column that a later version adds to the payer's file, or that somebody leaks into it, is not shown.
    for (site, id) in OCCUPIERS {
        for file in house.version.reports(&payer(site, id)).iter().filter(|file| file.form == Form::Machine) {
            let text = fs::read_to_string(&file.path).unwrap();
            let lines = text.lines().enumerate();
            let leaked =
                lines.map(|(at, line)| format!("{line},{}\r\n", if at == 0 { "operator_amount" } else { "CANARY" }));
            fs::write(&file.path, leaked.collect::<String>()).unwrap();
        }
    }
    let mut looked_at = 0;
    for (site, id) in OCCUPIERS {
        for format in Format::ALL {
            for wanted in [all_of(&payer(site, id)), all_of(&payer(site, id))[1..2].to_vec()] {
                let got = house.get(&occupier(id, Visibility::ALL), &wanted, format).unwrap();
                let text = readable(&got.bytes);
                assert!(text.len() > 200, "{} is too short", got.name);
                for secret in &secrets {
                    assert!(!text.contains(secret.as_str()), "{} ({format:?}) shows {secret}", got.name);
                }
                looked_at += 1;
            }
        }
    }
    assert_eq!(looked_at, 40);
}

#[test]
fn formulas_are_inert_in_every_rendition() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::of(canaries(folder.path()));
    let audience = occupier("acme", Visibility { called_numbers: CalledNumbers::Masked, ..Visibility::ALL });
    let of = payer("ldn", "acme");
    let text = house.text(&audience, &of, Report::Destinations, Format::Spreadsheet);
    assert!(text.contains(",\"'=HYPERLINK(\"\"http://x\"\")\","), "{text}");
    let text = house.text(&audience, &of, Report::Destinations, Format::Machine);
    assert!(text.contains(",\"=HYPERLINK(\"\"http://x\"\")\","), "{text}");
    let got = house.get(&audience, &[Wanted { of, report: Report::Itemised }], Format::Xlsx).unwrap();
    let sheet = unzip(&got.bytes).into_iter().find(|(name, _)| name == "xl/worksheets/sheet1.xml").unwrap().1;
    let sheet = String::from_utf8(sheet).unwrap();
    assert!(!sheet.contains("<f>") && !sheet.contains("<hyperlink"));
    assert!(
        sheet.contains("<t>=HYPERLINK(&quot;http://x&quot;)</t>") || sheet.contains("<t>=HYPERLINK(\"http://x\")</t>")
    );
    // The header stays in sight.
    assert!(sheet.contains("ySplit=\"1\"") && sheet.contains("state=\"frozen\""), "{}", &sheet[..600]);
}

#[test]
fn an_xlsx_has_numbers_as_text_amounts_as_numbers_and_a_total() {
    let house = House::demo();
    let of = payer("ldn", "acme");
    let audience = occupier("acme", Visibility::ALL);
    let wanted = [Wanted { of: of.clone(), report: Report::ExtensionSummary }];
    let got = house.get(&audience, &wanted, Format::Xlsx).unwrap();
    assert_eq!(got.name, "202610_ldn_extension-summary_acme.xlsx");
    let sheet = unzip(&got.bytes).into_iter().find(|(name, _)| name == "xl/worksheets/sheet1.xml").unwrap().1;
    let sheet = String::from_utf8(sheet).unwrap();
    let csv = house.text(&audience, &of, Report::ExtensionSummary, Format::Spreadsheet);
    let total = csv.lines().last().unwrap();
    assert!(total.starts_with("total,ldn,"), "{total}");
    let columns = header(&csv);
    let cell = |line: &str, name: &str| {
        let at = columns.iter().position(|column| *column == name).unwrap();
        line.split(',').nth(at).unwrap().trim_start_matches('\'').to_owned()
    };
    let number = csv.lines().map(|line| cell(line, "number")).find(|number| number.starts_with("44")).unwrap();
    assert!(sheet.contains(&format!("<t>+{number}</t>")), "{number} is no text in {sheet}");
    let cost = cell(total, "cost");
    let cost = cost.trim_end_matches('0').trim_end_matches('.');
    assert!(sheet.contains(&format!("<v>{cost}</v>")), "{cost} is no number in {sheet}");
    assert!(sheet.contains("<t>total</t>"));
    // Made again it is the same.
    assert!(house.get(&audience, &wanted, Format::Xlsx).unwrap().bytes == got.bytes);
    assert_eq!(fs::read_dir(house.data.path().join("tmp")).unwrap().count(), 0, "temporary files are left behind");
}

#[test]
fn rule_78_what_is_switched_off_is_absent_and_numbers_are_masked() {
    let house = House::demo();
    let of = payer("ldn", "acme");
    let seen = |visibility| house.desk.reports(&house.version, &occupier("acme", visibility), &of);
    assert_eq!(seen(Visibility::NONE), []);
    assert_eq!(seen(Visibility { itemised: true, ..Visibility::NONE }), [Report::Itemised]);
    let sums = [Report::ExtensionSummary, Report::Destinations];
    assert_eq!(seen(Visibility { summary: true, ..Visibility::NONE }), sums);
    let little = occupier("acme", Visibility { itemised: true, ..Visibility::NONE });
    let full = occupier("acme", Visibility::ALL);
    for format in [Format::Machine, Format::Spreadsheet] {
        let few = house.text(&little, &of, Report::Itemised, format);
        let all = house.text(&full, &of, Report::Itemised, format);
        assert!(!header(&few).contains(&"allowance_taken_s") && header(&all).contains(&"allowance_taken_s"));
        let rows = |text: &str, column: &str| -> Vec<String> {
            let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
            let at = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
            reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
        };
        let (own, numbers) = (rows(&all, "extension"), rows(&all, "number"));
        let mut masked = 0;
        for column in ["called", "dialled", "calling"] {
            for (at, (shown, whole)) in rows(&few, column).iter().zip(rows(&all, column)).enumerate() {
                let is_own = whole == own[at] || whole == numbers[at];
                if whole.is_empty() || is_own || whole == "withheld" {
                    assert_eq!(*shown, whole);
                } else {
                    assert!(shown.ends_with("xxx") && *shown != whole, "{column}: {shown} for {whole}");
                    masked += 1;
                }
            }
        }
        assert!(masked > 10, "{masked}");
        // Whatever stands in the file: no number at the other end is in it whole.
        let secrets: BTreeSet<String> =
            rows(&all, "called").into_iter().filter(|called| called.len() > 8 && !numbers.contains(called)).collect();
        for secret in &secrets {
            assert!(!few.contains(secret.trim_start_matches(['\'', '+'])), "{secret}");
        }
        assert!(secrets.len() > 3);
    }
}

#[test]
fn an_etag_tells_the_policy_and_the_form_apart_and_nothing_else() {
    let house = House::demo();
    let wanted = [Wanted { of: payer("ldn", "acme"), report: Report::Itemised }];
    let tag = |audience: &Audience, format| house.desk.prepare(&house.version, audience, &wanted, format).unwrap().etag;
    let full = occupier("acme", Visibility::ALL);
    let policies = [
        full.clone(),
        occupier("acme", Visibility { called_numbers: CalledNumbers::Masked, ..Visibility::ALL }),
        occupier("acme", Visibility { allowance_left: false, ..Visibility::ALL }),
        Audience::operator(),
    ];
    let tags: BTreeSet<String> =
        policies.iter().flat_map(|audience| Format::ALL.map(|format| tag(audience, format))).collect();
    assert_eq!(tags.len(), 16);
    assert_eq!(tag(&full, Format::Machine), tag(&full, Format::Machine));
    // What does not bear on the report does not change it.
    let no_summary = occupier("acme", Visibility { summary: false, ..Visibility::ALL });
    assert_eq!(tag(&no_summary, Format::Machine), tag(&full, Format::Machine));
    assert!(tags.iter().all(|tag| tag.len() == 34 && tag.starts_with('"')));
    assert_eq!(house.get(&full, &wanted, Format::Machine).unwrap().etag, tag(&full, Format::Machine));
}

#[test]
fn the_operator_gets_the_files_as_they_were_published() {
    let house = House::demo();
    let operator = Audience::operator();
    for (of, report, name) in [
        (Of::AllSites, Report::CallCharges, "202610_all-sites_call-charges"),
        (Of::Site("ldn".into()), Report::Margin, "202610_ldn_margin"),
        (payer("ldn", "acme"), Report::Itemised, "202610_ldn_itemised_acme"),
        (payer("ldn", "harbour"), Report::Itemised, "202610_ldn_itemised_harbour"),
    ] {
        for (format, form) in [
            (Format::Spreadsheet, Form::Spreadsheet),
            (Format::Machine, Form::Machine),
            (Format::Parquet, Form::Parquet),
        ] {
            let got = house.get(&operator, &[Wanted { of: of.clone(), report }], format).unwrap();
            assert_eq!(got.name, format!("{name}.{}", format.ending()));
            let published = house.version.report(&of, report, form).unwrap();
            assert!(got.is_file && got.bytes == fs::read(published.path).unwrap(), "{name}");
        }
        let got = house.get(&operator, &[Wanted { of: of.clone(), report }], Format::Xlsx).unwrap();
        assert!(!got.is_file && got.bytes.starts_with(b"PK"), "{name}");
    }
}

#[test]
fn all_calls_of_a_site_come_with_both_sides_in_every_form() {
    let house = House::demo();
    let operator = Audience::operator();
    for site in ["ldn", "nyc"] {
        let of = Of::Site(site.into());
        let wanted = [Wanted { of: of.clone(), report: Report::Itemised }];
        let got = house.get(&operator, &wanted, Format::Parquet).unwrap();
        assert_eq!((got.name, got.is_file), (format!("202610_{site}_itemised.parquet"), true));
        let got = house.get(&operator, &wanted, Format::Xlsx).unwrap();
        assert_eq!(got.name, format!("202610_{site}_itemised.xlsx"));
        for (format, form) in [(Format::Machine, Form::Machine), (Format::Spreadsheet, Form::Spreadsheet)] {
            let text = house.text(&operator, &of, Report::Itemised, format);
            assert!(header(&text).contains(&"operator_amount"));
            // The rows of each occupier begin with what the occupier's own file has, cell for cell.
            let lines: Vec<&str> = text.lines().collect();
            for (_, id) in OCCUPIERS.into_iter().filter(|(of, _)| *of == site) {
                let own = house.version.report(&payer(site, id), Report::Itemised, form).unwrap();
                let own = fs::read_to_string(own.path).unwrap();
                let rows: Vec<&str> = own.lines().skip(1).collect();
                assert!(!rows.is_empty());
                for row in rows {
                    assert!(lines.iter().any(|line| line.starts_with(&format!("{row},{id},"))), "{row}");
                }
            }
        }
        // An operator of another site alone gets none of it.
        let other = Audience::Operator { sites: Some(BTreeSet::from(["par".to_owned()])) };
        assert!(house.get(&other, &wanted, Format::Machine).is_err());
    }
}

#[test]
fn every_column_that_is_published_is_known_here() {
    let mut snapshot = demo::snapshot();
    snapshot.usage = Some(rating_service::store::snapshot::Usage {
        allowance: 30,
        price_per_month: "10.00 GBP".into(),
        ..Default::default()
    });
    let house = House::of(snapshot);
    let mut files = 0;
    let sites = [Of::AllSites, Of::Site("ldn".into()), Of::Site("nyc".into())];
    for of in sites.into_iter().chain(OCCUPIERS.map(|(site, id)| payer(site, id))) {
        for report in house.desk.reports(&house.version, &Audience::operator(), &of) {
            let wanted = [Wanted { of: of.clone(), report }];
            let got = house.get(&Audience::operator(), &wanted, Format::Xlsx).unwrap();
            assert!(got.bytes.starts_with(b"PK"), "{}", got.name);
            files += 1;
        }
    }
    assert!(files > 20, "{files}");
}

#[test]
fn rule_80_an_operator_limited_to_a_site_gets_no_row_of_another() {
    let mut snapshot = demo::snapshot();
    snapshot.usage = Some(rating_service::store::snapshot::Usage {
        allowance: 30,
        price_per_month: "10.00 GBP".into(),
        ..Default::default()
    });
    let house = House::of(snapshot);
    let limited = Audience::Operator { sites: Some(BTreeSet::from(["ldn".to_owned()])) };
    for format in [Format::Spreadsheet, Format::Machine] {
        for report in [Report::CallCharges, Report::Exceptions, Report::Usage] {
            let text = house.text(&limited, &Of::AllSites, report, format);
            let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
            let at = reader.headers().unwrap().iter().position(|name| name == "site").unwrap();
            let sites: BTreeSet<String> = reader.records().map(|row| row.unwrap()[at].to_owned()).collect();
            assert_eq!(sites, BTreeSet::from(["ldn".to_owned()]), "{report:?}");
            assert!(!text.contains("nyc") && !text.contains("USD"), "{report:?}: {text}");
        }
    }
    // Rule 15: all sites are the union of the single sites, row for row.
    let all = house.text(&limited, &Of::AllSites, Report::CallCharges, Format::Machine);
    let own = house.text(&Audience::operator(), &Of::Site("ldn".into()), Report::CallCharges, Format::Machine);
    assert_eq!(all, own);
    for of in [Of::Site("nyc".into()), payer("nyc", "acme")] {
        assert_eq!(house.get(&limited, &all_of(&of), Format::Machine).err().unwrap().code, "publish.not_available");
    }
    assert!(house.get(&limited, &all_of(&payer("ldn", "acme")), Format::Machine).is_ok());
    for format in [Format::Xlsx, Format::Parquet] {
        let got = house.get(&limited, &[Wanted { of: Of::AllSites, report: Report::CallCharges }], format).unwrap();
        assert!(!readable(&got.bytes).contains("nyc"), "{format:?}");
    }
}

#[test]
fn a_preview_says_so_and_is_shown_only_to_those_who_may_see_the_usage_to_date() {
    let data = demo::data();
    let engine = Engine::new(data.path());
    let mut snapshot = demo::snapshot();
    snapshot.usage = Some(rating_service::store::snapshot::Usage {
        allowance: 30,
        price_per_month: "10.00 GBP".into(),
        ..Default::default()
    });
    let today = Date::parse("2026-10-12").unwrap();
    let outcome = wait(engine.preview(snapshot, october(), today, None)).unwrap();
    let version = engine.archive().version(october(), &outcome.summary.run).unwrap().unwrap();
    let desk = Desk::new(data.path()).unwrap().of("harbour");
    let house = House { data, version, desk };
    let wanted = all_of(&payer("ldn", "acme"));
    let not_yet = occupier("acme", Visibility { usage_to_date: false, ..Visibility::ALL });
    assert_eq!(house.get(&not_yet, &wanted, Format::Machine).err().unwrap().code, "publish.not_available");
    let got = house.get(&occupier("acme", Visibility::ALL), &wanted, Format::Spreadsheet).unwrap();
    assert_eq!(got.name, "202610_ldn_call-charges_acme.provisional.zip");
    assert!(unzip(&got.bytes).iter().all(|(name, _)| name.ends_with(".provisional.csv")));
    let one = house.get(&Audience::operator(), &wanted[1..2], Format::Machine).unwrap();
    assert_eq!(one.name, "202610_ldn_itemised_acme.provisional.machine.csv");
    // Rule 37: the usage of the current month has columns to today only; 21 lines above the allowance at 10.00 for 31 days
    // are 6.77 a day, and 81.24 in twelve days.
    for format in [Format::Machine, Format::Spreadsheet] {
        let usage = house.text(&Audience::operator(), &Of::AllSites, Report::Usage, format);
        let columns = header(&usage);
        assert_eq!((columns.last(), columns.contains(&"day_13")), (Some(&"day_12"), false));
        let accrual = usage.lines().last().unwrap();
        assert!(accrual.starts_with("monthly accrual,") && accrual.ends_with(",81.24"), "{accrual}");
    }
}

#[test]
fn ids_that_are_hard_to_name_make_names_that_are_safe_and_different() {
    let data = tempfile::tempdir().unwrap();
    let mut snapshot = demo::snapshot();
    let rename = |id: &mut String| {
        if id == "acme" {
            *id = "A.c_me".to_owned();
        }
    };
    snapshot.occupiers.iter_mut().for_each(|row| rename(&mut row.id));
    snapshot.contracts.iter_mut().for_each(|row| rename(&mut row.occupier));
    snapshot.allocations.iter_mut().for_each(|row| rename(&mut row.holder));
    let house = House::of(snapshot);
    drop(data);
    let of = payer("ldn", "A.c_me");
    let got = house.get(&occupier("A.c_me", Visibility::ALL), &all_of(&of), Format::Machine).unwrap();
    assert_eq!(got.name, "202610_ldn_call-charges_A~2ec~5fme~~1.machine.csv.zip");
    for (name, _) in unzip(&got.bytes) {
        assert!(PathBuf::from(&name).components().count() == 1 && !name.contains(".."), "{name}");
    }
    // Capital and small letters tell occupiers apart, and are not one occupier.
    assert!(house.get(&occupier("a.c_me", Visibility::ALL), &all_of(&of), Format::Machine).is_err());
}

#[test]
fn a_report_that_was_changed_or_is_gone_is_not_sent_as_if_it_were_whole() {
    let house = House::demo();
    let wanted = [Wanted { of: payer("ldn", "acme"), report: Report::Itemised }];
    let file = house.version.report(&payer("ldn", "acme"), Report::Itemised, Form::Machine).unwrap().path;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    let operator = house.get(&Audience::operator(), &wanted, Format::Machine).err().unwrap();
    assert_eq!(operator.code, "publish.version_damaged");
    let theirs = house.get(&occupier("acme", Visibility::ALL), &wanted, Format::Machine).err().unwrap();
    assert_eq!(theirs.code, "publish.disk");
    fs::remove_file(&file).unwrap();
    for audience in [Audience::operator(), occupier("acme", Visibility::ALL)] {
        assert_eq!(house.get(&audience, &wanted, Format::Machine).err().unwrap().code, "publish.disk");
    }
}
