// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Xen image to boot: one of Debian's or one built here, kept below
//! `target/xen`, or the user's own.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use super::arch::Arch;
use crate::debian::{Archive, Kind};
use crate::process;
use crate::xen;

/// A version of Xen that a release of Debian has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Version {
    #[value(name = "4.17")]
    V4_17,
    #[value(name = "4.20")]
    V4_20,
}

impl Version {
    pub const fn name(self) -> &'static str {
        match self {
            Version::V4_17 => "4.17",
            Version::V4_20 => "4.20",
        }
    }

    /// The release of Debian.
    pub const fn suite(self) -> &'static str {
        match self {
            Version::V4_17 => "bookworm",
            Version::V4_20 => "trixie",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hypervisor {
    /// The one of Debian bookworm.
    V4_17,
    /// The one of Debian trixie.
    V4_20,
    /// With device models, built here from Debian's sources.
    Ioreq(Version),
    /// Debian's for x86_64, which has device models.
    X86_64(Version),
    /// An image of the user's.
    Path(PathBuf),
}

impl FromStr for Hypervisor {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "4.17" => Hypervisor::V4_17,
            "4.20" => Hypervisor::V4_20,
            "ioreq" | "4.20-ioreq" => Hypervisor::Ioreq(Version::V4_20),
            "4.17-ioreq" => Hypervisor::Ioreq(Version::V4_17),
            "x86_64" | "4.17-x86_64" => Hypervisor::X86_64(Version::V4_17),
            "4.20-x86_64" => Hypervisor::X86_64(Version::V4_20),
            path => Hypervisor::Path(path.into()),
        })
    }
}

impl fmt::Display for Hypervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hypervisor::V4_17 => f.write_str("Xen 4.17"),
            Hypervisor::V4_20 => f.write_str("Xen 4.20"),
            Hypervisor::Ioreq(version) => write!(f, "Xen {} with ioreq", version.name()),
            Hypervisor::X86_64(version) => write!(f, "Xen {} for x86_64", version.name()),
            Hypervisor::Path(path) => write!(f, "Xen at {}", path.display()),
        }
    }
}

impl Hypervisor {
    /// The image's path, after fetching or building it if need be.
    pub fn image(&self) -> Result<PathBuf> {
        match self {
            Hypervisor::V4_17 => fetched(Version::V4_17, Arch::Arm64),
            Hypervisor::V4_20 => fetched(Version::V4_20, Arch::Arm64),
            Hypervisor::Ioreq(version) => built(*version),
            Hypervisor::X86_64(version) => fetched(*version, Arch::X86_64),
            Hypervisor::Path(path) => check(path).map(|_| path.clone()),
        }
    }

    /// What it runs on.
    pub fn arch(&self) -> Result<Arch> {
        match self {
            Hypervisor::V4_17 | Hypervisor::V4_20 | Hypervisor::Ioreq(_) => Ok(Arch::Arm64),
            Hypervisor::X86_64(_) => Ok(Arch::X86_64),
            Hypervisor::Path(path) => check(path),
        }
    }
}

/// What an image of the user's is for, if it can be booted.
pub fn check(path: &Path) -> Result<Arch> {
    const CHOICES: &str = "give 4.17, 4.20, ioreq, 4.17-ioreq, x86_64, 4.20-x86_64, or the path \
                           of an arm64 Image or a multiboot ELF";
    let mut header = [0; 0x3c];
    let read = fs::File::open(path)
        .with_context(|| format!("no Xen at {}: {CHOICES}", path.display()))?
        .read_exact(&mut header);
    match read {
        Ok(()) if header.ends_with(b"ARM\x64") => Ok(Arch::Arm64),
        // Of 32 bits, and for a 386: what multiboot starts.
        Ok(()) if header.starts_with(b"\x7fELF\x01\x01") && header[18] == 3 => Ok(Arch::X86_64),
        _ => bail!("{} is no image of Xen: {CHOICES}", path.display()),
    }
}

fn built(version: Version) -> Result<PathBuf> {
    let image = xen::image(version)?;
    if image.is_file() {
        return Ok(image);
    }
    eprintln!("building Xen {} with device models", version.name());
    xen::build(version).with_context(|| {
        format!(
            "cannot build Xen {} with device models; an image you have can be \
             given with `--xen PATH`, or put at {}",
            version.name(),
            image.display()
        )
    })
}

fn fetched(version: Version, arch: Arch) -> Result<PathBuf> {
    let (version, suite) = (version.name(), version.suite());
    let folder = match arch {
        Arch::Arm64 => version.to_owned(),
        Arch::X86_64 => format!("{version}-{}", arch.name()),
    };
    let image = process::target_folder("xen")?.join(folder).join("xen");
    if !image.is_file() {
        let what = format!("Xen {version} for {}", arch.name());
        eprintln!("fetching {what} from Debian {suite}");
        fetch(version, suite, arch, &image).with_context(|| {
            format!(
                "cannot fetch {what}; an image you have can be given \
                 with `--xen PATH`, or put at {}",
                image.display()
            )
        })?;
    }
    Ok(image)
}

/// Take it out of Debian's package.
fn fetch(version: &str, suite: &str, arch: Arch, image: &Path) -> Result<()> {
    let archive = Archive::open(Kind::Binary(arch), suite, &process::target_folder("xen")?)?;
    let name = arch.debian();
    archive.get(&["download", &format!("xen-hypervisor-{version}-{name}")])?;
    let package = archive
        .find(|name| name.ends_with(".deb"))?
        .context("apt-get downloaded no package")?;
    let unpacked = archive.folder().join("unpacked");
    process::run(
        Command::new("dpkg-deb")
            .arg("-x")
            .arg(&package)
            .arg(&unpacked),
    )?;
    let found = unpacked.join(format!("boot/xen-{version}-{name}"));
    if arch == Arch::X86_64 {
        process::run(
            Command::new("gzip")
                .arg("-d")
                .arg(found.with_file_name(format!("xen-{version}-{name}.gz"))),
        )?;
    }
    let folder = image.parent().context("the image has no folder")?;
    fs::create_dir_all(folder)?;
    // The rename makes a half-finished fetch look like none.
    fs::rename(found, image).context("the package holds no hypervisor image")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_paths_are_told_apart() {
        assert_eq!("4.17".parse(), Ok(Hypervisor::V4_17));
        assert_eq!("4.20".parse(), Ok(Hypervisor::V4_20));
        assert_eq!("ioreq".parse(), Ok(Hypervisor::Ioreq(Version::V4_20)));
        assert_eq!("4.17-ioreq".parse(), Ok(Hypervisor::Ioreq(Version::V4_17)));
        assert_eq!("x86_64".parse(), Ok(Hypervisor::X86_64(Version::V4_17)));
        assert_eq!("./xen".parse(), Ok(Hypervisor::Path("./xen".into())));
    }

    #[test]
    fn only_images_are_taken() -> Result<()> {
        let error = |path: &Path| check(path).unwrap_err().to_string();
        assert!(error(Path::new("/nowhere/4.18")).starts_with("no Xen at /nowhere/4.18"));
        assert!(error(process::workspace()).contains("is no image of Xen"));

        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), [0; 0x40])?;
        assert!(error(file.path()).contains("is no image of Xen"));
        let mut image = [0; 0x40];
        image[0x38..0x3c].copy_from_slice(b"ARM\x64");
        fs::write(file.path(), image)?;
        let path = Hypervisor::Path(file.path().into());
        assert_eq!(path.image()?, file.path());
        assert_eq!(path.arch()?, Arch::Arm64);

        let mut image = [0; 0x40];
        image[..6].copy_from_slice(b"\x7fELF\x01\x01");
        image[18] = 3;
        fs::write(file.path(), image)?;
        assert_eq!(path.arch()?, Arch::X86_64);
        image[18] = 40;
        fs::write(file.path(), image)?;
        assert!(error(file.path()).contains("is no image of Xen"));
        Ok(())
    }
}
