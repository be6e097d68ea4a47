/* SPDX-License-Identifier: GPL-2.0-only */
/* The emulator: each instruction that it carries out, and what it passes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/emul.h"
#include "monitor/io/events.h"
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

static void control_registers(void **state)
{
	(void)state;
	domain_paging(true);
	gpr[GPR_EBX] = v->cr0 | CR0_TS;
	done("0F 22 C3");
	assert_true(v->cr0 & CR0_TS);
	assert_true(xen.ts);
	done("0F 20 C1");
	assert_int_equal(gpr[GPR_ECX], v->cr0);
	done("0F 06"); /* clts */
	assert_false(v->cr0 & CR0_TS);
	assert_false(xen.ts);
	gpr[GPR_EBX] = 0x1234;
	done("0F 22 D3");
	assert_int_equal(v->cr2, 0x1234);
	done("0F 20 D1");
	assert_int_equal(gpr[GPR_ECX], 0x1234);
	gpr[GPR_EBX] = TABLES;
	done("0F 22 DB");
	done("0F 20 D9");
	assert_int_equal(gpr[GPR_ECX], TABLES);
	gpr[GPR_EBX] = CR4_PAE | 0x80;
	done("0F 22 E3");
	done("0F 20 E1");
	assert_int_equal(gpr[GPR_ECX], CR4_PAE | 0x80);
	gpr[GPR_EBX] = 8 | 1;
	done("0F 01 F3"); /* lmsw bx */
	assert_true(v->cr0 & CR0_TS);
	gpr[GPR_EBX] = KERNEL(DATA);
	*(u16 *)PHYS(DATA) = 1;
	done("0F 01 33"); /* lmsw [ebx] */
	assert_false(v->cr0 & CR0_TS);
}

static void bad_control_registers_are_faults(void **state)
{
	(void)state;
	domain_paging(true);
	gpr[GPR_EBX] = 0xFFF00000; /* no memory */
	trap("0F 22 DB", EXC_GP);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(v->cr3, TABLES);
	domain_paging(true);
	trap("0F 20 CB", EXC_GP); /* CR1 */
	assert_true(domain_at(EXC_GP));
	domain_paging(true);
	trap("0F 22 FB", EXC_GP); /* CR7 */
	assert_true(domain_at(EXC_GP));
}

/* machine_real_restart() of reboot=b, and what a PC makes of it. */
static void the_way_to_real_mode_is_a_reset(void **state)
{
	static const u64 data16 = 0x000092000100FFFFull; /* its real_mode_gdt_entries[2] */

	(void)state;
	domain_paging(true);
	gpr[GPR_EBX] = CR0_PG | 0x10;
	assert_ends(SHUTDOWN_reboot, trap("0F 22 C3", EXC_GP));
	domain_start();
	memcpy(PHYS(CODE), "\x0F\x22\xC3", 3);
	gpr[GPR_EBX] = 0x10;
	assert_ends(SHUTDOWN_reboot, emulate(v, EXC_GP));
	domain_init(true);
	memcpy(PHYS(GDT + 0x10), &data16, 8);
	segment_gdt_entry(v, 2, data16);
	gpr[GPR_EBX] = 0x10;
	assert_ends(SHUTDOWN_reboot, trap("8E D3", EXC_GP)); /* mov ss, bx */
	assert_non_null(strstr(xen.console, "a stack of 16 bits"));
	domain_paging(true); /* before Init nothing is pushed there */
	memcpy(PHYS(GDT + 0x10), &data16, 8);
	gpr[GPR_EBX] = 0x10;
	done("8E D3");
}

/* mov ss, bx, which names this descriptor. */
static void load_stack(u64 descriptor, bool good)
{
	domain_init(true);
	memcpy(PHYS(GDT + 0x10), &descriptor, 8);
	segment_gdt_entry(v, 2, descriptor);
	gpr[GPR_EBX] = 0x10;
	if (good)
		done("8E D3");
	else
		assert_dies("whose segment is not all of memory", trap("8E D3", EXC_GP));
}

static void a_stack_that_xen_cannot_use_is_told_of(void **state)
{
	static const struct {
		u64 descriptor;
		bool good;
	} stacks[] = {
		{0x00CF92000000FFFFull, true},	/* Linux's */
		{0x00CF93000000FFFFull, true},	/* accessed */
		{0x00CF92000000FFFEull, true},	/* a page less than all */
		{0x00CF920001000000ull, false}, /* one page, based */
		{0x00CF920000FFFFFFull, false}, /* based */
		{0x01CF92000000FFFFull, false}, /* based high up */
		{0x004F92000000FFFFull, false}, /* 1 MB */
		{0x00C392000000FFFFull, false}, /* 1 GB */
		{0x00CF96000000FFFFull, false}, /* expands downwards */
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(stacks); i++)
		load_stack(stacks[i].descriptor, stacks[i].good);
	domain_init(true);
	gpr[GPR_EBX] = GDT_LIMIT + 1; /* not in the table: as a processor has it */
	trap("8E D3", EXC_GP);
	assert_true(domain_at(EXC_GP));
}

/* relocate_kernel(): page tables that have no more than its own code. */
static void kexec_is_told_of(void **state)
{
	(void)state;
	domain_init(true);
	memset(PHYS(TABLES + 0x8000), 0, 0x3000);
	for (u32 i = 0; i < 4; i++)
		((u64 *)PHYS(TABLES + 0x8000))[i] = (TABLES + 0x9000) | PTE_P;
	*(u64 *)PHYS(TABLES + 0x9000) = (TABLES + 0xA000) | PTE_P | PTE_RW;
	((u64 *)PHYS(TABLES + 0xA000))[CODE >> PAGE_SHIFT] = CODE | PTE_P | PTE_RW;
	gpr[GPR_EBX] = TABLES + 0x8000;
	assert_dies("do not have the kernel's stack, as those of kexec", trap("0F 22 DB", EXC_GP));
	domain_init(true);
	gpr[GPR_EBX] = CR0_PE | 0x10;
	assert_dies("turns paging off after VMI_Init, as kexec does", trap("0F 22 C3", EXC_GP));
	domain_init(true);
	gpr[GPR_EBX] = TABLES;
	done("0F 22 DB");
}

static void debug_registers(void **state)
{
	(void)state;
	domain_paging(false);
	gpr[GPR_EDX] = 0xC0001000;
	done("0F 23 CA");
	assert_int_equal(xen.debugreg[1], 0xC0001000);
	done("0F 21 C8");
	assert_int_equal(gpr[GPR_EAX], 0xC0001000);
	gpr[GPR_EDX] = 0x401;
	done("0F 23 EA"); /* DR5 is DR7 */
	assert_int_equal(xen.debugreg[7], 0x401);
	done("0F 21 E8");
	assert_int_equal(gpr[GPR_EAX], 0x401);
}

static void model_specific_registers(void **state)
{
	(void)state;
	domain_paging(false);
	gpr[GPR_ECX] = 0x175;
	gpr[GPR_EDX] = 1;
	gpr[GPR_EAX] = 2;
	done("0F 30");
	gpr[GPR_EDX] = gpr[GPR_EAX] = 0;
	done("0F 32");
	assert_int_equal(gpr[GPR_EDX], 1);
	assert_int_equal(gpr[GPR_EAX], 2);
	gpr[GPR_ECX] = 0x12345;
	trap("0F 32", EXC_GP);
	assert_true(domain_at(EXC_GP));
	domain_paging(false);
	gpr[GPR_ECX] = 0x12345;
	trap("0F 30", EXC_GP);
	assert_true(domain_at(EXC_GP));
}

static void descriptor_tables(void **state)
{
	(void)state;
	domain_paging(false);
	put_limit_base(DATA, 0x67, KERNEL(GDT));
	gpr[GPR_EBX] = KERNEL(DATA);
	done("0F 01 13"); /* lgdt [ebx] */
	assert_int_equal(v->gdtr.limit, 0x67);
	assert_int_equal(v->gdtr.base, KERNEL(GDT));
	put_limit_base(DATA, 0x67, KERNEL(IDT));
	done("0F 01 1B"); /* lidt [ebx] */
	assert_int_equal(v->idtr.limit, 0x67);
	segment_load_gdt(v, GDT_LIMIT, KERNEL(GDT));
	gpr[GPR_EBX] = LDT_SEL;
	done("0F 00 D3"); /* lldt bx */
	assert_int_equal(v->ldtr, LDT_SEL);
	assert_int_equal(xen.ldt_entries, 8);
	gpr[GPR_EBX] = KERNEL(DATA);
	*(u16 *)PHYS(DATA) = TSS_SEL;
	done("0F 00 1B"); /* ltr [ebx] */
	assert_int_equal(v->tr, TSS_SEL);
	idt_load(v, 0x7FF, KERNEL(IDT));
	gpr[GPR_EBX] = KERNEL_CS;
	trap("0F 00 D3", EXC_GP);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), KERNEL_CS);
}

static void stack_segment(void **state)
{
	u8 *p;

	(void)state;
	domain_paging(false);
	v->r.ss = 0;
	gpr[GPR_EBX] = KERNEL_DS;
	done("8E D3"); /* mov ss, bx: RPL 0 becomes the kernel's */
	assert_int_equal(v->r.ss, KERNEL_DS | 3);
	p = PHYS(DATA);
	*(u16 *)p = USER_DS;
	gpr[GPR_EBX] = KERNEL(DATA);
	done("8E 13");
	assert_int_equal(v->r.ss, USER_DS | 3);
	*(u32 *)linear(gpr[GPR_ESP]) = KERNEL_DS;
	done("17"); /* pop ss */
	assert_int_equal(v->r.ss, KERNEL_DS | 3);
	assert_int_equal(gpr[GPR_ESP], KERNEL(STACK) - 60);
	*(u32 *)p = 0x11223344;
	*(u16 *)(p + 4) = USER_DS;
	done("0F B2 03"); /* lss eax, [ebx] */
	assert_int_equal(v->r.ss, USER_DS | 3);
	assert_int_equal(gpr[GPR_EAX], 0x11223344);
}

/* What a selector causes that cannot be loaded, and that nothing else has happened. */
static void refused(const char *hex, u32 selector, u32 vector, u32 error)
{
	u32 *sp, esp;

	domain_paging(false);
	((u64 *)PHYS(GDT))[9] = 0x00CF1200000000FFull; /* 48: data, 50: code, not present */
	((u64 *)PHYS(GDT))[10] = 0x00CF1A00000000FFull;
	segment_load_gdt(v, GDT_LIMIT, KERNEL(GDT));
	gpr[GPR_EBX] = selector;
	sp = linear(esp = gpr[GPR_ESP]);
	sp[0] = KERNEL(0x2000);
	sp[1] = selector;
	sp[2] = 2;
	if (hex[1] == '7')
		sp[0] = selector;
	trap(hex, EXC_GP);
	assert_true(domain_at(vector));
	assert_int_equal(domain_stack(0), error);
	assert_int_equal(domain_stack(1), KERNEL(CODE));
	assert_int_equal(gpr[GPR_ESP], esp - 16);
	assert_int_equal(v->r.ss, KERNEL_DS | 3);
}

static void selectors_that_cannot_be_loaded(void **state)
{
	static const char *const ss[] = {"8E D3", "17"}, *const cs[] = {"CB", "CF"};
	static const u16 no_data[] = {0, 3, KERNEL_CS, TSS_SEL, 0x40, 0xFFF0 | 4, 0x98};
	static const u16 no_code[] = {0, 3, KERNEL_DS, TSS_SEL, 0x40, 0xFFF0 | 4, 0x98};

	(void)state;
	for (u32 k = 0; k < 2; k++) {
		for (u32 i = 0; i < ARRAY_SIZE(no_data); i++) {
			refused(ss[k], no_data[i], EXC_GP, no_data[i] & 0xFFFC);
			refused(cs[k], no_code[i], EXC_GP, no_code[i] & 0xFFFC);
		}
		refused(ss[k], 0x48, EXC_SS, 0x48);
		refused(cs[k], 0x50, EXC_NP, 0x50);
	}
	refused("EA 00 00 00 00 68 00", 0, EXC_GP, KERNEL_DS);
	refused("EA 00 00 00 00 50 00", 0, EXC_NP, 0x50);
}

static void other_segments_fault_as_they_did(void **state)
{
	static const char *const hex[] = {"8E DB", "1F", "C5 03", "66 0F B2 03"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(hex); i++) {
		domain_paging(false);
		gpr[GPR_EBX] = KERNEL(DATA);
		trap(hex[i], EXC_GP);
		assert_true(domain_at(EXC_GP));
	}
}

static void far_transfers(void **state)
{
	u32 *sp;
	u8 *p;

	(void)state;
	domain_paging(false);
	trap("EA 44 33 22 C1 60 00", EXC_GP);
	assert_int_equal(v->r.eip, 0xC1223344);
	assert_int_equal(v->r.cs, KERNEL_CS | 3);
	domain_paging(false);
	p = PHYS(DATA);
	*(u32 *)p = KERNEL(0x1000);
	*(u16 *)(p + 4) = KERNEL_CS;
	gpr[GPR_EBX] = KERNEL(DATA);
	trap("FF 2B", EXC_GP); /* ljmp [ebx] */
	assert_int_equal(v->r.eip, KERNEL(0x1000));
	domain_paging(false);
	sp = linear(gpr[GPR_ESP]);
	sp[0] = KERNEL(0x2000);
	sp[1] = KERNEL_CS;
	trap("CA 08 00", EXC_GP); /* lret 8 */
	assert_int_equal(v->r.eip, KERNEL(0x2000));
	assert_int_equal(v->r.cs, KERNEL_CS | 3);
	assert_int_equal(gpr[GPR_ESP], KERNEL(STACK) - 64 + 16);
	domain_paging(false);
	sp = linear(gpr[GPR_ESP]);
	sp[0] = KERNEL(0x3000);
	sp[1] = KERNEL_CS;
	sp[2] = 0x246;
	trap("CF", EXC_GP); /* iret: before Init IF stays clear */
	assert_int_equal(v->r.eip, KERNEL(0x3000));
	assert_int_equal(v->r.eflags, 0x46);
	domain_init(false);
	sp = linear(gpr[GPR_ESP]);
	sp[0] = KERNEL(0x3000);
	sp[1] = KERNEL_CS | 1;
	sp[2] = 0x246;
	trap("CF", EXC_GP);
	assert_int_equal(v->r.eflags, 0x246);
	assert_int_equal(v->r.cs, KERNEL_CS | 1);
	domain_init(false);
	sp = linear(gpr[GPR_ESP]);
	sp[1] = USER_CS; /* only the IRET call goes there */
	trap("CF", EXC_GP);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), USER_CS & ~3u);
}

/* Operands that are not mapped: the guest's own page fault. */
static void unmapped_operands_are_page_faults(void **state)
{
	static const char *const hex[] = {"8E 13",    "0F B2 03", "FF 2B",   "0F 01 13",
					  "0F 00 1B", "0F 01 33", "0F 00 13"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(hex); i++) {
		domain_paging(true);
		gpr[GPR_EBX] = 0x70000000;
		trap(hex[i], EXC_GP);
		assert_true(domain_at(EXC_PF));
		assert_int_equal(v->cr2, 0x70000000);
		assert_int_equal(domain_stack(0), 0);
		assert_int_equal(domain_stack(1), KERNEL(CODE));
	}
}

static void ports(void **state)
{
	(void)state;
	domain_paging(false);
	gpr[GPR_EAX] = 0x11111142;
	done("E6 80"); /* POST code */
	gpr[GPR_EAX] = 0xFFFFFF00;
	done("E4 80");
	assert_int_equal(gpr[GPR_EAX], 0xFFFFFF42);
	gpr[GPR_EDX] = 0xCF8;
	gpr[GPR_EAX] = 0x80000000;
	done("EF");
	gpr[GPR_EAX] = 0;
	done("ED");
	assert_int_equal(gpr[GPR_EAX], 0x80000000);
	gpr[GPR_EDX] = 0x1234; /* nobody's */
	done("66 ED");
	assert_int_equal(gpr[GPR_EAX], 0x8000FFFF);
}

static void string_ports(void **state)
{
	u8 *p;

	(void)state;
	domain_paging(false);
	p = PHYS(DATA);
	memcpy(p, "hello", 5);
	gpr[GPR_EDX] = 0x3F8;
	gpr[GPR_ECX] = 5;
	gpr[GPR_ESI] = KERNEL(DATA);
	done("F3 6E"); /* rep outsb */
	console_flush(&MON->console);
	assert_string_equal(xen.console, "hello");
	assert_int_equal(gpr[GPR_ESI], KERNEL(DATA) + 5);
	assert_int_equal(gpr[GPR_ECX], 0);
	gpr[GPR_EDX] = 0x1234;
	gpr[GPR_EDI] = KERNEL(DATA) + 8;
	v->r.eflags |= EFLAGS_DF;
	done("6D"); /* insd, backwards */
	assert_int_equal(*(u32 *)(p + 8), 0xFFFFFFFF);
	assert_int_equal(gpr[GPR_EDI], KERNEL(DATA) + 4);
	v->r.eflags &= ~EFLAGS_DF;
	/* More than at one go: EIP stays, interrupts may come in. */
	gpr[GPR_ECX] = 1500;
	gpr[GPR_EDI] = KERNEL(DATA);
	trap("F3 6C", EXC_GP);
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(gpr[GPR_ECX], 1500 - 1024);
	done("F3 6C");
	assert_int_equal(gpr[GPR_EDI], KERNEL(DATA) + 1500);
	/* Into nowhere. */
	gpr[GPR_EDI] = 0x70000000;
	trap("6C", EXC_GP);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(0), PF_W);
	domain_paging(false);
	gpr[GPR_ESI] = 0x70000000;
	gpr[GPR_ECX] = 3;
	trap("F3 6E", EXC_GP);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(gpr[GPR_ECX], 3);
}

static void user_mode_gets_its_fault(void **state)
{
	static const char *const hex[] = {"FA", "F4", "0F 22 D8", "0F 30"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(hex); i++) {
		domain_init(true);
		domain_user();
		trap(hex[i], EXC_GP);
		assert_true(domain_at(EXC_GP));
		assert_int_equal(domain_stack(1), USER);
		assert_int_equal(domain_stack(2), USER_CS);
	}
	domain_init(true);
	domain_user();
	trap("0F 0B", EXC_UD);
	assert_true(domain_at(EXC_UD));
	assert_int_equal(domain_stack(0), USER); /* no error code */
}

/* Those that Xen has found no gate for. */
static void software_interrupts(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	trap("CD 80", EXC_GP); /* DPL 3 */
	assert_true(domain_at(0x80));
	assert_int_equal(domain_stack(0), USER + 2);
	assert_int_equal(domain_stack(1), USER_CS);
	domain_init(true);
	domain_user();
	trap("CD 20", EXC_GP); /* DPL 0 */
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0x20 * 8 + 2);
	assert_int_equal(domain_stack(1), USER);
	domain_init(true);
	v->r.cs = KERNEL_CS | 1;
	trap("CD 20", EXC_GP);
	assert_true(domain_at(0x20));
	assert_int_equal(domain_stack(0), KERNEL(CODE) + 2);
}

static void interrupt_flag(void **state)
{
	(void)state;
	domain_paging(false);
	v->vif = EFLAGS_IF;
	done("FA");
	assert_false(v->vif);
	assert_dies("interrupts are enabled before VMI_Init", trap("FB", EXC_GP));
	domain_init(false);
	done("FB");
	assert_true(v->r.eflags & EFLAGS_IF);
	done("FA");
	assert_false(v->r.eflags & EFLAGS_IF);
}

static void ring_irq5(void)
{
	pic_set_irq(&MON->pc.pic, 5, true);
}

static void halt(void **state)
{
	(void)state;
	domain_paging(false);
	assert_dies("halted before VMI_Init", trap("F4", EXC_GP));
	domain_init(false);
	assert_ends(SHUTDOWN_poweroff, trap("F4", EXC_GP));
	assert_non_null(strstr(xen.console, "interrupts off"));
	domain_init(false);
	v->r.eflags |= EFLAGS_IF;
	for (u32 i = 0; i < 4; i++) /* an 8259 that lets IRQ 5 through */
		port_out(v, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(v, 0x21, 1, 0xDF);
	xen.on_poll = ring_irq5;
	done("F4");
	assert_int_equal(xen.polls, 1);
	assert_true(events_interrupt());
}

static void nothing_is_done_for_caches(void **state)
{
	(void)state;
	domain_paging(false);
	done("0F 08");
	done("0F 09");
	gpr[GPR_EBX] = USER;
	done("0F 01 3B"); /* invlpg [ebx] */
}

static void what_is_not_emulated_is_the_guests(void **state)
{
	static const char *const hex[] = {"0F 34", "0F 0A", "0F 33"};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(hex); i++) {
		domain_paging(false);
		trap(hex[i], EXC_GP);
		assert_true(domain_at(EXC_GP));
		assert_int_equal(domain_stack(1), KERNEL(CODE));
	}
}

static void a_marked_ud2_is_init(void **state)
{
	(void)state;
	domain_paging(true);
	*(u32 *)linear(gpr[GPR_ESP]) = KERNEL(0x1000);
	trap("0F 0B 56 4D 58 4E", EXC_UD);
	assert_true(v->paravirtual);
	assert_int_equal(gpr[GPR_EAX], 0);
	assert_int_equal(v->r.eip, KERNEL(0x1000));
	assert_int_equal(v->r.cs, KERNEL_CS | 1);
	v->r.eip = KERNEL(CODE);
	trap("0F 0B 56 4D 58 4E", EXC_UD); /* not twice */
	assert_true(domain_at(EXC_UD));
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_registers),
		cmocka_unit_test(bad_control_registers_are_faults),
		cmocka_unit_test(the_way_to_real_mode_is_a_reset),
		cmocka_unit_test(a_stack_that_xen_cannot_use_is_told_of),
		cmocka_unit_test(kexec_is_told_of),
		cmocka_unit_test(debug_registers),
		cmocka_unit_test(model_specific_registers),
		cmocka_unit_test(descriptor_tables),
		cmocka_unit_test(stack_segment),
		cmocka_unit_test(selectors_that_cannot_be_loaded),
		cmocka_unit_test(other_segments_fault_as_they_did),
		cmocka_unit_test(far_transfers),
		cmocka_unit_test(unmapped_operands_are_page_faults),
		cmocka_unit_test(ports),
		cmocka_unit_test(string_ports),
		cmocka_unit_test(user_mode_gets_its_fault),
		cmocka_unit_test(software_interrupts),
		cmocka_unit_test(interrupt_flag),
		cmocka_unit_test(halt),
		cmocka_unit_test(nothing_is_done_for_caches),
		cmocka_unit_test(what_is_not_emulated_is_the_guests),
		cmocka_unit_test(a_marked_ud2_is_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
