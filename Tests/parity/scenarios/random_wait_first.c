/* wait() for the first and for the first failure, with cancellations at random. */
#define KINDS "xfe"
#include "walk.h"
