/* The kernel's log (Documentation/ABI/testing/dev-kmsg): opened early, kept for ever, never waited for. */
#include "pid1.h"

#include "lib/attrib.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

/*
 * A flood must not hold the loop. What is left is read in the next turn, since the descriptor stays readable: in so small
 * bites that whoever asks something meanwhile hardly notices. Where evidence is needed now, all of a common log.
 */
#define RECORDS_A_TURN 64
#define RECORDS_A_DRAIN 4096

/*
 * Records speak of the initial PID namespace's numbers. Anywhere else a number of ours can be another's there, so the log
 * proves nothing to us and is left alone.
 */
int kmsg_open(struct pid1 *p)
{
	if (!is_initial_namespace())
		return 0;
	p->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (p->kmsg < 0)
		return -errno;
	lseek(p->kmsg, 0, SEEK_END);    /* what is older than we are is about nobody of ours */
	kmsg_reset(&p->reader);
	int r = watch(p, p->kmsg, EPOLLIN, SOURCE_KMSG, 0);
	if (r < 0)
		close_fd(&p->kmsg);
	return r;
}

/* A thread's number goes by its process's while /proc still knows it (proc_pid_status(5)); NAME: escapes newlines. */
static uint32_t process_of(uint32_t pid)
{
	char path[40], text[512];
	struct buf b = BUF(path);
	uint64_t tgid;
	buf_lit(&b, "/proc/");
	buf_u64(&b, pid);
	buf_lit(&b, "/status");
	int n = file_read(AT_FDCWD, buf_cstr(&b), text, sizeof text);
	struct str rest = str_of(text, n > 0 ? (size_t)n : 0);
	size_t at = str_find(rest, STR("\nTgid:\t"));
	if (at == rest.n)
		return pid;
	rest = str_skip(rest, at + 7);
	return str_u64(str_until(&rest, '\n'), &tgid) && tgid ? (uint32_t)tgid : pid;
}

/*
 * The log tells the victim's own cgroup, or only one that may be above it, or none: headers are rate-limited, and a kill
 * without one may seem to belong to the group kill before it. While the victim is dying, /proc still knows it; once it is
 * gone, who watched its end does. He is asked last: whom /proc did not know any more has ended by then.
 */
static void find_victim(struct pid1 *p, struct oom_kill *victim, struct event *ev)
{
	struct sigtrace_sent sent;
	bool is_told = victim->task_memcg[0] && !victim->is_task_memcg_above && !victim->is_task_memcg_cut;
	bool is_told_process = victim->tgid != victim->pid;
	if (!is_told_process)
		victim->tgid = process_of(victim->pid);
	ev->service = is_told ? attrib_path(p->units, str_from(p->core->cgroup_root), str_from(victim->task_memcg)) :
		cgroup_owner(p, victim->pid);
	/* Who is there still and in nobody's cgroup is nobody's. */
	ev->is_ok = is_told || ev->service != NO_UNIT || kill((pid_t)victim->pid, 0) == 0;
	if (!sigtrace_find_end(p, victim->pid, &sent))
		return;
	if (!is_told_process)
		victim->tgid = sent.process;
	if (!is_told)
		ev->is_ok = cgroup_owner_of(p, sent.cgroup, &ev->service);
}

void kmsg_take_news(struct pid1 *p)
{
	enum kmsg_news news = (enum kmsg_news)p->intake.of.kill.news;
	struct oom_kill victim = p->intake.of.kill.victim;
	struct event ev = event_of(news == KMSG_KILL ? EVENT_OOM_KILL : EVENT_OOM_GROUP, NO_UNIT);
	ev.kill = &victim;
	if (news == KMSG_KILL) {
		find_victim(p, &victim, &ev);
		incident_kill(p, &victim, ev.service);
	}
	if (news == KMSG_KILL && !ev.is_ok)
		cgroup_read_counts(p);          /* who has none to explain is not whose it was */
	/* The count rose before the line was printed (__oom_kill_process in mm/oom_kill.c): it is a second witness by now. */
	if (ev.service != NO_UNIT)
		ev.has_counter = cgroup_count(p, ev.service, &ev.counter);
	feed_last(p, &ev);
	if (news == KMSG_GROUP)
		incident_group(p, &victim);
}

void kmsg_take_record(struct pid1 *p, struct str bytes)
{
	struct kmsg_record record;
	struct oom_kill victim;
	if (!kmsg_record(bytes, &record))
		return;
	enum kmsg_news news = kmsg_feed(&p->reader, &record, &victim);
	incident_record(p, &record);
	if (news == KMSG_KILL || news == KMSG_GROUP) {
		intake_begin(p, INTAKE_KILL);
		p->intake.of.kill.victim = victim;
		p->intake.of.kill.news = (uint8_t)news;
	}
	p->kmsg_seq = record.seq;
	if (news == KMSG_KILL || news == KMSG_GROUP)
		kmsg_take_news(p);
}

static void read_records(struct pid1 *p, int n_most)
{
	bool is_lost = false;
	for (int n = 0; n < n_most && p->kmsg >= 0; n++) {
		intake_begin(p, INTAKE_RECORD);
		p->scratch[0] = '\0';
		ssize_t got = read(p->kmsg, p->scratch, sizeof p->scratch);
		if (got > 0)
			kmsg_take_record(p, str_of(p->scratch, (size_t)got));
		else if (got < 0 && errno == EPIPE)
			is_lost = true;         /* overrun: the position is now at the oldest record there is */
		else if (got == 0 || (errno != EINTR && errno != EINVAL))
			break;
	}
	p->intake.kind = INTAKE_NONE;
	struct event ev = event_of(EVENT_KMSG_LOST, NO_UNIT);
	if (is_lost)
		feed(p, &ev);
}

void kmsg_serve(struct pid1 *p)
{
	read_records(p, RECORDS_A_TURN);
}

void kmsg_drain(struct pid1 *p)
{
	read_records(p, RECORDS_A_DRAIN);
}
