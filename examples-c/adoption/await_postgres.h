/*
 * await_postgres.h - libpq, awaited. Lift this file and await_postgres.c into your program.
 *
 * The recipe is that of a library with one descriptor and functions that say "not yet": a coroutine calls
 * them, and awaits the descriptor in between. Each function here makes such a coroutine. Queries of one
 * connection take turns. A cancelled query is ended in the server, and the connection is good for the next.
 *
 * Errors are of RONDO_DOMAIN_USER. Their code is the SQLSTATE as await_postgres_code() makes a number of it;
 * the message begins with the SQLSTATE itself. "08006" is a connection that could not be made or is lost.
 */
#ifndef AWAIT_POSTGRES_H
#define AWAIT_POSTGRES_H

#include <libpq-fe.h>
#include <rondo.h>

/** A connection. It belongs to the loop's thread. */
struct await_postgres;

/** Make a coroutine that connects; its value is a struct await_postgres, to be taken with
 * rondo_coroutine_take_sent() and closed. libpq resolves names blockingly: give hostaddr, or a directory. */
rondo_status await_postgres_connect(rondo_loop *loop, const char *conninfo, rondo_coroutine **out_coroutine);

/**
 * Make a coroutine that runs a query; its value is a PGresult, cleared with the value unless it is taken.
 *
 * @param sql    Copied; $1, $2, ... stand for values.
 * @param values Texts, copied; NULL for NULL.
 */
rondo_status await_postgres_query(struct await_postgres *postgres, const char *sql,
                                  const char *const *values, int count, rondo_coroutine **out_coroutine);

/** The queue of notifications (after a query "LISTEN name"). An item is a PGnotify *, to be freed with
 * PQfreemem(). It is shut down when the connection is lost. */
rondo_queue *await_postgres_notifications(struct await_postgres *postgres);

/** The connection, for functions that do not wait. */
PGconn *await_postgres_connection(struct await_postgres *postgres);

/** What the code of an error is for a SQLSTATE such as "22012". */
int32_t await_postgres_code(const char *sqlstate);

/** Close the connection; a query that runs raises an error of "08006". On the loop's thread, before the
 * loop is closed. It is a rondo_drop_fn; NULL is a no-op. */
void await_postgres_close(void *postgres);

#endif
