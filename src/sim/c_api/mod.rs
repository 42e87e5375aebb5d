// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator for C: `include/xen_guest/sim.h`, which is generated from the
//! files of this folder by `cargo xtask bindings`. Their documentation is the
//! header's, so it speaks of C.
//!
//! A machine owns its domains, and a domain its guest. C gets addresses of
//! them, which stay valid until the machine is destroyed; everything behind
//! them can be used by several threads. The functions are unsafe in that they
//! trust addresses as the header's first lines say; what else they trust is in
//! their own text.

mod access;
mod device;
mod domain;
mod faults;
mod guest;
mod interrupts;
mod machine;
mod memory;
mod peer;
mod trace;

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Result, ffi};

/// What a function returns if the simulator panicked beneath it.
trait Answer {
    const PANICKED: Self;
}

impl Answer for i32 {
    const PANICKED: Self = Error::Partial.raw();
}

impl Answer for i64 {
    const PANICKED: Self = Error::Partial.raw() as i64;
}

impl Answer for isize {
    const PANICKED: Self = Error::Partial.raw() as isize;
}

impl<T> Answer for *mut T {
    const PANICKED: Self = std::ptr::null_mut();
}

/// Runs the body of a function that C calls. A panic ends here, its message
/// being printed already.
fn guard<T: Answer>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(T::PANICKED)
}

/// The same for one that succeeds or fails with a number.
fn check(body: impl FnOnce() -> Result<i32>) -> i32 {
    guard(|| body().unwrap_or_else(Error::raw))
}

/// A result of the C core, which has the sign that says which it is.
fn core(result: i32) -> Result<i32> {
    Error::check(result).map(|value| value as i32)
}

/// What a pointer from C points to.
///
/// # Safety
///
/// It is null, or valid as long as the result is used.
unsafe fn the<'a, T>(pointer: *const T) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or(Error::Invalid)
}

/// A structure of settings, or the default one for null.
///
/// # Safety
///
/// As for [`the`].
unsafe fn settings<T: Copy + Default>(pointer: *const T) -> T {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.copied().unwrap_or_default()
}

/// Where C is to find a result.
///
/// # Safety
///
/// It is null, or can be written to.
unsafe fn put<T>(place: *mut T, value: T) -> Result<()> {
    if place.is_null() {
        return Err(Error::Invalid);
    }
    // SAFETY: as the caller promises.
    unsafe { place.write(value) };
    Ok(())
}

/// A text for C, cut to what there is room for, with a zero at its end. Its
/// whole length.
///
/// # Safety
///
/// `place` has room for `size` bytes, or is null and `size` 0.
unsafe fn put_text(place: *mut c_char, size: u32, text: &str) -> Result<i32> {
    if place.is_null() && size > 0 {
        return Err(Error::Invalid);
    }
    if let Some(room) = (size as usize).checked_sub(1) {
        let length = room.min(text.len());
        // SAFETY: `length` bytes and the zero fit, as the caller promises.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), place.cast(), length);
            place.add(length).write(0);
        }
    }
    i32::try_from(text.len()).map_err(|_| Error::OutOfRange)
}

/// Makes a guest the calling thread's current one, and the one before it
/// again when dropped.
struct Current(*mut ffi::xg_guest);

impl Current {
    fn make(guest: *mut ffi::xg_guest) -> Self {
        // SAFETY: only a number of this thread's; the guest is used by those
        // who make calls for it.
        unsafe {
            let before = ffi::xg_current();
            ffi::xg_set_current(guest);
            Self(before)
        }
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { ffi::xg_set_current(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_answer() {
        assert_eq!(guard(|| -> i32 { panic!("on purpose") }), -5);
        assert!(guard(|| -> *mut u8 { panic!("on purpose") }).is_null());
        assert_eq!(check(|| Err(Error::Busy)), -16);
    }

    #[test]
    fn texts_are_cut_to_their_room() {
        let mut room = [b'x' as c_char; 4];
        // SAFETY: the sizes are those of the room.
        unsafe {
            assert_eq!(put_text(room.as_mut_ptr(), 4, "hello"), Ok(5));
            assert_eq!(room.map(|c| c as u8), *b"hel\0");
            assert_eq!(put_text(room.as_mut_ptr(), 1, "hello"), Ok(5));
            assert_eq!(room[0], 0);
            assert_eq!(put_text(std::ptr::null_mut(), 0, "hello"), Ok(5));
            assert_eq!(
                put_text(std::ptr::null_mut(), 1, "hello"),
                Err(Error::Invalid)
            );
        }
    }
}
