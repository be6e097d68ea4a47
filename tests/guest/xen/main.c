/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test guest as a native PV guest: xen_main takes guest_main's place.
 * There are no checks here, only the rows of bench.c.
 */
#include "xen.h"

#include "../bench.h"
#include "../proc.h"

#define E820_COUNT 0x1e8
#define E820_MAP 0x2d0
#define TI_MASK_EVENTS 4 /* trap_info.flags: an interrupt gate */

extern void xen_load_segments(void);
extern void xen_irq_enable(void), xen_irq_disable(void), xen_iret(void), xen_sysexit(void);
extern u32 xen_save_fl(void);
extern void xen_restore_fl(u32);
extern char xen_event[], xen_failsafe[], boot_stack_top[];
extern void *const trap_entries[256];
extern u8 boot_params[4096];
extern char boot_cmdline[256];

static struct xencons_interface *console;
static u32 console_port;

/* --- console ------------------------------------------------------------------------ */

static void console_notify(void)
{
	struct evtchn_send send = {.port = console_port};

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (u32)&send, 0, 0, 0);
}

static void console_wait(u32 room)
{
	volatile struct xencons_interface *c = console;

	while (sizeof(c->out) - (c->out_prod - c->out_cons) < room) {
		console_notify();
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
}

static void console_put(char c)
{
	console_wait(1);
	console->out[console->out_prod % sizeof(console->out)] = c;
	asm volatile("" ::: "memory");
	console->out_prod++;
	if (c == '\n')
		console_notify();
}

/* --- the domain's start -------------------------------------------------------------- */

static void start_memory(const struct start_info *si)
{
	struct {
		u64 start, size;
		u32 type;
	} packed ram = {0, (u64)si->nr_pages << PAGE_SHIFT, 1};

	mmu_start(si);
	MUST(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables,
		       0, 0, 0));
	memcpy(boot_params + E820_MAP, &ram, sizeof(ram));
	boot_params[E820_COUNT] = 1;
	MUST(hypercall(__HYPERVISOR_update_va_mapping, (u32)shared_page,
		       (u32)si->shared_info | PTE_P | PTE_RW, 0, UVMF_INVLPG | UVMF_LOCAL, 0));
}

static void start_traps(void)
{
	static struct trap_info traps[34];
	u32 n = 0, frame;

	for (u32 v = 0; v <= V_SYSCALL; v++) {
		u8 dpl = v == V_BP || v == 4 || v == V_SYSCALL ? 3 : 0;

		if (v >= 32 && v != V_SYSCALL)
			continue;
		traps[n++] = (struct trap_info){(u8)v, v == V_SYSCALL ? dpl : dpl | TI_MASK_EVENTS,
						SEL_KERNEL_CS | 1, (u32)trap_entries[v]};
	}
	frame = p2m[virt_to_phys(gdt_table) >> PAGE_SHIFT];
	mmu_read_only(gdt_table);
	MUST(hypercall(__HYPERVISOR_set_gdt, (u32)&frame, 32, 0, 0, 0));
	xen_load_segments();
	kernel_rpl = 1;
	MUST(hypercall(__HYPERVISOR_set_trap_table, (u32)traps, 0, 0, 0, 0));
	MUST(hypercall(__HYPERVISOR_set_callbacks, SEL_KERNEL_CS | 1, (u32)xen_event,
		       SEL_KERNEL_CS | 1, (u32)xen_failsafe, 0));
	hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0, 0, 0);
}

static void start_console(const struct start_info *si)
{
	console = page_address(pte_m2p[si->console.domU.mfn]);
	console_port = si->console.domU.evtchn;
	console_out = console_put;
}

noreturn void xen_main(const struct start_info *si)
{
	static const struct pv_ops functions = {xen_irq_enable, xen_irq_disable, xen_save_fl,
						xen_restore_fl, xen_iret,	 xen_sysexit};

	memcpy(boot_cmdline, si->cmd_line, 255);
	ops_bind();
	start_memory(si);
	start_console(si);
	start_traps();
	pv_ops = functions;
	patch_functions(&functions);
	ops.set_iopl(0);
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	printk("guest: vmixen test guest, %s, calling Xen itself\n", PAGING_NAME);
	proc_init();
	page_init(mmu_first_free());
	page_init_rest();
	bench();
	printk("guest: 1 passed, 0 failed\n");
	console_wait(sizeof(console->out));
	ops.shutdown();
	died("shutdown returned");
}
