// SPDX-License-Identifier: MIT OR Apache-2.0
//! What guests can reach, seen from the host: the kernel is asked, so that
//! nothing has to crash.

use std::ptr::NonNull;

use super::{Domain, DomainConfig, Hook, Hypervisor};
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Platform, Protection};

const RW: Protection = Protection { write: true };
const RO: Protection = Protection { write: false };

/// Whether the byte at `va` can be read, and written.
fn access(va: *mut u8) -> (bool, bool) {
    let mut ends = [0; 2];
    // SAFETY: the kernel checks the address, and says if it is a bad one; the
    // byte that is written is the one that was read.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        let readable = libc::write(ends[1], va.cast(), 1) == 1;
        let writable = readable && libc::read(ends[0], va.cast(), 1) == 1;
        libc::close(ends[0]);
        libc::close(ends[1]);
        (readable, writable)
    }
}

fn hypercall<T>(domain: &Domain, op: u32, cmd: u32, arg: &mut T) -> isize {
    let arg = std::ptr::from_mut(arg) as usize;
    // SAFETY: the argument is the structure that the operation takes.
    unsafe { domain.hypercall(op, [cmd as usize, arg, 0, 0, 0]) }
}

fn add_shared_info(domain: &Domain, gfn: u64) -> isize {
    let mut op = abi::xen_add_to_physmap {
        domid: abi::DOMID_SELF as u16,
        size: 0,
        space: abi::XENMAPSPACE_shared_info,
        idx: 0,
        gpfn: gfn,
    };
    hypercall(
        domain,
        abi::__HYPERVISOR_memory_op,
        abi::XENMEM_add_to_physmap,
        &mut op,
    )
}

fn remove(domain: &Domain, gfn: u64) -> isize {
    let mut op = abi::xen_remove_from_physmap {
        domid: abi::DOMID_SELF as u16,
        gpfn: gfn,
    };
    hypercall(
        domain,
        abi::__HYPERVISOR_memory_op,
        abi::XENMEM_remove_from_physmap,
        &mut op,
    )
}

#[test]
fn a_frame_is_reached_where_both_stages_allow_it() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let window = domain.grant_window();
    let (va, gfn) = (window.va, window.gfn);
    assert_eq!(access(va), (false, false));
    assert_eq!(add_shared_info(&domain, gfn.raw()), 0);
    assert_eq!(access(va), (false, false), "not in the guest's page tables");
    // SAFETY: a window of this domain that nothing else uses.
    unsafe {
        domain.map(va, gfn, 1, RW).unwrap();
        assert_eq!(access(va), (true, true));
        domain.map(va, gfn, 1, RW).unwrap();
        domain.unmap(va, 1).unwrap();
        assert_eq!(access(va), (false, false));
        domain.map(va, gfn, 1, RO).unwrap();
    }
    assert_eq!(access(va), (true, false));
    assert_eq!(remove(&domain, gfn.raw()), 0);
    assert_eq!(access(va), (false, false), "not in the physmap");
    let ram = domain.ram();
    assert_eq!(access(ram.va), (true, true));
    let last = ram.va.wrapping_add((ram.pages as usize - 1) * PAGE_SIZE);
    assert_eq!(access(last), (true, true));
    assert_eq!(access(last.wrapping_add(PAGE_SIZE)), (false, false));
    assert_eq!(remove(&domain, ram.gfn.raw()), 0);
    assert_eq!(access(ram.va), (false, false));
    assert_eq!(xen.leaks().lost_pages, 1);
    domain.destroy();
    assert_eq!(access(last), (false, false));
}

#[test]
fn addresses_and_frames_correspond() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default().with_ram_pages(513));
    for window in [
        domain.grant_window(),
        domain.ram(),
        domain.extended_region(),
    ] {
        let end = window.va.wrapping_add(window.pages as usize * PAGE_SIZE);
        let last = domain.virt_to_gfn(end.wrapping_sub(1)).unwrap().raw();
        assert_eq!(domain.virt_to_gfn(window.va), Some(window.gfn));
        assert_eq!(last, window.gfn.raw() + u64::from(window.pages) - 1);
        assert_eq!(domain.virt_to_gfn(window.va.wrapping_sub(1)), None);
        assert_eq!(domain.virt_to_gfn(end), None);
    }
    assert_eq!(domain.grant_window().gfn.raw(), 0x38000);
    assert_eq!(domain.ram().gfn.raw(), 0x40000);
    assert_eq!(domain.extended_region().gfn.raw(), 0x40400);
    let on_the_host = 0u8;
    assert_eq!(domain.virt_to_gfn(&on_the_host), None);
}

#[test]
fn hooks_fail_on_request() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let window = domain.grant_window();
    xen.fail_hook(domain.domid(), Hook::Map, 1);
    xen.fail_hook(domain.domid(), Hook::Unmap, 1);
    xen.fail_hook(domain.domid(), Hook::PageAlloc, 2);
    // SAFETY: a window of this domain that nothing else uses; the page is
    // freed once.
    unsafe {
        let map = || domain.map(window.va, window.gfn, 1, RW);
        assert_eq!(map(), Err(Error::NoMemory));
        assert_eq!(map(), Ok(()));
        assert_eq!(domain.unmap(window.va, 1), Err(Error::NoMemory));
        assert_eq!(domain.unmap(window.va, 1), Ok(()));
        let page = domain.page_alloc(1);
        assert!(NonNull::new(page).is_some());
        assert!(domain.page_alloc(1).is_null());
        assert_eq!(xen.leaks().pages, 1);
        domain.page_free(page, 1);
    }
    assert_eq!(xen.faults_left(domain.domid()), 0);
    assert!(xen.leaks().is_zero());
}

/// The message of a panic.
fn complaint(what: impl FnOnce()) -> std::string::String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(what)).unwrap_err();
    match panic.downcast::<std::string::String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().unwrap()).into(),
    }
}

#[test]
fn misuse_of_hooks_is_punished() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default().with_ram_pages(1000));
    let (grant, ram) = (domain.grant_window(), domain.ram());
    let past = ram
        .va
        .wrapping_add(ram.pages as usize * PAGE_SIZE)
        .wrapping_sub(PAGE_SIZE);
    // SAFETY: wrong on purpose, which is found before anything is done.
    unsafe {
        let text = complaint(|| _ = domain.unmap(grant.va, 1));
        assert!(text.contains("not mapped"), "{text}");
        let text = complaint(|| _ = domain.map(past, domain.virt_to_gfn(past).unwrap(), 2, RW));
        assert!(text.contains("outside"), "{text}");
        let text = complaint(|| _ = domain.map(grant.va, ram.gfn, 1, RW));
        assert!(text.contains("belongs"), "{text}");
        let text = complaint(|| _ = domain.map(grant.va.wrapping_add(1), grant.gfn, 1, RW));
        assert!(text.contains("no whole pages"), "{text}");
        domain.map(grant.va, grant.gfn, 1, RW).unwrap();
        let text = complaint(|| _ = domain.map(grant.va, grant.gfn, 1, RO));
        assert!(text.contains("another protection"), "{text}");
        let page = domain.page_alloc(1);
        domain.page_free(page, 1);
        let text = complaint(|| domain.page_free(page, 1));
        assert!(text.contains("double free"), "{text}");
        let text = complaint(|| domain.unlock(0));
        assert!(text.contains("does not hold"), "{text}");
        let held = domain.lock();
        let text = complaint(|| _ = domain.lock());
        assert!(text.contains("twice"), "{text}");
        domain.unlock(held);
    }
    let empty = domain.empty_pages(3).unwrap();
    let other = xen.create_domain(DomainConfig::default());
    let text = complaint(|| other.return_empty_pages(empty));
    assert!(text.contains("not this domain's"), "{text}");
}
