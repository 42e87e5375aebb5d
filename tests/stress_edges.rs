// SPDX-License-Identifier: MIT OR Apache-2.0
//! Very many events between a thread that is Xen and one that is the guest's
//! vCPU, with nothing in between but the words that they share: no edge is
//! lost. `XEN_GUEST_EDGES` says how many; an optimised build does 10^8 with
//! each ABI in less than a minute.
//!
//! An edge is a PENDING bit that Xen sets and found clear. The guest clears it
//! once for each, so while nothing puts events back, there is exactly one call
//! of a handler for an edge. Where ports are masked and budgets spent, edges
//! may merge; then each handler has to have run after its port's last one.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use common::{Patience, Random, Raw, data};
use xen_guest::{EventsAbi, Guest, GuestStorage, Page};
use xen_guest_workloads::fake_xen::FakeXen;

const GROUPS: usize = 8;
/// The ports under test: from the second word on, over four words.
const FIRST: u32 = 64;
const PORTS: usize = 256;
/// All has to settle after so many edges: then the last ones have nothing
/// behind them that makes up for them. Few, so that this is often.
const ROUND: u64 = 200;
const ROUND_WITH_CHANGES: u64 = 2_000;

/// Edges of the longest runs.
fn edges() -> u64 {
    match std::env::var("XEN_GUEST_EDGES") {
        Ok(edges) => edges.parse().expect("XEN_GUEST_EDGES is a number"),
        Err(_) => 1_000_000,
    }
}

/// One test at a time: each keeps the processors busy.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|failed| failed.into_inner())
}

/// What one thread writes, apart from what another one does.
#[repr(align(64))]
#[derive(Default)]
struct Own<T>(T);

/// A port's events.
#[derive(Default)]
struct Port {
    /// Counted before each event, edge or not; by Xen's thread.
    sent: Own<AtomicU64>,
    served: Own<Served>,
}

/// By the vCPU's thread.
#[derive(Default)]
struct Served {
    /// `sent` when the handler last ran.
    seen: AtomicU64,
    calls: AtomicU64,
}

impl Port {
    fn settled(&self) -> bool {
        self.sent.0.load(SeqCst) == self.served.0.seen.load(SeqCst)
    }

    fn calls(&self) -> u64 {
        self.served.0.calls.load(SeqCst)
    }
}

unsafe extern "C" fn see(data: *mut c_void) {
    // SAFETY: bound with a `Port` that outlives the guest.
    let port = unsafe { &*data.cast::<Port>() };
    let Served { seen, calls } = &port.served.0;
    // Not ordered by itself: the delivery has to.
    seen.store(port.sent.0.load(Relaxed), Relaxed);
    calls.store(calls.load(Relaxed) + 1, Relaxed);
}

fn number(index: usize) -> u32 {
    FIRST + index as u32
}

/// Xen's thread.
struct Sender<'t> {
    xen: &'t FakeXen,
    ports: &'t [Port],
    random: Random,
    /// Edges of each port, and of all.
    edges: Vec<u64>,
    total: u64,
}

impl Sender<'_> {
    /// Events on random ports until `count` of them were edges. False if that
    /// takes far too long: too few ports are served.
    fn send(&mut self, count: u64) -> bool {
        let end = self.total + count;
        let mut patience = Patience::new();
        while self.total < end {
            let bits = self.random.next();
            let index = bits as usize % PORTS;
            // Most ports are left to be served first, but not all.
            if bits >> 32 & 15 != 0 && self.xen.is_pending(number(index)) {
                if !patience.wait() {
                    return false;
                }
                continue;
            }
            let sent = &self.ports[index].sent.0;
            sent.store(sent.load(Relaxed) + 1, Relaxed);
            if self.xen.raise(number(index)) {
                self.edges[index] += 1;
                self.total += 1;
            }
        }
        true
    }

    /// Whether `done` comes true for all ports.
    fn wait(&self, done: impl Fn(usize, &Port) -> bool) -> bool {
        let mut patience = Patience::new();
        for (index, port) in self.ports.iter().enumerate() {
            while !done(index, port) {
                if !patience.wait() {
                    return false;
                }
            }
        }
        true
    }

    /// Ports whose last event nobody saw, and edges without a call.
    fn lost(&self, exact: bool) -> u64 {
        let ports = self.ports.iter().zip(&self.edges);
        ports
            .map(|(port, &edges)| match exact {
                true => edges.abs_diff(port.calls()),
                false => u64::from(!port.settled()),
            })
            .sum()
    }
}

/// A third thread: masks, unmasks, takes handlers away, gives others, and
/// moves ports between queues.
struct Changer<'t> {
    raw: Raw,
    ports: &'t [Port],
    random: Random,
    fifo: bool,
    masked: Vec<bool>,
    bound: Vec<bool>,
    changes: u64,
}

impl Changer<'_> {
    fn bind(&mut self, index: usize) {
        let port = data(&self.ports[index]);
        // SAFETY: the ports outlive the guest.
        assert_eq!(unsafe { self.raw.bind(number(index), see, port) }, 0);
        self.bound[index] = true;
    }

    fn unmask(&mut self, index: usize) {
        // Repeated unmasking is allowed, and must not lose either.
        assert_eq!(self.raw.unmask(number(index)), 0);
        self.masked[index] = false;
    }

    fn change(&mut self) {
        let index = self.random.below(PORTS);
        self.changes += 1;
        match self.random.below(if self.fifo { 12 } else { 10 }) {
            0..3 => {
                assert_eq!(self.raw.mask(number(index)), 0);
                self.masked[index] = true;
            }
            3..6 => self.unmask(index),
            6 => {
                assert_eq!(self.raw.unbind(number(index)), 0);
                self.bound[index] = false;
            }
            7..10 => self.bind(index),
            _ => {
                let priority = self.random.below(16) as u32;
                assert_eq!(self.raw.set_priority(number(index), priority), 0);
            }
        }
    }

    fn delivers(&self, index: usize) -> bool {
        self.bound[index] && !self.masked[index]
    }

    fn deliver_all(&mut self) {
        for index in 0..PORTS {
            if !self.bound[index] {
                self.bind(index);
            }
            if self.masked[index] {
                self.unmask(index);
            }
        }
    }
}

struct Stress {
    name: &'static str,
    abi: EventsAbi,
    edges: u64,
    budget: u32,
    changes: bool,
}

impl Stress {
    /// Nothing puts an event back, or merges it with another one.
    fn exact(&self) -> bool {
        !self.changes && (self.abi == EventsAbi::Fifo || self.budget == u32::MAX)
    }

    fn rounds(&self) -> u64 {
        self.edges.div_ceil(self.round())
    }

    fn round(&self) -> u64 {
        if self.changes {
            ROUND_WITH_CHANGES
        } else {
            ROUND
        }
    }

    /// One round. False if something was lost.
    fn turn(&self, sender: &mut Sender<'_>, changer: &mut Changer<'_>) -> bool {
        if !self.changes {
            let sent = sender.send(self.round());
            let exact = self.exact();
            let calls = |index: usize, port: &Port| port.calls() == sender.edges[index];
            return sent
                && sender.wait(|index, port| port.settled() && (!exact || calls(index, port)));
        }
        let over = AtomicBool::new(false);
        let sent = thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    changer.change();
                    // Three threads on two processors: each its turn.
                    if changer.changes.is_multiple_of(512) {
                        thread::yield_now();
                    }
                }
            });
            let sent = sender.send(self.round());
            over.store(true, SeqCst);
            sent
        });
        // What is held back waits, and what is not comes by itself ...
        let raw = changer.raw;
        let waits = |index| raw.pending(number(index)) == 1;
        let held_back = |index| !changer.delivers(index) && waits(index);
        if !sent || !sender.wait(|index, port| port.settled() || held_back(index)) {
            return false;
        }
        // ... and is delivered as soon as it may be.
        changer.deliver_all();
        sender.wait(|_, port| port.settled())
    }

    fn run(&self) {
        let _alone = alone();
        let xen = FakeXen::new();
        let mut pages = [Page::new(), Page::new()];
        let mut storage = GuestStorage::<GROUPS, 0>::new();
        let mut config = xen.config();
        if self.abi == EventsAbi::Fifo {
            config = config.with_fifo_events(&mut pages);
        }
        // SAFETY: the pages are this guest's own; hypercalls are answered for
        // them.
        let guest = unsafe { Guest::new(&mut storage, &xen, config) }.unwrap();
        assert_eq!(guest.events_abi(), self.abi);
        let raw = Raw::of(&guest);
        let ports: Vec<Port> = (0..PORTS).map(|_| Port::default()).collect();
        let mut changer = Changer {
            raw,
            ports: &ports,
            random: Random::new(2),
            fifo: self.abi == EventsAbi::Fifo,
            masked: vec![false; PORTS],
            bound: vec![false; PORTS],
            changes: 0,
        };
        xen.next_port(FIRST);
        for index in 0..PORTS {
            assert_eq!(raw.alloc_unbound(0), number(index) as i32);
            changer.bind(index);
        }
        let mut sender = Sender {
            xen: &xen,
            ports: &ports,
            random: Random::new(1),
            edges: vec![0; PORTS],
            total: 0,
        };
        let over = AtomicBool::new(false);
        let started = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                xen.run_here();
                let mut idle = Patience::new();
                while !over.load(SeqCst) {
                    if xen.line() {
                        // SAFETY: this thread only, not nested.
                        unsafe { raw.upcall(self.budget) };
                    } else {
                        idle.wait();
                    }
                }
            });
            // Whatever fails, the vCPU's thread has to end.
            let run = || (0..self.rounds()).all(|_| self.turn(&mut sender, &mut changer));
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            over.store(true, SeqCst);
        });
        let lost = sender.lost(self.exact()) + xen.given_up();
        self.report(&sender, changer.changes, lost, started);
        assert_eq!(lost, 0, "{}", self.leftovers(&xen, &ports));
        assert_eq!(sender.total, self.rounds() * self.round(), "it ended early");
        for index in 0..PORTS {
            assert_eq!(raw.close(number(index)), 0);
        }
        guest.finish().unwrap();
    }

    /// xtask looks for lines that start like this one.
    fn report(&self, sender: &Sender<'_>, changes: u64, lost: u64, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        let calls: u64 = sender.ports.iter().map(Port::calls).sum();
        println!(
            "edges, {:?} {}: {} edges, {calls} handler calls, {changes} changes, {lost} lost; \
             {seconds:.1} s, {:.1} M/s",
            self.abi,
            self.name,
            sender.total,
            sender.total as f64 / seconds / 1e6,
        );
    }

    fn leftovers(&self, xen: &FakeXen, ports: &[Port]) -> String {
        let open: Vec<u32> = (0..PORTS)
            .filter(|&index| !ports[index].settled())
            .map(number)
            .collect();
        format!(
            "ports {open:?}; selector {:#x}, upcall {}, given up {}",
            xen.page.selector().load(SeqCst),
            xen.line(),
            xen.given_up(),
        )
    }
}

/// Upcall against Xen, and nothing else: the ordering of the receive path.
fn plain(abi: EventsAbi) -> Stress {
    Stress {
        name: "plain",
        abi,
        edges: edges(),
        budget: u32::MAX,
        changes: false,
    }
}

/// The same with upcalls that end early.
fn with_a_budget(abi: EventsAbi) -> Stress {
    Stress {
        name: "with a budget",
        edges: edges() / 10,
        budget: 3,
        ..plain(abi)
    }
}

/// The same while ports change.
fn with_changes(abi: EventsAbi) -> Stress {
    Stress {
        name: "with changes",
        edges: edges() / 10,
        budget: 5,
        changes: true,
        ..plain(abi)
    }
}

#[test]
fn two_level() {
    plain(EventsAbi::TwoLevel).run();
}

#[test]
fn two_level_with_a_budget() {
    with_a_budget(EventsAbi::TwoLevel).run();
}

#[test]
fn two_level_with_changes() {
    with_changes(EventsAbi::TwoLevel).run();
}

#[test]
fn fifo() {
    plain(EventsAbi::Fifo).run();
}

#[test]
fn fifo_with_a_budget() {
    with_a_budget(EventsAbi::Fifo).run();
}

#[test]
fn fifo_with_changes() {
    with_changes(EventsAbi::Fifo).run();
}
