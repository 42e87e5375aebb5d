/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An upcall's passes in the FIFO event ABI: a word for each port, and for each
 * vCPU 16 queues of linked words, one per priority.
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
 *
 * For evtchn_upcall.c alone.
 */
#ifndef XG_EVTCHN_FIFO_H
#define XG_EVTCHN_FIFO_H

#include "evtchn_deliver.h"

#define PENDING (UINT32_C(1) << EVTCHN_FIFO_PENDING)
#define MASKED	(UINT32_C(1) << EVTCHN_FIFO_MASKED)
#define LINKED	(UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define LINK	((uint32_t)EVTCHN_FIFO_LINK_MASK)

/* All bits of `ready` that stand for a queue. */
#define QUEUES ((UINT32_C(1) << EVTCHN_FIFO_MAX_QUEUES) - 1)

/* Take the port out of its queue, and its event with it if it may be
 * delivered. Returns what the word was. */
static inline uint32_t unlink(uint32_t *word)
{
	uint32_t old, new;

	do {
		old = __atomic_load_n(word, __ATOMIC_RELAXED);
		new = old & ~(LINKED | LINK);
		if (!(old & MASKED))
			new &= ~PENDING;
	} while (xg_swap32(word, old, new) != old);
	return old;
}

static inline uint32_t take_ready(struct xg_vcpu *v)
{
	return __atomic_exchange_n(&v->control->ready, 0, __ATOMIC_SEQ_CST) &
	       QUEUES;
}

/* A pass over the queues that are ready. Returns the budget left. */
static inline uint32_t serve_queues(struct xg_guest *g, struct xg_vcpu *v,
				    uint32_t budget)
{
	uint32_t ready = take_ready(v);

	while (ready) {
		uint32_t queue = (uint32_t)__builtin_ctz(ready);
		uint32_t *head = &v->control->head[queue];
		/* Xen writes the head before it sets the bit that we took. */
		uint32_t port = __atomic_load_n(head, __ATOMIC_RELAXED);
		uint32_t old;

		/* 0 is in no queue, as no port beyond the table is. */
		if (port >= g->evtchn.nr_ports)
			port = 0;
		/* The next visit. Before the mask is read, by `unlink`:
		 * evtchn_upcall.c. */
		XG_STORE_BEFORE_RMW(&v->serving, v->serving + 2);
		old = unlink(&g->evtchn.words[port]);
		xg_count_taken(v);
		/* While the queue's last word is linked Xen leaves the head
		 * alone, and behind that one writes it anew. */
		if (old & LINK)
			__atomic_store_n(head, old & LINK, __ATOMIC_RELAXED);
		else
			ready &= ~(UINT32_C(1) << queue);
		if ((old & (PENDING | MASKED)) == PENDING) {
			deliver(g, v, xg_slot_of(g, port));
			budget--;
		}
		if (!budget) {
			/* The heads are kept: the next upcall goes on there. */
			__atomic_fetch_or(&v->control->ready, ready,
					  __ATOMIC_SEQ_CST);
			xg_upcall_again(v);
			break;
		}
		/* What became ready meanwhile may be more urgent. */
		if (__atomic_load_n(&v->control->ready, __ATOMIC_RELAXED))
			ready |= take_ready(v);
	}
	return budget;
}

#endif
