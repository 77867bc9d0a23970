//! FreeSWITCH: lines of `mod_cdr_csv`'s templates, and the documents of `mod_json_cdr`.
//!
//! Sources: FreeSWITCH's configuration as shipped (`cdr_csv.conf.xml`, `json_cdr.conf.xml`) and the documentation of the two
//! modules.
//!
//! Rules where the format leaves a choice:
//!
//! - **Answered** is an answer time with talk time above zero. The hangup cause says nothing: `NORMAL_CLEARING` ends calls
//!   that nobody answered, too.
//! - **Talk time** is `billsec`: the difference of two moments, both cut to seconds, so up to a second more or less than
//!   the true time, as FreeSWITCH's own tools bill it. The layout `json_billmsec` takes `billmsec`, in milliseconds, and leaves
//!   rounding to the tariff; so does a template of the site's own that has `billmsec` and no `billsec`.
//! - **Legs.** With `legs=ab` (JSON: `log-b-leg`) the leg of the caller stands for the call and the called party's is merged.
//!   In the templates with `bleg_uuid` the caller's leg names the other one. What its record cannot join is a leg of its own:
//!   an unanswered record that names no other leg, and any in a template that does not link legs (`asterisk`).
//! - **One channel, several records**: a record that repeats another byte for byte (the file of all calls and that of an
//!   account) is a duplicate. Records of one `uuid` that differ, say in the cause, are one call; the first answered one stands.
//! - **Dialled** in JSON is what the oldest entry of `callflow` has (the list is newest first); where the newest differs, the
//!   call was transferred and that is the number reached. Who transferred it, `sip_h_Referred-By` says. `rdnis` alone is no
//!   sign of that.
//! - **Direction** is not read: FreeSWITCH means the leg's, so that a customer's outgoing call is `inbound`. It ranks legs only.

mod csv;
mod document;

use std::sync::Arc;

use super::reader::{FileError, Options};
use super::records::Framing;
use super::switch::{Entry, Head, Opened, Sign};
use super::{End, address};

use csv::Csv;
use document::Documents;

pub(super) const ENTRY: Entry = Entry {
    layouts: &[
        "example",
        "default",
        "sql",
        "snom",
        "linksys",
        "asterisk",
        "opencdrrate",
        "columns",
        "json",
        "json_billmsec",
    ],
    open,
    recognise,
};

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let first = head.text().trim_ascii_start().first().copied();
    let layout = options.layout.as_deref();
    match (layout, first) {
        (Some("json_billmsec"), _) => Ok(documents(true)),
        (Some("json"), _) | (None, Some(b'{' | b'[')) => Ok(documents(false)),
        (_, Some(b'<')) => Err(FileError::Unreadable {
            what: "is XML, as mod_xml_cdr writes it".to_owned(),
            help: "have the switch write mod_json_cdr's documents or mod_cdr_csv's lines, which say the same"
                .to_owned(),
        }),
        _ => {
            let (csv, header_lines) = Csv::open(head, options)?;
            Ok(Opened { switch: Arc::new(csv), header_lines })
        }
    }
}

fn documents(milliseconds: bool) -> Opened {
    Opened { switch: Arc::new(Documents { milliseconds }), header_lines: 0 }
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    if matches!(head.text().trim_ascii_start().first(), Some(b'{' | b'[')) {
        let mut documents = head.records(Framing::Json).take(5);
        return documents.any(document::is_document).then(|| {
            Sign::new("json", 95, "JSON with `variables` and `callflow`, as FreeSWITCH's mod_json_cdr writes it")
        });
    }
    csv::recognise(head)
}

/// The number in a field that may be a SIP address.
#[inline]
fn number(text: &[u8]) -> &[u8] {
    if text.iter().any(|byte| matches!(byte, b'@' | b'<' | b':')) { address::user(text) } else { text }
}

/// Where a call went by the application that was run last: `bridge` to a user is inside, to a gateway outside.
fn bridged_to(application: &[u8], argument: &[u8]) -> End {
    if application != b"bridge" {
        return End::Untold;
    }
    // Variables for the leg stand before it, and several destinations may be tried.
    let target = match argument {
        [b'{', ..] => argument.splitn(2, |byte| *byte == b'}').nth(1).unwrap_or_default(),
        [b'[', ..] => argument.splitn(2, |byte| *byte == b']').nth(1).unwrap_or_default(),
        _ => argument,
    };
    if target.iter().any(|byte| matches!(byte, b',' | b'|')) {
        return End::Untold;
    }
    let begins = |heads: [&[u8]; 2]| heads.iter().any(|head| target.starts_with(head));
    match () {
        () if begins([b"user/", b"user%2F"]) => End::Inside,
        () if begins([b"sofia/gateway/", b"sofia%2Fgateway%2F"]) => End::Outside,
        () => End::Untold,
    }
}

/// Whether a text is a UUID: `d80e22e0-4c15-11ea-97a0-9dd79410affb`.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests;
