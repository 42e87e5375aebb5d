// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accesses to addresses at which there may be nothing.
//!
//! On arm64 Xen answers them with a data abort where neither memory nor an
//! emulated device is. Elsewhere in this firmware an abort ends the program;
//! these functions return it. On x86 reads of nothing give ones, and writes
//! have no effect; an access fails if its emulator breaks the rules.

use crate::arch::access::{LOADS, STORES, load_pair};

/// An access that was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted {
    /// On arm64 the syndrome register, `ESR_EL1`; on x86 the exception's
    /// vector.
    pub syndrome: u64,
}

/// What an access returns, in two registers.
#[repr(C)]
pub(crate) struct Answer {
    value: u64,
    /// 0 if the access was made; never an exception's.
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

/// Called with an address, and the value to store there.
pub(crate) type Access = extern "C" fn(usize, u64) -> Answer;

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
/// On arm64, if nothing is there but an emulated device: Xen knows no such
/// access there. On x86 it asks the emulator twice.
///
/// # Safety
///
/// As for [`read`].
pub unsafe fn read_pair(address: usize) -> Result<u64, Aborted> {
    load_pair(address, 0).result()
}
