#include "syslogmsg.h"

#define REPEATED_MAX 128        /* bytes of a head that each line gets: a tag of 100 kB and as many line feeds are 10 GB */
#define NILVALUE STR("-")       /* RFC 5424: a field that nobody told */

/* ---- in ---- */

/* A PRI that is none stays where it is, for it is the sender's text then. */
static void take_pri(struct str *s, struct syslogmsg *m)
{
	struct str rest = *s;
	uint64_t pri;
	m->facility = SYSLOG_FACILITY_USER;
	m->priority = LOG_PRIORITY_NOTICE;
	if (!str_take(&rest, STR("<")) || !str_digits(&rest, &pri) || s->n - rest.n > 4 || pri >= N_SYSLOG_FACILITY * 8 ||
	    !str_take(&rest, STR(">")))
		return;
	m->facility = (uint8_t)(pri / 8);
	m->priority = (uint8_t)(pri % 8);
	*s = rest;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "Nov  7 04:03:01 ": a letter of the pattern stands for itself, 9 for a digit and 8 for a digit or a blank. */
static bool take_bsd_time(struct str *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", pattern[] = " 89 99:99:99 ";
	if (s->n < 3 + sizeof pattern - 1)
		return false;
	size_t month = str_find(STR("JanFebMarAprMayJunJulAugSepOctNovDec"), str_of(s->p, 3));
	if (month >= sizeof months - 1 || month % 3)
		return false;
	for (size_t i = 0; i < sizeof pattern - 1; i++) {
		char is = s->p[3 + i], wanted = pattern[i];
		if (!(wanted == '9' || wanted == '8' ? is_digit(is) || (wanted == '8' && is == ' ') : is == wanted))
			return false;
	}
	*s = str_skip(*s, 3 + sizeof pattern - 1);
	return true;
}

/* Of RFC 3339, as rsyslog sends it on. */
static bool take_rfc3339(struct str *s)
{
	struct str rest = *s;
	uint64_t time;
	if (!logline_time(&rest, &time) || !str_take(&rest, STR(" ")))
		return false;
	*s = rest;
	return true;
}

static void take_pid(struct str *tag, struct str *pid)
{
	size_t open = str_chr(*tag, '[');
	if (open == 0 || open + 2 >= tag->n || !str_ends(*tag, STR("]")))
		return;
	*pid = str_of(tag->p + open + 1, tag->n - open - 2);
	tag->n = open;
}

/* "tag: " and "tag[pid]: "; the blank may be missing where the text ends or a line does. */
static bool take_tag(struct str *s, struct syslogmsg *m)
{
	size_t n = 0;
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\n' && s->p[n] != '\t')
		n++;
	if (n < 2 || s->p[n - 1] != ':')
		return false;
	m->tag = str_of(s->p, n - 1);
	take_pid(&m->tag, &m->pid);
	*s = str_skip(*s, n);
	str_take(s, STR(" "));
	return true;
}

static bool is_host(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!is_digit(word.p[i]) && !(word.p[i] >= 'a' && word.p[i] <= 'z') && !(word.p[i] >= 'A' && word.p[i] <= 'Z') &&
		    str_chr(STR(".-_:"), word.p[i]) == 4)
			return false;
	return word.n > 0;
}

/* A word in front of the tag is a host, or the first of a tag with a blank in it: either way both go in front of the text. */
static bool take_host_and_tag(struct str *s, struct syslogmsg *m)
{
	struct str rest = *s, host = str_until(&rest, ' ');
	if (!is_host(host) || !take_tag(&rest, m))
		return false;
	m->host = host;
	*s = rest;
	return true;
}

static void take_bsd(struct str s, struct syslogmsg *m)
{
	struct str whole = s;
	bool is_bsd = take_bsd_time(&s);
	m->is_dated = is_bsd || take_rfc3339(&s);
	bool has_tag = take_tag(&s, m) || (m->is_dated && take_host_and_tag(&s, m));
	/* Many a program's own lines begin with such a time: only a tag makes a head of it. */
	if (!has_tag && !is_bsd) {
		m->is_dated = false;
		s = whole;
	}
	m->text = s;
}

/* A field of RFC 5424's head: printable, and a blank behind it. */
static bool take_field(struct str *s, struct str *field)
{
	size_t n = str_chr(*s, ' ');
	if (n == 0 || n == s->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s->p[i] <= ' ' || s->p[i] > '~')
			return false;
	*field = str_of(s->p, n);
	if (str_eq(*field, NILVALUE))
		*field = STR("");
	*s = str_skip(*s, n + 1);
	return true;
}

/* One element, [id name="value" ...], by its quotes: in a value a backslash covers `"`, `\` and `]` (6.3.3). 0: it has no end. */
static size_t element_size(struct str s)
{
	bool is_quoted = false;
	for (size_t i = 1; i < s.n; i++) {
		if (is_quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && s.p[i] == ']')
			return i + 1;
	}
	return 0;
}

/*
 * Names without an @ are IANA's, and say how the message travelled (timeQuality, origin, meta: section 7), which on this machine is
 * no news. From the first that is the sender's own all are kept.
 */
static bool take_data(struct str *s, struct syslogmsg *m)
{
	struct str all = *s;
	size_t kept_from = SIZE_MAX, at = 0, n;
	if (str_take(s, NILVALUE))
		return true;
	for (; at < all.n && all.p[at] == '['; at += n) {
		n = element_size(str_skip(all, at));
		if (n == 0)
			return false;
		struct str element = str_of(all.p + at + 1, n - 2), id = str_until(&element, ' ');
		if (kept_from == SIZE_MAX && str_chr(id, '@') < id.n)
			kept_from = at;
	}
	*s = str_skip(all, at);
	if (kept_from != SIZE_MAX)
		m->data = str_of(all.p + kept_from, at - kept_from);
	return at > 0;
}

/* False, and *m as it was, when it is not RFC 5424 to the letter: then RFC 3164 has its turn. */
static bool take_5424(struct str s, struct syslogmsg *m)
{
	struct syslogmsg new = *m;
	struct str time;
	uint64_t us;
	if (!str_take(&s, STR("1 ")) || !take_field(&s, &time) || (time.n && (!logline_time(&time, &us) || time.n)) ||
	    !take_field(&s, &new.host) || !take_field(&s, &new.tag) || !take_field(&s, &new.pid) || !take_field(&s, &new.id) ||
	    !take_data(&s, &new) || (s.n && !str_take(&s, STR(" "))))
		return false;
	str_take(&s, STR("\xef\xbb\xbf"));
	new.is_dated = true;
	new.text = s;
	*m = new;
	return true;
}

struct str syslogmsg_trim(struct str text)
{
	while (text.n && (text.p[text.n - 1] == '\0' || text.p[text.n - 1] == '\n'))
		text.n--;
	return text;
}

void syslogmsg_parse(struct str message, struct syslogmsg *m)
{
	*m = (struct syslogmsg){ 0 };
	message = syslogmsg_trim(message);
	take_pri(&message, m);
	if (!take_5424(message, m))
		take_bsd(message, m);
}

void syslogmsg_put_origin(struct buf *to, const struct syslogmsg *m, struct str own_host, uint32_t pid, bool is_first)
{
	uint64_t told;
	size_t from = to->n;
	if (!is_first && (!m->is_dated || m->host.n + m->tag.n + m->pid.n > REPEATED_MAX))
		return;
	if (m->host.n && !str_eq(m->host, own_host)) {
		buf_str(to, m->host);
		buf_char(to, ' ');
	}
	if (m->tag.n) {
		buf_str(to, m->tag);
		if (m->pid.n && (!str_u64(m->pid, &told) || told != pid)) {
			buf_char(to, '[');
			buf_str(to, m->pid);
			buf_char(to, ']');
		}
		buf_lit(to, ": ");
	}
	const struct str more[] = { m->id, m->data };
	for (size_t i = 0; i < countof(more) && is_first; i++)
		if (more[i].n) {
			buf_str(to, more[i]);
			buf_char(to, ' ');
		}
	for (size_t i = from; i < to->n; i++)
		if (to->p[i] == '\n')
			to->p[i] = ' ';
}

bool syslogmsg_take_tag(struct str *text, struct str *tag)
{
	struct syslogmsg m = { 0 };
	struct str rest = *text;
	if (!take_tag(&rest, &m) || m.pid.n)
		return false;
	*tag = m.tag;
	*text = rest;
	return true;
}

/* ---- out ---- */

static void put_field(struct buf *to, struct str field, size_t most)
{
	if (field.n > most)
		field.n = most;
	for (size_t i = 0; i < field.n; i++)
		buf_char(to, field.p[i] > ' ' && field.p[i] <= '~' ? field.p[i] : '_');
	if (field.n == 0)
		buf_str(to, NILVALUE);
	buf_char(to, ' ');
}

void syslogmsg_put(struct buf *to, const struct syslog_outgoing *m)
{
	char number[10];
	struct buf pid = BUF(number);
	if (m->pid)
		buf_u64(&pid, m->pid);
	buf_char(to, '<');
	buf_u64(to, m->facility * 8u + m->priority);
	buf_lit(to, ">1 ");
	logline_put_time(to, m->time_us);
	buf_char(to, ' ');
	/* The lengths of section 6. */
	put_field(to, m->host, 255);
	put_field(to, m->app, 48);
	put_field(to, buf_view(&pid), 128);
	put_field(to, m->id, 32);
	buf_str(to, NILVALUE);
	buf_char(to, ' ');
	buf_str(to, m->text);
}

void syslogmsg_put_frame(struct buf *to, size_t n_message)
{
	buf_u64(to, n_message);
	buf_char(to, ' ');
}
