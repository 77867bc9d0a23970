//! `rating explain`: why a call costs what it costs.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rating_core::run::RunError;
use rating_core::run::explain::{self, Audience, Options, Sides};
use rating_core::run::storage::{Disk, failed};
use rating_core::time::Instant;

use super::{Exit, instant, run, say};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating explain testdata/demo 1790842502.66
  rating explain testdata/demo cdr/ldn/Master-2026-10.csv@0 --side retail
  rating explain testdata/demo 1790842502.66 --audience occupier --format json
  rating explain testdata/demo --all --format json | python3 testdata/explain/recompute.py";

/// Arguments of `rating explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The project's folder (with its rating.toml)
    project: PathBuf,
    /// The call: its id in an itemised report, or FILE@OFFSET of its record
    #[arg(required_unless_present = "all")]
    call: Option<String>,
    /// Every call, one after the other; in JSON, one line each
    #[arg(long, conflicts_with = "call")]
    all: bool,
    /// For whom; an occupier's explanation has its own side alone
    #[arg(long, value_enum, default_value_t = For::Operator)]
    audience: For,
    /// Text for people, or JSON from which the price can be worked out again
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Which side
    #[arg(long, value_enum, default_value_t = Side::Both)]
    side: Side,
    /// Use the directory as it was known at this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    known_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum For {
    Operator,
    Occupier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    Retail,
    Wholesale,
    Both,
}

pub(super) fn explain(arguments: &ExplainArguments) -> Exit {
    let mut options = Options::new(arguments.project.clone(), arguments.call.clone().unwrap_or_default());
    options.known_at = arguments.known_at;
    options.audience = match arguments.audience {
        For::Operator => Audience::Operator,
        For::Occupier => Audience::Occupier,
    };
    options.sides = match arguments.side {
        Side::Retail => Sides::Retail,
        Side::Wholesale => Sides::Wholesale,
        Side::Both => Sides::Both,
    };
    let as_json = arguments.format == Format::Json;
    if arguments.all {
        return each(&options, as_json);
    }
    match explain::explain(&Disk, &options) {
        Ok(explanation) if as_json => match serde_json::to_string_pretty(&explanation) {
            Ok(text) => say(&format!("{text}\n"), Exit::Ok),
            Err(error) => say(&format!("error: {error}\n"), Exit::Internal),
        },
        Ok(explanation) => say(&explanation.to_string(), Exit::Ok),
        Err(error) => run::fail(&error, as_json),
    }
}

/// Every call, written as it comes.
fn each(options: &Options, as_json: bool) -> Exit {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut first = true;
    let done = explain::each(&Disk, options, &mut |explanation| {
        let written = if as_json {
            serde_json::to_writer(&mut output, &explanation)
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(output))
        } else {
            let blank = if std::mem::take(&mut first) { "" } else { "\n" };
            write!(output, "{blank}{explanation}")
        };
        written.map_err(|error| failed("write to", Path::new("standard output"), error).into())
    });
    let flushed = output.flush().map_err(|error| failed("write to", Path::new("standard output"), error).into());
    match done.and(flushed) {
        Ok(()) => Exit::Ok,
        // A reader that has seen enough (`| head`) is no error.
        Err(RunError::Storage(error)) if error.error.kind() == ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => run::fail(&error, false),
    }
}
