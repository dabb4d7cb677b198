/*
 * await_postgres.c - libpq on a rondo loop: its "not yet" becomes an await.
 *
 * While it connects, a connection awaits the descriptor for what PQconnectPoll() asks for, once at a time;
 * that is rondo_loop_wait_readable() and rondo_loop_wait_writable(), and all that many a library needs. From
 * then on a reader stays on its socket, so that notifications come in also when nobody asks anything. A query waits
 * for `activity`, a future that the reader, or the writer while there is something to flush, completes.
 *
 * Cancelling. A query that was sent has to be read to its end, or the next one would get its rows. So a
 * cancelled coroutine asks the server to stop (PQcancel(), which blocks and therefore runs in a thread),
 * asks again as long as it does not (a request that comes before the server has begun is lost), waits for
 * both, and only then lets the cancellation pass. Waiting for PQcancel() is not a nicety: a
 * request that arrives late would cancel the next query.
 *
 * A query and the caller each hold the connection: closing it under a query is an error of the query's.
 *
 * Knows: libpq and rondo. Does not know: SQL.
 */
#include "await_postgres.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_NS INT64_C(100000000)

struct await_postgres {
    rondo_loop *loop;
    PGconn *conn; /* NULL when closed */
    rondo_lock *lock;
    rondo_queue *notifications;
    rondo_future *activity; /* NULL: nobody waits */
    int fd;                 /* what the loop watches, or -1 */
    int holders;
    int lost;
};

struct query {
    RONDO_FRAME;
    struct await_postgres *postgres;
    char *sql;
    char **values;
    int count;
    int locked, sent;
    PGresult *result;        /* the last one, or the first error */
    rondo_error *interrupted; /* the cancellation that is waiting */
    rondo_future *cancelling; /* PQcancel() in a thread */
    rondo_handle *again;      /* when to ask once more */
    rondo_coroutine *acquire;
    rondo_future *shield;
};

/* ---- errors ---------------------------------------------------------------------------------- */

int32_t await_postgres_code(const char *sqlstate)
{
    int32_t code = 0;
    for (int i = 0; i < 5 && sqlstate[i] != '\0'; i++)
        code |= (int32_t)((sqlstate[i] - '0') & 0x3F) << (6 * i);
    return code;
}

static rondo_step raise_state(rondo_coroutine *co, const char *sqlstate, const char *text,
                              const char *operation)
{
    char message[512];
    rondo_error *error = NULL;
    snprintf(message, sizeof message, "%s: %.*s", sqlstate, (int)strcspn(text, "\n"), text);
    rondo_status status = rondo_error_new(RONDO_DOMAIN_USER, await_postgres_code(sqlstate), message, &error);
    if (status == RONDO_OK)
        status = rondo_error_set_operation(error, operation);
    rondo_step step = status == RONDO_OK ? rondo_coroutine_raise(co, error)
                                         : rondo_coroutine_raise_status(co, status, operation);
    rondo_error_release(error);
    return step;
}

static rondo_step raise_lost(rondo_coroutine *co, const struct await_postgres *postgres,
                             const char *operation)
{
    const char *text = postgres->conn != NULL ? PQerrorMessage(postgres->conn) : "";
    return raise_state(co, "08006", text[0] != '\0' ? text : "the connection is closed", operation);
}

/* ---- waiting for the socket ------------------------------------------------------------------ */

static void wake(struct await_postgres *postgres)
{
    rondo_future *activity = postgres->activity;
    postgres->activity = NULL;
    if (activity != NULL)
        (void)rondo_future_set_result(activity, NULL, NULL); /* cancelled: nobody waits any more */
    rondo_future_release(activity);
}

static rondo_status begin_wait(struct await_postgres *postgres)
{
    rondo_future_release(postgres->activity); /* left over from a wait that was cancelled */
    postgres->activity = NULL;
    return rondo_future_new(postgres->loop, &postgres->activity);
}

/* libpq closes the socket of a lost connection by itself, and PQsocket() is -1 then: hence our own fd. */
static void unwatch(struct await_postgres *postgres)
{
    if (postgres->fd < 0)
        return;
    (void)rondo_loop_remove_reader(postgres->loop, postgres->fd, NULL);
    (void)rondo_loop_remove_writer(postgres->loop, postgres->fd, NULL);
    postgres->fd = -1;
}

static void lose(struct await_postgres *postgres)
{
    postgres->lost = 1;
    unwatch(postgres);
    if (postgres->notifications != NULL)
        (void)rondo_queue_shutdown(postgres->notifications, 0);
    wake(postgres);
}

static void free_notification(void *item)
{
    PQfreemem(item);
}

static void take_notifications(struct await_postgres *postgres)
{
    PGnotify *notification;
    while ((notification = PQnotifies(postgres->conn)) != NULL)
        (void)rondo_queue_put_nowait(postgres->notifications, notification, free_notification);
}

static void on_readable(int32_t fd, void *arg)
{
    struct await_postgres *postgres = arg;
    (void)fd;
    int alive = PQconsumeInput(postgres->conn);
    take_notifications(postgres);
    if (!alive || PQstatus(postgres->conn) != CONNECTION_OK)
        lose(postgres);
    wake(postgres);
}

static void on_writable(int32_t fd, void *arg)
{
    struct await_postgres *postgres = arg;
    (void)rondo_loop_remove_writer(postgres->loop, fd, NULL);
    wake(postgres);
}

/* ---- connecting ------------------------------------------------------------------------------ */

struct connecting {
    RONDO_FRAME;
    struct await_postgres *postgres; /* NULL once it is the caller's */
    PostgresPollingStatusType next;
    rondo_future *wait;
};

/* One wait while it connects: the socket may be another one next time. */
static rondo_status wait_connecting(struct connecting *self)
{
    struct await_postgres *postgres = self->postgres;
    rondo_future_release(self->wait);
    self->wait = NULL;
    return self->next == PGRES_POLLING_READING
        ? rondo_loop_wait_readable(postgres->loop, PQsocket(postgres->conn), &self->wait)
        : rondo_loop_wait_writable(postgres->loop, PQsocket(postgres->conn), &self->wait);
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static rondo_status connected(struct await_postgres *postgres)
{
    PQsetNoticeReceiver(postgres->conn, ignore_notice, NULL); /* else they go to stderr */
    rondo_status status = PQsetnonblocking(postgres->conn, 1) == 0 ? RONDO_OK : -ENOMEM;
    if (status == RONDO_OK)
        status = rondo_lock_new(postgres->loop, &postgres->lock);
    if (status == RONDO_OK)
        status = rondo_queue_new(postgres->loop, 0, &postgres->notifications);
    if (status != RONDO_OK)
        return status;
    postgres->fd = PQsocket(postgres->conn);
    return rondo_loop_add_reader(postgres->loop, postgres->fd, on_readable, postgres, NULL);
}

RONDO_STEP(connect_step)
{
    struct connecting *self = frame;
    struct await_postgres *postgres = self->postgres;
    RONDO_BEGIN(self);
    if (PQstatus(postgres->conn) == CONNECTION_BAD)
        return raise_lost(co, postgres, "connect");
    self->next = PGRES_POLLING_WRITING; /* as the manual says */
    do {
        RONDO_CHECK(wait_connecting(self), "connect");
        RONDO_AWAIT(self, self->wait);
        self->next = PQconnectPoll(postgres->conn);
    } while (self->next == PGRES_POLLING_READING || self->next == PGRES_POLLING_WRITING);
    if (self->next != PGRES_POLLING_OK)
        return raise_lost(co, postgres, "connect");
    RONDO_CHECK(connected(postgres), "connect");
    self->postgres = NULL;
    return rondo_coroutine_return(co, postgres, await_postgres_close);
    RONDO_END(self);
}

/* Left in the middle, the wait is to go before libpq closes the descriptor. */
static void drop_connecting(void *frame)
{
    struct connecting *self = frame;
    if (self->wait != NULL)
        (void)rondo_future_cancel(self->wait, NULL, NULL);
    rondo_future_release(self->wait);
    await_postgres_close(self->postgres);
}

rondo_status await_postgres_connect(rondo_loop *loop, const char *conninfo, rondo_coroutine **out_coroutine)
{
    void *frame = NULL;
    struct await_postgres *postgres = calloc(1, sizeof *postgres);
    if (postgres == NULL)
        return -ENOMEM;
    postgres->holders = 1;
    postgres->fd = -1;
    postgres->loop = loop;
    rondo_loop_retain(loop);
    postgres->conn = PQconnectStart(conninfo);
    rondo_status status = postgres->conn == NULL ? -ENOMEM
        : rondo_coroutine_new_with_frame("await_postgres_connect", connect_step, sizeof(struct connecting),
                                         drop_connecting, &frame, out_coroutine);
    if (status != RONDO_OK)
        await_postgres_close(postgres);
    else
        ((struct connecting *)frame)->postgres = postgres;
    return status;
}

static void let_go(struct await_postgres *postgres)
{
    if (--postgres->holders > 0)
        return;
    rondo_future_release(postgres->activity);
    rondo_queue_release(postgres->notifications);
    rondo_lock_release(postgres->lock);
    rondo_loop_release(postgres->loop);
    free(postgres);
}

void await_postgres_close(void *arg)
{
    struct await_postgres *postgres = arg;
    if (postgres == NULL)
        return;
    lose(postgres);
    PQfinish(postgres->conn);
    postgres->conn = NULL;
    let_go(postgres);
}

rondo_queue *await_postgres_notifications(struct await_postgres *postgres)
{
    return postgres->notifications;
}

PGconn *await_postgres_connection(struct await_postgres *postgres)
{
    return postgres->conn;
}

/* ---- a query --------------------------------------------------------------------------------- */

/* In a thread: PQcancel() makes a connection of its own and waits for the server. */
static rondo_status cancel_job(rondo_job *job, void *cancel)
{
    char message[256];
    (void)job;
    (void)PQcancel(cancel, message, sizeof message); /* if it fails, the query runs to its end */
    return RONDO_OK;
}

static void free_cancel(void *cancel)
{
    PQfreeCancel(cancel);
}

static void ask_to_stop(struct query *self)
{
    PGcancel *cancel = PQgetCancel(self->postgres->conn);
    rondo_future_release(self->cancelling);
    self->cancelling = NULL;
    if (cancel == NULL || rondo_loop_to_thread(self->postgres->loop, cancel_job, cancel, free_cancel,
                                               &self->cancelling) != RONDO_OK)
        lose(self->postgres); /* better no connection than one that is busy for nobody */
}

/* The query still runs: the server ignores a request that comes before it has begun with the query. */
static void on_still_running(void *arg)
{
    struct query *self = arg;
    if (!self->sent || self->postgres->lost)
        return;
    if (self->cancelling == NULL || rondo_future_is_done(self->cancelling))
        ask_to_stop(self);
    (void)rondo_handle_rearm(self->again, ASK_AGAIN_NS);
}

/* The task was cancelled while the query runs: keep that, and tell the server, until it stops. */
static void interrupt(struct query *self, rondo_error *thrown)
{
    if (self->interrupted != NULL)
        return;
    rondo_error_retain(thrown);
    self->interrupted = thrown;
    ask_to_stop(self);
    if (rondo_loop_call_later(self->postgres->loop, ASK_AGAIN_NS, on_still_running, self, NULL,
                              &self->again) != RONDO_OK)
        lose(self->postgres);
}

/* Do what can be done without waiting. Returns 1 when the query is over, or the connection. */
static int advance(struct query *self)
{
    struct await_postgres *postgres = self->postgres;
    PGresult *result;
    int flushed;
    if (postgres->lost)
        return 1;
    flushed = PQflush(postgres->conn);
    if (flushed > 0 && rondo_loop_add_writer(postgres->loop, postgres->fd, on_writable, postgres,
                                             NULL) != RONDO_OK)
        flushed = -1;
    if (flushed < 0) {
        lose(postgres);
        return 1;
    }
    while (!PQisBusy(postgres->conn)) {
        result = PQgetResult(postgres->conn);
        if (result == NULL) {
            take_notifications(postgres);
            return 1;
        }
        if (self->result != NULL && PQresultStatus(self->result) == PGRES_FATAL_ERROR) {
            PQclear(result);
            continue;
        }
        PQclear(self->result);
        self->result = result;
    }
    return 0;
}

static void free_result(void *result)
{
    PQclear(result);
}

/* What the query ends with. */
static rondo_step outcome(rondo_coroutine *co, struct query *self)
{
    const char *state;
    if (self->interrupted != NULL)
        return rondo_coroutine_raise(co, self->interrupted);
    if (self->result == NULL)
        return raise_lost(co, self->postgres, "query");
    if (PQresultStatus(self->result) != PGRES_FATAL_ERROR) {
        PGresult *result = self->result;
        self->result = NULL;
        return rondo_coroutine_return(co, result, free_result);
    }
    state = PQresultErrorField(self->result, PG_DIAG_SQLSTATE);
    if (state == NULL) /* libpq's own, not the server's */
        return raise_lost(co, self->postgres, "query");
    return raise_state(co, state, PQresultErrorField(self->result, PG_DIAG_MESSAGE_PRIMARY), "query");
}

RONDO_STEP(query_step)
{
    struct query *self = frame;
    struct await_postgres *postgres = self->postgres;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_lock_acquire(postgres->lock, &self->acquire), "lock");
    RONDO_AWAIT(self, self->acquire);
    self->locked = 1;
    if (postgres->lost || !PQsendQueryParams(postgres->conn, self->sql, self->count, NULL,
                                             (const char *const *)self->values, NULL, NULL, 0))
        return raise_lost(co, postgres, "query");
    self->sent = 1;
    while (!advance(self)) {
        RONDO_CHECK(begin_wait(postgres), "wait");
        RONDO_TRY_AWAIT(self, postgres->activity);
        if (thrown != NULL && rondo_error_get_status(thrown) == RONDO_E_GENERATOR_EXIT)
            return rondo_coroutine_raise(co, thrown); /* it is let go of and must not wait */
        if (thrown != NULL)
            interrupt(self, thrown);
    }
    self->sent = 0;
    while (self->cancelling != NULL && !rondo_future_is_done(self->cancelling)) {
        RONDO_CHECK(rondo_shield(postgres->loop, self->cancelling, &self->shield), "shield");
        RONDO_TRY_AWAIT_MOVED(self, self->shield);
        if (thrown != NULL && rondo_error_get_status(thrown) == RONDO_E_GENERATOR_EXIT)
            return rondo_coroutine_raise(co, thrown);
    }
    return outcome(co, self);
    RONDO_END(self);
}

static void drop_query(void *frame)
{
    struct query *self = frame;
    if (self->postgres == NULL) /* never filled in */
        return;
    if (self->sent) /* left in the middle: its rows would be the next query's */
        lose(self->postgres);
    if (self->locked)
        (void)rondo_lock_unlock(self->postgres->lock);
    for (int i = 0; self->values != NULL && i < self->count; i++)
        free(self->values[i]);
    free(self->values);
    free(self->sql);
    PQclear(self->result);
    rondo_error_release(self->interrupted);
    rondo_future_release(self->cancelling);
    if (self->again != NULL)
        rondo_handle_cancel(self->again);
    rondo_handle_release(self->again);
    let_go(self->postgres);
}

/* Copy sql and values into the frame, which lets go of whatever is there. */
static rondo_status fill_in(struct query *self, const char *sql, const char *const *values, int count)
{
    self->sql = strdup(sql);
    self->values = calloc((size_t)count + 1, sizeof *self->values);
    if (self->sql == NULL || self->values == NULL)
        return -ENOMEM;
    self->count = count;
    for (int i = 0; i < count; i++) {
        if (values[i] != NULL && (self->values[i] = strdup(values[i])) == NULL)
            return -ENOMEM;
    }
    return RONDO_OK;
}

rondo_status await_postgres_query(struct await_postgres *postgres, const char *sql,
                                  const char *const *values, int count, rondo_coroutine **out_coroutine)
{
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    if (count < 0)
        return -EINVAL;
    rondo_status status = rondo_coroutine_new_with_frame("await_postgres_query", query_step,
                                                         sizeof(struct query), drop_query, &frame,
                                                         &coroutine);
    if (status != RONDO_OK)
        return status;
    ((struct query *)frame)->postgres = postgres;
    postgres->holders++;
    status = fill_in(frame, sql, values, count);
    if (status == RONDO_OK) {
        *out_coroutine = coroutine;
        return RONDO_OK;
    }
    (void)rondo_coroutine_close(coroutine, NULL); /* closed, so nobody is told that it was never awaited */
    rondo_coroutine_release(coroutine);
    return status;
}
