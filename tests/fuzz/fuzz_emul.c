/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User mode at the emulator: any bytes as an instruction, any registers, as a #GP
 * and as an access to a frame without memory.
 *
 * Afterwards user mode stands behind the instruction, or in a string that has moved
 * on, or its kernel in the handler of an exception, with the frame where a processor
 * puts it.  No memory has changed but what user mode may write to, that frame, and
 * accessed and dirty bits; no flag or register that user mode cannot change; and the
 * domain lives, unless the program had IOPL 3 and told the PC to end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cpu.h"
#include "domain.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/decode.h"
#include "monitor/emul/emul.h"
#include "monitor/vcpu.h"
#include "input.h"

#define MEMORY 0x70000u /* what the guest uses */

static struct vcpu *const v = VCPU;

static u8 before[MEMORY], insn[INSN_MAX_LEN];
static struct regs start;

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "emul: %s: eip %08x, now %04x:%08x, bytes", what, start.eip, v->r.cs,
		v->r.eip);
	for (u32 i = 0; i < sizeof(insn); i++)
		fprintf(stderr, " %02x", insn[i]);
	fprintf(stderr, "\n%s\n", xen.console);
	abort();
}

/* Where something may lie: a value for a register. */
static u32 some_value(void)
{
	static const u32 bases[] = {
		USER,	      USER + PAGE_SIZE, USER_NOWHERE, USER_NOWHERE + PAGE_SIZE,
		KERNEL(DATA), KERNEL(HOLE),	WINDOW_BASE,  0,
		0x12340000};
	u8 kind = next();

	if (kind % 10 == 9)
		return next_long();
	return bases[kind % 10 % ARRAY_SIZE(bases)] + (u32)(s8)next() * (kind & 0x10 ? 1 : 16);
}

static u64 segment(u32 base, u32 limit, u32 access)
{
	return (u64)(base >> 24) << 56 | (u64)(access & 0xF000) << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)(access & 0xFF) << 40 |
	       (u64)(base & 0xFFFFFF) << 16 | (limit & 0xFFFF);
}

/* LDT: code and data of 16 and 32 bits from USER on, with limits. */
static void make_segments(void)
{
	u64 *ldt = PHYS(LDT);
	u32 limit = next() << 8 | 0xFF;

	ldt[1] = segment(USER, limit, 0x00FB);
	ldt[2] = segment(USER, limit, 0x40FB);
	ldt[3] = segment(USER, limit, 0x00F3);
	ldt[4] = segment(USER, limit, 0x40F7);
	ldt[5] = segment(USER, limit, 0x40F1);
	segment_load_ldt(v, LDT_SEL);
}

static u16 some_selector(void)
{
	static const u16 selectors[] = {USER_DS, USER_DS, 0x1F, 0x27, 0x2F, 0, 0x17};

	return selectors[next() % ARRAY_SIZE(selectors)];
}

/* The memory behind a byte of user mode's, by its offset from USER. */
static u8 *user_byte(u32 offset)
{
	u32 page = offset / PAGE_SIZE;

	if (page == 2 || page > 3)
		return NULL;
	return (u8 *)PHYS(DATA) + offset - (page == 3 ? PAGE_SIZE : 0);
}

static void make_state(void)
{
	u8 kind = next();
	u32 offset =
		kind & 1 ? next() * 4u : 2 * PAGE_SIZE * (kind >> 1 & 1) + PAGE_SIZE - next() % 16;

	domain_user();
	make_segments();
	if (kind & 4)
		v->r.cs = kind & 8 ? 0x0F : 0x17;
	v->r.eip = offset + (v->r.cs == USER_CS ? USER : 0);
	v->r.eflags = EFLAGS_IF | (next_long() & (EFLAGS_STATUS | EFLAGS_DF));
	v->r.eflags |= kind & 0x10 ? EFLAGS_TF : 0;
	v->iopl = kind & 0x20 ? 3 : 0;
	v->r.ss = kind & 0x40 ? some_selector() : USER_DS;
	v->r.ds = kind & 0x40 ? some_selector() : USER_DS;
	v->r.es = kind & 0x40 ? some_selector() : USER_DS;
	for (u32 i = 0; i < 8; i++)
		v->r.gpr[i] = some_value();
	for (u32 i = 0; i < INSN_MAX_LEN; i++) {
		insn[i] = next();
		if (user_byte(offset + i))
			*user_byte(offset + i) = insn[i];
	}
	start = v->r;
}

/* Is the kernel in a handler that an exception of user mode's leads to? */
static bool in_handler(void)
{
	static const u8 vectors[] = {EXC_DE, EXC_DB, EXC_UD, EXC_NM, EXC_SS, EXC_GP,
				     EXC_PF, EXC_MF, EXC_XM, EXC_BP, 0x80};
	u32 vector = (v->r.eip - HANDLER(0)) / 16, words = 5;

	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		if (!domain_at(vectors[i]))
			continue;
		words += vector == EXC_SS || vector == EXC_GP || vector == EXC_PF;
		demand(v->r.gpr[GPR_ESP] == v->esp0 - words * 4, "the frame is elsewhere");
		demand(domain_stack(words - 4) == start.cs, "CS in the frame");
		return true;
	}
	return false;
}

static void check_registers(void)
{
	const u32 changes = EFLAGS_STATUS | EFLAGS_RF;
	bool moved;

	if (in_handler())
		return;
	demand(v->r.cs == start.cs && v->r.ss == start.ss && v->r.ds == start.ds &&
		       v->r.es == start.es,
	       "a segment register has changed");
	demand(!((v->r.eflags ^ start.eflags) & ~changes), "a flag has changed");
	moved = v->r.eip != start.eip && v->r.eip - start.eip <= INSN_MAX_LEN;
	demand(moved || (v->r.eip == start.eip && v->r.gpr[GPR_ECX] != start.gpr[GPR_ECX]),
	       "it does not go on");
}

/* A byte of the guest's memory that may be another now. */
static bool may_change(u32 at)
{
	bool frame = at >= ESP0 - 24 && at < ESP0;
	bool user = (at >= DATA && at < DATA + PAGE_SIZE) ||
		    (at >= DATA + 2 * PAGE_SIZE && at < DATA + 3 * PAGE_SIZE);

	return frame || user;
}

static bool is_table(u32 at)
{
	return at >= TABLES && at < TABLES + 0x10000;
}

static void check_memory(void)
{
	const u8 *now = PHYS(0);

	if (!memcmp(now, before, HOLE < MEMORY ? HOLE : MEMORY))
		return;
	for (u32 i = 0; i < MEMORY; i++)
		if (now[i] != before[i] && !may_change(i) &&
		    !(is_table(i) && !((now[i] ^ before[i]) & ~0x60))) {
			fprintf(stderr, "at %x: %x now %x\n", i, before[i], now[i]);
			demand(false, "memory that is not user mode's has changed");
		}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static jmp_buf death;
	u8 kind;

	in = (struct input){data, bytes};
	kind = next();
	domain_init(kind & 1);
	cpu_reset();
	make_state();
	memcpy(before, PHYS(0), MEMORY);
	xen.death = &death;
	if (setjmp(death)) {
		demand(v->iopl == 3 && xen.reason != SHUTDOWN_crash, "the domain has died");
		return 0;
	}
	v->r.error = 0;
	xen_refusal.made = 0;
	if (kind & 2)
		emulate_mmio(v, USER_NOWHERE, HOLE);
	else
		emulate(v, EXC_GP);
	check_registers();
	check_memory();
	demand(xen_refusal.made < 4000, "many hypercalls");
	return 0;
}
