//! Charts, drawn here as SVG: they take their colours from the style sheet and whatever width there is, and no letter is
//! scaled. Each stands beside a table with the same figures, and names them itself where one points.

use askama::Template;

/// A column of a chart, or a bar of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// What stands below it: `Oct`.
    pub label: String,
    /// And below that: the year, where one begins; may be empty.
    pub under: String,
    /// What it is and how much, as the table has it: `October 2026: 12.50 GBP`.
    pub figure: String,
    /// Its length, in any unit that all of them have.
    pub size: i128,
    /// Whether it may still change.
    pub is_provisional: bool,
}

/// Columns side by side, such as months.
#[derive(Template)]
#[template(path = "charts/columns.html")]
pub struct Columns {
    name: String,
    most: String,
    bars: Vec<Placed>,
}

/// Where something is drawn, in percent.
struct Placed {
    bar: Bar,
    x: String,
    y: String,
    width: String,
    height: String,
    middle: String,
}

/// Where the columns begin and end, in hundredths of a percent of the height.
const TOP: i128 = 1200;
const FOOT: i128 = 8000;
/// How many columns there is room for at least.
const SLOTS: i128 = 12;

/// Columns side by side. `name` says what they show, `most` how much the highest is.
#[must_use]
pub fn columns(name: &str, most: &str, bars: Vec<Bar>) -> Columns {
    let highest = bars.iter().map(|bar| bar.size).max().unwrap_or_default();
    // A few stand where they would stand among twelve, at the end.
    let count = i128::try_from(bars.len()).unwrap_or_default();
    let step = 10_000 / count.max(SLOTS);
    let bars = ((SLOTS - count).max(0)..).zip(bars).map(|(index, bar)| {
        let height = part(bar.size, highest, FOOT - TOP);
        Placed {
            x: percent(index * step + step * 15 / 100),
            width: percent(step * 70 / 100),
            y: percent(FOOT - height),
            height: percent(height),
            middle: percent(index * step + step / 2),
            bar,
        }
    });
    Columns { name: name.to_owned(), most: most.to_owned(), bars: bars.collect() }
}

/// How long a bar is, as a part of the longest, for the width of a `<rect>` beside its figure.
#[must_use]
pub fn share(size: i128, most: i128) -> String {
    percent(part(size, most, 10_000))
}

/// An hour of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hour {
    /// 1 (Monday) to 7.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// What it is and how much, as the table has it.
    pub figure: String,
    /// How much.
    pub size: i128,
}

/// Hours of the week: darker for more.
#[derive(Template)]
#[template(path = "charts/heat.html")]
pub struct Heat {
    name: String,
    days: Vec<(&'static str, String, String)>,
    ticks: Vec<(String, String)>,
    cells: Vec<Cell>,
}

struct Cell {
    x: String,
    y: String,
    figure: String,
    /// 1 (least) to 5.
    level: i128,
}

/// Days of the week, Monday first.
pub const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// How wide the days' names are, a cell is, and how high a row is, in hundredths of a percent.
const NAMES: i128 = 1000;
const CELL: i128 = 375;
const ROW: i128 = 1250;

/// Hours of the week. `name` says what they show; hours that are left out have nothing.
#[must_use]
pub fn heat(name: &str, hours: Vec<Hour>) -> Heat {
    let most = hours.iter().map(|hour| hour.size).max().unwrap_or_default();
    let cells = hours.into_iter().filter(|hour| hour.size > 0).map(|hour| Cell {
        x: percent(NAMES + i128::from(hour.hour) * CELL),
        y: percent((i128::from(hour.weekday) - 1) * ROW),
        level: part(hour.size, most, 50).div_euclid(10).clamp(0, 4) + 1,
        figure: hour.figure,
    });
    let cells = cells.collect();
    let days = (0..)
        .zip(DAYS)
        .map(|(row, day)| (day.get(..3).unwrap_or(day), percent(row * ROW), percent(row * ROW + ROW / 2)));
    let ticks = [0, 6, 12, 18].into_iter().map(|hour| (percent(NAMES + hour * CELL), format!("{hour:02}:00")));
    Heat { name: name.to_owned(), days: days.collect(), ticks: ticks.collect(), cells }
}

/// So much of a whole as a size is of the most.
fn part(size: i128, most: i128, whole: i128) -> i128 {
    if most <= 0 { 0 } else { size.max(0).saturating_mul(whole) / most }
}

/// Hundredths of a percent as a percentage.
fn percent(hundredths: i128) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(size: i128) -> Bar {
        Bar { label: "Oct".into(), under: String::new(), figure: format!("<{size}>"), size, is_provisional: false }
    }

    #[test]
    fn columns_are_as_high_as_their_figures() {
        // Of 68 % of the height: all, a quarter (17 %), and nothing for a credit.
        let drawn = columns("Spend", "400.00 GBP", vec![bar(400), bar(100), bar(-5)]).render().unwrap();
        for expected in ["height=\"68.00%\"", "height=\"17.00%\"", "height=\"0.00%\"", "<title>&#60;400&#62;</title>"] {
            assert!(drawn.contains(expected), "{expected}: {drawn}");
        }
        assert_eq!(share(1, 3), "33.33%");
        assert_eq!(share(5, 0), "0.00%", "nothing to compare with");
    }

    #[test]
    fn hours_are_darker_for_more() {
        let hour = |hour, size| Hour { weekday: 7, hour, figure: format!("{size} calls"), size };
        let drawn = heat("Calls", vec![hour(0, 1), hour(12, 50), hour(23, 100), hour(4, 0)]).render().unwrap();
        let at = |figure: &str| {
            let end = drawn.find(&format!("<title>{figure}</title>")).unwrap_or_else(|| panic!("{figure}: {drawn}"));
            drawn[..end].rfind("<rect").map(|start| drawn[start..end].to_owned()).unwrap()
        };
        // Sunday is the seventh row: 6 × 12.5 %; hour 12 stands 10 % + 12 × 3.75 % from the left.
        assert!(at("50 calls").contains("x=\"55.00%\" y=\"75.00%\""), "{}", at("50 calls"));
        for (figure, level) in [("1 calls", "level1"), ("50 calls", "level3"), ("100 calls", "level5")] {
            assert!(at(figure).contains(level), "{}", at(figure));
        }
        assert!(!drawn.contains("0 calls</title>\n<title>"), "an hour without calls is not drawn");
        assert_eq!(drawn.matches("<title>").count(), 3);
    }
}
