// SPDX-License-Identifier: MIT OR Apache-2.0
//! Conformance scenarios, written once and run on the simulator and on real
//! Xen.
//!
//! A scenario is one linear function about three domains: the control domain
//! and two plain ones. Each step is carried out by one of them and its result
//! is known to all. On the simulator the three live in one process. On real
//! Xen each domain runs the same function: it carries out its own steps and
//! waits for the results of the others', so all of them stay in step.
//!
//! Every step writes a line: who, the call, its result, and what the domain
//! holds after it. The lines must be the same on both, which is what
//! `cargo xtask qemu diff` compares.

#![no_std]

mod balloon;
mod batches;
mod control;
mod cx;
mod domain;
mod domctls;
mod emulation;
mod errors;
mod events;
mod exchange;
mod foreign;
mod grant_pages;
mod grants;
mod grants_v2;
mod guest_memory;
mod handlers;
mod interrupts;
mod managers;
mod mappings;
mod memory;
mod ops;
mod physmap;
mod regions;
mod silo;
mod zephyr;
mod zephyr_clients;
mod zephyr_memory;

pub use balloon::BALLOON_PAGES;
pub use cx::{Concurrent, Cx, Failure, Outcome, World};
pub use domain::{Counters, Domain, Memory, Role, TestPage, WINDOW_PAGES};
pub use regions::REGION_PAGES;

/// What a scenario returns: its checks end it early.
pub type Verdict = Result<(), Failure>;

/// A scenario and its name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Unique; lower case with underscores.
    pub name: &'static str,
    /// The steps.
    pub run: for<'w> fn(&mut Cx<'_, 'w>) -> Verdict,
}

macro_rules! scenarios {
    ($(#[$doc:meta])* $list:ident: $($module:ident: $($name:ident)*;)*) => {
        $(#[$doc])*
        pub const $list: &[Scenario] = &[
            $($(Scenario {
                name: stringify!($name),
                run: |cx| $module::$name(cx),
            },)*)*
        ];
    };
}

scenarios! {
    /// Every scenario for domains that may deal with one another, in the order
    /// in which they run.
    SCENARIOS:
    exchange: exchange_by_hand exchange_with_owners;
    events:
        ports_lowest_first
        first_event_after_bind_interdomain
        event_before_bind
        unmask_delivers_pending
        notifications_coalesce
        missed_while_unbound
        reused_port_inherits_nothing
        peer_closes
        control_domain_allocates
        many_ports_one_word;
    handlers:
        handler_closes_own_port
        handler_unbinds_sibling
        handler_reopens_sibling
        rebind_replaces_handler
        budget_loses_nothing;
    errors:
        bad_ports
        use_after_close
        refused_connections
        status_of_ports;
    interrupts:
        virtual_interrupts
        signals_between_vcpus
        a_vcpu_for_a_port
        static_ports;
    control:
        priorities_order_events
        late_end_of_event
        spurious_events_are_slowed
        waiting
        woken_while_waiting
        start_over;
    grants:
        references_lowest_first
        end_while_mapped
        end_twice
        bad_grants
        full_table
        grant_table_versions
        alloc_and_grant_to_control_domain;
    grants_v2: part_of_a_page kinds_of_parts parts_with_owners grants_passed_on;
    batches: batches_of_grants runs_of_grants grants_that_end_later copies;
    mappings:
        refused_mappings
        read_only_mapping
        all_or_none
        bad_unmaps
        map_again_after_unmap;
    grant_pages: grant_pages_of_a_region grant_pages_of_ram mappings_with_owners;
    physmap: refused_physmap_changes foreign_frames;
    memory:
        reservation_numbers
        give_back_and_take
        give_back_extents
        direct_mapped_pages
        memory_of_others
        domain_parameters
        removed_ranges;
    foreign:
        foreign_windows
        foreign_hole
        refused_foreign_maps
        grant_table_of_another
        refused_resources
        foreign_maps_with_owners
        foreign_maps_into_a_region;
    domctls: domctls_are_refused a_higher_limit device_memory;
    emulation:
        emulators_are_refused
        interrupts_of_emulators
        limits_of_emulators
        emulated_accesses
        emulators_in_turn
        emulators_that_err
        emulators_hear_of_memory
        a_storm_of_accesses;
    guest_memory:
        memory_for_another
        devices_for_another
        emulated_registers
        a_page_for_reading
        freed_while_in_use
        memory_taken_while_in_use;
    managers:
        who_may_manage
        a_device_that_both_see
        a_device_for_reading
        memory_on_demand
        trapped_ranges_run_out
        libsel4vm_names;
    regions:
        pages_are_taken_and_given_back
        a_region_is_used_up
        a_region_knows_what_is_mapped
        a_grant_is_mapped_into_a_region
        region_pages_own_themselves;
    balloon:
        a_guest_without_regions
        a_grant_is_mapped_where_ram_was
        foreign_frames_are_mapped_where_ram_was;
    zephyr: zephyr_names;
    zephyr_clients:
        a_client_binds_ports
        a_client_uses_calls_in_callbacks
        a_client_grants
        a_client_maps_all_or_none
        a_client_looks_at_errors;
    zephyr_memory: zephyr_memory_names;
    // They leave domains with more, or less, than they had: the last.
    emulation: a_device_model_of_its_own;
    domctls: tables_run_out;
}

scenarios! {
    /// Those for domains that Xen keeps apart: `xsm=silo`.
    SILO_SCENARIOS:
    silo: no_ports_between_domus no_grants_between_domus a_control_domain_meets_all;
    errors: bad_ports;
    interrupts: virtual_interrupts signals_between_vcpus;
    grants:
        references_lowest_first
        end_twice
        alloc_and_grant_to_control_domain;
    batches: batches_of_grants runs_of_grants;
    physmap: foreign_frames;
    memory: reservation_numbers give_back_and_take memory_of_others domain_parameters;
    foreign: foreign_windows refused_foreign_maps;
    domctls: a_higher_limit device_memory;
    emulation: emulated_accesses a_storm_of_accesses;
    guest_memory: memory_for_another devices_for_another emulated_registers;
    regions: pages_are_taken_and_given_back;
    // It leaves a domain with more than it had: the last.
    emulation: a_device_model_kept_apart;
}

/// Run scenarios. The number that passed and the number that failed.
pub fn run(world: &mut dyn World<'_>, scenarios: &[Scenario]) -> Outcome {
    let mut outcome = Outcome::default();
    for scenario in scenarios {
        outcome.add(&cx::run(world, scenario));
    }
    outcome
}
