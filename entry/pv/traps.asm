; SPDX-License-Identifier: GPL-2.0-only
;
; Xen's ways into the ROM: exceptions, the event upcall, the failsafe callback,
; and the one way out.
;
; Xen pushes its frame on the stack of stack_switch (from ring 3) or on the guest's own
; (from ring 1); upcalls are masked from then on.  Nothing else is pushed there: registers
; go to struct vcpu, and C runs on the monitor's stack.  A trap that comes while ESP is in
; the monitor's stack is nested.  Then its instruction has a place in the fixup table, or
; it is a breakpoint of the guest's that the monitor has touched, or it is an error of the
; monitor's.
;
; Frame, from low addresses: [error code,] EIP, CS, EFLAGS [, ESP, SS].

extern monitor_trap, nested_trap, segment_failsafe, monitor_start
global trap_table, nm_offset, upcall_offset, failsafe_offset, fixup_table, fixup_count
global iret_window_offset, iret_offset, iret_disabled_offset
global nmi_unblock

; Reflects a page fault from ring 3 that the guest's own tables demand: nothing is present,
; or a write meets a read-only page-table entry.  Xen's frame stands where the processor
; would have put the guest's, so it is made that, and the guest's handler is entered.
; Every other page fault goes on to C, at fault_in_c.
; Stack: error code, EIP, CS, EFLAGS, ESP, SS.
%macro FAULT_FROM_USER 0
	cmp dword [ss:V_PAGE_FAULT], 0  ; it has no handler before Init
	je fault_in_c
	test byte [ss:esp + 8], 2
	jz fault_in_c
	cmp dword [ss:S_QUEUED], 0      ; C must give queued changes to Xen first
	jne fault_in_c
	mov [ss:V_EAX], eax
	mov [ss:V_ECX], ecx
	mov [ss:V_EDX], edx
	mov eax, [ss:X_CR2]
	mov ecx, eax
	shr ecx, 30
	mov edx, [ss:V_DIRECTORY + ecx * 4]
	test edx, edx
	jz near fault_walk_in_c
	test byte [ss:V_CR4], CR4_PAE
	jz near %%narrow
	test byte [ss:V_EFER + 1], EFER_NXE >> 8
	jz near fault_walk_in_c         ; NX would be a reserved bit
	FAULT_WALK 8
%%narrow:
	FAULT_WALK 4
fault_walk_in_c:
	mov ecx, [ss:V_ECX]
	mov edx, [ss:V_EDX]
	mov eax, [ss:V_EAX]
fault_in_c:
%endmacro

; Walks the guest's tables for the address in EAX, from the directory that can be read at
; EDX.  %1 is the size of a page-table entry in bytes.  Reflects the fault, or goes on at
; fault_walk_in_c.
%macro FAULT_WALK 1
	mov ecx, eax
 %if %1 = 8
	shr ecx, 21
	and ecx, 511
	test dword [ss:edx + ecx * 8 + 4], 0x7FFFFFFF
	jnz fault_walk_in_c
 %else
	shr ecx, 22
 %endif
	mov edx, [ss:edx + ecx * %1]
	test dl, 1                      ; present
	jz %%absent
	test dl, dl                     ; large page
	js fault_walk_in_c
	mov ecx, edx
	shr ecx, 21
	bt [ss:S_LINEAR_HOOKED], ecx
	jnc fault_walk_in_c
	shr edx, 12
	cmp dword [ss:WIN_GMFN + edx * 4], -1
	je fault_walk_in_c
	shl edx, 12
	add edx, [ss:S_LINEAR_BASE]
	mov ecx, eax
	shr ecx, 12
	and ecx, 4096 / %1 - 1
	mov edx, [ss:edx + ecx * %1]
	test dl, 1
	jnz %%present
%%absent:
 %if %1 = 8
	and byte [ss:esp], PF_W | PF_I
 %else
	and byte [ss:esp], PF_W         ; of fetches only a guest with NX is told
 %endif
	or byte [ss:esp], PF_U
%%reflect:
	mov [ss:V_CR2], eax
	inc dword [ss:N_PAGE_FAULT]
	inc dword [ss:N_FAULT_USER]
	and dword [ss:esp + 8], 0xFFFF  ; Xen keeps its mask above CS
	mov ecx, [ss:V_ECX]
	mov edx, [ss:V_EDX]
	mov eax, [ss:V_EAX]
	jmp far [ss:V_PAGE_FAULT]
%%present:
	test dl, 2                      ; writable
	jnz fault_walk_in_c
	test byte [ss:esp], PF_W
	jz fault_walk_in_c
	mov dword [ss:esp], PF_P | PF_W | PF_U
	jmp %%reflect
%endmacro

; An NMI may come between any two instructions.  Between two of the guest's it goes the way
; of an exception.  Between two of the ROM's it is noted in vcpu.nmi, and the guest gets it
; when it goes on: where interrupts are enabled this enters as an upcall at once, and where
; they are not the interrupted code goes on.  Stack: EIP, CS, EFLAGS.
%macro NMI 0
	cmp dword [ss:esp], WINDOW_BASE
	jb %%guest
	test byte [ss:esp + 4], 2       ; a ring-3 EIP in this range is not ours
	jnz %%guest
	mov byte [ss:V_NMI], 1
	mov byte [ss:X_PENDING], 1
	test byte [ss:esp + 9], EFLAGS_IF >> 8
	jnz near upcall
	jmp dword [ss:W(hypercall_iret)] ; Xen lets the next one in
%%guest:
%endmacro

; The entry point of an exception.  %1 vector, %2 1 where the processor pushes an error code
%macro TRAP 2
trap_%1:
 %if %1 = 14
	FAULT_FROM_USER
 %elif %1 = 2
	NMI
 %endif
	cmp esp, WIN_STACK
	jae %%nested
	mov [ss:V_EAX], eax
	mov eax, %1 | (%2 * VECTOR_HAS_ERROR)
	jmp near trap_common
%%nested:
 %if %2 = 0
	push dword 0
 %endif
	push dword %1
	jmp near trap_nested
%endmacro

%assign n 0
%rep 32
 %if n = 8 || (n >= 10 && n <= 14) || n = 17
	TRAP n, 1
 %else
	TRAP n, 0
 %endif
 %assign n n + 1
%endrep

trap_table:
%assign n 0
%rep 32
	dd trap_%[n] - rom_start
 %assign n n + 1
%endrep

; Xen could not load a selector when it let the vCPU run again, and left the register null.
; It may have interrupted any code, that of the ROM included, so registers are saved on the
; stack and not in struct vcpu.  Stack: the selectors DS, ES, FS, GS, then the frame.
failsafe:
	pushad
	push ds
	push es
	mov eax, FLAT_DS
	mov ds, eax
	mov es, eax
	cld
	lea eax, [esp + 40]
	call segment_failsafe           ; void regparm3 (const u32 selector[4])
	pop es
	pop ds
	popad
	add esp, 16
	test byte [ss:esp + 9], 2
	jnz near iret_enabled
	jmp near iret_disabled

; The event upcall; the ROM's own code jumps here, too.  Upcalls are masked.  Stack: a frame
; of the context that the event shall interrupt.
upcall:
	mov [ss:V_EAX], eax
	mov eax, VECTOR_UPCALL
	; falls through

; From all of these entry points to C.  EAX: what vcpu.r.vector becomes; the guest's EAX is
; saved already.
trap_common:
	mov [ss:V_VECTOR], eax
	mov [ss:V_ECX], ecx
	mov [ss:V_EDX], edx
	mov [ss:V_EBX], ebx
	mov [ss:V_EBP], ebp
	mov [ss:V_ESI], esi
	mov [ss:V_EDI], edi
	mov [ss:V_TRAP_ESP], esp
	mov eax, ds
	mov [ss:V_DS], eax
	mov eax, es
	mov [ss:V_ES], eax
	mov eax, ss
	mov [ss:V_SS], eax
	mov eax, FLAT_DS
	mov ds, eax
	mov es, eax
	cld
	mov esp, WIN_STACK_TOP
	mov eax, VCPU
	call monitor_trap
	; falls through

; void noreturn exit_guest(void): goes on with the guest.  vcpu.r and the frame at
; vcpu.exit_esp must be complete.  A selector that cannot be loaded any more becomes null
; (fixup_table).
exit_guest:
	mov eax, [ss:V_ES]
exit_es:
	mov es, eax
exit_es_done:
	mov eax, [ss:V_DS]
exit_ds:
	mov ds, eax
exit_ds_done:
	mov ecx, [ss:V_ECX]
	mov edx, [ss:V_EDX]
	mov ebx, [ss:V_EBX]
	mov ebp, [ss:V_EBP]
	mov esi, [ss:V_ESI]
	mov edi, [ss:V_EDI]
	mov eax, [ss:V_SS]
exit_ss:
	mov ss, eax
	mov esp, [ss:V_EXIT_ESP]
	mov eax, [ss:V_EAX]
	test byte [ss:esp + 9], 2
	jnz iret_enabled
	jmp iret_disabled

; Stack: vector, error code, EIP, CS, EFLAGS of the interrupted monitor code.
; void nested_trap(struct nested_frame *) may change EIP and EAX.
trap_nested:
	pushad
	mov eax, esp
	call nested_trap
	popad
	add esp, 8
	iretd

; s32 fixup_table[][2]: an instruction of the ROM's that may fault, and where to go on then.
fixup_table:
	dd exit_es - rom_start, exit_null_es - rom_start
	dd exit_ds - rom_start, exit_null_ds - rom_start
	dd linear_words - rom_start, linear_words_left - rom_start
	dd linear_bytes - rom_start, linear_bytes_left - rom_start
	dd WIN_RUN - WIN_TEXT, run_fault - rom_start
fixup_count: dd ($ - fixup_table) / 8

exit_null_es:
	xor eax, eax
	mov es, eax
	jmp exit_es_done
exit_null_ds:
	xor eax, eax
	mov ds, eax
	jmp exit_ds_done

; The guest's #NM comes here before its own handler.  Xen has cleared TS, which hardware
; would not have done: that is noted for control_restore_ts.
nm_entry:
	mov byte [ss:V_TS_CLEARED], CR0_TS
	jmp dword [ss:V_NM_HANDLER]

nm_offset: dd nm_entry - rom_start
upcall_offset: dd upcall - rom_start
failsafe_offset: dd failsafe - rom_start
iret_window_offset: dd iret_window - rom_start, iret_window_end - rom_start
iret_offset: dd iret_insn - rom_start
iret_disabled_offset: dd iret_insn_disabled - rom_start

%include "entry/linear.asm"

; void nmi_unblock(void): called with upcalls masked.  Xen holds the next NMI back until the
; hypercall iret is made, and the guest's own IRET is not one; so it is made here, with a
; frame that returns to .back.
nmi_unblock:
	pushfd
	and byte [esp + 1], ~(EFLAGS_IF >> 8) & 0xFF
	push cs
	push dword W(.back)
	jmp dword [ss:W(hypercall_iret)]
.back:	ret
align 4
hypercall_iret: dd HYPERCALL_IRET

%include "entry/run.asm"

; The monitor's entry point: the domain entry jumps here, once, on the monitor's stack.
monitor_entry:
	mov eax, VCPU
	call monitor_start
	jmp exit_guest
