/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Load map: regions that come, grow, move, change their protection and go.
 * Beside each page stands the seed of what is in it.
 */
#include "stress.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGIONS 12u
#define PAGES 64u
#define STEPS 150u

struct region {
	u8 *at; /* NULL: none */
	u32 pages;
	int prot;
	bool shared;
	u32 seed[PAGES];
};

static struct region region[REGIONS];
static sigjmp_buf after_fault;
static void *volatile fault_at;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault_at = info->si_addr;
	siglongjmp(after_fault, 1);
}

/* Does this access fault, there and nowhere else? */
static bool faults(volatile u32 *at, bool write)
{
	u32 value;

	if (sigsetjmp(after_fault, 1)) {
		CHECK(fault_at == (void *)at, "map: fault at %p, not at %p", fault_at, (void *)at);
		return true;
	}
	value = *at;
	if (write)
		*at = value;
	return false;
}

static void create(struct region *g, struct rng *r)
{
	g->pages = 1 + below(r, PAGES);
	g->shared = below(r, 4) == 0;
	g->prot = PROT_READ | PROT_WRITE;
	g->at = mmap(NULL, g->pages * PAGE, g->prot,
		     (g->shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	if (g->at == MAP_FAILED) {
		CHECK(errno == ENOMEM, "map: mmap: %s", strerror(errno));
		g->at = NULL;
	}
	memset(g->seed, 0, sizeof(g->seed));
}

static void destroy(struct region *g)
{
	CHECK(munmap(g->at, g->pages * PAGE) == 0, "map: munmap: %s", strerror(errno));
	CHECK(faults((u32 *)g->at, false), "map: unmapped memory can be read");
	g->at = NULL;
}

static void protect(struct region *g, int prot)
{
	CHECK(mprotect(g->at, g->pages * PAGE, prot) == 0, "map: mprotect: %s", strerror(errno));
	g->prot = prot;
}

/* A page is what it should be, and lets in whom it should. */
static void check_page(const struct region *g, u32 page)
{
	u8 *at = g->at + page * PAGE;
	bool no_read = faults((u32 *)at, false), no_write = faults((u32 *)(at + 8), true);

	CHECK(no_read == !(g->prot & PROT_READ), "map: page at %p with protection %d %s", at,
	      g->prot, no_read ? "cannot be read" : "can be read");
	CHECK(no_write == !(g->prot & PROT_WRITE), "map: page at %p with protection %d %s", at,
	      g->prot, no_write ? "cannot be written" : "can be written");
	if (g->prot & PROT_READ)
		verify(at, PAGE, g->seed[page], "map");
}

static void check(const struct region *g)
{
	for (u32 i = 0; i < g->pages; i++)
		check_page(g, i);
}

static void write_some(struct region *g, struct rng *r)
{
	for (u32 i = 0; i < 8; i++) {
		u32 page = below(r, g->pages);

		g->seed[page] = rnd(r);
		fill(g->at + page * PAGE, PAGE, g->seed[page]);
	}
}

static void resize(struct region *g, struct rng *r)
{
	/* What is shared and anonymous has no pages behind its end. */
	u32 pages = 1 + below(r, g->shared ? g->pages : PAGES);
	void *at = mremap(g->at, g->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);

	if (at == MAP_FAILED) {
		/* EFAULT: to the kernel the region is more than one, since a hole. */
		CHECK(errno == ENOMEM || errno == EFAULT, "map: mremap: %s", strerror(errno));
		return;
	}
	for (u32 i = g->pages; i < pages; i++)
		g->seed[i] = 0;
	g->at = at;
	g->pages = pages;
}

static void forget(struct region *g, struct rng *r)
{
	u32 first = below(r, g->pages), count = 1 + below(r, g->pages - first);

	if (g->shared)
		return;
	CHECK(madvise(g->at + first * PAGE, count * PAGE, MADV_DONTNEED) == 0, "map: madvise: %s",
	      strerror(errno));
	memset(g->seed + first, 0, count * sizeof(u32));
}

/* A hole in the middle, filled again at the same place. */
static void punch(struct region *g, struct rng *r)
{
	u32 page = below(r, g->pages);
	u8 *at = g->at + page * PAGE;

	if (g->shared)
		return;
	CHECK(munmap(at, PAGE) == 0, "map: munmap of a page: %s", strerror(errno));
	CHECK(faults((u32 *)at, false), "map: a hole can be read");
	CHECK(mmap(at, PAGE, g->prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at,
	      "map: mmap into a hole: %s", strerror(errno));
	g->seed[page] = 0;
}

static void step(struct region *g, struct rng *r)
{
	static const int prots[] = {PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
				    PROT_NONE};

	switch (below(r, 8)) {
	case 0:
		protect(g, prots[below(r, ARRAY_SIZE(prots))]);
		break;
	case 1:
		resize(g, r);
		break;
	case 2:
		forget(g, r);
		break;
	case 3:
		punch(g, r);
		break;
	case 4:
		check(g);
		destroy(g);
		break;
	case 5:
		check_page(g, below(r, g->pages));
		break;
	default:
		if (g->prot & PROT_WRITE)
			write_some(g, r);
	}
}

void load_map(struct rng *r)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	for (u32 i = 0; i < STEPS; i++) {
		struct region *g = &region[below(r, REGIONS)];

		if (g->at)
			step(g, r);
		else
			create(g, r);
	}
	for (u32 i = 0; i < REGIONS; i++)
		if (region[i].at) {
			check(&region[i]);
			destroy(&region[i]);
		}
	signal(SIGSEGV, SIG_DFL);
}
