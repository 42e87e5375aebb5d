// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in the address space Xen may put pages: ranges of empty frames.

use core::ptr::{self, NonNull};

use xen_guest::{EmptyPages, Gfn, PAGE_SIZE, Window};

use crate::machine::{Machine, Region};
use crate::mmu::ADDRESS_SPACE;
use crate::sync::IrqMutex;

/// Xen's default limit, and `xen-guest`'s.
const GRANT_FRAMES: usize = 64;

/// The empty frames of this domain.
#[derive(Debug)]
pub struct Windows {
    /// For the grant table.
    pub grant_table: Region,
    /// For everything else: what [`take`](Self::take) hands out.
    pub empty: Region,
    taken: IrqMutex<usize>,
}

impl Windows {
    /// Divides up what the device tree offers.
    ///
    /// The grant table goes to the region that is there for it, everything
    /// else to the first extended region. Where Xen offers none, the grant
    /// table has to share: its region is 16 MiB in a domU and 64 frames in a
    /// dom0, and the table fills at most 64.
    pub(crate) fn new(machine: &Machine) -> Self {
        let grant = machine.grant;
        let extended = machine
            .extended
            .iter()
            .find(|region| region.end() <= ADDRESS_SPACE);
        let frames = match extended {
            Some(_) => grant.pages(),
            None => grant.pages() / 2,
        };
        let grant_table = Region {
            start: grant.start,
            size: frames.min(GRANT_FRAMES) * PAGE_SIZE,
        };
        let rest = Region {
            start: grant_table.end(),
            size: grant.end() - grant_table.end(),
        };
        Self {
            grant_table,
            empty: extended.copied().unwrap_or(rest),
            taken: IrqMutex::new(0),
        }
    }

    /// Takes `pages` empty frames, for good. `None` if there are not as many.
    pub fn take(&self, pages: usize) -> Option<Region> {
        let mut taken = self.taken.lock();
        let end = taken.checked_add(pages)?;
        if end > self.empty.pages() {
            return None;
        }
        let start = self.empty.start + *taken * PAGE_SIZE;
        *taken = end;
        Some(Region {
            start,
            size: pages * PAGE_SIZE,
        })
    }

    /// The same, to map a peer's pages into.
    pub fn take_empty_pages(&self, pages: usize) -> Option<EmptyPages> {
        let count = pages.try_into().ok()?;
        let region = self.take(pages)?;
        let va = NonNull::new(ptr::with_exposed_provenance_mut(region.start))?;
        // SAFETY: The device tree says that the frames are empty, the platform
        // maps them at their own addresses, and each is taken once.
        Some(unsafe { EmptyPages::from_raw(va, count) })
    }
}

/// `region` as `xen-guest` describes it.
pub(crate) fn to_window(region: Region) -> Window {
    Window {
        va: ptr::with_exposed_provenance_mut(region.start),
        gfn: Gfn::containing(region.start as u64),
        pages: region.pages().try_into().unwrap_or(u32::MAX),
    }
}
