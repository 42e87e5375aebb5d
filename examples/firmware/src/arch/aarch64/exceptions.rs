// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exception handlers: interrupts are served, accesses that may be aborted
//! return, everything else is fatal.

use core::arch::{asm, naked_asm};

use aarch64_rt::{ExceptionHandlers, RegisterStateRef, exception_handlers};

use super::{access, gic};
use crate::exit::fail;
use crate::image;

struct Exceptions;

exception_handlers!(Exceptions);

impl ExceptionHandlers for Exceptions {
    extern "C" fn sync_current(mut state: RegisterStateRef<'_>) {
        let syndrome: u64;
        // SAFETY: Reading this register has no effect.
        unsafe {
            asm!(
                "mrs {}, esr_el1",
                out(reg) syndrome,
                options(nomem, nostack, preserves_flags),
            );
        }
        if !access::recover(&mut state, syndrome) {
            report("synchronous exception", &state);
        }
    }

    // aarch64-rt saves the general registers only. The handler is ordinary
    // code that may use the vector registers as well, if only to copy memory.
    #[unsafe(naked)]
    extern "C" fn irq_current(_state: RegisterStateRef<'_>) {
        naked_asm!(
            "stp x29, x30, [sp, #-32]!",
            "mov x29, sp",
            "mrs x9, fpcr",
            "mrs x10, fpsr",
            "stp x9, x10, [sp, #16]",
            "sub sp, sp, #512",
            "stp q0, q1, [sp]",
            "stp q2, q3, [sp, #32]",
            "stp q4, q5, [sp, #64]",
            "stp q6, q7, [sp, #96]",
            "stp q8, q9, [sp, #128]",
            "stp q10, q11, [sp, #160]",
            "stp q12, q13, [sp, #192]",
            "stp q14, q15, [sp, #224]",
            "stp q16, q17, [sp, #256]",
            "stp q18, q19, [sp, #288]",
            "stp q20, q21, [sp, #320]",
            "stp q22, q23, [sp, #352]",
            "stp q24, q25, [sp, #384]",
            "stp q26, q27, [sp, #416]",
            "stp q28, q29, [sp, #448]",
            "stp q30, q31, [sp, #480]",
            "bl {handle}",
            "ldp q0, q1, [sp]",
            "ldp q2, q3, [sp, #32]",
            "ldp q4, q5, [sp, #64]",
            "ldp q6, q7, [sp, #96]",
            "ldp q8, q9, [sp, #128]",
            "ldp q10, q11, [sp, #160]",
            "ldp q12, q13, [sp, #192]",
            "ldp q14, q15, [sp, #224]",
            "ldp q16, q17, [sp, #256]",
            "ldp q18, q19, [sp, #288]",
            "ldp q20, q21, [sp, #320]",
            "ldp q22, q23, [sp, #352]",
            "ldp q24, q25, [sp, #384]",
            "ldp q26, q27, [sp, #416]",
            "ldp q28, q29, [sp, #448]",
            "ldp q30, q31, [sp, #480]",
            "add sp, sp, #512",
            "ldp x9, x10, [sp, #16]",
            "msr fpcr, x9",
            "msr fpsr, x10",
            "ldp x29, x30, [sp], #32",
            "ret",
            handle = sym gic::handle_interrupts,
        )
    }

    extern "C" fn fiq_current(state: RegisterStateRef<'_>) {
        report("FIQ", &state)
    }

    extern "C" fn serror_current(state: RegisterStateRef<'_>) {
        report("SError", &state)
    }
}

/// Ends the run with what is needed to find the cause: `llvm-addr2line -e
/// <ELF file> <address as linked>` names the line.
fn report(what: &str, state: &RegisterStateRef<'_>) -> ! {
    let (esr, far): (u64, u64);
    // SAFETY: Reading these registers has no effect.
    unsafe {
        asm!(
            "mrs {esr}, esr_el1",
            "mrs {far}, far_el1",
            esr = out(reg) esr,
            far = out(reg) far,
            options(nomem, nostack, preserves_flags),
        );
    }
    fail(format_args!(
        "{what}: esr {esr:#x} far {far:#x} elr {:#x} (linked at {:#x})",
        state.elr,
        image::linked_address(state.elr),
    ))
}
