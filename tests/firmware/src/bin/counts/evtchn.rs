// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels: sending, the way of an event from one port to another, and
//! the upcall by itself.

use core::ffi::c_void;
use core::hint::black_box;
use core::ptr::addr_of_mut;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use firmware::hypercall::xen_version;
use firmware::sync::Masked;
use static_cell::ConstStaticCell;
use xen_guest::{Guest, GuestStorage, ffi};

use crate::{count, report};

static STORAGE: ConstStaticCell<GuestStorage<64, 0>> = ConstStaticCell::new(GuestStorage::new());

static EVENTS: AtomicU64 = AtomicU64::new(0);

const DOMID_SELF: u16 = 0x7ff0;
/// The ports of the word that is served by itself.
const WORD: usize = 1;

/// One more event, by plain arithmetic: one CPU, and no handler is interrupted
/// by another.
unsafe extern "C" fn see(_: *mut c_void) {
    EVENTS.store(EVENTS.load(Relaxed) + 1, Relaxed);
}

/// A port that nobody is connected to.
fn open(guest: &Guest<'_>) -> u32 {
    // SAFETY: the guest is set up.
    let port = unsafe { ffi::xg_evtchn_alloc_unbound(guest.as_raw(), DOMID_SELF, DOMID_SELF) };
    u32::try_from(port).expect("a port")
}

fn bind(guest: &Guest<'_>, port: u32) {
    // SAFETY: set up; the handler takes no data.
    let rc = unsafe { ffi::xg_evtchn_bind(guest.as_raw(), port, Some(see), core::ptr::null_mut()) };
    assert_eq!(rc, 0);
}

fn notify(guest: &Guest<'_>, port: u32) {
    // SAFETY: set up.
    let rc = unsafe { ffi::xg_evtchn_notify(guest.as_raw(), port) };
    assert_eq!(rc, 0);
}

/// What Xen and the upcall share, for raising events without Xen.
struct Shared {
    pending: &'static AtomicU64,
    selector: &'static AtomicU64,
    upcall_pending: &'static AtomicU8,
}

impl Shared {
    fn of(guest: &Guest<'static>) -> Self {
        // SAFETY: set up for good, in the 2-level ABI; the fields are touched
        // by atomics only.
        unsafe {
            let evtchn = addr_of_mut!((*guest.as_raw()).evtchn);
            let info = (*(*evtchn).vcpus).info.cast::<ffi::abi::vcpu_info>();
            Self {
                pending: AtomicU64::from_ptr((*evtchn).pending.add(WORD)),
                selector: AtomicU64::from_ptr(addr_of_mut!((*info).evtchn_pending_sel).cast()),
                upcall_pending: AtomicU8::from_ptr(
                    addr_of_mut!((*info).evtchn_upcall_pending).cast(),
                ),
            }
        }
    }

    fn raise(&self, events: u64) {
        self.pending.fetch_or(events, Relaxed);
        self.selector.fetch_or(1 << WORD, Relaxed);
        self.upcall_pending.store(1, Relaxed);
    }

    fn lower(&self, events: u64) {
        self.pending.fetch_and(!events, Relaxed);
        self.selector.fetch_and(!(1 << WORD), Relaxed);
        self.upcall_pending.store(0, Relaxed);
    }
}

/// The upcall by itself, with interrupts masked.
fn upcalls(guest: &Guest<'static>) {
    let shared = Shared::of(guest);
    let masked = Masked::mask();
    let handler = count(|| {
        let handler: unsafe extern "C" fn(*mut c_void) = black_box(see);
        // SAFETY: it takes no data.
        unsafe { handler(core::ptr::null_mut()) };
    });
    let idle = count(|| _ = black_box(0));
    let handler = handler - idle;
    // To be taken off: raising, and lowering by hand.
    for (events, what) in [
        (1 << 5, "upcall, one event"),
        (0b11 << 5, "upcall, two events of a word"),
        (!0, "upcall, 64 events of a word"),
    ] {
        let before = EVENTS.load(Relaxed);
        let served = count(|| {
            shared.raise(events);
            // SAFETY: interrupts are masked, so this is not nested.
            _ = unsafe { guest.upcall(u32::MAX) };
        });
        assert!(EVENTS.load(Relaxed) > before, "nothing was served");
        let raised = count(|| {
            shared.raise(black_box(events));
            shared.upcall_pending.store(0, Relaxed);
        });
        shared.lower(!0);
        report(served - raised, what);
        let count = u64::from(events.count_ones());
        report(
            (served - raised).saturating_sub(handler * count) / count,
            "... per event, without the handler",
        );
    }
    report(handler, "the handler with its call");
    masked.restore();
}

pub fn run() {
    let guest = firmware::init_in(STORAGE.take());
    report(
        count(|| _ = xen_version()),
        "xen_version, the shortest hypercall",
    );
    let alone = open(guest);
    report(count(|| notify(guest, alone)), "notify, to nobody");

    let receiver = open(guest);
    bind(guest, receiver);
    // SAFETY: set up; without a handler there is no data.
    let sender = unsafe {
        ffi::xg_evtchn_bind_interdomain(
            guest.as_raw(),
            DOMID_SELF,
            receiver,
            None,
            core::ptr::null_mut(),
        )
    };
    let sender = u32::try_from(sender).expect("a port");
    let before = EVENTS.load(Relaxed);
    let tenths = count(|| notify(guest, sender));
    assert!(EVENTS.load(Relaxed) - before >= 2_000, "events are lost");
    report(tenths, "notify, interrupt, upcall and handler, to itself");

    // Ports come lowest first: until the word is ours.
    while open(guest) + 1 < (WORD as u32 + 1) * 64 {}
    for port in 0..64 {
        bind(guest, WORD as u32 * 64 + port);
    }
    upcalls(guest);
}
