; SPDX-License-Identifier: GPL-2.0-only
;
; int vmi_init(void), where the guest found the ROM: it is a part of the image's
; first part (rom/header.asm), and reaches the window by address alone.
;
; Under the monitor the guest's kernel is at CPL 3 here; the marked ud2 enters
; the monitor, which returns to our caller in ring 1.  At CPL 0 there is no
; monitor, and in ring 1 nothing is left to do: Init fails and changes nothing.
init_in_place:
	mov eax, cs
	not eax
	test al, 3
	jnz .failed
	ud2
	db "VMXN"
.failed:
	mov eax, -1
	ret
