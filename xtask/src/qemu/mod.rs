// SPDX-License-Identifier: MIT OR Apache-2.0

use anyhow::{Result, bail};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args) -> Result<()> {
    bail!("not written yet")
}
