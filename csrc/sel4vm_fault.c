/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libsel4vm's view of an access: data of reads in the lanes of a word. The
 * core has the value as the register will see it.
 */
#include "sel4vm/guest_vcpu_fault.h"

#include "guest_memory.h"

static uint32_t shift_of(const vm_vcpu_t *vcpu)
{
	return (uint32_t)(vcpu->addr & 3) * 8;
}

static uint64_t lanes(const vm_vcpu_t *vcpu)
{
	uint64_t bytes = vcpu->size >= 8 ? UINT64_MAX
					 : (UINT64_C(1) << 8 * vcpu->size) - 1;

	return bytes << shift_of(vcpu);
}

seL4_Word get_vcpu_fault_address(vm_vcpu_t *vcpu)
{
	return vcpu->addr;
}

seL4_Word get_vcpu_fault_ip(vm_vcpu_t *vcpu)
{
	(void)vcpu;
	return 0;
}

seL4_Word get_vcpu_fault_data(vm_vcpu_t *vcpu)
{
	return (seL4_Word)(vcpu->write ? vcpu->data
				       : vcpu->data << shift_of(vcpu));
}

seL4_Word get_vcpu_fault_data_mask(vm_vcpu_t *vcpu)
{
	return (seL4_Word)lanes(vcpu);
}

size_t get_vcpu_fault_size(vm_vcpu_t *vcpu)
{
	return vcpu->size;
}

bool is_vcpu_read_fault(vm_vcpu_t *vcpu)
{
	return !vcpu->write;
}

int set_vcpu_fault_data(vm_vcpu_t *vcpu, seL4_Word data)
{
	vcpu->data =
		vcpu->write ? data : (data & lanes(vcpu)) >> shift_of(vcpu);
	return 0;
}

seL4_Word emulate_vcpu_fault(vm_vcpu_t *vcpu, seL4_Word data)
{
	uint32_t shift = shift_of(vcpu);
	uint64_t mask = lanes(vcpu), found = get_vcpu_fault_data(vcpu);

	if (vcpu->write)
		return (seL4_Word)((data & ~mask) | (found << shift & mask));
	return (seL4_Word)((data & ~(mask >> shift)) | (found & mask) >> shift);
}

void advance_vcpu_fault(vm_vcpu_t *vcpu)
{
	xg_vm_answer(vcpu, vcpu->data);
}

void restart_vcpu_fault(vm_vcpu_t *vcpu)
{
	int rc = xg_vm_retry(vcpu);

	/* Nobody is told, and so nobody else would end the access. */
	if (rc && !xg_vm_answer(vcpu, UINT64_MAX)) {
		vcpu->vm->last_error = rc;
		xg_vm_give_up(vcpu->vm);
	}
}
