using System.Diagnostics;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>Asks all agreements about a dataset, as often as somebody wants to know.</summary>
[GrainType("datahub.dataset-agreements")]
internal sealed partial class DatasetAgreementsGrain(TimeProvider time, ILogger<DatasetAgreementsGrain> logger) : Grain, IDatasetAgreementsGrain
{
    private const int Page = 1_000;

    private const int MaxRounds = 3;

    /// <summary>How long it is believed, and how old an answer may be that took long.</summary>
    private static readonly TimeSpan s_holds = TimeSpan.FromMilliseconds(125), s_accepted = TimeSpan.FromMilliseconds(500);

    // Begins somewhere else in every activation: whoever knew another one's number asks anew.
    private long _number = Stopwatch.GetTimestamp();
    private Found? _known;
    private Task<Found>? _asking;

    public async Task<DatasetAgreements> InForceAsync(Caller caller, long known)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the hub itself asks what agreements allow");
        for (var round = 0; _known is null || time.GetElapsedTime(_known.Asked) >= s_holds; round++)
        {
            if (round == MaxRounds) throw new TimeoutException($"the agreements about {this.GetPrimaryKeyString()} take too long to say what they allow");

            // All who ask meanwhile wait for one answer; it is as old as the question.
            var asking = _asking ??= AskAsync();
            Found found;
            try
            {
                found = await asking;
            }
            finally
            {
                if (_asking == asking) _asking = null;
            }

            if (_known is null || found.Asked > _known.Asked)
            {
                var same = _known is not null && _known.IsPartial == found.IsPartial && _known.InForce.Select(one => (one.Id, one.Version)).SequenceEqual(found.InForce.Select(one => (one.Id, one.Version)));
                if (!same) _number++;
                _known = same ? found with { InForce = _known!.InForce } : found;
            }

            if (time.GetElapsedTime(_known.Asked) < s_accepted) break;
        }

        return new(_number, known == _number ? null : _known!.InForce) { IsPartial = _known!.IsPartial };
    }

    private async Task<Found> AskAsync()
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
        var all = await Task.WhenAll(ids.Select(id => AgreementsInForce.AskAsync(GrainFactory, id, logger)));
        return new([.. all.Select(one => one.InForce).OfType<AgreementInForce>()], Array.Exists(all, one => one.IsSilent), asked);
    }

    private sealed record Found(AgreementInForce[] InForce, bool IsPartial, long Asked);
}
