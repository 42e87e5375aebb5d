// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's grant tables: numbers and errors as Xen's.
#![cfg(feature = "sim")]

mod sim_raw;

use std::sync::atomic::Ordering::SeqCst;

use sim_raw::*;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Domain, DomainConfig, Hypervisor, Policy};
use xen_guest::{Platform, Protection};

const RW: u32 = GNTMAP_host_map;
const RO: u32 = GNTMAP_host_map | GNTMAP_readonly;
const OKAY: i32 = 0;

/// Domain 1 grants, domain 2 maps.
fn pair() -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let one = xen.create_domain(DomainConfig::default());
    let two = xen.create_domain(DomainConfig::default());
    (xen, one, two)
}

fn size(d: &Domain, dom: u16) -> (i16, u32, u32) {
    let mut op = [zero::<gnttab_query_size>()];
    op[0].dom = dom;
    assert_eq!(grants(d, GNTTABOP_query_size, &mut op), 0);
    (op[0].status, op[0].nr_frames, op[0].max_nr_frames)
}

#[test]
fn the_table_grows_to_what_is_mapped() {
    let (xen, one, two) = pair();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    assert_eq!(size(&one, SELF), (0, 1, 64));
    let gfn = one.grant_window().gfn.raw();
    let add = |index, gfn| add_to_physmap(&one, SELF, XENMAPSPACE_grant_table, index, gfn);
    assert_eq!(add(3, gfn + 3), 0);
    assert_eq!(size(&one, SELF), (0, 4, 64));
    assert_eq!(add(3, gfn + 9), EBUSY, "at another place already");
    assert_eq!(add(3, gfn + 3), EBUSY, "at this place already");
    assert_eq!(add(64, gfn + 4), EINVAL);
    assert_eq!(add(1 << 31, gfn + 4), EINVAL, "version 1 has no status");
    assert_eq!(remove_from_physmap(&one, SELF, gfn + 3), 0);
    assert_eq!(add(3, gfn + 9), 0);
    assert_eq!(size(&two, 1), (GNTST_permission_denied as i16, 0, 0));
    assert_eq!(size(&two, 9), (GNTST_bad_domain as i16, 0, 0));
    assert_eq!(size(&dom0, 1), (0, 4, 64));
    let mut ops = [zero::<gnttab_query_size>(); 2];
    assert_eq!(grants(&one, GNTTABOP_query_size, &mut ops), EINVAL);
}

#[test]
fn versions() {
    let (_xen, one, _two) = pair();
    let set = |version| {
        let mut op = [gnttab_set_version { version }];
        (grants(&one, GNTTABOP_set_version, &mut op), op[0].version)
    };
    assert_eq!(set(2), (ENOSYS, 1));
    assert_eq!(set(3), (EINVAL, 1));
    assert_eq!(set(1), (0, 1));
    let mut op = [zero::<gnttab_get_version>()];
    op[0].dom = SELF;
    assert_eq!(grants(&one, GNTTABOP_get_version, &mut op), 0);
    assert_eq!(op[0].version, 1);
    op[0].dom = 2;
    assert_eq!(grants(&one, GNTTABOP_get_version, &mut op), EPERM);
    op[0].dom = 7;
    assert_eq!(grants(&one, GNTTABOP_get_version, &mut op), ESRCH);
    assert_eq!(grants(&one, GNTTABOP_transfer, &mut op), EOPNOTSUPP);
    assert_eq!(grants(&one, 99, &mut op), ENOSYS);
}

#[test]
fn setup_table_reports_where_frames_are() {
    let (_xen, one, _two) = pair();
    map_grant_table(&one, 1);
    let mut frames = [0u64; 3];
    let mut op = [zero::<gnttab_setup_table>()];
    op[0].dom = SELF;
    op[0].nr_frames = 3;
    op[0].frame_list.p = frames.as_mut_ptr();
    assert_eq!(grants(&one, GNTTABOP_setup_table, &mut op), 0);
    assert_eq!(op[0].status, 0);
    let gfn = one.grant_window().gfn.raw();
    assert_eq!(frames, [gfn, u64::MAX, u64::MAX]);
    assert_eq!(size(&one, SELF).1, 3);
    op[0].nr_frames = 65;
    assert_eq!(grants(&one, GNTTABOP_setup_table, &mut op), 0);
    assert_eq!(i32::from(op[0].status), GNTST_general_error);
}

#[test]
fn a_mapped_grant_is_the_same_memory() {
    let (xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    page.write(7, 0x5a);
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let empty = two.empty_pages(1).unwrap();
    let va = empty.va().as_ptr();
    let gfn = two.virt_to_gfn(va).unwrap();
    assert_eq!(map_ref(&two, 1, 8, RW, gfn.raw()), (OKAY, 0));
    assert_eq!(table.flags(8).load(SeqCst), 0x19);
    // SAFETY: mapped by the hook and by Xen from here on.
    unsafe {
        two.map(va, gfn, 1, Protection { write: true }).unwrap();
        assert_eq!(va.add(7).read_volatile(), 0x5a);
        va.add(8).write_volatile(0xa5);
    }
    assert_eq!(page.read(8), 0xa5);
    let leaks = xen.leaks();
    assert_eq!(
        (leaks.grants, leaks.mappings, leaks.pinned_frames),
        (1, 1, 1)
    );
    assert_eq!(unmap_ref(&two, 0, gfn.raw()), OKAY);
    assert_eq!(table.flags(8).load(SeqCst), GTF_permit_access as u16);
    assert_eq!(unmap_ref(&two, 0, gfn.raw()), GNTST_bad_handle);
    assert_eq!(unmap_ref(&two, 4000, gfn.raw()), GNTST_bad_handle);
    table.flags(8).store(0, SeqCst);
    // SAFETY: nothing uses it.
    unsafe { two.unmap(va, 1).unwrap() };
    two.return_empty_pages(empty);
    drop(page);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
    assert!(xen.warnings().is_empty());
}

#[test]
fn map_errors_in_xens_order() {
    let (_xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let gfn = two.extended_region().gfn.raw();
    let status = |dom, gref, flags| map_ref(&two, dom, gref, flags, gfn).0;
    assert_eq!(status(9, 9999, 0), GNTST_bad_gntref, "no kind of mapping");
    let device = GNTMAP_host_map | GNTMAP_device_map;
    assert_eq!(status(9, 9999, device), GNTST_general_error);
    assert_eq!(status(9, 9999, RW), GNTST_bad_domain);
    assert_eq!(status(SELF, 8, RW), GNTST_bad_domain);
    assert_eq!(
        status(1, 512, RW),
        GNTST_bad_gntref,
        "beyond the frames there are"
    );
    assert_eq!(status(1, 8, RW), GNTST_general_error, "not granted");
    table.grant(8, 3, page.gfn(), GTF_permit_access);
    assert_eq!(status(1, 8, RW), GNTST_general_error, "to another domain");
    table.grant(8, 2, page.gfn(), GTF_permit_access | GTF_sub_page);
    assert_eq!(status(1, 8, RW), GNTST_general_error, "a part of a page");
    table.grant(8, 2, page.gfn(), GTF_permit_access | GTF_readonly);
    assert_eq!(status(1, 8, RW), GNTST_general_error, "read-only");
    assert_eq!(table.flags(8).load(SeqCst), 5, "nothing is left behind");
    table.grant(8, 2, one.extended_region().gfn, GTF_permit_access);
    assert_eq!(status(1, 8, RW), GNTST_bad_page, "an empty frame");
    assert_eq!(table.flags(8).load(SeqCst), 1, "nothing is left behind");
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let odd = RW | 1 << _GNTMAP_guest_avail0;
    assert_eq!(status(1, 8, odd), GNTST_general_error, "a flag Arm has not");
    assert_eq!(map_ref(&two, 1, 8, RW, 1 << 40).0, GNTST_general_error);
    assert_eq!(table.flags(8).load(SeqCst), 1, "nothing is left behind");
    // Eight handles were taken and given back: Xen's list goes on after them.
    assert_eq!(map_ref(&two, 1, 8, RW, gfn), (OKAY, 8));
}

#[test]
fn pins_follow_the_kinds_of_mappings() {
    let (xen, one, two) = pair();
    let three = xen.create_domain(DomainConfig::default());
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let other = one.alloc_page().unwrap();
    let gfn = two.extended_region().gfn.raw();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    assert_eq!(map_ref(&two, 1, 8, RO, gfn), (OKAY, 0));
    assert_eq!(table.flags(8).load(SeqCst), 0x9);
    assert_eq!(map_ref(&two, 1, 8, RW, gfn + 1), (OKAY, 1));
    assert_eq!(table.flags(8).load(SeqCst), 0x19);
    // What the entry says now is of no interest: it is in use.
    table.grant(
        8,
        3,
        other.gfn(),
        GTF_permit_access | GTF_reading | GTF_writing,
    );
    assert_eq!(map_ref(&three, 1, 8, RO, gfn).0, GNTST_general_error);
    assert_eq!(map_ref(&two, 1, 8, RO, gfn + 2), (OKAY, 2));
    assert_eq!(xen.leaks().pinned_frames, 1);
    assert_eq!(unmap_ref(&two, 1, gfn + 1), OKAY);
    assert_eq!(table.flags(8).load(SeqCst), 0x9);
    assert_eq!(unmap_ref(&two, 0, gfn), OKAY);
    assert_eq!(table.flags(8).load(SeqCst), 0x9);
    assert_eq!(unmap_ref(&two, 2, gfn + 2), OKAY);
    assert_eq!(table.flags(8).load(SeqCst), 0x1);
    // Handles are counted up before any is used again.
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    assert_eq!(map_ref(&two, 1, 8, RO, gfn), (OKAY, 3));
    for index in 1..128 {
        assert_eq!(map_ref(&two, 1, 8, RO, gfn + index).0, OKAY);
    }
    assert_eq!(
        map_ref(&two, 1, 8, RO, gfn + 128).0,
        GNTST_general_error,
        "128 of a kind"
    );
}

#[test]
fn unmap_wants_the_right_place() {
    let (xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let gfn = two.extended_region().gfn.raw();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let (_, handle) = map_ref(&two, 1, 8, RW, gfn);
    let ram = two.ram().gfn.raw();
    assert_eq!(unmap_ref(&two, handle, ram), GNTST_general_error);
    assert_eq!(unmap_ref(&two, handle, 0), OKAY, "nothing named");
    assert_eq!(xen.leaks().mappings, 1);
    assert_eq!(remove_from_physmap(&two, SELF, gfn), ENOENT);
    assert_eq!(xen.warnings().len(), 1);
    // At an empty frame Xen believes the caller.
    assert_eq!(unmap_ref(&two, handle, gfn + 5), OKAY);
    assert_eq!(xen.warnings().len(), 2);
    assert_eq!(xen.leaks().mappings, 0);
    assert_eq!(table.flags(8).load(SeqCst), 1);
}

#[test]
fn nothing_can_replace_a_mapping_on_arm() {
    let (xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let gfn = two.extended_region().gfn.raw();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let (_, handle) = map_ref(&two, 1, 8, RW, gfn);
    let replace = |handle, new_addr| {
        let mut op = [zero::<gnttab_unmap_and_replace>()];
        op[0].host_addr = gfn << 12;
        op[0].new_addr = new_addr;
        op[0].handle = handle;
        assert_eq!(grants(&two, GNTTABOP_unmap_and_replace, &mut op), 0);
        i32::from(op[0].status)
    };
    assert_eq!(replace(handle + 1, 0), GNTST_bad_handle);
    assert_eq!(replace(handle, 4096), GNTST_general_error);
    assert_eq!(xen.leaks().mappings, 1);
    assert_eq!(replace(handle, 0), OKAY);
    assert_eq!(table.flags(8).load(SeqCst), 1);
}

#[test]
fn caches_are_flushed_of_what_is_mapped() {
    let (_xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let gfn = two.extended_region().gfn.raw();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let mut op = [map_op(1, 8, RW, gfn << 12)];
    assert_eq!(grants(&two, GNTTABOP_map_grant_ref, &mut op), 0);
    let flush = |address, offset, length, cmd: u32| {
        let mut op = [zero::<gnttab_cache_flush>()];
        op[0].a.dev_bus_addr = address;
        op[0].offset = offset;
        op[0].length = length;
        op[0].op = cmd;
        grants(&two, GNTTABOP_cache_flush, &mut op)
    };
    let (address, clean) = (op[0].dev_bus_addr, GNTTAB_CACHE_CLEAN);
    assert_eq!(flush(address, 0, 4096, clean | GNTTAB_CACHE_INVAL), 0);
    assert_eq!(flush(address, 1, 4096, clean), EINVAL);
    assert_eq!(flush(address, 4096, 0, clean), EINVAL);
    assert_eq!(flush(address, 0, 1, 1 << 31), EINVAL);
    assert_eq!(flush(1 << 60, 0, 0, clean), 0, "nothing to do");
    assert_eq!(flush(1 << 60, 0, 1, clean), EINVAL);
    assert_eq!(flush(1 << 30, 0, 1, clean), EPERM, "nobody's");
    assert_eq!(unmap_ref(&two, op[0].handle, gfn), OKAY);
    assert_eq!(flush(address, 0, 1, clean), EINVAL, "not mapped any more");
}

#[test]
fn mapping_over_ram_loses_it() {
    let (xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let ram = two.ram().gfn.raw();
    let (_, handle) = map_ref(&two, 1, 8, RW, ram);
    assert_eq!(xen.leaks().lost_pages, 1);
    assert_eq!(xen.warnings().len(), 1);
    assert_eq!(unmap_ref(&two, handle, ram), OKAY);
    assert_eq!(about(&two, XENMEM_current_reservation, SELF), 1024);
}

#[test]
fn batches_go_on_after_a_failure_and_stop_at_a_fault() {
    let (_xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    for gref in [8, 10] {
        table.grant(gref, 2, page.gfn(), GTF_permit_access);
    }
    let gfn = two.extended_region().gfn.raw();
    let mut ops = [8, 9, 10].map(|gref| map_op(1, gref, RW, (gfn + u64::from(gref)) << 12));
    assert_eq!(grants(&two, GNTTABOP_map_grant_ref, &mut ops), 0);
    assert_eq!(ops.map(|op| op.status), [0, -1, 0]);
    assert_eq!((ops[0].handle, ops[2].handle), (0, 2));
    let args = [GNTTABOP_map_grant_ref as usize, 0, 1, 0, 0];
    // SAFETY: a null argument is what is tested.
    let rc = unsafe { two.hypercall(__HYPERVISOR_grant_table_op, args) };
    assert_eq!(rc, EFAULT);
    let args = [GNTTABOP_map_grant_ref as usize, 0, 1 << 31, 0, 0];
    // SAFETY: the count is refused before anything is used.
    let rc = unsafe { two.hypercall(__HYPERVISOR_grant_table_op, args) };
    assert_eq!(rc, EINVAL);
}

fn copy_end(dom: u16, gref: Option<u32>, gfn: u64, offset: u16) -> gnttab_copy_gnttab_copy_ptr {
    let mut end = zero::<gnttab_copy_gnttab_copy_ptr>();
    end.domid = dom;
    end.offset = offset;
    match gref {
        Some(gref) => end.u.ref_ = gref,
        None => end.u.gmfn = gfn,
    }
    end
}

#[test]
fn copies() {
    let (_xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let own = two.alloc_page().unwrap();
    table.grant(8, 2, page.gfn(), GTF_permit_access | GTF_readonly);
    table.grant(9, 2, page.gfn(), GTF_permit_access);
    page.write(100, 42);
    let copy = |source, dest, len, flags: u32| {
        let mut op = [zero::<gnttab_copy>()];
        op[0].source = source;
        op[0].dest = dest;
        op[0].len = len;
        op[0].flags = flags as u16;
        op[0].status = 77;
        assert_eq!(grants(&two, GNTTABOP_copy, &mut op), 0);
        i32::from(op[0].status)
    };
    let granted = |gref, offset| copy_end(1, Some(gref), 0, offset);
    let mine = |offset| copy_end(SELF, None, own.gfn().raw(), offset);
    let (from, to) = (GNTCOPY_source_gref, GNTCOPY_dest_gref);
    assert_eq!(copy(granted(8, 100), mine(5), 4, from), OKAY);
    assert_eq!(own.read(5), 42);
    assert_eq!(table.flags(8).load(SeqCst), 5, "marked only meanwhile");
    own.write(6, 43);
    assert_eq!(copy(mine(6), granted(9, 7), 1, to), OKAY);
    assert_eq!(page.read(7), 43);
    assert_eq!(copy(mine(0), granted(8, 0), 1, to), GNTST_general_error);
    assert_eq!(copy(granted(8, 4095), mine(0), 2, from), GNTST_bad_copy_arg);
    assert_eq!(
        copy(granted(8, 0), mine(4000), 97, from),
        GNTST_bad_copy_arg
    );
    assert_eq!(copy(granted(600, 0), mine(0), 1, from), GNTST_bad_gntref);
    assert_eq!(copy(granted(10, 0), mine(0), 1, from), GNTST_general_error);
    let named = copy_end(2, None, own.gfn().raw(), 0);
    assert_eq!(copy(named, mine(0), 1, 0), GNTST_permission_denied);
    let nobody = copy_end(9, Some(8), 0, 0);
    assert_eq!(copy(nobody, mine(0), 1, from), GNTST_bad_domain);
    assert_eq!(copy(nobody, named, 0, from), OKAY, "nothing to copy");
    let hole = copy_end(SELF, None, two.extended_region().gfn.raw(), 0);
    assert_eq!(copy(hole, mine(0), 1, 0), GNTST_bad_page);
    assert_eq!(copy(mine(5), mine(50), 2, 0), OKAY);
    assert_eq!(own.read(50), 42);
}

#[test]
fn swaps() {
    let (_xen, one, two) = pair();
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let swap = |a, b| {
        let mut op = [zero::<gnttab_swap_grant_ref>()];
        op[0].ref_a = a;
        op[0].ref_b = b;
        assert_eq!(grants(&one, GNTTABOP_swap_grant_ref, &mut op), 0);
        i32::from(op[0].status)
    };
    assert_eq!(swap(8, 512), GNTST_bad_gntref);
    assert_eq!(swap(8, 8), OKAY);
    assert_eq!(swap(8, 9), OKAY);
    assert_eq!(table.flags(9).load(SeqCst), 1);
    let gfn = two.extended_region().gfn.raw();
    assert_eq!(map_ref(&two, 1, 9, RW, gfn).0, OKAY);
    assert_eq!(swap(8, 9), GNTST_eagain);
}

#[test]
fn a_dead_mapper_lets_go_and_a_dead_granter_waits() {
    let (xen, one, two) = pair();
    let three = xen.create_domain(DomainConfig::default());
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    table.grant(9, 3, page.gfn(), GTF_permit_access);
    let gfn = two.extended_region().gfn.raw();
    assert_eq!(map_ref(&two, 1, 8, RW, gfn).0, OKAY);
    assert_eq!(map_ref(&three, 1, 9, RO, gfn).0, OKAY);
    two.destroy();
    assert_eq!(table.flags(8).load(SeqCst), 1);
    let (va, at) = (three.extended_region().va, three.extended_region().gfn);
    // SAFETY: Xen mapped a grant there.
    unsafe { three.map(va, at, 1, Protection { write: false }).unwrap() };
    page.write(0, 9);
    one.destroy();
    assert!(one.exists(), "found as long as a page of it is mapped");
    // SAFETY: as above; the page is still there.
    assert_eq!(unsafe { va.read_volatile() }, 9);
    assert_eq!(bind_interdomain(&three, 1, 1), EINVAL);
    assert_eq!(unmap_ref(&three, 0, gfn), OKAY);
    assert!(!one.exists());
    drop(page);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn silo_and_faults() {
    let xen = Hypervisor::with_policy(Policy::Silo);
    let one = xen.create_domain(DomainConfig::default());
    let two = xen.create_domain(DomainConfig::default());
    let table = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let gfn = two.extended_region().gfn.raw();
    assert_eq!(map_ref(&two, 1, 8, RW, gfn).0, GNTST_permission_denied);
    // One's own grants are mapped by one's own number.
    table.grant(9, 1, page.gfn(), GTF_permit_access);
    xen.fail_grant_map(one.domid(), 2, GNTST_eagain as i16);
    assert_eq!(map_ref(&one, 1, 9, RW, gfn), (OKAY, 0));
    assert_eq!(map_ref(&one, 1, 9, RW, gfn + 1).0, GNTST_eagain);
    assert_eq!(map_ref(&one, 1, 9, RW, gfn + 1), (OKAY, 1));
    xen.fail_hypercall(one.domid(), 1, 12);
    assert_eq!(send(&one, 1), -12);
    assert_eq!(xen.faults_left(one.domid()), 0);
    xen.keep_log(1);
    assert_eq!(unmap_ref(&one, 1, gfn + 1), OKAY);
    assert_eq!(xen.log()[0].name(), ("grant_table_op", "unmap_grant_ref"));
    assert!(
        xen.log()[0]
            .to_string()
            .starts_with("d1 grant_table_op unmap_grant_ref x1")
    );
}
