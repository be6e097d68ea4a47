; SPDX-License-Identifier: GPL-2.0-only
;
; The calls that are a handful of instructions.  The calls on the interrupt flag keep every
; register; IRET and SYSEXIT may assume only that CS and SS are the kernel's.  The
; interrupt flag is the complement of vcpu_info.evtchn_upcall_mask.

; Enable: a pending event enters as an upcall that has interrupted the code at .back.  Init
; leaves one pending.  The upcall that it becomes here proves to the monitor that the guest
; has enabled interrupts; vcpu.if_believed says what follows.
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

; EAX: flags that the kernel has saved.  If it saved them before Init, at CPL 3, IF was set
; whatever the kernel had done.  So until it has enabled interrupts once, vcpu.if_believed
; is 0 and they stay off.
vmi_SetInterruptMask:
	test [ss:V_IF_BELIEVED], eax
	jz vmi_DisableInterrupts
	mov byte [ss:X_MASK], 0
	cmp byte [ss:X_PENDING], 0
	jne vmi_EnableInterrupts.pending
	ret

; Stack: return address of the call, EIP, CS, EFLAGS [, ESP, SS [, ES, DS, FS, GS]].
; From iret_window to iret_window_end the frame of the return is at ESP, and the place of
; the call is noted in vcpu.iret_site.  An upcall that interrupts these instructions makes
; them start again at iret_window (iret_restart() in monitor/cpu/iret.h).  So no handler's own
; IRET comes between the note and the iretd, and an event that comes behind the look at
; X_PENDING is seen at the second time.
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

; A frame with VM asks for virtual-8086 mode, which a 64-bit Xen does not have.  Its CS is no
; selector; without VM it would be taken for one, of any ring.  So the call ends like an
; iret that the processor refuses: with a #GP, for which the frame is pushed that Xen would
; push, while the guest's own frame stays as it is.  NT means nothing in the flags of user
; mode, and is dropped for ring 1, where it would make the next iretd fault.
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

; EDX user EIP, ECX user ESP.  The selectors are those that MSR SYSENTER_CS makes (msr.c),
; and both are null where a processor would refuse SYSEXIT.  As in IRET no interrupt may
; come between the note of the call's place and the iretd.  A processor takes both segments
; for flat ones without a look; the iretd here does look, and if they are not there it is a
; fault at the call, with the frame of five words left on the stack.
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

; CPUID answers what the processor says, for before Init the kernel has asked the processor
; itself and may already use what it found.  Left out are only features that cannot be had
; in ring 1 and that no kernel uses before it has asked again by this call, after Init;
; docs/compatibility.md has each of them with its reason.  The APIC is the virtual PC's, and
; its number is 0.
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
