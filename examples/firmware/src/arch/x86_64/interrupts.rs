// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupts: Xen's vector for events, and those of the local APIC that Xen
//! emulates.

use core::sync::atomic::{AtomicU32, Ordering};

use x86_64::registers::model_specific::{ApicBase, ApicBaseFlags, Msr};
use xen_guest::ffi::abi;

use super::exceptions;
use super::hypercall::raw;
use crate::cpu;
use crate::machine::Machine;
use crate::sync::IrqMutex;

/// The lowest of the APIC's: taken when no other is pending.
const AGAIN_VECTOR: u8 = 0x20;
/// From one CPU to another, whose handler has nothing to do.
const WAKE_VECTOR: u8 = 0x31;
pub(crate) const TIMER_VECTOR: u8 = 0x32;
const SPURIOUS_VECTOR: u8 = 0x3f;
/// Xen takes it to the CPU by itself, not through the APIC, for as long as the
/// CPU's flag for pending events is set.
pub(crate) const EVENT_VECTOR: u8 = 0x40;
/// All vectors are below.
pub(crate) const VECTORS: usize = 0x41;

// Registers of the local APIC, in the mode that has them as MSRs.
const APIC_ID: u32 = 0x802;
const APIC_EOI: u32 = 0x80b;
const APIC_SPURIOUS: u32 = 0x80f;
const APIC_COMMAND: u32 = 0x830;
const APIC_TIMER: u32 = 0x832;
const APIC_TIMER_COUNT: u32 = 0x838;
const APIC_TIMER_DIVISOR: u32 = 0x83e;
const APIC_SELF: u32 = 0x83f;

/// Called in interrupt context.
pub(crate) type Handler = fn();

/// What a CPU has to call.
struct Handlers {
    events: Option<Handler>,
    /// Without an event: see [`call_again`].
    again: Option<Handler>,
}

static HANDLERS: [IrqMutex<Handlers>; cpu::MOST] = [const {
    IrqMutex::new(Handlers {
        events: None,
        again: None,
    })
}; cpu::MOST];

/// What the APICs call themselves, for [`wake`].
static IDS: [AtomicU32; cpu::MOST] = [const { AtomicU32::new(0) }; cpu::MOST];

fn handlers() -> &'static IrqMutex<Handlers> {
    &HANDLERS[cpu::number()]
}

fn write(register: u32, value: u64) {
    // SAFETY: A register of the local APIC, which is this module's.
    unsafe { Msr::new(register).write(value) };
}

/// Sets up the first CPU's local APIC. Interrupts stay masked at the CPU.
///
/// # Safety
///
/// Nothing else may use the APIC.
pub(crate) unsafe fn init(_: &Machine) {
    exceptions::init();
    init_cpu();
}

/// Sets up the calling CPU's local APIC.
pub(crate) fn init_cpu() {
    const ENABLE: u64 = 1 << 8;
    exceptions::init_cpu();
    let (frame, flags) = ApicBase::read();
    // SAFETY: It was and stays where it is, and nothing used it before.
    unsafe {
        ApicBase::write(
            frame,
            flags | ApicBaseFlags::LAPIC_ENABLE | ApicBaseFlags::X2APIC_ENABLE,
        );
    }
    write(APIC_SPURIOUS, ENABLE | u64::from(SPURIOUS_VECTOR));
    // SAFETY: Reading this register has no effect.
    let id = unsafe { Msr::new(APIC_ID).read() };
    IDS[cpu::number()].store(id as u32, Ordering::Relaxed);
}

/// Ends another CPU's sleep, if that called [`init_cpu`].
pub(crate) fn wake(cpu: usize) {
    let id = IDS[cpu].load(Ordering::Relaxed);
    write(APIC_COMMAND, u64::from(id) << 32 | u64::from(WAKE_VECTOR));
}

/// Lets the APIC's timer interrupt this CPU.
pub(crate) fn enable_timer() {
    const ONCE: u64 = 0b00 << 17;
    const BY_ONE: u64 = 0b1011;
    write(APIC_TIMER_DIVISOR, BY_ONE);
    write(APIC_TIMER, ONCE | u64::from(TIMER_VECTOR));
}

/// Starts the timer, with so many of its counts to go.
pub(crate) fn start_timer(count: u32) {
    write(APIC_TIMER_COUNT, count.into());
}

/// Calls `handler` in interrupt context, on this CPU, as long as an event is
/// announced to it.
pub(crate) fn enable_events(handler: Handler) {
    const VECTOR_TYPE: u64 = (abi::HVM_PARAM_CALLBACK_TYPE_VECTOR as u64) << 56;
    handlers().lock().events = Some(handler);
    let param = abi::xen_hvm_param {
        domid: abi::DOMID_SELF as u16,
        pad: 0,
        index: abi::HVM_PARAM_CALLBACK_IRQ,
        value: VECTOR_TYPE | u64::from(EVENT_VECTOR),
    };
    // SAFETY: This operation reads the structure. The vector has a handler, on
    // every CPU.
    let result = unsafe {
        raw(
            abi::__HYPERVISOR_hvm_op as usize,
            [
                abi::HVMOP_set_param as usize,
                (&raw const param).addr(),
                0,
                0,
                0,
            ],
        )
    };
    assert_eq!(result, 0, "Xen knows no vector for events");
}

/// For a handler that leaves something to do so that others get their turn:
/// `handler` is called once more, when no interrupt is pending on this CPU.
pub(crate) fn call_again(handler: Handler) {
    handlers().lock().again = Some(handler);
    write(APIC_SELF, u64::from(AGAIN_VECTOR));
}

/// Serves an interrupt, with interrupts masked.
pub(crate) fn serve(vector: u8) {
    if vector == EVENT_VECTOR {
        // A copy, so that the handler can change the table.
        let handler = handlers().lock().events;
        match handler {
            Some(handler) => handler(),
            // It would come again and again.
            None => panic!("an event for a vCPU that was started before the guest was set up"),
        }
        return;
    }
    if vector == SPURIOUS_VECTOR {
        return;
    }
    write(APIC_EOI, 0);
    match vector {
        // Being woken is all that is wanted.
        WAKE_VECTOR | TIMER_VECTOR => {}
        AGAIN_VECTOR => {
            let again = handlers().lock().again.take();
            if let Some(handler) = again {
                handler();
            }
        }
        _ => panic!("unexpected interrupt: {vector:#x}"),
    }
}
