// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hooks, checked: what would go wrong quietly on a machine panics here.

use super::domain::{Domain, INJECTED, complain};
use super::fault::{Hook, Place};
use crate::platform::Hypercall;
use crate::{Gfn, PAGE_SIZE, Platform, Protection, Result};

impl Domain {
    fn frame_of(&self, va: *const u8) -> Option<u64> {
        let gfn = self.shared.space.gfn(va as usize)?;
        self.shared.layout.exists(gfn).then_some(gfn)
    }

    /// The frames of a range that a hook is to work on.
    fn frames_of(&self, what: &str, va: *mut u8, pages: u32) -> u64 {
        if !(va as usize).is_multiple_of(PAGE_SIZE) || pages == 0 {
            complain(
                self,
                format_args!("{what} of {pages} pages at {va:p}: no whole pages"),
            );
        }
        match self.frame_of(va) {
            Some(gfn) => gfn,
            None => complain(
                self,
                format_args!("{what} of {pages} pages at {va:p}: outside RAM and every window"),
            ),
        }
    }

    fn injected(&self, hook: Hook) -> bool {
        let mut state = self.shared.hypervisor.state();
        state
            .domains
            .get_mut(&self.shared.id)
            .is_some_and(|domain| domain.faults.hit(Place::Hook(hook)).is_some())
    }
}

// SAFETY: mappings, frame numbers and memory are those of the simulated
// machine, in which a domain's address and frame numbers belong together for
// good. `lock` keeps the calling vCPU's upcall from starting, and `cpu_id`
// names a vCPU only where nothing of it runs on another thread.
unsafe impl Platform for Domain {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|domain, op, args| {
        // SAFETY: as the hook's caller promises.
        unsafe { domain.hypercall(op, args) }
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        self.frame_of(va).map(Gfn::new)
    }

    unsafe fn map(&self, va: *mut u8, gfn: Gfn, pages: u32, prot: Protection) -> Result {
        let first = self.frames_of("map", va, pages);
        if first != gfn.raw() {
            complain(
                self,
                format_args!("map of {gfn:?} at {va:p}, where frame {first:#x} belongs"),
            );
        }
        if self.injected(Hook::Map) {
            return Err(INJECTED);
        }
        let result = {
            let mut state = self.shared.hypervisor.state();
            match state.domains.get_mut(&self.shared.id) {
                Some(domain) if !domain.dying => {
                    domain
                        .physmap
                        .stage1_map(first, u64::from(pages), prot.write)
                }
                _ => Ok(()),
            }
        };
        if let Err(what) = result {
            complain(self, format_args!("map of {pages} pages at {va:p}: {what}"));
        }
        Ok(())
    }

    unsafe fn unmap(&self, va: *mut u8, pages: u32) -> Result {
        let first = self.frames_of("unmap", va, pages);
        if self.injected(Hook::Unmap) {
            return Err(INJECTED);
        }
        let result = {
            let mut state = self.shared.hypervisor.state();
            match state.domains.get_mut(&self.shared.id) {
                Some(domain) if !domain.dying => {
                    domain.physmap.stage1_unmap(first, u64::from(pages))
                }
                _ => Ok(()),
            }
        };
        if let Err(what) = result {
            complain(
                self,
                format_args!("unmap of {pages} pages at {va:p}: {what}"),
            );
        }
        Ok(())
    }

    fn page_alloc(&self, pages: u32) -> *mut u8 {
        if self.injected(Hook::PageAlloc) {
            return std::ptr::null_mut();
        }
        let mut state = self.shared.hypervisor.state();
        let gfn = state
            .domains
            .get_mut(&self.shared.id)
            .and_then(|domain| domain.pages.take_ram(pages as usize));
        match gfn {
            Some(gfn) => self.shared.space.va(gfn),
            None => std::ptr::null_mut(),
        }
    }

    unsafe fn page_free(&self, va: *mut u8, pages: u32) {
        let gfn = self.frames_of("page_free", va, pages);
        if let Err(what) = self.free_pages(gfn, pages as usize, true) {
            complain(self, format_args!("{what}"));
        }
    }

    fn lock(&self) -> usize {
        self.shared.cpus.lock();
        0
    }

    unsafe fn unlock(&self, _state: usize) {
        self.shared.cpus.unlock();
    }

    fn cpu_id(&self) -> Option<u32> {
        self.shared.cpus.certain()
    }

    fn relax(&self) {
        std::thread::yield_now();
    }
}
