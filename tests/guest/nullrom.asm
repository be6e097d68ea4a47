; SPDX-License-Identifier: GPL-2.0-only
;
; A VMI ROM that does everything natively, in ring 0: it proves the guest's
; VMI binding (probe, conventions, patching, argument order) without Xen.
; QEMU: -option-rom build/guest-null.rom, and `nullrom` on the guest's command
; line, because what only a hypervisor does (ring 1, hidden CPUID bits, #GP
; for an unknown MSR) is not to be expected.
;
; MMU announcements are nothing here; the time calls are NONE, as a ROM may
; answer: the guest then keeps its 8254.

%define NONE 0
%define CALL_REL 1
%define NOP_REL 3
%define CALLS 74
%define UNITS 4                 ; image length in 512 bytes

bits 32
org 0
	dw 0xaa55
	db UNITS
	db 0xcb, 0, 0, 0                ; retf, to a BIOS that calls it
	db 0                            ; checksum: guest.mk fills it in
	dd 0x696d5663                   ; cVmi
	db 0, 3                         ; API 3.0
	db 0, 0
	dd 0xf5000000                   ; virtual_top
	dw 0
	dw licence, pci, pnp
	dd 0
	times 0x80 - ($ - $$) db 0
	jmp near init
	times 0x88 - ($ - $$) db 0
	jmp near get_reloc
	times 0x90 - ($ - $$) db 0

licence: db "GPL v2", 0
maker:	db "vmixen", 0
product: db "native test ROM", 0
align 4
pci:	db "PCIR"
	dw 0x15ad, 0x0801, 0, 24
	db 0, 0, 0, 0
	dw UNITS
	db 0, 1, 0, 0x80
	dw 0
align 4
pnp:	db "$PnP", 1, 2
	dw 0
	db 0, 0
	dd 0
	dw maker, product
	times 32 - ($ - pnp) db 0

init:
	xor eax, eax
	ret

; EAX = call; out EAX = address, DL = kind
get_reloc:
	push ebx
	call .here
.here:	pop ebx                         ; position independent
	xor edx, edx
	cmp eax, CALLS
	jae .none
	movzx ecx, word [ebx + eax * 2 + table - .here]
	test ecx, ecx
	jz .none
	inc edx                         ; CALL_REL
	cmp ecx, nothing
	jne .address
	mov dl, NOP_REL
.address:
	lea eax, [ebx + ecx - .here]
	pop ebx
	ret
.none:
	xor eax, eax
	pop ebx
	ret

call_cpuid:	cpuid
		ret
call_wrmsr:	wrmsr
		ret
call_rdmsr:	rdmsr
		ret
set_gdt:	lgdt [eax]
		ret
set_ldt:	lldt ax
		ret
set_idt:	lidt [eax]
		ret
set_tr:		ltr ax
		ret
get_gdt:	sgdt [eax]
		ret
get_ldt:	sldt eax
		movzx eax, ax
		ret
get_idt:	sidt [eax]
		ret
get_tr:		str eax
		movzx eax, ax
		ret
write_entry:	mov [eax + edx * 8], ecx
		mov ecx, [esp + 4]
		mov [eax + edx * 8 + 4], ecx
		ret
kernel_stack:	ret                     ; the guest has written its TSS
set_cr0:	mov cr0, eax
		ret
set_cr2:	mov cr2, eax
		ret
set_cr3:	mov cr3, eax
		ret
set_cr4:	mov cr4, eax
		ret
get_cr0:	mov eax, cr0
		ret
get_cr2:	mov eax, cr2
		ret
get_cr3:	mov eax, cr3
		ret
get_cr4:	mov eax, cr4
		ret
call_wbinvd:	wbinvd
		ret
call_rdtsc:	rdtsc
		ret
call_clts:	clts
		ret
enable:		sti
		ret
disable:	cli
		ret
get_mask:	pushfd
		pop eax
		and eax, 0x200
		ret
set_mask:	push eax                ; keeps every register
		and dword [esp], 0x200
		popfd
		ret
call_iret:	add esp, 4              ; CALL_REL: the return address
		iret
call_sysexit:	sti
		sysexit
halt:		sti
		hlt
		ret
set_pte:	mov [edx], eax          ; EAX pte, EDX ptep, ECX flags
		ret
set_pte_long:	mov dword [ecx], 0      ; EAX low, EDX high, ECX ptep, stack flags
		mov [ecx + 4], edx
		mov [ecx], eax
		ret
inval:		invlpg [eax]
		ret
flush:		mov eax, cr3
		mov cr3, eax
		ret
quiet:		mov eax, 0xdead0001     ; announcements: clobber what may be
		mov edx, 0xdead0002
		mov ecx, 0xdead0003
		ret
nothing:	ret

align 2
table:
	dw call_cpuid, call_wrmsr, call_rdmsr
	dw set_gdt, set_ldt, set_idt, set_tr, get_gdt, get_ldt, get_idt, get_tr
	dw write_entry, write_entry, write_entry, kernel_stack
	dw set_cr0, set_cr2, set_cr3, set_cr4, get_cr0, get_cr2, get_cr3, get_cr4
	dw call_wbinvd, 0, 0, 0         ; SetDR, GetDR, RDPMC: NONE
	dw call_rdtsc, call_clts
	dw enable, disable, get_mask, set_mask, call_iret, call_sysexit
	dw halt, 0, 0                   ; Reboot, Shutdown: NONE
	dw set_pte, set_pte_long, quiet, quiet, 0, 0, quiet, quiet, inval, flush
	dw quiet                        ; SetLinearMapping
	times 12 dw 0                   ; 49-60
	dw quiet                        ; SetIOPLMask
	dw 0, 0, 0, nothing             ; 62-64, IODelay
	times 6 dw 0                    ; 66-71: time
	dw 0, quiet                     ; 72, SetLazyMode
table_end:
%if table_end - table != CALLS * 2
%error "one word a call"
%endif
	times UNITS * 512 - ($ - $$) db 0
