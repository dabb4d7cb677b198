# oldest: 3.11
# shield() of futures, tasks and gathers, cancelled inside and outside at random.
from walk import walk

walk("axsS")
