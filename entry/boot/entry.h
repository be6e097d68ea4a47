/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain entry: the code that Xen's domain builder starts.  It runs once, divides the
 * domain's memory, fills the ROM's window, lays the guest out as on a PC, and goes to the
 * monitor.  In the PV binding it runs on Xen's bootstrap page tables, in the PVH binding
 * on a page directory of its own.
 *
 *   pv/, pvh/ start.asm     Xen notes, first instructions
 *   pv/, pvh/ entry.c       the list of steps
 *   pv/       memory.c      who gets which frame
 *   pv/, pvh/ window.c      the ROM's window
 *   boot/     rom.c         the ROM of the binding
 *   boot/     room.c        how much memory the kernel needs, and where
 *   boot/     loader.c      the guest: bzImage, boot_params, BIOS area, ROM
 *   boot/     acpi.c        ACPI tables in the BIOS area
 *   boot/     smbios.c      a BIOS with a date, and the machine's name
 *   boot/     say.c         messages on the console
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

/* Guest-physical addresses in the BIOS area, where a kernel looks for both tables on
 * 16-byte boundaries. */
#define ACPI_TABLES 0xF0000u /* the RSDP; all other tables follow */
#define SMBIOS 0xF1000u	     /* the SMBIOS entry point; its structures follow */

/* A page that the domain shares with a backend, and its event channel. */
struct shared_page {
	u32 port; /* 0: there is none */
	u32 pfn;
};

/* How the domain's memory is divided.  A pfn is one of Xen's frame numbers of the domain, a
 * gpfn is a guest-physical one.  The PVH binding uses only what load_guest needs. */
struct layout {
	const struct start_info *si;
	struct shared_page console, store;
	const u32 *mfn_list; /* mfn by pfn */
	struct room room;    /* what the kernel needs */
	u32 boot_end;	     /* first pfn behind everything Xen has put there */
	u32 reserve_first;   /* first pfn of the ROM's own memory, which ends with the domain's */
	u32 reserve_next;    /* first one not handed out yet */
	u32 guest_pages;     /* guest-physical frames; PVH: below the monitor's own pages */
	u32 more_first, more_end; /* PVH: RAM behind these pages, in frames */
	u32 high_end;		  /* PVH: the frame behind RAM from 4 GB on */
	u32 boot_gpfn;		  /* guest frame where pfn 0 went */
	u32 pool_pages;
	const char *cmd_line;
	u32 initrd, initrd_bytes; /* guest-physical; 0 bytes: there is none */
};

/* Has Xen started a PVH domain?  Else it is a PV domain. */
extern bool entry_is_pvh;

/* What mkrom wrap has put into the ELF file: the ROMs of the bindings, and the kernel. */
extern struct payload payload;

/* rom.c */
/* The image of this domain's binding, and its bytes. */
extern const struct rom_header *entry_rom;
extern u32 entry_rom_size;
/* Finds both; ends the domain if there is none.  The other binding's image is cleared, so
 * that nothing of it is left in the guest's memory. */
void rom_choose(void);

/* Pages of the image, which are in the window. */
static inline u32 rom_pages(void)
{
	return (entry_rom_size + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* say.c */
/* The domain's console, which the binding's entry.c has made. */
extern struct console entry_console;
/* Prints the name of the ROM and the version of Xen. */
void say_hello(void);
/* Prints why the guest cannot be started, and ends the domain as crashed. */
noreturn void fail(const char *fmt, ...) printf_like(1, 2);
/* Prints a text, of up to 255 bytes. */
void note(const char *fmt, ...) printf_like(1, 2);

/* pv/memory.c */
/* A page that the domain shares with a backend, of which Xen's tools say that it has machine
 * frame mfn and event channel port.  Its port is 0, and so the page is not used, if the
 * frame is none of the domain's or there can be no such port. */
struct shared_page memory_shared(const struct start_info *si, u32 mfn, u32 port);
/* Decides what the ROM keeps of the domain's frames; ends the domain if it has too few, or
 * more than are supported. */
void memory_divide(struct layout *l, const struct start_info *si);
/* Takes a frame of the ROM's own memory; its pfn. */
u32 memory_take(struct layout *l);
/* Decides which frame is where in guest-physical memory: fills gmfn[0 .. l->guest_pages - 1]
 * with machine frames, and l->guest_pages and l->boot_gpfn. */
void memory_assign(struct layout *l, u32 *gmfn);

/* pv/window.c */
/* Fills the window, and that part of *start, which lies in it, that does not concern the
 * kernel. */
void window_make(struct layout *l, struct start *start);
/* Maps machine frame mfn at address va of the window. */
void window_map(u32 va, u32 mfn, bool writable);

/* loader.c */
/* Lays the guest out in guest-physical memory, and fills the part of *start that concerns the
 * kernel. */
void load_guest(struct layout *l, struct start *start);
/* Copies bytes to guest-physical memory. */
void copy_to_guest(u32 gpa, const void *from, u32 bytes);

/* acpi.c: puts the tables at ACPI_TABLES. */
void make_acpi_tables(void);
/* Makes the bytes of a table add up to 0; *checksum is one of them. */
void seal(void *table, u32 bytes, u8 *checksum);

/* smbios.c: puts the table at SMBIOS. */
void make_smbios_table(void);

#endif
