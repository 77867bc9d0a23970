//! The columns of a call in the index, in one list.

use rating_core::report::Kind;

/// Columns of calls, in the order of the table; all are texts but the instants.
pub(super) const COLUMNS: [(&str, Kind); 28] = [
    ("site", Kind::Text),
    ("payer_id", Kind::Text),
    ("charged_at", Kind::Instant),
    ("call_id", Kind::Text),
    ("started_at", Kind::Instant),
    ("extension", Kind::Number),
    ("number", Kind::Number),
    ("calling", Kind::Number),
    ("dialled", Kind::Text),
    ("called", Kind::Number),
    ("destination", Kind::Text),
    ("class", Kind::Text),
    ("direction", Kind::Text),
    ("answered", Kind::Boolean),
    ("duration_s", Kind::Seconds),
    ("billed_duration_s", Kind::Seconds),
    ("allowance_taken_s", Kind::Seconds),
    ("cost", Kind::Amount),
    ("vat", Kind::Amount),
    ("currency", Kind::Text),
    ("tariff", Kind::Text),
    ("band", Kind::Text),
    ("status", Kind::Text),
    ("reason", Kind::Text),
    ("adjusts_month", Kind::Text),
    ("operator_amount", Kind::Amount),
    ("operator_currency", Kind::Text),
    ("wholesale_status", Kind::Text),
];

/// What is read of a call besides, and not kept with it as it is.
pub(super) const BESIDES: [(&str, Kind); 4] =
    [("wholesale_reason", Kind::Text), ("source", Kind::Text), ("file", Kind::Text), ("record_offset", Kind::Integer)];

/// All that is read of a call.
pub(super) fn read() -> Vec<(&'static str, Kind)> {
    COLUMNS.into_iter().chain(BESIDES).collect()
}

/// Cells of a call by their column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<'c>(pub(super) &'c [Option<&'c str>]);

impl<'c> Cells<'c> {
    /// The text of a column, empty if there is none.
    pub(super) fn get(self, column: &str) -> &'c str {
        let names = COLUMNS.iter().chain(&BESIDES);
        let at = names.map(|(name, _)| *name).position(|name| name == column);
        at.and_then(|at| self.0.get(at).copied().flatten()).unwrap_or_default()
    }
}
