/* debug_on.h - switches debug mode on before main(), for a contestant that is another one in debug mode. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* bench.h wants it before the first header */
#endif
#include <stdlib.h>

__attribute__((constructor)) static void switch_debug_on(void)
{
    setenv("RONDO_DEBUG", "1", 1);
}
