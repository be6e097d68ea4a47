/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model-specific registers: those that a kernel of the time touches.  Any other is a
 * #GP, as on a CPU that does not have it.  A kernel also reads some registers before it
 * can survive a #GP, because every CPU of the kind that CPUID shows has them: these read
 * as 0 and ignore what is written.
 */
#include "msr.h"
#include "monitor/binding.h"
#include "monitor/io/time.h"

#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1B
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_EIP 0x176
#define MSR_PAT 0x277
#define MSR_MTRR_DEFAULT 0x2FF
#define MSR_EFER 0xC0000080

#define PAT_RESET 0x0007040600070406ull
#define MTRR_ALL_WRITE_BACK 0x806ull /* on, and no ranges */

static bool reads_as_zero(u32 msr)
{
	static const struct {
		u32 first, last;
	} zero[] = {
		{0x17, 0x17},		  /* platform id */
		{0x8B, 0x8B},		  /* microcode version */
		{0xFE, 0xFE},		  /* MTRRcap */
		{0x1A0, 0x1A0},		  /* misc enable */
		{0x200, 0x20F},		  /* variable MTRRs */
		{0x250, 0x26F},		  /* fixed MTRRs */
		{0xC0010010, 0xC0010015}, /* SYSCFG, HWCR */
		{0xC001001F, 0xC001001F}, /* NB_CFG */
		{0xC0010048, 0xC0010048},
		{0xC0010055, 0xC0010055}, /* interrupt pending message */
		{0xC0010140, 0xC0010141}, /* OS visible workarounds */
	};

	for (u32 i = 0; i < ARRAY_SIZE(zero); i++)
		if (msr >= zero[i].first && msr <= zero[i].last)
			return true;
	return false;
}

bool msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	switch (msr) {
	case MSR_EFER:
		*value = v->efer;
		return true;
	case MSR_TSC:
		*value = time_cycles();
		return true;
	case MSR_APIC_BASE:
		*value = 0xFEE00900; /* enabled, the first processor's, as Xen has it */
		return true;
	case MSR_PAT:
		*value = PAT_RESET;
		return true;
	case MSR_MTRR_DEFAULT:
		*value = MTRR_ALL_WRITE_BACK;
		return true;
	default:
		if (msr >= MSR_SYSENTER_CS && msr <= MSR_SYSENTER_EIP)
			*value = v->sysenter[msr - MSR_SYSENTER_CS];
		else if (reads_as_zero(msr))
			*value = 0;
		else
			return false;
		return true;
	}
}

/* CPUID leaf 80000001H, EDX bit 20. */
static bool cpu_has_nx(void)
{
	u32 a = 0x80000001, b, c, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return d >> 20 & 1;
}

void msr_adopt(struct vcpu *v)
{
	if (cpu_has_nx())
		v->efer |= EFER_NXE;
}

/* The selectors that SYSEXIT makes of MSR 174h (Intel SDM vol. 2).  From a null selector
 * SYSEXIT is a #GP(0), and so is a return to a null selector: the pair becomes null. */
static void set_sysexit(struct vcpu *v, u16 cs)
{
	bool null = !(cs & 0xFFFC);

	v->sysexit.cs = null ? 0 : (u16)(cs + 16) | 3u;
	v->sysexit.ss = null ? 0 : (u16)(cs + 24) | 3u;
}

bool msr_write(struct vcpu *v, u32 msr, u64 value)
{
	if (msr == MSR_EFER) {
		if (value & ~(u64)(EFER_NXE | 1)) /* SCE is accepted and means nothing */
			return false;
		if ((v->efer ^ value) & EFER_NXE)
			control_set_nx(v, value & EFER_NXE);
		return true;
	}
	if (msr >= MSR_SYSENTER_CS && msr <= MSR_SYSENTER_EIP) {
		v->sysenter[msr - MSR_SYSENTER_CS] = value;
		set_sysexit(v, (u16)v->sysenter[0]);
		return true;
	}
	return msr == MSR_TSC || msr == MSR_APIC_BASE || msr == MSR_PAT ||
	       msr == MSR_MTRR_DEFAULT || reads_as_zero(msr);
}
