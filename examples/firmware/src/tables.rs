// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory for page tables, out of a static array.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// Enough to map 100 MiB of windows a page at a time.
const TABLES: usize = u64::BITS as usize;

/// The array, of an architecture's page tables.
#[derive(Debug)]
pub(crate) struct TableMemory<T>(UnsafeCell<MaybeUninit<[T; TABLES]>>);

// SAFETY: Only the one TablePool hands out pointers into it.
unsafe impl<T> Sync for TableMemory<T> {}

impl<T> TableMemory<T> {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::zeroed()))
    }
}

/// Which tables of the array are used.
#[derive(Debug)]
pub(crate) struct TablePool<T: 'static> {
    memory: &'static TableMemory<T>,
    used: u64,
}

impl<T> TablePool<T> {
    /// # Safety
    ///
    /// The memory must be no other pool's, and a `T` of zeros an empty table.
    pub(crate) const unsafe fn new(memory: &'static TableMemory<T>) -> Self {
        Self { memory, used: 0 }
    }

    pub(crate) fn free(&self) -> usize {
        self.used.count_zeros() as usize
    }

    fn base(&self) -> *mut T {
        self.memory.0.get().cast()
    }

    /// An empty table.
    pub(crate) fn take(&mut self) -> Option<NonNull<T>> {
        let index = self.used.trailing_ones() as usize;
        if index == TABLES {
            return None;
        }
        self.used |= 1 << index;
        // SAFETY: The index is in range, and the table is nobody's.
        unsafe {
            let table = self.base().add(index);
            table.write_bytes(0, 1);
            Some(NonNull::new_unchecked(table))
        }
    }

    /// # Safety
    ///
    /// The table must be from [`take`](Self::take), and not be used any more.
    pub(crate) unsafe fn give(&mut self, table: *mut T) {
        // SAFETY: The caller says that it is in the array.
        let index = unsafe { table.offset_from(self.base()) };
        self.used &= !(1 << index);
    }

    /// The table at this address, which is one of the array's.
    pub(crate) fn at(&self, address: usize) -> *mut T {
        self.base().with_addr(address)
    }
}
