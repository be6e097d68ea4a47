; SPDX-License-Identifier: GPL-2.0-only
;
; VMI_Init, get_reloc, and the common stub of the calls that are written in C.
;
; Init and get_reloc run where the guest found the ROM; everything else runs
; in the window.

; int vmi_init(void)
; Under the monitor the guest's kernel is at CPL 3 here; the marked ud2 enters
; the monitor, which returns to our caller in ring 1.  At CPL 0 there is no
; monitor: Init fails and the guest goes on natively.
init_in_place:
	mov eax, cs
	test al, 3
	jz .native
	ud2
	db "VMXN"
.native:
	mov eax, -1
	ret

; {address, DL = kind} get_reloc(EAX call)
get_reloc_in_place:
	call .here
.here:	pop ecx
	cmp eax, CALL_NUMBERS
	jae .none
	movzx edx, byte [ecx + reloc_table - .here + eax * 8 + 4]
	mov eax, [ecx + reloc_table - .here + eax * 8]
	ret
.none:
	xor eax, eax
	xor edx, edx
	ret

; GetRelocationInfo of API 13.3
vmi_GetRelocationInfo:
	jmp get_reloc_in_place

; A 13.x slot, or a number of the port I/O block, without a contract yet.
; Stack: return address.
extern vmi_absent
call_absent:
	mov byte [ss:X_MASK], 1
	mov eax, [esp]
	mov esp, WIN_STACK_TOP
	call vmi_absent

; A call in C: regparm(3), further arguments at vcpu.call_esp[3], EBX, ESI,
; EDI and EBP kept by the compiler, on the monitor's stack, upcalls masked.
; Guest's stack during the call: EBP, EBX, return address, arguments.
%macro C_STUB 1
extern vmi_%1
stub_%1:
	push ebx
	push ebp
	movzx ebx, byte [ss:X_MASK]
	mov byte [ss:X_MASK], 1
	mov ebp, esp
	mov [ss:V_CALL_ESP], esp
	mov esp, WIN_STACK_TOP
	cld
	call vmi_%1
	mov esp, ebp
	jmp stub_leave
%endmacro

stub_leave:
	mov [ss:X_MASK], bl
	test bl, bl
	jnz .masked
	cmp byte [ss:X_PENDING], 0
	jne .pending
.masked:
	pop ebp
	pop ebx
	ret
.pending:
	pop ebp
	pop ebx
	jmp vmi_EnableInterrupts

%macro CALL_ROW 5
 %ifidn %5, C
	C_STUB %3
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5

	C_STUB HaltWait
