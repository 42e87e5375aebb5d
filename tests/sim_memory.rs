// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's memory operations: counts and errors as Xen's.
#![cfg(feature = "sim")]

mod sim_raw;

use sim_raw::*;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{Platform, Protection};

fn three() -> (Hypervisor, Domain, Domain, Domain) {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    let two = xen.create_domain(DomainConfig::default());
    (xen, dom0, one, two)
}

#[test]
fn add_to_physmap_errors_in_xens_order() {
    let (_xen, dom0, one, _two) = three();
    let gfn = one.grant_window().gfn.raw();
    let add = |d: &Domain, dom, space, idx, gfn| add_to_physmap(d, dom, space, idx, gfn);
    assert_eq!(add(&one, 9, XENMAPSPACE_gmfn_foreign, 0, gfn), ENOSYS);
    assert_eq!(add(&one, 9, XENMAPSPACE_shared_info, 0, gfn), ESRCH);
    assert_eq!(add(&one, 2, XENMAPSPACE_shared_info, 0, gfn), EPERM);
    assert_eq!(
        add(&one, SELF, XENMAPSPACE_shared_info, 0, u64::MAX),
        EINVAL
    );
    assert_eq!(add(&one, SELF, XENMAPSPACE_shared_info, 1, gfn), EINVAL);
    assert_eq!(add(&one, SELF, XENMAPSPACE_shared_info, 0, 1 << 50), EINVAL);
    assert_eq!(add(&one, SELF, XENMAPSPACE_gmfn, 0, gfn), ENOSYS);
    assert_eq!(add(&one, SELF, XENMAPSPACE_dev_mmio, 0, gfn), EACCES);
    assert_eq!(add(&dom0, SELF, XENMAPSPACE_dev_mmio, 0, gfn), 0);
    assert_eq!(add(&one, SELF, 99, 0, gfn), ENOSYS);
    assert_eq!(add(&one, SELF, XENMAPSPACE_shared_info, 0, gfn), 0);
    assert_eq!(add(&one, SELF, XENMAPSPACE_shared_info, 0, gfn + 1), EBUSY);
    assert_eq!(remove_from_physmap(&one, SELF, gfn), 0);
    assert_eq!(add(&one, 1, XENMAPSPACE_shared_info, 0, gfn + 1), 0);
    // A frame that loses the page makes it free for another place.
    let table = XENMAPSPACE_grant_table;
    assert_eq!(add(&one, SELF, table, 0, gfn + 1), 0);
    assert_eq!(add(&one, SELF, XENMAPSPACE_shared_info, 0, gfn), 0);
    assert_eq!(add(&dom0, 1, table, 1, gfn + 2), 0, "for another domain");
}

#[test]
fn removed_ram_stays_charged() {
    let (xen, dom0, one, _two) = three();
    let ram = one.ram().gfn.raw();
    let remove = remove_from_physmap;
    assert_eq!(remove(&one, 9, ram), ESRCH);
    assert_eq!(remove(&one, 2, ram), EPERM);
    assert_eq!(remove(&one, SELF, one.grant_window().gfn.raw()), ENOENT);
    assert_eq!(remove(&dom0, 1, ram), 0);
    assert_eq!(remove(&one, SELF, ram), ENOENT);
    assert_eq!(about(&one, XENMEM_current_reservation, SELF), 1024);
    assert_eq!(
        reservation(&one, XENMEM_populate_physmap, SELF, 0, &mut [ram]),
        0
    );
    assert_eq!(xen.leaks().lost_pages, 1);
    let mut op = xen_remove_from_physmap {
        domid: SELF,
        gpfn: ram,
    };
    assert_eq!(
        memory(&one, XENMEM_remove_from_physmap | 1 << 6, &mut op),
        EINVAL
    );
}

#[test]
fn reservations_answer_with_counts() {
    let (xen, dom0, one, _two) = three();
    let ram = one.ram().gfn.raw();
    let hole = one.extended_region().gfn.raw();
    let (populate, decrease) = (XENMEM_populate_physmap, XENMEM_decrease_reservation);
    let of = |d: &Domain, cmd, dom, order, gfns: &mut [u64]| reservation(d, cmd, dom, order, gfns);
    assert_eq!(
        of(&one, populate, SELF, 0, &mut [hole]),
        0,
        "has all it may"
    );
    assert_eq!(of(&one, decrease, 9, 0, &mut [ram]), 0);
    assert_eq!(of(&one, decrease, 2, 0, &mut [ram]), 0);
    assert_eq!(
        of(&one, decrease, SELF, 10, &mut [ram]),
        0,
        "too large an order"
    );
    assert_eq!(
        of(&one, decrease, SELF, 0, &mut [ram, ram + 1, hole, ram + 2]),
        2
    );
    assert_eq!(about(&one, XENMEM_current_reservation, SELF), 1022);
    assert_eq!(of(&one, populate, SELF, 0, &mut [ram, ram + 1, ram + 2]), 2);
    assert_eq!(about(&one, XENMEM_current_reservation, SELF), 1024);
    assert_eq!(about(&one, XENMEM_maximum_reservation, SELF), 1024);
    assert_eq!(about(&dom0, XENMEM_current_reservation, 1), 1024);
    assert_eq!(about(&one, XENMEM_current_reservation, 2), EPERM);
    assert_eq!(about(&one, XENMEM_current_reservation, 9), ESRCH);
    // Orders: four pages at a time.
    assert_eq!(of(&one, decrease, SELF, 2, &mut [ram, ram + 4]), 2);
    assert_eq!(of(&one, populate, SELF, 2, &mut [hole]), 1);
    assert_eq!(about(&one, XENMEM_maximum_gpfn, SELF), hole as isize + 3);
    assert_eq!(
        of(&one, XENMEM_increase_reservation, SELF, 0, &mut [0; 5]),
        4
    );
    assert_eq!(about(&one, XENMEM_current_reservation, SELF), 1024);
    // New pages are zero.
    let (va, pages) = (one.ram().va, 1);
    // SAFETY: RAM of the test's domain; the frame is populated again before
    // it is read.
    unsafe {
        va.add(8 * 4096).write_volatile(1);
        assert_eq!(of(&one, decrease, SELF, 0, &mut [ram + 8]), pages);
        assert_eq!(of(&one, populate, SELF, 0, &mut [ram + 8]), pages);
        assert_eq!(va.add(8 * 4096).read_volatile(), 0);
    }
    assert!(xen.leaks().lost_pages > 0);
}

#[test]
fn a_direct_mapped_domain_keeps_its_pages() {
    let (xen, dom0, _one, _two) = three();
    let ram = dom0.ram().gfn.raw();
    let hole = dom0.extended_region().gfn.raw();
    let decrease = XENMEM_decrease_reservation;
    assert_eq!(reservation(&dom0, decrease, SELF, 0, &mut [ram]), 1);
    assert_eq!(about(&dom0, XENMEM_current_reservation, SELF), 1024);
    let populate = XENMEM_populate_physmap;
    assert_eq!(reservation(&dom0, populate, SELF, 0, &mut [hole]), 0);
    assert_eq!(reservation(&dom0, populate, SELF, 0, &mut [ram]), 1);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn foreign_pages_come_in_batches() {
    let (xen, dom0, one, _two) = three();
    let page = one.alloc_page().unwrap();
    let at = dom0.extended_region();
    let (gfn, foreign) = (at.gfn.raw(), XENMAPSPACE_gmfn_foreign);
    let hole = one.extended_region().gfn.raw();
    let good = page.gfn().raw();
    let mut pages = [(good, gfn), (hole, gfn + 1), (good, gfn + 2)];
    let result = batch(&dom0, SELF, foreign, 1, &mut pages);
    assert_eq!(result, (0, vec![0, -22, 0]));
    page.write(3, 9);
    // SAFETY: Xen mapped a page there.
    unsafe {
        dom0.map(at.va, at.gfn, 1, Protection { write: true })
            .unwrap();
        assert_eq!(at.va.add(3).read_volatile(), 9);
        dom0.unmap(at.va, 1).unwrap();
    }
    assert_eq!(xen.leaks().foreign_mappings, 2);
    assert_eq!(xen.leaks().pinned_frames, 1);
    let one_page = |d: &Domain, dom, space, foreign, gfn| {
        let (rc, errs) = batch(d, dom, space, foreign, &mut [(good, gfn)]);
        (rc, errs[0])
    };
    let untouched = 77;
    assert_eq!(
        one_page(&dom0, SELF, foreign, 0, gfn + 3),
        (0, -1),
        "oneself"
    );
    assert_eq!(one_page(&dom0, SELF, foreign, SELF, gfn + 3), (0, -3));
    assert_eq!(one_page(&dom0, SELF, foreign, 9, gfn + 3), (0, -3));
    assert_eq!(one_page(&dom0, 1, foreign, 1, gfn + 3), (0, -22));
    assert_eq!(one_page(&one, SELF, foreign, 2, hole), (0, -1));
    assert_eq!(one_page(&one, 2, foreign, 2, hole), (EPERM, untouched));
    assert_eq!(one_page(&one, 9, foreign, 2, hole), (ESRCH, untouched));
    let range = XENMAPSPACE_gmfn_range;
    assert_eq!(one_page(&one, 9, range, 2, hole), (EOPNOTSUPP, untouched));
    assert_eq!(
        one_page(&dom0, SELF, foreign, 1, u64::MAX),
        (EINVAL, untouched)
    );
    assert_eq!(
        one_page(&dom0, SELF, XENMAPSPACE_dev_mmio, 1, gfn),
        (EOPNOTSUPP, untouched)
    );
    assert_eq!(batch(&dom0, SELF, foreign, 1, &mut []), (0, vec![]));
    // The page outlives its owner while it is mapped.
    drop(page);
    one.destroy();
    assert!(one.exists());
    assert_eq!(remove_from_physmap(&dom0, SELF, gfn), 0);
    assert_eq!(remove_from_physmap(&dom0, SELF, gfn + 2), 0);
    assert!(!one.exists());
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn a_grant_table_can_be_acquired() {
    let (xen, dom0, one, _two) = three();
    let table = map_grant_table(&one, 1);
    let at = dom0.extended_region();
    let mut gfns = [at.gfn.raw(), at.gfn.raw() + 1];
    let mut acquire = |d: &Domain, domid, type_, list: bool, frame, nr_frames| {
        let mut op = zero::<xen_mem_acquire_resource>();
        op.domid = domid;
        op.type_ = type_ as u16;
        op.frame = frame;
        op.nr_frames = nr_frames;
        if list {
            op.frame_list.p = gfns.as_mut_ptr();
        }
        (memory(d, XENMEM_acquire_resource, &mut op), op.nr_frames)
    };
    let kind = XENMEM_resource_grant_table;
    assert_eq!(acquire(&dom0, 1, kind, false, 0, 0), (0, 64));
    assert_eq!(acquire(&dom0, 1, kind, false, 0, 1), (EINVAL, 1));
    assert_eq!(acquire(&dom0, 0, kind, false, 0, 0), (EPERM, 0));
    assert_eq!(acquire(&dom0, SELF, kind, false, 0, 0), (ESRCH, 0));
    assert_eq!(acquire(&dom0, 9, kind, false, 0, 0), (ESRCH, 0));
    assert_eq!(acquire(&one, 2, kind, false, 0, 0), (EPERM, 0));
    assert_eq!(acquire(&dom0, 1, 7, false, 0, 0), (EINVAL, 0));
    assert_eq!(acquire(&dom0, 1, kind, false, 1 << 32, 0), (EINVAL, 0));
    assert_eq!(acquire(&dom0, 1, kind, true, 0, 0), (EINVAL, 0));
    assert_eq!(acquire(&dom0, 1, kind, true, 63, 2), (EINVAL, 2));
    assert_eq!(acquire(&dom0, 1, kind, true, 0, 2), (0, 2));
    table.grant(8, 0, one.ram().gfn, GTF_permit_access);
    // SAFETY: Xen mapped a frame of the table there.
    unsafe {
        dom0.map(at.va, at.gfn, 1, Protection { write: true })
            .unwrap();
        assert_eq!(at.va.add(64).read_volatile(), 1);
    }
    assert_eq!(xen.leaks().foreign_mappings, 2);
}

#[test]
fn small_hypercalls() {
    let (_xen, dom0, one, _two) = three();
    let text = b"hello\n";
    let args = [
        CONSOLEIO_write as usize,
        text.len(),
        text.as_ptr() as usize,
        0,
        0,
    ];
    // SAFETY: the text is as long as is said.
    assert_eq!(unsafe { one.hypercall(__HYPERVISOR_console_io, args) }, 0);
    assert_eq!(one.console(), "hello\n");
    let mut op = sched_shutdown { reason: 3 };
    assert_eq!(
        call(&one, __HYPERVISOR_sched_op, SCHEDOP_shutdown, &mut op),
        0
    );
    assert_eq!(one.shutdown_reason(), Some(3));
    assert_eq!(call(&one, __HYPERVISOR_sched_op, SCHEDOP_yield, &mut op), 0);
    assert_eq!(call(&one, __HYPERVISOR_sched_op, 99, &mut op), ENOSYS);
    let mut op = zero::<xen_feature_info>();
    let mut features = |d: &Domain| {
        let rc = call(d, __HYPERVISOR_xen_version, XENVER_get_features, &mut op);
        assert_eq!(rc, 0);
        op.submap
    };
    assert_eq!(features(&one) >> XENFEAT_dom0 & 1, 0);
    assert_eq!(features(&dom0) >> XENFEAT_dom0 & 1, 1);
    let version = call(&one, __HYPERVISOR_xen_version, XENVER_version, &mut 0u32);
    assert_eq!(version, 4 << 16 | 17);
}
