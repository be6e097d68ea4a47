/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of a process's own: see enum segment_kind. */
#include "user.h"

#define LDT_SELECTOR 0x0f /* entry 1, RPL 3 */

static u32 own = 0x0d0d0d0d;

static u32 gs(void)
{
	u32 selector;

	asm volatile("mov %%gs, %0" : "=r"(selector));
	return selector & 0xffff;
}

static void load(u32 selector)
{
	asm volatile("mov %0, %%gs" ::"r"(selector));
}

static u32 word(void)
{
	u32 value;

	asm volatile("mov %%gs:0, %0" : "=r"(value));
	return value;
}

static void make(u32 selector)
{
	u32 base = (u32)&own;

	sys(SYS_SEGMENT, selector, base << 16 | 0xffff,
	    (base & 0xff000000) | 0x00cff200 | (base >> 16 & 0xff));
}

static void hold(u32 selector)
{
	make(selector);
	load(selector);
	for (u32 i = 0; i < 30; i++) {
		sys(SYS_YIELD, 0, 0, 0);
		if (gs() != selector)
			exit(1);
		if (word() != own)
			exit(2);
	}
	exit(0);
}

static void cleared(u32 selector)
{
	make(selector);
	load(selector);
	sys(SYS_SEGMENT, selector, 0, 0);
	sys(SYS_YIELD, 0, 0, 0);
	exit(gs() ? 1 : 0);
}

static void load_case(u32 index)
{
	sys(SYS_SEGCASE, index, 0, 0);
	load(LDT_SELECTOR);
	for (u32 i = 0; i < 3; i++)
		sys(SYS_YIELD, 0, 0, 0);
	exit(gs() == LDT_SELECTOR ? 0 : 1);
}

void segment(u32 kind, u32 argument)
{
	switch (kind) {
	case SEGMENT_HOLD:
		hold(argument);
		break;
	case SEGMENT_TAKE:
		sys(SYS_YIELD, 0, 0, 0);
		load(argument);
		exit(word() == own ? 1 : 2);
	case SEGMENT_CLEARED:
		cleared(argument);
		break;
	case SEGMENT_LOAD:
		load_case(argument);
		break;
	}
	exit(3);
}
