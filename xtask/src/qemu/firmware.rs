// SPDX-License-Identifier: MIT OR Apache-2.0
//! From firmware's sources to the image that Xen loads: a flat one on arm64, an
//! ELF program on x86_64.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::arch::Arch;
use super::elf::{lowest_load_address, pvh_entry};
use super::guest::DOMU_IMAGE_BASE;
use crate::process;
use crate::setup::{self, Need};
use crate::toolchain::{Toolchain, host_cargo};

/// Tells the firmware's build script where its image will be loaded.
const BASE_VARIABLE: &str = "XG_IMAGE_BASE";

/// What makes a folder a CMake project.
const PROJECT: &str = "CMakeLists.txt";

/// A program: of a Cargo package, or of a CMake project.
#[derive(Clone, Debug)]
pub struct Firmware {
    folder: PathBuf,
    bin: String,
    features: Vec<String>,
    toolchain: Option<PathBuf>,
}

impl Firmware {
    /// A program of the package in this folder of the repository.
    pub fn new(folder: impl AsRef<Path>, bin: &str) -> Self {
        Firmware {
            folder: process::workspace().join(folder),
            bin: bin.to_owned(),
            features: Vec::new(),
            toolchain: None,
        }
    }

    /// One of the programs in `examples/firmware`.
    pub fn example(bin: &str) -> Self {
        Self::new("examples/firmware", bin)
    }

    /// A program of the package or project in any folder; without a name the
    /// one that is called like it.
    pub fn in_folder(folder: &Path, bin: Option<&str>) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("there is no folder {}", folder.display()))?;
        let bin = match bin {
            Some(bin) => bin.to_owned(),
            None if folder.join(PROJECT).is_file() => project_name(&folder)?,
            None => program_name(&folder)?,
        };
        Ok(Self::new(folder, &bin))
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.bin
    }

    pub fn features(mut self, features: &[&str]) -> Self {
        self.features = features.iter().map(|&f| f.to_owned()).collect();
        self
    }

    /// Build a CMake project with the compiler of this toolchain file.
    pub fn toolchain(mut self, file: Option<&Path>) -> Result<Self> {
        let absolute = |file: &Path| {
            file.canonicalize()
                .with_context(|| format!("there is no {}", file.display()))
        };
        self.toolchain = file.map(absolute).transpose()?;
        Ok(self)
    }

    /// Build it for this architecture and return the image's path.
    pub fn image(&self, arch: Arch) -> Result<PathBuf> {
        setup::require(&[Need::Clang, Need::Llvm])?;
        let elf = match (self.folder.join(PROJECT).is_file(), arch) {
            (true, Arch::Arm64) => self.build_project()?,
            (true, Arch::X86_64) => bail!("CMake projects are for arm64"),
            (false, _) => self.build_package(arch)?,
        };
        let folder = process::target_folder("firmware")?;
        let name = &self.bin;
        match arch {
            Arch::Arm64 => {
                let image = folder.join(format!("{name}-{DOMU_IMAGE_BASE:x}.img"));
                flatten(&elf, &image, DOMU_IMAGE_BASE)?;
                Ok(image)
            }
            Arch::X86_64 => {
                let image = folder.join(format!("{name}-{}.elf", arch.name()));
                strip(&elf, &image)?;
                Ok(image)
            }
        }
    }

    fn build_package(&self, arch: Arch) -> Result<PathBuf> {
        if self.toolchain.is_some() {
            bail!("a Cargo package has no toolchain file");
        }
        let manifest = self.folder.join("Cargo.toml");
        if !manifest.is_file() {
            bail!("there is no firmware in {}", self.folder.display());
        }
        let toolchain = Toolchain::for_target(arch.target())?;
        let mut cargo = toolchain.cargo("build");
        // The package's own .cargo/config.toml is found from its folder.
        cargo
            .current_dir(&self.folder)
            .arg("--manifest-path")
            .arg(&manifest)
            .args(["--release", "--bin", &self.bin]);
        if arch == Arch::Arm64 {
            cargo.env(BASE_VARIABLE, format!("{DOMU_IMAGE_BASE:#x}"));
        }
        if !self.features.is_empty() {
            cargo.args(["--features", &self.features.join(",")]);
        }
        process::run(&mut cargo)?;
        Ok(toolchain.release_binary(&self.bin))
    }

    fn build_project(&self) -> Result<PathBuf> {
        setup::require(&[Need::CMake, Need::Lld])?;
        if !self.features.is_empty() {
            bail!("a CMake project has no features");
        }
        let build = self.build_folder()?;
        let mut cmake = Command::new("cmake");
        cmake
            .arg("-S")
            .arg(&self.folder)
            .arg("-B")
            .arg(&build)
            .arg("-DCMAKE_BUILD_TYPE=Release");
        if let Some(file) = &self.toolchain {
            cmake.arg(format!("-DCMAKE_TOOLCHAIN_FILE={}", file.display()));
        }
        process::output(&mut cmake)?;
        process::output(
            Command::new("cmake")
                .arg("--build")
                .arg(&build)
                .args(["--target", &self.bin]),
        )?;
        Ok(build.join(&self.bin))
    }

    /// Where a CMake project is built: a folder for each, and each toolchain.
    fn build_folder(&self) -> Result<PathBuf> {
        let paths = [Some(&self.folder), self.toolchain.as_ref()];
        let name: String = paths
            .into_iter()
            .flatten()
            .flat_map(|path| path.to_string_lossy().chars().collect::<Vec<_>>())
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        process::target_folder(&format!("firmware/cmake{name}"))
    }
}

/// What the project calls itself: `project(<name> ...)`.
fn project_name(folder: &Path) -> Result<String> {
    let file = folder.join(PROJECT);
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = text.split_once("\nproject(").and_then(|(_, rest)| {
        rest.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)))
            .next()
    });
    let name = name.filter(|name| !name.is_empty());
    Ok(name
        .with_context(|| format!("no project(<name>) in {}", file.display()))?
        .to_owned())
}

/// The package's program, or the one of several that is called like it.
fn program_name(folder: &Path) -> Result<String> {
    let mut cargo = host_cargo("metadata");
    cargo
        .current_dir(folder)
        .args(["--no-deps", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&process::output(&mut cargo)?)?;
    let manifest = folder.join("Cargo.toml");
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages
        .find(|package| package["manifest_path"].as_str() == manifest.to_str())
        .with_context(|| format!("there is no package in {}", folder.display()))?;
    let targets = package["targets"].as_array().into_iter().flatten();
    let mut programs = targets
        .filter(|target| target["kind"][0].as_str() == Some("bin"))
        .filter_map(|target| target["name"].as_str());
    let name = match (programs.next(), programs.next()) {
        (Some(only), None) => Some(only),
        _ => package["name"].as_str(),
    };
    Ok(name.context("a package has a name")?.to_owned())
}

/// Turn an ELF program into the bytes to load at `base`.
fn flatten(elf: &Path, image: &Path, base: u64) -> Result<()> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let lowest = lowest_load_address(&bytes)
        .with_context(|| format!("{} is no 64-bit ELF program", elf.display()))?;
    if lowest != base {
        bail!(
            "{} is linked for {lowest:#x}, not for {base:#x}: does its build \
             script pass {BASE_VARIABLE} to the linker?",
            elf.display()
        );
    }
    process::output(
        Command::new("llvm-objcopy")
            .args(["-O", "binary"])
            .args([elf, image]),
    )?;
    let bytes = fs::read(image).with_context(|| format!("cannot read {}", image.display()))?;
    check_header(&bytes).with_context(|| format!("Xen cannot boot {}", elf.display()))
}

/// Copy an ELF program without what only debuggers read.
fn strip(elf: &Path, image: &Path) -> Result<()> {
    process::output(
        Command::new("llvm-objcopy")
            .arg("--strip-all")
            .args([elf, image]),
    )?;
    let bytes = fs::read(image).with_context(|| format!("cannot read {}", image.display()))?;
    pvh_entry(&bytes).with_context(|| {
        format!(
            "Xen cannot boot {}: no note says where a PVH domain starts",
            elf.display()
        )
    })?;
    Ok(())
}

/// Check the arm64 Image header, which the firmware brings itself.
fn check_header(image: &[u8]) -> Result<()> {
    let word = |at: usize| -> Option<u64> {
        Some(u64::from_le_bytes(image.get(at..at + 8)?.try_into().ok()?))
    };
    if image.get(0x38..0x3c) != Some(b"ARM\x64") {
        bail!("the image does not start with an arm64 Image header");
    }
    let (Some(text_offset), Some(size)) = (word(8), word(16)) else {
        bail!("the arm64 Image header is cut short");
    };
    if text_offset != 0 {
        bail!("text_offset is {text_offset:#x}; Xen would add it to the load address");
    }
    if size < image.len() as u64 {
        bail!(
            "image_size is {size:#x}, less than the image's {:#x}",
            image.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text_offset: u64, size: u64) -> Vec<u8> {
        let mut image = vec![0; 64];
        image[8..16].copy_from_slice(&text_offset.to_le_bytes());
        image[16..24].copy_from_slice(&size.to_le_bytes());
        image[0x38..0x3c].copy_from_slice(b"ARM\x64");
        image
    }

    #[test]
    fn only_images_xen_can_place_pass() {
        assert!(check_header(&header(0, 64)).is_ok());
        assert!(check_header(&header(0, 0x1000)).is_ok());
        assert!(check_header(&header(0x8_0000, 64)).is_err());
        assert!(check_header(&header(0, 63)).is_err());
        assert!(check_header(&[0; 64]).is_err());
        assert!(check_header(b"short").is_err());
    }

    #[test]
    fn programs_are_called_like_their_package_or_project() {
        let root = process::workspace();
        let name = |folder| Firmware::in_folder(&root.join(folder), None).map(|f| f.bin);
        assert_eq!(name("examples/c/firmware").ok(), Some("c_firmware".into()));
        assert_eq!(name("xtask").ok(), Some("xtask".into()));
        assert!(name("csrc/none").is_err());
        assert!(name("include").is_err());
    }
}
