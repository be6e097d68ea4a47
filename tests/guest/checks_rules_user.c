/* SPDX-License-Identifier: GPL-2.0-only */
/* The user bit of an entry, tried by a process: for checks_rules_mmu.c. */
#include "checks.h"
#include "mm.h"
#include "proc.h"
#include "trap.h"

#define VA (VMALLOC_START + 0x1800000)
#define UVA 0x20000000u
#define USER_BITS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

static u32 shown, mark; /* the frame that is read, and its first word */

/* A process that reads a word twice, with the kernel's turn between: answers
 * how it ended. */
static u32 read_twice(void (*between)(struct mm *mm))
{
	struct proc *p = proc_spawn(PROG_READ_TWICE, UVA);

	pte_set(p->mm, UVA, pte_alloc(p->mm, UVA), pte_make(shown, USER_BITS));
	schedule();
	between(p->mm);
	return proc_wait(p->pid);
}

static void leave_it(struct mm *mm)
{
	(void)mm;
}

static void lose_user_bit(struct mm *mm)
{
	pte_set(mm, UVA, pte_of(mm, UVA), pte_make(shown, USER_BITS & ~PTE_US));
}

static void lose_user_bit_loaded(struct mm *mm)
{
	mm_switch(mm);
	(void)*(volatile u32 *)UVA;
	lose_user_bit(mm);
	ops.inval_page(UVA);
	check_eq("user bit: the kernel reads on in the process's space", mark,
		 *(volatile u32 *)UVA);
	mm_switch(&init_mm);
}

static void lose_and_regain(struct mm *mm)
{
	lose_user_bit_loaded(mm);
	pte_set(mm, UVA, pte_of(mm, UVA), pte_make(shown, USER_BITS));
}

static void lose_in_directory(struct mm *mm)
{
	pte_t *pmd = pmd_of(mm, UVA);

	ops.set_pte(*pmd & ~(pte_t)PTE_US, pmd, PAGE_L2_FLAG);
}

/* An entry that loses its user bit, or gets it, is the kernel's all the time, and
 * the user's only as long as it has the bit. */
void rules_user_bit(u32 frame)
{
	static const struct {
		const char *name;
		void (*between)(struct mm *mm);
		bool lost;
	} cases[] = {
		{"user bit: a process reads", leave_it, false},
		{"user bit: lost while another space is loaded", lose_user_bit, true},
		{"user bit: lost while its space is loaded", lose_user_bit_loaded, true},
		{"user bit: lost, and there again", lose_and_regain, false},
		{"user bit: lost by the directory entry", lose_in_directory, true},
	};
	volatile u32 *word = (volatile u32 *)VA;

	shown = frame;
	map_kernel(VA, shown, PTE_KERNEL | PTE_US);
	mark = *word;
	pte_set(&init_mm, VA, pte_of(&init_mm, VA), pte_make(shown, PTE_KERNEL));
	ops.inval_page(VA);
	check_eq("user bit: the kernel reads on without it", mark, *word);
	unmap_kernel(VA);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 status;

		seen.error = seen.cr2 = 0;
		status = read_twice(cases[i].between);
		check_subject(cases[i].name);
		check_eq("how the process ends", cases[i].lost ? STATUS_KILLED | V_PF : 0, status);
		if (cases[i].lost) {
			check_eq("error code", PF_USER | PF_PRESENT, seen.error);
			check_eq("CR2", UVA, seen.cr2);
		}
		check_subject(NULL);
	}
}
