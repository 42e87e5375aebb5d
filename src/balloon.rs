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
///
/// It serves one guest after the other, as long as each takes the RAM back.
/// Dropping it does nothing: where a guest could not, the RAM stays lost.
pub struct Balloon<'m> {
    region: Region<'m>,
    ram: Ram,
}

pub(crate) struct Ram {
    raw: ffi::xg_balloon,
    /// A guest gave it to Xen, and has not taken all of it back.
    given: bool,
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
            ram: Ram {
                raw: ffi::xg_balloon {
                    ram: ram.into_raw(),
                    ..Default::default()
                },
                given: false,
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
        let ram = &self.ram.raw.ram;
        write!(f, "Balloon({:p}, {} pages)", ram.va, ram.pages)
    }
}

impl<'s> Guest<'s> {
    /// Give the balloon's RAM to Xen, and use its frames as the guest's
    /// region. What is in it is lost. It comes back by
    /// [`deflate`](Self::deflate), or when the guest is dropped. Context of
    /// both as that of the platform's `map` and `unmap`.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if the guest has regions, or a balloon, or if an earlier
    /// guest did not take all of the balloon's RAM back: nothing is changed.
    /// What the platform or Xen answers, with all of the RAM back.
    /// [`Error::Partial`]: it is not back, and `deflate` tries again.
    pub fn inflate<'m: 's>(&mut self, balloon: &'s mut Balloon<'m>) -> Result {
        let guest = self.as_raw();
        // SAFETY: set up; nobody else changes it, by `&mut`.
        let regions = unsafe { (*guest).nr_regions };
        if self.balloon.is_some() || regions != 0 || balloon.ram.given {
            return Err(Error::Busy);
        }
        let region = ptr::from_mut(&mut balloon.region).cast();
        let raw = &mut balloon.ram.raw;
        let at = raw.ram;
        // SAFETY: set up; the RAM is the balloon's, as its maker promised, and
        // not with Xen.
        let inflated = Error::check(unsafe { ffi::xg_balloon_inflate(guest, raw, &at) });
        if matches!(inflated, Ok(_) | Err(Error::Partial)) {
            balloon.ram.given = true;
            self.balloon = Some(NonNull::from_mut(&mut balloon.ram));
        }
        inflated?;
        // SAFETY: the region is set up over what is empty now, and borrowed
        // for as long as the guest lives.
        Error::check(unsafe { ffi::xg_guest_set_regions(guest, region, 1) })
            .map(|_| ())
            .or_else(|error| self.deflate().and(Err(error)))
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
        let Some(mut ram) = self.balloon else {
            return Ok(());
        };
        let guest = self.as_raw();
        // SAFETY: the balloon is borrowed for as long as the guest lives.
        let ram = unsafe { ram.as_mut() };
        // SAFETY: set up; `&mut` keeps others from its regions.
        unsafe {
            Error::check(ffi::xg_guest_set_regions(guest, ptr::null_mut(), 0))?;
            Error::check(ffi::xg_balloon_deflate(guest, &mut ram.raw))?;
        }
        ram.given = false;
        self.balloon = None;
        Ok(())
    }
}
