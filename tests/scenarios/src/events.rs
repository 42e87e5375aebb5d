// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events: when they are delivered, and that none is lost or inherited.

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{self, A, B, Control};

/// A port of A and one of B, connected; B has handler 0.
pub(crate) fn connect(
    cx: &mut Cx<'_, '_>,
    slot: Option<usize>,
) -> Result<(i64, i64), crate::Failure> {
    let a = cx.alloc_unbound(A, B.raw());
    cx.check(i64::from(a > 0), 1)?;
    let b = cx.bind_interdomain(B, A.raw(), a, slot);
    cx.check(i64::from(b > 0), 1)?;
    Ok((a, b))
}

pub(crate) fn close(cx: &mut Cx<'_, '_>, ports: &[(Role, i64)]) -> Verdict {
    for &(role, port) in ports {
        let closed = cx.close(role, port);
        cx.check(closed, 0)?;
    }
    Ok(())
}

pub(crate) fn ports_lowest_first(cx: &mut Cx<'_, '_>) -> Verdict {
    let first = cx.alloc_unbound(A, B.raw());
    let second = cx.alloc_unbound(A, B.raw());
    let third = cx.alloc_unbound(A, Control.raw());
    cx.check(second, first + 1)?;
    cx.check(third, first + 2)?;
    close(cx, &[(A, second)])?;
    let again = cx.alloc_unbound(A, B.raw());
    cx.check(again, second)?;
    close(cx, &[(A, first), (A, again), (A, third)])
}

/// Xen marks the port pending before the caller can know its number.
pub(crate) fn first_event_after_bind_interdomain(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    let missed = cx.take_missed(B, b);
    cx.check(missed, 0)?;
    // And each notification after it is one more.
    for n in 2..=4 {
        let sent = cx.notify(A, a);
        cx.check(sent, 0)?;
        let events = cx.events(B, 0, n);
        cx.check(events, n.into())?;
    }
    close(cx, &[(B, b), (A, a)])
}

/// A port delivers after bind without an unmask, what came before included.
pub(crate) fn event_before_bind(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, None)?;
    let taken = cx.take_pending(B, b);
    cx.check(taken, 1)?;
    let sent = cx.notify(A, a);
    cx.check(sent, 0)?;
    let events = cx.events(B, 0, 0);
    cx.check(events, 0)?;
    let bound = cx.bind(B, b, 0);
    cx.check(bound, 0)?;
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    cx.notify(A, a);
    let events = cx.events(B, 0, 2);
    cx.check(events, 2)?;
    close(cx, &[(B, b), (A, a)])
}

/// Xen does not announce what arrives on a masked port: unmask must look.
pub(crate) fn unmask_delivers_pending(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    for n in 1..=3 {
        let masked = cx.mask(B, b);
        cx.check(masked, 0)?;
        cx.notify(A, a);
        let events = cx.events(B, 0, n);
        cx.check(events, n.into())?;
        let pending = cx.pending(B, b);
        cx.check(pending, 1)?;
        let unmasked = cx.unmask(B, b);
        cx.check(unmasked, 0)?;
        let events = cx.events(B, 0, n + 1);
        cx.check(events, i64::from(n) + 1)?;
    }
    // Repeating changes nothing, and the port still delivers.
    cx.unmask(B, b);
    cx.mask(B, b);
    cx.mask(B, b);
    cx.unmask(B, b);
    let events = cx.events(B, 0, 4);
    cx.check(events, 4)?;
    cx.notify(A, a);
    let events = cx.events(B, 0, 5);
    cx.check(events, 5)?;
    close(cx, &[(B, b), (A, a)])
}

pub(crate) fn notifications_coalesce(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    cx.events(B, 0, 1);
    cx.mask(B, b);
    for _ in 0..5 {
        let sent = cx.notify(A, a);
        cx.check(sent, 0)?;
    }
    cx.unmask(B, b);
    let events = cx.events(B, 0, 2);
    cx.check(events, 2)?;
    close(cx, &[(B, b), (A, a)])
}

pub(crate) fn missed_while_unbound(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    cx.events(B, 0, 1);
    let unbound = cx.unbind(B, b);
    cx.check(unbound, 0)?;
    let missed = cx.take_missed(B, b);
    cx.check(missed, 0)?;
    cx.notify(A, a);
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    let missed = cx.take_missed(B, b);
    cx.check(missed, 1)?;
    let missed = cx.take_missed(B, b);
    cx.check(missed, 0)?;
    // Taken: the next handler does not get it as well.
    cx.bind(B, b, 1);
    let events = cx.events(B, 1, 0);
    cx.check(events, 0)?;
    // Not taken: it does.
    cx.unbind(B, b);
    cx.notify(A, a);
    cx.bind(B, b, 1);
    let events = cx.events(B, 1, 1);
    cx.check(events, 1)?;
    close(cx, &[(B, b), (A, a)])
}

/// Xen hands the lowest free number out again at once.
pub(crate) fn reused_port_inherits_nothing(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    cx.events(B, 0, 1);
    cx.mask(B, b);
    cx.notify(A, a);
    close(cx, &[(B, b)])?;
    let again = cx.alloc_unbound(B, A.raw());
    cx.check(again, b)?;
    let pending = cx.pending(B, again);
    cx.check(pending, 0)?;
    let peer = cx.bind_interdomain(A, B.raw(), again, None);
    cx.check(i64::from(peer > 0), 1)?;
    // Neither the mask nor the handler is the old owner's.
    let bound = cx.bind(B, again, 1);
    cx.check(bound, 0)?;
    cx.notify(A, peer);
    let events = cx.events(B, 1, 1);
    cx.check(events, 1)?;
    let stale = cx.events(B, 0, 1);
    cx.check(stale, 1)?;
    close(cx, &[(B, again), (A, peer), (A, a)])
}

/// The other end of a closed port is unbound and can be connected to again.
pub(crate) fn peer_closes(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    cx.events(B, 0, 1);
    close(cx, &[(B, b)])?;
    let status = cx.status(A, 0x7ff0, a);
    cx.check(status, 1)?;
    let sent = cx.notify(A, a);
    cx.check(sent, 0)?;
    let b = cx.bind_interdomain(B, A.raw(), a, Some(1));
    cx.check(i64::from(b > 0), 1)?;
    let events = cx.events(B, 1, 1);
    cx.check(events, 1)?;
    cx.notify(A, a);
    let events = cx.events(B, 1, 2);
    cx.check(events, 2)?;
    close(cx, &[(A, a), (B, b)])
}

/// A port that somebody else opened for this domain is adopted by bind.
pub(crate) fn control_domain_allocates(cx: &mut Cx<'_, '_>) -> Verdict {
    let refused = cx.alloc_unbound_for(A, B.raw(), A.raw());
    cx.check(refused, -1)?;
    let none = cx.alloc_unbound_for(Control, 77, B.raw());
    cx.check(none, -3)?;
    let a = cx.alloc_unbound_for(Control, A.raw(), B.raw());
    cx.check(i64::from(a > 0), 1)?;
    let masked = cx.mask(A, a);
    cx.check(masked, -22)?;
    let bound = cx.bind(A, a, 0);
    cx.check(bound, 0)?;
    let b = cx.bind_interdomain(B, A.raw(), a, None);
    cx.check(i64::from(b > 0), 1)?;
    let sent = cx.notify(B, b);
    cx.check(sent, 0)?;
    let events = cx.events(A, 0, 1);
    cx.check(events, 1)?;
    close(cx, &[(A, a), (B, b)])
}

/// Several ports of one word, each with an event of its own.
pub(crate) fn many_ports_one_word(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut pairs = [(0, 0); 6];
    for (slot, pair) in pairs.iter_mut().enumerate() {
        *pair = connect(cx, Some(slot))?;
        cx.events(B, slot, 1);
    }
    for round in 2..=3 {
        for (a, _) in pairs {
            cx.notify(A, a);
        }
        for slot in 0..pairs.len() {
            let events = cx.events(B, slot, round);
            cx.check(events, round.into())?;
        }
    }
    for (a, b) in pairs {
        close(cx, &[(B, b), (A, a)])?;
    }
    Ok(())
}
