// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events under load, on several threads: none is lost, and no handler runs
//! with data that was taken away. stress_edges.rs has the upcall alone.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::*};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use common::{Patience, Random, Raw, data};
use xen_guest::sim::{Delivery, DomainConfig, Hypervisor};
use xen_guest::{DomId, EventChannel, Guest, Platform, Upcall};

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
