using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Sharing;

/// <summary>
/// Knows for a grain which agreements about a dataset are in force. What it says is three eighths of a second old at most, so
/// that a revocation is felt well within a second; a decision in between costs no call.
/// </summary>
internal sealed partial class AgreementsInForce(IGrainFactory grains, string dataset, TimeProvider time, ILogger logger)
{
    /// <summary>How long it is believed what was asked.</summary>
    public static readonly TimeSpan Holds = TimeSpan.FromMilliseconds(250);

    private const int MaxRounds = 3;

    /// <summary>How long an agreement has to say what it allows.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(400);

    private IDatasetAgreementsGrain? _grain;
    private AgreementSet? _known;
    private long _number;
    private Task<AgreementSet>? _asking;

    /// <summary>Those in force; the same object as before where nothing was asked since.</summary>
    public ValueTask<AgreementSet> GetAsync()
    {
        if (_known is not { } known || time.GetElapsedTime(known.Asked) is var age && age >= Holds) return new(WaitAsync());

        // Asked again before it is too old, so that nobody waits for it while somebody always asks.
        if (age >= Holds / 2 && _asking is null) _ = RefreshAsync();
        return new(known);
    }

    private async Task<AgreementSet> WaitAsync()
    {
        for (var round = 0; round < MaxRounds; round++)
        {
            var found = await RefreshAsync(quietly: false);

            // All who ask meanwhile wait for one answer; it is as old as the question.
            if (time.GetElapsedTime(found!.Asked) < 2 * Holds) return found;
        }

        throw new TimeoutException($"the agreements about {dataset} take too long to say what they allow");
    }

    private async Task<AgreementSet?> RefreshAsync(bool quietly = true)
    {
        var asking = _asking ??= AskAllAsync();
        try
        {
            var found = await asking;
            if (_known is null || found.Asked > _known.Asked) _known = found;
            return _known;
        }
        catch (Exception) when (quietly)
        {
            // Whoever asks next waits for an answer, and hears why there is none.
            return null;
        }
        finally
        {
            if (_asking == asking) _asking = null;
        }
    }

    /// <summary>An agreement as it stands now; null where it is not in force, or cannot say.</summary>
    public async Task<AgreementInForce?> AskAsync(string agreement) => (await AskAsync(grains, agreement, logger)).InForce;

    /// <returns>As it stands now, or that it did not say so in time.</returns>
    public static async Task<(AgreementInForce? InForce, bool IsSilent)> AskAsync(IGrainFactory grains, string agreement, ILogger logger)
    {
        try
        {
            return (await grains.GetGrain<ISharingAgreementGrain>(agreement).InForceAsync(Caller.Hub).WaitAsync(s_patience), false);
        }
        catch (Exception e)
        {
            LogSilent(logger, e, agreement);
            return (null, true);
        }
    }

    private async Task<AgreementSet> AskAllAsync()
    {
        await Task.Yield();
        var asked = time.GetTimestamp();
        var answer = await (_grain ??= grains.GetGrain<IDatasetAgreementsGrain>(dataset)).InForceAsync(Caller.Hub, _number);
        if (answer.InForce is not { } inForce) return _known!.AsOf(asked);
        _number = answer.Number;
        return new(inForce, answer.IsPartial, asked);
    }

    [LoggerMessage(1276, LogLevel.Error, "Agreement {Agreement} does not say what it allows: it allows nothing meanwhile")]
    private static partial void LogSilent(ILogger logger, Exception exception, string agreement);
}

/// <summary>Agreements about a dataset that are in force, in the order of their ids.</summary>
/// <param name="asked">Timestamp as of which they are.</param>
/// <param name="isPartial">Another one may be in force: it did not say so.</param>
internal sealed class AgreementSet(AgreementInForce[] all, bool isPartial, long asked)
{
    private readonly ILookup<string, AgreementInForce> _byRecipient = all.ToLookup(one => one.Terms.Recipient, StringComparer.Ordinal);

    public long Asked { get; private set; } = asked;

    public bool IsPartial => isPartial;

    /// <summary>The same ones are still in force, as of later.</summary>
    public AgreementSet AsOf(long later)
    {
        Asked = Math.Max(Asked, later);
        return this;
    }

    /// <summary>Those that may let a caller in: of his agency, or of agencies whose groups he is in.</summary>
    public IEnumerable<AgreementInForce> With(Caller caller)
    {
        if (all.Length == 0) return [];
        if (caller.Agency is { } agency) return _byRecipient[agency];
        return caller.Grants.Groups.Select(Subjects.AgencyOf).Distinct().SelectMany(one => _byRecipient[one]).OrderBy(one => one.Id, StringComparer.Ordinal);
    }
}
