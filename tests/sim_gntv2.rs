// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's grant tables of version 2: numbers and errors as Xen's on
//! x86, from which most of them are.
#![cfg(feature = "sim")]

mod sim_raw;

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::SeqCst};

use sim_raw::*;
use xen_guest::Gfn;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Domain, DomainConfig, Hypervisor};

const RW: u32 = GNTMAP_host_map;
const RO: u32 = GNTMAP_host_map | GNTMAP_readonly;
const OKAY: i32 = 0;
const ERANGE: isize = -34;
const STATUS: u64 = XENMAPIDX_grant_table_status as u64;

/// Domains 1, 2 and 3.
fn three() -> (Hypervisor, [Domain; 3]) {
    let xen = Hypervisor::new().with_grants_v2();
    let domains = std::array::from_fn(|_| xen.create_domain(DomainConfig::default()));
    (xen, domains)
}

fn set_version(d: &Domain, version: u32) -> (isize, u32) {
    let mut op = [gnttab_set_version { version }];
    (grants(d, GNTTABOP_set_version, &mut op), op[0].version)
}

fn version(d: &Domain, dom: u16) -> u32 {
    let mut op = [zero::<gnttab_get_version>()];
    op[0].dom = dom;
    assert_eq!(grants(d, GNTTABOP_get_version, &mut op), 0);
    op[0].version
}

fn frames(d: &Domain) -> u32 {
    let mut op = [zero::<gnttab_query_size>()];
    op[0].dom = SELF;
    assert_eq!(grants(d, GNTTABOP_query_size, &mut op), 0);
    op[0].nr_frames
}

fn add(d: &Domain, index: u64, page: u64) -> isize {
    let gfn = d.grant_window().gfn.raw() + page;
    add_to_physmap(d, SELF, XENMAPSPACE_grant_table, index, gfn)
}

/// A frame of the table and one with the status words.
struct Table(*mut u8);

impl Table {
    fn new(d: &Domain) -> Self {
        assert_eq!(set_version(d, 2), (0, 2));
        assert_eq!((add(d, 0, 0), add(d, STATUS, 1)), (0, 0));
        let window = d.grant_window();
        map(d, &xen_guest::Window { pages: 2, ..window }, true);
        Self(window.va)
    }

    fn at(&self, offset: usize) -> *mut u8 {
        self.0.wrapping_add(offset)
    }

    fn header(&self, gref: u32) -> &AtomicU32 {
        // SAFETY: mapped by `new`; tests stay in bounds.
        unsafe { AtomicU32::from_ptr(self.at(gref as usize * 16).cast()) }
    }

    fn status(&self, gref: u32) -> u16 {
        // SAFETY: as for `header`.
        unsafe { AtomicU16::from_ptr(self.at(4096 + gref as usize * 2).cast()).load(SeqCst) }
    }

    fn put(&self, gref: u32, domid: u16, flags: u32, detail: u32, frame: u64) {
        // SAFETY: as for `header`.
        let (middle, last) = unsafe {
            let entry = self.at(gref as usize * 16);
            (
                AtomicU32::from_ptr(entry.add(4).cast()),
                AtomicU64::from_ptr(entry.add(8).cast()),
            )
        };
        last.store(frame, SeqCst);
        middle.store(detail, SeqCst);
        self.header(gref)
            .store(flags | u32::from(domid) << 16, SeqCst);
    }

    fn grant(&self, gref: u32, domid: u16, gfn: Gfn, flags: u32) {
        self.put(gref, domid, flags, 0, gfn.raw());
    }

    /// What `from` granted as `theirs`.
    fn pass_on(&self, gref: u32, domid: u16, flags: u32, (from, theirs): (u16, u32)) {
        let flags = GTF_transitive | flags;
        self.put(gref, domid, flags, from.into(), theirs.into());
    }
}

/// From a granted page of `dom` to one's own, or the reverse: (dom, gref).
fn copy(d: &Domain, theirs: (u16, u32), offset: u16, own: Gfn, len: u16, to: bool) -> i32 {
    let mut op = [zero::<gnttab_copy>()];
    let (granted, mine, flag) = if to {
        (&mut op[0].dest, &mut op[0].source, GNTCOPY_dest_gref)
    } else {
        (&mut op[0].source, &mut op[0].dest, GNTCOPY_source_gref)
    };
    (granted.domid, granted.u.ref_, granted.offset) = (theirs.0, theirs.1, offset);
    (mine.domid, mine.u.gmfn) = (SELF, own.raw());
    (op[0].len, op[0].flags) = (len, flag as u16);
    assert_eq!(grants(d, GNTTABOP_copy, &mut op), 0);
    op[0].status.into()
}

#[test]
fn versions() {
    let (xen, [one, two, _]) = three();
    assert_eq!(set_version(&one, 3), (EINVAL, 1));
    assert_eq!(set_version(&one, 0), (EINVAL, 1));
    assert_eq!(set_version(&one, 1), (0, 1));
    assert_eq!(add(&one, STATUS, 0), EINVAL, "version 1 has no status");
    assert_eq!(set_version(&one, 2), (0, 2));
    assert_eq!(set_version(&one, 2), (0, 2));
    assert_eq!((version(&one, SELF), version(&two, SELF)), (2, 1));
    // Xen does not tell guests with a physmap where they are.
    let mut op = [zero::<gnttab_get_status_frames>()];
    op[0].dom = SELF;
    assert_eq!(grants(&one, GNTTABOP_get_status_frames, &mut op), ENOSYS);
    // The table is made as large as one page of status words is for.
    assert_eq!((add(&one, STATUS, 0), frames(&one)), (0, 1));
    assert_eq!((add(&one, STATUS | 1, 1), frames(&one)), (0, 16));
    assert_eq!((add(&one, STATUS | 7, 2), frames(&one)), (0, 64));
    assert_eq!(add(&one, STATUS | 8, 3), EINVAL);
    assert_eq!(add(&one, 64, 3), EINVAL);
    assert_eq!(add(&one, 63, 3), 0);
    // Back: the pages with the status go, that of the table stays.
    assert_eq!(set_version(&one, 1), (0, 1));
    let gfn = one.grant_window().gfn.raw();
    let remove = |page| remove_from_physmap(&one, SELF, gfn + page);
    assert_eq!([0, 1, 2, 3].map(remove), [ENOENT, ENOENT, ENOENT, 0]);
    assert!(xen.leaks().is_zero());

    // Fewer frames than a page has the status of.
    let small = xen.create_domain(DomainConfig::default().with_max_grant_frames(12));
    assert_eq!(set_version(&small, 2), (0, 2));
    assert_eq!(
        (add(&small, STATUS, 0), add(&small, STATUS | 1, 1)),
        (0, EINVAL)
    );
    assert_eq!((add(&small, 8, 2), add(&small, STATUS | 1, 1)), (0, 0));

    let arm = Hypervisor::new();
    let one = arm.create_domain(DomainConfig::default());
    assert_eq!(set_version(&one, 2), (ENOSYS, 1));
}

/// The toolstack's entries are kept, in the other form, and all others lost.
#[test]
fn reserved_entries_stay() {
    let (_xen, [one, two, _]) = three();
    let v1 = map_grant_table(&one, 1);
    let page = one.alloc_page().unwrap();
    let empty = two.extended_region().gfn.raw();
    v1.grant(1, 2, page.gfn(), GTF_permit_access);
    v1.grant(8, 2, page.gfn(), GTF_permit_access);
    let (status, handle) = map_ref(&two, 1, 1, RW, empty);
    assert_eq!((status, v1.flags(1).load(SeqCst)), (OKAY, 0x19));
    let table = Table(one.grant_window().va);
    assert_eq!(set_version(&one, 2), (0, 2));
    assert_eq!(add(&one, STATUS, 1), 0);
    let window = page_of(&one, 1);
    map(&one, &window, true);
    assert_eq!(table.header(1).load(SeqCst), 2 << 16 | 1);
    assert_eq!((table.status(1), table.header(8).load(SeqCst)), (0x18, 0));
    // What version 1 can't say keeps Xen from going back.
    let wide = page.gfn().raw() | 1 << 32;
    table.put(2, 2, GTF_permit_access, 0, wide);
    assert_eq!(set_version(&one, 1), (ERANGE, 2));
    table.pass_on(2, 2, 0, (3, 9));
    assert_eq!(set_version(&one, 1), (ERANGE, 2));
    table.header(2).store(0, SeqCst);
    assert_eq!(set_version(&one, 1), (0, 1));
    assert_eq!(v1.flags(1).load(SeqCst), 0x19);
    assert_eq!(unmap_ref(&two, handle, empty), OKAY);
    assert_eq!(v1.flags(1).load(SeqCst), 1);
    v1.flags(1).store(0, SeqCst);
}

fn page_of(d: &Domain, index: u32) -> xen_guest::Window {
    page(d.grant_window(), index)
}

#[test]
fn marks_are_apart() {
    let (_xen, [one, two, three]) = three();
    let table = Table::new(&one);
    let page = one.alloc_page().unwrap();
    let empty = two.extended_region().gfn.raw();
    table.grant(8, 2, page.gfn(), GTF_permit_access);
    let (status, first) = map_ref(&two, 1, 8, RO, empty);
    assert_eq!((status, table.status(8)), (OKAY, 8));
    let (status, second) = map_ref(&two, 1, 8, RW, empty + 1);
    assert_eq!((status, table.status(8)), (OKAY, 0x18));
    assert_eq!(table.header(8).load(SeqCst), 2 << 16 | 1);
    assert_eq!(map_ref(&three, 1, 8, RO, empty).0, GNTST_general_error);
    assert_eq!(set_version(&one, 1), (EBUSY, 2));
    let mut swap = [zero::<gnttab_swap_grant_ref>()];
    (swap[0].ref_a, swap[0].ref_b) = (8, 9);
    assert_eq!(grants(&one, GNTTABOP_swap_grant_ref, &mut swap), 0);
    assert_eq!(i32::from(swap[0].status), GNTST_eagain);
    // For reading only from now on: who writes goes on, and nobody more does.
    table.header(8).store(2 << 16 | 5, SeqCst);
    assert_eq!(unmap_ref(&two, second, empty + 1), OKAY);
    assert_eq!(table.status(8), 8);
    assert_eq!(map_ref(&two, 1, 8, RW, empty + 1).0, GNTST_general_error);
    assert_eq!(table.status(8), 8);
    assert_eq!(unmap_ref(&two, first, empty), OKAY);
    assert_eq!(table.status(8), 0);
    assert_eq!(map_ref(&two, 1, 8, RW, empty).0, GNTST_general_error);
    assert_eq!(map_ref(&two, 1, 255, RW, empty).0, GNTST_general_error);
    assert_eq!(map_ref(&two, 1, 256, RW, empty).0, GNTST_bad_gntref);
    table.put(8, 2, GTF_permit_access, 0, page.gfn().raw() | 1 << 32);
    assert_eq!(map_ref(&two, 1, 8, RW, empty).0, GNTST_bad_page);
    assert_eq!(table.status(8), 0);
    // All 16 bytes.
    assert_eq!(grants(&one, GNTTABOP_swap_grant_ref, &mut swap), 0);
    assert_eq!(swap[0].status, 0);
    assert_eq!(table.header(8).load(SeqCst), 0);
    assert_eq!(map_ref(&two, 1, 9, RW, empty).0, GNTST_bad_page);
    table.header(9).store(0, SeqCst);
}

#[test]
fn parts_of_a_page() {
    let (_xen, [one, two, three]) = three();
    let table = Table::new(&one);
    let page = one.alloc_page().unwrap();
    let own = two.alloc_page().unwrap();
    let empty = two.extended_region().gfn.raw();
    let part = GTF_permit_access | GTF_sub_page;
    table.put(8, 2, part, 100 | 16 << 16, page.gfn().raw());
    for how in [RW, RO] {
        assert_eq!(map_ref(&two, 1, 8, how, empty).0, GNTST_general_error);
    }
    page.write(115, 42);
    for to in [true, false] {
        let copy = |offset, len| copy(&two, (1, 8), offset, own.gfn(), len, to);
        assert_eq!(copy(99, 1), GNTST_general_error);
        assert_eq!(copy(116, 1), GNTST_general_error);
        assert_eq!(copy(100, 17), GNTST_general_error);
        assert_eq!(copy(4000, 97), GNTST_bad_copy_arg);
        assert_eq!(copy(4095, 1), GNTST_general_error);
        assert_eq!(page.read(115), 42);
    }
    assert_eq!(copy(&two, (1, 8), 100, own.gfn(), 16, false), OKAY);
    assert_eq!((own.read(15), table.status(8)), (42, 0));
    assert_eq!(copy(&two, (1, 8), 100, own.gfn(), 15, true), OKAY);
    assert_eq!((page.read(99), page.read(115)), (0, 42));
    let theirs = three.alloc_page().unwrap();
    assert_eq!(
        copy(&three, (1, 8), 100, theirs.gfn(), 1, false),
        GNTST_general_error
    );
    table.put(8, 2, part | GTF_readonly, 4096 << 16, page.gfn().raw());
    assert_eq!(copy(&two, (1, 8), 0, own.gfn(), 4096, false), OKAY);
    assert_eq!(
        copy(&two, (1, 8), 0, own.gfn(), 1, true),
        GNTST_general_error
    );
    assert_eq!(map_ref(&two, 1, 8, RO, empty).0, GNTST_general_error);
    // Beyond the page: what is inside.
    table.put(8, 2, part, 4000 | 0xffff << 16, page.gfn().raw());
    assert_eq!(copy(&two, (1, 8), 4000, own.gfn(), 96, false), OKAY);
    assert_eq!(
        copy(&two, (1, 8), 4000, own.gfn(), 97, false),
        GNTST_bad_copy_arg
    );
    table.header(8).store(0, SeqCst);
}

/// Domain 1 grants to 2, which passes it on to 3.
#[test]
fn grants_are_passed_on_once() {
    let (_xen, [one, two, three]) = three();
    let (first, second) = (Table::new(&one), Table::new(&two));
    let page = one.alloc_page().unwrap();
    let own = three.alloc_page().unwrap();
    let empty = three.extended_region().gfn.raw();
    let whole = |flags| first.grant(20, 2, page.gfn(), GTF_permit_access | flags);
    whole(0);
    second.pass_on(8, 3, 0, (1, 20));
    page.write(7, 42);
    let from = |dom, gref, offset| copy(&three, (dom, gref), offset, own.gfn(), 1, false);
    let to = |dom, gref| copy(&three, (dom, gref), 8, own.gfn(), 1, true);
    assert_eq!(from(2, 8, 7), OKAY);
    assert_eq!(own.read(0), 42);
    assert_eq!((to(2, 8), page.read(8)), (OKAY, 42));
    assert_eq!((first.status(20), second.status(8)), (0, 0));
    assert_eq!(map_ref(&three, 2, 8, RO, empty).0, GNTST_general_error);
    assert_eq!(from(1, 20, 7), GNTST_general_error, "not granted to 3");
    // For reading, by the one or the other.
    second.pass_on(8, 3, GTF_readonly, (1, 20));
    assert_eq!((from(2, 8, 7), to(2, 8)), (OKAY, GNTST_general_error));
    second.pass_on(8, 3, 0, (1, 20));
    whole(GTF_readonly);
    assert_eq!((from(2, 8, 7), to(2, 8)), (OKAY, GNTST_general_error));
    // A part.
    let part = GTF_permit_access | GTF_sub_page;
    first.put(20, 2, part, 7 | 1 << 16, page.gfn().raw());
    assert_eq!((from(2, 8, 7), from(2, 8, 8)), (OKAY, GNTST_general_error));
    whole(0);
    // From somebody else, from nobody, from itself, what is not there.
    second.pass_on(8, 3, 0, (1, 21));
    assert_eq!(from(2, 8, 7), GNTST_general_error);
    second.pass_on(8, 3, 0, (1, 400));
    assert_eq!(from(2, 8, 7), GNTST_bad_gntref);
    for nobody in [9, 2, SELF] {
        second.pass_on(8, 3, 0, (nobody, 20));
        assert_eq!(from(2, 8, 7), GNTST_general_error, "{nobody}");
    }
    // Not on and on.
    second.pass_on(8, 3, 0, (1, 20));
    let third = Table::new(&three);
    third.pass_on(8, 1, 0, (2, 8));
    let back = one.alloc_page().unwrap();
    assert_eq!(
        copy(&one, (3, 8), 7, back.gfn(), 1, false),
        GNTST_general_error
    );
    // Back to whom it came from: that is once, too.
    second.pass_on(9, 1, 0, (1, 20));
    assert_eq!(copy(&one, (2, 9), 7, back.gfn(), 1, false), OKAY);
    assert_eq!(back.read(0), 42);
    // From and to the same.
    let mut op = [zero::<gnttab_copy>()];
    for (end, offset) in [(&mut op[0].source, 7), (&mut op[0].dest, 9)] {
        (end.domid, end.u.ref_, end.offset) = (2, 8, offset);
    }
    op[0].len = 1;
    op[0].flags = (GNTCOPY_source_gref | GNTCOPY_dest_gref) as u16;
    assert_eq!(grants(&three, GNTTABOP_copy, &mut op), 0);
    assert_eq!((op[0].status, page.read(9)), (0, 42));
    for (table, gref) in [(&first, 20), (&second, 8), (&second, 9), (&third, 8)] {
        assert_eq!(table.status(gref), 0);
        table.header(gref).store(0, SeqCst);
    }
}

/// What another has mapped of it can't be taken away.
#[test]
fn status_of_another() {
    let xen = Hypervisor::new().with_grants_v2();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    let mut gfn = [dom0.extended_region().gfn.raw()];
    let mut acquire = |count: u32, list: bool| {
        let mut op = zero::<xen_mem_acquire_resource>();
        op.domid = 1;
        op.type_ = XENMEM_resource_grant_table as u16;
        op.id = XENMEM_resource_grant_table_id_status;
        op.nr_frames = count;
        if list {
            op.frame_list.p = gfn.as_mut_ptr();
        }
        (
            memory(&dom0, XENMEM_acquire_resource, &mut op),
            op.nr_frames,
        )
    };
    assert_eq!(acquire(0, false), (0, 8), "whatever version it is");
    assert_eq!(acquire(1, true).0, EINVAL);
    assert_eq!(set_version(&one, 2), (0, 2));
    assert_eq!(acquire(1, true).0, 0);
    assert_eq!(set_version(&one, 1), (EBUSY, 2));
    assert!(xen.warnings()[0].contains("crashed"));
    assert_eq!(remove_from_physmap(&dom0, SELF, gfn[0]), 0);
    assert_eq!(set_version(&one, 1), (0, 1));
}
