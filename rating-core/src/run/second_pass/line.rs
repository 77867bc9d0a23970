//! Work in parallel, results in order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard};

use crate::run::RunError;

/// How many results, for each thread, may wait for one that comes before them.
const AHEAD: usize = 3;

struct State<T> {
    /// What is taken next.
    next: usize,
    /// What is handed over next.
    due: usize,
    waiting: BTreeMap<usize, T>,
    handing: bool,
    error: Option<RunError>,
}

/// A lock whose holder panicked protects nothing that a run that is failing anyway still needs.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Does `work` for 0 to `count` on all threads of the current pool, and hands what comes of it to `sink` in that order, one
/// at a time. How many results wait for their turn is bounded.
///
/// # Errors
///
/// The first that `work` or `sink` meets; nothing further is begun.
pub(super) fn in_order<T: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, RunError> + Sync,
    sink: impl FnMut(T) -> Result<(), RunError> + Send,
) -> Result<(), RunError> {
    let threads = rayon::current_num_threads();
    let state = Mutex::new(State { next: 0, due: 0, waiting: BTreeMap::new(), handing: false, error: None });
    let (ready, sink) = (Condvar::new(), Mutex::new(sink));
    let fail = |error| {
        locked(&state).error.get_or_insert(error);
        ready.notify_all();
    };
    let take = || {
        let mut now = locked(&state);
        loop {
            if now.error.is_some() || now.next >= count {
                return None;
            }
            if now.next < now.due + AHEAD * threads {
                now.next += 1;
                return Some(now.next - 1);
            }
            now = ready.wait(now).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    };
    let worker = || {
        while let Some(index) = take() {
            let done = match work(index) {
                Ok(done) => done,
                Err(error) => return fail(error),
            };
            let mut now = locked(&state);
            now.waiting.insert(index, done);
            // Whoever brings what is due hands over all that waited for it.
            while !now.handing && now.error.is_none() {
                let due = now.due;
                let Some(done) = now.waiting.remove(&due) else { break };
                now.handing = true;
                drop(now);
                let handed = (locked(&sink))(done);
                now = locked(&state);
                now.handing = false;
                now.due += 1;
                if let Err(error) = handed {
                    now.error.get_or_insert(error);
                }
                ready.notify_all();
            }
        }
    };
    rayon::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| worker());
        }
    });
    let state = state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match state.error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    #[test]
    fn results_come_in_order_whoever_is_first() {
        for threads in [1, 2, 5] {
            let mut seen = Vec::new();
            let sink = |index| {
                seen.push(index);
                Ok(())
            };
            let work = |index: usize| {
                std::thread::sleep(std::time::Duration::from_micros((index as u64 * 7_919) % 300));
                Ok(index)
            };
            pool(threads).install(|| in_order(200, work, sink)).unwrap();
            assert_eq!(seen, (0..200).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_ends_it() {
        let fails = |at: usize| RunError::Internal(format!("at {at}"));
        for threads in [1, 3] {
            let mut seen = 0;
            let sink = |_| {
                seen += 1;
                Ok(())
            };
            let work = |index| if index == 50 { Err(fails(index)) } else { Ok(index) };
            let error = pool(threads).install(|| in_order(1_000, work, sink)).unwrap_err();
            assert!(error.to_string().contains("at 50"), "{error}");
            assert!(seen <= 50);
            let error = pool(threads)
                .install(|| in_order(1_000, Ok, |index| if index == 9 { Err(fails(index)) } else { Ok(()) }))
                .unwrap_err();
            assert!(error.to_string().contains("at 9"), "{error}");
        }
    }
}
