//! Every problem code of the service, sorted: its status and what it is called.

/// A code, what it is answered with, and its title.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `area.what`: stable.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The same words each time.
    pub title: &'static str,
}

const fn code(code: &'static str, status: u16, title: &'static str) -> Code {
    Code { code, status, title }
}

/// What is answered for a fault of this program.
pub(super) const INTERNAL: Code = code("internal.error", 500, "Internal error");

/// The code of that name.
pub(super) fn find(name: &str) -> Option<&'static Code> {
    CODES.binary_search_by(|code| code.code.cmp(name)).ok().and_then(|index| CODES.get(index))
}

/// All of them, sorted.
#[rustfmt::skip]
pub const CODES: &[Code] = &[
    code("auth.cross_site", 403, "The request does not come from this site"),
    code("auth.invitation_invalid", 404, "This invitation is not valid, or not any more"),
    code("auth.not_allowed", 403, "Not allowed"),
    code("auth.not_signed_in", 401, "Not signed in"),
    code("auth.password_weak", 422, "The password is too weak"),
    code("auth.too_many_attempts", 429, "Too many attempts"),
    code("auth.wrong_credentials", 401, "E-mail address or password is wrong"),
    code("idempotency.in_progress", 409, "The first request with this key is not done yet"),
    code("idempotency.key_malformed", 400, "The idempotency key cannot be used"),
    code("idempotency.key_reused", 422, "This idempotency key belongs to another request"),
    code("internal.error", 500, "Internal error"),
    code("mail.address_malformed", 422, "This is no e-mail address"),
    code("mail.not_sent", 502, "The mail was not sent"),
    code("number.already_assigned", 409, "The number is assigned already"),
    code("number.already_nominated", 409, "The number is nominated already"),
    code("number.change_in_progress", 409, "A change of the number is under way"),
    code("number.changed_meanwhile", 409, "The number was changed meanwhile"),
    code("number.contract_missing", 409, "There is no contract at the site"),
    code("number.cool_off_malformed", 422, "The length of a cool-off is 1 to 999 days"),
    code("number.cool_off_not_over", 409, "The cool-off is not over"),
    code("number.exists", 409, "There is such a number already"),
    code("number.extension_taken", 409, "The extension is taken"),
    code("number.held_for_prospect", 409, "The number is kept for a prospect"),
    code("number.hold_in_past", 422, "The hold would be over before it begins"),
    code("number.is_assigned", 409, "The number is assigned to somebody"),
    code("number.is_logged_in", 409, "A device is logged in to the number"),
    code("number.is_main", 409, "The number is a main number"),
    code("number.kind_is_fixed", 409, "The number's kind is fixed while it was used"),
    code("number.must_end", 409, "The change cannot fail"),
    code("number.not_active", 409, "The number is not ACTIVE"),
    code("number.not_allocated", 409, "Nobody holds the number"),
    code("number.not_assigned", 409, "The number is assigned to nobody"),
    code("number.not_available", 409, "The number is not AVAILABLE"),
    code("number.not_cooling_off", 409, "The number is not in COOLDOWN"),
    code("number.not_entitled", 409, "No voice line is free"),
    code("number.not_held", 409, "The number is kept for nobody"),
    code("number.not_logged_in", 409, "No device is logged in to the number"),
    code("number.not_nominated", 409, "The number is not nominated"),
    code("number.not_pending", 409, "No change of the number is under way"),
    code("number.not_reserved", 409, "The number is not RESERVED"),
    code("number.out_of_order", 409, "The number changed later than that"),
    code("number.second_main", 409, "There is a main number already"),
    code("number.some_refused", 409, "Some numbers were refused"),
    code("number.text_malformed", 422, "A text cannot be used"),
    code("number.two_holders", 409, "The number had another holder at that time"),
    code("number.unknown", 404, "There is no such number"),
    code("occupier.unknown", 404, "There is no such occupier"),
    code("operator.already_set_up", 409, "The operator is set up already"),
    code("operator.not_set_up", 409, "The operator is not set up yet"),
    code("request.body_malformed", 400, "The body is not what was expected"),
    code("request.body_too_large", 413, "The body is too large"),
    code("request.invalid", 422, "Some fields are wrong"),
    code("request.media_type", 415, "The body's media type is not understood"),
    code("request.method_not_allowed", 405, "This address does not know the method"),
    code("request.no_such_address", 404, "There is nothing at this address"),
    code("request.parameter_malformed", 400, "A parameter is not what was expected"),
    code("request.precondition_failed", 412, "It was changed by somebody else meanwhile"),
    code("request.precondition_required", 428, "Say which state you change"),
    code("request.timeout", 408, "The request took too long"),
    code("request.too_many", 429, "Too many requests"),
    code("site.exists", 409, "There is such a site already"),
    code("site.unknown", 404, "There is no such site"),
    code("store.busy", 503, "The database is busy"),
    code("store.full", 507, "The disk is full"),
    code("token.unknown", 404, "There is no such token"),
    code("user.exists", 409, "There is such a user already"),
    code("user.last_administrator", 409, "The last administrator cannot go"),
    code("user.unknown", 404, "There is no such user"),
];
