// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accesses of which the exception handler knows that they may be aborted.

use core::arch::naked_asm;

use aarch64_rt::RegisterStateRef;

use crate::access::{Access, Answer};

/// The accesses, one for each width in bytes as a power of two. Each is the
/// first instruction of its function, two instructions before the return:
/// [`recover`] relies on it. An emulator is told of a single register, so all
/// but the last are of one.
macro_rules! accesses {
    ($($name:ident: $instruction:literal;)*) => {
        $(
            #[unsafe(naked)]
            pub(crate) extern "C" fn $name(_address: usize, _value: u64) -> Answer {
                naked_asm!($instruction, "mov x1, xzr", "ret")
            }
        )*
    };
}

accesses! {
    load_1: "ldrb w0, [x0]";
    load_2: "ldrh w0, [x0]";
    load_4: "ldr w0, [x0]";
    load_8: "ldr x0, [x0]";
    store_1: "strb w1, [x0]";
    store_2: "strh w1, [x0]";
    store_4: "str w1, [x0]";
    store_8: "str x1, [x0]";
    load_pair: "ldp x0, x2, [x0]";
}

pub(crate) const LOADS: [Access; 4] = [load_1, load_2, load_4, load_8];
pub(crate) const STORES: [Access; 4] = [store_1, store_2, store_4, store_8];

/// Lets the function return whose access was aborted, with the syndrome. False
/// if the exception is another one.
///
/// The exception happens in the middle of a call, so that no register that
/// calls may change needs to be preserved, the vector registers included.
pub(crate) fn recover(state: &mut RegisterStateRef<'_>, syndrome: u64) -> bool {
    let at = state.elr;
    let ours = |access: &Access| *access as usize == at;
    let data_abort = syndrome >> 26 == DATA_ABORT;
    let mut all = LOADS.iter().chain(&STORES).chain(&[load_pair as Access]);
    if !data_abort || !all.any(ours) {
        return false;
    }
    // SAFETY: x0 and x1 are the function's result, and the return is two
    // instructions behind the access.
    unsafe {
        let state = state.get_mut();
        state.registers[0] = 0;
        state.registers[1] = syndrome;
        state.elr = at + 8;
    }
    true
}

/// `ESR_EL1.EC`: a data abort taken from the same exception level.
const DATA_ABORT: u64 = 0x25;
