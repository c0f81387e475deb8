/*
 * The rooms of a child between clone and exec. It may block, it may fail, it may use a large stack: it is not PID 1 any
 * more. A step that fails ends it (child_give_up), one that may be done without is told (child_warn).
 */
#ifndef OOMPH_CHILD_H
#define OOMPH_CHILD_H

#include "pid1.h"

#include "lib/expand.h"

/* ---- child.c ---- */

void child_warn(const struct launch *l, enum launch_step step, int error);
void child_give_up(const struct launch *l, enum launch_step step, int error) __attribute__((noreturn));

/* ---- child_tree.c: of what is in a folder, without readdir(3) and its heap. They return 0 or a negative errno ---- */

int tree_own(int folder, uint32_t uid, uint32_t gid);   /* the folder and all in it, unless the folder already is theirs */
int tree_remove(int in, const char *name);              /* the folder and all in it; whatever is mounted there stays */

/* ---- child_credentials.c ---- */

void child_give_credentials(const struct launch *l);
void child_take_credentials(const struct launch *l);

/* ---- child_folders.c ---- */

void child_make_folders(const struct launch *l);
void child_clean(const struct launch *l) __attribute__((noreturn));     /* EXEC_CLEAN */

/* ---- child_process.c ---- */

void child_set_process(const struct launch *l);
void child_set_keyring(const struct launch *l);

/* ---- child_life.c: what it is told of its service's life, and chores ---- */

void child_tell_life(const struct launch *l, struct launch_words *w);
void child_run_chore(const struct launch *l);           /* returns when there is no such program */

/* ---- child_fds.c ---- */

void child_wait_idle(const struct launch *l);
void child_pass_fds(struct launch *l);
void child_tell_fds(const struct launch *l, struct launch_words *w);

/* ---- child_tty.c ---- */

void child_ready_terminal(const struct launch *l);      /* TTYReset= and the like, before anybody opens it */
int child_open_terminal(const struct launch *l, const char *path, enum stdio_kind kind);        /* and make it ours, where kind says so */

/* ---- child_stdio.c ---- */

void child_set_stdio(const struct launch *l, int fd);   /* 0, 1, 2, in this order */

/* ---- child_words.c ---- */

void child_make_words(const struct launch *l, struct launch_words *w);

/* ---- child_rights.c: what is taken from root, in the order in which it can be ---- */

void child_set_limits(const struct launch *l);
void child_set_user(const struct launch *l);            /* groups, capabilities, user */
void child_seal(const struct launch *l);                /* what has to come behind the change of folder */

#endif
