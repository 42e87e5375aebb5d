// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory given back to Xen and taken again; parameters; what is refused.
//!
//! Frames and amounts of memory differ between machines: they are told, and
//! the lines say how they compare.

use core::cell::Cell;

use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{self, A, B, Control};
use crate::ops::{Kept, gfn_of};

const EPERM: i64 = -1;
const ENOENT: i64 = -2;
const ESRCH: i64 = -3;
const E2BIG: i64 = -7;
const EINVAL: i64 = -22;

pub(crate) const SELF: u16 = 0x7ff0;
/// No such domain.
pub(crate) const NOBODY: u16 = 77;

/// A change of a reservation.
#[derive(Clone, Copy, Debug)]
enum Change {
    Populate,
    Decrease,
    Increase,
}

use Change::{Decrease, Increase, Populate};

/// How many extents were done; after an error, that times 1000 less these.
fn change(d: &Domain<'_>, change: Change, dom: u16, order: u32, gfns: &[u64]) -> i64 {
    let (guest, count, list) = (d.raw(), gfns.len() as u32, gfns.as_ptr());
    let mut done = u32::MAX;
    // SAFETY: the guest is set up; the pages are the scenario's own, and
    // nobody uses them.
    let rc = unsafe {
        match change {
            Populate => {
                ffi::xg_memory_populate_physmap(guest, dom, order, count, 0, list, &mut done)
            }
            Decrease => {
                ffi::xg_memory_decrease_reservation(guest, dom, order, count, 0, list, &mut done)
            }
            Increase => ffi::xg_memory_increase_reservation(guest, dom, order, count, 0, &mut done),
        }
    };
    outcome(rc, done)
}

fn outcome(rc: i32, done: u32) -> i64 {
    match rc {
        0 => done.into(),
        error => i64::from(error) * 1000 - i64::from(done),
    }
}

fn change_range(d: &Domain<'_>, change: Change, gfn: u64, count: u32) -> i64 {
    let mut done = u32::MAX;
    // SAFETY: as for `change`.
    let rc = unsafe {
        match change {
            Populate => ffi::xg_memory_populate_range(d.raw(), SELF, gfn, count, &mut done),
            _ => ffi::xg_memory_decrease_range(d.raw(), SELF, gfn, count, &mut done),
        }
    };
    outcome(rc, done)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Current,
    Maximum,
    HighestFrame,
}

use Number::{Current, HighestFrame, Maximum};

fn number(d: &Domain<'_>, dom: u16, number: Number) -> i64 {
    let mut value = 0;
    // SAFETY: the guest is set up.
    let rc = unsafe {
        match number {
            Current => ffi::xg_memory_current_reservation(d.raw(), dom, &mut value),
            Maximum => ffi::xg_memory_maximum_reservation(d.raw(), dom, &mut value),
            HighestFrame => ffi::xg_memory_maximum_gpfn(d.raw(), dom, &mut value),
        }
    };
    if rc == 0 { value as i64 } else { rc.into() }
}

pub(crate) fn window_gfn(d: &Domain<'_>, page: usize) -> u64 {
    gfn_of(d, d.memory.empty_page(page).as_ptr())
}

/// Pages of a domain's RAM, one behind the other.
pub(crate) struct Pages<const N: usize> {
    pub kept: [Kept; N],
    /// The first frame.
    pub gfn: u64,
}

impl<const N: usize> Pages<N> {
    pub(crate) fn alloc(cx: &mut Cx<'_, '_>, role: Role) -> Result<Self, crate::Failure> {
        let mut kept = [None; N];
        let gfn = cx.tell(role, |d| {
            kept = [(); N].map(|()| d.memory.alloc_page());
            kept[0].map_or(-1, |page| gfn_of(d, page.as_ptr().cast()) as i64)
        });
        let row = cx.step(role, format_args!("take {N} pages in a row"), |d| {
            let in_place = |(i, page): (usize, &Kept)| {
                page.is_some_and(|page| gfn_of(d, page.as_ptr().cast()) == gfn as u64 + i as u64)
            };
            kept.iter()
                .enumerate()
                .filter(|page| in_place(*page))
                .count() as i64
        });
        cx.check(row, N as i64)?;
        Ok(Self {
            kept,
            gfn: gfn as u64,
        })
    }

    pub(crate) fn free(mut self, cx: &mut Cx<'_, '_>, role: Role) {
        for page in &mut self.kept {
            cx.free(role, page);
        }
    }
}

impl Cx<'_, '_> {
    fn change(&mut self, role: Role, what: Change, dom: u16, order: u32, gfns: &[u64]) -> i64 {
        let count = gfns.len();
        self.step(
            role,
            format_args!("{what:?}({dom:#x}, {count} of order {order})"),
            |d| change(d, what, dom, order, gfns),
        )
    }

    /// How many pages below its limit a domain is.
    fn missing(&mut self, role: Role, dom: u16) -> i64 {
        self.step(role, format_args!("missing({dom:#x})"), |d| {
            number(d, dom, Maximum) - number(d, dom, Current)
        })
    }
}

pub(crate) fn reservation_numbers(cx: &mut Cx<'_, '_>) -> Verdict {
    for role in Role::ALL {
        let sound = cx.step(role, format_args!("has not more than it may"), |d| {
            let (has, may) = (number(d, SELF, Current), number(d, SELF, Maximum));
            i64::from(0 < has && has <= may)
        });
        cx.check(sound, 1)?;
        let sound = cx.step(role, format_args!("no RAM above the highest frame"), |d| {
            let page = d.memory.alloc_page();
            let Some(page) = page else { return -1 };
            let gfn = gfn_of(d, page.as_ptr().cast()) as i64;
            // SAFETY: allocated just now.
            unsafe { d.memory.free_page(page) };
            i64::from(gfn <= number(d, SELF, HighestFrame))
        });
        cx.check(sound, 1)?;
    }
    // A plain domain is given all it may have.
    for role in [A, B] {
        let missing = cx.missing(role, SELF);
        cx.check(missing, 0)?;
    }
    for what in [Current, Maximum, HighestFrame] {
        let own = cx.tell(A, |d| number(d, SELF, what));
        // By its own number too, and for the control domain.
        for role in [A, Control] {
            let same = cx.step(role, format_args!("A's {what:?} is A's"), |d| {
                i64::from(number(d, A.raw(), what) == own)
            });
            cx.check(same, 1)?;
        }
        let call = format_args!("A's {what:?}");
        let rc = cx.step(B, call, |d| number(d, A.raw(), what));
        cx.check(rc, EPERM)?;
        for role in [A, Control] {
            let call = format_args!("nobody's {what:?}");
            let rc = cx.step(role, call, |d| number(d, NOBODY, what));
            cx.check(rc, ESRCH)?;
        }
    }
    Ok(())
}

/// A domain that has all it may have gives pages back and takes them again.
pub(crate) fn give_back_and_take(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<2>::alloc(cx, A)?;
    let gfn = pages.gfn;
    let own = [gfn, gfn + 1];
    let hole = cx.tell(A, |d| window_gfn(d, 0) as i64) as u64;

    let rc = cx.change(A, Populate, SELF, 0, &[hole]);
    cx.check(rc, E2BIG * 1000)?;
    let rc = cx.change(A, Decrease, SELF, 0, &own);
    cx.check(rc, 2)?;
    for (role, dom) in [(A, SELF), (Control, A.raw())] {
        let missing = cx.missing(role, dom);
        cx.check(missing, 2)?;
    }
    // They are gone.
    let rc = cx.change(A, Decrease, SELF, 0, &own);
    cx.check(rc, EINVAL * 1000)?;
    // Two is all there is room for.
    let rc = cx.change(A, Populate, SELF, 0, &[own[0], own[1], hole]);
    cx.check(rc, E2BIG * 1000 - 2)?;
    let missing = cx.missing(A, SELF);
    cx.check(missing, 0)?;
    for (i, page) in pages.kept.iter().enumerate() {
        cx.poke(A, page, 1023, 0xb0 + i as u32);
    }
    for (i, page) in pages.kept.iter().enumerate() {
        let value = cx.peek(A, page, 1023);
        cx.check(value, 0xb0 + i as i64)?;
    }
    // Up to the first that is not RAM.
    let rc = cx.change(A, Decrease, SELF, 0, &[own[1], hole, own[0]]);
    cx.check(rc, EINVAL * 1000 - 1)?;
    let value = cx.peek(A, &pages.kept[0], 1023);
    cx.check(value, 0xb0)?;
    // An extent larger than what is missing, and larger than anything.
    for (order, error) in [(1, E2BIG), (9, E2BIG), (19, EINVAL), (u32::MAX, EINVAL)] {
        let rc = cx.change(A, Populate, SELF, order, &[gfn & !1]);
        cx.check(rc, error * 1000)?;
    }
    let rc = cx.change(A, Populate, SELF, 0, &own[1..]);
    cx.check(rc, 1)?;
    let rc = cx.change(A, Populate, SELF, 0, &[]);
    cx.check(rc, 0)?;
    let rc = cx.change(A, Increase, SELF, 0, &[0]);
    cx.check(rc, E2BIG * 1000)?;

    // The memory of two pages somewhere else, and back.
    let rc = cx.change(A, Decrease, SELF, 0, &own);
    cx.check(rc, 2)?;
    let steps = [
        (Populate, hole, 3, E2BIG * 1000 - 2),
        (Decrease, hole, 3, EINVAL * 1000 - 2),
        (Populate, gfn, 2, 2),
    ];
    for (what, first, count, want) in steps {
        let call = format_args!("{what:?} {count} in a row");
        let rc = cx.step(A, call, |d| change_range(d, what, first, count));
        cx.check(rc, want)?;
    }
    let missing = cx.missing(A, SELF);
    cx.check(missing, 0)?;
    pages.free(cx, A);
    Ok(())
}

/// An extent of two pages.
pub(crate) fn give_back_extents(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<3>::alloc(cx, A)?;
    // Extents lie where multiples of their size are.
    let even = pages.gfn.next_multiple_of(2);
    let rc = cx.change(A, Decrease, SELF, 1, &[even]);
    cx.check(rc, 1)?;
    let missing = cx.missing(A, SELF);
    cx.check(missing, 2)?;
    let rc = cx.change(A, Populate, SELF, 1, &[even, even]);
    cx.check(rc, E2BIG * 1000 - 1)?;
    for page in &pages.kept {
        cx.poke(A, page, 5, 55);
        let value = cx.peek(A, page, 5);
        cx.check(value, 55)?;
    }
    // The second page of it is missing: the first goes nevertheless.
    let rc = cx.change(A, Decrease, SELF, 0, &[even + 1]);
    cx.check(rc, 1)?;
    let rc = cx.change(A, Decrease, SELF, 1, &[even]);
    cx.check(rc, EINVAL * 1000)?;
    let missing = cx.missing(A, SELF);
    cx.check(missing, 2)?;
    let rc = cx.change(A, Populate, SELF, 0, &[even, even + 1]);
    cx.check(rc, 2)?;
    pages.free(cx, A);
    Ok(())
}

/// The control domain's pages are where they are on the machine, and are kept
/// for it; on x86 they are like others'.
pub(crate) fn direct_mapped_pages(cx: &mut Cx<'_, '_>) -> Verdict {
    let x86 = cx.x86("no domain is mapped one to one");
    let pages = Pages::<2>::alloc(cx, Control)?;
    let own = [pages.gfn, pages.gfn + 1];
    let before = cx.tell(Control, |d| number(d, SELF, Current));
    let rc = cx.change(Control, Decrease, SELF, 0, &own);
    cx.check(rc, 2)?;
    let lost = cx.step(Control, format_args!("has fewer"), |d| {
        before - number(d, SELF, Current)
    });
    cx.check(lost, if x86 { 2 } else { 0 })?;
    let hole = cx.tell(Control, |d| window_gfn(d, 0) as i64) as u64;
    let call = format_args!("Populate elsewhere");
    let refused = cx.step(Control, call, |d| {
        i64::from(change(d, Populate, SELF, 0, &[hole]) < 0)
    });
    cx.check(refused, i64::from(!x86))?;
    if x86 {
        let rc = cx.change(Control, Decrease, SELF, 0, &[hole]);
        cx.check(rc, 1)?;
    }
    let rc = cx.change(Control, Populate, SELF, 0, &own);
    cx.check(rc, 2)?;
    for page in &pages.kept {
        cx.poke(Control, page, 9, 99);
        let value = cx.peek(Control, page, 9);
        cx.check(value, 99)?;
    }
    pages.free(cx, Control);
    Ok(())
}

/// The control domain changes another's reservation; nobody else may.
pub(crate) fn memory_of_others(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<1>::alloc(cx, A)?;
    let own = [pages.gfn];
    for what in [Populate, Decrease, Increase] {
        for (role, dom, error) in [
            (B, A.raw(), EPERM),
            (B, Control.raw(), EPERM),
            (B, NOBODY, ESRCH),
            (Control, NOBODY, ESRCH),
        ] {
            let rc = cx.change(role, what, dom, 0, &own);
            cx.check(rc, error * 1000)?;
        }
    }
    let rc = cx.change(Control, Decrease, A.raw(), 0, &own);
    cx.check(rc, 1)?;
    let missing = cx.missing(A, SELF);
    cx.check(missing, 1)?;
    let rc = cx.change(Control, Populate, A.raw(), 0, &own);
    cx.check(rc, 1)?;
    let rc = cx.change(Control, Populate, A.raw(), 0, &own);
    cx.check(rc, E2BIG * 1000)?;
    cx.poke(A, &pages.kept[0], 0, 1);
    let value = cx.peek(A, &pages.kept[0], 0);
    cx.check(value, 1)?;
    pages.free(cx, A);
    Ok(())
}

/// The guest says how events come, and is told less than it can set.
fn parameters_on_x86(cx: &mut Cx<'_, '_>) -> Verdict {
    for role in Role::ALL {
        let sound = cx.step(role, format_args!("callback vector"), |d| {
            let irq = hvm_get(d, SELF, abi::HVM_PARAM_CALLBACK_IRQ);
            i64::from(irq.is_ok_and(|irq| irq >> 56 == 2 && (32..256).contains(&(irq & 0xff))))
        });
        cx.check(sound, 1)?;
    }
    let irq = abi::HVM_PARAM_CALLBACK_IRQ;
    let port = abi::HVM_PARAM_CONSOLE_EVTCHN;
    let rings = abi::HVM_PARAM_MONITOR_RING_PFN;
    let ioreq = abi::HVM_PARAM_IOREQ_PFN;
    let none = abi::HVM_NR_PARAMS;
    let reads = [
        (A, A.raw(), irq, 0),
        (A, SELF, port, 0),
        (A, SELF, abi::HVM_PARAM_STORE_PFN, 0),
        (Control, A.raw(), irq, 0),
        (A, SELF, ioreq, EPERM),
        (Control, A.raw(), ioreq, 0),
        (A, SELF, none, EINVAL),
        (A, SELF, u32::MAX, EINVAL),
        (A, SELF, rings, EPERM),
        (Control, A.raw(), rings, 0),
        (B, A.raw(), irq, EPERM),
        (B, A.raw(), none, EINVAL),
        (A, NOBODY, irq, ESRCH),
        (A, NOBODY, none, EINVAL),
    ];
    check_reads(cx, reads)?;
    let writes = [
        (A, SELF, ioreq, 1, EPERM),
        (A, SELF, rings, 1, EPERM),
        (A, SELF, none, 1, EINVAL),
        (B, A.raw(), irq, 1, EPERM),
        (B, A.raw(), port, 1, EPERM),
        (Control, NOBODY, port, 1, ESRCH),
        (Control, A.raw(), none, 1, EINVAL),
        (A, SELF, port, 1, 0),
        (Control, A.raw(), port, 0, 0),
    ];
    for (role, dom, index, value, want) in writes {
        let call = format_args!("set_param({dom:#x}, {index}) to {value}");
        let rc = cx.step(role, call, |d| hvm_set(d, dom, index, value));
        cx.check(rc, want)?;
    }
    Ok(())
}

fn hvm_get(d: &Domain<'_>, dom: u16, index: u32) -> Result<u64, i64> {
    let mut value = 0x5555;
    // SAFETY: the guest is set up.
    match unsafe { ffi::xg_hvm_get_param(d.raw(), dom, index, &mut value) } {
        0 => Ok(value),
        error => Err(error.into()),
    }
}

/// Who reads which parameter of which domain, and what that answers.
fn check_reads<const N: usize>(cx: &mut Cx<'_, '_>, reads: [(Role, u16, u32, i64); N]) -> Verdict {
    let results = reads.map(|(role, dom, index, want)| {
        let rc = cx.step(role, format_args!("get_param({dom:#x}, {index})"), |d| {
            hvm_get(d, dom, index).err().unwrap_or(0)
        });
        (rc, want)
    });
    for (rc, want) in results {
        cx.check(rc, want)?;
    }
    Ok(())
}

fn hvm_set(d: &Domain<'_>, dom: u16, index: u32, value: u64) -> i64 {
    // SAFETY: the guest is set up; nobody looks at the parameter.
    unsafe { ffi::xg_hvm_set_param(d.raw(), dom, index, value).into() }
}

pub(crate) fn domain_parameters(cx: &mut Cx<'_, '_>) -> Verdict {
    if cx.x86("other parameters") {
        return parameters_on_x86(cx);
    }
    // How events come: by a private interrupt (kind 2), active low. A domain
    // that Xen makes without a toolstack is not told.
    for (role, want) in [(Control, 1), (A, 0), (B, 0)] {
        let sound = cx.step(role, format_args!("callback interrupt"), |d| {
            hvm_get(d, SELF, abi::HVM_PARAM_CALLBACK_IRQ).map_or_else(
                |error| error,
                |irq| match irq {
                    0 => 0,
                    _ if irq >> 8 == 2 << 48 | 2 && (16..32).contains(&(irq & 0xff)) => 1,
                    _ => 2,
                },
            )
        });
        cx.check(sound, want)?;
    }
    let irq = abi::HVM_PARAM_CALLBACK_IRQ;
    let port = abi::HVM_PARAM_CONSOLE_EVTCHN;
    let rings = abi::HVM_PARAM_MONITOR_RING_PFN;
    let none = abi::HVM_NR_PARAMS;
    let reads = [
        (A, A.raw(), irq, 0),
        (A, SELF, port, 0),
        (A, SELF, abi::HVM_PARAM_STORE_PFN, 0),
        (Control, A.raw(), irq, 0),
        // Those of x86, and none at all.
        (A, SELF, abi::HVM_PARAM_IOREQ_PFN, EINVAL),
        (A, SELF, none, EINVAL),
        (A, SELF, u32::MAX, EINVAL),
        // Not for the domain itself.
        (A, SELF, rings, EPERM),
        (Control, SELF, rings, EPERM),
        (Control, A.raw(), rings, 0),
        (B, A.raw(), irq, EPERM),
        (B, A.raw(), none, EPERM),
        (A, NOBODY, irq, ESRCH),
        (A, NOBODY, none, ESRCH),
    ];
    check_reads(cx, reads)?;
    let writes = [
        (A, SELF, irq, EPERM),
        (A, SELF, port, EPERM),
        (A, SELF, rings, EPERM),
        (A, SELF, none, EINVAL),
        (Control, SELF, port, EPERM),
        (B, A.raw(), port, EPERM),
        (Control, NOBODY, port, ESRCH),
        (Control, A.raw(), none, EINVAL),
    ];
    let results = writes.map(|(role, dom, index, want)| {
        let call = format_args!("set_param({dom:#x}, {index})");
        let rc = cx.step(role, call, |d| hvm_set(d, dom, index, 1));
        (rc, want)
    });
    for (rc, want) in results {
        cx.check(rc, want)?;
    }
    // The control domain's part.
    let before = Cell::new(0);
    let rc = cx.step(Control, format_args!("set A's"), |d| {
        before.set(hvm_get(d, A.raw(), port).unwrap_or(0));
        hvm_set(d, A.raw(), port, 0x1_2345_6789)
    });
    cx.check(rc, 0)?;
    let value = cx.step(A, format_args!("get_param"), |d| {
        hvm_get(d, SELF, port).map_or_else(|error| error, |value| value as i64)
    });
    cx.check(value, 0x1_2345_6789)?;
    let rc = cx.step(Control, format_args!("set it back"), |d| {
        hvm_set(d, A.raw(), port, before.get())
    });
    cx.check(rc, 0)
}

/// A range of frames is removed up to the first that is empty.
pub(crate) fn removed_ranges(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<3>::alloc(cx, A)?;
    let gfn = pages.gfn;
    let call = format_args!("map 3, without the CPU's part");
    let rc = cx.step(Control, call, |d| {
        let mut left = 9;
        // SAFETY: the guest is set up; the frames are empty.
        let rc = unsafe {
            let at = window_gfn(d, 0);
            ffi::xg_foreign_add_range(d.raw(), A.raw(), gfn, 3, at, &mut left)
        };
        i64::from(rc) * 1000 - i64::from(left)
    });
    cx.check(rc, 0)?;
    let removals = [
        (1, 1, 1),
        (1, 1, ENOENT * 1000),
        (0, 3, ENOENT * 1000 - 1),
        (2, 2, ENOENT * 1000 - 1),
        (0, 3, ENOENT * 1000),
        (0, 0, 0),
    ];
    for (first, count, want) in removals {
        let call = format_args!("remove {count} from window page {first}");
        let rc = cx.step(Control, call, |d| {
            remove(d, SELF, window_gfn(d, first), count)
        });
        cx.check(rc, want)?;
    }
    let refusals = [
        (B, A.raw(), gfn, EPERM),
        (B, NOBODY, gfn, ESRCH),
        (A, SELF, u64::MAX, EINVAL),
    ];
    for (role, dom, gfn, want) in refusals {
        let call = format_args!("remove 2 of {dom:#x}");
        let rc = cx.step(role, call, |d| remove(d, dom, gfn, 2));
        cx.check(rc, want * 1000)?;
    }
    pages.free(cx, A);
    Ok(())
}

pub(crate) fn remove(d: &Domain<'_>, dom: u16, gfn: u64, count: u32) -> i64 {
    let mut done = u32::MAX;
    // SAFETY: the guest is set up; nobody uses the frames, or Xen refuses.
    let rc = unsafe { ffi::xg_memory_remove_range(d.raw(), dom, gfn, count, &mut done) };
    outcome(rc, done)
}
