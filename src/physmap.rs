// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is where in a domain's physical addresses, and how much memory it
//! has.

use core::fmt;

use crate::{DomId, Error, Gfn, Guest, Result, ffi};

/// A domain's physmap: this domain's own from [`Guest::physmap`], or for a
/// control domain another's from [`Guest::physmap_of`].
///
/// All calls may be made in any context and on several CPUs at once, for
/// different frames. Frames and pages are of 4 KiB.
///
/// ```
/// use xen_guest::{Gfn, Guest, Stopped};
///
/// /// Give RAM that nobody uses back to Xen, so that its frames are empty.
/// ///
/// /// # Safety
/// ///
/// /// The pages are RAM of this domain, not granted, and unused from now on.
/// unsafe fn balloon(guest: &Guest<'_>, pages: &[Gfn]) -> Result<(), Stopped> {
///     // SAFETY: as the caller promises.
///     unsafe { guest.physmap().decrease(pages, 0) }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Physmap<'g> {
    guest: &'g Guest<'g>,
    dom: DomId,
}

/// A call about several frames that came only so far, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How many it had done before. Those stay done.
    pub done: u32,
    /// Why it did no more.
    pub error: Error,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {} done", self.error, self.done)
    }
}

impl core::error::Error for Stopped {}

impl Guest<'_> {
    /// This domain's own physmap.
    pub fn physmap(&self) -> Physmap<'_> {
        self.physmap_of(DomId::SELF)
    }

    /// Another domain's. Only a control domain can do anything with it: for
    /// others every call is [`Error::NotPermitted`].
    pub fn physmap_of(&self, dom: DomId) -> Physmap<'_> {
        Physmap { guest: self, dom }
    }
}

impl Physmap<'_> {
    /// Whose it is.
    pub const fn domid(&self) -> DomId {
        self.dom
    }

    fn number(
        &self,
        ask: unsafe extern "C" fn(*mut ffi::xg_guest, u16, *mut u64) -> core::ffi::c_int,
    ) -> Result<u64> {
        let mut number = 0;
        // SAFETY: the guest is set up; the call writes one number.
        Error::check(unsafe { ask(self.guest.as_raw(), self.dom.raw(), &mut number) })?;
        Ok(number)
    }

    /// How many pages the domain has.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchDomain`], [`Error::NotPermitted`].
    pub fn current_reservation(&self) -> Result<u64> {
        self.number(ffi::xg_memory_current_reservation)
    }

    /// How many pages the domain may have.
    ///
    /// # Errors
    ///
    /// As [`current_reservation`](Self::current_reservation).
    pub fn maximum_reservation(&self) -> Result<u64> {
        self.number(ffi::xg_memory_maximum_reservation)
    }

    /// The highest frame that ever held something.
    ///
    /// # Errors
    ///
    /// As [`current_reservation`](Self::current_reservation).
    pub fn maximum_gfn(&self) -> Result<Gfn> {
        self.number(ffi::xg_memory_maximum_gpfn).map(Gfn::new)
    }

    /// Take memory from Xen and put it at `frames`: an extent of 2 to the
    /// power of `order` pages at each. What is in it is Xen's business.
    ///
    /// # Errors
    ///
    /// [`Error::TooBig`] if the domain has all it may have,
    /// [`Error::NoMemory`] if Xen has none, or none of that size, or can't
    /// put it there; [`Error::Invalid`] for an impossible size,
    /// [`Error::NoSuchDomain`], [`Error::NotPermitted`]. The extents before
    /// stay.
    ///
    /// # Safety
    ///
    /// The frames are empty, or nobody uses what they hold. Their memory is
    /// as good as uninitialised.
    pub unsafe fn populate(&self, frames: &[Gfn], order: u32) -> Result<(), Stopped> {
        let (guest, dom) = (self.guest.as_raw(), self.dom.raw());
        with_frames(frames, |gfns, count, done| {
            // SAFETY: the guest is set up; so many frames are there, of
            // which the rest is the caller's promise.
            unsafe { ffi::xg_memory_populate_physmap(guest, dom, order, count, 0, gfns, done) }
        })
    }

    /// Give memory back to Xen: the extents of 2 to the power of `order`
    /// pages at `frames`, which are empty afterwards.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a page that is not the domain's own RAM, or an
    /// impossible size; [`Error::NoSuchDomain`], [`Error::NotPermitted`]. The
    /// extents before are gone, and of the one that failed the pages before
    /// the bad one.
    ///
    /// # Safety
    ///
    /// The pages are the caller's to give, not granted, and nobody uses them.
    pub unsafe fn decrease(&self, frames: &[Gfn], order: u32) -> Result<(), Stopped> {
        let (guest, dom) = (self.guest.as_raw(), self.dom.raw());
        with_frames(frames, |gfns, count, done| {
            // SAFETY: as for `populate`.
            unsafe { ffi::xg_memory_decrease_reservation(guest, dom, order, count, 0, gfns, done) }
        })
    }

    /// Make `count` frames from `first` on empty, up to the first that fails.
    /// RAM among them stays charged to the domain, out of its reach:
    /// [`decrease`](Self::decrease) is for that.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where nothing is, or a grant mapping;
    /// [`Error::NoSuchDomain`], [`Error::NotPermitted`], [`Error::Invalid`]
    /// for a range that wraps.
    ///
    /// # Safety
    ///
    /// Nobody uses what is there.
    pub unsafe fn remove(&self, first: Gfn, count: u32) -> Result<(), Stopped> {
        let mut done = 0;
        let (guest, dom) = (self.guest.as_raw(), self.dom.raw());
        // SAFETY: the guest is set up; the rest is the caller's promise.
        let rc = unsafe { ffi::xg_memory_remove_range(guest, dom, first.raw(), count, &mut done) };
        stopped(rc, done)
    }

    /// One of the domain's parameters (`HVM_PARAM_*`), 0 where nobody set it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for one that is not known here,
    /// [`Error::NotPermitted`], [`Error::NoSuchDomain`].
    pub fn hvm_param(&self, index: u32) -> Result<u64> {
        let mut value = 0;
        // SAFETY: the guest is set up; the call writes one number.
        Error::check(unsafe {
            ffi::xg_hvm_get_param(self.guest.as_raw(), self.dom.raw(), index, &mut value)
        })?;
        Ok(value)
    }
}

fn stopped(rc: core::ffi::c_int, done: u32) -> Result<(), Stopped> {
    match Error::check(rc) {
        Ok(_) => Ok(()),
        Err(error) => Err(Stopped { done, error }),
    }
}

/// A C call about frames; those count in 32 bits.
fn with_frames(
    frames: &[Gfn],
    call: impl Fn(*const u64, u32, &mut u32) -> core::ffi::c_int,
) -> Result<(), Stopped> {
    let Ok(count) = u32::try_from(frames.len()) else {
        return Err(Stopped {
            done: 0,
            error: Error::OutOfRange,
        });
    };
    let mut done = 0;
    // A `Gfn` is a number and nothing else.
    stopped(call(frames.as_ptr().cast(), count, &mut done), done)
}

impl fmt::Debug for Physmap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Physmap({})", self.dom)
    }
}
