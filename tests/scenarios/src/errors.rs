// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels: what is refused, and with which error.

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{self, A, B, Control};
use crate::events::{close, connect};

const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const EINVAL: i64 = -22;

/// No call takes this port.
fn refused_by_all(cx: &mut Cx<'_, '_>, role: Role, port: i64) -> Verdict {
    let results = [
        cx.notify(role, port),
        cx.mask(role, port),
        cx.unmask(role, port),
        cx.unbind(role, port),
        cx.close(role, port),
        cx.pending(role, port),
        cx.take_pending(role, port),
        cx.bind(role, port, 0),
    ];
    for result in results {
        cx.check(result, EINVAL)?;
    }
    Ok(())
}

/// Port 0, and one that no table holds.
pub(crate) fn bad_ports(cx: &mut Cx<'_, '_>) -> Verdict {
    for port in [0, 4096, 0xffff_ffff] {
        refused_by_all(cx, A, port)?;
    }
    Ok(())
}

pub(crate) fn use_after_close(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    cx.events(B, 0, 1);
    close(cx, &[(B, b)])?;
    refused_by_all(cx, B, b)?;
    close(cx, &[(A, a)])?;
    let again = cx.close(A, a);
    cx.check(again, EINVAL)
}

pub(crate) fn refused_connections(cx: &mut Cx<'_, '_>) -> Verdict {
    // No such domain.
    let rc = cx.bind_interdomain(B, 77, 1, None);
    cx.check(rc, ESRCH)?;
    // A port that nobody opened, port 0, one beyond Xen's table.
    for port in [900, 0, 0xffff_ffff] {
        let rc = cx.bind_interdomain(B, A.raw(), port, None);
        cx.check(rc, EINVAL)?;
    }
    // A port that waits for somebody else.
    let a = cx.alloc_unbound(A, Control.raw());
    let rc = cx.bind_interdomain(B, A.raw(), a, None);
    cx.check(rc, EINVAL)?;
    close(cx, &[(A, a)])?;
    // One that is connected already.
    let (a, b) = connect(cx, None)?;
    let rc = cx.bind_interdomain(B, A.raw(), a, None);
    cx.check(rc, EINVAL)?;
    close(cx, &[(B, b), (A, a)])
}

pub(crate) fn status_of_ports(cx: &mut Cx<'_, '_>) -> Verdict {
    const SELF: u16 = 0x7ff0;
    let (a, b) = connect(cx, None)?;
    let unbound = cx.alloc_unbound(A, B.raw());
    let results = [
        (cx.status(A, SELF, a), 2),
        (cx.status(A, A.raw(), a), 2),
        (cx.status(B, SELF, b), 2),
        (cx.status(A, SELF, unbound), 1),
        (cx.status(A, SELF, unbound + 1), 0),
        (cx.status(Control, A.raw(), a), 2),
        (cx.status(B, A.raw(), a), EPERM),
        (cx.status(A, 77, 1), ESRCH),
        (cx.status(A, SELF, 0xffff_ffff), EINVAL),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    close(cx, &[(B, b), (A, a), (A, unbound)])
}
