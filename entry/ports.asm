; SPDX-License-Identifier: GPL-2.0-only
;
; The VMI calls on ports, of both bindings.  The binding has the macro PORT_CALL: %1 call,
; %2 C function (monitor/vmi/vmi_ports.c), %3 bytes, %4 1 for input.

; PORT_CALL of the binding for strings, again and again until ECX is 0: the C function does a bounded number
; of elements at a time, and in between a pending event is delivered.
%macro STRING_CALL 3
vmi_%1:
	call once_%1
	jecxz %%done
	jmp vmi_%1
%%done:	ret
	PORT_CALL once_%1, port_string, %2, %3
%endmacro

	PORT_CALL vmi_IN, port_register, 4, 1
	PORT_CALL vmi_INB, port_register, 1, 1
	PORT_CALL vmi_INW, port_register, 2, 1
	PORT_CALL vmi_OUT, port_register, 4, 0
	PORT_CALL vmi_OUTB, port_register, 1, 0
	PORT_CALL vmi_OUTW, port_register, 2, 0
	STRING_CALL INS, 4, 1
	STRING_CALL INSB, 1, 1
	STRING_CALL INSW, 2, 1
	STRING_CALL OUTS, 4, 0
	STRING_CALL OUTSB, 1, 0
	STRING_CALL OUTSW, 2, 0
