// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Xen says about this domain: its device tree, read once.

use core::fmt;

use arm_gic::IntId;
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property, ToCellInt};

use crate::args::Args;
use crate::machine::{MAX_BANKS, MAX_EXTENDED, Machine, Region};

/// What an arm64 domain has beside memory and CPUs.
#[derive(Debug)]
pub struct Board {
    /// The interrupt that says that an event channel is pending.
    pub event_interrupt: IntId,
    /// The virtual timer's interrupt.
    pub timer_interrupt: IntId,
    /// The GIC's distributor.
    pub gicd: Region,
    /// The GIC's redistributors.
    pub gicr: Region,
    /// The PL011 or its subset for servers; dom0 has none.
    pub uart: Option<Region>,
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "interrupts: {:?} for events, {:?} for the timer",
            self.event_interrupt, self.timer_interrupt
        )?;
        writeln!(
            f,
            "gic: distributor {}, redistributors {}",
            self.gicd, self.gicr
        )?;
        match self.uart {
            Some(uart) => write!(f, "console: PL011 at {uart}"),
            None => write!(f, "console: hypercalls"),
        }
    }
}

/// Reads the device tree.
///
/// # Panics
///
/// If it is not that of a Xen guest with a GICv3.
///
/// # Safety
///
/// There is a device tree at this address, and nothing writes it.
pub(crate) unsafe fn read(device_tree: u64) -> Machine {
    // SAFETY: As the caller promises.
    let fdt: Fdt<'static> =
        unsafe { Fdt::from_raw(device_tree as *const u8) }.expect("Xen hands over a device tree");
    let root = fdt.root();

    let xen = child_like(root, &["xen,xen"]).expect("not a Xen guest: no /hypervisor");
    let mut regions = regions(xen);
    let grant = regions.next().expect("/hypervisor has a grant region");
    let extended = regions.take(MAX_EXTENDED).collect();

    let gic = child_like(root, &["arm,gic-v3"]).expect("a GICv3");
    let mut frames = self::regions(gic);
    let gicd = frames.next().expect("a distributor");
    let gicr = frames.next().expect("redistributors");

    let timer = child_like(root, &["arm,armv8-timer"]).expect("a timer");

    Machine {
        memory: root
            .children()
            .filter(|node| node.name_without_address() == "memory")
            .flat_map(self::regions)
            .take(MAX_BANKS)
            .collect(),
        grant,
        extended,
        cpus: fdt.find_node("/cpus").map_or(1, |cpus| {
            cpus.children()
                .filter(|node| node.name_without_address() == "cpu")
                .count()
        }),
        args: Args::new(
            fdt.find_node("/chosen")
                .and_then(|chosen| chosen.property("bootargs"))
                .and_then(|args| args.value_as().ok())
                .unwrap_or(""),
        ),
        board: Board {
            event_interrupt: private_interrupt(xen, 0),
            // Secure, non-secure, virtual, hypervisor.
            timer_interrupt: private_interrupt(timer, 2),
            gicd,
            gicr,
            uart: child_like(root, &["arm,pl011", "arm,sbsa-uart"])
                .and_then(|uart| self::regions(uart).next()),
        },
    }
}

/// The child of `node` that is compatible with one of `kinds`. Children only:
/// addresses further down would have to be translated.
fn child_like(node: FdtNode<'static>, kinds: &[&str]) -> Option<FdtNode<'static>> {
    node.children()
        .find(|child| kinds.iter().any(|kind| child.is_compatible(kind)))
}

/// The entries of `reg` that fit the address space.
fn regions(node: FdtNode<'static>) -> impl Iterator<Item = Region> {
    let reg = node.reg().ok().flatten();
    reg.into_iter().flatten().filter_map(|reg| {
        Some(Region {
            start: reg.address::<u64>().ok()?.try_into().ok()?,
            size: reg.size::<u64>().ok()?.try_into().ok()?,
        })
    })
}

/// Entry `index` of `interrupts`, which has to be private to each CPU.
fn private_interrupt(node: FdtNode<'static>, index: usize) -> IntId {
    const PPI: u32 = 1;
    let [kind, number] = node
        .property("interrupts")
        .and_then(|property| {
            let mut entries = property.as_prop_encoded_array([1, 1, 1]).ok()?;
            let [kind, number, _flags] = entries.nth(index)?;
            Some([kind.to_int().ok()?, number.to_int().ok()?])
        })
        .unwrap_or_else(|| panic!("no interrupt {index} at {}", node.name()));
    assert_eq!(kind, PPI, "{} has a private interrupt", node.name());
    IntId::ppi(number)
}
