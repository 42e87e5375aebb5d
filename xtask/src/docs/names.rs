// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the Markdown names is there: files, calls of the C API, tests,
//! scenarios, models, commands.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::pages::{self, Page};
use crate::legs::Tally;
use crate::process;

pub fn check(tally: &mut Tally) -> Result<()> {
    let there = There::read()?;
    for page in pages::all()? {
        let is_guide = page.file.starts_with("src/guide/");
        for code in &page.codes {
            if let Some(kind) = Kind::of(code, is_guide) {
                let what = format!("{}: `{code}`", page.file);
                tally.check(&what, there.find(&kind, page.folder()));
            }
        }
        for command in commands(&page) {
            let what = format!("{}: {command}", page.file);
            tally.check(&what, crate::parses(&command));
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    /// A file or folder of the repository.
    Path(&'a str),
    /// A call or a type of the C API.
    CName(&'a str),
    /// `file::test`, in `tests`.
    Test(&'a str, &'a str),
    Scenario(&'a str),
    Model(&'a str),
}

impl<'a> Kind<'a> {
    /// What the code is the name of, if it is one that can be looked up.
    fn of(code: &'a str, is_guide: bool) -> Option<Self> {
        let word = |text: &str| {
            let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            !text.is_empty() && text.chars().all(part)
        };
        if let Some(name) = code.strip_prefix("scenario ") {
            return Some(Kind::Scenario(name));
        }
        if code.ends_with(".pml") && !code.contains('/') {
            return Some(Kind::Model(code));
        }
        let name = code.strip_suffix("()").unwrap_or(code);
        if name.starts_with("xg_") && word(name) {
            return Some(Kind::CName(name));
        }
        if let Some((file, test)) = code.split_once("::") {
            return (is_guide && word(file) && word(test)).then_some(Kind::Test(file, test));
        }
        let folders = [
            "csrc/",
            "include/",
            "src/",
            "examples/",
            "benches/",
            "tests/",
            "xtask/",
            ".github/",
            ".ci/",
        ];
        let plain = !code.contains([' ', '*', '{', '<']);
        (plain && folders.iter().any(|folder| code.starts_with(folder))).then_some(Kind::Path(code))
    }
}

/// What there is to be named.
struct There {
    headers: String,
    scenarios: String,
}

impl There {
    fn read() -> Result<Self> {
        let mut headers = String::new();
        for folder in fs::read_dir(process::workspace().join("include"))? {
            let folder = folder?.path();
            // Xen's own.
            if folder.ends_with("abi") {
                continue;
            }
            for file in fs::read_dir(folder)? {
                let file = file?.path();
                if file.extension().is_some_and(|e| e == "h") {
                    headers += &fs::read_to_string(file)?;
                }
            }
        }
        let scenarios = process::workspace().join("tests/scenarios/src/lib.rs");
        let scenarios = fs::read_to_string(scenarios).context("the scenarios' list")?;
        let scenarios: String = scenarios
            .split("\nscenarios! {")
            .skip(1)
            .filter_map(|list| Some(list.split_once("\n}")?.0))
            .collect();
        ensure!(!scenarios.is_empty(), "a list begins with `scenarios!`");
        Ok(There { headers, scenarios })
    }

    /// Named by a page in this folder.
    fn find(&self, kind: &Kind<'_>, folder: &Path) -> Result<()> {
        match *kind {
            Kind::Path(path) => exists(path).or_else(|error| {
                // From where the page is.
                let here = folder.join(path);
                exists(&here.to_string_lossy()).map_err(|_| error)
            }),
            Kind::Model(model) => exists(&format!("csrc/models/{model}")),
            Kind::CName(name) => {
                ensure!(has_word(&self.headers, name), "not in the headers");
                Ok(())
            }
            Kind::Scenario(name) => {
                ensure!(has_word(&self.scenarios, name), "there is no such scenario");
                Ok(())
            }
            Kind::Test(file, test) => {
                let path = process::workspace().join(format!("tests/{file}.rs"));
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("there is no tests/{file}.rs"))?;
                ensure!(
                    has_test(&text, test),
                    "tests/{file}.rs has no test of that name"
                );
                Ok(())
            }
        }
    }
}

fn exists(path: &str) -> Result<()> {
    if !process::workspace().join(path).exists() {
        bail!("there is no {path}");
    }
    Ok(())
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|other| other == word)
}

/// A function with `#[test]` somewhere in the attributes before it.
fn has_test(text: &str, test: &str) -> bool {
    let function = format!("fn {test}()");
    let mut attributes = false;
    for line in text.lines() {
        if line.starts_with("#[test]") {
            attributes = true;
        } else if !line.starts_with("#[") {
            if attributes && line.starts_with(&function) {
                return true;
            }
            attributes = false;
        }
    }
    false
}

/// The commands of ours that a person is told to type.
fn commands(page: &Page) -> Vec<String> {
    page.blocks
        .iter()
        .filter(|(language, _)| language == "sh")
        .flat_map(|(_, block)| block.lines())
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| line.starts_with("cargo xtask "))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_code() {
        let of = |code| Kind::of(code, true);
        assert_eq!(of("scenario end_twice"), Some(Kind::Scenario("end_twice")));
        assert_eq!(of("a_b::c_d"), Some(Kind::Test("a_b", "c_d")));
        assert_eq!(of("sim::Domain"), None);
        assert_eq!(Kind::of("a_b::c_d", false), None);
        assert_eq!(of("x.pml"), Some(Kind::Model("x.pml")));
        assert_eq!(of("xg_guest_init()"), Some(Kind::CName("xg_guest_init")));
        assert_eq!(of("xg_*"), None);
        assert_eq!(of("csrc/guest.c"), Some(Kind::Path("csrc/guest.c")));
        assert_eq!(of("csrc/*.c"), None);
        assert_eq!(of("&mut"), None);
    }

    #[test]
    fn tests_are_functions_with_the_attribute() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn a() {\n}\nfn b() {\n}\n";
        assert!(has_test(text, "a"));
        assert!(!has_test(text, "b"));
        assert!(!has_test(text, "c"));
    }

    #[test]
    fn what_is_there_is_found() {
        let all = There::read().unwrap();
        let there = |kind| all.find(kind, Path::new("examples/firmware"));
        assert!(there(&Kind::CName("xg_guest_init")).is_ok());
        assert!(there(&Kind::CName("xg_guest_ini")).is_err());
        assert!(there(&Kind::Scenario("end_twice")).is_ok());
        assert!(there(&Kind::Scenario("no_ports_between_domus")).is_ok());
        assert!(there(&Kind::Scenario("end_thrice")).is_err());
        assert!(there(&Kind::Path("csrc/guest.c")).is_ok());
        assert!(there(&Kind::Path("csrc/gast.c")).is_err());
        assert!(there(&Kind::Path("src/platform.rs")).is_ok());
        assert!(there(&Kind::Path("src/mmu.rs")).is_ok());
        assert!(there(&Kind::Model("grant_end.pml")).is_ok());
        assert!(there(&Kind::Test("conformance", "deterministic")).is_ok());
        assert!(there(&Kind::Test("conformance", "keep")).is_err());
    }

    #[test]
    fn commands_are_those_of_shell_blocks() {
        let page = Page::read(
            "a.md",
            "```sh\ncargo xtask test  # all\nls\n```\n```text\ncargo xtask no\n```\n",
        );
        assert_eq!(commands(&page), ["cargo xtask test"]);
        assert!(crate::parses("cargo xtask test --skip-xen").is_ok());
        assert!(crate::parses("cargo xtask tset").is_err());
    }
}
