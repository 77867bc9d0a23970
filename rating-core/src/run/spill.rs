//! Rows set aside between the two passes of a run.
//!
//! The first pass rates chunks in whatever order they come; reports want the rows of one payer together, in time. So
//! each worker sorts its rows, as many as it holds, by site, payer, charging time and record, and sets them aside as one
//! [`Run`] of bytes with an index of where each payer's days lie; the second pass takes a payer's stretches out of every
//! run. The layout is private to one run of one program: nothing outlives it.

mod asked;
mod row;

use std::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::aside::{Appender, Block};
use super::storage::Result;
use crate::ids::{PayerId, SiteId, TariffId};
use crate::money::Currency;
use crate::rating::CallRow;
use crate::tariff::Query;
use crate::time::Instant;

/// Nobody is known to pay: comes last.
const NOBODY: u32 = u32::MAX;

const DAY_MS: i64 = 86_400_000;

/// What groups rows: the site, then the payer (`u32::MAX` if nobody is known to pay, so they come last).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The reporting site.
    pub site: u32,
    /// The payer.
    pub payer: u32,
}

impl GroupKey {
    fn of(row: &CallRow<'_>) -> Self {
        Self { site: row.site.0, payer: row.payer.map_or(NOBODY, |payer| payer.0) }
    }

    fn site(self) -> SiteId {
        SiteId(self.site)
    }

    /// Who pays, if that is known.
    #[must_use]
    pub fn payer(self) -> Option<PayerId> {
        Some(self.payer).filter(|payer| *payer != NOBODY).map(PayerId)
    }

    fn bits(self) -> u64 {
        u64::from(self.site) << 32 | u64::from(self.payer)
    }
}

/// Where a group's rows of one day lie in a run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Whose rows.
    pub key: GroupKey,
    /// The day of their charging times: days since 1970 in UTC.
    pub day: i32,
    /// First byte.
    pub start: u32,
    /// How many bytes.
    pub length: u32,
    /// How many rows.
    pub rows: u32,
    /// Charging time of the last, in milliseconds of the day.
    pub last_ms: u32,
}

/// The day of an instant: days since 1970 in UTC.
#[must_use]
pub fn day_of(at: Instant) -> i32 {
    i32::try_from(at.as_millis().div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

/// The first instant of a day.
#[must_use]
pub fn start_of(day: i32) -> Instant {
    Instant::from_millis(i64::from(day) * DAY_MS)
}

/// Rows set aside, sorted.
#[derive(Clone)]
pub struct Run {
    /// Their bytes.
    pub block: Block,
    /// Where each group's days lie, in order.
    pub stretches: Vec<Stretch>,
}

/// One row being collected.
#[derive(Clone, Copy, Default)]
struct Entry {
    time: i64,
    record: u64,
    /// Where its length stands among the bytes, and its bytes after it.
    start: u32,
    /// Which group.
    group: u32,
}

/// Rows being collected.
#[derive(Default)]
pub struct RowBuffer {
    /// Each row behind its length.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// The same, group by group.
    grouped: Vec<Entry>,
    /// Place of each group in `groups`.
    places: HashMap<u64, u32, FixedState>,
    /// How many rows each group has.
    groups: Vec<(GroupKey, usize)>,
}

/// Bytes of a row's length.
const LENGTH: usize = 2;

/// How many bytes are gathered before they are handed on.
const GATHERED: usize = 256 << 10;

impl RowBuffer {
    /// Adds a row; with it what its tariffs were asked, if an allowance may want it priced once more.
    pub fn push(&mut self, row: &CallRow<'_>, asked: Option<&Query<'_>>, codes: &[&'static str]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; LENGTH]);
        row::encode(row, asked, codes, &mut self.bytes);
        let length = u16::try_from(self.bytes.len() - start - LENGTH).unwrap_or(u16::MAX);
        if let Some(place) = self.bytes.get_mut(start..start + LENGTH) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let key = GroupKey::of(row);
        let fresh = place(self.groups.len());
        let group = *self.places.entry(key.bits()).or_insert(fresh);
        if group == fresh {
            self.groups.push((key, 0));
        }
        if let Some((_, rows)) = self.groups.get_mut(group as usize) {
            *rows += 1;
        }
        let (time, record) = (row.charging_at.as_millis(), row.record.to_bits());
        self.entries.push(Entry { time, record, start: place(start), group });
    }

    /// Puts the entries of each group together, in the order of the groups' keys; and says how many each has.
    fn group(&mut self) -> Vec<(GroupKey, usize)> {
        let mut order: Vec<(GroupKey, usize, usize)> =
            self.groups.iter().enumerate().map(|(at, (key, rows))| (*key, *rows, at)).collect();
        order.sort_unstable_by_key(|(key, ..)| *key);
        let mut next = vec![0; order.len()];
        let mut before = 0;
        for (_, rows, at) in &order {
            if let Some(next) = next.get_mut(*at) {
                *next = before;
            }
            before += rows;
        }
        self.grouped.clear();
        self.grouped.resize(self.entries.len(), Entry::default());
        for entry in &self.entries {
            if let Some(at) = next.get_mut(entry.group as usize)
                && let Some(place) = self.grouped.get_mut(*at)
            {
                *place = *entry;
                *at += 1;
            }
        }
        order.into_iter().map(|(key, rows, _)| (key, rows)).collect()
    }

    /// How many bytes the rows have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Sorts the rows and sets them aside; the buffer is empty after it.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn set_aside(&mut self, appender: &mut Appender<'_>) -> Result<Run> {
        let groups = self.group();
        let mut stretches: Vec<Stretch> = Vec::new();
        let bytes = &self.bytes;
        let mut rest = self.grouped.as_mut_slice();
        let block = appender.put_pieces(bytes.len(), |sink| {
            let mut gathered = Vec::with_capacity(GATHERED + (64 << 10));
            let mut before = 0;
            for (key, rows) in groups {
                let (entries, others) = std::mem::take(&mut rest).split_at_mut(rows);
                rest = others;
                entries.sort_unstable_by_key(|entry| (entry.time, entry.record));
                let mut open: Option<Stretch> = None;
                for entry in entries.iter() {
                    let at = Instant::from_millis(entry.time);
                    let day = day_of(at);
                    if open.is_some_and(|open| open.day != day) {
                        stretches.extend(open.take());
                    }
                    let stretch = open.get_or_insert_with(|| Stretch {
                        key,
                        day,
                        start: u32::try_from(before + gathered.len()).unwrap_or(u32::MAX),
                        length: 0,
                        rows: 0,
                        last_ms: 0,
                    });
                    stretch.rows += 1;
                    let row = bytes.get(entry.start as usize..).and_then(at_length).unwrap_or_default();
                    stretch.length += u32::try_from(row.len()).unwrap_or(0);
                    stretch.last_ms = u32::try_from(at.since(start_of(day)).as_millis()).unwrap_or(u32::MAX);
                    gathered.extend_from_slice(row);
                    if gathered.len() >= GATHERED {
                        sink(&gathered)?;
                        before += gathered.len();
                        gathered.clear();
                    }
                }
                stretches.extend(open);
            }
            sink(&gathered)
        })?;
        self.bytes.clear();
        self.entries.clear();
        self.places.clear();
        self.groups.clear();
        stretches.shrink_to_fit();
        Ok(Run { block, stretches })
    }
}

/// The currency of a tariff's version.
type Told = ((TariffId, u16), Option<Currency>);

/// Rows of one group, gathered from runs.
pub struct Rows {
    key: GroupKey,
    bytes: Vec<u8>,
    /// Time, record and place of each row, in order.
    index: Vec<(i64, u64, u32)>,
}

impl Rows {
    /// Indexes bytes that were gathered from runs and sorts them by charging time, then record.
    #[must_use]
    pub fn new(key: GroupKey, bytes: Vec<u8>) -> Self {
        let mut index = Vec::with_capacity(bytes.len() / 160);
        let mut at = 0;
        while let Some(row) = at_place(&bytes, at) {
            let (time, record) = row::sort_key(row);
            index.push((time, record, u32::try_from(at).unwrap_or(u32::MAX)));
            at += 2 + row.len();
        }
        // What comes from one run is sorted already, which this sort makes use of.
        index.sort_by_key(|(time, record, _)| (*time, *record));
        Self { key, bytes, index }
    }

    /// Gathers the rows of stretches of one group.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn gather<'r>(key: GroupKey, stretches: impl Iterator<Item = (&'r Run, &'r Stretch)> + Clone) -> Result<Self> {
        let mut bytes = Vec::with_capacity(stretches.clone().map(|(_, stretch)| stretch.length as usize).sum());
        let mut open: Option<(&Run, usize, usize)> = None;
        for (run, stretch) in stretches {
            let (start, length) = (stretch.start as usize, stretch.length as usize);
            match &mut open {
                // Days of one run lie behind each other: they are read at once.
                Some((of, from, so_far)) if std::ptr::eq(*of, run) && *from + *so_far == start => *so_far += length,
                _ => {
                    if let Some((run, start, length)) = open.replace((run, start, length)) {
                        run.block.take(start, length, &mut bytes)?;
                    }
                }
            }
        }
        if let Some((run, start, length)) = open {
            run.block.take(start, length, &mut bytes)?;
        }
        Ok(Self::new(key, bytes))
    }

    /// Whose they are.
    #[must_use]
    pub fn key(&self) -> GroupKey {
        self.key
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Charging time of a row.
    #[must_use]
    pub fn charging_at(&self, index: usize) -> Option<Instant> {
        self.index.get(index).map(|(time, ..)| Instant::from_millis(*time))
    }

    fn row(&self, index: usize) -> Option<&[u8]> {
        at_place(&self.bytes, self.index.get(index)?.2 as usize)
    }

    /// The bytes of the rows in their order, as a run has them, and where each day lies.
    #[must_use]
    pub fn in_order(&self) -> (Vec<u8>, Vec<Stretch>) {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut stretches: Vec<Stretch> = Vec::new();
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        for (index, (time, ..)) in self.index.iter().enumerate() {
            let Some(row) = self.row(index) else { continue };
            let at = Instant::from_millis(*time);
            let day = day_of(at);
            let start = place(bytes.len());
            if stretches.last().is_none_or(|last| last.day != day) {
                stretches.push(Stretch { key: self.key, day, start, length: 0, rows: 0, last_ms: 0 });
            }
            bytes.extend_from_slice(&u16::try_from(row.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend_from_slice(row);
            if let Some(stretch) = stretches.last_mut() {
                stretch.rows += 1;
                stretch.length = place(bytes.len()) - stretch.start;
                stretch.last_ms = u32::try_from(at.since(start_of(day)).as_millis()).unwrap_or(u32::MAX);
            }
        }
        (bytes, stretches)
    }

    /// One row by its place in the order.
    #[must_use]
    pub fn get<'a>(&'a self, index: usize, prices: &dyn Prices) -> Option<CallRow<'a>> {
        Some(self.decode(index, prices)?.0)
    }

    /// One row, and what its tariffs were asked.
    #[must_use]
    pub fn with_asked<'a>(&'a self, index: usize, prices: &dyn Prices) -> Option<(CallRow<'a>, Option<Query<'a>>)> {
        let (row, bytes) = self.decode(index, prices)?;
        Some((row, row::Reader { bytes }.asked()))
    }

    fn decode<'a>(&'a self, index: usize, prices: &dyn Prices) -> Option<(CallRow<'a>, &'a [u8])> {
        let currency = |tariff, version| prices.currency(tariff, version);
        Some(row::decode(self.key, self.row(index)?, |code| prices.code(code), currency))
    }

    /// Some rows in their order, behind those that `into` has.
    pub fn block<'a>(&'a self, rows: Range<usize>, prices: &dyn Prices, into: &mut Vec<CallRow<'a>>) {
        // Tariffs are few, and the currency of the one that was asked for last is nearly always the next one's, too.
        let mut last: [Option<Told>; 2] = [None; 2];
        let mut currency = |tariff, version| {
            if let Some((_, currency)) = last.iter().flatten().find(|(of, _)| *of == (tariff, version)) {
                return *currency;
            }
            let currency = prices.currency(tariff, version);
            last = [Some(((tariff, version), currency)), last[0]];
            currency
        };
        let places = self.index.get(rows).unwrap_or_default();
        into.extend(places.iter().map(|(.., place)| {
            let row = at_place(&self.bytes, *place as usize).unwrap_or_default();
            row::decode(self.key, row, |code| prices.code(code), &mut currency).0
        }));
    }

    /// The rows in order.
    pub fn iter<'a>(&'a self, prices: &'a dyn Prices) -> impl Iterator<Item = CallRow<'a>> + 'a {
        (0..self.len()).filter_map(move |index| self.get(index, prices))
    }
}

/// A row behind its length, length and all, of bytes that begin with it.
#[inline]
fn at_length(bytes: &[u8]) -> Option<&[u8]> {
    let length = u16::from_le_bytes(*bytes.first_chunk::<LENGTH>()?);
    bytes.get(..LENGTH + usize::from(length))
}

/// The row at a place of gathered bytes.
#[inline]
fn at_place(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let (length, rest) = bytes.get(at..)?.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_le_bytes(*length)))
}

/// What a row refers to by number: reason codes, currencies and price rows.
pub trait Prices: Sync {
    /// The reason code of that index.
    fn code(&self, index: u8) -> &'static str;
    /// Currency of a tariff's version.
    fn currency(&self, tariff: TariffId, version: u16) -> Option<Currency>;
}

#[cfg(test)]
mod tests {
    use super::super::aside::Store;
    use super::*;
    use crate::ids::{BandId, DestinationId, SourceId};
    use crate::money::{Charge, Price};
    use crate::number::{Digits, Direction, E164, NumberClass, Party};
    use crate::rating::{Outcome, Priced, Side};
    use crate::source::RecordId;
    use crate::tariff::{Called, Caller, CallerType};
    use crate::time::Duration;

    struct Fixed;

    const CODES: [&str; 2] = ["rating.unanswered", "rating.no_rate_for_destination"];

    impl Prices for Fixed {
        fn code(&self, index: u8) -> &'static str {
            CODES.get(usize::from(index)).copied().unwrap_or("")
        }
        fn currency(&self, _: TariffId, _: u16) -> Option<Currency> {
            Currency::parse("GBP")
        }
    }

    fn row(payer: Option<u32>, time: i64, record: u64) -> CallRow<'static> {
        let number = |text: &str| E164::parse(text.as_bytes()).unwrap();
        let side = Side {
            tariff: Some(TariffId(3)),
            version: 1,
            currency: Currency::parse("GBP"),
            outcome: Outcome::Rated(Priced {
                charge: Charge::from_units(-5),
                row: 7,
                destination: DestinationId(9),
                band: BandId(2),
                billed: Duration::from_millis(57_600),
                price: Price::from_units(7),
                per: Duration::from_seconds(60),
                setup_fee: Price::from_units(2),
                minimum_applied: true,
            }),
        };
        CallRow {
            record: RecordId::from_bits(record),
            call_id: b"1690325492.2",
            source: SourceId(1),
            site: SiteId(2),
            payer: payer.map(PayerId),
            charging_at: Instant::from_millis(time),
            setup_at: None,
            answered: true,
            duration: Duration::from_millis(-1),
            direction: Direction::Forwarded,
            calling: Party::Name(b"client1"),
            dialled: b"9020 7946 0958",
            called: Party::Number(number("442079460958")),
            class: NumberClass::Premium,
            forwarder: Some(Party::Extension(Digits::parse(b"0201").unwrap())),
            extension: Digits::parse(b"2001"),
            number: Some(number("442079460000")),
            allowance_taken: None,
            vat: None,
            retail: side,
            wholesale: Side { tariff: None, version: 0, currency: None, outcome: Outcome::Suspended(CODES[1]) },
            flags: 3,
        }
    }

    fn asked() -> Query<'static> {
        let number = |text: &str| E164::parse(text.as_bytes()).unwrap();
        Query {
            direction: Direction::Forwarded,
            caller: Caller::of(number("442079460000")),
            network_caller: Caller::Invalid,
            caller_type: Some(CallerType::Mobile),
            trunks: [b"", b"PJSIP/carrier"],
            access: [Digits::parse(b"9").unwrap(), Digits::EMPTY],
            charge_code: b"UK GEOGRAPHIC",
            ..Query::new(Called::Number(number("442079460958"), NumberClass::Premium, 4))
        }
    }

    #[test]
    fn rows_come_back_as_they_were_grouped_by_payer_and_in_time() {
        let store = Store::in_memory();
        let mut appender = store.appender();
        let (mut one, mut two) = (RowBuffer::default(), RowBuffer::default());
        for (payer, time, record) in [(None, 5, 1), (Some(4), 9, 2), (Some(4), 7, 3), (Some(4), DAY_MS, 9)] {
            one.push(&row(payer, time, record), (record == 2).then(asked).as_ref(), &CODES);
        }
        for (payer, time, record) in [(Some(4), 8, 4), (Some(0), 1, 5), (Some(4), 7, 2)] {
            two.push(&row(payer, time, record), None, &CODES);
        }
        let runs = [one.set_aside(&mut appender).unwrap(), two.set_aside(&mut appender).unwrap()];
        assert!(one.is_empty() && one.bytes() == 0);
        let key = GroupKey { site: 2, payer: 4 };
        let stretches = || runs.iter().flat_map(|run| run.stretches.iter().map(move |stretch| (run, stretch)));
        let of_key = stretches().filter(|(_, stretch)| stretch.key == key);
        let days: Vec<(i32, u32, u32)> =
            of_key.clone().map(|(_, stretch)| (stretch.day, stretch.rows, stretch.last_ms)).collect();
        assert_eq!(days, [(0, 2, 9), (1, 1, 0), (0, 2, 8)]);
        let rows = Rows::gather(key, of_key).unwrap();
        let back: Vec<String> = rows.iter(&Fixed).map(|row| format!("{row:?}")).collect();
        let expected: Vec<String> = [(7, 2), (7, 3), (8, 4), (9, 2), (DAY_MS, 9)]
            .iter()
            .map(|(time, record)| format!("{:?}", row(Some(4), *time, *record)))
            .collect();
        assert_eq!(back, expected);
        let asked_of: Vec<String> =
            (0..5).map(|index| format!("{:?}", rows.with_asked(index, &Fixed).unwrap().1)).collect();
        assert_eq!(asked_of[3], format!("{:?}", Some(asked())));
        assert!(asked_of.iter().enumerate().all(|(index, asked)| index == 3 || asked == "None"));
        // Nobody's rows come last.
        let keys: Vec<u32> = runs[0].stretches.iter().map(|stretch| stretch.key.payer).collect();
        assert_eq!(keys, [4, 4, NOBODY]);
    }

    #[test]
    fn what_is_too_wide_for_its_place_comes_back_too_and_a_block_is_its_rows() {
        let plain = row(Some(4), 1_000_000_000_000, 1);
        let number = plain.number.unwrap();
        let long = vec![b'x'; 700];
        let limits = [0, 1, i64::from(i32::MAX) - 1, i64::from(i32::MAX), i64::from(i32::MIN), i64::from(u32::MAX)];
        let setups = limits.iter().flat_map(|gap| [*gap, -*gap, *gap + 1]);
        let mut rows: Vec<CallRow<'_>> = setups
            .map(|gap| CallRow { setup_at: Some(plain.charging_at.plus(Duration::from_millis(-gap))), ..plain })
            .collect();
        for millis in [0, 1, i64::from(u32::MAX) - 1, i64::from(u32::MAX), i64::from(u32::MAX) + 1, i64::MIN, i64::MAX]
        {
            let mut row = CallRow { duration: Duration::from_millis(millis), ..plain };
            for side in [&mut row.retail, &mut row.wholesale] {
                if let Outcome::Rated(priced) = &mut side.outcome {
                    priced.billed = Duration::from_millis(millis);
                }
            }
            rows.push(CallRow { wholesale: row.retail, ..row });
            rows.push(row);
        }
        // A step of amounts is a million units, and four thousand million steps are narrow.
        let most = i64::from(u32::MAX) * 1_000_000;
        for units in [0, 1, -1, 999_999, 1_000_000, 1_000_001, -1_000_000, most, most + 1, most + 1_000_000, i64::MAX] {
            let priced = |side: &Side| match side.outcome {
                Outcome::Rated(priced) => priced,
                _ => panic!("rated"),
            };
            let narrow = Priced {
                charge: Charge::from_units(7_000_000),
                price: Price::ZERO,
                setup_fee: Price::ZERO,
                ..priced(&plain.retail)
            };
            for priced in [
                Priced { charge: Charge::from_units(units), ..narrow },
                Priced { price: Price::from_units(units), setup_fee: Price::from_units(2_000_000), ..narrow },
                Priced { setup_fee: Price::from_units(units), ..narrow },
                Priced { per: Duration::from_millis(units), ..narrow },
                Priced { band: BandId(u32::try_from(units.unsigned_abs() % 70_000).unwrap()), ..narrow },
            ] {
                let side = Side { outcome: Outcome::Rated(priced), ..plain.retail };
                rows.push(CallRow { retail: side, ..plain });
                rows.push(CallRow { retail: side, wholesale: side, ..plain });
            }
        }
        for source in [0, 65_534, 65_535, 65_536, u32::MAX] {
            rows.push(CallRow { source: SourceId(source), ..plain });
        }
        for length in [0, 254, 255, 256, 700] {
            rows.push(CallRow { call_id: &long[..length], ..plain });
            rows.push(CallRow { dialled: &long[..length], calling: Party::Unclassified(&long[..length]), ..plain });
        }
        for party in [Party::Number(number), Party::Withheld, Party::Missing, Party::Feature(b"*60")] {
            rows.push(CallRow { calling: party, called: party, forwarder: Some(party), ..plain });
            rows.push(CallRow { calling: party, number: None, extension: None, forwarder: None, ..plain });
        }
        for (record, row) in (1..).zip(&mut rows) {
            row.record = RecordId::from_bits(record);
        }
        let mut buffer = RowBuffer::default();
        rows.iter().for_each(|row| buffer.push(row, None, &CODES));
        let run = buffer.set_aside(&mut Store::in_memory().appender()).unwrap();
        let key = GroupKey { site: 2, payer: 4 };
        let back = Rows::gather(key, run.stretches.iter().map(|stretch| (&run, stretch))).unwrap();
        let told = |rows: &[CallRow<'_>]| rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>();
        assert_eq!(told(&back.iter(&Fixed).collect::<Vec<_>>()), told(&rows));
        let mut blocks = Vec::new();
        for start in (0..rows.len()).step_by(7) {
            back.block(start..rows.len().min(start + 7), &Fixed, &mut blocks);
        }
        assert_eq!(told(&blocks), told(&rows));
    }
}
