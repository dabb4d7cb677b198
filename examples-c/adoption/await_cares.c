/*
 * await_cares.c - c-ares on a rondo loop.
 *
 * A query has two holders: c-ares, until it has called on_answer(), which it does exactly once, perhaps
 * before ares_getaddrinfo() returns; and the future's done callback, until its drop. Whoever is last frees
 * it. Whenever c-ares has been called, settle() looks at what it wants next. It is also the only place
 * from where c-ares is told to end queries, because that must not be done from inside of it.
 *
 * A question for a name has no callback here: c-ares calls the function of a completer, which completes a
 * future with its arguments. That is safe for as long as c-ares likes, because a completer with a `user`
 * parameter ignores every call that comes after it is gone. What such questions and the caller hold is the
 * channel's memory.
 *
 * Knows: c-ares and rondo. Does not know: who asks for what.
 */
#define _GNU_SOURCE /* EAI_NODATA */
#include "await_cares.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct await_cares {
    rondo_loop *loop;
    ares_channel channel; /* NULL when closed */
    rondo_handle *timer;
    size_t asked;   /* queries that c-ares has */
    size_t wanted;  /* of these, with a future that somebody may wait for; and questions for names */
    size_t holders; /* the caller, and each question for a name */
};

struct query {
    struct await_cares *cares;
    rondo_future *future; /* ours, to complete; NULL when nobody wants it any more */
    int holders;
};

/* ---- c-ares asks the loop -------------------------------------------------------------------- */

static void on_timer(void *arg);

/* The timer for the next deadline of all queries; none without queries. */
static void set_timer(struct await_cares *cares)
{
    struct timeval buffer, *next = ares_timeout(cares->channel, NULL, &buffer);
    if (cares->timer != NULL)
        rondo_handle_cancel(cares->timer);
    rondo_handle_release(cares->timer);
    cares->timer = NULL;
    if (next == NULL)
        return;
    int64_t delay_ns = next->tv_sec * INT64_C(1000000000) + next->tv_usec * INT64_C(1000);
    if (rondo_loop_call_later(cares->loop, delay_ns, on_timer, cares, NULL, &cares->timer) != RONDO_OK)
        ares_cancel(cares->channel); /* out of memory: better no answer than one that never comes */
}

/* After every call into c-ares. */
static void settle(struct await_cares *cares)
{
    if (cares->channel == NULL)
        return;
    if (cares->wanted == 0)
        ares_cancel(cares->channel);
    set_timer(cares);
}

static void on_timer(void *arg)
{
    struct await_cares *cares = arg;
    ares_process_fd(cares->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle(cares);
}

static void on_readable(int32_t fd, void *arg)
{
    struct await_cares *cares = arg;
    ares_process_fd(cares->channel, fd, ARES_SOCKET_BAD);
    settle(cares);
}

static void on_writable(int32_t fd, void *arg)
{
    struct await_cares *cares = arg;
    ares_process_fd(cares->channel, ARES_SOCKET_BAD, fd);
    settle(cares);
}

/* c-ares's: from now on watch fd so. Neither, before it closes it. What could not be watched for lack of
 * memory times out. */
static void watch_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct await_cares *cares = arg;
    if (readable)
        (void)rondo_loop_add_reader(cares->loop, fd, on_readable, cares, NULL);
    else
        (void)rondo_loop_remove_reader(cares->loop, fd, NULL);
    if (writable)
        (void)rondo_loop_add_writer(cares->loop, fd, on_writable, cares, NULL);
    else
        (void)rondo_loop_remove_writer(cares->loop, fd, NULL);
}

/* ---- what a query ends with ------------------------------------------------------------------ */

static void free_addresses(void *value)
{
    ares_freeaddrinfo(value);
}

static int resolver_code(int status)
{
    switch (status) {
    case ARES_ENOTFOUND: case ARES_ENONAME: case ARES_EBADNAME: return EAI_NONAME;
    case ARES_ENODATA: return EAI_NODATA;
    case ARES_EBADFAMILY: return EAI_FAMILY;
    case ARES_ESERVICE: return EAI_SERVICE;
    case ARES_EBADFLAGS: case ARES_EBADHINTS: return EAI_BADFLAGS;
    case ARES_ECONNREFUSED: case ARES_ESERVFAIL: return EAI_AGAIN;
    default: return EAI_FAIL;
    }
}

/* What rondo has a status for, or RONDO_E_RESOLVER and an error that says more, unless memory is out. */
static rondo_status explain(int status, rondo_error **out_error)
{
    *out_error = NULL;
    switch (status) {
    case ARES_ETIMEOUT: return RONDO_E_TIMEOUT;
    case ARES_ENOMEM: return -ENOMEM;
    case ARES_ECANCELLED: case ARES_EDESTRUCTION: return RONDO_E_CANCELLED;
    default: break;
    }
    rondo_status made = rondo_error_new(RONDO_DOMAIN_RESOLVER, resolver_code(status), ares_strerror(status),
                                        out_error);
    if (made == RONDO_OK)
        made = rondo_error_set_operation(*out_error, "resolve");
    return made == RONDO_OK ? RONDO_E_RESOLVER : made;
}

/* Completing is refused if the future was cancelled; then nobody waits for it. */
static void fail(rondo_future *future, int status)
{
    rondo_error *error;
    rondo_status meaning = explain(status, &error);
    if (meaning == RONDO_E_CANCELLED)
        (void)rondo_future_cancel(future, "c-ares is shut down", NULL);
    else if (meaning == RONDO_E_RESOLVER)
        (void)rondo_future_set_exception(future, error);
    else
        (void)rondo_future_set_exception_status(future, meaning, "resolve");
    rondo_error_release(error);
}

static void let_go(void *arg)
{
    struct query *query = arg;
    if (--query->holders == 0)
        free(query);
}

/* Nobody will complete the future from here on. */
static void forget_future(struct query *query)
{
    rondo_future *future = query->future;
    if (future == NULL)
        return;
    query->future = NULL;
    query->cares->wanted--;
    rondo_future_release(future);
}

/* c-ares's: the answer. Completing a future runs no callback now, so c-ares is not re-entered. */
static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *addresses)
{
    struct query *query = arg;
    (void)timeouts;
    query->cares->asked--;
    if (query->future == NULL)
        ares_freeaddrinfo(addresses);
    else if (status == ARES_SUCCESS)
        (void)rondo_future_set_result(query->future, addresses, free_addresses); /* cancelled: dropped */
    else
        fail(query->future, status);
    forget_future(query);
    let_go(query);
}

/* The future is done; if without an answer, it was cancelled. */
static void on_done(rondo_future *future, void *arg)
{
    struct query *query = arg;
    struct await_cares *cares = query->cares;
    (void)future;
    if (query->future == NULL)
        return;
    forget_future(query);
    settle(cares);
}

rondo_status await_cares_getaddrinfo(struct await_cares *cares, const char *name, const char *service,
                                     const struct ares_addrinfo_hints *hints, rondo_future **out_future)
{
    static const struct ares_addrinfo_hints any = { .ai_family = AF_UNSPEC };
    rondo_future *future = NULL;
    struct query *query = malloc(sizeof *query);
    if (query == NULL)
        return -ENOMEM;
    *query = (struct query){ .cares = cares, .holders = 1 };
    rondo_status status = rondo_future_new(cares->loop, &future);
    if (status != RONDO_OK) {
        let_go(query);
        return status;
    }
    status = rondo_future_add_done_callback(future, on_done, query, let_go);
    if (status != RONDO_OK) {
        rondo_future_release(future);
        return status;
    }
    rondo_future_retain(future);
    query->future = future;
    query->holders++;
    cares->asked++;
    cares->wanted++;
    ares_getaddrinfo(cares->channel, name, service, hints != NULL ? hints : &any, on_answer, query);
    settle(cares);
    if (out_future != NULL)
        *out_future = future;
    else
        rondo_future_release(future);
    return RONDO_OK;
}

/* ---- a name, by a completer ------------------------------------------------------------------ */

struct naming {
    RONDO_FRAME;
    struct await_cares *cares; /* NULL: never filled in */
    struct sockaddr_storage address;
    ares_socklen_t length;
    int flags;
    rondo_completer *callback; /* c-ares's, as an ares_nameinfo_callback */
    rondo_future *answer;      /* what c-ares calls it with */
};

static rondo_status ask_name(struct naming *self)
{
    struct await_cares *cares = self->cares;
    rondo_any_fn fn = NULL;
    if (cares->channel == NULL)
        return RONDO_E_CANCELLED;
    rondo_status status = rondo_future_new(cares->loop, &self->answer);
    if (status == RONDO_OK)
        status = rondo_future_completer(self->answer, "void(user,i32,i32,str,str)", NULL, NULL, NULL,
                                        &self->callback);
    if (status == RONDO_OK)
        status = rondo_completer_get_function(self->callback, &fn);
    if (status != RONDO_OK)
        return status;
    ares_getnameinfo(cares->channel, (const struct sockaddr *)&self->address, self->length, self->flags,
                     (ares_nameinfo_callback)fn, self->callback);
    settle(cares);
    return RONDO_OK;
}

static rondo_step raise_answer(rondo_coroutine *co, int status)
{
    rondo_error *error;
    rondo_status meaning = explain(status, &error);
    rondo_step step = meaning == RONDO_E_RESOLVER ? rondo_coroutine_raise(co, error)
                                                  : rondo_coroutine_raise_status(co, meaning, "resolve");
    rondo_error_release(error);
    return step;
}

RONDO_STEP(name_step)
{
    struct naming *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(ask_name(self), "resolve");
    RONDO_AWAIT(self, self->answer);
    void **args = sent; /* user, status, timeouts, node, service: addresses of what c-ares gave */
    int status = *(int32_t *)args[1];
    if (status != ARES_SUCCESS)
        return raise_answer(co, status);
    char *name = strdup(*(char **)args[3]);
    return name != NULL ? rondo_coroutine_return(co, name, free)
                        : rondo_coroutine_raise_status(co, -ENOMEM, "resolve");
    RONDO_END(self);
}

static void free_channel(struct await_cares *cares)
{
    if (--cares->holders > 0)
        return;
    rondo_loop_release(cares->loop);
    free(cares);
}

/* Answered or not: once the completer is gone, c-ares's call comes to nothing. */
static void drop_naming(void *frame)
{
    struct naming *self = frame;
    rondo_completer_release(self->callback);
    rondo_future_release(self->answer);
    if (self->cares == NULL)
        return;
    self->cares->wanted--;
    settle(self->cares);
    free_channel(self->cares);
}

rondo_status await_cares_getnameinfo(struct await_cares *cares, const struct sockaddr *address,
                                     ares_socklen_t length, int flags, rondo_coroutine **out_coroutine)
{
    void *frame = NULL;
    if (length > sizeof(struct sockaddr_storage))
        return -EINVAL;
    rondo_status status = rondo_coroutine_new_with_frame("await_cares_getnameinfo", name_step,
                                                         sizeof(struct naming), drop_naming, &frame,
                                                         out_coroutine);
    if (status != RONDO_OK)
        return status;
    struct naming *self = frame;
    memcpy(&self->address, address, length);
    self->length = length;
    self->flags = flags | ARES_NI_NAMEREQD;
    self->cares = cares;
    cares->wanted++;
    cares->holders++;
    return RONDO_OK;
}

/* ---- the channel ----------------------------------------------------------------------------- */

rondo_status await_cares_open(rondo_loop *loop, const struct ares_options *options, int mask,
                              struct await_cares **out_cares)
{
    struct ares_options complete = { 0 };
    struct await_cares *cares = calloc(1, sizeof *cares);
    if (cares == NULL)
        return -ENOMEM;
    if (options != NULL)
        complete = *options;
    complete.sock_state_cb = watch_socket;
    complete.sock_state_cb_data = cares;
    int status = ares_init_options(&cares->channel, &complete, mask | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        free(cares);
        return status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
    }
    cares->holders = 1;
    cares->loop = loop;
    rondo_loop_retain(loop);
    *out_cares = cares;
    return RONDO_OK;
}

ares_channel await_cares_channel(struct await_cares *cares)
{
    return cares->channel;
}

size_t await_cares_count(const struct await_cares *cares)
{
    return cares->asked;
}

void await_cares_close(struct await_cares *cares)
{
    if (cares == NULL)
        return;
    ares_destroy(cares->channel); /* answers every query with ARES_EDESTRUCTION */
    cares->channel = NULL;
    if (cares->timer != NULL)
        rondo_handle_cancel(cares->timer);
    rondo_handle_release(cares->timer);
    free_channel(cares);
}
