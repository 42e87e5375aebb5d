// SPDX-License-Identifier: MIT OR Apache-2.0
//! The instruction that calls Xen, and what Xen says by CPUID.

use core::arch::asm;

use raw_cpuid::{CpuId, CpuIdResult, cpuid};
use spin::Once;

/// Intel's and AMD's instructions differ. Xen's hypercall page would hide that,
/// but a jump through it can't be protected against speculation.
fn is_amd() -> bool {
    static IS_AMD: Once<bool> = Once::new();
    *IS_AMD.call_once(|| {
        let vendor = CpuId::new().get_vendor_info();
        vendor.is_some_and(|name| ["AuthenticAMD", "HygonGenuine"].contains(&name.as_str()))
    })
}

/// # Safety
///
/// As for [`crate::hypercall::raw`].
pub(crate) unsafe fn raw(op: usize, [a, b, c, d, e]: [usize; 5]) -> isize {
    let result: usize;
    macro_rules! call {
        ($instruction:literal) => {
            // SAFETY: As the caller promises. Xen may clobber the registers
            // that hold the number and the arguments, and no other.
            unsafe {
                asm!(
                    $instruction,
                    inout("rax") op => result,
                    inout("rdi") a => _,
                    inout("rsi") b => _,
                    inout("rdx") c => _,
                    inout("r10") d => _,
                    inout("r8") e => _,
                    options(nostack),
                )
            }
        };
    }
    if is_amd() {
        call!("vmmcall");
    } else {
        call!("vmcall");
    }
    result.cast_signed()
}

/// One of Xen's own CPUID leaves, counted from its first.
///
/// # Panics
///
/// If this is not a Xen guest.
pub(crate) fn xen_cpuid(leaf: u32, subleaf: u32) -> CpuIdResult {
    const STEP: usize = 0x100;
    // Not the first if Xen shows itself as another hypervisor as well.
    let base = (0x4000_0000..0x4001_0000).step_by(STEP).find(|&base| {
        let CpuIdResult { ebx, ecx, edx, .. } = cpuid!(base);
        [ebx, ecx, edx].map(u32::to_le_bytes).as_flattened() == b"XenVMMXenVMM"
    });
    let base = base.expect("not a Xen guest: no leaf for Xen");
    cpuid!(base + leaf, subleaf)
}
