// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels: raise a set of ports, serve them in one upcall.

use std::ffi::c_void;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use xen_guest::ffi::{self, abi};
use xen_guest::{EventsAbi, Guest, GuestStorage, Page};

use crate::fake_xen::{FakeXen, SharedPage};

const WORDS: usize = 64;
const PORTS: usize = WORDS * 64;
/// The word that the loads of one word use.
const WORD: usize = 1;
/// The priority that a port has at first, and so its queue.
const QUEUE: usize = 7;

mod c {
    use std::ffi::c_void;

    #[repr(C)]
    pub struct Slot {
        pub handler: unsafe extern "C" fn(*mut c_void),
        pub data: *mut c_void,
    }

    #[repr(C)]
    pub struct Baseline {
        pub upcall_pending: *mut u8,
        pub selector: *mut u64,
        pub pending: *mut u64,
        pub mask: *const u64,
        pub slots: *const Slot,
        pub next_word: u32,
        pub next_bit: u32,
    }

    unsafe extern "C" {
        pub fn baseline_lowest_first(b: *mut Baseline);
        pub fn baseline_rotating(b: *mut Baseline);
        pub fn workload_count(data: *mut c_void);
    }
}

/// Which ports have an event at each upcall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// All 64 ports of one word.
    DenseWord,
    /// Every port there is but port 0: 4095.
    AllPorts,
    /// One port.
    Sparse,
}

impl Load {
    pub const ALL: [Self; 3] = [Self::DenseWord, Self::AllPorts, Self::Sparse];

    pub const fn name(self) -> &'static str {
        match self {
            Self::DenseWord => "dense-word",
            Self::AllPorts => "all-ports",
            Self::Sparse => "sparse",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|load| load.name() == name)
    }

    pub const fn events(self) -> u64 {
        match self {
            Self::DenseWord => 64,
            Self::AllPorts => PORTS as u64 - 1,
            Self::Sparse => 1,
        }
    }
}

/// Who serves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The library, with the 2-level ABI.
    Library,
    /// The baseline that serves like Zephyr.
    LowestFirst,
    /// The baseline that serves like Linux.
    Rotating,
    /// The library, with the FIFO ABI.
    Fifo,
}

impl Server {
    pub const ALL: [Self; 4] = [Self::Library, Self::LowestFirst, Self::Rotating, Self::Fifo];
    pub const BASELINES: [Self; 2] = [Self::LowestFirst, Self::Rotating];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "xen-guest",
            Self::LowestFirst => "lowest-first",
            Self::Rotating => "rotating",
            Self::Fifo => "xen-guest-fifo",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|server| server.name() == name)
    }
}

/// How many events handlers saw: 64 counters, so that they stay in the cache.
/// At the start of a page: CPUs tell a load from earlier stores by the last
/// twelve bits of their addresses first, so where in a page they are makes a
/// difference, which is not to change from run to run.
#[repr(align(4096))]
struct Counters([AtomicU64; 64]);

impl Counters {
    /// Never given back: C has pointers to them.
    fn new() -> &'static Self {
        Box::leak(Box::new(Self([const { AtomicU64::new(0) }; 64])))
    }

    fn data(&self, port: usize) -> *mut c_void {
        self.0[port % 64].as_ptr().cast()
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|counter| counter.load(Relaxed)).sum()
    }
}

/// Like Xen for the 2-level ABI: the bits, then the word's, then the flag. One
/// thread, so plain stores take the place of Xen's atomic ones: they are not
/// what is measured.
fn raise(page: &SharedPage, load: Load) {
    match load {
        Load::DenseWord => {
            page.pending(WORD).store(!0, Relaxed);
            page.selector().store(1 << WORD, Relaxed);
        }
        Load::AllPorts => {
            page.pending(0).store(!1, Relaxed);
            for word in 1..WORDS {
                page.pending(word).store(!0, Relaxed);
            }
            page.selector().store(!0, Relaxed);
        }
        Load::Sparse => {
            page.pending(WORD).store(1 << 5, Relaxed);
            page.selector().store(1 << WORD, Relaxed);
        }
    }
    page.upcall_pending().store(1, Relaxed);
}

/// A guest with every port open and bound.
pub struct Library {
    guest: Guest<'static>,
    xen: &'static FakeXen,
    fifo: Option<*mut Page>,
    counters: &'static Counters,
}

impl Library {
    fn new(abi: EventsAbi) -> Self {
        // Never given back: the guest is to have them as statics.
        let xen: &'static FakeXen = Box::leak(Box::new(FakeXen::new()));
        let storage: &'static mut GuestStorage<WORDS, 0> = Box::leak(Box::new(GuestStorage::new()));
        let mut config = xen.config();
        let mut fifo = None;
        if abi == EventsAbi::Fifo {
            let pages: Vec<Page> = (0..1 + PORTS / 1024).map(|_| Page::new()).collect();
            let pages = Box::leak(pages.into_boxed_slice());
            fifo = Some(pages.as_mut_ptr());
            config = config.with_fifo_events(pages);
        }
        // SAFETY: the page is this guest's own; the hypercalls are answered
        // for it.
        let guest = unsafe { Guest::new(storage, xen, config) }.expect("it can be set up");
        assert_eq!(guest.events_abi(), abi);
        let counters = Counters::new();
        for port in 1..PORTS as u32 {
            xen.next_port(port);
            // SAFETY: set up; the counters live as long as the guest is used.
            unsafe {
                let opened = ffi::xg_evtchn_alloc_unbound(guest.as_raw(), 0x7ff0, 0);
                assert_eq!(opened, port as i32);
                let data = counters.data(port as usize);
                let rc = ffi::xg_evtchn_bind(guest.as_raw(), port, Some(c::workload_count), data);
                assert_eq!(rc, 0);
            }
        }
        if abi == EventsAbi::TwoLevel {
            // Nobody opened port 0 of the first word.
            assert_eq!(xen.page.mask(0).load(Relaxed), 1);
        }
        Self {
            guest,
            xen,
            fifo,
            counters,
        }
    }

    /// Like Xen for the FIFO ABI: the ports one behind the other.
    fn raise_fifo(&self, pages: *mut Page, load: Load) {
        let ports = match load {
            Load::DenseWord => WORD * 64..(WORD + 1) * 64,
            Load::AllPorts => 1..PORTS,
            Load::Sparse => WORD * 64 + 5..WORD * 64 + 6,
        };
        let control = pages.cast::<abi::evtchn_fifo_control_block>();
        // SAFETY: the page behind the control block is the first of the array.
        let words = unsafe { pages.add(1) }.cast::<u32>();
        let (first, last) = (ports.start as u32, ports.end as u32 - 1);
        for port in ports {
            let link = if port as u32 == last {
                0
            } else {
                port as u32 + 1
            };
            let word = 1 << abi::EVTCHN_FIFO_PENDING | 1 << abi::EVTCHN_FIFO_LINKED | link;
            // SAFETY: inside the array, and nobody else touches it now.
            unsafe { words.add(port).write_volatile(word) };
        }
        // SAFETY: inside the page, and nobody else touches it now.
        unsafe {
            (&raw mut (*control).head[QUEUE]).write_volatile(first);
            (&raw mut (*control).ready).write_volatile(1 << QUEUE);
        }
        self.xen.page.upcall_pending().store(1, Relaxed);
    }

    fn raise(&self, load: Load) {
        match self.fifo {
            Some(pages) => self.raise_fifo(pages, load),
            None => raise(&self.xen.page, load),
        }
    }

    /// Signal a peer through a hypercall that answers at once.
    pub fn notify(&self) -> i32 {
        // SAFETY: set up.
        unsafe { ffi::xg_evtchn_notify(self.guest.as_raw(), WORD as u32 * 64) }
    }

    /// The same hypercall, without the library.
    pub fn bare_send(&self) -> isize {
        let mut op = abi::evtchn_send {
            port: WORD as u32 * 64,
        };
        // SAFETY: set up, so the hook is there; the operation's structure is
        // what it takes.
        unsafe {
            let guest = self.guest.as_raw();
            let hook = (*(*guest).platform).hypercall.expect("there is a hook");
            let args = [abi::EVTCHNOP_send as usize, (&raw mut op) as usize];
            let op = abi::__HYPERVISOR_event_channel_op;
            hook((*guest).context, op, args[0], args[1], 0, 0, 0)
        }
    }
}

/// Two-level events served by one of the baselines.
pub struct Baseline {
    page: Box<SharedPage>,
    state: Box<c::Baseline>,
    // Where `state` points.
    _slots: Vec<c::Slot>,
    counters: &'static Counters,
    serve: unsafe extern "C" fn(*mut c::Baseline),
}

impl Baseline {
    fn new(serve: unsafe extern "C" fn(*mut c::Baseline)) -> Self {
        let page = SharedPage::new();
        let counters = Counters::new();
        let slots: Vec<c::Slot> = (0..PORTS)
            .map(|port| c::Slot {
                handler: c::workload_count,
                data: counters.data(port),
            })
            .collect();
        page.mask(0).store(1, Relaxed);
        let state = Box::new(c::Baseline {
            upcall_pending: page.upcall_pending().as_ptr(),
            selector: page.selector().as_ptr(),
            pending: page.pending(0).as_ptr(),
            mask: page.mask(0).as_ptr(),
            slots: slots.as_ptr(),
            next_word: 0,
            next_bit: 0,
        });
        Self {
            page,
            state,
            _slots: slots,
            counters,
            serve,
        }
    }
}

/// Somebody who serves events, and all it needs.
pub enum Rig {
    Library(Library),
    Baseline(Baseline),
}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Library(_) => "Rig::Library",
            Self::Baseline(_) => "Rig::Baseline",
        })
    }
}

impl Rig {
    /// Set up, and checked to serve this load.
    pub fn new(server: Server, load: Load) -> Self {
        let mut rig = match server {
            Server::Library => Self::Library(Library::new(EventsAbi::TwoLevel)),
            Server::Fifo => Self::Library(Library::new(EventsAbi::Fifo)),
            Server::LowestFirst => Self::Baseline(Baseline::new(c::baseline_lowest_first)),
            Server::Rotating => Self::Baseline(Baseline::new(c::baseline_rotating)),
        };
        rig.pass(load);
        assert_eq!(rig.served(), load.events(), "{server:?}, {load:?}");
        rig
    }

    /// Raise the load and serve it.
    #[inline]
    pub fn pass(&mut self, load: Load) {
        self.raise(load);
        self.serve();
    }

    #[inline]
    pub fn raise(&mut self, load: Load) {
        match self {
            Self::Library(library) => library.raise(load),
            Self::Baseline(baseline) => raise(&baseline.page, load),
        }
    }

    #[inline]
    pub fn serve(&mut self) {
        match self {
            // SAFETY: one thread, so neither nested nor twice at a time.
            Self::Library(library) => unsafe {
                ffi::xg_evtchn_upcall(library.guest.as_raw(), u32::MAX);
            },
            // SAFETY: everything that the state points to is in `baseline`.
            Self::Baseline(baseline) => unsafe { (baseline.serve)(&raw mut *baseline.state) },
        }
    }

    /// Events that handlers saw so far.
    pub fn served(&self) -> u64 {
        match self {
            Self::Library(library) => library.counters.sum(),
            Self::Baseline(baseline) => baseline.counters.sum(),
        }
    }
}

/// A guest to notify from.
pub fn notifier() -> Library {
    Library::new(EventsAbi::TwoLevel)
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Library({:?})", self.guest)
    }
}

impl fmt::Debug for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Baseline({:p})", self.page)
    }
}
