// SPDX-License-Identifier: MIT OR Apache-2.0
//! The GICv3, of which a Xen guest needs its CPU's private interrupts.

use core::arch::asm;
use core::ptr::NonNull;

use arm_gic::gicv3::registers::{Gicd, GicrSgi};
use arm_gic::gicv3::{GicCpuInterface, GicV3, SgiTarget, SgiTargetGroup};
use arm_gic::{IntId, InterruptGroup, Trigger, UniqueMmioPointer};

use super::cpu::affinity;
use crate::cpu;
use crate::machine;
use crate::machine::Machine;
use crate::sync::IrqMutex;

/// From one CPU to another, whose handler has nothing to do.
const WAKE_UP: IntId = IntId::sgi(0);

static GIC: IrqMutex<Option<GicV3<'static>>> = IrqMutex::new(None);

/// Called in interrupt context.
pub type Handler = fn();

/// What a CPU has to call.
struct Handlers {
    /// For each private interrupt.
    private: [Option<Handler>; 32],
    /// Without another interrupt: see [`call_again`].
    again: Option<Handler>,
}

impl Handlers {
    const fn new() -> Self {
        Self {
            private: [None; 32],
            again: None,
        }
    }
}

static HANDLERS: [IrqMutex<Handlers>; cpu::MOST] =
    [const { IrqMutex::new(Handlers::new()) }; cpu::MOST];

fn handlers() -> &'static IrqMutex<Handlers> {
    &HANDLERS[cpu::number()]
}

/// Sets up the interrupt controller and the first CPU's part of it. Interrupts stay
/// masked at the CPU.
///
/// # Safety
///
/// The GIC's registers must be mapped where `machine` says, and nothing else
/// may use them.
pub(crate) unsafe fn init(machine: &Machine) {
    let gicd = NonNull::new(machine.board.gicd.start as *mut Gicd).expect("not at 0");
    let gicr = NonNull::new(machine.board.gicr.start as *mut GicrSgi).expect("not at 0");
    // SAFETY: As the caller promises.
    let mut gic = unsafe { GicV3::new(UniqueMmioPointer::new(gicd), gicr, machine.cpus) }
        .expect("redistributors of a known layout");
    gic.setup(cpu::number());
    GicCpuInterface::set_priority_mask(0xff);
    *GIC.lock() = Some(gic);
}

/// Sets up the part of another CPU, the calling one.
pub(crate) fn init_cpu() {
    let cpu = cpu::number();
    let mut gic = GIC.lock();
    let gic = gic.as_mut().expect("the first CPU set the GIC up");
    gic.init_cpu(cpu);
    GicCpuInterface::set_priority_mask(0xff);
    GicCpuInterface::enable_group1(true);
    gic.enable_interrupt(WAKE_UP, Some(cpu), true)
        .expect("a private interrupt");
}

/// Ends another CPU's `wfi`, if that called [`init_cpu`].
pub(crate) fn wake(cpu: usize) {
    let target = SgiTarget::List {
        affinity3: 0,
        affinity2: 0,
        affinity1: (affinity(cpu) >> 8) as u8,
        target_list: 1 << (affinity(cpu) & 0xf),
    };
    // SAFETY: A barrier has no other effect. What was written for the other
    // CPU is visible to it before it is woken: the write of the register that
    // sends the interrupt is not ordered with memory otherwise.
    unsafe { asm!("dsb ishst", options(nostack, preserves_flags)) };
    GicCpuInterface::send_sgi(WAKE_UP, target, SgiTargetGroup::CurrentGroup1)
        .expect("an interrupt for this");
}

/// Calls `handler` in interrupt context, on this CPU, as long as an event is
/// announced to it.
pub(crate) fn enable_events(handler: Handler) {
    enable_private(machine().board.event_interrupt, handler);
}

/// Calls `handler` in interrupt context, on this CPU, as long as the private
/// interrupt `interrupt` is raised.
pub fn enable_private(interrupt: IntId, handler: Handler) {
    handlers().lock().private[handler_index(interrupt)] = Some(handler);
    let cpu = Some(cpu::number());
    let mut gic = GIC.lock();
    let gic = gic.as_mut().expect("the GIC is set up");
    let enabled = gic
        .set_trigger(interrupt, cpu, Trigger::Level)
        .and_then(|()| gic.set_interrupt_priority(interrupt, cpu, 0x80))
        .and_then(|()| gic.enable_interrupt(interrupt, cpu, true));
    enabled.expect("a private interrupt");
}

/// No longer calls the handler on this CPU. One that runs on this CPU is not waited for:
/// it is what calls this.
pub fn disable_private(interrupt: IntId) {
    let mut gic = GIC.lock();
    let gic = gic.as_mut().expect("the GIC is set up");
    gic.enable_interrupt(interrupt, Some(cpu::number()), false)
        .expect("a private interrupt");
    handlers().lock().private[handler_index(interrupt)] = None;
}

/// For a handler that leaves something to do so that others get their turn:
/// `handler` is called once more, when no interrupt is pending on this CPU.
pub fn call_again(handler: Handler) {
    handlers().lock().again = Some(handler);
}

fn handler_index(interrupt: IntId) -> usize {
    assert!(interrupt.is_ppi(), "{interrupt:?} is not private to a CPU");
    interrupt.raw_value() as usize
}

/// The interrupt vector's body: serves what is pending, with interrupts
/// masked, and does not nest.
pub(crate) extern "C" fn handle_interrupts() {
    loop {
        while GicCpuInterface::handle_interrupt(InterruptGroup::Group1, serve) {}
        let again = handlers().lock().again.take();
        match again {
            Some(handler) => handler(),
            None => break,
        }
    }
}

fn serve(interrupt: IntId) {
    let index = interrupt.raw_value() as usize;
    // A copy, so that the handler can change the table.
    let handler = handlers().lock().private.get(index).copied().flatten();
    match handler {
        Some(handler) => handler(),
        None if interrupt == WAKE_UP => {}
        None => panic!("unexpected interrupt: {interrupt:?}"),
    }
}
