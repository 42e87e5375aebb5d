// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where this image is: what the linker scripts know.

use crate::machine::Region;

unsafe extern "C" {
    static image_start: u8;
    static linked_at: usize;
    static text_end: u8;
    static rodata_begin: u8;
    static rodata_end: u8;
}

/// The address that the ELF file has for what is now at `address`: where it
/// is in a domain that Xen loaded at the linked address, as domUs are.
pub fn linked_address(address: usize) -> usize {
    // SAFETY: The linker script puts a number there, for good.
    let image_linked_at = unsafe { linked_at };
    address
        .wrapping_sub((&raw const image_start).addr())
        .wrapping_add(image_linked_at)
}

/// Header and code.
pub(crate) fn code() -> Region {
    between(&raw const image_start, &raw const text_end)
}

/// Constants, and what else is not written once the image is relocated.
pub(crate) fn constants() -> Region {
    between(&raw const rodata_begin, &raw const rodata_end)
}

fn between(start: *const u8, end: *const u8) -> Region {
    Region {
        start: start.addr(),
        size: end.addr() - start.addr(),
    }
}
