//! What a tariff is asked about a call: who calls, as tariffs see it.

use memchr::{memchr, memrchr};

use crate::attribution::AttributedCall;
use crate::number::{Direction, E164, NumberClass, Party};
use crate::tariff::{Called, Caller, CallerType, Query};

/// The question that tariffs are asked about a call that went to `called`.
pub(super) fn query<'a>(call: &AttributedCall<'_, 'a>, called: Called) -> Query<'a> {
    let held = call.holder.ok().and_then(|holder| holder.number);
    let call = call.call;
    let outward = matches!(call.direction, Direction::Outbound | Direction::Internal | Direction::Unknown);
    // The holder of an inbound or forwarded call is not who called.
    let line = held.filter(|_| outward);
    let shown = match call.shown {
        Some(number) => Caller::of(number),
        None => caller(call.calling, line),
    };
    let network_caller = match line {
        Some(number) if call.direction == Direction::Outbound => Caller::of(number),
        _ => shown,
    };
    Query {
        direction: call.direction,
        caller: shown,
        network_caller,
        caller_type: caller_type(shown, call.calling_class),
        trunks: [call.trunk, trunk_name(call.cdr.egress)],
        access: [call.access.line, call.access.carrier],
        ..Query::new(called)
    }
}

/// Who a caller is to a tariff; `line` is the number of the line that the call came from, if it is known.
pub(super) fn caller(calling: Party<'_>, line: Option<E164>) -> Caller {
    match calling {
        Party::Number(number) => Caller::of(number),
        Party::Extension(_) | Party::Name(_) | Party::Feature(_) => line.map_or(Caller::Missing, Caller::of),
        Party::Missing | Party::Withheld => Caller::Missing,
        Party::ShortCode(_) | Party::Emergency(_) | Party::Unclassified(_) => Caller::Invalid,
    }
}

/// The type of a caller by the class of its number.
pub(super) fn caller_type(caller: Caller, class: NumberClass) -> Option<CallerType> {
    caller.number().map(|_| if class == NumberClass::Mobile { CallerType::Mobile } else { CallerType::Fixed })
}

/// The channel or device that a call went out by, without what is new with each call: `PJSIP/carrier` of
/// `PJSIP/carrier-0000001f`.
fn trunk_name(egress: &[u8]) -> &[u8] {
    let dash = memrchr(b'-', egress).filter(|_| memchr(b'/', egress).is_some());
    dash.and_then(|dash| egress.get(..dash)).unwrap_or(egress)
}
