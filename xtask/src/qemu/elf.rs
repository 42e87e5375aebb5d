// SPDX-License-Identifier: MIT OR Apache-2.0
//! What loading a program takes: where Xen puts it, and starts it.

use elf::ElfBytes;
use elf::abi::{PT_LOAD, PT_NOTE};
use elf::endian::LittleEndian;
use elf::file::Class;
use elf::note::{Note, NoteIterator};

/// Xen's note that names the address at which a PVH domain starts.
const PHYS32_ENTRY: u64 = 18;

/// Where the first byte of a program is loaded, which is where objcopy starts
/// the flat image.
pub fn lowest_load_address(elf: &[u8]) -> Option<u64> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(elf).ok()?;
    elf.segments()?
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD && segment.p_filesz > 0)
        .map(|segment| segment.p_paddr)
        .min()
}

/// Where Xen starts a program as PVH domain, if it says so.
pub fn pvh_entry(elf: &[u8]) -> Option<u64> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(elf).ok()?;
    let segments = elf.segments()?;
    segments
        .iter()
        .filter(|segment| segment.p_type == PT_NOTE)
        .filter_map(|segment| elf.segment_data(&segment).ok())
        // Notes are padded to 4 bytes, whatever the segment is aligned to.
        .flat_map(|notes| NoteIterator::new(LittleEndian, Class::ELF64, 4, notes))
        .find_map(|note| match note {
            Note::Unknown(note) if note.n_type == PHYS32_ENTRY && note.name == b"Xen\0" => {
                // Of 4 bytes or of 8.
                let bytes = note.desc.iter().rev();
                Some(bytes.fold(0, |n, &byte| n << 8 | u64::from(byte)))
            }
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with these (kind, physical address, contents) segments.
    fn elf(segments: &[(u32, u64, &[u8])]) -> Vec<u8> {
        let mut elf = vec![0; 64];
        elf[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        elf[0x20] = 64;
        elf[0x14] = 1;
        elf[0x34] = 64;
        elf[0x36] = 56;
        elf[0x38] = segments.len() as u8;
        let mut offset = 64 + 56 * segments.len();
        for &(kind, address, contents) in segments {
            let mut entry = vec![0; 56];
            entry[..4].copy_from_slice(&kind.to_le_bytes());
            entry[8..16].copy_from_slice(&(offset as u64).to_le_bytes());
            entry[0x18..0x20].copy_from_slice(&address.to_le_bytes());
            entry[0x20..0x28].copy_from_slice(&(contents.len() as u64).to_le_bytes());
            elf.extend(entry);
            offset += contents.len();
        }
        for (_, _, contents) in segments {
            elf.extend(*contents);
        }
        elf
    }

    #[test]
    fn the_load_address_is_that_of_the_lowest_loaded_segment() {
        let bytes: &[u8] = &[0; 8];
        let program = elf(&[
            (6, 0x100, bytes),
            (PT_LOAD, 0x4000_1000, bytes),
            (PT_LOAD, 0x4000_0000, bytes),
            (PT_LOAD, 0x3000_0000, &[]),
        ]);
        assert_eq!(lowest_load_address(&program), Some(0x4000_0000));
        assert_eq!(lowest_load_address(&program[..100]), None);
        assert_eq!(lowest_load_address(&elf(&[])), None);
        assert_eq!(lowest_load_address(b"MZ"), None);
    }

    #[test]
    fn the_entry_is_in_xens_note_whatever_is_before_it() {
        fn note(name: &[u8], kind: u64, value: &[u8]) -> Vec<u8> {
            let mut note = Vec::new();
            for word in [name.len() as u32, value.len() as u32, kind as u32] {
                note.extend(word.to_le_bytes());
            }
            for part in [name, value] {
                note.extend(part);
                note.resize(note.len().next_multiple_of(4), 0);
            }
            note
        }
        let gnu = note(b"GNU\0", PHYS32_ENTRY, &[1, 2, 3]);
        let other = note(b"Xen\0", 5, &[7; 5]);
        for width in [4, 8] {
            let entry = note(
                b"Xen\0",
                PHYS32_ENTRY,
                &0x10_0040_u64.to_le_bytes()[..width],
            );
            let notes = [gnu.clone(), other.clone(), entry].concat();
            let program = elf(&[(PT_LOAD, 0x10_0000, &[0; 4]), (PT_NOTE, 0, &notes)]);
            assert_eq!(pvh_entry(&program), Some(0x10_0040), "{width}");
        }
        assert_eq!(pvh_entry(&elf(&[(PT_NOTE, 0, &gnu)])), None);
        assert_eq!(pvh_entry(&elf(&[(PT_NOTE, 0, &[255; 16])])), None);
    }
}
