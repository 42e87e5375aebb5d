// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hand-over of accesses on a page that the test writes in Xen's place:
//! every state that there is, and those that there are not.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::*};
use std::thread;

use xen_guest::ffi::{self, abi};

const EINVAL: i32 = -22;
const VCPUS: usize = 128;
const ONES: u64 = u64::MAX;

const NONE: u8 = abi::STATE_IOREQ_NONE as u8;
const READY: u8 = abi::STATE_IOREQ_READY as u8;
const INPROCESS: u8 = abi::STATE_IOREQ_INPROCESS as u8;
const RESPONSE: u8 = abi::STATE_IORESP_READY as u8;
const COPY: u8 = abi::IOREQ_TYPE_COPY as u8;
const INVALIDATE: u8 = abi::IOREQ_TYPE_INVALIDATE as u8;
/// The byte of state and flags.
const FLAGS: usize = 30;
const POINTER: u8 = 1 << 4;
const READ: u8 = 1 << 5;

/// A page of accesses and the server that it is of, without event channels.
struct Page {
    slots: Box<UnsafeCell<[abi::ioreq; VCPUS]>>,
    ports: Box<[u32; VCPUS]>,
    server: UnsafeCell<ffi::xg_ioreq>,
}

// SAFETY: threads write what is theirs by the protocol under test.
unsafe impl Sync for Page {}

impl Page {
    fn new(vcpus: u32) -> Box<Self> {
        // SAFETY: integers and pointers.
        let mut page = Box::new(unsafe {
            Self {
                slots: Box::new(std::mem::zeroed()),
                ports: Box::new([0; VCPUS]),
                server: std::mem::zeroed(),
            }
        });
        let server = page.server.get_mut();
        server.page = page.slots.get().cast();
        server.ports = page.ports.as_mut_ptr();
        server.nr_vcpus = vcpus;
        page
    }

    fn slot(&self, vcpu: usize) -> *mut abi::ioreq {
        self.slots.get().cast::<abi::ioreq>().wrapping_add(vcpu)
    }

    fn flags(&self, vcpu: usize) -> &AtomicU8 {
        // SAFETY: a byte of the page, accessed by atomics only.
        unsafe { AtomicU8::from_ptr(self.slot(vcpu).cast::<u8>().add(FLAGS)) }
    }

    /// As Xen writes it: the state last.
    fn ask(&self, vcpu: usize, access: &Asked, state: u8) {
        let slot = self.slot(vcpu);
        // SAFETY: the slot is Xen's at the moment.
        unsafe {
            (&raw mut (*slot).addr).write_volatile(access.addr);
            (&raw mut (*slot).data).write_volatile(access.data);
            (&raw mut (*slot).size).write_volatile(access.size);
            (&raw mut (*slot).count).write_volatile(access.count);
            (&raw mut (*slot).type_).write_volatile(access.kind);
        }
        self.flags(vcpu).store(access.flags | state, Release);
    }

    fn data(&self, vcpu: usize) -> u64 {
        // SAFETY: the slot is Xen's at the moment.
        unsafe { (&raw const (*self.slot(vcpu)).data).read_volatile() }
    }

    fn next(&self, vcpu: u32) -> (i32, ffi::xg_ioreq_access) {
        let mut access = ffi::xg_ioreq_access::default();
        // SAFETY: a server, used by one thread at a time.
        let rc = unsafe { ffi::xg_ioreq_next(self.server.get(), vcpu, &mut access) };
        (rc, access)
    }

    fn answer(&self, vcpu: u32, data: u64) -> i32 {
        // SAFETY: as above.
        unsafe { ffi::xg_ioreq_answer(self.server.get(), vcpu, data) }
    }

    fn refused(&self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.server.get()).refused }
    }
}

#[derive(Clone, Copy)]
struct Asked {
    addr: u64,
    data: u64,
    size: u32,
    count: u32,
    kind: u8,
    flags: u8,
}

const PLAIN: Asked = Asked {
    addr: 0x1234,
    data: 0x8877_6655_4433_2211,
    size: 4,
    count: 1,
    kind: COPY,
    flags: 0,
};

#[test]
fn an_access_goes_through_its_states() {
    let page = Page::new(2);
    for (flags, write) in [(0, true), (READ, false)] {
        page.ask(1, &Asked { flags, ..PLAIN }, READY);
        let (rc, access) = page.next(1);
        assert_eq!(rc, 1);
        assert_eq!((access.addr, access.size, access.write), (0x1234, 4, write));
        // As many bytes as the access has, though Xen hands over registers.
        let data = if write { 0x4433_2211 } else { 0 };
        assert_eq!((access.data, access.kind), (data, ffi::XG_IOREQ_ACCESS));
        assert_eq!(page.flags(1).load(Relaxed), flags | INPROCESS);
        // It is a copy: nobody reads the page again.
        // SAFETY: nobody else looks.
        unsafe { (&raw mut (*page.slot(1)).addr).write_volatile(0) };
        assert_eq!(page.next(1).0, 0);
        assert_eq!(page.answer(1, 0xffff_ffff_0000_0099), 0);
        assert_eq!(page.flags(1).load(Relaxed), flags | RESPONSE);
        assert_eq!(page.data(1), 0x99);
        // Not Xen's turn to be asked, and not ours to answer.
        assert_eq!(page.next(1).0, 0);
        assert_eq!(page.answer(1, 1), EINVAL);
        assert_eq!(page.data(1), 0x99);
        page.flags(1).store(flags | NONE, Relaxed);
    }
    // The other slot was never touched.
    assert_eq!(page.flags(0).load(Relaxed), 0);
    assert_eq!(page.refused(), 0);
}

/// Events come without an access too; states that there are not are nobody's.
#[test]
fn other_states_are_left_alone() {
    let page = Page::new(1);
    for state in (0..16).filter(|state| *state != READY) {
        for flags in [0, READ, POINTER, 0xc0] {
            page.ask(0, &Asked { flags, ..PLAIN }, state);
            assert_eq!(page.next(0).0, 0);
            let answered = page.answer(0, 7);
            if state == INPROCESS {
                assert_eq!(answered, 0);
                continue;
            }
            assert_eq!(answered, EINVAL);
            assert_eq!(page.flags(0).load(Relaxed), flags | state);
            assert_eq!(page.data(0), PLAIN.data);
        }
    }
    assert_eq!(page.next(1).0, EINVAL);
    assert_eq!(page.answer(1, 0), EINVAL);
    let none = Page::new(0);
    assert_eq!(none.next(0).0, EINVAL);
}

/// What is no single load or store is answered, and its vCPU goes on.
#[test]
fn odd_accesses_are_refused() {
    let page = Page::new(1);
    let mut odd = Vec::new();
    for size in [0, 3, 5, 7, 9, 16, 4096, u32::MAX] {
        odd.push(Asked { size, ..PLAIN });
    }
    for count in [0, 2, u32::MAX] {
        odd.push(Asked { count, ..PLAIN });
    }
    for kind in (0..=255).filter(|kind| ![COPY, INVALIDATE].contains(kind)) {
        odd.push(Asked { kind, ..PLAIN });
    }
    odd.push(Asked {
        flags: POINTER,
        ..PLAIN
    });
    for (index, access) in odd.iter().enumerate() {
        page.ask(0, access, READY);
        assert_eq!(page.next(0).0, 0);
        assert_eq!(page.flags(0).load(Relaxed), access.flags | RESPONSE);
        let bits = access.size.saturating_mul(8);
        assert_eq!(page.data(0), ONES.unbounded_shr(64u32.saturating_sub(bits)));
        assert_eq!(page.refused() as usize, index + 1);
    }
}

/// Whatever else is in it: a vCPU waits until it is acknowledged.
#[test]
fn invalidations_are_handed_over() {
    let page = Page::new(1);
    let access = Asked {
        kind: INVALIDATE,
        size: 0,
        count: 0,
        addr: ONES,
        ..PLAIN
    };
    page.ask(0, &access, READY);
    let (rc, got) = page.next(0);
    assert_eq!((rc, got.kind), (1, ffi::XG_IOREQ_INVALIDATE));
    assert_eq!(page.answer(0, 0), 0);
    assert_eq!(page.flags(0).load(Relaxed), RESPONSE);
    assert_eq!(page.refused(), 0);
}

/// Xen on other threads: each answer is that of its access, and each access
/// whole.
#[test]
fn two_sides_at_once() {
    const ROUNDS: u64 = 100_000;
    let page = Page::new(2);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (page, stop) = (&*page, &stop);
        let server = scope.spawn(move || {
            while !stop.load(Relaxed) {
                for vcpu in 0..2 {
                    let (rc, access) = page.next(vcpu);
                    if rc != 1 {
                        thread::yield_now();
                        continue;
                    }
                    // A failure is not to keep the others waiting.
                    if access.data != access.addr * 3 || page.answer(vcpu, !access.addr) != 0 {
                        stop.store(true, Relaxed);
                        panic!("{access:?}");
                    }
                }
            }
        });
        let vcpus: Vec<_> = (0..2)
            .map(|vcpu| {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let addr = round << 1 | vcpu as u64;
                        let access = Asked {
                            addr,
                            data: addr * 3,
                            size: 8,
                            ..PLAIN
                        };
                        page.ask(vcpu, &access, READY);
                        while page.flags(vcpu).load(Acquire) != RESPONSE {
                            assert!(!stop.load(Relaxed), "nobody answers");
                            thread::yield_now();
                        }
                        assert_eq!(page.data(vcpu), !addr);
                        page.flags(vcpu).store(NONE, Relaxed);
                    }
                })
            })
            .collect();
        let results: Vec<_> = vcpus.into_iter().map(|vcpu| vcpu.join()).collect();
        stop.store(true, Relaxed);
        assert!(results.iter().all(Result::is_ok));
        server.join().unwrap();
    });
    assert_eq!(page.refused(), 0);
}
