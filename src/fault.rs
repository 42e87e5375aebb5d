// SPDX-License-Identifier: MIT OR Apache-2.0
//! An access of another domain's vCPU, as its handler sees it.

use core::ffi::{c_int, c_void};
use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use crate::guest_memory::Hook;
use crate::{Error, Result, ffi};

/// What becomes of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done; a load reads this, in the low bytes.
    Done(u64),
    /// The vCPU waits until [`GuestMemory::answer`](crate::GuestMemory::answer).
    Later,
    /// Nobody's: for the handler of unhandled accesses.
    Unhandled,
    /// There is memory now: have the access done on it.
    Retry,
    /// Go on: a load sees all bits set.
    Ignore,
    /// It can't be served.
    Error,
}

/// An access to a reservation, in its handler.
pub struct Fault<'f> {
    vm: *mut ffi::xg_vm,
    vcpu: *mut ffi::xg_vm_vcpu,
    addr: usize,
    size: usize,
    handler: PhantomData<&'f ()>,
}

impl Fault<'_> {
    /// The first byte's guest-physical address.
    pub const fn addr(&self) -> usize {
        self.addr
    }

    /// How many bytes: 1, 2, 4 or 8; 0 for an instruction fetch.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Which vCPU.
    pub fn vcpu(&self) -> u32 {
        // SAFETY: the vCPU whose access it is.
        unsafe { (*self.vcpu).id }
    }

    /// What is written, in the low bytes; none for a load.
    pub fn written(&self) -> Option<u64> {
        // SAFETY: as above.
        unsafe { (*self.vcpu).write.then_some((*self.vcpu).data) }
    }

    /// Back the whole reservation with RAM: [`Outcome::Retry`] then does the
    /// access on it.
    ///
    /// # Errors
    ///
    /// As [`Reservation::map_ram`](crate::Reservation::map_ram);
    /// [`Error::NotFound`] if this address has no reservation.
    pub fn map_ram(&mut self, zero: bool) -> Result {
        // SAFETY: set up, and used on this thread only.
        Error::check(unsafe {
            match ffi::xg_vm_find(self.vm, self.addr) {
                found if found.is_null() => -(ffi::XG_ENOENT as c_int),
                found => ffi::xg_vm_map_ram(self.vm, found, zero),
            }
        })?;
        Ok(())
    }
}

impl fmt::Debug for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { addr, size, .. } = self;
        match self.written() {
            Some(data) => write!(f, "Fault({addr:#x}, {size} bytes, write {data:#x})"),
            None => write!(f, "Fault({addr:#x}, {size} bytes, read)"),
        }
    }
}

/// The C callback and its cookie for a handler that outlives both.
pub(crate) fn hook<H>(handler: &H) -> (Hook, *mut c_void)
where
    H: Fn(&mut Fault<'_>) -> Outcome,
{
    (call::<H>, ptr::from_ref(handler).cast_mut().cast())
}

/// # Safety
///
/// `cookie` is an `&H` that is still there, `vcpu` the one that waits.
unsafe extern "C" fn call<H>(
    vm: *mut ffi::xg_vm,
    vcpu: *mut ffi::xg_vm_vcpu,
    addr: usize,
    size: usize,
    cookie: *mut c_void,
) -> c_int
where
    H: Fn(&mut Fault<'_>) -> Outcome,
{
    // SAFETY: as the caller promises.
    let handler = unsafe { &*cookie.cast::<H>() };
    if vcpu.is_null() {
        return ffi::XG_FAULT_ERROR as c_int;
    }
    let outcome = handler(&mut Fault {
        vm,
        vcpu,
        addr,
        size,
        handler: PhantomData,
    });
    let result = match outcome {
        Outcome::Done(data) => {
            // SAFETY: as the caller promises.
            unsafe { ffi::xg_vm_answer(vcpu, data) };
            ffi::XG_FAULT_HANDLED
        }
        Outcome::Later => ffi::XG_FAULT_HANDLED,
        Outcome::Unhandled => ffi::XG_FAULT_UNHANDLED,
        Outcome::Retry => ffi::XG_FAULT_RESTART,
        Outcome::Ignore => ffi::XG_FAULT_IGNORE,
        Outcome::Error => ffi::XG_FAULT_ERROR,
    };
    result as c_int
}
