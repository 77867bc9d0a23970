//! Explanations: what an occupier is given shows nothing of the other side, of other holders, or of tariffs that it inherits
//! from; and what is explained is what is charged.
//!
//! In `testdata/explain/project` everything that `acme` may not read is called "canary" or costs 7.37-something.

use std::collections::BTreeMap;

use rating_core::money::Charge;
use rating_core::run::explain::{self, Audience, Explanation, Options, Sides};
use rating_core::run::storage::Disk;
use rating_core::run::{self, RunError};
use rating_core::time::Month;

use crate::support::testdata;

fn options(project: &str, audience: Audience) -> Options {
    Options { audience, ..Options::new(testdata().join(project), "") }
}

/// Every call of a project.
fn all(project: &str, audience: Audience) -> Vec<Explanation> {
    let mut found = Vec::new();
    explain::each(&Disk, &options(project, audience), &mut |explanation| {
        found.push(explanation);
        Ok(())
    })
    .unwrap();
    found
}

fn texts(explanation: &Explanation) -> [String; 2] {
    [explanation.to_string(), serde_json::to_string(explanation).unwrap()]
}

fn payer(explanation: &Explanation) -> &str {
    explanation.holder.payer.as_deref().unwrap_or("")
}

const PROJECT: &str = "explain/project";

#[test]
fn an_occupiers_explanation_has_nothing_of_the_carrier_of_neighbours_and_of_parents() {
    const WORDS: [&str; 7] = ["canary", "wholesale", "operator", "margin", "mark", "carrier", "7.37"];
    let operators: BTreeMap<String, Explanation> =
        all(PROJECT, Audience::Operator).into_iter().map(|found| (found.call.id.clone(), found)).collect();
    let mut looked_at = 0;
    for found in all(PROJECT, Audience::Occupier).iter().filter(|found| payer(found) == "acme") {
        looked_at += 1;
        let carrier = operators[&found.call.id].sides.iter().find(|side| side.side == "wholesale").unwrap();
        for text in texts(found) {
            let lower = text.to_lowercase();
            for word in WORDS {
                assert!(!lower.contains(word), "`{word}` in {text}");
            }
            // Neither what the carrier charges, nor anything on the way to it.
            let amounts = carrier.charge.iter().chain(&carrier.unrounded);
            let prices = carrier.charges.iter().flat_map(|charge| &charge.stretches).map(|stretch| &stretch.price);
            for amount in amounts.chain(prices).filter(|amount| amount.len() > 4) {
                assert!(!text.contains(amount.as_str()), "{amount} in {text}");
            }
            for figure in ["1.20", "1.35", "20%", "35%", "\"1.2\"", "× 1."] {
                assert!(!text.contains(figure), "{figure} in {text}");
            }
        }
        assert_eq!(found.sides.len(), 1);
    }
    assert_eq!(looked_at, 18);
    // The canaries are there: the operator sees them in every call.
    for found in operators.values() {
        assert!(texts(found).iter().all(|text| text.to_lowercase().contains("canary")));
    }
    // And a neighbour sees its own, and nothing of who moved in after it.
    let neighbour: Vec<Explanation> =
        all(PROJECT, Audience::Occupier).into_iter().filter(|found| payer(found) == "canary-neighbour").collect();
    assert_eq!(neighbour.iter().map(|found| found.call.id.as_str()).collect::<Vec<_>>(), ["neighbour"]);
    assert!(texts(&neighbour[0]).iter().all(|text| !text.to_lowercase().contains("acme")));
}

#[test]
fn an_occupier_is_told_the_price_of_a_mark_up_and_not_what_it_came_from() {
    let side = |call: &str, audience| {
        let options = Options { call: call.to_owned(), ..options(PROJECT, audience) };
        explain::explain(&Disk, &options).unwrap().sides.remove(0)
    };
    // The carrier: 0.97373p × 90/60 + 0.7373p = 2.197895p; and 20%: 2.637474p, rounded to 2.64p; and 1p: 3.64p, up to 4p.
    let operators = side("france", Audience::Operator);
    let mark_up = operators.charges[0].mark_up.as_ref().unwrap();
    assert_eq!((mark_up.carrier_charge.as_str(), mark_up.factor.as_str()), ("0.02197895", "1.20"));
    assert_eq!(
        (operators.charges[0].stretches_sum.as_str(), operators.charges[0].usage.as_str()),
        ("0.02637474", "0.0264")
    );
    let occupiers = side("france", Audience::Occupier);
    assert!(occupiers.charges[0].mark_up.is_none() && occupiers.charges[0].stretches.is_empty());
    assert_eq!(
        (occupiers.charges[0].stretches_sum.as_str(), occupiers.charges[0].usage.as_str()),
        ("0.0264", "0.0264")
    );
    assert_eq!((occupiers.unrounded.as_deref(), occupiers.charge.as_deref()), (Some("0.0364"), Some("0.04")));
    assert!(occupiers.candidates.iter().all(|row| row.file.is_none() && row.line.is_none()));
    // A row without a destination of its own takes the carrier's name for it, which is the carrier's.
    assert_eq!(side("japan", Audience::Operator).destination.as_deref(), Some("Canary carrier Japan"));
    assert_eq!(side("japan", Audience::Occupier).destination, None);
    // That the carrier has no price is no reason that an occupier is given.
    assert_eq!(side("no-buying-price", Audience::Operator).reason.as_deref(), Some("rating.wholesale_unpriced"));
    let occupiers = side("no-buying-price", Audience::Occupier);
    assert_eq!((occupiers.reason.as_deref(), occupiers.help), (Some("rating.price_unknown"), None));
}

#[test]
fn rows_of_a_parent_are_the_operators_to_see() {
    let find = |audience| {
        let options = Options { call: "germany".to_owned(), ..options(PROJECT, audience) };
        explain::explain(&Disk, &options).unwrap().sides.remove(0)
    };
    let keys = |side: &explain::SideView| -> Vec<(String, bool)> {
        side.candidates.iter().map(|row| (row.key.clone(), row.decides)).collect()
    };
    let operators = find(Audience::Operator);
    assert_eq!(keys(&operators), [("*".to_owned(), false), ("49".to_owned(), true)]);
    assert_eq!(operators.parts[0].tariff.as_deref(), Some("canary-standard"));
    let occupiers = find(Audience::Occupier);
    assert_eq!(keys(&occupiers), [("*".to_owned(), false)]);
    assert_eq!((occupiers.parts[0].file.as_deref(), occupiers.parts[0].tariff.as_deref()), (None, None));
    assert_eq!(occupiers.charge, operators.charge);
}

#[test]
fn what_is_explained_is_what_the_month_charges() {
    // The scenarios have allowances and volume tiers of every kind.
    let mut projects = vec!["demo".to_owned(), PROJECT.to_owned()];
    for folder in std::fs::read_dir(testdata().join("scenarios")).unwrap() {
        let folder = folder.unwrap();
        if folder.path().join("rating.toml").exists() {
            projects.push(format!("scenarios/{}", folder.file_name().to_str().unwrap()));
        }
    }
    let (mut with_allowance, mut in_the_sum) = (0, 0);
    for project in projects {
        let folder = testdata().join(&project);
        let settings = std::fs::read_to_string(folder.join("rating.toml")).unwrap();
        let month = settings
            .lines()
            .find_map(|line| line.strip_prefix("month = "))
            .map_or("2026-10", |text| text.trim_matches('"'));
        let mut explained: BTreeMap<String, i64> = BTreeMap::new();
        for found in all(&project, Audience::Occupier).iter().filter(|found| found.call.charged_at.starts_with(month)) {
            let side = &found.sides[0];
            with_allowance += usize::from(side.allowance.is_some());
            in_the_sum += usize::from(side.allowance.as_ref().is_some_and(|allowance| allowance.is_in_the_sum));
            if let (Some(charge), Some(currency)) = (&side.charge, &side.currency) {
                *explained.entry(currency.clone()).or_default() += Charge::parse(charge).unwrap().units();
            }
        }
        let mut options = run::Options::new(&folder, Month::parse(month).unwrap());
        options.dry_run = true;
        let summary = run::month(&Disk, &options, &run::Silent).unwrap();
        let charged: BTreeMap<String, i64> = summary
            .retail
            .iter()
            .map(|(currency, total)| (currency.code().to_owned(), i64::try_from(total.units()).unwrap()))
            .collect();
        assert_eq!(explained, charged, "{project}");
    }
    assert!(with_allowance > 20 && in_the_sum > 5, "{with_allowance} {in_the_sum}");
}

#[test]
fn a_call_is_found_by_its_id_or_its_record() {
    let find = |call: &str, audience: Audience| {
        explain::explain(&Disk, &Options { call: call.to_owned(), ..options(PROJECT, audience) })
    };
    let refused = |call: &str, audience| match find(call, audience) {
        Err(RunError::Usage(message)) => message,
        other => panic!("{other:?}"),
    };
    let by_id = find("capped", Audience::Operator).unwrap();
    let record = by_id.record.as_ref().unwrap();
    for separator in ['@', ':'] {
        let by_record = find(&format!("{}{separator}{}", record.file, record.offset), Audience::Operator).unwrap();
        assert_eq!(texts(&by_record), texts(&by_id));
    }
    assert!(refused("nowhere", Audience::Operator).starts_with("there is no call `nowhere`"));
    assert!(refused("cdr/2026-10.csv@1", Audience::Operator).starts_with("there is no call `cdr/2026-10.csv@1`"));
    assert_eq!(refused("nobody", Audience::Occupier), "no occupier pays for the call `nobody`");
    assert_eq!(find("nobody", Audience::Operator).unwrap().holder.reason, Some("attribution.extension_unknown"));
    let one_side = |sides| {
        let options = Options { call: "capped".to_owned(), sides, ..options(PROJECT, Audience::Operator) };
        explain::explain(&Disk, &options).unwrap().sides.iter().map(|side| side.side).collect::<Vec<_>>()
    };
    assert_eq!(one_side(Sides::Retail), ["retail"]);
    assert_eq!(one_side(Sides::Wholesale), ["wholesale"]);
    assert_eq!(one_side(Sides::Both), ["retail", "wholesale"]);
}
