// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the stress, fault and model tests share: a guest on a simulated
//! domain, the C API without the `unsafe`, and a picture of a guest's state.

#![allow(dead_code)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use xen_guest::sim::{Domain, Hook, Hypervisor, Leaks};
use xen_guest::{
    Error, Gfn, Guest, GuestConfig, GuestStorage, Hypercall, PAGE_SIZE, Platform, Protection,
    Result, Window, ffi,
};

pub const EIO: i32 = -5;
pub const EBUSY: i32 = -16;
pub const EINVAL: i32 = -22;
pub const ENOSPC: i32 = -28;
/// An error that nothing but fault injection makes.
pub const EXDEV: i32 = -18;
pub const SELF: u16 = 0x7ff0;

/// Two words of ports and two frames of grants.
pub type Storage = GuestStorage<2, 16>;

/// Where the shared-info page goes: behind the grant table.
pub fn shared_info(domain: &Domain) -> Window {
    let window = domain.grant_window();
    let last = window.pages - 1;
    Window {
        va: window.va.wrapping_add(last as usize * PAGE_SIZE),
        gfn: Gfn::new(window.gfn.raw() + u64::from(last)),
        pages: 1,
    }
}

pub fn config(domain: &Domain) -> GuestConfig<'static> {
    GuestConfig::new(shared_info(domain)).with_grant_table(domain.grant_window())
}

/// A guest on `platform`, which is `domain` or something around it.
pub fn guest<'s, P: Platform>(
    storage: &'s mut Storage,
    platform: &'s P,
    domain: &Domain,
) -> Guest<'s> {
    guest_with(storage, platform, config(domain))
}

pub fn guest_with<'s, P: Platform>(
    storage: &'s mut Storage,
    platform: &'s P,
    config: GuestConfig<'s>,
) -> Guest<'s> {
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    unsafe { Guest::new(storage, platform, config) }.expect("the guest can be set up")
}

/// Marsaglia's xorshift: the same in every run.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())])
    }
}

/// The C API of one guest.
#[derive(Clone, Copy)]
pub struct Raw(pub *mut ffi::xg_guest);

// SAFETY: the C core may be called on any CPU, that is thread.
unsafe impl Send for Raw {}
// SAFETY: as above, by several at once; what must not overlap is the test's
// care.
unsafe impl Sync for Raw {}

pub type Handler = unsafe extern "C" fn(*mut c_void);

/// A reference as handler data.
pub fn data<T>(value: &T) -> *mut c_void {
    ptr::from_ref(value).cast_mut().cast()
}

impl Raw {
    pub fn of(guest: &Guest<'_>) -> Self {
        Self(guest.as_raw())
    }

    pub fn alloc_unbound(self, remote: u16) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_alloc_unbound(self.0, SELF, remote) }
    }

    /// # Safety
    ///
    /// `data` is what `handler` takes, until the port is unbound.
    pub unsafe fn bind_interdomain(
        self,
        remote: u16,
        port: u32,
        handler: Option<Handler>,
        data: *mut c_void,
    ) -> i32 {
        // SAFETY: the guest is set up; the rest is the caller's promise.
        unsafe { ffi::xg_evtchn_bind_interdomain(self.0, remote, port, handler, data) }
    }

    /// # Safety
    ///
    /// `data` is what `handler` takes, until the port is unbound.
    pub unsafe fn bind(self, port: u32, handler: Handler, data: *mut c_void) -> i32 {
        // SAFETY: the guest is set up; the rest is the caller's promise.
        unsafe { ffi::xg_evtchn_bind(self.0, port, Some(handler), data) }
    }

    pub fn unbind(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_unbind(self.0, port) }
    }

    pub fn close(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_close(self.0, port) }
    }

    pub fn notify(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_notify(self.0, port) }
    }

    pub fn mask(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_mask(self.0, port) }
    }

    pub fn unmask(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_unmask(self.0, port) }
    }

    pub fn pending(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_pending(self.0, port) }
    }

    pub fn take_pending(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_take_pending(self.0, port) }
    }

    pub fn take_missed(self, port: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_take_missed(self.0, port) }
    }

    pub fn set_late(self, port: u32, late: bool) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_set_late(self.0, port, late) }
    }

    pub fn done(self, port: u32, worked: bool) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_done(self.0, port, worked) }
    }

    pub fn set_priority(self, port: u32, priority: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_set_priority(self.0, port, priority) }
    }

    /// # Safety
    ///
    /// Never nested and never on two threads at a time.
    pub unsafe fn upcall(self, budget: u32) -> bool {
        // SAFETY: the guest is set up; not nested as the caller promises.
        unsafe { ffi::xg_evtchn_upcall(self.0, budget) == 1 }
    }

    pub fn grant(self, domid: u16, gfn: u64, readonly: bool) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_gnttab_grant(self.0, domid, gfn, readonly) }
    }

    pub fn end(self, gref: u32) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_gnttab_end(self.0, gref) }
    }

    pub fn map(self, ops: &mut [ffi::abi::gnttab_map_grant_ref]) -> i32 {
        // SAFETY: the guest is set up; the addresses are the test's.
        unsafe { ffi::xg_gnttab_map(self.0, ops.as_mut_ptr().cast(), ops.len() as u32) }
    }

    pub fn unmap(self, ops: &mut [ffi::abi::gnttab_unmap_grant_ref]) -> i32 {
        // SAFETY: the guest is set up; the addresses are the test's.
        unsafe { ffi::xg_gnttab_unmap(self.0, ops.as_mut_ptr().cast(), ops.len() as u32) }
    }

    pub fn grants_in_use(self) -> u32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_gnttab_in_use(self.0) }
    }

    /// Has the table grown to all that its window has room for.
    pub fn grow(self) {
        let grefs: Vec<i32> = std::iter::repeat_with(|| self.grant(1, 1, true))
            .take_while(|&gref| gref > 0)
            .collect();
        for gref in grefs {
            assert_eq!(self.end(gref as u32), 0);
        }
    }

    pub fn free_grants(self) -> u32 {
        // SAFETY: the guest is set up; its words are counted.
        unsafe {
            let table = &raw const (*self.0).gnttab;
            let per_frame = if (*table).version == 2 { 4 } else { 8 };
            (0..(*table).frames as usize * per_frame)
                .map(|word| (*table).words.add(word).read_volatile().count_ones())
                .sum()
        }
    }

    pub fn wait(self, ports: &[u32], timeout: u64) -> i32 {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_wait(self.0, ports.as_ptr(), ports.len() as u32, timeout) }
    }

    /// Whether Xen would announce the port's events.
    pub fn delivers(self, port: u32) -> bool {
        // SAFETY: the guest is set up, the port in its table.
        let mask = unsafe {
            (*self.0)
                .evtchn
                .pending
                .add(MASKS + port as usize / 64)
                .read_volatile()
        };
        mask & 1 << (port % 64) == 0
    }
}

pub fn map_op(dom: u16, gref: u32, va: *mut u8, readonly: bool) -> ffi::abi::gnttab_map_grant_ref {
    ffi::abi::gnttab_map_grant_ref {
        host_addr: va as u64,
        flags: ffi::abi::GNTMAP_host_map
            | if readonly {
                ffi::abi::GNTMAP_readonly
            } else {
                0
            },
        ref_: gref,
        dom,
        ..Default::default()
    }
}

pub fn unmap_op(va: *mut u8, handle: u32) -> ffi::abi::gnttab_unmap_grant_ref {
    ffi::abi::gnttab_unmap_grant_ref {
        host_addr: va as u64,
        handle,
        ..Default::default()
    }
}

/// The mask words are this many behind the pending ones.
const MASKS: usize = ffi::XG_MAX_2L_GROUPS as usize;

/// What a failed call must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    leaks: Leaks,
    states: Vec<u32>,
    mask: Vec<u64>,
    pending: Vec<u64>,
    handlers: Vec<(usize, usize)>,
    grants: u32,
    free: u32,
}

impl Picture {
    pub fn of(xen: &Hypervisor, raw: Raw) -> Self {
        // SAFETY: the guest is set up and at rest.
        let (evtchn, slots) = unsafe {
            let evtchn = (*raw.0).evtchn;
            let count = evtchn.nr_ports as usize;
            (evtchn, std::slice::from_raw_parts(evtchn.slots, count))
        };
        let handlers = slots.iter().map(|slot| {
            // Of a port that is not bound these mean nothing.
            if slot.state & ffi::XG_PORT_UNBOUND != 0 {
                return (0, 0);
            }
            (slot.handler.map_or(0, |h| h as usize), slot.data as usize)
        });
        Self {
            leaks: xen.leaks(),
            states: slots.iter().map(|slot| slot.state).collect(),
            // SAFETY: the shared-info page is mapped while the guest is.
            mask: unsafe {
                (0..64)
                    .map(|word| evtchn.pending.add(MASKS + word).read_volatile())
                    .collect()
            },
            // SAFETY: as above.
            pending: unsafe {
                (0..64)
                    .map(|word| evtchn.pending.add(word).read_volatile())
                    .collect()
            },
            handlers: handlers.collect(),
            grants: raw.grants_in_use(),
            free: raw.free_grants(),
        }
    }
}

/// Something to do around a hypercall: called with the operation, its
/// sub-operation, and whether Xen has done it already.
pub type Around = dyn Fn(u32, u32, bool) + Send + Sync;

thread_local! {
    /// The vCPUs that a `Hooked` domain's thread finds itself on when it asks
    /// next, before it is where the simulator says.
    pub static CPUS: RefCell<VecDeque<u32>> = const { RefCell::new(VecDeque::new()) };
}

/// A domain whose firmware can be looked at, and interrupted by other CPUs,
/// around each hypercall.
pub struct Hooked {
    pub domain: Domain,
    around: Mutex<Option<Arc<Around>>>,
    /// Calls of `relax`: somebody waits.
    pub relaxed: AtomicU64,
    /// The next call of `map` or `unmap` fails with this.
    pub refuse: Mutex<Option<Error>>,
}

impl Hooked {
    pub fn new(domain: &Domain) -> Self {
        Self {
            domain: domain.clone(),
            around: Mutex::new(None),
            relaxed: AtomicU64::new(0),
            refuse: Mutex::new(None),
        }
    }

    pub fn set(&self, around: impl Fn(u32, u32, bool) + Send + Sync + 'static) {
        *self.around.lock().unwrap() = Some(Arc::new(around));
    }

    pub fn clear(&self) {
        *self.around.lock().unwrap() = None;
    }

    fn call(&self, op: u32, args: [usize; 5], done: bool) {
        let around = self.around.lock().unwrap().clone();
        if let Some(around) = around {
            around(op, args[0] as u32, done);
        }
    }

    fn refused(&self) -> Result {
        self.refuse.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

// SAFETY: it is the domain's own platform.
unsafe impl Platform for Hooked {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|hooked, op, args| {
        hooked.call(op, args, false);
        // SAFETY: as the hook's caller promises.
        let result = unsafe { hooked.domain.hypercall(op, args) };
        hooked.call(op, args, true);
        result
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        self.domain.virt_to_gfn(va)
    }

    unsafe fn map(&self, va: *mut u8, gfn: Gfn, pages: u32, prot: Protection) -> Result {
        self.refused()?;
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.map(va, gfn, pages, prot) }
    }

    unsafe fn unmap(&self, va: *mut u8, pages: u32) -> Result {
        self.refused()?;
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.unmap(va, pages) }
    }

    fn page_alloc(&self, pages: u32) -> *mut u8 {
        self.domain.page_alloc(pages)
    }

    unsafe fn page_free(&self, va: *mut u8, pages: u32) {
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.page_free(va, pages) }
    }

    fn lock(&self) -> usize {
        self.domain.lock()
    }

    unsafe fn unlock(&self, state: usize) {
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.unlock(state) }
    }

    fn cpu_id(&self) -> Option<u32> {
        let told = CPUS.with_borrow_mut(VecDeque::pop_front);
        told.or_else(|| self.domain.cpu_id())
    }

    fn relax(&self) {
        self.relaxed.fetch_add(1, Ordering::SeqCst);
        self.domain.relax();
    }
}

/// Waiting for another thread: gives the processor away from time to time,
/// in case the other thread needs this one.
#[derive(Debug)]
pub struct Patience {
    rounds: u32,
    since: Instant,
}

impl Patience {
    pub fn new() -> Self {
        Self {
            rounds: 0,
            since: Instant::now(),
        }
    }

    /// Another round; false if there were too many of them.
    pub fn wait(&mut self) -> bool {
        self.rounds += 1;
        if self.rounds.is_multiple_of(128) {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
        !self.rounds.is_multiple_of(65536) || self.since.elapsed() < Duration::from_secs(20)
    }
}

/// Runs `work` as another CPU, and waits for it.
pub fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// What fails.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Hypercall,
    Hook(Hook),
    /// One mapping of a batch, with this status.
    Map(i32),
    /// One unmapping of a batch, with this status.
    Unmap(i32),
}

impl Fault {
    /// The `nth` from now on fails.
    pub fn inject(self, domain: &Domain, nth: u64) {
        let (xen, id) = (domain.hypervisor(), domain.domid());
        match self {
            Self::Hypercall => xen.fail_hypercall(id, nth, EXDEV),
            Self::Hook(hook) => xen.fail_hook(id, hook, nth),
            Self::Map(status) => xen.fail_grant_map(id, nth, status as i16),
            Self::Unmap(status) => xen.fail_grant_unmap(id, nth, status as i16),
        }
    }
}

/// Lets the n-th `fault` happen during `call`, for n from 1 until the call
/// does not come to it. A call that fails leaves `picture` as it was, and
/// succeeds when it is repeated; `undo` takes its result back. Returns how
/// many faults happened.
pub fn exhaust<T: PartialEq + std::fmt::Debug>(
    domain: &Domain,
    fault: Fault,
    picture: impl Fn() -> T,
    mut call: impl FnMut() -> i32,
    mut undo: impl FnMut(i32),
) -> u64 {
    let xen = domain.hypervisor();
    let before = picture();
    for nth in 1.. {
        fault.inject(domain, nth);
        let mut result = call();
        let happened = xen.faults_left(domain.domid()) == 0;
        xen.clear_faults(domain.domid());
        if result < 0 {
            assert!(happened, "{fault:?}: {result} without a fault");
            assert_eq!(picture(), before, "{fault:?} number {nth}, after {result}");
            result = call();
            assert!(result >= 0, "{fault:?} number {nth}: then {result}");
        }
        undo(result);
        assert_eq!(picture(), before, "{fault:?} number {nth}, undone");
        if !happened {
            return nth - 1;
        }
    }
    unreachable!()
}
