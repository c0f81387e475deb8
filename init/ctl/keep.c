/*
 * oomphctl record-incidents FD FOLDER FROM TO [verdict]: the child of PID 1 that writes down what the ring has, the victims
 * of these numbers. FOLDER is that of the control socket. Not for people, and so in no list of commands: it is oomphctl
 * because every word of it is oomphctl's already. Leaves with 0 or an errno.
 */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TERMINATION_LOG "/dev/termination-log"
#define TERMINATION_MAX 2048            /* Kubernetes takes 4096 bytes of it, and all containers of a pod share 12 kB */

static int write_all(int fd, const char *text, size_t n)
{
	ssize_t written = write(fd, text, n);
	return written < 0 ? -errno : (size_t)written < n ? -ENOSPC : 0;
}

/* Who may ask PID 1 may read what it told. */
static gid_t reader_group(void)
{
	const struct group *g = getgrnam("oomph");
	return g ? g->gr_gid : 0;
}

static void sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* ---- /var/lib/oomph/incidents.jsonl ---- */

static int open_records(struct stat *st)
{
	int fd = open(RECORDS_FILE, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	*st = (struct stat){ 0 };
	if (fd < 0 || fstat(fd, st) < 0)
		return -errno;
	if (st->st_size == 0) {
		if (fchown(fd, 0, reader_group()) < 0)
			fchmod(fd, 0600);
		sync_folder(RECORDS_FOLDER);
	}
	return fd;
}

/* After a crash the last line may end anywhere: what comes must not become a part of it. */
static bool is_torn(int fd, off_t size)
{
	char last;
	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static int append(const char *line, size_t n)
{
	struct stat st;
	if (mkdir(RECORDS_FOLDER, 0755) < 0 && errno != EEXIST)
		return -errno;
	int fd = open_records(&st);
	if (fd >= 0 && st.st_size && st.st_size + (off_t)n > RECORDS_FILE_MAX) {
		close(fd);
		if (rename(RECORDS_FILE, RECORDS_OLD) < 0)
			return -errno;
		fd = open_records(&st);
	}
	if (fd < 0)
		return fd;
	int r = is_torn(fd, st.st_size) ? write_all(fd, "\n", 1) : 0;
	if (r == 0)
		r = write_all(fd, line, n);
	if (r < 0 && ftruncate(fd, st.st_size) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}


/* ---- last-death/UNIT.json ---- */

void record_path(char *to, size_t size, const char *folder, const char *unit)
{
	snprintf(to, size, "%s/last-death/%s.json", folder, line_unit(unit).text);
}

/* Written beside and renamed: whoever finds it finds all of it. The service may read it, whoever it runs as, if we may give it away. */
static int put_last(const struct victim_slot *v, const char *folder, const char *line, size_t n)
{
	char path[512], fresh[sizeof path + 8];
	snprintf(path, sizeof path, "%s/last-death", folder);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(fresh, sizeof fresh, "%s/.new", path);
	record_path(path, sizeof path, folder, v->unit);
	unlink(fresh);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0440);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, line, n);
	if (r == 0 && fchown(fd, v->uid == NO_ID ? 0 : v->uid, reader_group()) < 0 && errno != EPERM && errno != EINVAL)
		r = -errno;
	close(fd);
	return r == 0 && rename(fresh, path) < 0 ? -errno : r;
}

/* ---- the termination log ---- */

static int put_verdict(const struct victim_slot *v)
{
	char text[TERMINATION_MAX];
	int n = snprintf(text, sizeof text, "%s\n", line_death(&v->death).text);
	int fd = open(TERMINATION_LOG, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
	close(fd);
	return r;
}

/* ---- all that is new ---- */

/* A place that is not there or cannot be written is one where nobody wants it. */
static int where_possible(int r)
{
	return r == -EROFS || r == -ENOENT || r == -EACCES || r == -EPERM || r == -ENOTDIR ? 0 : r;
}

static int record_last(const struct ring *r, const struct victim_slot *v, const char *folder)
{
	char *whole = record_line(r, v, false);
	int error = where_possible(put_last(v, folder, whole, strlen(whole)));
	free(whole);
	return error;
}

static int record(const struct ring *r, const struct victim_slot *v, const char *folder)
{
	int last = record_last(r, v, folder);
	char *line = record_line(r, v, true);
	int kept = where_possible(append(line, strlen(line)));
	free(line);
	return kept ? kept : last;
}

typedef int record_one(const struct ring *r, const struct victim_slot *v, const char *folder);

static int record_each(const struct ring *r, uint64_t from, uint64_t to, record_one *one, const char *folder)
{
	int worst = 0;
	for (uint64_t n = from; n <= to; n++) {
		const struct victim_slot *v = ring_victim(r, n);
		int error = v ? one(r, v, folder) : 0;
		worst = error < 0 ? error : worst;
	}
	return worst;
}

static uint64_t number_of(const char *word)
{
	uint64_t n;
	if (!str_u64(str_from(word), &n))
		leave(LEAVE_USAGE, "%s is no number", line_raw(word).text);
	return n;
}

int record_main(const struct ask *ask)
{
	struct ring ring;
	int worst = 0;
	ring_read(&ring, (int)number_of(ask->args[0]));
	if (!ring.bytes)
		return EPROTO;
	/* First what nobody waits for long: a container may be about to leave. */
	if (ask->n_args > 4 && ring.bytes->verdict.number)
		worst = put_verdict(&ring.bytes->verdict);
	uint64_t from = number_of(ask->args[2]), to = number_of(ask->args[3]);
	if (to >= from + VICTIMS_KEPT)
		from = to - VICTIMS_KEPT + 1;   /* so many at once that the ring has gone round */
	/* The successor may look for its file at any moment: it comes first, and once more when the last words are there. */
	record_each(&ring, from, to, record_last, ask->args[1]);
	if (from <= to)
		logs_sync(str_from(ask->args[1]), NULL);
	ring.has_logs = true;
	int error = record_each(&ring, from, to, record, ask->args[1]);
	return error ? -error : -worst;
}
