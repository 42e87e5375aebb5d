// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting a vCPU, by PSCI.

use aarch64_rt::start_core;
use smccc::Hvc;

use super::cpu;
use crate::smp::STACK_PAGES;

/// Why Xen starts no vCPU.
pub use smccc::psci::Error as Refusal;

/// A started vCPU's.
pub(crate) type Stack = aarch64_rt::Stack<STACK_PAGES>;

/// Has vCPU `vcpu` call `run` with its number, with interrupts masked and the
/// initial page table.
///
/// # Safety
///
/// The stack is a static, and nobody else's.
pub(crate) unsafe fn turn_on(
    vcpu: u32,
    stack: *mut Stack,
    run: extern "C" fn(u32) -> !,
) -> Result<(), Refusal> {
    // The initial page table is there for as long as the image, and sees
    // memory in the same way as this vCPU.
    let run = move || run(vcpu);
    // SAFETY: The stack is as the caller promises, and is ordinary memory in
    // the initial page table as in the final one.
    unsafe { start_core::<Hvc, _, STACK_PAGES>(cpu::affinity(vcpu as usize), stack, run) }
}
