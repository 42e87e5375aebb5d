// SPDX-License-Identifier: MIT OR Apache-2.0
//! dom0 emulates a device for a domU: a unit that computes checksums, and a
//! page of text about it.
//!
//! | address | access | |
//! | --- | --- | --- |
//! | `UNIT` + 0x00 | read | `ID` |
//! | `UNIT` + 0x04 | write | `DATA`: 1, 2 or 4 bytes more, the low one first |
//! | `UNIT` + 0x08 | read, write | `SUM`: CRC-32 of the bytes; writing starts over |
//! | `UNIT` + 0x0c | read | `COUNT`: how many bytes |
//! | `UNIT` + 0x10 | write | `DONE`: the driver needs the unit no more |
//! | `LABEL` | read | text that ends with a zero |
//!
//! The domU has no memory at these addresses: its loads and stores trap, and
//! dom0 answers them. It takes a Xen with device models, as all are on x86:
//! `cargo xtask qemu run emulated_device --xen ioreq`, or `--xen x86_64`.
//!
//! The command line says which side this is: `role=server client=<domain>` or
//! `role=driver`. With `icount=<shift>`, the nanoseconds of an instruction as
//! a power of two, the driver counts what an access takes.

#![no_std]
#![no_main]

use core::cell::Cell;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use firmware::time::{now, sleep, ticks, ticks_per_second, wait_until};
use firmware::{Machine, Options, access, cpu, mmu, println, smp};
use static_cell::{ConstStaticCell, StaticCell};
use xen_guest::{
    Capability, DomId, EventChannel, Fault, Guest, GuestMemory, GuestMemoryConfig,
    GuestMemoryStorage, GuestStorage, Outcome, PAGE_SIZE, Region, Rights, ffi, region_metadata,
};

/// The unit's registers, where the domU has nothing.
const UNIT: usize = 0x3000_0000;
const ID: usize = 0x00;
const DATA: usize = 0x04;
const SUM: usize = 0x08;
const COUNT: usize = 0x0c;
const DONE: usize = 0x10;

/// What `ID` reads.
const IDENTITY: u32 = 0x4352_4321;

const LABEL: usize = UNIT + PAGE_SIZE;
const TEXT: &str = "checksum unit of dom0";

/// How long to wait for the other domain.
const PATIENCE: Duration = Duration::from_secs(10);

firmware::main!(main);

fn main(machine: &'static Machine) {
    match machine.args.get("role") {
        Some("server") => {
            let client = machine.args.parse("client").and_then(DomId::try_new);
            serve(client.expect("client=<domain> on the command line"));
        }
        Some("driver") => drive(machine.args.parse("icount")),
        other => panic!("role=server or role=driver on the command line, not {other:?}"),
    }
}

// ---- dom0 ----

/// The unit's state.
#[derive(Default)]
struct Unit {
    sum: Cell<u32>,
    count: Cell<u32>,
    accesses: Cell<u32>,
    done: Cell<bool>,
}

impl Unit {
    /// What becomes of an access of the driver's.
    fn access(&self, fault: &Fault<'_>) -> Outcome {
        self.accesses.set(self.accesses.get() + 1);
        match (fault.addr() - UNIT, fault.size(), fault.written()) {
            (ID, 4, None) => return Outcome::Done(IDENTITY.into()),
            (SUM, 4, None) => return Outcome::Done(self.sum.get().into()),
            (COUNT, 4, None) => return Outcome::Done(self.count.get().into()),
            (DATA, size @ (1 | 2 | 4), Some(data)) => {
                for byte in &data.to_le_bytes()[..size] {
                    self.sum.set(crc32(self.sum.get(), *byte));
                }
                self.count.set(self.count.get() + size as u32);
            }
            (SUM, 4, Some(_)) => {
                self.sum.set(0);
                self.count.set(0);
            }
            (DONE, 4, Some(_)) => self.done.set(true),
            // As real hardware: nothing happens, and reads see ones.
            _ => {
                println!("no such register: {fault:?}");
                return Outcome::Ignore;
            }
        }
        Outcome::Done(0)
    }
}

/// The checksum after one more byte.
fn crc32(sum: u32, byte: u8) -> u32 {
    let step = |sum: u32| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
    !(0..8).fold(!sum ^ u32::from(byte), |sum, _| step(sum))
}

static STORAGE: ConstStaticCell<GuestStorage<1, 16>> = ConstStaticCell::new(GuestStorage::new());

/// Frames in which dom0 sees what it shares with Xen.
const REGION_PAGES: u32 = 16;
static REGION: StaticCell<[Region<'static>; 1]> = StaticCell::new();
static METADATA: ConstStaticCell<[u64; region_metadata(REGION_PAGES)]> =
    ConstStaticCell::new([0; region_metadata(REGION_PAGES)]);

fn serve(client: DomId) {
    let region = firmware::region(REGION_PAGES, METADATA.take()).expect("empty frames");
    let guest = firmware::init_with(
        STORAGE.take(),
        Options {
            regions: REGION.init([region]),
            ..Options::default()
        },
    );
    // Raised when a domain stops.
    let stopped = EventChannel::bind_virq(guest, ffi::abi::VIRQ_DOM_EXC, 0).expect("a port");

    let unit = Unit::default();
    let registers = |fault: &mut Fault<'_>| unit.access(fault);
    let refused = Cell::new(0);
    let label = |fault: &mut Fault<'_>| {
        println!("refused: {fault:?}");
        refused.set(refused.get() + 1);
        Outcome::Ignore
    };
    emulate(guest, client, &unit, &registers, &label);
    println!(
        "the driver is done after {} accesses, {} of them refused",
        unit.accesses.get() + refused.get(),
        refused.get()
    );
    // The end of dom0 is that of the machine: the driver is first.
    let stops = guest.wait(&[&stopped], Some(PATIENCE));
    assert_eq!(stops, Ok(true), "the driver does not stop");
}

/// Emulates the unit until the driver needs it no more.
fn emulate<'m, R, L>(
    guest: &'m Guest<'m>,
    client: DomId,
    unit: &Unit,
    registers: &'m R,
    label: &'m L,
) where
    R: Fn(&mut Fault<'_>) -> Outcome,
    L: Fn(&mut Fault<'_>) -> Outcome,
{
    let mut storage = GuestMemoryStorage::<2, { cpu::MOST }>::new();
    let config = GuestMemoryConfig::new(client).requiring_traps();
    // SAFETY: The memory of another domain.
    let memory = unsafe { GuestMemory::new(guest, &mut storage, config) };
    let memory = memory.unwrap_or_else(|error| panic!("can't manage {client:?}: {error}"));
    if let Err(error) = memory.can(Capability::Trap) {
        panic!("this Xen has no device models ({error}): `--xen ioreq` has");
    }
    let text = memory.create_ram(LABEL, Rights::Read, label);
    let text = text.expect("a page of text");
    let page = text.memory().expect("a page that dom0 has, too");
    page.write_bytes(0, TEXT.as_bytes());
    let _unit = memory.reserve(UNIT, PAGE_SIZE, registers).expect("room");
    println!("emulating a checksum unit at {UNIT:#x} for {client:?}");
    while !unit.done.get() {
        // A limit would cost more than the access: see `GuestMemory::wait`.
        memory.wait(None).expect("a vCPU waits");
        while memory.serve() > 0 {}
    }
}

// ---- the domU ----

/// A register, or text, of the device.
fn read(address: usize, bytes: u32) -> Result<u32, access::Aborted> {
    // SAFETY: Mapped by `drive`; nothing but the device is there.
    unsafe { access::read(address, bytes) }.map(|value| value as u32)
}

fn register(offset: usize) -> u32 {
    read(UNIT + offset, 4).expect("the unit answers")
}

fn write(address: usize, bytes: u32, value: u32) {
    // SAFETY: As in `read`.
    unsafe { access::write(address, bytes, value.into()) }.expect("the unit answers");
}

fn drive(icount: Option<u32>) {
    let device = firmware::Region {
        start: UNIT,
        size: 2 * PAGE_SIZE,
    };
    // SAFETY: Nothing of Rust's is there.
    unsafe { mmu::map_device(device) }.expect("a place for the device");

    // Until dom0 is ready there is nothing: accesses are aborted on arm64, and
    // read ones on x86.
    let answers = |address, bytes| read(address, bytes).is_ok_and(|byte| byte & 0xff != 0xff);
    let deadline = now() + PATIENCE;
    while !answers(LABEL, 1) || !answers(UNIT + ID, 4) {
        assert!(now() < deadline, "nobody emulates the device");
        sleep(Duration::from_millis(1));
    }
    let mut label = heapless::String::<64>::new();
    while let Ok(byte @ 1..) = read(LABEL + label.len(), 1) {
        let _ = label.push(char::from(byte as u8));
    }
    println!("found \"{label}\", ID {:#x}", register(ID));
    assert_eq!((label.as_str(), register(ID)), (TEXT, IDENTITY));

    write(UNIT + SUM, 4, 0);
    // In pieces of every size.
    for piece in [&b"1234"[..], b"56", b"7", b"8", b"9"] {
        let value = piece.iter().rev().fold(0, |n, b| n << 8 | u32::from(*b));
        write(UNIT + DATA, piece.len() as u32, value);
    }
    let sum = register(SUM);
    println!("the sum of {} bytes is {sum:#x}", register(COUNT));
    // The check value of this CRC.
    assert_eq!(sum, 0xcbf4_3926);

    write(LABEL, 1, 0);
    assert_eq!(read(LABEL, 1), Ok(TEXT.as_bytes()[0].into()));
    println!("the text can't be written");
    let nothing = register(0x100);
    assert_eq!(nothing, u32::MAX);

    for vcpu in 1..smp::count() as u32 {
        smp::start(vcpu, hammer).expect("another vCPU");
    }
    let start = ticks();
    for _ in 0..ACCESSES {
        register(ID);
    }
    let cost = Cost {
        ticks: ticks() - start,
        accesses: ACCESSES,
        icount,
    };
    println!("an access and back: {cost}");
    let others = smp::count() as u32 - 1;
    let done = || FINISHED.load(Ordering::Acquire) == others;
    assert!(wait_until(PATIENCE, done), "a vCPU hangs");
    if others > 0 {
        println!("so many at once: {}", others + 1);
    }
    write(UNIT + DONE, 4, 1);
}

const ACCESSES: u32 = 1000;

/// vCPUs that made theirs, but the first.
static FINISHED: AtomicU32 = AtomicU32::new(0);

/// What each other vCPU does meanwhile.
fn hammer(_vcpu: u32) {
    for _ in 0..ACCESSES {
        assert_eq!(register(ID), IDENTITY);
    }
    FINISHED.fetch_add(1, Ordering::Release);
}

/// What some accesses took: instructions if the clock counts them.
struct Cost {
    ticks: u64,
    accesses: u32,
    icount: Option<u32>,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.ticks * 1_000_000_000 / ticks_per_second();
        let each = nanoseconds / u64::from(self.accesses);
        match self.icount {
            Some(shift) => write!(
                f,
                "{} instructions, those of Xen and of dom0 included",
                each >> shift
            ),
            None => write!(f, "{each} ns"),
        }
    }
}
