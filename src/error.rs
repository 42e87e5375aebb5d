// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong, in Xen's own numbers.

use core::fmt;

use crate::ffi;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $raw:ident, $text:literal;)*) => {
        /// Why a call failed. Numbers without a name of their own are kept
        /// in [`Unknown`](Self::Unknown), so converting loses nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Error {
            $($(#[$doc])* $name,)*
            /// Any other error number, as a positive value.
            Unknown(i32),
        }

        impl Error {
            /// The error for a negative result of the C API or of Xen; the
            /// sign is ignored.
            pub const fn from_raw(raw: i32) -> Self {
                match raw.unsigned_abs() {
                    $(ffi::$raw => Self::$name,)*
                    other => Self::Unknown(other as i32),
                }
            }

            /// The number, negative as the C API returns it.
            pub const fn raw(self) -> i32 {
                match self {
                    $(Self::$name => -(ffi::$raw as i32),)*
                    Self::Unknown(raw) => raw.wrapping_neg(),
                }
            }

            fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown(_) => "unknown error",
                }
            }
        }
    };
}

errors! {
    /// Xen's security policy does not allow it.
    NotPermitted = XG_EPERM, "not permitted by Xen's security policy";
    /// No such vCPU, or no page at that frame.
    NotFound = XG_ENOENT, "no such vCPU or page";
    /// No such domain.
    NoSuchDomain = XG_ESRCH, "no such domain";
    /// Done in part: the object says what is left.
    Partial = XG_EIO, "done in part";
    /// More than the domain may have.
    TooBig = XG_E2BIG, "over the domain's limit";
    /// The other side is not ready yet: try again.
    TryAgain = XG_EAGAIN, "not ready yet";
    /// The platform or Xen is out of memory.
    NoMemory = XG_ENOMEM, "out of memory";
    /// The frame is not of the kind that was asked for.
    WrongKind = XG_EACCES, "not a frame of that kind";
    /// An address that Xen or the platform can't use.
    BadAddress = XG_EFAULT, "bad address";
    /// In use, and left as it was.
    Busy = XG_EBUSY, "in use";
    /// Already there.
    Exists = XG_EEXIST, "already exists";
    /// An argument is out of range or its object in the wrong state.
    Invalid = XG_EINVAL, "invalid argument";
    /// A table is full.
    NoSpace = XG_ENOSPC, "table full";
    /// A number that the ABI has no room for.
    OutOfRange = XG_ERANGE, "number out of range";
    /// This Xen does not have the operation.
    NotImplemented = XG_ENOSYS, "not implemented by this Xen";
    /// Not in this configuration.
    NotSupported = XG_EOPNOTSUPP, "not supported in this configuration";
}

/// Shorthand for results of this crate.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

impl Error {
    /// `Ok` with the non-negative result of a C call, or its error.
    pub(crate) const fn check(result: i32) -> Result<u32> {
        if result < 0 {
            Err(Self::from_raw(result))
        } else {
            Ok(result as u32)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.raw())
    }
}

impl core::error::Error for Error {}
