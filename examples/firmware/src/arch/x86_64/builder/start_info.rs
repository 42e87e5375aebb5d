// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the boot protocol tells a PVH domain about itself.

use pvh::start_info::{MemmapTableEntry, MemmapType, START_MAGIC_VALUE, StartInfo};

use super::memory::Window;
use super::plan::Plan;

/// What is written, one behind the other.
#[repr(C)]
struct Contents {
    info: StartInfo,
    map: [MemmapTableEntry; 1],
}

// Nothing between the fields, which are all integers.
const _: () = assert!(size_of::<Contents>() == 4 * 4 + 4 * 8 + 2 * 4 + 24);

/// Writes it to this address of the domain, with the command line behind it.
///
/// # Panics
///
/// If the domain has no memory there.
pub fn write(plan: &Plan<'_>, address: u64, domain: u16, window: &mut Window) {
    let args = address + size_of::<Contents>() as u64;
    let contents = Contents {
        info: StartInfo {
            magic: START_MAGIC_VALUE,
            version: 1,
            cmdline_paddr: args,
            memmap_paddr: address + core::mem::offset_of!(Contents, map) as u64,
            memmap_entries: 1,
            ..StartInfo::default()
        },
        map: [MemmapTableEntry {
            addr: 0,
            size: plan.memory,
            ty: MemmapType::Ram.into(),
            reserved: 0,
        }],
    };
    // SAFETY: They are integers, without anything between them.
    let bytes = unsafe {
        core::slice::from_raw_parts((&raw const contents).cast::<u8>(), size_of::<Contents>())
    };
    window.write(domain, address, bytes);
    window.write(domain, args, plan.args.as_bytes());
    window.write(domain, args + plan.args.len() as u64, &[0]);
}
