/* Tasks that await each other, some of them twice, cancelled at random. */
#define KINDS "ax"
#include "walk.h"
