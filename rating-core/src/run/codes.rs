//! Every code that a call or record can be set aside with.

use super::history;
use crate::attribution::AttributionReason;
use crate::mediation::MediationReason;
use crate::rating::Reason;

/// The codes of calls that are suspended or not chargeable, in a fixed order.
#[must_use]
pub(super) fn suspended_or_free() -> Vec<&'static str> {
    let mediation = MediationReason::ALL.into_iter().map(MediationReason::code);
    let attribution = AttributionReason::ALL.into_iter().map(AttributionReason::code);
    let rating = Reason::ALL.into_iter().map(Reason::code);
    mediation.chain(attribution).chain(rating).chain([history::LATE_ALLOWANCE, history::SETTLED_BEFORE]).collect()
}

/// What to do about calls or records with a code.
#[must_use]
pub fn help(code: &str) -> &'static str {
    match code {
        "rating.local_time_ambiguous" => {
            "the clock change makes the time ambiguous and it matters: have the switch write UTC or unique ids with epochs"
        }
        "mediation.conference_leg_unlinked" => {
            "an outside party in a conference: find out who called it, and adjust by hand"
        }
        "attribution.number_not_allocated" => {
            "nobody held the number then: add the allocation, or extend one, and run again"
        }
        "attribution.number_unknown" => {
            "the number is in no range of numbers.csv: add it with its allocation, and run again"
        }
        "attribution.extension_unknown" => {
            "add the extension to allocations.csv with its holder and dates, and run again"
        }
        "attribution.account_code_unknown" => "add the code to account_codes.csv, or have the user corrected",
        "attribution.main_number_originated" => "a main number cannot place calls: check the switch's caller numbers",
        "attribution.no_inside_party" => "the record names nobody inside: check the source's trunks and contexts",
        "rating.direction_unknown" => "set the source's `trunks` so that both ends can be told apart",
        "rating.called_unclassified" => "what was dialled is no number: check the site's dial plan and the record",
        "rating.no_tariff_assigned" => "add a row to the assignments for this payer and site, and run again",
        "rating.wholesale_not_rated" => "the run was asked for the retail side only; nothing to do",
        "rating.tariff_not_in_force" => {
            "the assigned tariff has no version for that day: check the `from` and `until` of its files"
        }
        "rating.destination_blocked" => {
            "the deck blocks this destination and yet it was called: bar it on the switch or price it"
        }
        "rating.price_unknown" => "the deck lists this destination without a price: find it out, and write it there",
        "rating.class_not_priced" => {
            "only a shorter prefix matches a number of a special class: add a row for it to the deck"
        }
        "rating.no_rate_for_destination" => "no row of the deck matches: add its prefix, and run again",
        "rating.charge_overflow" => "the charge is larger than any that can be true: check duration and price",
        "rating.wholesale_unpriced" => "the row marks the wholesale charge up, and there is none: mend that side first",
        "rating.wholesale_currency" => "the row marks up a charge in another currency: give it a price of its own",
        "rating.caller_zone_unknown" => {
            "add the caller's prefix to the tariff's table of callers' zones, and run again"
        }
        "cdr.truncated" => "the file ends inside the record: fetch it again when the switch has finished writing",
        "cdr.record_too_long" | "cdr.too_many_columns" | "cdr.nul_bytes" | "cdr.quote_not_closed" => {
            "the record is damaged: look at the file around the offset, or fetch it again"
        }
        "cdr.column_count" => "the record has a number of columns that the layout lacks: check the source's `layout`",
        "cdr.recording_leg" => "a copy of a call for the recorder; nothing to do",
        "cdr.conference_leg" => "somebody inside joined a conference; nothing to do",
        "cdr.quality_record" => "says how a call sounded, not who called whom; nothing to do",
        "cdr.malformed" => {
            "the record is not what the format writes: look at the file around the offset, or fetch it again"
        }
        "cdr.file_marker" => "it begins, ends, counts or dates the file's records; nothing to do",
        "cdr.event" => "it neither begins nor ends a call; nothing to do",
        "cdr.not_voice" => "data, messages or rental, charged elsewhere if at all; nothing to do",
        "cdr.omitted_by_switch" => "the switch was told not to bill it; nothing to do",
        code if code.starts_with("cdr.file_") => {
            "the file as a whole was refused: see the warning, mend it and run again"
        }
        code if code.starts_with("cdr.") => {
            "look at the record: the column named holds something that the format does not have"
        }
        "run.waiting_for_partner" => "the other half of the call is in a file that has not come: add it, and run again",
        "run.waiting_for_end" => "the call has begun and its end is in a file that has not come: add it, and run again",
        "run.waiting_for_beginning" => {
            "the call's beginning is in a file that is not here: add the file before, and run again"
        }
        "run.waiting_for_part" => "a part of the call is in a file that has not come: add it, and run again",
        "run.near_duplicate" => "both are rated; if they are one call, have the switch's export corrected",
        "run.merged_leg" => "part of a call that another record stands for; nothing to do",
        "run.exact_duplicate" => "counted once; nothing to do",
        "run.late_allowance" => {
            "a late call, and the allowance for its month is settled: charge it by hand, or open that month again and run it"
        }
        "run.settled_before" => "this side of the call stands in the books of a closed month; nothing to do",
        "run.in_closed_month" => "stands in the books of a closed month; nothing to do",
        "run.suspended_in_closed_month" => {
            "suspended in the books of a closed month: `rating suspense` says what would release it into this one"
        }
        "run.other_period" => "belongs to another month; nothing to do",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_exceptions_says_what_to_do_and_only_rejects_send_people_to_the_record() {
        use crate::cdr::{NotACall, RejectReason};
        let runs = [
            "run.merged_leg",
            "run.exact_duplicate",
            "run.near_duplicate",
            "run.other_period",
            "run.in_closed_month",
            "run.suspended_in_closed_month",
        ];
        for code in runs
            .into_iter()
            .chain(crate::mediation::WaitsFor::ALL.map(crate::mediation::WaitsFor::code))
            .chain(RejectReason::ALL.map(RejectReason::code))
        {
            assert_ne!(help(code), "", "{code}");
        }
        for why in NotACall::ALL {
            assert!(help(why.code()).ends_with("nothing to do"), "{}", why.code());
        }
    }

    #[test]
    fn codes_are_distinct_and_fit_a_byte() {
        let mut codes = suspended_or_free();
        assert!(codes.len() < 255);
        codes.sort_unstable();
        let distinct = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), distinct);
    }
}
