/*
 * oomph-halt: the last seconds of a machine. Ends every process but itself and PID 1, then takes the file systems
 * down. A process of its own because sync(2) and umount(2) can hang on a dead disk: PID 1 keeps the deadline,
 * and calls reboot(2) when this has ended or the deadline has passed.
 *
 *     oomph-halt poweroff|reboot|halt       started by PID 1 only
 *
 * Exits 0, or 1 with a line on stderr for each file system left writable.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 2000                   /* from SIGTERM to SIGKILL, for what no service owned */
#define KILLED_MS 2000                  /* from SIGKILL to giving up: only a process in D state needs longer */
#define PF_KTHREAD 0x00200000           /* include/linux/sched.h; in the flags field of /proc/PID/stat */
#define PROC_PID_INIT_INO 0xEFFFFFFCU   /* include/linux/proc_ns.h: the first PID namespace's inode */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* ---- processes ---- */

/* False for kernel threads, which nothing ends, and for zombies, which hold no file: see proc_pid_stat(5). */
static bool is_alive(long pid)
{
	char path[64], line[512], state = 'Z';
	unsigned flags = 0;
	const char *after;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* The name in parentheses may hold anything, parentheses too: count fields from the last one. */
	if (fgets(line, sizeof line, f) && (after = strrchr(line, ')')))
		sscanf(after, ") %c %*d %*d %*d %*d %*d %u", &state, &flags);
	fclose(f);
	return state != 'Z' && state != 'X' && !(flags & PF_KTHREAD);
}

/* Waits until the process has ended; false when it still lives at the deadline. */
static bool await_end(long pid, int64_t deadline_at)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int64_t left_ms = deadline_at - now_ms();
	bool is_over;

	if (p.fd < 0)
		return errno == ESRCH;
	is_over = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0) > 0;
	close(p.fd);
	return is_over;
}

/* One walk over /proc: how many processes were met alive, and whether time ran out. */
static int await_each(DIR *proc, int64_t deadline_at, bool *is_late)
{
	struct dirent *e;
	int n_met = 0;

	rewinddir(proc);
	while (!*is_late && (e = readdir(proc))) {
		long pid = strtol(e->d_name, NULL, 10);

		if (!isdigit((unsigned char)e->d_name[0]) || pid == 1 || pid == getpid() || !is_alive(pid))
			continue;
		n_met++;
		*is_late = !await_end(pid, deadline_at);
	}
	return n_met;
}

/* Again until a walk meets nobody: the dying may have forked. */
static bool await_all(int64_t deadline_at)
{
	DIR *proc = opendir("/proc");
	bool is_late = !proc;

	while (!is_late && await_each(proc, deadline_at, &is_late))
		;
	if (proc)
		closedir(proc);
	return !is_late;
}

/* kill(-1) reaches neither PID 1 nor the caller (kill(2), Linux notes). */
static void end_processes(void)
{
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	if (await_all(now_ms() + GRACE_MS))
		return;
	kill(-1, SIGKILL);
	await_all(now_ms() + KILLED_MS);
}

/* ---- file systems ---- */

struct mounts {
	char **path;            /* in the order of /proc/self/mountinfo */
	size_t n;
};

/* Blank, tab, newline and backslash stand as \ooo in mountinfo (proc_pid_mountinfo(5)). */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		unsigned octal;

		*to = *s;
		if (*s == '\\' && sscanf(s + 1, "%3o", &octal) == 1) {
			*to = (char)octal;
			s += 3;
		}
	}
	*to = 0;
}

static bool mounts_add(struct mounts *m, const char *path)
{
	char **grown = realloc(m->path, (m->n + 1) * sizeof *grown);

	if (!grown)
		return false;
	m->path = grown;
	m->path[m->n] = strdup(path);
	return m->path[m->n++] != NULL;
}

static bool mounts_read(struct mounts *m)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t cap = 0;
	bool is_good = f != NULL;

	while (is_good && getline(&line, &cap, f) > 0) {
		char *field = line, *path = NULL;

		for (int i = 0; i < 5; i++)
			path = strsep(&field, " ");
		if (!path)
			continue;
		unescape(path);
		is_good = mounts_add(m, path);
	}
	free(line);
	if (f)
		fclose(f);
	return is_good;
}

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == 0 || path[n] == '/');
}

/* The kernel's own file systems hold nothing to be saved, and PID 1 still uses them. */
static bool is_kept(const char *path)
{
	return is_below(path, "/proc") || is_below(path, "/sys") || is_below(path, "/dev") || strcmp(path, "/run") == 0;
}

/*
 * Mounted last, unmounted first. What is busy (this program's own file, say) is made read-only, which saves it as
 * well; the root always is.
 */
static int take_down(const struct mounts *m)
{
	int status = 0;

	for (size_t i = m->n; i-- > 0;) {
		const char *path = m->path[i];

		if (is_kept(path) || (strcmp(path, "/") != 0 && umount2(path, UMOUNT_NOFOLLOW) == 0))
			continue;
		if (mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0)
			continue;
		fprintf(stderr, "oomph-halt: %s stays writable: %s\n", path, strerror(errno));
		status = 1;
	}
	return status;
}

static int end_mounts(void)
{
	struct mounts m = { 0 };

	if (!mounts_read(&m)) {
		fprintf(stderr, "oomph-halt: cannot list the mounts: %s\n", strerror(errno));
		return 1;
	}
	return take_down(&m);
}

/*
 * In a container the file systems are not ours: a read-only remount of a bind-mounted root would change the
 * host's. The same test tells PID 1 whether it runs a machine.
 */
static bool is_machine(void)
{
	char link[64] = "", ours[64];

	snprintf(ours, sizeof ours, "pid:[%u]", PROC_PID_INIT_INO);
	return readlink("/proc/self/ns/pid", link, sizeof link - 1) > 0 && strcmp(link, ours) == 0;
}

int main(int argc, char **argv)
{
	static const char *const words[] = { "poweroff", "reboot", "halt" };
	bool is_word = false;
	int status;

	for (size_t i = 0; argc == 2 && i < sizeof words / sizeof *words; i++)
		is_word |= strcmp(argv[1], words[i]) == 0;
	/* Typed by hand it would end the whole session: that is what `oomphctl poweroff` is for. */
	if (!is_word || getppid() != 1) {
		fprintf(stderr, "oomph-halt: is for PID 1 to start, with poweroff, reboot or halt\n");
		return 2;
	}
	if (chdir("/") < 0)
		fprintf(stderr, "oomph-halt: chdir /: %s\n", strerror(errno));
	end_processes();
	sync();
	status = is_machine() ? end_mounts() : 0;
	sync();
	return status;
}
