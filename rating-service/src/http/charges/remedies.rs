//! What is to be done about calls and records that were set aside: the command that helps, and the route that mends it.

/// Whether anything is to be done, by what the engine says of a reason.
pub(super) fn needs_action(help: &str) -> bool {
    !help.ends_with("nothing to do")
}

/// The command and the route for a reason; `site` and `key` are those of the calls.
pub(super) fn of(reason: &str, site: &str, key: &str) -> (Option<String>, Option<String>) {
    let route = |route: String| Some(route);
    let numbers = || route(format!("POST /api/v1/sites/{site}/numbers/commands"));
    let file = || Some("rating inspect FILE".to_owned());
    match reason {
        "attribution.number_not_allocated" | "attribution.extension_unknown" => (None, numbers()),
        "attribution.number_unknown" => (None, route(format!("POST /api/v1/sites/{site}/numbers"))),
        "attribution.account_code_unknown" => (None, route("PUT /api/v1/project/account-codes".to_owned())),
        "attribution.main_number_originated" => (None, route(format!("GET /api/v1/numbers/{key}"))),
        "attribution.no_inside_party" | "rating.direction_unknown" => {
            (file(), route("PUT /api/v1/sources/{source}".to_owned()))
        }
        "rating.called_unclassified" => (None, route(format!("PUT /api/v1/sites/{site}"))),
        "rating.no_tariff_assigned" => (None, route("POST /api/v1/assignments".to_owned())),
        "rating.tariff_not_in_force"
        | "rating.destination_blocked"
        | "rating.price_unknown"
        | "rating.class_not_priced"
        | "rating.no_rate_for_destination"
        | "rating.wholesale_unpriced"
        | "rating.wholesale_currency"
        | "rating.caller_zone_unknown" => {
            (Some("rating check project".to_owned()), route("PUT /api/v1/files/tariffs/{file}".to_owned()))
        }
        "run.waiting_for_partner" | "run.waiting_for_end" | "run.waiting_for_beginning" | "run.waiting_for_part" => {
            (None, route("PUT /api/v1/sources/{source}/files/{name}".to_owned()))
        }
        "run.suspended_in_closed_month" => (Some("rating suspense project".to_owned()), None),
        "run.late_allowance" => (None, route("POST /api/v1/months/{month}/reopen".to_owned())),
        code if code.starts_with("cdr.") => (file(), route("PUT /api/v1/sources/{source}".to_owned())),
        _ => (None, None),
    }
}
