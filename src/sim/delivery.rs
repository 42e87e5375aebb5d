// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's vCPUs: when their upcalls run, and where.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::vec::Vec;

use super::Delivery;
use super::sharedinfo::VcpuInfo;
use super::trace::{Call, Trace};

/// A domain's event interrupt: true asks to be called again.
pub type Upcall = Arc<dyn Fn() -> bool + Send + Sync>;

/// Upcalls in a row that leave `evtchn_upcall_pending` set although nothing
/// new was raised: on a machine that is an endless interrupt.
const STUCK: u32 = 10_000;

/// What a thread is of a domain.
struct Role {
    cpus: *const Cpus,
    vcpu: u32,
    /// In the upcall of the vCPU, not beneath it.
    upcall: bool,
}

std::thread_local! {
    /// What this thread is, outermost first.
    static ROLES: RefCell<Vec<Role>> = const { RefCell::new(Vec::new()) };
    /// Its address tells threads apart.
    static MARK: u8 = const { 0 };
}

pub(super) fn me() -> usize {
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

/// Takes the innermost role off this thread again, after a panic too.
struct Leave;

impl Leave {
    fn after(cpus: &Cpus, vcpu: u32, upcall: bool) -> Self {
        ROLES.with_borrow_mut(|roles| roles.push(Role { cpus, vcpu, upcall }));
        Self
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        ROLES.with_borrow_mut(|roles| roles.pop());
    }
}

/// The vCPUs of one domain.
pub(super) struct Cpus {
    list: Vec<Vcpu>,
    /// The domain's number, and where its upcalls are recorded.
    trace: (u16, Arc<Trace>),
    delivery: Delivery,
    state: Mutex<Shared>,
    /// Anything in `state` changed, or an upcall is wanted.
    changed: Condvar,
}

struct Vcpu {
    info: VcpuInfo,
    /// The last upcall asked to be called again.
    more: AtomicBool,
    /// How often Xen raised the upcall.
    raised: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What of the vCPUs is the whole domain's.
struct Shared {
    upcall: Option<Upcall>,
    /// Who holds the platform lock: this thread, as this vCPU, whose
    /// interrupts are off.
    locked: Option<(usize, u32)>,
    waiting: u32,
    closing: bool,
    cpus: Vec<Cpu>,
}

#[derive(Clone, Copy, Default)]
struct Cpu {
    /// The thread the upcall is running on.
    running: Option<usize>,
    /// The only thread that the upcall may run on.
    owner: Option<usize>,
    stuck: u32,
}

impl Shared {
    /// Whether the upcall of a vCPU can run on this thread at this moment.
    fn able(&self, vcpu: u32) -> bool {
        let cpu = self.cpus[vcpu as usize];
        // A thread that holds the lock can't be interrupted by another vCPU.
        let off = self
            .locked
            .is_some_and(|(thread, on)| on == vcpu || thread == me());
        let owned = cpu.owner.is_some_and(|thread| thread != me());
        self.upcall.is_some() && !self.closing && cpu.running.is_none() && !off && !owned
    }

    fn running(&self) -> impl Iterator<Item = usize> {
        self.cpus.iter().filter_map(|cpu| cpu.running)
    }
}

impl Cpus {
    pub(super) fn new(
        infos: Vec<VcpuInfo>,
        delivery: Delivery,
        trace: (u16, Arc<Trace>),
    ) -> Arc<Self> {
        let vcpu = |info| Vcpu {
            info,
            more: AtomicBool::new(false),
            raised: AtomicU64::new(0),
            thread: Mutex::new(None),
        };
        let cpus = Arc::new(Self {
            state: Mutex::new(Shared {
                upcall: None,
                locked: None,
                waiting: 0,
                closing: false,
                cpus: std::vec![Cpu::default(); infos.len()],
            }),
            list: infos.into_iter().map(vcpu).collect(),
            delivery,
            trace,
            changed: Condvar::new(),
        });
        if delivery == Delivery::Asynchronous {
            for (vcpu, place) in (0..).zip(&cpus.list) {
                let own = cpus.clone();
                let thread = std::thread::spawn(move || own.run(vcpu));
                *lock(&place.thread) = Some(thread);
            }
        }
        cpus
    }

    pub(super) fn count(&self) -> u32 {
        self.list.len() as u32
    }

    pub(super) fn info(&self, vcpu: u32) -> &VcpuInfo {
        &self.list[vcpu as usize].info
    }

    /// Xen sets the upcall flag; true if it was clear.
    pub(super) fn raise(&self, vcpu: u32) -> bool {
        let place = &self.list[vcpu as usize];
        let fresh = place.info.upcall_pending().swap(1, Ordering::SeqCst) == 0;
        if fresh {
            place.raised.fetch_add(1, Ordering::SeqCst);
        }
        fresh
    }

    /// How often Xen raised an upcall of any vCPU.
    pub(super) fn raises(&self) -> u64 {
        let raised = |place: &Vcpu| place.raised.load(Ordering::SeqCst);
        self.list.iter().map(raised).sum()
    }

    fn wanted(&self, vcpu: u32) -> bool {
        let place = &self.list[vcpu as usize];
        let flag = || place.info.upcall_pending().load(Ordering::SeqCst) != 0;
        (place.info.visible() && flag()) || place.more.load(Ordering::SeqCst)
    }

    /// The vCPU that this thread is: number 0, unless told otherwise.
    pub(super) fn here(&self) -> u32 {
        self.role(|role| role.vcpu).unwrap_or(0)
    }

    /// The vCPU that this thread certainly is, with nothing of it running on
    /// another thread.
    pub(super) fn certain(&self) -> Option<u32> {
        let (vcpu, upcall) = self.role(|role| (role.vcpu, role.upcall))?;
        let owned = || lock(&self.state).cpus[vcpu as usize].owner == Some(me());
        (upcall || owned()).then_some(vcpu)
    }

    fn role<T>(&self, of: impl Fn(&Role) -> T) -> Option<T> {
        ROLES.with_borrow(|roles| {
            let mut ours = roles.iter().rev();
            ours.find(|role| std::ptr::eq(role.cpus, self)).map(of)
        })
    }

    /// Whether the calling thread is inside an upcall of this domain.
    pub(super) fn inside(&self) -> bool {
        ROLES.with_borrow(|roles| {
            let mut roles = roles.iter();
            roles.any(|role| role.upcall && std::ptr::eq(role.cpus, self))
        })
    }

    /// Whether the calling thread is one of the vCPUs for the time being.
    pub(super) fn occupied_here(&self) -> bool {
        self.role(|_| ()).is_some()
    }

    /// Whether a thread is all there is of a vCPU.
    pub(super) fn owned(&self, vcpu: u32) -> bool {
        lock(&self.state).cpus[vcpu as usize].owner.is_some()
    }

    /// What the event interrupt is connected to.
    pub(super) fn upcall(&self) -> Option<Upcall> {
        lock(&self.state).upcall.clone()
    }

    /// Whether the event interrupt is enabled.
    pub(super) fn connected(&self) -> bool {
        lock(&self.state).upcall.is_some()
    }

    /// Whether the calling thread holds interrupts off.
    pub(super) fn interrupts_off(&self) -> bool {
        let locked = lock(&self.state).locked;
        locked.is_some_and(|(thread, _)| thread == me()) || self.inside()
    }

    /// Runs `body` as vCPU `vcpu`; if `alone`, with nothing of that vCPU
    /// anywhere else.
    pub(super) fn run_as<R>(
        self: &Arc<Self>,
        vcpu: u32,
        alone: bool,
        body: impl FnOnce() -> R,
    ) -> R {
        /// Lets other threads run the upcall again.
        struct Disown<'a>(&'a Cpus, u32);
        impl Drop for Disown<'_> {
            fn drop(&mut self) {
                let mut cpus = lock(&self.0.state);
                cpus.cpus[self.1 as usize].owner = None;
                self.0.announce(&cpus);
            }
        }
        assert!(
            vcpu < self.count(),
            "simulated Xen: the domain has {} vCPUs",
            self.count()
        );
        assert!(
            !self.inside(),
            "simulated Xen: another vCPU inside the upcall of one"
        );
        let _disown = alone.then(|| {
            let mut cpus = lock(&self.state);
            let owner = cpus.cpus[vcpu as usize].owner.replace(me());
            if let Some(other) = owner {
                cpus.cpus[vcpu as usize].owner = Some(other);
                drop(cpus);
                panic!("simulated Xen: vCPU {vcpu} is another thread already");
            }
            while cpus.cpus[vcpu as usize].running.is_some() {
                cpus = self.wait(cpus);
            }
            Disown(self, vcpu)
        });
        let _leave = Leave::after(self, vcpu, false);
        body()
    }

    /// The upcall threads, if any, look again.
    pub(super) fn poke(&self) {
        self.announce(&lock(&self.state));
    }

    fn announce(&self, cpus: &MutexGuard<'_, Shared>) {
        if cpus.waiting > 0 {
            self.changed.notify_all();
        }
    }

    fn wait<'a>(&self, mut cpus: MutexGuard<'a, Shared>) -> MutexGuard<'a, Shared> {
        cpus.waiting += 1;
        let mut cpus = self
            .changed
            .wait(cpus)
            .unwrap_or_else(PoisonError::into_inner);
        cpus.waiting -= 1;
        cpus
    }

    /// A vCPU left the hypervisor: its interrupt fires if it is due.
    pub(super) fn leave_hypervisor(&self, vcpu: u32) {
        if self.wanted(vcpu) {
            if self.delivery == Delivery::Deterministic || self.certain() == Some(vcpu) {
                self.deliver(vcpu);
            } else {
                self.poke();
            }
        }
    }

    /// Runs a vCPU's upcall on this thread until nothing is due; how often it
    /// ran. Zero also where interrupts are held off.
    pub(super) fn deliver(&self, vcpu: u32) -> usize {
        let mut calls = 0;
        while self.wanted(vcpu) {
            // On a machine one vCPU does not run in another's interrupt.
            if self.inside() {
                break;
            }
            let mut cpus = lock(&self.state);
            if !cpus.able(vcpu) {
                break;
            }
            let Some(upcall) = cpus.upcall.clone() else {
                break;
            };
            cpus.cpus[vcpu as usize].running = Some(me());
            drop(cpus);
            self.call(vcpu, &upcall);
            calls += 1;
        }
        calls
    }

    /// Runs what is due of all vCPUs, where that is this thread's task.
    pub(super) fn deliver_all(&self) -> usize {
        (0..self.count()).map(|vcpu| self.deliver(vcpu)).sum()
    }

    /// Runs what is due of the vCPUs that only this thread can serve.
    pub(super) fn deliver_own(&self) -> usize {
        let own = |vcpu: &u32| lock(&self.state).cpus[*vcpu as usize].owner == Some(me());
        let vcpus = (0..self.count()).filter(own);
        vcpus.map(|vcpu| self.deliver(vcpu)).sum()
    }

    /// Whether an upcall is running, or due without the calling thread itself
    /// holding it off.
    pub(super) fn busy(&self) -> bool {
        let cpus = lock(&self.state);
        let due = |vcpu: u32| {
            let off = cpus.locked == Some((me(), vcpu));
            // An owner takes its interrupts when it likes.
            let owned = cpus.cpus[vcpu as usize].owner.is_some();
            !off && !owned && self.wanted(vcpu)
        };
        let able = cpus.upcall.is_some() && !cpus.closing;
        cpus.running().next().is_some() || (able && (0..self.count()).any(due))
    }

    pub(super) fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The upcall thread of a vCPU of an asynchronous domain.
    fn run(self: Arc<Self>, vcpu: u32) {
        loop {
            let mut cpus = lock(&self.state);
            let upcall = loop {
                if cpus.closing {
                    return;
                }
                if self.wanted(vcpu)
                    && cpus.able(vcpu)
                    && let Some(upcall) = &cpus.upcall
                {
                    break upcall.clone();
                }
                cpus = self.wait(cpus);
            };
            cpus.cpus[vcpu as usize].running = Some(me());
            drop(cpus);
            self.call(vcpu, &upcall);
        }
    }

    /// One upcall, the caller having marked it as running.
    fn call(&self, vcpu: u32, upcall: &Upcall) {
        /// Undoes the mark, after a panic too.
        struct Done<'a>(&'a Cpus, u32);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                let mut cpus = lock(&self.0.state);
                cpus.cpus[self.1 as usize].running = None;
                self.0.announce(&cpus);
            }
        }
        let done = Done(self, vcpu);
        let leave = Leave::after(self, vcpu, true);
        let place = &self.list[vcpu as usize];
        let raised = place.raised.load(Ordering::SeqCst);
        let span = self.trace.1.enter(self.trace.0, vcpu, Call::Upcall);
        let more = upcall();
        drop(span);
        place.more.store(more, Ordering::SeqCst);
        let stuck = !more
            && place.info.upcall_pending().load(Ordering::SeqCst) != 0
            && place.raised.load(Ordering::SeqCst) == raised;
        let times = {
            let mut cpus = lock(&self.state);
            let cpu = &mut cpus.cpus[vcpu as usize];
            cpu.stuck = if stuck { cpu.stuck + 1 } else { 0 };
            cpu.stuck
        };
        drop((leave, done));
        assert!(
            times < STUCK,
            "simulated Xen: the upcall does not clear evtchn_upcall_pending, \
             which is an endless interrupt"
        );
    }

    /// Connects the event interrupt, or with `None` disconnects it and waits
    /// until it is not running any more (unless called from inside it).
    pub(super) fn connect(&self, upcall: Option<Upcall>) {
        let off = upcall.is_none();
        let mut cpus = lock(&self.state);
        let old = std::mem::replace(&mut cpus.upcall, upcall);
        while off && cpus.running().any(|thread| thread != me()) {
            cpus = self.wait(cpus);
        }
        self.announce(&cpus);
        drop(cpus);
        // What the closure owns may call back here when it goes.
        drop(old);
        if !off && self.delivery == Delivery::Deterministic {
            self.deliver_all();
        }
    }

    /// The platform lock.
    pub(super) fn lock(&self) {
        let vcpu = self.here();
        let mut cpus = lock(&self.state);
        while let Some((holder, _)) = cpus.locked {
            if holder == me() {
                drop(cpus);
                panic!("simulated Xen: the platform lock is taken twice by one thread");
            }
            cpus = self.wait(cpus);
        }
        cpus.locked = Some((me(), vcpu));
    }

    pub(super) fn unlock(&self) {
        let mut cpus = lock(&self.state);
        let Some((_, vcpu)) = cpus.locked.filter(|(holder, _)| *holder == me()) else {
            drop(cpus);
            panic!(
                "simulated Xen: the platform lock is released by a thread that does not hold it"
            );
        };
        cpus.locked = None;
        self.announce(&cpus);
        drop(cpus);
        // Interrupts are on again: what is due fires now.
        self.leave_hypervisor(vcpu);
    }

    /// The vCPUs stop for good. A panic of an upcall thread goes on here.
    pub(super) fn close(&self) {
        lock(&self.state).closing = true;
        self.connect(None);
        for place in &self.list {
            let Some(thread) = lock(&place.thread).take() else {
                continue;
            };
            self.poke();
            if thread.thread().id() == std::thread::current().id() {
                continue;
            }
            if let Err(payload) =
                std::panic::catch_unwind(AssertUnwindSafe(|| thread.join())).unwrap_or_else(Err)
                && !std::thread::panicking()
            {
                std::panic::resume_unwind(payload);
            }
        }
    }
}

/// A mutex whose holder panicked is still consistent here: everything that
/// may panic runs outside.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
