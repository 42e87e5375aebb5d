// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the C part against the headers of `xen-guest`, which tells where
//! they are. The C core itself comes with the crate.

use std::env;

fn main() {
    let folder = |name| env::var(name).expect("xen-guest is a dependency");
    cc::Build::new()
        .file("src/driver.c")
        .std("c11")
        .include(folder("DEP_XEN_GUEST_INCLUDE"))
        // Xen's headers: the crate's own, or what XEN_PUBLIC_HEADERS says.
        .flag("-idirafter")
        .flag(folder("DEP_XEN_GUEST_ABI"))
        .compile("driver");
    println!("cargo::rerun-if-changed=src/driver.c");
    println!("cargo::rerun-if-changed=src/driver.h");
}
