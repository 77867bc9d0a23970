//! A call priced once more, with the beginning of its time covered by an allowance.

use super::rater::{Rater, Verdict, wholesale_charge};
use super::{CallRow, Talk};
use crate::assignment::SideKind;
use crate::attribution::AttributedCall;
use crate::money::Charge;
use crate::number::Party;
use crate::tariff::Query;
use crate::time::Duration;

impl Rater<'_> {
    /// What the tariffs are asked about a call; `None` if they are not asked.
    #[must_use]
    pub fn asked<'a>(&self, call: &AttributedCall<'_, 'a>) -> Option<Query<'a>> {
        self.sides().query(call).ok()
    }

    /// What the retail side of a rated call costs if the first `covered` of its charged time costs nothing.
    ///
    /// Everything else is as when it was rated: the same tariff is asked the same `query`. Increments are those of the whole call,
    /// connection charge and minimum are due; a call that is covered to its end costs nothing at all, and is not asked
    /// about here. `None` if it has no price any more.
    #[must_use]
    pub fn price_again(&self, row: &CallRow<'_>, query: &Query<'_>, covered: Duration) -> Option<Charge> {
        let tariff = self.assignments().tariff(SideKind::Retail, row.payer, row.site, row.charging_at)?;
        let caller = match row.calling {
            Party::Number(number) => Some(number),
            _ => row.number,
        };
        let talk = Talk {
            covered,
            caller,
            wholesale: wholesale_charge(&row.wholesale),
            ..Talk::new(row.charging_at, row.site, row.duration)
        };
        match self.sides().by_tariff(tariff, query, &talk, &mut ()) {
            Verdict::Priced(.., working) => Some(working.charge),
            _ => None,
        }
    }
}
