// SPDX-License-Identifier: MIT OR Apache-2.0
//! Xen's sets of numbers, of which one has room for so many ranges.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// Ranges that do not touch each other: the last number of each by its first.
pub(super) struct Ranges {
    ranges: BTreeMap<u64, u64>,
    most: usize,
}

impl Ranges {
    pub(super) fn new(most: usize) -> Self {
        Self {
            ranges: BTreeMap::new(),
            most,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The range with the highest start that is not above `number`.
    fn below(&self, number: u64) -> Option<(u64, u64)> {
        let range = self.ranges.range(..=number).next_back()?;
        Some((*range.0, *range.1))
    }

    pub(super) fn contains(&self, first: u64, last: u64) -> bool {
        self.below(first).is_some_and(|(_, end)| end >= last)
    }

    pub(super) fn overlaps(&self, first: u64, last: u64) -> bool {
        self.below(last).is_some_and(|(_, end)| end >= first)
    }

    fn room(&self) -> Result<()> {
        if self.len() < self.most {
            Ok(())
        } else {
            Err(Error::NoMemory)
        }
    }

    /// Adds a range that overlaps none. A neighbour below grows; otherwise
    /// there must be room for one more, even if it then joins one above.
    pub(super) fn add(&mut self, first: u64, last: u64) -> Result<()> {
        let start = match self.below(first) {
            Some((start, end)) if end.checked_add(1) == Some(first) => start,
            _ => {
                self.room()?;
                first
            }
        };
        let above = last
            .checked_add(1)
            .and_then(|next| self.ranges.remove(&next));
        self.ranges.insert(start, above.unwrap_or(last));
        Ok(())
    }

    /// Removes a part of one range. If something of it is left on both sides,
    /// there must be room for one more.
    pub(super) fn remove(&mut self, first: u64, last: u64) -> Result<()> {
        let Some((start, end)) = self.below(first) else {
            return Ok(());
        };
        if start < first && last < end {
            self.room()?;
        }
        self.ranges.remove(&start);
        if start < first {
            self.ranges.insert(start, first - 1);
        }
        if last < end {
            self.ranges.insert(last + 1, end);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one() {
        let mut set = Ranges::new(2);
        assert_eq!(set.add(10, 19), Ok(()));
        assert_eq!(set.add(20, 29), Ok(()));
        assert_eq!(set.len(), 1);
        assert_eq!(set.add(0, 9), Ok(()));
        assert_eq!(set.len(), 1);
        assert!(set.contains(5, 25) && !set.contains(5, 30));
        assert!(set.overlaps(29, 40) && !set.overlaps(30, 40));
        assert_eq!(set.add(u64::MAX, u64::MAX), Ok(()));
        assert_eq!(set.len(), 2);
        // Joining from below needs a place for a moment.
        assert_eq!(set.add(u64::MAX - 1, u64::MAX - 1), Err(Error::NoMemory));
        assert_eq!(set.add(30, 31), Ok(()));
        assert_eq!(set.remove(10, 11), Err(Error::NoMemory));
        assert_eq!(set.remove(0, 3), Ok(()));
        assert_eq!(set.remove(30, 31), Ok(()));
        assert!(set.contains(4, 29) && !set.overlaps(0, 3));
        assert_eq!(set.remove(u64::MAX, u64::MAX), Ok(()));
        assert_eq!(set.remove(10, 11), Ok(()));
        assert!(set.contains(4, 9) && set.contains(12, 29));
        assert_eq!(set.remove(4, 9), Ok(()));
        assert_eq!(set.remove(12, 29), Ok(()));
        assert_eq!(set.len(), 0);
    }
}
