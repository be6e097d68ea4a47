/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes: making, switching, ending.  See proc.h. */
#include "ops.h"
#include "proc.h"
#include "irq.h"
#include "trap.h"

#define PROCS 64

extern char boot_stack_top[];
extern void ret_from_trap(void);
extern void switch_stacks(u32 *save_esp, u32 load_esp);
extern const u8 user_blob[];

/* What switch_stacks pops. */
struct switch_frame {
	u32 edi, esi, ebx, ebp, eflags, eip;
};

static struct proc procs[PROCS];
static u32 next_pid = 1;
static bool need_resched;
static struct descriptor loaded_tls;

struct proc *current = procs;

void proc_init(void)
{
	current->state = PROC_RUNNABLE;
	current->mm = &init_mm;
	current->stack_top = (u32)boot_stack_top;
}

static struct proc *proc_new(void)
{
	for (struct proc *p = procs + 1; p < procs + PROCS; p++) {
		if (p->state != PROC_FREE)
			continue;
		memset(p, 0, sizeof(*p));
		p->pid = next_pid++;
		p->parent = current->pid;
		p->mm = &p->space;
		p->stack_pfn = page_alloc();
		p->stack_top = (u32)page_address(p->stack_pfn) + PAGE_SIZE;
		return p;
	}
	died("too many processes");
}

/* Lays out the kernel stack so that the first switch returns to user mode. */
static void proc_start(struct proc *p, const struct regs *r)
{
	struct regs *frame = (struct regs *)p->stack_top - 1;
	struct switch_frame *sw = (struct switch_frame *)frame - 1;

	*frame = *r;
	*sw = (struct switch_frame){.eflags = 2, .eip = (u32)ret_from_trap};
	p->esp = (u32)sw;
	p->state = PROC_RUNNABLE;
}

struct proc *proc_spawn(u32 program, u32 argument)
{
	const struct blob *blob = (const void *)user_blob;
	struct proc *p = proc_new();
	struct regs r = {
		.eax = program,
		.ebx = argument,
		.ds = SEL_USER_DS,
		.es = SEL_USER_DS,
		.eip = blob->entry,
		.cs = SEL_USER_CS,
		.eflags = EFLAGS_IF | 2,
		.esp = USER_STACK_END - 16,
		.ss = SEL_USER_DS,
	};

	mm_alloc_tables(p->mm);
	mm_add(p->mm, USER_BASE, blob->text_end, false, true);
	mm_add(p->mm, blob->text_end, (blob->bss_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), true,
	       false);
	mm_add(p->mm, USER_HEAP, USER_HEAP_END, true, false);
	mm_add(p->mm, USER_STACK, USER_STACK_END, true, false);
	mm_poke(p->mm, USER_BASE, user_blob,
		(program < PROG_REST ? blob->core_end : blob->text_end) - USER_BASE);
	mm_poke(p->mm, blob->text_end, user_blob + (blob->text_end - USER_BASE),
		blob->data_end - blob->text_end);
	proc_start(p, &r);
	return p;
}

u32 proc_fork(const struct regs *r)
{
	struct proc *p = proc_new();
	struct regs child = *r;

	mm_fork(p->mm, current->mm);
	child.eax = 0;
	p->tls = current->tls;
	p->gs = read_gs();
	if (current->fpu_live) {
		/* unlazy_fpu: the child gets what the registers hold */
		asm volatile("fnsave %0; frstor %0" : "+m"(current->fpu));
		current->fpu_saved = true;
	}
	p->fpu_saved = current->fpu_saved;
	memcpy(p->fpu, current->fpu, sizeof(p->fpu));
	proc_start(p, &child);
	return p->pid;
}

static struct proc *pick(void)
{
	u32 at = (u32)(current - procs);

	for (u32 i = 1; i <= PROCS; i++) {
		struct proc *p = &procs[(at + i) % PROCS];

		if (p->state == PROC_RUNNABLE)
			return p;
	}
	return NULL;
}

static void save_fpu(struct proc *p)
{
	if (!p->fpu_live)
		return;
	asm volatile("fnsave %0" : "=m"(p->fpu));
	p->fpu_live = false;
	p->fpu_saved = true;
	ops.set_cr0(ops.get_cr0() | CR0_TS);
}

void proc_use_fpu(void)
{
	ops.clts();
	if (current->fpu_saved)
		asm volatile("frstor %0" ::"m"(current->fpu));
	else
		asm volatile("fninit");
	current->fpu_live = true;
}

static void load_tls(struct descriptor d)
{
	if (d.lo == loaded_tls.lo && d.hi == loaded_tls.hi)
		return;
	loaded_tls = d;
	ops.write_gdt(gdt_table, GDT_TLS, d.lo, d.hi);
}

/* As load_LDT_nolock: the descriptor, then the register. */
static void load_ldt(struct proc *p)
{
	struct descriptor d = segment((u32)p->ldt, sizeof(p->ldt) - 1, 0x82);

	if (!p->has_ldt) {
		ops.set_ldt(0);
		return;
	}
	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi & ~0xc00000u);
	ops.set_ldt(SEL_LDT);
}

/* As loadsegment: null where the selector cannot be loaded. */
static void load_gs_or_null(u32 selector)
{
	u32 count = seen.count;

	asm volatile(TRY("1: mov %0, %%gs")::"r"(selector));
	if (seen.count != count)
		load_gs(0);
}

/* Linux's context_switch: lazy CPU mode around CR3, LDT, FPU, ESP0 and TLS, the
 * entry of which may change while GS holds its selector.  GS is saved when the
 * LDT is the next one's already. */
static void switch_to(struct proc *next)
{
	struct proc *prev = current;

	ops.lazy_mode(LAZY_CPU);
	mm_switch(next->mm);
	if (prev->has_ldt || next->has_ldt)
		load_ldt(next);
	save_fpu(prev);
	ops.kernel_stack(SEL_KERNEL_DS, next->stack_top);
	prev->gs = read_gs();
	load_tls(next->tls);
	ops.lazy_mode(LAZY_NONE);
	if (prev->gs | next->gs)
		load_gs_or_null(next->gs);
	next->switches++;
	current = next;
	switch_stacks(&prev->esp, next->esp);
}

void schedule(void)
{
	u32 flags = irq_save();
	struct proc *next;

	need_resched = false;
	while (!(next = pick())) {
		ops.halt();
		irq_disable();
	}
	if (next != current)
		switch_to(next);
	irq_restore(flags);
}

void proc_tick(bool user)
{
	need_resched = true;
	if (user)
		current->ticks_user++;
}

void proc_return_to_user(void)
{
	if (current->kill)
		proc_exit(STATUS_KILLED);
	while (need_resched)
		schedule();
}

void proc_set_tls(u32 base)
{
	current->tls = segment(base, 0xfffff, SEG_DATA3);
	load_tls(current->tls);
}

void proc_set_ldt(u32 base)
{
	current->ldt[1] = segment(base, 0xfffff, SEG_DATA3);
	current->has_ldt = true;
	load_ldt(current);
}

/* Entry 1: code of 16 bits, 64 KB; entry 2: data of 16 bits. */
void proc_set_code16(u32 code, u32 data)
{
	current->ldt[1] = segment(code, 0xffff, 0xfb);
	current->ldt[1].hi &= ~0xc00000u;
	current->ldt[2] = segment(data, 0xffff, 0xf3);
	current->ldt[2].hi &= ~0xc00000u;
	current->has_ldt = true;
	load_ldt(current);
}

void proc_set_segment(u32 selector, struct descriptor d)
{
	u32 index = selector >> 3;

	if (!(selector & 4)) {
		current->tls = d;
		load_tls(d);
	} else if (index < ARRAY_SIZE(current->ldt)) {
		if (!current->has_ldt) {
			current->has_ldt = true;
			load_ldt(current);
		}
		ops.write_ldt(current->ldt, index, d.lo, d.hi);
	}
}

noreturn void proc_exit(u32 status)
{
	struct proc *me = current;

	mm_teardown(me->mm);
	irq_disable();
	for (struct proc *p = procs; p < procs + PROCS; p++) {
		if (p->state != PROC_FREE && p->parent == me->pid)
			p->parent = 0;
		if (p->pid == me->parent && p->state == PROC_WAITING)
			p->state = PROC_RUNNABLE;
	}
	me->fpu_live = false;
	ops.set_cr0(ops.get_cr0() | CR0_TS);
	me->status = status;
	me->state = PROC_ZOMBIE;
	schedule();
	died("a zombie ran");
}

noreturn void proc_kill(u32 vector)
{
	proc_exit(STATUS_KILLED | vector);
}

/* pid 0: any. */
static struct proc *zombie(u32 pid, bool *children)
{
	*children = false;
	for (struct proc *p = procs + 1; p < procs + PROCS; p++) {
		if (p->state == PROC_FREE || p->parent != current->pid)
			continue;
		if (pid && p->pid != pid)
			continue;
		*children = true;
		if (p->state == PROC_ZOMBIE)
			return p;
	}
	return NULL;
}

static u32 wait_for(u32 pid, u32 *status)
{
	struct proc *p;
	bool children;

	while (!(p = zombie(pid, &children))) {
		if (!children)
			return 0;
		current->state = PROC_WAITING;
		schedule();
	}
	*status = p->status;
	mm_free_tables(p->mm);
	page_put(p->stack_pfn);
	p->state = PROC_FREE;
	return p->pid;
}

u32 proc_wait_any(u32 *status)
{
	return wait_for(0, status);
}

u32 proc_wait(u32 pid)
{
	u32 status = ~0u;

	wait_for(pid, &status);
	return status;
}

u32 proc_run(u32 program, u32 argument)
{
	return proc_wait(proc_spawn(program, argument)->pid);
}
