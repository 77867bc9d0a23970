//! Bills in a run: VAT of each call, and the rules by which a tariff's version rounds and taxes a month.

use super::RunError;
use super::project::Project;
use crate::aggregation::{Aggregate, BillLine, BillRules, BillTax, Bills};
use crate::ids::TariffId;
use crate::money::Charge;
use crate::rating::{CallRow, Outcome};
use crate::tariff::{TariffVersion, TaxPoint, Vat, VatStage};
use crate::time::{Date, Month};

/// What makes a project's bills; nothing at all where no tariff knows VAT or rounds a month.
pub(super) struct Billing<'p> {
    project: &'p Project,
    /// The last day of the month.
    last: Date,
}

impl<'p> Billing<'p> {
    /// `None` if no tariff says anything about bills.
    #[must_use]
    pub(super) fn new(project: &'p Project, month: Month) -> Option<Self> {
        let mut versions = project.book.tariffs().iter().flat_map(|tariff| tariff.versions());
        let bills = versions.any(|version| version.vat().is_some() || version.roundings().bill.is_some());
        bills.then(|| Self { project, last: month.days().1.yesterday() })
    }

    fn version(&self, tariff: TariffId, version: u16) -> Option<&'p TariffVersion> {
        self.project.book.tariff(tariff)?.versions().get(usize::from(version))
    }

    /// Puts VAT into a row that is taxed by itself, and gives its rate, in millionths.
    pub(super) fn tax(&self, row: &mut CallRow<'_>) -> Option<i64> {
        let Outcome::Rated(priced) = &row.retail.outcome else { return None };
        let vat = self.version(row.retail.tariff?, row.retail.version)?.vat()?;
        let rate = vat.rate_on(match vat.tax_point {
            TaxPoint::Answer => self.project.zone(row.site).to_local(row.charging_at).date(),
            TaxPoint::MonthEnd => self.last,
        });
        if vat.stage == VatStage::Line {
            row.vat = vat.rule.of(priced.charge.into(), rate).or(Some(Charge::ZERO));
        }
        Some(rate)
    }

    /// The lines of all bills.
    ///
    /// # Errors
    ///
    /// If they do not come to what was charged.
    pub(super) fn lines(&self, bills: &Bills, aggregate: &Aggregate) -> Result<Vec<BillLine>, RunError> {
        for (currency, sum) in aggregate.control().retail.charges.iter() {
            let billed = bills.charges(currency);
            if billed != sum.total {
                let words = format!("retail charges of {} {currency}, but bills of {billed}", sum.total);
                return Err(RunError::Unbalanced(words));
            }
        }
        let rules = |tariff, version| {
            let version = self.version(tariff, version);
            let tax = |vat: &Vat| BillTax { rule: vat.rule, by_line: vat.stage == VatStage::Line };
            BillRules {
                rounding: version.and_then(|version| version.roundings().bill),
                tax: version.and_then(TariffVersion::vat).map(tax),
            }
        };
        bills.lines(rules).ok_or_else(|| RunError::Unbalanced("a bill is larger than an amount can be".to_owned()))
    }
}
