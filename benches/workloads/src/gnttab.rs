// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grants: give access to a page, and take it back.

use std::fmt;
use std::hint;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::time::{Duration, Instant};

use xen_guest::ffi::{self, abi};
use xen_guest::{Gfn, Guest, GuestStorage, Hypercall, Page, Platform, Protection, Window};

use crate::fake_xen::FakeXen;

/// Frames of the table, and references in them.
const FRAMES: usize = 1;
const REFS: usize = FRAMES * 512;
const RESERVED: u32 = 8;

/// Grants in a batch.
pub const BATCH: usize = 32;
/// Who gets access, and to what.
const PEER: u16 = 1;
const GFN: u64 = 0x12345;

mod c {
    #[repr(C)]
    pub struct Baseline {
        pub entries: *mut u64,
        pub next: *mut u32,
        pub free: u32,
        pub nr_free: u32,
        pub lock: u32,
    }

    unsafe extern "C" {
        pub fn baseline_grant(b: *mut Baseline, domid: u16, gfn: u64, readonly: bool) -> u32;
        pub fn baseline_end(b: *mut Baseline, gref: u32) -> i32;
        pub fn baseline_grant_batch(
            b: *mut Baseline,
            domid: u16,
            gfns: *const u64,
            grefs: *mut u32,
            count: u32,
            readonly: bool,
        ) -> i32;
        pub fn baseline_end_batch(b: *mut Baseline, grefs: *const u32, count: u32) -> i32;
    }
}

/// The machine of the event workloads, with a grant table and a real lock.
struct Machine {
    xen: FakeXen,
    lock: AtomicBool,
}

fn query_size(arg: usize) -> isize {
    // SAFETY: the core passes the operation's structure.
    let op: &mut abi::gnttab_query_size = unsafe { &mut *ptr::with_exposed_provenance_mut(arg) };
    op.nr_frames = FRAMES as u32;
    op.max_nr_frames = FRAMES as u32;
    op.status = 0;
    0
}

// SAFETY: as for `FakeXen`; the table's pages are always there, too.
unsafe impl Platform for Machine {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|machine, op, args| match op {
        abi::__HYPERVISOR_grant_table_op if args[0] as u32 == abi::GNTTABOP_set_version => 0,
        abi::__HYPERVISOR_grant_table_op => query_size(args[1]),
        _ => {
            let enter = FakeXen::HYPERCALL.expect("it answers them");
            // SAFETY: passed on as they came.
            unsafe { enter(&machine.xen, op, args) }
        }
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        self.xen.virt_to_gfn(va)
    }

    unsafe fn map(&self, _: *mut u8, _: Gfn, _: u32, _: Protection) -> xen_guest::Result {
        Ok(())
    }

    unsafe fn unmap(&self, _: *mut u8, _: u32) -> xen_guest::Result {
        Ok(())
    }

    fn lock(&self) -> usize {
        while self.lock.swap(true, Acquire) {
            hint::spin_loop();
        }
        0
    }

    unsafe fn unlock(&self, _: usize) {
        self.lock.store(false, Release);
    }

    fn cpu_id(&self) -> Option<u32> {
        None
    }
}

/// Pages at addresses of their own, for good.
fn pages(count: usize) -> *mut Page {
    let pages: Vec<Page> = (0..count).map(|_| Page::new()).collect();
    Box::leak(pages.into_boxed_slice()).as_mut_ptr()
}

/// Who grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granter {
    /// The library.
    Library,
    /// The library with version 2 of the table, which is counted only.
    Version2,
    /// The baseline: a list under a lock.
    List,
}

impl Granter {
    pub const ALL: [Self; 2] = [Self::Library, Self::List];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "xen-guest",
            Self::Version2 => "version-2",
            Self::List => "list-and-lock",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Library, Self::Version2, Self::List];
        all.into_iter().find(|granter| granter.name() == name)
    }
}

enum Table {
    Library(Guest<'static>),
    List(*mut c::Baseline),
}

/// How long two threads took, and how long both of them were at it.
#[derive(Clone, Copy, Debug)]
pub struct Contended {
    pub time: Duration,
    pub together: Duration,
}

impl Contended {
    /// Was one of them alone for a part that matters? Where CPUs are short,
    /// they often run one after the other.
    pub fn one_was_alone(&self) -> bool {
        self.together < self.time * 3 / 4
    }
}

/// A granter, and all it needs: never given back.
pub struct Rig(Table);

// SAFETY: both can be called on any thread, by several at a time.
unsafe impl Sync for Rig {}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Table::Library(_) => "Rig::Library",
            Table::List(_) => "Rig::List",
        })
    }
}

fn library(version_2: bool) -> Guest<'static> {
    let machine: &'static Machine = Box::leak(Box::new(Machine {
        xen: FakeXen::new(),
        lock: AtomicBool::new(false),
    }));
    let storage: &'static mut GuestStorage<1, { REFS / 64 }> =
        Box::leak(Box::new(GuestStorage::new()));
    // One more for the status words.
    let count = FRAMES + usize::from(version_2);
    let va: *mut u8 = pages(count).cast();
    let mut config = machine.xen.config().with_grant_table(Window {
        va,
        gfn: machine.virt_to_gfn(va).expect("each page has a frame"),
        pages: count as u32,
    });
    if version_2 {
        config = config.with_grants_v2();
    }
    // SAFETY: the pages are this guest's own; the hypercalls are answered
    // for it.
    unsafe { Guest::new(storage, machine, config) }.expect("it can be set up")
}

fn list() -> *mut c::Baseline {
    let next: Vec<u32> = (1..=REFS as u32).map(|next| next % REFS as u32).collect();
    Box::leak(Box::new(c::Baseline {
        entries: pages(FRAMES).cast(),
        next: Box::leak(next.into_boxed_slice()).as_mut_ptr(),
        free: RESERVED,
        nr_free: REFS as u32 - RESERVED,
        lock: 0,
    }))
}

impl Rig {
    pub fn new(granter: Granter) -> Self {
        let rig = Self(match granter {
            Granter::Library => Table::Library(library(false)),
            Granter::Version2 => Table::Library(library(true)),
            Granter::List => Table::List(list()),
        });
        rig.pair();
        rig.batch();
        rig
    }

    /// Grant a page, and end that.
    #[inline]
    pub fn pair(&self) {
        // SAFETY: set up for good.
        let ended = unsafe {
            match &self.0 {
                Table::Library(guest) => {
                    let gref = ffi::xg_gnttab_grant(guest.as_raw(), PEER, GFN, false);
                    ffi::xg_gnttab_end(guest.as_raw(), gref as u32)
                }
                Table::List(list) => {
                    let gref = c::baseline_grant(*list, PEER, GFN, false);
                    c::baseline_end(*list, gref)
                }
            }
        };
        assert_eq!(ended, 0);
    }

    /// The same with a batch.
    #[inline]
    pub fn batch(&self) {
        const COUNT: u32 = BATCH as u32;
        let gfns = [GFN; BATCH];
        let mut grefs = [0; BATCH];
        let to = grefs.as_mut_ptr();
        // SAFETY: set up for good; the arrays are as long as said.
        let (granted, ended) = unsafe {
            match &self.0 {
                Table::Library(guest) => {
                    let (g, frames) = (guest.as_raw(), gfns.as_ptr());
                    (
                        ffi::xg_gnttab_grant_batch(g, PEER, frames, to, COUNT, false),
                        ffi::xg_gnttab_end_batch(g, to, ptr::null_mut(), COUNT),
                    )
                }
                Table::List(list) => (
                    c::baseline_grant_batch(*list, PEER, gfns.as_ptr(), to, COUNT, false),
                    c::baseline_end_batch(*list, to, COUNT),
                ),
            }
        };
        assert_eq!((granted, ended), (0, 0));
    }

    /// So many pairs on each of two threads at a time.
    pub fn contend(&self, pairs: u64) -> Contended {
        let ready = AtomicU32::new(0);
        let work = || {
            // By looking again and again, so that both start at once.
            ready.fetch_add(1, SeqCst);
            while ready.load(SeqCst) < 2 {
                hint::spin_loop();
            }
            let started = Instant::now();
            for _ in 0..pairs {
                self.pair();
            }
            (started, Instant::now())
        };
        let [mine, other] = std::thread::scope(|scope| {
            let other = scope.spawn(work);
            [work(), other.join().expect("it does not panic")]
        });
        Contended {
            time: mine.1.max(other.1) - mine.0.min(other.0),
            together: mine.1.min(other.1) - mine.0.max(other.0),
        }
    }
}
