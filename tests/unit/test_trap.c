/* SPDX-License-Identifier: GPL-2.0-only */
/* From a trap's frame to what the guest finds, and the guest's own memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/inject.h"
#include "monitor/io/events.h"
#include "monitor/monitor.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"

extern const u32 failsafe_offset, iret_offset, iret_window_offset[2];
void monitor_trap(struct vcpu *v);

struct nested_frame {
	u32 pushed[8];
	u32 vector, error, eip, cs, eflags;
};
void nested_trap(struct nested_frame *f);

static struct vcpu *const v = VCPU;

/* Xen's frame, on the guest's kernel stack (from ring 1) or at ESP0. */
static void trap(u32 vector, bool has_error, u32 error)
{
	bool user = (v->r.cs & 3) == 3;
	u32 at = (user ? (v->paravirtual ? v->esp0 : WIN_FRAME_TOP) - 20 : v->r.gpr[GPR_ESP] - 12);
	u32 *f = (u32 *)(uintptr_t)at;

	f[0] = v->r.eip;
	f[1] = v->r.cs | 0x10000; /* Xen's mask is above CS */
	f[2] = v->r.eflags;
	if (user) {
		f[3] = v->r.gpr[GPR_ESP];
		f[4] = v->r.ss;
	}
	if (has_error)
		*--f = error;
	v->trap_esp = (u32)(uintptr_t)f;
	v->r.vector = vector | (has_error ? VECTOR_HAS_ERROR : 0);
	monitor_trap(v);
}

/* Word n of the frame that the exit takes. */
static u32 frame(u32 n)
{
	return ((u32 *)(uintptr_t)v->exit_esp)[n];
}

static void page_fault(gva_t va, u32 error)
{
	XEN_VCPU->arch.cr2 = va;
	trap(EXC_PF, true, error);
}

static void start(void)
{
	domain_init(true);
	v->esp0 = KERNEL(ESP0);
}

static void a_hidden_fault_is_not_seen(void **state)
{
	(void)state;
	start();
	domain_user();
	page_fault(USER + 0x10, PF_U);
	assert_int_equal(v->r.eip, USER);
	assert_int_equal(frame(0), USER);
	assert_int_equal(frame(1), USER_CS);
	assert_int_equal(frame(3), USER + 0x800);
	assert_int_equal(frame(4), USER_DS);
	assert_int_equal(v->exit_esp, KERNEL(ESP0) - 20);
	assert_int_equal(v->r.ss, KERNEL_DS | 1);
}

static void a_fault_of_user_mode_is_its_kernels(void **state)
{
	(void)state;
	start();
	domain_user();
	page_fault(0x70000000, PF_U | PF_W);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->cr2, 0x70000000);
	assert_int_equal(domain_stack(0), PF_U | PF_W);
	assert_int_equal(domain_stack(1), USER);
	assert_int_equal(domain_stack(2), USER_CS);
	assert_int_equal(domain_stack(4), USER + 0x800);
	assert_int_equal(domain_stack(5), USER_DS);
	assert_int_equal(frame(0), HANDLER(EXC_PF));
	assert_int_equal(frame(1), KERNEL_CS | 1);
	assert_false(frame(2) & EFLAGS_IF);
	assert_int_equal(COUNTERS->fault_user, 1);
}

static void a_fault_of_the_kernel_stays_on_its_stack(void **state)
{
	u32 esp;

	(void)state;
	start();
	esp = v->r.gpr[GPR_ESP];
	page_fault(0x70000000, 0);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(v->r.gpr[GPR_ESP], esp - 16);
	assert_int_equal(domain_stack(3), v->r.eflags);
	assert_int_equal(COUNTERS->fault_kernel, 1);
}

static void a_fault_without_memory_is_emulated(void **state)
{
	(void)state;
	start();
	memcpy(PHYS(CODE), "\x8B\x0B", 2);
	v->r.gpr[GPR_EBX] = KERNEL(HOLE);
	page_fault(KERNEL(HOLE), 0);
	assert_int_equal(v->r.gpr[GPR_ECX], 0xFFFFFFFF);
	assert_int_equal(frame(0), KERNEL(CODE) + 2);
}

static void before_init_the_frame_stays_where_xen_put_it(void **state)
{
	(void)state;
	domain_paging(false);
	memcpy(PHYS(CODE), "\xFA", 1);
	trap(EXC_GP, true, 0);
	assert_int_equal(v->exit_esp, WIN_FRAME_TOP - 20);
	assert_int_equal(frame(0), KERNEL(CODE) + 1);
	assert_int_equal(v->r.ss, FLAT_RING1_SS);
	trap(EXC_DE, false, 0);
	assert_true(domain_at(EXC_DE));
	assert_int_equal(frame(3), KERNEL(STACK) - 64 - 12); /* the same stack */
}

/* Whatever the guest spins in before Init, Xen's events reach the monitor; the
 * guest sees no interrupt, and no interrupt flag. */
static void before_init_events_come_to_the_monitor(void **state)
{
	struct xencons_interface *ring = (void *)(uintptr_t)WIN_CONSOLE;

	(void)state;
	domain_paging(false);
	port_out(v, 0x21, 1, 0);
	pic_set_irq(&MON->pc.pic, 1, true);
	ring->in[MASK_XENCONS_IDX(ring->in_prod++, ring->in)] = 'x';
	v->r.eflags = EFLAGS_IF | 2; /* as Xen has it there */
	XEN_VCPU->evtchn_upcall_pending = 1;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 0);
	assert_int_equal(port_in(v, 0x3F8, 1), 'x');
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(v->if_believed, 0);
	assert_int_equal(frame(2), EFLAGS_IF | 2);
	v->r.eflags = EFLAGS_IF | 2;
	trap(EXC_DE, false, 0);
	assert_true(domain_at(EXC_DE));
	assert_int_equal(domain_stack(2), 2);
}

/* Our own exit has just turned them on. */
static void before_init_an_event_may_come_before_the_iret(void **state)
{
	u32 *f = (u32 *)(uintptr_t)(WIN_FRAME_TOP - 20);

	(void)state;
	domain_paging(false);
	f[-3] = WIN_TEXT + iret_offset;
	f[-2] = FLAT_RING1_CS;
	f[-1] = EFLAGS_IF | 2;
	f[0] = KERNEL(CODE) + 0x20;
	f[1] = KERNEL_CS | 3;
	f[2] = EFLAGS_IF | 2;
	f[3] = KERNEL(STACK) - 128;
	f[4] = KERNEL_DS | 3;
	v->trap_esp = (u32)(uintptr_t)&f[-3];
	v->r.vector = VECTOR_UPCALL;
	monitor_trap(v);
	assert_int_equal(v->exit_esp, WIN_FRAME_TOP - 20);
	assert_int_equal(frame(0), KERNEL(CODE) + 0x20);
	assert_int_equal(frame(1), KERNEL_CS | 3);
	assert_int_equal(frame(2), EFLAGS_IF | 2);
	assert_int_equal(frame(3), KERNEL(STACK) - 128);
	assert_int_equal(frame(4), KERNEL_DS | 3);
}

static void other_exceptions_are_injected(void **state)
{
	(void)state;
	start();
	trap(EXC_NP, true, 0x18);
	assert_true(domain_at(EXC_NP));
	assert_int_equal(domain_stack(0), 0x18);
	start();
	trap(EXC_DB, false, 0);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(0), KERNEL(CODE));
	start();
	domain_user();
	memcpy(PHYS(DATA), "\x0F\x0B", 2);
	trap(EXC_UD, false, 0);
	assert_true(domain_at(EXC_UD));
}

/* An iret of ours that faults: the guest sees it at its IRET call. */
static void a_fault_of_an_iret_is_the_callers(void **state)
{
	(void)state;
	start();
	*(u8 *)PHYS(CODE + 0x100) = 0xE8;
	v->r.eip = WIN_TEXT + iret_offset;
	v->iret_site = KERNEL(CODE) + 0x105;
	v->r.eflags = EFLAGS_IF;
	trap(EXC_GP, true, 0x70);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), 0x70);
	assert_int_equal(domain_stack(1), KERNEL(CODE) + 0x100);
	assert_int_equal(domain_stack(2), KERNEL_CS | 1);
	assert_int_equal(domain_stack(3) & EFLAGS_IF, 0);
	/* Of another form of call only the place behind it is known. */
	start();
	*(u8 *)PHYS(CODE + 0x100) = 0xFF;
	v->r.eip = WIN_TEXT + iret_offset;
	v->iret_site = KERNEL(CODE) + 0x105;
	trap(EXC_GP, true, 0x70);
	assert_int_equal(domain_stack(1), KERNEL(CODE) + 0x105);
	start();
	v->r.eip = WIN_TEXT + iret_offset;
	assert_dies("cannot be entered", trap(EXC_NP, true, 0x70));
}

static void open_pic(void)
{
	for (u32 i = 0; i < 4; i++)
		port_out(v, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(v, 0x21, 1, 0xDF);
	pic_set_irq(&MON->pc.pic, 5, true);
}

/* An event in the instructions of IRET is not delivered there: its handler's own
 * IRET would overwrite the note of where this one was called. */
static void an_event_in_the_iret_window_starts_it_again(void **state)
{
	const u32 inside[] = {iret_window_offset[0], iret_offset, iret_window_offset[1] - 1};
	const u32 outside[] = {iret_window_offset[0] - 1, iret_window_offset[1]};

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		start();
		open_pic();
		v->r.eip = WIN_TEXT + inside[i];
		v->r.eflags = EFLAGS_IF | EFLAGS_CF;
		trap(VECTOR_UPCALL, false, 0);
		assert_int_equal(frame(0), WIN_TEXT + iret_window_offset[0]);
		assert_int_equal(frame(2), EFLAGS_CF);
		assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1);
	}
	for (u32 i = 0; i < 2; i++) {
		start();
		open_pic();
		v->r.eip = WIN_TEXT + outside[i];
		v->r.eflags = EFLAGS_IF;
		trap(VECTOR_UPCALL, false, 0);
		assert_int_equal(domain_stack(0), WIN_TEXT + outside[i]);
	}
	/* A process may be where it likes. */
	start();
	open_pic();
	domain_user();
	v->r.eip = WIN_TEXT + iret_offset;
	v->r.eflags = EFLAGS_IF;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(domain_stack(0), WIN_TEXT + iret_offset);
}

/* With VM it would be another frame, and in ring 1 what the guest never asked for. */
static void no_frame_that_is_left_by_has_vm(void **state)
{
	(void)state;
	start();
	v->r.eflags |= EFLAGS_VM;
	assert_dies("error in the monitor: trap.c", monitor_resume(v));
	start();
	domain_user();
	v->r.eflags |= EFLAGS_VM;
	assert_dies("error in the monitor: trap.c", monitor_resume(v));
}

/* Xen has gone through a gate, and could not load its CS. */
static void a_gate_whose_selector_is_gone(void **state)
{
	(void)state;
	start();
	v->r.eip = HANDLER(0x50);
	v->r.cs = 0x49;
	assert_dies("a gate leads to 0049:c0060500", trap(EXC_GP, true, 0x48));
	start();
	domain_user();
	v->r.cs = 0x4B; /* user mode's own affair */
	trap(EXC_NP, true, 0x48);
	assert_true(domain_at(EXC_NP));
}

static void without_a_gate_it_is_a_triple_fault(void **state)
{
	(void)state;
	start();
	v->idtr.limit = 0x3F;
	assert_dies("triple fault: exception 14", page_fault(0x70000000, 0));
	start();
	((u64 *)PHYS(IDT))[EXC_DF] = 0;
	((u64 *)PHYS(IDT))[14] = 0x0000850000600000ull; /* a task gate */
	assert_dies("gate 14 has type 5", page_fault(0x70000000, 0));
	start();
	v->esp0 = 0x70001000;
	domain_user();
	v->r.eip = USER;
	assert_dies("no stack at 70000fe8", inject_page_fault(v, 0x1000, PF_U));
}

/* Linux's has a task of its own, with a stack of its own. */
static void a_stack_that_misses_is_a_double_fault(void **state)
{
	u32 *old = PHYS(TSS), *task = PHYS(0x16000);

	(void)state;
	start();
	((u64 *)PHYS(GDT))[0x90 >> 3] = 0xC001890160000067ull;
	((u64 *)PHYS(IDT))[EXC_DF] = 0x0000850000900000ull;
	task[7] = TABLES;		 /* CR3 */
	task[8] = KERNEL(CODE + 0x400);	 /* EIP */
	task[9] = 2;			 /* EFLAGS */
	task[14] = KERNEL(0x18000);	 /* ESP */
	task[18] = task[21] = USER_DS;	 /* ES, DS */
	task[19] = KERNEL_CS;		 /* CS */
	task[20] = task[22] = KERNEL_DS; /* SS, FS */
	domain_user();
	v->esp0 = 0x70001000;
	inject_page_fault(v, 0x1000, PF_U);
	assert_int_equal(v->r.eip, KERNEL(CODE + 0x400));
	assert_int_equal(v->r.cs, KERNEL_CS | 1);
	assert_int_equal(v->r.gpr[GPR_ESP], KERNEL(0x18000) - 4);
	assert_int_equal(domain_stack(0), 0);
	assert_int_equal(v->tr, 0x90);
	assert_int_equal(xen.selector[SEG_FS], KERNEL_DS);
	assert_int_equal(old[8], USER);
	assert_int_equal(old[19], USER_CS);
}

/* reboot=t: as a PC's, this one's end is a reset; with an IDT it is an error. */
static void an_exception_with_an_empty_idt_is_a_reset(void **state)
{
	(void)state;
	start();
	v->idtr.limit = 0;
	assert_ends(SHUTDOWN_reboot, trap(EXC_BP, false, 0));
	assert_non_null(strstr(xen.console, "faults with an empty IDT"));
	start();
	v->idtr.limit = 7;
	assert_dies("triple fault", trap(EXC_BP, false, 0));
}

static void trap_gates_keep_the_interrupt_flag(void **state)
{
	(void)state;
	start();
	v->r.eflags = EFLAGS_IF | EFLAGS_TF | EFLAGS_NT;
	inject_exception(v, 0x80, false, 0);
	assert_int_equal(v->r.eflags, EFLAGS_IF);
	assert_int_equal(domain_stack(2), EFLAGS_IF | EFLAGS_TF | EFLAGS_NT);
}

static void an_event_becomes_an_interrupt(void **state)
{
	(void)state;
	start();
	open_pic();
	v->r.eflags = EFLAGS_IF;
	v->if_believed = 0;
	trap(VECTOR_UPCALL, false, 0);
	assert_true(domain_at(0x25));
	assert_int_equal(v->if_believed, EFLAGS_IF);
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 0);
	assert_int_equal(COUNTERS->event_upcall, 1);
	assert_int_equal(COUNTERS->event_interrupt, 1);
}

static void with_interrupts_off_it_waits(void **state)
{
	(void)state;
	start();
	open_pic();
	v->r.eflags = 0;
	trap(VECTOR_UPCALL, false, 0);
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1);
}

/* Xen ran another vCPU before it delivered the exception, and could not load GS:
 * the exception seems to be the failsafe handler's. */
static void an_exception_that_failsafe_came_before(void **state)
{
	const u32 selectors[4] = {USER_DS, USER_DS, 0, 0x33};
	u32 esp, *f;

	(void)state;
	start();
	esp = v->r.gpr[GPR_ESP];
	f = (u32 *)(uintptr_t)(esp - 12);
	memcpy(f, ((u32[]){KERNEL(CODE) + 8, KERNEL_CS | 1, 0x46}), 12);
	memcpy(f -= 4, selectors, sizeof(selectors));
	memcpy(f -= 3, ((u32[]){WIN_TEXT + failsafe_offset, FLAT_RING1_CS, 2}), 12);
	*--f = 0;
	v->trap_esp = (u32)(uintptr_t)f;
	v->r.vector = EXC_PF | VECTOR_HAS_ERROR;
	XEN_VCPU->arch.cr2 = 0x70000000;
	monitor_trap(v);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(1), KERNEL(CODE) + 8);
	assert_int_equal(domain_stack(3), 0x46);
	assert_int_equal(v->r.gpr[GPR_ESP], esp - 16);
	assert_int_equal(xen.selector[SEG_GS], 0x33);
	/* From user mode, who may be at such an address, too. */
	start();
	domain_user();
	v->r.eip = WIN_TEXT + failsafe_offset;
	page_fault(v->r.eip, PF_U);
	assert_int_equal(domain_stack(1), WIN_TEXT + failsafe_offset);
}

static void a_nested_trap_that_failsafe_came_before(void **state)
{
	struct {
		struct nested_frame f;
		u32 selectors[4], eip, cs, eflags;
	} stack = {.f = {.vector = EXC_PF, .eip = WIN_TEXT + failsafe_offset},
		   .eip = WIN_TEXT + 0x400};

	(void)state;
	start();
	nested_trap(&stack.f);
	assert_int_equal(stack.f.eip, WIN_TEXT + failsafe_offset);
	assert_int_equal(stack.eip, WIN_TEXT + 0x500);
}

static void no_stack_to_return_on(void **state)
{
	(void)state;
	start();
	v->r.gpr[GPR_ESP] = 0x70000000;
	assert_dies("no kernel stack at 6ffffff4", monitor_resume(v));
}

static void nested_traps(void **state)
{
	struct nested_frame f = {.vector = EXC_DB, .eflags = EFLAGS_TF | 2};

	(void)state;
	start();
	nested_trap(&f);
	assert_int_equal(f.eflags, 2);
	f.vector = EXC_PF;
	f.eip = WIN_TEXT + 0x400; /* an instruction of the fixup table */
	nested_trap(&f);
	assert_int_equal(f.eip, WIN_TEXT + 0x500);
	f.eip = WIN_TEXT + 0x401;
	assert_dies("in the monitor, cr2", nested_trap(&f));
}

static void guest_memory(void **state)
{
	struct access_fault f;
	u8 bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8];

	(void)state;
	start();
	/* Over the end of a page, each filled when it is met. */
	assert_int_equal(guest_read(v, USER + PAGE_SIZE - 4, back, 8, &f), 0);
	assert_int_equal(guest_write(v, USER + 0x100, bytes, 8, &f), 0);
	assert_memory_equal(PHYS(DATA + 0x100), bytes, 8);
	assert_int_equal(guest_write(v, USER + PAGE_SIZE - 4, bytes, 8, &f), -1);
	assert_int_equal(f.va, USER + PAGE_SIZE);
	assert_int_equal(f.error, PF_P | PF_W);
	assert_int_equal(guest_read(v, 0x70000000, back, 1, &f), -1);
	assert_int_equal(f.error, 0);
	/* Never the window. */
	assert_int_equal(guest_read(v, WIN_VCPU, back, 8, &f), -1);
	assert_int_equal(guest_write(v, WINDOW_BASE - 4, bytes, 8, &f), -1);
}

/* An NMI that the processor gives between two of the guest's instructions. */
static void an_nmi_is_the_guests_at_once(void **state)
{
	(void)state;
	start();
	v->r.eflags = 2; /* interrupts are off: it does not matter */
	trap(EXC_NMI, false, 0);
	assert_true(domain_at(EXC_NMI));
	assert_false(v->nmi);
	assert_int_equal(xen.nmis_unblocked, 1);
	start();
	domain_user();
	trap(EXC_NMI, false, 0);
	assert_true(domain_at(EXC_NMI));
}

/* trap_2 in entry/pv/traps.asm notes one that comes between two of ours. */
static void an_nmi_waits_where_the_monitor_must_not_be_interrupted(void **state)
{
	(void)state;
	start();
	v->nmi = true;
	v->r.eip = WIN_TEXT + iret_window_offset[0];
	v->r.eflags = EFLAGS_IF | 2; /* the return starts again */
	XEN_VCPU->evtchn_upcall_pending = 0;
	monitor_resume(v);
	assert_true(v->nmi);
	assert_int_equal(v->r.eip, WIN_TEXT + iret_window_offset[0]);
	assert_int_equal(XEN_VCPU->evtchn_upcall_pending, 1); /* and sees that */
	v->r.eip = WIN_TEXT + 0x1000;			      /* EnableInterrupts, say */
	v->r.eflags = EFLAGS_IF | 2;
	monitor_resume(v);
	assert_true(domain_at(EXC_NMI));
	assert_false(v->nmi);
}

static void before_init_an_nmi_is_dropped(void **state)
{
	(void)state;
	domain_paging(true);
	trap(EXC_NMI, false, 0);
	assert_false(v->nmi);
	assert_int_equal(v->r.eip, KERNEL(CODE));
	assert_int_equal(xen.nmis_unblocked, 1);
	v->nmi = true; /* noted, between two of ours */
	v->r.gpr[GPR_ESP] -= 4;
	vmi_init(v);
	assert_false(v->nmi);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hidden_fault_is_not_seen),
		cmocka_unit_test(a_fault_of_user_mode_is_its_kernels),
		cmocka_unit_test(a_fault_of_the_kernel_stays_on_its_stack),
		cmocka_unit_test(a_fault_without_memory_is_emulated),
		cmocka_unit_test(before_init_the_frame_stays_where_xen_put_it),
		cmocka_unit_test(before_init_events_come_to_the_monitor),
		cmocka_unit_test(before_init_an_event_may_come_before_the_iret),
		cmocka_unit_test(other_exceptions_are_injected),
		cmocka_unit_test(a_fault_of_an_iret_is_the_callers),
		cmocka_unit_test(an_event_in_the_iret_window_starts_it_again),
		cmocka_unit_test(no_frame_that_is_left_by_has_vm),
		cmocka_unit_test(a_gate_whose_selector_is_gone),
		cmocka_unit_test(without_a_gate_it_is_a_triple_fault),
		cmocka_unit_test(a_stack_that_misses_is_a_double_fault),
		cmocka_unit_test(an_exception_with_an_empty_idt_is_a_reset),
		cmocka_unit_test(trap_gates_keep_the_interrupt_flag),
		cmocka_unit_test(an_event_becomes_an_interrupt),
		cmocka_unit_test(with_interrupts_off_it_waits),
		cmocka_unit_test(an_exception_that_failsafe_came_before),
		cmocka_unit_test(a_nested_trap_that_failsafe_came_before),
		cmocka_unit_test(no_stack_to_return_on),
		cmocka_unit_test(nested_traps),
		cmocka_unit_test(guest_memory),
		cmocka_unit_test(an_nmi_is_the_guests_at_once),
		cmocka_unit_test(an_nmi_waits_where_the_monitor_must_not_be_interrupted),
		cmocka_unit_test(before_init_an_nmi_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
