# connectly: build, test, lint. `make` alone lists the targets.

VERSION := $(shell sed -n 's/.*"\(.*\)".*/\1/p' lua/connectly/version.lua)
BUILD ?= build
PREFIX ?= /usr/local
LUA ?= both

CFLAGS ?= -O3 -g -fno-plt
WARNINGS := -std=c11 -Wall -Wextra -pedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wwrite-strings -Wundef -Wcast-qual
# Where another libcurl than the system's is: -I, -L and -rpath.
CURL_CFLAGS ?=
CURL_LDFLAGS ?=
ALL_CFLAGS = $(WARNINGS) $(CFLAGS) -fPIC -Isrc $(CURL_CFLAGS)
LIBS := $(CURL_LDFLAGS) -lcurl -lcrypto -lm -pthread -ldl
# The module stays loaded: to unmap it and its libraries at exit is time for nothing.
NODELETE := $(shell echo | $(CC) -shared -Wl,-z,nodelete -x c - -o /dev/null 2>/dev/null && echo -Wl,-z,nodelete)

LUA54 ?= lua5.4
LUAJIT ?= luajit
LUA54_CFLAGS ?= $(shell pkg-config --cflags lua5.4 2>/dev/null || echo -I/usr/include/lua5.4)
LUAJIT_CFLAGS ?= $(shell pkg-config --cflags luajit 2>/dev/null || echo -I/usr/include/luajit-2.1)

CORE := $(sort $(shell find src/core -name "*.c"))
IO := $(sort $(shell find src/io -name "*.c"))
BINDING := $(sort $(shell find src/binding -name "*.c"))
HEADERS := $(shell find src -name "*.h" -o -name "*.def")
SHARED := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(CORE) $(IO))

MODULE54 := $(BUILD)/5.4/connectly/native.so
MODULE51 := $(BUILD)/5.1/connectly/native.so

# Where specs and examples find the library, and lua-http, which Debian packages
# for older Luas only but which is pure Lua and runs on 5.4.
OLDER := /usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua
SOURCES := lua/?.lua;lua/?/init.lua;?.lua
ENV54 = LUA_PATH="$(SOURCES);;$(OLDER)" LUA_CPATH="$(BUILD)/5.4/?.so;;"
ENV51 = LUA_PATH="$(SOURCES);;" LUA_CPATH="$(BUILD)/5.1/?.so;;"
BUSTED54 = $(ENV54) CONNECTLY_SPEC_LUA=$(LUA54) $(LUA54) /usr/bin/busted
BUSTED51 = $(ENV51) CONNECTLY_SPEC_LUA=$(LUAJIT) $(LUAJIT) /usr/bin/busted
export LUA54 LUAJIT BUILD

DEMO_PACKAGES := gcc make pkg-config ca-certificates openssl lua5.4 liblua5.4-dev "luajit2|luajit" \
  "libluajit2-5.1-dev|libluajit-5.1-dev" libcurl4-openssl-dev libssl-dev lua-cjson lua-argparse \
  lua-http lua-cqueues lua-luaossl lua-lpeg lua-lpeg-patterns lua-basexx lua-binaryheap lua-fifo
TEST_PACKAGES := $(DEMO_PACKAGES) git curl lua-busted lua-check luarocks unzip libcmocka-dev libjansson-dev clang \
  libclang-rt-dev clang-format cppcheck valgrind nginx libnginx-mod-http-lua lua-nginx-redis redis-server lua-redis \
  lua-luv lua-copas lua-socket lua5.3 liblua5.3-dev "lua5.5|lua5.4" "liblua5.5-dev|liblua5.4-dev" \
  debootstrap

.PHONY: help
help: ## list the targets
	@echo "connectly $(VERSION)"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1#\2/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "%-18s %s\n", $$1, $$2 }'

# ---- what a machine needs ----

.PHONY: deps deps-demo
deps: ## install what the tests need (Debian, apt)
	@sh spec/support/install.sh $(TEST_PACKAGES)

deps-demo:
	@sh spec/support/install.sh $(DEMO_PACKAGES)

# ---- building ----

.PHONY: all build
all: build
build: $(MODULE54) $(MODULE51) ## build the C module for Lua 5.4 and for LuaJIT

$(BUILD)/obj/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/5.4/obj/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) $(LUA54_CFLAGS) -c $< -o $@

$(BUILD)/5.1/obj/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) $(LUAJIT_CFLAGS) -c $< -o $@

$(MODULE54): $(SHARED) $(patsubst src/%.c,$(BUILD)/5.4/obj/%.o,$(BINDING))
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) -shared $(CFLAGS) $(LDFLAGS) $(NODELETE) -o $@ $^ $(LIBS)

$(MODULE51): $(SHARED) $(patsubst src/%.c,$(BUILD)/5.1/obj/%.o,$(BINDING))
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) -shared $(CFLAGS) $(LDFLAGS) $(NODELETE) -o $@ $^ $(LIBS)

# A fork for the specs; no Lua library that has one is packaged for all Luas.
$(BUILD)/5.4/spec_fork.so: spec/support/fork.c
	@mkdir -p $(@D)
	@$(CC) -shared $(CFLAGS) $(LUA54_CFLAGS) -fPIC -o $@ $<

$(BUILD)/5.1/spec_fork.so: spec/support/fork.c
	@mkdir -p $(@D)
	@$(CC) -shared $(CFLAGS) $(LUAJIT_CFLAGS) -fPIC -o $@ $<

# The faults of other machines, for the processes that preload it.
$(BUILD)/liar.so: spec/support/liar.c
	@mkdir -p $(@D)
	@$(CC) -shared $(ALL_CFLAGS) -o $@ $< -ldl

# ---- trying ----

.PHONY: demo
demo: deps-demo ## build, start the sandbox, send it a template message, print the id
	@$(MAKE) --no-print-directory build > $(or $(DEMO_LOG),/dev/null)
	@$(ENV54) $(LUA54) spec/support/demo.lua

# ---- tests ----

.PHONY: test test-c test-lua test-luajit test-examples check
test: deps ## install what is missing and run every test, on Lua 5.4 and LuaJIT
	@$(MAKE) --no-print-directory build
	@sh spec/support/run_tests.sh

check: test lint instructions ## what CI runs on this system

# A C test is one file NAME_test.c where the source is, with spec in place of src. The
# *_support.c of spec/core are linked into all, those of spec/io into the tests of io alone.
C_TESTS := $(patsubst spec/%.c,$(BUILD)/spec/%,$(sort $(shell find spec/core spec/io -name "*_test.c")))
C_SUPPORT := $(wildcard spec/core/*_support.c)
IO_SUPPORT := $(wildcard spec/io/*_support.c)
LIBCURL_SUPPORT := spec/io/libcurl_support.c
BINDING_TESTS := $(patsubst spec/%.c,$(BUILD)/spec/%,$(sort $(wildcard spec/binding/*_test.c)))
# Every allocation of ours goes through spec/core/memory_support.c in the tests.
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
# And those of io hear of each departure (spec/io/departure_support.c).
IO_WRAP := -Wl,--wrap=cly_limiter_left

$(BUILD)/spec/core/%: spec/core/%.c $(C_SUPPORT) $(SHARED) $(HEADERS) $(wildcard spec/core/*.h)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) -I. $(WRAP) -o $@ $< $(C_SUPPORT) $(SHARED) -lcmocka -ljansson $(LIBS)

$(BUILD)/spec/io/%: spec/io/%.c $(C_SUPPORT) $(IO_SUPPORT) $(SHARED) $(HEADERS) $(wildcard spec/core/*.h spec/io/*.h)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) -I. $(WRAP) $(IO_WRAP) -o $@ $< $(C_SUPPORT) $(IO_SUPPORT) $(SHARED) -lcmocka -ljansson $(LIBS)

$(BUILD)/spec/binding/%: spec/binding/%.c $(C_SUPPORT) $(LIBCURL_SUPPORT) $(SHARED) $(BINDING) $(HEADERS) $(wildcard spec/core/*.h)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) $(LUA54_CFLAGS) -I. $(WRAP) -o $@ $< $(C_SUPPORT) $(LIBCURL_SUPPORT) $(BINDING) $(SHARED) -llua5.4 -lcmocka -ljansson $(LIBS)

.PHONY: build-tests
build-tests: $(C_TESTS) $(BINDING_TESTS)

test-c: $(C_TESTS) $(BINDING_TESTS) ## the C tests alone
	@failed=; for test in $^; do ./$$test || failed="$$failed $$test"; done; \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

test-lua: build $(BUILD)/5.4/spec_fork.so $(BUILD)/liar.so ## the Lua specs on Lua 5.4
	$(BUSTED54) $(SPECS)

test-luajit: build $(BUILD)/5.1/spec_fork.so $(BUILD)/liar.so ## the Lua specs on LuaJIT
	$(BUSTED51) $(SPECS)

SUITE ?= trixie
.PHONY: test-debian
test-debian: ## C tests, delivery, fault and nginx specs on another Debian, by debootstrap as root (SUITE=trixie)
	@sh spec/support/debian/run.sh $(SUITE)

.PHONY: test-libcurl test-libcurl-programs
test-libcurl: ## the tests that send, against the libcurl that is installed in PREFIX
	@sh spec/support/run_libcurl.sh "$(PREFIX)"

test-libcurl-programs: $(filter $(BUILD)/spec/io/%,$(C_TESTS)) $(BINDING_TESTS)

# ---- fuzzing ----

# A target is one file spec/fuzz/NAME_fuzz.c, its corpus spec/fuzz/corpus/NAME.
FUZZ_TARGETS ?= $(patsubst spec/fuzz/%_fuzz.c,%,$(sort $(wildcard spec/fuzz/*_fuzz.c)))
FUZZ_SUPPORT := $(wildcard spec/fuzz/*_support.c) spec/core/source_support.c
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=build-fuzz/spec/fuzz/%_fuzz)
FUZZ_SECONDS ?= 600
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

# What the targets look at is instrumented, and they are not: libFuzzer is to find
# the ways through our code, not through their own.
$(BUILD)/spec/%.o: spec/%.c $(HEADERS) $(wildcard spec/fuzz/*.h spec/core/*.h)
	@mkdir -p $(@D)
	@echo "CC $@"
	@$(CC) $(ALL_CFLAGS) $(LUA54_CFLAGS) -I. -fno-sanitize=fuzzer-no-link -c $< -o $@

$(BUILD)/spec/fuzz/%_fuzz: $(BUILD)/spec/fuzz/%_fuzz.o $(FUZZ_SUPPORT:%.c=$(BUILD)/%.o) $(SHARED) \
  $(patsubst src/%.c,$(BUILD)/5.4/obj/%.o,$(BINDING))
	@echo "LD $@"
	@$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ -llua5.4 -lcmocka -ljansson $(LIBS)

.SECONDARY: $(patsubst %.c,build-fuzz/%.o,$(wildcard spec/fuzz/*.c) spec/core/source_support.c)
.PHONY: fuzz-build fuzz fuzz-corpus test-fuzz
fuzz-build:
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang CFLAGS="$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link" \
	  $(FUZZ_PROGRAMS)

fuzz: fuzz-build ## what servers send, against all that could be sent (FUZZ_SECONDS=600 for each target)
	@sh spec/support/run_fuzz.sh search $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-corpus: fuzz-build ## take into spec/fuzz/corpus what `make fuzz` has found and adds to it
	@sh spec/support/run_fuzz.sh merge 0 $(FUZZ_TARGETS)

test-fuzz: fuzz-build ## the inputs of spec/fuzz/corpus once
	@sh spec/support/run_fuzz.sh replay 0 $(FUZZ_TARGETS)

# ---- hard modes ----

TSAN_TESTS := $(addprefix build-tsan/spec/io/,system/notifier_test call_table_test engine_test worker_test client_test curl/libcurl_test)
TSAN_OPTIONS ?= halt_on_error=0:die_after_fork=0
RACES ?= 20000

.PHONY: asan tsan valgrind
asan: ## all tests under ASan and UBSan, with the most aggressive garbage collection
	@sh spec/support/run_asan.sh

tsan: ## the engine and the worker under ThreadSanitizer, with more races
	@$(MAKE) --no-print-directory BUILD=build-tsan CFLAGS="-O1 -g -fsanitize=thread" LDFLAGS=-fsanitize=thread \
	  $(TSAN_TESTS)
	@status=0; for test in $(TSAN_TESTS); do CONNECTLY_RACES=$(RACES) TSAN_OPTIONS=$(TSAN_OPTIONS) ./$$test || status=1; done; \
	  exit $$status

valgrind: build $(C_TESTS) $(BINDING_TESTS) ## C tests and a Lua script of all calls under valgrind
	@sh spec/support/run_valgrind.sh $(C_TESTS) $(BINDING_TESTS)

.PHONY: bench soak instructions
instructions: build ## the instructions per message under callgrind; fails when there are 5 % more than were reached
	@sh spec/bench/run.sh instructions

bench: build ## the benchmarks; what they measure is said at the head of each file
	@sh spec/bench/run.sh

soak: build ## a million messages by send_many, 100,000 through a reloaded nginx: no growth, none lost (SOAK=count)
	@sh spec/bench/run.sh soak $(SOAK)
	@sh spec/bench/run.sh nginx_soak $(SOAK)

# ---- looking ----

.PHONY: lint format layers exports reference rockspec
C_FILES := $(shell find src spec -name "*.[ch]")

lint: layers exports ## formatting, static checks, layers, exports
	clang-format --dry-run --Werror $(C_FILES)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	  --suppress=missingIncludeSystem -Isrc src
	luacheck --quiet lua spec examples *.rockspec
	@$(LUA54) spec/support/rockspec.lua --check
	@sh spec/support/warnings.sh

format: ## let clang-format write the C files
	clang-format -i $(C_FILES)

layers: ## check that the arrows between the layers run one way
	@sh spec/support/layers.sh

reference: $(MODULE54) ## write lua/REFERENCE.md and lua/connectly/types.lua from the tables and docstrings
	@$(ENV54) $(LUA54) spec/support/reference.lua

rockspec: ## write the module list of the rockspec from the files
	@$(LUA54) spec/support/rockspec.lua

exports: $(MODULE54) $(MODULE51) ## check that the module exports luaopen_* alone
	@sh spec/support/exports.sh $^

# ---- installing ----

.PHONY: install install-54 install-51
install: ## PREFIX=/usr/local LUA=5.4|luajit|both
ifeq ($(LUA),5.4)
	@$(MAKE) --no-print-directory install-54
else ifeq ($(LUA),luajit)
	@$(MAKE) --no-print-directory install-51
else ifeq ($(LUA),both)
	@$(MAKE) --no-print-directory install-51 install-54
else
	@echo "LUA=5.4, luajit or both expected, got $(LUA)" >&2; exit 1
endif

define install_files
	@sh spec/support/install_files.sh "$(DESTDIR)$(PREFIX)" $(1) $(2) $(3)
endef

install-54: $(MODULE54)
	$(call install_files,5.4,$(MODULE54),$(LUA54))

install-51: $(MODULE51)
	$(call install_files,5.1,$(MODULE51),$(LUAJIT))

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)
