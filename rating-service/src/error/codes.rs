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
    code("contract.completed", 409, "The contract has ended"),
    code("contract.discarded", 409, "The contract was discarded"),
    code("contract.end_in_past", 422, "The contract would end in the past"),
    code("contract.ends_before_start", 422, "The contract would end before it begins"),
    code("contract.exists", 409, "There is such a contract already"),
    code("contract.has_begun", 409, "The contract has begun"),
    code("contract.move_in_after_end", 422, "The occupier would move in after the contract's end"),
    code("contract.move_in_before_start", 422, "The occupier would move in before the contract begins"),
    code("contract.not_completed", 409, "The contract has not ended"),
    code("contract.not_upcoming", 409, "The contract has begun"),
    code("contract.occupier_decommissioned", 409, "The occupier is decommissioned"),
    code("contract.overlaps", 409, "Another contract of the occupier at the site covers the time"),
    code("contract.unknown", 404, "There is no such contract"),
    code("decommission.due", 409, "The decommission is due"),
    code("decommission.handset_logged_in", 409, "A handset is logged in"),
    code("decommission.in_past", 422, "The time has passed"),
    code("decommission.not_due", 409, "The decommission is not due yet"),
    code("decommission.not_ready", 409, "Something stands in the way of the decommission"),
    code("decommission.not_scheduled", 409, "No decommission is scheduled"),
    code("decommission.number_pending", 409, "A change of a number is under way"),
    code("decommission.service_updating", 409, "A service has an update in progress"),
    code("idempotency.in_progress", 409, "The first request with this key is not done yet"),
    code("idempotency.key_malformed", 400, "The idempotency key cannot be used"),
    code("idempotency.key_reused", 422, "This idempotency key belongs to another request"),
    code("internal.error", 500, "Internal error"),
    code("mail.address_malformed", 422, "This is no e-mail address"),
    code("mail.not_sent", 502, "The mail was not sent"),
    code("occupier.billing_reference_taken", 409, "The billing reference belongs to another occupier"),
    code("occupier.decommissioned", 409, "The occupier is decommissioned"),
    code("occupier.exists", 409, "There is such an occupier already"),
    code("occupier.identifier_taken", 409, "The external identifier belongs to another occupier"),
    code("occupier.unknown", 404, "There is no such occupier"),
    code("operator.already_set_up", 409, "The operator is set up already"),
    code("operator.not_set_up", 409, "The operator is not set up yet"),
    code("portal.active", 409, "The portal is active already"),
    code("portal.contact_missing", 409, "The occupier's contact is not known"),
    code("portal.inactive", 409, "The portal is not active"),
    code("portal.never_activated", 404, "The portal was never activated"),
    code("product.exists", 409, "There is such a product already"),
    code("product.inactive", 409, "The product is not sold any more"),
    code("product.unknown", 404, "There is no such product"),
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
    code("service.after_contract", 422, "The service would begin after its contract's end"),
    code("service.contract_completed", 409, "The contract has ended"),
    code("service.ended", 409, "The service has ended"),
    code("service.interval_empty", 422, "The service would end before it begins"),
    code("service.no_contract", 409, "There is no contract for the service"),
    code("service.start_in_past", 422, "The service would begin in the past"),
    code("service.unknown", 404, "There is no such service"),
    code("service.updating", 409, "The service has an update in progress"),
    code("site.exists", 409, "There is such a site already"),
    code("site.unknown", 404, "There is no such site"),
    code("store.busy", 503, "The database is busy"),
    code("store.full", 507, "The disk is full"),
    code("token.unknown", 404, "There is no such token"),
    code("user.administrator_protected", 403, "An administrator is changed by the operator alone"),
    code("user.exists", 409, "There is such a user already"),
    code("user.last_administrator", 409, "The last administrator cannot go"),
    code("user.unknown", 404, "There is no such user"),
];
