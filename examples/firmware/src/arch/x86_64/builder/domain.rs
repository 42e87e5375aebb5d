// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations that make a domain.

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::abi;

use super::memory;
use super::plan::Plan;
use super::vcpu::Context;
use crate::domctl::{self, Payload};

const CREATEDOMAIN: u32 = 1;
const UNPAUSEDOMAIN: u32 = abi::XEN_DOMCTL_unpausedomain;
const MAX_MEM: u32 = abi::XEN_DOMCTL_max_mem;
const MAX_VCPUS: u32 = 15;
const SETHVMCONTEXT: u32 = 34;
const SETTSCINFO: u32 = 60;
const SET_PAGING_MEMPOOL_SIZE: u32 = 86;

/// The first version of the interface whose `createdomain` has a word for
/// alternative p2ms.
const WITH_ALTP2M: u32 = 0x17;

/// Flags of `createdomain`: hardware virtualisation, its paging included.
const HVM: u32 = 1 << 0;
const HAP: u32 = 1 << 1;

/// The one device that Xen emulates for a PVH domain.
const LAPIC: u32 = 1 << 0;

/// The time stamp counter is the CPU's own. Xen would emulate it, which takes
/// thousands of instructions, where it does not know that it is steady: QEMU
/// has a steady one, and does not say so.
const NEVER_EMULATE: u64 = 2;

/// Memory of Xen's for the domain's page tables: as much as Xen itself sets
/// aside for a small domain on arm64.
const PAGING_MEMORY: u64 = 2 << 20;

/// The default, as for domains that Xen makes on arm64.
const GRANT_FRAMES: u32 = 64;
const MAPTRACK_FRAMES: u32 = 1024;

/// As much as FIFO events have.
const HIGHEST_PORT: u32 = (1 << 17) - 1;

/// A domain in the making.
#[derive(Clone, Copy, Debug)]
pub struct Domain(u16);

impl Domain {
    /// One that was created.
    pub const fn of(number: u16) -> Self {
        Self(number)
    }

    /// A domain without memory, paused.
    ///
    /// # Panics
    ///
    /// As all functions here: if Xen refuses.
    pub fn create(number: u16, plan: &Plan<'_>) -> Self {
        let domain = Self(number);
        domain.call("create", CREATEDOMAIN, create_payload(plan));
        domain.call("limit", MAX_MEM, words(&[plan.memory / 1024]));
        domain.call(
            "page tables",
            SET_PAGING_MEMPOOL_SIZE,
            words(&[PAGING_MEMORY]),
        );
        domain.call("vCPUs", MAX_VCPUS, words(&[plan.cpus.into()]));
        domain.call("time stamp counter", SETTSCINFO, words(&[NEVER_EMULATE]));
        domain
    }

    /// Gives it RAM, from address 0.
    pub fn populate(self, bytes: u64) {
        memory::populate(self.0, bytes / PAGE_SIZE as u64);
    }

    /// Its first vCPU starts there, as the boot protocol has it.
    pub fn start_at(self, entry: u64, start_info: u64) {
        let context = Context::new(entry, start_info);
        let at = (&raw const context).addr() as u64;
        self.call(
            "start",
            SETHVMCONTEXT,
            words(&[size_of::<Context>() as u64, at]),
        );
    }

    /// Lets it run.
    pub fn unpause(self) {
        self.call("unpause", UNPAUSEDOMAIN, words(&[]));
    }

    fn call(self, what: &str, cmd: u32, mut payload: Payload) {
        // SAFETY: The payloads of this file are what their commands take; the
        // only pointer is that of `start_at`, whose context Xen reads.
        let result = unsafe { domctl::call(cmd, self.0, &mut payload) };
        if let Err(error) = result {
            panic!("{what} domain {}: {error}", self.0);
        }
    }
}

fn words(words: &[u64]) -> Payload {
    let mut payload = [0; 16];
    payload[..words.len()].copy_from_slice(words);
    payload
}

/// `struct xen_domctl_createdomain`, which is of words of 32 bits.
fn create_payload(plan: &Plan<'_>) -> Payload {
    let mut at = 0;
    let mut payload = [0; 16];
    let mut put = |word: u32| {
        payload[at / 2] |= u64::from(word) << (at % 2 * 32);
        at += 1;
    };
    put(0); // security label
    for _ in 0..4 {
        put(0); // handle
    }
    put(HVM | HAP);
    put(0); // IOMMU
    put(plan.cpus);
    put(HIGHEST_PORT);
    put(GRANT_FRAMES);
    put(MAPTRACK_FRAMES);
    put(2); // the highest version of grant tables
    if domctl::version() >= WITH_ALTP2M {
        put(0);
    }
    put(0); // no trace buffer
    put(0); // CPU pool
    put(LAPIC);
    put(0); // access to unknown MSRs faults
    payload
}
