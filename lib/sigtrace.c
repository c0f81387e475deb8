#include "sigtrace.h"

#include <signal.h>
#include <string.h>

/* ---- the format file ---- */

/* " offset:8", " size:4" of "\tfield:int sig;\toffset:8;\tsize:4;\tsigned:1;" */
static bool read_number(struct str *line, struct str name, uint64_t *value)
{
	struct str word = str_trim(str_until(line, ';'));
	return str_take(&word, name) && str_u64(word, value);
}

/* The name is the last word of the declaration, "int sig" or "char comm[16]". */
static bool read_field(struct str line, struct str *name, uint16_t *offset)
{
	uint64_t at, size;
	struct str declaration = str_until(&line, ';');
	size_t blank = str_rfind(declaration, STR(" "));
	if (!read_number(&line, STR("offset:"), &at) || !read_number(&line, STR("size:"), &size))
		return false;
	if (size != 4 || at > UINT16_MAX)
		return false;
	*name = str_skip(declaration, blank + 1);
	*offset = (uint16_t)at;
	return true;
}

bool sigtrace_format(struct str text, struct sigtrace_format *f)
{
	*f = (struct sigtrace_format){ 0 };
	const struct { struct str name; uint16_t *to; } wanted[] = {
		{ STR("sig"), &f->signal }, { STR("code"), &f->code }, { STR("pid"), &f->pid }, { STR("result"), &f->result },
	};
	uint64_t id = 0;
	while (text.n) {
		struct str line = str_trim(str_until(&text, '\n')), name;
		uint16_t offset;
		if (str_take(&line, STR("ID: ")) && !str_u64(line, &id))
			return false;
		if (!str_take(&line, STR("field:")) || !read_field(line, &name, &offset))
			continue;
		for (size_t i = 0; i < countof(wanted); i++)
			if (str_eq(name, wanted[i].name))
				*wanted[i].to = offset;
	}
	f->id = (uint32_t)id;
	/* Offset 0 is the record's common_type: nothing of ours can be there. */
	return id && id <= UINT32_MAX && f->signal && f->code && f->pid && f->result;
}

uint32_t sigtrace_id(struct str text)
{
	uint64_t id;
	return str_u64(str_trim(text), &id) && id <= UINT32_MAX ? (uint32_t)id : 0;
}

/* ---- an end ---- */

bool sigtrace_has_ended(const struct sigtrace_sent *sent)
{
	return sent->process != 0 && sent->process != SIGTRACE_REUSED;
}

/* ---- a sender ---- */

bool sigtrace_sender(const struct sigtrace_sent *sent, uint64_t started_at, uint32_t own, struct sender *to)
{
	*to = (struct sender){ 0 };
	/*
	 * The kernel's own signals (of the OOM killer, of RLIMIT_CPU) go out in the name of whoever was running: TP_STORE_SIGINFO
	 * gives them SI_KERNEL, which no process can claim for a signal to another (rt_sigqueueinfo(2)).
	 */
	if (sent->code == SI_KERNEL || sent->pid == 0 || sent->pid == own || sent->at_ns / 10000000 < started_at)
		return false;
	to->pid = sent->pid;
	to->uid = sent->uid;
	memcpy(to->comm, sent->comm, sizeof to->comm - 1);
	return true;
}
