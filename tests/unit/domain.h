/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A domain for the monitor's unit tests, on the Xen of xen.h: a guest with its
 * tables in its own memory, before VMI_Init or after it.
 */
#ifndef TEST_DOMAIN_H
#define TEST_DOMAIN_H

#include <string.h>
#include "xen.h"
#include "monitor/binding.h"

/* The guest's memory, by guest-physical address. */
#define PHYS(p) ((void *)(uintptr_t)(LINEAR + (p)))
#define KERNEL(p) (LINEAR + (p)) /* where its kernel has it */

#define GUEST_PAGES 1024u
#define HOLE 0xA0000u /* to 0xC0000: no memory */

#define GDT 0x10000u
#define GDT_LIMIT 0x9Fu
#define IDT 0x11000u
#define TSS 0x12000u
#define LDT 0x15000u
#define TABLES 0x20000u /* CR3; the tables follow */
/* Of USER.  Four pages are mapped: two of memory, the second read-only; one without
 * memory; one of memory. */
#define USER_PT 0x25000u
#define CODE 0x30000u
#define STACK 0x40000u /* the end */
#define ESP0 0x44000u
#define DATA 0x50000u /* the first page of USER; the others follow */
#define USER 0x08000000u
#define USER_NOWHERE (USER + 2 * PAGE_SIZE)

#define HANDLER(vector) (0xC0060000u + (vector)*16)

/* Selectors of its GDT. */
#define KERNEL_CS 0x60u
#define KERNEL_DS 0x68u
#define USER_CS 0x73u
#define USER_DS 0x7Bu
#define TSS_SEL 0x80u
#define LDT_SEL 0x88u

/* As the domain entry leaves it: paging off, at its 32-bit entry. */
void domain_start(void);
/* Paging on, its own GDT and IDT, in its kernel at CODE; not yet Init. */
void domain_paging(bool pae);
/* The same after VMI_Init and SetLinearMapping, in a VMI call. */
void domain_init(bool pae);
/* The processor's segment registers as in a VMI call of the kernel. */
void domain_call(void);
/* User mode, at USER. */
void domain_user(void);

/* Puts bytes, as in "0F 20 D8", to where EIP points; answers how many they are. */
u32 domain_code(const char *hex);

/* A pseudo descriptor of LGDT and LIDT, or a far pointer. */
static inline void put_limit_base(u32 at, u16 limit, u32 base)
{
	memcpy(PHYS(at), &limit, 2);
	memcpy(PHYS(at + 2), &base, 4);
}

/* Where an interrupt has brought it, by its IDT. */
bool domain_at(u32 vector);
/* Word n of its present stack. */
u32 domain_stack(u32 n);

/* Carries out the statement, which must end the domain. */
#define must_end(statement)                                                                        \
	do {                                                                                       \
		jmp_buf jump_;                                                                     \
		xen.death = &jump_;                                                                \
		if (!setjmp(jump_)) {                                                              \
			statement;                                                                 \
			fail_msg("the domain lives on");                                           \
		}                                                                                  \
		xen.death = NULL;                                                                  \
	} while (0)

/* The statement ends the domain with a report that has these words. */
#define assert_dies(words, statement)                                                              \
	do {                                                                                       \
		must_end(statement);                                                               \
		if (!strstr(xen.console, words))                                                   \
			fail_msg("not in the report: %s\n%s", words, xen.console);                 \
		assert_int_equal(xen.reason, SHUTDOWN_crash);                                      \
	} while (0)

/* It ends the domain with this reason. */
#define assert_ends(reason_, statement)                                                            \
	do {                                                                                       \
		must_end(statement);                                                               \
		assert_int_equal(xen.reason, reason_);                                             \
	} while (0)

#endif
