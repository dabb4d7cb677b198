/* as_completed() of what ends, fails and is cancelled at random. */
#define KINDS "ac"
#include "walk.h"
