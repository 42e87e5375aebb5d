// SPDX-License-Identifier: MIT OR Apache-2.0
//! The small hypercalls: scheduling, console, version.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::hypercall::{Argument, Outcome, handle};
use super::state::{DomainState, State};
use super::vcpu::Polled;
use crate::ffi::abi;
use crate::{Error, Result};

/// The version reported: that of the Xen this is compared with.
const VERSION: isize = 4 << 16 | 17;
const EXTRA: &[u8] = b".0-sim\0";
/// A poll may name this many ports.
const MAX_POLL_PORTS: u32 = 128;

// SAFETY: a structure of integers.
unsafe impl Argument for abi::sched_poll {}
// SAFETY: a structure of integers.
unsafe impl Argument for abi::sched_shutdown {}
// SAFETY: a structure of integers.
unsafe impl Argument for abi::sched_remote_shutdown {}
// SAFETY: a structure of integers.
unsafe impl Argument for abi::xen_feature_info {}

impl DomainState {
    /// Whether the vCPU's interrupt is due.
    fn due(&self, vcpu: u32) -> bool {
        let flag = self.cpus.info(vcpu).upcall_pending().load(SeqCst);
        flag != 0 && self.cpus.connected()
    }
}

impl State {
    pub(super) fn sched_op(
        &mut self,
        (caller, vcpu): (u16, u32),
        cmd: usize,
        arg: usize,
    ) -> Result<Outcome> {
        match cmd as u32 {
            abi::SCHEDOP_yield => Ok(Outcome::Yield),
            // Xen lets interrupts in before it looks.
            abi::SCHEDOP_block => {
                if self.domain(caller)?.due(vcpu) {
                    return Ok(Outcome::Done(0));
                }
                let id = self.start_waiting(caller, vcpu, None)?;
                Ok(Outcome::Wait { id, until: None })
            }
            abi::SCHEDOP_shutdown => {
                let op: abi::sched_shutdown = self.read(caller, arg)?;
                self.shut_down(caller, op.reason)
            }
            abi::SCHEDOP_remote_shutdown => {
                let op: abi::sched_remote_shutdown = self.read(caller, arg)?;
                let dom = self.domain(op.domain_id)?.id;
                self.check_device_model(caller, dom)?;
                self.shut_down(dom, op.reason)
            }
            abi::SCHEDOP_poll => {
                let op: abi::sched_poll = self.read(caller, arg)?;
                if op.nr_ports > MAX_POLL_PORTS {
                    return Err(Error::Invalid);
                }
                self.poll((caller, vcpu), &op)
            }
            _ => Err(Error::NotImplemented),
        }
    }

    /// The first reason stays.
    fn shut_down(&mut self, dom: u16, reason: u32) -> Result<Outcome> {
        self.domain_mut(dom)?.shutdown.get_or_insert(reason);
        self.wake = true;
        Ok(Outcome::Done(0))
    }

    /// An interrupt that is due, or a listed port that is pending, masked or
    /// not, ends the poll before it begins.
    fn poll(&mut self, (dom, vcpu): (u16, u32), op: &abi::sched_poll) -> Result<Outcome> {
        let domain = self.domain(dom)?;
        if domain.due(vcpu) && !domain.cpus.interrupts_off() {
            return Ok(Outcome::Done(0));
        }
        let list = handle(&op.ports);
        let mut polled = Polled::Any;
        for index in 0..op.nr_ports as usize {
            let port = self.read_at(dom, list, index)?;
            if self.domain(dom)?.poll_port(port)? {
                return Ok(Outcome::Done(0));
            }
            polled = Polled::Port(port);
        }
        if op.nr_ports != 1 {
            polled = Polled::Any;
        }
        let id = self.start_waiting(dom, vcpu, Some(polled))?;
        Ok(Outcome::Wait {
            id,
            until: (op.timeout != 0).then(|| Duration::from_nanos(op.timeout)),
        })
    }

    pub(super) fn console_io(
        &mut self,
        caller: u16,
        cmd: usize,
        count: usize,
        buffer: usize,
    ) -> Result<Outcome> {
        match cmd as u32 {
            abi::CONSOLEIO_write => {
                for index in 0..count {
                    let byte: u8 = self.read_at(caller, buffer, index)?;
                    self.domain_mut(caller)?.console.push(byte);
                }
                Ok(Outcome::Done(0))
            }
            abi::CONSOLEIO_read => Ok(Outcome::Done(0)),
            _ => Err(Error::NotImplemented),
        }
    }

    pub(super) fn xen_version(&mut self, caller: u16, cmd: usize, arg: usize) -> Result<Outcome> {
        match cmd as u32 {
            abi::XENVER_version => return Ok(Outcome::Done(VERSION)),
            abi::XENVER_pagesize if arg == 0 => {
                return Ok(Outcome::Done(crate::PAGE_SIZE as isize));
            }
            abi::XENVER_extraversion => {
                let mut text = [0u8; 16];
                text[..EXTRA.len()].copy_from_slice(EXTRA);
                for (index, byte) in text.iter().enumerate() {
                    self.write_at(caller, arg, index, byte)?;
                }
            }
            abi::XENVER_get_features => {
                let mut op: abi::xen_feature_info = self.read(caller, arg)?;
                if op.submap_idx != 0 {
                    return Err(Error::Invalid);
                }
                let domain = self.domain(caller)?;
                let mut bits = 1 << abi::XENFEAT_memory_op_vnode_supported
                    | 1 << abi::XENFEAT_writable_page_tables
                    | 1 << abi::XENFEAT_auto_translated_physmap
                    | 1 << abi::XENFEAT_ARM_SMCCC_supported;
                if domain.id == 0 {
                    bits |= 1 << abi::XENFEAT_dom0;
                }
                bits |= if domain.direct.is_some() {
                    1 << abi::XENFEAT_direct_mapped
                } else {
                    1 << abi::XENFEAT_not_direct_mapped
                };
                op.submap = bits;
                self.write(caller, arg, &op)?;
            }
            _ => return Err(Error::NotImplemented),
        }
        Ok(Outcome::Done(0))
    }
}
