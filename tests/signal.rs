// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events for `async` code: no wake-up is lost, whoever raises and waits.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use xen_guest::Signal;

/// Wakes a thread, and counts how often.
struct Unpark {
    thread: Thread,
    woken: AtomicU32,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, SeqCst);
        self.thread.unpark();
    }
}

fn unpark() -> Arc<Unpark> {
    Arc::new(Unpark {
        thread: thread::current(),
        woken: AtomicU32::new(0),
    })
}

/// Panics rather than waits for ever.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(unpark());
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => {
                let before = std::time::Instant::now();
                thread::park_timeout(Duration::from_secs(20));
                assert!(before.elapsed().as_secs() < 20, "a wake-up is lost");
            }
        }
    }
}

#[test]
fn an_event_before_the_wait_is_kept() {
    let signal = Signal::new();
    signal.raise();
    signal.raise();
    block_on(signal.wait());
    assert!(!signal.take(), "two events are one");
}

#[test]
fn a_wait_that_is_dropped_takes_nothing() {
    let signal = Signal::new();
    let unpark = unpark();
    let waker = Waker::from(unpark.clone());
    {
        let mut wait = pin!(signal.wait());
        assert!(
            wait.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    signal.raise();
    assert_eq!(unpark.woken.load(SeqCst), 1);
    assert!(signal.take());
}

#[test]
fn a_second_task_displaces_the_first() {
    let signal = Signal::new();
    let [first, second] = [unpark(), unpark()];
    let wakers = [first.clone(), second.clone()].map(Waker::from);
    let mut waits = [pin!(signal.wait()), pin!(signal.wait())];
    for (wait, waker) in waits.iter_mut().zip(&wakers) {
        assert!(
            wait.as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
    }
    assert_eq!(first.woken.load(SeqCst), 1, "woken to find out");
    signal.raise();
    assert_eq!(second.woken.load(SeqCst), 1);
}

/// Two threads in turn, each waking the other: one lost wake-up ends it.
#[test]
fn ping_pong() {
    const ROUNDS: u32 = 50_000;
    static BALLS: [Signal; 2] = [Signal::new(), Signal::new()];
    let player = |mine: usize| {
        block_on(async {
            for _ in 0..ROUNDS {
                BALLS[mine].wait().await;
                BALLS[1 - mine].raise();
            }
        });
    };
    BALLS[0].raise();
    thread::scope(|scope| {
        scope.spawn(|| player(0));
        scope.spawn(|| player(1));
    });
}

/// Many raisers: the waiter sees everything that was counted before a raise.
#[test]
fn many_raisers() {
    const EACH: u32 = 20_000;
    static SIGNAL: Signal = Signal::new();
    static WORK: AtomicU32 = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    WORK.fetch_add(1, SeqCst);
                    SIGNAL.raise();
                }
            });
        }
        let mut done = 0;
        block_on(async {
            while done < 3 * EACH {
                SIGNAL.wait().await;
                done = WORK.load(SeqCst);
            }
        });
    });
}
