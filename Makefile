# What is linked into what: these lists are the architecture (see the rooms of lib/ and init/).
# A room can be built alone while its neighbours are still being written:
#     make build/musl/lib/str.o      make unit-str LIB=str

LIB  = str unitfile words values values_amounts values_paths glyph exec_values calendar calendar_print calendar_next unitname directives unit kmsg kmsg_lines kmsg_paths kmsg_record kmsg_text procstat sigtrace proto names graph \
       service restart shared_count verdict attrib system crash state core machine depend life ending outcome evidence wound request incident notify condition expand logline logfile logsplit logpolicy logpick logread timestamp say say_death say_note \
       syslogmsg journalmsg logjson logtarget logqueue
PID1 = main boot loop effects state state_old crash recover upgrade last spawn child child_life child_fds child_stdio child_words child_rights child_process child_tty child_folders child_credentials child_tree store log reap devkmsg incident sigtrace cgroupfs counters ctlsock receive notifysock loader console files
LOAD = main host specifiers scan find file dropin read settings settings_exec settings_life settings_rights settings_folders settings_stdio settings_timer command account people settle target link write builtin verify dump dump_numbers say keep list \
       table
LOG  = main loop settings wire deaths sync writer stream batch ledger store place folder rotate finish move stdout copies notify syslog journal datagram sender forward resolve
NET  = main
HALT = main
TMPFILES = main conf files users reload say
CHORE = main find bus
CHECK = main files machine virt
CTL  = main wire json view words list status change upgrade deaths oom ring record keep from mend verify logs logs_file logs_source logs_back logs_tail logs_show logs_follow logs_last logs_time

PROGRAMS = oomph oomphctl oomph-load oomph-log oomph-net oomph-halt oomph-tmpfiles oomph-chore oomph-check

M = build/musl
H = build/host
Z = build/fuzz
LIBNL = build/deps/lib/libnl-route-3.a build/deps/lib/libnl-3.a

build/debug/oomph:      $(PID1:%=$M/init/pid1/%.o) $M/liboomph.a
build/debug/oomph-load: $(LOAD:%=$M/init/load/%.o) $M/liboomph.a
build/debug/oomph-log:  $(LOG:%=$M/init/log/%.o)   $M/liboomph.a
build/debug/oomph-net:  $(NET:%=$M/init/net/%.o)   $(LIBNL)
build/debug/oomph-halt: $(HALT:%=$M/init/halt/%.o)
build/debug/oomph-tmpfiles: $(TMPFILES:%=$M/init/tmpfiles/%.o) $M/liboomph.a
build/debug/oomph-chore: $(CHORE:%=$M/init/chore/%.o) $M/liboomph.a
build/debug/oomph-check: $(CHECK:%=$M/init/check/%.o) $M/liboomph.a
build/debug/oomphctl:   $(CTL:%=$M/init/ctl/%.o)   $M/liboomph.a

# ---- how ----

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

# make V=1 shows the commands.
Q      = $(if $V,,@)
MUSLCC = musl-gcc
HOSTCC = clang
WARN   = -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wvla
# lib/limits.h must not hide <limits.h>: quoted includes only.
COMMON = -std=gnu17 -D_GNU_SOURCE -iquote . -iquote lib $(WARN) -MMD -MP
# musl brings no kernel headers; last in the search order, so that they never win against musl's own.
MUSL   = $(COMMON) -Os -g -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables $(HARDEN) -idirafter build/deps/kernel-headers
# musl has no _FORTIFY_SOURCE, and -fcf-protection would be for nothing: neither the kernel nor musl turns it on for such a program.
HARDEN = -fPIE -fstack-protector-strong $(PROBES) -Wframe-larger-than=262144
# To probe touches each page of a large frame, which a child of PID 1 pays for with a copy of it: a third more from a death to the replacement. No frame
# is as large as the gap below a stack (stack_guard_gap, 1 MB), nor is any of variable size (-Wvla), so in PID 1 there is nothing to probe for.
PROBES = -fstack-clash-protection
# A static program that may lie anywhere. The startup file by hand: musl-gcc's specs know no -static-pie. One mapping for what is read and
# executed, one for what init/seal.c seals, one page for what is written: each is copied by every fork.
LINK   = -nostartfiles -static -Wl,-static,-pie,--no-dynamic-linker,-z,text -l:rcrt1.o \
         -Wl,-z,noseparate-code,-z,relro,-z,now,-z,noexecstack,--gc-sections,--build-id=sha1
HOST   = $(COMMON) -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZED = $(HOST) -O2 -fsanitize=fuzzer-no-link
# Debian's python, which has Debian's pytest, whatever else PATH begins with.
PYTEST = PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -o cache_dir=$(CURDIR)/build/pytest -q -ra

BENCH  = $(addprefix build/bench/,bench stamp bare idle parse flood pour)
GUEST  = $(patsubst tests/vm/guest/%.c,build/guest/%,$(wildcard tests/vm/guest/*.c)) build/guest/oomph-faulty build/guest/oomph-before
UNIT   = $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
SIM    = $(patsubst %.c,$H/%.o,$(wildcard tests/sim/*.c))
# The most dangerous first: `make fuzz` takes them in this order.
FUZZ   = unitset state core unitfile kmsg request notify values logs
CHECKS = setup all law lint unit sim fuzz-replay fault-sample crashes-sample container-test vm-test

.PHONY: all guest demo check lint vm bench torture hostile daemons oracle mutants crashes crashes-sample fault fault-sample setup law unit sim container-test vm-test install clean distclean

all: $(PROGRAMS:%=build/bin/%)
guest: $(GUEST)

$M/%.o: %.c Makefile | build/deps/ready
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$Q$(MUSLCC) $(MUSL) -c $< -o $@

$M/init/net/%.o: MUSL += -isystem build/deps/include/libnl3
$M/init/pid1/%.o $M/lib/%.o build/guest/%: PROBES =

$M/liboomph.a: $(LIB:%=$M/lib/%.o) build/lib.list
	@rm -f $@
	$Qar rcs $@ $(filter %.o,$^)

$(PROGRAMS:%=build/debug/%): $M/init/seal.o Makefile
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	$Q$(MUSLCC) $(LINK) $(filter %.o,$^) $(filter %.a,$^) -o $@

# Another LIB= on the command line must not leave its archive behind.
build/lib.list: FORCE
	@mkdir -p $(@D); echo '$(LIB)' | cmp -s - $@ || echo '$(LIB)' >$@
FORCE:

build/bin/%: build/debug/%
	@mkdir -p $(@D)
	$Qstrip -o $@ $<

# The bare loop and what it starts are built as oomph is; what measures them is not.
build/bench/bench: tests/bench/bench.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$Q$(HOSTCC) $(COMMON) -O2 $< -o $@

build/bench/idle: build/guest/pause
	@mkdir -p $(@D)
	cp $< $@

build/bench/parse: $M/liboomph.a
build/bench/%: tests/bench/%.c Makefile | build/deps/ready
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$Q$(MUSLCC) $(MUSL) $(LINK) $< $(filter %.a,$^) -o $@

build/guest/%: tests/vm/guest/%.c Makefile | build/deps/ready
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$Q$(MUSLCC) $(MUSL) $(LINK) $< -o $@

# PID 1 with bugs that a file asks for, and one whose state is laid out as the version before has it: what it crashes of, and upgrades from.
build/guest/oomph-faulty: tests/crash/inject.c $(PID1:%=$M/init/pid1/%.o) $M/init/seal.o $M/liboomph.a Makefile
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	$Q$(MUSLCC) $(MUSL) $(LINK) -Wl,--wrap=core_step $(filter %.c %.o %.a,$^) -o $@

build/guest/oomph-before: $(PID1:%=$M/init/pid1/%.o) $M/liboomph.a Makefile
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$Q$(MUSLCC) $(filter-out -MMD -MP,$(MUSL)) -DSTATE_LAYOUT=1 $(LINK) $(PID1:%=init/pid1/%.c) $(LIB:%=lib/%.c) -o $@
# PID 1 with a hand between it and libc (tests/fault/inject.c). One relocatable file first: in it alone are calls renamed. Frame pointers
# and no calls in a function's last place, so that a call is known by where it stands.
F     = build/fault
CALLS = $(shell sed -n 's/^CALL.\([a-z0-9_]*\).*/\1/p' tests/fault/calls.h) syscall
SYSTEM = $(shell sed -n 's/^SYSTEM.\([a-z0-9_]*\).*/\1/p' tests/fault/calls.h)
PURE  = $(shell sed -n 's/^PURE.\([A-Za-z0-9_]*\).*/\1/p' tests/fault/calls.h)

$F/%.o: %.c Makefile | build/deps/ready
	@mkdir -p $(@D)
	@echo "  CC      $< (fault)"
	$Q$(MUSLCC) $(MUSL) -fno-omit-frame-pointer -fno-optimize-sibling-calls -c $< -o $@

$F/tests/fault/inject.o: tests/fault/calls.h

$F/pid1.o: $(PID1:%=$F/init/pid1/%.o) $M/liboomph.a tests/fault/calls.h
	$Qld -r $(CALLS:%=--wrap=%) $(filter %.o %.a,$^) -o $@
	@{ nm -u $@ | awk '{ print $$2 }' | grep -vxF "$$(printf '%s\n' $(CALLS:%=__wrap_%) $(PURE))"; \
		grep -ohE '\<SYS_[a-z0-9_]+' init/pid1/*.c | sort -u | grep -vxF "$$(printf 'SYS_%s\n' $(SYSTEM))"; } | \
		{ ! sed 's/$$/: not in tests\/fault\/calls.h/' | grep .; }

$F/oomph: $F/pid1.o $F/tests/fault/inject.o $M/init/seal.o
	@echo "  LINK    $@"
	$Q$(MUSLCC) $(LINK) $^ -o $@

$F/actor: tests/fault/actor.c Makefile | build/deps/ready
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$Q$(MUSLCC) $(MUSL) $(LINK) $< -o $@

build/deps/ready $(LIBNL):
	tools/setup

# ---- tests: host compiler, address and undefined-behaviour sanitizers ----

$H/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $< (test)"
	$Q$(HOSTCC) $(HOST) -c $< -o $@

$H/test_%: $H/tests/unit/test_%.o $(LIB:%=$H/lib/%.o) build/lib.list
	$Q$(HOSTCC) $(HOST) $(filter %.o,$^) -lcmocka -o $@

$H/sim: $(SIM) $(LIB:%=$H/lib/%.o) build/lib.list
	$Q$(HOSTCC) $(HOST) $(filter %.o,$^) -o $@

# With one cell of the service machine's table changed: $CELL, see tests/mutants/cell.c.
$H/sim-cell: $(SIM) $H/tests/mutants/cell.o $(patsubst %,$H/lib/%.o,$(filter-out service,$(LIB))) build/lib.list
	$Q$(HOSTCC) $(HOST) $(filter %.o,$^) -o $@

# Unit tests and simulator against a shared lib/, so that one changed file of it can be preloaded (tests/mutants).
MUTABLE = -O1 -fPIC -fsanitize=undefined -fsanitize-trap=undefined
MUTANTS = $(addprefix build/mutants/,liboomph.so cell.so sim test_service test_verdict test_restart test_shared_count test_backoff test_outcome test_evidence test_core test_life test_depend)

build/mutants/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $< (mutable)"
	$Q$(HOSTCC) $(COMMON) $(MUTABLE) -c $< -o $@

build/mutants/liboomph.so: $(LIB:%=build/mutants/lib/%.o)
build/mutants/cell.so: build/mutants/tests/mutants/cell.o
build/mutants/%.so:
	$Q$(HOSTCC) $(MUTABLE) -shared $^ -o $@

build/mutants/sim: $(patsubst %.c,build/mutants/%.o,$(wildcard tests/sim/*.c)) build/mutants/liboomph.so
	$Q$(HOSTCC) $(MUTABLE) $(filter %.o,$^) -Lbuild/mutants -loomph -Wl,-rpath,$(CURDIR)/build/mutants -o $@

build/mutants/test_%: build/mutants/tests/unit/test_%.o build/mutants/liboomph.so
	$Q$(HOSTCC) $(MUTABLE) $< -Lbuild/mutants -loomph -Wl,-rpath,$(CURDIR)/build/mutants -lcmocka -o $@

unit-%: $H/test_%
	@$< 2>$H/test_$*.log >&2 || { cat $H/test_$*.log; echo "unit: $* FAILED"; exit 1; }
	@echo "unit: $* $$(sed -n 's/.*PASSED  *\] *\([0-9]* test\)/\1/p' $H/test_$*.log)"

unit: $(UNIT:%=unit-%)
	@test -n "$(UNIT)" || { echo "unit: there are no tests"; exit 1; }

sim: $H/sim $H/sim-cell
	$H/sim
	tests/sim/planted.sh

# libFuzzer wants to see every branch of what it drives, so all of it is built once more.
$Z/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $< (fuzz)"
	$Q$(HOSTCC) $(FUZZED) -c $< -o $@

$Z/unitset $Z/state $Z/unitfile $Z/kmsg $Z/request $Z/notify: $Z/tests/fuzz/machine.o $Z/tests/fuzz/reading.o
$Z/unitset $Z/state: $Z/tests/fuzz/hostile.o
# Made-up worlds, and what only holds one reading against another: whose branches nobody has to follow.
$Z/tests/sim/%.o $Z/tests/fuzz/core.o $Z/init/load/dump%.o: FUZZED = $(HOST) -O2
# There no comparison tells which byte would change it, and to ask each is most of the work.
$Z/counted/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $< (fuzz)"
	$Q$(HOSTCC) $(HOST) -O2 -fsanitize-coverage=inline-8bit-counters,pc-table -c $< -o $@

$Z/core: $Z/tests/fuzz/core.o $Z/tests/fuzz/bytes.o $(patsubst %,$Z/tests/sim/%.o,check choices draw kernel run shell stream trace) $(LIB:%=$Z/counted/lib/%.o) build/lib.list
$Z/unitfile $Z/values: $Z/tests/fuzz/loader.o $(patsubst %,$Z/init/load/%.o,$(filter-out main keep account people,$(LOAD)))
# All of PID 1 but the core and the clock, which are the fuzzer's.
$Z/request: $(patsubst %,$Z/init/pid1/%.o,$(filter-out main,$(PID1)))
$Z/request: WRAPPED = -Wl,--wrap=feed,--wrap=feed_last,--wrap=now_ms
$(patsubst %,$Z/%,$(filter-out core,$(FUZZ))): $Z/%: $Z/tests/fuzz/%.o $Z/tests/fuzz/bytes.o $(LIB:%=$Z/lib/%.o) build/lib.list
$(FUZZ:%=$Z/%):
	@echo "  LINK    $@"
	$Q$(HOSTCC) $(FUZZED) -fsanitize=fuzzer $(WRAPPED) $(filter %.o,$^) -o $@

$Z/dictionary: tests/fuzz/dictionary.c $(LIB:%=$H/lib/%.o) build/lib.list
	@mkdir -p $(@D)
	$Q$(HOSTCC) $(HOST) $< $(filter %.o,$^) -o $@

$Z/dictionary.txt: $Z/dictionary
	$Q$< >$@

# SECONDS may be given, how long for each, and FUZZ, which of them.
.PHONY: fuzz fuzz-replay
fuzz: setup
	@$(MAKE) --no-print-directory -j2 $(FUZZ:%=$Z/%) $Z/dictionary.txt
	tools/fuzz run $(or $(SECONDS),60) $(FUZZ)

fuzz-replay: $(FUZZ:%=$Z/%)
	@tools/fuzz replay $(FUZZ)

law: all
	tests/law.sh

# Each tool's word on a file stands until its object is built again.
L      = build/lint
LINTED = $(wildcard lib/*.c init/*.c init/*/*.c)
TIDY   = $(filter-out -MMD -MP -W%,$(COMMON)) --target=$(shell gcc -dumpmachine | sed s/gnu/musl/) -nostdlibinc \
         -isystem /usr/include/$(shell gcc -dumpmachine | sed s/gnu/musl/) -idirafter build/deps/kernel-headers -isystem build/deps/include/libnl3
# gcc 12 loses structs that are passed by value. Some programs end in no time, with all that they hold. It asks what is found by its place
# below the count, or by a name out of the same table, to be looked for in vain.
DOUBTS = -Wno-analyzer-use-of-uninitialized-value
$(addprefix $L/init/,$(foreach p,check ctl halt tmpfiles,$p/%.gcc)): DOUBTS += -Wno-analyzer-malloc-leak
$L/lib/unit.gcc $L/init/load/builtin.gcc: DOUBTS += -Wno-analyzer-null-dereference

lint: $(foreach tool,tidy cppcheck gcc,$(LINTED:%.c=$L/%.$(tool)))
	@echo "lint: $(words $(LINTED)) files, three tools, nothing found"

$L/%.tidy: $M/%.o .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY    $*.c"
	$Qclang-tidy --quiet $*.c -- $(TIDY) >$@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@

$L/%.cppcheck: $M/%.o .cppcheck
	@mkdir -p $(@D)
	$Qcppcheck --quiet --std=c11 --platform=unix64 --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=.cppcheck -D_GNU_SOURCE -D__linux__ -D__x86_64__ -I. -Ilib $*.c
	@touch $@

$L/%.gcc: $M/%.o
	@mkdir -p $(@D)
	$Q$(MUSLCC) $(filter-out -MMD -MP,$(MUSL)) -isystem build/deps/include/libnl3 -fanalyzer $(DOUBTS) -S $*.c -o /dev/null
	@touch $@

container-test: all guest
	$(PYTEST) tests/container

# Each system call of PID 1 and of its children before their exec fails: every site with every errno that it can give; or with one.
fault: all guest $F/oomph $F/actor
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/fault/fault.py $(if $(ONLY),--only '$(ONLY)')
	$(if $(ONLY),,$(PYTEST) tests/fault)

fault-sample: all $F/oomph $F/actor
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/fault/fault.py --sample

# DEATHS and SEED may be given, and KERNEL, one suite or several: bullseye, bookworm, trixie, sid.
torture: setup
	@$(MAKE) --no-print-directory -j2 all guest
	tools/torture $(if $(KERNEL),--kernel $(KERNEL)) $(if $(DEATHS),--deaths $(DEATHS)) $(if $(SEED),--seed $(SEED))

# PLACE (container or VM), ATTACK, one or several, and SIZE may be given. More than an hour, most of it the machine's storm.
hostile: setup
	@$(MAKE) --no-print-directory -j2 all guest
	tools/hostile $(if $(PLACE),--place $(PLACE)) $(if $(ATTACK),--attack $(ATTACK)) $(if $(SIZE),--size $(SIZE))

# Faults of PID 1 at any moment under load, in a container and in a machine. CRASHES and SEED may be given.
crashes: setup
	@$(MAKE) --no-print-directory -j2 all guest
	tools/crashes $(if $(CRASHES),--crashes $(CRASHES)) $(if $(SEED),--seed $(SEED))

crashes-sample: all guest
	tools/crashes --crashes 100 --services 50

# All of tests/vm/debian.py's daemons that need no socket, and what becomes of each under systemd.
daemons: setup
	@$(MAKE) --no-print-directory -j2 all guest
	tools/debian
	$(PYTEST) --all-daemons tests/vm/test_daemons.py

# Random units as systemd 252 reads them and as oomph does. UNITS, how many, and SEED may be given.
oracle: setup
	@$(MAKE) --no-print-directory -j2 all
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/oracle/oracle.py $(or $(UNITS),20000) $(SEED)

# Small faults in what decides, and whether a test notices; FILE, one of them or one function, as lib/verdict.c:judge.
mutants: setup
	@$(MAKE) --no-print-directory -j2 $(MUTANTS)
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/mutants/mutants.py $(FILE)

# A busy host can stall an emulated machine for longer than any test waits. What failed is run once more, alone, and both are told.
vm-test: all guest
	tools/debian
	$(PYTEST) -n 2 --dist loadgroup tests/vm || { echo "vm-test: once more, alone, what failed"; $(PYTEST) --last-failed --last-failed-no-failures none tests/vm; }

check:
	@for phase in $(CHECKS); do \
		echo "== $$phase"; $(MAKE) --no-print-directory -j2 $$phase || { echo "check: $$phase FAILED"; exit 1; }; \
	done; echo "check: nothing failed"

# ---- to look at ----

setup:
	tools/setup

demo vm bench: setup
	@$(MAKE) --no-print-directory -j2 all guest $(BENCH)
	tools/$@
	$(if $(filter bench,$@),tools/bench-logs)

# ---- for people who want it ----

install: all
	install -D build/bin/oomph $(DESTDIR)/sbin/oomph
	install -D build/bin/oomphctl $(DESTDIR)/usr/bin/oomphctl
	install -d $(DESTDIR)/usr/lib/oomph $(DESTDIR)/usr/lib/services.d
	install $(patsubst %,build/bin/%,$(filter oomph-%,$(PROGRAMS))) $(DESTDIR)/usr/lib/oomph/
	for f in services.d/*.service; do test ! -e $$f || install -m 644 $$f $(DESTDIR)/usr/lib/services.d/; done
	for n in 1 5 7 8; do for f in man/*.$$n; do \
		test ! -e $$f || install -D -m 644 $$f $(DESTDIR)/usr/share/man/man$$n/$${f##*/}; done; done

clean:
	rm -rf build/bin build/debug build/musl build/host build/guest build/vm $(addprefix $Z/,init lib tests counted dictionary $(FUZZ))

distclean:
	rm -rf build

-include $(wildcard $F/init/pid1/*.d $F/tests/fault/*.d $M/lib/*.d $M/init/*/*.d $H/lib/*.d $H/tests/*/*.d $Z/lib/*.d $Z/counted/lib/*.d $Z/init/*/*.d $Z/tests/*/*.d build/guest/*.d build/mutants/lib/*.d build/mutants/tests/*/*.d)
