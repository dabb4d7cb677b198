# oldest: 3.11
# Callbacks that schedule, cancel and stop at random: what runs in which run of the loop.
from parity import new_loop, say

loop = new_loop()
seed = 0


def choose(count):
    global seed
    seed = (seed * 1664525 + 1013904223) % (1 << 32)
    return (seed >> 16) % count


def schedule():
    if len(handles) < 60:
        handles.append(loop.call_soon(call, len(handles)))


def call(number):
    words.append(str(number))
    what = choose(6)
    if what < 3:
        for _ in range(choose(4)):
            schedule()
    elif what == 3:
        handles[choose(len(handles))].cancel()
    elif what == 4:
        loop.stop()


for number_of_round in range(40):
    seed, words, handles = number_of_round, [], []
    for _ in range(5):
        schedule()
    for _ in range(20):
        loop.stop()
        loop.run_forever()
        words.append("|")
    say(f"{number_of_round}: {' '.join(words)} cancelled {sum(handle.cancelled() for handle in handles)}")
loop.close()
