// SPDX-License-Identifier: MIT OR Apache-2.0
//! The control domain looks into others: their frames and grant tables.

use core::cell::Cell;
use core::sync::atomic::Ordering;

use xen_guest::ffi::{self, abi};
use xen_guest::{
    Access, EmptyPages, Error, ForeignMap, Gfn, Guest, PAGE_SIZE, RegionPages, Resource,
};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{A, B, Control};
use crate::grants::version;
use crate::memory::{NOBODY, Pages, SELF, remove, window_gfn};
use crate::ops::{Kept, Mapped};
use crate::regions::REGION_PAGES;

const EPERM: i64 = -1;
const ENOENT: i64 = -2;
const ESRCH: i64 = -3;
const E2BIG: i64 = -7;
const EACCES: i64 = -13;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const EOPNOTSUPP: i64 = -95;

const READ: u32 = ffi::XG_PROT_READ;
pub(crate) const WRITE: u32 = ffi::XG_PROT_READ | ffi::XG_PROT_WRITE;
const TABLE: u16 = abi::XENMEM_resource_grant_table as u16;

/// `pages` pages of the window, from its page `first` on.
pub(crate) fn window(d: &Domain<'_>, first: usize, pages: u32) -> ffi::xg_window {
    ffi::xg_window {
        va: d.memory.empty_page(first).as_ptr().cast(),
        gfn: window_gfn(d, first),
        pages,
    }
}

/// The result times 1000, less what it says is left.
pub(crate) fn outcome(d: &Domain<'_>, rc: i32, left: u32, pages: u32) -> i64 {
    if rc == 0 {
        d.mapped.fetch_add(pages, Ordering::Relaxed);
    }
    i64::from(rc) * 1000 - i64::from(left)
}

fn map(d: &Domain<'_>, dom: u16, first: u64, at: &ffi::xg_window, prot: u32) -> i64 {
    let mut left = 9;
    // SAFETY: the guest is set up; the window is empty.
    let rc = unsafe { ffi::xg_foreign_map(d.raw(), dom, first, at, prot, &mut left) };
    outcome(d, rc, left, at.pages)
}

pub(crate) fn unmap(d: &Domain<'_>, at: &ffi::xg_window) -> i64 {
    let mut left = 9;
    // SAFETY: the guest is set up; nobody uses the window.
    let rc = unsafe { ffi::xg_foreign_unmap(d.raw(), at, &mut left) };
    if rc == 0 {
        d.mapped.fetch_sub(at.pages, Ordering::Relaxed);
    }
    i64::from(rc) * 1000 - i64::from(left)
}

/// How many of the window's first `pages` frames are empty.
fn empty_frames(d: &Domain<'_>, pages: usize) -> i64 {
    let empty = |page| remove(d, SELF, window_gfn(d, page), 1) == ENOENT * 1000;
    (0..pages).filter(|&page| empty(page)).count() as i64
}

fn at(d: &Domain<'_>, page: usize) -> Mapped {
    Mapped {
        va: d.memory.empty_page(page).addr().get(),
        ..Mapped::default()
    }
}

/// Frames of A that lie in a row, mapped in a row.
pub(crate) fn foreign_windows(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<3>::alloc(cx, A)?;
    let gfn = pages.gfn;
    for (i, page) in pages.kept.iter().enumerate() {
        cx.poke(A, page, 7, 0xf0 + i as u32);
    }
    let mapped = Cell::new([Mapped::default(); 3]);
    // Again and again: nothing is left behind.
    for prot in [WRITE, READ, WRITE] {
        let rc = cx.step(Control, format_args!("map 3 of A, {prot}"), |d| {
            mapped.set([0, 1, 2].map(|page| at(d, page)));
            map(d, A.raw(), gfn, &window(d, 0, 3), prot)
        });
        cx.check(rc, 0)?;
        for (i, page) in mapped.get().iter().enumerate() {
            let value = cx.peek_mapped(Control, page, 7);
            cx.check(value, 0xf0 + i as i64)?;
        }
        if prot == WRITE {
            cx.poke_mapped(Control, &mapped.get()[2], 8, 0x88);
            let value = cx.peek(A, &pages.kept[2], 8);
            cx.check(value, 0x88)?;
        }
        let call = format_args!("unmap 3");
        let rc = cx.step(Control, call, |d| unmap(d, &window(d, 0, 3)));
        cx.check(rc, 0)?;
    }
    let empty = cx.step(Control, format_args!("empty frames"), |d| {
        empty_frames(d, 3)
    });
    cx.check(empty, 3)?;
    pages.free(cx, A);
    Ok(())
}

/// A frame in the middle is missing: none is mapped.
pub(crate) fn foreign_hole(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<3>::alloc(cx, A)?;
    let gfn = pages.gfn;
    for missing in [0, 1, 2] {
        let call = format_args!("give page {missing} back");
        let rc = cx.step(A, call, |d| decrease(d, gfn + missing));
        cx.check(rc, 1)?;
        let call = format_args!("map 3 of A");
        let rc = cx.step(Control, call, |d| {
            map(d, A.raw(), gfn, &window(d, 0, 3), WRITE)
        });
        cx.check(rc, EINVAL * 1000)?;
        let call = format_args!("empty frames");
        let empty = cx.step(Control, call, |d| empty_frames(d, 3));
        cx.check(empty, 3)?;
        let rc = cx.step(A, format_args!("take it again"), |d| {
            populate(d, gfn + missing)
        });
        cx.check(rc, 1)?;
    }
    // A page that is mapped elsewhere is its owner's until it is unmapped.
    let call = format_args!("map 3 of A");
    let rc = cx.step(Control, call, |d| {
        map(d, A.raw(), gfn, &window(d, 0, 3), WRITE)
    });
    cx.check(rc, 0)?;
    let rc = cx.step(A, format_args!("give one back"), |d| decrease(d, gfn));
    cx.check(rc, 1)?;
    let rc = cx.step(A, format_args!("take another"), |d| populate(d, gfn));
    cx.check(rc, E2BIG * 1000)?;
    let call = format_args!("unmap 3");
    let rc = cx.step(Control, call, |d| unmap(d, &window(d, 0, 3)));
    cx.check(rc, 0)?;
    let rc = cx.step(A, format_args!("take another"), |d| populate(d, gfn));
    cx.check(rc, 1)?;
    pages.free(cx, A);
    Ok(())
}

pub(crate) fn decrease(d: &Domain<'_>, gfn: u64) -> i64 {
    decrease_of(d, SELF, gfn)
}

pub(crate) fn decrease_of(d: &Domain<'_>, dom: u16, gfn: u64) -> i64 {
    let mut done = 9;
    // SAFETY: the guest is set up; nobody uses the page.
    let rc = unsafe { ffi::xg_memory_decrease_range(d.raw(), dom, gfn, 1, &mut done) };
    i64::from(rc) * 1000 + i64::from(done)
}

pub(crate) fn populate(d: &Domain<'_>, gfn: u64) -> i64 {
    populate_of(d, SELF, gfn)
}

pub(crate) fn populate_of(d: &Domain<'_>, dom: u16, gfn: u64) -> i64 {
    let mut done = 9;
    // SAFETY: the guest is set up; the frame is empty.
    let rc = unsafe { ffi::xg_memory_populate_range(d.raw(), dom, gfn, 1, &mut done) };
    i64::from(rc) * 1000 + i64::from(done)
}

/// Whether plain domains that ask for others' pages are refused before Xen looks
/// at what they ask for: those of x86 by 4.17, and by no later one.
pub(crate) fn refused_early(cx: &mut Cx<'_, '_>) -> bool {
    if !cx.x86("4.17 refuses plain domains first") {
        return false;
    }
    let call = format_args!("size of A's grant table");
    cx.step(B, call, |d| size(d, A.raw(), TABLE, 0)) == EACCES
}

pub(crate) fn refused_foreign_maps(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<1>::alloc(cx, A)?;
    let gfn = pages.gfn;
    let early = refused_early(cx);
    let refusals = [
        ("nobody", Control, NOBODY, ESRCH),
        ("A", B, A.raw(), EPERM),
        ("nobody", B, NOBODY, if early { EPERM } else { ESRCH }),
    ];
    let results = refusals.map(|(what, role, dom, want)| {
        let rc = cx.step(role, format_args!("map a frame of {what}"), |d| {
            map(d, dom, gfn, &window(d, 0, 1), READ)
        });
        (rc, want * 1000)
    });
    for (rc, want) in results {
        cx.check(rc, want)?;
    }
    // Its own frames: the error depends on the version of Xen.
    for (role, dom, errors) in [
        (Control, Control.raw(), [EPERM, ESRCH]),
        (A, A.raw(), [EPERM, ESRCH]),
        (Control, SELF, [ESRCH, EINVAL]),
    ] {
        let refused = cx.step(role, format_args!("map an own frame by {dom:#x}"), |d| {
            let rc = map(d, dom, gfn, &window(d, 0, 1), READ);
            i64::from(errors.map(|error| error * 1000).contains(&rc))
        });
        cx.check(refused, 1)?;
    }
    // Arguments that don't come as far as Xen.
    let rc = cx.step(Control, format_args!("bad arguments"), |d| {
        let good = window(d, 0, 1);
        let odd = good.va.cast::<u8>().wrapping_add(8).cast();
        let bad = [
            (0, good, 0),
            (0, good, ffi::XG_PROT_WRITE),
            (0, good, 8),
            (u64::MAX, ffi::xg_window { pages: 2, ..good }, READ),
            (0, ffi::xg_window { pages: 0, ..good }, READ),
            (0, ffi::xg_window { va: odd, ..good }, READ),
            (
                0,
                ffi::xg_window {
                    gfn: 1 << 52,
                    ..good
                },
                READ,
            ),
        ];
        bad.iter()
            .filter(|(first, at, prot)| map(d, A.raw(), *first, at, *prot) == EINVAL * 1000)
            .count() as i64
    });
    cx.check(rc, 7)?;
    // No RAM, far outside, and no such number.
    for first in [0x8000, 1 << 30, 1 << 40, u64::MAX] {
        let rc = cx.step(Control, format_args!("map frame {first:#x} of A"), |d| {
            map(d, A.raw(), first, &window(d, 0, 1), READ)
        });
        cx.check(rc, EINVAL * 1000)?;
    }
    pages.free(cx, A);
    Ok(())
}

pub(crate) fn size(d: &Domain<'_>, dom: u16, kind: u16, id: u32) -> i64 {
    let mut frames = 0;
    // SAFETY: the guest is set up.
    match unsafe { ffi::xg_memory_resource_size(d.raw(), dom, kind, id, &mut frames) } {
        0 => frames.into(),
        error => error.into(),
    }
}

pub(crate) fn acquire(
    d: &Domain<'_>,
    dom: u16,
    kind: u16,
    id: u32,
    frame: u64,
    gfns: &[u64],
) -> i64 {
    let mut left = 9;
    // SAFETY: the guest is set up; the frames are empty.
    let rc = unsafe {
        ffi::xg_memory_acquire_resource(
            d.raw(),
            dom,
            kind,
            id,
            frame,
            gfns.len() as u32,
            gfns.as_ptr(),
            &mut left,
        )
    };
    i64::from(rc) * 1000 - i64::from(left)
}

/// A's grant table, as the control domain sees it.
pub(crate) fn grant_table_of_another(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let gref = cx.grant(A, &mut page, B.raw(), false);
    cx.check(gref, 8)?;
    let frames = cx.step(Control, format_args!("size of A's grant table"), |d| {
        size(d, A.raw(), TABLE, 0)
    });
    cx.check(frames, 64)?;
    // With version 2 who uses the page is in a frame of its own.
    let v2 = version(cx, A) == 2;
    let frames = if v2 { 2 } else { 1 };
    let table = Cell::new([Mapped::default(); 2]);
    for id in 0..frames {
        let call = format_args!("map its first frame of kind {id}");
        let rc = cx.step(Control, call, |d| {
            let mut left = 9;
            let at_window = window(d, id as usize, 1);
            table.set([0, 1].map(|page| at(d, page)));
            // SAFETY: the guest is set up; the window is empty.
            let rc = unsafe {
                let guest = d.raw();
                ffi::xg_resource_map(guest, A.raw(), TABLE, id, 0, &at_window, READ, &mut left)
            };
            outcome(d, rc, left, 1)
        });
        cx.check(rc, 0)?;
    }
    let entry = |cx: &mut Cx<'_, '_>| {
        let [table, status] = table.get();
        if v2 {
            // Words of 16 bytes, and of 2.
            let entry = cx.peek_mapped(Control, &table, 8 * 4);
            entry | cx.peek_mapped(Control, &status, 8 / 2) & 0xffff
        } else {
            cx.peek_mapped(Control, &table, 8 * 2)
        }
    };
    // Permitted to domain 2, and nobody has it mapped; then B has.
    let idle = entry(cx);
    cx.check(idle, 2 << 16 | 1)?;
    let mut mapped = Mapped::default();
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    let used = entry(cx);
    cx.check(used, 2 << 16 | 0x19)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    let ended = entry(cx) & 0xffff;
    cx.check(ended, 0)?;
    let call = format_args!("unmap it");
    for id in 0..frames as usize {
        let rc = cx.step(Control, call, |d| unmap(d, &window(d, id, 1)));
        cx.check(rc, 0)?;
    }
    cx.free(A, &mut page);
    Ok(())
}

pub(crate) fn refused_resources(cx: &mut Cx<'_, '_>) -> Verdict {
    let a = A.raw();
    let [eperm, esrch] = match refused_early(cx) {
        true => [EACCES; 2],
        false => [EPERM, ESRCH],
    };
    let refusals = [
        (Control, a, TABLE, 2, EINVAL),
        (Control, Control.raw(), TABLE, 0, EPERM),
        (Control, SELF, TABLE, 0, ESRCH),
        (Control, NOBODY, TABLE, 0, ESRCH),
        (B, a, TABLE, 0, eperm),
        (B, a, 7, 0, eperm),
        (B, B.raw(), TABLE, 0, eperm),
        (B, NOBODY, TABLE, 0, esrch),
    ];
    let results = refusals.map(|(role, dom, kind, id, want)| {
        let call = format_args!("size({dom:#x}, {kind}, {id})");
        let asked = cx.step(role, call, |d| size(d, dom, kind, id));
        let call = format_args!("acquire({dom:#x}, {kind}, {id})");
        let acquired = cx.step(role, call, |d| {
            acquire(d, dom, kind, id, 0, &[window_gfn(d, 0)])
        });
        (asked, acquired, want)
    });
    for (asked, acquired, want) in results {
        cx.check(asked, want)?;
        cx.check(acquired, want * 1000)?;
    }
    // Status words are of version 2 only. Where Xen has that they have a size
    // all the same.
    let call = format_args!("size({a:#x}, {TABLE}, 1)");
    let asked = cx.step(Control, call, |d| size(d, a, TABLE, 1));
    if asked != EINVAL {
        cx.check(asked, 64 / 8)?;
    }
    if version(cx, A) == 1 {
        let call = format_args!("acquire({a:#x}, {TABLE}, 1)");
        let acquired = cx.step(Control, call, |d| {
            acquire(d, a, TABLE, 1, 0, &[window_gfn(d, 0)])
        });
        cx.check(acquired, EINVAL * 1000)?;
    }
    // Again, which error depends on the version.
    let rc = cx.step(Control, format_args!("size of type 7"), |d| {
        size(d, a, 7, 0)
    });
    cx.check(rc, EINVAL)?;
    let refused = cx.step(Control, format_args!("acquire type 7"), |d| {
        let rc = acquire(d, a, 7, 0, 0, &[window_gfn(d, 0)]);
        i64::from([EINVAL * 1000, EOPNOTSUPP * 1000].contains(&rc))
    });
    cx.check(refused, 1)?;
    // Beyond the end, in part or as a whole; beyond what Xen counts.
    for frame in [63, 64, 0xffff_ffff, 1 << 32, u64::MAX - 1] {
        let call = format_args!("acquire frames {frame} and the next");
        let rc = cx.step(Control, call, |d| {
            let gfns = [window_gfn(d, 0), window_gfn(d, 1)];
            acquire(d, a, TABLE, 0, frame, &gfns)
        });
        cx.check(rc, EINVAL * 1000)?;
    }
    let rc = cx.step(Control, format_args!("acquire no frames"), |d| {
        acquire(d, a, TABLE, 0, 0, &[])
    });
    cx.check(rc, EINVAL * 1000)?;
    // A frame of the list that can't be: none is there.
    let outside = if cx.on_x86() { ENOENT } else { EINVAL };
    for bad in [0, 1, 2] {
        let call = format_args!("acquire 3, number {bad} outside");
        let rc = cx.step(Control, call, |d| {
            let mut gfns = [0, 1, 2].map(|page| window_gfn(d, page));
            gfns[bad] = 1 << 50;
            acquire(d, a, TABLE, 0, 0, &gfns)
        });
        cx.check(rc, outside * 1000)?;
    }
    let empty = cx.step(Control, format_args!("empty frames"), |d| {
        empty_frames(d, 3)
    });
    cx.check(empty, 3)?;
    // Shared information is no resource, and its owner's only. On x86 it would
    // move to where A does not look for it.
    if cx.on_x86() {
        return Ok(());
    }
    let rc = cx.step(Control, format_args!("A's shared info for A, again"), |d| {
        // SAFETY: the guest is set up; Xen refuses.
        unsafe {
            let guest = d.raw();
            let space = abi::XENMAPSPACE_shared_info;
            ffi::xg_memory_add_to_physmap(guest, a, space, 0, window_gfn(d, 0)).into()
        }
    });
    cx.check(rc, EBUSY)
}

/// The same with owners: dropped, and all is as before.
pub(crate) fn foreign_maps_with_owners(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<2>::alloc(cx, A)?;
    let gfn = Gfn::new(pages.gfn);
    cx.poke(A, &pages.kept[1], 3, 0x31);
    let value = cx.step(
        Control,
        format_args!("read A's second page"),
        |d| match ForeignMap::new(d.guest, A.domid(), gfn, Access::ReadOnly, owned(d, 2)) {
            Ok(map) => map.memory().read::<u32>(PAGE_SIZE + 12).into(),
            Err(refused) => refused.error.raw().into(),
        },
    );
    cx.check(value, 0x31)?;
    let call = format_args!("write it, and unmap");
    let pages_back = cx.step(Control, call, |d| {
        let map = ForeignMap::new(d.guest, A.domid(), gfn, Access::ReadWrite, owned(d, 2));
        let Ok(map) = map else { return -1 };
        map.memory().write::<u32>(PAGE_SIZE + 12, 0x32);
        map.unmap().map_or(-2, |pages| pages.pages().into())
    });
    cx.check(pages_back, 2)?;
    let value = cx.peek(A, &pages.kept[1], 3);
    cx.check(value, 0x32)?;
    let rc = cx.step(B, format_args!("read A's second page"), |d| {
        let map = ForeignMap::new(d.guest, A.domid(), gfn, Access::ReadOnly, owned(d, 2));
        map.map_or_else(
            |e| i64::from(e.error.raw()) * 10 - i64::from(e.pages.is_some()),
            |_| 0,
        )
    });
    cx.check(rc, EPERM * 10 - 1)?;
    let free = cx.step(
        Control,
        format_args!("flags of an entry that is not in use"),
        |d| {
            let table = Resource::GrantTable;
            let at = owned(d, 1);
            match ForeignMap::resource(d.guest, A.domid(), table, 0, Access::ReadOnly, at) {
                Ok(map) => map.memory().read::<u16>(8 * 8).into(),
                Err(refused) => refused.error.raw().into(),
            }
        },
    );
    cx.check(free, 0)?;
    let empty = cx.step(Control, format_args!("empty frames"), |d| {
        empty_frames(d, 2)
    });
    cx.check(empty, 2)?;
    let own = cx.step(A, format_args!("pages it may still have"), |d| {
        let own = d.guest.physmap();
        match (own.current_reservation(), own.maximum_reservation()) {
            (Ok(has), Ok(may)) => (may - has) as i64,
            _ => -1,
        }
    });
    cx.check(own, 0)?;
    pages.free(cx, A);
    Ok(())
}

/// The same into a region, which has its pages back afterwards: however the
/// mapping ends, and where there is none.
pub(crate) fn foreign_maps_into_a_region(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<2>::alloc(cx, A)?;
    let gfn = Gfn::new(pages.gfn);
    cx.poke(A, &pages.kept[1], 3, 0x41);
    let value = cx.step(Control, format_args!("read A's second page"), |d| {
        read(d.guest, gfn).map_or_else(|e| e.raw().into(), i64::from)
    });
    cx.check(value, 0x41)?;
    let rc = cx.step(B, format_args!("read A's second page"), |d| {
        read(d.guest, gfn).map_or_else(|e| e.raw().into(), i64::from)
    });
    cx.check(rc, EPERM)?;
    let rc = cx.step(Control, format_args!("read where A has nothing"), |d| {
        let nothing = Gfn::new(gfn.raw() + (1 << 30));
        read(d.guest, nothing).map_or_else(|e| e.raw().into(), i64::from)
    });
    cx.check(rc, EINVAL)?;
    let outcome = cx.step(Control, format_args!("hold on to it, and unmap"), |d| {
        let Ok(at) = RegionPages::take(d.guest, 2) else {
            return -1;
        };
        let map = ForeignMap::new(d.guest, A.domid(), gfn, Access::ReadWrite, at);
        let Ok(map) = map else { return -2 };
        map.memory().write::<u32>(PAGE_SIZE + 12, 0x42);
        let kept = RegionPages::take(d.guest, REGION_PAGES).is_err();
        let back = map.unmap().is_ok_and(|pages| pages.pages() == 2);
        i64::from(kept) * 10 + i64::from(back)
    });
    cx.check(outcome, 11)?;
    let value = cx.peek(A, &pages.kept[1], 3);
    cx.check(value, 0x42)?;
    for role in [Control, B] {
        let outcome = cx.step(role, format_args!("all of the region"), |d| {
            let all = RegionPages::take(d.guest, REGION_PAGES).is_ok();
            i64::from(all) + i64::from(d.guest.abandoned())
        });
        cx.check(outcome, 1)?;
    }
    pages.free(cx, A);
    Ok(())
}

/// A word of A's second page, by pages of the region.
fn read(guest: &Guest<'_>, gfn: Gfn) -> Result<u32, Error> {
    let at = RegionPages::take(guest, 2)?;
    let map = ForeignMap::new(guest, A.domid(), gfn, Access::ReadOnly, at)?;
    Ok(map.memory().read(PAGE_SIZE + 12))
}

/// The first pages of the window.
fn owned(d: &Domain<'_>, pages: u32) -> EmptyPages {
    // SAFETY: the window is the scenario's, and nothing is in it.
    unsafe { EmptyPages::from_raw(d.memory.empty_page(0), pages) }
}
