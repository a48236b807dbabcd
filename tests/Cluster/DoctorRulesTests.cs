using DataHub.Operator;
using DataHub.Storage.Postgres;

using Orleans.Runtime;

namespace DataHub.Cluster;

/// <summary>What the doctor makes of the facts.</summary>
public sealed class DoctorRulesTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 26, 3, 0, 0, TimeSpan.Zero);

    private static readonly DoctorFacts s_well = new("datahub", s_now, TimeSpan.FromMilliseconds(3), new("15.1", "on", "on", "on", 297, 3, 90, 3), new("0005_orleans", 0, null), 30)
    {
        Incarnation = Guid.NewGuid(),
        Shards = 32,
        Silos = [Silo("a"), Silo("b"), Silo("c")],
        Partitions = [new("luft/0", 3, 10, new(10, null), new(10, null))],
        Clocks = new Dictionary<string, TimeSpan> { ["a"] = TimeSpan.FromMilliseconds(-40) },
    };

    [Fact]
    public void A_cluster_that_is_well_has_no_findings() => Assert.Empty(DoctorRules.Findings(s_well));

    [Fact]
    public void Every_finding_says_in_german_and_english_what_is_wrong_and_what_to_do()
    {
        var ill = s_well with
        {
            Here = TimeSpan.FromSeconds(-5),
            Server = s_well.Server with { Fsync = "off", FullPageWrites = "off", Others = 250 },
            Silos = [Silo("a"), Silo("b") with { Alive = s_now.AddMinutes(-2) }, Silo("c") with { Status = SiloStatus.Dead, Suspected = Suspicion(s_now.AddMinutes(-3)) }, Silo("d") with { Suspected = Suspicion(s_now.AddMinutes(-1)) }],
            Partitions = [new("luft/0", 3, 10, new(4, s_now.AddMinutes(-1)), new(7, s_now.AddMinutes(-1)))],
            Halted = [new("luft/0", "fold", 5, s_now.AddMinutes(-1), "because")],
            Mute = ["history laerm/0"],
        };
        var findings = DoctorRules.Findings(ill);
        Assert.Equal(
            ["clock-skew", "connections", "dead-silo", "halted", "lag", "mute", "not-durable-fsync", "not-durable-full-page-writes", "silent-silo", "suspected-silo"],
            findings.Select(finding => finding.Code).Order(StringComparer.Ordinal));
        Assert.All(findings, finding =>
        {
            Assert.NotEqual(finding.Text.De, finding.Text.En);
            Assert.NotEqual(finding.Advice.De, finding.Advice.En);
            Assert.NotEmpty(finding.Advice.En!);
        });
    }

    [Fact]
    public void One_more_silo_that_would_not_get_its_connections_is_told_before_the_rolling_replacement()
    {
        var tight = s_well with { Server = s_well.Server with { Others = 178 } };
        Assert.Contains("29 connections are left, one more silo wants 30", Assert.Single(DoctorRules.Findings(tight)).Text.En, StringComparison.Ordinal);
        Assert.Empty(DoctorRules.Findings(tight with { Server = tight.Server with { Others = 177 } }));
    }

    [Fact]
    public void A_halted_batch_is_not_told_as_lag_too()
    {
        var halted = s_well with
        {
            Partitions = [new("luft/0", 3, 10, new(4, s_now.AddMinutes(-9)), new(10, null))],
            Halted = [new("luft/0", "fold", 5, s_now.AddMinutes(-9), "because")],
        };
        Assert.Equal("halted", Assert.Single(DoctorRules.Findings(halted)).Code);
        Assert.Equal("lag", Assert.Single(DoctorRules.Findings(halted with { Halted = [] })).Code);
        Assert.Empty(DoctorRules.Findings(halted with { Halted = [], MaxLag = TimeSpan.FromMinutes(10) }));
    }

    [Theory]
    [InlineData(1.9, 0)]
    [InlineData(-1.9, 0)]
    [InlineData(2.1, 1)]
    [InlineData(-2.1, 1)]
    public void A_clock_may_differ_from_the_databases_by_two_seconds(double ahead, int findings)
    {
        Assert.Equal(findings, DoctorRules.Findings(s_well with { Clocks = new Dictionary<string, TimeSpan> { ["b"] = TimeSpan.FromSeconds(ahead) } }).Count);
        Assert.Equal(findings, DoctorRules.Findings(s_well with { Here = TimeSpan.FromSeconds(ahead) }).Count);
    }

    [Fact]
    public void A_silo_that_died_long_ago_or_stopped_in_order_is_no_news() => Assert.Empty(DoctorRules.Findings(s_well with
    {
        Silos = [.. s_well.Silos, Silo("d") with { Status = SiloStatus.Dead, Suspected = Suspicion(s_now.AddHours(-2)) }, Silo("e") with { Status = SiloStatus.Dead, Suspected = $"10.0.0.1:11111@1,{s_now:yyyy-MM-dd HH:mm:ss.fff} GMT" }],
    }));

    [Fact]
    public void With_another_schema_nothing_else_is_looked_at()
    {
        var old = s_well with { Schema = new("0005_orleans", 2, null), Silos = [] };
        Assert.Contains("silo migrate", Assert.Single(DoctorRules.Findings(old)).Advice.En, StringComparison.Ordinal);
    }

    private static SiloFacts Silo(string name) => new(name, "10.0.0.1", 11_111, 1, SiloStatus.Active, s_now.AddDays(-1), s_now.AddSeconds(-3), null);

    /// <summary>As Orleans writes it.</summary>
    private static string Suspicion(DateTimeOffset at) => $"10.0.0.2:11111@123,{at:yyyy-MM-dd HH:mm:ss.fff} GMT";
}
