/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The FIFO event ABI: a word for each port, and for each vCPU 16 queues of
 * linked words, one per priority.
 *
 * A word has the bits PENDING, MASKED, LINKED, BUSY and the number of the
 * next port in its queue. To raise a port Xen sets PENDING; if it was clear,
 * and the port is not masked and not linked, Xen sets LINKED and appends it:
 * to the link of the queue's last word if that is still linked, else to the
 * queue's head, followed by the queue's bit in `ready`, and only if that was
 * clear: upcall_pending and interrupt.
 *
 * The guest may, in a linked word, set and clear MASKED, clear PENDING, and
 * clear LINKED together with the link. Xen marks a word BUSY to keep MASKED
 * from being cleared while it appends. All of it is compare-and-swap on one
 * word, which everybody sees change in one order: no barriers between words
 * are needed but those named below.
 */
#include "evtchn_port.h"

#define PENDING (UINT32_C(1) << EVTCHN_FIFO_PENDING)
#define MASKED	(UINT32_C(1) << EVTCHN_FIFO_MASKED)
#define LINKED	(UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define LINK	((uint32_t)EVTCHN_FIFO_LINK_MASK)

/* Control blocks share a page, each in cache lines of its own. */
#define CONTROL_STRIDE (XG_PAGE_SIZE / XG_FIFO_MAX_VCPUS)

_Static_assert(sizeof(struct evtchn_fifo_control_block) <= CONTROL_STRIDE,
	       "control blocks do not overlap");
_Static_assert(EVTCHN_FIFO_MAX_QUEUES ==
		       sizeof(((struct xg_vcpu *)0)->head) / sizeof(uint32_t),
	       "a head for each queue");

/* Take the port out of its queue, and its event with it if it may be
 * delivered. Returns what the word was. */
static inline uint32_t unlink(uint32_t *word)
{
	uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
	uint32_t new;

	do {
		new = old & ~(LINKED | LINK);
		if (!(old & MASKED))
			new &= ~PENDING;
	} while (!__atomic_compare_exchange_n(
		word, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return old;
}

static void call_handler(struct xg_guest *g, struct xg_vcpu *v, uint32_t port)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	/* xg_evtchn_bind_vcpu() can't take a port out of another vCPU's queue.
	 * Xen queues it where it belongs. */
	if (v->ports &&
	    !(xg_load(&v->ports[port / XG_WORD_BITS]) & xg_bit(port)))
		xg_evtchn_put_back(g, port);
	else if (xg_port_plain(slot))
		xg_port_call(slot);
	else
		xg_evtchn_call_special(g, v, slot);
}

static uint32_t take_ready(struct xg_vcpu *v)
{
	return __atomic_exchange_n(&v->control->ready, 0, __ATOMIC_SEQ_CST);
}

/* The first port of a queue, or 0: in no queue, as no port beyond the table
 * is. */
static inline uint32_t first_port(const struct xg_guest *g,
				  const struct xg_vcpu *v, uint32_t queue)
{
	uint32_t port = v->head[queue];

	/* Xen writes the head before it sets the bit that we took. */
	if (!port)
		port = __atomic_load_n(&v->control->head[queue],
				       __ATOMIC_RELAXED);
	return port < g->evtchn.nr_ports ? port : 0;
}

static uint32_t serve(struct xg_guest *g, struct xg_vcpu *v, uint32_t budget)
{
	uint32_t ready = take_ready(v);

	while (ready && budget) {
		uint32_t queue = (uint32_t)__builtin_ctz(ready);
		uint32_t port = first_port(g, v, queue);
		uint32_t old;

		/* The next visit. Before the mask is read, by `unlink`:
		 * evtchn_upcall.c. */
		XG_STORE_BEFORE_RMW(&v->serving, v->serving + 2);
		old = unlink(&g->evtchn.words[port]);
		v->head[queue] = old & LINK;
		if (!(old & LINK))
			ready &= ~(UINT32_C(1) << queue);
		if ((old & (PENDING | MASKED)) == PENDING) {
			call_handler(g, v, port);
			budget--;
		}
		/* What became ready meanwhile may be more urgent. */
		if (__atomic_load_n(&v->control->ready, __ATOMIC_RELAXED))
			ready |= take_ready(v);
	}
	if (ready)
		/* The heads are kept: the next upcall goes on there. */
		__atomic_fetch_or(&v->control->ready, ready, __ATOMIC_SEQ_CST);
	return budget;
}

int xg_fifo_upcall(struct xg_guest *g, struct xg_vcpu *v)
{
	uint32_t budget = v->budget + !v->budget;

	do {
		__atomic_store_n(&v->serving, v->serving + 1, __ATOMIC_RELAXED);
		/* Before the queues are taken, which is sequentially
		 * consistent too: what Xen adds after we took them sets this
		 * again. On Arm it also lowers the interrupt line, which must
		 * happen before the scan for the same reason. */
		XG_STORE_BEFORE_RMW(&v->info->evtchn_upcall_pending, 0);
		budget = serve(g, v, budget);
		xg_serving_end(v);
		if (!budget)
			return xg_upcall_again(v);
	} while (xg_upcall_pending(v));
	return 0;
}

/* Give Xen a page. Both operations' structures begin with it. */
static int add_page(struct xg_guest *g, uint32_t op, uint32_t page,
		    uint32_t cpu)
{
	struct evtchn_init_control arg = {
		.offset = cpu * CONTROL_STRIDE,
		.vcpu = cpu,
	};
	int rc = g->platform->virt_to_gfn(
		g->context, g->evtchn.fifo_pages + page * XG_PAGE_SIZE,
		&arg.control_gfn);

	_Static_assert(!offsetof(struct evtchn_init_control, control_gfn) &&
			       !offsetof(struct evtchn_expand_array, array_gfn),
		       "where the page is");
	return rc ? rc : xg_event_call(g, op, &arg);
}

/* Xen drops events for a vCPU without queues, and a port may be bound to one
 * that is not up yet: so every vCPU gets its queues at once. */
static int add_queues(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;

	for (uint32_t cpu = 0; cpu < e->nr_vcpus; cpu++) {
		struct xg_vcpu *v = &e->vcpus[cpu];
		int rc = add_page(g, EVTCHNOP_init_control, 0, cpu);

		memset(v->head, 0, sizeof(v->head));
		v->control = (struct evtchn_fifo_control_block
				      *)(e->fifo_pages + cpu * CONTROL_STRIDE);
		if (!rc)
			continue;
		v->control = NULL;
		/* There is room for more vCPUs than the domain has. */
		if (!cpu || rc != -XG_ENOENT)
			return rc;
	}
	return 0;
}

int xg_evtchn_fifo_init(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;
	uint32_t *words = (uint32_t *)(e->fifo_pages + XG_PAGE_SIZE);
	uint32_t ports = (e->nr_fifo_pages - 1) * XG_FIFO_PORTS_PER_PAGE;
	int rc;

	memset(e->fifo_pages, 0, XG_PAGE_SIZE);
	/* Before Xen gets the pages: whatever is pending already would be
	 * queued with them. */
	for (uint32_t i = 0; i < ports; i++)
		words[i] = MASKED;
	if (ports > e->nr_groups * XG_PORTS_PER_GROUP)
		ports = e->nr_groups * XG_PORTS_PER_GROUP;
	rc = add_queues(g);
	for (uint32_t i = 1; !rc && i < e->nr_fifo_pages; i++)
		rc = add_page(g, EVTCHNOP_expand_array, i, 0);
	if (!rc) {
		e->only = NULL;
		e->abi = XG_ABI_FIFO;
		e->words = words;
		e->nr_ports = ports;
	} else if (e->vcpus[0].control) {
		/* Back to two levels; nothing is open yet. Without even the
		 * first vCPU's queues there is nothing to take back. */
		xg_event_op(g, EVTCHNOP_reset, DOMID_SELF, 0);
	}
	return rc;
}
