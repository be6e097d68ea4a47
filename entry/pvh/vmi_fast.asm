; SPDX-License-Identifier: GPL-2.0-only
;
; The calls of the PVH binding that are a handful of instructions, in ring 1.  The calls on
; the interrupt flag keep every register; IRET and SYSEXIT may assume only that CS and SS
; are the kernel's.  The interrupt flag is vcpu.vif, and the processor's own is always set
; in ring 1.  vcpu.pend says that an interrupt waits for the flag.

vmi_EnableInterrupts:
	mov dword [ss:V_VIF], EFLAGS_IF
	cmp byte [ss:V_PEND], 0
	jne .pending
	ret
.pending:
	int VEC_TAKE
	ret

vmi_DisableInterrupts:
	mov dword [ss:V_VIF], 0
	ret

vmi_GetInterruptMask:
	mov eax, [ss:V_VIF]
	and eax, EFLAGS_IF
	ret

; In V_DUE a waiting interrupt is where the flag is in EAX.  (If another bit of EAX meets a TS
; that is due, ring 0 looks in vain.)
vmi_SetInterruptMask:
	mov [ss:V_VIF], eax
	test [ss:V_DUE], eax
	jnz vmi_EnableInterrupts.pending
	ret

; Stack: return address of the call, EIP, CS, EFLAGS [, ESP, SS [, ES, DS, FS, GS]].
; From iret_window to iret_window_end the frame of the return is at ESP, and the place of
; the call is noted in vcpu.iret_site.  An event that interrupts these instructions makes
; them start again at iret_window (iret_restart() in monitor/cpu/iret.h).
vmi_IRET:
	test dword [ss:esp + 12], EFLAGS_VM | EFLAGS_NT
	jnz near iret_unusual
iret_usual:
	pop dword [ss:V_IRET_SITE]
iret_window:
	test byte [ss:esp + 9], EFLAGS_IF >> 8
	jz iret_disabled
iret_enabled:
	mov dword [ss:V_VIF], EFLAGS_IF
	cmp dword [ss:V_DUE], 0
	jne iret_more
iret_insn:
	iretd

iret_disabled:
	mov dword [ss:V_VIF], 0
iret_insn_disabled:
	iretd
iret_window_end:

; Something is to be done before the iretd.  If an interrupt waits, ring 0 takes the frame at
; ESP for the context to interrupt, or comes back to iret_window.
iret_more:
	cmp byte [ss:V_PEND], 0
	je .ts
	int VEC_IRET
.ts:	test byte [ss:esp + 4], 2       ; to user mode only
	jz iret_insn
	mov byte [ss:V_TS_DUE], 0
	mov byte [ss:V_TS_REAL], 1
	int VEC_SET_TS
	jmp iret_insn

; VM asks for virtual-8086 mode, into which ring 0 goes.  NT means nothing in the flags of user
; mode, and is dropped for ring 1, where it would make the next iretd fault.
iret_unusual:
	test dword [ss:esp + 12], EFLAGS_VM
	jnz .v86
	test byte [ss:esp + 8], 2
	jnz iret_usual
	and dword [ss:esp + 12], ~EFLAGS_NT
	jmp iret_usual
.v86:	pop dword [ss:V_IRET_SITE]
	int VEC_V86

; EDX user EIP, ECX user ESP.  The selectors are those that MSR SYSENTER_CS makes (msr.c),
; and both are null where a processor would refuse SYSEXIT.  No interrupt may come between
; the note of the call's place and the iretd, for its handler's IRET would note its own.
vmi_SYSEXIT:
	mov dword [ss:V_VIF], 0
	pop dword [ss:V_IRET_SITE]
	push dword [ss:V_SYSEXIT_SS]
	push ecx
	pushfd
	or dword [ss:esp], EFLAGS_IF
	and dword [ss:esp], ~EFLAGS_NT
	push dword [ss:V_SYSEXIT_CS]
	push edx
	jmp iret_enabled

vmi_CPUID:
	cpuid                    ; traps (MSR 140h)
	ret

vmi_Halt:
	call stub_HaltWait
	jmp vmi_EnableInterrupts

vmi_RDTSC:
	rdtsc
	ret

vmi_GetCR0:
	mov eax, [V_CR0]
	ret
vmi_GetCR2:
	int VEC_CR2
	ret
vmi_GetCR3:
	mov eax, [V_CR3]
	ret
vmi_GetCR4:
	mov eax, [V_CR4]
	ret
vmi_SetCR2:
	CALL_C SetCR2
vmi_Pause:
	pause
	ret
vmi_INVD:
vmi_IODelay:
	ret
