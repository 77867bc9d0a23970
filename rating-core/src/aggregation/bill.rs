//! What a payer's month comes to on each tariff: the sum, its rounding, and VAT.

use std::collections::BTreeMap;

use super::PayerKey;
use crate::ids::TariffId;
use crate::money::{Currency, Rounding, TaxRule, Total};
use crate::rating::{CallRow, Outcome};

/// Whose calls, on which tariff, at which rate of VAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct BillKey {
    payer: PayerKey,
    currency: Currency,
    tariff: TariffId,
    /// Millionths; `None` where the tariff knows no VAT.
    rate: Option<i64>,
}

/// What these calls come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct BillSums {
    calls: u64,
    charges: Total,
    /// Of the calls one by one.
    vat: Total,
    /// The latest version of the tariff that priced one of them: its rules round.
    version: u16,
}

/// How a version of a tariff makes a bill.
#[derive(Clone, Copy, Debug, Default)]
pub struct BillRules {
    /// Rounding of the sum.
    pub rounding: Option<Rounding>,
    /// VAT.
    pub tax: Option<BillTax>,
}

/// How VAT comes onto a bill.
#[derive(Clone, Copy, Debug)]
pub struct BillTax {
    /// How it comes out of an amount.
    pub rule: TaxRule,
    /// Whether it was worked out call by call.
    pub by_line: bool,
}

/// The bills of all payers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bills(BTreeMap<BillKey, BillSums>);

/// What a line of a bill is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillKind {
    /// Calls on a tariff at a rate of VAT.
    Calls,
    /// What rounding the sum of a tariff changes.
    Rounding,
    /// All lines in one currency.
    Total,
}

/// One line of a bill; net and VAT together are gross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// Whose.
    pub payer: PayerKey,
    /// What for.
    pub kind: BillKind,
    /// The tariff; `None` in a total.
    pub tariff: Option<TariffId>,
    /// Rate of VAT in millionths, where there is one.
    pub rate: Option<i64>,
    /// How many calls.
    pub calls: u64,
    /// Without VAT.
    pub net: Total,
    /// VAT.
    pub vat: Total,
    /// With VAT.
    pub gross: Total,
    /// Currency of all.
    pub currency: Currency,
}

impl Bills {
    /// Adds a call, if its payer is charged for it. The rate is that of its tax point; its own VAT is in the row, if it is
    /// worked out call by call.
    pub fn add(&mut self, row: &CallRow<'_>, rate: Option<i64>) {
        let (Outcome::Rated(priced), Some(tariff)) = (&row.retail.outcome, row.retail.tariff) else { return };
        let payer = PayerKey { site: row.site, payer: row.payer };
        let currency = row.retail.currency.unwrap_or(Currency::NONE);
        let sums = self.0.entry(BillKey { payer, currency, tariff, rate }).or_default();
        sums.calls += 1;
        sums.charges.add(priced.charge);
        if let Some(vat) = row.vat {
            sums.vat.add(vat);
        }
        sums.version = sums.version.max(row.retail.version);
    }

    /// The sums of both.
    pub fn merge(&mut self, other: Self) {
        for (key, sums) in other.0 {
            let own = self.0.entry(key).or_default();
            own.calls += sums.calls;
            own.charges = own.charges.plus(sums.charges);
            own.vat = own.vat.plus(sums.vat);
            own.version = own.version.max(sums.version);
        }
    }

    /// The sum of all charges in a currency, which must be that of all rated calls.
    #[must_use]
    pub fn charges(&self, currency: Currency) -> Total {
        let of = self.0.iter().filter(|(key, _)| key.currency == currency);
        of.fold(Total::ZERO, |sum, (_, sums)| sum.plus(sums.charges))
    }

    /// The lines of every bill, payer after payer, each with its total last. `rules` are those of a tariff's version.
    /// `None` if an amount is more than can be kept.
    #[must_use]
    pub fn lines(&self, rules: impl Fn(TariffId, u16) -> BillRules) -> Option<Vec<BillLine>> {
        let mut lines = Vec::new();
        let keys: Vec<(&BillKey, &BillSums)> = self.0.iter().collect();
        for bill in keys.chunk_by(|(one, _), (other, _)| (one.payer, one.currency) == (other.payer, other.currency)) {
            let begin = lines.len();
            for tariff in bill.chunk_by(|(one, _), (other, _)| one.tariff == other.tariff) {
                of_tariff(tariff, &rules, &mut lines)?;
            }
            let Some((key, _)) = bill.first() else { continue };
            let mut total = BillLine {
                payer: key.payer,
                kind: BillKind::Total,
                tariff: None,
                rate: None,
                calls: 0,
                net: Total::ZERO,
                vat: Total::ZERO,
                gross: Total::ZERO,
                currency: key.currency,
            };
            for line in lines.iter().skip(begin) {
                let line: &BillLine = line;
                total.calls += line.calls;
                total.net = total.net.plus(line.net);
                total.vat = total.vat.plus(line.vat);
                total.gross = total.gross.plus(line.gross);
            }
            lines.push(total);
        }
        Some(lines)
    }
}

/// The lines of one tariff. What its rounding changes is taxed with the calls at the highest rate, which comes last.
fn of_tariff(
    sums: &[(&BillKey, &BillSums)],
    rules: &impl Fn(TariffId, u16) -> BillRules,
    lines: &mut Vec<BillLine>,
) -> Option<()> {
    let Some((last, _)) = sums.last() else { return Some(()) };
    let version = sums.iter().map(|(_, sums)| sums.version).max().unwrap_or(0);
    let charges = sums.iter().fold(Total::ZERO, |sum, (_, sums)| sum.plus(sums.charges));
    let remainder = match rules(last.tariff, version).rounding {
        Some(rounding) => Total::from(charges.round(rounding)?).minus(charges),
        None => Total::ZERO,
    };
    let mut inclusive = false;
    for (at, (key, of_rate)) in (1..).zip(sums) {
        let tax = rules(key.tariff, of_rate.version).tax.zip(key.rate);
        let taxed = if at == sums.len() { of_rate.charges.plus(remainder) } else { of_rate.charges };
        let vat = match tax {
            None => Total::ZERO,
            Some((tax, _)) if tax.by_line => of_rate.vat,
            Some((tax, rate)) => Total::from(tax.rule.of(taxed, rate)?),
        };
        inclusive = tax.is_some_and(|(tax, _)| tax.rule.inclusive);
        let (net, gross) = split(of_rate.charges, vat, inclusive);
        lines.push(BillLine {
            payer: key.payer,
            kind: BillKind::Calls,
            tariff: Some(key.tariff),
            rate: key.rate,
            calls: of_rate.calls,
            net,
            vat,
            gross,
            currency: key.currency,
        });
    }
    if remainder != Total::ZERO {
        let (net, gross) = split(remainder, Total::ZERO, inclusive);
        lines.push(BillLine {
            payer: last.payer,
            kind: BillKind::Rounding,
            tariff: Some(last.tariff),
            rate: last.rate,
            calls: 0,
            net,
            vat: Total::ZERO,
            gross,
            currency: last.currency,
        });
    }
    Some(())
}

/// Net and gross of an amount that includes its VAT, or does not.
fn split(amount: Total, vat: Total, inclusive: bool) -> (Total, Total) {
    if inclusive { (amount.minus(vat), amount) } else { (amount, amount.plus(vat)) }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::call;
    use super::*;
    use crate::money::{Charge, Rule};

    fn step(text: &str, rule: Rule) -> Rounding {
        Rounding { rule, step: Charge::parse(text).unwrap() }
    }

    /// Net, VAT, gross of each line for calls of these charges and rates.
    fn lines(calls: &[(&str, Option<i64>)], rules: BillRules) -> Vec<(BillKind, String)> {
        let mut bills = Bills::default();
        for (charge, rate) in calls {
            let mut row = call();
            let Outcome::Rated(priced) = &mut row.retail.outcome else { panic!("rated") };
            priced.charge = Charge::parse(charge).unwrap();
            row.vat = rules.tax.filter(|tax| tax.by_line).and_then(|tax| tax.rule.of(priced.charge.into(), (*rate)?));
            let mut other = Bills::default();
            other.add(&row, *rate);
            bills.merge(other);
        }
        let of = |line: &BillLine| format!("{} + {} = {}", line.net, line.vat, line.gross);
        bills.lines(|_, _| rules).unwrap().iter().map(|line| (line.kind, of(line))).collect()
    }

    #[test]
    fn what_rounding_changes_is_a_line_and_taxed_with_the_rest() {
        let rounding = Some(step("0.01", Rule::HalfUp));
        let tax = |inclusive, by_line, text| BillTax {
            rule: TaxRule { inclusive, rounding: step(text, Rule::HalfUp) },
            by_line,
        };
        let line = |kind, text: &str| (kind, text.to_owned());
        // 0.106 is rounded to 0.11; 20 % of 0.11 are 0.022, 2p.
        assert_eq!(
            lines(
                &[("0.1", Some(200_000)), ("0.006", Some(200_000))],
                BillRules { rounding, tax: Some(tax(false, false, "0.01")) }
            ),
            [
                line(BillKind::Calls, "0.106 + 0.02 = 0.126"),
                line(BillKind::Rounding, "0.004 + 0.00 = 0.004"),
                line(BillKind::Total, "0.11 + 0.02 = 0.13"),
            ]
        );
        // Included, call by call, to 0.1p: 0.1 / 6 = 1.7p, 0.006 / 6 = 0.1p.
        assert_eq!(
            lines(
                &[("0.1", Some(200_000)), ("0.006", Some(200_000))],
                BillRules { rounding: None, tax: Some(tax(true, true, "0.001")) }
            ),
            [line(BillKind::Calls, "0.088 + 0.018 = 0.106"), line(BillKind::Total, "0.088 + 0.018 = 0.106")]
        );
        // Two rates: 15 % of 1 and 17.5 % of 1.
        assert_eq!(
            lines(
                &[("1", Some(150_000)), ("1", Some(175_000))],
                BillRules { rounding, tax: Some(tax(false, false, "0.01")) }
            ),
            [
                line(BillKind::Calls, "1.00 + 0.15 = 1.15"),
                line(BillKind::Calls, "1.00 + 0.18 = 1.18"),
                line(BillKind::Total, "2.00 + 0.33 = 2.33"),
            ]
        );
        assert_eq!(
            lines(&[("0.1", None)], BillRules::default()),
            [line(BillKind::Calls, "0.10 + 0.00 = 0.10"), line(BillKind::Total, "0.10 + 0.00 = 0.10")]
        );
    }

    #[test]
    fn a_hundred_calls_of_042p_are_42p_or_nothing() {
        let total = |charge: &str, rounding| {
            let calls = vec![(charge, None); 100];
            lines(&calls, BillRules { rounding, tax: None }).pop().unwrap().1
        };
        // Rounded once, on the bill: 100 × 0.42p. Rounded call by call to the penny, each is 0.
        assert_eq!(total("0.0042", Some(step("0.01", Rule::HalfUp))), "0.42 + 0.00 = 0.42");
        assert_eq!(total("0.00", None), "0.00 + 0.00 = 0.00");
    }
}
