/*
 * rondo/log.h - the logger: what the library has to say, and the program through it.
 *
 * There is one logger in a process. The library tells it what nobody handled, what debug mode finds, and
 * what was forgotten. At first a message is one write to stderr. A program may set a sink of its own, with
 * a queue and a thread before it if it blocks, and may log through it as well.
 */
#ifndef RONDO_LOG_H
#define RONDO_LOG_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** For who looks for a mistake. */
#define RONDO_LOG_DEBUG 10
/** What goes on; the lowest level that is logged at first. */
#define RONDO_LOG_INFO 20
/** Something is not as it should be, and it goes on. */
#define RONDO_LOG_WARNING 30
/** Something failed; what nobody handled is reported so. */
#define RONDO_LOG_ERROR 40
/** Not used by the library; for programs. */
#define RONDO_LOG_CRITICAL 50

/** One thing that a message is about. */
typedef struct rondo_log_field {
    const char *key;  /**< What the value is. */
    const char *text; /**< The value; NULL if it is a number. */
    int64_t number;   /**< The value if text is NULL. */
} rondo_log_field;

/**
 * Takes a message; called on the thread that logs, with no lock held.
 *
 * The message says in words all that the library's own fields say; those are for programs. Their
 * keys: loop, handle, task, future, coroutine (handles as numbers, "coroutine" is a name),
 * duration_ns, timeout_ns, events, status, caller (an address), dropped. All of it is borrowed during the call.
 */
typedef void (*rondo_log_fn)(int32_t level, const char *message, const rondo_log_field *fields,
                             size_t field_count, void *arg);

/** Set where messages go; NULL restores stderr, one write a message.
 * @return RONDO_OK or -ENOMEM. The old arg is dropped once no call is in the old sink any more, perhaps
 *         on another thread.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  moves:arg  since:0.1 */
rondo_status rondo_log_set_sink(rondo_log_fn fn, void *arg, rondo_drop_fn drop);

/** Drop the oldest message that waits, and not the new one, when there is no room. */
#define RONDO_LOG_QUEUE_DROP_OLDEST 0x1

/** How messages wait for a sink that may block; zero is the default everywhere. */
typedef struct rondo_log_queue_options {
    uint32_t size;           /**< sizeof(rondo_log_queue_options). */
    uint32_t flags;          /**< RONDO_LOG_QUEUE_ flags. */
    uint32_t capacity;       /**< Messages that can wait: 1024, at most 1048576. */
    uint32_t reserved;       /**< 0. */
    int64_t exit_wait_ns;    /**< How long exit() waits for the sink at most; 0 is one second, -1 not at all. */
    const char *thread_name; /**< At most 15 bytes; NULL is "rondo-log". */
} rondo_log_queue_options;

/**
 * Set where messages go, and let a thread of its own take them there: nobody who logs ever waits.
 *
 * Messages wait in a bounded queue. What finds no room is dropped and counted; the sink gets
 * "N messages were dropped" where they are missing. Setting another sink ends the thread once what
 * waits is delivered. exit() waits for that, but not for long; a sink that blocks cannot hang it.
 * In a child of fork() the queue is empty (what waits is the parent's to deliver) and a thread is
 * started when the child first logs.
 *
 * @param options NULL for the defaults.
 * @param fn      The sink, called on that thread, which blocks all signals; NULL is stderr.
 * @param arg     Moves into the library on every return, failure included.
 * @param drop    NULL, or called once with @p arg, on that thread.
 * @return RONDO_OK, -EINVAL, -E2BIG (options), -ENOMEM or -EAGAIN (no thread can be started).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop  moves:arg  since:0.1
 */
rondo_status rondo_log_set_queued_sink(const rondo_log_queue_options *options, rondo_log_fn fn, void *arg,
                                       rondo_drop_fn drop);

/** Wait until all that was logged before is through the sink, also through queued ones that were replaced.
 * @return RONDO_OK, at once if no sink has a queue; -EINVAL (negative), RONDO_E_TIMEOUT, or -EDEADLK
 *         inside a queued sink.
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  since:0.1 */
rondo_status rondo_log_flush(int64_t timeout_ns);
/** Return how many messages this process has dropped for want of room or memory.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
uint64_t rondo_log_get_dropped(void);

/** Set the lowest level that is logged; RONDO_LOG_INFO at first. Below it no text is made.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_log_set_level(int32_t level);
/** Return the lowest level that is logged.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_log_get_level(void);

/**
 * Log a message of the program's own, unless the level is below the one that is set.
 *
 * On stderr the fields follow the message as key=value.
 *
 * @param level       Any number; the RONDO_LOG_ levels are a scale.
 * @param message     Text.
 * @param fields      NULL if there are none.
 * @param field_count At most 64.
 * @return RONDO_OK, also if it is not logged; -EINVAL or -E2BIG. What a queue drops is only counted.
 *
 * @par Contract
 * thread:any  blocks:no (but the sink may)  reenters:callbacks (the log sink)  since:0.1
 */
rondo_status rondo_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count);

RONDO_END_DECLS
#endif
