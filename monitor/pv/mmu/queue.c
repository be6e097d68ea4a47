/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue: writes of Xen's tables that are made together.
 *
 * Kept true:
 *  - When queue_send() returns Xen has all writes, and of two to the same entry the later.
 *    An entry that Xen refuses is clear instead, and a fault finds what should be there.
 *  - Many writes to one POOL_L1 are made in the page itself, while it is no page table
 *    (rewrite).  An mmu_update takes some 500 instructions for each entry.  When the whole
 *    page loses its type and gets it back, Xen needs 330 for each present entry, and next to
 *    nothing for an empty one.  Meanwhile the page is hooked nowhere, and nothing of the
 *    guest's runs.  If Xen refuses to begin this, an mmu_update is made; if it does not take
 *    the page back, the page is lost, and faults bring back what was in it.
 */
#include "paging.h"
#include "monitor/life.h"

static struct shadow *const s = &PV->shadow;

_Static_assert(sizeof(struct queued) == sizeof(struct mmu_entry), "the queue is Xen's");

#define NOTHING_QUEUED (~0u) /* shadow.queue_last */

/* Instructions that Xen 4.17 needs, measured: for an entry in an mmu_update; to forget and to
 * check a present entry; for an empty page to lose its type and get it back; to take
 * its hook in a root away and put it back. */
#define UPDATE 500u
#define FORGET 145u
#define CHECK 185u
#define RETYPE 21500u
#define REHOOK 2600u

/* A rewrite is never worth it for fewer writes. */
#define REWRITE_LEAST (RETYPE / (UPDATE - FORGET))

void queue_start(void)
{
	SHADOW_CPU->queued = 0;
	SHADOW_CPU->queue_last = NOTHING_QUEUED;
	SHADOW_CPU->fills.page = SHADOW_NONE;
}

u64 entry_address(u32 table, u32 index)
{
	u32 mfn = pool_mfn(table);

	return (u64)(mfn >> 20) << 32 | (mfn << PAGE_SHIFT | index * 8);
}

void queue_write(u32 table, u32 index, u32 low, u32 high)
{
	u32 entry = table << 9 | index;
	struct queued *q = &SHADOW_CPU->queue[SHADOW_CPU->queued];

	if (SHADOW_CPU->queue_last == entry) {
		q--;
	} else {
		if (SHADOW_CPU->queued == ARRAY_SIZE(SHADOW_CPU->queue)) {
			queue_send();
			q = SHADOW_CPU->queue;
		}
		q->ptr = entry_address(table, index);
		SHADOW_CPU->queued++;
		SHADOW_CPU->queue_last = entry;
	}
	q->low = low;
	q->high = high;
}

/* Makes one write; false if Xen refuses it. */
static bool made(u64 ptr, u64 val)
{
	return xen_did(mmu_write_one(ptr, val));
}

/* Makes writes one by one, some of which Xen refuses: those entries are cleared.  That some have
 * been made already does not matter. */
static __attribute__((noinline)) void update_singly(const struct queued *q, u32 count)
{
	for (; count; count--, q++)
		if (!made(q->ptr, (u64)q->high << 32 | q->low) && !made(q->ptr, 0))
			xen_must(s->xen_error, NEED_CLEAR);
}

/* Makes writes by an mmu_update. */
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

/* The index in its table of the entry that is written. */
static u32 index_of(const struct queued *q)
{
	return (u32)q->ptr / 8 & 511;
}

/* 1 if the entry is present, else 0. */
static u32 present(const volatile void *entry)
{
	return *(const volatile u32 *)entry & (u32)PTE_P;
}

/* Is a rewrite cheaper than an mmu_update for these writes to a POOL_L1 that has so many present
 * entries before? */
static bool worth_rewriting(u32 page, u32 before, const struct queued *q, u32 count)
{
	const volatile u64 *table = pool_table(page);
	u32 after = before;

	for (u32 i = 0; i < count; i++)
		after += present(&q[i].low) - present(&table[index_of(&q[i])]);
	return count * UPDATE >
	       RETYPE + (s->pool[page].hooks ? REHOOK : 0) + before * FORGET + after * CHECK;
}

/* The L2 entry by which a POOL_L1 is hooked in its only root, and its value; 0 if it is hooked
 * nowhere. */
static struct mmu_entry hook_of(const struct pool_page *p)
{
	u32 l2, index = p->l2i & 511;

	if (!p->hooks)
		return (struct mmu_entry){0};
	l2 = s->roots[p->only_root].l2[p->l2i >> 9];
	return (struct mmu_entry){entry_address(l2, index), pool_table(l2)[index]};
}

/* Hooks the POOL_L1 again, unless it was hooked nowhere. */
static void rehook(u32 page, const struct mmu_entry *hook)
{
	if (s->pool[page].hooks && !made(hook->ptr, hook->val))
		root_hook_lost(page);
}

/* Unhooks and unpins a POOL_L1: it is ordinary memory.  false: Xen refuses, and it is the table
 * that it was, but may have lost its hook. */
static bool untype(u32 page, const struct mmu_entry *hook)
{
	if (s->pool[page].hooks && !made(hook->ptr, 0))
		return false;
	if (xen_did(mmu_unpin(pool_mfn(page))))
		return true;
	rehook(page, hook);
	return false;
}

/* Pins and hooks it again.  false: Xen refuses, and the page is lost. */
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

/* Makes writes to a POOL_L1, which has so many present entries, in the page itself.  false: they
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

/* Makes a run of writes to one table by rewriting it, if that is cheaper, and before it those
 * that were queued earlier.  false: the run is
 * still to be made, and so are the earlier ones, which may have been made already. */
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
