// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the baselines with the flags that the C core gets.

fn main() {
    cc::Build::new()
        .std("c11")
        .files([
            "baseline/lowest_first.c",
            "baseline/rotating.c",
            "baseline/count.c",
            "baseline/gnttab.c",
            "baseline/first_fit.c",
        ])
        .flag_if_supported("-fvisibility=hidden")
        .flag("-fno-common")
        .flag("-Wall")
        .flag("-Wextra")
        .flag("-Wpedantic")
        .flag("-Wconversion")
        .compile("xen_guest_baselines");
    println!("cargo::rerun-if-changed=baseline");
}
