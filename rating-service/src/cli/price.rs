//! `rating price`: calls as JSON Lines in, prices as JSON Lines out.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use rating_core::money::Currency;
use rating_core::run::RunError;
use rating_core::run::quote::cgrates::{CgratesOptions, CgratesQuoter};
use rating_core::run::quote::lines::{Lines, Quotes};
use rating_core::run::quote::{Options, Quoter};
use rating_core::run::storage::Disk;
use rating_core::tariff::calendar;
use rating_core::time::{Date, Zone};

use super::terminal::{complain, line};
use super::{Exit, run};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating price --tariff retail.toml < calls.jsonl
  rating price --tariff tariffs/*.toml --id retail-gb --zone Europe/London < calls.jsonl > priced.jsonl
  rating price --from cgrates tariffplan/ --currency EUR < calls.jsonl
  echo '{\"id\":\"1\",\"called\":\"+442079460958\",\"answered_at\":\"2026-07-01T12:00:00Z\",\"duration\":\"75s\"}' |
    rating price --tariff retail.toml";

/// No call is longer than this, in bytes of its line.
const LONGEST_LINE: u64 = 1 << 20;

/// Arguments of `rating price`.
#[derive(Debug, Args)]
pub(super) struct PriceArguments {
    /// Settings files of tariffs; their decks stand beside them
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "from")]
    tariff: Vec<PathBuf>,
    /// Another system's price list as it stands; known is `cgrates` with a folder of CGRateS 0.x tariff-plan files
    #[arg(long, value_names = ["KIND", "DIR"], num_args = 2, conflicts_with_all = ["tariff", "id"])]
    from: Vec<PathBuf>,
    /// What the amounts of another system's price list are in, where it does not say
    #[arg(long, value_name = "CURRENCY", value_parser = currency, requires = "from")]
    currency: Option<Currency>,
    /// Which tariff, if the files hold several
    #[arg(long, value_name = "TARIFF")]
    id: Option<String>,
    /// Settings files of the carrier's tariff, for rows that mark up what the carrier charges
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "from")]
    wholesale: Vec<PathBuf>,
    /// The clock of the site, for tariffs that go by it [default: UTC]; SITE=ZONE for a site that calls name
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Vec<(Option<String>, Zone)>,
    /// The holidays of the site, for tariffs that ask for them: GB-ENG; SITE=CALENDAR for a site that calls name
    #[arg(long, value_name = "CALENDAR", value_parser = holidays)]
    holidays: Vec<(Option<String>, Calendar)>,
    /// Whose dial plan reads the numbers
    #[arg(long, value_name = "COUNTRY", default_value = "GB")]
    country: String,
}

/// The days of a built-in calendar.
type Calendar = std::sync::Arc<[Date]>;

fn holidays(text: &str) -> Result<(Option<String>, Calendar), String> {
    let (site, id) = text.split_once('=').map_or((None, text), |(site, id)| (Some(site.to_owned()), id));
    let unknown = || format!("there is no calendar `{id}`: {}", calendar::suggestion(id));
    Ok((site, calendar::dates(id).ok_or_else(unknown)?.into()))
}

fn zone(text: &str) -> Result<(Option<String>, Zone), String> {
    let (site, name) = text.split_once('=').map_or((None, text), |(site, name)| (Some(site.to_owned()), name));
    let zone = Zone::load(name).ok_or_else(|| format!("`{name}` is no IANA time zone such as Europe/London"))?;
    Ok((site, zone))
}

fn currency(code: &str) -> Result<Currency, String> {
    Currency::parse(code).ok_or_else(|| format!("`{code}` is no ISO 4217 code such as EUR"))
}

pub(super) fn price(arguments: &PriceArguments) -> Exit {
    if let [kind, folder] = arguments.from.as_slice() {
        return price_from(kind, folder, arguments);
    }
    let mut options = Options::new(arguments.tariff.clone());
    options.id.clone_from(&arguments.id);
    options.wholesale.clone_from(&arguments.wholesale);
    options.country.clone_from(&arguments.country);
    for (site, zone) in &arguments.zone {
        match site {
            Some(site) => options.sites.push((site.clone(), zone.clone())),
            None => options.zone = zone.clone(),
        }
    }
    options.holidays = arguments.holidays.iter().map(|(site, days)| (site.clone(), days.to_vec())).collect();
    let quoter = match Quoter::open(&Disk, &options) {
        Ok((quoter, warnings)) => {
            run::show_warnings(&warnings);
            quoter
        }
        Err(error) => return run::fail(&error, false),
    };
    answer(&quoter)
}

/// By another system's price list.
fn price_from(kind: &Path, folder: &Path, arguments: &PriceArguments) -> Exit {
    if kind != Path::new("cgrates") {
        let message = format!("there is no kind `{}` to price from; there is `cgrates`", kind.display());
        return run::fail(&RunError::Usage(message), false);
    }
    let mut options = CgratesOptions::new(folder.to_owned());
    options.currency = arguments.currency.unwrap_or(Currency::NONE);
    for (site, zone) in &arguments.zone {
        match site {
            Some(site) => options.sites.push((site.clone(), zone.clone())),
            None => options.zone = Some(zone.clone()),
        }
    }
    match CgratesQuoter::open(&Disk, &options) {
        Ok((quoter, warnings)) => {
            run::show_warnings(&warnings);
            answer(&quoter)
        }
        Err(error) => run::fail(&error, false),
    }
}

/// Answers standard input.
fn answer(quotes: &dyn Quotes) -> Exit {
    let mut lines = Lines::new(quotes);
    match answer_all(&mut lines) {
        Ok(()) => {}
        Err(Stopped::Reading(error)) => {
            complain(&format!("error: cannot read standard input: {error}\n"));
            return Exit::Storage;
        }
        // A reader that has seen enough (`| head`) is no error.
        Err(Stopped::Writing(error)) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(Stopped::Writing(error)) => {
            complain(&format!("error: cannot write to standard output: {error}\n"));
            return Exit::Storage;
        }
    }
    let (bad, first) = lines.bad();
    let Some((number, fault)) = first else { return Exit::Ok };
    let column = if fault.column > 0 { format!(":{}", fault.column) } else { String::new() };
    complain(&format!(
        "{} no call, the first at line {number}{column}: {}\n",
        if bad == 1 { "1 line is".to_owned() } else { format!("{} lines are", run::thousands(bad)) },
        line(&fault.message)
    ));
    Exit::AboveLimit
}

enum Stopped {
    Reading(io::Error),
    Writing(io::Error),
}

/// Answers standard input line by line. What has been answered is written before more input is waited for, so a program
/// may ask and listen in turns.
fn answer_all(lines: &mut Lines<'_>) -> Result<(), Stopped> {
    let mut input = BufReader::with_capacity(1 << 16, io::stdin().lock());
    let mut output = io::stdout().lock();
    let (mut line, mut answers) = (Vec::new(), Vec::with_capacity(1 << 17));
    loop {
        line.clear();
        let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(Stopped::Reading)?;
        if read == 0 {
            break;
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
            skip_line(&mut input).map_err(Stopped::Reading)?;
            lines.too_long(&mut answers);
        } else {
            lines.answer(&line, &mut answers);
        }
        if input.buffer().is_empty() || answers.len() >= 1 << 16 {
            output.write_all(&answers).and_then(|()| output.flush()).map_err(Stopped::Writing)?;
            answers.clear();
        }
    }
    output.write_all(&answers).and_then(|()| output.flush()).map_err(Stopped::Writing)
}

/// Passes over the rest of a line, however long, without keeping it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}
