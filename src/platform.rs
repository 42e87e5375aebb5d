// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the crate asks of the firmware beneath it.

use core::ffi::{c_int, c_void};

use crate::{Error, Gfn, Result, ffi};

/// Protection of a mapping in the CPU's own page tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Whether writes are allowed. Reads always are.
    pub write: bool,
}

/// A hypercall entry: operation number and up to five arguments in, Xen's
/// result out.
pub type Hypercall<P> = unsafe fn(&P, u32, [usize; 5]) -> isize;

/// The hooks of the C API's `struct xg_platform`.
///
/// When each is called, and in what context, is in
/// [the guide](crate::guide::platform), with a minimal implementation.
///
/// No method may call back into the crate for the same guest, and none may
/// unwind.
///
/// # Safety
///
/// Every method must do what it says; a mapping that is not there, or a frame
/// number of somebody else's page, lets a peer write this guest's memory.
pub unsafe trait Platform: Sync {
    /// How to enter Xen, where it is not by the instruction that the crate
    /// has built in for bare-metal targets.
    ///
    /// # Implementation safety
    ///
    /// The function must carry out the hypercall on behalf of this guest and
    /// be a full memory barrier.
    const HYPERCALL: Option<Hypercall<Self>> = None;

    /// The frame that backs the page holding `va`; `None` if there is none.
    ///
    /// # Implementation safety
    ///
    /// The frame must be the one that the CPU reaches through `va`. Addresses
    /// inside a window given to the crate have their frames even while
    /// nothing is mapped there.
    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn>;

    /// Make `pages` frames from `gfn` on accessible at `va` as Normal
    /// Write-Back Inner-Shareable memory. Mapping what is mapped already in the
    /// same way succeeds. One call for a run of frames; may be called with the
    /// [`lock`](Self::lock) held.
    ///
    /// # Errors
    ///
    /// Whatever keeps the platform from it, such as [`Error::NoMemory`] for
    /// page tables; with nothing mapped.
    ///
    /// # Implementation safety
    ///
    /// When it returns `Ok`, all of the range is accessible on every CPU.
    ///
    /// # Safety
    ///
    /// The range is page aligned and inside a window that was given to the
    /// crate, and nothing else uses it.
    unsafe fn map(&self, va: *mut u8, gfn: Gfn, pages: u32, prot: Protection) -> Result;

    /// Undo [`map`](Self::map).
    ///
    /// # Errors
    ///
    /// Whatever keeps the platform from it; with the mapping as it was.
    ///
    /// # Implementation safety
    ///
    /// When it returns `Ok`, no CPU reaches the frames through `va` any more.
    ///
    /// # Safety
    ///
    /// The range was mapped by `map`, and nobody uses it any more.
    unsafe fn unmap(&self, va: *mut u8, pages: u32) -> Result;

    /// Allocate contiguous page-aligned pages of the guest's own RAM; null if
    /// there are none. Used by allocating calls only.
    fn page_alloc(&self, _pages: u32) -> *mut u8 {
        core::ptr::null_mut()
    }

    /// Free what [`page_alloc`](Self::page_alloc) returned.
    ///
    /// # Safety
    ///
    /// `va` came from `page_alloc` with the same count and is not used any
    /// more, by a peer neither.
    unsafe fn page_free(&self, _va: *mut u8, _pages: u32) {}

    /// Take a lock that also keeps this guest's upcall off the calling CPU.
    /// The value goes to the matching [`unlock`](Self::unlock).
    fn lock(&self) -> usize;

    /// Release the lock.
    ///
    /// # Safety
    ///
    /// `state` is what the matching `lock` returned, on the same CPU.
    unsafe fn unlock(&self, state: usize);

    /// The number of the calling vCPU, or `None` where no upcall of this
    /// guest can be running beneath the caller (a hosted program's thread).
    ///
    /// # Implementation safety
    ///
    /// A wrong number can make the teardown of a handler return while the
    /// handler still runs.
    fn cpu_id(&self) -> Option<u32>;

    /// Called again and again while waiting for another CPU.
    fn relax(&self) {
        core::hint::spin_loop();
    }
}

/// The C table of hooks for `P`.
pub(crate) struct Table<P>(core::marker::PhantomData<P>);

impl<P: Platform> Table<P> {
    pub(crate) const HOOKS: ffi::xg_platform = ffi::xg_platform {
        hypercall: match P::HYPERCALL {
            Some(_) => Some(Self::hypercall),
            None => None,
        },
        virt_to_gfn: Some(Self::virt_to_gfn),
        map: Some(Self::map),
        unmap: Some(Self::unmap),
        page_alloc: Some(Self::page_alloc),
        page_free: Some(Self::page_free),
        lock: Some(Self::lock),
        unlock: Some(Self::unlock),
        cpu_id: Some(Self::cpu_id),
        relax: Some(Self::relax),
    };

    /// # Safety
    ///
    /// `context` is the `&P` that was given to the C side with this table.
    unsafe fn platform<'a>(context: *mut c_void) -> &'a P {
        // SAFETY: as the caller promises.
        unsafe { &*context.cast::<P>() }
    }

    unsafe extern "C" fn hypercall(
        context: *mut c_void,
        op: u32,
        a0: usize,
        a1: usize,
        a2: usize,
        a3: usize,
        a4: usize,
    ) -> isize {
        // SAFETY: the C core passes the context it was given.
        let platform = unsafe { Self::platform(context) };
        match P::HYPERCALL {
            // SAFETY: the C core passes the arguments that `op` takes.
            Some(enter) => unsafe { enter(platform, op, [a0, a1, a2, a3, a4]) },
            None => -(ffi::XG_ENOSYS as isize),
        }
    }

    unsafe extern "C" fn virt_to_gfn(
        context: *mut c_void,
        va: *const c_void,
        gfn: *mut u64,
    ) -> c_int {
        // SAFETY: the C core passes the context it was given.
        match unsafe { Self::platform(context) }.virt_to_gfn(va.cast()) {
            Some(frame) => {
                // SAFETY: the C core passes a valid place for the result.
                unsafe { gfn.write(frame.raw()) };
                0
            }
            None => Error::BadAddress.raw(),
        }
    }

    unsafe extern "C" fn map(
        context: *mut c_void,
        va: *mut c_void,
        gfn: u64,
        pages: u32,
        prot: u32,
    ) -> c_int {
        let prot = Protection {
            write: prot & ffi::XG_PROT_WRITE != 0,
        };
        // SAFETY: the C core passes the context it was given and a range of
        // a window it was given.
        unsafe { raw(Self::platform(context).map(va.cast(), Gfn::new(gfn), pages, prot)) }
    }

    unsafe extern "C" fn unmap(context: *mut c_void, va: *mut c_void, pages: u32) -> c_int {
        // SAFETY: the C core passes the context it was given and a range
        // that it had mapped.
        unsafe { raw(Self::platform(context).unmap(va.cast(), pages)) }
    }

    unsafe extern "C" fn page_alloc(context: *mut c_void, pages: u32) -> *mut c_void {
        // SAFETY: the C core passes the context it was given.
        unsafe { Self::platform(context) }.page_alloc(pages).cast()
    }

    unsafe extern "C" fn page_free(context: *mut c_void, va: *mut c_void, pages: u32) {
        // SAFETY: the C core passes the context it was given and pages that
        // it had allocated.
        unsafe { Self::platform(context).page_free(va.cast(), pages) }
    }

    unsafe extern "C" fn lock(context: *mut c_void) -> usize {
        // SAFETY: the C core passes the context it was given.
        unsafe { Self::platform(context) }.lock()
    }

    unsafe extern "C" fn unlock(context: *mut c_void, state: usize) {
        // SAFETY: the C core passes the context it was given and the lock's
        // own value.
        unsafe { Self::platform(context).unlock(state) }
    }

    unsafe extern "C" fn cpu_id(context: *mut c_void) -> u32 {
        // SAFETY: the C core passes the context it was given.
        unsafe { Self::platform(context) }
            .cpu_id()
            .unwrap_or(ffi::XG_CPU_NONE)
    }

    unsafe extern "C" fn relax(context: *mut c_void) {
        // SAFETY: the C core passes the context it was given.
        unsafe { Self::platform(context) }.relax();
    }
}

fn raw(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        // An unknown error can hold any number, and only negative ones say
        // to the C core that it failed.
        Err(error) => match error.raw() {
            raw if raw < 0 => raw,
            _ => Error::Invalid.raw(),
        },
    }
}
