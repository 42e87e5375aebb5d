// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's emulated devices: results, errors and what each side sees,
//! as Xen's.
#![cfg(feature = "sim")]

mod sim_raw;

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::SeqCst};

use sim_raw::*;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Access, Delivery, Domain, DomainConfig, Hypervisor, Policy};
use xen_guest::{Platform, Window};

/// Nothing is there in any domain.
const DEVICE: u64 = 0x3000_0000;
const MEMORY: u32 = XEN_DMOP_IO_RANGE_MEMORY;

fn dm_op_sized(d: &Domain, dom: u16, op: &mut xen_dm_op, size: usize) -> isize {
    let mut buffer = zero::<xen_dm_op_buf>();
    buffer.h.p = std::ptr::from_mut(op).cast();
    buffer.size = size as u64;
    let arg = std::ptr::from_mut(&mut buffer) as usize;
    // SAFETY: one buffer with an operation in it.
    unsafe { d.hypercall(__HYPERVISOR_dm_op, [dom.into(), 1, arg, 0, 0]) }
}

fn dm_op(d: &Domain, dom: u16, op: u32, u: xen_dm_op__bindgen_ty_1) -> (isize, xen_dm_op) {
    let mut op = xen_dm_op { op, pad: 0, u };
    let rc = dm_op_sized(d, dom, &mut op, size_of::<xen_dm_op>());
    (rc, op)
}

fn create(d: &Domain, dom: u16) -> isize {
    let (rc, op) = dm_op(d, dom, XEN_DMOP_create_ioreq_server, zero());
    // SAFETY: the operation's own part.
    match (rc, unsafe { op.u.create_ioreq_server.id }) {
        (0, id) => id as isize,
        (error, _) => error,
    }
}

fn destroy(d: &Domain, dom: u16, id: u16) -> isize {
    let mut u = zero::<xen_dm_op__bindgen_ty_1>();
    u.destroy_ioreq_server.id = id;
    dm_op(d, dom, XEN_DMOP_destroy_ioreq_server, u).0
}

fn enable(d: &Domain, dom: u16, id: u16, enabled: u8) -> isize {
    let mut u = zero::<xen_dm_op__bindgen_ty_1>();
    u.set_ioreq_server_state = xen_dm_op_set_ioreq_server_state {
        id,
        enabled,
        pad: 0,
    };
    dm_op(d, dom, XEN_DMOP_set_ioreq_server_state, u).0
}

fn range(d: &Domain, dom: u16, op: u32, id: u16, kind: u32, start: u64, end: u64) -> isize {
    let mut u = zero::<xen_dm_op__bindgen_ty_1>();
    u.map_io_range_to_ioreq_server = xen_dm_op_ioreq_server_range {
        id,
        pad: 0,
        type_: kind,
        start,
        end,
    };
    dm_op(d, dom, op, u).0
}

fn map_range(d: &Domain, dom: u16, id: u16, start: u64, end: u64) -> isize {
    let op = XEN_DMOP_map_io_range_to_ioreq_server;
    range(d, dom, op, id, MEMORY, start, end)
}

fn unmap_range(d: &Domain, dom: u16, id: u16, start: u64, end: u64) -> isize {
    let op = XEN_DMOP_unmap_io_range_from_ioreq_server;
    range(d, dom, op, id, MEMORY, start, end)
}

/// The result, or how many frames there are if there is no list.
fn acquire(d: &Domain, dom: u16, id: u32, frame: u64, gfns: &mut [u64]) -> isize {
    let mut op = zero::<xen_mem_acquire_resource>();
    op.domid = dom;
    op.type_ = XENMEM_resource_ioreq_server as u16;
    op.id = id;
    op.frame = frame;
    op.nr_frames = gfns.len() as u32;
    if !gfns.is_empty() {
        op.frame_list.p = gfns.as_mut_ptr();
    }
    match memory(d, XENMEM_acquire_resource, &mut op) {
        0 if gfns.is_empty() => op.nr_frames as isize,
        rc => rc,
    }
}

/// An emulator that is ready, and what it sees.
struct Emulator {
    domain: Domain,
    target: u16,
    id: u16,
    page: Window,
    ports: Vec<u32>,
}

// SAFETY: what is on the page is touched by atomics.
unsafe impl Sync for Emulator {}

impl Emulator {
    fn new(domain: &Domain, target: &Domain, slot: u32) -> Self {
        let dom = target.domid().raw();
        let id = create(domain, dom) as u16;
        let at = page(domain.extended_region(), slot);
        assert_eq!(acquire(domain, dom, id.into(), 1, &mut [at.gfn.raw()]), 0);
        map(domain, &at, true);
        assert_eq!(enable(domain, dom, id, 1), 0);
        let mut emulator = Self {
            domain: domain.clone(),
            target: dom,
            id,
            page: at,
            ports: Vec::new(),
        };
        for vcpu in 0..target.vcpus() as usize {
            let port = emulator.u32(vcpu, 24).load(SeqCst);
            let local = bind_interdomain(domain, dom, port);
            assert!(local > 0, "{local}");
            emulator.ports.push(local as u32);
        }
        emulator
    }

    fn u32(&self, vcpu: usize, offset: usize) -> &AtomicU32 {
        // SAFETY: mapped by `new`, in bounds and aligned.
        unsafe { AtomicU32::from_ptr(self.page.va.add(vcpu * 32 + offset).cast()) }
    }

    fn u64(&self, vcpu: usize, offset: usize) -> &AtomicU64 {
        // SAFETY: as above.
        unsafe { AtomicU64::from_ptr(self.page.va.add(vcpu * 32 + offset).cast()) }
    }

    fn bits(&self, vcpu: usize) -> &AtomicU8 {
        // SAFETY: as above.
        unsafe { AtomicU8::from_ptr(self.page.va.add(vcpu * 32 + 30)) }
    }

    fn state(&self, vcpu: usize) -> u32 {
        u32::from(self.bits(vcpu).load(SeqCst) & 0xf)
    }

    fn set_state(&self, vcpu: usize, state: u32) {
        let old = self.bits(vcpu).load(SeqCst);
        self.bits(vcpu).store(old & 0xf0 | state as u8, SeqCst);
    }

    /// (type, address, size, data if it is a write)
    fn request(&self, vcpu: usize) -> (u32, u64, u32, Option<u64>) {
        assert_eq!(self.state(vcpu), STATE_IOREQ_READY);
        let write = self.bits(vcpu).load(SeqCst) >> 5 & 1 == 0;
        (
            self.u32(vcpu, 28).load(SeqCst) >> 24,
            self.u64(vcpu, 0).load(SeqCst),
            self.u32(vcpu, 20).load(SeqCst),
            write.then(|| self.u64(vcpu, 8).load(SeqCst)),
        )
    }

    fn answer(&self, vcpu: usize, data: u64) {
        self.u64(vcpu, 8).store(data, SeqCst);
        self.set_state(vcpu, STATE_IORESP_READY);
        self.signal(vcpu);
    }

    fn signal(&self, vcpu: usize) {
        assert_eq!(send(&self.domain, self.ports[vcpu]), 0);
    }

    fn map_range(&self, start: u64, end: u64) -> isize {
        map_range(&self.domain, self.target, self.id, start, end)
    }

    fn finish(self) {
        for port in &self.ports {
            assert_eq!(close(&self.domain, *port), 0);
        }
        assert_eq!(destroy(&self.domain, self.target, self.id), 0);
        let page = self.page;
        // SAFETY: mapped by `new`; nothing uses it any more.
        unsafe { self.domain.unmap(page.va, 1) }.expect("unmapped");
        let gfn = page.gfn.raw();
        assert_eq!(remove_from_physmap(&self.domain, SELF, gfn), 0);
    }
}

fn two() -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    (xen, dom0, one)
}

#[test]
fn operations_are_checked_in_xens_order() {
    let (xen, dom0, one) = two();
    let other = xen.create_domain(DomainConfig::default());
    let raw = |d: &Domain, dom: usize, count: usize, at: usize| {
        // SAFETY: Xen finds nothing to read there, or does not look.
        unsafe { d.hypercall(__HYPERVISOR_dm_op, [dom, count, at, 0, 0]) }
    };
    assert_eq!(raw(&one, 9, 0, 0), -61);
    assert_eq!(raw(&one, 9, 3, 0), E2BIG);
    assert_eq!(raw(&one, 9, 1, 0), EFAULT);
    let mut op = zero::<xen_dm_op>();
    op.op = 21;
    op.pad = 1;
    let whole = size_of::<xen_dm_op>();
    assert_eq!(dm_op_sized(&one, 9, &mut op, 0), ESRCH);
    assert_eq!(dm_op_sized(&one, SELF, &mut op, 0), ESRCH);
    assert_eq!(dm_op_sized(&one, 1, &mut op, 0), EPERM, "itself");
    assert_eq!(dm_op_sized(&other, 1, &mut op, 0), EPERM);
    assert_eq!(dm_op_sized(&dom0, 1, &mut op, 7), EFAULT);
    assert_eq!(dm_op_sized(&dom0, 1, &mut op, 8), EOPNOTSUPP);
    op.op = XEN_DMOP_destroy_ioreq_server;
    assert_eq!(dm_op_sized(&dom0, 1, &mut op, 11), EFAULT);
    assert_eq!(dm_op_sized(&dom0, 1, &mut op, 12), EINVAL);
    op.op = XEN_DMOP_set_mem_type;
    assert_eq!(dm_op_sized(&dom0, 1, &mut op, whole), EINVAL);
    op.pad = 0;
    assert_eq!(dm_op_sized(&dom0, 1, &mut op, whole), EOPNOTSUPP);

    let mut u = zero::<xen_dm_op__bindgen_ty_1>();
    u.create_ioreq_server = xen_dm_op_create_ioreq_server {
        pad: [0, 1, 0],
        ..zero()
    };
    let buffered = XEN_DMOP_create_ioreq_server;
    assert_eq!(dm_op(&dom0, 1, buffered, u).0, EINVAL);
    u = zero();
    u.create_ioreq_server.handle_bufioreq = 1;
    assert_eq!(dm_op(&dom0, 1, buffered, u).0, EINVAL, "not on Arm");
    let (rc, op) = dm_op(&dom0, 1, XEN_DMOP_nr_vcpus, zero());
    // SAFETY: the operation's own part.
    assert_eq!((rc, unsafe { op.u.nr_vcpus.vcpus }), (0, 1));
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn eight_emulators_of_their_makers() {
    let (xen, dom0, one) = two();
    let control = xen.create_domain(DomainConfig::dom0());
    for id in 0..8 {
        assert_eq!(create(&dom0, 1), id);
    }
    assert_eq!(create(&dom0, 1), ENOSPC);
    assert_eq!(destroy(&dom0, 1, 3), 0);
    assert_eq!(destroy(&dom0, 1, 3), ENOENT);
    assert_eq!(create(&control, 1), 3, "the lowest that is free");
    assert_eq!(destroy(&dom0, 1, 8), ENOENT);
    for rc in [
        destroy(&dom0, 1, 3),
        enable(&dom0, 1, 3, 1),
        map_range(&dom0, 1, 3, 0, 0),
        acquire(&dom0, 1, 3, 1, &mut [1]),
    ] {
        assert_eq!(rc, EPERM, "another's");
    }
    assert_eq!(enable(&dom0, 1, 9, 1), ENOENT);
    let mut u = zero::<xen_dm_op__bindgen_ty_1>();
    u.get_ioreq_server_info.flags = 2;
    let info = XEN_DMOP_get_ioreq_server_info;
    assert_eq!(dm_op(&dom0, 1, info, u).0, EINVAL);
    u.get_ioreq_server_info.flags = XEN_DMOP_no_gfns as u16;
    assert_eq!(dm_op(&dom0, 1, info, u).0, 0);
    u.get_ioreq_server_info.flags = 0;
    assert_eq!(dm_op(&dom0, 1, info, u).0, EOPNOTSUPP);
    assert_eq!(xen.leaks().ioreq_servers, 8);
    // A port of each is the domain's, which it can't do anything with.
    assert_eq!(xen.leaks().ports, 8);
    assert_eq!(close(&one, 1), EINVAL);
    assert_eq!(send(&one, 1), EINVAL);
    let mut op = evtchn_bind_vcpu { port: 1, vcpu: 0 };
    assert_eq!(evtchn(&one, EVTCHNOP_bind_vcpu, &mut op), EINVAL);
    let mut op = evtchn_reset { dom: SELF };
    assert_eq!(evtchn(&one, EVTCHNOP_reset, &mut op), 0);
    assert_eq!(xen.leaks().ports, 8, "nor reset");
    one.destroy();
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn ranges_have_limits() {
    let (xen, dom0, _one) = two();
    assert_eq!(create(&dom0, 1), 0);
    assert_eq!(map_range(&dom0, 1, 0, 5, 4), EINVAL);
    let map = XEN_DMOP_map_io_range_to_ioreq_server;
    assert_eq!(range(&dom0, 1, map, 0, 3, 4, 4), EINVAL, "no such kind");
    assert_eq!(map_range(&dom0, 1, 1, 4, 4), ENOENT);
    for index in 0..256 {
        let start = DEVICE + index * 0x2000;
        assert_eq!(map_range(&dom0, 1, 0, start, start + 0xfff), 0);
    }
    let last = DEVICE + 256 * 0x2000;
    assert_eq!(map_range(&dom0, 1, 0, last, last), ENOMEM);
    assert_eq!(unmap_range(&dom0, 1, 0, DEVICE + 1, DEVICE + 1), ENOMEM);
    assert_eq!(map_range(&dom0, 1, 0, DEVICE, DEVICE), EEXIST);
    // Ranges that meet become one.
    assert_eq!(map_range(&dom0, 1, 0, DEVICE + 0x1000, DEVICE + 0x1fff), 0);
    assert_eq!(xen.leaks().io_ranges, 255);
    assert_eq!(map_range(&dom0, 1, 0, last, last), 0);
    assert_eq!(unmap_range(&dom0, 1, 0, DEVICE, DEVICE + 0x3000), ENOENT);
    assert_eq!(unmap_range(&dom0, 1, 0, DEVICE, DEVICE + 0x2fff), 0);
    assert_eq!(range(&dom0, 1, map, 0, XEN_DMOP_IO_RANGE_PCI, 0, 0), 0);
    assert_eq!(destroy(&dom0, 1, 0), 0);
    assert_eq!(xen.leaks().io_ranges, 0);
}

#[test]
fn the_page_is_a_resource() {
    let (xen, dom0, one) = two();
    let gfn = dom0.extended_region().gfn.raw();
    assert_eq!(acquire(&dom0, 1, 0, 1, &mut [gfn]), ENOENT);
    assert_eq!(acquire(&dom0, 1, 0, 0, &mut []), 2, "even so");
    assert_eq!(create(&dom0, 1), 0);
    assert_eq!(acquire(&dom0, 1, 0, 0, &mut [gfn]), ENOENT, "not buffered");
    assert_eq!(acquire(&dom0, 1, 0, 2, &mut [gfn]), EINVAL);
    assert_eq!(acquire(&dom0, 1, 1 << 16, 1, &mut [gfn]), EINVAL);
    assert_eq!(acquire(&one, 0, 0, 1, &mut [gfn]), EPERM);
    let many = xen.create_domain(DomainConfig::default().with_vcpus(128));
    assert_eq!(acquire(&dom0, many.domid().raw(), 0, 0, &mut []), 2);
    assert_eq!(acquire(&dom0, 1, 0, 1, &mut [gfn]), 0);
    assert_eq!(about(&dom0, XENMEM_current_reservation, 1), 1024);
    // It stays as long as somebody has it mapped.
    assert_eq!(destroy(&dom0, 1, 0), 0);
    assert_eq!(xen.leaks().foreign_mappings, 1);
    assert_eq!(xen.leaks().pinned_frames, 1);
    assert_eq!(remove_from_physmap(&dom0, SELF, gfn), 0);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn an_access_goes_to_its_emulator_and_back() {
    let (xen, dom0, one) = two();
    assert_eq!(one.access(DEVICE, 4, None), Access::Abort);
    assert_eq!(one.access(DEVICE, 4, Some(1)), Access::Abort);
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);

    let mut pending = one.begin_access(DEVICE + 8, 2, None);
    assert_eq!(emulator.request(0), (IOREQ_TYPE_COPY, DEVICE + 8, 2, None));
    assert_eq!(pending.poll(), None);
    emulator.set_state(0, STATE_IOREQ_INPROCESS);
    assert_eq!(pending.poll(), None);
    emulator.u64(0, 8).store(0x1234_5678_9abc, SeqCst);
    emulator.set_state(0, STATE_IORESP_READY);
    assert_eq!(pending.poll(), None, "the vCPU sleeps until it is woken");
    emulator.signal(0);
    assert_eq!(pending.poll(), Some(Access::Done(0x9abc)));
    assert_eq!(emulator.state(0), STATE_IOREQ_NONE);

    let mut pending = one.begin_access(DEVICE, 1, Some(0x1ff));
    assert_eq!(
        emulator.request(0),
        (IOREQ_TYPE_COPY, DEVICE, 1, Some(0xff))
    );
    emulator.signal(0);
    assert_eq!(pending.poll(), None, "no answer yet");
    emulator.answer(0, 7);
    assert_eq!(pending.poll(), Some(Access::Done(0)));

    // All of it must be inside of one range.
    assert_eq!(one.access(DEVICE + 0xfc, 8, None), Access::Abort);
    assert_eq!(emulator.map_range(DEVICE + 0x100, DEVICE + 0x1ff), 0);
    let mut pending = one.begin_access(DEVICE + 0xfc, 8, None);
    emulator.answer(0, u64::MAX - 1);
    assert_eq!(pending.poll(), Some(Access::Done(u64::MAX - 1)));
    assert_eq!(one.access(u64::MAX, 8, None), Access::Abort);

    // Memory wins; an emulator that is switched off gets nothing new.
    let ram = one.ram().gfn.raw() << 12;
    assert_eq!(emulator.map_range(ram, ram + 0xfff), 0);
    assert_eq!(
        one.access(ram + 16, 4, Some(0x1_0203_0405)),
        Access::Done(0)
    );
    assert_eq!(one.access(ram + 18, 2, None), Access::Done(0x203));
    let mut pending = one.begin_access(DEVICE, 4, None);
    assert_eq!(enable(&dom0, 1, emulator.id, 0), 0);
    emulator.answer(0, 5);
    assert_eq!(pending.poll(), Some(Access::Done(5)));
    assert_eq!(one.access(DEVICE, 4, None), Access::Abort);
    emulator.finish();
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

#[test]
fn older_ones_mask_nothing() {
    let xen = Hypervisor::new().with_unmasked_accesses();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);
    let pending = one.begin_access(DEVICE, 1, Some(0x1234));
    assert_eq!(emulator.request(0).3, Some(0x1234));
    emulator.answer(0, 0);
    assert_eq!(pending.wait(), Access::Done(0));
    let pending = one.begin_access(DEVICE, 1, None);
    assert_ne!(emulator.u64(0, 8).load(SeqCst), 0, "the old register");
    emulator.answer(0, 0x1234);
    assert_eq!(pending.wait(), Access::Done(0x1234));
}

#[test]
fn the_latest_emulator_goes_first() {
    let (_xen, dom0, one) = two();
    let first = Emulator::new(&dom0, &one, 0);
    let second = Emulator::new(&dom0, &one, 1);
    assert_eq!(first.map_range(0, u64::MAX), 0);
    assert_eq!(second.map_range(DEVICE, DEVICE + 3), 0);
    let pending = one.begin_access(DEVICE, 4, None);
    second.answer(0, 2);
    assert_eq!(pending.wait(), Access::Done(2));
    let pending = one.begin_access(DEVICE + 4, 4, None);
    first.answer(0, 1);
    assert_eq!(pending.wait(), Access::Done(1));
}

#[test]
fn emulators_that_break_the_rules() {
    let (xen, dom0, one) = two();
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);
    // Taken back: all ones.
    let mut pending = one.begin_access(DEVICE, 4, None);
    emulator.set_state(0, STATE_IOREQ_NONE);
    emulator.signal(0);
    assert_eq!(pending.poll(), Some(Access::Done(0xffff_ffff)));
    // A page that was spoilt: nobody is asked.
    emulator.set_state(0, STATE_IORESP_READY);
    assert_eq!(one.access(DEVICE, 4, None), Access::Abort);
    emulator.set_state(0, STATE_IOREQ_NONE);
    let port = emulator.u32(0, 24).swap(77, SeqCst);
    assert_eq!(one.access(DEVICE, 4, None), Access::Abort);
    emulator.u32(0, 24).store(port, SeqCst);
    assert_eq!(xen.warnings().len(), 2);
    // Answered, but gone before the vCPU looks: the answer is lost.
    let mut pending = one.begin_access(DEVICE, 4, None);
    emulator.answer(0, 5);
    assert_eq!(destroy(&dom0, 1, emulator.id), 0);
    assert_eq!(pending.poll(), Some(Access::Done(0)));

    // A state that goes back, or is none, is the end.
    for wrong in [STATE_IOREQ_READY, 7] {
        let one = xen.create_domain(DomainConfig::default());
        let emulator = Emulator::new(&dom0, &one, wrong);
        assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);
        let mut pending = one.begin_access(DEVICE, 4, None);
        emulator.set_state(0, STATE_IOREQ_INPROCESS);
        emulator.signal(0);
        assert_eq!(pending.poll(), None);
        emulator.set_state(0, wrong);
        emulator.signal(0);
        assert_eq!(pending.poll(), Some(Access::Dead));
        assert_eq!(one.shutdown_reason(), Some(SHUTDOWN_crash));
        assert_eq!(one.access(DEVICE, 4, None), Access::Dead);
    }
}

#[test]
fn an_emulator_that_goes_leaves_the_vcpu_hanging() {
    let (xen, dom0, one) = two();
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);
    let mut pending = one.begin_access(DEVICE, 4, None);
    assert_eq!(destroy(&dom0, 1, emulator.id), 0);
    emulator.signal(0);
    assert_eq!(pending.poll(), None);
    assert!(xen.warnings()[0].contains("unanswered"));
    one.destroy();
    assert_eq!(pending.poll(), Some(Access::Dead));
}

#[test]
#[should_panic(expected = "enabled without its page")]
fn enabling_without_the_page_is_the_end_of_xen() {
    let (_xen, dom0, one) = two();
    assert_eq!(create(&dom0, 1), 0);
    assert_eq!(map_range(&dom0, 1, 0, DEVICE, DEVICE), 0);
    assert_eq!(enable(&dom0, 1, 0, 1), 0);
    let _ = one.begin_access(DEVICE, 1, None);
}

#[test]
fn emulators_hear_of_pages_that_go() {
    let xen = Hypervisor::new();
    let asynchronous = DomainConfig::default().with_delivery(Delivery::Asynchronous);
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(asynchronous.with_vcpus(2));
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);
    let invalidate = (IOREQ_TYPE_INVALIDATE, 0, 4, Some(u64::MAX));
    let ram = one.ram().gfn.raw();
    let decrease = |d: &Domain, gfn| reservation(d, XENMEM_decrease_reservation, 1, 0, &mut [gfn]);
    std::thread::scope(|scope| {
        let guest = scope.spawn(|| one.run_as_vcpu(1, || decrease(&one, ram)));
        while emulator.state(1) != STATE_IOREQ_READY {
            std::thread::yield_now();
        }
        assert_eq!(emulator.request(1), invalidate);
        assert!(!guest.is_finished());
        emulator.answer(1, 0);
        assert_eq!(guest.join().expect("it ends"), 1);
    });
    assert_eq!(emulator.state(0), STATE_IOREQ_NONE, "the other did nothing");

    // By another domain: each vCPU when it does something next.
    assert_eq!(decrease(&dom0, ram + 1), 1);
    assert_eq!(emulator.state(0), STATE_IOREQ_NONE);
    let mut pending = one.begin_access(DEVICE, 4, None);
    assert_eq!(emulator.request(0).0, IOREQ_TYPE_COPY);
    emulator.answer(0, 9);
    assert_eq!(pending.poll(), None);
    assert_eq!(emulator.request(0), invalidate);
    emulator.answer(0, 0);
    assert_eq!(pending.poll(), Some(Access::Done(9)));
    one.run_as_vcpu(1, || {
        assert_eq!(one.access(ram << 12, 4, None), Access::Abort);
        assert_eq!(emulator.state(1), STATE_IOREQ_NONE);
    });
    // Frames that are no RAM of its own don't matter.
    let hole = one.extended_region().gfn.raw();
    let shared = XENMAPSPACE_shared_info;
    assert_eq!(add_to_physmap(&dom0, 1, shared, 0, hole), 0);
}

#[test]
fn upcalls_of_the_emulator_run_while_the_guest_waits() {
    let (_xen, dom0, one) = two();
    let info = map_shared_info(&dom0);
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xff), 0);
    let port = emulator.ports[0];
    let (info, emulator) = (&info, &emulator);
    let serve = || {
        for taken in info.take() {
            assert_eq!(taken, port);
            // Binding the port signals once, without a request.
            if emulator.state(0) == STATE_IOREQ_READY {
                let (_, address, _, write) = emulator.request(0);
                emulator.answer(0, write.unwrap_or(address - DEVICE));
            }
        }
        false
    };
    dom0.with_upcall(&serve, || {
        for offset in [0, 4, 0x10] {
            assert_eq!(one.access(DEVICE + offset, 4, None), Access::Done(offset));
            assert_eq!(one.access(DEVICE + offset, 4, Some(1)), Access::Done(0));
        }
    });
}

#[test]
fn a_storm_from_every_vcpu() {
    const ACCESSES: u64 = 500;
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default().with_vcpus(4));
    let emulator = Emulator::new(&dom0, &one, 0);
    assert_eq!(emulator.map_range(DEVICE, DEVICE + 0xffff), 0);
    std::thread::scope(|scope| {
        let guests: Vec<_> = (0..4u32)
            .map(|vcpu| {
                let one = &one;
                scope.spawn(move || {
                    one.run_as_vcpu(vcpu, || {
                        for index in 0..ACCESSES {
                            let at = DEVICE + index * 8 + u64::from(vcpu);
                            assert_eq!(one.access(at, 1, None), Access::Done(at & 0xff));
                        }
                    });
                })
            })
            .collect();
        while guests.iter().any(|guest| !guest.is_finished()) {
            for vcpu in 0..4 {
                if emulator.state(vcpu) == STATE_IOREQ_READY {
                    emulator.answer(vcpu, emulator.request(vcpu).1);
                }
            }
            std::thread::yield_now();
        }
    });
    emulator.finish();
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn plain_domains_emulate_only_what_they_are_for() {
    let xen = Hypervisor::with_policy(Policy::Silo);
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    let model = xen.create_domain(DomainConfig::default());
    assert_eq!(create(&model, 1), EPERM);
    let mut op = xen_domctl {
        cmd: XEN_DOMCTL_set_target,
        interface_version: 0x15,
        domain: 2,
        ..zero()
    };
    op.u.set_target.target = 1;
    let arg = std::ptr::from_mut(&mut op) as usize;
    // SAFETY: the argument is the structure that the operation takes.
    let rc = unsafe { dom0.hypercall(__HYPERVISOR_domctl, [arg, 0, 0, 0, 0]) };
    assert_eq!(rc, 0);
    // Its events would be between two plain domains.
    assert_eq!(create(&model, 1), EPERM);
    assert_eq!(create(&dom0, 1), 0);
    assert_eq!(acquire(&model, 1, 0, 0, &mut []), 2);
    assert_eq!(xen.leaks().ports, 1);
    drop(one);
}

#[test]
fn interrupts_have_levels() {
    let (_xen, dom0, one) = two();
    let level = |irq, level, pad| {
        let mut u = zero::<xen_dm_op__bindgen_ty_1>();
        u.set_irq_level = xen_dm_op_set_irq_level { irq, level, pad };
        dm_op(&dom0, 1, XEN_DMOP_set_irq_level, u).0
    };
    assert_eq!(level(31, 1, [0; 3]), EINVAL);
    assert_eq!(level(2000, 1, [0; 3]), EINVAL);
    assert_eq!(level(40, 2, [0; 3]), EINVAL);
    assert_eq!(level(32, 1, [0; 3]), EINVAL, "the console's");
    assert_eq!(level(40, 0, [0, 1, 0]), 0, "nobody looks");
    assert_eq!(level(40, 1, [0; 3]), 0);
    assert!(one.irq_level(40) && !one.irq_level(41));
    assert_eq!(level(40, 0, [0; 3]), 0);
    assert!(!one.irq_level(40));
}

#[test]
fn debians_xen_has_none() {
    let xen = Hypervisor::new().without_device_models();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let _one = xen.create_domain(DomainConfig::default());
    xen.keep_log(8);
    assert_eq!(create(&dom0, 9), ENOSYS);
    assert_eq!(acquire(&dom0, 1, 0, 0, &mut []), EINVAL);
    xen.fail_hypercall(dom0.domid(), 1, 12);
    assert_eq!(create(&dom0, 1), ENOMEM);
    let line = xen.log()[0].to_string();
    assert!(
        line.starts_with("d0 dm_op create_ioreq_server of d9 1 0 "),
        "{line}"
    );
    assert!(line.ends_with(" = -38"), "{line}");
}
