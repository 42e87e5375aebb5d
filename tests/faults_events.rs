// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event-channel calls whose hypercalls fail, one after the other.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use common::{EINVAL, Fault, Picture, Raw, SELF, data, exhaust};
use xen_guest::Upcall;
use xen_guest::ffi::abi;
use xen_guest::sim::{Domain, DomainConfig, Hypervisor};

unsafe extern "C" fn count(data: *mut c_void) {
    // SAFETY: bound with a counter that outlives the port.
    unsafe { &*data.cast::<AtomicU32>() }.fetch_add(1, SeqCst);
}

unsafe extern "C" fn never(_: *mut c_void) {
    unreachable!("a handler that was not bound");
}

struct Place {
    xen: Hypervisor,
    domain: Domain,
    raw: Raw,
    calls: AtomicU32,
}

impl Place {
    fn exhaust(&self, call: impl FnMut() -> i32, undo: impl FnMut(i32)) -> u64 {
        let picture = || Picture::of(&self.xen, self.raw);
        exhaust(&self.domain, Fault::Hypercall, picture, call, undo)
    }

    fn bind(&self, port: u32) -> i32 {
        // SAFETY: the counter outlives the ports.
        unsafe { self.raw.bind(port, count, data(&self.calls)) }
    }

    /// A port to notify, and the one that gets it, with an event pending and
    /// no handler.
    fn pair(&self) -> (u32, u32) {
        let from = self.raw.alloc_unbound(SELF) as u32;
        // SAFETY: without a handler there is no data.
        let to = unsafe {
            self.raw
                .bind_interdomain(self.domain.domid().raw(), from, None, ptr::null_mut())
        };
        assert_eq!(self.raw.pending(to as u32), 1);
        (from, to as u32)
    }

    fn close(&self, ports: (u32, u32)) {
        assert_eq!((self.raw.close(ports.1), self.raw.close(ports.0)), (0, 0));
    }
}

/// A guest whose event interrupt is off but for `deliver`, so that pending
/// events stay for the calls to meet.
fn with(body: impl FnOnce(&Place, &dyn Fn())) {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let place = Place {
        raw: Raw::of(&guest),
        xen: xen.clone(),
        domain: domain.clone(),
        calls: AtomicU32::new(0),
    };
    // SAFETY: the simulator runs it once at a time.
    let upcall = || unsafe { guest.upcall(64) } == Upcall::More;
    body(&place, &|| {
        domain.with_upcall(&upcall, || _ = xen.deliver_all());
    });
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}

#[test]
fn alloc_unbound() {
    with(|place, _| {
        let raw = place.raw;
        let faults = place.exhaust(
            || raw.alloc_unbound(SELF),
            |port| assert_eq!(raw.close(port as u32), 0),
        );
        assert_eq!(faults, 1);
    });
}

/// A port outside the table goes back to Xen.
#[test]
fn a_port_beyond_the_table() {
    with(|place, _| {
        let raw = place.raw;
        for port in 1..128 {
            assert_eq!(raw.alloc_unbound(SELF), port);
        }
        let before = Picture::of(&place.xen, raw);
        for _ in 0..3 {
            assert_eq!(raw.alloc_unbound(SELF), common::ENOSPC);
            // SAFETY: the counter outlives the ports.
            let port = unsafe {
                let own = place.domain.domid().raw();
                raw.bind_interdomain(own, 1, Some(count), data(&place.calls))
            };
            assert_eq!(port, common::ENOSPC);
            assert_eq!(Picture::of(&place.xen, raw).clone(), before);
        }
        for port in 1..128 {
            assert_eq!(raw.close(port), 0);
        }
    });
}

#[test]
fn bind_interdomain() {
    with(|place, _| {
        let raw = place.raw;
        let from = raw.alloc_unbound(SELF) as u32;
        let faults = place.exhaust(
            || {
                // SAFETY: the counter outlives the ports.
                unsafe {
                    let own = place.domain.domid().raw();
                    raw.bind_interdomain(own, from, Some(count), data(&place.calls))
                }
            },
            |port| assert_eq!(raw.close(port as u32), 0),
        );
        // The bind, and the unmask for the event that Xen makes pending.
        assert_eq!(faults, 2);
        assert_eq!(raw.close(from), 0);
    });
}

#[test]
fn bind_unbind() {
    with(|place, deliver| {
        let raw = place.raw;
        let ports = place.pair();
        let faults = place.exhaust(
            || place.bind(ports.1),
            |_| assert_eq!(raw.unbind(ports.1), 0),
        );
        assert_eq!(faults, 1);
        // The event survived all of it.
        assert_eq!(place.bind(ports.1), 0);
        deliver();
        assert_eq!(place.calls.load(SeqCst), 1);
        place.close(ports);
    });
}

/// In place of another handler, which stays if it fails.
#[test]
fn bind_over_a_handler() {
    with(|place, deliver| {
        let raw = place.raw;
        let ports = place.pair();
        assert_eq!(place.bind(ports.1), 0);
        let faults = place.exhaust(
            // SAFETY: the handler takes any data.
            || unsafe { raw.bind(ports.1, never, ptr::null_mut()) },
            |_| assert_eq!(place.bind(ports.1), 0),
        );
        assert_eq!(faults, 1);
        place
            .domain
            .hypervisor()
            .fail_hypercall(place.domain.domid(), 1, 18);
        // SAFETY: the handler takes any data.
        assert_eq!(unsafe { raw.bind(ports.1, never, ptr::null_mut()) }, -18);
        deliver();
        assert_eq!(place.calls.load(SeqCst), 1);
        place.close(ports);
    });
}

/// A port that a control domain opened.
#[test]
fn bind_adopts() {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    let mut op = abi::evtchn_alloc_unbound {
        dom: domain.domid().raw(),
        remote_dom: 0,
        port: 0,
    };
    let mut open = || {
        let args = [
            abi::EVTCHNOP_alloc_unbound as usize,
            &raw mut op as usize,
            0,
            0,
            0,
        ];
        // SAFETY: the structure that the operation takes.
        let rc = unsafe { dom0.hypercall(abi::__HYPERVISOR_event_channel_op, args) };
        assert_eq!(rc, 0);
        op.port
    };
    let port = open();
    let faults = exhaust(
        &domain,
        Fault::Hypercall,
        || Picture::of(&xen, raw),
        // SAFETY: the counter outlives the port.
        || unsafe { raw.bind(port, count, data(&calls)) },
        |_| {
            assert_eq!(raw.close(port), 0);
            assert_eq!(open(), port);
        },
    );
    assert_eq!(faults, 1);
    assert_eq!(raw.mask(port), EINVAL, "not open here");
    assert_eq!(raw.close(port), 0);
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero());
}

#[test]
fn unmask() {
    with(|place, deliver| {
        let raw = place.raw;
        let ports = place.pair();
        raw.take_pending(ports.1);
        assert_eq!(place.bind(ports.1), 0);
        assert_eq!((raw.mask(ports.1), raw.notify(ports.0)), (0, 0));
        let faults = place.exhaust(|| raw.unmask(ports.1), |_| assert_eq!(raw.mask(ports.1), 0));
        assert_eq!(faults, 1);
        assert_eq!(raw.unmask(ports.1), 0);
        deliver();
        assert_eq!(place.calls.load(SeqCst), 1);
        place.close(ports);
    });
}

/// Bound or not, masked or not, with an event or not.
#[test]
fn close() {
    with(|place, deliver| {
        let raw = place.raw;
        for case in 0..8 {
            let (bound, masked, pending) = (case & 1 != 0, case & 2 != 0, case & 4 != 0);
            let from = raw.alloc_unbound(SELF) as u32;
            place.calls.store(0, SeqCst);
            let open = || {
                // SAFETY: without a handler there is no data.
                let to = unsafe {
                    let own = place.domain.domid().raw();
                    raw.bind_interdomain(own, from, None, ptr::null_mut()) as u32
                };
                if !pending {
                    assert_eq!(raw.take_pending(to), 1);
                }
                if bound {
                    assert_eq!(place.bind(to), 0);
                }
                if masked {
                    assert_eq!(raw.mask(to), 0);
                }
                to
            };
            let to = open();
            let faults = place.exhaust(|| raw.close(to), |_| assert_eq!(open(), to));
            assert_eq!(faults, 1, "case {case}");
            place.xen.fail_hypercall(place.domain.domid(), 1, 18);
            assert_eq!(raw.close(to), -18);
            deliver();
            let called = u32::from(bound && !masked && pending);
            assert_eq!(place.calls.load(SeqCst), called, "case {case}");
            place.close((from, to));
        }
    });
}

/// What the arguments alone refuse changes nothing, and asks Xen nothing
/// that it would do.
#[test]
fn bad_arguments() {
    with(|place, _| {
        let raw = place.raw;
        let ports = place.pair();
        let before = Picture::of(&place.xen, raw);
        for port in [0, 50, 127, 128, 4096, u32::MAX] {
            let results = [
                raw.unbind(port),
                raw.mask(port),
                raw.unmask(port),
                raw.pending(port),
                raw.take_pending(port),
                raw.take_missed(port),
                raw.close(port),
                raw.notify(port),
                place.bind(port),
            ];
            assert_eq!(results, [EINVAL; 9], "port {port}");
        }
        // SAFETY: refused before anything is called.
        let rc = unsafe { xen_guest::ffi::xg_evtchn_bind(raw.0, ports.1, None, ptr::null_mut()) };
        assert_eq!(rc, EINVAL);
        assert_eq!(Picture::of(&place.xen, raw), before);
        place.close(ports);
    });
}
