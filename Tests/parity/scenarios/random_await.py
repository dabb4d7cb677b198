# oldest: 3.11
# Tasks that await each other, some of them twice, cancelled at random.
from walk import walk

walk("ax")
