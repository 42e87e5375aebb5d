/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Guest memory in libsel4vm's words: a control domain makes the memory of
 * another one, and is asked about its accesses. */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_memory_util.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <xen_guest/domctl.h>

/* Nothing is there in any domain. */
#define HOLE  0x80000000u
#define SLOTS 8

/* A control domain, and its view of domain `a`. */
struct manager {
	struct dom control;
	vm_t vm;
	vm_memory_reservation_t slots[SLOTS];
	uint16_t order[SLOTS];
	struct xg_vm_pool pools[1];
	vm_vcpu_t vcpus[1];
	uint32_t ports[1];
};

static bool start(struct world *w, struct manager *m, uint32_t flags)
{
	const struct xg_sim_domain_config privileged = {
		.flags = XG_SIM_PRIVILEGED | XG_SIM_DIRECT_MAP,
	};
	const struct xg_vm_config config = {
		.dom = w->a.id,
		.self = DOMID_SELF,
		.flags = flags,
		.slots = m->slots,
		.order = m->order,
		.nr_slots = SLOTS,
		.pools = m->pools,
		.nr_pools = 1,
		.vcpus = m->vcpus,
		.ports = m->ports,
		.nr_vcpus = 1,
	};

	return add_domain(w, &privileged, &m->control) &&
	       !xg_sim_switch(m->control.domain) &&
	       /* In KiB: more than the domain has. */
	       !xg_domctl_max_mem(m->control.guest, w->a.id, 8192) &&
	       !vm_memory_init(&m->vm, &config);
}

static bool stop(struct manager *m)
{
	return !vm_memory_fini(&m->vm) && !xg_sim_guest_fini(m->control.domain);
}

/* One access of the domain, made by a thread that is its vCPU. */
struct access {
	struct xg_sim_domain *domain;
	uint64_t address;
	uint64_t value;
	uint32_t size;
	bool write;
	bool over;
	int result;
};

static void *access_thread(void *data)
{
	struct access *access = data;

	if (access->write)
		access->result = xg_sim_write(access->domain, access->address,
					      access->size, access->value);
	else
		access->result = xg_sim_read(access->domain, access->address,
					     access->size, &access->value);
	__atomic_store_n(&access->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Serve the domain until the access is over. */
static int serve(struct manager *m, struct access *access)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, access_thread, access))
		return -XG_ENOMEM;
	while (!__atomic_load_n(&access->over, __ATOMIC_ACQUIRE)) {
		vm_memory_serve(&m->vm);
		sched_yield();
	}
	pthread_join(thread, NULL);
	return access->result;
}

static int load(struct world *w, struct manager *m, uint64_t address,
		uint32_t size, uint64_t *value)
{
	struct access access = {
		.domain = w->a.domain,
		.address = address,
		.size = size,
	};
	int rc = serve(m, &access);

	*value = access.value;
	return rc;
}

static int store(struct world *w, struct manager *m, uint64_t address,
		 uint32_t size, uint64_t value)
{
	struct access access = {
		.domain = w->a.domain,
		.address = address,
		.value = value,
		.size = size,
		.write = true,
	};

	return serve(m, &access);
}

/* A device with one register, and how often it was asked. */
struct device {
	seL4_Word value;
	unsigned int accesses;
};

static memory_fault_result_t device_fault(vm_t *vm, vm_vcpu_t *vcpu,
					  uintptr_t paddr, size_t len,
					  void *cookie)
{
	struct device *device = cookie;

	(void)vm;
	device->accesses++;
	if (get_vcpu_fault_address(vcpu) != paddr ||
	    get_vcpu_fault_size(vcpu) != len)
		return FAULT_ERROR;
	if (is_vcpu_read_fault(vcpu))
		set_vcpu_fault_data(vcpu, device->value);
	else
		device->value = emulate_vcpu_fault(vcpu, device->value);
	advance_vcpu_fault(vcpu);
	return FAULT_HANDLED;
}

static void calls_need_a_current_guest(struct world *w)
{
	const struct xg_vm_config config = {.dom = w->a.id};
	vm_t vm;

	CHECK_EQ(vm_memory_init(&vm, &config), -XG_EINVAL);
}

static void a_device_is_asked(struct world *w)
{
	static struct manager m;
	struct device device = {.value = 0x1122334455667788};
	vm_memory_reservation_t *reservation;
	uintptr_t addr;
	size_t size;
	uint64_t value;

	CHECK(start(w, &m, 0));
	CHECK(vm_memory_caps(&m.vm) & XG_VM_CAP_TRAP);
	reservation =
		vm_reserve_memory_at(&m.vm, HOLE, 0x100, device_fault, &device);
	CHECK(reservation);
	CHECK(vm_reservation_at(&m.vm, HOLE + 8) == reservation);
	vm_get_reservation_memory_region(reservation, &addr, &size);
	CHECK_EQ(addr, HOLE);
	CHECK_EQ(size, 0x100);

	CHECK_EQ(load(w, &m, HOLE, 8, &value), 0);
	CHECK_EQ(value, 0x1122334455667788);
	CHECK_EQ(load(w, &m, HOLE + 2, 2, &value), 0);
	CHECK_EQ(value, 0x5566);
	CHECK_EQ(store(w, &m, HOLE, 4, 0xabcdef01), 0);
	CHECK_EQ(device.value, 0x11223344abcdef01);
	CHECK_EQ(store(w, &m, HOLE + 1, 1, 0x77), 0);
	CHECK_EQ(device.value, 0x11223344abcd7701);
	CHECK_EQ(device.accesses, 4);
	/* Beyond what is reserved nobody is asked. */
	CHECK_EQ(load(w, &m, HOLE + XG_PAGE_SIZE, 4, &value), -XG_EFAULT);
	CHECK_EQ(vm_free_reserved_memory(&m.vm, reservation), 0);
	CHECK_EQ(load(w, &m, HOLE, 4, &value), -XG_EFAULT);
	CHECK_EQ(device.accesses, 4);
	CHECK(stop(&m));
}

static void ram_comes_with_the_first_access(struct world *w)
{
	static struct manager m;
	struct device device = {.value = 0};
	vm_memory_reservation_t *reservation;
	uint64_t value = 1;

	CHECK(start(w, &m, XG_VM_DEFER));
	reservation = vm_reserve_memory_at(&m.vm, HOLE, 2 * XG_PAGE_SIZE,
					   device_fault, &device);
	CHECK(reservation);
	CHECK_EQ(map_frame_alloc_reservation(&m.vm, reservation), 0);
	CHECK_EQ(xg_sim_frame(w->a.domain, HOLE >> XG_PAGE_SHIFT),
		 XG_SIM_EMPTY);
	CHECK_EQ(load(w, &m, HOLE + 16, 8, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(xg_sim_frame(w->a.domain, HOLE >> XG_PAGE_SHIFT), XG_SIM_OWN);
	CHECK_EQ(store(w, &m, HOLE + 16, 8, 77), 0);
	CHECK_EQ(load(w, &m, HOLE + 16, 8, &value), 0);
	CHECK_EQ(value, 77);
	CHECK_EQ(device.accesses, 0);
	CHECK_EQ(vm_free_reserved_memory(&m.vm, reservation), 0);
	CHECK_EQ(xg_sim_frame(w->a.domain, HOLE >> XG_PAGE_SHIFT),
		 XG_SIM_EMPTY);
	CHECK(stop(&m));
}

static void a_frame_is_seen_from_both_sides(struct world *w)
{
	static struct manager m;
	struct device device = {.value = 0};
	uint64_t value = 0;
	uint32_t *seen;

	CHECK(start(w, &m, 0));
	seen = create_allocated_reservation_frame(&m.vm, HOLE, seL4_AllRights,
						  device_fault, &device);
	CHECK(seen);
	CHECK_EQ(vm_last_error(&m.vm), 0);
	seen[3] = 0xc0ffee;
	CHECK_EQ(load(w, &m, HOLE + 12, 4, &value), 0);
	CHECK_EQ(value, 0xc0ffee);
	CHECK_EQ(store(w, &m, HOLE, 4, 5), 0);
	CHECK_EQ(seen[0], 5);
	CHECK(!create_allocated_reservation_frame(&m.vm, HOLE, seL4_AllRights,
						  device_fault, &device));
	CHECK_EQ(vm_last_error(&m.vm), -XG_EEXIST);
	CHECK_EQ(vm_free_reserved_memory(&m.vm, vm_reservation_at(&m.vm, HOLE)),
		 0);
	CHECK(stop(&m));
}

static void registers_are_mapped(struct world *w)
{
	static struct manager m;
	struct device device = {.value = 0};
	vm_memory_reservation_t *reservation;
	uint64_t frame = 0, value = 0;
	uint32_t raw = 0;
	int number;

	CHECK(start(w, &m, XG_VM_PERMIT_MMIO));
	number = xg_sim_device_create(w->sim, 2, &frame);
	CHECK_EQ(number, 0);
	/* The domain's number is needed to take the permission back. */
	CHECK(vm_memory_caps(&m.vm) & XG_VM_CAP_MMIO);
	reservation = vm_reserve_memory_at(&m.vm, HOLE, 2 * XG_PAGE_SIZE,
					   device_fault, &device);
	CHECK(reservation);
	CHECK_EQ(map_ut_alloc_reservation_with_base_paddr(
			 &m.vm, (uintptr_t)(frame << XG_PAGE_SHIFT),
			 reservation),
		 0);
	CHECK_EQ(xg_sim_frame(w->a.domain, HOLE >> XG_PAGE_SHIFT),
		 XG_SIM_DEVICE);
	CHECK_EQ(xg_sim_device_write(w->sim, 0, 0x1fe0, 0x31), 0);
	CHECK_EQ(load(w, &m, HOLE + 0x1fe0, 4, &value), 0);
	CHECK_EQ(value, 0x31);
	CHECK_EQ(store(w, &m, HOLE + 8, 4, 0xbeef), 0);
	CHECK_EQ(xg_sim_device_read(w->sim, 0, 8, &raw), 0);
	CHECK_EQ(raw, 0xbeef);
	CHECK_EQ(device.accesses, 0);
	CHECK_EQ(vm_free_reserved_memory(&m.vm, reservation), 0);
	CHECK_EQ(xg_sim_frame(w->a.domain, HOLE >> XG_PAGE_SHIFT),
		 XG_SIM_EMPTY);

	CHECK_EQ(xg_sim_device_read(w->sim, 1, 0, &raw), -XG_ENOENT);
	CHECK_EQ(xg_sim_device_read(w->sim, 0, 2, &raw), -XG_ENOENT);
	CHECK_EQ(xg_sim_device_write(w->sim, 0, 0x2000, 1), -XG_ENOENT);
	CHECK_EQ(xg_sim_device_create(w->sim, 0, &frame), -XG_EINVAL);
	CHECK_EQ(xg_sim_device_create(w->sim, 1, NULL), -XG_EINVAL);
	CHECK(stop(&m));
}

static void without_device_models_there_are_no_traps(struct world *w)
{
	struct world plain = {.async = w->async, .fifo = w->fifo};
	static struct manager m;

	plain.sim = xg_sim_create(XG_SIM_NO_DEVICE_MODELS);
	CHECK(plain.sim);
	CHECK(add_domain(&plain, NULL, &plain.a));
	CHECK(start(&plain, &m, 0));
	CHECK(!(vm_memory_caps(&m.vm) & XG_VM_CAP_TRAP));
	CHECK_EQ(xg_vm_refusal(&m.vm, XG_VM_TRAP), -XG_EOPNOTSUPP);
	CHECK(stop(&m));
	CHECK_EQ(xg_sim_destroy(plain.sim), 0);
}

static const struct test tests[] = {
	TEST(calls_need_a_current_guest),
	TEST(a_device_is_asked),
	TEST(ram_comes_with_the_first_access),
	TEST(a_frame_is_seen_from_both_sides),
	TEST(registers_are_mapped),
	TEST(without_device_models_there_are_no_traps),
	{NULL, NULL},
};

const struct suite sel4vm_suite = {"sel4vm", tests};
