/* gather() of futures and tasks that end, fail and are cancelled at random. */
#define KINDS "ag"
#include "walk.h"
