// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Xen says about this domain: its start info, read once.

use core::fmt;

use heapless::Vec;
use pvh::start_info::reader::{MemMap, StartInfoReader};
use pvh::start_info::{MemmapTableEntry, MemmapType, Sif};
use xen_guest::PAGE_SIZE;
use xen_guest::ffi::abi;

use super::hypercall::raw;
use super::interrupts::{EVENT_VECTOR, TIMER_VECTOR};
use crate::args::Args;
use crate::machine::{MAX_BANKS, Machine, Region};

const GIB: usize = 1 << 30;

/// More entries than Xen has in a memory map.
const MAP_ENTRIES: usize = 128;

/// Room for the grant table, as large as an arm64 domU's.
const GRANT_SIZE: usize = 16 << 20;

/// More than this firmware has page tables for.
const EMPTY_SIZE: usize = GIB;

/// What an x86_64 domain has beside memory and CPUs.
#[derive(Debug)]
pub struct Board {
    /// Whether it is the domain that Xen started by itself.
    pub is_dom0: bool,
    /// What the loader brought beside the program.
    pub ramdisk: Option<&'static [u8]>,
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "interrupts: vector {EVENT_VECTOR:#x} for events, {TIMER_VECTOR:#x} for the timer"
        )?;
        match self.is_dom0 {
            false => write!(f, "console: port 0xe9"),
            true => write!(f, "console: hypercalls"),
        }
    }
}

/// Reads the start info.
///
/// # Panics
///
/// If it has no memory map.
///
/// # Safety
///
/// There is an `hvm_start_info` at this address, and nothing writes it or what
/// it points at.
pub(crate) unsafe fn read(start_info: u64) -> Machine {
    let start_info = u32::try_from(start_info).expect("below 4 GiB");
    // SAFETY: As the caller promises. The initial page tables map all that is
    // below 4 GiB, where the loader puts it, to itself.
    let info = unsafe { StartInfoReader::from_paddr_identity(start_info) };
    let info = info.expect("Xen hands over a start info");
    let map = memory_map(&info);

    // Without the first page: so nothing is at null.
    let whole_pages = |start: u64, size: u64| {
        let first = (start as usize).next_multiple_of(PAGE_SIZE).max(PAGE_SIZE);
        let end = (start + size) as usize / PAGE_SIZE * PAGE_SIZE;
        (first < end).then(|| Region {
            start: first,
            size: end - first,
        })
    };
    let memory = map
        .iter()
        .filter(|entry| entry.ty() == MemmapType::Ram)
        .filter_map(|entry| whole_pages(entry.addr, entry.size))
        .take(MAX_BANKS)
        .collect();

    // Nothing names addresses at which there is nothing. Below 4 GiB there can
    // be devices that no map lists.
    let mut start = 4 * GIB;
    let in_the_way = |start: usize| {
        let end = start + GRANT_SIZE + EMPTY_SIZE;
        let overlaps = |entry: &&MemmapTableEntry| {
            (entry.addr as usize) < end && start < (entry.addr + entry.size) as usize
        };
        map.iter().find(overlaps)
    };
    while let Some(entry) = in_the_way(start) {
        start = ((entry.addr + entry.size) as usize).next_multiple_of(GIB);
    }
    let grant = Region {
        start,
        size: GRANT_SIZE,
    };
    let empty = Region {
        start: grant.end(),
        size: EMPTY_SIZE,
    };

    let args = info.cmdline().and_then(|line| line.to_str().ok());
    Machine {
        memory,
        grant,
        extended: [empty].into_iter().collect(),
        cpus: count_cpus(),
        args: Args::new(args.unwrap_or("")),
        board: Board {
            is_dom0: info.raw().flags.contains(Sif::INITDOMAIN),
            ramdisk: info.modlist().next().map(|module| module.as_slice()),
        },
    }
}

/// Where memory and devices are: from the start info or, in dom0, from Xen.
///
/// # Panics
///
/// If nobody knows.
fn memory_map<M: MemMap>(info: &StartInfoReader<'_, M>) -> Vec<MemmapTableEntry, MAP_ENTRIES> {
    /// As the BIOS of old had it.
    #[derive(Clone, Copy, Default)]
    #[repr(C, packed)]
    struct Entry {
        addr: u64,
        size: u64,
        ty: u32,
    }

    let map = info.memmap();
    if !map.is_empty() {
        return map.iter().copied().take(MAP_ENTRIES).collect();
    }
    let mut entries = [Entry::default(); MAP_ENTRIES];
    let mut arg = abi::xen_memory_map {
        nr_entries: MAP_ENTRIES as u32,
        ..Default::default()
    };
    arg.buffer.p = entries.as_mut_ptr().cast();
    // SAFETY: This operation writes as many entries as there is room for, and
    // how many it wrote.
    let result = unsafe {
        raw(
            abi::__HYPERVISOR_memory_op as usize,
            [
                abi::XENMEM_memory_map as usize,
                (&raw mut arg).addr(),
                0,
                0,
                0,
            ],
        )
    };
    assert_eq!(result, 0, "neither the start info nor Xen has a memory map");
    entries[..arg.nr_entries as usize]
        .iter()
        .map(|&Entry { addr, size, ty }| MemmapTableEntry {
            addr,
            size,
            ty,
            reserved: 0,
        })
        .collect()
}

/// The vCPUs that Xen knows of, running or not.
fn count_cpus() -> usize {
    let exists = |vcpu: &usize| {
        let op = abi::__HYPERVISOR_vcpu_op as usize;
        let is_up = abi::VCPUOP_is_up as usize;
        // SAFETY: This operation takes no pointer.
        unsafe { raw(op, [is_up, *vcpu, 0, 0, 0]) >= 0 }
    };
    (0..).take_while(exists).count()
}
