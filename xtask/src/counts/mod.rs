// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exact instruction counts: on the host by callgrind, and on real Xen by an
//! emulated CPU whose clock counts instructions. One module per topic.

mod callgrind;
mod evtchn;
mod gnttab;
mod guest_memory;
mod regions;
pub mod xen;

use anyhow::{Result, ensure};
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    topic: Topic,
    /// Leave real Xen out.
    #[arg(long, global = true)]
    host_only: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Topic {
    /// Event channels: serving and sending.
    Evtchn,
    /// Grants: giving access and ending it.
    Gnttab,
    /// Guest memory: serving accesses and mapping RAM.
    #[command(name = "guest_memory")]
    GuestMemory,
    /// Regions: taking pages and giving them back.
    Regions,
}

pub fn run(args: &Args) -> Result<()> {
    match args.topic {
        Topic::Evtchn => _ = evtchn::host()?,
        Topic::Gnttab => gnttab::host()?,
        Topic::GuestMemory => guest_memory::host()?,
        Topic::Regions => regions::host()?,
    }
    if !args.host_only {
        xen::print(match args.topic {
            Topic::Evtchn => "evtchn",
            Topic::Gnttab => "gnttab",
            Topic::GuestMemory => "guest_memory",
            Topic::Regions => "regions",
        })?;
    }
    Ok(())
}

/// Fails if the library takes more host instructions than it aims at.
pub fn check() -> Result<()> {
    ensure!(evtchn::host()?, "a target of the event channels is missed");
    regions::check()
}

/// Whether a target is met, in a word.
const fn verdict(met: bool) -> &'static str {
    if met { "ok" } else { "MISSED" }
}
