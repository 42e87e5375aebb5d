// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults on purpose.

use super::domain::XgSimDomain;
use super::{check, the};
use crate::sim::{Hook, Hypervisor};
use crate::{DomId, Error};

/// The platform's map hook.
pub const XG_SIM_HOOK_MAP: u32 = 0;
/// The platform's unmap hook.
pub const XG_SIM_HOOK_UNMAP: u32 = 1;
/// The platform's page_alloc hook, and xg_sim_page_alloc().
pub const XG_SIM_HOOK_PAGE_ALLOC: u32 = 2;

/// Adds what the domain's `n`-th something is to meet, if there is such a one.
///
/// # Safety
///
/// As for [`the`].
unsafe fn inject(
    domain: *const XgSimDomain,
    n: u64,
    fault: impl FnOnce(&Hypervisor, DomId),
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        if n == 0 {
            return Err(Error::Invalid);
        }
        fault(domain.hypervisor(), domain.domid());
        Ok(0)
    })
}

/// Let the domain's `n`-th hypercall from now on (the next is 1) fail: it does
/// nothing, and its result is the negative of `error`, whose sign is ignored.
/// -XG_EINVAL: `n` or `error` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_fail_hypercall(
    domain: *const XgSimDomain,
    n: u64,
    error: i32,
) -> i32 {
    let Some(error) = error.checked_abs().filter(|error| *error > 0) else {
        return Error::Invalid.raw();
    };
    // SAFETY: as the caller promises.
    unsafe { inject(domain, n, |xen, id| xen.fail_hypercall(id, n, error)) }
}

/// Let the domain's `n`-th call of a hook from now on fail, with nothing done:
/// XG_SIM_HOOK_MAP, XG_SIM_HOOK_UNMAP or XG_SIM_HOOK_PAGE_ALLOC. The first two
/// return -XG_ENOMEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_fail_hook(domain: *const XgSimDomain, hook: u32, n: u64) -> i32 {
    let hook = match hook {
        XG_SIM_HOOK_MAP => Hook::Map,
        XG_SIM_HOOK_UNMAP => Hook::Unmap,
        XG_SIM_HOOK_PAGE_ALLOC => Hook::PageAlloc,
        _ => return Error::Invalid.raw(),
    };
    // SAFETY: as the caller promises.
    unsafe { inject(domain, n, |xen, id| xen.fail_hook(id, hook, n)) }
}

/// Let the `n`-th single mapping of a grant from now on fail with `status`
/// (GNTST_*, xen/grant_table.h).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_fail_grant_map(
    domain: *const XgSimDomain,
    n: u64,
    status: i16,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { inject(domain, n, |xen, id| xen.fail_grant_map(id, n, status)) }
}

/// Let the `n`-th single unmapping of a grant from now on fail with `status`;
/// the mapping stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_fail_grant_unmap(
    domain: *const XgSimDomain,
    n: u64,
    status: i16,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { inject(domain, n, |xen, id| xen.fail_grant_unmap(id, n, status)) }
}

/// How many faults of the domain have not happened yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_faults_left(domain: *const XgSimDomain) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        let left = domain.hypervisor().faults_left(domain.domid());
        Ok(i32::try_from(left).unwrap_or(i32::MAX))
    })
}

/// Take back all faults of the domain that have not happened yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_clear_faults(domain: *const XgSimDomain) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        domain.hypervisor().clear_faults(domain.domid());
        Ok(0)
    })
}
