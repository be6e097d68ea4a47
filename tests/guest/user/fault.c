/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process must not do: one way per enum fault_kind. */
#include "user.h"

#define KERNEL_ADDRESS 0xc0100000u
#define VMALLOC_ADDRESS 0xf1fff000u /* the kernel maps it before Init */
#define ROM_ADDRESS 0xf5000000u

static void exec_stack(void)
{
	volatile u8 code[16];

	code[0] = 0xc3; /* ret */
	asm volatile("call *%0" ::"r"(code) : "memory");
}

static void far_jump(void)
{
	static const struct {
		u32 offset;
		u16 selector;
	} packed target = {0, 0x60};

	asm volatile("ljmp *%0" ::"m"(target));
}

/* Pointers that the compiler must not reason about. */
static volatile u32 *at(u32 address)
{
	asm("" : "+r"(address));
	return (volatile u32 *)address;
}

static void memory_fault(u32 kind)
{
	switch (kind) {
	case FAULT_READ_NULL:
		(void)*at(16);
		break;
	case FAULT_WRITE_NULL:
		*at(16) = 1;
		break;
	case FAULT_READ_KERNEL:
		(void)*at(KERNEL_ADDRESS);
		break;
	case FAULT_WRITE_KERNEL:
		*at(KERNEL_ADDRESS) = 1;
		break;
	case FAULT_READ_ROM:
		(void)*at(ROM_ADDRESS);
		break;
	case FAULT_READ_VMALLOC:
		(void)*at(VMALLOC_ADDRESS);
		break;
	case FAULT_NO_TABLE:
		(void)*at(NO_TABLE_ADDRESS);
		break;
	case FAULT_WRITE_TEXT:
		*at(USER_BASE) = 1;
		break;
	case FAULT_EXEC_STACK:
		exec_stack();
		break;
	}
}

void fault(u32 kind)
{
	static const u8 table[6];
	volatile u32 zero = 0;

	memory_fault(kind);
	switch (kind) {
	case FAULT_CLI:
		asm volatile("cli");
		break;
	case FAULT_STI:
		asm volatile("sti");
		break;
	case FAULT_IN:
		asm volatile("inb $0x60, %%al" ::: "eax");
		break;
	case FAULT_OUT:
		asm volatile("outb %%al, $0x80" ::"a"(0));
		break;
	case FAULT_HLT:
		asm volatile("hlt");
		break;
	case FAULT_LGDT:
		asm volatile("lgdt %0" ::"m"(table));
		break;
	case FAULT_MOV_CR3:
		asm volatile("mov %0, %%cr3" ::"r"(0));
		break;
	case FAULT_RDMSR:
		asm volatile("rdmsr" ::"c"(0xc0000080) : "eax", "edx");
		break;
	case FAULT_UD2:
		asm volatile("ud2");
		break;
	case FAULT_DIV:
		asm volatile("divl %0" ::"m"(zero), "a"(1), "d"(0));
		break;
	case FAULT_INT3:
		asm volatile("int3");
		break;
	case FAULT_INT20:
		asm volatile("int $0x20");
		break;
	case FAULT_INT50:
		asm volatile("int $0x50");
		break;
	case FAULT_KERNEL_CS:
		far_jump();
		break;
	case FAULT_RDTSC:
		asm volatile("rdtsc" ::: "eax", "edx");
		break;
	}
	exit(1);
}
