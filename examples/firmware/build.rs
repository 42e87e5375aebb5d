// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chooses how the binaries are linked.

fn main() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    for arg in [
        // The sections, from aarch64-rt, and what this image adds to them.
        "-Timage.ld",
        &format!("-T{dir}/firmware.ld"),
        // Xen chooses where a dom0 goes, so the image relocates itself: the
        // linker is to leave a table of what depends on the address.
        "-pie",
        "--no-dynamic-linker",
        // Constants with pointers in them are relocated where they are.
        "-znotext",
        "-znorelro",
        "--build-id=none",
    ] {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
    println!("cargo::rerun-if-changed=firmware.ld");
    println!("cargo::rerun-if-changed=build.rs");
}
