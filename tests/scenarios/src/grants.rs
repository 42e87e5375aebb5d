// SPDX-License-Identifier: MIT OR Apache-2.0
//! Granting and ending.

use core::ptr::{self, NonNull};

use xen_guest::ffi::{self, abi};
use xen_guest::{PAGE_SIZE, Page};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{self, A, B, Control};
use crate::ops::{Kept, Mapped, gfn_of, grant_page};

const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const ENOSPC: i64 = -28;
const ERANGE: i64 = -34;

const SELF: u16 = 0x7ff0;

/// References 0 to 7 are never handed out; ended ones are, at once.
pub(crate) fn references_lowest_first(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let first = cx.grant(A, &mut page, B.raw(), false);
    cx.check(first, 8)?;
    let second = cx.grant(A, &mut page, B.raw(), true);
    cx.check(second, 9)?;
    let ended = cx.end(A, first);
    cx.check(ended, 0)?;
    let again = cx.grant(A, &mut page, B.raw(), false);
    cx.check(again, first)?;
    for gref in [again, second] {
        let ended = cx.end(A, gref);
        cx.check(ended, 0)?;
    }
    // Many more cycles than there are references.
    let cycles = cx.step(A, format_args!("10000 grants and ends"), |d| {
        let Some(page) = page else { return -1 };
        (0..10_000)
            .filter(|_| {
                let gref = grant_page(d, page, B.raw(), false);
                // SAFETY: the guest is set up.
                gref == 8 && unsafe { ffi::xg_gnttab_end(d.raw(), gref as u32) } == 0
            })
            .count() as i64
    });
    cx.check(cycles, 10_000)?;
    cx.free(A, &mut page);
    Ok(())
}

/// The three results of ending: busy leaves the grant as it was.
pub(crate) fn end_while_mapped(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let mut second = Mapped::default();
    let gref = cx.grant(A, &mut page, B.raw(), false);
    cx.check(gref, 8)?;
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, EBUSY)?;
    // Not recycled: the next grant is another reference.
    let mut other: Kept = None;
    let next = cx.grant(A, &mut other, B.raw(), false);
    cx.check(next, 9)?;
    let rc = cx.end(A, next);
    cx.check(rc, 0)?;
    cx.free(A, &mut other);
    // Still granted: it can be mapped again, and written.
    let rc = cx.map(B, A.raw(), gref, 1, true, &mut second);
    cx.check(rc, 0)?;
    cx.poke_mapped(B, &mapped, 5, 0x600d);
    let value = cx.peek(A, &page, 5);
    cx.check(value, 0x600d)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    // Read-only mappings hold it too.
    let rc = cx.end(A, gref);
    cx.check(rc, EBUSY)?;
    let rc = cx.unmap(B, &second);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    // Revoked: the peer can't map it any more.
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, EINVAL)?;
    cx.free(A, &mut page);
    Ok(())
}

pub(crate) fn end_twice(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let gref = cx.grant(A, &mut page, B.raw(), false);
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, EINVAL)?;
    // Never granted, reserved, out of range.
    for gref in [100, 0, 7, 512, 1024, 0xffff_ffff] {
        let rc = cx.end(A, gref);
        cx.check(rc, EINVAL)?;
    }
    cx.free(A, &mut page);
    Ok(())
}

pub(crate) fn bad_grants(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    // DOMID_SELF and the other reserved numbers are not domains.
    for domid in [0x7ff0, 0x7ff4, 0xffff] {
        let rc = cx.grant(A, &mut page, domid, false);
        cx.check(rc, EINVAL)?;
    }
    let rc = cx.step(A, format_args!("grant of frame 2^32"), |d| {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_gnttab_grant(d.raw(), B.raw(), 1 << 32, false).into() }
    });
    if version(cx, A) == 2 {
        // It is no frame of the domain, which only Xen can tell.
        let mut mapped = Mapped::default();
        cx.check(rc, 8)?;
        let refused = cx.map(B, A.raw(), rc, 0, true, &mut mapped);
        cx.check(refused, EINVAL)?;
        let ended = cx.end(A, rc);
        cx.check(ended, 0)?;
    } else {
        cx.check(rc, ERANGE)?;
    }
    cx.free(A, &mut page);
    Ok(())
}

/// The table grows to what it may have. Then: an error, never a wait; and
/// everything can be had again.
pub(crate) fn full_table(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let first = cx.grant(A, &mut page, B.raw(), true);
    cx.check(first, 8)?;
    for _ in 0..2 {
        let rc = cx.step(A, format_args!("grant until full"), |d| {
            let Some(page) = page else { return -1 };
            loop {
                let gref = grant_page(d, page, B.raw(), true);
                if gref < 0 {
                    return gref;
                }
            }
        });
        cx.check(rc, ENOSPC)?;
        let frames = cx.step(A, format_args!("frames"), |d| {
            let (mut frames, mut most) = (0, 0);
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_gnttab_query_size(d.raw(), SELF, &mut frames, &mut most) };
            i64::from(frames) * 100 + i64::from(most)
        });
        // Two of 512, or four of 256.
        let frames_used = if version(cx, A) == 2 { 4 } else { 2 };
        cx.check(frames, frames_used * 100 + 64)?;
        let ended = cx.step(A, format_args!("end all but the first"), |d| {
            // SAFETY: the guest is set up.
            (9..1024)
                .filter(|&gref| unsafe { ffi::xg_gnttab_end(d.raw(), gref) } == 0)
                .count() as i64
        });
        cx.check(ended, 1015)?;
    }
    let rc = cx.end(A, first);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    // The second frame's references are Xen's to see.
    let mut mapped = Mapped::default();
    let mut last: Kept = None;
    let gref = cx.step(A, format_args!("grant the 1000th"), |d| {
        last = d.memory.alloc_page();
        let Some(page) = last else { return -1 };
        let mut gref = 0;
        while gref < 1000 {
            gref = grant_page(d, page, B.raw(), false);
        }
        gref
    });
    cx.check(gref, 1000)?;
    cx.poke(A, &last, 1, 0x1000);
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    let value = cx.peek_mapped(B, &mapped, 1);
    cx.check(value, 0x1000)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let ended = cx.step(A, format_args!("end 8 to 1000"), |d| {
        // SAFETY: the guest is set up.
        (8..=1000)
            .filter(|&gref| unsafe { ffi::xg_gnttab_end(d.raw(), gref) } == 0)
            .count() as i64
    });
    cx.check(ended, 993)?;
    cx.free(A, &mut last);
    Ok(())
}

/// The version of a domain's own grant table.
pub(crate) fn version(cx: &mut Cx<'_, '_>, role: Role) -> i64 {
    // SAFETY: the guest is set up.
    cx.tell(role, |d| unsafe {
        ffi::xg_gnttab_version(d.raw(), SELF).into()
    })
}

/// Who may ask for whose, and that none can be chosen while a grant is in use:
/// on Arm there is but one, and Xen says so.
pub(crate) fn grant_table_versions(cx: &mut Cx<'_, '_>) -> Verdict {
    const ENOSYS: i64 = -38;

    let own = version(cx, A);
    let of = |cx: &mut Cx<'_, '_>, role, dom: u16| {
        cx.step(role, format_args!("version({dom:#x})"), |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_gnttab_version(d.raw(), dom).into() }
        })
    };
    let results = [
        (of(cx, A, SELF), own),
        (of(cx, A, B.raw()), EPERM),
        (of(cx, A, 99), ESRCH),
        (of(cx, Control, A.raw()), own),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(A, &mut page, B.raw(), false);
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    // Past the library, which never asks again: refused, with the version
    // that is in force.
    for asked in [2, 3, 1, 0] {
        let answer = cx.step(A, format_args!("set_version({asked})"), |d| {
            let mut op = abi::gnttab_set_version { version: asked };
            let args = [
                abi::GNTTABOP_set_version as usize,
                (&raw mut op).expose_provenance(),
                1,
                0,
                0,
            ];
            // SAFETY: the guest is set up; the structure that the operation
            // takes, which changes nothing while a grant is mapped.
            let rc = unsafe { d.memory.hypercall(abi::__HYPERVISOR_grant_table_op, args) };
            rc as i64 * 10 - i64::from(op.version)
        });
        let arm = answer == ENOSYS * 10 - own;
        let want = match asked {
            _ if i64::from(asked) == own => 0,
            2 if arm => ENOSYS,
            1 | 2 => EBUSY,
            _ => EINVAL,
        };
        cx.check(answer, want * 10 - own)?;
    }
    let rc = cx.end(A, gref);
    cx.check(rc, EBUSY)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    Ok(())
}

/// A page of the platform's own, zeroed, for domain 0.
pub(crate) fn alloc_and_grant_to_control_domain(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.step(A, format_args!("alloc_and_grant(0)"), |d| {
        let mut va = ptr::null_mut();
        // SAFETY: the guest is set up.
        let gref = unsafe { ffi::xg_gnttab_alloc_and_grant(d.raw(), 0, &mut va, false) };
        page = NonNull::new(va.cast::<Page>());
        gref.into()
    });
    cx.check(gref, 8)?;
    let zeros = cx.step(A, format_args!("zeros"), |_| {
        let Some(page) = page else { return -1 };
        (0..PAGE_SIZE / 4)
            // SAFETY: the page is the domain's own; shared, so volatile.
            .filter(|&i| unsafe { page.cast::<u32>().add(i).read_volatile() } == 0)
            .count() as i64
    });
    cx.check(zeros, 1024)?;
    let rc = cx.map(Control, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    cx.poke_mapped(Control, &mapped, 1023, 0xc0de);
    let value = cx.peek(A, &page, 1023);
    cx.check(value, 0xc0de)?;
    let rc = cx.unmap(Control, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    let freed = cx.step(A, format_args!("page_free"), |d| {
        let Some(page) = page.take() else { return -1 };
        assert_ne!(gfn_of(d, page.as_ptr().cast()), 0);
        // SAFETY: allocated by the platform; its grant has ended.
        unsafe {
            let guest = d.raw();
            if let Some(free) = (*(*guest).platform).page_free {
                free((*guest).context, page.as_ptr().cast(), 1);
            }
        }
        0
    });
    cx.check(freed, 0)
}
