// SPDX-License-Identifier: MIT OR Apache-2.0
//! One page between the control domain and a plain one, outside of what is
//! tested: it takes neither grants nor event channels, so that scenarios find
//! fresh tables.
//!
//! The page is RAM of the plain domain, which the control domain maps as a
//! foreign frame. Every word has one writer, and is written last-first: the
//! values, then the number that says they are there.

use core::ptr::NonNull;
use core::sync::atomic::{Ordering, fence};

use firmware::image::linked_address;
use firmware::platform::Firmware;
use firmware::windows;
use xen_guest::ffi::{self, abi};
use xen_guest::{Gfn, Guest, PAGE_SIZE, Page, Platform, Protection};

/// The result of a step, and the number of the step it belongs to.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Slot {
    number: u32,
    value: [i64; 2],
}

/// What is in the page.
#[repr(C)]
struct Contents {
    /// Written by the plain domain: its own step's result.
    up: Slot,
    /// Written by the control domain: every step's result.
    down: Slot,
    /// Written by the plain domain: the number of the last result it took.
    taken: u32,
}

/// The page of this image that serves as mailbox in a plain domain.
static MAILBOX: MailboxPage = MailboxPage(Page::new());

struct MailboxPage(Page);

// SAFETY: only pointers are made from it.
unsafe impl Sync for MailboxPage {}

/// One end of a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Mailbox(NonNull<Contents>);

impl Mailbox {
    /// The plain domain's end: its own page.
    pub fn own() -> Self {
        Self(NonNull::from(&MAILBOX.0).cast())
    }

    /// The control domain's end of the mailbox of domain `dom`, which runs
    /// this same image at the address it is linked for.
    pub fn of(guest: &Guest<'_>, dom: u16) -> Self {
        let foreign = linked_address((&raw const MAILBOX).addr());
        let window = windows().take(1).expect("an empty frame");
        let va = core::ptr::with_exposed_provenance_mut::<u8>(window.start);
        let idx = (foreign / PAGE_SIZE) as u64;
        let gfn = Gfn::containing(window.start as u64);
        let mut err = 0;
        // SAFETY: the guest is set up, the frame is empty, and so is the
        // place at which it gets visible.
        unsafe {
            let rc = ffi::xg_memory_add_to_physmap_batch(
                guest.as_raw(),
                abi::DOMID_SELF as u16,
                dom,
                abi::XENMAPSPACE_gmfn_foreign,
                1,
                &idx,
                &gfn.raw(),
                &mut err,
            );
            assert_eq!(rc, 0, "domain {dom}'s mailbox can't be mapped");
            let mapped = Firmware.map(va, gfn, 1, Protection { write: true });
            mapped.expect("the mailbox's place can be mapped");
        }
        Self(NonNull::new(va).expect("not at 0").cast())
    }

    fn put(slot: *mut Slot, number: u32, value: [i64; 2]) {
        // SAFETY: inside the page, and this end is the only writer.
        unsafe { (&raw mut (*slot).value).write_volatile(value) };
        // Orders the value before the number that announces it.
        fence(Ordering::Release);
        // SAFETY: as above.
        unsafe { (&raw mut (*slot).number).write_volatile(number) };
    }

    fn get(slot: *const Slot, number: u32) -> Option<[i64; 2]> {
        // SAFETY: inside the page; read once.
        if unsafe { (&raw const (*slot).number).read_volatile() } != number {
            return None;
        }
        // Orders the number before the value that it announces.
        fence(Ordering::Acquire);
        // SAFETY: as above; not written again before `taken` says so.
        Some(unsafe { (&raw const (*slot).value).read_volatile() })
    }

    fn contents(self) -> *mut Contents {
        self.0.as_ptr()
    }

    /// Plain domain: the result of its own step.
    pub fn send_up(self, number: u32, value: [i64; 2]) {
        // SAFETY: a field of the page.
        Self::put(unsafe { &raw mut (*self.contents()).up }, number, value);
    }

    /// Control domain: the result of the plain domain's step, once there.
    pub fn receive_up(self, number: u32) -> Option<[i64; 2]> {
        // SAFETY: a field of the page.
        Self::get(unsafe { &raw const (*self.contents()).up }, number)
    }

    /// Control domain: the result of a step, for all.
    pub fn send_down(self, number: u32, value: [i64; 2]) {
        // SAFETY: a field of the page.
        Self::put(unsafe { &raw mut (*self.contents()).down }, number, value);
    }

    /// Plain domain: the result of a step, once there.
    pub fn receive_down(self, number: u32) -> Option<[i64; 2]> {
        // SAFETY: a field of the page.
        let value = Self::get(unsafe { &raw const (*self.contents()).down }, number)?;
        // Orders the reads above before the word that allows new writes.
        fence(Ordering::Release);
        // SAFETY: inside the page, and this end is the only writer.
        unsafe { (&raw mut (*self.contents()).taken).write_volatile(number) };
        Some(value)
    }

    /// Control domain: whether the plain domain took the result of a step.
    pub fn taken(self, number: u32) -> bool {
        // SAFETY: inside the page.
        let taken = unsafe { (&raw const (*self.contents()).taken).read_volatile() };
        // Orders the word above before what is written next.
        fence(Ordering::Acquire);
        taken == number
    }
}
