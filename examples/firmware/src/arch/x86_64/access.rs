// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accesses of which the exception handler knows that they may fail.
//!
//! Where nothing is, reads give ones and writes go nowhere: Xen answers. It
//! refuses an access whose emulator breaks the rules.

use core::arch::naked_asm;

use super::exceptions::Frame;
use crate::access::{Access, Answer};

/// The accesses, one for each width in bytes as a power of two. Each is the
/// first instruction of its function: [`recover`] relies on it.
macro_rules! accesses {
    ($($name:ident: $instruction:literal $(, $then:literal)?;)*) => {
        $(
            #[unsafe(naked)]
            pub(crate) extern "C" fn $name(_address: usize, _value: u64) -> Answer {
                naked_asm!($instruction, $($then,)? "xor edx, edx", "ret")
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
    // Nobody else uses this register.
    load_pair: "movups xmm0, [rdi]", "movq rax, xmm0";
}

pub(crate) const LOADS: [Access; 4] = [load_1, load_2, load_4, load_8];
pub(crate) const STORES: [Access; 4] = [store_1, store_2, store_4, store_8];

/// Where a failed access goes on.
#[unsafe(naked)]
extern "C" fn failed() {
    naked_asm!("ret")
}

/// Lets the function return whose access failed, with the vector. False if the
/// exception is another one.
///
/// The exception happens in the middle of a call, so that no register that
/// calls may change needs to be preserved.
pub(crate) fn recover(frame: &mut Frame) -> bool {
    const GENERAL_PROTECTION: u64 = 13;
    let ours = |access: &Access| *access as usize as u64 == frame.rip;
    let mut all = LOADS.iter().chain(&STORES).chain(&[load_pair as Access]);
    if frame.vector != GENERAL_PROTECTION || !all.any(ours) {
        return false;
    }
    frame.set_answer(0, frame.vector);
    frame.rip = failed as *const () as u64;
    true
}
