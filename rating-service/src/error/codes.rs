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
