// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every source file has to look like.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::setup::{self, Need};
use crate::toolchain::host_cargo;

/// The packages outside the workspace, each with its own lock file: for bare
/// metal.
pub const FIRMWARE: [&str; 3] = ["examples/firmware", "examples/template", "tests/firmware"];

/// And for the host.
pub const OUTSIDE: &str = "examples/mixed";

const LICENCE: &str = "SPDX-License-Identifier: MIT OR Apache-2.0";

/// Lines from the top in which the licence is looked for: the first may
/// belong to a script's interpreter.
const TOP: usize = 2;

/// Formatted as `cargo fmt` would.
pub fn rust() -> Result<()> {
    process::run(host_cargo("fmt").args(["--all", "--check"]))?;
    for folder in FIRMWARE.into_iter().chain([OUTSIDE]) {
        let folder = process::workspace().join(folder);
        process::run(host_cargo("fmt").arg("--check").current_dir(folder))?;
    }
    Ok(())
}

/// Formatted as clang-format would. The ABI headers are left out: they follow
/// Xen's own style.
pub fn c() -> Result<()> {
    setup::require(&[Need::ClangFormat])?;
    let files: Vec<String> = tracked()?
        .into_iter()
        .filter(|file| file.ends_with(".c") || file.ends_with(".h"))
        .filter(|file| !file.starts_with("include/abi/"))
        .collect();
    process::run(
        Command::new("clang-format")
            .current_dir(process::workspace())
            .args(["--dry-run", "-Werror"])
            .args(files),
    )
}

/// Every file says under which licence it is.
pub fn licence() -> Result<()> {
    let mut without = Vec::new();
    for file in tracked()? {
        if file.starts_with("LICENSE-") || file.ends_with("Cargo.lock") {
            continue;
        }
        let path = process::workspace().join(&file);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {file}"))?;
        if !licensed(&String::from_utf8_lossy(&bytes)) {
            without.push(file);
        }
    }
    if !without.is_empty() {
        bail!("without a line `{LICENCE}`: {}", without.join(" "));
    }
    Ok(())
}

fn licensed(text: &str) -> bool {
    text.lines().take(TOP).any(|line| line.contains(LICENCE))
}

/// The files of the repository that are there.
pub fn tracked() -> Result<Vec<String>> {
    let list = process::output(
        Command::new("git")
            .current_dir(process::workspace())
            .arg("ls-files"),
    )?;
    let exists = |file: &&str| Path::new(process::workspace()).join(file).is_file();
    Ok(list.lines().filter(exists).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_is_looked_for_at_the_top_only() {
        assert!(licensed(&format!("// {LICENCE}\nfn main() {{}}\n")));
        assert!(licensed(&format!("#!/usr/bin/env bash\n# {LICENCE}\n")));
        assert!(!licensed(&format!("1\n2\n3 {LICENCE}\n")));
        assert!(!licensed(""));
    }
}
