/* The ring that PID 1 keeps of OOM kills (incident.h): read while it may be written to. */
#include "ctl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A slot is whole if it has the number now that it had when all was copied; one with no or another number never shows. */
static void check_slot(int fd, uint64_t *number, size_t at)
{
	uint64_t now;
	if (pread(fd, &now, sizeof now, (off_t)at) != sizeof now || now != *number)
		*number = 0;
}

static void check_slots(struct incident_ring *b, int fd)
{
	check_slot(fd, &b->verdict.number, offsetof(struct incident_ring, verdict));
	for (size_t i = 0; i < VICTIMS_KEPT; i++)
		check_slot(fd, &b->victims[i].number, victim_at(i));
	for (size_t i = 0; i < INCIDENTS_KEPT; i++) {
		struct incident_slot *s = &b->incidents[i];
		check_slot(fd, &s->number, incident_at(i));
		if (s->n_files > sizeof s->files || s->told.n_bytes > sizeof s->told.lines || s->told.n_tasks > INCIDENT_TASKS)
			s->number = 0;
	}
}

static void read_boot_id(char *to, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, size - 1);
	to[n > 0 && to[n - 1] == '\n' ? n - 1 : n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

void ring_read(struct ring *r, int fd)
{
	struct incident_ring *b = calloc(1, sizeof *b);
	*r = (struct ring){ .bytes = NULL };
	if (!b)
		leave(LEAVE_FAILED, "out of memory");
	read_boot_id(r->boot_id, sizeof r->boot_id);
	ssize_t n = pread(fd, b, sizeof *b, 0);
	if (n != (ssize_t)sizeof *b || b->magic != INCIDENT_MAGIC || b->size != sizeof *b)
		return;
	check_slots(b, fd);
	r->bytes = b;
}

static void take_ring(struct wire *w, void *to)
{
	if (w->in.head.kind != PACKET_INCIDENTS || w->descriptor < 0)
		return;
	ring_read(to, w->descriptor);
	close(w->descriptor);
}

void ring_ask(struct ring *r, struct wire *w)
{
	const struct request q = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_INCIDENTS };
	*r = (struct ring){ .bytes = NULL };
	wire_exchange(w, &q, take_ring, r);
	r->has_logs = logs_are_here(w);
}

const struct victim_slot *ring_victim(const struct ring *r, uint64_t number)
{
	const struct victim_slot *v = r->bytes ? &r->bytes->victims[number % VICTIMS_KEPT] : NULL;
	return v && number && v->number == number ? v : NULL;
}

/* The newest, since more may have become known. */
const struct victim_slot *ring_death(const struct ring *r, uint64_t id)
{
	const struct victim_slot *found = NULL;
	for (size_t i = 0; r->bytes && i < VICTIMS_KEPT; i++) {
		const struct victim_slot *v = &r->bytes->victims[i];
		if (v->number && v->death.id == id && (!found || v->number > found->number))
			found = v;
	}
	return found;
}

const struct incident_slot *ring_incident(const struct ring *r, const struct victim_slot *v)
{
	const struct incident_slot *s = r->bytes ? &r->bytes->incidents[v->incident % INCIDENTS_KEPT] : NULL;
	return s && v->incident && s->number == v->incident ? s : NULL;
}
