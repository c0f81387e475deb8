/*
 * Every directive there is, one row each. The loader reads by it, `oomphctl verify` and the man page speak by it, and
 * the suggestion for a misspelt name comes out of it. A directive that is not in here does not exist.
 */
#ifndef OOMPH_DIRECTIVES_H
#define OOMPH_DIRECTIVES_H

#include "str.h"
#include "unit.h"

enum section { SECTION_UNIT, SECTION_SERVICE, SECTION_INSTALL, SECTION_TIMER, N_SECTION };
extern const char *const section_names[N_SECTION];

enum directive_status {
	HONOURED,
	NOT_YET,        /* systemd has it, oomph does not: said once per unit, without effect; where there is a reading, it is checked */
	NOT_ENFORCED,   /* the same of a restraint: the service works without it, but `risk` */
	HARMLESS,       /* nothing is lost by not acting on it: read over in silence */
};

/* How a value is read. The loader has one function for each, and what it expects is in directive_expects(). */
enum reading {
	READ_NOTHING,
	READ_TEXT,              /* Description= */
	READ_UNITS,             /* `which`: enum link */
	READ_ALIASES,           /* other names of the unit itself */
	READ_MOUNTS,            /* RequiresMountsFor= */
	READ_CONDITION,         /* `which`: enum condition_kind; those that begin with Assert are assertions */
	READ_COMMANDS,          /* `which`: enum exec_list */
	READ_TYPE,              /* Type=: an enumeration with its own ideas about those not there yet */
	READ_ENUM,              /* `which`: enum enumeration; a byte at `at` */
	READ_FLAG,              /* `which`: bit number of enum unit_flags */
	READ_FLAG_INVERTED,
	READ_DELAY,             /* a time in ms at `at` */
	READ_TIMEOUT,           /* the same, 0 means infinity */
	READ_TIMEOUTS,          /* TimeoutSec=: both at once */
	READ_RESTART_SEC,
	READ_RESTART_STEPS,
	READ_RESTART_MAX,
	READ_START_LIMIT,       /* a time in ms at `at`, and the unit has a start limit of its own */
	READ_START_BURST,
	READ_SIGNAL,            /* a byte at `at` */
	READ_EXIT_STATUSES,
	READ_RESTART_STATUSES,  /* `which`: 0 RestartPreventExitStatus=, 1 RestartForceExitStatus= */
	READ_MEMORY,            /* `which`: enum cgroup_knob */
	READ_TASKS,
	READ_WEIGHT,
	READ_QUOTA,
	READ_QUOTA_PERIOD,
	READ_LIMIT,             /* `which`: enum limit_kind */
	READ_SCORE,
	READ_NICE,
	READ_UMASK,
	READ_USER,
	READ_GROUP,
	READ_DIRECTORY,         /* WorkingDirectory= */
	READ_PID_FILE,
	READ_BUS_NAME,
	READ_ACTION,            /* an enum unit_action at `at` */
	READ_FD_STORE,
	READ_NOTIFY_FD,
	READ_ENVIRONMENT,
	READ_ENVIRONMENT_FILE,
	READ_STDIO,             /* `which`: 0, 1, 2 */
	READ_CONTEXT_FLAG,      /* `which`: bit number of enum context_flags */
	READ_CONTEXT_FLAG_INVERTED,
	READ_SWITCH,            /* `which`: enum switch_kind */
	READ_GROUPS,
	READ_CAPABILITIES,      /* a set of them at `at` */
	READ_SECURE_BITS,
	READ_VARIABLES,         /* `which`: VARIABLES_PASSED, VARIABLES_UNSET */
	READ_SEARCH_PATH,
	READ_SANDBOX_PATHS,     /* looked at, for what is wrong in them; nothing is kept */
	READ_FOLDERS,           /* `which`: enum folder_kind */
	READ_FOLDER_MODE,
	READ_PRESERVE,
	READ_BYTE,              /* `which`: the most; a byte at `at` */
	READ_IO_CLASS,
	READ_IO_PRIORITY,
	READ_MASK,              /* `which`: MASK_CPUS, MASK_NODES */
	READ_TIMER_SLACK,
	READ_PERSONALITY,
	READ_COREDUMP_FILTER,
	READ_TTY,
	READ_TTY_SIZE,
	READ_INPUT_TEXT,
	READ_INPUT_DATA,
	READ_LOAD_CREDENTIAL,
	READ_SET_CREDENTIAL,
	READ_CALENDAR,          /* OnCalendar=: these three are looked at, and kept nowhere */
	READ_SPAN,
	READ_BOOLEAN,
	READ_IDENTIFIER,        /* SyslogIdentifier= */
	READ_LOG_LEVEL,         /* an enum log_priority at `at` */
	READ_COUNT,             /* a number at `at` */
	N_READING
};

/* Yes or no, and whether anybody said so: settled at load, nothing of it is left for a launch to see. */
enum switch_kind {
	SWITCH_DYNAMIC_USER, SWITCH_START_ONLY, SWITCH_LOGIN_ENVIRONMENT, SWITCH_DEFAULT_DEPENDENCIES, N_SWITCH
};

enum mask_kind { MASK_CPUS, MASK_NODES, N_MASK };

enum variables_kind { VARIABLES_PASSED, VARIABLES_UNSET };

/* What one unit may say of another. */
enum link {
	LINK_AFTER, LINK_BEFORE, LINK_REQUIRES, LINK_WANTS, LINK_REQUISITE, LINK_BINDS_TO, LINK_PART_OF, LINK_CONFLICTS, LINK_UPHOLDS,
	LINK_ON_FAILURE, LINK_ON_SUCCESS, LINK_RELOADS_TO, LINK_RELOADED_FROM, LINK_STOPS_TO, LINK_STOPPED_FROM, N_LINK
};

/* What comes of it at either end: a directive is a bundle of effects, some of them the other unit's. */
struct link_effects {
	uint32_t here, there;   /* enum edge_kind, at the unit that names and at the one named */
	bool is_needed;         /* without the other one, no start */
};
extern const struct link_effects link_effects[N_LINK];

enum enumeration {
	ENUM_RESTART, ENUM_KILL_MODE, ENUM_OOM_POLICY, ENUM_NOTIFY_ACCESS, ENUM_FAILURE_MODE, ENUM_EXIT_TYPE,
	ENUM_SCHEDULING, ENUM_NUMA_POLICY, ENUM_KEYRING_MODE, N_ENUMERATION
};
struct enumeration_names {
	const char *const *names;
	size_t n;
};
extern const struct enumeration_names enumerations[N_ENUMERATION];

struct directive {
	struct str key;
	uint8_t section, status, reading;
	uint8_t which;
	uint16_t at;            /* offset in struct unit, or with AT_CONTEXT in struct context */
	const char *risk;       /* of what is not enforced: "the service can ..." */
};
#define AT_CONTEXT 0x8000u

/* All rows, for the man page and the tests. */
extern const struct directive directives[];
extern const size_t n_directives;

/* Number of the section, or -1. */
int section_find(struct str name);

/* The row of `key` in `section`; NULL when there is none. */
const struct directive *directive_find(enum section section, struct str key);

/*
 * What the writer of an unknown key may have meant: the same key of another section (then row->section differs), else
 * the nearest name of this one; NULL when nothing is near.
 */
const struct directive *directive_nearest(enum section section, struct str key);

/* The kind of value that belongs there, for "expected ...": "a time such as 5s, 2min or infinity". */
const char *directive_expects(const struct directive *row);

#endif
