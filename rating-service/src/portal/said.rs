//! What a page says after something was done. The address holds a code only, so that nobody can make a page say what it does not.

/// Codes and what they say, in the order of the codes.
pub const SAID: &[(&str, &str)] = &[
    ("contract-added", "The contract is there."),
    ("contract-changed", "The contract is changed."),
    ("contract-discarded", "The contract is discarded, with the services that hung on it."),
    ("contract-reactivated", "The contract runs again."),
    ("decommission-cancelled", "The decommission is cancelled."),
    ("decommission-scheduled", "The decommission is set; it can be cancelled until then."),
    ("decommissioned", "The occupier is decommissioned."),
    ("device-logged-out", "The device is logged out."),
    ("file-kept", "The file is kept."),
    ("gap-accepted", "The gap is accepted. Check the month again."),
    ("holidays-added", "The holidays are on the schedule."),
    ("link-mailed", "A mail with a link to choose another password is on its way."),
    ("logo-kept", "The logo is on every page now."),
    ("logo-removed", "The logo is gone."),
    ("month-approved", "Approved: these figures may be published."),
    ("month-closed", "The month is closed."),
    ("month-reopened", "The month is open again."),
    ("numbers-added", "The numbers are in the pool."),
    ("numbers-changed", "Done."),
    ("occupier-added", "The occupier is there, with its contract. Say next what it gets."),
    ("portal-activated", "The portal is active, and the mail is on its way."),
    ("portal-deactivated", "The portal is not active any more, and its users are out."),
    ("product-added", "The product is sold from now on."),
    ("removed", "Removed."),
    ("run-begun", "It runs. It goes on though you leave this page."),
    ("run-discarded", "The draft is thrown away."),
    ("saved", "Saved."),
    ("service-assigned", "The service is assigned."),
    ("service-assigned-numbers", "The service is assigned, and numbers came with it."),
    ("service-assigned-short", "The service is assigned; there were too few numbers for its lines."),
    ("service-changed", "The service is changed."),
    ("service-ended", "The service ends as asked."),
    ("signed-out", "You are signed out."),
    ("site-added", "The site is there. Say next what is sold at it."),
    ("token-revoked", "The token is revoked."),
    ("user-closed", "The user is closed, and its name and address are erased."),
    ("user-invited", "The invitation is on its way."),
];

/// What the parameters of an address ask to be said.
#[must_use]
pub fn asked(query: &str) -> Option<&'static str> {
    let code = query.split('&').find_map(|pair| pair.strip_prefix("said="))?;
    SAID.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_said() {
        assert_eq!(asked("a=b&said=saved"), Some("Saved."));
        assert_eq!(asked("said=You+won"), None);
        assert!(SAID.is_sorted_by(|a, b| a.0 < b.0));
    }
}
