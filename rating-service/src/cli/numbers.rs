//! `rating numbers`: how a dial plan reads numbers, and what the numbering plans say of them.

use std::io::{self, BufRead, ErrorKind, Write};

use clap::Args;
use rating_core::number::Digits;
use rating_core::run::numbers::{HEADER, Numbers, Options};

use super::terminal::complain;
use super::{Exit, run};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating numbers +442079460958 +33612345678
  rating numbers --country AR 0111545678901
  rating numbers --country GB --outside-line 9 --area-code 20 9999 979460958
  rating numbers < numbers.txt > described.csv";

/// Arguments of `rating numbers`.
#[derive(Debug, Args)]
pub(super) struct NumbersArguments {
    /// The numbers [default: the lines of standard input]
    numbers: Vec<String>,
    /// Whose dial plan reads them (ISO 3166-1); without it they are international numbers
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    /// The site's area code without national prefix, for local numbers
    #[arg(long, value_name = "DIGITS", value_parser = digits, requires = "country")]
    area_code: Option<Digits>,
    /// The site's outside-line codes
    #[arg(long, value_name = "DIGITS", value_parser = digits, requires = "country")]
    outside_line: Vec<Digits>,
}

fn digits(text: &str) -> Result<Digits, String> {
    Digits::parse(text.as_bytes()).filter(|digits| !digits.is_empty()).ok_or_else(|| "give 1 to 15 digits".to_owned())
}

pub(super) fn numbers(arguments: &NumbersArguments) -> Exit {
    let numbers = match &arguments.country {
        None => Numbers::international(),
        Some(country) => {
            let (area_code, outside_line) = (arguments.area_code, arguments.outside_line.clone());
            match Numbers::dialled(&Options { country: country.clone(), area_code, outside_line }) {
                Ok(numbers) => numbers,
                Err(error) => return run::fail(&error, false),
            }
        }
    };
    match answer(&numbers, &arguments.numbers) {
        Ok(()) => Exit::Ok,
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => {
            complain(&format!("error: cannot read or write: {error}\n"));
            Exit::Storage
        }
    }
}

fn answer(numbers: &Numbers, texts: &[String]) -> io::Result<()> {
    const ENOUGH: usize = 1 << 16;
    let mut output = io::stdout().lock();
    let mut answers = Vec::with_capacity(2 * ENOUGH);
    answers.extend_from_slice(HEADER.as_bytes());
    if texts.is_empty() {
        for line in io::stdin().lock().split(b'\n') {
            let line = line?;
            numbers.answer(line.strip_suffix(b"\r").unwrap_or(&line), &mut answers);
            if answers.len() >= ENOUGH {
                output.write_all(&answers)?;
                answers.clear();
            }
        }
    }
    for text in texts {
        numbers.answer(text.as_bytes(), &mut answers);
    }
    output.write_all(&answers).and_then(|()| output.flush())
}
