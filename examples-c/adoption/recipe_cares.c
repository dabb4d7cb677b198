/*
 * recipe_cares.c - names resolved by c-ares: side by side, a name that does not exist, a server that says
 * nothing, a cancelled task; and the name of an address, which a completer brings.
 *
 * await_cares.c is the recipe. Here a tiny DNS server, a task of the same loop on a port of loopback,
 * knows two names and the address of one, never answers for a third, and says of all others that they do
 * not exist.
 */
#include "await_cares.h"
#include "recipe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the server ------------------------------------------------------------------------------ */

struct server {
    RONDO_FRAME;
    int fd;
    rondo_future *io;
    rondo_event *silent; /* set when it was asked what it does not answer */
    size_t size;
    uint32_t client_size;
    struct sockaddr_storage client;
    unsigned char packet[1500];
};

/* The name of the first question, and where the question ends; 0 if the packet makes no sense. */
static size_t read_question(const unsigned char *packet, size_t size, char *name, size_t name_size)
{
    size_t at = 12, used = 0;
    while (at < size && packet[at] != 0) {
        size_t length = packet[at++];
        if (at + length >= size || used + length + 2 > name_size)
            return 0;
        memcpy(name + used, packet + at, length);
        used += length;
        name[used++] = '.';
        at += length;
    }
    name[used > 0 ? used - 1 : 0] = '\0';
    return at + 5 <= size ? at + 5 : 0;
}

/* Add a record to the answer, about the name that was asked for. Returns the packet's size. */
static size_t add_record(struct server *self, size_t end, const unsigned char *record, size_t size)
{
    self->packet[3] = 0x80; /* there is such a name */
    self->packet[7] = 1;
    memcpy(self->packet + end, record, size);
    return end + size;
}

/* Make the question the answer, in place. Returns its size, or 0 for none at all. */
static size_t answer(struct server *self)
{
    static const struct { const char *name; unsigned char last; } known[] = {
        { "anne.test", 1 }, { "bert.test", 2 },
    };
    char name[256];
    unsigned char *packet = self->packet;
    size_t end = read_question(packet, self->size, name, sizeof name);
    if (end == 0)
        return 0;
    if (strcasecmp(name, "silent.test") == 0 || strcmp(name, "77.2.0.192.in-addr.arpa") == 0) {
        (void)rondo_event_set(self->silent);
        return 0;
    }
    packet[2] = 0x81; /* a response, recursion was desired, */
    packet[3] = 0x83; /* and is available; there is no such name */
    memset(packet + 6, 0, 6);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const unsigned char record[] = { 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, known[i].last };
        if (strcasecmp(name, known[i].name) != 0)
            continue;
        packet[3] = 0x80;
        if (packet[end - 3] != 1) /* another type than A: there is the name, but nothing of that type */
            break;
        return add_record(self, end, record, sizeof record);
    }
    if (strcmp(name, "1.2.0.192.in-addr.arpa") == 0) {
        static const unsigned char record[] = { 0xC0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, 11,
                                                4, 'a', 'n', 'n', 'e', 4, 't', 'e', 's', 't', 0 };
        return add_record(self, end, record, sizeof record);
    }
    return end;
}

RONDO_STEP(serve)
{
    struct server *self = frame;
    size_t size;
    RONDO_BEGIN(self);
    for (;;) {
        self->client_size = sizeof self->client;
        RONDO_CHECK(rondo_loop_sock_recvfrom(rondo_running_loop(), self->fd, self->packet, 512,
                                             (struct sockaddr *)&self->client, &self->client_size,
                                             &self->io), "recvfrom");
        RONDO_AWAIT_MOVED(self, self->io);
        self->size = (size_t)(intptr_t)sent;
        size = answer(self);
        if (size == 0)
            continue;
        RONDO_CHECK(rondo_loop_sock_sendto(rondo_running_loop(), self->fd, self->packet, size,
                                           (struct sockaddr *)&self->client, self->client_size,
                                           &self->io), "sendto");
        RONDO_TRY_AWAIT_MOVED(self, self->io); /* the client may be gone: ECONNREFUSED */
        if (thrown != NULL && rondo_error_get_status(thrown) == RONDO_E_CANCELLED)
            return rondo_coroutine_raise(co, thrown);
    }
    RONDO_END(self);
}

/* When its task has ended, which is after main. */
static void drop_server(void *frame)
{
    close(((struct server *)frame)->fd);
}

/* ---- the client ------------------------------------------------------------------------------ */

static void print_addresses(const char *name, const struct ares_addrinfo *addresses)
{
    char text[INET6_ADDRSTRLEN];
    printf("%s:", name);
    for (const struct ares_addrinfo_node *node = addresses->nodes; node != NULL; node = node->ai_next) {
        if (node->ai_family == AF_INET)
            printf(" %s", inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr,
                                    text, sizeof text));
    }
    puts("");
}

struct lookup {
    RONDO_FRAME;
    struct await_cares *cares;
    const char *name;
    rondo_future *answer;
};

/* What the program is for: await a name as anything else. */
RONDO_STEP(look_up)
{
    struct lookup *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_cares_getaddrinfo(self->cares, self->name, NULL, NULL, &self->answer), "resolve");
    RONDO_AWAIT_MOVED(self, self->answer);
    print_addresses(self->name, sent);
    RONDO_END(self);
}

/* The coroutine that looks up the name of 192.0.2.last. */
static rondo_status ask_name(struct await_cares *cares, unsigned char last, rondo_coroutine **out_coroutine)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_addr.s_addr = htonl(0xC0000200u + last);
    return await_cares_getnameinfo(cares, (struct sockaddr *)&address, sizeof address, 0, out_coroutine);
}

struct main_frame {
    RONDO_FRAME;
    struct server server;
    uint16_t port;
    struct await_cares *patient, *impatient;
    struct lookup lookup;
    rondo_future *futures[3];
    rondo_future *future;
    rondo_task *task;
    rondo_coroutine *coroutine;
};

static void drop_main(void *frame)
{
    struct main_frame *self = frame;
    await_cares_close(self->patient);
    await_cares_close(self->impatient);
    rondo_task_release(self->task);
    rondo_event_release(self->server.silent);
}

/* A channel that asks our server only: no other server, no file, no list of domains to try. */
static rondo_status open_channel(struct main_frame *self, int timeout_ms, struct await_cares **out_cares)
{
    char lookups[] = "b", address[32];
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH, .timeout = timeout_ms, .tries = 1, .lookups = lookups,
    };
    rondo_status status = await_cares_open(rondo_running_loop(), &options, ARES_OPT_FLAGS |
                                           ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS,
                                           out_cares);
    snprintf(address, sizeof address, "127.0.0.1:%u", self->port);
    if (status == RONDO_OK &&
        ares_set_servers_ports_csv(await_cares_channel(*out_cares), address) != ARES_SUCCESS)
        status = -EINVAL;
    return status;
}

static rondo_status prepare(struct main_frame *self)
{
    rondo_status status = rondo_event_new(rondo_running_loop(), &self->server.silent);
    if (status != RONDO_OK)
        return status;
    self->server.fd = recipe_bind(SOCK_DGRAM, &self->port);
    if (self->server.fd < 0)
        return RONDO_E_RUNTIME;
    status = rondo_loop_spawn(rondo_running_loop(), serve, &self->server, drop_server, NULL, NULL);
    if (status == RONDO_OK)
        status = open_channel(self, 60000, &self->patient);
    return status == RONDO_OK ? open_channel(self, 50, &self->impatient) : status;
}

/* Three at once; of an address c-ares answers before it returns. */
static rondo_status ask_three(struct main_frame *self)
{
    static const char *const names[] = { "anne.test", "bert.test", "192.0.2.77" };
    rondo_awaitable *awaitables[3] = { NULL };
    rondo_status status = RONDO_OK;
    for (int i = 0; i < 3 && status == RONDO_OK; i++) {
        status = await_cares_getaddrinfo(self->patient, names[i], NULL, NULL, &self->futures[i]);
        awaitables[i] = self->futures[i];
    }
    if (status == RONDO_OK)
        status = rondo_gather(rondo_running_loop(), awaitables, 3, 0, &self->future);
    for (int i = 0; i < 3; i++)
        rondo_future_release(self->futures[i]);
    return status;
}

static void print_three(rondo_future *gather)
{
    for (size_t i = 0; i < 3; i++) {
        void *addresses = NULL;
        char what[16];
        snprintf(what, sizeof what, "gather %zu", i);
        if (rondo_gather_get_result(gather, i, &addresses) == RONDO_OK)
            print_addresses(what, addresses);
    }
}

static rondo_status start_lookup(struct main_frame *self, const char *name)
{
    rondo_task_release(self->task);
    self->task = NULL;
    self->lookup = (struct lookup){ .cares = self->patient, .name = name };
    return rondo_loop_spawn(rondo_running_loop(), look_up, &self->lookup, NULL, NULL, &self->task);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(prepare(self), "prepare");

    RONDO_CHECK(start_lookup(self, "anne.test"), "look up");
    RONDO_AWAIT(self, self->task);
    RONDO_CHECK(ask_three(self), "ask");
    RONDO_AWAIT(self, self->future);
    print_three(self->future);
    rondo_future_release(self->future);

    RONDO_CHECK(start_lookup(self, "nobody.test"), "look up");
    RONDO_TRY_AWAIT(self, self->task);
    recipe_print_error("nobody.test", thrown);
    RONDO_CHECK(await_cares_getaddrinfo(self->impatient, "silent.test", NULL, NULL, &self->future),
                "resolve");
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    recipe_print_error("silent.test", thrown);

    /* Cancelling the task that waits ends the query. */
    RONDO_CHECK(rondo_event_clear(self->server.silent), "event");
    RONDO_CHECK(start_lookup(self, "silent.test"), "look up");
    RONDO_CHECK(rondo_event_wait(self->server.silent, &self->coroutine), "event");
    RONDO_AWAIT(self, self->coroutine);
    printf("queries open: %zu\n", await_cares_count(self->patient));
    RONDO_CHECK(rondo_task_cancel(self->task, "not needed any more", NULL), "cancel");
    RONDO_TRY_AWAIT(self, self->task);
    recipe_print_error("cancelled task", thrown);
    printf("queries open: %zu\n", await_cares_count(self->patient));

    /* Of two queries one is cancelled: the other one goes on, and then nothing is left. */
    RONDO_CHECK(await_cares_getaddrinfo(self->patient, "silent.test", NULL, NULL, &self->futures[0]),
                "resolve");
    RONDO_CHECK(await_cares_getaddrinfo(self->patient, "bert.test", NULL, NULL, &self->futures[1]),
                "resolve");
    RONDO_CHECK(rondo_future_cancel(self->futures[0], NULL, NULL), "cancel");
    rondo_future_release(self->futures[0]);
    RONDO_AWAIT_MOVED(self, self->futures[1]);
    print_addresses("bert.test", sent);
    printf("queries open: %zu\n", await_cares_count(self->patient));

    /* The name of an address. Cancelled, it lets go of the completer, and c-ares may call when it likes. */
    RONDO_CHECK(ask_name(self->patient, 1, &self->coroutine), "ask");
    RONDO_AWAIT(self, self->coroutine);
    printf("192.0.2.1: %s\n", (const char *)sent);
    RONDO_CHECK(ask_name(self->patient, 9, &self->coroutine), "ask");
    RONDO_TRY_AWAIT(self, self->coroutine);
    recipe_print_error("192.0.2.9", thrown);
    RONDO_CHECK(rondo_event_clear(self->server.silent), "event");
    rondo_task_release(self->task);
    self->task = NULL;
    RONDO_CHECK(ask_name(self->patient, 77, &self->coroutine), "ask");
    RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), self->coroutine, NULL, &self->task), "task");
    RONDO_CHECK(rondo_event_wait(self->server.silent, &self->coroutine), "event");
    RONDO_AWAIT(self, self->coroutine);
    RONDO_CHECK(rondo_task_cancel(self->task, NULL, NULL), "cancel");
    RONDO_TRY_AWAIT(self, self->task);
    recipe_print_error("192.0.2.77", thrown);
    rondo_task_release(self->task);
    self->task = NULL;
    RONDO_CHECK(ask_name(self->patient, 77, &self->coroutine), "ask");
    RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), self->coroutine, NULL, &self->task), "task");

    /* Closing ends what still runs, also the task that has not asked yet. */
    RONDO_CHECK(await_cares_getaddrinfo(self->patient, "silent.test", NULL, NULL, &self->future),
                "resolve");
    await_cares_close(self->patient);
    self->patient = NULL;
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    recipe_print_error("after close", thrown);
    RONDO_TRY_AWAIT(self, self->task);
    recipe_print_error("192.0.2.77", thrown);
    RONDO_END(self);
}

int main(void)
{
    static struct main_frame frame;
    return recipe_run(main_step, &frame, drop_main);
}
