// SPDX-License-Identifier: MIT OR Apache-2.0
//! The few hypercalls that firmware makes for itself: version, console and
//! shutdown. Everything else goes through `xen-guest`, or is for tests.

use crate::arch;
use crate::sync::Masked;

const XEN_VERSION: usize = 17;
const CONSOLE_IO: usize = 18;
const SCHED_OP: usize = 29;

const XENVER_VERSION: usize = 0;
const XENVER_EXTRAVERSION: usize = 1;
const CONSOLEIO_WRITE: usize = 0;
const SCHEDOP_YIELD: usize = 0;
const SCHEDOP_SHUTDOWN: usize = 2;

/// Why a domain stops.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Shutdown {
    /// It is done.
    PowerOff = 0,
    /// Something went wrong.
    Crash = 3,
}

/// The version of Xen as (major, minor).
pub fn xen_version() -> (u16, u16) {
    // SAFETY: This operation takes no pointer.
    let version = unsafe { hypercall(XEN_VERSION, [XENVER_VERSION, 0, 0]) };
    ((version >> 16) as u16, version as u16)
}

/// What follows the version's numbers, such as ".7".
pub fn xen_extra_version() -> heapless::String<16> {
    let mut text = [0u8; 16];
    // SAFETY: This operation writes at most 16 bytes.
    unsafe {
        hypercall(
            XEN_VERSION,
            [XENVER_EXTRAVERSION, text.as_mut_ptr().addr(), 0],
        )
    };
    text.iter()
        .take_while(|&&byte| byte != 0)
        .map(|&byte| char::from(byte))
        .collect()
}

/// Writes to Xen's own console.
pub fn console_write(text: &[u8]) {
    // SAFETY: This operation reads `text.len()` bytes.
    unsafe {
        hypercall(
            CONSOLE_IO,
            [CONSOLEIO_WRITE, text.len(), text.as_ptr().addr()],
        )
    };
}

/// Lets other domains use this CPU.
pub fn yield_now() {
    // SAFETY: This operation takes no argument.
    unsafe { hypercall(SCHED_OP, [SCHEDOP_YIELD, 0, 0]) };
}

/// Stops this domain; when it is dom0, the machine.
pub fn shutdown(reason: Shutdown) -> ! {
    let reason = reason as u32;
    // SAFETY: This operation reads one u32.
    unsafe { hypercall(SCHED_OP, [SCHEDOP_SHUTDOWN, (&raw const reason).addr(), 0]) };
    let masked = Masked::mask();
    loop {
        masked.wait_for_interrupt();
    }
}

/// # Safety
///
/// As for [`raw`].
unsafe fn hypercall(op: usize, [a, b, c]: [usize; 3]) -> isize {
    // SAFETY: As the caller promises.
    unsafe { raw(op, [a, b, c, 0, 0]) }
}

/// Any hypercall, as it is.
///
/// # Safety
///
/// The arguments must be what the operation takes, with pointers that are
/// valid for what it reads and writes. What it does must not surprise anybody,
/// `xen-guest` among them.
pub unsafe fn raw(op: usize, args: [usize; 5]) -> isize {
    // SAFETY: As the caller promises.
    unsafe { arch::hypercall::raw(op, args) }
}
