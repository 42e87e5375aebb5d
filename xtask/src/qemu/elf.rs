// SPDX-License-Identifier: MIT OR Apache-2.0
//! As much of ELF as loading takes: the segments of a little-endian 64-bit
//! program.

/// A type of segment.
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;

/// Xen's note that names the address at which a PVH domain starts.
const PHYS32_ENTRY: u32 = 18;

/// One entry of the program header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment<'a> {
    kind: u32,
    /// The physical address.
    address: u64,
    bytes: &'a [u8],
}

/// The number of `size` bytes at `at`.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
}

fn segments(elf: &[u8]) -> Option<Vec<Segment<'_>>> {
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let number = |at, size| number(elf, at, size);
    let table = usize::try_from(number(0x20, 8)?).ok()?;
    let (entry_size, count) = (number(0x36, 2)? as usize, number(0x38, 2)? as usize);
    (0..count)
        .map(|index| {
            let entry = table.checked_add(index * entry_size)?;
            let offset = usize::try_from(number(entry.checked_add(8)?, 8)?).ok()?;
            let size = usize::try_from(number(entry.checked_add(0x20)?, 8)?).ok()?;
            Some(Segment {
                kind: number(entry, 4)? as u32,
                address: number(entry.checked_add(0x18)?, 8)?,
                bytes: elf.get(offset..offset.checked_add(size)?)?,
            })
        })
        .collect()
}

/// Where the first byte of a program is loaded, which is where objcopy starts
/// the flat image.
pub fn lowest_load_address(elf: &[u8]) -> Option<u64> {
    segments(elf)?
        .iter()
        .filter(|segment| segment.kind == PT_LOAD && !segment.bytes.is_empty())
        .map(|segment| segment.address)
        .min()
}

/// Where Xen starts a program as PVH domain, if it says so.
pub fn pvh_entry(elf: &[u8]) -> Option<u64> {
    let segments = segments(elf)?;
    let notes = segments.iter().filter(|segment| segment.kind == PT_NOTE);
    notes.map(|segment| segment.bytes).find_map(entry_in)
}

/// The address in a segment of notes, each padded to 4 bytes.
fn entry_in(mut notes: &[u8]) -> Option<u64> {
    loop {
        let field = |at| number(notes, at, 4).and_then(|n| usize::try_from(n).ok());
        let (name_size, size, kind) = (field(0)?, field(4)?, field(8)?);
        let value = 12 + name_size.checked_next_multiple_of(4)?;
        if kind as u32 == PHYS32_ENTRY && notes.get(12..12 + name_size)? == b"Xen\0" {
            // Of 4 bytes or of 8.
            return number(notes, value, size.min(8));
        }
        notes = notes.get(value.checked_add(size.checked_next_multiple_of(4)?)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with these (kind, physical address, contents) segments.
    fn elf(segments: &[(u32, u64, &[u8])]) -> Vec<u8> {
        let mut elf = vec![0; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[0x20] = 64;
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
        fn note(name: &[u8], kind: u32, value: &[u8]) -> Vec<u8> {
            let mut note = Vec::new();
            for word in [name.len() as u32, value.len() as u32, kind] {
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
