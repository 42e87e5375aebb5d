/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What becomes of accesses: dispatch, and the server's loop. */
#include "guest_memory.h"
#include "hypercall.h"

/* A load of which nobody says what it reads. */
#define ALL_ONES UINT64_MAX

static int checked(int result)
{
	return result >= XG_FAULT_HANDLED && result <= XG_FAULT_ERROR
		       ? result
		       : XG_FAULT_ERROR;
}

/* The callback may free the reservation, and make others. */
static int call(struct xg_vm *vm, struct xg_vm_reservation *r,
		struct xg_vm_vcpu *vcpu, uintptr_t addr, size_t size)
{
	int result;

	r->in_use++;
	vm->calls++;
	result = r->fault(vm, vcpu, addr, size, r->cookie);
	vm->calls--;
	xg_vm_put(vm, r);
	return checked(result);
}

static int call_unhandled(struct xg_vm *vm, struct xg_vm_vcpu *vcpu)
{
	int result;

	if (!vm->unhandled)
		return XG_FAULT_UNHANDLED;
	vm->calls++;
	result = vm->unhandled(vm, vcpu, vcpu->addr, vcpu->size,
			       vm->unhandled_cookie);
	vm->calls--;
	return checked(result);
}

/* Without a window it is one whose making or freeing failed half-way. */
static bool is_served_read(const struct xg_vm_reservation *r,
			   const struct xg_vm_vcpu *vcpu, size_t size)
{
	return (r->rights & XG_PROT_READ) && r->window &&
	       (r->backing == BACKING_PAGE || r->backing == BACKING_DEVICE) &&
	       vcpu && !vcpu->write && size;
}

/* An access to what xg_vm_lookup() found. */
static int fault(struct xg_vm *vm, struct xg_vm_reservation *r,
		 struct xg_vm_vcpu *vcpu, uintptr_t addr, size_t size)
{
	uint64_t data;
	int rc;

	if (!r || r->kind == KIND_GUARD)
		return XG_FAULT_UNHANDLED;
	if (size && size - 1 > r->last - addr)
		return XG_FAULT_ERROR;
	if (r->state == STATE_DEFERRED) {
		rc = xg_vm_map_deferred(vm, r);
		vm->last_error = rc;
		return rc ? XG_FAULT_ERROR : XG_FAULT_RESTART;
	}
	/* An iterator that touches what it is asked about. */
	if (r->state == STATE_MAPPING)
		return XG_FAULT_ERROR;
	if (!is_served_read(r, vcpu, size))
		return call(vm, r, vcpu, addr, size);
	/* No more than is left of the page: so it has 32 bits. */
	rc = xg_vm_read_page(r, addr, (uint32_t)size, &data);
	if (rc)
		return XG_FAULT_ERROR;
	return xg_vm_answer(vcpu, data) ? XG_FAULT_ERROR : XG_FAULT_HANDLED;
}

int xg_vm_fault(struct xg_vm *vm, struct xg_vm_vcpu *vcpu, uintptr_t addr,
		size_t size)
{
	struct xg_vm_reservation *r = vm ? xg_vm_lookup(vm, addr) : NULL;

	return fault(vm, r, vcpu, addr, size);
}

void xg_vm_begin(struct xg_vm *vm, struct xg_vm_vcpu *vcpu, uintptr_t addr,
		 size_t size, bool write, uint64_t data)
{
	vcpu->vm = vm;
	vcpu->addr = addr;
	vcpu->size = (uint32_t)size;
	vcpu->write = write;
	vcpu->data = data;
	vcpu->stage = VCPU_CALLING;
}

int xg_vm_set_unhandled(struct xg_vm *vm, xg_vm_fault_fn fault, void *cookie)
{
	if (!vm)
		return -XG_EINVAL;
	vm->unhandled = fault;
	vm->unhandled_cookie = cookie;
	return 0;
}

int xg_vm_answer(struct xg_vm_vcpu *vcpu, uint64_t data)
{
	if (!vcpu)
		return -XG_EINVAL;
	switch (vcpu->stage) {
	case VCPU_CALLING:
		if (!vcpu->write)
			vcpu->data = data;
		vcpu->stage = VCPU_ANSWERED;
		return 0;
	case VCPU_WAITING:
		vcpu->stage = VCPU_IDLE;
		return xg_ioreq_answer(&vcpu->vm->ioreq, vcpu->id, data);
	default:
		return -XG_EINVAL;
	}
}

int xg_vm_retry(struct xg_vm_vcpu *vcpu)
{
	int rc;

	if (!vcpu ||
	    (vcpu->stage != VCPU_CALLING && vcpu->stage != VCPU_WAITING))
		return -XG_EINVAL;
	rc = xg_vm_do_access(vcpu->vm, vcpu);
	return rc ? rc : xg_vm_answer(vcpu, vcpu->data);
}

static void finish(struct xg_vm *vm, struct xg_vm_vcpu *vcpu, uint64_t data)
{
	vcpu->stage = VCPU_IDLE;
	xg_ioreq_answer(&vm->ioreq, vcpu->id, data);
}

static void crash(struct xg_vm *vm)
{
	struct sched_remote_shutdown op = {
		.domain_id = vm->dom,
		.reason = SHUTDOWN_crash,
	};

	xg_hypercall2(vm->guest, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown,
		      &op);
}

void xg_vm_give_up(struct xg_vm *vm)
{
	vm->errors++;
	if (vm->flags & XG_VM_CRASH_ON_ERROR)
		crash(vm);
}

static int decide(struct xg_vm *vm, struct xg_vm_vcpu *vcpu)
{
	struct xg_vm_reservation *r = xg_vm_lookup(vm, vcpu->addr);
	int result;

	/* It was on its way here while the memory came. */
	if (r && xg_vm_is_direct(r))
		return XG_FAULT_RESTART;
	result = fault(vm, r, vcpu, vcpu->addr, vcpu->size);
	return result == XG_FAULT_UNHANDLED ? call_unhandled(vm, vcpu) : result;
}

static void serve(struct xg_vm *vm, struct xg_vm_vcpu *vcpu)
{
	int result = decide(vm, vcpu);

	/* Xen has no way to have the vCPU try again. */
	if (result == XG_FAULT_RESTART) {
		vm->last_error = xg_vm_do_access(vm, vcpu);
		if (!vm->last_error) {
			finish(vm, vcpu, vcpu->data);
			return;
		}
	}
	if (result == XG_FAULT_HANDLED) {
		if (vcpu->stage == VCPU_ANSWERED)
			finish(vm, vcpu, vcpu->data);
		else
			vcpu->stage = VCPU_WAITING;
		return;
	}
	if (result != XG_FAULT_IGNORE)
		xg_vm_give_up(vm);
	finish(vm, vcpu, ALL_ONES);
}

uint32_t xg_vm_serve(struct xg_vm *vm)
{
	struct xg_ioreq_access access;
	uint32_t served = 0;

	for (uint32_t i = 0; vm && i < vm->nr_vcpus; i++) {
		if (xg_ioreq_next(&vm->ioreq, i, &access) != 1)
			continue;
		served++;
		if (access.kind == XG_IOREQ_INVALIDATE) {
			/* Windows hold their pages, and none is kept but those
			 * of reservations. */
			xg_ioreq_answer(&vm->ioreq, i, 0);
			continue;
		}
		if (access.addr > UINTPTR_MAX) {
			/* More than this CPU has addresses for. */
			vm->errors++;
			xg_ioreq_answer(&vm->ioreq, i, ALL_ONES);
			continue;
		}
		xg_vm_begin(vm, &vm->vcpus[i], (uintptr_t)access.addr,
			    access.size, access.write, access.data);
		serve(vm, &vm->vcpus[i]);
	}
	return served;
}
