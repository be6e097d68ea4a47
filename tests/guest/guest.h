/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every file of the test guest uses: console, checks, the command line
 * and the few library functions.
 */
#ifndef GUEST_H
#define GUEST_H

#include "base.h"

/* console.c */
void console_init(void);
void console_putc(char c);
extern void (*console_out)(char c); /* the UART, but xen/main.c has another */
int console_getc(void);		    /* -1 when nothing was received */
void printk(const char *fmt, ...) printf_like(1, 2);

/* check.c: one line a check; the counts end in the last line */
void check(const char *name, bool ok);
void check_eq(const char *name, u32 expected, u32 got);
void check_subject(const char *subject); /* put before the names that follow; NULL ends it */
void check_range(const char *name, u32 low, u32 high, u32 got);
noreturn void finish(void);
/* Ends a run that cannot go on: counts as a failure. */
noreturn void died(const char *why);

/* cmdline.c */
bool option(const char *word);			       /* is this word there? */
bool option_given(const char *key);		       /* key=anything */
bool option_is(const char *key, const char *value);    /* key=value */
bool option_starts(const char *key, const char *text); /* text begins with the value */
bool option_lists(const char *key, const char *word);  /* key=a,word,b */
u32 option_number(const char *key, u32 otherwise);

/* lib.c */
void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
u64 div64(u64 n, u32 by);

#endif
