//! The documents of `mod_json_cdr`: one object a call leg, in which nearly every value is a string.

use super::super::json::{NotJson, Value, Walker};
use super::super::records::Framing;
use super::super::switch::{Scratch, Switch};
use super::super::times::{self, DateCache, Reading};
use super::super::{Cdr, End, Fault, Kind, Part, PartRole, RejectReason, Stamp};
use super::csv::milliseconds;
use super::{bridged_to, number};
use crate::source::RecordId;
use crate::time::Duration;

/// Reads the documents of one file.
#[derive(Debug)]
pub(super) struct Documents {
    /// Whether talk time is `billmsec` rather than `billsec`.
    pub(super) milliseconds: bool,
}

/// What of `variables` is read. Of a variable given twice the first counts.
#[derive(Clone, Copy, Default)]
struct Variables<'a> {
    uuid: &'a [u8],
    call_uuid: &'a [u8],
    originator: &'a [u8],
    bridge_uuid: &'a [u8],
    signal_bond: &'a [u8],
    originated_legs: &'a [u8],
    direction: &'a [u8],
    start_epoch: &'a [u8],
    start_stamp: &'a [u8],
    answer_epoch: &'a [u8],
    answer_stamp: &'a [u8],
    end_epoch: &'a [u8],
    end_stamp: &'a [u8],
    duration: &'a [u8],
    billsec: &'a [u8],
    billmsec: &'a [u8],
    hangup_cause: &'a [u8],
    accountcode: &'a [u8],
    user_name: &'a [u8],
    dialed_user: &'a [u8],
    sip_from_user: &'a [u8],
    sip_req_user: &'a [u8],
    sip_to_user: &'a [u8],
    referred_by: &'a [u8],
    channel_name: &'a [u8],
    bridge_channel: &'a [u8],
    last_app: &'a [u8],
    last_arg: &'a [u8],
}

impl<'a> Variables<'a> {
    fn slot(&mut self, name: &[u8]) -> Option<&mut &'a [u8]> {
        Some(match name {
            b"uuid" => &mut self.uuid,
            b"call_uuid" => &mut self.call_uuid,
            b"originator" => &mut self.originator,
            b"bridge_uuid" => &mut self.bridge_uuid,
            b"signal_bond" => &mut self.signal_bond,
            b"originated_legs" => &mut self.originated_legs,
            b"direction" => &mut self.direction,
            b"start_epoch" => &mut self.start_epoch,
            b"start_stamp" => &mut self.start_stamp,
            b"answer_epoch" => &mut self.answer_epoch,
            b"answer_stamp" => &mut self.answer_stamp,
            b"end_epoch" => &mut self.end_epoch,
            b"end_stamp" => &mut self.end_stamp,
            b"duration" => &mut self.duration,
            b"billsec" => &mut self.billsec,
            b"billmsec" => &mut self.billmsec,
            b"hangup_cause" => &mut self.hangup_cause,
            b"accountcode" => &mut self.accountcode,
            b"user_name" => &mut self.user_name,
            b"dialed_user" => &mut self.dialed_user,
            b"sip_from_user" => &mut self.sip_from_user,
            b"sip_req_user" => &mut self.sip_req_user,
            b"sip_to_user" => &mut self.sip_to_user,
            b"sip_h_Referred-By" => &mut self.referred_by,
            b"channel_name" => &mut self.channel_name,
            b"bridge_channel" => &mut self.bridge_channel,
            b"last_app" => &mut self.last_app,
            b"last_arg" => &mut self.last_arg,
            _ => return None,
        })
    }
}

/// What of a caller profile is read.
#[derive(Clone, Copy, Default)]
struct Profile<'a> {
    uuid: &'a [u8],
    caller: &'a [u8],
    ani: &'a [u8],
    dialled: &'a [u8],
    context: &'a [u8],
    channel: &'a [u8],
}

#[derive(Clone, Copy, Default)]
struct Document<'a> {
    variables: Variables<'a>,
    direction: &'a [u8],
    /// The first and the last entry of `callflow`, which are the newest and the oldest.
    newest: Profile<'a>,
    oldest: Profile<'a>,
    /// The last leg that the newest entry placed, or the one that the call was joined to.
    placed: Profile<'a>,
}

impl<'a> Document<'a> {
    fn read(text: &'a [u8]) -> Result<Self, NotJson> {
        let mut document = Self::default();
        let mut walker = Walker::object(text)?;
        while let Some(key) = walker.key()? {
            match key {
                b"variables" => document.read_variables(&mut walker)?,
                b"channel_data" => document.read_channel(&mut walker)?,
                b"callflow" => document.read_flow(&mut walker)?,
                _ => walker.skip()?,
            }
        }
        walker.finish()?;
        Ok(document)
    }

    fn read_variables(&mut self, walker: &mut Walker<'a>) -> Result<(), NotJson> {
        if walker.enters_object()? {
            while let Some(name) = walker.key()? {
                let text = walker.text()?;
                if let Some(slot) = self.variables.slot(name)
                    && slot.is_empty()
                {
                    *slot = text;
                }
            }
        }
        Ok(())
    }

    fn read_channel(&mut self, walker: &mut Walker<'a>) -> Result<(), NotJson> {
        if walker.enters_object()? {
            while let Some(name) = walker.key()? {
                let text = walker.text()?;
                if name == b"direction" {
                    self.direction = text;
                }
            }
        }
        Ok(())
    }

    /// A list of entries, newest first; old versions write the one entry without the list.
    fn read_flow(&mut self, walker: &mut Walker<'a>) -> Result<(), NotJson> {
        match walker.value()? {
            Value::Object => {
                self.newest = self.read_entry(walker)?;
                self.oldest = self.newest;
            }
            Value::Array => {
                let mut first = true;
                while walker.item()? {
                    if !walker.enters_object()? {
                        continue;
                    }
                    self.oldest = self.read_entry(walker)?;
                    if first {
                        self.newest = self.oldest;
                        first = false;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_entry(&mut self, walker: &mut Walker<'a>) -> Result<Profile<'a>, NotJson> {
        let mut profile = Profile::default();
        while let Some(key) = walker.key()? {
            if key != b"caller_profile" {
                walker.skip()?;
            } else if walker.enters_object()? {
                self.read_profile(walker, &mut profile, true)?;
            }
        }
        Ok(profile)
    }

    fn read_profile(
        &mut self,
        walker: &mut Walker<'a>,
        profile: &mut Profile<'a>,
        with_legs: bool,
    ) -> Result<(), NotJson> {
        while let Some(key) = walker.key()? {
            let slot = match key {
                b"uuid" => &mut profile.uuid,
                b"caller_id_number" => &mut profile.caller,
                b"ani" => &mut profile.ani,
                b"destination_number" => &mut profile.dialled,
                b"context" => &mut profile.context,
                b"chan_name" => &mut profile.channel,
                b"originatee" if with_legs => {
                    self.read_legs(walker)?;
                    continue;
                }
                _ => {
                    walker.skip()?;
                    continue;
                }
            };
            *slot = walker.text()?;
        }
        Ok(())
    }

    /// The profiles of the legs that an entry placed.
    fn read_legs(&mut self, walker: &mut Walker<'a>) -> Result<(), NotJson> {
        if !walker.enters_object()? {
            return Ok(());
        }
        while let Some(key) = walker.key()? {
            if key != b"originatee_caller_profiles" {
                walker.skip()?;
                continue;
            }
            if walker.value()? != Value::Array {
                return Err(NotJson);
            }
            while walker.item()? {
                if walker.enters_object()? {
                    let mut leg = Profile::default();
                    self.read_profile(walker, &mut leg, false)?;
                    let joined = self.variables.bridge_uuid;
                    if self.placed.uuid.is_empty() || self.placed.uuid != joined {
                        self.placed = leg;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a text is a document of this kind.
pub(super) fn is_document(text: &[u8]) -> bool {
    Document::read(text).is_ok_and(|document| {
        let variables = &document.variables;
        !variables.uuid.is_empty() && !variables.start_epoch.is_empty() && !variables.billsec.is_empty()
    })
}

impl Switch for Documents {
    fn layout_name(&self) -> &str {
        if self.milliseconds { "json_billmsec" } else { "json" }
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        scratch.fields.clear();
        let document = Document::read(text).map_err(|NotJson| Fault::record(RejectReason::Malformed))?;
        let variables = &document.variables;
        let cache = &mut scratch.cache;
        let setup = time(variables.start_epoch, variables.start_stamp, cache)?;
        let setup = setup.ok_or(Fault::record(RejectReason::FieldMissing))?;
        let answer = time(variables.answer_epoch, variables.answer_stamp, cache)?;
        let end = time(variables.end_epoch, variables.end_stamp, cache)?;
        let duration = times::seconds(variables.duration).map_err(Fault::record)?;
        if let Some(end) = end
            && !times::may_follow(setup, end, duration)
        {
            return Err(Fault::record(RejectReason::EndBeforeStart));
        }
        let talk_text = if self.milliseconds { variables.billmsec } else { variables.billsec };
        let talk = if self.milliseconds { milliseconds(talk_text) } else { times::seconds(talk_text) }
            .map_err(Fault::record)?;
        let talk = match talk {
            Some(talk) => talk,
            None if answer.is_none() => Duration::ZERO,
            None => return Err(Fault::record(RejectReason::FieldMissing)),
        };
        let answered = answer.is_some() && talk > Duration::ZERO;
        if answered
            && let Some(answer) = answer
            && !times::may_be_answered_at(setup, answer, duration)
        {
            return Err(Fault::record(RejectReason::TimeImplausible));
        }

        let direction = first_of([variables.direction, document.direction]);
        let kind = document.kind(direction);
        let is_called_leg = matches!(kind, Kind::Part(Part { role: PartRole::Leg { rank: 1 }, .. }));
        let dialled = number(first_of([document.oldest.dialled, variables.sip_req_user, variables.sip_to_user]));
        let newest = number(document.newest.dialled);
        let transferred = !newest.is_empty() && newest != dialled;
        let (ingress, egress) = document.channels();
        let to_user = !variables.dialed_user.is_empty() && variables.last_app == b"bridge";
        *cdr = Cdr {
            call_id: variables.uuid,
            key: if variables.uuid.is_empty() {
                [text, b"", b"", b"", b"", b""]
            } else {
                let start = first_of([variables.start_epoch, variables.start_stamp]);
                let end = first_of([variables.end_epoch, variables.end_stamp]);
                [variables.uuid, start, end, talk_text, variables.hangup_cause, dialled]
            },
            setup: Some(setup),
            answer,
            end,
            duration,
            talk,
            answered,
            calling: number(first_of([document.oldest.caller, document.oldest.ani, variables.sip_from_user])),
            // Of a called party's leg it is the called user's.
            peer: if is_called_leg { b"" } else { variables.user_name },
            dialled,
            reached: if transferred { newest } else { b"" },
            outpulsed: number(document.placed.dialled),
            forwarder: if transferred { number(variables.referred_by) } else { b"" },
            account: variables.accountcode,
            context: document.oldest.context,
            ingress,
            egress,
            ends: [
                if is_called_leg || variables.user_name.is_empty() { End::Untold } else { End::Inside },
                match bridged_to(variables.last_app, variables.last_arg) {
                    End::Untold if to_user => End::Inside,
                    told => told,
                },
            ],
            kind,
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }
}

impl<'a> Document<'a> {
    /// Whether another leg may be on record, and which of them stands for the call.
    fn kind(&self, direction: &[u8]) -> Kind<'a> {
        let variables = &self.variables;
        let placed_legs = [variables.bridge_uuid, variables.signal_bond, variables.originated_legs];
        let was_placed = direction == b"outbound"
            || !variables.originator.is_empty()
            || (!variables.call_uuid.is_empty() && variables.call_uuid != variables.uuid);
        if variables.uuid.is_empty() || (!was_placed && placed_legs.iter().all(|leg| leg.is_empty())) {
            return Kind::Call;
        }
        let group = first_of([variables.call_uuid, variables.originator, variables.uuid]);
        Kind::Part(Part { group: [group, b"", b""], role: PartRole::Leg { rank: u8::from(was_placed) } })
    }

    /// The channels the call came in and went out by. With `encode-values` only the names in `callflow` can be read; if
    /// one of the two cannot, both are left out, since one alone would mean a call that went nowhere.
    fn channels(&self) -> (&'a [u8], &'a [u8]) {
        let has_slash = |name: &&[u8]| name.contains(&b'/');
        let readable = |names: [&'a [u8]; 2]| names.into_iter().find(has_slash);
        let variables = &self.variables;
        let Some(ingress) = readable([variables.channel_name, self.oldest.channel]) else { return (b"", b"") };
        match readable([variables.bridge_channel, self.placed.channel]) {
            Some(egress) if !variables.bridge_channel.is_empty() => (ingress, egress),
            _ if variables.bridge_channel.is_empty() => (ingress, b""),
            _ => (b"", b""),
        }
    }
}

/// The epoch, or the stamp where there is no epoch; 0 is never.
fn time(epoch: &[u8], stamp: &[u8], cache: &mut DateCache) -> Result<Option<Stamp>, Fault> {
    let text = if epoch.is_empty() { stamp } else { epoch };
    match times::read(text, None, cache).map_err(Fault::record)? {
        Reading::At(stamp) => Ok(Some(stamp)),
        Reading::Empty | Reading::Unset => Ok(None),
    }
}

/// The first that has any text.
fn first_of<const N: usize>(texts: [&[u8]; N]) -> &[u8] {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}
