/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes of the shadow's tables on their way to Xen.
 *
 * Kept true:
 *  - Later writes win, and when queue_send() returns Xen has them all.
 *  - Many writes to one POOL_L1 are made in the page itself, while it is no
 *    page table (rewrite): an mmu_update takes some 500 instructions for each
 *    entry, but Xen forgets and checks a present one in 330 when the whole
 *    page loses its type and gets it back, and absent ones nearly for nothing.
 *    Meanwhile the page is hooked nowhere, and nothing of the guest runs.
 */
#include "paging.h"

static struct shadow *const s = &MON->shadow;

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
	s->queued = 0;
	s->queue_last = NO_KEY;
	s->fills.page = SHADOW_NONE;
}

static u64 entry_address(u32 table, u32 index)
{
	u32 mfn = pool_mfn(table);

	return (u64)(mfn >> 20) << 32 | (mfn << PAGE_SHIFT | index * 8);
}

/* A write to the same entry as the last replaces it. */
void queue_write(u32 table, u32 index, u32 low, u32 high)
{
	u32 key = table << 9 | index;
	struct queued *q = &s->queue[s->queued];

	if (s->queue_last == key) {
		q--;
	} else {
		if (s->queued == ARRAY_SIZE(s->queue)) {
			queue_send();
			q = s->queue;
		}
		q->ptr = entry_address(table, index);
		s->queued++;
		s->queue_last = key;
	}
	q->low = low;
	q->high = high;
}

static void update(const struct queued *q, u32 count)
{
	if (count)
		ASSERT(mmu_write((const struct mmu_entry *)q, count) == 0);
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

static void rewrite(u32 page, u32 entries, const struct queued *q, u32 count)
{
	struct pool_page *p = &s->pool[page];
	struct queued hook = {0};
	volatile u32 *table;

	if (p->hooks) {
		u32 l2 = s->roots[p->home].l2[p->l2i >> 9];
		struct entry e = entry_read(&pool_table(l2)[p->l2i & 511], true);

		hook = (struct queued){entry_address(l2, p->l2i & 511), 0, 0};
		update(&hook, 1);
		hook.low = e.low;
		hook.high = e.high;
	}
	ASSERT(mmu_unpin(pool_mfn(page)) == 0);
	table = pool_edit(page);
	for (; count; count--, q++) {
		volatile u32 *entry = &table[index_of(q) * 2];

		entries += present(&q->low) - present(entry);
		entry[0] = q->low;
		entry[1] = q->high;
	}
	if (!entries)
		p->groups[0] = p->groups[1] = 0;
	pool_close();
	ASSERT(mmu_pin_l1(pool_mfn(page)) == 0);
	update(&hook, p->hooks);
	COUNT(shadow_rewritten);
}

/* These writes are all to one table.  Are they made, by rewriting it?  Those
 * queued before them must be first. */
static bool send_run(const struct queued *before, const struct queued *run, u32 count)
{
	u32 page = pool_of_mfn((u32)(run->ptr >> PAGE_SHIFT)), entries = 0;
	const struct pool_page *p = &s->pool[page];

	if (count < REWRITE_LEAST || p->kind != POOL_L1 || p->hooks > 1 ||
	    (p->hooks && p->home == NO_HOME))
		return false;
	for (u32 i = 0; i < 512; i++)
		entries += present(&pool_table(page)[i]);
	if (!worth_rewriting(page, entries, run, count))
		return false;
	update(before, (u32)(run - before));
	rewrite(page, entries, run, count);
	return true;
}

void queue_send(void)
{
	u32 count = s->queued, sent = 0, at = 0;

	while (count - at >= REWRITE_LEAST) {
		u32 n = run_length(&s->queue[at], count - at);

		if (send_run(&s->queue[sent], &s->queue[at], n))
			sent = at + n;
		at += n;
	}
	update(&s->queue[sent], count - sent);
	queue_start();
}
