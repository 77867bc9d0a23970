//! The usage report: contracted voice lines, one column for each day.

use std::sync::Arc;

use super::batch::{Batch, ColumnSpec, Schema, Totals, table};
use super::cells::Column;
use super::column;
use super::names::Names;
use crate::aggregation::{PayerKey, Usage};
use crate::money::{Currency, LEDGER_SCALE, PRICE_SCALE, Ratio};

table! {
    /// What stands before the days.
    UsageColumns {
        row: Word required,
        site: Name,
        client_id: Name,
        client_name: Name,
        currency: Word,
    }
}

/// The columns of the days.
const DAYS: [&str; 31] = [
    "day_01", "day_02", "day_03", "day_04", "day_05", "day_06", "day_07", "day_08", "day_09", "day_10", "day_11",
    "day_12", "day_13", "day_14", "day_15", "day_16", "day_17", "day_18", "day_19", "day_20", "day_21", "day_22",
    "day_23", "day_24", "day_25", "day_26", "day_27", "day_28", "day_29", "day_30", "day_31",
];

/// One line in 10⁻¹² of a line.
const ONE: i128 = 10_i128.pow(PRICE_SCALE);
/// From ledger units to 10⁻¹².
const TO_PRICE: i128 = 10_i128.pow(PRICE_SCALE - LEDGER_SCALE);

struct Builder {
    columns: UsageColumns,
    days: Vec<column::Decimal>,
}

impl Builder {
    fn push(&mut self, row: &str, of: Option<PayerKey>, currency: Option<Currency>, cells: &[i128]) {
        self.columns.row.push(Some(row));
        self.columns.site.push(of.map(|of| of.site.0));
        let payer = of.and_then(|of| of.payer).map(|payer| payer.0);
        self.columns.client_id.push(payer);
        self.columns.client_name.push(payer);
        self.columns.currency.push_currency(currency);
        for (at, day) in self.days.iter_mut().enumerate() {
            day.push(cells.get(at).copied());
        }
    }
}

/// One row `allocation` for each payer with its lines, `total allocation`, and where the terms are known `allowance`, `total
/// usage` (the lines above it), `price per day` (exact; shown to twelve decimals, half up), `daily charge` and `monthly
/// accrual`, the sum of the daily charges so far.
#[must_use]
pub fn usage(usage: &Usage, currency: Currency, names: &Names) -> Batch {
    let columns = UsageColumns {
        site: column::Name::of(&names.sites),
        client_id: column::Name::of(&names.payer_ids),
        client_name: column::Name::of(&names.payer_names),
        ..UsageColumns::default()
    };
    let days = usage.total.len();
    let mut table = Builder { columns, days: (0..days).map(|_| column::Decimal::default()).collect() };
    let lines = |lines: &[u64]| lines.iter().map(|lines| i128::from(*lines) * ONE).collect::<Vec<_>>();
    for (payer, allocation) in &usage.allocations {
        table.push("allocation", Some(*payer), None, &lines(allocation));
    }
    table.push("total allocation", None, None, &lines(&usage.total));
    if let Some(charges) = &usage.charges {
        let currency = Some(currency);
        table.push("allowance", None, None, &vec![i128::from(charges.allowance) * ONE; days]);
        table.push("total usage", None, None, &lines(&charges.over));
        table.push("price per day", None, currency, &vec![shown(charges.price_per_day); days]);
        let daily: Vec<i128> = charges.daily.iter().map(|charge| i128::from(charge.units()) * TO_PRICE).collect();
        table.push("daily charge", None, currency, &daily);
        let accrued: Vec<i128> = charges.accrued.iter().map(|total| total.units() * TO_PRICE).collect();
        table.push("monthly accrual", None, currency, &accrued);
    }
    let mut specs = UsageColumns::COLUMNS.to_vec();
    let names = DAYS.iter().take(days).map(|name| ColumnSpec { name, kind: column::Decimal::KIND, required: true });
    specs.extend(names);
    let mut columns = table.columns.into_columns();
    columns.extend(table.days.into_iter().map(column::Decimal::into_column));
    let schema = Arc::new(Schema { name: "usage", columns: specs, totals: Totals::None });
    Batch::new(schema, columns, 0)
}

/// An exact amount to twelve decimals, half up.
fn shown(ratio: Ratio) -> i128 {
    let (over, under) = ratio.parts();
    (2 * over + under).div_euclid(2 * under)
}
