// SPDX-License-Identifier: MIT OR Apache-2.0
//! Xen's side of the pages that events are announced in, and hypercalls that
//! do next to nothing. One thread, so plain stores take the place of Xen's
//! atomic ones: they are not what is measured.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use xen_guest::ffi::abi;
use xen_guest::{Gfn, Hypercall, PAGE_SIZE, Platform, Protection};

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
}

/// What the guest under test runs on.
#[derive(Debug)]
pub struct FakeXen {
    pub page: Box<SharedPage>,
    next_port: AtomicU32,
}

impl FakeXen {
    pub fn new() -> Self {
        Self {
            page: SharedPage::new(),
            next_port: AtomicU32::new(1),
        }
    }

    /// Port `port` is the next to be opened.
    pub fn next_port(&self, port: u32) {
        self.next_port.store(port, Relaxed);
    }

    fn event_op(&self, op: u32, arg: usize) -> isize {
        match op {
            abi::EVTCHNOP_alloc_unbound => {
                // SAFETY: the core passes the operation's structure.
                let op = unsafe { &mut *(arg as *mut abi::evtchn_alloc_unbound) };
                op.port = self.next_port.fetch_add(1, Relaxed);
                0
            }
            abi::EVTCHNOP_send
            | abi::EVTCHNOP_unmask
            | abi::EVTCHNOP_close
            | abi::EVTCHNOP_reset
            | abi::EVTCHNOP_init_control
            | abi::EVTCHNOP_expand_array => 0,
            _ => -38,
        }
    }
}

// SAFETY: the one page that is mapped is always there; hypercalls are answered
// for it.
unsafe impl Platform for FakeXen {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|xen, op, args| match op {
        abi::__HYPERVISOR_memory_op => 0,
        abi::__HYPERVISOR_event_channel_op => xen.event_op(args[0] as u32, args[1]),
        _ => -38,
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        Some(Gfn::new(va as u64 / PAGE_SIZE as u64))
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
        Some(0)
    }
}
