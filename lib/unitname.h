/*
 * Names of units, systemd.unit(5): PREFIX[@[INSTANCE]].TYPE. How they come apart, and how other text is made fit for one.
 */
#ifndef OOMPH_UNITNAME_H
#define OOMPH_UNITNAME_H

#include "str.h"

/* With a known suffix: letters, digits and ":-_.\@", at most UNIT_NAME_MAX bytes. */
bool unitname_is_valid(struct str name);

struct unitname {
	struct str stem;                /* all before the suffix */
	struct str prefix;              /* all before the @ */
	struct str instance;            /* all between the @ and the suffix; empty for a template and where there is no @ */
	struct str suffix;              /* with its dot: ".service" */
	bool has_at;
};
struct unitname unitname_parts(struct str name);

bool unitname_is_template(struct str name);     /* "getty@.service" */
bool unitname_is_instance(struct str name);     /* "getty@tty1.service" */

/* Its type (enum unit_type_name of names.h), by the suffix; -1 when it has none that is known. */
int unitname_type(struct str name);

/*
 * Text into what a name can hold and back: "/" and "-" change places with "-" and "\x2d", other bytes become \xHH. The
 * path form drops the slashes at both ends, and is "-" for the root; it takes paths that value_is_path() takes.
 */
void unitname_escape(struct str text, struct buf *to);
void unitname_escape_path(struct str path, struct buf *to);
void unitname_unescape(struct str name, struct buf *to);

#endif
