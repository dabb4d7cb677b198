/* Every helper at once, awaiting the tasks of the others. */
#define KINDS "axgGsSwfec"
#include "walk.h"
