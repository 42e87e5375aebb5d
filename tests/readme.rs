// SPDX-License-Identifier: MIT OR Apache-2.0
//! The README's examples are these files, and do what they say: the peer, a
//! second domain, maps the page, finds the port in it and signals.
#![cfg(feature = "sim")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{
    Access, EventChannel, Gfn, GrantMapping, GrantRef, Guest, GuestConfig, GuestStorage, PAGE_SIZE,
    Platform, Port, Upcall, Window, ffi,
};

#[path = "../examples/offer/mod.rs"]
mod offer;

type Storage = GuestStorage<1, 8>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README's only block in this language.
fn readme_block(language: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("\n```{language}\n");
    let blocks: Vec<&str> = readme.split(&fence).skip(1).collect();
    assert_eq!(blocks.len(), 1, "blocks in {language}");
    blocks[0].split("```\n").next().unwrap().to_owned()
}

/// The file without its licence line.
fn source(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    text.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn the_readme_shows_the_tested_files() {
    assert_eq!(readme_block("rust"), source("examples/offer/mod.rs"));
    assert_eq!(readme_block("c"), source("examples/c/offer.c"));
}

fn guest<'s>(storage: &'s mut Storage, domain: &'s Domain) -> Guest<'s> {
    let window = domain.grant_window();
    let config = GuestConfig::new(Window {
        va: window.va.wrapping_add(PAGE_SIZE),
        gfn: Gfn::new(window.gfn.raw() + 1),
        pages: 1,
    })
    .with_grant_table(Window { pages: 1, ..window });
    // SAFETY: a domain of its own, whose windows nobody else uses.
    unsafe { Guest::new(storage, domain, config) }.unwrap()
}

/// Run `body` with two domains and their guests; nothing may be left over.
fn with_two_guests(body: impl for<'g> FnOnce([(&'g Guest<'g>, &'g Domain); 2])) {
    let xen = Hypervisor::new();
    let domains = [(); 2].map(|()| xen.create_domain(DomainConfig::default()));
    let mut storage: [Storage; 2] = Default::default();
    let [storage_a, storage_b] = &mut storage;
    let a = guest(storage_a, &domains[0]);
    let b = guest(storage_b, &domains[1]);
    // SAFETY: the simulator runs it once at a time.
    let upcall = || unsafe { a.upcall(64) } == Upcall::More;
    domains[0].with_upcall(&upcall, || body([(&a, &domains[0]), (&b, &domains[1])]));
    a.finish().unwrap();
    b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

/// What a peer does with the offer.
fn accept<'g>(guest: &'g Guest<'g>, domain: &Domain, from: &Domain, gref: GrantRef) {
    let pages = domain.empty_pages(1).unwrap();
    let mapping = GrantMapping::new(guest, from.domid(), gref, Access::ReadWrite, pages).unwrap();
    let port = Port::new(mapping.memory().read_acquire(0)).unwrap();
    let channel = EventChannel::bind_interdomain(guest, from.domid(), port).unwrap();
    channel.notify().unwrap();
    from.deliver();
    domain.return_empty_pages(mapping.unmap().unwrap());
}

#[test]
fn the_rust_example_works() {
    with_two_guests(|[(guest, domain), (peer_guest, peer)]| {
        let page = domain.alloc_page().unwrap();
        let (channel, grant) = offer::offer(guest, peer.domid(), page).unwrap();
        accept(peer_guest, peer, domain, grant.gref());
        assert_eq!(offer::EVENTS.load(Ordering::Relaxed), 1);
        drop(channel);
        grant.end().unwrap();
    });
}

/// The C example's function, in a shared object with a core of its own: all
/// state is in the guest it is given.
type Offer =
    unsafe extern "C" fn(*mut ffi::xg_guest, u16, *mut *mut c_void, *const AtomicU32) -> i32;

fn c_example() -> Offer {
    let files = std::fs::read_dir(root().join("csrc")).unwrap();
    let core = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "c"));
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join("offer.so");
    let output = Command::new(std::env::var_os("CC").unwrap_or("cc".into()))
        .args(["-std=c11", "-shared", "-fPIC", "-I"])
        .arg(root().join("include"))
        .arg("-isystem")
        .arg(root().join("include/abi"))
        .arg(root().join("examples/c/offer.c"))
        .args(core)
        .arg("-o")
        .arg(&object)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let name = CString::new(object.into_os_string().into_encoded_bytes()).unwrap();
    // SAFETY: a library without initialisers; a symbol of it, of this type.
    unsafe {
        let library = dlopen(name.as_ptr(), RTLD_NOW);
        assert!(!library.is_null());
        let symbol = dlsym(library, c"offer".as_ptr());
        assert!(!symbol.is_null());
        std::mem::transmute::<*mut c_void, Offer>(symbol)
    }
}

const RTLD_NOW: c_int = 2;

unsafe extern "C" {
    fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

#[test]
fn the_c_example_works() {
    static EVENTS: AtomicU32 = AtomicU32::new(0);
    let offer = c_example();
    with_two_guests(|[(guest, domain), (peer_guest, peer)]| {
        let mut page = ptr::null_mut();
        // SAFETY: as the example says; the counter lives for ever.
        let gref = unsafe { offer(guest.as_raw(), peer.domid().raw(), &mut page, &EVENTS) };
        assert!(gref > 0, "{gref}");
        // SAFETY: the page just made, in which the port is.
        let port = unsafe { page.cast::<u32>().read_volatile() };
        accept(peer_guest, peer, domain, GrantRef::new(gref as u32));
        assert_eq!(EVENTS.load(Ordering::Relaxed), 1);
        // SAFETY: what the example opened, given back once.
        unsafe {
            assert_eq!(ffi::xg_evtchn_close(guest.as_raw(), port), 0);
            assert_eq!(ffi::xg_gnttab_end(guest.as_raw(), gref as u32), 0);
            domain.page_free(page.cast(), 1);
        }
    });
}
