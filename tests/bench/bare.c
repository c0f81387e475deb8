/* What oomph is measured against: the least a supervisor can do. vfork, exec, wait; and again for whoever died. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void start(char **argv)
{
	if (vfork() == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	for (int n = atoi(argv[1]); n > 0; n--)
		start(argv + 2);
	while (wait(NULL) > 0)
		start(argv + 2);
	return 0;
}
