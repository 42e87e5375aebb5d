// SPDX-License-Identifier: MIT OR Apache-2.0
//! An access of a domU's that dom0 emulates: what all of it takes, from the
//! domU to the domU, and what of that is the library's.
//!
//! dom0 is `role=server`, the domU `role=driver`: it counts, and tells dom0 by
//! the very page that is emulated.

use core::cell::Cell;
use core::time::Duration;

use firmware::time::{sleep, ticks};
use firmware::{Options, Region, access, mmu, println};
use static_cell::{ConstStaticCell, StaticCell};
use xen_guest::ffi::abi;
use xen_guest::{
    DomId, EventChannel, Fault, GuestMemory, GuestMemoryConfig, GuestMemoryStorage, GuestStorage,
    Outcome, PAGE_SIZE, Reservation, Rights, region_metadata,
};

use crate::{count, report, tenths};

/// Pages that the driver uses: of registers, and to read.
const REGISTERS: usize = 0x3000_0000;
const READABLE: usize = REGISTERS + PAGE_SIZE;
/// A register to write counts to, in tenths of instructions: of loads from the
/// registers, and then from the other page.
const RESULT: usize = REGISTERS + 8;
/// Others, which make the table larger.
const OTHERS: usize = 0x3100_0000;

const RESERVATIONS: usize = 64;
/// Accesses that are counted together, of which the least is taken.
const ACCESSES: u64 = 200;
const TRIES: usize = 5;

static STORAGE: ConstStaticCell<GuestStorage<1, 16>> = ConstStaticCell::new(GuestStorage::new());
const REGION_PAGES: u32 = 16;
static REGION: StaticCell<[xen_guest::Region<'static>; 1]> = StaticCell::new();
static METADATA: ConstStaticCell<[u64; region_metadata(REGION_PAGES)]> =
    ConstStaticCell::new([0; region_metadata(REGION_PAGES)]);

pub fn serve() {
    let region = firmware::region(REGION_PAGES, METADATA.take()).expect("empty frames");
    let guest = firmware::init_with(
        STORAGE.take(),
        Options {
            regions: REGION.init([region]),
            ..Options::default()
        },
    );
    let stopped = EventChannel::bind_virq(guest, abi::VIRQ_DOM_EXC, 0).expect("a port");
    let results = [const { Cell::new(0) }; 2];
    let told = Cell::new(0);
    let registers = |fault: &mut Fault<'_>| match (fault.addr(), fault.written()) {
        (RESULT, Some(tenths)) => {
            if let Some(result) = results.get(told.get()) {
                result.set(tenths);
            }
            told.set(told.get() + 1);
            Outcome::Done(0)
        }
        (address, _) => Outcome::Done(address as u64),
    };
    let mut storage = GuestMemoryStorage::<{ RESERVATIONS + 1 }>::new();
    let config = GuestMemoryConfig::new(DomId::new(1)).requiring_traps();
    // SAFETY: the memory of another domain.
    let memory = unsafe { GuestMemory::new(guest, &mut storage, config) }.expect("domain 1");

    let reserve = |at| memory.reserve(at, PAGE_SIZE, &registers).expect("room");
    let first = reserve(OTHERS);
    let one = own(&memory, OTHERS);
    let mut others: [Option<Reservation<'_>>; RESERVATIONS - 2] = [const { None }; _];
    for (index, other) in (1..).zip(&mut others) {
        *other = Some(reserve(OTHERS + index * 2 * PAGE_SIZE));
    }
    let readable = memory
        .create_ram(READABLE, Rights::Read, &registers)
        .expect("a page");
    let many = own(&memory, OTHERS);
    let read = own(&memory, READABLE);
    // Now the driver begins.
    let page = reserve(REGISTERS);
    while told.get() < results.len() {
        memory.wait(None).expect("a vCPU waits");
        while memory.serve() > 0 {}
    }
    let [load, read_page] = results.each_ref().map(Cell::get);
    report(load, "an emulated load, from the domU and back");
    share(one, load, "of it the library's, with 1 reservation");
    share(many, load, "of it the library's, with 64 reservations");
    report(read_page, "a load from a page for reading, and back");
    share(read, read_page, "of it the library's");
    drop((first, others, readable, page));
    drop(memory);
    let stops = guest.wait(&[&stopped], Some(Duration::from_secs(5)));
    assert_eq!(stops, Ok(true), "the driver does not stop");
}

fn share(tenths: u64, of: u64, what: &str) {
    let per_mille = tenths * 1000 / of.max(1);
    println!(
        "count: {tenths} {what} ({}.{} %)",
        per_mille / 10,
        per_mille % 10
    );
}

/// Tenths of instructions that serving a load from `address` takes, without
/// Xen: the request is our own, and nobody is told of the answer.
fn own(memory: &GuestMemory<'_>, address: usize) -> u64 {
    // SAFETY: set up; vCPU 0 has a request and a port.
    let (request, port) = unsafe {
        let server = &(*memory.as_raw()).ioreq;
        (server.page.cast::<abi::ioreq>(), server.ports)
    };
    let ask = || {
        let mut asked = abi::ioreq {
            addr: address as u64,
            size: 4,
            count: 1,
            type_: abi::IOREQ_TYPE_COPY as u8,
            // SAFETY: as above.
            vp_eport: unsafe { (&raw const (*request).vp_eport).read_volatile() },
            ..Default::default()
        };
        asked.set_state(abi::STATE_IOREQ_READY as u8);
        asked.set_dir(abi::IOREQ_READ as u8);
        // SAFETY: the page is mapped, and the domain makes no access.
        unsafe { request.write_volatile(asked) };
    };
    // SAFETY: the server's port, which nobody needs in the meantime.
    let kept = unsafe { port.replace(0) };
    let both = count(|| {
        ask();
        assert_eq!(memory.serve(), 1);
    });
    let asking = count(ask);
    // SAFETY: as before; Xen finds its page as it left it.
    unsafe {
        port.write(kept);
        let mut none = request.read_volatile();
        none.set_state(abi::STATE_IOREQ_NONE as u8);
        request.write_volatile(none);
    }
    both - asking
}

pub fn drive() {
    let device = Region {
        start: REGISTERS,
        size: 2 * PAGE_SIZE,
    };
    // SAFETY: nothing of Rust's is there.
    unsafe { mmu::map_device(device) }.expect("a place for the device");
    // SAFETY: mapped just now.
    let load = |address| unsafe { access::read(address, 4) };
    // On x86 nothing reads as ones.
    while !load(REGISTERS).is_ok_and(|value| value as u32 != u32::MAX) {
        sleep(Duration::from_millis(1));
    }
    for address in [REGISTERS, READABLE] {
        let mut least = u64::MAX;
        for _ in 0..TRIES {
            let start = ticks();
            for _ in 0..ACCESSES {
                load(address).expect("it answers");
            }
            least = least.min(ticks() - start);
        }
        let tenths = tenths(least, ACCESSES);
        // SAFETY: mapped above.
        unsafe { access::write(RESULT, 8, tenths) }.expect("it answers");
    }
}
