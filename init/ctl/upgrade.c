/* oomphctl upgrade and crashes: PID 1's own life. */
#include "ctl.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "/sbin/oomph"
#define PROGRAM_MAX (64 << 20)

/* ---- upgrade ---- */

/* What could not be PID 1 for want of an interpreter is not even sent. The rest its self-test tells. */
static const char *what_is_wrong(int fd)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;
	if (pread(fd, &head, sizeof head, 0) != sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return "it is no ELF program";
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof part)
		return "it is not for this machine";
	for (unsigned i = 0; i < head.e_phnum; i++) {
		if (pread(fd, &part, sizeof part, (off_t)(head.e_phoff + i * sizeof part)) != sizeof part)
			return "it is cut short";
		if (part.p_type == PT_INTERP)
			return "it is not static, and PID 1 has to be";
	}
	return NULL;
}

/* A sealed copy, so that PID 1 waits for no disk, and what is tested is what is executed. */
static int copy_program(const char *path)
{
	struct stat st;
	int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("oomph", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (from < 0 || fstat(from, &st) < 0)
		leave(LEAVE_FAILED, "%s: %s", line_raw(path).text, strerror(errno));
	const char *wrong = S_ISREG(st.st_mode) && st.st_size <= PROGRAM_MAX ? what_is_wrong(from) : "it is no program";
	if (wrong)
		leave(LEAVE_FAILED, "%s: %s", line_raw(path).text, wrong);
	for (off_t at = 0; to >= 0 && at < st.st_size;)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			leave(LEAVE_FAILED, "%s: it could not be read: %s", line_raw(path).text, strerror(errno));
	if (to < 0 || fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		leave(LEAVE_FAILED, "no memory for the program: %s", strerror(errno));
	close(from);
	return to;
}

static void send_program(struct wire *w, const struct request *r, int program)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} along = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)r, sizeof *r };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &along, .msg_controllen = sizeof along };
	memcpy(CMSG_DATA(&along.head), &program, sizeof program);
	w->request = *r;
	if (sendmsg(w->fd, &m, MSG_NOSIGNAL) < 0)
		leave(LEAVE_NO_ANSWER, "no answer from PID 1: %s: %s", w->path, strerror(errno));
}

int upgrade_main(const struct ask *ask)
{
	struct request r = request_of(ask, NULL);
	struct wire w;
	int program = copy_program(ask->n_args ? ask->args[0] : PROGRAM);
	wire_open(&w, ask);
	send_program(&w, &r, program);
	do
		wire_wait(&w, ask);
	while (w.in.head.kind != PACKET_END);
	expect_ok((enum answer)w.in.end.answer, ask, NULL);
	return LEAVE_OK;
}

/* ---- crashes ---- */

static const char *event_words(const struct crash *c)
{
	return c->event < N_EVENT_KIND ? event_kind_name[c->event] : NULL;
}

static void print_crash(const struct crash *c)
{
	printf("%s  %s", line_time("%Y-%m-%d %H:%M:%S", c->wall_ms).text, signal_name(c->signal));
	if (c->is_sent)
		printf(" from pid %u", c->sender);
	else
		printf(" at %#llx, address %#llx", (unsigned long long)c->instruction, (unsigned long long)c->address);
	if (event_words(c))
		printf(", in the event `%s`", event_words(c));
	if (c->unit[0])
		printf(" of %s", line_unit(c->unit).text);
	printf(c->is_dropped ? ", which is dropped" : "");
	printf("; back after %s\n", line_ms(c->back_after_ms).text);
}

static struct line hex(uint64_t value)
{
	struct line l;
	snprintf(l.text, sizeof l.text, "%#llx", (unsigned long long)value);
	return l;
}

static void crash_json(const struct crash *c)
{
	struct json j;
	json_open(&j, stdout);
	json_time(&j, "time", c->wall_ms);
	json_text(&j, "signal", str_from(signal_name(c->signal)));
	json_bool(&j, "sent", c->is_sent);
	json_number(&j, "code", c->code);
	json_text(&j, "address", str_from(hex(c->address).text));
	json_text(&j, "instruction", str_from(hex(c->instruction).text));
	json_text(&j, "stack", str_from(hex(c->stack).text));
	json_text_or_null(&j, "event", str_from(event_words(c)));
	json_text_or_null(&j, "unit", str_from(c->unit));
	json_bool(&j, "dropped", c->is_dropped);
	json_number(&j, "back_after_ms", c->back_after_ms);
	json_array(&j, "registers");
	for (uint32_t i = 0; i < c->n_registers && i < CRASH_REGISTERS; i++)
		json_item(&j, str_from(hex(c->registers[i]).text));
	json_end_array(&j);
	json_close(&j);
}

static void take_crash(struct wire *w, void *to)
{
	const struct ask *ask = to;
	if (w->in.head.kind != PACKET_CRASH)
		return;
	if (ask->is_json)
		crash_json(&w->in.crash.crash);
	else
		print_crash(&w->in.crash.crash);
}

int crashes_main(const struct ask *ask)
{
	struct request r = request_of(ask, NULL);
	struct wire w;
	wire_open(&w, ask);
	expect_ok(wire_exchange(&w, &r, take_crash, (void *)ask), ask, NULL);
	return LEAVE_OK;
}
