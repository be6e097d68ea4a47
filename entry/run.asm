; SPDX-License-Identifier: GPL-2.0-only
;
; An instruction of the guest's, executed by the processor in the ROM's own page
; (monitor/emul/redirect.c), of both bindings.  If it faults, the fixup table of the binding
; (traps.asm) leads to run_fault.

global run_code

; u32 regparm3 run_code(u32 gpr[8], u32 *eflags)
; Calls the code at WIN_RUN, one instruction and a RET, with these registers (all but ESP)
; and flags, and stores what it leaves in them.  RUN_DONE, or the vector of the exception
; that the instruction has met: then gpr and *eflags have not changed.
; Stack during the call: gpr, eflags, EBP, EDI, ESI, EBX.
run_code:
	push ebx
	push esi
	push edi
	push ebp
	push edx
	push eax
	push dword [edx]
	popfd
	mov ecx, [eax + 4 * 1]
	mov edx, [eax + 4 * 2]
	mov ebx, [eax + 4 * 3]
	mov ebp, [eax + 4 * 5]
	mov esi, [eax + 4 * 6]
	mov edi, [eax + 4 * 7]
	mov eax, [eax]
	call [W(run_at)]
	push eax
	pushfd
	mov eax, [esp + 8]
	mov [eax + 4 * 1], ecx
	mov [eax + 4 * 2], edx
	mov [eax + 4 * 3], ebx
	mov [eax + 4 * 5], ebp
	mov [eax + 4 * 6], esi
	mov [eax + 4 * 7], edi
	mov edx, [esp + 12]
	pop dword [edx]
	pop dword [eax]
	mov eax, RUN_DONE
run_leave:
	add esp, 8
	pop ebp
	pop edi
	pop esi
	pop ebx
	ret
run_fault: ; stack: return address of the call
	add esp, 4
	mov eax, [V_NESTED_VECTOR]
	jmp run_leave
run_at: dd WIN_RUN
