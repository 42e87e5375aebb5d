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
//! - [`GrantMapping`] is a page of a peer, mapped; dropping it unmaps.
//! - [`ForeignMap`] is the same for a control domain, which needs no grant:
//!   any frames of a domain, or of its grant table.
//! - [`Physmap`] gives memory back to Xen and takes it again.
//!
//! Xen is trusted, peers are not: a peer may signal without end, write
//! anything into shared pages, or keep a page mapped for ever. The guest
//! stays live, and no page that a peer can reach is ever reused.
//!
//! # Features
//!
//! - `sim`: a simulated Xen with several domains in one process, for tests on
//!   the host. Needs std.

#![no_std]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "sim")]
extern crate std;

mod error;
mod evtchn;
pub mod ffi;
mod foreign;
mod frames;
mod gnttab;
mod guest;
#[doc = include_str!("guide/links.md")]
#[doc = include_str!("guide/README.md")]
// Its examples use the simulator.
#[cfg(all(doc, any(not(doctest), feature = "sim")))]
pub mod guide;
mod mapping;
mod page;
mod physmap;
mod platform;
mod region;
mod shared;
mod signal;
#[cfg(feature = "sim")]
pub mod sim;
mod types;

pub use error::{Error, Result};
pub use evtchn::EventChannel;
pub use foreign::{ForeignMap, Resource};
pub use frames::{EmptyPages, FrameOwner, MapError};
pub use gnttab::{EndError, Grant, GrantError};
pub use guest::{EventsAbi, Guest, GuestConfig, GuestStorage, Parking, Upcall};
pub use mapping::{GrantMapping, UnmapError};
pub use page::{Page, PageOwner, ParkedOwner, StaticPage, Window};
pub use physmap::{Physmap, Stopped};
pub use platform::{Hypercall, Platform, Protection};
pub use region::{Region, RegionPages, region_metadata};
pub use shared::{Scalar, SharedMemory};
pub use signal::{Signal, Wait};
pub use types::{Access, DomId, Gfn, GrantRef, PAGE_SIZE, Port};
