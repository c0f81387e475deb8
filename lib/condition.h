/*
 * Conditions and assertions of a unit, systemd.unit(5): read, weighed against one another, and compared with what the
 * machine says of itself. What it says is asked by init/check, a process of its own: a file may lie on a dead disk.
 *
 * Between the loader and init/check a condition travels as the line of its unit file, specifiers replaced:
 * "ConditionPathExists=|!/etc/x". PID 1 knows no more of it than to show it.
 */
#ifndef OOMPH_CONDITION_H
#define OOMPH_CONDITION_H

#include "unit.h"

enum condition_kind {
	CONDITION_PATH_EXISTS, CONDITION_PATH_EXISTS_GLOB, CONDITION_PATH_IS_DIRECTORY, CONDITION_PATH_IS_SYMBOLIC_LINK,
	CONDITION_PATH_IS_MOUNT_POINT, CONDITION_PATH_IS_READ_WRITE, CONDITION_PATH_IS_SOCKET, CONDITION_DIRECTORY_NOT_EMPTY,
	CONDITION_FILE_NOT_EMPTY, CONDITION_FILE_IS_EXECUTABLE, CONDITION_NEEDS_UPDATE, CONDITION_FIRST_BOOT,
	CONDITION_ARCHITECTURE, CONDITION_FIRMWARE, CONDITION_VIRTUALIZATION, CONDITION_HOST, CONDITION_KERNEL_COMMAND_LINE,
	CONDITION_KERNEL_VERSION, CONDITION_CREDENTIAL, CONDITION_SECURITY, CONDITION_CAPABILITY, CONDITION_AC_POWER,
	CONDITION_MEMORY, CONDITION_CPU_FEATURE, CONDITION_CPUS, CONDITION_ENVIRONMENT, CONDITION_USER, CONDITION_GROUP,
	CONDITION_CONTROL_GROUP_CONTROLLER, CONDITION_OS_RELEASE, CONDITION_KERNEL_MODULE_LOADED, N_CONDITION_KIND
};

/* What has to stand behind the signs. */
enum condition_argument { ARGUMENT_PATH, ARGUMENT_BOOLEAN, ARGUMENT_TEXT, N_CONDITION_ARGUMENT };

struct condition_info {
	struct str key;                 /* as after Condition or Assert: "PathExists" */
	uint8_t argument;               /* enum condition_argument */
};
extern const struct condition_info condition_info[N_CONDITION_KIND];

struct condition {
	uint8_t kind;                   /* enum condition_kind */
	bool is_assert;
	bool is_trigger;                /* `|`: one of those that have it is enough */
	bool is_negated;                /* `!` */
	struct str argument;
};

/* Takes the signs off the front of a value. */
void condition_signs(struct condition *c, struct str *value);

/* The whole line; false when it is none. */
bool condition_parse(struct str line, struct condition *c);

/*
 * Conditions of one unit, in their order, or its assertions: all without `|` must be met, and of those with it one.
 * Begin with zeroes; number counts from 1.
 */
struct condition_tally {
	uint32_t first_unmet;           /* 0: none so far */
	uint32_t first_trigger;         /* 0: there is none */
	bool is_triggered;
};
void condition_count(struct condition_tally *t, const struct condition *c, uint32_t number, bool is_met);
uint32_t condition_unmet(const struct condition_tally *t);      /* which was not met: the first, or of triggers the first; 0 */

/* ---- arguments against what the machine says ---- */

enum comparison { COMPARE_NONE, COMPARE_LESS, COMPARE_AT_MOST, COMPARE_EQUAL, COMPARE_NOT, COMPARE_AT_LEAST, COMPARE_MORE };

/* The operator at the front, taken off: < <= = == != <> >= >. COMPARE_NONE: there is none. */
enum comparison condition_operator(struct str *text);
bool condition_holds(enum comparison how, int order);           /* order < 0: the machine's value is the lesser one */

/* "6.1.0-18-amd64" against "6.1": numbers by their value, a tilde before everything (uapi-group.org, version format). */
int version_compare(struct str a, struct str b);

/* Words of the kernel's command line: with `=` the very word, else that word, alone or as the name of a value. */
bool condition_is_in_command_line(struct str command_line, struct str word);

/* "ID=debian VERSION_ID>=12" against one line of os-release(5) each. */
bool condition_is_os(struct str os_release, struct str argument);

/* A way to read the braces of a pattern: "/x.{a,b}" is "/x.a" and "/x.b". False when none has that number: the next may. */
#define BRACE_READINGS 256      /* numbers below it are tried; a pattern with more readings than that is not met by them */
bool condition_brace(struct str pattern, uint32_t n, struct buf *to);

struct virtualization {
	struct str vm, container;       /* as systemd-detect-virt(1) names them; empty: none */
	bool has_private_users;
};
bool condition_is_virtualization(const struct virtualization *v, struct str argument);

/* The bit of a capability, by its name; -1. */
int condition_capability(struct str name);

/*
 * What init/check leaves with: 0 when all is met, else which was not, conditions before assertions. No more can be told,
 * and so no unit may have more of either.
 */
#define CONDITIONS_MAX 99
#define CHECK_ASSERTION 100     /* 100 + number */
#define CHECK_LAST (CHECK_ASSERTION + CONDITIONS_MAX)

/* The line that such a status is about, out of the words of init/check (a blob); empty when it is about none. */
struct str condition_line(struct str words, uint32_t status);
struct str condition_of_unit(struct unitset units, const struct unit *u, uint32_t status);      /* the same, out of its command */

#endif
