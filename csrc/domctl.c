/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Operations of a control domain on others. */
#include "xen_guest/domctl.h"

#include "hypercall.h"
#include "internal.h"

/* Ours, also beside Xen's own headers: their domctl.h is for tools built with
 * one version of Xen, and needs GNU C. */
#include "../include/abi/xen/domctl.h"

/* Xen's limit on Arm. Elsewhere it does what it can and says how much. */
#define MMIO_CHUNK 64u

static int call(const struct xg_guest *g, struct xen_domctl *op,
		uint32_t version)
{
	op->interface_version = version;
	return (int)xg_hypercall(g, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0,
				 0);
}

/*
 * Xen answers -XG_EACCES to versions that are not its own, with nothing done.
 * So a version that worked is tried first, and then all that are known.
 */
static int domctl(struct xg_guest *g, struct xen_domctl *op)
{
	uint32_t last = __atomic_load_n(&g->domctl_version, __ATOMIC_RELAXED);
	int rc = last ? call(g, op, last) : -XG_EACCES;

	for (uint32_t version = XG_DOMCTL_NEWEST;
	     version >= XG_DOMCTL_OLDEST && rc == -XG_EACCES; version--) {
		if (version == last)
			continue;
		rc = call(g, op, version);
		if (rc != -XG_EACCES)
			__atomic_store_n(&g->domctl_version, version,
					 __ATOMIC_RELAXED);
	}
	return rc;
}

int xg_domctl_max_mem(struct xg_guest *g, uint16_t dom, uint64_t kib)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_max_mem, .domain = dom};

	op.u.max_mem.max_memkb = kib;
	return domctl(g, &op);
}

int xg_domctl_iomem_permission(struct xg_guest *g, uint16_t dom, uint64_t mfn,
			       uint32_t count, bool allow)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_iomem_permission,
		.domain = dom,
	};

	if (!count || !xg_frames_valid(mfn, count))
		return -XG_EINVAL;
	op.u.iomem_permission.first_mfn = mfn;
	op.u.iomem_permission.nr_mfns = count;
	op.u.iomem_permission.allow_access = allow;
	return domctl(g, &op);
}

/* How many frames of at most MMIO_CHUNK, or an error. */
static int memory_mapping(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			  uint64_t mfn, uint32_t count, uint32_t add)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_memory_mapping,
		.domain = dom,
	};
	int rc;

	op.u.memory_mapping.first_gfn = gfn;
	op.u.memory_mapping.first_mfn = mfn;
	op.u.memory_mapping.nr_mfns = count;
	op.u.memory_mapping.add_mapping = add;
	rc = domctl(g, &op);
	return rc ? rc : (int)count;
}

/* What both directions check first; nothing is done yet. */
static int begin(uint64_t gfn, uint64_t mfn, uint32_t count, uint32_t *done)
{
	if (!done)
		return -XG_EINVAL;
	*done = 0;
	return count && xg_frames_valid(gfn, count) &&
			       xg_frames_valid(mfn, count)
		       ? 0
		       : -XG_EINVAL;
}

int xg_domctl_map_mmio(struct xg_guest *g, uint16_t dom, uint64_t gfn,
		       uint64_t mfn, uint32_t count, uint32_t *done)
{
	int bad = begin(gfn, mfn, count, done);

	if (bad)
		return bad;
	while (*done < count) {
		uint32_t left = count - *done;
		uint32_t batch = left < MMIO_CHUNK ? left : MMIO_CHUNK;
		int some = memory_mapping(g, dom, gfn + *done, mfn + *done,
					  batch, DPCI_ADD_MAPPING);

		/* On Arm Xen does not take back what it did until it ran out
		 * of memory, which it calls ENOENT where a table is missing. */
		if (some == -XG_ENOENT)
			some = -XG_ENOMEM;
		if (some == -XG_ENOMEM &&
		    memory_mapping(g, dom, gfn + *done, mfn + *done, batch,
				   DPCI_REMOVE_MAPPING) < 0)
			*done += batch;
		if (some < 0)
			return some;
		*done += (uint32_t)some;
	}
	return 0;
}

int xg_domctl_unmap_mmio(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			 uint64_t mfn, uint32_t count, uint32_t *done)
{
	int bad = begin(gfn, mfn, count, done);

	if (bad)
		return bad;
	while (*done < count) {
		uint32_t left = count - *done;
		uint32_t batch = left < MMIO_CHUNK ? left : MMIO_CHUNK;
		uint32_t first = left - batch;

		/* Xen may stop in between; the rest of the batch goes then. */
		for (uint32_t some = 0; some < batch;) {
			int rc = memory_mapping(
				g, dom, gfn + first + some, mfn + first + some,
				batch - some, DPCI_REMOVE_MAPPING);

			if (rc < 0)
				return rc;
			some += (uint32_t)rc;
		}
		*done += batch;
	}
	return 0;
}

int xg_domctl_probe_mmio(struct xg_guest *g, uint16_t dom)
{
	/* On Arm Xen looks at who asks, and then at how much: this is one too
	 * many. Taking away what is not there would do no harm either. */
	int rc = memory_mapping(g, dom, UINT64_C(1) << 40, 0, MMIO_CHUNK + 1,
				DPCI_REMOVE_MAPPING);

	if (rc == -XG_E2BIG || rc > 0)
		return 0;
#if XG_NATIVE_HYPERCALL && defined(__x86_64__)
	/* There it looks at the frames before: no answer to the question. */
	if (rc == -XG_EPERM)
		return 0;
#endif
	return rc;
}

static int simple(struct xg_guest *g, uint16_t dom, uint32_t cmd)
{
	struct xen_domctl op = {.cmd = cmd, .domain = dom};

	return domctl(g, &op);
}

int xg_domctl_pause(struct xg_guest *g, uint16_t dom)
{
	return simple(g, dom, XEN_DOMCTL_pausedomain);
}

int xg_domctl_unpause(struct xg_guest *g, uint16_t dom)
{
	return simple(g, dom, XEN_DOMCTL_unpausedomain);
}
