/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses to frames without memory: reads give ones, writes go nowhere, but for
 * the local APIC. */
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

#define NOWHERE KERNEL(HOLE) /* mapped by the guest, and no memory there */
#define APIC (NOWHERE + 0x10000)

static struct vcpu *const v = VCPU;
static u32 *const gpr = VCPU->r.gpr;

static void touch(const char *hex, gva_t va)
{
	domain_code(hex);
	emulate_mmio(v, va, va - LINEAR);
}

/* The same at a register of the local APIC. */
static void apic(const char *hex, u32 offset)
{
	v->r.eip = KERNEL(CODE);
	gpr[GPR_EBX] = APIC + offset;
	domain_code(hex);
	emulate_mmio(v, APIC + offset, LAPIC_BASE + offset);
	assert_int_equal(v->r.eip, KERNEL(CODE) + (strlen(hex) + 1) / 3);
}

/* EBX points to nowhere; the instruction is done. */
static void done(const char *hex)
{
	v->r.eip = KERNEL(CODE);
	gpr[GPR_EBX] = NOWHERE;
	touch(hex, NOWHERE);
	assert_int_equal(v->r.eip, KERNEL(CODE) + (strlen(hex) + 1) / 3);
}

static int start(void **state)
{
	u32 *table = PHYS(TABLES + 0x3000);

	(void)state;
	domain_init(false);
	table[(APIC - LINEAR) >> PAGE_SHIFT] = LAPIC_BASE | 3;
	for (u32 i = 0; i < 8; i++)
		if (i != GPR_ESP)
			gpr[i] = 0x01020304;
	return 0;
}

static void reads_give_ones(void **state)
{
	(void)state;
	done("8B 0B");
	assert_int_equal(gpr[GPR_ECX], 0xFFFFFFFF);
	done("8A 13"); /* mov dl, [ebx] */
	assert_int_equal(gpr[GPR_EDX], 0x010203FF);
	done("66 8B 13");
	assert_int_equal(gpr[GPR_EDX], 0x0102FFFF);
	done("A0 00 00 0A C0"); /* mov al, [moffs] */
	assert_int_equal(gpr[GPR_EAX], 0x010203FF);
	done("0F B6 33"); /* movzx esi, byte */
	assert_int_equal(gpr[GPR_ESI], 0xFF);
	done("0F B7 33");
	assert_int_equal(gpr[GPR_ESI], 0xFFFF);
	done("0F BE 3B"); /* movsx edi, byte */
	assert_int_equal(gpr[GPR_EDI], 0xFFFFFFFF);
	done("87 2B"); /* xchg [ebx], ebp */
	assert_int_equal(gpr[GPR_EBP], 0xFFFFFFFF);
}

static void writes_go_nowhere(void **state)
{
	static const char *const hex[] = {
		"89 0B",	  "88 0B", "C7 03 01 00 00 00",
		"A3 00 00 0A C0", "09 0B", "83 0B 01",
		"21 0B",	  "31 0B", "29 0B",
		"80 23 01",
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(hex); i++) {
		done(hex[i]);
		assert_int_equal(gpr[GPR_ECX], 0x01020304);
		assert_int_equal(gpr[GPR_EAX], 0x01020304);
	}
}

#define ZF 0x40u
#define SF 0x80u
#define CF 0x01u

static void comparisons_set_the_flags(void **state)
{
	(void)state;
	gpr[GPR_ECX] = 0xFFFFFFFF;
	v->r.eflags = EFLAGS_IF | CF;
	done("39 0B"); /* cmp [ebx], ecx: equal */
	assert_int_equal(v->r.eflags & (ZF | SF | CF | EFLAGS_IF), ZF | EFLAGS_IF);
	gpr[GPR_ECX] = 1;
	done("3B 0B"); /* cmp ecx, [ebx]: below */
	assert_int_equal(v->r.eflags & (ZF | SF | CF), CF);
	done("80 3B FF"); /* cmp byte [ebx], FF */
	assert_int_equal(v->r.eflags & (ZF | SF | CF), ZF);
	done("F6 03 80"); /* test byte [ebx], 80 */
	assert_int_equal(v->r.eflags & (ZF | SF | CF), SF);
	done("66 81 3B FF 7F"); /* cmp word [ebx], 7FFF */
	assert_int_equal(v->r.eflags & (ZF | SF), SF);
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

static void the_stack_takes_and_gives_ones(void **state)
{
	u32 *stack = PHYS(DATA + 0x800);

	(void)state;
	domain_user();
	gpr[GPR_EBX] = USER_NOWHERE;
	assert_true(user("FF 33")); /* push [ebx] */
	assert_int_equal(gpr[GPR_ESP], USER + 0x7FC);
	assert_int_equal(stack[-1], 0xFFFFFFFF);
	assert_true(user("66 FF 33"));
	assert_int_equal(gpr[GPR_ESP], USER + 0x7FA);
	assert_true(user("66 8F 03")); /* pop [ebx] */
	assert_true(user("8F 03"));
	assert_int_equal(gpr[GPR_ESP], USER + 0x800);
	/* The address of a pop is computed behind it. */
	gpr[GPR_ESP] = USER_NOWHERE - 4;
	assert_true(user("8F 04 24")); /* pop [esp]: the word below goes nowhere */
	assert_int_equal(gpr[GPR_ESP], USER_NOWHERE);
	gpr[GPR_ESP] = USER_NOWHERE;
	assert_false(user("FF 34 24")); /* push [esp] to a read-only page */
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(4), USER_NOWHERE);
	/* One that faults has moved nothing. */
	domain_user();
	gpr[GPR_EBX] = USER_NOWHERE - 2;
	assert_false(user("8F 03"));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(4), USER + 0x800);
	/* A stack of 16 bits. */
	((u64 *)PHYS(LDT))[1] = 0x0000F30000000000ull | (u64)(USER >> 24) << 56 |
				(u64)(USER & 0xFFFFFF) << 16 | 0xFFFF;
	domain_user();
	assert_true(segment_load_ldt(v, LDT_SEL));
	v->r.ss = 0x0F;
	gpr[GPR_EBX] = USER_NOWHERE;
	gpr[GPR_ESP] = 0xABCD0800;
	stack[-1] = 0;
	assert_true(user("FF 33"));
	assert_int_equal(gpr[GPR_ESP], 0xABCD07FC);
	assert_int_equal(stack[-1], 0xFFFFFFFF);
	assert_true(user("8F 03"));
	assert_int_equal(gpr[GPR_ESP], 0xABCD0800);
}

static void accesses_are_stepped_over(void **state)
{
	(void)state;
	domain_user();
	gpr[GPR_EBX] = gpr[GPR_EDI] = USER_NOWHERE;
	gpr[GPR_ECX] = 3;
	v->r.eflags = EFLAGS_TF;
	assert_false(user("8B 03"));
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(0), USER + 2);
	assert_int_equal(v->dr[6] & 0x400F, 0x4000);
	v->r.eflags = EFLAGS_TF;
	assert_false(user("F3 AA"));
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(0), USER);
	assert_int_equal(gpr[GPR_ECX], 2);
}

/* Where it has run to, its bytes are ones, too. */
static void there_are_no_instructions_there(void **state)
{
	(void)state;
	domain_user();
	v->r.eip = USER_NOWHERE;
	emulate_mmio(v, USER_NOWHERE, HOLE);
	assert_true(domain_at(EXC_GP));
	/* A segment's base counts. */
	((u64 *)PHYS(LDT))[1] = 0x0040FB0000000000ull | (u64)(USER >> 24) << 56 |
				(u64)(USER & 0xFFFFFF) << 16 | 0xFFFF;
	domain_user();
	memcpy(PHYS(DATA + 0x40), "\x8B\x03", 2);
	assert_true(segment_load_ldt(v, LDT_SEL));
	v->r.cs = 0x0F;
	v->r.eip = 0x40;
	gpr[GPR_EBX] = USER_NOWHERE;
	emulate_mmio(v, USER_NOWHERE, HOLE);
	assert_int_equal(v->r.eip, 0x42);
	assert_int_equal(gpr[GPR_EAX], 0xFFFFFFFF);
}

static void the_local_apic(void **state)
{
	struct lapic *l = &VCPU->lapic;

	(void)state;
	lapic_start(l);
	apic("8B 0B", LAPIC_VERSION); /* mov ecx, [ebx] */
	assert_int_equal(gpr[GPR_ECX], lapic_read(l, LAPIC_VERSION));
	apic("0F B6 33", LAPIC_VERSION + 2); /* movzx esi, byte */
	assert_int_equal(gpr[GPR_ESI], lapic_read(l, LAPIC_VERSION) >> 16 & 0xFF);
	apic("C7 03 70 00 00 00", LAPIC_TPR);
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x70);
	apic("0F BE 3B", LAPIC_TPR); /* movsx edi, byte */
	assert_int_equal(gpr[GPR_EDI], 0x70);
	gpr[GPR_EBP] = 0x60;
	apic("87 2B", LAPIC_TPR); /* xchg [ebx], ebp */
	assert_int_equal(gpr[GPR_EBP], 0x70);
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x60);
	v->r.eflags = 0;
	apic("F7 03 20 00 00 00", LAPIC_TPR); /* test dword [ebx], 20 */
	assert_int_equal(v->r.eflags & ZF, 0);
	apic("83 3B 60", LAPIC_TPR); /* cmp dword [ebx], 60 */
	assert_int_equal(v->r.eflags & ZF, ZF);
	gpr[GPR_EAX] = 0x40;
	apic("A3 80 00 0B C0", LAPIC_TPR); /* mov [moffs], eax */
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x40);
	gpr[GPR_ECX] = 0x10;
	apic("89 0B", LAPIC_TPR);
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x10);
	gpr[GPR_ECX] = 0x50;
	apic("88 0B", LAPIC_TPR); /* not a byte of it */
	apic("89 0B", LAPIC_TPR + 2);
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x10);
	gpr[GPR_ECX] = 0x50;
	apic("89 0B", LAPIC_ICR);
	assert_true(lapic_intr(l));
	gpr[GPR_ECX] = 3;
	apic("09 0B", LAPIC_TPR); /* or [ebx], ecx */
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x13);
	apic("0F C1 0B", LAPIC_TPR); /* xadd */
	assert_int_equal(gpr[GPR_ECX], 0x13);
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x16);
	gpr[GPR_EDI] = APIC + LAPIC_TPR;
	gpr[GPR_EAX] = 0x30;
	apic("AB", LAPIC_TPR); /* stosd */
	assert_int_equal(lapic_read(l, LAPIC_TPR), 0x30);
}

/* A store of what is there already is one, too. */
static void an_end_of_interrupt_is_a_store_of_0(void **state)
{
	struct lapic *l = &VCPU->lapic;

	(void)state;
	lapic_start(l);
	lapic_write(l, LAPIC_ICR, 0x40000 | 0x55);
	assert_int_equal(lapic_ack(l), 0x55);
	assert_int_equal(lapic_read(l, LAPIC_ISR + 0x20), 1u << 0x15);
	apic("C7 03 00 00 00 00", LAPIC_EOI);
	assert_int_equal(lapic_read(l, LAPIC_ISR + 0x20), 0);
}

#define AHCI (NOWHERE + 0x11000)
#define AHCI_AT 0xFEBF0000u

/* The same at a register of AHCI's. */
static void ahci(const char *hex, u32 offset)
{
	v->r.eip = KERNEL(CODE);
	gpr[GPR_EBX] = AHCI + offset;
	domain_code(hex);
	emulate_mmio(v, AHCI + offset, AHCI_AT + offset);
	assert_int_equal(v->r.eip, KERNEL(CODE) + (strlen(hex) + 1) / 3);
}

static void the_virtual_pc_has_registers_in_memory(void **state)
{
	struct pc *pc = &MON->pc;
	u32 *table = PHYS(TABLES + 0x3000);

	(void)state;
	table[(AHCI - LINEAR) >> PAGE_SHIFT] = AHCI_AT | 3;
	pc_reset(pc);
	ahci("8B 0B", 0x10); /* mov ecx, [ebx]: nothing is there */
	assert_int_equal(gpr[GPR_ECX], 0xFFFFFFFF);
	pci_show(&pc->pci, PCI_AHCI);
	pc->disks.there = true;
	pc->disks.ahci.page->vs = 0x10100;
	ahci("8B 0B", 0x10);
	assert_int_equal(gpr[GPR_ECX], 0x10100);
	ahci("0F B6 33", 0x11); /* movzx esi, byte [ebx] */
	assert_int_equal(gpr[GPR_ESI], 1);
	gpr[GPR_ECX] = 2;
	ahci("89 0B", 0x04);
	assert_int_equal(pc->disks.ahci.page->ghc, 0x80000002);
	ahci("80 23 FD", 0x04); /* and byte [ebx]: a register is written as a whole */
	assert_int_equal(pc->disks.ahci.page->ghc, 0x80000002);
	ahci("83 23 FD", 0x04); /* and dword [ebx] */
	assert_int_equal(pc->disks.ahci.page->ghc, 0x80000000);
}

static void unknown(const char *hex)
{
	start(NULL);
	v->r.eip = KERNEL(CODE);
	gpr[GPR_EBX] = NOWHERE;
	assert_dies("no memory and no device", touch(hex, NOWHERE));
	start(NULL);
	domain_user();
	gpr[GPR_EBX] = USER_NOWHERE;
	touch(hex, USER_NOWHERE);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(domain_stack(1), USER);
}

static void what_is_not_emulated(void **state)
{
	(void)state;
	unknown("FF 13");	/* call [ebx] */
	unknown("C5 0B");	/* lds ecx, [ebx] */
	unknown("8E 1B");	/* mov ds, [ebx] */
	unknown("0F AE 23");	/* xsave [ebx] */
	unknown("0F 01 03");	/* sgdt [ebx] */
	unknown("62 0B");	/* bound ecx, [ebx] */
	unknown("C5 FC 10 03"); /* vmovups ymm0, [ebx] */
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_give_ones, start),
		cmocka_unit_test_setup(writes_go_nowhere, start),
		cmocka_unit_test_setup(comparisons_set_the_flags, start),
		cmocka_unit_test_setup(the_stack_takes_and_gives_ones, start),
		cmocka_unit_test_setup(accesses_are_stepped_over, start),
		cmocka_unit_test_setup(there_are_no_instructions_there, start),
		cmocka_unit_test_setup(the_local_apic, start),
		cmocka_unit_test_setup(an_end_of_interrupt_is_a_store_of_0, start),
		cmocka_unit_test_setup(the_virtual_pc_has_registers_in_memory, start),
		cmocka_unit_test_setup(what_is_not_emulated, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
