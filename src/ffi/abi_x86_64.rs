// SPDX-License-Identifier: MIT OR Apache-2.0
// Written by cargo xtask bindings; do not edit.

#[repr(C)]
#[derive(Copy, Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct __BindgenBitfieldUnit<Storage> {
    storage: Storage,
}
impl<Storage> __BindgenBitfieldUnit<Storage> {
    #[inline]
    pub const fn new(storage: Storage) -> Self {
        Self { storage }
    }
}
impl<Storage> __BindgenBitfieldUnit<Storage>
where
    Storage: AsRef<[u8]> + AsMut<[u8]>,
{
    #[inline]
    fn extract_bit(byte: u8, index: usize) -> bool {
        let bit_index = if cfg!(target_endian = "big") {
            7 - (index % 8)
        } else {
            index % 8
        };
        let mask = 1 << bit_index;
        byte & mask == mask
    }
    #[inline]
    pub fn get_bit(&self, index: usize) -> bool {
        debug_assert!(index / 8 < self.storage.as_ref().len());
        let byte_index = index / 8;
        let byte = self.storage.as_ref()[byte_index];
        Self::extract_bit(byte, index)
    }
    #[inline]
    pub unsafe fn raw_get_bit(this: *const Self, index: usize) -> bool {
        debug_assert!(index / 8 < core::mem::size_of::<Storage>());
        let byte_index = index / 8;
        let byte = unsafe {
            *(core::ptr::addr_of!((*this).storage) as *const u8).offset(byte_index as isize)
        };
        Self::extract_bit(byte, index)
    }
    #[inline]
    fn change_bit(byte: u8, index: usize, val: bool) -> u8 {
        let bit_index = if cfg!(target_endian = "big") {
            7 - (index % 8)
        } else {
            index % 8
        };
        let mask = 1 << bit_index;
        if val { byte | mask } else { byte & !mask }
    }
    #[inline]
    pub fn set_bit(&mut self, index: usize, val: bool) {
        debug_assert!(index / 8 < self.storage.as_ref().len());
        let byte_index = index / 8;
        let byte = &mut self.storage.as_mut()[byte_index];
        *byte = Self::change_bit(*byte, index, val);
    }
    #[inline]
    pub unsafe fn raw_set_bit(this: *mut Self, index: usize, val: bool) {
        debug_assert!(index / 8 < core::mem::size_of::<Storage>());
        let byte_index = index / 8;
        let byte = unsafe {
            (core::ptr::addr_of_mut!((*this).storage) as *mut u8).offset(byte_index as isize)
        };
        unsafe { *byte = Self::change_bit(*byte, index, val) };
    }
    #[inline]
    pub fn get(&self, bit_offset: usize, bit_width: u8) -> u64 {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < self.storage.as_ref().len());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= self.storage.as_ref().len(),);
        let mut val = 0;
        for i in 0..(bit_width as usize) {
            if self.get_bit(i + bit_offset) {
                let index = if cfg!(target_endian = "big") {
                    bit_width as usize - 1 - i
                } else {
                    i
                };
                val |= 1 << index;
            }
        }
        val
    }
    #[inline]
    pub unsafe fn raw_get(this: *const Self, bit_offset: usize, bit_width: u8) -> u64 {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < core::mem::size_of::<Storage>());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= core::mem::size_of::<Storage>(),);
        let mut val = 0;
        for i in 0..(bit_width as usize) {
            if unsafe { Self::raw_get_bit(this, i + bit_offset) } {
                let index = if cfg!(target_endian = "big") {
                    bit_width as usize - 1 - i
                } else {
                    i
                };
                val |= 1 << index;
            }
        }
        val
    }
    #[inline]
    pub fn set(&mut self, bit_offset: usize, bit_width: u8, val: u64) {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < self.storage.as_ref().len());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= self.storage.as_ref().len(),);
        for i in 0..(bit_width as usize) {
            let mask = 1 << i;
            let val_bit_is_set = val & mask == mask;
            let index = if cfg!(target_endian = "big") {
                bit_width as usize - 1 - i
            } else {
                i
            };
            self.set_bit(index + bit_offset, val_bit_is_set);
        }
    }
    #[inline]
    pub unsafe fn raw_set(this: *mut Self, bit_offset: usize, bit_width: u8, val: u64) {
        debug_assert!(bit_width <= 64);
        debug_assert!(bit_offset / 8 < core::mem::size_of::<Storage>());
        debug_assert!((bit_offset + (bit_width as usize)) / 8 <= core::mem::size_of::<Storage>(),);
        for i in 0..(bit_width as usize) {
            let mask = 1 << i;
            let val_bit_is_set = val & mask == mask;
            let index = if cfg!(target_endian = "big") {
                bit_width as usize - 1 - i
            } else {
                i
            };
            unsafe { Self::raw_set_bit(this, index + bit_offset, val_bit_is_set) };
        }
    }
}
pub const __XEN_LATEST_INTERFACE_VERSION__: u32 = 265728;
pub const XEN_HAVE_PV_UPCALL_MASK: u32 = 1;
pub const XEN_LEGACY_MAX_VCPUS: u32 = 32;
pub const PRI_xen_pfn: &[u8; 3] = b"lx\0";
pub const PRIu_xen_pfn: &[u8; 3] = b"lu\0";
pub const PRI_xen_ulong: &[u8; 3] = b"lx\0";
pub const __HYPERVISOR_memory_op: u32 = 12;
pub const __HYPERVISOR_multicall: u32 = 13;
pub const __HYPERVISOR_set_timer_op: u32 = 15;
pub const __HYPERVISOR_xen_version: u32 = 17;
pub const __HYPERVISOR_console_io: u32 = 18;
pub const __HYPERVISOR_grant_table_op: u32 = 20;
pub const __HYPERVISOR_vm_assist: u32 = 21;
pub const __HYPERVISOR_vcpu_op: u32 = 24;
pub const __HYPERVISOR_xsm_op: u32 = 27;
pub const __HYPERVISOR_sched_op: u32 = 29;
pub const __HYPERVISOR_callback_op: u32 = 30;
pub const __HYPERVISOR_event_channel_op: u32 = 32;
pub const __HYPERVISOR_physdev_op: u32 = 33;
pub const __HYPERVISOR_hvm_op: u32 = 34;
pub const __HYPERVISOR_sysctl: u32 = 35;
pub const __HYPERVISOR_domctl: u32 = 36;
pub const __HYPERVISOR_argo_op: u32 = 39;
pub const __HYPERVISOR_dm_op: u32 = 41;
pub const __HYPERVISOR_hypfs_op: u32 = 42;
pub const VIRQ_TIMER: u32 = 0;
pub const VIRQ_DEBUG: u32 = 1;
pub const VIRQ_CONSOLE: u32 = 2;
pub const VIRQ_DOM_EXC: u32 = 3;
pub const VIRQ_TBUF: u32 = 4;
pub const VIRQ_DEBUGGER: u32 = 6;
pub const VIRQ_XENOPROF: u32 = 7;
pub const VIRQ_CON_RING: u32 = 8;
pub const VIRQ_PCPU_STATE: u32 = 9;
pub const VIRQ_MEM_EVENT: u32 = 10;
pub const VIRQ_ARGO: u32 = 11;
pub const VIRQ_ENOMEM: u32 = 12;
pub const VIRQ_XENPMU: u32 = 13;
pub const VIRQ_ARCH_0: u32 = 16;
pub const VIRQ_ARCH_1: u32 = 17;
pub const VIRQ_ARCH_2: u32 = 18;
pub const VIRQ_ARCH_3: u32 = 19;
pub const VIRQ_ARCH_4: u32 = 20;
pub const VIRQ_ARCH_5: u32 = 21;
pub const VIRQ_ARCH_6: u32 = 22;
pub const VIRQ_ARCH_7: u32 = 23;
pub const NR_VIRQS: u32 = 24;
pub const CONSOLEIO_write: u32 = 0;
pub const CONSOLEIO_read: u32 = 1;
pub const VMASST_CMD_enable: u32 = 0;
pub const VMASST_CMD_disable: u32 = 1;
pub const VMASST_TYPE_runstate_update_flag: u32 = 5;
pub const XEN_PVCLOCK_TSC_STABLE_BIT: u32 = 1;
pub const XEN_PVCLOCK_GUEST_STOPPED: u32 = 2;
pub const EVTCHNOP_bind_interdomain: u32 = 0;
pub const EVTCHNOP_bind_virq: u32 = 1;
pub const EVTCHNOP_bind_pirq: u32 = 2;
pub const EVTCHNOP_close: u32 = 3;
pub const EVTCHNOP_send: u32 = 4;
pub const EVTCHNOP_status: u32 = 5;
pub const EVTCHNOP_alloc_unbound: u32 = 6;
pub const EVTCHNOP_bind_ipi: u32 = 7;
pub const EVTCHNOP_bind_vcpu: u32 = 8;
pub const EVTCHNOP_unmask: u32 = 9;
pub const EVTCHNOP_reset: u32 = 10;
pub const EVTCHNOP_init_control: u32 = 11;
pub const EVTCHNOP_expand_array: u32 = 12;
pub const EVTCHNOP_set_priority: u32 = 13;
pub const BIND_PIRQ__WILL_SHARE: u32 = 1;
pub const EVTCHNSTAT_closed: u32 = 0;
pub const EVTCHNSTAT_unbound: u32 = 1;
pub const EVTCHNSTAT_interdomain: u32 = 2;
pub const EVTCHNSTAT_pirq: u32 = 3;
pub const EVTCHNSTAT_virq: u32 = 4;
pub const EVTCHNSTAT_ipi: u32 = 5;
pub const EVTCHN_FIFO_PRIORITY_MAX: u32 = 0;
pub const EVTCHN_FIFO_PRIORITY_DEFAULT: u32 = 7;
pub const EVTCHN_FIFO_PRIORITY_MIN: u32 = 15;
pub const EVTCHN_FIFO_MAX_QUEUES: u32 = 16;
pub const EVTCHN_FIFO_PENDING: u32 = 31;
pub const EVTCHN_FIFO_MASKED: u32 = 30;
pub const EVTCHN_FIFO_LINKED: u32 = 29;
pub const EVTCHN_FIFO_BUSY: u32 = 28;
pub const EVTCHN_FIFO_LINK_BITS: u32 = 17;
pub const EVTCHN_FIFO_LINK_MASK: u32 = 131071;
pub const EVTCHN_FIFO_NR_CHANNELS: u32 = 131072;
pub const GNTTAB_NR_RESERVED_ENTRIES: u32 = 8;
pub const GNTTAB_RESERVED_CONSOLE: u32 = 0;
pub const GNTTAB_RESERVED_XENSTORE: u32 = 1;
pub const GTF_invalid: u32 = 0;
pub const GTF_permit_access: u32 = 1;
pub const GTF_accept_transfer: u32 = 2;
pub const GTF_transitive: u32 = 3;
pub const GTF_type_mask: u32 = 3;
pub const _GTF_readonly: u32 = 2;
pub const GTF_readonly: u32 = 4;
pub const _GTF_reading: u32 = 3;
pub const GTF_reading: u32 = 8;
pub const _GTF_writing: u32 = 4;
pub const GTF_writing: u32 = 16;
pub const _GTF_PWT: u32 = 5;
pub const GTF_PWT: u32 = 32;
pub const _GTF_PCD: u32 = 6;
pub const GTF_PCD: u32 = 64;
pub const _GTF_PAT: u32 = 7;
pub const GTF_PAT: u32 = 128;
pub const _GTF_sub_page: u32 = 8;
pub const GTF_sub_page: u32 = 256;
pub const _GTF_transfer_committed: u32 = 2;
pub const GTF_transfer_committed: u32 = 4;
pub const _GTF_transfer_completed: u32 = 3;
pub const GTF_transfer_completed: u32 = 8;
pub const GNTTABOP_map_grant_ref: u32 = 0;
pub const GNTTABOP_unmap_grant_ref: u32 = 1;
pub const GNTTABOP_setup_table: u32 = 2;
pub const GNTTABOP_dump_table: u32 = 3;
pub const GNTTABOP_transfer: u32 = 4;
pub const GNTTABOP_copy: u32 = 5;
pub const GNTTABOP_query_size: u32 = 6;
pub const GNTTABOP_unmap_and_replace: u32 = 7;
pub const GNTTABOP_set_version: u32 = 8;
pub const GNTTABOP_get_status_frames: u32 = 9;
pub const GNTTABOP_get_version: u32 = 10;
pub const GNTTABOP_swap_grant_ref: u32 = 11;
pub const GNTTABOP_cache_flush: u32 = 12;
pub const _GNTCOPY_source_gref: u32 = 0;
pub const GNTCOPY_source_gref: u32 = 1;
pub const _GNTCOPY_dest_gref: u32 = 1;
pub const GNTCOPY_dest_gref: u32 = 2;
pub const GNTTAB_CACHE_CLEAN: u32 = 1;
pub const GNTTAB_CACHE_INVAL: u32 = 2;
pub const GNTTAB_CACHE_SOURCE_GREF: u32 = 2147483648;
pub const _GNTMAP_device_map: u32 = 0;
pub const GNTMAP_device_map: u32 = 1;
pub const _GNTMAP_host_map: u32 = 1;
pub const GNTMAP_host_map: u32 = 2;
pub const _GNTMAP_readonly: u32 = 2;
pub const GNTMAP_readonly: u32 = 4;
pub const _GNTMAP_application_map: u32 = 3;
pub const GNTMAP_application_map: u32 = 8;
pub const _GNTMAP_contains_pte: u32 = 4;
pub const GNTMAP_contains_pte: u32 = 16;
pub const _GNTMAP_guest_avail0: u32 = 16;
pub const GNTST_okay: u32 = 0;
pub const GNTST_general_error: i32 = -1;
pub const GNTST_bad_domain: i32 = -2;
pub const GNTST_bad_gntref: i32 = -3;
pub const GNTST_bad_handle: i32 = -4;
pub const GNTST_bad_virt_addr: i32 = -5;
pub const GNTST_bad_dev_addr: i32 = -6;
pub const GNTST_no_device_space: i32 = -7;
pub const GNTST_permission_denied: i32 = -8;
pub const GNTST_bad_page: i32 = -9;
pub const GNTST_bad_copy_arg: i32 = -10;
pub const GNTST_address_too_big: i32 = -11;
pub const GNTST_eagain: i32 = -12;
pub const GNTST_no_space: i32 = -13;
pub const XENMEM_increase_reservation: u32 = 0;
pub const XENMEM_decrease_reservation: u32 = 1;
pub const XENMEM_maximum_ram_page: u32 = 2;
pub const XENMEM_current_reservation: u32 = 3;
pub const XENMEM_maximum_reservation: u32 = 4;
pub const XENMEM_populate_physmap: u32 = 6;
pub const XENMEM_add_to_physmap: u32 = 7;
pub const XENMEM_memory_map: u32 = 9;
pub const XENMEM_machine_memory_map: u32 = 10;
pub const XENMEM_exchange: u32 = 11;
pub const XENMEM_maximum_gpfn: u32 = 14;
pub const XENMEM_remove_from_physmap: u32 = 15;
pub const XENMEM_add_to_physmap_batch: u32 = 23;
pub const XENMEM_get_vnumainfo: u32 = 26;
pub const XENMEM_acquire_resource: u32 = 28;
pub const XENMEMF_populate_on_demand: u32 = 65536;
pub const XENMEMF_exact_node_request: u32 = 131072;
pub const XENMEMF_vnode: u32 = 262144;
pub const XENMAPSPACE_shared_info: u32 = 0;
pub const XENMAPSPACE_grant_table: u32 = 1;
pub const XENMAPSPACE_gmfn: u32 = 2;
pub const XENMAPSPACE_gmfn_range: u32 = 3;
pub const XENMAPSPACE_gmfn_foreign: u32 = 4;
pub const XENMAPSPACE_dev_mmio: u32 = 5;
pub const XENMAPIDX_grant_table_status: u32 = 2147483648;
pub const XENMEM_resource_ioreq_server: u32 = 0;
pub const XENMEM_resource_grant_table: u32 = 1;
pub const XENMEM_resource_vmtrace_buf: u32 = 2;
pub const XENMEM_resource_grant_table_id_shared: u32 = 0;
pub const XENMEM_resource_grant_table_id_status: u32 = 1;
pub const XENMEM_resource_ioreq_server_frame_bufioreq: u32 = 0;
pub const DPCI_ADD_MAPPING: u32 = 1;
pub const DPCI_REMOVE_MAPPING: u32 = 0;
pub const XEN_DOMCTL_pausedomain: u32 = 3;
pub const XEN_DOMCTL_unpausedomain: u32 = 4;
pub const XEN_DOMCTL_max_mem: u32 = 11;
pub const XEN_DOMCTL_iomem_permission: u32 = 20;
pub const XEN_DOMCTL_memory_mapping: u32 = 39;
pub const XEN_DOMCTL_set_target: u32 = 46;
pub const SCHEDOP_yield: u32 = 0;
pub const SCHEDOP_block: u32 = 1;
pub const SCHEDOP_shutdown: u32 = 2;
pub const SCHEDOP_poll: u32 = 3;
pub const SCHEDOP_remote_shutdown: u32 = 4;
pub const SCHEDOP_shutdown_code: u32 = 5;
pub const SCHEDOP_watchdog: u32 = 6;
pub const SCHEDOP_pin_override: u32 = 7;
pub const SHUTDOWN_poweroff: u32 = 0;
pub const SHUTDOWN_reboot: u32 = 1;
pub const SHUTDOWN_suspend: u32 = 2;
pub const SHUTDOWN_crash: u32 = 3;
pub const SHUTDOWN_watchdog: u32 = 4;
pub const SHUTDOWN_soft_reset: u32 = 5;
pub const SHUTDOWN_MAX: u32 = 5;
pub const VCPUOP_initialise: u32 = 0;
pub const VCPUOP_up: u32 = 1;
pub const VCPUOP_down: u32 = 2;
pub const VCPUOP_is_up: u32 = 3;
pub const VCPUOP_get_runstate_info: u32 = 4;
pub const VCPUOP_register_runstate_memory_area: u32 = 5;
pub const VCPUOP_set_periodic_timer: u32 = 6;
pub const VCPUOP_stop_periodic_timer: u32 = 7;
pub const VCPUOP_set_singleshot_timer: u32 = 8;
pub const VCPUOP_stop_singleshot_timer: u32 = 9;
pub const VCPUOP_register_vcpu_info: u32 = 10;
pub const VCPUOP_send_nmi: u32 = 11;
pub const VCPUOP_get_physid: u32 = 12;
pub const VCPUOP_register_vcpu_time_memory_area: u32 = 13;
pub const RUNSTATE_running: u32 = 0;
pub const RUNSTATE_runnable: u32 = 1;
pub const RUNSTATE_blocked: u32 = 2;
pub const RUNSTATE_offline: u32 = 3;
pub const XEN_RUNSTATE_UPDATE: u64 = 9223372036854775808;
pub const _VCPU_SSHOTTMR_future: u32 = 0;
pub const VCPU_SSHOTTMR_future: u32 = 1;
pub const HVMOP_set_param: u32 = 0;
pub const HVMOP_get_param: u32 = 1;
pub const HVMOP_flush_tlbs: u32 = 5;
pub const HVMOP_get_time: u32 = 10;
pub const HVMOP_get_mem_type: u32 = 15;
pub const HVMOP_set_evtchn_upcall_vector: u32 = 23;
pub const HVM_PARAM_CALLBACK_IRQ: u32 = 0;
pub const HVM_PARAM_CALLBACK_IRQ_TYPE_MASK: u64 = 18374686479671623680;
pub const HVM_PARAM_CALLBACK_TYPE_GSI: u32 = 0;
pub const HVM_PARAM_CALLBACK_TYPE_PCI_INTX: u32 = 1;
pub const HVM_PARAM_CALLBACK_TYPE_VECTOR: u32 = 2;
pub const HVM_PARAM_STORE_PFN: u32 = 1;
pub const HVM_PARAM_STORE_EVTCHN: u32 = 2;
pub const HVM_PARAM_IOREQ_PFN: u32 = 5;
pub const HVM_PARAM_BUFIOREQ_PFN: u32 = 6;
pub const HVM_PARAM_CONSOLE_PFN: u32 = 17;
pub const HVM_PARAM_CONSOLE_EVTCHN: u32 = 18;
pub const HVM_PARAM_PAGING_RING_PFN: u32 = 27;
pub const HVM_PARAM_MONITOR_RING_PFN: u32 = 28;
pub const HVM_PARAM_SHARING_RING_PFN: u32 = 29;
pub const HVM_PARAM_IOREQ_SERVER_PFN: u32 = 32;
pub const HVM_PARAM_NR_IOREQ_SERVER_PAGES: u32 = 33;
pub const HVM_PARAM_VM_GENERATION_ID_ADDR: u32 = 34;
pub const HVM_NR_PARAMS: u32 = 39;
pub const XEN_DMOP_create_ioreq_server: u32 = 1;
pub const XEN_DMOP_get_ioreq_server_info: u32 = 2;
pub const XEN_DMOP_map_io_range_to_ioreq_server: u32 = 3;
pub const XEN_DMOP_unmap_io_range_from_ioreq_server: u32 = 4;
pub const XEN_DMOP_set_ioreq_server_state: u32 = 5;
pub const XEN_DMOP_destroy_ioreq_server: u32 = 6;
pub const XEN_DMOP_modified_memory: u32 = 11;
pub const XEN_DMOP_set_mem_type: u32 = 12;
pub const XEN_DMOP_map_mem_type_to_ioreq_server: u32 = 15;
pub const XEN_DMOP_remote_shutdown: u32 = 16;
pub const XEN_DMOP_set_irq_level: u32 = 19;
pub const XEN_DMOP_nr_vcpus: u32 = 20;
pub const _XEN_DMOP_no_gfns: u32 = 0;
pub const XEN_DMOP_no_gfns: u32 = 1;
pub const XEN_DMOP_IO_RANGE_PORT: u32 = 0;
pub const XEN_DMOP_IO_RANGE_MEMORY: u32 = 1;
pub const XEN_DMOP_IO_RANGE_PCI: u32 = 2;
pub const XEN_DMOP_IOREQ_MEM_ACCESS_READ: u32 = 1;
pub const XEN_DMOP_IOREQ_MEM_ACCESS_WRITE: u32 = 2;
pub const IOREQ_WRITE: u32 = 0;
pub const IOREQ_READ: u32 = 1;
pub const STATE_IOREQ_NONE: u32 = 0;
pub const STATE_IOREQ_READY: u32 = 1;
pub const STATE_IOREQ_INPROCESS: u32 = 2;
pub const STATE_IORESP_READY: u32 = 3;
pub const IOREQ_TYPE_PIO: u32 = 0;
pub const IOREQ_TYPE_COPY: u32 = 1;
pub const IOREQ_TYPE_PCI_CONFIG: u32 = 2;
pub const IOREQ_TYPE_TIMEOFFSET: u32 = 7;
pub const IOREQ_TYPE_INVALIDATE: u32 = 8;
pub const IOREQ_BUFFER_SLOT_NUM: u32 = 511;
pub const XENFEAT_writable_page_tables: u32 = 0;
pub const XENFEAT_writable_descriptor_tables: u32 = 1;
pub const XENFEAT_auto_translated_physmap: u32 = 2;
pub const XENFEAT_supervisor_mode_kernel: u32 = 3;
pub const XENFEAT_pae_pgdir_above_4gb: u32 = 4;
pub const XENFEAT_mmu_pt_update_preserve_ad: u32 = 5;
pub const XENFEAT_highmem_assist: u32 = 6;
pub const XENFEAT_gnttab_map_avail_bits: u32 = 7;
pub const XENFEAT_hvm_callback_vector: u32 = 8;
pub const XENFEAT_hvm_safe_pvclock: u32 = 9;
pub const XENFEAT_hvm_pirqs: u32 = 10;
pub const XENFEAT_dom0: u32 = 11;
pub const XENFEAT_memory_op_vnode_supported: u32 = 13;
pub const XENFEAT_ARM_SMCCC_supported: u32 = 14;
pub const XENFEAT_linux_rsdp_unrestricted: u32 = 15;
pub const XENFEAT_not_direct_mapped: u32 = 16;
pub const XENFEAT_direct_mapped: u32 = 17;
pub const XENFEAT_NR_SUBMAPS: u32 = 1;
pub const XENVER_version: u32 = 0;
pub const XENVER_extraversion: u32 = 1;
pub const XENVER_compile_info: u32 = 2;
pub const XENVER_capabilities: u32 = 3;
pub const XENVER_changeset: u32 = 4;
pub const XENVER_platform_parameters: u32 = 5;
pub const XENVER_get_features: u32 = 6;
pub const XENVER_pagesize: u32 = 7;
pub const XENVER_guest_handle: u32 = 8;
pub const XENVER_commandline: u32 = 9;
pub const XENVER_build_id: u32 = 10;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct arch_vcpu_info {
    pub cr2: ::core::ffi::c_ulong,
    pub pad: ::core::ffi::c_ulong,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of arch_vcpu_info"][::core::mem::size_of::<arch_vcpu_info>() - 16usize];
    ["Alignment of arch_vcpu_info"][::core::mem::align_of::<arch_vcpu_info>() - 8usize];
    ["Offset of field: arch_vcpu_info::cr2"][::core::mem::offset_of!(arch_vcpu_info, cr2) - 0usize];
    ["Offset of field: arch_vcpu_info::pad"][::core::mem::offset_of!(arch_vcpu_info, pad) - 8usize];
};
pub type arch_vcpu_info_t = arch_vcpu_info;
pub type xen_callback_t = ::core::ffi::c_ulong;
pub type xen_pfn_t = ::core::ffi::c_ulong;
pub type xen_ulong_t = ::core::ffi::c_ulong;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct arch_shared_info {
    pub max_pfn: ::core::ffi::c_ulong,
    pub pfn_to_mfn_frame_list_list: xen_pfn_t,
    pub nmi_reason: ::core::ffi::c_ulong,
    pub p2m_cr3: ::core::ffi::c_ulong,
    pub p2m_vaddr: ::core::ffi::c_ulong,
    pub p2m_generation: ::core::ffi::c_ulong,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of arch_shared_info"][::core::mem::size_of::<arch_shared_info>() - 48usize];
    ["Alignment of arch_shared_info"][::core::mem::align_of::<arch_shared_info>() - 8usize];
    ["Offset of field: arch_shared_info::max_pfn"]
        [::core::mem::offset_of!(arch_shared_info, max_pfn) - 0usize];
    ["Offset of field: arch_shared_info::pfn_to_mfn_frame_list_list"]
        [::core::mem::offset_of!(arch_shared_info, pfn_to_mfn_frame_list_list) - 8usize];
    ["Offset of field: arch_shared_info::nmi_reason"]
        [::core::mem::offset_of!(arch_shared_info, nmi_reason) - 16usize];
    ["Offset of field: arch_shared_info::p2m_cr3"]
        [::core::mem::offset_of!(arch_shared_info, p2m_cr3) - 24usize];
    ["Offset of field: arch_shared_info::p2m_vaddr"]
        [::core::mem::offset_of!(arch_shared_info, p2m_vaddr) - 32usize];
    ["Offset of field: arch_shared_info::p2m_generation"]
        [::core::mem::offset_of!(arch_shared_info, p2m_generation) - 40usize];
};
pub type arch_shared_info_t = arch_shared_info;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_char {
    pub p: *mut ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_char"][::core::mem::size_of::<__guest_handle_char>() - 8usize];
    ["Alignment of __guest_handle_char"][::core::mem::align_of::<__guest_handle_char>() - 8usize];
    ["Offset of field: __guest_handle_char::p"]
        [::core::mem::offset_of!(__guest_handle_char, p) - 0usize];
};
impl Default for __guest_handle_char {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uchar {
    pub p: *mut ::core::ffi::c_uchar,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uchar"][::core::mem::size_of::<__guest_handle_uchar>() - 8usize];
    ["Alignment of __guest_handle_uchar"][::core::mem::align_of::<__guest_handle_uchar>() - 8usize];
    ["Offset of field: __guest_handle_uchar::p"]
        [::core::mem::offset_of!(__guest_handle_uchar, p) - 0usize];
};
impl Default for __guest_handle_uchar {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_int {
    pub p: *mut ::core::ffi::c_int,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_int"][::core::mem::size_of::<__guest_handle_int>() - 8usize];
    ["Alignment of __guest_handle_int"][::core::mem::align_of::<__guest_handle_int>() - 8usize];
    ["Offset of field: __guest_handle_int::p"]
        [::core::mem::offset_of!(__guest_handle_int, p) - 0usize];
};
impl Default for __guest_handle_int {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uint {
    pub p: *mut ::core::ffi::c_uint,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uint"][::core::mem::size_of::<__guest_handle_uint>() - 8usize];
    ["Alignment of __guest_handle_uint"][::core::mem::align_of::<__guest_handle_uint>() - 8usize];
    ["Offset of field: __guest_handle_uint::p"]
        [::core::mem::offset_of!(__guest_handle_uint, p) - 0usize];
};
impl Default for __guest_handle_uint {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_void {
    pub p: *mut ::core::ffi::c_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_void"][::core::mem::size_of::<__guest_handle_void>() - 8usize];
    ["Alignment of __guest_handle_void"][::core::mem::align_of::<__guest_handle_void>() - 8usize];
    ["Offset of field: __guest_handle_void::p"]
        [::core::mem::offset_of!(__guest_handle_void, p) - 0usize];
};
impl Default for __guest_handle_void {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uint64_t {
    pub p: *mut u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uint64_t"][::core::mem::size_of::<__guest_handle_uint64_t>() - 8usize];
    ["Alignment of __guest_handle_uint64_t"]
        [::core::mem::align_of::<__guest_handle_uint64_t>() - 8usize];
    ["Offset of field: __guest_handle_uint64_t::p"]
        [::core::mem::offset_of!(__guest_handle_uint64_t, p) - 0usize];
};
impl Default for __guest_handle_uint64_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_pfn_t {
    pub p: *mut xen_pfn_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_pfn_t"]
        [::core::mem::size_of::<__guest_handle_xen_pfn_t>() - 8usize];
    ["Alignment of __guest_handle_xen_pfn_t"]
        [::core::mem::align_of::<__guest_handle_xen_pfn_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_pfn_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_pfn_t, p) - 0usize];
};
impl Default for __guest_handle_xen_pfn_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_ulong_t {
    pub p: *mut xen_ulong_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_ulong_t"]
        [::core::mem::size_of::<__guest_handle_xen_ulong_t>() - 8usize];
    ["Alignment of __guest_handle_xen_ulong_t"]
        [::core::mem::align_of::<__guest_handle_xen_ulong_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_ulong_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_ulong_t, p) - 0usize];
};
impl Default for __guest_handle_xen_ulong_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uint8 {
    pub p: *mut u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uint8"][::core::mem::size_of::<__guest_handle_uint8>() - 8usize];
    ["Alignment of __guest_handle_uint8"][::core::mem::align_of::<__guest_handle_uint8>() - 8usize];
    ["Offset of field: __guest_handle_uint8::p"]
        [::core::mem::offset_of!(__guest_handle_uint8, p) - 0usize];
};
impl Default for __guest_handle_uint8 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uint16 {
    pub p: *mut u16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uint16"][::core::mem::size_of::<__guest_handle_uint16>() - 8usize];
    ["Alignment of __guest_handle_uint16"]
        [::core::mem::align_of::<__guest_handle_uint16>() - 8usize];
    ["Offset of field: __guest_handle_uint16::p"]
        [::core::mem::offset_of!(__guest_handle_uint16, p) - 0usize];
};
impl Default for __guest_handle_uint16 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uint32 {
    pub p: *mut u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uint32"][::core::mem::size_of::<__guest_handle_uint32>() - 8usize];
    ["Alignment of __guest_handle_uint32"]
        [::core::mem::align_of::<__guest_handle_uint32>() - 8usize];
    ["Offset of field: __guest_handle_uint32::p"]
        [::core::mem::offset_of!(__guest_handle_uint32, p) - 0usize];
};
impl Default for __guest_handle_uint32 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_uint64 {
    pub p: *mut u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_uint64"][::core::mem::size_of::<__guest_handle_uint64>() - 8usize];
    ["Alignment of __guest_handle_uint64"]
        [::core::mem::align_of::<__guest_handle_uint64>() - 8usize];
    ["Offset of field: __guest_handle_uint64::p"]
        [::core::mem::offset_of!(__guest_handle_uint64, p) - 0usize];
};
impl Default for __guest_handle_uint64 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type domid_t = u16;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct multicall_entry {
    pub op: xen_ulong_t,
    pub result: xen_ulong_t,
    pub args: [xen_ulong_t; 6usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of multicall_entry"][::core::mem::size_of::<multicall_entry>() - 64usize];
    ["Alignment of multicall_entry"][::core::mem::align_of::<multicall_entry>() - 8usize];
    ["Offset of field: multicall_entry::op"][::core::mem::offset_of!(multicall_entry, op) - 0usize];
    ["Offset of field: multicall_entry::result"]
        [::core::mem::offset_of!(multicall_entry, result) - 8usize];
    ["Offset of field: multicall_entry::args"]
        [::core::mem::offset_of!(multicall_entry, args) - 16usize];
};
pub type multicall_entry_t = multicall_entry;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_multicall_entry_t {
    pub p: *mut multicall_entry_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_multicall_entry_t"]
        [::core::mem::size_of::<__guest_handle_multicall_entry_t>() - 8usize];
    ["Alignment of __guest_handle_multicall_entry_t"]
        [::core::mem::align_of::<__guest_handle_multicall_entry_t>() - 8usize];
    ["Offset of field: __guest_handle_multicall_entry_t::p"]
        [::core::mem::offset_of!(__guest_handle_multicall_entry_t, p) - 0usize];
};
impl Default for __guest_handle_multicall_entry_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct vcpu_time_info {
    pub version: u32,
    pub pad0: u32,
    pub tsc_timestamp: u64,
    pub system_time: u64,
    pub tsc_to_system_mul: u32,
    pub tsc_shift: i8,
    pub flags: u8,
    pub pad1: [u8; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_time_info"][::core::mem::size_of::<vcpu_time_info>() - 32usize];
    ["Alignment of vcpu_time_info"][::core::mem::align_of::<vcpu_time_info>() - 8usize];
    ["Offset of field: vcpu_time_info::version"]
        [::core::mem::offset_of!(vcpu_time_info, version) - 0usize];
    ["Offset of field: vcpu_time_info::pad0"]
        [::core::mem::offset_of!(vcpu_time_info, pad0) - 4usize];
    ["Offset of field: vcpu_time_info::tsc_timestamp"]
        [::core::mem::offset_of!(vcpu_time_info, tsc_timestamp) - 8usize];
    ["Offset of field: vcpu_time_info::system_time"]
        [::core::mem::offset_of!(vcpu_time_info, system_time) - 16usize];
    ["Offset of field: vcpu_time_info::tsc_to_system_mul"]
        [::core::mem::offset_of!(vcpu_time_info, tsc_to_system_mul) - 24usize];
    ["Offset of field: vcpu_time_info::tsc_shift"]
        [::core::mem::offset_of!(vcpu_time_info, tsc_shift) - 28usize];
    ["Offset of field: vcpu_time_info::flags"]
        [::core::mem::offset_of!(vcpu_time_info, flags) - 29usize];
    ["Offset of field: vcpu_time_info::pad1"]
        [::core::mem::offset_of!(vcpu_time_info, pad1) - 30usize];
};
pub type vcpu_time_info_t = vcpu_time_info;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct vcpu_info {
    pub evtchn_upcall_pending: u8,
    pub evtchn_upcall_mask: u8,
    pub evtchn_pending_sel: xen_ulong_t,
    pub arch: arch_vcpu_info,
    pub time: vcpu_time_info_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_info"][::core::mem::size_of::<vcpu_info>() - 64usize];
    ["Alignment of vcpu_info"][::core::mem::align_of::<vcpu_info>() - 8usize];
    ["Offset of field: vcpu_info::evtchn_upcall_pending"]
        [::core::mem::offset_of!(vcpu_info, evtchn_upcall_pending) - 0usize];
    ["Offset of field: vcpu_info::evtchn_upcall_mask"]
        [::core::mem::offset_of!(vcpu_info, evtchn_upcall_mask) - 1usize];
    ["Offset of field: vcpu_info::evtchn_pending_sel"]
        [::core::mem::offset_of!(vcpu_info, evtchn_pending_sel) - 8usize];
    ["Offset of field: vcpu_info::arch"][::core::mem::offset_of!(vcpu_info, arch) - 16usize];
    ["Offset of field: vcpu_info::time"][::core::mem::offset_of!(vcpu_info, time) - 32usize];
};
pub type vcpu_info_t = vcpu_info;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct shared_info {
    pub vcpu_info: [vcpu_info; 32usize],
    pub evtchn_pending: [xen_ulong_t; 64usize],
    pub evtchn_mask: [xen_ulong_t; 64usize],
    pub wc_version: u32,
    pub wc_sec: u32,
    pub wc_nsec: u32,
    pub wc_sec_hi: u32,
    pub arch: arch_shared_info,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of shared_info"][::core::mem::size_of::<shared_info>() - 3136usize];
    ["Alignment of shared_info"][::core::mem::align_of::<shared_info>() - 8usize];
    ["Offset of field: shared_info::vcpu_info"]
        [::core::mem::offset_of!(shared_info, vcpu_info) - 0usize];
    ["Offset of field: shared_info::evtchn_pending"]
        [::core::mem::offset_of!(shared_info, evtchn_pending) - 2048usize];
    ["Offset of field: shared_info::evtchn_mask"]
        [::core::mem::offset_of!(shared_info, evtchn_mask) - 2560usize];
    ["Offset of field: shared_info::wc_version"]
        [::core::mem::offset_of!(shared_info, wc_version) - 3072usize];
    ["Offset of field: shared_info::wc_sec"]
        [::core::mem::offset_of!(shared_info, wc_sec) - 3076usize];
    ["Offset of field: shared_info::wc_nsec"]
        [::core::mem::offset_of!(shared_info, wc_nsec) - 3080usize];
    ["Offset of field: shared_info::wc_sec_hi"]
        [::core::mem::offset_of!(shared_info, wc_sec_hi) - 3084usize];
    ["Offset of field: shared_info::arch"][::core::mem::offset_of!(shared_info, arch) - 3088usize];
};
impl Default for shared_info {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type shared_info_t = shared_info;
pub type xen_domain_handle_t = [u8; 16usize];
pub type evtchn_port_t = u32;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_evtchn_port_t {
    pub p: *mut evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_evtchn_port_t"]
        [::core::mem::size_of::<__guest_handle_evtchn_port_t>() - 8usize];
    ["Alignment of __guest_handle_evtchn_port_t"]
        [::core::mem::align_of::<__guest_handle_evtchn_port_t>() - 8usize];
    ["Offset of field: __guest_handle_evtchn_port_t::p"]
        [::core::mem::offset_of!(__guest_handle_evtchn_port_t, p) - 0usize];
};
impl Default for __guest_handle_evtchn_port_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_alloc_unbound {
    pub dom: domid_t,
    pub remote_dom: domid_t,
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_alloc_unbound"][::core::mem::size_of::<evtchn_alloc_unbound>() - 8usize];
    ["Alignment of evtchn_alloc_unbound"][::core::mem::align_of::<evtchn_alloc_unbound>() - 4usize];
    ["Offset of field: evtchn_alloc_unbound::dom"]
        [::core::mem::offset_of!(evtchn_alloc_unbound, dom) - 0usize];
    ["Offset of field: evtchn_alloc_unbound::remote_dom"]
        [::core::mem::offset_of!(evtchn_alloc_unbound, remote_dom) - 2usize];
    ["Offset of field: evtchn_alloc_unbound::port"]
        [::core::mem::offset_of!(evtchn_alloc_unbound, port) - 4usize];
};
pub type evtchn_alloc_unbound_t = evtchn_alloc_unbound;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_bind_interdomain {
    pub remote_dom: domid_t,
    pub remote_port: evtchn_port_t,
    pub local_port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_bind_interdomain"]
        [::core::mem::size_of::<evtchn_bind_interdomain>() - 12usize];
    ["Alignment of evtchn_bind_interdomain"]
        [::core::mem::align_of::<evtchn_bind_interdomain>() - 4usize];
    ["Offset of field: evtchn_bind_interdomain::remote_dom"]
        [::core::mem::offset_of!(evtchn_bind_interdomain, remote_dom) - 0usize];
    ["Offset of field: evtchn_bind_interdomain::remote_port"]
        [::core::mem::offset_of!(evtchn_bind_interdomain, remote_port) - 4usize];
    ["Offset of field: evtchn_bind_interdomain::local_port"]
        [::core::mem::offset_of!(evtchn_bind_interdomain, local_port) - 8usize];
};
pub type evtchn_bind_interdomain_t = evtchn_bind_interdomain;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_bind_virq {
    pub virq: u32,
    pub vcpu: u32,
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_bind_virq"][::core::mem::size_of::<evtchn_bind_virq>() - 12usize];
    ["Alignment of evtchn_bind_virq"][::core::mem::align_of::<evtchn_bind_virq>() - 4usize];
    ["Offset of field: evtchn_bind_virq::virq"]
        [::core::mem::offset_of!(evtchn_bind_virq, virq) - 0usize];
    ["Offset of field: evtchn_bind_virq::vcpu"]
        [::core::mem::offset_of!(evtchn_bind_virq, vcpu) - 4usize];
    ["Offset of field: evtchn_bind_virq::port"]
        [::core::mem::offset_of!(evtchn_bind_virq, port) - 8usize];
};
pub type evtchn_bind_virq_t = evtchn_bind_virq;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_bind_pirq {
    pub pirq: u32,
    pub flags: u32,
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_bind_pirq"][::core::mem::size_of::<evtchn_bind_pirq>() - 12usize];
    ["Alignment of evtchn_bind_pirq"][::core::mem::align_of::<evtchn_bind_pirq>() - 4usize];
    ["Offset of field: evtchn_bind_pirq::pirq"]
        [::core::mem::offset_of!(evtchn_bind_pirq, pirq) - 0usize];
    ["Offset of field: evtchn_bind_pirq::flags"]
        [::core::mem::offset_of!(evtchn_bind_pirq, flags) - 4usize];
    ["Offset of field: evtchn_bind_pirq::port"]
        [::core::mem::offset_of!(evtchn_bind_pirq, port) - 8usize];
};
pub type evtchn_bind_pirq_t = evtchn_bind_pirq;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_bind_ipi {
    pub vcpu: u32,
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_bind_ipi"][::core::mem::size_of::<evtchn_bind_ipi>() - 8usize];
    ["Alignment of evtchn_bind_ipi"][::core::mem::align_of::<evtchn_bind_ipi>() - 4usize];
    ["Offset of field: evtchn_bind_ipi::vcpu"]
        [::core::mem::offset_of!(evtchn_bind_ipi, vcpu) - 0usize];
    ["Offset of field: evtchn_bind_ipi::port"]
        [::core::mem::offset_of!(evtchn_bind_ipi, port) - 4usize];
};
pub type evtchn_bind_ipi_t = evtchn_bind_ipi;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_close {
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_close"][::core::mem::size_of::<evtchn_close>() - 4usize];
    ["Alignment of evtchn_close"][::core::mem::align_of::<evtchn_close>() - 4usize];
    ["Offset of field: evtchn_close::port"][::core::mem::offset_of!(evtchn_close, port) - 0usize];
};
pub type evtchn_close_t = evtchn_close;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_send {
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_send"][::core::mem::size_of::<evtchn_send>() - 4usize];
    ["Alignment of evtchn_send"][::core::mem::align_of::<evtchn_send>() - 4usize];
    ["Offset of field: evtchn_send::port"][::core::mem::offset_of!(evtchn_send, port) - 0usize];
};
pub type evtchn_send_t = evtchn_send;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct evtchn_status {
    pub dom: domid_t,
    pub port: evtchn_port_t,
    pub status: u32,
    pub vcpu: u32,
    pub u: evtchn_status__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union evtchn_status__bindgen_ty_1 {
    pub unbound: evtchn_status__bindgen_ty_1__bindgen_ty_1,
    pub interdomain: evtchn_status__bindgen_ty_1__bindgen_ty_2,
    pub pirq: u32,
    pub virq: u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_status__bindgen_ty_1__bindgen_ty_1 {
    pub dom: domid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_status__bindgen_ty_1__bindgen_ty_1"]
        [::core::mem::size_of::<evtchn_status__bindgen_ty_1__bindgen_ty_1>() - 2usize];
    ["Alignment of evtchn_status__bindgen_ty_1__bindgen_ty_1"]
        [::core::mem::align_of::<evtchn_status__bindgen_ty_1__bindgen_ty_1>() - 2usize];
    ["Offset of field: evtchn_status__bindgen_ty_1__bindgen_ty_1::dom"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1__bindgen_ty_1, dom) - 0usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_status__bindgen_ty_1__bindgen_ty_2 {
    pub dom: domid_t,
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_status__bindgen_ty_1__bindgen_ty_2"]
        [::core::mem::size_of::<evtchn_status__bindgen_ty_1__bindgen_ty_2>() - 8usize];
    ["Alignment of evtchn_status__bindgen_ty_1__bindgen_ty_2"]
        [::core::mem::align_of::<evtchn_status__bindgen_ty_1__bindgen_ty_2>() - 4usize];
    ["Offset of field: evtchn_status__bindgen_ty_1__bindgen_ty_2::dom"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1__bindgen_ty_2, dom) - 0usize];
    ["Offset of field: evtchn_status__bindgen_ty_1__bindgen_ty_2::port"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1__bindgen_ty_2, port) - 4usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_status__bindgen_ty_1"]
        [::core::mem::size_of::<evtchn_status__bindgen_ty_1>() - 8usize];
    ["Alignment of evtchn_status__bindgen_ty_1"]
        [::core::mem::align_of::<evtchn_status__bindgen_ty_1>() - 4usize];
    ["Offset of field: evtchn_status__bindgen_ty_1::unbound"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1, unbound) - 0usize];
    ["Offset of field: evtchn_status__bindgen_ty_1::interdomain"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1, interdomain) - 0usize];
    ["Offset of field: evtchn_status__bindgen_ty_1::pirq"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1, pirq) - 0usize];
    ["Offset of field: evtchn_status__bindgen_ty_1::virq"]
        [::core::mem::offset_of!(evtchn_status__bindgen_ty_1, virq) - 0usize];
};
impl Default for evtchn_status__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_status"][::core::mem::size_of::<evtchn_status>() - 24usize];
    ["Alignment of evtchn_status"][::core::mem::align_of::<evtchn_status>() - 4usize];
    ["Offset of field: evtchn_status::dom"][::core::mem::offset_of!(evtchn_status, dom) - 0usize];
    ["Offset of field: evtchn_status::port"][::core::mem::offset_of!(evtchn_status, port) - 4usize];
    ["Offset of field: evtchn_status::status"]
        [::core::mem::offset_of!(evtchn_status, status) - 8usize];
    ["Offset of field: evtchn_status::vcpu"]
        [::core::mem::offset_of!(evtchn_status, vcpu) - 12usize];
    ["Offset of field: evtchn_status::u"][::core::mem::offset_of!(evtchn_status, u) - 16usize];
};
impl Default for evtchn_status {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type evtchn_status_t = evtchn_status;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_bind_vcpu {
    pub port: evtchn_port_t,
    pub vcpu: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_bind_vcpu"][::core::mem::size_of::<evtchn_bind_vcpu>() - 8usize];
    ["Alignment of evtchn_bind_vcpu"][::core::mem::align_of::<evtchn_bind_vcpu>() - 4usize];
    ["Offset of field: evtchn_bind_vcpu::port"]
        [::core::mem::offset_of!(evtchn_bind_vcpu, port) - 0usize];
    ["Offset of field: evtchn_bind_vcpu::vcpu"]
        [::core::mem::offset_of!(evtchn_bind_vcpu, vcpu) - 4usize];
};
pub type evtchn_bind_vcpu_t = evtchn_bind_vcpu;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_unmask {
    pub port: evtchn_port_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_unmask"][::core::mem::size_of::<evtchn_unmask>() - 4usize];
    ["Alignment of evtchn_unmask"][::core::mem::align_of::<evtchn_unmask>() - 4usize];
    ["Offset of field: evtchn_unmask::port"][::core::mem::offset_of!(evtchn_unmask, port) - 0usize];
};
pub type evtchn_unmask_t = evtchn_unmask;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_reset {
    pub dom: domid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_reset"][::core::mem::size_of::<evtchn_reset>() - 2usize];
    ["Alignment of evtchn_reset"][::core::mem::align_of::<evtchn_reset>() - 2usize];
    ["Offset of field: evtchn_reset::dom"][::core::mem::offset_of!(evtchn_reset, dom) - 0usize];
};
pub type evtchn_reset_t = evtchn_reset;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_init_control {
    pub control_gfn: u64,
    pub offset: u32,
    pub vcpu: u32,
    pub link_bits: u8,
    pub _pad: [u8; 7usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_init_control"][::core::mem::size_of::<evtchn_init_control>() - 24usize];
    ["Alignment of evtchn_init_control"][::core::mem::align_of::<evtchn_init_control>() - 8usize];
    ["Offset of field: evtchn_init_control::control_gfn"]
        [::core::mem::offset_of!(evtchn_init_control, control_gfn) - 0usize];
    ["Offset of field: evtchn_init_control::offset"]
        [::core::mem::offset_of!(evtchn_init_control, offset) - 8usize];
    ["Offset of field: evtchn_init_control::vcpu"]
        [::core::mem::offset_of!(evtchn_init_control, vcpu) - 12usize];
    ["Offset of field: evtchn_init_control::link_bits"]
        [::core::mem::offset_of!(evtchn_init_control, link_bits) - 16usize];
    ["Offset of field: evtchn_init_control::_pad"]
        [::core::mem::offset_of!(evtchn_init_control, _pad) - 17usize];
};
pub type evtchn_init_control_t = evtchn_init_control;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_expand_array {
    pub array_gfn: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_expand_array"][::core::mem::size_of::<evtchn_expand_array>() - 8usize];
    ["Alignment of evtchn_expand_array"][::core::mem::align_of::<evtchn_expand_array>() - 8usize];
    ["Offset of field: evtchn_expand_array::array_gfn"]
        [::core::mem::offset_of!(evtchn_expand_array, array_gfn) - 0usize];
};
pub type evtchn_expand_array_t = evtchn_expand_array;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_set_priority {
    pub port: evtchn_port_t,
    pub priority: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_set_priority"][::core::mem::size_of::<evtchn_set_priority>() - 8usize];
    ["Alignment of evtchn_set_priority"][::core::mem::align_of::<evtchn_set_priority>() - 4usize];
    ["Offset of field: evtchn_set_priority::port"]
        [::core::mem::offset_of!(evtchn_set_priority, port) - 0usize];
    ["Offset of field: evtchn_set_priority::priority"]
        [::core::mem::offset_of!(evtchn_set_priority, priority) - 4usize];
};
pub type evtchn_set_priority_t = evtchn_set_priority;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct evtchn_op {
    pub cmd: u32,
    pub u: evtchn_op__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union evtchn_op__bindgen_ty_1 {
    pub alloc_unbound: evtchn_alloc_unbound_t,
    pub bind_interdomain: evtchn_bind_interdomain_t,
    pub bind_virq: evtchn_bind_virq_t,
    pub bind_pirq: evtchn_bind_pirq_t,
    pub bind_ipi: evtchn_bind_ipi_t,
    pub close: evtchn_close_t,
    pub send: evtchn_send_t,
    pub status: evtchn_status_t,
    pub bind_vcpu: evtchn_bind_vcpu_t,
    pub unmask: evtchn_unmask_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_op__bindgen_ty_1"]
        [::core::mem::size_of::<evtchn_op__bindgen_ty_1>() - 24usize];
    ["Alignment of evtchn_op__bindgen_ty_1"]
        [::core::mem::align_of::<evtchn_op__bindgen_ty_1>() - 4usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::alloc_unbound"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, alloc_unbound) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::bind_interdomain"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, bind_interdomain) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::bind_virq"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, bind_virq) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::bind_pirq"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, bind_pirq) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::bind_ipi"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, bind_ipi) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::close"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, close) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::send"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, send) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::status"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, status) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::bind_vcpu"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, bind_vcpu) - 0usize];
    ["Offset of field: evtchn_op__bindgen_ty_1::unmask"]
        [::core::mem::offset_of!(evtchn_op__bindgen_ty_1, unmask) - 0usize];
};
impl Default for evtchn_op__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_op"][::core::mem::size_of::<evtchn_op>() - 28usize];
    ["Alignment of evtchn_op"][::core::mem::align_of::<evtchn_op>() - 4usize];
    ["Offset of field: evtchn_op::cmd"][::core::mem::offset_of!(evtchn_op, cmd) - 0usize];
    ["Offset of field: evtchn_op::u"][::core::mem::offset_of!(evtchn_op, u) - 4usize];
};
impl Default for evtchn_op {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type evtchn_op_t = evtchn_op;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_evtchn_op_t {
    pub p: *mut evtchn_op_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_evtchn_op_t"]
        [::core::mem::size_of::<__guest_handle_evtchn_op_t>() - 8usize];
    ["Alignment of __guest_handle_evtchn_op_t"]
        [::core::mem::align_of::<__guest_handle_evtchn_op_t>() - 8usize];
    ["Offset of field: __guest_handle_evtchn_op_t::p"]
        [::core::mem::offset_of!(__guest_handle_evtchn_op_t, p) - 0usize];
};
impl Default for __guest_handle_evtchn_op_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type event_word_t = u32;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct evtchn_fifo_control_block {
    pub ready: u32,
    pub _rsvd: u32,
    pub head: [u32; 16usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of evtchn_fifo_control_block"]
        [::core::mem::size_of::<evtchn_fifo_control_block>() - 72usize];
    ["Alignment of evtchn_fifo_control_block"]
        [::core::mem::align_of::<evtchn_fifo_control_block>() - 4usize];
    ["Offset of field: evtchn_fifo_control_block::ready"]
        [::core::mem::offset_of!(evtchn_fifo_control_block, ready) - 0usize];
    ["Offset of field: evtchn_fifo_control_block::_rsvd"]
        [::core::mem::offset_of!(evtchn_fifo_control_block, _rsvd) - 4usize];
    ["Offset of field: evtchn_fifo_control_block::head"]
        [::core::mem::offset_of!(evtchn_fifo_control_block, head) - 8usize];
};
pub type evtchn_fifo_control_block_t = evtchn_fifo_control_block;
pub type grant_ref_t = u32;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct grant_entry_v1 {
    pub flags: u16,
    pub domid: domid_t,
    pub frame: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of grant_entry_v1"][::core::mem::size_of::<grant_entry_v1>() - 8usize];
    ["Alignment of grant_entry_v1"][::core::mem::align_of::<grant_entry_v1>() - 4usize];
    ["Offset of field: grant_entry_v1::flags"]
        [::core::mem::offset_of!(grant_entry_v1, flags) - 0usize];
    ["Offset of field: grant_entry_v1::domid"]
        [::core::mem::offset_of!(grant_entry_v1, domid) - 2usize];
    ["Offset of field: grant_entry_v1::frame"]
        [::core::mem::offset_of!(grant_entry_v1, frame) - 4usize];
};
pub type grant_entry_v1_t = grant_entry_v1;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct grant_entry_header {
    pub flags: u16,
    pub domid: domid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of grant_entry_header"][::core::mem::size_of::<grant_entry_header>() - 4usize];
    ["Alignment of grant_entry_header"][::core::mem::align_of::<grant_entry_header>() - 2usize];
    ["Offset of field: grant_entry_header::flags"]
        [::core::mem::offset_of!(grant_entry_header, flags) - 0usize];
    ["Offset of field: grant_entry_header::domid"]
        [::core::mem::offset_of!(grant_entry_header, domid) - 2usize];
};
pub type grant_entry_header_t = grant_entry_header;
#[repr(C)]
#[derive(Copy, Clone)]
pub union grant_entry_v2 {
    pub hdr: grant_entry_header_t,
    pub full_page: grant_entry_v2__bindgen_ty_1,
    pub sub_page: grant_entry_v2__bindgen_ty_2,
    pub transitive: grant_entry_v2__bindgen_ty_3,
    pub __spacer: [u32; 4usize],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct grant_entry_v2__bindgen_ty_1 {
    pub hdr: grant_entry_header_t,
    pub pad0: u32,
    pub frame: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of grant_entry_v2__bindgen_ty_1"]
        [::core::mem::size_of::<grant_entry_v2__bindgen_ty_1>() - 16usize];
    ["Alignment of grant_entry_v2__bindgen_ty_1"]
        [::core::mem::align_of::<grant_entry_v2__bindgen_ty_1>() - 8usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_1::hdr"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_1, hdr) - 0usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_1::pad0"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_1, pad0) - 4usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_1::frame"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_1, frame) - 8usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct grant_entry_v2__bindgen_ty_2 {
    pub hdr: grant_entry_header_t,
    pub page_off: u16,
    pub length: u16,
    pub frame: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of grant_entry_v2__bindgen_ty_2"]
        [::core::mem::size_of::<grant_entry_v2__bindgen_ty_2>() - 16usize];
    ["Alignment of grant_entry_v2__bindgen_ty_2"]
        [::core::mem::align_of::<grant_entry_v2__bindgen_ty_2>() - 8usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_2::hdr"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_2, hdr) - 0usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_2::page_off"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_2, page_off) - 4usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_2::length"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_2, length) - 6usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_2::frame"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_2, frame) - 8usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct grant_entry_v2__bindgen_ty_3 {
    pub hdr: grant_entry_header_t,
    pub trans_domid: domid_t,
    pub pad0: u16,
    pub gref: grant_ref_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of grant_entry_v2__bindgen_ty_3"]
        [::core::mem::size_of::<grant_entry_v2__bindgen_ty_3>() - 12usize];
    ["Alignment of grant_entry_v2__bindgen_ty_3"]
        [::core::mem::align_of::<grant_entry_v2__bindgen_ty_3>() - 4usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_3::hdr"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_3, hdr) - 0usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_3::trans_domid"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_3, trans_domid) - 4usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_3::pad0"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_3, pad0) - 6usize];
    ["Offset of field: grant_entry_v2__bindgen_ty_3::gref"]
        [::core::mem::offset_of!(grant_entry_v2__bindgen_ty_3, gref) - 8usize];
};
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of grant_entry_v2"][::core::mem::size_of::<grant_entry_v2>() - 16usize];
    ["Alignment of grant_entry_v2"][::core::mem::align_of::<grant_entry_v2>() - 8usize];
    ["Offset of field: grant_entry_v2::hdr"][::core::mem::offset_of!(grant_entry_v2, hdr) - 0usize];
    ["Offset of field: grant_entry_v2::full_page"]
        [::core::mem::offset_of!(grant_entry_v2, full_page) - 0usize];
    ["Offset of field: grant_entry_v2::sub_page"]
        [::core::mem::offset_of!(grant_entry_v2, sub_page) - 0usize];
    ["Offset of field: grant_entry_v2::transitive"]
        [::core::mem::offset_of!(grant_entry_v2, transitive) - 0usize];
    ["Offset of field: grant_entry_v2::__spacer"]
        [::core::mem::offset_of!(grant_entry_v2, __spacer) - 0usize];
};
impl Default for grant_entry_v2 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type grant_entry_v2_t = grant_entry_v2;
pub type grant_status_t = u16;
pub type grant_handle_t = u32;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_map_grant_ref {
    pub host_addr: u64,
    pub flags: u32,
    pub ref_: grant_ref_t,
    pub dom: domid_t,
    pub status: i16,
    pub handle: grant_handle_t,
    pub dev_bus_addr: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_map_grant_ref"][::core::mem::size_of::<gnttab_map_grant_ref>() - 32usize];
    ["Alignment of gnttab_map_grant_ref"][::core::mem::align_of::<gnttab_map_grant_ref>() - 8usize];
    ["Offset of field: gnttab_map_grant_ref::host_addr"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, host_addr) - 0usize];
    ["Offset of field: gnttab_map_grant_ref::flags"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, flags) - 8usize];
    ["Offset of field: gnttab_map_grant_ref::ref_"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, ref_) - 12usize];
    ["Offset of field: gnttab_map_grant_ref::dom"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, dom) - 16usize];
    ["Offset of field: gnttab_map_grant_ref::status"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, status) - 18usize];
    ["Offset of field: gnttab_map_grant_ref::handle"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, handle) - 20usize];
    ["Offset of field: gnttab_map_grant_ref::dev_bus_addr"]
        [::core::mem::offset_of!(gnttab_map_grant_ref, dev_bus_addr) - 24usize];
};
pub type gnttab_map_grant_ref_t = gnttab_map_grant_ref;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_map_grant_ref_t {
    pub p: *mut gnttab_map_grant_ref_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_map_grant_ref_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_map_grant_ref_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_map_grant_ref_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_map_grant_ref_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_map_grant_ref_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_map_grant_ref_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_map_grant_ref_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_unmap_grant_ref {
    pub host_addr: u64,
    pub dev_bus_addr: u64,
    pub handle: grant_handle_t,
    pub status: i16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_unmap_grant_ref"][::core::mem::size_of::<gnttab_unmap_grant_ref>() - 24usize];
    ["Alignment of gnttab_unmap_grant_ref"]
        [::core::mem::align_of::<gnttab_unmap_grant_ref>() - 8usize];
    ["Offset of field: gnttab_unmap_grant_ref::host_addr"]
        [::core::mem::offset_of!(gnttab_unmap_grant_ref, host_addr) - 0usize];
    ["Offset of field: gnttab_unmap_grant_ref::dev_bus_addr"]
        [::core::mem::offset_of!(gnttab_unmap_grant_ref, dev_bus_addr) - 8usize];
    ["Offset of field: gnttab_unmap_grant_ref::handle"]
        [::core::mem::offset_of!(gnttab_unmap_grant_ref, handle) - 16usize];
    ["Offset of field: gnttab_unmap_grant_ref::status"]
        [::core::mem::offset_of!(gnttab_unmap_grant_ref, status) - 20usize];
};
pub type gnttab_unmap_grant_ref_t = gnttab_unmap_grant_ref;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_unmap_grant_ref_t {
    pub p: *mut gnttab_unmap_grant_ref_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_unmap_grant_ref_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_unmap_grant_ref_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_unmap_grant_ref_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_unmap_grant_ref_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_unmap_grant_ref_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_unmap_grant_ref_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_unmap_grant_ref_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct gnttab_setup_table {
    pub dom: domid_t,
    pub nr_frames: u32,
    pub status: i16,
    pub frame_list: __guest_handle_xen_pfn_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_setup_table"][::core::mem::size_of::<gnttab_setup_table>() - 24usize];
    ["Alignment of gnttab_setup_table"][::core::mem::align_of::<gnttab_setup_table>() - 8usize];
    ["Offset of field: gnttab_setup_table::dom"]
        [::core::mem::offset_of!(gnttab_setup_table, dom) - 0usize];
    ["Offset of field: gnttab_setup_table::nr_frames"]
        [::core::mem::offset_of!(gnttab_setup_table, nr_frames) - 4usize];
    ["Offset of field: gnttab_setup_table::status"]
        [::core::mem::offset_of!(gnttab_setup_table, status) - 8usize];
    ["Offset of field: gnttab_setup_table::frame_list"]
        [::core::mem::offset_of!(gnttab_setup_table, frame_list) - 16usize];
};
impl Default for gnttab_setup_table {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type gnttab_setup_table_t = gnttab_setup_table;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_setup_table_t {
    pub p: *mut gnttab_setup_table_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_setup_table_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_setup_table_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_setup_table_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_setup_table_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_setup_table_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_setup_table_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_setup_table_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_dump_table {
    pub dom: domid_t,
    pub status: i16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_dump_table"][::core::mem::size_of::<gnttab_dump_table>() - 4usize];
    ["Alignment of gnttab_dump_table"][::core::mem::align_of::<gnttab_dump_table>() - 2usize];
    ["Offset of field: gnttab_dump_table::dom"]
        [::core::mem::offset_of!(gnttab_dump_table, dom) - 0usize];
    ["Offset of field: gnttab_dump_table::status"]
        [::core::mem::offset_of!(gnttab_dump_table, status) - 2usize];
};
pub type gnttab_dump_table_t = gnttab_dump_table;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_dump_table_t {
    pub p: *mut gnttab_dump_table_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_dump_table_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_dump_table_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_dump_table_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_dump_table_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_dump_table_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_dump_table_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_dump_table_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_transfer {
    pub mfn: xen_pfn_t,
    pub domid: domid_t,
    pub ref_: grant_ref_t,
    pub status: i16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_transfer"][::core::mem::size_of::<gnttab_transfer>() - 24usize];
    ["Alignment of gnttab_transfer"][::core::mem::align_of::<gnttab_transfer>() - 8usize];
    ["Offset of field: gnttab_transfer::mfn"]
        [::core::mem::offset_of!(gnttab_transfer, mfn) - 0usize];
    ["Offset of field: gnttab_transfer::domid"]
        [::core::mem::offset_of!(gnttab_transfer, domid) - 8usize];
    ["Offset of field: gnttab_transfer::ref_"]
        [::core::mem::offset_of!(gnttab_transfer, ref_) - 12usize];
    ["Offset of field: gnttab_transfer::status"]
        [::core::mem::offset_of!(gnttab_transfer, status) - 16usize];
};
pub type gnttab_transfer_t = gnttab_transfer;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_transfer_t {
    pub p: *mut gnttab_transfer_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_transfer_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_transfer_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_transfer_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_transfer_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_transfer_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_transfer_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_transfer_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct gnttab_copy {
    pub source: gnttab_copy_gnttab_copy_ptr,
    pub dest: gnttab_copy_gnttab_copy_ptr,
    pub len: u16,
    pub flags: u16,
    pub status: i16,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct gnttab_copy_gnttab_copy_ptr {
    pub u: gnttab_copy_gnttab_copy_ptr__bindgen_ty_1,
    pub domid: domid_t,
    pub offset: u16,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union gnttab_copy_gnttab_copy_ptr__bindgen_ty_1 {
    pub ref_: grant_ref_t,
    pub gmfn: xen_pfn_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_copy_gnttab_copy_ptr__bindgen_ty_1"]
        [::core::mem::size_of::<gnttab_copy_gnttab_copy_ptr__bindgen_ty_1>() - 8usize];
    ["Alignment of gnttab_copy_gnttab_copy_ptr__bindgen_ty_1"]
        [::core::mem::align_of::<gnttab_copy_gnttab_copy_ptr__bindgen_ty_1>() - 8usize];
    ["Offset of field: gnttab_copy_gnttab_copy_ptr__bindgen_ty_1::ref_"]
        [::core::mem::offset_of!(gnttab_copy_gnttab_copy_ptr__bindgen_ty_1, ref_) - 0usize];
    ["Offset of field: gnttab_copy_gnttab_copy_ptr__bindgen_ty_1::gmfn"]
        [::core::mem::offset_of!(gnttab_copy_gnttab_copy_ptr__bindgen_ty_1, gmfn) - 0usize];
};
impl Default for gnttab_copy_gnttab_copy_ptr__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_copy_gnttab_copy_ptr"]
        [::core::mem::size_of::<gnttab_copy_gnttab_copy_ptr>() - 16usize];
    ["Alignment of gnttab_copy_gnttab_copy_ptr"]
        [::core::mem::align_of::<gnttab_copy_gnttab_copy_ptr>() - 8usize];
    ["Offset of field: gnttab_copy_gnttab_copy_ptr::u"]
        [::core::mem::offset_of!(gnttab_copy_gnttab_copy_ptr, u) - 0usize];
    ["Offset of field: gnttab_copy_gnttab_copy_ptr::domid"]
        [::core::mem::offset_of!(gnttab_copy_gnttab_copy_ptr, domid) - 8usize];
    ["Offset of field: gnttab_copy_gnttab_copy_ptr::offset"]
        [::core::mem::offset_of!(gnttab_copy_gnttab_copy_ptr, offset) - 10usize];
};
impl Default for gnttab_copy_gnttab_copy_ptr {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_copy"][::core::mem::size_of::<gnttab_copy>() - 40usize];
    ["Alignment of gnttab_copy"][::core::mem::align_of::<gnttab_copy>() - 8usize];
    ["Offset of field: gnttab_copy::source"][::core::mem::offset_of!(gnttab_copy, source) - 0usize];
    ["Offset of field: gnttab_copy::dest"][::core::mem::offset_of!(gnttab_copy, dest) - 16usize];
    ["Offset of field: gnttab_copy::len"][::core::mem::offset_of!(gnttab_copy, len) - 32usize];
    ["Offset of field: gnttab_copy::flags"][::core::mem::offset_of!(gnttab_copy, flags) - 34usize];
    ["Offset of field: gnttab_copy::status"]
        [::core::mem::offset_of!(gnttab_copy, status) - 36usize];
};
impl Default for gnttab_copy {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type gnttab_copy_t = gnttab_copy;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_copy_t {
    pub p: *mut gnttab_copy_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_copy_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_copy_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_copy_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_copy_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_copy_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_copy_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_copy_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_query_size {
    pub dom: domid_t,
    pub nr_frames: u32,
    pub max_nr_frames: u32,
    pub status: i16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_query_size"][::core::mem::size_of::<gnttab_query_size>() - 16usize];
    ["Alignment of gnttab_query_size"][::core::mem::align_of::<gnttab_query_size>() - 4usize];
    ["Offset of field: gnttab_query_size::dom"]
        [::core::mem::offset_of!(gnttab_query_size, dom) - 0usize];
    ["Offset of field: gnttab_query_size::nr_frames"]
        [::core::mem::offset_of!(gnttab_query_size, nr_frames) - 4usize];
    ["Offset of field: gnttab_query_size::max_nr_frames"]
        [::core::mem::offset_of!(gnttab_query_size, max_nr_frames) - 8usize];
    ["Offset of field: gnttab_query_size::status"]
        [::core::mem::offset_of!(gnttab_query_size, status) - 12usize];
};
pub type gnttab_query_size_t = gnttab_query_size;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_query_size_t {
    pub p: *mut gnttab_query_size_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_query_size_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_query_size_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_query_size_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_query_size_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_query_size_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_query_size_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_query_size_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_unmap_and_replace {
    pub host_addr: u64,
    pub new_addr: u64,
    pub handle: grant_handle_t,
    pub status: i16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_unmap_and_replace"]
        [::core::mem::size_of::<gnttab_unmap_and_replace>() - 24usize];
    ["Alignment of gnttab_unmap_and_replace"]
        [::core::mem::align_of::<gnttab_unmap_and_replace>() - 8usize];
    ["Offset of field: gnttab_unmap_and_replace::host_addr"]
        [::core::mem::offset_of!(gnttab_unmap_and_replace, host_addr) - 0usize];
    ["Offset of field: gnttab_unmap_and_replace::new_addr"]
        [::core::mem::offset_of!(gnttab_unmap_and_replace, new_addr) - 8usize];
    ["Offset of field: gnttab_unmap_and_replace::handle"]
        [::core::mem::offset_of!(gnttab_unmap_and_replace, handle) - 16usize];
    ["Offset of field: gnttab_unmap_and_replace::status"]
        [::core::mem::offset_of!(gnttab_unmap_and_replace, status) - 20usize];
};
pub type gnttab_unmap_and_replace_t = gnttab_unmap_and_replace;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_unmap_and_replace_t {
    pub p: *mut gnttab_unmap_and_replace_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_unmap_and_replace_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_unmap_and_replace_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_unmap_and_replace_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_unmap_and_replace_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_unmap_and_replace_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_unmap_and_replace_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_unmap_and_replace_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_set_version {
    pub version: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_set_version"][::core::mem::size_of::<gnttab_set_version>() - 4usize];
    ["Alignment of gnttab_set_version"][::core::mem::align_of::<gnttab_set_version>() - 4usize];
    ["Offset of field: gnttab_set_version::version"]
        [::core::mem::offset_of!(gnttab_set_version, version) - 0usize];
};
pub type gnttab_set_version_t = gnttab_set_version;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_set_version_t {
    pub p: *mut gnttab_set_version_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_set_version_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_set_version_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_set_version_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_set_version_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_set_version_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_set_version_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_set_version_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct gnttab_get_status_frames {
    pub nr_frames: u32,
    pub dom: domid_t,
    pub status: i16,
    pub frame_list: __guest_handle_uint64_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_get_status_frames"]
        [::core::mem::size_of::<gnttab_get_status_frames>() - 16usize];
    ["Alignment of gnttab_get_status_frames"]
        [::core::mem::align_of::<gnttab_get_status_frames>() - 8usize];
    ["Offset of field: gnttab_get_status_frames::nr_frames"]
        [::core::mem::offset_of!(gnttab_get_status_frames, nr_frames) - 0usize];
    ["Offset of field: gnttab_get_status_frames::dom"]
        [::core::mem::offset_of!(gnttab_get_status_frames, dom) - 4usize];
    ["Offset of field: gnttab_get_status_frames::status"]
        [::core::mem::offset_of!(gnttab_get_status_frames, status) - 6usize];
    ["Offset of field: gnttab_get_status_frames::frame_list"]
        [::core::mem::offset_of!(gnttab_get_status_frames, frame_list) - 8usize];
};
impl Default for gnttab_get_status_frames {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type gnttab_get_status_frames_t = gnttab_get_status_frames;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_get_status_frames_t {
    pub p: *mut gnttab_get_status_frames_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_get_status_frames_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_get_status_frames_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_get_status_frames_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_get_status_frames_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_get_status_frames_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_get_status_frames_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_get_status_frames_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_get_version {
    pub dom: domid_t,
    pub pad: u16,
    pub version: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_get_version"][::core::mem::size_of::<gnttab_get_version>() - 8usize];
    ["Alignment of gnttab_get_version"][::core::mem::align_of::<gnttab_get_version>() - 4usize];
    ["Offset of field: gnttab_get_version::dom"]
        [::core::mem::offset_of!(gnttab_get_version, dom) - 0usize];
    ["Offset of field: gnttab_get_version::pad"]
        [::core::mem::offset_of!(gnttab_get_version, pad) - 2usize];
    ["Offset of field: gnttab_get_version::version"]
        [::core::mem::offset_of!(gnttab_get_version, version) - 4usize];
};
pub type gnttab_get_version_t = gnttab_get_version;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_get_version_t {
    pub p: *mut gnttab_get_version_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_get_version_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_get_version_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_get_version_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_get_version_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_get_version_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_get_version_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_get_version_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct gnttab_swap_grant_ref {
    pub ref_a: grant_ref_t,
    pub ref_b: grant_ref_t,
    pub status: i16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_swap_grant_ref"][::core::mem::size_of::<gnttab_swap_grant_ref>() - 12usize];
    ["Alignment of gnttab_swap_grant_ref"]
        [::core::mem::align_of::<gnttab_swap_grant_ref>() - 4usize];
    ["Offset of field: gnttab_swap_grant_ref::ref_a"]
        [::core::mem::offset_of!(gnttab_swap_grant_ref, ref_a) - 0usize];
    ["Offset of field: gnttab_swap_grant_ref::ref_b"]
        [::core::mem::offset_of!(gnttab_swap_grant_ref, ref_b) - 4usize];
    ["Offset of field: gnttab_swap_grant_ref::status"]
        [::core::mem::offset_of!(gnttab_swap_grant_ref, status) - 8usize];
};
pub type gnttab_swap_grant_ref_t = gnttab_swap_grant_ref;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_swap_grant_ref_t {
    pub p: *mut gnttab_swap_grant_ref_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_swap_grant_ref_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_swap_grant_ref_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_swap_grant_ref_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_swap_grant_ref_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_swap_grant_ref_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_swap_grant_ref_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_swap_grant_ref_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct gnttab_cache_flush {
    pub a: gnttab_cache_flush__bindgen_ty_1,
    pub offset: u16,
    pub length: u16,
    pub op: u32,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union gnttab_cache_flush__bindgen_ty_1 {
    pub dev_bus_addr: u64,
    pub ref_: grant_ref_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_cache_flush__bindgen_ty_1"]
        [::core::mem::size_of::<gnttab_cache_flush__bindgen_ty_1>() - 8usize];
    ["Alignment of gnttab_cache_flush__bindgen_ty_1"]
        [::core::mem::align_of::<gnttab_cache_flush__bindgen_ty_1>() - 8usize];
    ["Offset of field: gnttab_cache_flush__bindgen_ty_1::dev_bus_addr"]
        [::core::mem::offset_of!(gnttab_cache_flush__bindgen_ty_1, dev_bus_addr) - 0usize];
    ["Offset of field: gnttab_cache_flush__bindgen_ty_1::ref_"]
        [::core::mem::offset_of!(gnttab_cache_flush__bindgen_ty_1, ref_) - 0usize];
};
impl Default for gnttab_cache_flush__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of gnttab_cache_flush"][::core::mem::size_of::<gnttab_cache_flush>() - 16usize];
    ["Alignment of gnttab_cache_flush"][::core::mem::align_of::<gnttab_cache_flush>() - 8usize];
    ["Offset of field: gnttab_cache_flush::a"]
        [::core::mem::offset_of!(gnttab_cache_flush, a) - 0usize];
    ["Offset of field: gnttab_cache_flush::offset"]
        [::core::mem::offset_of!(gnttab_cache_flush, offset) - 8usize];
    ["Offset of field: gnttab_cache_flush::length"]
        [::core::mem::offset_of!(gnttab_cache_flush, length) - 10usize];
    ["Offset of field: gnttab_cache_flush::op"]
        [::core::mem::offset_of!(gnttab_cache_flush, op) - 12usize];
};
impl Default for gnttab_cache_flush {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type gnttab_cache_flush_t = gnttab_cache_flush;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_gnttab_cache_flush_t {
    pub p: *mut gnttab_cache_flush_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_gnttab_cache_flush_t"]
        [::core::mem::size_of::<__guest_handle_gnttab_cache_flush_t>() - 8usize];
    ["Alignment of __guest_handle_gnttab_cache_flush_t"]
        [::core::mem::align_of::<__guest_handle_gnttab_cache_flush_t>() - 8usize];
    ["Offset of field: __guest_handle_gnttab_cache_flush_t::p"]
        [::core::mem::offset_of!(__guest_handle_gnttab_cache_flush_t, p) - 0usize];
};
impl Default for __guest_handle_gnttab_cache_flush_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xen_memory_reservation {
    pub extent_start: __guest_handle_xen_pfn_t,
    pub nr_extents: xen_ulong_t,
    pub extent_order: ::core::ffi::c_uint,
    pub mem_flags: ::core::ffi::c_uint,
    pub domid: domid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_memory_reservation"][::core::mem::size_of::<xen_memory_reservation>() - 32usize];
    ["Alignment of xen_memory_reservation"]
        [::core::mem::align_of::<xen_memory_reservation>() - 8usize];
    ["Offset of field: xen_memory_reservation::extent_start"]
        [::core::mem::offset_of!(xen_memory_reservation, extent_start) - 0usize];
    ["Offset of field: xen_memory_reservation::nr_extents"]
        [::core::mem::offset_of!(xen_memory_reservation, nr_extents) - 8usize];
    ["Offset of field: xen_memory_reservation::extent_order"]
        [::core::mem::offset_of!(xen_memory_reservation, extent_order) - 16usize];
    ["Offset of field: xen_memory_reservation::mem_flags"]
        [::core::mem::offset_of!(xen_memory_reservation, mem_flags) - 20usize];
    ["Offset of field: xen_memory_reservation::domid"]
        [::core::mem::offset_of!(xen_memory_reservation, domid) - 24usize];
};
impl Default for xen_memory_reservation {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_memory_reservation_t = xen_memory_reservation;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_memory_reservation_t {
    pub p: *mut xen_memory_reservation_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_memory_reservation_t"]
        [::core::mem::size_of::<__guest_handle_xen_memory_reservation_t>() - 8usize];
    ["Alignment of __guest_handle_xen_memory_reservation_t"]
        [::core::mem::align_of::<__guest_handle_xen_memory_reservation_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_memory_reservation_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_memory_reservation_t, p) - 0usize];
};
impl Default for __guest_handle_xen_memory_reservation_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xen_memory_exchange {
    pub in_: xen_memory_reservation,
    pub out: xen_memory_reservation,
    pub nr_exchanged: xen_ulong_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_memory_exchange"][::core::mem::size_of::<xen_memory_exchange>() - 72usize];
    ["Alignment of xen_memory_exchange"][::core::mem::align_of::<xen_memory_exchange>() - 8usize];
    ["Offset of field: xen_memory_exchange::in_"]
        [::core::mem::offset_of!(xen_memory_exchange, in_) - 0usize];
    ["Offset of field: xen_memory_exchange::out"]
        [::core::mem::offset_of!(xen_memory_exchange, out) - 32usize];
    ["Offset of field: xen_memory_exchange::nr_exchanged"]
        [::core::mem::offset_of!(xen_memory_exchange, nr_exchanged) - 64usize];
};
impl Default for xen_memory_exchange {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_memory_exchange_t = xen_memory_exchange;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_memory_exchange_t {
    pub p: *mut xen_memory_exchange_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_memory_exchange_t"]
        [::core::mem::size_of::<__guest_handle_xen_memory_exchange_t>() - 8usize];
    ["Alignment of __guest_handle_xen_memory_exchange_t"]
        [::core::mem::align_of::<__guest_handle_xen_memory_exchange_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_memory_exchange_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_memory_exchange_t, p) - 0usize];
};
impl Default for __guest_handle_xen_memory_exchange_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_memory_domain {
    pub domid: domid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_memory_domain"][::core::mem::size_of::<xen_memory_domain>() - 2usize];
    ["Alignment of xen_memory_domain"][::core::mem::align_of::<xen_memory_domain>() - 2usize];
    ["Offset of field: xen_memory_domain::domid"]
        [::core::mem::offset_of!(xen_memory_domain, domid) - 0usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_add_to_physmap {
    pub domid: domid_t,
    pub size: u16,
    pub space: ::core::ffi::c_uint,
    pub idx: xen_ulong_t,
    pub gpfn: xen_pfn_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_add_to_physmap"][::core::mem::size_of::<xen_add_to_physmap>() - 24usize];
    ["Alignment of xen_add_to_physmap"][::core::mem::align_of::<xen_add_to_physmap>() - 8usize];
    ["Offset of field: xen_add_to_physmap::domid"]
        [::core::mem::offset_of!(xen_add_to_physmap, domid) - 0usize];
    ["Offset of field: xen_add_to_physmap::size"]
        [::core::mem::offset_of!(xen_add_to_physmap, size) - 2usize];
    ["Offset of field: xen_add_to_physmap::space"]
        [::core::mem::offset_of!(xen_add_to_physmap, space) - 4usize];
    ["Offset of field: xen_add_to_physmap::idx"]
        [::core::mem::offset_of!(xen_add_to_physmap, idx) - 8usize];
    ["Offset of field: xen_add_to_physmap::gpfn"]
        [::core::mem::offset_of!(xen_add_to_physmap, gpfn) - 16usize];
};
pub type xen_add_to_physmap_t = xen_add_to_physmap;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_add_to_physmap_t {
    pub p: *mut xen_add_to_physmap_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_add_to_physmap_t"]
        [::core::mem::size_of::<__guest_handle_xen_add_to_physmap_t>() - 8usize];
    ["Alignment of __guest_handle_xen_add_to_physmap_t"]
        [::core::mem::align_of::<__guest_handle_xen_add_to_physmap_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_add_to_physmap_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_add_to_physmap_t, p) - 0usize];
};
impl Default for __guest_handle_xen_add_to_physmap_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct xen_add_to_physmap_batch {
    pub domid: domid_t,
    pub space: u16,
    pub size: u16,
    pub u: xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra,
    pub idxs: __guest_handle_xen_ulong_t,
    pub gpfns: __guest_handle_xen_pfn_t,
    pub errs: __guest_handle_int,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra {
    pub foreign_domid: domid_t,
    pub res0: u16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra"][::core::mem::size_of::<
        xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra,
    >() - 2usize];
    ["Alignment of xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra"][::core::mem::align_of::<
        xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra,
    >() - 2usize];
    ["Offset of field: xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra::foreign_domid"][::core::mem::offset_of!(
        xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra,
        foreign_domid
    )
        - 0usize];
    ["Offset of field: xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra::res0"][::core::mem::offset_of!(
        xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra,
        res0
    ) - 0usize];
};
impl Default for xen_add_to_physmap_batch_xen_add_to_physmap_batch_extra {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_add_to_physmap_batch"]
        [::core::mem::size_of::<xen_add_to_physmap_batch>() - 32usize];
    ["Alignment of xen_add_to_physmap_batch"]
        [::core::mem::align_of::<xen_add_to_physmap_batch>() - 8usize];
    ["Offset of field: xen_add_to_physmap_batch::domid"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, domid) - 0usize];
    ["Offset of field: xen_add_to_physmap_batch::space"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, space) - 2usize];
    ["Offset of field: xen_add_to_physmap_batch::size"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, size) - 4usize];
    ["Offset of field: xen_add_to_physmap_batch::u"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, u) - 6usize];
    ["Offset of field: xen_add_to_physmap_batch::idxs"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, idxs) - 8usize];
    ["Offset of field: xen_add_to_physmap_batch::gpfns"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, gpfns) - 16usize];
    ["Offset of field: xen_add_to_physmap_batch::errs"]
        [::core::mem::offset_of!(xen_add_to_physmap_batch, errs) - 24usize];
};
impl Default for xen_add_to_physmap_batch {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_add_to_physmap_batch_t = xen_add_to_physmap_batch;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_add_to_physmap_batch_t {
    pub p: *mut xen_add_to_physmap_batch_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_add_to_physmap_batch_t"]
        [::core::mem::size_of::<__guest_handle_xen_add_to_physmap_batch_t>() - 8usize];
    ["Alignment of __guest_handle_xen_add_to_physmap_batch_t"]
        [::core::mem::align_of::<__guest_handle_xen_add_to_physmap_batch_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_add_to_physmap_batch_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_add_to_physmap_batch_t, p) - 0usize];
};
impl Default for __guest_handle_xen_add_to_physmap_batch_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_remove_from_physmap {
    pub domid: domid_t,
    pub gpfn: xen_pfn_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_remove_from_physmap"]
        [::core::mem::size_of::<xen_remove_from_physmap>() - 16usize];
    ["Alignment of xen_remove_from_physmap"]
        [::core::mem::align_of::<xen_remove_from_physmap>() - 8usize];
    ["Offset of field: xen_remove_from_physmap::domid"]
        [::core::mem::offset_of!(xen_remove_from_physmap, domid) - 0usize];
    ["Offset of field: xen_remove_from_physmap::gpfn"]
        [::core::mem::offset_of!(xen_remove_from_physmap, gpfn) - 8usize];
};
pub type xen_remove_from_physmap_t = xen_remove_from_physmap;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_remove_from_physmap_t {
    pub p: *mut xen_remove_from_physmap_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_remove_from_physmap_t"]
        [::core::mem::size_of::<__guest_handle_xen_remove_from_physmap_t>() - 8usize];
    ["Alignment of __guest_handle_xen_remove_from_physmap_t"]
        [::core::mem::align_of::<__guest_handle_xen_remove_from_physmap_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_remove_from_physmap_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_remove_from_physmap_t, p) - 0usize];
};
impl Default for __guest_handle_xen_remove_from_physmap_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xen_memory_map {
    pub nr_entries: ::core::ffi::c_uint,
    pub buffer: __guest_handle_void,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_memory_map"][::core::mem::size_of::<xen_memory_map>() - 16usize];
    ["Alignment of xen_memory_map"][::core::mem::align_of::<xen_memory_map>() - 8usize];
    ["Offset of field: xen_memory_map::nr_entries"]
        [::core::mem::offset_of!(xen_memory_map, nr_entries) - 0usize];
    ["Offset of field: xen_memory_map::buffer"]
        [::core::mem::offset_of!(xen_memory_map, buffer) - 8usize];
};
impl Default for xen_memory_map {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_memory_map_t = xen_memory_map;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_memory_map_t {
    pub p: *mut xen_memory_map_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_memory_map_t"]
        [::core::mem::size_of::<__guest_handle_xen_memory_map_t>() - 8usize];
    ["Alignment of __guest_handle_xen_memory_map_t"]
        [::core::mem::align_of::<__guest_handle_xen_memory_map_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_memory_map_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_memory_map_t, p) - 0usize];
};
impl Default for __guest_handle_xen_memory_map_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xen_mem_acquire_resource {
    pub domid: domid_t,
    pub type_: u16,
    pub id: u32,
    pub nr_frames: u32,
    pub pad: u32,
    pub frame: u64,
    pub frame_list: __guest_handle_xen_pfn_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_mem_acquire_resource"]
        [::core::mem::size_of::<xen_mem_acquire_resource>() - 32usize];
    ["Alignment of xen_mem_acquire_resource"]
        [::core::mem::align_of::<xen_mem_acquire_resource>() - 8usize];
    ["Offset of field: xen_mem_acquire_resource::domid"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, domid) - 0usize];
    ["Offset of field: xen_mem_acquire_resource::type_"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, type_) - 2usize];
    ["Offset of field: xen_mem_acquire_resource::id"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, id) - 4usize];
    ["Offset of field: xen_mem_acquire_resource::nr_frames"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, nr_frames) - 8usize];
    ["Offset of field: xen_mem_acquire_resource::pad"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, pad) - 12usize];
    ["Offset of field: xen_mem_acquire_resource::frame"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, frame) - 16usize];
    ["Offset of field: xen_mem_acquire_resource::frame_list"]
        [::core::mem::offset_of!(xen_mem_acquire_resource, frame_list) - 24usize];
};
impl Default for xen_mem_acquire_resource {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_mem_acquire_resource_t = xen_mem_acquire_resource;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_mem_acquire_resource_t {
    pub p: *mut xen_mem_acquire_resource_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_mem_acquire_resource_t"]
        [::core::mem::size_of::<__guest_handle_xen_mem_acquire_resource_t>() - 8usize];
    ["Alignment of __guest_handle_xen_mem_acquire_resource_t"]
        [::core::mem::align_of::<__guest_handle_xen_mem_acquire_resource_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_mem_acquire_resource_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_mem_acquire_resource_t, p) - 0usize];
};
impl Default for __guest_handle_xen_mem_acquire_resource_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_domctl_max_mem {
    pub max_memkb: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_domctl_max_mem"][::core::mem::size_of::<xen_domctl_max_mem>() - 8usize];
    ["Alignment of xen_domctl_max_mem"][::core::mem::align_of::<xen_domctl_max_mem>() - 8usize];
    ["Offset of field: xen_domctl_max_mem::max_memkb"]
        [::core::mem::offset_of!(xen_domctl_max_mem, max_memkb) - 0usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_domctl_iomem_permission {
    pub first_mfn: u64,
    pub nr_mfns: u64,
    pub allow_access: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_domctl_iomem_permission"]
        [::core::mem::size_of::<xen_domctl_iomem_permission>() - 24usize];
    ["Alignment of xen_domctl_iomem_permission"]
        [::core::mem::align_of::<xen_domctl_iomem_permission>() - 8usize];
    ["Offset of field: xen_domctl_iomem_permission::first_mfn"]
        [::core::mem::offset_of!(xen_domctl_iomem_permission, first_mfn) - 0usize];
    ["Offset of field: xen_domctl_iomem_permission::nr_mfns"]
        [::core::mem::offset_of!(xen_domctl_iomem_permission, nr_mfns) - 8usize];
    ["Offset of field: xen_domctl_iomem_permission::allow_access"]
        [::core::mem::offset_of!(xen_domctl_iomem_permission, allow_access) - 16usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_domctl_memory_mapping {
    pub first_gfn: u64,
    pub first_mfn: u64,
    pub nr_mfns: u64,
    pub add_mapping: u32,
    pub padding: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_domctl_memory_mapping"]
        [::core::mem::size_of::<xen_domctl_memory_mapping>() - 32usize];
    ["Alignment of xen_domctl_memory_mapping"]
        [::core::mem::align_of::<xen_domctl_memory_mapping>() - 8usize];
    ["Offset of field: xen_domctl_memory_mapping::first_gfn"]
        [::core::mem::offset_of!(xen_domctl_memory_mapping, first_gfn) - 0usize];
    ["Offset of field: xen_domctl_memory_mapping::first_mfn"]
        [::core::mem::offset_of!(xen_domctl_memory_mapping, first_mfn) - 8usize];
    ["Offset of field: xen_domctl_memory_mapping::nr_mfns"]
        [::core::mem::offset_of!(xen_domctl_memory_mapping, nr_mfns) - 16usize];
    ["Offset of field: xen_domctl_memory_mapping::add_mapping"]
        [::core::mem::offset_of!(xen_domctl_memory_mapping, add_mapping) - 24usize];
    ["Offset of field: xen_domctl_memory_mapping::padding"]
        [::core::mem::offset_of!(xen_domctl_memory_mapping, padding) - 28usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_domctl_set_target {
    pub target: domid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_domctl_set_target"][::core::mem::size_of::<xen_domctl_set_target>() - 2usize];
    ["Alignment of xen_domctl_set_target"]
        [::core::mem::align_of::<xen_domctl_set_target>() - 2usize];
    ["Offset of field: xen_domctl_set_target::target"]
        [::core::mem::offset_of!(xen_domctl_set_target, target) - 0usize];
};
#[repr(C)]
#[derive(Copy, Clone)]
pub struct xen_domctl {
    pub cmd: u32,
    pub interface_version: u32,
    pub domain: domid_t,
    pub _pad: [u16; 3usize],
    pub u: xen_domctl__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union xen_domctl__bindgen_ty_1 {
    pub max_mem: xen_domctl_max_mem,
    pub iomem_permission: xen_domctl_iomem_permission,
    pub memory_mapping: xen_domctl_memory_mapping,
    pub set_target: xen_domctl_set_target,
    pub pad: [u8; 128usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_domctl__bindgen_ty_1"]
        [::core::mem::size_of::<xen_domctl__bindgen_ty_1>() - 128usize];
    ["Alignment of xen_domctl__bindgen_ty_1"]
        [::core::mem::align_of::<xen_domctl__bindgen_ty_1>() - 8usize];
    ["Offset of field: xen_domctl__bindgen_ty_1::max_mem"]
        [::core::mem::offset_of!(xen_domctl__bindgen_ty_1, max_mem) - 0usize];
    ["Offset of field: xen_domctl__bindgen_ty_1::iomem_permission"]
        [::core::mem::offset_of!(xen_domctl__bindgen_ty_1, iomem_permission) - 0usize];
    ["Offset of field: xen_domctl__bindgen_ty_1::memory_mapping"]
        [::core::mem::offset_of!(xen_domctl__bindgen_ty_1, memory_mapping) - 0usize];
    ["Offset of field: xen_domctl__bindgen_ty_1::set_target"]
        [::core::mem::offset_of!(xen_domctl__bindgen_ty_1, set_target) - 0usize];
    ["Offset of field: xen_domctl__bindgen_ty_1::pad"]
        [::core::mem::offset_of!(xen_domctl__bindgen_ty_1, pad) - 0usize];
};
impl Default for xen_domctl__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_domctl"][::core::mem::size_of::<xen_domctl>() - 144usize];
    ["Alignment of xen_domctl"][::core::mem::align_of::<xen_domctl>() - 8usize];
    ["Offset of field: xen_domctl::cmd"][::core::mem::offset_of!(xen_domctl, cmd) - 0usize];
    ["Offset of field: xen_domctl::interface_version"]
        [::core::mem::offset_of!(xen_domctl, interface_version) - 4usize];
    ["Offset of field: xen_domctl::domain"][::core::mem::offset_of!(xen_domctl, domain) - 8usize];
    ["Offset of field: xen_domctl::_pad"][::core::mem::offset_of!(xen_domctl, _pad) - 10usize];
    ["Offset of field: xen_domctl::u"][::core::mem::offset_of!(xen_domctl, u) - 16usize];
};
impl Default for xen_domctl {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_domctl_t = xen_domctl;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_domctl_t {
    pub p: *mut xen_domctl_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_domctl_t"]
        [::core::mem::size_of::<__guest_handle_xen_domctl_t>() - 8usize];
    ["Alignment of __guest_handle_xen_domctl_t"]
        [::core::mem::align_of::<__guest_handle_xen_domctl_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_domctl_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_domctl_t, p) - 0usize];
};
impl Default for __guest_handle_xen_domctl_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct sched_shutdown {
    pub reason: ::core::ffi::c_uint,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sched_shutdown"][::core::mem::size_of::<sched_shutdown>() - 4usize];
    ["Alignment of sched_shutdown"][::core::mem::align_of::<sched_shutdown>() - 4usize];
    ["Offset of field: sched_shutdown::reason"]
        [::core::mem::offset_of!(sched_shutdown, reason) - 0usize];
};
pub type sched_shutdown_t = sched_shutdown;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_sched_shutdown_t {
    pub p: *mut sched_shutdown_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_sched_shutdown_t"]
        [::core::mem::size_of::<__guest_handle_sched_shutdown_t>() - 8usize];
    ["Alignment of __guest_handle_sched_shutdown_t"]
        [::core::mem::align_of::<__guest_handle_sched_shutdown_t>() - 8usize];
    ["Offset of field: __guest_handle_sched_shutdown_t::p"]
        [::core::mem::offset_of!(__guest_handle_sched_shutdown_t, p) - 0usize];
};
impl Default for __guest_handle_sched_shutdown_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct sched_poll {
    pub ports: __guest_handle_evtchn_port_t,
    pub nr_ports: ::core::ffi::c_uint,
    pub timeout: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sched_poll"][::core::mem::size_of::<sched_poll>() - 24usize];
    ["Alignment of sched_poll"][::core::mem::align_of::<sched_poll>() - 8usize];
    ["Offset of field: sched_poll::ports"][::core::mem::offset_of!(sched_poll, ports) - 0usize];
    ["Offset of field: sched_poll::nr_ports"]
        [::core::mem::offset_of!(sched_poll, nr_ports) - 8usize];
    ["Offset of field: sched_poll::timeout"]
        [::core::mem::offset_of!(sched_poll, timeout) - 16usize];
};
impl Default for sched_poll {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type sched_poll_t = sched_poll;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_sched_poll_t {
    pub p: *mut sched_poll_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_sched_poll_t"]
        [::core::mem::size_of::<__guest_handle_sched_poll_t>() - 8usize];
    ["Alignment of __guest_handle_sched_poll_t"]
        [::core::mem::align_of::<__guest_handle_sched_poll_t>() - 8usize];
    ["Offset of field: __guest_handle_sched_poll_t::p"]
        [::core::mem::offset_of!(__guest_handle_sched_poll_t, p) - 0usize];
};
impl Default for __guest_handle_sched_poll_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct sched_remote_shutdown {
    pub domain_id: domid_t,
    pub reason: ::core::ffi::c_uint,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sched_remote_shutdown"][::core::mem::size_of::<sched_remote_shutdown>() - 8usize];
    ["Alignment of sched_remote_shutdown"]
        [::core::mem::align_of::<sched_remote_shutdown>() - 4usize];
    ["Offset of field: sched_remote_shutdown::domain_id"]
        [::core::mem::offset_of!(sched_remote_shutdown, domain_id) - 0usize];
    ["Offset of field: sched_remote_shutdown::reason"]
        [::core::mem::offset_of!(sched_remote_shutdown, reason) - 4usize];
};
pub type sched_remote_shutdown_t = sched_remote_shutdown;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_sched_remote_shutdown_t {
    pub p: *mut sched_remote_shutdown_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_sched_remote_shutdown_t"]
        [::core::mem::size_of::<__guest_handle_sched_remote_shutdown_t>() - 8usize];
    ["Alignment of __guest_handle_sched_remote_shutdown_t"]
        [::core::mem::align_of::<__guest_handle_sched_remote_shutdown_t>() - 8usize];
    ["Offset of field: __guest_handle_sched_remote_shutdown_t::p"]
        [::core::mem::offset_of!(__guest_handle_sched_remote_shutdown_t, p) - 0usize];
};
impl Default for __guest_handle_sched_remote_shutdown_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct sched_watchdog {
    pub id: u32,
    pub timeout: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sched_watchdog"][::core::mem::size_of::<sched_watchdog>() - 8usize];
    ["Alignment of sched_watchdog"][::core::mem::align_of::<sched_watchdog>() - 4usize];
    ["Offset of field: sched_watchdog::id"][::core::mem::offset_of!(sched_watchdog, id) - 0usize];
    ["Offset of field: sched_watchdog::timeout"]
        [::core::mem::offset_of!(sched_watchdog, timeout) - 4usize];
};
pub type sched_watchdog_t = sched_watchdog;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_sched_watchdog_t {
    pub p: *mut sched_watchdog_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_sched_watchdog_t"]
        [::core::mem::size_of::<__guest_handle_sched_watchdog_t>() - 8usize];
    ["Alignment of __guest_handle_sched_watchdog_t"]
        [::core::mem::align_of::<__guest_handle_sched_watchdog_t>() - 8usize];
    ["Offset of field: __guest_handle_sched_watchdog_t::p"]
        [::core::mem::offset_of!(__guest_handle_sched_watchdog_t, p) - 0usize];
};
impl Default for __guest_handle_sched_watchdog_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct sched_pin_override {
    pub pcpu: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of sched_pin_override"][::core::mem::size_of::<sched_pin_override>() - 4usize];
    ["Alignment of sched_pin_override"][::core::mem::align_of::<sched_pin_override>() - 4usize];
    ["Offset of field: sched_pin_override::pcpu"]
        [::core::mem::offset_of!(sched_pin_override, pcpu) - 0usize];
};
pub type sched_pin_override_t = sched_pin_override;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_sched_pin_override_t {
    pub p: *mut sched_pin_override_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_sched_pin_override_t"]
        [::core::mem::size_of::<__guest_handle_sched_pin_override_t>() - 8usize];
    ["Alignment of __guest_handle_sched_pin_override_t"]
        [::core::mem::align_of::<__guest_handle_sched_pin_override_t>() - 8usize];
    ["Offset of field: __guest_handle_sched_pin_override_t::p"]
        [::core::mem::offset_of!(__guest_handle_sched_pin_override_t, p) - 0usize];
};
impl Default for __guest_handle_sched_pin_override_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct vcpu_runstate_info {
    pub state: ::core::ffi::c_int,
    pub state_entry_time: u64,
    pub time: [u64; 4usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_runstate_info"][::core::mem::size_of::<vcpu_runstate_info>() - 48usize];
    ["Alignment of vcpu_runstate_info"][::core::mem::align_of::<vcpu_runstate_info>() - 8usize];
    ["Offset of field: vcpu_runstate_info::state"]
        [::core::mem::offset_of!(vcpu_runstate_info, state) - 0usize];
    ["Offset of field: vcpu_runstate_info::state_entry_time"]
        [::core::mem::offset_of!(vcpu_runstate_info, state_entry_time) - 8usize];
    ["Offset of field: vcpu_runstate_info::time"]
        [::core::mem::offset_of!(vcpu_runstate_info, time) - 16usize];
};
pub type vcpu_runstate_info_t = vcpu_runstate_info;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_vcpu_runstate_info_t {
    pub p: *mut vcpu_runstate_info_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_vcpu_runstate_info_t"]
        [::core::mem::size_of::<__guest_handle_vcpu_runstate_info_t>() - 8usize];
    ["Alignment of __guest_handle_vcpu_runstate_info_t"]
        [::core::mem::align_of::<__guest_handle_vcpu_runstate_info_t>() - 8usize];
    ["Offset of field: __guest_handle_vcpu_runstate_info_t::p"]
        [::core::mem::offset_of!(__guest_handle_vcpu_runstate_info_t, p) - 0usize];
};
impl Default for __guest_handle_vcpu_runstate_info_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Copy, Clone)]
pub struct vcpu_register_runstate_memory_area {
    pub addr: vcpu_register_runstate_memory_area__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union vcpu_register_runstate_memory_area__bindgen_ty_1 {
    pub h: __guest_handle_vcpu_runstate_info_t,
    pub v: *mut vcpu_runstate_info,
    pub p: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_register_runstate_memory_area__bindgen_ty_1"]
        [::core::mem::size_of::<vcpu_register_runstate_memory_area__bindgen_ty_1>() - 8usize];
    ["Alignment of vcpu_register_runstate_memory_area__bindgen_ty_1"]
        [::core::mem::align_of::<vcpu_register_runstate_memory_area__bindgen_ty_1>() - 8usize];
    ["Offset of field: vcpu_register_runstate_memory_area__bindgen_ty_1::h"]
        [::core::mem::offset_of!(vcpu_register_runstate_memory_area__bindgen_ty_1, h) - 0usize];
    ["Offset of field: vcpu_register_runstate_memory_area__bindgen_ty_1::v"]
        [::core::mem::offset_of!(vcpu_register_runstate_memory_area__bindgen_ty_1, v) - 0usize];
    ["Offset of field: vcpu_register_runstate_memory_area__bindgen_ty_1::p"]
        [::core::mem::offset_of!(vcpu_register_runstate_memory_area__bindgen_ty_1, p) - 0usize];
};
impl Default for vcpu_register_runstate_memory_area__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_register_runstate_memory_area"]
        [::core::mem::size_of::<vcpu_register_runstate_memory_area>() - 8usize];
    ["Alignment of vcpu_register_runstate_memory_area"]
        [::core::mem::align_of::<vcpu_register_runstate_memory_area>() - 8usize];
    ["Offset of field: vcpu_register_runstate_memory_area::addr"]
        [::core::mem::offset_of!(vcpu_register_runstate_memory_area, addr) - 0usize];
};
impl Default for vcpu_register_runstate_memory_area {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type vcpu_register_runstate_memory_area_t = vcpu_register_runstate_memory_area;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_vcpu_register_runstate_memory_area_t {
    pub p: *mut vcpu_register_runstate_memory_area_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_vcpu_register_runstate_memory_area_t"]
        [::core::mem::size_of::<__guest_handle_vcpu_register_runstate_memory_area_t>() - 8usize];
    ["Alignment of __guest_handle_vcpu_register_runstate_memory_area_t"]
        [::core::mem::align_of::<__guest_handle_vcpu_register_runstate_memory_area_t>() - 8usize];
    ["Offset of field: __guest_handle_vcpu_register_runstate_memory_area_t::p"]
        [::core::mem::offset_of!(__guest_handle_vcpu_register_runstate_memory_area_t, p) - 0usize];
};
impl Default for __guest_handle_vcpu_register_runstate_memory_area_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct vcpu_set_singleshot_timer {
    pub timeout_abs_ns: u64,
    pub flags: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_set_singleshot_timer"]
        [::core::mem::size_of::<vcpu_set_singleshot_timer>() - 16usize];
    ["Alignment of vcpu_set_singleshot_timer"]
        [::core::mem::align_of::<vcpu_set_singleshot_timer>() - 8usize];
    ["Offset of field: vcpu_set_singleshot_timer::timeout_abs_ns"]
        [::core::mem::offset_of!(vcpu_set_singleshot_timer, timeout_abs_ns) - 0usize];
    ["Offset of field: vcpu_set_singleshot_timer::flags"]
        [::core::mem::offset_of!(vcpu_set_singleshot_timer, flags) - 8usize];
};
pub type vcpu_set_singleshot_timer_t = vcpu_set_singleshot_timer;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_vcpu_set_singleshot_timer_t {
    pub p: *mut vcpu_set_singleshot_timer_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_vcpu_set_singleshot_timer_t"]
        [::core::mem::size_of::<__guest_handle_vcpu_set_singleshot_timer_t>() - 8usize];
    ["Alignment of __guest_handle_vcpu_set_singleshot_timer_t"]
        [::core::mem::align_of::<__guest_handle_vcpu_set_singleshot_timer_t>() - 8usize];
    ["Offset of field: __guest_handle_vcpu_set_singleshot_timer_t::p"]
        [::core::mem::offset_of!(__guest_handle_vcpu_set_singleshot_timer_t, p) - 0usize];
};
impl Default for __guest_handle_vcpu_set_singleshot_timer_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct vcpu_register_vcpu_info {
    pub mfn: u64,
    pub offset: u32,
    pub rsvd: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of vcpu_register_vcpu_info"]
        [::core::mem::size_of::<vcpu_register_vcpu_info>() - 16usize];
    ["Alignment of vcpu_register_vcpu_info"]
        [::core::mem::align_of::<vcpu_register_vcpu_info>() - 8usize];
    ["Offset of field: vcpu_register_vcpu_info::mfn"]
        [::core::mem::offset_of!(vcpu_register_vcpu_info, mfn) - 0usize];
    ["Offset of field: vcpu_register_vcpu_info::offset"]
        [::core::mem::offset_of!(vcpu_register_vcpu_info, offset) - 8usize];
    ["Offset of field: vcpu_register_vcpu_info::rsvd"]
        [::core::mem::offset_of!(vcpu_register_vcpu_info, rsvd) - 12usize];
};
pub type vcpu_register_vcpu_info_t = vcpu_register_vcpu_info;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_vcpu_register_vcpu_info_t {
    pub p: *mut vcpu_register_vcpu_info_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_vcpu_register_vcpu_info_t"]
        [::core::mem::size_of::<__guest_handle_vcpu_register_vcpu_info_t>() - 8usize];
    ["Alignment of __guest_handle_vcpu_register_vcpu_info_t"]
        [::core::mem::align_of::<__guest_handle_vcpu_register_vcpu_info_t>() - 8usize];
    ["Offset of field: __guest_handle_vcpu_register_vcpu_info_t::p"]
        [::core::mem::offset_of!(__guest_handle_vcpu_register_vcpu_info_t, p) - 0usize];
};
impl Default for __guest_handle_vcpu_register_vcpu_info_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_hvm_param {
    pub domid: domid_t,
    pub pad: u16,
    pub index: u32,
    pub value: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_hvm_param"][::core::mem::size_of::<xen_hvm_param>() - 16usize];
    ["Alignment of xen_hvm_param"][::core::mem::align_of::<xen_hvm_param>() - 8usize];
    ["Offset of field: xen_hvm_param::domid"]
        [::core::mem::offset_of!(xen_hvm_param, domid) - 0usize];
    ["Offset of field: xen_hvm_param::pad"][::core::mem::offset_of!(xen_hvm_param, pad) - 2usize];
    ["Offset of field: xen_hvm_param::index"]
        [::core::mem::offset_of!(xen_hvm_param, index) - 4usize];
    ["Offset of field: xen_hvm_param::value"]
        [::core::mem::offset_of!(xen_hvm_param, value) - 8usize];
};
pub type xen_hvm_param_t = xen_hvm_param;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_hvm_param_t {
    pub p: *mut xen_hvm_param_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_hvm_param_t"]
        [::core::mem::size_of::<__guest_handle_xen_hvm_param_t>() - 8usize];
    ["Alignment of __guest_handle_xen_hvm_param_t"]
        [::core::mem::align_of::<__guest_handle_xen_hvm_param_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_hvm_param_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_hvm_param_t, p) - 0usize];
};
impl Default for __guest_handle_xen_hvm_param_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub const HVMMEM_ram_rw: hvmmem_type_t = 0;
pub const HVMMEM_ram_ro: hvmmem_type_t = 1;
pub const HVMMEM_mmio_dm: hvmmem_type_t = 2;
pub const HVMMEM_unused: hvmmem_type_t = 3;
pub const HVMMEM_ioreq_server: hvmmem_type_t = 4;
pub type hvmmem_type_t = ::core::ffi::c_uint;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_hvm_get_time {
    pub now: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_hvm_get_time"][::core::mem::size_of::<xen_hvm_get_time>() - 8usize];
    ["Alignment of xen_hvm_get_time"][::core::mem::align_of::<xen_hvm_get_time>() - 8usize];
    ["Offset of field: xen_hvm_get_time::now"]
        [::core::mem::offset_of!(xen_hvm_get_time, now) - 0usize];
};
pub type xen_hvm_get_time_t = xen_hvm_get_time;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_hvm_get_time_t {
    pub p: *mut xen_hvm_get_time_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_hvm_get_time_t"]
        [::core::mem::size_of::<__guest_handle_xen_hvm_get_time_t>() - 8usize];
    ["Alignment of __guest_handle_xen_hvm_get_time_t"]
        [::core::mem::align_of::<__guest_handle_xen_hvm_get_time_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_hvm_get_time_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_hvm_get_time_t, p) - 0usize];
};
impl Default for __guest_handle_xen_hvm_get_time_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_hvm_get_mem_type {
    pub domid: domid_t,
    pub mem_type: u16,
    pub pad: [u16; 2usize],
    pub pfn: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_hvm_get_mem_type"][::core::mem::size_of::<xen_hvm_get_mem_type>() - 16usize];
    ["Alignment of xen_hvm_get_mem_type"][::core::mem::align_of::<xen_hvm_get_mem_type>() - 8usize];
    ["Offset of field: xen_hvm_get_mem_type::domid"]
        [::core::mem::offset_of!(xen_hvm_get_mem_type, domid) - 0usize];
    ["Offset of field: xen_hvm_get_mem_type::mem_type"]
        [::core::mem::offset_of!(xen_hvm_get_mem_type, mem_type) - 2usize];
    ["Offset of field: xen_hvm_get_mem_type::pad"]
        [::core::mem::offset_of!(xen_hvm_get_mem_type, pad) - 4usize];
    ["Offset of field: xen_hvm_get_mem_type::pfn"]
        [::core::mem::offset_of!(xen_hvm_get_mem_type, pfn) - 8usize];
};
pub type xen_hvm_get_mem_type_t = xen_hvm_get_mem_type;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_hvm_get_mem_type_t {
    pub p: *mut xen_hvm_get_mem_type_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_hvm_get_mem_type_t"]
        [::core::mem::size_of::<__guest_handle_xen_hvm_get_mem_type_t>() - 8usize];
    ["Alignment of __guest_handle_xen_hvm_get_mem_type_t"]
        [::core::mem::align_of::<__guest_handle_xen_hvm_get_mem_type_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_hvm_get_mem_type_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_hvm_get_mem_type_t, p) - 0usize];
};
impl Default for __guest_handle_xen_hvm_get_mem_type_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_hvm_evtchn_upcall_vector {
    pub vcpu: u32,
    pub vector: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_hvm_evtchn_upcall_vector"]
        [::core::mem::size_of::<xen_hvm_evtchn_upcall_vector>() - 8usize];
    ["Alignment of xen_hvm_evtchn_upcall_vector"]
        [::core::mem::align_of::<xen_hvm_evtchn_upcall_vector>() - 4usize];
    ["Offset of field: xen_hvm_evtchn_upcall_vector::vcpu"]
        [::core::mem::offset_of!(xen_hvm_evtchn_upcall_vector, vcpu) - 0usize];
    ["Offset of field: xen_hvm_evtchn_upcall_vector::vector"]
        [::core::mem::offset_of!(xen_hvm_evtchn_upcall_vector, vector) - 4usize];
};
pub type xen_hvm_evtchn_upcall_vector_t = xen_hvm_evtchn_upcall_vector;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_hvm_evtchn_upcall_vector_t {
    pub p: *mut xen_hvm_evtchn_upcall_vector_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_hvm_evtchn_upcall_vector_t"]
        [::core::mem::size_of::<__guest_handle_xen_hvm_evtchn_upcall_vector_t>() - 8usize];
    ["Alignment of __guest_handle_xen_hvm_evtchn_upcall_vector_t"]
        [::core::mem::align_of::<__guest_handle_xen_hvm_evtchn_upcall_vector_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_hvm_evtchn_upcall_vector_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_hvm_evtchn_upcall_vector_t, p) - 0usize];
};
impl Default for __guest_handle_xen_hvm_evtchn_upcall_vector_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type ioservid_t = u16;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_create_ioreq_server {
    pub handle_bufioreq: u8,
    pub pad: [u8; 3usize],
    pub id: ioservid_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_create_ioreq_server"]
        [::core::mem::size_of::<xen_dm_op_create_ioreq_server>() - 6usize];
    ["Alignment of xen_dm_op_create_ioreq_server"]
        [::core::mem::align_of::<xen_dm_op_create_ioreq_server>() - 2usize];
    ["Offset of field: xen_dm_op_create_ioreq_server::handle_bufioreq"]
        [::core::mem::offset_of!(xen_dm_op_create_ioreq_server, handle_bufioreq) - 0usize];
    ["Offset of field: xen_dm_op_create_ioreq_server::pad"]
        [::core::mem::offset_of!(xen_dm_op_create_ioreq_server, pad) - 1usize];
    ["Offset of field: xen_dm_op_create_ioreq_server::id"]
        [::core::mem::offset_of!(xen_dm_op_create_ioreq_server, id) - 4usize];
};
pub type xen_dm_op_create_ioreq_server_t = xen_dm_op_create_ioreq_server;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_get_ioreq_server_info {
    pub id: ioservid_t,
    pub flags: u16,
    pub bufioreq_port: evtchn_port_t,
    pub ioreq_gfn: u64,
    pub bufioreq_gfn: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_get_ioreq_server_info"]
        [::core::mem::size_of::<xen_dm_op_get_ioreq_server_info>() - 24usize];
    ["Alignment of xen_dm_op_get_ioreq_server_info"]
        [::core::mem::align_of::<xen_dm_op_get_ioreq_server_info>() - 8usize];
    ["Offset of field: xen_dm_op_get_ioreq_server_info::id"]
        [::core::mem::offset_of!(xen_dm_op_get_ioreq_server_info, id) - 0usize];
    ["Offset of field: xen_dm_op_get_ioreq_server_info::flags"]
        [::core::mem::offset_of!(xen_dm_op_get_ioreq_server_info, flags) - 2usize];
    ["Offset of field: xen_dm_op_get_ioreq_server_info::bufioreq_port"]
        [::core::mem::offset_of!(xen_dm_op_get_ioreq_server_info, bufioreq_port) - 4usize];
    ["Offset of field: xen_dm_op_get_ioreq_server_info::ioreq_gfn"]
        [::core::mem::offset_of!(xen_dm_op_get_ioreq_server_info, ioreq_gfn) - 8usize];
    ["Offset of field: xen_dm_op_get_ioreq_server_info::bufioreq_gfn"]
        [::core::mem::offset_of!(xen_dm_op_get_ioreq_server_info, bufioreq_gfn) - 16usize];
};
pub type xen_dm_op_get_ioreq_server_info_t = xen_dm_op_get_ioreq_server_info;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_ioreq_server_range {
    pub id: ioservid_t,
    pub pad: u16,
    pub type_: u32,
    pub start: u64,
    pub end: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_ioreq_server_range"]
        [::core::mem::size_of::<xen_dm_op_ioreq_server_range>() - 24usize];
    ["Alignment of xen_dm_op_ioreq_server_range"]
        [::core::mem::align_of::<xen_dm_op_ioreq_server_range>() - 8usize];
    ["Offset of field: xen_dm_op_ioreq_server_range::id"]
        [::core::mem::offset_of!(xen_dm_op_ioreq_server_range, id) - 0usize];
    ["Offset of field: xen_dm_op_ioreq_server_range::pad"]
        [::core::mem::offset_of!(xen_dm_op_ioreq_server_range, pad) - 2usize];
    ["Offset of field: xen_dm_op_ioreq_server_range::type_"]
        [::core::mem::offset_of!(xen_dm_op_ioreq_server_range, type_) - 4usize];
    ["Offset of field: xen_dm_op_ioreq_server_range::start"]
        [::core::mem::offset_of!(xen_dm_op_ioreq_server_range, start) - 8usize];
    ["Offset of field: xen_dm_op_ioreq_server_range::end"]
        [::core::mem::offset_of!(xen_dm_op_ioreq_server_range, end) - 16usize];
};
pub type xen_dm_op_ioreq_server_range_t = xen_dm_op_ioreq_server_range;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_set_ioreq_server_state {
    pub id: ioservid_t,
    pub enabled: u8,
    pub pad: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_set_ioreq_server_state"]
        [::core::mem::size_of::<xen_dm_op_set_ioreq_server_state>() - 4usize];
    ["Alignment of xen_dm_op_set_ioreq_server_state"]
        [::core::mem::align_of::<xen_dm_op_set_ioreq_server_state>() - 2usize];
    ["Offset of field: xen_dm_op_set_ioreq_server_state::id"]
        [::core::mem::offset_of!(xen_dm_op_set_ioreq_server_state, id) - 0usize];
    ["Offset of field: xen_dm_op_set_ioreq_server_state::enabled"]
        [::core::mem::offset_of!(xen_dm_op_set_ioreq_server_state, enabled) - 2usize];
    ["Offset of field: xen_dm_op_set_ioreq_server_state::pad"]
        [::core::mem::offset_of!(xen_dm_op_set_ioreq_server_state, pad) - 3usize];
};
pub type xen_dm_op_set_ioreq_server_state_t = xen_dm_op_set_ioreq_server_state;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_destroy_ioreq_server {
    pub id: ioservid_t,
    pub pad: u16,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_destroy_ioreq_server"]
        [::core::mem::size_of::<xen_dm_op_destroy_ioreq_server>() - 4usize];
    ["Alignment of xen_dm_op_destroy_ioreq_server"]
        [::core::mem::align_of::<xen_dm_op_destroy_ioreq_server>() - 2usize];
    ["Offset of field: xen_dm_op_destroy_ioreq_server::id"]
        [::core::mem::offset_of!(xen_dm_op_destroy_ioreq_server, id) - 0usize];
    ["Offset of field: xen_dm_op_destroy_ioreq_server::pad"]
        [::core::mem::offset_of!(xen_dm_op_destroy_ioreq_server, pad) - 2usize];
};
pub type xen_dm_op_destroy_ioreq_server_t = xen_dm_op_destroy_ioreq_server;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_modified_memory {
    pub nr_extents: u32,
    pub opaque: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_modified_memory"]
        [::core::mem::size_of::<xen_dm_op_modified_memory>() - 8usize];
    ["Alignment of xen_dm_op_modified_memory"]
        [::core::mem::align_of::<xen_dm_op_modified_memory>() - 4usize];
    ["Offset of field: xen_dm_op_modified_memory::nr_extents"]
        [::core::mem::offset_of!(xen_dm_op_modified_memory, nr_extents) - 0usize];
    ["Offset of field: xen_dm_op_modified_memory::opaque"]
        [::core::mem::offset_of!(xen_dm_op_modified_memory, opaque) - 4usize];
};
pub type xen_dm_op_modified_memory_t = xen_dm_op_modified_memory;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_modified_memory_extent {
    pub nr: u32,
    pub pad: u32,
    pub first_pfn: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_modified_memory_extent"]
        [::core::mem::size_of::<xen_dm_op_modified_memory_extent>() - 16usize];
    ["Alignment of xen_dm_op_modified_memory_extent"]
        [::core::mem::align_of::<xen_dm_op_modified_memory_extent>() - 8usize];
    ["Offset of field: xen_dm_op_modified_memory_extent::nr"]
        [::core::mem::offset_of!(xen_dm_op_modified_memory_extent, nr) - 0usize];
    ["Offset of field: xen_dm_op_modified_memory_extent::pad"]
        [::core::mem::offset_of!(xen_dm_op_modified_memory_extent, pad) - 4usize];
    ["Offset of field: xen_dm_op_modified_memory_extent::first_pfn"]
        [::core::mem::offset_of!(xen_dm_op_modified_memory_extent, first_pfn) - 8usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_set_mem_type {
    pub nr: u32,
    pub mem_type: u16,
    pub pad: u16,
    pub first_pfn: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_set_mem_type"][::core::mem::size_of::<xen_dm_op_set_mem_type>() - 16usize];
    ["Alignment of xen_dm_op_set_mem_type"]
        [::core::mem::align_of::<xen_dm_op_set_mem_type>() - 8usize];
    ["Offset of field: xen_dm_op_set_mem_type::nr"]
        [::core::mem::offset_of!(xen_dm_op_set_mem_type, nr) - 0usize];
    ["Offset of field: xen_dm_op_set_mem_type::mem_type"]
        [::core::mem::offset_of!(xen_dm_op_set_mem_type, mem_type) - 4usize];
    ["Offset of field: xen_dm_op_set_mem_type::pad"]
        [::core::mem::offset_of!(xen_dm_op_set_mem_type, pad) - 6usize];
    ["Offset of field: xen_dm_op_set_mem_type::first_pfn"]
        [::core::mem::offset_of!(xen_dm_op_set_mem_type, first_pfn) - 8usize];
};
pub type xen_dm_op_set_mem_type_t = xen_dm_op_set_mem_type;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_map_mem_type_to_ioreq_server {
    pub id: ioservid_t,
    pub type_: u16,
    pub flags: u32,
    pub opaque: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_map_mem_type_to_ioreq_server"]
        [::core::mem::size_of::<xen_dm_op_map_mem_type_to_ioreq_server>() - 16usize];
    ["Alignment of xen_dm_op_map_mem_type_to_ioreq_server"]
        [::core::mem::align_of::<xen_dm_op_map_mem_type_to_ioreq_server>() - 8usize];
    ["Offset of field: xen_dm_op_map_mem_type_to_ioreq_server::id"]
        [::core::mem::offset_of!(xen_dm_op_map_mem_type_to_ioreq_server, id) - 0usize];
    ["Offset of field: xen_dm_op_map_mem_type_to_ioreq_server::type_"]
        [::core::mem::offset_of!(xen_dm_op_map_mem_type_to_ioreq_server, type_) - 2usize];
    ["Offset of field: xen_dm_op_map_mem_type_to_ioreq_server::flags"]
        [::core::mem::offset_of!(xen_dm_op_map_mem_type_to_ioreq_server, flags) - 4usize];
    ["Offset of field: xen_dm_op_map_mem_type_to_ioreq_server::opaque"]
        [::core::mem::offset_of!(xen_dm_op_map_mem_type_to_ioreq_server, opaque) - 8usize];
};
pub type xen_dm_op_map_mem_type_to_ioreq_server_t = xen_dm_op_map_mem_type_to_ioreq_server;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_remote_shutdown {
    pub reason: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_remote_shutdown"]
        [::core::mem::size_of::<xen_dm_op_remote_shutdown>() - 4usize];
    ["Alignment of xen_dm_op_remote_shutdown"]
        [::core::mem::align_of::<xen_dm_op_remote_shutdown>() - 4usize];
    ["Offset of field: xen_dm_op_remote_shutdown::reason"]
        [::core::mem::offset_of!(xen_dm_op_remote_shutdown, reason) - 0usize];
};
pub type xen_dm_op_remote_shutdown_t = xen_dm_op_remote_shutdown;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_set_irq_level {
    pub irq: u32,
    pub level: u8,
    pub pad: [u8; 3usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_set_irq_level"][::core::mem::size_of::<xen_dm_op_set_irq_level>() - 8usize];
    ["Alignment of xen_dm_op_set_irq_level"]
        [::core::mem::align_of::<xen_dm_op_set_irq_level>() - 4usize];
    ["Offset of field: xen_dm_op_set_irq_level::irq"]
        [::core::mem::offset_of!(xen_dm_op_set_irq_level, irq) - 0usize];
    ["Offset of field: xen_dm_op_set_irq_level::level"]
        [::core::mem::offset_of!(xen_dm_op_set_irq_level, level) - 4usize];
    ["Offset of field: xen_dm_op_set_irq_level::pad"]
        [::core::mem::offset_of!(xen_dm_op_set_irq_level, pad) - 5usize];
};
pub type xen_dm_op_set_irq_level_t = xen_dm_op_set_irq_level;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_dm_op_nr_vcpus {
    pub vcpus: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_nr_vcpus"][::core::mem::size_of::<xen_dm_op_nr_vcpus>() - 4usize];
    ["Alignment of xen_dm_op_nr_vcpus"][::core::mem::align_of::<xen_dm_op_nr_vcpus>() - 4usize];
    ["Offset of field: xen_dm_op_nr_vcpus::vcpus"]
        [::core::mem::offset_of!(xen_dm_op_nr_vcpus, vcpus) - 0usize];
};
pub type xen_dm_op_nr_vcpus_t = xen_dm_op_nr_vcpus;
#[repr(C)]
#[derive(Copy, Clone)]
pub struct xen_dm_op {
    pub op: u32,
    pub pad: u32,
    pub u: xen_dm_op__bindgen_ty_1,
}
#[repr(C)]
#[derive(Copy, Clone)]
pub union xen_dm_op__bindgen_ty_1 {
    pub create_ioreq_server: xen_dm_op_create_ioreq_server_t,
    pub get_ioreq_server_info: xen_dm_op_get_ioreq_server_info_t,
    pub map_io_range_to_ioreq_server: xen_dm_op_ioreq_server_range_t,
    pub unmap_io_range_from_ioreq_server: xen_dm_op_ioreq_server_range_t,
    pub set_ioreq_server_state: xen_dm_op_set_ioreq_server_state_t,
    pub destroy_ioreq_server: xen_dm_op_destroy_ioreq_server_t,
    pub modified_memory: xen_dm_op_modified_memory_t,
    pub set_mem_type: xen_dm_op_set_mem_type_t,
    pub map_mem_type_to_ioreq_server: xen_dm_op_map_mem_type_to_ioreq_server_t,
    pub remote_shutdown: xen_dm_op_remote_shutdown_t,
    pub set_irq_level: xen_dm_op_set_irq_level_t,
    pub nr_vcpus: xen_dm_op_nr_vcpus_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op__bindgen_ty_1"]
        [::core::mem::size_of::<xen_dm_op__bindgen_ty_1>() - 24usize];
    ["Alignment of xen_dm_op__bindgen_ty_1"]
        [::core::mem::align_of::<xen_dm_op__bindgen_ty_1>() - 8usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::create_ioreq_server"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, create_ioreq_server) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::get_ioreq_server_info"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, get_ioreq_server_info) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::map_io_range_to_ioreq_server"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, map_io_range_to_ioreq_server) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::unmap_io_range_from_ioreq_server"][::core::mem::offset_of!(
        xen_dm_op__bindgen_ty_1,
        unmap_io_range_from_ioreq_server
    ) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::set_ioreq_server_state"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, set_ioreq_server_state) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::destroy_ioreq_server"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, destroy_ioreq_server) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::modified_memory"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, modified_memory) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::set_mem_type"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, set_mem_type) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::map_mem_type_to_ioreq_server"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, map_mem_type_to_ioreq_server) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::remote_shutdown"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, remote_shutdown) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::set_irq_level"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, set_irq_level) - 0usize];
    ["Offset of field: xen_dm_op__bindgen_ty_1::nr_vcpus"]
        [::core::mem::offset_of!(xen_dm_op__bindgen_ty_1, nr_vcpus) - 0usize];
};
impl Default for xen_dm_op__bindgen_ty_1 {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op"][::core::mem::size_of::<xen_dm_op>() - 32usize];
    ["Alignment of xen_dm_op"][::core::mem::align_of::<xen_dm_op>() - 8usize];
    ["Offset of field: xen_dm_op::op"][::core::mem::offset_of!(xen_dm_op, op) - 0usize];
    ["Offset of field: xen_dm_op::pad"][::core::mem::offset_of!(xen_dm_op, pad) - 4usize];
    ["Offset of field: xen_dm_op::u"][::core::mem::offset_of!(xen_dm_op, u) - 8usize];
};
impl Default for xen_dm_op {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct xen_dm_op_buf {
    pub h: __guest_handle_void,
    pub size: xen_ulong_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_dm_op_buf"][::core::mem::size_of::<xen_dm_op_buf>() - 16usize];
    ["Alignment of xen_dm_op_buf"][::core::mem::align_of::<xen_dm_op_buf>() - 8usize];
    ["Offset of field: xen_dm_op_buf::h"][::core::mem::offset_of!(xen_dm_op_buf, h) - 0usize];
    ["Offset of field: xen_dm_op_buf::size"][::core::mem::offset_of!(xen_dm_op_buf, size) - 8usize];
};
impl Default for xen_dm_op_buf {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type xen_dm_op_buf_t = xen_dm_op_buf;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct __guest_handle_xen_dm_op_buf_t {
    pub p: *mut xen_dm_op_buf_t,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of __guest_handle_xen_dm_op_buf_t"]
        [::core::mem::size_of::<__guest_handle_xen_dm_op_buf_t>() - 8usize];
    ["Alignment of __guest_handle_xen_dm_op_buf_t"]
        [::core::mem::align_of::<__guest_handle_xen_dm_op_buf_t>() - 8usize];
    ["Offset of field: __guest_handle_xen_dm_op_buf_t::p"]
        [::core::mem::offset_of!(__guest_handle_xen_dm_op_buf_t, p) - 0usize];
};
impl Default for __guest_handle_xen_dm_op_buf_t {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct ioreq {
    pub addr: u64,
    pub data: u64,
    pub count: u32,
    pub size: u32,
    pub vp_eport: u32,
    pub _pad0: u16,
    pub _bitfield_align_1: [u8; 0],
    pub _bitfield_1: __BindgenBitfieldUnit<[u8; 1usize]>,
    pub type_: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of ioreq"][::core::mem::size_of::<ioreq>() - 32usize];
    ["Alignment of ioreq"][::core::mem::align_of::<ioreq>() - 8usize];
    ["Offset of field: ioreq::addr"][::core::mem::offset_of!(ioreq, addr) - 0usize];
    ["Offset of field: ioreq::data"][::core::mem::offset_of!(ioreq, data) - 8usize];
    ["Offset of field: ioreq::count"][::core::mem::offset_of!(ioreq, count) - 16usize];
    ["Offset of field: ioreq::size"][::core::mem::offset_of!(ioreq, size) - 20usize];
    ["Offset of field: ioreq::vp_eport"][::core::mem::offset_of!(ioreq, vp_eport) - 24usize];
    ["Offset of field: ioreq::_pad0"][::core::mem::offset_of!(ioreq, _pad0) - 28usize];
    ["Offset of field: ioreq::type_"][::core::mem::offset_of!(ioreq, type_) - 31usize];
};
impl ioreq {
    #[inline]
    pub fn state(&self) -> u8 {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(0usize, 4u8) as u8) }
    }
    #[inline]
    pub fn set_state(&mut self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            self._bitfield_1.set(0usize, 4u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn state_raw(this: *const Self) -> u8 {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                0usize,
                4u8,
            ) as u8)
        }
    }
    #[inline]
    pub unsafe fn set_state_raw(this: *mut Self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                0usize,
                4u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn data_is_ptr(&self) -> u8 {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(4usize, 1u8) as u8) }
    }
    #[inline]
    pub fn set_data_is_ptr(&mut self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            self._bitfield_1.set(4usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn data_is_ptr_raw(this: *const Self) -> u8 {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                4usize,
                1u8,
            ) as u8)
        }
    }
    #[inline]
    pub unsafe fn set_data_is_ptr_raw(this: *mut Self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                4usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn dir(&self) -> u8 {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(5usize, 1u8) as u8) }
    }
    #[inline]
    pub fn set_dir(&mut self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            self._bitfield_1.set(5usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn dir_raw(this: *const Self) -> u8 {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                5usize,
                1u8,
            ) as u8)
        }
    }
    #[inline]
    pub unsafe fn set_dir_raw(this: *mut Self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                5usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn df(&self) -> u8 {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(6usize, 1u8) as u8) }
    }
    #[inline]
    pub fn set_df(&mut self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            self._bitfield_1.set(6usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn df_raw(this: *const Self) -> u8 {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                6usize,
                1u8,
            ) as u8)
        }
    }
    #[inline]
    pub unsafe fn set_df_raw(this: *mut Self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                6usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn _pad1(&self) -> u8 {
        unsafe { ::core::mem::transmute(self._bitfield_1.get(7usize, 1u8) as u8) }
    }
    #[inline]
    pub fn set__pad1(&mut self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            self._bitfield_1.set(7usize, 1u8, val as u64)
        }
    }
    #[inline]
    pub unsafe fn _pad1_raw(this: *const Self) -> u8 {
        unsafe {
            ::core::mem::transmute(<__BindgenBitfieldUnit<[u8; 1usize]>>::raw_get(
                ::core::ptr::addr_of!((*this)._bitfield_1),
                7usize,
                1u8,
            ) as u8)
        }
    }
    #[inline]
    pub unsafe fn set__pad1_raw(this: *mut Self, val: u8) {
        unsafe {
            let val: u8 = ::core::mem::transmute(val);
            <__BindgenBitfieldUnit<[u8; 1usize]>>::raw_set(
                ::core::ptr::addr_of_mut!((*this)._bitfield_1),
                7usize,
                1u8,
                val as u64,
            )
        }
    }
    #[inline]
    pub fn new_bitfield_1(
        state: u8,
        data_is_ptr: u8,
        dir: u8,
        df: u8,
        _pad1: u8,
    ) -> __BindgenBitfieldUnit<[u8; 1usize]> {
        let mut __bindgen_bitfield_unit: __BindgenBitfieldUnit<[u8; 1usize]> = Default::default();
        __bindgen_bitfield_unit.set(0usize, 4u8, {
            let state: u8 = unsafe { ::core::mem::transmute(state) };
            state as u64
        });
        __bindgen_bitfield_unit.set(4usize, 1u8, {
            let data_is_ptr: u8 = unsafe { ::core::mem::transmute(data_is_ptr) };
            data_is_ptr as u64
        });
        __bindgen_bitfield_unit.set(5usize, 1u8, {
            let dir: u8 = unsafe { ::core::mem::transmute(dir) };
            dir as u64
        });
        __bindgen_bitfield_unit.set(6usize, 1u8, {
            let df: u8 = unsafe { ::core::mem::transmute(df) };
            df as u64
        });
        __bindgen_bitfield_unit.set(7usize, 1u8, {
            let _pad1: u8 = unsafe { ::core::mem::transmute(_pad1) };
            _pad1 as u64
        });
        __bindgen_bitfield_unit
    }
}
pub type ioreq_t = ioreq;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct shared_iopage {
    pub vcpu_ioreq: [ioreq; 1usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of shared_iopage"][::core::mem::size_of::<shared_iopage>() - 32usize];
    ["Alignment of shared_iopage"][::core::mem::align_of::<shared_iopage>() - 8usize];
    ["Offset of field: shared_iopage::vcpu_ioreq"]
        [::core::mem::offset_of!(shared_iopage, vcpu_ioreq) - 0usize];
};
pub type shared_iopage_t = shared_iopage;
#[repr(C)]
#[repr(align(4))]
#[derive(Debug, Default, Copy, Clone)]
pub struct buf_ioreq {
    pub _bindgen_opaque_blob: [u32; 2usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of buf_ioreq"][::core::mem::size_of::<buf_ioreq>() - 8usize];
    ["Alignment of buf_ioreq"][::core::mem::align_of::<buf_ioreq>() - 4usize];
};
pub type buf_ioreq_t = buf_ioreq;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct buffered_iopage {
    pub read_pointer: u32,
    pub write_pointer: u32,
    pub buf_ioreq: [buf_ioreq_t; 511usize],
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of buffered_iopage"][::core::mem::size_of::<buffered_iopage>() - 4096usize];
    ["Alignment of buffered_iopage"][::core::mem::align_of::<buffered_iopage>() - 4usize];
    ["Offset of field: buffered_iopage::read_pointer"]
        [::core::mem::offset_of!(buffered_iopage, read_pointer) - 0usize];
    ["Offset of field: buffered_iopage::write_pointer"]
        [::core::mem::offset_of!(buffered_iopage, write_pointer) - 4usize];
    ["Offset of field: buffered_iopage::buf_ioreq"]
        [::core::mem::offset_of!(buffered_iopage, buf_ioreq) - 8usize];
};
impl Default for buffered_iopage {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
pub type buffered_iopage_t = buffered_iopage;
pub type xen_extraversion_t = [::core::ffi::c_char; 16usize];
pub type xen_capabilities_info_t = [::core::ffi::c_char; 1024usize];
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct xen_feature_info {
    pub submap_idx: ::core::ffi::c_uint,
    pub submap: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of xen_feature_info"][::core::mem::size_of::<xen_feature_info>() - 8usize];
    ["Alignment of xen_feature_info"][::core::mem::align_of::<xen_feature_info>() - 4usize];
    ["Offset of field: xen_feature_info::submap_idx"]
        [::core::mem::offset_of!(xen_feature_info, submap_idx) - 0usize];
    ["Offset of field: xen_feature_info::submap"]
        [::core::mem::offset_of!(xen_feature_info, submap) - 4usize];
};
pub type xen_feature_info_t = xen_feature_info;
pub const XEN_EPERM: xen_errno = 1;
pub const XEN_ENOENT: xen_errno = 2;
pub const XEN_ESRCH: xen_errno = 3;
pub const XEN_EIO: xen_errno = 5;
pub const XEN_ENXIO: xen_errno = 6;
pub const XEN_E2BIG: xen_errno = 7;
pub const XEN_ENOEXEC: xen_errno = 8;
pub const XEN_EBADF: xen_errno = 9;
pub const XEN_ECHILD: xen_errno = 10;
pub const XEN_EAGAIN: xen_errno = 11;
pub const XEN_EWOULDBLOCK: xen_errno = 11;
pub const XEN_ENOMEM: xen_errno = 12;
pub const XEN_EACCES: xen_errno = 13;
pub const XEN_EFAULT: xen_errno = 14;
pub const XEN_EBUSY: xen_errno = 16;
pub const XEN_EEXIST: xen_errno = 17;
pub const XEN_EXDEV: xen_errno = 18;
pub const XEN_ENODEV: xen_errno = 19;
pub const XEN_ENOTDIR: xen_errno = 20;
pub const XEN_EISDIR: xen_errno = 21;
pub const XEN_EINVAL: xen_errno = 22;
pub const XEN_ENFILE: xen_errno = 23;
pub const XEN_EMFILE: xen_errno = 24;
pub const XEN_ENOSPC: xen_errno = 28;
pub const XEN_EROFS: xen_errno = 30;
pub const XEN_EMLINK: xen_errno = 31;
pub const XEN_EDOM: xen_errno = 33;
pub const XEN_ERANGE: xen_errno = 34;
pub const XEN_EDEADLK: xen_errno = 35;
pub const XEN_EDEADLOCK: xen_errno = 35;
pub const XEN_ENAMETOOLONG: xen_errno = 36;
pub const XEN_ENOLCK: xen_errno = 37;
pub const XEN_ENOSYS: xen_errno = 38;
pub const XEN_ENOTEMPTY: xen_errno = 39;
pub const XEN_ENODATA: xen_errno = 61;
pub const XEN_ETIME: xen_errno = 62;
pub const XEN_EBADMSG: xen_errno = 74;
pub const XEN_EOVERFLOW: xen_errno = 75;
pub const XEN_EILSEQ: xen_errno = 84;
pub const XEN_ENOTSOCK: xen_errno = 88;
pub const XEN_EMSGSIZE: xen_errno = 90;
pub const XEN_EOPNOTSUPP: xen_errno = 95;
pub const XEN_EADDRINUSE: xen_errno = 98;
pub const XEN_EADDRNOTAVAIL: xen_errno = 99;
pub const XEN_ENOBUFS: xen_errno = 105;
pub const XEN_EISCONN: xen_errno = 106;
pub const XEN_ENOTCONN: xen_errno = 107;
pub const XEN_ETIMEDOUT: xen_errno = 110;
pub const XEN_ECONNREFUSED: xen_errno = 111;
pub type xen_errno = ::core::ffi::c_uint;
pub const DOMID_COW: u32 = 32755;
pub const DOMID_FIRST_RESERVED: u32 = 32752;
pub const DOMID_IDLE: u32 = 32767;
pub const DOMID_INVALID: u32 = 32756;
pub const DOMID_IO: u32 = 32753;
pub const DOMID_MASK: u32 = 32767;
pub const DOMID_SELF: u32 = 32752;
pub const DOMID_XEN: u32 = 32754;
pub const EVTCHN_2L_NR_CHANNELS: u32 = 4096;
pub const GNTMAP_guest_avail_mask: u32 = 4294901760;
pub const XEN_CAPABILITIES_INFO_LEN: u32 = 1024;
pub const XEN_EXTRAVERSION_LEN: u32 = 16;
