/*
 * await_sqlite.h - SQLite, awaited. Lift this file and await_sqlite.c into your program.
 *
 * The recipe is that of a library that blocks: its calls are jobs of an executor. A connection has a pool
 * of one worker, so its queries run one after the other, in the order in which they were asked for, and
 * connections do not wait for each other. A cancelled query ends soon, also one that waits for a lock.
 * What SQLite tells from inside of a query goes straight to a queue: SQLite's callback is a completer's.
 *
 * Errors are of RONDO_DOMAIN_USER with SQLite's code and message, the operation is "open" or "query".
 */
#ifndef AWAIT_SQLITE_H
#define AWAIT_SQLITE_H

#include <rondo.h>
#include <sqlite3.h>

/** A connection. Its functions are for the loop's thread. */
struct await_sqlite;

/** What a query returned: texts, row by row. NULL is SQL's NULL. */
struct await_sqlite_rows {
    int columns;
    size_t count;    /* of rows */
    int64_t changes; /* rows that were inserted, changed or deleted */
    char **cells;    /* row r, column c: cells[r * columns + c] */
};

/** Hears, on the loop's thread, that a query is at work, or waits for somebody else's lock. */
typedef void (*await_sqlite_progress_fn)(int waits, void *arg);

/**
 * Open a database; it can be used at once, for what is asked of it comes after.
 *
 * @param flags      As for sqlite3_open_v2().
 * @param fn, arg    NULL, or what hears of progress; never several calls at a time, never after close.
 * @param out_sqlite The connection, to be closed whatever the future says.
 * @param out_future NULL, or done when the file is open; if it could not be, every query says so, too.
 */
rondo_status await_sqlite_open(rondo_loop *loop, const char *path, int flags, await_sqlite_progress_fn fn,
                               void *arg, struct await_sqlite **out_sqlite, rondo_future **out_future);

/** Run one statement; the future's value is a struct await_sqlite_rows, freed with it.
 * @param values Texts for ?1, ?2, ...; copied; NULL for NULL. */
rondo_status await_sqlite_query(struct await_sqlite *sqlite, const char *sql, const char *const *values,
                                int count, rondo_future **out_future);

/**
 * Put each change of a row that the connection makes from now on into a queue (sqlite3_update_hook()), once
 * for a connection. An item is an array of addresses, as rondo_thread_queue_completer() makes them:
 *
 *     *(int32_t *)item[1]   SQLITE_INSERT, SQLITE_UPDATE or SQLITE_DELETE
 *     *(char **)item[2], *(char **)item[3]   the names of the database and the table
 *     *(int64_t *)item[4]   the row
 *
 * The worker never waits: what finds the queue full is lost.
 *
 * @param out_future NULL, or done when it has begun.
 * @return RONDO_OK, -EBUSY (there is a queue already), or as await_sqlite_query().
 */
rondo_status await_sqlite_watch(struct await_sqlite *sqlite, rondo_thread_queue *queue,
                                rondo_future **out_future);

/** End what runs, cancel what waits, and close: this blocks until the query that runs has noticed, which
 * it does within some thousand steps. Before the loop is closed. NULL is a no-op. */
void await_sqlite_close(struct await_sqlite *sqlite);

#endif
