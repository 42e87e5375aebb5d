// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Xen keeps of each vCPU: its structures in guest memory, and whether
//! it waits.

use std::mem::{align_of, size_of};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::evtchn::VIRQS;
use super::hypercall::{Argument, Outcome, handle};
use super::ioreq::Io;
use super::state::{DomainState, State};
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

pub(super) struct Vcpu {
    /// The ports of its virtual interrupts, 0 where there is none.
    pub(super) virqs: [u32; VIRQS as usize],
    /// Where the guest put its `vcpu_info`: a frame that Xen holds.
    pub(super) info: Option<u64>,
    /// Its accesses to emulated devices.
    pub(super) io: Io,
    /// Virtual address of the runstate area; 0 for none.
    area: usize,
    state: u32,
    /// Since when it is in that state.
    entry: u64,
    /// How long it was in each state before.
    times: [u64; 4],
}

impl Vcpu {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            virqs: [0; VIRQS as usize],
            info: None,
            io: Io::default(),
            area: 0,
            state: abi::RUNSTATE_running,
            entry: nanos(now),
            times: [0; 4],
        }
    }

    fn change(&mut self, state: u32, now: Duration) {
        let now = nanos(now);
        self.times[self.state as usize] += now.saturating_sub(self.entry);
        self.entry = now;
        self.state = state;
    }
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// A hypercall that waits.
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) vcpu: u32,
    /// Woken by an event of a port, masked or not, as well as by an upcall.
    pub(super) poll: Option<Polled>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Polled {
    /// As Xen does for all polls but those of a single port.
    Any,
    Port(u32),
}

// SAFETY: a structure of integers.
unsafe impl Argument for abi::vcpu_register_vcpu_info {}
// SAFETY: a structure of one address.
unsafe impl Argument for abi::vcpu_register_runstate_memory_area {}

impl DomainState {
    pub(super) fn check_vcpu(&self, vcpu: u32) -> Result<()> {
        if (vcpu as usize) < self.vcpus.len() {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Sets a vCPU's upcall flag, which ends whatever it waits for.
    pub(super) fn mark_events_pending(&mut self, vcpu: u32) {
        if self.cpus.raise(vcpu) {
            self.effects.raised = true;
            self.wake(|waiter| waiter.vcpu == vcpu);
        }
    }

    /// A port was set pending.
    pub(super) fn wake_pollers(&mut self, port: u32) {
        self.wake(|waiter| match waiter.poll {
            Some(Polled::Any) => true,
            Some(Polled::Port(polled)) => polled == port,
            None => false,
        });
    }

    fn wake(&mut self, which: impl Fn(&Waiter) -> bool) {
        let before = self.waiters.len();
        self.waiters.retain(|waiter| !which(waiter));
        self.effects.woken |= self.waiters.len() < before;
    }

    pub(super) fn is_waiting(&self, id: u64) -> bool {
        self.waiters.iter().any(|waiter| waiter.id == id)
    }
}

impl State {
    /// Lets a vCPU wait; the number to ask for.
    pub(super) fn start_waiting(
        &mut self,
        dom: u16,
        vcpu: u32,
        poll: Option<Polled>,
    ) -> Result<u64> {
        let id = self.next_waiter;
        self.next_waiter += 1;
        let domain = self.domain_mut(dom)?;
        domain.waiters.push(Waiter { id, vcpu, poll });
        Ok(id)
    }

    /// A vCPU gives its CPU away, or has got it back.
    pub(super) fn change_runstate(&mut self, dom: u16, vcpu: u32, state: u32) {
        let now = self.now();
        if let Some(domain) = self.domains.get_mut(&dom) {
            domain.vcpus[vcpu as usize].change(state, now);
            self.update_area(dom, vcpu, None);
        }
    }

    /// Writes the runstate where the guest wants it. Where that is nowhere,
    /// nobody hears of it.
    fn update_area(&self, dom: u16, vcpu: u32, until: Option<Duration>) {
        let Ok(domain) = self.domain(dom) else {
            return;
        };
        let vcpu = &domain.vcpus[vcpu as usize];
        let mut times = vcpu.times;
        if let Some(now) = until {
            times[vcpu.state as usize] += nanos(now).saturating_sub(vcpu.entry);
        }
        let state = u64::from(vcpu.state);
        let words = [state, vcpu.entry, times[0], times[1], times[2], times[3]];
        const { assert!(size_of::<abi::vcpu_runstate_info>() == 48) };
        if vcpu.area.is_multiple_of(align_of::<u64>()) {
            for (index, word) in words.iter().enumerate() {
                let address = vcpu.area.wrapping_add(index * 8);
                if self.check_pointer(dom, address, 8, true).is_ok() {
                    // SAFETY: aligned; the guest promised, when it registered
                    // the area, that it is writable until it says otherwise.
                    let place = unsafe { AtomicU64::from_ptr(address as *mut u64) };
                    place.store(*word, Ordering::Relaxed);
                }
            }
        } else {
            for (index, word) in words.iter().enumerate() {
                let _ = self.write_at(dom, vcpu.area, index, word);
            }
        }
    }

    pub(super) fn vcpu_op(
        &mut self,
        (caller, current): (u16, u32),
        cmd: usize,
        vcpu: usize,
        arg: usize,
    ) -> Result<Outcome> {
        let vcpu = vcpu as u32;
        self.domain(caller)?.check_vcpu(vcpu)?;
        match cmd as u32 {
            abi::VCPUOP_register_vcpu_info => {
                let op: abi::vcpu_register_vcpu_info = self.read(caller, arg)?;
                self.register_vcpu_info(caller, vcpu, &op)?;
            }
            abi::VCPUOP_register_runstate_memory_area => {
                let op: abi::vcpu_register_runstate_memory_area = self.read(caller, arg)?;
                // SAFETY: whichever member was written, it is one address.
                self.domain_mut(caller)?.vcpus[vcpu as usize].area = handle(unsafe { &op.addr.h });
                // Of others Xen adds up to this moment.
                let since = (vcpu != current).then(|| self.now());
                self.update_area(caller, vcpu, since);
            }
            // All that a domain on Arm has.
            _ => return Err(Error::Invalid),
        }
        Ok(Outcome::Done(0))
    }

    fn register_vcpu_info(
        &mut self,
        dom: u16,
        vcpu: u32,
        op: &abi::vcpu_register_vcpu_info,
    ) -> Result<()> {
        let size = size_of::<abi::vcpu_info>();
        let (gfn, offset) = (op.mfn, op.offset as usize);
        // The sum of both is an address, which must still be in that frame.
        if gfn >> (64 - PAGE_SIZE.trailing_zeros()) != 0 || offset >= PAGE_SIZE {
            return Err(Error::Invalid);
        }
        if self.domain(dom)?.vcpus[vcpu as usize].info.is_some() {
            return Err(Error::Busy);
        }
        if offset > PAGE_SIZE - size || !offset.is_multiple_of(align_of::<u64>()) {
            return Err(Error::Unknown(super::ENXIO));
        }
        let mfn = self.writable_frame(dom, gfn)?;
        self.frames.pin(mfn);
        let domain = self.domain_mut(dom)?;
        domain.vcpus[vcpu as usize].info = Some(mfn);
        let info = domain.cpus.info(vcpu);
        info.move_to(mfn, offset);
        // Whatever happened meanwhile is not lost.
        info.selector().store(u64::MAX, Ordering::SeqCst);
        domain.mark_events_pending(vcpu);
        self.settle(dom);
        Ok(())
    }

    /// The domain dies: Xen lets go of its memory.
    pub(super) fn release_vcpus(&mut self, dom: u16) {
        let Some(domain) = self.domains.get_mut(&dom) else {
            return;
        };
        for vcpu in &mut domain.vcpus {
            vcpu.area = 0;
            if let Some(mfn) = vcpu.info.take() {
                self.frames.unpin(mfn);
            }
        }
        domain.effects.woken |= !domain.waiters.is_empty();
        domain.waiters.clear();
        self.settle(dom);
        self.leave_fifo(dom);
    }
}
