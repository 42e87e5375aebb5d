// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's domctls, memory limits and device memory: results and
//! errors as Xen's.
#![cfg(feature = "sim")]

mod sim_raw;

use sim_raw::*;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Domain, DomainConfig, Frame, Hypervisor};
use xen_guest::{Gfn, PAGE_SIZE, Platform, Protection};

const VERSION: u32 = 0x15;

fn domctl(d: &Domain, cmd: u32, dom: u16, u: xen_domctl__bindgen_ty_1) -> isize {
    domctl_of_version(d, VERSION, cmd, dom, u)
}

fn domctl_of_version(
    d: &Domain,
    interface_version: u32,
    cmd: u32,
    domain: u16,
    u: xen_domctl__bindgen_ty_1,
) -> isize {
    let mut op = xen_domctl {
        cmd,
        interface_version,
        domain,
        u,
        ..zero()
    };
    let arg = std::ptr::from_mut(&mut op) as usize;
    // SAFETY: the argument is the structure that the operation takes.
    unsafe { d.hypercall(__HYPERVISOR_domctl, [arg, 0, 0, 0, 0]) }
}

fn max_mem(d: &Domain, dom: u16, max_memkb: u64) -> isize {
    let max_mem = xen_domctl_max_mem { max_memkb };
    domctl(
        d,
        XEN_DOMCTL_max_mem,
        dom,
        xen_domctl__bindgen_ty_1 { max_mem },
    )
}

fn permit(d: &Domain, dom: u16, first_mfn: u64, nr_mfns: u64, allow_access: u8) -> isize {
    let iomem_permission = xen_domctl_iomem_permission {
        first_mfn,
        nr_mfns,
        allow_access,
    };
    let u = xen_domctl__bindgen_ty_1 { iomem_permission };
    domctl(d, XEN_DOMCTL_iomem_permission, dom, u)
}

fn mapping(d: &Domain, dom: u16, gfn: u64, mfn: u64, nr_mfns: u64, add_mapping: u32) -> isize {
    let memory_mapping = xen_domctl_memory_mapping {
        first_gfn: gfn,
        first_mfn: mfn,
        nr_mfns,
        add_mapping,
        padding: 0,
    };
    let u = xen_domctl__bindgen_ty_1 { memory_mapping };
    domctl(d, XEN_DOMCTL_memory_mapping, dom, u)
}

fn two() -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    (xen, dom0, one)
}

#[test]
fn a_version_and_a_domain_come_first() {
    let (_xen, dom0, one) = two();
    let u = xen_domctl__bindgen_ty_1 { pad: [0; 128] };
    let of = |d: &Domain, version, cmd, dom| domctl_of_version(d, version, cmd, dom, u);
    assert_eq!(of(&one, 0x14, XEN_DOMCTL_max_mem, 9), EACCES);
    assert_eq!(of(&one, VERSION, XEN_DOMCTL_max_mem, 9), ESRCH);
    assert_eq!(of(&dom0, VERSION, XEN_DOMCTL_max_mem, SELF), ESRCH);
    assert_eq!(of(&one, VERSION, XEN_DOMCTL_max_mem, 1), EPERM);
    assert_eq!(of(&one, VERSION, 999, 1), EPERM);
    assert_eq!(of(&dom0, VERSION, 999, 1), ENOSYS);
    // SAFETY: Xen finds nothing at that address.
    let rc = unsafe { dom0.hypercall(__HYPERVISOR_domctl, [0, 0, 0, 0, 0]) };
    assert_eq!(rc, EFAULT);
}

#[test]
fn a_limit_can_be_raised_and_lowered() {
    let (_xen, dom0, one) = two();
    let hole = one.extended_region().gfn.raw();
    let populate = |gfns: &mut [u64]| reservation(&dom0, XENMEM_populate_physmap, 1, 0, gfns);
    assert_eq!(populate(&mut [hole]), 0, "it has all it may");
    assert_eq!(max_mem(&dom0, 1, (1024 + 2) * 4 + 3), 0);
    assert_eq!(about(&dom0, XENMEM_maximum_reservation, 1), 1026);
    assert_eq!(populate(&mut [hole, hole + 1, hole + 2]), 2);
    // Less than it has: nothing goes, nothing comes.
    assert_eq!(max_mem(&dom0, 1, 4), 0);
    assert_eq!(about(&dom0, XENMEM_current_reservation, 1), 1026);
    let mut gone = [hole, hole + 1];
    let decrease = XENMEM_decrease_reservation;
    assert_eq!(reservation(&one, decrease, 1, 0, &mut gone), 2);
    assert_eq!(populate(&mut gone), 0);
    assert_eq!(max_mem(&one, 1, 1 << 20), EPERM);
}

#[test]
fn device_memory_is_mapped_by_those_who_may() {
    let (xen, dom0, one) = two();
    let device = xen.create_device(2);
    let mfn = device.frame();
    let gfn = one.extended_region().gfn.raw();
    assert_eq!(mapping(&one, 1, gfn, mfn, 1, 1), EPERM);
    assert_eq!(
        mapping(&dom0, 1, gfn, mfn, 1, 1),
        EPERM,
        "not permitted yet"
    );
    assert_eq!(permit(&one, 1, mfn, 1, 1), EPERM);
    assert_eq!(permit(&dom0, 1, mfn, 1, 1), 0);
    assert_eq!(permit(&dom0, 1, mfn, 3, 1), EPERM, "not all is a device");
    assert_eq!(permit(&dom0, 1, mfn, u64::MAX, 1), EINVAL);
    assert_eq!(permit(&dom0, 1, mfn, 0, 1), EINVAL);
    assert_eq!(mapping(&dom0, 1, gfn, mfn, 2, 1), EPERM, "one of two");
    assert_eq!(mapping(&dom0, 1, gfn, mfn, 65, 1), E2BIG);
    assert_eq!(mapping(&dom0, 1, gfn, mfn, 0, 1), EINVAL);
    assert_eq!(mapping(&dom0, 1, gfn, 1 << 33, 1, 1), EINVAL);
    assert_eq!(mapping(&dom0, 1, u64::MAX, mfn, 2, 1), EINVAL);
    assert_eq!(mapping(&dom0, 1, gfn, mfn, 1, 1), 0);
    assert_eq!(
        mapping(&dom0, 1, gfn + 5, mfn, 1, 1),
        0,
        "at a second place"
    );
    assert_eq!(one.frame(Gfn::new(gfn)), Frame::Device(mfn));

    // The domain and the device see the same.
    let va = one.extended_region().va.cast::<u32>();
    // SAFETY: frames of the test's domain; the page is unmapped at the end.
    unsafe {
        one.map(va.cast(), Gfn::new(gfn), 1, Protection { write: true })
            .expect("mapped");
        va.add(3).write_volatile(77);
        device.write(16, 78);
        assert_eq!(va.add(4).read_volatile(), 78);
        one.unmap(va.cast(), 1).expect("unmapped");
    }
    assert_eq!(device.read(12), 77);

    // It is neither RAM nor a page to share.
    assert_eq!(remove_from_physmap(&one, SELF, gfn), ENOENT);
    let mut list = [gfn];
    let decrease = XENMEM_decrease_reservation;
    assert_eq!(reservation(&one, decrease, SELF, 0, &mut list), 0);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());

    // Whatever device memory is there goes; RAM does not.
    let ram = one.ram().gfn.raw();
    assert_eq!(mapping(&dom0, 1, ram, mfn, 1, 0), EILSEQ);
    assert_eq!(permit(&dom0, 1, mfn, 1, 0), 0);
    assert_eq!(mapping(&dom0, 1, gfn, mfn, 1, 0), EPERM);
    assert_eq!(permit(&dom0, 1, mfn, 2, 1), 0);
    assert_eq!(mapping(&dom0, 1, gfn, mfn + 1, 1, 0), 0);
    assert_eq!(mapping(&dom0, 1, gfn, mfn, 1, 0), 0, "nothing is there");
    assert_eq!(one.frame(Gfn::new(gfn)), Frame::Empty);
    assert_eq!(mapping(&dom0, 1, ram, mfn, 1, 1), 0);
    assert_eq!(xen.warnings().len(), 1, "{:?}", xen.warnings());
}

#[test]
fn a_device_model_acts_for_its_domain() {
    let (xen, dom0, one) = two();
    let model = xen.create_domain(DomainConfig::default());
    let device = xen.create_device(1);
    let (mfn, gfn) = (device.frame(), one.extended_region().gfn.raw());
    let target = |d: &Domain, dom, target| {
        let set_target = xen_domctl_set_target { target };
        let u = xen_domctl__bindgen_ty_1 { set_target };
        domctl(d, XEN_DOMCTL_set_target, dom, u)
    };
    assert_eq!(target(&dom0, 2, 9), ESRCH);
    assert_eq!(target(&dom0, 2, 2), EINVAL);
    assert_eq!(target(&one, 2, 1), EPERM);
    assert_eq!(about(&model, XENMEM_current_reservation, 1), EPERM);
    assert_eq!(target(&dom0, 2, 1), 0);
    assert_eq!(target(&dom0, 2, 0), EINVAL, "for good");
    assert_eq!(about(&model, XENMEM_current_reservation, 1), 1024);
    assert_eq!(about(&model, XENMEM_current_reservation, 0), EPERM);
    // It needs the permission itself, too.
    assert_eq!(permit(&dom0, 1, mfn, 1, 1), 0);
    assert_eq!(mapping(&model, 1, gfn, mfn, 1, 1), EPERM);
    assert_eq!(permit(&dom0, 2, mfn, 1, 1), 0);
    assert_eq!(mapping(&model, 1, gfn, mfn, 1, 1), 0);
    assert_eq!(permit(&model, 1, mfn, 1, 0), EPERM);
    assert_eq!(max_mem(&model, 1, 1 << 20), EPERM);
}

#[test]
fn tables_run_out() {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let config = DomainConfig::default().with_physmap_tables(3);
    let one = xen.create_domain(config);
    let device = xen.create_device(1);
    let mfn = device.frame();
    assert_eq!(permit(&dom0, 1, mfn, 1, 1), 0);
    let map = |gfn| mapping(&dom0, 1, gfn, mfn, 1, 1);
    // A GiB takes one, as RAM did already; and so do 2 MiB.
    let far = one.extended_region().gfn.raw() + (1 << 18);
    assert_eq!(map(far), 0);
    assert_eq!(map(far + 1), 0);
    assert_eq!(map(far + 512), ENOENT);
    // They do not come back.
    assert_eq!(mapping(&dom0, 1, far, mfn, 1, 0), 0);
    assert_eq!(map(far + 512), ENOENT);
    assert_eq!(map(far + 2), 0);
    // A hole in RAM takes one, too; there is none left, so the page stays.
    let mut page = [one.ram().gfn.raw()];
    let decrease = XENMEM_decrease_reservation;
    assert_eq!(reservation(&one, decrease, SELF, 0, &mut page), 0);
    assert_eq!(about(&one, XENMEM_current_reservation, SELF), 1024);
    assert_eq!(map(page[0]), ENOMEM, "a part of something larger");
    // A dom0 has as many as it needs.
    let hole = dom0.extended_region().gfn.raw();
    for piece in 0..16 {
        assert_eq!(mapping(&dom0, 0, hole + piece * 512, mfn, 1, 1), 0);
    }
    assert_eq!(device.read(PAGE_SIZE - 4), 0);
}

#[test]
fn domains_are_paused_and_shut_down() {
    let (_xen, dom0, one) = two();
    let u = xen_domctl__bindgen_ty_1 { pad: [0; 128] };
    let pause = |d, dom| domctl(d, XEN_DOMCTL_pausedomain, dom, u);
    let unpause = |dom| domctl(&dom0, XEN_DOMCTL_unpausedomain, dom, u);
    assert_eq!(pause(&one, 1), EPERM);
    assert_eq!(pause(&dom0, 0), EINVAL, "itself");
    assert_eq!(unpause(1), EINVAL, "it runs");
    assert_eq!(pause(&dom0, 1), 0);
    assert_eq!(unpause(1), 0);
    for _ in 0..255 {
        assert_eq!(pause(&dom0, 1), 0);
    }
    assert_eq!(pause(&dom0, 1), -75);
    let mut op = sched_remote_shutdown {
        domain_id: 1,
        reason: SHUTDOWN_crash,
    };
    let end = SCHEDOP_remote_shutdown;
    assert_eq!(call(&one, __HYPERVISOR_sched_op, end, &mut op), EPERM);
    assert_eq!(call(&dom0, __HYPERVISOR_sched_op, end, &mut op), 0);
    op.reason = SHUTDOWN_poweroff;
    assert_eq!(call(&dom0, __HYPERVISOR_sched_op, end, &mut op), 0);
    assert_eq!(one.shutdown_reason(), Some(SHUTDOWN_crash), "the first");
    op.domain_id = 9;
    assert_eq!(call(&dom0, __HYPERVISOR_sched_op, end, &mut op), ESRCH);
}

#[test]
fn the_log_names_domctls() {
    let (xen, dom0, _one) = two();
    xen.keep_log(4);
    assert_eq!(max_mem(&dom0, 1, 8192), 0);
    let u = xen_domctl__bindgen_ty_1 { pad: [0; 128] };
    assert_eq!(domctl(&dom0, 999, 1, u), ENOSYS);
    let log = xen.log();
    assert_eq!(log[0].name(), ("domctl", "max_mem"));
    let line = log[0].to_string();
    assert!(
        line.starts_with("d0 domctl max_mem b 15 1 0 2000 0 "),
        "{line}"
    );
    assert!(line.ends_with(" = 0"), "{line}");
    assert!(
        log[1].to_string().starts_with("d0 domctl ? 999 "),
        "{}",
        log[1]
    );
}
