// SPDX-License-Identifier: MIT OR Apache-2.0
//! Empty frames to map foreign pages into, and the pages taken from them.

use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::ptr::NonNull;

use crate::{EmptyPages, Error, FrameOwner, Guest, PAGE_SIZE, Result, Window, ffi};

/// How many `u64` of metadata a region of `pages` pages needs: 102 KiB for each
/// GiB.
pub const fn region_metadata(pages: u32) -> usize {
    const BLOCK: usize = ffi::XG_REGION_BLOCK as usize;
    let blocks = (pages as usize).div_ceil(BLOCK);
    let nodes = (blocks * 3 + 1).next_multiple_of(2);
    blocks * (BLOCK / 64) * 3 + nodes * size_of::<u32>() / size_of::<u64>()
}

/// A range of empty frames with an allocator over it: an extended region that
/// the device tree names, for example.
///
/// ```
/// use xen_guest::{GuestConfig, Region, Result, Window, region_metadata};
///
/// const PAGES: u32 = 16384; // 64 MiB
///
/// fn with_region(
///     config: GuestConfig<'static>,
///     window: &Window,
///     metadata: &'static mut [u64; region_metadata(PAGES)],
///     place: &'static mut [Region<'static>; 1],
/// ) -> Result<GuestConfig<'static>> {
///     // SAFETY: the device tree's extended region, which nobody else uses.
///     place[0] = unsafe { Region::new(window, metadata) }?;
///     Ok(config.with_regions(place))
/// }
/// ```
#[repr(transparent)]
pub struct Region<'m> {
    raw: ffi::xg_region,
    metadata: PhantomData<&'m mut [u64]>,
}

// SAFETY: it is the only owner of its metadata.
unsafe impl Send for Region<'_> {}

impl<'m> Region<'m> {
    /// A region over `window`, whose frames are all free.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a window of impossible size or alignment, or
    /// less metadata than [`region_metadata`] says.
    ///
    /// # Safety
    ///
    /// The window's frames are empty and nobody else's, its addresses are
    /// theirs, and the platform's `virt_to_gfn` and `map` work for them.
    pub unsafe fn new(window: &Window, metadata: &'m mut [u64]) -> Result<Self> {
        let mut raw = MaybeUninit::<ffi::xg_region>::zeroed();
        let at = window.into_raw();
        // SAFETY: the metadata is exclusively ours for 'm and has the size
        // given; only its addresses are kept, so the region can move.
        Error::check(unsafe {
            ffi::xg_region_init(
                raw.as_mut_ptr(),
                &at,
                metadata.as_mut_ptr().cast(),
                size_of_val(metadata),
            )
        })?;
        Ok(Self {
            // SAFETY: all zeros is a value of it, and init has filled it.
            raw: unsafe { raw.assume_init() },
            metadata: PhantomData,
        })
    }

    /// How many pages it has.
    pub const fn pages(&self) -> u32 {
        self.raw.pages
    }
}

impl fmt::Debug for Region<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({:p}, {} pages)", self.raw.va, self.raw.pages)
    }
}

/// Consecutive empty pages of one of the guest's regions, given back when
/// dropped.
///
/// [`ForeignMap`](crate::ForeignMap) maps into them and gives them back when
/// it is dropped itself.
pub struct RegionPages<'g> {
    guest: &'g Guest<'g>,
    va: NonNull<u8>,
    pages: u32,
}

// SAFETY: it owns addresses, and no data at all.
unsafe impl Send for RegionPages<'_> {}

impl<'g> RegionPages<'g> {
    /// Take `pages` consecutive pages. Any context.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`] if no region has so many together,
    /// [`Error::Invalid`] for 0.
    pub fn take(guest: &'g Guest<'g>, pages: u32) -> Result<Self> {
        if pages == 0 {
            return Err(Error::Invalid);
        }
        // SAFETY: the guest is set up.
        let va = unsafe { ffi::xg_region_get_pages(guest.as_raw(), pages) };
        let va = NonNull::new(va.cast()).ok_or(Error::NoSpace)?;
        Ok(Self { guest, va, pages })
    }

    /// The first address. Nothing can be accessed there.
    pub const fn va(&self) -> NonNull<u8> {
        self.va
    }

    /// How many pages.
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// The pages without their region, to be taken up again by
    /// [`from_empty`](Self::from_empty).
    pub const fn into_empty(self) -> EmptyPages {
        // SAFETY: empty frames of a region, which `self` owned.
        let empty = unsafe { EmptyPages::from_raw(self.va, self.pages) };
        mem::forget(self);
        empty
    }

    /// Take up pages that [`into_empty`](Self::into_empty) handed over, to
    /// give them back.
    ///
    /// # Errors
    ///
    /// The pages, if they are in no region of this guest.
    pub fn from_empty(guest: &'g Guest<'g>, empty: EmptyPages) -> Result<Self, EmptyPages> {
        let last = empty.pages().saturating_sub(1) as usize * PAGE_SIZE;
        let inside = |va: *mut u8| {
            // SAFETY: the guest is set up; the address is only compared.
            unsafe { ffi::xg_region_contains(guest.as_raw(), va.cast()) }
        };
        let va = empty.va();
        if !inside(va.as_ptr()) || !inside(va.as_ptr().wrapping_add(last)) {
            return Err(empty);
        }
        Ok(Self {
            guest,
            va,
            pages: empty.pages(),
        })
    }
}

// SAFETY: empty frames of a region, which gives them to nobody else.
unsafe impl FrameOwner for RegionPages<'_> {
    fn va(&self) -> NonNull<u8> {
        self.va
    }

    fn pages(&self) -> u32 {
        self.pages
    }
}

impl Drop for RegionPages<'_> {
    fn drop(&mut self) {
        // SAFETY: the guest is set up; nobody uses the pages any more.
        let rc = unsafe {
            ffi::xg_region_put_pages(self.guest.as_raw(), self.va.as_ptr().cast(), self.pages)
        };
        if rc != 0 {
            self.guest.abandon();
        }
    }
}

impl fmt::Debug for RegionPages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionPages({:p}, {} pages)", self.va, self.pages)
    }
}
