// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state in which a PVH domain's first vCPU starts, as Xen takes it: the
//! records of a saved domain.

use raw_cpuid::cpuid;

/// Types of records.
const END: u16 = 0;
const HEADER: u16 = 1;
const CPU: u16 = 2;

const MAGIC: u32 = 0x5438_1286;
const VERSION: u32 = 1;

/// Protected mode, and the bit that is always set.
const CR0: u64 = 1 << 4 | 1 << 0;

/// Attributes of segments: present, accessed, of 4 KiB pages and 32 bits; for
/// code and for data. A busy 32-bit task; none at all.
const FLAT_CODE: u32 = 0xc9b;
const FLAT_DATA: u32 = 0xc93;
const TASK: u32 = 0x8b;
const UNUSABLE: u32 = 0;

/// What an `END` has behind it: nothing.
type Nothing = [u64; 0];

/// `struct hvm_save_descriptor` and what it describes.
#[derive(Debug)]
#[repr(C)]
struct Record<T> {
    kind: u16,
    /// The vCPU's number.
    instance: u16,
    length: u32,
    contents: T,
}

impl<T> Record<T> {
    const fn new(kind: u16, contents: T) -> Self {
        Self {
            kind,
            instance: 0,
            length: size_of::<T>() as u32,
            contents,
        }
    }
}

/// `struct hvm_save_header`.
#[derive(Debug)]
#[repr(C)]
struct Header {
    magic: u32,
    version: u32,
    changeset: u64,
    /// CPUID's word 1, of which Xen says when it is another CPU's.
    cpuid: u32,
    /// 0 for that of the domain, as it is.
    tsc_khz: u32,
}

/// A value for each segment.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Segments<T> {
    cs: T,
    /// ds, es, fs, gs and ss.
    data: [T; 5],
    tr: T,
    ldtr: T,
}

/// `struct hvm_hw_cpu`.
#[derive(Debug)]
#[repr(C)]
struct Cpu {
    fpu: [u64; 64],
    rax: u64,
    rbx: u64,
    /// rcx, rdx, rbp, rsi, rdi, rsp and r8 to r15.
    general: [u64; 14],
    rip: u64,
    rflags: u64,
    cr0: u64,
    /// cr2, cr3 and cr4.
    cr: [u64; 3],
    /// dr0 to dr3.
    breakpoints: [u64; 4],
    dr6: u64,
    dr7: u64,
    selectors: Segments<u32>,
    limits: Segments<u32>,
    idtr_limit: u32,
    gdtr_limit: u32,
    bases: Segments<u64>,
    idtr_base: u64,
    gdtr_base: u64,
    attributes: Segments<u32>,
    /// From sysenter_cs to the time stamp counter.
    msrs: [u64; 12],
    pending_event: u32,
    error_code: u32,
    /// Whether `fpu` counts.
    flags: u32,
    pad: u32,
}

// As Xen's own header has them.
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<Header>() == 24);
    assert!(size_of::<Cpu>() == 1032);
    assert!(offset_of!(Cpu, rbx) == 520);
    assert!(offset_of!(Cpu, rip) == 640);
    assert!(offset_of!(Cpu, cr0) == 656);
    assert!(offset_of!(Cpu, dr6) == 720);
    assert!(offset_of!(Cpu, selectors) == 736);
    assert!(offset_of!(Cpu, limits) == 768);
    assert!(offset_of!(Cpu, bases) == 808);
    assert!(offset_of!(Cpu, attributes) == 888);
    assert!(offset_of!(Cpu, flags) == 1024);
};

/// All the records.
#[derive(Debug)]
#[repr(C)]
pub struct Context {
    header: Record<Header>,
    cpu: Record<Cpu>,
    end: Record<Nothing>,
}

impl Context {
    /// In protected mode with flat segments, without paging or interrupts, at
    /// `entry`, with ebx telling where the start info is.
    pub fn new(entry: u64, start_info: u64) -> Self {
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            changeset: 0,
            cpuid: cpuid!(1).eax,
            tsc_khz: 0,
        };
        let cpu = Cpu {
            fpu: [0; 64],
            rax: 0,
            rbx: start_info,
            general: [0; 14],
            rip: entry,
            rflags: 1 << 1, // always set
            cr0: CR0,
            cr: [0; 3],
            breakpoints: [0; 4],
            // As after a reset.
            dr6: 0xffff_0ff0,
            dr7: 0x400,
            selectors: Segments::default(),
            limits: Segments {
                cs: u32::MAX,
                data: [u32::MAX; 5],
                tr: 0x67,
                ldtr: 0,
            },
            idtr_limit: 0,
            gdtr_limit: 0,
            bases: Segments::default(),
            idtr_base: 0,
            gdtr_base: 0,
            attributes: Segments {
                cs: FLAT_CODE,
                data: [FLAT_DATA; 5],
                tr: TASK,
                ldtr: UNUSABLE,
            },
            msrs: [0; 12],
            pending_event: 0,
            error_code: 0,
            flags: 0,
            pad: 0,
        };
        Self {
            header: Record::new(HEADER, header),
            cpu: Record::new(CPU, cpu),
            end: Record::new(END, []),
        }
    }
}
