/*
 * recipe_sqlite.c - SQLite off the loop: queries, errors, changes as they happen, progress, a query that would
 * never end and is cancelled, one that waits for another connection's lock and is cancelled.
 *
 * await_sqlite.c is the recipe. The database is a file in a directory that is removed at the end.
 */
#include "await_sqlite.h"
#include "recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shared {
    struct await_sqlite *anne, *bert; /* two connections to one file */
    struct await_sqlite *none;        /* one to a file that is not there */
    rondo_event *working, *waiting;   /* set when a query of bert's is at work, or waits for a lock */
    rondo_thread_queue *changes;      /* that anne makes */
    int reports;
    char directory[40], path[60];
};

/* One part of the program, awaited by main. */
struct part {
    RONDO_FRAME;
    struct shared *shared;
    rondo_future *answer;
    rondo_coroutine *next;
    rondo_task *task;
    int index;
};

/* On the loop, while the query is at work in its thread. */
static void on_progress(int waits, void *arg)
{
    struct shared *shared = arg;
    shared->reports++;
    (void)rondo_event_set(waits ? shared->waiting : shared->working);
}

static rondo_status query(struct part *self, struct await_sqlite *sqlite, const char *sql)
{
    return await_sqlite_query(sqlite, sql, NULL, 0, &self->answer);
}

RONDO_STEP(open_both)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_sqlite_open(rondo_running_loop(), shared->path, flags, NULL, NULL, &shared->anne,
                                  &self->answer), "open");
    RONDO_AWAIT_MOVED(self, self->answer);
    RONDO_CHECK(await_sqlite_open(rondo_running_loop(), shared->path, flags, on_progress, shared,
                                  &shared->bert, &self->answer), "open");
    RONDO_AWAIT_MOVED(self, self->answer);
    puts("opened twice");
    RONDO_END(self);
}

RONDO_STEP(ask_things)
{
    static const char *const names[] = { "anne", "bert", "carla" };
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(query(self, shared->anne, "CREATE TABLE people (name TEXT UNIQUE, age INTEGER)"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    for (self->index = 0; self->index < 3; self->index++) {
        RONDO_CHECK(await_sqlite_query(shared->anne, "INSERT INTO people (name) VALUES (?1)",
                                       &names[self->index], 1, &self->answer), "query");
        RONDO_AWAIT_MOVED(self, self->answer);
    }
    RONDO_CHECK(query(self, shared->bert, "SELECT name, age FROM people ORDER BY name"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    const struct await_sqlite_rows *rows = sent;
    for (size_t i = 0; i < rows->count; i++)
        printf("row %zu: %s, %s\n", i, rows->cells[2 * i], rows->cells[2 * i + 1] ? "an age" : "NULL");
    RONDO_CHECK(query(self, shared->anne, "UPDATE people SET age = 30"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    printf("changed: %d\n", (int)((const struct await_sqlite_rows *)sent)->changes);

    RONDO_CHECK(query(self, shared->anne, "SELECT name FROM nowhere"), "query");
    RONDO_TRY_AWAIT_MOVED(self, self->answer);
    recipe_print_error("no such table", thrown);
    RONDO_CHECK(await_sqlite_query(shared->anne, "INSERT INTO people (name) VALUES (?1)", &names[0], 1,
                                   &self->answer), "query");
    RONDO_TRY_AWAIT_MOVED(self, self->answer);
    recipe_print_error("anne again", thrown);
    RONDO_END(self);
}

/* ---- changes --------------------------------------------------------------------------------- */

static void print_change(void *const *change)
{
    int32_t what = *(int32_t *)change[1];
    printf("%s in %s: row %d\n", what == SQLITE_INSERT ? "insert" : what == SQLITE_UPDATE ? "update" : "delete",
           *(char **)change[3], (int)*(int64_t *)change[4]);
}

/* They come from inside of the queries, in the worker, and are heard on the loop. */
RONDO_STEP(follow_changes)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_thread_queue_new(16, &shared->changes), "queue");
    RONDO_CHECK(await_sqlite_watch(shared->anne, shared->changes, NULL), "watch");
    RONDO_CHECK(query(self, shared->anne, "INSERT INTO people (rowid, name) VALUES (40, 'dora')"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    RONDO_CHECK(query(self, shared->anne, "UPDATE people SET age = 31 WHERE name = 'dora'"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    RONDO_CHECK(query(self, shared->anne, "DELETE FROM people WHERE name = 'dora'"), "query");
    rondo_future_release(self->answer); /* nobody awaits it: the change will tell */
    for (self->index = 0; self->index < 3; self->index++) {
        RONDO_CHECK(rondo_thread_queue_get_async(shared->changes, &self->next), "get");
        RONDO_AWAIT(self, self->next);
        print_change(sent);
    }
    RONDO_END(self);
}

/* ---- cancelling ------------------------------------------------------------------------------ */

#define ENDLESS "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

struct ask {
    RONDO_FRAME;
    struct await_sqlite *sqlite;
    const char *sql;
    rondo_future *answer;
};

/* What the program is for: await a query as anything else. */
RONDO_STEP(ask_step)
{
    struct ask *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_sqlite_query(self->sqlite, self->sql, NULL, 0, &self->answer), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    RONDO_END(self);
}

static rondo_status start(struct await_sqlite *sqlite, const char *sql, rondo_task **out_task)
{
    void *frame = NULL;
    rondo_coroutine *coroutine = NULL;
    rondo_status status = rondo_coroutine_new_with_frame("ask", ask_step, sizeof(struct ask), NULL, &frame,
                                                         &coroutine);
    if (status != RONDO_OK)
        return status;
    ((struct ask *)frame)->sqlite = sqlite;
    ((struct ask *)frame)->sql = sql;
    return rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, out_task);
}

/* It hears of progress on the loop meanwhile; and the one worker is free for the next query afterwards. */
RONDO_STEP(cancel_endless)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(start(shared->bert, ENDLESS, &self->task), "start");
    while (shared->reports < 3) {
        RONDO_CHECK(rondo_event_clear(shared->working), "event");
        RONDO_CHECK(rondo_event_wait(shared->working, &self->next), "event");
        RONDO_AWAIT(self, self->next);
    }
    puts("three times told of progress");
    RONDO_CHECK(rondo_task_cancel(self->task, "not needed any more", NULL), "cancel");
    RONDO_TRY_AWAIT_MOVED(self, self->task);
    recipe_print_error("cancelled task", thrown);
    RONDO_CHECK(query(self, shared->bert, "SELECT 'ready for the next'"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    printf("the worker is %s\n", ((const struct await_sqlite_rows *)sent)->cells[0]);

    RONDO_CHECK(query(self, shared->bert, ENDLESS), "query");
    RONDO_CHECK(rondo_wait_for(self->answer, 20000000, &self->next), "wait_for");
    rondo_future_release(self->answer);
    RONDO_TRY_AWAIT_MOVED(self, self->next);
    printf("wait_for: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_END(self);
}

/* bert wants the lock that anne has. */
RONDO_STEP(cancel_waiting)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(query(self, shared->anne, "BEGIN IMMEDIATE"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    RONDO_CHECK(rondo_event_clear(shared->waiting), "event");
    RONDO_CHECK(start(shared->bert, "BEGIN IMMEDIATE", &self->task), "start");
    RONDO_CHECK(rondo_event_wait(shared->waiting, &self->next), "event");
    RONDO_AWAIT(self, self->next);
    puts("waits for the lock");
    RONDO_CHECK(rondo_task_cancel(self->task, NULL, NULL), "cancel");
    RONDO_TRY_AWAIT_MOVED(self, self->task);
    printf("cancelled task: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_CHECK(query(self, shared->bert, "SELECT count(*) FROM people"), "query");
    RONDO_AWAIT_MOVED(self, self->answer); /* it comes after: the worker gave up waiting */
    printf("people: %s\n", ((const struct await_sqlite_rows *)sent)->cells[0]);
    RONDO_CHECK(query(self, shared->anne, "COMMIT"), "query");
    RONDO_AWAIT_MOVED(self, self->answer);
    RONDO_END(self);
}

/* A file that cannot be opened; a connection that is closed under a query. */
RONDO_STEP(end_badly)
{
    struct part *self = frame;
    struct shared *shared = self->shared;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_sqlite_open(rondo_running_loop(), "/nonexistent/file", SQLITE_OPEN_READONLY, NULL, NULL,
                                  &shared->none, NULL), "open");
    RONDO_CHECK(query(self, shared->none, "SELECT 1"), "query");
    RONDO_TRY_AWAIT_MOVED(self, self->answer);
    recipe_print_error("no such file", thrown);

    RONDO_CHECK(start(shared->bert, ENDLESS, &self->task), "start");
    RONDO_CHECK(rondo_event_clear(shared->working), "event");
    RONDO_CHECK(rondo_event_wait(shared->working, &self->next), "event");
    RONDO_AWAIT(self, self->next);
    await_sqlite_close(shared->bert);
    shared->bert = NULL;
    RONDO_TRY_AWAIT_MOVED(self, self->task);
    printf("closed under a query: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
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
    await_sqlite_close(shared->anne);
    await_sqlite_close(shared->bert);
    await_sqlite_close(shared->none);
    rondo_thread_queue_release(shared->changes);
    rondo_event_release(shared->working);
    rondo_event_release(shared->waiting);
    unlink(shared->path);
    rmdir(shared->directory);
}

RONDO_STEP(main_step)
{
    static const rondo_step_fn parts[] = { open_both, ask_things, follow_changes, cancel_endless,
                                            cancel_waiting, end_badly };
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_event_new(rondo_running_loop(), &self->shared.working), "event");
    RONDO_CHECK(rondo_event_new(rondo_running_loop(), &self->shared.waiting), "event");
    for (self->index = 0; self->index < sizeof parts / sizeof parts[0]; self->index++) {
        self->part = (struct part){ .shared = &self->shared };
        RONDO_CHECK(rondo_coroutine_new("part", parts[self->index], &self->part, NULL, &self->next), "part");
        RONDO_AWAIT(self, self->next);
    }
    RONDO_END(self);
}

int main(void)
{
    static struct main_frame frame = { .shared.directory = "/tmp/recipe.XXXXXX" };
    if (mkdtemp(frame.shared.directory) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    snprintf(frame.shared.path, sizeof frame.shared.path, "%s/people.sqlite", frame.shared.directory);
    return recipe_run(main_step, &frame, drop_main);
}
