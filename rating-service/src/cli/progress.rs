//! A progress bar on a terminal; nothing at all elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rating_core::run::Progress;

use super::run::thousands;

/// Shows records, rate and time left on standard error, if that is a terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    records: AtomicU64,
}

impl Bar {
    /// A bar that is not shown before the run begins.
    pub(super) fn new() -> Self {
        // `stderr` draws nothing when it is not a terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        Self { bar, records: AtomicU64::new(0) }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("#> "));
        }
    }
}

impl Progress for Bar {
    fn begin(&self, bytes: u64) {
        self.bar.set_length(bytes);
        self.bar.reset();
        self.style("rating  {msg}  [{wide_bar}] {percent}%  {eta} left");
        self.bar.set_message("0 records");
        self.bar.enable_steady_tick(std::time::Duration::from_millis(200));
    }

    fn advance(&self, records: u64, bytes: u64) {
        let total = self.records.fetch_add(records, Ordering::Relaxed) + records;
        self.bar.inc(bytes);
        let millis = u64::try_from(self.bar.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = total.saturating_mul(1_000) / millis;
        self.bar.set_message(format!("{} records, {} a second", thousands(total), thousands(rate)));
    }

    fn writing(&self) {
        let total = self.records.load(Ordering::Relaxed);
        self.style("writing the reports  {msg}  {elapsed}");
        self.bar.set_message(format!("{} records", thousands(total)));
    }
}
