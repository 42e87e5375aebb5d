// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames of another domain, or of one of its resources, mapped here: for
//! control domains and device models.

use core::fmt;
use core::mem::ManuallyDrop;

use crate::{
    Access, DomId, EmptyPages, Error, FrameOwner, Gfn, Guest, MapError, Result, SharedMemory, ffi,
    ffi::abi,
};

/// Pages that Xen keeps for a domain and its emulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resource {
    /// Its grant table: the entries.
    GrantTable,
    /// Its grant table's status words, where it has version 2.
    GrantStatus,
    /// The request pages of this ioreq server.
    IoreqServer(u32),
    /// Any other, by type and identifier.
    Other(u16, u32),
}

impl Resource {
    const fn raw(self) -> (u16, u32) {
        match self {
            Self::GrantTable => (
                abi::XENMEM_resource_grant_table as u16,
                abi::XENMEM_resource_grant_table_id_shared,
            ),
            Self::GrantStatus => (
                abi::XENMEM_resource_grant_table as u16,
                abi::XENMEM_resource_grant_table_id_status,
            ),
            Self::IoreqServer(id) => (abi::XENMEM_resource_ioreq_server as u16, id),
            Self::Other(kind, id) => (kind, id),
        }
    }

    /// How many frames this resource of domain `dom` has.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the domain has no such resource,
    /// [`Error::NotPermitted`], [`Error::NoSuchDomain`].
    pub fn size(self, guest: &Guest<'_>, dom: DomId) -> Result<u32> {
        let (kind, id) = self.raw();
        let mut frames = 0;
        // SAFETY: the guest is set up; the call writes one number.
        Error::check(unsafe {
            ffi::xg_memory_resource_size(guest.as_raw(), dom.raw(), kind, id, &mut frames)
        })?;
        Ok(frames)
    }
}

/// Frames of another domain, mapped into this guest until dropped.
///
/// The other domain goes on using them. If it dies they stay until then.
///
/// ```
/// use xen_guest::{Access, DomId, Error, ForeignMap, Gfn, Guest, RegionPages};
///
/// /// What the first word of a domain's frame is, for a control domain.
/// fn peek(guest: &Guest<'_>, dom: DomId, frame: Gfn) -> Result<u32, Error> {
///     let empty = RegionPages::take(guest, 1)?;
///     let map = ForeignMap::new(guest, dom, frame, Access::ReadOnly, empty)?;
///     Ok(map.memory().read(0))
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
pub struct ForeignMap<'g, P: FrameOwner = EmptyPages> {
    guest: &'g Guest<'g>,
    pages: ManuallyDrop<P>,
    gfn: Gfn,
    access: Access,
}

fn window(pages: &impl FrameOwner, gfn: Gfn) -> ffi::xg_window {
    ffi::xg_window {
        va: pages.va().as_ptr().cast(),
        gfn: gfn.raw(),
        pages: pages.pages(),
    }
}

impl<'g, P: FrameOwner> ForeignMap<'g, P> {
    /// Map as many consecutive frames of domain `peer`, from `first` on, as
    /// there are `pages`. All or none.
    ///
    /// # Errors
    ///
    /// With the pages, empty as before: [`Error::Invalid`] if one of the
    /// frames is not RAM of the domain, [`Error::NotPermitted`],
    /// [`Error::NoSuchDomain`], or what the platform answers. Without:
    /// [`Error::Partial`] if Xen would not undo what it had done.
    pub fn new(
        guest: &'g Guest<'g>,
        peer: DomId,
        first: Gfn,
        access: Access,
        pages: P,
    ) -> Result<Self, MapError<P>> {
        Self::with(guest, access, pages, |window, prot, left| {
            // SAFETY: the guest is set up; the frames are empty and ours.
            unsafe {
                let raw = guest.as_raw();
                ffi::xg_foreign_map(raw, peer.raw(), first.raw(), window, prot, left)
            }
        })
    }

    /// Map frames of a resource of domain `dom`, from its frame `first` on.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new); [`Error::Invalid`] also beyond the
    /// resource's end.
    pub fn resource(
        guest: &'g Guest<'g>,
        dom: DomId,
        resource: Resource,
        first: u64,
        access: Access,
        pages: P,
    ) -> Result<Self, MapError<P>> {
        let (kind, id) = resource.raw();
        Self::with(guest, access, pages, |window, prot, left| {
            // SAFETY: the guest is set up; the frames are empty and ours.
            unsafe {
                let raw = guest.as_raw();
                ffi::xg_resource_map(raw, dom.raw(), kind, id, first, window, prot, left)
            }
        })
    }

    fn with(
        guest: &'g Guest<'g>,
        access: Access,
        pages: P,
        map: impl FnOnce(&ffi::xg_window, u32, &mut u32) -> core::ffi::c_int,
    ) -> Result<Self, MapError<P>> {
        let refuse = |error, pages| Err(MapError { error, pages });
        let Some(gfn) = guest.virt_to_gfn(pages.va().as_ptr()) else {
            return refuse(Error::BadAddress, Some(pages));
        };
        let prot = match access {
            Access::ReadOnly => ffi::XG_PROT_READ,
            Access::ReadWrite => ffi::XG_PROT_READ | ffi::XG_PROT_WRITE,
        };
        let mut left = 0;
        let result = Error::check(map(&window(&pages, gfn), prot, &mut left));
        let pages = ManuallyDrop::new(pages);
        match result {
            Ok(_) => Ok(Self {
                guest,
                pages,
                gfn,
                access,
            }),
            Err(error) if left == 0 => refuse(error, Some(ManuallyDrop::into_inner(pages))),
            // Nobody may get the frames again.
            Err(error) => {
                guest.abandon();
                refuse(error, None)
            }
        }
    }

    /// What is in the pages.
    pub fn memory(&self) -> SharedMemory<'_> {
        let pages = self.pages.pages() as usize;
        // SAFETY: mapped, with this access, while `self` is there.
        unsafe { SharedMemory::new(self.pages.va(), pages, self.access) }
    }

    /// Unmap, and get the empty frames back.
    ///
    /// # Errors
    ///
    /// What the platform answers, with the mapping as before. Without it
    /// [`Error::Partial`]: Xen kept some of the frames, which can't be
    /// reached any more and must not be used again.
    pub fn unmap(self) -> Result<P, (Error, Option<Self>)> {
        let mut this = ManuallyDrop::new(self);
        match this.unmap_raw() {
            // SAFETY: taken once, from a value that is not dropped.
            Ok(()) => Ok(unsafe { ManuallyDrop::take(&mut this.pages) }),
            Err(Error::Partial) => {
                this.guest.abandon();
                Err((Error::Partial, None))
            }
            Err(error) => Err((error, Some(ManuallyDrop::into_inner(this)))),
        }
    }

    fn unmap_raw(&self) -> Result {
        let mut left = 0;
        let window = window(&*self.pages, self.gfn);
        // SAFETY: the guest is set up; nothing borrows the memory any more.
        let rc = unsafe { ffi::xg_foreign_unmap(self.guest.as_raw(), &window, &mut left) };
        debug_assert!(rc == 0 || left > 0);
        Error::check(rc).map(|_| ())
    }
}

impl<P: FrameOwner> Drop for ForeignMap<'_, P> {
    fn drop(&mut self) {
        match self.unmap_raw() {
            // SAFETY: not used any more, and the frames are empty.
            Ok(()) => unsafe { ManuallyDrop::drop(&mut self.pages) },
            // They are not: nobody may get them.
            Err(_) => self.guest.abandon(),
        }
    }
}

impl<P: FrameOwner> fmt::Debug for ForeignMap<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (va, pages) = (self.pages.va(), self.pages.pages());
        write!(f, "ForeignMap({va:p}, {pages} pages, {:?})", self.access)
    }
}
