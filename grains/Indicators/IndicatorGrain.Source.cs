using System.Diagnostics;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Indicators;

/// <summary>
/// What the indicator knows of its dataset: areas, licence, and what decides who may read. The dataset tells of changes;
/// whoever missed that asks, before anything that is older than <see cref="SourceHolds"/> decides.
/// </summary>
internal sealed partial class IndicatorGrain
{
    /// <summary>
    /// How long it is believed without asking what the dataset was. Where the dataset does not answer, what is not open is
    /// answered by nothing older than four times that; what is open goes on.
    /// </summary>
    public static readonly TimeSpan SourceHolds = TimeSpan.FromMilliseconds(250);

    private long _sourceAsked = long.MinValue;
    private Task? _askingSource;

    public async Task SourceChangedAsync(Caller caller, DatasetInfo dataset)
    {
        if (caller != Caller.Hub) throw new UnauthorizedAccessException("only the dataset tells what it is");
        if (_stored.Value.Definition is null) return;
        Take(IndicatorRules.SourceOf(dataset));

        // From now on nobody is answered by what the dataset was before.
        await ToldAsync(_news);
    }

    public async Task<AccessExplanation?> AccessAsync(Caller caller, Caller subject)
    {
        if (!await KnowInputsAsync() || _stored.Value.Definition is not { } definition) return null;

        // As when values are read: while a stricter version is pending it holds already, and a formula is no more open than its inputs.
        var open = definition.Spec.Access == AccessClass.Open && _stored.Value.Pending is not { Spec.Access: AccessClass.Internal } && FormulaRules.AreOpen(_inputs);
        return AccessRules.Explain(caller, subject, Source.Holding(open ? AccessClass.Open : AccessClass.Internal));
    }

    private TimeSpan SourceAge() => _sourceAsked == long.MinValue ? TimeSpan.MaxValue : Stopwatch.GetElapsedTime(_sourceAsked);

    /// <summary>Whether the caller may know that there is such an indicator: whoever may know of its dataset.</summary>
    private async ValueTask<bool> IsKnownToAsync(Caller caller)
    {
        if (_stored.Value.Definition is null) return false;
        if (caller != Caller.Hub) await KnowSourceAsync();
        return AccessRules.May(caller, AccessRights.ReadMetadata, Source.Holding(AccessClass.Internal));
    }

    private ValueTask KnowSourceAsync()
    {
        return _stored.Value.Definition is null || SourceAge() < SourceHolds ? ValueTask.CompletedTask : AskAsync();

        async ValueTask AskAsync() =>
            await (_askingSource ??= AskSourceAsync()).WaitAsync(SourceHolds).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private async Task AskSourceAsync()
    {
        await Task.Yield();
        try
        {
            // What comes is as old as the question.
            var asked = Stopwatch.GetTimestamp();
            var dataset = await GrainFactory.GetGrain<IDatasetGrain>(_stored.Value.Definition!.Spec.Dataset).GetAsync(Caller.Hub);
            if (asked < _sourceAsked) return;
            if (dataset is not null) Take(IndicatorRules.SourceOf(dataset));
            _sourceAsked = asked;
        }
        catch (Exception e)
        {
            LogSourceUnknown(e, Id);
        }
        finally
        {
            _askingSource = null;
        }
    }

    private void Take(IndicatorSource source)
    {
        if (source == Source) return;
        _source = source;
        _byRight.Clear();
        _ledger?.Outdate();
        Signal();
        SettleSoon();
    }

    [LoggerMessage(1215, LogLevel.Warning, "Indicator {Indicator}: its dataset could not be asked")]
    private partial void LogSourceUnknown(Exception exception, string indicator);
}
