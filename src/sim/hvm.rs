// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's parameters, as on Arm.

use super::hypercall::{Argument, Outcome};
use super::state::State;
use crate::ffi::abi;
use crate::{Error, Result};

// SAFETY: a structure of integers.
unsafe impl Argument for abi::xen_hvm_param {}

/// Events raise private peripheral interrupt 31, active low: what the guest's
/// device tree says, too. Told to a dom0 only: for others this is the
/// toolstack's to set.
const CALLBACK_IRQ: u64 = 2 << 56 | 2 << 8 | 31;

/// The values that were set; zero otherwise.
pub(super) struct Params([u64; abi::HVM_NR_PARAMS as usize]);

impl Params {
    pub(super) const fn new(dom: u16) -> Self {
        let mut params = [0; abi::HVM_NR_PARAMS as usize];
        if dom == 0 {
            params[abi::HVM_PARAM_CALLBACK_IRQ as usize] = CALLBACK_IRQ;
        }
        Self(params)
    }
}

impl State {
    pub(super) fn hvm_op(&mut self, caller: u16, cmd: usize, arg: usize) -> Result<Outcome> {
        let set = match cmd as u32 {
            abi::HVMOP_set_param => true,
            abi::HVMOP_get_param => false,
            _ => return Err(Error::NotImplemented),
        };
        let mut op: abi::xen_hvm_param = self.read(caller, arg)?;
        let dom = self.any(caller, op.domid)?;
        self.check_target(caller, dom)?;
        let private = match op.index {
            abi::HVM_PARAM_CALLBACK_IRQ
            | abi::HVM_PARAM_STORE_PFN
            | abi::HVM_PARAM_STORE_EVTCHN
            | abi::HVM_PARAM_CONSOLE_PFN
            | abi::HVM_PARAM_CONSOLE_EVTCHN => set,
            abi::HVM_PARAM_MONITOR_RING_PFN => true,
            _ => return Err(Error::Invalid),
        };
        // The toolstack's to write, or even to read.
        if private && caller == dom {
            return Err(Error::NotPermitted);
        }
        let param = &mut self.domain_mut(dom)?.params.0[op.index as usize];
        if set {
            *param = op.value;
        } else {
            op.value = *param;
            self.write(caller, arg, &op)?;
        }
        Ok(Outcome::Done(0))
    }
}
