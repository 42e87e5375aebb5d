// SPDX-License-Identifier: MIT OR Apache-2.0
//! The domains of a scenario and what a harness provides for them.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use xen_guest::{DomId, Guest, Page, PageOwner, Window, ffi};

/// Who carries out a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The control domain, domain 0.
    Control,
    /// A plain domain, domain 1.
    A,
    /// Another, domain 2.
    B,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Control, Self::A, Self::B];

    /// The domain's number.
    pub const fn domid(self) -> DomId {
        DomId::new(self as u16)
    }

    /// The number as the C API takes it.
    pub const fn raw(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "C",
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// Calls of each numbered handler of a domain.
pub type Counters = [AtomicU32; 8];

/// Pages that [`Memory::empty_page`] has.
pub const WINDOW_PAGES: usize = 8;

/// What a harness provides for a domain.
pub trait Memory: Sync {
    /// A page of the domain's RAM.
    fn alloc_page(&self) -> Option<NonNull<Page>>;

    /// Give it back.
    ///
    /// # Safety
    ///
    /// It came from `alloc_page` and nobody can reach it any more.
    unsafe fn free_page(&self, page: NonNull<Page>);

    /// The address of an empty frame, the same for the same `index` below
    /// [`WINDOW_PAGES`].
    fn empty_page(&self, index: usize) -> NonNull<u8>;

    /// What an instruction reads of `size` bytes at a guest-physical address
    /// of the domain's, or 0 after it has written them; `None` if it was
    /// aborted. 16 bytes are read by an instruction for two registers, the low
    /// 8 returned. Memory of Rust's own is left alone.
    fn access(&self, address: u64, size: u32, write: Option<u64>) -> Option<u64>;

    /// Whether such a value is what is read where nothing is: on x86, which
    /// does not abort it.
    fn is_nothing(&self, _value: u64, _size: u32) -> bool {
        false
    }

    /// A hypercall as it is.
    ///
    /// # Safety
    ///
    /// The arguments are what the operation takes, and what it does is no
    /// surprise to the guest.
    unsafe fn hypercall(&self, op: u32, args: [usize; 5]) -> isize;

    /// The machine frame of a device that the control domain may map: its
    /// registers from 0xfe0 on read 0x31 and 0x10, as a PL031's.
    fn device_frame(&self) -> u64;

    /// [`BALLOON_PAGES`](crate::BALLOON_PAGES) of RAM that nobody else uses,
    /// always the same, which `unmap` and `map` work for.
    fn balloon(&self) -> Window;

    /// Let interrupts come; returns after a moment.
    fn pause(&self);

    /// Long enough for every event sent before to be delivered.
    fn settle(&self);

    /// Nanoseconds since some fixed moment.
    fn now(&self) -> u64;
}

/// A domain as its own steps see it.
pub struct Domain<'w> {
    /// Which one.
    pub role: Role,
    /// Its guest.
    pub guest: &'w Guest<'w>,
    /// Calls of its handlers.
    pub counters: &'w Counters,
    /// Its memory.
    pub memory: &'w dyn Memory,
    /// How many mappings it holds.
    pub mapped: AtomicU32,
}

impl<'w> Domain<'w> {
    /// A domain with nothing open.
    pub fn new(
        role: Role,
        guest: &'w Guest<'w>,
        counters: &'w Counters,
        memory: &'w dyn Memory,
    ) -> Self {
        Self {
            role,
            guest,
            counters,
            memory,
            mapped: AtomicU32::new(0),
        }
    }

    pub(crate) fn raw(&self) -> *mut ffi::xg_guest {
        self.guest.as_raw()
    }

    pub(crate) fn reset(&self) {
        for counter in self.counters {
            counter.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn count(&self, slot: usize) -> u32 {
        self.counters[slot].load(Ordering::Acquire)
    }

    /// What it holds: open ports, grants, mappings.
    pub(crate) fn state(&self) -> State {
        // SAFETY: the guest is set up; all that changes is read atomically, as
        // an upcall may be changing it.
        let (open, granted) = unsafe {
            let guest = self.raw();
            let open = (0..(*guest).evtchn.nr_ports as usize)
                .map(|i| &raw mut (*(*guest).evtchn.slots.add(i)).state)
                .map(|state| AtomicU32::from_ptr(state).load(Ordering::Relaxed))
                .filter(|state| state & ffi::XG_PORT_OPEN != 0)
                .count();
            (open, ffi::xg_gnttab_in_use(guest))
        };
        State {
            open: open as u16,
            granted: granted as u16,
            mapped: self.mapped.load(Ordering::Relaxed) as u16,
        }
    }

    /// Keep this domain's upcall off while `work` runs.
    pub(crate) fn with_events_held<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the guest is set up, so its platform table is complete; the
        // state goes back to the matching unlock.
        unsafe {
            let guest = self.raw();
            let hooks = &*(*guest).platform;
            let context = (*guest).context;
            let state = hooks.lock.map(|lock| lock(context));
            let result = work();
            if let (Some(unlock), Some(state)) = (hooks.unlock, state) {
                unlock(context, state);
            }
            result
        }
    }
}

impl fmt::Debug for Domain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.role)
    }
}

/// What a domain holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub open: u16,
    pub granted: u16,
    pub mapped: u16,
}

impl State {
    pub(crate) fn pack(self) -> i64 {
        i64::from(self.open) | i64::from(self.granted) << 16 | i64::from(self.mapped) << 32
    }

    pub(crate) fn unpack(packed: i64) -> Self {
        Self {
            open: packed as u16,
            granted: (packed >> 16) as u16,
            mapped: (packed >> 32) as u16,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "open {} granted {} mapped {}",
            self.open, self.granted, self.mapped
        )
    }
}

/// A page of a domain's RAM, freed when dropped.
pub struct TestPage<'w> {
    page: NonNull<Page>,
    memory: &'w dyn Memory,
}

impl<'w> TestPage<'w> {
    /// A page from `memory`.
    pub fn new(memory: &'w dyn Memory) -> Option<Self> {
        Some(Self {
            page: memory.alloc_page()?,
            memory,
        })
    }
}

// SAFETY: allocated for this value alone.
unsafe impl PageOwner for TestPage<'_> {
    fn page(&self) -> NonNull<Page> {
        self.page
    }
}

impl Drop for TestPage<'_> {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`; a grant drops it only once ended.
        unsafe { self.memory.free_page(self.page) };
    }
}

impl fmt::Debug for TestPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestPage")
    }
}
