// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the C core.
//!
//! Environment:
//! - `XEN_PUBLIC_HEADERS=<dir>`: compile against the official headers in
//!   `<dir>/xen` instead of the ones in `include/abi`.
//! - `XEN_GUEST_CI`: warnings are errors.
//! - The `cc` crate's own (`CC_<target>`, `CFLAGS_<target>`, ...).

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR"));
    let include = root.join("include");
    // Behind the compiler's own folders: the official headers may lie in
    // /usr/include, whose other headers must not be found first.
    let (flag, abi) = match env::var_os("XEN_PUBLIC_HEADERS") {
        Some(dir) => {
            let dir = PathBuf::from(dir);
            let probe = dir.join("xen/xen.h");
            assert!(
                probe.is_file(),
                "XEN_PUBLIC_HEADERS: there is no {}",
                probe.display()
            );
            ("-idirafter", dir)
        }
        None => ("-isystem", include.join("abi")),
    };

    let bare_metal = var("CARGO_CFG_TARGET_OS") == "none";
    let mut build = cc::Build::new();
    build
        .std("c11")
        .include(&include)
        .files(sources(&root.join("csrc")))
        .flag_if_supported("-fvisibility=hidden")
        .flag("-fno-common")
        .flag("-Wall")
        .flag("-Wextra")
        .flag("-Wpedantic")
        .flag("-Wconversion")
        .flag(flag)
        .flag(abi.to_str().expect("a path in UTF-8"));
    if bare_metal {
        freestanding(&mut build);
    }
    if env::var_os("XEN_GUEST_CI").is_some() {
        build.warnings_into_errors(true);
    }
    build.compile("xen_guest");

    println!("cargo::metadata=root={}", root.display());
    // For the C of dependent crates: DEP_XEN_GUEST_INCLUDE, DEP_XEN_GUEST_ABI.
    println!("cargo::metadata=include={}", include.display());
    println!("cargo::metadata=abi={}", abi.display());
    println!("cargo::rerun-if-changed=csrc");
    println!("cargo::rerun-if-changed=include");
    println!("cargo::rerun-if-env-changed=XEN_PUBLIC_HEADERS");
    println!("cargo::rerun-if-env-changed=XEN_GUEST_CI");
}

fn freestanding(build: &mut cc::Build) {
    let target = var("TARGET").replace('-', "_");
    let chosen = [format!("CC_{target}"), "TARGET_CC".into(), "CC".into()];
    if !chosen.iter().any(|name| env::var_os(name).is_some()) {
        // cc knows no cross compiler for these targets and would take the
        // host's; clang compiles for all of them.
        build.compiler("clang");
    }
    build
        .flag("-ffreestanding")
        .flag("-fno-stack-protector")
        .flag_if_supported("-mno-outline-atomics");
    match var("CARGO_CFG_TARGET_ARCH").as_str() {
        // The core runs in interrupts, and before the FPU is enabled.
        "aarch64" => build.flag("-mgeneral-regs-only"),
        "x86_64" => build.flag("-mno-red-zone").flag("-mgeneral-regs-only"),
        _ => build,
    };
    if ["s", "z"].contains(&var("OPT_LEVEL").as_str()) {
        // Who counts bytes follows no chain of frames in the core: a
        // twentieth of its code would be for that.
        build
            .force_frame_pointer(false)
            .flag("-fomit-frame-pointer");
    }
}

/// The files that sources.txt lists, which are all there are.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_to_string(dir.join("sources.txt")).expect("csrc can be read");
    let listed: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    for entry in std::fs::read_dir(dir).expect("csrc can be read") {
        let name = entry.expect("csrc can be read").file_name();
        let name = name.to_str().expect("a name in UTF-8");
        assert!(
            !name.ends_with(".c") || listed.contains(&name),
            "csrc/sources.txt does not list {name}"
        );
    }
    listed.iter().map(|name| dir.join(name)).collect()
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
