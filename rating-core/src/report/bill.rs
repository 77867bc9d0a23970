//! Bills: what a payer's month comes to on each tariff, what rounding it changes, VAT, and what is due.

use std::sync::{Arc, LazyLock};

use super::batch::{Batch, ColumnSpec, Schema, Totals, table};
use super::cells::Column;
use super::column;
use super::names::Names;
use crate::aggregation::{BillKind, BillLine};

table! {
    /// Lines of bills.
    BillColumns {
        row: Word required,
        site: Name required,
        client_id: Name,
        client_name: Name,
        tariff: Name,
        calls: Integer,
        net: Amount required,
        vat_percent: Text,
        vat: Amount required,
        gross: Amount required,
        currency: Word required,
    }
}

static BILL_SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema { name: "bill", columns: BillColumns::COLUMNS.to_vec(), totals: Totals::None }));

/// A rate in millionths as a percentage: `20`, `17.5`.
fn percent(rate: i64) -> String {
    let (whole, rest) = (rate / 10_000, rate % 10_000);
    let text = format!("{whole}.{rest:04}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The lines of bills as they come: `calls` for a tariff and a rate of VAT, `rounding` where the tariff rounds the sum,
/// `total` for what is due. Net and VAT together are gross, in every row; a total is the sum of the rows before it.
#[must_use]
pub fn bills<'l>(lines: impl Iterator<Item = &'l BillLine>, names: &Names) -> Batch {
    let mut columns = BillColumns {
        site: column::Name::of(&names.sites),
        client_id: column::Name::of(&names.payer_ids),
        client_name: column::Name::of(&names.payer_names),
        tariff: column::Name::of(&names.tariffs),
        ..BillColumns::default()
    };
    for line in lines {
        columns.row.push(Some(match line.kind {
            BillKind::Calls => "calls",
            BillKind::Rounding => "rounding",
            BillKind::Total => "total",
        }));
        columns.site.push_site(line.payer.site);
        columns.client_id.push(line.payer.payer.map(|payer| payer.0));
        columns.client_name.push(line.payer.payer.map(|payer| payer.0));
        columns.tariff.push(line.tariff.map(|tariff| tariff.0));
        columns.calls.push((line.kind != BillKind::Rounding).then_some(line.calls));
        columns.net.push(Some(line.net));
        columns.vat_percent.push(line.rate.map(percent).as_deref().map(str::as_bytes));
        columns.vat.push(Some(line.vat));
        columns.gross.push(Some(line.gross));
        columns.currency.push_currency(Some(line.currency));
    }
    Batch::new(BILL_SCHEMA.clone(), columns.into_columns(), 0)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn rates_are_shown_as_people_write_them() {
        for (rate, text) in [(200_000, "20"), (175_000, "17.5"), (0, "0"), (55_555, "5.5555"), (1_000_000, "100")] {
            assert_eq!(percent(rate), text);
        }
    }
}
