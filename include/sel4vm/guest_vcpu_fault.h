/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A vCPU's access, under libsel4vm's names: for fault callbacks.
 *
 * Data of reads is in lanes of a word: a device register of 32 bits at the
 * aligned address, of which an access of one or two bytes sees a part. So a
 * callback can answer a read of any size inside of a register with the
 * register, and a write is put into the register by emulate_vcpu_fault().
 */
#ifndef SEL4VM_GUEST_VCPU_FAULT_H
#define SEL4VM_GUEST_VCPU_FAULT_H

#include <stdbool.h>

#include "guest_vm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Guest-physical address. */
seL4_Word get_vcpu_fault_address(vm_vcpu_t *vcpu);
/* Always 0: Xen does not say where the vCPU is. */
seL4_Word get_vcpu_fault_ip(vm_vcpu_t *vcpu);
/* What is written, in the low bytes; or what set_vcpu_fault_data() said. */
seL4_Word get_vcpu_fault_data(vm_vcpu_t *vcpu);
/* The bits of the word at the aligned address that are accessed; all bits for
 * 8 bytes. */
seL4_Word get_vcpu_fault_data_mask(vm_vcpu_t *vcpu);
/* Bytes; 0 for an instruction fetch. */
size_t get_vcpu_fault_size(vm_vcpu_t *vcpu);
bool is_vcpu_read_fault(vm_vcpu_t *vcpu);

/* What a read finds at the aligned address. 0. */
int set_vcpu_fault_data(vm_vcpu_t *vcpu, seL4_Word data);
/*
 * For a write: `data`, which was at the aligned address, with the accessed
 * bits changed. For a read: `data`, which was in the register, with the low
 * bytes replaced by what is read.
 */
seL4_Word emulate_vcpu_fault(vm_vcpu_t *vcpu, seL4_Word data);

/* The access is done, the vCPU goes on: xg_vm_answer(). */
void advance_vcpu_fault(vm_vcpu_t *vcpu);
/* There is memory now: xg_vm_retry(). If that fails the access ends as with
 * FAULT_ERROR, and vm_last_error() says why. */
void restart_vcpu_fault(vm_vcpu_t *vcpu);

#ifdef __cplusplus
}
#endif

#endif
