/* A log file's lines. zstd and gzip are programs: what they make of a file is read through a pipe. */
#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW 16384u           /* a thousand sources hold one each */
#define UNPACKED_WINDOW 65536u

/* One who is put aside goes on in a new process that does all of its work again: so the eldest, and not before there are so many. */
static struct log_file *unpacking[UNPACKERS_MAX];
static size_t next_unpacking;

void *log_room(void *old, size_t n)
{
	void *room = realloc(old, n);
	if (!room)
		leave(LEAVE_FAILED, "out of memory");
	return room;
}

int log_file_open(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

bool log_file_is(int fd, const char *path)
{
	struct stat own, other;
	return fstat(fd, &own) == 0 && stat(path, &other) == 0 && own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

void log_file_begin(struct log_file *f, const char *path, int fd, enum logfile_form form)
{
	*f = (struct log_file){ .path = strdup(path), .fd = fd, .form = form, .pipe = -1 };
	f->size = form == LOGFILE_PLAIN ? WINDOW : UNPACKED_WINDOW;
	f->bytes = log_room(NULL, f->size + 1);
	if (!f->path)
		leave(LEAVE_FAILED, "out of memory");
}

/* ---- unpacking ---- */

/* The child is gone when this returns. Its wait status. */
static int end_unpacking(struct log_file *f)
{
	int status = 0;
	for (size_t i = 0; i < UNPACKERS_MAX; i++)
		if (unpacking[i] == f)
			unpacking[i] = NULL;
	close(f->pipe);
	while (waitpid(f->child, &status, 0) < 0 && errno == EINTR)
		;
	f->child = 0;
	return status;
}

static void stop_unpacking(struct log_file *f)
{
	if (!f->child)
		return;
	kill(f->child, SIGKILL);
	end_unpacking(f);
}

static ssize_t read_fully(int fd, char *to, size_t n)
{
	ssize_t r;
	do
		r = read(fd, to, n);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Of what comes out again, that which we have had. */
static bool skip(struct log_file *f, uint64_t n)
{
	static char bytes[UNPACKED_WINDOW];
	while (n) {
		ssize_t r = read_fully(f->pipe, bytes, n < sizeof bytes ? (size_t)n : sizeof bytes);
		if (r <= 0)
			return false;
		n -= (uint64_t)r;
	}
	return true;
}

static int spawn(struct log_file *f, const char *program, int to)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = { (char *)program, (char *)"-dc", NULL };
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, f->fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int r = posix_spawnp(&f->child, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static bool start_unpacking(struct log_file *f)
{
	const char *program = f->form == LOGFILE_ZSTD ? "zstd" : "gzip";
	struct log_file **place = &unpacking[next_unpacking++ % UNPACKERS_MAX];
	int ends[2];
	if (*place)
		stop_unpacking(*place);
	if (lseek(f->fd, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		leave(LEAVE_FAILED, "no pipe: %s", strerror(errno));
	int r = spawn(f, program, ends[1]);
	close(ends[1]);
	if (r) {
		close(ends[0]);
		f->child = 0;
		log_trouble(f->path, r == ENOENT ? "its program, zstd or gzip, is not installed" : strerror(r));
		return false;
	}
	f->pipe = ends[0];
	*place = f;
	return skip(f, f->at + (f->end - f->begin));
}

static ssize_t read_unpacked(struct log_file *f, char *to, size_t n)
{
	if (f->has_ended)
		return 0;
	if (!f->child && !start_unpacking(f)) {
		stop_unpacking(f);
		return 0;
	}
	ssize_t r = read_fully(f->pipe, to, n);
	if (r == 0 && end_unpacking(f) != 0)
		log_trouble(f->path, "damaged; the rest of it is left out");
	return r;
}

/* ---- lines ---- */

void log_file_close(struct log_file *f)
{
	stop_unpacking(f);
	if (f->fd >= 0)
		close(f->fd);
	free(f->bytes);
	free(f->path);
	*f = (struct log_file){ .fd = -1 };
}

/* Room behind what is there; false: there is as much as one line may have. */
static bool make_room(struct log_file *f)
{
	memmove(f->bytes, f->bytes + f->begin, f->end - f->begin);
	f->end -= f->begin;
	f->begin = 0;
	if (f->end < f->size)
		return true;
	if (f->size >= LINE_HELD_MAX)
		return false;
	f->bytes = log_room(f->bytes, 2 * f->size + 1);
	f->size *= 2;
	return true;
}

static bool fill(struct log_file *f)
{
	char *to = f->bytes + f->end;
	size_t n = f->size - f->end;
	ssize_t r = f->form == LOGFILE_PLAIN ? pread(f->fd, to, n, (off_t)(f->at + f->end)) : read_unpacked(f, to, n);
	if (r < 0)
		log_trouble(f->path, strerror(errno));
	if (r > 0)
		f->end += (size_t)r;
	else
		f->has_ended = true;
	return r > 0;
}

/* The bytes from begin on, and what lies behind them. */
static void hand_out(struct log_file *f, size_t n, size_t behind, struct str *line, uint64_t *at)
{
	*line = str_of(f->bytes + f->begin, n);
	*at = f->at;
	f->begin += n + behind;
	f->at += n + behind;
}

bool log_file_line(struct log_file *f, bool takes_torn, struct str *line, uint64_t *at)
{
	size_t looked = 0;
	for (;;) {
		const char *from = f->bytes + f->begin + looked;
		const char *feed = memchr(from, '\n', f->end - f->begin - looked);
		if (feed) {
			hand_out(f, (size_t)(feed - f->bytes) - f->begin, 1, line, at);
			return true;
		}
		looked = f->end - f->begin;
		bool has_room = make_room(f);
		if (has_room && fill(f))
			continue;
		if (looked == 0 || (has_room && !takes_torn))
			return false;
		hand_out(f, looked, 0, line, at);
		return true;
	}
}

/* ---- a time ---- */

/* The first line of a log behind that place; false: there is none near. */
static bool probe(int fd, uint64_t at, struct logline *line, uint64_t *line_at)
{
	static char bytes[LOGSEEK_NEAR];
	ssize_t n = pread(fd, bytes, sizeof bytes, (off_t)at);
	struct str rest = str_of(bytes, n > 0 ? (size_t)n : 0);
	while (rest.n) {
		str_until(&rest, '\n');
		*line_at = at + (uint64_t)n - rest.n;
		struct str whole = rest;
		if (logline_parse(str_until(&whole, '\n'), line))
			return true;
	}
	return false;
}

uint64_t log_file_seek(int fd, uint64_t us)
{
	struct logseek seek = { 0 };
	struct logline line;
	struct stat st;
	uint64_t at, line_at;
	if (us == 0 || fstat(fd, &st) < 0)
		return 0;
	seek.high = (uint64_t)st.st_size;
	while (logseek_next(&seek, &at)) {
		if (probe(fd, at, &line, &line_at) && line_at < seek.high && line.time_us < us)
			logseek_early(&seek, line_at);
		else
			logseek_late(&seek, at);
	}
	return seek.low;
}
