/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * entry/pvh/leave.asm: the instructions that leave a PVH domain, on a processor with QEMU's
 * flaw and on one without.  The flaw: at each branch, where an interrupt may have come in
 * between, the four PDPTEs of the loaded PDPT get their accessed bits.  In a PDPTE with that
 * bit Xen finds a reserved one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "asm_pvh.h"
#include "monitor/pvh/pvh.h"

#define A 0x20u /* of a PDPTE */
#define REGS (A_WIN_STACK + 64)
#define LIMIT (LINEAR + 0x20000u)
#define TOP 0x1F3E0u /* the last PDPT below it, physical; the same one elsewhere: */
#define ELSEWHERE (LINEAR + 0x9E040u)
#define LINE 64u

static struct {
	const char *label, *leaves; /* by this instruction */
	u8 results;		    /* bits of the registers that it changes */
	u32 count;		    /* where it is counted; 0: not here */
} const ways[] = {
	{"hypercall_amd", "vmmcall", 1u << EAX, 0},
	{"hypercall_intel", "vmcall", 1u << EAX, 0},
	{"leave_cpuid", "cpuid", 1u << EAX | 1u << ECX | 1u << EDX, A_N_EXIT_CPUID},
	{"leave_set_cr0", "mov to cr", 0, A_N_EXIT_CR0},
	{"leave_wrmsr", "wrmsr", 0, A_N_EXIT_WRMSR},
	{"quick_clear_ts", "clts", 0, A_N_EXIT_CR0},
	{"quick_set_ts", "mov to cr", 0, A_N_EXIT_CR0},
};
static u32 way;

static bool is(const char *name)
{
	return !strcmp(ways[way].label, name);
}

static bool is_quick(void)
{
	return ways[way].label[0] == 'q';
}

static u32 pdpt;    /* where it can be written */
static u32 kept[8]; /* its words but for the accessed bits */
static u32 begun;   /* the last run of instructions without a branch */
static u32 left;    /* how often the domain was left */
static bool flaw;   /* has the processor it? */

static void processor_sets_the_bits(u32 at)
{
	begun = at;
	if (ways[way].count)
		want(ways[way].count, before(ways[way].count) + 1);
	if (is("quick_set_ts")) {
		want8(A_V_TS_DUE, 0);
		want8(A_V_TS_REAL, 1);
	}
	for (u32 i = 0; flaw && i < 8; i += 2)
		poke8(pdpt + i * 4, peek8(pdpt + i * 4) | A);
}

static void check_pdpt(u32 bit)
{
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(peek(pdpt + i * 4), kept[i] | (i % 2 ? 0 : bit));
}

/* Xen walks the tables.  The run of instructions is in one line, and so in one page: the
 * end of a page is as good as a branch. */
static void xen_looks(void)
{
	left++;
	if (!flaw)
		return;
	check_pdpt(0);
	assert_int_equal(begun / LINE, machine.eip / LINE);
}

/* What ring 0 finds at the top of its stack. */
static void push_frame(void)
{
	machine_push(0x69);
	machine_push(GUEST_STACK);
	machine_push(0x202);
	machine_push(0x61);
	machine_push(GUEST_CODE);
}

static void choose_pdpt(void)
{
	static const u32 limits[] = {0, TOP & ~31u, (TOP & ~31u) + 32, 0x100000};
	u32 limit = limits[below(4)];

	machine.cr[3] = TOP | below(32); /* what else CR3 has */
	poke(A_V_LINEAR_BASE, LINEAR);
	poke(A_V_LINEAR_LIMIT, limit);
	poke(A_V_TOP_AT, ELSEWHERE);
	pdpt = TOP < limit ? LINEAR + TOP : ELSEWHERE;
	for (u32 i = 0; i < 8; i++)
		poke(pdpt + i * 4, rnd());
}

static void prepare(u32 seed)
{
	pvh_begin(seed);
	choose_pdpt();
	machine.ring0 = true;
	machine.cr[0] = rnd() & ~A_CR0_TS;
	machine.gpr[ESP] = A_WIN_STACK_TOP;
	machine.on_branch = processor_sets_the_bits;
	machine.on_leave = xen_looks;
	flaw = one_in(2);
	poke8(A_V_PDPTE_FLAW, flaw);
	left = 0;
	for (u32 i = 0; i < 8; i++)
		kept[i] = peek(pdpt + i * 4) & (flaw && !(i % 2) ? ~A : ~0u);
	if (is("leave_cpuid")) {
		machine.gpr[EAX] = REGS;
		for (u32 i = 0; i < 4; i++)
			poke(REGS + i * 4, rnd());
	}
	if (is_quick())
		push_frame();
}

static enum asm_stop stop;
static u32 first[8], cr0;

static void go(void)
{
	for (u32 i = 0; i < 8; i++)
		first[i] = machine.gpr[i];
	cr0 = machine.cr[0];
	stop = is_quick() ? machine_run(label(ways[way].label)) : machine_call(ways[way].label);
}

/* What CPUID was asked, and where its answer is. */
static void check_cpuid(const struct asm_call *c)
{
	static const u8 order[] = {EAX, EBX, ECX, EDX};

	assert_int_equal(c->gpr[EAX], before(REGS));
	assert_int_equal(c->gpr[ECX], before(REGS + 8));
	for (u32 i = 0; i < 4; i++)
		want(REGS + i * 4, (u32)machine.result + order[i]);
}

/* What Xen was asked. */
static void check_question(void)
{
	const struct asm_call *c = machine.call;

	assert_int_equal(machine.calls, 1);
	assert_string_equal(c->name, ways[way].leaves);
	if (is("leave_cpuid")) {
		check_cpuid(c);
		return;
	}
	for (u32 i = 0; i < 8; i++)
		if (i != ESP && !(i == EBP && flaw) && !(i == EAX && is("quick_set_ts")))
			assert_int_equal(c->gpr[i], first[i]);
	if (ways[way].results)
		assert_int_equal(machine.gpr[EAX], (u32)machine.result);
	assert_int_equal(machine.cr[0], is("leave_set_cr0")  ? first[EAX]
					: is("quick_set_ts") ? cr0 | A_CR0_TS
							     : cr0);
}

static void check(void)
{
	assert_int_equal(stop, STOP_RETURN);
	assert_int_equal(left, 1);
	check_question();
	check_kept(ALL_REGISTERS & ~(u32)ways[way].results);
	assert_int_equal(machine.gpr[ESP], is_quick() ? GUEST_STACK : A_WIN_STACK_TOP);
	check_pdpt(flaw ? A : 0);
	if (is("quick_set_ts")) {
		want8(A_V_TS_DUE, 0);
		want8(A_V_TS_REAL, 1);
	}
	for (u32 i = 0; flaw && i < 8; i += 2)
		want8(pdpt + i * 4, peek8(pdpt + i * 4));
	check_memory();
}

static void xen_finds_no_accessed_bit_and_all_else_is_kept(void **state)
{
	(void)state;
	for (way = 0; way < ARRAY_SIZE(ways); way++)
		each_state(100, prepare, go, check);
}

static void the_hypercall_page_gets_amds_instruction_or_intels(void **state)
{
	(void)state;
	pvh_begin(1);
	for (u32 intel = 0; intel < 2; intel++)
		assert_int_equal(WIN_TEXT + peek(label("hypercall_offset") + intel * 4),
				 label(ways[intel].label));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xen_finds_no_accessed_bit_and_all_else_is_kept),
		cmocka_unit_test(the_hypercall_page_gets_amds_instruction_or_intels),
	};

	return cmocka_run_group_tests_name("asm_pvh_leave", tests, NULL, NULL);
}
