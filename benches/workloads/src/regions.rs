// SPDX-License-Identifier: MIT OR Apache-2.0
//! Regions: take pages and give them back, with the rest free or fragmented.
//! Nothing of a region is ever touched, so the metadata is all there is.

use std::fmt;
use std::hint::black_box;
use std::ptr;
use std::time::{Duration, Instant};

use bitmap_allocator::{BitAlloc, BitAlloc1M};
use buddy_system_allocator::FrameAllocator;
use xen_guest::{Gfn, Guest, GuestStorage, PAGE_SIZE, Region, Window, ffi, region_metadata};

use crate::fake_xen::FakeXen;

/// Pages of 4 GiB, where allocators are compared.
pub const PAGES: u32 = 1 << 20;
/// Where a region is said to be.
const BASE: usize = 1 << 40;

mod c {
    #[repr(C)]
    pub struct FirstFit {
        pub used: *mut u64,
        pub pages: u32,
    }

    unsafe extern "C" {
        pub fn baseline_first_fit_take(b: *mut FirstFit, n: u32) -> i64;
        pub fn baseline_first_fit_give(b: *mut FirstFit, page: u32, n: u32) -> i32;
    }
}

/// What is free, and how many pages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// One page of an empty region.
    Empty,
    /// One page, with the lower half used.
    Half,
    /// One page, the last, all others used.
    LastPage,
    /// Two pages where every other one is used: there are none.
    Checkerboard,
    /// The same, but for two free pages at the end.
    CheckerboardEnd,
    /// 64 pages where 63 are free between used ones: there are none.
    Holes,
    /// The same, but for 64 free pages at the end.
    HolesEnd,
    /// 64 pages of an empty region.
    Run,
    /// All pages of an empty region.
    Whole,
}

impl Load {
    /// Those to time beside other allocators.
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::Half,
        Self::LastPage,
        Self::Checkerboard,
        Self::CheckerboardEnd,
        Self::Holes,
        Self::HolesEnd,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "single-empty",
            Self::Half => "single-half-used",
            Self::LastPage => "single-last-page",
            Self::Checkerboard => "checkerboard-2-none",
            Self::CheckerboardEnd => "checkerboard-2-at-end",
            Self::Holes => "holes-64-none",
            Self::HolesEnd => "holes-64-at-end",
            Self::Run => "run-of-64",
            Self::Whole => "whole",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::Run, Self::Whole])
            .find(|load| load.name() == name)
    }

    /// Pages asked for.
    pub const fn asks(self) -> u32 {
        match self {
            Self::Empty | Self::Half | Self::LastPage => 1,
            Self::Checkerboard | Self::CheckerboardEnd => 2,
            Self::Holes | Self::HolesEnd | Self::Run => 64,
            Self::Whole => PAGES,
        }
    }

    const fn refused(self) -> bool {
        matches!(self, Self::Checkerboard | Self::Holes)
    }

    const fn is_free(self, page: u32, pages: u32) -> bool {
        match self {
            Self::Empty | Self::Run | Self::Whole => true,
            Self::Half => page >= pages / 2,
            Self::LastPage => page == pages - 1,
            Self::Checkerboard => page.is_multiple_of(2),
            Self::CheckerboardEnd => page.is_multiple_of(2) || page == pages - 1,
            Self::Holes => page % 64 != 63,
            Self::HolesEnd => page % 64 != 63 || page == pages - 1,
        }
    }

    /// The free runs: first page, and the page behind.
    fn runs(self, pages: u32) -> Vec<(u32, u32)> {
        let mut runs = Vec::new();
        let mut first = None;
        for page in 0..=pages {
            let free = page < pages && self.is_free(page, pages);
            match first {
                None if free => first = Some(page),
                Some(start) if !free => {
                    runs.push((start, page));
                    first = None;
                }
                _ => {}
            }
        }
        runs
    }
}

/// Who allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// The library's region by itself.
    Library,
    /// The baseline: a flat bitmap.
    FirstFit,
    /// `buddy_system_allocator`.
    Buddy,
    /// `bitmap-allocator`, of 4 GiB only.
    Bitmap,
    /// The library's region in a guest, under the guest's lock.
    Guest,
}

impl Allocator {
    /// Those to compare.
    pub const ALL: [Self; 4] = [Self::Library, Self::FirstFit, Self::Buddy, Self::Bitmap];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "xen-guest",
            Self::FirstFit => "first-fit",
            Self::Buddy => "buddy",
            Self::Bitmap => "bitmap",
            Self::Guest => "xen-guest-locked",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::Guest])
            .find(|allocator| allocator.name() == name)
    }
}

enum State {
    Library {
        region: Box<ffi::xg_region>,
        _metadata: Vec<u64>,
    },
    FirstFit {
        bitmap: Box<c::FirstFit>,
        _used: Vec<u64>,
    },
    Buddy(Box<FrameAllocator>),
    Bitmap(Box<BitAlloc1M>),
    Guest(Guest<'static>),
}

impl State {
    #[inline]
    fn take(&mut self, n: u32) -> Option<u32> {
        match self {
            Self::Library { region, .. } => {
                // SAFETY: set up, and nobody else has it.
                let page = unsafe { ffi::xg_region_take(&raw mut **region, n) };
                u32::try_from(page).ok()
            }
            Self::FirstFit { bitmap, .. } => {
                // SAFETY: it points to the words beside it.
                let page = unsafe { c::baseline_first_fit_take(&raw mut **bitmap, n) };
                u32::try_from(page).ok()
            }
            Self::Buddy(frames) => frames.alloc(n as usize).map(|page| page as u32),
            Self::Bitmap(bits) => match n {
                1 => bits.alloc(),
                _ => bits.alloc_contiguous(None, n as usize, 0),
            }
            .map(|page| page as u32),
            Self::Guest(guest) => {
                // SAFETY: set up.
                let va = unsafe { ffi::xg_region_get_pages(guest.as_raw(), n) };
                (!va.is_null()).then(|| ((va.addr() - BASE) / PAGE_SIZE) as u32)
            }
        }
    }

    #[inline]
    fn give(&mut self, page: u32, n: u32) {
        let given = match self {
            Self::Library { region, .. } => {
                // SAFETY: set up, and nobody else has it.
                unsafe { ffi::xg_region_give(&raw mut **region, page, n) == 0 }
            }
            Self::FirstFit { bitmap, .. } => {
                // SAFETY: it points to the words beside it.
                unsafe { c::baseline_first_fit_give(&raw mut **bitmap, page, n) == 0 }
            }
            Self::Buddy(frames) => {
                frames.dealloc(page as usize, n as usize);
                true
            }
            Self::Bitmap(bits) => match n {
                1 => bits.dealloc(page as usize),
                _ => bits.dealloc_contiguous(page as usize, n as usize),
            },
            Self::Guest(guest) => {
                let va = ptr::without_provenance_mut(BASE + page as usize * PAGE_SIZE);
                // SAFETY: set up.
                unsafe { ffi::xg_region_put_pages(guest.as_raw(), va, n) == 0 }
            }
        };
        assert!(given);
    }

    /// Take all there is, page by page, and give back what is to be free: last
    /// page first, so that the pages kept back are not the lowest.
    fn fragment(&mut self, load: Load, pages: u32) {
        if matches!(load, Load::Empty | Load::Run | Load::Whole) {
            return;
        }
        for _ in 0..pages {
            self.take(1).expect("it is empty");
        }
        for page in (0..pages).rev().filter(|&page| load.is_free(page, pages)) {
            self.give(page, 1);
        }
        // No page is left in the cache of single ones.
        assert_eq!(self.take(pages), None);
    }
}

fn window(pages: u32) -> Window {
    Window {
        va: ptr::without_provenance_mut(BASE),
        gfn: Gfn::new((BASE / PAGE_SIZE) as u64),
        pages,
    }
}

fn library(pages: u32) -> State {
    let mut metadata = vec![0; region_metadata(pages)];
    let mut region = Box::<ffi::xg_region>::default();
    let at = window(pages);
    let at = ffi::xg_window {
        va: at.va.cast(),
        gfn: at.gfn.raw(),
        pages,
    };
    // SAFETY: both stay in place for as long as the state lives.
    let rc = unsafe {
        ffi::xg_region_init(
            &raw mut *region,
            &at,
            metadata.as_mut_ptr().cast(),
            size_of_val(&metadata[..]),
        )
    };
    assert_eq!(rc, 0);
    State::Library {
        region,
        _metadata: metadata,
    }
}

/// Never given back: the guest is to have its storage as statics.
fn guest(pages: u32) -> State {
    let xen: &'static FakeXen = Box::leak(Box::new(FakeXen::new()));
    let storage: &'static mut GuestStorage<1, 0> = Box::leak(Box::new(GuestStorage::new()));
    let metadata = Box::leak(vec![0; region_metadata(pages)].into_boxed_slice());
    // SAFETY: nothing is ever mapped there.
    let region = unsafe { Region::new(&window(pages), metadata) }.expect("a valid window");
    let config = xen.config().with_regions(Box::leak(Box::new([region])));
    // SAFETY: the page is this guest's own; the hypercalls are answered for
    // it.
    State::Guest(unsafe { Guest::new(storage, xen, config) }.expect("it can be set up"))
}

fn first_fit(load: Load, pages: u32) -> State {
    let mut used = vec![u64::MAX; pages.div_ceil(64) as usize];
    for page in (0..pages).filter(|&page| load.is_free(page, pages)) {
        used[page as usize / 64] &= !(1 << (page % 64));
    }
    State::FirstFit {
        bitmap: Box::new(c::FirstFit {
            used: used.as_mut_ptr(),
            pages,
        }),
        _used: used,
    }
}

fn buddy(load: Load, pages: u32) -> State {
    let mut frames = Box::new(FrameAllocator::new());
    for (first, end) in load.runs(pages) {
        frames.add_frame(first as usize, end as usize);
    }
    State::Buddy(frames)
}

fn bitmap(load: Load, pages: u32) -> State {
    assert_eq!(pages as usize, BitAlloc1M::CAP);
    let mut bits = Box::new(BitAlloc1M::DEFAULT);
    for (first, end) in load.runs(pages) {
        bits.insert(first as usize..end as usize);
    }
    State::Bitmap(bits)
}

/// An allocator with a load's pages free.
pub struct Rig {
    state: State,
    load: Load,
}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rig({:?})", self.load)
    }
}

impl Rig {
    pub fn new(allocator: Allocator, load: Load, pages: u32) -> Self {
        let mut state = match allocator {
            Allocator::Library => library(pages),
            Allocator::FirstFit => first_fit(load, pages),
            Allocator::Buddy => buddy(load, pages),
            Allocator::Bitmap => bitmap(load, pages),
            Allocator::Guest => guest(pages),
        };
        if matches!(allocator, Allocator::Library | Allocator::Guest) {
            state.fragment(load, pages);
        }
        Self { state, load }
    }

    /// Take what the load asks for and give it back; or be refused.
    #[inline]
    pub fn pass(&mut self) {
        let n = black_box(self.load.asks());
        match self.state.take(n) {
            Some(page) => self.state.give(page, n),
            None => assert!(self.load.refused()),
        }
    }

    /// The same, after which no single page is kept back for the next time:
    /// a request that can't be met sees to that, and is part of it.
    #[inline]
    pub fn uncached_pass(&mut self) {
        self.pass();
        assert_eq!(self.state.take(black_box(2)), None);
    }

    /// How long it takes to get all pages of an empty region, of which single
    /// ones are kept back between holes that reach to its start and end.
    pub fn joining_take(&mut self) -> Duration {
        let half = PAGES / 2;
        let below = self.state.take(half).expect("it is empty");
        let page = self.state.take(1).expect("it is empty");
        self.state.give(below, half);
        self.state.give(page, 1);
        let started = Instant::now();
        let all = self.state.take(black_box(PAGES));
        let time = started.elapsed();
        self.state.give(all.expect("it is empty"), PAGES);
        time
    }

    /// How long a request takes to be refused for which all the single pages
    /// that are kept back are given to the tree first.
    pub fn flushing_refusal(&mut self) -> Duration {
        let page = self.state.take(1).expect("there are single pages");
        self.state.give(page, 1);
        let n = black_box(self.load.asks());
        let started = Instant::now();
        let page = self.state.take(n);
        let time = started.elapsed();
        assert_eq!(page, None);
        time
    }
}
