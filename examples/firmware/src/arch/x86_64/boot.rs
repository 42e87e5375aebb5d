// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the first instruction to Rust: protected mode without paging, as the
//! PVH boot protocol has it, to 64-bit mode.

use core::arch::global_asm;

use pvh::elfnote::ElfnotePhys32Entry;
use x86_64::PrivilegeLevel;
use x86_64::registers::control::{Cr0Flags, Cr4Flags, EferFlags};
use x86_64::structures::gdt::{DescriptorFlags, SegmentSelector};
use x86_64::structures::paging::PageTableFlags;

use super::cpu;

unsafe extern "C" {
    fn pvh_start() -> !;
}

// Xen looks for it to find where to start. Kept by the linker script.
#[unsafe(link_section = ".note.Xen")]
#[used]
static ENTRY: ElfnotePhys32Entry = ElfnotePhys32Entry::phys32_entry(pvh_start);

/// What the code segment is called; the only one that 64-bit mode needs.
pub(crate) const CODE: SegmentSelector = SegmentSelector::new(1, PrivilegeLevel::Ring0);

/// Pages are mapped by what the final tables say; until then all of them are
/// memory for anything.
const TABLE: u64 = PageTableFlags::PRESENT
    .union(PageTableFlags::WRITABLE)
    .bits();
const BLOCK: u64 = TABLE | PageTableFlags::HUGE_PAGE.bits();

/// The control registers of every vCPU.
///
/// `WRITE_PROTECT`: constants are constant for this firmware too.
pub(crate) const CR0: u64 = Cr0Flags::PROTECTED_MODE_ENABLE
    .union(Cr0Flags::EXTENSION_TYPE)
    .union(Cr0Flags::NUMERIC_ERROR)
    .union(Cr0Flags::WRITE_PROTECT)
    .union(Cr0Flags::PAGING)
    .bits();
/// `OSFXSR`: for the one instruction in `access` that uses such a register.
pub(crate) const CR4: u64 = Cr4Flags::PHYSICAL_ADDRESS_EXTENSION
    .union(Cr4Flags::OSFXSR)
    .bits();
pub(crate) const EFER: u64 = EferFlags::LONG_MODE_ENABLE
    .union(EferFlags::NO_EXECUTE_ENABLE)
    .bits();

// The initial page tables map the first 4 GiB, below which all is that the
// loader placed, to themselves. They are made by the assembler and the linker,
// as the image is loaded where it is linked.
global_asm!(
    r#"
    .section .boot.tables, "aw"
    .balign 4096
boot_level_4:
    .quad   boot_level_3 + {table}
    .zero   511 * 8
boot_level_3:
    .quad   boot_level_2 + {table}
    .quad   boot_level_2 + 0x1000 + {table}
    .quad   boot_level_2 + 0x2000 + {table}
    .quad   boot_level_2 + 0x3000 + {table}
    .zero   508 * 8
boot_level_2:
    .set    at, 0
    .rept   4 * 512
    .quad   at + {block}
    .set    at, at + 0x200000
    .endr

    .section .boot.rodata, "a"
    .balign 8
boot_gdt:
    .quad   0, {code_segment}
boot_gdt_pointer:
    .word   . - boot_gdt - 1
    .quad   boot_gdt

    .section .stack.boot, "aw", @nobits
    .balign 16
    .zero   {stack}
boot_stack_end:

    .section .boot.text, "ax"
    .code32
    .global pvh_start
pvh_start:
    cld
    mov     eax, offset boot_level_4
    mov     cr3, eax
    mov     eax, {cr4}
    mov     cr4, eax
    mov     ecx, {efer_msr}
    xor     edx, edx
    mov     eax, {efer}
    wrmsr
    mov     eax, {cr0}
    mov     cr0, eax                    // still 32-bit code, in 64-bit mode's tables

    mov     esp, offset boot_stack_end
    lgdt    [boot_gdt_pointer]
    push    {code}
    mov     eax, offset long_mode
    push    eax
    retf

    .code64
long_mode:
    mov     edi, ebx                    // the start info's address
    xor     esi, esi                    // the first vCPU
    lea     rdx, [rip + __firmware_main]
    jmp     enter

    // Another vCPU, as smp.rs starts it: in 64-bit mode, with its stack, its
    // number and what to call, and the argument for that.
    .global secondary_start
secondary_start:
    lgdt    [rip + boot_gdt_pointer]
    push    {code}
    lea     rax, [rip + enter]
    push    rax
    retfq

    // rdi: the argument, esi: the vCPU's number, rdx: what to call.
enter:
    xor     eax, eax
    mov     ds, eax
    mov     es, eax
    mov     fs, eax
    mov     gs, eax
    mov     ss, eax
    mov     r8, rdx
    lea     rax, [rip + {numbers}]
    lea     rax, [rax + rsi * 4]
    mov     rdx, rax
    shr     rdx, 32
    mov     ecx, {gs_base}
    wrmsr
    xor     ebp, ebp                    // the end of the chain of frames
    call    r8
    ud2
    "#,
    table = const TABLE,
    block = const BLOCK,
    code_segment = const DescriptorFlags::KERNEL_CODE64.bits(),
    stack = const 32 * 4096,
    cr0 = const CR0,
    cr4 = const CR4,
    efer_msr = const 0xc000_0080_u32,
    efer = const EFER,
    code = const CODE.0,
    gs_base = const 0xc000_0101_u32,
    numbers = sym cpu::NUMBERS,
);
