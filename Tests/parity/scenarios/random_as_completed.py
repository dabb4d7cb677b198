# oldest: 3.11
# as_completed() of what ends, fails and is cancelled at random.
from walk import walk

walk("ac")
