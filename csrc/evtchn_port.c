/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One port: its state, and its bits in the pages shared with Xen. Where those
 * are is all that the two ABIs differ in here: in the 2-level ABI each port
 * has a bit among the pending ones and one among the masks, in the FIFO ABI
 * both are in its word.
 *
 * Who writes what, at any time and concurrently:
 *   pending   Xen sets, the guest clears (and sets, to put an event back)
 *   mask      the guest; Xen clears it in EVTCHNOP_unmask
 * so every change here is an atomic read-modify-write.
 */
#include "evtchn_port.h"

#define LINKED (UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define BUSY   (UINT32_C(1) << EVTCHN_FIFO_BUSY)

/* In halves of the 2-level ABI's words, which Xen itself writes so on Arm. Both
 * run the same way: all that Xen runs on is little-endian. */
typedef uint32_t __attribute__((may_alias)) word32;
#define WORD32_BITS 32u
#define MASKS	    (XG_MAX_2L_GROUPS * XG_WORD_BITS / WORD32_BITS)

struct place {
	word32 *word;
	uint32_t bit;
};

static XG_SHARED struct place place(const struct xg_guest *g,
				    const struct xg_port_slot *slot, bool mask)
{
	uint32_t port = xg_port_of(g, slot);
	struct place at;

	if (g->evtchn.words) {
		at.word = &g->evtchn.words[port];
		at.bit = UINT32_C(1)
			 << (mask ? EVTCHN_FIFO_MASKED : EVTCHN_FIFO_PENDING);
	} else {
		at.word = (word32 *)g->evtchn.pending + (mask ? MASKS : 0) +
			  port / WORD32_BITS;
		at.bit = UINT32_C(1) << (port % WORD32_BITS);
	}
	return at;
}

static uint32_t load(const word32 *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void set(struct place at)
{
	__atomic_fetch_or(at.word, at.bit, __ATOMIC_SEQ_CST);
}

XG_SHARED void xg_port_set_bit(struct xg_guest *g,
			       const struct xg_port_slot *slot, bool mask)
{
	set(place(g, slot, mask));
}

XG_SHARED bool xg_port_pending(const struct xg_guest *g,
			       const struct xg_port_slot *slot, bool take)
{
	struct place at = place(g, slot, false);
	uint32_t old = load(at.word);

	/* Only then: polling an idle port should not take the cache line from
	 * Xen. */
	if (take && (old & at.bit))
		old = __atomic_fetch_and(at.word, ~at.bit, __ATOMIC_SEQ_CST);
	return old & at.bit;
}

/*
 * Clear the mask bit; whether an event waits that nobody will announce. The
 * clear and the load of the pending bit are both sequentially consistent:
 * either Xen, which sets pending before it tests the mask, sees the bit clear
 * and delivers, or we see the event.
 *
 * FIFO: Xen marks a word BUSY to keep the mask bit from being cleared while it
 * links. An event that is linked will be met in its queue; one that is not
 * arrived while masked, or was met masked.
 */
static inline bool unmask(const struct xg_guest *g,
			  const struct xg_port_slot *slot, struct place mask)
{
	const bool fifo = g->evtchn.words;
	uint32_t old;

	/* Xen is BUSY for a few instructions, and is not preempted. */
	do
		old = load(mask.word);
	while ((fifo && (old & BUSY)) ||
	       xg_swap32(mask.word, old, old & ~mask.bit) != old);
	return (old & mask.bit) && !(fifo && (old & LINKED)) &&
	       xg_port_pending(g, slot, false);
}

/*
 * Each caller changed the state before, and it is looked at again after, so
 * that of two calls at the same time the last one leaves the bit right. Another
 * round takes another change by somebody else. Masked first: an event that came
 * while masked was not announced to the vCPU and never will be; Xen does it in
 * EVTCHNOP_unmask, which acts on a set mask bit only.
 */
XG_SHARED int xg_evtchn_settle(struct xg_guest *g,
			       const struct xg_port_slot *slot)
{
	struct place mask = place(g, slot, true);
	uint32_t seen;

	do {
		set(mask);
		seen = xg_port_state(slot) & XG_PORT_STOPPED;
		if (!seen && unmask(g, slot, mask)) {
			int rc;

			set(mask);
			rc = xg_event_op(g, EVTCHNOP_unmask,
					 xg_port_of(g, slot), 0);
			if (rc)
				return rc;
		}
	} while ((xg_port_state(slot) ^ seen) & XG_PORT_STOPPED);
	return 0;
}

XG_SHARED struct xg_port_slot *xg_port_slot(const struct xg_guest *g,
					    uint32_t port)
{
	return xg_port_in_table(g, port) ? xg_slot_of(g, port) : NULL;
}

struct xg_port_slot *xg_port_open(const struct xg_guest *g, uint32_t port)
{
	struct xg_port_slot *slot = xg_port_slot(g, port);

	return slot && (xg_port_state(slot) & XG_PORT_OPEN) ? slot : NULL;
}
