// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the domains asked for, and what they got.

use std::collections::VecDeque;
use std::fmt;
use std::vec::Vec;

use crate::ffi::abi;

/// One hypercall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Who called.
    pub domid: u16,
    /// On which vCPU.
    pub vcpu: u32,
    /// Hypercall number.
    pub op: u32,
    /// The arguments, as passed.
    pub args: [usize; 5],
    /// The result.
    pub result: isize,
    /// The first 32-bit words of the argument structure after the call; empty
    /// where there is none, or none that can be read.
    pub words: Vec<u32>,
}

const EVTCHN: &[&str] = &[
    "bind_interdomain",
    "bind_virq",
    "bind_pirq",
    "close",
    "send",
    "status",
    "alloc_unbound",
    "bind_ipi",
    "bind_vcpu",
    "unmask",
    "reset",
    "init_control",
    "expand_array",
    "set_priority",
];

const GNTTAB: &[&str] = &[
    "map_grant_ref",
    "unmap_grant_ref",
    "setup_table",
    "dump_table",
    "transfer",
    "copy",
    "query_size",
    "unmap_and_replace",
    "set_version",
    "get_status_frames",
    "get_version",
    "swap_grant_ref",
    "cache_flush",
];

const MEMORY: &[(u32, &str)] = &[
    (abi::XENMEM_increase_reservation, "increase_reservation"),
    (abi::XENMEM_decrease_reservation, "decrease_reservation"),
    (abi::XENMEM_maximum_ram_page, "maximum_ram_page"),
    (abi::XENMEM_current_reservation, "current_reservation"),
    (abi::XENMEM_maximum_reservation, "maximum_reservation"),
    (abi::XENMEM_populate_physmap, "populate_physmap"),
    (abi::XENMEM_add_to_physmap, "add_to_physmap"),
    (abi::XENMEM_maximum_gpfn, "maximum_gpfn"),
    (abi::XENMEM_remove_from_physmap, "remove_from_physmap"),
    (abi::XENMEM_add_to_physmap_batch, "add_to_physmap_batch"),
    (abi::XENMEM_acquire_resource, "acquire_resource"),
];

/// The address of an operation's argument structure, and how many words of it
/// are for the log: all that is there for sure, and no more than tells it
/// apart. Of an emulator's operation the structure is the first buffer, at
/// `buffer` with this many bytes.
pub(super) fn argument(op: u32, args: &[usize; 5], buffer: Option<(usize, u64)>) -> (usize, usize) {
    if let Some((address, size)) = buffer {
        return (address, size.min(32) as usize / size_of::<u32>());
    }
    let address = match op {
        abi::__HYPERVISOR_domctl => args[0],
        _ => args[1],
    };
    (address, argument_words(op, args))
}

fn argument_words(op: u32, args: &[usize; 5]) -> usize {
    let bytes = match (op, args[0] as u32) {
        (abi::__HYPERVISOR_event_channel_op, cmd) => match cmd {
            abi::EVTCHNOP_close | abi::EVTCHNOP_send | abi::EVTCHNOP_unmask => 4,
            abi::EVTCHNOP_alloc_unbound
            | abi::EVTCHNOP_bind_ipi
            | abi::EVTCHNOP_bind_vcpu
            | abi::EVTCHNOP_expand_array
            | abi::EVTCHNOP_set_priority => 8,
            abi::EVTCHNOP_bind_interdomain
            | abi::EVTCHNOP_bind_virq
            | abi::EVTCHNOP_bind_pirq
            | abi::EVTCHNOP_status
            | abi::EVTCHNOP_init_control => 12,
            _ => 0,
        },
        // An array that may be empty.
        (abi::__HYPERVISOR_grant_table_op, _) if args[2] == 0 => 0,
        (abi::__HYPERVISOR_grant_table_op, cmd) => match cmd {
            abi::GNTTABOP_map_grant_ref
            | abi::GNTTABOP_unmap_grant_ref
            | abi::GNTTABOP_copy
            | abi::GNTTABOP_setup_table => 24,
            abi::GNTTABOP_query_size => 16,
            abi::GNTTABOP_set_version => 4,
            _ => 0,
        },
        (abi::__HYPERVISOR_memory_op, cmd) => match cmd & 0x3f {
            abi::XENMEM_add_to_physmap
            | abi::XENMEM_add_to_physmap_batch
            | abi::XENMEM_increase_reservation
            | abi::XENMEM_decrease_reservation
            | abi::XENMEM_populate_physmap
            | abi::XENMEM_acquire_resource => 24,
            abi::XENMEM_remove_from_physmap => 16,
            _ => 0,
        },
        (abi::__HYPERVISOR_hvm_op, abi::HVMOP_set_param | abi::HVMOP_get_param) => 16,
        // The command, the domain, and the largest of those that are known.
        (abi::__HYPERVISOR_domctl, _) => 48,
        _ => 0,
    };
    bytes / size_of::<u32>()
}

impl LogEntry {
    /// Name of the hypercall and of its command, as in Xen's headers.
    pub fn name(&self) -> (&'static str, &'static str) {
        let cmd = self.args[0];
        let first = self.words.first().copied();
        let of = |names: &[&'static str]| names.get(cmd).copied().unwrap_or("?");
        match self.op {
            abi::__HYPERVISOR_event_channel_op => ("event_channel_op", of(EVTCHN)),
            abi::__HYPERVISOR_grant_table_op => ("grant_table_op", of(GNTTAB)),
            abi::__HYPERVISOR_memory_op => (
                "memory_op",
                MEMORY
                    .iter()
                    .find(|(op, _)| *op as usize == cmd & 0x3f)
                    .map_or("?", |(_, name)| name),
            ),
            abi::__HYPERVISOR_sched_op => (
                "sched_op",
                of(&["yield", "block", "shutdown", "poll", "remote_shutdown"]),
            ),
            abi::__HYPERVISOR_vcpu_op => (
                "vcpu_op",
                match cmd as u32 {
                    abi::VCPUOP_register_runstate_memory_area => "register_runstate_memory_area",
                    abi::VCPUOP_register_vcpu_info => "register_vcpu_info",
                    _ => "?",
                },
            ),
            abi::__HYPERVISOR_dm_op => (
                "dm_op",
                match first {
                    Some(abi::XEN_DMOP_create_ioreq_server) => "create_ioreq_server",
                    Some(abi::XEN_DMOP_get_ioreq_server_info) => "get_ioreq_server_info",
                    Some(abi::XEN_DMOP_map_io_range_to_ioreq_server) => {
                        "map_io_range_to_ioreq_server"
                    }
                    Some(abi::XEN_DMOP_unmap_io_range_from_ioreq_server) => {
                        "unmap_io_range_from_ioreq_server"
                    }
                    Some(abi::XEN_DMOP_set_ioreq_server_state) => "set_ioreq_server_state",
                    Some(abi::XEN_DMOP_destroy_ioreq_server) => "destroy_ioreq_server",
                    Some(abi::XEN_DMOP_set_irq_level) => "set_irq_level",
                    Some(abi::XEN_DMOP_nr_vcpus) => "nr_vcpus",
                    _ => "?",
                },
            ),
            abi::__HYPERVISOR_domctl => (
                "domctl",
                match first {
                    Some(abi::XEN_DOMCTL_pausedomain) => "pausedomain",
                    Some(abi::XEN_DOMCTL_unpausedomain) => "unpausedomain",
                    Some(abi::XEN_DOMCTL_max_mem) => "max_mem",
                    Some(abi::XEN_DOMCTL_iomem_permission) => "iomem_permission",
                    Some(abi::XEN_DOMCTL_memory_mapping) => "memory_mapping",
                    Some(abi::XEN_DOMCTL_set_target) => "set_target",
                    _ => "?",
                },
            ),
            abi::__HYPERVISOR_hvm_op => ("hvm_op", of(&["set_param", "get_param"])),
            abi::__HYPERVISOR_console_io => ("console_io", of(&["write", "read"])),
            abi::__HYPERVISOR_xen_version => ("xen_version", ""),
            _ => ("?", ""),
        }
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (op, cmd) = self.name();
        write!(f, "d{}", self.domid)?;
        if self.vcpu > 0 {
            write!(f, "v{}", self.vcpu)?;
        }
        write!(f, " {op}")?;
        if op == "?" {
            write!(f, " {}", self.op)?;
        }
        write!(f, " {cmd}")?;
        if cmd == "?" || cmd.is_empty() {
            match (self.op, self.words.first()) {
                (abi::__HYPERVISOR_domctl | abi::__HYPERVISOR_dm_op, Some(cmd)) => {
                    write!(f, " {cmd}")?
                }
                _ => write!(f, " {}", self.args[0])?,
            }
        }
        if self.op == abi::__HYPERVISOR_dm_op {
            write!(f, " of d{}", self.args[0])?;
        }
        if self.op == abi::__HYPERVISOR_grant_table_op {
            write!(f, " x{}", self.args[2])?;
        }
        for word in &self.words {
            write!(f, " {word:x}")?;
        }
        write!(f, " = {}", self.result)
    }
}

/// The last hypercalls, when asked to keep them.
#[derive(Default)]
pub(super) struct Log {
    keep: usize,
    entries: VecDeque<LogEntry>,
}

impl Log {
    pub(super) fn keep(&mut self, entries: usize) {
        self.keep = entries;
        while self.entries.len() > entries {
            self.entries.pop_front();
        }
    }

    pub(super) fn enabled(&self) -> bool {
        self.keep > 0
    }

    pub(super) fn add(&mut self, entry: LogEntry) {
        if self.entries.len() == self.keep {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn entries(&self) -> Vec<LogEntry> {
        self.entries.iter().cloned().collect()
    }
}
