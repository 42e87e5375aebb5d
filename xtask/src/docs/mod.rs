// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask docs`: the documentation, built without a warning, and what it
//! says checked as far as a program can.

mod c;
mod comments;
mod links;
mod names;
mod pages;

use anyhow::Result;

use crate::legs::Legs;
use crate::process;
use crate::toolchain::host_cargo;

pub fn run() -> Result<()> {
    let mut legs = Legs::default();
    add(&mut legs);
    legs.finish()
}

/// Each kind of documentation is a leg.
pub fn add(legs: &mut Legs) {
    legs.check("documentation of the Rust API", rust);
    legs.check("documentation of the C API", c::build);
    legs.run("links in Markdown", links::check);
    legs.run("names in Markdown", names::check);
}

fn rust() -> Result<()> {
    let mut cargo = host_cargo("doc");
    cargo
        .args(["--workspace", "--no-deps", "--features", "sim"])
        .env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut cargo)
}
