/* shield() of futures, tasks and gathers, cancelled inside and outside at random. */
#define KINDS "axsS"
#include "walk.h"
