/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Is what a region knows consistent? Page by page, for tests. */
#include "region_tree.h"

/* The runs, what is mapped of them, and the leaves: from the last page to the
 * first, so that where a run ends is known before where it starts. */
static int verify_runs(const struct xg_region *r, uint32_t blocks)
{
	uint32_t end = r->pages, node = 0;
	bool hole_behind = false, mapped = false;

	for (uint32_t page = blocks * XG_REGION_BLOCK; page-- > 0;) {
		bool starts = xg_test_bit(r->starts, page);
		bool hole = xg_test_bit(r->holes, page);

		if (xg_test_bit(r->mapped, page)) {
			mapped = true;
			node |= XG_NODE_MAPPED;
		}
		if (page >= r->pages && (hole || mapped))
			return 1;
		/* A hole starts, is not behind another, and not mapped. */
		if (hole && (!starts || hole_behind || mapped))
			return 2;
		if (starts) {
			uint32_t length = hole ? end - page : 0;

			if (node / 2 <= length)
				node = (length + 1) * 2 | (node & 1);
			end = page;
			hole_behind = hole;
			mapped = false;
		}
		if (page % XG_REGION_BLOCK)
			continue;
		if (r->nodes[r->leaves + page / XG_REGION_BLOCK] != node)
			return 3;
		node = 0;
	}
	return end ? 4 : 0;
}

/* The nodes above. */
static int verify_nodes(const struct xg_region *r, uint32_t blocks)
{
	for (uint32_t i = r->leaves; --i;) {
		uint32_t most = 0, mapped = 0;

		for (uint32_t k = 2 * i; k < 2 * i + 2; k++) {
			uint32_t node =
				k < r->leaves + blocks ? r->nodes[k] : 0;

			mapped |= node & XG_NODE_MAPPED;
			if (node > most)
				most = node;
		}
		if (r->nodes[i] != (most | mapped))
			return 5;
	}
	return r->nodes[0] ? 5 : 0;
}

/* What is kept back, and what came from there, is of one page each. */
static int verify_kept(const struct xg_region *r)
{
	uint32_t w = r->kept_word;
	uint32_t behind = w * 64 + 64;
	uint64_t ends = r->starts[w] >> 1;

	if (behind >= r->pages || xg_test_bit(r->starts, behind))
		ends |= UINT64_C(1) << 63;
	if (r->pages < behind)
		ends |= UINT64_C(1) << (r->pages - 1) % 64;
	if (r->singles & ~(r->starts[w] & ~r->holes[w] & ends))
		return 6;
	return r->kept & (~r->singles | r->mapped[w]) ? 7 : 0;
}

int xg_region_verify(const struct xg_region *r)
{
	uint32_t blocks = (uint32_t)XG_REGION_BLOCKS(r->pages);
	int rc = verify_runs(r, blocks);

	if (!rc)
		rc = verify_nodes(r, blocks);
	return rc ? rc : verify_kept(r);
}
