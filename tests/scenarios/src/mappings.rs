// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mapping what was granted.

use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{A, B, Control};
use crate::ops::{Kept, Mapped, map_op, map_refs, unmap_one};

const ESRCH: i64 = -3;
const EFAULT: i64 = -14;
const EINVAL: i64 = -22;

pub(crate) fn refused_mappings(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(A, &mut page, B.raw(), false);
    let readonly = cx.grant(A, &mut page, B.raw(), true);
    let results = [
        // No such domain.
        (cx.map(B, 77, gref, 0, false, &mut mapped), ESRCH),
        // Never granted, and beyond the peer's table.
        (cx.map(B, A.raw(), 300, 0, false, &mut mapped), EINVAL),
        (cx.map(B, A.raw(), 0xff_ffff, 0, false, &mut mapped), EINVAL),
        // Granted to somebody else.
        (
            cx.map(Control, A.raw(), gref, 0, false, &mut mapped),
            EINVAL,
        ),
        // Granted for reading.
        (cx.map(B, A.raw(), readonly, 0, false, &mut mapped), EINVAL),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    // Not a page's address.
    for offset in [1, 8] {
        let rc = cx.step(B, format_args!("map at offset {offset}"), |d| {
            let mut op = map_op(d, A.raw(), gref, 0, false);
            op.host_addr += offset;
            map_refs(d, core::slice::from_mut(&mut op))
        });
        cx.check(rc, EFAULT)?;
    }
    let rc = cx.step(B, format_args!("map at address 0"), |d| {
        let mut op = map_op(d, A.raw(), gref, 0, false);
        op.host_addr = 0;
        map_refs(d, core::slice::from_mut(&mut op))
    });
    cx.check(rc, EFAULT)?;
    // None of it kept the pages busy.
    for gref in [gref, readonly] {
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
    }
    cx.free(A, &mut page);
    Ok(())
}

pub(crate) fn read_only_mapping(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(A, &mut page, B.raw(), true);
    let rc = cx.map(B, A.raw(), gref, 2, true, &mut mapped);
    cx.check(rc, 0)?;
    for (index, value) in [(0, 0x1234), (1023, 0xffff_ffff), (0, 0x4321)] {
        cx.poke(A, &page, index, value);
        let seen = cx.peek_mapped(B, &mapped, index);
        cx.check(seen, value.into())?;
    }
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    Ok(())
}

/// Four references, the third of them bad: nothing stays mapped.
pub(crate) fn all_or_none(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut pages: [Kept; 3] = [None; 3];
    let mut grefs = [0; 3];
    for (page, gref) in pages.iter_mut().zip(&mut grefs) {
        *gref = cx.grant(A, page, B.raw(), false);
        cx.check(i64::from(*gref >= 8), 1)?;
    }
    let [first, second, last] = grefs;
    let statuses = cx.step(B, format_args!("map 4, the third never granted"), |d| {
        let grefs = [first, second, 400, last];
        let mut ops = core::array::from_fn::<_, 4, _>(|i| map_op(d, A.raw(), grefs[i], i, false));
        let rc = map_refs(d, &mut ops);
        let handles_gone = ops.iter().all(|op| op.handle == ffi::XG_NO_HANDLE);
        let statuses = ops
            .iter()
            .fold(0, |all, op| all * 100 + i64::from(op.status.unsigned_abs()));
        rc * 1_000_000_000 - statuses * 10 - i64::from(handles_gone)
    });
    // Statuses 0, 0, -1 (general error), 0; every handle taken back.
    cx.check(statuses, EINVAL * 1_000_000_000 - 1_00 * 10 - 1)?;
    for gref in grefs {
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
    }
    // All good: all mapped, by one call.
    for (page, gref) in pages.iter_mut().zip(&mut grefs) {
        *gref = cx.grant(A, page, B.raw(), false);
    }
    for (i, page) in pages.iter().enumerate() {
        cx.poke(A, page, 0, 0xa0 + i as u32);
    }
    let mut mapped = [Mapped::default(); 3];
    let rc = cx.step(B, format_args!("map 3"), |d| {
        let mut ops = core::array::from_fn::<_, 3, _>(|i| map_op(d, A.raw(), grefs[i], i, false));
        let rc = map_refs(d, &mut ops);
        for (mapped, op) in mapped.iter_mut().zip(&ops) {
            mapped.va = op.host_addr as usize;
            mapped.handle = op.handle;
        }
        rc
    });
    cx.check(rc, 0)?;
    for (i, mapped) in mapped.iter().enumerate() {
        let value = cx.peek_mapped(B, mapped, 0);
        cx.check(value, 0xa0 + i as i64)?;
    }
    for mapped in &mapped {
        let rc = cx.unmap(B, mapped);
        cx.check(rc, 0)?;
    }
    for (page, gref) in pages.iter_mut().zip(grefs) {
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
        cx.free(A, page);
    }
    Ok(())
}

/// An unmap that fails takes nothing with it.
pub(crate) fn bad_unmaps(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(A, &mut page, B.raw(), false);
    cx.poke(A, &page, 7, 0x77);
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    for handle in [0xff_ffff, ffi::XG_NO_HANDLE] {
        let bad = Mapped { handle, ..mapped };
        let rc = cx.unmap(B, &bad);
        cx.check(rc, EINVAL)?;
    }
    let value = cx.peek_mapped(B, &mapped, 7);
    cx.check(value, 0x77)?;
    // One bad among good: the good one goes.
    let rc = cx.step(B, format_args!("unmap a bad one and a good one"), |d| {
        let mut second = Mapped::default();
        let mut op = map_op(d, A.raw(), gref, 1, true);
        if map_refs(d, core::slice::from_mut(&mut op)) == 0 {
            second = Mapped {
                va: op.host_addr as usize,
                handle: op.handle,
            };
        }
        let unmap = |at: &Mapped, handle| abi::gnttab_unmap_grant_ref {
            host_addr: at.va as u64,
            handle,
            ..Default::default()
        };
        let mut ops = [unmap(&mapped, 0xff_ffff), unmap(&second, second.handle)];
        // SAFETY: the guest is set up; nothing refers to the mappings.
        let rc = unsafe { ffi::xg_gnttab_unmap(d.raw(), ops.as_mut_ptr().cast(), 2) };
        if ops[1].status == 0 {
            d.mapped.fetch_sub(1, core::sync::atomic::Ordering::Relaxed);
        }
        i64::from(rc) * 1000
            - i64::from(ops[0].status.unsigned_abs()) * 10
            - i64::from(ops[1].status.unsigned_abs())
    });
    // -4: bad handle.
    cx.check(rc, EINVAL * 1000 - 40)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, EINVAL)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    Ok(())
}

/// The same window page and reference, again and again.
pub(crate) fn map_again_after_unmap(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let gref = cx.grant(A, &mut page, B.raw(), false);
    let rounds = cx.step(B, format_args!("100 maps and unmaps"), |d| {
        (0..100)
            .filter(|&i| {
                let mut op = map_op(d, A.raw(), gref, 0, false);
                if map_refs(d, core::slice::from_mut(&mut op)) != 0 {
                    return false;
                }
                let mapped = Mapped {
                    va: op.host_addr as usize,
                    handle: op.handle,
                };
                // SAFETY: mapped for writing; shared, so volatile.
                unsafe { (mapped.va as *mut u32).add(i).write_volatile(i as u32) };
                unmap_one(d, &mapped) == 0
            })
            .count() as i64
    });
    cx.check(rounds, 100)?;
    let value = cx.peek(A, &page, 99);
    cx.check(value, 99)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    Ok(())
}
