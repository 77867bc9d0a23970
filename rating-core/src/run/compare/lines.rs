//! Deltas as lines of CSV, in the machine profile: UTF-8, CRLF, an empty cell for what there is not.

use super::{Delta, sides};
use crate::money::{Charge, Total};
use crate::report::{PublishedCall, PublishedSide};
use crate::time::Instant;

const OF_A_CALL: [&str; 16] = [
    "change",
    "cause",
    "what",
    "site_before",
    "site_after",
    "payer_before",
    "payer_after",
    "call_id",
    "charged_at",
    "calling",
    "dialled",
    "called",
    "duration_s_before",
    "duration_s_after",
    "allowance_taken_s_before",
    "allowance_taken_s_after",
];

const OF_A_SIDE: [&str; 8] =
    ["status", "reason", "tariff", "tariff_version", "destination", "rate", "amount", "currency"];

const OF_THE_RECORD: [&str; 3] = ["source", "file", "record_offset"];

/// Writes one line.
pub(in crate::run) fn line(cells: &[String], out: &mut Vec<u8>) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The line of column names.
#[must_use]
pub fn csv_header() -> Vec<u8> {
    let mut cells: Vec<String> = OF_A_CALL.iter().map(|name| (*name).to_owned()).collect();
    for side in ["retail", "wholesale"] {
        for name in OF_A_SIDE {
            cells.push(format!("{side}_{name}_before"));
            cells.push(format!("{side}_{name}_after"));
        }
        cells.push(format!("{side}_difference"));
    }
    cells.extend(OF_THE_RECORD.iter().map(|name| (*name).to_owned()));
    let mut out = Vec::new();
    line(&cells, &mut out);
    out
}

/// A field of a call as text.
type OfCall = dyn Fn(&PublishedCall<&str>) -> String;
/// A field of a side as text.
type OfSide = fn(&PublishedSide<&str>) -> String;

fn text<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Seconds, without the unit.
fn seconds(duration: Option<crate::time::Duration>) -> String {
    text(duration).trim_end_matches('s').to_owned()
}

/// What a side of a call is charged, and the currency if it is.
fn charge_of<'c>(call: Option<&PublishedCall<&'c str>>, side: usize) -> (Option<Charge>, Option<&'c str>) {
    let charge = call.and_then(|call| sides(call)[side].1.charge);
    (charge, call.map(|call| sides(call)[side].1.currency).filter(|_| charge.is_some()))
}

impl Delta<'_> {
    /// Appends its line of CSV, under the names of [`csv_header`].
    pub fn write_csv(&self, out: &mut Vec<u8>) {
        let Some(call) = self.after.or(self.before) else { return };
        let of = |call: Option<&PublishedCall<&str>>, get: &OfCall| call.map_or_else(String::new, get);
        let both = |get: &OfCall| [of(self.before, get), of(self.after, get)];
        let mut cells = vec![self.change().name().to_owned(), self.cause.name().to_owned(), self.what.to_owned()];
        cells.extend(both(&|call| call.site.to_owned()));
        cells.extend(both(&|call| call.payer.to_owned()));
        cells.push(call.call_id.to_owned());
        cells.push(call.charged_at.map_or_else(String::new, Instant::to_rfc3339));
        cells.extend([call.calling, call.dialled, call.called].map(str::to_owned));
        cells.extend(both(&|call| seconds(Some(call.duration))));
        cells.extend(both(&|call| seconds(call.allowance)));
        for side in [0, 1] {
            let fields: [OfSide; 8] = [
                |side| side.status.to_owned(),
                |side| side.reason.to_owned(),
                |side| side.tariff.to_owned(),
                |side| text(side.version),
                |side| side.destination.to_owned(),
                |side| text(side.rate),
                |side| text(side.charge),
                |side| side.currency.to_owned(),
            ];
            for field in fields {
                cells.extend(both(&move |call| field(sides(call)[side].1)));
            }
            let ((one, of_one), (other, of_other)) = (charge_of(self.before, side), charge_of(self.after, side));
            // Amounts in two currencies have no difference.
            let comparable = of_one.is_none() || of_other.is_none() || of_one == of_other;
            let difference = (comparable && (one.is_some() || other.is_some())).then(|| {
                let units = |charge: Option<Charge>| i128::from(charge.unwrap_or_default().units());
                Total::from_units(units(other) - units(one))
            });
            cells.push(text(difference));
        }
        cells.extend([call.source.to_owned(), call.file.to_owned(), call.offset.to_string()]);
        line(&cells, out);
    }
}
