/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The 2-level event ABI: one pending and one mask bit per port in the
 * shared-info page, and per vCPU a selector with one bit per word of pending
 * bits.
 *
 * Who writes what, at any time and concurrently:
 *   pending   Xen sets, the guest clears (and sets, to put an event back)
 *   mask      the guest; Xen clears one bit in EVTCHNOP_unmask
 *   selector  Xen sets, the guest takes
 * so every change here is an atomic read-modify-write.
 *
 * Xen raises a port in this order, each step a full barrier: set pending, and
 * only if it was clear: test mask, and only if it was clear: set the selector
 * bit, and only if it was clear: set upcall_pending and interrupt.
 */
#include "atomic.h"
#include "hypercall.h"
#include "internal.h"

static uint64_t *word_of(uint64_t *words, uint32_t port)
{
	return &words[port / XG_WORD_BITS];
}

void xg_evtchn_2l_init(struct xg_guest *g, struct shared_info *shared)
{
	_Static_assert(sizeof(shared->evtchn_pending[0]) == sizeof(uint64_t),
		       "the ABI's words are the library's words");
	_Static_assert(sizeof(shared->evtchn_pending) ==
			       XG_MAX_PORT_GROUPS * sizeof(uint64_t),
		       "a group is a word");

	g->evtchn.pending = (uint64_t *)shared->evtchn_pending;
	g->evtchn.mask = (uint64_t *)shared->evtchn_mask;
	g->evtchn.vcpu = &shared->vcpu_info[0];
	/* The page comes with every port unmasked; ours deliver only while
	 * bound. */
	for (uint32_t w = 0; w < XG_MAX_PORT_GROUPS; w++)
		xg_set_bits(&g->evtchn.mask[w], ~UINT64_C(0));
	/* A selector bit that earlier firmware did not take would keep Xen from
	 * announcing that word. The flag first, as in an upcall: what Xen still
	 * adds then makes one upcall that finds nothing. */
	__atomic_store_n(&g->evtchn.vcpu->evtchn_upcall_pending, (uint8_t)0,
			 __ATOMIC_SEQ_CST);
	xg_take_word((uint64_t *)&g->evtchn.vcpu->evtchn_pending_sel);
}

void xg_evtchn_2l_mask(struct xg_guest *g, uint32_t port)
{
	xg_set_bits(word_of(g->evtchn.mask, port), xg_bit(port));
}

/*
 * The clear of the mask bit and the load of the pending bit are both
 * sequentially consistent: either Xen, which sets pending before it tests the
 * mask, sees the bit clear and delivers, or we see the event. An event that
 * came while masked was not announced to the vCPU and never will be; Xen does
 * it in EVTCHNOP_unmask, which acts on a set mask bit only.
 */
int xg_evtchn_2l_unmask(struct xg_guest *g, uint32_t port)
{
	struct evtchn_unmask op = {.port = port};
	uint64_t *mask = word_of(g->evtchn.mask, port);

	if (!(xg_clear_bits(mask, xg_bit(port)) & xg_bit(port)))
		return 0;
	if (!xg_evtchn_2l_pending(g, port))
		return 0;
	xg_set_bits(mask, xg_bit(port));
	return xg_hypercall2(g, __HYPERVISOR_event_channel_op, EVTCHNOP_unmask,
			     &op);
}

bool xg_evtchn_2l_pending(const struct xg_guest *g, uint32_t port)
{
	return xg_load_seq(word_of(g->evtchn.pending, port)) & xg_bit(port);
}

bool xg_evtchn_2l_take_pending(struct xg_guest *g, uint32_t port)
{
	uint64_t *pending = word_of(g->evtchn.pending, port);

	/* A load first: polling an idle port should not take the cache line
	 * from Xen. */
	if (!(xg_load(pending) & xg_bit(port)))
		return false;
	return xg_clear_bits(pending, xg_bit(port)) & xg_bit(port);
}

void xg_evtchn_2l_set_pending(struct xg_guest *g, uint32_t port)
{
	xg_set_bits(word_of(g->evtchn.pending, port), xg_bit(port));
}
