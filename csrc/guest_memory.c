/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The table of reservations.
 *
 * Reservations never overlap, so their first addresses put them in one order:
 * `order` has the numbers of the slots in use, and a binary search over it
 * finds the only one that can have an address. Anonymous ones and guards are
 * in it like all others. Taking one in or out moves the numbers behind it.
 */
#include "guest_memory.h"

#define NO_SLOT 0xffffu

static struct xg_vm_reservation *at(const struct xg_vm *vm, uint32_t position)
{
	return &vm->slots[vm->order[position]];
}

/* How many reservations begin at or before `addr`. Each round halves what is
 * left: ceil(log2(count + 1)) of them. */
static inline uint32_t begun_by(const struct xg_vm *vm, uintptr_t addr,
				uint32_t *rounds)
{
	const struct xg_vm_reservation *slots = vm->slots;
	const uint16_t *order = vm->order;
	uint32_t left = vm->count;

	while (left) {
		uint32_t half = left / 2;
		bool begun = slots[order[half]].first <= addr;

		if (rounds)
			++*rounds;
		order = begun ? order + half + 1 : order;
		left = begun ? left - half - 1 : half;
	}
	return (uint32_t)(order - vm->order);
}

struct xg_vm_reservation *xg_vm_lookup(const struct xg_vm *vm, uintptr_t addr)
{
	uint32_t position = begun_by(vm, addr, NULL);
	struct xg_vm_reservation *r;

	if (!position)
		return NULL;
	r = at(vm, position - 1);
	return addr <= r->last ? r : NULL;
}

struct xg_vm_reservation *xg_vm_find(struct xg_vm *vm, uintptr_t addr)
{
	struct xg_vm_reservation *r = vm ? xg_vm_lookup(vm, addr) : NULL;

	return r && r->kind != KIND_GUARD ? r : NULL;
}

uint32_t xg_vm_find_cost(struct xg_vm *vm, uintptr_t addr)
{
	uint32_t rounds = 0;

	if (vm)
		begun_by(vm, addr, &rounds);
	return rounds;
}

bool xg_vm_owns(const struct xg_vm *vm, const struct xg_vm_reservation *r)
{
	uintptr_t offset = (uintptr_t)r - (uintptr_t)vm->slots;

	return r && offset / sizeof(*r) < vm->nr_slots &&
	       offset % sizeof(*r) == 0 && r->state != STATE_FREE &&
	       r->state != STATE_DYING;
}

static bool reserved(const struct xg_vm *vm, uintptr_t first, uintptr_t last)
{
	uint32_t position = begun_by(vm, last, NULL);

	return position && at(vm, position - 1)->last >= first;
}

static bool in_pool(const struct xg_vm *vm, uintptr_t first, uintptr_t last)
{
	for (uint32_t i = 0; i < vm->nr_pools; i++)
		if (first <= vm->pools[i].last && vm->pools[i].first <= last)
			return true;
	return false;
}

/* The pages of a range; false if there are none or the range wraps. */
static bool pages_valid(uintptr_t addr, size_t size, uintptr_t *first,
			uintptr_t *last)
{
	if (!size || addr > UINTPTR_MAX - (size - 1))
		return false;
	*first = page_of(addr);
	*last = (addr + (size - 1)) | (XG_PAGE_SIZE - 1);
	return true;
}

/* A slot that is filled in and not in the table yet; -XG_ENOSPC. */
static int take_slot(struct xg_vm *vm, uintptr_t addr, size_t size,
		     uint32_t kind, struct xg_vm_reservation **taken)
{
	struct xg_vm_reservation *r;
	uint32_t times;

	if (vm->free == NO_SLOT)
		return -XG_ENOSPC;
	r = &vm->slots[vm->free];
	vm->free = r->next;
	times = r->times;
	memset(r, 0, sizeof(*r));
	r->times = times;
	r->addr = addr;
	r->size = size;
	r->first = page_of(addr);
	r->last = (addr + (size - 1)) | (XG_PAGE_SIZE - 1);
	r->kind = (uint8_t)kind;
	r->state = STATE_RESERVED;
	*taken = r;
	return 0;
}

static void give_slot(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	r->state = STATE_FREE;
	r->times++;
	r->next = vm->free;
	vm->free = (uint16_t)(r - vm->slots);
}

static void insert(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	uint32_t position = begun_by(vm, r->first, NULL);

	for (uint32_t i = vm->count; i > position; i--)
		vm->order[i] = vm->order[i - 1];
	vm->order[position] = (uint16_t)(r - vm->slots);
	vm->count++;
}

static void take_out(struct xg_vm *vm, const struct xg_vm_reservation *r)
{
	uint32_t position = begun_by(vm, r->first, NULL);

	vm->count--;
	for (uint32_t i = position - 1; i < vm->count; i++)
		vm->order[i] = vm->order[i + 1];
}

/* The range is free, and the arguments are good. */
static int reserve(struct xg_vm *vm, uintptr_t addr, size_t size, uint32_t kind,
		   xg_vm_fault_fn fault, void *cookie,
		   struct xg_vm_reservation **reservation)
{
	struct xg_vm_reservation *r;
	int rc = take_slot(vm, addr, size, kind, &r);

	if (rc)
		return rc;
	r->fault = fault;
	r->cookie = cookie;
	if (kind != KIND_GUARD)
		rc = xg_vm_trap(vm, r);
	if (rc) {
		give_slot(vm, r);
		return rc;
	}
	insert(vm, r);
	*reservation = r;
	return 0;
}

static int reserve_at(struct xg_vm *vm, uintptr_t addr, size_t size,
		      uint32_t kind, xg_vm_fault_fn fault, void *cookie,
		      struct xg_vm_reservation **reservation)
{
	uintptr_t first, last;

	if (!vm || !reservation || !pages_valid(addr, size, &first, &last))
		return -XG_EINVAL;
	if (reserved(vm, first, last) || in_pool(vm, first, last))
		return -XG_EEXIST;
	return reserve(vm, addr, size, kind, fault, cookie, reservation);
}

int xg_vm_reserve(struct xg_vm *vm, uintptr_t addr, size_t size,
		  xg_vm_fault_fn fault, void *cookie,
		  struct xg_vm_reservation **reservation)
{
	if (!fault)
		return -XG_EINVAL;
	return reserve_at(vm, addr, size, KIND_REGULAR, fault, cookie,
			  reservation);
}

int xg_vm_guard(struct xg_vm *vm, uintptr_t addr, size_t size,
		struct xg_vm_reservation **reservation)
{
	return reserve_at(vm, addr, size, KIND_GUARD, NULL, NULL, reservation);
}

int xg_vm_add_pool(struct xg_vm *vm, uintptr_t addr, size_t size)
{
	uintptr_t first, last;
	struct xg_vm_pool *pool;

	if (!vm || !pages_valid(addr, size, &first, &last))
		return -XG_EINVAL;
	if (reserved(vm, first, last) || in_pool(vm, first, last))
		return -XG_EEXIST;
	if (vm->nr_pools == vm->max_pools)
		return -XG_ENOSPC;
	pool = &vm->pools[vm->nr_pools++];
	pool->first = first;
	pool->last = last;
	pool->next = first;
	pool->full = false;
	return 0;
}

/* The first aligned address from `from` on with `size` bytes up to `last`. */
static bool fits(uintptr_t from, uintptr_t last, size_t size, size_t align,
		 uintptr_t *addr)
{
	uintptr_t aligned;

	if (from > last || from > UINTPTR_MAX - (align - 1))
		return false;
	aligned = (from + (align - 1)) & ~(uintptr_t)(align - 1);
	if (aligned > last || last - aligned < size - 1)
		return false;
	*addr = aligned;
	return true;
}

/* The first gap between the pool's reservations that is large enough. */
static bool gap_in(const struct xg_vm *vm, const struct xg_vm_pool *pool,
		   size_t size, size_t align, uintptr_t *addr)
{
	uint32_t position = begun_by(vm, pool->first, NULL);
	uintptr_t from = pool->first;

	/* One that begins where the pool does is in the pool. */
	if (position && at(vm, position - 1)->first == pool->first)
		position--;
	for (; position < vm->count; position++) {
		const struct xg_vm_reservation *r = at(vm, position);

		if (r->first > pool->last)
			break;
		if (r->first != from &&
		    fits(from, r->first - 1, size, align, addr))
			return true;
		if (r->last == pool->last)
			return false;
		from = r->last + 1;
	}
	return fits(from, pool->last, size, align, addr);
}

static bool place_in(const struct xg_vm *vm, const struct xg_vm_pool *pool,
		     size_t size, size_t align, uintptr_t *addr)
{
	return (!pool->full &&
		fits(pool->next, pool->last, size, align, addr)) ||
	       gap_in(vm, pool, size, align, addr);
}

/* Everything up to `last` has been given out once. */
static void advance(struct xg_vm_pool *pool, uintptr_t last)
{
	if (pool->full || last < pool->next)
		return;
	pool->full = last == pool->last;
	pool->next = pool->full ? last : last + 1;
}

int xg_vm_reserve_anon(struct xg_vm *vm, size_t size, size_t align,
		       xg_vm_fault_fn fault, void *cookie,
		       struct xg_vm_reservation **reservation)
{
	/* All of each page is used, the rest of the last one too. */
	size_t whole =
		(size + (XG_PAGE_SIZE - 1)) & ~(size_t)(XG_PAGE_SIZE - 1);

	if (!vm || !reservation || !fault || !whole || (align & (align - 1)))
		return -XG_EINVAL;
	if (align < XG_PAGE_SIZE)
		align = XG_PAGE_SIZE;
	for (uint32_t i = 0; i < vm->nr_pools; i++) {
		struct xg_vm_pool *pool = &vm->pools[i];
		uintptr_t addr;
		int rc;

		if (!place_in(vm, pool, whole, align, &addr))
			continue;
		rc = reserve(vm, addr, size, KIND_ANON, fault, cookie,
			     reservation);
		if (!rc)
			advance(pool, addr + (whole - 1));
		return rc;
	}
	return -XG_ENOSPC;
}

void xg_vm_put(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	r->in_use--;
	if (!r->in_use && r->state == STATE_DYING)
		give_slot(vm, r);
}

int xg_vm_free(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc;

	if (!vm || !xg_vm_owns(vm, r))
		return -XG_EINVAL;
	if (r->state == STATE_MAPPING)
		return -XG_EBUSY;
	rc = xg_vm_release(vm, r);
	if (rc)
		return rc;
	take_out(vm, r);
	if (r->in_use)
		r->state = STATE_DYING;
	else
		give_slot(vm, r);
	return 0;
}

static bool config_valid(const struct xg_vm_config *config)
{
	return config->slots && config->order && config->nr_slots &&
	       config->nr_slots <= XG_VM_MAX_RESERVATIONS &&
	       (config->pools || !config->nr_pools) &&
	       (!config->nr_vcpus || (config->vcpus && config->ports));
}

int xg_vm_init(struct xg_vm *vm, struct xg_guest *g,
	       const struct xg_vm_config *config)
{
	if (!vm || !g || !config || !config_valid(config))
		return -XG_EINVAL;
	memset(vm, 0, sizeof(*vm));
	memset(config->slots, 0, config->nr_slots * sizeof(*config->slots));
	vm->guest = g;
	vm->slots = config->slots;
	vm->order = config->order;
	vm->nr_slots = config->nr_slots;
	vm->pools = config->pools;
	vm->max_pools = config->nr_pools;
	vm->dom = config->dom;
	vm->self = config->self;
	vm->flags = config->flags;
	vm->own = config->own;
	for (uint32_t i = 0; i < vm->nr_slots; i++)
		vm->slots[i].next =
			(uint16_t)(i + 1 < vm->nr_slots ? i + 1 : NO_SLOT);
	return xg_vm_probe(vm, config);
}

int xg_vm_fini(struct xg_vm *vm)
{
	int first = 0, rc;

	if (!vm)
		return -XG_EINVAL;
	if (vm->calls)
		return -XG_EBUSY;
	/* From the last on: none has to move. */
	for (uint32_t i = vm->count; i > 0; i--) {
		rc = xg_vm_free(vm, at(vm, i - 1));
		if (rc && !first)
			first = rc;
	}
	if (first)
		return first;
	return xg_ioreq_destroy(&vm->ioreq);
}

/* The free slots are a list that ends, and each is free. */
static uint32_t count_free(const struct xg_vm *vm)
{
	uint32_t count = 0;

	for (uint32_t i = vm->free; i != NO_SLOT && count <= vm->nr_slots;
	     i = vm->slots[i].next) {
		if (i >= vm->nr_slots || vm->slots[i].state != STATE_FREE)
			return UINT32_MAX;
		count++;
	}
	return count;
}

int xg_vm_verify(struct xg_vm *vm)
{
	uint32_t dying = 0;

	if (!vm)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < vm->nr_slots; i++)
		dying += vm->slots[i].state == STATE_DYING;
	if (count_free(vm) + vm->count + dying != vm->nr_slots)
		return 1;
	for (uint32_t i = 0; i < vm->count; i++) {
		const struct xg_vm_reservation *r = at(vm, i);

		if (vm->order[i] >= vm->nr_slots || !xg_vm_owns(vm, r))
			return 2;
		if (r->first > r->last || xg_page_offset(r->first) ||
		    xg_page_offset(r->last) != XG_PAGE_SIZE - 1)
			return 3;
		if (i && at(vm, i - 1)->last >= r->first)
			return 4;
		if ((r->kind == KIND_GUARD) != !r->fault)
			return 5;
	}
	return 0;
}
