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
#include "evtchn_abi.h"

#define PENDING (UINT32_C(1) << EVTCHN_FIFO_PENDING)
#define MASKED	(UINT32_C(1) << EVTCHN_FIFO_MASKED)
#define LINKED	(UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define BUSY	(UINT32_C(1) << EVTCHN_FIFO_BUSY)
#define LINK	((uint32_t)EVTCHN_FIFO_LINK_MASK)

/* Control blocks share a page, each in cache lines of its own. */
#define CONTROL_STRIDE (XG_PAGE_SIZE / XG_FIFO_MAX_VCPUS)

_Static_assert(sizeof(struct evtchn_fifo_control_block) <= CONTROL_STRIDE,
	       "control blocks do not overlap");
_Static_assert(EVTCHN_FIFO_MAX_QUEUES ==
		       sizeof(((struct xg_vcpu *)0)->head) / sizeof(uint32_t),
	       "a head for each queue");

static int gfn_of(struct xg_guest *g, const void *va, uint64_t *gfn)
{
	return g->platform->virt_to_gfn(g->context, va, gfn);
}

static int add_queues_of(struct xg_guest *g, uint32_t cpu)
{
	struct evtchn_init_control op = {
		.offset = cpu * CONTROL_STRIDE,
		.vcpu = cpu,
	};
	struct xg_vcpu *v = &g->evtchn.vcpus[cpu];
	int rc = gfn_of(g, g->evtchn.fifo_pages, &op.control_gfn);

	if (rc)
		return rc;
	memset(v->head, 0, sizeof(v->head));
	v->control = (struct evtchn_fifo_control_block *)(g->evtchn.fifo_pages +
							  op.offset);
	rc = xg_event_op(g, EVTCHNOP_init_control, &op);
	if (rc)
		v->control = NULL;
	return rc;
}

/* Xen drops events for a vCPU without queues, and a port may be bound to one
 * that is not up yet: so every vCPU gets its queues at once. */
static int add_queues(struct xg_guest *g)
{
	for (uint32_t cpu = 0; cpu < g->evtchn.nr_vcpus; cpu++) {
		int rc = add_queues_of(g, cpu);

		/* There is room for more vCPUs than the domain has. */
		if (rc && (!cpu || rc != -XG_ENOENT))
			return rc;
	}
	return 0;
}

static int expand(struct xg_guest *g, uint32_t nr_pages)
{
	for (uint32_t i = 1; i < nr_pages; i++) {
		struct evtchn_expand_array op = {0};
		int rc = gfn_of(g, g->evtchn.fifo_pages + i * XG_PAGE_SIZE,
				&op.array_gfn);

		if (!rc)
			rc = xg_event_op(g, EVTCHNOP_expand_array, &op);
		if (rc)
			return rc;
	}
	return 0;
}

int xg_evtchn_fifo_init(struct xg_guest *g, void *pages, uint32_t nr_pages)
{
	struct xg_evtchn *e = &g->evtchn;
	uint32_t ports = (nr_pages - 1) * XG_FIFO_PORTS_PER_PAGE;
	uint32_t *words = (uint32_t *)((uint8_t *)pages + XG_PAGE_SIZE);
	int rc;

	if (ports > e->nr_groups * XG_PORTS_PER_GROUP)
		ports = e->nr_groups * XG_PORTS_PER_GROUP;
	memset(pages, 0, XG_PAGE_SIZE);
	/* Before Xen gets the pages: whatever is pending already would be
	 * queued with them. */
	for (uint32_t i = 0; i < (nr_pages - 1) * XG_FIFO_PORTS_PER_PAGE; i++)
		words[i] = MASKED;
	e->fifo_pages = pages;
	e->nr_fifo_pages = nr_pages;
	rc = add_queues(g);
	/* Without even the first vCPU's there is nothing to take back. */
	if (rc && !e->vcpus[0].control)
		return rc;
	if (!rc)
		rc = expand(g, nr_pages);
	if (rc) {
		struct evtchn_reset op = {.dom = DOMID_SELF};

		/* Back to two levels; nothing is open yet. */
		xg_event_op(g, EVTCHNOP_reset, &op);
		return rc;
	}
	e->ops = &xg_evtchn_fifo_ops;
	e->abi = XG_ABI_FIFO;
	e->words = words;
	e->nr_ports = ports;
	return 0;
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void mask(struct xg_guest *g, uint32_t port)
{
	__atomic_fetch_or(&g->evtchn.words[port], MASKED, __ATOMIC_SEQ_CST);
}

static bool pending(const struct xg_guest *g, uint32_t port)
{
	return load(&g->evtchn.words[port]) & PENDING;
}

/*
 * A pending event that is linked will be met in its queue. One that is not
 * arrived while masked, or was met masked: Xen has to queue it.
 */
static int unmask(struct xg_guest *g, uint32_t port)
{
	struct evtchn_unmask op = {.port = port};
	uint32_t *word = &g->evtchn.words[port];
	uint32_t old = load(word);
	int rc;

	do {
		/* Xen needs a few instructions, and is not preempted. */
		while (old & BUSY) {
			g->platform->relax(g->context);
			old = load(word);
		}
	} while (!__atomic_compare_exchange_n(word, &old, old & ~MASKED, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	if (!(old & MASKED) || !(old & PENDING) || (old & LINKED))
		return 0;
	rc = xg_event_op(g, EVTCHNOP_unmask, &op);
	if (rc)
		mask(g, port);
	return rc;
}

static bool take_pending(struct xg_guest *g, uint32_t port)
{
	uint32_t *word = &g->evtchn.words[port];

	if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & PENDING))
		return false;
	return __atomic_fetch_and(word, ~PENDING, __ATOMIC_SEQ_CST) & PENDING;
}

/* In no queue, perhaps: unmask asks Xen to put it there. */
static void set_pending(struct xg_guest *g, uint32_t port)
{
	__atomic_fetch_or(&g->evtchn.words[port], PENDING, __ATOMIC_SEQ_CST);
}

/* Take the port out of its queue, and its event with it if it may be
 * delivered. Returns what the word was. */
static uint32_t unlink(uint32_t *word)
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

/* xg_evtchn_bind_vcpu() can't take a port out of another vCPU's queue. */
static bool moved_away(const struct xg_vcpu *v, uint32_t port)
{
	return v->ports &&
	       !(xg_load(&v->ports[port / XG_WORD_BITS]) & xg_bit(port));
}

static void call_handler(struct xg_guest *g, struct xg_vcpu *v, uint32_t port)
{
	struct xg_port_group *group = xg_group_of(g, port);
	struct xg_port_slot *slot = xg_slot_of(g, port);
	xg_evtchn_handler_t handler;

	/* Xen queues it where it belongs; or somebody masks it, whose call is
	 * not over yet. */
	if (moved_away(v, port) || xg_load(&group->masked) & xg_bit(port)) {
		xg_evtchn_put_back(g, port);
		return;
	}
	if (xg_load(&group->late) & xg_bit(port) && !xg_evtchn_hold(g, port))
		return;
	/* Pairs with the store in bind: its `data` is seen with it. */
	handler = __atomic_load_n(&slot->handler, __ATOMIC_ACQUIRE);
	if (handler)
		handler(__atomic_load_n(&slot->data, __ATOMIC_RELAXED));
	else
		xg_evtchn_undelivered(g, port);
}

/* Serve the first port of a queue; true if it had an event for a handler.
 * *next is the port behind it, or 0. */
static bool serve_port(struct xg_guest *g, struct xg_vcpu *v, uint32_t port,
		       uint32_t *next)
{
	bool deliver;
	uint32_t old;

	/* Before the mask is read, by `unlink`: evtchn_upcall.c. */
	XG_STORE_BEFORE_RMW(&v->serving,
			    xg_serving_next(v) | (port / XG_WORD_BITS + 1));
	old = unlink(&g->evtchn.words[port]);
	*next = old & LINK;
	deliver = (old & (PENDING | MASKED)) == PENDING;
	if (deliver)
		call_handler(g, v, port);
	xg_serving_end(v);
	return deliver;
}

static uint32_t take_ready(struct xg_vcpu *v)
{
	return __atomic_exchange_n(&v->control->ready, 0, __ATOMIC_SEQ_CST);
}

/* The first port of a queue, or 0. */
static uint32_t first_port(const struct xg_guest *g, const struct xg_vcpu *v,
			   uint32_t queue)
{
	uint32_t port = v->head[queue];

	/* Xen writes the head before it sets the bit that we took. */
	if (!port)
		port = __atomic_load_n(&v->control->head[queue],
				       __ATOMIC_RELAXED);
	/* Ports beyond the table are masked, and so in no queue. */
	return port < g->evtchn.nr_ports ? port : 0;
}

static uint32_t serve(struct xg_guest *g, struct xg_vcpu *v, uint32_t budget)
{
	uint32_t ready = take_ready(v);

	while (ready && budget) {
		uint32_t queue = (uint32_t)__builtin_ctz(ready);
		uint32_t port = first_port(g, v, queue);
		uint32_t next = 0;

		if (port && serve_port(g, v, port, &next))
			budget--;
		v->head[queue] = next;
		if (!next)
			ready &= ~(UINT32_C(1) << queue);
		/* What became ready meanwhile may be more urgent. */
		if (__atomic_load_n(&v->control->ready, __ATOMIC_RELAXED))
			ready |= take_ready(v);
	}
	if (ready)
		/* The heads are kept: the next upcall goes on there. */
		__atomic_fetch_or(&v->control->ready, ready, __ATOMIC_SEQ_CST);
	return budget;
}

static int upcall(struct xg_guest *g, struct xg_vcpu *v, uint32_t budget)
{
	if (!budget)
		budget = 1;
	do {
		/* Before the queues are taken, which is sequentially
		 * consistent too: what Xen adds after we took them sets this
		 * again. On Arm it also lowers the interrupt line, which must
		 * happen before the scan for the same reason. */
		XG_STORE_BEFORE_RMW(&v->info->evtchn_upcall_pending, 0);
		budget = serve(g, v, budget);
		if (!budget)
			return xg_upcall_again(v);
	} while (xg_upcall_pending(v));
	return 0;
}

const struct xg_evtchn_ops xg_evtchn_fifo_ops = {
	.mask = mask,
	.unmask = unmask,
	.pending = pending,
	.take_pending = take_pending,
	.set_pending = set_pending,
	.upcall = upcall,
};
