/* A text of anybody's, code point by code point. Its author may mean harm to a terminal, or to who reads it there. */
#ifndef OOMPH_GLYPH_H
#define OOMPH_GLYPH_H

#include "str.h"

struct glyph {
	size_t n;                       /* bytes; 0: the one at the front is no UTF-8 */
	uint32_t code;                  /* the byte itself, where n is 0 */
	bool is_harmless;               /* it can only be seen */
};

struct glyph glyph_at(struct str text);         /* at the front of one that is not empty */

#endif
