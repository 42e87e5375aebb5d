// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers that Xen's interfaces speak in, each a type of its own.

use core::fmt;

/// Bytes in a page. Xen counts guest frames in units of 4 KiB whatever the
/// CPU's own page size is.
pub const PAGE_SIZE: usize = 4096;

/// A domain's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomId(u16);

impl DomId {
    /// The calling domain itself, whatever its number (`DOMID_SELF`).
    pub const SELF: Self = Self(0x7ff0);

    /// The domain numbered `id`, 0 to 0x7fef.
    ///
    /// # Panics
    ///
    /// If `id` is one of the numbers that Xen reserves. See
    /// [`try_new`](Self::try_new).
    pub const fn new(id: u16) -> Self {
        match Self::try_new(id) {
            Some(domid) => domid,
            None => panic!("domain numbers end at 0x7fef"),
        }
    }

    /// The domain numbered `id`, or `None` for 0x7ff0 and above.
    pub const fn try_new(id: u16) -> Option<Self> {
        if id < 0x7ff0 { Some(Self(id)) } else { None }
    }

    /// The number, as in Xen's `domid_t`.
    pub const fn raw(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for DomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SELF => f.write_str("self"),
            Self(id) => write!(f, "d{id}"),
        }
    }
}

/// An event-channel port: 1 to 131071 (port 0 is never valid).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(u32);

impl Port {
    /// The port numbered `port`, or `None` outside 1 to 131071.
    pub const fn new(port: u32) -> Option<Self> {
        if port >= 1 && port < 1 << 17 {
            Some(Self(port))
        } else {
            None
        }
    }

    /// The number, as in Xen's `evtchn_port_t`.
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.0)
    }
}

/// A reference into some domain's grant table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantRef(u32);

impl GrantRef {
    /// The reference numbered `gref`. Any number can be asked for: whether a
    /// peer granted it is Xen's to say.
    pub const fn new(gref: u32) -> Self {
        Self(gref)
    }

    /// The number, as in Xen's `grant_ref_t`.
    pub const fn raw(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for GrantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for GrantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gref {}", self.0)
    }
}

/// A guest frame number: a guest-physical address divided by [`PAGE_SIZE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Gfn(u64);

impl Gfn {
    /// Frame number `gfn`.
    pub const fn new(gfn: u64) -> Self {
        Self(gfn)
    }

    /// The frame that holds guest-physical address `address`.
    pub const fn containing(address: u64) -> Self {
        Self(address / PAGE_SIZE as u64)
    }

    /// The number, as in Xen's `xen_pfn_t`.
    pub const fn raw(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Gfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Gfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gfn {:#x}", self.0)
    }
}

/// What a peer may do with a granted page, or this guest with a mapped one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Reading only.
    ReadOnly,
    /// Reading and writing.
    ReadWrite,
}
