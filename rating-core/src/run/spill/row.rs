//! The bytes of one row: a head of fixed places, the sides that have a charge, then texts.
//!
//! Little endian. Site and payer are not among them: rows are kept by both. What the call's tariffs were asked comes last,
//! where an allowance may want it, so that nobody else reads over it.

use super::asked;
use super::{GroupKey, Prices};
use crate::ids::{BandId, DestinationId, SourceId, TariffId};
use crate::money::{Charge, Price};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::rating::{CallRow, Outcome, Priced, Side};
use crate::source::RecordId;
use crate::tariff::Query;
use crate::time::{Duration, Instant};

/// Texts of a record longer than this are cut in reports; the record itself keeps them.
const TEXT_LIMIT: usize = 1_000;

const NONE_16: u16 = u16::MAX;

/// Bytes of a row's head.
const HEAD: usize = 72;
/// Bytes of a side that has a charge.
const PRICED: usize = 28;

/// Where a row's charging time and record stand, which it is sorted by.
pub(super) fn sort_key(row: &[u8]) -> (i64, u64) {
    let head = row.first_chunk::<16>().copied().unwrap_or_default();
    (i64::from_le_bytes(part(&head, 0)), u64::from_le_bytes(part(&head, 8)))
}

/// `N` bytes of a head from a place that is known to be in it.
#[inline]
fn part<const N: usize, const M: usize>(head: &[u8; M], at: usize) -> [u8; N] {
    head.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// A head being filled.
struct Head<const M: usize>([u8; M]);

impl<const M: usize> Head<M> {
    #[inline]
    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        if let Some(place) = self.0.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
            *place = bytes;
        }
    }
}

/// Appends a row.
pub(super) fn encode(row: &CallRow<'_>, query: Option<&Query<'_>>, codes: &[&'static str], out: &mut Vec<u8>) {
    let mut head = Head([0; HEAD]);
    head.put(0, row.charging_at.as_millis().to_le_bytes());
    head.put(8, row.record.to_bits().to_le_bytes());
    head.put(16, row.setup_at.map_or(i64::MIN, Instant::as_millis).to_le_bytes());
    head.put(24, row.duration.as_millis().to_le_bytes());
    head.put(32, row.extension.map_or(u64::MAX, Digits::to_bits).to_le_bytes());
    head.put(40, row.number.map_or(u64::MAX, |number| number.digits().to_bits()).to_le_bytes());
    head.put(48, row.flags.to_le_bytes());
    head.put(50, [u8::from(row.answered), row.direction as u8, row.class as u8]);
    head.put(53, [tag(Some(row.calling)), tag(Some(row.called)), tag(row.forwarder)]);
    head.put(56, row.source.0.to_le_bytes());
    for (at, side) in [(60, &row.retail), (66, &row.wholesale)] {
        let tariff = side.tariff.and_then(|tariff| u16::try_from(tariff.0).ok()).unwrap_or(NONE_16);
        head.put(at, tariff.to_le_bytes());
        head.put(at + 2, side.version.to_le_bytes());
        head.put(
            at + 4,
            match &side.outcome {
                Outcome::Rated(priced) => [0, u8::from(priced.minimum_applied)],
                Outcome::NotChargeable(why) => [1, code(codes, why)],
                Outcome::Suspended(why) => [2, code(codes, why)],
            },
        );
    }
    out.extend_from_slice(&head.0);
    for side in [&row.retail, &row.wholesale] {
        if let Outcome::Rated(priced) = &side.outcome {
            let mut bytes = Head([0; PRICED]);
            bytes.put(0, priced.charge.units().to_le_bytes());
            bytes.put(8, priced.billed.as_millis().to_le_bytes());
            bytes.put(16, priced.row.to_le_bytes());
            bytes.put(20, priced.destination.0.to_le_bytes());
            bytes.put(24, priced.band.0.to_le_bytes());
            out.extend_from_slice(&bytes.0);
        }
    }
    text(row.call_id, out);
    text(row.dialled, out);
    for party in [Some(row.calling), Some(row.called), row.forwarder].into_iter().flatten() {
        match party {
            Party::Number(number) => out.extend_from_slice(&number.digits().to_bits().to_le_bytes()),
            Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits) => {
                out.extend_from_slice(&digits.to_bits().to_le_bytes());
            }
            Party::Feature(name) | Party::Name(name) | Party::Unclassified(name) => text(name, out),
            Party::Withheld | Party::Missing => {}
        }
    }
    if let Some(query) = query {
        asked::encode(query, out);
    }
}

/// The index of a reason code. Nearly always it is the very text of the list.
fn code(codes: &[&'static str], code: &'static str) -> u8 {
    let same = |known: &&'static str| std::ptr::eq(known.as_ptr(), code.as_ptr()) && known.len() == code.len();
    let at = codes.iter().position(same).or_else(|| codes.iter().position(|known| *known == code));
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

#[inline]
pub(super) fn text(text: &[u8], out: &mut Vec<u8>) {
    let text = &text[..text.len().min(TEXT_LIMIT)];
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(text);
}

const fn tag(party: Option<Party<'_>>) -> u8 {
    match party {
        None => 0,
        Some(Party::Number(_)) => 1,
        Some(Party::Extension(_)) => 2,
        Some(Party::Emergency(_)) => 3,
        Some(Party::ShortCode(_)) => 4,
        Some(Party::Feature(_)) => 5,
        Some(Party::Name(_)) => 6,
        Some(Party::Unclassified(_)) => 7,
        Some(Party::Withheld) => 8,
        Some(Party::Missing) => 9,
    }
}

/// Reads what [`encode`] wrote; what is missing reads as zero (this program wrote the bytes a moment ago). What follows
/// the row is what its tariffs were asked.
pub(super) fn decode<'a>(key: GroupKey, bytes: &'a [u8], prices: &dyn Prices) -> (CallRow<'a>, &'a [u8]) {
    let (head, rest) = match bytes.split_first_chunk::<HEAD>() {
        Some((head, rest)) => (*head, rest),
        None => ([0; HEAD], &[][..]),
    };
    let word = |at: usize| u64::from_le_bytes(part(&head, at));
    let time = |at: usize| i64::from_le_bytes(part(&head, at));
    let mut reader = Reader { bytes: rest };
    let mut side = |at: usize| {
        let tariff = u16::from_le_bytes(part(&head, at));
        let tariff = (tariff != NONE_16).then_some(TariffId(u32::from(tariff)));
        let version = u16::from_le_bytes(part(&head, at + 2));
        let [kind, detail] = part(&head, at + 4);
        let outcome = match kind {
            1 => Outcome::NotChargeable(prices.code(detail)),
            2 => Outcome::Suspended(prices.code(detail)),
            _ => Outcome::Rated(reader.priced(detail, tariff, version, prices)),
        };
        Side { tariff, version, currency: tariff.and_then(|tariff| prices.currency(tariff, version)), outcome }
    };
    let (retail, wholesale) = (side(60), side(66));
    let call_id = reader.text();
    let dialled = reader.text();
    let [answered, direction, class, calling, called, forwarder] = part(&head, 50);
    let calling = reader.party(calling).unwrap_or(Party::Missing);
    let called = reader.party(called).unwrap_or(Party::Missing);
    let forwarder = reader.party(forwarder);
    let row = CallRow {
        record: RecordId::from_bits(word(8)),
        call_id,
        source: SourceId(u32::from_le_bytes(part(&head, 56))),
        site: key.site(),
        payer: key.payer(),
        charging_at: Instant::from_millis(time(0)),
        setup_at: Some(time(16)).filter(|millis| *millis != i64::MIN).map(Instant::from_millis),
        answered: answered != 0,
        duration: Duration::from_millis(time(24)),
        direction: Direction::ALL.get(usize::from(direction)).copied().unwrap_or(Direction::Unknown),
        calling,
        dialled,
        called,
        class: NumberClass::ALL.get(usize::from(class)).copied().unwrap_or_default(),
        forwarder,
        extension: Digits::from_bits(word(32)),
        number: Digits::from_bits(word(40)).and_then(E164::new),
        allowance_taken: None,
        vat: None,
        retail,
        wholesale,
        flags: u16::from_le_bytes(part(&head, 48)),
    };
    (row, reader.bytes)
}

/// Takes bytes from the front.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    fn array<const N: usize>(&mut self) -> [u8; N] {
        match self.bytes.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.bytes = rest;
                *head
            }
            None => {
                self.bytes = &[];
                [0; N]
            }
        }
    }

    pub(super) fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    #[inline]
    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    #[inline]
    pub(super) fn text(&mut self) -> &'a [u8] {
        let length = usize::from(u16::from_le_bytes(self.array()));
        let (head, rest) = self.bytes.split_at_checked(length).unwrap_or_default();
        self.bytes = rest;
        head
    }

    #[inline]
    fn priced(&mut self, detail: u8, tariff: Option<TariffId>, version: u16, prices: &dyn Prices) -> Priced {
        let bytes: [u8; PRICED] = self.array();
        let row = u32::from_le_bytes(part(&bytes, 16));
        let band = BandId(u32::from_le_bytes(part(&bytes, 24)));
        let (price, per, setup_fee) = tariff
            .map_or((Price::ZERO, Duration::ZERO, Price::ZERO), |tariff| prices.price(tariff, version, row, band));
        Priced {
            charge: Charge::from_units(i64::from_le_bytes(part(&bytes, 0))),
            row,
            destination: DestinationId(u32::from_le_bytes(part(&bytes, 20))),
            band,
            billed: Duration::from_millis(i64::from_le_bytes(part(&bytes, 8))),
            price,
            per,
            setup_fee,
            minimum_applied: detail != 0,
        }
    }

    #[inline]
    fn party(&mut self, tag: u8) -> Option<Party<'a>> {
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
