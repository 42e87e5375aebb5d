// SPDX-License-Identifier: MIT OR Apache-2.0
//! `xen build`: a Xen with what Debian's leaves out, from the source package
//! that Debian's own is built of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::debian::{Archive, Kind};
use crate::process;
use crate::qemu::hypervisor::{Hypervisor, Version};
use crate::setup::{self, Need};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: XenCommand,
}

#[derive(Debug, Subcommand)]
enum XenCommand {
    /// Build an arm64 hypervisor from Debian's source package.
    Build(BuildArgs),
}

#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// With device models (CONFIG_IOREQ_SERVER), which Debian's arm64 Xen
    /// lacks: `--xen ioreq` of the other commands.
    #[arg(long, required = true)]
    ioreq: bool,
    /// The version of Xen.
    #[arg(long, value_enum, default_value = "4.20")]
    version: Version,
}

/// What Debian's configuration lacks.
const OPTIONS: &str = "CONFIG_EXPERT=y\nCONFIG_IOREQ_SERVER=y\n";

pub fn run(args: &Args) -> Result<()> {
    let XenCommand::Build(BuildArgs { version, ioreq: _ }) = &args.command;
    let started = Instant::now();
    let image = build(*version)?;
    println!(
        "built {} in {:.1} s: {}",
        Hypervisor::Ioreq(*version),
        started.elapsed().as_secs_f32(),
        image.display()
    );
    Ok(())
}

/// Where the image lies once it is built.
pub fn image(version: Version) -> Result<PathBuf> {
    let folder = process::target_folder("xen")?;
    Ok(folder.join(format!("{}-ioreq/xen", version.name())))
}

/// Build it, whether there is one already or not; where it lies.
pub fn build(version: Version) -> Result<PathBuf> {
    setup::require(&[Need::XenCompiler])?;
    let place = process::target_folder("xen")?;
    let archive = Archive::open(Kind::Source, version.suite(), &place)?;
    let source = download(&archive)?;
    let unpacked = archive.folder().join("unpacked");
    fs::create_dir_all(&unpacked)?;
    // Debian's patches are about the tools, and about x86: nothing here needs
    // them.
    process::run(
        Command::new("tar")
            .args(["--strip-components=1", "-xf"])
            .arg(&source)
            .arg("-C")
            .arg(&unpacked),
    )?;
    let xen = unpacked.join("xen");
    make(&xen, &["defconfig"])?;
    let config = xen.join(".config");
    let text = fs::read_to_string(&config)
        .with_context(|| format!("{} has no hypervisor in it", source.display()))?;
    fs::write(&config, text + OPTIONS)?;
    make(&xen, &["olddefconfig"])?;
    let text = fs::read_to_string(&config)?;
    if !OPTIONS
        .lines()
        .all(|wanted| text.lines().any(|line| line == wanted))
    {
        bail!("this Xen has no CONFIG_IOREQ_SERVER for arm64");
    }
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    make(&xen, &[&format!("-j{jobs}")])?;

    let image = image(version)?;
    let folder = image.parent().context("the image has no folder")?;
    fs::create_dir_all(folder)?;
    fs::rename(xen.join("xen"), &image).context("make left no hypervisor image")?;
    Ok(image)
}

/// The sources as their authors released them, checked by apt. Archives are
/// not always whole: an older version is as good.
fn download(archive: &Archive) -> Result<PathBuf> {
    let versions: Vec<String> = archive
        .cache(&["showsrc", "--only-source", "xen"])?
        .lines()
        .filter_map(|line| line.strip_prefix("Version: "))
        .map(str::to_owned)
        .collect();
    let mut problem = anyhow::anyhow!("the archive lists no source package `xen`");
    for version in newest_first(versions)? {
        eprintln!("fetching the sources of Xen {version} from Debian");
        let package = format!("xen={version}");
        let result = archive.get(&["source", "--download-only", "--only-source", &package]);
        // Of the three files of a source package this one is enough.
        let found =
            archive.find(|name| name.contains(".orig.tar.") && !name.ends_with(".FAILED"))?;
        match (found, result) {
            (Some(source), _) => return Ok(source),
            (None, Ok(_)) => problem = anyhow::anyhow!("Xen {version} comes without its sources"),
            (None, Err(error)) => problem = error,
        }
        eprintln!("the archive lists them, and does not have them");
    }
    Err(problem)
}

fn newest_first(mut versions: Vec<String>) -> Result<Vec<String>> {
    // Debian's order of versions is not that of the alphabet.
    let mut sorted: Vec<String> = Vec::new();
    for version in versions.drain(..) {
        let mut at = 0;
        while at < sorted.len() && !newer(&version, &sorted[at])? {
            at += 1;
        }
        sorted.insert(at, version);
    }
    sorted.dedup();
    Ok(sorted)
}

fn newer(one: &str, other: &str) -> Result<bool> {
    let mut command = Command::new("dpkg");
    command.args(["--compare-versions", one, "gt", other]);
    process::announce(&command);
    Ok(command.status()?.success())
}

fn make(folder: &Path, arguments: &[&str]) -> Result<()> {
    process::output(
        Command::new("make")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .env("XEN_TARGET_ARCH", "arm64")
            .env("CROSS_COMPILE", "aarch64-linux-gnu-")
            // The same sources make the same image, whoever builds it when.
            .env("XEN_WHOAMI", "xtask")
            .env("XEN_DOMAIN", "")
            .env("XEN_BUILD_HOST", "")
            .env("XEN_BUILD_DATE", "")
            .env("XEN_BUILD_TIME", "")
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL"),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_debians_order() -> Result<()> {
        if process::find_program("dpkg").is_none() {
            return Ok(());
        }
        let versions = [
            "4.17.5+72-1",
            "4.17.10-1",
            "4.17.5+72-1~deb12u1",
            "4.17.10-1",
        ];
        let sorted = newest_first(versions.map(str::to_owned).into())?;
        assert_eq!(sorted, ["4.17.10-1", "4.17.5+72-1", "4.17.5+72-1~deb12u1"]);
        Ok(())
    }
}
