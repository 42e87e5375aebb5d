// SPDX-License-Identifier: MIT OR Apache-2.0
//! A device of the machine that nobody uses, for scenarios to map. Bytes from
//! 0xfe0 on identify it.

/// The clock of QEMU's board, a PL031.
#[cfg(target_arch = "aarch64")]
pub const FRAME: u64 = 0x9010;

/// The display's frame buffer, where the BIOS puts a memory of that size.
#[cfg(target_arch = "x86_64")]
pub const FRAME: u64 = 0xfd000;

/// For the control domain, before scenarios look at the device.
#[cfg(target_arch = "aarch64")]
pub fn identify() {}

/// The same: what is written to a frame buffer stays.
#[cfg(target_arch = "x86_64")]
pub fn identify() {
    use firmware::{Region, access, mmu};
    use xen_guest::PAGE_SIZE;

    let start = FRAME as usize * PAGE_SIZE;
    let page = Region {
        start,
        size: PAGE_SIZE,
    };
    // SAFETY: the device is there, and nothing of Rust's.
    unsafe {
        mmu::map_device(page).expect("a place for the device");
        // As the other's.
        for (offset, byte) in [(0xfe0, 0x31), (0xfe4, 0x10), (0xfe8, 0x04), (0xfec, 0)] {
            access::write(start + offset, 4, byte).expect("device memory");
        }
        mmu::unmap_window(page).expect("mapped just now");
    }
}
