//! Reading a template from TOML, all mistakes in one pass.

use std::ops::Range;
use std::sync::Arc;

use super::clock::Pattern;
use super::length::Length;
use super::rules::{Rule, Test, Wanted};
use super::{Direction, FIELDS, Header, Kind, Moment, Name, Parts, Quoting, Spec, Template, slot};
use crate::cdr::fields::MAX_COLUMNS;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, SourceText, did_you_mean};

impl Template {
    /// Reads a template. Every mistake is in `findings`; there is a template only if none of them is an error.
    #[must_use]
    pub fn read(source: &Arc<SourceText>, findings: &mut Findings) -> Option<Self> {
        let mut own = Findings::default();
        let template = Reading { findings: &mut own, extra: Vec::new(), latin1: false }.template(source);
        let is_whole = !own.has_errors();
        findings.extend(own);
        template.filter(|_| is_whole)
    }
}

struct Reading<'f> {
    findings: &'f mut Findings,
    /// Names of the columns that rules alone ask for.
    extra: Vec<String>,
    latin1: bool,
}

/// What a key with a word may say.
type Words<T> = [(&'static str, T)];

impl Reading<'_> {
    fn error(&mut self, code: &'static str, message: String, section: &Section, span: &Range<usize>, help: &str) {
        let finding = Finding::error(code, message).at(section.label(span, "here"));
        self.findings.push(if help.is_empty() { finding } else { finding.help(help) });
    }

    /// One of some words.
    fn word<T: Copy>(&mut self, section: &Section, key: &str, words: &Words<T>, otherwise: T) -> T {
        let Some(text) = section.text(key, self.findings) else { return otherwise };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return *value;
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match did_you_mean(&text.value, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`{key}` is one of `{}`", names.join("`, `")),
        };
        self.error("template.bad_value", format!("`{key}` cannot be `{}`", text.value), section, &text.span, &help);
        otherwise
    }

    fn template(mut self, source: &Arc<SourceText>) -> Option<Template> {
        let file = Section::parse(source, self.findings);
        let stem = source.name.rsplit('/').next().unwrap_or_default();
        let stem = stem.strip_suffix(".toml").unwrap_or(stem);
        let name = file.text("name", self.findings).map_or_else(|| stem.to_owned(), |name| name.value);
        self.latin1 = self.word(&file, "encoding", &[("utf-8", false), ("latin-1", true)], false);
        file.require("kind", self.findings);
        let is_fixed = self.word(&file, "kind", &[("delimited", false), ("fixed", true)], false);
        let kind = self.kind(&file, is_fixed);
        let order = self.order(&file);
        let header = if is_fixed || file.has("order") { Header::None } else { Header::Names };
        let words = [("names", Header::Names), ("none", Header::None), ("optional", Header::Optional)];
        let header = if is_fixed { header } else { self.word(&file, "header", &words, header) };
        if header == Header::Optional && order.is_empty() {
            let help = "add `order = [\"…\", …]` with the names of the columns in files without a header";
            let span = file.text("header", self.findings).map_or_else(|| file.span(), |text| text.span);
            self.error(
                "template.bad_value",
                "`header` is optional, but no order of columns is given".into(),
                &file,
                &span,
                help,
            );
        }
        let skip_lines = self.count(&file, "skip_lines", 100).unwrap_or(0);
        let width = self.width(&file);
        let nul_padding = file.boolean("nul_padding", self.findings).is_some_and(|padding| padding.value);

        file.require("fields", self.findings);
        let has_names = header != Header::None || !order.is_empty();
        let mut specs = vec![Spec::Nowhere; FIELDS.len()];
        if let Some(fields) = file.table("fields", self.findings) {
            for (slot, field) in FIELDS.iter().enumerate() {
                if let (Some(spec), Some(place)) = (self.spec(&fields, field, is_fixed, has_names), specs.get_mut(slot))
                {
                    *place = spec;
                }
            }
            self.needed(&file, &fields, &specs);
            fields.finish(self.findings);
        }
        if let Some(columns) = file.table("columns", self.findings) {
            let names: Vec<Spanned<String>> = columns.keys().cloned().collect();
            for name in names {
                if FIELDS.contains(&name.value.as_str()) {
                    let message = format!("`{}` is a field of its own", name.value);
                    self.error("template.bad_column", message, &columns, &name.span, "put it under `[fields]`");
                }
                specs.push(self.spec(&columns, &name.value, is_fixed, has_names).unwrap_or_default());
                self.extra.push(name.value);
            }
            columns.finish(self.findings);
        }

        let mut template = Template {
            name,
            kind,
            header,
            skip_lines,
            latin1: self.latin1,
            order,
            width,
            nul_padding,
            specs,
            utc: false,
            setup: Moment { whole: Pattern::Iso, date: Pattern::Iso, time: Pattern::Iso },
            answer: Moment { whole: Pattern::Iso, date: Pattern::Iso, time: Pattern::Iso },
            end: Moment { whole: Pattern::Iso, date: Pattern::Iso, time: Pattern::Iso },
            alternatives: Vec::new(),
            date_record: None,
            talk: Length::Seconds,
            duration: Length::Seconds,
            ring: Length::Seconds,
            unset: Vec::new(),
            lost_zero: false,
            currency: String::new(),
            answered_when: Rule::default(),
            unanswered_when: Rule::default(),
            skip_when: Rule::default(),
            marker_when: Rule::default(),
            begin_when: Rule::default(),
            end_when: Rule::default(),
            count: None,
            not_voice_when: Rule::default(),
            voice_when: Rule::default(),
            directions: Vec::new(),
            otherwise: None,
            swapped: Vec::new(),
            parts: Parts::default(),
            key: Vec::new(),
        };
        self.times(&file, &mut template);
        self.durations(&file, &mut template);
        if let Some(numbers) = file.table("numbers", self.findings) {
            template.lost_zero = self.word(&numbers, "leading_zero", &[("kept", false), ("lost", true)], false);
            numbers.finish(self.findings);
        }
        if let Some(charge) = file.table("charge", self.findings) {
            template.currency = charge.text("currency", self.findings).map(|text| text.value).unwrap_or_default();
            charge.finish(self.findings);
        }
        if let Some(rules) = file.table("rules", self.findings) {
            template.answered_when = self.rule(&rules, "answered_when", None);
            template.unanswered_when = self.rule(&rules, "unanswered_when", None);
            template.skip_when = self.rule(&rules, "skip_when", None);
            template.marker_when = self.rule(&rules, "marker_when", None);
            template.begin_when = self.rule(&rules, "begin_when", None);
            template.end_when = self.rule(&rules, "end_when", None);
            template.count = self.slots(&rules, "count", 1).first().copied();
            template.not_voice_when = self.rule(&rules, "not_voice_when", None);
            template.voice_when = self.rule(&rules, "voice_when", None);
            rules.finish(self.findings);
        }
        self.directions(&file, &mut template);
        self.parts(&file, &mut template);
        template.key = self.slots(&file, "key", 6);
        if template.key.is_empty()
            && !template.parts.revision
            && template.specs.first().is_some_and(|id| *id != Spec::Nowhere)
        {
            template.key = vec![slot::ID, slot::LEG, slot::SEQUENCE, slot::CALLING, slot::DIALLED, slot::SETUP];
        }
        file.finish(self.findings);
        Some(template)
    }

    fn kind(&mut self, file: &Section, is_fixed: bool) -> Kind {
        const DELIMITERS: [(&str, (u8, bool)); 8] = [
            (",", (b',', false)),
            (";", (b';', false)),
            ("|", (b'|', false)),
            ("tab", (b'\t', false)),
            ("\t", (b'\t', false)),
            (", ", (b',', true)),
            ("; ", (b';', true)),
            (":", (b':', false)),
        ];
        if is_fixed {
            return Kind::Fixed;
        }
        let (delimiter, blank) = self.word(file, "delimiter", &DELIMITERS, (b',', false));
        let quotings = [("rfc4180", Quoting::Rfc4180), ("none", Quoting::None), ("backslash", Quoting::Backslash)];
        Kind::Delimited { delimiter, blank, quoting: self.word(file, "quoting", &quotings, Quoting::Rfc4180) }
    }

    fn order(&mut self, file: &Section) -> Vec<Name> {
        let texts = file.texts("order", self.findings);
        texts.iter().map(|text| Name::new(&text.value, &self.encoded(&text.value))).collect()
    }

    /// A text as the files write it.
    fn encoded(&self, text: &str) -> Vec<u8> {
        if !self.latin1 {
            return text.as_bytes().to_vec();
        }
        text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
    }

    fn count(&mut self, section: &Section, key: &str, most: i64) -> Option<usize> {
        let number = section.integer(key, self.findings)?;
        if (0..=most).contains(&number.value) {
            return usize::try_from(number.value).ok();
        }
        let message = format!("`{key}` cannot be {}", number.value);
        self.error("template.bad_value", message, section, &number.span, &format!("a number from 0 to {most}"));
        None
    }

    fn width(&mut self, file: &Section) -> Option<(usize, usize)> {
        let numbers = file.integers("width", self.findings);
        let first = numbers.first()?;
        let found = match numbers.as_slice() {
            [one] => Some((one.value, one.value)),
            [least, most] if least.value <= most.value => Some((least.value, most.value)),
            _ => None,
        };
        let found = found.and_then(|(least, most)| Some((usize::try_from(least).ok()?, usize::try_from(most).ok()?)));
        if found.is_none_or(|(least, _)| least == 0) {
            let help =
                "write the number of columns (of bytes, in files of fixed positions): `42`, or from and to: `[30, 42]`";
            self.error("template.bad_value", "`width` is no such number".into(), file, &first.span, help);
        }
        found
    }

    /// Where a field stands.
    fn spec(&mut self, section: &Section, key: &str, is_fixed: bool, has_names: bool) -> Option<Spec> {
        if section.kind_of(key) == Some("an integer") {
            let number = section.integer(key, self.findings)?;
            if is_fixed && (1..=100_000).contains(&number.value) {
                let at = usize::try_from(number.value).ok()?;
                return Some(Spec::Range(at - 1, at));
            }
            let column = number.value.checked_sub(1).filter(|column| (0..512).contains(column));
            if let Some(column) = column.and_then(|column| u16::try_from(column).ok()) {
                return Some(Spec::Position(column));
            }
            let help = "columns count from 1";
            self.error(
                "template.bad_column",
                format!("`{key}`: no column {}", number.value),
                section,
                &number.span,
                help,
            );
            return None;
        }
        let texts = section.texts(key, self.findings);
        let first = texts.first()?;
        if is_fixed {
            let range = range_of(&first.value).filter(|_| texts.len() == 1);
            if range.is_none() {
                let message = format!("`{}` is no range of positions", first.value);
                let help = "positions count from 1, both ends belong to it: `\"19-33\"`";
                self.error("template.bad_column", message, section, &first.span, help);
            }
            return range.map(|(from, until)| Spec::Range(from, until));
        }
        if !has_names {
            let message = format!("`{}` is a name, but the files name no columns", first.value);
            let help = "write the column's position from 1, or add `order = [\"…\", …]` with the names of the columns";
            self.error("template.bad_column", message, section, &first.span, help);
            return None;
        }
        Some(Spec::Names(texts.iter().map(|text| Name::new(&text.value, &self.encoded(&text.value))).collect()))
    }

    /// What every template must tell.
    fn needed(&mut self, file: &Section, fields: &Section, specs: &[Spec]) {
        let is_there = |slot: usize| specs.get(slot).is_some_and(|spec| *spec != Spec::Nowhere);
        let has_moment = |first: usize| (first..first + 3).any(is_there);
        let mut missing = Vec::new();
        if !is_there(slot::DIALLED) && !fields.has("dialled") {
            missing.push(("dialled", "the number that was called"));
        }
        if !has_moment(slot::SETUP) && !has_moment(slot::END) {
            missing.push(("setup", "when the call began; or `end`, when it ended"));
        }
        let has_length = is_there(slot::TALK)
            || (is_there(slot::DURATION) && is_there(slot::RING))
            || (has_moment(slot::ANSWER) && has_moment(slot::END));
        if !has_length {
            missing.push(("talk", "how long the parties talked; or `answer` and `end`, or `duration` and `ring`"));
        }
        for (field, what) in missing {
            let message = format!("the template does not tell `{field}`: {what}");
            let span = fields.span();
            self.error("template.field_missing", message, file, &span, "add it under `[fields]`");
        }
        let ranges = specs.iter().filter(|spec| matches!(spec, Spec::Range(..))).count();
        if ranges > MAX_COLUMNS {
            let span = fields.span();
            self.error("template.bad_column", "too many fields".into(), file, &span, "");
        }
    }

    fn pattern(&mut self, section: &Section, key: &str) -> Option<(Pattern, Range<usize>)> {
        let text = section.text(key, self.findings)?;
        self.pattern_of(section, text)
    }

    fn pattern_of(&mut self, section: &Section, text: Spanned<String>) -> Option<(Pattern, Range<usize>)> {
        match Pattern::parse(&text.value) {
            Ok(pattern) => Some((pattern, text.span)),
            Err(why) => {
                let message = format!("`{}` is no way to write a time: {why}", text.value);
                let help = "write it like `YYYY-MM-DD hh:mm:ss`, `D/M/YYYY`, `hhmmss`, or `iso`, `epoch`, `epoch-ms`";
                self.error("template.bad_time", message, section, &text.span, help);
                None
            }
        }
    }

    fn times(&mut self, file: &Section, template: &mut Template) {
        let Some(section) = file.table("times", self.findings) else {
            if file.has("fields") {
                file.require("times", self.findings);
            }
            return;
        };
        template.utc = self.word(&section, "zone", &[("source", false), ("utc", true)], false);
        let written = section.texts("format", self.findings);
        let mut formats: Vec<_> = written.into_iter().filter_map(|text| self.pattern_of(&section, text)).collect();
        let format = if formats.is_empty() { None } else { Some(formats.remove(0)) };
        template.alternatives = formats.into_iter().map(|(pattern, _)| pattern).collect();
        let date = self.pattern(&section, "date");
        let time = self.pattern(&section, "time");
        template.date_record = self.date_record(&section, template);
        let has_day = |pattern: &Pattern, template: &Template| pattern.has_date() || template.date_record.is_some();
        let mut used = [false; 3];
        for (key, first) in [("setup", slot::SETUP), ("answer", slot::ANSWER), ("end", slot::END)] {
            let own = self.pattern(&section, key);
            let is_there = |slot: usize| template.specs.get(slot).is_some_and(|spec| *spec != Spec::Nowhere);
            let places = [is_there(first), is_there(first + 1), is_there(first + 2)];
            let patterns = [own.as_ref().or(format.as_ref()), date.as_ref(), time.as_ref()];
            for ((place, used), (pattern, name)) in
                places.into_iter().zip(&mut used).zip(patterns.into_iter().zip(["format", "date", "time"]))
            {
                *used |= place;
                if place && pattern.is_none() && !section.has(name) && !section.has(key) {
                    section.require(name, self.findings);
                }
            }
            let pick =
                |found: Option<&(Pattern, Range<usize>)>| found.map_or(Pattern::Iso, |(pattern, _)| pattern.clone());
            let moment = Moment { whole: pick(patterns[0]), date: pick(patterns[1]), time: pick(patterns[2]) };
            // Answer and end may have times alone: their day follows from the set-up.
            let follows = first != slot::SETUP && (slot::SETUP..slot::SETUP + 3).any(is_there);
            if let (true, Some((pattern, span))) = (places[0], patterns[0])
                && !places[1]
                && !has_day(pattern, template)
                && !follows
            {
                let help =
                    "add the date to it, or `setup_date` to the fields, or `date_record` for files with date records";
                self.error("template.bad_time", format!("no date belongs to `{key}`"), &section, span, help);
            }
            match first {
                slot::SETUP => template.setup = moment,
                slot::ANSWER => template.answer = moment,
                _ => template.end = moment,
            }
        }
        section.finish(self.findings);
    }

    fn date_record(&mut self, section: &Section, template: &Template) -> Option<Pattern> {
        let (pattern, span) = self.pattern(section, "date_record")?;
        if pattern.mask().is_none() || !pattern.has_date() {
            let help = "numbers of two digits with signs between: `MM DD`, `DD MM`, `hh:mm MM/DD`";
            self.error("template.bad_time", "date records need a fixed shape with a day".into(), section, &span, help);
            return None;
        }
        if template.kind != Kind::Fixed {
            let help = "leave it out, or make the template one of `kind = \"fixed\"`";
            self.error(
                "template.bad_time",
                "only files of fixed positions have date records".into(),
                section,
                &span,
                help,
            );
            return None;
        }
        Some(pattern)
    }

    fn durations(&mut self, file: &Section, template: &mut Template) {
        let Some(section) = file.table("durations", self.findings) else { return };
        let mut length = |key: &str| {
            let mut ways = Vec::new();
            for text in section.texts(key, self.findings) {
                match Length::parse(&text.value) {
                    Ok(length) => ways.push(length),
                    Err(why) => {
                        let message = format!("`{}` is no way to write a duration: {why}", text.value);
                        let help = "write it like `hh:mm:ss`, `hmmt` (t for tenths of minutes), or `seconds`, \
                                    `milliseconds`, `minutes`, `units` (5m 10s)";
                        self.error("template.bad_duration", message, &section, &text.span, help);
                    }
                }
            }
            if ways.len() > 1 { Some(Length::OneOf(ways)) } else { ways.pop() }
        };
        let format = length("format").unwrap_or(Length::Seconds);
        template.talk = length("talk").unwrap_or_else(|| format.clone());
        template.duration = length("duration").unwrap_or_else(|| format.clone());
        template.ring = length("ring").unwrap_or(format);
        template.unset = section.texts("unset", self.findings).iter().map(|text| self.encoded(&text.value)).collect();
        section.finish(self.findings);
    }

    /// The slot of a field or column.
    fn slot(&mut self, section: &Section, name: &str, span: &Range<usize>) -> Option<usize> {
        let own = FIELDS.iter().position(|field| *field == name);
        let extra = || self.extra.iter().position(|column| column == name).map(|index| FIELDS.len() + index);
        if let Some(slot) = own.or_else(extra) {
            return Some(slot);
        }
        let known = FIELDS.iter().copied().chain(self.extra.iter().map(String::as_str));
        let help = match did_you_mean(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("give it a place: `[columns]` with `{name} = …`"),
        };
        self.error("template.unknown_field", format!("there is no field `{name}`"), section, span, &help);
        None
    }

    fn slots(&mut self, section: &Section, key: &str, most: usize) -> Vec<usize> {
        let names = section.texts(key, self.findings);
        if let Some(beyond) = names.get(most) {
            let message = format!("`{key}` can have {most} fields");
            self.error("template.bad_value", message, section, &beyond.span, "leave out what the others imply");
        }
        names.iter().take(most).filter_map(|name| self.slot(section, &name.value, &name.span)).collect()
    }

    /// A rule: a table of fields with the texts that they may have, or a list of such tables. `field` takes a list of texts.
    fn rule(&mut self, section: &Section, key: &str, field: Option<usize>) -> Rule {
        if !section.has(key) {
            return Rule::default();
        }
        if let Some(slot) = field
            && !section.holds_tables(key)
        {
            let wanted = self.wanted(section, key);
            return Rule(vec![vec![Test { slot, wanted }]]);
        }
        let mut rule = Rule::default();
        for table in section.tables(key, self.findings) {
            let names: Vec<Spanned<String>> = table.keys().cloned().collect();
            let mut tests = Vec::new();
            for name in &names {
                let wanted = self.wanted(&table, &name.value);
                if let Some(slot) = self.slot(&table, &name.value, &name.span) {
                    tests.push(Test { slot, wanted });
                }
            }
            if names.is_empty() {
                let span = table.span();
                self.error(
                    "template.bad_value",
                    format!("`{key}` asks for nothing"),
                    &table,
                    &span,
                    "name a field: `{ type = [\"V\"] }`",
                );
            }
            table.finish(self.findings);
            rule.0.push(tests);
        }
        rule
    }

    fn wanted(&mut self, section: &Section, key: &str) -> Vec<Wanted> {
        let texts = section.texts(key, self.findings);
        if texts.is_empty() && section.kind_of(key) == Some("a list") {
            let span = section.span();
            self.error("template.bad_value", format!("`{key}` has no texts to compare with"), section, &span, "");
        }
        texts.iter().map(|text| Wanted::new(self.encoded(&text.value))).collect()
    }

    fn directions(&mut self, file: &Section, template: &mut Template) {
        const WAYS: [(&str, Direction); 4] = [
            ("forwarded", Direction::Forwarded),
            ("internal", Direction::Internal),
            ("in", Direction::In),
            ("out", Direction::Out),
        ];
        let Some(section) = file.table("direction", self.findings) else { return };
        for (key, direction) in WAYS {
            let rule = self.rule(&section, key, Some(slot::DIRECTION));
            if !rule.is_empty() {
                template.directions.push((rule, direction));
            }
        }
        let words = WAYS.map(|(word, direction)| (word, Some(direction)));
        template.otherwise = self.word(&section, "otherwise", &words, None);
        for text in section.texts("swapped", self.findings) {
            match WAYS.iter().find(|(word, _)| *word == text.value) {
                Some((_, direction)) => template.swapped.push(*direction),
                None => {
                    let message = format!("`swapped` cannot have `{}`", text.value);
                    let help = "the ways are `in`, `out`, `internal`, `forwarded`";
                    self.error("template.bad_value", message, &section, &text.span, help);
                }
            }
        }
        section.finish(self.findings);
    }

    fn parts(&mut self, file: &Section, template: &mut Template) {
        let Some(section) = file.table("parts", self.findings) else { return };
        section.require("group", self.findings);
        let parts = Parts {
            group: self.slots(&section, "group", 3),
            interim_when: self.rule(&section, "interim_when", None),
            final_when: self.rule(&section, "final_when", None),
            more_when: self.rule(&section, "more_when", None),
            last_when: self.rule(&section, "last_when", None),
            legs: self.rule(&section, "leg_when", None).0.into_iter().map(|tests| Rule(vec![tests])).collect(),
            revision: section.boolean("revision", self.findings).is_some_and(|revision| revision.value),
        };
        if template.date_record.is_some() {
            let span = section.span();
            let help = "leave `[parts]` out: what a record says there depends on the date record before it";
            self.error("template.bad_value", "files with date records have no parts".into(), file, &span, help);
        }
        template.parts = parts;
        section.finish(self.findings);
    }
}

/// `19-33` and `54`, from 1 with both ends, as a range from 0 without its end.
fn range_of(text: &str) -> Option<(usize, usize)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let from: usize = from.trim().parse().ok().filter(|from| (1..=100_000).contains(from))?;
    let to: usize = to.trim().parse().ok().filter(|to| (from..=100_000).contains(to))?;
    Some((from - 1, to))
}
