// SPDX-License-Identifier: MIT OR Apache-2.0
//! A region of the guest's own RAM, where Xen names no extended regions.

use core::fmt;
use core::ptr::{self, NonNull};

use crate::{Error, Guest, Region, Result, Window, ffi};

/// RAM that a guest can give to Xen for a while, so that its frames are empty,
/// and a region of them: see [`Guest::inflate`].
///
/// ```
/// use xen_guest::{Balloon, Guest, RegionPages, Result};
///
/// fn page(guest: &'static mut Guest<'static>, balloon: &'static mut Balloon<'static>) -> Result {
///     guest.inflate(balloon)?;
///     let empty = RegionPages::take(guest, 1)?;
///     // Map something there.
///     drop(empty);
///     Ok(())
/// }
/// ```
pub struct Balloon<'m> {
    region: Region<'m>,
    raw: ffi::xg_balloon,
}

impl<'m> Balloon<'m> {
    /// For the RAM at `ram`, with [metadata](crate::region_metadata) for that
    /// many pages. Nothing happens to it yet.
    ///
    /// # Errors
    ///
    /// As [`Region::new`].
    ///
    /// # Safety
    ///
    /// The window's frames are the guest's own RAM, its addresses are theirs,
    /// and nobody but the balloon uses it. The platform's `unmap` and `map`
    /// work for it.
    pub unsafe fn new(ram: &Window, metadata: &'m mut [u64]) -> Result<Self> {
        Ok(Self {
            // SAFETY: empty once it is used, as the caller promises.
            region: unsafe { Region::new(ram, metadata) }?,
            raw: ffi::xg_balloon {
                ram: ram.into_raw(),
                ..Default::default()
            },
        })
    }

    /// How many pages it is for.
    pub const fn pages(&self) -> u32 {
        self.region.pages()
    }
}

// SAFETY: it is the only owner of its RAM and metadata.
unsafe impl Send for Balloon<'_> {}

impl fmt::Debug for Balloon<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Balloon({:p}, {} pages)", self.raw.ram.va, self.pages())
    }
}

impl<'s> Guest<'s> {
    /// Give the balloon's RAM to Xen, and use its frames as the guest's
    /// region. What is in it is lost. It comes back by
    /// [`deflate`](Self::deflate), or when the guest is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if the guest has regions, or a balloon; what the
    /// platform or Xen answers, with all of the RAM back.
    /// [`Error::Partial`]: it is not back, and `deflate` tries again.
    pub fn inflate<'m: 's>(&mut self, balloon: &'s mut Balloon<'m>) -> Result {
        let guest = self.as_raw();
        // SAFETY: set up; nobody else changes it, by `&mut`.
        if self.balloon.is_some() || unsafe { (*guest).nr_regions } != 0 {
            return Err(Error::Busy);
        }
        let ram = balloon.raw.ram;
        let region = ptr::from_mut(&mut balloon.region).cast();
        let raw = NonNull::from_mut(&mut balloon.raw);
        // SAFETY: set up; the RAM is the balloon's, as its maker promised.
        let inflated =
            Error::check(unsafe { ffi::xg_balloon_inflate(guest, raw.as_ptr(), &ram) }).map(|_| ());
        match inflated {
            Ok(()) => {
                self.balloon = Some(raw);
                // SAFETY: the region is set up over what is empty now, and
                // borrowed for as long as the guest lives.
                Error::check(unsafe { ffi::xg_guest_set_regions(guest, region, 1) })
                    .map(|_| ())
                    .or_else(|error| self.deflate().and(Err(error)))
            }
            Err(Error::Partial) => {
                self.balloon = Some(raw);
                Err(Error::Partial)
            }
            Err(error) => Err(error),
        }
    }

    /// Take the RAM back that [`inflate`](Self::inflate) gave to Xen; nothing
    /// if there is none. The guest has no region afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if pages of the region were leaked, with nothing
    /// changed. [`Error::NoMemory`], [`Error::TooBig`] or what the platform
    /// answers: there is no region any more, and another call goes on with
    /// the rest.
    pub fn deflate(&mut self) -> Result {
        let Some(balloon) = self.balloon else {
            return Ok(());
        };
        let guest = self.as_raw();
        // SAFETY: set up; `&mut` keeps others from its regions. The balloon is
        // borrowed for as long as the guest lives.
        unsafe {
            Error::check(ffi::xg_guest_set_regions(guest, ptr::null_mut(), 0))?;
            Error::check(ffi::xg_balloon_deflate(guest, balloon.as_ptr()))?;
        }
        self.balloon = None;
        Ok(())
    }
}
