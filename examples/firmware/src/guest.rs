// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets `xen-guest` up and connects it to the event interrupt.

use spin::Once;
use static_cell::ConstStaticCell;
use xen_guest::{Guest, GuestConfig, GuestStorage, Upcall};

use crate::hypercall::xen_version;
use crate::platform::Firmware;
use crate::windows::to_window;
use crate::{gic, machine, windows};

/// All 4096 ports that Xen's simple event ABI has, and the references of all
/// 64 frames that a grant table has by default.
type Storage = GuestStorage<64, 512>;

static STORAGE: ConstStaticCell<Storage> = ConstStaticCell::new(Storage::new());
static GUEST: Once<Guest<'static>> = Once::new();

/// Handlers that one interrupt calls before others get their turn.
const BUDGET: u32 = 64;

/// Sets up event channels and grant table.
///
/// # Panics
///
/// If it was done before, or Xen refuses.
pub fn init() -> &'static Guest<'static> {
    init_in(STORAGE.take())
}

/// The same, with as many ports and grants as `storage` has room for.
///
/// # Panics
///
/// If it was done before, or Xen refuses.
pub fn init_in<const GROUPS: usize, const WORDS: usize>(
    storage: &'static mut GuestStorage<GROUPS, WORDS>,
) -> &'static Guest<'static> {
    assert!(!GUEST.is_completed(), "the guest was set up before");
    let windows = windows();
    let shared_info = windows.take(1).expect("an empty frame for shared info");
    let config = GuestConfig::new(to_window(shared_info))
        .with_grant_table(to_window(windows.grant_table));
    // SAFETY: This is a Xen guest, of which nobody else uses event channels
    // and grant table: this is done once only. The windows are empty and
    // nobody else's.
    let guest = unsafe { Guest::new(storage, &Firmware, config) };
    let guest = guest.unwrap_or_else(|error| panic!("can't set up the guest: {error}"));
    let guest = GUEST.call_once(|| guest);
    gic::enable_private(machine().event_interrupt, on_event);
    guest
}

/// The event interrupt.
fn on_event() {
    let guest = GUEST.get().expect("set before the interrupt is enabled");
    // SAFETY: Interrupts don't nest, and vCPU 0 alone has this one enabled.
    match unsafe { guest.upcall(BUDGET) } {
        Upcall::Drained => {}
        // Xen looks at what is pending whenever it is entered, and raises the
        // interrupt again. Any hypercall does.
        Upcall::More => _ = xen_version(),
    }
}
