// SPDX-License-Identifier: MIT OR Apache-2.0
//! Having Xen copy from and to pages that a peer granted.

use crate::{DomId, Error, GrantRef, Guest, PAGE_SIZE, Result, ffi, ffi::abi};

/// Bytes in a peer's page, named by the reference that it granted.
///
/// No mapping is made, so for small data this is the cheaper way: one
/// hypercall, and no frames for it. Any context, any CPU.
///
/// ```
/// use xen_guest::{DomId, Error, GrantRef, Granted, Guest};
///
/// /// Answer a request in the peer's page: its bytes in reverse.
/// fn answer(guest: &Guest<'_>, peer: DomId, gref: GrantRef, buffer: &mut [u8]) -> Result<(), Error> {
///     let page = Granted { peer, gref };
///     page.read(guest, 0, buffer)?;
///     buffer.reverse();
///     page.write(guest, 0, buffer)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Granted {
    /// Whose page.
    pub peer: DomId,
    /// The reference that it gave this domain.
    pub gref: GrantRef,
}

impl Granted {
    /// Have Xen copy the page's bytes from `offset` on into `to`, which is RAM
    /// of this guest. What the peer writes meanwhile may be in it or not.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the range is not inside the page or the page not
    /// granted to this domain, [`Error::BadAddress`] if the platform knows no
    /// frame for `to`, [`Error::NoSuchDomain`], [`Error::NotPermitted`],
    /// [`Error::TryAgain`] if the page is still being swapped in. Some bytes
    /// may have been copied.
    pub fn read(self, guest: &Guest<'_>, offset: usize, to: &mut [u8]) -> Result {
        let (own, len) = (to.as_mut_ptr(), to.len());
        // Xen writes there, which the compiler does not see.
        own.expose_provenance();
        self.copy(guest, offset, own, len, abi::GNTCOPY_source_gref)
    }

    /// Have Xen copy `from`, which is RAM of this guest, to the page's bytes
    /// from `offset` on.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read); [`Error::Invalid`] also if the page is
    /// granted for reading only.
    pub fn write(self, guest: &Guest<'_>, offset: usize, from: &[u8]) -> Result {
        let own = from.as_ptr();
        own.expose_provenance();
        self.copy(guest, offset, own, from.len(), abi::GNTCOPY_dest_gref)
    }

    /// Between the page and `len` borrowed bytes at `own`.
    fn copy(
        self,
        guest: &Guest<'_>,
        offset: usize,
        own: *const u8,
        len: usize,
        direction: u32,
    ) -> Result {
        /// No more than a page's bytes, which are in two pages at most.
        const MOST: usize = 2;
        if offset > PAGE_SIZE || len > PAGE_SIZE - offset {
            return Err(Error::Invalid);
        }
        let mut ops = [abi::gnttab_copy::default(); MOST];
        let mut used = 0;
        let mut done = 0;
        while done < len {
            let at = own.wrapping_add(done);
            let in_page = at.addr() % PAGE_SIZE;
            let some = (len - done).min(PAGE_SIZE - in_page);
            let gfn = guest.virt_to_gfn(at).ok_or(Error::BadAddress)?;
            let op = &mut ops[used];
            // All of these numbers are at most a page.
            op.len = some as u16;
            op.flags = direction as u16;
            let (theirs, ours) = if direction == abi::GNTCOPY_source_gref {
                (&mut op.source, &mut op.dest)
            } else {
                (&mut op.dest, &mut op.source)
            };
            theirs.domid = self.peer.raw();
            theirs.offset = (offset + done) as u16;
            theirs.u.ref_ = self.gref.raw();
            ours.domid = DomId::SELF.raw();
            ours.offset = in_page as u16;
            ours.u.gmfn = gfn.raw();
            done += some;
            used += 1;
        }
        // SAFETY: the guest is set up; so many operations, whose bytes the
        // caller has borrowed, for writing where they are the destination.
        Error::check(unsafe {
            ffi::xg_gnttab_copy(guest.as_raw(), ops.as_mut_ptr().cast(), used as u32)
        })?;
        Ok(())
    }
}
