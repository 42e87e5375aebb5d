// SPDX-License-Identifier: MIT OR Apache-2.0
//! A region's pages: taking them and giving them back, under the guest's lock,
//! with the rest free and with every other one used.

use core::ffi::c_void;
use core::hint::black_box;

use firmware::Options;
use static_cell::{ConstStaticCell, StaticCell};
use xen_guest::{Guest, GuestStorage, Region, ffi, region_metadata};

use crate::{count, report};

const PAGES: u32 = 256;

static STORAGE: ConstStaticCell<GuestStorage<1, 8>> = ConstStaticCell::new(GuestStorage::new());
static REGION: StaticCell<[Region<'static>; 1]> = StaticCell::new();
static METADATA: ConstStaticCell<[u64; region_metadata(PAGES)]> =
    ConstStaticCell::new([0; region_metadata(PAGES)]);

fn get(guest: &Guest<'_>, n: u32) -> *mut c_void {
    // SAFETY: the guest is set up.
    unsafe { ffi::xg_region_get_pages(guest.as_raw(), n) }
}

fn put(guest: &Guest<'_>, va: *mut c_void, n: u32) {
    // SAFETY: the guest is set up.
    let rc = unsafe { ffi::xg_region_put_pages(guest.as_raw(), va, n) };
    assert_eq!(rc, 0);
}

fn pair(guest: &Guest<'_>, n: u32) -> u64 {
    count(|| put(guest, get(guest, black_box(n)), n))
}

pub fn run() {
    let region = firmware::region(PAGES, METADATA.take()).expect("empty frames");
    let options = Options {
        regions: REGION.init([region]),
        ..Options::default()
    };
    let guest = firmware::init_with(STORAGE.take(), options);
    report(pair(guest, 1), "get and put of a page");
    report(pair(guest, 2), "get and put of two pages");
    report(pair(guest, 64), "get and put of 64 pages");

    let mut all = [core::ptr::null_mut(); PAGES as usize];
    all.fill_with(|| get(guest, 1));
    for &va in all.iter().step_by(2) {
        put(guest, va, 1);
    }
    report(
        pair(guest, 1),
        "get and put of a page, every other one used",
    );
    report(
        count(|| assert!(get(guest, black_box(2)).is_null())),
        "two pages refused, every other one used",
    );
}
