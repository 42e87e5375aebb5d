// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices of A that the control domain emulates, asked of Xen itself: what
//! Xen hands over, what it takes for an answer, and what it makes of an
//! emulator that breaks the rules.
//!
//! On a Xen without device models these scenarios end with that result.

use core::cell::Cell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::{self, abi};

use crate::cx::{Concurrent, Cx};
use crate::domain::Domain;
use crate::domain::Role::{self, A, B, Control};
use crate::domctls;
use crate::foreign;
use crate::memory::{NOBODY, Pages, SELF};
use crate::{Failure, Verdict};

const EPERM: i64 = -1;
const ENOENT: i64 = -2;
const ESRCH: i64 = -3;
const E2BIG: i64 = -7;
const ENOMEM: i64 = -12;
const EACCES: i64 = -13;
const EFAULT: i64 = -14;
const EEXIST: i64 = -17;
const EINVAL: i64 = -22;
const ENOSPC: i64 = -28;
const ENOSYS: i64 = -38;
const EOPNOTSUPP: i64 = -95;

/// Where A has nothing.
const DEVICE: u64 = 0x3000_0000;
/// How long an emulator looks before it gives up, in nanoseconds.
const PATIENCE: u64 = 4_000_000_000;

type Part = abi::xen_dm_op__bindgen_ty_1;
type Parts = abi::xen_dm_op;
/// What a step does.
type Op<'a> = &'a dyn Fn(&Domain<'_>) -> i64;

fn dm_op_of(d: &Domain<'_>, dom: u16, op: &mut Parts, size: usize) -> i64 {
    let mut buffer = abi::xen_dm_op_buf {
        size: size as u64,
        ..Default::default()
    };
    buffer.h.p = core::ptr::from_mut(op).cast();
    raw(d, dom.into(), 1, (&raw mut buffer).addr())
}

fn raw(d: &Domain<'_>, dom: usize, count: usize, buffers: usize) -> i64 {
    let args = [dom, count, buffers, 0, 0];
    // SAFETY: buffers of the caller's, or none that Xen looks at.
    unsafe { d.memory.hypercall(abi::__HYPERVISOR_dm_op, args) as i64 }
}

fn dm_op(d: &Domain<'_>, dom: u16, op: u32, u: Part) -> i64 {
    let mut op = Parts { op, pad: 0, u };
    dm_op_of(d, dom, &mut op, size_of::<Parts>())
}

fn nothing() -> Part {
    Parts::default().u
}

fn create(d: &Domain<'_>, dom: u16) -> i64 {
    let mut op = Parts {
        op: abi::XEN_DMOP_create_ioreq_server,
        ..Default::default()
    };
    match dm_op_of(d, dom, &mut op, size_of::<Parts>()) {
        // SAFETY: the operation's own part.
        0 => unsafe { op.u.create_ioreq_server.id.into() },
        error => error,
    }
}

fn destroy(d: &Domain<'_>, id: i64) -> i64 {
    let destroy_ioreq_server = abi::xen_dm_op_destroy_ioreq_server {
        id: id as u16,
        pad: 0,
    };
    let u = Part {
        destroy_ioreq_server,
    };
    dm_op(d, A.raw(), abi::XEN_DMOP_destroy_ioreq_server, u)
}

fn enable(d: &Domain<'_>, id: i64, enabled: u8) -> i64 {
    let set_ioreq_server_state = abi::xen_dm_op_set_ioreq_server_state {
        id: id as u16,
        enabled,
        pad: 0,
    };
    let u = Part {
        set_ioreq_server_state,
    };
    dm_op(d, A.raw(), abi::XEN_DMOP_set_ioreq_server_state, u)
}

/// Maps or unmaps a range.
fn range(d: &Domain<'_>, map: bool, id: i64, kind: u32, start: u64, end: u64) -> i64 {
    let map_io_range_to_ioreq_server = abi::xen_dm_op_ioreq_server_range {
        id: id as u16,
        pad: 0,
        type_: kind,
        start,
        end,
    };
    let op = if map {
        abi::XEN_DMOP_map_io_range_to_ioreq_server
    } else {
        abi::XEN_DMOP_unmap_io_range_from_ioreq_server
    };
    let u = Part {
        map_io_range_to_ioreq_server,
    };
    dm_op(d, A.raw(), op, u)
}

fn memory(d: &Domain<'_>, map: bool, id: i64, start: u64, end: u64) -> i64 {
    range(d, map, id, abi::XEN_DMOP_IO_RANGE_MEMORY, start, end)
}

const RESOURCE: u16 = abi::XENMEM_resource_ioreq_server as u16;

/// An emulator of A's, in the control domain: its page is at a page of the
/// window.
#[derive(Clone, Copy)]
struct Emulator {
    id: i64,
    page: usize,
    port: i64,
}

/// One request on its page, that of vCPU 0.
#[derive(Clone, Copy)]
struct Request(*mut u8);

impl Request {
    fn field<T>(self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset).cast()
    }

    fn u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: on the page, which is mapped as long as there is an
        // emulator; shared with Xen.
        unsafe { AtomicU32::from_ptr(self.field(offset)) }
    }

    fn data(&self) -> &AtomicU64 {
        // SAFETY: as above.
        unsafe { AtomicU64::from_ptr(self.field(offset_of!(abi::ioreq, data))) }
    }

    fn bits(&self) -> &AtomicU8 {
        // SAFETY: as above.
        unsafe { AtomicU8::from_ptr(self.field(30)) }
    }

    fn state(&self) -> u32 {
        // Acquire: what is asked is there before the state says so.
        u32::from(self.bits().load(Ordering::Acquire) & 0xf)
    }

    fn set_state(&self, state: u32) {
        let bits = self.bits().load(Ordering::Relaxed) & 0xf0;
        // Release: the answer is there before the state says so.
        self.bits().store(bits | state as u8, Ordering::Release);
    }

    fn kind(&self) -> u32 {
        self.u32(28).load(Ordering::Relaxed) >> 24
    }

    fn size(&self) -> u32 {
        self.u32(20).load(Ordering::Relaxed)
    }

    /// What of `data` an access of this size has: Xen 4.17 hands over
    /// whole registers, and puts whole answers into them.
    fn masked(&self, data: u64) -> u64 {
        data & (u64::MAX >> (64 - 8 * self.size()))
    }

    fn address(&self) -> u64 {
        let low = |offset| u64::from(self.u32(offset).load(Ordering::Relaxed));
        low(0) | low(4) << 32
    }

    /// Numbers that tell a request apart.
    fn summary(&self) -> [i64; 6] {
        let read = u32::from(self.bits().load(Ordering::Relaxed) >> 5 & 1);
        let data = match read {
            abi::IOREQ_WRITE => self.masked(self.data().load(Ordering::Relaxed)),
            _ => 0,
        };
        let count = self.u32(16).load(Ordering::Relaxed);
        [
            self.address() as i64,
            data as i64,
            read.into(),
            count.into(),
            self.size().into(),
            self.kind().into(),
        ]
    }
}

/// A number for a row of numbers.
#[derive(Clone, Copy, Default)]
struct Digest(i64);

impl Digest {
    fn add(&mut self, number: i64) {
        let next = (self.0 ^ number).wrapping_mul(0x0100_0000_01b3);
        self.0 = next ^ (next as u64 >> 29) as i64;
    }

    fn value(self) -> i64 {
        self.0 & 0x7fff_ffff
    }
}

impl Emulator {
    /// Everything until A's accesses come; `None` where there are no device
    /// models.
    fn new(cx: &mut Cx<'_, '_>, page: usize) -> Result<Option<Self>, Failure> {
        let call = format_args!("create an emulator of A");
        let id = cx.step(Control, call, |d| create(d, A.raw()));
        if id == ENOSYS {
            cx.note("this Xen has no device models");
            return Ok(None);
        }
        let rc = cx.step(Control, format_args!("map its page"), |d| {
            let mut left = 9;
            let at = foreign::window(d, page, 1);
            // SAFETY: the guest is set up; the window is empty.
            let rc = unsafe {
                let guest = d.raw();
                let id = id as u32;
                let prot = foreign::WRITE;
                ffi::xg_resource_map(guest, A.raw(), RESOURCE, id, 1, &at, prot, &mut left)
            };
            foreign::outcome(d, rc, left, 1)
        });
        cx.check(rc, 0)?;
        let rc = cx.step(Control, format_args!("enable it"), |d| enable(d, id, 1));
        cx.check(rc, 0)?;
        let mut emulator = Self { id, page, port: 0 };
        let port = cx.tell(Control, |d| {
            let request = emulator.request(d);
            request.u32(24).load(Ordering::Acquire).into()
        });
        emulator.port = cx.bind_interdomain(Control, A.raw(), port, None);
        Ok(Some(emulator))
    }

    fn request(&self, d: &Domain<'_>) -> Request {
        Request(d.memory.empty_page(self.page).as_ptr())
    }

    fn map(&self, cx: &mut Cx<'_, '_>, start: u64, end: u64) -> Verdict {
        let id = self.id;
        let call = format_args!("emulate {start:#x} to {end:#x}");
        let rc = cx.step(Control, call, |d| memory(d, true, id, start, end));
        cx.check(rc, 0)
    }

    fn signal(&self, d: &Domain<'_>) {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_evtchn_notify(d.raw(), self.port as u32) };
    }

    /// The next request, if it comes.
    fn wait(&self, d: &Domain<'_>) -> Option<Request> {
        self.reaches(d, abi::STATE_IOREQ_READY)
            .then(|| self.request(d))
    }

    /// Whether the request gets to this state.
    fn reaches(&self, d: &Domain<'_>, state: u32) -> bool {
        let request = self.request(d);
        let deadline = d.memory.now() + PATIENCE;
        while d.memory.now() < deadline {
            if request.state() == state {
                return true;
            }
            d.memory.pause();
        }
        false
    }

    /// Answers `count` requests, each with the number that `answer` has for
    /// it. A digest of the requests; -1 if they don't come.
    fn serve(&self, d: &Domain<'_>, count: u32, answer: &dyn Fn(&Request) -> u64) -> i64 {
        let mut digest = Digest::default();
        for _ in 0..count {
            let Some(request) = self.wait(d) else {
                return -1;
            };
            request.set_state(abi::STATE_IOREQ_INPROCESS);
            for number in request.summary() {
                digest.add(number);
            }
            let answer = request.masked(answer(&request));
            request.data().store(answer, Ordering::Relaxed);
            request.set_state(abi::STATE_IORESP_READY);
            self.signal(d);
        }
        digest.value()
    }

    fn finish(self, cx: &mut Cx<'_, '_>) -> Verdict {
        // Xen has taken the last answer: an emulator that goes before is the
        // end of the vCPU.
        let rc = cx.step(Control, format_args!("no request is left"), |d| {
            self.reaches(d, abi::STATE_IOREQ_NONE).into()
        });
        cx.check(rc, 1)?;
        cx.close(Control, self.port);
        let rc = cx.step(Control, format_args!("destroy it"), |d| destroy(d, self.id));
        cx.check(rc, 0)?;
        let rc = cx.step(Control, format_args!("unmap its page"), |d| {
            foreign::unmap(d, &foreign::window(d, self.page, 1))
        });
        cx.check(rc, 0)
    }
}

/// A scenario with an emulator, which goes however it ends: a vCPU that asked
/// it later would hang.
fn with_emulator<'w>(
    cx: &mut Cx<'_, 'w>,
    page: usize,
    scenario: impl FnOnce(&mut Cx<'_, 'w>, &Emulator) -> Verdict,
) -> Verdict {
    let Some(emulator) = Emulator::new(cx, page)? else {
        return Ok(());
    };
    let verdict = scenario(cx, &emulator);
    verdict.and(emulator.finish(cx))
}

/// Accesses by A while the control domain serves them: both digests.
fn together<'w>(
    cx: &mut Cx<'_, 'w>,
    what: &str,
    accesses: &mut (dyn FnMut(&Domain<'w>) -> i64 + Send),
    service: &mut (dyn FnMut(&Domain<'w>) -> i64 + Send),
) -> [i64; 2] {
    let steps = [
        Concurrent {
            role: A,
            op: accesses,
        },
        Concurrent {
            role: Control,
            op: service,
        },
    ];
    cx.at_once(format_args!("{what}"), steps)
}

/// Instead of what is read.
const ABORTED: i64 = -0xab;

/// What an access reads, if it is not aborted, or of nothing.
fn access(d: &Domain<'_>, address: u64, size: u32, write: Option<u64>) -> i64 {
    let result = match write {
        None => domctls::there(d, address, size),
        Some(_) => d.memory.access(address, size, write),
    };
    result.map_or(ABORTED, |value| value as i64)
}

pub(crate) fn emulators_are_refused(cx: &mut Cx<'_, '_>) -> Verdict {
    let x86 = cx.x86("writes to nothing are lost, and it has more operations");
    // Nothing is there to begin with.
    for size in [1, 2, 4, 8] {
        for write in [None, Some(1)] {
            let call = format_args!("{size} bytes of nothing, {write:?}");
            let aborted = cx.step(A, call, |d| access(d, DEVICE, size, write));
            let lost = x86 && write.is_some();
            cx.check(aborted, if lost { 0 } else { ABORTED })?;
        }
    }
    let none = cx.step(Control, format_args!("create an emulator of nobody"), |d| {
        create(d, NOBODY)
    });
    if none == ENOSYS {
        cx.note("this Xen has no device models");
        let size = cx.step(Control, format_args!("operations of A"), |d| {
            dm_op(d, A.raw(), abi::XEN_DMOP_nr_vcpus, nothing())
        });
        return cx.check(size, ENOSYS);
    }
    cx.check(none, ESRCH)?;
    let whole = size_of::<Parts>();
    let of = |op, pad, size| {
        move |d: &Domain<'_>| {
            let mut op = Parts {
                op,
                pad,
                ..Default::default()
            };
            dm_op_of(d, A.raw(), &mut op, size)
        }
    };
    let end = abi::XEN_DMOP_destroy_ioreq_server;
    let steps: [(&str, i64, Op<'_>); 9] = [
        ("three buffers", E2BIG, &|d| raw(d, 9, 3, 0)),
        ("a buffer at 0", EFAULT, &|d| raw(d, 9, 1, 0)),
        ("of itself", EPERM, &|d| create(d, Control.raw())),
        ("of SELF", ESRCH, &|d| create(d, SELF)),
        ("7 bytes", EFAULT, &of(end, 0, 7)),
        ("half an operation", EFAULT, &of(end, 0, 11)),
        ("an unknown operation", EOPNOTSUPP, &of(99, 1, 8)),
        ("padding", EINVAL, &of(end, 1, whole)),
        ("destroy nothing", ENOENT, &|d| destroy(d, 0)),
    ];
    // What Xen has on x86 only.
    let of_x86: [(&str, i64, Op<'_>); 2] = [
        (
            "an operation of x86",
            EOPNOTSUPP,
            &of(abi::XEN_DMOP_set_mem_type, 0, whole),
        ),
        ("buffered writes", EINVAL, &|d| {
            let create_ioreq_server = abi::xen_dm_op_create_ioreq_server {
                handle_bufioreq: 1,
                ..Default::default()
            };
            let u = Part {
                create_ioreq_server,
            };
            dm_op(d, A.raw(), abi::XEN_DMOP_create_ioreq_server, u)
        }),
    ];
    let of_x86 = match x86 {
        true => &[],
        false => &of_x86[..],
    };
    for &(what, want, op) in of_x86.iter().chain(&steps) {
        let rc = cx.step(Control, format_args!("dm_op: {what}"), op);
        cx.check(rc, want)?;
    }
    let call = format_args!("create an emulator of B");
    let rc = cx.step(A, call, |d| create(d, B.raw()));
    cx.check(rc, EPERM)
}

/// A's interrupts, of which one is the console's that Xen emulates.
pub(crate) fn interrupts_of_emulators(cx: &mut Cx<'_, '_>) -> Verdict {
    if cx.x86("no such interrupts") {
        return Ok(());
    }
    let set = |d: &Domain<'_>, irq, level, pad| {
        let set_irq_level = abi::xen_dm_op_set_irq_level { irq, level, pad };
        let u = Part { set_irq_level };
        dm_op(d, A.raw(), abi::XEN_DMOP_set_irq_level, u)
    };
    let vcpus = cx.step(Control, format_args!("A's vCPUs"), |d| {
        let mut op = Parts {
            op: abi::XEN_DMOP_nr_vcpus,
            ..Default::default()
        };
        match dm_op_of(d, A.raw(), &mut op, size_of::<Parts>()) {
            // SAFETY: the operation's own part.
            0 => unsafe { op.u.nr_vcpus.vcpus.into() },
            error => error,
        }
    });
    if vcpus == ENOSYS {
        cx.note("this Xen has no device models");
        return Ok(());
    }
    cx.check(vcpus, 1)?;
    for (irq, level, pad, want) in [
        (31, 1, [0; 3], EINVAL),
        (32, 1, [0; 3], EINVAL),
        (63, 2, [0; 3], EINVAL),
        (63, 1, [0; 3], 0),
        // Xen looks at the padding, and goes on.
        (63, 1, [0, 0, 1], 0),
        (63, 0, [0; 3], 0),
        (1020, 0, [0; 3], EINVAL),
    ] {
        let call = format_args!("interrupt {irq} at level {level}");
        let rc = cx.step(Control, call, |d| set(d, irq, level, pad));
        cx.check(rc, want)?;
    }
    // As many as the machine has.
    let last = cx.step(Control, format_args!("the last"), |d| {
        let found = (0..1020).rev().find(|&irq| set(d, irq, 0, [0; 3]) == 0);
        found.map_or(-1, i64::from)
    });
    cx.check(last, 255)
}

/// Eight emulators, and what each may have.
pub(crate) fn limits_of_emulators(cx: &mut Cx<'_, '_>) -> Verdict {
    for want in 0..8 {
        let call = format_args!("create an emulator of A");
        let id = cx.step(Control, call, |d| create(d, A.raw()));
        if id == ENOSYS {
            cx.note("this Xen has no device models");
            return Ok(());
        }
        cx.check(id, want)?;
    }
    let last = DEVICE + 256 * 0x2000;
    let memory_kind = abi::XEN_DMOP_IO_RANGE_MEMORY;
    let acquire = |d: &Domain<'_>, id, frame| {
        let gfns = [crate::memory::window_gfn(d, 0)];
        foreign::acquire(d, A.raw(), RESOURCE, id, frame, &gfns) / 1000
    };
    let steps: [(&str, i64, Op<'_>); 23] = [
        ("a ninth", ENOSPC, &|d| create(d, A.raw())),
        ("destroy 3", 0, &|d| destroy(d, 3)),
        ("destroy 3 again", ENOENT, &|d| destroy(d, 3)),
        ("create another", 3, &|d| create(d, A.raw())),
        ("enable a ninth", ENOENT, &|d| enable(d, 8, 1)),
        ("frames of it", 2, &|d| {
            foreign::size(d, A.raw(), RESOURCE, 3)
        }),
        ("its buffered writes", ENOENT, &|d| acquire(d, 3, 0)),
        ("a third frame", EINVAL, &|d| acquire(d, 3, 2)),
        ("a page of a ninth", ENOENT, &|d| acquire(d, 8, 1)),
        ("a page of no number", EINVAL, &|d| acquire(d, 1 << 16, 1)),
        ("an empty range", EINVAL, &|d| memory(d, true, 0, 5, 4)),
        ("a range of no kind", EINVAL, &|d| {
            range(d, true, 0, 3, 4, 4)
        }),
        ("a range of a ninth", ENOENT, &|d| memory(d, true, 8, 4, 4)),
        ("256 ranges", 256, &|d| {
            let map = |index: &u64| {
                let start = DEVICE + index * 0x2000;
                memory(d, true, 0, start, start + 0xfff) == 0
            };
            (0..256).filter(map).count() as i64
        }),
        ("another", ENOMEM, &|d| memory(d, true, 0, last, last)),
        ("a hole", ENOMEM, &|d| {
            memory(d, false, 0, DEVICE + 1, DEVICE + 1)
        }),
        ("one twice", EEXIST, &|d| memory(d, true, 0, DEVICE, DEVICE)),
        ("fill a gap", 0, &|d| {
            memory(d, true, 0, DEVICE + 0x1000, DEVICE + 0x1fff)
        }),
        ("then another", 0, &|d| memory(d, true, 0, last, last)),
        ("remove too much", ENOENT, &|d| {
            memory(d, false, 0, DEVICE, DEVICE + 0x3000)
        }),
        ("remove from three", 0, &|d| {
            memory(d, false, 0, DEVICE, DEVICE + 0x2fff)
        }),
        ("a range of ports", 0, &|d| {
            range(d, true, 0, abi::XEN_DMOP_IO_RANGE_PORT, 0, u64::MAX)
        }),
        ("which is no memory", ENOENT, &|d| {
            range(d, false, 0, memory_kind, 0, 0)
        }),
    ];
    for (what, want, op) in steps {
        let rc = cx.step(Control, format_args!("{what}"), op);
        cx.check(rc, want)?;
    }
    // A's end of each is Xen's.
    for (what, cmd) in [
        ("close", abi::EVTCHNOP_close),
        ("send on", abi::EVTCHNOP_send),
    ] {
        let call = format_args!("{what} Xen's port");
        let refused = cx.step(A, call, |d| {
            let mut port = abi::evtchn_close { port: 1 };
            let args = [cmd as usize, (&raw mut port).addr(), 0, 0, 0];
            // SAFETY: both operations take a port; Xen refuses.
            unsafe { d.memory.hypercall(abi::__HYPERVISOR_event_channel_op, args) as i64 }
        });
        cx.check(refused, EINVAL)?;
    }
    for id in 0..8 {
        let rc = cx.step(Control, format_args!("destroy {id}"), |d| destroy(d, id));
        cx.check(rc, 0)?;
    }
    Ok(())
}

/// Accesses of all sizes, inside of ranges and beyond.
pub(crate) fn emulated_accesses(cx: &mut Cx<'_, '_>) -> Verdict {
    with_emulator(cx, 0, emulated_accesses_of)
}

fn emulated_accesses_of(cx: &mut Cx<'_, '_>, emulator: &Emulator) -> Verdict {
    emulator.map(cx, DEVICE, DEVICE + 0xff)?;
    let reads = |d: &Domain<'_>| {
        let mut digest = Digest::default();
        for (offset, size) in [(0, 1), (2, 2), (4, 4), (8, 8), (0xf8, 8), (0xff, 1), (3, 4)] {
            digest.add(access(d, DEVICE + offset, size, None));
        }
        digest.value()
    };
    let writes = |d: &Domain<'_>| {
        let mut digest = Digest::default();
        for (offset, size) in [(0, 1), (2, 2), (4, 4), (8, 8), (0xf8, 8)] {
            let value = 0x1122_3344_5566_7788;
            digest.add(access(d, DEVICE + offset, size, Some(value)));
        }
        digest.value()
    };
    let answer = |request: &Request| 0xf0f1_f2f3_f4f5_f6f7 ^ request.address();
    let read = together(cx, "read", &mut { reads }, &mut |d| {
        emulator.serve(d, 7, &answer)
    });
    let written = together(cx, "write", &mut { writes }, &mut |d| {
        emulator.serve(d, 5, &answer)
    });
    // What A wrote had no result but 0.
    cx.check(written[0], 0)?;
    for digest in [read[0], read[1], written[1]] {
        cx.check(i64::from(digest > 0), 1)?;
    }
    // All of an access must be in one range.
    let beyond = |d: &Domain<'_>| access(d, DEVICE + 0xfc, 8, None);
    let aborted = cx.step(A, format_args!("read beyond the end"), beyond);
    cx.check(aborted, ABORTED)?;
    emulator.map(cx, DEVICE + 0x100, DEVICE + 0x1ff)?;
    let whole = together(cx, "read where ranges meet", &mut { beyond }, &mut |d| {
        emulator.serve(d, 1, &|_| 77)
    });
    cx.check(whole[0], 77)?;
    let id = emulator.id;
    let rc = cx.step(Control, format_args!("take the second away"), |d| {
        memory(d, false, id, DEVICE + 0x100, DEVICE + 0x1ff)
    });
    cx.check(rc, 0)?;
    let aborted = cx.step(A, format_args!("read beyond the end"), beyond);
    cx.check(aborted, ABORTED)?;

    // Memory is memory, whatever an emulator says.
    let pages = Pages::<1>::alloc(cx, A)?;
    let ram = pages.gfn * PAGE_SIZE as u64;
    let call = format_args!("emulate A's memory");
    let rc = cx.step(Control, call, |d| memory(d, true, id, ram, ram + 0xfff));
    cx.check(rc, 0)?;
    cx.poke(A, &pages.kept[0], 1, 0x1111);
    cx.poke(A, &pages.kept[0], 3, 0x1234_5678);
    let value = cx.step(A, format_args!("read memory"), |d| {
        access(d, ram + 12, 2, None)
    });
    cx.check(value, 0x5678)?;

    // No emulator is asked for two registers at once: on x86 for one after the
    // other.
    let pair = |d: &Domain<'_>, at| access(d, at, 16, None);
    if cx.x86("emulators are asked for each half of 16 bytes") {
        let low = together(cx, "read a pair", &mut |d| pair(d, DEVICE), &mut |d| {
            emulator.serve(d, 2, &|request| 6 + request.address() - DEVICE)
        });
        cx.check(low[0], 6)?;
    } else {
        let aborted = cx.step(A, format_args!("read a pair"), |d| pair(d, DEVICE));
        cx.check(aborted, ABORTED)?;
    }
    let value = cx.step(A, format_args!("of memory"), |d| pair(d, ram) >> 32);
    cx.check(value, 0x1111)?;

    // Off: nothing comes. On again: as before.
    let off = cx.step(Control, format_args!("disable it"), |d| enable(d, id, 0));
    cx.check(off, 0)?;
    let aborted = cx.step(A, format_args!("read"), |d| access(d, DEVICE, 4, None));
    cx.check(aborted, ABORTED)?;
    let on = cx.step(Control, format_args!("enable it"), |d| enable(d, id, 1));
    cx.check(on, 0)?;
    let value = together(cx, "read", &mut |d| access(d, DEVICE, 4, None), &mut |d| {
        emulator.serve(d, 1, &|_| 5)
    });
    cx.check(value[0], 5)?;
    pages.free(cx, A);
    Ok(())
}

/// The emulator that came last is asked first.
pub(crate) fn emulators_in_turn(cx: &mut Cx<'_, '_>) -> Verdict {
    with_emulator(cx, 0, |cx, first| {
        first.map(cx, DEVICE, DEVICE + 0xfff)?;
        with_emulator(cx, 1, |cx, second| {
            second.map(cx, DEVICE + 4, DEVICE + 7)?;
            for (offset, emulator, want) in [(0, first, 1), (4, second, 2), (8, first, 1)] {
                asked(cx, emulator, DEVICE + offset, want)?;
            }
            Ok(())
        })?;
        asked(cx, first, DEVICE + 4, 3)
    })
}

/// One register that A reads, answered by `emulator`.
fn asked(cx: &mut Cx<'_, '_>, emulator: &Emulator, address: u64, answer: i64) -> Verdict {
    let value = together(cx, "read", &mut |d| access(d, address, 4, None), &mut |d| {
        emulator.serve(d, 1, &|_| answer as u64)
    });
    cx.check(value[0], answer)
}

/// An emulator that takes a request back, or spoils its page.
pub(crate) fn emulators_that_err(cx: &mut Cx<'_, '_>) -> Verdict {
    with_emulator(cx, 0, emulators_that_err_of)
}

fn emulators_that_err_of(cx: &mut Cx<'_, '_>, emulator: &Emulator) -> Verdict {
    emulator.map(cx, DEVICE, DEVICE + 0xff)?;
    // 4.17 gives more than 4 bytes.
    let read = |d: &Domain<'_>| match access(d, DEVICE, 4, None) {
        ABORTED => ABORTED,
        value => value & 0xffff_ffff,
    };
    let ones = |d: &Domain<'_>| {
        let value = d.memory.access(DEVICE, 4, None);
        value.map_or(ABORTED, |value| value as i64 & 0xffff_ffff)
    };
    let value = together(cx, "take it back", &mut { ones }, &mut |d| {
        let Some(request) = emulator.wait(d) else {
            return -1;
        };
        request.set_state(abi::STATE_IOREQ_NONE);
        emulator.signal(d);
        0
    });
    cx.check(value[0], 0xffff_ffff)?;
    let port = Cell::new(0);
    let spoilt = cx.step(Control, format_args!("another port on the page"), |d| {
        let request = emulator.request(d);
        port.set(request.u32(24).swap(77, Ordering::Relaxed));
        0
    });
    cx.check(spoilt, 0)?;
    let aborted = cx.step(A, format_args!("read"), read);
    cx.check(aborted, ABORTED)?;
    cx.step(
        Control,
        format_args!("the port again, another state"),
        |d| {
            let request = emulator.request(d);
            request.u32(24).store(port.get(), Ordering::Relaxed);
            request.set_state(abi::STATE_IORESP_READY);
            0
        },
    );
    let aborted = cx.step(A, format_args!("read"), read);
    cx.check(aborted, ABORTED)?;
    cx.step(Control, format_args!("no state"), |d| {
        emulator.request(d).set_state(abi::STATE_IOREQ_NONE);
        0
    });
    // A signal without an answer changes nothing.
    let value = together(cx, "signal early", &mut { read }, &mut |d| {
        if emulator.wait(d).is_none() {
            return -1;
        }
        for _ in 0..3 {
            emulator.signal(d);
            d.memory.settle();
        }
        emulator.serve(d, 1, &|_| 9)
    });
    cx.check(value[0], 9)?;
    Ok(())
}

/// Emulators are told when memory goes, and the vCPU waits until they know.
pub(crate) fn emulators_hear_of_memory(cx: &mut Cx<'_, '_>) -> Verdict {
    with_emulator(cx, 0, emulators_hear_of_memory_of)
}

fn emulators_hear_of_memory_of(cx: &mut Cx<'_, '_>, emulator: &Emulator) -> Verdict {
    emulator.map(cx, DEVICE, DEVICE + 0xff)?;
    let pages = Pages::<1>::alloc(cx, A)?;
    let gfn = pages.gfn;
    let kinds = |d: &Domain<'_>, count: u32| {
        let seen = Cell::new(0);
        let served = emulator.serve(d, count, &|request| {
            seen.set(seen.get() * 100 + i64::from(request.kind()));
            // No answer that anybody reads.
            0x42
        });
        if served < 0 { served } else { seen.get() }
    };
    let invalidate = i64::from(abi::IOREQ_TYPE_INVALIDATE);
    let copy = i64::from(abi::IOREQ_TYPE_COPY);
    // By A itself: its hypercall takes that long.
    let own = together(
        cx,
        "give a page back",
        &mut |d| foreign::decrease(d, gfn),
        &mut |d| kinds(d, 1),
    );
    cx.check(own[0], 1)?;
    cx.check(own[1], invalidate)?;
    let aborted = cx.step(A, format_args!("read it"), |d| {
        access(d, gfn * PAGE_SIZE as u64, 4, None)
    });
    cx.check(aborted, ABORTED)?;
    let taken = cx.step(A, format_args!("take it again"), |d| {
        foreign::populate(d, gfn)
    });
    cx.check(taken, 1)?;
    // By the control domain: A hears of it when it does something next. On
    // x86 any hypercall will do, such as one to wait for the next step.
    let at_once = cx.x86("emulators hear of it at the next hypercall");
    let gone = cx.step(Control, format_args!("take a page of A"), |d| {
        let done = foreign::decrease_of(d, A.raw(), gfn);
        let unheard = at_once && kinds(d, 1) != invalidate;
        if unheard { -1 } else { done }
    });
    cx.check(gone, 1)?;
    let next = together(
        cx,
        "read a register",
        &mut |d| access(d, DEVICE, 4, None),
        &mut |d| kinds(d, if at_once { 1 } else { 2 }),
    );
    cx.check(next[0], 0x42)?;
    let served = if at_once {
        copy
    } else {
        copy * 100 + invalidate
    };
    cx.check(next[1], served)?;
    let taken = cx.step(Control, format_args!("give A another"), |d| {
        foreign::populate_of(d, A.raw(), gfn)
    });
    cx.check(taken, 1)?;
    pages.free(cx, A);
    Ok(())
}

/// B becomes A's device model, for good: the last that A is asked for.
pub(crate) fn a_device_model_of_its_own(cx: &mut Cx<'_, '_>) -> Verdict {
    device_model(cx, false)
}

/// The same where Xen keeps the two apart: an emulator has ports to its
/// domain, so there is none.
pub(crate) fn a_device_model_kept_apart(cx: &mut Cx<'_, '_>) -> Verdict {
    device_model(cx, true)
}

fn device_model(cx: &mut Cx<'_, '_>, apart: bool) -> Verdict {
    let target = |d: &Domain<'_>, dom, target| {
        let set_target = abi::xen_domctl_set_target { target };
        let part = abi::xen_domctl__bindgen_ty_1 { set_target };
        domctls::domctl(d, abi::XEN_DOMCTL_set_target, dom, part)
    };
    let current = |d: &Domain<'_>| domctls::about_of(d, abi::XENMEM_current_reservation, A.raw());
    let id = cx.step(B, format_args!("create an emulator of A"), |d| {
        create(d, A.raw())
    });
    let none = id == ENOSYS;
    if none {
        cx.note("this Xen has no device models");
    } else {
        cx.check(id, EPERM)?;
    }
    let steps: [(&str, Role, i64, Op<'_>); 8] = [
        ("about A's memory", B, EPERM, &current),
        ("make itself A's", B, EPERM, &|d| {
            target(d, B.raw(), A.raw())
        }),
        ("make B nobody's", Control, ESRCH, &|d| {
            target(d, B.raw(), NOBODY)
        }),
        ("make B its own", Control, EINVAL, &|d| {
            target(d, B.raw(), B.raw())
        }),
        ("make B A's", Control, 0, &|d| target(d, B.raw(), A.raw())),
        ("make B another's", Control, EINVAL, &|d| {
            target(d, B.raw(), Control.raw())
        }),
        ("about A's memory", B, 1, &|d| i64::from(current(d) > 0)),
        ("about the control domain's", B, EPERM, &|d| {
            domctls::about_of(d, abi::XENMEM_current_reservation, Control.raw())
        }),
    ];
    for (what, role, want, op) in steps {
        let rc = cx.step(role, format_args!("{what}"), op);
        cx.check(rc, want)?;
    }
    if none {
        return Ok(());
    }
    if apart {
        let call = format_args!("create an emulator of A");
        let id = cx.step(B, call, |d| create(d, A.raw()));
        cx.check(id, EPERM)?;
        let call = format_args!("frames of one");
        let size = cx.step(B, call, |d| foreign::size(d, A.raw(), RESOURCE, 0));
        return cx.check(size, 2);
    }
    let frames = match foreign::refused_early(cx) {
        true => EACCES,
        false => 2,
    };
    let steps: [(&str, i64, Op<'_>); 6] = [
        ("create an emulator of A", 0, &|d| create(d, A.raw())),
        ("its frames", frames, &|d| {
            foreign::size(d, A.raw(), RESOURCE, 0)
        }),
        ("emulate", 0, &|d| memory(d, true, 0, DEVICE, DEVICE)),
        ("create one of the control domain", EPERM, &|d| {
            create(d, Control.raw())
        }),
        ("destroy it", 0, &|d| destroy(d, 0)),
        ("destroy it again", ENOENT, &|d| destroy(d, 0)),
    ];
    for (what, want, op) in steps {
        let rc = cx.step(B, format_args!("{what}"), op);
        cx.check(rc, want)?;
    }
    Ok(())
}

/// Register after register, as fast as A can.
pub(crate) fn a_storm_of_accesses(cx: &mut Cx<'_, '_>) -> Verdict {
    with_emulator(cx, 0, a_storm_of_accesses_of)
}

fn a_storm_of_accesses_of(cx: &mut Cx<'_, '_>, emulator: &Emulator) -> Verdict {
    const ACCESSES: u32 = 500;
    emulator.map(cx, DEVICE, DEVICE + 0xfff)?;
    let storm = together(
        cx,
        "a storm",
        &mut |d| {
            let good = |index: &u32| {
                let at = DEVICE + u64::from(index % 1024) * 4;
                match index % 3 {
                    0 => access(d, at, 4, Some(u64::from(*index))) == 0,
                    _ => access(d, at, 4, None) == (at & 0xfff) as i64,
                }
            };
            (0..ACCESSES).filter(good).count() as i64
        },
        &mut |d| emulator.serve(d, ACCESSES, &|request| request.address() & 0xfff),
    );
    cx.check(storm[0], ACCESSES.into())?;
    cx.check(i64::from(storm[1] > 0), 1)?;
    Ok(())
}
