/*
 * rondo/context.h - context variables: values that follow tasks and callbacks (contextvars).
 *
 * A variable has a value of its own in each context. There is always a current context: a callback runs in
 * a copy of the one that was current when it was scheduled, a task in a copy of the one that it was made
 * in. So what a task sets, those see that it calls and that it makes later, and nobody else.
 *
 * Values are pointers. The drop of a value runs when no context holds it any more.
 */
#ifndef RONDO_CONTEXT_H
#define RONDO_CONTEXT_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Make a variable.
 * @param name          Copied.
 * @param default_value What rondo_contextvar_get() gives where it was never set; borrowed.
 * @param out_variable  The variable.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_variable(rondo_contextvar_release)  since:0.1 */
rondo_status rondo_contextvar_new(const char *name, void *default_value,
                                  rondo_contextvar **out_variable);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_contextvar_retain(rondo_contextvar *variable);
/** Give a reference back. NULL is a no-op. Values set in contexts stay until those end.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_contextvar_release(rondo_contextvar *variable);
/** Read the variable in the current context: of the running task or callback, else the thread's.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:out_value(until the variable is set in this context or the context ends)  since:0.1 */
rondo_status rondo_contextvar_get(rondo_contextvar *variable, void **out_value);
/** Set the variable in the current context.
 * @param drop NULL, or called once with value when no context holds it any more.
 * @return RONDO_OK or -ENOMEM.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  moves:value  since:0.1 */
rondo_status rondo_contextvar_set(rondo_contextvar *variable, void *value, rondo_drop_fn drop);

/** As rondo_contextvar_set(), with a token that rondo_contextvar_reset() takes to undo it.
 * @param out_token The token: it keeps the value that there was.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  moves:value  owns:out_token(rondo_context_token_release)  since:0.1 */
rondo_status rondo_contextvar_set_with_token(rondo_contextvar *variable, void *value,
                                             rondo_drop_fn drop, rondo_context_token **out_token);
/**
 * Give the variable the value that it had before the set that made token, or none (ContextVar.reset()).
 *
 * @return RONDO_OK; RONDO_E_INVALID_STATE ("Token has already been used once"); -EINVAL (the token is
 *         another variable's, or was made in another context: another context object or task, or
 *         another thread); -ENOMEM (nothing has changed).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1
 */
rondo_status rondo_contextvar_reset(rondo_contextvar *variable, rondo_context_token *token);
/** Tell the value that there was (Token.old_value).
 * @param out_value Written if there was one.
 * @return RONDO_OK, -EINVAL or -ENOENT (the variable was not set: Token.MISSING).
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:out_value(until token is released)  since:0.1 */
rondo_status rondo_context_token_get_old_value(const rondo_context_token *token, void **out_value);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_context_token_retain(rondo_context_token *token);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_context_token_release(rondo_context_token *token);

/** Make an empty context.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_context(rondo_context_release)  since:0.1 */
rondo_status rondo_context_new(rondo_context **out_context);
/** Copy the current context (copy_context()); cheap, whatever it holds.
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_context(rondo_context_release)  since:0.1 */
rondo_status rondo_context_copy_current(rondo_context **out_context);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_context_retain(rondo_context *context);
/** Give a reference back. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_context_release(rondo_context *context);
/** Call fn(arg) now with context as the current one; what fn sets stays in context.
 * @return RONDO_OK, or RONDO_E_RUNTIME if context is already entered.
 * @par Contract
 * thread:any  blocks:until-done  reenters:callbacks  since:0.1 */
rondo_status rondo_context_run(rondo_context *context, rondo_call_fn fn, void *arg);

RONDO_END_DECLS
#endif
