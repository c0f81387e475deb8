/*
 * The main process of any service of fault.py: NAME WORD... It holds a lock while it lives, so that two lives at one time
 * cannot go unnoticed, and plays the part that its unit's Type= has for it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		exit(98);
	close(fd);
}

/* Kept by every child, and let go by the last: flock(2). */
static void be_the_only_one(const char *name)
{
	char path[256], line[256];
	snprintf(path, sizeof path, "/mnt/locks/%s", name);
	int fd = open(path, O_RDWR | O_CREAT, 0666);
	fchmod(fd, 0666);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return;
	snprintf(line, sizeof line, "%s\n", name);
	append("/mnt/doubled", line);
	exit(99);
}

static void say(const char *text, int fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} along = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)text, strlen(text) };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1 };
	const char *path = getenv("NOTIFY_SOCKET");
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (!path)
		exit(97);                       /* there is none: as a daemon that cannot tell its manager would */
	strncpy(to.sun_path, path, sizeof to.sun_path - 1);
	memcpy(CMSG_DATA(&along.head), &fd, sizeof fd);
	if (fd >= 0) {
		m.msg_control = &along;
		m.msg_controllen = sizeof along;
	}
	if (sendmsg(s, &m, 0) < 0)
		exit(96);
	close(s);
}

/* Type=notify-reload: ready now, and after each SIGHUP. */
static void reload_for_ever(void)
{
	sigset_t hup;
	int number;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	for (say("READY=1", -1); sigwait(&hup, &number) == 0; say("READY=1", -1)) {
		char text[64];
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)t.tv_sec * 1000000 + (unsigned)t.tv_nsec / 1000);
		say(text, -1);
	}
}

static void leave_to_child(const char *pid_file)
{
	char text[16];
	if (fork() > 0) {
		while (access(pid_file, F_OK) < 0)
			usleep(1000);
		exit(0);
	}
	setsid();
	snprintf(text, sizeof text, "%d\n", (int)getpid());
	append("/mnt/pid.new", text);
	rename("/mnt/pid.new", pid_file);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	be_the_only_one(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "reloads"))
			reload_for_ever();
		else if (!strcmp(argv[i], "store") && getenv("LISTEN_FDS"))
			append("/mnt/kept", "yes\n");
		else if (!strcmp(argv[i], "store"))
			say("FDSTORE=1\nFDNAME=kept", memfd_create("kept", 0));
		else if (!strcmp(argv[i], "line"))
			printf("%s is here\n", argv[1]), fflush(stdout);
		else if (!strcmp(argv[i], "newline") && write(7, "\n", 1) < 0)
			return 95;
		else if (!strcmp(argv[i], "fork"))
			leave_to_child(argv[++i]);
		else if (!strcmp(argv[i], "end"))
			return 0;
	}
	for (;;)
		pause();
}
