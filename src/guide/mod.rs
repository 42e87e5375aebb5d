// SPDX-License-Identifier: MIT OR Apache-2.0

// The guide: Markdown beside this file, so that it can be read where the
// sources are, and in the documentation as well, where its examples are tested.
//
// Pages link with references, `[text][name]`, and define these at their end for
// readers of the sources. Here the definitions of `links.md` come before them
// and win: they lead into the documentation.

/// A page, and what is said of it in the list of pages.
macro_rules! pages {
    ($($name:ident $file:literal $summary:literal)*) => {$(
        #[doc = $summary]
        #[doc = ""]
        #[cfg_attr(all(feature = "sim", not(target_os = "none")), doc = "[sim]: crate::sim")]
        #[cfg_attr(not(all(feature = "sim", not(target_os = "none"))), doc = "[sim]: crate#features")]
        #[doc = ""]
        #[doc = include_str!("links.md")]
        #[doc = include_str!($file)]
        pub mod $name {}
    )*};
}

pages! {
    platform "platform.md" "What the firmware beneath provides."
    porting_from_zephyr "porting_from_zephyr.md" "From Zephyr's Xen drivers, call by call."
    porting_from_libsel4vm "porting_from_libsel4vm.md" "From libsel4vm's guest memory, call by call."
    memory_model "memory_model.md" "Every word that somebody else may change: who writes it, and in which order."
    security "security.md" "Whom the library trusts, what it holds to, and the tests for it."
    testing "testing.md" "The simulator, the scenarios, and real Xen."
    timeline "timeline.svg" "The timeline of the demo, as the simulator recorded it."
}
