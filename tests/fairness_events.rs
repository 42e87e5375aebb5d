// SPDX-License-Identifier: MIT OR Apache-2.0
//! In what order ports are served when some of them never stop: by the upcall,
//! called by hand, and Xen's side of the shared words.

#![cfg(feature = "sim")]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::c_void;

use common::{Random, Raw, data};
use xen_guest::{EventsAbi, Guest, GuestStorage, Page};
use xen_guest_workloads::fake_xen::FakeXen;

const ABIS: [EventsAbi; 2] = [EventsAbi::TwoLevel, EventsAbi::Fifo];
const HIGHEST: u32 = 0;
const LOWEST: u32 = 15;

/// Ports that storm: 2, 8 and 64, in one word and over several, the first and
/// the last ones among them.
fn storms() -> Vec<Vec<u32>> {
    let mut storms = vec![
        vec![70, 71],
        vec![64, 127],
        vec![63, 64],
        vec![1, 4095],
        (80..88).collect(),
        (0..8).map(|n| 65 + n * 9).collect(),
        (0..8).map(|n| 3 + n * 64).collect(),
        (0..8).map(|n| 4095 - n * 511).collect(),
        (64..128).collect(),
        (0..64).map(|word| word * 64 + 63 - word % 8).collect(),
        (0..64).map(|n| 40 + n * 5).collect(),
    ];
    let mut random = Random::new(3);
    for count in [2, 8, 64] {
        let mut ports = BTreeSet::new();
        while ports.len() < count {
            ports.insert(1 + random.below(4095) as u32);
        }
        storms.push(ports.into_iter().collect());
    }
    storms
}

/// What the handlers share.
struct Scene {
    xen: FakeXen,
    raw: Cell<Option<Raw>>,
    /// Ports in the order of their handlers' calls.
    log: RefCell<Vec<u32>>,
    /// How many more calls of storming ports' handlers raise them again.
    storming: Cell<usize>,
    /// Ports to raise during the calls of these numbers.
    later: RefCell<Vec<(usize, u32)>>,
}

struct Port<'t> {
    number: u32,
    storms: bool,
    scene: &'t Scene,
}

unsafe extern "C" fn serve(data: *mut c_void) {
    // SAFETY: bound with a `Port` that outlives the upcalls.
    let Port {
        number,
        storms,
        scene,
    } = unsafe { &*data.cast::<Port<'_>>() };
    scene.log.borrow_mut().push(*number);
    let call = scene.log.borrow().len();
    let due = |entry: &mut (usize, u32)| entry.0 == call;
    for (_, port) in scene.later.borrow_mut().extract_if(.., due) {
        assert!(scene.xen.raise(port));
    }
    if *storms && scene.storming.get() > 0 {
        scene.storming.set(scene.storming.get() - 1);
        assert!(scene.xen.raise(*number));
    }
}

impl Scene {
    /// Raise them all, and then each again whenever it was served, until
    /// there were `calls` calls.
    fn storm(&self, ports: &[u32], calls: usize) {
        self.storming.set(calls - ports.len());
        self.raise(ports);
    }

    fn raise(&self, ports: &[u32]) {
        for &port in ports {
            assert!(self.xen.raise(port), "{port} is pending already");
        }
    }

    fn upcall(&self, budget: usize) -> bool {
        let raw = self.raw.get().expect("set up");
        // SAFETY: one thread, and never from a handler.
        unsafe { raw.upcall(budget as u32) }
    }

    /// As long as there is something to do. What was served.
    fn upcalls(&self, budget: usize) -> Vec<u32> {
        while self.xen.line() {
            self.upcall(budget);
        }
        self.log.take()
    }

    fn set_priority(&self, port: u32, priority: u32) {
        let raw = self.raw.get().expect("set up");
        assert_eq!(raw.set_priority(port, priority), 0);
    }
}

/// With these ports open and bound, those in `storming` to a handler that
/// raises them again.
fn scene(abi: EventsAbi, storming: &[u32], quiet: &[u32], test: impl FnOnce(&Scene)) {
    let scene = Scene {
        xen: FakeXen::new(),
        raw: Cell::new(None),
        log: RefCell::default(),
        storming: Cell::new(0),
        later: RefCell::default(),
    };
    let mut pages = [const { Page::new() }; 5];
    let mut storage = Box::new(GuestStorage::<64, 0>::new());
    let mut config = scene.xen.config();
    if abi == EventsAbi::Fifo {
        config = config.with_fifo_events(&mut pages);
    }
    // SAFETY: the pages are this guest's own; hypercalls are answered for
    // them.
    let guest = unsafe { Guest::new(&mut storage, &scene.xen, config) }.unwrap();
    assert_eq!(guest.events_abi(), abi);
    let raw = Raw::of(&guest);
    scene.raw.set(Some(raw));
    let all = [(storming, true), (quiet, false)];
    let ports: Vec<Port<'_>> = all
        .iter()
        .flat_map(|&(ports, storms)| ports.iter().map(move |&number| (number, storms)))
        .map(|(number, storms)| Port {
            number,
            storms,
            scene: &scene,
        })
        .collect();
    for port in &ports {
        scene.xen.next_port(port.number);
        assert_eq!(raw.alloc_unbound(0), port.number as i32);
        // SAFETY: the ports outlive the upcalls.
        assert_eq!(unsafe { raw.bind(port.number, serve, data(port)) }, 0);
    }
    test(&scene);
    assert_eq!(scene.upcalls(usize::MAX), [], "something was left");
    assert_eq!(scene.later.borrow().len(), 0, "something never came");
    for port in &ports {
        assert_eq!(raw.close(port.number), 0);
    }
    guest.finish().unwrap();
}

/// All of them once, whatever the order.
fn assert_all_once(served: &[u32], ports: &[u32]) {
    let mut sorted = served.to_vec();
    sorted.sort_unstable();
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    assert_eq!(sorted, ports, "served: {served:?}");
}

#[test]
fn each_port_of_a_storm_is_served_once_in_a_pass() {
    const PASSES: usize = 10;
    for (abi, ports) in ABIS
        .into_iter()
        .flat_map(|abi| storms().into_iter().map(move |s| (abi, s)))
    {
        let count = ports.len();
        // All passes in one upcall, and one upcall for each.
        for passes in [PASSES, 1] {
            scene(abi, &ports, &[], |scene| {
                scene.storm(&ports, count * PASSES);
                for _ in 0..PASSES / passes {
                    scene.upcall(count * passes);
                    let served = scene.log.take();
                    assert_eq!(served.len(), count * passes, "{abi:?}, {ports:?}");
                    for pass in served.chunks(count) {
                        assert_all_once(pass, &ports);
                    }
                }
            });
        }
    }
}

/// An upcall that ends early goes on behind the last port that it served.
#[test]
fn rotation_goes_on_where_a_budget_ended() {
    for (abi, ports) in ABIS
        .into_iter()
        .flat_map(|abi| storms().into_iter().map(move |s| (abi, s)))
    {
        let count = ports.len();
        let budgets = [1, 2, 3, 5, 7, 13, 31, 63];
        for budget in budgets.into_iter().filter(|&budget| budget < count) {
            scene(abi, &ports, &[], |scene| {
                scene.storm(&ports, count * budget * 4);
                let mut served = Vec::new();
                for _ in 0..count * 4 {
                    scene.upcall(budget);
                    let some = scene.log.take();
                    assert_eq!(some.len(), budget, "{abi:?}, {ports:?}");
                    served.extend(some);
                }
                // The same round again and again.
                assert_all_once(&served[..count], &ports);
                for pass in served.chunks(count) {
                    assert_eq!(pass, &served[..count], "{abi:?}, {budget}, {ports:?}");
                }
            });
        }
    }
}

/// The last events behind an upcall that ended early, served by themselves, and
/// then upcalls for nothing: they end.
#[test]
fn nothing_is_left_to_go_on_with() {
    for abi in ABIS {
        for ports in storms() {
            for budget in [1, 2, 3, 63] {
                scene(abi, &ports, &[], |scene| {
                    scene.raise(&ports);
                    assert_all_once(&scene.upcalls(budget), &ports);
                    scene.upcall(budget);
                    scene.xen.raise(ports[0]);
                    scene.upcall(64);
                    scene.upcall(64);
                    assert_eq!(scene.log.take(), &ports[..1]);
                });
            }
        }
    }
}

/// Raised at any moment of a storm, a port is served in this pass or in the
/// next one. With queues, and between upcalls: before any other port's second
/// turn.
#[test]
fn a_quiet_port_waits_no_longer_than_a_pass() {
    let mut random = Random::new(7);
    for ports in storms() {
        let count = ports.len();
        for _ in 0..40 {
            let quiet = loop {
                let port = 1 + random.below(4095) as u32;
                if !ports.contains(&port) {
                    break port;
                }
            };
            let at = 1 + random.below(3 * count);
            let budget = 1 + random.below(2 * count);
            let abi = ABIS[random.below(2)];
            // During a handler, or between two upcalls.
            let during = random.one_in(2);
            scene(abi, &ports, &[quiet], |scene| {
                scene.storm(&ports, 8 * count);
                let mut raised = at;
                if during {
                    scene.later.borrow_mut().push((at, quiet));
                } else {
                    while scene.log.borrow().len() < at {
                        scene.upcall(budget);
                    }
                    raised = scene.log.borrow().len();
                    scene.raise(&[quiet]);
                }
                let served = scene.upcalls(budget);
                let turn = served.iter().position(|&port| port == quiet).unwrap();
                assert!(turn >= raised);
                let turns = if during && abi == EventsAbi::TwoLevel {
                    2
                } else {
                    1
                };
                for &port in &ports {
                    let before = served[raised..turn].iter().filter(|&&p| p == port);
                    assert!(
                        before.count() <= turns,
                        "{abi:?}, {budget}: {port} before {quiet}, raised at {raised}: {served:?}"
                    );
                }
                assert_eq!(served.len(), 8 * count + 1);
            });
        }
    }
}

fn shuffled(mut ports: Vec<u32>, random: &mut Random) -> Vec<u32> {
    for end in (1..ports.len()).rev() {
        ports.swap(end, random.below(end + 1));
    }
    ports
}

#[test]
fn queues_are_served_in_order_of_arrival() {
    let mut random = Random::new(11);
    for ports in storms() {
        scene(EventsAbi::Fifo, &[], &ports, |scene| {
            for budget in [1, 2, 3, 5, 7, usize::MAX] {
                let arrival = shuffled(ports.clone(), &mut random);
                let (some, others) = arrival.split_at(random.below(ports.len()));
                scene.raise(some);
                // What arrives in the middle goes to the end.
                scene.upcall(1 + some.len() / 2);
                scene.raise(others);
                assert_eq!(scene.upcalls(budget), arrival);
            }
        });
    }
}

#[test]
fn more_urgent_queues_come_first() {
    let mut random = Random::new(13);
    for ports in storms() {
        scene(EventsAbi::Fifo, &[], &ports, |scene| {
            for budget in [1, 2, 3, 5, 7, usize::MAX] {
                let mut arrival = shuffled(ports.clone(), &mut random);
                let priorities = arrival.iter().map(|&port| {
                    let priority = random.below(16) as u32;
                    scene.set_priority(port, priority);
                    (port, priority)
                });
                let priorities: std::collections::BTreeMap<_, _> = priorities.collect();
                scene.raise(&arrival);
                // Stable: arrival decides among equals.
                arrival.sort_by_key(|port| priorities[port]);
                assert_eq!(scene.upcalls(budget), arrival);
            }
        });
    }
}

/// Not even a storm in a less urgent queue keeps an event waiting.
#[test]
fn an_urgent_event_is_the_next_one_served() {
    let mut random = Random::new(17);
    for ports in storms().into_iter().filter(|ports| !ports.contains(&50)) {
        let count = ports.len();
        for budget in [1, 3, count, usize::MAX] {
            let at = 1 + random.below(3 * count);
            scene(EventsAbi::Fifo, &ports, &[50], |scene| {
                scene.set_priority(50, HIGHEST);
                scene.later.borrow_mut().push((at, 50));
                scene.storm(&ports, 4 * count);
                let served = scene.upcalls(budget);
                assert_eq!(served[at], 50, "{budget}: {served:?}");
            });
        }
    }
}

/// Strict order: what is less urgent waits for the storm to end, and is there
/// then. The storm itself is fair.
#[test]
fn an_urgent_storm_goes_first() {
    for ports in storms().into_iter().filter(|ports| !ports.contains(&50)) {
        let count = ports.len();
        for budget in [1, 3, count, usize::MAX] {
            scene(EventsAbi::Fifo, &ports, &[50], |scene| {
                scene.set_priority(50, LOWEST);
                scene.raise(&[50]);
                scene.storm(&ports, 4 * count);
                let served = scene.upcalls(budget);
                for pass in served[..4 * count].chunks(count) {
                    assert_eq!(pass, ports);
                }
                assert_eq!(served[4 * count..], [50]);
            });
        }
    }
}

/// A port that moves to another queue while it waits in one.
#[test]
fn a_new_priority_is_for_the_next_event() {
    scene(EventsAbi::Fifo, &[], &[70, 71, 72], |scene| {
        scene.raise(&[70, 71]);
        scene.set_priority(71, HIGHEST);
        scene.raise(&[72]);
        assert_eq!(scene.upcalls(usize::MAX), [70, 71, 72]);
        scene.raise(&[70, 71, 72]);
        assert_eq!(scene.upcalls(usize::MAX), [71, 70, 72]);
    });
}
