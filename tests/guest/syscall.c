/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls, and what each entry is checked for. */
#include "ops.h"
#include "proc.h"
#include "trap.h"

#define WRITE_MAX 128u

extern noreturn void sysexit_return(struct regs *r);

struct syscall_stats syscall_stats;
u32 syscall_report;

/* A trap gate on the process's own stack, from ring 3 with interrupts on. */
static void examine(const struct regs *r, u32 irqs_on)
{
	syscall_stats.count++;
	if ((u32)(r + 1) != current->stack_top)
		syscall_stats.bad_stack++;
	if (!(r->eflags & EFLAGS_IF))
		syscall_stats.bad_flags++;
	if (!irqs_on)
		syscall_stats.bad_irqs++;
	if (frame_cs(r) != SEL_USER_CS || (r->ss & 0xffff) != SEL_USER_DS ||
	    (read_cs() & 3) != kernel_rpl || (read_ss() & 3) != kernel_rpl)
		syscall_stats.bad_selectors++;
}

static bool user_range(u32 va, u32 size)
{
	return va < PAGE_OFFSET && size <= PAGE_OFFSET - va;
}

static u32 sys_write(u32 va, u32 size)
{
	char text[WRITE_MAX + 1];

	if (size > WRITE_MAX || !user_range(va, size))
		return ~0u;
	memcpy(text, (const void *)va, size); /* may fault a page in */
	text[size] = 0;
	printk("user %u: %s", current->pid, text);
	syscall_stats.bytes_written += size;
	return size;
}

static u32 sys_wait(u32 va)
{
	u32 status, pid = proc_wait_any(&status);

	if (pid && user_range(va, sizeof(status)))
		memcpy((void *)va, &status, sizeof(status));
	return pid;
}

/* Outside of the regions: nobody counts references to these frames. */
static void sys_devmem(u32 va, u32 pfn, u32 count)
{
	for (; count; count--, pfn++, va += PAGE_SIZE)
		pte_set(current->mm, va, pte_alloc(current->mm, va),
			pte_make(pfn, PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D));
}

void syscall(struct regs *r, u32 irqs_on)
{
	if (!from_user(r)) {
		syscall_stats.kernel_calls++;
		r->eax = r->eax == SYS_KERNEL ? r->ebx + 2 : ~0u;
		return;
	}
	examine(r, irqs_on);
	switch (r->eax) {
	case SYS_EXIT:
		proc_exit(r->ebx & 0xff);
	case SYS_FORK:
		r->eax = proc_fork(r);
		break;
	case SYS_WAIT:
		r->eax = sys_wait(r->ebx);
		break;
	case SYS_WRITE:
		r->eax = sys_write(r->ebx, r->ecx);
		break;
	case SYS_GETPID:
		r->eax = current->pid;
		break;
	case SYS_YIELD:
		schedule();
		break;
	case SYS_FILL:
		if (user_range(r->ebx, r->edx))
			memset((void *)r->ebx, (int)r->ecx, r->edx);
		break;
	case SYS_SYSEXIT:
		r->eax = r->ebx + 1;
		irq_disable();
		proc_return_to_user();
		sysexit_return(r);
	case SYS_REPORT:
		syscall_report = r->ebx;
		break;
	case SYS_TLS:
		proc_set_tls(r->ebx);
		break;
	case SYS_LDT:
		proc_set_ldt(r->ebx);
		break;
	case SYS_LDT_CODE16:
		proc_set_code16(r->ebx, r->ecx);
		break;
	case SYS_DEVMEM:
		sys_devmem(r->ebx, r->ecx, r->edx);
		break;
	case SYS_SEGMENT:
		proc_set_segment(r->ebx, (struct descriptor){r->ecx, r->edx});
		break;
	case SYS_SEGCASE:
		proc_set_segment(0x0f, segment_case(r->ebx));
		break;
	default:
		r->eax = ~0u;
	}
}
