/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protoc-gen-ct: a protoc plugin. For each .proto with services it writes
 * <file>.ct.h and <file>.ct.c: a constant for each method, typed client stubs
 * and a typed table of handlers (rpc/stub.h is what they stand on).
 *
 * What is wrong with a .proto goes to protoc in the response, with exit status
 * 0, as protoc asks of its plugins; what is wrong around it goes to stderr.
 */
#include "emit.h"
#include "request.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Google__Protobuf__Compiler__CodeGeneratorResponse response;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse__File response_file;

/* Fields do not matter here, optional ones neither. */
static const uint64_t features =
	GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__FEATURE__FEATURE_PROTO3_OPTIONAL;

static const char usage[] =
	"usage: protoc --plugin=protoc-gen-ct=PATH --ct_out=[check:]DIR FILE.proto...\n"
	"\n"
	"A protoc plugin: protoc runs it, with a CodeGeneratorRequest on stdin. Writes\n"
	"FILE.ct.h and FILE.ct.c into DIR for each FILE.proto that has services.\n"
	"With the parameter `check` it writes nothing and only checks that all methods\n"
	"of all files differ in their hash and in their names in C.\n"
	"\n"
	"  --help     print this\n"
	"  --version  print the version\n";

static void add_file(struct gen *g, response *resp, char *name, struct gen_text *text)
{
	response_file *f = gen_alloc(g, 1, sizeof(*f));

	google__protobuf__compiler__code_generator_response__file__init(f);
	f->name = name;
	f->content = gen_strf(g, "%s", text->data);
	gen_text_fini(text);
	resp->file[resp->n_file++] = f;
}

static void emit_all(struct gen *g, const struct gen_model *model, response *resp)
{
	struct gen_text text = { .data = NULL };

	resp->file = gen_alloc(g, 2 * model->files_n, sizeof(response_file *));
	for (size_t i = 0; i < model->files_n; i++) {
		const struct gen_file *file = &model->files[i];

		if (!file->wanted || file->services_n == 0)
			continue;
		gen_emit_header(g, file, &text);
		add_file(g, resp, gen_strf(g, "%s.ct.h", file->stem), &text);
		gen_emit_source(file, &text);
		add_file(g, resp, gen_strf(g, "%s.ct.c", file->stem), &text);
	}
}

static void generate(struct gen *g, const Google__Protobuf__Compiler__CodeGeneratorRequest *req,
		     response *resp)
{
	const char *parameter = req->parameter != NULL ? req->parameter : "";
	struct gen_model model;

	if (parameter[0] != '\0' && strcmp(parameter, "check") != 0)
		gen_error(g, "protoc-gen-ct", "the one parameter is `check`");
	gen_model_build(g, req, &model);
	gen_check_collisions(g, &model);
	if (g->errors_n == 0 && parameter[0] == '\0')
		emit_all(g, &model, resp);
	resp->has_supported_features = true;
	resp->supported_features = features;
}

static ct_status write_response(const response *resp)
{
	const size_t size = protobuf_c_message_get_packed_size(&resp->base);
	uint8_t *data = ct_mem_alloc(size);
	ct_status st = CT_OK;

	if (data == NULL)
		return CT_RESOURCE_EXHAUSTED;
	(void)protobuf_c_message_pack(&resp->base, data); /* returns size again */
	if (fwrite(data, 1, size, stdout) != size || fflush(stdout) != 0)
		st = CT_UNAVAILABLE;
	ct_mem_free(data);
	return st;
}

static int run(void)
{
	Google__Protobuf__Compiler__CodeGeneratorRequest *req = NULL;
	response resp;
	struct gen g;
	const char *why = "";
	ct_status st = gen_request_read(stdin, &req, &why);

	gen_init(&g);
	google__protobuf__compiler__code_generator_response__init(&resp);
	if (st != CT_OK)
		goto out;
	generate(&g, req, &resp);
	if (g.errors_n > 0)
		resp.error = g.errors.data;
	st = write_response(&resp);
	if (st != CT_OK)
		why = "cannot write the response to stdout";
out:
	google__protobuf__compiler__code_generator_request__free_unpacked(req, NULL);
	gen_fini(&g);
	if (st != CT_OK)
		(void)fprintf(stderr, "protoc-gen-ct: %s\n", why);
	return st == CT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return run();
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("protoc-gen-ct %s\n", CT_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	(void)fprintf(stderr, "protoc-gen-ct: unknown argument '%s'\n%s", argv[1], usage);
	return EXIT_FAILURE;
}
