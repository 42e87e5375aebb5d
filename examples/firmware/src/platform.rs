// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `xen-guest` asks of the firmware beneath it.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, Ordering};

use xen_guest::{Error, Gfn, PAGE_SIZE, Page, Platform, Protection, Result};

use crate::machine::Region;
use crate::mmu::WindowError;
use crate::sync::Masked;
use crate::{cpu, machine, mmu, pages, windows};

/// This firmware: one address space in which every frame is at its own
/// address.
#[derive(Debug)]
pub struct Firmware;

/// The lock of [`Platform::lock`]. Taken and released in different calls,
/// which guards can't do.
static LOCK: AtomicBool = AtomicBool::new(false);

// SAFETY: Addresses are frames, `mmu` does what its functions say, and the
// vCPU's number is Xen's.
unsafe impl Platform for Firmware {
    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        let machine = machine();
        machine
            .memory
            .iter()
            .chain([&machine.grant])
            .chain(&windows().empty)
            .any(|region| region.range().contains(&va.addr()))
            .then(|| Gfn::containing(va.addr() as u64))
    }

    unsafe fn map(&self, va: *mut u8, gfn: Gfn, pages: u32, prot: Protection) -> Result {
        let region = range(va, pages)?;
        if is_ram(region) {
            // In the page tables for good, in blocks that can't be taken
            // apart while they are in use.
            return if prot.write {
                Ok(())
            } else {
                Err(Error::NotSupported)
            };
        }
        if !is_window(region) || gfn != Gfn::containing(va.addr() as u64) {
            return Err(Error::BadAddress);
        }
        // SAFETY: The caller says that this is a window of its own.
        unsafe { mmu::map_window(region, prot.write) }.map_err(to_error)
    }

    unsafe fn unmap(&self, va: *mut u8, pages: u32) -> Result {
        let region = range(va, pages)?;
        if is_ram(region) {
            return Ok(());
        }
        if !is_window(region) {
            return Err(Error::BadAddress);
        }
        // SAFETY: The caller says that it was mapped and is not used.
        unsafe { mmu::unmap_window(region) }.map_err(to_error)
    }

    fn page_alloc(&self, pages: u32) -> *mut u8 {
        pages::alloc(pages as usize).map_or(ptr::null_mut(), |page| page.as_ptr().cast())
    }

    unsafe fn page_free(&self, va: *mut u8, pages: u32) {
        if let Some(page) = NonNull::new(va.cast::<Page>()) {
            // SAFETY: The caller says that it came from `page_alloc`.
            unsafe { pages::free(page, pages as usize) };
        }
    }

    fn lock(&self) -> usize {
        let masked = Masked::mask();
        // Acquire: what the last holder wrote is visible from here on.
        while LOCK.swap(true, Ordering::Acquire) {
            self.relax();
        }
        masked.into_raw()
    }

    unsafe fn unlock(&self, state: usize) {
        // Release: what was written under the lock is visible to the next
        // holder. Before interrupts return, whose handlers may want the lock.
        LOCK.store(false, Ordering::Release);
        Masked::from_raw(state).restore();
    }

    fn cpu_id(&self) -> Option<u32> {
        Some(cpu::number() as u32)
    }
}

fn range(va: *mut u8, pages: u32) -> Result<Region> {
    let start = va.addr();
    let size = pages as usize * PAGE_SIZE;
    match start.checked_add(size) {
        Some(_) => Ok(Region { start, size }),
        None => Err(Error::BadAddress),
    }
}

/// Is all of it in one bank of RAM, and not RAM that was set aside?
fn is_ram(region: Region) -> bool {
    let mut banks = machine().memory.iter();
    banks.any(|bank| bank.contains(region)) && !windows().contain(region)
}

/// Is it where Xen may put pages?
fn is_window(region: Region) -> bool {
    machine().grant.contains(region) || windows().contain(region)
}

fn to_error(error: WindowError) -> Error {
    match error {
        WindowError::Occupied => Error::Busy,
        WindowError::NoTables => Error::NoMemory,
        WindowError::Invalid => Error::BadAddress,
    }
}
