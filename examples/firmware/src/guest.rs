// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets `xen-guest` up and connects it to the event interrupt.

use spin::Once;
use static_cell::ConstStaticCell;
use xen_guest::{Error, Guest, GuestConfig, GuestStorage, PAGE_SIZE, Parking, Region, Upcall};

use crate::arch::interrupts;
use crate::args::Args;
use crate::platform::Firmware;
use crate::sync::Masked;
use crate::windows::to_window;
use crate::{pages, windows};

/// All 4096 ports that Xen's simple event ABI has, and the references of all
/// 64 frames that a grant table has by default.
type Storage = GuestStorage<64, 512>;

static STORAGE: ConstStaticCell<Storage> = ConstStaticCell::new(Storage::new());
static GUEST: Once<Guest<'static>> = Once::new();

/// Xen has a word for each port, 1024 to a page.
const GROUPS_PER_FIFO_PAGE: usize = PAGE_SIZE / size_of::<u32>() / 64;

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

/// The same, with as many ports, grants and vCPUs as `storage` has room for.
///
/// # Panics
///
/// If it was done before, or Xen refuses.
pub fn init_in<const GROUPS: usize, const WORDS: usize, const VCPUS: usize>(
    storage: &'static mut GuestStorage<GROUPS, WORDS, VCPUS>,
) -> &'static Guest<'static> {
    init_with(storage, Options::default())
}

/// What [`init_with`] can be asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// The FIFO event ABI, with pages out of the pool: one, and one for each
    /// 1024 ports. Where Xen doesn't have it, the two-level one is used all
    /// the same: see [`Guest::events_abi`].
    pub fifo: bool,
    /// Version 2 of the grant table, which Xen has on x86.
    pub grants_v2: bool,
    /// Regions to map foreign pages into: see [`crate::region`].
    pub regions: &'static mut [Region<'static>],
    /// Places for grants that are given up while a peer has them mapped.
    pub parking: &'static mut [Parking],
}

impl Options {
    /// `events=fifo` on the command line asks for the FIFO ABI, `grants=2` for
    /// that version of the grant table.
    pub fn from_args(args: Args<'_>) -> Self {
        Self {
            fifo: args.get("events") == Some("fifo"),
            grants_v2: args.get("grants") == Some("2"),
            ..Self::default()
        }
    }
}

/// A region over `pages` empty frames, which are taken for good. `None` if
/// there are not as many.
///
/// # Panics
///
/// If there is less metadata than [`region_metadata`](xen_guest::region_metadata)
/// says.
pub fn region(pages: u32, metadata: &'static mut [u64]) -> Option<Region<'static>> {
    Some(region_over(windows().take(pages as usize)?, metadata))
}

/// The same, out of the range with this number in
/// [`Windows::empty`](crate::Windows::empty).
///
/// # Panics
///
/// As [`region`].
pub fn region_in(
    range: usize,
    pages: u32,
    metadata: &'static mut [u64],
) -> Option<Region<'static>> {
    Some(region_over(
        windows().take_in(range, pages as usize)?,
        metadata,
    ))
}

fn region_over(frames: crate::Region, metadata: &'static mut [u64]) -> Region<'static> {
    let window = to_window(frames);
    // SAFETY: The frames are empty, and taken for this. The platform maps
    // them at their own addresses.
    let region = unsafe { Region::new(&window, metadata) };
    region.unwrap_or_else(|error| panic!("no region over {frames}: {error}"))
}

/// The same, with more to choose.
///
/// # Panics
///
/// If it was done before, or Xen refuses.
pub fn init_with<const GROUPS: usize, const WORDS: usize, const VCPUS: usize>(
    storage: &'static mut GuestStorage<GROUPS, WORDS, VCPUS>,
    options: Options,
) -> &'static Guest<'static> {
    assert!(!GUEST.is_completed(), "the guest was set up before");
    let windows = windows();
    let shared_info = windows.take(1).expect("an empty frame for shared info");
    let mut config = GuestConfig::new(to_window(shared_info))
        .with_grant_table(to_window(windows.grant_table))
        .with_parking(options.parking)
        .with_regions(options.regions);
    if options.grants_v2 {
        config = config.with_grants_v2();
    }
    if options.fifo {
        let pages = 1 + GROUPS.div_ceil(GROUPS_PER_FIFO_PAGE);
        let first = pages::take(pages).expect("pages for the FIFO events");
        // SAFETY: They were taken for this, for good.
        config = unsafe { config.with_fifo_pages(first, pages) };
    }
    // SAFETY: This is a Xen guest, of which nobody else uses event channels
    // and grant table: this is done once only. The windows are empty and
    // nobody else's.
    let guest = unsafe { Guest::new(storage, &Firmware, config) };
    let guest = guest.unwrap_or_else(|error| panic!("can't set up the guest: {error}"));
    let guest = GUEST.call_once(|| guest);
    enable();
    guest
}

/// The guest, once it was set up.
///
/// # Panics
///
/// If it was not.
pub fn guest() -> &'static Guest<'static> {
    GUEST.get().expect("the guest is set up first")
}

/// Connects the calling vCPU's event interrupt, if the guest was set up with
/// storage for it.
pub(crate) fn online(vcpu: u32) -> bool {
    let Some(guest) = GUEST.get() else {
        return false;
    };
    // Xen announces an event at once, which on x86 is an interrupt, handler or
    // not.
    let masked = Masked::mask();
    let online = match guest.vcpu_online(vcpu) {
        // Busy: somebody did it for this vCPU.
        Ok(()) | Err(Error::Busy) => {
            enable();
            true
        }
        Err(Error::NotFound) => false,
        Err(error) => panic!("no events for vCPU {vcpu}: {error}"),
    };
    masked.restore();
    online
}

fn enable() {
    interrupts::enable_events(on_event);
}

/// The event interrupt, on each vCPU.
fn on_event() {
    // SAFETY: Interrupts don't nest, and the platform takes the vCPU's number
    // from its own register.
    match unsafe { guest().upcall(BUDGET) } {
        Upcall::Drained => {}
        // The line is low though events are pending: Xen raises it when it
        // sets the flag for pending events, and that is set.
        Upcall::More => interrupts::call_again(on_event),
    }
}
