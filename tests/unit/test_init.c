/* SPDX-License-Identifier: GPL-2.0-only */
/* The start of a domain, VMI_Init, the reports, and what the counters say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

static struct vcpu *const v = VCPU;

static void the_guest_starts_as_the_boot_protocol_says(void **state)
{
	u32 mfn;

	(void)state;
	domain_start();
	assert_int_equal(v->r.eip, CODE);
	assert_int_equal(v->r.gpr[GPR_ESI], 0x90000);
	assert_int_equal(v->r.cs, 0x13);
	assert_int_equal(((u32 *)(uintptr_t)v->exit_esp)[4], 0x1B); /* SS */
	assert_int_equal(v->r.eflags & EFLAGS_IF, 0);
	assert_false(v->paravirtual);
	/* All of its memory is mapped one to one, for CPL 3. */
	assert_int_equal(xen_access(CODE, PF_U | PF_W, &mfn), 0);
	assert_int_equal(mfn, GMFN[CODE >> PAGE_SHIFT]);
	assert_int_equal(xen.stack_esp, WIN_FRAME_TOP);
	assert_int_equal(xen.gdt_entries, 512);
	assert_int_equal(xen.trap[13].cs, FLAT_RING1_CS);
}

static void the_bootstrap_tables_are_given_up(void **state)
{
	(void)state;
	domain_start();
	assert_int_equal(xen_frame_type(PV->start.bootstrap_root), FRAME_NONE);
	assert_int_equal(xen_frame_type(xen.root), FRAME_L3);
}

static void the_cmos_knows_the_memory(void **state)
{
	u32 kb;

	(void)state;
	domain_start();
	port_out(v, 0x70, 1, 0x17);
	kb = port_in(v, 0x71, 1);
	port_out(v, 0x70, 1, 0x18);
	kb |= port_in(v, 0x71, 1) << 8;
	assert_int_equal(kb, GUEST_PAGES * 4 - 1024);
}

static void init_brings_the_kernel_to_ring_1(void **state)
{
	u32 mfn;

	(void)state;
	domain_init(true);
	assert_true(v->paravirtual);
	assert_int_equal(v->kernel_rpl, 1);
	assert_int_equal(v->r.cs, KERNEL_CS | 1);
	assert_int_equal(v->r.ss, KERNEL_DS | 1);
	assert_int_equal(v->kernel_ss, KERNEL_DS | 1);
	assert_int_equal(v->r.gpr[GPR_ESP], KERNEL(STACK) - 64);
	assert_int_equal(v->r.gpr[GPR_EAX], 0);
	assert_int_equal(v->efer, EFER_NXE); /* Xen's */
	/* Its stack is there, for the kernel alone. */
	assert_int_equal(xen_access(v->r.gpr[GPR_ESP] - 4, PF_W, &mfn), 0);
	assert_int_not_equal(xen_access(v->r.gpr[GPR_ESP] - 4, PF_U, &mfn), 0);
}

static void init_without_paging_or_stack_fails_and_changes_nothing(void **state)
{
	(void)state;
	domain_start();
	vmi_init(v);
	assert_int_equal(v->r.gpr[GPR_EAX], 0xFFFFFFFF);
	assert_int_equal(v->r.eip, CODE + 6);
	assert_false(v->paravirtual);
	domain_paging(false);
	v->r.gpr[GPR_ESP] = 0x70000000;
	vmi_init(v);
	assert_int_equal(v->r.gpr[GPR_EAX], 0xFFFFFFFF);
	assert_false(v->paravirtual);
	assert_int_equal(v->r.cs, KERNEL_CS | 3);
}

static void init_ends_the_breakpoints_on_flags(void **state)
{
	(void)state;
	domain_paging(false);
	memcpy(PHYS(CODE + 0x100), "\xFA\xC3\x9C\x58\xC3\x50\x9D", 7);
	prelude_cli(v, KERNEL(CODE) + 0x100);
	assert_int_equal(xen.debugreg[7], 5);
	vmi_init(v);
	assert_true(v->paravirtual);
	assert_int_equal(xen.debugreg[7], 0);
	assert_int_equal(v->if_believed, EFLAGS_IF);
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1);
}

/* The processor has fetched from there, or pushed. */
static void touch(gva_t va)
{
	struct access_fault f;
	u8 byte;

	assert_int_equal(guest_read(v, va, &byte, 1, &f), 0);
}

static void a_death_is_reported(void **state)
{
	(void)state;
	domain_init(true);
	memcpy(PHYS(CODE), "\xDE\xAD\xBE\xEF", 4);
	((u32 *)(uintptr_t)v->r.gpr[GPR_ESP])[0] = 0x12345678;
	v->r.gpr[GPR_EDI] = 0xCAFEF00D;
	touch(v->r.eip);
	assert_dies("the guest died: for 3 reasons\r\n", guest_die("for %u reasons", 3));
	assert_non_null(strstr(xen.console, "eip c0030000 cs 0061"));
	assert_non_null(strstr(xen.console, "in kernel, paravirtual"));
	assert_non_null(strstr(xen.console, "edi cafef00d"));
	assert_non_null(strstr(xen.console, "bytes at EIP: de ad be ef"));
	assert_non_null(strstr(xen.console, "stack: 12345678"));
}

/* EIP alone is no address. */
static void bytes_at_eip_are_in_its_segment(void **state)
{
	(void)state;
	domain_init(true);
	((u64 *)PHYS(LDT))[1] = 0x0040FB0000000000ull | (u64)(USER >> 24) << 56 |
				(u64)(USER & 0xFFFFFF) << 16 | 0xFFFF;
	domain_user();
	memcpy(PHYS(DATA + 0x40), "\xDE\xAD\xBE\xEF", 4);
	assert_true(segment_load_ldt(v, LDT_SEL));
	v->r.cs = 0x0F; /* entry 1 of its LDT */
	v->r.eip = 0x40;
	touch(USER + 0x40);
	assert_dies("bytes at EIP: de ad be ef", guest_die("so"));
	assert_non_null(strstr(xen.console, "eip 00000040 cs 000f"));
}

static void what_is_not_mapped_is_left_out_of_a_report(void **state)
{
	(void)state;
	domain_paging(true);
	v->r.eip = v->r.gpr[GPR_ESP] = 0x70000000;
	assert_dies("bytes at EIP:\r\n", guest_die("so"));
	assert_non_null(strstr(xen.console, "stack:\r\n"));
	assert_non_null(strstr(xen.console, "in kernel, before Init"));
}

/* What the shadow does not have is left out of a report, and stays out. */
static void a_report_asks_nothing_of_the_shadow(void **state)
{
	u32 mfn;

	(void)state;
	domain_init(false);
	domain_user();
	assert_int_not_equal(xen_access(USER, PF_U, &mfn), 0);
	assert_dies("bytes at EIP:\r\n", guest_die("so"));
	assert_int_not_equal(xen_access(USER, PF_U, &mfn), 0);
}

/* As an early panic leaves it: its words are printed nowhere, but their format, and
 * a buffer, are near the stack. */
static void a_text_at_the_stack_is_shown(void **state)
{
	static const char longer[] = "a longer one that does not end, but goes on with \x1B[31m";
	static const char format[] = "<0>Kernel panic - not syncing: \"%s\"\n", name[] = "RAMDISK";
	u32 *stack;

	(void)state;
	domain_paging(false);
	stack = (u32 *)(uintptr_t)v->r.gpr[GPR_ESP];
	memcpy(PHYS(DATA + 0x10), format, sizeof(format));
	memcpy(PHYS(DATA + 0x80), name, sizeof(name));
	memcpy(PHYS(DATA + 0xC0), longer, sizeof(longer));
	stack[3] = KERNEL(DATA + 0x80);
	stack[5] = KERNEL(DATA + 0x10);
	stack[6] = KERNEL(DATA + 0xC0);
	stack[7] = 0xFFFFFFFF;
	touch(KERNEL(DATA));
	touch(v->r.gpr[GPR_ESP]);
	assert_dies("text at the stack: \"<0>Kernel panic - not syncing: \\\"%s\\\"\\n\"\r\n",
		    guest_die("so"));
	domain_paging(false);
	stack = (u32 *)(uintptr_t)v->r.gpr[GPR_ESP];
	memcpy(stack + 2, "a buffer of its own", 20);
	touch(v->r.gpr[GPR_ESP]);
	assert_dies("text at the stack: \"a buffer of its own\"\r\n", guest_die("so"));
	domain_paging(false);
	touch(v->r.gpr[GPR_ESP]);
	assert_dies("the guest died", guest_die("so"));
	assert_null(strstr(xen.console, "text at"));
}

static u32 deaths(void)
{
	u32 n = 0;

	for (const char *p = xen.console; (p = strstr(p, "vmixen: the guest died")); p++)
		n++;
	return n;
}

/* The pool is such that any fill ends the domain. */
static void dying_twice(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 i = 0; i < PV->shadow.pool_pages; i++)
		if (PV->shadow.pool[i].kind == POOL_L1)
			PV->shadow.pool[i].kind = POOL_ROOT;
	PV->shadow.pool_fresh = PV->shadow.pool_pages;
	PV->shadow.free = SHADOW_NONE;
	v->r.eip = USER;
	assert_dies("the guest died: first\r\n", guest_die("first"));
	assert_int_equal(deaths(), 1);
}

static void the_second_end_is_short_and_the_third_is_silent(void **state)
{
	(void)state;
	domain_init(false);
	MON->ends = 1; /* the first is going on */
	assert_dies("the guest died: again\r\n", guest_die("again"));
	assert_non_null(strstr(xen.console, "vmixen: eip "));
	assert_null(strstr(xen.console, "bytes at EIP"));
	domain_init(false);
	MON->ends = 2;
	assert_ends(SHUTDOWN_crash, guest_die("and again"));
	assert_null(strstr(xen.console, "died"));
	domain_init(false);
	MON->ends = 2;
	assert_ends(SHUTDOWN_crash, monitor_panic("file.c", 7, "a == b"));
	assert_null(strstr(xen.console, "file.c"));
}

static void who_never_spoke_is_told_how_to(void **state)
{
	(void)state;
	domain_init(false);
	assert_dies("it has printed nothing: earlyprintk=serial,ttyS0,115200", guest_die("so"));
	domain_init(false);
	port_out(v, 0x3F8, 1, 'x');
	assert_dies("the guest died", guest_die("so"));
	assert_null(strstr(xen.console, "earlyprintk"));
}

static void an_error_of_the_monitor_is_reported(void **state)
{
	(void)state;
	domain_init(true);
	assert_dies("error in the monitor: file.c:7: a == b", monitor_panic("file.c", 7, "a == b"));
}

static void where_the_guest_is(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	report_state(v);
	assert_non_null(strstr(xen.console, "the guest runs"));
	assert_non_null(strstr(xen.console, "in user mode"));
	v->halted = true;
	report_state(v);
	assert_non_null(strstr(xen.console, "none is pending"));
	for (u32 i = 0; i < 4; i++)
		port_out(v, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(v, 0x21, 1, 0xDF);
	pic_set_irq(&MON->pc.pic, 5, true);
	report_state(v);
	assert_non_null(strstr(xen.console, "and one is pending"));
}

static void counters_are_told_by_name(void **state)
{
	(void)state;
	domain_init(true);
	counters_zero();
	xen.console_len = 0;
	memset(xen.console, 0, sizeof(xen.console));
	COUNTERS->exception[13] = 5;
	COUNTERS->exception[17] = 6; /* has no name */
	COUNTERS->fault_user = 123456;
	counters_report();
	assert_non_null(strstr(xen.console, "vmixen: counter time: ms=0\r\n"));
	assert_non_null(strstr(xen.console, "vmixen: counter exception: GP=5 017=6\r\n"));
	assert_non_null(strstr(xen.console, "vmixen: counter fault: user=123456\r\n"));
	assert_non_null(strstr(xen.console, "vmixen: counter pool: size=128 "));
	assert_null(strstr(xen.console, "counter event:")); /* nothing of it */
}

static void a_long_group_of_counters_has_several_lines(void **state)
{
	const char *first, *second;

	(void)state;
	domain_init(true);
	for (u32 i = 0; i < 32; i++)
		COUNTERS->exception[i] = 1000 + i;
	counters_report();
	first = strstr(xen.console, "vmixen: counter exception:");
	assert_non_null(first);
	second = strstr(first + 1, "vmixen: counter exception:");
	assert_non_null(second);
	assert_true(second - first < 120);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_starts_as_the_boot_protocol_says),
		cmocka_unit_test(the_bootstrap_tables_are_given_up),
		cmocka_unit_test(the_cmos_knows_the_memory),
		cmocka_unit_test(init_brings_the_kernel_to_ring_1),
		cmocka_unit_test(init_without_paging_or_stack_fails_and_changes_nothing),
		cmocka_unit_test(init_ends_the_breakpoints_on_flags),
		cmocka_unit_test(a_death_is_reported),
		cmocka_unit_test(bytes_at_eip_are_in_its_segment),
		cmocka_unit_test(what_is_not_mapped_is_left_out_of_a_report),
		cmocka_unit_test(a_report_asks_nothing_of_the_shadow),
		cmocka_unit_test(a_text_at_the_stack_is_shown),
		cmocka_unit_test(dying_twice),
		cmocka_unit_test(the_second_end_is_short_and_the_third_is_silent),
		cmocka_unit_test(who_never_spoke_is_told_how_to),
		cmocka_unit_test(an_error_of_the_monitor_is_reported),
		cmocka_unit_test(where_the_guest_is),
		cmocka_unit_test(counters_are_told_by_name),
		cmocka_unit_test(a_long_group_of_counters_has_several_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
