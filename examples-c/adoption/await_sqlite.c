/*
 * await_sqlite.c - SQLite in a worker of an executor.
 *
 * How a query is cancelled. The job's unblock hook calls sqlite3_interrupt() from the thread that cancels.
 * That does nothing if it comes a moment before the statement starts, so the progress handler, which SQLite
 * calls all the time, asks as well. And it does not reach a statement that waits for a lock, so the busy
 * handler, which decides on whether to go on waiting, asks, too.
 *
 * Whatever a query needs is copied into its job, and only the worker touches the connection. What goes the
 * other way, progress, is one call of the loop's at a time: `told` is 1 while one is on its way. Changes need
 * no function here at all: SQLite calls that of a completer, in the worker, which feeds a queue with what it is
 * given, texts copied.
 *
 * Knows: SQLite and rondo. Does not know: the schema.
 */
#include "await_sqlite.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 1000          /* of SQLite's machine between two looks around */
#define LOCK_POLL_MS 5      /* how often a lock is tried */
#define LOCK_TRIES (60 * 1000 / LOCK_POLL_MS)

struct await_sqlite {
    rondo_loop *loop;
    rondo_executor *pool;
    sqlite3 *database; /* the worker's, as is job; NULL if it could not be opened */
    rondo_job *job;
    int open_code;
    await_sqlite_progress_fn progress;
    void *progress_arg;
    rondo_completer *changes; /* SQLite's update hook, or NULL */
    int closed;         /* the loop's */
    atomic_int told;
    atomic_int waits;   /* what was last told */
    atomic_int holders; /* the caller, and each call of tell() that is on its way */
};

/* SQLite's type for what hears of changes; "void(user,i32,str,str,i64)" is the same as a signature. */
typedef void (*update_fn)(void *, int, const char *, const char *, sqlite3_int64);

struct query {
    struct await_sqlite *sqlite;
    char *sql; /* or the path to open */
    char **values;
    int count, flags;
};

/* ---- progress, from the worker to the loop --------------------------------------------------- */

static void let_go(void *arg)
{
    struct await_sqlite *sqlite = arg;
    if (atomic_fetch_sub(&sqlite->holders, 1) == 1)
        free(sqlite);
}

/* On the loop's thread. */
static void tell(void *arg)
{
    struct await_sqlite *sqlite = arg;
    atomic_store(&sqlite->told, 0);
    if (!sqlite->closed)
        sqlite->progress(atomic_load(&sqlite->waits), sqlite->progress_arg);
}

/* In the worker, from inside SQLite: say that we are here, unless that was said and not heard yet. */
static void report(struct await_sqlite *sqlite, int waits)
{
    atomic_store(&sqlite->waits, waits);
    if (sqlite->progress == NULL || atomic_exchange(&sqlite->told, 1))
        return;
    atomic_fetch_add(&sqlite->holders, 1);
    (void)rondo_loop_call_soon_threadsafe(sqlite->loop, tell, sqlite, let_go, NULL); /* if not: dropped */
}

/* SQLite's, every STEPS steps: anything but 0 ends the statement. */
static int on_progress(void *arg)
{
    struct await_sqlite *sqlite = arg;
    report(sqlite, 0);
    return sqlite->job != NULL && rondo_job_is_cancelled(sqlite->job);
}

/* SQLite's, when somebody else has the lock: 0 gives up. */
static int on_busy(void *arg, int tries)
{
    struct await_sqlite *sqlite = arg;
    report(sqlite, 1);
    if (tries >= LOCK_TRIES || (sqlite->job != NULL && rondo_job_is_cancelled(sqlite->job)))
        return 0;
    sqlite3_sleep(LOCK_POLL_MS);
    return 1;
}

/* ---- jobs, in the worker --------------------------------------------------------------------- */

static void free_query(void *arg)
{
    struct query *query = arg;
    for (int i = 0; query->values != NULL && i < query->count; i++)
        free(query->values[i]);
    free(query->values);
    free(query->sql);
    free(query);
}

static void free_rows(void *value)
{
    struct await_sqlite_rows *rows = value;
    for (size_t i = 0; i < rows->count * (size_t)rows->columns; i++)
        free(rows->cells[i]);
    free(rows->cells);
    free(rows);
}

static rondo_status raise_code(rondo_job *job, int code, const char *message, const char *operation)
{
    rondo_error *error = NULL;
    if (code == SQLITE_NOMEM)
        return -ENOMEM;
    rondo_status status = rondo_error_new(RONDO_DOMAIN_USER, code, message, &error);
    if (status == RONDO_OK)
        status = rondo_error_set_operation(error, operation);
    if (status == RONDO_OK)
        status = rondo_job_raise(job, error);
    rondo_error_release(error);
    return status != RONDO_OK ? status : RONDO_E_USER;
}

static rondo_status open_job(rondo_job *job, void *arg)
{
    struct query *query = arg;
    struct await_sqlite *sqlite = query->sqlite;
    sqlite3 *database = NULL;
    sqlite->open_code = sqlite3_open_v2(query->sql, &database, query->flags, NULL);
    if (sqlite->open_code != SQLITE_OK) {
        sqlite3_close(database);
        return raise_code(job, sqlite->open_code, sqlite3_errstr(sqlite->open_code), "open");
    }
    sqlite3_extended_result_codes(database, 1);
    sqlite3_progress_handler(database, STEPS, on_progress, sqlite);
    sqlite3_busy_handler(database, on_busy, sqlite);
    sqlite->database = database;
    return RONDO_OK;
}

/* Add the row that the statement stands at. Room is made for twice as many when a power of two is full. */
static int take_row(sqlite3_stmt *statement, struct await_sqlite_rows *rows)
{
    size_t columns = (size_t)rows->columns, used = rows->count * columns;
    if ((rows->count & (rows->count - 1)) == 0) {
        size_t room = (rows->count == 0 ? 1 : rows->count * 2) * columns;
        char **cells = realloc(rows->cells, room * sizeof *cells);
        if (cells == NULL)
            return SQLITE_NOMEM;
        rows->cells = cells;
    }
    memset(rows->cells + used, 0, columns * sizeof *rows->cells);
    rows->count++;
    for (int i = 0; i < rows->columns; i++) {
        const char *text = (const char *)sqlite3_column_text(statement, i);
        if (text != NULL && (rows->cells[used + (size_t)i] = strdup(text)) == NULL)
            return SQLITE_NOMEM;
    }
    return SQLITE_OK;
}

static int run_statement(sqlite3 *database, const struct query *query, struct await_sqlite_rows *rows)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, query->sql, -1, &statement, NULL);
    for (int i = 0; i < query->count && code == SQLITE_OK; i++) {
        if (query->values[i] != NULL) /* else it is NULL as it is */
            code = sqlite3_bind_text(statement, i + 1, query->values[i], -1, SQLITE_STATIC);
    }
    if (code == SQLITE_OK && statement != NULL) { /* NULL: an empty statement */
        rows->columns = sqlite3_column_count(statement);
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            code = take_row(statement, rows);
            if (code != SQLITE_OK)
                break;
        }
        if (code == SQLITE_DONE)
            code = SQLITE_OK;
        rows->changes = sqlite3_stmt_readonly(statement) ? 0 : sqlite3_changes64(database);
    }
    sqlite3_finalize(statement);
    return code;
}

/* In the thread that cancels, while the statement runs. */
static void interrupt(void *database)
{
    sqlite3_interrupt(database);
}

static rondo_status query_job(rondo_job *job, void *arg)
{
    struct query *query = arg;
    struct await_sqlite *sqlite = query->sqlite;
    struct await_sqlite_rows *rows;
    int code, cancelled;
    if (sqlite->database == NULL)
        return raise_code(job, sqlite->open_code, sqlite3_errstr(sqlite->open_code), "open");
    if ((rows = calloc(1, sizeof *rows)) == NULL)
        return -ENOMEM;
    if (rondo_job_set_unblock(job, interrupt, sqlite->database) != RONDO_OK) {
        free(rows);
        return RONDO_E_CANCELLED; /* before it began */
    }
    sqlite->job = job;
    code = run_statement(sqlite->database, query, rows);
    sqlite->job = NULL;
    (void)rondo_job_set_unblock(job, NULL, NULL); /* from here on the next statement is not interrupted */
    cancelled = rondo_job_is_cancelled(job);
    if (code == SQLITE_OK)
        return rondo_job_return(job, rows, free_rows);
    free_rows(rows);
    return cancelled ? RONDO_E_CANCELLED : raise_code(job, code, sqlite3_errmsg(sqlite->database), "query");
}

/* The completer is the user data: it stays until the connection is closed. */
static rondo_status watch_job(rondo_job *job, void *arg)
{
    struct await_sqlite *sqlite = ((struct query *)arg)->sqlite;
    rondo_any_fn fn = NULL;
    if (sqlite->database == NULL)
        return raise_code(job, sqlite->open_code, sqlite3_errstr(sqlite->open_code), "open");
    rondo_status status = rondo_completer_get_function(sqlite->changes, &fn);
    if (status == RONDO_OK)
        (void)sqlite3_update_hook(sqlite->database, (update_fn)fn, sqlite->changes);
    return status;
}

/* ---- on the loop's thread -------------------------------------------------------------------- */

static struct query *make_query(struct await_sqlite *sqlite, const char *sql, const char *const *values,
                                int count)
{
    struct query *query = calloc(1, sizeof *query);
    if (query == NULL)
        return NULL;
    query->sqlite = sqlite;
    query->sql = strdup(sql);
    query->values = calloc((size_t)count + 1, sizeof *query->values);
    query->count = query->values != NULL ? count : 0;
    int complete = query->sql != NULL && query->values != NULL;
    for (int i = 0; i < query->count; i++) {
        if (values[i] != NULL && (query->values[i] = strdup(values[i])) == NULL)
            complete = 0;
    }
    if (complete)
        return query;
    free_query(query);
    return NULL;
}

rondo_status await_sqlite_query(struct await_sqlite *sqlite, const char *sql, const char *const *values,
                                int count, rondo_future **out_future)
{
    const rondo_job_options options = { .size = sizeof options, .name = "SQLite query" };
    struct query *query = count >= 0 ? make_query(sqlite, sql, values, count) : NULL;
    if (query == NULL)
        return count >= 0 ? -ENOMEM : -EINVAL;
    return rondo_loop_run_in_executor(sqlite->loop, sqlite->pool, &options, query_job, query, free_query,
                                      out_future);
}

rondo_status await_sqlite_watch(struct await_sqlite *sqlite, rondo_thread_queue *queue,
                                rondo_future **out_future)
{
    const rondo_job_options options = { .size = sizeof options, .name = "SQLite watch" };
    if (sqlite->changes != NULL)
        return -EBUSY;
    struct query *query = make_query(sqlite, "", NULL, 0);
    if (query == NULL)
        return -ENOMEM;
    rondo_status status = rondo_thread_queue_completer(queue, "void(user,i32,str,str,i64)", NULL, NULL, NULL,
                                                       &sqlite->changes);
    if (status != RONDO_OK) {
        free_query(query);
        return status;
    }
    return rondo_loop_run_in_executor(sqlite->loop, sqlite->pool, &options, watch_job, query, free_query,
                                      out_future);
}

rondo_status await_sqlite_open(rondo_loop *loop, const char *path, int flags, await_sqlite_progress_fn fn,
                               void *arg, struct await_sqlite **out_sqlite, rondo_future **out_future)
{
    const rondo_thread_pool_options one = { .size = sizeof one, .max_workers = 1, .name = "sqlite" };
    const rondo_job_options options = { .size = sizeof options, .name = "SQLite open" };
    struct await_sqlite *sqlite = calloc(1, sizeof *sqlite);
    if (sqlite == NULL)
        return -ENOMEM;
    atomic_init(&sqlite->holders, 1);
    sqlite->loop = loop;
    rondo_loop_retain(loop);
    sqlite->progress = fn;
    sqlite->progress_arg = arg;
    struct query *query = make_query(sqlite, path, NULL, 0);
    rondo_status status = query == NULL ? -ENOMEM : rondo_executor_new_thread_pool(&one, &sqlite->pool);
    if (status != RONDO_OK) {
        if (query != NULL)
            free_query(query);
    } else {
        query->flags = flags;
        status = rondo_loop_run_in_executor(loop, sqlite->pool, &options, open_job, query, free_query,
                                            out_future);
    }
    if (status == RONDO_OK)
        *out_sqlite = sqlite;
    else
        await_sqlite_close(sqlite);
    return status;
}

void await_sqlite_close(struct await_sqlite *sqlite)
{
    if (sqlite == NULL)
        return;
    sqlite->closed = 1;
    if (sqlite->pool != NULL)
        (void)rondo_executor_shutdown(sqlite->pool, RONDO_SHUTDOWN_CANCEL | RONDO_SHUTDOWN_UNBLOCK,
                                      RONDO_NEVER, NULL);
    rondo_executor_release(sqlite->pool);
    sqlite3_close(sqlite->database); /* the worker has ended, so it is ours */
    rondo_completer_release(sqlite->changes);
    rondo_loop_release(sqlite->loop);
    let_go(sqlite);
}
