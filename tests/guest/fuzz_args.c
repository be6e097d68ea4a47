/* SPDX-License-Identifier: GPL-2.0-only */
/* Random and boundary arguments; see fuzz_own.h. */
#include "fuzz_own.h"
#include "rom.h"

u32 rnd(void)
{
	own.state ^= own.state << 13;
	own.state ^= own.state >> 17;
	own.state ^= own.state << 5;
	return own.state;
}

u32 below(u32 n)
{
	return rnd() % n;
}

bool one_in(u32 n)
{
	return !below(n);
}

u32 any(void)
{
	static const u32 edges[] = {0,		1,	    2,		3,	    7,
				    8,		0xff,	    0x100,	0xfff,	    0x1000,
				    0xffff,	0x10000,    ~0u,	~1u,	    ~7u,
				    0xfffff000, 0x7fffffff, 0x80000000, 0xc0000000, 0xf4000000,
				    0xf5800000, 0xfee00000, 0xffc00000};

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return (1u << below(32)) - below(2);
	case 2:
		return below(1024);
	default:
		return rnd();
	}
}

/* Where nothing may be written, and little read. */
u32 bad_pointer(void)
{
	switch (below(5)) {
	case 0:
		return any();
	case 1:
		return rom_virtual_top() + below(0x1800000); /* the hypervisor's */
	case 2:
		return 0xf5800000 + below(0xa800000);
	case 3:
		return (u32)page_address(own.page) + PAGE_SIZE * 0x100000;
	default:
		return below(PAGE_OFFSET);
	}
}

/* Memory of ours for `bytes`, at any alignment. */
u32 pointer(u32 bytes)
{
	if (own.wild && one_in(300))
		return bad_pointer();
	return (u32)page_address(own.page) + below(PAGE_SIZE - bytes);
}

u32 entry_pointer(u32 bytes)
{
	u32 t = one_in(3) ? own.user_table : own.table;

	if (own.wild && one_in(300))
		return bad_pointer();
	return (u32)page_address(t) + below(PAGE_SIZE / bytes) * bytes;
}

u32 a_frame(void)
{
	switch (below(6)) {
	case 0:
		return own.table;
	case 1:
		return own.user_table;
	case 2:
		return below(lowmem_pages());
	case 3:
		return own.wild ? any() >> PAGE_SHIFT : own.page;
	default:
		return own.page;
	}
}

u32 an_entry(void)
{
	u32 pfn = one_in(4) ? any() >> PAGE_SHIFT : a_frame();

	return one_in(8) ? any() : pfn << PAGE_SHIFT | (rnd() & 0xfff) | (rnd() & PTE_P);
}

u32 update_flags(void)
{
	return one_in(2) ? any() : (REGION + below(0x200000)) | (rnd() & 0x3f);
}
