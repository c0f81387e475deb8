/*
 * oomph-tmpfiles               makes what sysusers.d(5) and tmpfiles.d(5) ask for, by the distribution's tools where they are
 * oomph-tmpfiles --root DIR    makes it below DIR, by itself
 */
#include "tmpfiles.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *root = "";

/* sysexits(3): a bad line, or something that could not be made. The tool has said so, and its own unit takes it for success. */
static bool is_good(int status)
{
	enum { DATA_ERROR = 65, CANNOT_CREATE = 73 };
	return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DATA_ERROR || WEXITSTATUS(status) == CANNOT_CREATE);
}

/* False when it is not installed. */
static bool run(char *const argv[])
{
	static const char *const folders[] = { "/usr/bin/", "/bin/" };
	char path[64];
	int status;
	for (size_t i = 0; i < countof(folders); i++) {
		snprintf(path, sizeof path, "%s%s", folders[i], argv[0]);
		if (access(path, X_OK) < 0)
			continue;
		pid_t pid = fork();
		if (pid == 0) {
			execv(path, argv);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			tell_errno(NULL, path);
		else if (!is_good(status))
			tell(NULL, "%s has failed", path);
		return true;
	}
	return false;
}

/* /dev is the kernel's, and udev's: as systemd-tmpfiles-setup.service leaves it to another unit. */
static bool run_tool(int which)
{
	char *const users[] = { "systemd-sysusers", NULL };
	char *const files[] = { "systemd-tmpfiles", "--create", "--remove", "--boot", "--exclude-prefix=/dev", NULL };
	return *root == '\0' && run(which ? files : users);
}

int main(int argc, char **argv)
{
	static void (*const makers[])(void) = { users_make, files_make };
	if (argc == 3 && strcmp(argv[1], "--root") == 0 && argv[2][0] == '/') {
		root = argv[2];
	} else if (argc > 1) {
		fputs("usage: oomph-tmpfiles [--root DIR]\n", stderr);
		return 2;
	}
	users_remember();
	for (size_t i = 0; i < countof(makers); i++)
		if (!run_tool((int)i))
			makers[i]();
	users_tell();
	return has_told();
}
