// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Xen image to boot: one of Debian's, fetched and kept below
//! `target/xen`, or the user's own.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::setup::System;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hypervisor {
    /// The one of Debian bookworm.
    V4_17,
    /// The one of Debian trixie.
    V4_20,
    /// An arm64 Image of the user's.
    Path(PathBuf),
}

impl FromStr for Hypervisor {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "4.17" => Hypervisor::V4_17,
            "4.20" => Hypervisor::V4_20,
            path => Hypervisor::Path(path.into()),
        })
    }
}

impl fmt::Display for Hypervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hypervisor::V4_17 => f.write_str("Xen 4.17"),
            Hypervisor::V4_20 => f.write_str("Xen 4.20"),
            Hypervisor::Path(path) => write!(f, "Xen at {}", path.display()),
        }
    }
}

impl Hypervisor {
    /// The image's path, after fetching it if need be.
    pub fn image(&self) -> Result<PathBuf> {
        match self {
            Hypervisor::V4_17 => fetched("4.17", "bookworm"),
            Hypervisor::V4_20 => fetched("4.20", "trixie"),
            Hypervisor::Path(path) if path.is_file() => Ok(path.clone()),
            Hypervisor::Path(path) => bail!(
                "no Xen at {}: give 4.17, 4.20 or the path of an arm64 image",
                path.display()
            ),
        }
    }
}

fn fetched(version: &str, suite: &str) -> Result<PathBuf> {
    let image = process::target_folder("xen")?.join(version).join("xen");
    if !image.is_file() {
        eprintln!("fetching Xen {version} for arm64 from Debian {suite}");
        fetch(version, suite, &image).with_context(|| {
            format!(
                "cannot fetch Xen {version}; an image you have can be given \
                 with `--xen PATH`, or put at {}",
                image.display()
            )
        })?;
    }
    Ok(image)
}

/// Download with package lists of our own: the system's stay as they are, and
/// needs neither root nor arm64 as a foreign architecture.
fn fetch(version: &str, suite: &str, image: &Path) -> Result<()> {
    let system = System::detect();
    if !system.is_debian() {
        bail!("the Xen packages come from Debian's archive, and this is not Debian");
    }
    let sources = debian_sources(&system.codename, suite)?;
    let work = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(process::target_folder("xen")?)?;
    let root = work.path();
    for folder in ["lists/partial", "cache/archives/partial", "unpacked"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let list = root.join("debian.sources");
    fs::write(&list, sources)?;

    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        let mut option = |name: &str, value: &dyn fmt::Display| {
            command.arg("-o").arg(format!("{name}={value}"));
        };
        option("APT::Architecture", &"arm64");
        option("APT::Architectures", &"arm64");
        option("Dir::Etc::sourcelist", &list.display());
        option("Dir::Etc::sourceparts", &"/dev/null");
        option("Dir::State", &root.display());
        option("Dir::State::lists", &root.join("lists").display());
        option("Dir::State::status", &"/dev/null");
        option("Dir::Cache", &root.join("cache").display());
        // Our folder may be closed to the user apt would switch to.
        option("APT::Sandbox::User", &"root");
        option("Acquire::Languages", &"none");
        option("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", &false);
        command.arg("-q").args(arguments).current_dir(root);
        process::output(&mut command)
    };
    apt(&["update"])?;
    apt(&["download", &format!("xen-hypervisor-{version}-arm64")])?;

    let package = fs::read_dir(root)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
        .context("apt-get downloaded no package")?;
    let unpacked = root.join("unpacked");
    process::run(
        Command::new("dpkg-deb")
            .arg("-x")
            .arg(&package)
            .arg(&unpacked),
    )?;
    let folder = image.parent().context("the image has no folder")?;
    fs::create_dir_all(folder)?;
    // The rename makes a half-finished fetch look like none.
    fs::rename(unpacked.join(format!("boot/xen-{version}-arm64")), image)
        .context("the package holds no hypervisor image")
}

/// The system's own Debian archives, with another suite in place of its own.
fn debian_sources(codename: &str, suite: &str) -> Result<String> {
    let mut stanzas = Vec::new();
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|e| e.to_str()) {
            Some("sources") => stanzas.extend(from_deb822(&text, codename, suite)),
            Some("list") => stanzas.extend(from_list(&text, codename, suite)),
            _ => {}
        }
    }
    if stanzas.is_empty() {
        bail!("/etc/apt names no archive for `{codename}`");
    }
    Ok(stanzas.join("\n"))
}

/// The suite to ask an archive for that offers `offered` for this system: the
/// main and the security archive are distinct. Point-release updates and the
/// like are not needed.
fn replaced(offered: &str, codename: &str, suite: &str) -> Option<String> {
    match offered.strip_prefix(codename)? {
        "" => Some(suite.to_owned()),
        "-security" => Some(format!("{suite}-security")),
        _ => None,
    }
}

fn stanza(uris: &str, suite: &str, signed_by: Option<&str>) -> String {
    let mut text = format!("Types: deb\nURIs: {uris}\nSuites: {suite}\nComponents: main\n");
    if let Some(key) = signed_by {
        text.push_str(&format!("Signed-By: {key}\n"));
    }
    text
}

/// Entries of the `Field: value` kind, one paragraph each.
fn from_deb822(text: &str, codename: &str, suite: &str) -> Vec<String> {
    let mut found = Vec::new();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| {
            paragraph
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
        };
        let (Some(uris), Some(suites)) = (field("URIs"), field("Suites")) else {
            continue;
        };
        // An empty value means that a key block follows; apt's own keyrings
        // have Debian's keys anyway.
        let key = field("Signed-By").filter(|key| !key.is_empty());
        let off = field("Enabled").is_some_and(|v| v.eq_ignore_ascii_case("no"));
        let binary = field("Types").is_some_and(|t| t.split_whitespace().any(|t| t == "deb"));
        if off || !binary {
            continue;
        }
        for offered in suites.split_whitespace() {
            if let Some(wanted) = replaced(offered, codename, suite) {
                found.push(stanza(uris, &wanted, key));
            }
        }
    }
    found
}

/// Entries of the `deb [options] uri suite components` kind, one line each.
fn from_list(text: &str, codename: &str, suite: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.trim().strip_prefix("deb ") else {
            continue;
        };
        let rest = rest.trim();
        let (options, rest) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((options, rest)) => (options, rest),
            None => ("", rest),
        };
        let key = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="));
        let mut words = rest.split_whitespace();
        if let (Some(uri), Some(offered)) = (words.next(), words.next())
            && let Some(wanted) = replaced(offered, codename, suite)
        {
            found.push(stanza(uri, &wanted, key));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_paths_are_told_apart() {
        assert_eq!("4.17".parse(), Ok(Hypervisor::V4_17));
        assert_eq!("4.20".parse(), Ok(Hypervisor::V4_20));
        assert_eq!("./xen".parse(), Ok(Hypervisor::Path("./xen".into())));
        assert!(Hypervisor::Path("/nowhere/xen".into()).image().is_err());
    }

    #[test]
    fn stanzas_keep_archive_and_key_and_change_the_suite() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian\n\
                    Suites: bookworm bookworm-updates\nComponents: main contrib\n\
                    Signed-By: /keys/a.gpg\n\n\
                    Types: deb\nURIs: http://mirror.example/security\n\
                    Suites: bookworm-security\n\n\
                    Types: deb\nURIs: http://other.example\nSuites: stable\n";
        let found = from_deb822(text, "bookworm", "trixie");
        assert_eq!(
            found,
            [
                "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n\
                 Components: main\nSigned-By: /keys/a.gpg\n",
                "Types: deb\nURIs: http://mirror.example/security\n\
                 Suites: trixie-security\nComponents: main\n",
            ]
        );
    }

    #[test]
    fn source_lines_become_stanzas() {
        let text = "# deb http://no.example/debian bookworm main\n\
                    deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.example/debian bookworm main\n\
                    deb-src http://mirror.example/debian bookworm main\n\
                    deb http://other.example nodistro main\n";
        let found = from_list(text, "bookworm", "bookworm");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("URIs: http://mirror.example/debian\nSuites: bookworm\n"));
        assert!(found[0].ends_with("Signed-By: /keys/a.gpg\n"));
    }
}
