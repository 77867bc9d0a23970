//! Margins: what clients are charged less what the carrier charges, by occupier and destination.

use std::sync::{Arc, LazyLock};

use super::batch::{Batch, ColumnSpec, Schema, Totals, table};
use super::cells::Column;
use super::column;
use super::names::Names;
use super::summary::{by_name, pairs};
use crate::aggregation::{DestinationSums, Listing, PayerKey};
use crate::ids::{DestinationId, PayerId, SiteId};
use crate::money::{Currency, Total};

table! {
    /// Margins.
    MarginColumns {
        row: Word required,
        site: Name required,
        client_id: Name,
        client_name: Name,
        destination: Name,
        calls: Integer,
        client_amount: Amount,
        currency: Word,
        operator_amount: Amount,
        operator_currency: Word,
        margin: Amount,
        margin_currency: Word,
        wholesale_status: Word required,
    }
}

static MARGIN_SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    Arc::new(Schema { name: "margin", columns: MarginColumns::COLUMNS.to_vec(), totals: Totals::EveryCsv })
});

/// Client amount, operator amount and margin of a site by occupier and destination; then in total by destination, and the
/// total of the site. The totals leave out the operator's own calls and calls whose payer is not known, as do the rows.
///
/// A margin is blank where a wholesale charge is missing, or is in another currency and no exchange rate holds.
#[must_use]
pub fn margins(listing: &Listing<'_>, names: &Names, site: SiteId) -> Batch {
    let mut columns = MarginColumns {
        site: column::Name::of(&names.sites),
        client_id: column::Name::of(&names.payer_ids),
        client_name: column::Name::of(&names.payer_names),
        destination: column::Name::of(&names.destinations),
        ..MarginColumns::default()
    };
    let place = |destination: DestinationId| names.destinations.place(destination.0);
    let mut rows: Vec<(PayerKey, DestinationId, &DestinationSums)> = listing
        .destinations_at(site)
        .iter()
        .filter(|(of, _)| of.payer.payer.is_some_and(|payer| payer != PayerId::OPERATOR))
        .map(|(of, sums)| (of.payer, of.destination, *sums))
        .collect();
    rows.sort_by_cached_key(|(payer, destination, _)| (*payer, place(*destination), *destination));
    let mut total = DestinationSums::default();
    for (payer, destination, sums) in &rows {
        columns.push("destination", site, payer.payer, Some(*destination), sums);
    }
    let mut totals = 0;
    for (destination, sums) in by_name(names, rows.iter().map(|(_, destination, sums)| (*destination, *sums))) {
        totals += columns.push("all clients", site, None, Some(destination), &sums);
        total.merge(&sums);
    }
    totals += columns.push("total", site, None, None, &total);
    Batch::new(MARGIN_SCHEMA.clone(), columns.into_columns(), totals)
}

impl MarginColumns {
    /// Adds the rows of one sum, and says how many.
    fn push(
        &mut self,
        row: &str,
        site: SiteId,
        payer: Option<PayerId>,
        destination: Option<DestinationId>,
        sums: &DestinationSums,
    ) -> usize {
        let pairs = pairs(&sums.client, &sums.operator);
        let margin = sums.margin();
        for (at, [client, operator]) in pairs.iter().enumerate() {
            let amount = |amount: &Option<(Currency, Total)>| amount.map(|(_, total)| total);
            let currency = |amount: &Option<(Currency, Total)>| amount.map(|(currency, _)| currency);
            let margin = margin.filter(|_| at == 0);
            self.row.push(Some(row));
            self.site.push_site(site);
            self.client_id.push(payer.map(|payer| payer.0));
            self.client_name.push(payer.map(|payer| payer.0));
            self.destination.push(destination.map(|destination| destination.0));
            self.calls.push((at == 0).then_some(sums.calls));
            self.client_amount.push(amount(client));
            self.currency.push_currency(currency(client));
            self.operator_amount.push(amount(operator));
            self.operator_currency.push_currency(currency(operator));
            self.margin.push(amount(&margin));
            self.margin_currency.push_currency(currency(&margin));
            let complete = sums.wholesale_missing_calls == 0;
            self.wholesale_status.push(Some(if complete { "complete" } else { "incomplete" }));
        }
        pairs.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv::{self, Profile};
    use super::super::names::NameLists;
    use super::*;
    use crate::aggregation::Aggregate;
    use crate::aggregation::fixtures::{call, currency, rated, unrated};
    use crate::money::Charge;
    use crate::rating::{CallRow, Outcome};
    use crate::time::Zone;

    #[test]
    fn margins_are_by_client_and_destination_and_blank_where_a_cost_is_not_known() {
        let names = Names::new(&NameLists {
            sites: vec![("ldn".to_owned(), Zone::utc())],
            payers: ["harbour", "acme", "bolt"].map(|id| (id.to_owned(), id.to_owned())).into(),
            destinations: vec!["London".to_owned(), "France".to_owned()],
            ..NameLists::default()
        });
        let mut sums = Aggregate::new();
        let mut add = |payer, destination, cost, converted: Option<&str>| {
            let row = CallRow {
                payer: Some(PayerId(payer)),
                retail: rated("GBP", "0.065", destination),
                wholesale: cost,
                ..call()
            };
            let pound = currency("GBP");
            sums.add_converted(&row, converted.map(|charge| (pound, Charge::parse(charge).unwrap())));
        };
        add(1, 0, rated("GBP", "0.02", 0), None);
        add(1, 0, rated("GBP", "0.05", 0), None);
        // 0.03 USD are 0.025 GBP.
        add(1, 1, rated("USD", "0.03", 1), Some("0.025"));
        add(2, 1, unrated(Outcome::Suspended("rating.no_rate_for_destination")), None);
        let mut text = Vec::new();
        csv::write(&margins(&sums.listing(), &names, SiteId(0)).view(), Profile::Machine, &mut text);
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "row,site,client_id,client_name,destination,calls,client_amount,currency,operator_amount,operator_currency,margin,margin_currency,wholesale_status",
                "destination,ldn,acme,acme,France,1,0.065,GBP,0.03,USD,0.04,GBP,complete",
                // 0.13 − 0.07
                "destination,ldn,acme,acme,London,2,0.13,GBP,0.07,GBP,0.06,GBP,complete",
                "destination,ldn,bolt,bolt,France,1,0.065,GBP,,,,,incomplete",
                "all clients,ldn,,,France,2,0.13,GBP,0.03,USD,,,incomplete",
                "all clients,ldn,,,London,2,0.13,GBP,0.07,GBP,0.06,GBP,complete",
                "total,ldn,,,,4,0.26,GBP,0.07,GBP,,,incomplete",
                "total,ldn,,,,,,,0.03,USD,,,incomplete",
            ]
        );
    }
}
