//! An explanation without what the level of information switches off.

use serde_json::Value;

use crate::publish::download::mask;
use crate::publish::index::Call;

/// Digits at the end of a number that tell it from others where they stand in another text.
const TELLING: usize = 5;
/// Digits that are masked.
const HIDDEN: usize = 3;

/// Takes the allowances out: what a call took of them, and what they covered.
pub(super) fn allowances(explanation: &mut Value) {
    match explanation {
        Value::Object(fields) => {
            for hidden in ["allowance", "covered_s"] {
                fields.remove(hidden);
            }
            fields.values_mut().for_each(allowances);
        }
        Value::Array(items) => items.iter_mut().for_each(allowances),
        _ => {}
    }
}

/// Masks the number at the other end, wherever it stands: as a party, as it was dialled, and in a row that is for it alone.
/// `call` is the call as its reader is shown it.
pub(super) fn numbers(explanation: &mut Value, call: &Call) {
    let own = [call.get("extension"), call.get("number")];
    let mut secrets = Vec::new();
    for pointer in ["/call/called/number", "/call/dialled", "/call/calling/number"] {
        let Some(Value::String(text)) = explanation.pointer_mut(pointer) else { continue };
        if text.is_empty() || own.contains(&Some(text.as_str())) {
            continue;
        }
        secrets.push(text.clone());
        *text = mask(text);
    }
    // They establish the class of the number, and may be all of it.
    for party in ["called", "calling"] {
        if let Some(Value::Object(party)) = explanation.pointer_mut(&format!("/call/{party}")) {
            party.remove("class_digits");
        }
    }
    let needles: Vec<Needle> = secrets.iter().flat_map(|secret| needles(secret)).collect();
    hide(explanation, &needles);
}

/// Digits that give away what is hidden, and how many of them are shown.
struct Needle {
    digits: String,
    shown: usize,
}

/// The end of a number, by which it is known; and what would be the beginning of it with some of the hidden digits, as in a row
/// that is for a few numbers alone.
fn needles(secret: &str) -> Vec<Needle> {
    let digits: String = secret.chars().filter(char::is_ascii_digit).collect();
    let Some(shown_until) = digits.len().checked_sub(HIDDEN) else { return Vec::new() };
    let needle = |cut: usize, length: usize| {
        let until = digits.len().checked_sub(cut)?;
        let from = until.checked_sub(length)?;
        Some(Needle { digits: digits.get(from..until)?.to_owned(), shown: shown_until.checked_sub(from)? })
    };
    [(0, TELLING), (1, TELLING + 1), (2, TELLING)].into_iter().filter_map(|(cut, length)| needle(cut, length)).collect()
}

fn hide(value: &mut Value, needles: &[Needle]) {
    match value {
        Value::String(text) => {
            for Needle { digits, shown } in needles {
                if let Some(kept) = digits.get(..*shown).filter(|_| text.contains(digits.as_str())) {
                    *text = text.replace(digits.as_str(), &format!("{kept}xxx"));
                }
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| hide(value, needles)),
        Value::Array(items) => items.iter_mut().for_each(|value| hide(value, needles)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_other_end_is_masked_wherever_it_stands_and_amounts_are_not() {
        let mut explanation = json!({
            "call": { "dialled": "902079460958", "called": { "number": "+442079460958", "class_digits": "+442079460958" } },
            "candidates": [{ "key": "442079460958" }, { "key": "44207946095" }, { "key": "4420794609" }, { "key": "4420" }],
            "charge": "0.0958",
        });
        numbers(&mut explanation, &Call::default());
        let expected = json!({
            "call": { "dialled": "902079460xxx", "called": { "number": "+442079460xxx" } },
            "candidates": [{ "key": "442079460xxx" }, { "key": "442079460xxx" }, { "key": "442079460xxx" }, { "key": "4420" }],
            "charge": "0.0958",
        });
        assert_eq!(explanation, expected);
    }

    #[test]
    fn ones_own_number_is_not_masked() {
        let call = Call { cells: vec![("number", "+442079460101".to_owned())], ..Call::default() };
        let mut explanation =
            json!({ "call": { "called": { "number": "+442079460101" }, "calling": { "number": "999" } } });
        numbers(&mut explanation, &call);
        assert_eq!(
            explanation,
            json!({ "call": { "called": { "number": "+442079460101" }, "calling": { "number": "xxx" } } })
        );
    }
}
