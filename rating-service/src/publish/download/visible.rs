//! Who sees which columns. What an occupier is shown is a list of columns written here: one that a report gets later is not
//! in it, and is not shown until somebody adds it.

use std::collections::BTreeSet;

use rating_core::report::{Kind, Report};

/// For whom a report is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The operator's people: everything, of these sites alone if they are limited to some.
    Operator {
        /// The sites that they may see; `None` is all.
        sites: Option<BTreeSet<String>>,
    },
    /// An occupier's people: their own reports, as far as the policy goes.
    Occupier {
        /// The occupier.
        id: String,
        /// What the policy shows them.
        visibility: Visibility,
    },
}

impl Audience {
    /// The operator's people who may see all sites.
    #[must_use]
    pub const fn operator() -> Self {
        Self::Operator { sites: None }
    }
}

/// What an occupier is shown of its calls. What is switched off is not in an answer at all: no column, no report, no zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// What it is charged, in sums: the per-extension summary, the destination analysis, the bill.
    pub summary: bool,
    /// Its calls one by one.
    pub itemised: bool,
    /// The numbers at the other end of its calls.
    pub called_numbers: CalledNumbers,
    /// The month before it is over.
    pub usage_to_date: bool,
    /// What is left of its allowances, and what each call took of them.
    pub allowance_left: bool,
}

impl Visibility {
    /// Everything.
    pub const ALL: Self = Self {
        summary: true,
        itemised: true,
        called_numbers: CalledNumbers::Full,
        usage_to_date: true,
        allowance_left: true,
    };

    /// Nothing.
    pub const NONE: Self = Self {
        summary: false,
        itemised: false,
        called_numbers: CalledNumbers::Masked,
        usage_to_date: false,
        allowance_left: false,
    };
}

/// How numbers at the other end are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledNumbers {
    /// With `xxx` in place of the last three digits.
    Masked,
    /// As they are.
    Full,
}

/// What must be switched on for a report or a column to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// The report that it is in, and nothing more.
    Nothing,
    Summary,
    Itemised,
    Allowance,
}

impl Needs {
    fn are_met(self, visibility: &Visibility) -> bool {
        match self {
            Self::Nothing => true,
            Self::Summary => visibility.summary,
            Self::Itemised => visibility.itemised,
            Self::Allowance => visibility.allowance_left,
        }
    }
}

/// A report as an occupier may be shown it.
struct Shown {
    report: Report,
    needs: Needs,
    columns: &'static [(&'static str, Needs)],
}

const PLAIN: Needs = Needs::Nothing;

/// All that an occupier may ever be shown.
const OCCUPIERS: &[Shown] = &[
    Shown {
        report: Report::Itemised,
        needs: Needs::Itemised,
        columns: &[
            ("call_id", PLAIN),
            ("site", PLAIN),
            ("started_at", PLAIN),
            ("charged_at", PLAIN),
            ("extension", PLAIN),
            ("number", PLAIN),
            ("calling", PLAIN),
            ("dialled", PLAIN),
            ("called", PLAIN),
            ("destination", PLAIN),
            ("class", PLAIN),
            ("direction", PLAIN),
            ("answered", PLAIN),
            ("duration_s", PLAIN),
            ("billed_duration_s", PLAIN),
            ("allowance_taken_s", Needs::Allowance),
            ("rate", PLAIN),
            ("rate_per_s", PLAIN),
            ("connection_charge", PLAIN),
            ("cost", PLAIN),
            ("vat", PLAIN),
            ("adjusts_month", PLAIN),
            ("currency", PLAIN),
            ("tariff", PLAIN),
            ("tariff_version", PLAIN),
            ("band", PLAIN),
            ("status", PLAIN),
            ("reason", PLAIN),
            ("flags", PLAIN),
        ],
    },
    Shown {
        report: Report::ExtensionSummary,
        needs: Needs::Summary,
        columns: &[
            ("row", PLAIN),
            ("site", PLAIN),
            ("extension", PLAIN),
            ("number", PLAIN),
            ("billable_calls", PLAIN),
            ("duration_s", PLAIN),
            ("billed_duration_s", PLAIN),
            ("cost", PLAIN),
            ("vat", PLAIN),
            ("currency", PLAIN),
        ],
    },
    Shown {
        report: Report::Destinations,
        needs: Needs::Summary,
        columns: &[
            ("row", PLAIN),
            ("site", PLAIN),
            ("destination", PLAIN),
            ("calls", PLAIN),
            ("duration_s", PLAIN),
            ("billed_duration_s", PLAIN),
            ("cost", PLAIN),
            ("currency", PLAIN),
        ],
    },
    Shown {
        report: Report::Bill,
        needs: Needs::Summary,
        columns: &[
            ("row", PLAIN),
            ("site", PLAIN),
            ("client_id", PLAIN),
            ("client_name", PLAIN),
            ("tariff", PLAIN),
            ("calls", PLAIN),
            ("net", PLAIN),
            ("vat_percent", PLAIN),
            ("vat", PLAIN),
            ("gross", PLAIN),
            ("currency", PLAIN),
        ],
    },
    Shown {
        report: Report::Allowances,
        needs: Needs::Allowance,
        columns: &[
            ("site", PLAIN),
            ("client_id", PLAIN),
            ("group", PLAIN),
            ("allowance", PLAIN),
            ("kind", PLAIN),
            ("line", PLAIN),
            ("period_from", PLAIN),
            ("period_until", PLAIN),
            ("granted_s", PLAIN),
            ("granted_calls", PLAIN),
            ("granted_money", PLAIN),
            ("carried_s", PLAIN),
            ("carried_calls", PLAIN),
            ("carried_money", PLAIN),
            ("used_s", PLAIN),
            ("used_calls", PLAIN),
            ("used_money", PLAIN),
            ("left_s", PLAIN),
            ("left_calls", PLAIN),
            ("left_money", PLAIN),
            ("calls", PLAIN),
            ("saved", PLAIN),
            ("currency", PLAIN),
            ("status", PLAIN),
        ],
    },
];

/// The columns of a report that an occupier is shown, in order; `None` if it is not shown the report.
pub(in crate::publish) fn columns(report: Report, visibility: &Visibility) -> Option<Vec<&'static str>> {
    let shown = OCCUPIERS.iter().find(|shown| shown.report == report && shown.needs.are_met(visibility))?;
    let columns = shown.columns.iter().filter(|(_, needs)| needs.are_met(visibility));
    Some(columns.map(|(name, _)| *name).collect())
}

/// Columns that name the party at the other end of a call, or may.
pub(in crate::publish) fn names_other_end(column: &str) -> bool {
    matches!(column, "called" | "dialled" | "calling")
}

/// A number as the policy shows it where numbers are masked. What is not plain digits may be a person's name or address,
/// and is masked as a whole; of the short ones nothing would be left to see.
#[must_use]
pub fn masked(text: &str) -> String {
    const HIDDEN: usize = 3;
    if text.is_empty() || text == "withheld" {
        return text.to_owned();
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.len().checked_sub(HIDDEN).and_then(|kept| text.get(..kept)) {
        Some(kept) if plain && digits.len() > HIDDEN => format!("{kept}xxx"),
        _ => "xxx".to_owned(),
    }
}

/// Every column of every published report, with what it holds, sorted.
#[rustfmt::skip]
const KINDS: &[(&str, Kind)] = &[
    ("adjusts_month", Kind::Text), ("allowance", Kind::Text), ("allowance_taken_s", Kind::Seconds),
    ("answered", Kind::Boolean), ("band", Kind::Text), ("billable_calls", Kind::Integer),
    ("billed_duration_s", Kind::Seconds), ("call_id", Kind::Text), ("called", Kind::Number), ("calling", Kind::Number),
    ("calls", Kind::Integer), ("carried_calls", Kind::Integer), ("carried_money", Kind::Amount),
    ("carried_s", Kind::Seconds), ("charged_at", Kind::Instant), ("class", Kind::Text),
    ("client_amount", Kind::Amount), ("client_id", Kind::Text), ("client_name", Kind::Text),
    ("connection_charge", Kind::Price), ("cost", Kind::Amount), ("count", Kind::Integer), ("currency", Kind::Text),
    ("destination", Kind::Text), ("dialled", Kind::Text), ("direction", Kind::Text), ("duration_s", Kind::Seconds),
    ("example_dialled", Kind::Text), ("example_file", Kind::Text), ("example_offset", Kind::Integer),
    ("example_record", Kind::Integer), ("extension", Kind::Number), ("file", Kind::Text), ("flags", Kind::Text),
    ("forwarder", Kind::Number), ("granted_calls", Kind::Integer), ("granted_money", Kind::Amount),
    ("granted_s", Kind::Seconds), ("gross", Kind::Amount), ("group", Kind::Text), ("help", Kind::Text),
    ("kind", Kind::Text), ("left_calls", Kind::Integer), ("left_money", Kind::Amount), ("left_s", Kind::Seconds),
    ("line", Kind::Number), ("margin", Kind::Amount), ("margin_currency", Kind::Text),
    ("money_at_stake", Kind::Amount), ("net", Kind::Amount), ("not_chargeable_calls", Kind::Integer),
    ("number", Kind::Number), ("operator_amount", Kind::Amount), ("operator_cost", Kind::Amount),
    ("operator_currency", Kind::Text), ("payer_id", Kind::Text), ("period_from", Kind::Text),
    ("period_until", Kind::Text), ("rate", Kind::Price), ("rate_per_s", Kind::Seconds), ("reason", Kind::Text),
    ("record_offset", Kind::Integer), ("row", Kind::Text), ("saved", Kind::Amount), ("side", Kind::Text),
    ("site", Kind::Text), ("source", Kind::Text), ("started_at", Kind::Instant), ("status", Kind::Text),
    ("suspended_calls", Kind::Integer), ("tariff", Kind::Text), ("tariff_version", Kind::Integer),
    ("used_calls", Kind::Integer), ("used_money", Kind::Amount), ("used_s", Kind::Seconds), ("vat", Kind::Amount),
    ("vat_percent", Kind::Text), ("wholesale_band", Kind::Text), ("wholesale_billed_duration_s", Kind::Seconds),
    ("wholesale_connection_charge", Kind::Price), ("wholesale_destination", Kind::Text),
    ("wholesale_missing_calls", Kind::Integer), ("wholesale_rate", Kind::Price),
    ("wholesale_rate_per_s", Kind::Seconds), ("wholesale_reason", Kind::Text), ("wholesale_status", Kind::Text),
    ("wholesale_tariff", Kind::Text), ("wholesale_tariff_version", Kind::Integer),
];

/// The columns of the days of a usage report.
const DAYS: [&str; 31] = [
    "day_01", "day_02", "day_03", "day_04", "day_05", "day_06", "day_07", "day_08", "day_09", "day_10", "day_11",
    "day_12", "day_13", "day_14", "day_15", "day_16", "day_17", "day_18", "day_19", "day_20", "day_21", "day_22",
    "day_23", "day_24", "day_25", "day_26", "day_27", "day_28", "day_29", "day_30", "day_31",
];

/// A column by its name; `None` if no report that this program knows has it.
pub(super) fn column(name: &str) -> Option<(&'static str, Kind)> {
    if let Some(day) = DAYS.iter().find(|day| **day == name) {
        return Some((day, Kind::Decimal));
    }
    KINDS.binary_search_by(|(known, _)| (*known).cmp(name)).ok().and_then(|at| KINDS.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sorted_and_those_shown_are_known() {
        assert!(KINDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for shown in OCCUPIERS {
            for (name, _) in shown.columns {
                assert!(column(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn rule_20_no_list_of_columns_has_anything_of_wholesale() {
        for shown in OCCUPIERS {
            for (name, _) in shown.columns {
                assert!(!["operator", "wholesale", "margin"].iter().any(|word| name.contains(word)), "{name}");
            }
        }
    }

    #[test]
    fn rule_78_what_is_switched_off_is_absent() {
        for report in Report::ALL {
            assert_eq!(columns(report, &Visibility::NONE), None, "{report:?}");
        }
        let no_allowance = Visibility { allowance_left: false, ..Visibility::ALL };
        let itemised = |visibility| columns(Report::Itemised, visibility).unwrap();
        assert!(itemised(&Visibility::ALL).contains(&"allowance_taken_s"));
        assert!(!itemised(&no_allowance).contains(&"allowance_taken_s"));
        assert_eq!(columns(Report::Allowances, &no_allowance), None);
        for report in [Report::CallCharges, Report::Margin, Report::Exceptions, Report::Usage] {
            assert_eq!(columns(report, &Visibility::ALL), None, "{report:?}");
        }
    }

    #[test]
    fn the_last_three_digits_are_masked_and_what_is_no_number_as_a_whole() {
        for (text, expected) in [
            ("+442079460958", "+442079460xxx"),
            ("2014", "2xxx"),
            ("999", "xxx"),
            ("+44", "xxx"),
            ("9", "xxx"),
            ("*21#", "xxx"),
            ("alice@example.org", "xxx"),
            ("9 020 7946", "xxx"),
            ("withheld", "withheld"),
            ("", ""),
            ("\u{fffd}12345", "xxx"),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }
}
