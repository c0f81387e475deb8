/*
 * contain v2|v1|none [stay] COMMAND ARGS...: runs the command as PID 1 of its own PID, mount and cgroup namespace, as a container
 * manager would, in the cgroup that we are in. Of the cgroup file systems it sees, read-only: its own part of the unified one
 * (v2), its own part of v1's memory hierarchy (v1), or nothing. We leave its cgroup, unless we are to stay as a stranger.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(int is_ok, const char *what)
{
	if (is_ok)
		return;
	perror(what);
	exit(1);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static void mount_read_only(const char *type, const char *from, const char *at)
{
	need(mount(from, at, type, type ? 0 : MS_BIND, NULL) == 0, at);
	need(mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0, at);
}

static void furnish(const char *way)
{
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
	need(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc");
	/* Not over it: the kernel refuses the same file system on the same place (fs/namespace.c, do_add_mount). */
	need(umount2("/sys/fs/cgroup", MNT_DETACH) == 0, "umount");
	if (!strcmp(way, "v2")) {
		mount_read_only("cgroup2", "cgroup2", "/sys/fs/cgroup");
		return;
	}
	need(mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0, "tmpfs");
	if (!strcmp(way, "v1")) {
		mkdir("/sys/fs/cgroup/memory", 0755);
		mount_read_only(NULL, "/v1/pod", "/sys/fs/cgroup/memory");
		umount2("/v1", MNT_DETACH);
	}
	need(mount(NULL, "/sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0, "/sys/fs/cgroup");
}

int main(int argc, char **argv)
{
	need(argc > 2, "usage: contain v2|v1|none [stay] COMMAND ARGS...");
	int is_v1 = !strcmp(argv[1], "v1"), stays = !strcmp(argv[2], "stay");
	int gate[2];
	need(pipe2(gate, O_CLOEXEC) == 0 && unshare(CLONE_NEWPID) == 0, "unshare");
	pid_t pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		char c;
		close(gate[1]);
		need(read(gate[0], &c, 1) == 0, "gate");        /* until our parent has left the cgroup */
		if (is_v1)
			put("/v1/pod/cgroup.procs", "0");
		need(unshare(CLONE_NEWNS | (is_v1 ? 0 : CLONE_NEWCGROUP)) == 0, "unshare");
		furnish(argv[1]);
		execv(argv[2 + stays], argv + 2 + stays);
		need(0, argv[2 + stays]);
	}
	if (!stays)
		put("/sys/fs/cgroup/cgroup.procs", "0");
	close(gate[0]);
	close(gate[1]);
	int status;
	while (waitpid(pid, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
