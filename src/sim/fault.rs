// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults on purpose: the n-th hypercall, hook or grant operation fails.

use std::vec::Vec;

/// A hook of the platform that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `map`
    Map,
    /// `unmap`
    Unmap,
    /// `page_alloc`
    PageAlloc,
}

/// Where faults are put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Hypercall,
    Hook(Hook),
    /// One entry of a `GNTTABOP_map_grant_ref` batch.
    Map,
    /// One entry of a `GNTTABOP_unmap_grant_ref` batch.
    Unmap,
}

struct Fault {
    place: Place,
    /// How many calls are still let through.
    skip: u64,
    result: i32,
}

#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    /// The `nth` call from now on (the next is 1) gets `result`.
    pub(super) fn add(&mut self, place: Place, nth: u64, result: i32) {
        assert!(nth > 0, "the next call is number 1");
        self.0.push(Fault {
            place,
            skip: nth - 1,
            result,
        });
    }

    /// Counts a call; what it is to fail with, if it is.
    pub(super) fn hit(&mut self, place: Place) -> Option<i32> {
        let mut result = None;
        self.0.retain_mut(|fault| {
            if fault.place != place {
                return true;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                return true;
            }
            result = Some(fault.result);
            false
        });
        result
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Faults that have not happened yet.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_fails_once() {
        let mut faults = Faults::default();
        faults.add(Place::Hypercall, 2, -5);
        faults.add(Place::Hook(Hook::Map), 1, 0);
        assert_eq!(faults.hit(Place::Hypercall), None);
        assert_eq!(faults.hit(Place::Hypercall), Some(-5));
        assert_eq!(faults.hit(Place::Hypercall), None);
        assert_eq!(faults.hit(Place::Hook(Hook::Unmap)), None);
        assert_eq!(faults.hit(Place::Hook(Hook::Map)), Some(0));
        assert_eq!(faults.left(), 0);
    }
}
