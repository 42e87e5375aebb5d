/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An ioreq server: its making and its end, its ranges, and the hand-over of
 * accesses.
 *
 * Each vCPU has a slot on the page, and its state says whose it is:
 *
 *   NONE -> READY       Xen: an access is there; an event follows
 *   READY -> INPROCESS  we: it has been taken
 *   INPROCESS -> RESP   we: the answer is there; an event follows
 *   RESP -> NONE        Xen: the vCPU goes on
 *
 * Any other step makes Xen crash the domain. Events come without an access
 * too, one at least after the channel is bound.
 */
#include "xen_guest/ioreq.h"

#include "hypercall.h"
#include "internal.h"

#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>

/* The state shares its byte with what kind of access it is. Both are on the
 * byte before `type`, the state in the low bits. */
#define FLAGS_AT   (offsetof(struct ioreq, type) - 1)
#define STATE_MASK 0x0fu
#define IS_POINTER 0x10u
#define IS_READ	   0x20u

_Static_assert(sizeof(struct ioreq) == 32 && FLAGS_AT == 30,
	       "slots are of 32 bytes, and the flags where they should be");

static int dm_op(struct xg_ioreq *s, struct xen_dm_op *op)
{
	struct xen_dm_op_buf buf = {.size = sizeof(*op)};

	set_xen_guest_handle(buf.h, op);
	return (int)xg_hypercall(s->guest, __HYPERVISOR_dm_op, s->dom, 1,
				 (uintptr_t)&buf, 0, 0);
}

static volatile struct ioreq *slot(struct xg_ioreq *s, uint32_t vcpu)
{
	return (volatile struct ioreq *)s->page + vcpu;
}

static uint8_t *flags_of(struct xg_ioreq *s, uint32_t vcpu)
{
	return (uint8_t *)s->page + vcpu * sizeof(struct ioreq) + FLAGS_AT;
}

static int set_state(struct xg_ioreq *s, bool enabled)
{
	struct xen_dm_op op = {.op = XEN_DMOP_set_ioreq_server_state};

	op.u.set_ioreq_server_state.id = s->id;
	op.u.set_ioreq_server_state.enabled = enabled;
	return dm_op(s, &op);
}

/* How many vCPUs the domain has. */
static int count_vcpus(struct xg_ioreq *s, uint32_t *vcpus)
{
	struct xen_dm_op op = {.op = XEN_DMOP_nr_vcpus};
	int rc = dm_op(s, &op);

	*vcpus = op.u.nr_vcpus.vcpus;
	return rc;
}

static int create(struct xg_ioreq *s)
{
	struct xen_dm_op op = {.op = XEN_DMOP_create_ioreq_server};
	int rc = dm_op(s, &op);

	if (!rc) {
		s->id = op.u.create_ioreq_server.id;
		s->created = true;
	}
	return rc;
}

static int destroy(struct xg_ioreq *s)
{
	struct xen_dm_op op = {.op = XEN_DMOP_destroy_ioreq_server};

	op.u.destroy_ioreq_server.id = s->id;
	return dm_op(s, &op);
}

/* Into a page of a region. Before the server is enabled: only then does Xen
 * write the vCPUs' ports there. */
static int map_page(struct xg_ioreq *s)
{
	struct xg_window at;
	int rc = xg_resource_get(s->guest, s->dom, XENMEM_resource_ioreq_server,
				 s->id,
				 XENMEM_resource_ioreq_server_frame_ioreq(0), 1,
				 XG_PROT_READ | XG_PROT_WRITE, &at);

	if (!rc)
		s->page = at.va;
	return rc;
}

static int unmap_page(struct xg_ioreq *s)
{
	struct xg_guest *g = s->guest;
	struct xg_window at = {.va = s->page, .pages = 1};
	uint32_t left;
	int rc;

	if (!s->page)
		return 0;
	rc = g->platform->virt_to_gfn(g->context, at.va, &at.gfn);
	if (rc)
		return rc;
	rc = xg_foreign_unmap(g, &at, &left);
	if (rc && rc != -XG_EIO)
		return rc;
	/* The CPU can't reach it any more. Once more: what Xen keeps now is
	 * lost for good. */
	if (rc && !xg_memory_remove_from_physmap(g, DOMID_SELF, at.gfn))
		rc = 0;
	if (!rc)
		rc = xg_region_put_pages(g, at.va, 1);
	s->page = NULL;
	return rc;
}

static int connect(struct xg_ioreq *s, const struct xg_ioreq_config *config)
{
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		uint32_t theirs = slot(s, i)->vp_eport;
		int port;

		if (!theirs)
			return -XG_ENOENT;
		port = xg_evtchn_bind_interdomain(s->guest, s->dom, theirs,
						  config->handler,
						  config->data);
		if (port < 0)
			return port;
		s->ports[i] = (uint32_t)port;
	}
	return 0;
}

static int disconnect(struct xg_ioreq *s)
{
	int first = 0;

	for (uint32_t i = s->nr_vcpus; i > 0; i--) {
		uint32_t *port = &s->ports[i - 1];
		int rc = *port ? xg_evtchn_close(s->guest, *port) : 0;

		if (!rc)
			*port = 0;
		else if (!first)
			first = rc;
	}
	return first;
}

static int set_up(struct xg_ioreq *s, const struct xg_ioreq_config *config)
{
	uint32_t vcpus;
	int rc = count_vcpus(s, &vcpus);

	if (rc)
		return rc;
	if (!vcpus)
		return -XG_ENOENT;
	if (vcpus > config->nr_ports || vcpus > XG_IOREQ_MAX_VCPUS)
		return -XG_ENOSPC;
	s->nr_vcpus = vcpus;
	for (uint32_t i = 0; i < vcpus; i++)
		s->ports[i] = 0;
	rc = create(s);
	if (!rc)
		rc = map_page(s);
	if (!rc)
		rc = set_state(s, true);
	return rc ? rc : connect(s, config);
}

int xg_ioreq_create(struct xg_ioreq *s, struct xg_guest *g,
		    const struct xg_ioreq_config *config)
{
	int rc;

	if (!s || !g || !config || !config->ports || !config->nr_ports)
		return -XG_EINVAL;
	memset(s, 0, sizeof(*s));
	s->guest = g;
	s->dom = config->dom;
	s->ports = config->ports;
	rc = set_up(s, config);
	if (rc)
		xg_ioreq_destroy(s);
	return rc;
}

/* A domain that died has no servers, and then is none. */
static bool gone(int rc)
{
	return rc == -XG_ESRCH || rc == -XG_ENOENT;
}

/* Nobody may be left waiting: Xen does not wake them. */
static void answer_all(struct xg_ioreq *s)
{
	struct xg_ioreq_access access;

	for (uint32_t i = 0; s->page && i < s->nr_vcpus; i++) {
		(void)xg_ioreq_next(s, i, &access);
		(void)xg_ioreq_answer(s, i, UINT64_MAX);
	}
}

int xg_ioreq_destroy(struct xg_ioreq *s)
{
	int rc, unmapped;

	if (!s)
		return -XG_EINVAL;
	if (s->created) {
		rc = set_state(s, false);
		if (rc && !gone(rc))
			return rc;
		/* From here on there are no new ones. */
		answer_all(s);
		rc = destroy(s);
		if (rc && !gone(rc))
			return rc;
		s->created = false;
	}
	rc = disconnect(s);
	unmapped = unmap_page(s);
	if (!rc)
		rc = unmapped;
	if (!rc)
		s->nr_vcpus = 0;
	return rc;
}

static int range_op(struct xg_ioreq *s, uint32_t cmd, uint64_t first,
		    uint64_t last)
{
	struct xen_dm_op op = {.op = cmd};
	/* Both operations have the same argument at the same place. */
	struct xen_dm_op_ioreq_server_range *range =
		&op.u.map_io_range_to_ioreq_server;

	if (!s || !s->created || last < first)
		return -XG_EINVAL;
	range->id = s->id;
	range->type = XEN_DMOP_IO_RANGE_MEMORY;
	range->start = first;
	range->end = last;
	return dm_op(s, &op);
}

int xg_ioreq_map_range(struct xg_ioreq *s, uint64_t first, uint64_t last)
{
	int rc =
		range_op(s, XEN_DMOP_map_io_range_to_ioreq_server, first, last);

	/* Xen's word for its own limit. */
	return rc == -XG_ENOMEM ? -XG_ENOSPC : rc;
}

int xg_ioreq_unmap_range(struct xg_ioreq *s, uint64_t first, uint64_t last)
{
	int rc = range_op(s, XEN_DMOP_unmap_io_range_from_ioreq_server, first,
			  last);

	return rc == -XG_ENOMEM ? -XG_ENOSPC : rc;
}

/* What `size` bytes hold. Xen 4.17 hands over whole registers, and puts whole
 * answers into them. */
static uint64_t masked(uint64_t data, uint32_t size)
{
	return size < 8 ? data & ((UINT64_C(1) << (8 * size)) - 1) : data;
}

static bool size_valid(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

int xg_ioreq_next(struct xg_ioreq *s, uint32_t vcpu,
		  struct xg_ioreq_access *access)
{
	volatile struct ioreq *from;
	uint8_t *flags, was;
	uint32_t count;
	uint8_t type;

	if (!s || !access || vcpu >= s->nr_vcpus || !s->page)
		return -XG_EINVAL;
	from = slot(s, vcpu);
	flags = flags_of(s, vcpu);
	/* Acquire: Xen writes the rest of the slot before READY. */
	was = __atomic_load_n(flags, __ATOMIC_ACQUIRE);
	if ((was & STATE_MASK) != STATE_IOREQ_READY)
		return 0;
	/* From here on the slot is ours: a plain store will do. */
	__atomic_store_n(flags,
			 (uint8_t)((was & ~STATE_MASK) | STATE_IOREQ_INPROCESS),
			 __ATOMIC_RELAXED);
	access->addr = from->addr;
	access->size = from->size;
	access->write = !(was & IS_READ);
	access->data = access->write ? masked(from->data, access->size) : 0;
	count = from->count;
	type = from->type;
	if (type == IOREQ_TYPE_INVALIDATE) {
		access->kind = XG_IOREQ_INVALIDATE;
		return 1;
	}
	access->kind = XG_IOREQ_ACCESS;
	if (type == IOREQ_TYPE_COPY && count == 1 && !(was & IS_POINTER) &&
	    size_valid(access->size))
		return 1;
	s->refused++;
	return xg_ioreq_answer(s, vcpu, UINT64_MAX);
}

int xg_ioreq_answer(struct xg_ioreq *s, uint32_t vcpu, uint64_t data)
{
	uint8_t *flags, was;

	if (!s || vcpu >= s->nr_vcpus || !s->page)
		return -XG_EINVAL;
	flags = flags_of(s, vcpu);
	was = __atomic_load_n(flags, __ATOMIC_RELAXED);
	if ((was & STATE_MASK) != STATE_IOREQ_INPROCESS)
		return -XG_EINVAL;
	slot(s, vcpu)->data = masked(data, slot(s, vcpu)->size);
	/* Release: the data is there before Xen sees that it is. The event's
	 * hypercall comes after both. */
	__atomic_store_n(flags,
			 (uint8_t)((was & ~STATE_MASK) | STATE_IORESP_READY),
			 __ATOMIC_RELEASE);
	if (s->ports[vcpu])
		xg_evtchn_notify(s->guest, s->ports[vcpu]);
	return 0;
}
