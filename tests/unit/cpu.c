/* SPDX-License-Identifier: GPL-2.0-only */
/* See cpu.h. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "cpu.h"
#include "monitor/emul/redirect.h"
#include "monitor/binding.h"
#include "monitor/pv/mmu/shadow.h"

u8 cpu_fpu[512] __attribute__((aligned(16)));

static u8 own_fpu[512] __attribute__((aligned(16)));
static sigjmp_buf caught;
static volatile u32 caught_vector;

/* void cpu_call(u32 gpr[8], u32 *eflags, u8 fpu[512], u8 own[512], void *code) */
void cpu_call(u32 *gpr, u32 *eflags, u8 *fpu, u8 *own, const void *code);
__asm__(".pushsection .text\n"
	"cpu_call:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
	"mov %rdi, %r12; mov %rsi, %r13; mov %rdx, %r14; mov %rcx, %r15; mov %r8, %r11\n\t"
	"fxsave (%r15); fxrstor (%r14)\n\t"
	"mov (%r13), %eax; push %rax; popfq\n\t"
	"mov (%r12), %eax; mov 4(%r12), %ecx; mov 8(%r12), %edx; mov 12(%r12), %ebx\n\t"
	"mov 20(%r12), %ebp; mov 24(%r12), %esi; mov 28(%r12), %edi\n\t"
	"call *%r11\n\t"
	"pushfq; pop %r11\n\t"
	"mov %eax, (%r12); mov %ecx, 4(%r12); mov %edx, 8(%r12); mov %ebx, 12(%r12)\n\t"
	"mov %ebp, 20(%r12); mov %esi, 24(%r12); mov %edi, 28(%r12); mov %r11d, (%r13)\n\t"
	"fxsave (%r14); fxrstor (%r15)\n\t"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
	"ret\n"
	".popsection\n");

static void fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig;
	(void)info;
	caught_vector = (u32)u->uc_mcontext.gregs[REG_TRAPNO];
	memcpy(cpu_fpu, u->uc_mcontext.fpregs, sizeof(cpu_fpu));
	siglongjmp(caught, 1);
}

u32 cpu_run(const void *code, u32 gpr[8], u32 *eflags)
{
	static const int signals[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS};
	struct sigaction act = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction old[ARRAY_SIZE(signals)];
	volatile u32 result = RUN_DONE;

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &act, &old[i]))
			abort();
	if (!sigsetjmp(caught, 1)) {
		cpu_call(gpr, eflags, cpu_fpu, own_fpu, code);
	} else {
		__asm__ volatile("fxrstor %0" ::"m"(own_fpu));
		result = caught_vector;
	}
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
	return result;
}

u32 run_code(u32 gpr[8], u32 *eflags)
{
	return cpu_run((const void *)(uintptr_t)WIN_RUN, gpr, eflags);
}

void cpu_reset(void)
{
	__asm__ volatile("fxsave %0" : "=m"(own_fpu));
	memset(cpu_fpu, 0, sizeof(cpu_fpu));
	cpu_fpu[0] = 0x7F; /* as after FNINIT */
	cpu_fpu[1] = 3;
	cpu_fpu[24] = 0x80; /* MXCSR as after a reset */
	cpu_fpu[25] = 0x1F;
	memcpy(cpu_fpu + 28, own_fpu + 28, 4);
}
