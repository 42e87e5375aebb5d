// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a peer can do to a guest without the library's help: it is not bound
//! to anything but Xen's rules.

use std::ffi::c_void;

use super::domain::XgSimDomain;
use super::{check, core, guard, put, the};
use crate::ffi::abi;
use crate::sim::{Domain, Frame};
use crate::{Error, PAGE_SIZE, Platform, Protection, Result};

/// A hypercall of the domain, as its firmware would make it: number and
/// arguments as in xen/xen.h, Xen's result. Upcalls that are due run before it
/// returns.
///
/// Every address among the arguments, and in structures that they point to, is
/// null or what the operation needs. Addresses of the domain's own memory are
/// checked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_hypercall(
    domain: *const XgSimDomain,
    op: u32,
    a0: usize,
    a1: usize,
    a2: usize,
    a3: usize,
    a4: usize,
) -> isize {
    guard(|| {
        // SAFETY: as the caller promises.
        match unsafe { the(domain) } {
            // SAFETY: as the caller promises.
            Ok(domain) => unsafe { domain.domain.hypercall(op, [a0, a1, a2, a3, a4]) },
            Err(error) => error.raw() as isize,
        }
    })
}

/// # Safety
///
/// `argument` is what the operation takes.
unsafe fn call<T>(domain: &Domain, op: u32, command: u32, argument: &mut T) -> Result<()> {
    let address = std::ptr::from_mut(argument) as usize;
    // The last one counts the elements of grant-table operations.
    // SAFETY: as the caller promises.
    let result = unsafe { domain.hypercall(op, [command as usize, address, 1, 0, 0]) };
    core(i32::try_from(result).unwrap_or(i32::MAX)).map(drop)
}

/// Notify a port of the domain `times` times, without the library. 0, or the
/// first error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_storm(domain: *const XgSimDomain, port: u32, times: u32) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        for _ in 0..times {
            let (op, command) = (abi::__HYPERVISOR_event_channel_op, abi::EVTCHNOP_send);
            // SAFETY: the operation's own argument.
            unsafe { call(domain, op, command, &mut abi::evtchn_send { port }) }?;
        }
        Ok(0)
    })
}

/// Map grant `gref` of domain `owner` at an empty frame of this domain and
/// make it accessible, without the library: the address goes to *va, the
/// handle to *handle. Nothing but xg_sim_unmap_grant(), or the domain's death,
/// ends it.
///
///   -XG_EACCES  Xen does not map it: not granted to this domain, or not for
///               writing, or no such domain
///   -XG_ENOMEM  no empty frame is left
///   -XG_EINVAL  null pointers
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_map_grant(
    domain: *const XgSimDomain,
    owner: u16,
    gref: u32,
    readonly: bool,
    va: *mut *mut c_void,
    handle: *mut u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        if va.is_null() || handle.is_null() {
            return Err(Error::Invalid);
        }
        let empty = domain.empty_pages(1).ok_or(Error::NoMemory)?;
        let at = empty.va().as_ptr();
        let mut op = abi::gnttab_map_grant_ref {
            host_addr: frame_address(domain, at)?,
            flags: abi::GNTMAP_host_map | if readonly { abi::GNTMAP_readonly } else { 0 },
            ref_: gref,
            dom: owner,
            ..Default::default()
        };
        let (number, command) = (
            abi::__HYPERVISOR_grant_table_op,
            abi::GNTTABOP_map_grant_ref,
        );
        // SAFETY: the operation's own argument.
        let called = unsafe { call(domain, number, command, &mut op) };
        let mapped = match called {
            Ok(()) if op.status == 0 => Ok(()),
            Ok(()) => Err(Error::WrongKind),
            Err(error) => Err(error),
        };
        let accessible = mapped.and_then(|()| {
            let gfn = domain.virt_to_gfn(at).ok_or(Error::BadAddress)?;
            let prot = Protection { write: !readonly };
            // SAFETY: a frame that was empty and is this mapping's now.
            unsafe { domain.map(at, gfn, 1, prot) }
        });
        if let Err(error) = accessible {
            if mapped.is_ok() {
                // SAFETY: nobody can have reached it.
                unsafe { unmap(domain, at, op.handle) }?;
            }
            let _ = domain.give_empty(at as usize, 1);
            return Err(error);
        }
        // SAFETY: as the caller promises.
        unsafe {
            put(va, at.cast())?;
            put(handle, op.handle)?;
        }
        Ok(0)
    })
}

/// The guest-physical address of a page.
fn frame_address(domain: &Domain, va: *const u8) -> Result<u64> {
    let gfn = domain.virt_to_gfn(va).ok_or(Error::BadAddress)?;
    Ok(gfn.raw() << PAGE_SIZE.trailing_zeros())
}

/// # Safety
///
/// Nobody uses the page.
unsafe fn unmap(domain: &Domain, va: *mut u8, handle: u32) -> Result<()> {
    let mut op = abi::gnttab_unmap_grant_ref {
        host_addr: frame_address(domain, va)?,
        handle,
        ..Default::default()
    };
    let (number, command) = (
        abi::__HYPERVISOR_grant_table_op,
        abi::GNTTABOP_unmap_grant_ref,
    );
    // SAFETY: the operation's own argument.
    unsafe { call(domain, number, command, &mut op) }?;
    if op.status == 0 {
        Ok(())
    } else {
        Err(Error::WrongKind)
    }
}

/// Undo xg_sim_map_grant(). -XG_EACCES: Xen does not know the mapping, and
/// nothing is changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_unmap_grant(
    domain: *const XgSimDomain,
    va: *mut c_void,
    handle: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        let va = va.cast::<u8>();
        if domain.frame(domain.virt_to_gfn(va).ok_or(Error::Invalid)?) == Frame::Empty {
            return Err(Error::WrongKind);
        }
        // SAFETY: as the caller promises.
        unsafe {
            unmap(domain, va, handle)?;
            Platform::unmap(domain, va, 1)?;
        }
        domain
            .give_empty(va as usize, 1)
            .map_err(|_| Error::Invalid)?;
        Ok(0)
    })
}
