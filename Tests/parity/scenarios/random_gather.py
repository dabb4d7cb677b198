# oldest: 3.11
# gather() of futures and tasks that end, fail and are cancelled at random.
from walk import walk

walk("ag")
