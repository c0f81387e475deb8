/*
 * oomph-load: unit files to a sealed unit set. It has a heap and may die; PID 1 then keeps the units it has.
 *
 * The phases, as main.c lists them: learn about the machine, scan the folders, find the units (each name that is wanted
 * becomes a file, each file a `struct draft`, which may want more), link the units to one another, write the set.
 */
#ifndef OOMPH_LOAD_H
#define OOMPH_LOAD_H

#include "lib/directives.h"
#include "lib/limits.h"
#include "lib/str.h"
#include "lib/unit.h"
#include "lib/words.h"

/* ---- keep.c: memory that lives as long as the process, seconds ---- */

void *keep(size_t n);                           /* zeroed; the process ends with a line when there is none */
struct buf scratch(size_t cap);                 /* for one word at a time: the next call gives the same memory */

/* ---- list.c: texts and lists in it ---- */

struct str keep_str(struct str s);              /* a copy, with a NUL behind it */
struct buf keep_buf(size_t cap);
struct str keep_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define STR_ARG(s) (int)(s).n, (s).p            /* for "%.*s" */

/* A list that grows. */
struct list {
	void *items;
	uint32_t n, cap;
};
void *list_add(struct list *list, size_t item_size);            /* room for one more, zeroed */
void list_add_str(struct list *list, struct str s);
bool list_has(const struct list *list, struct str s);           /* of struct str */
struct str list_joined(const struct list *list, struct str between);    /* of struct str: as one */
#define LIST_AT(list, type, i) (((type *)(list).items)[i])

/* ---- table.c: names to numbers ---- */

struct table {
	struct table_slot *slots;
	uint32_t n, cap;
};
uint32_t table_find(const struct table *t, struct str name);            /* NO_UNIT when it is not in it */
void table_put(struct table *t, struct str name, uint32_t value);       /* an earlier value of that name goes */

/* ---- host.c: what the machine says ---- */

struct host {
	struct specifiers specifiers;   /* those that are the same for every unit */
	struct str lib_folder;          /* of this program */
	uint64_t memory_bytes;          /* 0: nobody told */
	uint64_t tasks_max;
	struct list locale;             /* of struct str: LANG=... and its kin, locale.conf(5) */
	bool has_vt_console;            /* /dev/console is a virtual terminal */
	bool has_logger;                /* oomph-log is there, and will run: output goes to it that nobody sends elsewhere */
};
void host_learn(struct host *host);
void specifiers_learn(struct specifiers *specifiers);   /* specifiers.c: those that files tell */

/* ---- a unit while it is being read ---- */

struct draft_command {
	struct str path;
	struct list argv;               /* of struct str */
	uint32_t flags;
};

struct draft_link {
	struct str name;                /* of the other unit */
	uint32_t line;                  /* as draft_line() gives it; 0: implicit */
	enum link kind;
	uint32_t other;                 /* its index, NO_UNIT when it is not there */
	bool is_implied;                /* by DefaultDependencies=: given up before what somebody wrote, when a cycle has to be opened */
};

#define FOLDER_MODE_DEFAULT 0755        /* systemd.exec(5) RuntimeDirectoryMode= and the like */

struct draft_folder {
	struct str path, link;          /* absolute; link may be empty */
	enum folder_kind kind;
};

struct draft_credential {
	struct str name, path, value;   /* without a path it is the value that counts */
};

struct draft {
	const struct host *host;
	struct str name, file;
	struct list files;              /* of struct str: that file, then the drop-ins read so far */
	size_t n_bytes;                 /* in all of them */
	struct list aliases;            /* of struct str: its other names */
	struct list install_aliases;    /* of struct str: those it would like to have */
	struct specifiers *specifiers;  /* NULL until the first is asked for */
	size_t n_specified;             /* bytes that specifiers have become */
	struct unit unit;               /* everything that is a number; its spans stay empty until write.c */
	struct context context;         /* likewise */

	struct str pid_file, bus_name;
	struct str description, working_directory, stdio_path[3], log_identifier;
	struct list exec[N_EXEC_LIST];  /* of struct draft_command */
	struct list links;              /* of struct draft_link */
	struct list conditions, assertions;     /* of struct str: lines as init/check takes them */
	struct list environment, environment_files;     /* of struct str */
	struct list limits;             /* of struct limit */
	struct list groups;             /* of uint32_t */
	struct list group_names;        /* of struct str: SupplementaryGroups= */
	struct list pass_environment, unset_environment;        /* of struct str */
	struct list search_path;        /* of struct str */
	struct list folders;            /* of struct draft_folder */
	uint16_t folder_modes[N_FOLDER_KIND];
	struct str tty;                 /* TTYPath= */
	struct list input;              /* of struct str, one behind the other */
	bool has_input, has_output;     /* StandardInput=, StandardOutput= */
	struct list credentials;        /* of struct draft_credential */
	struct mask {
		bool is_set;
		uint64_t bits[MASK_BITS / 64];
	} masks[N_MASK];
	struct list notes;              /* of struct str */
	struct list not_yet;            /* of struct str: directives that have no effect, "Slice= (line 7)" */
	struct list not_enforced;       /* of struct str: those whose want is a risk */

	struct str user, group;
	uint32_t user_line, group_line, groups_line;
	uint32_t n_steps;
	unsigned cpu_share;             /* CPUQuota= in hundredths of a percent; 0: none */
	struct exit_set restart_prevent, restart_force;
	bool has_abort_timeout, has_type;
	bool has_start_timeout, has_restart_sec, has_restart_max, has_start_limit;
	bool wants_home;                /* WorkingDirectory=~ */
	enum { UNSAID, SAID_NO, SAID_YES } switches[N_SWITCH];
	bool is_broken;
	bool has_error;                 /* something in the file is wrong, though the unit may run */
	bool is_masked;                 /* there shall be no unit of that name */
	bool is_checked;                /* for `verify`: every line is told of, on stdout */
	bool is_pulled;                 /* named by other units only, so far */
	uint32_t n_said;                /* remarks so far */

	struct list edges;              /* of struct edge, from link.c */
};

void draft_begin(struct draft *d, const struct host *host, struct str name, struct str file);
void draft_open(struct draft *d, struct str dropin);            /* the lines from here on are of that file */
uint32_t draft_line(const struct draft *d, uint32_t line);      /* ... and know it: a line number and the file's, in one */
#define LINE_BITS 21                                            /* UNIT_FILE_MAX bytes have no more lines */
void draft_link(struct draft *d, struct str name, enum link kind, uint32_t line);

/* ---- say.c: one line for one trouble, on stderr and in the unit's notes ---- */

/*
 * A remark; the unit is none the worse for it. Lines come from draft_line(); 0: of the whole unit. Beyond REMARKS_MAX
 * remarks of one unit nothing more is told.
 */
void note(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The setting is right, and without effect. */
void pass_over(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The setting is honoured in another way than it says. */
void approximate(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The setting is wrong and without effect. */
void complain(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The unit cannot be started. */
void refuse(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* For `verify` alone: what becomes of a line that nothing else is said of. */
void say_line(struct draft *d, uint32_t line, const char *status, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* `text` fit to be shown: control characters as `?`, and not more of it than a line can bear. For this line only. */
struct str shown(struct str text);

/* ---- the files ---- */

/* One that is searched, in the order of precedence. */
struct search_folder {
	struct str path;
	uint64_t device, inode;
	bool is_started;                /* services.d: what is in it is started */
};

/* A file or folder in one of them that may have to do with a unit. */
struct entry {
	struct str name;
	uint32_t folder;
	uint32_t next;                  /* the entry of the same name in a later folder, or NO_UNIT */
	bool is_link;                   /* or may be one */
};

struct alias {
	struct str name;
	uint32_t next;                  /* another one of the same unit, or NO_UNIT */
};

struct load {
	struct host host;
	bool is_vm;
	const char *log;                /* where logs go: "files", "stdout" or "none"; NULL: as it is usual */
	const char *control;            /* PID 1's control socket; NULL for the usual one */
	struct list started;            /* of struct str: the folders given */
	const char *search_path;        /* of others, with colons between; NULL for the usual ones */
	struct list folders;            /* of struct search_folder */
	struct list entries;            /* of struct entry */
	struct table entry_of;          /* a name to its first entry */
	struct list aliases;            /* of struct alias */
	struct table alias_of;          /* a unit's own name to the first of its aliases */
	struct list listings;           /* of struct list of struct str: what is in the folders of units */
	struct table listing_of;        /* a path to one of them */
	struct table instances;         /* a template to the number of its instances that were pulled in */
	struct list drafts;             /* of struct draft, sorted by name once find is done */
	struct table unit_of;           /* every name of a unit to its draft, until they are sorted */
	struct list notes;              /* of struct str: lines that belong to no unit */
	uint32_t n_left_out;            /* units beyond UNITS_MAX */
};
void note_set(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));

void scan_folders(struct load *load);                   /* scan.c: what is in the folders given and on the search path */
void scan_folder_add(struct load *load, struct str path, bool is_started);
const char *scan_refusal(struct str name);              /* why a file of that name is no unit here, or NULL */
struct str entry_path(const struct load *load, const struct entry *e);

void find_units(struct load *load);                     /* find.c: a draft for every unit there is, read */
/* The draft of that name, added when this is its first mention; NO_UNIT when there is none. */
uint32_t find_unit(struct load *load, struct str name, bool is_pulled);
void find_name(struct load *load, uint32_t unit, struct str alias);     /* one more name for it */
bool find_has_file(const struct load *load, struct str name);           /* of whatever type */
struct str template_of(struct str name);
struct str instance_for(const struct draft *d, struct str name);

void draft_read(struct load *load, struct draft *d);    /* file.c: its file and all that stands beside it */
void file_read_dropin(struct draft *d, struct str path);
void dropins_read(struct load *load, struct draft *d);  /* dropin.c */
void links_read(struct load *load, struct draft *d);
void read_lines(struct draft *d, struct str text);       /* read.c: into the draft; text is written to */
void tell_without_effect(struct draft *d);

void builtin_add(struct load *load);                    /* builtin.c: drafts for those that nobody's file replaces */
void builtin_come_first(struct load *load);
void builtin_read(const struct load *load, struct draft *d);    /* what its file would hold */
bool builtin_is_logger(struct str name);

/* verify.c: every line of them, or, if they are dumped, what was understood of each. */
int verify_files(char **files, bool is_dump);
void dump_draft(const struct draft *d);                 /* dump.c: to stdout, as a unit file */
void calendars_tell(int64_t after_us, char **texts);    /* settings_timer.c: how they are read, and when they elapse */

/* ---- the values ---- */

/* settings.c: acts on one assignment. False: the value is not what the row expects (nothing was said yet). */
bool settings_read(struct draft *d, const struct directive *row, struct str value, uint32_t line);

/* `text` with its specifiers replaced. False when there is one that does not exist: *unknown is its letter. */
bool specify(struct draft *d, struct str text, struct str *result, char *unknown);

/* command.c: Exec lines. */
void commands_read(struct draft *d, const struct directive *row, struct str value, uint32_t line);

/* people.c: accounts, each asked for once, though a thousand units may run as it. NULL, and the number of groups. */
const struct passwd *people_named(struct str name);
uint32_t people_groups(const struct passwd *pw, uint32_t gid, const uint32_t **groups);
/* settings_stdio.c: where output goes that nobody sends anywhere, the terminal to those that want one, and the kind of $TERM. */
void stdio_settle(struct draft *d);
const char *stdio_log_name(uint8_t copies);             /* of what goes to the log, as StandardOutput= takes it */
#define TTY_DEFAULT "/dev/console"      /* systemd.exec(5) TTYPath= */

/* settings_folders.c: $RUNTIME_DIRECTORY, $CREDENTIALS_DIRECTORY and the like, into the environment. */
void folders_tell(struct draft *d);
struct str folder_word(const struct draft_folder *f);   /* as RuntimeDirectory= and the like take it */

/* account.c: User= and Group= into numbers, groups and environment. */
void account_resolve(struct draft *d);

/* settle.c: defaults that depend on other settings, and whether the unit makes sense as a whole. */
void settle(struct draft *d);
void environment_add(struct list *environment, struct str assignment);  /* in the place of an earlier one of that name */

/* target.c: the targets of systemd.special(7) that units name, and what DefaultDependencies= implies. */
bool target_is(struct str name);
bool timer_is(struct str name);                         /* none is run yet, but `verify` reads them */
bool target_is_built_in(struct str name);
struct draft *target_draft(struct load *load, struct str name); /* made where it is built in; NULL: nobody has it */
void imply_dependencies(struct load *load);

/* link.c: dependencies to edges between indices, and no cycle left in their order. The drafts are sorted by then. */
uint32_t draft_place(struct load *load, struct str name, bool *is_there);       /* where it is, or would be */
bool link_needs_what_is_not_run(enum link kind, struct str name);               /* sockets, mounts */
void link_units(struct load *load);

/* write.c: the set into the memfd, sealed. NULL, or what failed. */
const char *write_set(struct load *load, int fd);

#endif
