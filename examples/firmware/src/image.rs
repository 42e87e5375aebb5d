// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where this image is: what the linker scripts know.

use crate::machine::Region;

unsafe extern "C" {
    static image_start: u8;
    static text_end: u8;
    static rodata_begin: u8;
    static rodata_end: u8;
}

/// Where Xen put the image.
pub(crate) fn load_address() -> usize {
    (&raw const image_start).addr()
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
