//! Tables made from texts, as the machine profile of CSV writes them: for whoever shows a part of a published report in
//! another form.

use std::sync::Arc;

use super::batch::{Batch, ColumnSpec, Kind, Schema, Totals};
use super::cells::Column;
use super::column;
use crate::aggregation::Elapsed;
use crate::money::{LEDGER_SCALE, PRICE_SCALE, Price, Total};
use crate::time::Instant;

/// Rows of texts, column by column.
///
/// # Example
///
/// ```
/// use rating_core::report::{Kind, TextRows};
/// let mut rows = TextRows::new("calls", &[("called", Kind::Number), ("cost", Kind::Amount)]);
/// rows.push(&[Some("+442079460958"), Some("0.05")])?;
/// assert_eq!(rows.push(&[None, Some("five pence")]), Err("cost"));
/// assert_eq!(rows.finish().rows(), 1);
/// # Ok::<(), &'static str>(())
/// ```
pub struct TextRows {
    schema: Arc<Schema>,
    columns: Vec<Cells>,
    rows: usize,
}

enum Cells {
    Text(column::Text),
    Number(column::Number),
    Integer(column::Integer),
    Amount(column::Amount),
    Price(column::Price),
    Decimal(column::Decimal),
    Seconds(column::Seconds),
    Instant(column::Moment),
    Boolean(column::Boolean),
}

/// What a text says.
enum Value<'t> {
    Text(Option<&'t str>),
    Whole(Option<u64>),
    Wide(Option<i128>),
    Price(Option<Price>),
    Instant(Option<Instant>),
    Boolean(Option<bool>),
}

impl TextRows {
    /// A table of these columns, without rows.
    #[must_use]
    pub fn new(name: &'static str, columns: &[(&'static str, Kind)]) -> Self {
        let specs = columns.iter().map(|(name, kind)| ColumnSpec { name, kind: *kind, required: false }).collect();
        let cells = columns.iter().map(|(_, kind)| Cells::of(*kind)).collect();
        Self { schema: Arc::new(Schema { name, columns: specs, totals: Totals::None }), columns: cells, rows: 0 }
    }

    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row; cells that are missing are null.
    ///
    /// # Errors
    ///
    /// The name of the first column whose text is not of its kind. The row is not added.
    pub fn push(&mut self, cells: &[Option<&str>]) -> Result<(), &'static str> {
        let texts = cells.iter().copied().chain(std::iter::repeat(None));
        let values = self.schema.columns.iter().zip(texts);
        let values: Vec<Value<'_>> =
            values.map(|(spec, text)| Value::read(spec.kind, text).ok_or(spec.name)).collect::<Result<_, _>>()?;
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(&value);
        }
        self.rows += 1;
        Ok(())
    }

    /// The table.
    #[must_use]
    pub fn finish(self) -> Batch {
        Batch::new(self.schema, self.columns.into_iter().map(Cells::into_column).collect(), 0)
    }
}

impl<'t> Value<'t> {
    fn read(kind: Kind, said: Option<&'t str>) -> Option<Self> {
        let units = |scale: u32| said.map(|text| decimal(text, scale)).map_or(Some(None), |units| units.map(Some));
        Some(match kind {
            Kind::Text | Kind::Number => Self::Text(said),
            Kind::Integer => Self::Whole(said.map(str::parse).transpose().ok()?),
            Kind::Amount => Self::Wide(units(LEDGER_SCALE)?),
            Kind::Decimal => Self::Wide(units(PRICE_SCALE)?),
            Kind::Seconds => Self::Wide(units(3)?),
            Kind::Price => {
                let units = units(PRICE_SCALE)?.map(i64::try_from).transpose().ok()?;
                Self::Price(units.map(Price::from_units))
            }
            Kind::Instant => match said {
                Some(text) => Self::Instant(Some(Instant::parse_rfc3339(text)?)),
                None => Self::Instant(None),
            },
            Kind::Boolean => Self::Boolean(match said {
                Some("true") => Some(true),
                Some("false") => Some(false),
                Some(_) => return None,
                None => None,
            }),
        })
    }
}

impl Cells {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(column::Text::default()),
            Kind::Number => Self::Number(column::Number::default()),
            Kind::Integer => Self::Integer(column::Integer::default()),
            Kind::Amount => Self::Amount(column::Amount::default()),
            Kind::Price => Self::Price(column::Price::default()),
            Kind::Decimal => Self::Decimal(column::Decimal::default()),
            Kind::Seconds => Self::Seconds(column::Seconds::default()),
            Kind::Instant => Self::Instant(column::Moment::default()),
            Kind::Boolean => Self::Boolean(column::Boolean::default()),
        }
    }

    /// A value is of its column's kind, having been read for it.
    fn push(&mut self, value: &Value<'_>) {
        match (self, value) {
            (Self::Text(column), Value::Text(text)) => column.push(text.map(str::as_bytes)),
            (Self::Number(column), Value::Text(text)) => column.push_text(text.map(str::as_bytes)),
            (Self::Integer(column), Value::Whole(whole)) => column.push(*whole),
            (Self::Amount(column), Value::Wide(units)) => column.push(units.map(Total::from_units)),
            (Self::Decimal(column), Value::Wide(units)) => column.push(*units),
            (Self::Seconds(column), Value::Wide(units)) => column.push(units.map(Elapsed::from_millis)),
            (Self::Price(column), Value::Price(price)) => column.push(*price),
            (Self::Instant(column), Value::Instant(instant)) => column.push(*instant),
            (Self::Boolean(column), Value::Boolean(boolean)) => column.push(*boolean),
            _ => {}
        }
    }

    fn into_column(self) -> Column {
        match self {
            Self::Text(column) => column.into_column(),
            Self::Number(column) => column.into_column(),
            Self::Integer(column) => column.into_column(),
            Self::Amount(column) => column.into_column(),
            Self::Price(column) => column.into_column(),
            Self::Decimal(column) => column.into_column(),
            Self::Seconds(column) => column.into_column(),
            Self::Instant(column) => column.into_column(),
            Self::Boolean(column) => column.into_column(),
        }
    }
}

/// A decimal number in units of 10⁻ˢᶜᵃˡᵉ; `None` if it is none, or has more decimals.
fn decimal(text: &str, scale: u32) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = scale as usize;
    if whole.is_empty()
        || fraction.len() > scale
        || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    format!("{whole}{fraction:0<scale$}").parse::<i128>().ok().map(|units| sign * units)
}

#[cfg(test)]
mod tests {
    use super::super::csv::{Profile, write};
    use super::*;

    const COLUMNS: [(&str, Kind); 9] = [
        ("name", Kind::Text),
        ("called", Kind::Number),
        ("calls", Kind::Integer),
        ("cost", Kind::Amount),
        ("rate", Kind::Price),
        ("day", Kind::Decimal),
        ("duration_s", Kind::Seconds),
        ("at", Kind::Instant),
        ("answered", Kind::Boolean),
    ];

    #[test]
    fn what_machine_csv_says_comes_back_as_it_was() {
        let rows = [
            [
                "a,b",
                "+442079460958",
                "3",
                "-0.0425",
                "2.40",
                "0.333333333333",
                "61.5",
                "2026-10-25T01:29:50+00:00",
                "true",
            ],
            [
                "=1+1",
                "0201",
                "0",
                "12345678901234567890.00",
                "0.00",
                "7",
                "0",
                "2026-10-01T00:00:00.250+00:00",
                "false",
            ],
        ];
        let mut table = TextRows::new("test", &COLUMNS);
        for row in rows {
            table.push(&row.map(Some)).unwrap();
        }
        table.push(&[Some("")]).unwrap();
        let mut out = Vec::new();
        write(&table.finish().view(), Profile::Machine, &mut out);
        let text = String::from_utf8(out).unwrap();
        let expected = "name,called,calls,cost,rate,day,duration_s,at,answered\r\n\
            \"a,b\",+442079460958,3,-0.0425,2.40,0.333333333333,61.5,2026-10-25T01:29:50+00:00,true\r\n\
            =1+1,0201,0,12345678901234567890.00,0.00,7,0,2026-10-01T00:00:00.250+00:00,false\r\n\
            \"\",,,,,,,,\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_text_of_another_kind_is_refused_with_its_column() {
        for (at, bad) in
            [(2, "-1"), (3, "1e2"), (3, "0.00000000001"), (4, "x"), (6, "1.0001"), (7, "yesterday"), (8, "yes")]
        {
            let mut row = [None; 9];
            row[at] = Some(bad);
            let mut table = TextRows::new("test", &COLUMNS);
            assert_eq!(table.push(&row), Err(COLUMNS[at].0), "{bad}");
            assert!(table.is_empty());
        }
    }
}
