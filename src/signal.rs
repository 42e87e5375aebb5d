// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events for `async` code, with no executor of its own.

use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use core::task::{Context, Poll, Waker};

use crate::{EventChannel, Result};

/// Where an event channel leaves its events for one `async` task.
///
/// ```
/// # use xen_guest::{EventChannel, Signal, Result};
/// static SIGNAL: Signal = Signal::new();
///
/// async fn serve(mut channel: EventChannel<'_>) -> Result {
///     SIGNAL.attach(&mut channel)?;
///     loop {
///         SIGNAL.wait().await;
///         // Look at what the peer wrote, answer, and:
///         channel.notify()?;
///     }
/// }
/// ```
///
/// Events coalesce, as those of the channel do. One task waits at a time: a
/// second one takes the first one's place, which is woken to find out.
pub struct Signal {
    raised: AtomicBool,
    waker: WakerSlot,
}

impl Signal {
    /// Without an event.
    pub const fn new() -> Self {
        Self {
            raised: AtomicBool::new(false),
            waker: WakerSlot::new(),
        }
    }

    /// Have the events of `channel` come here.
    ///
    /// # Errors
    ///
    /// As [`EventChannel::bind`].
    pub fn attach(&'static self, channel: &mut EventChannel<'_>) -> Result {
        channel.bind_signal(self)
    }

    /// An event: wakes the task that waits. Any context.
    pub fn raise(&self) {
        // Release: who takes the event sees what came before it.
        self.raised.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Take an event that came already.
    pub fn take(&self) -> bool {
        self.raised.swap(false, Ordering::AcqRel)
    }

    /// Wait for an event and take it.
    pub const fn wait(&self) -> Wait<'_> {
        Wait(self)
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.raised).finish()
    }
}

/// The future of [`Signal::wait`]. Dropping it loses no event.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Wait<'a>(&'a Signal);

impl Future for Wait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.take() {
            return Poll::Ready(());
        }
        self.0.waker.register(cx.waker());
        // An event between the look above and the registration woke nobody.
        if self.0.take() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// One waker, set by a task and woken from interrupts, without a lock.
///
/// `state` is the protocol:
///   0             nobody is at the slot
///   REGISTERING   a task writes it
///   WAKING        a waker takes it
///   both          woken while a task was writing: the task wakes itself
/// Whoever changes 0 into one of the two owns the slot until it clears its
/// own bit.
struct WakerSlot {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
}

const REGISTERING: u8 = 1;
const WAKING: u8 = 2;

// SAFETY: the slot is touched only by the owner that `state` names.
unsafe impl Sync for WakerSlot {}
// SAFETY: wakers are `Send`.
unsafe impl Send for WakerSlot {}

impl WakerSlot {
    const fn new() -> Self {
        Self {
            state: AtomicU8::new(0),
            waker: UnsafeCell::new(None),
        }
    }

    fn register(&self, new: &Waker) {
        // Acquire: the last owner's writes to the slot are seen.
        match self
            .state
            .compare_exchange(0, REGISTERING, Ordering::Acquire, Ordering::Acquire)
        {
            Ok(_) => {}
            // Being woken at this moment, or another task registers: look
            // again.
            Err(_) => return new.wake_by_ref(),
        }
        // SAFETY: REGISTERING makes this the owner.
        let slot = unsafe { &mut *self.waker.get() };
        let displaced = match slot {
            Some(old) if old.will_wake(new) => None,
            _ => slot.replace(new.clone()),
        };
        // Release: the next owner sees the slot as it is now.
        let woken =
            self.state
                .compare_exchange(REGISTERING, 0, Ordering::AcqRel, Ordering::Acquire);
        if woken.is_err() {
            // Woken meanwhile, by somebody who left it to us.
            let waker = slot.take();
            self.state.store(0, Ordering::Release);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        // Not the task that waits any more: let it find out.
        if let Some(displaced) = displaced {
            displaced.wake();
        }
    }

    fn wake(&self) {
        // Acquire: the registering task's write is seen. Release: it sees
        // what was done before waking.
        if self.state.fetch_or(WAKING, Ordering::AcqRel) != 0 {
            // A task is registering and will wake itself, or somebody else is
            // waking already.
            return;
        }
        // SAFETY: WAKING on a free slot makes this the owner.
        let waker = unsafe { (*self.waker.get()).take() };
        self.state.fetch_and(!WAKING, Ordering::Release);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
