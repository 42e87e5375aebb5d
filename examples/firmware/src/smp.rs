// SPDX-License-Identifier: MIT OR Apache-2.0
//! More vCPUs than the one that Xen starts.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::arch::smp::Stack;
use crate::arch::{self, interrupts, timer};
use crate::sync::{IrqMutex, Masked};
use crate::{cpu, guest, machine};

pub use crate::arch::smp::Refusal;

/// Pages of each started vCPU's stack.
pub const STACK_PAGES: usize = 8;

/// A stack for each vCPU but the first, which has the boot stack.
struct Stacks([UnsafeCell<Stack>; cpu::MOST - 1]);

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

/// Whether another vCPU was ever started.
static OTHERS: AtomicBool = AtomicBool::new(false);

/// The same, for what has to be done for them too.
pub(crate) fn others_run() -> bool {
    // Relaxed: whoever has to do with what the new vCPU does was told of it.
    OTHERS.load(Ordering::Relaxed)
}

/// Why a vCPU was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// The domain has none of this number, or there is no stack for it.
    NotFound,
    /// It runs.
    Running,
    /// Xen says no.
    Refused(Refusal),
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
            OTHERS.store(true, Ordering::Relaxed);
            // It waits for the lock before it looks what is due.
            // SAFETY: No vCPU was ever on this stack, nor will another one be.
            let started = unsafe { arch::smp::turn_on(vcpu, STACKS.0[index].get(), run) };
            started.map_err(StartError::Refused)?;
            *state = State::Due(main);
        }
        State::Idle => {
            *state = State::Due(main);
            drop(state);
            interrupts::wake(number);
        }
        State::Due(_) | State::Busy => return Err(StartError::Running),
    }
    Ok(())
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
extern "C" fn run(vcpu: u32) -> ! {
    // SAFETY: The image and its stacks are mapped there as they are here.
    unsafe { arch::mmu::activate() };
    interrupts::init_cpu();
    timer::init(machine());
    // Events may be pending already.
    let mut events = guest::online(vcpu);
    arch::cpu::unmask();
    let state = &STATES[vcpu as usize - 1];
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
        // As in `wait_until`: an interrupt between test and sleep, that of
        // `start` above all, ends the sleep.
        let masked = Masked::mask();
        let mut now = state.lock();
        if let State::Due(main) = *now {
            *now = State::Busy;
            drop(now);
            masked.restore();
            return main;
        }
        drop(now);
        masked.wait_for_interrupt();
        masked.restore();
    }
}
