//! Second floor: who pays. Each call is given to whoever held the forwarding, coded, placing or calling number or
//! extension at the instant that decides.
//!
//! # Who is asked
//!
//! The instant is always [`Call::charging_at`]: the answer, or the set-up of a call never answered. The first of these
//! that the record names decides; nothing after it is asked, whatever the answer:
//!
//! - **Outbound** (and calls whose direction is not known): who forwarded or transferred the call; the account code, at
//!   a site where account codes are in use; the extension that placed the call; the calling number.
//! - **Forwarded** from the outside to the outside: the forwarder. A main number may forward.
//! - **Inbound**: the called number or extension.
//! - **Internal**: the extension that called, or else the calling number.
//!
//! There is one exception, and it is no guess. Many directories keep numbers without their extensions. Where the
//! directory has never heard of the extension, but the calling number was held by somebody and the directory names no
//! extension for it, the number decides. If the directory names another extension for the number, or knows the
//! extension at another time, record and directory contradict each other and the call is suspended.
//!
//! A main number takes calls and sends them on, but places none: a call that the directory traces to a main number
//! without a forwarder is suspended. A caller recorded by a name (a SIP user) is found by an account code only.
//!
//! Calls that nobody is charged for are attributed too, since itemised lists show them; that their holder is not known
//! is then no reason to suspend anything.

use crate::directory::{Directory, Lookup};
use crate::ids::{PayerId, SiteId};
use crate::mediation::Call;
use crate::number::{Digits, Direction, E164, Party};
use crate::time::Instant;

#[cfg(test)]
mod tests;

/// A call and who pays for it, or why that is not known. Only this module makes one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttributedCall<'c, 'a> {
    /// The call.
    pub call: &'c Call<'a>,
    /// Who pays.
    pub holder: Result<Holder, AttributionReason>,
    /// Whether the other reading of a repeated or missing local hour gives the same holder; true where there is no
    /// other reading.
    pub readings_agree: bool,
}

/// Who pays for a call, and by which right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The occupier, or the operator itself.
    pub payer: PayerId,
    /// The site whose report the call belongs to: that of the number or extension held; for an account code, the site
    /// of the call.
    pub site: SiteId,
    /// The extension it is reported under, where known. For an account code, the extension that placed the call,
    /// whoever holds it.
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
    /// The called number or extension, for calls from the outside.
    CalledNumber,
}

impl AttributedBy {
    /// Every way, in the order in which they are asked.
    pub const ALL: [Self; 5] =
        [Self::Forwarder, Self::AccountCode, Self::Extension, Self::CallingNumber, Self::CalledNumber];

    /// The name in reports and explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forwarder => "forwarder",
            Self::AccountCode => "account_code",
            Self::Extension => "extension",
            Self::CallingNumber => "calling_number",
            Self::CalledNumber => "called_number",
        }
    }
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
    /// The account code is nobody's at that instant and site.
    AccountCodeUnknown,
    /// A main number cannot place calls; it only sends them on.
    MainNumberOriginated,
    /// The record names nobody inside.
    NoInsideParty,
}

impl AttributionReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::NumberNotAllocated,
        Self::NumberUnknown,
        Self::ExtensionUnknown,
        Self::AccountCodeUnknown,
        Self::MainNumberOriginated,
        Self::NoInsideParty,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NumberNotAllocated => "attribution.number_not_allocated",
            Self::NumberUnknown => "attribution.number_unknown",
            Self::ExtensionUnknown => "attribution.extension_unknown",
            Self::AccountCodeUnknown => "attribution.account_code_unknown",
            Self::MainNumberOriginated => "attribution.main_number_originated",
            Self::NoInsideParty => "attribution.no_inside_party",
        }
    }
}

/// Finds who pays for a call, as the module's rules say.
#[must_use]
#[inline]
pub fn attribute<'c, 'a>(call: &'c Call<'a>, directory: &Directory) -> AttributedCall<'c, 'a> {
    let holder = holder_at(call, directory, call.charging_at);
    let readings_agree = match call.other_reading {
        Some(other) => holder_at(call, directory, other) == holder,
        None => true,
    };
    AttributedCall { call, holder, readings_agree }
}

fn holder_at(call: &Call<'_>, directory: &Directory, at: Instant) -> Result<Holder, AttributionReason> {
    let question = Question { call, directory, at };
    match call.direction {
        Direction::Outbound | Direction::Unknown => match call.forwarder {
            Some(forwarder) => question.forwarder(forwarder),
            None if directory.uses_account_codes(call.site) && !call.cdr.account.is_empty() => question.account_code(),
            None => question.caller(),
        },
        Direction::Forwarded => question.forwarder(call.forwarder.ok_or(AttributionReason::NoInsideParty)?),
        Direction::Inbound => question.any(call.called, AttributedBy::CalledNumber),
        Direction::Internal => question.caller(),
    }
}

/// A call, asked about at one instant.
#[derive(Clone, Copy)]
struct Question<'q, 'a> {
    call: &'q Call<'a>,
    directory: &'q Directory,
    at: Instant,
}

impl Question<'_, '_> {
    fn forwarder(self, forwarder: Party<'_>) -> Result<Holder, AttributionReason> {
        self.any(forwarder, AttributedBy::Forwarder)
    }

    fn account_code(self) -> Result<Holder, AttributionReason> {
        let Lookup::Held { payer, site, .. } =
            self.directory.account_code_at(self.call.site, self.call.cdr.account, self.at)
        else {
            return Err(AttributionReason::AccountCodeUnknown);
        };
        let extension = self.call.extension.or(self.call.calling.extension());
        // The number only where the telephone is the payer's own: reports show no other holder's numbers.
        let number = extension.and_then(|extension| match self.directory.extension_at(site, extension, self.at) {
            Lookup::Held { payer: own, number, .. } if own == payer => number,
            _ => None,
        });
        Ok(Holder { payer, site, extension, number, by: AttributedBy::AccountCode })
    }

    /// Who placed the call: by the extension, if the record has one, or else by the calling number.
    fn caller(self) -> Result<Holder, AttributionReason> {
        let number = || self.call.calling.e164().map(|number| self.directory.number_at(number, self.at));
        let Some(extension) = self.call.extension.or(self.call.calling.extension()) else {
            let lookup = number().ok_or(AttributionReason::NoInsideParty)?;
            return found_number(lookup, AttributedBy::CallingNumber).and_then(placed);
        };
        let found = self.directory.extension_at(self.call.site, extension, self.at);
        if found == Lookup::Unknown
            && let Some(lookup @ Lookup::Held { extension: None, .. }) = number()
        {
            let (holder, main) = found_number(lookup, AttributedBy::CallingNumber)?;
            return placed((Holder { extension: Some(extension), ..holder }, main));
        }
        found_extension(found, AttributedBy::Extension).and_then(placed)
    }

    /// A party that may be a main number: it takes calls and sends them on.
    fn any(self, party: Party<'_>, by: AttributedBy) -> Result<Holder, AttributionReason> {
        let (holder, _) = match party {
            Party::Number(number) => found_number(self.directory.number_at(number, self.at), by)?,
            Party::Extension(extension) => {
                found_extension(self.directory.extension_at(self.call.site, extension, self.at), by)?
            }
            _ => return Err(AttributionReason::NoInsideParty),
        };
        Ok(holder)
    }
}

/// The holder, and whether of a main number.
type Found = (Holder, bool);

fn found_number(lookup: Lookup, by: AttributedBy) -> Result<Found, AttributionReason> {
    found(lookup, by, AttributionReason::NumberUnknown, AttributionReason::NumberNotAllocated)
}

fn found_extension(lookup: Lookup, by: AttributedBy) -> Result<Found, AttributionReason> {
    found(lookup, by, AttributionReason::ExtensionUnknown, AttributionReason::ExtensionUnknown)
}

fn found(
    lookup: Lookup,
    by: AttributedBy,
    unknown: AttributionReason,
    not_allocated: AttributionReason,
) -> Result<Found, AttributionReason> {
    match lookup {
        Lookup::Held { payer, site, number, extension, main } => {
            Ok((Holder { payer, site, extension, number, by }, main))
        }
        Lookup::NotAllocated { .. } => Err(not_allocated),
        Lookup::Unknown => Err(unknown),
    }
}

/// Refuses a main number as the one that placed a call.
const fn placed((holder, main): Found) -> Result<Holder, AttributionReason> {
    if main { Err(AttributionReason::MainNumberOriginated) } else { Ok(holder) }
}

#[cfg(test)]
impl<'c, 'a> AttributedCall<'c, 'a> {
    /// A call with a holder (or none) that no directory was asked for.
    pub(crate) const fn for_test(call: &'c Call<'a>, holder: Result<Holder, AttributionReason>) -> Self {
        Self { call, holder, readings_agree: true }
    }
}

#[cfg(test)]
impl Holder {
    /// A holder found by an extension.
    pub(crate) const fn for_test(
        payer: PayerId,
        site: SiteId,
        extension: Option<Digits>,
        number: Option<E164>,
    ) -> Self {
        Self { payer, site, extension, number, by: AttributedBy::Extension }
    }
}
