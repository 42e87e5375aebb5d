/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A binary tree over blocks of 512 pages. Level 0 has a node for each block,
 * the level above one for each two, up to a single one. A node knows the free
 * run at its part's start and end and the longest anywhere in it, so one way
 * down finds a run of any length and one way up brings the nodes up to date.
 *
 * A node whose part is all free or all used says it all: the nodes and the
 * `free` words below it may be out of date. They are set right on the way down
 * to a page that changes (push_path). So a run of any length changes a
 * handful of nodes on each level, not a bit for each page.
 *
 * `heads` and `mapped`, and the nodes' flags for them, are always up to date.
 * A page in both `free` and `heads` is in the region's cache: for the tree it
 * is an allocation of one page.
 */
#include "region_tree.h"

#include "atomic.h"
#include "region_bits.h"

#define BLOCK	    XG_REGION_BLOCK
#define BLOCK_WORDS (BLOCK / 64)

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* First page and number of pages of a node's part. */
static uint32_t start_of(uint32_t level, uint32_t i)
{
	return i * BLOCK << level;
}

static uint32_t size_of(const struct xg_region *r, uint32_t level, uint32_t i)
{
	return min_u32((uint32_t)BLOCK << level, r->pages - start_of(level, i));
}

static struct xg_region_node *node_at(const struct xg_region *r, uint32_t level,
				      uint32_t i)
{
	return &r->level[level][i];
}

static bool all_free(const struct xg_region *r, uint32_t level, uint32_t i)
{
	return xg_node_longest(node_at(r, level, i)) == size_of(r, level, i);
}

static bool all_used(const struct xg_region *r, uint32_t level, uint32_t i)
{
	return !xg_node_longest(node_at(r, level, i));
}

static void set_node(struct xg_region *r, uint32_t level, uint32_t i, bool free)
{
	struct xg_region_node *node = node_at(r, level, i);
	uint32_t run = free ? size_of(r, level, i) : 0;

	node->prefix = run;
	node->suffix = run;
	node->longest = (node->longest & XG_NODE_FLAGS) | run;
}

/* Set the words of [first, first + n), which is within a block. */
static void set_words(struct xg_region *r, uint32_t first, uint32_t n,
		      bool free)
{
	while (n) {
		uint32_t some = min_u32(n, 64 - first % 64);
		uint64_t bits = xg_bit_range(first % 64, some);

		if (free)
			r->free[first / 64] |= bits;
		else
			r->free[first / 64] &= ~bits;
		first += some;
		n -= some;
	}
}

static uint64_t free_word(const struct xg_region *r, uint32_t w)
{
	return r->free[w] & ~r->heads[w];
}

/* Make what lies directly below a uniform node say the same. */
static void push(struct xg_region *r, uint32_t level, uint32_t i)
{
	bool free = all_free(r, level, i);

	if (!free && !all_used(r, level, i))
		return;
	if (!level && free) {
		set_words(r, start_of(0, i), size_of(r, 0, i), true);
		return;
	}
	if (!level) {
		/* Words that are out of date have no head, and so no page of
		 * the cache. */
		for (uint32_t w = i * BLOCK_WORDS; w < (i + 1) * BLOCK_WORDS;
		     w++)
			r->free[w] &= r->heads[w];
		return;
	}
	set_node(r, level - 1, 2 * i, free);
	if (2 * i + 1 < r->level_size[level - 1])
		set_node(r, level - 1, 2 * i + 1, free);
}

static void push_path(struct xg_region *r, uint32_t block)
{
	for (uint32_t level = r->levels; level--;)
		push(r, level, block >> level);
}

/* A block's node from its words. */
static void update_block(struct xg_region *r, uint32_t block)
{
	struct xg_region_node *node = node_at(r, 0, block);
	uint32_t size = size_of(r, 0, block);
	uint32_t prefix = 0, longest = 0, run = 0;
	bool at_start = true;

	for (uint32_t w = 0; w * 64 < size; w++) {
		uint64_t word = free_word(r, block * BLOCK_WORDS + w);
		uint32_t here = min_u32(64, size - w * 64);
		uint32_t first = min_u32(xg_run_at_start(word), here);

		if (first == here) {
			run += here;
			continue;
		}
		if (at_start)
			prefix = run + first;
		at_start = false;
		longest = max_u32(longest, run + first);
		longest = max_u32(longest, xg_longest_run(word));
		run = here == 64 ? xg_run_at_end(word)
				 : xg_run_at_end(word << (64 - here));
	}
	node->prefix = at_start ? size : prefix;
	node->suffix = run;
	node->longest = (node->longest & XG_NODE_FLAGS) | max_u32(longest, run);
}

/* A node from the two below it. */
static void update_node(struct xg_region *r, uint32_t level, uint32_t i)
{
	struct xg_region_node *node = node_at(r, level, i);
	const struct xg_region_node *left = node_at(r, level - 1, 2 * i);
	const struct xg_region_node *right = left + 1;
	uint32_t left_size, right_size;

	if (2 * i + 1 >= r->level_size[level - 1]) {
		*node = *left;
		return;
	}
	left_size = (uint32_t)BLOCK << (level - 1);
	right_size = size_of(r, level - 1, 2 * i + 1);
	node->prefix = left->prefix == left_size ? left_size + right->prefix
						 : left->prefix;
	node->suffix = right->suffix == right_size ? right_size + left->suffix
						   : right->suffix;
	node->longest =
		max_u32(max_u32(xg_node_longest(left), xg_node_longest(right)),
			left->suffix + right->prefix) |
		((left->longest | right->longest) & XG_NODE_FLAGS);
}

static void update_path(struct xg_region *r, uint32_t block)
{
	for (uint32_t level = 1; level < r->levels; level++)
		update_node(r, level, block >> level);
}

/* The same where nothing but this block changed: a node that stays as it was
 * is the last to look at. */
static void update_path_of_one(struct xg_region *r, uint32_t block)
{
	for (uint32_t level = 1; level < r->levels; level++) {
		struct xg_region_node *node = node_at(r, level, block >> level);
		struct xg_region_node was = *node;

		update_node(r, level, block >> level);
		if (was.prefix == node->prefix && was.suffix == node->suffix &&
		    was.longest == node->longest)
			return;
	}
}

void xg_region_tree_init(struct xg_region *r, struct xg_region_node *nodes)
{
	uint32_t size = (r->pages + BLOCK - 1) / BLOCK;

	for (r->levels = 0;; size = (size + 1) / 2) {
		uint32_t level = r->levels++;

		r->level[level] = nodes;
		r->level_size[level] = size;
		memset(nodes, 0, size * sizeof(*nodes));
		nodes += size;
		if (size == 1)
			break;
	}
	set_node(r, r->levels - 1, 0, true);
}

/* The lowest run of `n` in a block that has one. */
static uint32_t find_in_block(const struct xg_region *r, uint32_t block,
			      uint32_t n)
{
	uint32_t run = 0;

	for (uint32_t w = 0; w < BLOCK_WORDS; w++) {
		uint64_t word = free_word(r, block * BLOCK_WORDS + w);
		uint64_t starts;

		if (run + xg_run_at_start(word) >= n)
			return start_of(0, block) + w * 64 - run;
		starts = n <= 64 ? xg_runs_of(word, n) : 0;
		if (starts)
			return start_of(0, block) + w * 64 +
			       (uint32_t)__builtin_ctzll(starts);
		run = ~word ? xg_run_at_end(word) : run + 64;
	}
	return r->pages;
}

uint32_t xg_region_tree_find(const struct xg_region *r, uint32_t n)
{
	uint32_t level = r->levels - 1;
	uint32_t i = 0;

	if (xg_node_longest(node_at(r, level, 0)) < n)
		return r->pages;
	while (!all_free(r, level, i)) {
		const struct xg_region_node *left;

		if (!level)
			return find_in_block(r, i, n);
		level--;
		i *= 2;
		left = node_at(r, level, i);
		if (xg_node_longest(left) >= n)
			continue;
		/* There is a right one, or the run would be in the left. */
		if (left->suffix + left[1].prefix >= n)
			return start_of(level, i + 1) - left->suffix;
		i++;
	}
	return start_of(level, i);
}

void xg_region_tree_set(struct xg_region *r, uint32_t first, uint32_t n,
			bool free)
{
	uint32_t left = first / BLOCK;
	uint32_t right = (first + n - 1) / BLOCK;
	uint32_t in_left = min_u32(n, (left + 1) * BLOCK - first);
	uint32_t l = left + 1, end = right;

	push_path(r, left);
	/* The first block's words are always written: what asks for the length
	 * of an allocation relies on it. */
	set_words(r, first, in_left, free);
	if (left == right) {
		update_block(r, left);
		update_path_of_one(r, left);
		return;
	}
	push_path(r, right);
	set_words(r, right * BLOCK, first + n - right * BLOCK, free);
	/* Whole blocks in between, by the largest nodes that cover them. */
	for (uint32_t level = 0; l < end; level++, l /= 2, end /= 2) {
		if (l & 1)
			set_node(r, level, l++, free);
		if (end & 1)
			set_node(r, level, --end, free);
	}
	update_block(r, left);
	update_block(r, right);
	update_path(r, left);
	update_path(r, right);
}

uint64_t xg_region_tree_take_word(struct xg_region *r, uint32_t first,
				  uint32_t most)
{
	uint32_t block = first / BLOCK;
	uint64_t rest, taken;

	push_path(r, block);
	rest = free_word(r, first / 64);
	taken = rest;
	while (rest && most--)
		rest &= rest - 1;
	taken ^= rest;
	/* Still in `free`, as what is in the cache. */
	r->heads[first / 64] |= taken;
	xg_region_tree_mark(r, r->heads, XG_NODE_HEADS, first, 1, true);
	update_block(r, block);
	update_path_of_one(r, block);
	return taken;
}

/* Is a bit of [first, first + n), which is within a block, set? */
static bool any_bit(const uint64_t *words, uint32_t first, uint32_t n)
{
	while (n) {
		uint32_t some = min_u32(n, 64 - first % 64);

		if (words[first / 64] & xg_bit_range(first % 64, some))
			return true;
		first += some;
		n -= some;
	}
	return false;
}

/*
 * Does a page of [first, first + n) have its bit in `words`, or a whole node in
 * it one of `mask` in `longest`?
 */
static bool any_in(const struct xg_region *r, const uint64_t *words,
		   uint32_t mask, uint32_t first, uint32_t n)
{
	uint32_t left = first / BLOCK;
	uint32_t right = (first + n - 1) / BLOCK;
	uint32_t in_left = min_u32(n, (left + 1) * BLOCK - first);
	uint32_t l = left + 1, end = right;

	if (any_bit(words, first, in_left))
		return true;
	if (left == right)
		return false;
	if (any_bit(words, right * BLOCK, first + n - right * BLOCK))
		return true;
	for (uint32_t level = 0; l < end; level++, l /= 2, end /= 2) {
		if ((l & 1) && (node_at(r, level, l++)->longest & mask))
			return true;
		if ((end & 1) && (node_at(r, level, --end)->longest & mask))
			return true;
	}
	return false;
}

bool xg_region_tree_used(struct xg_region *r, uint32_t first, uint32_t n)
{
	push_path(r, first / BLOCK);
	push_path(r, (first + n - 1) / BLOCK);
	return !any_in(r, r->free, ~XG_NODE_FLAGS, first, n);
}

bool xg_region_tree_mapped(const struct xg_region *r, uint32_t first,
			   uint32_t n)
{
	return any_in(r, r->mapped, XG_NODE_MAPPED, first, n);
}

/* The first page from `page` to the end of its block that is a head or, if
 * `free`, free; or the end of the block. */
static uint32_t next_in_block(const struct xg_region *r, uint32_t page,
			      bool free)
{
	uint32_t end = min_u32((page / BLOCK + 1) * BLOCK, r->pages);

	while (page < end) {
		uint64_t word = r->heads[page / 64];

		if (free)
			word |= r->free[page / 64];
		word >>= page % 64;
		if (word)
			return page + (uint32_t)__builtin_ctzll(word);
		page += 64 - page % 64;
	}
	return end;
}

/* Has the node's part a page that is a head or, if `free`, free? */
static bool has_next(const struct xg_region *r, uint32_t level, uint32_t i,
		     bool free)
{
	uint32_t longest = node_at(r, level, i)->longest;

	return (longest & XG_NODE_HEADS) ||
	       (free && (longest & ~XG_NODE_FLAGS));
}

/* The first such page in a node's part, which has one. */
static uint32_t first_next(const struct xg_region *r, uint32_t level,
			   uint32_t i)
{
	bool free = true;

	for (;; level--) {
		if (free && all_free(r, level, i))
			return start_of(level, i);
		/* What is below a used node may be out of date on what is
		 * free, but not on heads. */
		if (free && all_used(r, level, i))
			free = false;
		if (!level)
			return next_in_block(r, start_of(0, i), free);
		i *= 2;
		if (!has_next(r, level - 1, i, free))
			i++;
	}
}

uint32_t xg_region_tree_next(struct xg_region *r, uint32_t page)
{
	uint32_t i = page / BLOCK;
	uint32_t end, next;

	push_path(r, i);
	end = min_u32((i + 1) * BLOCK, r->pages);
	next = page + 1 < end ? next_in_block(r, page + 1, true) : end;
	if (next < end)
		return next;
	for (uint32_t level = 0; level + 1 < r->levels; level++, i /= 2)
		if (!(i & 1) && i + 1 < r->level_size[level] &&
		    has_next(r, level, i + 1, true))
			return first_next(r, level, i + 1);
	return r->pages;
}

static bool block_has(const uint64_t *words, uint32_t block)
{
	uint64_t any = 0;

	for (uint32_t w = 0; w < BLOCK_WORDS; w++)
		any |= words[block * BLOCK_WORDS + w];
	return any;
}

/* Bring the flags above block `i` in line with its words, `on` or off. */
static void update_flag(struct xg_region *r, const uint64_t *words,
			uint32_t flag, uint32_t i, bool on)
{
	if (!on && block_has(words, i))
		return;
	for (uint32_t level = 0; level < r->levels; level++, i /= 2) {
		struct xg_region_node *node = node_at(r, level, i);

		if (on && (node->longest & flag))
			return;
		if (!on && level) {
			const struct xg_region_node *left =
				node_at(r, level - 1, 2 * i);
			bool right = 2 * i + 1 < r->level_size[level - 1] &&
				     (left[1].longest & flag);

			if ((left->longest & flag) || right)
				return;
		}
		if (!on && !(node->longest & flag))
			return;
		node->longest ^= flag;
	}
}

void xg_region_tree_mark(struct xg_region *r, uint64_t *words, uint32_t flag,
			 uint32_t first, uint32_t n, bool on)
{
	while (n) {
		uint32_t some = min_u32(n, 64 - first % 64);
		uint64_t bits = xg_bit_range(first % 64, some);

		if (on)
			words[first / 64] |= bits;
		else
			words[first / 64] &= ~bits;
		n -= some;
		/* Once for each block. */
		if (!n || (first + some) % BLOCK == 0)
			update_flag(r, words, flag, first / BLOCK, on);
		first += some;
	}
}

bool xg_region_tree_all_mapped(const struct xg_region *r, uint32_t first,
			       uint32_t n)
{
	while (n) {
		uint32_t some = min_u32(n, 64 - first % 64);
		uint64_t bits = xg_bit_range(first % 64, some);

		if (~r->mapped[first / 64] & bits)
			return false;
		first += some;
		n -= some;
	}
	return true;
}

int xg_region_verify(struct xg_region *r)
{
	uint32_t cached = r->cached;

	for (uint32_t level = r->levels; level--;)
		for (uint32_t i = 0; i < r->level_size[level]; i++)
			push(r, level, i);
	for (uint32_t i = 0; i < r->level_size[0]; i++) {
		struct xg_region_node was = *node_at(r, 0, i);

		update_block(r, i);
		if (memcmp(&was, node_at(r, 0, i), sizeof(was)))
			return 1;
		if (block_has(r->heads, i) != !!(was.longest & XG_NODE_HEADS))
			return 2;
	}
	for (uint32_t level = 1; level < r->levels; level++)
		for (uint32_t i = 0; i < r->level_size[level]; i++) {
			struct xg_region_node was = *node_at(r, level, i);

			update_node(r, level, i);
			if (memcmp(&was, node_at(r, level, i), sizeof(was)))
				return 3;
		}
	/* What is mapped is used, and what is in the cache is free. */
	for (uint32_t w = 0; w < XG_REGION_WORDS(r->pages); w++) {
		cached -= xg_count_bits(r->free[w] & r->heads[w]);
		if (r->free[w] & r->mapped[w])
			return 4;
	}
	for (uint32_t i = 0; i < r->cached; i++)
		if (!xg_test_bit(r->free, r->cache[i]) ||
		    !xg_test_bit(r->heads, r->cache[i]))
			return 6;
	if (cached)
		return 7;
	if (r->pages % 64 && r->free[r->pages / 64] >> (r->pages % 64))
		return 5;
	return 0;
}
