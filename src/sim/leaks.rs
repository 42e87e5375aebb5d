// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is still in use: what a test compares with nothing at its end.

use std::fmt;

use super::physmap::Kind;
use super::state::State;

/// Everything that domains hold at a moment, over all domains, the dead
/// included whose pages are still referenced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaks {
    /// Event channels that are not closed.
    pub ports: usize,
    /// Entries of grant tables that are not empty, but for the reserved 0..7.
    pub grants: usize,
    /// Handles of mapped grants.
    pub mappings: usize,
    /// Frames referenced by a grant or foreign mapping.
    pub pinned_frames: usize,
    /// Frames of guests that hold foreign pages.
    pub foreign_mappings: usize,
    /// Pages of RAM handed out by domains' allocators.
    pub pages: usize,
    /// Frames of extended regions handed out.
    pub empty_pages: usize,
    /// Emulators of domains' devices.
    pub ioreq_servers: usize,
    /// Ranges of addresses that they have.
    pub io_ranges: usize,
    /// Pages that domains own but can't reach any more.
    pub lost_pages: usize,
}

impl Leaks {
    pub(super) fn count(state: &State) -> Self {
        let mut leaks = Self::default();
        for domain in state.domains.values() {
            leaks.ports += domain.ports.open();
            leaks.mappings += domain.maptrack.live();
            if domain.dying {
                continue;
            }
            for server in domain.servers.iter().flatten() {
                leaks.ioreq_servers += 1;
                leaks.io_ranges += server.count_ranges();
            }
            leaks.grants += state.live_grants(domain.id);
            let (pages, empty) = domain.pages.live();
            leaks.pages += pages;
            leaks.empty_pages += empty;
            let mut own = 0;
            for (_, entry) in domain.physmap.iter() {
                match entry.kind {
                    Kind::Foreign { .. } => leaks.foreign_mappings += 1,
                    Kind::Ram => own += 1,
                    Kind::Grant { .. } | Kind::Device => {}
                }
            }
            let xen = domain
                .physmap
                .iter()
                .filter(|(gfn, entry)| {
                    entry.kind == Kind::Ram && state.frames.get(entry.mfn).gfn == Some(*gfn)
                })
                .count();
            let ram = state.frames.ram_of(domain.id) as usize;
            // A direct-mapped domain keeps the pages of its holes.
            if domain.direct.is_none() {
                leaks.lost_pages += ram.saturating_sub(own - xen);
            }
        }
        leaks.pinned_frames = state
            .frames
            .iter()
            .filter(|(_, frame)| frame.refs > 0)
            .count();
        leaks
    }

    fn parts(&self) -> [(&'static str, usize); 10] {
        [
            ("open ports", self.ports),
            ("grant entries", self.grants),
            ("grant mappings", self.mappings),
            ("pinned frames", self.pinned_frames),
            ("foreign mappings", self.foreign_mappings),
            ("pages of RAM", self.pages),
            ("empty pages", self.empty_pages),
            ("emulators", self.ioreq_servers),
            ("emulated ranges", self.io_ranges),
            ("lost pages", self.lost_pages),
        ]
    }

    /// Whether nothing is in use.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Leaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("nothing in use");
        }
        f.write_str("in use: ")?;
        let mut first = true;
        for (name, count) in self.parts() {
            if count > 0 {
                let comma = if first { "" } else { ", " };
                write!(f, "{comma}{count} {name}")?;
                first = false;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn only_what_is_in_use_is_listed() {
        let mut leaks = Leaks::default();
        assert!(leaks.is_zero());
        assert_eq!(leaks.to_string(), "nothing in use");
        leaks.ports = 2;
        leaks.pinned_frames = 1;
        assert_eq!(leaks.to_string(), "in use: 2 open ports, 1 pinned frames");
    }
}
