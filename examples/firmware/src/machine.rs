// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Xen says about this domain: its device tree, read once.

use core::fmt;
use core::ops::Range;

use aarch64_paging::paging::PAGE_SIZE;
use arm_gic::IntId;
use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property, ToCellInt};
use heapless::Vec;

use crate::args::Args;

/// A range of guest-physical addresses, which are also the addresses at which
/// this firmware sees what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first address.
    pub start: usize,
    /// The number of bytes.
    pub size: usize,
}

impl Region {
    /// The first address after it.
    pub const fn end(self) -> usize {
        self.start + self.size
    }

    /// Is all of `other` in it?
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end() <= self.end()
    }

    /// The number of whole pages.
    pub const fn pages(self) -> usize {
        self.size / PAGE_SIZE
    }

    /// The part of it below this address, if there is any.
    pub fn below(self, end: usize) -> Option<Self> {
        let size = self.size.min(end.checked_sub(self.start)?);
        (size > 0).then_some(Self { size, ..self })
    }

    /// Its addresses.
    pub const fn range(self) -> Range<usize> {
        self.start..self.end()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}-{:#x}", self.start, self.end())
    }
}

/// More extended regions than Xen gives a domU, which has two banks of RAM. A
/// dom0 can have as many as its board's memory has gaps.
pub const MAX_EXTENDED: usize = 16;

/// The domain as its device tree describes it.
#[derive(Debug)]
pub struct Machine {
    /// RAM.
    pub memory: Vec<Region, 8>,
    /// Addresses for the grant table, which Xen keeps empty: `reg[0]` of the
    /// `hypervisor` node.
    pub grant: Region,
    /// Addresses with nothing behind them, for pages of other domains: the
    /// other `reg` entries, or the first of very many. Xen doesn't promise any.
    pub extended: Vec<Region, MAX_EXTENDED>,
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
    /// The number of vCPUs.
    pub cpus: usize,
    /// The command line.
    pub args: Args<'static>,
}

impl Machine {
    /// Reads the device tree.
    ///
    /// # Panics
    ///
    /// If it is not that of a Xen guest with a GICv3.
    pub(crate) fn new(fdt: Fdt<'static>) -> Self {
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

        Self {
            memory: root
                .children()
                .filter(|node| node.name_without_address() == "memory")
                .flat_map(self::regions)
                .collect(),
            grant,
            extended,
            event_interrupt: private_interrupt(xen, 0),
            // Secure, non-secure, virtual, hypervisor.
            timer_interrupt: private_interrupt(timer, 2),
            gicd,
            gicr,
            uart: child_like(root, &["arm,pl011", "arm,sbsa-uart"])
                .and_then(|uart| self::regions(uart).next()),
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
        }
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
