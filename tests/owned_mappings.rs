// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mappings of several grants that own their place, copies, and grants that
//! are dropped while their peer has the page.

#![cfg(feature = "sim")]

mod common;

use std::cell::Cell;

use common::{Fault, Raw};
use xen_guest::ffi::abi;
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor, SimPage};
use xen_guest::{
    Access, Error, Grant, GrantMapping, GrantRef, Granted, Guest, PAGE_SIZE, Page, PageOwner,
    ParkedOwner, Parker, Parking, Region, RegionPages, Window, region_metadata,
};

/// Pages of the mapper's region.
const ROOM: u32 = 16;

struct Two<'g> {
    xen: &'g Hypervisor,
    a: &'g Domain,
    b: &'g Domain,
    guest_a: &'g Guest<'g>,
    /// With a region.
    guest_b: &'g Guest<'g>,
}

impl<'g> Two<'g> {
    fn grant(&self, byte: u8) -> Grant<'g, SimPage> {
        let page = self.a.alloc_page().unwrap();
        page.write(5, byte);
        Grant::new(self.guest_a, self.b.domid(), page, Access::ReadWrite).unwrap()
    }

    /// How many pages of the region can be had together.
    fn room(&self) -> u32 {
        let fits = |n: &u32| RegionPages::take(self.guest_b, *n).is_ok();
        (1..=ROOM).rev().find(fits).unwrap_or(0)
    }

    fn map<const N: usize>(
        &self,
        grefs: &[GrantRef; N],
    ) -> Result<GrantMapping<'g, RegionPages<'g>, N>, Error> {
        let pages = RegionPages::take(self.guest_b, N as u32)?;
        let access = Access::ReadWrite;
        GrantMapping::several(self.guest_b, self.a.domid(), grefs, access, pages)
            .map_err(Error::from)
    }
}

/// With `places` for parked grants.
fn with_two(places: usize, body: impl FnOnce(&Two<'_>)) {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let mut places: Vec<Parking> = (0..places).map(|_| Parking::new()).collect();
    let window = Window {
        pages: ROOM,
        ..b.extended_region()
    };
    let mut metadata = vec![0; region_metadata(ROOM)];
    // SAFETY: the domain's empty frames, which nobody else uses.
    let mut regions = [unsafe { Region::new(&window, &mut metadata) }.unwrap()];
    let configs = (
        common::config(&a).with_parking(&mut places),
        common::config(&b).with_regions(&mut regions),
    );
    // SAFETY: domains of the test's own, whose windows nobody else uses.
    let guest_a = unsafe { Guest::new(&mut storage_a, &a, configs.0) }.unwrap();
    // SAFETY: as above.
    let guest_b = unsafe { Guest::new(&mut storage_b, &b, configs.1) }.unwrap();
    body(&Two {
        xen: &xen,
        a: &a,
        b: &b,
        guest_a: &guest_a,
        guest_b: &guest_b,
    });
}

#[test]
fn several_grants_are_one_piece_of_memory() {
    with_two(0, |two| {
        let grants = [1, 2, 3].map(|byte| two.grant(byte));
        let grefs = grants.each_ref().map(|grant| grant.gref());
        let mapping = two.map(&grefs).unwrap();
        let memory = mapping.memory();
        assert_eq!(memory.len(), 3 * PAGE_SIZE);
        for (i, grant) in grants.iter().enumerate() {
            assert_eq!(memory.read::<u8>(i * PAGE_SIZE + 5), i as u8 + 1);
            memory.write(i * PAGE_SIZE + 8, 0xdead_0000 + i as u32);
            assert_eq!(grant.memory().read::<u32>(8), 0xdead_0000 + i as u32);
        }
        assert_eq!(two.xen.leaks().mappings, 3);
        assert_eq!(two.room(), ROOM - 3);
        // One of them can't be mapped: none is.
        assert_eq!(
            two.map(&[grefs[0], GrantRef::new(400)]).err(),
            Some(Error::Invalid)
        );
        assert_eq!((two.xen.leaks().mappings, two.room()), (3, ROOM - 3));
        // Not as many pages as references.
        for pages in [1, 3] {
            let pages = RegionPages::take(two.guest_b, pages).unwrap();
            let grefs = [grefs[0], grefs[1]];
            let (dom, access) = (two.a.domid(), Access::ReadOnly);
            let refused = GrantMapping::several(two.guest_b, dom, &grefs, access, pages);
            let refused = refused.unwrap_err();
            assert_eq!(
                (refused.error, refused.pages.is_some()),
                (Error::Invalid, true)
            );
        }
        drop(mapping);
        assert_eq!((two.xen.leaks().mappings, two.room()), (0, ROOM));
        let pages = two.map(&grefs).unwrap().unmap().unwrap();
        assert_eq!((pages.pages(), two.room()), (3, ROOM - 3));
        drop(pages);
        for grant in grants {
            drop(grant.end().unwrap());
        }
        assert_eq!((two.guest_a.abandoned(), two.guest_b.abandoned()), (0, 0));
    });
}

/// All or none, whatever fails; and the region has its pages again.
#[test]
fn each_step_of_mapping_fails() {
    with_two(0, |two| {
        let grants = [1, 2, 3].map(|byte| two.grant(byte));
        let grefs = grants.each_ref().map(|grant| grant.gref());
        let faults = [
            (Fault::Hypercall, 1),
            (Fault::Map(abi::GNTST_bad_page), 3),
            (Fault::Hook(Hook::Map), 1),
        ];
        for (fault, steps) in faults {
            let kept = Cell::new(None);
            let happened = common::exhaust(
                two.b,
                fault,
                || (two.xen.leaks(), two.room()),
                || match two.map(&grefs) {
                    Ok(mapping) => {
                        kept.set(Some(mapping));
                        0
                    }
                    Err(error) => error.raw(),
                },
                |_| drop(kept.take()),
            );
            assert_eq!(happened, steps);
        }
        assert_eq!(two.guest_b.abandoned(), 0);
    });
}

/// Nothing undone: usable as before. A part of it: nobody gets the pages.
#[test]
fn each_step_of_unmapping_fails() {
    with_two(0, |two| {
        let grants = [1, 2, 3].map(|byte| two.grant(byte));
        let grefs = grants.each_ref().map(|grant| grant.gref());
        Fault::Hypercall.inject(two.b, 2);
        let refused = two.map(&grefs).unwrap().unmap().unwrap_err();
        let mapping = refused.mapping.expect("nothing is undone");
        assert_eq!(mapping.memory().read::<u8>(PAGE_SIZE + 5), 2);
        for nth in 1..=3 {
            Fault::Unmap(abi::GNTST_general_error).inject(two.b, nth);
        }
        let refused = mapping.unmap().unwrap_err();
        assert_eq!(refused.error, Error::Invalid);
        let mapping = refused.mapping.expect("nothing is undone");
        assert_eq!(two.guest_b.abandoned(), 0);
        Fault::Unmap(abi::GNTST_general_error).inject(two.b, 2);
        let refused = mapping.unmap().unwrap_err();
        assert_eq!(
            (refused.error, refused.mapping.is_none()),
            (Error::Invalid, true)
        );
        assert_eq!((two.guest_b.abandoned(), two.xen.leaks().mappings), (1, 1));
        assert_eq!(two.room(), ROOM - 3);
        // The same by dropping; and the platform's part of it.
        let mapping = two.map(&grefs).unwrap();
        Fault::Unmap(abi::GNTST_general_error).inject(two.b, 1);
        drop(mapping);
        assert_eq!((two.guest_b.abandoned(), two.xen.leaks().mappings), (2, 2));
        let mapping = two.map(&grefs).unwrap();
        Fault::Hook(Hook::Unmap).inject(two.b, 1);
        let refused = mapping.unmap().unwrap_err();
        assert_eq!(
            (refused.error, refused.mapping.is_none()),
            (Error::Partial, true)
        );
        assert_eq!((two.guest_b.abandoned(), two.xen.leaks().mappings), (3, 2));
        assert_eq!(two.room(), ROOM - 9);
        // SAFETY: the guest is set up.
        let quarantined = unsafe { xen_guest::ffi::xg_gnttab_quarantined(Raw::of(two.guest_b).0) };
        assert_eq!(quarantined, 3);
        two.b.destroy();
    });
}

#[test]
fn copies_in_one_hypercall() {
    with_two(0, |two| {
        let grant = two.grant(77);
        let (guest, dom) = (two.guest_b, two.b.domid());
        let peer = Granted {
            peer: two.a.domid(),
            gref: grant.gref(),
        };
        let own = RawPages::new(two.b);
        // Across a page's end, and up to it; nothing; all of it.
        for (start, offset, len) in [
            (PAGE_SIZE - 3, 5, 8),
            (PAGE_SIZE - 8, 0, 8),
            (0, PAGE_SIZE - 1, 1),
            (17, 100, 0),
            (17, PAGE_SIZE, 0),
            (9, 0, PAGE_SIZE),
        ] {
            for i in 0..PAGE_SIZE {
                grant.memory().write(i, (i % 251) as u8);
            }
            let calls = two.xen.hypercalls(dom);
            own.bytes(0, 2 * PAGE_SIZE).fill(0xff);
            peer.read(guest, offset, own.bytes(start, len)).unwrap();
            let got: Vec<u8> = own.bytes(0, 2 * PAGE_SIZE).to_vec();
            for (i, byte) in got.into_iter().enumerate() {
                let inside = (start..start + len).contains(&i);
                let wanted = if inside {
                    (offset + i - start) % 251
                } else {
                    0xff
                };
                assert_eq!(byte, wanted as u8, "{start} {offset} {len}: {i}");
            }
            for (i, byte) in own.bytes(start, len).iter_mut().enumerate() {
                *byte = (i % 199) as u8;
            }
            peer.write(guest, offset, own.bytes(start, len)).unwrap();
            for i in 0..len {
                assert_eq!(grant.memory().read::<u8>(offset + i), (i % 199) as u8);
            }
            let made = if len == 0 { 0 } else { 2 };
            assert_eq!(two.xen.hypercalls(dom) - calls, made);
        }
        let calls = two.xen.hypercalls(dom);
        for (offset, len) in [(1, PAGE_SIZE), (PAGE_SIZE + 1, 0), (usize::MAX, 2)] {
            let refused = peer.read(guest, offset, own.bytes(0, len));
            assert_eq!(refused, Err(Error::Invalid));
        }
        let mut elsewhere = [0; 4];
        assert_eq!(peer.read(guest, 0, &mut elsewhere), Err(Error::BadAddress));
        assert_eq!(two.xen.hypercalls(dom), calls);
        let nobodys = Granted {
            gref: GrantRef::new(300),
            ..peer
        };
        assert_eq!(
            nobodys.write(guest, 0, own.bytes(0, 4)),
            Err(Error::Invalid)
        );
        Fault::Hypercall.inject(two.b, 1);
        assert!(peer.write(guest, 0, own.bytes(0, 4)).is_err());
        assert!(peer.write(guest, 0, own.bytes(0, 4)).is_ok());
        // Nothing is left in use.
        drop(grant.end().unwrap());
        drop(own);
    });
}

/// Two pages of a domain's RAM as plain bytes.
struct RawPages<'d>(&'d Domain, *mut u8);

impl<'d> RawPages<'d> {
    fn new(domain: &'d Domain) -> Self {
        use xen_guest::Platform;
        Self(domain, domain.page_alloc(2))
    }

    #[allow(clippy::mut_from_ref)]
    fn bytes(&self, start: usize, len: usize) -> &mut [u8] {
        assert!(start + len <= 2 * PAGE_SIZE);
        // SAFETY: allocated for this; one slice at a time is used.
        unsafe { std::slice::from_raw_parts_mut(self.1.add(start), len) }
    }
}

impl Drop for RawPages<'_> {
    fn drop(&mut self) {
        use xen_guest::Platform;
        // SAFETY: allocated in `new`.
        unsafe { self.0.page_free(self.1, 2) };
    }
}

/// A page that can be parked.
#[derive(Debug)]
struct Parked(SimPage);

// SAFETY: the page is the simulator's, which hands it out once.
unsafe impl PageOwner for Parked {
    fn page(&self) -> std::ptr::NonNull<Page> {
        self.0.page()
    }

    fn parker() -> Option<Parker<Self>> {
        Some(Parker::new())
    }
}

// SAFETY: the box that `into_raw` took apart.
unsafe impl ParkedOwner for Parked {
    fn into_raw(self) -> *mut () {
        Box::into_raw(Box::new(self)).cast()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: from `into_raw`, once.
        *unsafe { Box::from_raw(raw.cast()) }
    }
}

/// Dropped while the peer has the page: it comes back when the peer lets go,
/// if there is a place for it until then, and its owner can be kept there.
#[test]
fn a_busy_grant_is_parked_when_dropped() {
    with_two(1, |two| {
        let grant = || {
            let page = Parked(two.a.alloc_page().unwrap());
            Grant::new(two.guest_a, two.b.domid(), page, Access::ReadWrite).unwrap()
        };
        let pages = || two.xen.leaks().pages;
        // Not in use: at once.
        drop(grant());
        assert_eq!((pages(), two.guest_a.reap_grants(9)), (0, 0));
        let first = grant();
        let mapping = two.map(&[first.gref()]).unwrap();
        drop(first);
        assert_eq!((pages(), two.guest_a.reap_grants(9)), (1, 1));
        // There is one place: the next page is lost.
        let second = grant();
        let other = two.map(&[second.gref()]).unwrap();
        drop(second);
        assert_eq!((pages(), two.guest_a.abandoned()), (2, 1));
        drop((mapping, other));
        assert_eq!((two.guest_a.reap_grants(9), pages()), (0, 1));
        assert_eq!(two.xen.leaks().grants, 1);
        // One that can't be kept is lost, too.
        let plain = two.grant(1);
        let mapping = two.map(&[plain.gref()]).unwrap();
        drop(plain);
        assert_eq!(
            (two.guest_a.reap_grants(9), two.guest_a.abandoned()),
            (0, 2)
        );
        drop(mapping);
    });
}
