/* SPDX-License-Identifier: GPL-2.0-only */
/* The least program, which the exec rows start. */
int main(void)
{
	return 0;
}
