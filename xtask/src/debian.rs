// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's archives, read with package lists of our own: the system's stay as
//! they are, and it takes neither root nor foreign architectures.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::process;
use crate::qemu::arch::Arch;
use crate::setup::System;

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Packages for an architecture.
    Binary(Arch),
    /// Source packages.
    Source,
}

impl Kind {
    /// As apt's lists say it.
    fn name(self) -> &'static str {
        match self {
            Kind::Binary(_) => "deb",
            Kind::Source => "deb-src",
        }
    }
}

/// The lists of one suite, in a folder that goes when this does.
pub struct Archive {
    arch: Arch,
    folder: TempDir,
    list: PathBuf,
}

impl Archive {
    /// Read the lists of `suite`, from where the system has its own packages,
    /// into a folder in `place`.
    pub fn open(kind: Kind, suite: &str, place: &Path) -> Result<Self> {
        let system = System::detect();
        if !system.is_debian() {
            bail!("the Xen packages come from Debian's archive, and this is not Debian");
        }
        let sources = sources(kind, &system.codename, suite)?;
        let folder = tempfile::Builder::new()
            .prefix("fetch-")
            .tempdir_in(place)?;
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.path().join(part))?;
        }
        let list = folder.path().join("debian.sources");
        fs::write(&list, sources)?;
        let arch = match kind {
            Kind::Binary(arch) => arch,
            // apt asks for one all the same.
            Kind::Source => Arch::Arm64,
        };
        let archive = Archive { arch, folder, list };
        archive.get(&["update"])?;
        Ok(archive)
    }

    /// Where downloads come to lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The downloaded file whose name `is` the right one.
    pub fn find(&self, is: impl Fn(&str) -> bool) -> Result<Option<PathBuf>> {
        let entries = fs::read_dir(self.folder())?.flatten();
        Ok(entries
            .map(|entry| entry.path())
            .find(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(&is)))
    }

    /// apt-get on these lists.
    pub fn get(&self, arguments: &[&str]) -> Result<String> {
        self.apt("apt-get", arguments)
    }

    /// apt-cache on these lists.
    pub fn cache(&self, arguments: &[&str]) -> Result<String> {
        self.apt("apt-cache", arguments)
    }

    fn apt(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let root = self.folder();
        let mut command = Command::new(program);
        let mut option = |name: &str, value: &dyn fmt::Display| {
            command.arg("-o").arg(format!("{name}={value}"));
        };
        option("APT::Architecture", &self.arch.debian());
        option("APT::Architectures", &self.arch.debian());
        option("Dir::Etc::sourcelist", &self.list.display());
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
    }
}

/// The system's own Debian archives, with another suite in place of its own.
/// One that has packages has their sources, listed or not.
fn sources(kind: Kind, codename: &str, suite: &str) -> Result<String> {
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
            Some("sources") => stanzas.extend(from_deb822(&text, kind, codename, suite)),
            Some("list") => stanzas.extend(from_list(&text, kind, codename, suite)),
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

fn stanza(kind: Kind, uris: &str, suite: &str, signed_by: Option<&str>) -> String {
    let types = kind.name();
    let mut text = format!("Types: {types}\nURIs: {uris}\nSuites: {suite}\nComponents: main\n");
    if let Some(key) = signed_by {
        text.push_str(&format!("Signed-By: {key}\n"));
    }
    text
}

/// Entries of the `Field: value` kind, one paragraph each.
fn from_deb822(text: &str, kind: Kind, codename: &str, suite: &str) -> Vec<String> {
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
                found.push(stanza(kind, uris, &wanted, key));
            }
        }
    }
    found
}

/// Entries of the `deb [options] uri suite components` kind, one line each.
fn from_list(text: &str, kind: Kind, codename: &str, suite: &str) -> Vec<String> {
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
            found.push(stanza(kind, uri, &wanted, key));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_keep_archive_and_key_and_change_the_suite() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/debian\n\
                    Suites: bookworm bookworm-updates\nComponents: main contrib\n\
                    Signed-By: /keys/a.gpg\n\n\
                    Types: deb\nURIs: http://mirror.example/security\n\
                    Suites: bookworm-security\n\n\
                    Types: deb\nURIs: http://other.example\nSuites: stable\n";
        let found = from_deb822(text, Kind::Source, "bookworm", "trixie");
        assert_eq!(
            found,
            [
                "Types: deb-src\nURIs: http://mirror.example/debian\nSuites: trixie\n\
                 Components: main\nSigned-By: /keys/a.gpg\n",
                "Types: deb-src\nURIs: http://mirror.example/security\n\
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
        let found = from_list(text, Kind::Binary(Arch::Arm64), "bookworm", "bookworm");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("URIs: http://mirror.example/debian\nSuites: bookworm\n"));
        assert!(found[0].ends_with("Signed-By: /keys/a.gpg\n"));
    }
}
