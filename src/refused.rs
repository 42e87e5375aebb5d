// SPDX-License-Identifier: MIT OR Apache-2.0
//! What safe code must not be able to do: programs that the compiler has to
//! refuse. For tests of the documentation only.
//!
//! They share what stands here, and this compiles:
//!
//! ```
//! use xen_guest::*;
//!
//! fn f(mapping: GrantMapping<'_, RegionPages<'_>>, map: ForeignMap<'_>) {
//!     let (memory, other) = (mapping.memory(), map.memory());
//!     let _ = memory.read::<u32>(0) + other.read::<u32>(0);
//!     drop((mapping, map));
//! }
//!
//! fn g<'g>(mut guest: Guest<'g>, balloon: &'g mut Balloon<'g>) -> Result {
//!     guest.inflate(balloon)?;
//!     drop(RegionPages::take(&guest, 1)?);
//!     guest.deflate()
//! }
//!
//! fn h<'m>(memory: GuestMemory<'m>, handler: &'m impl Fn(&mut Fault<'_>) -> Outcome) -> Result {
//!     let page = memory.create_ram(0, Rights::ReadWrite, handler)?;
//!     let _: u32 = page.memory().unwrap().read(0);
//!     drop(page);
//!     memory.finish().map_err(|(error, _)| error)
//! }
//! ```
//!
//! # Peers' pages after they are unmapped
//!
//! ```compile_fail,E0505
//! use xen_guest::*;
//!
//! fn f(mapping: GrantMapping<'_, RegionPages<'_>>) -> u32 {
//!     let memory = mapping.memory();
//!     drop(mapping);
//!     memory.read(0)
//! }
//! ```
//!
//! ```compile_fail,E0505
//! use xen_guest::*;
//!
//! fn f(map: ForeignMap<'_>) -> u32 {
//!     let memory = map.memory();
//!     let _ = map.unmap();
//!     memory.read(0)
//! }
//! ```
//!
//! # A granted page's bytes while a peer can write there
//!
//! ```compile_fail,E0382
//! use xen_guest::*;
//!
//! fn f(guest: &Guest<'_>, peer: DomId, mut page: StaticPage) -> u8 {
//!     let _grant = Grant::new(guest, peer, page, Access::ReadWrite);
//!     page.bytes()[0]
//! }
//! ```
//!
//! # A region's pages when there is RAM again
//!
//! ```compile_fail,E0502
//! use xen_guest::*;
//!
//! fn f<'g>(mut guest: Guest<'g>, balloon: &'g mut Balloon<'g>) -> Result {
//!     guest.inflate(balloon)?;
//!     let pages = RegionPages::take(&guest, 1)?;
//!     guest.deflate()?;
//!     drop(pages);
//!     Ok(())
//! }
//! ```
//!
//! A balloon in the hands of two guests, or gone before its guest:
//!
//! ```compile_fail,E0499
//! use xen_guest::*;
//!
//! fn f<'g>(a: &mut Guest<'g>, b: &mut Guest<'g>, balloon: &'g mut Balloon<'g>) -> Result {
//!     a.inflate(balloon)?;
//!     b.inflate(balloon)
//! }
//! ```
//!
//! ```compile_fail,E0597
//! use xen_guest::*;
//!
//! unsafe fn f(guest: &mut Guest<'static>, ram: &Window, metadata: &'static mut [u64]) -> Result {
//!     let mut balloon = unsafe { Balloon::new(ram, metadata) }?;
//!     guest.inflate(&mut balloon)
//! }
//! ```
//!
//! # A parked page that borrows
//!
//! ```compile_fail,E0478
//! use std::ptr::NonNull;
//! use xen_guest::*;
//!
//! struct Borrowed<'a>(&'a mut Page);
//!
//! unsafe impl PageOwner for Borrowed<'_> {
//!     fn page(&self) -> NonNull<Page> {
//!         NonNull::from_ref(&*self.0)
//!     }
//! }
//!
//! unsafe impl ParkedOwner for Borrowed<'_> {
//!     fn into_raw(self) -> *mut () {
//!         self.page().as_ptr().cast()
//!     }
//!     unsafe fn from_raw(raw: *mut ()) -> Self {
//!         Self(unsafe { &mut *raw.cast() })
//!     }
//! }
//! ```
//!
//! # A domain's page after its reservation, or a reservation after its memory
//!
//! ```compile_fail,E0505
//! use xen_guest::*;
//!
//! fn f(page: Reservation<'_>) -> u32 {
//!     let memory = page.memory().unwrap();
//!     drop(page);
//!     memory.read(0)
//! }
//! ```
//!
//! ```compile_fail,E0505
//! use xen_guest::*;
//!
//! fn f<'m>(memory: GuestMemory<'m>, handler: &'m impl Fn(&mut Fault<'_>) -> Outcome) {
//!     let page = memory.reserve(0, 1, handler).unwrap();
//!     let _ = memory.finish();
//!     drop(page);
//! }
//! ```
//!
//! # Handlers that are gone, or on a thread that they are not for
//!
//! ```compile_fail
//! use xen_guest::*;
//!
//! /// Then it would take handlers that are gone before it is.
//! fn f<'short, 'long: 'short>(memory: GuestMemory<'long>) -> GuestMemory<'short> {
//!     memory
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use xen_guest::*;
//!
//! fn send<T: Send>(_: T) {}
//!
//! fn f(memory: GuestMemory<'static>) {
//!     send(memory);
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use xen_guest::*;
//!
//! fn send<T: Send>(_: T) {}
//!
//! fn f(reservation: Reservation<'static>) {
//!     send(reservation);
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use xen_guest::*;
//!
//! fn f(channel: &mut EventChannel<'_>, count: &'static std::cell::Cell<u32>) {
//!     let _ = channel.with_handler(&|| count.set(count.get() + 1), |_| ());
//! }
//! ```
