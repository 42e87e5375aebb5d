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
//! `XG_IMAGE_BASE=<address>`: the address for which symbols are right without
//! an offset. The image runs anywhere; the default is where domUs start.

use std::path::PathBuf;
use std::{env, fs};

const BASE_VARIABLE: &str = "XG_IMAGE_BASE";
const DOMU_BASE: &str = "0x40000000";

fn main() {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let memory = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("memory.ld");
    let base = env::var(BASE_VARIABLE).unwrap_or_else(|_| DOMU_BASE.into());
    let regions = format!("MEMORY {{ image : ORIGIN = {base}, LENGTH = 32M }}\n");
    fs::write(&memory, regions).expect("the output folder can be written");

    let args = [
        // The sections, from aarch64-rt, and what this image adds to them.
        "-Timage.ld",
        &format!("-T{}", memory.display()),
        &format!("-T{}", folder.join("firmware.ld").display()),
        // Xen chooses where a dom0 goes, so the image relocates itself: the
        // linker is to leave a table of what depends on the address.
        "-pie",
        "--no-dynamic-linker",
        // Constants with pointers in them are relocated where they are.
        "-znotext",
        "-znorelro",
        "--build-id=none",
    ];
    for arg in args {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
    println!("cargo::metadata=link_args={}", args.join(";"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=firmware.ld");
    println!("cargo::rerun-if-env-changed={BASE_VARIABLE}");
}
