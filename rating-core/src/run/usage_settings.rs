//! `[usage]` of `rating.toml`: what contracted voice lines cost the operator.

use super::settings::SiteSettings;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, did_you_mean};
use crate::money::{Charge, Currency, LEDGER_SCALE, PRICE_SCALE, Price, Rounding, Rule};

/// What contracted voice lines cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSettings {
    /// Lines of all sites together that cost nothing.
    pub allowance: u64,
    /// Lines of each site that cost nothing, where a site is told its charge.
    pub of_sites: Vec<Option<u64>>,
    /// Price of a line for a month.
    pub price: Price,
    /// Its currency.
    pub currency: Currency,
    /// How the charge of a day is rounded.
    pub rounding: Rounding,
}

const CODE: &str = "settings.usage_malformed";

/// Reads the table; `None` if it cannot be used.
pub(super) fn read(
    section: Section,
    sites: &[SiteSettings],
    has_services: bool,
    findings: &mut Findings,
) -> Option<UsageSettings> {
    let mut reader = Reader { section: &section, findings };
    let allowance = reader.lines("allowance");
    let amount = section.required_text("price_per_month", reader.findings);
    let amount = amount.and_then(|text| reader.amount(&text));
    let rounding = reader.rounding(amount.map(|(_, currency)| currency));
    let of_sites = reader.of_sites(sites);
    if !has_services {
        reader.findings.push(
            Finding::error(CODE, "the lines are those of the voice services, and there is no table of them")
                .at(section.label(&section.span(), "this table"))
                .help("name it in `[directory]`: `services = \"directory/services.csv\"`"),
        );
    }
    section.finish(findings);
    let (price, currency) = amount?;
    Some(UsageSettings { allowance: allowance?, of_sites, price, currency, rounding: rounding? })
}

struct Reader<'r> {
    section: &'r Section,
    findings: &'r mut Findings,
}

impl Reader<'_> {
    fn bad(&mut self, text: &Spanned<String>, message: String, help: &str) {
        self.findings.push(Finding::error(CODE, message).at(self.section.label(&text.span, "here")).help(help));
    }

    fn lines(&mut self, key: &str) -> Option<u64> {
        self.section.require(key, self.findings);
        let lines = self.section.integer(key, self.findings)?;
        count(self.section, &lines, self.findings)
    }

    /// `10.00 GBP`.
    fn amount(&mut self, text: &Spanned<String>) -> Option<(Price, Currency)> {
        let read = |text: &str| {
            let (number, code) = text.trim().split_once(' ')?;
            let price = Price::parse(number, 0).ok().filter(|price| price.units() >= 0)?;
            Some((price, Currency::parse(code.trim())?))
        };
        let amount = read(&text.value);
        if amount.is_none() {
            self.bad(text, format!("`{}` is not an amount", text.value), "write a number and a currency: `10.00 GBP`");
        }
        amount
    }

    fn rounding(&mut self, currency: Option<Currency>) -> Option<Rounding> {
        let Some(table) = self.section.table("rounding", self.findings) else {
            let digits = currency.map_or(2, Currency::minor_digits);
            let step = Charge::from_units(10_i64.pow(LEDGER_SCALE.saturating_sub(digits)));
            return Some(Rounding { rule: Rule::HalfUp, step });
        };
        let rule = table.required_text("rule", self.findings);
        let step = table.required_text("step", self.findings);
        table.finish(self.findings);
        let rule = rule.and_then(|text| {
            let rule = Rule::from_name(&text.value);
            if rule.is_none() {
                let help = match did_you_mean(&text.value, Rule::ALL.map(Rule::name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("rules: `{}`", Rule::ALL.map(Rule::name).join("`, `")),
                };
                self.bad(&text, format!("`{}` is not a rule of rounding", text.value), &help);
            }
            rule
        });
        let step = step.and_then(|text| {
            let (price, _) = self.amount(&text)?;
            let ledger = 10_i64.pow(PRICE_SCALE - LEDGER_SCALE);
            let step = Some(price.units()).filter(|units| *units > 0 && units % ledger == 0);
            if step.is_none() {
                self.bad(&text, format!("`{}` is not a step to round to", text.value), "write `0.01 GBP`");
            }
            step.map(|units| Charge::from_units(units / ledger))
        });
        Some(Rounding { rule: rule?, step: step? })
    }

    /// `[usage.sites]`: a number of lines for each site named. A lone site has the allowance of all.
    fn of_sites(&mut self, sites: &[SiteSettings]) -> Vec<Option<u64>> {
        let mut of_sites = vec![None; sites.len()];
        let Some(table) = self.section.table("sites", self.findings) else { return of_sites };
        for key in table.keys().cloned().collect::<Vec<_>>() {
            let Some(lines) = table.integer(&key.value, self.findings) else { continue };
            let lines = count(&table, &lines, self.findings);
            match sites.iter().position(|site| site.id == key.value) {
                Some(at) => of_sites[at] = lines,
                None => {
                    let near = did_you_mean(&key.value, sites.iter().map(|site| site.id.as_str()));
                    let help = near
                        .map_or_else(|| "write the id of a site".to_owned(), |near| format!("did you mean `{near}`?"));
                    self.bad(&key, format!("there is no site `{}`", key.value), &help);
                }
            }
        }
        table.finish(self.findings);
        of_sites
    }
}

fn count(section: &Section, lines: &Spanned<i64>, findings: &mut Findings) -> Option<u64> {
    let count = u64::try_from(lines.value).ok().filter(|lines| *lines <= 1_000_000_000);
    if count.is_none() {
        findings.push(
            Finding::error(CODE, format!("{} is not a number of lines", lines.value))
                .at(section.label(&lines.span, "here"))
                .help("write how many lines cost nothing; `0` if each one does"),
        );
    }
    count
}
