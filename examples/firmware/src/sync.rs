// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks that interrupt handlers may take too.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::arch::cpu;

/// Interrupts were masked on this CPU; what they were before is in here.
#[derive(Clone, Copy, Debug)]
#[must_use = "interrupts stay masked until `restore`"]
pub struct Masked(usize);

impl Masked {
    /// Masks interrupts on the calling CPU.
    pub fn mask() -> Self {
        Self(cpu::mask())
    }

    /// Whether interrupts could be taken before.
    pub fn was_unmasked(self) -> bool {
        cpu::is_unmasked(self.0)
    }

    /// Sleeps until there is an interrupt for this CPU, if there is none
    /// already. It may be served meanwhile, or when the mask goes.
    pub fn wait_for_interrupt(&self) {
        cpu::wait_for_interrupt();
    }

    /// Puts the mask back to what it was.
    pub fn restore(self) {
        cpu::restore(self.0);
    }

    /// For interfaces that carry the state as a number.
    pub fn into_raw(self) -> usize {
        self.0
    }

    /// From [`into_raw`](Self::into_raw).
    pub fn from_raw(raw: usize) -> Self {
        Self(raw)
    }
}

/// A spin lock that masks interrupts on the CPU that holds it, so a handler
/// never waits for the code that it interrupted.
#[derive(Debug)]
pub struct IrqMutex<T>(SpinMutex<T>);

impl<T> IrqMutex<T> {
    /// A new lock.
    pub const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Waits for the lock and takes it.
    pub fn lock(&self) -> IrqGuard<'_, T> {
        let masked = Masked::mask();
        IrqGuard {
            guard: ManuallyDrop::new(self.0.lock()),
            masked,
        }
    }

    /// Takes the lock if nobody has it.
    pub fn try_lock(&self) -> Option<IrqGuard<'_, T>> {
        let masked = Masked::mask();
        match self.0.try_lock() {
            Some(guard) => Some(IrqGuard {
                guard: ManuallyDrop::new(guard),
                masked,
            }),
            None => {
                masked.restore();
                None
            }
        }
    }
}

/// Releases the lock, then restores the interrupt mask, when dropped.
pub struct IrqGuard<'a, T> {
    guard: ManuallyDrop<SpinMutexGuard<'a, T>>,
    masked: Masked,
}

impl<T> Drop for IrqGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: Dropped here only. It has to go before interrupts return.
        unsafe { ManuallyDrop::drop(&mut self.guard) };
        self.masked.restore();
    }
}

impl<T> Deref for IrqGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for IrqGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T: fmt::Debug> fmt::Debug for IrqGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
