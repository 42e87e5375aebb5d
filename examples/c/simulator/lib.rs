// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C core and the simulator in one static library for C programs:
//! `xen_guest/sim.h` and the other headers. The library brings everything.
//!
//! ```sh
//! cargo build --release --package xen-guest-simulator
//! cc -I include -isystem include/abi examples/c/two_domains.c examples/c/offer.c \
//!     target/release/libxen_guest_sim.a -lpthread -ldl -lm
//! ```

extern crate xen_guest as _;
