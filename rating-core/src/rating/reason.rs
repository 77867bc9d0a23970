//! Why a side of a call has no charge.

use super::{Outcome, Trouble};

impl From<Trouble> for Reason {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NoPrice | Trouble::Overflow => Self::ChargeOverflow,
            Trouble::WholesaleUnpriced => Self::WholesaleUnpriced,
            Trouble::WholesaleCurrency => Self::WholesaleCurrency,
            Trouble::CallerZoneUnknown => Self::CallerZoneUnknown,
        }
    }
}

/// Why a side of a call has no charge, as far as rating decides it. A call whose payer is not known is suspended with the
/// code of `attribution` instead.
///
/// Where several apply, the first in this order wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Calls to emergency numbers are never charged, row or no row.
    EmergencyCall,
    /// Never answered, or no talk time.
    Unanswered,
    /// From the outside, and no row prices such calls.
    InboundCall,
    /// Inside the site (feature codes and applications included), and no row prices such calls.
    InternalCall,
    /// The record does not tell which way the call went.
    DirectionUnknown,
    /// What was called is neither a number nor a short code.
    CalledUnclassified,
    /// The operator pays; there is no retail side.
    OperatorOwnCall,
    /// The run rates the retail side only.
    WholesaleNotRated,
    /// No tariff is assigned on this side at that instant.
    NoTariffAssigned,
    /// The assigned tariff has no version in force at that instant.
    TariffNotInForce,
    /// A row says that the destination is not offered.
    DestinationBlocked,
    /// A row lists the destination without a price.
    PriceUnknown,
    /// Only a prefix too short for the number's class matches: premium, personal, satellite and their like.
    ClassNotPriced,
    /// No row matches.
    NoRateForDestination,
    /// The charge is larger than a ledger amount can be.
    ChargeOverflow,
    /// The row marks the wholesale charge up, and the wholesale side has none.
    WholesaleUnpriced,
    /// The row marks the wholesale charge up, and that is in another currency.
    WholesaleCurrency,
    /// The clock of the tariff is the caller's, and the table of callers' zones does not have this one.
    CallerZoneUnknown,
    /// The local time was read two ways, and they differ in holder, month or charge.
    LocalTimeAmbiguous,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::EmergencyCall,
        Self::Unanswered,
        Self::InboundCall,
        Self::InternalCall,
        Self::DirectionUnknown,
        Self::CalledUnclassified,
        Self::OperatorOwnCall,
        Self::WholesaleNotRated,
        Self::NoTariffAssigned,
        Self::TariffNotInForce,
        Self::DestinationBlocked,
        Self::PriceUnknown,
        Self::ClassNotPriced,
        Self::NoRateForDestination,
        Self::ChargeOverflow,
        Self::WholesaleUnpriced,
        Self::WholesaleCurrency,
        Self::CallerZoneUnknown,
        Self::LocalTimeAmbiguous,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmergencyCall => "rating.emergency_call",
            Self::Unanswered => "rating.unanswered",
            Self::InboundCall => "rating.inbound_call",
            Self::InternalCall => "rating.internal_call",
            Self::DirectionUnknown => "rating.direction_unknown",
            Self::CalledUnclassified => "rating.called_unclassified",
            Self::OperatorOwnCall => "rating.operator_own_call",
            Self::WholesaleNotRated => "rating.wholesale_not_rated",
            Self::NoTariffAssigned => "rating.no_tariff_assigned",
            Self::TariffNotInForce => "rating.tariff_not_in_force",
            Self::DestinationBlocked => "rating.destination_blocked",
            Self::PriceUnknown => "rating.price_unknown",
            Self::ClassNotPriced => "rating.class_not_priced",
            Self::NoRateForDestination => "rating.no_rate_for_destination",
            Self::ChargeOverflow => "rating.charge_overflow",
            Self::WholesaleUnpriced => "rating.wholesale_unpriced",
            Self::WholesaleCurrency => "rating.wholesale_currency",
            Self::CallerZoneUnknown => "rating.caller_zone_unknown",
            Self::LocalTimeAmbiguous => "rating.local_time_ambiguous",
        }
    }

    /// Whether a charge may be due: such calls wait for someone to mend what is wrong. The others are not chargeable by a
    /// rule.
    #[must_use]
    pub const fn is_suspension(self) -> bool {
        !matches!(
            self,
            Self::EmergencyCall | Self::Unanswered | Self::InboundCall | Self::InternalCall | Self::OperatorOwnCall
        )
    }

    /// What comes of a side for this reason.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        if self.is_suspension() { Outcome::Suspended(self.code()) } else { Outcome::NotChargeable(self.code()) }
    }
}
