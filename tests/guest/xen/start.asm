; SPDX-License-Identifier: GPL-2.0-only
;
; The test guest as a native PV guest of Xen: ELF notes, the first
; instructions, and what paravirtual kernels have instead of CLI, STI, PUSHF,
; POPF, IRET and SYSEXIT.  Takes head.asm's place, and has its symbols.
;
; The functions behind patched sites keep every register, as the ROM's do.

bits 32

PAGE_OFFSET equ 0xC0000000
UPCALL_PENDING equ shared_page          ; vcpu_info[0], xen/xen.h
UPCALL_MASK equ shared_page + 1
CMDLINE_MAX equ 256

extern xen_main
global xen_entry, hypercall_page, shared_page, xen_load_segments
global xen_irq_enable, xen_irq_disable, xen_save_fl, xen_restore_fl, xen_iret, xen_sysexit
global xen_event, xen_failsafe
global swapper_pg_dir, boot_params, boot_cmdline, boot_stack_top
global gdt_table, idt_table, percpu, nx_enabled

%macro NOTE 2+          ; type, contents
	dd 4, %%end - %%desc, %1
	db "Xen", 0
%%desc:	%2
%%end:	align 4, db 0
%endmacro

section .note.Xen note alloc noexec nowrite align=4
	NOTE 6, db "vmixen-test", 0     ; GUEST_OS
	NOTE 5, db "xen-3.0", 0         ; XEN_VERSION
	NOTE 8, db "generic", 0         ; LOADER
	NOTE 3, dd PAGE_OFFSET          ; VIRT_BASE
	NOTE 4, dd 0                    ; PADDR_OFFSET
	NOTE 1, dd xen_entry            ; ENTRY
	NOTE 2, dd hypercall_page
	NOTE 9, db "yes", 0             ; PAE_MODE
	NOTE 10, db "!writable_page_tables|pae_pgdir_above_4gb", 0

section .text
; Ring 1, Xen's flat segments, ESI = start_info.
xen_entry:
	cld
	mov esp, boot_stack_top
	mov eax, esi
	push dword 0                    ; no return address
	jmp xen_main

; Linux's selectors, from a GDT that is loaded.
xen_load_segments:
	mov eax, 0x7b
	mov ds, eax
	mov es, eax
	mov eax, 0xd8
	mov fs, eax
	xor eax, eax
	mov gs, eax
	mov eax, 0x69
	mov ss, eax
	jmp 0x61:.done
.done:
	ret

; As xen-asm.S of Linux.  No event channel is unmasked, so pending stays 0;
; the tests for it are part of the cost.
xen_irq_enable:
	mov byte [UPCALL_MASK], 0
	test byte [UPCALL_PENDING], 0xff
	jnz xen_event_pending
	ret

xen_irq_disable:
	mov byte [UPCALL_MASK], 1
	ret

xen_save_fl:
	xor eax, eax
	test byte [UPCALL_MASK], 0xff
	setz ah
	add ah, ah
	ret

xen_restore_fl:
	test ah, 2
	setz [UPCALL_MASK]
	cmp word [UPCALL_PENDING], 1    ; pending, and not masked
	je xen_event_pending
	ret

xen_event_pending:
	mov byte [UPCALL_PENDING], 0
	ret

xen_iret:
	test byte [esp + 9], 2          ; EFLAGS.IF of the frame
	setz [ss:UPCALL_MASK]
	cmp word [ss:UPCALL_PENDING], 1
	je .pending
	iret
.pending:
	mov byte [ss:UPCALL_PENDING], 0
	iret

; EDX = EIP, ECX = ESP; Xen has no SYSEXIT for us.
xen_sysexit:
	push dword 0x7b
	push ecx
	push dword 0x202
	push dword 0x73
	push edx
	jmp xen_iret

xen_event:
	mov byte [ss:UPCALL_PENDING], 0
	jmp xen_iret

xen_failsafe:
	ud2

align 4096
hypercall_page:
	times 4096 nop

; Linux's layout as in head.asm; the kernel's segments have DPL 1.
section .data
align 4096
gdt_table:
	times 12 dq 0
	dq 0x00cfba000000ffff           ; 0x61 kernel code
	dq 0x00cfb2000000ffff           ; 0x69 kernel data
	dq 0x00cffa000000ffff           ; 0x73 user code
	dq 0x00cff2000000ffff           ; 0x7b user data
	times 11 dq 0
	dq 0x00cfb2000000ffff           ; 0xd8 per CPU
	times 4 dq 0
	times 4096 - ($ - gdt_table) db 0
nx_enabled:
	dd 1
percpu:
	dd 0x50435055

section .bss
alignb 4096
shared_page:	resb 4096
swapper_pg_dir:	resb 4096               ; unused: the domain builder's is taken
boot_params:	resb 4096
idt_table:	resb 4096
		resb 16384
boot_stack_top:
boot_cmdline:	resb CMDLINE_MAX
