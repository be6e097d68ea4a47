; SPDX-License-Identifier: GPL-2.0-only
;
; Ring 0 of the PVH binding: the ways in from the guest, which runs in rings 1 and 3 of the
; same address space, and the one way out.
;
; The processor changes to the stack of the TSS, which is the monitor's, so its frame stands
; at the top of that stack and C runs below it.  Registers go to struct vcpu.  In ring 0
; interrupts are off.  A trap from ring 0 is nested: its instruction has a place in the
; fixup table, or it is an error of the monitor's (nested_trap).
;
; Frame, from low addresses: vector, error code, EIP, CS, EFLAGS, ESP, SS [, ES,
; DS, FS, GS from virtual-8086 mode].

extern monitor_trap, nested_trap, monitor_start
global trap_table, fixup_table, fixup_count, quick_table
global iret_window_offset, iret_offset, iret_disabled_offset, exit_iret_offset
global exception_code_offset

V86_WORDS equ 4                         ; ES DS FS GS

; --- into C ------------------------------------------------------------------

; Does the processor push an error code?
%define HAS_ERROR(n) ((n) == 8 || ((n) >= 10 && (n) <= 14) || (n) == 17)

; One entry point for each vector, 16 bytes apart.
align 16
trap_entries:
%assign n 0
%rep 256
 %assign e HAS_ERROR(n)
 %if e = 0
	push byte 0
 %endif
	push dword n | (e * VECTOR_HAS_ERROR)
	jmp strict near trap_common
	align 16
 %assign n n + 1
%endrep
trap_table: dd trap_entries - rom_start

; Xen's events, and VEC_TAKE, by which Enable asks for what is pending.
upcall:	push byte 0
	push dword VECTOR_UPCALL
	; falls through

trap_common:
	test dword [esp + 16], EFLAGS_VM
	jnz .guest
	test byte [esp + 12], 3
	jz near trap_nested
.guest:	mov [ss:V_EAX], eax
	mov [ss:V_ECX], ecx
	mov [ss:V_EDX], edx
	mov [ss:V_EBX], ebx
	mov [ss:V_EBP], ebp
	mov [ss:V_ESI], esi
	mov [ss:V_EDI], edi
	pop dword [ss:V_VECTOR]
	pop dword [ss:V_ERROR]
	mov [ss:V_TRAP_ESP], esp
	sub esp, V86_WORDS * 4          ; the frame of the way out may be longer
	mov eax, ds
	mov [ss:V_DS], eax
	mov eax, es
	mov [ss:V_ES], eax
	mov eax, OWN_DS0
	mov ds, eax
	mov es, eax
	cld
	mov eax, VCPU
	call monitor_trap
	; falls through

; void noreturn exit_guest(void): goes on with the guest.  vcpu.r and the frame at
; vcpu.exit_esp must be complete.  A selector that cannot be loaded any more becomes null
; (fixup_table).
exit_guest:
	cmp byte [ss:V_PARAVIRTUAL], 0
	je exit_before_init
	mov eax, [ss:V_ES]
exit_es:
	mov es, eax
exit_es_done:
	mov eax, [ss:V_DS]
exit_ds:
	mov ds, eax
exit_ds_done:
exit_registers:
	mov ecx, [ss:V_ECX]
	mov edx, [ss:V_EDX]
	mov ebx, [ss:V_EBX]
	mov ebp, [ss:V_EBP]
	mov esi, [ss:V_ESI]
	mov edi, [ss:V_EDI]
	mov eax, [ss:V_EAX]
	mov esp, [ss:V_EXIT_ESP]
exit_iret:
	iretd

; Before Init: loads a register with the descriptor that it has taken (monitor/pvh/guard.c),
; which is in the table just for that.  %1 register, %2 where its selector is, %3 its
; struct reload.
%macro RELOAD 3
	mov ecx, [ss:%3 + RELOAD_SLOT]
	mov eax, [ss:%3 + RELOAD_TAKEN]
	mov [ss:ecx], eax
	mov eax, [ss:%3 + RELOAD_TAKEN + 4]
	mov [ss:ecx + 4], eax
	mov eax, [ss:%2]
reload_%1:
	mov %1, eax
reload_%1_done:
	mov eax, [ss:%3 + RELOAD_SHUT]
	mov [ss:ecx], eax
	mov eax, [ss:%3 + RELOAD_SHUT + 4]
	mov [ss:ecx + 4], eax
%endmacro

exit_before_init:
	RELOAD es, V_ES, V_RELOAD_ES
	RELOAD ds, V_DS, V_RELOAD_DS
	jmp exit_registers
reload_null_es:
	xor eax, eax
	mov es, eax
	jmp reload_es_done
reload_null_ds:
	xor eax, eax
	mov ds, eax
	jmp reload_ds_done

iret_pending:
	push byte 0
	push dword VECTOR_IRET
	jmp trap_common
enter_v86:
	push byte 0
	push dword VECTOR_V86
	jmp trap_common

; Stack: vector, error code, EIP, CS, EFLAGS of the interrupted monitor code.  An NMI is noted
; for the next way out; before Init it is dropped.  Where DS is the guest's, as in a VMI call
; and at the end of exit_guest, C gets the monitor's DS and ES all the same.  (Elsewhere ES
; is not touched: before Init the guest's could not be loaded again.)
; void nested_trap(struct nested_frame *) may change EIP and EAX.
trap_nested:
	cmp byte [esp], EXC_NMI
	je .nmi
	pushad
	mov eax, esp
	cld
	mov edx, ds
	cmp edx, OWN_DS0
	jne .guests
	call nested_trap
.back:	popad
.done:	add esp, 8
	iretd
.guests:
	push ds
	push es
	mov edx, OWN_DS0
	mov ds, edx
	mov es, edx
	call nested_trap
	pop es
	pop ds
	jmp .back
.nmi:	push eax
	mov al, [ss:V_PARAVIRTUAL]
	or [ss:V_NMI], al
	pop eax
	jmp .done

; s32 fixup_table[][2]: an instruction of the ROM's that may fault, and where to go on then.
fixup_table:
	dd exit_es - rom_start, exit_null_es - rom_start
	dd exit_ds - rom_start, exit_null_ds - rom_start
	dd reload_es - rom_start, reload_null_es - rom_start
	dd reload_ds - rom_start, reload_null_ds - rom_start
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

; VEC_CALL: a VMI call in C.  EBX is its row in call_code, ESI and EDI are the words that the
; caller's stack has for it (entry/pvh/vmi.asm).
call_in_c:
	cmp ebx, CALL_CODE_ROWS
	jae near .bad
	mov [ss:V_ARGUMENT], esi
	mov [ss:V_ARGUMENT + 4], edi
	push esi
	lea esi, [W(call_code) + ebx * 8]
	cld
	call esi
	pop esi
	iretd
.bad:	push byte 0                     ; the guest's own INT: a #GP, as for a gate of DPL 0
	push dword EXC_GP
	jmp trap_common

; VEC_PORT: a VMI call on ports.  EBX says which (PORT_CODE_ in entry/pvh/vmi.asm), and the
; other registers are those of the instruction.  Stack during the call: struct port_call
; (monitor/vmi/vmi_ports.c).
extern port_register, port_string
port_in_c:
	cmp ebx, 32
	jae call_in_c.bad
	bt [ss:W(port_codes)], ebx
	jnc call_in_c.bad
	push dword [esp + 8]            ; EFLAGS
	pushad
	cld
	mov eax, esp
	mov edx, ebx
	and edx, 7
	mov ecx, ebx
	shr ecx, 3
	and ecx, PORT_INPUT >> 3
	test bl, PORT_STRING
	jnz .string
	call port_register
.done:	popad
	add esp, 4
	iretd
.string:
	call port_string
	jmp .done
align 4
port_codes:
	dd (1 << 1 | 1 << 2 | 1 << 4) * (1 + (1 << PORT_INPUT)) * (1 + (1 << PORT_STRING))

; --- ring 0 in a few instructions ------------------------------------------------

quick_cr2:
	mov eax, cr2
	iretd
quick_cr3:
	mov cr3, eax
	iretd
quick_flush:
	mov eax, cr3
	mov cr3, eax
	iretd
quick_invlpg:
	invlpg [ss:eax]
	iretd
; VEC_KERNEL_FAULT: a page fault of the kernel's, whose frame is on the kernel's stack
; (EXCEPTION 14).  If the address is one at which a kernel maps devices, C looks at it.
quick_kernel_fault:
	push eax
	mov eax, cr2
	cmp eax, [ss:V_DEVICES_FROM]
	pop eax
	jae .device
	iretd
.device:
	push byte 0
	push dword VECTOR_DEVICE
	jmp trap_common

; The entry points of the ROM's own vectors, from VEC_FIRST on, in the order in which
; monitor/pvh/pvh.h names them.
quick_table:
	dd upcall - rom_start, call_in_c - rom_start, upcall - rom_start, quick_cr2 - rom_start
	dd quick_cr3 - rom_start, quick_flush - rom_start, quick_invlpg - rom_start
	dd quick_clear_ts - rom_start, quick_set_ts - rom_start, quick_kernel_fault - rom_start
	dd iret_pending - rom_start, enter_v86 - rom_start, port_in_c - rom_start
quick_table_end:
	times quick_table_end - quick_table - 4 * VEC_COUNT db 0 ; neither more
	times 4 * VEC_COUNT - quick_table_end + quick_table db 0 ; nor fewer

; --- exceptions that are the guest's own, in ring 1 -----------------------------

; The processor's gate for a handler of the guest's leads here.  The processor's own IF stays
; set in ring 1, and the frame that it has pushed shows it: in a frame of the kernel's IF
; becomes vcpu.vif.  For an interrupt gate vcpu.vif is cleared then.  An event that comes
; between these instructions is not delivered here (monitor_resume).
; %1 vector, %2 1 for an interrupt gate
%macro EXCEPTION 2
 %assign e HAS_ERROR(%1)
	test byte [ss:esp + e * 4 + 4], 2
	jz %%kernel
%%go:
 %if %2
	mov dword [ss:V_VIF], 0
 %endif
	jmp dword [ss:V_HANDLER + %1 * 4]
%%kernel:
 %if %1 = 14
	int VEC_KERNEL_FAULT
 %endif
	push eax
	mov eax, [ss:V_VIF]
	and eax, EFLAGS_IF
	and dword [ss:esp + 4 + e * 4 + 8], ~EFLAGS_IF
	or [ss:esp + 4 + e * 4 + 8], eax
	pop eax
	jmp %%go
	align 64
%endmacro

align 64
exception_code:
%assign n 0
%rep 32
	EXCEPTION n, 0
	EXCEPTION n, 1
 %assign n n + 1
%endrep
exception_code_end:
exception_code_offset: dd exception_code - rom_start, exception_code_end - rom_start
	times exception_code_end - exception_code - 32 * 2 * 64 db 0 ; 64 bytes each
	times 32 * 2 * 64 - exception_code_end + exception_code db 0

iret_window_offset: dd iret_window - rom_start, iret_window_end - rom_start
iret_offset: dd iret_insn - rom_start
iret_disabled_offset: dd iret_insn_disabled - rom_start
exit_iret_offset: dd exit_iret - rom_start

%include "entry/linear.asm"

; --- paging ------------------------------------------------------------------------

; void regparm3 paging_switch(u32 from, u32 to, u32 cr4): changes from one format of page
; tables to the other.  from and to are what CR3 has for the monitor's own directories of
; the present and of the new format.  Paging is off in between, so this runs at its
; physical address, which both directories map one to one.
global paging_switch
paging_switch:
	push ebx
	push esi
	mov cr3, eax
	mov ebx, [V_TEXT]
	lea esi, [ebx + .low - rom_start]
	jmp esi
.low:	mov esi, cr0
	and esi, ~CR0_PG
	mov cr0, esi
	mov cr4, ecx
	mov cr3, edx
	or esi, CR0_PG
	mov cr0, esi
	mov esi, W(.high)
	jmp esi
.high:	pop esi
	pop ebx
	ret

%include "entry/run.asm"

%include "entry/pvh/leave.asm"

; --- start ---------------------------------------------------------------------------

; The monitor's entry point: the domain entry jumps here, once, on the monitor's stack, with
; the domain entry's flat segments.
monitor_entry:
	mov eax, VCPU
	call monitor_start
	jmp exit_guest

; void segments_load(void): loads the GDT in the window and, from it, the segments of ring 0.
global segments_load
segments_load:
	lgdt [W(gdt_register)]
	jmp OWN_CS0:W(.flat)
.flat:	mov eax, OWN_DS0
	mov ds, eax
	mov es, eax
	mov ss, eax
	xor eax, eax
	mov fs, eax
	mov gs, eax
	ret
gdt_register:
	dw OWN_GDT_LIMIT
	dd WIN_GDT
