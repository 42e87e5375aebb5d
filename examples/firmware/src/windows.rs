// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where in the address space Xen may put pages: ranges of empty frames.

use core::fmt;
use core::ptr::{self, NonNull};

use heapless::Vec;
use xen_guest::{EmptyPages, Gfn, PAGE_SIZE, Window};

use crate::machine::{MAX_EXTENDED, Machine, Region};
use crate::mmu::ADDRESS_SPACE;
use crate::sync::IrqMutex;

/// Xen's default limit, and `xen-guest`'s.
const GRANT_FRAMES: usize = 64;

/// The empty frames of this domain.
#[derive(Debug)]
pub struct Windows {
    /// For the grant table.
    pub grant_table: Region,
    /// For everything else: what [`take`](Self::take) hands out. At least one.
    pub empty: Vec<Region, MAX_EXTENDED>,
    /// How many pages of each.
    taken: IrqMutex<[usize; MAX_EXTENDED]>,
    ram: IrqMutex<Option<Region>>,
}

/// What the page tables have one entry for in RAM. A page out of it can't be
/// made inaccessible without its neighbours, but all of it can.
const BLOCK: usize = 0x20_0000;

/// RAM in such blocks, to make a [balloon](xen_guest::Balloon) of.
#[repr(C, align(0x20_0000))]
pub struct RamBlocks<const N: usize>([[u8; BLOCK]; N]);

impl<const N: usize> RamBlocks<N> {
    /// For a static.
    pub const fn new() -> Self {
        Self([[0; BLOCK]; N])
    }
}

impl<const N: usize> Default for RamBlocks<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for RamBlocks<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RamBlocks({N} of {BLOCK} bytes)")
    }
}

impl Windows {
    /// Divides up what the device tree offers.
    ///
    /// The grant table goes to the region that is there for it, everything
    /// else to the extended regions, as far as this firmware's addresses go:
    /// a domU's second one ends at 1 TiB. Where Xen offers none, the grant
    /// table has to share: its region is 16 MiB in a domU and 64 frames in a
    /// dom0, and the table fills at most 64.
    pub(crate) fn new(machine: &Machine) -> Self {
        let grant = machine.grant;
        let mut empty: Vec<_, MAX_EXTENDED> = machine
            .extended
            .iter()
            .filter_map(|region| region.below(ADDRESS_SPACE))
            .collect();
        let frames = if empty.is_empty() {
            grant.pages() / 2
        } else {
            grant.pages()
        };
        let grant_table = Region {
            start: grant.start,
            size: frames.min(GRANT_FRAMES) * PAGE_SIZE,
        };
        if empty.is_empty() {
            let rest = Region {
                start: grant_table.end(),
                size: grant.end() - grant_table.end(),
            };
            empty.push(rest).expect("room for one");
        }
        Self {
            grant_table,
            empty,
            taken: IrqMutex::new([0; MAX_EXTENDED]),
            ram: IrqMutex::new(None),
        }
    }

    /// Takes `pages` empty frames in a row, for good. `None` if there are not
    /// as many.
    pub fn take(&self, pages: usize) -> Option<Region> {
        (0..self.empty.len()).find_map(|range| self.take_in(range, pages))
    }

    /// The same, out of the range with this number in `empty`.
    pub fn take_in(&self, range: usize, pages: usize) -> Option<Region> {
        let empty = self.empty.get(range)?;
        let taken = &mut self.taken.lock()[range];
        let end = taken.checked_add(pages)?;
        if end > empty.pages() {
            return None;
        }
        let start = empty.start + *taken * PAGE_SIZE;
        *taken = end;
        Some(Region {
            start,
            size: pages * PAGE_SIZE,
        })
    }

    /// Lets the platform map and unmap this RAM, instead of any from before.
    pub fn set_ram<const N: usize>(&self, blocks: &'static mut RamBlocks<N>) -> Window {
        let ram = Region {
            start: blocks.0.as_mut_ptr().expose_provenance(),
            size: N * BLOCK,
        };
        *self.ram.lock() = Some(ram);
        to_window(ram)
    }

    /// What may be mapped and unmapped but the grant table's.
    pub(crate) fn contain(&self, region: Region) -> bool {
        let ram = *self.ram.lock();
        let mut all = self.empty.iter().chain(&ram);
        all.any(|range| range.contains(region))
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
