/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads tree and cow: processes and the memory they inherit. */
#include "stress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TREE_PAGES 12u
#define TREE_DEPTH 4u

int leaf(u32 seed)
{
	return (int)(mix(seed, 0xA5) & 0x3F);
}

static noreturn void become_leaf(u32 seed)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", seed);
	execl("/proc/self/exe", "stress", "leaf", text, (char *)NULL);
	wrong("execl: %s", strerror(errno));
}

/* A process of the tree: what it inherits is its parent's, until it writes. */
static noreturn void node(u8 *data, u32 parent, u32 seed, u32 depth)
{
	struct rng r = {mix(seed, depth)};
	u32 children = depth ? below(&r, 4) : 0;
	pid_t child[4];

	verify(data, TREE_PAGES * PAGE, parent, "tree: inherited memory");
	if (!depth && below(&r, 2))
		become_leaf(seed);
	fill(data, TREE_PAGES * PAGE, seed);
	for (u32 i = 0; i < children; i++) {
		child[i] = spawn();
		if (!child[i])
			node(data, seed, mix(seed, i), depth - 1);
	}
	for (u32 i = children; i-- > 0;)
		reap(child[i], leaf(mix(seed, i)), "tree");
	verify(data, TREE_PAGES * PAGE, seed, "tree: own memory");
	_exit(leaf(seed));
}

void load_tree(struct rng *r)
{
	static u8 data[TREE_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
	u32 seed = rnd(r), own = rnd(r);
	pid_t root;

	fill(data, sizeof(data), own);
	root = spawn();
	if (!root)
		node(data, own, seed, TREE_DEPTH);
	reap(root, leaf(seed), "tree");
	verify(data, sizeof(data), own, "tree: memory of the root's parent");
}

#define COW_PAGES 64u

struct cow {
	u8 *at;
	u32 seed[COW_PAGES];
};

static void cow_write(struct cow *c, struct rng *r, u32 times)
{
	while (times--) {
		u32 page = below(r, COW_PAGES);

		c->seed[page] = rnd(r);
		fill(c->at + page * PAGE, PAGE, c->seed[page]);
	}
}

static void cow_check(const struct cow *c, const char *who)
{
	for (u32 i = 0; i < COW_PAGES; i++)
		verify(c->at + i * PAGE, PAGE, c->seed[i], who);
}

static void cow_generation(struct cow *c, struct rng *r, u32 depth)
{
	pid_t child = spawn();

	if (!child) {
		struct cow mine = *c;
		struct rng own = {mix(rnd(r), depth)};

		for (u32 i = 0; i < 3; i++) {
			cow_write(&mine, &own, 8);
			cow_check(&mine, "cow: child");
			usleep(below(&own, 2000));
		}
		if (depth)
			cow_generation(&mine, &own, depth - 1);
		cow_check(&mine, "cow: child, at its end");
		_exit(7);
	}
	for (u32 i = 0; i < 3; i++) {
		cow_write(c, r, 8);
		cow_check(c, "cow: parent");
		usleep(below(r, 2000));
	}
	reap(child, 7, "cow");
	cow_check(c, "cow: parent, without its child");
}

void load_cow(struct rng *r)
{
	struct cow c;

	c.at = mmap(NULL, COW_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(c.at != MAP_FAILED, "cow: mmap: %s", strerror(errno));
	memset(c.seed, 0, sizeof(c.seed));
	cow_write(&c, r, COW_PAGES / 2);
	cow_generation(&c, r, 2);
	munmap(c.at, COW_PAGES * PAGE);
}
