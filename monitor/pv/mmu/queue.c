/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes of the shadow's tables on their way to Xen.
 *
 * Kept true:
 *  - Later writes win, and when queue_send() returns Xen has them all; an entry that
 *    Xen refuses is clear instead, and a fault finds out what should be there.
 *  - Many writes to one POOL_L1 are made in the page itself, while it is no
 *    page table (rewrite): an mmu_update takes some 500 instructions for each
 *    entry, but Xen forgets and checks a present one in 330 when the whole
 *    page loses its type and gets it back, and absent ones nearly for nothing.
 *    Meanwhile the page is hooked nowhere, and nothing of the guest runs.  Where
 *    Xen refuses to begin this, an mmu_update is made; a page that it does not
 *    take back is lost, and what was in it comes back by faults.
 */
#include "paging.h"
#include "monitor/life.h"

static struct shadow *const s = &PV->shadow;

_Static_assert(sizeof(struct queued) == sizeof(struct mmu_entry), "the queue is Xen's");

#define NO_KEY (~0u)

/* Instructions that Xen 4.17 takes, measured: for an entry in an mmu_update; to
 * forget, and to check, one that is present; for an empty page to lose its type and
 * get it back; for its hook in a root. */
#define UPDATE 500u
#define FORGET 145u
#define CHECK 185u
#define RETYPE 21500u
#define REHOOK 2600u

/* Fewer are never worth it. */
#define REWRITE_LEAST (RETYPE / (UPDATE - FORGET))

void queue_start(void)
{
	SHADOW_CPU->queued = 0;
	SHADOW_CPU->queue_last = NO_KEY;
	SHADOW_CPU->fills.page = SHADOW_NONE;
}

/* The machine address of an entry of a page of the pool. */
u64 entry_address(u32 table, u32 index)
{
	u32 mfn = pool_mfn(table);

	return (u64)(mfn >> 20) << 32 | (mfn << PAGE_SHIFT | index * 8);
}

/* A write to the same entry as the last replaces it. */
void queue_write(u32 table, u32 index, u32 low, u32 high)
{
	u32 key = table << 9 | index;
	struct queued *q = &SHADOW_CPU->queue[SHADOW_CPU->queued];

	if (SHADOW_CPU->queue_last == key) {
		q--;
	} else {
		if (SHADOW_CPU->queued == ARRAY_SIZE(SHADOW_CPU->queue)) {
			queue_send();
			q = SHADOW_CPU->queue;
		}
		q->ptr = entry_address(table, index);
		SHADOW_CPU->queued++;
		SHADOW_CPU->queue_last = key;
	}
	q->low = low;
	q->high = high;
}

static bool made(u64 ptr, u64 val)
{
	return xen_did(mmu_write_one(ptr, val));
}

/* Some of these Xen refuses; what has been made already can be made again. */
static __attribute__((noinline)) void update_singly(const struct queued *q, u32 count)
{
	for (; count; count--, q++)
		if (!made(q->ptr, (u64)q->high << 32 | q->low) && !made(q->ptr, 0))
			xen_must(s->xen_error, NEED_CLEAR);
}

static void update(const struct queued *q, u32 count)
{
	if (count && mmu_write((const struct mmu_entry *)q, count))
		update_singly(q, count);
}

/* How many of these writes, from the first on, go to the same table. */
static u32 run_length(const struct queued *q, u32 count)
{
	u32 n = 1;

	while (n < count && !((q[n].ptr ^ q->ptr) >> PAGE_SHIFT))
		n++;
	return n;
}

static u32 index_of(const struct queued *q)
{
	return (u32)q->ptr / 8 & 511;
}

static u32 present(const volatile void *entry)
{
	return *(const volatile u32 *)entry & (u32)PTE_P;
}

/* Are these writes to that page, in which so many entries are present, made
 * cheaper by rewriting it? */
static bool worth_rewriting(u32 page, u32 before, const struct queued *q, u32 count)
{
	const volatile u64 *table = pool_table(page);
	u32 after = before;

	for (u32 i = 0; i < count; i++)
		after += present(&q[i].low) - present(&table[index_of(&q[i])]);
	return count * UPDATE >
	       RETYPE + (s->pool[page].hooks ? REHOOK : 0) + before * FORGET + after * CHECK;
}

/* The hook of a POOL_L1 in its one root; of one without, none. */
static struct mmu_entry hook_of(const struct pool_page *p)
{
	u32 l2, index = p->l2i & 511;

	if (!p->hooks)
		return (struct mmu_entry){0};
	l2 = s->roots[p->only_root].l2[p->l2i >> 9];
	return (struct mmu_entry){entry_address(l2, index), pool_table(l2)[index]};
}

static void rehook(u32 page, const struct mmu_entry *hook)
{
	if (s->pool[page].hooks && !made(hook->ptr, hook->val))
		root_hook_lost(page);
}

/* Makes the POOL_L1 ordinary memory.  false: Xen refuses, and it is the table that
 * it was, if perhaps without its hook. */
static bool untype(u32 page, const struct mmu_entry *hook)
{
	if (s->pool[page].hooks && !made(hook->ptr, 0))
		return false;
	if (xen_did(mmu_unpin(pool_mfn(page))))
		return true;
	rehook(page, hook);
	return false;
}

/* Makes it the table again that it was.  false: Xen refuses, it is lost. */
static bool retype(u32 page, const struct mmu_entry *hook)
{
	if (pool_close() && xen_did(mmu_pin_l1(pool_mfn(page)))) {
		rehook(page, hook);
		return true;
	}
	if (s->pool[page].hooks)
		root_hook_lost(page);
	pool_lose(page);
	return false;
}

/* Makes the writes in the page, in which so many entries are present.  false: they
 * are still to be made. */
static bool rewrite(u32 page, u32 entries, const struct queued *q, u32 count)
{
	struct pool_page *p = &s->pool[page];
	struct mmu_entry hook = hook_of(p);
	volatile u32 *table;

	if (!untype(page, &hook))
		return false;
	table = pool_edit(page);
	for (; table && count; count--, q++) {
		volatile u32 *entry = &table[index_of(q) * 2];

		entries += present(&q->low) - present(entry);
		entry[0] = q->low;
		entry[1] = q->high;
	}
	if (table && !entries)
		p->dirty_groups[0] = p->dirty_groups[1] = 0;
	COUNT(shadow_rewritten);
	return !retype(page, &hook) || table;
}

/* These writes are all to one table.  Are they made, by rewriting it?  Those
 * queued before them must be first. */
static bool send_run(const struct queued *before, const struct queued *run, u32 count)
{
	u32 page = pool_of_mfn((u32)(run->ptr >> PAGE_SHIFT)), entries = 0;
	const struct pool_page *p = &s->pool[page];

	if (count < REWRITE_LEAST || p->kind != POOL_L1 || p->hooks > 1 ||
	    (p->hooks && p->only_root == NO_ONLY_ROOT))
		return false;
	for (u32 i = 0; i < 512; i++)
		entries += present(&pool_table(page)[i]);
	if (!worth_rewriting(page, entries, run, count))
		return false;
	update(before, (u32)(run - before));
	return rewrite(page, entries, run, count);
}

void queue_send(void)
{
	u32 count = SHADOW_CPU->queued, sent = 0, at = 0;

	while (count - at >= REWRITE_LEAST) {
		u32 n = run_length(&SHADOW_CPU->queue[at], count - at);

		if (send_run(&SHADOW_CPU->queue[sent], &SHADOW_CPU->queue[at], n))
			sent = at + n;
		at += n;
	}
	update(&SHADOW_CPU->queue[sent], count - sent);
	queue_start();
}
