/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain entry: the code that Xen's domain builder starts.  It runs once,
 * on Xen's bootstrap page tables, divides the domain's memory, fills the
 * ROM's window, lays the guest out like on a PC, and leaves for the monitor.
 *
 *   start.asm     Xen notes, first instructions
 *   entry.c       entry_main: the list of steps
 *   memory.c      who gets which frame
 *   room.c        what the kernel needs of it
 *   window.c      the ROM's window
 *   loader.c      the guest: bzImage, boot_params, BIOS area, ROM
 *   acpi.c        ACPI tables in the BIOS area
 *   smbios.c      who made the BIOS, and when
 */
#ifndef VMIXEN_ENTRY_H
#define VMIXEN_ENTRY_H

#include "base.h"

#include "xenbind/console.h"
#include "xenbind/hypercall.h"
#include "image.h"
#include "room.h"
#include "start.h"

#define VIRT_BASE 0xC0000000u

/* The BIOS area, guest-physical; both are found in it on a 16-byte boundary. */
#define ACPI_TABLES 0xF0000u /* the RSDP; all others follow */
#define SMBIOS 0xF1000u	     /* the entry point; its structures follow */

/* A page that the domain shares with a backend, and its event channel. */
struct shared_page {
	u32 port; /* 0: there is none */
	u32 pfn;
};

struct layout {
	const struct start_info *si;
	struct shared_page console, store;
	const u32 *mfn_list; /* mfn by pfn */
	struct room room;    /* what the kernel needs */
	u32 boot_end;	     /* first pfn behind everything Xen has put there */
	u32 reserve_first;   /* first pfn of the ROM's own memory; it ends with the domain's */
	u32 reserve_next;    /* first one not handed out yet */
	u32 guest_pages;     /* guest-physical frames */
	u32 boot_gpfn;	     /* guest frame where pfn 0 went */
	u32 pool_pages;
	const char *cmd_line;
	u32 initrd, initrd_bytes; /* guest-physical; 0 bytes: there is none */
};

/* Which of Xen's two ways has started us. */
extern bool entry_is_pvh;

extern struct payload payload;

/* Pages of the image, which are in the window. */
static inline u32 rom_pages(void)
{
	return (payload.rom_size + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* say.c: the console, for the entry's own use.  fail prints and ends the domain. */
extern struct console entry_console;
void say_hello(void);
noreturn void fail(const char *fmt, ...) printf_like(1, 2);
void note(const char *fmt, ...) printf_like(1, 2);

/* memory.c */
/* What start_info says of a shared page, if that can be: a frame of the domain's
 * and a port that there is. */
struct shared_page memory_shared(const struct start_info *si, u32 mfn, u32 port);
void memory_divide(struct layout *l, const struct start_info *si);
u32 memory_take(struct layout *l);
void memory_assign(struct layout *l, u32 *gmfn);

/* window.c */
void window_make(struct layout *l, struct start *start);
void window_map(u32 va, u32 mfn, bool writable);

/* loader.c */
void load_guest(struct layout *l, struct start *start);
/* Copies to guest-physical memory. */
void copy_to_guest(u32 gpa, const void *from, u32 bytes);

/* acpi.c */
void make_acpi_tables(void);
/* Makes all bytes of a table add up to 0; checksum is one of them. */
void seal(void *table, u32 bytes, u8 *checksum);

/* smbios.c */
void make_smbios_table(void);

#endif
