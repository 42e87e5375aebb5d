// SPDX-License-Identifier: MIT OR Apache-2.0
//! Xen's SILO policy, `xsm=silo`: plain domains deal with control domains
//! only, and get -EPERM from everything that would bring two of them together.

use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{self, A, B, Control};
use crate::events::close;
use crate::ops::{Kept, Mapped, gfn_of};

const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const EINVAL: i64 = -22;

const SELF: u16 = 0x7ff0;

pub(crate) fn no_ports_between_domus(cx: &mut Cx<'_, '_>) -> Verdict {
    for (role, other) in [(A, B), (B, A)] {
        let rc = cx.alloc_unbound(role, other.raw());
        cx.check(rc, EPERM)?;
    }
    // Whom the policy does not find it can't let through.
    let rc = cx.alloc_unbound(A, 77);
    cx.check(rc, ESRCH)?;
    // With oneself there is nothing to keep apart.
    let own = cx.alloc_unbound(A, A.raw());
    cx.check(i64::from(own > 0), 1)?;
    let rc = cx.bind_interdomain(B, A.raw(), own, None);
    cx.check(rc, EINVAL)?;
    close(cx, &[(A, own)])?;
    // The control domain may open a port for two that it has keep apart.
    let port = cx.alloc_unbound_for(Control, A.raw(), B.raw());
    cx.check(i64::from(port > 0), 1)?;
    let rc = cx.bind_interdomain(B, A.raw(), port, None);
    cx.check(rc, EPERM)?;
    close(cx, &[(A, port)])
}

pub(crate) fn no_grants_between_domus(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    // Xen is not asked for this.
    let gref = cx.grant(A, &mut page, B.raw(), false);
    cx.check(gref, 8)?;
    for readonly in [false, true] {
        let rc = cx.map(B, A.raw(), gref, 0, readonly, &mut mapped);
        cx.check(rc, EPERM)?;
    }
    let copied = cx.step(B, format_args!("copy from the grant"), |d| {
        let Some(own) = d.memory.alloc_page() else {
            return 0;
        };
        let mut op = abi::gnttab_copy {
            len: 4,
            flags: abi::GNTCOPY_source_gref as u16,
            ..Default::default()
        };
        op.source.u.ref_ = gref as u32;
        op.source.domid = A.raw();
        op.dest.u.gmfn = gfn_of(d, own.as_ptr().cast());
        op.dest.domid = SELF;
        // SAFETY: the guest is set up; the page is our own.
        unsafe {
            let rc = ffi::xg_gnttab_copy(d.raw(), (&raw mut op).cast(), 1);
            d.memory.free_page(own);
            rc.into()
        }
    });
    cx.check(copied, EPERM)?;
    // Nobody ever had it.
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    Ok(())
}

/// The control domain is everybody's peer.
pub(crate) fn a_control_domain_meets_all(cx: &mut Cx<'_, '_>) -> Verdict {
    for role in [A, B] {
        meet(cx, role)?;
    }
    Ok(())
}

fn meet(cx: &mut Cx<'_, '_>, role: Role) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(role, &mut page, Control.raw(), false);
    let rc = cx.map(Control, role.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    let port = cx.alloc_unbound(role, Control.raw());
    let bound = cx.bind(role, port, 0);
    cx.check(bound, 0)?;
    let far = cx.bind_interdomain(Control, role.raw(), port, None);
    cx.check(i64::from(far > 0), 1)?;
    cx.poke_mapped(Control, &mapped, 3, 0x5110);
    cx.notify(Control, far);
    let events = cx.events(role, 0, 1);
    cx.check(events, 1)?;
    let value = cx.peek(role, &page, 3);
    cx.check(value, 0x5110)?;
    let busy = cx.end(role, gref);
    cx.check(busy, -16)?;
    let rc = cx.unmap(Control, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(role, gref);
    cx.check(rc, 0)?;
    cx.free(role, &mut page);
    close(cx, &[(Control, far), (role, port)])
}
