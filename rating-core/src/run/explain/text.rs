//! An explanation for people: what was looked at, in the order in which it was, and every sum written out.

use std::fmt;

use super::view::{
    AssemblyView, CapView, ChargeView, Explanation, HolderView, NumberView, PartView, RoundingView, SideView, SumView,
};

/// Where the words begin that say what is meant.
const MARGIN: usize = 14;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let for_operator = self.audience == "operator";
        let call = &self.call;
        writeln!(f, "Call {}", printable(if call.id.is_empty() { "(the switch gives it no name)" } else { &call.id }))?;
        if let Some(record) = &self.record {
            line(f, "record", &format!("{}@{}", record.file, record.offset))?;
            line(f, "as written", &record.as_written)?;
        }
        line(f, "site", &format!("{}, on the clock of {}", call.site, call.zone))?;
        if let Some(at) = call.setup_at.as_ref().filter(|at| **at != call.charged_at) {
            line(f, "set up", at)?;
        }
        let answered = if call.answered { "answered" } else { "not answered" };
        line(f, answered, &format!("{}: the instant that decides", call.charged_at))?;
        if let Some(other) = &call.other_reading {
            line(f, "or", &format!("{other}: the clock was changed, and nothing tells which it was"))?;
        }
        line(f, "talk time", &format!("{} s", call.duration_s))?;
        line(f, "direction", call.direction)?;
        if !call.dialled.is_empty() {
            line(f, "dialled", &call.dialled)?;
        }
        line(f, "called", &called(&call.called))?;
        if let Some(numbering) = &call.called.numbering {
            more(f, &numbering.described.to_string())?;
        }
        line(f, "calling", &party(&call.calling))?;
        if let Some(forwarder) = &call.forwarder {
            line(f, "sent on by", &party(forwarder))?;
        }
        if let Some(assembly) = &self.assembly {
            write_assembly(f, assembly)?;
        }
        write_holder(f, &self.holder)?;
        for side in &self.sides {
            write_side(f, side, for_operator)?;
        }
        Ok(())
    }
}

fn write_assembly(f: &mut fmt::Formatter<'_>, assembly: &AssemblyView) -> fmt::Result {
    for (index, record) in assembly.records.iter().enumerate() {
        let mut text = String::new();
        if let Some(place) = &record.record {
            text.push_str(&format!("{place}: "));
        }
        text.push_str(&format!("{}, {}", record.what, record.role));
        if let Some(at) = &record.setup_at {
            text.push_str(&format!(", {at}"));
        }
        if let Some(at) = record.answered_at.as_ref().filter(|at| Some(*at) != record.setup_at.as_ref()) {
            text.push_str(&format!(", answered {at}"));
        }
        if record.talk_s != "0" {
            text.push_str(&format!(", {} s of talk", record.talk_s));
        }
        line(f, if index == 0 { "records" } else { "" }, &text)?;
    }
    line(f, if assembly.waits_for.is_some() { "waits" } else { "one call" }, &assembly.because)?;
    if let Some(help) = assembly.help {
        more(f, help)?;
    }
    Ok(())
}

/// One line: a word, and what it stands for. Nothing out of a file acts on a terminal.
fn line(f: &mut fmt::Formatter<'_>, word: &str, text: &str) -> fmt::Result {
    writeln!(f, "  {word:<MARGIN$}{}", printable(text))
}

/// A line that goes on.
fn more(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    line(f, "", text)
}

fn printable(text: &str) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if acts(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn party(view: &NumberView) -> String {
    match &view.number {
        Some(number) if view.kind == "number" => number.clone(),
        Some(number) => format!("{} {number}", view.kind),
        None => view.kind.to_owned(),
    }
}

fn called(view: &NumberView) -> String {
    let mut text = party(view);
    if let Some(class) = view.class {
        text.push_str(&format!(", class {class}"));
        if let Some(digits) = &view.class_digits {
            text.push_str(&format!(" (by {digits})"));
        }
        if view.class_is_protected == Some(true) {
            text.push_str(", which only rows that are meant for it price");
        }
    }
    text
}

fn write_holder(f: &mut fmt::Formatter<'_>, holder: &HolderView) -> fmt::Result {
    let Some(payer) = &holder.payer else {
        let reason = holder.reason.unwrap_or_default();
        line(f, "who pays", &format!("nobody is known to: {reason}"))?;
        return holder.help.as_deref().map_or(Ok(()), |help| more(f, help));
    };
    let name = holder.name.as_deref().filter(|name| name != payer).map_or(String::new(), |name| format!(" ({name})"));
    line(f, "who pays", &format!("{payer}{name}"))?;
    if let Some(rule) = holder.rule {
        more(f, rule)?;
    }
    let held = [holder.extension.as_deref().map(|digits| format!("extension {digits}")), holder.number.clone()];
    let held = held.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let from = holder.held_from.as_deref().map(|from| format!(" from {from}"));
    let until = holder.held_until.as_deref().map(|until| format!(" until {until}"));
    let when = [from, until].into_iter().flatten().collect::<String>();
    let row = holder.allocation.as_deref().map_or(String::new(), |row| format!(", row `{row}` of the allocations"));
    if !held.is_empty() {
        more(f, &format!("{held}, held{}{row}", if when.is_empty() { " always" } else { &when }))?;
    }
    Ok(())
}

fn write_side(f: &mut fmt::Formatter<'_>, side: &SideView, for_operator: bool) -> fmt::Result {
    let currency = side.currency.as_deref().unwrap_or_default();
    writeln!(f)?;
    let title = match (for_operator, side.side) {
        (false, _) => "Charge",
        (true, "retail") => "Retail: what the payer is charged",
        (true, _) => "Wholesale: what the carrier charges the operator",
    };
    match (&side.charge, &side.reason) {
        (Some(charge), _) => writeln!(f, "{title}: {charge} {currency}")?,
        (None, Some(reason)) => writeln!(f, "{title}: {}, {reason}", side.status)?,
        (None, None) => writeln!(f, "{title}: {}", side.status)?,
    }
    if let Some(help) = &side.help {
        more(f, help)?;
    }
    if let Some(tariff) = &side.tariff {
        let name = tariff.name.as_deref().filter(|name| *name != tariff.id);
        line(f, "tariff", &format!("{}{}", tariff.id, name.map_or(String::new(), |name| format!(" ({name})"))))?;
        let from = tariff.from.as_deref().map(|from| format!("in force from {from}"));
        let until = tariff.until.as_deref().map(|until| format!("until {until}"));
        let file = tariff.file.as_deref().map(str::to_owned);
        let version = [file, from, until].into_iter().flatten().collect::<Vec<_>>().join(", ");
        if !version.is_empty() {
            more(f, &version)?;
        }
    }
    for (index, row) in side.candidates.iter().enumerate() {
        let place = match (&row.file, row.line) {
            (Some(file), Some(line)) => format!("  {file}:{line}"),
            _ => String::new(),
        };
        let conditions: String = row.conditions.iter().map(|(column, text)| format!(", {column} {text}")).collect();
        let status = row.status.map_or(String::new(), |status| format!(", {status}"));
        let destination = if row.destination.is_empty() { String::new() } else { format!("  {}", row.destination) };
        let word = if index == 0 { "rows" } else { "" };
        line(f, word, &format!("{}{destination}{conditions}{status}{place}", row.key))?;
        match &row.because {
            None => more(f, "  decides")?,
            Some(why) => more(f, &format!("  lost: {why}"))?,
        }
    }
    let several = side.parts.len() > 1;
    for (index, part) in side.parts.iter().enumerate() {
        write_part(f, part, several)?;
        for charge in side.charges.iter().filter(|charge| charge.part == index) {
            write_charge(f, charge, part, currency)?;
        }
    }
    if let Some(sum) = &side.sum {
        write_sum(f, side, sum, currency)?;
    }
    let Some(allowance) = &side.allowance else { return Ok(()) };
    let taken = allowance.taken_s.as_deref().map(|taken| format!("{taken} s taken from allowances"));
    let covered =
        allowance.covered_s.as_deref().map(|covered| format!("the first {covered} s of the call are covered"));
    let words = [taken, covered].into_iter().flatten().collect::<Vec<_>>().join(", ");
    line(f, "allowances", if words.is_empty() { "the period's calls taken together" } else { &words })?;
    if let Some(without) = &allowance.charge_without {
        more(f, &format!("without them {without} {currency}"))?;
    }
    match &side.charge {
        Some(charge) => line(f, "charge", &format!("{charge} {currency}")),
        None => Ok(()),
    }
}

fn write_part(f: &mut fmt::Formatter<'_>, part: &PartView, several: bool) -> fmt::Result {
    if several {
        let place = match (&part.file, part.line) {
            (Some(file), Some(line)) => format!(", {file}:{line}"),
            _ => String::new(),
        };
        line(f, "part", &format!("from {} s on: {} {}{place}", part.from_s, part.key, part.destination))?;
    }
    let time = &part.time;
    line(f, "band", &format!("{}: {} on the clock of {}, day type {}", time.band, time.local, time.zone, time.day_type))
}

fn write_charge(f: &mut fmt::Formatter<'_>, charge: &ChargeView, part: &PartView, currency: &str) -> fmt::Result {
    let name = if charge.name.is_empty() { charge.tag.to_owned() } else { format!("{} `{}`", charge.tag, charge.name) };
    let late = if charge.after_rounding { ", added after the rounding" } else { "" };
    line(f, "charge", &format!("{name}: {} {currency}{late}", charge.amount))?;
    if charge.is_free {
        let below = charge.free_below_s.as_deref().unwrap_or("0");
        return more(f, &format!("free: the call is shorter than {below} s"));
    }
    let mut time = Vec::new();
    if let Some((rule, step)) = &charge.duration_rounding {
        time.push(format!("rounded {rule} to {step} s"));
    }
    if let Some(grace) = &charge.subtract_s {
        time.push(format!("less {grace} s"));
    }
    if let Some(least) = &charge.minimum_duration_s {
        time.push(format!("at least {least} s"));
    }
    if !time.is_empty() {
        more(f, &format!("talk time {}: {} s charged", time.join(", "), charge.charged_s))?;
    }
    if let Some(mark_up) = &charge.mark_up {
        more(
            f,
            &format!("the carrier's charge {} × {} = {}", mark_up.carrier_charge, mark_up.factor, charge.stretches_sum),
        )?;
    }
    if charge.stretches.is_empty() && charge.steps.is_empty() && charge.mark_up.is_none() {
        more(f, &format!("agreed price of the call {}", charge.stretches_sum))?;
    }
    let several = charge.stretches.len() > 1;
    for stretch in &charge.stretches {
        let step = charge.steps.get(usize::from(stretch.step));
        let further = step.and_then(|step| step.further_increment_s.as_deref()).unwrap_or(&stretch.per_s);
        let first = charge.first_increment_s.as_deref().unwrap_or(&stretch.per_s);
        let increments = if part.overrun == "end" && several {
            String::new()
        } else if stretch.from_s == "0" {
            format!(" (increments {first}/{further})")
        } else {
            format!(" (increments {further})")
        };
        let from = if several { format!("from {} s in {}: ", stretch.from_s, stretch.band) } else { String::new() };
        if stretch.per_s == "0" {
            more(f, &format!("{from}{} s, priced by the call", stretch.billed_s))?;
            continue;
        }
        more(f, &format!("{from}{} s billed as {} s{increments}", stretch.length_s, stretch.billed_s))?;
        let covered = stretch.covered_s.as_deref();
        let paid = covered.map_or(stretch.billed_s.clone(), |covered| format!("({} − {covered})", stretch.billed_s));
        more(f, &format!("  {paid} s × {} ÷ {} s = {}", stretch.price, stretch.per_s, stretch.amount))?;
    }
    if part.overrun == "end" && several {
        let first = charge.first_increment_s.as_deref();
        let shown = first.map_or(String::new(), |first| format!(", first increment {first} s"));
        more(f, &format!("{} s billed in all: only the end of the call is rounded up{shown}", charge.billed_s))?;
    }
    for entry in &charge.entries {
        more(f, &format!("step at {} s reached: {}", entry.from_s, entry.amount))?;
    }
    if several || !charge.entries.is_empty() {
        more(f, &format!("together {}", charge.stretches_sum))?;
    }
    if let Some(cap) = &charge.cap {
        more(f, &write_cap(cap, &charge.usage, charge.usage_rounding.is_none()))?;
    }
    if let Some(rounding) = &charge.usage_rounding {
        more(f, &format!("usage rounded {}: {}", rounded(rounding), charge.usage))?;
    }
    let before = part.minimum_stage == "before-connection";
    let least = |f: &mut fmt::Formatter<'_>| match &charge.minimum {
        Some(least) if charge.minimum_applied => more(f, &format!("at least {least}: that is more")),
        Some(least) => more(f, &format!("at least {least}")),
        None => Ok(()),
    };
    if before {
        least(f)?;
    }
    if charge.connection != "0.00" {
        more(f, &format!("connection charge {}", charge.connection))?;
    }
    if !before {
        least(f)?;
    }
    if let Some(most) = &charge.maximum {
        more(f, &format!("at most {most}{}", if charge.maximum_applied { ": that is less" } else { "" }))?;
    }
    if let Some(rounding) = &charge.rounding {
        more(f, &format!("rounded {}", rounded(rounding)))?;
    }
    Ok(())
}

fn write_cap(cap: &CapView, usage: &str, show_usage: bool) -> String {
    let window = cap.window_s.as_deref().map_or(String::new(), |window| format!(" for the first {window} s"));
    let then = match (cap.then, &cap.then_price, &cap.then_per_s) {
        _ if cap.window_s.is_none() => String::new(),
        (_, Some(price), Some(per)) => format!(", then {price} for {per} s"),
        ("free", ..) => ", then free".to_owned(),
        ("whole", ..) => "; beyond it the cap is lost".to_owned(),
        _ => ", then at its price".to_owned(),
    };
    let applied = match (cap.applied, show_usage) {
        (true, true) => format!(": {usage}"),
        (true, false) => ": it applies".to_owned(),
        (false, _) => ": not reached".to_owned(),
    };
    format!("at most {}{window}{then}{applied}", cap.charge)
}

fn rounded(rounding: &RoundingView) -> String {
    format!("{} to {}", rounding.rule, rounding.step)
}

fn write_sum(f: &mut fmt::Formatter<'_>, side: &SideView, sum: &SumView, currency: &str) -> fmt::Result {
    let stage = side.parts.first().map_or("", |part| part.minimum_stage);
    line(f, "sum", &sum.charges)?;
    let least = |f: &mut fmt::Formatter<'_>| match &sum.minimum {
        Some(_) if sum.is_free => more(f, "free, so no minimum"),
        Some(least) if sum.minimum_applied => more(f, &format!("at least {least}: that is more")),
        Some(least) => more(f, &format!("at least {least}")),
        None => Ok(()),
    };
    if stage != "after-rounding" {
        least(f)?;
    }
    if let Some(most) = &sum.maximum {
        more(f, &format!("at most {most}{}", if sum.maximum_applied { ": that is less" } else { "" }))?;
    }
    let unrounded = side.unrounded.as_deref().unwrap_or_default();
    if sum.rounding_named {
        line(f, "rounding", &format!("{unrounded} rounded {}", rounded(&sum.rounding)))?;
    } else {
        line(f, "rounding", &format!("none: {unrounded} posted to ten decimals, half up"))?;
    }
    if stage == "after-rounding" {
        least(f)?;
    }
    if let Some(after) = &sum.after_rounding {
        more(f, &format!("and {after} added after it"))?;
    }
    line(f, "charge", &format!("{} {currency}", sum.charge))
}
