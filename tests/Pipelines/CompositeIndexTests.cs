using System.Globalization;

using DataHub.Feeds;
using DataHub.Support;

namespace DataHub.Pipelines;

/// <summary>The social index of Berlin against the official classes of two districts.</summary>
public sealed class CompositeIndexTests
{
    private static readonly string[] s_status = ["S1", "S3", "S4"];
    private static readonly string[] s_dynamics = ["D1", "D3", "D4"];

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void Social_index_reproduces_the_official_classes_of_all_85_areas()
    {
        var areas = SocialData.Areas();
        Assert.Equal(542, areas.Length);
        var result = Compute(SocialMonitoring.Spec, areas);
        var official = SocialData.Classes();
        Assert.Equal(85, official.Count);
        var compared = 0;
        for (var row = 0; row < result.Rows.Count; row++)
        {
            if (!official.TryGetValue(result.Text("PLR_ID", row)!, out var area)) continue;
            compared++;
            Assert.Equal(
                (area["SI_N"], area["SI_V"], area["DI_N"], area["DI_V"], area["SDI"], area["SDI_N"], area["SDI_V"]),
                (result.Text("status_class", row), result.Text("status_class_name", row), result.Text("dynamics_class", row), result.Text("dynamics_class_name", row),
                    result.Text("sdi", row), result.Text("sdi_n", row), result.Text("sdi_v", row)));
        }

        Assert.Equal(85, compared);
        Assert.Equal((0, 0), Disagreements(result));
    }

    [SharedDataFact(SocialData.Indicators)]
    public void Areas_that_are_not_valid_stand_there_without_values_and_with_the_reason()
    {
        var result = Compute(SocialMonitoring.Spec, SocialData.Areas());
        Assert.Equal(542, result.Rows.Count);
        var excluded = Enumerable.Range(0, 542).Where(row => result.Text("excluded", row) is not null).ToArray();
        Assert.Equal(["03300515", "03400831", "04400725", "05300838", "06200418", "10100205"], excluded.Select(row => result.Text("PLR_ID", row)));
        Assert.All(excluded, row =>
        {
            Assert.StartsWith("ungültig", result.Text("KOM", row), StringComparison.Ordinal);
            Assert.Null(result.Number("status_S1_z", row));
            Assert.Null(result.Number("status_value", row));
            Assert.Null(result.Text("status_class", row));
            Assert.Null(result.Text("sdi", row));
        });
        Assert.Equal("536 von 542 Zeilen sind eingestuft.", result.Notes.Single(note => note.Code == RecipeNotes.Rows).Text.De);
    }

    [SharedDataFact(SocialData.Indicators)]
    public void Every_number_of_the_social_index_is_that_of_the_plain_formula()
    {
        var areas = SocialData.Areas();
        var valid = areas.Where(area => area["KOM"] == "gültig").OrderBy(area => area["PLR_ID"], StringComparer.Ordinal).ToArray();
        var result = Compute(SocialMonitoring.Spec, areas);
        var rows = Enumerable.Range(0, result.Rows.Count).Where(row => result.Text("excluded", row) is null).ToArray();
        Assert.Equal(valid.Select(area => area["PLR_ID"]), rows.Select(row => result.Text("PLR_ID", row)));
        foreach (var (index, columns) in new[] { ("status", s_status), ("dynamics", s_dynamics) })
        {
            var standardised = columns.Select(column => PlainScores([.. valid.Select(area => Parse(area[column]))], Deviation)).ToArray();
            for (var c = 0; c < columns.Length; c++) Near(standardised[c], [.. rows.Select(row => result.Number($"{index}_{columns[c]}_z", row)!.Value)]);
            var sums = valid.Select((_, i) => standardised.Sum(scores => scores[i])).ToArray();
            Near(sums, [.. rows.Select(row => result.Number($"{index}_sum", row)!.Value)]);
            Near(PlainScores(sums, Deviation), [.. rows.Select(row => result.Number($"{index}_value", row)!.Value)]);
        }
    }

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void Sample_deviation_gives_the_same_classes_here()
    {
        var sample = Each(index => index with { Standardisation = Standardisation.ZScoreSample, Restandardise = Standardisation.ZScoreSample });
        Assert.Equal((0, 0), Disagreements(Compute(sample, SocialData.Areas())));
    }

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void Mean_absolute_deviation_would_give_other_classes()
    {
        var valid = SocialData.Areas().Where(area => area["KOM"] == "gültig").ToArray();
        Assert.Equal((0, 0), PlainDisagreements(valid, Deviation));
        var (status, dynamics) = PlainDisagreements(valid, MeanAbsolute);
        Assert.True(status > 0 && dynamics > 0, $"{status} and {dynamics} classes differ");
    }

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void Without_the_second_standardisation_there_would_be_other_classes()
    {
        var (status, dynamics) = Disagreements(Compute(Each(index => index with { Restandardise = Standardisation.None }), SocialData.Areas()));
        Assert.True(status > 0 && dynamics > 0, $"{status} and {dynamics} classes differ");
    }

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void With_the_areas_that_are_not_valid_there_would_be_other_classes()
    {
        var (status, dynamics) = Disagreements(Compute(SocialMonitoring.Spec with { Exclusions = [] }, SocialData.Areas()));
        Assert.True(status > 0 && dynamics > 0, $"{status} and {dynamics} classes differ");
    }

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void Without_child_poverty_there_would_be_other_classes_of_status()
    {
        var (status, _) = Disagreements(Compute(Each(index => index with { Indicators = [.. index.Indicators.Where(indicator => indicator.Column != "S4")] }), SocialData.Areas()));
        Assert.True(status > 0, "no class differs");
    }

    [SharedDataFact(SocialData.Indicators, SocialData.Official)]
    public void The_two_districts_alone_as_population_would_have_other_classes()
    {
        var (status, dynamics) = Disagreements(Compute(SocialMonitoring.Spec, [.. SocialData.Areas().Where(area => area["BEZ_ID"] is "01" or "02")]));
        Assert.True(status > 0 && dynamics > 0, $"{status} and {dynamics} classes differ");
    }

    private static RecipeResult Compute(CompositeIndexSpec spec, Dictionary<string, string>[] areas)
    {
        // Not in the order of the key, and in several blocks.
        RowBlock[] blocks = [.. areas.Reverse().Chunk(200).Select(SocialData.Block)];
        var result = CompositeIndex.Compute(spec, SocialData.Columns, blocks);
        Assert.Empty(result.Problems);
        return result;
    }

    private static CompositeIndexSpec Each(Func<IndexSpec, IndexSpec> change) => SocialMonitoring.Spec with { Indices = [.. SocialMonitoring.Spec.Indices.Select(change)] };

    private static (int Status, int Dynamics) Disagreements(RecipeResult result)
    {
        var official = SocialData.Classes();
        var rows = Enumerable.Range(0, result.Rows.Count).Where(row => official.ContainsKey(result.Text("PLR_ID", row)!)).ToArray();
        Assert.Equal(85, rows.Length);
        return (
            rows.Count(row => official[result.Text("PLR_ID", row)!]["SI_N"] != result.Text("status_class", row)),
            rows.Count(row => official[result.Text("PLR_ID", row)!]["DI_N"] != result.Text("dynamics_class", row)));
    }

    /// <summary>The whole method once more, in plain doubles, with a deviation of choice.</summary>
    private static (int Status, int Dynamics) PlainDisagreements(Dictionary<string, string>[] valid, Func<double[], double> deviation)
    {
        var official = SocialData.Classes();
        var status = Values(s_status);
        var dynamics = Values(s_dynamics);
        var rows = Enumerable.Range(0, valid.Length).Where(i => official.ContainsKey(valid[i]["PLR_ID"])).ToArray();
        return (
            rows.Count(i => official[valid[i]["PLR_ID"]]["SI_N"] != (status[i] < -1 ? "1" : status[i] <= 1 ? "2" : status[i] <= 1.5 ? "3" : "4")),
            rows.Count(i => official[valid[i]["PLR_ID"]]["DI_N"] != (dynamics[i] < -1 ? "1" : dynamics[i] <= 1 ? "3" : "5")));

        double[] Values(string[] columns)
        {
            var scores = columns.Select(column => PlainScores([.. valid.Select(area => Parse(area[column]))], deviation)).ToArray();
            return PlainScores([.. valid.Select((_, i) => scores.Sum(of => of[i]))], deviation);
        }
    }

    private static double[] PlainScores(double[] values, Func<double[], double> deviation)
    {
        var (mean, by) = (values.Average(), deviation(values));
        return [.. values.Select(value => (value - mean) / by)];
    }

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    private static double MeanAbsolute(double[] values)
    {
        var mean = values.Average();
        return values.Average(value => Math.Abs(value - mean));
    }

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static void Near(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-12, $"{i}: {expected[i]:R} and {actual[i]:R}");
    }
}
