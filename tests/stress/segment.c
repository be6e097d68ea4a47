/* SPDX-License-Identifier: GPL-2.0-only */
/* Load segment: descriptors of a program's own, in its LDT and in the GDT. */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What both system calls take (Linux, asm/ldt.h). */
struct user_desc {
	u32 entry_number, base_addr, limit;
	u32 seg_32bit : 1, contents : 2, read_exec_only : 1, limit_in_pages : 1,
		seg_not_present : 1, useable : 1;
};

#define SELECTORS 24u
#define WORDS 16u

static u32 data[SELECTORS][WORDS];

static void describe(struct user_desc *d, u32 number, const void *base)
{
	memset(d, 0, sizeof(*d));
	d->entry_number = number;
	d->base_addr = (u32)base;
	d->limit = sizeof(data[0]) - 1;
	d->seg_32bit = 1;
	d->useable = 1;
}

static void set_ldt(u32 number, const void *base)
{
	struct user_desc d;

	describe(&d, number, base);
	CHECK(syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)) == 0, "segment: modify_ldt: %s",
	      strerror(errno));
}

/* Word i behind a selector, by %fs. */
static u32 read_fs(u32 selector, u32 i)
{
	u32 value;

	__asm__ volatile("mov %w1, %%fs\n\tmov %%fs:(%2), %0"
			 : "=&r"(value)
			 : "r"(selector), "r"(i * 4)
			 : "memory");
	return value;
}

static void check(const u32 *seed, u32 tls, const char *who)
{
	for (u32 n = 0; n < SELECTORS; n++) {
		u32 selector = n < SELECTORS - 1 ? n * 8 + 7 : tls * 8 + 3;
		u32 i = seed[n] % WORDS, is = read_fs(selector, i);

		if (seed[n] % 5 == 0) { /* it stays loaded while others run */
			u32 kept;

			sched_yield();
			__asm__ volatile("mov %%fs:(%1), %0" : "=r"(kept) : "r"(i * 4) : "memory");
			CHECK(kept == is, "segment: %s: %%fs is another one after a switch", who);
		}
		CHECK(is == mix(seed[n], i), "segment: %s: selector %04x gives %08x, not %08x", who,
		      selector, is, mix(seed[n], i));
	}
}

static void change(u32 *seed, struct rng *r, u32 n)
{
	seed[n] = rnd(r);
	for (u32 i = 0; i < WORDS; i++)
		data[n][i] = mix(seed[n], i);
}

static noreturn void in_process(u32 own)
{
	struct rng r = {own};
	u32 seed[SELECTORS];
	struct user_desc d;
	pid_t child;

	for (u32 n = 0; n < SELECTORS; n++) {
		change(seed, &r, n);
		if (n < SELECTORS - 1)
			set_ldt(n, data[n]);
	}
	describe(&d, (u32)-1, data[SELECTORS - 1]);
	CHECK(syscall(SYS_set_thread_area, &d) == 0, "segment: set_thread_area: %s",
	      strerror(errno));
	for (u32 i = 0; i < 10; i++) {
		check(seed, d.entry_number, "process");
		change(seed, &r, below(&r, SELECTORS));
		set_ldt(below(&r, SELECTORS - 1), data[0]); /* is put right below */
		for (u32 n = 0; n < SELECTORS - 1; n++)
			set_ldt(n, data[n]);
	}
	child = spawn();
	if (!child) {
		check(seed, d.entry_number, "child");
		change(seed, &r, 3);
		check(seed, d.entry_number, "child with data of its own");
		_exit(1);
	}
	check(seed, d.entry_number, "parent");
	reap(child, 1, "segment");
	check(seed, d.entry_number, "parent without its child");
	_exit(4);
}

/* Two at a time, so that one LDT is switched for the other. */
void load_segment(struct rng *r)
{
	u32 seed[2] = {rnd(r), rnd(r)};
	pid_t child[2];

	for (u32 i = 0; i < 2; i++) {
		child[i] = spawn();
		if (!child[i])
			in_process(seed[i]);
	}
	reap(child[0], 4, "segment");
	reap(child[1], 4, "segment");
}
