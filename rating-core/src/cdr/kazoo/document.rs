//! Kazoo's JSON: documents as its databases hold them, and the listing's, which have the CSV's names.

use super::super::fields::NO_COLUMN;
use super::super::json::{NotJson, Value, Walker};
use super::super::records::Framing;
use super::super::switch::{Scratch, Switch};
use super::super::{Cdr, Fault, RejectReason};
use super::{LegFields, Places};
use crate::source::RecordId;

const NOWHERE: Places = Places { timestamp: NO_COLUMN, duration: NO_COLUMN, billing: NO_COLUMN };

/// Reads the documents of one file.
#[derive(Debug)]
pub(super) struct Documents;

#[derive(Clone, Copy, Default)]
struct Document<'a> {
    leg: LegFields<'a>,
    /// `authorizing_type` in `custom_channel_vars`: `device`, `user`, `resource`, …
    authorizing_type: &'a [u8],
    /// The interaction where older versions keep it.
    interaction: &'a [u8],
}

impl<'a> Document<'a> {
    fn read(text: &'a [u8]) -> Result<Self, NotJson> {
        let mut document = Self::default();
        let mut walker = Walker::object(text)?;
        document.members(&mut walker, true)?;
        walker.finish()?;
        // Authorized by the account itself: a call that a carrier brought. So the API's CSV leaves it out.
        let leg = &mut document.leg;
        if document.authorizing_type == b"resource" || leg.authorizing == leg.account {
            leg.authorizing = b"";
        }
        if leg.interaction.is_empty() {
            leg.interaction = document.interaction;
        }
        Ok(document)
    }

    /// The members of a document; `outermost` ones may also be a wrapper around it.
    fn members(&mut self, walker: &mut Walker<'a>, outermost: bool) -> Result<(), NotJson> {
        while let Some(name) = walker.key()? {
            let leg = &mut self.leg;
            let slot = match name {
                b"call_id" => &mut leg.call_id,
                b"interaction_id" => &mut leg.interaction,
                b"other_leg_call_id" => &mut leg.other_leg,
                b"call_direction" => {
                    leg.ends_at = true;
                    &mut leg.direction
                }
                b"direction" => &mut leg.direction,
                b"caller_id_number" => &mut leg.caller,
                b"callee_id_number" => &mut leg.callee,
                b"dialed_number" => &mut leg.dialled,
                b"request" => &mut leg.request,
                b"to" => &mut leg.to,
                b"from" => &mut leg.from,
                b"timestamp" => &mut leg.timestamp,
                b"duration_seconds" => &mut leg.duration,
                b"billing_seconds" => &mut leg.billing,
                b"authorizing_id" => &mut leg.authorizing,
                b"owner_id" => &mut leg.owner,
                b"custom_channel_vars" => {
                    if walker.enters_object()? {
                        self.channel_variables(walker)?;
                    }
                    continue;
                }
                b"doc" | b"data" if outermost => {
                    if walker.enters_object()? {
                        self.members(walker, false)?;
                    }
                    continue;
                }
                _ => {
                    walker.skip()?;
                    continue;
                }
            };
            let text = walker.text()?;
            if slot.is_empty() {
                *slot = text;
            }
        }
        Ok(())
    }

    fn channel_variables(&mut self, walker: &mut Walker<'a>) -> Result<(), NotJson> {
        while let Some(name) = walker.key()? {
            let slot = match name {
                b"account_id" => &mut self.leg.account,
                b"authorizing_id" => &mut self.leg.authorizing,
                b"authorizing_type" => &mut self.authorizing_type,
                b"owner_id" => &mut self.leg.owner,
                b"call_interaction_id" => &mut self.interaction,
                _ => {
                    walker.skip()?;
                    continue;
                }
            };
            let text = walker.text()?;
            if slot.is_empty() {
                *slot = text;
            }
        }
        Ok(())
    }
}

/// Whether a text is a document of this kind.
pub(super) fn is_document(text: &[u8]) -> bool {
    Document::read(text).is_ok_and(|document| {
        let leg = &document.leg;
        !leg.call_id.is_empty() && matches!(leg.direction, b"inbound" | b"outbound") && !leg.caller.is_empty()
    })
}

/// The member that holds all calls of a file that is one JSON object: an answer of the API or of the database.
pub(super) fn list_inside(text: &[u8]) -> Option<&'static str> {
    let mut walker = Walker::object(text).ok()?;
    while let Ok(Some(name)) = walker.key() {
        let list = match name {
            b"data" => "data",
            b"rows" => "rows",
            _ => {
                walker.skip().ok()?;
                continue;
            }
        };
        return matches!(walker.value(), Ok(Value::Array)).then_some(list);
    }
    None
}

/// Whether a file is such an object, with Kazoo's documents in it.
pub(super) fn is_list(text: &[u8]) -> bool {
    let Ok(mut walker) = Walker::object(text) else { return false };
    while let Ok(Some(name)) = walker.key() {
        if !matches!(name, b"data" | b"rows") {
            if walker.skip().is_err() {
                return false;
            }
            continue;
        }
        if walker.value() != Ok(Value::Array) || walker.item() != Ok(true) || walker.value() != Ok(Value::Object) {
            return false;
        }
        let mut document = Document::default();
        return document.members(&mut walker, true).is_ok()
            && !document.leg.call_id.is_empty()
            && matches!(document.leg.direction, b"inbound" | b"outbound");
    }
    false
}

impl Switch for Documents {
    fn layout_name(&self) -> &str {
        "json"
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
        if document.leg.direction.is_empty() {
            return Err(Fault::record(RejectReason::FieldMissing));
        }
        if !matches!(document.leg.direction, b"inbound" | b"outbound") {
            return Err(Fault::record(RejectReason::DispositionUnknown));
        }
        document.leg.into_cdr((id, raw), text, NOWHERE, cdr)
    }
}
