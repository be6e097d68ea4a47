/* SPDX-License-Identifier: GPL-2.0-only */
/* The double fault, and the task that its gate leads to (monitor/cpu/task.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monitor/pvh/cpu_pvh.h"
#include "monitor/pvh/pvh.h"
#include "pvh/processor.h"
#include "monitor/cpu/inject.h"
#include "monitor/vmi/vmi.h"
#include "monitor/vcpu.h"

#define TASK_SEL 0x90u /* of the guest's GDT */
#define TASK 0x16000u  /* its TSS */
#define TASK_STACK KERNEL(0x18000u)
#define TASK_CODE KERNEL(CODE + 0x400)
#define DIRECTORY 0x28000u
#define NOWHERE 0x70000000u

/* Words of a TSS. */
enum { LINK, CR3 = 7, EIP, EFLAGS, EAX, ECX, ESP = 14, ES = 18, CS, SS, DS, FS, GS, LDT_WORD };

static struct vcpu *const v = VCPU;
static u32 *const task = PHYS(TASK), *const old = PHYS(TSS);
static u64 *const task_descriptor = (u64 *)PHYS(GDT) + (TASK_SEL >> 3);

static void make_task(void)
{
	*task_descriptor = 0xC000890000000067ull | (u64)TASK << 16;
	((u64 *)PHYS(IDT))[EXC_DF] = 0x0000850000000000ull | TASK_SEL << 16;
	memset(task, 0, 104);
	memcpy(PHYS(DIRECTORY), PHYS(TABLES), PAGE_SIZE);
	task[CR3] = DIRECTORY;
	task[EIP] = TASK_CODE;
	task[EFLAGS] = 2;
	task[ESP] = TASK_STACK;
	task[CS] = KERNEL_CS;
	task[SS] = KERNEL_DS;
	task[DS] = task[ES] = USER_DS;
	task[FS] = KERNEL_DS;
}

static void start(void)
{
	domain_init(false);
	make_task();
}

static void assert_in_task(void)
{
	assert_int_equal(v->r.eip, TASK_CODE);
	assert_int_equal(v->r.cs, KERNEL_CS | 1);
	assert_int_equal(v->r.ss, KERNEL_DS | 1);
	assert_int_equal(v->r.gpr[GPR_ESP], TASK_STACK - 4);
	assert_int_equal(domain_stack(0), 0); /* the error code */
}

static void a_double_fault_enters_the_task_of_its_gate(void **state)
{
	(void)state;
	start();
	task[ECX] = 0xC0DE;
	v->vif = EFLAGS_IF;
	v->cr0 &= ~CR0_TS;
	vmi_SetDR(7, 0x7FF);
	trap(EXC_DF, true, 0);
	assert_in_task();
	assert_int_equal(frame(0), TASK_CODE);
	assert_int_equal(frame(1), KERNEL_CS | 1);
	assert_int_equal(frame(2), EFLAGS_IF | 2); /* the processor's own flag */
	assert_int_equal(frame(3), TASK_STACK - 4);
	assert_int_equal(frame(4), KERNEL_DS | 1);
	assert_false(v->vif);
	assert_int_equal(v->r.gpr[GPR_ECX], 0xC0DE);
	assert_int_equal(v->r.ds, USER_DS);
	assert_int_equal(v->r.es, USER_DS);
	assert_int_equal(xen.selector[SEG_FS], KERNEL_DS);
	assert_int_equal(xen.selector[SEG_GS], 0);
	assert_int_equal(cpu.cr3, DIRECTORY);
	assert_true(((u32 *)PHYS(DIRECTORY))[WINDOW_BASE >> 22] & 1);
	assert_int_equal(vmi_GetDR(7), 0x6AA);
	assert_true(v->cr0 & CR0_TS);
	assert_int_equal(v->tr, TASK_SEL);
	assert_int_equal(*task_descriptor >> 40 & 0xFF, 0x8B); /* busy */
	assert_int_equal(task[LINK], TSS_SEL);
}

static void the_old_task_keeps_what_it_had(void **state)
{
	(void)state;
	start();
	v->vif = EFLAGS_IF;
	v->r.gpr[GPR_EAX] = 0xAAAA;
	v->r.gpr[GPR_ESP] = NOWHERE;
	v->r.ds = USER_DS;
	v->r.es = KERNEL_DS;
	xen.selector[SEG_FS] = KERNEL_DS;
	xen.selector[SEG_GS] = 0x33;
	old[CR3] = 0x1234;
	trap(EXC_DF, true, 0);
	assert_in_task();
	assert_int_equal(old[EIP], KERNEL(CODE));
	assert_int_equal(old[EFLAGS] & EFLAGS_IF, EFLAGS_IF);
	assert_int_equal(old[EAX], 0xAAAA);
	assert_int_equal(old[ESP], NOWHERE);
	assert_int_equal(old[CS], KERNEL_CS | 1);
	assert_int_equal(old[SS], KERNEL_DS | 1);
	assert_int_equal(old[DS], USER_DS);
	assert_int_equal(old[ES], KERNEL_DS);
	assert_int_equal(old[FS], KERNEL_DS);
	assert_int_equal(old[GS], 0x33);
	assert_int_equal(old[CR3], 0x1234); /* nobody stores that */
}

static void a_frame_that_cannot_be_pushed_is_a_double_fault(void **state)
{
	(void)state;
	start();
	v->r.gpr[GPR_ESP] = NOWHERE;
	inject_page_fault(v, 0x1000, 0);
	assert_in_task();
	assert_int_equal(old[ESP], NOWHERE);
	start();
	domain_user();
	v->esp0 = NOWHERE;
	inject_page_fault(v, 0x1000, PF_U);
	assert_in_task();
	assert_int_equal(old[CS], USER_CS);
	assert_int_equal(old[SS], USER_DS);
	start();
	((u64 *)PHYS(IDT))[EXC_GP] = 0; /* nor can an exception without a gate */
	inject_exception(v, EXC_GP, true, 0);
	assert_in_task();
}

static void virtual_8086_modes_selectors_are_saved(void **state)
{
	(void)state;
	start();
	v->r.cs = 0x1000;
	v->r.ss = 0x2000;
	v->r.eflags = EFLAGS_VM | 2;
	for (u32 i = 0; i < 4; i++)
		v->v86_segs[i] = i + 1;
	idt_use_v86(v, true);
	trap(EXC_DF, true, 0);
	assert_in_task();
	assert_true(old[EFLAGS] & EFLAGS_VM);
	assert_int_equal(old[CS], 0x1000);
	assert_int_equal(old[ES], 1);
	assert_int_equal(old[DS], 2);
	assert_int_equal(old[FS], 3);
	assert_int_equal(old[GS], 4);
	assert_int_equal(cpu.idt, WIN_IDT);
}

static void a_handler_in_the_same_task_is_entered_if_it_can(void **state)
{
	u64 gate;

	(void)state;
	domain_init(false);
	gate = ((u64 *)PHYS(IDT))[EXC_DF];
	make_task();
	((u64 *)PHYS(IDT))[EXC_DF] = gate;
	trap(EXC_DF, true, 0);
	assert_true(domain_at(EXC_DF));
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(domain_stack(1), KERNEL(CODE));
	v->r.gpr[GPR_ESP] = NOWHERE;
	assert_dies("triple fault: a double fault without a handler", trap(EXC_DF, true, 0));
}

/* Makes mistake n of the guest's; false if there is none of that number. */
static bool spoil(u32 n)
{
	u64 *gate = (u64 *)PHYS(IDT) + EXC_DF;

	switch (n) {
	case 0:
		*gate &= ~(1ull << 47); /* it is not present */
		return true;
	case 1:
		*gate = 0x0000850000000000ull | LDT_SEL << 16;
		return true;
	case 2:
		*task_descriptor |= 2ull << 40; /* it is busy */
		return true;
	case 3:
		*task_descriptor -= 1; /* its limit */
		return true;
	case 4:
		*task_descriptor |= 0x70ull << 32; /* an address that is not mapped */
		return true;
	case 5:
		v->tr = 0;
		return true;
	case 6:
		task[CR3] = 0xFFFFF000;
		return true;
	case 7:
		task[LDT_WORD] = TSS_SEL;
		return true;
	case 8:
		task[EFLAGS] |= EFLAGS_VM;
		return true;
	case 9:
		task[CS] = USER_CS;
		return true;
	case 10:
		task[SS] = KERNEL_CS;
		return true;
	case 11:
		task[ESP] = NOWHERE;
		return true;
	case 12:
		*((u64 *)PHYS(GDT) + (TSS_SEL >> 3)) -= 0x2068 - 0x66; /* the old one's limit */
		return true;
	default:
		return false;
	}
}

/* Each would be a processor's triple fault. */
static void what_cannot_be_entered_ends_in_a_report(void **state)
{
	static u32 n;

	(void)state;
	for (n = 0; start(), spoil(n); n++) {
		assert_dies("triple fault: a double fault", trap(EXC_DF, true, 0));
		assert_int_equal(v->r.eip, KERNEL(CODE)); /* the report's */
	}
	assert_int_equal(n, 13);
}

static void a_double_fault_of_the_task_ends_in_a_report(void **state)
{
	(void)state;
	start();
	trap(EXC_DF, true, 0);
	assert_dies("triple fault: a double fault", trap(EXC_DF, true, 0));
	assert_int_equal(v->r.eip, TASK_CODE);
}

static void a_selector_that_cannot_be_loaded_is_null(void **state)
{
	(void)state;
	start();
	task[DS] = TSS_SEL;
	task[ES] = KERNEL_DS | 3; /* its DPL is less */
	task[FS] = OWN_DS0;
	task[GS] = 0xC; /* there is no LDT */
	trap(EXC_DF, true, 0);
	assert_in_task();
	assert_int_equal(v->r.ds, 0);
	assert_int_equal(v->r.es, 0);
	assert_int_equal(xen.selector[SEG_FS], 0);
	assert_int_equal(xen.selector[SEG_GS], 0);
}

/* Then the kernel takes itself for ring 0, and its table is read when a selector is loaded. */
static void before_init_it_is_as_on_a_pc(void **state)
{
	(void)state;
	domain_paging(false);
	make_task();
	trap(VECTOR_UPCALL, false, 0);
	v->r.gpr[GPR_ESP] = NOWHERE;
	inject_exception(v, EXC_UD, false, 0);
	assert_int_equal(v->r.eip, TASK_CODE);
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(old[CS], KERNEL_CS);
	assert_int_equal(xen.selector[SEG_FS], KERNEL_DS);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_double_fault_enters_the_task_of_its_gate),
		cmocka_unit_test(the_old_task_keeps_what_it_had),
		cmocka_unit_test(a_frame_that_cannot_be_pushed_is_a_double_fault),
		cmocka_unit_test(virtual_8086_modes_selectors_are_saved),
		cmocka_unit_test(a_handler_in_the_same_task_is_entered_if_it_can),
		cmocka_unit_test(what_cannot_be_entered_ends_in_a_report),
		cmocka_unit_test(a_double_fault_of_the_task_ends_in_a_report),
		cmocka_unit_test(a_selector_that_cannot_be_loaded_is_null),
		cmocka_unit_test(before_init_it_is_as_on_a_pc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
