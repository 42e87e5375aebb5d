// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of this domain's own RAM, to grant to other domains.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use xen_guest::{PAGE_SIZE, Page, PageOwner, ParkedOwner, Parker};

use crate::sync::IrqMutex;

/// How many there are.
pub const PAGES: usize = 256;

struct PageMemory([Page; PAGES]);

// SAFETY: Nothing but pointers is made from it, and `USED` says whose each
// page is.
unsafe impl Sync for PageMemory {}

static MEMORY: PageMemory = PageMemory([const { Page::new() }; PAGES]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Free,
    Allocated,
    /// For good.
    Taken,
}

static USED: IrqMutex<[Use; PAGES]> = IrqMutex::new([Use::Free; PAGES]);

/// Allocates `pages` contiguous pages, with whatever is in them. `None` if
/// there are not so many together.
pub fn alloc(pages: usize) -> Option<NonNull<Page>> {
    reserve(pages, Use::Allocated)
}

/// The same for good, so that these pages are not missed by [`all_free`].
pub fn take(pages: usize) -> Option<NonNull<Page>> {
    reserve(pages, Use::Taken)
}

fn reserve(pages: usize, to: Use) -> Option<NonNull<Page>> {
    if !(1..=PAGES).contains(&pages) {
        return None;
    }
    let mut used = USED.lock();
    let first = used
        .windows(pages)
        .position(|run| run.iter().all(|&used| used == Use::Free))?;
    used[first..first + pages].fill(to);
    NonNull::new(MEMORY.0[first..].as_ptr().cast_mut())
}

/// Gives back what [`alloc`] returned.
///
/// # Safety
///
/// `start` came from `alloc` with the same count, and is no longer used, by a
/// peer neither.
pub unsafe fn free(start: NonNull<Page>, pages: usize) {
    let offset = start.addr().get() - MEMORY.0.as_ptr().addr();
    let first = offset / PAGE_SIZE;
    let mut used = USED.lock();
    let run = &mut used[first..first + pages];
    assert!(
        run.iter().all(|&used| used == Use::Allocated),
        "a page was freed twice"
    );
    run.fill(Use::Free);
}

/// Whether every page that was allocated has been given back.
pub fn all_free() -> bool {
    USED.lock().iter().all(|&used| used != Use::Allocated)
}

/// One page from the pool, for a [`Grant`](xen_guest::Grant) or as a buffer.
/// Dropping it gives it back. A grant that is dropped while a peer has it mapped
/// parks it.
pub struct PoolPage(NonNull<Page>);

// SAFETY: It is the only owner of a plain page of memory.
unsafe impl Send for PoolPage {}

impl PoolPage {
    /// A page of zeros, unless all are in use.
    pub fn new() -> Option<Self> {
        let mut page = Self(alloc(1)?);
        // What an earlier owner left is nothing for a peer to see.
        page.bytes().fill(0);
        Some(page)
    }

    /// What is in it. Nobody else has it: a grant would own this value.
    pub fn bytes(&mut self) -> &mut [u8; PAGE_SIZE] {
        // SAFETY: As just said.
        unsafe { self.0.cast().as_mut() }
    }
}

// SAFETY: The pool gives the page to nobody else until this is dropped.
unsafe impl PageOwner for PoolPage {
    fn page(&self) -> NonNull<Page> {
        self.0
    }

    fn parker() -> Option<Parker<Self>> {
        Some(Parker::new())
    }
}

// SAFETY: The pointer is all there is.
unsafe impl ParkedOwner for PoolPage {
    fn into_raw(self) -> *mut () {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: From `into_raw`, which does not return null.
        Self(unsafe { NonNull::new_unchecked(raw.cast()) })
    }
}

impl Drop for PoolPage {
    fn drop(&mut self) {
        // SAFETY: It came from `alloc`, and this was its owner.
        unsafe { free(self.0, 1) };
    }
}

impl fmt::Debug for PoolPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolPage({:p})", self.0)
    }
}
