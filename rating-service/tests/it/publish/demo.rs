//! The demo project's tables as a snapshot of a database, and a data folder with its switches' files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rating_core::run::publish::hex;
use rating_service::store::snapshot::{
    AccountCode, Allocation, Assignment, Contract, ExchangeRate, File, Limits, Number, Occupier, Operator, Service,
    Site, Snapshot, Source,
};
use sha2::{Digest, Sha256};

use crate::house::repository;

/// The rows of a table of the demo, each cell by its column.
fn table(path: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(demo(path)).unwrap();
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| header.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect())
        .collect()
}

fn demo(path: &str) -> PathBuf {
    repository("testdata/demo").join(path)
}

fn text(value: &toml::Value, key: &str) -> String {
    value.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

fn texts(value: &toml::Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(toml::Value::as_array).into_iter().flatten();
    list.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A file kept outside the project, with the hash of its content.
pub(crate) fn stored(path: &str, content: &Path) -> File {
    let sha256 = hex(&Sha256::digest(fs::read(content).unwrap()));
    File { path: path.to_owned(), stored: content.to_owned(), sha256 }
}

/// What a database with the demo in it would be asked for.
pub(crate) fn snapshot() -> Snapshot {
    let settings: toml::Value = fs::read_to_string(demo("rating.toml")).unwrap().parse::<toml::Table>().unwrap().into();
    let rows = |key: &str| settings[key].as_array().unwrap().clone();
    let operator = &settings["operator"];
    let mut files = Vec::new();
    for entry in fs::read_dir(demo("tariffs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !["assignments.csv", "exchange_rates.csv"].contains(&&*name) {
            files.push(stored(&format!("tariffs/{name}"), &demo(&format!("tariffs/{name}"))));
        }
    }
    let cell = |row: &BTreeMap<String, String>, key: &str| row.get(key).cloned().unwrap_or_default();
    Snapshot {
        operator: Operator {
            id: text(operator, "id"),
            name: text(operator, "name"),
            currency: text(operator, "currency"),
            zone: text(operator, "zone"),
        },
        sites: rows("site")
            .iter()
            .map(|site| Site {
                id: text(site, "id"),
                name: text(site, "name"),
                zone: text(site, "zone"),
                country: text(site, "country"),
                area_code: text(site, "area_code"),
                outside_line: texts(site, "outside_line"),
                extensions: texts(site, "extensions"),
                holidays: texts(site, "holidays"),
            })
            .collect(),
        sources: rows("source")
            .iter()
            .map(|source| Source {
                id: text(source, "id"),
                site: text(source, "site"),
                format: text(source, "format"),
                zone: text(source, "zone"),
                settings: format!("trunks = {:?}", texts(source, "trunks")),
            })
            .collect(),
        occupiers: table("directory/occupiers.csv")
            .iter()
            .map(|row| Occupier {
                id: cell(row, "id"),
                name: cell(row, "name"),
                billing_reference: cell(row, "billing_reference"),
            })
            .collect(),
        contracts: table("directory/contracts.csv")
            .iter()
            .map(|row| Contract {
                id: cell(row, "id"),
                occupier: cell(row, "occupier"),
                site: cell(row, "site"),
                from: cell(row, "from"),
                until: cell(row, "until"),
            })
            .collect(),
        services: table("directory/services.csv")
            .iter()
            .map(|row| Service {
                id: cell(row, "id"),
                contract: cell(row, "contract"),
                lines: cell(row, "lines").parse().unwrap(),
                from: cell(row, "from"),
                until: cell(row, "until"),
            })
            .collect(),
        numbers: table("directory/numbers.csv")
            .iter()
            .map(|row| Number {
                number: cell(row, "number"),
                last: cell(row, "last"),
                site: cell(row, "site"),
                kind: cell(row, "kind"),
            })
            .collect(),
        allocations: table("directory/allocations.csv")
            .iter()
            .map(|row| Allocation {
                id: cell(row, "id"),
                holder: cell(row, "holder"),
                site: cell(row, "site"),
                number: cell(row, "number"),
                last: cell(row, "last"),
                extension: cell(row, "extension"),
                from: cell(row, "from"),
                until: cell(row, "until"),
                recorded_at: cell(row, "recorded_at"),
                supersedes: cell(row, "supersedes"),
            })
            .collect(),
        account_codes: table("directory/account_codes.csv")
            .iter()
            .map(|row| AccountCode {
                code: cell(row, "code"),
                holder: cell(row, "holder"),
                site: cell(row, "site"),
                from: cell(row, "from"),
                until: cell(row, "until"),
            })
            .collect(),
        files,
        assignments: table("tariffs/assignments.csv")
            .iter()
            .map(|row| Assignment {
                side: cell(row, "side"),
                payer: cell(row, "payer"),
                site: cell(row, "site"),
                tariff: cell(row, "tariff"),
                from: cell(row, "from"),
                until: cell(row, "until"),
                ..Assignment::default()
            })
            .collect(),
        exchange_rates: table("tariffs/exchange_rates.csv")
            .iter()
            .map(|row| ExchangeRate {
                from_currency: cell(row, "from_currency"),
                to_currency: cell(row, "to_currency"),
                rate: cell(row, "rate"),
                from: cell(row, "from"),
                until: cell(row, "until"),
            })
            .collect(),
        limits: Limits {
            suspended: text(&settings["limits"], "suspended"),
            rejected: text(&settings["limits"], "rejected"),
        },
        ..Snapshot::default()
    }
}

/// Where the demo has the files of each source.
pub(crate) const CDRS: [(&str, &str); 2] = [("ldn-pbx", "ldn"), ("nyc-cucm", "nyc")];

/// A data folder with the demo's switch files in it.
pub(crate) fn data() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    for (source, folder) in CDRS {
        let to = data.path().join("cdr").join(source);
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(demo(&format!("cdr/{folder}"))).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    data
}

/// Every file below a folder, by its path.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(at) = left.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(path, fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    files
}
