/* recipe.h - what the recipes' programs have in common, and yours will have already. */
#ifndef RECIPE_H
#define RECIPE_H

#include <rondo.h>
#include <stdint.h>

/** Bind a non-blocking socket (SOCK_STREAM, which listens, or SOCK_DGRAM) to a free port of loopback.
 * Returns the descriptor or -1. */
int recipe_bind(int type, uint16_t *out_port);

/** Write an error as one line: its status or domain, its operation and its message. NULL: "no error". */
void recipe_print_error(const char *what, rondo_error *error);

/** Run step with frame as the main coroutine; the exit status for main(). */
int recipe_run(rondo_step_fn step, void *frame, rondo_drop_fn drop);

#endif
