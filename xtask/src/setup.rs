// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the other commands need from the system, and how to get it.
//!
//! Every command asks for exactly what it uses with [`require`]; `cargo xtask
//! setup` asks for all of it at once. Nothing is touched when nothing is
//! missing.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::qemu::hypervisor::{Hypervisor, Version};
use crate::toolchain::Toolchain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fetch Xen 4.20 too, and build it with device models; the other commands
    /// do so when it is asked for.
    #[arg(long)]
    all: bool,
}

/// Something the system has to provide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Clang,
    ClangFormat,
    LibClang,
    Lld,
    Llvm,
    Qemu,
    QemuX86,
    DeviceTreeCompiler,
    Valgrind,
    XenHeaders,
    Gcc,
    Spin,
    /// What builds Xen for arm64.
    XenCompiler,
    Doxygen,
    CMake,
    PkgConfig,
    /// gcc for 32-bit Arm.
    GccArm,
    /// Debian's own compiler, for targets that rustup cannot bring.
    DebianRust,
}

/// Everything but the last resorts.
const ORDINARY: &[Need] = &[
    Need::Clang,
    Need::ClangFormat,
    Need::LibClang,
    Need::Lld,
    Need::Llvm,
    Need::Qemu,
    Need::QemuX86,
    Need::DeviceTreeCompiler,
    Need::Valgrind,
    Need::XenHeaders,
    Need::Gcc,
    Need::Spin,
    Need::XenCompiler,
    Need::Doxygen,
    Need::CMake,
    Need::PkgConfig,
    Need::GccArm,
];

impl Need {
    /// What to look for, as a person would say it, and what it is for.
    fn purpose(self) -> (&'static str, &'static str) {
        match self {
            Need::Clang => ("clang", "compiles the C core for bare-metal targets"),
            Need::ClangFormat => ("clang-format", "formats the C sources"),
            Need::LibClang => ("libclang (shared library)", "lets bindgen read headers"),
            Need::Lld => ("ld.lld", "links bare-metal programs"),
            Need::Llvm => ("llvm-objcopy, llvm-size", "make and measure flat images"),
            Need::Qemu => ("qemu-system-aarch64", "runs the real Xen hypervisor"),
            Need::QemuX86 => ("qemu-system-x86_64", "runs the real Xen for x86_64"),
            Need::DeviceTreeCompiler => ("dtc", "writes the device tree that Xen boots with"),
            Need::Valgrind => ("valgrind", "counts instructions"),
            Need::XenHeaders => (
                "Xen's public headers in /usr/include/xen",
                "check our ABI headers against the official ones",
            ),
            Need::Gcc => ("gcc", "reads and compiles the protocols' models for spin"),
            Need::Spin => ("spin", "searches every state of the protocols' models"),
            Need::XenCompiler => (
                "aarch64-linux-gnu-gcc, flex, bison, make, python3, xz",
                "build a Xen with device models",
            ),
            Need::Doxygen => ("doxygen", "builds the C API's documentation"),
            Need::GccArm => (
                "arm-linux-gnueabi-gcc",
                "compiles the headers for 32-bit Arm",
            ),
            Need::CMake => ("cmake, make", "build C programs and the installed library"),
            Need::PkgConfig => ("pkg-config", "finds the installed library"),
            Need::DebianRust => (
                "a Rust compiler with its library sources",
                "builds core for targets that rustup cannot install",
            ),
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Need::Clang => &["clang"],
            Need::ClangFormat => &["clang-format"],
            Need::LibClang => &["libclang-dev"],
            Need::Lld => &["lld"],
            Need::Llvm => &["llvm"],
            Need::Qemu => &["qemu-system-arm"],
            Need::QemuX86 => &["qemu-system-x86"],
            Need::DeviceTreeCompiler => &["device-tree-compiler"],
            Need::Valgrind => &["valgrind"],
            Need::XenHeaders => &["libxen-dev"],
            Need::Gcc => &["gcc", "libc6-dev"],
            Need::Spin => &["spin"],
            Need::XenCompiler => &[
                "gcc-aarch64-linux-gnu",
                "gcc",
                "libc6-dev",
                "flex",
                "bison",
                "make",
                "python3",
                "xz-utils",
            ],
            Need::Doxygen => &["doxygen"],
            Need::GccArm => &["gcc-arm-linux-gnueabi"],
            Need::CMake => &["cmake", "make"],
            Need::PkgConfig => &["pkgconf"],
            Need::DebianRust => &["rustc-web", "cargo-web", "rust-web-src"],
        }
    }

    fn satisfied(self) -> bool {
        let program = |name| process::find_program(name).is_some();
        match self {
            Need::Clang => program("clang"),
            Need::ClangFormat => program("clang-format"),
            Need::LibClang => libclang_present(),
            Need::Lld => program("ld.lld"),
            Need::Llvm => program("llvm-objcopy") && program("llvm-size"),
            Need::Qemu => program("qemu-system-aarch64"),
            Need::QemuX86 => program("qemu-system-x86_64"),
            Need::DeviceTreeCompiler => program("dtc"),
            Need::Valgrind => program("valgrind"),
            Need::XenHeaders => Path::new("/usr/include/xen/xen.h").is_file(),
            Need::Gcc => program("gcc"),
            Need::Spin => program("spin"),
            Need::XenCompiler => [
                "aarch64-linux-gnu-gcc",
                "gcc",
                "flex",
                "bison",
                "make",
                "python3",
                "xz",
            ]
            .iter()
            .all(|name| program(name)),
            Need::Doxygen => program("doxygen"),
            Need::GccArm => program("arm-linux-gnueabi-gcc"),
            Need::CMake => program("cmake") && program("make"),
            Need::PkgConfig => program("pkg-config"),
            Need::DebianRust => {
                Path::new("/usr/bin/rustc").is_file()
                    && Path::new("/usr/bin/cargo").is_file()
                    && Path::new("/usr/lib/rustlib/src/rust/library/core").is_dir()
            }
        }
    }
}

/// The places where bindgen's loader looks first.
fn libclang_present() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return true;
    }
    // Not libclang-cpp, which other packages bring.
    let is_libclang = |name: &str| {
        let rest = name.strip_prefix("libclang").unwrap_or_default();
        name.contains(".so")
            && (rest.starts_with(".so") || rest[..2.min(rest.len())].ends_with(char::is_numeric))
    };
    let holds = |folder: &Path| {
        std::fs::read_dir(folder).is_ok_and(|entries| {
            entries
                .flatten()
                // A link may be all that is left of it.
                .any(|e| e.path().exists() && e.file_name().to_str().is_some_and(is_libclang))
        })
    };
    let llvm_folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with("llvm"))
        .map(|e| e.path().join("lib"));
    llvm_folders
        .chain(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Into::into))
        .any(|folder| holds(&folder))
}

/// The operating system, as far as set-up cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    id: String,
    like: String,
    /// The release's name, such as `bookworm`.
    pub codename: String,
}

impl System {
    pub fn detect() -> Self {
        std::fs::read_to_string("/etc/os-release")
            .map(|text| Self::parse(&text))
            .unwrap_or_default()
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(|v| v.trim_matches(['"', '\'']).to_owned())
                .unwrap_or_default()
        };
        System {
            id: value("ID"),
            like: value("ID_LIKE"),
            codename: value("VERSION_CODENAME"),
        }
    }

    /// Debian itself, whose archives have the packages we name.
    pub fn is_debian(&self) -> bool {
        self.id == "debian"
    }

    /// Debian or a descendant: apt-get and mostly the same package names.
    fn has_apt(&self) -> bool {
        self.is_debian() || self.like.split_whitespace().any(|word| word == "debian")
    }
}

/// Everything that any command needs, short of another compiler.
pub fn everything() -> Result<()> {
    require(ORDINARY)
}

pub fn run(args: &Args) -> Result<()> {
    everything()?;
    for need in ORDINARY {
        println!("present: {}", need.purpose().0);
    }
    for target in ["aarch64-unknown-none", "x86_64-unknown-none"] {
        let toolchain = Toolchain::for_target(target)?;
        println!("present: Rust for {target} ({})", toolchain.origin());
    }
    let versions: &[_] = if args.all {
        &[
            Hypervisor::V4_17,
            Hypervisor::X86_64(Version::V4_17),
            Hypervisor::V4_20,
            Hypervisor::X86_64(Version::V4_20),
            Hypervisor::Ioreq(Version::V4_20),
        ]
    } else {
        &[Hypervisor::V4_17, Hypervisor::X86_64(Version::V4_17)]
    };
    for version in versions {
        let image = version.image()?;
        println!("present: {version} ({})", image.display());
    }
    Ok(())
}

/// Return once all of these are there, installing what is missing.
pub fn require(needs: &[Need]) -> Result<()> {
    let missing: Vec<Need> = needs.iter().copied().filter(|n| !n.satisfied()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !System::detect().has_apt() || process::find_program("apt-get").is_none() {
        bail!("{}", instructions(&missing));
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.debian_packages())
        .copied()
        .collect();
    eprintln!("installing {}", packages.join(" "));
    apt_install(&packages).with_context(|| instructions(&missing))?;
    match missing.iter().copied().find(|need| !need.satisfied()) {
        None => Ok(()),
        Some(need) => bail!(
            "{} was installed but {} is still missing",
            need.debian_packages().join(" "),
            need.purpose().0
        ),
    }
}

/// What a person has to do where we cannot.
fn instructions(missing: &[Need]) -> String {
    let mut text = String::from("please install:");
    for need in missing {
        let (what, why) = need.purpose();
        let packages = need.debian_packages().join(" ");
        let _ = write!(text, "\n  {what}: {why} (Debian: {packages})");
    }
    text
}

fn apt_install(packages: &[&str]) -> Result<()> {
    static UPDATED: AtomicBool = AtomicBool::new(false);
    if !UPDATED.swap(true, Ordering::Relaxed) {
        process::run(apt_get()?.args(["-q", "update"]))?;
    }
    process::run(
        apt_get()?
            .args(["-q", "install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

/// apt-get with the rights to install, never asking questions, waiting for
/// another package manager to finish.
fn apt_get() -> Result<Command> {
    let id = process::output(Command::new("id").arg("-u"))?;
    let mut command = if id.trim() == "0" {
        Command::new("env")
    } else if process::find_program("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        bail!("installing packages needs root or sudo");
    };
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=120",
    ]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_its_descendants_are_told_apart() {
        let debian = System::parse("PRETTY_NAME=\"x\"\nID=debian\nVERSION_CODENAME=bookworm\n");
        assert!(debian.is_debian() && debian.has_apt());
        assert_eq!(debian.codename, "bookworm");

        let ubuntu = System::parse("ID=ubuntu\nID_LIKE=debian\n");
        assert!(!ubuntu.is_debian() && ubuntu.has_apt());

        let fedora = System::parse("ID=fedora\nID_LIKE=\"rhel centos\"\n");
        assert!(!fedora.has_apt());
    }

    #[test]
    fn instructions_name_program_purpose_and_package() {
        let text = instructions(&[Need::Qemu, Need::DeviceTreeCompiler]);
        assert!(text.contains("qemu-system-aarch64: runs the real Xen"));
        assert!(text.contains("(Debian: device-tree-compiler)"));
    }
}
