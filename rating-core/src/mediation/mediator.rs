//! One record to one call: direction, parties, forwarder and times.
//!
//! # Which way a call went
//!
//! Each end of a record is put inside or outside the site; the first evidence that tells wins.
//!
//! 1. **Patterns**: an end whose channel or device matches [`SourceSettings::phones`] is inside, one that matches
//!    [`SourceSettings::trunks`] outside; where there are trunk patterns, any other channel is inside. But where somebody
//!    inside reached a public number through a channel that nothing else places inside, the called end stays unclear: the
//!    patterns may miss a trunk, and calls must not be free for a slip.
//! 2. **What the switch says** of an end ([`Cdr::ends`]), in formats that say it.
//! 3. **Partitions** (CUCM), if the source lists inside ones: the calling and the called party's.
//! 4. **Device names** (CUCM): `SEP`, `ATA`, `CSF`, `TCT`, `BOT`, `TAB` … are phones; a caller in a partition is inside,
//!    because callers by a gateway have none; anything else is a gateway or trunk. From one of those to another without
//!    anybody who sent the call on, names are not enough, and the direction stays unknown.
//!    For other formats: a channel named after an extension of the site (`SIP/114-…`) is inside; a host (`192.0.2.30:5060`) says
//!    nothing by itself.
//! 5. **Context** (Asterisk): says where the caller stands.
//! 6. **Numbers**: an extension is inside, a number of the numbering plan outside. The called end counts as outside only
//!    if the record has a channel it went out by (formats without partitions): what an application answers (`Echo`,
//!    voicemail) went nowhere.
//!
//! Outside to outside is [`Forwarded`](Direction::Forwarded), outside to inside [`Inbound`](Direction::Inbound), inside to
//! outside [`Outbound`](Direction::Outbound), inside to inside [`Internal`](Direction::Internal); an end that nothing
//! tells of makes it [`Unknown`](Direction::Unknown).

use std::sync::Arc;

use super::clock::{self, Times};
use super::dial_plan::{AccessCodes, DialPlan, Role};
use super::lines::{Line, Lines};
use super::{Call, Direction, MediationReason, Written, links};
use crate::cdr::{Cdr, End, Group, Kind, NotACall};
use crate::ids::{SiteId, SourceId};
use crate::number::{Digits, E164, NumberClass, Party};
use crate::time::{Duration, Zone};

/// What a record is, seen by mediation.
#[derive(Clone, Copy, Debug)]
pub enum Mediated<'a> {
    /// A call.
    Call(Call<'a>),
    /// A call by itself, and what others need to know how its parties came in: goes to [`Mediator::assemble`] with each of
    /// the groups too, to be looked at there and not to be counted again. Groups may be empty.
    Linked(Call<'a>, [Group<'a>; 2]),
    /// One of several records of a call: goes to [`Mediator::assemble`] with those of the same group. The group of an
    /// Asterisk `Local` half is the pair's name.
    NeedsPartner(Group<'a>),
    /// Not a call.
    NotACall(NotACall),
    /// A call that cannot be rated, and why.
    Suspended(Call<'a>, MediationReason),
}

/// What a project says about the channels of a source. Every list may be empty.
///
/// A pattern without `*` matches names that begin with it (`PJSIP/trunk`); `*` stands for any text, and then the whole
/// name must match (`SIP/*-trunk-*`). Case does not matter.
#[derive(Clone, Debug, Default)]
pub struct SourceSettings {
    /// Channels and devices that lead outside.
    pub trunks: Vec<String>,
    /// Channels and devices that are inside, where their names do not tell (CUCM devices with names of their own).
    pub phones: Vec<String>,
    /// Contexts of callers inside; `from-internal…` if no context is listed at all.
    pub inside_contexts: Vec<String>,
    /// Contexts of callers outside; `from-pstn`, `from-trunk…`, `from-did…`, `ext-did…` and the like if no context is
    /// listed at all.
    pub outside_contexts: Vec<String>,
    /// Partitions of parties inside (CUCM).
    pub inside_partitions: Vec<String>,
}

// `ext-local` and its like say where the call ended: FreePBX writes them for callers outside, too.
const INSIDE_CONTEXTS: [&str; 1] = ["from-internal"];
const OUTSIDE_CONTEXTS: [&str; 8] = [
    "from-pstn",
    "from-trunk",
    "from-did",
    "ext-did",
    "from-sip-external",
    "from-zaptel",
    "from-dahdi",
    "from-external",
];

/// Device names of phones (Cisco, Call Detail Records Administration Guide, and the device name rules of the System
/// Configuration Guide): hard phones, analogue adapters, Jabber and its mobile forms, IP Communicator, CTI ports.
const PHONE_DEVICES: [&[u8]; 10] = [b"SEP", b"ATA", b"CSF", b"TCT", b"BOT", b"TAB", b"CIPC", b"CTI", b"AN", b"VGC"];

/// Where an end of a call lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Inside,
    Outside,
    Unclear,
}

/// Turns the records of one source into calls. Holds no state between records.
///
/// # Example: an outbound call of extension 114
///
/// ```
/// # use rating_core::cdr::{Cdr, Kind, Stamp};
/// # use rating_core::ids::{SiteId, SourceId};
/// # use rating_core::source::RecordId;
/// use rating_core::mediation::dial_plan::{Countries, DialPlan, ExtensionRange, SitePlan};
/// use rating_core::mediation::{Direction, Mediated, Mediator, SourceSettings};
/// use rating_core::number::{Digits, Party};
/// use rating_core::time::{Duration, LocalTime, Zone};
///
/// let digits = |text: &str| Digits::parse(text.as_bytes()).unwrap();
/// let site = SitePlan {
///     country: "GB".to_owned(),
///     area_code: Some(digits("20")),
///     outside_line: vec![digits("9")],
///     extensions: vec![ExtensionRange { from: digits("100"), to: digits("199") }],
/// };
/// let plan = DialPlan::compile(&site, &Countries::embedded()).unwrap();
/// let settings = SourceSettings { trunks: vec!["PJSIP/trunk".to_owned()], ..SourceSettings::default() };
/// let mediator = Mediator::new(SourceId(0), SiteId(0), Zone::load("Europe/London").unwrap(), plan, settings);
///
/// # let cdr = Cdr {
/// #     id: RecordId::new(0, 0).unwrap(), raw: b"", call_id: b"", key: [b""; 6], answer: None, end: None, epoch: None,
/// #     setup: Some(Stamp::Local(LocalTime::parse(b"2026-07-01 09:30:00").unwrap())),
/// #     duration: Some(Duration::from_seconds(70)), talk: Duration::from_seconds(61), answered: true,
/// #     calling: b"02079460114", peer: b"114", dialled: b"901632960123", reached: b"", outpulsed: b"", forwarder: b"",
/// #     account: b"", context: b"from-internal", ingress: b"PJSIP/114-00000001", egress: b"PJSIP/trunk-00000002",
/// #     kind: Kind::Call, ..Cdr::blank(RecordId::new(0, 0).unwrap(), b"")
/// # };
/// let Mediated::Call(call) = mediator.mediate(&cdr) else { panic!() };
/// assert_eq!(call.direction, Direction::Outbound);
/// assert_eq!(call.calling, Party::Extension(digits("114")));
/// assert_eq!(call.called.e164().unwrap().to_string(), "+441632960123");
/// // Set up at 09:30:00 British summer time, answered 70 − 61 = 9 s later.
/// assert_eq!(call.charging_at.to_rfc3339(), "2026-07-01T08:30:09Z");
/// ```
#[derive(Clone, Debug)]
pub struct Mediator {
    source: SourceId,
    site: SiteId,
    zone: Zone,
    pub(super) plan: Arc<DialPlan>,
    trunks: Vec<Pattern>,
    /// The trunk patterns as the project writes them.
    trunk_texts: Vec<Box<[u8]>>,
    phones: Vec<Pattern>,
    inside_contexts: Vec<Pattern>,
    outside_contexts: Vec<Pattern>,
    inside_partitions: Vec<Pattern>,
}

/// The ends of a call: who and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    pub(super) caller: Side,
    pub(super) callee: Side,
    pub(super) calling: Party<'a>,
    pub(super) called: Party<'a>,
    pub(super) forwarder: Option<Party<'a>>,
    pub(super) extension: Option<Digits>,
    /// The caller's number as the record shows it.
    pub(super) shown: Option<E164>,
    pub(super) access: AccessCodes,
    /// The line that the record names, if it names one of the site.
    pub(super) line: Option<Line>,
}

impl Mediator {
    /// The mediator of one source at one site. `zone` is that of the source's clock, which need not be the site's.
    #[must_use]
    pub fn new(
        source: SourceId,
        site: SiteId,
        zone: Zone,
        plan: impl Into<Arc<DialPlan>>,
        settings: SourceSettings,
    ) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect::<Vec<_>>();
        let (mut inside, mut outside) = (patterns(&settings.inside_contexts), patterns(&settings.outside_contexts));
        if inside.is_empty() && outside.is_empty() {
            inside = INSIDE_CONTEXTS.into_iter().map(Pattern::new).collect();
            outside = OUTSIDE_CONTEXTS.into_iter().map(Pattern::new).collect();
        }
        Self {
            source,
            site,
            zone,
            plan: plan.into(),
            trunks: patterns(&settings.trunks),
            trunk_texts: settings.trunks.iter().map(|text| text.trim().as_bytes().into()).collect(),
            phones: patterns(&settings.phones),
            inside_contexts: inside,
            outside_contexts: outside,
            inside_partitions: patterns(&settings.inside_partitions),
        }
    }

    /// The plan that numbers are read by.
    #[must_use]
    pub fn plan(&self) -> &DialPlan {
        &self.plan
    }

    /// What a record is. Depends on this record alone.
    #[must_use]
    pub fn mediate<'a>(&'a self, cdr: &Cdr<'a>) -> Mediated<'a> {
        self.mediate_one_of(cdr, &mut Lines::default())
    }

    /// [`Mediator::mediate`] of one of many records: what lines come to that were met before is not worked out again.
    #[must_use]
    pub fn mediate_one_of<'a>(&'a self, cdr: &Cdr<'a>, lines: &mut Lines) -> Mediated<'a> {
        match cdr.kind {
            Kind::Call => {
                let line = lines.line(self.source, cdr, || self.line(cdr));
                Mediated::Call(self.call(cdr, self.ends_of(cdr, line)))
            }
            Kind::LocalHalf { pair } => Mediated::NeedsPartner([pair, b"", b""]),
            Kind::Part(part) => Mediated::NeedsPartner(part.group),
            Kind::Conference { .. } => self.conference_leg(cdr),
            Kind::Split { legs } => Mediated::Linked(self.call(cdr, self.ends(cdr)), legs.map(links::group_of)),
            Kind::Joined { leg } => self.joined(cdr, leg),
            Kind::NotACall(why) => Mediated::NotACall(why),
        }
    }

    /// The same call at its [`other_reading`](Call::other_reading): set-up, answer and charging instant all move by the
    /// difference. A call without one comes back unchanged; rereading twice gives the first call.
    #[must_use]
    pub fn reread<'a>(&self, call: Call<'a>) -> Call<'a> {
        let Some(other) = call.other_reading else { return call };
        let by: Duration = other.since(call.charging_at);
        Call {
            setup_at: call.setup_at.map(|at| at.plus(by)),
            answered_at: call.answered_at.map(|at| at.plus(by)),
            charging_at: other,
            other_reading: Some(call.charging_at),
            ..call
        }
    }

    /// A record as a call by itself, whatever others there are.
    #[must_use]
    pub fn alone<'a>(&'a self, cdr: &Cdr<'a>) -> Call<'a> {
        self.call(cdr, self.ends(cdr))
    }

    pub(super) fn times(&self, cdr: &Cdr<'_>) -> Times {
        clock::times(cdr, &self.zone)
    }

    /// Puts a call together.
    pub(super) fn call<'a>(&'a self, cdr: &Cdr<'a>, ends: Ends<'a>) -> Call<'a> {
        let times = self.times(cdr);
        Call {
            cdr: Written::of(cdr),
            source: self.source,
            site: self.site,
            setup_at: times.setup_at,
            answered_at: times.answered_at,
            charging_at: times.charging_at,
            other_reading: times.other_reading,
            duration: cdr.talk,
            answered: cdr.answered && cdr.talk > Duration::ZERO,
            direction: match (ends.caller, ends.callee) {
                (Side::Outside, Side::Outside) => Direction::Forwarded,
                (Side::Outside, Side::Inside) => Direction::Inbound,
                (Side::Inside, Side::Outside) => Direction::Outbound,
                (Side::Inside, Side::Inside) => Direction::Internal,
                _ => Direction::Unknown,
            },
            calling: ends.calling,
            called: ends.called,
            called_class: self.plan.class_of(ends.called),
            calling_class: match ends.line {
                Some(line) if (ends.calling, ends.shown) == (Party::Extension(line.extension), line.shown) => {
                    line.class
                }
                _ => self.class_of_caller(ends.calling, ends.shown),
            },
            shown: ends.shown,
            trunk: self.trunk(cdr.egress),
            access: ends.access,
            forwarder: ends.forwarder,
            extension: ends.extension,
        }
    }

    /// Both ends of a record that stands for a call.
    pub(super) fn ends<'a>(&self, cdr: &Cdr<'a>) -> Ends<'a> {
        self.ends_of(cdr, self.line(cdr))
    }

    /// The telephone of the site that a record's channel or device is named after.
    fn line(&self, cdr: &Cdr<'_>) -> Option<Line> {
        let extension = self.plan.extension_of(cdr.peer)?;
        let party = Party::Extension(extension);
        let shown = self.shown(cdr, party);
        Some(Line { extension, shown, class: self.class_of_caller(party, shown) })
    }

    fn class_of_caller(&self, calling: Party<'_>, shown: Option<E164>) -> NumberClass {
        self.plan.class_of(shown.map_or(calling, Party::Number)).0
    }

    fn ends_of<'a>(&self, cdr: &Cdr<'a>, line: Option<Line>) -> Ends<'a> {
        let caller = self.caller_side(cdr);
        let calling = match line {
            Some(line) if caller != Side::Outside => Party::Extension(line.extension),
            _ => self.calling(cdr, caller),
        };
        let forwarder_party = self.forwarder_as_recorded(cdr);
        let (called, access) = self.called(cdr, caller, forwarder_party.is_some());
        let mut callee = self.callee_side(cdr, called);
        // An inside call to an outside number that failed before it found a way out was still meant to go out.
        let nowhere = channels_tell(cdr) && cdr.egress.is_empty();
        if caller == Side::Inside && nowhere && !cdr.answered && is_public(called) {
            callee = Side::Outside;
        }
        // A channel that matches no trunk is inside, but a public number behind one that nothing else places inside may as
        // well be a trunk that the patterns miss: free calls must not hang on a slip in a pattern.
        let told = cdr.ends[1] != End::Untold;
        if caller == Side::Inside && callee == Side::Inside && cdr.answered && is_public(called) && !nowhere && !told {
            let partition = cdr.partitions.map(|(_, called)| called);
            if !self.is_known_inside(cdr.egress, partition) {
                callee = Side::Unclear;
            }
        }
        let by_names_alone = self.trunks.is_empty() && !cdr.egress.is_empty() && !is_channel(cdr.egress);
        if caller == Side::Outside && callee == Side::Outside && forwarder_party.is_none() && by_names_alone && !told {
            callee = Side::Unclear;
        }
        let (called, forwarder) = match forwarder_party {
            None if caller == Side::Outside && callee == Side::Outside => self.forwarded(cdr, called),
            other => (called, other),
        };
        let shown = match line {
            Some(line) if calling == Party::Extension(line.extension) => line.shown,
            _ => self.shown(cdr, calling),
        };
        let extension = self.payer_extension(line.map(|line| line.extension), calling, forwarder);
        Ends { caller, callee, calling, called, forwarder, extension, shown, access, line }
    }

    /// The trunk that a call went out by: the pattern that matches its channel, the longest if there are several.
    fn trunk(&self, egress: &[u8]) -> &[u8] {
        let matching = self.trunks.iter().zip(&self.trunk_texts).filter(|(pattern, _)| pattern.matches(egress));
        // Of equally long ones the first.
        matching.map(|(_, text)| &**text).rev().max_by_key(|text| text.len()).unwrap_or_default()
    }

    /// The caller's number as the record shows it, also where the line is known better by its extension.
    pub(super) fn shown(&self, cdr: &Cdr<'_>, calling: Party<'_>) -> Option<E164> {
        match calling {
            Party::Extension(_) if cdr.calling == cdr.peer => None,
            Party::Extension(_) => self.plan.normalise(cdr.calling, Role::CallingInside).e164(),
            calling => calling.e164(),
        }
    }

    /// Where the caller stands.
    pub(super) fn caller_side(&self, cdr: &Cdr<'_>) -> Side {
        if let Some(side) = self.told_side(cdr.ends[0], cdr.ingress) {
            return side;
        }
        let partition = cdr.partitions.map(|(calling, _)| calling);
        let by_line = self.side_of(cdr.ingress, partition);
        // Without patterns a device is outside only because its name is not a phone's.
        let in_partition = self.trunks.is_empty() && partition.is_some_and(|partition| !partition.is_empty());
        if by_line == Side::Outside && in_partition {
            return Side::Inside;
        }
        if by_line != Side::Unclear {
            return by_line;
        }
        if self.inside_contexts.iter().any(|pattern| pattern.matches(cdr.context)) {
            return Side::Inside;
        }
        if self.outside_contexts.iter().any(|pattern| pattern.matches(cdr.context)) {
            return Side::Outside;
        }
        if self.plan.extension_of(cdr.peer).is_some() {
            return Side::Inside;
        }
        match self.plan.normalise(cdr.calling, Role::CallingInside) {
            Party::Extension(_) => Side::Inside,
            Party::Number(_) | Party::Withheld => Side::Outside,
            _ => Side::Unclear,
        }
    }

    /// Where the called party lies.
    pub(super) fn callee_side(&self, cdr: &Cdr<'_>, called: Party<'_>) -> Side {
        if let Some(side) = self.told_side(cdr.ends[1], cdr.egress) {
            return side;
        }
        if channels_tell(cdr) && cdr.egress.is_empty() {
            return Side::Inside;
        }
        let partition = cdr.partitions.map(|(_, called)| called);
        let by_line = self.side_of(cdr.egress, partition);
        if by_line != Side::Unclear {
            return by_line;
        }
        match called {
            Party::Extension(_) | Party::Feature(_) => Side::Inside,
            _ if is_public(called) => Side::Outside,
            _ => Side::Unclear,
        }
    }

    /// Whether something better than the lack of a matching trunk pattern says that a channel or device is inside.
    fn is_known_inside(&self, line: &[u8], partition: Option<&[u8]>) -> bool {
        is_local(line)
            || self.phones.iter().any(|pattern| pattern.matches(line))
            || partition.is_some_and(|partition| !partition.is_empty())
            || PHONE_DEVICES.iter().any(|prefix| starts_with(line, prefix))
            || device_of(line).is_some_and(|device| self.plan.extension_of(device).is_some())
    }

    /// Where an end is by the switch's own word, unless the project's patterns place its channel or device.
    fn told_side(&self, end: End, line: &[u8]) -> Option<Side> {
        let told = match end {
            End::Untold => return None,
            End::Inside => Side::Inside,
            End::Outside => Side::Outside,
        };
        let matches = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(line));
        Some(match () {
            () if line.is_empty() => told,
            () if matches(&self.phones) => Side::Inside,
            () if matches(&self.trunks) => Side::Outside,
            () => told,
        })
    }

    /// Where a channel or device leads, by patterns, partition and name.
    pub(super) fn side_of(&self, line: &[u8], partition: Option<&[u8]>) -> Side {
        if self.phones.iter().any(|pattern| pattern.matches(line)) {
            return Side::Inside;
        }
        if !line.is_empty() && !is_local(line) && !self.trunks.is_empty() {
            return if self.trunks.iter().any(|pattern| pattern.matches(line)) { Side::Outside } else { Side::Inside };
        }
        if partition.is_some_and(|partition| {
            !partition.is_empty() && self.inside_partitions.iter().any(|pattern| pattern.matches(partition))
        }) {
            return Side::Inside;
        }
        if line.is_empty() {
            return Side::Unclear;
        }
        // A host may be a telephone or a carrier's gateway. CUCM names gateways after their addresses.
        if partition.is_none() && is_host(line) {
            return Side::Unclear;
        }
        if is_channel(line) {
            let inside = self.plan.knows_extensions()
                && device_of(line).is_some_and(|device| self.plan.extension_of(device).is_some());
            return if inside { Side::Inside } else { Side::Unclear };
        }
        let is_phone = PHONE_DEVICES.iter().any(|prefix| starts_with(line, prefix));
        if is_phone { Side::Inside } else { Side::Outside }
    }

    /// Who called: inside, the device is better evidence than the caller's number, which may be a shown main number.
    pub(super) fn calling<'a>(&self, cdr: &Cdr<'a>, caller: Side) -> Party<'a> {
        if caller == Side::Outside {
            return self.plan.normalise(cdr.calling, Role::CallingOutside);
        }
        match self.plan.extension_of(cdr.peer) {
            Some(extension) => Party::Extension(extension),
            None => self.plan.normalise(cdr.calling, Role::CallingInside),
        }
    }

    /// Who was called. What was dialled, unless that does not say: then what was sent out, then where it ended. A call
    /// that was sent on is called where it ended.
    fn called<'a>(&self, cdr: &Cdr<'a>, caller: Side, sent_on: bool) -> (Party<'a>, AccessCodes) {
        // What enters by a `Local` half was keyed by the dial plan itself.
        let delivered = caller == Side::Outside && !is_local(cdr.ingress);
        let role = if delivered { Role::Delivered } else { Role::Dialled };
        let (dialled, access) = self.plan.normalise_with_access(cdr.dialled, role);
        if !sent_on && is_told(dialled) {
            return (dialled, access);
        }
        let dialled = || dialled;
        let sent = || self.plan.normalise(cdr.outpulsed, Role::Sent);
        let reached = || self.plan.normalise(cdr.reached, Role::Dialled);
        let order: [&dyn Fn() -> Party<'a>; 3] =
            if sent_on { [&sent, &reached, &dialled] } else { [&dialled, &sent, &reached] };
        (first_told(order), AccessCodes::default())
    }

    /// The party that the record says sent the call on.
    fn forwarder_as_recorded<'a>(&self, cdr: &Cdr<'a>) -> Option<Party<'a>> {
        if cdr.forwarder.is_empty() {
            return None;
        }
        match self.plan.normalise(cdr.forwarder, Role::CallingInside) {
            Party::Missing => None,
            party => Some(party),
        }
    }

    /// A call from outside to outside whose record names no forwarder (Asterisk): what the caller outside reached first
    /// sent it on. If that is all the record has, it is the destination, and the forwarder stays unknown.
    fn forwarded<'a>(&self, cdr: &Cdr<'a>, called: Party<'a>) -> (Party<'a>, Option<Party<'a>>) {
        let reached = self.plan.normalise(cdr.reached, Role::Dialled);
        if is_told(reached) && reached != called && is_told(called) {
            return (reached, Some(called));
        }
        match called {
            Party::Extension(_) => (called, Some(called)),
            // A number keyed by the switch itself may carry its outside-line code.
            called if !is_told(called) => (self.plan.normalise(cdr.dialled, Role::Dialled), None),
            called => (called, None),
        }
    }

    /// The extension that sent the call on, else that placed it.
    pub(super) fn payer_extension(
        &self,
        own: Option<Digits>,
        calling: Party<'_>,
        forwarder: Option<Party<'_>>,
    ) -> Option<Digits> {
        forwarder
            .and_then(Party::extension)
            .or_else(|| own.filter(|_| self.plan.knows_extensions()))
            .or_else(|| calling.extension())
    }
}

/// The first of three readings that says who was called; else the first that has any text.
fn first_told<'a>(readings: [&dyn Fn() -> Party<'a>; 3]) -> Party<'a> {
    let mut best = Party::Missing;
    for reading in readings {
        let party = reading();
        if is_told(party) {
            return party;
        }
        if best == Party::Missing {
            best = party;
        }
    }
    best
}

/// Whether a party is somebody who can be called, rather than text, an application or nothing.
pub(super) const fn is_told(party: Party<'_>) -> bool {
    matches!(party, Party::Number(_) | Party::Extension(_) | Party::Emergency(_) | Party::ShortCode(_))
}

/// Whether a party belongs to the public network.
pub(super) const fn is_public(party: Party<'_>) -> bool {
    matches!(party, Party::Number(_) | Party::Emergency(_) | Party::ShortCode(_))
}

/// Whether a channel is a half of an Asterisk `Local` pair, which leads nowhere by itself.
pub(super) fn is_local(channel: &[u8]) -> bool {
    const LOCAL: Head = Head::new(b"Local/");
    LOCAL.may_begin(channel) && starts_with(channel, b"Local/")
}

/// Whether a line is an Asterisk channel (`SIP/114-000000c4`) rather than a CUCM device name, which has no slash.
fn is_channel(line: &[u8]) -> bool {
    line.contains(&b'/')
}

/// Whether a line is the address or name of a host (`192.0.2.30:5060`, `gw04.example.com`): SIP servers name nothing else.
fn is_host(line: &[u8]) -> bool {
    line.iter().any(|byte| matches!(byte, b'.' | b':')) && !is_channel(line)
}

/// Whether the record tells by its channels that a call went nowhere: Asterisk names the channel it went out by. A layout
/// without the columns of channels tells nothing.
fn channels_tell(cdr: &Cdr<'_>) -> bool {
    cdr.partitions.is_none() && is_channel(cdr.ingress)
}

/// `114` of `SIP/114-000000c4`.
fn device_of(channel: &[u8]) -> Option<&[u8]> {
    let slash = channel.iter().position(|byte| *byte == b'/')?;
    let name = channel.get(slash + 1..)?;
    let dash = name.iter().rposition(|byte| *byte == b'-').unwrap_or(name.len());
    name.get(..dash)
}

/// A conference bridge, `b002179144511001` (Cisco, Call Detail Records Administration Guide, conference calls).
pub(super) fn is_bridge(name: &[u8]) -> bool {
    matches!(name, [b'b' | b'B', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// A channel pattern, compiled.
#[derive(Clone, Debug)]
struct Pattern {
    /// The texts between the stars. The first stands at the beginning; the last at the end, unless `open`.
    parts: Vec<Box<[u8]>>,
    open: bool,
    /// The beginning of the first, to tell most texts that do not match by one comparison.
    head: Head,
    /// Whether that is all: a text of eight bytes and more that begins so matches.
    is_head: bool,
}

/// Up to eight bytes that a text begins with, whatever the case of letters.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: u64,
    /// The bits that count: of letters not the one that tells capitals from small ones.
    mask: u64,
}

impl Head {
    const fn new(text: &[u8]) -> Self {
        let (mut bytes, mut mask) = ([0; 8], [0; 8]);
        let mut place = 0;
        while place < 8 && place < text.len() {
            bytes[place] = text[place];
            mask[place] = if text[place].is_ascii_alphabetic() { !0x20 } else { !0 };
            place += 1;
        }
        Self { bytes: u64::from_le_bytes(bytes), mask: u64::from_le_bytes(mask) }
    }

    /// Whether a text may begin so: whether it does, for texts and beginnings of no more than eight bytes.
    #[inline]
    const fn may_begin(self, text: &[u8]) -> bool {
        match text.first_chunk() {
            Some(begins) => (u64::from_le_bytes(*begins) ^ self.bytes) & self.mask == 0,
            None => true,
        }
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        let parts: Vec<Box<[u8]>> = text.split('*').map(|part| part.as_bytes().into()).collect();
        let open = parts.len() == 1 || parts.last().is_some_and(|last| last.is_empty());
        let first: &[u8] = parts.first().map_or(&[], |first| first);
        let head = Head::new(first);
        let is_head = open && (1..=8).contains(&first.len()) && parts.iter().skip(1).all(|part| part.is_empty());
        Self { head, is_head, open, parts }
    }

    #[inline]
    fn matches(&self, text: &[u8]) -> bool {
        self.head.may_begin(text) && ((self.is_head && text.len() >= 8) || self.matches_wholly(text))
    }

    fn matches_wholly(&self, text: &[u8]) -> bool {
        let Some((first, others)) = self.parts.split_first() else { return false };
        if (first.is_empty() && others.is_empty()) || !starts_with(text, first) {
            return false;
        }
        let mut rest = text.get(first.len()..).unwrap_or_default();
        for (index, part) in others.iter().enumerate() {
            if index + 1 == others.len() && !self.open {
                let tail = rest.len().checked_sub(part.len()).and_then(|at| rest.get(at..));
                return tail.is_some_and(|tail| tail.eq_ignore_ascii_case(part));
            }
            let Some(at) = (0..=rest.len()).find(|at| rest.get(*at..).is_some_and(|rest| starts_with(rest, part)))
            else {
                return false;
            };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        true
    }
}

fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}
