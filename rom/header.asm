; SPDX-License-Identifier: GPL-2.0-only
;
; The image's first part, which is all that the guest finds where it scans: both
; headers, their fixed slots, and the two functions that run there, vmi_init and
; get_reloc with its table.  Then the body's beginning: the tables that describe
; the calls.  All of it is made from rom/calls.def.  Field offsets are those of
; include/image.h.  mkrom fills what is only known after the link: lengths and
; checksums; and it refuses a first part that reaches into the body otherwise than
; by an address of the window.
;
; A slot pushes the window address of its stub and returns to it: no register
; and no flag changes, and the call goes on in the window whatever becomes of
; the place the guest called it at.

global rom_start

KIND_NONE equ 0
KIND_CALL equ 1
KIND_JUMP equ 2
KIND_NOP equ 3
HOW_ABSENT equ 0
HOW_ASM equ 1
HOW_C equ 2


; --- API 3.0 -----------------------------------------------------------------
	dw 0xAA55
	db 0                    ; length: mkrom
	db 0xCB, 0, 0, 0        ; 16-bit entry: retf
	db 0                    ; checksum: mkrom
	dd 0x696d5663           ; "cVmi"
	db 0, 3                 ; API 3.0
	db JUMP_SLOTS, 0
	dd WINDOW_BASE          ; virtual_top
	dw 0
	dw licence - rom_start
	dw pci_header - rom_start
	dw pnp_header - rom_start
	dd 0
	db "VMXN"
	dw call_table - rom_start
	dw CALL_ROWS
	dd monitor_entry - rom_start
	dd 0                    ; bytes in use: mkrom
	dd first_end - rom_start
	dd BINDING
	times 0x80 - ($ - rom_start) db 0

	jmp strict near init_in_place       ; 0x80
	times 3 int3
	jmp strict near get_reloc_in_place  ; 0x88
	times 3 int3

%macro SLOT 1
	push dword W(%1)
	ret
	times 2 int3
%endmacro

; Calls stand in calls.def in the order of their numbers; gaps are filled.
%assign next_id 0
%macro CALL_ROW 5
 %if %1 >= 0
  %rep %1 - next_id
	SLOT call_absent
  %endrep
  %assign next_id %1 + 1
  %ifidn %5, ABSENT
	SLOT call_absent
  %elifidn %5, C
	SLOT stub_%3
  %else
	SLOT vmi_%3
  %endif
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5
JUMP_SLOTS equ next_id + 2
CALL_NUMBERS equ next_id

licence: db "GPL", 0
manufacturer: db "vmixen", 0
product: db "VMI to Xen translation ROM", 0

align 4, db 0
pci_header:
	db "PCIR"
	dw 0x15AD, 0x0801       ; VMware's VMI: guests look for it
	dw 0, 24
	db 0
	db 0, 0, 0xFF           ; class: no defined one
	dw 0                    ; chunks: mkrom
	db VMIXEN_MINOR, VMIXEN_MAJOR
	db 0, 0x80              ; x86, last image
	dw 0

align 16, db 0
pnp_header:
	db "$PnP"
	db 1, 2                 ; revision, 32 bytes
	dw 0
	db 0, 0                 ; checksum: mkrom
	dd 0
	dw manufacturer - rom_start
	dw product - rom_start
	times 32 - ($ - pnp_header) db 0

; {address, DL = kind} get_reloc(EAX call)
get_reloc_in_place:
	call .here
.here:	pop ecx
	cmp eax, CALL_NUMBERS
	jae .none
	movzx edx, byte [ecx + reloc_table - .here + eax * 8 + 4]
 %ifdef HAS_MMIO
	cmp byte [ss:HAS_MMIO], 0
	je .kind
	mov dl, [ecx + reloc_table - .here + eax * 8 + 5]
.kind:	cmp dl, KIND_NONE
	je .none
 %endif
	mov eax, [ecx + reloc_table - .here + eax * 8]
	ret
.none:
	xor eax, eax
	xor edx, edx
	ret

%include INIT_IN_PLACE

align 4, db 0
; By call number: window address, kind, and kind in a domain that has a device with registers
; in memory (HAS_MMIO is where a byte says so; without it the two are the same).
%macro RELOC 3
	dd %1
	db %2, %3, 0, 0
%endmacro
reloc_table:
%assign next_id 0
%macro CALL_ROW 5
 %if %1 >= 0
	times %1 - next_id dd 0, KIND_NONE
  %assign next_id %1 + 1
  %ifidn %5, ABSENT
	RELOC 0, KIND_%4, KIND_%4
  %elifdef NATIVE_UNLESS_MMIO_%3
	RELOC W(stub_%3), KIND_NONE, KIND_%4
  %elifdef NATIVE_%3
	RELOC 0, KIND_NONE, KIND_NONE
  %elifidn %5, C
	RELOC W(stub_%3), KIND_%4, KIND_%4
  %else
	RELOC W(vmi_%3), KIND_%4, KIND_%4
  %endif
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5

	times ROM13_HEADER - ($ - rom_start) db 0

; --- API 13.3 ----------------------------------------------------------------
header13:
	dw 0xAA55
	db 0                    ; length: mkrom
	db 0xCB, 0, 0, 0
	db 0                    ; checksum: mkrom
	dd 0x696d5663
	db 3, 13                ; API 13.3
	db ROM13_SLOTS, 0
	dd WINDOW_BASE
	dw 0
	dw licence13 - header13
	dw pci_header13 - header13
	dw pnp_header13 - header13
	times 0x80 - ($ - header13) db 0

%macro CALL_ROW 5
 %if %2 >= 0
  %ifidn %5, C
   %xdefine SLOT13_%[%2] stub_%3
  %elifidn %5, ASM
   %xdefine SLOT13_%[%2] vmi_%3
  %endif
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5

%assign n 4
%rep ROM13_SLOTS - 4
slot13_%[n]:
 %if n = 4
	jmp strict near init_in_place
 %else
  %ifdef SLOT13_%[n]
	push dword W(SLOT13_%[n])
  %else
	push dword W(call_absent)
  %endif
	ret
 %endif
	times 32 - ($ - slot13_%[n]) int3
 %assign n n + 1
%endrep

licence13: db "GPL", 0
manufacturer13: db "vmixen", 0
product13: db "VMI to Xen translation ROM", 0
align 4, db 0
pci_header13:
	db "PCIR"
	dw 0x15AD, 0x0801
	dw 0, 24
	db 0
	db 0, 0, 0xFF
	dw 0                    ; chunks: mkrom
	db 1, 0
	db 0, 0x80
	dw 0
align 16, db 0
pnp_header13:
	db "$PnP"
	db 1, 2
	dw 0
	db 0, 0                 ; checksum: mkrom
	dd 0
	dw manufacturer13 - header13
	dw product13 - header13
	times 32 - ($ - pnp_header13) db 0

first_end:
	align ROM_UNIT, db 0

; --- the body ------------------------------------------------------------------
	db 0                    ; checksum: mkrom
%macro CALL_ROW 5
name_%3: db %str(%3), 0
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5

; struct rom_call
align 4, db 0
call_table:
%macro CALL_ROW 5
	dw %1, %2
 %ifdef NATIVE_%3
	db KIND_NONE, HOW_%5
 %else
	db KIND_%4, HOW_%5
 %endif
	dw name_%3 - rom_start
 %ifidn %5, ABSENT
	dd 0
 %elifidn %5, C
	dd stub_%3 - rom_start
 %else
	dd vmi_%3 - rom_start
 %endif
%endmacro
%include "calls.inc"
%unmacro CALL_ROW 5
CALL_ROWS equ ($ - call_table) / 12

; By slot of API 13.x: window address, 0 where there is nothing.
reloc13_table:
	times 4 dd 0
	dd W(init_in_place)
%assign n 5
%rep ROM13_SLOTS - 5
 %ifdef SLOT13_%[n]
	dd W(SLOT13_%[n])
 %else
	dd 0
 %endif
 %assign n n + 1
%endrep
