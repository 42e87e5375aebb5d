// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel command line: words of the form `key=value` or `flag`.

use core::str::FromStr;

/// A command line, as in `role=granter peer=2`.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a>(&'a str);

impl<'a> Args<'a> {
    /// Wraps the text of a command line.
    pub const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The whole line.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Its words, each split at the first `=`. A word without one has an
    /// empty value.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .split_ascii_whitespace()
            .map(|word| word.split_once('=').unwrap_or((word, "")))
    }

    /// The value of `key`. Of several the last counts, so that a line can be
    /// changed by appending to it.
    pub fn get(self, key: &str) -> Option<&'a str> {
        self.iter()
            .filter_map(|(name, value)| (name == key).then_some(value))
            .last()
    }

    /// The value of `key` as a number or anything else that can be parsed.
    ///
    /// # Panics
    ///
    /// If it is there but not of that kind: better a stop at once than a run
    /// with other settings than those asked for.
    pub fn parse<T: FromStr>(self, key: &str) -> Option<T> {
        self.get(key).map(|value| match value.parse() {
            Ok(value) => value,
            Err(_) => panic!("{key}={value} on the command line can't be parsed"),
        })
    }
}
