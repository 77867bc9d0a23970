//! What a call's tariffs were asked, set aside with its row where an allowance may want the call priced once more.

use super::row::{Reader, text};
use crate::number::{Digits, Direction, E164, NumberClass};
use crate::tariff::{Called, Caller, CallerType, Query};

/// Appends a question.
pub(super) fn encode(query: &Query<'_>, out: &mut Vec<u8>) {
    let mut called = |tag: u8, digits: Digits, class: NumberClass, needed: u8| {
        out.extend_from_slice(&[tag, class as u8, needed]);
        out.extend_from_slice(&digits.to_bits().to_le_bytes());
    };
    match query.called {
        Called::Number(number, class, needed) => called(1, number.digits(), class, needed),
        Called::ShortCode(code, class, needed) => called(2, code, class, needed),
        Called::Internal => called(3, Digits::EMPTY, NumberClass::Internal, 0),
    }
    out.push(query.direction as u8);
    for who in [query.caller, query.network_caller] {
        let (tag, digits) = match who {
            Caller::Number(number) => (0, number.digits()),
            Caller::Missing => (1, Digits::EMPTY),
            Caller::Invalid => (2, Digits::EMPTY),
        };
        out.push(tag);
        out.extend_from_slice(&digits.to_bits().to_le_bytes());
    }
    let kind = CallerType::ALL.iter().position(|kind| Some(*kind) == query.caller_type);
    out.push(kind.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
    for digits in query.access {
        out.extend_from_slice(&digits.to_bits().to_le_bytes());
    }
    let [trunk, channel] = query.trunks;
    for part in [trunk, channel, query.charge_code] {
        text(part, out);
    }
}

impl<'a> Reader<'a> {
    /// The question that [`encode`] wrote; `None` if there is none.
    pub(super) fn asked(&mut self) -> Option<Query<'a>> {
        let tag = self.u8();
        if tag == 0 {
            return None;
        }
        let class = NumberClass::ALL.get(usize::from(self.u8())).copied().unwrap_or_default();
        let needed = self.u8();
        let digits = Digits::from_bits(self.u64());
        let called = match tag {
            1 => Called::Number(E164::new(digits?)?, class, needed),
            2 => Called::ShortCode(digits?, class, needed),
            _ => Called::Internal,
        };
        let direction = Direction::ALL.get(usize::from(self.u8())).copied().unwrap_or(Direction::Unknown);
        let (caller, network_caller) = (self.caller(), self.caller());
        let caller_type = CallerType::ALL.get(usize::from(self.u8())).copied();
        let access = [self.u64(), self.u64()].map(|bits| Digits::from_bits(bits).unwrap_or(Digits::EMPTY));
        let trunks = [self.text(), self.text()];
        let charge_code = self.text();
        Some(Query { called, direction, caller, network_caller, caller_type, trunks, access, charge_code })
    }

    fn caller(&mut self) -> Caller {
        let tag = self.u8();
        let number = Digits::from_bits(self.u64()).and_then(E164::new);
        match (tag, number) {
            (0, Some(number)) => Caller::Number(number),
            (1, _) => Caller::Missing,
            _ => Caller::Invalid,
        }
    }
}
