// SPDX-License-Identifier: MIT OR Apache-2.0
//! The architectures that Xen is run on.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    Arm64,
    X86_64,
}

impl Arch {
    /// As Rust calls it, without an operating system.
    pub const fn target(self) -> &'static str {
        match self {
            Arch::Arm64 => "aarch64-unknown-none",
            Arch::X86_64 => "x86_64-unknown-none",
        }
    }

    /// As Debian's packages call it.
    pub const fn debian(self) -> &'static str {
        match self {
            Arch::Arm64 => "arm64",
            Arch::X86_64 => "amd64",
        }
    }

    /// As this project's texts call it.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::Arm64 => "arm64",
            Arch::X86_64 => "x86_64",
        }
    }
}
