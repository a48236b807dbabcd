// Most tests wait for a hub more than they compute: three at once, also where there are two cores, so that none is idle.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
