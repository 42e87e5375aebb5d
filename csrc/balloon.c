/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* RAM given to Xen for a while. */
#include "xen_guest/balloon.h"

#include "internal.h"

int xg_balloon_deflate(struct xg_guest *g, struct xg_balloon *balloon)
{
	const struct xg_window *ram;
	uint32_t done;
	int rc;

	if (!balloon)
		return -XG_EINVAL;
	ram = &balloon->ram;
	rc = xg_memory_populate_range(g, DOMID_SELF, ram->gfn + balloon->first,
				      balloon->end - balloon->first, &done);
	balloon->first += done;
	if (rc)
		return rc;
	return g->platform->map(g->context, ram->va, ram->gfn, ram->pages,
				XG_PROT_READ | XG_PROT_WRITE);
}

int xg_balloon_inflate(struct xg_guest *g, struct xg_balloon *balloon,
		       const struct xg_window *ram)
{
	int rc;

	if (!balloon || !xg_window_valid(ram))
		return -XG_EINVAL;
	balloon->ram = *ram;
	balloon->first = 0;
	balloon->end = 0;
	/* Before its frames are empty, so that nothing can touch them. */
	rc = g->platform->unmap(g->context, ram->va, ram->pages);
	if (rc)
		return rc;
	rc = xg_memory_decrease_range(g, DOMID_SELF, ram->gfn, ram->pages,
				      &balloon->end);
	if (rc && xg_balloon_deflate(g, balloon))
		return -XG_EIO;
	return rc;
}
