// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building for bare-metal targets with whichever compiler can.
//!
//! A rustup toolchain brings a ready-made `core` for the target. Where rustup
//! is absent or cannot reach its servers, Debian's compiler builds `core`
//! itself from the sources Debian ships with it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::setup::{self, Need};

/// Set to `rustup` or `debian` to choose; otherwise the first that works.
const CHOICE: &str = "XTASK_TOOLCHAIN";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The compiler in PATH has the target's library.
    Installed,
    /// Debian's compiler, building the target's library.
    Debian,
}

/// A way to build for one target.
#[derive(Clone, Debug)]
pub struct Toolchain {
    target: String,
    origin: Origin,
}

impl Toolchain {
    /// Find, or install, a compiler that can build for `target`.
    pub fn for_target(target: &str) -> Result<Self> {
        // The C core is compiled along, and the host's compiler can't.
        setup::require(&[Need::Clang])?;
        // Before a whole compiler is installed for a slip of the pen.
        if !known(target) {
            bail!("no target {target}: `rustc --print target-list` has them all");
        }
        let with = |origin| Toolchain {
            target: target.to_owned(),
            origin,
        };
        let choice = std::env::var(CHOICE).unwrap_or_default();
        match choice.as_str() {
            "" => {}
            "rustup" if installed(target) || rustup_add(target) => {
                return Ok(with(Origin::Installed));
            }
            "rustup" => bail!("rustup cannot install {target}"),
            "debian" => {
                setup::require(&[Need::DebianRust, Need::Lld])?;
                return Ok(with(Origin::Debian));
            }
            other => bail!("{CHOICE} is `rustup` or `debian`, not `{other}`"),
        }
        if installed(target) || rustup_add(target) {
            return Ok(with(Origin::Installed));
        }
        setup::require(&[Need::DebianRust, Need::Lld]).with_context(|| {
            format!("no Rust compiler for {target}: `rustup target add {target}` did not work")
        })?;
        Ok(with(Origin::Debian))
    }

    /// Where the compiler comes from, for messages.
    pub fn origin(&self) -> &'static str {
        match self.origin {
            Origin::Installed => "installed target",
            Origin::Debian => "Debian's compiler, building core",
        }
    }

    /// `cargo <subcommand>` for this target, in an environment free of what
    /// the outer cargo left behind. All cross builds share one folder, so the
    /// target's library is compiled once.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = match self.origin {
            Origin::Installed => Command::new("cargo"),
            Origin::Debian => Command::new("/usr/bin/cargo"),
        };
        sanitise(&mut command);
        command.current_dir(process::workspace());
        command.arg(subcommand).args(["--target", &self.target]);
        command.arg("--target-dir").arg(target_dir());
        if self.origin == Origin::Debian {
            command
                .args(["-Z", "build-std=core,alloc,compiler_builtins"])
                .args(["-Z", "build-std-features=compiler-builtins-mem"])
                .env("RUSTC", "/usr/bin/rustc")
                // Debian's is a stable compiler; -Z needs its consent.
                .env("RUSTC_BOOTSTRAP", "1")
                .env_remove("RUSTUP_TOOLCHAIN");
            // Debian leaves rust-lld out, which both targets link with.
            let triple = self.target.to_uppercase().replace('-', "_");
            command.env(format!("CARGO_TARGET_{triple}_LINKER"), "ld.lld");
        }
        command
    }

    /// Whether it comes with clippy; Debian packages that separately.
    pub fn has_clippy(&self) -> bool {
        match self.origin {
            Origin::Installed => process::find_program("cargo-clippy").is_some(),
            Origin::Debian => Path::new("/usr/bin/cargo-clippy").is_file(),
        }
    }

    /// Where a release build puts the binary `name`.
    pub fn release_binary(&self, name: &str) -> PathBuf {
        target_dir().join(&self.target).join("release").join(name)
    }
}

fn target_dir() -> PathBuf {
    process::workspace().join("target/cross")
}

/// Whether the compiler in PATH has a library for `target`.
fn installed(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    sanitise(&mut rustc);
    process::output(rustc.args(["--print", "sysroot"])).is_ok_and(|sysroot| {
        Path::new(sysroot.trim())
            .join("lib/rustlib")
            .join(target)
            .join("lib")
            .is_dir()
    })
}

/// Whether the compiler in PATH has heard of it; where there is none, perhaps.
fn known(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    sanitise(&mut rustc);
    process::output(rustc.args(["--print", "target-list"]))
        .map_or(true, |list| list.lines().any(|line| line == target))
}

/// Let rustup try; offline, or without rustup, this is a plain no.
fn rustup_add(target: &str) -> bool {
    if process::find_program("rustup").is_none() {
        return false;
    }
    eprintln!("adding the Rust target {target}");
    let mut rustup = Command::new("rustup");
    sanitise(&mut rustup);
    rustup.args(["target", "add", target]);
    process::announce(&rustup);
    let added = rustup
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    // A toolchain that rustup merely links to may take the request and still
    // not have the library.
    added && installed(target)
}

/// `cargo <subcommand>` for the host, in an environment free of what the outer
/// cargo left behind.
pub fn host_cargo(subcommand: &str) -> Command {
    let mut command = Command::new("cargo");
    sanitise(&mut command);
    command.current_dir(process::workspace()).arg(subcommand);
    command
}

/// Remove from a nested cargo's environment what belongs to this one: the
/// outer package's variables, compiler and flags.
pub fn sanitise(command: &mut Command) {
    for (key, _) in std::env::vars_os() {
        if leaks(&key) {
            command.env_remove(key);
        }
    }
}

/// Cargo and rustup variables that are not the user's own settings. Cargo
/// also puts its own libraries first in LD_LIBRARY_PATH, which would make
/// Debian's compiler load another one's parts.
fn leaks(key: &OsStr) -> bool {
    const USERS: &[&str] = &[
        "CARGO_BUILD_JOBS",
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_TERM_",
        "RUSTUP_AUTO_INSTALL",
        "RUSTUP_DIST_",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "RUSTUP_UPDATE_ROOT",
        "RUST_BACKTRACE",
    ];
    let key = key.to_string_lossy();
    let ours = key.starts_with("CARGO") || key.starts_with("RUST") || key == "LD_LIBRARY_PATH";
    ours && !USERS.iter().any(|users| key.starts_with(users))
}

#[derive(Debug, clap::Args)]
pub struct BuildArgs {
    /// The target triple.
    #[arg(long, default_value = "aarch64-unknown-none")]
    target: String,
    /// Features of the library, separated by commas.
    #[arg(long)]
    features: Option<String>,
    /// Build without optimisation.
    #[arg(long)]
    debug: bool,
}

/// `cargo xtask build`: the library for a bare-metal target.
pub fn build(args: &BuildArgs) -> Result<()> {
    let mut options = Vec::new();
    if let Some(features) = &args.features {
        options.extend(["--features", features]);
    }
    if !args.debug {
        options.push("--release");
    }
    process::run(&mut library(&args.target, &options)?)
}

/// The command that builds the library for a bare-metal target.
pub fn library(target: &str, options: &[&str]) -> Result<Command> {
    setup::require(&[Need::Clang])?;
    let mut cargo = Toolchain::for_target(target)?.cargo("build");
    cargo.args(["--package", "xen-guest", "--lib"]);
    cargo.args(options);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_cargo_does_not_leak_in() {
        for key in ["CARGO", "CARGO_MANIFEST_DIR", "RUSTC", "RUSTFLAGS"] {
            assert!(leaks(OsStr::new(key)), "{key}");
        }
        assert!(leaks(OsStr::new("CARGO_ENCODED_RUSTFLAGS")));
        assert!(leaks(OsStr::new("LD_LIBRARY_PATH")));
    }

    #[test]
    fn the_users_settings_stay() {
        for key in ["CARGO_HOME", "CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN"] {
            assert!(!leaks(OsStr::new(key)), "{key}");
        }
        assert!(!leaks(OsStr::new("PATH")));
    }

    #[test]
    fn misspelt_targets_are_refused_before_anything_is_installed() {
        assert!(known("aarch64-unknown-none") && known("x86_64-unknown-none"));
        let error = Toolchain::for_target("aarch64-unknown-nine").expect_err("no such target");
        assert!(error.to_string().contains("target-list"), "{error}");
    }

    #[test]
    fn debians_compiler_builds_core_and_links_with_lld() {
        let toolchain = Toolchain {
            target: "aarch64-unknown-none".into(),
            origin: Origin::Debian,
        };
        let line = process::display(&toolchain.cargo("build"));
        for part in [
            "RUSTC=/usr/bin/rustc",
            "CARGO_TARGET_AARCH64_UNKNOWN_NONE_LINKER=ld.lld",
            "/usr/bin/cargo build --target aarch64-unknown-none",
            "build-std=core,alloc,compiler_builtins",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
