/*
 * Names of units, systemd.unit(5): PREFIX[@[INSTANCE]].TYPE. How they come apart, and what text they stand for.
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

/* The text that systemd-escape(1) has made fit for a name: "-" is "/" again, \xHH its byte. */
void unitname_unescape(struct str name, struct buf *to);

#endif
