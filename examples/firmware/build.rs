// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chooses how the binaries are linked.
//!
//! Cargo passes these arguments on to this package's binaries only. Another
//! package that depends on the library repeats them in its own build script:
//!
//! ```
//! let args = std::env::var("DEP_XEN_GUEST_FIRMWARE_LINK_ARGS").unwrap();
//! for arg in args.split(';') {
//!     println!("cargo::rustc-link-arg-bins={arg}");
//! }
//! ```
//!
//! `XG_IMAGE_BASE=<address>`: where the image is linked. An arm64 image runs
//! anywhere, but only there symbols are right without an offset; the default
//! is where domUs start. An x86_64 image is loaded there.

use std::path::PathBuf;
use std::{env, fs};

const BASE_VARIABLE: &str = "XG_IMAGE_BASE";

fn main() {
    let var = |name| env::var(name).expect("set by cargo");
    let arch = var("CARGO_CFG_TARGET_ARCH");
    let folder = PathBuf::from(var("CARGO_MANIFEST_DIR"))
        .join("src/arch")
        .join(&arch);
    let memory = PathBuf::from(var("OUT_DIR")).join("memory.ld");
    let default = match arch.as_str() {
        "aarch64" => "0x40000000",
        "x86_64" => "0x100000",
        other => panic!("no firmware for {other}"),
    };
    let base = env::var(BASE_VARIABLE).unwrap_or_else(|_| default.into());
    let regions = format!("MEMORY {{ image : ORIGIN = {base}, LENGTH = 32M }}\n");
    fs::write(&memory, regions).expect("the output folder can be written");

    let memory = format!("-T{}", memory.display());
    let script = format!("-T{}", folder.join("link.ld").display());
    let args = match arch.as_str() {
        "aarch64" => vec![
            // The sections, from aarch64-rt, and what this image adds to them.
            "-Timage.ld",
            &memory,
            &script,
            // Xen chooses where a dom0 goes, so the image relocates itself: the
            // linker is to leave a table of what depends on the address.
            "-pie",
            "--no-dynamic-linker",
            // Constants with pointers in them are relocated where they are.
            "-znotext",
            "-znorelro",
            "--build-id=none",
        ],
        _ => vec![
            &memory,
            &script,
            // Loaded where it is linked.
            "-no-pie",
            "-znorelro",
            "--build-id=none",
        ],
    };
    for arg in &args {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
    println!("cargo::metadata=link_args={}", args.join(";"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-env-changed={BASE_VARIABLE}");
}
