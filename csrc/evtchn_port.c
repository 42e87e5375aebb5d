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

static __attribute__((noinline)) struct place place(const struct xg_guest *g,
						    uint32_t port, bool mask)
{
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

static __attribute__((noinline)) void set(const struct xg_guest *g,
					  uint32_t port, bool mask)
{
	struct place at = place(g, port, mask);

	__atomic_fetch_or(at.word, at.bit, __ATOMIC_SEQ_CST);
}

void xg_port_mask(struct xg_guest *g, uint32_t port)
{
	set(g, port, true);
}

void xg_port_set_pending(struct xg_guest *g, uint32_t port)
{
	set(g, port, false);
}

__attribute__((noinline)) bool xg_port_pending(const struct xg_guest *g,
					       uint32_t port)
{
	struct place at = place(g, port, false);

	return load(at.word) & at.bit;
}

bool xg_port_take_pending(struct xg_guest *g, uint32_t port)
{
	struct place at = place(g, port, false);

	/* A load first: polling an idle port should not take the cache line
	 * from Xen. */
	return (load(at.word) & at.bit) &&
	       (__atomic_fetch_and(at.word, ~at.bit, __ATOMIC_SEQ_CST) &
		at.bit);
}

/*
 * The clear of the mask bit and the load of the pending bit are both
 * sequentially consistent: either Xen, which sets pending before it tests the
 * mask, sees the bit clear and delivers, or we see the event. An event that
 * came while masked was not announced to the vCPU and never will be; Xen does
 * it in EVTCHNOP_unmask, which acts on a set mask bit only.
 *
 * FIFO: Xen marks a word BUSY to keep the mask bit from being cleared while it
 * links. An event that is linked will be met in its queue; one that is not
 * arrived while masked, or was met masked.
 */
int xg_port_unmask(struct xg_guest *g, uint32_t port)
{
	struct place at = place(g, port, true);
	const bool fifo = g->evtchn.words;
	uint32_t old;

	/* Xen is BUSY for a few instructions, and is not preempted. */
	do
		old = load(at.word);
	while ((fifo && (old & BUSY)) ||
	       !__atomic_compare_exchange_n(at.word, &old, old & ~at.bit, false,
					    __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	if (!(old & at.bit) || (fifo && (old & LINKED)) ||
	    !xg_port_pending(g, port))
		return 0;
	xg_port_mask(g, port);
	return xg_event_op(g, EVTCHNOP_unmask, port, 0);
}

__attribute__((noinline)) struct xg_port_slot *
xg_port_slot(const struct xg_guest *g, uint32_t port)
{
	return xg_port_in_table(g, port) ? xg_slot_of(g, port) : NULL;
}

struct xg_port_slot *xg_port_open(const struct xg_guest *g, uint32_t port)
{
	struct xg_port_slot *slot = xg_port_slot(g, port);

	return slot && (xg_port_state(slot) & XG_PORT_OPEN) ? slot : NULL;
}

uint32_t xg_port_set(struct xg_port_slot *slot, uint32_t bits)
{
	return __atomic_fetch_or(&slot->state, bits, __ATOMIC_SEQ_CST);
}

uint32_t xg_port_clear(struct xg_port_slot *slot, uint32_t bits)
{
	return __atomic_fetch_and(&slot->state, ~bits, __ATOMIC_SEQ_CST);
}
