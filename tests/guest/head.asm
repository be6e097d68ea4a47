; SPDX-License-Identifier: GPL-2.0-only
;
; The 32-bit entry, from code32_start at 0x100000 to C code at PAGE_OFFSET.
;
; It takes the steps that Linux 2.6.32's decompressor and head_32.S take, in
; their order, because the monitor has to carry those: boot GDT, CR4.PAE and
; EFER.NX, boot page tables whose entries have A and D clear, CR3, CR0.PG,
; the far jump, the second GDT, ljmp 0x60, segments with RPL 0, lldt 0.
;
; Everything is linked at PAGE_OFFSET; with paging off, P(x) is where x is.

%define PAGE_OFFSET 0xC0000000
%define P(x) ((x) - PAGE_OFFSET)
%define BOOT_MAP_MB 16          ; what the boot page tables map; see mm.h
%define PARAM_LOADFLAGS 0x211
%define PARAM_CMDLINE 0x228
%define CMDLINE_MAX 256
%define BOOT_SPARE 0x20         ; of boot_gdt

; The descriptor of the boot GDT, at address %1, gets %2 as its base: a physical
; address, which paging keeps for now.  The word behind it goes to %3.
%macro BOOT_GS 3
	mov eax, %2
	mov [%1 + BOOT_SPARE + 2], ax
	shr eax, 16
	mov [%1 + BOOT_SPARE + 4], al
	mov [%1 + BOOT_SPARE + 7], ah
	mov eax, BOOT_SPARE
	mov gs, ax
	mov eax, [gs:0]
	mov [%3], eax
%endmacro

extern guest_main, bss_start, bss_end, start_ring, boot_gs
global start32, swapper_pg_dir, boot_params, boot_cmdline, boot_stack_top
global gdt_table, idt_table, percpu, nx_enabled, kernel_pd

bits 32
section .head progbits alloc exec nowrite
start32:
	; as 2.6.21: another ring means another interface, of which none is here
	mov eax, cs
	test eax, 3
	jnz near .other_ring
	xor ebp, ebp
.begin:
	cld
	test byte [esi + PARAM_LOADFLAGS], 1 << 6       ; KEEP_SEGMENTS
	jnz .keep
	cli
	mov eax, 0x18
	mov ds, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	mov ss, ax
.keep:
	mov esp, P(boot_stack_top)
	push dword 0
	popfd
	lgdt [P(boot_gdtr)]
	mov eax, 0x18
	mov ds, ax
	mov es, ax
	mov fs, ax
	mov gs, ax

	xor eax, eax
	mov edi, P(bss_start)
	mov ecx, P(bss_end)
	sub ecx, edi
	shr ecx, 2
	rep stosd

	mov [P(start_ring)], ebp
	BOOT_GS P(boot_gdt), P(boot_words), P(boot_gs)

	; boot_params and the command line, before anything can overwrite them
	mov edi, P(boot_params)
	mov ecx, 4096 / 4
	rep movsd
	mov esi, [P(boot_params) + PARAM_CMDLINE]
	test esi, esi
	jz .no_cmdline
	mov edi, P(boot_cmdline)
	mov ecx, CMDLINE_MAX - 1
.copy:
	lodsb
	stosb
	test al, al
	loopnz .copy
.no_cmdline:

	jmp near .tables
.other_ring:
	mov ebp, 1
	jmp near .begin
.tables:
	; the page tables: 4 KB pages, A and D clear, identity and PAGE_OFFSET
	mov edi, P(boot_pts)
	mov eax, 0x003
	mov ecx, BOOT_MAP_MB * 256
.pte:
	stosd
%ifdef PAE
	mov dword [edi], 0
	add edi, 4
%endif
	add eax, 0x1000
	loop .pte

	mov eax, P(boot_pts) + 0x067
	xor ebx, ebx
.pde:
%ifdef PAE
	mov [P(kernel_pd) + ebx * 8], eax
%else
	mov [P(swapper_pg_dir) + ebx * 4], eax
	mov [P(swapper_pg_dir) + 768 * 4 + ebx * 4], eax
%endif
	add eax, 0x1000
	inc ebx
	cmp ebx, BOOT_PTS
	jb .pde

%ifdef PAE
	mov dword [P(swapper_pg_dir)], P(kernel_pd) + 1
	mov dword [P(swapper_pg_dir) + 24], P(kernel_pd) + 1
	mov eax, cr4
	or eax, 0x20
	mov cr4, eax
	mov eax, 0x80000000
	cpuid
	cmp eax, 0x80000001
	jb .no_nx
	mov eax, 0x80000001
	cpuid
	bt edx, 20
	jnc .no_nx
	mov ecx, 0xc0000080                     ; EFER
	rdmsr
	bts eax, 11                             ; NXE
	wrmsr
	mov dword [P(nx_enabled)], 1
.no_nx:
%endif
	mov eax, P(swapper_pg_dir)
	mov cr3, eax
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	jmp 0x10:.paged
.paged:
	lss esp, [boot_stack_ptr]
	push dword 0
	popfd

	mov eax, cr0
	and eax, 0x80000011                     ; PG, PE, ET
	or eax, 0x50022                         ; AM, WP, NE, MP
	mov cr0, eax
	clts
	fninit

	BOOT_GS P(boot_gdt), P(boot_words) + 4, boot_gs + 4
	BOOT_GS boot_gdt, P(boot_words) + 8, boot_gs + 8

	; the base of the per-CPU segment goes into its descriptor
	mov eax, percpu
	mov [gdt_table + 0xd8 + 2], ax
	shr eax, 16
	mov [gdt_table + 0xd8 + 4], al
	mov [gdt_table + 0xd8 + 7], ah

	lgdt [gdtr]
	lidt [idtr]
	jmp 0x60:.segments
.segments:
	mov eax, 0x68
	mov ss, ax
	mov eax, 0x7b
	mov ds, ax
	mov es, ax
	mov eax, 0xd8
	mov fs, ax
	xor eax, eax
	mov gs, ax
	lldt ax
	cld
	push dword 0                            ; no return address
	jmp guest_main

section .data
align 8
boot_gdt:
	dq 0, 0
	dq 0x00cf9a000000ffff                   ; 0x10
	dq 0x00cf92000000ffff                   ; 0x18
	dq 0x00cf92000000ffff                   ; BOOT_SPARE
	dw 0
boot_gdtr:
	dw 39
	dd P(boot_gdt)
	dw 0
gdtr:	dw 255
	dd gdt_table
	dw 0
idtr:	dw 2047
	dd idt_table
boot_words:
	dd 1, 2, 3                              ; what GS is to find
boot_stack_ptr:
	dd boot_stack_top
	dw 0x18

; Linux's layout: TLS 6-8, kernel 12 and 13, user 14 and 15, TSS 16, LDT 17,
; per CPU 27, double fault TSS 31.
align 4096
gdt_table:
	times 12 dq 0
	dq 0x00cf9a000000ffff                   ; 0x60 kernel code
	dq 0x00cf92000000ffff                   ; 0x68 kernel data
	dq 0x00cffa000000ffff                   ; 0x73 user code
	dq 0x00cff2000000ffff                   ; 0x7b user data
	times 11 dq 0
	dq 0x00cf92000000ffff                   ; 0xd8 per CPU, base filled in above
	times 4 dq 0
	times 4096 - ($ - gdt_table) db 0
nx_enabled:
	dd 0
percpu:
	dd 0x50435055                           ; "UPCP", what FS:0 must show

section .bss
alignb 4096
swapper_pg_dir:	resb 4096
%ifdef PAE
BOOT_PTS equ BOOT_MAP_MB / 2
kernel_pd:	resb 4096
%else
BOOT_PTS equ BOOT_MAP_MB / 4
kernel_pd equ swapper_pg_dir
%endif
boot_pts:	resb 4096 * BOOT_PTS
boot_params:	resb 4096
idt_table:	resb 4096
		resb 16384
boot_stack_top:
boot_cmdline:	resb CMDLINE_MAX
