// SPDX-License-Identifier: MIT OR Apache-2.0
//! Xen's side of the pages that events are announced in, by hand: a machine
//! with nothing in it but the protocol, which one thread can drive as Xen and
//! another one as the guest's only vCPU. Hypercalls do what they have to for
//! that, and next to nothing else.
//!
//! Every step is the one that Xen makes, in Xen's order. An edge is a PENDING
//! bit that Xen found clear.

mod fifo;

use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use fifo::Fifo;
use xen_guest::ffi::abi;
use xen_guest::{Gfn, GuestConfig, Hypercall, PAGE_SIZE, Platform, Protection, Window};

const ENOSYS: isize = -38;

#[repr(C, align(4096))]
#[derive(Debug)]
pub struct SharedPage([AtomicU64; PAGE_SIZE / 8]);

impl SharedPage {
    pub fn new() -> Box<Self> {
        Box::new(Self([const { AtomicU64::new(0) }; PAGE_SIZE / 8]))
    }

    pub fn base(&self) -> *mut u8 {
        (&raw const *self).cast_mut().cast()
    }

    pub fn word(&self, offset: usize) -> &AtomicU64 {
        &self.0[offset / 8]
    }

    pub fn pending(&self, word: usize) -> &AtomicU64 {
        self.word(offset_of!(abi::shared_info, evtchn_pending) + word * 8)
    }

    pub fn mask(&self, word: usize) -> &AtomicU64 {
        self.word(offset_of!(abi::shared_info, evtchn_mask) + word * 8)
    }

    pub fn selector(&self) -> &AtomicU64 {
        self.word(offset_of!(abi::vcpu_info, evtchn_pending_sel))
    }

    pub fn upcall_pending(&self) -> &AtomicU8 {
        // SAFETY: inside the page, and touched by atomics only.
        unsafe { AtomicU8::from_ptr(self.base()) }
    }

    /// Xen's last step: the flag that the interrupt follows.
    fn interrupt(&self) {
        self.upcall_pending().swap(1, SeqCst);
    }
}

/// What the guest under test runs on.
#[derive(Debug)]
pub struct FakeXen {
    pub page: Box<SharedPage>,
    next_port: AtomicU32,
    fifo: Fifo,
    /// The thread that is the vCPU, by something that is different in each.
    vcpu: AtomicUsize,
}

fn this_thread() -> usize {
    std::thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| ptr::from_ref(here).addr())
}

impl Default for FakeXen {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeXen {
    /// The calling thread is the vCPU.
    pub fn new() -> Self {
        Self {
            page: SharedPage::new(),
            next_port: AtomicU32::new(1),
            fifo: Fifo::default(),
            vcpu: AtomicUsize::new(this_thread()),
        }
    }

    /// The calling thread is the vCPU from now on.
    pub fn run_here(&self) {
        self.vcpu.store(this_thread(), SeqCst);
    }

    /// The guest's configuration, of shared-info alone.
    pub fn config<'s>(&self) -> GuestConfig<'s> {
        let va = self.page.base();
        GuestConfig::new(Window {
            va,
            gfn: gfn_of(va),
            pages: 1,
        })
    }

    /// Port `port` is the next to be opened.
    pub fn next_port(&self, port: u32) {
        self.next_port.store(port, Relaxed);
    }

    /// The interrupt's condition.
    pub fn line(&self) -> bool {
        self.page.upcall_pending().load(SeqCst) != 0
    }

    /// An event. Whether it was an edge.
    pub fn raise(&self, port: u32) -> bool {
        if self.fifo.in_use() {
            return self.fifo.raise(port, || self.page.interrupt());
        }
        let (word, bit) = place(port);
        if self.page.pending(word).fetch_or(bit, SeqCst) & bit != 0 {
            return false;
        }
        if self.page.mask(word).load(SeqCst) & bit == 0 {
            self.select(word);
        }
        true
    }

    pub fn is_pending(&self, port: u32) -> bool {
        if self.fifo.in_use() {
            return self.fifo.is_pending(port);
        }
        let (word, bit) = place(port);
        self.page.pending(word).load(SeqCst) & bit != 0
    }

    /// Events that Xen gave up on, because the guest broke the rules of a
    /// word.
    pub fn given_up(&self) -> u64 {
        self.fifo.given_up()
    }

    fn select(&self, word: usize) {
        let bit = 1 << word;
        if self.page.selector().fetch_or(bit, SeqCst) & bit == 0 {
            self.page.interrupt();
        }
    }

    fn unmask(&self, port: u32) {
        if self.fifo.in_use() {
            return self.fifo.unmask(port, || self.page.interrupt());
        }
        let (word, bit) = place(port);
        if self.page.mask(word).fetch_and(!bit, SeqCst) & bit != 0
            && self.page.pending(word).load(SeqCst) & bit != 0
        {
            self.select(word);
        }
    }

    fn close(&self, port: u32) {
        if self.fifo.in_use() {
            return self.fifo.clear_pending(port);
        }
        let (word, bit) = place(port);
        self.page.pending(word).fetch_and(!bit, SeqCst);
    }

    fn event_op(&self, op: u32, arg: usize) -> isize {
        /// The operation's structure.
        ///
        /// # Safety
        ///
        /// It is the one at `arg`, and nobody else's.
        unsafe fn of<'t, T>(arg: usize) -> &'t mut T {
            // SAFETY: the caller's promise.
            unsafe { &mut *ptr::with_exposed_provenance_mut(arg) }
        }
        // SAFETY: the core passes the structure of each operation.
        unsafe {
            match op {
                abi::EVTCHNOP_alloc_unbound => {
                    of::<abi::evtchn_alloc_unbound>(arg).port =
                        self.next_port.fetch_add(1, Relaxed);
                }
                abi::EVTCHNOP_unmask => self.unmask(of::<abi::evtchn_unmask>(arg).port),
                abi::EVTCHNOP_close => self.close(of::<abi::evtchn_close>(arg).port),
                abi::EVTCHNOP_set_priority if self.fifo.in_use() => {
                    let op = of::<abi::evtchn_set_priority>(arg);
                    return self.fifo.set_priority(op.port, op.priority);
                }
                abi::EVTCHNOP_init_control => {
                    let op = of::<abi::evtchn_init_control>(arg);
                    return self.fifo.init_control(op.control_gfn, op.offset, op.vcpu);
                }
                abi::EVTCHNOP_expand_array => {
                    let op = of::<abi::evtchn_expand_array>(arg);
                    return self.fifo.expand_array(op.array_gfn);
                }
                abi::EVTCHNOP_reset => self.fifo.leave(),
                abi::EVTCHNOP_send => {}
                _ => return ENOSYS,
            }
        }
        0
    }
}

fn place(port: u32) -> (usize, u64) {
    (port as usize / 64, 1 << (port % 64))
}

/// Frames are numbered by their addresses.
fn gfn_of(va: *const u8) -> Gfn {
    Gfn::new((va.expose_provenance() / PAGE_SIZE) as u64)
}

// SAFETY: the one page that is mapped is always there; hypercalls are answered
// for it.
unsafe impl Platform for FakeXen {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|xen, op, args| match op {
        abi::__HYPERVISOR_memory_op => 0,
        abi::__HYPERVISOR_event_channel_op => xen.event_op(args[0] as u32, args[1]),
        _ => ENOSYS,
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        Some(gfn_of(va))
    }

    unsafe fn map(&self, _: *mut u8, _: Gfn, _: u32, _: Protection) -> xen_guest::Result {
        Ok(())
    }

    unsafe fn unmap(&self, _: *mut u8, _: u32) -> xen_guest::Result {
        Ok(())
    }

    fn lock(&self) -> usize {
        0
    }

    unsafe fn unlock(&self, _: usize) {}

    fn cpu_id(&self) -> Option<u32> {
        (self.vcpu.load(Relaxed) == this_thread()).then_some(0)
    }
}
