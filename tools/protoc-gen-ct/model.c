/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include "names.h"
#include "options.h"
#include "source.h"

#include "base/bytes.h"

#include <string.h>

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__ServiceDescriptorProto service_proto;
typedef Google__Protobuf__MethodDescriptorProto method_proto;

/* In a run, in a file, in a service. */
enum { FILES_MAX = 10000, SERVICES_MAX = 1000, METHODS_MAX = 1000 };

static bool is_type_name(const char *s)
{
	return s != NULL && s[0] == '.' && gen_is_dotted_identifier(s + 1);
}

static void build_method(struct gen *g, const struct gen_service *service, const method_proto *p,
			 struct gen_method *m)
{
	if (p->name == NULL || !gen_is_identifier(p->name) || !is_type_name(p->input_type) ||
	    !is_type_name(p->output_type)) {
		gen_error(g, m->where, "%s: an rpc without a proper name or types",
			  service->full_name);
		return;
	}
	m->name = p->name;
	m->c_name = gen_snake_case(g, p->name);
	m->stub = gen_strf(g, "%s_%s", service->prefix, m->c_name);
	m->full_name = gen_strf(g, "%s/%s", service->full_name, p->name);
	m->hash = ct_fnv1a32(ct_bytes_of_str(m->full_name));
	m->req_type = gen_message_type(g, p->input_type);
	m->req_desc = gen_message_descriptor(g, p->input_type);
	m->resp_type = gen_message_type(g, p->output_type);
	m->resp_desc = gen_message_descriptor(g, p->output_type);
	m->streaming = p->client_streaming || p->server_streaming;
	gen_options_read(g, p->options, m);
}

/* Errors that matter only where code is generated: an imported service that
 * streams is nobody's business. */
static void check_generated(struct gen *g, const struct gen_service *s)
{
	if (s->methods_n == 0)
		gen_error(g, s->where, "%s has no rpc: give it one or remove it", s->full_name);
	if (gen_is_reserved_prefix(s->prefix))
		gen_error(g, s->where,
			  "%s: its functions would begin with %s_, which is taken by "
			  "the runtime or its libraries",
			  s->full_name, s->prefix);
	for (size_t i = 0; i < s->methods_n; i++) {
		const struct gen_method *m = &s->methods[i];

		if (m->name == NULL)
			continue;
		if (m->streaming)
			gen_error(g, m->where,
				  "%s streams: a call here is one request and one "
				  "response; use pages or a long poll",
				  m->full_name);
		if (gen_is_c_keyword(m->c_name))
			gen_error(g, m->where,
				  "%s: its handler would be named '%s', a word of "
				  "the C language",
				  m->full_name, m->c_name);
	}
}

static void build_service(struct gen *g, const struct gen_file *file, size_t index,
			  struct gen_service *s)
{
	const service_proto *p = file->proto->service[index];
	const char *package = file->proto->package;
	struct gen_path path = { .at = { GEN_PATH_SERVICE, (int32_t)index }, .n = 2 };

	s->where = gen_source_where(g, file->proto, &path);
	s->comment = gen_source_comment(file->proto, &path);
	if (p->name == NULL || !gen_is_identifier(p->name)) {
		gen_error(g, s->where, "a service without a proper name");
		return;
	}
	s->name = p->name;
	s->full_name = package != NULL && package[0] != '\0'
			       ? gen_strf(g, "%s.%s", package, p->name)
			       : p->name;
	s->prefix = gen_service_prefix(g, p->name);
	if (p->n_method > METHODS_MAX) {
		gen_error(g, s->where, "%s has more than %d rpcs", s->full_name, METHODS_MAX);
		return;
	}
	s->methods_n = p->n_method;
	s->methods = gen_alloc(g, p->n_method, sizeof(*s->methods));
	for (size_t i = 0; i < p->n_method; i++) {
		struct gen_method *m = &s->methods[i];

		path = (struct gen_path){ .at = { GEN_PATH_SERVICE, (int32_t)index, GEN_PATH_METHOD,
						  (int32_t)i },
					  .n = 4 };
		m->where = gen_source_where(g, file->proto, &path);
		m->comment = gen_source_comment(file->proto, &path);
		build_method(g, s, p->method[i], m);
	}
	if (file->wanted)
		check_generated(g, s);
}

static void build_file(struct gen *g, const file_proto *p, struct gen_file *f)
{
	if (p->name == NULL || !gen_is_proto_path(p->name)) {
		gen_error(g, "protoc", "a file's name is not a plain relative path to a .proto");
		return;
	}
	f->proto = p;
	f->path = p->name;
	f->stem = gen_strf(g, "%.*s", (int)(strlen(p->name) - strlen(".proto")), p->name);
	if (p->package != NULL && p->package[0] != '\0' && !gen_is_dotted_identifier(p->package)) {
		gen_error(g, p->name, "the package's name is not dotted words");
		return;
	}
	if (gen_options_have_c_package(p->options))
		gen_error(g, p->name, "protoc-c's option c_package is not supported");
	if (p->n_service > SERVICES_MAX) {
		gen_error(g, p->name, "more than %d services in one file", SERVICES_MAX);
		return;
	}
	f->services_n = p->n_service;
	f->services = gen_alloc(g, p->n_service, sizeof(*f->services));
	for (size_t i = 0; i < p->n_service; i++)
		build_service(g, f, i, &f->services[i]);
}

static bool is_wanted(const Google__Protobuf__Compiler__CodeGeneratorRequest *req, const char *name)
{
	for (size_t i = 0; i < req->n_file_to_generate && name != NULL; i++) {
		if (strcmp(req->file_to_generate[i], name) == 0)
			return true;
	}
	return false;
}

void gen_model_build(struct gen *g, const Google__Protobuf__Compiler__CodeGeneratorRequest *req,
		     struct gen_model *ret_model)
{
	struct gen_model m = { .files_n = req->n_proto_file };
	size_t wanted_n = 0;

	*ret_model = (struct gen_model){ .files = NULL };
	if (req->n_proto_file > FILES_MAX || req->n_file_to_generate > FILES_MAX) {
		gen_error(g, "protoc", "more than %d files in one run", FILES_MAX);
		return;
	}
	m.files = gen_alloc(g, m.files_n, sizeof(*m.files));
	for (size_t i = 0; i < m.files_n; i++) {
		m.files[i].wanted = is_wanted(req, req->proto_file[i]->name);
		wanted_n += m.files[i].wanted;
		build_file(g, req->proto_file[i], &m.files[i]);
	}
	if (wanted_n != req->n_file_to_generate)
		gen_error(g, "protoc", "the request names %zu files and describes %zu of them",
			  req->n_file_to_generate, wanted_n);
	*ret_model = m;
}
