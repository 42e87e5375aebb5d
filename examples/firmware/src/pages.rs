// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of this domain's own RAM, to grant to other domains.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use aarch64_paging::paging::PAGE_SIZE;

use crate::sync::IrqMutex;

/// How many there are.
pub const PAGES: usize = 256;

/// Apart from everything else: a peer sees whole pages, and may write them at
/// any time.
#[repr(C, align(4096))]
struct Page([u8; PAGE_SIZE]);

struct PageMemory(UnsafeCell<MaybeUninit<[Page; PAGES]>>);

// SAFETY: Nothing but pointers is made from it, and the pool below says whose
// each page is.
unsafe impl Sync for PageMemory {}

static MEMORY: PageMemory = PageMemory(UnsafeCell::new(MaybeUninit::zeroed()));

/// Which pages are in use.
static USED: IrqMutex<[bool; PAGES]> = IrqMutex::new([false; PAGES]);

/// Allocates `pages` contiguous pages, with whatever is in them. Null if there
/// are not so many together.
pub fn alloc(pages: usize) -> *mut u8 {
    let mut used = USED.lock();
    let free = (1..=PAGES).contains(&pages).then(|| {
        used.windows(pages)
            .position(|run| run.iter().all(|&used| !used))
    });
    let Some(Some(first)) = free else {
        return ptr::null_mut();
    };
    used[first..first + pages].fill(true);
    // SAFETY: The index is in range.
    unsafe { MEMORY.0.get().cast::<Page>().add(first).cast() }
}

/// Gives back what [`alloc`] returned.
///
/// # Safety
///
/// `start` came from `alloc` with the same count, and is no longer used, by a
/// peer neither.
pub unsafe fn free(start: NonNull<u8>, pages: usize) {
    let base = MEMORY.0.get().addr();
    let first = (start.addr().get() - base) / PAGE_SIZE;
    let mut used = USED.lock();
    let run = &mut used[first..first + pages];
    assert!(run.iter().all(|&used| used), "page freed twice");
    run.fill(false);
}
