/*
 * rondo/callgraph.h - who waits for whom, and where: call graphs and the table of tasks.
 *
 * A call graph begins with one future or task. Each entry has its own call stack, the coroutines that
 * await each other inside of it, and those who await it: the tasks, also those that do so through
 * gather, shield, wait, as_completed, wait_for or a task group. It is a copy of what was so when it
 * was captured, holds none of the objects, and any thread may read it.
 */
#ifndef RONDO_CALLGRAPH_H
#define RONDO_CALLGRAPH_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** The entry is a task. */
#define RONDO_CALL_GRAPH_TASK 1
/** The entry is a future that is no task. */
#define RONDO_CALL_GRAPH_FUTURE 2
/** Who awaits the entry is not listed again: it has been before. */
#define RONDO_CALL_GRAPH_REPEATED 1
/** The entry is one of those that lead to it: they wait in a circle. */
#define RONDO_CALL_GRAPH_CYCLE 2
/** A limit that keeps every call. */
#define RONDO_CALL_GRAPH_NO_LIMIT 0x7FFFFFFF

/**
 * Capture the call graph of a future or task (asyncio.capture_call_graph).
 *
 * @param future    A future or task; NULL for the task that is running.
 * @param depth     How many of the innermost calls of the running task to leave out. Those of
 *                  others are all there. (asyncio counts its own function as one.)
 * @param limit     How many calls of each stack to keep: the outermost if positive, the innermost if
 *                  negative, none if 0; RONDO_CALL_GRAPH_NO_LIMIT for all.
 * @param out_graph The graph; NULL is written if @p future is NULL and no task is running.
 * @return RONDO_OK, -EINVAL, -ENOMEM, RONDO_E_TYPE (a coroutine, for example), RONDO_E_NO_LOOP (no
 *         @p future, and no loop runs in this thread) or a status for a bad handle or thread.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_graph(rondo_call_graph_release)  since:0.1
 */
rondo_status rondo_capture_call_graph(rondo_awaitable *future, int32_t depth, int32_t limit,
                                      rondo_call_graph **out_graph);
/**
 * Write the call graph of a future or task as text, with asyncio's words.
 *
 * A call is its function with file and line, where the program's debug information tells them (see
 * rondo/origin.h): the line that it waits at, with the macros of rondo/async.h, else the function's own.
 * Without, it is the name of the coroutine.
 *
 * @param future   As for rondo_capture_call_graph(), as are depth and limit.
 * @param buffer   The text: empty where that captures no graph.
 * @param size     See rondo_error_describe() for buffer, size and out_size.
 * @return RONDO_OK, -ERANGE, or as rondo_capture_call_graph().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_format_call_graph(rondo_awaitable *future, int32_t depth, int32_t limit, char *buffer,
                                     size_t size, size_t *out_size);
/**
 * Write the call graph of a future or task to a file descriptor, with a newline at the end.
 *
 * @param fd Written to as by write(2) until it has taken everything, also if it does not block.
 * @return RONDO_OK, as rondo_capture_call_graph(), or a negative errno of write(2).
 *
 * @par Contract
 * thread:loop  blocks:until-done  reenters:no  since:0.1
 */
rondo_status rondo_print_call_graph(rondo_awaitable *future, int32_t depth, int32_t limit, int32_t fd);

/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_call_graph_retain(rondo_call_graph *graph);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_call_graph_release(rondo_call_graph *graph);
/** Write the graph as text: see rondo_format_call_graph().
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_call_graph_format(const rondo_call_graph *graph, char *buffer, size_t size,
                                     size_t *out_size);
/** Return how many entries there are. The first is what was asked for; each is followed by those
 * who await it, and those who await them, and so on.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
size_t rondo_call_graph_count(const rondo_call_graph *graph);
/** Return RONDO_CALL_GRAPH_TASK or RONDO_CALL_GRAPH_FUTURE; 0 if there is no such entry.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_call_graph_get_kind(const rondo_call_graph *graph, size_t index);
/** Return RONDO_CALL_GRAPH_REPEATED and RONDO_CALL_GRAPH_CYCLE as they apply.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_call_graph_get_flags(const rondo_call_graph *graph, size_t index);
/** Return how far an entry is from the first.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
size_t rondo_call_graph_get_depth(const rondo_call_graph *graph, size_t index);
/** Find what the entry awaits: an earlier entry.
 * @return RONDO_OK, -EINVAL or -ENOENT (the first entry, and one that is not there).
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_call_graph_get_parent(const rondo_call_graph *graph, size_t index,
                                         size_t *out_parent);
/** Return the task's name; "" for a future.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the graph goes)  since:0.1 */
const char *rondo_call_graph_get_name(const rondo_call_graph *graph, size_t index);
/** Give the future or task itself, if it is still there.
 * @return RONDO_OK, -EINVAL, -ENOENT (no such entry) or RONDO_E_STALE_HANDLE.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_future(rondo_future_release)  since:0.1 */
rondo_status rondo_call_graph_get_future(const rondo_call_graph *graph, size_t index,
                                         rondo_future **out_future);
/** Return how many calls the entry's own stack has.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
size_t rondo_call_graph_get_call_count(const rondo_call_graph *graph, size_t index);
/** Return the name of a coroutine of the entry's own stack, the innermost first; "" if there is no
 * such call. One that was made without a name has that of its function, if the program exports it.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the graph goes)  since:0.1 */
const char *rondo_call_graph_get_call(const rondo_call_graph *graph, size_t index, size_t call);

/**
 * Write a table of the loop's tasks that are not done: what they do, and who waits for them.
 *
 * A line for each task and each one that awaits it, with the columns of "python -m asyncio ps".
 *
 * @param buffer See rondo_error_describe() for buffer, size and out_size.
 * @return RONDO_OK, -EINVAL, -ENOMEM, -ERANGE or a status for a bad handle or thread.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_loop_format_tasks(rondo_loop *loop, char *buffer, size_t size, size_t *out_size);
/** As rondo_loop_format_tasks(), to a file descriptor: see rondo_print_call_graph().
 * @par Contract
 * thread:loop  blocks:until-done  reenters:no  since:0.1 */
rondo_status rondo_loop_print_tasks(rondo_loop *loop, int32_t fd);

/**
 * Write the loop's tasks that are not done as a tree, as "python -m asyncio pstree" draws it.
 *
 * A tree for each task that no other awaits: below it its coroutines, outermost first, with file and
 * line as in rondo_print_call_graph(), and below the innermost the tasks that it awaits. Where several
 * await a task, what is below it is drawn once. Tasks that wait for each other in a circle cannot be
 * drawn: then the text is an error with a line for each of the first 16 circles.
 *
 * @param buffer See rondo_error_describe() for buffer, size and out_size.
 * @return RONDO_OK, -EINVAL, -ENOMEM, -ERANGE or a status for a bad handle or thread.
 *
 * @par Contract
 * thread:loop  blocks:no (reads the program's debug information)  reenters:no  since:0.1
 */
rondo_status rondo_loop_format_task_tree(rondo_loop *loop, char *buffer, size_t size, size_t *out_size);
/** As rondo_loop_format_task_tree(), to a file descriptor: see rondo_print_call_graph().
 * @par Contract
 * thread:loop  blocks:until-done  reenters:no  since:0.1 */
rondo_status rondo_loop_print_task_tree(rondo_loop *loop, int32_t fd);

RONDO_END_DECLS
#endif
