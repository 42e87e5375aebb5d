// SPDX-License-Identifier: MIT OR Apache-2.0
//! The instruction that calls Xen.

use core::arch::asm;

/// # Safety
///
/// As for [`crate::hypercall::raw`].
pub(crate) unsafe fn raw(op: usize, args: [usize; 5]) -> isize {
    let result: usize;
    // SAFETY: As the caller promises. Xen may clobber the registers that hold
    // the number and the arguments, and no other.
    unsafe {
        asm!(
            "hvc #0xea1",
            inout("x0") args[0] => result,
            inout("x1") args[1] => _,
            inout("x2") args[2] => _,
            inout("x3") args[3] => _,
            inout("x4") args[4] => _,
            inout("x16") op => _,
            options(nostack),
        );
    }
    result.cast_signed()
}
