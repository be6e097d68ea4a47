/* SPDX-License-Identifier: GPL-2.0-only */
/* The ROM that was found, call numbers, and raw calls that watch registers. */
#ifndef GUEST_ROM_H
#define GUEST_ROM_H

#include "guest.h"

struct rom_header;
const struct rom_header *rom_found(void); /* the one that is used */
const struct rom_header *rom_found13(void);
/* Bytes of the whole image; what its header counts is all that stands behind it. */
u32 rom_image_bytes(void);
u32 rom_generation(void); /* 3, 13, or 0 without a ROM */
bool rom_has_flags(void); /* SetPxE takes flags */

/* Where a call stands in the image, 0 if it does not. */
u32 rom_slot3(const struct rom_header *h, s16 id);
u32 rom_slot13(const struct rom_header *h, s16 slot);
u64 rom_relocation13(const struct rom_header *h, s16 slot);
u32 rom_init(void *init); /* its EAX; registers are in init_out */
void *rom_init_entry(void);

enum vmi_call_number {
#define VMI_CALL(id, slot, name, kind, how, text) VMI_##name = id,
#include "rom/calls.def"
#undef VMI_CALL
};

enum vmi13_call_number {
#define VMI_CALL(id, slot, name, kind, how, text) VMI13_##name = slot,
#include "rom/calls.def"
#undef VMI_CALL
};

/* Its place in call_table. */
enum vmi_call_row {
#define VMI_CALL(id, slot, name, kind, how, text) ROW_##name,
#include "rom/calls.def"
#undef VMI_CALL
	ROW_COUNT,
};

/* traps.asm; out: eax edx ecx ebx esi edi ebp, and what ESP moved by */
enum { OUT_EAX, OUT_EDX, OUT_ECX, OUT_EBX, OUT_ESI, OUT_EDI, OUT_EBP, OUT_ESP };
#define KEEP_EBX 0xb1b2b3b4u
#define KEEP_ESI 0x51525354u
#define KEEP_EDI 0xd1d2d3d4u
#define KEEP_EBP 0xe1e2e3e4u
#define KEEP_EDX 0xd0d0d0d0u /* call_inline only */
#define KEEP_ECX 0xc0c0c0c0u
void call_keeping(void *fn, const u32 in[3], u32 out[8]);
void call_inline(void *fn, u32 eax, u32 out[8]);

/* A call with every register given; traps.asm knows this layout. */
struct vmi_call {
	u32 fn;
	u32 in[7];
	u32 stack[4]; /* further arguments */
	u32 out[9];   /* ..., what ESP moved by, EFLAGS */
	u32 saved;
};
extern struct vmi_call vmi_call;
void vmi_call_run(void);
extern char vmi_call_landing[];
#define OUT_EFLAGS 8

extern u32 init_out[8]; /* registers after Init */

#endif
