//! The inside of Asterisk's odd fields: channel names, dial strings, caller names, unique ids.

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_till, take_till1, take_while_m_n, take_while1};
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt, recognize, rest, verify};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::number::Digits;
use crate::time::Instant;

use super::super::times::integer;

/// The peer that a channel belongs to: `114` of `SIP/114-000000c4`, `client1` of `PJSIP/client1-00000002`, `i1` of
/// `DAHDI/i1/0711-2`. Empty for a `Local` channel, which belongs to none.
#[inline]
pub(super) fn peer(channel: &[u8]) -> &[u8] {
    // Nearly always it is `SIP/` or `PJSIP/`, the peer's name, and the running number in eight digits.
    let name = match channel {
        [b'S', b'I', b'P', b'/', name @ ..] | [b'P', b'J', b'S', b'I', b'P', b'/', name @ ..] => name,
        _ => return peer_of_any(channel),
    };
    match name.split_last_chunk::<9>() {
        Some((peer, [b'-', number @ ..])) if are_hexadecimal(*number) && !peer.iter().any(|byte| is_stop(*byte)) => {
            peer
        }
        _ => peer_of_any(channel),
    }
}

/// What ends a peer's name.
#[inline]
const fn is_stop(byte: u8) -> bool {
    matches!(byte, b'/' | b';' | b'<')
}

/// Whether all eight are hexadecimal digits, looked at together.
#[inline]
fn are_hexadecimal(text: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES * 0x80;
    let text = u64::from_le_bytes(text);
    // The high bit of every byte, below 0x80, that is at least `first` and at most `last`.
    let between = |text: u64, first: u8, last: u8| {
        (text + ONES * u64::from(0x80 - first)) & !(text + ONES * u64::from(0x7F - last))
    };
    let ascii = text & !HIGH;
    let hexadecimal = between(ascii, b'0', b'9') | between(ascii | (ONES * 0x20), b'a', b'f');
    hexadecimal & !text & HIGH == HIGH
}

fn peer_of_any(channel: &[u8]) -> &[u8] {
    let technology = terminated(take_till1::<_, _, nom::error::Error<_>>(|byte| byte == b'/'), char('/'));
    let Ok((name, technology)) = preceded(wrappers, technology).parse(channel) else { return &[] };
    if technology.eq_ignore_ascii_case(b"Local") {
        return &[];
    }
    let end = name.iter().position(|byte| is_stop(*byte)).unwrap_or(name.len());
    let name = &name[..end];
    // What follows the last `-` is the channel's running number, in hexadecimal.
    match name.iter().rposition(|byte| *byte == b'-') {
        Some(dash) if name[dash + 1..].iter().all(u8::is_ascii_hexdigit) => &name[..dash],
        _ => name,
    }
}

/// Words that Asterisk puts before a channel's name while it is moved about.
fn wrappers(channel: &[u8]) -> IResult<&[u8], usize> {
    let wrapper = alt((
        tag_no_case("AsyncGoto/"),
        tag_no_case("Bridge/"),
        tag_no_case("Parked/"),
        tag_no_case("Transfered/"),
        tag_no_case("Surrogate/"),
    ));
    many0_count(wrapper).parse(channel)
}

fn up_to<'a>(text: &'a [u8], stops: &[u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| stops.contains(byte)).unwrap_or(text.len());
    &text[..end]
}

/// A half of a `Local` channel: the name both halves share, and which half it is, 1 or 2.
///
/// `Local/0@from-internal-0000000f;1` is half 1 of `Local/0@from-internal-0000000f`. Half 1 belongs to whoever dialled
/// the `Local` channel, half 2 runs the dial plan. Asterisk 1.4 and 1.6 wrote `,1` and `,2`.
///
/// # Example
///
/// ```
/// use rating_core::cdr::asterisk::local_half;
/// assert_eq!(local_half(b"Local/0@default-0000000f;2"), Some((&b"Local/0@default-0000000f"[..], 2)));
/// assert_eq!(local_half(b"SIP/114-000000c4"), None);
/// ```
#[must_use]
#[inline]
pub fn local_half(channel: &[u8]) -> Option<(&[u8], u8)> {
    const PREFIX: &[u8] = b"Local/";
    match channel {
        [pair @ .., b';' | b',', half @ (b'1' | b'2')]
            if pair.get(..PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX)) =>
        {
            Some((pair, half - b'0'))
        }
        _ => None,
    }
}

/// The number in the dial string of application `Dial`: `0711…` of `PJSIP/0711…@trunk,T`, of `SIP/trunk/0711…,60,rI` and
/// of `PJSIP/trunk/sip:0711…@192.0.2.1`. `None` if several are dialled at once or there is no number.
pub(super) fn dialled_number(lastdata: &[u8]) -> Option<&[u8]> {
    let string = up_to(lastdata, b",|");
    if string.contains(&b'&') {
        return None;
    }
    let technology = terminated(take_till1::<_, _, nom::error::Error<_>>(|byte| byte == b'/'), char('/'));
    let (resource, _) = preceded(wrappers, technology).parse(string).ok()?;
    resource
        .rsplit(|byte| *byte == b'/')
        .find_map(|part| all_consuming(user_of_address).parse(part).ok().map(|(_, user)| user))
}

/// The one of several destinations of a dial string that a channel was made for: `PJSIP/0711@trunk` of
/// `PJSIP/114&PJSIP/0711@trunk,60,T` for `PJSIP/trunk-0000000b`. `None` if none is, or several may be.
pub(super) fn branch_of<'a>(lastdata: &'a [u8], channel: &[u8]) -> Option<&'a [u8]> {
    let peer = peer(channel);
    let technology = up_to(channel, b"/");
    let is_made_for = |branch: &&[u8]| {
        up_to(branch, b"/").eq_ignore_ascii_case(technology)
            && (branch.rsplit(|byte| *byte == b'@').next() == Some(peer)
                || branch.split(|byte| *byte == b'/').nth(1) == Some(peer))
    };
    let mut branches = up_to(lastdata, b",|").split(|byte| *byte == b'&').filter(is_made_for);
    branches.next().filter(|_| !peer.is_empty() && branches.next().is_none())
}

/// The number of `sip:0711@host`, `0711@context` or `0711`.
fn user_of_address(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let scheme = alt((tag_no_case("sip:"), tag_no_case("sips:"), tag_no_case("tel:")));
    terminated(preceded(opt(scheme), number), opt(preceded(char('@'), rest))).parse(text)
}

fn number(text: &[u8]) -> IResult<&[u8], &[u8]> {
    recognize((opt(char('+')), take_while1(|byte: u8| byte.is_ascii_digit() || byte == b'*' || byte == b'#')))
        .parse(text)
}

/// Whether somebody can have keyed it: digits, `*` and `#`, perhaps a leading `+`.
#[inline]
pub(super) fn is_keyed(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    // Nearly always there are digits alone, and not too many for a number.
    if !digits.is_empty() && Digits::parse(digits).is_some() {
        return true;
    }
    !digits.is_empty() && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
}

/// The number of a caller id: `114` of `"User 10" <114>` however badly quoted, or of `114`. May be empty.
pub(super) fn caller_number(clid: &[u8]) -> &[u8] {
    let bracketed = delimited(char('<'), take_till(|byte| byte == b'>'), char('>'));
    let named = preceded(take_till::<_, _, nom::error::Error<_>>(|byte| byte == b'<'), bracketed);
    let bare = terminated(number, verify(rest, <[u8]>::is_empty));
    alt((named, bare)).parse(clid).map_or(&[], |(_, number)| number)
}

/// The moment in a unique id: `1504279981` of `1504279981.1`, of `pbx-1504279981.1`. A bare number is none.
#[inline]
pub(super) fn epoch_of(uniqueid: &[u8]) -> Option<Instant> {
    // Nearly always it is ten digits, a dot, and digits.
    match uniqueid.split_at_checked(10) {
        Some((seconds, [b'.', serial @ ..])) if !serial.is_empty() && Digits::parse(serial).is_some() => {
            // Ten bytes that are not all digits are perhaps the system's name.
            match Digits::parse(seconds).and_then(|seconds| i64::try_from(seconds.value()).ok()) {
                Some(seconds) => Instant::from_seconds(seconds),
                None => epoch_of_any(uniqueid),
            }
        }
        _ => epoch_of_any(uniqueid),
    }
}

fn epoch_of_any(uniqueid: &[u8]) -> Option<Instant> {
    // `^(\S+-)?\d{9,10}\.\d+$`, the system name being whatever stands before the last dash.
    let id = match uniqueid.iter().rposition(|byte| *byte == b'-') {
        Some(0) => return None,
        Some(dash) if uniqueid[..dash].iter().any(u8::is_ascii_whitespace) => return None,
        Some(dash) => &uniqueid[dash + 1..],
        None => uniqueid,
    };
    let seconds = take_while_m_n::<_, _, nom::error::Error<_>>(9, 10, |byte: u8| byte.is_ascii_digit());
    let serial = take_while1(|byte: u8| byte.is_ascii_digit());
    let (_, seconds) = all_consuming(terminated(seconds, (tag("."), serial))).parse(id).ok()?;
    Instant::from_seconds(integer(seconds)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn of_several_destinations_the_channel_tells_which_was_reached() {
        for (lastdata, channel, expected) in [
            ("PJSIP/114&PJSIP/0711@trunk,60,T", "PJSIP/trunk-0000000b", Some("PJSIP/0711@trunk")),
            ("PJSIP/114&PJSIP/0711@trunk,60,T", "PJSIP/114-0000000b", Some("PJSIP/114")),
            ("SIP/trunk/0711&SIP/114", "SIP/trunk-0b", Some("SIP/trunk/0711")),
            ("PJSIP/0711@trunk&PJSIP/0712@trunk", "PJSIP/trunk-0b", None),
            ("PJSIP/114&PJSIP/115", "SIP/114-0b", None),
            ("PJSIP/114&PJSIP/115", "", None),
        ] {
            assert_eq!(branch_of(lastdata.as_bytes(), channel.as_bytes()).map(text).as_deref(), expected, "{lastdata}");
        }
    }

    #[test]
    fn the_peer_stands_between_technology_and_running_number() {
        for (channel, expected) in [
            ("SIP/114-000000c4", "114"),
            ("PJSIP/client1-00000002", "client1"),
            ("PJSIP/desk-4-west-0000001f", "desk-4-west"),
            ("SIP/trunk-out", "trunk-out"),
            ("SIP/114-000000c4<ZOMBIE>", "114"),
            ("AsyncGoto/SIP/114-000000c4", "114"),
            ("Parked/Transfered/SIP/114-000000c4<ZOMBIE>", "114"),
            ("DAHDI/i1/0711-2", "i1"),
            ("IAX2/office-1234", "office"),
            ("Local/0@from-internal-0000000f;2", ""),
            ("OutgoingSpoolFailed", ""),
            ("", ""),
            ("/x", ""),
        ] {
            assert_eq!(text(peer(channel.as_bytes())), expected, "{channel}");
        }
    }

    #[test]
    fn halves_of_a_local_channel_share_a_name() {
        assert_eq!(local_half(b"Local/0@x-000f;1"), Some((&b"Local/0@x-000f"[..], 1)));
        assert_eq!(local_half(b"Local/0@x-abcd,2"), Some((&b"Local/0@x-abcd"[..], 2)));
        for channel in ["Local/0@x-000f", "Local/0@x;3", "SIP/1;1", ";1", ""] {
            assert_eq!(local_half(channel.as_bytes()), None, "{channel}");
        }
    }

    #[test]
    fn the_number_of_a_dial_string_stands_without_trunk_and_options() {
        for (lastdata, expected) in [
            ("PJSIP/071121957217@carrier_out,T", Some("071121957217")),
            ("SIP/trunk/00351210000000,60,rI", Some("00351210000000")),
            ("DAHDI/g1/0711", Some("0711")),
            ("IAX2/user:secret@host/0711", Some("0711")),
            ("PJSIP/trunk/sip:+44207@192.0.2.1:5060,30", Some("+44207")),
            ("Local/0711@from-internal/n", Some("0711")),
            ("SIP/0711@trunk|30|T", Some("0711")),
            ("SIP/113,60,rI", Some("113")),
            ("SIP/101&SIP/102,20", None),
            ("PJSIP/client2", None),
            ("SIP/10.0.0.1", None),
            ("113", None),
            ("", None),
        ] {
            assert_eq!(dialled_number(lastdata.as_bytes()).map(text).as_deref(), expected, "{lastdata}");
        }
    }

    #[test]
    fn the_number_of_a_caller_id_stands_in_angle_brackets() {
        for (clid, expected) in [
            (r#""User 10" <114>"#, "114"),
            (r#"""""" <client1>"#, "client1"),
            (r#"""Name" <1115>""#, "1115"),
            ("114", "114"),
            ("anonymous", ""),
            ("<114", ""),
            ("", ""),
        ] {
            assert_eq!(text(caller_number(clid.as_bytes())), expected, "{clid}");
        }
    }

    #[test]
    fn a_unique_id_begins_with_its_epoch_second() {
        let instant = Instant::parse_rfc3339("2017-09-01T15:33:01Z");
        for id in ["1504279981.1", "pbx-1504279981.27", "pbx-west-1504279981.27"] {
            assert_eq!(epoch_of(id.as_bytes()), instant, "{id}");
        }
        for id in [
            "",
            "1504279981",
            "1504279981.",
            "15042799.1",
            "15042799811.1",
            "-1504279981.1",
            "a b-1504279981.1",
            "1504279981.1x",
        ] {
            assert_eq!(epoch_of(id.as_bytes()), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn channels_and_ids_of_the_usual_shape_are_read_like_any_other(
            channel in "(SIP|PJSIP|Local|sip)/[a-c0-2./;<-]{0,6}[-;][0-9a-gA-G]{7,9}(<x>|;1)?",
            id in "([a-b]-|.)?[0-9]{9,11}[.-][0-9a]{0,4}",
        ) {
            prop_assert_eq!(peer(channel.as_bytes()), peer_of_any(channel.as_bytes()), "{}", channel);
            prop_assert_eq!(epoch_of(id.as_bytes()), epoch_of_any(id.as_bytes()), "{}", id);
        }

        #[test]
        fn eight_bytes_are_hexadecimal_if_each_is(text in any::<[u8; 8]>(), digits in "[0-9a-fA-F/:@G`g]{8}") {
            for text in [text, digits.into_bytes().try_into().unwrap()] {
                prop_assert_eq!(are_hexadecimal(text), text.iter().all(u8::is_ascii_hexdigit));
            }
        }

        #[test]
        fn odd_fields_never_panic(field in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (peer(&field), local_half(&field), dialled_number(&field), caller_number(&field), epoch_of(&field));
            let _ = is_keyed(&field);
        }
    }
}
