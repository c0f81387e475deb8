/*
 * Type=forking: the process that was started has left, and some other is the service now. Its PIDFile= names it, and is
 * waited for; else it is the one process of the service that has become PID 1's child, if there is just one (systemd.service(5),
 * PIDFile= and GuessMainPID=).
 */
#include "chore.h"

#include "lib/attrib.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_MS 200             /* nobody tells that the last process of a service is gone while we are in its cgroup ourselves */
#define GUESS_MS 20             /* a daemon's middle process may be on its way out still */
#define GUESSES 10

struct finder {
	const struct job *chore;
	int manager;                    /* our parent: PID 1, or what stands in for it */
	char cgroup[1024];              /* of the service; "" where there is none */
	int files;                      /* inotify, -1: not watching yet */
	int told_error;                 /* why the PID file is of no use so far */
};

static size_t read_file(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t n = 0;
	ssize_t got = 0;
	while (fd >= 0 && n < size - 1 && (got = read(fd, to + n, size - 1 - n)) > 0)
		n += (size_t)got;
	if (fd >= 0)
		close(fd);
	to[n] = '\0';
	return n;
}

static size_t read_proc(int pid, const char *file, char *to, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	return read_file(path, to, size);
}

/* ---- whose process is it ---- */

/* Ours, up to the part with the unit's name: we may be in a leaf below. Without one we are in no cgroup of the service's. */
static void find_cgroup(struct finder *f)
{
	char text[4096], part[300];
	read_proc(getpid(), "cgroup", text, sizeof text);
	struct str path = attrib_unified(str_from(text));
	snprintf(part, sizeof part, "/%s", f->chore->unit);
	size_t at = str_rfind(path, str_from(part)), end = at + strlen(part);
	bool is_whole = at < path.n && (end == path.n || path.p[end] == '/');
	if (is_whole && end < sizeof f->cgroup)
		memcpy(f->cgroup, path.p, end);
}

static bool is_in_cgroup(const struct finder *f, int pid)
{
	char text[4096];
	read_proc(pid, "cgroup", text, sizeof text);
	struct str path = attrib_unified(str_from(text));
	return str_take(&path, str_from(f->cgroup)) && (path.n == 0 || path.p[0] == '/');
}

enum whose { OURS, ANOTHERS, NOBODYS };

/* Where there are no cgroups a daemon leaves its session and its parent, but hardly ever its environment. */
static enum whose told_by_environment(const struct finder *f, int pid)
{
	static char text[256 << 10];
	size_t n = read_proc(pid, "environ", text, sizeof text);
	struct str words = str_of(text, n), word;
	while (words.n) {
		word = str_until(&words, '\0');
		if (str_take(&word, STR("INVOCATION_ID=")))
			return str_eq(word, str_from(f->chore->invocation)) ? OURS : ANOTHERS;
	}
	return NOBODYS;
}

static bool is_alive(int pid, int *parent)
{
	char text[512], state = 'Z';
	read_proc(pid, "stat", text, sizeof text);
	const char *after = strrchr(text, ')');         /* the name before it is anybody's to choose (proc_pid_stat(5)) */
	return after && sscanf(after, ") %c %d", &state, parent) == 2 && state != 'Z' && state != 'X';
}

static bool belongs(const struct finder *f, int pid)
{
	if (pid == getpid() || pid == f->manager || pid == 1)
		return false;
	return f->cgroup[0] ? is_in_cgroup(f, pid) : told_by_environment(f, pid) == OURS;
}

/* How many there are besides us; *guess is the one that is the manager's child, 0 for none or several. */
static int count(const struct finder *f, int *guess)
{
	DIR *proc = opendir("/proc");
	int n = 0, n_children = 0;
	*guess = 0;
	for (struct dirent *e; proc && (e = readdir(proc));) {
		int pid = atoi(e->d_name), parent = 0;
		if (pid <= 0 || !belongs(f, pid) || !is_alive(pid, &parent))
			continue;
		n++;
		if (parent == f->manager && n_children++ == 0)
			*guess = pid;
	}
	if (proc)
		closedir(proc);
	if (n_children > 1)
		*guess = 0;
	return n;
}

/* ---- the file ---- */

static int named_pid(const char *path)
{
	char text[64];
	uint64_t pid;
	/* The last part no link: where others may write they could lay one to a file of somebody else's. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	if (n == 0)
		return -ENOENT;         /* made, and about to be written */
	struct str rest = str_of(text, n > 0 ? (size_t)n : 0);
	struct str line = str_trim(str_until(&rest, '\n'));
	return str_u64(line, &pid) && pid > 0 && pid <= INT32_MAX ? (int)pid : -EINVAL;
}

/* The process that the file names, or why it names none: not written yet, not alive, not of this service. */
static int main_by_file(const struct finder *f)
{
	int parent, pid = named_pid(f->chore->argument);
	if (pid < 0)
		return pid;
	if (!is_alive(pid, &parent))
		return -ESRCH;
	/* Without a cgroup, and with its environment overwritten, that PID 1 has inherited it must do. */
	bool is_orphan = !f->cgroup[0] && parent == f->manager && told_by_environment(f, pid) == NOBODYS;
	return belongs(f, pid) || is_orphan ? pid : -EPERM;
}

static void tell(struct finder *f, int error, bool is_final)
{
	bool is_news = error != ENOENT && error != f->told_error;
	if (is_news || is_final)
		chore_report(f->chore, (struct launch_report){
			.kind = is_final ? REPORT_FAILED : REPORT_WARNING, .step = LAUNCH_PID_FILE, .error = (uint16_t)error });
	f->told_error = error;
}

static void await_change(struct finder *f)
{
	char folder[4096], events[4096];
	snprintf(folder, sizeof folder, "%s", f->chore->argument);
	*strrchr(folder, '/') = '\0';
	if (f->files < 0)
		f->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* Each time, for the folder may be made only now. */
	inotify_add_watch(f->files, folder[0] ? folder : "/", IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO);
	struct pollfd p = { .fd = f->files, .events = POLLIN };
	if (poll(&p, 1, LOOK_MS) > 0)
		while (read(f->files, events, sizeof events) > 0)
			;
}

static int wait_for_file(struct finder *f)
{
	for (int guess;;) {
		int pid = main_by_file(f);
		if (pid > 0)
			return pid;
		bool is_left = count(f, &guess) == 0;
		/* Once more: it may have been written, and its writer have left, since we looked. */
		if (is_left && (pid = main_by_file(f)) > 0)
			return pid;
		tell(f, -pid, is_left);
		if (is_left)
			exit(LEAVE_FAILED);
		await_change(f);
	}
}

static int guess_main(const struct finder *f)
{
	int guess = 0;
	for (int n = 0; n < GUESSES && count(f, &guess) > 1 && guess == 0; n++)
		poll(NULL, 0, GUESS_MS);
	return guess;
}

int find_main(const struct job *c)
{
	static struct finder f;
	f = (struct finder){ .chore = c, .manager = getppid(), .files = -1 };
	find_cgroup(&f);
	int pid = c->argument[0] ? wait_for_file(&f) : guess_main(&f);
	if (pid > 0)
		chore_report(c, (struct launch_report){ .kind = REPORT_MAIN, .main_pid = (uint32_t)pid });
	return LEAVE_OK;
}
