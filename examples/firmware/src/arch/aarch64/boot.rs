// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the first instruction to Rust: the arm64 Image header, the MMU, and
//! relocation. The rest of the way is `aarch64-rt`'s.

use core::arch::global_asm;

use aarch64_paging::descriptor::El1Attributes;
use aarch64_rt::{InitialPagetable, initial_pagetable};

// Indices into aarch64-rt's default MAIR.
pub(crate) const DEVICE_NGNRE: El1Attributes = El1Attributes::ATTRIBUTE_INDEX_0;
// Shared pages must be cacheable and inner-shareable: Xen and the other
// domains access them that way, and nothing keeps mismatched aliases coherent.
pub(crate) const NORMAL_WB: El1Attributes =
    El1Attributes::ATTRIBUTE_INDEX_1.union(El1Attributes::INNER_SHAREABLE);

/// Never global, so that entries of the initial table (address space 0) don't
/// get in the way of those of the final one (address space 1).
pub(crate) const PRESENT: El1Attributes = El1Attributes::VALID
    .union(El1Attributes::ACCESSED)
    .union(El1Attributes::NON_GLOBAL);

pub(crate) const NO_EXECUTE: El1Attributes = El1Attributes::PXN.union(El1Attributes::UXN);

// In a domU and on QEMU's `virt` board devices are in the first GiB and RAM in
// the next ones. For a dom0 on another board this table has to say so; the
// final one comes from the device tree.
initial_pagetable!({
    const GIB: usize = 1 << 30;
    let devices = PRESENT.union(DEVICE_NGNRE).union(NO_EXECUTE).bits();
    let ram = PRESENT.union(NORMAL_WB).union(El1Attributes::UXN).bits();
    let mut table = [0; 512];
    table[0] = devices;
    table[1] = ram | GIB;
    table[2] = ram | (2 * GIB);
    table[3] = ram | (3 * GIB);
    InitialPagetable(table)
});

// The linker puts `.head` first, which makes it the header that Linux's
// Documentation/arch/arm64/booting.rst describes and Xen looks for.
//
// All of this keeps x0, the device tree's address, for `entry`.
global_asm!(
    r#"
    .section .head, "ax"
    .global image_start
image_start:
    b   start
    .word   0
    .quad   0                           // offset from a 2 MiB boundary
    .quad   image_end - (. - 16)        // size in memory, with .bss
    .quad   0xa                         // little endian, 4 KiB pages, anywhere
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

start:
    // With the MMU on first, what is written below goes through the caches,
    // as all later accesses do. `entry` calls this again, to the same effect.
    bl  enable_mmu

    // Move every pointer in the image by as much as the image was moved.
    adrp    x9, image_start
    adrp    x10, linked_at
    ldr     x10, [x10, :lo12:linked_at]
    sub     x9, x9, x10
    adrp    x10, rela_begin
    add     x10, x10, :lo12:rela_begin
    adrp    x11, rela_end
    add     x11, x11, :lo12:rela_end
0:  cmp     x10, x11
    b.hs    1f
    ldp     x12, x13, [x10], #16        // address, kind
    ldr     x14, [x10], #8              // value
    cmp     x13, #{relative}
    b.ne    2f
    add     x14, x14, x9
    str     x14, [x12, x9]
    b       0b
1:  b       entry
2:  wfi                                 // no console to complain on yet
    b       2b
    "#,
    relative = const 1027, // R_AARCH64_RELATIVE
);
