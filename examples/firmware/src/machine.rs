// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Xen says about this domain: its device tree, read once.

use core::fmt;
use core::ops::Range;

use heapless::Vec;
use xen_guest::PAGE_SIZE;

use crate::arch::machine::Board;
use crate::args::Args;

/// A range of guest-physical addresses, which are also the addresses at which
/// this firmware sees what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first address.
    pub start: usize,
    /// The number of bytes.
    pub size: usize,
}

impl Region {
    /// The first address after it.
    pub const fn end(self) -> usize {
        self.start + self.size
    }

    /// Is all of `other` in it?
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end() <= self.end()
    }

    /// The number of whole pages.
    pub const fn pages(self) -> usize {
        self.size / PAGE_SIZE
    }

    /// The part of it below this address, if there is any.
    pub fn below(self, end: usize) -> Option<Self> {
        let size = self.size.min(end.checked_sub(self.start)?);
        (size > 0).then_some(Self { size, ..self })
    }

    /// Its addresses.
    pub const fn range(self) -> Range<usize> {
        self.start..self.end()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}-{:#x}", self.start, self.end())
    }
}

/// More banks of RAM than boards for arm64 have. On x86 a firmware's tables can
/// make more of them: those behind are left alone.
pub const MAX_BANKS: usize = 32;

/// More extended regions than Xen gives a domU, which has two banks of RAM. A
/// dom0 can have as many as its board's memory has gaps.
pub const MAX_EXTENDED: usize = 16;

/// The domain as its device tree describes it.
#[derive(Debug)]
pub struct Machine {
    /// RAM.
    pub memory: Vec<Region, MAX_BANKS>,
    /// Addresses for the grant table, which Xen keeps empty: `reg[0]` of the
    /// `hypervisor` node.
    pub grant: Region,
    /// Addresses with nothing behind them, for pages of other domains: the
    /// other `reg` entries, or the first of very many. Xen doesn't promise any.
    pub extended: Vec<Region, MAX_EXTENDED>,
    /// The number of vCPUs.
    pub cpus: usize,
    /// The command line.
    pub args: Args<'static>,
    /// What only this architecture has.
    pub board: Board,
}
