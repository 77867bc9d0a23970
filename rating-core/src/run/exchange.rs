//! Dated exchange rates, for margins only: no charge is ever converted.

use std::sync::Arc;

use crate::finding::table::Table;
use crate::finding::{Finding, Findings, SourceText};
use crate::money::{Charge, Currency, ExchangeRate};
use crate::time::{Date, Instant, Interval, Zone};

/// Exchange rates, each with the interval in which it holds.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRates(Vec<Dated>);

#[derive(Clone, Copy, Debug)]
struct Dated {
    from: Currency,
    to: Currency,
    rate: ExchangeRate,
    period: Interval,
}

impl ExchangeRates {
    /// Reads `from_currency,to_currency,rate,from,until`; the rate is how many units of `to_currency` one unit of
    /// `from_currency` is worth. Dates begin at midnight in `zone`; an empty `from` is since ever, an empty `until` until
    /// further notice. Two rates for one pair at one instant are refused.
    #[must_use]
    pub fn read(source: &Arc<SourceText>, zone: &Zone, findings: &mut Findings) -> Self {
        let table = Table::read(source, &["from_currency", "to_currency", "rate"], &["from", "until"], findings);
        let columns = ["from_currency", "to_currency", "rate", "from", "until"].map(|name| table.column(name));
        let mut rates: Vec<Dated> = Vec::new();
        let mut rows = Vec::new();
        for row in table.rows() {
            let mut currency = |column| {
                let text = row.required(column, findings)?;
                let currency = Currency::parse(text);
                if currency.is_none() {
                    findings.push(
                        Finding::error("exchange.currency_malformed", format!("`{text}` is not a currency code"))
                            .at(row.label(column, "not three capital letters"))
                            .help("write the ISO 4217 code, such as `USD`"),
                    );
                }
                currency
            };
            let (from, to) = (currency(columns[0]), currency(columns[1]));
            let rate = row.required(columns[2], findings).and_then(|text| {
                ExchangeRate::parse(text)
                    .map_err(|error| {
                        findings.push(
                            Finding::error(
                                "exchange.rate_malformed",
                                format!("`{text}` is not an exchange rate: {error}"),
                            )
                            .at(row.label(columns[2], "not a rate"))
                            .help("write a decimal number above zero with at most twelve decimals, such as `0.7612`"),
                        );
                    })
                    .ok()
            });
            let mut bound = |column, open| match row.filled(column) {
                None => Some(open),
                Some(text) => {
                    let date = Date::parse(text);
                    if date.is_none() {
                        findings.push(
                            Finding::error("exchange.date_malformed", format!("`{text}` is not a date"))
                                .at(row.label(column, "not YYYY-MM-DD")),
                        );
                    }
                    date.map(|date| zone.start_of(date.midnight()))
                }
            };
            let (begin, end) = (bound(columns[3], Instant::MIN), bound(columns[4], Instant::MAX));
            let (Some(from), Some(to), Some(rate), Some(begin), Some(end)) = (from, to, rate, begin, end) else {
                continue;
            };
            let period = Interval { from: begin, until: end };
            if period.is_empty() {
                findings.push(
                    Finding::error("exchange.period_empty", "this rate ends before it begins")
                        .at(row.whole("never in force")),
                );
                continue;
            }
            if let Some(index) =
                rates.iter().position(|rate| rate.from == from && rate.to == to && rate.period.overlaps(period))
            {
                let first: crate::finding::table::Row<'_> = rows[index];
                findings.push(
                    Finding::error(
                        "exchange.rates_overlap",
                        format!("two rates from {from} to {to} hold at the same time"),
                    )
                    .at(row.whole("the second"))
                    .at(first.whole("the first"))
                    .help(
                        "end the first where the second begins: `until` is the first day on which it no longer holds",
                    ),
                );
            }
            rates.push(Dated { from, to, rate, period });
            rows.push(row);
        }
        Self(rates)
    }

    /// `charge` in another currency at an instant; the same charge if the currencies are one, `None` without a rate.
    #[must_use]
    pub fn convert(&self, charge: Charge, from: Currency, to: Currency, at: Instant) -> Option<Charge> {
        if from == to {
            return Some(charge);
        }
        self.0
            .iter()
            .find(|rate| rate.from == from && rate.to == to && rate.period.contains(at))
            .and_then(|rate| rate.rate.convert(charge))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_hold_from_midnight_to_midnight_and_only_one_at_a_time() {
        let london = Zone::load("Europe/London").unwrap();
        let read = |text: &str| {
            let mut findings = Findings::default();
            let rates = ExchangeRates::read(&SourceText::new("fx.csv", text), &london, &mut findings);
            (rates, findings.iter().map(|finding| finding.code).collect::<Vec<_>>())
        };
        let (rates, found) =
            read("from_currency,to_currency,rate,from,until\nUSD,GBP,0.75,,2026-10-15\nUSD,GBP,0.8,2026-10-15,\n");
        assert!(found.is_empty(), "{found:?}");
        let (usd, gbp) = (Currency::parse("USD").unwrap(), Currency::parse("GBP").unwrap());
        let at = |text| Instant::parse_rfc3339(text).unwrap();
        let dollar = Charge::parse("1").unwrap();
        let convert = |text| rates.convert(dollar, usd, gbp, at(text)).map(|charge| charge.to_string());
        // London midnight of 15 October is 23:00Z on the 14th.
        assert_eq!(convert("2026-10-14T22:59:59Z").as_deref(), Some("0.75"));
        assert_eq!(convert("2026-10-14T23:00:00Z").as_deref(), Some("0.80"));
        assert_eq!(rates.convert(dollar, gbp, usd, at("2026-10-14T23:00:00Z")), None);
        assert_eq!(rates.convert(dollar, gbp, gbp, at("2026-10-14T23:00:00Z")), Some(dollar));
        let (_, found) = read(
            "from_currency,to_currency,rate,from,until\nUSD,GBP,0.75,,\nUSD,GBP,0.8,2026-10-15,\nusd,GBP,0,1.1.26,\nUSD,EUR,1,2026-02-01,2026-01-01\n",
        );
        assert_eq!(
            found,
            [
                "exchange.rates_overlap",
                "exchange.currency_malformed",
                "exchange.rate_malformed",
                "exchange.date_malformed",
                "exchange.period_empty"
            ]
        );
    }
}
