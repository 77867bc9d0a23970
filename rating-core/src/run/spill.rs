//! Rows set aside between the two passes of a run, in memory while they are few and in a file when they are many.
//!
//! The first pass rates chunks in whatever order they come; reports want the rows of one payer together, in time. So
//! each chunk's rows are sorted by site, payer, charging time and record, and kept as one run of bytes with an index of
//! where each payer begins; the second pass takes a payer's stretch out of every run. The layout is private to one run
//! of one program: nothing outlives it.

mod asked;

use std::path::PathBuf;

use super::storage::{Output, Result, Storage, failed};
use crate::ids::{BandId, DestinationId, PayerId, SiteId, SourceId, TariffId};
use crate::money::{Charge, Currency, Price};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::rating::{CallRow, Outcome, Priced, Side};
use crate::source::RecordId;
use crate::time::{Duration, Instant};

/// Texts of a record longer than this are cut in reports; the record itself keeps them.
const TEXT_LIMIT: usize = 1_000;

const NONE_16: u16 = u16::MAX;
const NONE_32: u32 = u32::MAX;

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
        Self { site: row.site.0, payer: row.payer.map_or(NONE_32, |payer| payer.0) }
    }
}

/// Where a group's rows lie in a run of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Whose rows.
    pub key: GroupKey,
    /// First byte.
    pub offset: u64,
    /// How many bytes.
    pub length: usize,
}

/// Rows of one chunk being collected.
#[derive(Debug, Default)]
pub struct RowBuffer {
    bytes: Vec<u8>,
    /// Sort key and place of each row.
    index: Vec<(GroupKey, i64, u64, usize, usize)>,
}

impl RowBuffer {
    /// Adds a row.
    pub fn push(&mut self, row: &CallRow<'_>, codes: &[&'static str]) {
        let start = self.bytes.len();
        encode(row, codes, &mut self.bytes);
        self.index.push((
            GroupKey::of(row),
            row.charging_at.as_millis(),
            row.record.to_bits(),
            start,
            self.bytes.len() - start,
        ));
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

    /// The rows as one sorted run of bytes, and where each group lies in it.
    #[must_use]
    pub fn into_run(mut self) -> (Vec<u8>, Vec<Stretch>) {
        self.index.sort_unstable_by_key(|(key, time, record, ..)| (*key, *time, *record));
        let mut run = Vec::with_capacity(self.bytes.len() + self.index.len() * 4);
        let mut stretches: Vec<Stretch> = Vec::new();
        for (key, _, _, start, length) in &self.index {
            let offset = run.len() as u64;
            run.extend_from_slice(&u32::try_from(*length).unwrap_or(0).to_le_bytes());
            run.extend_from_slice(&self.bytes[*start..*start + *length]);
            match stretches.last_mut() {
                Some(last) if last.key == *key => last.length = run.len() - usize::try_from(last.offset).unwrap_or(0),
                _ => stretches.push(Stretch { key: *key, offset, length: run.len() - run_start(offset) }),
            }
        }
        (run, stretches)
    }
}

fn run_start(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// A run of bytes set aside.
pub enum Spilled {
    /// Kept in memory.
    Memory(Vec<u8>),
    /// Written to a file of the work folder.
    File(PathBuf),
}

impl Spilled {
    /// Sets bytes aside: in memory, or in the file if there is one.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn put(bytes: Vec<u8>, file: Option<PathBuf>, storage: &dyn Storage) -> Result<Self> {
        match file {
            None => Ok(Self::Memory(bytes)),
            Some(path) => {
                let mut output: Box<dyn Output> = storage.create(&path)?;
                output.write_all(&bytes).map_err(|error| failed("write", &path, error))?;
                Ok(Self::File(path))
            }
        }
    }

    /// Appends `length` bytes from `offset` to `into`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn take(&self, offset: u64, length: usize, into: &mut Vec<u8>, storage: &dyn Storage) -> Result<()> {
        match self {
            Self::Memory(bytes) => {
                let start = run_start(offset);
                into.extend_from_slice(bytes.get(start..start.saturating_add(length)).unwrap_or(&[]));
                Ok(())
            }
            Self::File(path) => {
                into.extend_from_slice(&storage.read_at(path, offset, length)?);
                Ok(())
            }
        }
    }
}

/// The rows of one group, gathered from every run.
pub struct Rows {
    bytes: Vec<u8>,
    index: Vec<(i64, u64, usize, usize)>,
}

impl Rows {
    /// Indexes bytes that were gathered from runs and sorts them by charging time, then record.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let mut index = Vec::new();
        let mut at = 0;
        while let Some(head) = bytes.get(at..at + 4) {
            let length = u32::from_le_bytes(array(head)) as usize;
            let start = at + 4;
            let Some(row) = bytes.get(start..start + length) else { break };
            let mut reader = Reader { bytes: row };
            let (time, record) = (reader.i64(), reader.u64());
            index.push((time, record, start, length));
            at = start + length;
        }
        // Each run is sorted, so this is a merge.
        index.sort_by_key(|(time, record, ..)| (*time, *record));
        Self { bytes, index }
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

    /// One row by its place in the order.
    #[must_use]
    pub fn get<'a>(&'a self, index: usize, prices: &dyn Prices) -> Option<CallRow<'a>> {
        let (_, _, start, length) = self.index.get(index)?;
        Some(decode(self.bytes.get(*start..start + length)?, prices))
    }

    /// The rows in order.
    pub fn iter<'a>(&'a self, prices: &'a dyn Prices) -> impl Iterator<Item = CallRow<'a>> + 'a {
        self.index
            .iter()
            .map(move |(_, _, start, length)| decode(self.bytes.get(*start..start + length).unwrap_or(&[]), prices))
    }
}

/// What a row refers to by number: reason codes, currencies and price rows.
pub trait Prices: Sync {
    /// The reason code of that index.
    fn code(&self, index: u8) -> &'static str;
    /// Currency of a tariff's version.
    fn currency(&self, tariff: TariffId, version: u16) -> Option<Currency>;
    /// Price, the time it is for, and connection charge of a row in a band.
    fn price(&self, tariff: TariffId, version: u16, row: u32, band: BandId) -> (Price, Duration, Price);
}

fn encode(row: &CallRow<'_>, codes: &[&'static str], out: &mut Vec<u8>) {
    out.extend_from_slice(&row.charging_at.as_millis().to_le_bytes());
    out.extend_from_slice(&row.record.to_bits().to_le_bytes());
    out.extend_from_slice(&row.setup_at.map_or(i64::MIN, Instant::as_millis).to_le_bytes());
    out.extend_from_slice(&row.duration.as_millis().to_le_bytes());
    out.extend_from_slice(&row.site.0.to_le_bytes());
    out.extend_from_slice(&row.payer.map_or(NONE_32, |payer| payer.0).to_le_bytes());
    out.extend_from_slice(&row.source.0.to_le_bytes());
    out.extend_from_slice(&row.flags.to_le_bytes());
    out.push(u8::from(row.answered));
    out.push(row.direction as u8);
    out.push(row.class as u8);
    out.extend_from_slice(&row.extension.map_or(u64::MAX, Digits::to_bits).to_le_bytes());
    out.extend_from_slice(&row.number.map_or(u64::MAX, |number| number.digits().to_bits()).to_le_bytes());
    side(&row.retail, codes, out);
    side(&row.wholesale, codes, out);
    text(row.call_id, out);
    text(row.dialled, out);
    asked::encode(row.asked.as_ref(), out);
    party(Some(row.calling), out);
    party(Some(row.called), out);
    party(row.forwarder, out);
}

fn side(side: &Side, codes: &[&'static str], out: &mut Vec<u8>) {
    let tariff = side.tariff.and_then(|tariff| u16::try_from(tariff.0).ok()).unwrap_or(NONE_16);
    out.extend_from_slice(&tariff.to_le_bytes());
    out.extend_from_slice(&side.version.to_le_bytes());
    let code = |code: &'static str| {
        codes.iter().position(|known| *known == code).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
    };
    match &side.outcome {
        Outcome::NotChargeable(why) => out.extend_from_slice(&[1, code(why)]),
        Outcome::Suspended(why) => out.extend_from_slice(&[2, code(why)]),
        Outcome::Rated(priced) => {
            out.extend_from_slice(&[0, u8::from(priced.minimum_applied)]);
            out.extend_from_slice(&priced.charge.units().to_le_bytes());
            out.extend_from_slice(&priced.billed.as_millis().to_le_bytes());
            out.extend_from_slice(&priced.row.to_le_bytes());
            out.extend_from_slice(&priced.destination.0.to_le_bytes());
            out.extend_from_slice(&priced.band.0.to_le_bytes());
        }
    }
}

fn text(text: &[u8], out: &mut Vec<u8>) {
    let text = &text[..text.len().min(TEXT_LIMIT)];
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(text);
}

fn party(party: Option<Party<'_>>, out: &mut Vec<u8>) {
    let mut digits = |tag: u8, digits: Digits| {
        out.push(tag);
        out.extend_from_slice(&digits.to_bits().to_le_bytes());
    };
    match party {
        Some(Party::Number(number)) => digits(1, number.digits()),
        Some(Party::Extension(extension)) => digits(2, extension),
        Some(Party::Emergency(code)) => digits(3, code),
        Some(Party::ShortCode(code)) => digits(4, code),
        Some(Party::Feature(name)) => {
            out.push(5);
            text(name, out);
        }
        Some(Party::Name(name)) => {
            out.push(6);
            text(name, out);
        }
        Some(Party::Unclassified(name)) => {
            out.push(7);
            text(name, out);
        }
        Some(Party::Withheld) => out.push(8),
        Some(Party::Missing) => out.push(9),
        None => out.push(0),
    }
}

fn decode<'a>(bytes: &'a [u8], prices: &dyn Prices) -> CallRow<'a> {
    let mut reader = Reader { bytes };
    let charging_at = Instant::from_millis(reader.i64());
    let record = RecordId::from_bits(reader.u64());
    let setup_at = Some(reader.i64()).filter(|millis| *millis != i64::MIN).map(Instant::from_millis);
    let duration = Duration::from_millis(reader.i64());
    let site = SiteId(reader.u32());
    let payer = Some(reader.u32()).filter(|payer| *payer != NONE_32).map(PayerId);
    let source = SourceId(reader.u32());
    let flags = reader.u16();
    let answered = reader.u8() != 0;
    let direction = Direction::ALL.get(usize::from(reader.u8())).copied().unwrap_or(Direction::Unknown);
    let class = NumberClass::ALL.get(usize::from(reader.u8())).copied().unwrap_or_default();
    let extension = Digits::from_bits(reader.u64());
    let number = Digits::from_bits(reader.u64()).and_then(E164::new);
    let retail = reader.side(prices);
    let wholesale = reader.side(prices);
    let call_id = reader.text();
    let dialled = reader.text();
    let asked = reader.asked();
    let calling = reader.party().unwrap_or(Party::Missing);
    let called = reader.party().unwrap_or(Party::Missing);
    let forwarder = reader.party();
    CallRow {
        record,
        call_id,
        source,
        site,
        payer,
        charging_at,
        setup_at,
        answered,
        duration,
        direction,
        calling,
        dialled,
        called,
        class,
        forwarder,
        extension,
        number,
        asked,
        allowance_taken: None,
        vat: None,
        retail,
        wholesale,
        flags,
    }
}

/// Reads what [`encode`] wrote; what is missing reads as zero (this program wrote the bytes a moment ago).
struct Reader<'a> {
    bytes: &'a [u8],
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (head, rest) = self.bytes.split_at_checked(length).unwrap_or((&[], &[]));
        self.bytes = rest;
        head
    }

    fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(array(self.take(2)))
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(array(self.take(4)))
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(array(self.take(8)))
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(array(self.take(8)))
    }

    fn text(&mut self) -> &'a [u8] {
        let length = usize::from(self.u16());
        self.take(length)
    }

    fn side(&mut self, prices: &dyn Prices) -> Side {
        let tariff = Some(self.u16()).filter(|tariff| *tariff != NONE_16).map(|tariff| TariffId(u32::from(tariff)));
        let version = self.u16();
        let (tag, detail) = (self.u8(), self.u8());
        let outcome = match tag {
            1 => Outcome::NotChargeable(prices.code(detail)),
            2 => Outcome::Suspended(prices.code(detail)),
            _ => {
                let charge = Charge::from_units(self.i64());
                let billed = Duration::from_millis(self.i64());
                let (row, destination, band) = (self.u32(), DestinationId(self.u32()), BandId(self.u32()));
                let (price, per, setup_fee) = tariff.map_or((Price::ZERO, Duration::ZERO, Price::ZERO), |tariff| {
                    prices.price(tariff, version, row, band)
                });
                Outcome::Rated(Priced {
                    charge,
                    row,
                    destination,
                    band,
                    billed,
                    price,
                    per,
                    setup_fee,
                    minimum_applied: detail != 0,
                })
            }
        };
        Side { tariff, version, currency: tariff.and_then(|tariff| prices.currency(tariff, version)), outcome }
    }

    fn party(&mut self) -> Option<Party<'a>> {
        let tag = self.u8();
        Some(match tag {
            1 => Party::Number(E164::new(Digits::from_bits(self.u64())?)?),
            2 => Party::Extension(Digits::from_bits(self.u64())?),
            3 => Party::Emergency(Digits::from_bits(self.u64())?),
            4 => Party::ShortCode(Digits::from_bits(self.u64())?),
            5 => Party::Feature(self.text()),
            6 => Party::Name(self.text()),
            7 => Party::Unclassified(self.text()),
            8 => Party::Withheld,
            9 => Party::Missing,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::storage::Disk;
    use super::*;
    use crate::tariff::{Called, Caller, CallerType, Query};

    struct Fixed;

    const CODES: [&str; 2] = ["rating.unanswered", "rating.no_rate_for_destination"];

    impl Prices for Fixed {
        fn code(&self, index: u8) -> &'static str {
            CODES.get(usize::from(index)).copied().unwrap_or("")
        }
        fn currency(&self, _: TariffId, _: u16) -> Option<Currency> {
            Currency::parse("GBP")
        }
        fn price(&self, _: TariffId, _: u16, row: u32, band: BandId) -> (Price, Duration, Price) {
            (Price::from_units(i64::from(row)), Duration::from_seconds(60), Price::from_units(i64::from(band.0)))
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
            asked: Some(Query {
                direction: Direction::Forwarded,
                caller: Caller::of(number("442079460000")),
                network_caller: Caller::Invalid,
                caller_type: Some(CallerType::Mobile),
                trunks: [b"", b"PJSIP/carrier"],
                access: [Digits::parse(b"9").unwrap(), Digits::EMPTY],
                charge_code: b"UK GEOGRAPHIC",
                ..Query::new(Called::Number(number("442079460958"), NumberClass::Premium, 4))
            }),
            allowance_taken: None,
            vat: None,
            retail: side,
            wholesale: Side { tariff: None, version: 0, currency: None, outcome: Outcome::Suspended(CODES[1]) },
            flags: 3,
        }
    }

    #[test]
    fn rows_come_back_as_they_were_grouped_by_payer_and_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (RowBuffer::default(), RowBuffer::default());
        for (payer, time, record) in [(None, 5, 1), (Some(4), 9, 2), (Some(4), 7, 3)] {
            one.push(&row(payer, time, record), &CODES);
        }
        for (payer, time, record) in [(Some(4), 8, 4), (Some(0), 1, 5), (Some(4), 7, 2)] {
            two.push(&row(payer, time, record), &CODES);
        }
        let mut gathered = Vec::new();
        for (buffer, file) in [(one, None), (two, Some(folder.path().join("run")))] {
            let (bytes, stretches) = buffer.into_run();
            let spilled = Spilled::put(bytes, file, &Disk).unwrap();
            for stretch in stretches.iter().filter(|stretch| stretch.key == GroupKey { site: 2, payer: 4 }) {
                spilled.take(stretch.offset, stretch.length, &mut gathered, &Disk).unwrap();
            }
        }
        let rows = Rows::new(gathered);
        let back: Vec<String> = rows.iter(&Fixed).map(|row| format!("{row:?}")).collect();
        let expected: Vec<String> = [(7, 2), (7, 3), (8, 4), (9, 2)]
            .iter()
            .map(|(time, record)| format!("{:?}", row(Some(4), *time, *record)))
            .collect();
        assert_eq!(back, expected);
    }
}
