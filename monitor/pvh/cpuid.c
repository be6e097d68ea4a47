/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID in the PVH binding.  Outside ring 0 the instruction traps (MSR 140h, CPUID
 * faulting), so the guest gets the same answers before Init and after it: what the
 * processor says, without what the guest cannot use.
 */
#include "cpu_pvh.h"
#include "monitor/binding.h"
#include "monitor/emul/decode.h"
#include "monitor/io/time.h"

/* Leaf 1, EDX.  Not shown are VME MCE SEP MTRR PGE MCA PAT DS ACPI HT TM PBE.  The APIC is
 * the virtual PC's and always shown. */
#define HIDDEN_1_EDX                                                                               \
	(1u << 1 | 1u << 7 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 16 | 1u << 21 |     \
	 1u << 22 | 1u << 28 | 1u << 29 | 1u << 31)
#define APIC (1u << 9)
/* Leaf 1, ECX.  Shown are SSE3 PCLMUL SSSE3 CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES RDRAND. */
#define SHOWN_1_ECX                                                                                \
	(1u << 0 | 1u << 1 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 22 | 1u << 23 |      \
	 1u << 25 | 1u << 30)
/* Leaf 80000001H, EDX.  Not shown are the same bits where they mean the same, and SYSCALL,
 * PSE36, 1 GB pages, RDTSCP and long mode. */
#define HIDDEN_E1_EDX                                                                              \
	((HIDDEN_1_EDX & 0x0183F3FFu) | 1u << 11 | 1u << 17 | 1u << 26 | 1u << 27 | 1u << 29)
/* Leaf 80000001H, ECX.  Shown are LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH. */
#define SHOWN_E1_ECX (1u << 0 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8)

void cpu_cpuid(struct vcpu *v)
{
	u32 *g = v->r.gpr, leaf = g[GPR_EAX];
	u32 r[4] = {leaf, 0, g[GPR_ECX], 0};

	leave_cpuid(r);
	if (leaf == 1) {
		r[1] &= 0x00FFFFFF;
		r[2] &= SHOWN_1_ECX;
		r[3] = (r[3] & ~HIDDEN_1_EDX) | APIC;
	} else if (leaf == 0x80000001) {
		r[2] &= SHOWN_E1_ECX;
		r[3] &= ~HIDDEN_E1_EDX;
	}
	g[GPR_EAX] = r[0];
	g[GPR_EBX] = r[1];
	g[GPR_ECX] = r[2];
	g[GPR_EDX] = r[3];
}

bool cpu_unprivileged(struct vcpu *v, const struct insn *i)
{
	u64 tsc;

	if (i->op == INSN_CPUID) {
		cpu_cpuid(v);
		return true;
	}
	if (i->op != INSN_RDTSC || !guest_in_kernel(v)) /* user mode's traps by CR4.TSD: a #GP */
		return false;
	tsc = time_cycles();
	v->r.gpr[GPR_EAX] = (u32)tsc;
	v->r.gpr[GPR_EDX] = (u32)(tsc >> 32);
	return true;
}
