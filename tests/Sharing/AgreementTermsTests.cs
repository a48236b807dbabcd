using System.Text;

using DataHub.Catalog;
using DataHub.Support;

namespace DataHub.Sharing;

/// <summary>Terms: their bytes, and what the charter says of them.</summary>
public sealed class AgreementTermsTests
{
    private static readonly DateTimeOffset s_start = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    private static AgreementTerms Full { get; } = AgreementRulesTests.Terms() with
    {
        ForbiddenPurposes = [new("werbung", new("Werbung", null))],
        Data = new() { Fields = ["station", "no2"], From = s_start, To = s_start.AddYears(1), Areas = ["01"], Filter = "no2 > 0", FinestLevel = 1, SmallestGroup = 5 },
        Delivery = new() { Form = AgreementForm.Values, Rhythm = "PT1H", RowsPerDay = 10 },
        Use = new() { Groups = ["bezirk/planung"], Keys = ["b4Xk29Qz"], Networks = ["192.0.2.0/24", "2001:db8::/32"], OnwardTransfer = OnwardTransfer.WithConsent, Publication = PublicationRule.AggregatesOnly },
        Duties = [new("bericht", DutyKind.Report, new("Bericht", "Report")) { Every = "P1M", Missed = DutyMiss.Suspension }, new("loeschen", DutyKind.Delete, new("Löschen", null)) { Due = s_start.AddYears(2) }],
        FourEyes = new() { Provider = true },
    };

    [Fact]
    public void What_is_written_is_read_again_and_hashed_the_same()
    {
        var happened = new AgreementEvent(3, s_start.AddTicks(1), "key:amt.1", AgreementSide.Provider, AgreementAct.Change, 2) { Reason = "„Grund“\n", Duty = "d", Due = s_start, Evidence = "e", Charter = "1", Terms = Full };
        var content = AgreementContent.Write("v", happened);
        var read = AgreementContent.Read("v", content)!;
        Assert.Equal(content, AgreementContent.Write("v", read));
        Assert.Equal(AgreementContent.Terms(Full), AgreementContent.Terms(read.Terms!));
        Assert.Equal(happened with { Terms = null }, read with { Terms = null });
        Assert.Null(AgreementTermsRules.Fault(AgreementTermsRules.Normal(read.Terms!)));
        Assert.Null(AgreementContent.Read("w", content));
        Assert.Null(AgreementContent.Read("v", "{}"u8.ToArray()));
    }

    /// <summary>Logs that were written once are read for ever.</summary>
    [Fact]
    public void The_bytes_of_an_event_are_these()
    {
        var content = AgreementContent.Write("v", new(2, new(2026, 11, 27, 8, 0, 0, TimeSpan.Zero), "key:amt.1", AgreementSide.Recipient, AgreementAct.FulfilDuty, 1) { Duty = "bericht", Evidence = "Größe" });
        Assert.Equal(
            """{"v":1,"agreement":"v","number":2,"at":"2026-11-27T08:00:00.0000000Z","who":"key:amt.1","side":"recipient","act":"fulfil-duty","version":1,"detail":{"duty":"bericht","evidence":"Größe"}}""",
            Encoding.UTF8.GetString(content));
        Assert.Equal(
            """{"title":{"de":"Luft","en":"Air"},"provider":"amt","recipient":"bezirk","dataset":"luft","purposes":[{"id":"planung","text":{"de":"Planung","en":"Planning"}}],"term":{"from":"2026-12-02T00:00:00+00:00","until":"2027-12-02T00:00:00+00:00","notice":"P30D"},"forbiddenPurposes":[],"legalBasis":"§ 12 EGovG","data":{"smallestGroup":0},"delivery":{"form":"both"},"use":{"onwardTransfer":"none","publication":"none"},"duties":[{"id":"loeschen","kind":"delete","text":{"de":"Löschen","en":"Delete"},"due":"2029-02-08T00:00:00+00:00","missed":"notice"}],"fourEyes":{"provider":false,"recipient":false}}""",
            Encoding.UTF8.GetString(AgreementContent.Terms(AgreementRulesTests.Terms())));
    }

    [Fact]
    public void Each_clause_of_the_charter_fails_for_its_own_reason_only()
    {
        var personal = Dataset(personal: true);
        Assert.Empty(Failed(Full, Dataset()));
        Assert.Empty(Failed(Full, personal));
        Assert.Equal(["openness"], Failed(Full with { Use = Full.Use with { Publication = PublicationRule.None } }, Dataset()));
        Assert.Equal(["sovereignty"], Failed(Full with { Use = Full.Use with { OnwardTransfer = OnwardTransfer.Allowed } }, Dataset()));
        Assert.Empty(Failed(Full with { Use = Full.Use with { OnwardTransfer = OnwardTransfer.Allowed } }, Dataset(access: AccessClass.Open)));
        Assert.Equal(["transparency"], Failed(Full with { LegalBasis = null }, Dataset()));
        Assert.Equal(["accountability"], Failed(Full with { Duties = Full.Duties[1..] }, Dataset()));
        Assert.Equal(["exit"], Failed(Full with { Term = Full.Term with { Notice = "P13M" } }, Dataset()));
        Assert.Equal(["proportionality"], Failed(Full with { Data = Full.Data with { SmallestGroup = 4 } }, personal));
        Assert.Empty(Failed(Full with { Data = Full.Data with { SmallestGroup = 0 } }, Dataset()));
        Assert.Empty(Failed(Full with { Data = Full.Data with { SmallestGroup = 0 }, Delivery = new() { Form = AgreementForm.Rows } }, personal));

        // Personal fields are given only where they are named, and then more is asked for.
        var named = Full with { Data = Full.Data with { Fields = ["station", "name"] } };
        Assert.Empty(Failed(named, personal));
        Assert.Equal(["purpose"], Failed(named with { ForbiddenPurposes = [] }, personal));
        Assert.Equal(["proportionality"], Failed(named with { Data = new() { Fields = ["name"], SmallestGroup = 5 } }, personal));
        Assert.Equal(["security"], Failed(named with { Use = new() { Publication = PublicationRule.Free } }, personal));
        Assert.Equal(["exit"], Failed(named with { Duties = Full.Duties[..1] }, personal));
        Assert.Empty(Failed(named with { Use = Full.Use with { Publication = PublicationRule.None } }, personal));

        // One by one as evidence they are limited by the question.
        Assert.Empty(Failed(named with { Data = new() { Fields = ["name"] }, Delivery = new() { Form = AgreementForm.Evidence } }, personal));

        static string[] Failed(AgreementTerms terms, DatasetSpec dataset)
        {
            var checks = CharterRules.Check(terms, dataset);
            Assert.Equal(Charter.Clauses.Select(clause => clause.Id), checks.Select(check => check.Clause));
            Assert.All(checks, check => Assert.False(string.IsNullOrWhiteSpace(check.Text.De) || string.IsNullOrWhiteSpace(check.Text.En)));
            return [.. checks.Where(check => check.Fulfilled == false).Select(check => check.Clause)];
        }
    }

    [Fact]
    public void Single_records_have_no_level_and_no_smallest_group()
    {
        var evidence = Full with { Delivery = new() { Form = AgreementForm.Evidence }, Data = new() { Fields = ["station"] } };
        Assert.Null(AgreementTermsRules.Fault(evidence));
        Assert.Contains("delivery.form", AgreementTermsRules.Fault(evidence with { Data = new() { SmallestGroup = 5 } })!.De, StringComparison.Ordinal);
        Assert.Contains("delivery.form", AgreementTermsRules.Fault(evidence with { Data = new() { FinestLevel = 1 } })!.En, StringComparison.Ordinal);
    }

    [Fact]
    public void Areas_and_levels_are_those_of_the_datasets_system()
    {
        var dataset = new DatasetInfo("luft", Dataset() with { AreaSystem = "stadt" }, [], 1, [], [], s_start, s_start);
        var areas = new Dictionary<string, int> { ["01"] = 0, ["0110"] = 1 };
        Assert.Null(AgreementTermsRules.Fault(Full, dataset, areas, new()));
        Assert.Contains("data.areas", AgreementTermsRules.Fault(Full with { Data = Full.Data with { Areas = ["01", "02"] } }, dataset, areas, new())!.De, StringComparison.Ordinal);
        Assert.Contains("data.finestLevel", AgreementTermsRules.Fault(Full with { Data = Full.Data with { FinestLevel = 2 } }, dataset, areas, new())!.En, StringComparison.Ordinal);
        Assert.Contains("data.finestLevel", AgreementTermsRules.Fault(Full with { Data = Full.Data with { Areas = null } }, dataset, null, new())!.En, StringComparison.Ordinal);
        Assert.Contains("provider", AgreementTermsRules.Fault(Full with { Provider = "andere" }, dataset, areas, new())!.De, StringComparison.Ordinal);
        Assert.Contains("data.filter", AgreementTermsRules.Fault(Full with { Data = Full.Data with { Filter = "no2 >" } }, dataset, areas, new())!.De, StringComparison.Ordinal);
    }

    private static DatasetSpec Dataset(bool personal = false, AccessClass access = AccessClass.Internal)
    {
        var schema = Contracts.AirQuality.Schema;
        if (personal) schema = schema with { Fields = [.. schema.Fields, new FieldSpec("name", FieldType.String, null, FieldRole.Personal, FieldConstraints.None, null, null, null)] };
        return new(new("Luft", null), "amt", DatasetKind.Observations, access, "dl-de/by-2-0", null, schema, null);
    }
}
