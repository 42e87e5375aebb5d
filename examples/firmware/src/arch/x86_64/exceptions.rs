// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exception handlers: interrupts are served, accesses that may fail return,
//! everything else is fatal.

use core::arch::global_asm;

use spin::Once;
use x86_64::VirtAddr;
use x86_64::registers::control::Cr2;
use x86_64::structures::idt::InterruptDescriptorTable;

use super::interrupts::{self, VECTORS};
use super::{access, cpu};
use crate::exit::fail;

/// What is on the stack when a handler runs.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Frame {
    /// r11 to r8, rdi, rsi.
    registers: [u64; 6],
    rdx: u64,
    rcx: u64,
    rax: u64,
    pub(crate) vector: u64,
    /// 0 for vectors that have none.
    error: u64,
    pub(crate) rip: u64,
    cs: u64,
    flags: u64,
    rsp: u64,
    ss: u64,
}

impl Frame {
    /// Has the function that was stopped return these two, in rax and rdx.
    pub(crate) fn set_answer(&mut self, value: u64, second: u64) {
        self.rax = value;
        self.rdx = second;
    }
}

/// The first vectors are the CPU's own.
const EXCEPTIONS: u64 = 32;

/// In the flags.
const INTERRUPTS_UNMASKED: u64 = 1 << 9;

/// Bytes from one vector's code to the next's.
const STRIDE: usize = 16;

unsafe extern "C" {
    static vectors: u8;
}

// Each vector says which one it is, below an error code where the CPU itself
// pushes none. What calls may not change is left to them; code for this target
// uses no floating-point registers.
global_asm!(
    r#"
    .section .text.vectors, "ax"
    .balign 16
    .global vectors
vectors:
    .set    vector, 0
    .rept   {count}
    .balign {stride}, 0xcc
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push    0
    .endif
    push    vector
    jmp     0f
    .set    vector, vector + 1
    .endr

0:  push    rax
    push    rcx
    push    rdx
    push    rsi
    push    rdi
    push    r8
    push    r9
    push    r10
    push    r11
    cld
    mov     rdi, rsp
    call    {handle}
    pop     r11
    pop     r10
    pop     r9
    pop     r8
    pop     rdi
    pop     rsi
    pop     rdx
    pop     rcx
    pop     rax
    add     rsp, 16
    iretq
    "#,
    count = const VECTORS,
    stride = const STRIDE,
    handle = sym handle,
);

extern "C" fn handle(frame: &mut Frame) {
    if frame.vector >= EXCEPTIONS {
        // Taken though masked, which no CPU does: QEMU 7.2 can deliver an
        // interrupt a second time, on top of itself. The first is served.
        if frame.flags & INTERRUPTS_UNMASKED == 0 {
            return;
        }
        interrupts::serve(frame.vector as u8);
        frame.rip = cpu::awake(frame.rip);
    } else if !access::recover(frame) {
        report(frame);
    }
}

static TABLE: Once<InterruptDescriptorTable> = Once::new();

/// Makes the table of all vectors.
pub(crate) fn init() {
    TABLE.call_once(|| {
        let at = |vector: usize| VirtAddr::from_ptr(&raw const vectors) + (vector * STRIDE) as u64;
        let mut table = InterruptDescriptorTable::new();
        macro_rules! exceptions {
            ($($name:ident: $vector:literal;)*) => {
                // SAFETY: That is code for just this.
                unsafe { $(table.$name.set_handler_addr(at($vector));)* }
            };
        }
        exceptions! {
            divide_error: 0;
            debug: 1;
            non_maskable_interrupt: 2;
            breakpoint: 3;
            overflow: 4;
            bound_range_exceeded: 5;
            invalid_opcode: 6;
            device_not_available: 7;
            double_fault: 8;
            invalid_tss: 10;
            segment_not_present: 11;
            stack_segment_fault: 12;
            general_protection_fault: 13;
            page_fault: 14;
            x87_floating_point: 16;
            alignment_check: 17;
            machine_check: 18;
            simd_floating_point: 19;
        }
        for vector in EXCEPTIONS as usize..VECTORS {
            // SAFETY: As above.
            unsafe { table[vector as u8].set_handler_addr(at(vector)) };
        }
        table
    });
}

/// Has the calling CPU use the table.
pub(crate) fn init_cpu() {
    TABLE.get().expect("the first CPU made it").load();
}

/// Ends the run with what is needed to find the cause: `llvm-addr2line -e
/// <ELF file> <rip>` names the line.
fn report(frame: &Frame) -> ! {
    let address = Cr2::read_raw();
    fail(format_args!(
        "exception {}: error {:#x} cr2 {address:#x} rip {:#x}",
        frame.vector, frame.error, frame.rip,
    ))
}
