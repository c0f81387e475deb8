/* oomphctl verify: oomph-load reads unit files, so it is the one to say what is wrong with them. */
#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char own_folder[PATH_MAX];

static void find_own_folder(void)
{
	ssize_t n = readlink("/proc/self/exe", own_folder, sizeof own_folder - 1);
	char *slash = n > 0 ? memrchr(own_folder, '/', (size_t)n) : NULL;
	if (slash)
		*slash = '\0';
	else
		own_folder[0] = '\0';
}

/* Where oomph, too, looks for its helpers: $OOMPH_LIBDIR, /usr/lib/oomph, beside the binary itself. */
int verify_main(const struct ask *ask)
{
	const char *folders[] = { getenv("OOMPH_LIBDIR"), "/usr/lib/oomph", own_folder };
	char path[PATH_MAX + 16];
	char **argv = calloc((size_t)ask->n_args + 3, sizeof *argv);
	if (!argv)
		leave(LEAVE_FAILED, "out of memory");
	find_own_folder();
	argv[0] = (char *)"oomph-load";
	argv[1] = (char *)(ask->options & OPTION_DUMP ? "--dump" : "--check");
	memcpy(argv + 2, ask->args, (size_t)ask->n_args * sizeof *argv);
	for (size_t i = 0; i < countof(folders); i++) {
		if (!folders[i] || !folders[i][0])
			continue;
		snprintf(path, sizeof path, "%s/oomph-load", folders[i]);
		execv(path, argv);
		if (errno != ENOENT && errno != ENOTDIR)
			leave(LEAVE_FAILED, "%s: %s", path, strerror(errno));
	}
	leave(LEAVE_FAILED, "oomph-load is not in $OOMPH_LIBDIR, not in /usr/lib/oomph and not beside oomphctl");
}
