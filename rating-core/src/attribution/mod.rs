//! Second floor: who pays. Each call is given to whoever held the forwarding, coded, placing or calling number or
//! extension at the instant that decides.

use crate::ids::{PayerId, SiteId};
use crate::mediation::Call;
use crate::number::{Digits, E164};

/// A call and who pays for it, or why that is not known. Only this module makes one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttributedCall<'a> {
    /// The call.
    pub call: Call<'a>,
    /// Who pays.
    pub holder: Result<Holder, AttributionReason>,
}

/// Who pays for a call, and by which right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The occupier, or the operator itself.
    pub payer: PayerId,
    /// The site whose report the call belongs to: that of the number or extension held.
    pub site: SiteId,
    /// The extension it is reported under, where known.
    pub extension: Option<Digits>,
    /// The number held, where the holder was found by one or the extension has one.
    pub number: Option<E164>,
    /// What the holder was found by.
    pub by: AttributedBy,
}

/// What the holder of a call was found by, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributedBy {
    /// Who forwarded or transferred the call to the outside pays for the leg to the outside.
    Forwarder,
    /// The account or authorization code keyed.
    AccountCode,
    /// The extension that placed the call.
    Extension,
    /// The calling number.
    CallingNumber,
    /// The called number or extension, for calls from the outside and inside the site.
    CalledNumber,
}

/// Why nobody is known to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AttributionReason {
    /// Nobody held the number at that instant.
    NumberNotAllocated,
    /// The number is not in the directory.
    NumberUnknown,
    /// The extension is nobody's at that instant.
    ExtensionUnknown,
    /// The account code is nobody's at that instant.
    AccountCodeUnknown,
    /// A main number cannot place calls; it only sends them on.
    MainNumberOriginated,
    /// The record names nobody inside.
    NoInsideParty,
}
