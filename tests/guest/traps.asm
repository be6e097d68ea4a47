; SPDX-License-Identifier: GPL-2.0-only
;
; Every way into the kernel after boot, the way back, the context switch, and
; the native bodies of the operations that are patched into their sites.
;
; Stack picture at trap_dispatch (struct regs in cpu.h), lowest first:
;   ebx ecx edx esi edi ebp eax  ds es fs gs  vector error  eip cs eflags
;   [esp ss]

%define PV_IRET 4               ; enum pv_type in ops.h
%define PV_SYSEXIT 5
%define REGS_EIP 52
%define REGS_ESP 64

extern trap_dispatch, pv_ops, df_report
global trap_entries, ret_from_trap, irq_return, df_entry, iret_caught
global sysexit_return, sysexit_site, switch_stacks
global native_irq_enable, native_irq_disable, native_save_fl, native_restore_fl
global native_iret, native_sysexit
global sysexit_with, vmi_call, vmi_call_run, vmi_call_landing, other_ud, other_ud_seen
global call_keeping, call_inline, iret_with_frame, iret_resume_esp, iret_frame_esp

%macro PV_SITE 3                ; type, offset in pv_ops, bytes
%%site:
	jmp dword [cs:pv_ops + %2]
	times %3 - ($ - %%site) nop
section .pvsites progbits alloc noexec nowrite align=4
	dd %%site
	db %1, %3
	dw 0
section .text
%endmacro

; A selector that cannot be loaded any more becomes null, as in Linux.
%macro POP_SELECTOR 1
%%pop:	pop %1
section .text.fixup progbits alloc exec nowrite
%%null:	mov dword [esp], 0
	jmp %%pop
section .extable progbits alloc noexec nowrite align=4
	dd %%pop, %%null
section .text
%endmacro

%macro POP_REGISTERS 0
	pop ebx
	pop ecx
	pop edx
	pop esi
	pop edi
	pop ebp
	pop eax
	POP_SELECTOR ds
	POP_SELECTOR es
	POP_SELECTOR fs
	test byte [esp + 16], 2         ; CS
	jz %%kernel                     ; GS is the process's, and need not be loadable
	POP_SELECTOR gs
	jmp %%done
%%kernel:
	add esp, 4
%%done:
%endmacro

section .text
bits 32

; ---- entries: one stub a vector, with an error code where the CPU has none
%assign v 0
%rep 256
stub_ %+ v:
%if (v = 8) || (v >= 10 && v <= 14) || (v = 17)
%else
	push dword 0
%endif
	push dword v
	jmp trap_common
%assign v v + 1
%endrep

trap_common:
	cld
	push gs
	push fs
	push es
	push ds
	push eax
	push ebp
	push edi
	push esi
	push edx
	push ecx
	push ebx
	mov edx, 0x7b
	mov ds, edx
	mov es, edx
	mov edx, 0xd8
	mov fs, edx
	mov eax, esp
	call trap_dispatch              ; void trap_dispatch(struct regs *)
ret_from_trap:                          ; interrupts are off here
	POP_REGISTERS
	add esp, 8
irq_return:
	PV_SITE PV_IRET, 16, 7

; ---- double fault: a task of its own (task gate), never returns
df_entry:
	call df_report
	jmp $

; ---- void sysexit_return(struct regs *r): back to user mode by SYSEXIT.
; EDX = EIP, ECX = ESP, EAX = result; the other registers from the frame.
sysexit_return:
	mov esp, eax
	mov edx, [esp + REGS_EIP]
	mov ecx, [esp + REGS_ESP]
	mov [esp + 4], ecx
	mov [esp + 8], edx
	POP_REGISTERS
sysexit_site:
	PV_SITE PV_SYSEXIT, 20, 7

; ---- void switch_stacks(u32 *save_esp, u32 load_esp)
switch_stacks:
	pushfd
	push ebp
	push ebx
	push esi
	push edi
	mov [eax], esp
	mov esp, edx
	pop edi
	pop esi
	pop ebx
	pop ebp
	popfd
	ret

; ---- native bodies; close together, as Linux's are
native_irq_disable:
	cli
	ret
native_irq_enable:
	sti
	ret
native_save_fl:
	pushfd
	pop eax
	ret
native_restore_fl:
	push eax
	popfd
	ret
native_iret:
	iret
native_sysexit:
	sti
	sysexit

; ---- void call_keeping(void *fn, const u32 in[3], u32 out[8])
; Calls fn with EAX, EDX, ECX = in and patterns in EBX, ESI, EDI, EBP.
; out: eax edx ecx ebx esi edi ebp, and ESP after minus ESP before.
call_keeping:
	push ebp
	push ebx
	push esi
	push edi
	push ecx                        ; out
	mov ecx, eax
	mov [.fn], ecx
	mov [.esp], esp
	mov ecx, [edx + 8]
	mov eax, [edx]
	mov edx, [edx + 4]
	mov ebx, 0xb1b2b3b4
	mov esi, 0x51525354
	mov edi, 0xd1d2d3d4
	mov ebp, 0xe1e2e3e4
	call [.fn]
.store:
	push edi
	mov edi, [.esp]
	mov edi, [edi]                  ; out
	mov [edi], eax
	mov [edi + 4], edx
	mov [edi + 8], ecx
	mov [edi + 12], ebx
	mov [edi + 16], esi
	pop dword [edi + 20]
	mov [edi + 24], ebp
	mov eax, esp
	sub eax, [.esp]
	mov [edi + 28], eax
	mov esp, [.esp]
	pop ecx
	pop edi
	pop esi
	pop ebx
	pop ebp
	ret
section .bss
.fn:	resd 1
.esp:	resd 1
section .text

; ---- void call_inline(void *fn, u32 eax, u32 out[8])
; As call_keeping, but for calls that keep every register: EDX = 0xd0d0d0d0
; and ECX = 0xc0c0c0c0 go in too.
call_inline:
	push ecx
	push dword 0xc0c0c0c0
	push dword 0xd0d0d0d0
	push edx
	mov edx, esp                    ; in[3] is on the stack: eax edx ecx
	mov ecx, [esp + 12]
	call call_keeping
	add esp, 16
	ret

; ---- void vmi_call_run(void): makes the call that struct vmi_call (rom.h) in
; vmi_call describes and stores what came of it there.  A frame for IRET goes
; into `stack`, with vmi_call_landing as EIP.
VC_FN equ 0
VC_IN equ 4                     ; eax edx ecx ebx esi edi ebp
VC_STACK equ 32                 ; four words
VC_OUT equ 48                   ; as VC_IN, then ESP and EFLAGS
VC_SAVED equ 84
vmi_call_run:
	pushad
	mov [vmi_call + VC_SAVED], esp
	push dword [vmi_call + VC_STACK + 12]
	push dword [vmi_call + VC_STACK + 8]
	push dword [vmi_call + VC_STACK + 4]
	push dword [vmi_call + VC_STACK]
	mov eax, [vmi_call + VC_IN]
	mov edx, [vmi_call + VC_IN + 4]
	mov ecx, [vmi_call + VC_IN + 8]
	mov ebx, [vmi_call + VC_IN + 12]
	mov esi, [vmi_call + VC_IN + 16]
	mov edi, [vmi_call + VC_IN + 20]
	mov ebp, [vmi_call + VC_IN + 24]
	call [vmi_call + VC_FN]
vmi_call_landing:
	mov [vmi_call + VC_OUT], eax
	pushfd
	pop dword [vmi_call + VC_OUT + 32]
	mov [vmi_call + VC_OUT + 4], edx
	mov [vmi_call + VC_OUT + 8], ecx
	mov [vmi_call + VC_OUT + 12], ebx
	mov [vmi_call + VC_OUT + 16], esi
	mov [vmi_call + VC_OUT + 20], edi
	mov [vmi_call + VC_OUT + 24], ebp
	lea eax, [esp + 16]
	sub eax, [vmi_call + VC_SAVED]
	mov [vmi_call + VC_OUT + 28], eax
	mov esp, [vmi_call + VC_SAVED]
	cld
	popad
	ret
section .bss
alignb 4
vmi_call: resb 88
section .text

; ---- another handler of #UD: marks it, and goes on behind the ud2
other_ud:
	mov dword [other_ud_seen], 1
	add dword [esp], 2
	jmp irq_return
section .bss
other_ud_seen: resd 1
section .text

; ---- u32 iret_with_frame(const u32 frame[9]): executes the kernel's own
; return site on a frame that the caller made; returns the vector of the
; fault, which iret_caught() (traps.c) brings back here.
iret_with_frame:
	push ebp
	push ebx
	push esi
	push edi
	mov [iret_resume_esp], esp
	lea esp, [esp - 9 * 4]
	mov esi, eax
	mov edi, esp
	mov ecx, 9
	rep movsd
	mov [iret_frame_esp], esp
	jmp irq_return
; ---- u32 sysexit_with(u32 eip, u32 esp): the same by SYSEXIT
sysexit_with:
	push ebp
	push ebx
	push esi
	push edi
	mov [iret_resume_esp], esp
	mov ecx, edx
	mov edx, eax
	jmp sysexit_site
iret_caught:                            ; EAX = vector, ESP = iret_resume_esp
	mov esp, [iret_resume_esp]
	mov dword [iret_resume_esp], 0
	pop edi
	pop esi
	pop ebx
	pop ebp
	ret
section .bss
iret_resume_esp: resd 1
iret_frame_esp: resd 1

section .rodata
trap_entries:
%assign v 0
%rep 256
	dd stub_ %+ v
%assign v v + 1
%endrep
