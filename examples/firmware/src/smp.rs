// SPDX-License-Identifier: MIT OR Apache-2.0
//! More vCPUs than the one that Xen starts.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use aarch64_rt::{Stack, start_core};
use smccc::Hvc;
use smccc::psci::{self, AffinityState, LowestAffinityLevel};

use crate::sync::IrqMutex;
use crate::{cpu, gic, guest, machine, mmu, time};

/// Pages of each started vCPU's stack.
pub const STACK_PAGES: usize = 8;

/// A stack for each vCPU but the first, which has the boot stack.
struct Stacks([UnsafeCell<Stack<STACK_PAGES>>; cpu::MOST - 1]);

// SAFETY: Each is used by its own vCPU, and while that is off by the holder of
// `STARTING`.
unsafe impl Sync for Stacks {}

static STACKS: Stacks = Stacks([const { UnsafeCell::new(Stack::new()) }; cpu::MOST - 1]);

/// Held while a vCPU is found to be off and started.
static STARTING: IrqMutex<()> = IrqMutex::new(());

static ALONE: AtomicBool = AtomicBool::new(true);

/// Why a vCPU was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The domain has none of this number, or there is no stack for it.
    NotFound,
    /// It runs.
    Running,
    /// Xen says no.
    Refused(psci::Error),
}

/// How many vCPUs there are to use, from 0 on.
pub fn count() -> usize {
    machine().cpus.min(cpu::MOST)
}

/// Starts vCPU `vcpu`, which calls `main` with its number. When that returns
/// the vCPU is off, and can be started again.
///
/// It has a stack of its own, of [`STACK_PAGES`], the same address space, its
/// own interrupts and timer; and where [`init_with`](crate::init_with) was
/// called before, with storage for it, the events that are bound to it.
///
/// # Errors
///
/// With nothing changed.
pub fn start(vcpu: u32, main: fn(vcpu: u32)) -> Result<(), StartError> {
    let number = vcpu as usize;
    if number >= count() {
        return Err(StartError::NotFound);
    }
    let _starting = STARTING.lock();
    if is_running(vcpu) {
        return Err(StartError::Running);
    }
    // vCPU 0 is always on, so this is not 0. There is no other reason for which
    // one of those counted could have no stack.
    let stack = number.checked_sub(1).ok_or(StartError::Running)?;
    // Relaxed: the new vCPU sees what was written before it is started.
    ALONE.store(false, Ordering::Relaxed);
    // The new vCPU begins with the initial page table, which is there for as
    // long as the image, and sees memory in the same way as this one.
    let run = move || run(vcpu, main);
    // SAFETY: The stack is a static, and belongs to this vCPU alone. That is
    // off and stays so while we hold the lock, so nothing is on the stack. It
    // is ordinary memory in the initial page table as in the final one.
    let started = unsafe {
        start_core::<Hvc, _, STACK_PAGES>(cpu::affinity(number), STACKS.0[stack].get(), run)
    };
    started.map_err(StartError::Refused)
}

/// Whether the vCPU was started and has not come to its end.
pub fn is_running(vcpu: u32) -> bool {
    let target = cpu::affinity(vcpu as usize);
    let state = psci::affinity_info::<Hvc>(target, LowestAffinityLevel::All);
    state.is_ok_and(|state| state != AffinityState::Off)
}

/// Whether no other vCPU was ever started.
pub(crate) fn alone() -> bool {
    ALONE.load(Ordering::Relaxed)
}

/// The life of a vCPU, with interrupts masked at first.
fn run(vcpu: u32, main: fn(u32)) -> ! {
    // SAFETY: The image and its stacks are mapped there as they are here.
    unsafe { mmu::activate() };
    gic::init_cpu();
    time::init(machine());
    guest::online(vcpu);
    arm_gic::irq_enable();
    main(vcpu);
    arm_gic::irq_disable();
    time::disarm();
    let refused = psci::cpu_off::<Hvc>();
    panic!("vCPU {vcpu} can't be turned off: {refused:?}");
}
