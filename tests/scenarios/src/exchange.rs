// SPDX-License-Identifier: MIT OR Apache-2.0
//! The main job: a page and events between two domains, both ways.

use core::sync::atomic::{AtomicU32, Ordering};

use xen_guest::{Access, EmptyPages, EventChannel, Grant, GrantMapping, GrantRef, Port};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{A, B};
use crate::domain::{Domain, TestPage};
use crate::events::{close, connect};
use crate::ops::{Kept, Mapped};

/// With the C API: A counts up, B answers with the square.
pub(crate) fn exchange_by_hand(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut page: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(A, &mut page, B.raw(), false);
    let rc = cx.map(B, A.raw(), gref, 0, false, &mut mapped);
    cx.check(rc, 0)?;
    let (a, b) = connect(cx, Some(0))?;
    let bound = cx.bind(A, a, 0);
    cx.check(bound, 0)?;
    cx.events(B, 0, 1);
    for round in 1..=10 {
        cx.poke(A, &page, 0, round);
        cx.notify(A, a);
        let events = cx.events(B, 0, round + 1);
        cx.check(events, i64::from(round) + 1)?;
        let asked = cx.peek_mapped(B, &mapped, 0);
        cx.check(asked, round.into())?;
        cx.poke_mapped(B, &mapped, 1, round * round);
        cx.notify(B, b);
        let events = cx.events(A, 0, round);
        cx.check(events, round.into())?;
        let answer = cx.peek(A, &page, 1);
        cx.check(answer, (round * round).into())?;
    }
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut page);
    close(cx, &[(B, b), (A, a)])
}

/// Calls of the owned channels' handlers, by domain.
static CALLS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

fn code<T>(result: &xen_guest::Result<T>) -> i64 {
    match result {
        Ok(_) => 0,
        Err(error) => error.raw().into(),
    }
}

fn wait_for_calls(d: &Domain<'_>, want: u32) -> i64 {
    let calls = &CALLS[d.role as usize];
    for _ in 0..10_000 {
        if calls.load(Ordering::Acquire) >= want {
            break;
        }
        d.memory.pause();
    }
    d.memory.settle();
    calls.load(Ordering::Acquire).into()
}

/// With the owning types: everything ends by itself, and a busy grant comes
/// back whole.
pub(crate) fn exchange_with_owners<'w>(cx: &mut Cx<'_, 'w>) -> Verdict {
    let mut grant: Option<Grant<'w, TestPage<'w>>> = None;
    let mut mapping: Option<GrantMapping<'w>> = None;
    let mut channels: [Option<EventChannel<'w>>; 3] = [None, None, None];

    for role in [A, B] {
        cx.step(role, format_args!("no calls yet"), |d| {
            CALLS[d.role as usize].store(0, Ordering::Relaxed);
            0
        });
    }
    let gref = cx.step(A, format_args!("Grant::new"), |d| {
        let Some(page) = TestPage::new(d.memory) else {
            return -1;
        };
        match Grant::new(d.guest, B.domid(), page, Access::ReadWrite) {
            Ok(new) => {
                let gref = new.gref().raw();
                grant = Some(new);
                gref.into()
            }
            Err(refused) => refused.error.raw().into(),
        }
    });
    cx.check(gref, 8)?;
    let mapped = cx.step(B, format_args!("GrantMapping::new"), |d| {
        // SAFETY: the window page is empty, and this scenario's.
        let pages = unsafe { EmptyPages::from_raw(d.memory.empty_page(4), 1) };
        let gref = GrantRef::new(gref as u32);
        match GrantMapping::new(d.guest, A.domid(), gref, Access::ReadWrite, pages) {
            Ok(new) => {
                mapping = Some(new);
                0
            }
            Err(refused) => refused.error.raw().into(),
        }
    });
    cx.check(mapped, 0)?;
    let a = cx.step(A, format_args!("EventChannel::alloc_unbound"), |d| {
        match EventChannel::alloc_unbound(d.guest, B.domid()) {
            Ok(mut channel) => {
                let port = channel.port().raw();
                let bound = channel.bind(&|| {
                    CALLS[A as usize].fetch_add(1, Ordering::Release);
                });
                channels[A as usize] = Some(channel);
                if bound.is_ok() { port.into() } else { -1 }
            }
            Err(error) => error.raw().into(),
        }
    });
    cx.check(i64::from(a > 0), 1)?;
    let b = cx.step(B, format_args!("EventChannel::bind_interdomain"), |d| {
        let Some(port) = Port::new(a as u32) else {
            return -1;
        };
        match EventChannel::bind_interdomain(d.guest, A.domid(), port) {
            Ok(mut channel) => {
                let bound = channel.bind(&|| {
                    CALLS[B as usize].fetch_add(1, Ordering::Release);
                });
                channels[B as usize] = Some(channel);
                code(&bound)
            }
            Err(error) => error.raw().into(),
        }
    });
    cx.check(b, 0)?;
    let calls = cx.step(B, format_args!("first call"), |d| wait_for_calls(d, 1));
    cx.check(calls, 1)?;

    for round in 1..=5_u32 {
        let sent = cx.step(A, format_args!("ask {round}"), |_| {
            let (Some(grant), Some(channel)) = (&grant, &channels[A as usize]) else {
                return -1;
            };
            grant.memory().write_bytes(16, &round.to_le_bytes());
            code(&channel.notify())
        });
        cx.check(sent, 0)?;
        let sent = cx.step(B, format_args!("answer"), |d| {
            let (Some(mapping), Some(channel)) = (&mapping, &channels[B as usize]) else {
                return -1;
            };
            if wait_for_calls(d, round + 1) != i64::from(round) + 1 {
                return -2;
            }
            let asked: u32 = mapping.memory().read(16);
            mapping.memory().write::<u64>(24, u64::from(asked) * 7);
            code(&channel.notify())
        });
        cx.check(sent, 0)?;
        let answer = cx.step(A, format_args!("read the answer"), |d| {
            if wait_for_calls(d, round) != i64::from(round) {
                return -2;
            }
            grant
                .as_ref()
                .map_or(-1, |grant| grant.memory().read::<u64>(24) as i64)
        });
        cx.check(answer, i64::from(round) * 7)?;
    }

    let busy = cx.step(A, format_args!("Grant::end while mapped"), |_| {
        match grant.take().map(Grant::end) {
            Some(Err(busy)) => {
                let error = busy.error.raw();
                // The grant came back, its page with it.
                let still: u32 = busy.grant.memory().read(16);
                grant = Some(busy.grant);
                i64::from(error) * 100 - i64::from(still)
            }
            _ => 0,
        }
    });
    cx.check(busy, -16 * 100 - 5)?;
    let unmapped = cx.step(B, format_args!("GrantMapping::unmap"), |_| {
        match mapping.take().map(GrantMapping::unmap) {
            Some(Ok(pages)) => pages.pages().into(),
            _ => -1,
        }
    });
    cx.check(unmapped, 1)?;
    let ended = cx.step(A, format_args!("Grant::end"), |_| {
        match grant.take().map(Grant::end) {
            Some(Ok(_page)) => 0,
            _ => -1,
        }
    });
    cx.check(ended, 0)?;
    // Closed by dropping.
    for role in [B, A] {
        cx.step(role, format_args!("drop the channel"), |d| {
            channels[d.role as usize] = None;
            d.guest.abandoned().into()
        });
    }
    Ok(())
}
