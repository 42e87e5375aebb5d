// SPDX-License-Identifier: MIT OR Apache-2.0
//! This domain's state, set up and given back.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::platform::Table;
use crate::{Error, Gfn, Platform, Result, Window, ffi};

/// Memory for one guest: `GROUPS` times 64 event-channel ports, and `WORDS`
/// times 64 grant references (8 words per page of the grant table).
///
/// Put it in a static, or anywhere it stays in place while the [`Guest`]
/// lives.
pub struct GuestStorage<const GROUPS: usize, const WORDS: usize> {
    guest: MaybeUninit<ffi::xg_guest>,
    groups: [MaybeUninit<ffi::xg_port_group>; GROUPS],
    words: [u64; WORDS],
}

// SAFETY: it holds no data before a guest is set up in it, and then the guest
// has it exclusively.
unsafe impl<const GROUPS: usize, const WORDS: usize> Send for GuestStorage<GROUPS, WORDS> {}

impl<const GROUPS: usize, const WORDS: usize> GuestStorage<GROUPS, WORDS> {
    /// Empty storage.
    pub const fn new() -> Self {
        Self {
            guest: MaybeUninit::zeroed(),
            groups: [const { MaybeUninit::zeroed() }; GROUPS],
            words: [0; WORDS],
        }
    }
}

impl<const GROUPS: usize, const WORDS: usize> Default for GuestStorage<GROUPS, WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const GROUPS: usize, const WORDS: usize> fmt::Debug for GuestStorage<GROUPS, WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = GROUPS * ffi::XG_PORTS_PER_GROUP as usize;
        write!(f, "GuestStorage({ports} ports, {} grants)", WORDS * 64)
    }
}

/// Where the pages that Xen shares with this guest go.
#[derive(Clone, Copy, Debug)]
pub struct GuestConfig {
    /// One empty frame for the shared-info page.
    pub shared_info: Window,
    /// Empty frames for the grant table, 512 references each; at most as many
    /// as the storage has words for are used. None: no grant table.
    pub grant_table: Option<Window>,
}

/// What an upcall left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Upcall {
    /// Nothing: every pending event was served.
    Drained,
    /// The budget was used up and events may be waiting: call again.
    More,
}

/// The guest that this code runs in.
///
/// Shared freely: all methods may be called from several CPUs and from
/// interrupts, within the limits that each names.
pub struct Guest<'s> {
    raw: NonNull<ffi::xg_guest>,
    abandoned: AtomicU32,
    storage: PhantomData<&'s UnsafeCell<()>>,
}

// SAFETY: the C core may be called on any CPU.
unsafe impl Send for Guest<'_> {}
// SAFETY: the C core may be called on several CPUs at once; what must not
// overlap takes `&mut` in this crate.
unsafe impl Sync for Guest<'_> {}

impl<'s> Guest<'s> {
    /// Set this domain up: map the shared-info page and the grant table, mask
    /// every event channel.
    ///
    /// Afterwards connect Xen's event interrupt to [`upcall`](Self::upcall).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for storage or windows of impossible size,
    /// [`Error::Busy`] where earlier firmware left these pages mapped, and
    /// what the platform or Xen answers. Nothing stays mapped then.
    ///
    /// # Safety
    ///
    /// - The code runs in a Xen guest (or the platform's hypercall acts for
    ///   one), in which nobody else uses the event channels and grant table.
    /// - The windows' frames are empty, and theirs are the addresses.
    /// - The returned value is dropped before `'s` ends, or `'s` is
    ///   `'static`: the event interrupt uses storage and platform.
    pub unsafe fn new<P: Platform, const GROUPS: usize, const WORDS: usize>(
        storage: &'s mut GuestStorage<GROUPS, WORDS>,
        platform: &'s P,
        config: &GuestConfig,
    ) -> Result<Self> {
        const WORDS_PER_FRAME: usize = ffi::XG_GRANTS_PER_FRAME as usize / 64;

        let window = |w: &Window, limit: usize| ffi::xg_window {
            va: w.va.cast(),
            gfn: w.gfn.raw(),
            pages: w.pages.min(limit.try_into().unwrap_or(u32::MAX)),
        };
        let none = ffi::xg_window {
            va: ptr::null_mut(),
            gfn: 0,
            pages: 0,
        };
        let raw_config = ffi::xg_guest_config {
            platform: const { &Table::<P>::HOOKS },
            context: ptr::from_ref(platform).cast::<c_void>().cast_mut(),
            shared_info: window(&config.shared_info, usize::MAX),
            port_groups: storage.groups.as_mut_ptr().cast(),
            nr_port_groups: GROUPS.try_into().map_err(|_| Error::Invalid)?,
            gnttab: match &config.grant_table {
                Some(w) => window(w, WORDS / WORDS_PER_FRAME),
                None => none,
            },
            gnttab_words: storage.words.as_mut_ptr(),
        };
        let raw = NonNull::from_mut(&mut storage.guest).cast();
        // SAFETY: the storage is exclusively ours for 's and has the sizes
        // given; the rest is the caller's promise.
        Error::check(unsafe { ffi::xg_guest_init(raw.as_ptr(), &raw_config) })?;
        Ok(Self {
            raw,
            abandoned: AtomicU32::new(0),
            storage: PhantomData,
        })
    }
}

impl Guest<'_> {
    /// The C core's guest, to call the C API with.
    ///
    /// What is opened or granted through the C API must be closed and ended
    /// through it.
    pub const fn as_raw(&self) -> *mut ffi::xg_guest {
        self.raw.as_ptr()
    }

    /// Serve pending events: what the event interrupt's handler calls. At
    /// most `budget` handlers are called (at least one).
    ///
    /// On Arm the interrupt line follows only at the next entry into Xen, so
    /// after [`Upcall::More`] call again, or make any hypercall before the
    /// interrupt's end.
    ///
    /// # Safety
    ///
    /// Not while another call of it is under way, on any CPU; and only where
    /// [`Platform::cpu_id`] names vCPU 0, or `None` for every other caller.
    pub unsafe fn upcall(&self, budget: u32) -> Upcall {
        // SAFETY: the guest is set up; not nested as the caller promises.
        match unsafe { ffi::xg_evtchn_upcall(self.as_raw(), budget) } {
            0 => Upcall::Drained,
            _ => Upcall::More,
        }
    }

    /// Make this the guest that the C API's Zephyr-named calls act on: in the
    /// whole image on bare metal, in the calling thread on a host.
    ///
    /// # Safety
    ///
    /// No such call is made any more once `self` is gone.
    pub unsafe fn make_current(&self) {
        // SAFETY: the pointer is valid while `self` is.
        unsafe { ffi::xg_set_current(self.as_raw()) };
    }

    /// The frame behind an address, as the platform sees it.
    pub(crate) fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        let mut gfn = 0;
        // SAFETY: set up, so its platform table is complete; the hook writes
        // to the place given.
        let rc = unsafe {
            let guest = self.as_raw();
            let hook = (*(*guest).platform).virt_to_gfn?;
            hook((*guest).context, va.cast(), &mut gfn)
        };
        (rc == 0).then_some(Gfn::new(gfn))
    }

    /// How many grants and mappings were dropped that could not be ended: a
    /// peer or Xen held on to them. Their pages are lost, not reused.
    pub fn abandoned(&self) -> u32 {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(crate) fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    /// Give the shared pages back to Xen.
    ///
    /// The event interrupt must be off. Dropping does the same, but can't
    /// tell.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] while ports or grants opened through the C API, or
    /// abandoned ones, are still there: the guest comes back.
    /// [`Error::Partial`] if Xen or the platform kept a page: the windows
    /// must not be used again.
    pub fn finish(self) -> Result<(), (Error, Option<Self>)> {
        // SAFETY: set up, and nothing borrows the guest any more.
        match Error::check(unsafe { ffi::xg_guest_fini(self.as_raw()) }) {
            Ok(_) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(Error::Busy) => Err((Error::Busy, Some(self))),
            Err(error) => {
                core::mem::forget(self);
                Err((error, None))
            }
        }
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        // SAFETY: set up, and nothing borrows the guest any more. If it is
        // refused, Xen goes on sharing pages that nobody looks at.
        unsafe { ffi::xg_guest_fini(self.as_raw()) };
    }
}

impl fmt::Debug for Guest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guest({:p})", self.raw)
    }
}
