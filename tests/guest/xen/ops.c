/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations by hypercalls; page tables are in mmu.c. */
#include "xen.h"

static u32 cr0 = CR0_PG | CR0_WP | 0x33;

static void cpuid(u32 r[4])
{
	asm volatile(XEN_CPUID : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3]));
}

static void write_gdt(void *table, u32 index, u32 lo, u32 hi)
{
	u64 address = (u64)p2m[virt_to_phys(table) >> PAGE_SHIFT] << PAGE_SHIFT | index * 8;

	MUST(hypercall(__HYPERVISOR_update_descriptor, (u32)address, (u32)(address >> 32), lo, hi,
		       0));
}

static void kernel_stack(u32 ss, u32 esp0)
{
	MUST(hypercall(__HYPERVISOR_stack_switch, ss | 1, esp0, 0, 0, 0));
}

/* Only TS is ever changed; as Linux, which keeps the rest itself. */
static void set_cr0(u32 value)
{
	cr0 = value;
	MUST(hypercall(__HYPERVISOR_fpu_taskswitch, !!(value & CR0_TS), 0, 0, 0, 0));
}

static u32 get_cr0(void)
{
	return cr0;
}

static void clts(void)
{
	set_cr0(cr0 & ~CR0_TS);
}

static u32 get_cr2(void)
{
	return SHARED->vcpu_info[0].arch.cr2;
}

static void set_iopl(u32 mask)
{
	struct physdev_set_iopl set = {.iopl = mask >> 12 ? mask >> 12 & 3 : 1};

	MUST(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (u32)&set, 0, 0, 0));
}

static void nothing(void)
{
}

/* Xen's clock in ns: the values of the last calibration, and the TSC since. */
static u64 clock_ns(void)
{
	volatile struct vcpu_time_info *t = &SHARED->vcpu_info[0].time;
	u64 ns, delta;
	u32 version;

	do {
		version = t->version;
		asm volatile("" ::: "memory");
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time + ((delta & 0xffffffff) * t->tsc_to_system_mul >> 32) +
		     (delta >> 32) * t->tsc_to_system_mul;
		asm volatile("" ::: "memory");
	} while (version & 1 || version != t->version);
	return ns;
}

static u64 cycle_frequency(void)
{
	return 1000000000;
}

static u64 cycle_counter(u32 which)
{
	(void)which;
	return clock_ns();
}

static void set_alarm(u32 flags, u64 expiry, u64 period)
{
	struct vcpu_set_singleshot_timer set = {.timeout_abs_ns = expiry};

	(void)flags, (void)period;
	MUST(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, (u32)&set, 0, 0));
}

static u32 cancel_alarm(u32 flags)
{
	(void)flags;
	MUST(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0, 0, 0));
	return 0;
}

static u64 wallclock(void)
{
	return (u64)SHARED->wc_sec * 1000000000 + SHARED->wc_nsec + clock_ns();
}

static void halt(void)
{
	MUST(hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0, 0));
}

static void end(u32 reason)
{
	struct sched_shutdown how = {.reason = reason};

	hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (u32)&how, 0, 0, 0);
}

static void reboot(u32 hard)
{
	(void)hard;
	end(SHUTDOWN_reboot);
}

static void shutdown(void)
{
	end(SHUTDOWN_poweroff);
}

void ops_bind(void)
{
	ops = native_ops;
	ops.cpuid = cpuid;
	ops.write_gdt = write_gdt;
	ops.kernel_stack = kernel_stack;
	ops.set_cr0 = set_cr0;
	ops.get_cr0 = get_cr0;
	ops.clts = clts;
	ops.get_cr2 = get_cr2;
	ops.set_iopl = set_iopl;
	ops.io_delay = nothing;
	ops.cycle_frequency = cycle_frequency;
	ops.cycle_counter = cycle_counter;
	ops.set_alarm = set_alarm;
	ops.cancel_alarm = cancel_alarm;
	ops.wallclock = wallclock;
	ops.halt = halt;
	ops.reboot = reboot;
	ops.shutdown = shutdown;
	mmu_bind();
}
