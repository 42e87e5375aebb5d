// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links as the firmware library says.

fn main() {
    let args = std::env::var("DEP_XEN_GUEST_FIRMWARE_LINK_ARGS").expect("set by the library");
    for arg in args.split(';') {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
