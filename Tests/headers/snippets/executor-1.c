/* executor-1.c - around the code in rondo/executor.h. */
#include <rondo.h>
#include <errno.h>
#include <stdlib.h>

char *slurp(const char *path); /* the program's own: a whole file, or NULL and errno */

/* [snippet] */
