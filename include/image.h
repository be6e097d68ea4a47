/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ROM image as others see it: the headers of both generations of the ABI, vmixen's
 * own extension in the reserved area, and the payload block through which mkrom tells the
 * domain entry what it has wrapped.  The layouts are those of the VMI specification
 * (2006) and of the PCI firmware specification: a change of a field changes the ABI.
 *
 * The image has two parts.  The first is what stands in the option-ROM area:
 * headers, fixed slots, and what runs there; its size is in the length byte, and
 * its bytes sum to 0.  The body behind it is in the ROM's window alone; it starts
 * with a byte that makes its own bytes sum to 0.  The PCI header's length covers
 * both (PCI Firmware Specification 3.0, 5.1: the image, and the part of it that
 * firmware copies).  An image of one part has no body.
 */
#ifndef VMIXEN_IMAGE_H
#define VMIXEN_IMAGE_H

#include "base.h"

#define ROM_UNIT 512u		  /* the length byte counts these */
#define ROM_MAX (255u * ROM_UNIT) /* an image of one part, or the first of two */
#define ROM_ALIGN 2048u		  /* guests scan in steps of this */
#define ROM_SIGNATURE 0xAA55u
#define VMI_SIGNATURE 0x696d5663u /* "cVmi" */

/* The project's version, in mkrom and in the image's PCI header: here alone. */
#define VMIXEN_MAJOR 0
#define VMIXEN_MINOR 2

/* API 3.0: two calls of 8 bytes, then one slot of 8 bytes for every call
 * number; jump_slots counts all of them. */
#define ROM_SLOT_INIT 0x80u
#define ROM_SLOT_GET_RELOC 0x88u
#define ROM_SLOT_CALLS 0x90u
#define ROM_SLOT_SIZE 8u

/* API 13.x: its header stands here and slot n at header + n * 32. */
#define ROM13_HEADER 0x800u
#define ROM13_SLOT_SIZE 32u
#define ROM13_SLOT_INIT 4
#define ROM13_SLOTS 88

struct rom_header {
	u16 signature;	   /* 0x00 ROM_SIGNATURE */
	u8 length;	   /* 0x02 in ROM_UNITs, from this header on */
	u8 entry16[4];	   /* 0x03 16-bit entry: retf */
	u8 checksum;	   /* 0x07 makes the bytes from here to the end sum to 0 */
	u32 vmi_signature; /* 0x08 VMI_SIGNATURE */
	u8 api_minor;	   /* 0x0C */
	u8 api_major;	   /* 0x0D */
	u8 jump_slots;	   /* 0x0E */
	u8 reserved0;	   /* 0x0F */
	u32 virtual_top;   /* 0x10 lowest linear address of the hypervisor */
	u16 reserved1;	   /* 0x14 */
	u16 licence;	   /* 0x16 offset of "GPL" */
	u16 pci_header;	   /* 0x18 offset */
	u16 pnp_header;	   /* 0x1A offset */
	u32 reserved2;	   /* 0x1C */
	/* 0x20: reserved by the specification, vmixen's own in our images */
	u32 ext_signature;  /* 0x20 ROM_EXT_SIGNATURE */
	u16 ext_calls;	    /* 0x24 offset of the struct rom_call table */
	u16 ext_call_count; /* 0x26 */
	u32 ext_start;	    /* 0x28 offset of the monitor's entry */
	u32 ext_end;	    /* 0x2C bytes of the image that are in use */
	u32 ext_first;	    /* 0x30 of them in the first part; 0: there is no other */
	u32 ext_binding;    /* 0x34 enum rom_binding */
} packed;

#define ROM_EXT_SIGNATURE 0x4e584d56u /* "VMXN" */

/* Which binding to Xen an image is. */
enum rom_binding { ROM_PV = 1, ROM_PVH = 2 };
#define ROM_BINDINGS 2u

#define PCI_LAST 0x80u

struct pci_header {
	u32 signature; /* "PCIR" */
	u16 vendor;
	u16 device;
	u16 vpd;
	u16 size;
	u8 revision;
	u8 class_code[3]; /* interface, subclass, class */
	u16 chunks;	  /* length of the whole image in ROM_UNITs */
	u8 version_min;
	u8 version_maj;
	u8 code_type;
	u8 last; /* PCI_LAST, or 0 where another image follows */
	u16 reserved;
} packed;

struct pnp_header {
	u32 signature; /* "$PnP" */
	u8 revision;
	u8 size; /* in 16-byte units */
	u16 next;
	u8 reserved;
	u8 checksum; /* makes the structure's bytes sum to 0 */
	u32 device_id;
	u16 manufacturer; /* offset of a string */
	u16 product;	  /* offset of a string */
	u8 device_type[3];
	u8 device_flags;
	u16 boot_connection;
	u16 disconnect;
	u16 bootstrap_entry;
	u16 reserved2;
	u16 static_resource;
} packed;

/* One call as rom/calls.def gives it. */
struct rom_call {
	s16 id;	   /* API 3.0 number or -1 */
	s16 slot;  /* API 13.x slot or -1 */
	u8 kind;   /* enum rom_kind: get_reloc's answer */
	u8 how;	   /* enum rom_how */
	u16 name;  /* offset of a NUL-ended string */
	u32 entry; /* the call's entry point: offset of its code, 0 where there is none */
} packed;

enum rom_kind { ROM_NONE = 0, ROM_CALL = 1, ROM_JUMP = 2, ROM_NOP = 3 };
enum rom_how { ROM_ABSENT = 0, ROM_ASM = 1, ROM_C = 2 };

/* Bytes that mkrom wrap has put into the domain entry's ELF file.  The address is a virtual
 * one, at which Xen's domain builder makes them appear, and page aligned.  Size 0: none. */
struct payload_part {
	u32 addr, size;
} packed;

/* In the section ".payload" of the domain entry's ELF file; mkrom wrap fills it. */
#define PAYLOAD_MAGIC "VMXENPL2"
struct payload {
	char magic[8];
	struct payload_part rom[ROM_BINDINGS]; /* that of a binding is at [binding - 1] */
	struct payload_part kernel;	       /* the whole bzImage file */
} packed;

_Static_assert(offsetof(struct rom_header, virtual_top) == 0x10, "VMI header");
_Static_assert(offsetof(struct rom_header, pnp_header) == 0x1A, "VMI header");
_Static_assert(sizeof(struct rom_header) == 0x38, "VMI header");
_Static_assert(sizeof(struct pci_header) == 24, "PCI header");
_Static_assert(sizeof(struct rom_call) == 12, "call table");

#endif
