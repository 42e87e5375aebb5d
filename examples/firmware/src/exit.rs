// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a firmware ends: complete, or with a line that starts with `panic:`.

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::print_emergency;
use crate::hypercall::{Shutdown, shutdown};
use crate::println;

/// Says that the firmware called `name` did all it was to do, and stops the
/// domain.
pub fn complete(name: &str) -> ! {
    println!("xen-guest: {name}: complete");
    shutdown(Shutdown::PowerOff)
}

/// Says why the firmware can't go on, and stops the domain.
pub(crate) fn fail(why: fmt::Arguments<'_>) -> ! {
    // The message may itself fail: then it ends here.
    static FAILING: AtomicBool = AtomicBool::new(false);
    if !FAILING.swap(true, Ordering::Relaxed) {
        print_emergency(format_args!("\npanic: {why}\n"));
    }
    shutdown(Shutdown::Crash)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    match info.location() {
        Some(location) => fail(format_args!("{} ({location})", info.message())),
        None => fail(format_args!("{}", info.message())),
    }
}
