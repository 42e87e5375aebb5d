// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance scenarios on real Xen.
//!
//! The same image runs as dom0 and as two domUs. The command line says which
//! one it is: `role=control`, `role=a` or `role=b`. In the control domain
//! `break=fail|hang|panic|silent` makes the run go wrong. `events=fifo` asks
//! for the FIFO ABI, in each domain, `policy=silo` runs the scenarios for a Xen
//! that keeps domUs apart.

#![no_std]
#![no_main]

mod device;
mod lockstep;
mod mailbox;

use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;
use core::time::Duration;

use firmware::time::{now, sleep};
use firmware::{
    Machine, Options, RamBlocks, Region, access, hypercall, mmu, pages, println, windows,
};
use static_cell::{ConstStaticCell, StaticCell};
use xen_guest::{EmptyPages, GuestStorage, PAGE_SIZE, Page, Parking, Window, region_metadata};
use xen_guest_scenarios::{
    Counters, Domain, Memory, REGION_PAGES, Role, SCENARIOS, SILO_SCENARIOS, WINDOW_PAGES, World,
    run,
};

use lockstep::{Break, Link, Lockstep};
use mailbox::Mailbox;

/// 4096 ports and two frames of grants, as in the simulator's run.
static STORAGE: ConstStaticCell<GuestStorage<64, 16>> = ConstStaticCell::new(GuestStorage::new());

/// A region, and what it keeps books in.
static REGION: StaticCell<[xen_guest::Region<'static>; 1]> = StaticCell::new();
static PARKING: ConstStaticCell<[Parking; 2]> = ConstStaticCell::new([const { Parking::new() }; 2]);
static METADATA: ConstStaticCell<[u64; region_metadata(REGION_PAGES)]> =
    ConstStaticCell::new([0; region_metadata(REGION_PAGES)]);

/// RAM to give away.
static BALLOON: ConstStaticCell<RamBlocks<1>> = ConstStaticCell::new(RamBlocks::new());

static COUNTERS: Counters = [const { AtomicU32::new(0) }; 8];

/// This domain's pages.
struct Pages {
    window: EmptyPages,
    memory: &'static [Region],
    balloon: Window,
}

// SAFETY: the addresses mean the same everywhere.
unsafe impl Sync for Pages {}

impl Memory for Pages {
    fn alloc_page(&self) -> Option<NonNull<Page>> {
        pages::alloc(1)
    }

    unsafe fn free_page(&self, page: NonNull<Page>) {
        // SAFETY: as the caller promises.
        unsafe { pages::free(page, 1) };
    }

    fn empty_page(&self, index: usize) -> NonNull<u8> {
        assert!(index < WINDOW_PAGES);
        // SAFETY: inside the window.
        unsafe { self.window.va().add(index * PAGE_SIZE) }
    }

    fn access(&self, address: u64, size: u32, write: Option<u64>) -> Option<u64> {
        let at = address as usize;
        // What is there can be another's: for this moment only.
        let page = |address| address & !(PAGE_SIZE - 1);
        let region = Region {
            start: page(at),
            size: page(at + size as usize - 1) - page(at) + PAGE_SIZE,
        };
        let ram = self.memory.iter().any(|bank| bank.range().contains(&at));
        // SAFETY: the scenario says that nothing of Rust's is there; it is
        // RAM, or mapped just for this.
        unsafe {
            if !ram {
                mmu::map_window(region, true).expect("a place for an access");
            }
            let result = match write {
                Some(value) => access::write(at, size, value).map(|()| 0),
                None if size == 16 => access::read_pair(at),
                None => access::read(at, size),
            };
            if !ram {
                mmu::unmap_window(region).expect("mapped just now");
            }
            result.ok()
        }
    }

    fn is_nothing(&self, value: u64, size: u32) -> bool {
        let ones = u64::MAX >> (64 - 8 * size.min(8));
        cfg!(target_arch = "x86_64") && value == ones
    }

    unsafe fn hypercall(&self, op: u32, args: [usize; 5]) -> isize {
        // SAFETY: as the caller promises.
        unsafe { hypercall::raw(op as usize, args) }
    }

    fn device_frame(&self) -> u64 {
        device::FRAME
    }

    fn balloon(&self) -> Window {
        self.balloon
    }

    fn pause(&self) {
        sleep(Duration::from_micros(50));
    }

    fn settle(&self) {
        sleep(Duration::from_micros(200));
    }

    fn now(&self) -> u64 {
        now().as_nanos() as u64
    }
}

firmware::main!(main);

fn main(machine: &'static Machine) {
    let role = match machine.args.get("role") {
        Some("control") => Role::Control,
        Some("a") => Role::A,
        Some("b") => Role::B,
        other => panic!("role=control, a or b on the command line, not {other:?}"),
    };
    let broken = machine.args.get("break").map(|how| match how {
        "fail" => Break::Fail,
        "hang" => Break::Hang,
        "panic" => Break::Panic,
        "silent" => Break::Silent,
        _ => panic!("break=fail, hang, panic or silent, not {how}"),
    });

    // The last range, which is another than the window's where Xen has two.
    let ranges = windows().empty.len();
    assert_eq!(ranges, machine.extended.len().max(1), "all can be used");
    let region = firmware::region_in(ranges - 1, REGION_PAGES, METADATA.take());
    let options = Options {
        parking: PARKING.take(),
        regions: REGION.init([region.expect("empty frames")]),
        ..Options::from_args(machine.args)
    };
    let guest = firmware::init_with(STORAGE.take(), options);
    let window = windows().take_empty_pages(WINDOW_PAGES);
    let memory = Pages {
        window: window.expect("empty frames"),
        memory: &machine.memory,
        balloon: windows().set_ram(BALLOON.take()),
    };
    let link = match role {
        Role::Control => Link::Hub([Role::A, Role::B].map(|role| Mailbox::of(guest, role.raw()))),
        Role::A | Role::B => Link::Spoke(Mailbox::own()),
    };
    let mut world = Lockstep {
        domain: Domain::new(role, guest, &COUNTERS, &memory),
        link,
        broken,
        number: 0,
    };
    let scenarios = match machine.args.get("policy") {
        Some("silo") => SILO_SCENARIOS,
        None => SCENARIOS,
        other => panic!("policy=silo on the command line, or nothing, not {other:?}"),
    };
    if role == Role::Control {
        device::identify();
        println!("conformance: {} scenarios", scenarios.len());
    }
    let outcome = run(&mut world, scenarios);

    // Nobody may keep anything. The last step, so that dom0, whose end is the
    // machine's, is the last to finish.
    for holder in Role::ALL {
        let kept = i64::from(guest.abandoned()) + i64::from(!pages::all_free());
        let [kept, _] = world.share(holder, (holder == role).then_some([kept, 0]));
        assert_eq!(kept, 0, "{holder} could not give everything back");
    }
    if role == Role::Control {
        println!(
            "conformance: {} passed, {} failed, {} steps",
            outcome.passed, outcome.failed, world.number
        );
        assert_eq!(outcome.failed, 0, "scenarios failed");
    }
}
