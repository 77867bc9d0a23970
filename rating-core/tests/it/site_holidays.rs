//! A site's own calendar, from rating.toml to the band of a call.

use std::fs;
use std::path::Path;

use rating_core::finding::Findings;
use rating_core::ids::SiteId;
use rating_core::run::project::Project;
use rating_core::run::storage::Disk;
use rating_core::time::Instant;

use crate::support::{files_below, testdata, write_files};

fn load(folder: &Path) -> (Option<Project>, Findings) {
    Project::load(&Disk, folder, None).unwrap()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_site_has_the_holidays_that_its_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    let demo = files_below(&testdata().join("demo"));
    write_files(folder.path(), demo.iter());
    fs::write(folder.path().join("pier.csv"), "date,name\n2026-10-07,Pier closed\n").unwrap();
    let settings = folder.path().join("rating.toml");
    edit(&settings, "extensions = [\"2000-2099\"]", "extensions = [\"2000-2099\"]\nholidays = \"GB-ENG\"");
    edit(&settings, "extensions = [\"4000-4099\"]", "extensions = [\"4000-4099\"]\nholidays = [\"US\", \"pier.csv\"]");
    let tariff = folder.path().join("tariffs/retail-gb.toml");
    edit(&tariff, "dates = [\"2026-12-25\", \"2026-12-28\"]", "calendar = [\"site\"]");
    let (project, findings) = load(folder.path());
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(!shown.iter().any(|finding| finding.contains("calendar")), "{shown:?}");
    let book = project.unwrap().book;
    let tariff = book.tariff(book.tariff_id("retail-gb").unwrap()).unwrap();
    let version = &tariff.versions()[0];
    for (noon, bands) in [
        ("2026-08-31T16:00:00Z", ["weekend", "day"]), // summer bank holiday
        ("2026-10-12T16:00:00Z", ["day", "weekend"]), // Columbus Day
        ("2026-10-07T16:00:00Z", ["day", "weekend"]), // the file
        ("2026-12-25T16:00:00Z", ["weekend", "weekend"]),
        ("2026-10-08T16:00:00Z", ["day", "day"]),
    ] {
        let at = Instant::parse_rfc3339(noon).unwrap();
        let found = [0, 1].map(|site| book.band(version.band_id(version.band_at(0, at, SiteId(site)))));
        assert_eq!(found, bands, "{noon}");
    }
    // A file that is not there is said where it is named.
    fs::remove_file(folder.path().join("pier.csv")).unwrap();
    let (_, findings) = load(folder.path());
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(shown.iter().any(|text| text.starts_with("rating.toml:28:19: error[project.")), "{shown:?}");
}
