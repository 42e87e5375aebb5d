// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's two stages of translation, as host mappings.
//!
//! Stage 2 (the p2m, Xen's) says which machine frame a guest frame is; stage 1
//! (the guest's own page tables) whether its software can reach it. Host
//! protection is what both allow, so that touching a page before the `map`
//! hook, or after Xen took it away, faults here as it does on a machine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::machine::{Frames, Machine, Use};
use super::trace::Trace;
use crate::{Error, PAGE_SIZE, Result};

/// First frame of the grant-table window (16 MiB), as Xen tells domUs on Arm.
pub(super) const GRANT_GFN: u64 = 0x38000;
pub(super) const GRANT_PAGES: u64 = 0x1000;
/// First frame of RAM.
pub(super) const RAM_GFN: u64 = 0x40000;
/// Extended regions start on a 2 MiB boundary.
const EXTENDED_ALIGN: u64 = 512;
/// Length of the extended region: 64 MiB.
pub(super) const EXTENDED_PAGES: u64 = 0x4000;
/// Guest frames end at 44 bits of address.
const GFN_LIMIT: u64 = 1 << 32;
/// `INVALID_GFN`.
pub(super) const INVALID_GFN: u64 = u64::MAX;

/// The frames that exist in a domain's address map, all of it in one
/// reserved range of host addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) ram_pages: u64,
}

impl Layout {
    pub(super) fn ram_end(self) -> u64 {
        RAM_GFN + self.ram_pages
    }

    pub(super) fn extended_gfn(self) -> u64 {
        self.ram_end().next_multiple_of(EXTENDED_ALIGN)
    }

    pub(super) fn end(self) -> u64 {
        self.extended_gfn() + EXTENDED_PAGES
    }

    pub(super) fn is_ram(self, gfn: u64) -> bool {
        (RAM_GFN..self.ram_end()).contains(&gfn)
    }

    fn is_window(self, gfn: u64) -> bool {
        (GRANT_GFN..GRANT_GFN + GRANT_PAGES).contains(&gfn)
            || (self.extended_gfn()..self.end()).contains(&gfn)
    }

    /// Whether something can be at `gfn`: RAM or a window.
    pub(super) fn exists(self, gfn: u64) -> bool {
        self.is_ram(gfn) || self.is_window(gfn)
    }
}

/// A reserved range of host addresses for guest frames from 0 on.
pub(super) struct AddressSpace {
    base: *mut u8,
    pages: u64,
}

// SAFETY: only an address range; what is mapped in it is the physmap's.
unsafe impl Send for AddressSpace {}
// SAFETY: as above.
unsafe impl Sync for AddressSpace {}

impl AddressSpace {
    pub(super) fn new(pages: u64) -> Self {
        // SAFETY: a new inaccessible mapping where the kernel likes.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                pages as usize * PAGE_SIZE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        assert!(
            base != libc::MAP_FAILED,
            "mmap of a guest's address space: {}",
            std::io::Error::last_os_error()
        );
        Self {
            base: base.cast(),
            pages,
        }
    }

    /// Host address of guest frame `gfn`.
    pub(super) fn va(&self, gfn: u64) -> *mut u8 {
        assert!(gfn <= self.pages);
        // SAFETY: inside the reserved range, or its end.
        unsafe { self.base.add(gfn as usize * PAGE_SIZE) }
    }

    /// Guest frame of a host address.
    pub(super) fn gfn(&self, va: usize) -> Option<u64> {
        let offset = va.checked_sub(self.base as usize)?;
        let gfn = (offset / PAGE_SIZE) as u64;
        (gfn < self.pages).then_some(gfn)
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        // SAFETY: reserved with this length; the owners are gone.
        unsafe { libc::munmap(self.base.cast(), self.pages as usize * PAGE_SIZE) };
    }
}

/// What a guest frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The domain's own page, a Xen page shared with it included.
    Ram,
    Grant {
        write: bool,
    },
    Foreign {
        write: bool,
    },
    /// Device memory.
    Device,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mfn: u64,
    pub(super) kind: Kind,
}

impl Entry {
    /// Whether it is a page of another domain.
    fn of_another(self) -> bool {
        matches!(self.kind, Kind::Grant { .. } | Kind::Foreign { .. })
    }

    fn write(self) -> bool {
        match self.kind {
            Kind::Ram | Kind::Device => true,
            Kind::Grant { write } | Kind::Foreign { write } => write,
        }
    }
}

pub(super) struct Physmap {
    machine: Arc<Machine>,
    space: Arc<AddressSpace>,
    layout: Layout,
    stage2: BTreeMap<u64, Entry>,
    /// Frames the guest's page tables map, and whether for writing.
    stage1: BTreeMap<u64, bool>,
    highest: u64,
    tables: Tables,
    /// The domain's number, and where its mappings are recorded.
    trace: (u16, Arc<Trace>),
}

/// The pages that the second stage itself takes: a table for each 2 MiB in
/// which single frames are mapped, and one for each GiB. They are never given
/// back. RAM is mapped in larger pieces, until a hole is made in one.
struct Tables {
    left: u64,
    /// By the bits of a frame number that a table resolves, and its place.
    used: BTreeSet<(u32, u64)>,
}

impl Tables {
    const LEVELS: [u32; 2] = [18, 9];

    fn new(pages: u64, layout: Layout) -> Self {
        let mut tables = Self {
            left: pages,
            used: BTreeSet::new(),
        };
        if layout.ram_pages > 0 {
            for gib in RAM_GFN >> 18..=(layout.ram_end() - 1) >> 18 {
                tables.used.insert((18, gib));
            }
        }
        tables.left = pages.saturating_sub(tables.used.len() as u64);
        tables
    }

    /// `whole` if the frame is part of a larger piece, to be divided: only
    /// then does Xen say what is missing.
    fn reserve(&mut self, gfn: u64, whole: bool) -> Result<()> {
        let missing = if whole {
            Error::NoMemory
        } else {
            Error::NotFound
        };
        for bits in Self::LEVELS {
            let table = (bits, gfn >> bits);
            if !self.used.contains(&table) {
                self.left = self.left.checked_sub(1).ok_or(missing)?;
                self.used.insert(table);
            }
        }
        Ok(())
    }
}

impl Physmap {
    /// With RAM from machine frame `mfn` on in place and accessible.
    pub(super) fn new(
        machine: Arc<Machine>,
        space: Arc<AddressSpace>,
        layout: Layout,
        mfn: u64,
        tables: u64,
        trace: (u16, Arc<Trace>),
    ) -> Self {
        let entry = |page| Entry {
            mfn: mfn + page,
            kind: Kind::Ram,
        };
        let map = Self {
            stage2: (0..layout.ram_pages)
                .map(|page| (RAM_GFN + page, entry(page)))
                .collect(),
            stage1: (RAM_GFN..layout.ram_end()).map(|gfn| (gfn, true)).collect(),
            highest: layout.ram_end().saturating_sub(1),
            tables: Tables::new(tables, layout),
            trace,
            machine,
            space,
            layout,
        };
        if layout.ram_pages > 0 {
            map.host_map(RAM_GFN, layout.ram_pages, Some((mfn, true)));
        }
        map
    }

    pub(super) fn get(&self, gfn: u64) -> Option<Entry> {
        self.stage2.get(&gfn).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Entry)> {
        self.stage2.iter().map(|(gfn, entry)| (*gfn, *entry))
    }

    /// The highest frame that ever held anything.
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    /// Changes what `gfn` holds and lets go of what it held. Frames beyond
    /// the address width are refused, and those for which there is no table.
    pub(super) fn set(
        &mut self,
        frames: &mut Frames,
        gfn: u64,
        entry: Option<Entry>,
    ) -> Result<()> {
        if gfn >= GFN_LIMIT {
            return Err(Error::Invalid);
        }
        if entry.is_some() || self.stage2.contains_key(&gfn) {
            self.tables.reserve(gfn, self.layout.is_ram(gfn))?;
        }
        let old = match entry {
            Some(entry) => {
                self.highest = self.highest.max(gfn);
                self.stage2.insert(gfn, entry)
            }
            None => self.stage2.remove(&gfn),
        };
        // A change of type alone lets nothing go.
        if let Some(old) = old
            && entry.map(|entry| entry.mfn) != Some(old.mfn)
        {
            let_go(frames, old);
        }
        if old.map(|old| old.mfn) != entry.map(|entry| entry.mfn) {
            self.record(frames, gfn, old, entry);
        }
        if old != entry {
            self.refresh(gfn);
        }
        Ok(())
    }

    /// For the timeline: pages of others come and go.
    fn record(&self, frames: &Frames, gfn: u64, old: Option<Entry>, new: Option<Entry>) {
        let (domain, trace) = &self.trace;
        if old.is_some_and(Entry::of_another) {
            trace.unmap(*domain, gfn);
        }
        if let Some(new) = new.filter(|new| new.of_another()) {
            let granted = matches!(new.kind, Kind::Grant { .. });
            trace.map(*domain, gfn, frames.owner(new.mfn), granted);
        }
    }

    /// Removes `gfn` as Xen does: what is there must be frame `mfn`, but
    /// nothing there is no error.
    pub(super) fn remove(&mut self, frames: &mut Frames, gfn: u64, mfn: u64) -> Result<()> {
        match self.get(gfn) {
            Some(entry) if entry.mfn != mfn => Err(Error::Unknown(super::EILSEQ)),
            _ => self.set(frames, gfn, None),
        }
    }

    /// The guest's page tables: maps a range, or says what is wrong.
    pub(super) fn stage1_map(
        &mut self,
        gfn: u64,
        pages: u64,
        write: bool,
    ) -> Result<(), &'static str> {
        for gfn in gfn..gfn + pages {
            if !self.layout.exists(gfn) {
                return Err("outside RAM and every window");
            }
            match self.stage1.get(&gfn) {
                Some(&old) if old != write && !self.layout.is_ram(gfn) => {
                    return Err("already mapped with another protection");
                }
                _ => {}
            }
        }
        for gfn in gfn..gfn + pages {
            self.stage1.insert(gfn, write);
            self.refresh(gfn);
        }
        Ok(())
    }

    /// The guest's page tables: unmaps a range, or says what is wrong.
    pub(super) fn stage1_unmap(&mut self, gfn: u64, pages: u64) -> Result<(), &'static str> {
        if !(gfn..gfn + pages).all(|gfn| self.stage1.contains_key(&gfn)) {
            return Err("not mapped");
        }
        for gfn in gfn..gfn + pages {
            self.stage1.remove(&gfn);
            self.refresh(gfn);
        }
        Ok(())
    }

    /// Whether a copy from or to guest memory at `va` would work. Addresses
    /// outside the guest's space are host memory, which is not checked.
    pub(super) fn accessible(&self, va: usize, len: usize, write: bool) -> bool {
        let Some(last) = va.checked_add(len.saturating_sub(1)) else {
            return false;
        };
        match (self.space.gfn(va), self.space.gfn(last)) {
            (Some(first), Some(last)) => (first..=last).all(|gfn| {
                self.host_access(gfn)
                    .is_some_and(|(_, allowed)| allowed || !write)
            }),
            (None, None) => true,
            _ => false,
        }
    }

    /// Everything is gone: the domain died.
    pub(super) fn clear(&mut self, frames: &mut Frames) {
        self.stage1.clear();
        for (gfn, entry) in std::mem::take(&mut self.stage2) {
            self.record(frames, gfn, Some(entry), None);
            let_go(frames, entry);
        }
        self.host_map(0, self.layout.end(), None);
    }

    fn host_access(&self, gfn: u64) -> Option<(u64, bool)> {
        let entry = self.stage2.get(&gfn)?;
        let write = self.stage1.get(&gfn)?;
        Some((entry.mfn, *write && entry.write()))
    }

    fn refresh(&self, gfn: u64) {
        if gfn < self.layout.end() {
            self.host_map(gfn, 1, self.host_access(gfn));
        }
    }

    /// Puts a run of frames, or a hole, at the addresses of a run of guest
    /// frames.
    fn host_map(&self, gfn: u64, pages: u64, target: Option<(u64, bool)>) {
        let (protection, flags, file, offset) = match target {
            Some((mfn, write)) => (
                libc::PROT_READ | if write { libc::PROT_WRITE } else { 0 },
                libc::MAP_SHARED,
                self.machine.descriptor(),
                mfn as usize * PAGE_SIZE,
            ),
            None => (
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            ),
        };
        assert!(gfn + pages <= self.layout.end());
        // SAFETY: the range is inside this domain's reserved addresses, where
        // everything is mapped by this function only, and never referenced.
        let done = unsafe {
            libc::mmap(
                self.space.va(gfn).cast(),
                pages as usize * PAGE_SIZE,
                protection,
                flags | libc::MAP_FIXED,
                file,
                offset as libc::off_t,
            )
        };
        assert!(
            done != libc::MAP_FAILED,
            "mmap of guest frame {gfn:#x}: {}",
            std::io::Error::last_os_error()
        );
    }
}

/// A frame does not hold this any more.
fn let_go(frames: &mut Frames, old: Entry) {
    match old.kind {
        Kind::Foreign { .. } => frames.put_ref(old.mfn),
        Kind::Ram if frames.get(old.mfn).used == Use::XenHeap => {
            frames.get_mut(old.mfn).gfn = None;
        }
        // A replaced page of RAM stays the domain's without being reachable; a
        // grant's reference is the handle's.
        Kind::Ram | Kind::Grant { .. } | Kind::Device => {}
    }
}
