// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hypercall of emulators.

use std::mem::offset_of;

use super::hypercall::{Argument, Outcome, handle};
use super::state::State;
use crate::ffi::abi;
use crate::{Error, Result};

/// `ENODATA`.
const ENODATA: i32 = 61;
/// Buffers that a call may name.
const MAX_BUFFERS: usize = 2;
/// Numbers of operations that Arm has end here.
const OPERATIONS: u32 = abi::XEN_DMOP_nr_vcpus + 1;
/// Interrupts below are of a vCPU's own, and the next is that of the console
/// which Xen emulates. A domain has as many as the machine, here QEMU's board.
const FIRST_FREE_IRQ: u32 = 33;
const IRQS: u32 = 256;

// SAFETY: a structure of integers.
unsafe impl Argument for abi::xen_dm_op_buf {}

/// The two words in front of every operation.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    op: u32,
    pad: u32,
}

// SAFETY: a structure of integers.
unsafe impl Argument for Header {}

macro_rules! arguments {
    ($($name:ident)*) => {
        $(
            // SAFETY: a structure of integers.
            unsafe impl Argument for abi::$name {}
        )*
    };
}

arguments! {
    xen_dm_op_create_ioreq_server xen_dm_op_get_ioreq_server_info
    xen_dm_op_ioreq_server_range xen_dm_op_set_ioreq_server_state
    xen_dm_op_destroy_ioreq_server xen_dm_op_set_irq_level xen_dm_op_nr_vcpus
}

/// Where the operation's own part is, and how long.
#[derive(Clone, Copy)]
struct Buffer {
    caller: u16,
    address: usize,
    size: u64,
}

impl State {
    pub(super) fn dm_op(
        &mut self,
        caller: u16,
        dom: usize,
        count: usize,
        buffers: usize,
    ) -> Result<Outcome> {
        if !self.device_models {
            return Err(Error::NotImplemented);
        }
        let count = count as u32 as usize;
        if count == 0 {
            return Err(Error::Unknown(ENODATA));
        }
        if count > MAX_BUFFERS {
            return Err(Error::TooBig);
        }
        let first: abi::xen_dm_op_buf = self.read_at(caller, buffers, 0)?;
        for index in 1..count {
            let _: abi::xen_dm_op_buf = self.read_at(caller, buffers, index)?;
        }
        let dom = self.remote(caller, dom as u16)?;
        self.check_device_model(caller, dom)?;
        let offset = offset_of!(abi::xen_dm_op, u);
        let (address, size) = (handle(&first.h), first.size);
        if size < offset as u64 {
            return Err(Error::BadAddress);
        }
        let header: Header = self.read(caller, address)?;
        if header.op >= OPERATIONS {
            return Err(Error::NotSupported);
        }
        let buffer = Buffer {
            caller,
            address: address.wrapping_add(offset),
            size: size - offset as u64,
        };
        self.device_model_op(caller, dom, header, buffer)?;
        Ok(Outcome::Done(0))
    }

    /// The operation's own part, unless what follows every operation's number
    /// is wrong.
    fn own<T: Argument>(&self, buffer: Buffer, header: Header) -> Result<T> {
        if buffer.size < size_of::<T>() as u64 {
            return Err(Error::BadAddress);
        }
        let value = self.read(buffer.caller, buffer.address)?;
        if header.pad == 0 {
            Ok(value)
        } else {
            Err(Error::Invalid)
        }
    }

    fn device_model_op(
        &mut self,
        caller: u16,
        dom: u16,
        header: Header,
        buffer: Buffer,
    ) -> Result<()> {
        match header.op {
            abi::XEN_DMOP_create_ioreq_server => {
                let mut op: abi::xen_dm_op_create_ioreq_server = self.own(buffer, header)?;
                // Arm has no buffered writes.
                if op.pad != [0; 3] || op.handle_bufioreq != 0 {
                    return Err(Error::Invalid);
                }
                op.id = self.create_ioreq_server(caller, dom)?;
                self.write(caller, buffer.address, &op)
            }
            abi::XEN_DMOP_get_ioreq_server_info => {
                let op: abi::xen_dm_op_get_ioreq_server_info = self.own(buffer, header)?;
                let known = abi::XEN_DMOP_no_gfns as u16;
                if op.flags & !known != 0 {
                    return Err(Error::Invalid);
                }
                self.ioreq_server(caller, dom, op.id)?;
                // The pages are a resource, and at no frame of the guest's.
                if op.flags & known == 0 {
                    return Err(Error::NotSupported);
                }
                self.write(caller, buffer.address, &op)
            }
            abi::XEN_DMOP_map_io_range_to_ioreq_server
            | abi::XEN_DMOP_unmap_io_range_from_ioreq_server => {
                let op: abi::xen_dm_op_ioreq_server_range = self.own(buffer, header)?;
                if op.pad != 0 {
                    return Err(Error::Invalid);
                }
                let map = header.op == abi::XEN_DMOP_map_io_range_to_ioreq_server;
                self.map_io_range(caller, dom, &op, map)
            }
            abi::XEN_DMOP_set_ioreq_server_state => {
                let op: abi::xen_dm_op_set_ioreq_server_state = self.own(buffer, header)?;
                if op.pad != 0 {
                    return Err(Error::Invalid);
                }
                self.enable_ioreq_server(caller, dom, op.id, op.enabled != 0)
            }
            abi::XEN_DMOP_destroy_ioreq_server => {
                let op: abi::xen_dm_op_destroy_ioreq_server = self.own(buffer, header)?;
                if op.pad != 0 {
                    return Err(Error::Invalid);
                }
                self.destroy_ioreq_server(caller, dom, op.id)
            }
            abi::XEN_DMOP_set_irq_level => {
                let op: abi::xen_dm_op_set_irq_level = self.own(buffer, header)?;
                let free = (FIRST_FREE_IRQ..IRQS).contains(&op.irq);
                // The padding may be anything, whatever Xen's header says.
                if !free || op.level > 1 {
                    return Err(Error::Invalid);
                }
                let irqs = &mut self.domain_mut(dom)?.irqs;
                if op.level == 1 {
                    irqs.insert(op.irq);
                } else {
                    irqs.remove(&op.irq);
                }
                Ok(())
            }
            abi::XEN_DMOP_nr_vcpus => {
                let mut op: abi::xen_dm_op_nr_vcpus = self.own(buffer, header)?;
                op.vcpus = self.domain(dom)?.vcpus.len() as u32;
                self.write(caller, buffer.address, &op)
            }
            _ if header.pad != 0 => Err(Error::Invalid),
            _ => Err(Error::NotSupported),
        }
    }
}
