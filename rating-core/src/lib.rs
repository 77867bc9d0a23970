//! Exact rating of telephone calls: call detail records in, charges and monthly reports out.
//!
//! # Goals
//!
//! - Exact: prices, durations and charges are integers and exact ratios; a charge is rounded once, by a named rule.
//! - Dated: who held a number, who is on which tariff, what a row costs, all at the instant of the answer.
//! - Whole: every record is accounted for; what cannot be priced is suspended under a code, never free and never guessed.
//! - Repeatable: the same inputs give the same bytes, whatever the threads, the order of files, the machine, the date.
//! - Quick: records borrow from their buffer, numbers are one word, and nothing is allocated for a record on its way from
//!   bytes to charges.
//!
//! # Non-goals
//!
//! Fetching files, sending invoices, stopping fraud as it happens, converting charges between currencies.
//!
//! # A tour
//!
//! Data climbs one floor at a time, and each floor names only those below it (a test holds that). Beside three of them
//! stands what they look things up in:
//!
//! | floor | module | from | to | beside it |
//! | --- | --- | --- | --- | --- |
//! | ground | [`cdr`] | bytes | [`cdr::Cdr`], or a [`cdr::Reject`] with its place | |
//! | 1 | [`mediation`] | `Cdr` | [`mediation::Call`]: times, direction, parties | [`mediation::dial_plan`]: how digits are read |
//! | 2 | [`attribution`] | `Call` | [`attribution::AttributedCall`]: who pays | [`directory`]: who held what, when |
//! | 3 | [`rating`] | `AttributedCall` | [`rating::RatedCall`]: two charges | [`tariff`]: prices; [`assignment`]: who is on which |
//! | 4 | [`aggregation`] | rated calls | [`aggregation::Aggregate`]: sums that merge in any order | |
//! | 5 | [`report`] | sums and rows | CSV and Parquet | |
//! | roof | [`run`] | a project's folder | a published month | |
//!
//! Below them all lies the foundation: exact [`money`], packed [`number`]s, [`time`] in integers, [`ids`] for names, the
//! [`source`] of a record, and the [`finding`]s that tell people what is wrong with their files.
//!
//! **From the roof down** is how most programs come in, by one of three doors: [`run::month`](fn@run::month) publishes a
//! month; [`run::batch`] rates calls that the program itself has, as records, bytes or Arrow record batches; [`run::quote`]
//! asks one tariff what a call costs. [`run::explain`] shows the sum behind any charge, [`run::check`] what is wrong with a
//! project. All of them stand on the same functions: there is one way to price a call.
//!
//! **From the ground up** is how to understand a charge: start at [`cdr::open`], and follow the second example below.
//!
//! # Example: a month
//!
//! [`run::month`](fn@run::month) runs a project; [`run::check`] finds what is wrong with one.
//!
//! ```
//! use rating_core::run::{self, Options, Silent, storage::Disk};
//! use rating_core::time::Month;
//!
//! let mut options = Options::new("../testdata/demo", Month::parse("2026-10").unwrap());
//! options.dry_run = true; // write nothing
//! let summary = run::month(&Disk, &options, &Silent)?;
//! assert_eq!((summary.records.records, summary.calls.calls, summary.calls.suspended), (42, 36, 4));
//! assert_eq!(summary.suspended[0].code, "attribution.extension_unknown");
//! # Ok::<(), run::RunError>(())
//! ```
//!
//! # Example: one call, floor by floor
//!
//! ```
//! use rating_core::attribution::attribute;
//! use rating_core::ids::SourceId;
//! use rating_core::mediation::Mediated;
//! use rating_core::rating::{Outcome, Rater};
//! use rating_core::run::{project::Project, storage::{Disk, Storage}};
//!
//! let (project, findings) = Project::load(&Disk, "../testdata/demo".as_ref(), None).unwrap();
//! assert!(!findings.has_errors());
//! let project = project.unwrap();
//!
//! // The first record of the first source's file.
//! let source = SourceId(0);
//! let file = &project.files_of(&Disk, source).unwrap().files[0];
//! let bytes = Disk.read(&project.root.join(file)).unwrap();
//! let (format, options) = &project.formats[source.index()];
//! let reader = rating_core::cdr::open(*format, options, &bytes, true).unwrap();
//! let record = reader.records(0, 0, &bytes, true).next().unwrap().unwrap();
//!
//! // What happened: 61 seconds to Manchester.
//! let Mediated::Call(call) = project.mediators[source.index()].mediate(&record) else { panic!("a call") };
//! assert_eq!(call.called.e164().unwrap().to_string(), "+441614960123");
//!
//! // Who pays: the holder of extension 2001 at the answer.
//! let call = attribute(&call, &project.directory);
//! assert_eq!(project.directory.payers()[call.holder.unwrap().payer.index()].id, "acme");
//!
//! // What it costs: 61 s × 2.4p ÷ 60 + 3p = 5.44p, up to a tenth of a penny; and what the carrier charges.
//! let rated = Rater::new(&project.book, &project.assignments).rate(call);
//! let charge = |outcome| match outcome {
//!     Outcome::Rated(priced) => priced.charge.to_string(),
//!     Outcome::NotChargeable(code) | Outcome::Suspended(code) => code.to_owned(),
//! };
//! assert_eq!(charge(rated.retail.outcome), "0.055");
//! assert_eq!(charge(rated.wholesale.outcome), "0.00427");
//! ```
//!
//! # Example: a call of your own
//!
//! ```
//! use rating_core::rating::Outcome;
//! use rating_core::run::batch::{Desk, PlainCall};
//! use rating_core::run::{project::Project, storage::Disk};
//! use rating_core::time::{Duration, Instant};
//!
//! let (project, _) = Project::load(&Disk, "../testdata/demo".as_ref(), None).unwrap();
//! let project = project.unwrap();
//! let desk = Desk::new(&project).unwrap(); // shared by threads
//!
//! let at = Instant::parse_rfc3339("2026-10-01T08:15:09Z").unwrap();
//! let call = PlainCall::answered(desk.site("ldn").unwrap(), at, Duration::from_seconds(61));
//! let row = desk.call(&PlainCall { calling: b"2001", called: b"901614960123", ..call }).unwrap();
//! assert!(matches!(row.retail.outcome, Outcome::Rated(priced) if priced.charge.to_string() == "0.055"));
//! ```
//!
//! # Where the rules are unclear, and how they are read here
//!
//! - **Which instant counts?** The answer, for everything; the set-up of a call never answered. Calls are not split.
//! - **What is answered?** What the switch calls so and has talk time. Either alone is not.
//! - **A time that the clock shows twice, or never?** Evidence first (epochs, the record's own arithmetic). Without any,
//!   both readings are rated: if they agree, the earlier is taken and flagged; if not, the call is suspended.
//! - **A forwarded call?** Whoever sent it on pays for the leg to the outside.
//! - **Two records alike?** Equal by the format's exact key is one record; nearly equal is two, and listed.
//! - **A short prefix and a premium number?** Do not match, unless the tariff says so.
//! - **No wholesale price?** The occupier is charged all the same; the margin is blank, not zero.
//! - **Inbound and internal calls?** Not chargeable; internal ones are if a row says so. Emergency calls never are.
//!
//! # Limitations
//!
//! Sites are in the countries that [`mediation::dial_plan`] knows; calls go to any. Allowances are of the retail side. Charges
//! are never converted between currencies. A call belongs to one month as a whole. Unix only ([`run::storage::Disk`]). A
//! record is at most 1 MiB, a call seven days, a number fifteen digits, a charge about 922 million units of its currency.
//!
//! # Features
//!
//! - `parquet` (on by default): Parquet reports, and what reads published ones again.
//! - `arrow` (with `parquet`, or by itself): Arrow record batches in [`run::batch`].
//!
//! Without them everything else works and builds in a fraction of the time.
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test that cannot go on must fail loudly"
    )
)]

pub mod aggregation;
pub mod assignment;
pub mod attribution;
pub mod cdr;
pub mod directory;
pub mod finding;
pub mod ids;
pub mod mediation;
pub mod money;
pub mod number;
pub mod rating;
pub mod report;
pub mod run;
pub mod source;
pub mod tariff;
pub mod time;

/// Prose whose examples are compiled and run as tests.
#[cfg(doctest)]
mod prose {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/pipeline.md")]
    struct Pipeline;
    #[cfg(feature = "arrow")]
    #[doc = include_str!("../../docs/embedding.md")]
    struct Embedding;
}
