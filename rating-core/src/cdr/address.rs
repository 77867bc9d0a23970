//! SIP addresses as switches write them: who is meant, and by which host. Borrows; decodes nothing.
//!
//! Sources: RFC 3261 (19.1 URIs, 20.10 name-addr), RFC 3966 (`tel:`). Read leniently, because records hold display names
//! with quotes nobody escaped (`""Jo" <sip:+44…@host>;tag=…"`). A `+` written `%2B` stays so: the dial plan reads it.

use memchr::{memchr, memmem, memrchr};

use super::word::is_digits;

/// The number or name in an address: what stands before the `@`, without scheme, password and parameters. Text that is no
/// address comes back as it is, without blanks around it; a SIP URI that names a host alone has no user.
#[inline]
pub(super) fn user(text: &[u8]) -> &[u8] {
    // Nearly always it is digits alone.
    if is_digits(text) {
        return text;
    }
    user_of_any(text)
}

fn user_of_any(text: &[u8]) -> &[u8] {
    if !text.iter().fold(false, |has, byte| has | matches!(byte, b'<' | b'"' | b':' | b'@' | b';')) {
        return text.trim_ascii();
    }
    let (scheme, rest) = scheme_of(uri(text));
    match (scheme, memrchr(b'@', before(rest, b"?>"))) {
        // RFC 3261, 25.1: a user part may have parameters of its own, and a password.
        (_, Some(at)) => before(rest.get(..at).unwrap_or_default(), if scheme == Scheme::None { b";" } else { b";:" }),
        (Scheme::Sip, None) if is_host(before(rest, b";?>")) => b"",
        (Scheme::Sip, None) => before(rest, b":;?>"),
        (_, None) => before(rest, b";"),
    }
    .trim_ascii()
}

/// The host in an address, without port and parameters; empty if it names none.
pub(super) fn host(text: &[u8]) -> &[u8] {
    // What has none of these signs names no host.
    if !text.iter().fold(false, |has, byte| has | matches!(byte, b'<' | b'"' | b':' | b'@')) {
        return b"";
    }
    let (scheme, rest) = scheme_of(uri(text));
    let host = match memrchr(b'@', before(rest, b"?>")) {
        Some(at) => rest.get(at + 1..).unwrap_or_default(),
        None if scheme == Scheme::Sip => rest,
        None => return b"",
    };
    if host.first() == Some(&b'[') {
        let end = memchr(b']', host).map_or(host.len(), |end| end + 1);
        return host.get(..end).unwrap_or_default();
    }
    before(host, b":;?>").trim_ascii()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    None,
    Sip,
    Tel,
}

fn scheme_of(uri: &[u8]) -> (Scheme, &[u8]) {
    for (name, scheme) in [(&b"sip:"[..], Scheme::Sip), (b"sips:", Scheme::Sip), (b"tel:", Scheme::Tel)] {
        if let Some((head, rest)) = uri.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return (scheme, rest);
        }
    }
    (Scheme::None, uri)
}

/// What stands in the angle brackets of a name-addr, or the text itself. A display name may hold brackets too: the one
/// before a scheme counts, else the last.
fn uri(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii();
    while let [b'"', inside @ .., b'"'] = text {
        text = inside;
    }
    let has_scheme = |open: usize| scheme_of(text.get(open + 1..).unwrap_or_default()).0 != Scheme::None;
    let open = memmem::find_iter(text, b"<").find(|open| has_scheme(*open)).or_else(|| memrchr(b'<', text));
    match open {
        Some(open) => before(text.get(open + 1..).unwrap_or_default(), b">"),
        None => text,
    }
}

/// What stands before the first of some signs.
fn before<'a>(text: &'a [u8], signs: &[u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| signs.contains(byte)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Whether a text without a user is a host: `192.0.2.1`, `[2001:db8::1]:5060`, `sip.example.com`.
fn is_host(text: &[u8]) -> bool {
    text.first() == Some(&b'[') || memchr(b'.', text).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected_user: &str, expected_host: &str) {
        assert_eq!(String::from_utf8_lossy(user(text.as_bytes())), expected_user, "user of {text}");
        assert_eq!(String::from_utf8_lossy(host(text.as_bytes())), expected_host, "host of {text}");
    }

    #[test]
    fn a_number_that_is_no_address_is_left_as_it_is() {
        for text in ["2001", "+442079460100", "0 20 7946 0100", "*60", "anonymous", "", "jo.bloggs"] {
            check(text, text, "");
        }
        check("  2001 ", "2001", "");
    }

    #[test]
    fn of_an_address_the_user_and_the_host_are_read() {
        check("2001@192.0.2.1", "2001", "192.0.2.1");
        check("sip:2001@192.0.2.1:5060;transport=UDP", "2001", "192.0.2.1");
        check("SIP:+442079460100@Example.COM", "+442079460100", "Example.COM");
        check("sips:%2B442079460100@[2001:db8::1]:5061", "%2B442079460100", "[2001:db8::1]");
        check("sip:+442079460100;npdi=yes:secret@gw.example.com;user=phone", "+442079460100", "gw.example.com");
        check("<sip:2001@gw>;tag=1928301774", "2001", "gw");
        check("\"Jo <the boss> Bloggs\" <sip:2001@gw;user=phone>;tag=1", "2001", "gw");
        check("\"\"Jo\" <sip:+442079460100@192.0.2.7;user=phone>;tag=aa\"", "+442079460100", "192.0.2.7");
        check("\"Jo\" <2001>", "2001", "");
        check("tel:+44-20-7946-0100;phone-context=x", "+44-20-7946-0100", "");
        check("sip:2001", "2001", "2001");
        check("sip:192.0.2.1", "", "192.0.2.1");
        check("sip:[2001:db8::1]:5060", "", "[2001:db8::1]");
        check("sip:anonymous@anonymous.invalid", "anonymous", "anonymous.invalid");
    }

    proptest! {
        #[test]
        fn any_text_gives_a_part_of_itself(text in "(sip:|tel:|<|>|@|;|:|\"|\\[|\\]|\\?|a|1| ){0,30}") {
            for part in [user(text.as_bytes()), host(text.as_bytes())] {
                prop_assert!(part.is_empty() || memmem::find(text.as_bytes(), part).is_some());
            }
        }
    }
}
