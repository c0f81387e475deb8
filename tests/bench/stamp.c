/*
 * The service of the benchmark: tells when its first instruction ran, then waits to be killed. Static, so that nothing else does.
 * With a command it becomes that: a supervisor, whose start is told so.
 */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec t;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (argc < 2 || strlen(argv[1]) >= sizeof to.sun_path)
		return 2;
	strcpy(to.sun_path, argv[1]);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sendto(fd, &t, sizeof t, 0, (struct sockaddr *)&to, sizeof to) < 0)
		return 1;
	if (argc > 2)
		return execv(argv[2], argv + 2);
	for (;;)
		pause();
}
