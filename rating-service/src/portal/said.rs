//! What a page says after something was done. The address holds a code only, so that nobody can make a page say what it does not.

/// Codes and what they say, in the order of the codes.
pub const SAID: &[(&str, &str)] = &[
    ("file-kept", "The file is kept."),
    ("gap-accepted", "The gap is accepted. Check the month again."),
    ("holidays-added", "The holidays are on the schedule."),
    ("logo-kept", "The logo is on every page now."),
    ("logo-removed", "The logo is gone."),
    ("month-approved", "Approved: these figures may be published."),
    ("month-closed", "The month is closed."),
    ("month-reopened", "The month is open again."),
    ("numbers-added", "The numbers are in the pool."),
    ("numbers-changed", "Done."),
    ("removed", "Removed."),
    ("run-begun", "It runs. It goes on though you leave this page."),
    ("run-discarded", "The draft is thrown away."),
    ("saved", "Saved."),
    ("signed-out", "You are signed out."),
    ("site-added", "The site is there. Say next what is sold at it."),
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
