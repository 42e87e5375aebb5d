// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of a shared-info page and of a vCPU's own structure, as the
//! hypervisor reaches them.

use std::mem::{offset_of, size_of};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::machine::Machine;
use crate::PAGE_SIZE;
use crate::ffi::abi;

const WORD_BITS: u32 = 64;

/// The page exists, and collects events, before the guest maps it.
pub(super) struct SharedInfo {
    machine: Arc<Machine>,
    mfn: u64,
}

const _: () = assert!(size_of::<abi::shared_info>() <= PAGE_SIZE);

/// Where vCPU 0's structure is. The other vCPUs have none there on Arm.
const VCPU: usize = offset_of!(abi::shared_info, vcpu_info);

impl SharedInfo {
    pub(super) fn new(machine: Arc<Machine>, mfn: u64) -> Self {
        Self { machine, mfn }
    }

    pub(super) fn mfn(&self) -> u64 {
        self.mfn
    }

    fn word(&self, offset: usize, index: u32) -> &AtomicU64 {
        self.machine.u64(self.mfn, offset + index as usize * 8)
    }

    /// The word with the port's pending bit, and the bit.
    pub(super) fn pending(&self, port: u32) -> (&AtomicU64, u64) {
        let word = self.word(
            offset_of!(abi::shared_info, evtchn_pending),
            port / WORD_BITS,
        );
        (word, 1 << (port % WORD_BITS))
    }

    /// The word with the port's mask bit, and the bit.
    pub(super) fn mask(&self, port: u32) -> (&AtomicU64, u64) {
        let word = self.word(offset_of!(abi::shared_info, evtchn_mask), port / WORD_BITS);
        (word, 1 << (port % WORD_BITS))
    }
}

/// A vCPU's structure: in the shared-info page, where the guest registered
/// it, or nowhere yet, which is a structure that only Xen sees.
pub(super) struct VcpuInfo {
    machine: Arc<Machine>,
    /// Machine address, or `NOWHERE`.
    place: AtomicU64,
    dummy: (AtomicU8, AtomicU64),
}

const NOWHERE: u64 = u64::MAX;

impl VcpuInfo {
    /// Of vCPU `vcpu` of the domain with this shared-info page.
    pub(super) fn new(machine: Arc<Machine>, shared_info: u64, vcpu: u32) -> Self {
        let place = match vcpu {
            0 => shared_info * PAGE_SIZE as u64 + VCPU as u64,
            _ => NOWHERE,
        };
        Self {
            machine,
            place: AtomicU64::new(place),
            dummy: Default::default(),
        }
    }

    fn place(&self) -> Option<(u64, usize)> {
        let place = self.place.load(Ordering::Acquire);
        let page = PAGE_SIZE as u64;
        (place != NOWHERE).then_some((place / page, (place % page) as usize))
    }

    /// Whether the guest can see it.
    pub(super) fn visible(&self) -> bool {
        self.place().is_some()
    }

    /// The selector of words with pending events.
    pub(super) fn selector(&self) -> &AtomicU64 {
        match self.place() {
            Some((mfn, offset)) => self
                .machine
                .u64(mfn, offset + offset_of!(abi::vcpu_info, evtchn_pending_sel)),
            None => &self.dummy.1,
        }
    }

    pub(super) fn upcall_pending(&self) -> &AtomicU8 {
        match self.place() {
            Some((mfn, offset)) => self.machine.u8(
                mfn,
                offset + offset_of!(abi::vcpu_info, evtchn_upcall_pending),
            ),
            None => &self.dummy.0,
        }
    }

    /// Moves it to a place of the guest's: with its contents, or zeroed if
    /// the guest could not see it.
    pub(super) fn move_to(&self, mfn: u64, offset: usize) {
        let bytes = size_of::<abi::vcpu_info>();
        match self.place() {
            Some(old) => self.machine.copy(old, (mfn, offset), bytes),
            None => (offset..offset + bytes)
                .for_each(|at| self.machine.u8(mfn, at).store(0, Ordering::Relaxed)),
        }
        let place = mfn * PAGE_SIZE as u64 + offset as u64;
        self.place.store(place, Ordering::Release);
    }
}
