/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembly must know of C.  This file is compiled to assembly and never linked;
 * the build turns each "@NAME value" of it into "%define NAME value".
 */
#include "xenbind/hypercall.h"
#include "image.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/vmi/vmi.h"
#include "monitor/pvh/pvh.h"

#define DEFINE(name, value) __asm__ volatile("\n@" #name " %c0" : : "i"(value))
#define FILL_CACHE(field) (WIN_VCPU_BINDING + offsetof(struct shadow_vcpu, fill_cache.field))
#define UPDATE_VA __HYPERVISOR_update_va_mapping
#define GPR(n) (WIN_VCPU + offsetof(struct vcpu, r.gpr) + 4 * (n))

static always_inline void pvh_offsets(void)
{
	DEFINE(V_VIF, WIN_VCPU + offsetof(struct vcpu, vif));
	DEFINE(V_DUE, WIN_VCPU + offsetof(struct vcpu, due));
	DEFINE(V_PEND, WIN_VCPU + offsetof(struct vcpu, pend));
	DEFINE(V_HAS_MMIO, WIN_VCPU + offsetof(struct vcpu, has_mmio));
	DEFINE(V_DEVICES_FROM, WIN_VCPU + offsetof(struct vcpu, devices_from));
	DEFINE(PEND, PEND);
	DEFINE(V_TS_DUE, WIN_VCPU + offsetof(struct vcpu, ts_due));
	DEFINE(V_TS_REAL, WIN_VCPU + offsetof(struct vcpu, ts_real));
	DEFINE(V_HANDLER, WIN_VCPU + offsetof(struct vcpu, handler));
	DEFINE(V_LINEAR_BASE, WIN_VCPU + offsetof(struct vcpu, linear_base));
	DEFINE(V_LINEAR_LIMIT, WIN_VCPU + offsetof(struct vcpu, linear_limit));
	DEFINE(V_NARROW_LIMIT, WIN_VCPU + offsetof(struct vcpu, narrow_limit));
	DEFINE(V_WINDOW_PDE, WIN_VCPU + offsetof(struct vcpu, window_pde));
	DEFINE(V_TEXT, WIN_VCPU + offsetof(struct vcpu, text));
	DEFINE(V_PDPTE_FLAW, WIN_VCPU + offsetof(struct vcpu, pdpte_flaw));
	DEFINE(V_TOP_AT, WIN_VCPU + offsetof(struct vcpu, top_at));
	DEFINE(V_GDTR_BASE, WIN_VCPU + offsetof(struct vcpu, gdtr.base));
	DEFINE(V_GDT_ENTRIES, WIN_VCPU + offsetof(struct vcpu, gdt_entries));
	DEFINE(DESCRIPTOR_ACCESSED, 1 << 8);
	DEFINE(V_RELOAD_ES, WIN_VCPU + offsetof(struct vcpu, guard.reload[0]));
	DEFINE(V_RELOAD_DS, WIN_VCPU + offsetof(struct vcpu, guard.reload[1]));
	DEFINE(RELOAD_SLOT, offsetof(struct reload, slot));
	DEFINE(RELOAD_TAKEN, offsetof(struct reload, taken));
	DEFINE(RELOAD_SHUT, offsetof(struct reload, shut));
	DEFINE(V_ERROR, WIN_VCPU + offsetof(struct vcpu, r.error));
	DEFINE(V_PARAVIRTUAL, WIN_VCPU + offsetof(struct vcpu, paravirtual));
	DEFINE(V_ESP0, WIN_VCPU + offsetof(struct vcpu, esp0));
	DEFINE(TSS_ESP1, WIN_TSS + 12);
	DEFINE(OWN_CS0, OWN_CS0);
	DEFINE(OWN_DS0, OWN_DS0);
	DEFINE(OWN_GDT_LIMIT, OWN_GDT_LIMIT);
	DEFINE(WIN_GDT, WIN_GDT);
	DEFINE(VEC_CALL, VEC_CALL);
	DEFINE(VEC_TAKE, VEC_TAKE);
	DEFINE(VEC_CR2, VEC_CR2);
	DEFINE(VEC_CR3, VEC_CR3);
	DEFINE(VEC_FLUSH, VEC_FLUSH);
	DEFINE(VEC_INVLPG, VEC_INVLPG);
	DEFINE(VEC_CLEAR_TS, VEC_CLEAR_TS);
	DEFINE(VEC_SET_TS, VEC_SET_TS);
	DEFINE(VEC_KERNEL_FAULT, VEC_KERNEL_FAULT);
	DEFINE(VEC_IRET, VEC_IRET);
	DEFINE(VEC_V86, VEC_V86);
	DEFINE(VEC_PORT, VEC_PORT);
	DEFINE(VEC_COUNT, VEC_COUNT);
	DEFINE(VECTOR_DEVICE, VECTOR_DEVICE);
	DEFINE(VECTOR_IRET, VECTOR_IRET);
	DEFINE(VECTOR_V86, VECTOR_V86);
	DEFINE(FIXMAP_FROM, FIXMAP_FROM);
	DEFINE(PCI_HOLE, PCI_HOLE);
	DEFINE(EXC_GP, EXC_GP);
	DEFINE(EXC_NMI, EXC_NMI);
	DEFINE(CR0_PG, CR0_PG);
	DEFINE(PAGE_SIZE, PAGE_SIZE);
}

void offsets(void);
void offsets(void)
{
	DEFINE(VMIXEN_MAJOR, VMIXEN_MAJOR);
	DEFINE(VMIXEN_MINOR, VMIXEN_MINOR);
	DEFINE(WIN_TEXT, WIN_TEXT);
	DEFINE(WIN_RUN, WIN_RUN);
	DEFINE(RUN_DONE, RUN_DONE);
	DEFINE(WIN_STACK, WIN_STACK);
	DEFINE(WIN_STACK_TOP, WIN_STACK_TOP);
	DEFINE(WINDOW_BASE, WINDOW_BASE);
	DEFINE(VCPU, WIN_VCPU);
	DEFINE(V_EAX, GPR(GPR_EAX));
	DEFINE(V_ECX, GPR(GPR_ECX));
	DEFINE(V_EDX, GPR(GPR_EDX));
	DEFINE(V_EBX, GPR(GPR_EBX));
	DEFINE(V_EBP, GPR(GPR_EBP));
	DEFINE(V_ESI, GPR(GPR_ESI));
	DEFINE(V_EDI, GPR(GPR_EDI));
	DEFINE(V_SS, WIN_VCPU + offsetof(struct vcpu, r.ss));
	DEFINE(V_DS, WIN_VCPU + offsetof(struct vcpu, r.ds));
	DEFINE(V_ES, WIN_VCPU + offsetof(struct vcpu, r.es));
	DEFINE(V_VECTOR, WIN_VCPU + offsetof(struct vcpu, r.vector));
	DEFINE(V_TRAP_ESP, WIN_VCPU + offsetof(struct vcpu, trap_esp));
	DEFINE(V_EXIT_ESP, WIN_VCPU + offsetof(struct vcpu, exit_esp));
	DEFINE(V_ARGUMENT, WIN_VCPU + offsetof(struct vcpu, argument));
	DEFINE(V_CALL_ESP, WIN_VCPU + offsetof(struct vcpu, call_esp));
	DEFINE(V_IRET_SITE, WIN_VCPU + offsetof(struct vcpu, iret_site));
	DEFINE(V_CR0, WIN_VCPU + offsetof(struct vcpu, cr0));
	DEFINE(V_CR2, WIN_VCPU + offsetof(struct vcpu, cr2));
	DEFINE(V_CR3, WIN_VCPU + offsetof(struct vcpu, cr3));
	DEFINE(V_CR4, WIN_VCPU + offsetof(struct vcpu, cr4));
	DEFINE(V_NMI, WIN_VCPU + offsetof(struct vcpu, nmi));
	DEFINE(V_IF_BELIEVED, WIN_VCPU + offsetof(struct vcpu, if_believed));
	DEFINE(EFLAGS_IF, EFLAGS_IF);
	DEFINE(EFLAGS_NT, EFLAGS_NT);
	DEFINE(EFLAGS_VM, EFLAGS_VM);
	DEFINE(CR0_TS, CR0_TS);
	DEFINE(V_TS_CLEARED, WIN_VCPU + offsetof(struct vcpu, ts_cleared));
	DEFINE(V_NESTED_VECTOR, WIN_VCPU + offsetof(struct vcpu, nested_vector));
	DEFINE(V_NM_HANDLER, WIN_VCPU + offsetof(struct vcpu, nm_handler));
	DEFINE(V_SYSEXIT_CS, WIN_VCPU + offsetof(struct vcpu, sysexit.cs));
	DEFINE(V_SYSEXIT_SS, WIN_VCPU + offsetof(struct vcpu, sysexit.ss));
	DEFINE(N_VMI, WIN_COUNTERS + offsetof(struct counters, vmi));
	DEFINE(N_EXIT_CR0, WIN_COUNTERS + offsetof(struct counters, exit_cr0));
	DEFINE(N_EXIT_CPUID, WIN_COUNTERS + offsetof(struct counters, exit_cpuid));
	DEFINE(N_EXIT_WRMSR, WIN_COUNTERS + offsetof(struct counters, exit_wrmsr));
	DEFINE(V_EFER, WIN_VCPU + offsetof(struct vcpu, efer));
	DEFINE(V_DIRECTORY, WIN_VCPU + offsetof(struct vcpu, directory));
	DEFINE(V_PAGE_FAULT, WIN_VCPU + offsetof(struct vcpu, page_fault));
	DEFINE(S_LINEAR_BASE, WIN_BINDING + offsetof(struct pv, shadow.linear_base));
	DEFINE(S_LINEAR_HOOKED, WIN_BINDING + offsetof(struct pv, shadow.linear_hooked));
	DEFINE(N_PAGE_FAULT, WIN_COUNTERS + offsetof(struct counters, exception[EXC_PF]));
	DEFINE(N_FAULT_USER, WIN_COUNTERS + offsetof(struct counters, fault_user));
	DEFINE(V_LAZY, WIN_VCPU + offsetof(struct vcpu, lazy));
	DEFINE(S_QUEUED, WIN_VCPU_BINDING + offsetof(struct shadow_vcpu, queued));
	DEFINE(S_FILL_CACHE_AT, FILL_CACHE(at));
	DEFINE(S_FILL_CACHE_LONG_AT, FILL_CACHE(long_at));
	DEFINE(S_FILL_CACHE_FLAGS, FILL_CACHE(flags));
	DEFINE(S_FILL_CACHE_PDE_AT, FILL_CACHE(pde_at));
	DEFINE(S_FILL_CACHE_PDE, FILL_CACHE(pde));
	DEFINE(S_FILL_CACHE_L1, FILL_CACHE(l1));
	DEFINE(S_FILL_CACHE_DIRTY, FILL_CACHE(dirty_groups));
	DEFINE(S_FILL_CACHE_BAD_HIGH, FILL_CACHE(bad_high));
	DEFINE(S_GUEST_PAGES, WIN_BINDING + offsetof(struct pv, shadow.guest_pages));
	DEFINE(R_ENTRY, WIN_VCPU + offsetof(struct vcpu, runstate.state_entry_time));
	DEFINE(C_ENTRY, WIN_VCPU + offsetof(struct vcpu, clock.entry));
	DEFINE(C_STOLEN_CYCLES, WIN_VCPU + offsetof(struct vcpu, clock.stolen_cycles));
	DEFINE(C_AVAILABLE, WIN_VCPU + offsetof(struct vcpu, clock.available));
	DEFINE(N_WANTED, WIN_COUNTERS + offsetof(struct counters, shadow_wanted));
	DEFINE(N_UPDATE_VA, WIN_COUNTERS + offsetof(struct counters, hypercall) + 4 * UPDATE_VA);
	DEFINE(HYPERCALL_IRET, HYPERCALL_PAGE + 32 * __HYPERVISOR_iret);
	DEFINE(HYPERCALL_UPDATE_VA, HYPERCALL_PAGE + 32 * UPDATE_VA);
	DEFINE(UVMF_INVLPG, UVMF_INVLPG | UVMF_LOCAL);
	DEFINE(CURRENT_AS_PT, CURRENT_AS_PT);
	DEFINE(NO_CACHED_TABLE, NO_CACHED_TABLE);
	DEFINE(PTE_P, PTE_P);
	DEFINE(PTE_RW, PTE_RW);
	DEFINE(PTE_US, PTE_US);
	DEFINE(PTE_A, PTE_A);
	DEFINE(PTE_D, PTE_D);
	DEFINE(S_HIGHPTE, WIN_VCPU_BINDING + offsetof(struct shadow_vcpu, highpte));
	DEFINE(WIN_GMFN, WIN_GMFN);
	DEFINE(WIN_HEADS, WIN_HEADS);
	DEFINE(SHADOW_NONE, SHADOW_NONE);
	DEFINE(HEAD_NO_MEMORY, HEAD_NO_MEMORY);
	DEFINE(CR4_PAE, CR4_PAE);
	DEFINE(EFER_NXE, EFER_NXE);
	DEFINE(PF_P, PF_P);
	DEFINE(PF_W, PF_W);
	DEFINE(PF_U, PF_U);
	DEFINE(PF_I, PF_I);
	DEFINE(X_CR2, WIN_VCPU_INFO + offsetof(struct vcpu_info, arch.cr2));
	DEFINE(X_PENDING, WIN_VCPU_INFO + offsetof(struct vcpu_info, evtchn_upcall_pending));
	DEFINE(X_MASK, WIN_VCPU_INFO + offsetof(struct vcpu_info, evtchn_upcall_mask));
	DEFINE(FLAT_DS, FLAT_RING1_DS);
	DEFINE(VECTOR_HAS_ERROR, VECTOR_HAS_ERROR);
	DEFINE(VECTOR_UPCALL, VECTOR_UPCALL);
	DEFINE(ROM_PV, ROM_PV);
	DEFINE(ROM_PVH, ROM_PVH);
	DEFINE(ROM_UNIT, ROM_UNIT);
	DEFINE(ROM13_HEADER, ROM13_HEADER);
	DEFINE(ROM13_SLOTS, ROM13_SLOTS);
	DEFINE(ROM_SLOT_CALLS, ROM_SLOT_CALLS);
	pvh_offsets();
}
