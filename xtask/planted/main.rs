// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the mistake of the given number: 0 none, 1 to 3 those of bugs.c,
//! 4 one in Rust.

unsafe extern "C" {
    fn planted(kind: i32) -> i32;
}

fn main() {
    let kind = std::env::args().nth(1).and_then(|arg| arg.parse().ok());
    let result = match kind {
        Some(4) => {
            let bytes = vec![0_u8; std::hint::black_box(8)];
            let end = std::hint::black_box(bytes.as_ptr()).wrapping_add(8);
            // SAFETY: none; this is the mistake.
            i32::from(unsafe { end.read_volatile() }) & 0
        }
        // SAFETY: a plain function.
        Some(kind) => unsafe { planted(kind) },
        None => 2,
    };
    std::process::exit(result);
}
