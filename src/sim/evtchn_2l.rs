// SPDX-License-Identifier: MIT OR Apache-2.0
//! The 2-level ABI: a bit per port in the shared-info page, and a selector
//! of words per vCPU.

use std::sync::atomic::Ordering::SeqCst;

use super::state::DomainState;

const WORD_BITS: u32 = 64;

impl DomainState {
    /// The order of the steps is the protocol.
    pub(super) fn set_pending_2l(&mut self, port: u32, vcpu: u32) {
        let (word, bit) = self.shared_info.pending(port);
        if word.fetch_or(bit, SeqCst) & bit != 0 {
            return;
        }
        let (word, bit) = self.shared_info.mask(port);
        if word.load(SeqCst) & bit == 0 {
            self.select(port, vcpu);
        }
        // Pollers are woken even where the port is masked.
        self.wake_pollers(port);
    }

    /// Sets the selector's bit for the port, and the upcall flag after it.
    fn select(&mut self, port: u32, vcpu: u32) {
        let bit = 1 << (port / WORD_BITS);
        let selector = self.cpus.info(vcpu).selector();
        if selector.fetch_or(bit, SeqCst) & bit == 0 {
            self.mark_events_pending(vcpu);
        }
    }

    pub(super) fn clear_pending_2l(&self, port: u32) {
        // The mask bit is left as it is.
        let (word, bit) = self.shared_info.pending(port);
        word.fetch_and(!bit, SeqCst);
    }

    pub(super) fn unmask_2l(&mut self, port: u32, vcpu: u32) {
        let (word, bit) = self.shared_info.mask(port);
        let masked = word.fetch_and(!bit, SeqCst) & bit != 0;
        if masked && self.is_pending_2l(port) {
            self.select(port, vcpu);
        }
    }

    pub(super) fn is_pending_2l(&self, port: u32) -> bool {
        let (word, bit) = self.shared_info.pending(port);
        word.load(SeqCst) & bit != 0
    }
}
