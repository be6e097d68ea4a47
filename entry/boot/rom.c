/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which ROM the guest gets.  The ELF file has one for each binding, or for one alone, and
 * only here is it known as what Xen has started it.
 */
#include "entry.h"
#include "lib/mem.h"

const struct rom_header *entry_rom;
u32 entry_rom_size;

static const char *const names[ROM_BINDINGS] = {[ROM_PV - 1] = "PV", [ROM_PVH - 1] = "PVH"};

void rom_choose(void)
{
	enum rom_binding binding = entry_is_pvh ? ROM_PVH : ROM_PV;
	enum rom_binding other = entry_is_pvh ? ROM_PV : ROM_PVH;
	const struct payload_part *wanted = &payload.rom[binding - 1];
	const struct payload_part *unused = &payload.rom[other - 1];

	if (!wanted->size && unused->size)
		fail("this is a %s domain, and its kernel is wrapped with a ROM for %s domains "
		     "alone",
		     names[binding - 1], names[other - 1]);
	entry_rom = (const struct rom_header *)wanted->addr;
	entry_rom_size = wanted->size;
	if (!entry_rom_size || entry_rom->ext_signature != ROM_EXT_SIGNATURE ||
	    entry_rom->ext_binding != binding)
		fail("no ROM for a %s domain is wrapped with this entry", names[binding - 1]);
	if (unused->size)
		memset((void *)unused->addr, 0, unused->size);
}
