//! The calls of the demo: what each site's switch wrote in a month, as an Asterisk writes it. The same month gives the same
//! bytes, so far as it has gone.

use rating_core::time::{Instant, LocalTime, Month, Weekday, Zone};

use super::world::{MAIN, Place};

/// Where all draws begin.
const SEED: u64 = 0x5241_5449_4E47;

/// Draws numbers (SplitMix64, Steele, Lea and Flood 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^ (drawn >> 31)
    }

    /// From 0 to below `most`.
    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(list.len()).ok()?;
        list.get(usize::try_from(self.below(count)).ok()?)
    }
}

/// Called numbers as they are keyed behind the 9, and how many digits follow: such as are reserved for drama, and the more
/// often called named more often.
const BRITISH: [(&str, u32); 14] = [
    ("01134960", 3),
    ("01214960", 3),
    ("01174960", 3),
    ("020794609", 2),
    ("07700900", 3),
    ("07700900", 3),
    ("07700900", 3),
    ("03069990", 3),
    ("08081570", 3),
    ("0012025550", 3),
    ("004930231250", 2),
    ("004917139200", 2),
    ("00331990000", 2),
    ("00353209100", 3),
];
/// The same in New York.
const AMERICAN: [(&str, u32); 9] = [
    ("120255501", 2),
    ("131255501", 2),
    ("141555501", 2),
    ("121255509", 2),
    ("180055501", 2),
    ("0114420794609", 2),
    ("0114477009001", 2),
    ("0114930231250", 2),
    ("411", 0),
];
/// Who calls in.
const CALLERS: [(&str, u32); 3] = [("07700900", 3), ("01134960", 3), ("020794609", 2)];
const AMERICAN_CALLERS: [(&str, u32); 2] = [("20255501", 2), ("31255501", 2)];
/// A satellite phone, which no tariff of the demo has a price for: its calls wait for one, to be seen as suspended.
const UNPRICED: &str = "00881623456789";

/// A number of one of these kinds.
fn number(draws: &mut Draws, kinds: &[(&str, u32)]) -> String {
    let (prefix, more) = draws.of(kinds).copied().unwrap_or_default();
    let width = usize::try_from(more).unwrap_or_default();
    if width == 0 {
        return prefix.to_owned();
    }
    format!("{prefix}{:0width$}", draws.below(10_u64.pow(more)))
}

/// What a call is made of.
struct Call {
    from: String,
    to: String,
    context: &'static str,
    channel: String,
    to_channel: String,
    /// Seconds since the beginning of its day.
    second: u64,
    rings: u64,
    /// How long it was talked, if it was answered.
    talked: Option<u64>,
}

impl Call {
    /// Seconds until it is over.
    fn length(&self) -> u64 {
        self.rings + self.talked.unwrap_or_default()
    }
}

/// What a site's switch wrote in a month until now.
pub(super) fn file(place: &Place, month: Month, now: Instant) -> String {
    let Some(zone) = Zone::load(place.zone) else { return String::new() };
    let today = zone.to_local(now);
    let (first, end) = month.days();
    let mut draws = Draws(SEED ^ place.number(0) ^ u64::try_from(first.days()).unwrap_or_default());
    let mut text = String::new();
    let mut serial = 0;
    let mut day = first;
    while day < end && day <= today.date() {
        let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let mut calls = Vec::new();
        for phone in place.phones() {
            let count = if is_weekend { u64::from(draws.below(12) == 0) } else { 2 + draws.below(6) };
            for _ in 0..count {
                calls.push(call(place, phone, &mut draws));
            }
        }
        // Tuesdays of the first three weeks.
        if place.id == "ldn" && day.weekday() == Weekday::Tuesday && day.civil().2 <= 21 {
            calls.push(outgoing(place, 1, UNPRICED.to_owned(), 38_000, Some(240)));
        }
        // A switch writes a call when it is over.
        calls.sort_by_key(|call| call.second + call.length());
        for call in calls {
            serial += 2;
            write(&mut text, &call, day.midnight(), &zone, serial, now);
        }
        day = day.tomorrow();
    }
    text
}

fn outgoing(place: &Place, phone: u64, to: String, second: u64, talked: Option<u64>) -> Call {
    let extension = (place.extension + phone).to_string();
    Call {
        channel: format!("PJSIP/{extension}"),
        from: extension,
        to: format!("9{to}"),
        context: "from-internal",
        to_channel: "PJSIP/carrier".to_owned(),
        second,
        rings: 6,
        talked,
    }
}

/// A call of a phone, out, in or within the house, somewhen between half past eight and a quarter to six.
fn call(place: &Place, phone: u64, draws: &mut Draws) -> Call {
    let is_american = place.country == "US";
    let second = 30_600 + draws.below(33_300);
    // Most are short, and some are long.
    let talked = 15 + draws.below(1_200).min(draws.below(1_200)).min(draws.below(2_400));
    let talked = (draws.below(100) < 82).then_some(talked);
    // A main number is called, and calls nobody.
    let is_main = place.id == MAIN.0 && phone == MAIN.1;
    let kind = if is_main { 6 } else { draws.below(10) };
    let mut call = if kind < 6 {
        let to = if is_american { number(draws, &AMERICAN) } else { number(draws, &BRITISH) };
        outgoing(place, phone, to, second, talked)
    } else if kind < 9 {
        let from = if is_american { number(draws, &AMERICAN_CALLERS) } else { number(draws, &CALLERS) };
        let own = place.number(phone).to_string();
        // As people of the country write it.
        let to =
            own.strip_prefix("44").map_or_else(|| own.get(1..).unwrap_or_default().to_owned(), |own| format!("0{own}"));
        Call {
            from,
            to,
            context: "from-trunk",
            channel: "PJSIP/carrier".to_owned(),
            to_channel: format!("PJSIP/{}", place.extension + phone),
            second,
            rings: 0,
            talked,
        }
    } else {
        let other = draws.of(&place.phones()).copied().unwrap_or_default();
        let other = place.extension + other;
        Call {
            from: (place.extension + phone).to_string(),
            to: other.to_string(),
            context: "from-internal",
            channel: format!("PJSIP/{}", place.extension + phone),
            to_channel: format!("PJSIP/{other}"),
            second,
            rings: 0,
            talked,
        }
    };
    call.rings = 3 + draws.below(18);
    call
}

/// Adds a call's row, if it is over by now.
fn write(text: &mut String, call: &Call, midnight: LocalTime, zone: &Zone, serial: u64, now: Instant) {
    let second = |seconds: u64| {
        let millis = i64::try_from(seconds).unwrap_or_default() * 1_000;
        LocalTime::from_millis(midnight.as_millis() + millis)
    };
    let show = |at: LocalTime| at.to_string().replace('T', " ");
    let length = call.length();
    let (start, end) = (second(call.second), second(call.second + length));
    if zone.start_of(end) > now {
        return;
    }
    let answer = call.talked.map(|_| show(second(call.second + call.rings))).unwrap_or_default();
    let disposition = if call.talked.is_some() { "ANSWERED" } else { "NO ANSWER" };
    let Call { from, to, context, channel, to_channel, .. } = call;
    let name = if *context == "from-internal" { format!("\"\"Desk {from}\"\" <{from}>") } else { from.clone() };
    let unique = zone.start_of(start).as_millis() / 1_000;
    text.push_str(&format!(
        "\"\",\"{from}\",\"{to}\",\"{context}\",\"{name}\",\"{channel}-{serial:08x}\",\"{to_channel}-{:08x}\",\"Dial\",\
         \"{to_channel},60,T\",\"{}\",\"{answer}\",\"{}\",{length},{},\"{disposition}\",\"DOCUMENTATION\",\"{unique}.{serial}\",\"\"\n",
        serial + 1,
        show(start),
        show(end),
        call.talked.unwrap_or_default(),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::world::PLACES;

    #[test]
    fn a_month_so_far_is_the_beginning_of_the_whole_month() {
        let month = Month::parse("2026-10").unwrap();
        let (middle, end) =
            ["2026-10-14T12:00:00Z", "2026-11-01T12:00:00Z"].map(|at| Instant::parse_rfc3339(at).unwrap()).into();
        for place in &PLACES {
            let (part, whole) = (file(place, month, middle), file(place, month, end));
            assert!(!part.is_empty() && whole.starts_with(&part) && whole.len() > part.len(), "{}", place.id);
            assert_eq!(whole, file(place, month, end));
        }
    }
}
