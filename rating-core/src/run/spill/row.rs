//! The bytes of one row: a head of fixed places, the sides that have a charge, what is too wide for the head, then texts.
//!
//! Little endian. Site and payer are not among them: rows are kept by both. What the call's tariffs were asked comes last,
//! where an allowance may want it, so that nobody else reads over it.

use super::GroupKey;
use super::asked;
use crate::ids::{BandId, DestinationId, SourceId, TariffId};
use crate::money::{Charge, Currency, Price};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::rating::{CallRow, Outcome, Priced, Side};
use crate::source::RecordId;
use crate::tariff::Query;
use crate::time::{Duration, Instant};

/// Texts of a record longer than this are cut in reports; the record itself keeps them.
const TEXT_LIMIT: usize = 1_000;

const NONE_16: u16 = u16::MAX;

/// What stands in the place of a number that is wider than its place; the number itself follows the head then.
const WIDE_8: u8 = u8::MAX;
const WIDE_16: u16 = u16::MAX;
const WIDE_32: u32 = u32::MAX;
/// The same for the set-up, counted back from the charging time in milliseconds; and for none.
const WIDE_SETUP: i32 = i32::MAX;
const NO_SETUP: i32 = i32::MIN;

/// Bytes of a row's head.
const HEAD: usize = 46;
/// Bytes of a side that has a charge, and of one whose amounts are wide; connection charge and the time of the price follow
/// them where they are not as usual.
const PRICED: usize = 22;
const WIDE_PRICED: usize = 32;
/// Amounts that are no whole number of these units, or too many, are wide: 0.0001 of a charge, 0.000001 of a price.
const STEP: i64 = 1_000_000;
const MINUTE: Duration = Duration::from_seconds(60);

/// Bits beside the direction.
mod bit {
    pub(super) const ANSWERED: u8 = 1;
    pub(super) const EXTENSION: u8 = 2;
    pub(super) const NUMBER: u8 = 4;
    /// Where the direction stands above them.
    pub(super) const DIRECTION: u32 = 3;
}

/// Details of a side that has a charge.
mod priced {
    pub(super) const MINIMUM: u8 = 1;
    /// A connection charge follows.
    pub(super) const FEE: u8 = 2;
    /// The price is for a minute; else its time follows.
    pub(super) const A_MINUTE: u8 = 4;
    /// Its amounts are wide.
    pub(super) const WIDE: u8 = 8;
}

/// The tag of a party that is the row's number, and not written again.
const THE_NUMBER: u8 = 10;

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
    let start = out.len();
    let texts = [row.call_id, row.dialled].map(|text| &text[..text.len().min(TEXT_LIMIT)]);
    let mut head = Head([0; HEAD]);
    // What is wider than its place, in the order in which it is read.
    let mut wide: [Option<i64>; 5] = [None; 5];
    head.put(0, row.charging_at.as_millis().to_le_bytes());
    head.put(8, row.record.to_bits().to_le_bytes());
    let setup = match row.setup_at {
        None => NO_SETUP,
        Some(at) => {
            let before = row.charging_at.since(at).as_millis();
            let narrow = i32::try_from(before).ok().filter(|before| !matches!(*before, WIDE_SETUP | NO_SETUP));
            narrow.unwrap_or_else(|| {
                wide[0] = Some(at.as_millis());
                WIDE_SETUP
            })
        }
    };
    head.put(16, setup.to_le_bytes());
    head.put(20, narrow_millis(row.duration, &mut wide[1]).to_le_bytes());
    head.put(24, row.flags.to_le_bytes());
    let source = u16::try_from(row.source.0).ok().filter(|source| *source != WIDE_16);
    if source.is_none() {
        wide[2] = Some(i64::from(row.source.0));
    }
    head.put(26, source.unwrap_or(WIDE_16).to_le_bytes());
    let set = |condition: bool, bit: u8| if condition { bit } else { 0 };
    let bits = set(row.answered, bit::ANSWERED)
        | set(row.extension.is_some(), bit::EXTENSION)
        | set(row.number.is_some(), bit::NUMBER)
        | (row.direction as u8) << bit::DIRECTION;
    let tag_of = |party: Party<'_>| match (party, row.number) {
        (Party::Number(party), Some(number)) if party == number => THE_NUMBER,
        _ => tag(Some(party)),
    };
    let tags = [tag_of(row.calling), tag_of(row.called), row.forwarder.map_or(0, tag_of)];
    let [calling, called, forwarder] = tags;
    head.put(28, [bits, row.class as u8, calling | called << 4, forwarder]);
    let amounts = [&row.retail, &row.wholesale].map(|side| match &side.outcome {
        Outcome::Rated(priced) => Amounts::of(priced),
        _ => None,
    });
    for ((at, side), amounts) in SIDES.into_iter().zip([&row.retail, &row.wholesale]).zip(&amounts) {
        let tariff = side.tariff.and_then(|tariff| u16::try_from(tariff.0).ok()).unwrap_or(NONE_16);
        head.put(at, tariff.to_le_bytes());
        head.put(at + 2, side.version.to_le_bytes());
        head.put(
            at + 4,
            match &side.outcome {
                Outcome::Rated(priced) => [0, details(priced, amounts.is_none())],
                Outcome::NotChargeable(why) => [1, code(codes, why)],
                Outcome::Suspended(why) => [2, code(codes, why)],
            },
        );
    }
    let lengths = texts.map(|text| u8::try_from(text.len()).unwrap_or(WIDE_8));
    head.put(TEXTS, lengths);
    out.extend_from_slice(&head.0);
    for ((side, wide), amounts) in [&row.retail, &row.wholesale].into_iter().zip(&mut wide[3..]).zip(amounts) {
        if let Outcome::Rated(priced) = &side.outcome {
            let billed = narrow_millis(priced.billed, wide);
            let has_fee = priced.setup_fee != Price::ZERO;
            if let Some(Amounts { charge, price, fee, band }) = amounts {
                let mut bytes = Head([0; PRICED]);
                bytes.put(0, charge.to_le_bytes());
                bytes.put(4, price.to_le_bytes());
                bytes.put(8, priced.row.to_le_bytes());
                bytes.put(12, priced.destination.0.to_le_bytes());
                bytes.put(16, billed.to_le_bytes());
                bytes.put(20, band.to_le_bytes());
                out.extend_from_slice(&bytes.0);
                if has_fee {
                    out.extend_from_slice(&fee.to_le_bytes());
                }
            } else {
                let mut bytes = Head([0; WIDE_PRICED]);
                bytes.put(0, priced.charge.units().to_le_bytes());
                bytes.put(8, priced.price.units().to_le_bytes());
                bytes.put(16, priced.row.to_le_bytes());
                bytes.put(20, priced.destination.0.to_le_bytes());
                bytes.put(24, billed.to_le_bytes());
                bytes.put(28, priced.band.0.to_le_bytes());
                out.extend_from_slice(&bytes.0);
                if has_fee {
                    out.extend_from_slice(&priced.setup_fee.units().to_le_bytes());
                }
            }
            if priced.per != MINUTE {
                out.extend_from_slice(&priced.per.as_millis().to_le_bytes());
            }
        }
    }
    if wide.iter().any(Option::is_some) {
        for wide in wide.into_iter().flatten() {
            out.extend_from_slice(&wide.to_le_bytes());
        }
    }
    for digits in [row.extension, row.number.map(E164::digits)].into_iter().flatten() {
        out.extend_from_slice(&digits.to_bits().to_le_bytes());
    }
    for (text, length) in texts.into_iter().zip(lengths) {
        if length == WIDE_8 {
            out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
        }
        out.extend_from_slice(text);
    }
    for (party, tag) in [Some(row.calling), Some(row.called), row.forwarder].into_iter().zip(tags) {
        match party {
            None => {}
            Some(Party::Number(_)) if tag == THE_NUMBER => {}
            Some(Party::Number(number)) => out.extend_from_slice(&number.digits().to_bits().to_le_bytes()),
            Some(Party::Extension(digits) | Party::Emergency(digits) | Party::ShortCode(digits)) => {
                out.extend_from_slice(&digits.to_bits().to_le_bytes());
            }
            Some(Party::Feature(name) | Party::Name(name) | Party::Unclassified(name)) => text(name, out),
            Some(Party::Withheld | Party::Missing) => {}
        }
    }
    if let Some(query) = query {
        asked::encode(query, out);
    }
    debug_assert!(out.len() - start <= usize::from(u16::MAX), "a row is longer than its length can say");
}

/// The amounts of a side in steps, where none is wide.
struct Amounts {
    charge: u32,
    price: u32,
    fee: u32,
    band: u16,
}

impl Amounts {
    #[inline]
    fn of(priced: &Priced) -> Option<Self> {
        let steps = |units: i64| u32::try_from(units / STEP).ok().filter(|steps| i64::from(*steps) * STEP == units);
        Some(Self {
            charge: steps(priced.charge.units())?,
            price: steps(priced.price.units())?,
            fee: steps(priced.setup_fee.units())?,
            band: u16::try_from(priced.band.0).ok()?,
        })
    }
}

#[inline]
fn details(of: &Priced, wide: bool) -> u8 {
    let set = |condition: bool, bit: u8| if condition { bit } else { 0 };
    set(of.minimum_applied, priced::MINIMUM)
        | set(of.setup_fee != Price::ZERO, priced::FEE)
        | set(of.per == MINUTE, priced::A_MINUTE)
        | set(wide, priced::WIDE)
}

/// A duration in milliseconds, if it is narrow; else it goes to `wide`.
#[inline]
fn narrow_millis(duration: Duration, wide: &mut Option<i64>) -> u32 {
    let narrow = u32::try_from(duration.as_millis()).ok().filter(|millis| *millis != WIDE_32);
    narrow.unwrap_or_else(|| {
        *wide = Some(duration.as_millis());
        WIDE_32
    })
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

/// Where each side stands in the head, and the lengths of the texts.
const SIDES: [usize; 2] = [32, 38];
const TEXTS: usize = 44;

/// Tariff and version of a side, how it came out, and the detail of that.
#[inline]
fn side_of(head: &[u8; HEAD], at: usize) -> (Option<TariffId>, u16, u8, u8) {
    let tariff = u16::from_le_bytes(part(head, at));
    let [kind, detail] = part(head, at + 4);
    let tariff = (tariff != NONE_16).then_some(TariffId(u32::from(tariff)));
    (tariff, u16::from_le_bytes(part(head, at + 2)), kind, detail)
}

/// Reads what [`encode`] wrote; what is missing reads as zero (this program wrote the bytes a moment ago). What follows
/// the row is what its tariffs were asked.
#[inline]
pub(super) fn decode<'a>(
    key: GroupKey,
    bytes: &'a [u8],
    codes: impl Fn(u8) -> &'static str,
    mut currency: impl FnMut(TariffId, u16) -> Option<Currency>,
) -> (CallRow<'a>, &'a [u8]) {
    let (head, rest) = match bytes.split_first_chunk::<HEAD>() {
        Some((head, rest)) => (head, rest),
        None => (&[0; HEAD], &[][..]),
    };
    let mut reader = Reader { bytes: rest };
    // The billed time of each side, as far as it is wide, comes only behind both.
    let mut side = |at: usize| {
        let (tariff, version, kind, detail) = side_of(head, at);
        let outcome = match kind {
            1 => Outcome::NotChargeable(codes(detail)),
            2 => Outcome::Suspended(codes(detail)),
            _ => Outcome::Rated(reader.priced(detail)),
        };
        let currency = tariff.and_then(|tariff| currency(tariff, version));
        Side { tariff, version, currency, outcome }
    };
    let [retail, wholesale] = SIDES;
    let (mut retail, mut wholesale) = (side(retail), side(wholesale));
    let charging_at = Instant::from_millis(i64::from_le_bytes(part(head, 0)));
    let setup_at = match i32::from_le_bytes(part(head, 16)) {
        NO_SETUP => None,
        WIDE_SETUP => Some(Instant::from_millis(reader.i64())),
        before => Some(Instant::from_millis(charging_at.as_millis() - i64::from(before))),
    };
    let duration = match u32::from_le_bytes(part(head, 20)) {
        WIDE_32 => reader.i64(),
        narrow => i64::from(narrow),
    };
    let source = match u16::from_le_bytes(part(head, 26)) {
        WIDE_16 => u32::try_from(reader.i64()).unwrap_or(u32::MAX),
        narrow => u32::from(narrow),
    };
    for side in [&mut retail, &mut wholesale] {
        if let Outcome::Rated(priced) = &mut side.outcome
            && priced.billed == WIDE_BILLED
        {
            priced.billed = Duration::from_millis(reader.i64());
        }
    }
    let [bits, class, parties, forwarder] = part(head, 28);
    let extension = if bits & bit::EXTENSION != 0 { Digits::from_bits(reader.u64()) } else { None };
    let number = if bits & bit::NUMBER != 0 { Digits::from_bits(reader.u64()).and_then(E164::new) } else { None };
    let [call_id, dialled] = part::<2, HEAD>(head, TEXTS).map(|length| reader.text_of(length));
    let mut party = |tag: u8| match tag {
        THE_NUMBER => number.map(Party::Number),
        tag => reader.party(tag),
    };
    let calling = party(parties & 15).unwrap_or(Party::Missing);
    let called = party(parties >> 4).unwrap_or(Party::Missing);
    let forwarder = party(forwarder);
    let row = CallRow {
        record: RecordId::from_bits(u64::from_le_bytes(part(head, 8))),
        call_id,
        source: SourceId(source),
        site: key.site(),
        payer: key.payer(),
        charging_at,
        setup_at,
        answered: bits & bit::ANSWERED != 0,
        duration: Duration::from_millis(duration),
        direction: Direction::ALL.get(usize::from(bits >> bit::DIRECTION)).copied().unwrap_or(Direction::Unknown),
        calling,
        dialled,
        called,
        class: NumberClass::ALL.get(usize::from(class)).copied().unwrap_or_default(),
        forwarder,
        extension,
        number,
        allowance_taken: None,
        vat: None,
        retail,
        wholesale,
        flags: u16::from_le_bytes(part(head, 24)),
    };
    (row, reader.bytes)
}

/// Stands for a billed time that is wide, until it is read.
const WIDE_BILLED: Duration = Duration::from_millis(WIDE_32 as i64);

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
    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    /// A text whose length stands in the head, if it is not wide.
    #[inline]
    fn text_of(&mut self, length: u8) -> &'a [u8] {
        if length == WIDE_8 {
            return self.text();
        }
        let (head, rest) = self.bytes.split_at_checked(usize::from(length)).unwrap_or_default();
        self.bytes = rest;
        head
    }

    #[inline]
    pub(super) fn text(&mut self) -> &'a [u8] {
        let length = usize::from(u16::from_le_bytes(self.array()));
        let (head, rest) = self.bytes.split_at_checked(length).unwrap_or_default();
        self.bytes = rest;
        head
    }

    #[inline]
    fn priced(&mut self, detail: u8) -> Priced {
        let has_fee = detail & priced::FEE != 0;
        let ([charge, price, setup_fee], [row, destination, billed, band]) = if detail & priced::WIDE == 0 {
            let bytes: [u8; PRICED] = self.array();
            let word = |at: usize| u32::from_le_bytes(part(&bytes, at));
            let steps = |steps: u32| i64::from(steps) * STEP;
            let fee = if has_fee { steps(u32::from_le_bytes(self.array())) } else { 0 };
            let band = u32::from(u16::from_le_bytes(part(&bytes, 20)));
            ([steps(word(0)), steps(word(4)), fee], [word(8), word(12), word(16), band])
        } else {
            let bytes: [u8; WIDE_PRICED] = self.array();
            let word = |at: usize| u32::from_le_bytes(part(&bytes, at));
            let units = |at: usize| i64::from_le_bytes(part(&bytes, at));
            let fee = if has_fee { self.i64() } else { 0 };
            ([units(0), units(8), fee], [word(16), word(20), word(24), word(28)])
        };
        let per = if detail & priced::A_MINUTE != 0 { MINUTE } else { Duration::from_millis(self.i64()) };
        Priced {
            charge: Charge::from_units(charge),
            row,
            destination: DestinationId(destination),
            band: BandId(band),
            billed: Duration::from_millis(i64::from(billed)),
            price: Price::from_units(price),
            per,
            setup_fee: Price::from_units(setup_fee),
            minimum_applied: detail & priced::MINIMUM != 0,
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
