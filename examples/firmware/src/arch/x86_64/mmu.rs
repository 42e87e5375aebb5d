// SPDX-License-Identifier: MIT OR Apache-2.0
//! The final page tables, from the memory map.

use x86_64::registers::control::{Cr3, Cr3Flags};
use x86_64::structures::paging::mapper::{CleanUp, MapToError, MappedFrame, TranslateResult};
use x86_64::structures::paging::{
    FrameAllocator, FrameDeallocator, Mapper, OffsetPageTable, Page, PageSize, PageTable,
    PageTableFlags, PhysFrame, Size2MiB, Size4KiB, Translate,
};
use x86_64::{PhysAddr, VirtAddr};
use xen_guest::PAGE_SIZE;
use xen_guest::ffi::abi;

use super::hypercall::raw;
use crate::image;
use crate::machine::{Machine, Region};
use crate::mmu::{Kind, WindowError};
use crate::smp;
use crate::sync::IrqMutex;
use crate::tables::{TableMemory, TablePool};

const DATA: PageTableFlags = PageTableFlags::PRESENT
    .union(PageTableFlags::WRITABLE)
    .union(PageTableFlags::NO_EXECUTE);
const CODE: PageTableFlags = PageTableFlags::PRESENT;
const CONSTANTS: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::NO_EXECUTE);
const DEVICE: PageTableFlags = DATA
    .union(PageTableFlags::NO_CACHE)
    .union(PageTableFlags::WRITE_THROUGH);

const BLOCK: usize = Size2MiB::SIZE as usize;

/// Where the addresses end that can be mapped.
pub const ADDRESS_SPACE: usize = 1 << 39;

static PAGE_TABLES: IrqMutex<Option<PageTables>> = IrqMutex::new(None);

struct PageTables {
    mapper: OffsetPageTable<'static>,
    pool: TablePool<PageTable>,
}

/// Replaces the initial page tables.
///
/// # Safety
///
/// `machine` must describe the machine, and no address outside of the RAM in
/// it may be in use.
pub(crate) unsafe fn init(machine: &Machine) {
    // SAFETY: This is called once. No bit set is an empty table.
    let mut pool = unsafe { TablePool::new(&TABLE_MEMORY) };
    let root = pool.allocate_frame().expect("all are free");
    // SAFETY: It is a table, nobody else's, and in a static. Addresses are
    // frames.
    let mapper = unsafe { OffsetPageTable::new(&mut *table_at(&pool, root), VirtAddr::zero()) };
    let mut tables = PageTables { mapper, pool };
    for &bank in &machine.memory {
        tables.map_ram(bank);
    }
    // SAFETY: All that is in use was just mapped, at the same addresses as
    // before. The tables stay, in a static.
    unsafe { Cr3::write(root, Cr3Flags::empty()) };
    *PAGE_TABLES.lock() = Some(tables);
}

/// A started vCPU has the final tables from its first instruction.
///
/// # Safety
///
/// None is needed.
pub(crate) unsafe fn activate() {}

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
    let flags = match kind {
        Kind::Memory { writable: true } => DATA,
        Kind::Memory { writable: false } => CONSTANTS,
        Kind::Device => DEVICE,
    };
    let mut tables = PAGE_TABLES.lock();
    let tables = tables.as_mut().ok_or(WindowError::Invalid)?;
    let kept = region
        .range()
        .step_by(PAGE_SIZE)
        .try_fold(false, |kept, at| {
            match tables.mapper.translate(VirtAddr::new(at as u64)) {
                TranslateResult::NotMapped => Ok(kept),
                TranslateResult::Mapped {
                    frame: MappedFrame::Size4KiB(_),
                    ..
                } => Ok(true),
                _ => Err(WindowError::Occupied),
            }
        })?;
    tables.reserve(region)?;
    for at in region.range().step_by(PAGE_SIZE) {
        tables.map_page(at, flags);
    }
    // Where nothing was mapped, no CPU can have a translation.
    if kept {
        flush(region);
    }
    Ok(())
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
    let mut tables = PAGE_TABLES.lock();
    let tables = tables.as_mut().ok_or(WindowError::Invalid)?;
    for dry in [true, false] {
        let mut at = region.start;
        while at < region.end() {
            at += tables.unmap_at(at, region.end() - at, dry)?;
        }
    }
    flush(region);
    Ok(())
}

/// Makes sure that no CPU has an older translation.
fn flush(region: Region) {
    const FEW: usize = 32;
    if smp::others_run() {
        let op = abi::__HYPERVISOR_hvm_op as usize;
        // SAFETY: This operation takes no pointer.
        let result = unsafe { raw(op, [abi::HVMOP_flush_tlbs as usize, 0, 0, 0, 0]) };
        assert_eq!(result, 0, "Xen flushes no TLBs");
    } else if region.pages() > FEW {
        x86_64::instructions::tlb::flush_all();
    } else {
        for at in region.range().step_by(PAGE_SIZE) {
            x86_64::instructions::tlb::flush(VirtAddr::new(at as u64));
        }
    }
}

fn page<S: PageSize>(at: usize) -> Page<S> {
    Page::containing_address(VirtAddr::new(at as u64))
}

fn frame<S: PageSize>(at: usize) -> PhysFrame<S> {
    PhysFrame::containing_address(PhysAddr::new(at as u64))
}

impl PageTables {
    /// Maps RAM: in blocks, but for those with code or constants in them.
    fn map_ram(&mut self, bank: Region) {
        let (code, constants) = (image::code(), image::constants());
        let mut at = bank.start;
        while at < bank.end() {
            let block = Region {
                start: at,
                size: BLOCK,
            };
            let apart = constants.end() <= at || block.end() <= code.start;
            let whole = at.is_multiple_of(BLOCK) && block.end() <= bank.end() && apart;
            let flags = if code.range().contains(&at) {
                CODE
            } else if constants.range().contains(&at) {
                CONSTANTS
            } else {
                DATA
            };
            if whole {
                self.map_block(at);
                at += BLOCK;
            } else {
                self.map_page(at, flags);
                at += PAGE_SIZE;
            }
        }
    }

    fn map_block(&mut self, at: usize) {
        // SAFETY: RAM that is mapped so already, by the initial tables.
        let mapped = unsafe {
            self.mapper
                .identity_map(frame::<Size2MiB>(at), DATA, &mut self.pool)
        };
        mapped.expect("a free table for RAM").ignore();
    }

    /// Maps one page, or changes how it is mapped.
    ///
    /// # Panics
    ///
    /// If it is part of a block, or no table is left: the caller knows better.
    fn map_page(&mut self, at: usize, flags: PageTableFlags) {
        // SAFETY: The caller of `map` says so; or RAM that is in use so.
        let mapped = unsafe {
            self.mapper
                .identity_map(frame::<Size4KiB>(at), flags, &mut self.pool)
        };
        match mapped {
            Ok(flush) => flush.ignore(),
            Err(MapToError::PageAlreadyMapped(_)) => {
                // SAFETY: As above. The caller flushes.
                let changed = unsafe { self.mapper.update_flags(page::<Size4KiB>(at), flags) };
                changed.expect("it is mapped").ignore();
            }
            Err(error) => panic!("can't map {at:#x}: {error:?}"),
        }
    }

    /// Unmaps what begins at this address, or finds out whether it can, and
    /// returns its size.
    fn unmap_at(&mut self, at: usize, rest: usize, dry: bool) -> Result<usize, WindowError> {
        let TranslateResult::Mapped { frame, .. } = self.mapper.translate(VirtAddr::new(at as u64))
        else {
            return Ok(PAGE_SIZE);
        };
        let size = frame.size() as usize;
        if !at.is_multiple_of(size) || size > rest {
            return Err(WindowError::Occupied);
        }
        if !dry {
            let flush = match frame {
                MappedFrame::Size4KiB(_) => self
                    .mapper
                    .unmap(page::<Size4KiB>(at))
                    .map(|(_, flush)| flush.ignore()),
                _ => self
                    .mapper
                    .unmap(page::<Size2MiB>(at))
                    .map(|(_, flush)| flush.ignore()),
            };
            flush.expect("it is mapped");
        }
        Ok(size)
    }

    /// Makes sure that mapping does not run out of tables half-way.
    fn reserve(&mut self, region: Region) -> Result<(), WindowError> {
        // One for each 2 MiB and each 1 GiB that the range touches; there is
        // one for all addresses above.
        let needed: usize = [21, 30]
            .map(|shift| ((region.end() - 1) >> shift) - (region.start >> shift) + 1)
            .iter()
            .sum();
        if self.pool.free() < needed {
            // SAFETY: The tables are the pool's, and no CPU has a translation
            // through an empty one once all are flushed.
            unsafe { self.mapper.clean_up(&mut self.pool) };
            flush(Region {
                start: 0,
                size: ADDRESS_SPACE,
            });
        }
        if self.pool.free() < needed {
            return Err(WindowError::NoTables);
        }
        Ok(())
    }
}

static TABLE_MEMORY: TableMemory<PageTable> = TableMemory::new();

fn table_at(pool: &TablePool<PageTable>, frame: PhysFrame) -> *mut PageTable {
    pool.at(frame.start_address().as_u64() as usize)
}

// SAFETY: What the pool gives is nobody's.
unsafe impl FrameAllocator<Size4KiB> for TablePool<PageTable> {
    fn allocate_frame(&mut self) -> Option<PhysFrame> {
        self.take().map(|table| frame(table.addr().get()))
    }
}

impl FrameDeallocator<Size4KiB> for TablePool<PageTable> {
    unsafe fn deallocate_frame(&mut self, frame: PhysFrame) {
        let table = table_at(self, frame);
        // SAFETY: The caller says that it came from `allocate_frame`.
        unsafe { self.give(table) };
    }
}
