//! What switches put where a number belongs, told apart before any numbering plan is asked.

use crate::number::Digits;

/// The most digits kept of what was keyed: outside-line code, carrier selection, prefixes and fifteen digits.
const MOST_KEYED: usize = 40;

/// Words for "no number was shown".
const WITHHELD: [&[u8]; 10] = [
    b"anonymous",
    b"restricted",
    b"unavailable",
    b"withheld",
    b"unknown",
    b"private",
    b"<unknown>",
    b"id unavailable",
    b"private number",
    b"blocked",
];

/// Asterisk's special extensions and the applications that CDRs show as destinations.
const APPLICATIONS: [&[u8]; 12] =
    [b"s", b"i", b"h", b"t", b"o", b"a", b"e", b"failed", b"hangup", b"voicemail", b"busy", b"congestion"];

/// What a text is by its signs alone.
pub(super) enum Written<'a> {
    Missing,
    Withheld,
    Feature(&'a [u8]),
    Name(&'a [u8]),
    Keyed(Keyed),
    Unreadable,
}

/// Digits as keyed, without punctuation.
pub(super) struct Keyed {
    symbols: [u8; MOST_KEYED],
    len: usize,
    /// How many symbols stand before a `+`.
    pub(super) plus: Option<usize>,
    /// Where a zero stood in parentheses, `+44 (0)20`: counted in symbols before it.
    pub(super) zero: Option<usize>,
}

impl Keyed {
    /// The digits, `*` and `#` in the order they were keyed.
    pub(super) fn symbols(&self) -> &[u8] {
        self.symbols.get(..self.len).unwrap_or_default()
    }

    /// What was keyed where a text is digits and nothing else.
    #[inline]
    fn plain(text: &[u8]) -> Option<Self> {
        let mut keyed = Self { symbols: [0; MOST_KEYED], len: text.len(), plus: None, zero: None };
        Digits::parse(text).filter(|digits| !digits.is_empty())?;
        keyed.symbols.get_mut(..text.len())?.copy_from_slice(text);
        Some(keyed)
    }

    fn push(&mut self, symbol: u8) -> Option<()> {
        *self.symbols.get_mut(self.len)? = symbol;
        self.len += 1;
        Some(())
    }
}

/// Reads what stands in a number's column.
pub(super) fn read(text: &[u8]) -> Written<'_> {
    let text = text.trim_ascii();
    // Nearly every text; no word and no other sign begins with a digit and goes on with digits.
    if let Some(keyed) = Keyed::plain(text) {
        return Written::Keyed(keyed);
    }
    if listed(text, &WITHHELD) {
        return Written::Withheld;
    }
    let user = user_part(text);
    if user.is_empty() || user.eq_ignore_ascii_case(b"null") {
        return Written::Missing;
    }
    if listed(user, &WITHHELD) {
        return Written::Withheld;
    }
    if listed(user, &APPLICATIONS) {
        return Written::Feature(user);
    }
    if is_spreadsheet_number(user) {
        return Written::Unreadable;
    }
    match keyed(user) {
        Some(keyed) => Written::Keyed(keyed),
        None if matches!(user, [b'*' | b'#', ..]) && user.iter().all(u8::is_ascii_graphic) => Written::Feature(user),
        None if user.iter().any(u8::is_ascii_alphabetic) => Written::Name(user),
        None => Written::Unreadable,
    }
}

fn listed(text: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// What names the party in `"Name" <sip:user:secret@host;x=y>` (RFC 3261, 20.10 and 19.1) and `tel:+44…;ext=1` (RFC
/// 3966).
fn user_part(text: &[u8]) -> &[u8] {
    let mut text = text;
    if let Some(inside) = text.strip_suffix(b">")
        && let Some(open) = inside.iter().rposition(|byte| *byte == b'<')
    {
        text = inside.get(open + 1..).unwrap_or_default();
    }
    text = trim_quotes(text);
    let mut has_scheme = false;
    for scheme in [&b"sip:"[..], b"sips:", b"tel:", b"callto:"] {
        if let Some((head, rest)) = text.split_at_checked(scheme.len())
            && head.eq_ignore_ascii_case(scheme)
        {
            (text, has_scheme) = (rest, true);
            break;
        }
    }
    let before = |text: &mut &[u8], sign: u8| {
        if let Some(at) = text.iter().position(|byte| *byte == sign) {
            *text = text.get(..at).unwrap_or_default();
        }
    };
    before(&mut text, b'@');
    before(&mut text, b';');
    if has_scheme {
        before(&mut text, b':');
    }
    text.trim_ascii()
}

fn trim_quotes(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b'"', inside @ .., b'"'] = text {
        text = inside;
    }
    text.trim_ascii()
}

/// `4.47912E+11` and `447912345678.0`: what a spreadsheet leaves of a number. Its digits are not all there, or one is
/// too many.
fn is_spreadsheet_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let split = |text: &[u8], sign: u8| text.iter().position(|byte| byte.eq_ignore_ascii_case(&sign));
    if let Some(at) = split(text, b'E') {
        let (mantissa, exponent) = (&text[..at], &text[at + 1..]);
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let whole = split(mantissa, b'.').or_else(|| split(mantissa, b',')).unwrap_or(mantissa.len());
        return digits(&mantissa[..whole])
            && mantissa[whole..].iter().skip(1).all(u8::is_ascii_digit)
            && digits(exponent);
    }
    text.strip_suffix(b".0").is_some_and(|whole| whole.len() >= 7 && digits(whole))
}

/// The digits keyed, if there is nothing but digits, signs that are keyed, and punctuation.
fn keyed(text: &[u8]) -> Option<Keyed> {
    let mut keyed = Keyed { symbols: [0; MOST_KEYED], len: 0, plus: None, zero: None };
    let mut rest = text;
    if let [b'%', b'2', b'B' | b'b', after @ ..] = rest {
        (keyed.plus, rest) = (Some(0), after);
    }
    loop {
        rest = match rest {
            [] => break,
            [digit @ b'0'..=b'9', after @ ..] | [digit @ (b'*' | b'#'), after @ ..] => {
                keyed.push(*digit)?;
                after
            }
            [b'+', after @ ..] if keyed.plus.is_none() => {
                keyed.plus = Some(keyed.len);
                after
            }
            [b'(', b'0', b')', after @ ..] => {
                if keyed.len > 0 && keyed.zero.is_none() {
                    keyed.zero = Some(keyed.len);
                }
                keyed.push(b'0')?;
                after
            }
            // `~` stands for the second dialling tone of Russia: 8~10.
            [b' ' | b'\t' | b'.' | b'-' | b'/' | b'(' | b')' | b'~', after @ ..] => after,
            // A pause: what follows was keyed into the call, not to reach it.
            [b',' | b'w' | b'W' | b'p' | b'P', after @ ..] if keyed.len > 0 && after.iter().all(is_post_dial) => break,
            // No-break space; hyphens, dashes and direction marks of text that was pasted.
            [0xC2, 0xA0, after @ ..] | [0xE2, 0x80, 0x8B..=0x95 | 0xA8..=0xAF, after @ ..] => after,
            _ => return None,
        };
    }
    // A closing `#` only says that the number is complete; several may stand for digits that were masked.
    if let [_, .., before, b'#'] = keyed.symbols()
        && *before != b'#'
    {
        keyed.len -= 1;
    }
    (keyed.len > 0).then_some(keyed)
}

fn is_post_dial(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'*' | b'#' | b',' | b'w' | b'W' | b'p' | b'P' | b' ')
}
