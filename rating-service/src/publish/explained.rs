//! Why a call of a version costs what it costs: the engine explains it from the very project that the version was made from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rating_core::run::explain::{self, Audience as Reader, Explanation, Options};
use rating_core::run::storage::Disk;
use tokio::sync::Semaphore;

use super::published::Version;
use super::refusal::{Refusal, Result};
use super::{project, runs};

/// Explanations that are worked out at once; each reads files of the switches.
const AT_ONCE: usize = 2;
/// Explanations that are kept: a version never changes, and people come back to what they looked at.
const KEPT: usize = 64;

/// What an explanation was made for: the run, the place of the record, for whom.
type Key = (String, String, &'static str);

/// Explains calls.
pub struct Explainer {
    data: PathBuf,
    room: Arc<Semaphore>,
    kept: Mutex<Vec<(Key, Arc<Explanation>)>>,
}

impl Explainer {
    /// Explains calls of a data folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), room: Arc::new(Semaphore::new(AT_ONCE)), kept: Mutex::default() }
    }

    /// Explains the call of a record, `cdr/ldn-pbx/m.csv` and offset, to whoever reads it.
    ///
    /// # Errors
    ///
    /// `publish.not_available` if the project is gone that the version was made from; else what the engine refuses.
    pub async fn explain(
        &self,
        version: &Version,
        file: &str,
        offset: i64,
        reader: Reader,
    ) -> Result<Arc<Explanation>> {
        let call = format!("{file}@{offset}");
        let key = (version.run.clone(), call.clone(), reader.name());
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let _room = self.room.acquire().await.map_err(Refusal::internal)?;
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let kept = runs::read(&Disk, &self.data, &version.run)?;
        let folder = kept.and_then(|kept| project::folder_of(&Disk, &self.data, &kept.project));
        let folder = folder.ok_or_else(|| {
            Refusal::new("publish.not_available", format!("the project is gone that `{}` was made from", version.run))
                .help("run the month again")
        })?;
        let inputs: BTreeSet<String> = version.inputs().into_keys().collect();
        let explained = tokio::task::spawn_blocking(move || {
            let options = Options { audience: reader, inputs: Some(inputs), ..Options::new(folder, call) };
            explain::explain(&Disk, &options)
        });
        let explained = Arc::new(explained.await.map_err(Refusal::internal)??);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((key, Arc::clone(&explained)));
        if kept.len() > KEPT {
            kept.remove(0);
        }
        Ok(explained)
    }

    fn known(&self, key: &Key) -> Option<Arc<Explanation>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == key).map(|(_, explained)| Arc::clone(explained))
    }
}
