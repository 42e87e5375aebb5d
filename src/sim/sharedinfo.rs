// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of a shared-info page, as the hypervisor reaches them.

use std::mem::{offset_of, size_of};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64};

use super::machine::Machine;
use crate::ffi::abi;

const WORD_BITS: u32 = 64;

/// The page exists, and collects events, before the guest maps it.
pub(super) struct SharedInfo {
    machine: Arc<Machine>,
    mfn: u64,
}

const _: () = assert!(size_of::<abi::shared_info>() <= crate::PAGE_SIZE);

/// Where vCPU 0's structure is.
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

    /// The selector, and the bit for the port's word.
    pub(super) fn selector(&self, port: u32) -> (&AtomicU64, u64) {
        let offset = VCPU + offset_of!(abi::vcpu_info, evtchn_pending_sel);
        (self.word(offset, 0), 1 << (port / WORD_BITS))
    }

    pub(super) fn upcall_pending(&self) -> &AtomicU8 {
        let offset = VCPU + offset_of!(abi::vcpu_info, evtchn_upcall_pending);
        self.machine.u8(self.mfn, offset)
    }
}
