// SPDX-License-Identifier: MIT OR Apache-2.0
//! A control domain with an empty window, and a domain with pages to look at:
//! what the tests of failing memory calls share.

#![allow(dead_code)]

use crate::common::{self, Fault, Raw, SELF};
use xen_guest::ffi::{self, abi, xg_window};
use xen_guest::sim::{Domain, DomainConfig, Frame, Hypervisor, Leaks};
use xen_guest::{Gfn, PAGE_SIZE, Platform};

/// More than two chunks of the core.
pub const PAGES: u32 = 70;
pub const TABLE: u16 = abi::XENMEM_resource_grant_table as u16;

/// The control domain with an empty window; A, with pages in a row.
pub struct Pair {
    pub xen: Hypervisor,
    pub dom0: Domain,
    pub a: Domain,
    /// Of the control domain.
    pub raw: Raw,
    /// Of A.
    pub raw_a: Raw,
    pub window: xg_window,
    /// First frame of A's pages.
    pub gfn: u64,
}

#[derive(Debug, PartialEq)]
pub struct Picture {
    pub leaks: Leaks,
    pub window: Vec<Frame>,
    pub pages: Vec<Frame>,
}

impl Pair {
    pub fn dom(&self) -> u16 {
        self.a.domid().raw()
    }

    pub fn window_frames(&self) -> Vec<Frame> {
        let gfns = self.window.gfn..self.window.gfn + u64::from(PAGES);
        gfns.map(|gfn| self.dom0.frame(Gfn::new(gfn))).collect()
    }

    pub fn page_frames(&self) -> Vec<Frame> {
        let gfns = self.gfn..self.gfn + u64::from(PAGES);
        gfns.map(|gfn| self.a.frame(Gfn::new(gfn))).collect()
    }

    pub fn picture(&self) -> Picture {
        Picture {
            leaks: self.xen.leaks(),
            window: self.window_frames(),
            pages: self.page_frames(),
        }
    }

    pub fn map(&self, prot: u32, left: &mut u32) -> i32 {
        // SAFETY: the guest is set up; the window is empty.
        unsafe { ffi::xg_foreign_map(self.raw.0, self.dom(), self.gfn, &self.window, prot, left) }
    }

    pub fn map_table(&self, prot: u32, left: &mut u32) -> i32 {
        // SAFETY: the guest is set up; the window is empty.
        unsafe {
            ffi::xg_resource_map(
                self.raw.0,
                self.dom(),
                TABLE,
                0,
                0,
                &self.window,
                prot,
                left,
            )
        }
    }

    pub fn unmap(&self, left: &mut u32) -> i32 {
        // SAFETY: the guest is set up; nobody uses the window.
        unsafe { ffi::xg_foreign_unmap(self.raw.0, &self.window, left) }
    }

    pub fn acquire(&self, gfns: &[u64], left: &mut u32) -> i32 {
        let count = gfns.len() as u32;
        // SAFETY: the guest is set up; the frames are empty.
        unsafe {
            let raw = self.raw.0;
            ffi::xg_memory_acquire_resource(
                raw,
                self.dom(),
                TABLE,
                0,
                0,
                count,
                gfns.as_ptr(),
                left,
            )
        }
    }

    /// Past the library: make the window's first `pages` frames empty.
    pub fn clear_window(&self, pages: u32) {
        for page in 0..u64::from(pages) {
            let gfn = self.window.gfn + page;
            if self.dom0.frame(Gfn::new(gfn)) != Frame::Empty {
                // SAFETY: the guest is set up; nobody uses the window.
                let rc = unsafe { ffi::xg_memory_remove_from_physmap(self.raw.0, SELF, gfn) };
                assert_eq!(rc, 0);
            }
        }
    }

    /// How many of the window's frames are filled; none is at or beyond
    /// `left`, and one is just before it.
    pub fn left_in_window(&self, left: u32) -> usize {
        let frames = self.window_frames();
        let (before, behind) = frames.split_at(left as usize);
        assert!(behind.iter().all(|frame| *frame == Frame::Empty), "{left}");
        assert_ne!(before.last(), Some(&Frame::Empty), "{left}");
        before
            .iter()
            .filter(|frame| **frame != Frame::Empty)
            .count()
    }

    pub fn change(&self, populate: bool, gfn: u64, count: u32) -> (i32, u32) {
        let mut done = 99;
        let raw = self.raw_a.0;
        // SAFETY: the guest is set up; the pages are the test's.
        let rc = unsafe {
            if populate {
                ffi::xg_memory_populate_range(raw, SELF, gfn, count, &mut done)
            } else {
                ffi::xg_memory_decrease_range(raw, SELF, gfn, count, &mut done)
            }
        };
        (rc, done)
    }

    pub fn change_list(&self, populate: bool, gfns: &[u64]) -> (i32, u32) {
        let mut done = 99;
        let (raw, count, list) = (self.raw_a.0, gfns.len() as u32, gfns.as_ptr());
        // SAFETY: the guest is set up; the pages are the test's.
        let rc = unsafe {
            if populate {
                ffi::xg_memory_populate_physmap(raw, SELF, 0, count, 0, list, &mut done)
            } else {
                ffi::xg_memory_decrease_reservation(raw, SELF, 0, count, 0, list, &mut done)
            }
        };
        (rc, done)
    }

    /// Lets A's `nth` hypercall fail during `call`; whether it happened.
    pub fn fail_a<R>(&self, nth: u64, call: impl FnOnce() -> R) -> (R, bool) {
        Fault::Hypercall.inject(&self.a, nth);
        let result = call();
        let happened = self.xen.faults_left(self.a.domid()) == 0;
        self.xen.clear_faults(self.a.domid());
        (result, happened)
    }
}

pub fn with_pair(body: impl FnOnce(&Pair)) {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let a = xen.create_domain(DomainConfig::default().with_max_grant_frames(128));
    let (mut storage, mut storage_a) = (common::Storage::new(), common::Storage::new());
    let guest = common::guest(&mut storage, &dom0, &dom0);
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let pages = a.page_alloc(PAGES);
    for page in 0..PAGES as usize {
        // SAFETY: allocated just now.
        unsafe { pages.add(page * PAGE_SIZE).write_volatile(page as u8 + 1) };
    }
    let empty = dom0.empty_pages(PAGES).unwrap();
    let va = empty.va().as_ptr();
    let pair = Pair {
        xen: xen.clone(),
        dom0: dom0.clone(),
        a: a.clone(),
        raw: Raw::of(&guest),
        raw_a: Raw::of(&guest_a),
        window: xg_window {
            va: va.cast(),
            gfn: dom0.virt_to_gfn(va).unwrap().raw(),
            pages: PAGES,
        },
        gfn: a.virt_to_gfn(pages).unwrap().raw(),
    };
    let before = pair.picture();
    body(&pair);
    assert_eq!(pair.picture().leaks, before.leaks);
    drop(pair);
    dom0.return_empty_pages(empty);
    // SAFETY: allocated above; nobody has it mapped.
    unsafe { a.page_free(pages, PAGES) };
    guest.finish().unwrap();
    guest_a.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}
