// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a domain's firmware has handed out: pages of RAM, and frames of the
//! extended region.

use std::vec::Vec;

use super::physmap::{EXTENDED_PAGES, Layout, RAM_GFN};

/// First-fit allocation of runs of frames, lowest first.
struct Runs {
    first: u64,
    used: Vec<bool>,
    /// No free frame is below this index.
    hint: usize,
    count: usize,
}

impl Runs {
    fn new(first: u64, pages: u64) -> Self {
        Self {
            first,
            used: std::vec![false; pages as usize],
            hint: 0,
            count: 0,
        }
    }

    fn take(&mut self, pages: usize) -> Option<u64> {
        if pages == 0 {
            return None;
        }
        let mut run = 0;
        for index in self.hint..self.used.len() {
            run = if self.used[index] { 0 } else { run + 1 };
            if run == pages {
                let start = index + 1 - pages;
                self.used[start..=index].fill(true);
                self.count += pages;
                if start == self.hint {
                    self.hint = index + 1;
                }
                return Some(self.first + start as u64);
            }
        }
        None
    }

    fn give(&mut self, gfn: u64, pages: usize) -> Result<(), &'static str> {
        let start = gfn.wrapping_sub(self.first) as usize;
        let range = start..start.saturating_add(pages);
        match self.used.get_mut(range) {
            Some(used) if used.iter().all(|used| *used) => used.fill(false),
            Some(_) => return Err("which is not handed out (a double free?)"),
            None => return Err("which is not of this kind of memory"),
        }
        self.count -= pages;
        self.hint = self.hint.min(start);
        Ok(())
    }
}

pub(super) struct Pages {
    ram: Runs,
    empty: Runs,
}

impl Pages {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            ram: Runs::new(RAM_GFN, layout.ram_pages),
            empty: Runs::new(layout.extended_gfn(), EXTENDED_PAGES),
        }
    }

    pub(super) fn take_ram(&mut self, pages: usize) -> Option<u64> {
        self.ram.take(pages)
    }

    pub(super) fn give_ram(&mut self, gfn: u64, pages: usize) -> Result<(), &'static str> {
        self.ram.give(gfn, pages)
    }

    pub(super) fn take_empty(&mut self, pages: usize) -> Option<u64> {
        self.empty.take(pages)
    }

    pub(super) fn give_empty(&mut self, gfn: u64, pages: usize) -> Result<(), &'static str> {
        self.empty.give(gfn, pages)
    }

    /// Pages of RAM, and frames of the extended region, handed out.
    pub(super) fn live(&self) -> (usize, usize) {
        (self.ram.count, self.empty.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_taken_lowest_first_and_checked_when_given() {
        let mut runs = Runs::new(100, 4);
        assert_eq!(runs.take(1), Some(100));
        assert_eq!(runs.take(2), Some(101));
        assert_eq!(runs.take(2), None);
        assert_eq!(runs.take(0), None);
        assert!(runs.give(103, 1).is_err());
        assert!(runs.give(104, 1).is_err());
        assert!(runs.give(99, 1).is_err());
        assert!(runs.give(100, 1).is_ok());
        assert!(runs.give(100, 1).is_err());
        assert_eq!(runs.take(1), Some(100));
        assert_eq!(runs.take(1), Some(103));
        assert_eq!(runs.take(1), None);
        assert_eq!(runs.count, 4);
    }
}
