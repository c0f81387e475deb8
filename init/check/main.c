/*
 * oomph-check LINE...    each as in a unit file, "ConditionPathExists=!/x"
 *
 * Leaves with 0 when all are met, else with the number of the one that is not (lib/condition.h).
 */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MOST (256u << 10)  /* of /proc/cpuinfo on a machine with many processors the first ones are enough */

struct str read_all(const char *path)
{
	char *text = malloc(FILE_MOST + 1);
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = text && fd >= 0 ? 1 : 0;
	while (got > 0 && n < FILE_MOST) {
		got = read(fd, text + n, FILE_MOST - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	if (!text)
		return STR("");
	text[n] = '\0';
	return str_of(text, n);         /* NOLINT(clang-analyzer-unix.Malloc): ours till we end */
}

static enum answer (*const tests[N_CONDITION_KIND])(struct str) = {
	[CONDITION_PATH_EXISTS] = path_exists,
	[CONDITION_PATH_EXISTS_GLOB] = path_exists_glob,
	[CONDITION_PATH_IS_DIRECTORY] = path_is_directory,
	[CONDITION_PATH_IS_SYMBOLIC_LINK] = path_is_symbolic_link,
	[CONDITION_PATH_IS_MOUNT_POINT] = path_is_mount_point,
	[CONDITION_PATH_IS_READ_WRITE] = path_is_read_write,
	[CONDITION_PATH_IS_SOCKET] = path_is_socket,
	[CONDITION_DIRECTORY_NOT_EMPTY] = directory_not_empty,
	[CONDITION_FILE_NOT_EMPTY] = file_not_empty,
	[CONDITION_FILE_IS_EXECUTABLE] = file_is_executable,
	[CONDITION_NEEDS_UPDATE] = needs_update,
	[CONDITION_FIRST_BOOT] = first_boot,
	[CONDITION_ARCHITECTURE] = architecture,
	[CONDITION_FIRMWARE] = firmware,
	[CONDITION_VIRTUALIZATION] = virtualization,
	[CONDITION_HOST] = host,
	[CONDITION_KERNEL_COMMAND_LINE] = kernel_command_line,
	[CONDITION_KERNEL_VERSION] = kernel_version,
	[CONDITION_CREDENTIAL] = credential,
	[CONDITION_SECURITY] = security,
	[CONDITION_CAPABILITY] = capability,
	[CONDITION_AC_POWER] = ac_power,
	[CONDITION_MEMORY] = memory,
	[CONDITION_CPU_FEATURE] = cpu_feature,
	[CONDITION_CPUS] = cpus,
	[CONDITION_ENVIRONMENT] = environment,
	[CONDITION_USER] = user,
	[CONDITION_GROUP] = group,
	[CONDITION_CONTROL_GROUP_CONTROLLER] = control_group_controller,
	[CONDITION_OS_RELEASE] = os_release,
	[CONDITION_KERNEL_MODULE_LOADED] = kernel_module_loaded,
};

static bool is_met(const struct condition *c)
{
	enum answer answer = tests[c->kind](c->argument);
	return answer != ERROR && (answer == YES) != c->is_negated;
}

/* All conditions, then all assertions: where the unit is passed over, nothing is asserted. */
static uint32_t unmet(char **lines, bool are_asserts)
{
	struct condition_tally tally = { 0 };
	struct condition c;
	uint32_t number = 0;
	for (char **line = lines; *line && !tally.first_unmet; line++) {
		if (!condition_parse(str_from(*line), &c) || c.is_assert != are_asserts)
			continue;
		number++;
		if (!c.is_trigger || !tally.is_triggered)
			condition_count(&tally, &c, number, is_met(&c));
	}
	return condition_unmet(&tally);
}

int main(int argc, char **argv)
{
	(void)argc;
	uint32_t number = unmet(argv + 1, false);
	if (number == 0 && (number = unmet(argv + 1, true)) != 0)
		number += CHECK_ASSERTION;
	return (int)number;
}
