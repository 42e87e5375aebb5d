// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance scenarios on the simulator, in both delivery modes and with
//! both event ABIs.
//!
//! `XEN_GUEST_LOG=<folder>` keeps the logs of the deterministic runs, to
//! compare with those from real Xen.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::ptr::NonNull;
use std::sync::Mutex;

use xen_guest::sim::{Access, Delivery, DomainConfig, Hypervisor, Policy, SimPage};
use xen_guest::{
    EmptyPages, EventsAbi, Gfn, Guest, GuestConfig, GuestStorage, PAGE_SIZE, Page, PageOwner,
    Parking, Platform, Region, Upcall, Window, ffi, region_metadata, sim,
};
use xen_guest_scenarios::{
    BALLOON_PAGES, Concurrent, Counters, Domain, Memory, Outcome, REGION_PAGES, Role, SCENARIOS,
    SILO_SCENARIOS, Scenario, WINDOW_PAGES, World,
};

/// A domain's pages, from the simulator.
struct SimMemory {
    domain: sim::Domain,
    pages: Mutex<HashMap<NonNull<Page>, SimPage>>,
    window: EmptyPages,
    device: u64,
    balloon: Window,
    delivery: Delivery,
}

// SAFETY: the addresses in it belong to the domain, wherever they are used.
unsafe impl Sync for SimMemory {}

impl Memory for SimMemory {
    fn alloc_page(&self) -> Option<NonNull<Page>> {
        let owner = self.domain.alloc_page()?;
        let page = owner.page();
        self.pages.lock().unwrap().insert(page, owner);
        Some(page)
    }

    unsafe fn free_page(&self, page: NonNull<Page>) {
        let owner = self.pages.lock().unwrap().remove(&page);
        assert!(owner.is_some(), "freed twice");
    }

    fn empty_page(&self, index: usize) -> NonNull<u8> {
        assert!(index < WINDOW_PAGES);
        // SAFETY: inside the window.
        unsafe { self.window.va().add(index * PAGE_SIZE) }
    }

    fn access(&self, address: u64, size: u32, write: Option<u64>) -> Option<u64> {
        match self.domain.access(address, size, write) {
            Access::Done(value) => Some(value),
            Access::Abort => None,
            Access::Dead => panic!("{:?} is dead", self.domain),
        }
    }

    unsafe fn hypercall(&self, op: u32, args: [usize; 5]) -> isize {
        // SAFETY: as the caller promises.
        unsafe { self.domain.hypercall(op, args) }
    }

    fn device_frame(&self) -> u64 {
        self.device
    }

    fn balloon(&self) -> Window {
        self.balloon
    }

    fn pause(&self) {
        match self.delivery {
            Delivery::Deterministic => _ = self.domain.hypervisor().deliver_all(),
            Delivery::Asynchronous => std::thread::yield_now(),
        }
    }

    fn settle(&self) {
        self.domain.hypervisor().deliver_all();
    }

    fn now(&self) -> u64 {
        self.domain.hypervisor().uptime().as_nanos() as u64
    }
}

struct SimWorld<'w> {
    domains: [Domain<'w>; 3],
    log: String,
}

impl<'w> World<'w> for SimWorld<'w> {
    fn local(&self, role: Role) -> Option<&Domain<'w>> {
        self.domains.iter().find(|domain| domain.role == role)
    }

    fn share(&mut self, _role: Role, result: Option<[i64; 2]>) -> [i64; 2] {
        result.expect("every domain is here")
    }

    fn at_once(&mut self, [first, second]: [Concurrent<'_, 'w>; 2]) -> [Option<i64>; 2] {
        let domain = |role| self.local(role).expect("every domain is here");
        let domains = [domain(first.role), domain(second.role)];
        std::thread::scope(|scope| {
            let other = scope.spawn(|| (second.op)(domains[1]));
            let one = (first.op)(domains[0]);
            let two = other.join().expect("a step does not panic");
            [Some(one), Some(two)]
        })
    }

    fn log(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.log, "{line}").unwrap();
    }
}

/// 4096 ports and two frames of grants, as the firmware on real Xen has.
type Storage = GuestStorage<64, 16>;

/// A page for queues, and a word for each of 4096 ports.
const FIFO_PAGES: usize = 5;

/// What a domain's guest lives in.
#[derive(Default)]
struct Place {
    storage: Storage,
    metadata: Vec<u64>,
    regions: Vec<Region<'static>>,
    parking: [Parking; 2],
}

fn guest<'s>(
    place: &'s mut Place,
    domain: &'s sim::Domain,
    abi: EventsAbi,
    grants: Grants,
) -> Guest<'s> {
    // Behind the pages that `SimMemory` took.
    let extended = domain.extended_region();
    let offset = WINDOW_PAGES;
    let window = Window {
        // SAFETY: the region is far larger.
        va: unsafe { extended.va.add(offset * PAGE_SIZE) },
        gfn: Gfn::new(extended.gfn.raw() + offset as u64),
        pages: REGION_PAGES,
    };
    place.metadata = vec![0; region_metadata(REGION_PAGES)];
    let metadata = NonNull::from(&mut place.metadata[..]);
    // SAFETY: frames of the domain that nobody else takes; the metadata is
    // this place's, and used through the region alone.
    let region = unsafe { Region::new(&window, &mut *metadata.as_ptr()) };
    place.regions = vec![region.expect("a region")];
    let Place {
        storage,
        regions,
        parking,
        ..
    } = place;
    let window = domain.grant_window();
    // SAFETY: inside the window.
    let last = unsafe { window.va.add((window.pages as usize - 1) * PAGE_SIZE) };
    let mut config = GuestConfig::new(Window {
        va: last,
        gfn: Gfn::new(window.gfn.raw() + u64::from(window.pages) - 1),
        pages: 1,
    })
    .with_grant_table(window)
    .with_parking(parking)
    .with_regions(regions);
    if grants == Grants::V2 {
        config = config.with_grants_v2();
    }
    if abi == EventsAbi::Fifo {
        let pages = NonNull::new(domain.page_alloc(FIFO_PAGES as u32).cast()).unwrap();
        // SAFETY: allocated for this guest alone.
        config = unsafe { config.with_fifo_pages(pages, FIFO_PAGES) };
    }
    // SAFETY: a domain of its own, whose windows nobody else uses.
    let guest = unsafe { Guest::new(storage, domain, config) }.expect("the guest can be set up");
    assert_eq!(guest.events_abi(), abi);
    guest
}

/// The version of the guests' grant tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grants {
    V1,
    V2,
}

/// RAM that the domain may give away.
fn balloon(domain: &sim::Domain) -> Window {
    let va = domain.page_alloc(BALLOON_PAGES);
    Window {
        va,
        gfn: domain.virt_to_gfn(va).expect("enough RAM"),
        pages: BALLOON_PAGES,
    }
}

/// Scenarios have handlers in statics: one run at a time.
static RUN: Mutex<()> = Mutex::new(());

/// Run these scenarios; the log, the outcome and what is left over.
fn run(
    xen: Hypervisor,
    scenarios: &[Scenario],
    delivery: Delivery,
    abi: EventsAbi,
    grants: Grants,
) -> (String, Outcome) {
    let _guard = RUN.lock().unwrap_or_else(|failed| failed.into_inner());
    let config = |config: DomainConfig| config.with_delivery(delivery).with_ram_pages(2048);
    let domains = [
        xen.create_domain(config(DomainConfig::dom0())),
        xen.create_domain(config(DomainConfig::default())),
        xen.create_domain(config(DomainConfig::default())),
    ];
    let mut places: [Box<Place>; 3] = Default::default();
    let mut left = places.iter_mut();
    let windows = domains
        .each_ref()
        .map(|domain| domain.empty_pages(WINDOW_PAGES as u32).unwrap());
    let guests = domains
        .each_ref()
        .map(|domain| guest(left.next().unwrap(), domain, abi, grants));
    let device = xen.create_device(1);
    // As a PL031 says what it is.
    for (offset, value) in [(0xfe0, 0x31), (0xfe4, 0x10)] {
        device.write(offset, value);
    }
    let mut windows = windows.into_iter();
    let memories = domains.each_ref().map(|domain| SimMemory {
        domain: domain.clone(),
        pages: Mutex::default(),
        window: windows.next().unwrap(),
        device: device.frame(),
        balloon: balloon(domain),
        delivery,
    });
    let counters: [Counters; 3] = Default::default();
    let upcalls = guests.each_ref().map(|guest| {
        move || {
            // Handlers may use Zephyr's names, on whichever thread they run.
            // SAFETY: only a pointer is read.
            let before = unsafe { ffi::xg_current() };
            // SAFETY: the guest outlives its upcalls.
            unsafe { guest.make_current() };
            // SAFETY: the simulator runs it once at a time.
            let left = unsafe { guest.upcall(64) };
            // SAFETY: what was current before still is there.
            unsafe { ffi::xg_set_current(before) };
            left == Upcall::More
        }
    });

    let (log, outcome) = domains[0].with_upcall(&upcalls[0], || {
        domains[1].with_upcall(&upcalls[1], || {
            domains[2].with_upcall(&upcalls[2], || {
                let roles = Role::ALL.map(|role| {
                    let i = role as usize;
                    assert_eq!(domains[i].domid(), role.domid());
                    Domain::new(role, &guests[i], &counters[i], &memories[i])
                });
                let mut world = SimWorld {
                    domains: roles,
                    log: String::new(),
                };
                let outcome = xen_guest_scenarios::run(&mut world, scenarios);
                (world.log, outcome)
            })
        })
    });

    if outcome.failed > 0 {
        println!("{log}");
        panic!("{delivery:?}, {abi:?}: {outcome:?}: see the log above");
    }
    for memory in memories {
        assert!(memory.pages.lock().unwrap().is_empty(), "a page was kept");
        memory.domain.return_empty_pages(memory.window);
        // SAFETY: nobody uses it.
        unsafe { memory.domain.page_free(memory.balloon.va, BALLOON_PAGES) };
    }
    for guest in guests {
        assert_eq!(guest.abandoned(), 0);
        guest.finish().expect("nothing is open");
    }
    if abi == EventsAbi::Fifo {
        for domain in &domains {
            let fifo = domain.ram().va;
            // SAFETY: the pages that `guest` allocated first; nothing uses
            // them any more.
            unsafe { domain.page_free(fifo, FIFO_PAGES as u32) };
        }
    }
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    // A scenario has an emulator err on purpose.
    let meant = |warning: &String| warning.contains("emulator 0 set a bad");
    assert!(xen.warnings().iter().all(meant), "{:?}", xen.warnings());
    (log, outcome)
}

fn conforms(xen: Hypervisor, delivery: Delivery, abi: EventsAbi) -> String {
    let (log, outcome) = run(xen, SCENARIOS, delivery, abi, Grants::V1);
    let scenarios = SCENARIOS.len();
    assert_eq!(outcome.passed as usize, scenarios);
    println!("simulator, {delivery:?}, {abi:?}: {scenarios} scenarios passed");
    log
}

fn keep(name: &str, log: &str) {
    if let Some(folder) = std::env::var_os("XEN_GUEST_LOG") {
        let path = std::path::Path::new(&folder).join(name);
        std::fs::write(path, log).expect("the log can be written");
    }
}

/// With and without emulated devices, as Xen is built.
fn conforms_deterministically(abi: EventsAbi, name: &str) {
    let built = Hypervisor::new();
    let log = conforms(built, Delivery::Deterministic, abi);
    keep(&format!("simulator-{name}-ioreq.log"), &log);
    let debian = Hypervisor::new().without_device_models();
    let log = conforms(debian, Delivery::Deterministic, abi);
    keep(&format!("simulator-{name}.log"), &log);
}

#[test]
fn deterministic() {
    conforms_deterministically(EventsAbi::TwoLevel, "2l");
}

#[test]
fn deterministic_fifo() {
    conforms_deterministically(EventsAbi::Fifo, "fifo");
}

#[test]
fn asynchronous() {
    let xen = Hypervisor::new();
    conforms(xen, Delivery::Asynchronous, EventsAbi::TwoLevel);
}

/// The library makes up for what older Xens leave to it.
#[test]
fn asynchronous_fifo() {
    let xen = Hypervisor::new().with_unmasked_accesses();
    conforms(xen, Delivery::Asynchronous, EventsAbi::Fifo);
}

/// Domains that are kept apart.
#[test]
fn silo() {
    for (abi, name) in [(EventsAbi::TwoLevel, "2l"), (EventsAbi::Fifo, "fifo")] {
        for (delivery, build) in [
            (Delivery::Deterministic, "-ioreq"),
            (Delivery::Deterministic, ""),
            (Delivery::Asynchronous, "-ioreq"),
        ] {
            let xen = Hypervisor::with_policy(Policy::Silo);
            let xen = match build {
                "" => xen.without_device_models(),
                _ => xen,
            };
            let (log, outcome) = run(xen, SILO_SCENARIOS, delivery, abi, Grants::V1);
            let scenarios = SILO_SCENARIOS.len();
            assert_eq!(outcome.passed as usize, scenarios);
            println!("simulator, {delivery:?}, {abi:?}, silo: {scenarios} scenarios passed");
            if delivery == Delivery::Deterministic {
                keep(&format!("simulator-{name}-silo{build}.log"), &log);
            }
        }
    }
}

/// With a Xen that has version 2 of the grant table, which is not chosen, and
/// which is.
#[test]
fn grant_table_versions() {
    for (abi, events) in [(EventsAbi::TwoLevel, "2l"), (EventsAbi::Fifo, "fifo")] {
        for grants in [Grants::V1, Grants::V2] {
            let xen = Hypervisor::new().with_grants_v2();
            let (log, outcome) = run(xen, SCENARIOS, Delivery::Deterministic, abi, grants);
            let scenarios = SCENARIOS.len();
            assert_eq!(outcome.passed as usize, scenarios);
            println!("simulator, {abi:?}, grants {grants:?}: {scenarios} scenarios passed");
            let name = format!("simulator-{events}-grants-{grants:?}.log").to_lowercase();
            keep(&name, &log);
        }
    }
}

/// When events are delivered makes no difference to any result.
#[test]
fn both_modes_agree() {
    for abi in [EventsAbi::TwoLevel, EventsAbi::Fifo] {
        let log = |delivery| run(Hypervisor::new(), SCENARIOS, delivery, abi, Grants::V1).0;
        let deterministic = log(Delivery::Deterministic);
        let asynchronous = log(Delivery::Asynchronous);
        assert_eq!(deterministic, asynchronous);
    }
}
