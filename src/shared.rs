// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that a peer reads and writes at the same time.

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};

use crate::{Access, PAGE_SIZE};

mod sealed {
    pub trait Sealed: Copy {
        /// # Safety
        ///
        /// Readable, aligned, and touched by nothing but atomics.
        unsafe fn load(at: *mut Self) -> Self;

        /// # Safety
        ///
        /// Writable, aligned, and touched by nothing but atomics.
        unsafe fn store(at: *mut Self, value: Self);
    }
}

/// What can be read from shared memory in one access: `u8` to `u64`.
pub trait Scalar: sealed::Sealed {}

macro_rules! scalars {
    ($($type:ty: $atomic:ident)*) => {$(
        impl sealed::Sealed for $type {
            unsafe fn load(at: *mut Self) -> Self {
                // SAFETY: as the caller promises.
                unsafe { $atomic::from_ptr(at) }.load(Ordering::Relaxed)
            }

            unsafe fn store(at: *mut Self, value: Self) {
                // SAFETY: as the caller promises.
                unsafe { $atomic::from_ptr(at) }.store(value, Ordering::Relaxed);
            }
        }
        impl Scalar for $type {}
    )*};
}

scalars!(u8: AtomicU8 u16: AtomicU16 u32: AtomicU32 u64: AtomicU64);

/// A view of pages that a peer may change at any moment.
///
/// There are no references to what is in it: every access copies, with one
/// relaxed atomic load or store per value. What was read once must be checked in the copy;
/// reading it again may give something else. Accesses to a naturally aligned
/// value are not torn. Offsets are in bytes from the first page's start.
///
/// ```
/// use xen_guest::SharedMemory;
///
/// const SLOTS: u32 = 64;
///
/// /// The next value of a ring, of which `taken` were taken before. An error if
/// /// the peer's counter can't be right.
/// fn take(ring: SharedMemory<'_>, taken: u32) -> Result<Option<u32>, ()> {
///     let produced: u32 = ring.read_acquire(0);
///     match produced.wrapping_sub(taken) {
///         0 => Ok(None),
///         1..=SLOTS => Ok(Some(ring.read(64 + (taken % SLOTS) as usize * 4))),
///         _ => Err(()),
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct SharedMemory<'a> {
    start: NonNull<u8>,
    len: usize,
    access: Access,
    owner: PhantomData<&'a ()>,
}

// SAFETY: all accesses are atomic, which the peer's concurrent ones are taken
// to be as well; threads of this guest do no more to one another.
unsafe impl Send for SharedMemory<'_> {}
// SAFETY: as for `Send`.
unsafe impl Sync for SharedMemory<'_> {}

impl<'a> SharedMemory<'a> {
    /// # Safety
    ///
    /// `pages` pages at `start` can be accessed in the way of `access` during
    /// `'a`, by atomic accesses only.
    pub(crate) const unsafe fn new(start: NonNull<u8>, pages: usize, access: Access) -> Self {
        Self {
            start,
            len: pages * PAGE_SIZE,
            access,
            owner: PhantomData,
        }
    }

    /// Length in bytes.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes at all.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn at<T: Scalar>(&self, offset: usize) -> *mut T {
        let size = size_of::<T>();
        assert!(
            offset.is_multiple_of(size) && offset <= self.len && size <= self.len - offset,
            "offset {offset} is misaligned or outside the {} shared bytes",
            self.len
        );
        // SAFETY: inside the range, checked above.
        unsafe { self.start.as_ptr().add(offset).cast() }
    }

    /// Read the value at byte `offset`.
    ///
    /// # Panics
    ///
    /// If the offset is not a multiple of the value's size, or outside.
    pub fn read<T: Scalar>(&self, offset: usize) -> T {
        // SAFETY: `at` checks the range; the view's owner keeps it mapped.
        unsafe { T::load(self.at(offset)) }
    }

    /// Write the value at byte `offset`.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read), and if the view is read-only.
    pub fn write<T: Scalar>(&self, offset: usize, value: T) {
        assert!(
            self.access == Access::ReadWrite,
            "the page is mapped read-only"
        );
        // SAFETY: `at` checks the range; the view's owner keeps it mapped,
        // for writing too as checked above.
        unsafe { T::store(self.at(offset), value) }
    }

    /// Read a value that announces others: what the peer wrote before it is
    /// visible to reads that follow.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    pub fn read_acquire<T: Scalar>(&self, offset: usize) -> T {
        let value = self.read(offset);
        // Orders the read above before every access below.
        fence(Ordering::Acquire);
        value
    }

    /// Write a value that announces others: what was written before is
    /// visible to a peer that sees it.
    ///
    /// # Panics
    ///
    /// As [`write`](Self::write).
    pub fn write_release<T: Scalar>(&self, offset: usize, value: T) {
        // Orders every access above before the write below.
        fence(Ordering::Release);
        self.write(offset, value);
    }

    /// Copy out `bytes.len()` bytes from `offset` on.
    ///
    /// # Panics
    ///
    /// If the range is outside.
    pub fn read_bytes(&self, offset: usize, bytes: &mut [u8]) {
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = self.read(offset + i);
        }
    }

    /// Copy in `bytes` from `offset` on.
    ///
    /// # Panics
    ///
    /// If the range is outside or the view read-only.
    pub fn write_bytes(&self, offset: usize, bytes: &[u8]) {
        for (i, byte) in bytes.iter().enumerate() {
            self.write(offset + i, *byte);
        }
    }
}

impl fmt::Debug for SharedMemory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedMemory({:p}, {} bytes)", self.start, self.len)
    }
}
