# oldest: 3.11
# gather(return_exceptions=True) of what ends, fails and is cancelled at random.
from walk import walk

walk("aG")
