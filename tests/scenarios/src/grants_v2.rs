// SPDX-License-Identifier: MIT OR Apache-2.0
//! What version 2 of the grant table has beyond version 1. Where the guests
//! were set up with version 1 it is refused.

use core::slice;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use xen_guest::ffi::{self, abi};
use xen_guest::{Access, DomId, Error, Grant, GrantRef, Granted};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{A, B, Control};
use crate::domain::{Domain, TestPage};
use crate::grants::version;
use crate::ops::{Kept, Mapped, gfn_of};

const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const EOPNOTSUPP: i64 = -95;
const SELF: u16 = 0x7ff0;

/// The bytes that are granted.
const OFFSET: u16 = 256;
const LENGTH: u16 = 128;

fn grant_part(d: &Domain<'_>, page: &mut Kept, offset: u16, length: u16, readonly: bool) -> i64 {
    if page.is_none() {
        *page = d.memory.alloc_page();
    }
    let Some(page) = *page else { return -1 };
    let gfn = gfn_of(d, page.as_ptr().cast());
    // SAFETY: the guest is set up; the page is its own RAM.
    let gref =
        unsafe { ffi::xg_gnttab_grant_sub_page(d.raw(), B.raw(), gfn, offset, length, readonly) };
    gref.into()
}

/// Copy `len` bytes of a page of the caller's own to a reference of A's, or the
/// reverse; the status as a positive number.
fn copy(d: &Domain<'_>, page: &Kept, (gref, offset, len): (i64, u16, u16), to: bool) -> i64 {
    let Some(page) = *page else { return -1 };
    let mut op = abi::gnttab_copy {
        len,
        ..Default::default()
    };
    let (theirs, own, flag) = if to {
        (&mut op.dest, &mut op.source, abi::GNTCOPY_dest_gref)
    } else {
        (&mut op.source, &mut op.dest, abi::GNTCOPY_source_gref)
    };
    theirs.u.ref_ = gref as u32;
    theirs.domid = A.raw();
    theirs.offset = offset;
    own.u.gmfn = gfn_of(d, page.as_ptr().cast());
    own.domid = SELF;
    op.flags = flag as u16;
    // SAFETY: the guest is set up; the page is its own.
    let rc = unsafe { ffi::xg_gnttab_copy(d.raw(), (&raw mut op).cast(), 1) };
    assert_eq!(rc == 0, op.status == 0);
    i64::from(op.status.unsigned_abs())
}

fn bytes(page: &Kept) -> &[u8] {
    let bytes = page.map(|page| page.cast::<u8>());
    // SAFETY: a page of the domain's own, that nobody writes meanwhile.
    bytes.map_or(&[], |first| unsafe {
        slice::from_raw_parts(first.as_ptr(), xen_guest::PAGE_SIZE)
    })
}

fn fill(page: &Kept, byte: u8) -> i64 {
    let Some(page) = *page else { return -1 };
    // SAFETY: a page of the domain's own.
    unsafe { page.cast::<u8>().write_bytes(byte, xen_guest::PAGE_SIZE) };
    0
}

/// Bytes from A's page are copied to and from, those that were granted and no
/// others; nobody can map any.
pub(crate) fn part_of_a_page(cx: &mut Cx<'_, '_>) -> Verdict {
    let (mut theirs, mut ours): (Kept, Kept) = (None, None);
    let call = format_args!("grant {LENGTH} bytes at {OFFSET}");
    let gref = cx.step(A, call, |d| {
        grant_part(d, &mut theirs, OFFSET, LENGTH, false)
    });
    if version(cx, A) == 1 {
        cx.note("refused with version 1");
        cx.check(gref, EOPNOTSUPP)?;
        cx.free(A, &mut theirs);
        return Ok(());
    }
    cx.check(gref, 8)?;
    cx.step(A, format_args!("fill with 0x11"), |_| fill(&theirs, 0x11));
    cx.step(B, format_args!("fill with 0x22"), |d| {
        ours = d.memory.alloc_page();
        fill(&ours, 0x22)
    });
    let mut mapped = Mapped::default();
    for readonly in [false, true] {
        let rc = cx.map(B, A.raw(), gref, 0, readonly, &mut mapped);
        cx.check(rc, EINVAL)?;
    }
    let copied = |cx: &mut Cx<'_, '_>, offset: u16, len: u16, to: bool| {
        let way = if to { "to" } else { "from" };
        let call = format_args!("copy {len} bytes {way} {offset}");
        cx.step(B, call, |d| copy(d, &ours, (gref, offset, len), to))
    };
    let (end, all) = (OFFSET + LENGTH, LENGTH);
    // Outside by one byte, by all, across the end of the page.
    for to in [true, false] {
        let results = [
            (copied(cx, OFFSET - 1, all, to), 1),
            (copied(cx, OFFSET, all + 1, to), 1),
            (copied(cx, OFFSET - 1, 1, to), 1),
            (copied(cx, end, 1, to), 1),
            (copied(cx, 0, 4096, to), 1),
            (copied(cx, 4000, 200, to), 10),
        ];
        for (status, want) in results {
            cx.check(status, want)?;
        }
    }
    let untouched = cx.step(A, format_args!("bytes 0x11"), |_| {
        bytes(&theirs).iter().filter(|byte| **byte == 0x11).count() as i64
    });
    cx.check(untouched, 4096)?;
    // Inside: all of it, and its ends.
    let rc = copied(cx, OFFSET, all, true);
    cx.check(rc, 0)?;
    let written = cx.step(A, format_args!("bytes 0x22, in their place"), |_| {
        let part = usize::from(OFFSET)..usize::from(end);
        let all = bytes(&theirs).iter().filter(|byte| **byte == 0x22).count();
        let here = bytes(&theirs)[part].iter().all(|byte| *byte == 0x22);
        if here { all as i64 } else { -1 }
    });
    cx.check(written, LENGTH.into())?;
    for (offset, len) in [(OFFSET, 1), (end - 1, 1), (end, 0)] {
        let rc = copied(cx, offset, len, false);
        cx.check(rc, 0)?;
    }
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    let rc = copied(cx, OFFSET, 1, false);
    cx.check(rc, 1)?;
    let rc = cx.end(A, gref);
    cx.check(rc, EINVAL)?;
    cx.free(A, &mut theirs);
    cx.free(B, &mut ours);
    Ok(())
}

/// For reading only; the whole page, which still can't be mapped; and what is
/// no part of a page.
pub(crate) fn kinds_of_parts(cx: &mut Cx<'_, '_>) -> Verdict {
    let (mut theirs, mut ours): (Kept, Kept) = (None, None);
    let v2 = version(cx, A) == 2;
    for (offset, length) in [
        (0, 0),
        (4096, 0),
        (4096, 1),
        (1, 4096),
        (0, 4097),
        (65535, 65535),
    ] {
        let call = format_args!("grant {length} bytes at {offset}");
        let gref = cx.step(A, call, |d| {
            grant_part(d, &mut theirs, offset, length, false)
        });
        cx.check(gref, if v2 { EINVAL } else { EOPNOTSUPP })?;
    }
    cx.step(B, format_args!("a page of our own"), |d| {
        ours = d.memory.alloc_page();
        0
    });
    for (offset, length) in [(0, 4096), (4095, 1), (0, 1)] {
        let call = format_args!("grant {length} bytes at {offset} for reading");
        let gref = cx.step(A, call, |d| {
            grant_part(d, &mut theirs, offset, length, true)
        });
        if !v2 {
            cx.check(gref, EOPNOTSUPP)?;
            continue;
        }
        cx.check(gref, 8)?;
        let from = cx.step(B, format_args!("copy from it"), |d| {
            copy(d, &ours, (gref, offset, length), false)
        });
        cx.check(from, 0)?;
        let to = cx.step(B, format_args!("copy to it"), |d| {
            copy(d, &ours, (gref, offset, length), true)
        });
        cx.check(to, 1)?;
        let mut mapped = Mapped::default();
        let rc = cx.map(B, A.raw(), gref, 0, true, &mut mapped);
        cx.check(rc, EINVAL)?;
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
    }
    cx.free(A, &mut theirs);
    cx.free(B, &mut ours);
    Ok(())
}

/// The same from Rust: the page comes back.
pub(crate) fn parts_with_owners(cx: &mut Cx<'_, '_>) -> Verdict {
    let v2 = version(cx, A) == 2;
    let mut kept = None;
    let error = |error: Error| i64::from(error.raw());
    let gref = cx.step(A, format_args!("Grant::of_part"), |d| {
        let Some(page) = TestPage::new(d.memory) else {
            return -1;
        };
        let peer = DomId::new(B.raw());
        match Grant::of_part(d.guest, peer, page, 64..80, Access::ReadWrite) {
            Ok(grant) => {
                grant.memory().write_bytes(63, &[0; 1]);
                grant.memory().write_bytes(64, &[7; 16]);
                let gref = grant.gref();
                kept = Some(grant);
                gref.raw().into()
            }
            Err(refused) => error(refused.error),
        }
    });
    if !v2 {
        return cx.check(gref, EOPNOTSUPP);
    }
    cx.check(gref, 8)?;
    let there = Granted {
        peer: A.domid(),
        gref: GrantRef::new(gref as u32),
    };
    let mut ours: Kept = None;
    cx.step(B, format_args!("a page of our own, filled with 9"), |d| {
        ours = d.memory.alloc_page();
        fill(&ours, 9)
    });
    let results = [(64, 17, EINVAL), (63, 2, EINVAL), (65, 15, 0)].map(|(at, len, want)| {
        let call = format_args!("Granted::write of {len} at {at}");
        let rc = cx.step(B, call, |d| {
            let from = &bytes(&ours)[..len];
            there.write(d.guest, at, from).map_or_else(error, |()| 0)
        });
        (rc, want)
    });
    for (rc, want) in results {
        cx.check(rc, want)?;
    }
    let sum = cx.step(B, format_args!("Granted::read of 16 at 64"), |d| {
        let Some(page) = ours else { return -1 };
        // SAFETY: the domain's own page, used by nobody else.
        let to = unsafe { page.cast::<[u8; 16]>().as_mut() };
        match there.read(d.guest, 64, to) {
            Ok(()) => to.iter().map(|byte| i64::from(*byte)).sum(),
            Err(refused) => error(refused),
        }
    });
    cx.check(sum, 7 + 15 * 9)?;
    cx.free(B, &mut ours);
    let ended = cx.step(A, format_args!("Grant::end"), |_| match kept.take() {
        Some(grant) => {
            let mut bytes = [0; 3];
            grant.memory().read_bytes(63, &mut bytes);
            let sum = bytes.iter().map(|byte| i64::from(*byte)).sum();
            grant.end().map_or(EBUSY, |_page| sum)
        }
        None => -1,
    });
    cx.check(ended, 16)
}

/// An entry of A's table as nothing in the library writes it: what another
/// domain granted to A, which passes it on to the control domain.
fn pass_on(d: &Domain<'_>, gref: i64, readonly: bool, from: u16, theirs: i64) -> i64 {
    let flags = abi::GTF_transitive | if readonly { abi::GTF_readonly } else { 0 };
    // SAFETY: the guest is set up, with version 2 of the table: its entries
    // have four words each, and this one is the scenario's.
    unsafe {
        let entry = (*d.raw()).gnttab.va.cast::<[AtomicU32; 4]>();
        let [header, detail, frame, rest] = &*entry.add(gref as usize);
        header.store(0, SeqCst);
        detail.store(from.into(), SeqCst);
        frame.store(theirs as u32, SeqCst);
        rest.store(0, SeqCst);
        header.store(flags | u32::from(Control.raw()) << 16, SeqCst);
    }
    0
}

/// B grants to A, which passes it on to the control domain. The library does
/// not do that; Xen does, once.
pub(crate) fn grants_passed_on(cx: &mut Cx<'_, '_>) -> Verdict {
    if version(cx, A) == 1 {
        cx.note("there are none with version 1");
        return Ok(());
    }
    let (mut theirs, mut ours, mut spare): (Kept, Kept, Kept) = (None, None, None);
    let mut mapped = Mapped::default();
    let first = cx.grant(B, &mut theirs, A.raw(), false);
    let gref = cx.grant(A, &mut spare, Control.raw(), true);
    cx.poke(B, &theirs, 0, 0x600d);
    cx.step(Control, format_args!("a page of our own"), |d| {
        ours = d.memory.alloc_page();
        fill(&ours, 0)
    });
    let pass = |cx: &mut Cx<'_, '_>, readonly, from: u16, theirs| {
        let call = format_args!("pass on {theirs} of {from:#x}, {readonly}");
        cx.step(A, call, |d| pass_on(d, gref, readonly, from, theirs));
    };
    let copied = |cx: &mut Cx<'_, '_>, offset: u16, len: u16, to: bool| {
        let way = if to { "to" } else { "from" };
        let call = format_args!("copy {len} bytes {way} {offset}");
        cx.step(Control, call, |d| copy(d, &ours, (gref, offset, len), to))
    };
    pass(cx, false, B.raw(), first);
    let rc = copied(cx, 0, 4, false);
    cx.check(rc, 0)?;
    let value = cx.peek(Control, &ours, 0);
    cx.check(value, 0x600d)?;
    let rc = copied(cx, 8, 4, true);
    cx.check(rc, 0)?;
    let value = cx.peek(B, &theirs, 2);
    cx.check(value, 0x600d)?;
    let rc = cx.map(Control, A.raw(), gref, 0, true, &mut mapped);
    cx.check(rc, EINVAL)?;
    pass(cx, true, B.raw(), first);
    let results = [(copied(cx, 0, 4, false), 0), (copied(cx, 0, 4, true), 1)];
    for (status, want) in results {
        cx.check(status, want)?;
    }
    // What was not granted, by nobody, by A itself.
    for (from, gref, want) in [
        (B.raw(), 200, 1),
        (B.raw(), 1 << 20, 3),
        (77, first, 1),
        (A.raw(), first, 1),
        (SELF, first, 1),
    ] {
        pass(cx, false, from, gref);
        let rc = copied(cx, 0, 4, false);
        cx.check(rc, want)?;
    }
    // Once B has ended it, nobody copies; before, nobody keeps it from that.
    pass(cx, false, B.raw(), first);
    let rc = cx.end(B, first);
    cx.check(rc, 0)?;
    let rc = copied(cx, 0, 4, false);
    cx.check(rc, 1)?;
    // As the library had it, which ends it.
    cx.step(A, format_args!("grant it again"), |d| {
        let flags = abi::GTF_permit_access;
        // SAFETY: as in `pass_on`.
        unsafe {
            let entry = (*d.raw()).gnttab.va.cast::<[AtomicU32; 4]>();
            (&(*entry.add(gref as usize)))[0].store(flags, SeqCst);
        }
        0
    });
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut spare);
    cx.free(B, &mut theirs);
    cx.free(Control, &mut ours);
    Ok(())
}
