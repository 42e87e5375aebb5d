// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events under load, on several threads: none is lost, and no handler runs
//! with data that was taken away.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use common::{Patience, Random, Raw, data};
use xen_guest::ffi::abi;
use xen_guest::sim::{Delivery, DomainConfig, Hypervisor};
use xen_guest::{
    DomId, EventChannel, Gfn, Guest, GuestConfig, GuestStorage, Hypercall, PAGE_SIZE, Platform,
    Protection, Upcall, Window,
};

const PORTS: usize = 64;

/// One test at a time: each keeps several processors busy.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|failed| failed.into_inner())
}

/// A port's edges: how many were sent, and how many had been when its
/// handler last ran.
#[derive(Default)]
struct Edge {
    sent: AtomicU64,
    seen: AtomicU64,
    calls: AtomicU64,
}

impl Edge {
    fn settled(&self) -> bool {
        self.sent.load(SeqCst) == self.seen.load(SeqCst)
    }
}

unsafe extern "C" fn see(data: *mut c_void) {
    // SAFETY: bound with an `Edge` that outlives the guest.
    let edge = unsafe { &*data.cast::<Edge>() };
    // Not ordered by itself: the delivery has to.
    edge.seen.store(edge.sent.load(Relaxed), Relaxed);
    edge.calls.fetch_add(1, Relaxed);
}

#[repr(C, align(4096))]
struct SharedPage([AtomicU64; PAGE_SIZE / 8]);

/// A machine without a hypervisor: Xen's side of the shared-info page, by
/// hand, with nothing in it but the protocol.
struct FakeXen {
    page: Box<SharedPage>,
    next_port: AtomicU32,
}

impl FakeXen {
    fn new() -> Self {
        Self {
            page: Box::new(SharedPage([const { AtomicU64::new(0) }; PAGE_SIZE / 8])),
            next_port: AtomicU32::new(PORTS as u32),
        }
    }

    fn base(&self) -> *mut u8 {
        (&raw const *self.page).cast_mut().cast()
    }

    fn word(&self, offset: usize) -> &AtomicU64 {
        &self.page.0[offset / 8]
    }

    fn pending(&self, port: usize) -> &AtomicU64 {
        self.word(std::mem::offset_of!(abi::shared_info, evtchn_pending) + port / 64 * 8)
    }

    fn mask(&self, port: usize) -> &AtomicU64 {
        self.word(std::mem::offset_of!(abi::shared_info, evtchn_mask) + port / 64 * 8)
    }

    fn selector(&self) -> &AtomicU64 {
        self.word(std::mem::offset_of!(abi::vcpu_info, evtchn_pending_sel))
    }

    fn upcall_pending(&self) -> &AtomicU8 {
        // SAFETY: inside the page, and touched by atomics only.
        unsafe { AtomicU8::from_ptr(self.base()) }
    }

    fn select(&self, port: usize) {
        let bit = 1 << (port / 64);
        if self.selector().fetch_or(bit, SeqCst) & bit == 0 {
            self.upcall_pending().swap(1, SeqCst);
        }
    }

    /// An event, in Xen's order.
    fn raise(&self, port: usize) {
        let bit = 1 << (port % 64);
        if self.pending(port).fetch_or(bit, SeqCst) & bit == 0
            && self.mask(port).load(SeqCst) & bit == 0
        {
            self.select(port);
        }
    }

    fn unmask(&self, port: usize) {
        let bit = 1 << (port % 64);
        if self.mask(port).fetch_and(!bit, SeqCst) & bit != 0
            && self.pending(port).load(SeqCst) & bit != 0
        {
            self.select(port);
        }
    }

    /// The interrupt's condition.
    fn line(&self) -> bool {
        self.upcall_pending().load(SeqCst) != 0
    }
}

std::thread_local! {
    /// Whether this thread is vCPU 0.
    static VCPU: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

// SAFETY: the one page that is used is always there; everything else is
// refused or not called.
unsafe impl Platform for FakeXen {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|xen, op, args| match (op, args[0] as u32) {
        (abi::__HYPERVISOR_memory_op, _) => 0,
        (abi::__HYPERVISOR_event_channel_op, abi::EVTCHNOP_alloc_unbound) => {
            // SAFETY: the core passes the operation's structure.
            let op = unsafe { &mut *(args[1] as *mut abi::evtchn_alloc_unbound) };
            op.port = xen.next_port.fetch_add(1, Relaxed);
            0
        }
        (abi::__HYPERVISOR_event_channel_op, abi::EVTCHNOP_unmask) => {
            // SAFETY: the core passes the operation's structure.
            let op = unsafe { &*(args[1] as *const abi::evtchn_unmask) };
            xen.unmask(op.port as usize);
            0
        }
        (abi::__HYPERVISOR_event_channel_op, abi::EVTCHNOP_close) => 0,
        _ => -38,
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        Some(Gfn::new(va as u64 / PAGE_SIZE as u64))
    }

    unsafe fn map(&self, _: *mut u8, _: Gfn, _: u32, _: Protection) -> xen_guest::Result {
        Ok(())
    }

    unsafe fn unmap(&self, _: *mut u8, _: u32) -> xen_guest::Result {
        Ok(())
    }

    fn lock(&self) -> usize {
        0
    }

    unsafe fn unlock(&self, _: usize) {}

    fn cpu_id(&self) -> Option<u32> {
        VCPU.get().then_some(0)
    }
}

/// Two words, of which the second is used.
fn fake_guest<'s>(storage: &'s mut GuestStorage<2, 0>, xen: &'s FakeXen) -> Guest<'s> {
    let va = xen.base();
    let config = GuestConfig::new(Window {
        va,
        gfn: Gfn::new(va as u64 / PAGE_SIZE as u64),
        pages: 1,
    });
    // SAFETY: the page is this guest's own; the hypercalls are answered for it.
    unsafe { Guest::new(storage, xen, config) }.unwrap()
}

/// `total` edges in rounds, each of which has to settle, on a fake Xen, with
/// `meanwhile` on a third thread.
fn raw_stress(total: u64, round: u64, budget: u32, meanwhile: impl Fn(Raw, &AtomicBool) + Sync) {
    let _alone = alone();
    let xen = FakeXen::new();
    let mut storage = GuestStorage::new();
    let guest = fake_guest(&mut storage, &xen);
    let raw = Raw::of(&guest);
    let edges: Vec<Edge> = (0..PORTS).map(|_| Edge::default()).collect();
    for edge in &edges {
        let port = raw.alloc_unbound(0) as u32;
        // SAFETY: the edges outlive the upcalls.
        assert_eq!(unsafe { raw.bind(port, see, data(edge)) }, 0);
    }
    let (stop, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let rounds = total / round;
    thread::scope(|scope| {
        scope.spawn(|| {
            VCPU.set(true);
            let mut idle = Patience::new();
            while !over.load(SeqCst) {
                if xen.line() {
                    // SAFETY: this thread only, not nested.
                    unsafe { raw.upcall(budget) };
                } else {
                    idle.wait();
                }
            }
        });
        let other = scope.spawn(|| meanwhile(raw, &stop));
        let sender = scope.spawn(|| {
            let mut random = Random::new(1);
            for n in 0..rounds {
                for _ in 0..round {
                    let index = random.below(PORTS);
                    edges[index].sent.fetch_add(1, Relaxed);
                    xen.raise(PORTS + index);
                }
                if n + 1 == rounds {
                    stop.store(true, SeqCst);
                }
                let mut patience = Patience::new();
                while !edges.iter().all(Edge::settled) {
                    if !patience.wait() {
                        return Some(n);
                    }
                }
            }
            None
        });
        let lost = sender.join().unwrap();
        stop.store(true, SeqCst);
        other.join().unwrap();
        over.store(true, SeqCst);
        if let Some(n) = lost {
            let ports: Vec<usize> = (0..PORTS).filter(|port| !edges[*port].settled()).collect();
            panic!(
                "round {n}: lost on {ports:?}; pending {:#x} mask {:#x} selector {:#x} upcall {}",
                xen.pending(PORTS).load(SeqCst),
                xen.mask(PORTS).load(SeqCst),
                xen.selector().load(SeqCst),
                xen.line(),
            );
        }
    });
    let calls: u64 = edges.iter().map(|edge| edge.calls.load(Relaxed)).sum();
    println!("{total} edges, {calls} handler calls, none lost");
    for port in 0..PORTS as u32 {
        assert_eq!(raw.close(PORTS as u32 + port), 0);
    }
}

/// Upcall against Xen, and nothing else: the ordering of the receive path.
#[test]
fn raw_edges() {
    raw_stress(10_002_000, 3_000, u32::MAX, |_, _| {});
}

/// The same with upcalls that end early.
#[test]
fn raw_edges_with_a_budget() {
    raw_stress(2_001_000, 3_000, 3, |_, _| {});
}

/// The same with a thread that masks and unmasks, and takes handlers away.
#[test]
fn raw_edges_with_masks() {
    raw_stress(1_000_000, 1_000, 5, |raw, stop| {
        let mut random = Random::new(2);
        while !stop.load(SeqCst) {
            let port = (PORTS + random.below(PORTS)) as u32;
            if random.one_in(2) {
                assert_eq!(raw.mask(port), 0);
                assert_eq!(raw.unmask(port), 0);
            } else {
                // Repeated unmasking is allowed, and must not lose either.
                assert_eq!(raw.unmask(port), 0);
            }
        }
    });
}

/// Handler data, poisoned when the handler was taken away.
struct Cell {
    state: AtomicU64,
    running: AtomicBool,
    raw: Raw,
    port: AtomicU32,
    edge: *const Edge,
    stale: *const AtomicU64,
    /// The handler masks and unmasks its own port.
    fidgets: bool,
}

// SAFETY: what the pointers lead to outlives all cells and is atomic.
unsafe impl Sync for Cell {}

const MAX_CELLS: usize = 300_000;
const LIVE: u64 = 0x11fe;
const POISON: u64 = 0xdead;

unsafe extern "C" fn check(data: *mut c_void) {
    // SAFETY: cells are freed at the end of the test only, and so are the
    // counters.
    let (cell, edge, stale) = unsafe {
        let cell = &*data.cast::<Cell>();
        (cell, &*cell.edge, &*cell.stale)
    };
    cell.running.store(true, SeqCst);
    if cell.state.load(SeqCst) != LIVE {
        stale.fetch_add(1, SeqCst);
    }
    if cell.fidgets {
        let port = cell.port.load(SeqCst);
        if port != 0 {
            // May be under way of being closed.
            cell.raw.mask(port);
            cell.raw.unmask(port);
        }
    }
    edge.seen.store(edge.sent.load(Relaxed), Relaxed);
    edge.calls.fetch_add(1, Relaxed);
    if cell.state.load(SeqCst) != LIVE {
        stale.fetch_add(1, SeqCst);
    }
    cell.running.store(false, SeqCst);
}

/// Everything about a port on B's side, except notifying it.
struct Port<'t> {
    raw: Raw,
    number: u32,
    /// A's end.
    peer: u32,
    edge: &'t Edge,
    stale: &'t AtomicU64,
    cell: Option<&'t Cell>,
    masked: bool,
}

impl<'t> Port<'t> {
    fn new_cell(&self, cells: &mut Vec<*mut Cell>, fidgets: bool) -> &'t Cell {
        let cell = Box::into_raw(Box::new(Cell {
            state: AtomicU64::new(LIVE),
            running: AtomicBool::new(false),
            raw: self.raw,
            port: AtomicU32::new(self.number),
            edge: self.edge,
            stale: self.stale,
            fidgets,
        }));
        cells.push(cell);
        // SAFETY: freed at the end of the test only.
        unsafe { &*cell }
    }

    /// The handler was taken away: it does not run, and will not.
    fn poison(&mut self) {
        if let Some(cell) = self.cell.take() {
            assert!(
                !cell.running.load(SeqCst),
                "port {}: still running",
                self.number
            );
            cell.state.store(POISON, SeqCst);
        }
    }

    fn bind(&mut self, cells: &mut Vec<*mut Cell>, fidgets: bool) {
        let cell = self.new_cell(cells, fidgets);
        // SAFETY: cells outlive the guest.
        assert_eq!(unsafe { self.raw.bind(self.number, check, data(cell)) }, 0);
        self.poison();
        self.cell = Some(cell);
    }

    fn unbind(&mut self) {
        assert_eq!(self.raw.unbind(self.number), 0);
        self.poison();
    }

    /// The number stays the same: it is the lowest free one.
    fn reopen(&mut self, remote: u16, cells: &mut Vec<*mut Cell>, fidgets: bool) {
        assert_eq!(self.raw.close(self.number), 0);
        self.poison();
        self.masked = false;
        let cell = self.new_cell(cells, fidgets);
        // SAFETY: cells outlive the guest.
        let port = unsafe {
            self.raw
                .bind_interdomain(remote, self.peer, Some(check), data(cell))
        };
        assert_eq!(port, self.number as i32);
        self.cell = Some(cell);
    }
}

/// One thread of A notifies; B's upcall has a thread; a third one does
/// everything else to the same ports.
fn stress(fifo: bool, rounds: u64, per_round: u64, budget: u32, seed: u64) -> (u64, u64, u64) {
    let _alone = alone();
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default().with_delivery(Delivery::Asynchronous));
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let mut config = common::config(&b);
    let fifo_pages = NonNull::new(b.page_alloc(2)).unwrap();
    if fifo {
        // SAFETY: allocated just now, and freed behind the guest.
        config = unsafe { config.with_fifo_pages(fifo_pages.cast(), 2) };
    }
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest_b = unsafe { Guest::new(&mut storage_b, &b, config) }.unwrap();
    let (raw_a, raw_b) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let (edges, stale): (Vec<Edge>, _) = (
        (0..PORTS).map(|_| Edge::default()).collect(),
        AtomicU64::new(0),
    );
    let mut cells: Vec<*mut Cell> = Vec::new();
    let mut changes = 0;
    // Fill the first word, so that the ports under test share the second.
    for _ in 1..PORTS {
        assert!(raw_b.alloc_unbound(0) > 0);
    }
    // SAFETY: the simulator runs it once at a time.
    let upcall = || unsafe { guest_b.upcall(budget) } == Upcall::More;
    b.with_upcall(&upcall, || {
        let mut ports: Vec<Port<'_>> = edges
            .iter()
            .map(|edge| {
                let peer = raw_a.alloc_unbound(b.domid().raw()) as u32;
                // SAFETY: without a handler there is no data.
                let number = unsafe {
                    raw_b.bind_interdomain(a.domid().raw(), peer, None, std::ptr::null_mut())
                };
                assert!(number >= PORTS as i32 && number < 2 * PORTS as i32);
                Port {
                    raw: raw_b,
                    number: number as u32,
                    peer,
                    edge,
                    stale: &stale,
                    cell: None,
                    masked: false,
                }
            })
            .collect();
        let peers: Vec<u32> = ports.iter().map(|port| port.peer).collect();
        let mut random = Random::new(seed);
        for round in 0..rounds {
            let done = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut random = Random::new(seed * 1000 + round);
                    for _ in 0..per_round {
                        let index = random.below(PORTS);
                        edges[index].sent.fetch_add(1, Relaxed);
                        assert_eq!(raw_a.notify(peers[index]), 0);
                    }
                    done.store(true, SeqCst);
                });
                while !done.load(SeqCst) {
                    let port = &mut ports[random.below(PORTS)];
                    let fidgets = random.one_in(4);
                    changes += 1;
                    // Cells are kept to the end: not too many of them.
                    match random.below(if cells.len() < MAX_CELLS { 10 } else { 6 }) {
                        0..3 => {
                            assert_eq!(port.raw.mask(port.number), 0);
                            port.masked = true;
                        }
                        3..6 => {
                            assert_eq!(port.raw.unmask(port.number), 0);
                            port.masked = false;
                        }
                        6 if port.cell.is_some() => port.unbind(),
                        6..9 => port.bind(&mut cells, fidgets),
                        // A number that is still in a queue is not free.
                        _ if fifo => port.bind(&mut cells, fidgets),
                        _ => port.reopen(a.domid().raw(), &mut cells, fidgets),
                    }
                }
            });
            for port in &mut ports {
                if port.cell.is_none() {
                    port.bind(&mut cells, false);
                }
                assert_eq!(port.raw.unmask(port.number), 0);
            }
            xen.deliver_all();
            for port in &ports {
                assert!(
                    port.edge.settled(),
                    "round {round}: port {} lost an edge: {} of {}, pending {}, {}",
                    port.number,
                    port.edge.seen.load(SeqCst),
                    port.edge.sent.load(SeqCst),
                    port.raw.pending(port.number),
                    if port.raw.delivers(port.number) {
                        "delivers"
                    } else {
                        "masked"
                    },
                );
            }
            assert_eq!(stale.load(SeqCst), 0, "a handler had stale data");
        }
        for port in &mut ports {
            assert_eq!(port.raw.close(port.number), 0);
            port.poison();
            assert_eq!(raw_a.close(port.peer), 0);
        }
    });
    assert_eq!(stale.load(SeqCst), 0, "a handler had stale data");
    for port in 1..PORTS as u32 {
        assert_eq!(raw_b.close(port), 0);
    }
    for cell in cells {
        // SAFETY: made by `new_cell`, and no handler has it any more.
        drop(unsafe { Box::from_raw(cell) });
    }
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    // SAFETY: nobody has them any more.
    unsafe { b.page_free(fifo_pages.as_ptr(), 2) };
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    let calls = edges.iter().map(|edge| edge.calls.load(Relaxed)).sum();
    (rounds * per_round, calls, changes)
}

#[test]
fn edges_while_ports_change() {
    let (edges, calls, changes) = stress(false, 40, 25_000, 64, 1);
    println!("{edges} edges, {calls} handler calls, {changes} changes, none lost");
}

#[test]
fn edges_while_ports_change_with_a_budget() {
    let (edges, calls, changes) = stress(false, 20, 25_000, 2, 2);
    println!("{edges} edges, {calls} handler calls, {changes} changes, none lost");
}

#[test]
fn edges_in_queues_while_ports_change() {
    let (edges, calls, changes) = stress(true, 40, 25_000, 64, 3);
    println!("{edges} edges, {calls} handler calls, {changes} changes, none lost");
}

#[test]
fn edges_in_queues_while_ports_change_with_a_budget() {
    let (edges, calls, changes) = stress(true, 20, 25_000, 2, 4);
    println!("{edges} edges, {calls} handler calls, {changes} changes, none lost");
}

/// Ports that several threads open, use and close at the same time never get
/// in one another's way, though Xen hands numbers out again at once.
#[test]
fn numbers_that_change_hands() {
    static CALLS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
    static HANDLERS: [fn(); 3] = [
        || _ = CALLS[0].fetch_add(1, SeqCst),
        || _ = CALLS[1].fetch_add(1, SeqCst),
        || _ = CALLS[2].fetch_add(1, SeqCst),
    ];
    let _alone = alone();
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default().with_delivery(Delivery::Asynchronous));
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    // SAFETY: the simulator runs it once at a time.
    let upcall = || unsafe { guest.upcall(64) } == Upcall::More;
    domain.with_upcall(&upcall, || {
        thread::scope(|scope| {
            for (me, calls) in CALLS.iter().enumerate() {
                let (guest, domain) = (&guest, &domain);
                scope.spawn(move || {
                    for n in 0..4_000 {
                        let from = EventChannel::alloc_unbound(guest, DomId::SELF).unwrap();
                        let mut to =
                            EventChannel::bind_interdomain(guest, domain.domid(), from.port())
                                .unwrap();
                        let before = calls.load(SeqCst);
                        to.bind(&HANDLERS[me]).unwrap();
                        assert_eq!(to.mask(), Ok(()), "{me}: turn {n}: {:?}", to.port());
                        assert_eq!(to.unmask(), Ok(()));
                        from.notify().unwrap();
                        let mut patience = Patience::new();
                        while calls.load(SeqCst) == before {
                            assert!(patience.wait(), "{me}: turn {n}: no event came");
                        }
                        to.close().unwrap();
                        from.close().unwrap();
                    }
                });
            }
        });
    });
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}
