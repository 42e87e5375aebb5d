// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way into the hypervisor and out of it.

use std::string::String;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::Hypervisor;
use super::delivery::Cpus;
use super::fault::Place;
use super::log::{LogEntry, argument};
use super::state::State;
use super::trace::{Call, Span};
use crate::ffi::abi;
use crate::{Error, Result};

/// What can be copied from and to a guest.
///
/// # Safety
///
/// Any bytes are a value of the type.
pub(super) unsafe trait Argument: Copy {}

macro_rules! integers {
    ($($name:ident)*) => {
        $(
            // SAFETY: any bytes are an integer.
            unsafe impl Argument for $name {}
        )*
    };
}

integers! { u8 u32 u64 i32 }

/// How a hypercall ends.
pub(super) enum Outcome {
    /// With this result.
    Done(isize),
    /// After having been woken, or at this time since the hypervisor started.
    Wait { id: u64, until: Option<Duration> },
    /// At once, others first.
    Yield,
}

/// The address in a guest handle: a structure of one pointer on x86, a union
/// of a pointer and a 64-bit number on Arm.
pub(super) fn handle<T: Copy>(handle: &T) -> usize {
    const { assert!(size_of::<T>() == size_of::<usize>()) };
    // SAFETY: one word, as just checked.
    unsafe { std::ptr::from_ref(handle).cast::<usize>().read_unaligned() }
}

impl State {
    fn dispatch(
        &mut self,
        (caller, vcpu): (u16, u32),
        op: u32,
        args: &[usize; 5],
    ) -> Result<Outcome> {
        match op {
            abi::__HYPERVISOR_event_channel_op => self.event_channel_op(caller, args[0], args[1]),
            abi::__HYPERVISOR_grant_table_op => {
                self.grant_table_op(caller, args[0], args[1], args[2])
            }
            abi::__HYPERVISOR_memory_op => self.memory_op(caller, args[0], args[1]),
            abi::__HYPERVISOR_dm_op => self.dm_op(caller, args[0], args[1], args[2]),
            abi::__HYPERVISOR_domctl => self.domctl(caller, args[0]),
            abi::__HYPERVISOR_hvm_op => self.hvm_op(caller, args[0], args[1]),
            abi::__HYPERVISOR_sched_op => self.sched_op((caller, vcpu), args[0], args[1]),
            abi::__HYPERVISOR_vcpu_op => self.vcpu_op((caller, vcpu), args[0], args[1], args[2]),
            abi::__HYPERVISOR_console_io => self.console_io(caller, args[0], args[1], args[2]),
            abi::__HYPERVISOR_xen_version => self.xen_version(caller, args[0], args[1]),
            _ => Err(Error::NotImplemented),
        }
    }

    fn record(
        &mut self,
        (caller, vcpu): (u16, u32),
        op: u32,
        args: &[usize; 5],
        result: isize,
        span: Option<&Span>,
    ) {
        if !self.log.enabled() && span.is_none() {
            return;
        }
        let buffer = (op == abi::__HYPERVISOR_dm_op && args[1] > 0)
            .then(|| self.read::<abi::xen_dm_op_buf>(caller, args[2]))
            .and_then(Result::ok)
            .map(|buffer| (handle(&buffer.h), buffer.size));
        let (at, count) = argument(op, args, buffer);
        let words = (0..count)
            .map_while(|index| self.read_at(caller, at, index).ok())
            .collect();
        let entry = LogEntry {
            domid: caller,
            vcpu,
            op,
            args: *args,
            result,
            words,
        };
        if let Some(span) = span {
            let (op, command) = entry.name();
            span.answered(std::format!("{op} {command}"), result);
        }
        if self.log.enabled() {
            self.log.add(entry);
        }
    }
}

impl Hypervisor {
    /// A hypercall of domain `caller`, whose vCPUs are `cpus`. What the
    /// arguments point to must be there, as each operation says.
    pub(super) fn enter(&self, caller: u16, cpus: &Cpus, op: u32, args: &[usize; 5]) -> isize {
        let vcpu = cpus.here();
        let mut state = self.state();
        let Some(domain) = state
            .domains
            .get_mut(&caller)
            .filter(|domain| !domain.dying)
        else {
            return Error::NoSuchDomain.raw() as isize;
        };
        domain.hypercalls += 1;
        let call = Call::Hypercall {
            name: String::new(),
            result: None,
        };
        let span = self.inner.trace.enter(caller, vcpu, call);
        let outcome = match domain.faults.hit(Place::Hypercall) {
            Some(result) => Ok(Outcome::Done(result as isize)),
            None => {
                state.current = (caller, vcpu);
                state.dispatch((caller, vcpu), op, args)
            }
        };
        let result = match outcome {
            Ok(Outcome::Done(result)) => result,
            Err(error) => error.raw() as isize,
            Ok(Outcome::Yield) => {
                drop(state);
                std::thread::yield_now();
                state = self.state();
                0
            }
            Ok(Outcome::Wait { id, until }) => {
                state = self.wait(state, (caller, vcpu), id, until);
                0
            }
        };
        state.record((caller, vcpu), op, args, result, span.as_ref());
        drop(span);
        let invalidate = state.wants_invalidate(caller, vcpu);
        self.leave(state);
        if invalidate {
            self.wait_for_io(caller, cpus, vcpu);
        }
        cpus.leave_hypervisor(vcpu);
        result
    }

    /// Waits until the waiter is gone from its domain's list.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        (caller, vcpu): (u16, u32),
        id: u64,
        until: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        let over = || until.is_some_and(|until| self.uptime() >= until);
        // A timer that is over at once wakes the vCPU before Xen has switched
        // to another one: its runstate does not change.
        let blocks = !over();
        if blocks {
            state.change_runstate(caller, vcpu, abi::RUNSTATE_blocked);
        }
        loop {
            let Ok(domain) = state.domain_mut(caller) else {
                return state;
            };
            if over() {
                domain.waiters.retain(|waiter| waiter.id != id);
            }
            if !domain.is_waiting(id) {
                break;
            }
            let left = until.map(|until| until.saturating_sub(self.uptime()));
            let events = &self.inner.events;
            state = match left {
                Some(left) => {
                    let woken = events.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => events.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        if blocks {
            state.change_runstate(caller, vcpu, abi::RUNSTATE_running);
        }
        state
    }

    /// Gives the hypervisor's lock back and lets others see what happened.
    pub(super) fn leave(&self, mut state: MutexGuard<'_, State>) {
        let raised = std::mem::take(&mut state.raised);
        let wake = std::mem::take(&mut state.wake);
        drop(state);
        if wake {
            self.inner.events.notify_all();
        }
        for cpus in raised {
            cpus.poke();
        }
    }
}
