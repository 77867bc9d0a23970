//! What allowances and volume tiers make of the calls of a month: the ledgers are settled as in a run of it, for a call
//! alone does not tell what the calls before it have used.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::RunError;
use super::super::allowances::{self, Allowances, Found};
use super::super::aside::Store;
use super::super::calls::{self, Input};
use super::super::engine::{Arrived, Engine};
use super::super::inputs::OUTPUT_FOLDER;
use super::super::project::Project;
use super::super::spill::{GroupKey, RowBuffer, Rows};
use super::super::storage::Storage;
use crate::finding::Findings;
use crate::rating::allowance::Adjusted;
use crate::time::Month;

/// The settled months, each worked out when it is first asked for.
pub(super) struct SettledMonths<'s> {
    storage: &'s dyn Storage,
    project: &'s Project,
    inputs: &'s [Input],
    months: RefCell<BTreeMap<Month, BTreeMap<u64, Adjusted>>>,
}

impl<'s> SettledMonths<'s> {
    pub(super) const fn new(storage: &'s dyn Storage, project: &'s Project, inputs: &'s [Input]) -> Self {
        Self { storage, project, inputs, months: RefCell::new(BTreeMap::new()) }
    }

    /// What became of a call; `None` if nothing did.
    ///
    /// # Errors
    ///
    /// If the month's files, or what was published of the month before, cannot be read.
    pub(super) fn of(&self, month: Month, record: u64) -> Result<Option<Adjusted>, RunError> {
        if let Some(settled) = self.months.borrow().get(&month) {
            return Ok(settled.get(&record).copied());
        }
        let settled = self.settle(month)?;
        let found = settled.get(&record).copied();
        self.months.borrow_mut().insert(month, settled);
        Ok(found)
    }

    fn settle(&self, month: Month) -> Result<BTreeMap<u64, Adjusted>, RunError> {
        let out = self.project.root.join(OUTPUT_FOLDER);
        let (opening, _) = allowances::opening(self.storage, self.project, &out, month, &mut Findings::default())?;
        let Some(allowances) = Allowances::new(self.project, month, opening) else { return Ok(BTreeMap::new()) };
        let engine = Engine::new(self.project, month, None);
        let mut buffer = RowBuffer::default();
        calls::each(self.storage, &engine, self.inputs, &mut |found| {
            let suspended = found.suspended.map(crate::mediation::MediationReason::code);
            engine.finish(Arrived { call: found.call, suspended, hash: (0, 0) }, &mut buffer);
        })?;
        let run = buffer.set_aside(&mut Store::in_memory().appender())?;
        let rows = |key: GroupKey| {
            let of_key = run.stretches.iter().filter(|stretch| stretch.key == key);
            Rows::gather(key, of_key.map(|stretch| (&run, stretch))).map_err(RunError::from)
        };
        // Records equal to an earlier one are not among the rows.
        let none = |_: &crate::rating::CallRow<'_>| false;
        let keys: BTreeSet<GroupKey> = run.stretches.iter().map(|stretch| stretch.key).collect();
        let prepared = allowances.prepare(&keys, |_| false, None, rows, &engine, &none)?;
        let mut settled = BTreeMap::new();
        for key in keys.into_iter().filter(|key| allowances.concern(*key)) {
            let calls = match prepared.calls(key) {
                Some(calls) => calls.to_vec(),
                None => allowances.alone(key, &rows(key)?, &engine, &none, &mut Found::default()),
            };
            settled.extend(calls.into_iter().map(|call| (call.token, call)));
        }
        Ok(settled)
    }
}
