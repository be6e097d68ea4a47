/* SPDX-License-Identifier: GPL-2.0-only */
/* String instructions that meet frames without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/emul.h"
#include "monitor/vcpu.h"

#define NOWHERE KERNEL(HOLE) /* mapped by the guest, and no memory there */

static struct vcpu *const v = VCPU;
static u32 *const gpr = VCPU->r.gpr;

static void touch(const char *hex, gva_t va)
{
	domain_code(hex);
	emulate_mmio(v, va, va - LINEAR);
}

/* EBX points to nowhere; the instruction is done. */
static void done(const char *hex)
{
	v->r.eip = KERNEL(CODE);
	gpr[GPR_EBX] = NOWHERE;
	touch(hex, NOWHERE);
	assert_int_equal(v->r.eip, KERNEL(CODE) + (strlen(hex) + 1) / 3);
}

/* The same in user mode at USER; true if it is done. */
static bool user(const char *hex)
{
	u32 len;

	v->r.cs = USER_CS;
	v->r.eip = USER;
	len = domain_code(hex);
	emulate_mmio(v, USER_NOWHERE, HOLE);
	return v->r.eip == USER + len;
}

static int start(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 i = 0; i < 8; i++)
		if (i != GPR_ESP)
			gpr[i] = 0x01020304;
	return 0;
}

static void strings_into_nowhere(void **state)
{
	(void)state;
	gpr[GPR_EDI] = NOWHERE;
	done("AB"); /* stosd */
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 4);
	gpr[GPR_EDI] = NOWHERE;
	gpr[GPR_ECX] = 16;
	done("F3 AB");
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 64);
	assert_int_equal(gpr[GPR_ECX], 0);
	/* Over its end: the first that is memory is done, too, the rest is left. */
	gpr[GPR_EDI] = NOWHERE + 32 * PAGE_SIZE - 8;
	gpr[GPR_ECX] = 10;
	v->r.eip = KERNEL(CODE);
	touch("F3 AB", gpr[GPR_EDI]);
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(gpr[GPR_ECX], 7);
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 32 * PAGE_SIZE + 4);
	v->r.eflags |= EFLAGS_DF;
	gpr[GPR_EDI] = NOWHERE + 8;
	gpr[GPR_ECX] = 3;
	done("F3 AB");
	assert_int_equal(gpr[GPR_EDI], NOWHERE - 4);
	v->r.eflags &= ~EFLAGS_DF;
	gpr[GPR_ESI] = NOWHERE;
	done("AC"); /* lodsb */
	assert_int_equal(gpr[GPR_EAX], 0x010203FF);
	assert_int_equal(gpr[GPR_ESI], NOWHERE + 1);
}

static void string_moves_with_one_side_in_memory(void **state)
{
	u32 *data;

	(void)state;
	data = PHYS(DATA);
	data[0] = data[2] = 0x55555555;
	gpr[GPR_ESI] = NOWHERE;
	gpr[GPR_EDI] = KERNEL(DATA);
	gpr[GPR_ECX] = 2;
	done("F3 A5"); /* from nowhere */
	assert_int_equal(data[0], 0xFFFFFFFF);
	assert_int_equal(data[1], 0xFFFFFFFF);
	assert_int_equal(data[2], 0x55555555);
	gpr[GPR_ESI] = KERNEL(DATA);
	gpr[GPR_EDI] = NOWHERE;
	gpr[GPR_ECX] = 2;
	done("F3 A5"); /* into nowhere */
	assert_int_equal(gpr[GPR_ECX], 0);
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 8);
	gpr[GPR_ECX] = 0;
	done("F3 A5");
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 8);
	done("A5");
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 12);
	/* Out of the hole at its end. */
	gpr[GPR_ESI] = NOWHERE + 32 * PAGE_SIZE - 4;
	gpr[GPR_EDI] = KERNEL(DATA);
	gpr[GPR_ECX] = 3;
	v->r.eip = KERNEL(CODE);
	touch("F3 A5", gpr[GPR_ESI]);
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(gpr[GPR_ECX], 1);
	gpr[GPR_ECX] = 0;
	/* To a page that is not mapped. */
	gpr[GPR_ESI] = NOWHERE;
	gpr[GPR_EDI] = 0x70000000;
	touch("A5", NOWHERE);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, 0x70000000);
}

/* As a text screen is scrolled. */
static void string_moves_with_both_sides_nowhere(void **state)
{
	(void)state;
	gpr[GPR_ESI] = NOWHERE + 0x100;
	gpr[GPR_EDI] = NOWHERE;
	gpr[GPR_ECX] = 0x40;
	done("F3 A5");
	assert_int_equal(gpr[GPR_ECX], 0);
	assert_int_equal(gpr[GPR_ESI], NOWHERE + 0x200);
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 0x100);
}

static void user_mode_moves_nothing_into_the_kernel(void **state)
{
	u32 *kernel = PHYS(0x60000);

	(void)state;
	*kernel = 0x12345678;
	domain_user();
	gpr[GPR_ESI] = USER_NOWHERE;
	gpr[GPR_EDI] = KERNEL(0x60000);
	gpr[GPR_ECX] = 1;
	assert_false(user("F3 A5"));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, KERNEL(0x60000));
	assert_int_equal(domain_stack(0), PF_U | PF_W | PF_P);
	assert_int_equal(*kernel, 0x12345678);
	assert_int_equal(gpr[GPR_ECX], 1);
	/* nor out of it: a comparison would tell */
	domain_user();
	gpr[GPR_ESI] = KERNEL(0x60000);
	gpr[GPR_EDI] = USER_NOWHERE;
	v->r.eflags = EFLAGS_IF;
	assert_false(user("A7"));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(0), PF_U | PF_P);
	assert_int_equal(domain_stack(3), EFLAGS_IF);
	/* nor by the stack */
	domain_user();
	gpr[GPR_EBX] = USER_NOWHERE;
	gpr[GPR_ESP] = KERNEL(0x60004);
	assert_false(user("FF 33"));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(*kernel, 0x12345678);
	domain_user();
	gpr[GPR_ESP] = KERNEL(0x60000);
	assert_false(user("8F 03"));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(4), KERNEL(0x60000));
}

static void strings_are_compared(void **state)
{
	u8 *data = PHYS(DATA);

	(void)state;
	memset(data + 0x100, 0xFF, 16);
	data[0x105] = 0x80;
	domain_user();
	gpr[GPR_ESI] = USER + 0x100;
	gpr[GPR_EDI] = USER_NOWHERE;
	gpr[GPR_ECX] = 16;
	assert_true(user("F3 A6")); /* repe cmpsb: 80 - FF */
	assert_int_equal(gpr[GPR_ECX], 10);
	assert_int_equal(gpr[GPR_ESI], USER + 0x106);
	assert_int_equal(gpr[GPR_EDI], USER_NOWHERE + 6);
	assert_int_equal(v->r.eflags & EFLAGS_STATUS, 0x95); /* CF PF AF SF */
	gpr[GPR_EDI] = USER_NOWHERE;
	gpr[GPR_ECX] = 5;
	gpr[GPR_EAX] = 0x7FFF;
	assert_true(user("F2 66 AF")); /* repne scasw: 7FFF - FFFF overflows */
	assert_int_equal(gpr[GPR_ECX], 0);
	assert_int_equal(v->r.eflags & EFLAGS_STATUS, 0x885); /* CF PF SF OF */
	assert_true(user("AE"));			      /* scasb: FF - FF */
	assert_int_equal(v->r.eflags & EFLAGS_STATUS, 0x44);
	gpr[GPR_EAX] = 0x7F;
	assert_true(user("AE")); /* 7F - FF overflows */
	assert_int_equal(v->r.eflags & EFLAGS_STATUS, 0x881);
	gpr[GPR_EAX] = 0xFFFF;
	gpr[GPR_ECX] = 5;
	assert_true(user("F2 66 AF")); /* found at once */
	assert_int_equal(gpr[GPR_ECX], 4);
	assert_true(user("F3 66 AF"));
	assert_int_equal(gpr[GPR_ECX], 0);
}

static void strings_with_addresses_of_16_bits(void **state)
{
	(void)state;
	domain_user();
	((u64 *)PHYS(LDT))[1] = 0x0000F30000000000ull | (u64)(USER_NOWHERE >> 24) << 56 |
				(u64)(USER_NOWHERE & 0xFFFFFF) << 16 | 0xFFFF;
	assert_true(segment_load_ldt(v, LDT_SEL));
	v->r.es = 0x0F;
	gpr[GPR_EDI] = 0x12340010;
	gpr[GPR_ECX] = 0x00010004;
	assert_true(user("67 F3 AB")); /* rep stosd */
	assert_int_equal(gpr[GPR_EDI], 0x12340020);
	assert_int_equal(gpr[GPR_ECX], 0x00010000);
	v->r.eflags |= EFLAGS_DF;
	gpr[GPR_EDI] = 0x12340000;
	gpr[GPR_ECX] = 2;
	assert_false(user("67 F3 AA")); /* downwards over 0: FFFF is not mapped */
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, USER_NOWHERE + 0xFFFF);
	assert_int_equal(gpr[GPR_EDI], 0x1234FFFF);
	assert_int_equal(gpr[GPR_ECX], 1);
}

/* A count of 4 G holds nobody up. */
static void interrupts_come_in_between(void **state)
{
	u32 *table = PHYS(TABLES + 0x3000);

	(void)state;
	for (u32 i = 0; i < 32; i++) /* 128 KB of nowhere, and as far as it goes */
		table[0x200 + i] = (HOLE + i * PAGE_SIZE) | 3;
	gpr[GPR_EDI] = NOWHERE;
	gpr[GPR_ECX] = 0xFFFFFFFF;
	v->r.eip = KERNEL(CODE);
	v->r.eflags |= EFLAGS_RF;
	touch("F3 AB", NOWHERE);
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(gpr[GPR_ECX], 0xFFFFFFFF - 1024);
	assert_int_equal(gpr[GPR_EDI], NOWHERE + 4096);
	assert_true(v->r.eflags & EFLAGS_RF);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(strings_into_nowhere, start),
		cmocka_unit_test_setup(string_moves_with_one_side_in_memory, start),
		cmocka_unit_test_setup(string_moves_with_both_sides_nowhere, start),
		cmocka_unit_test_setup(user_mode_moves_nothing_into_the_kernel, start),
		cmocka_unit_test_setup(strings_are_compared, start),
		cmocka_unit_test_setup(strings_with_addresses_of_16_bits, start),
		cmocka_unit_test_setup(interrupts_come_in_between, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
