; SPDX-License-Identifier: GPL-2.0-only
;
; The common stub of the calls that are written in C, and their short cuts, in the PVH
; binding: the guest's kernel is in ring 1 before Init and after it, and C runs in ring 0.
; All of it runs in the window.

%include "entry/calls.asm"

; --- rows of call_code ------------------------------------------------------------

%assign call_rows 0
%macro ROW 1
 %assign CALL_ROW_%1 call_rows
 %assign call_rows call_rows + 1
%endmacro

%assign row 0
%macro CALL_ROW 5
 %assign ROW_%3 row
 %assign row row + 1
 %ifidn %5, C
	ROW %3
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5
	ROW HaltWait
	ROW SetCR2
	ROW absent
CALL_CODE_ROWS equ call_rows

; A call of a slot for which nobody has specified a contract.  Stack: return address.
call_absent:
	mov eax, [esp]
	mov ebx, CALL_ROW_absent
	int VEC_CALL

; Ring 0 carries out row EBX of call_code, with ESI and EDI as the words of the stack; then
; what has become pending is delivered.  The stack is read here in ring 1: if it is not
; mapped, that is a page fault at the call, as if the caller had met it itself.
; Guest's stack during the call: EBX or EDI, ESI, EBX; return address, arguments.
%macro CALL_C 1
	push ebx
 %ifdef WORDS_%1
	push esi
	push edi
	mov esi, [esp + 16]
  %if WORDS_%1 = 2
	mov edi, [esp + 20]
  %endif
 %endif
	mov ebx, CALL_ROW_%1
	int VEC_CALL
 %ifdef WORDS_%1
	pop edi
	pop esi
 %endif
	pop ebx
	cmp byte [ss:V_PEND], 0
	jne near call_pending
	ret
%endmacro

call_pending:
	test byte [ss:V_VIF + 1], EFLAGS_IF >> 8
	jnz near vmi_EnableInterrupts.pending
	ret

; --- short cuts: the whole call, or a fall-through with every register kept ------

; EAX counter: real time is the TSC; available time is the TSC less what was stolen, as in
; time_available().  This holds as long as the vCPU has not been off its CPU since the last
; look and does not go off it between these instructions, for an interrupt may then have
; looked and changed what was stolen.  So the runstate's time is compared with that which
; was read first; if it differs, C computes the answer.  ECX is free, for the call is C's.
%macro SHORT_GetCycleCounter 0
	cmp eax, 1
	je %%available
	ja %%c
	rdtsc
	ret
%%available:
	mov ecx, [C_ENTRY]
	rdtsc
	sub eax, [C_STOLEN_CYCLES]
	sbb edx, [C_STOLEN_CYCLES + 4]
	cmp ecx, [R_ENTRY]
	jne %%more
	mov ecx, [R_ENTRY + 4]
	cmp ecx, [C_ENTRY + 4]
	jne %%more
	mov [C_AVAILABLE], eax
	mov [C_AVAILABLE + 4], edx
	ret
%%more:
	mov eax, 1
%%c:
%endmacro

; EAX SS selector, EDX esp0.
%macro SHORT_UpdateKernelStack 0
	mov [V_ESP0], edx
	mov [TSS_ESP1], edx
	ret
%endmacro

; EAX entry, EDX where.  An entry with so high a frame may lead to a device's registers.
%macro SHORT_SetPxE 0
	cmp eax, PCI_HOLE
	jae %%c
	test dl, 3
	jnz %%c
	cmp edx, WINDOW_BASE & 0xFFFFFFFF
	jae %%c
	mov [edx], eax
	ret
%%c:
%endmacro

; EDX:EAX entry, ECX where.  Its high half is written while it is not present.
%macro SHORT_SetPxELong 0
	cmp eax, PCI_HOLE
	jae %%c
	test cl, 7
	jnz %%c
	cmp ecx, WINDOW_BASE & 0xFFFFFFFF
	jae %%c
	mov dword [ecx], 0
	mov [ecx + 4], edx
	mov [ecx], eax
	ret
%%c:
%endmacro

; EAX value.  The short cut is for a directory that is in the linear mapping and has the
; window already.
%macro SHORT_SetCR3 0
	cmp eax, [V_NARROW_LIMIT]
	jae %%wide
	mov edx, [V_LINEAR_BASE]
	mov ecx, [V_WINDOW_PDE]
	cmp ecx, [edx + eax + ((WINDOW_BASE & 0xFFFFFFFF) >> 22) * 4]
	jne %%c
%%load:	mov [V_CR3], eax
	int VEC_CR3
	ret
%%wide:	test byte [V_CR4], CR4_PAE
	jz %%c
	cmp eax, [V_LINEAR_LIMIT]
	jae %%c
	mov edx, [V_LINEAR_BASE]
	mov ecx, [edx + eax + 24]
	test cl, PTE_P
	jz %%c
	and ecx, -PAGE_SIZE
	cmp ecx, [V_LINEAR_LIMIT]
	jae %%c
	add edx, ecx
	mov ecx, [V_WINDOW_PDE]
	cmp ecx, [edx + ((WINDOW_BASE & 0xFFFFFFFF) >> 21 & 511) * 8]
	je %%load
%%c:
%endmacro

; EAX flags; it becomes CR3.  There are no global pages, so both kinds of flush are one.
%macro SHORT_FlushTLB 0
	int VEC_FLUSH
	ret
%endmacro

; EAX address.  Where a kernel maps its devices, C looks whether this is one.
%macro SHORT_InvalPage 0
	cmp eax, FIXMAP_FROM
	jae %%c
	int VEC_INVLPG
	ret
%%c:
%endmacro

; The processor's CR0.TS is changed only if it is set.  (It is set on the way to user mode,
; in vmi_IRET, because each write of CR0 leaves the domain.)
%macro SHORT_CLTS 0
	and byte [V_CR0], ~CR0_TS
	mov byte [V_TS_DUE], 0
	cmp byte [V_TS_REAL], 0
	je %%done
	mov byte [V_TS_REAL], 0
	int VEC_CLEAR_TS
%%done:	ret
%endmacro

; EAX value.  The short cut is for a kernel that changes TS alone, as at a switch of processes
; that use the FPU.
%macro SHORT_SetCR0 0
	xor eax, [V_CR0]
	test eax, ~CR0_TS
	jnz %%more
	xor eax, [V_CR0]
	test al, CR0_TS
	jz near stub_CLTS
	mov [V_CR0], eax
	cmp byte [V_TS_REAL], 0
	sete [V_TS_DUE]
	ret
%%more:	xor eax, [V_CR0]
%endmacro

; EAX table, EDX index, ECX low word; stack: return address, high word.  At a switch of
; processes most descriptors stay what they are, and then storing them is all.  The accessed
; bit does not count, for the processor sets it in its own table.
%macro SHORT_WriteGDTEntry 0
	cmp eax, [V_GDTR_BASE]
	jne %%c
	cmp edx, [V_GDT_ENTRIES]
	jae %%c
	cmp ecx, [WIN_GDT + edx * 8]
	jne %%c
	push ebx
	mov ebx, [esp + 8]
	mov [eax + edx * 8 + 4], ebx
	xor ebx, [WIN_GDT + edx * 8 + 4]
	and ebx, ~DESCRIPTOR_ACCESSED
	pop ebx
	jnz %%c
	mov [eax + edx * 8], ecx
	ret
%%c:
%endmacro

; --- the stubs ---------------------------------------------------------------------

; What a short cut does is not counted.
%macro C_STUB 1
stub_%1:
 %ifmacro SHORT_%1 0
	SHORT_%1
 %endif
	inc dword [ss:N_VMI + 4 * ROW_%1]
	CALL_C %1
%endmacro

%macro CALL_ROW 5
 %ifidn %5, C
	C_STUB %3
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5
%assign ROW_HaltWait ROW_Halt
	C_STUB HaltWait

; EBX for VEC_PORT: the bytes of a port access, and these flags.
PORT_INPUT equ 8
PORT_STRING equ 16
PORT_CODE_port_register equ 0
PORT_CODE_port_string equ PORT_STRING

; A call on ports keeps every register and flag that the instruction keeps.
; %1 call, %2 C function, %3 bytes, %4 1 for input.
; Guest's stack during the call: EBX, flags, return address.
%macro PORT_CALL 4
%1:
	pushfd
	push ebx
	mov ebx, %3 | (%4 * PORT_INPUT) | PORT_CODE_%2
	int VEC_PORT
	jmp port_leave
%endmacro
port_leave:
	pop ebx
	cmp byte [ss:V_PEND], 0
	jne near .pending
	popfd
	ret
.pending:
	test byte [ss:V_VIF + 1], EFLAGS_IF >> 8
	jz .masked
	int VEC_TAKE
.masked: popfd
	ret

%include "entry/ports.asm"

; The code that call_in_c calls, 8 bytes for each row: a jump to the C function.
%macro CODE 1
extern %1
	jmp strict near %1
	times 3 int3
%endmacro
%macro CALL_ROW 5
 %ifidn %5, C
	CODE vmi_%3
 %endif
%endmacro
align 8
call_code:
%include "calls.inc"
%unmacro CALL_ROW 5
	CODE vmi_HaltWait
	CODE vmi_SetCR2_c
	CODE vmi_absent
