//! A call priced once more, with the beginning of its time covered by an allowance.

use super::{CallRow, Outcome};
use crate::money::{Charge, Rounding};
use crate::tariff::TariffBook;
use crate::time::Duration;

/// What the retail side of a rated call costs if the first `covered` of its charged time costs nothing.
///
/// Increments are those of the whole call, the band is that of its answer, and connection charge and minimum are due: an
/// allowance that covers a call to its end is not asked here, for then it costs nothing at all. `None` if the call has no
/// price to work from.
#[must_use]
pub fn price_again(book: &TariffBook, row: &CallRow<'_>, covered: Duration) -> Option<Charge> {
    let Outcome::Rated(priced) = &row.retail.outcome else { return None };
    let version = book.tariff(row.retail.tariff?)?.versions().get(usize::from(row.retail.version))?;
    let band = u8::try_from(version.bands().iter().position(|id| *id == priced.band)?).ok()?;
    let plan = version.plan(priced.row, band)?;
    let due = (priced.billed.as_millis() - covered.as_millis()).max(0);
    let usage = plan.price.times(due, plan.per.as_millis());
    let sum = usage.plus(plan.connection.ratio())?.max(plan.minimum.ratio())?;
    sum.round(version.rounding().unwrap_or(Rounding::LEDGER))
}
