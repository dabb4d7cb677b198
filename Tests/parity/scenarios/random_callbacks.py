# oldest: 3.11
# Done callbacks that are added, removed and called at random, also by each other.
from parity import new_loop, say

loop = new_loop()
FUTURES, CALLBACKS = 4, 5
seed = budget = 0


def choose(count):
    global seed
    seed = (seed * 1664525 + 1013904223) % (1 << 32)
    return (seed >> 16) % count


def make(number):
    def callback(future):
        words.append(f"{futures.index(future) if future in futures else '-'}{'abcde'[number]}"
                     f"{'~' if future.cancelled() else '=' + str(future.result())}")
        act()
    return callback


callbacks = [make(number) for number in range(CALLBACKS)]


def act():
    global budget
    if budget == 0:
        return
    budget -= 1
    what, at = choose(8), choose(FUTURES)
    future = futures[at]
    if what < 4:
        future.add_done_callback(callbacks[choose(CALLBACKS)])
    elif what == 4:
        words.append(f"r{future.remove_done_callback(callbacks[choose(CALLBACKS)])}")
    elif future.done():
        futures[at] = loop.create_future()
    elif what < 7:
        future.set_result(budget)
    else:
        future.cancel()


for number_of_round in range(40):
    seed, budget, words = number_of_round, 60, []
    futures = [loop.create_future() for _ in range(FUTURES)]
    for _ in range(25):
        act()
        act()
        loop.stop()
        loop.run_forever()
        words.append("|")
    say(f"{number_of_round}: {' '.join(words)}")
loop.close()
