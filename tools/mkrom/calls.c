/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of all VMI calls, compiled in, so that mkrom can name the calls of
 * any ROM and list those that an image does not have.
 */
#include "mkrom.h"

#define VMI_CALL(id, slot, name, kind, how, registers)                                             \
	{id, slot, #name, ROM_##kind, ROM_##how, registers},

const struct call calls[] = {
#include "rom/calls.def"
};

const size_t call_count = ARRAY_SIZE(calls);

const struct call *call_find(s16 id, s16 slot)
{
	for (size_t i = 0; i < call_count; i++) {
		if (id >= 0 ? calls[i].id == id : slot >= 0 && calls[i].slot == slot)
			return &calls[i];
	}
	return NULL;
}

/* As get_reloc's answers are called in the specification. */
const char *call_kind_name(u8 kind)
{
	static const char *const names[] = {
		[ROM_NONE] = "NONE",
		[ROM_CALL] = "CALL_REL",
		[ROM_JUMP] = "JUMP_REL",
		[ROM_NOP] = "NOP",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "invalid";
}

const char *call_how_name(u8 how)
{
	static const char *const names[] = {
		[ROM_ABSENT] = "absent",
		[ROM_ASM] = "asm",
		[ROM_C] = "C",
	};

	return how < ARRAY_SIZE(names) ? names[how] : "invalid";
}
