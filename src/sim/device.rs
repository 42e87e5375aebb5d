// SPDX-License-Identifier: MIT OR Apache-2.0
//! Device memory: registers of the machine that domains can be given.

use std::fmt;
use std::sync::atomic::Ordering::SeqCst;

use super::Hypervisor;
use super::machine::Use;
use crate::ffi::abi;

/// The registers of a device of the machine: memory that is no domain's RAM.
/// Control domains may map them (`XEN_DOMCTL_memory_mapping`), and permit
/// others to have them mapped.
pub struct Device {
    hypervisor: Hypervisor,
    frame: u64,
    pages: u64,
}

impl Hypervisor {
    /// Adds a device with `pages` pages of registers, all zero, for good.
    ///
    /// # Panics
    ///
    /// If there are to be none, or machine memory runs out.
    pub fn create_device(&self, pages: u64) -> Device {
        assert!(pages > 0, "simulated Xen: a device without registers");
        let mut state = self.state();
        let machine = state.machine.clone();
        let owner = abi::DOMID_IO as u16;
        let frame = state.frames.alloc(&machine, owner, Use::Device, pages);
        let frame = frame.expect("simulated Xen: out of machine memory");
        state.devices.extend(frame..frame + pages);
        for domain in state.domains.values_mut().filter(|d| d.privileged) {
            domain.iomem.extend(frame..frame + pages);
        }
        drop(state);
        Device {
            hypervisor: self.clone(),
            frame,
            pages,
        }
    }
}

impl Device {
    /// Its first machine frame.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// The register at `offset`, in bytes from its start.
    ///
    /// # Panics
    ///
    /// If that is not aligned or outside of it.
    pub fn read(&self, offset: usize) -> u32 {
        self.register(offset, |register| register.load(SeqCst))
    }

    /// Writes the register at `offset`.
    ///
    /// # Panics
    ///
    /// If that is not aligned or outside of it.
    pub fn write(&self, offset: usize, value: u32) {
        self.register(offset, |register| register.store(value, SeqCst));
    }

    fn register<T>(&self, offset: usize, access: impl Fn(&std::sync::atomic::AtomicU32) -> T) -> T {
        let page = (offset / crate::PAGE_SIZE) as u64;
        assert!(
            page < self.pages,
            "simulated Xen: no register at {offset:#x}"
        );
        let machine = self.hypervisor.state().machine.clone();
        access(machine.u32(self.frame + page, offset % crate::PAGE_SIZE))
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({:#x}, {} pages)", self.frame, self.pages)
    }
}
