// SPDX-License-Identifier: MIT OR Apache-2.0
//! What benchmarks and instruction counts measure, on a machine without a
//! hypervisor: Xen's side of the shared pages, by hand, so that nothing but
//! the library's own work is measured. Stress tests run on it as well.

pub mod evtchn;
pub mod fake_xen;
pub mod gnttab;
pub mod guest_memory;
pub mod regions;
pub mod turns;
