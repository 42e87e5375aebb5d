// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a control domain does to others, asked of Xen itself: limits of
//! memory, device memory, pauses.
//!
//! The version of this interface differs from Xen to Xen; it is found out, and
//! the lines do not have it.

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::abi;

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{self, A, B, Control};
use crate::memory::{NOBODY, Pages, SELF, remove, window_gfn};

const EPERM: i64 = -1;
const ENOENT: i64 = -2;
const ESRCH: i64 = -3;
const E2BIG: i64 = -7;
const ENOMEM: i64 = -12;
const EACCES: i64 = -13;
const EINVAL: i64 = -22;
const ENOSYS: i64 = -38;
const EILSEQ: i64 = -84;

/// Versions that Xen may have.
const VERSIONS: core::ops::RangeInclusive<u32> = 0x14..=0x18;
const KIB_PER_PAGE: u64 = PAGE_SIZE as u64 / 1024;

type Part = abi::xen_domctl__bindgen_ty_1;

fn of_version(d: &Domain<'_>, version: u32, cmd: u32, dom: u16, u: Part) -> i64 {
    let mut op = abi::xen_domctl {
        cmd,
        interface_version: version,
        domain: dom,
        _pad: [0; 3],
        u,
    };
    let arg = (&raw mut op).addr();
    // SAFETY: the operation's structure; scenarios change only what is theirs.
    unsafe {
        d.memory
            .hypercall(abi::__HYPERVISOR_domctl, [arg, 0, 0, 0, 0]) as i64
    }
}

/// What a step does.
type Op<'a> = &'a dyn Fn(&Domain<'_>) -> i64;

const NOTHING: Part = Part { pad: [0; 128] };

/// The version that this Xen takes: others are -EACCES.
fn version(d: &Domain<'_>) -> u32 {
    let pause = abi::XEN_DOMCTL_pausedomain;
    let known = |version: &u32| of_version(d, *version, pause, NOBODY, NOTHING) != EACCES;
    VERSIONS.clone().find(known).unwrap_or(0)
}

pub(crate) fn domctl(d: &Domain<'_>, cmd: u32, dom: u16, u: Part) -> i64 {
    of_version(d, version(d), cmd, dom, u)
}

fn max_mem(d: &Domain<'_>, dom: u16, pages: u64) -> i64 {
    let max_mem = abi::xen_domctl_max_mem {
        max_memkb: pages * KIB_PER_PAGE,
    };
    domctl(d, abi::XEN_DOMCTL_max_mem, dom, Part { max_mem })
}

/// Some frames of device memory, at some frames of a domain.
#[derive(Clone, Copy)]
struct Place {
    dom: u16,
    gfn: u64,
    mfn: u64,
    count: u64,
}

fn permit(d: &Domain<'_>, at: Place, allow_access: u8) -> i64 {
    let iomem_permission = abi::xen_domctl_iomem_permission {
        first_mfn: at.mfn,
        nr_mfns: at.count,
        allow_access,
    };
    let part = Part { iomem_permission };
    domctl(d, abi::XEN_DOMCTL_iomem_permission, at.dom, part)
}

fn mapping(d: &Domain<'_>, at: Place, add_mapping: u32) -> i64 {
    let memory_mapping = abi::xen_domctl_memory_mapping {
        first_gfn: at.gfn,
        first_mfn: at.mfn,
        nr_mfns: at.count,
        add_mapping,
        padding: 0,
    };
    let part = Part { memory_mapping };
    domctl(d, abi::XEN_DOMCTL_memory_mapping, at.dom, part)
}

impl Cx<'_, '_> {
    /// What an access of 4 bytes reads, or -1 where it is aborted.
    pub(crate) fn access(&mut self, role: Role, what: &str, address: u64) -> i64 {
        self.step(role, format_args!("read {what}"), |d| {
            there(d, address, 4).map_or(-1, |value| value as i64)
        })
    }
}

/// What an access reads of something; `None` where nothing is.
pub(crate) fn there(d: &Domain<'_>, address: u64, size: u32) -> Option<u64> {
    let value = d.memory.access(address, size, None)?;
    (!d.memory.is_nothing(value, size)).then_some(value)
}

pub(crate) fn read(d: &Domain<'_>, address: u64) -> Option<u64> {
    d.memory.access(address, 4, None)
}

pub(crate) fn domctls_are_refused(cx: &mut Cx<'_, '_>) -> Verdict {
    let refusals: [(&str, Role, u32, u16, i64); 5] = [
        ("of another", A, abi::XEN_DOMCTL_max_mem, B.raw(), EPERM),
        ("of oneself", A, abi::XEN_DOMCTL_max_mem, A.raw(), EPERM),
        ("of nobody", A, abi::XEN_DOMCTL_max_mem, NOBODY, ESRCH),
        ("SELF", Control, abi::XEN_DOMCTL_max_mem, SELF, ESRCH),
        ("unknown", Control, 999, A.raw(), ENOSYS),
    ];
    for (what, role, cmd, dom, want) in refusals {
        let call = format_args!("domctl {what}");
        let rc = cx.step(role, call, |d| domctl(d, cmd, dom, NOTHING));
        cx.check(rc, want)?;
    }
    for role in [A, Control] {
        let rc = cx.step(role, format_args!("domctl of another version"), |d| {
            let wrong = version(d) + 1;
            of_version(d, wrong, abi::XEN_DOMCTL_max_mem, NOBODY, NOTHING)
        });
        cx.check(rc, EACCES)?;
    }
    let pause = abi::XEN_DOMCTL_pausedomain;
    let unpause = abi::XEN_DOMCTL_unpausedomain;
    for (what, cmd, dom) in [
        ("pause itself", pause, Control.raw()),
        ("unpause what runs", unpause, A.raw()),
    ] {
        let call = format_args!("{what}");
        let rc = cx.step(Control, call, |d| domctl(d, cmd, dom, NOTHING));
        cx.check(rc, EINVAL)?;
    }
    // In one step: between them A takes no part. Each pause has its end.
    let call = format_args!("pause and unpause, twice each");
    let rc = cx.step(Control, call, |d| {
        let rc = [pause, pause, unpause, unpause].map(|cmd| domctl(d, cmd, A.raw(), NOTHING));
        rc.iter().sum()
    });
    cx.check(rc, 0)?;
    Ok(())
}

/// The control domain gives A room for two pages more than it has.
pub(crate) fn a_higher_limit(cx: &mut Cx<'_, '_>) -> Verdict {
    let most = cx.tell(A, |d| about(d, abi::XENMEM_maximum_reservation)) as u64;
    let gfn = cx.tell(A, |d| window_gfn(d, 0) as i64) as u64;
    let populate = |d: &Domain<'_>, count| reservation(d, true, A.raw(), gfn, count);
    let done = cx.step(Control, format_args!("populate 1 of A"), |d| populate(d, 1));
    cx.check(done, 0)?;
    let rc = cx.step(Control, format_args!("2 pages more for A"), |d| {
        max_mem(d, A.raw(), most + 2)
    });
    cx.check(rc, 0)?;
    let more = cx.step(A, format_args!("what it may have now"), |d| {
        about(d, abi::XENMEM_maximum_reservation) - most as i64
    });
    cx.check(more, 2)?;
    let done = cx.step(Control, format_args!("populate 3 of A"), |d| populate(d, 3));
    cx.check(done, 2)?;
    // Memory at once, at both frames, and not at the third.
    for page in 0..3 {
        let address = (gfn + page) * PAGE_SIZE as u64 + 8;
        let same = cx.step(A, format_args!("write and read page {page}"), |d| {
            let written = d.memory.access(address, 8, Some(0x1122_3344_5566));
            let value = written.and_then(|_| there(d, address, 4));
            value.map_or(-1, |value| i64::from(value == 0x3344_5566))
        });
        cx.check(same, if page < 2 { 1 } else { -1 })?;
    }
    // A limit below what it has takes nothing away.
    let rc = cx.step(Control, format_args!("as many as before"), |d| {
        max_mem(d, A.raw(), most)
    });
    cx.check(rc, 0)?;
    let more = cx.step(A, format_args!("more than it may have"), |d| {
        about(d, abi::XENMEM_current_reservation) - about(d, abi::XENMEM_maximum_reservation)
    });
    cx.check(more, 2)?;
    let done = cx.step(Control, format_args!("take 3 of A"), |d| {
        reservation(d, false, A.raw(), gfn, 3)
    });
    cx.check(done, 2)?;
    let gone = cx.access(A, "page 0", gfn * PAGE_SIZE as u64);
    cx.check(gone, -1)
}

/// A number about the caller's own memory.
pub(crate) fn about(d: &Domain<'_>, cmd: u32) -> i64 {
    about_of(d, cmd, SELF)
}

pub(crate) fn about_of(d: &Domain<'_>, cmd: u32, domid: u16) -> i64 {
    let mut op = abi::xen_memory_domain { domid };
    let arg = (&raw mut op).addr();
    // SAFETY: the operation's structure.
    unsafe {
        d.memory
            .hypercall(abi::__HYPERVISOR_memory_op, [cmd as usize, arg, 0, 0, 0]) as i64
    }
}

/// Populate, or give back, up to 4 single frames; how many it were.
fn reservation(d: &Domain<'_>, populate: bool, dom: u16, gfn: u64, count: u64) -> i64 {
    let gfns = [gfn, gfn + 1, gfn + 2, gfn + 3];
    let mut op = abi::xen_memory_reservation {
        nr_extents: count.min(4),
        domid: dom,
        ..Default::default()
    };
    op.extent_start.p = gfns.as_ptr().cast_mut();
    let cmd = if populate {
        abi::XENMEM_populate_physmap
    } else {
        abi::XENMEM_decrease_reservation
    };
    let arg = (&raw mut op).addr();
    // SAFETY: the operation's structure; the frames are the scenario's.
    unsafe {
        d.memory
            .hypercall(abi::__HYPERVISOR_memory_op, [cmd as usize, arg, 0, 0, 0]) as i64
    }
}

/// A page of the machine's clock, which has its identity in its last words,
/// for A.
pub(crate) fn device_memory(cx: &mut Cx<'_, '_>) -> Verdict {
    let at = Place {
        dom: A.raw(),
        gfn: cx.tell(A, |d| window_gfn(d, 2) as i64) as u64,
        mfn: cx.tell(Control, |d| d.memory.device_frame() as i64) as u64,
        count: 1,
    };
    let pages = Pages::<1>::alloc(cx, A)?;
    let ram = Place {
        gfn: pages.gfn,
        ..at
    };
    let identity = at.gfn * PAGE_SIZE as u64 + 0xfe0;
    let absent = cx.access(A, "an empty frame", identity);
    cx.check(absent, -1)?;
    // A frame that Xen keeps for itself; how many can be mapped at once; what
    // is no device memory.
    let (kept, many, [ram_there, none_there]) = match cx.x86("other answers about mappings") {
        true => (0xfee00, EPERM, [EINVAL; 2]),
        false => (0x40000, E2BIG, [EILSEQ, 0]),
    };
    let steps: [(&str, Role, i64, Op<'_>); 20] = [
        ("map, by A", A, EPERM, &|d| mapping(d, at, 1)),
        ("permit, by A", A, EPERM, &|d| permit(d, at, 1)),
        ("map without permission", Control, EPERM, &|d| {
            mapping(d, at, 1)
        }),
        ("permit none", Control, EINVAL, &|d| {
            permit(d, Place { count: 0, ..at }, 1)
        }),
        ("permit all", Control, EINVAL, &|d| {
            let count = u64::MAX;
            permit(d, Place { count, ..at }, 1)
        }),
        ("permit what it may not have", Control, EPERM, &|d| {
            permit(d, Place { mfn: kept, ..at }, 1)
        }),
        ("permit", Control, 0, &|d| permit(d, at, 1)),
        ("map 65", Control, many, &|d| {
            mapping(d, Place { count: 65, ..at }, 1)
        }),
        ("map none", Control, EINVAL, &|d| {
            mapping(d, Place { count: 0, ..at }, 1)
        }),
        ("map beyond the machine", Control, EINVAL, &|d| {
            let mfn = 1 << 40;
            mapping(d, Place { mfn, ..at }, 1)
        }),
        ("map beyond the end", Control, EINVAL, &|d| {
            let gfn = u64::MAX;
            let count = 2;
            mapping(d, Place { gfn, count, ..at }, 1)
        }),
        ("map", Control, 0, &|d| mapping(d, at, 1)),
        ("map again", Control, 0, &|d| mapping(d, at, 1)),
        ("read its identity", A, 0x31, &|d| identity_at(d, identity)),
        ("and more of it", A, 0x10, &|d| identity_at(d, identity + 4)),
        ("remove from the physmap", A, ENOENT * 1000, &|d| {
            remove(d, A.raw(), at.gfn, 1)
        }),
        ("give it back as RAM", A, 0, &|d| {
            reservation(d, false, A.raw(), at.gfn, 1)
        }),
        ("unmap RAM", Control, ram_there, &|d| mapping(d, ram, 0)),
        ("unmap", Control, 0, &|d| mapping(d, at, 0)),
        ("unmap again", Control, none_there, &|d| mapping(d, at, 0)),
    ];
    for (what, role, want, op) in steps {
        let rc = cx.step(role, format_args!("{what}"), op);
        cx.check(rc, want)?;
    }
    let absent = cx.access(A, "an empty frame", identity);
    cx.check(absent, -1)?;
    let rc = cx.step(Control, format_args!("permit no more"), |d| {
        permit(d, at, 0)
    });
    cx.check(rc, 0)?;
    let rc = cx.step(Control, format_args!("unmap"), |d| mapping(d, at, 0));
    cx.check(rc, EPERM)?;
    pages.free(cx, A);
    Ok(())
}

fn identity_at(d: &Domain<'_>, address: u64) -> i64 {
    read(d, address).map_or(-1, |value| value as i64)
}

/// Frames that are far apart take tables, of which a domain has so many. They
/// don't come back, so this is the last of the scenarios.
pub(crate) fn tables_run_out(cx: &mut Cx<'_, '_>) -> Verdict {
    /// Pages that each table resolves.
    const STEP: u64 = 512;
    /// What Xen on Arm sets aside for a domain with one vCPU and little memory,
    /// 2 MiB; on x86 who makes the domain does.
    const TABLES: i64 = 512;
    let at = Place {
        dom: B.raw(),
        // Nothing is there, up to many GiB.
        gfn: 1 << 20,
        mfn: cx.tell(Control, |d| d.memory.device_frame() as i64) as u64,
        count: 1,
    };
    let nth = |n: i64| Place {
        gfn: at.gfn + n as u64 * STEP,
        ..at
    };
    let rc = cx.step(Control, format_args!("permit"), |d| permit(d, at, 1));
    cx.check(rc, 0)?;
    let most = cx.tell(Control, |d| {
        (0..).find(|&n| mapping(d, nth(n), 1) != 0).unwrap_or(-1)
    });
    let why = cx.step(Control, format_args!("one more"), |d| {
        mapping(d, nth(most), 1)
    });
    // On Arm Xen does not say what is missing.
    let refusal = match cx.x86("it says that memory is missing") {
        true => ENOMEM,
        false => ENOENT,
    };
    cx.check(why, refusal)?;
    // Some are in use already: for RAM, and what scenarios had before.
    let near = cx.step(Control, format_args!("nearly all"), |_| {
        i64::from((TABLES - 32..=TABLES).contains(&most))
    });
    cx.check(near, 1)?;
    let rc = cx.step(Control, format_args!("unmap all"), |d| {
        (0..most).map(|n| mapping(d, nth(n), 0)).sum()
    });
    cx.check(rc, 0)?;
    let why = cx.step(Control, format_args!("one more"), |d| {
        mapping(d, nth(most), 1)
    });
    cx.check(why, refusal)?;
    let rc = cx.step(Control, format_args!("where one was"), |d| {
        mapping(d, at, 1) + mapping(d, at, 0)
    });
    cx.check(rc, 0)?;
    // What a domain has goes on as before.
    let pages = Pages::<1>::alloc(cx, B)?;
    cx.poke(B, &pages.kept[0], 1, 7);
    let value = cx.peek(B, &pages.kept[0], 1);
    cx.check(value, 7)?;
    pages.free(cx, B);
    let rc = cx.step(Control, format_args!("permit no more"), |d| {
        permit(d, at, 0)
    });
    cx.check(rc, 0)
}
