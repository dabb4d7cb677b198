/* rondo/debug.h - the log, what is alive, and the library's own alarm. */
#ifndef RONDO_DEBUG_H
#define RONDO_DEBUG_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

#define RONDO_LOG_DEBUG 10
#define RONDO_LOG_INFO 20
#define RONDO_LOG_WARNING 30
#define RONDO_LOG_ERROR 40

/** Takes a finished message; called on the thread that logs, with no lock held. */
typedef void (*rondo_log_fn)(int32_t level, const char *message, void *arg);

/** Set where messages go; NULL restores stderr.
 * @return RONDO_OK or -ENOMEM. The old arg is dropped once no call is in the old sink any more, perhaps
 *         on another thread.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  moves:arg  since:0.1 */
rondo_status rondo_log_set_sink(rondo_log_fn fn, void *arg, rondo_drop_fn drop);
/** Set the lowest level that is logged; RONDO_LOG_INFO at first.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_log_set_level(int32_t level);

/** Return how many objects are alive in the whole process: loops, futures, tasks, handles, errors, ...
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
uint64_t rondo_debug_live(void);
/** Break one of the library's own promises on purpose: prints one sentence and aborts.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
void rondo_debug_trap(void);
/** Tell whether libffi works in this process.
 * @return RONDO_OK or -ENOSYS.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_debug_check_ffi(void);

RONDO_END_DECLS
#endif
