// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest's software does to a guest-physical address: memory answers at
//! once, an emulated device in its own time, and an empty frame not at all.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::delivery::Cpus;
use super::domain::{Domain, complain};
use super::ioreq::Asked;
use super::physmap::{Entry, Kind};
use super::state::State;
use super::{Delivery, Hypervisor, PATIENCE};
use crate::PAGE_SIZE;

/// How often to look for an answer that comes without a signal to wait for.
const TICK: Duration = Duration::from_millis(1);

/// How an access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It was made. What was read; 0 of a write.
    Done(u64),
    /// Nothing is there: Xen injects a data abort.
    Abort,
    /// The domain does not run any more.
    Dead,
}

/// An access that an emulator is asked for. The vCPU does nothing else until
/// it ends.
#[must_use = "the vCPU waits for it"]
pub struct PendingAccess {
    domain: Domain,
    vcpu: u32,
    end: Option<Access>,
}

impl PendingAccess {
    /// How it ended, once it did.
    pub fn poll(&mut self) -> Option<Access> {
        if self.end.is_none() {
            let hypervisor = self.domain.hypervisor();
            let mut state = hypervisor.state();
            self.end = state.finish_io(self.domain.domid().raw(), self.vcpu);
            hypervisor.leave(state);
        }
        self.end
    }

    /// Waits for the end. Meanwhile the upcalls of the other domains run on
    /// this thread, as far as they are [deterministic](Delivery).
    ///
    /// # Panics
    ///
    /// If there is no end to it within a minute: a vCPU would hang.
    pub fn wait(mut self) -> Access {
        if let Some(end) = self.poll() {
            return end;
        }
        let shared = &self.domain.shared;
        shared
            .hypervisor
            .wait_for_io(shared.id, &shared.cpus, self.vcpu)
    }
}

impl fmt::Debug for PendingAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, vcpu, end } = self;
        write!(f, "PendingAccess({domain:?}, vCPU {vcpu}, {end:?})")
    }
}

impl Domain {
    /// What an instruction does that reads, or writes, `size` bytes at a
    /// guest-physical address. The vCPU is this thread's. Ends when it has
    /// ended.
    ///
    /// 16 bytes stand for an instruction of more than one register: nothing
    /// but memory answers it, here with the low 8.
    ///
    /// # Panics
    ///
    /// If `size` is not 1, 2, 4, 8 or 16; if the vCPU is in the middle of another
    /// access; for a write to a frame that may only be read, which on Arm is
    /// tried for ever; or after a minute without an answer.
    pub fn access(&self, address: u64, size: u32, write: Option<u64>) -> Access {
        self.begin_access(address, size, write).wait()
    }

    /// The same, without waiting for its end.
    ///
    /// # Panics
    ///
    /// As [`access`](Self::access).
    pub fn begin_access(&self, address: u64, size: u32, write: Option<u64>) -> PendingAccess {
        assert!(
            matches!(size, 1 | 2 | 4 | 8 | 16),
            "simulated Xen: an access of {size} bytes"
        );
        let vcpu = self.shared.cpus.here();
        let asked = Asked {
            address,
            size,
            write,
        };
        let mut state = self.shared.hypervisor.state();
        let result = state.access(self.shared.id, vcpu, asked);
        self.shared.hypervisor.leave(state);
        match result {
            Ok(end) => PendingAccess {
                domain: self.clone(),
                vcpu,
                end,
            },
            Err(what) => complain(self, format_args!("access to {address:#x}: {what}")),
        }
    }

    /// The level of an interrupt that an emulator raises and lowers.
    pub fn irq_level(&self, irq: u32) -> bool {
        let state = self.shared.hypervisor.state();
        let domain = state.domains.get(&self.shared.id);
        domain.is_some_and(|domain| domain.irqs.contains(&irq))
    }
}

impl State {
    /// How an access ends, if it does so at once.
    fn access(
        &mut self,
        dom: u16,
        vcpu: u32,
        asked: Asked,
    ) -> Result<Option<Access>, &'static str> {
        let Some(domain) = self.domains.get(&dom) else {
            return Ok(Some(Access::Dead));
        };
        if domain.dying || domain.shutdown.is_some() {
            return Ok(Some(Access::Dead));
        }
        if domain.vcpus[vcpu as usize].io.asked.is_some() {
            return Err("the vCPU waits for another one");
        }
        let entry = domain.physmap.get(asked.address / PAGE_SIZE as u64);
        if let Some(entry) = entry {
            return self.access_memory(dom, entry, asked).map(Some);
        }
        if asked.size <= 8 && self.ask(dom, vcpu, asked) {
            Ok(None)
        } else {
            Ok(Some(Access::Abort))
        }
    }

    fn access_memory(&self, dom: u16, entry: Entry, asked: Asked) -> Result<Access, &'static str> {
        let writable = match entry.kind {
            Kind::Ram | Kind::Device => true,
            Kind::Grant { write } | Kind::Foreign { write } => write,
        };
        if asked.write.is_some() && !writable {
            return Err("a write to a read-only frame, which never ends");
        }
        let mut value = 0;
        for index in 0..u64::from(asked.size.min(8)) {
            let at = asked.address.wrapping_add(index);
            let gfn = at / PAGE_SIZE as u64;
            let Some(entry) = self.domain(dom).ok().and_then(|d| d.physmap.get(gfn)) else {
                return Err("it goes beyond the memory that is there");
            };
            let byte = self.machine.u8(entry.mfn, at as usize % PAGE_SIZE);
            match asked.write {
                Some(data) => byte.store((data >> (8 * index)) as u8, SeqCst),
                None => value |= u64::from(byte.load(SeqCst)) << (8 * index),
            }
        }
        Ok(Access::Done(value))
    }
}

impl Hypervisor {
    /// Waits until a vCPU is no longer kept by an emulator.
    pub(super) fn wait_for_io(&self, dom: u16, own: &Cpus, vcpu: u32) -> Access {
        let start = Instant::now();
        loop {
            assert!(
                start.elapsed() < PATIENCE,
                "simulated Xen: d{dom}v{vcpu} hangs: an emulator does not answer"
            );
            let ran = self.deliver_to_others(own);
            let mut state = self.state();
            let end = state.finish_io(dom, vcpu);
            if let Some(end) = end {
                self.leave(state);
                return end;
            }
            // Whoever is to hear of something hears it before this thread waits.
            if ran > 0 || state.wake || !state.raised.is_empty() {
                self.leave(state);
            } else {
                let woken = self.inner.events.wait_timeout(state, TICK);
                drop(woken.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Runs what is due of the deterministic domains but one; how often.
    fn deliver_to_others(&self, own: &Cpus) -> usize {
        let others: std::vec::Vec<_> = {
            let state = self.state();
            let domains = state.domains.values();
            domains.map(|domain| domain.cpus.clone()).collect()
        };
        others
            .iter()
            .filter(|cpus| !std::ptr::eq(&raw const ***cpus, own))
            .filter(|cpus| cpus.delivery() == Delivery::Deterministic)
            .map(|cpus| cpus.deliver_all())
            .sum()
    }
}
