// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zephyr's names, on the current guest.

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr;

use xen_guest::ffi::abi;

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{A, B};
use crate::ops::{Kept, Mapped, count, counter, gfn_of, map_op};

type Callback = unsafe extern "C" fn(*mut c_void);

// As in include/zephyr/xen.
unsafe extern "C" {
    pub(crate) fn xen_events_init() -> c_int;
    pub(crate) fn alloc_unbound_event_channel(remote_dom: u16) -> c_int;
    pub(crate) fn bind_interdomain_event_channel(
        remote_dom: u16,
        remote_port: u32,
        cb: Option<Callback>,
        data: *mut c_void,
    ) -> c_int;
    pub(crate) fn bind_event_channel(port: u32, cb: Option<Callback>, data: *mut c_void) -> c_int;
    pub(crate) fn unbind_event_channel(port: u32) -> c_int;
    pub(crate) fn get_missed_events(port: u32) -> c_int;
    pub(crate) fn mask_event_channel(port: u32) -> c_int;
    pub(crate) fn unmask_event_channel(port: u32) -> c_int;
    pub(crate) fn clear_event_channel(port: u32);
    pub(crate) fn notify_evtchn(port: u32) -> c_int;
    pub(crate) fn evtchn_status(status: *mut abi::evtchn_status) -> c_int;
    pub(crate) fn evtchn_close(port: u32) -> c_int;
    pub(crate) fn evtchn_set_priority(port: u32, priority: u32) -> c_int;
    pub(crate) fn gnttab_grant_access(domid: u16, gfn: c_ulong, readonly: bool) -> u32;
    pub(crate) fn gnttab_alloc_and_grant(map: *mut *mut c_void, readonly: bool) -> i32;
    pub(crate) fn gnttab_end_access(gref: u32) -> c_int;
    pub(crate) fn gnttab_get_pages(npages: c_uint) -> *mut c_void;
    pub(crate) fn gnttab_put_pages(start_addr: *mut c_void, npages: c_uint) -> c_int;
    pub(crate) fn gnttab_map_refs(ops: *mut abi::gnttab_map_grant_ref, count: c_uint) -> c_int;
    pub(crate) fn gnttab_unmap_refs(ops: *mut abi::gnttab_unmap_grant_ref, count: c_uint) -> c_int;
    pub(crate) fn gnttabop_error(status: i16) -> *const c_char;
}

impl<'w> Cx<'_, 'w> {
    /// A step with the domain as the current guest.
    pub(crate) fn as_current(
        &mut self,
        role: crate::Role,
        call: core::fmt::Arguments<'_>,
        op: impl FnOnce(&Domain<'w>) -> i64,
    ) -> i64 {
        self.step(role, call, |d| {
            // SAFETY: the guest outlives the scenario, whose steps make the
            // only such calls.
            unsafe { d.guest.make_current() };
            op(d)
        })
    }
}

pub(crate) fn zephyr_names(cx: &mut Cx<'_, '_>) -> Verdict {
    events(cx)?;
    grants(cx)
}

// SAFETY of all calls below: the guest is set up and current; counters
// outlive ports; only empty frames are mapped.

fn events(cx: &mut Cx<'_, '_>) -> Verdict {
    let fifo = cx.is_fifo();
    let rc = cx.as_current(A, format_args!("xen_events_init"), |_| {
        // SAFETY: see above.
        unsafe { xen_events_init().into() }
    });
    cx.check(rc, 0)?;
    let a = cx.as_current(A, format_args!("alloc_unbound_event_channel"), |_| {
        // SAFETY: see above.
        unsafe { alloc_unbound_event_channel(B.raw()).into() }
    });
    cx.check(i64::from(a > 0), 1)?;
    let b = cx.as_current(B, format_args!("bind_interdomain_event_channel"), |d| {
        // SAFETY: see above.
        unsafe {
            bind_interdomain_event_channel(A.raw(), a as u32, Some(count), counter(d, 0)).into()
        }
    });
    cx.check(i64::from(b > 0), 1)?;
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    let masked = cx.as_current(B, format_args!("mask_event_channel"), |_| {
        // SAFETY: see above.
        unsafe { mask_event_channel(b as u32).into() }
    });
    cx.check(masked, 0)?;
    let sent = cx.as_current(A, format_args!("notify_evtchn"), |_| {
        // SAFETY: see above.
        unsafe { notify_evtchn(a as u32).into() }
    });
    cx.check(sent, 0)?;
    cx.as_current(B, format_args!("clear_event_channel, unmask"), |_| {
        // SAFETY: see above.
        unsafe {
            clear_event_channel(b as u32);
            unmask_event_channel(b as u32).into()
        }
    });
    let events = cx.events(B, 0, 1);
    cx.check(events, 1)?;
    let missed = cx.as_current(B, format_args!("unbind, missed"), |_| {
        // SAFETY: see above; events to the domain itself by its own port.
        unsafe {
            i64::from(unbind_event_channel(b as u32)) * 10 + i64::from(get_missed_events(b as u32))
        }
    });
    cx.check(missed, 0)?;
    cx.notify(A, a);
    let missed = cx.as_current(B, format_args!("missed, twice"), |_| {
        // SAFETY: see above.
        unsafe {
            i64::from(get_missed_events(b as u32)) * 10 + i64::from(get_missed_events(b as u32))
        }
    });
    cx.check(missed, 10)?;
    let bound = cx.as_current(B, format_args!("bind_event_channel"), |d| {
        // SAFETY: see above.
        unsafe { bind_event_channel(b as u32, Some(count), counter(d, 1)).into() }
    });
    cx.check(bound, 0)?;
    let refused = cx.as_current(B, format_args!("bind_event_channel(0)"), |_| {
        // SAFETY: see above.
        unsafe { bind_event_channel(0, Some(count), ptr::null_mut()).into() }
    });
    cx.check(refused, -22)?;
    let status = cx.as_current(B, format_args!("evtchn_status"), |_| {
        let mut status = abi::evtchn_status {
            dom: 0x7ff0,
            port: b as u32,
            ..Default::default()
        };
        // SAFETY: see above.
        let rc = unsafe { evtchn_status(&mut status) };
        i64::from(rc) * 100 + i64::from(status.status)
    });
    cx.check(status, 2)?;
    let priority = cx.as_current(B, format_args!("evtchn_set_priority"), |_| {
        // SAFETY: see above.
        unsafe { evtchn_set_priority(b as u32, 0).into() }
    });
    cx.check(priority, if fifo { 0 } else { -38 })?;
    for (role, port) in [(B, b), (A, a)] {
        for want in [0, -22] {
            let closed = cx.as_current(role, format_args!("evtchn_close({port})"), |_| {
                // SAFETY: see above.
                unsafe { evtchn_close(port as u32).into() }
            });
            cx.check(closed, want)?;
        }
    }
    Ok(())
}

fn grants(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let gref = cx.as_current(A, format_args!("gnttab_grant_access"), |d| {
        page = d.memory.alloc_page();
        let Some(page) = page else { return -1 };
        let gfn = gfn_of(d, page.as_ptr().cast());
        // SAFETY: see above.
        i64::from(unsafe { gnttab_grant_access(B.raw(), gfn as c_ulong, false) } as i32)
    });
    cx.check(gref, 8)?;
    let mut mapped = Mapped::default();
    let rc = cx.as_current(B, format_args!("gnttab_map_refs"), |d| {
        let mut op = map_op(d, A.raw(), gref, 0, false);
        // SAFETY: see above.
        let rc = unsafe { gnttab_map_refs(&mut op, 1) };
        mapped = Mapped {
            va: op.host_addr as usize,
            handle: op.handle,
        };
        rc.into()
    });
    cx.check(rc, 0)?;
    cx.poke(A, &page, 1, 0xabcd);
    let value = cx.peek_mapped(B, &mapped, 1);
    cx.check(value, 0xabcd)?;
    let busy = cx.as_current(A, format_args!("gnttab_end_access"), |_| {
        // SAFETY: see above.
        unsafe { gnttab_end_access(gref as u32).into() }
    });
    cx.check(busy, -16)?;
    let rc = cx.as_current(B, format_args!("gnttab_unmap_refs"), |_| {
        let mut op = abi::gnttab_unmap_grant_ref {
            host_addr: mapped.va as u64,
            handle: mapped.handle,
            ..Default::default()
        };
        // SAFETY: see above.
        unsafe { gnttab_unmap_refs(&mut op, 1).into() }
    });
    cx.check(rc, 0)?;
    for want in [0, -22] {
        let ended = cx.as_current(A, format_args!("gnttab_end_access"), |_| {
            // SAFETY: see above.
            unsafe { gnttab_end_access(gref as u32).into() }
        });
        cx.check(ended, want)?;
    }
    cx.free(A, &mut page);
    // Where one can be mapped.
    let pages = cx.as_current(A, format_args!("gnttab_get_pages, _put_pages"), |_| {
        // SAFETY: see above; nothing uses the pages.
        unsafe {
            let pages = gnttab_get_pages(3);
            let refused = gnttab_put_pages(pages, 2);
            let put = gnttab_put_pages(pages, 3);
            let none = gnttab_get_pages(0);
            let got = !pages.is_null() && none.is_null();
            i64::from(got) + 10 * i64::from(put) - 100 * i64::from(refused)
        }
    });
    cx.check(pages, 2201)?;
    // Words for every number.
    let texts = cx.as_current(A, format_args!("gnttabop_error"), |_| {
        (i16::MIN..=i16::MAX)
            .filter(|&status| {
                // SAFETY: any number is accepted.
                let text = unsafe { gnttabop_error(status) };
                // SAFETY: a C string that lives for ever.
                !text.is_null() && unsafe { *text } != 0
            })
            .count() as i64
    });
    cx.check(texts, 65536)
}
