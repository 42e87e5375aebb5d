// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exact instruction counts: on the host by callgrind, and on real Xen by an
//! emulated CPU whose clock counts instructions. One module per topic.

mod callgrind;
mod evtchn;
mod xen;

use anyhow::Result;
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
}

pub fn run(args: &Args) -> Result<()> {
    match args.topic {
        Topic::Evtchn => {
            evtchn::host()?;
            if !args.host_only {
                evtchn::xen()?;
            }
        }
    }
    Ok(())
}
