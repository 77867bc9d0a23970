//! A week of business hours, drawn.

use crate::wire::handling::{BusinessHours, WeeklySpan};

/// The days of a week: as the interface names them, and as people do.
pub(super) const DAYS: [(&str, &str); 7] = [
    ("monday", "Monday"),
    ("tuesday", "Tuesday"),
    ("wednesday", "Wednesday"),
    ("thursday", "Thursday"),
    ("friday", "Friday"),
    ("saturday", "Saturday"),
    ("sunday", "Sunday"),
];

/// Where the hours begin, in the drawing's units.
const LEFT: u32 = 34;
/// Units of an hour.
const HOUR: u32 = 12;
/// Units of a day.
const ROW: u32 = 20;

/// A span as it is drawn.
pub(super) struct Bar {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
}

/// A week as it is drawn: a row a day, from left to right the hours.
pub(super) struct Week {
    /// Short names of days, and where they stand.
    pub(super) days: Vec<(&'static str, u32)>,
    /// Hours, and where their lines stand.
    pub(super) hours: Vec<(u32, u32)>,
    /// When it is open.
    pub(super) bars: Vec<Bar>,
    /// The same in words, a day after the other.
    pub(super) words: String,
}

fn minutes(time: &str) -> u32 {
    let (hours, minutes) = time.split_once(':').unwrap_or((time, "0"));
    let number = |text: &str| text.parse::<u32>().unwrap_or(0).min(1440);
    (number(hours) * 60 + number(minutes)).min(1440)
}

impl Week {
    pub(super) fn of(hours: &BusinessHours) -> Self {
        let row = |day: &str| DAYS.iter().position(|(known, _)| *known == day).and_then(|row| u32::try_from(row).ok());
        let bars = hours.weekly.iter().filter_map(|span| {
            let (from, until) = (minutes(&span.from), minutes(&span.until));
            let width = until.saturating_sub(from) * HOUR / 60;
            Some(Bar { x: LEFT + from * HOUR / 60, y: row(&span.day)? * ROW + 3, width })
        });
        let of_day = |day: &str| {
            let mut spans: Vec<&WeeklySpan> = hours.weekly.iter().filter(|span| span.day == day).collect();
            spans.sort_by_key(|span| minutes(&span.from));
            let spans: Vec<String> = spans.iter().map(|span| format!("{} to {}", span.from, span.until)).collect();
            if spans.is_empty() { "closed".to_owned() } else { spans.join(" and ") }
        };
        // Days that follow each other with the same hours are said together.
        let days: Vec<(&str, String)> = DAYS.iter().map(|(day, name)| (*name, of_day(day))).collect();
        let words = days.chunk_by(|one, other| one.1 == other.1).filter_map(|same| {
            let (first, last) = (same.first()?, same.last()?);
            let name = if same.len() == 1 { first.0.to_owned() } else { format!("{} to {}", first.0, last.0) };
            Some(format!("{name}: {}", first.1))
        });
        Self {
            words: words.collect::<Vec<_>>().join("; "),
            bars: bars.collect(),
            days: (0..).zip(DAYS).map(|(row, (_, name))| (name.get(..3).unwrap_or(name), row * ROW + 14)).collect(),
            hours: (0..=4).map(|six| (six * 6, LEFT + six * 6 * HOUR)).collect(),
        }
    }

    /// The width of the drawing.
    pub(super) const fn width(&self) -> u32 {
        LEFT + 24 * HOUR + 8
    }

    /// Its height.
    pub(super) const fn height(&self) -> u32 {
        7 * ROW + 18
    }

    /// Where the hours are written.
    pub(super) const fn foot(&self) -> u32 {
        7 * ROW + 14
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(day: &str, from: &str, until: &str) -> WeeklySpan {
        WeeklySpan { day: day.to_owned(), from: from.to_owned(), until: until.to_owned() }
    }

    #[test]
    fn a_week_is_drawn_to_scale_and_said_in_words() {
        let weekly = vec![
            span("monday", "13:00", "18:00"),
            span("monday", "08:30", "12:00"),
            span("tuesday", "08:30", "18:00"),
            span("wednesday", "08:30", "18:00"),
            span("sunday", "18:00", "24:00"),
        ];
        let week = Week::of(&BusinessHours { weekly });
        // Half past eight is 8.5 hours of 12 units right of the names; three and a half hours are 42 units.
        let bars: Vec<(u32, u32, u32)> = week.bars.iter().map(|bar| (bar.x, bar.y, bar.width)).collect();
        assert_eq!(bars[1], (34 + 102, 3, 42));
        assert_eq!(bars[4], (34 + 216, 123, 72));
        assert_eq!(
            week.words,
            "Monday: 08:30 to 12:00 and 13:00 to 18:00; Tuesday to Wednesday: 08:30 to 18:00; \
             Thursday to Saturday: closed; Sunday: 18:00 to 24:00"
        );
    }
}
