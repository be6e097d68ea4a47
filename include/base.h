/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every C file of the project, freestanding or hosted, starts from.
 *
 * The ROM and the test guest have no C library, so only the compiler's own headers are
 * included here.  Addresses of different kinds have different types, so that mixing them
 * does not compile:
 *
 *   gva_t    guest-virtual address          a plain integer, never a pointer
 *   gpa_t    guest-physical address
 *   gpfn_t   guest-physical frame number    gpa >> 12
 *   mfn_t    machine frame number           what Xen's page tables hold
 */
#ifndef VMIXEN_BASE_H
#define VMIXEN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u32 gva_t;

typedef struct {
	u64 a;
} gpa_t;

typedef struct {
	u32 n;
} gpfn_t;

typedef struct {
	u32 n;
} mfn_t;

/* Unit tests and fuzzers are 64-bit programs; the ROM and its guests are not. */
#ifdef __x86_64__
#define VMIXEN_HOSTED
#endif

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define packed __attribute__((packed))
#define noreturn __attribute__((noreturn))
#ifdef __i386__
#define regparm3 __attribute__((regparm(3)))
#else
#define regparm3 /* host builds */
#endif
#define always_inline inline __attribute__((always_inline))
#define printf_like(f, a) __attribute__((format(printf, f, a)))

#endif
