/* completer-1.c - around the code in rondo/completer.h. */
#include <rondo.h>

/* A library that calls back, with its user's pointer last. */
typedef void (*lookup_fn)(const char *answer, int32_t error, void *user);
void lookup_async(const char *name, lookup_fn fn, void *user);

void look_up(rondo_future *future)
{
    rondo_completer *done = NULL;
    rondo_any_fn fn = NULL;
    /* [snippet] */
}
