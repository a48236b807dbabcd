using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Pipelines;

/// <summary>Which runs an erasure reaches, and what it takes of them.</summary>
public sealed class RunErasureRulesTests
{
    private static readonly Guid s_incarnation = Guid.NewGuid();
    private static readonly DateTimeOffset s_requested = new(2026, 11, 28, 8, 0, 0, TimeSpan.Zero);
    private static readonly RowsErased s_rows = new("personen", s_incarnation, [10, 20], s_requested, []);

    [Theory]
    [InlineData(9, 20, true)]
    [InlineData(10, 19, true)]
    [InlineData(10, 20, false)]
    [InlineData(11, 25, false)]
    public void A_run_is_reached_that_read_before_the_retractions_were_in_every_partition(long first, long second, bool reached) =>
        Assert.Equal(reached, RunErasureRules.Reaches(Run(Reading(new Watermark(s_incarnation, "personen", [first, second]))), s_rows));

    [Fact]
    public void A_watermark_that_says_nothing_counts_as_one_of_before()
    {
        Assert.True(RunErasureRules.Reaches(Run(Reading(new Watermark(Guid.NewGuid(), "personen", [99, 99]))), s_rows));
        Assert.True(RunErasureRules.Reaches(Run(new PinnedInput("zeilen") { Dataset = "personen", Watermark = "w1.?" }), s_rows));
    }

    [Fact]
    public void What_has_not_begun_to_read_and_what_reads_something_else_is_not_reached()
    {
        var before = new Watermark(s_incarnation, "personen", [1, 1]);
        Assert.False(RunErasureRules.Reaches(Run(Reading(before), attempts: 0), s_rows));
        Assert.False(RunErasureRules.Reaches(Run(Reading(before) with { Dataset = "andere" }), s_rows));
    }

    [Theory]
    [InlineData(-1, 1, true)]
    [InlineData(0, 1, true)]
    [InlineData(4, 1, true)]
    [InlineData(6, 1, false)]
    [InlineData(-1, 0, false)]
    public void A_run_is_reached_that_began_to_write_into_the_dataset_before_it_was_requested_by_clocks_that_may_differ_by_five_minutes(int minutes, int attempts, bool reached)
    {
        var run = Writing(minutes, attempts);
        Assert.Equal(reached, RunErasureRules.Reaches(run, s_rows));
        Assert.True(RunErasureRules.Reaches(run, s_rows with { Files = ["F2"] }));
        Assert.False(RunErasureRules.Reaches(Writing(1, 0), s_rows with { Files = ["F9"] }));
    }

    [Fact]
    public void The_files_of_a_write_are_those_behind_its_table_and_what_was_fetched_is_apart()
    {
        var erased = RunErasureRules.Of(Writing(-1, 1), s_rows);
        Assert.Equal(["F1"], erased.Files);
        Assert.Equal(["F2"], erased.Fetched);
        Assert.Empty(erased.Derived);
    }

    [Fact]
    public void What_was_written_elsewhere_from_the_rows_is_named_but_not_by_a_shadow()
    {
        var run = Run(Reading(new Watermark(s_incarnation, "personen", [1, 1])));
        Assert.Equal(["summen"], RunErasureRules.Of(run, s_rows).Derived);
        Assert.Empty(RunErasureRules.Of(run with { Pinned = run.Pinned with { ShadowOf = "X" } }, s_rows).Derived);
    }

    [Fact]
    public void Counts_and_hashes_stay_and_words_that_may_have_values_go()
    {
        var run = Run(Reading(new Watermark(s_incarnation, "personen", [1, 1])));
        var said = new LocalText("Erika ist keine Zahl", "Erika is no number");
        run = run with
        {
            Cause = said,
            Steps = [.. run.Steps.Select(step => step with { RowsOut = 7, Sha256 = [1, 2], Cause = said, Notes = [new("info", said)] })],
            Breaks = [new(run.Steps[0] with { Cause = said }, RunState.Fail, s_requested, said, s_requested)],
        };
        var erased = RunErasureRules.Erased(run, s_rows, gone: false, s_requested);
        Assert.All(erased.Steps, step => Assert.Equal((7L, 2, 0), (step.RowsOut, step.Sha256!.Length, step.Notes.Length)));
        Assert.DoesNotContain("Erika", System.Text.Json.JsonSerializer.Serialize(erased), StringComparison.Ordinal);
        Assert.Equal("Tabellen gelöscht, weil Zeilen von „personen“ gelöscht wurden, am 28.11.2026 um 08:00 UTC. Zahlen und Hashwerte bleiben.", erased.TablesErased!.Words().De);
        Assert.Null(RunErasureRules.Erased(run, s_rows, gone: true, s_requested).TablesErased);
    }

    private static PinnedInput Reading(Watermark watermark) => new("zeilen") { Dataset = "personen", Watermark = watermark.ToString() };

    private static RunInfo Run(PinnedInput input, int attempts = 1) => Of(
        [
            new("zeilen") { Read = new() { Dataset = "personen" } }, new("fremd") { Read = new() { Dataset = "fremd" } },
            new("summe") { Transform = new(["zeilen"], "SELECT 1") }, new("hinaus") { Write = new("summe", "summen") }, new("auch") { Write = new("fremd", "anderes") },
        ],
        [input], attempts, s_requested.AddMinutes(-1));

    private static RunInfo Writing(int minutes, int attempts)
    {
        var run = Of(
            [
                new("a") { Read = new() { File = new() } }, new("b") { Read = new() { File = new(), Url = "https://a.example/b.csv" } }, new("c") { Read = new() { File = new() } },
                new("beide") { Transform = new(["a", "b"], "SELECT 1") }, new("hinein") { Write = new("beide", "personen") },
            ],
            [new("a") { File = "F1" }, new("b") { File = "F2", Url = "https://a.example/b.csv" }, new("c") { File = "F3" }], 1, s_requested.AddMinutes(-5));
        return run with { Steps = [.. run.Steps[..^1], run.Steps[^1] with { Attempts = attempts, Started = attempts == 0 ? null : s_requested.AddMinutes(minutes) }] };
    }

    private static RunInfo Of(StepSpec[] steps, PinnedInput[] inputs, int attempts, DateTimeOffset started) => new(
        new("R", "j", 1, new(new LocalText("j", null), "amt", steps), started, "key:amt.1", inputs, "DuckDB"), RunState.Complete,
        [.. steps.Select(step => new StepInfo(step.Id, step.Kind!, RunState.Complete) { Attempts = attempts, Started = started })]);
}
