# oldest: 3.11
# wait() for all, with cancellations at random.
from walk import walk

walk("aw")
