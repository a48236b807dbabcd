using System.Diagnostics;

namespace DataHub.Indicators;

/// <summary>
/// Leases: a front-end answers polls from its memory, and still nobody sees a value go back (I6), because a newer version
/// is given out only when every holder of a lease knows that there is news (design §2.7).
/// </summary>
internal sealed partial class IndicatorGrain
{
    private readonly AnswerLeases _leases = new();
    private TaskCompletionSource _renewed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The newest version that was given out, and which number of news stood then.</summary>
    private (long News, long Version) _given;
    private long _released;

    public async Task<AnswerLease> LeaseAsync(Guid holder, long known, CancellationToken cancellationToken)
    {
        var length = options.Value.Lease;
        if (known == AnswerLease.Returned)
        {
            _leases.Return(holder);
            _renewed.TrySetResult();
            return default;
        }

        if (length == TimeSpan.Zero || _retired || _stored.Value.Definition is null) return default;
        var now = Stopwatch.GetTimestamp();
        _leases.Renew(holder, known, now + Ticks(length));
        _renewed.TrySetResult();

        // Who asks by a lease asks for all who poll: folds and inputs are looked after as for each of these.
        if (await KnowInputsAsync()) _ = LookAfterAsync();
        for (var ends = now + (Ticks(length) / 2); known == _news && !_retired && !cancellationToken.IsCancellationRequested && Left(ends) is { Ticks: > 0 } left;)
        {
            using var heard = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(_heard.Task, Task.Delay(left, heard.Token));
            await heard.CancelAsync();
        }

        return _retired ? default : new(_news, length);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // The next activation knows of no lease: it must not be asked before they have ended.
        _retired = true;
        Signal();
        if (_allowances is not null) await _allowances.EndAsync();
        if (_leases.Last(Stopwatch.GetTimestamp()) is { } last && Left(last) is { Ticks: > 0 } left) await Task.Delay(left, CancellationToken.None);
    }

    /// <summary>Gives out a page once no front-end answers by an older version.</summary>
    private async ValueTask<ValuesResult> GiveAsync(ValuesResult result)
    {
        if (result.Page is { } page) await ReleaseAsync(page.Version);
        return result;
    }

    private ValueTask ReleaseAsync(long version)
    {
        // Under the present number somebody may hold an older version: there is news.
        if (_given.News == _news && _given.Version < version) Signal();
        if (_given.News != _news || version > _given.Version) _given = (_news, version);
        return version <= _released ? ValueTask.CompletedTask : WaitAsync();

        async ValueTask WaitAsync()
        {
            await ToldAsync(_news);
            _released = Math.Max(_released, version);
        }
    }

    /// <summary>Waits until every holder of a lease has taken note of a number, or of a later one, or has no lease any more.</summary>
    private async ValueTask ToldAsync(long number)
    {
        while (_leases.Unaware(number, _news, Stopwatch.GetTimestamp()) is { } last)
        {
            if (_renewed.Task.IsCompleted) _renewed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using var told = new CancellationTokenSource();
            await Task.WhenAny(_renewed.Task, Task.Delay(Left(last) is { Ticks: > 0 } left ? left : TimeSpan.FromMilliseconds(1), told.Token));
            await told.CancelAsync();
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static TimeSpan Left(long until) => TimeSpan.FromSeconds((until - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency);
}
