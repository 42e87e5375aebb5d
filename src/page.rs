// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages that can be granted, and the windows where Xen's own go.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::fmt;
use core::ptr::NonNull;

use crate::{Gfn, PAGE_SIZE, ffi};

/// A page of memory, aligned as Xen wants it.
#[repr(C, align(4096))]
pub struct Page(UnsafeCell<[u8; PAGE_SIZE]>);

impl Page {
    /// A page of zeros.
    pub const fn new() -> Self {
        Self(UnsafeCell::new([0; PAGE_SIZE]))
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page")
    }
}

/// A value that owns one page of the guest's RAM.
///
/// # Safety
///
/// Until the value is dropped or taken apart, [`page`](Self::page) always
/// returns the same page, wherever the value is moved to; the page is
/// readable and writable, and nobody else uses it. If the value is leaked the
/// page must never be used again.
pub unsafe trait PageOwner {
    /// The page.
    fn page(&self) -> NonNull<Page>;

    /// How the value can be kept where its type is not known, if it can.
    ///
    /// A [`ParkedOwner`] answers `Some(Parker::new())`. Then a
    /// [`Grant`](crate::Grant) that is dropped while its peer has the page
    /// mapped parks it, and the page comes back later; otherwise it is lost.
    fn parker() -> Option<Parker<Self>>
    where
        Self: Sized,
    {
        None
    }
}

/// A page owner that can be kept where its type is not known.
///
/// # Safety
///
/// `from_raw` gives back the value that `into_raw` was called on.
pub unsafe trait ParkedOwner: PageOwner + Sized + Send + 'static {
    /// The value as a pointer.
    fn into_raw(self) -> *mut ();

    /// The value again.
    ///
    /// # Safety
    ///
    /// `raw` came from `into_raw`, and this is called once for it.
    unsafe fn from_raw(raw: *mut ()) -> Self;
}

/// What a [`ParkedOwner`] can do: see [`PageOwner::parker`].
pub struct Parker<P> {
    pub(crate) into_raw: fn(P) -> *mut (),
    /// # Safety
    ///
    /// As [`ParkedOwner::from_raw`].
    pub(crate) from_raw: unsafe fn(*mut ()) -> P,
    /// Drops the value.
    ///
    /// # Safety
    ///
    /// As [`ParkedOwner::from_raw`].
    pub(crate) release: unsafe extern "C" fn(*mut c_void),
}

impl<P: ParkedOwner> Parker<P> {
    /// Of any such owner.
    pub const fn new() -> Self {
        unsafe extern "C" fn release<P: ParkedOwner>(data: *mut c_void) {
            // SAFETY: from `into_raw`, and called once, as the caller
            // promises.
            drop(unsafe { P::from_raw(data.cast()) });
        }
        Self {
            into_raw: P::into_raw,
            from_raw: P::from_raw,
            release: release::<P>,
        }
    }
}

impl<P: ParkedOwner> Default for Parker<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> fmt::Debug for Parker<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parker")
    }
}

/// A page from a static, or from any place that lives for ever.
pub struct StaticPage(NonNull<Page>);

// SAFETY: it is the only owner of a plain page of memory.
unsafe impl Send for StaticPage {}

impl StaticPage {
    /// Take the page over.
    pub const fn new(page: &'static mut Page) -> Self {
        Self(NonNull::from_mut(page))
    }

    /// What is in the page: nobody else has it now.
    pub const fn bytes(&mut self) -> &mut [u8; PAGE_SIZE] {
        // SAFETY: the page is ours alone while it is not in a grant, and a
        // grant owns this value.
        unsafe { self.0.cast().as_mut() }
    }

    /// Give the page back as it came.
    pub const fn into_inner(mut self) -> &'static mut Page {
        // SAFETY: it was made from such a reference, which ends with `self`.
        unsafe { self.0.as_mut() }
    }
}

// SAFETY: the page was an exclusive reference for ever.
unsafe impl PageOwner for StaticPage {
    fn page(&self) -> NonNull<Page> {
        self.0
    }

    fn parker() -> Option<Parker<Self>> {
        Some(Parker::new())
    }
}

// SAFETY: the pointer is all there is.
unsafe impl ParkedOwner for StaticPage {
    fn into_raw(self) -> *mut () {
        self.0.as_ptr().cast()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: from `into_raw`, which does not return null.
        Self(unsafe { NonNull::new_unchecked(raw.cast()) })
    }
}

impl fmt::Debug for StaticPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StaticPage").field(&self.0).finish()
    }
}

/// A range of frames and the addresses that belong to them, for pages that
/// Xen shares.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Where the platform's `map` makes the frames visible; page aligned.
    pub va: *mut u8,
    /// The first frame. The frames are empty: no RAM, no other mapping.
    pub gfn: Gfn,
    /// How many frames.
    pub pages: u32,
}

impl Window {
    pub(crate) const fn into_raw(self) -> ffi::xg_window {
        ffi::xg_window {
            va: self.va.cast(),
            gfn: self.gfn.raw(),
            pages: self.pages,
        }
    }
}
