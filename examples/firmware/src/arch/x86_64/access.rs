// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accesses, each by one instruction of the width asked for.

use core::arch::naked_asm;

use crate::access::{Access, Answer};

/// The accesses, one for each width in bytes as a power of two. They return
/// the value in rax, and 0 in rdx: none fails.
macro_rules! accesses {
    ($($name:ident: $instruction:literal;)*) => {
        $(
            #[unsafe(naked)]
            extern "C" fn $name(_address: usize, _value: u64) -> Answer {
                naked_asm!($instruction, "xor edx, edx", "ret")
            }
        )*
    };
}

accesses! {
    load_1: "movzx eax, byte ptr [rdi]";
    load_2: "movzx eax, word ptr [rdi]";
    load_4: "mov eax, [rdi]";
    load_8: "mov rax, [rdi]";
    store_1: "mov [rdi], sil";
    store_2: "mov [rdi], si";
    store_4: "mov [rdi], esi";
    store_8: "mov [rdi], rsi";
}

pub(crate) const LOADS: [Access; 4] = [load_1, load_2, load_4, load_8];
pub(crate) const STORES: [Access; 4] = [store_1, store_2, store_4, store_8];

/// 16 bytes: writes what is there, if that is 0.
#[unsafe(naked)]
pub(crate) extern "C" fn load_pair(_address: usize, _value: u64) -> Answer {
    naked_asm!(
        "push rbx",
        "xor eax, eax",
        "xor edx, edx",
        "xor ebx, ebx",
        "xor ecx, ecx",
        "lock cmpxchg16b [rdi]",
        "pop rbx",
        "xor edx, edx",
        "ret",
    )
}
