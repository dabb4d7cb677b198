/* future-1.c - around the code in rondo/future.h. */
#include <rondo.h>

/* The program's own: what it does for a future, how that is ended, and how it is freed. */
struct operation;
void stop_if_cancelled(rondo_future *future, void *operation);
void free_operation(void *operation);

void let_it_be_cancelled(rondo_future *future, struct operation *operation)
{
    /* [snippet] */
}
