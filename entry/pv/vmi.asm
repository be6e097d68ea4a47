; SPDX-License-Identifier: GPL-2.0-only
;
; The common stub of the calls that are written in C, and their short cuts.  All of
; it runs in the window.

%include "entry/calls.asm"

; A call of a slot for which nobody has specified a contract.  Stack: return address.
extern vmi_absent
call_absent:
	mov byte [ss:X_MASK], 1
	mov eax, [esp]
	mov esp, WIN_STACK_TOP
	call vmi_absent

; Short cuts: if there is a macro SHORT_NAME, the stub of the call NAME begins with it.  It
; does the whole call and returns, or falls through with every register kept.

; Falls through, with the guest frame in EBX, if the page-table entry at address %1 is in a
; page of the linear mapping that is hooked, and is aligned to %2 + 1 bytes; else goes to %3.
%macro LINEAR_ENTRY 3
	mov ebx, %1
	sub ebx, [S_LINEAR_BASE]
	shr ebx, 21
	bt [S_LINEAR_HOOKED], ebx
	jnc %3
	mov ebx, %1
	sub ebx, [S_LINEAR_BASE]
	shr ebx, 12
	cmp word [WIN_HEADS + ebx * 2], HEAD_NO_MEMORY
	je %3
	test %1, %2
	jnz %3
%endmacro

; Stores a page-table entry, and returns from the call if nothing shadows its table.
; %1 address of the entry, %2 its size - 1, %3 where to go on if the table is shadowed,
; with its frame in EBX; from %4 on the offset of each word to store, and the word.  EBX is
; pushed already.
; An event may come between any two instructions here, and a shadow may be made in it.  So
; the entry is stored first, and only then it is asked whether there is a shadow.
%macro SHORT_ENTRY 3-*
	LINEAR_ENTRY %1, %2, %%c
 %assign %%words (%0 - 3) / 2
 %define %%at %1
 %define %%shadowed %3
 %rotate 3
 %rep %%words
	mov [%%at + %1], %2
  %rotate 2
 %endrep
	cmp word [WIN_HEADS + ebx * 2], SHADOW_NONE
	jne near %%shadowed
	pop ebx
	ret
%%c:	pop ebx
%endmacro

; Pushes EBX, and goes on at %2 if the entry at address %1, of size %3, is in the
; table of the fill cache (monitor/pv/mmu/fill_cache.c), which begins at [%4]: nothing is stored yet.
%macro IN_FILL_CACHE 4
	push ebx
	mov ebx, %1
	and ebx, ~(0x1000 - %3)         ; no pointer gives NO_CACHED_TABLE
	cmp ebx, [%4]
	je near %2
%endmacro

%macro SHORT_SetPxE 0
	IN_FILL_CACHE edx, SetPxE_cached, 4, S_FILL_CACHE_AT
	SHORT_ENTRY edx, 3, SetPxE_stored, 0, eax
%endmacro
%macro SHORT_SetPxELong 0
	IN_FILL_CACHE ecx, SetPxELong_cached, 8, S_FILL_CACHE_LONG_AT
	SHORT_ENTRY ecx, 7, SetPxELong_stored, 4, edx, 0, eax
%endmacro
%macro SHORT_UpdatePxE 0
	push ebx
	SHORT_ENTRY eax, 3, Update_stored
%endmacro
%macro SHORT_UpdatePxELong 0
	push ebx
	SHORT_ENTRY eax, 7, Update_stored
%endmacro

; EAX mode
%macro SHORT_SetLazyMode 0
	mov [V_LAZY], al
	test eax, eax
	jnz %%done
	cmp dword [S_QUEUED], 0
	jne %%c
%%done:	ret
%%c:
%endmacro

; The mappings 1 and 2, with which a kernel reaches page tables in high memory.
; EAX number, EDX va, ECX pages; stack: return address, pfn.
%macro SHORT_SetLinearMapping 0
	cmp eax, 1
	jb %%c
	cmp eax, 2
	ja %%c
	lea eax, [eax + eax * 2]
	mov [S_HIGHPTE + eax * 4], edx
	mov [S_HIGHPTE + eax * 4 + 4], ecx
	mov ecx, [esp + 4]
	mov [S_HIGHPTE + eax * 4 + 8], ecx
	ret
%%c:
%endmacro

; Masks upcalls and changes to the monitor's stack.  The guest's ESP is in vcpu.call_esp
; then, and its mask in BL, which C functions keep.
%macro ENTER_C 0
	movzx ebx, byte [ss:X_MASK]
	mov byte [ss:X_MASK], 1
	ON_MONITOR_STACK
	cld
%endmacro

%macro ON_MONITOR_STACK 0
	mov [ss:V_CALL_ESP], esp
	mov esp, WIN_STACK_TOP
%endmacro

; Returns to the caller with the mask that is in BL, and delivers what has become pending.
; %1 pops what is left on the guest's stack.
%macro UNMASK_RET 1
	mov [ss:X_MASK], bl
	test bl, bl
	jnz %%masked
	cmp byte [ss:X_PENDING], 0
	jne %%pending
%%masked:
	%1
	ret
%%pending:
	%1
	jmp vmi_EnableInterrupts
%endmacro

; Undoes ENTER_C and returns to the caller; %1 as above.
%macro LEAVE_C 1
	mov esp, [ss:V_CALL_ESP]
	UNMASK_RET {%1}
%endmacro

; EDX:EAX becomes available time, as in time_available(); goes to %1 if the vCPU
; has been off its CPU since that was last asked.  Upcalls are masked.
%macro AVAILABLE 1
	rdtsc
	mov ecx, [R_ENTRY]
	cmp ecx, [C_ENTRY]
	jne %1
	mov ecx, [R_ENTRY + 4]
	cmp ecx, [C_ENTRY + 4]
	jne %1
	sub eax, [C_STOLEN_CYCLES]
	sbb edx, [C_STOLEN_CYCLES + 4]
	mov [C_AVAILABLE], eax
	mov [C_AVAILABLE + 4], edx
%endmacro

; EAX counter: real time is the TSC; available time may need C, which stolen time always
; does.
%macro SHORT_GetCycleCounter 0
	cmp eax, 1
	jae %%available
	rdtsc
	ret
%%available:
	jne %%c
	cmp byte [ss:X_MASK], 0
	jne %%masked
	mov byte [ss:X_MASK], 1
	AVAILABLE %%more
	mov byte [ss:X_MASK], 0
	cmp byte [ss:X_PENDING], 0
	jne near vmi_EnableInterrupts.pending
	ret
%%masked:
	AVAILABLE %%more_masked
	ret
%%more:
	mov byte [ss:X_MASK], 0
%%more_masked:
	mov eax, 1
%%c:
%endmacro

; The stub of a call that is written in C.  The function has its arguments as regparm(3)
; does, and further ones in vcpu.argument; it keeps EBX, ESI, EDI and EBP.  It runs on the
; monitor's stack with upcalls masked.
; Arguments on the caller's stack are read while it is still the stack: if it is not mapped,
; that is a page fault at the call, as if the caller had met it itself.
; Guest's stack during the call: EBX or EDI, ESI, EBX; return address, arguments.
%macro C_STUB 1
extern vmi_%1
stub_%1:
	inc dword [ss:N_VMI + 4 * ROW_%1]
 %ifmacro SHORT_%1 0
	SHORT_%1
 %endif
	push ebx
 %ifdef WORDS_%1
	push esi
	push edi
	mov esi, [esp + 16]
  %if WORDS_%1 = 2
	mov edi, [esp + 20]
  %endif
	ENTER_C
	mov [ss:V_ARGUMENT], esi
  %if WORDS_%1 = 2
	mov [ss:V_ARGUMENT + 4], edi
  %endif
	call vmi_%1
	jmp stub_leave_words
 %else
	ENTER_C
	call vmi_%1
	jmp stub_leave
 %endif
%endmacro

%macro POP_WORDS 0
	pop edi
	pop esi
	pop ebx
%endmacro

stub_leave:
	LEAVE_C {pop ebx}
stub_leave_words:
	LEAVE_C POP_WORDS

%assign row 0
%macro CALL_ROW 5
 %assign ROW_%3 row
 %assign row row + 1
 %ifidn %5, C
	C_STUB %3
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5

extern pool_l1_refused, fill_cache_SetPxELong
; The rest of a call whose short cut has pushed EBX, done by the C function %1.
%macro REST 1
extern %1
	ENTER_C
	call %1
	LEAVE_C {pop ebx}
%endmacro

; The rest of a Set or Update whose short cut has stored the page-table entry, by a function
; void regparm3 (u32 gpfn, u32 *pte, u32 flags).  EBX: the frame of the table.
; Stack: EBX, return address, flags of SetPxELong.
Update_stored:
	mov ecx, edx
	mov edx, eax
	mov eax, ebx
	REST vmi_Update_stored
SetPxE_stored:
	mov eax, ebx
	REST vmi_SetPxE_stored
SetPxELong_stored:
	mov eax, ebx
	mov edx, ecx
	mov ecx, [esp + 8]
	REST vmi_SetPxELong_stored
; With the arguments of the call.
SetPxE_cached:
	REST fill_cache_SetPxE

; Does what fill_cache_SetPxELong does when nothing is unusual, for that is a part of each page
; fault of a PAE guest.  If anything is unusual, fill_cache_SetPxELong does the whole call,
; the store included.  EAX low word, EDX high word, ECX address of the page-table entry;
; stack: EBX, return address, flags.
SetPxELong_cached:
	push esi
	push edi
	mov esi, [esp + 16]             ; flags
	movzx ebx, byte [ss:X_MASK]
	push ebx
	mov byte [ss:X_MASK], 1
	mov [ecx + 4], edx
	mov [ecx], eax
	; fill_cache_describes, again, for an event may have come
	mov ebx, ecx
	and ebx, ~0xFF8
	cmp ebx, [S_FILL_CACHE_LONG_AT]
	jne near .c
	mov edi, esi
	xor edi, [S_FILL_CACHE_FLAGS]
	test edi, 0xFFE00000 | CURRENT_AS_PT
	jnz near .c
	mov edi, esi
	shr edi, 9
	xor edi, ecx
	test edi, 0xFF8
	jnz near .c
	mov edi, [S_FILL_CACHE_PDE_AT]
	mov ebx, [edi]
	cmp ebx, [S_FILL_CACHE_PDE]
	jne near .c
	mov edi, [edi + 4]
	cmp edi, [S_FILL_CACHE_PDE + 4]
	jne near .c
	; can_be_filled, and with one hypercall
	test edx, [S_FILL_CACHE_BAD_HIGH]
	jnz near .c
	mov edi, eax
	and edi, PTE_P | PTE_A
	cmp edi, PTE_P | PTE_A
	jne near .c
	mov edi, eax
	shr edi, 12
	cmp edi, [S_GUEST_PAGES]
	jae near .c
	mov edi, [WIN_GMFN + edi * 4]
	cmp edi, -1
	je near .c
	cmp byte [V_LAZY], 0
	jne near .c
	cmp dword [S_QUEUED], 0
	jne near .c
	; fill_cache_fill: EDX:EAX becomes the shadow's entry
	and ebx, eax
	shr eax, 5                      ; D to where RW is
	and eax, PTE_RW
	or eax, PTE_US
	and eax, ebx
	or eax, PTE_P | PTE_A | PTE_D
	mov ebx, edi
	shl ebx, 12
	or eax, ebx
	or edx, [S_FILL_CACHE_PDE + 4]
	and edx, 1 << 31
	shr edi, 20
	or edx, edi
	mov ebx, esi
	and ebx, -4096                  ; address
	shr esi, 9
	and esi, 0xFF8
	add esi, [S_FILL_CACHE_L1]
	mov ecx, [esi]
	and ecx, PTE_P                  ; was something there?
	mov esi, ebx
	shr esi, 15
	and esi, 63
	mov edi, [S_FILL_CACHE_DIRTY]
	bts [edi], esi
	lea esi, [ecx * UVMF_INVLPG]
	mov ecx, eax
	inc dword [N_WANTED]
	inc dword [N_UPDATE_VA]
	mov eax, HYPERCALL_UPDATE_VA
	call eax
	test eax, eax
	jnz .refused
	pop ebx
	UNMASK_RET POP_WORDS
.refused:
	mov edx, eax
	mov eax, [esp + 20]             ; flags, with the address; Xen may keep no register
	and eax, -4096
	mov esp, WIN_STACK_TOP
	call pool_l1_refused
.c:     ; still masked: what is stored again has not been seen by anyone
	pop ebx
	ON_MONITOR_STACK
	cld
	mov [ss:V_ARGUMENT], esi
	call fill_cache_SetPxELong
	jmp stub_leave_words

%assign ROW_HaltWait ROW_Halt
	C_STUB HaltWait

; A call on ports keeps every register and flag that the instruction keeps.
; %1 call, %2 C function, %3 bytes, %4 1 for input.
; Guest's stack during the call: EBX, flags, return address; the monitor's: struct
; port_call (monitor/vmi/vmi_ports.c), with the mask for EBX.
%macro PORT_CALL 4
extern %2
%1:
	pushfd
	push ebx
	movzx ebx, byte [ss:X_MASK]
	mov byte [ss:X_MASK], 1
	ON_MONITOR_STACK
	pushfd
	pushad
	cld
	mov eax, esp
	mov edx, %3
	mov ecx, %4
	call %2
	jmp port_leave
%endmacro

; The flags come last: what is pending is delivered before them.
port_leave:
	popad
	mov esp, [ss:V_CALL_ESP]
	mov [ss:X_MASK], bl
	test bl, bl
	jnz .masked
	cmp byte [ss:X_PENDING], 0
	je .masked
	call vmi_EnableInterrupts
.masked:
	pop ebx
	popfd
	ret

%include "entry/ports.asm"
