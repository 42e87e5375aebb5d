// SPDX-License-Identifier: MIT OR Apache-2.0
//! What programs written for Zephyr's own implementation rely on, or what it
//! taught them to look out for.

use core::ffi::{c_int, c_ulong, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use xen_guest::ffi::{self, abi};
use xen_guest::{PAGE_SIZE, Page};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{A, B, Control};
use crate::domain::{Counters, Domain, Role};
use crate::grants::version;
use crate::memory::SELF;
use crate::ops::{Kept, count, counter, gfn_of, map_op};
use crate::zephyr::*;
use crate::zephyr_memory::xendom_add_to_physmap_batch;

const EINVAL: i64 = -22;
const ERANGE: i64 = -34;

/// How often a wait looks before it gives up.
const PATIENCE: u32 = 10_000;

// SAFETY of all calls below: the guest is set up and current; counters
// outlive ports; only empty frames are mapped.

/// A step that is one call about a port.
macro_rules! port_call {
    ($cx:ident, $role:expr, $function:ident($port:expr)) => {
        $cx.as_current(
            $role,
            format_args!("{}({})", stringify!($function), $port),
            // SAFETY: see above.
            |_| unsafe { $function($port as u32) }.into(),
        )
    };
}

impl Cx<'_, '_> {
    fn open(&mut self, role: Role, remote: u16) -> Result<i64, crate::Failure> {
        let call = format_args!("alloc_unbound_event_channel({remote:#x})");
        let port = self.as_current(role, call, |_| {
            // SAFETY: see above.
            unsafe { alloc_unbound_event_channel(remote).into() }
        });
        self.check(i64::from(port > 0), 1)?;
        Ok(port)
    }

    /// Without a callback.
    fn join(&mut self, role: Role, remote: u16, port: i64) -> Result<i64, crate::Failure> {
        let call = format_args!("bind_interdomain_event_channel({remote:#x}, {port})");
        let own = self.as_current(role, call, |_| {
            // SAFETY: see above.
            unsafe {
                bind_interdomain_event_channel(remote, port as u32, None, ptr::null_mut()).into()
            }
        });
        self.check(i64::from(own > 0), 1)?;
        Ok(own)
    }

    fn attach(&mut self, role: Role, port: i64, slot: usize) -> Verdict {
        let call = format_args!("bind_event_channel({port}, {slot})");
        let bound = self.as_current(role, call, |d| {
            // SAFETY: see above.
            unsafe { bind_event_channel(port as u32, Some(count), counter(d, slot)).into() }
        });
        self.check(bound, 0)
    }

    fn send(&mut self, role: Role, port: i64) -> Verdict {
        let sent = port_call!(self, role, notify_evtchn(port));
        self.check(sent, 0)
    }

    fn arrived(&mut self, role: Role, slot: usize, want: u32) -> Verdict {
        let events = self.events(role, slot, want);
        self.check(events, want.into())
    }

    fn shut(&mut self, role: Role, port: i64) -> Verdict {
        let closed = port_call!(self, role, evtchn_close(port));
        self.check(closed, 0)
    }
}

pub(crate) fn a_client_binds_ports(cx: &mut Cx<'_, '_>) -> Verdict {
    let a = cx.open(A, B.raw())?;
    let b = cx.join(B, A.raw(), a)?;
    cx.attach(A, a, 0)?;
    // Nobody sent anything: Xen did, in case somebody had. Once.
    cx.attach(B, b, 0)?;
    cx.arrived(B, 0, 1)?;
    // Nothing was unmasked.
    cx.send(B, b)?;
    cx.arrived(A, 0, 1)?;
    // Unmasking what is not masked makes nothing up, and breaks nothing.
    for _ in 0..2 {
        let unmasked = port_call!(cx, A, unmask_event_channel(a));
        cx.check(unmasked, 0)?;
    }
    cx.arrived(A, 0, 1)?;
    cx.send(B, b)?;
    cx.arrived(A, 0, 2)?;
    // Masks do not nest.
    for _ in 0..2 {
        let masked = port_call!(cx, A, mask_event_channel(a));
        cx.check(masked, 0)?;
    }
    cx.send(B, b)?;
    cx.arrived(A, 0, 2)?;
    let unmasked = port_call!(cx, A, unmask_event_channel(a));
    cx.check(unmasked, 0)?;
    cx.arrived(A, 0, 3)?;

    // Closed while masked and with an event: the next owner of the number
    // gets its own events, and only those.
    port_call!(cx, A, mask_event_channel(a));
    cx.send(B, b)?;
    cx.shut(A, a)?;
    cx.shut(B, b)?;
    let again = cx.open(A, B.raw())?;
    cx.check(again, a)?;
    let b = cx.join(B, A.raw(), again)?;
    cx.attach(A, again, 1)?;
    let missed = port_call!(cx, A, get_missed_events(again));
    cx.check(missed, 0)?;
    cx.arrived(A, 1, 0)?;
    cx.send(B, b)?;
    cx.arrived(A, 1, 1)?;
    cx.arrived(A, 0, 3)?;
    cx.shut(A, again)?;
    cx.shut(B, b)
}

/// Counters of [`answer`] and [`note_lock`].
const CALLS: usize = 0;
const REFUSED: usize = 1;
const LOCKED: usize = 2;
const CALLS_LOCKED: usize = 3;
const PORT: usize = 4;

fn all_counters(d: &Domain<'_>) -> *mut c_void {
    ptr::from_ref(d.counters).cast_mut().cast()
}

/// A callback that sends.
unsafe extern "C" fn answer(data: *mut c_void) {
    // SAFETY: bound with a domain's counters.
    let counters = unsafe { &*data.cast::<Counters>() };
    let port = counters[PORT].load(Ordering::Acquire);
    // SAFETY: the domain's guest is current in its upcalls.
    if unsafe { notify_evtchn(port) } != 0 {
        counters[REFUSED].fetch_add(1, Ordering::Release);
    }
    counters[CALLS].fetch_add(1, Ordering::Release);
}

/// A callback that looks whether the program holds its lock.
unsafe extern "C" fn note_lock(data: *mut c_void) {
    // SAFETY: bound with a domain's counters.
    let counters = unsafe { &*data.cast::<Counters>() };
    if counters[LOCKED].load(Ordering::Acquire) != 0 {
        counters[CALLS_LOCKED].fetch_add(1, Ordering::Release);
    }
    counters[CALLS].fetch_add(1, Ordering::Release);
}

pub(crate) fn a_client_uses_calls_in_callbacks(cx: &mut Cx<'_, '_>) -> Verdict {
    let a = cx.open(A, B.raw())?;
    let b = cx.join(B, A.raw(), a)?;
    cx.attach(A, a, 0)?;
    let bound = cx.as_current(B, format_args!("bind_event_channel, sends"), |d| {
        d.counters[PORT].store(b as u32, Ordering::Release);
        // SAFETY: see above.
        unsafe { bind_event_channel(b as u32, Some(answer), all_counters(d)).into() }
    });
    cx.check(bound, 0)?;
    // To Xen's own event too: the other side gets one that says nothing.
    for n in 1..=4 {
        cx.arrived(B, CALLS, n)?;
        cx.arrived(A, 0, n)?;
        cx.send(A, a)?;
    }
    cx.arrived(A, 0, 5)?;
    cx.arrived(B, REFUSED, 0)?;
    cx.shut(B, b)?;
    cx.shut(A, a)?;

    // The program holds a lock of its own and sends to itself: the callback
    // runs meanwhile, nothing waits.
    let receiver = cx.open(A, SELF)?;
    let sender = cx.join(A, SELF, receiver)?;
    let seen = cx.as_current(A, format_args!("notify_evtchn, with a lock held"), |d| {
        for counter in d.counters {
            counter.store(0, Ordering::Relaxed);
        }
        // SAFETY: see above.
        let bound =
            unsafe { bind_event_channel(receiver as u32, Some(note_lock), all_counters(d)) };
        d.counters[LOCKED].store(1, Ordering::Release);
        // SAFETY: see above.
        let sent = unsafe { notify_evtchn(sender as u32) };
        for _ in 0..PATIENCE {
            if d.count(CALLS) > 0 {
                break;
            }
            d.memory.pause();
        }
        d.counters[LOCKED].store(0, Ordering::Release);
        i64::from(d.count(CALLS_LOCKED)) + i64::from(bound) * 100 + i64::from(sent) * 10_000
    });
    cx.check(seen, 1)?;
    cx.shut(A, sender)?;
    cx.shut(A, receiver)
}

pub(crate) fn a_client_grants(cx: &mut Cx<'_, '_>) -> Verdict {
    const GRANTS: usize = 40;
    let mut page: Kept = None;
    let mut grefs = [0_u32; GRANTS];
    // No reference is 0, none is given twice.
    let distinct = cx.as_current(
        A,
        format_args!("gnttab_grant_access, {GRANTS} times"),
        |d| {
            page = d.memory.alloc_page();
            let Some(page) = page else { return -1 };
            let gfn = gfn_of(d, page.as_ptr().cast()) as c_ulong;
            let mut distinct = 0;
            for i in 0..GRANTS {
                // SAFETY: see above.
                grefs[i] = unsafe { gnttab_grant_access(B.raw(), gfn, true) };
                // As C would: an int, and a test for less than 0.
                let stored = grefs[i] as c_int;
                distinct += i64::from(stored > 0 && !grefs[..i].contains(&grefs[i]));
            }
            distinct
        },
    );
    cx.check(distinct, GRANTS as i64)?;
    let ended = cx.as_current(A, format_args!("gnttab_end_access of each"), |_| {
        // SAFETY: see above.
        let ended = grefs.iter().map(|&gref| unsafe { gnttab_end_access(gref) });
        ended.filter(|&rc| rc == 0).count() as i64
    });
    cx.check(ended, GRANTS as i64)?;
    // What can't be granted is negative in an int.
    let v2 = version(cx, A) == 2;
    for (dom, gfn, want) in [
        (SELF, 1, EINVAL),
        (B.raw(), 1 << 32, ERANGE),
        (B.raw(), c_ulong::MAX, ERANGE),
    ] {
        if v2 && want == ERANGE {
            continue;
        }
        let call = format_args!("gnttab_grant_access({dom:#x}, {gfn:#x})");
        let stored = cx.as_current(A, call, |_| {
            // SAFETY: see above.
            let gref = unsafe { gnttab_grant_access(dom, gfn, false) } as c_int;
            gref.into()
        });
        cx.check(stored, want)?;
    }
    for gref in [0, 7, u32::MAX] {
        let ended = cx.as_current(A, format_args!("gnttab_end_access({gref:#x})"), |_| {
            // SAFETY: see above.
            unsafe { gnttab_end_access(gref).into() }
        });
        cx.check(ended, EINVAL)?;
    }
    cx.free(A, &mut page);

    // The page is the platform's, whole and clean, and goes back there.
    let mut granted: Kept = None;
    let gref = cx.as_current(A, format_args!("gnttab_alloc_and_grant"), |d| {
        let mut at = ptr::null_mut();
        // SAFETY: see above.
        let gref = unsafe { gnttab_alloc_and_grant(&mut at, false) };
        granted = NonNull::new(at.cast::<Page>());
        let frame = gfn_of(d, at.cast());
        i64::from(gref) * i64::from(at.addr() % PAGE_SIZE == 0 && frame != 0)
    });
    cx.check(i64::from(gref >= 8), 1)?;
    let refused = cx.as_current(A, format_args!("gnttab_alloc_and_grant(null)"), |_| {
        // SAFETY: see above; a null pointer is refused.
        unsafe { gnttab_alloc_and_grant(ptr::null_mut(), false).into() }
    });
    cx.check(refused, EINVAL)?;
    let ended = cx.as_current(A, format_args!("gnttab_end_access, page_free"), |d| {
        // SAFETY: see above.
        let ended = unsafe { gnttab_end_access(gref as u32) };
        let Some(page) = granted.take().filter(|_| ended == 0) else {
            return -1;
        };
        // SAFETY: the guest is set up, so its platform table is complete; its
        // grant has ended.
        unsafe {
            let guest = d.raw();
            match (*(*guest).platform).page_free {
                Some(free) => free((*guest).context, page.as_ptr().cast(), 1),
                None => return -2,
            }
        }
        0
    });
    cx.check(ended, 0)
}

pub(crate) fn a_client_maps_all_or_none(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut pages: [Kept; 2] = [None; 2];
    let mut grefs = [0; 2];
    for (page, gref) in pages.iter_mut().zip(&mut grefs) {
        *gref = cx.grant(A, page, B.raw(), false);
        cx.check(i64::from(*gref >= 8), 1)?;
    }
    let [first, last] = grefs;
    let result = cx.as_current(
        B,
        format_args!("gnttab_map_refs, one is not granted"),
        |d| {
            let grefs = [first, 500, last];
            let mut ops =
                core::array::from_fn::<_, 3, _>(|i| map_op(d, A.raw(), grefs[i], i, false));
            // SAFETY: see above.
            let rc = unsafe { gnttab_map_refs(ops.as_mut_ptr(), 3) };
            let statuses = ops
                .iter()
                .fold(0, |all, op| all * 10 + i64::from(op.status.unsigned_abs()));
            let handles = ops.iter().filter(|op| op.handle == ffi::XG_NO_HANDLE);
            i64::from(rc) * 10_000 - statuses * 10 - handles.count() as i64
        },
    );
    // The status of each its own, no handle to unmap.
    cx.check(result, EINVAL * 10_000 - 10 * 10 - 3)?;
    // And nothing is mapped: the owner can end all of it.
    for (page, gref) in pages.iter_mut().zip(grefs) {
        let ended = port_call!(cx, A, gnttab_end_access(gref));
        cx.check(ended, 0)?;
        cx.free(A, page);
    }
    Ok(())
}

pub(crate) fn a_client_looks_at_errors(cx: &mut Cx<'_, '_>) -> Verdict {
    const MARK: c_int = 77;
    let space = abi::XENMAPSPACE_gmfn_foreign;
    // Not allowed at all; numbers that are no domain's; no such space.
    for (dom, foreign, space) in [
        (i32::from(SELF), i32::from(Control.raw()), space),
        (i32::from(Control.raw()), i32::from(B.raw()), space),
        (-1, i32::from(B.raw()), space),
        (i32::from(SELF), 0x1_0000, space),
        (i32::from(SELF), i32::from(B.raw()), 99),
    ] {
        let call = format_args!("xendom_add_to_physmap_batch({dom:#x}, {foreign:#x}, {space})");
        let filled = cx.as_current(A, call, |d| {
            let mut idxs = [1, 2, 3];
            let mut gfns = [0, 1, 2].map(|page| crate::memory::window_gfn(d, page));
            let mut errs = [MARK; 4];
            // SAFETY: see above.
            let rc = unsafe {
                xendom_add_to_physmap_batch(
                    dom,
                    foreign,
                    space,
                    3,
                    idxs.as_mut_ptr(),
                    gfns.as_mut_ptr(),
                    errs.as_mut_ptr(),
                )
            };
            // Three errors, and nothing behind them.
            i64::from(rc < 0 && errs[..3].iter().all(|&err| err < 0) && errs[3] == MARK)
        });
        cx.check(filled, 1)?;
    }
    Ok(())
}
