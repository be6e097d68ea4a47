; SPDX-License-Identifier: GPL-2.0-only
;
; The domain entry of the PVH binding: its first instructions, its Xen ELF note
; (xen/elfnote.h), and the two things that C cannot do.
;
; Xen starts us in ring 0, 32 bits, paging off, flat segments, no stack, with
; EBX pointing to struct hvm_start_info (docs/misc/pvh.pandoc).  The domain entry is linked
; at VIRT_BASE and loaded at physical address 0, as in the PV binding.  So its first page
; directory maps physical memory one to one, and from VIRT_BASE on the domain entry.

bits 32

VIRT_BASE equ 0xC0000000
%define P(label) ((label) - VIRT_BASE)
ENTRY_PDES equ 128                      ; 4 MB each: ELF file and payload
PDE_FLAGS equ 0x83                      ; present, writable, 4 MB
CR4_PSE equ 1 << 4
CR0_PG equ 1 << 31

section .note.Xen note alloc noexec nowrite align=4
	dd 4, 4, 18                     ; PHYS32_ENTRY
	db "Xen", 0
	dd P(start_pvh)

section .text
global start_pvh, pvh_move, pvh_enter_monitor
extern pvh_entry_main

start_pvh:
	cld
	xor ecx, ecx
.pde:	mov eax, ecx
	shl eax, 22
	or eax, PDE_FLAGS
	mov [P(directory) + ecx * 4], eax
	inc ecx
	cmp ecx, 1024
	jne .pde
	mov esp, P(stack_top)
	xor eax, eax
	call map_entry
	mov eax, cr4
	or eax, CR4_PSE
	mov cr4, eax
	mov eax, P(directory)
	mov cr3, eax
	mov eax, cr0
	or eax, CR0_PG
	mov cr0, eax
	mov eax, .high
	jmp eax
.high:	mov esp, stack_top
	lgdt [gdt_register]
	jmp FLAT_CS:.flat
.flat:	mov eax, FLAT_DS
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov eax, ebx
	call pvh_entry_main
	ud2

; Maps the domain entry at VIRT_BASE.  EAX: its physical address, a multiple of 4 MB.  Runs
; with paging off and on.
map_entry:
	or eax, PDE_FLAGS
	xor ecx, ecx
	call .here
.here:	pop edx
	sub edx, .here
	add edx, directory              ; where it is now
.next:	mov [edx + (VIRT_BASE >> 20) + ecx * 4], eax
	add eax, 1 << 22
	inc ecx
	cmp ecx, ENTRY_PDES
	jne .next
	ret

; void regparm3 pvh_move(u32 to, u32 bytes): moves the domain entry, with its payload and
; this very stack, to the physical address to, a multiple of 4 MB.  bytes is its length, a
; multiple of 4.  Nothing is pushed between the copy and the change of CR3, for it would
; not be in the copy.
pvh_move:
	push esi
	push edi
	mov esi, VIRT_BASE
	mov edi, eax
	mov ecx, edx
	shr ecx, 2
	mov edx, eax
	rep movsd
	or edx, PDE_FLAGS
	mov ecx, edx
	and ecx, 0xFFC00000             ; the copy's directory is the one to change
	xor eax, eax
.next:	mov [ecx + P(directory) + (VIRT_BASE >> 20) + eax * 4], edx
	add edx, 1 << 22
	inc eax
	cmp eax, ENTRY_PDES
	jne .next
	lea eax, [ecx + P(directory)]
	mov cr3, eax
	pop edi
	pop esi
	ret

; void regparm3 noreturn pvh_enter_monitor(u32 directory, u32 entry_point, u32 stack):
; loads the monitor's own page directory, and jumps to the monitor's entry point.  That
; directory maps the window and memory one to one, but not the domain entry at VIRT_BASE.
; So the last instructions run at their physical address.
pvh_enter_monitor:
	mov ebx, eax
	mov esi, cr3
	sub esi, directory
	add esi, .low                   ; physical
	jmp esi
.low:	mov cr3, ebx
	mov esp, ecx
	jmp edx

FLAT_CS equ 8
FLAT_DS equ 16
section .data
align 8
gdt:	dq 0
	dq 0x00CF9B000000FFFF
	dq 0x00CF93000000FFFF
gdt_register:
	dw gdt_register - gdt - 1
	dd gdt

section .bss nobits alloc write align=4096
directory: resb 4096
	resb 16384
stack_top:
