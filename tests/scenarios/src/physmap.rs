// SPDX-License-Identifier: MIT OR Apache-2.0
//! The physmap: refusals, and frames of another domain.

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{A, B, Control};
use crate::ops::{Kept, gfn_of};

const EPERM: i64 = -1;
const ENOENT: i64 = -2;
const ESRCH: i64 = -3;
const EACCES: i64 = -13;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const ENOSYS: i64 = -38;

const SELF: u16 = 0x7ff0;

fn add(d: &Domain<'_>, dom: u16, space: u32, idx: u64, window_page: usize) -> i64 {
    let gfn = gfn_of(d, d.memory.empty_page(window_page).as_ptr());
    // SAFETY: the guest is set up; the frame is empty.
    unsafe { ffi::xg_memory_add_to_physmap(d.raw(), dom, space, idx, gfn).into() }
}

pub(crate) fn refused_physmap_changes(cx: &mut Cx<'_, '_>) -> Verdict {
    let shared_info = abi::XENMAPSPACE_shared_info;
    let grant_table = abi::XENMAPSPACE_grant_table;
    // On x86 it would not stay where this domain looks for it.
    if !cx.x86("Xen moves what is mapped a second time") {
        for (what, space) in [
            ("shared info a second time", shared_info),
            ("a grant frame a second time", grant_table),
        ] {
            let call = format_args!("add_to_physmap: {what}");
            let rc = cx.step(A, call, |d| add(d, SELF, space, 0, 0));
            cx.check(rc, EBUSY)?;
        }
    }
    let steps: [(&str, u16, u32, u64, i64); 5] = [
        ("shared info 1", SELF, shared_info, 1, EINVAL),
        ("grant frame 64", SELF, grant_table, 64, EINVAL),
        (
            "foreign, single form",
            SELF,
            abi::XENMAPSPACE_gmfn_foreign,
            0,
            ENOSYS,
        ),
        ("for another domain", B.raw(), shared_info, 0, EPERM),
        ("a device", SELF, abi::XENMAPSPACE_dev_mmio, 0x9010, EACCES),
    ];
    for (what, dom, space, idx, want) in steps {
        let rc = cx.step(A, format_args!("add_to_physmap: {what}"), |d| {
            add(d, dom, space, idx, 0)
        });
        cx.check(rc, want)?;
    }
    let rc = cx.step(A, format_args!("add_to_physmap: no such domain"), |d| {
        add(d, 77, shared_info, 0, 0)
    });
    cx.check(rc, ESRCH)?;
    let rc = cx.step(A, format_args!("remove_from_physmap: empty frame"), |d| {
        let gfn = gfn_of(d, d.memory.empty_page(3).as_ptr());
        // SAFETY: the guest is set up; nothing is there.
        unsafe { ffi::xg_memory_remove_from_physmap(d.raw(), SELF, gfn).into() }
    });
    cx.check(rc, ENOENT)?;
    let rc = cx.step(A, format_args!("remove_from_physmap: another's"), |d| {
        // SAFETY: the guest is set up; Xen refuses.
        unsafe { ffi::xg_memory_remove_from_physmap(d.raw(), B.raw(), 0x40000).into() }
    });
    cx.check(rc, EPERM)
}

/// Two frames of A in the control domain, one of them not there: each entry
/// has its own result, and the whole says that not all went well.
pub(crate) fn foreign_frames(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let gfn = cx.tell(A, |d| {
        page = d.memory.alloc_page();
        page.map_or(-1, |page| gfn_of(d, page.as_ptr().cast()) as i64)
    });
    cx.poke(A, &page, 3, 0xf0e1);
    let results = cx.step(Control, format_args!("map a good and a bad frame"), |d| {
        foreign(d, A.raw(), [gfn as u64, 0xffff_f000])
    });
    cx.check(results, -22 * 1000 - 22)?;
    let value = cx.step(Control, format_args!("read it"), |d| read_window(d, 0, 3));
    cx.check(value, 0xf0e1)?;
    let removed = cx.step(Control, format_args!("remove it"), |d| {
        let at = gfn_of(d, d.memory.empty_page(0).as_ptr());
        // SAFETY: the guest is set up; only the foreign page is there, and
        // nothing uses it any more.
        unsafe { ffi::xg_memory_remove_from_physmap(d.raw(), SELF, at).into() }
    });
    cx.check(removed, 0)?;
    // The unprivileged get an error for each entry.
    let results = cx.step(B, format_args!("map A's frames"), |d| {
        foreign(d, A.raw(), [gfn as u64, gfn as u64])
    });
    cx.check(results, -1101)?;
    cx.free(A, &mut page);
    Ok(())
}

/// Window pages 0 and 1: the first error times 1000, less those of the rest.
fn foreign(d: &Domain<'_>, dom: u16, frames: [u64; 2]) -> i64 {
    let gfns = [0, 1].map(|i| gfn_of(d, d.memory.empty_page(i).as_ptr()));
    let mut errs = [1; 2];
    // SAFETY: the guest is set up; the frames are empty.
    let rc = unsafe {
        ffi::xg_memory_add_to_physmap_batch(
            d.raw(),
            SELF,
            dom,
            abi::XENMAPSPACE_gmfn_foreign,
            2,
            frames.as_ptr(),
            gfns.as_ptr(),
            errs.as_mut_ptr(),
        )
    };
    i64::from(rc) * 1000 + i64::from(errs[0]) * 100 + i64::from(errs[1])
}

/// Word `index` of window page `page`, made visible for the moment.
fn read_window(d: &Domain<'_>, page: usize, index: usize) -> i64 {
    assert!(index < PAGE_SIZE / 4);
    let va = d.memory.empty_page(page);
    let gfn = gfn_of(d, va.as_ptr());
    // SAFETY: the guest is set up, so its platform table is complete; the
    // frame is filled and the page is ours.
    unsafe {
        let guest = d.raw();
        let hooks = &*(*guest).platform;
        let (Some(map), Some(unmap)) = (hooks.map, hooks.unmap) else {
            return -1;
        };
        let context = (*guest).context;
        if map(context, va.as_ptr().cast(), gfn, 1, ffi::XG_PROT_READ) != 0 {
            return -2;
        }
        let value = va.cast::<u32>().add(index).read_volatile();
        if unmap(context, va.as_ptr().cast(), 1) != 0 {
            return -3;
        }
        value.into()
    }
}
