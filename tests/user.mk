# SPDX-License-Identifier: GPL-2.0-only
#
# 32-bit Linux programs, static, for kernels from 2.6.21 on, and initramfs made
# of them. To be included by the Makefile at the top.
#
#   $(call user_program,NAME,SOURCES)         makes build/user/NAME
#   $(call user_initrd,NAME,FILES,sh)         makes build/NAME.cpio: our /init
#                                             and in /bin the files; if "sh" is
#                                             given, a shell and some tools, too
#
# to be used with $(eval). tests/user/init.c says how a run is told what to do.
# Objects are at build/user/obj/SOURCE.o; more flags for one of them:
#
#   $(B)/user/obj/some/file.o: USER_CFLAGS += -DTHIS
#
# $(B)/musl is a link into the cache (tools/host/mkmusl); it is made anew when the
# script changes.

USER_CFLAGS = $(WARN) -D_GNU_SOURCE -m32 -march=i686 -mno-sse -O2 -fno-pie -fcf-protection=none \
	-fno-stack-protector -fno-ident -nostdinc -isystem $(B)/musl/include \
	-isystem $(shell $(CC) -m32 -print-file-name=include)
USER_LDFLAGS := -m32 -static -no-pie -nostdlib -Wl,-z,noseparate-code -Wl,--build-id=none -Wl,-s
USER_LIB := $(B)/musl/lib

$(B)/musl.made: tools/host/mkmusl $(if $(wildcard $(B)/musl/lib/libc.a),,FORCE)
	@mkdir -p $(@D)
	@dir=$$(tools/host/mkmusl) && ln -sfn "$$dir" $(B)/musl
	@touch $@

.PHONY: FORCE

$(B)/user/obj/%.o: %.c | $(B)/musl.made
	@mkdir -p $(@D)
	$(call say,USERCC,$<)
	$(Q)$(CC) $(USER_CFLAGS) $(DEPS) -c $< -o $@

define user_program
$(B)/user/$(1): $(2:%.c=$(B)/user/obj/%.o)
	$$(call say,USERLD,$$@)
	$$(Q)$$(CC) $$(USER_LDFLAGS) $$(USER_LIB)/crt1.o $$(USER_LIB)/crti.o $$^ \
		-Wl,--start-group $$(USER_LIB)/libc.a $$(USER_LIB)/libgcc.a -Wl,--end-group \
		$$(USER_LIB)/crtn.o -o $$@
endef

define user_initrd
$(B)/$(1).cpio: $(B)/user/init $(2) tests/user/mkinitrd tools/host/guestfiles.py
	$$(call say,CPIO,$$@)
	$$(Q)tests/user/mkinitrd $$@ init=$(B)/user/init $$(foreach f,$(2),bin/$$(notdir $$f)=$$f) \
		$(if $(3),bin=$(B)/musl/klibc/bin lib=$(B)/musl/klibc/lib)
endef

$(eval $(call user_program,init,tests/user/init.c))
