# oldest: 3.11
# wait() for the first and for the first failure, with cancellations at random.
from walk import walk

walk("xfe")
