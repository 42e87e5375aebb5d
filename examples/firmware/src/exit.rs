// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a firmware ends: complete, or with a line that starts with `panic:`.

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::console::print_emergency;
use crate::cpu;
use crate::hypercall::{Shutdown, shutdown};
use crate::println;
use crate::sync::Masked;

/// Says that the firmware called `name` did all it was to do, and stops the
/// domain.
pub fn complete(name: &str) -> ! {
    println!("xen-guest: {name}: complete");
    shutdown(Shutdown::PowerOff)
}

/// Says why the firmware can't go on, and stops the domain.
pub(crate) fn fail(why: fmt::Arguments<'_>) -> ! {
    const NOBODY: usize = usize::MAX;
    static FAILING: AtomicUsize = AtomicUsize::new(NOBODY);
    let masked = Masked::mask();
    let me = cpu::number();
    match FAILING.compare_exchange(NOBODY, me, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => print_emergency(format_args!("\npanic: {why}\n")),
        // The message itself fails: then it ends here.
        Err(failing) if failing == me => {}
        // One message is enough, and is to be seen to its end.
        Err(_) => loop {
            masked.wait_for_interrupt();
        },
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
