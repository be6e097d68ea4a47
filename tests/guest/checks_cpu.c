/* SPDX-License-Identifier: GPL-2.0-only */
/* Control and debug registers, CPUID, MSRs, FPU, ports, the console. */
#include "checks.h"
#include "trap.h"
#include "irq.h"
#include "mm.h"

#define MSR_UNKNOWN 0x00ff1234u
#define LINE_MAX 80u

static void check_control(void)
{
	u32 cr0 = ops.get_cr0(), cr3 = ops.get_cr3(), cr4 = ops.get_cr4();

	ops.set_cr2(0x12345678);
	check_eq("SetCR2, GetCR2", 0x12345678, ops.get_cr2());
	ops.set_cr0(cr0);
	check_eq("SetCR0, GetCR0", cr0, ops.get_cr0());
	check_eq("GetCR0: PG and WP", CR0_PG | CR0_WP, cr0 & (CR0_PG | CR0_WP));
	ops.set_cr3(cr3);
	check_eq("SetCR3, GetCR3", cr3, ops.get_cr3());
	ops.set_cr4(cr4);
	check_eq("SetCR4, GetCR4", cr4, ops.get_cr4());
}

static void check_debug(void)
{
	static const u32 values[] = {0x11110000, 0x22220004, 0x33330008, 0x4444000c};

	for (u32 i = 0; i < 4; i++)
		ops.set_dr(i, values[i]);
	for (u32 i = 0; i < 4; i++)
		check_eq("SetDR, GetDR", values[i], ops.get_dr(i));
	for (u32 i = 0; i < 4; i++)
		ops.set_dr(i, 0);
	check_eq("SetDR 0: reads 0", 0, ops.get_dr(2));
	check_eq("GetDR 7: nothing enabled", 0, ops.get_dr(7) & 0xff);
}

/* Whose answer may be another than the processor's: what cannot be had in ring 1, and
 * no kernel uses before Init, when it asks the processor itself. */
static const struct {
	u32 leaf, may_differ[4]; /* EAX, EBX, ECX, EDX */
} leaves[] = {
	{0, {0}},
	/* APIC number; DTES64 MONITOR DS-CPL VMX SMX EST TM2 CNXT-ID xTPR PDCM PCID DCA x2APIC
	 * TSC-DEADLINE; MCE APIC SEP MCA DS ACPI HT TM PBE */
	{1, {0, 0xff000000, 0x0126c5fc, 0xb0604a80}},
	{2, {0}},
	{4, {0}},
	{5, {0}},
	{6, {0}},
	{7, {0}},
	{0xa, {0}},
	{0xd, {0}},
	{0x40000000, {0}},
	{0x40000001, {0}},
	{0x80000000, {0}},
	/* CMP-LEGACY SVM EXTAPIC OSVW IBS SKINIT WDT LWP TCE NODEID TOPOEXT PERFCTRs DBEXT
	 * MWAITX; MCE SYSCALL MCA */
	{0x80000001, {0, 0, 0x3dcab60e, 0x00004880}},
	{0x80000008, {0}},
};

/* Registers of a leaf that the call answers otherwise. */
static u32 cpuid_differs(u32 leaf, const u32 *may_differ)
{
	u32 call[4] = {leaf}, native[4] = {leaf}, differ = 0;

	ops.cpuid(call);
	native_cpuid(native);
	for (u32 r = 0; r < 4; r++) {
		u32 bits = (call[r] ^ native[r]) & ~may_differ[r];

		if (bits)
			printk("info: CPUID %x: bits %08x of word %u\n", leaf, bits, r);
		differ += bits != 0;
	}
	return differ;
}

static void check_cpuid(void)
{
	u32 features[4] = {1}, differ = 0;

	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++)
		differ += cpuid_differs(leaves[i].leaf, leaves[i].may_differ);
	check_eq("CPUID: Init has not changed the processor", 0, differ);
	ops.cpuid(features);
	printk("info: CPUID 1: edx %08x ecx %08x; PSE %u PGE %u SEP %u\n", features[3], features[2],
	       features[3] >> 3 & 1, features[3] >> 13 & 1, features[3] >> 11 & 1);
	check_eq("CPUID: the APIC is shown", 1u << 9, features[3] & 1u << 9);
	check_eq("CPUID: and is number 0", 0, features[1] >> 24);
#ifdef PAE
	check_eq("CPUID: PAE is shown", 1u << 6, features[3] & 1u << 6);
#endif
}

/* CR4.TSD is for user mode: the kernel's own time goes on. */
static void check_tsd(void)
{
	u32 cr4 = ops.get_cr4();
	u64 real, tsc, available, stolen;

	ops.set_cr4(cr4 | CR4_TSD);
	tsc = rdtsc();
	real = ops.cycle_counter(COUNTER_REAL);
	available = ops.cycle_counter(COUNTER_AVAILABLE);
	stolen = ops.cycle_counter(COUNTER_STOLEN);
	spin_ms(1);
	check("SetCR4: with TSD GetCycleCounter goes on",
	      ops.cycle_counter(COUNTER_REAL) > real &&
		      ops.cycle_counter(COUNTER_AVAILABLE) > available &&
		      ops.cycle_counter(COUNTER_STOLEN) >= stolen && real >= tsc);
	check("SetCR4: with TSD RDTSC of the kernel goes on", ops.rdtsc() > real && rdtsc() > real);
	ops.set_cr4(cr4);
	check_eq("SetCR4: TSD is gone again", cr4, ops.get_cr4());
}

/* What a kernel of 2.6.30 does with a processor that has XSAVE. */
static void check_xsave(void)
{
	static u8 area[1024] __attribute__((aligned(64)));
	u32 leaf[4] = {1}, cr4 = ops.get_cr4(), low, high, in = 7654321, out = 0;

	ops.cpuid(leaf);
	if (!(leaf[2] >> 26 & 1))
		return;
	ops.set_cr4(cr4 | CR4_OSXSAVE);
	asm volatile("xsetbv" ::"a"(3), "d"(0), "c"(0));
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	check("SetCR4: with OSXSAVE XSETBV works", low == 3 && high == 0);
	ops.clts();
	asm volatile("fninit; fildl %0" ::"m"(in));
	asm volatile("xsave %0; fninit" : "+m"(area) : "a"(3), "d"(0));
	asm volatile("xrstor %1; fistpl %0" : "=m"(out) : "m"(area), "a"(3), "d"(0));
	check_eq("SetCR4: with OSXSAVE XSAVE and XRSTOR work", in, out);
	ops.set_cr0(ops.get_cr0() | CR0_TS);
	ops.set_cr4(cr4);
}

static void check_msr(void)
{
	u64 insn = 0;
	u32 result;

	result = try_rdmsr(MSR_EFER, &insn);
	check_eq("RDMSR: EFER can be read", TRY_OK, result);
	/* Xen answers the instruction itself, and shows its own NXE */
	if (nx_enabled)
		check_eq("RDMSR: EFER.NXE by the instruction", 1u << 11, (u32)insn & 1u << 11);
	check_eq("RDMSR: EFER.NXE by the call as by the instruction", (u32)insn & 1u << 11,
		 (u32)ops.rdmsr(MSR_EFER) & 1u << 11);
	/* TCG answers 0 for an unknown one, real hardware faults; an old Xen
	 * passes on what they do, and has as many checks as another */
	result = try_rdmsr(MSR_UNKNOWN, &insn);
	if (under_hypervisor())
		check_eq("RDMSR: an unknown one is #GP", V_GP, xen_keeps_msrs() ? V_GP : result);
	else
		printk("info: unknown MSR: vector 0x%x\n", result);
}

static void check_fpu(void)
{
	u32 in = 1234567, out = 0;

	ops.clts();
	asm volatile("fninit; fildl %1; fistpl %0" : "=m"(out) : "m"(in));
	check_eq("FPU: a number goes through", in, out);
	ops.set_cr0(ops.get_cr0() | CR0_TS);
}

static void check_ports(void)
{
	outb(0x5a, 0x3f8 + 7); /* UART scratch register */
	check_eq("ports: the UART's scratch register", 0x5a, inb(0x3f8 + 7));
	check_eq("ports: the 8259's mask", 0xfe, inb(0x21));
	ops.io_delay();
	ops.wbinvd();
	ops.set_iopl(0x3000);
	ops.set_iopl(0);
	check_eq("SetIOPLMask, IODelay, WBINVD leave interrupts off", 0, irq_flags());
}

void checks_cpu(void)
{
	check_control();
	check_debug();
	check_cpuid();
	check_tsd();
	check_xsave();
	check_msr();
	check_fpu();
	check_ports();
}

/* Receives a line, at most ten seconds long, and sends it back. */
void checks_echo(void)
{
	u64 end = ops.cycle_counter(COUNTER_REAL) + cycles_ms(10000);
	char line[LINE_MAX + 1];
	u32 n = 0;
	int c = 0;

	printk("guest: type a line\n");
	while (n < LINE_MAX && ops.cycle_counter(COUNTER_REAL) < end) {
		c = console_getc();
		if (c == '\n' || c == '\r')
			break;
		if (c >= 0)
			line[n++] = (char)c;
	}
	line[n] = 0;
	printk("guest: echo \"%s\"\n", line);
	check("console: a line was received", n > 0 && (c == '\n' || c == '\r'));
}
