/* wait() for all, with cancellations at random. */
#define KINDS "aw"
#include "walk.h"
