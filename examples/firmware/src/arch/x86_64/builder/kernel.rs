// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts an ELF program into a domain's memory.

use elf::ElfBytes;
use elf::abi::{PT_LOAD, PT_NOTE};
use elf::endian::LittleEndian;
use elf::file::Class;
use elf::note::{Note, NoteIterator};
use xen_guest::PAGE_SIZE;

use super::memory::Window;

/// Xen's note that says where a PVH domain starts.
const PHYS32_ENTRY: u64 = 18;

/// What is there once it is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The address to start at.
    pub entry: u64,
    /// The first page behind it.
    pub end: u64,
}

/// Loads a program.
///
/// # Panics
///
/// If it is no program for a PVH domain, or there is no memory where it
/// belongs.
pub fn load(file: &[u8], domain: u16, window: &mut Window) -> Kernel {
    const WHOLE: &str = "the kernel is a whole ELF program";
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).expect(WHOLE);
    let segments = elf.segments().expect(WHOLE);
    let (mut entry, mut end) = (None, 0);
    for segment in segments.iter() {
        match segment.p_type {
            PT_LOAD => {
                let bytes = elf.segment_data(&segment).expect(WHOLE);
                let rest = segment.p_memsz.saturating_sub(segment.p_filesz);
                window.write(domain, segment.p_paddr, bytes);
                window.clear(domain, segment.p_paddr + segment.p_filesz, rest);
                end = end.max(segment.p_paddr + segment.p_memsz);
            }
            PT_NOTE => {
                // Padded to 4 bytes each, whatever the segment is aligned to.
                let notes = elf.segment_data(&segment).expect(WHOLE);
                let mut notes = NoteIterator::new(LittleEndian, Class::ELF64, 4, notes);
                entry = entry.or_else(|| notes.find_map(|note| phys32_entry(&note)));
            }
            _ => {}
        }
    }
    Kernel {
        entry: entry.expect("a note says where the kernel starts as PVH domain"),
        end: end.next_multiple_of(PAGE_SIZE as u64),
    }
}

/// The address in this note, if it is the one: of 4 bytes or of 8.
fn phys32_entry(note: &Note<'_>) -> Option<u64> {
    let Note::Unknown(note) = note else {
        return None;
    };
    if note.n_type != PHYS32_ENTRY || note.name != b"Xen\0" {
        return None;
    }
    Some(
        note.desc
            .iter()
            .rev()
            .fold(0, |n, &byte| n << 8 | u64::from(byte)),
    )
}
