// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of a peer, mapped here.

use core::fmt;
use core::mem;

use crate::{
    Access, DomId, EmptyPages, Error, GrantRef, Guest, MapError, SharedMemory, ffi, ffi::abi,
};

/// A page that a peer granted, mapped into this guest until it is dropped.
pub struct GrantMapping<'g> {
    guest: &'g Guest<'g>,
    pages: EmptyPages,
    handle: u32,
    access: Access,
}

/// A mapping that could not be undone, and why.
#[derive(Debug)]
pub struct UnmapError<'g> {
    /// What Xen or the platform answers.
    pub error: Error,
    /// The mapping, usable as before; none if only the CPU's side of it is
    /// left, whose frames must not be used again.
    pub mapping: Option<GrantMapping<'g>>,
}

impl<'g> GrantMapping<'g> {
    /// Map `gref` of domain `peer` at `pages`, which has one page.
    ///
    /// # Errors
    ///
    /// See [`MapError::error`].
    pub fn new(
        guest: &'g Guest<'g>,
        peer: DomId,
        gref: GrantRef,
        access: Access,
        pages: EmptyPages,
    ) -> Result<Self, MapError> {
        let refuse = |error, pages| Err(MapError { error, pages });
        if pages.pages() != 1 {
            return refuse(Error::Invalid, Some(pages));
        }
        let mut op = abi::gnttab_map_grant_ref {
            host_addr: pages.va().addr().get() as u64,
            flags: abi::GNTMAP_host_map
                | match access {
                    Access::ReadOnly => abi::GNTMAP_readonly,
                    Access::ReadWrite => 0,
                },
            ref_: gref.raw(),
            dom: peer.raw(),
            ..Default::default()
        };
        // SAFETY: the guest is set up; the frames are empty and ours.
        match Error::check(unsafe { ffi::xg_gnttab_map(guest.as_raw(), (&raw mut op).cast(), 1) }) {
            Ok(_) => Ok(Self {
                guest,
                pages,
                handle: op.handle,
                access,
            }),
            Err(Error::Partial) => {
                guest.abandon();
                refuse(Error::Partial, None)
            }
            Err(error) => refuse(error, Some(pages)),
        }
    }

    /// What is in the page.
    pub fn memory(&self) -> SharedMemory<'_> {
        // SAFETY: mapped, with this access, while `self` is there.
        unsafe { SharedMemory::new(self.pages.va(), 1, self.access) }
    }

    /// Unmap, and get the empty frames back.
    ///
    /// # Errors
    ///
    /// See [`UnmapError`].
    pub fn unmap(self) -> Result<EmptyPages, UnmapError<'g>> {
        match self.unmap_raw() {
            Ok(()) => {
                // SAFETY: the range is empty again and `self` is forgotten.
                let pages = unsafe { EmptyPages::from_raw(self.pages.va(), self.pages.pages()) };
                mem::forget(self);
                Ok(pages)
            }
            Err(Error::Partial) => {
                self.guest.abandon();
                mem::forget(self);
                Err(UnmapError {
                    error: Error::Partial,
                    mapping: None,
                })
            }
            Err(error) => Err(UnmapError {
                error,
                mapping: Some(self),
            }),
        }
    }

    fn unmap_raw(&self) -> Result<(), Error> {
        let mut op = abi::gnttab_unmap_grant_ref {
            host_addr: self.pages.va().addr().get() as u64,
            handle: self.handle,
            ..Default::default()
        };
        // SAFETY: the guest is set up; nothing borrows the memory any more.
        Error::check(unsafe {
            ffi::xg_gnttab_unmap(self.guest.as_raw(), (&raw mut op).cast(), 1)
        })?;
        Ok(())
    }
}

impl Drop for GrantMapping<'_> {
    fn drop(&mut self) {
        if self.unmap_raw().is_err() {
            self.guest.abandon();
        }
    }
}

impl fmt::Debug for GrantMapping<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantMapping(handle {}, {:?})", self.handle, self.pages)
    }
}
