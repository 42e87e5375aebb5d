// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask demo`: the exchange of two domains, on the simulator.

use anyhow::Result;

use crate::process;
use crate::toolchain;

/// Needs no set-up: whoever could build this has Rust and, as its linker, a
/// C compiler.
pub fn run() -> Result<()> {
    let mut cargo = toolchain::host_cargo("run");
    cargo.args(["--release", "--features", "sim", "--example", "share_page"]);
    process::run(&mut cargo)?;
    println!("the same on the real Xen hypervisor, in QEMU: cargo xtask qemu run share_page");
    Ok(())
}
