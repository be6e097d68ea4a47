; SPDX-License-Identifier: GPL-2.0-only
; The user blob inside the kernel's image.
global user_blob
section .rodata align=4096
user_blob:
	incbin BLOB
