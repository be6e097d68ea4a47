/* SPDX-License-Identifier: GPL-2.0-only */
/* Dispatch of everything that comes through the IDT. */
#include "ops.h"
#include "trap.h"
#include "mm.h"
#include "irq.h"
#include "proc.h"

#define RETRIES 64 /* of one fault at one place, before we call it a loop */

extern const struct {
	u32 from, to;
} ex_table[], ex_table_end[];
extern void native_sysexit(void);

struct trap_seen seen;
u32 iret_frame_left[9];
bool (*page_fault_hook)(struct regs *r, u32 cr2);
bool (*stray_hook)(struct regs *r);
bool db_watched;
volatile u32 db_count, db_dr6;
u32 nm_count, nm_cr0;
void (*nm_hook)(void);

static u32 fixup_of(u32 eip)
{
	for (u32 i = 0; ex_table + i < ex_table_end; i++) {
		if (ex_table[i].from == eip)
			return ex_table[i].to;
	}
	return 0;
}

static noreturn void die(const struct regs *r, u32 cr2)
{
	printk("unexpected exception %u, error 0x%x, cr2 0x%08x\n", r->vector, r->error, cr2);
	printk("eip %08x cs %04x eflags %08x", r->eip, frame_cs(r), r->eflags);
	if (from_user(r))
		printk(" esp %08x ss %04x\n", r->esp, r->ss & 0xffff);
	else
		printk(" esp %08x\n", (u32)&r->esp);
	printk("eax %08x ebx %08x ecx %08x edx %08x\n", r->eax, r->ebx, r->ecx, r->edx);
	printk("esi %08x edi %08x ebp %08x pid %u\n", r->esi, r->edi, r->ebp, current->pid);
	died("unexpected exception");
}

void df_report(void)
{
	printk("double fault: eip %08x esp %08x\n", tss.eip, tss.esp);
	died("double fault");
}

static void remember(const struct regs *r, u32 cr2, u32 irqs_on)
{
	seen.count++;
	seen.vector = r->vector;
	seen.error = r->error;
	seen.eip = r->eip;
	seen.cs = frame_cs(r);
	seen.eflags = r->eflags;
	seen.esp = from_user(r) ? r->esp : (u32)&r->esp;
	seen.cr2 = cr2;
	seen.at_top = from_user(r) && (u32)(r + 1) == current->stack_top;
	seen.irqs_on = irqs_on;
}

/* A handler that says "again" for ever would hang the run silently.  System
 * calls are progress. */
static u32 retries;

static void retried(const struct regs *r, u32 cr2)
{
	static u32 eip, address;

	if (eip != r->eip || address != cr2)
		retries = 0;
	eip = r->eip;
	address = cr2;
	if (++retries > RETRIES)
		die(r, cr2);
}

static bool page_fault(struct regs *r, u32 cr2)
{
	if (page_fault_hook && page_fault_hook(r, cr2))
		return true;
	if (vmalloc_sync(cr2))
		return true;
	return mm_fault(current_mm, cr2, r->error);
}

/* A CLTS that does not work would bring us here from here. */
static void device_not_available(const struct regs *r)
{
	static bool busy;
	void (*hook)(void) = nm_hook;

	nm_hook = NULL;
	if (hook)
		hook();
	if (busy)
		die(r, 0);
	busy = true;
	nm_count++;
	nm_cr0 = ops.get_cr0();
	proc_use_fpu();
	busy = false;
}

static void debug_exception(void)
{
	db_count++;
	db_dr6 = ops.get_dr(6);
	ops.set_dr(6, 0);
}

bool at_sysexit(u32 eip)
{
	return eip == (u32)sysexit_site || eip == (u32)native_sysexit + 1; /* behind STI */
}

static void exception(struct regs *r, u32 irqs_on)
{
	u32 cr2 = r->vector == V_PF ? ops.get_cr2() : 0, fixup;

	if (r->vector == V_DB && db_watched) {
		debug_exception();
		return;
	}

	if (r->vector == V_NM) {
		device_not_available(r);
		return;
	}
	if (r->vector == V_PF && page_fault(r, cr2)) {
		retried(r, cr2);
		return;
	}
	remember(r, cr2, irqs_on);
	if (stray_hook && stray_hook(r))
		return;
	if (from_user(r))
		proc_kill(r->vector);
	if (iret_resume_esp && (r->eip == (u32)irq_return || at_sysexit(r->eip))) {
		for (u32 i = 0; i < ARRAY_SIZE(iret_frame_left) && r->eip == (u32)irq_return; i++)
			iret_frame_left[i] = ((u32 *)iret_frame_esp)[i];
		r->eip = (u32)iret_caught;
		r->eax = r->vector;
		return;
	}
	fixup = fixup_of(r->eip);
	if (!fixup)
		die(r, cr2);
	r->eip = fixup;
}

/* Returns with interrupts off. */
void trap_dispatch(struct regs *r)
{
	u32 irqs_on = irq_flags();

	if (r->vector == V_SYSCALL) {
		retries = 0;
		syscall(r, irqs_on);
	} else if (r->vector >= V_IRQ0 && r->vector < V_IRQ0 + 16) {
		irq_handle(r->vector - V_IRQ0, r);
	} else if (r->vector == V_LVTT || r->vector == V_LVTT_OTHER) {
		apic_handle(r->vector);
	} else {
		exception(r, irqs_on);
	}
	irq_disable();
	if (from_user(r))
		proc_return_to_user();
}

u32 try_read(u32 va, u32 *value)
{
	u32 count = seen.count, v = 0;

	asm volatile(TRY("1: mov (%1), %0") : "+r"(v) : "r"(va) : "memory");
	if (value)
		*value = v;
	return seen.count == count ? TRY_OK : seen.vector;
}

u32 try_write(u32 va, u32 value)
{
	u32 count = seen.count;

	asm volatile(TRY("1: mov %0, (%1)")::"r"(value), "r"(va) : "memory");
	return seen.count == count ? TRY_OK : seen.vector;
}

/* The fault is at va itself, so the fix-up goes by a hook: EIP = return
 * address, which the call has pushed. */
static u32 call_target;

static bool caught_call(struct regs *r, u32 cr2)
{
	if (r->eip != call_target || from_user(r))
		return false;
	remember(r, cr2, 0);
	call_target = 0;
	r->eip = *(u32 *)&r->esp; /* a kernel frame ends here: the stack goes on */
	/* The return address stays on the stack; the caller restores ESP. */
	return true;
}

u32 try_call(u32 va)
{
	u32 count = seen.count;
	bool (*old)(struct regs *, u32) = page_fault_hook;

	call_target = va;
	page_fault_hook = caught_call;
	asm volatile("mov %%esp, %%esi\n\tcall *%0\n\tmov %%esi, %%esp"
		     : "+a"(va)::"esi", "ecx", "edx", "memory", "cc");
	page_fault_hook = old;
	return seen.count == count ? TRY_OK : seen.vector;
}

u32 try_rdmsr(u32 msr, u64 *value)
{
	u32 count = seen.count;
	u64 v = 0;

	asm volatile(TRY("1: rdmsr") : "+A"(v) : "c"(msr));
	*value = v;
	return seen.count == count ? TRY_OK : seen.vector;
}

u32 try_wrmsr(u32 msr, u64 value)
{
	u32 count = seen.count;

	asm volatile(TRY("1: wrmsr")::"c"(msr), "A"(value));
	return seen.count == count ? TRY_OK : seen.vector;
}

#define XEN_CPUID_VERSION 0x40000001u /* EAX: major version << 16 | minor */

bool xen_keeps_msrs(void)
{
	u32 count = seen.count, a = XEN_CPUID_VERSION, b, c = 0, d;

	/* UD2 and "xen" before it: Xen shows a PV guest its own leaves. */
	asm volatile(TRY("1: .byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\tcpuid")
		     : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return seen.count == count && a < (4 << 16 | 15);
}

u32 set_sysenter_cs(u32 selector)
{
	u32 result = try_wrmsr(MSR_SYSENTER_CS, selector);

	if (on_vmi && xen_keeps_msrs())
		ops.wrmsr(MSR_SYSENTER_CS, selector);
	return result;
}
