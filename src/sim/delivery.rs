// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's vCPU: when its upcall runs, and where.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::vec::Vec;

use super::Delivery;
use super::machine::Machine;
use super::sharedinfo::SharedInfo;

/// A domain's event interrupt: true asks to be called again.
pub type Upcall = Arc<dyn Fn() -> bool + Send + Sync>;

/// Upcalls in a row that leave `evtchn_upcall_pending` set although nothing
/// new was raised: on a machine that is an endless interrupt.
const STUCK: u32 = 10_000;

std::thread_local! {
    /// The vCPUs whose upcalls are running on this thread, outermost first.
    static INSIDE: RefCell<Vec<*const Vcpu>> = const { RefCell::new(Vec::new()) };
    /// Its address tells threads apart.
    static MARK: u8 = const { 0 };
}

fn me() -> usize {
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

pub(super) struct Vcpu {
    info: SharedInfo,
    delivery: Delivery,
    state: Mutex<Cpu>,
    /// Anything in `state` changed, or the upcall is wanted.
    changed: Condvar,
    /// The last upcall asked to be called again.
    more: AtomicBool,
    /// How often Xen raised the upcall.
    raised: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Cpu {
    upcall: Option<Upcall>,
    /// The thread the upcall is running on.
    running: Option<usize>,
    /// The thread that holds the platform lock: interrupts are off.
    locked: Option<usize>,
    waiting: u32,
    stuck: u32,
    closing: bool,
}

impl Vcpu {
    pub(super) fn new(machine: Arc<Machine>, shared_info: u64, delivery: Delivery) -> Arc<Self> {
        let vcpu = Arc::new(Self {
            info: SharedInfo::new(machine, shared_info),
            delivery,
            state: Mutex::default(),
            changed: Condvar::new(),
            more: AtomicBool::new(false),
            raised: AtomicU64::new(0),
            thread: Mutex::new(None),
        });
        if delivery == Delivery::Asynchronous {
            let own = vcpu.clone();
            let thread = std::thread::spawn(move || own.run());
            *lock(&vcpu.thread) = Some(thread);
        }
        vcpu
    }

    pub(super) fn info(&self) -> &SharedInfo {
        &self.info
    }

    /// Xen sets the upcall flag; true if it was clear.
    pub(super) fn raise(&self) -> bool {
        let fresh = self.info.upcall_pending().swap(1, Ordering::SeqCst) == 0;
        if fresh {
            self.raised.fetch_add(1, Ordering::SeqCst);
        }
        fresh
    }

    fn wanted(&self) -> bool {
        self.info.upcall_pending().load(Ordering::SeqCst) != 0 || self.more.load(Ordering::SeqCst)
    }

    /// The upcall thread, if any, looks again.
    pub(super) fn poke(&self) {
        self.announce(&lock(&self.state));
    }

    fn announce(&self, cpu: &MutexGuard<'_, Cpu>) {
        if cpu.waiting > 0 {
            self.changed.notify_all();
        }
    }

    fn wait<'a>(&self, mut cpu: MutexGuard<'a, Cpu>) -> MutexGuard<'a, Cpu> {
        cpu.waiting += 1;
        let mut cpu = self
            .changed
            .wait(cpu)
            .unwrap_or_else(PoisonError::into_inner);
        cpu.waiting -= 1;
        cpu
    }

    /// The domain left the hypervisor: its interrupt fires if it is due.
    pub(super) fn leave_hypervisor(self: &Arc<Self>) {
        if self.wanted() {
            match self.delivery {
                Delivery::Deterministic => {
                    self.deliver();
                }
                Delivery::Asynchronous => self.poke(),
            }
        }
    }

    /// Runs the upcall on this thread until nothing is due; how often it ran.
    /// Zero also where interrupts are held off.
    pub(super) fn deliver(self: &Arc<Self>) -> usize {
        let mut calls = 0;
        while self.wanted() {
            let mut cpu = lock(&self.state);
            if cpu.closing || cpu.running.is_some() || cpu.locked.is_some() {
                break;
            }
            let Some(upcall) = cpu.upcall.clone() else {
                break;
            };
            cpu.running = Some(me());
            drop(cpu);
            self.call(&upcall);
            calls += 1;
        }
        calls
    }

    /// Whether the upcall is running, or due without the calling thread
    /// itself holding it off.
    pub(super) fn busy(&self) -> bool {
        let cpu = lock(&self.state);
        let able = cpu.upcall.is_some() && !cpu.closing && cpu.locked != Some(me());
        cpu.running.is_some() || (able && self.wanted())
    }

    pub(super) fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The upcall thread of an asynchronous domain.
    fn run(self: Arc<Self>) {
        loop {
            let mut cpu = lock(&self.state);
            let upcall = loop {
                if cpu.closing {
                    return;
                }
                if self.wanted()
                    && cpu.locked.is_none()
                    && cpu.running.is_none()
                    && let Some(upcall) = &cpu.upcall
                {
                    break upcall.clone();
                }
                cpu = self.wait(cpu);
            };
            cpu.running = Some(me());
            drop(cpu);
            self.call(&upcall);
        }
    }

    /// One upcall, the caller having marked it as running.
    fn call(&self, upcall: &Upcall) {
        /// Undoes the marks, after a panic too.
        struct Leave<'a>(&'a Vcpu);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                INSIDE.with_borrow_mut(|inside| inside.pop());
                let mut cpu = lock(&self.0.state);
                cpu.running = None;
                self.0.announce(&cpu);
            }
        }
        INSIDE.with_borrow_mut(|inside| inside.push(self));
        let leave = Leave(self);
        let raised = self.raised.load(Ordering::SeqCst);
        let more = upcall();
        self.more.store(more, Ordering::SeqCst);
        let stuck = !more
            && self.info.upcall_pending().load(Ordering::SeqCst) != 0
            && self.raised.load(Ordering::SeqCst) == raised;
        let times = {
            let mut cpu = lock(&self.state);
            cpu.stuck = if stuck { cpu.stuck + 1 } else { 0 };
            cpu.stuck
        };
        drop(leave);
        assert!(
            times < STUCK,
            "simulated Xen: the upcall does not clear evtchn_upcall_pending, \
             which is an endless interrupt"
        );
    }

    /// Whether the calling thread is inside this vCPU's upcall.
    pub(super) fn inside(&self) -> bool {
        INSIDE.with_borrow(|inside| inside.contains(&std::ptr::from_ref(self)))
    }

    /// Connects the event interrupt, or with `None` disconnects it and waits
    /// until it is not running any more (unless called from inside it).
    pub(super) fn connect(self: &Arc<Self>, upcall: Option<Upcall>) {
        let off = upcall.is_none();
        let mut cpu = lock(&self.state);
        let old = std::mem::replace(&mut cpu.upcall, upcall);
        while off && cpu.running.is_some_and(|thread| thread != me()) {
            cpu = self.wait(cpu);
        }
        self.announce(&cpu);
        drop(cpu);
        // What the closure owns may call back here when it goes.
        drop(old);
        if !off {
            self.leave_hypervisor();
        }
    }

    /// The platform lock.
    pub(super) fn lock(&self) {
        let mut cpu = lock(&self.state);
        while let Some(holder) = cpu.locked {
            if holder == me() {
                drop(cpu);
                panic!("simulated Xen: the platform lock is taken twice by one thread");
            }
            cpu = self.wait(cpu);
        }
        cpu.locked = Some(me());
    }

    pub(super) fn unlock(self: &Arc<Self>) {
        let mut cpu = lock(&self.state);
        if cpu.locked != Some(me()) {
            drop(cpu);
            panic!(
                "simulated Xen: the platform lock is released by a thread that does not hold it"
            );
        }
        cpu.locked = None;
        self.announce(&cpu);
        drop(cpu);
        // Interrupts are on again: what is due fires now.
        self.leave_hypervisor();
    }

    /// The vCPU stops for good. A panic of the upcall thread goes on here.
    pub(super) fn close(self: &Arc<Self>) {
        lock(&self.state).closing = true;
        self.connect(None);
        let Some(thread) = lock(&self.thread).take() else {
            return;
        };
        self.poke();
        if thread.thread().id() == std::thread::current().id() {
            return;
        }
        if let Err(payload) =
            std::panic::catch_unwind(AssertUnwindSafe(|| thread.join())).unwrap_or_else(Err)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(payload);
        }
    }
}

/// A mutex whose holder panicked is still consistent here: everything that
/// may panic runs outside.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
