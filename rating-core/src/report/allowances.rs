//! Allowances and volume tiers: what was granted, carried over, used and left; and what the next month must know.

use std::sync::{Arc, LazyLock};

use super::batch::{Batch, ColumnSpec, Schema, Totals, table};
use super::cells::Column;
use super::column;
use super::names::Names;
use crate::aggregation::Elapsed;
use crate::ids::SiteId;
use crate::money::Total;
use crate::number::NumberClass;
use crate::rating::allowance::{Account, AccountKey, Balance, Counts, Member, Owner};

table! {
    /// How the accounts of a month stand.
    AllowanceColumns {
        site: Name,
        client_id: Name,
        group: Text,
        allowance: Text required,
        kind: Word required,
        line: Number,
        period_from: Text required,
        period_until: Text required,
        granted_s: Seconds,
        granted_calls: Integer,
        granted_money: Amount,
        carried_s: Seconds,
        carried_calls: Integer,
        carried_money: Amount,
        used_s: Seconds,
        used_calls: Integer,
        used_money: Amount,
        left_s: Seconds,
        left_calls: Integer,
        left_money: Amount,
        calls: Integer required,
        saved: Amount required,
        currency: Word,
        status: Word required,
    }
}

static ALLOWANCE_SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    Arc::new(Schema { name: "allowances", columns: AllowanceColumns::COLUMNS.to_vec(), totals: Totals::None })
});

/// Who reads a table of allowances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowanceReader {
    /// A payer at a site: of what a group shares, what it used itself in the month.
    Payer(Member),
    /// The operator, at one site: the accounts of the payers there.
    Site(SiteId),
    /// The operator: all accounts.
    Operator,
}

impl AllowanceReader {
    fn is_shown(self, account: &Account) -> bool {
        match (self, &account.key.owner) {
            (Self::Operator, _) => true,
            (Self::Site(site), Owner::Member(member)) => member.site == site,
            (Self::Site(_), Owner::Group(_)) => false,
            (Self::Payer(reader), Owner::Member(member)) => *member == reader,
            (Self::Payer(reader), Owner::Group(_)) => account.shares.contains_key(&reader),
        }
    }
}

fn text(text: &str) -> Option<&[u8]> {
    Some(text.as_bytes()).filter(|text| !text.is_empty())
}

fn count(count: i128) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// How the accounts stand: one row for each account that the reader is shown, in the order of their keys. `schemes` are
/// the names and kinds (`allowance`, `volume`) of the schemes, in order.
///
/// Amounts of a resource that is not granted are null. `calls` and `saved` are of the month alone; everything else is of
/// the period, whose last day is the one before `period_until`. The status `charged in full` says that the period was
/// crossed and all of it is charged.
#[must_use]
pub fn allowances(
    accounts: &[Account],
    schemes: &[(String, &'static str)],
    names: &Names,
    reader: AllowanceReader,
) -> Batch {
    let mut columns = AllowanceColumns {
        site: column::Name::of(&names.sites),
        client_id: column::Name::of(&names.payer_ids),
        ..AllowanceColumns::default()
    };
    for account in accounts.iter().filter(|account| reader.is_shown(account)) {
        columns.push(account, schemes, reader);
    }
    Batch::new(ALLOWANCE_SCHEMA.clone(), columns.into_columns(), 0)
}

impl AllowanceColumns {
    fn push(&mut self, account: &Account, schemes: &[(String, &'static str)], reader: AllowanceReader) {
        let key = &account.key;
        let (name, kind) = schemes.get(key.scheme as usize).map_or(("", "allowance"), |(name, kind)| (name, *kind));
        let (member, group) = match (&key.owner, reader) {
            (Owner::Member(member), _) => (Some(*member), ""),
            (Owner::Group(group), AllowanceReader::Payer(reader)) => (Some(reader), &**group),
            (Owner::Group(group), _) => (None, &**group),
        };
        let own = match reader {
            AllowanceReader::Payer(reader) => account.shares.get(&reader).copied().unwrap_or_default(),
            _ => account.shares.values().fold(crate::rating::allowance::Taken::default(), |sum, share| {
                crate::rating::allowance::Taken {
                    counts: sum.counts.plus(share.counts),
                    saved: sum.saved + share.saved,
                }
            }),
        };
        let used = if group.is_empty() || reader == AllowanceReader::Operator { account.used } else { own.counts };
        let is_allowance = kind == "allowance";
        self.site.push(member.map(|member| member.site.0));
        self.client_id.push(member.map(|member| member.payer.0));
        self.group.push(text(group));
        self.allowance.push(Some(name.as_bytes()));
        self.kind.push(Some(kind));
        self.line.push_text(text(&key.line));
        self.period_from.push(Some(key.from.to_string().as_bytes()));
        self.period_until.push(Some(account.until.to_string().as_bytes()));
        let [time, calls, money] = account.limited;
        let shown = |shown: bool, counts: Counts| {
            (
                (shown && time).then(|| Elapsed::from_millis(counts.time)),
                (shown && calls).then(|| count(counts.calls)),
                (shown && money).then(|| Total::from_units(counts.money)),
            )
        };
        let (seconds, calls, money) = shown(is_allowance, account.granted);
        self.granted_s.push(seconds);
        self.granted_calls.push(calls);
        self.granted_money.push(money);
        let (seconds, calls, money) = shown(is_allowance, account.carried);
        self.carried_s.push(seconds);
        self.carried_calls.push(calls);
        self.carried_money.push(money);
        let (seconds, calls, money) = shown(true, used);
        self.used_s.push(seconds);
        self.used_calls.push(calls);
        self.used_money.push(money);
        let (seconds, calls, money) = shown(is_allowance, account.left());
        self.left_s.push(seconds);
        self.left_calls.push(calls);
        self.left_money.push(money);
        self.calls.push(Some(count(own.counts.calls)));
        self.saved.push(Some(Total::from_units(own.saved)));
        self.currency.push_currency(account.currency);
        self.status.push(Some(if account.broken { "charged in full" } else { "in force" }));
    }
}

table! {
    /// What the next month must know.
    BalanceColumns {
        as_of: Text required,
        allowance: Text required,
        site: Name,
        client_id: Name,
        group: Text,
        line: Number,
        period_from: Text required,
        carried_s: Seconds required,
        carried_calls: Integer required,
        carried_money: Amount required,
        used_s: Seconds required,
        used_calls: Integer required,
        used_money: Amount required,
        used_by_class: Text,
    }
}

static BALANCE_SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    Arc::new(Schema { name: "allowance_balances", columns: BalanceColumns::COLUMNS.to_vec(), totals: Totals::None })
});

/// One line of the balances.
#[derive(Clone, Copy, Debug)]
pub struct BalanceLine<'a> {
    /// The first day of the next month.
    pub as_of: &'a str,
    /// The allowance.
    pub allowance: &'a str,
    /// The account.
    pub key: &'a AccountKey,
    /// How it stands.
    pub balance: &'a Balance,
}

/// What a month closes with, and the next one opens with.
#[must_use]
pub fn allowance_balances(lines: &[BalanceLine<'_>], names: &Names) -> Batch {
    let mut columns = BalanceColumns {
        site: column::Name::of(&names.sites),
        client_id: column::Name::of(&names.payer_ids),
        ..BalanceColumns::default()
    };
    for line in lines {
        let (member, group) = match &line.key.owner {
            Owner::Member(member) => (Some(*member), ""),
            Owner::Group(group) => (None, &**group),
        };
        columns.as_of.push(Some(line.as_of.as_bytes()));
        columns.allowance.push(Some(line.allowance.as_bytes()));
        columns.site.push(member.map(|member| member.site.0));
        columns.client_id.push(member.map(|member| member.payer.0));
        columns.group.push(text(group));
        columns.line.push_text(text(&line.key.line));
        columns.period_from.push(Some(line.key.from.to_string().as_bytes()));
        let Balance { carried, used, by_class } = line.balance;
        columns.carried_s.push(Some(Elapsed::from_millis(carried.time)));
        columns.carried_calls.push(Some(count(carried.calls)));
        columns.carried_money.push(Some(Total::from_units(carried.money)));
        columns.used_s.push(Some(Elapsed::from_millis(used.time)));
        columns.used_calls.push(Some(count(used.calls)));
        columns.used_money.push(Some(Total::from_units(used.money)));
        let words: Vec<String> =
            by_class.iter().map(|(class, used)| format!("{}={used}", NumberClass::name(*class))).collect();
        columns.used_by_class.push(text(&words.join(";")));
    }
    Batch::new(BALANCE_SCHEMA.clone(), columns.into_columns(), 0)
}
