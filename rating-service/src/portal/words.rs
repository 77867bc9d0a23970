//! How things are written for people: money with its currency, durations as clocks show them, instants as a calendar does.

use rating_core::time::Month;

/// An amount with its currency, digits in threes: `1,234.50 GBP`. An amount that is none is shown as it is.
#[must_use]
pub fn money(amount: &str, currency: &str) -> String {
    format!("{} {currency}", grouped(amount))
}

/// A decimal number with its digits in threes: `-1,234.50`.
#[must_use]
pub fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, rest) = digits.find('.').map_or((digits, ""), |at| digits.split_at(at));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// A decimal number with two decimals, half a hundredth up and away from zero: for a glance, where another page has every
/// digit. What is no such number is shown as it is.
#[must_use]
pub fn rounded(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let hundredths: String = whole.chars().chain(rest.chars().chain(std::iter::repeat('0')).take(2)).collect();
    let is_up = rest.as_bytes().get(2).is_some_and(|next| *next >= b'5');
    let is_number = !whole.is_empty() && whole.chars().chain(rest.chars()).all(|digit| digit.is_ascii_digit());
    let Some(hundredths) = hundredths.parse::<u128>().ok().filter(|_| is_number) else { return number.to_owned() };
    let Some(hundredths) = hundredths.checked_add(u128::from(is_up)) else { return number.to_owned() };
    let sign = if hundredths == 0 { "" } else { sign };
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Seconds as `h:mm:ss`.
#[must_use]
pub fn clock(seconds: i64) -> String {
    let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
    format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `2026-10` as `October 2026`.
#[must_use]
pub fn month(text: &str) -> String {
    Month::parse(text).map_or_else(|| text.to_owned(), Month::in_words)
}

/// `2026-10` as `Oct 26`, where there is little room.
#[must_use]
pub fn short_month(text: &str) -> String {
    let named = Month::parse(text).and_then(|month| Some((month.name().get(..3)?, text.get(2..4)?)));
    named.map_or_else(|| text.to_owned(), |(month, year)| format!("{month} {year}"))
}

/// `2026-10-05` as `5 October 2026`, and `2026-10-05T09:30:00+01:00` as `5 October 2026, 09:30`, its own wall clock.
#[must_use]
pub fn when(text: &str) -> String {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, time.get(..5)));
    let mut parts = date.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return text.to_owned();
    };
    let Some(month) = Month::parse(&format!("{year}-{month}")) else { return text.to_owned() };
    let date = format!("{} {}", day.trim_start_matches('0'), month.in_words());
    time.map_or_else(|| date.clone(), |time| format!("{date}, {time}"))
}

/// A number of things, with the word for one or for several: `1 call`, `1,200 calls`.
#[must_use]
pub fn count(number: impl std::fmt::Display, one: &str, several: &str) -> String {
    let number = number.to_string();
    let word = if number == "1" { one } else { several };
    format!("{} {word}", grouped(&number))
}

/// A difference with its sign, digits in threes: `+1,200`, `-3.50`; `0` as it is.
#[must_use]
pub fn signed(difference: &str) -> String {
    let is_some = difference.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let sign = if is_some && !difference.starts_with('-') { "+" } else { "" };
    format!("{sign}{}", grouped(difference))
}

/// What a look at a project found, by how much it matters: what must be mended, and what is merely worth a look.
#[must_use]
pub fn found<'s>(severities: impl IntoIterator<Item = &'s str>) -> String {
    let (mut mistakes, mut others) = (0_usize, 0_usize);
    for severity in severities {
        *(if severity == "error" { &mut mistakes } else { &mut others }) += 1;
    }
    let look = |others: usize| count(others, "finding is", "findings are") + " worth a look";
    match (mistakes, others) {
        (0, 0) => "No mistake was found in settings, directory and tariffs.".to_owned(),
        (0, others) => format!("No mistake was found in settings, directory and tariffs; {}.", look(others)),
        (mistakes, 0) => format!("{} must be mended.", count(mistakes, "mistake", "mistakes")),
        (mistakes, others) => format!("{} must be mended; {}.", count(mistakes, "mistake", "mistakes"), look(others)),
    }
}

/// Who is charged on a side.
#[must_use]
pub fn side(side: &str) -> &str {
    match side {
        "retail" => "Occupiers are charged",
        "wholesale" => "We are charged",
        "allowance" => "Allowance",
        other => other,
    }
}

/// Roles at the operator, with what they may.
pub const OPERATOR_ROLES: [(&str, &str); 2] =
    [("operator_user", "User: the day's work at its sites"), ("operator_admin", "Administrator: everything")];

/// Roles at an occupier, with what they may; each includes the one before.
pub const OCCUPIER_ROLES: [(&str, &str); 3] = [
    ("occupier_view", "Viewer: sees charges, calls and the own numbers"),
    ("occupier_edit", "Editor: also labels, forwards and gives numbers to people"),
    ("occupier_admin", "Administrator: also manages users"),
];

/// A role in a word.
#[must_use]
pub fn role(role: &str) -> &str {
    match role {
        "operator_admin" | "occupier_admin" => "administrator",
        "operator_user" => "user",
        "occupier_edit" => "editor",
        "occupier_view" => "viewer",
        other => other,
    }
}

/// A state of a number: the look of its badge, and the word in it.
#[must_use]
pub fn number_state(state: &str) -> (&'static str, &'static str) {
    match state {
        "AVAILABLE" => ("", "available"),
        "RESERVED" => ("warn", "reserved"),
        "PENDING" => ("warn", "change under way"),
        "ACTIVE" => ("good", "active"),
        _ => ("", "cooling off"),
    }
}

/// The fields of what a number does with its calls.
pub const FEATURES: [&str; 8] = [
    "/voicemail",
    "/voicemail_to_email",
    "/forward_always",
    "/forward_busy",
    "/forward_no_answer",
    "/call_waiting",
    "/do_not_disturb",
    "/calling_line_id",
];

/// What a problem says, as a sentence: `there is no site \`lnd\`` as `There is no site “lnd”.`
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    let mut is_open = false;
    for letter in text.chars() {
        if letter == '`' {
            is_open = !is_open;
            quoted.push(if is_open { '“' } else { '”' });
        } else if quoted.is_empty() {
            quoted.extend(letter.to_uppercase());
        } else {
            quoted.push(letter);
        }
    }
    if quoted.ends_with(|last: char| last.is_alphanumeric() || last == '”' || last == ')') {
        quoted.push('.');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(money("1234567.50", "GBP"), "1,234,567.50 GBP");
        assert_eq!(money("-100.00", "USD"), "-100.00 USD");
        assert_eq!(grouped("1000"), "1,000");
        assert_eq!(grouped("n/a"), "n/a");
        for (exact, at_a_glance) in [
            ("59.2517549996", "59.25"),
            ("394.945", "394.95"),
            ("0.9949999", "0.99"),
            ("9.995", "10.00"),
            ("-0.005", "-0.01"),
            ("-0.004", "0.00"),
            ("7", "7.00"),
            ("n/a", "n/a"),
            (".5", ".5"),
        ] {
            assert_eq!(rounded(exact), at_a_glance, "{exact}");
        }
        // 3,725 s = 1 h + 2 min + 5 s
        assert_eq!(clock(3725), "1:02:05");
        assert_eq!(count(1, "call", "calls"), "1 call");
        assert_eq!(count(1200, "call", "calls"), "1,200 calls");
    }

    #[test]
    fn what_a_program_is_told_is_a_sentence_for_people() {
        assert_eq!(sentence("there is no site `lnd`"), "There is no site “lnd”.");
        assert_eq!(sentence("`to` is before `from`"), "“to” is before “from”.");
        assert_eq!(sentence("Try again!"), "Try again!");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn findings_are_counted_by_how_much_they_matter() {
        assert_eq!(found([]), "No mistake was found in settings, directory and tariffs.");
        assert_eq!(found(["error", "warning", "error"]), "2 mistakes must be mended; 1 finding is worth a look.");
        let look = "No mistake was found in settings, directory and tariffs; 2 findings are worth a look.";
        assert_eq!(found(["warning", "warning"]), look);
    }

    #[test]
    fn a_difference_has_its_sign_unless_there_is_none() {
        for (given, shown) in
            [("1200", "+1,200"), ("-3.50", "-3.50"), ("0.00", "0.00"), ("0", "0"), ("0.005", "+0.005")]
        {
            assert_eq!(signed(given), shown);
        }
    }

    #[test]
    fn days_and_months_have_names() {
        assert_eq!(month("2026-10"), "October 2026");
        assert_eq!(short_month("2026-10"), "Oct 26");
        assert_eq!(month("soon"), "soon");
        assert_eq!(when("2026-10-05"), "5 October 2026");
        assert_eq!(when("2026-10-05T09:30:00+01:00"), "5 October 2026, 09:30");
        assert_eq!(when("2026-13-05"), "2026-13-05");
    }
}
