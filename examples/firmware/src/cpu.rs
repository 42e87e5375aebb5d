// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which CPU this is.

use crate::arch;

/// How many vCPUs can be used; a domain may have more.
pub const MOST: usize = 8;

/// The number of the calling vCPU, as Xen counts them.
pub fn number() -> usize {
    arch::cpu::number()
}
