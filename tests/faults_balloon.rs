// SPDX-License-Identifier: MIT OR Apache-2.0
//! RAM given to Xen for a region, and back, with one step after the other
//! failing: every frame is as before, or as the balloon says.

#![cfg(feature = "sim")]

mod common;

use std::mem;

use common::{EINVAL, EIO, EXDEV, Fault, Raw, exhaust};
use xen_guest::ffi;
use xen_guest::sim::{Domain, DomainConfig, Frame, Hook, Hypervisor};
use xen_guest::{
    Access, Balloon, Error, ForeignMap, Gfn, Guest, Platform, Region, RegionPages, Window,
    region_metadata,
};

/// More than two of the core's batches.
const PAGES: u32 = 70;
const ENOMEM: i32 = -12;
const EBUSY: i32 = -16;

/// RAM that nobody else uses.
fn ram(domain: &Domain, pages: u32) -> Window {
    let va = domain.page_alloc(pages);
    assert!(!va.is_null());
    let gfn = domain.virt_to_gfn(va).unwrap();
    Window { va, gfn, pages }
}

/// Which of the frames hold the domain's own pages.
fn owned(domain: &Domain, at: &Window) -> Vec<bool> {
    (0..u64::from(at.pages))
        .map(|i| match domain.frame(Gfn::new(at.gfn.raw() + i)) {
            Frame::Own(_) => true,
            Frame::Empty => false,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The C calls, without the `unsafe`.
struct Calls<'d> {
    raw: Raw,
    domain: &'d Domain,
    ram: Window,
    balloon: ffi::xg_balloon,
}

impl Calls<'_> {
    fn inflate(&mut self) -> i32 {
        let at = ffi::xg_window {
            va: self.ram.va.cast(),
            gfn: self.ram.gfn.raw(),
            pages: self.ram.pages,
        };
        // SAFETY: the guest is set up; nobody uses the RAM.
        unsafe { ffi::xg_balloon_inflate(self.raw.0, &mut self.balloon, &at) }
    }

    fn deflate(&mut self) -> i32 {
        // SAFETY: the guest is set up, and so is the balloon.
        unsafe { ffi::xg_balloon_deflate(self.raw.0, &mut self.balloon) }
    }

    fn owned(&self) -> Vec<bool> {
        owned(self.domain, &self.ram)
    }

    /// The CPU can use all of it.
    fn touch(&self) {
        for page in 0..self.ram.pages as usize {
            let at = self.ram.va.wrapping_add(page * xen_guest::PAGE_SIZE);
            // SAFETY: mapped, and nobody else's.
            unsafe {
                at.write_volatile(page as u8);
                assert_eq!(at.read_volatile(), page as u8);
            }
        }
    }

    /// What the balloon says is what is.
    fn check(&self) {
        let says = |page| page < self.balloon.first || page >= self.balloon.end;
        assert!((0..self.ram.pages).map(says).eq(self.owned()));
    }
}

fn with_calls(body: impl FnOnce(&Hypervisor, Calls<'_>)) {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let ram = ram(&domain, PAGES);
    body(
        &xen,
        Calls {
            raw: Raw::of(&guest),
            domain: &domain,
            ram,
            balloon: ffi::xg_balloon::default(),
        },
    );
    assert!(owned(&domain, &ram).iter().all(|own| *own));
    let physmap = guest.physmap();
    assert_eq!(physmap.current_reservation(), physmap.maximum_reservation());
    // SAFETY: nobody uses it.
    unsafe { domain.page_free(ram.va, PAGES) };
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// Whatever fails while it is inflated, the RAM is back.
#[test]
fn inflate_all_or_none() {
    for (fault, want) in [
        (Fault::Hypercall, 3),
        (Fault::Hook(Hook::Unmap), 1),
        (Fault::Hook(Hook::Map), 0),
    ] {
        with_calls(|_, mut calls| {
            let calls = std::cell::RefCell::new(&mut calls);
            let domain = calls.borrow().domain;
            let steps = exhaust(
                domain,
                fault,
                || {
                    let calls = calls.borrow();
                    calls.touch();
                    calls.owned()
                },
                || {
                    let mut calls = calls.borrow_mut();
                    let rc = calls.inflate();
                    if rc == 0 {
                        assert!(!calls.owned().contains(&true));
                    }
                    rc
                },
                |_| assert_eq!(calls.borrow_mut().deflate(), 0),
            );
            assert_eq!(steps, want, "{fault:?}");
        });
    }
}

/// It fails, and then a step of undoing it; a later call goes on.
#[test]
fn what_is_not_undone_is_known() {
    with_calls(|xen, mut calls| {
        let id = calls.domain.domid();
        // Xen refuses the last batch; then, of the first two, one of those
        // that come back, and the CPU's mapping.
        for nth in [4, 5] {
            Fault::Hypercall.inject(calls.domain, 3);
            Fault::Hypercall.inject(calls.domain, nth);
            assert_eq!(calls.inflate(), EIO);
            assert_eq!(xen.faults_left(id), 0);
            assert_eq!(calls.balloon.first, (nth as u32 - 4) * 32);
            assert_eq!(calls.balloon.end, 64);
            calls.check();
            Fault::Hypercall.inject(calls.domain, 1);
            assert_eq!(calls.deflate(), EXDEV);
            calls.check();
            Fault::Hook(Hook::Map).inject(calls.domain, 1);
            assert_eq!(calls.deflate(), ENOMEM);
            calls.check();
            assert_eq!(calls.deflate(), 0);
            calls.touch();
        }
        Fault::Hypercall.inject(calls.domain, 1);
        Fault::Hook(Hook::Map).inject(calls.domain, 1);
        assert_eq!(calls.inflate(), EIO);
        calls.check();
        assert_eq!(calls.deflate(), 0);
        calls.touch();
        // Step by step, when all was Xen's.
        assert_eq!(calls.inflate(), 0);
        for first in [0, 32, 64] {
            Fault::Hypercall.inject(calls.domain, if first == 0 { 1 } else { 2 });
            assert_eq!(calls.deflate(), EXDEV);
            assert_eq!((calls.balloon.first, calls.balloon.end), (first, PAGES));
            calls.check();
        }
        assert_eq!(calls.deflate(), 0);
        // Nothing more to do, and it says so.
        assert_eq!(calls.deflate(), 0);
        calls.touch();
    });
}

/// A page that is not RAM is in the middle: the others come back.
#[test]
fn what_is_not_ram_is_refused() {
    with_calls(|_, mut calls| {
        let hole = calls.ram.gfn.raw() + 40;
        // SAFETY: nobody uses it.
        unsafe {
            let mut done = 0;
            let raw = calls.raw.0;
            let rc = ffi::xg_memory_decrease_range(raw, common::SELF, hole, 1, &mut done);
            assert_eq!((rc, done), (0, 1));
        }
        assert_eq!(calls.inflate(), EINVAL);
        let without: Vec<bool> = (0..PAGES).map(|page| page != 40).collect();
        assert_eq!(calls.owned(), without);
        // SAFETY: nobody uses it.
        unsafe {
            let mut done = 0;
            let raw = calls.raw.0;
            let rc = ffi::xg_memory_populate_range(raw, common::SELF, hole, 1, &mut done);
            assert_eq!((rc, done), (0, 1));
        }
        calls.touch();
        // Impossible windows.
        let good = calls.ram;
        for (va, pages) in [
            (good.va, 0),
            (std::ptr::null_mut(), 1),
            (good.va.wrapping_add(1), 1),
            (good.va, u32::MAX),
        ] {
            calls.ram = Window { va, pages, ..good };
            if pages == u32::MAX {
                calls.ram.gfn = Gfn::new(u64::MAX >> 12);
            }
            assert_eq!(calls.inflate(), EINVAL);
        }
        // SAFETY: refused.
        unsafe {
            let (raw, none) = (calls.raw.0, std::ptr::null_mut());
            assert_eq!(ffi::xg_balloon_deflate(raw, none), EINVAL);
            let at = ffi::xg_window::default();
            assert_eq!(ffi::xg_balloon_inflate(raw, none, &at), EINVAL);
            let balloon = &mut calls.balloon;
            assert_eq!(
                ffi::xg_balloon_inflate(raw, balloon, std::ptr::null()),
                EINVAL
            );
        }
    });
}

/// A control domain without regions, and another whose page it looks at.
struct Owners {
    xen: Hypervisor,
    dom0: Domain,
    b: Domain,
    ram: Window,
}

impl Owners {
    fn new() -> Self {
        let xen = Hypervisor::new();
        let dom0 = xen.create_domain(DomainConfig::dom0());
        let b = xen.create_domain(DomainConfig::default());
        let ram = ram(&dom0, PAGES);
        Self { xen, dom0, b, ram }
    }

    fn owned(&self) -> usize {
        let owned = owned(&self.dom0, &self.ram);
        owned.iter().filter(|own| **own).count()
    }

    fn look(&self, guest: &Guest<'_>) -> xen_guest::Result<u8> {
        let pages = RegionPages::take(guest, 3)?;
        let (dom, gfn) = (self.b.domid(), self.b.ram().gfn);
        let map = ForeignMap::new(guest, dom, gfn, Access::ReadOnly, pages)?;
        Ok(map.memory().read(0))
    }
}

/// Pages of other domains where the guest's RAM was.
#[test]
fn a_balloon_is_a_region() {
    let o = Owners::new();
    let mut metadata = vec![0; region_metadata(PAGES)];
    let mut more = vec![0; region_metadata(PAGES)];
    // SAFETY: RAM that nobody else uses.
    let mut balloon = unsafe { Balloon::new(&o.ram, &mut metadata) }.unwrap();
    // SAFETY: refused before anything happens to it.
    let mut another = unsafe { Balloon::new(&o.ram, &mut more) }.unwrap();
    assert_eq!(balloon.pages(), PAGES);
    let mut storage = common::Storage::new();
    {
        let mut guest = common::guest(&mut storage, &o.dom0, &o.dom0);
        assert_eq!(o.look(&guest), Err(Error::NoSpace));
        guest.deflate().unwrap();
        guest.inflate(&mut balloon).unwrap();
        assert_eq!(o.owned(), 0);
        assert_eq!(guest.inflate(&mut another), Err(Error::Busy));
        assert_eq!(o.look(&guest), Ok(0));
        let all = RegionPages::take(&guest, PAGES).unwrap();
        assert_eq!(all.va().as_ptr(), o.ram.va);
        // Leaked pages may hold anything.
        mem::forget(all);
        assert_eq!(guest.deflate(), Err(Error::Busy));
        assert_eq!(o.owned(), 0);
        // SAFETY: nothing is in them.
        let rc = unsafe { ffi::xg_region_put_pages(guest.as_raw(), o.ram.va.cast(), PAGES) };
        assert_eq!(rc, 0);
        assert_eq!(o.look(&guest), Ok(0));
        // Xen has no memory at the moment: it is asked again.
        Fault::Hypercall.inject(&o.dom0, 2);
        assert_eq!(guest.deflate(), Err(Error::Unknown(18)));
        assert_eq!(o.owned(), 32);
        assert_eq!(o.look(&guest), Err(Error::NoSpace));
        Fault::Hypercall.inject(&o.dom0, 1);
        let (error, guest) = guest.finish().unwrap_err();
        assert_eq!(error, Error::Unknown(18));
        assert_eq!(o.owned(), 32);
        guest.unwrap().finish().unwrap();
        assert_eq!(o.owned(), PAGES as usize);
    }
    // SAFETY: nobody uses it.
    unsafe { o.dom0.page_free(o.ram.va, PAGES) };
    assert!(o.xen.leaks().is_zero(), "left over: {}", o.xen.leaks());
    assert!(o.xen.warnings().is_empty(), "{:?}", o.xen.warnings());
}

/// Dropped guests leave the RAM where it was; and those that could not
/// inflate.
#[test]
fn balloons_are_undone() {
    let o = Owners::new();
    let mut metadata = vec![0; region_metadata(PAGES)];
    for (faults, want, then) in [
        (&[][..], Ok(()), 0),
        (&[2], Err(Error::Unknown(18)), PAGES),
        // What came back first is not taken a second time.
        (&[3, 4], Err(Error::Partial), 6),
    ] {
        // SAFETY: RAM that nobody else uses.
        let mut balloon = unsafe { Balloon::new(&o.ram, &mut metadata) }.unwrap();
        let mut storage = common::Storage::new();
        let mut guest = common::guest(&mut storage, &o.dom0, &o.dom0);
        for nth in faults {
            Fault::Hypercall.inject(&o.dom0, *nth);
        }
        assert_eq!(guest.inflate(&mut balloon), want);
        assert_eq!(o.owned(), then as usize);
        drop(guest);
        assert_eq!(o.owned(), PAGES as usize);
    }
    // SAFETY: nobody uses it.
    unsafe { o.dom0.page_free(o.ram.va, PAGES) };
    assert!(o.xen.leaks().is_zero(), "left over: {}", o.xen.leaks());
    assert!(o.xen.warnings().is_empty(), "{:?}", o.xen.warnings());
}

/// What a guest could not take back stays out of use, and the balloon is no
/// other guest's: taken back are frames that it emptied, and no others.
#[test]
fn a_balloon_that_was_not_undone_is_refused() {
    // Xen refuses to give some of it back; or the guest is never dropped.
    for (nth, leak, left) in [(Some(2), false, 32), (Some(1), false, 0), (None, true, 0)] {
        let o = Owners::new();
        let mut metadata = vec![0; region_metadata(PAGES)];
        // SAFETY: RAM that nobody else uses.
        let mut balloon = unsafe { Balloon::new(&o.ram, &mut metadata) }.unwrap();
        {
            let mut storage = common::Storage::new();
            let mut guest = common::guest(&mut storage, &o.dom0, &o.dom0);
            guest.inflate(&mut balloon).unwrap();
            if let Some(nth) = nth {
                Fault::Hypercall.inject(&o.dom0, nth);
            }
            if leak {
                // SAFETY: without the guest's end, so that Xen can have
                // another; nothing refers to its storage any more.
                assert_eq!(unsafe { ffi::xg_guest_fini(guest.as_raw()) }, 0);
                mem::forget(guest);
            }
        }
        assert_eq!(o.owned(), left);
        let mut storage = common::Storage::new();
        let mut guest = common::guest(&mut storage, &o.dom0, &o.dom0);
        let calls = o.xen.hypercalls(o.dom0.domid());
        assert_eq!(guest.inflate(&mut balloon), Err(Error::Busy));
        assert_eq!(o.xen.hypercalls(o.dom0.domid()), calls);
        guest.deflate().unwrap();
        assert_eq!(o.owned(), left);
        assert_eq!(o.look(&guest), Err(Error::NoSpace));
        guest.finish().unwrap();
    }
}

/// What came back serves the next guest.
#[test]
fn a_balloon_serves_one_guest_after_the_other() {
    let o = Owners::new();
    let mut metadata = vec![0; region_metadata(PAGES)];
    // SAFETY: RAM that nobody else uses.
    let mut balloon = unsafe { Balloon::new(&o.ram, &mut metadata) }.unwrap();
    for faults in [&[][..], &[1], &[2], &[]] {
        let mut storage = common::Storage::new();
        let mut guest = common::guest(&mut storage, &o.dom0, &o.dom0);
        guest.inflate(&mut balloon).unwrap();
        assert_eq!(o.look(&guest), Ok(0));
        for nth in faults {
            Fault::Hypercall.inject(&o.dom0, *nth);
            guest.deflate().unwrap_err();
        }
        guest.finish().unwrap();
        assert_eq!(o.owned(), PAGES as usize);
    }
}

/// A guest's regions change only while nobody has a page of them, and to such
/// as it could have had from the start.
#[test]
fn regions_are_changed_when_free() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let whole = domain.extended_region();
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = guest.as_raw();
    let mut metadata: Vec<Vec<u64>> = vec![vec![0; region_metadata(600)]; 4];
    let mut regions: Vec<Region<'_>> = metadata
        .iter_mut()
        .zip([
            (whole, 600),
            (
                Window {
                    va: whole.va.wrapping_add(600 << 12),
                    gfn: Gfn::new(whole.gfn.raw() + 600),
                    ..whole
                },
                100,
            ),
            (whole, 10),
            // Where the grant table is.
            (domain.grant_window(), 1),
        ])
        .map(|(words, (at, pages))| {
            let at = Window { pages, ..at };
            // SAFETY: frames of the domain that nobody else takes, or refused.
            unsafe { Region::new(&at, words) }.unwrap()
        })
        .collect();
    let at = regions.as_mut_ptr().cast::<ffi::xg_region>();
    let set = |from: usize, n: u32| {
        // SAFETY: the guest is set up, the regions are, and no call about
        // them is under way.
        unsafe { ffi::xg_guest_set_regions(raw, at.add(from), n) }
    };
    // SAFETY: as above.
    unsafe {
        let none = std::ptr::null_mut();
        assert_eq!(ffi::xg_guest_set_regions(raw, none, 1), EINVAL);
        let mut unset = ffi::xg_region::default();
        assert_eq!(ffi::xg_guest_set_regions(raw, &mut unset, 1), EINVAL);
    }
    assert_eq!([set(0, 3), set(3, 1), set(0, 0)], [EINVAL, EINVAL, 0]);
    assert!(RegionPages::take(&guest, 1).is_err());
    assert_eq!(set(0, 2), 0);
    for n in [1, 2, 600, 100] {
        let pages = RegionPages::take(&guest, n).unwrap();
        assert_eq!(set(0, 0), EBUSY);
        drop(pages);
        assert_eq!(set(0, 2), 0);
    }
    assert!(RegionPages::take(&guest, 601).is_err());
    assert_eq!(set(1, 1), 0);
    assert_eq!(RegionPages::take(&guest, 101).unwrap_err(), Error::NoSpace);
    assert_eq!(set(0, 0), 0);
    guest.finish().unwrap();
}
