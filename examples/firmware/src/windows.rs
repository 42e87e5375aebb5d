// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in the address space Xen may put pages: ranges of empty frames.

use aarch64_paging::paging::PAGE_SIZE;

use crate::machine::{Machine, Region};
use crate::mmu::ADDRESS_SPACE;
use crate::sync::IrqMutex;

/// Xen's default limit, and `xen-guest`'s.
const GRANT_FRAMES: usize = 64;

/// The address ranges of one domain.
#[derive(Debug)]
pub struct Windows {
    /// For the page that Xen shares with the domain.
    pub shared_info: Region,
    /// For the grant table.
    pub grant_table: Region,
    /// The range that [`take`](Self::take) hands out from.
    pub foreign: Region,
    taken: IrqMutex<usize>,
}

impl Windows {
    /// Divides up what the device tree offers.
    ///
    /// The grant table goes to the start of the region that is there for it,
    /// shared info to its last page. Pages of other domains go to the first
    /// extended region. If Xen offers none, they go to the pages in between:
    /// Xen reserves 16 MiB for the grant table, of which it fills less.
    pub(crate) fn new(machine: &Machine) -> Self {
        let grant = machine.grant;
        let frames = GRANT_FRAMES.min(grant.pages().saturating_sub(1));
        let grant_table = Region {
            start: grant.start,
            size: frames * PAGE_SIZE,
        };
        let shared_info = Region {
            start: grant.end() - PAGE_SIZE,
            size: PAGE_SIZE,
        };
        let between = Region {
            start: grant_table.end(),
            size: shared_info.start - grant_table.end(),
        };
        let extended = machine
            .extended
            .iter()
            .find(|region| region.end() <= ADDRESS_SPACE);
        Self {
            shared_info,
            grant_table,
            foreign: extended.copied().unwrap_or(between),
            taken: IrqMutex::new(0),
        }
    }

    /// Takes `pages` empty frames for good. `None` if there are not as many.
    pub fn take(&self, pages: usize) -> Option<Region> {
        let mut taken = self.taken.lock();
        let end = taken.checked_add(pages)?;
        if end > self.foreign.pages() {
            return None;
        }
        let start = self.foreign.start + *taken * PAGE_SIZE;
        *taken = end;
        Some(Region {
            start,
            size: pages * PAGE_SIZE,
        })
    }
}
