// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grants on the table that Xen reads: giving access and ending it, one by one
//! and in batches.

use core::hint::black_box;

use firmware::pages;
use firmware::platform::Firmware;
use static_cell::ConstStaticCell;
use xen_guest::{Guest, GuestStorage, Platform, ffi};

use crate::{count, report};

static STORAGE: ConstStaticCell<GuestStorage<1, 16>> = ConstStaticCell::new(GuestStorage::new());

/// A number that a domain may have; nobody has to be there.
const PEER: u16 = 1;
const BATCH: usize = 32;

fn grant(guest: &Guest<'_>, gfn: u64) -> u32 {
    // SAFETY: the guest is set up; the frame is a page taken for this.
    let gref = unsafe { ffi::xg_gnttab_grant(guest.as_raw(), PEER, gfn, false) };
    u32::try_from(gref).expect("a reference")
}

fn end(guest: &Guest<'_>, gref: u32) {
    // SAFETY: set up.
    let rc = unsafe { ffi::xg_gnttab_end(guest.as_raw(), gref) };
    assert_eq!(rc, 0);
}

pub fn run() {
    let guest = firmware::init_in(STORAGE.take());
    let page = pages::take(1).expect("a page to grant");
    let gfn = Firmware.virt_to_gfn(page.as_ptr().cast());
    let gfn = gfn.expect("the page has a frame").raw();
    report(
        count(|| end(guest, black_box(grant(guest, black_box(gfn))))),
        "grant and end",
    );

    let gfns = [gfn; BATCH];
    let mut grefs = [0; BATCH];
    let tenths = count(|| {
        let (to, count) = (grefs.as_mut_ptr(), BATCH as u32);
        // SAFETY: set up; the arrays are as long as said.
        let (granted, ended) = unsafe {
            let g = guest.as_raw();
            (
                ffi::xg_gnttab_grant_batch(g, PEER, gfns.as_ptr(), to, count, false),
                ffi::xg_gnttab_end_batch(g, to, core::ptr::null_mut(), count),
            )
        };
        assert_eq!((granted, ended), (0, 0));
    });
    report(
        tenths / BATCH as u64,
        "grant and end, each of a batch of 32",
    );

    // Several at a time, so that the lowest reference is not the next.
    let held = [(); BATCH].map(|()| grant(guest, gfn));
    report(
        count(|| end(guest, black_box(grant(guest, black_box(gfn))))),
        "grant and end, with 32 others granted",
    );
    for gref in held {
        end(guest, gref);
    }
}
