/* One OOM kill with all that was kept of it: the verdict, and around it what the kernel and its files said at that moment. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct str files_of(const struct incident_slot *s)
{
	return str_of(s->files, s->n_files);
}

static struct str lines_of(const struct incident_slot *s)
{
	return str_of(s->told.lines, s->told.n_bytes);
}

static uint64_t kb_of_pages(uint64_t pages)
{
	return pages * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}

/* The value behind "key" at the start of a line: of meminfo ("MemFree:  12 kB") and of memory.events ("oom_kill 1"). */
static bool keyed(struct str text, struct str key, uint64_t *value)
{
	while (text.n) {
		struct str line = str_until(&text, '\n');
		if (!str_take(&line, key))
			continue;
		line = str_trim(line);
		return str_digits(&line, value);
	}
	return false;
}

/* proc(5) of pressure: "some avg10=0.12 avg60=0.05 avg300=0.01 total=1234". */
static struct str pressure_of(struct str text, struct str kind, struct str key)
{
	while (text.n) {
		struct str line = str_until(&text, '\n');
		if (!str_take(&line, kind))
			continue;
		while (line.n) {
			struct str word = str_until(&line, ' ');
			if (str_take(&word, key))
				return word;
		}
	}
	return STR("");
}

/* ---- JSON ---- */

static void put_lines(struct json *j, struct str lines)
{
	json_array(j, "kernel");
	while (lines.n)
		json_item(j, str_until(&lines, '\n'));
	json_end_array(j);
}

static void put_task(struct json *j, const struct incident_task *t)
{
	json_object(j, NULL);
	json_number(j, "pid", t->pid);
	json_number(j, "tgid", t->tgid);
	json_number(j, "uid", t->uid);
	json_number(j, "rss_kb", kb_of_pages(t->rss_pages));
	if (t->oom_score_adj == KMSG_UNTOLD_ADJ)
		json_null(j, "oom_score_adj");
	else
		json_signed(j, "oom_score_adj", t->oom_score_adj);
	json_text(j, "name", str_from(t->name));
	json_text_or_null(j, "service", str_from(t->service));
	json_text(j, "row", str_from(t->row));
	json_end_object(j);
}

static void put_tasks(struct json *j, const struct incident *told)
{
	json_array(j, "tasks");
	for (uint32_t i = 0; i < told->n_tasks; i++)
		put_task(j, &told->tasks[i]);
	json_end_array(j);
	json_number(j, "tasks_total", told->n_rows);
}

static void put_pressure(struct json *j, struct str text)
{
	static const struct str kinds[] = { STR("some "), STR("full ") };
	static const struct { const char *name; struct str key; } members[] = {
		{ "avg10", STR("avg10=") }, { "avg60", STR("avg60=") }, { "avg300", STR("avg300=") }, { "total_us", STR("total=") },
	};
	if (text.n == 0) {
		json_null(j, "pressure");
		return;
	}
	json_object(j, "pressure");
	for (size_t k = 0; k < countof(kinds); k++) {
		json_object(j, k ? "full" : "some");
		for (size_t i = 0; i < countof(members); i++)
			json_decimal(j, members[i].name, pressure_of(text, kinds[k], members[i].key));
		json_end_object(j);
	}
	json_end_object(j);
}

/* Bytes, or the word "max", which is no limit: null as any other value that is not there. */
static void put_bytes(struct json *j, const char *key, struct str content)
{
	uint64_t bytes;
	if (str_u64(content, &bytes))
		json_number(j, key, bytes);
	else
		json_null(j, key);
}

static void put_events(struct json *j, struct str text)
{
	static const char *const names[] = { "low", "high", "max", "oom", "oom_kill", "oom_group_kill" };
	if (text.n == 0) {
		json_null(j, "events");
		return;
	}
	json_object(j, "events");
	while (text.n) {
		struct str line = str_until(&text, '\n'), name = str_until(&line, ' ');
		for (size_t i = 0; i < countof(names); i++)
			if (str_eq(name, str_from(names[i])))
				json_decimal(j, names[i], line);
	}
	json_end_object(j);
}

static void put_cgroup(struct json *j, struct str files, struct str path)
{
	json_object(j, NULL);
	json_text(j, "path", path);
	put_bytes(j, "current", incident_file(files, path, STR("memory.current")));
	put_bytes(j, "peak", incident_file(files, path, STR("memory.peak")));
	put_bytes(j, "max", incident_file(files, path, STR("memory.max")));
	put_bytes(j, "high", incident_file(files, path, STR("memory.high")));
	put_bytes(j, "swap_current", incident_file(files, path, STR("memory.swap.current")));
	put_events(j, incident_file(files, path, STR("memory.events")));
	put_pressure(j, incident_file(files, path, STR("memory.pressure")));
	json_end_object(j);
}

static void put_cgroups(struct json *j, struct str files)
{
	struct str rest = files, name, content;
	json_array(j, "cgroups");
	while (incident_next_file(&rest, &name, &content))
		if (str_starts(name, STR("/")))
			put_cgroup(j, files, name);
	json_end_array(j);
}

static void put_machine(struct json *j, struct str files)
{
	static const struct { const char *name; struct str key; } sizes[] = {
		{ "mem_total_kb", STR("MemTotal:") }, { "mem_free_kb", STR("MemFree:") }, { "mem_available_kb", STR("MemAvailable:") },
		{ "swap_total_kb", STR("SwapTotal:") }, { "swap_free_kb", STR("SwapFree:") },
	};
	struct str meminfo = incident_file(files, STR(""), STR("meminfo"));
	put_pressure(j, incident_file(files, STR(""), STR("memory")));
	for (size_t i = 0; i < countof(sizes); i++) {
		uint64_t kb;
		if (keyed(meminfo, sizes[i].key, &kb))
			json_number(j, sizes[i].name, kb);
		else
			json_null(j, sizes[i].name);
	}
}

static void put_incident(struct json *j, const struct victim_slot *v, const struct incident_slot *s, bool is_whole)
{
	if (!s) {
		json_null(j, "incident");
		return;
	}
	json_object(j, "incident");
	json_number(j, "number", s->number);
	json_number(j, "first_death", v->first);
	put_lines(j, is_whole ? lines_of(s) : incident_kill_line(&s->told, v->death.oom.pid));
	if (is_whole) {
		json_number(j, "kernel_lines_cut", s->told.n_cut);
		put_tasks(j, &s->told);
		put_cgroups(j, files_of(s));
		put_machine(j, files_of(s));
	}
	json_end_object(j);
}

/* ---- for people ---- */

static void fact(FILE *out, const char *name, const char *text)
{
	fprintf(out, "  %-9s %s\n", name, text);
}

static void add_size(struct buf *b, struct str content, struct str before)
{
	uint64_t bytes;
	if (!str_u64(content, &bytes))
		return;
	buf_str(b, before);
	say_kb(b, bytes / 1024);
}

static void cgroup_facts(FILE *out, struct str files, struct str path, const char *name)
{
	struct line l;
	struct buf b = BUF(l.text);
	struct str swap = incident_file(files, path, STR("memory.swap.current"));
	add_size(&b, incident_file(files, path, STR("memory.current")), STR(""));
	if (b.n == 0)
		return;
	add_size(&b, incident_file(files, path, STR("memory.max")), STR(" of "));
	buf_lit(&b, " in ");
	say_raw(&b, path);
	add_size(&b, incident_file(files, path, STR("memory.high")), STR(", throttled above "));
	add_size(&b, incident_file(files, path, STR("memory.peak")), STR(", at its peak "));
	if (!str_eq(swap, STR("0")))
		add_size(&b, swap, STR(", swapped out "));
	buf_cstr(&b);
	fact(out, name, l.text);
}

static void add_pressure(struct buf *b, struct str text, const char *whose)
{
	struct str some = pressure_of(text, STR("some "), STR("avg10=")), full = pressure_of(text, STR("full "), STR("avg10="));
	if (some.n == 0 || full.n == 0)
		return;
	buf_str(b, str_from(b->n ? "; " : ""));
	buf_str(b, str_from(whose));
	buf_lit(b, ": some ");
	buf_str(b, some);
	buf_lit(b, " %, full ");
	buf_str(b, full);
	buf_lit(b, " %");
}

static void pressure_facts(FILE *out, struct str files, struct str own)
{
	struct line l;
	struct buf b = BUF(l.text);
	add_pressure(&b, incident_file(files, STR(""), STR("memory")), "machine");
	add_pressure(&b, incident_file(files, own, STR("memory.pressure")), "cgroup");
	if (b.n == 0)
		return;
	buf_lit(&b, ", in the last 10 s");
	buf_cstr(&b);
	fact(out, "Pressure", l.text);
}

static void machine_facts(FILE *out, struct str files)
{
	struct str meminfo = incident_file(files, STR(""), STR("meminfo"));
	uint64_t available, total, swap, swap_free;
	if (!keyed(meminfo, STR("MemAvailable:"), &available) || !keyed(meminfo, STR("MemTotal:"), &total))
		return;
	fprintf(out, "  %-9s %s available of %s", "Machine", line_kb(available).text, line_kb(total).text);
	if (keyed(meminfo, STR("SwapTotal:"), &swap) && keyed(meminfo, STR("SwapFree:"), &swap_free) && swap)
		fprintf(out, ", %s of swap free of %s", line_kb(swap_free).text, line_kb(swap).text);
	fputs(", right after the kill\n", out);
}

static void largest_facts(FILE *out, const struct incident *told)
{
	enum { SHOWN = 3 };
	for (uint32_t i = 0; i < told->n_tasks && i < SHOWN; i++) {
		const struct incident_task *t = &told->tasks[i];
		fprintf(out, i ? ", " : "  %-9s ", "Largest");
		fprintf(out, "%s %s", line_raw(t->name).text, line_kb(kb_of_pages(t->rss_pages)).text);
		if (t->service[0])
			fprintf(out, " (%s)", line_unit(t->service).text);
	}
	if (told->n_tasks)
		fputc('\n', out);
}

void record_facts(FILE *out, const struct victim_slot *v, const struct incident_slot *s)
{
	struct str files = s ? files_of(s) : STR(""), rest = files, own = STR(""), name, content;
	if (s && v->first != v->death.id) {
		fprintf(out, "  %-9s the same as that of death %llu\n", "Cause", (unsigned long long)v->first);
		return;
	}
	while (incident_next_file(&rest, &name, &content)) {
		if (!str_starts(name, STR("/")))
			continue;
		cgroup_facts(out, files, name, own.n ? "" : "Memory");
		own = own.n ? own : name;
	}
	pressure_facts(out, files, own);
	machine_facts(out, files);
	if (s)
		largest_facts(out, &s->told);
}

/* ---- a line of it ---- */

static void next_facts(FILE *out, const struct death *d)
{
	if (d->is_main)
		fprintf(out, "  %-9s %s%s\n", "Next", d->is_restart ? "starts again in " : "is not started again",
			d->is_restart ? line_ms(d->delay_ms).text : "");
}

static void put_text(struct json *j, const struct victim_slot *v, const struct incident_slot *s, const struct last_words *words)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	if (!out)
		leave(LEAVE_FAILED, "out of memory");
	fprintf(out, "%s\n", line_death(&v->death).text);
	record_facts(out, v, s);
	last_words_print(out, words);
	next_facts(out, &v->death);
	if (fclose(out) != 0)
		leave(LEAVE_FAILED, "out of memory");
	json_text(j, "text", str_trim(str_of(text, n)));
	free(text);
}

char *record_line(const struct ring *r, const struct victim_slot *v, bool is_told_once)
{
	const struct incident_slot *s = ring_incident(r, v);
	struct last_words words = { .n = 0 };
	struct json j;
	char *line = NULL;
	size_t n;
	FILE *out = open_memstream(&line, &n);
	if (!out)
		leave(LEAVE_FAILED, "out of memory");
	if (r->has_logs)
		last_words(&words, v->unit, &v->death, r->bytes->since_wall_ms);
	json_open(&j, out);
	view_death_members(&j, &v->death);
	json_text_or_null(&j, "boot_id", str_from(r->boot_id));
	json_time(&j, "pid1_since", r->bytes->since_wall_ms);
	put_text(&j, v, s, &words);
	last_words_json(&j, &words);
	put_incident(&j, v, s, !is_told_once || v->first == v->death.id);
	json_close(&j);
	if (fclose(out) != 0)
		leave(LEAVE_FAILED, "out of memory");
	return line;
}
