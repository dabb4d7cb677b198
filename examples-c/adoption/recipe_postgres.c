/*
 * recipe_postgres.c - libpq on the loop: queries, errors, cancelling in the server, LISTEN and NOTIFY as a
 * queue, a connection that is lost, one that is never made.
 *
 * await_postgres.c is the recipe. Usage: recipe_postgres CONNINFO. The tests run it with a server of its own
 * (expected/recipe_postgres.sh): a real one, on a Unix socket in a directory that is removed afterwards.
 */
#include "await_postgres.h"
#include "recipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct shared {
    const char *conninfo;
    int silent; /* a listener that never answers */
    struct await_postgres *a, *b;
};

/* One part of the program, awaited by main. */
struct part {
    RONDO_FRAME;
    struct shared *shared;
    rondo_coroutine *next;
    rondo_future *both;
    rondo_task *task;
};

static rondo_status query(struct part *self, struct await_postgres *postgres, const char *sql)
{
    return await_postgres_query(postgres, sql, NULL, 0, &self->next);
}

/* ---- a task that asks one thing -------------------------------------------------------------- */

struct ask {
    RONDO_FRAME;
    struct await_postgres *postgres;
    const char *sql;
    rondo_coroutine *query;
};

/* What the program is for: await a query as anything else. */
RONDO_STEP(ask_step)
{
    struct ask *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_postgres_query(self->postgres, self->sql, NULL, 0, &self->query), "query");
    RONDO_AWAIT(self, self->query);
    printf("%s: %s\n", self->sql, PQgetvalue(sent, 0, 0));
    RONDO_END(self);
}

static rondo_status start(struct await_postgres *postgres, const char *sql, rondo_task **out_task)
{
    void *frame = NULL;
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new_with_frame("ask", ask_step, sizeof(struct ask), NULL, &frame,
                                                         &coroutine);
    if (status != RONDO_OK)
        return status;
    ((struct ask *)frame)->postgres = postgres;
    ((struct ask *)frame)->sql = sql;
    return rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, out_task);
}

/* Two tasks on one connection: they take turns. */
static rondo_status start_both(struct await_postgres *postgres, rondo_future **out_both)
{
    rondo_task *tasks[2] = { NULL };
    rondo_status status = start(postgres, "SELECT 'first', pg_sleep(0.01)", &tasks[0]);
    if (status == RONDO_OK)
        status = start(postgres, "SELECT 'second'", &tasks[1]);
    if (status == RONDO_OK)
        status = rondo_gather(rondo_running_loop(), (rondo_awaitable *const[]){ tasks[0], tasks[1] }, 2, 0,
                              out_both);
    rondo_task_release(tasks[0]);
    rondo_task_release(tasks[1]);
    return status;
}

/* ---- the parts ------------------------------------------------------------------------------- */

RONDO_STEP(connect_two)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    void *postgres = NULL;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_postgres_connect(rondo_running_loop(), shared->conninfo, &self->next), "connect");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_coroutine_take_sent(co, &postgres), "connect");
    shared->a = postgres;
    RONDO_CHECK(await_postgres_connect(rondo_running_loop(), shared->conninfo, &self->next), "connect");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_coroutine_take_sent(co, &postgres), "connect");
    shared->b = postgres;
    puts("connected twice");
    RONDO_END(self);
}

RONDO_STEP(ask_things)
{
    static const char *const numbers[] = { "40", "2" };
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_postgres_query(shared->a, "SELECT $1::int + $2::int", numbers, 2, &self->next), "query");
    RONDO_AWAIT(self, self->next);
    printf("40 + 2 = %s\n", PQgetvalue(sent, 0, 0));
    RONDO_CHECK(query(self, shared->a, "SELECT 1 / 0"), "query");
    RONDO_TRY_AWAIT(self, self->next);
    printf("1 / 0: %s, the code is that of 22012: %d\n", rondo_error_get_message(thrown),
           rondo_error_get_code(thrown) == await_postgres_code("22012"));
    RONDO_CHECK(query(self, shared->a, "SELECT n, repeat('x', 50) FROM generate_series(1, 20000) n"), "query");
    RONDO_AWAIT(self, self->next);
    printf("%d rows\n", PQntuples(sent));
    RONDO_CHECK(start_both(shared->a, &self->both), "start");
    RONDO_AWAIT_MOVED(self, self->both);
    RONDO_END(self);
}

#define SLEEPING "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600)'"

/* Cancelling the task that waits ends the query in the server, as the other connection sees. */
RONDO_STEP(cancel_one)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    int asleep;
    RONDO_BEGIN(self);
    RONDO_CHECK(start(shared->a, "SELECT pg_sleep(600)", &self->task), "start");
    do {
        RONDO_CHECK(query(self, shared->b, SLEEPING), "query");
        RONDO_AWAIT(self, self->next);
        asleep = atoi(PQgetvalue(sent, 0, 0));
    } while (asleep == 0);
    printf("queries that sleep: %d\n", asleep);
    RONDO_CHECK(rondo_task_cancel(self->task, "not needed any more", NULL), "cancel");
    RONDO_TRY_AWAIT(self, self->task);
    rondo_task_release(self->task);
    recipe_print_error("cancelled task", thrown);
    RONDO_CHECK(query(self, shared->b, SLEEPING), "query");
    RONDO_AWAIT(self, self->next);
    printf("queries that sleep: %s\n", PQgetvalue(sent, 0, 0));
    RONDO_CHECK(query(self, shared->a, "SELECT pg_sleep(600)"), "query");
    RONDO_CHECK(rondo_wait_for(self->next, 20000000, &self->next), "wait_for");
    RONDO_TRY_AWAIT(self, self->next);
    printf("wait_for: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_CHECK(query(self, shared->a, "SELECT 'still good'"), "query");
    RONDO_AWAIT(self, self->next);
    printf("the connection is %s\n", PQgetvalue(sent, 0, 0));
    RONDO_END(self);
}

RONDO_STEP(listen_and_notify)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    static const char *const statements[] = { "LISTEN news", "NOTIFY news, 'one'",
                                              "SELECT pg_notify('news', 'two')" };
    RONDO_BEGIN(self);
    RONDO_CHECK(query(self, shared->a, statements[0]), "query");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(query(self, shared->b, statements[1]), "query");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(query(self, shared->b, statements[2]), "query");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_queue_get(await_postgres_notifications(shared->a), &self->next), "get");
    RONDO_AWAIT(self, self->next);
    printf("notified: %s\n", ((const PGnotify *)sent)->extra);
    RONDO_CHECK(rondo_queue_get(await_postgres_notifications(shared->a), &self->next), "get");
    RONDO_AWAIT(self, self->next);
    printf("notified: %s\n", ((const PGnotify *)sent)->extra);
    RONDO_END(self);
}

/* The server ends the first connection: who waits for notifications is told, and who asks. */
RONDO_STEP(lose_one)
{
    static char text[80];
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    snprintf(text, sizeof text, "SELECT pg_terminate_backend(%d)",
             PQbackendPID(await_postgres_connection(shared->a)));
    RONDO_CHECK(query(self, shared->b, text), "query");
    RONDO_AWAIT(self, self->next);
    RONDO_CHECK(rondo_queue_get(await_postgres_notifications(shared->a), &self->next), "get");
    RONDO_TRY_AWAIT(self, self->next);
    printf("the queue: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_CHECK(query(self, shared->a, "SELECT 1"), "query");
    RONDO_TRY_AWAIT(self, self->next);
    printf("a query: the code is that of 08006: %d\n",
           rondo_error_get_code(thrown) == await_postgres_code("08006"));
    RONDO_END(self);
}

RONDO_STEP(fail_to_connect)
{
    char conninfo[120];
    struct part *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_postgres_connect(rondo_running_loop(), "host=/nonexistent", &self->next), "connect");
    RONDO_TRY_AWAIT(self, self->next);
    printf("no server: the code is that of 08006: %d\n",
           rondo_error_get_code(thrown) == await_postgres_code("08006"));
    uint16_t port = 0;
    self->shared->silent = recipe_bind(SOCK_STREAM, &port);
    snprintf(conninfo, sizeof conninfo, "hostaddr=127.0.0.1 port=%u", port);
    RONDO_CHECK(await_postgres_connect(rondo_running_loop(), conninfo, &self->next), "connect");
    RONDO_CHECK(rondo_wait_for(self->next, 20000000, &self->next), "wait_for");
    RONDO_TRY_AWAIT(self, self->next);
    printf("a server that says nothing: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_END(self);
}

/* A query that runs while its connection is closed. */
RONDO_STEP(close_under_a_query)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(start(shared->b, "SELECT pg_sleep(600)", &self->task), "start");
    RONDO_YIELD(self);
    await_postgres_close(shared->b);
    shared->b = NULL;
    RONDO_TRY_AWAIT_MOVED(self, self->task);
    recipe_print_error("closed under a query", thrown);
    RONDO_END(self);
}

/* ---- main ------------------------------------------------------------------------------------ */

struct main_frame {
    RONDO_FRAME;
    struct shared shared;
    struct part part;
    rondo_coroutine *next;
    size_t index;
};

static void drop_main(void *frame)
{
    struct shared *shared = &((struct main_frame *)frame)->shared;
    await_postgres_close(shared->a);
    await_postgres_close(shared->b);
    if (shared->silent >= 0)
        close(shared->silent);
}

RONDO_STEP(main_step)
{
    static const rondo_step_fn parts[] = { connect_two, ask_things, cancel_one, listen_and_notify, lose_one,
                                           fail_to_connect, close_under_a_query };
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    for (self->index = 0; self->index < sizeof parts / sizeof parts[0]; self->index++) {
        self->part = (struct part){ .shared = &self->shared };
        RONDO_CHECK(rondo_coroutine_new("part", parts[self->index], &self->part, NULL, &self->next), "part");
        RONDO_AWAIT(self, self->next);
    }
    RONDO_END(self);
}

int main(int argc, char **argv)
{
    static struct main_frame frame = { .shared.silent = -1 };
    if (argc != 2) {
        fprintf(stderr, "usage: %s CONNINFO\n", argv[0]);
        return 2;
    }
    frame.shared.conninfo = argv[1];
    return recipe_run(main_step, &frame, drop_main);
}
