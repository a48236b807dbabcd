namespace DataHub.Support;

/// <summary>Tests that start, load and kill whole programs: one after the other, and when no other test runs, so that what they see is their own doing.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessesCollection
{
    public const string Name = "Processes";
}
