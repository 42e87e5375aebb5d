// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages that a peer may map.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Range;
use core::ptr;

use crate::{
    Access, DomId, Error, GrantRef, Guest, PageOwner, ParkedOwner, Parker, SharedMemory, ffi,
};

/// A page of this guest that a peer may map.
///
/// The grant owns the page: it comes back from [`end`](Self::end), and only
/// when no peer has it mapped.
///
/// Dropping it ends it too. If a peer still has the page mapped, the grant is
/// parked where its page can be ([`PageOwner::parker`]) and there is a place
/// ([`GuestConfig::with_parking`](crate::GuestConfig::with_parking)): from time
/// to time [`Guest::reap_grants`] ends those whose peer has let go, and drops
/// their pages. Otherwise the page is lost, which [`Guest::abandoned`] counts;
/// in no case does anybody get it while the peer can write to it.
///
/// Granting and ending take no lock and may be done in handlers; granting
/// calls the platform when the table has to grow.
///
/// ```
/// use xen_guest::{Error, Grant, PageOwner, ParkedOwner};
///
/// /// Get the page back if the peer is done with it, or try again later.
/// fn give_back<'g, P: PageOwner>(grant: Grant<'g, P>) -> Result<P, Grant<'g, P>> {
///     grant.end().map_err(|refused| {
///         assert_eq!(refused.error, Error::Busy);
///         refused.grant
///     })
/// }
///
/// /// Or never look at it again: the page is dropped once the peer lets go.
/// fn forget<P: ParkedOwner>(grant: Grant<'_, P>) -> Result<(), Error> {
///     grant.park().map_err(|refused| refused.error)
/// }
/// ```
pub struct Grant<'g, P: PageOwner> {
    guest: &'g Guest<'g>,
    page: ManuallyDrop<P>,
    gref: GrantRef,
}

/// A page that could not be granted, and why.
#[derive(Debug)]
pub struct GrantError<P> {
    /// Why.
    pub error: Error,
    /// The page.
    pub page: P,
}

/// A grant that could not be ended, and why.
#[derive(Debug)]
pub struct EndError<G> {
    /// [`Error::Busy`]: a peer has the page mapped.
    pub error: Error,
    /// The grant, as it was.
    pub grant: G,
}

impl<'g, P: PageOwner> Grant<'g, P> {
    /// Let domain `peer` map `page`. All of the page becomes visible to it,
    /// so everything that is in there should be meant for it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`] if all references are in use, [`Error::Invalid`]
    /// for [`DomId::SELF`], [`Error::NotImplemented`] without a grant table,
    /// [`Error::BadAddress`] if the platform knows no frame for the page.
    pub fn new(
        guest: &'g Guest<'g>,
        peer: DomId,
        page: P,
        access: Access,
    ) -> Result<Self, GrantError<P>> {
        let readonly = access == Access::ReadOnly;
        // SAFETY: the guest is set up; the page is its RAM and stays owned
        // until the grant has ended.
        Self::with(guest, page, |guest, gfn| unsafe {
            ffi::xg_gnttab_grant(guest, peer.raw(), gfn, readonly)
        })
    }

    /// Let domain `peer` copy from the bytes of `page` in `part`, and to them
    /// unless `access` is read-only: what [`Granted`](crate::Granted) does
    /// there. The peer can't map them and reaches no other byte of the page,
    /// which the grant owns as any other. For guests
    /// [`with_grants_v2`](crate::GuestConfig::with_grants_v2).
    ///
    /// ```
    /// use xen_guest::{Access, DomId, Error, Grant, Guest, PageOwner};
    ///
    /// /// Let `peer` read a message, and not the rest of what is in the page.
    /// fn send<'g, P: PageOwner>(
    ///     guest: &'g Guest<'g>,
    ///     peer: DomId,
    ///     page: P,
    ///     length: usize,
    /// ) -> Result<Grant<'g, P>, Error> {
    ///     Grant::of_part(guest, peer, page, 0..length, Access::ReadOnly).map_err(|e| e.error)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); [`Error::Invalid`] also for an empty range, or
    /// one that is not inside the page; [`Error::NotSupported`] with version 1
    /// of the table.
    pub fn of_part(
        guest: &'g Guest<'g>,
        peer: DomId,
        page: P,
        part: Range<usize>,
        access: Access,
    ) -> Result<Self, GrantError<P>> {
        let number = |n: usize| u16::try_from(n).map_err(|_| Error::Invalid);
        let length = part.end.checked_sub(part.start).ok_or(Error::Invalid);
        let (start, length) = match (number(part.start), length.and_then(number)) {
            (Ok(start), Ok(length)) => (start, length),
            (Err(error), _) | (_, Err(error)) => return Err(GrantError { error, page }),
        };
        let readonly = access == Access::ReadOnly;
        // SAFETY: as in `new`.
        Self::with(guest, page, |guest, gfn| unsafe {
            ffi::xg_gnttab_grant_sub_page(guest, peer.raw(), gfn, start, length, readonly)
        })
    }

    fn with(
        guest: &'g Guest<'g>,
        page: P,
        grant: impl FnOnce(*mut ffi::xg_guest, u64) -> i32,
    ) -> Result<Self, GrantError<P>> {
        let gfn = guest.virt_to_gfn(page.page().as_ptr().cast());
        let granted = gfn.ok_or(Error::BadAddress);
        match granted.and_then(|gfn| Error::check(grant(guest.as_raw(), gfn.raw()))) {
            Ok(gref) => Ok(Self {
                guest,
                page: ManuallyDrop::new(page),
                gref: GrantRef::new(gref),
            }),
            Err(error) => Err(GrantError { error, page }),
        }
    }

    /// The reference, for the peer.
    pub const fn gref(&self) -> GrantRef {
        self.gref
    }

    /// What is in the page.
    pub fn memory(&self) -> SharedMemory<'_> {
        // SAFETY: the page is owned while `self` is borrowed, and writable.
        unsafe { SharedMemory::new(self.page.page().cast(), 1, Access::ReadWrite) }
    }

    /// End the grant and get the page back.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] while a peer has the page mapped. The grant comes
    /// back unchanged: try again once the peer says it is done.
    pub fn end(self) -> Result<P, EndError<Self>> {
        match self.end_raw() {
            Ok(()) => {
                let this = ManuallyDrop::new(self);
                // SAFETY: read out of a value that is not used or dropped
                // any more.
                Ok(ManuallyDrop::into_inner(unsafe { ptr::read(&this.page) }))
            }
            Err(error) => Err(EndError { error, grant: self }),
        }
    }

    /// End the grant now, or once the peer lets go: the page is dropped then,
    /// by [`Guest::reap_grants`].
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`] if the page is in use and every place for parked
    /// grants is taken: the grant comes back.
    pub fn park(self) -> Result<(), EndError<Self>>
    where
        P: ParkedOwner,
    {
        let mut this = ManuallyDrop::new(self);
        match this.park_raw(&Parker::new()) {
            Ok(()) => Ok(()),
            Err(error) => {
                let grant = ManuallyDrop::into_inner(this);
                Err(EndError { error, grant })
            }
        }
    }

    /// Unless it fails, the page is not this value's any more.
    fn park_raw(&mut self, parker: &Parker<P>) -> Result<(), Error> {
        // SAFETY: not used again, unless it is put back below.
        let page = unsafe { ManuallyDrop::take(&mut self.page) };
        let data = (parker.into_raw)(page);
        // SAFETY: the guest is set up; `release` gets what it takes, and P
        // borrows nothing.
        let parked = unsafe {
            ffi::xg_gnttab_park(
                self.guest.as_raw(),
                self.gref.raw(),
                Some(parker.release),
                data.cast(),
            )
        };
        Error::check(parked).map(drop).inspect_err(|_| {
            // SAFETY: refused, so nobody else has it.
            self.page = ManuallyDrop::new(unsafe { (parker.from_raw)(data) });
        })
    }

    fn end_raw(&self) -> Result<(), Error> {
        // SAFETY: the guest is set up.
        Error::check(unsafe { ffi::xg_gnttab_end(self.guest.as_raw(), self.gref.raw()) })?;
        Ok(())
    }
}

impl<P: PageOwner> Drop for Grant<'_, P> {
    fn drop(&mut self) {
        let left = match (self.end_raw(), P::parker()) {
            // SAFETY: not used any more, and no peer can reach the page.
            (Ok(()), _) => return unsafe { ManuallyDrop::drop(&mut self.page) },
            (Err(_), Some(parker)) => self.park_raw(&parker).is_err(),
            (Err(_), None) => true,
        };
        // The page is still the peer's to write: nobody may get it.
        if left {
            self.guest.abandon();
        }
    }
}

impl<P: PageOwner> fmt::Debug for Grant<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Grant").field(&self.gref).finish()
    }
}
