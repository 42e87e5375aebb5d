// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's timeline, read back.
#![cfg(feature = "sim")]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use common::{Storage, guest};
use serde_json::Value;
use xen_guest::sim::{Delivery, DomainConfig, Hypervisor};
use xen_guest::{Access, EventChannel, Grant, GrantMapping, Upcall};

const ROOM: usize = 100_000;
const ROUNDS: u64 = 20;

/// A timeline, taken apart.
struct Timeline {
    dropped: u64,
    events: Vec<Value>,
}

impl Timeline {
    fn of(xen: &Hypervisor) -> Self {
        let mut json: Value = serde_json::from_str(&xen.trace()).expect("JSON");
        let Value::Array(events) = json["traceEvents"].take() else {
            panic!("no list of events");
        };
        Self {
            dropped: json["otherData"]["dropped"].as_u64().unwrap(),
            events,
        }
    }

    fn phase<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["ph"] == phase)
    }

    /// Of one category and domain.
    fn of_kind<'a>(
        &'a self,
        phase: &'a str,
        category: &'a str,
        domain: u16,
    ) -> impl Iterator<Item = &'a Value> {
        self.phase(phase)
            .filter(move |event| event["cat"] == category && event["pid"] == domain + 1)
    }
}

/// In nanoseconds, which are whole.
fn nanos(micros: &Value) -> u64 {
    (micros.as_f64().expect("a number") * 1000.0).round() as u64
}

fn start(event: &Value) -> u64 {
    nanos(&event["ts"])
}

fn end(span: &Value) -> u64 {
    start(span) + nanos(&span["dur"])
}

fn lane(event: &Value) -> (u64, u64) {
    let number = |key: &str| event[key].as_u64().expect(key);
    (number("pid"), number("tid"))
}

/// Time does not run backwards, and everything has its place.
fn check_order(timeline: &Timeline) {
    let mut last = 0;
    let mut named = Vec::new();
    for event in &timeline.events {
        if event["ph"] == "M" {
            assert!(event["args"]["name"].is_string());
            named.push(lane(event));
            continue;
        }
        assert!(start(event) >= last, "{event} comes too late");
        last = start(event);
        assert!(event["name"].as_str().is_some_and(|name| !name.is_empty()));
        assert!(named.contains(&lane(event)), "{event} is nowhere");
    }
}

/// In a lane spans lie inside or behind one another.
fn check_nesting(timeline: &Timeline) {
    let mut open: HashMap<(u64, u64), Vec<u64>> = HashMap::new();
    for span in timeline.phase("X") {
        let open = open.entry(lane(span)).or_default();
        open.retain(|end| *end > start(span));
        assert!(
            open.iter().all(|outer| end(span) <= *outer),
            "{span} does not end inside the span it is in"
        );
        open.push(end(span));
    }
}

/// Everything that begins ends, once, and not before.
fn check_pairs(timeline: &Timeline, begin: &str, finish: &str) -> usize {
    let by_id = |phase| {
        let mut found = BTreeMap::new();
        for event in timeline.phase(phase) {
            let id = event["id"].as_u64().expect("an id");
            assert!(found.insert(id, start(event)).is_none(), "{id} twice");
        }
        found
    };
    let (begun, finished) = (by_id(begin), by_id(finish));
    assert!(begun.keys().eq(finished.keys()), "{begin} and {finish}");
    for (id, start) in &begun {
        assert!(finished[id] >= *start, "{id} ends before it begins");
    }
    begun.len()
}

/// Arrows start inside a hypercall, and end where an upcall starts.
fn check_arrows(timeline: &Timeline) -> usize {
    let spans: Vec<&Value> = timeline.phase("X").collect();
    for arrow in timeline.phase("s") {
        assert!(spans.iter().any(|span| {
            span["cat"] == "hypercall"
                && lane(span) == lane(arrow)
                && (start(span)..=end(span)).contains(&start(arrow))
        }));
    }
    for arrow in timeline.phase("f") {
        assert!(spans.iter().any(|span| {
            span["cat"] == "upcall" && lane(span) == lane(arrow) && start(span) == start(arrow)
        }));
    }
    check_pairs(timeline, "s", "f")
}

/// Two domains exchange events over a page of one of them.
fn exchange(delivery: Delivery) {
    let xen = Hypervisor::new();
    xen.record_trace(ROOM);
    let config = DomainConfig::default().with_delivery(delivery);
    let (a, b) = (xen.create_domain(config.clone()), xen.create_domain(config));
    let mut storage: [Storage; 2] = Default::default();
    let [left, right] = &mut storage;
    let (one, two) = (guest(left, &a, &a), guest(right, &b, &b));
    let upcalls = [AtomicU64::new(0), AtomicU64::new(0)];
    let upcall = |index: usize, guest: &xen_guest::Guest<'_>| {
        upcalls[index].fetch_add(1, SeqCst);
        // SAFETY: the simulator runs it once at a time.
        unsafe { guest.upcall(64) == Upcall::More }
    };
    let port = a.with_upcall(&|| upcall(0, &one), || {
        b.with_upcall(&|| upcall(1, &two), || {
            let mut here = EventChannel::alloc_unbound(&one, b.domid()).unwrap();
            let mut there = EventChannel::bind_interdomain(&two, a.domid(), here.port()).unwrap();
            here.bind(&|| ()).unwrap();
            there.bind(&|| ()).unwrap();
            let page = a.alloc_page().unwrap();
            let grant = Grant::new(&one, b.domid(), page, Access::ReadWrite).unwrap();
            let pages = b.empty_pages(1).unwrap();

            let mapping =
                GrantMapping::new(&two, a.domid(), grant.gref(), Access::ReadWrite, pages).unwrap();
            for _ in 0..ROUNDS {
                here.notify().unwrap();
                there.notify().unwrap();
                xen.deliver_all();
            }
            b.return_empty_pages(mapping.unmap().unwrap());
            drop(grant.end().unwrap());
            here.port().raw()
        })
    });
    drop((one, two));
    xen.deliver_all();

    let timeline = Timeline::of(&xen);
    assert_eq!(timeline.dropped, 0);
    check_order(&timeline);
    check_nesting(&timeline);
    assert_eq!(check_pairs(&timeline, "b", "e"), 1);
    assert!(check_arrows(&timeline) >= ROUNDS as usize);
    for (index, domain) in [&a, &b].into_iter().enumerate() {
        let id = domain.domid().raw();
        let spans = |category| timeline.of_kind("X", category, id).count() as u64;
        assert_eq!(spans("hypercall"), xen.hypercalls(domain.domid()));
        assert_eq!(spans("upcall"), upcalls[index].load(SeqCst));
        assert!(
            timeline
                .of_kind("X", "hypercall", id)
                .all(|span| span["args"]["open"].is_null() && span["args"]["result"].is_i64())
        );
    }
    let sends = timeline
        .of_kind("X", "hypercall", a.domid().raw())
        .filter(|span| span["name"] == "event_channel_op send");
    assert_eq!(sends.count() as u64, ROUNDS);
    let received = timeline
        .of_kind("i", "event", a.domid().raw())
        .filter(|event| event["args"]["port"] == port);
    assert_eq!(received.count() as u64, ROUNDS);
    let mapped: Vec<&Value> = timeline.of_kind("b", "map", b.domid().raw()).collect();
    assert_eq!(mapped.len(), 1);
    assert_eq!(mapped[0]["name"], "grant of d1");
    assert!(mapped[0]["args"]["open"].is_null());
    let names = |value: &str| {
        let named = |event: &&Value| event["args"]["name"] == value;
        timeline.phase("M").filter(named).count()
    };
    assert_eq!((names("d1"), names("d2")), (1, 1));
    assert_eq!(names("vCPU 0"), 2);
    let interrupts = if delivery == Delivery::Asynchronous {
        2
    } else {
        0
    };
    assert_eq!(names("vCPU 0, interrupts"), interrupts);
}

#[test]
fn a_deterministic_exchange() {
    exchange(Delivery::Deterministic);
}

#[test]
fn an_asynchronous_exchange() {
    exchange(Delivery::Asynchronous);
}

#[test]
fn what_has_not_ended_is_marked() {
    let xen = Hypervisor::new();
    xen.record_trace(ROOM);
    let (a, b) = (
        xen.create_domain(DomainConfig::default()),
        xen.create_domain(DomainConfig::default()),
    );
    let mut storage: [Storage; 2] = Default::default();
    let [left, right] = &mut storage;
    let one = guest(left, &a, &a);
    // It does not outlive its domain's memory.
    let two = ManuallyDrop::new(guest(right, &b, &b));
    let page = a.alloc_page().unwrap();
    let grant = Grant::new(&one, b.domid(), page, Access::ReadOnly).unwrap();
    let pages = b.empty_pages(1).unwrap();

    let mapping =
        GrantMapping::new(&two, a.domid(), grant.gref(), Access::ReadOnly, pages).unwrap();

    let timeline = Timeline::of(&xen);
    check_order(&timeline);
    assert_eq!(check_pairs(&timeline, "b", "e"), 1);
    let mapped = timeline.of_kind("b", "map", 2).next().unwrap();
    assert_eq!(mapped["args"]["open"], true);

    // It ends with the domain.
    std::mem::forget(mapping);
    b.destroy();
    let timeline = Timeline::of(&xen);
    let mapped = timeline.of_kind("b", "map", 2).next().unwrap();
    assert!(mapped["args"]["open"].is_null());
    let notes = timeline.of_kind("i", "domain", 2);
    let notes: Vec<&Value> = notes.map(|note| &note["name"]).collect();
    assert_eq!(notes, ["created", "destroyed"]);
    drop(grant);
}

#[test]
fn there_is_room_for_so_much() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let call = || {
        // SAFETY: an operation without arguments.
        unsafe { domain.hypercall(xen_guest::ffi::abi::__HYPERVISOR_sched_op, [0; 5]) }
    };
    call();
    let before = Timeline::of(&xen);
    assert!(before.events.is_empty(), "nothing is recorded at first");
    xen.record_trace(3);
    for _ in 0..5 {
        call();
    }
    let timeline = Timeline::of(&xen);
    assert_eq!(timeline.phase("X").count(), 3);
    assert_eq!(timeline.dropped, 2);
    xen.record_trace(ROOM);
    call();
    let timeline = Timeline::of(&xen);
    assert_eq!((timeline.phase("X").count(), timeline.dropped), (1, 0));
    xen.record_trace(0);
    call();
    assert!(Timeline::of(&xen).events.is_empty());
}
