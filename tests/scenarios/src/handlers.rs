// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handlers that change ports themselves, and the upcall's budget.
//!
//! One domain connects ports of its own to one another, so that everything
//! happens on one vCPU and in a known order.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use xen_guest::ffi;

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::A;
use crate::ops::{count, counter};

/// Events that came to a handler that nobody notified.
static STRAY: AtomicU32 = AtomicU32::new(0);

/// What a handler that acts has at hand.
struct Act {
    guest: *mut ffi::xg_guest,
    /// The port to act on.
    port: u32,
    calls: AtomicU32,
    result: AtomicU32,
}

impl Act {
    fn new(d: &Domain<'_>, port: u32) -> Self {
        Self {
            guest: d.raw(),
            port,
            calls: AtomicU32::new(0),
            result: AtomicU32::new(0),
        }
    }

    fn data(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// # Safety
    ///
    /// `data` is a living `Act`'s.
    unsafe fn run(data: *mut c_void, op: unsafe extern "C" fn(*mut ffi::xg_guest, u32) -> i32) {
        // SAFETY: as the caller promises.
        let act = unsafe { &*data.cast::<Self>() };
        act.calls.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the guest is set up while its handlers run.
        let rc = unsafe { op(act.guest, act.port) };
        act.result.store(rc.unsigned_abs(), Ordering::Relaxed);
    }
}

unsafe extern "C" fn close_it(data: *mut c_void) {
    // SAFETY: bound with an `Act` that outlives the port.
    unsafe { Act::run(data, ffi::xg_evtchn_close) }
}

unsafe extern "C" fn unbind_it(data: *mut c_void) {
    // SAFETY: bound with an `Act` that outlives the port.
    unsafe { Act::run(data, ffi::xg_evtchn_unbind) }
}

/// Close the port and open it again, with this handler: nobody notifies it.
unsafe extern "C" fn reopen_it(data: *mut c_void) {
    // SAFETY: bound with an `Act` that outlives the port.
    unsafe { Act::run(data, reopen) }
}

unsafe extern "C" fn reopen(guest: *mut ffi::xg_guest, port: u32) -> i32 {
    // SAFETY: the guest is set up while its handlers run. Nobody can send to
    // an unbound port, so any call of the new handler is the old event's.
    unsafe {
        ffi::xg_evtchn_close(guest, port);
        let again = ffi::xg_evtchn_alloc_unbound(guest, 0x7ff0, A.raw());
        if again as u32 != port {
            // Still in a queue: Xen gives out another number.
            return ffi::xg_evtchn_close(guest, again as u32);
        }
        ffi::xg_evtchn_bind(
            guest,
            port,
            Some(count),
            (&raw const STRAY).cast_mut().cast(),
        )
    }
}

/// Two ports of the domain, connected to each other, with no event pending:
/// the one to notify and the one that gets it.
pub(crate) fn pair(d: &Domain<'_>) -> Option<(u32, u32)> {
    let (from, to);
    // SAFETY: the guest is set up.
    unsafe {
        from = ffi::xg_evtchn_alloc_unbound(d.raw(), 0x7ff0, d.role.raw());
        to = ffi::xg_evtchn_bind_interdomain(
            d.raw(),
            d.role.raw(),
            u32::try_from(from).ok()?,
            None,
            ptr::null_mut(),
        );
        ffi::xg_evtchn_take_pending(d.raw(), u32::try_from(to).ok()?);
    }
    Some((from as u32, to as u32))
}

pub(crate) fn close_pair(d: &Domain<'_>, (from, to): (u32, u32)) -> i64 {
    // SAFETY: the guest is set up.
    unsafe {
        let to = ffi::xg_evtchn_close(d.raw(), to);
        let from = ffi::xg_evtchn_close(d.raw(), from);
        i64::from(to) * 1000 + i64::from(from)
    }
}

fn wait_for(d: &Domain<'_>, counter: &AtomicU32, want: u32) {
    for _ in 0..10_000 {
        if counter.load(Ordering::Acquire) >= want {
            break;
        }
        d.memory.pause();
    }
    d.memory.settle();
}

pub(crate) fn handler_closes_own_port(cx: &mut Cx<'_, '_>) -> Verdict {
    let calls = cx.step(A, format_args!("handler closes its port"), |d| {
        let Some(ports) = pair(d) else { return -1 };
        let act = Act::new(d, ports.1);
        // SAFETY: the guest is set up; `act` lives until the port is closed.
        unsafe {
            ffi::xg_evtchn_bind(d.raw(), ports.1, Some(close_it), act.data());
            ffi::xg_evtchn_notify(d.raw(), ports.0);
            wait_for(d, &act.calls, 1);
            // The peer end is unbound now: this goes nowhere.
            ffi::xg_evtchn_notify(d.raw(), ports.0);
        }
        d.memory.settle();
        // 22: it was closed, so closing it again is an invalid argument.
        let closed = close_pair(d, ports);
        closed * 100
            + i64::from(act.calls.load(Ordering::Relaxed)) * 10
            + i64::from(act.result.load(Ordering::Relaxed))
    });
    cx.check(calls, -22_000 * 100 + 10)
}

/// Both events are in one snapshot of the word, and each handler unbinds the
/// other's port. Whichever runs first, the other does not run, and its event
/// is kept.
pub(crate) fn handler_unbinds_sibling(cx: &mut Cx<'_, '_>) -> Verdict {
    let calls = cx.step(A, format_args!("handlers unbind one another"), |d| {
        let (Some(first), Some(second)) = (pair(d), pair(d)) else {
            return -1;
        };
        let acts = [Act::new(d, second.1), Act::new(d, first.1)];
        let mut missed = 0;
        // SAFETY: the guest is set up; the acts outlive the ports.
        unsafe {
            d.with_events_held(|| {
                for (act, ports) in acts.iter().zip([first, second]) {
                    ffi::xg_evtchn_bind(d.raw(), ports.1, Some(unbind_it), act.data());
                    ffi::xg_evtchn_notify(d.raw(), ports.0);
                }
            });
            d.memory.settle();
            for (_, to) in [first, second] {
                missed += i64::from(ffi::xg_evtchn_take_missed(d.raw(), to));
            }
        }
        let calls: u32 = acts
            .iter()
            .map(|act| act.calls.load(Ordering::Relaxed))
            .sum();
        close_pair(d, first) + close_pair(d, second) + i64::from(calls) * 10 + missed
    });
    cx.check(calls, 11)
}

/// A handler closes another port whose event is in the same snapshot, and
/// opens it again: the new owner's handler does not get the old event.
///
/// In the FIFO ABI Xen does not give the number out again as long as it is in
/// a queue, so there the port ends up closed.
pub(crate) fn handler_reopens_sibling(cx: &mut Cx<'_, '_>) -> Verdict {
    let fifo = cx.is_fifo();
    let calls = cx.step(A, format_args!("handlers reopen one another's port"), |d| {
        let (Some(first), Some(second)) = (pair(d), pair(d)) else {
            return -1;
        };
        let acts = [Act::new(d, second.1), Act::new(d, first.1)];
        // SAFETY: the guest is set up; the acts outlive the ports.
        unsafe {
            d.with_events_held(|| {
                for (act, ports) in acts.iter().zip([first, second]) {
                    ffi::xg_evtchn_bind(d.raw(), ports.1, Some(reopen_it), act.data());
                    ffi::xg_evtchn_notify(d.raw(), ports.0);
                }
            });
        }
        d.memory.settle();
        let calls: u32 = acts
            .iter()
            .map(|act| act.calls.load(Ordering::Relaxed))
            .sum();
        let strays = STRAY.swap(0, Ordering::Relaxed);
        close_pair(d, first) + close_pair(d, second) + i64::from(calls * 10 + strays)
    });
    cx.check(calls, if fifo { 10 - 22_000 } else { 10 })
}

pub(crate) fn rebind_replaces_handler(cx: &mut Cx<'_, '_>) -> Verdict {
    let calls = cx.step(A, format_args!("rebind"), |d| {
        let Some(ports) = pair(d) else { return -1 };
        let mut calls = 0;
        for slot in 0..3 {
            // SAFETY: the guest is set up; counters outlive the port.
            unsafe {
                ffi::xg_evtchn_bind(d.raw(), ports.1, Some(count), counter(d, slot));
                ffi::xg_evtchn_notify(d.raw(), ports.0);
            }
            wait_for(d, &d.counters[slot], 1);
            calls = calls * 10 + i64::from(d.count(slot));
        }
        close_pair(d, ports) + calls
    });
    cx.check(calls, 111)
}

/// Five events, two at a time, served by calling the upcall by hand.
pub(crate) fn budget_loses_nothing(cx: &mut Cx<'_, '_>) -> Verdict {
    let calls = cx.step(A, format_args!("upcalls with a budget of 2"), |d| {
        let mut ports = [(0, 0); 5];
        for pair_of in &mut ports {
            let Some(ports) = pair(d) else { return -1 };
            *pair_of = ports;
        }
        let history = d.with_events_held(|| {
            let mut history = 0;
            // SAFETY: the guest is set up; its own upcall is held off, so
            // these are the only ones; counters outlive the ports.
            unsafe {
                for (slot, &(from, to)) in ports.iter().enumerate() {
                    ffi::xg_evtchn_bind(d.raw(), to, Some(count), counter(d, slot));
                    ffi::xg_evtchn_notify(d.raw(), from);
                }
                for _ in 0..3 {
                    let more = ffi::xg_evtchn_upcall(d.raw(), 2);
                    let served: u32 = (0..5).map(|slot| d.count(slot)).sum();
                    history = history * 100 + i64::from(served) * 10 + i64::from(more);
                }
            }
            history
        });
        d.memory.settle();
        let each_once = (0..5).all(|slot| d.count(slot) == 1);
        for pair_of in ports {
            close_pair(d, pair_of);
        }
        if each_once { history } else { -2 }
    });
    cx.check(calls, 21_41_50)
}
