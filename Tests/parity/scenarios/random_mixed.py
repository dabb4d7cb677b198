# oldest: 3.11
# Every helper at once, awaiting the tasks of the others.
from walk import walk

walk("axgGsSwfec")
