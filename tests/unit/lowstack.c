/* SPDX-License-Identifier: GPL-2.0-only */
/* A stack for the monitor's code in a 64-bit program; see xen.h. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "xen.h"

/* The sanitizer's map of addresses has a hole where our window lies. */
/* The stack is ours and low: locals must not lie elsewhere to show uses after a return,
 * as gcc 13 and clang 15 have it unasked. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "protect_shadow_gap=0:detect_leaks=0:detect_stack_use_after_return=0";
}

#define STACK_BYTES (1u << 20)

static int (*low_function)(void);
static int low_result;

static void *low_thread(void *unused)
{
	low_result = low_function();
	return unused;
}

int xen_on_low_stack(int (*f)(void))
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;

	low_function = f;
	if (stack == MAP_FAILED || pthread_attr_init(&attr) ||
	    pthread_attr_setstack(&attr, stack, STACK_BYTES) ||
	    pthread_create(&thread, &attr, low_thread, NULL) || pthread_join(thread, NULL))
		abort();
	return low_result;
}
