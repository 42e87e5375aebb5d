// SPDX-License-Identifier: MIT OR Apache-2.0
//! The final page tables, from the device tree.

use core::ptr::NonNull;

use aarch64_paging::descriptor::{El1Attributes, PhysicalAddress};
use aarch64_paging::paging::{Constraints, El1And0, MemoryRegion, PageTable, Translation, VaRange};
use aarch64_paging::{MapError, Mapping};

use crate::arch::boot::{DEVICE_NGNRE, NO_EXECUTE, NORMAL_WB, PRESENT};
use crate::image;
use crate::machine::{Machine, Region};
use crate::mmu::{Kind, WindowError};
use crate::sync::IrqMutex;
use crate::tables::{TableMemory, TablePool};

const DATA: El1Attributes = PRESENT.union(NORMAL_WB).union(NO_EXECUTE);
const CODE: El1Attributes = PRESENT
    .union(NORMAL_WB)
    .union(El1Attributes::READ_ONLY)
    .union(El1Attributes::UXN);
const CONSTANTS: El1Attributes = DATA.union(El1Attributes::READ_ONLY);
const DEVICE: El1Attributes = PRESENT.union(DEVICE_NGNRE).union(NO_EXECUTE);

/// Different from the initial table's, so that its TLB entries don't matter.
const ASID: usize = 1;
const ROOT_LEVEL: usize = 1;
/// Where the addresses end that can be mapped, with the initial table too.
pub const ADDRESS_SPACE: usize = 1 << 39;

static PAGE_TABLES: IrqMutex<Option<PageTables>> = IrqMutex::new(None);

type PageTables = Mapping<TablePool<Table>, El1And0>;

/// Replaces the initial page table.
///
/// # Safety
///
/// `machine` must describe the machine, and no address outside of the RAM and
/// the devices in it may be in use.
pub(crate) unsafe fn init(machine: &Machine) {
    // SAFETY: This is called once. No bit set is an empty table.
    let pool = unsafe { TablePool::new(&TABLE_MEMORY) };
    let mut tables =
        Mapping::with_asid_and_va_range(pool, ASID, ROOT_LEVEL, El1And0, VaRange::Lower);
    let mut map = |region: Region, attributes| {
        let region_pages = MemoryRegion::new(region.start, region.end());
        let pa = PhysicalAddress(region_pages.start().0);
        tables
            .map_range(&region_pages, pa, attributes, Constraints::empty())
            .unwrap_or_else(|error| panic!("can't map {region}: {error}"));
    };
    for &bank in &machine.memory {
        map(bank, DATA);
    }
    map(image::code(), CODE);
    map(image::constants(), CONSTANTS);
    let board = &machine.board;
    for device in [Some(board.gicd), Some(board.gicr), board.uart] {
        device.inspect(|&device| map(device, DEVICE));
    }

    // SAFETY: All that is in use was just mapped, at the same addresses as
    // before. The tables stay, in a static.
    unsafe { tables.activate() };
    *PAGE_TABLES.lock() = Some(tables);
}

/// Makes the calling vCPU, another than that of [`init`], use the same tables.
///
/// # Safety
///
/// What it uses is mapped in them, at the same addresses.
pub(crate) unsafe fn activate() {
    let tables = PAGE_TABLES.lock();
    let tables = tables.as_ref().expect("the first vCPU made the tables");
    // SAFETY: As the caller promises. The tables stay, in a static.
    unsafe { tables.activate() };
}

/// Maps whole pages to themselves.
///
/// # Errors
///
/// With nothing changed.
///
/// # Safety
///
/// As for `crate::mmu::map_window`; `region` is not empty, and inside the
/// address space.
pub(crate) unsafe fn map(region: Region, kind: Kind) -> Result<(), WindowError> {
    let attributes = match kind {
        Kind::Memory { writable: true } => DATA,
        Kind::Memory { writable: false } => CONSTANTS,
        Kind::Device => DEVICE,
    };
    // Pages only: a page out of a larger block could not be unmapped without
    // taking away its neighbours for a moment.
    let constraints = Constraints::NO_BLOCK_MAPPINGS | Constraints::NO_CONTIGUOUS_HINT;
    change(region, attributes, constraints, |tables| {
        tables.reserve(region)
    })
}

/// Takes pages, or whole blocks, out of the tables. When this returns, no CPU
/// uses an older translation.
///
/// # Errors
///
/// With nothing changed.
///
/// # Safety
///
/// As for `crate::mmu::unmap_window`; `region` is not empty, and inside the
/// address space.
pub(crate) unsafe fn unmap(region: Region) -> Result<(), WindowError> {
    // A block may go as a whole.
    let constraints = Constraints::NO_CONTIGUOUS_HINT;
    change(region, El1Attributes::empty(), constraints, |_| Ok(()))
}

fn change(
    region: Region,
    attributes: El1Attributes,
    constraints: Constraints,
    prepare: impl FnOnce(&mut PageTables) -> Result<(), WindowError>,
) -> Result<(), WindowError> {
    let mut tables = PAGE_TABLES.lock();
    let tables = tables.as_mut().ok_or(WindowError::Invalid)?;
    prepare(tables)?;
    // The crate refuses, before it writes anything, a change that needs
    // break-before-make: another frame where one is mapped, or a page out of
    // RAM's blocks. It ends with the TLB maintenance, complete on every CPU.
    tables
        .map_range(
            &MemoryRegion::new(region.start, region.end()),
            PhysicalAddress(region.start),
            attributes,
            constraints,
        )
        .map_err(|error| match error {
            MapError::BreakBeforeMakeViolation(_) => WindowError::Occupied,
            _ => WindowError::Invalid,
        })
}

/// Makes sure that mapping does not run out of tables half-way.
trait Reserve {
    fn reserve(&mut self, region: Region) -> Result<(), WindowError>;
}

impl Reserve for PageTables {
    fn reserve(&mut self, region: Region) -> Result<(), WindowError> {
        // One for each 2 MiB and each 1 GiB that the range touches.
        let needed: usize = [21, 30]
            .map(|shift| ((region.end() - 1) >> shift) - (region.start >> shift) + 1)
            .iter()
            .sum();
        if self.translation().free() < needed {
            self.compact_subtables();
        }
        if self.translation().free() < needed {
            return Err(WindowError::NoTables);
        }
        Ok(())
    }
}

type Table = PageTable<El1Attributes>;

static TABLE_MEMORY: TableMemory<Table> = TableMemory::new();

impl Translation<El1Attributes> for TablePool<Table> {
    fn allocate_table(&mut self) -> (NonNull<Table>, PhysicalAddress) {
        let table = self.take().expect("out of page tables");
        (table, PhysicalAddress(table.addr().get()))
    }

    unsafe fn deallocate_table(&mut self, table: NonNull<Table>) {
        // SAFETY: The caller says that it came from `allocate_table`.
        unsafe { self.give(table.as_ptr()) };
    }

    fn physical_to_virtual(&self, pa: PhysicalAddress) -> NonNull<Table> {
        NonNull::new(self.at(pa.0)).expect("no table is at 0")
    }
}
