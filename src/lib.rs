// SPDX-License-Identifier: MIT OR Apache-2.0
//! Firmware that runs as a Xen guest: event channels, grant tables and
//! physmap operations.
//!
//! The behaviour is in a small C core (`csrc/`, with its own C API in
//! `include/`); this crate compiles it and puts safe types around it. No
//! allocator, no std, and nothing to install but a C compiler.
//!
//! - [`Guest`] is this domain's state, set up over a [`Platform`]: the hooks
//!   that the firmware provides.
//! - [`EventChannel`] is an open port; dropping it closes the port.
//! - [`Grant`] owns a page that a peer may map. It gives the page back once
//!   the peer has let go.
//! - [`GrantMapping`] is pages of a peer, mapped; dropping it unmaps.
//! - [`ForeignMap`] is the same for a control domain, which needs no grant:
//!   any frames of a domain, or of its grant table.
//! - [`RegionPages`] are empty frames to map such pages at; a [`Balloon`] makes
//!   them of the guest's RAM where Xen names none.
//! - [`Granted`] has Xen copy from and to a peer's page, without a mapping.
//! - [`Physmap`] gives memory back to Xen and takes it again.
//! - [`GuestMemory`] arranges the memory of another domain, and serves its
//!   accesses where there is none.
//!
//! ```
//! use core::sync::atomic::{AtomicU32, Ordering};
//! use xen_guest::{Access, DomId, Error, EventChannel, Grant, Guest, PageOwner};
//!
//! static EVENTS: AtomicU32 = AtomicU32::new(0);
//!
//! /// Grant `page` to `peer`, with the number of a port in it.
//! fn offer<'g, P: PageOwner>(
//!     guest: &'g Guest<'g>,
//!     peer: DomId,
//!     page: P,
//! ) -> Result<(EventChannel<'g>, Grant<'g, P>), Error> {
//!     let mut channel = EventChannel::alloc_unbound(guest, peer)?;
//!     // The handler runs in the event interrupt.
//!     channel.bind(&|| _ = EVENTS.fetch_add(1, Ordering::Relaxed))?;
//!     let grant = Grant::new(guest, peer, page, Access::ReadWrite).map_err(|e| e.error)?;
//!     grant.memory().write_release(0, channel.port().raw());
//!     Ok((channel, grant))
//! }
//! ```
//!
//! Xen is trusted, peers are not: a peer may signal without end, write
//! anything into shared pages, or keep a page mapped for ever. The guest
//! stays live, and no page that a peer can reach is ever reused.
//!
//! # Guide
//!
//! [`guide`] has what goes beyond single items: the platform's hooks, porting from
//! Zephyr and libsel4vm, the memory model, security, testing.
//!
//! # Features
//!
//! - `sim`: a simulated Xen with several domains in one process, for tests on
//!   the host. Needs std; for targets without an operating system it adds
//!   nothing.
//!
//! # C in dependent crates
//!
//! `DEP_XEN_GUEST_INCLUDE` and `DEP_XEN_GUEST_ABI` tell a dependent crate's
//! build script where the core's headers and Xen's are. The core itself is
//! linked with this crate. `examples/mixed` is such a crate.

#![no_std]
#![deny(missing_docs)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "sim", not(target_os = "none")))]
extern crate std;

mod balloon;
mod copy;
mod error;
mod evtchn;
mod fault;
pub mod ffi;
mod foreign;
mod frames;
mod gnttab;
mod guest;
mod guest_memory;
#[doc = include_str!("guide/links.md")]
#[doc = include_str!("guide/README.md")]
// Its examples use the simulator.
#[cfg(all(doc, any(not(doctest), feature = "sim")))]
pub mod guide;
mod mapping;
mod page;
mod physmap;
mod platform;
#[cfg(doctest)]
mod refused;
mod region;
mod reservation;
mod shared;
mod signal;
#[cfg(all(feature = "sim", not(target_os = "none")))]
pub mod sim;
mod types;

pub use balloon::Balloon;
pub use copy::Granted;
pub use error::{Error, Result};
pub use evtchn::EventChannel;
pub use fault::{Fault, Outcome};
pub use foreign::{ForeignMap, Resource};
pub use frames::{EmptyPages, FrameOwner, MapError};
pub use gnttab::{EndError, Grant, GrantError};
pub use guest::{EventsAbi, Guest, GuestConfig, GuestStorage, Parking, Upcall};
pub use guest_memory::{Capability, GuestMemory, GuestMemoryConfig, GuestMemoryStorage};
pub use mapping::{GrantMapping, UnmapError};
pub use page::{Page, PageOwner, ParkedOwner, Parker, StaticPage, Window};
pub use physmap::{Physmap, Stopped};
pub use platform::{Hypercall, Platform, Protection};
pub use region::{Region, RegionPages, region_metadata};
pub use reservation::{FrameKind, MapFrame, Reservation, Rights};
pub use shared::{Scalar, SharedMemory};
pub use signal::{Signal, Wait};
pub use types::{Access, DomId, Gfn, GrantRef, PAGE_SIZE, Port};
