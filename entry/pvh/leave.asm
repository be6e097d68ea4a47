; SPDX-License-Identifier: GPL-2.0-only
;
; The instructions of ring 0 that leave the PVH domain: hypercalls, CPUID, and writes of CR0
; and of MSRs.  Each is counted (hypercalls in hypercall()), which is nothing beside what it
; costs.

; QEMU's TCG sets the accessed bit in PDPTEs, which no processor does.  Xen's walk of the
; guest's tables takes it for a reserved bit, and Xen tries for ever to decode the
; instruction that has left the domain.  So where vcpu.pdpte_flaw says that the machine has
; this flaw, the bits are cleared in the PDPT that is loaded, right before such an
; instruction.  No branch may be in between: TCG takes interrupts at branches, and an
; interrupt would make it walk the tables, and set the bits, again.

; EBP becomes the address at which the PDPT that is loaded can be written.
%macro LOADED_PDPT 0
	mov ebp, cr3
	and ebp, -32
	cmp ebp, [ss:V_LINEAR_LIMIT]
	jae %%elsewhere
	add ebp, [ss:V_LINEAR_BASE]
	jmp %%done
%%elsewhere:
	mov ebp, [ss:V_TOP_AT]
%%done:
%endmacro

; Executes the instruction %1, which must not use EBP, on a machine with the flaw or without.
%macro LEAVING 1+
	cmp byte [ss:V_PDPTE_FLAW], 0
	jne %%flaw
	%1
	jmp %%done
	align 64
%%flaw:
	push ebp
	LOADED_PDPT
	and byte [ss:ebp], ~PTE_A
	and byte [ss:ebp + 8], ~PTE_A
	and byte [ss:ebp + 16], ~PTE_A
	and byte [ss:ebp + 24], ~PTE_A
	%1
	pop ebp
%%done:
%endmacro

; The hypercall page's calls jump here (make_hypercalls): EAX is the number of the hypercall.
hypercall_amd:
	LEAVING vmmcall
	ret
hypercall_intel:
	LEAVING vmcall
	ret
global hypercall_offset
hypercall_offset: dd hypercall_amd - rom_start, hypercall_intel - rom_start

; void regparm3 leave_cpuid(u32 regs[4]): EAX, EBX, ECX, EDX, in and out
global leave_cpuid, leave_set_cr0, leave_wrmsr
leave_cpuid:
	inc dword [ss:N_EXIT_CPUID]
	push ebx
	push esi
	mov esi, eax
	mov eax, [esi]
	mov ecx, [esi + 8]
	LEAVING cpuid
	mov [esi], eax
	mov [esi + 4], ebx
	mov [esi + 8], ecx
	mov [esi + 12], edx
	pop esi
	pop ebx
	ret

; void regparm3 leave_set_cr0(u32 value)
leave_set_cr0:
	inc dword [ss:N_EXIT_CR0]
	LEAVING mov cr0, eax
	ret

; void regparm3 leave_wrmsr(u32 low, u32 high, u32 msr)
leave_wrmsr:
	inc dword [ss:N_EXIT_WRMSR]
	LEAVING wrmsr
	ret

quick_clear_ts:
	inc dword [ss:N_EXIT_CR0]
	LEAVING clts
	iretd
quick_set_ts:
	push eax
	mov eax, cr0
	or al, CR0_TS
	inc dword [ss:N_EXIT_CR0]
	LEAVING mov cr0, eax
	pop eax
	iretd
