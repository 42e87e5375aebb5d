// SPDX-License-Identifier: MIT OR Apache-2.0
//! Empty frames that something of a peer's can be mapped at, and who owns
//! them.

use core::fmt;
use core::ptr::NonNull;

use crate::{Error, RegionPages};

/// A value that owns consecutive empty frames, to map a peer's pages into:
/// [`RegionPages`] of a region, or [`EmptyPages`] from anywhere.
///
/// What maps into them owns the value meanwhile. It is returned or dropped
/// once the frames are empty again, and leaked if they never will be.
///
/// # Safety
///
/// Until the value is dropped or taken apart, [`va`](Self::va) and
/// [`pages`](Self::pages) always say the same, wherever the value is moved
/// to. `va` is page aligned and in a range for which the platform's
/// `virt_to_gfn` and `map` work; the frames hold neither RAM nor a mapping,
/// and nobody else uses them. If the value is leaked they must never be used
/// again.
pub unsafe trait FrameOwner {
    /// The first address. Nothing can be accessed there.
    fn va(&self) -> NonNull<u8>;

    /// How many frames.
    fn pages(&self) -> u32;
}

/// Empty frames that nobody takes back by himself.
pub struct EmptyPages {
    va: NonNull<u8>,
    pages: u32,
}

// SAFETY: it owns addresses, and no data at all.
unsafe impl Send for EmptyPages {}

impl EmptyPages {
    /// Take over `pages` empty frames at `va`.
    ///
    /// # Safety
    ///
    /// `va` is page aligned and in a range for which the platform's
    /// `virt_to_gfn` and `map` work; the frames are consecutive, hold neither
    /// RAM nor a mapping (Xen would replace it silently), and nobody else uses
    /// them.
    pub const unsafe fn from_raw(va: NonNull<u8>, pages: u32) -> Self {
        Self { va, pages }
    }

    /// The first address. Nothing can be accessed there.
    pub const fn va(&self) -> NonNull<u8> {
        self.va
    }

    /// How many pages the range has.
    pub const fn pages(&self) -> u32 {
        self.pages
    }
}

// SAFETY: that is what the maker promised.
unsafe impl FrameOwner for EmptyPages {
    fn va(&self) -> NonNull<u8> {
        self.va
    }

    fn pages(&self) -> u32 {
        self.pages
    }
}

impl fmt::Debug for EmptyPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmptyPages({:p}, {} pages)", self.va, self.pages)
    }
}

/// A mapping that could not be made, and why.
#[derive(Debug)]
pub struct MapError<P = EmptyPages> {
    /// [`Error::Invalid`]: not the peer's RAM, not granted to this domain, or
    /// not for writing; [`Error::NoSuchDomain`], [`Error::NotPermitted`],
    /// [`Error::NoSpace`], or what the platform answers.
    /// [`Error::Partial`]: Xen would not undo the mapping.
    pub error: Error,
    /// The frames, empty as before; none after [`Error::Partial`].
    pub pages: Option<P>,
}

/// The frames go back to their region, if they are empty.
impl From<MapError<RegionPages<'_>>> for Error {
    fn from(refused: MapError<RegionPages<'_>>) -> Self {
        refused.error
    }
}
