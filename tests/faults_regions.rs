// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest's regions with hooks that fail, looked at page by page: what is
//! taken, what is mapped, and what others map into them.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread;

use common::{EBUSY, EINVAL, EIO, ENOSPC, Fault, Random, Raw, exhaust, map_op, unmap_op};
use xen_guest::ffi;
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor};
use xen_guest::{
    Access, EmptyPages, Error, ForeignMap, Gfn, Guest, GuestConfig, PAGE_SIZE, Region, RegionPages,
    Window, region_metadata,
};

const EFAULT: i32 = -14;
const PROT: u32 = ffi::XG_PROT_READ | ffi::XG_PROT_WRITE;

/// `pages` frames of the domain's extended region, from number `first` on.
fn part(domain: &Domain, first: u32, pages: u32) -> Window {
    let whole = domain.extended_region();
    assert!(first + pages <= whole.pages);
    Window {
        va: whole.va.wrapping_add(first as usize * PAGE_SIZE),
        gfn: Gfn::new(whole.gfn.raw() + u64::from(first)),
        pages,
    }
}

/// A guest with a region at each of `parts`, first page and length.
fn with_regions(domain: &Domain, parts: &[(u32, u32)], body: impl FnOnce(&Guest<'_>)) {
    let mut metadata: Vec<Vec<u64>> = parts
        .iter()
        .map(|(_, pages)| vec![u64::MAX; region_metadata(*pages)])
        .collect();
    let mut regions: Vec<Region<'_>> = metadata
        .iter_mut()
        .zip(parts)
        .map(|(words, (first, pages))| {
            // SAFETY: frames of the domain that nobody else takes.
            unsafe { Region::new(&part(domain, *first, *pages), words) }.unwrap()
        })
        .collect();
    let mut storage = common::Storage::new();
    let config = common::config(domain).with_regions(&mut regions);
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest = unsafe { Guest::new(&mut storage, domain, config) }.unwrap();
    body(&guest);
    let raw = Raw::of(&guest);
    for i in 0..parts.len() {
        // SAFETY: the guest is set up, with so many regions.
        let rc = unsafe { ffi::xg_region_verify((*raw.0).regions.add(i)) };
        assert_eq!(rc, 0, "region {i}");
    }
    guest.finish().unwrap();
}

/// The region calls of one guest, without the `unsafe`.
#[derive(Clone, Copy)]
struct Calls<'d> {
    raw: Raw,
    domain: &'d Domain,
}

impl Calls<'_> {
    /// The address of a page of the extended region.
    fn va(self, page: u32) -> *mut u8 {
        let start = self.domain.extended_region().va;
        start.wrapping_add(page as usize * PAGE_SIZE)
    }

    fn take(self, n: u32) -> Option<u32> {
        // SAFETY: the guest is set up.
        let va = unsafe { ffi::xg_region_get_pages(self.raw.0, n) };
        let offset = va.addr().wrapping_sub(self.va(0).addr());
        (!va.is_null()).then_some((offset / PAGE_SIZE) as u32)
    }

    fn give(self, page: u32, n: u32) -> i32 {
        // SAFETY: the guest is set up; nothing uses the pages.
        unsafe { ffi::xg_region_put_pages(self.raw.0, self.va(page).cast(), n) }
    }

    fn map(self, page: u32, n: u32) -> i32 {
        // SAFETY: the guest is set up; nothing uses the pages.
        unsafe { ffi::xg_region_map(self.raw.0, self.va(page).cast(), n, PROT) }
    }

    fn unmap(self, page: u32, n: u32) -> i32 {
        // SAFETY: the guest is set up; nothing uses the pages.
        unsafe { ffi::xg_region_unmap(self.raw.0, self.va(page).cast(), n) }
    }

    /// What region `i` says of a page of its own.
    fn says_mapped(self, i: usize, page: u32) -> bool {
        // SAFETY: the guest is set up, with that region.
        unsafe {
            let word = (*(*self.raw.0).regions.add(i))
                .mapped
                .add(page as usize / 64);
            *word >> (page % 64) & 1 != 0
        }
    }
}

/// What every page should be.
struct Model<'d> {
    calls: Calls<'d>,
    parts: &'d [(u32, u32)],
    used: Vec<bool>,
    mapped: Vec<bool>,
    allocations: Vec<(u32, u32)>,
}

impl Model<'_> {
    fn run(&self, page: u32, n: u32) -> std::ops::Range<usize> {
        page as usize..(page + n) as usize
    }

    /// All of it used, and within one region.
    fn usable(&self, page: u32, n: u32) -> bool {
        n > 0
            && self
                .parts
                .iter()
                .any(|(first, pages)| page >= *first && page + n <= first + pages)
            && self.used[self.run(page, n)].iter().all(|used| *used)
    }

    /// Why pages are not mapped or unmapped: what is wrong in the first word of
    /// their region in which anything is.
    fn refusal(&self, page: u32, n: u32, map: bool, busy: i32) -> Option<i32> {
        let inside =
            |&&(first, pages): &&(u32, u32)| n > 0 && page >= first && page + n <= first + pages;
        let Some(&(first, _)) = self.parts.iter().find(inside) else {
            return Some(EFAULT);
        };
        let mut at = page;
        while at < page + n {
            let end = (first + ((at - first) / 64 + 1) * 64).min(page + n);
            let run = self.run(at, end - at);
            if self.used[run.clone()].contains(&false) {
                return Some(EFAULT);
            }
            if self.mapped[run].contains(&map) {
                return Some(busy);
            }
            at = end;
        }
        None
    }

    fn take(&mut self, n: u32) {
        if let Some(page) = self.calls.take(n) {
            let run = self.run(page, n);
            assert!(self.used[run.clone()].iter().all(|used| !used));
            assert!(self.mapped[run.clone()].iter().all(|mapped| !mapped));
            self.used[run].fill(true);
            assert!(self.usable(page, n));
            self.allocations.push((page, n));
        }
    }

    fn give(&mut self, page: u32, n: u32) {
        let exact = self.allocations.iter().position(|it| *it == (page, n));
        let inside = self
            .parts
            .iter()
            .any(|(first, pages)| page >= *first && page < first + pages);
        let busy = exact.is_some() && self.mapped[self.run(page, n)].contains(&true);
        let want = match exact {
            _ if !inside => EIO,
            None => EINVAL,
            Some(_) if busy => EBUSY,
            Some(at) => {
                self.allocations.swap_remove(at);
                let run = self.run(page, n);
                self.used[run].fill(false);
                0
            }
        };
        assert_eq!(self.calls.give(page, n), want, "give {page} {n}");
    }

    /// Map or unmap; the hook fails if it is called at all and `fault`.
    fn change(&mut self, page: u32, n: u32, map: bool, fault: bool) {
        let (hook, refused) = if map {
            (Hook::Map, EBUSY)
        } else {
            (Hook::Unmap, EINVAL)
        };
        let xen = self.calls.domain.hypervisor();
        let id = self.calls.domain.domid();
        if fault {
            Fault::Hook(hook).inject(self.calls.domain, 1);
        }
        let rc = if map {
            self.calls.map(page, n)
        } else {
            self.calls.unmap(page, n)
        };
        let called = fault && xen.faults_left(id) == 0;
        xen.clear_faults(id);
        let run = self.run(page, n);
        let want = if let Some(refusal) = self.refusal(page, n, map, refused) {
            refusal
        } else if fault {
            assert!(called);
            Error::NoMemory.raw()
        } else {
            self.mapped[run].fill(map);
            0
        };
        assert_eq!(rc, want, "map {map} {page} {n}");
        assert!(!called || want == Error::NoMemory.raw());
    }

    fn compare(&self) {
        for (i, (first, pages)) in self.parts.iter().enumerate() {
            // SAFETY: the guest is set up, with that region.
            let rc = unsafe { ffi::xg_region_verify((*self.calls.raw.0).regions.add(i)) };
            assert_eq!(rc, 0, "region {i}");
            for page in 0..*pages {
                let want = self.mapped[(first + page) as usize];
                assert_eq!(self.calls.says_mapped(i, page), want, "page {page}");
            }
        }
    }

    fn step(&mut self, random: &mut Random) {
        let end = self.used.len() - 3000;
        let any = |random: &mut Random| {
            let n = match random.below(4) {
                0 => 1,
                1 => random.below(5),
                2 => random.below(80),
                _ => random.below(1500),
            };
            (random.below(end) as u32, n as u32)
        };
        // An allocation, or a part of one, or several.
        let mut some = random.pick(&self.allocations).unwrap_or(any(random));
        if random.one_in(3) && some.1 > 1 {
            let skip = random.below(some.1 as usize) as u32;
            some = (some.0 + skip, some.1 - skip);
        }
        if random.one_in(4) {
            some.1 = 1 + random.below(2 * some.1 as usize + 1) as u32;
        }
        if random.one_in(16) {
            some = any(random);
        }
        match random.below(8) {
            0 | 1 => self.take(any(random).1.max(1)),
            2 => self.give(some.0, some.1),
            3 => {
                if let Some((page, n)) = random.pick(&self.allocations) {
                    self.give(page, n);
                }
            }
            4 | 5 => self.change(some.0, some.1, true, random.one_in(6)),
            _ => self.change(some.0, some.1, false, random.one_in(6)),
        }
    }
}

/// Against a naive model, with hooks that fail now and then.
#[test]
fn mapped_pages_are_known() {
    for (seed, parts) in [
        // Within a block, and blocks on several levels.
        &[(0u32, 100u32)][..],
        &[(3, 512), (600, 513)],
        &[(0, 1536), (1536, 1000), (4000, 5000)],
    ]
    .into_iter()
    .enumerate()
    {
        let xen = Hypervisor::new();
        let domain = xen.create_domain(DomainConfig::default());
        with_regions(&domain, parts, |guest| {
            let last = parts.last().unwrap();
            let size = (last.0 + last.1 + 3010) as usize;
            let mut model = Model {
                calls: Calls {
                    raw: Raw::of(guest),
                    domain: &domain,
                },
                parts,
                used: vec![false; size],
                mapped: vec![false; size],
                allocations: Vec::new(),
            };
            let mut random = Random::new(seed as u64 + 5);
            for step in 0..12_000 {
                model.step(&mut random);
                if step % 32 == 0 {
                    model.compare();
                }
            }
            for (first, pages) in parts {
                for page in *first..first + pages {
                    if model.mapped[page as usize] {
                        model.change(page, 1, false, false);
                    }
                }
            }
            for (page, n) in model.allocations.clone() {
                model.give(page, n);
            }
            model.compare();
            // In one piece again.
            for (_, pages) in parts {
                model.take(*pages);
            }
            assert!(model.allocations.iter().eq(parts));
            for (first, pages) in parts {
                model.give(*first, *pages);
            }
        });
        assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
    }
}

/// Frames of a domain that another one maps: A, a control domain, with
/// regions; B, whose page it is.
fn control() -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::dom0());
    let b = xen.create_domain(DomainConfig::default());
    (xen, a, b)
}

/// Foreign frames in a region: it knows of them, and can't be given its pages
/// back before they are gone.
#[test]
fn foreign_frames_are_known() {
    let (xen, a, b) = control();
    with_regions(&a, &[(0, 64), (100, 20)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &a,
        };
        let first = b.ram().gfn;
        // Not taken, only partly in a region, or not the region's frames.
        let elsewhere = Window {
            gfn: part(&a, 101, 1).gfn,
            ..part(&a, 100, 2)
        };
        assert_eq!(calls.take(64), Some(0));
        assert_eq!(calls.take(2), Some(100));
        for at in [(99, 2), (90, 40), (60, 10), (64, 37), (102, 1), (101, 2)]
            .map(|(first, pages)| part(&a, first, pages))
            .into_iter()
            .chain([elsewhere])
        {
            let window = ffi::xg_window {
                va: at.va.cast(),
                gfn: at.gfn.raw(),
                pages: at.pages,
            };
            let mut left = 1;
            // SAFETY: the guest is set up; refused.
            let rc = unsafe {
                let (dom, first) = (b.domid().raw(), first.raw());
                ffi::xg_foreign_map(calls.raw.0, dom, first, &window, PROT, &mut left)
            };
            assert_eq!((rc, left), (EFAULT, 0), "{at:?}");
            assert_eq!(xen.leaks().foreign_mappings, 0);
        }
        assert_eq!((calls.give(0, 64), calls.give(100, 2)), (0, 0));
        let pages = RegionPages::take(guest, 3).unwrap().into_empty();
        let mapped = ForeignMap::new(guest, b.domid(), first, Access::ReadWrite, pages).unwrap();
        assert_eq!(calls.give(0, 3), EBUSY, "a peer's frames are in there");
        assert_eq!(calls.map(1, 1), EBUSY);
        assert!((0..3).all(|page| calls.says_mapped(0, page)));
        // A second time: refused before Xen replaces what is there.
        let window = part(&a, 2, 2);
        let (at, mut left) = (
            ffi::xg_window {
                va: window.va.cast(),
                gfn: window.gfn.raw(),
                pages: 2,
            },
            1,
        );
        assert_eq!(calls.take(1), Some(3));
        // SAFETY: the guest is set up; refused.
        let rcs = unsafe {
            let (raw, dom, first) = (calls.raw.0, b.domid().raw(), first.raw());
            let foreign = ffi::xg_foreign_map(raw, dom, first, &at, PROT, &mut left);
            let table = ffi::abi::XENMEM_resource_grant_table as u16;
            let resource = ffi::xg_resource_map(raw, dom, table, 0, 0, &at, PROT, &mut left);
            (foreign, resource)
        };
        assert_eq!((rcs, left), ((EBUSY, EBUSY), 0));
        assert_eq!(xen.leaks().foreign_mappings, 3);
        assert_eq!(calls.give(3, 1), 0);
        // Not undone: mapped as before.
        Fault::Hook(Hook::Unmap).inject(&a, 1);
        let mapped = mapped.unmap().unwrap_err().1.unwrap();
        assert!((0..3).all(|page| calls.says_mapped(0, page)));
        let pages = mapped.unmap().unwrap();
        assert!((0..3).all(|page| !calls.says_mapped(0, page)));
        // Not made visible: nothing is left of it.
        Fault::Hook(Hook::Map).inject(&a, 1);
        let refused = ForeignMap::new(guest, b.domid(), first, Access::ReadOnly, pages);
        let pages = refused.unwrap_err().pages.unwrap();
        assert!((0..3).all(|page| !calls.says_mapped(0, page)));
        drop(RegionPages::from_empty(guest, pages).unwrap());
        assert_eq!(guest.abandoned(), 0);
        drop(RegionPages::take(guest, 64).unwrap());
    });
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// A mapping that owns pages of a region gives them back however it ends,
/// unless Xen keeps some: then nobody gets any of them.
#[test]
fn mappings_own_pages_of_a_region() {
    let (xen, a, b) = control();
    with_regions(&a, &[(0, 40)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &a,
        };
        let first = b.ram().gfn;
        let map = || -> xen_guest::Result<u32> {
            let pages = RegionPages::take(guest, 33)?;
            let map = ForeignMap::new(guest, b.domid(), first, Access::ReadOnly, pages)?;
            assert_eq!(calls.take(8), None);
            assert!(calls.says_mapped(0, 32));
            Ok(map.memory().len() as u32)
        };
        let all_free = || {
            assert_eq!(calls.take(40), Some(0));
            assert_eq!(calls.give(0, 40), 0);
            assert_eq!(xen.leaks().foreign_mappings, 0);
            assert_eq!(guest.abandoned(), 0);
        };
        assert_eq!(map(), Ok(33 * PAGE_SIZE as u32));
        all_free();
        for (fault, nth) in [
            (Fault::Hypercall, 1),
            (Fault::Hypercall, 2),
            (Fault::Hook(Hook::Map), 1),
        ] {
            fault.inject(&a, nth);
            assert!(map().is_err());
            assert_eq!(xen.faults_left(a.domid()), 0);
            all_free();
        }
        // Seven pages are left, and 33 that nobody can have: Xen would not
        // take back a frame of the mapping, here the one before its last.
        Fault::Hypercall.inject(&a, 4);
        assert!(map().is_ok());
        assert_eq!(xen.leaks().foreign_mappings, 1);
        assert_eq!(guest.abandoned(), 1);
        assert_eq!((calls.take(8), calls.take(7)), (None, Some(33)));
        assert_eq!(calls.give(33, 7), 0);
        // SAFETY: nobody uses the frame.
        unsafe { guest.physmap().remove(part(&a, 31, 1).gfn, 1) }.unwrap();
    });
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// The same in C, in one call each.
#[test]
fn get_and_put() {
    const N: u32 = 33;
    let (xen, a, b) = control();
    with_regions(&a, &[(0, 40)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &a,
        };
        let raw = calls.raw.0;
        let dom = b.domid().raw();
        let table = ffi::abi::XENMEM_resource_grant_table as u16;
        let get = |resource: bool, n: u32, prot: u32| {
            let mut at = ffi::xg_window::default();
            // SAFETY: the guest is set up; nobody uses what is mapped.
            let rc = unsafe {
                if resource {
                    ffi::xg_resource_get(raw, dom, table, 0, 0, n, prot, &mut at)
                } else {
                    let first = b.ram().gfn.raw();
                    ffi::xg_foreign_get(raw, dom, first, n, prot, &mut at)
                }
            };
            (rc, at)
        };
        // SAFETY: as above.
        let put = |at: &ffi::xg_window| unsafe { ffi::xg_foreign_put(raw, at) };
        let all_free = || {
            let all = calls.take(40);
            assert_eq!(calls.give(0, 40), 0);
            all == Some(0)
        };
        for resource in [false, true] {
            // Two batches of foreign frames, or a frame of the table each.
            let times = if resource { u64::from(N) } else { 2 };
            for (fault, want) in [(Fault::Hypercall, times), (Fault::Hook(Hook::Map), 1)] {
                let mut at = ffi::xg_window::default();
                let window = std::cell::Cell::new(at);
                let steps = exhaust(
                    &a,
                    fault,
                    || (xen.leaks(), all_free()),
                    || {
                        let (rc, at) = get(resource, N, PROT);
                        window.set(at);
                        rc
                    },
                    |_| {
                        at = window.get();
                        let start = part(&a, 0, N);
                        assert_eq!((at.va, at.pages), (start.va.cast(), N));
                        assert_eq!(at.gfn, start.gfn.raw());
                        assert_eq!(put(&at), 0);
                    },
                );
                assert_eq!(steps, want, "{fault:?}");
            }
            let (rc, at) = get(resource, N, PROT);
            assert_eq!(rc, 0);
            assert_eq!(get(resource, 8, PROT).0, ENOSPC);
            // Not undone: as before, then for good.
            Fault::Hook(Hook::Unmap).inject(&a, 1);
            assert_eq!(put(&at), Error::NoMemory.raw());
            assert!(calls.says_mapped(0, N - 1));
            assert_eq!(put(&at), 0);
            assert_eq!(get(resource, 0, PROT).0, EINVAL);
            assert_eq!(get(resource, 1, ffi::XG_PROT_WRITE).0, EINVAL);
            assert!(all_free());
        }
        // Xen keeps a page: nobody gets any of them.
        let (rc, at) = get(false, N, PROT);
        assert_eq!(rc, 0);
        Fault::Hypercall.inject(&a, 1);
        assert_eq!(put(&at), EIO);
        Fault::Hook(Hook::Map).inject(&a, 1);
        Fault::Hypercall.inject(&a, 2);
        assert_eq!(get(false, 7, PROT).0, EIO);
        assert_eq!(calls.take(1), None);
        assert_eq!(xen.leaks().foreign_mappings, 2);
        for frame in [N - 1, 39] {
            // SAFETY: nobody uses the frame.
            unsafe { guest.physmap().remove(part(&a, frame, 1).gfn, 1) }.unwrap();
        }
        // SAFETY: the guest is set up.
        unsafe {
            let none = ptr::null_mut();
            assert_eq!(ffi::xg_region_get_window(raw, 1, none), EINVAL);
            assert_eq!(ffi::xg_foreign_get(raw, dom, 0, 1, PROT, none), EINVAL);
            assert_eq!(ffi::xg_foreign_put(raw, ptr::null()), EINVAL);
        }
    });
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// One batch of grants into two regions that are neighbours, and into frames
/// before and behind them: one run of addresses, and each region knows what
/// is in it.
#[test]
fn batches_cross_the_borders_of_regions() {
    const REFS: u32 = 12;
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let owner = common::guest(&mut storage, &a, &a);
    let page = a.alloc_page().unwrap();
    let gref = Raw::of(&owner).grant(b.domid().raw(), page.gfn().raw(), false) as u32;
    with_regions(&b, &[(2, 4), (6, 4)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &b,
        };
        assert_eq!((calls.take(4), calls.take(4)), (Some(2), Some(6)));
        let ops = || -> Vec<_> {
            (0..REFS)
                .map(|i| map_op(a.domid().raw(), gref, calls.va(i), false))
                .collect()
        };
        let undo = |ops: &[ffi::abi::gnttab_map_grant_ref]| -> Vec<_> {
            ops.iter()
                .map(|op| unmap_op(op.host_addr as *mut u8, op.handle))
                .collect()
        };
        let is_mapped = |mapped: bool| {
            for page in 0..4 {
                assert_eq!(calls.says_mapped(0, page), mapped, "page {page}");
                assert_eq!(calls.says_mapped(1, page), mapped, "page {page}");
            }
            let count = if mapped { REFS as usize } else { 0 };
            assert_eq!(xen.leaks().mappings, count);
        };
        let mut batch = ops();
        assert_eq!(calls.raw.map(&mut batch), 0);
        is_mapped(true);
        assert_eq!((calls.give(2, 4), calls.give(6, 4)), (EBUSY, EBUSY));
        assert_eq!(calls.raw.unmap(&mut undo(&batch)), 0);
        is_mapped(false);
        // One by one, and together again.
        let mut batch = ops();
        assert_eq!(calls.raw.map(&mut batch), 0);
        for op in undo(&batch) {
            assert_eq!(calls.raw.unmap(&mut [op]), 0);
        }
        is_mapped(false);
        let mut batch = ops();
        for op in &mut batch {
            assert_eq!(calls.raw.map(std::slice::from_mut(op)), 0);
        }
        is_mapped(true);
        assert_eq!(calls.raw.unmap(&mut undo(&batch)), 0);
        is_mapped(false);
        // Each of the runs fails.
        for nth in 1..=4 {
            Fault::Hook(Hook::Map).inject(&b, nth);
            assert_eq!(calls.raw.map(&mut ops()), Error::NoMemory.raw(), "{nth}");
            assert_eq!(xen.faults_left(b.domid()), 0);
            is_mapped(false);
        }
        assert_eq!((calls.give(2, 4), calls.give(6, 4)), (0, 0));
    });
    assert_eq!(Raw::of(&owner).end(gref), 0);
    drop(page);
    owner.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// Mapping a grant where the region does not have a page for it, and not
/// being able to: nothing is left of it, in Xen or the region.
#[test]
fn grants_into_pages_that_are_not_taken() {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let owner = common::guest(&mut storage, &a, &a);
    let page = a.alloc_page().unwrap();
    let gref = Raw::of(&owner).grant(b.domid().raw(), page.gfn().raw(), false) as u32;
    with_regions(&b, &[(0, 600)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &b,
        };
        // One that is in the cache, one that is not, and one that was.
        assert_eq!((calls.take(1), calls.take(1)), (Some(0), Some(1)));
        assert_eq!(calls.give(1, 1), 0);
        for page in [1, 2, 7, 8, 599] {
            let mut op = [map_op(a.domid().raw(), gref, calls.va(page), false)];
            assert_eq!(calls.raw.map(&mut op), EFAULT, "{page}");
            assert_eq!(op[0].handle, ffi::XG_NO_HANDLE);
            assert_eq!(xen.leaks().mappings, 0);
            assert!(!calls.says_mapped(0, page));
        }
        let mut op = [map_op(a.domid().raw(), gref, calls.va(0), false)];
        assert_eq!(calls.raw.map(&mut op), 0);
        // A second one there would replace it: refused before Xen is asked.
        let calls_before = xen.hypercalls(b.domid());
        let mut second = [map_op(a.domid().raw(), gref, calls.va(0), false)];
        assert_eq!(calls.raw.map(&mut second), EBUSY);
        assert_eq!(xen.hypercalls(b.domid()), calls_before);
        page.write(77, 0x77);
        // SAFETY: mapped.
        assert_eq!(unsafe { calls.va(0).add(77).read_volatile() }, 0x77);
        // The platform keeps it: the page is not to be had before it is gone.
        Fault::Hook(Hook::Unmap).inject(&b, 1);
        let mut undo = [unmap_op(calls.va(0), op[0].handle)];
        assert_eq!(calls.raw.unmap(&mut undo), EIO);
        assert_eq!((calls.give(0, 1), calls.unmap(0, 1)), (EBUSY, 0));
        assert_eq!(calls.give(0, 1), 0);
        assert_eq!(calls.take(600), Some(0));
        assert_eq!(calls.give(0, 600), 0);
    });
    assert_eq!(Raw::of(&owner).end(gref), 0);
    drop(page);
    owner.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}

/// What the owning type takes up, and what not.
#[test]
fn pages_of_others_are_not_taken_up() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    with_regions(&domain, &[(8, 16), (40, 16)], |guest| {
        for (first, pages) in [(0, 1), (7, 2), (23, 2), (24, 1), (20, 5), (55, 2), (60, 1)] {
            let window = part(&domain, first, pages);
            let va = ptr::NonNull::new(window.va).unwrap();
            // SAFETY: nobody uses the frames.
            let empty = unsafe { EmptyPages::from_raw(va, pages) };
            let refused = RegionPages::from_empty(guest, empty).unwrap_err();
            assert_eq!((refused.va(), refused.pages()), (va, pages));
        }
        assert_eq!(guest.abandoned(), 0);
        // Mapped behind its back: lost, and counted.
        let pages = RegionPages::take(guest, 2).unwrap();
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &domain,
        };
        assert_eq!(calls.map(9, 1), 0);
        drop(pages);
        assert_eq!(guest.abandoned(), 1);
        assert_eq!((calls.unmap(9, 1), calls.give(8, 2)), (0, 0));
        for n in [17, u32::MAX] {
            assert_eq!(RegionPages::take(guest, n).unwrap_err(), Error::NoSpace);
        }
    });
}

/// Regions that lie on each other, or on what the guest itself maps.
#[test]
fn regions_that_overlap() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let calls = xen.hypercalls(domain.domid());
    let table = domain.grant_window();
    let shared = common::shared_info(&domain);
    let free = part(&domain, 0, 8);
    for (one, other) in [
        (free, free),
        (free, part(&domain, 7, 4)),
        (free, table),
        (shared, free),
        (
            free,
            Window {
                gfn: Gfn::new(free.gfn.raw() + 7),
                ..part(&domain, 100, 8)
            },
        ),
    ] {
        let mut metadata = [
            vec![0; region_metadata(one.pages)],
            vec![0; region_metadata(other.pages)],
        ];
        let [first, second] = &mut metadata;
        // SAFETY: refused before any page is used.
        let mut regions = unsafe {
            [
                Region::new(&one, first).unwrap(),
                Region::new(&other, second).unwrap(),
            ]
        };
        let mut storage = common::Storage::new();
        let config = GuestConfig::new(shared)
            .with_grant_table(Window { pages: 2, ..table })
            .with_regions(&mut regions);
        // SAFETY: refused before any window is used.
        let result = unsafe { Guest::new(&mut storage, &domain, config) };
        assert_eq!(result.err(), Some(Error::Invalid), "{one:?} {other:?}");
    }
    assert_eq!(xen.hypercalls(domain.domid()), calls);
}

/// Threads take, map, unmap and give back at once: no page is two threads',
/// and all of them come back.
#[test]
fn threads_share_the_regions() {
    const THREADS: usize = 4;
    const PAGES: u32 = 700;
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    with_regions(&domain, &[(0, PAGES), (PAGES + 1, PAGES)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &domain,
        };
        let owned: Vec<AtomicBool> = (0..=2 * PAGES).map(|_| AtomicBool::new(false)).collect();
        let none = AtomicU32::new(0);
        thread::scope(|scope| {
            for seed in 0..THREADS {
                let (owned, none) = (&owned, &none);
                scope.spawn(move || {
                    let mut random = Random::new(seed as u64 + 9);
                    let mut own: Vec<RegionPages<'_>> = Vec::new();
                    let number = |pages: &RegionPages<'_>| {
                        let offset = pages.va().addr().get() - calls.va(0).addr();
                        (offset / PAGE_SIZE) as u32
                    };
                    let mark = |pages: &RegionPages<'_>, on| {
                        let first = number(pages) as usize;
                        for page in &owned[first..first + pages.pages() as usize] {
                            assert_ne!(page.swap(on, SeqCst), on, "two owners");
                        }
                    };
                    for _ in 0..1500 {
                        if own.is_empty() || random.one_in(2) {
                            let most = if random.one_in(3) { 300 } else { 2 };
                            let n = 1 + random.below(most);
                            match RegionPages::take(guest, n as u32) {
                                Ok(pages) => {
                                    mark(&pages, true);
                                    own.push(pages);
                                }
                                Err(_) => _ = none.fetch_add(1, SeqCst),
                            }
                            continue;
                        }
                        let pages = own.swap_remove(random.below(own.len()));
                        let (first, n) = (number(&pages), pages.pages());
                        if random.one_in(2) {
                            assert_eq!(calls.map(first, n), 0);
                            assert_eq!(calls.give(first, n), EBUSY);
                            assert_eq!(calls.unmap(first, n), 0);
                        }
                        mark(&pages, false);
                    }
                    own.iter().for_each(|pages| mark(pages, false));
                });
            }
        });
        assert!(none.load(SeqCst) > 0);
        assert_eq!(guest.abandoned(), 0);
        for first in [0, PAGES + 1] {
            assert_eq!(calls.take(PAGES), Some(first));
        }
        for first in [0, PAGES + 1] {
            assert_eq!(calls.give(first, PAGES), 0);
        }
    });
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// How often the counting platform's lock was taken.
static LOCKS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn counting_lock(_: *mut c_void) -> usize {
    LOCKS.fetch_add(1, SeqCst);
    0
}

unsafe extern "C" fn counting_unlock(_: *mut c_void, _: usize) {}

/// However many pages are mapped or unmapped at once, the lock is not held
/// for more than a word of them.
#[test]
fn the_lock_is_let_go_of() {
    const PAGES: u32 = 1000;
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    with_regions(&domain, &[(0, 1024)], |guest| {
        let calls = Calls {
            raw: Raw::of(guest),
            domain: &domain,
        };
        // SAFETY: the guest is set up, and only this thread uses it.
        let platform = unsafe { (*calls.raw.0).platform };
        let counting = ffi::xg_platform {
            lock: Some(counting_lock),
            unlock: Some(counting_unlock),
            // SAFETY: it was set up with this.
            ..unsafe { *platform }
        };
        // SAFETY: as before; the hooks are the same but for the lock, which
        // one thread does not need.
        unsafe { (*calls.raw.0).platform = &raw const counting };
        let locks = |call: &dyn Fn() -> i32, want: i32| {
            LOCKS.store(0, SeqCst);
            assert_eq!(call(), want);
            LOCKS.load(SeqCst)
        };
        let words = PAGES.div_ceil(64);
        assert_eq!(locks(&|| calls.take(PAGES).map_or(-1, |_| 0), 0), 1);
        assert_eq!(locks(&|| calls.map(0, PAGES), 0), words);
        assert_eq!(locks(&|| calls.give(0, PAGES), EBUSY), 1);
        // Asked before the hook, noted after it.
        assert_eq!(locks(&|| calls.unmap(0, PAGES), 0), 2 * words);
        // The last page is in the way: those before it are not mapped.
        assert_eq!(calls.map(PAGES - 1, 1), 0);
        assert_eq!(locks(&|| calls.map(0, PAGES), EBUSY), 2 * words - 1);
        assert!((0..PAGES).all(|page| calls.says_mapped(0, page) == (page == PAGES - 1)));
        assert_eq!(calls.unmap(PAGES - 1, 1), 0);
        assert_eq!(locks(&|| calls.give(0, PAGES), 0), 1);
        // SAFETY: as before.
        unsafe { (*calls.raw.0).platform = platform };
    });
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}
