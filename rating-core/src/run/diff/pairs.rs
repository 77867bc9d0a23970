//! Which call of one version is which of the other.

use std::collections::BTreeMap;

/// Where a record stands: its file, by its number among the files of both versions, and its offset.
pub(super) type Key = (u32, u64);

/// What is kept of every call of both versions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Where its record stands.
    pub(super) key: Key,
    /// Its source and id.
    pub(super) call: u64,
    /// Whether it has an id.
    pub(super) has_id: bool,
    /// What it was, wherever its record stands.
    pub(super) identity: u64,
    /// All that the version says of it, but for where its record stands.
    pub(super) content: (u64, u64),
}

/// A call of the first version, of the second, or of both, that is not the same.
pub(super) type Pair = (Option<Key>, Option<Key>);

/// The calls that are not the same, in the order of their records; and how many are the same and stand elsewhere.
pub(super) fn pairs(mut before: Vec<Entry>, mut after: Vec<Entry>) -> (Vec<Pair>, u64) {
    let (mut found, mut moved) = (Vec::new(), 0);
    before.sort_unstable_by_key(|entry| entry.key);
    after.sort_unstable_by_key(|entry| entry.key);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let mut others = after.into_iter().peekable();
    for one in before {
        while let Some(other) = others.next_if(|other| other.key < one.key) {
            come.push(other);
        }
        match others.next_if(|other| other.key == one.key) {
            Some(other) if one.content == other.content => {}
            Some(other) if one.call == other.call => found.push((Some(one.key), Some(other.key))),
            // The file is not the one it was: another record stands there.
            Some(other) => {
                gone.push(one);
                come.push(other);
            }
            None => gone.push(one),
        }
    }
    come.extend(others);
    let (gone, come) = matched(gone, come, |entry| Some(entry.identity), &mut found, &mut moved);
    let (gone, come) = matched(gone, come, |entry| entry.has_id.then_some(entry.call), &mut found, &mut moved);
    found.extend(gone.iter().map(|entry| (Some(entry.key), None)));
    found.extend(come.iter().map(|entry| (None, Some(entry.key))));
    found.sort_unstable_by_key(|(one, other)| (one.or(*other), *one, *other));
    (found, moved)
}

/// Pairs what has the same mark, the first with the first; gives back what is left.
fn matched(
    gone: Vec<Entry>,
    come: Vec<Entry>,
    mark: impl Fn(&Entry) -> Option<u64>,
    found: &mut Vec<Pair>,
    moved: &mut u64,
) -> (Vec<Entry>, Vec<Entry>) {
    if gone.is_empty() || come.is_empty() {
        return (gone, come);
    }
    let mut waiting: BTreeMap<u64, std::collections::VecDeque<Entry>> = BTreeMap::new();
    let mut left = Vec::new();
    for entry in come {
        match mark(&entry) {
            Some(mark) => waiting.entry(mark).or_default().push_back(entry),
            None => left.push(entry),
        }
    }
    let mut unmatched = Vec::new();
    for one in gone {
        match mark(&one).and_then(|mark| waiting.get_mut(&mark)?.pop_front()) {
            Some(other) if one.content == other.content => *moved += 1,
            Some(other) => found.push((Some(one.key), Some(other.key))),
            None => unmatched.push(one),
        }
    }
    left.extend(waiting.into_values().flatten());
    left.sort_unstable_by_key(|entry| entry.key);
    (unmatched, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: Key, call: u64, identity: u64, content: u64) -> Entry {
        Entry { key, call, has_id: call > 0, identity, content: (content, content) }
    }

    #[test]
    fn a_call_is_found_by_its_record_then_by_what_it_was_then_by_its_id() {
        let before = vec![
            entry((0, 0), 1, 1, 1),  // the same
            entry((0, 10), 2, 2, 2), // priced otherwise
            entry((0, 20), 3, 3, 3), // read from another file now, and the same
            entry((0, 30), 4, 4, 4), // corrected: other facts, the same id
            entry((0, 40), 0, 5, 5), // gone; no id
            entry((0, 50), 6, 6, 6), // another record stands in its place now, and it stands elsewhere
        ];
        let after = vec![
            entry((0, 0), 1, 1, 1),
            entry((0, 10), 2, 2, 20),
            entry((1, 5), 3, 3, 3),
            entry((1, 7), 4, 40, 40),
            entry((0, 50), 7, 7, 7), // new
            entry((1, 99), 6, 6, 60),
            entry((1, 100), 0, 8, 8), // new; without an id it is nobody's correction
        ];
        let expected = vec![
            (Some((0, 10)), Some((0, 10))),
            (Some((0, 30)), Some((1, 7))),
            (Some((0, 40)), None),
            (None, Some((0, 50))),
            (Some((0, 50)), Some((1, 99))),
            (None, Some((1, 100))),
        ];
        let (mut found, moved) = pairs(before.clone(), after.clone());
        found.sort_unstable_by_key(|(one, other)| (one.or(*other), *one, *other));
        assert_eq!((found, moved), (expected.clone(), 1));
        // Whatever order they are read in.
        let reversed = |mut entries: Vec<Entry>| {
            entries.reverse();
            entries
        };
        assert_eq!(pairs(reversed(before), reversed(after)), (expected, 1));
    }

    #[test]
    fn calls_with_one_id_are_matched_each_once() {
        let before = vec![entry((0, 0), 1, 1, 1), entry((0, 5), 1, 1, 1)];
        let after = vec![entry((1, 0), 1, 1, 1), entry((1, 5), 1, 1, 1), entry((1, 9), 1, 1, 1)];
        assert_eq!(pairs(before, after), (vec![(None, Some((1, 9)))], 2));
    }
}
