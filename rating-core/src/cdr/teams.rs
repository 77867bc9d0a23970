//! Microsoft Teams: see `template/presets/teams-pstn.toml` and `teams-direct-routing.toml`.
//!
//! Sources: Microsoft Graph's `pstnCallLogRow` and `directRoutingLogRow`, and the PSTN usage report of the Teams admin centre.

use std::sync::{Arc, OnceLock};

use super::reader::{FileError, Options};
use super::switch::{Entry, Head, Opened, Sign};
use super::template::{self, Template};

pub(super) const ENTRY: Entry = Entry { layouts: &["pstn", "direct_routing"], open, recognise };

fn pstn() -> Option<&'static Arc<Template>> {
    static PRESET: OnceLock<Option<Arc<Template>>> = OnceLock::new();
    let text = include_str!("template/presets/teams-pstn.toml");
    PRESET.get_or_init(|| template::preset("teams-pstn.toml", text)).as_ref()
}

fn direct_routing() -> Option<&'static Arc<Template>> {
    static PRESET: OnceLock<Option<Arc<Template>>> = OnceLock::new();
    let text = include_str!("template/presets/teams-direct-routing.toml");
    PRESET.get_or_init(|| template::preset("teams-direct-routing.toml", text)).as_ref()
}

/// Direct Routing is told by what PSTN usage has not: whether the call was successful, and when it was invited.
fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let unknown = FileError::UnknownLayout { columns: 0 };
    let (pstn, direct) = (pstn().ok_or(unknown.clone())?, direct_routing().ok_or(unknown)?);
    let is_direct = match options.layout.as_deref() {
        Some("direct_routing") => true,
        Some("pstn") => false,
        _ => {
            template::lacks(direct, head).len() <= 1
                && template::lacks(direct, head).len() <= template::lacks(pstn, head).len()
        }
    };
    template::open_with(if is_direct { direct } else { pstn }, head, options)
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    if template::lacks(direct_routing()?, head).is_empty() {
        return Some(Sign::new("direct_routing", 95, "the first line has the names of Teams' Direct Routing rows"));
    }
    let is_pstn = template::lacks(pstn()?, head).is_empty();
    is_pstn.then(|| Sign::new("pstn", 90, "the first line has the names of Teams' PSTN usage rows"))
}

#[cfg(test)]
mod tests;
