/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patching of the sites that .pvsites lists.
 *
 * A site starts as pushes, an indirect call and pops (or an indirect jump for
 * IRET and SYSEXIT).  Natively it becomes the instruction itself; under VMI
 * the whole site becomes one E8 or E9 to the address that get_reloc answers,
 * padded with NOPs, which is why those calls must keep every register.
 */
#include "ops.h"

extern const struct pv_site pv_sites[], pv_sites_end[];
extern void native_irq_enable(void), native_irq_disable(void), native_restore_fl(u32);
extern u32 native_save_fl(void);
extern void native_iret(void), native_sysexit(void);

struct pv_ops pv_ops = {
	.irq_enable = native_irq_enable,
	.irq_disable = native_irq_disable,
	.save_fl = native_save_fl,
	.restore_fl = native_restore_fl,
	.iret = native_iret,
	.sysexit = native_sysexit,
};

static const struct {
	u8 len;
	u8 code[2];
} native_code[PV_TYPES] = {
	[PV_IRQ_ENABLE] = {1, {0xfb}},
	[PV_IRQ_DISABLE] = {1, {0xfa}},
	[PV_SAVE_FL] = {2, {0x9c, 0x58}},    /* pushf; pop eax */
	[PV_RESTORE_FL] = {2, {0x50, 0x9d}}, /* push eax; popf */
	[PV_IRET] = {1, {0xcf}},
	[PV_SYSEXIT] = {0}, /* stays the jump to sti; sysexit */
};

static const s16 vmi_call[PV_TYPES] = {
	[PV_IRQ_ENABLE] = 29, [PV_IRQ_DISABLE] = 30, [PV_SAVE_FL] = 31,
	[PV_RESTORE_FL] = 32, [PV_IRET] = 33,	     [PV_SYSEXIT] = 34,
};

/* As few instructions as possible, as Linux does; sites have at most 12 bytes. */
static void add_nops(u8 *at, u32 len)
{
	static const u8 nop8[] = {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
			nop7[] = {0x0f, 0x1f, 0x80, 0, 0, 0, 0}, nop5[] = {0x0f, 0x1f, 0x44, 0, 0},
			nop4[] = {0x0f, 0x1f, 0x40, 0}, nop3[] = {0x0f, 0x1f, 0},
			nop2[] = {0x66, 0x90}, nop1[] = {0x90};
	static const struct {
		const u8 *code;
		u32 len;
	} nops[] = {{nop8, 8}, {nop7, 7}, {nop5, 5}, {nop4, 4}, {nop3, 3}, {nop2, 2}, {nop1, 1}};

	for (u32 i = 0; len && i < ARRAY_SIZE(nops);) {
		if (nops[i].len > len) {
			i++;
			continue;
		}
		memcpy(at, nops[i].code, nops[i].len);
		at += nops[i].len;
		len -= nops[i].len;
	}
}

static void poke(const struct pv_site *site, const u8 *code, u32 len)
{
	u8 *at = (u8 *)site->eip;
	u32 r[4] = {0};

	memcpy(at, code, len);
	add_nops(at + len, site->len - len);
	native_cpuid(r); /* serializes */
}

u32 patch_native(void)
{
	u32 n = 0;

	for (const struct pv_site *s = pv_sites; s < pv_sites_end; s++) {
		if (!native_code[s->type].len)
			continue;
		poke(s, native_code[s->type].code, native_code[s->type].len);
		n++;
	}
	return n;
}

/* Call with interrupts off.  Returns the number of sites that now call the
 * ROM. */
u32 patch_vmi(void)
{
	u32 n = 0;

	for (const struct pv_site *s = pv_sites; s < pv_sites_end; s++) {
		u64 reloc = rom_get_reloc((u32)vmi_call[s->type]);
		u8 kind = (u8)(reloc >> 32), code[5] = {0};
		u32 rel = (u32)reloc - s->eip - 5;

		if (kind == RELOC_NOP)
			poke(s, code, 0);
		if (kind != RELOC_CALL && kind != RELOC_JUMP)
			continue;
		code[0] = kind == RELOC_CALL ? 0xe8 : 0xe9;
		memcpy(code + 1, &rel, sizeof(rel));
		poke(s, code, sizeof(code));
		n++;
	}
	return n;
}

/* Binds each site to its function without the pushes and the pointer. */
u32 patch_functions(const struct pv_ops *functions)
{
	const u32 *function = (const u32 *)functions;
	u32 n = 0;

	for (const struct pv_site *s = pv_sites; s < pv_sites_end; s++, n++) {
		u8 code[5] = {s->type >= PV_IRET ? 0xe9 : 0xe8};
		u32 rel = function[s->type] - s->eip - 5;

		memcpy(code + 1, &rel, sizeof(rel));
		poke(s, code, sizeof(code));
	}
	return n;
}
