// SPDX-License-Identifier: MIT OR Apache-2.0
//! More vCPUs than the one that Xen starts.

use core::cell::UnsafeCell;

use aarch64_rt::{Stack, start_core};
use smccc::Hvc;
use smccc::psci;

use crate::sync::{IrqMutex, Masked};
use crate::{cpu, gic, guest, machine, mmu, time};

/// Pages of each started vCPU's stack.
pub const STACK_PAGES: usize = 8;

/// A stack for each vCPU but the first, which has the boot stack.
struct Stacks([UnsafeCell<Stack<STACK_PAGES>>; cpu::MOST - 1]);

// SAFETY: Each is used by its own vCPU, and before that once by the one that
// starts it.
unsafe impl Sync for Stacks {}

static STACKS: Stacks = Stacks([const { UnsafeCell::new(Stack::new()) }; cpu::MOST - 1]);

#[derive(Clone, Copy, Debug)]
enum State {
    /// Never started.
    Off,
    Idle,
    /// To call this.
    Due(fn(u32)),
    Busy,
}

/// All but the first.
static STATES: [IrqMutex<State>; cpu::MOST - 1] =
    [const { IrqMutex::new(State::Off) }; cpu::MOST - 1];

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

/// Has vCPU `vcpu` call `main` with its number. When that returns the vCPU is
/// idle, and can be started again.
///
/// It has a stack of its own, of [`STACK_PAGES`], the same address space, its
/// own interrupts and timer; and where [`init_with`](crate::init_with) was
/// called before, with storage for it, the events that are bound to it, which
/// it serves while it is idle too.
///
/// # Errors
///
/// With nothing changed.
pub fn start(vcpu: u32, main: fn(vcpu: u32)) -> Result<(), StartError> {
    let number = vcpu as usize;
    if number >= count() {
        return Err(StartError::NotFound);
    }
    let index = number.checked_sub(1).ok_or(StartError::Running)?;
    let mut state = STATES[index].lock();
    match *state {
        State::Off => {
            // It waits for the lock before it looks what is due.
            // SAFETY: No vCPU was ever on this stack, nor will another one be.
            unsafe { turn_on(vcpu, STACKS.0[index].get()) }.map_err(StartError::Refused)?;
            *state = State::Due(main);
        }
        State::Idle => {
            *state = State::Due(main);
            drop(state);
            gic::wake(number);
        }
        State::Due(_) | State::Busy => return Err(StartError::Running),
    }
    Ok(())
}

/// # Safety
///
/// The stack is a static, and nobody else's.
unsafe fn turn_on(vcpu: u32, stack: *mut Stack<STACK_PAGES>) -> Result<(), psci::Error> {
    time::share();
    // The new vCPU begins with the initial page table, which is there for as
    // long as the image, and sees memory in the same way as this one.
    let run = move || run(vcpu);
    // SAFETY: The stack is as the caller promises, and is ordinary memory in
    // the initial page table as in the final one.
    unsafe { start_core::<Hvc, _, STACK_PAGES>(cpu::affinity(vcpu as usize), stack, run) }
}

/// Whether the vCPU was started and has not come to its function's end.
pub fn is_running(vcpu: u32) -> bool {
    match (vcpu as usize)
        .checked_sub(1)
        .map(|index| STATES.get(index))
    {
        None => true,
        Some(None) => false,
        Some(Some(state)) => matches!(*state.lock(), State::Due(_) | State::Busy),
    }
}

/// The life of a vCPU, with interrupts masked at first.
///
/// It is never turned off: Xen says that a vCPU is off when that has not quite
/// left yet, and one that is started at that moment does not come up.
fn run(vcpu: u32) -> ! {
    // SAFETY: The image and its stacks are mapped there as they are here.
    unsafe { mmu::activate() };
    gic::init_cpu();
    time::init(machine());
    arm_gic::irq_enable();
    let state = &STATES[vcpu as usize - 1];
    let mut events = false;
    loop {
        let main = next(state);
        // The guest may have been set up since the last time.
        events = events || guest::online(vcpu);
        main(vcpu);
        *state.lock() = State::Idle;
    }
}

/// Sleeps until something is due.
fn next(state: &IrqMutex<State>) -> fn(u32) {
    loop {
        // As in `wait_until`: an interrupt between test and `wfi`, that of
        // `start` above all, is served after the `wfi`, which it ends.
        let masked = Masked::mask();
        let mut now = state.lock();
        if let State::Due(main) = *now {
            *now = State::Busy;
            drop(now);
            masked.restore();
            return main;
        }
        drop(now);
        arm_gic::wfi();
        masked.restore();
    }
}
