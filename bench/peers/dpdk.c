/*
 * DPDK's librte_acl over one rule set and one trace, pass by pass as standard input asks, so that passes of another
 * classifier can come in between.
 *
 * usage: dpdk EAL-OPTIONS -- RULES TRACE RESULTS
 *   RULES    per rule ten u32: low and high of source, destination, source port, destination port, protocol
 *   TRACE    per packet 16 bytes: u32 source, u32 destination, u16 ports, u8 protocol, 3 of padding; host order
 *   RESULTS  is written once: per packet u32, the rule's number from 1, 0 for none
 * Says "ready BUILD-MS BYTES", then for each line "ALGORITHM BATCH SECTION" one line: nanoseconds a packet of every SECTION
 * packets, or "no REASON".
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_malloc.h>

enum { FIELDS = 5 };

struct header {
	uint8_t protocol;
	uint8_t pad[3];
	uint32_t source, destination;
	uint16_t source_port, destination_port;
};

struct packet {
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol, pad[3];
};

RTE_ACL_RULE_DEF(five_tuple, FIELDS);

static void die(const char *what) {
	perror(what);
	exit(1);
}

static void *file_read(const char *path, size_t *bytes) {
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END)) die(path);
	*bytes = ftell(file);
	rewind(file);
	void *at = aligned_alloc(64, (*bytes + 63) & ~(size_t)63);
	if (!at || fread(at, 1, *bytes, file) != *bytes) die(path);
	fclose(file);
	return at;
}

static double now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static uint32_t prefix(uint32_t low, uint32_t high) {
	return low == high ? 32 : __builtin_clz(low ^ high);
}

static void rule_fill(struct five_tuple *rule, const uint32_t *range, uint32_t number, uint32_t count) {
	rule->data.category_mask = 1;
	rule->data.priority = count - number;
	rule->data.userdata = number + 1;
	rule->field[0].value.u8 = range[8];
	rule->field[0].mask_range.u8 = range[8] == range[9] ? 0xff : 0;
	for (int i = 0; i < 2; i++) {
		rule->field[1 + i].value.u32 = range[2 * i];
		rule->field[1 + i].mask_range.u32 = prefix(range[2 * i], range[2 * i + 1]);
		rule->field[3 + i].value.u16 = range[4 + 2 * i];
		rule->field[3 + i].mask_range.u16 = range[5 + 2 * i];
	}
}

static const struct rte_acl_field_def fields[FIELDS] = {
	{ RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, offsetof(struct header, protocol) },
	{ RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, offsetof(struct header, source) },
	{ RTE_ACL_FIELD_TYPE_MASK, 4, 2, 2, offsetof(struct header, destination) },
	{ RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 3, offsetof(struct header, source_port) },
	{ RTE_ACL_FIELD_TYPE_RANGE, 2, 4, 3, offsetof(struct header, destination_port) },
};

static struct rte_acl_ctx *build(const uint32_t *ranges, uint32_t count) {
	struct five_tuple *rules = calloc(count, sizeof *rules);
	struct rte_acl_param param = {
		.name = "rules", .socket_id = SOCKET_ID_ANY, .rule_size = RTE_ACL_RULE_SZ(FIELDS), .max_rule_num = count
	};
	struct rte_acl_ctx *context = rte_acl_create(&param);
	if (!rules || !context) die("rte_acl_create");
	for (uint32_t i = 0; i < count; i++) rule_fill(&rules[i], ranges + 10 * i, i, count);
	struct rte_acl_config config = { .num_categories = 1, .num_fields = FIELDS };
	memcpy(config.defs, fields, sizeof fields);
	if (rte_acl_add_rules(context, (struct rte_acl_rule *)rules, count) || rte_acl_build(context, &config))
		die("rte_acl_build");
	free(rules);
	return context;
}

static int algorithm(const char *name) {
	if (!strcmp(name, "scalar")) return RTE_ACL_CLASSIFY_SCALAR;
	if (!strcmp(name, "avx2")) return RTE_ACL_CLASSIFY_AVX2;
	return strcmp(name, "avx512") ? -1 : RTE_ACL_CLASSIFY_AVX512X32;
}

int main(int argc, char **argv) {
	int used = rte_eal_init(argc, argv);
	if (used < 0 || argc - used != 4) die("usage: dpdk EAL-OPTIONS -- RULES TRACE RESULTS");
	argv += used;
	size_t bytes;
	const uint32_t *ranges = file_read(argv[1], &bytes);
	double begun = now_ns();
	struct rte_acl_ctx *context = build(ranges, bytes / 40);
	double built = now_ns() - begun;
	const struct packet *packets = file_read(argv[2], &bytes);
	const uint32_t count = bytes / sizeof *packets;
	struct header *headers = aligned_alloc(64, ((count * sizeof *headers) | 63) + 1);
	const uint8_t **at = malloc(count * sizeof *at);
	uint32_t *results = malloc(count * sizeof *results);
	for (uint32_t i = 0; i < count; i++) {
		const struct packet *p = &packets[i];
		headers[i] = (struct header){ p->protocol, { 0 }, htonl(p->source), htonl(p->destination),
			htons(p->source_port), htons(p->destination_port) };
		at[i] = (const uint8_t *)&headers[i];
	}
	rte_acl_classify(context, at, results, count, 1);
	FILE *out = fopen(argv[3], "wb");
	if (!out || fwrite(results, sizeof *results, count, out) != count || fclose(out)) die(argv[3]);
	struct rte_malloc_socket_stats memory = { 0 };
	rte_malloc_get_socket_stats(0, &memory);
	printf("ready %.3f %zu\n", built / 1e6, memory.heap_allocsz_bytes);
	fflush(stdout);
	char name[16];
	uint32_t batch, section;
	while (scanf("%15s %u %u", name, &batch, &section) == 3) {
		int chosen = algorithm(name);
		if (chosen < 0 || rte_acl_set_ctx_classify(context, chosen)) {
			printf("no such instructions: %s\n", name);
		} else {
			for (uint32_t first = 0; first + section <= count; first += section) {
				double start = now_ns();
				for (uint32_t i = first; i < first + section; i += batch)
					rte_acl_classify(context, at + i, results + i, batch, 1);
				printf("%.2f ", (now_ns() - start) / section);
			}
			printf("\n");
		}
		fflush(stdout);
	}
	return 0;
}
