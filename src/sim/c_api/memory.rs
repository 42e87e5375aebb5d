// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's memory: its windows, pages and frames.

use std::ffi::c_void;

use super::domain::XgSimDomain;
use super::{check, guard, put, the};
use crate::sim::Frame;
use crate::{Error, Gfn, Platform, ffi};

/// The domain's RAM, all of it accessible from the start.
pub const XG_SIM_RAM: u32 = 0;
/// 16 MiB of empty frames, for the grant table and the shared-info page.
pub const XG_SIM_GRANT_WINDOW: u32 = 1;
/// 64 MiB of empty frames above RAM, for pages of other domains.
pub const XG_SIM_EXTENDED: u32 = 2;

/// Nothing.
pub const XG_SIM_EMPTY: i32 = 0;
/// A page of the domain's own, or one that Xen shares with it.
pub const XG_SIM_OWN: i32 = 1;
/// A page that another domain granted.
pub const XG_SIM_GRANT: i32 = 2;
/// A page of another domain, or of one of its resources.
pub const XG_SIM_FOREIGN: i32 = 3;
/// A page of a device.
pub const XG_SIM_DEVICE: i32 = 4;

/// Where a part of the domain's memory is: XG_SIM_RAM, XG_SIM_GRANT_WINDOW or
/// XG_SIM_EXTENDED. Frames and addresses of a domain belong together for good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_window(
    domain: *const XgSimDomain,
    which: u32,
    window: *mut ffi::xg_window,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        let found = match which {
            XG_SIM_RAM => domain.ram(),
            XG_SIM_GRANT_WINDOW => domain.grant_window(),
            XG_SIM_EXTENDED => domain.extended_region(),
            _ => return Err(Error::Invalid),
        };
        let found = ffi::xg_window {
            va: found.va.cast(),
            gfn: found.gfn.raw(),
            pages: found.pages,
        };
        // SAFETY: as the caller promises.
        unsafe { put(window, found) }?;
        Ok(0)
    })
}

/// Take `pages` consecutive pages of the domain's RAM, with whatever is in
/// them: the platform's page_alloc hook. Null if there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_page_alloc(domain: *const XgSimDomain, pages: u32) -> *mut c_void {
    guard(|| {
        // SAFETY: as the caller promises.
        let domain = unsafe { the(domain) };
        domain.map_or(std::ptr::null_mut(), |domain| {
            domain.domain.page_alloc(pages).cast()
        })
    })
}

/// Give pages back that xg_sim_page_alloc() or the hook returned. -XG_EINVAL,
/// with nothing changed: not handed out, or a peer has one mapped, or Xen
/// writes to it. The domain may not be using them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_page_free(
    domain: *const XgSimDomain,
    va: *mut c_void,
    pages: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        let gfn = domain.virt_to_gfn(va.cast()).ok_or(Error::Invalid)?;
        let freed = domain.free_pages(gfn.raw(), pages as usize, true);
        freed.map(|()| 0).map_err(|_| Error::Invalid)
    })
}

/// Take `pages` consecutive empty frames of the extended region, the lowest
/// that are free: their address, at which nothing is accessible yet. Null if
/// there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_empty_pages(domain: *const XgSimDomain, pages: u32) -> *mut c_void {
    guard(|| {
        // SAFETY: as the caller promises.
        let empty = unsafe { the(domain) }
            .ok()
            .and_then(|domain| domain.domain.empty_pages(pages));
        empty.map_or(std::ptr::null_mut(), |empty| empty.va().as_ptr().cast())
    })
}

/// Give empty frames back. -XG_EINVAL, with nothing changed: not of
/// xg_sim_empty_pages(), or not empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_return_empty_pages(
    domain: *const XgSimDomain,
    va: *mut c_void,
    pages: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        let given = domain.give_empty(va as usize, pages);
        given.map(|()| 0).map_err(|_| Error::Invalid)
    })
}

/// The frame of an address of the domain's memory, to *gfn. -XG_EFAULT: there
/// is none. What is at the address is not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_gfn(
    domain: *const XgSimDomain,
    va: *const c_void,
    gfn: *mut u64,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let found = unsafe { the(domain) }?.domain.virt_to_gfn(va.cast());
        // SAFETY: as the caller promises.
        unsafe { put(gfn, found.ok_or(Error::BadAddress)?.raw()) }?;
        Ok(0)
    })
}

/// What a frame of the domain holds at this moment: XG_SIM_EMPTY, XG_SIM_OWN,
/// XG_SIM_GRANT, XG_SIM_FOREIGN or XG_SIM_DEVICE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_frame(domain: *const XgSimDomain, gfn: u64) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        Ok(match domain.frame(Gfn::new(gfn)) {
            Frame::Empty => XG_SIM_EMPTY,
            Frame::Own(_) => XG_SIM_OWN,
            Frame::Grant(_) => XG_SIM_GRANT,
            Frame::Foreign(_) => XG_SIM_FOREIGN,
            Frame::Device(_) => XG_SIM_DEVICE,
        })
    })
}

/// Give the domain more RAM, as its toolstack would: `pages` pages at empty
/// frames of its windows from `gfn` on, accessible and zero, in excess of what
/// it could have before.
///
///   -XG_EFAULT  not all of the frames are in a window, or RAM's place
///   -XG_EBUSY   one of them holds something
///   -XG_ENOMEM  machine memory is used up
///   -XG_EINVAL  a direct-mapped domain
///   -XG_ESRCH   the domain is dead
/// with nothing changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_populate(domain: *const XgSimDomain, gfn: u64, pages: u32) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        domain.populate(Gfn::new(gfn), pages).map(|()| 0)
    })
}
