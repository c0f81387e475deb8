/*
 * The words of one launch: argv and envp as execve(2) takes them. Built by the forked child, on its stack, because an
 * EnvironmentFile= and the values behind $VAR may differ from one launch to the next.
 *
 * Texts handed in NUL-terminated (of the unit set) are pointed at, not copied, so they must outlive the execve; what
 * has to be made up is written into `bytes`. When words or bytes run out, is_full stays set, nothing more is written,
 * and the launch must fail with E2BIG: never exec half a command line.
 */
#ifndef OOMPH_EXPAND_H
#define OOMPH_EXPAND_H

#include "limits.h"
#include "str.h"

struct launch_words {
	uint32_t n_argv, n_envp;
	size_t n_bytes;
	bool is_full;
	char *argv[LAUNCH_WORDS_MAX + 1];       /* both end with NULL at any moment */
	char *envp[LAUNCH_WORDS_MAX + 1];
	char bytes[LAUNCH_BYTES_MAX];
};

void launch_begin(struct launch_words *w);

/* NAME=VALUE, with its NUL in place behind it. Takes the place of an earlier one of that name; without `=` ignored. */
void launch_setenv(struct launch_words *w, struct str assignment);

/* launch_setenv() of every word of a blob. */
void launch_environment(struct launch_words *w, struct str blob);

/* NAME=VALUE of its parts, copied. */
void launch_setenv_text(struct launch_words *w, struct str name, struct str value);
void launch_setenv_number(struct launch_words *w, struct str name, uint64_t value);

/* PassEnvironment=: of these names, a blob, those that `environment` (as of environ(7)) has. */
void launch_pass(struct launch_words *w, struct str names, char *const *environment);

/* UnsetEnvironment=: NAME goes whatever its value, NAME=VALUE if it has that one. Of a blob of them. */
void launch_unset(struct launch_words *w, struct str words);

/*
 * The whole of an EnvironmentFile=, systemd.exec(5): its variables override those so far. Lines that are not
 * understood, names that no shell would take and values with a NUL are left out. The contents are copied.
 */
void launch_env_file(struct launch_words *w, struct str contents);

/* The value of a variable so far; NULL when unset. */
const char *launch_getenv(const struct launch_words *w, struct str name);

/*
 * Appends the words of a command, expanded with the environment so far (systemd.service(5), COMMAND LINES): a word that
 * begins with $ is a variable's name as a whole and becomes as many words as its value has; ${NAME} anywhere becomes
 * that value within its word; $$ is a dollar. argv[0] is such a word too, so argv may remain empty. Without is_expanded
 * the words are taken as they stand.
 */
void launch_argv(struct launch_words *w, struct str argv_blob, bool is_expanded);

#endif
