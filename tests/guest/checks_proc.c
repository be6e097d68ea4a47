/* SPDX-License-Identifier: GPL-2.0-only */
/* Ring 3: system calls, fork, preemption, and what it must not do. */
#include "checks.h"
#include "irq.h"
#include "proc.h"
#include "trap.h"

#define ANY 0xffffffffu

extern const u8 user_blob[];

static void check_syscalls(void)
{
	struct proc *p;

	check_eq("process: exit code", 42, proc_run(PROG_HELLO, 0));
	check_eq("process: bytes written", 18, syscall_stats.bytes_written);
	p = proc_spawn(PROG_GETPID, 0);
	((struct regs *)p->stack_top - 1)->ebx = p->pid;
	check_eq("process: getpid", 0, proc_wait(p->pid));
	check_eq("process: demand zero pages", 0, proc_run(PROG_HEAP, 0));
	check_eq("process: a deep stack", 0, proc_run(PROG_STACK, 0));
	check_eq("SYSEXIT: a hundred returns to ring 3", 0, proc_run(PROG_SYSEXIT, 0));
	check_eq("process: registers over system calls and ticks", 0, proc_run(PROG_REGS, 40));
	for (u32 flag = 1; flag <= FLAGS_KEPT; flag <<= 1)
		if (flag & FLAGS_KEPT)
			check_eq("process: each flag over system calls and faults", 0,
				 proc_run(PROG_FLAGS, flag));
	check_eq("process: all flags over system calls and faults", 0,
		 proc_run(PROG_FLAGS, FLAGS_KEPT));
}

static void check_fork(void)
{
	u32 n = option_number("forks", 50), free;

	check_eq("fork: parent and child have their own data", 0, proc_run(PROG_COW, 0));
	check_eq("fork: the kernel writes to shared pages", 0, proc_run(PROG_FILL, 0));
	free = page_free_count();
	check_eq("fork: in a loop with exit and wait", 0, proc_run(PROG_FORKS, n));
	check_eq("fork: every frame came back", free, page_free_count());
	check_eq("fork: a tree of 15 processes", 15, proc_run(PROG_TREE, 3));
	check_eq("fork: every frame of the tree came back", free, page_free_count());
}

static void check_together(void)
{
	struct proc *p = proc_spawn(PROG_YIELD, 100), *q = proc_spawn(PROG_YIELD, 100);
	u32 switches;

	schedule();
	switches = p->switches + q->switches;
	check("yield: both run", switches >= 2);
	check_eq("yield: first", 0, proc_wait(p->pid));
	check_eq("yield: second", 0, proc_wait(q->pid));
	p = proc_spawn(PROG_TLS, 0x1111);
	q = proc_spawn(PROG_TLS, 0x2222);
	check_eq("TLS: first process", 0, proc_wait(p->pid));
	check_eq("TLS: second process", 0, proc_wait(q->pid));
	p = proc_spawn(PROG_FPU, 1000);
	q = proc_spawn(PROG_FPU, 5000);
	check_eq("FPU: first process", 0, proc_wait(p->pid));
	check_eq("FPU: second process", 0, proc_wait(q->pid));
}

/* Two processes that never leave ring 3 by themselves. */
static void check_preemption(void)
{
	u32 counter = ((const struct blob *)user_blob)->spin_counter, start = ticks;
	struct proc *p = proc_spawn(PROG_SPIN, 0), *q = proc_spawn(PROG_SPIN, 0);
	u32 user = ticks_user, x, y;
	u64 end = ops.cycle_counter(COUNTER_REAL) + cycles_ms(2000);

	while (ticks - start < 30 && ops.cycle_counter(COUNTER_REAL) < end)
		schedule();
	x = mm_peek(p->mm, counter);
	y = mm_peek(q->mm, counter);
	check_range("preemption: ticks in user mode", 15, 1000, ticks_user - user);
	check_range("preemption: first process, ticks", 5, 1000, p->ticks_user);
	check_range("preemption: second process, ticks", 5, 1000, q->ticks_user);
	check("preemption: both count", x > 1000 && y > 1000);
	p->kill = q->kill = true;
	check_eq("preemption: first ends", STATUS_KILLED, proc_wait(p->pid));
	check_eq("preemption: second ends", STATUS_KILLED, proc_wait(q->pid));
}

static void check_stats(void)
{
	check("system calls: there were some", syscall_stats.count > 100);
	check_eq("UpdateKernelStack: system calls are entered at its top", 0,
		 syscall_stats.bad_stack);
	check_eq("system calls: user mode had interrupts on", 0, syscall_stats.bad_flags);
	check_eq("system calls: the trap gate left interrupts on", 0, syscall_stats.bad_irqs);
	check_eq("system calls: selectors", 0, syscall_stats.bad_selectors);
}

void checks_proc(void)
{
	/* SYSEXIT takes its selectors from SYSENTER_CS (enable_sep_cpu) */
	check_eq("WRMSR: SYSENTER_CS", TRY_OK, set_sysenter_cs(SEL_KERNEL_CS));
	irq_enable();
	tick_start();
	check_syscalls();
	check_fork();
	check_together();
	check_preemption();
	check_stats();
	tick_stop();
	irq_disable();
}

/* In the order of enum fault_kind. */
static const struct {
	const char *name;
	u32 vector, error;
	u32 cr2; /* of page faults */
} user_faults[] = {
	{"user: read of NULL", V_PF, PF_USER, 16},
	{"user: write to NULL", V_PF, PF_USER | PF_WRITE, 16},
	{"user: read of the kernel", V_PF, PF_USER | PF_PRESENT, 0xc0100000},
	{"user: write to the kernel", V_PF, PF_USER | PF_PRESENT | PF_WRITE, 0xc0100000},
	{"user: write to its text", V_PF, PF_USER | PF_PRESENT | PF_WRITE, USER_BASE},
	{"user: execution of its stack", V_PF, PF_USER | PF_PRESENT | PF_FETCH, ANY},
	{"user: cli", V_GP, 0, 0},
	{"user: sti", V_GP, 0, 0},
	{"user: in", V_GP, 0, 0},
	{"user: out", V_GP, 0, 0},
	{"user: hlt", V_GP, 0, 0},
	{"user: lgdt", V_GP, 0, 0},
	{"user: mov to CR3", V_GP, 0, 0},
	{"user: rdmsr", V_GP, 0, 0},
	{"user: ud2", V_UD, 0, 0},
	{"user: division by zero", V_DE, 0, 0},
	{"user: int3", V_BP, 0, 0},
	{"user: int 0x20", V_GP, 0x20 * 8 + 2, 0},
	{"user: int 0x50", V_OPEN, 0, 0},
	{"user: read of the hypervisor", V_PF, ANY, 0xf5000000},
	{"user: far jump to the kernel's CS", V_GP, SEL_KERNEL_CS, 0},
	{"user: read of the kernel's own mappings", V_PF, PF_USER | PF_PRESENT, 0xf1fff000},
	{"user: rdtsc that CR4.TSD forbids", V_GP, 0, 0},
	{"user: read through a table where no memory is", V_PF, PF_USER, NO_TABLE_ADDRESS},
};

_Static_assert(ARRAY_SIZE(user_faults) == FAULT_KINDS, "one line a kind");

/* By the instruction, which stays native in kernels that set CR4 by inline code. */
static void mov_to_cr4(u32 value)
{
	asm volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

static void check_one(u32 kind)
{
	u32 count = seen.count, vector = user_faults[kind].vector;

	if (kind == FAULT_EXEC_STACK && !nx_enabled)
		return;
	/* What a PC reads there is its own affair. */
	if (kind == FAULT_NO_TABLE && (!on_vmi || in_own_domain()))
		return;
	check_subject(user_faults[kind].name);
	if (kind == FAULT_RDTSC) {
		check_eq("allowed without", 1, proc_run(PROG_FAULT, kind));
		ops.set_cr4(ops.get_cr4() | CR4_TSD);
	}
	check_eq("kills the process", STATUS_KILLED | vector, proc_run(PROG_FAULT, kind));
	check_eq("vector", vector, seen.vector);
	if (user_faults[kind].error != ANY)
		check_eq("error code", user_faults[kind].error, seen.error);
	check_eq("CS", SEL_USER_CS, seen.cs);
	check_eq("IF in the frame", EFLAGS_IF, seen.eflags & EFLAGS_IF);
	check_eq("an interrupt gate", 0, seen.irqs_on);
	check("on its process's stack", seen.at_top);
	check_eq("one fault", 1, seen.count - count);
	if (vector == V_PF && user_faults[kind].cr2 != ANY)
		check_eq("CR2", user_faults[kind].cr2, seen.cr2);
	check("EIP in its text or stack",
	      (seen.eip >= USER_BASE && seen.eip < USER_BASE + 0x100000) ||
		      (kind == FAULT_EXEC_STACK && seen.eip == seen.cr2));
	if (kind == FAULT_RDTSC) {
		ops.set_cr4(ops.get_cr4() & ~CR4_TSD);
		check_eq("allowed again", 1, proc_run(PROG_FAULT, kind));
		mov_to_cr4(ops.get_cr4() | CR4_TSD);
		check_eq("MOV forbids it, too", STATUS_KILLED | V_GP, proc_run(PROG_FAULT, kind));
		mov_to_cr4(ops.get_cr4() & ~CR4_TSD);
	}
	check_subject(NULL);
}

/* A directory entry with every right, for a table behind the end of memory. */
static void name_no_table(bool on)
{
	static pte_t old;
	pte_t *pmd = pmd_of(&init_mm, NO_TABLE_ADDRESS);
	pte_t none = (pte_t)lowmem_pages() << PAGE_SHIFT | PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D;

	(void)*(volatile u32 *)page_address(lowmem_pages() - 1); /* its 2 MB are known */
	if (on)
		old = *pmd;
	ops.set_pte(on ? none : old, pmd, PAGE_L2_FLAG);
}

void checks_fault(void)
{
	u32 free;

	irq_enable();
	tick_start();
	name_no_table(true);
	check_eq("user fault: the first process runs", 42, proc_run(PROG_HELLO, 0));
	free = page_free_count();
	for (u32 i = 0; i < FAULT_KINDS; i++)
		check_one(i);
	name_no_table(false);
	check_eq("user fault: every frame came back", free, page_free_count());
	check_eq("user fault: the kernel goes on", 42, proc_run(PROG_HELLO, 0));
	tick_stop();
	irq_disable();
}
