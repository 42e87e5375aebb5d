// SPDX-License-Identifier: MIT OR Apache-2.0
//! Page tables in which every address maps to itself or to nothing.
//!
//! RAM and devices are mapped once. Windows, in which Xen makes its own and
//! other domains' pages appear, come and go.

use xen_guest::PAGE_SIZE;

use crate::arch::mmu;
use crate::machine::Region;

pub use crate::arch::mmu::ADDRESS_SPACE;

/// What a page is mapped as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory { writable: bool },
    Device,
}

/// Why a window could not be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowError {
    /// Something else is mapped there.
    Occupied,
    /// There are no page tables left.
    NoTables,
    /// The range is empty, not page aligned or beyond the address space.
    Invalid,
}

/// Makes `region` accessible, as memory that is shared with Xen or another
/// domain. What is there already in the same way may stay.
///
/// # Errors
///
/// With nothing changed.
///
/// # Safety
///
/// The range is empty or holds a page that Xen put there, and nothing that
/// Rust knows as an object of its own.
pub unsafe fn map_window(region: Region, writable: bool) -> Result<(), WindowError> {
    check(region)?;
    // SAFETY: As the caller promises.
    unsafe { mmu::map(region, Kind::Memory { writable }) }
}

/// Makes `region` accessible, as the registers of a device that another domain
/// or Xen emulates. [`unmap_window`] undoes it.
///
/// # Errors
///
/// With nothing changed.
///
/// # Safety
///
/// Nothing that Rust knows as an object of its own is there.
pub unsafe fn map_device(region: Region) -> Result<(), WindowError> {
    check(region)?;
    // SAFETY: As the caller promises.
    unsafe { mmu::map(region, Kind::Device) }
}

/// Makes `region` inaccessible. When this returns, no CPU uses an older
/// translation.
///
/// # Errors
///
/// With nothing changed.
///
/// # Safety
///
/// The range was mapped by [`map_window`] or [`map_device`], or is RAM in whole
/// blocks of 2 MiB, and nothing uses it any more.
pub unsafe fn unmap_window(region: Region) -> Result<(), WindowError> {
    check(region)?;
    // SAFETY: As the caller promises.
    unsafe { mmu::unmap(region) }
}

fn check(region: Region) -> Result<(), WindowError> {
    let aligned = (region.start | region.size).is_multiple_of(PAGE_SIZE);
    let end = region.start.checked_add(region.size);
    if region.size == 0 || !aligned || end.is_none_or(|end| end > ADDRESS_SPACE) {
        return Err(WindowError::Invalid);
    }
    Ok(())
}
