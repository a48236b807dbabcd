using System.Diagnostics;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>Asks all agreements about a dataset, as often as somebody wants to know.</summary>
[GrainType("datahub.dataset-agreements")]
internal sealed partial class DatasetAgreementsGrain(TimeProvider time, ILogger<DatasetAgreementsGrain> logger) : Grain, IDatasetAgreementsGrain
{
    private const int Page = 1_000;

    private static readonly TimeSpan s_holds = TimeSpan.FromMilliseconds(125);

    // Begins somewhere else in every activation: whoever knew another one's number asks anew.
    private long _number = Stopwatch.GetTimestamp();
    private (AgreementInForce[] InForce, long Asked)? _known;
    private Task<(AgreementInForce[] InForce, long Asked)>? _asking;

    public async Task<DatasetAgreements> InForceAsync(Caller caller, long known)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself asks what agreements allow");
        while (_known is not { } standing || time.GetElapsedTime(standing.Asked) >= s_holds)
        {
            // All who ask meanwhile wait for one answer; it is as old as the question.
            var asking = _asking ??= AskAsync();
            (AgreementInForce[] InForce, long Asked) found;
            try
            {
                found = await asking;
            }
            finally
            {
                if (_asking == asking) _asking = null;
            }

            if (_known is { } present && found.Asked <= present.Asked) continue;
            if (_known is not { } old || !old.InForce.Select(one => (one.Id, one.Version)).SequenceEqual(found.InForce.Select(one => (one.Id, one.Version)))) _number++;
            else found = (old.InForce, found.Asked);
            _known = found;
            if (time.GetElapsedTime(found.Asked) < 2 * s_holds) break;
        }

        return new(_number, known == _number ? null : _known!.Value.InForce);
    }

    private async Task<(AgreementInForce[] InForce, long Asked)> AskAsync()
    {
        await Task.Yield();
        var asked = time.GetTimestamp();
        var ids = new List<string>();
        for (string? after = null; ;)
        {
            var page = await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.AgreementsOn(this.GetPrimaryKeyString())).ListAsync(Caller.Hub, after, Page);
            ids.AddRange(page);
            if (page.Length < Page) break;
            after = page[^1];
        }

        // One that cannot say is not in force, and the others are not touched by it.
        return ([.. (await Task.WhenAll(ids.Select(id => AgreementsInForce.AskAsync(GrainFactory, id, logger)))).OfType<AgreementInForce>()], asked);
    }
}
