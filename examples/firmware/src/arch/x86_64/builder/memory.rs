// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory of a domain in the making: allocated, and seen from here a page
//! at a time.

use core::ptr;

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::abi;

use crate::hypercall;
use crate::machine::Region;
use crate::mmu;
use crate::windows::Windows;

const SELF: u16 = abi::DOMID_SELF as u16;

/// RAM comes in pieces of 2 MiB, which its page tables have one entry for.
const ORDER: u32 = 9;

/// One operation on memory.
///
/// # Safety
///
/// `arg` is what the operation takes, with pointers that are valid for what it
/// reads and writes.
unsafe fn memory_op<T>(op: u32, arg: &mut T) -> isize {
    let args = [op as usize, ptr::from_mut(arg).addr(), 0, 0, 0];
    // SAFETY: As the caller promises.
    unsafe { hypercall::raw(abi::__HYPERVISOR_memory_op as usize, args) }
}

/// Gives the domain as many pages, from frame 0.
///
/// # Panics
///
/// If there are not as many.
pub fn populate(domain: u16, pages: u64) {
    let mut frame = 0;
    while frame < pages {
        let order = if (pages - frame) >> ORDER > 0 {
            ORDER
        } else {
            0
        };
        let mut extent = frame;
        let mut arg = abi::xen_memory_reservation {
            nr_extents: 1,
            extent_order: order,
            domid: domain,
            ..Default::default()
        };
        arg.extent_start.p = &raw mut extent;
        // SAFETY: Xen reads and writes one extent.
        let done = unsafe { memory_op(abi::XENMEM_populate_physmap, &mut arg) };
        assert_eq!(
            done, 1,
            "domain {domain} gets no memory at frame {frame:#x}"
        );
        frame += 1 << order;
    }
}

/// A page of ours at which a page of another domain is. Every write goes
/// through it, which is simple, and quick enough.
#[derive(Debug)]
pub struct Window {
    region: Region,
    /// The domain and the frame in it.
    shown: Option<(u16, u64)>,
}

impl Window {
    /// # Panics
    ///
    /// If there is no place for it.
    pub fn new(windows: &Windows) -> Self {
        let region = windows.take(1).expect("an empty frame for the builder");
        Self {
            region,
            shown: None,
        }
    }

    /// Copies bytes into the domain's memory.
    ///
    /// # Panics
    ///
    /// If the domain has no memory there.
    pub fn write(&mut self, domain: u16, address: u64, mut bytes: &[u8]) {
        let mut at = address;
        while !bytes.is_empty() {
            let page = self.of(domain, at);
            let (now, rest) = bytes.split_at(bytes.len().min(page.len()));
            page[..now.len()].copy_from_slice(now);
            bytes = rest;
            at += now.len() as u64;
        }
    }

    /// Clears bytes of the domain's memory.
    ///
    /// # Panics
    ///
    /// If the domain has no memory there.
    pub fn clear(&mut self, domain: u16, address: u64, size: u64) {
        let (mut at, end) = (address, address + size);
        while at < end {
            let page = self.of(domain, at);
            let count = page.len().min((end - at) as usize);
            page[..count].fill(0);
            at += count as u64;
        }
    }

    /// The rest of the page of the domain in which this address is.
    fn of(&mut self, domain: u16, address: u64) -> &mut [u8] {
        let frame = address / PAGE_SIZE as u64;
        if self.shown != Some((domain, frame)) {
            self.hide();
            self.show(domain, frame);
        }
        let offset = address as usize % PAGE_SIZE;
        let start = ptr::with_exposed_provenance_mut::<u8>(self.region.start + offset);
        // SAFETY: The page is mapped, and its domain does not run yet: nobody
        // else has it.
        unsafe { core::slice::from_raw_parts_mut(start, PAGE_SIZE - offset) }
    }

    fn gfn(&self) -> u64 {
        (self.region.start / PAGE_SIZE) as u64
    }

    fn show(&mut self, domain: u16, frame: u64) {
        let (mut idx, mut gfn, mut error) = (frame, self.gfn(), 0);
        let mut arg = abi::xen_add_to_physmap_batch {
            domid: SELF,
            space: abi::XENMAPSPACE_gmfn_foreign as u16,
            size: 1,
            ..Default::default()
        };
        arg.u.foreign_domid = domain;
        arg.idxs.p = &raw mut idx;
        arg.gpfns.p = &raw mut gfn;
        arg.errs.p = &raw mut error;
        // SAFETY: Xen reads and writes one of each.
        let result = unsafe { memory_op(abi::XENMEM_add_to_physmap_batch, &mut arg) };
        assert_eq!(
            (result, error),
            (0, 0),
            "domain {domain} has nothing at frame {frame:#x}"
        );
        // SAFETY: The addresses are this window's own.
        unsafe { mmu::map_window(self.region, true) }.expect("a place for the window");
        self.shown = Some((domain, frame));
    }

    fn hide(&mut self) {
        if self.shown.take().is_none() {
            return;
        }
        // SAFETY: It was mapped, and the slice of it is gone.
        unsafe { mmu::unmap_window(self.region) }.expect("the window is mapped");
        let mut arg = abi::xen_remove_from_physmap {
            domid: SELF,
            gpfn: self.gfn(),
        };
        // SAFETY: The frame is the window's, and no longer used.
        let result = unsafe { memory_op(abi::XENMEM_remove_from_physmap, &mut arg) };
        assert_eq!(result, 0, "a foreign page can't be unmapped");
    }

    /// Shows nothing any more.
    pub fn close(mut self) {
        self.hide();
    }
}
