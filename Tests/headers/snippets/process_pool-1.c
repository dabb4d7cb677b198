/* process_pool-1.c - around the code in rondo/process_pool.h. */
#include <rondo.h>

size_t words(const void *text, size_t size); /* the program's own */

/* [snippet] */
