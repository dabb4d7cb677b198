/* rondo in debug mode: the same program. */
#include "../debug_on.h"

#include "rondo.c"
