/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of calls and replies: what may travel, how much of it, and who says no. */
#include "tests/component/ask_scene.h"

#include "base/check.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/raw.h"

#include "ct/v1/meta.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(rpc_metadata, .fini = leak_check, .timeout = 60);

enum { KEYS_MAX = 8, BYTES_MAX = 2048 };
#define PATIENT_US (PATIENT_MS * UINT64_C(1000))

typedef Hall__V1__Ask__PutEntry put_entry;
typedef Ct__V1__CallMeta__MetadataEntry call_entry;
typedef Ct__V1__ReplyMeta__MetadataEntry reply_entry;

static struct ct_metadata text(const char *key, const char *value)
{
	return (struct ct_metadata){ key, ct_bytes_of_str(value) };
}

static void expect_given(const struct scene *s, const char *key, const char *value)
{
	struct ct_bytes got;

	cr_assert(ct_reply_metadata(&s->a.reply, key, &got), "no '%s'", key);
	cr_assert_eq(got.len, strlen(value));
	cr_assert(got.len == 0 || memcmp(got.ptr, value, got.len) == 0);
}

static void expect_none(const struct scene *s, const char *key)
{
	struct ct_bytes got;

	cr_assert_not(ct_reply_metadata(&s->a.reply, key, &got), "'%s' is there", key);
}

/* ---- of a call ----------------------------------------------------------------------- */

Test(rpc_metadata, handler_reads_a_key_and_gives_it_back)
{
	struct ct_metadata md[] = { text("site", "701"), text("site-2", ""), text("k", "first"),
				    text("k", "last") };
	char *keys[] = { "site", "site-2", "k", "none" };
	struct scene s;

	set_up(&s, NULL);
	s.a.opts.metadata = md;
	s.a.opts.metadata_n = CT_ARRAY_N(md);
	s.a.req.give_back = keys;
	s.a.req.n_give_back = CT_ARRAY_N(keys);

	cr_assert_eq(tell(&s), CT_OK, "%s", s.a.reply.message);

	expect_given(&s, "site", "701");
	expect_given(&s, "site-2", "");
	expect_given(&s, "k", "last");
	expect_none(&s, "none");
	tear_down(&s);
}

Test(rpc_metadata, what_breaks_a_rule_ends_the_call_here_and_says_which)
{
	static const struct ct_metadata bad[] = {
		{ "Site", { (const uint8_t *)"1", 1 } },
		{ "", { (const uint8_t *)"1", 1 } },
		{ "site", { (const uint8_t *)"a\nb", 3 } },
		{ "ct-deadline", { (const uint8_t *)"1", 1 } },
	};
	static const char *const why[] = { "a-z", "a-z", "printable", "ct-" };
	struct scene s;

	set_up(&s, NULL);
	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		const struct ct_metadata md[] = { text("good", "1"), bad[i] };
		struct ask a;

		ask_init(&a, PATIENT_MS);
		a.opts.metadata = md;
		a.opts.metadata_n = CT_ARRAY_N(md);

		cr_assert_eq(ask_now(&a, s.c, &hall_tell_method), CT_INTERNAL);

		cr_assert_not_null(strstr(a.reply.message, why[i]), "%s", a.reply.message);
		cr_assert(a.reply.not_processed);
		cr_assert_eq(a.reply.attempts, 0);
		ask_fini(&a);
	}
	cr_assert_eq(hall_stats(&s.h).calls.received, 0);
	tear_down(&s);
}

Test(rpc_metadata, too_much_ends_the_call_here_and_says_so)
{
	static uint8_t value[CT_WIRE_META_BYTES_MAX];
	const struct ct_metadata large[] = { { "large-bin", { value, sizeof(value) } } };
	static struct ct_metadata many[CT_WIRE_META_BYTES_MAX];
	struct scene s;

	set_up(&s, NULL);
	s.a.opts.metadata = large;
	s.a.opts.metadata_n = 1;
	cr_assert_eq(tell(&s), CT_RESOURCE_EXHAUSTED);
	cr_assert_not_null(strstr(s.a.reply.message, "over 8192 bytes"), "%s", s.a.reply.message);
	ask_fini(&s.a);

	for (size_t i = 0; i < CT_ARRAY_N(many); i++)
		many[i] = text("k", "");
	ask_init(&s.a, PATIENT_MS);
	s.a.opts.metadata = many;
	s.a.opts.metadata_n = CT_ARRAY_N(many);
	cr_assert_eq(tell(&s), CT_RESOURCE_EXHAUSTED);
	cr_assert_not_null(strstr(s.a.reply.message, "over 8192 bytes"), "%s", s.a.reply.message);

	cr_assert_eq(s.a.reply.attempts, 0);
	cr_assert_eq(hall_stats(&s.h).calls.received, 0);
	tear_down(&s);
}

/* A CALL of Tell with one entry, by hand; the status and message of its answer. */
static ct_status tell_raw(struct raw *r, uint32_t id, const char *key, struct ct_bytes value,
			  char *ret_message, size_t size)
{
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, PATIENT_US);
	Ct__V1__CallMeta meta = CT__V1__CALL_META__INIT;
	call_entry e = CT__V1__CALL_META__METADATA_ENTRY__INIT, *list[] = { &e };
	Ct__V1__ReplyMeta *told;
	uint8_t packed[512];
	struct raw_msg m;

	e.key = (char *)(uintptr_t)key;
	e.value = (ProtobufCBinaryData){ value.len, (uint8_t *)(uintptr_t)value.ptr };
	meta.metadata = list;
	meta.n_metadata = 1;
	cr_assert(raw_send(r, id, &h, ct_bytes_of(packed, ct__v1__call_meta__pack(&meta, packed)),
			   CT_BYTES_NONE));
	cr_assert(raw_receive(r, &m));
	cr_assert_eq(m.h.flags & CT_WIRE_NOT_PROCESSED, 0);
	told = ct__v1__reply_meta__unpack(NULL, m.meta.len, m.meta.ptr);
	cr_assert_not_null(told);
	(void)snprintf(ret_message, size, "%s", told->message);
	ct__v1__reply_meta__free_unpacked(told, NULL);
	return ct_status_from_wire(m.h.code);
}

Test(rpc_metadata, server_answers_for_the_handler_when_a_call_breaks_a_rule)
{
	const struct ct_bytes line = ct_bytes_of_str("a\nb"), plain = ct_bytes_of_str("ab");
	char why[128];
	struct scene s;
	struct raw r;

	set_up(&s, NULL);
	r = raw_join(hall_url(&s.h));

	cr_assert_eq(tell_raw(&r, 1, "key", line, why, sizeof(why)), CT_INTERNAL);
	cr_assert_not_null(strstr(why, "printable"), "%s", why);
	cr_assert_eq(tell_raw(&r, 2, "Key", plain, why, sizeof(why)), CT_INTERNAL);
	cr_assert_eq(tell_raw(&r, 3, "", plain, why, sizeof(why)), CT_INTERNAL);
	cr_assert_eq(hall_get(&s.h, &s.h.entered), 0, "no handler may see them");
	cr_assert_eq(hall_stats(&s.h).bad_metadata, 3);
	cr_assert_eq(hall_stats(&s.h).calls.app_error, 3);

	/* the connection lives, binary values and the runtime's own keys pass */
	cr_assert_eq(tell_raw(&r, 4, "key-bin", line, why, sizeof(why)), CT_OK);
	cr_assert_eq(tell_raw(&r, 5, "ct-newer", plain, why, sizeof(why)), CT_OK);
	raw_close(&r);
	tear_down(&s);
}

/* ---- of a reply ---------------------------------------------------------------------- */

static void put(struct scene *s, put_entry *entries, put_entry **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		list[i] = &entries[i];
	s->a.req.put = list;
	s->a.req.n_put = n;
}

static put_entry entry(const char *key, const uint8_t *value, size_t len)
{
	put_entry e = HALL__V1__ASK__PUT_ENTRY__INIT;

	e.key = (char *)(uintptr_t)key;
	e.value = (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)value };
	return e;
}

Test(rpc_metadata, reply_carries_so_many_keys_and_no_more)
{
	static const uint8_t v[] = "value";
	static char names[KEYS_MAX + 1][4];
	put_entry entries[KEYS_MAX + 2], *list[KEYS_MAX + 2];
	const uint32_t *codes;
	struct scene s;

	set_up(&s, NULL);
	for (unsigned i = 0; i <= KEYS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "k%u", i);
		entries[i] = entry(names[i], v, sizeof(v) - 1);
	}
	entries[KEYS_MAX + 1] = entry("k0", v, 2); /* again: replaces, and has its place */
	put(&s, entries, list, CT_ARRAY_N(list));

	cr_assert_eq(tell(&s), CT_OK);

	codes = ask_answer(&s.a)->put_codes;
	for (unsigned i = 0; i < KEYS_MAX; i++)
		cr_assert_eq(codes[i], CT_OK);
	cr_assert_eq(codes[KEYS_MAX], CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(codes[KEYS_MAX + 1], CT_OK);
	expect_given(&s, "k0", "va");
	expect_given(&s, "k7", "value");
	expect_none(&s, "k8");
	tear_down(&s);
}

Test(rpc_metadata, reply_carries_so_many_bytes_and_no_more)
{
	static uint8_t value[BYTES_MAX];
	put_entry entries[] = {
		entry("a-bin", value, BYTES_MAX - 4), /* one byte over, with its key */
		entry("a-bin", value, BYTES_MAX - 5),
		entry("b", value, 0),
		entry("a-bin", value, BYTES_MAX - 6), /* gives a byte back */
		entry("b", value, 0),
	};
	static const ct_status want[] = { CT_RESOURCE_EXHAUSTED, CT_OK, CT_RESOURCE_EXHAUSTED,
					  CT_OK, CT_OK };
	put_entry *list[CT_ARRAY_N(entries)];
	struct ct_bytes got;
	struct scene s;

	set_up(&s, NULL);
	put(&s, entries, list, CT_ARRAY_N(list));

	cr_assert_eq(tell(&s), CT_OK);

	for (size_t i = 0; i < CT_ARRAY_N(want); i++)
		cr_assert_eq(ask_answer(&s.a)->put_codes[i], want[i], "%zu", i);
	cr_assert(ct_reply_metadata(&s.a.reply, "a-bin", &got));
	cr_assert_eq(got.len, BYTES_MAX - 6);
	expect_given(&s, "b", "");
	tear_down(&s);
}

Test(rpc_metadata, reply_is_kept_from_breaking_the_rules)
{
	static const uint8_t line[] = "a\nb";
	put_entry entries[] = { entry("Key", line, 1), entry("key", line, 3),
				entry("ct-x", line, 1), entry("good", line, 1) };
	put_entry *list[CT_ARRAY_N(entries)];
	struct scene s;

	set_up(&s, NULL);
	put(&s, entries, list, CT_ARRAY_N(list));

	cr_assert_eq(tell(&s), CT_OK);

	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(ask_answer(&s.a)->put_codes[i], CT_INTERNAL, "%zu", i);
	cr_assert_eq(ct_reply_meta(&s.a.reply)->n_metadata, 1);
	expect_given(&s, "good", "a");
	tear_down(&s);
}

Test(rpc_metadata, error_carries_metadata_beside_its_details)
{
	static uint8_t detail[4000];
	struct ct_metadata md[] = { text("upload-id", "17") };
	char *keys[] = { "upload-id" };
	struct scene s;

	set_up(&s, NULL);
	s.a.opts.metadata = md;
	s.a.opts.metadata_n = 1;
	s.a.req.give_back = keys;
	s.a.req.n_give_back = 1;
	s.a.req.code = CT_FAILED_PRECONDITION;
	s.a.req.details = 1;
	s.a.req.payload = (ProtobufCBinaryData){ sizeof(detail), detail };

	cr_assert_eq(tell(&s), CT_FAILED_PRECONDITION);

	expect_given(&s, "upload-id", "17");
	cr_assert_eq(ct_reply_meta(&s.a.reply)->n_details, 1);
	tear_down(&s);
}

/* A reply by hand, with one entry that breaks a rule between two that do not. */
static struct ct_bytes strange_meta(uint8_t *out)
{
	static const char *const keys[] = { "first", "Second", "third" };
	reply_entry entries[CT_ARRAY_N(keys)], *list[CT_ARRAY_N(keys)];
	Ct__V1__ReplyMeta meta = CT__V1__REPLY_META__INIT;

	for (size_t i = 0; i < CT_ARRAY_N(keys); i++) {
		ct__v1__reply_meta__metadata_entry__init(&entries[i]);
		entries[i].key = (char *)(uintptr_t)keys[i];
		entries[i].value = (ProtobufCBinaryData){ 1, (uint8_t *)(uintptr_t) "v" };
		list[i] = &entries[i];
	}
	meta.metadata = list;
	meta.n_metadata = CT_ARRAY_N(keys);
	return ct_bytes_of(out, ct__v1__reply_meta__pack(&meta, out));
}

Test(rpc_metadata, client_takes_a_reply_without_what_breaks_a_rule)
{
	struct ct_wire_header h;
	struct ct_client *c;
	struct raw listener, r;
	uint8_t meta[256];
	struct raw_msg m;
	struct scene s;
	char url[64];

	set_up(&s, NULL);
	listener = raw_listen(url);
	c = client_with(&(struct ct_client_opts){
		.rt = &s.h.rt, .peer = "raw", .urls = (const char *[]){ url }, .urls_n = 1 });
	r = raw_accept(&listener);
	ask_start(&s.a, c, &hall_tell_method);
	cr_assert(raw_receive(&r, &m));
	h = raw_reply_header(&m.h, CT_OK);
	cr_assert(raw_send(&r, m.id, &h, strange_meta(meta), CT_BYTES_NONE));

	cr_assert(ask_wait(&s.a));
	cr_assert_eq(s.a.reply.status, CT_OK);
	cr_assert_eq(ct_reply_meta(&s.a.reply)->n_metadata, 2);
	expect_given(&s, "first", "v");
	expect_none(&s, "Second");
	expect_given(&s, "third", "v");
	c = ct_client_free(c);
	raw_close(&r);
	raw_close(&listener);
	tear_down(&s);
}

Test(rpc_metadata, call_without_a_reply_has_none)
{
	struct ct_reply r;
	struct ct_bytes got;

	ct_reply_init(&r);
	cr_assert_not(ct_reply_metadata(&r, "key", &got));
	ct_reply_fini(&r);
}
