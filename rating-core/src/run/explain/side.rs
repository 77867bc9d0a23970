//! One side of a call, explained.

use super::collect::{Collected, Kept, Part};
use super::view::{RoundingView, seconds, unless_none, unless_zero};
use super::{
    AllowanceView, Audience, CandidateView, CapView, ChargeView, EntryView, Explainer, MarkUpView, PartView, SideView,
    Sides, StepView, StretchView, SumView, TariffView, TimeView, bounds,
};
use crate::assignment::SideKind;
use crate::attribution::AttributedCall;
use crate::ids::{PayerId, TariffId};
use crate::money::{Price, Ratio, Rounding};
use crate::rating::allowance::Adjusted;
use crate::rating::{Outcome, Reason, Side, Worked, Working};
use crate::run::calls::Found;
use crate::tariff::{AfterCap, DurationRule, Lost, MinimumStage, RowView, TariffVersion};
use crate::time::Duration;

impl Explainer<'_> {
    /// The sides that were asked for, and that the audience may see.
    pub(super) fn sides(
        &self,
        found: &Found<'_>,
        call: &AttributedCall<'_, '_>,
        adjusted: Option<&Adjusted>,
    ) -> Vec<SideView> {
        let retail = self.options.audience == Audience::Occupier || self.options.sides != Sides::Wholesale;
        let wholesale = self.options.audience == Audience::Operator && self.options.sides != Sides::Retail;
        let rated = self.engine.rater().rate(*call);
        let mut sides = Vec::new();
        if retail {
            sides.push(self.side(found, call, SideKind::Retail, rated.retail, adjusted));
        }
        if wholesale {
            sides.push(self.side(found, call, SideKind::Wholesale, rated.wholesale, None));
        }
        sides
    }

    fn side(
        &self,
        found: &Found<'_>,
        call: &AttributedCall<'_, '_>,
        kind: SideKind,
        mut rated: Side,
        adjusted: Option<&Adjusted>,
    ) -> SideView {
        let covered = adjusted.map_or(Duration::ZERO, |adjusted| adjusted.covered);
        let (mut worked, mut shown) = self.work(call, kind, covered);
        // What is covered to its end costs nothing at all; and limits of money, and tiers, are not shown as a sum.
        let is_sum = worked.working.map(|working| working.charge) == adjusted.and_then(|adjusted| adjusted.charge);
        if adjusted.is_some() && !is_sum && covered > Duration::ZERO {
            (worked, shown) = self.work(call, kind, Duration::ZERO);
        }
        if let (Some(reason), SideKind::Retail) = (found.suspended, kind)
            && !matches!(rated.outcome, Outcome::NotChargeable(_))
        {
            rated.outcome = Outcome::Suspended(reason.code());
        }
        let mut side = SideView { side: kind.name(), ..SideView::default() };
        let (status, code) = match rated.outcome {
            Outcome::Rated(_) => ("rated", None),
            Outcome::NotChargeable(code) => ("not chargeable", Some(code)),
            Outcome::Suspended(code) => ("suspended", Some(code)),
        };
        (side.status, side.reason) = (status, code.map(|code| self.reason(code).to_owned()));
        // What to do is said to those who can do it.
        let help = code.map(super::super::codes::help).filter(|help| !help.is_empty() && self.is_for_operator());
        side.help = help.map(str::to_owned);
        side.tariff = self.tariff(call, &worked);
        side.candidates = self.candidates(call, &worked);
        side.currency = rated.currency.map(|currency| currency.code().to_owned());
        let Some(working) = worked.working else { return side };
        side.parts = shown.parts.iter().filter_map(|part| self.part(call, &worked, *part)).collect();
        side.charges = shown.charges.iter().filter_map(|kept| self.charge(&shown, kept)).collect();
        side.sum = self.sum(&shown, &working);
        if let Outcome::Rated(priced) = rated.outcome {
            // A row that is a mark-up may take its destination's name from the carrier's row.
            let own = || side.parts.first().map(|part| part.destination.clone()).filter(|name| !name.is_empty());
            let name = || self.project.book.destination(priced.destination).to_owned();
            side.destination = if self.is_for_operator() { Some(name()) } else { own() };
            side.unrounded = Some(working.unrounded.to_string());
            side.charge = Some(priced.charge.to_string());
        }
        if let Some(adjusted) = adjusted {
            let charge = adjusted.charge.map(|charge| charge.to_string());
            side.allowance = Some(AllowanceView {
                taken_s: adjusted.taken.map(seconds),
                covered_s: unless_none(covered),
                charge_without: side.charge.take(),
                is_in_the_sum: is_sum,
            });
            if charge.is_none() {
                (side.status, side.reason) = ("suspended", Some(Reason::ChargeOverflow.code().to_owned()));
            }
            side.charge = charge;
        }
        side
    }

    fn work<'a>(&self, call: &AttributedCall<'_, 'a>, kind: SideKind, covered: Duration) -> (Worked<'a>, Collected) {
        let mut shown = Collected::default();
        (self.engine.rater().show(call, kind, covered, &mut shown), shown)
    }

    /// A reason as the audience may read it: that there is another side is none of an occupier's business.
    fn reason(&self, code: &'static str) -> &'static str {
        let of_carrier =
            [Reason::WholesaleUnpriced, Reason::WholesaleCurrency].iter().any(|reason| reason.code() == code);
        if of_carrier && !self.is_for_operator() { Reason::PriceUnknown.code() } else { code }
    }

    fn version(&self, tariff: TariffId, version: u16) -> Option<&TariffVersion> {
        self.project.book.tariff(tariff)?.versions().get(usize::from(version))
    }

    fn tariff_id(&self, tariff: TariffId) -> String {
        self.project.book.tariff(tariff).map(|tariff| tariff.id().to_owned()).unwrap_or_default()
    }

    /// Whether the audience may see where a row stands: an occupier the rows of its own tariff, unless they are marked up.
    fn may_see(&self, worked: &Worked<'_>, tariff: TariffId, version: &TariffVersion, row: u32) -> bool {
        let marked_up = || version.cost(row).is_some_and(|cost| cost.markup().is_some());
        self.is_for_operator() || (worked.assigned == Some(tariff) && !marked_up())
    }

    fn tariff(&self, call: &AttributedCall<'_, '_>, worked: &Worked<'_>) -> Option<TariffView> {
        worked.query?;
        let assigned = worked.assigned?;
        let mut view = TariffView { id: self.tariff_id(assigned), ..TariffView::default() };
        let at = call.call.charging_at;
        if let Some((_, version)) = self.project.book.tariff(assigned)?.version_at(at, worked.site) {
            view.name = Some(version.name().to_owned());
            view.file = self.is_for_operator().then(|| version.file().to_owned());
            (view.from, view.until) = bounds(version.in_force(worked.site), version.zone(worked.site));
        }
        Some(view)
    }

    fn candidates(&self, call: &AttributedCall<'_, '_>, worked: &Worked<'_>) -> Vec<CandidateView> {
        let (Some(query), Some(assigned)) = (&worked.query, worked.assigned) else { return Vec::new() };
        // The operator's own calls have no payer's side, whatever tariff is assigned to everybody.
        let own = call.holder.is_ok_and(|holder| holder.payer == PayerId::OPERATOR);
        if own && worked.side.tariff.is_none() {
            return Vec::new();
        }
        let at = call.call.charging_at;
        let found = self.project.book.candidates(assigned, query, at, worked.site);
        let view = |(tariff, index, candidate): (TariffId, u16, crate::tariff::Candidate)| {
            if !self.is_for_operator() && tariff != assigned {
                return None;
            }
            let version = self.version(tariff, index)?;
            let row = version.row(candidate.row, worked.site)?;
            let seen = self.may_see(worked, tariff, version, candidate.row);
            let conditions = version.conditions_of(candidate.row).filter(|_| self.is_for_operator());
            let (from, until) = bounds(row.valid, version.zone(worked.site));
            Some(CandidateView {
                decides: candidate.lost.is_none(),
                because: candidate.lost.map(|lost| self.why(lost, call)),
                key: row.key.to_string(),
                destination: self.project.book.destination(row.destination).to_owned(),
                conditions: conditions.map(|(column, text)| (column.to_owned(), text.to_owned())).collect(),
                from,
                until,
                status: status(&row),
                tariff: self.is_for_operator().then(|| self.tariff_id(tariff)),
                file: seen.then(|| row.file.to_owned()),
                line: seen.then_some(row.line),
            })
        };
        found.into_iter().filter_map(view).collect()
    }

    /// Why a row does not price the call.
    fn why(&self, lost: Lost, call: &AttributedCall<'_, '_>) -> String {
        let for_operator = self.is_for_operator();
        match lost {
            Lost::NotValid => "it did not apply when the call was answered".to_owned(),
            Lost::Condition(column) if for_operator => format!("what it asks for in `{column}` does not hold"),
            Lost::Condition(_) => "what else it asks for does not hold".to_owned(),
            Lost::ProtectedClass => {
                let class = call.call.called_class.0.name();
                format!("it is too short to be meant for {class} numbers, and does not name them")
            }
            Lost::LessSpecificKey => "a row with a more specific key decides".to_owned(),
            Lost::Inherited if for_operator => {
                "a tariff that inherits from this one has a row for the same key".to_owned()
            }
            Lost::LessSpecific(column) if for_operator => {
                format!("another row for the same key says more in `{column}`")
            }
            Lost::Inherited | Lost::LessSpecific(_) | Lost::SecondOfTwo => {
                "another row for the same key decides".to_owned()
            }
        }
    }

    fn part(&self, call: &AttributedCall<'_, '_>, worked: &Worked<'_>, part: Part) -> Option<PartView> {
        let version = self.version(part.tariff, part.version)?;
        let row = version.row(part.row, worked.site)?;
        let seen = self.may_see(worked, part.tariff, version, part.row);
        let at = call.call.charging_at;
        let zone = version.zone_for(worked.site, worked.caller)?;
        let set = version.band_set(part.row);
        Some(PartView {
            from_s: seconds(part.from),
            key: row.key.to_string(),
            destination: self.project.book.destination(row.destination).to_owned(),
            tariff: self.is_for_operator().then(|| self.tariff_id(part.tariff)),
            version_file: self.is_for_operator().then(|| version.file().to_owned()),
            file: seen.then(|| row.file.to_owned()),
            line: seen.then_some(row.line),
            time: TimeView {
                zone: zone.name().to_owned(),
                local: zone.format(at),
                day_type: version.day_type(set, at, worked.site, zone).to_owned(),
                band: self
                    .project
                    .book
                    .band(version.band_id(version.band_at_in(set, at, worked.site, zone)))
                    .to_owned(),
            },
            overrun: version.overrun().name(),
            minimum_stage: version.minimum_stage().name(),
        })
    }

    fn charge(&self, shown: &Collected, kept: &Kept) -> Option<ChargeView> {
        let part = shown.parts.get(kept.part)?;
        let version = self.version(part.tariff, part.version)?;
        let cost = version.cost(part.row)?;
        let book = &self.project.book;
        let own = || cost.charges().find(|charge| charge.name == kept.name);
        let surcharge =
            || version.surcharges(u64::MAX).map(|(charge, _)| charge).find(|charge| charge.name == kept.name);
        let of_surcharge = kept.tag == crate::tariff::Tag::Surcharge && own().is_none();
        let charge = if of_surcharge { surcharge() } else { own() };
        let plan = cost.plan(0);
        let mut steps = Vec::new();
        for index in 0..charge.map_or(0, |charge| charge.steps.len()) {
            let step = charge.and_then(|charge| charge.steps.get(index))?;
            let further_increment_s = step.further.map(seconds);
            steps.push(StepView { from_s: seconds(step.from), further_increment_s });
        }
        let before = version.minimum_stage() == MinimumStage::BeforeConnection;
        let minimum = match charge {
            Some(charge) => charge.minimum,
            None if before => cost.minimum(),
            None => Price::ZERO,
        };
        let terms = &kept.terms;
        // Of a mark-up an occupier is shown what it comes to, and nothing that it came from.
        let hidden = kept.mark_up.is_some() && !self.is_for_operator();
        Some(ChargeView {
            name: kept.name.clone(),
            tag: kept.tag.name(),
            part: kept.part,
            free_below_s: unless_none(terms.free_below),
            is_free: kept.free,
            duration_rounding: terms.duration_rounding.map(|rounding| {
                let rule = match rounding.rule {
                    DurationRule::Up => "up",
                    DurationRule::Down => "down",
                    DurationRule::Nearest => "nearest",
                };
                (rule.to_owned(), seconds(rounding.step))
            }),
            subtract_s: unless_none(terms.subtract),
            minimum_duration_s: unless_none(terms.minimum_duration),
            charged_s: seconds(kept.charged),
            first_increment_s: match charge {
                Some(charge) => charge.first.map(seconds),
                None => Some(seconds(plan.first)),
            },
            steps,
            billed_s: seconds(kept.billed),
            stretches: kept
                .walked
                .iter()
                .map(|stretch| StretchView {
                    from_s: seconds(stretch.from),
                    length_s: seconds(stretch.length),
                    billed_s: seconds(stretch.billed),
                    covered_s: unless_none(stretch.covered),
                    step: stretch.step,
                    band: book.band(version.band_id(stretch.band)).to_owned(),
                    price: stretch.rate.price.ratio().to_string(),
                    per_s: seconds(stretch.rate.per),
                    amount: stretch.amount.to_string(),
                })
                .collect(),
            entries: kept
                .entered
                .iter()
                .map(|entry| EntryView {
                    step: entry.step,
                    from_s: seconds(entry.from),
                    amount: entry.amount.ratio().to_string(),
                })
                .collect(),
            mark_up: kept.mark_up.filter(|_| self.is_for_operator()).map(|(charge, millionths)| MarkUpView {
                carrier_charge: charge.to_string(),
                factor: factor(millionths),
            }),
            stretches_sum: if hidden { kept.usage } else { kept.stretches }.to_string(),
            cap: terms.cap.map(|cap| {
                let (then, own) = match cap.then {
                    AfterCap::Price => ("price", None),
                    AfterCap::Free => ("free", None),
                    AfterCap::Whole => ("whole", None),
                    AfterCap::At(price, per) => ("own-price", Some((price, per))),
                };
                CapView {
                    charge: cap.charge.ratio().to_string(),
                    window_s: cap.window.map(seconds),
                    then,
                    then_price: own.map(|(price, _)| price.ratio().to_string()),
                    then_per_s: own.map(|(_, per)| seconds(per)),
                    applied: kept.capped,
                }
            }),
            usage_rounding: terms.usage_rounding.filter(|_| !hidden).map(RoundingView::of),
            usage: kept.usage.to_string(),
            connection: kept.connection.ratio().to_string(),
            minimum: unless_zero(minimum),
            minimum_applied: kept.minimum_applied,
            maximum: charge.and_then(|charge| charge.maximum).map(|maximum| maximum.ratio().to_string()),
            maximum_applied: kept.maximum_applied,
            rounding: terms.rounding.map(RoundingView::of),
            amount: kept.amount.to_string(),
            after_rounding: kept.after_rounding,
        })
    }

    fn sum(&self, shown: &Collected, working: &Working) -> Option<SumView> {
        let part = shown.parts.first()?;
        let version = self.version(part.tariff, part.version)?;
        let cost = version.cost(part.row)?;
        let total = |after: bool| {
            let mut amounts = shown.charges.iter().filter(|kept| kept.after_rounding == after).map(|kept| kept.amount);
            amounts.try_fold(Ratio::ZERO, Ratio::plus)
        };
        let (charges, after) = (total(false)?, total(true)?);
        let of_call = version.minimum_stage() != MinimumStage::BeforeConnection;
        let free = working.duration < version.terms().free_below && shown.charges.iter().all(|kept| kept.free);
        let in_charges = shown.charges.iter().any(|kept| kept.minimum_applied);
        let less = |limit: Price, amount: Ratio| amount.compare(limit.ratio()).is_some_and(std::cmp::Ordering::is_lt);
        let more = |limit: Price| charges.compare(limit.ratio()).is_some_and(std::cmp::Ordering::is_gt);
        let minimum_applied = match version.minimum_stage() {
            MinimumStage::BeforeConnection => false,
            _ if free => false,
            MinimumStage::AfterConnection => less(cost.minimum(), charges),
            MinimumStage::AfterRounding => working.minimum_applied && !in_charges,
        };
        Some(SumView {
            charges: charges.to_string(),
            minimum: unless_zero(cost.minimum()).filter(|_| of_call),
            minimum_applied,
            maximum: cost.maximum().map(|maximum| maximum.ratio().to_string()),
            maximum_applied: cost.maximum().is_some_and(more),
            is_free: free,
            rounding: RoundingView::of(working.rounding.unwrap_or(Rounding::LEDGER)),
            rounding_named: working.rounding.is_some(),
            charge: working.charge.to_string(),
            after_rounding: (!after.is_zero()).then(|| after.to_string()),
        })
    }
}

const fn status(row: &RowView<'_>) -> Option<&'static str> {
    if row.blocked {
        Some("blocked")
    } else if row.price_unknown {
        Some("unknown")
    } else {
        None
    }
}

/// Millionths as a decimal number: `1.2`.
fn factor(millionths: i64) -> String {
    Ratio::new(i128::from(millionths) * 1_000_000, 1).map(|ratio| ratio.to_string()).unwrap_or_default()
}
