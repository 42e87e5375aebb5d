// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events under control: priorities, late ends, waiting, starting over.

use core::ptr;

use xen_guest::ffi;

use crate::Verdict;
use crate::cx::{Concurrent, Cx};
use crate::domain::Domain;
use crate::domain::Role::{self, A, B};
use crate::events::{close, connect};
use crate::handlers::{close_pair, pair};

const EINVAL: i64 = -22;
const ENOSYS: i64 = -38;

/// The order in which handlers ran, a digit each.
unsafe extern "C" fn note(data: *mut core::ffi::c_void) {
    // SAFETY: bound with a `Place` of the step that waits for it.
    let place = unsafe { &*data.cast::<Place>() };
    // SAFETY: the order outlives the places; handlers do not nest.
    let order = unsafe { &mut *place.order };
    *order = *order * 10 + place.digit;
}

struct Place {
    order: *mut i64,
    digit: i64,
}

/// Five events at once, each of another priority.
fn order_of(d: &Domain<'_>, priorities: [u32; 5]) -> i64 {
    let mut order = 0;
    let places = core::array::from_fn::<_, 5, _>(|i| Place {
        order: &raw mut order,
        digit: i as i64 + 1,
    });
    let mut ports = [(0, 0); 5];
    let mut set = 0;
    for (pair_of, (place, priority)) in ports.iter_mut().zip(places.iter().zip(priorities)) {
        let Some((from, to)) = pair(d) else { return -1 };
        *pair_of = (from, to);
        // SAFETY: the guest is set up; places outlive the ports.
        unsafe {
            set |= ffi::xg_evtchn_set_priority(d.raw(), to, priority);
            ffi::xg_evtchn_bind(
                d.raw(),
                to,
                Some(note),
                ptr::from_ref(place).cast_mut().cast(),
            );
        }
    }
    d.with_events_held(|| {
        for (from, _) in ports {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_notify(d.raw(), from) };
        }
    });
    d.memory.settle();
    for pair_of in ports {
        close_pair(d, pair_of);
    }
    // SAFETY: written by handlers, none of which is left.
    let order = unsafe { (&raw const order).read_volatile() };
    if set != 0 { set.into() } else { order }
}

pub(crate) fn priorities_order_events(cx: &mut Cx<'_, '_>) -> Verdict {
    let fifo = cx.is_fifo();
    let order = cx.step(A, format_args!("five priorities"), |d| {
        order_of(d, [9, 0, 15, 3, 7])
    });
    cx.check(order, if fifo { 24_513 } else { ENOSYS })?;
    let order = cx.step(A, format_args!("one priority"), |d| order_of(d, [5; 5]));
    cx.check(order, if fifo { 12_345 } else { ENOSYS })?;
    let port = cx.alloc_unbound(A, B.raw());
    for (priority, want) in [(0, 0), (15, 0), (16, EINVAL)] {
        let call = format_args!("set_priority({port}, {priority})");
        let set = cx.step(A, call, |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_set_priority(d.raw(), port as u32, priority).into() }
        });
        cx.check(set, if fifo { want } else { ENOSYS })?;
    }
    close(cx, &[(A, port)])
}

impl Cx<'_, '_> {
    /// The same for every domain.
    pub(crate) fn is_fifo(&mut self) -> bool {
        self.tell(A, |d| {
            // SAFETY: the guest is set up.
            let two_level = unsafe { (*d.raw()).evtchn.words.is_null() };
            i64::from(!two_level)
        }) != 0
    }

    pub(crate) fn reset(&mut self, role: Role) -> i64 {
        self.step(role, format_args!("reset"), |d| {
            d.with_events_held(|| {
                // SAFETY: the guest is set up, and at rest: events are held.
                unsafe { ffi::xg_evtchn_reset(d.raw()).into() }
            })
        })
    }

    fn set_late(&mut self, role: Role, port: i64, late: bool) -> i64 {
        self.step(role, format_args!("set_late({port}, {late})"), |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_set_late(d.raw(), port as u32, late).into() }
        })
    }

    fn done(&mut self, role: Role, port: i64, worked: bool) -> i64 {
        self.step(role, format_args!("done({port}, {worked})"), |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_done(d.raw(), port as u32, worked).into() }
        })
    }

    fn release(&mut self, role: Role, port: i64) -> i64 {
        self.step(role, format_args!("release({port})"), |d| {
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_release(d.raw(), port as u32).into() }
        })
    }
}

/// A peer that keeps signalling costs one call per piece of work.
pub(crate) fn late_end_of_event(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, None)?;
    cx.take_pending(B, b);
    let set = cx.set_late(B, b, true);
    cx.check(set, 0)?;
    let early = cx.done(B, b, true);
    cx.check(early, EINVAL)?;
    cx.bind(B, b, 0);
    cx.notify(A, a);
    for n in 1..=3 {
        let events = cx.events(B, 0, n);
        cx.check(events, n.into())?;
        for _ in 0..3 {
            cx.notify(A, a);
        }
        let events = cx.events(B, 0, n);
        cx.check(events, n.into())?;
        // What came while the last one was not over is one more.
        let done = cx.done(B, b, true);
        cx.check(done, 0)?;
    }
    let events = cx.events(B, 0, 4);
    cx.check(events, 4)?;
    // Without late ends a held event is over, and the next ones come at once.
    let set = cx.set_late(B, b, false);
    cx.check(set, 0)?;
    for n in 5..=6 {
        cx.notify(A, a);
        let events = cx.events(B, 0, n);
        cx.check(events, n.into())?;
    }
    let over = cx.done(B, b, true);
    cx.check(over, EINVAL)?;
    close(cx, &[(B, b), (A, a)])
}

/// Signals without work: the first is free, the others cost more and more.
pub(crate) fn spurious_events_are_slowed(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, None)?;
    cx.take_pending(B, b);
    cx.set_late(B, b, true);
    cx.bind(B, b, 0);
    let delays = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000];
    for (n, delay) in (1..).zip(delays) {
        cx.notify(A, a);
        let events = cx.events(B, 0, n);
        cx.check(events, n.into())?;
        let wait = cx.done(B, b, false);
        cx.check(wait, delay)?;
        if delay > 0 {
            let released = cx.release(B, b);
            cx.check(released, 0)?;
        }
    }
    // Work makes up for it.
    cx.notify(A, a);
    cx.events(B, 0, delays.len() as u32 + 1);
    let done = cx.done(B, b, true);
    cx.check(done, 0)?;
    cx.notify(A, a);
    cx.events(B, 0, delays.len() as u32 + 2);
    let done = cx.done(B, b, false);
    cx.check(done, 0)?;
    let twice = cx.release(B, b);
    cx.check(twice, EINVAL)?;
    close(cx, &[(B, b), (A, a)])
}

fn wait(d: &Domain<'_>, ports: &[u32], timeout: u64) -> i64 {
    // SAFETY: the guest is set up; the array has that many ports.
    unsafe { ffi::xg_evtchn_wait(d.raw(), ports.as_ptr(), ports.len() as u32, timeout).into() }
}

/// Waiting for ports without handlers, up to a limit.
pub(crate) fn waiting(cx: &mut Cx<'_, '_>) -> Verdict {
    const MILLISECOND: u64 = 1_000_000;
    let (a, b) = connect(cx, None)?;
    let pending = cx.step(B, format_args!("wait for what is there"), |d| {
        wait(d, &[b as u32], ffi::XG_FOREVER)
    });
    cx.check(pending, 1)?;
    cx.take_pending(B, b);
    let nothing = cx.step(B, format_args!("look"), |d| wait(d, &[b as u32], 0));
    cx.check(nothing, 0)?;
    for limit in [2, 5] {
        let waited = cx.step(B, format_args!("wait {limit} ms"), |d| {
            let start = d.memory.now();
            let result = wait(d, &[b as u32], limit * MILLISECOND);
            let took = d.memory.now() - start;
            // Neither early nor far too late.
            let good = took >= limit * MILLISECOND && took < 1000 * MILLISECOND;
            result * 10 + i64::from(good)
        });
        cx.check(waited, 1)?;
    }
    cx.notify(A, a);
    let pending = cx.step(B, format_args!("wait for what came"), |d| {
        wait(d, &[b as u32], 1000 * MILLISECOND)
    });
    cx.check(pending, 1)?;
    let results = [
        cx.step(B, format_args!("wait for a closed port"), |d| {
            wait(d, &[b as u32 + 1], MILLISECOND)
        }),
        cx.step(B, format_args!("wait for port 0"), |d| {
            wait(d, &[0], MILLISECOND)
        }),
        cx.step(B, format_args!("wait for 129 ports"), |d| {
            take(d, b);
            wait(d, &[b as u32; 129], MILLISECOND)
        }),
    ];
    for result in results {
        cx.check(result, EINVAL)?;
    }
    close(cx, &[(B, b), (A, a)])
}

/// A domain sleeps in Xen until its peer signals.
pub(crate) fn woken_while_waiting(cx: &mut Cx<'_, '_>) -> Verdict {
    const SECOND: u64 = 1_000_000_000;
    let (a, b) = connect(cx, None)?;
    cx.take_pending(B, b);
    for limit in [5 * SECOND, ffi::XG_FOREVER] {
        let mut sleeper = |d: &Domain<'_>| {
            let start = d.memory.now();
            let result = wait(d, &[b as u32], limit);
            // Woken, not timed out.
            result * 10 + i64::from(d.memory.now() - start < 4 * SECOND)
        };
        let mut waker = |d: &Domain<'_>| {
            for _ in 0..10 {
                d.memory.settle();
            }
            // SAFETY: the guest is set up.
            unsafe { ffi::xg_evtchn_notify(d.raw(), a as u32).into() }
        };
        let call = format_args!("wait and notify");
        let steps = [
            Concurrent {
                role: B,
                op: &mut sleeper,
            },
            Concurrent {
                role: A,
                op: &mut waker,
            },
        ];
        let results = cx.at_once(call, steps);
        cx.check(results[0], 11)?;
        cx.check(results[1], 0)?;
        let taken = cx.take_pending(B, b);
        cx.check(taken, 1)?;
    }
    close(cx, &[(B, b), (A, a)])
}

fn take(d: &Domain<'_>, port: i64) {
    // SAFETY: the guest is set up.
    unsafe { ffi::xg_evtchn_take_pending(d.raw(), port as u32) };
}

/// Everything closed at once, and all as on the first day.
pub(crate) fn start_over(cx: &mut Cx<'_, '_>) -> Verdict {
    let (a, b) = connect(cx, Some(0))?;
    cx.events(B, 0, 1);
    let second = cx.alloc_unbound(B, A.raw());
    cx.mask(B, b);
    cx.notify(A, a);
    let reset = cx.reset(B);
    cx.check(reset, 0)?;
    for port in [b, second] {
        let status = cx.status(B, 0x7ff0, port);
        cx.check(status, 0)?;
        let refused = cx.mask(B, port);
        cx.check(refused, EINVAL)?;
    }
    let status = cx.status(A, 0x7ff0, a);
    cx.check(status, 1)?;
    // The old numbers, with nothing of their past.
    let again = cx.bind_interdomain(B, A.raw(), a, Some(1));
    cx.check(again, b)?;
    let events = cx.events(B, 1, 1);
    cx.check(events, 1)?;
    cx.notify(A, a);
    let events = cx.events(B, 1, 2);
    cx.check(events, 2)?;
    let stale = cx.events(B, 0, 1);
    cx.check(stale, 1)?;
    close(cx, &[(B, again), (A, a)])
}
