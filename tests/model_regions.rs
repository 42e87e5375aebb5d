// SPDX-License-Identifier: MIT OR Apache-2.0
//! The region allocator against a naive one, by random operations.

use std::ptr;

use xen_guest::ffi;
use xen_guest::region_metadata;

const ENOSPC: i32 = -28;
const EINVAL: i32 = -22;

/// Operations in all: an optimised build has time for more.
const OPERATIONS: u64 = if cfg!(debug_assertions) {
    300_000
} else {
    10_000_000
};

/// Marsaglia's xorshift: the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end)) as u32
    }
}

/// A region and what it should say.
struct Model {
    raw: Box<ffi::xg_region>,
    _metadata: Vec<u64>,
    /// For each page, whether somebody has it.
    used: Vec<bool>,
    /// For the first page of an allocation, its length.
    length: Vec<u32>,
    /// First pages of allocations, in no order.
    heads: Vec<u32>,
}

impl Model {
    fn new(pages: u32) -> Self {
        // What init leaves unset must not matter.
        let mut metadata = vec![u64::MAX; region_metadata(pages)];
        let mut raw = Box::<ffi::xg_region>::default();
        let window = ffi::xg_window {
            va: ptr::without_provenance_mut(0x4000_0000),
            gfn: 0x40000,
            pages,
        };
        // SAFETY: the metadata has the size given and stays where it is; the
        // window's addresses are never used.
        let rc = unsafe {
            ffi::xg_region_init(
                &mut *raw,
                &window,
                metadata.as_mut_ptr().cast(),
                metadata.len() * 8,
            )
        };
        assert_eq!(rc, 0);
        Self {
            raw,
            _metadata: metadata,
            used: vec![false; pages as usize],
            length: vec![0; pages as usize],
            heads: Vec::new(),
        }
    }

    fn pages(&self) -> u32 {
        self.used.len() as u32
    }

    fn has_run(&self, n: u32) -> bool {
        let mut run = 0;
        self.used.iter().any(|&used| {
            run = if used { 0 } else { run + 1 };
            run >= n
        })
    }

    fn take(&mut self, n: u32) {
        // SAFETY: the region is set up.
        let got = unsafe { ffi::xg_region_take(&mut *self.raw, n) };
        if n == 0 {
            assert_eq!(got, EINVAL);
        } else if got < 0 {
            assert_eq!(got, ENOSPC);
            assert!(!self.has_run(n), "there is a run of {n}");
        } else {
            let run = got as usize..got as usize + n as usize;
            let used = self.used.get_mut(run).expect("inside the region");
            assert!(
                used.iter().all(|used| !used),
                "page {got}, {n}: taken twice"
            );
            used.fill(true);
            self.length[got as usize] = n;
            self.heads.push(got as u32);
        }
    }

    fn give(&mut self, page: u32, n: u32) {
        // SAFETY: the region is set up.
        let rc = unsafe { ffi::xg_region_give(&mut *self.raw, page, n) };
        let exact = n > 0 && self.length.get(page as usize) == Some(&n);
        assert_eq!(rc, if exact { 0 } else { EINVAL }, "page {page}, {n}");
        if exact {
            self.used[page as usize..(page + n) as usize].fill(false);
            self.length[page as usize] = 0;
            let at = self.heads.iter().position(|&head| head == page);
            self.heads.swap_remove(at.expect("an allocation"));
        }
    }

    fn verify(&mut self) {
        // SAFETY: the region is set up.
        assert_eq!(unsafe { ffi::xg_region_verify(&*self.raw) }, 0);
    }

    fn step(&mut self, random: &mut Random) {
        let pages = self.pages();
        let length = match random.below(16) {
            0..6 => 1,
            6..12 => 1 + random.below(8),
            12..14 => 1 + random.below(700),
            14 => 1 + random.below(pages),
            _ => random.below(pages + 2),
        };
        match random.below(8) {
            0..4 => self.take(length),
            // Exactly what was taken, mostly.
            4..7 if !self.heads.is_empty() => {
                let at = random.below(self.heads.len() as u32);
                let page = self.heads[at as usize];
                let n = self.length[page as usize];
                self.give(page, n);
            }
            _ => self.give(random.below(pages + 2), length),
        }
    }
}

#[test]
fn random_operations() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut left = OPERATIONS;
    while left > 0 {
        let pages = match random.below(3) {
            0 => 1 + random.below(200),
            1 => 1 + random.below(3000),
            _ => 1 + random.below(20_000),
        };
        let mut model = Model::new(pages);
        let steps = left.min(20_000);
        for step in 0..steps {
            model.step(&mut random);
            // It looks at every page: after each step where there are few.
            let often = if cfg!(debug_assertions) { 3000 } else { 200 };
            if pages <= often || step % 128 == 0 {
                model.verify();
            }
        }
        // All comes back as one piece.
        for page in model.heads.clone() {
            model.give(page, model.length[page as usize]);
        }
        model.verify();
        model.take(pages);
        assert_eq!(model.heads, [0]);
        left -= steps;
    }
}

/// Runs at, around and across the borders of words, blocks and nodes.
#[test]
fn borders() {
    for pages in [
        1, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025, 4096, 4097, 10_000,
    ] {
        for n in [1, 2, 63, 64, 65, 256, 511, 512, 513, 1024, 1025, pages] {
            let mut model = Model::new(pages);
            while model.has_run(n) {
                model.take(n);
                model.verify();
            }
            model.take(n);
            // Every other one back: only that length fits, and nothing longer.
            let heads: Vec<u32> = model.heads.iter().copied().step_by(2).collect();
            for page in heads {
                model.give(page, n);
            }
            model.verify();
            model.take(n + 1);
            model.take(n);
            model.verify();
            // All back, from either end: holes grow over every border.
            if pages / n % 2 == 0 {
                model.heads.reverse();
            }
            let count = model.heads.len();
            for (i, page) in model.heads.clone().into_iter().enumerate() {
                model.give(page, model.length[page as usize]);
                if i % 64 == 0 || i + 64 > count {
                    model.verify();
                }
            }
            model.take(pages);
            assert_eq!(model.heads, [0]);
        }
    }
}

/// Three pieces, of many blocks each, that become one again in any order: where
/// a hole ends is far from where it starts.
#[test]
fn distant_borders() {
    const ORDERS: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for pages in [2048, 4096, 6000, 8192] {
        for first in [2, 64, 511, 512, 513, 1024] {
            for second in [64, 512, 700, pages - first - 512, pages - first - 2] {
                for order in ORDERS {
                    let mut model = Model::new(pages);
                    for n in [first, second, pages - first - second] {
                        model.take(n);
                    }
                    let mut pieces = model.heads.clone();
                    pieces.sort_unstable();
                    for piece in order {
                        let page = pieces[piece];
                        model.give(page, model.length[page as usize]);
                        model.verify();
                    }
                    model.take(pages);
                    assert_eq!(model.heads, [0]);
                }
            }
        }
    }
}

#[test]
fn metadata_is_within_bounds() {
    const GIB: u32 = 1 << 18;
    let per_gib =
        |pages: u32| region_metadata(pages) as u64 * 8 * u64::from(GIB) / u64::from(pages);
    for pages in [GIB, 4 * GIB, 64 * GIB] {
        assert!(
            per_gib(pages) <= (102 << 10) + 8,
            "{} bytes",
            per_gib(pages)
        );
    }
}
