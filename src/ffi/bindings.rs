// SPDX-License-Identifier: MIT OR Apache-2.0
// Written by cargo xtask bindings; do not edit.

use super::abi::{
    evtchn_fifo_control_block, evtchn_status, gnttab_copy, gnttab_map_grant_ref,
    gnttab_unmap_grant_ref, vcpu_info,
};

pub const XG_PAGE_SHIFT: u32 = 12;
pub const XG_PAGE_SIZE: u32 = 4096;
pub const XG_PROT_READ: u32 = 1;
pub const XG_PROT_WRITE: u32 = 2;
pub const XG_CPU_NONE: u32 = 4294967295;
pub const XG_DOMCTL_OLDEST: u32 = 20;
pub const XG_DOMCTL_NEWEST: u32 = 24;
pub const XG_EPERM: u32 = 1;
pub const XG_ENOENT: u32 = 2;
pub const XG_ESRCH: u32 = 3;
pub const XG_EIO: u32 = 5;
pub const XG_E2BIG: u32 = 7;
pub const XG_EAGAIN: u32 = 11;
pub const XG_ENOMEM: u32 = 12;
pub const XG_EACCES: u32 = 13;
pub const XG_EFAULT: u32 = 14;
pub const XG_EBUSY: u32 = 16;
pub const XG_EEXIST: u32 = 17;
pub const XG_EINVAL: u32 = 22;
pub const XG_ENOSPC: u32 = 28;
pub const XG_ERANGE: u32 = 34;
pub const XG_ENOSYS: u32 = 38;
pub const XG_EOPNOTSUPP: u32 = 95;
pub const XG_PORTS_PER_GROUP: u32 = 64;
pub const XG_MAX_2L_GROUPS: u32 = 64;
pub const XG_MAX_PORT_GROUPS: u32 = 2048;
pub const XG_FIFO_PORTS_PER_PAGE: u32 = 1024;
pub const XG_FIFO_MAX_PAGES: u32 = 129;
pub const XG_FIFO_MAX_VCPUS: u32 = 32;
pub const XG_MAX_VCPUS: u32 = 128;
pub const XG_PORT_OPEN: u32 = 1;
pub const XG_PORT_FIXED: u32 = 2;
pub const XG_PORT_LATE: u32 = 4;
pub const XG_PORT_UNBOUND: u32 = 8;
pub const XG_PORT_MASKED: u32 = 16;
pub const XG_PORT_HELD: u32 = 32;
pub const XG_PORT_MOVING: u32 = 64;
pub const XG_PORT_STALE: u32 = 128;
pub const XG_PORT_MOVED: u32 = 256;
pub const XG_PORT_USED: u32 = 512;
pub const XG_GRANTS_PER_FRAME: u32 = 512;
pub const XG_GRANTS_PER_FRAME_V2: u32 = 256;
pub const XG_GRANT_STATUS_FRAMES: u32 = 8;
pub const XG_GRANT_RESERVED: u32 = 8;
pub const XG_MAX_GRANT_FRAMES: u32 = 64;
pub const XG_EAGAIN_TRIES: u32 = 16;
pub const XG_NO_HANDLE: u32 = 4294967295;
pub const XG_REGION_BLOCK: u32 = 512;
pub const XG_REGION_MAX_PAGES: u32 = 536870912;
pub const XG_IOREQ_MAX_VCPUS: u32 = 128;
pub const XG_IOREQ_ACCESS: u32 = 1;
pub const XG_IOREQ_INVALIDATE: u32 = 2;
pub const XG_FAULT_HANDLED: u32 = 0;
pub const XG_FAULT_UNHANDLED: u32 = 1;
pub const XG_FAULT_RESTART: u32 = 2;
pub const XG_FAULT_IGNORE: u32 = 3;
pub const XG_FAULT_ERROR: u32 = 4;
pub const XG_VM_MAX_RESERVATIONS: u32 = 65534;
pub const XG_VM_DEFER: u32 = 1;
pub const XG_VM_PERMIT_MMIO: u32 = 2;
pub const XG_VM_REQUIRE_TRAP: u32 = 4;
pub const XG_VM_CRASH_ON_ERROR: u32 = 8;
pub const XG_VM_RAM: u32 = 0;
pub const XG_VM_WINDOW: u32 = 1;
pub const XG_VM_MMIO: u32 = 2;
pub const XG_VM_TRAP: u32 = 3;
pub const XG_VM_CAP_COUNT: u32 = 4;
pub const XG_VM_CAP_RAM: u32 = 1;
pub const XG_VM_CAP_WINDOW: u32 = 2;
pub const XG_VM_CAP_MMIO: u32 = 4;
pub const XG_VM_CAP_TRAP: u32 = 8;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_window {
    pub va: *mut ::core::ffi::c_void,
    pub gfn: u64,
    pub pages: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_window"][::core::mem::size_of::<xg_window>() - 24usize];
    ["Alignment of xg_window"][::core::mem::align_of::<xg_window>() - 8usize];
    ["Offset of field: xg_window::va"][::core::mem::offset_of!(xg_window, va) - 0usize];
    ["Offset of field: xg_window::gfn"][::core::mem::offset_of!(xg_window, gfn) - 8usize];
    ["Offset of field: xg_window::pages"][::core::mem::offset_of!(xg_window, pages) - 16usize];
};
impl Default for xg_window {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xg_platform {
    pub hypercall: ::core::option::Option<
        unsafe extern "C" fn(
            context: *mut ::core::ffi::c_void,
            op: u32,
            a0: usize,
            a1: usize,
            a2: usize,
            a3: usize,
            a4: usize,
        ) -> isize,
    >,
    pub virt_to_gfn: ::core::option::Option<
        unsafe extern "C" fn(
            context: *mut ::core::ffi::c_void,
            va: *const ::core::ffi::c_void,
            gfn: *mut u64,
        ) -> ::core::ffi::c_int,
    >,
    pub map: ::core::option::Option<
        unsafe extern "C" fn(
            context: *mut ::core::ffi::c_void,
            va: *mut ::core::ffi::c_void,
            gfn: u64,
            pages: u32,
            prot: u32,
        ) -> ::core::ffi::c_int,
    >,
    pub unmap: ::core::option::Option<
        unsafe extern "C" fn(
            context: *mut ::core::ffi::c_void,
            va: *mut ::core::ffi::c_void,
            pages: u32,
        ) -> ::core::ffi::c_int,
    >,
    pub page_alloc: ::core::option::Option<
        unsafe extern "C" fn(
            context: *mut ::core::ffi::c_void,
            pages: u32,
        ) -> *mut ::core::ffi::c_void,
    >,
    pub page_free: ::core::option::Option<
        unsafe extern "C" fn(
            context: *mut ::core::ffi::c_void,
            va: *mut ::core::ffi::c_void,
            pages: u32,
        ),
    >,
    pub lock:
        ::core::option::Option<unsafe extern "C" fn(context: *mut ::core::ffi::c_void) -> usize>,
    pub unlock: ::core::option::Option<
        unsafe extern "C" fn(context: *mut ::core::ffi::c_void, state: usize),
    >,
    pub cpu_id:
        ::core::option::Option<unsafe extern "C" fn(context: *mut ::core::ffi::c_void) -> u32>,
    pub relax: ::core::option::Option<unsafe extern "C" fn(context: *mut ::core::ffi::c_void)>,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_platform"][::core::mem::size_of::<xg_platform>() - 80usize];
    ["Alignment of xg_platform"][::core::mem::align_of::<xg_platform>() - 8usize];
    ["Offset of field: xg_platform::hypercall"]
        [::core::mem::offset_of!(xg_platform, hypercall) - 0usize];
    ["Offset of field: xg_platform::virt_to_gfn"]
        [::core::mem::offset_of!(xg_platform, virt_to_gfn) - 8usize];
    ["Offset of field: xg_platform::map"][::core::mem::offset_of!(xg_platform, map) - 16usize];
    ["Offset of field: xg_platform::unmap"][::core::mem::offset_of!(xg_platform, unmap) - 24usize];
    ["Offset of field: xg_platform::page_alloc"]
        [::core::mem::offset_of!(xg_platform, page_alloc) - 32usize];
    ["Offset of field: xg_platform::page_free"]
        [::core::mem::offset_of!(xg_platform, page_free) - 40usize];
    ["Offset of field: xg_platform::lock"][::core::mem::offset_of!(xg_platform, lock) - 48usize];
    ["Offset of field: xg_platform::unlock"]
        [::core::mem::offset_of!(xg_platform, unlock) - 56usize];
    ["Offset of field: xg_platform::cpu_id"]
        [::core::mem::offset_of!(xg_platform, cpu_id) - 64usize];
    ["Offset of field: xg_platform::relax"][::core::mem::offset_of!(xg_platform, relax) - 72usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_balloon {
    pub ram: xg_window,
    pub first: u32,
    pub end: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_balloon"][::core::mem::size_of::<xg_balloon>() - 32usize];
    ["Alignment of xg_balloon"][::core::mem::align_of::<xg_balloon>() - 8usize];
    ["Offset of field: xg_balloon::ram"][::core::mem::offset_of!(xg_balloon, ram) - 0usize];
    ["Offset of field: xg_balloon::first"][::core::mem::offset_of!(xg_balloon, first) - 24usize];
    ["Offset of field: xg_balloon::end"][::core::mem::offset_of!(xg_balloon, end) - 28usize];
};
impl Default for xg_balloon {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xg_evtchn_handler_t =
    ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void)>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_port_group {
    pub slots: [xg_port_group_xg_port_slot; 64usize],
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_port_group_xg_port_slot {
    pub state: u32,
    pub idle: u32,
    pub handler: xg_evtchn_handler_t,
    pub data: *mut ::core::ffi::c_void,
    pub closed: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_port_group_xg_port_slot"]
        [::core::mem::size_of::<xg_port_group_xg_port_slot>() - 32usize];
    ["Alignment of xg_port_group_xg_port_slot"]
        [::core::mem::align_of::<xg_port_group_xg_port_slot>() - 8usize];
    ["Offset of field: xg_port_group_xg_port_slot::state"]
        [::core::mem::offset_of!(xg_port_group_xg_port_slot, state) - 0usize];
    ["Offset of field: xg_port_group_xg_port_slot::idle"]
        [::core::mem::offset_of!(xg_port_group_xg_port_slot, idle) - 4usize];
    ["Offset of field: xg_port_group_xg_port_slot::handler"]
        [::core::mem::offset_of!(xg_port_group_xg_port_slot, handler) - 8usize];
    ["Offset of field: xg_port_group_xg_port_slot::data"]
        [::core::mem::offset_of!(xg_port_group_xg_port_slot, data) - 16usize];
    ["Offset of field: xg_port_group_xg_port_slot::closed"]
        [::core::mem::offset_of!(xg_port_group_xg_port_slot, closed) - 24usize];
};
impl Default for xg_port_group_xg_port_slot {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_port_group"][::core::mem::size_of::<xg_port_group>() - 2048usize];
    ["Alignment of xg_port_group"][::core::mem::align_of::<xg_port_group>() - 8usize];
    ["Offset of field: xg_port_group::slots"]
        [::core::mem::offset_of!(xg_port_group, slots) - 0usize];
};
impl Default for xg_port_group {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[repr(align(64))]
#[derive(Debug, Copy, Clone)]
pub struct xg_vcpu {
    pub serving: u32,
    pub budget: u32,
    pub guest: *mut xg_guest,
    pub info: *mut vcpu_info,
    pub control: *mut evtchn_fifo_control_block,
    pub ports: *mut u64,
    pub taken: u64,
    pub passed: u64,
    pub first: u32,
    pub id: u16,
    pub has_runstate: u16,
    pub info_area: [u64; 8usize],
    pub runstate_area: [u64; 8usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vcpu"][::core::mem::size_of::<xg_vcpu>() - 192usize];
    ["Alignment of xg_vcpu"][::core::mem::align_of::<xg_vcpu>() - 64usize];
    ["Offset of field: xg_vcpu::serving"][::core::mem::offset_of!(xg_vcpu, serving) - 0usize];
    ["Offset of field: xg_vcpu::budget"][::core::mem::offset_of!(xg_vcpu, budget) - 4usize];
    ["Offset of field: xg_vcpu::guest"][::core::mem::offset_of!(xg_vcpu, guest) - 8usize];
    ["Offset of field: xg_vcpu::info"][::core::mem::offset_of!(xg_vcpu, info) - 16usize];
    ["Offset of field: xg_vcpu::control"][::core::mem::offset_of!(xg_vcpu, control) - 24usize];
    ["Offset of field: xg_vcpu::ports"][::core::mem::offset_of!(xg_vcpu, ports) - 32usize];
    ["Offset of field: xg_vcpu::taken"][::core::mem::offset_of!(xg_vcpu, taken) - 40usize];
    ["Offset of field: xg_vcpu::passed"][::core::mem::offset_of!(xg_vcpu, passed) - 48usize];
    ["Offset of field: xg_vcpu::first"][::core::mem::offset_of!(xg_vcpu, first) - 56usize];
    ["Offset of field: xg_vcpu::id"][::core::mem::offset_of!(xg_vcpu, id) - 60usize];
    ["Offset of field: xg_vcpu::has_runstate"]
        [::core::mem::offset_of!(xg_vcpu, has_runstate) - 62usize];
    ["Offset of field: xg_vcpu::info_area"][::core::mem::offset_of!(xg_vcpu, info_area) - 64usize];
    ["Offset of field: xg_vcpu::runstate_area"]
        [::core::mem::offset_of!(xg_vcpu, runstate_area) - 128usize];
};
impl Default for xg_vcpu {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_evtchn {
    pub only: *mut xg_vcpu,
    pub pending: *mut u64,
    pub words: *mut u32,
    pub slots: *mut xg_port_group_xg_port_slot,
    pub vcpus: *mut xg_vcpu,
    pub fifo_pages: *mut u8,
    pub nr_fifo_pages: u32,
    pub nr_groups: u32,
    pub nr_ports: u32,
    pub nr_vcpus: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_evtchn"][::core::mem::size_of::<xg_evtchn>() - 64usize];
    ["Alignment of xg_evtchn"][::core::mem::align_of::<xg_evtchn>() - 8usize];
    ["Offset of field: xg_evtchn::only"][::core::mem::offset_of!(xg_evtchn, only) - 0usize];
    ["Offset of field: xg_evtchn::pending"][::core::mem::offset_of!(xg_evtchn, pending) - 8usize];
    ["Offset of field: xg_evtchn::words"][::core::mem::offset_of!(xg_evtchn, words) - 16usize];
    ["Offset of field: xg_evtchn::slots"][::core::mem::offset_of!(xg_evtchn, slots) - 24usize];
    ["Offset of field: xg_evtchn::vcpus"][::core::mem::offset_of!(xg_evtchn, vcpus) - 32usize];
    ["Offset of field: xg_evtchn::fifo_pages"]
        [::core::mem::offset_of!(xg_evtchn, fifo_pages) - 40usize];
    ["Offset of field: xg_evtchn::nr_fifo_pages"]
        [::core::mem::offset_of!(xg_evtchn, nr_fifo_pages) - 48usize];
    ["Offset of field: xg_evtchn::nr_groups"]
        [::core::mem::offset_of!(xg_evtchn, nr_groups) - 52usize];
    ["Offset of field: xg_evtchn::nr_ports"]
        [::core::mem::offset_of!(xg_evtchn, nr_ports) - 56usize];
    ["Offset of field: xg_evtchn::nr_vcpus"]
        [::core::mem::offset_of!(xg_evtchn, nr_vcpus) - 60usize];
};
impl Default for xg_evtchn {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_parked {
    pub state: u32,
    pub gref: u32,
    pub release: ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void)>,
    pub data: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_parked"][::core::mem::size_of::<xg_parked>() - 24usize];
    ["Alignment of xg_parked"][::core::mem::align_of::<xg_parked>() - 8usize];
    ["Offset of field: xg_parked::state"][::core::mem::offset_of!(xg_parked, state) - 0usize];
    ["Offset of field: xg_parked::gref"][::core::mem::offset_of!(xg_parked, gref) - 4usize];
    ["Offset of field: xg_parked::release"][::core::mem::offset_of!(xg_parked, release) - 8usize];
    ["Offset of field: xg_parked::data"][::core::mem::offset_of!(xg_parked, data) - 16usize];
};
impl Default for xg_parked {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_gnttab {
    pub entries: *mut u64,
    pub words: *mut u64,
    pub near: *mut u64,
    pub refs: u32,
    pub frames: u32,
    pub max_frames: u32,
    pub none: u64,
    pub summary: [u64; 8usize],
    pub left: [u64; 8usize],
    pub gfn: u64,
    pub va: *mut ::core::ffi::c_void,
    pub parked: *mut xg_parked,
    pub nr_parked: u32,
    pub parked_now: u32,
    pub parked_next: u32,
    pub quarantined: u32,
    pub version: u32,
    pub refs_v2: u32,
    pub near_v2: *mut u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_gnttab"][::core::mem::size_of::<xg_gnttab>() - 232usize];
    ["Alignment of xg_gnttab"][::core::mem::align_of::<xg_gnttab>() - 8usize];
    ["Offset of field: xg_gnttab::entries"][::core::mem::offset_of!(xg_gnttab, entries) - 0usize];
    ["Offset of field: xg_gnttab::words"][::core::mem::offset_of!(xg_gnttab, words) - 8usize];
    ["Offset of field: xg_gnttab::near"][::core::mem::offset_of!(xg_gnttab, near) - 16usize];
    ["Offset of field: xg_gnttab::refs"][::core::mem::offset_of!(xg_gnttab, refs) - 24usize];
    ["Offset of field: xg_gnttab::frames"][::core::mem::offset_of!(xg_gnttab, frames) - 28usize];
    ["Offset of field: xg_gnttab::max_frames"]
        [::core::mem::offset_of!(xg_gnttab, max_frames) - 32usize];
    ["Offset of field: xg_gnttab::none"][::core::mem::offset_of!(xg_gnttab, none) - 40usize];
    ["Offset of field: xg_gnttab::summary"][::core::mem::offset_of!(xg_gnttab, summary) - 48usize];
    ["Offset of field: xg_gnttab::left"][::core::mem::offset_of!(xg_gnttab, left) - 112usize];
    ["Offset of field: xg_gnttab::gfn"][::core::mem::offset_of!(xg_gnttab, gfn) - 176usize];
    ["Offset of field: xg_gnttab::va"][::core::mem::offset_of!(xg_gnttab, va) - 184usize];
    ["Offset of field: xg_gnttab::parked"][::core::mem::offset_of!(xg_gnttab, parked) - 192usize];
    ["Offset of field: xg_gnttab::nr_parked"]
        [::core::mem::offset_of!(xg_gnttab, nr_parked) - 200usize];
    ["Offset of field: xg_gnttab::parked_now"]
        [::core::mem::offset_of!(xg_gnttab, parked_now) - 204usize];
    ["Offset of field: xg_gnttab::parked_next"]
        [::core::mem::offset_of!(xg_gnttab, parked_next) - 208usize];
    ["Offset of field: xg_gnttab::quarantined"]
        [::core::mem::offset_of!(xg_gnttab, quarantined) - 212usize];
    ["Offset of field: xg_gnttab::version"][::core::mem::offset_of!(xg_gnttab, version) - 216usize];
    ["Offset of field: xg_gnttab::refs_v2"][::core::mem::offset_of!(xg_gnttab, refs_v2) - 220usize];
    ["Offset of field: xg_gnttab::near_v2"][::core::mem::offset_of!(xg_gnttab, near_v2) - 224usize];
};
impl Default for xg_gnttab {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_region {
    pub va: *mut u8,
    pub gfn: u64,
    pub pages: u32,
    pub leaves: u32,
    pub starts: *mut u64,
    pub holes: *mut u64,
    pub mapped: *mut u64,
    pub nodes: *mut u32,
    pub kept: u64,
    pub singles: u64,
    pub kept_word: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_region"][::core::mem::size_of::<xg_region>() - 80usize];
    ["Alignment of xg_region"][::core::mem::align_of::<xg_region>() - 8usize];
    ["Offset of field: xg_region::va"][::core::mem::offset_of!(xg_region, va) - 0usize];
    ["Offset of field: xg_region::gfn"][::core::mem::offset_of!(xg_region, gfn) - 8usize];
    ["Offset of field: xg_region::pages"][::core::mem::offset_of!(xg_region, pages) - 16usize];
    ["Offset of field: xg_region::leaves"][::core::mem::offset_of!(xg_region, leaves) - 20usize];
    ["Offset of field: xg_region::starts"][::core::mem::offset_of!(xg_region, starts) - 24usize];
    ["Offset of field: xg_region::holes"][::core::mem::offset_of!(xg_region, holes) - 32usize];
    ["Offset of field: xg_region::mapped"][::core::mem::offset_of!(xg_region, mapped) - 40usize];
    ["Offset of field: xg_region::nodes"][::core::mem::offset_of!(xg_region, nodes) - 48usize];
    ["Offset of field: xg_region::kept"][::core::mem::offset_of!(xg_region, kept) - 56usize];
    ["Offset of field: xg_region::singles"][::core::mem::offset_of!(xg_region, singles) - 64usize];
    ["Offset of field: xg_region::kept_word"]
        [::core::mem::offset_of!(xg_region, kept_word) - 72usize];
};
impl Default for xg_region {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_guest_config {
    pub platform: *const xg_platform,
    pub context: *mut ::core::ffi::c_void,
    pub shared_info: xg_window,
    pub port_groups: *mut xg_port_group,
    pub nr_port_groups: u32,
    pub vcpus: *mut xg_vcpu,
    pub nr_vcpus: u32,
    pub vcpu_ports: *mut u64,
    pub reset_events: bool,
    pub fifo_pages: *mut ::core::ffi::c_void,
    pub nr_fifo_pages: u32,
    pub gnttab: xg_window,
    pub gnttab_version: u32,
    pub gnttab_words: *mut u64,
    pub parked: *mut xg_parked,
    pub nr_parked: u32,
    pub regions: *mut xg_region,
    pub nr_regions: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_guest_config"][::core::mem::size_of::<xg_guest_config>() - 176usize];
    ["Alignment of xg_guest_config"][::core::mem::align_of::<xg_guest_config>() - 8usize];
    ["Offset of field: xg_guest_config::platform"]
        [::core::mem::offset_of!(xg_guest_config, platform) - 0usize];
    ["Offset of field: xg_guest_config::context"]
        [::core::mem::offset_of!(xg_guest_config, context) - 8usize];
    ["Offset of field: xg_guest_config::shared_info"]
        [::core::mem::offset_of!(xg_guest_config, shared_info) - 16usize];
    ["Offset of field: xg_guest_config::port_groups"]
        [::core::mem::offset_of!(xg_guest_config, port_groups) - 40usize];
    ["Offset of field: xg_guest_config::nr_port_groups"]
        [::core::mem::offset_of!(xg_guest_config, nr_port_groups) - 48usize];
    ["Offset of field: xg_guest_config::vcpus"]
        [::core::mem::offset_of!(xg_guest_config, vcpus) - 56usize];
    ["Offset of field: xg_guest_config::nr_vcpus"]
        [::core::mem::offset_of!(xg_guest_config, nr_vcpus) - 64usize];
    ["Offset of field: xg_guest_config::vcpu_ports"]
        [::core::mem::offset_of!(xg_guest_config, vcpu_ports) - 72usize];
    ["Offset of field: xg_guest_config::reset_events"]
        [::core::mem::offset_of!(xg_guest_config, reset_events) - 80usize];
    ["Offset of field: xg_guest_config::fifo_pages"]
        [::core::mem::offset_of!(xg_guest_config, fifo_pages) - 88usize];
    ["Offset of field: xg_guest_config::nr_fifo_pages"]
        [::core::mem::offset_of!(xg_guest_config, nr_fifo_pages) - 96usize];
    ["Offset of field: xg_guest_config::gnttab"]
        [::core::mem::offset_of!(xg_guest_config, gnttab) - 104usize];
    ["Offset of field: xg_guest_config::gnttab_version"]
        [::core::mem::offset_of!(xg_guest_config, gnttab_version) - 128usize];
    ["Offset of field: xg_guest_config::gnttab_words"]
        [::core::mem::offset_of!(xg_guest_config, gnttab_words) - 136usize];
    ["Offset of field: xg_guest_config::parked"]
        [::core::mem::offset_of!(xg_guest_config, parked) - 144usize];
    ["Offset of field: xg_guest_config::nr_parked"]
        [::core::mem::offset_of!(xg_guest_config, nr_parked) - 152usize];
    ["Offset of field: xg_guest_config::regions"]
        [::core::mem::offset_of!(xg_guest_config, regions) - 160usize];
    ["Offset of field: xg_guest_config::nr_regions"]
        [::core::mem::offset_of!(xg_guest_config, nr_regions) - 168usize];
};
impl Default for xg_guest_config {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_guest {
    pub platform: *const xg_platform,
    pub context: *mut ::core::ffi::c_void,
    pub shared_info: xg_window,
    pub evtchn: xg_evtchn,
    pub gnttab: xg_gnttab,
    pub regions: *mut xg_region,
    pub nr_regions: u32,
    pub domctl_version: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_guest"][::core::mem::size_of::<xg_guest>() - 352usize];
    ["Alignment of xg_guest"][::core::mem::align_of::<xg_guest>() - 8usize];
    ["Offset of field: xg_guest::platform"][::core::mem::offset_of!(xg_guest, platform) - 0usize];
    ["Offset of field: xg_guest::context"][::core::mem::offset_of!(xg_guest, context) - 8usize];
    ["Offset of field: xg_guest::shared_info"]
        [::core::mem::offset_of!(xg_guest, shared_info) - 16usize];
    ["Offset of field: xg_guest::evtchn"][::core::mem::offset_of!(xg_guest, evtchn) - 40usize];
    ["Offset of field: xg_guest::gnttab"][::core::mem::offset_of!(xg_guest, gnttab) - 104usize];
    ["Offset of field: xg_guest::regions"][::core::mem::offset_of!(xg_guest, regions) - 336usize];
    ["Offset of field: xg_guest::nr_regions"]
        [::core::mem::offset_of!(xg_guest, nr_regions) - 344usize];
    ["Offset of field: xg_guest::domctl_version"]
        [::core::mem::offset_of!(xg_guest, domctl_version) - 348usize];
};
impl Default for xg_guest {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_ioreq_config {
    pub dom: u16,
    pub ports: *mut u32,
    pub nr_ports: u32,
    pub handler: xg_evtchn_handler_t,
    pub data: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_ioreq_config"][::core::mem::size_of::<xg_ioreq_config>() - 40usize];
    ["Alignment of xg_ioreq_config"][::core::mem::align_of::<xg_ioreq_config>() - 8usize];
    ["Offset of field: xg_ioreq_config::dom"]
        [::core::mem::offset_of!(xg_ioreq_config, dom) - 0usize];
    ["Offset of field: xg_ioreq_config::ports"]
        [::core::mem::offset_of!(xg_ioreq_config, ports) - 8usize];
    ["Offset of field: xg_ioreq_config::nr_ports"]
        [::core::mem::offset_of!(xg_ioreq_config, nr_ports) - 16usize];
    ["Offset of field: xg_ioreq_config::handler"]
        [::core::mem::offset_of!(xg_ioreq_config, handler) - 24usize];
    ["Offset of field: xg_ioreq_config::data"]
        [::core::mem::offset_of!(xg_ioreq_config, data) - 32usize];
};
impl Default for xg_ioreq_config {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_ioreq {
    pub guest: *mut xg_guest,
    pub page: *mut ::core::ffi::c_void,
    pub ports: *mut u32,
    pub nr_vcpus: u32,
    pub refused: u32,
    pub dom: u16,
    pub id: u16,
    pub created: bool,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_ioreq"][::core::mem::size_of::<xg_ioreq>() - 40usize];
    ["Alignment of xg_ioreq"][::core::mem::align_of::<xg_ioreq>() - 8usize];
    ["Offset of field: xg_ioreq::guest"][::core::mem::offset_of!(xg_ioreq, guest) - 0usize];
    ["Offset of field: xg_ioreq::page"][::core::mem::offset_of!(xg_ioreq, page) - 8usize];
    ["Offset of field: xg_ioreq::ports"][::core::mem::offset_of!(xg_ioreq, ports) - 16usize];
    ["Offset of field: xg_ioreq::nr_vcpus"][::core::mem::offset_of!(xg_ioreq, nr_vcpus) - 24usize];
    ["Offset of field: xg_ioreq::refused"][::core::mem::offset_of!(xg_ioreq, refused) - 28usize];
    ["Offset of field: xg_ioreq::dom"][::core::mem::offset_of!(xg_ioreq, dom) - 32usize];
    ["Offset of field: xg_ioreq::id"][::core::mem::offset_of!(xg_ioreq, id) - 34usize];
    ["Offset of field: xg_ioreq::created"][::core::mem::offset_of!(xg_ioreq, created) - 36usize];
};
impl Default for xg_ioreq {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xg_ioreq_access {
    pub addr: u64,
    pub data: u64,
    pub size: u32,
    pub kind: u32,
    pub write: bool,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_ioreq_access"][::core::mem::size_of::<xg_ioreq_access>() - 32usize];
    ["Alignment of xg_ioreq_access"][::core::mem::align_of::<xg_ioreq_access>() - 8usize];
    ["Offset of field: xg_ioreq_access::addr"]
        [::core::mem::offset_of!(xg_ioreq_access, addr) - 0usize];
    ["Offset of field: xg_ioreq_access::data"]
        [::core::mem::offset_of!(xg_ioreq_access, data) - 8usize];
    ["Offset of field: xg_ioreq_access::size"]
        [::core::mem::offset_of!(xg_ioreq_access, size) - 16usize];
    ["Offset of field: xg_ioreq_access::kind"]
        [::core::mem::offset_of!(xg_ioreq_access, kind) - 20usize];
    ["Offset of field: xg_ioreq_access::write"]
        [::core::mem::offset_of!(xg_ioreq_access, write) - 24usize];
};
pub type xg_vm_fault_fn = ::core::option::Option<
    unsafe extern "C" fn(
        vm: *mut xg_vm,
        vcpu: *mut xg_vm_vcpu,
        addr: usize,
        size: usize,
        cookie: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int,
>;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xg_vm_frame {
    pub frame: u64,
    pub rights: u32,
    pub vaddr: usize,
    pub size_bits: usize,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vm_frame"][::core::mem::size_of::<xg_vm_frame>() - 32usize];
    ["Alignment of xg_vm_frame"][::core::mem::align_of::<xg_vm_frame>() - 8usize];
    ["Offset of field: xg_vm_frame::frame"][::core::mem::offset_of!(xg_vm_frame, frame) - 0usize];
    ["Offset of field: xg_vm_frame::rights"][::core::mem::offset_of!(xg_vm_frame, rights) - 8usize];
    ["Offset of field: xg_vm_frame::vaddr"][::core::mem::offset_of!(xg_vm_frame, vaddr) - 16usize];
    ["Offset of field: xg_vm_frame::size_bits"]
        [::core::mem::offset_of!(xg_vm_frame, size_bits) - 24usize];
};
pub type xg_vm_iterator_fn = ::core::option::Option<
    unsafe extern "C" fn(addr: usize, cookie: *mut ::core::ffi::c_void) -> xg_vm_frame,
>;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_vm_reservation {
    pub addr: usize,
    pub size: usize,
    pub first: usize,
    pub last: usize,
    pub fault: xg_vm_fault_fn,
    pub cookie: *mut ::core::ffi::c_void,
    pub iterator: xg_vm_iterator_fn,
    pub iterator_cookie: *mut ::core::ffi::c_void,
    pub window: *mut ::core::ffi::c_void,
    pub base: u64,
    pub pages: usize,
    pub in_use: u32,
    pub next: u16,
    pub state: u8,
    pub kind: u8,
    pub backing: u8,
    pub rights: u8,
    pub flags: u8,
    pub times: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vm_reservation"][::core::mem::size_of::<xg_vm_reservation>() - 104usize];
    ["Alignment of xg_vm_reservation"][::core::mem::align_of::<xg_vm_reservation>() - 8usize];
    ["Offset of field: xg_vm_reservation::addr"]
        [::core::mem::offset_of!(xg_vm_reservation, addr) - 0usize];
    ["Offset of field: xg_vm_reservation::size"]
        [::core::mem::offset_of!(xg_vm_reservation, size) - 8usize];
    ["Offset of field: xg_vm_reservation::first"]
        [::core::mem::offset_of!(xg_vm_reservation, first) - 16usize];
    ["Offset of field: xg_vm_reservation::last"]
        [::core::mem::offset_of!(xg_vm_reservation, last) - 24usize];
    ["Offset of field: xg_vm_reservation::fault"]
        [::core::mem::offset_of!(xg_vm_reservation, fault) - 32usize];
    ["Offset of field: xg_vm_reservation::cookie"]
        [::core::mem::offset_of!(xg_vm_reservation, cookie) - 40usize];
    ["Offset of field: xg_vm_reservation::iterator"]
        [::core::mem::offset_of!(xg_vm_reservation, iterator) - 48usize];
    ["Offset of field: xg_vm_reservation::iterator_cookie"]
        [::core::mem::offset_of!(xg_vm_reservation, iterator_cookie) - 56usize];
    ["Offset of field: xg_vm_reservation::window"]
        [::core::mem::offset_of!(xg_vm_reservation, window) - 64usize];
    ["Offset of field: xg_vm_reservation::base"]
        [::core::mem::offset_of!(xg_vm_reservation, base) - 72usize];
    ["Offset of field: xg_vm_reservation::pages"]
        [::core::mem::offset_of!(xg_vm_reservation, pages) - 80usize];
    ["Offset of field: xg_vm_reservation::in_use"]
        [::core::mem::offset_of!(xg_vm_reservation, in_use) - 88usize];
    ["Offset of field: xg_vm_reservation::next"]
        [::core::mem::offset_of!(xg_vm_reservation, next) - 92usize];
    ["Offset of field: xg_vm_reservation::state"]
        [::core::mem::offset_of!(xg_vm_reservation, state) - 94usize];
    ["Offset of field: xg_vm_reservation::kind"]
        [::core::mem::offset_of!(xg_vm_reservation, kind) - 95usize];
    ["Offset of field: xg_vm_reservation::backing"]
        [::core::mem::offset_of!(xg_vm_reservation, backing) - 96usize];
    ["Offset of field: xg_vm_reservation::rights"]
        [::core::mem::offset_of!(xg_vm_reservation, rights) - 97usize];
    ["Offset of field: xg_vm_reservation::flags"]
        [::core::mem::offset_of!(xg_vm_reservation, flags) - 98usize];
    ["Offset of field: xg_vm_reservation::times"]
        [::core::mem::offset_of!(xg_vm_reservation, times) - 100usize];
};
impl Default for xg_vm_reservation {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xg_vm_pool {
    pub first: usize,
    pub last: usize,
    pub next: usize,
    pub full: bool,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vm_pool"][::core::mem::size_of::<xg_vm_pool>() - 32usize];
    ["Alignment of xg_vm_pool"][::core::mem::align_of::<xg_vm_pool>() - 8usize];
    ["Offset of field: xg_vm_pool::first"][::core::mem::offset_of!(xg_vm_pool, first) - 0usize];
    ["Offset of field: xg_vm_pool::last"][::core::mem::offset_of!(xg_vm_pool, last) - 8usize];
    ["Offset of field: xg_vm_pool::next"][::core::mem::offset_of!(xg_vm_pool, next) - 16usize];
    ["Offset of field: xg_vm_pool::full"][::core::mem::offset_of!(xg_vm_pool, full) - 24usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_vm_vcpu {
    pub vm: *mut xg_vm,
    pub id: u32,
    pub size: u32,
    pub addr: usize,
    pub data: u64,
    pub write: bool,
    pub stage: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vm_vcpu"][::core::mem::size_of::<xg_vm_vcpu>() - 40usize];
    ["Alignment of xg_vm_vcpu"][::core::mem::align_of::<xg_vm_vcpu>() - 8usize];
    ["Offset of field: xg_vm_vcpu::vm"][::core::mem::offset_of!(xg_vm_vcpu, vm) - 0usize];
    ["Offset of field: xg_vm_vcpu::id"][::core::mem::offset_of!(xg_vm_vcpu, id) - 8usize];
    ["Offset of field: xg_vm_vcpu::size"][::core::mem::offset_of!(xg_vm_vcpu, size) - 12usize];
    ["Offset of field: xg_vm_vcpu::addr"][::core::mem::offset_of!(xg_vm_vcpu, addr) - 16usize];
    ["Offset of field: xg_vm_vcpu::data"][::core::mem::offset_of!(xg_vm_vcpu, data) - 24usize];
    ["Offset of field: xg_vm_vcpu::write"][::core::mem::offset_of!(xg_vm_vcpu, write) - 32usize];
    ["Offset of field: xg_vm_vcpu::stage"][::core::mem::offset_of!(xg_vm_vcpu, stage) - 33usize];
};
impl Default for xg_vm_vcpu {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_vm_config {
    pub dom: u16,
    pub self_: u16,
    pub flags: u32,
    pub slots: *mut xg_vm_reservation,
    pub order: *mut u16,
    pub nr_slots: u32,
    pub pools: *mut xg_vm_pool,
    pub nr_pools: u32,
    pub vcpus: *mut xg_vm_vcpu,
    pub ports: *mut u32,
    pub nr_vcpus: u32,
    pub handler: xg_evtchn_handler_t,
    pub data: *mut ::core::ffi::c_void,
    pub own: xg_window,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vm_config"][::core::mem::size_of::<xg_vm_config>() - 112usize];
    ["Alignment of xg_vm_config"][::core::mem::align_of::<xg_vm_config>() - 8usize];
    ["Offset of field: xg_vm_config::dom"][::core::mem::offset_of!(xg_vm_config, dom) - 0usize];
    ["Offset of field: xg_vm_config::self_"][::core::mem::offset_of!(xg_vm_config, self_) - 2usize];
    ["Offset of field: xg_vm_config::flags"][::core::mem::offset_of!(xg_vm_config, flags) - 4usize];
    ["Offset of field: xg_vm_config::slots"][::core::mem::offset_of!(xg_vm_config, slots) - 8usize];
    ["Offset of field: xg_vm_config::order"]
        [::core::mem::offset_of!(xg_vm_config, order) - 16usize];
    ["Offset of field: xg_vm_config::nr_slots"]
        [::core::mem::offset_of!(xg_vm_config, nr_slots) - 24usize];
    ["Offset of field: xg_vm_config::pools"]
        [::core::mem::offset_of!(xg_vm_config, pools) - 32usize];
    ["Offset of field: xg_vm_config::nr_pools"]
        [::core::mem::offset_of!(xg_vm_config, nr_pools) - 40usize];
    ["Offset of field: xg_vm_config::vcpus"]
        [::core::mem::offset_of!(xg_vm_config, vcpus) - 48usize];
    ["Offset of field: xg_vm_config::ports"]
        [::core::mem::offset_of!(xg_vm_config, ports) - 56usize];
    ["Offset of field: xg_vm_config::nr_vcpus"]
        [::core::mem::offset_of!(xg_vm_config, nr_vcpus) - 64usize];
    ["Offset of field: xg_vm_config::handler"]
        [::core::mem::offset_of!(xg_vm_config, handler) - 72usize];
    ["Offset of field: xg_vm_config::data"][::core::mem::offset_of!(xg_vm_config, data) - 80usize];
    ["Offset of field: xg_vm_config::own"][::core::mem::offset_of!(xg_vm_config, own) - 88usize];
};
impl Default for xg_vm_config {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xg_vm {
    pub guest: *mut xg_guest,
    pub slots: *mut xg_vm_reservation,
    pub order: *mut u16,
    pub pools: *mut xg_vm_pool,
    pub vcpus: *mut xg_vm_vcpu,
    pub unhandled: xg_vm_fault_fn,
    pub unhandled_cookie: *mut ::core::ffi::c_void,
    pub ioreq: xg_ioreq,
    pub own: xg_window,
    pub errors: u64,
    pub refusals: [i32; 4usize],
    pub last_error: i32,
    pub flags: u32,
    pub nr_slots: u32,
    pub nr_pools: u32,
    pub max_pools: u32,
    pub nr_vcpus: u32,
    pub count: u32,
    pub calls: u32,
    pub free: u16,
    pub dom: u16,
    pub self_: u16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xg_vm"][::core::mem::size_of::<xg_vm>() - 184usize];
    ["Alignment of xg_vm"][::core::mem::align_of::<xg_vm>() - 8usize];
    ["Offset of field: xg_vm::guest"][::core::mem::offset_of!(xg_vm, guest) - 0usize];
    ["Offset of field: xg_vm::slots"][::core::mem::offset_of!(xg_vm, slots) - 8usize];
    ["Offset of field: xg_vm::order"][::core::mem::offset_of!(xg_vm, order) - 16usize];
    ["Offset of field: xg_vm::pools"][::core::mem::offset_of!(xg_vm, pools) - 24usize];
    ["Offset of field: xg_vm::vcpus"][::core::mem::offset_of!(xg_vm, vcpus) - 32usize];
    ["Offset of field: xg_vm::unhandled"][::core::mem::offset_of!(xg_vm, unhandled) - 40usize];
    ["Offset of field: xg_vm::unhandled_cookie"]
        [::core::mem::offset_of!(xg_vm, unhandled_cookie) - 48usize];
    ["Offset of field: xg_vm::ioreq"][::core::mem::offset_of!(xg_vm, ioreq) - 56usize];
    ["Offset of field: xg_vm::own"][::core::mem::offset_of!(xg_vm, own) - 96usize];
    ["Offset of field: xg_vm::errors"][::core::mem::offset_of!(xg_vm, errors) - 120usize];
    ["Offset of field: xg_vm::refusals"][::core::mem::offset_of!(xg_vm, refusals) - 128usize];
    ["Offset of field: xg_vm::last_error"][::core::mem::offset_of!(xg_vm, last_error) - 144usize];
    ["Offset of field: xg_vm::flags"][::core::mem::offset_of!(xg_vm, flags) - 148usize];
    ["Offset of field: xg_vm::nr_slots"][::core::mem::offset_of!(xg_vm, nr_slots) - 152usize];
    ["Offset of field: xg_vm::nr_pools"][::core::mem::offset_of!(xg_vm, nr_pools) - 156usize];
    ["Offset of field: xg_vm::max_pools"][::core::mem::offset_of!(xg_vm, max_pools) - 160usize];
    ["Offset of field: xg_vm::nr_vcpus"][::core::mem::offset_of!(xg_vm, nr_vcpus) - 164usize];
    ["Offset of field: xg_vm::count"][::core::mem::offset_of!(xg_vm, count) - 168usize];
    ["Offset of field: xg_vm::calls"][::core::mem::offset_of!(xg_vm, calls) - 172usize];
    ["Offset of field: xg_vm::free"][::core::mem::offset_of!(xg_vm, free) - 176usize];
    ["Offset of field: xg_vm::dom"][::core::mem::offset_of!(xg_vm, dom) - 178usize];
    ["Offset of field: xg_vm::self_"][::core::mem::offset_of!(xg_vm, self_) - 180usize];
};
impl Default for xg_vm {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
unsafe extern "C" {
    pub fn xg_balloon_inflate(
        g: *mut xg_guest,
        balloon: *mut xg_balloon,
        ram: *const xg_window,
    ) -> ::core::ffi::c_int;
    pub fn xg_balloon_deflate(g: *mut xg_guest, balloon: *mut xg_balloon) -> ::core::ffi::c_int;
    pub fn xg_domctl_max_mem(g: *mut xg_guest, dom: u16, kib: u64) -> ::core::ffi::c_int;
    pub fn xg_domctl_iomem_permission(
        g: *mut xg_guest,
        dom: u16,
        mfn: u64,
        count: u32,
        allow: bool,
    ) -> ::core::ffi::c_int;
    pub fn xg_domctl_map_mmio(
        g: *mut xg_guest,
        dom: u16,
        gfn: u64,
        mfn: u64,
        count: u32,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_domctl_unmap_mmio(
        g: *mut xg_guest,
        dom: u16,
        gfn: u64,
        mfn: u64,
        count: u32,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_domctl_probe_mmio(g: *mut xg_guest, dom: u16) -> ::core::ffi::c_int;
    pub fn xg_domctl_pause(g: *mut xg_guest, dom: u16) -> ::core::ffi::c_int;
    pub fn xg_domctl_unpause(g: *mut xg_guest, dom: u16) -> ::core::ffi::c_int;
    pub fn xg_evtchn_alloc_unbound(g: *mut xg_guest, dom: u16, remote: u16) -> ::core::ffi::c_int;
    pub fn xg_evtchn_bind_interdomain(
        g: *mut xg_guest,
        remote: u16,
        remote_port: u32,
        handler: xg_evtchn_handler_t,
        data: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_evtchn_bind(
        g: *mut xg_guest,
        port: u32,
        handler: xg_evtchn_handler_t,
        data: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_evtchn_unbind(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_bind_virq(g: *mut xg_guest, virq: u32, vcpu: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_bind_ipi(g: *mut xg_guest, vcpu: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_adopt_static(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_bind_vcpu(g: *mut xg_guest, port: u32, vcpu: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_close(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_notify(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_mask(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_unmask(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_pending(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_take_pending(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_take_missed(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_status(g: *mut xg_guest, status: *mut evtchn_status) -> ::core::ffi::c_int;
    pub fn xg_evtchn_set_priority(g: *mut xg_guest, port: u32, priority: u32)
    -> ::core::ffi::c_int;
    pub fn xg_evtchn_reset(g: *mut xg_guest) -> ::core::ffi::c_int;
    pub fn xg_evtchn_set_late(g: *mut xg_guest, port: u32, late: bool) -> ::core::ffi::c_int;
    pub fn xg_evtchn_done(g: *mut xg_guest, port: u32, worked: bool) -> ::core::ffi::c_int;
    pub fn xg_evtchn_release(g: *mut xg_guest, port: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_wait(
        g: *mut xg_guest,
        ports: *const u32,
        count: u32,
        timeout: u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_vcpu_online(g: *mut xg_guest, vcpu: u32) -> ::core::ffi::c_int;
    pub fn xg_evtchn_upcall(g: *mut xg_guest, budget: u32) -> ::core::ffi::c_int;
    pub fn xg_foreign_add_range(
        g: *mut xg_guest,
        foreign: u16,
        first: u64,
        count: u32,
        gfn: u64,
        left: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_foreign_map(
        g: *mut xg_guest,
        foreign: u16,
        first: u64,
        at: *const xg_window,
        prot: u32,
        left: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_resource_map(
        g: *mut xg_guest,
        dom: u16,
        type_: u16,
        id: u32,
        frame: u64,
        at: *const xg_window,
        prot: u32,
        left: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_foreign_unmap(
        g: *mut xg_guest,
        at: *const xg_window,
        left: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_foreign_get(
        g: *mut xg_guest,
        foreign: u16,
        first: u64,
        n: u32,
        prot: u32,
        at: *mut xg_window,
    ) -> ::core::ffi::c_int;
    pub fn xg_resource_get(
        g: *mut xg_guest,
        dom: u16,
        type_: u16,
        id: u32,
        frame: u64,
        n: u32,
        prot: u32,
        at: *mut xg_window,
    ) -> ::core::ffi::c_int;
    pub fn xg_foreign_put(g: *mut xg_guest, at: *const xg_window) -> ::core::ffi::c_int;
    pub fn xg_gnttab_grant(g: *mut xg_guest, domid: u16, gfn: u64, readonly: bool) -> i32;
    pub fn xg_gnttab_grant_batch(
        g: *mut xg_guest,
        domid: u16,
        gfns: *const u64,
        grefs: *mut u32,
        count: u32,
        readonly: bool,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_grant_run(
        g: *mut xg_guest,
        domid: u16,
        gfn: u64,
        count: u32,
        readonly: bool,
    ) -> i32;
    pub fn xg_gnttab_grant_sub_page(
        g: *mut xg_guest,
        domid: u16,
        gfn: u64,
        page_off: u16,
        length: u16,
        readonly: bool,
    ) -> i32;
    pub fn xg_gnttab_end(g: *mut xg_guest, gref: u32) -> ::core::ffi::c_int;
    pub fn xg_gnttab_end_batch(
        g: *mut xg_guest,
        grefs: *const u32,
        errs: *mut ::core::ffi::c_int,
        count: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_in_use(g: *const xg_guest) -> u32;
    pub fn xg_gnttab_park(
        g: *mut xg_guest,
        gref: u32,
        release: ::core::option::Option<unsafe extern "C" fn(data: *mut ::core::ffi::c_void)>,
        data: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_reap(g: *mut xg_guest, budget: u32) -> u32;
    pub fn xg_gnttab_query_size(
        g: *mut xg_guest,
        dom: u16,
        frames: *mut u32,
        max_frames: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_version(g: *mut xg_guest, dom: u16) -> ::core::ffi::c_int;
    pub fn xg_gnttab_copy(
        g: *mut xg_guest,
        ops: *mut gnttab_copy,
        count: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_alloc_and_grant(
        g: *mut xg_guest,
        domid: u16,
        page: *mut *mut ::core::ffi::c_void,
        readonly: bool,
    ) -> i32;
    pub fn xg_gnttab_get_pages(g: *mut xg_guest, n: u32) -> *mut ::core::ffi::c_void;
    pub fn xg_gnttab_put_pages(
        g: *mut xg_guest,
        va: *mut ::core::ffi::c_void,
        n: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_quarantined(g: *const xg_guest) -> u32;
    pub fn xg_gnttab_map(
        g: *mut xg_guest,
        ops: *mut gnttab_map_grant_ref,
        count: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_unmap(
        g: *mut xg_guest,
        ops: *mut gnttab_unmap_grant_ref,
        count: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_gnttab_error(status: i16) -> *const ::core::ffi::c_char;
    pub fn xg_gnttab_errno(status: i16) -> ::core::ffi::c_int;
    pub fn xg_hvm_get_param(
        g: *mut xg_guest,
        dom: u16,
        index: u32,
        value: *mut u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_hvm_set_param(
        g: *mut xg_guest,
        dom: u16,
        index: u32,
        value: u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_add_to_physmap(
        g: *mut xg_guest,
        dom: u16,
        space: u32,
        idx: u64,
        gfn: u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_add_to_physmap_batch(
        g: *mut xg_guest,
        dom: u16,
        foreign: u16,
        space: u32,
        count: u32,
        idxs: *const u64,
        gfns: *const u64,
        errs: *mut ::core::ffi::c_int,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_remove_from_physmap(
        g: *mut xg_guest,
        dom: u16,
        gfn: u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_remove_range(
        g: *mut xg_guest,
        dom: u16,
        gfn: u64,
        count: u32,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_populate_physmap(
        g: *mut xg_guest,
        dom: u16,
        order: u32,
        count: u32,
        flags: u32,
        gfns: *const u64,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_decrease_reservation(
        g: *mut xg_guest,
        dom: u16,
        order: u32,
        count: u32,
        flags: u32,
        gfns: *const u64,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_increase_reservation(
        g: *mut xg_guest,
        dom: u16,
        order: u32,
        count: u32,
        flags: u32,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_populate_range(
        g: *mut xg_guest,
        dom: u16,
        gfn: u64,
        count: u32,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_decrease_range(
        g: *mut xg_guest,
        dom: u16,
        gfn: u64,
        count: u32,
        done: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_current_reservation(
        g: *mut xg_guest,
        dom: u16,
        pages: *mut u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_maximum_reservation(
        g: *mut xg_guest,
        dom: u16,
        pages: *mut u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_maximum_gpfn(g: *mut xg_guest, dom: u16, gfn: *mut u64) -> ::core::ffi::c_int;
    pub fn xg_memory_resource_size(
        g: *mut xg_guest,
        dom: u16,
        type_: u16,
        id: u32,
        frames: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_memory_acquire_resource(
        g: *mut xg_guest,
        dom: u16,
        type_: u16,
        id: u32,
        frame: u64,
        count: u32,
        gfns: *const u64,
        left: *mut u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_region_init(
        r: *mut xg_region,
        window: *const xg_window,
        metadata: *mut ::core::ffi::c_void,
        size: usize,
    ) -> ::core::ffi::c_int;
    pub fn xg_region_take(r: *mut xg_region, n: u32) -> i32;
    pub fn xg_region_give(r: *mut xg_region, page: u32, n: u32) -> ::core::ffi::c_int;
    pub fn xg_region_verify(r: *const xg_region) -> ::core::ffi::c_int;
    pub fn xg_region_get_pages(g: *mut xg_guest, n: u32) -> *mut ::core::ffi::c_void;
    pub fn xg_region_get_window(g: *mut xg_guest, n: u32, at: *mut xg_window)
    -> ::core::ffi::c_int;
    pub fn xg_region_put_pages(
        g: *mut xg_guest,
        va: *mut ::core::ffi::c_void,
        n: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_region_contains(g: *const xg_guest, va: *const ::core::ffi::c_void) -> bool;
    pub fn xg_region_map(
        g: *mut xg_guest,
        va: *mut ::core::ffi::c_void,
        n: u32,
        prot: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_region_unmap(
        g: *mut xg_guest,
        va: *mut ::core::ffi::c_void,
        n: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_guest_init(g: *mut xg_guest, config: *const xg_guest_config) -> ::core::ffi::c_int;
    pub fn xg_guest_fini(g: *mut xg_guest) -> ::core::ffi::c_int;
    pub fn xg_guest_set_regions(
        g: *mut xg_guest,
        regions: *mut xg_region,
        nr_regions: u32,
    ) -> ::core::ffi::c_int;
    pub fn xg_current() -> *mut xg_guest;
    pub fn xg_set_current(g: *mut xg_guest);
    pub fn xg_ioreq_create(
        s: *mut xg_ioreq,
        g: *mut xg_guest,
        config: *const xg_ioreq_config,
    ) -> ::core::ffi::c_int;
    pub fn xg_ioreq_destroy(s: *mut xg_ioreq) -> ::core::ffi::c_int;
    pub fn xg_ioreq_map_range(s: *mut xg_ioreq, first: u64, last: u64) -> ::core::ffi::c_int;
    pub fn xg_ioreq_unmap_range(s: *mut xg_ioreq, first: u64, last: u64) -> ::core::ffi::c_int;
    pub fn xg_ioreq_next(
        s: *mut xg_ioreq,
        vcpu: u32,
        access: *mut xg_ioreq_access,
    ) -> ::core::ffi::c_int;
    pub fn xg_ioreq_answer(s: *mut xg_ioreq, vcpu: u32, data: u64) -> ::core::ffi::c_int;
    pub fn xg_vm_init(
        vm: *mut xg_vm,
        g: *mut xg_guest,
        config: *const xg_vm_config,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_fini(vm: *mut xg_vm) -> ::core::ffi::c_int;
    pub fn xg_vm_caps(vm: *const xg_vm) -> u32;
    pub fn xg_vm_refusal(vm: *const xg_vm, what: u32) -> ::core::ffi::c_int;
    pub fn xg_vm_reserve(
        vm: *mut xg_vm,
        addr: usize,
        size: usize,
        fault: xg_vm_fault_fn,
        cookie: *mut ::core::ffi::c_void,
        reservation: *mut *mut xg_vm_reservation,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_guard(
        vm: *mut xg_vm,
        addr: usize,
        size: usize,
        reservation: *mut *mut xg_vm_reservation,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_add_pool(vm: *mut xg_vm, addr: usize, size: usize) -> ::core::ffi::c_int;
    pub fn xg_vm_reserve_anon(
        vm: *mut xg_vm,
        size: usize,
        align: usize,
        fault: xg_vm_fault_fn,
        cookie: *mut ::core::ffi::c_void,
        reservation: *mut *mut xg_vm_reservation,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_free(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> ::core::ffi::c_int;
    pub fn xg_vm_find(vm: *mut xg_vm, addr: usize) -> *mut xg_vm_reservation;
    pub fn xg_vm_find_cost(vm: *mut xg_vm, addr: usize) -> u32;
    pub fn xg_vm_verify(vm: *mut xg_vm) -> ::core::ffi::c_int;
    pub fn xg_vm_map(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        iterator: xg_vm_iterator_fn,
        cookie: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_map_now(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        iterator: xg_vm_iterator_fn,
        cookie: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_map_ram(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        zero: bool,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_map_mmio(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        paddr: u64,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_create_ram(
        vm: *mut xg_vm,
        addr: usize,
        rights: u32,
        fault: xg_vm_fault_fn,
        cookie: *mut ::core::ffi::c_void,
        reservation: *mut *mut xg_vm_reservation,
        window: *mut *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_create_mmio(
        vm: *mut xg_vm,
        addr: usize,
        rights: u32,
        fault: xg_vm_fault_fn,
        cookie: *mut ::core::ffi::c_void,
        reservation: *mut *mut xg_vm_reservation,
        window: *mut *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_fault(
        vm: *mut xg_vm,
        vcpu: *mut xg_vm_vcpu,
        addr: usize,
        size: usize,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_begin(
        vm: *mut xg_vm,
        vcpu: *mut xg_vm_vcpu,
        addr: usize,
        size: usize,
        write: bool,
        data: u64,
    );
    pub fn xg_vm_set_unhandled(
        vm: *mut xg_vm,
        fault: xg_vm_fault_fn,
        cookie: *mut ::core::ffi::c_void,
    ) -> ::core::ffi::c_int;
    pub fn xg_vm_answer(vcpu: *mut xg_vm_vcpu, data: u64) -> ::core::ffi::c_int;
    pub fn xg_vm_retry(vcpu: *mut xg_vm_vcpu) -> ::core::ffi::c_int;
    pub fn xg_vm_serve(vm: *mut xg_vm) -> u32;
}
pub const XG_FOREVER: u64 = 18446744073709551615;
pub const XG_VM_FRAME_NONE: u32 = 0;
pub const XG_VM_FRAME_PRESENT: u32 = 2;
pub const XG_VM_FRAME_RAM: u32 = 1;
