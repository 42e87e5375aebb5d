// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask package-test`: what others get, away from the repository. The
//! crate as it would be published, with its tests, features and docs; the C
//! library, installed; and programs that use either.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::c_core::OFFICIAL_HEADERS;
use crate::cargo_test;
use crate::legs::{Legs, Tally};
use crate::process;
use crate::setup::{self, Need};
use crate::toolchain::{Toolchain, host_cargo};

const NAME: &str = "xen-guest";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const BARE_METAL: [&str; 2] = ["aarch64-unknown-none", "x86_64-unknown-none"];
const COMPILERS: [&str; 2] = ["gcc", "clang"];

pub fn run() -> Result<()> {
    let mut legs = Legs::default();
    add(&mut legs);
    legs.finish()
}

pub fn add(legs: &mut Legs) {
    legs.run("package", |tally| {
        let package = Package::unpack()?;
        package.tests(tally)?;
        package.features(tally)?;
        package.documentation(tally)?;
        tally.check("a dependent with C of its own", package.mixed());
        package.c_library(tally)
    });
}

/// The published crate's files, in a folder that goes when this does.
struct Package {
    scratch: tempfile::TempDir,
    folder: PathBuf,
    /// What cargo knows of it.
    metadata: Value,
}

impl Package {
    fn unpack() -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("xen-guest-").tempdir()?;
        process::output(
            host_cargo("package")
                .args(["--package", NAME, "--no-verify", "--allow-dirty"])
                .arg("--target-dir")
                .arg(scratch.path()),
        )?;
        let file = format!("package/{NAME}-{VERSION}.crate");
        process::output(
            Command::new("tar")
                .arg("-xzf")
                .arg(scratch.path().join(file))
                .current_dir(scratch.path()),
        )?;
        let folder = scratch.path().join(format!("{NAME}-{VERSION}"));
        let mut package = Package {
            scratch,
            folder,
            metadata: Value::Null,
        };
        let metadata = process::output(package.cargo("metadata").args([
            "--no-deps",
            "--format-version",
            "1",
        ]))?;
        package.metadata = serde_json::from_str::<Value>(&metadata)?["packages"][0].take();
        Ok(package)
    }

    /// cargo for the host, in the package's folder.
    fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = host_cargo(subcommand);
        cargo
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.scratch.path().join("target"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("XEN_PUBLIC_HEADERS");
        cargo
    }

    /// The same for another target.
    fn cross(&self, subcommand: &str, target: &str) -> Result<Command> {
        let mut cargo = Toolchain::for_target(target)?.cargo(subcommand);
        cargo
            .current_dir(&self.folder)
            .env_remove("XEN_PUBLIC_HEADERS");
        Ok(cargo)
    }

    fn tests(&self, tally: &mut Tally) -> Result<()> {
        let mut cargo = self.cargo("test");
        cargo.args(["--all-features", "--quiet"]);
        *tally += cargo_test::run(&mut cargo)?.tests;
        Ok(())
    }

    /// Every combination, on every kind of target.
    fn features(&self, tally: &mut Tally) -> Result<()> {
        let features = self.metadata["features"].as_object();
        let features: Vec<&str> = features
            .into_iter()
            .flat_map(|features| features.keys())
            .map(String::as_str)
            .filter(|&feature| feature != "default")
            .collect();
        ensure!(!features.is_empty(), "the package has features");
        for chosen in subsets(&features) {
            let list = chosen.join(",");
            let options = ["--lib", "--no-default-features", "--features", &list];
            let mut checks = vec![("the host", self.cargo("check"))];
            for target in BARE_METAL {
                checks.push((target, self.cross("check", target)?));
            }
            for (target, mut cargo) in checks {
                tally.check(
                    &format!("features [{list}] for {target}"),
                    process::output(cargo.args(options)).map(drop),
                );
            }
        }
        Ok(())
    }

    /// As docs.rs does it, which has a nightly compiler.
    fn documentation(&self, tally: &mut Tally) -> Result<()> {
        let settings = &self.metadata["metadata"]["docs"]["rs"];
        let targets = settings["targets"].as_array();
        let targets = targets.context("the manifest says what docs.rs is to build")?;
        for target in targets.iter().filter_map(Value::as_str) {
            let mut cargo = self.cross("doc", target)?;
            cargo
                .args(["--no-deps", "--lib"])
                .args((settings["all-features"] == true).then_some("--all-features"))
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTDOCFLAGS", "--cfg docsrs -D warnings");
            tally.check(
                &format!("docs.rs for {target}"),
                process::output(&mut cargo).map(drop),
            );
        }
        Ok(())
    }

    /// A crate with C in it that is compiled against the package's headers.
    fn mixed(&self) -> Result<()> {
        const FOLDER: &str = "examples/mixed";
        let to = self.folder.join(FOLDER);
        copy(&process::workspace().join(FOLDER), &to)?;
        process::run(
            self.cargo("run")
                .args(["--quiet", "--locked"])
                .current_dir(to),
        )
    }

    fn c_library(&self, tally: &mut Tally) -> Result<()> {
        setup::require(&[
            Need::CMake,
            Need::Clang,
            Need::Gcc,
            Need::Lld,
            Need::Llvm,
            Need::PkgConfig,
            Need::XenHeaders,
        ])?;
        tally.check("the commands of csrc/README.md", self.readme());
        tally.check("firmware with the installed library", self.firmware());
        for compiler in COMPILERS {
            for xen in [None, Some(OFFICIAL_HEADERS)] {
                let what = format!("{compiler}, {}", xen.unwrap_or("our headers"));
                match self.install(compiler, xen) {
                    Ok(prefix) => Installed { prefix, compiler }.check(&what, tally),
                    Err(error) => tally.check(&what, Err(error)),
                }
            }
        }
        Ok(())
    }

    /// What a person would type, in the order of the text.
    fn readme(&self) -> Result<()> {
        let text = fs::read_to_string(self.folder.join("csrc/README.md"))?;
        let example = "examples/c/installed/pages.c";
        fs::copy(
            process::workspace().join(example),
            self.folder.join("program.c"),
        )?;
        let mut blocks = 0;
        for block in text.split("\n```sh\n").skip(1) {
            let commands = block.split("```").next().unwrap_or_default();
            let mut shell = Command::new("sh");
            shell
                .args(["-ec", commands])
                .current_dir(&self.folder)
                .env("PKG_CONFIG_PATH", self.folder.join("prefix/lib/pkgconfig"));
            process::output(&mut shell)?;
            blocks += 1;
        }
        ensure!(blocks > 3, "only {blocks} blocks of commands");
        process::run(&mut Command::new(self.folder.join("a.out")))
    }

    /// Install for bare metal, and link firmware with that.
    fn firmware(&self) -> Result<()> {
        let source = process::workspace().join("examples/c/firmware");
        let [library, prefix, firmware] =
            ["cross", "cross-prefix", "cross-firmware"].map(|name| self.scratch.path().join(name));
        let toolchain = source.join("aarch64-none-elf.cmake");
        process::output(
            cmake(&self.folder.join("csrc"), &library, "clang")
                .arg(format!("-DCMAKE_TOOLCHAIN_FILE={}", toolchain.display()))
                .arg(format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display())),
        )?;
        make(&library)?;
        process::output(Command::new("cmake").arg("--install").arg(&library))?;
        process::output(
            cmake(&source, &firmware, "clang")
                .arg("-DXEN_GUEST_INSTALLED=ON")
                .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())),
        )?;
        make(&firmware)?;
        ensure!(firmware.join("c_firmware").is_file(), "nothing was linked");
        Ok(())
    }

    /// Build and install, with the simulator, and move what was installed.
    fn install(&self, compiler: &str, xen: Option<&str>) -> Result<PathBuf> {
        let name = format!("{compiler}-{}", if xen.is_some() { "xen" } else { "own" });
        let build = self.scratch.path().join(format!("build-{name}"));
        let [first, last] =
            ["first", "last"].map(|place| self.scratch.path().join(format!("{place}-{name}")));
        process::output(
            cmake(&self.folder.join("csrc"), &build, compiler)
                .arg(format!("-DCMAKE_INSTALL_PREFIX={}", first.display()))
                .arg("-DCMAKE_INSTALL_LIBDIR=lib")
                // Once is enough work for cargo.
                .arg(format!(
                    "-DXEN_GUEST_SIM={}",
                    if name == "gcc-own" { "ON" } else { "OFF" }
                ))
                .arg(format!("-DXEN_PUBLIC_HEADERS={}", xen.unwrap_or_default())),
        )?;
        make(&build)?;
        process::output(Command::new("cmake").arg("--install").arg(&build))?;
        fs::rename(&first, &last)?;
        Ok(last)
    }
}

/// The C library, somewhere.
struct Installed<'a> {
    prefix: PathBuf,
    compiler: &'a str,
}

impl Installed<'_> {
    fn check(&self, what: &str, tally: &mut Tally) {
        tally.check(&format!("{what}: pkg-config"), self.by_pkg_config());
        tally.check(&format!("{what}: CMake"), self.by_cmake());
        if self.prefix.join("lib/libxen_guest_sim.a").exists() {
            tally.check(&format!("{what}: simulator"), self.simulator());
        }
    }

    fn by_pkg_config(&self) -> Result<()> {
        let version = self.pkg_config("--modversion", "xen_guest")?;
        ensure!(
            version == [VERSION],
            "the C library says it is version {version:?}, not {VERSION}"
        );
        self.program(&["examples/c/installed/pages.c"], "xen_guest")
    }

    /// Two domains, and what one has for the other.
    fn simulator(&self) -> Result<()> {
        self.program(
            &["examples/c/two_domains.c", "examples/c/offer.c"],
            "xen_guest_sim",
        )
    }

    /// Compile, link and run a program.
    fn program(&self, sources: &[&str], library: &str) -> Result<()> {
        let program = self.prefix.join("program");
        process::output(
            Command::new(self.compiler)
                .args(["-std=c11", "-Wall", "-Wextra", "-Werror"])
                .args(sources.iter().map(|file| process::workspace().join(file)))
                .args(self.pkg_config("--cflags", library)?)
                .args(self.pkg_config("--libs", library)?)
                .arg("-o")
                .arg(&program),
        )?;
        process::output(&mut Command::new(program)).map(drop)
    }

    fn pkg_config(&self, what: &str, library: &str) -> Result<Vec<String>> {
        let words = process::output(
            Command::new("pkg-config")
                .args([what, library])
                .env("PKG_CONFIG_PATH", self.prefix.join("lib/pkgconfig")),
        )?;
        Ok(words.split_whitespace().map(str::to_owned).collect())
    }

    fn by_cmake(&self) -> Result<()> {
        let build = self.prefix.join("build");
        let source = process::workspace().join("examples/c/installed");
        process::output(
            cmake(&source, &build, self.compiler)
                .arg(format!("-DCMAKE_PREFIX_PATH={}", self.prefix.display())),
        )?;
        make(&build)?;
        process::output(&mut Command::new(build.join("pages"))).map(drop)
    }
}

/// Set a build folder up, in which warnings are errors.
fn cmake(source: &Path, build: &Path, compiler: &str) -> Command {
    let mut cmake = Command::new("cmake");
    cmake
        .arg("-S")
        .arg(source)
        .arg("-B")
        .arg(build)
        .args(["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS=-Werror"])
        .arg(format!("-DCMAKE_C_COMPILER={compiler}"));
    cmake
}

/// Build in a folder that was set up.
fn make(build: &Path) -> Result<()> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut cmake = Command::new("cmake");
    cmake.arg("--build").arg(build);
    process::output(cmake.args(["--parallel", &jobs.to_string()])).map(drop)
}

/// A folder without what cargo builds in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "target" {
            continue;
        }
        if from.is_dir() {
            copy(&from, &to)?;
        } else if fs::copy(&from, &to).is_err() {
            bail!("cannot copy {} to {}", from.display(), to.display());
        }
    }
    Ok(())
}

/// All ways to choose some of these, from none to all.
fn subsets<'a>(all: &[&'a str]) -> Vec<Vec<&'a str>> {
    (0..1_u32 << all.len())
        .map(|bits| {
            (0..all.len())
                .filter(|&index| bits >> index & 1 == 1)
                .map(|index| all[index])
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_chosen_once() {
        assert_eq!(subsets(&[]), [Vec::<&str>::new()]);
        let chosen = subsets(&["a", "b"]);
        assert_eq!(chosen, [vec![], vec!["a"], vec!["b"], vec!["a", "b"]]);
    }
}
