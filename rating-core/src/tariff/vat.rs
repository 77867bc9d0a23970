//! Value added tax: `vat = { … }` of a tariff's settings.
//!
//! Which rules of rounding a country admits is its law: for Great Britain see HMRC, VAT Notice 700, section 17.5 (an
//! invoice trader may round the total VAT down to a whole penny; line by line down to 0.1p, or to the nearest 1p or 0.5p,
//! but not down to whole pence).

use super::notation;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, Label, did_you_mean};
use crate::money::{Charge, Currency, Rounding, Rule, TaxRule};
use crate::time::Date;

/// Where VAT is worked out and rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VatStage {
    /// For each call.
    Line,
    /// For a payer's month at a site, on a tariff and at a rate.
    Total,
}

/// Which day's rate applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxPoint {
    /// The day on which the call was answered.
    Answer,
    /// The last day of the month that is billed.
    MonthEnd,
}

/// The VAT of a tariff version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vat {
    /// Where it is worked out.
    pub stage: VatStage,
    /// Which day's rate applies.
    pub tax_point: TaxPoint,
    /// Whether prices include it, and how it is rounded.
    pub rule: TaxRule,
    /// Rates in millionths, each with its first day.
    rates: Box<[(Date, i64)]>,
}

const BAD: &str = "tariff.bad_vat";

impl Vat {
    /// The rate on a day, in millionths; before the first one, the first one.
    #[must_use]
    pub fn rate_on(&self, day: Date) -> i64 {
        let begun = self.rates.partition_point(|(from, _)| *from <= day);
        self.rates.get(begun.saturating_sub(1)).map_or(0, |(_, rate)| *rate)
    }

    /// Reads the table; `None` if there is none, or it cannot be used.
    pub(super) fn read(
        section: &Section,
        currency: Option<Currency>,
        begins: Option<(Date, Label)>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let table = section.table("vat", findings)?;
        let vat = Reader { table: &table, findings }.vat(currency, begins);
        table.finish(findings);
        vat
    }
}

struct Reader<'r> {
    table: &'r Section,
    findings: &'r mut Findings,
}

impl Reader<'_> {
    fn vat(&mut self, currency: Option<Currency>, begins: Option<(Date, Label)>) -> Option<Vat> {
        self.table.require("basis", self.findings);
        let basis = self.word("basis", &["exclusive", "inclusive"]);
        let stage = match self.word("stage", &["line", "total"]) {
            Some(0) => VatStage::Line,
            _ => VatStage::Total,
        };
        let tax_point = match self.word("tax_point", &["answer", "month-end"]) {
            Some(1) => TaxPoint::MonthEnd,
            _ => TaxPoint::Answer,
        };
        let regime = self.word("regime", &["GB"]);
        let rates = self.rates(begins);
        let rounding = self.rounding(currency);
        let (rounding, place) = match rounding {
            Some((rounding, place)) => (rounding?, Some(place)),
            None => (usual(stage, currency?), None),
        };
        if regime.is_some() && !is_admitted(stage, rounding) {
            let label = place.unwrap_or_else(|| self.table.label(&self.table.span(), ""));
            self.findings.push(
                Finding::warning("tariff.vat_rounding", "VAT Notice 700 does not admit this rounding of VAT")
                    .at(label)
                    .help(match stage {
                        VatStage::Line => "line by line: down to 0.1p or less, or to the nearest 1p or 0.5p or less",
                        VatStage::Total => "on the total: down or to the nearest penny, or finer",
                    }),
            );
        }
        let rule = TaxRule { inclusive: basis? == 1, rounding };
        Some(Vat { rule, stage, tax_point, rates: rates? })
    }

    fn rates(&mut self, begins: Option<(Date, Label)>) -> Option<Box<[(Date, i64)]>> {
        self.table.require("rates", self.findings);
        let mut rates: Vec<(Date, i64)> = Vec::new();
        let mut sound = true;
        for table in self.table.tables("rates", self.findings) {
            let from = table.required_text("from", self.findings);
            let rate = table.required_text("rate", self.findings);
            let date = from.as_ref().and_then(|text| {
                let date = Date::parse(&text.value);
                if date.is_none() {
                    self.bad(text, format!("`{}` is not a date", text.value), "write `2011-01-04`");
                }
                date
            });
            let share = rate.as_ref().and_then(|text| {
                let zero = text.value.trim() == "0%";
                let share = if zero { Some(0) } else { notation::percent(&text.value) };
                if share.is_none() {
                    self.bad(text, format!("`{}` is not a rate", text.value), "write `20%`; at most four decimals");
                }
                share
            });
            table.finish(self.findings);
            match (date, share) {
                (Some(date), Some(share)) => {
                    if let Some(text) = from.filter(|_| rates.last().is_some_and(|(last, _)| *last >= date)) {
                        self.bad(
                            &text,
                            "a rate begins where an earlier one does, or before".to_owned(),
                            "write the rates in the order of their days",
                        );
                        sound = false;
                    }
                    rates.push((date, share));
                }
                _ => sound = false,
            }
        }
        if let (Some((first, _)), Some((begins, label))) = (rates.first(), begins)
            && begins < *first
        {
            self.findings.push(
                Finding::error(BAD, format!("no rate of VAT is in force before {first}"))
                    .at(self.table.label(&self.table.span(), "the rates"))
                    .at(label)
                    .help("add the rate that was in force when the tariff begins"),
            );
            sound = false;
        }
        (sound && !rates.is_empty()).then(|| rates.into())
    }

    /// `None` if no rounding is named; the inner one if it is wrong.
    fn rounding(&mut self, currency: Option<Currency>) -> Option<(Option<Rounding>, Label)> {
        let table = self.table.table("rounding", self.findings)?;
        let label = self.table.label(&table.span(), "");
        let rule = table.required_text("rule", self.findings);
        let step = table.required_text("step", self.findings);
        table.finish(self.findings);
        let rule = rule.and_then(|text| {
            let rule = Rule::from_name(&text.value);
            if rule.is_none() {
                let help = format!("rules: `{}`", Rule::ALL.map(Rule::name).join("`, `"));
                self.bad(&text, format!("`{}` is not a rule of rounding", text.value), help);
            }
            rule
        });
        let step = step.zip(currency).and_then(|(text, currency)| match notation::step(&text.value, currency) {
            Ok(step) => Some(step),
            Err(fault) => {
                self.findings.push(fault.at(self.table.label(&text.span, "")));
                None
            }
        });
        Some((rule.zip(step).map(|(rule, step)| Rounding { rule, step }), label))
    }

    fn word(&mut self, key: &str, words: &[&str]) -> Option<usize> {
        let text = self.table.text(key, self.findings)?;
        let at = words.iter().position(|word| *word == text.value);
        if at.is_none() {
            let help = match did_you_mean(&text.value, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of `{}`", words.join("`, `")),
            };
            self.bad(&text, format!("`{}` is no `{key}`", text.value), help);
        }
        at
    }

    fn bad(&mut self, text: &Spanned<String>, message: String, help: impl Into<String>) {
        self.findings.push(Finding::error(BAD, message).at(self.table.label(&text.span, "")).help(help));
    }
}

/// What is usual where no rounding is named: the total to the minor unit, half up; a line not at all.
fn usual(stage: VatStage, currency: Currency) -> Rounding {
    match stage {
        VatStage::Line => Rounding::LEDGER,
        VatStage::Total => Rounding { rule: Rule::HalfUp, step: minor_unit(currency) },
    }
}

fn minor_unit(currency: Currency) -> Charge {
    Charge::from_units(10_i64.pow(crate::money::LEDGER_SCALE.saturating_sub(currency.minor_digits())))
}

/// Whether VAT Notice 700 admits a rounding.
fn is_admitted(stage: VatStage, rounding: Rounding) -> bool {
    const PENNY: i64 = 100_000_000;
    let step = rounding.step.units();
    match (stage, rounding.rule) {
        (VatStage::Line, Rule::Down) => step <= PENNY / 10,
        (VatStage::Line, Rule::HalfUp | Rule::HalfEven) => step == PENNY || step <= PENNY / 2,
        (_, Rule::Up) => false,
        (VatStage::Total, _) => step <= PENNY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::SourceText;
    use crate::money::Total;

    fn read(text: &str) -> (Option<Vat>, Vec<String>) {
        let mut findings = Findings::default();
        let section = Section::parse(&SourceText::new("r.toml", text), &mut findings);
        let begins = (Date::parse("2011-02-01").unwrap(), section.label(&(0..1), ""));
        let vat = Vat::read(&section, Currency::parse("GBP"), Some(begins), &mut findings);
        (vat, findings.iter().map(|finding| format!("{} {}", finding.place(), finding.code)).collect())
    }

    #[test]
    fn vat_is_on_top_or_a_part_by_the_rate_of_the_day() {
        const RATES: &str =
            "rates = [{ from = \"2010-01-01\", rate = \"17.5%\" }, { from = \"2011-01-04\", rate = \"20%\" }]";
        let day = |text| Date::parse(text).unwrap();
        let amount = |text| Total::from(Charge::parse(text).unwrap());
        for (basis, rounding, rate_on, net, vat) in [
            // 0.42p × 20 % = 0.084p
            ("exclusive", "{ rule = \"half-up\", step = \"0.1p\" }", "2011-01-04", "0.0042", "0.001"),
            ("exclusive", "{ rule = \"down\", step = \"0.1p\" }", "2011-01-04", "0.0042", "0.00"),
            ("exclusive", "{ rule = \"half-up\", step = \"1p\" }", "2011-01-03", "1", "0.18"), // 17.5p
            ("exclusive", "{ rule = \"down\", step = \"1p\" }", "2011-01-03", "1", "0.17"),
            ("inclusive", "{ rule = \"half-up\", step = \"1p\" }", "2026-06-01", "1.2", "0.20"), // 1.2 × 20 / 120
            ("inclusive", "{ rule = \"half-up\", step = \"1p\" }", "2026-06-01", "1", "0.17"),   // 16.67p
            ("exclusive", "{ rule = \"half-up\", step = \"1p\" }", "2026-06-01", "-1", "-0.20"), // a credit
        ] {
            let text = format!("vat = {{ basis = \"{basis}\", {RATES}, rounding = {rounding} }}\n");
            let (read, found) = read(&text);
            assert_eq!(found, [""; 0], "{text}");
            let read = read.unwrap();
            let of = read.rule.of(amount(net), read.rate_on(day(rate_on))).unwrap();
            assert_eq!(of.to_string(), vat, "{text} {rate_on} {net}");
        }
    }

    #[test]
    fn roundings_that_notice_700_does_not_admit_are_warned_of() {
        for (stage, rule, step, admitted) in [
            ("total", "down", "1p", true),
            ("total", "half-up", "1p", true),
            ("total", "up", "1p", false),
            ("total", "down", "10p", false),
            ("line", "down", "0.1p", true),
            ("line", "down", "1p", false),
            ("line", "half-up", "1p", true),
            ("line", "half-up", "0.5p", true),
            ("line", "half-up", "0.7p", false),
        ] {
            let (vat, found) = read(&format!(
                "vat = {{ basis = \"exclusive\", regime = \"GB\", stage = \"{stage}\", rates = [{{ from = \"2011-01-04\", rate = \"20%\" }}], \
                 rounding = {{ rule = \"{rule}\", step = \"{step}\" }} }}\n"
            ));
            assert!(vat.is_some());
            assert_eq!(found.is_empty(), admitted, "{stage} {rule} {step}: {found:?}");
        }
    }

    #[test]
    fn the_usual_rounding_of_a_total_is_to_the_minor_unit() {
        for (code, vat) in [("GBP", "0.25"), ("JPY", "0.00"), ("KWD", "0.247")] {
            let mut findings = Findings::default();
            let text = "vat = { basis = \"exclusive\", rates = [{ from = \"2011-01-04\", rate = \"20%\" }] }\n";
            let section = Section::parse(&SourceText::new("r.toml", text), &mut findings);
            let read = Vat::read(&section, Currency::parse(code), None, &mut findings).unwrap();
            // 1.2345 × 20 % = 0.2469
            assert_eq!(
                read.rule.of(Charge::parse("1.2345").unwrap().into(), 200_000).unwrap().to_string(),
                vat,
                "{code}"
            );
        }
    }
}
