// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run on real Xen that goes wrong must not pass: the conformance firmware
//! is broken in each way on purpose.
//!
//! Run by `cargo xtask test`; ignored by a plain `cargo test`, as it starts
//! the real Xen.

use std::process::Command;
use std::sync::Mutex;

/// One machine at a time: the runs share the firmware's image.
static MACHINE: Mutex<()> = Mutex::new(());

/// Run the broken firmware; it must fail with this in what it prints.
fn fails(how: &str, said: &str) {
    xtask_fails(&["test", "--break", how], said);
}

/// The same on x86_64, where nothing but the rig is another.
fn fails_on_x86(how: &str, said: &str) {
    xtask_fails(&["test", "--xen", "x86_64", "--break", how], said);
}

fn xtask_fails(how: &[&str], said: &str) {
    let _machine = MACHINE.lock().unwrap_or_else(|failed| failed.into_inner());
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("qemu")
        .args(how)
        .output()
        .expect("xtask starts");
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(1), "{how:?}: {printed}");
    assert!(printed.contains(said), "{how:?}: {printed}");
}

#[test]
#[ignore = "starts real Xen"]
fn a_failing_scenario_exits_non_zero() {
    fails("fail", "failed");
}

#[test]
#[ignore = "starts real Xen"]
fn a_hang_of_one_domain_exits_non_zero() {
    // The others are there to notice.
    fails("hang", "no word from");
}

/// Firmware of one instruction, a branch to itself.
#[test]
#[ignore = "starts real Xen"]
fn a_hang_of_everything_exits_non_zero() {
    let mut image = vec![0; 0x1000];
    image[..4].copy_from_slice(&0x1400_0000_u32.to_le_bytes());
    image[16..24].copy_from_slice(&0x1000_u64.to_le_bytes());
    image[0x38..0x3c].copy_from_slice(b"ARM\x64");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), image).expect("the image can be written");
    let file = file.path().to_str().expect("a path in UTF-8");
    xtask_fails(
        &[
            "boot",
            "--domu",
            file,
            "--expect",
            "never",
            "--timeout",
            "8",
        ],
        "did not print `never`",
    );
}

#[test]
#[ignore = "starts real Xen"]
fn a_panic_exits_non_zero() {
    fails("panic", "panic");
    fails_on_x86("panic", "panic");
}

#[test]
#[ignore = "starts real Xen"]
fn a_failure_is_in_the_results() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("results.xml");
    let path = file.to_str().expect("a path in UTF-8");
    xtask_fails(&["test", "--break", "panic", "--junit", path], "panic");
    let results = std::fs::read_to_string(&file).expect("results");
    assert!(results.contains("failures=\"1\""), "{results}");
    assert!(results.contains("panic: on purpose"), "{results}");
}

#[test]
#[ignore = "starts real Xen"]
fn a_missing_completion_token_exits_non_zero() {
    fails("silent", "did not print");
    fails_on_x86("silent", "Xen halted the machine");
}
