// SPDX-License-Identifier: MIT OR Apache-2.0
//! This domain's state, set up and given back.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crate::balloon::Ram;
use crate::platform::Table;
use crate::region::Region;
use crate::{Error, EventChannel, Gfn, Page, Platform, Result, Window, ffi};

/// Memory for one guest: `GROUPS` times 64 event-channel ports, `WORDS` times
/// 64 grant references (8 words per page of the grant table), and `VCPUS`
/// vCPUs that get events.
///
/// Put it in a static, or anywhere it stays in place while the [`Guest`]
/// lives.
pub struct GuestStorage<const GROUPS: usize, const WORDS: usize, const VCPUS: usize = 1> {
    guest: MaybeUninit<ffi::xg_guest>,
    groups: [MaybeUninit<ffi::xg_port_group>; GROUPS],
    words: [u64; WORDS],
    vcpus: [MaybeUninit<ffi::xg_vcpu>; VCPUS],
    ports: [[u64; GROUPS]; VCPUS],
}

// SAFETY: it holds no data before a guest is set up in it, and then the guest
// has it exclusively.
unsafe impl<const G: usize, const W: usize, const V: usize> Send for GuestStorage<G, W, V> {}

impl<const GROUPS: usize, const WORDS: usize, const VCPUS: usize>
    GuestStorage<GROUPS, WORDS, VCPUS>
{
    /// Empty storage.
    pub const fn new() -> Self {
        Self {
            guest: MaybeUninit::zeroed(),
            groups: [const { MaybeUninit::zeroed() }; GROUPS],
            words: [0; WORDS],
            vcpus: [const { MaybeUninit::zeroed() }; VCPUS],
            ports: [[0; GROUPS]; VCPUS],
        }
    }
}

impl<const GROUPS: usize, const WORDS: usize, const VCPUS: usize> Default
    for GuestStorage<GROUPS, WORDS, VCPUS>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const GROUPS: usize, const WORDS: usize, const VCPUS: usize> fmt::Debug
    for GuestStorage<GROUPS, WORDS, VCPUS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ports, grants) = (GROUPS * 64, WORDS * 64);
        write!(
            f,
            "GuestStorage({ports} ports, {grants} grants, {VCPUS} vCPUs)"
        )
    }
}

/// A place for a grant that waits for its peer to let go.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Parking(ffi::xg_parked);

// SAFETY: it holds no data before a guest is set up with it, and then the
// guest has it exclusively.
unsafe impl Send for Parking {}

impl Parking {
    /// An empty place.
    pub const fn new() -> Self {
        Self(ffi::xg_parked {
            state: 0,
            gref: 0,
            release: None,
            data: ptr::null_mut(),
        })
    }
}

/// What a guest shares with Xen, and where.
#[derive(Debug)]
pub struct GuestConfig<'s> {
    shared_info: Window,
    grant_table: Option<Window>,
    grant_version: u32,
    fifo: Option<(NonNull<Page>, usize)>,
    reset_events: bool,
    regions: (*mut ffi::xg_region, u32),
    parking: (*mut ffi::xg_parked, u32),
    storage: PhantomData<&'s mut Page>,
}

impl<'s> GuestConfig<'s> {
    /// With the shared-info page in the first of these empty frames, two-level
    /// events and no grant table.
    pub const fn new(shared_info: Window) -> Self {
        Self {
            shared_info,
            grant_table: None,
            grant_version: 1,
            fifo: None,
            reset_events: false,
            regions: (ptr::null_mut(), 0),
            parking: (ptr::null_mut(), 0),
            storage: PhantomData,
        }
    }

    /// With the grant table in these empty frames, 512 references each. At
    /// most as many as the storage has words for, and as Xen allows, are
    /// used.
    pub const fn with_grant_table(self, window: Window) -> Self {
        Self {
            grant_table: Some(window),
            ..self
        }
    }

    /// With version 2 of the grant table, which Xen has on x86: for
    /// [`Grant::of_part`](crate::Grant::of_part). Of each nine frames of the
    /// window, or fewer but two at least, the last has no references, and the
    /// others have 256. Otherwise all is as with version 1, which is faster.
    ///
    /// Where Xen does not have it, setting the guest up is
    /// [`Error::NotImplemented`].
    pub const fn with_grants_v2(self) -> Self {
        Self {
            grant_version: 2,
            ..self
        }
    }

    /// With the FIFO event ABI, if Xen has it: one page for the vCPUs'
    /// queues, and one for each 1024 ports. See [`Guest::events_abi`].
    pub const fn with_fifo_events(self, pages: &'s mut [Page]) -> Self {
        let count = pages.len();
        match NonNull::new(pages.as_mut_ptr()) {
            // SAFETY: exclusively borrowed for as long as the guest lives.
            Some(first) => unsafe { self.with_fifo_pages(first, count) },
            None => self,
        }
    }

    /// The same with `count` pages of the guest's RAM from `first` on.
    ///
    /// # Safety
    ///
    /// Nobody else uses the pages while the guest lives.
    pub const unsafe fn with_fifo_pages(self, first: NonNull<Page>, count: usize) -> Self {
        Self {
            fifo: Some((first, count)),
            ..self
        }
    }

    /// Closing all ports that earlier firmware in this domain left open,
    /// those of the toolstack too.
    pub const fn with_events_reset(self) -> Self {
        Self {
            reset_events: true,
            ..self
        }
    }
}

impl<'s> GuestConfig<'s> {
    /// With places for grants that end while their peer has the page mapped:
    /// see [`Grant::park`](crate::Grant::park).
    pub const fn with_parking(self, places: &'s mut [Parking]) -> Self {
        let count = places.len() as u32;
        Self {
            // A place is the C core's, and nothing else.
            parking: (places.as_mut_ptr().cast(), count),
            ..self
        }
    }

    /// With these regions to map foreign pages into: see
    /// [`RegionPages`](crate::RegionPages).
    pub const fn with_regions<'m: 's>(self, regions: &'s mut [Region<'m>]) -> Self {
        let count = regions.len() as u32;
        Self {
            // A region is the C core's, and nothing else.
            regions: (regions.as_mut_ptr().cast(), count),
            ..self
        }
    }
}

/// How event channels are shared with Xen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsAbi {
    /// Two levels of bits: 4096 ports, no priorities.
    TwoLevel,
    /// Queues: 131072 ports, 16 priorities.
    Fifo,
}

/// What an upcall left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Upcall {
    /// Nothing: every pending event was served.
    Drained,
    /// The budget was used up and events may be waiting: call again.
    More,
}

/// The guest that this code runs in.
///
/// Shared freely: all methods may be called from several CPUs and from
/// interrupts, within the limits that each names.
///
/// ```
/// use xen_guest::{Guest, GuestConfig, GuestStorage, Platform, Result, Upcall, Window};
///
/// /// 4 times 64 ports, 8 times 64 grants: a page of the grant table.
/// type Storage = GuestStorage<4, 8>;
///
/// fn set_up<P: Platform>(
///     storage: &'static mut Storage,
///     platform: &'static P,
///     shared_info: Window,
///     grant_table: Window,
/// ) -> Result<Guest<'static>> {
///     let config = GuestConfig::new(shared_info).with_grant_table(grant_table);
///     // SAFETY: called once, with windows of empty frames that nobody else uses.
///     unsafe { Guest::new(storage, platform, config) }
/// }
///
/// /// What the event interrupt does.
/// fn on_event(guest: &Guest<'_>) {
///     // SAFETY: the interrupt does not nest.
///     if unsafe { guest.upcall(64) } == Upcall::More {
///         // Have this called again soon: Xen will not.
///     }
/// }
/// ```
pub struct Guest<'s> {
    raw: NonNull<ffi::xg_guest>,
    abandoned: AtomicU32,
    pub(crate) balloon: Option<NonNull<Ram>>,
    storage: PhantomData<&'s UnsafeCell<()>>,
}

// SAFETY: the C core may be called on any CPU.
unsafe impl Send for Guest<'_> {}
// SAFETY: the C core may be called on several CPUs at once; what must not
// overlap takes `&mut` in this crate.
unsafe impl Sync for Guest<'_> {}

impl<'s> Guest<'s> {
    /// Set this domain up: map the shared-info page and the grant table, mask
    /// every event channel.
    ///
    /// Afterwards connect Xen's event interrupt to [`upcall`](Self::upcall).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for storage or windows of impossible size,
    /// [`Error::Busy`] where earlier firmware left these pages mapped, and
    /// what the platform or Xen answers. Nothing stays mapped then.
    ///
    /// # Safety
    ///
    /// - The code runs in a Xen guest (or the platform's hypercall acts for
    ///   one), in which nobody else uses the event channels and grant table.
    /// - The windows' frames are empty, and theirs are the addresses.
    /// - The returned value is dropped before `'s` ends, with no channel,
    ///   grant or mapping leaked before, no grant
    ///   [parked](crate::Grant::park) and none [abandoned](Guest::abandoned),
    ///   or `'s` is `'static`: the event interrupt uses storage and platform,
    ///   and Xen the pages.
    /// - With more than one vCPU in the storage, `'s` is `'static`: Xen
    ///   does not let go of the vCPUs' part of it.
    pub unsafe fn new<P: Platform, const GROUPS: usize, const WORDS: usize, const VCPUS: usize>(
        storage: &'s mut GuestStorage<GROUPS, WORDS, VCPUS>,
        platform: &'s P,
        config: GuestConfig<'s>,
    ) -> Result<Self> {
        let window = |w: &Window, limit: usize| ffi::xg_window {
            va: w.va.cast(),
            gfn: w.gfn.raw(),
            pages: w.pages.min(limit.try_into().unwrap_or(u32::MAX)),
        };
        let none = ffi::xg_window {
            va: ptr::null_mut(),
            gfn: 0,
            pages: 0,
        };
        let count = |n: usize| u32::try_from(n).map_err(|_| Error::Invalid);
        let raw_config = ffi::xg_guest_config {
            platform: const { &Table::<P>::HOOKS },
            context: ptr::from_ref(platform).cast::<c_void>().cast_mut(),
            shared_info: window(&config.shared_info, usize::MAX),
            port_groups: storage.groups.as_mut_ptr().cast(),
            nr_port_groups: count(GROUPS)?,
            vcpus: storage.vcpus.as_mut_ptr().cast(),
            nr_vcpus: count(VCPUS)?,
            vcpu_ports: storage.ports.as_mut_ptr().cast(),
            reset_events: config.reset_events,
            fifo_pages: config
                .fifo
                .map_or(ptr::null_mut(), |(first, _)| first.as_ptr().cast()),
            nr_fifo_pages: count(config.fifo.map_or(0, |(_, pages)| pages))?,
            gnttab: match &config.grant_table {
                Some(w) => window(w, table_pages(WORDS, config.grant_version)),
                None => none,
            },
            gnttab_version: config.grant_version,
            gnttab_words: storage.words.as_mut_ptr(),
            parked: config.parking.0,
            nr_parked: config.parking.1,
            regions: config.regions.0,
            nr_regions: config.regions.1,
        };
        let raw = NonNull::from_mut(&mut storage.guest).cast();
        // SAFETY: the storage is exclusively ours for 's and has the sizes
        // given; the rest is the caller's promise.
        Error::check(unsafe { ffi::xg_guest_init(raw.as_ptr(), &raw_config) })?;
        Ok(Self {
            raw,
            abandoned: AtomicU32::new(0),
            balloon: None,
            storage: PhantomData,
        })
    }
}

/// Pages for a grant table for whose references there are so many words.
const fn table_pages(words: usize, version: u32) -> usize {
    if version == 2 {
        let mut frames = words / (ffi::XG_GRANTS_PER_FRAME_V2 as usize / 64);
        if frames > ffi::XG_MAX_GRANT_FRAMES as usize {
            frames = ffi::XG_MAX_GRANT_FRAMES as usize;
        }
        frames + frames.div_ceil(ffi::XG_GRANT_STATUS_FRAMES as usize)
    } else {
        words / (ffi::XG_GRANTS_PER_FRAME as usize / 64)
    }
}

impl Guest<'_> {
    /// The C core's guest, to call the C API with.
    ///
    /// What is opened or granted through the C API must be closed and ended
    /// through it.
    pub const fn as_raw(&self) -> *mut ffi::xg_guest {
        self.raw.as_ptr()
    }

    /// Serve pending events: what the event interrupt's handler calls. At
    /// most `budget` handlers are called (at least one).
    ///
    /// After [`Upcall::More`] call again, before the interrupt's end or soon
    /// after: on Arm Xen does not raise the interrupt for what is left.
    ///
    /// With several vCPUs it serves the one it runs on.
    ///
    /// # Safety
    ///
    /// Not while another call of it for the same vCPU is under way; and where
    /// [`Platform::cpu_id`] names that vCPU.
    pub unsafe fn upcall(&self, budget: u32) -> Upcall {
        // SAFETY: the guest is set up; not nested as the caller promises.
        match unsafe { ffi::xg_evtchn_upcall(self.as_raw(), budget) } {
            0 => Upcall::Drained,
            _ => Upcall::More,
        }
    }

    /// How event channels are shared with Xen.
    pub fn events_abi(&self) -> EventsAbi {
        // SAFETY: set up, and never changed while others may look.
        if unsafe { (*self.as_raw()).evtchn.words.is_null() } {
            EventsAbi::TwoLevel
        } else {
            EventsAbi::Fifo
        }
    }

    /// Bring the events of another vCPU up: before its event interrupt is
    /// enabled, on that vCPU or before it is started. An empty upcall
    /// follows. A vCPU that is turned off and on again is still up; it calls
    /// [`upcall`](Self::upcall) once by itself.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a vCPU that the storage or the domain does not
    /// have, [`Error::Busy`] if it is up.
    pub fn vcpu_online(&self, vcpu: u32) -> Result {
        // SAFETY: set up.
        Error::check(unsafe { ffi::xg_vcpu_online(self.as_raw(), vcpu) })?;
        Ok(())
    }

    /// Close all ports, those too that were opened behind the library's back.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] with nothing changed; [`Error::TryAgain`] if ports of
    /// Xen's own could not be closed.
    ///
    /// # Safety
    ///
    /// No upcall runs meanwhile, and no [`EventChannel`] of this guest is
    /// used any more, one that was leaked included.
    pub unsafe fn reset_events(&mut self) -> Result {
        // SAFETY: set up; at rest as the caller promises.
        Error::check(unsafe { ffi::xg_evtchn_reset(self.as_raw()) })?;
        Ok(())
    }

    /// Sleep until one of `channels` (at most 128) has an event pending, or
    /// the time is over. The events are not taken:
    /// [`take_pending`](EventChannel::take_pending) does. For channels
    /// without a handler or masked ones. Not in handlers: the vCPU sleeps.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for too many channels; [`Error::TryAgain`] if an
    /// interrupt is pending but masked, so that nobody can sleep.
    pub fn wait(&self, channels: &[&EventChannel<'_>], timeout: Option<Duration>) -> Result<bool> {
        const MOST: usize = 128;
        let mut ports = [0; MOST];
        let count = channels.len();
        let used = ports.get_mut(..count).ok_or(Error::Invalid)?;
        for (port, channel) in used.iter_mut().zip(channels) {
            *port = channel.port().raw();
        }
        let timeout = timeout.map_or(u64::MAX, |t| t.as_nanos().try_into().unwrap_or(u64::MAX));
        // SAFETY: set up; the array has that many ports.
        let pending = Error::check(unsafe {
            ffi::xg_evtchn_wait(self.as_raw(), ports.as_ptr(), count as u32, timeout)
        })?;
        Ok(pending != 0)
    }

    /// End parked grants whose peer has let go, and free what they own, going
    /// on where the last call stopped. Looks at up to `budget` places. How
    /// many are still parked. Any context that the owners may be dropped in.
    pub fn reap_grants(&self, budget: u32) -> u32 {
        // SAFETY: set up.
        unsafe { ffi::xg_gnttab_reap(self.as_raw(), budget) }
    }

    /// Make this the guest that the C API's Zephyr-named calls act on: in the
    /// whole image on bare metal, in the calling thread on a host.
    ///
    /// # Safety
    ///
    /// No such call is made any more once `self` is gone.
    pub unsafe fn make_current(&self) {
        // SAFETY: the pointer is valid while `self` is.
        unsafe { ffi::xg_set_current(self.as_raw()) };
    }

    /// The frame behind an address, as the platform sees it.
    pub(crate) fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        let mut gfn = 0;
        // SAFETY: set up, so its platform table is complete; the hook writes
        // to the place given.
        let rc = unsafe {
            let guest = self.as_raw();
            let hook = (*(*guest).platform).virt_to_gfn?;
            hook((*guest).context, va.cast(), &mut gfn)
        };
        (rc == 0).then_some(Gfn::new(gfn))
    }

    /// How many grants and mappings were dropped that could not be ended: a
    /// peer or Xen held on to them. Their pages are lost, not reused.
    pub fn abandoned(&self) -> u32 {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(crate) fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    /// Give the shared pages back to Xen.
    ///
    /// The event interrupt must be off. Dropping does the same, but can't
    /// tell.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] while ports or grants opened through the C API, or
    /// abandoned ones, are still there: the guest comes back.
    /// [`Error::Partial`] if Xen or the platform kept a page: the windows
    /// must not be used again. With a [balloon](Self::inflate), what
    /// [`deflate`](Self::deflate) answers: the guest comes back.
    pub fn finish(mut self) -> Result<(), (Error, Option<Self>)> {
        if let Err(error) = self.deflate() {
            return Err((error, Some(self)));
        }
        // SAFETY: set up, and nothing borrows the guest any more.
        match Error::check(unsafe { ffi::xg_guest_fini(self.as_raw()) }) {
            Ok(_) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(Error::Busy) => Err((Error::Busy, Some(self))),
            Err(error) => {
                core::mem::forget(self);
                Err((error, None))
            }
        }
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        // If it is refused, the RAM stays with Xen.
        let _ = self.deflate();
        // SAFETY: set up, and nothing borrows the guest any more. If it is
        // refused, Xen goes on sharing pages that nobody looks at.
        unsafe { ffi::xg_guest_fini(self.as_raw()) };
    }
}

impl fmt::Debug for Guest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guest({:p})", self.raw)
    }
}
