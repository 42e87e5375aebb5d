// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two vCPUs signal each other: with IPIs, and on a port that is moved from
//! one to the other with an event pending.
//!
//! `events=fifo` on the command line chooses the FIFO event ABI, `rounds=<n>`
//! how often.

#![no_std]
#![no_main]

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use firmware::sync::Masked;
use firmware::time::{now, sleep, wait_until};
use firmware::{Machine, Options, cpu, println, smp};
use spin::Once;
use static_cell::ConstStaticCell;
use xen_guest::{DomId, EventChannel, EventsAbi, Guest, GuestStorage};

firmware::main!(main);

/// More vCPUs than most domains have.
type Storage = GuestStorage<4, 8, { cpu::MOST }>;

static STORAGE: ConstStaticCell<Storage> = ConstStaticCell::new(Storage::new());

const PATIENCE: Duration = Duration::from_secs(5);
/// Time enough for an event that should not come.
const PAUSE: Duration = Duration::from_millis(5);

fn main(machine: &'static Machine) {
    let rounds = machine.args.parse("rounds").unwrap_or(200);
    let options = Options::from_args(machine.args);
    let asked_for = options.fifo;
    assert!(
        smp::count() >= 2,
        "there is one vCPU only: --vcpus 2, please"
    );
    let guest = firmware::init_with(STORAGE.take(), options);
    println!("{} vCPUs, {:?} events", smp::count(), guest.events_abi());
    let fifo = guest.events_abi() == EventsAbi::Fifo;
    assert_eq!(fifo, asked_for, "not the ABI that was asked for");

    start_again(guest);
    smp::start(1, other_vcpu).expect("vCPU 1 is idle");
    ping_pong(guest, rounds);
    cross_fire(guest, rounds);
    moved_port(guest);
    moved_while_pending(guest, fifo);
    more_than_the_budget(guest);
    STOP.store(true, Ordering::Relaxed);
    assert!(wait_until(PATIENCE, || !smp::is_running(1)), "vCPU 1 stays");
    assert_eq!(guest.abandoned(), 0, "something could not be given back");
}

/// Events counted by the vCPU on which they came.
struct Counts([AtomicU32; 2]);

impl Counts {
    const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; 2])
    }

    /// A handler.
    fn count(&self) {
        self.0[cpu::number()].fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> [u32; 2] {
        [&self.0[0], &self.0[1]].map(|count| count.load(Ordering::Relaxed))
    }

    /// Waits until there are so many, and for events too many.
    fn expect(&self, what: &str, counts: [u32; 2]) {
        wait_until(PATIENCE, || self.get() == counts);
        sleep(PAUSE);
        assert_eq!(self.get(), counts, "{what}");
        println!("{what}: {counts:?}");
    }
}

static STOP: AtomicBool = AtomicBool::new(false);
/// vCPU 1 is to take no interrupts.
static BUSY: AtomicBool = AtomicBool::new(false);
static IS_BUSY: AtomicBool = AtomicBool::new(false);
/// How often vCPU 1 is to signal vCPU 0, and where.
static FIRE: AtomicU32 = AtomicU32::new(0);
static TO_0: Once<EventChannel<'static>> = Once::new();
static SENT_BY_1: AtomicU32 = AtomicU32::new(0);

fn other_vcpu(vcpu: u32) {
    assert_eq!(cpu::number(), vcpu as usize, "that is another one");
    while !STOP.load(Ordering::Relaxed) {
        let due = || {
            STOP.load(Ordering::Relaxed)
                || BUSY.load(Ordering::Relaxed)
                || FIRE.load(Ordering::Acquire) > 0
        };
        wait_until(PATIENCE, due);
        if BUSY.load(Ordering::Relaxed) {
            let masked = Masked::mask();
            IS_BUSY.store(true, Ordering::Relaxed);
            while BUSY.load(Ordering::Relaxed) {
                hint::spin_loop();
            }
            IS_BUSY.store(false, Ordering::Relaxed);
            masked.restore();
        }
        for _ in 0..FIRE.swap(0, Ordering::Acquire) {
            SENT_BY_1.fetch_add(1, Ordering::Relaxed);
            let to_0 = TO_0.get().expect("there before the order to fire");
            to_0.notify().expect("an open port");
        }
    }
}

/// Keeps interrupts from vCPU 1, or no longer.
fn set_busy(busy: bool) {
    BUSY.store(busy, Ordering::Relaxed);
    let obeys = wait_until(PATIENCE, || IS_BUSY.load(Ordering::Relaxed) == busy);
    assert!(obeys, "vCPU 1 does not answer");
}

/// What comes before a vCPU is on is there when it is; and it can be started
/// again and again.
fn start_again(guest: &'static Guest<'static>) {
    static COUNTS: Counts = Counts::new();
    static LEAVE: AtomicBool = AtomicBool::new(false);
    fn stay(_: u32) {
        wait_until(PATIENCE, || LEAVE.load(Ordering::Relaxed));
    }
    let mut ipi = EventChannel::bind_ipi(guest, 1).expect("a port");
    ipi.bind(&|| COUNTS.count()).expect("an open port");
    for round in 1..=10 {
        LEAVE.store(false, Ordering::Relaxed);
        ipi.notify().expect("an open port");
        smp::start(1, stay).expect("it does not run");
        assert_eq!(smp::start(1, stay), Err(smp::StartError::Running));
        COUNTS.expect("started with an event pending", [0, round]);
        LEAVE.store(true, Ordering::Relaxed);
        assert!(wait_until(PATIENCE, || !smp::is_running(1)), "it stays");
    }
}

/// Each answers the other's IPI.
fn ping_pong(guest: &'static Guest<'static>, rounds: u32) {
    static COUNTS: Counts = Counts::new();
    static BACK: Once<EventChannel<'static>> = Once::new();
    let mut to_1 = EventChannel::bind_ipi(guest, 1).expect("a port");
    let mut to_0 = EventChannel::bind_ipi(guest, 0).expect("another port");
    to_0.bind(&|| COUNTS.count()).expect("an open port");
    BACK.call_once(|| to_0);
    let pong = || {
        COUNTS.count();
        let back = BACK.get().expect("set before");
        back.notify().expect("an open port");
    };
    let start = now();
    to_1.with_handler(&pong, |to_1| {
        for round in 1..=rounds {
            to_1.notify().expect("an open port");
            let back = || COUNTS.get()[0] == round;
            assert!(wait_until(PATIENCE, back), "round {round} is lost");
        }
    })
    .expect("an open port");
    let time = now() - start;
    COUNTS.expect("IPIs there and back", [rounds, rounds]);
    println!("one takes {:?}", time / (2 * rounds).max(1));
}

/// Both signal at once, as fast as they can. Events coalesce, but the last
/// one is never lost.
fn cross_fire(guest: &'static Guest<'static>, shots: u32) {
    static SENT_BY_0: AtomicU32 = AtomicU32::new(0);
    static SEEN: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
    static COUNTS: Counts = Counts::new();
    let mut to_1 = EventChannel::bind_ipi(guest, 1).expect("a port");
    to_1.bind(&|| {
        COUNTS.count();
        SEEN[1].store(SENT_BY_0.load(Ordering::Relaxed), Ordering::Relaxed);
    })
    .expect("an open port");
    let mut to_0 = EventChannel::bind_ipi(guest, 0).expect("another port");
    to_0.bind(&|| {
        COUNTS.count();
        SEEN[0].store(SENT_BY_1.load(Ordering::Relaxed), Ordering::Relaxed);
    })
    .expect("an open port");
    TO_0.call_once(|| to_0);
    // Release: vCPU 1 sees the port with it.
    FIRE.store(shots, Ordering::Release);
    for _ in 0..shots {
        SENT_BY_0.fetch_add(1, Ordering::Relaxed);
        to_1.notify().expect("an open port");
    }
    let all = || {
        SEEN.iter()
            .all(|seen| seen.load(Ordering::Relaxed) == shots)
    };
    assert!(
        wait_until(PATIENCE, all),
        "the last event is lost: {SEEN:?}"
    );
    let [on_0, on_1] = COUNTS.get();
    assert!((1..=shots).contains(&on_0) && (1..=shots).contains(&on_1));
    println!("cross fire, {shots} shots each way: all arrived");
}

/// A port, and the other one that signals it.
fn pair<'g>(guest: &'g Guest<'g>) -> [EventChannel<'g>; 2] {
    let receiver = EventChannel::alloc_unbound(guest, DomId::SELF).expect("a port");
    let sender = EventChannel::bind_interdomain(guest, DomId::SELF, receiver.port());
    [receiver, sender.expect("another port")]
}

/// A port's events go where the port goes.
fn moved_port(guest: &'static Guest<'static>) {
    static COUNTS: Counts = Counts::new();
    let [mut receiver, sender] = pair(guest);
    receiver.bind(&|| COUNTS.count()).expect("an open port");
    for round in 1..=3 {
        receiver.bind_vcpu(1).expect("vCPU 1 is up");
        sender.notify().expect("an open port");
        COUNTS.expect("moved to vCPU 1", [round - 1, round]);
        receiver.bind_vcpu(0).expect("so is vCPU 0");
        sender.notify().expect("an open port");
        COUNTS.expect("moved to vCPU 0", [round, round]);
    }
}

/// A pending event goes with the port.
fn moved_while_pending(guest: &'static Guest<'static>, fifo: bool) {
    static COUNTS: Counts = Counts::new();
    let [mut receiver, sender] = pair(guest);
    receiver.bind(&|| COUNTS.count()).expect("an open port");

    receiver.mask().expect("an open port");
    sender.notify().expect("an open port");
    receiver.bind_vcpu(1).expect("vCPU 1 is up");
    receiver.unmask().expect("an open port");
    COUNTS.expect("moved while masked", [0, 1]);

    set_busy(true);
    sender.notify().expect("an open port");
    receiver.bind_vcpu(0).expect("vCPU 0 is up");
    if fifo {
        // Only vCPU 1 can take it out of its queue.
        COUNTS.expect("moved while vCPU 1 is busy", [0, 1]);
        set_busy(false);
        COUNTS.expect("and follows", [1, 1]);
    } else {
        COUNTS.expect("moved while vCPU 1 is busy", [1, 1]);
        set_busy(false);
    }
    COUNTS.expect("not served twice", [1, 1]);
}

/// More events at once than one upcall serves.
fn more_than_the_budget(guest: &'static Guest<'static>) {
    static COUNTS: Counts = Counts::new();
    const PORTS: u32 = 100;
    let ports = [(); PORTS as usize].map(|()| {
        let mut port = EventChannel::bind_ipi(guest, 1).expect("a port");
        port.bind(&|| COUNTS.count()).expect("an open port");
        port
    });
    set_busy(true);
    for port in &ports {
        port.notify().expect("an open port");
    }
    set_busy(false);
    COUNTS.expect("many at once", [0, PORTS]);
}
