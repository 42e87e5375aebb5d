// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports that are not connected to a peer: virtual interrupts and those
//! between vCPUs; and which vCPU a port belongs to.

use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{self, A, B, Control};
use crate::events::{close, connect};

const ENOENT: i64 = -2;
const EEXIST: i64 = -17;
const EINVAL: i64 = -22;

impl Cx<'_, '_> {
    fn bind_virq(&mut self, role: Role, virq: u32, vcpu: u32) -> i64 {
        let call = format_args!("bind_virq({virq}, {vcpu})");
        self.step(role, call, |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_bind_virq(d.raw(), virq, vcpu).into() }
        })
    }

    fn bind_ipi(&mut self, role: Role, vcpu: u32) -> i64 {
        self.step(role, format_args!("bind_ipi({vcpu})"), |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_bind_ipi(d.raw(), vcpu).into() }
        })
    }

    fn bind_vcpu(&mut self, role: Role, port: i64, vcpu: u32) -> i64 {
        let call = format_args!("bind_vcpu({port}, {vcpu})");
        self.step(role, call, |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_bind_vcpu(d.raw(), port as u32, vcpu).into() }
        })
    }
}

pub(crate) fn virtual_interrupts(cx: &mut Cx<'_, '_>) -> Verdict {
    // Those that every vCPU has can be bound by any domain.
    let timer = cx.bind_virq(A, abi::VIRQ_TIMER, 0);
    cx.check(i64::from(timer > 0), 1)?;
    let debug = cx.bind_virq(A, abi::VIRQ_DEBUG, 0);
    cx.check(debug, timer + 1)?;
    let status = cx.status(A, 0x7ff0, timer);
    cx.check(status, 4)?;
    let results = [
        // Bound already.
        (cx.bind_virq(A, abi::VIRQ_TIMER, 0), EEXIST),
        // No such interrupt, no such vCPU.
        (cx.bind_virq(A, 24, 0), EINVAL),
        (cx.bind_virq(A, abi::VIRQ_TIMER, 77), ENOENT),
        // Nobody can signal it by hand.
        (cx.notify(A, timer), EINVAL),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    close(cx, &[(A, timer)])?;
    let again = cx.bind_virq(A, abi::VIRQ_TIMER, 0);
    cx.check(again, timer)?;
    close(cx, &[(A, again), (A, debug)])
}

/// A vCPU signals itself.
pub(crate) fn signals_between_vcpus(cx: &mut Cx<'_, '_>) -> Verdict {
    let port = cx.bind_ipi(A, 0);
    cx.check(i64::from(port > 0), 1)?;
    let status = cx.status(A, 0x7ff0, port);
    cx.check(status, 5)?;
    let bound = cx.bind(A, port, 0);
    cx.check(bound, 0)?;
    for n in 1..=3 {
        let sent = cx.notify(A, port);
        cx.check(sent, 0)?;
        let events = cx.events(A, 0, n);
        cx.check(events, n.into())?;
    }
    let none = cx.bind_ipi(A, 77);
    cx.check(none, ENOENT)?;
    let moved = cx.bind_vcpu(A, port, 0);
    cx.check(moved, EINVAL)?;
    close(cx, &[(A, port)])
}

/// The only vCPU there is, and none.
pub(crate) fn a_vcpu_for_a_port(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    let moved = cx.bind_vcpu(B, b, 0);
    cx.check(moved, 0)?;
    cx.notify(A, a);
    let events = cx.events(B, 0, 2);
    cx.check(events, 2)?;
    let results = [
        (cx.bind_vcpu(B, b, 1), ENOENT),
        (cx.bind_vcpu(B, 0, 0), EINVAL),
        (cx.bind_vcpu(B, b + 1, 0), EINVAL),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    cx.notify(A, a);
    let events = cx.events(B, 0, 3);
    cx.check(events, 3)?;
    close(cx, &[(B, b), (A, a)])
}

/// A port as Xen connects them at boot: closing it leaves it connected.
pub(crate) fn static_ports(cx: &mut Cx<'_, '_>) -> Verdict {
    let a = cx.alloc_unbound_for(Control, A.raw(), B.raw());
    let b = cx.bind_interdomain(B, A.raw(), a, None);
    cx.check(i64::from(b > 0), 1)?;
    let adopt = |cx: &mut Cx<'_, '_>, port: i64| {
        cx.step(A, format_args!("adopt_static({port})"), |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_adopt_static(d.raw(), port as u32).into() }
        })
    };
    let adopted = adopt(cx, a);
    cx.check(adopted, 0)?;
    for port in [0, a + 1, 4096] {
        let refused = adopt(cx, port);
        cx.check(refused, EINVAL)?;
    }
    let bound = cx.bind(A, a, 0);
    cx.check(bound, 0)?;
    cx.notify(B, b);
    let events = cx.events(A, 0, 1);
    cx.check(events, 1)?;
    close(cx, &[(A, a)])?;
    let status = cx.status(A, 0x7ff0, a);
    cx.check(status, 2)?;
    cx.notify(B, b);
    let events = cx.events(A, 0, 1);
    cx.check(events, 1)?;
    // Adopted again, what came meanwhile is delivered.
    let adopted = adopt(cx, a);
    cx.check(adopted, 0)?;
    let bound = cx.bind(A, a, 1);
    cx.check(bound, 0)?;
    let events = cx.events(A, 1, 1);
    cx.check(events, 1)?;
    close(cx, &[(A, a)])?;
    let refused = cx.close(A, a);
    cx.check(refused, EINVAL)?;
    // Nothing but a fresh start closes it.
    let reset = cx.reset(A);
    cx.check(reset, 0)?;
    let status = cx.status(A, 0x7ff0, a);
    cx.check(status, 0)?;
    close(cx, &[(B, b)])
}
