// Locks, queues and joins with Boost.Fiber: its mutex, condition variable and channel, one thread.
//
// Its mutex does not hand over, so who unlocks could take it again at once; each user gives the
// others a turn after unlocking, which is what the work is. It has no semaphore: that is its mutex
// and condition variable. A group is 1,000 fibers that are joined; gather is futures of them.
#include "waits.h"

#include <boost/fiber/all.hpp>
#include <vector>

namespace fibers = boost::fibers;

static void run_users(std::size_t users, long count, auto use)
{
    std::vector<fibers::fiber> all;

    for (std::size_t i = 0; i < users; i++)
        all.emplace_back([=] {
            for (long left = count / (long)users; left > 0; left--)
                use();
        });
    for (auto &one : all)
        one.join();
}

static void share_lock(long count)
{
    fibers::mutex mutex;

    run_users(LOCKERS, count, [&mutex] {
        std::unique_lock<fibers::mutex> held(mutex);
        boost::this_fiber::yield();
        held.unlock();
        boost::this_fiber::yield();
    });
}

static void share_semaphore(long count)
{
    fibers::mutex mutex;
    fibers::condition_variable freed;
    int units = UNITS;

    run_users(USERS, count, [&] {
        std::unique_lock<fibers::mutex> held(mutex);
        freed.wait(held, [&] { return units > 0; });
        units--;
        held.unlock();
        boost::this_fiber::yield();
        held.lock();
        units++;
        held.unlock();
        freed.notify_one();
    });
}

static void hand_over(long count)
{
    fibers::buffered_channel<void *> channel(2); // one place stays empty

    fibers::fiber put([&] {
        for (long i = 0; i < count; i++)
            channel.push(&channel);
    });
    fibers::fiber get([&] {
        void *item;
        for (long i = 0; i < count; i++)
            channel.pop(item);
    });
    put.join();
    get.join();
}

static void groups(long count)
{
    std::vector<fibers::fiber> children(CHILDREN);

    for (; count > 0; count -= CHILDREN) {
        for (auto &child : children)
            child = fibers::fiber(fibers::launch::post, [] { boost::this_fiber::yield(); });
        for (auto &child : children)
            child.join();
    }
}

static void gathers(long count)
{
    std::vector<fibers::future<void>> children(CHILDREN);

    for (; count > 0; count -= CHILDREN) {
        for (auto &child : children)
            child = fibers::async(fibers::launch::post, [] { boost::this_fiber::yield(); });
        for (auto &child : children)
            child.get();
    }
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    if (bench_is(argv, "lock"))
        return waits_measure(share_lock, count);
    if (bench_is(argv, "semaphore"))
        return waits_measure(share_semaphore, count);
    if (bench_is(argv, "queue"))
        return waits_measure(hand_over, count);
    if (bench_is(argv, "group"))
        return waits_measure(groups, count);
    if (bench_is(argv, "gather"))
        return waits_measure(gathers, count);
    return bench_unknown(argv);
}
