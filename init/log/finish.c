/*
 * A rotated file is brought to the disk for good, and compressed where zstd or gzip is installed: by a child, one at a time and with
 * the least priority, so that no service waits for it. What is killed in between leaves @TIME.log as it was, and a file that ends
 * with .tmp, which the next logger deletes.
 */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *path;
	enum logfile_form form;
	const char *argv[4];
} tools[] = {
	{ "/usr/bin/zstd", LOGFILE_ZSTD, { "zstd", "-qc" } }, { "/bin/zstd", LOGFILE_ZSTD, { "zstd", "-qc" } },
	{ "/usr/bin/gzip", LOGFILE_GZIP, { "gzip", "-c" } }, { "/bin/gzip", LOGFILE_GZIP, { "gzip", "-c" } },
};

static size_t find_tool(const struct logger *l)
{
	size_t i = l->settings.wants_compress ? 0 : countof(tools);
	while (i < countof(tools) && access(tools[i].path, X_OK) < 0)
		i++;
	return i;
}

static void put_name(char name[LOGFILE_NAME_MAX + 4], uint64_t time_us, enum logfile_form form, const char *behind)
{
	struct buf b = { .p = name, .cap = LOGFILE_NAME_MAX + 4 };
	logfile_name(&b, time_us, form);
	buf_str(&b, str_from(behind));
	buf_cstr(&b);
}

/* ---- the child ---- */

/* ioprio_set(2): the idle class. */
static void be_humble(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = write(fd, "0", 1);  /* not protected as the logger is */
		(void)n;
		close(fd);
	}
	setpriority(PRIO_PROCESS, 0, 19);
	syscall(SYS_ioprio_set, 1, 0, 3 << 13);
}

/* Nothing of the logger's may live on in a child: not its lock, and not the pipes. close_range(2) came with Linux 5.9. */
static void close_all(void)
{
	if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
		for (int fd = 3; fd < 65536; fd++)
			close(fd);
}

static int run_tool(size_t tool)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		execv(tools[tool].path, (char *const *)tools[tool].argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

_Noreturn static void finish(size_t tool, int from, int to)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(from, STDIN_FILENO);
	if (to >= 0)
		dup2(to, STDOUT_FILENO);
	close_all();
	be_humble();
	int r = fsync(STDIN_FILENO);
	if (tool < countof(tools))
		r = run_tool(tool) < 0 || fsync(STDOUT_FILENO) < 0 ? -1 : r;
	_exit(r < 0);
}

/* ---- its parent ---- */

static struct logpolicy_file *oldest_unfinished(struct store *s)
{
	struct logpolicy_file *oldest = NULL;
	for (size_t i = 0; i < s->n_files; i++) {
		struct logpolicy_file *f = &s->files[i];
		if (f->form == LOGFILE_PLAIN && !(f->flags & FILE_IS_FINISHED) && (!oldest || f->time_us < oldest->time_us))
			oldest = f;
	}
	return oldest;
}

static bool start(struct logger *l, const struct logpolicy_file *f, size_t tool)
{
	char name[LOGFILE_NAME_MAX + 4], fresh[LOGFILE_NAME_MAX + 4];
	struct store *s = &l->store;
	enum logfile_form form = tool < countof(tools) ? tools[tool].form : LOGFILE_PLAIN;
	int folder = folder_unit(s, s->place.fd, l->writers[f->unit]->name, false), to = -1;
	put_name(name, f->time_us, LOGFILE_PLAIN, "");
	put_name(fresh, f->time_us, form, ".tmp");
	int from = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from >= 0 && form != LOGFILE_PLAIN) {
		unlinkat(folder, fresh, 0);
		to = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
		if (to >= 0 && s->group && fchown(to, (uid_t)-1, s->group) < 0)
			fchmod(to, 0600);
	}
	s->child = from >= 0 && (to >= 0 || form == LOGFILE_PLAIN) ? fork() : -1;
	if (s->child == 0)
		finish(tool, from, to);
	s->child_time_us = f->time_us;
	s->child_unit = f->unit;
	s->child_form = (uint8_t)form;
	for (int *fd = (int[]){ from, to, folder, -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	return s->child > 0;
}

/* One that cannot be opened, say, is left as it is, and the next is taken. */
void finish_next(struct logger *l)
{
	struct logpolicy_file *f = l->store.child > 0 ? NULL : oldest_unfinished(&l->store);
	size_t tool = f ? find_tool(l) : 0;
	for (; f; f = oldest_unfinished(&l->store)) {
		f->flags |= FILE_IS_FINISHED;
		if (start(l, f, tool))
			return;
	}
}

/* What a predecessor has left as it was stays so, where nothing can compress it. */
void finish_known(struct logger *l)
{
	if (find_tool(l) < countof(tools))
		return;
	for (size_t i = 0; i < l->store.n_files; i++)
		l->store.files[i].flags |= FILE_IS_FINISHED;
}

static struct logpolicy_file *file_of_child(struct store *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		struct logpolicy_file *f = &s->files[i];
		if (f->time_us == s->child_time_us && f->unit == s->child_unit && f->form == LOGFILE_PLAIN)
			return f;
	}
	return NULL;
}

/* The compressed file in place of the other, unless that was deleted meanwhile. */
static void put_in_place(struct logger *l, bool is_good)
{
	char name[LOGFILE_NAME_MAX + 4], fresh[LOGFILE_NAME_MAX + 4], packed[LOGFILE_NAME_MAX + 4];
	struct store *s = &l->store;
	struct logpolicy_file *f = file_of_child(s);
	struct stat st;
	int folder = folder_unit(s, s->place.fd, l->writers[s->child_unit]->name, false);
	put_name(name, s->child_time_us, LOGFILE_PLAIN, "");
	put_name(packed, s->child_time_us, (enum logfile_form)s->child_form, "");
	put_name(fresh, s->child_time_us, (enum logfile_form)s->child_form, ".tmp");
	if (folder < 0)
		return;
	if (f && is_good && fstatat(folder, fresh, &st, AT_SYMLINK_NOFOLLOW) == 0 && renameat(folder, fresh, folder, packed) == 0) {
		unlinkat(folder, name, 0);
		s->unit_bytes[f->unit] += (uint64_t)st.st_size - f->size;
		s->all_bytes += (uint64_t)st.st_size - f->size;
		f->size = (uint64_t)st.st_size;
		f->form = s->child_form;
	} else {
		unlinkat(folder, fresh, 0);
	}
	close(folder);
}

void finish_reap(struct logger *l)
{
	struct store *s = &l->store;
	int status;
	if (s->child <= 0 || waitpid(s->child, &status, WNOHANG) != s->child)
		return;
	s->child = -1;
	if (s->child_form != LOGFILE_PLAIN)
		put_in_place(l, status == 0);
	finish_next(l);
}
