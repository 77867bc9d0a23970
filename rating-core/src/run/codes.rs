//! Every code that a call or record can be set aside with.

use crate::attribution::AttributionReason;
use crate::mediation::MediationReason;
use crate::rating::Reason;

/// The codes of calls that are suspended or not chargeable, in a fixed order.
#[must_use]
pub fn suspended_or_free() -> Vec<&'static str> {
    let mediation = MediationReason::ALL.into_iter().map(MediationReason::code);
    let attribution = AttributionReason::ALL.into_iter().map(AttributionReason::code);
    mediation.chain(attribution).chain(Reason::ALL.into_iter().map(Reason::code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_fit_a_byte() {
        let mut codes = suspended_or_free();
        assert!(codes.len() < 255);
        codes.sort_unstable();
        let distinct = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), distinct);
    }
}
