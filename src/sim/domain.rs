// SPDX-License-Identifier: MIT OR Apache-2.0
//! One simulated guest, as its firmware sees it.

use std::fmt;
use std::ptr::NonNull;
use std::string::String;
use std::sync::Arc;

use super::delivery::{Cpus, Upcall};
use super::physmap::{
    AddressSpace, EXTENDED_PAGES, Entry, GRANT_GFN, GRANT_PAGES, Kind, Layout, RAM_GFN,
};
use super::{Hypervisor, Leaks};
use crate::{DomId, EmptyPages, Error, Gfn, PAGE_SIZE, Page, PageOwner, Result, Window};

/// A domain: firmware's handle to its own machine, and its
/// [`Platform`](crate::Platform). Clones are the same domain. It dies with
/// [`destroy`](Self::destroy) or with the last handle.
#[derive(Clone)]
pub struct Domain {
    pub(super) shared: Arc<Shared>,
}

/// What a frame of a domain holds: for the machine's pages, which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Nothing.
    Empty,
    /// A page of the domain's own, or one that Xen shares with it.
    Own(u64),
    /// A page that another domain granted.
    Grant(u64),
    /// A page of another domain, or of one of its resources.
    Foreign(u64),
    /// A page of a device.
    Device(u64),
}

pub(super) struct Shared {
    pub(super) hypervisor: Hypervisor,
    pub(super) id: u16,
    pub(super) space: Arc<AddressSpace>,
    pub(super) layout: Layout,
    pub(super) cpus: Arc<Cpus>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hypervisor.kill(self.id, &self.cpus);
    }
}

impl Domain {
    /// The domain's number.
    pub fn domid(&self) -> DomId {
        DomId::new(self.shared.id)
    }

    /// The hypervisor it runs on.
    pub fn hypervisor(&self) -> &Hypervisor {
        &self.shared.hypervisor
    }

    fn window(&self, gfn: u64, pages: u64) -> Window {
        Window {
            va: self.shared.space.va(gfn),
            gfn: Gfn::new(gfn),
            pages: pages as u32,
        }
    }

    /// The 16 MiB of empty frames that Xen's device tree names for the grant
    /// table. Nothing is accessible there before the `map` hook.
    pub fn grant_window(&self) -> Window {
        self.window(GRANT_GFN, GRANT_PAGES)
    }

    /// The 64 MiB of empty frames above RAM, for mappings of other domains'
    /// pages. [`empty_pages`](Self::empty_pages) hands out parts of it.
    pub fn extended_region(&self) -> Window {
        self.window(self.shared.layout.extended_gfn(), EXTENDED_PAGES)
    }

    /// The domain's RAM, all of it accessible from the start.
    pub fn ram(&self) -> Window {
        self.window(RAM_GFN, self.shared.layout.ram_pages)
    }

    /// A page of RAM, which goes back when dropped. Its contents are whatever
    /// was there.
    pub fn alloc_page(&self) -> Option<SimPage> {
        let gfn = {
            let mut state = self.shared.hypervisor.state();
            state.domains.get_mut(&self.shared.id)?.pages.take_ram(1)?
        };
        Some(SimPage {
            domain: self.clone(),
            gfn,
        })
    }

    /// `pages` consecutive empty frames of the extended region, the lowest
    /// that are free. They count as in use until given back.
    pub fn empty_pages(&self, pages: u32) -> Option<EmptyPages> {
        let gfn = {
            let mut state = self.shared.hypervisor.state();
            let domain = state.domains.get_mut(&self.shared.id)?;
            domain.pages.take_empty(pages as usize)?
        };
        let va = NonNull::new(self.shared.space.va(gfn))?;
        // SAFETY: frames of a window of this domain's platform, taken from
        // the free ones just now.
        Some(unsafe { EmptyPages::from_raw(va, pages) })
    }

    /// Takes empty frames back.
    ///
    /// # Panics
    ///
    /// If they are not from this domain's [`empty_pages`](Self::empty_pages),
    /// or not empty.
    pub fn return_empty_pages(&self, empty: EmptyPages) {
        let va = empty.va().as_ptr() as usize;
        if let Err(what) = self.give_empty(va, empty.pages()) {
            complain(self, format_args!("{empty:?} given back: {what}"));
        }
    }

    /// The same for frames at an address, or what is wrong with them.
    pub(super) fn give_empty(&self, va: usize, pages: u32) -> Result<(), &'static str> {
        let mut state = self.shared.hypervisor.state();
        let Some(domain) = state.domains.get_mut(&self.shared.id) else {
            return Ok(());
        };
        let pages = u64::from(pages);
        match self.shared.space.gfn(va) {
            None => Err("not this domain's"),
            Some(gfn) if (gfn..gfn + pages).any(|gfn| domain.physmap.get(gfn).is_some()) => {
                Err("not empty")
            }
            Some(gfn) => domain.pages.give_empty(gfn, pages as usize),
        }
    }

    /// Gives the domain more RAM, as its toolstack would: `pages` pages at
    /// empty frames of its windows from `gfn` on, accessible and zero. It may
    /// have as many more from then on.
    ///
    /// # Errors
    ///
    /// [`Error::BadAddress`] for frames that are in no window and not RAM's,
    /// [`Error::Busy`] where one holds something, [`Error::NoMemory`] if
    /// machine memory is used up, [`Error::Invalid`] for a direct-mapped
    /// domain and [`Error::NoSuchDomain`] for a dead one. Nothing is changed
    /// then.
    pub fn populate(&self, gfn: Gfn, pages: u32) -> Result {
        let mut state = self.shared.hypervisor.state();
        state.give_ram(self.shared.id, gfn.raw(), u64::from(pages))
    }

    /// What frame `gfn` holds at this moment.
    pub fn frame(&self, gfn: Gfn) -> Frame {
        let state = self.shared.hypervisor.state();
        let domain = state.domains.get(&self.shared.id);
        match domain.and_then(|domain| domain.physmap.get(gfn.raw())) {
            None => Frame::Empty,
            Some(Entry { mfn, kind }) => match kind {
                Kind::Ram => Frame::Own(mfn),
                Kind::Grant { .. } => Frame::Grant(mfn),
                Kind::Foreign { .. } => Frame::Foreign(mfn),
                Kind::Device => Frame::Device(mfn),
            },
        }
    }

    /// A hypercall of this domain, as its firmware would make it: number,
    /// arguments, result. Upcalls that are due run before it returns.
    ///
    /// # Safety
    ///
    /// Every address among the arguments, and in structures they point to,
    /// is null or what the operation needs. Addresses of this domain's own
    /// memory are checked. A runstate area elsewhere stays writable until
    /// another, or none, is registered.
    pub unsafe fn hypercall(&self, op: u32, args: [usize; 5]) -> isize {
        self.shared
            .hypervisor
            .enter(self.shared.id, &self.shared.cpus, op, &args)
    }

    /// Number of vCPUs.
    pub fn vcpus(&self) -> u32 {
        self.shared.cpus.count()
    }

    /// Runs `body` with this thread being vCPU `vcpu` of the domain: its
    /// hypercalls are that vCPU's, and so are the upcalls at their ends.
    /// Elsewhere a thread outside of upcalls is vCPU 0.
    ///
    /// Several threads can be the same vCPU, and its upcall can run on
    /// another one; so [`cpu_id`](crate::Platform::cpu_id) is `None` in it,
    /// which firmware takes for vCPU 0 where it needs a number:
    /// [`Guest::wait`](crate::Guest::wait) wants
    /// [`become_vcpu`](Self::become_vcpu).
    ///
    /// # Panics
    ///
    /// If there is no such vCPU, or inside an upcall of the domain.
    pub fn run_as_vcpu<R>(&self, vcpu: u32, body: impl FnOnce() -> R) -> R {
        self.shared.cpus.run_as(vcpu, false, body)
    }

    /// Runs `body` with this thread being all there is of vCPU `vcpu`, as on
    /// a machine: the upcall of that vCPU runs on no other thread, and on
    /// this one at the ends of hypercalls, when the platform lock is released
    /// and in `deliver` and `deliver_all`, whatever the domain's
    /// [`Delivery`](super::Delivery) is. `cpu_id` is `Some(vcpu)` in it.
    ///
    /// # Panics
    ///
    /// As [`run_as_vcpu`](Self::run_as_vcpu), or if another thread is that
    /// vCPU in this way already.
    pub fn become_vcpu<R>(&self, vcpu: u32, body: impl FnOnce() -> R) -> R {
        self.shared.cpus.run_as(vcpu, true, body)
    }

    /// Connects the event interrupt of all vCPUs: `upcall` runs when Xen has
    /// something for one of them, and again while it returns true; never
    /// twice at a time for one vCPU, whose number is
    /// [`cpu_id`](crate::Platform::cpu_id) in it. See
    /// [`Delivery`](super::Delivery) for when and where. A vCPU's interrupt
    /// is due as soon as it registers its `vcpu_info`: connect it after that.
    ///
    /// The closure lives as long as the domain: if it owns a handle of it,
    /// only [`clear_upcall`](Self::clear_upcall) or
    /// [`destroy`](Self::destroy) breaks that circle.
    pub fn set_upcall(&self, upcall: impl Fn() -> bool + Send + Sync + 'static) {
        self.shared.cpus.connect(Some(Arc::new(upcall)));
    }

    /// Disconnects the event interrupt. When this returns the upcall is not
    /// running any more, unless called from inside it.
    pub fn clear_upcall(&self) {
        self.shared.cpus.connect(None);
    }

    /// Runs `body` with `upcall` connected, which may borrow.
    ///
    /// # Panics
    ///
    /// If called inside an upcall of the domain, which it would replace.
    pub fn with_upcall<R>(
        &self,
        upcall: &(dyn Fn() -> bool + Sync),
        body: impl FnOnce() -> R,
    ) -> R {
        /// Disconnects, after a panic of `body` too.
        struct Disconnect<'a>(&'a Domain);
        impl Drop for Disconnect<'_> {
            fn drop(&mut self) {
                self.0.clear_upcall();
            }
        }
        assert!(
            !self.shared.cpus.inside(),
            "simulated Xen: with_upcall inside the upcall it would replace"
        );
        // SAFETY: only the lifetime changes; the closure is disconnected, and
        // runs nowhere any more, before this function's borrow ends.
        let upcall: &'static (dyn Fn() -> bool + Sync) = unsafe { std::mem::transmute(upcall) };
        let upcall: Upcall = Arc::new(upcall);
        let _disconnect = Disconnect(self);
        self.shared.cpus.connect(Some(upcall));
        body()
    }

    /// Runs the upcalls on this thread, lowest vCPU first, as long as they
    /// are due; how often they ran. Zero where interrupts are held off or the
    /// upcall is running.
    pub fn deliver(&self) -> usize {
        self.shared.cpus.deliver_all()
    }

    /// Raises a virtual interrupt, as a device in Xen would; of those that
    /// each vCPU has, vCPU 0's. False if no port is bound to it.
    pub fn raise_virq(&self, virq: u32) -> bool {
        self.raise_virq_on(virq, 0)
    }

    /// Raises a virtual interrupt of vCPU `vcpu`. The number is ignored for
    /// interrupts of which there is only one. False if no port is bound to
    /// it.
    pub fn raise_virq_on(&self, virq: u32, vcpu: u32) -> bool {
        let mut state = self.shared.hypervisor.state();
        let bound = state.raise_virq(self.shared.id, virq, vcpu);
        self.shared.hypervisor.leave(state);
        bound
    }

    /// Whether the domain, or what a peer has mapped of it, still exists.
    pub fn exists(&self) -> bool {
        let state = self.shared.hypervisor.state();
        state.domains.contains_key(&self.shared.id)
    }

    /// What was written to the console.
    pub fn console(&self) -> String {
        let state = self.shared.hypervisor.state();
        match state.domains.get(&self.shared.id) {
            Some(domain) => String::from_utf8_lossy(&domain.console).into_owned(),
            None => String::new(),
        }
    }

    /// The reason given to `SCHEDOP_shutdown`, if it was called.
    pub fn shutdown_reason(&self) -> Option<u32> {
        let state = self.shared.hypervisor.state();
        state.domains.get(&self.shared.id)?.shutdown
    }

    /// Kills the domain as Xen does: the upcall stops, ports are closed and
    /// their peers' ends become unbound, its grant mappings are released, its
    /// memory is gone. Pages that others have mapped stay until they let go.
    /// Other handles stay valid; hypercalls answer -ESRCH, and touching the
    /// domain's memory faults.
    pub fn destroy(&self) {
        self.shared
            .hypervisor
            .kill(self.shared.id, &self.shared.cpus);
    }

    /// Gives a page back; complains as the `page_free` hook does.
    pub(super) fn free_pages(&self, gfn: u64, pages: usize, careful: bool) -> Result<(), String> {
        let mut state = self.shared.hypervisor.state();
        // A dead domain's pages are gone already.
        let Some(domain) = state.domains.get(&self.shared.id) else {
            return Ok(());
        };
        for gfn in gfn..gfn + pages as u64 {
            let entry = domain.physmap.get(gfn);
            let Some(frame) = entry.map(|entry| state.frames.get(entry.mfn)) else {
                continue;
            };
            if careful && (frame.refs > 0 || frame.pins > 0) {
                let who = if frame.refs > 0 {
                    "a peer has it mapped"
                } else {
                    "Xen writes to it"
                };
                return Err(std::format!("frame {gfn:#x} is freed while {who}"));
            }
        }
        match state.domains.get_mut(&self.shared.id) {
            Some(domain) => domain.pages.give_ram(gfn, pages).map_err(|what| {
                std::format!("{pages} pages from frame {gfn:#x} are freed, {what}")
            }),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Domain").field(&self.shared.id).finish()
    }
}

/// A page of a domain's RAM.
pub struct SimPage {
    domain: Domain,
    gfn: u64,
}

impl SimPage {
    /// Its address.
    pub fn va(&self) -> *mut u8 {
        self.domain.shared.space.va(self.gfn)
    }

    /// Its frame.
    pub fn gfn(&self) -> Gfn {
        Gfn::new(self.gfn)
    }

    /// The byte at `offset`. Peers may change it at any time.
    ///
    /// # Panics
    ///
    /// If `offset` is not inside the page.
    pub fn read(&self, offset: usize) -> u8 {
        assert!(offset < PAGE_SIZE);
        // SAFETY: RAM of a domain that `self` keeps alive; volatile, as
        // others may write it.
        unsafe { self.va().add(offset).read_volatile() }
    }

    /// Writes the byte at `offset`.
    ///
    /// # Panics
    ///
    /// If `offset` is not inside the page.
    pub fn write(&self, offset: usize, byte: u8) {
        assert!(offset < PAGE_SIZE);
        // SAFETY: as for `read`.
        unsafe { self.va().add(offset).write_volatile(byte) };
    }
}

// SAFETY: the page is the only owner's while it exists (the domain's allocator
// hands it out once), stays mapped at its place while the domain exists, and is
// not reused if the value is leaked.
unsafe impl PageOwner for SimPage {
    fn page(&self) -> NonNull<Page> {
        match NonNull::new(self.va().cast()) {
            Some(page) => page,
            None => unreachable!("address 0 is not in a domain"),
        }
    }
}

impl Drop for SimPage {
    fn drop(&mut self) {
        if let Err(what) = self.domain.free_pages(self.gfn, 1, false)
            && !std::thread::panicking()
        {
            panic!("simulated Xen: {:?}: {what}", self.domain);
        }
    }
}

impl fmt::Debug for SimPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimPage({:?}, {:?})", self.domain, self.gfn())
    }
}

impl Hypervisor {
    fn kill(&self, id: u16, cpus: &Cpus) {
        cpus.close();
        let mut state = self.state();
        state.destroy(id);
        self.leave(state);
    }

    /// What all domains hold at this moment.
    pub fn leaks(&self) -> Leaks {
        Leaks::count(&self.state())
    }
}

/// The number, for messages to a firmware author.
pub(super) fn complain(domain: &Domain, what: fmt::Arguments<'_>) -> ! {
    panic!("simulated Xen: {domain:?}: {what}")
}

/// The error of a hook that was told to fail.
pub(super) const INJECTED: Error = Error::NoMemory;
