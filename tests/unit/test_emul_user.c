/* SPDX-License-Identifier: GPL-2.0-only */
/* The emulator and user mode: what it may, single steps, where its instructions end,
 * code and addresses of 16 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/emul.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

static struct vcpu *const v = VCPU;
static u32 *const gpr = VCPU->r.gpr;

/* Carries out "0F 20 D8" at EIP, which trapped with vector. */
static void trap(const char *hex, u32 vector)
{
	domain_code(hex);
	v->r.error = 0;
	emulate(v, vector);
}

/* It is done, and EIP behind it. */
static void done(const char *hex)
{
	u32 eip = v->r.eip;

	trap(hex, EXC_GP);
	assert_int_equal(v->r.eip, eip + (strlen(hex) + 1) / 3);
	v->r.eip = eip;
}

static void *linear(u32 va)
{
	return (void *)(uintptr_t)va;
}

static void user_mode_needs_iopl_or_the_bitmap(void **state)
{
	u8 *tss;

	(void)state;
	domain_init(true);
	v->esp0 = KERNEL(ESP0);
	domain_user();
	trap("E4 80", EXC_GP);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(gpr[GPR_ESP], KERNEL(ESP0) - 24);

	domain_init(true);
	domain_user();
	v->iopl = 3;
	done("E4 80");

	domain_init(true);
	domain_user();
	tss = PHYS(TSS);
	*(u16 *)(tss + 0x66) = 0x68;
	memset(tss + 0x68, 0xFF, 0x2001);
	tss[0x68 + 0x80 / 8] = 0xFE; /* port 80 alone */
	done("E4 80");
	trap("E5 80", EXC_GP); /* four ports */
	assert_true(domain_at(EXC_GP));

	domain_init(true);
	domain_user();
	*(u16 *)(tss + 0x66) = 0x3000; /* behind the limit */
	trap("E4 80", EXC_GP);
	assert_true(domain_at(EXC_GP));
}

static void user_mode_strings_obey_the_pages(void **state)
{
	(void)state;
	domain_init(true);
	v->iopl = 3;
	domain_user();
	gpr[GPR_EDX] = 0x1234;
	gpr[GPR_EDI] = USER + 0x100;
	done("6D");
	assert_int_equal(*(u32 *)PHYS(DATA + 0x100), 0xFFFFFFFF);
	gpr[GPR_EDI] = USER + PAGE_SIZE - 2; /* the second half is read-only */
	trap("6D", EXC_GP);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(0), PF_U | PF_W | PF_P);
	domain_user();
	gpr[GPR_ESI] = KERNEL(DATA); /* the kernel's */
	trap("6E", EXC_GP);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(0), PF_U | PF_P);
	domain_user();
	gpr[GPR_ESI] = USER + PAGE_SIZE;
	done("6E");
}

/* IOPL 3 allows CLI and STI; they do nothing, for POPF could not undo them. */
static void user_mode_with_iopl_3_may_cli_and_sti(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->r.eflags = EFLAGS_IF;
	v->iopl = 3;
	done("FA");
	assert_int_equal(v->r.eflags, EFLAGS_IF);
	done("FB");
	assert_int_equal(v->r.eflags, EFLAGS_IF);
	v->iopl = 2;
	trap("FA", EXC_GP);
	assert_true(domain_at(EXC_GP));
}

/* The last port of a bitmap has its bit in the last byte but one: a processor reads
 * two bytes. */
static void the_bitmap_ends_with_the_tss(void **state)
{
	u64 *gdt;

	(void)state;
	domain_init(true);
	gdt = PHYS(GDT);
	memset(PHYS(TSS + 0x68), 0, 0x2001);
	*(u16 *)PHYS(TSS + 0x66) = 0x68;
	gdt[TSS_SEL >> 3] = (gdt[TSS_SEL >> 3] & ~0xFFFFull) | (0x68 + 0x80 / 8 + 1);
	domain_user();
	done("E4 80");
	gdt[TSS_SEL >> 3]--;
	trap("E4 80", EXC_GP);
	assert_true(domain_at(EXC_GP));
}

/* --- single steps -------------------------------------------------------------- */

/* After the instruction the guest is in its #DB, as after any other. */
static void steps(const char *hex, u32 eip)
{
	v->r.eflags |= EFLAGS_TF | EFLAGS_RF;
	v->dr[6] = 1;
	trap(hex, EXC_GP);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(0), eip);
	assert_int_equal(domain_stack(2) & (EFLAGS_TF | EFLAGS_RF), EFLAGS_TF);
	assert_int_equal(v->dr[6] & 0x400F, 0x4000);
	assert_false(v->r.eflags & EFLAGS_TF);
}

static void an_emulated_instruction_is_stepped_over(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	steps("E4 80", USER + 2);
	domain_user();
	steps("FA", USER + 1);
	domain_user();
	gpr[GPR_EDI] = USER + 0x100;
	steps("6C", USER + 1);
	domain_init(false);
	steps("FA", KERNEL(CODE) + 1);
	domain_init(false);
	steps("0F 20 D8", KERNEL(CODE) + 3);
	domain_init(false);
	steps("EA 44 33 22 C1 60 00", 0xC1223344);
}

/* A trap comes after each element but no sooner than it is done. */
static void a_string_is_stepped_element_by_element(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	v->r.eflags = EFLAGS_TF | EFLAGS_RF;
	gpr[GPR_EDX] = 0x1234;
	gpr[GPR_ECX] = 2;
	gpr[GPR_EDI] = USER + 0x100;
	trap("F3 6D", EXC_GP);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(0), USER);
	assert_int_equal(domain_stack(2), EFLAGS_TF | EFLAGS_RF); /* it goes on */
	assert_int_equal(gpr[GPR_ECX], 1);
	assert_int_equal(gpr[GPR_EDI], USER + 0x104);
	v->r.eip = USER;
	v->r.cs = USER_CS;
	v->r.eflags = EFLAGS_TF | EFLAGS_RF;
	trap("F3 6D", EXC_GP);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(0), USER + 2);
	assert_int_equal(domain_stack(2), EFLAGS_TF);
	assert_int_equal(gpr[GPR_ECX], 0);
}

/* No trap comes between a load of SS and the instruction behind it. */
static void a_load_of_ss_shadows_the_step(void **state)
{
	(void)state;
	domain_init(false);
	v->r.eflags |= EFLAGS_TF;
	gpr[GPR_EBX] = KERNEL_DS;
	done("8E D3");
	*(u32 *)linear(gpr[GPR_ESP]) = KERNEL_DS;
	done("17");
	assert_true(v->r.eflags & EFLAGS_TF);
	gpr[GPR_EBX] = KERNEL(DATA);
	*(u16 *)PHYS(DATA + 4) = KERNEL_DS;
	steps("0F B2 03", KERNEL(CODE) + 3); /* LSS does not */
}

static void a_resumed_breakpoint_is_over(void **state)
{
	(void)state;
	domain_init(true);
	v->r.eflags |= EFLAGS_RF;
	done("E4 80");
	assert_false(v->r.eflags & EFLAGS_RF);
	v->r.eflags |= EFLAGS_RF;
	trap("0F 34", EXC_GP); /* a fault keeps it, for the instruction comes again */
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(3) & EFLAGS_RF, EFLAGS_RF);
}

/* --- the bytes of the instruction -------------------------------------------------- */

static void bytes_behind_a_page_that_is_missing_are_a_page_fault(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	v->r.eip = USER_NOWHERE + 2 * PAGE_SIZE - 1; /* the fifth page is not mapped */
	*(u8 *)PHYS(DATA + 3 * PAGE_SIZE - 1) = 0xE4;
	emulate(v, EXC_GP);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, USER_NOWHERE + 2 * PAGE_SIZE);
	assert_int_equal(domain_stack(0), PF_U | PF_I);
	domain_user();
	v->r.eip = USER_NOWHERE + 2 * PAGE_SIZE - 1;
	*(u8 *)PHYS(DATA + 3 * PAGE_SIZE - 1) = 0xEC; /* this one is complete */
	emulate(v, EXC_GP);
	assert_int_equal(v->r.eip, USER_NOWHERE + 2 * PAGE_SIZE);
}

/* User mode has no instructions in pages of the kernel's. */
static void bytes_are_fetched_with_the_rights_of_user_mode(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	*(u8 *)PHYS(CODE) = 0xEC;
	v->r.eip = KERNEL(CODE);
	emulate(v, EXC_GP);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, KERNEL(CODE));
	assert_int_equal(domain_stack(0), PF_U | PF_P | PF_I);
}

/* A code segment of the LDT, from USER on. */
static void ldt_code(u32 limit, u32 access)
{
	u64 *ldt = PHYS(LDT);

	ldt[1] = (u64)(USER >> 24) << 56 | (u64)(access & 0xF000) << 40 | (u64)(limit >> 16) << 48 |
		 (u64)(access & 0xFF) << 40 | (u64)(USER & 0xFFFFFF) << 16 | (limit & 0xFFFF);
	assert_true(segment_load_ldt(v, LDT_SEL));
	domain_user();
	v->r.cs = 0x0F;
	v->iopl = 3;
	v->r.eip = 0x40;
}

static void bytes_end_with_the_code_segment(void **state)
{
	(void)state;
	domain_init(true);
	memcpy(PHYS(DATA + 0x40), "\xE4\x80", 2);
	ldt_code(0x41, 0x40FB);
	emulate(v, EXC_GP);
	assert_int_equal(v->r.eip, 0x42);
	ldt_code(0x40, 0x40FB);
	emulate(v, EXC_GP);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(domain_stack(1), 0x40);
	ldt_code(0x3F, 0x40FB);
	emulate(v, EXC_GP);
	assert_true(domain_at(EXC_GP));
}

/* Sizes without a prefix are those of the code segment. */
static void code_of_16_bits_has_operands_and_addresses_of_16_bits(void **state)
{
	u8 *data;

	(void)state;
	domain_init(true);
	data = PHYS(DATA);
	memcpy(data + 0x40, "\xED", 1); /* in ax, dx */
	ldt_code(0xFFFF, 0x00FB);
	gpr[GPR_EAX] = 0x12340000;
	gpr[GPR_EDX] = 0x1234;
	emulate(v, EXC_GP);
	assert_int_equal(v->r.eip, 0x41);
	assert_int_equal(gpr[GPR_EAX], 0x1234FFFF);
	/* rep insb: DI and CX, and their upper halves stay */
	memcpy(data + 0x40, "\xF3\x6C", 2);
	memset(data + 0x100, 0, 16);
	ldt_code(0xFFFF, 0x00FB);
	gpr[GPR_ECX] = 0xAAAA0003;
	gpr[GPR_EDI] = 0xBBBB0100;
	v->r.es = 0x17; /* data from USER on */
	((u64 *)PHYS(LDT))[2] = (((u64 *)PHYS(LDT))[1] & ~(0xFull << 40)) | 3ull << 40;
	assert_true(segment_load_ldt(v, LDT_SEL));
	emulate(v, EXC_GP);
	assert_int_equal(v->r.eip, 0x42);
	assert_int_equal(gpr[GPR_ECX], 0xAAAA0000);
	assert_int_equal(gpr[GPR_EDI], 0xBBBB0103);
	assert_memory_equal(data + 0x100, "\xFF\xFF\xFF\0", 4);
	/* and DI wraps */
	memcpy(data + 0x40, "\x6C", 1);
	v->r.eip = 0x40;
	v->r.eflags |= EFLAGS_DF;
	gpr[GPR_EDI] = 0xBBBB0000;
	emulate(v, EXC_GP);
	assert_int_equal(gpr[GPR_EDI], 0xBBBBFFFF);
	/* a prefix makes them 32 bits wide */
	memcpy(data + 0x40, "\x67\x6C", 2);
	v->r.eip = 0x40;
	v->r.eflags &= ~EFLAGS_DF;
	gpr[GPR_EDI] = 0x200;
	emulate(v, EXC_GP);
	assert_int_equal(gpr[GPR_EDI], 0x201);
	gpr[GPR_EDI] = 0x10200;
	v->r.eip = 0x40;
	emulate(v, EXC_GP); /* behind the limit */
	assert_true(domain_at(EXC_GP));
}

static void a_count_of_0_moves_nothing(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	gpr[GPR_ECX] = 0;
	gpr[GPR_EDI] = KERNEL(DATA);
	done("F3 6C");
	gpr[GPR_ECX] = 0xFFFF0000; /* CX */
	done("F3 67 6C");
	assert_int_equal(gpr[GPR_EDI], KERNEL(DATA));
}

/* A port is not read when there is nowhere to put what comes. */
static void a_port_is_read_once(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	uart_rx(&MON->pc.uart, 'x');
	gpr[GPR_EDX] = 0x3F8;
	gpr[GPR_EDI] = KERNEL(DATA);
	trap("6C", EXC_GP);
	assert_true(domain_at(EXC_PF));
	domain_user();
	gpr[GPR_EDI] = USER + 0x100;
	done("6C");
	assert_int_equal(*(u8 *)PHYS(DATA + 0x100), 'x');
}

static void strings_between_ports_and_nowhere(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	v->iopl = 3;
	gpr[GPR_EDX] = 0x3F8;
	gpr[GPR_EDI] = gpr[GPR_ESI] = USER_NOWHERE;
	done("6C");
	assert_int_equal(gpr[GPR_EDI], USER_NOWHERE + 1);
	xen.console_len = 0;
	done("6E");
	console_flush(&MON->console);
	assert_int_equal((u8)xen.console[0], 0xFF);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_mode_needs_iopl_or_the_bitmap),
		cmocka_unit_test(user_mode_strings_obey_the_pages),
		cmocka_unit_test(user_mode_with_iopl_3_may_cli_and_sti),
		cmocka_unit_test(the_bitmap_ends_with_the_tss),
		cmocka_unit_test(an_emulated_instruction_is_stepped_over),
		cmocka_unit_test(a_string_is_stepped_element_by_element),
		cmocka_unit_test(a_load_of_ss_shadows_the_step),
		cmocka_unit_test(a_resumed_breakpoint_is_over),
		cmocka_unit_test(bytes_behind_a_page_that_is_missing_are_a_page_fault),
		cmocka_unit_test(bytes_are_fetched_with_the_rights_of_user_mode),
		cmocka_unit_test(bytes_end_with_the_code_segment),
		cmocka_unit_test(code_of_16_bits_has_operands_and_addresses_of_16_bits),
		cmocka_unit_test(a_count_of_0_moves_nothing),
		cmocka_unit_test(a_port_is_read_once),
		cmocka_unit_test(strings_between_ports_and_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
