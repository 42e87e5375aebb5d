// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the domains that dom0's ramdisk describes.
//!
//! On arm64 Xen itself starts several domains at boot, on x86_64 nothing but
//! dom0. For programs of several domains to run there too, dom0's firmware
//! makes the others before its own program begins: PVH domains with memory, an
//! ELF program, a command line and vCPUs. It is the least that a test rig
//! needs, not a toolstack: nothing is ever taken back, and what Xen refuses
//! ends it all.
//!
//! The ramdisk is a device tree with the nodes that Xen takes on arm64, but
//! with the program in it, as `data`:
//!
//! ```text
//! chosen {
//!     domU1 {
//!         compatible = "xen,domain";
//!         cpus = <1>;
//!         memory = <0 0x8000>; // KiB
//!         module {
//!             compatible = "multiboot,kernel", "multiboot,module";
//!             data = /incbin/("program.elf");
//!             bootargs = "role=a";
//!         };
//!     };
//! };
//! ```

mod domain;
mod kernel;
mod memory;
mod plan;
mod start_info;
mod vcpu;

use crate::println;
use crate::windows;
use domain::Domain;
use memory::Window;

/// Makes the domains that the device tree in `ramdisk` asks for, numbered from
/// 1, and lets them run when all of them are there.
///
/// # Panics
///
/// If it asks for something impossible.
pub(crate) fn build(ramdisk: &[u8]) {
    let plans = plan::read(ramdisk);
    let mut window = Window::new(windows());
    for (number, plan) in (1..).zip(&plans) {
        let domain = Domain::create(number, plan);
        domain.populate(plan.memory);
        let kernel = kernel::load(plan.kernel, number, &mut window);
        // Behind the program there is room.
        start_info::write(plan, kernel.end, number, &mut window);
        domain.start_at(kernel.entry, kernel.end);
    }
    window.close();
    for (number, plan) in (1..).zip(&plans) {
        Domain::of(number).unpause();
        println!(
            "domain {number}: {} KiB, \"{}\"",
            plan.memory / 1024,
            plan.args
        );
    }
}
