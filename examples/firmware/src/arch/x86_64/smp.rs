// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting a vCPU, by hypercall.

use x86_64::registers::control::Cr3;
use xen_guest::Error;
use xen_guest::ffi::abi;

use super::boot::{CR0, CR4, EFER};
use super::hypercall::raw;
use crate::smp::STACK_PAGES;

/// Why Xen starts no vCPU.
pub use xen_guest::Error as Refusal;

/// A started vCPU's.
#[repr(C, align(4096))]
pub(crate) struct Stack([u8; STACK_PAGES * 4096]);

impl Stack {
    pub(crate) const fn new() -> Self {
        Self([0; STACK_PAGES * 4096])
    }
}

/// The registers that a vCPU starts with: Xen's `vcpu_hvm_context`, with the
/// variant for 64-bit mode.
#[derive(Default)]
#[repr(C)]
struct Context {
    mode: u32,
    pad: u32,
    rax: u64,
    rcx: u64,
    rdx: u64,
    rbx: u64,
    rsp: u64,
    rbp: u64,
    rsi: u64,
    rdi: u64,
    rip: u64,
    rflags: u64,
    cr0: u64,
    cr3: u64,
    cr4: u64,
    efer: u64,
    /// The variant for 32-bit mode is larger.
    rest: u64,
}

unsafe extern "C" {
    fn secondary_start() -> !;
}

/// Has vCPU `vcpu` call `run` with its number, with interrupts masked.
///
/// # Safety
///
/// The stack is a static, and nobody else's.
pub(crate) unsafe fn turn_on(
    vcpu: u32,
    stack: *mut Stack,
    run: extern "C" fn(u32) -> !,
) -> Result<(), Refusal> {
    const MODE_64: u32 = 1;
    const LONG_MODE_ACTIVE: u64 = 1 << 10;
    /// The one flag that is always set.
    const FLAGS: u64 = 1 << 1;
    let (tables, _) = Cr3::read();
    let context = Context {
        mode: MODE_64,
        rdx: run as *const () as u64,
        rsp: stack.addr() as u64 + size_of::<Stack>() as u64,
        rsi: vcpu.into(),
        rdi: vcpu.into(),
        rip: secondary_start as *const () as u64,
        rflags: FLAGS,
        cr0: CR0,
        cr3: tables.start_address().as_u64(),
        cr4: CR4,
        efer: EFER | LONG_MODE_ACTIVE,
        ..Context::default()
    };
    let op = |operation: u32, argument| {
        let vcpu_op = abi::__HYPERVISOR_vcpu_op as usize;
        // SAFETY: Xen reads the context. What starts has a stack of its own, as
        // the caller promises, and the same page tables as this vCPU.
        let result = unsafe { raw(vcpu_op, [operation as usize, vcpu as usize, argument, 0, 0]) };
        match i32::try_from(result) {
            Ok(0) => Ok(()),
            other => Err(Error::from_raw(other.unwrap_or(i32::MIN))),
        }
    };
    op(abi::VCPUOP_initialise, (&raw const context).addr())?;
    op(abi::VCPUOP_up, 0)
}
