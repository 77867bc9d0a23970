//! Which column has what: administrators choose the names of the extra ones.

use super::super::End;
use super::super::fields::{Fields, NO_COLUMN};
use super::super::reader::FileError;

/// What every transaction has, in this order; a table's dump has `id` before it.
pub(super) const FIXED: [&str; 7] = ["method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time"];

/// Where the columns are that count; [`NO_COLUMN`] if they are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) method: u16,
    pub(super) from_tag: u16,
    pub(super) to_tag: u16,
    pub(super) call_id: u16,
    pub(super) code: u16,
    pub(super) time: u16,
    pub(super) created: u16,
    pub(super) start: u16,
    pub(super) end: u16,
    pub(super) duration: u16,
    pub(super) milliseconds: u16,
    pub(super) calling: u16,
    pub(super) peer: u16,
    pub(super) asked: u16,
    pub(super) reached: u16,
    pub(super) forwarder: u16,
    pub(super) account: u16,
    pub(super) ingress: u16,
    pub(super) source_domain: u16,
    pub(super) egress: u16,
    pub(super) target_domain: u16,
    pub(super) direction: u16,
}

impl Columns {
    const NONE: Self = Self {
        method: NO_COLUMN,
        from_tag: NO_COLUMN,
        to_tag: NO_COLUMN,
        call_id: NO_COLUMN,
        code: NO_COLUMN,
        time: NO_COLUMN,
        created: NO_COLUMN,
        start: NO_COLUMN,
        end: NO_COLUMN,
        duration: NO_COLUMN,
        milliseconds: NO_COLUMN,
        calling: NO_COLUMN,
        peer: NO_COLUMN,
        asked: NO_COLUMN,
        reached: NO_COLUMN,
        forwarder: NO_COLUMN,
        account: NO_COLUMN,
        ingress: NO_COLUMN,
        source_domain: NO_COLUMN,
        egress: NO_COLUMN,
        target_domain: NO_COLUMN,
        direction: NO_COLUMN,
    };

    /// The columns of these names, the first of which stands at `from`. Of equal ones the first counts.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>, from: u16) -> Self {
        let mut columns = Self::NONE;
        for (at, name) in (from..NO_COLUMN).zip(names) {
            if let Some(place) = columns.place(&plain(name))
                && *place == NO_COLUMN
            {
                *place = at;
            }
        }
        columns
    }

    fn place(&mut self, name: &str) -> Option<&mut u16> {
        Some(match name {
            "method" => &mut self.method,
            "from_tag" => &mut self.from_tag,
            "to_tag" => &mut self.to_tag,
            "callid" | "call_id" => &mut self.call_id,
            "sip_code" => &mut self.code,
            "time" => &mut self.time,
            "created" => &mut self.created,
            "start_time" => &mut self.start,
            "end_time" => &mut self.end,
            "duration" => &mut self.duration,
            "ms_duration" => &mut self.milliseconds,
            "src_user" | "from_user" | "caller" | "calling" | "from_uri" => &mut self.calling,
            "auth_user" | "username" => &mut self.peer,
            "dst_ouser" | "to_user" | "dialled" | "dialed" | "to_uri" => &mut self.asked,
            "dst_user" | "ruri_user" | "callee" | "called" | "ruri" => &mut self.reached,
            "diversion" | "redirecting" | "forwarder" => &mut self.forwarder,
            "account" | "accountcode" | "account_code" => &mut self.account,
            "src_ip" | "source_ip" | "src_gw" => &mut self.ingress,
            "src_domain" => &mut self.source_domain,
            "dst_ip" | "destination_ip" | "dst_gw" | "gateway" => &mut self.egress,
            "dst_domain" => &mut self.target_domain,
            "direction" | "calltype" | "call_type" => &mut self.direction,
            _ => return None,
        })
    }

    pub(super) const fn has_method(&self) -> bool {
        self.method != NO_COLUMN
    }

    /// How many columns a row has to have, so that each of these is there.
    pub(super) fn width(&self) -> usize {
        [self.calling, self.peer, self.asked, self.reached]
            .into_iter()
            .filter(|column| *column != NO_COLUMN)
            .map(|column| usize::from(column) + 1)
            .max()
            .unwrap_or(0)
    }

    /// # Errors
    ///
    /// [`FileError::ColumnMissing`] without what every call needs.
    pub(super) fn check(&self, whole_calls: bool) -> Result<(), FileError> {
        let transactions = [
            (self.from_tag, "from_tag"),
            (self.to_tag, "to_tag"),
            (self.call_id, "callid"),
            (self.code, "sip_code"),
            (self.time, "time"),
        ];
        let calls = [(self.start, "start_time"), (self.duration.min(self.milliseconds), "duration")];
        let parties = [(self.calling.min(self.peer), "src_user"), (self.asked.min(self.reached), "dst_user")];
        let needed = if whole_calls { &calls[..] } else { &transactions[..] };
        match needed.iter().chain(&parties).find(|(column, _)| *column == NO_COLUMN) {
            Some((_, column)) => Err(FileError::ColumnMissing { column }),
            None => Ok(()),
        }
    }
}

/// A name without regard to case, blanks and hyphens.
fn plain(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['-', ' '], "_")
}

/// The names in a header line.
pub(super) fn names(text: &[u8], fields: &Fields) -> Vec<String> {
    let count = u16::try_from(fields.count()).unwrap_or(NO_COLUMN);
    (0..count).map(|at| plain(&String::from_utf8_lossy(fields.get(text, at)))).collect()
}

/// Whether a line names the columns of transactions or of Kamailio's calls.
pub(super) fn is_header(text: &[u8], fields: &Fields) -> bool {
    let count = u16::try_from(fields.count()).unwrap_or(NO_COLUMN);
    let has = |name: &str| (0..count).any(|at| fields.get(text, at).trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
    (has("method") && has("sip_code")) || (has("start_time") && has("end_time") && has("duration") && !has("billsec"))
}

/// Where both ends are, by a column that the proxy's script fills.
pub(super) fn told_ends(direction: &[u8]) -> [End; 2] {
    if direction.is_empty() {
        return [End::Untold; 2];
    }
    let is = |words: &[&str]| words.iter().any(|word| direction.eq_ignore_ascii_case(word.as_bytes()));
    if is(&["in", "inbound", "incoming"]) {
        [End::Outside, End::Inside]
    } else if is(&["out", "outbound", "outgoing"]) {
        [End::Inside, End::Outside]
    } else if is(&["internal", "local", "onnet", "on-net"]) {
        [End::Inside, End::Inside]
    } else if is(&["forwarded", "transit"]) {
        [End::Outside, End::Outside]
    } else {
        [End::Untold; 2]
    }
}
