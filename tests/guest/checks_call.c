/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calling convention over the calls whose arguments fit registers: EBX,
 * ESI, EDI, EBP and ESP are kept.  (Calls with stack arguments are made by C
 * code everywhere else, which would not survive the loss of a register.)
 * Only under VMI.
 */
#include "checks.h"
#include "mm.h"
#include "rom.h"

extern char boot_stack_top[];

static struct desc_ptr table;

#define CALL(name) VMI_##name, #name " keeps EBX ESI EDI EBP ESP"

static const struct {
	s16 call;
	const char *name;
	u32 in[3]; /* EAX EDX ECX */
} calls[] = {
	{CALL(GetGDT), {(u32)&table}},
	{CALL(GetIDT), {(u32)&table}},
	{CALL(GetLDT), {0}},
	{CALL(GetTR), {0}},
	{CALL(UpdateKernelStack), {SEL_KERNEL_DS, (u32)boot_stack_top}},
	{CALL(SetCR2), {0x1000}},
	{CALL(GetCR0), {0}},
	{CALL(GetCR2), {0}},
	{CALL(GetCR3), {0}},
	{CALL(GetCR4), {0}},
	{CALL(WBINVD), {0}},
	{CALL(SetDR), {0, 0}},
	{CALL(GetDR), {0}},
	{CALL(RDTSC), {0}},
	{CALL(CLTS), {0}},
	{CALL(InvalPage), {VMALLOC_START}},
	{CALL(InvalPage), {0x1000}},
	{CALL(InvalPage), {0xffffffff}},
	{CALL(FlushTLB), {1}},
	{CALL(FlushTLB), {2}},
	{CALL(FlushTLB), {3}},
	{CALL(SetIOPLMask), {0}},
	{CALL(GetCycleFrequency), {0}},
	{CALL(GetCycleCounter), {0}},
	{CALL(GetCycleCounter), {1}},
	{CALL(GetCycleCounter), {2}},
	{CALL(CancelAlarm), {0}},
	{CALL(GetWallclockTime), {0}},
	{CALL(WallclockUpdated), {0}},
	{CALL(SetLazyMode), {LAZY_MMU}},
	{CALL(SetLazyMode), {LAZY_NONE}},
	{CALL(SetLazyMode), {LAZY_CPU}},
	{CALL(SetLazyMode), {LAZY_NONE}},
};

static bool kept(const u32 out[8])
{
	return out[OUT_EBX] == KEEP_EBX && out[OUT_ESI] == KEEP_ESI && out[OUT_EDI] == KEEP_EDI &&
	       out[OUT_EBP] == KEEP_EBP && !out[OUT_ESP];
}

static bool callable(s16 call, void **entry)
{
	u64 reloc = rom_get_reloc((u32)call);

	*entry = (void *)(u32)reloc;
	return (u8)(reloc >> 32) == RELOC_CALL;
}

/* CPUID's result is in EBX too: ESI, EDI, EBP and ESP are kept. */
static void check_cpuid(void)
{
	const u32 in[3] = {0};
	u32 out[8];
	void *entry;

	if (!callable(VMI_CPUID, &entry))
		return;
	call_keeping(entry, in, out);
	check("CPUID keeps ESI EDI EBP ESP", out[OUT_ESI] == KEEP_ESI && out[OUT_EDI] == KEEP_EDI &&
						     out[OUT_EBP] == KEEP_EBP && !out[OUT_ESP]);
}

void checks_convention(void)
{
	u32 out[8];
	void *entry;

	if (!on_vmi)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!callable(calls[i].call, &entry))
			continue;
		call_keeping(entry, calls[i].in, out);
		check(calls[i].name, kept(out));
	}
	check_cpuid();
}
