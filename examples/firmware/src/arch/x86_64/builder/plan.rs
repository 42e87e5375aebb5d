// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the device tree asks for.

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::standard::NodeStandard;
use dtoolkit::{Node, Property};
use heapless::Vec;

/// The most domains that are made.
const DOMAINS: usize = 8;

/// A domain to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub cpus: u32,
    /// RAM, in bytes.
    pub memory: u64,
    /// The ELF program.
    pub kernel: &'a [u8],
    pub args: &'a str,
}

/// Reads the nodes of `/chosen`.
///
/// # Panics
///
/// If it is not as it should be.
pub fn read(tree: &[u8]) -> Vec<Plan<'_>, DOMAINS> {
    let fdt = Fdt::new(tree).expect("the ramdisk is a device tree");
    let chosen = fdt.find_node("/chosen").expect("the tree has /chosen");
    let mut plans = Vec::new();
    for node in chosen.children() {
        if node.is_compatible("xen,domain") {
            plans.push(plan(node)).expect("not too many domains");
        }
    }
    plans
}

fn plan(node: FdtNode<'_>) -> Plan<'_> {
    let kernel = node
        .children()
        .find(|child| child.is_compatible("multiboot,kernel"));
    let kernel = kernel.expect("a domain has a kernel");
    let data = kernel.property("data");
    let args = kernel.property("bootargs").map(|args| args.value_as());
    Plan {
        cpus: number(node, "cpus").try_into().expect("a domain has vCPUs"),
        memory: number(node, "memory") * 1024,
        kernel: data
            .and_then(|data| data.value_as().ok())
            .expect("a kernel has data"),
        args: args.map_or("", |args| args.expect("bootargs are text")),
    }
}

/// The cells of a property as a number.
fn number(node: FdtNode<'_>, name: &str) -> u64 {
    let property = node
        .property(name)
        .unwrap_or_else(|| panic!("a domain has {name}"));
    property
        .value()
        .iter()
        .fold(0, |n, &byte| n << 8 | u64::from(byte))
}
