# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark program and the initramfs that runs it.

BENCH_SRC := $(filter-out bench/hello.c,$(wildcard bench/*.c))

$(eval $(call user_program,main,$(BENCH_SRC)))
$(eval $(call user_program,hello,bench/hello.c))
$(eval $(call user_initrd,bench,$(B)/user/main $(B)/user/hello,sh))
