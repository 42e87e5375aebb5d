// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a guest is given, and where Xen puts it.

use std::path::PathBuf;

/// Where a domU's memory starts and its image is loaded (Xen's
/// `GUEST_RAM0_BASE`, plus the image's text_offset of 0).
pub const DOMU_IMAGE_BASE: u64 = 0x4000_0000;

/// Where dom0's image is loaded. dom0 is mapped one to one, so Xen decides at
/// boot: on this board a dom0 of [`DOM0_MEMORY_KIB`] gets the 64 MiB above
/// 0x4400_0000, on Xen 4.17 and 4.20, with one CPU or two, with 512 MiB or
/// 1 GiB of board memory, whatever size the image says it has. The image's
/// text_offset, 0 in ours, is added. A dom0 of another size moves (32 MiB:
/// 0x4200_0000; 128 MiB: 0x7000_0000). An image that relocates itself need
/// not care; for the others a failed run says where dom0 went.
pub const DOM0_IMAGE_BASE: u64 = 0x4400_0000;

/// dom0's usual size, which [`DOM0_IMAGE_BASE`] belongs to.
pub const DOM0_MEMORY_KIB: u64 = 64 * 1024;

/// One guest of a run.
#[derive(Clone, Debug)]
pub struct Guest {
    /// What the console calls it.
    pub name: String,
    /// A flat arm64 Image: linked for the address of its kind of guest, or
    /// relocating itself. On x86_64 an ELF program that says where it starts
    /// as PVH guest.
    pub image: PathBuf,
    pub memory_kib: u64,
    pub cpus: u32,
    pub bootargs: String,
    /// The line it prints when it is done and all went well. The run ends
    /// when every guest that has one has printed it.
    pub token: Option<String>,
}

impl Guest {
    /// A domU with one CPU and 32 MiB.
    pub fn domu(name: &str, image: impl Into<PathBuf>) -> Self {
        Guest {
            name: name.to_owned(),
            image: image.into(),
            memory_kib: 32 * 1024,
            cpus: 1,
            bootargs: String::new(),
            token: None,
        }
    }

    /// dom0, with one CPU and the memory its image base belongs to.
    pub fn dom0(image: impl Into<PathBuf>) -> Self {
        Guest {
            memory_kib: DOM0_MEMORY_KIB,
            ..Guest::domu("dom0", image)
        }
    }

    pub fn bootargs(mut self, bootargs: &str) -> Self {
        self.bootargs = bootargs.to_owned();
        self
    }

    /// More vCPUs than one.
    pub fn cpus(mut self, cpus: u32) -> Self {
        self.cpus = cpus;
        self
    }

    /// Wait for this line.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }
}

/// What a firmware of this name prints last.
pub fn completion_token(name: &str) -> String {
    format!("xen-guest: {name}: complete")
}
