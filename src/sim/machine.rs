// SPDX-License-Identifier: MIT OR Apache-2.0
//! Machine memory: the pages that all domains' pages are made of, and who
//! owns each of them.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::vec::Vec;

use crate::PAGE_SIZE;

/// One sparse memory file, mapped once as a whole: the hypervisor's own view
/// of every page. Domains map single pages of the same file.
pub(super) struct Machine {
    file: OwnedFd,
    view: *mut u8,
    pages: u64,
}

// SAFETY: the view is plain memory; what is shared in it is touched by atomics
// or by raw copies only, and no reference into it is ever made.
unsafe impl Send for Machine {}
// SAFETY: as above.
unsafe impl Sync for Machine {}

impl Machine {
    pub(super) fn new(pages: u64) -> Self {
        let bytes = pages as usize * PAGE_SIZE;
        // SAFETY: the name is a C string; a new descriptor is owned by nobody
        // else; the mapping goes where the kernel likes.
        unsafe {
            let fd = libc::memfd_create(c"simulated-xen".as_ptr(), libc::MFD_CLOEXEC);
            assert!(fd >= 0, "memfd_create: {}", std::io::Error::last_os_error());
            let file = OwnedFd::from_raw_fd(fd);
            let done = libc::ftruncate(fd, bytes as libc::off_t);
            assert!(done == 0, "ftruncate: {}", std::io::Error::last_os_error());
            let view = libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_NORESERVE,
                fd,
                0,
            );
            assert!(
                view != libc::MAP_FAILED,
                "mmap of machine memory: {}",
                std::io::Error::last_os_error()
            );
            Self {
                file,
                view: view.cast(),
                pages,
            }
        }
    }

    pub(super) fn descriptor(&self) -> i32 {
        self.file.as_raw_fd()
    }

    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// The hypervisor's address of a byte of frame `mfn`.
    pub(super) fn at(&self, mfn: u64, offset: usize) -> *mut u8 {
        assert!(mfn < self.pages && offset < PAGE_SIZE);
        // SAFETY: inside the view, as just checked.
        unsafe { self.view.add(mfn as usize * PAGE_SIZE + offset) }
    }

    pub(super) fn u8(&self, mfn: u64, offset: usize) -> &AtomicU8 {
        // SAFETY: in bounds, mapped as long as `self`; everybody else, guests
        // included, treats such words as atomic too.
        unsafe { AtomicU8::from_ptr(self.at(mfn, offset)) }
    }

    pub(super) fn u16(&self, mfn: u64, offset: usize) -> &AtomicU16 {
        assert!(offset.is_multiple_of(2));
        // SAFETY: as for `u8`, and aligned.
        unsafe { AtomicU16::from_ptr(self.at(mfn, offset).cast()) }
    }

    pub(super) fn u32(&self, mfn: u64, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4));
        // SAFETY: as for `u8`, and aligned.
        unsafe { AtomicU32::from_ptr(self.at(mfn, offset).cast()) }
    }

    pub(super) fn u64(&self, mfn: u64, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8));
        // SAFETY: as for `u8`, and aligned.
        unsafe { AtomicU64::from_ptr(self.at(mfn, offset).cast()) }
    }

    fn clear(&self, mfn: u64) {
        for word in 0..PAGE_SIZE / 8 {
            self.u64(mfn, word * 8).store(0, Ordering::Relaxed);
        }
    }

    /// Copies bytes from frame to frame, as `GNTTABOP_copy` does.
    pub(super) fn copy(&self, from: (u64, usize), to: (u64, usize), len: usize) {
        assert!(from.1 + len <= PAGE_SIZE && to.1 + len <= PAGE_SIZE);
        if len > 0 {
            // SAFETY: both ranges are inside the view; they may overlap.
            unsafe { std::ptr::copy(self.at(from.0, from.1), self.at(to.0, to.1), len) };
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: the view was mapped with this length, and nobody can have a
        // reference into it that outlives `self`.
        unsafe { libc::munmap(self.view.cast(), self.pages as usize * PAGE_SIZE) };
    }
}

/// What a frame is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A domain's memory: counts towards its reservation.
    Ram,
    /// Xen's own page that is shared with one domain.
    XenHeap,
    /// A device's registers, which are no domain's.
    Device,
}

pub(super) struct Frame {
    /// Stays set while a dead domain's frame is still referenced.
    pub(super) owner: Option<u16>,
    pub(super) used: Use,
    /// The owner has it. A frame is free when nobody has or references it.
    pub(super) allocated: bool,
    /// References by grant and foreign mappings.
    pub(super) refs: u32,
    /// References by Xen itself: an event array, a vCPU's structures.
    pub(super) pins: u32,
    /// Where in its owner's physmap a Xen page is: at one place at most.
    pub(super) gfn: Option<u64>,
}

/// All frames. Lowest number first, so that runs are reproducible.
pub(super) struct Frames {
    list: Vec<Frame>,
    free: BTreeSet<u64>,
    limit: u64,
    /// Per owner: frames of RAM, and frames of any use.
    held: HashMap<u16, (u64, u64)>,
}

impl Frames {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            list: Vec::new(),
            free: BTreeSet::new(),
            limit,
            held: HashMap::new(),
        }
    }

    /// Who owns a machine frame, if it was ever anybody's.
    pub(super) fn owner(&self, mfn: u64) -> Option<u16> {
        self.list.get(mfn as usize)?.owner
    }

    pub(super) fn get(&self, mfn: u64) -> &Frame {
        &self.list[mfn as usize]
    }

    pub(super) fn get_mut(&mut self, mfn: u64) -> &mut Frame {
        &mut self.list[mfn as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Frame)> {
        (0..).zip(&self.list)
    }

    /// `count` frames with consecutive numbers, all zero.
    pub(super) fn alloc(
        &mut self,
        machine: &Machine,
        owner: u16,
        used: Use,
        count: u64,
    ) -> Option<u64> {
        let first = if count == 1 && !self.free.is_empty() {
            let mfn = self.free.pop_first()?;
            machine.clear(mfn);
            mfn
        } else {
            // Fresh frames: the file is zero where it was never written.
            let first = self.list.len() as u64;
            if first + count > self.limit {
                return None;
            }
            self.list.extend((0..count).map(|_| Frame {
                owner: None,
                used,
                allocated: false,
                refs: 0,
                pins: 0,
                gfn: None,
            }));
            first
        };
        for mfn in first..first + count {
            *self.get_mut(mfn) = Frame {
                owner: Some(owner),
                used,
                allocated: true,
                refs: 0,
                pins: 0,
                gfn: None,
            };
        }
        let held = self.held.entry(owner).or_default();
        held.0 += if used == Use::Ram { count } else { 0 };
        held.1 += count;
        Some(first)
    }

    /// Takes a reference.
    pub(super) fn get_ref(&mut self, mfn: u64) {
        self.get_mut(mfn).refs += 1;
    }

    /// Takes a reference if `owner` has the frame.
    pub(super) fn get_ref_owned(&mut self, mfn: u64, owner: u16) -> bool {
        let frame = self.get_mut(mfn);
        let ours = frame.owner == Some(owner) && (frame.allocated || frame.refs > 0);
        frame.refs += u32::from(ours);
        ours
    }

    /// Drops a reference; the last one frees a frame nobody has.
    pub(super) fn put_ref(&mut self, mfn: u64) {
        let frame = self.get_mut(mfn);
        assert!(frame.refs > 0, "frame {mfn:#x}: reference count underflow");
        frame.refs -= 1;
        self.release(mfn);
    }

    /// Xen uses the frame from now on.
    pub(super) fn pin(&mut self, mfn: u64) {
        self.get_mut(mfn).pins += 1;
    }

    pub(super) fn unpin(&mut self, mfn: u64) {
        let frame = self.get_mut(mfn);
        assert!(frame.pins > 0, "frame {mfn:#x}: pin count underflow");
        frame.pins -= 1;
        self.release(mfn);
    }

    /// The owner gives the frame up.
    pub(super) fn give_up(&mut self, mfn: u64) {
        self.get_mut(mfn).allocated = false;
        self.release(mfn);
    }

    fn release(&mut self, mfn: u64) {
        let frame = &mut self.list[mfn as usize];
        if frame.allocated || frame.refs > 0 || frame.pins > 0 {
            return;
        }
        if let Some(owner) = frame.owner.take() {
            let ram = frame.used == Use::Ram;
            let held = self.held.entry(owner).or_default();
            held.0 -= u64::from(ram);
            held.1 -= 1;
            self.free.insert(mfn);
        }
    }

    /// Frames of RAM that count towards the reservation of `owner`.
    pub(super) fn ram_of(&self, owner: u16) -> u64 {
        self.held.get(&owner).map_or(0, |held| held.0)
    }

    /// Whether a frame of `owner`, who may be dead, is referenced.
    pub(super) fn referenced(&self, owner: u16) -> bool {
        self.list
            .iter()
            .any(|frame| frame.owner == Some(owner) && (frame.refs > 0 || frame.pins > 0))
    }

    /// Every frame that `owner` has.
    pub(super) fn owned_by(&self, owner: u16) -> Vec<u64> {
        self.iter()
            .filter(|(_, frame)| frame.owner == Some(owner))
            .map(|(mfn, _)| mfn)
            .collect()
    }
}
