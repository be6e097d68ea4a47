; SPDX-License-Identifier: GPL-2.0-only
;
; The calls that are a handful of instructions.  The interrupt-flag calls keep
; every register; IRET and SYSEXIT may assume only CS and SS.  The interrupt
; flag is the complement of vcpu_info.evtchn_upcall_mask.

; Enable: a pending event enters as an interrupt at .back; after Init there is
; one at once, and it makes the monitor believe the guest's saved flags.
vmi_EnableInterrupts:
	mov byte [ss:X_MASK], 0
	cmp byte [ss:X_PENDING], 0
	jne .pending
	ret
.pending:
	mov byte [ss:X_MASK], 1
	pushfd
	or dword [ss:esp], 0x200
	push cs
	push dword W(.back)
	jmp near upcall
.back:	ret

vmi_DisableInterrupts:
	mov byte [ss:X_MASK], 1
	ret

vmi_GetInterruptMask:
	movzx eax, byte [ss:X_MASK]
	mov eax, [ss:W(flags_of_mask) + eax * 4]
	ret
align 4
flags_of_mask: dd 0x200, 0

; A kernel that saved its flags at CPL 3, before Init, saw IF set whatever it
; had done: until it has enabled interrupts once, they stay off.
vmi_SetInterruptMask:
	test [ss:V_IF_BELIEVED], eax
	jz vmi_DisableInterrupts
	mov byte [ss:X_MASK], 0
	cmp byte [ss:X_PENDING], 0
	jne vmi_EnableInterrupts.pending
	ret

; Stack: return address of the call, EIP, CS, EFLAGS [, ESP, SS [, ES, DS, FS, GS]].
; From iret_window to iret_window_end the frame of the return lies at ESP and the
; call's place is noted.  What interrupts these instructions makes them start
; again at iret_window (restart_iret in monitor/pv/trap.c), so no interrupt's own
; IRET comes between the note and the iretd, and an event that comes after the
; look at X_PENDING is seen by the next one.
vmi_IRET:
	test dword [ss:esp + 12], EFLAGS_VM | EFLAGS_NT
	jnz near iret_unusual
iret_usual:
	pop dword [ss:V_IRET_SITE]
iret_window:
	test byte [ss:esp + 9], EFLAGS_IF >> 8
	jz iret_disabled
	; falls through

; Stack: an iret frame with IF set.
iret_enabled:
	mov byte [ss:X_MASK], 0
	cmp byte [ss:X_PENDING], 0
	jne iret_pending
iret_insn:
	iretd

iret_disabled:
	mov byte [ss:X_MASK], 1
iret_insn_disabled:
	iretd
iret_window_end:

iret_pending:
	mov byte [ss:X_MASK], 1
	jmp near upcall

; A frame with VM asks for virtual-8086 mode, which a 64-bit Xen does not have:
; its CS is no selector, and without VM it would be taken for one, of any ring.
; The call ends as an iret that the processor refuses: as a #GP whose frame from
; Xen would look like this, and the guest's own frame stays as the guest made it.
; NT in the flags of user mode means nothing; in ring 1 the next iretd would fault.
iret_unusual:
	test dword [ss:esp + 12], EFLAGS_VM
	jnz .v86
	test byte [ss:esp + 8], 2
	jnz iret_usual
	and dword [ss:esp + 12], ~EFLAGS_NT
	jmp iret_usual
.v86:
	mov byte [ss:X_MASK], 1
	pop dword [ss:V_IRET_SITE]
	pushfd
	push cs
	push dword W(iret_insn)
	push dword 0            ; error code
	jmp near trap_13

; EDX user EIP, ECX user ESP; the selectors are those that SYSENTER_CS makes (msr.c),
; both null where a processor would refuse.  As in IRET nothing may come between the
; note of the call's place and the iretd.  The processor looks at both segments, which
; SYSEXIT takes for flat ones: if they are none, it is a fault of the call, and the
; frame of five words stays on its stack.
vmi_SYSEXIT:
	mov byte [ss:X_MASK], 1
	pop dword [ss:V_IRET_SITE]
	push dword [ss:V_SYSEXIT_SS]
	push ecx
	pushfd
	or dword [ss:esp], EFLAGS_IF
	and dword [ss:esp], ~EFLAGS_NT
	push dword [ss:V_SYSEXIT_CS]
	push edx
	jmp iret_enabled

; What the processor says: before Init the kernel has asked it itself, and has put
; to use what it found.  Left out is only what cannot be had in ring 1 and no kernel
; uses before it asks again by this call, behind Init; docs/compatibility.md has each
; with its reason.  The APIC is ours, and its number 0.
CPUID_APIC equ 1<<9
CPUID_1_EDX equ ~(1<<7 | 1<<11 | 1<<14 | 1<<21 | 1<<22 | 1<<28 | 1<<29 | 1<<31)
	; MCE SEP MCA DS ACPI HT TM PBE
CPUID_1_ECX equ ~(1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<10 | 1<<14 | 1<<15 | 1<<17 | 1<<18 | 1<<21 | 1<<24)
	; DTES64 MONITOR DS-CPL VMX SMX EST TM2 CNXT-ID xTPR PDCM PCID DCA x2APIC TSC-DEADLINE
CPUID_E1_EDX equ ~(1<<7 | 1<<11 | 1<<14)
	; MCE SYSCALL MCA
CPUID_E1_ECX equ ~(1<<1 | 1<<2 | 1<<3 | 1<<9 | 1<<10 | 1<<12 | 1<<13 | 1<<15 | 1<<17 | 1<<19 | 1<<22 | 1<<23 | 1<<24 | 1<<26 | 1<<27 | 1<<28 | 1<<29)
	; CMP-LEGACY SVM EXTAPIC OSVW IBS SKINIT WDT LWP TCE NODEID TOPOEXT PERFCTRs DBEXT MWAITX
vmi_CPUID:
	push eax
	cpuid
	cmp dword [esp], 1
	je .features
	cmp dword [esp], 0x80000001
	je .extended
	add esp, 4
	ret
.features:
	and edx, CPUID_1_EDX
	or edx, CPUID_APIC
	and ebx, 0x00FFFFFF
	and ecx, CPUID_1_ECX
	add esp, 4
	ret
.extended:
	and edx, CPUID_E1_EDX
	and ecx, CPUID_E1_ECX
	add esp, 4
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
	mov eax, [V_CR2]
	ret
vmi_GetCR3:
	mov eax, [V_CR3]
	ret
vmi_GetCR4:
	mov eax, [V_CR4]
	ret
vmi_SetCR2:
	mov [V_CR2], eax
	ret
vmi_Pause:
	pause
	ret
vmi_INVD:
vmi_IODelay:
	ret
