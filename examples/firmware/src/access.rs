// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accesses to addresses at which there may be nothing.
//!
//! Xen answers them with a data abort where neither memory nor an emulated
//! device is. Elsewhere in this firmware an abort ends the program; these
//! functions return it.

use core::arch::naked_asm;

use aarch64_rt::RegisterStateRef;

/// An access that was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted {
    /// The syndrome register, `ESR_EL1`.
    pub syndrome: u64,
}

/// What one of the functions below returns in x0 and x1.
#[repr(C)]
struct Answer {
    value: u64,
    /// 0 if the access was made; never a data abort's.
    syndrome: u64,
}

impl Answer {
    fn result(self) -> Result<u64, Aborted> {
        match self.syndrome {
            0 => Ok(self.value),
            syndrome => Err(Aborted { syndrome }),
        }
    }
}

/// The accesses, one for each width in bytes as a power of two. Each is the
/// first instruction of its function, two instructions before the return:
/// [`recover`] relies on it. An emulator is told of a single register, so all
/// but the last are of one.
macro_rules! accesses {
    ($($name:ident: $instruction:literal;)*) => {
        $(
            #[unsafe(naked)]
            extern "C" fn $name(_address: usize, _value: u64) -> Answer {
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

type Access = extern "C" fn(usize, u64) -> Answer;

const LOADS: [Access; 4] = [load_1, load_2, load_4, load_8];
const STORES: [Access; 4] = [store_1, store_2, store_4, store_8];

fn of_width(accesses: &[Access; 4], bytes: u32) -> Access {
    assert!(bytes.is_power_of_two() && bytes <= 8, "{bytes} bytes");
    accesses[bytes.trailing_zeros() as usize]
}

/// Reads 1, 2, 4 or 8 bytes.
///
/// # Errors
///
/// If nothing is there.
///
/// # Safety
///
/// `address` is mapped by the page tables, and what is there may be read: no
/// Rust object that is being written, no register that does harm.
pub unsafe fn read(address: usize, bytes: u32) -> Result<u64, Aborted> {
    of_width(&LOADS, bytes)(address, 0).result()
}

/// Writes the low 1, 2, 4 or 8 bytes of `value`.
///
/// # Errors
///
/// If nothing is there.
///
/// # Safety
///
/// `address` is mapped by the page tables for writing, and what is there may
/// be written: no Rust object, no register that does harm.
pub unsafe fn write(address: usize, bytes: u32, value: u64) -> Result<(), Aborted> {
    of_width(&STORES, bytes)(address, value).result().map(drop)
}

/// Reads 16 bytes by a single instruction, of which the low 8 are returned.
///
/// # Errors
///
/// If nothing is there but an emulated device: Xen knows no such access.
///
/// # Safety
///
/// As for [`read`].
pub unsafe fn read_pair(address: usize) -> Result<u64, Aborted> {
    load_pair(address, 0).result()
}

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
