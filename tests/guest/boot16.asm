; SPDX-License-Identifier: GPL-2.0-only
;
; The bzImage: boot sector, setup header, the real-mode entry that a BIOS
; loader jumps to, and behind them the 32-bit kernel.
;
; Protocol: Documentation/x86/boot.txt of Linux, version 2.06.  A 16-bit
; loader loads everything up to setup_sects at some segment S and enters at
; S+0x20:0 with DS = S; a 32-bit loader (vmixen's domain entry) ignores the
; code here, reads the header and enters code32_start itself.
;
; boot_params is built at S:PARAMS: zeroes, the setup header as the loader
; left it, and the E820 map (or, from an old BIOS, one made of int 15h E801).

%define SETUP_SECTS 4
%define PARAMS 0x4000       ; offset of boot_params in the setup segment
%define E820_COUNT 0x1e8
%define E820_MAP 0x2d0
%define E820_MAX 128
%define CODE32 0x100000
%ifndef ALIGN
%define ALIGN CODE32        ; where the kernel claims to unpack itself
%endif

bits 16
org 0
	times 0x1f1 db 0
hdr:
	db SETUP_SECTS
	dw 1                                    ; root_flags
	dd (kernel_end - kernel + 15) / 16      ; syssize
	dw 0                                    ; ram_size
	dw 0xffff                               ; vid_mode: normal
	dw 0                                    ; root_dev
	dw 0xaa55                               ; boot_flag
	db 0xeb, start - jump_end               ; 0x200
jump_end:
	db "HdrS"                               ; 0x202
	dw 0x0206
	dd 0                                    ; realmode_swtch
	dw 0x1000                               ; start_sys_seg
	dw version - 0x200                      ; kernel_version
	db 0                                    ; type_of_loader
	db 1                                    ; loadflags: LOADED_HIGH
	dw 0x8000                               ; setup_move_size
	dd CODE32                               ; code32_start
	dd 0, 0                                 ; ramdisk_image, ramdisk_size
	dd 0                                    ; bootsect_kludge
	dw 0xe000                               ; heap_end_ptr
	dw 0
	dd 0                                    ; cmd_line_ptr
	dd 0x37ffffff                           ; initrd_addr_max
	dd ALIGN                                ; kernel_alignment
	db 0                                    ; relocatable_kernel
	db 0
	dw 0
	dd 255                                  ; cmdline_size
	dd 0                                    ; hardware_subarch: PC
	dq 0
hdr_end:
%if hdr_end - hdr != 0x248 - 0x1f1
%error "setup header has the wrong size"
%endif

start:
	cli
	cld
	push ds
	push word .flat_cs
	retf                                    ; CS = DS: labels are offsets
.flat_cs:
	mov ax, ds
	mov es, ax
	mov ss, ax
	mov sp, 0xdff0
	sti

	; boot_params: zero, then the header
	mov di, PARAMS
	xor ax, ax
	mov cx, 4096 / 2
	rep stosw
	mov si, hdr
	mov di, PARAMS + 0x1f1
	mov cx, hdr_end - hdr
	rep movsb

	; E820
	xor ebx, ebx
	mov di, PARAMS + E820_MAP
.e820:
	mov eax, 0xe820
	mov edx, 0x534d4150                     ; "SMAP"
	mov ecx, 20
	int 0x15
	jc .e820_done
	cmp eax, 0x534d4150
	jne .e820_done
	inc byte [PARAMS + E820_COUNT]
	add di, 20
	cmp byte [PARAMS + E820_COUNT], E820_MAX
	jae .e820_done
	test ebx, ebx
	jnz .e820
.e820_done:
	cmp byte [PARAMS + E820_COUNT], 0
	jne .have_map

	; No map: CX = KB from 1 to 16 MB.  Two entries are enough for us.
	xor cx, cx
	mov ax, 0xe801
	int 0x15
	mov di, PARAMS + E820_MAP
	mov byte [PARAMS + E820_COUNT], 2
	mov dword [di + 8], 0x9f000             ; 0, 636 KB, RAM
	mov byte [di + 16], 1
	mov dword [di + 20], CODE32
	movzx ecx, cx
	shl ecx, 10
	mov [di + 28], ecx
	mov byte [di + 36], 1
.have_map:
	; A20: ask the BIOS, then the fast gate
	mov ax, 0x2401
	int 0x15
	cli
	in al, 0x92
	or al, 2
	and al, ~1
	out 0x92, al

	; protected mode, CS 0x10, data 0x18, flat
	xor ebx, ebx
	mov bx, ds
	shl ebx, 4
	lea eax, [ebx + gdt]
	mov [gdtr + 2], eax
	lea eax, [ebx + enter32]
	mov [far32], eax
	lea esi, [ebx + PARAMS]
	lgdt [gdtr]
	lidt [idtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp far dword [far32]

bits 32
enter32:
	mov eax, 0x18
	mov ds, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	mov ss, ax
	xor ebx, ebx
	xor edi, edi
	xor ebp, ebp
	mov eax, CODE32
	jmp eax

align 8
gdt:
	dq 0, 0
	dq 0x00cf9a000000ffff                   ; 0x10 __BOOT_CS
	dq 0x00cf92000000ffff                   ; 0x18 __BOOT_DS
gdtr:	dw 31
	dd 0
idtr:	dw 0
	dd 0
far32:	dd 0
	dw 0x10
version:
	db "vmixen test guest", 0

%if $ - $$ > (SETUP_SECTS + 1) * 512
%error "the setup part outgrew setup_sects"
%endif
	times (SETUP_SECTS + 1) * 512 - ($ - $$) db 0
kernel:
	incbin KERNEL
kernel_end:
