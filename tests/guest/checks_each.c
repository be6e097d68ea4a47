/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every call by every way to it: what it does in the ordinary case, and what
 * it keeps.
 *
 * The tests are in checks_each_*.c.  Around each the registers, the stack, the
 * selectors, DF and the interrupt flag are watched.  Each is run by the address
 * that get_reloc answers, by the fixed slots of both generations in the
 * option-ROM area, by GetRelocationInfo and by a copy of the image; each with
 * interrupts off, and on while a timer ticks.
 *
 * Only under VMI.  What does not return (IRET to user mode, SYSEXIT, Reboot,
 * Shutdown) is tested elsewhere.
 */
#include "checks.h"
#include "checks_each.h"
#include "irq.h"
#include "mm.h"
#include "image.h"

#define COPY (VMALLOC_START + 0xc00000)

u32 each_frame, each_other;
bool each_flag;

static u32 entry; /* of the call at hand */
static const struct each_test *tests[ROW_COUNT];

void each_call(u32 eax, u32 edx, u32 ecx)
{
	vmi_call.fn = entry;
	vmi_call.in[OUT_EAX] = eax;
	vmi_call.in[OUT_EDX] = edx;
	vmi_call.in[OUT_ECX] = ecx;
	vmi_call_run();
}

static void collect(void)
{
	const struct each_test *lists[] = {each_cpu, each_irq, each_mmu, each_port, each_time};

	for (u32 i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct each_test *t = lists[i]; t->run; t++) {
			if (tests[t->row])
				check("every call has one test", false);
			tests[t->row] = t;
		}
}

/* What the last call kept; NULL if all that was promised. */
static const char *lost(u32 keeps)
{
	const u32 *in = vmi_call.in;

	if (!(keeps & SETS_EBX) && out[OUT_EBX] != in[OUT_EBX])
		return "EBX";
	if (!(keeps & MOVES_ESI) && out[OUT_ESI] != in[OUT_ESI])
		return "ESI";
	if (!(keeps & MOVES_EDI) && out[OUT_EDI] != in[OUT_EDI])
		return "EDI";
	if (out[OUT_EBP] != in[OUT_EBP])
		return "EBP";
	if (out[OUT_ESP] != (keeps & FRAME ? 12u : 0u))
		return "ESP";
	if ((keeps & KEEPS_ALL) && (out[OUT_EDX] != in[OUT_EDX] || out[OUT_ECX] != in[OUT_ECX]))
		return "EDX or ECX";
	if ((keeps & KEEPS_EAX) && out[OUT_EAX] != in[OUT_EAX])
		return "EAX";
	if (out[OUT_EFLAGS] & 0x400)
		return "DF";
	if (!(keeps & FLAG_FREE) && irq_flags() != (each_flag ? EFLAGS_IF : 0))
		return "the interrupt flag";
	return NULL;
}

static u32 selectors(void)
{
	u16 ds, es, fs;

	asm volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%fs, %2" : "=r"(ds), "=r"(es), "=r"(fs));
	return (u32)(ds << 20 ^ es << 10 ^ fs) ^ read_ss() << 5 ^ read_cs();
}

/* --- the ways to a call -------------------------------------------------------- */

static const struct rom_header *rom3, *rom13;
static u32 copy_of_13;

static u32 by_reloc(const struct call_info *c)
{
	u64 reloc = rom3 && c->id >= 0 ? rom_get_reloc((u32)c->id) : 0;

	return (u8)(reloc >> 32) == RELOC_CALL ? (u32)reloc : 0;
}

static u32 by_slot3(const struct call_info *c)
{
	if (!rom3 || !by_reloc(c))
		return 0;
	return rom_slot3(rom3, c->id);
}

static bool has13(const struct call_info *c)
{
	return rom13 && c->slot >= 0 &&
	       (c->slot < VMI13_GetRelocationInfo || rom13->api_minor >= 3);
}

static u32 by_slot13(const struct call_info *c)
{
	return has13(c) ? rom_slot13(rom13, c->slot) : 0;
}

static u32 by_info13(const struct call_info *c)
{
	u64 reloc = has13(c) && rom13->api_minor >= 3 ? rom_relocation13(rom13, c->slot) : 0;

	return (u8)(reloc >> 32) == RELOC_CALL ? (u32)reloc : 0;
}

/* Kernels of 2006 copy the image and go on with the copy. */
static u32 by_copy(const struct call_info *c)
{
	return has13(c) ? copy_of_13 + (u32)c->slot * ROM13_SLOT_SIZE : 0;
}

static const struct {
	const char *name;
	u32 (*address)(const struct call_info *c);
} ways[] = {
	{"get_reloc", by_reloc},	  {"3.0 slot", by_slot3}, {"13.x slot", by_slot13},
	{"GetRelocationInfo", by_info13}, {"13.x copy", by_copy},
};

static void run(u32 row, const char *way, bool on)
{
	char name[80];
	const char *l, *parts[] = {call_table[row].name, ": ", way,
				   on ? ", interrupts on" : ", interrupts off"};
	u32 n = 0, before = selectors();
	bool good;

	for (u32 i = 0; i < ARRAY_SIZE(parts); i++)
		for (const char *p = parts[i]; *p && n + 1 < sizeof(name); p++)
			name[n++] = *p;
	name[n] = 0;
	vmi_call.in[OUT_EBX] = KEEP_EBX;
	vmi_call.in[OUT_ESI] = KEEP_ESI;
	vmi_call.in[OUT_EDI] = KEEP_EDI;
	vmi_call.in[OUT_EBP] = KEEP_EBP;
	each_flag = on;
	irq_restore(on ? EFLAGS_IF : 0);
	good = tests[row]->run();
	l = lost(tests[row]->keeps);
	irq_disable();
	if (!good)
		printk("info: %s: the result is wrong\n", name);
	if (l)
		printk("info: %s: %s is lost\n", name, l);
	if (selectors() != before)
		printk("info: %s: a selector has changed\n", name);
	check(name, good && !l && selectors() == before);
}

static void copy_image(void)
{
	u32 pages = (rom13->length * ROM_UNIT + PAGE_SIZE - 1) / PAGE_SIZE;

	copy_of_13 = COPY + (u32)rom13 % PAGE_SIZE;
	for (u32 i = 0; i < pages + 1; i++)
		map_kernel(COPY + i * PAGE_SIZE, page_alloc(), PTE_KERNEL);
	memcpy((void *)copy_of_13, rom13, rom13->length * ROM_UNIT);
}

static void free_copy(void)
{
	u32 pages = (rom13->length * ROM_UNIT + PAGE_SIZE - 1) / PAGE_SIZE;

	for (u32 i = 0; i < pages + 1; i++) {
		u32 pfn = pte_pfn(*pte_of(&init_mm, COPY + i * PAGE_SIZE));

		unmap_kernel(COPY + i * PAGE_SIZE);
		page_put(pfn);
	}
}

static void all_ways(bool on)
{
	for (u32 w = 0; w < ARRAY_SIZE(ways); w++)
		for (u32 row = 0; row < ROW_COUNT; row++) {
			entry = ways[w].address(&call_table[row]);
			if (tests[row] && entry)
				run(row, ways[w].name, on);
		}
}

/* A call of the table that no test makes, and that is not one of those
 * that do not return here. */
static void check_complete(void)
{
	for (u32 row = 0; row < call_count; row++) {
		if (tests[row] || row == ROW_SYSEXIT || row == ROW_Reboot || row == ROW_Shutdown ||
		    row == ROW_Unassigned)
			continue;
		printk("info: %s\n", call_table[row].name);
		check("every call is made by every way", false);
	}
}

void checks_each(void)
{
	if (!on_vmi || !under_hypervisor())
		return;
	rom3 = rom_generation() == 3 ? rom_found() : NULL;
	rom13 = rom_found13();
	each_frame = page_alloc_zeroed();
	each_other = page_alloc_zeroed();
	*(u32 *)page_address(each_frame) = 0xf7a3e001;
	*(u32 *)page_address(each_other) = 0x07e70002;
	collect();
	check_complete();
	if (rom13)
		copy_image();
	all_ways(false);
	tick_start();
	all_ways(true);
	tick_stop();
	if (rom13)
		free_copy();
	irq_disable();
	page_put(each_frame);
	page_put(each_other);
}
