//! Settings for a file that was looked at.

use std::fmt::Write as _;

use super::Inspection;
use crate::cdr::{Format, Options};
use crate::time::{Instant, Zone};

/// Zones that a clock is compared with, the likelier ones first among equals.
const ZONES: [&str; 24] = [
    "UTC",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Rome",
    "Europe/Athens",
    "Europe/Moscow",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Africa/Johannesburg",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Hong_Kong",
    "Asia/Tokyo",
    "Australia/Perth",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// Zones whose clocks were `minutes` ahead of UTC at that instant.
pub(super) fn zones(minutes: i32, at: Instant) -> Vec<&'static str> {
    ZONES
        .into_iter()
        .filter(|name| Zone::load(name).is_some_and(|zone| zone.offset_at(at) == i64::from(minutes) * 60_000))
        .collect()
}

/// What the beginning of a file is as text.
pub(super) fn text_facts(head: &[u8]) -> Vec<String> {
    let mut facts = Vec::new();
    let mark = head.starts_with(b"\xEF\xBB\xBF");
    facts.push(match std::str::from_utf8(head) {
        _ if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) => "UTF-16".to_owned(),
        _ if head.contains(&0) => "with NUL bytes".to_owned(),
        Ok(text) if text.is_ascii() => "ASCII".to_owned(),
        Ok(_) if mark => "UTF-8 with byte order mark".to_owned(),
        Ok(_) => "UTF-8".to_owned(),
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() => "UTF-8".to_owned(),
        Err(error) => format!("not UTF-8 (byte {}): ISO 8859-1 or a code page", error.valid_up_to()),
    });
    let count = |needle: &[u8]| memchr::memmem::find_iter(head, needle).count();
    let (crlf, lf, cr) = (count(b"\r\n"), count(b"\n"), count(b"\r"));
    facts.push(match (crlf, lf - crlf, cr - crlf) {
        (0, 0, 0) => "one line without an end".to_owned(),
        (0, _, 0) => "lines end with LF".to_owned(),
        (_, 0, 0) => "lines end with CR LF".to_owned(),
        (0, 0, _) => "lines end with CR".to_owned(),
        _ => "line ends are mixed".to_owned(),
    });
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty());
    let line = line.unwrap_or_default();
    let delimiter = [(b',', "commas"), (b';', "semicolons"), (b'|', "bars"), (b'\t', "tabs")]
        .into_iter()
        .map(|(byte, name)| (memchr::memchr_iter(byte, line).count(), name))
        .max_by_key(|(count, _)| *count);
    match delimiter {
        _ if line.starts_with(b"{") || line.starts_with(b"[") => facts.push("JSON by its first character".to_owned()),
        _ if line.starts_with(b"<") => facts.push("XML by its first character".to_owned()),
        Some((count, name)) if count > 0 => facts.push(format!("{count} {name} on the first line")),
        _ => facts.push(format!("no delimiters, {} characters on the first line", line.len())),
    }
    facts
}

/// A `[[source]]` block for files of one format.
pub(super) fn block(format: Format, files: &[&Inspection], options: &Options) -> String {
    let mut text = String::from("[[source]]\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "id = \"{}\"                  # your name for this switch", format.name());
    let _ = writeln!(text, "site = \"SITE\"               # the id of a [[site]]");
    let _ = writeln!(text, "format = \"{}\"", format.name());
    let layouts: Vec<&str> = files.iter().map(|file| file.layout.as_str()).collect();
    if let Some(layout) = layouts.first().filter(|layout| format.layouts().contains(layout))
        && layouts.iter().all(|other| other == layout)
    {
        let _ = writeln!(text, "layout = \"{layout}\"");
    }
    if !options.columns.is_empty() {
        let columns: Vec<String> = options.columns.iter().map(|column| quoted(column)).collect();
        let _ = writeln!(text, "columns = [{}]", columns.join(", "));
    }
    if let Some(year) = options.year {
        let _ = writeln!(text, "year = {year}");
    }
    if let Some(template) = &options.template {
        let _ = writeln!(text, "template = {}  # below the project's folder", quoted(template.name()));
    }
    let names: Vec<String> =
        files.iter().map(|file| quoted(file.path.rsplit('/').next().unwrap_or(&file.path))).collect();
    let _ = writeln!(
        text,
        "files = [{}]  # patterns below the project's folder, such as \"cdr/ldn/*.csv\"",
        names.join(", ")
    );
    let zones: Vec<&'static str> = files.first().map_or_else(Vec::new, |file| {
        file.zones.iter().copied().filter(|zone| files.iter().all(|other| other.zones.contains(zone))).collect()
    });
    let is_utc = files.iter().all(|file| file.tally.is_utc());
    let _ = match zones.first() {
        // Where somebody turned the times into local time, the ids tell so: UTC would not fit.
        _ if is_utc && (zones.is_empty() || zones.contains(&"UTC")) => {
            writeln!(text, "zone = \"UTC\"                # the format counts in UTC")
        }
        Some(zone) if zones.len() == 1 => writeln!(text, "zone = \"{zone}\"    # by the ids of the records"),
        Some(zone) => writeln!(
            text,
            "zone = \"{zone}\"    # or {}: the ids tell the offset, you the place",
            zones[1..].join(", ")
        ),
        None => writeln!(
            text,
            "zone = \"ZONE\"               # the switch's clock, such as \"Europe/London\": nothing in the file tells it"
        ),
    };
    let mut trunks: Vec<&String> =
        files.iter().flat_map(|file| file.tally.lines.keys()).filter(|name| looks_like_a_trunk(name)).collect();
    trunks.sort_unstable();
    trunks.dedup();
    if !trunks.is_empty() {
        let names: Vec<String> = trunks.iter().take(12).map(|name| quoted(name)).collect();
        let _ = writeln!(text, "trunks = [{}]  # check: lines to the outside, and only these", names.join(", "));
    }
    text
}

/// Whether a line is more likely a trunk than a telephone.
fn looks_like_a_trunk(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["trunk", "provider", "carrier", "gateway", "-gw", "gw-", "pstn", "outbound", "dahdi/", "external"]
        .iter()
        .any(|word| name.contains(word))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
