// Most tests wait for a hub more than they compute: twice as many at once as there are cores at least, so that none is idle.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
