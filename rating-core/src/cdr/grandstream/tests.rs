use super::super::reader::{Format, Options, open, recognise};
use super::super::template::tests::check_folder;

#[test]
fn every_file_of_the_folder_is_read_as_is_written_beside_it() {
    check_folder("grandstream", |_, bytes| open(Format::Grandstream, &Options::default(), bytes, true));
}

#[test]
fn its_files_are_recognised() {
    for name in ["titles.csv", "main-and-sub-records.csv"] {
        let path = format!("{}/../testdata/grandstream/{name}", env!("CARGO_MANIFEST_DIR"));
        let found = recognise(&std::fs::read(&path).unwrap(), true);
        assert_eq!(found.first().map(|(format, _)| *format), Some(Format::Grandstream), "{name} {found:?}");
    }
}
