/* SPDX-License-Identifier: GPL-2.0-only */
/* See shadow_model.h: what must be true of the shadow at any time. */
#include <string.h>

#include "monitor/pv/mmu/paging.h"
#include "shadow_model.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/pv/mmu/block.h"

static void check_roots(void)
{
	const struct shadow *s = &PV->shadow;
	static u16 hooks[WIN_POOL_MAX];

	memset(hooks, 0, sizeof(hooks));
	for (u32 i = 0; i < s->root_limit && s->roots[i].made; i++) {
		const struct root *r = &s->roots[i];

		for (u32 l2i = 0; l2i < WINDOW_L2; l2i++) {
			u32 page = root_l1(r, l2i), chunk;
			bool l1 = page != SHADOW_NONE && s->pool[page].kind == POOL_L1;

			if (l1 != (r->hooked[l2i >> 5] >> (l2i & 31) & 1))
				model_failed("root %u slot %u: its bit in hooked[] is wrong", i,
					     l2i);
			if (l1 && s->pool[page].l2i != l2i)
				model_failed("root %u slot %u: the page is made for slot %u", i,
					     l2i, s->pool[page].l2i);
			if (l1)
				hooks[page]++;
			if (linear_covers(l2i, &chunk) && linear_is_hooked(chunk) &&
			    page != s->one_to_one_first + chunk)
				model_failed("root %u slot %u: not the linear mapping", i, l2i);
		}
	}
	for (u32 i = 0; i < s->pool_pages; i++)
		if (s->pool[i].kind == POOL_L1 && s->pool[i].hooks != hooks[i])
			model_failed("pool page %u: %u hooks, not %u", i, hooks[i],
				     s->pool[i].hooks);
}

static bool is_directory(u32 gpfn)
{
	const struct shadow *s = &PV->shadow;

	for (u32 i = 0; i < s->root_limit; i++)
		for (u32 slot = 0; slot < 4; slot++)
			if (s->roots[i].made && s->roots[i].table[slot] == gpfn)
				return true;
	return false;
}

static void check_heads(void)
{
	for (u32 gpfn = 0; gpfn < GUEST_PAGES; gpfn++)
		if (guest_frame(gpfn) && !(HEADS[gpfn] & HEAD_DIRECTORY) == is_directory(gpfn))
			model_failed("frame %x is %s", gpfn,
				     is_directory(gpfn) ? "a directory that is not marked"
							: "marked as a directory and is none");
}

static void check_pool(void)
{
	const struct shadow *s = &PV->shadow;
	u32 chained = 0, owned = 0;

	for (u32 gpfn = 0; gpfn < GUEST_PAGES; gpfn++)
		for (u32 at = HEADS[gpfn] & ~HEAD_DIRECTORY; at != SHADOW_NONE;
		     at = s->pool[at].next, chained++)
			if (s->pool[at].kind != POOL_L1 || s->pool[at].gpfn != gpfn)
				model_failed("pool page %u: in the chain of frame %x", at, gpfn);
	for (u32 i = 0; i < s->pool_pages; i++) {
		const struct pool_page *p = &s->pool[i];
		const volatile u64 *e = pool_table(i);

		if ((p->kind == POOL_L1 || p->kind == POOL_FREE) && !xen_frame_pinned(pool_mfn(i)))
			model_failed("pool page %u: not pinned", i);
		if (p->kind != POOL_L1)
			continue;
		owned += p->gpfn != GPFN_NONE;
		for (u32 k = 0; k < 512; k++)
			if ((e[k] & PTE_P) && !(p->dirty_groups[k / 256] >> (k / 8 % 32) & 1))
				model_failed("pool page %u: entry %u is there, its group is clear",
					     i, k);
	}
	if (chained != owned)
		model_failed("%u pages in chains, %u belong to tables", chained, owned);
}

void model_check_shadow(void)
{
	check_roots();
	check_heads();
	check_pool();
}
