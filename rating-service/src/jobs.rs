//! Runs under way: one of a month at a time, with their progress, and why the last one was not made.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::error::{Problem, Result};
use crate::publish::Refusal;
use crate::publish::engine::{Phase, Progress, Teller};

/// The runs of a service.
#[derive(Debug, Default)]
pub struct Jobs(Mutex<BTreeMap<String, Job>>);

#[derive(Debug)]
struct Job {
    what: &'static str,
    progress: watch::Receiver<Progress>,
    running: bool,
    refusal: Option<Refusal>,
    /// The run that it came to, if that was there before.
    again: Option<String>,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run of a month.
    ///
    /// # Errors
    ///
    /// `month.running`, if one is under way.
    pub fn begin(&self, month: &str, what: &'static str) -> Result<Teller> {
        let mut jobs = self.lock();
        if let Some(job) = jobs.get(month).filter(|job| job.running) {
            return Err(Problem::new("month.running", format!("a {} of {month} is under way", job.what))
                .help("wait for its end"));
        }
        let (teller, progress) = watch::channel(Progress::default());
        jobs.insert(month.to_owned(), Job { what, progress, running: true, refusal: None, again: None });
        Ok(teller)
    }

    /// Ends a run of a month.
    pub fn end(&self, month: &str, refusal: Option<Refusal>) {
        if let Some(job) = self.lock().get_mut(month) {
            job.running = false;
            job.refusal = refusal;
        }
    }

    /// The run of a month that is under way: what it is, and how far.
    #[must_use]
    pub fn running(&self, month: &str) -> Option<(&'static str, Progress)> {
        let jobs = self.lock();
        let job = jobs.get(month).filter(|job| job.running)?;
        let progress = *job.progress.borrow();
        Some((job.what, progress))
    }

    /// Says that the run under way came to one that was there before: nothing had changed.
    pub fn came_to(&self, month: &str, run: &str) {
        if let Some(job) = self.lock().get_mut(month) {
            job.again = Some(run.to_owned());
        }
    }

    /// The run that the last check of a month came to, if that was there before.
    #[must_use]
    pub fn again(&self, month: &str) -> Option<String> {
        self.lock().get(month).and_then(|job| job.again.clone())
    }

    /// The progress of the last run of a month, to be watched.
    #[must_use]
    pub fn watch(&self, month: &str) -> Option<(&'static str, watch::Receiver<Progress>)> {
        self.lock().get(month).map(|job| (job.what, job.progress.clone()))
    }

    /// Why the last run of a month was not made.
    #[must_use]
    pub fn refusal(&self, month: &str) -> Option<Refusal> {
        self.lock().get(month).and_then(|job| job.refusal.clone())
    }
}

/// Whether a run is over.
#[must_use]
pub fn is_over(progress: &Progress) -> bool {
    progress.phase == Phase::Done
}
