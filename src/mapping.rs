// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of a peer, mapped here.

use core::fmt;
use core::mem::ManuallyDrop;

use crate::{
    Access, DomId, EmptyPages, Error, FrameOwner, GrantRef, Guest, MapError, PAGE_SIZE,
    SharedMemory, ffi, ffi::abi,
};

/// Pages that a peer granted, mapped into this guest until it is dropped: `N`
/// references, one after the other.
///
/// ```
/// use xen_guest::{Access, DomId, Error, GrantMapping, GrantRef, Guest, RegionPages};
///
/// /// The first words of a ring of two pages.
/// fn peek(guest: &Guest<'_>, peer: DomId, ring: &[GrantRef; 2]) -> Result<[u32; 2], Error> {
///     let empty = RegionPages::take(guest, 2)?;
///     let ring = GrantMapping::several(guest, peer, ring, Access::ReadOnly, empty)?;
///     Ok([0, 4096].map(|offset| ring.memory().read(offset)))
/// }
/// ```
///
/// It owns the pages that it was given to map at. With
/// [`RegionPages`](crate::RegionPages) that is all there is to do: once it is
/// dropped they are the region's again. If Xen or the platform does not unmap
/// them they are nobody's, which [`Guest::abandoned`] counts.
///
/// All of it in any context in which the platform's `map` and `unmap` may be
/// called, and on any CPU.
pub struct GrantMapping<'g, P: FrameOwner = EmptyPages, const N: usize = 1> {
    guest: &'g Guest<'g>,
    pages: ManuallyDrop<P>,
    handles: [u32; N],
    access: Access,
}

/// A mapping that could not be undone, and why.
#[derive(Debug)]
pub struct UnmapError<M> {
    /// What Xen or the platform answers.
    pub error: Error,
    /// The mapping, usable as before; none if a part of it is undone, whose
    /// frames must not be used again.
    pub mapping: Option<M>,
}

impl<'g, P: FrameOwner> GrantMapping<'g, P> {
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
        pages: P,
    ) -> Result<Self, MapError<P>> {
        Self::several(guest, peer, &[gref], access, pages)
    }
}

impl<'g, P: FrameOwner, const N: usize> GrantMapping<'g, P, N> {
    /// Map `grefs` of domain `peer` at `pages`, which has as many: all or
    /// none.
    ///
    /// # Errors
    ///
    /// See [`MapError::error`]; [`Error::Invalid`] also if there are not `N`
    /// pages, or none.
    pub fn several(
        guest: &'g Guest<'g>,
        peer: DomId,
        grefs: &[GrantRef; N],
        access: Access,
        pages: P,
    ) -> Result<Self, MapError<P>> {
        let refuse = |error, pages| Err(MapError { error, pages });
        if N == 0 || pages.pages() as usize != N {
            return refuse(Error::Invalid, Some(pages));
        }
        let flags = match access {
            Access::ReadOnly => abi::GNTMAP_host_map | abi::GNTMAP_readonly,
            Access::ReadWrite => abi::GNTMAP_host_map,
        };
        let mut ops: [_; N] = core::array::from_fn(|i| abi::gnttab_map_grant_ref {
            host_addr: address_of(&pages, i),
            flags,
            ref_: grefs[i].raw(),
            dom: peer.raw(),
            ..Default::default()
        });
        // SAFETY: the guest is set up; the frames are empty and ours.
        let mapped = Error::check(unsafe {
            ffi::xg_gnttab_map(guest.as_raw(), ops.as_mut_ptr().cast(), N as u32)
        });
        let pages = ManuallyDrop::new(pages);
        match mapped {
            Ok(_) => Ok(Self {
                guest,
                pages,
                handles: ops.map(|op| op.handle),
                access,
            }),
            // Nobody may get the frames again.
            Err(Error::Partial) => {
                guest.abandon();
                refuse(Error::Partial, None)
            }
            Err(error) => refuse(error, Some(ManuallyDrop::into_inner(pages))),
        }
    }

    /// What is in the pages.
    pub fn memory(&self) -> SharedMemory<'_> {
        // SAFETY: mapped, with this access, while `self` is there.
        unsafe { SharedMemory::new(self.pages.va(), N, self.access) }
    }

    /// Unmap, and get the empty frames back.
    ///
    /// # Errors
    ///
    /// See [`UnmapError`].
    pub fn unmap(self) -> Result<P, UnmapError<Self>> {
        let mut this = ManuallyDrop::new(self);
        match this.unmap_raw() {
            // SAFETY: taken once, from a value that is not dropped.
            Ok(()) => Ok(unsafe { ManuallyDrop::take(&mut this.pages) }),
            Err((error, 0)) => Err(UnmapError {
                error,
                mapping: Some(ManuallyDrop::into_inner(this)),
            }),
            // Neither mapped nor empty.
            Err((error, _)) => {
                this.guest.abandon();
                Err(UnmapError {
                    error,
                    mapping: None,
                })
            }
        }
    }

    /// The error, and how many pages Xen has unmapped nevertheless.
    fn unmap_raw(&self) -> Result<(), (Error, usize)> {
        let mut ops: [_; N] = core::array::from_fn(|i| abi::gnttab_unmap_grant_ref {
            host_addr: address_of(&*self.pages, i),
            handle: self.handles[i],
            ..Default::default()
        });
        // SAFETY: the guest is set up; nothing borrows the memory any more.
        let unmapped = Error::check(unsafe {
            ffi::xg_gnttab_unmap(self.guest.as_raw(), ops.as_mut_ptr().cast(), N as u32)
        });
        let gone = |op: &&abi::gnttab_unmap_grant_ref| {
            let status = i32::from(op.status);
            status == abi::GNTST_okay as i32 || status == abi::GNTST_bad_virt_addr
        };
        match unmapped {
            Ok(_) => Ok(()),
            Err(error) => Err((error, ops.iter().filter(gone).count())),
        }
    }
}

fn address_of(pages: &impl FrameOwner, page: usize) -> u64 {
    (pages.va().addr().get() + page * PAGE_SIZE) as u64
}

impl<P: FrameOwner, const N: usize> Drop for GrantMapping<'_, P, N> {
    fn drop(&mut self) {
        match self.unmap_raw() {
            // SAFETY: not used any more, and the frames are empty.
            Ok(()) => unsafe { ManuallyDrop::drop(&mut self.pages) },
            // They are not: nobody may get them.
            Err(_) => self.guest.abandon(),
        }
    }
}

impl<P: FrameOwner, const N: usize> fmt::Debug for GrantMapping<'_, P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let va = self.pages.va();
        write!(f, "GrantMapping({va:p}, {N} pages, {:?})", self.access)
    }
}
