/*
 * The incident record (lib/incident.h): collected as the log streams by, completed with what can only be read at that moment,
 * and put into a ring that is never mapped. Whatever takes patience, a disk or words is oomphctl's, which runs as a child.
 */
#include "pid1.h"

#include "lib/say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char termination_log[] = "/dev/termination-log";

static void say_once(struct pid1 *p, int error)
{
	if (!p->incidents.has_failed)
		console_say(p, "the record of OOM kills cannot be kept", error);
	p->incidents.has_failed = true;
}

/* ---- the ring ---- */

/* Kubernetes makes the file where it wants to be told (terminationMessagePath); on a machine of our own it is nobody's. */
static bool has_termination_log(const struct pid1 *p)
{
	return p->is_first && p->options.mode != MODE_VM && access(termination_log, F_OK) == 0;
}

static void put(struct pid1 *p, size_t at, const void *bytes, size_t size)
{
	ssize_t n = pwrite(p->incidents.ring, bytes, size, (off_t)at);
	if (n != (ssize_t)size)
		say_once(p, n < 0 ? errno : ENOSPC);
}

/* Every slot begins with it: 0 before anything in it changes, itself when all has. */
static void put_number(struct pid1 *p, size_t slot, uint64_t number)
{
	put(p, slot, &number, sizeof number);
}

/* The pages that are written next, while there is memory: at the moment itself we should wait for it. */
static void reserve(struct pid1 *p)
{
	const struct incidents *in = &p->incidents;
	if (p->kmsg < 0)
		return;                         /* there are no lines to be kept, and the rest is little */
	fallocate(in->ring, 0, (off_t)incident_at(in->n + 1), sizeof(struct incident_slot));
	fallocate(in->ring, 0, (off_t)victim_at(in->n_victims + 1), sizeof(struct victim_slot));
}

void incident_open(struct pid1 *p)
{
	struct incidents *in = &p->incidents;
	char path[32];
	struct buf b = BUF(path);
	struct { uint32_t magic, size; uint64_t since_wall_ms; } head = { INCIDENT_MAGIC, sizeof(struct incident_ring), wall_ms() };
	in->ring = in->for_readers = -1;
	if (p->options.mode == MODE_COMMAND && !has_termination_log(p))
		return;
	in->ring = memfd_create("oomph-incidents", MFD_CLOEXEC);
	/* Whoever reads could open it anew to write, by way of /proc/self/fd, if its mode let him. */
	if (in->ring < 0 || fchmod(in->ring, 0400) < 0 || ftruncate(in->ring, sizeof(struct incident_ring)) < 0) {
		say_once(p, errno);
		close_fd(&in->ring);
		return;
	}
	put(p, 0, &head, sizeof head);
	reserve(p);
	buf_lit(&b, "/proc/self/fd/");
	buf_u64(&b, (uint64_t)in->ring);
	in->for_readers = open(buf_cstr(&b), O_RDONLY | O_CLOEXEC);
	if (in->for_readers < 0)
		say_once(p, errno);
}

/* ---- the moment ---- */

/* How many were left out, having no room. One that is not there costs nothing. */
static uint32_t take_file(struct buf *files, struct str folder, struct str cgroup, const char *name)
{
	char path[512 + KMSG_PATH_MAX + UNIT_NAME_MAX], text[1024];
	struct buf b = BUF(path);
	buf_str(&b, folder);
	buf_str(&b, cgroup);
	buf_char(&b, '/');
	buf_str(&b, str_from(name));
	int n = b.is_cut ? -ENAMETOOLONG : file_read(AT_FDCWD, buf_cstr(&b), text, sizeof text);
	return n >= 0 && !incident_put_file(files, str_from(name), str_trim(str_of(text, (size_t)n)));
}

static uint32_t take_cgroup(struct buf *files, struct str mount, struct str cgroup)
{
	static const char *const names[] = {
		"memory.current", "memory.peak", "memory.max", "memory.high", "memory.swap.current", "memory.events", "memory.pressure",
	};
	size_t before = files->n;
	uint32_t n_left_out = !incident_put_file(files, cgroup.n ? cgroup : STR("/"), STR(""));
	size_t without = files->n;
	for (size_t i = 0; i < countof(names) && n_left_out == 0; i++)
		n_left_out += take_file(files, mount, cgroup, names[i]);
	if (files->n == without)
		files->n = before;              /* it is not there, or nothing is counted in it */
	return n_left_out;
}

/* The machine's, then those of the cgroup and of all above it. */
static uint32_t take_files(struct buf *files, struct str mount, struct str cgroup)
{
	uint32_t n_left_out = take_file(files, STR("/proc"), STR(""), "meminfo") +
		take_file(files, STR("/proc/pressure"), STR(""), "memory");
	while (mount.n && n_left_out == 0) {
		n_left_out += take_cgroup(files, mount, cgroup);
		if (cgroup.n == 0)
			break;
		size_t slash = str_rfind(cgroup, STR("/"));
		cgroup.n = slash < cgroup.n ? slash : 0;
	}
	return n_left_out;
}

/* As the log tells it, where that is the service's or one below it: a service may have made some of its own. */
static struct str cgroup_of(struct pid1 *p, const struct oom_kill *kill, uint32_t service, struct buf *b)
{
	struct str told = str_from(kill && !kill->is_task_memcg_cut ? kill->task_memcg : "");
	if (service == NO_UNIT || p->cgroups < 0)
		return told;
	cgroup_path(p, service, b);
	return str_starts(told, buf_view(b)) ? told : buf_view(b);
}

static struct str mount_of(const struct pid1 *p)
{
	if (p->cgroups >= 0)
		return str_from(cgroup_mount_point);
	return str_from(p->shared.source == SHARED_MEMORY_EVENTS ? p->shared.folder : "");
}

/* A new slot with all that is to be read now. Nobody needs p->scratch meanwhile: the record in it has been taken. */
static uint64_t begin_incident(struct pid1 *p, const struct oom_kill *kill, uint32_t service)
{
	struct incidents *in = &p->incidents;
	char path[KMSG_PATH_MAX + UNIT_NAME_MAX + 2];
	struct buf b = BUF(path), files = { p->scratch, 0, INCIDENT_FILES_MAX, false };
	static const char nothing_told[offsetof(struct incident, tasks)];
	struct { uint64_t wall_ms; uint32_t n_files, n_left_out; } moment = { .wall_ms = wall_ms() };
	uint64_t number = ++in->n;
	size_t at = incident_at(number);

	moment.n_left_out = take_files(&files, mount_of(p), cgroup_of(p, kill, service, &b));
	moment.n_files = (uint32_t)files.n;
	put_number(p, at, 0);
	put(p, at + offsetof(struct incident_slot, wall_ms), &moment, sizeof moment);
	put(p, at + offsetof(struct incident_slot, told), nothing_told, sizeof nothing_told);
	put(p, at + offsetof(struct incident_slot, files), files.p, files.n);
	if (!kill)
		put_number(p, at, number);      /* else it waits for what the log tells: put_told() */
	in->kept[number % INCIDENTS_KEPT].first_seq = kill ? in->told.first_seq : 0;
	in->kept[number % INCIDENTS_KEPT].first_death = 0;
	return number;
}

/* ---- what the log tells ---- */

static void put_told(struct pid1 *p)
{
	struct incidents *in = &p->incidents;
	size_t at = incident_at(in->told_number);
	bool has_slot = in->told_number && in->told_number + INCIDENTS_KEPT > in->n;
	if (in->is_changed && has_slot) {
		put_number(p, at, 0);
		put(p, at + offsetof(struct incident_slot, told), &in->told, sizeof in->told);
		put_number(p, at, in->told_number);
	}
	in->is_changed = false;
}

void incident_record(struct pid1 *p, const struct kmsg_record *record)
{
	struct incidents *in = &p->incidents;
	uint32_t n_bytes = in->told.n_bytes;
	if (in->ring < 0)
		return;
	if (incident_is_over(&in->told, &p->reader)) {
		put_told(p);
		in->told_number = 0;
		n_bytes = 0;
	}
	incident_take(&in->told, &p->reader, record);
	in->is_changed |= in->told.n_bytes != n_bytes;
}

static uint32_t owner_of(struct pid1 *p, uint32_t pid)
{
	enum role role;
	uint32_t i = core_find_pid(p->core, pid, &role);
	if (i == NO_UNIT)
		i = p->cgroups >= 0 ? cgroup_owner(p, pid) : reap_owner(p, pid);
	return i;
}

static void copy_name(struct pid1 *p, uint32_t service, char *to, size_t size)
{
	struct str name = unitset_text(p->units, unitset_unit(p->units, service)->name);
	memcpy(to, name.p, name.n < size ? name.n : size - 1);
}

/* The first victim of an OOM: all of them are alive or at least not reaped, and so is what they were using. */
void incident_kill(struct pid1 *p, const struct oom_kill *kill, uint32_t service)
{
	struct incidents *in = &p->incidents;
	if (in->ring < 0 || in->told_number)
		return;
	for (uint32_t i = 0; i < in->told.n_tasks; i++) {
		struct incident_task *t = &in->told.tasks[i];
		uint32_t owner = owner_of(p, t->tgid);
		if (owner != NO_UNIT)
			copy_name(p, owner, t->service, sizeof t->service);
	}
	in->is_changed = true;
	in->told_number = begin_incident(p, kill, service == NO_UNIT ? owner_of(p, kill->tgid) : service);
}

/* ---- deaths ---- */

/* Of the newest incident that began with this kill or before it; 0 when it is not kept. */
static uint64_t find_incident(const struct incidents *in, const struct death *d)
{
	if (d->evidence & EVIDENCE_KMSG)
		for (uint64_t n = in->n; n && n + INCIDENTS_KEPT > in->n; n--) {
			uint64_t seq = in->kept[n % INCIDENTS_KEPT].first_seq;
			if (seq && seq <= d->oom.seq)
				return n;
		}
	return 0;
}

/* A death that is told once more while nobody has it in hand keeps its place. */
static uint64_t find_victim(const struct incidents *in, uint64_t death)
{
	for (uint64_t n = in->n_victims; n > in->n_handed && n + VICTIMS_KEPT > in->n_victims; n--)
		if (in->victims[n % VICTIMS_KEPT].death == death)
			return n;
	return 0;
}

/* A main process's at once, since its successor will look for it; more may become known of a worker's, and of its group. */
static void record_by(struct incidents *in, uint64_t at)
{
	if (in->for_readers >= 0 && (!in->record_at || at < in->record_at))
		in->record_at = at;
}

static void put_victim(struct pid1 *p, const struct death *d)
{
	struct incidents *in = &p->incidents;
	uint64_t number = find_victim(in, d->id), incident = find_incident(in, d);
	if (number && !incident)
		incident = in->victims[number % VICTIMS_KEPT].incident;
	if (!incident)
		incident = begin_incident(p, NULL, d->service);
	if (!number)
		number = ++in->n_victims;
	in->victims[number % VICTIMS_KEPT].death = d->id;
	in->victims[number % VICTIMS_KEPT].incident = incident;
	uint64_t *first = &in->kept[incident % INCIDENTS_KEPT].first_death;
	if (!*first)
		*first = d->id;
	struct victim_slot slot = { .number = 0, .incident = incident, .first = *first, .uid = NO_ID, .gid = NO_ID, .death = *d };
	memcpy(slot.unit, d->unit, sizeof d->unit);
	if (d->service != NO_UNIT) {
		const struct unit *u = unitset_unit(p->units, d->service);
		copy_name(p, d->service, slot.unit, sizeof slot.unit);
		slot.uid = u->uid;
		slot.gid = u->gid;
	}
	put(p, victim_at(number), &slot, sizeof slot);
	put_number(p, victim_at(number), number);
	record_by(in, now_ms() + (d->is_main ? 0 : RECORD_SETTLE_MS));
}

static void put_verdict(struct pid1 *p, const struct death *d)
{
	struct victim_slot slot = { .number = 0, .death = *d };
	put(p, offsetof(struct incident_ring, verdict), &slot, sizeof slot);
	put_number(p, offsetof(struct incident_ring, verdict), d->id);
	p->incidents.has_verdict = true;
	record_by(&p->incidents, now_ms());
}

static bool is_clean(const struct pid1 *p, const struct death *d)
{
	return d->cause != CAUSE_OOM_KILL && (d->service == NO_UNIT || p->core->services[d->service].result == RESULT_SUCCESS);
}

void incident_note(struct pid1 *p, const struct note *note)
{
	const struct death *d = note->kind == NOTE_DEATH || note->kind == NOTE_AMENDED ? core_death(p->core, note->death) : NULL;
	if (!d || p->incidents.ring < 0)
		return;
	if (d->cause == CAUSE_OOM_KILL && p->options.mode != MODE_COMMAND)
		put_victim(p, d);
	if (d->is_main && !is_clean(p, d) && has_termination_log(p))
		put_verdict(p, d);
}

/* That it was one comes right behind its first victim's line, and that one may be told already. */
void incident_group(struct pid1 *p, const struct oom_kill *kill)
{
	for (uint32_t n = 0; n < DEATHS_KEPT && p->incidents.ring >= 0; n++) {
		const struct death *d = &p->core->deaths[n];
		if (d->id && d->is_decided && d->cause == CAUSE_OOM_KILL && kill->pid && d->oom.seq == kill->seq)
			put_victim(p, d);
	}
}

const char *incident_path(struct pid1 *p, uint32_t i, struct buf *b)
{
	const struct service *s = &p->core->services[i];
	struct str socket = str_from(p->options.socket);
	struct str name = say_unit(unitset_text(p->units, unitset_unit(p->units, i)->name).p);
	bool was_killed = false;
	for (uint32_t n = 0; n < DEATHS_KEPT; n++) {
		const struct death *d = &p->core->deaths[n];
		was_killed |= d->id && d->cause == CAUSE_OOM_KILL && d->service == i && d->generation + 1 == s->generation;
	}
	if (!was_killed || p->incidents.ring < 0 || p->options.mode == MODE_COMMAND)
		return NULL;
	buf_str(b, str_of(socket.p, str_rfind(socket, STR("/"))));
	buf_lit(b, "/last-death/");
	buf_str(b, name);
	buf_lit(b, ".json");
	return b->is_cut ? NULL : buf_cstr(b);
}

/* ---- the child that records ---- */

static const char *recorder(struct pid1 *p, struct buf *b)
{
	buf_str(b, str_from(p->libdir));
	buf_lit(b, "/oomphctl");
	return access(buf_cstr(b), X_OK) == 0 ? b->p : "/usr/bin/oomphctl";
}

static void start(struct pid1 *p)
{
	struct incidents *in = &p->incidents;
	char program[sizeof p->libdir + 16], folder[108], first[24], last[24], fd[12];
	char command[] = "record-incidents", word[] = "verdict";
	struct buf b = BUF(program), f = BUF(folder), from = BUF(first), to = BUF(last), text = BUF(fd);
	struct str socket = str_from(p->options.socket);
	buf_str(&f, str_of(socket.p, str_rfind(socket, STR("/"))));
	buf_u64(&from, in->n_recorded + 1);
	buf_u64(&to, in->n_victims);
	buf_u64(&text, (uint64_t)in->for_readers);
	char *argv[] = {
		(char *)recorder(p, &b), command, (char *)buf_cstr(&text), (char *)buf_cstr(&f), (char *)buf_cstr(&from),
		(char *)buf_cstr(&to), in->has_verdict ? word : NULL, NULL,
	};
	int r = spawn_helper(p, argv, in->for_readers, &in->recorder, RECORD_DEADLINE_MS);
	in->n_handed = in->n_victims;           /* once more only with the next: a full disk stays full */
	in->has_verdict = false;
	in->record_at = 0;
	if (r < 0)
		say_once(p, -r);
}

void incident_serve(struct pid1 *p)
{
	struct incidents *in = &p->incidents;
	put_told(p);
	if (!in->recorder.pid && in->record_at && (p->leave_at || in->record_at <= now_ms()))
		start(p);
}

uint64_t incident_deadline(const struct pid1 *p)
{
	const struct incidents *in = &p->incidents;
	return in->recorder.pid ? in->recorder.deadline_at : in->record_at;
}

/* It leaves with an errno, or as any launch that got no further than execve(2). */
void incident_recorded(struct pid1 *p, const struct event *death)
{
	struct incidents *in = &p->incidents;
	int status = death->code == CLD_EXITED ? death->status : EIO;
	in->recorder = (struct helper){ 0 };
	if (status == 0)
		in->n_recorded = in->n_handed;
	else
		say_once(p, status == launch_step_info[LAUNCH_EXEC].status ? ENOENT : status);
	reserve(p);
}
