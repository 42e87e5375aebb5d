// SPDX-License-Identifier: MIT OR Apache-2.0
//! A range of a domain's guest-physical memory.

use core::ffi::{c_int, c_void};
use core::fmt;
use core::mem;
use core::ptr::NonNull;

use crate::{Access, Error, GuestMemory, Result, SharedMemory, ffi};

/// What a domain can do with a page without anybody being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rights {
    /// Nothing: all accesses are the handler's.
    None,
    /// Read: writes are the handler's.
    Read,
    /// Read and write.
    ReadWrite,
}

impl Rights {
    pub(crate) const fn raw(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Read => ffi::XG_PROT_READ,
            Self::ReadWrite => ffi::XG_PROT_READ | ffi::XG_PROT_WRITE,
        }
    }
}

/// What to put at an address of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// RAM taken from Xen.
    Ram,
    /// What is there already; it stays.
    Present,
    /// Device memory, by its machine frame.
    Mmio(u64),
}

/// The answer of an iterator: a frame, and 2 to the power of how many bytes
/// it has (12 for a page).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapFrame {
    /// What it is.
    pub kind: FrameKind,
    /// How large.
    pub size_bits: usize,
}

impl MapFrame {
    const fn raw(self, addr: usize) -> ffi::xg_vm_frame {
        ffi::xg_vm_frame {
            frame: match self.kind {
                FrameKind::Ram => ffi::XG_VM_FRAME_RAM as u64,
                FrameKind::Present => ffi::XG_VM_FRAME_PRESENT as u64,
                FrameKind::Mmio(mfn) => mfn << 2 | 3,
            },
            rights: Rights::ReadWrite.raw(),
            vaddr: addr,
            size_bits: self.size_bits,
        }
    }
}

const NOTHING: ffi::xg_vm_frame = ffi::xg_vm_frame {
    frame: ffi::XG_VM_FRAME_NONE as u64,
    rights: 0,
    vaddr: 0,
    size_bits: 0,
};

/// A range of the domain's addresses, freed when dropped with all it brought.
/// What can't be freed stays until its [`GuestMemory`] goes, which tries again;
/// [`Guest::abandoned`](crate::Guest::abandoned) counts it.
pub struct Reservation<'v> {
    memory: &'v GuestMemory<'v>,
    raw: NonNull<ffi::xg_vm_reservation>,
}

impl<'v> Reservation<'v> {
    /// # Safety
    ///
    /// A reservation of `memory` that nobody else frees.
    pub(crate) unsafe fn from_raw(
        memory: &'v GuestMemory<'_>,
        raw: *mut ffi::xg_vm_reservation,
    ) -> Self {
        // SAFETY: the lifetime only gets shorter: nothing takes handlers by
        // way of a reservation.
        let memory = unsafe { mem::transmute::<&GuestMemory<'_>, &'v GuestMemory<'v>>(memory) };
        Self {
            memory,
            // SAFETY: as the caller promises.
            raw: unsafe { NonNull::new_unchecked(raw) },
        }
    }

    /// For the C API.
    pub const fn as_raw(&self) -> *mut ffi::xg_vm_reservation {
        self.raw.as_ptr()
    }

    /// The first byte that was asked for.
    pub fn addr(&self) -> usize {
        // SAFETY: a slot in use.
        unsafe { (*self.as_raw()).addr }
    }

    /// How many bytes were asked for.
    pub fn size(&self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.as_raw()).size }
    }

    /// Back it with RAM, cleared if `zero`.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if it is mapped; [`Error::TooBig`] if the domain has
    /// all it may have, [`Error::NoMemory`]; [`Error::NotSupported`] and
    /// [`Error::NotPermitted`] as [`GuestMemory::can`] says, of windows too
    /// if it is to be cleared. [`Error::Partial`] if Xen would not undo what
    /// it had done: only freeing is left.
    pub fn map_ram(&self, zero: bool) -> Result {
        // SAFETY: a reservation of that memory.
        Error::check(unsafe { ffi::xg_vm_map_ram(self.memory.as_raw(), self.as_raw(), zero) })?;
        Ok(())
    }

    /// Back it with device memory, from the page at `paddr` on.
    ///
    /// # Errors
    ///
    /// As [`map_ram`](Self::map_ram); [`Error::NotPermitted`] also if either
    /// domain may not have that memory.
    ///
    /// # Safety
    ///
    /// What the domain does with the device does not touch memory of this
    /// guest's.
    pub unsafe fn map_mmio(&self, paddr: u64) -> Result {
        // SAFETY: a reservation of that memory; the device is the caller's
        // promise.
        Error::check(unsafe { ffi::xg_vm_map_mmio(self.memory.as_raw(), self.as_raw(), paddr) })?;
        Ok(())
    }

    /// Back it, at once, with the frames that `next` names: it is asked for
    /// one after the other by address, and `None` ends it with an error. All
    /// are of one kind, and device memory is one piece.
    ///
    /// # Errors
    ///
    /// As [`map_ram`](Self::map_ram); [`Error::Invalid`] for an answer that
    /// is none or does not fit.
    ///
    /// # Safety
    ///
    /// As [`map_mmio`](Self::map_mmio), if there is device memory.
    pub unsafe fn map<F>(&self, mut next: F) -> Result
    where
        F: FnMut(usize) -> Option<MapFrame>,
    {
        unsafe extern "C" fn ask<F>(addr: usize, cookie: *mut c_void) -> ffi::xg_vm_frame
        where
            F: FnMut(usize) -> Option<MapFrame>,
        {
            // SAFETY: the closure below, which is not called anywhere else.
            let next = unsafe { &mut *cookie.cast::<F>() };
            next(addr).map_or(NOTHING, |frame| frame.raw(addr))
        }
        // SAFETY: a reservation of that memory; the closure is asked during
        // this call only; devices are the caller's promise.
        Error::check(unsafe {
            ffi::xg_vm_map_now(
                self.memory.as_raw(),
                self.as_raw(),
                Some(ask::<F>),
                (&raw mut next).cast(),
            )
        })?;
        Ok(())
    }

    /// What is in a page that [`create_ram`](GuestMemory::create_ram) or
    /// [`create_mmio`](GuestMemory::create_mmio) made.
    pub fn memory(&self) -> Option<SharedMemory<'_>> {
        // SAFETY: a slot in use.
        let window = NonNull::new(unsafe { (*self.as_raw()).window })?;
        // SAFETY: a page that is mapped while `self` is there.
        Some(unsafe { SharedMemory::new(window.cast(), 1, Access::ReadWrite) })
    }

    /// Free it, and give back what it brought.
    ///
    /// # Errors
    ///
    /// What Xen or the platform answers, with what is left of it, to try
    /// again.
    pub fn free(self) -> Result<(), (Error, Self)> {
        match Error::check(self.free_raw()) {
            Ok(_) => {
                mem::forget(self);
                Ok(())
            }
            Err(error) => Err((error, self)),
        }
    }

    fn free_raw(&self) -> c_int {
        // SAFETY: a reservation of that memory; nothing borrows its page.
        unsafe { ffi::xg_vm_free(self.memory.as_raw(), self.as_raw()) }
    }

    /// Keep it until the [`GuestMemory`] goes.
    pub const fn keep(self) {
        mem::forget(self);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.free_raw() != 0 {
            self.memory.guest().abandon();
        }
    }
}

impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reservation({:#x}, {} bytes)", self.addr(), self.size())
    }
}
