/* gather(return_exceptions=True) of what ends, fails and is cancelled at random. */
#define KINDS "aG"
#include "walk.h"
