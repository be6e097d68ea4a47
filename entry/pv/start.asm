; SPDX-License-Identifier: GPL-2.0-only
;
; The domain entry's first instructions and its Xen ELF notes (xen/elfnote.h).
; Xen starts us in ring 1 with its flat segments, a stack, and ESI pointing to
; start_info (xen/xen.h).

bits 32

VIRT_BASE equ 0xC0000000

%macro NOTE 2+          ; type, contents
	dd 4, %%end - %%desc, %1
	db "Xen", 0
%%desc:	%2
%%end:	align 4, db 0
%endmacro

section .note.Xen note alloc noexec nowrite align=4
	NOTE 6, db "vmixen", 0          ; GUEST_OS
	NOTE 5, db "xen-3.0", 0         ; XEN_VERSION
	NOTE 8, db "generic", 0         ; LOADER
	NOTE 3, dd VIRT_BASE
	NOTE 4, dd 0                    ; PADDR_OFFSET
	NOTE 1, dd _start               ; ENTRY
	NOTE 2, dd hypercall_page
	NOTE 9, db "yes", 0             ; PAE_MODE
	NOTE 10, db "!writable_page_tables|pae_pgdir_above_4gb", 0

section .text
global _start, hypercall_page, enter_monitor
extern entry_main

_start:
	cld
	mov eax, esi
	call entry_main

; void regparm3 noreturn enter_monitor(u32 stack_top, u32 entry_point): jumps to the
; monitor's entry point with an empty stack.
enter_monitor:
	mov esp, eax
	jmp edx

align 4096
hypercall_page:
	times 4096 nop

; struct payload (include/image.h); mkrom wrap writes here what it has added.
section .payload progbits alloc noexec write align=8
global payload
payload:
	db "VMXENPL2"
	dd 0, 0, 0, 0, 0, 0
