// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw hypercalls for the simulator's tests: what a guest without any library
//! would do.

#![allow(dead_code)]

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::SeqCst};

use xen_guest::ffi::abi::*;
use xen_guest::sim::Domain;
use xen_guest::{Gfn, Platform, Protection, Window};

pub const EPERM: isize = -1;
pub const ENOENT: isize = -2;
pub const ESRCH: isize = -3;
pub const EFAULT: isize = -14;
pub const EACCES: isize = -13;
pub const ENOMEM: isize = -12;
pub const E2BIG: isize = -7;
pub const EILSEQ: isize = -84;
pub const EBUSY: isize = -16;
pub const EEXIST: isize = -17;
pub const EINVAL: isize = -22;
pub const ENOSPC: isize = -28;
pub const ENOSYS: isize = -38;
pub const EOPNOTSUPP: isize = -95;
pub const SELF: u16 = DOMID_SELF as u16;

/// A structure of zeros, as firmware starts with.
pub fn zero<T: Copy>() -> T {
    // SAFETY: only used for structures of integers and pointers.
    unsafe { std::mem::zeroed() }
}

/// A two-argument hypercall with a structure.
pub fn call<T>(d: &Domain, op: u32, cmd: u32, arg: &mut T) -> isize {
    let arg = std::ptr::from_mut(arg) as usize;
    // SAFETY: the argument is the structure that the operation takes, and
    // lists in it are of this test.
    unsafe { d.hypercall(op, [cmd as usize, arg, 0, 0, 0]) }
}

pub fn evtchn<T>(d: &Domain, cmd: u32, arg: &mut T) -> isize {
    call(d, __HYPERVISOR_event_channel_op, cmd, arg)
}

pub fn memory<T>(d: &Domain, cmd: u32, arg: &mut T) -> isize {
    call(d, __HYPERVISOR_memory_op, cmd, arg)
}

pub fn grants<T>(d: &Domain, cmd: u32, ops: &mut [T]) -> isize {
    let args = [cmd as usize, ops.as_mut_ptr() as usize, ops.len(), 0, 0];
    // SAFETY: the array has as many operations as is said.
    unsafe { d.hypercall(__HYPERVISOR_grant_table_op, args) }
}

pub fn alloc_unbound(d: &Domain, dom: u16, remote: u16) -> isize {
    let mut op = evtchn_alloc_unbound {
        dom,
        remote_dom: remote,
        port: 0,
    };
    match evtchn(d, EVTCHNOP_alloc_unbound, &mut op) {
        0 => op.port as isize,
        error => error,
    }
}

pub fn bind_interdomain(d: &Domain, remote: u16, port: u32) -> isize {
    let mut op = evtchn_bind_interdomain {
        remote_dom: remote,
        remote_port: port,
        local_port: 0,
    };
    match evtchn(d, EVTCHNOP_bind_interdomain, &mut op) {
        0 => op.local_port as isize,
        error => error,
    }
}

pub fn bind_virq(d: &Domain, virq: u32, vcpu: u32) -> isize {
    let mut op = evtchn_bind_virq {
        virq,
        vcpu,
        port: 0,
    };
    match evtchn(d, EVTCHNOP_bind_virq, &mut op) {
        0 => op.port as isize,
        error => error,
    }
}

pub fn bind_ipi(d: &Domain, vcpu: u32) -> isize {
    let mut op = evtchn_bind_ipi { vcpu, port: 0 };
    match evtchn(d, EVTCHNOP_bind_ipi, &mut op) {
        0 => op.port as isize,
        error => error,
    }
}

pub fn close(d: &Domain, port: u32) -> isize {
    evtchn(d, EVTCHNOP_close, &mut evtchn_close { port })
}

pub fn send(d: &Domain, port: u32) -> isize {
    evtchn(d, EVTCHNOP_send, &mut evtchn_send { port })
}

pub fn unmask(d: &Domain, port: u32) -> isize {
    evtchn(d, EVTCHNOP_unmask, &mut evtchn_unmask { port })
}

pub fn status(d: &Domain, dom: u16, port: u32) -> Result<evtchn_status, isize> {
    let mut op = zero::<evtchn_status>();
    op.dom = dom;
    op.port = port;
    match evtchn(d, EVTCHNOP_status, &mut op) {
        0 => Ok(op),
        error => Err(error),
    }
}

pub fn add_to_physmap(d: &Domain, dom: u16, space: u32, idx: u64, gfn: u64) -> isize {
    let mut op = xen_add_to_physmap {
        domid: dom,
        size: 0,
        space,
        idx,
        gpfn: gfn,
    };
    memory(d, XENMEM_add_to_physmap, &mut op)
}

pub fn remove_from_physmap(d: &Domain, dom: u16, gfn: u64) -> isize {
    let mut op = xen_remove_from_physmap {
        domid: dom,
        gpfn: gfn,
    };
    memory(d, XENMEM_remove_from_physmap, &mut op)
}

/// A batch of foreign pages, or of pages of another space.
pub fn batch(
    d: &Domain,
    dom: u16,
    space: u32,
    foreign: u16,
    pages: &mut [(u64, u64)],
) -> (isize, Vec<i32>) {
    let mut idxs: Vec<u64> = pages.iter().map(|page| page.0).collect();
    let mut gfns: Vec<u64> = pages.iter().map(|page| page.1).collect();
    let mut errs = vec![77i32; pages.len()];
    let mut op = zero::<xen_add_to_physmap_batch>();
    op.domid = dom;
    op.space = space as u16;
    op.size = pages.len() as u16;
    op.u.foreign_domid = foreign;
    op.idxs.p = idxs.as_mut_ptr();
    op.gpfns.p = gfns.as_mut_ptr();
    op.errs.p = errs.as_mut_ptr();
    (memory(d, XENMEM_add_to_physmap_batch, &mut op), errs)
}

/// populate_physmap, decrease_reservation, increase_reservation.
pub fn reservation(d: &Domain, cmd: u32, dom: u16, order: u32, gfns: &mut [u64]) -> isize {
    let mut op = zero::<xen_memory_reservation>();
    op.domid = dom;
    op.extent_order = order;
    op.nr_extents = gfns.len() as u64;
    op.extent_start.p = gfns.as_mut_ptr();
    memory(d, cmd, &mut op)
}

pub fn about(d: &Domain, cmd: u32, dom: u16) -> isize {
    memory(d, cmd, &mut xen_memory_domain { domid: dom })
}

pub fn map(d: &Domain, window: &Window, write: bool) {
    // SAFETY: windows of the test's own domain that nothing else uses.
    let done = unsafe { d.map(window.va, window.gfn, window.pages, Protection { write }) };
    done.expect("the map hook");
}

/// The page `index` of a window.
pub fn page(window: Window, index: u32) -> Window {
    assert!(index < window.pages);
    Window {
        va: window.va.wrapping_add(index as usize * 4096),
        gfn: Gfn::new(window.gfn.raw() + u64::from(index)),
        pages: 1,
    }
}

/// Shared info at the last page of the grant window.
pub fn map_shared_info(d: &Domain) -> SharedInfo {
    let window = d.grant_window();
    let at = page(window, window.pages - 1);
    let rc = add_to_physmap(d, SELF, XENMAPSPACE_shared_info, 0, at.gfn.raw());
    assert_eq!(rc, 0);
    map(d, &at, true);
    SharedInfo(at.va)
}

/// The words of a mapped shared-info page.
#[derive(Clone, Copy)]
pub struct SharedInfo(*mut u8);

// SAFETY: everything in it is touched by atomics.
unsafe impl Send for SharedInfo {}
// SAFETY: as above.
unsafe impl Sync for SharedInfo {}

impl SharedInfo {
    fn word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: mapped by `map_shared_info`, in bounds and aligned.
        unsafe { AtomicU64::from_ptr(self.0.add(offset).cast()) }
    }

    pub fn pending(&self, word: usize) -> &AtomicU64 {
        self.word(std::mem::offset_of!(shared_info, evtchn_pending) + word * 8)
    }

    pub fn mask(&self, word: usize) -> &AtomicU64 {
        self.word(std::mem::offset_of!(shared_info, evtchn_mask) + word * 8)
    }

    pub fn selector(&self) -> &AtomicU64 {
        self.word(std::mem::offset_of!(vcpu_info, evtchn_pending_sel))
    }

    pub fn upcall_pending(&self) -> &AtomicU8 {
        // SAFETY: as for `word`.
        unsafe { AtomicU8::from_ptr(self.0) }
    }

    /// (pending word 0, selector, upcall flag).
    pub fn summary(&self) -> (u64, u64, u8) {
        (
            self.pending(0).load(SeqCst),
            self.selector().load(SeqCst),
            self.upcall_pending().load(SeqCst),
        )
    }

    /// As an interrupt handler does: takes all events.
    pub fn take(&self) -> Vec<u32> {
        let mut ports = Vec::new();
        self.upcall_pending().store(0, SeqCst);
        let selector = self.selector().swap(0, SeqCst);
        for word in (0..64).filter(|word| selector & 1 << word != 0) {
            let active = self.pending(word).load(SeqCst) & !self.mask(word).load(SeqCst);
            self.pending(word).fetch_and(!active, SeqCst);
            ports.extend(
                (0..64u32)
                    .filter(|bit| active & 1 << bit != 0)
                    .map(|bit| word as u32 * 64 + bit),
            );
        }
        ports
    }
}

/// The grant table's first frames, mapped.
pub fn map_grant_table(d: &Domain, frames: u32) -> GrantTable {
    let window = d.grant_window();
    for index in (0..frames).rev() {
        let gfn = page(window, index).gfn.raw();
        let rc = add_to_physmap(d, SELF, XENMAPSPACE_grant_table, index.into(), gfn);
        assert_eq!(rc, 0);
    }
    map(
        d,
        &Window {
            pages: frames,
            ..window
        },
        true,
    );
    GrantTable(window.va)
}

#[derive(Clone, Copy)]
pub struct GrantTable(*mut u8);

// SAFETY: everything in it is touched by atomics.
unsafe impl Send for GrantTable {}

impl GrantTable {
    pub fn flags(&self, gref: u32) -> &AtomicU16 {
        // SAFETY: mapped by `map_grant_table`; tests stay in bounds.
        unsafe { AtomicU16::from_ptr(self.0.add(gref as usize * 8).cast()) }
    }

    pub fn grant(&self, gref: u32, domid: u16, gfn: Gfn, flags: u32) {
        // SAFETY: as for `flags`.
        let (frame, word) = unsafe {
            let entry = self.0.add(gref as usize * 8);
            (
                AtomicU32::from_ptr(entry.add(4).cast()),
                AtomicU32::from_ptr(entry.cast()),
            )
        };
        frame.store(gfn.raw() as u32, SeqCst);
        word.store(flags | u32::from(domid) << 16, SeqCst);
    }
}

pub fn map_op(dom: u16, gref: u32, flags: u32, va: u64) -> gnttab_map_grant_ref {
    let mut op = zero::<gnttab_map_grant_ref>();
    op.host_addr = va;
    op.flags = flags;
    op.ref_ = gref;
    op.dom = dom;
    op
}

/// (status, handle)
pub fn map_ref(d: &Domain, dom: u16, gref: u32, flags: u32, gfn: u64) -> (i32, u32) {
    let mut op = [map_op(dom, gref, flags, gfn << 12)];
    assert_eq!(grants(d, GNTTABOP_map_grant_ref, &mut op), 0);
    (op[0].status.into(), op[0].handle)
}

pub fn unmap_ref(d: &Domain, handle: u32, gfn: u64) -> i32 {
    let mut op = [zero::<gnttab_unmap_grant_ref>()];
    op[0].host_addr = gfn << 12;
    op[0].handle = handle;
    op[0].status = 77;
    assert_eq!(grants(d, GNTTABOP_unmap_grant_ref, &mut op), 0);
    op[0].status.into()
}
