//! The figures of a month at a site, as tables and the charts beside them.

use std::cmp::Reverse;

use super::{Ground, amounts, asking, clock, decimals, padded};
use crate::portal::chart::{self, Bar, Columns, DAYS, Heat, Hour};
use crate::portal::words;
use crate::publish::decimal::units;
use crate::wire::charges::{Allowance, Call, MonthOfSpend, OfHour, SiteOfCharges, Sums};

/// A row of a table of sums.
pub(super) struct Row {
    /// What it is of.
    pub(super) name: String,
    /// More about that.
    pub(super) beside: String,
    /// Where its calls are one by one, if they are shown.
    pub(super) address: String,
    /// The sums.
    pub(super) sums: Sums,
    /// How long its bar is.
    pub(super) width: String,
    /// Decimals of its amounts.
    pub(super) decimals: usize,
}

impl Row {
    pub(super) fn time(&self) -> String {
        clock(&self.sums.duration_s)
    }

    pub(super) fn cost(&self) -> String {
        amounts(&self.sums.charge, self.decimals)
    }
}

/// An amount to draw and to compare by; what is none counts as nothing.
fn size(amount: &str) -> i128 {
    units(amount).unwrap_or_default()
}

/// What sums are compared by: what they cost in their first currency.
fn weight(sums: &Sums) -> i128 {
    sums.charge.values().next().map_or(0, |amount| size(amount))
}

/// Rows, the dearest first, with their bars.
fn ranked(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| Reverse((weight(&row.sums), row.sums.calls)));
    let most = rows.first().map_or(0, |row| weight(&row.sums));
    for row in &mut rows {
        row.width = chart::share(weight(&row.sums), most);
    }
    rows
}

/// A month's charges at a site.
pub(super) struct AtSite {
    pub(super) of: SiteOfCharges,
    pub(super) destinations: Vec<Row>,
    pub(super) extensions: Vec<Row>,
    pub(super) heat: Option<Heat>,
    pub(super) hours: Vec<(String, Vec<u64>)>,
    /// Decimals of its amounts.
    pub(super) decimals: usize,
}

/// Rows of extensions that stand in sight; the others can be opened.
pub(super) const IN_SIGHT: usize = 20;

impl AtSite {
    pub(super) fn new(ground: &Ground, month: &str, of: SiteOfCharges, is_itemised: bool) -> Self {
        let calls = |name: &str, value: &str| {
            let asked = [("month", month), ("site", of.state.site.as_str()), (name, value)];
            if is_itemised && !value.is_empty() { asking(&ground.calls(), &asked) } else { String::new() }
        };
        let listed = of.destinations.iter().flatten().map(|row| &row.sums);
        let listed = listed.chain(of.extensions.iter().flatten().map(|row| &row.sums)).chain(&of.total);
        let largest = of.dearest.iter().chain(&of.longest).flatten().filter_map(|call| call.cost.as_ref());
        let decimals = decimals(listed.flat_map(|sums| sums.charge.values()).chain(largest));
        let destinations = of.destinations.iter().flatten().map(|row| Row {
            name: row.destination.clone(),
            beside: String::new(),
            address: calls("destination", &row.destination),
            sums: row.sums.clone(),
            width: String::new(),
            decimals,
        });
        let extensions = of.extensions.iter().flatten().map(|row| {
            let number = row.number.clone().unwrap_or_default();
            let beside = [row.label.clone(), row.number.clone().filter(|_| row.extension.is_some())];
            Row {
                name: row.extension.clone().unwrap_or(number),
                beside: beside.into_iter().flatten().collect::<Vec<_>>().join(", "),
                address: calls("extension", row.extension.as_deref().unwrap_or_default()),
                sums: row.sums.clone(),
                width: String::new(),
                decimals,
            }
        });
        let (destinations, extensions) = (ranked(destinations.collect()), ranked(extensions.collect()));
        let name = format!("Charged calls by hour of the week at {}", of.state.site_name);
        let heat = of.hours.as_ref().filter(|hours| !hours.is_empty());
        let heat = heat.map(|hours| chart::heat(&name, hours.iter().map(hour).collect()));
        let hours = of.hours.as_deref().map(by_hour).unwrap_or_default();
        Self { destinations, extensions, heat, hours, decimals, of }
    }

    pub(super) fn time(&self) -> String {
        self.of.total.as_ref().map(|total| clock(&total.duration_s)).unwrap_or_default()
    }

    pub(super) fn billed(&self) -> String {
        self.of.total.as_ref().map(|total| clock(&total.billed_duration_s)).unwrap_or_default()
    }

    pub(super) fn cost(&self) -> String {
        self.of.total.as_ref().map(|total| amounts(&total.charge, self.decimals)).unwrap_or_default()
    }

    pub(super) fn vat(&self) -> String {
        let vat = self.of.total.as_ref().map(|total| &total.vat).filter(|vat| !vat.is_empty());
        vat.map(|vat| amounts(vat, self.decimals)).unwrap_or_default()
    }

    /// Extensions in sight, and whether there are more.
    pub(super) fn first_extensions(&self) -> (&[Row], &[Row]) {
        self.extensions.split_at_checked(IN_SIGHT).unwrap_or((&self.extensions, &[]))
    }
}

fn hour(of: &OfHour) -> Hour {
    let day = DAYS.get(usize::from(of.weekday).saturating_sub(1)).copied().unwrap_or_default();
    let figure = format!("{day} {:02}:00: {}", of.hour, words::count(of.sums.calls, "call", "calls"));
    Hour { weekday: of.weekday, hour: of.hour, figure, size: i128::from(of.sums.calls) }
}

/// Calls by hour of the day, one figure for each day of the week; hours without any call left out.
fn by_hour(hours: &[OfHour]) -> Vec<(String, Vec<u64>)> {
    let of = |hour: u8| -> Vec<u64> {
        let at = |weekday: u8| hours.iter().filter(move |of| of.hour == hour && of.weekday == weekday);
        (1..=7).map(|weekday| at(weekday).map(|of| of.sums.calls).sum()).collect()
    };
    let all = (0..24).map(|hour| (format!("{hour:02}:00"), of(hour)));
    all.filter(|(_, calls)| calls.iter().any(|calls| *calls > 0)).collect()
}

/// A month among others.
pub(super) struct Spent {
    pub(super) month: String,
    pub(super) address: String,
    pub(super) is_here: bool,
    pub(super) is_provisional: bool,
    pub(super) total: Option<Sums>,
    /// Why there is none.
    pub(super) missing: &'static str,
    decimals: usize,
}

impl Spent {
    pub(super) fn name(&self) -> String {
        words::month(&self.month)
    }

    pub(super) fn cost(&self) -> String {
        self.total.as_ref().map(|total| amounts(&total.charge, self.decimals)).unwrap_or_default()
    }

    pub(super) fn time(&self) -> String {
        self.total.as_ref().map(|total| clock(&total.duration_s)).unwrap_or_default()
    }
}

/// Months at a site, or at all of them.
pub(super) fn spent(ground: &Ground, months: &[MonthOfSpend], site: &str, here: &str) -> Vec<Spent> {
    let of = |month: &MonthOfSpend| {
        let at = month.sites.iter().find(|found| found.state.site == site);
        let total = if site.is_empty() { month.total.clone() } else { at.and_then(|found| found.total.clone()) };
        let state = at.or_else(|| month.sites.first()).map(|found| &found.state);
        Spent {
            address: asking(&ground.charges(), &[("month", &month.month), ("site", site)]),
            month: month.month.clone(),
            is_here: month.month == here,
            is_provisional: at.map_or(month.provisional, |found| found.state.provisional),
            missing: super::why_briefly(state.and_then(|state| state.reason.as_deref())),
            total,
            decimals: 2,
        }
    };
    let months = months.iter().map(of);
    // What lies before the first month that is there tells nothing.
    let mut spent: Vec<Spent> = months.skip_while(|month| month.total.is_none() && !month.is_here).collect();
    let totals = spent.iter().filter_map(|month| month.total.as_ref());
    let most = decimals(totals.flat_map(|total| total.charge.values()));
    spent.iter_mut().for_each(|month| month.decimals = most);
    spent
}

/// A chart of months for each currency that there is.
pub(super) fn columns(spent: &[Spent]) -> Vec<Columns> {
    let totals = spent.iter().filter_map(|month| month.total.as_ref());
    let mut currencies: Vec<&String> = totals.flat_map(|total| total.charge.keys()).collect();
    currencies.sort();
    currencies.dedup();
    currencies.into_iter().map(|currency| of_currency(spent, currency)).collect()
}

fn of_currency(spent: &[Spent], currency: &str) -> Columns {
    let amount = |month: &Spent| month.total.as_ref().and_then(|total| total.charge.get(currency)).cloned();
    let bars = spent.iter().enumerate().map(|(index, month)| {
        let figure = match amount(month) {
            Some(amount) => words::money(&padded(&amount, month.decimals), currency),
            None if month.total.is_some() => words::money(&padded("0", month.decimals), currency),
            None => month.missing.to_owned(),
        };
        let short = words::short_month(&month.month);
        let (label, year) = short.split_once(' ').unwrap_or((&short, ""));
        let begins = index == 0 || month.month.ends_with("-01");
        Bar {
            label: label.to_owned(),
            under: if begins { format!("’{year}") } else { String::new() },
            figure: format!("{}: {figure}", month.name()),
            size: amount(month).map_or(0, |amount| size(&amount)),
            is_provisional: month.is_provisional,
        }
    });
    let bars: Vec<Bar> = bars.collect();
    let highest = spent.iter().filter_map(amount).max_by_key(|amount| size(amount));
    let decimals = spent.first().map_or(2, |month| month.decimals);
    let most = words::money(&padded(highest.as_deref().unwrap_or("0"), decimals), currency);
    chart::columns(&format!("Spend by month in {currency}, at most {most}; the table has the figures"), &most, bars)
}

/// A call of a short list.
pub(super) struct Large {
    pub(super) call: Call,
    pub(super) address: String,
    decimals: usize,
}

impl Large {
    pub(super) fn list(ground: &Ground, month: &str, calls: Option<&Vec<Call>>, decimals: usize) -> Vec<Self> {
        let one = |call: &Call| Self { address: ground.call(month, &call.id), call: call.clone(), decimals };
        calls.into_iter().flatten().map(one).collect()
    }

    pub(super) fn at(&self) -> String {
        super::calls::instant(&self.call.charged_at)
    }

    pub(super) fn to(&self) -> String {
        super::calls::other_end(&self.call)
    }

    pub(super) fn time(&self) -> String {
        clock(&self.call.duration_s)
    }

    pub(super) fn cost(&self) -> String {
        super::calls::cost(&self.call, self.decimals)
    }
}

/// What an allowance grants, used or has left: seconds as a clock, calls, money.
pub(super) fn of_allowance(allowance: &Allowance, what: &str) -> String {
    let units = match what {
        "granted" => &allowance.granted,
        "carried" => &allowance.carried,
        "used" => &allowance.used,
        _ => &allowance.left,
    };
    let currency = allowance.currency.as_deref().unwrap_or_default();
    let one = |(unit, amount): (&String, &String)| match unit.as_str() {
        "s" => clock(amount),
        "money" => words::money(amount, currency),
        _ => words::count(amount, "call", "calls"),
    };
    units.iter().map(one).collect::<Vec<_>>().join(", ")
}
