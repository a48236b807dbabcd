using System.Diagnostics;
using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Governance;
using DataHub.Sharing;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>
/// Owns a definition and answers with its values. Polls interleave: one that finds the present version at hand never
/// waits for another that reads cells; what a read means is decided by <see cref="AnswerLedger"/> in the turn in which it
/// comes back.
/// </summary>
[GrainType("datahub.indicator")]
internal sealed partial class IndicatorGrain(
    [PersistentState("indicator", "state")] IPersistentState<IndicatorState> state,
    [PersistentState("indicator-versions", "state")] IPersistentState<IndicatorVersions> versions,
    ILogStore log,
    IHistoryStore history,
    IContractSource contracts,
    IOptions<ReadOptions> read,
    IOptions<IndicatorOptions> options,
    IOptions<AuditOptions> audit,
    AuditTrail trail,
    TimeProvider time,
    ILogger<IndicatorGrain> logger) : Grain, IIndicatorGrain, IOutboxGrain
{
    /// <summary>Reads of one query that others overtook, before its callers get 503.</summary>
    private const int MaxAttempts = 20;

    private static readonly TimeSpan s_joinPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_checkLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_readLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(20);

    private readonly Dictionary<ValuesQuery, Task<Loaded>> _loads = [];
    private StoredState<IndicatorState> _stored = null!;
    private Outbox<IndicatorState> _outbox = null!;
    private StoredState<IndicatorVersions> _reserved = null!;
    private IGrainTimer _settle = null!;
    private AnswerLedger? _ledger;
    private IndicatorDefinition? _answering;
    private (int Version, DefinitionProgress Progress) _progress;
    private AreaTree? _areas;
    private IndicatorSource? _source;
    private IndicatorInfo? _info;
    private (IndicatorState? Stored, IndicatorSource? Source, DefinitionProgress? Progress) _infoOf;
    private Guid? _incarnation;
    private long _lastVersion;
    private (int Version, Task<bool> Answer)? _joining;
    private Task? _reserving;
    private Task? _checking;
    private long _checked = long.MinValue;
    private long _foldsFailed;
    private (long[]? Sequences, string Text) _baseText = (null, "");
    private (long[]? Sequences, string Text) _currentText = (null, "");

    private string Id => this.GetPrimaryKeyString();

    /// <summary>What the dataset was when last looked at; newer than what is stored.</summary>
    private IndicatorSource Source => _source ?? _stored.Value.Source!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stored = new(state, Retire);
        _outbox = new(_stored, trail, audit.Value, this, logger);
        _outbox.Start();
        _reserved = new(versions, Retire);
        _lastVersion = _reserved.Value.Reserved;
        _settle = this.RegisterGrainTimer(SettleAsync, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        SettleSoon();
        return Task.CompletedTask;
    }

    public async Task<IndicatorResult> PutAsync(Caller caller, IndicatorSpec spec)
    {
        var dataset = CatalogIds.IsValid(spec.Dataset) ? await GrainFactory.GetGrain<IDatasetGrain>(spec.Dataset).GetAsync(caller) : null;
        var (next, result) = IndicatorRules.Put(_stored.Value, Id, caller, spec, dataset, options.Value, await OthersAsync(spec, dataset));
        if (result.Refusal != CatalogRefusal.None) return result;
        if (_outbox.IsFull) return new(CatalogRefusal.Unavailable, null, OutboxText.Full);

        if (result.Created)
        {
            // Noted before it is stored: a list may name what is not there yet, but never miss what is.
            try
            {
                await GrainFactory.GetGrain<ICatalogGrain>(CatalogKinds.Indicators).AddAsync(Caller.Hub, Id);
            }
            catch (CatalogFullException e)
            {
                return new(CatalogRefusal.TooMany, null, new(e.Message, e.Message));
            }

            var attached = await GrainFactory.GetGrain<IDatasetGrain>(spec.Dataset).AttachIndicatorAsync(Caller.Hub, Id);
            if (attached.Refusal != CatalogRefusal.None) return new(attached.Refusal, null, attached.Detail);
        }

        var before = _stored.Value.Pending ?? _stored.Value.Definition;
        await _outbox.StoreAsync(next, AuditEvents.Of(
            time.GetUtcNow(), caller, AuditEvents.IndicatorChanged, next.Source!.Publisher, $"indicator:{Id}", AuditOutcome.Done,
            ("accessFrom", before is null ? null : ContractWords.Of(before.Spec.Access)), ("access", ContractWords.Of(spec.Access)), ("dataset", spec.Dataset),
            ("definition", (next.Pending ?? next.Definition)?.Version.ToString(CultureInfo.InvariantCulture))));
        _source = next.Source;
        _ledger?.Outdate();
        Signal();
        if (result.Created) LogCreated(Id, spec.Dataset);

        // From now on nobody is answered by what the definition, and who may read, was before.
        await ToldAsync(_news);

        // The folds learn of it now if they answer, else by the timer.
        SettleSoon();
        return result with { Indicator = Info() };
    }

    public async Task<IndicatorInfo?> GetAsync(Caller caller) => await IsKnownToAsync(caller) ? Info() : null;

    public Task AdvancedAsync(string partition, int definitionVersion, long sequence, DateTimeOffset receivedAt, bool changed)
    {
        if (definitionVersion == _stored.Value.Pending?.Version) SettleSoon();
        if (definitionVersion == _stored.Value.Definition?.Version && Array.IndexOf(Source.Partitions, partition) is >= 0 and var number)
        {
            _ledger?.Announce(number, sequence, changed);
            if (changed) Signal();
        }

        return Task.CompletedTask;
    }

    public async Task<ValuesResult> ValuesAsync(Caller caller, ValuesQuery query)
    {
        if (!await KnowInputsAsync()) return Unavailable();
        if (query.Within is not null) query = query with { Within = null };
        var denial = Denial(caller);
        if (denial == ReadRefusal.None)
        {
            // What came through an agreement may be less than what is his by right.
            if (query.KnownThrough is not null) query = query with { KnownVersion = null };
            var result = (await ValuesAsync(caller, null, query))!;
            return caller.IsPublic ? result : await CountedAsync(caller, query.Latest ? UsageOperations.Latest : UsageOperations.Values, result, Given(result, query), refusal => refusal);
        }

        return IsDoorFor(caller, denial)
            ? await ThroughAsync(
                caller, query.Latest ? UsageOperations.Latest : UsageOperations.Values, query.After is null, passage => ValuesAsync(caller, passage, query), refusal => refusal, result => Given(result, query),
                (result, begun) => result with { Page = result.Page! with { Begun = begun } })
            : Denied(denial);
    }

    /// <returns>Null where another definition answers by now than the one that was narrowed to what an agreement gives.</returns>
    private async Task<ValuesResult?> ValuesAsync(Caller caller, Passage? through, ValuesQuery query)
    {
        if (query.Limit is < 1 or > 10_000) return Refused(ReadRefusal.Invalid, new("limit: 1 bis 10000.", "limit: 1 to 10000."));

        var deadline = Stopwatch.GetTimestamp() + (long)(read.Value.MaxWait.TotalSeconds * Stopwatch.Frequency);
        try
        {
            _incarnation ??= await log.IncarnationAsync(CancellationToken.None);
            if (query.AtLeast is { } watermark && WatermarkFault(watermark, _stored.Value.Definition!.Spec.Dataset) is { } fault) return fault;
            await LookAfterAsync();
            if (query.AsOf is not null || query.Definition is not null) return await PastValuesAsync(caller, through, query, deadline);
            if (through is not null) return await AnswerThroughAsync(through, query, deadline);
            var answer = await AnswerAsync(query, deadline);
            // What only some may see is not given out on the strength of what was known before the stores went.
            return answer.Page is not null && _ledger is { IsStale: true } && _stored.Value.Definition!.Spec.Access != AccessClass.Open ? Unavailable() : answer;
        }
        catch (Exception e)
        {
            LogUnreadable(e, Id);
            return Unavailable();
        }
    }

    /// <summary>Why this caller is answered nothing; null where he may read.</summary>
    private ValuesResult? Unreadable(Caller caller) => Denial(caller) is not ReadRefusal.None and var denial ? Denied(denial) : null;

    /// <summary>Whether this caller is answered nothing by right, and why; the words for it cost more than the decision.</summary>
    private ReadRefusal Denial(Caller caller)
    {
        if (_stored.Value.Definition is null || !AccessRules.May(caller, AccessRights.ReadMetadata, Source.Holding(AccessClass.Internal))) return ReadRefusal.NotFound;
        if (!IndicatorRules.MayRead(caller, _stored.Value, Source) || !FormulaRules.MayRead(caller, Source, _inputs)) return ReadRefusal.Forbidden;

        // What is open to everybody goes on while the dataset does not answer; a right may have been taken away meanwhile.
        return SourceAge() < 4 * SourceHolds || IndicatorRules.MayRead(Caller.Public, _stored.Value, Source) ? ReadRefusal.None : ReadRefusal.Unavailable;
    }

    private ValuesResult Denied(ReadRefusal denial) => denial switch
    {
        ReadRefusal.NotFound => Unknown(),
        ReadRefusal.Forbidden => NotOpen(new($"„{Id}“ ist nicht offen.", $"“{Id}” is not open.")),
        _ => Unavailable(),
    };

    private ValuesResult Unknown() => Refused(ReadRefusal.NotFound, new($"Den Indikator „{Id}“ gibt es nicht.", $"The indicator “{Id}” does not exist."));

    private ValuesResult NotOpen(LocalText what)
    {
        var needed = AccessRules.Missing(AccessRights.ReadRows, Source.Holding(AccessClass.Internal));
        return Refused(ReadRefusal.Forbidden, new($"{what.De} {needed.De}", $"{what.En} {needed.En}"));
    }

    private async Task<ValuesResult> AnswerAsync(ValuesQuery query, long deadline)
    {
        var ledger = Ledger();
        if (query.KnownVersion == ledger.Version && ledger.IsValid(time.GetUtcNow()) && Reached(ledger, query))
            return await GiveAsync(Page(ledger, new([], null, ledger.ValidUntil == DateTimeOffset.MaxValue ? null : ledger.ValidUntil), notModified: true));

        while (true)
        {
            Ledger();
            var plain = Plain(query);
            if (ledger.IsValid(time.GetUtcNow()) && Reached(ledger, query))
            {
                if (ledger.TryRecall(plain, out var known)) return await GiveAsync(Page(ledger, known));
            }
            else if (ledger.IsStale && Stopwatch.GetElapsedTime(_foldsFailed) < options.Value.Recheck && Reached(ledger, query) && ledger.TryRecall(plain, out var last))
            {
                return await GiveAsync(Page(ledger, last));
            }

            if (!_loads.TryGetValue(plain, out var load)) _loads[plain] = load = LoadAsync(plain, query.AtLeast, ledger);
            var loaded = await load;
            var late = Stopwatch.GetTimestamp() >= deadline;
            if (loaded.Refusal is { } refusal)
            {
                if (refusal.Refusal != ReadRefusal.NotYet || late) return refusal;
                await Task.Delay(s_again);
                continue;
            }

            // Another read may have gone further meanwhile, or this one began before the caller's watermark was known.
            if (loaded.Page is { } page && loaded.Version == ledger.Version && loaded.Definition == _stored.Value.Definition && Reached(ledger, query)) return await GiveAsync(Page(ledger, page));
            if (late) return query.AtLeast is null ? Unavailable() : NotYet();
            if (ledger.IsStale) await Task.Delay(s_again);
        }
    }

    /// <summary>What decides the rows of an answer: with instants for days, without what only this caller wants.</summary>
    private ValuesQuery Plain(ValuesQuery query, IndicatorSpec? by = null) => Timed(query, by) with { AtLeast = null, KnownVersion = null, KnownThrough = null, KnownRows = 0 };

    /// <summary>With instants for days.</summary>
    private ValuesQuery Timed(ValuesQuery query, IndicatorSpec? by = null)
    {
        var spec = by ?? _stored.Value.Definition!.Spec;
        return query.FromDay is null && query.ToDay is null ? query : query with
        {
            From = query.FromDay is { } from ? Begin(from) : query.From,
            To = query.ToDay is { } to ? Begin(to) : query.To,
            FromDay = null,
            ToDay = null,
        };

        DateTimeOffset Begin(DateOnly day) => new(CalendarWindows.Parse(spec.Window, spec.TimeZone).DayBegins(day), TimeSpan.Zero);
    }

    /// <summary>One read of a query; all who ask the same meanwhile wait for it.</summary>
    private async Task<Loaded> LoadAsync(ValuesQuery query, Watermark? atLeast, AnswerLedger ledger)
    {
        await Task.Yield();
        try
        {
            // For another definition the days of the query may be others.
            var definition = _stored.Value.Definition;
            for (var attempt = 0; attempt < MaxAttempts && definition == _stored.Value.Definition; attempt++)
            {
                if (await TryLoadAsync(query, atLeast, ledger) is { } loaded) return loaded;
            }

            return default;
        }
        finally
        {
            _loads.Remove(query);
        }
    }

    /// <summary>
    /// Reads the cells that a query needs from all partitions and says what they are in which version. Other turns go on
    /// meanwhile: what was true before an await is asked again after it.
    /// </summary>
    /// <returns>Null where it must be tried again.</returns>
    private async Task<Loaded?> TryLoadAsync(ValuesQuery query, Watermark? atLeast, AnswerLedger ledger)
    {
        var (reading, refusal) = await BeginAsync(query);
        if (reading is null) return new(0, null, refusal);
        while (true)
        {
            var (loaded, windows) = await FinishAsync(reading, await ReadAsync(reading, atLeast?.Sequences, ledger.Current), ledger);
            if (windows is null) return loaded;
            reading = reading with { Windows = windows };
        }
    }

    /// <summary>The folds do not answer: what was answered before is given out once more, marked stale, or nothing.</summary>
    private async Task<Loaded?> StaleAsync(ValuesQuery query, AnswerLedger ledger)
    {
        _foldsFailed = Stopwatch.GetTimestamp();
        if (!ledger.TryRecall(query, out var page)) return new(0, null, Unavailable());
        if (!ledger.IsStale)
        {
            if (!await HasVersionAsync()) return null;
            ledger.BeginStale(++_lastVersion);
            ledger.TryRecall(query, out page);
            LogStale(Id, ledger.Version);
        }

        return new(ledger.Version, page, null) { Definition = _stored.Value.Definition };
    }

    private async Task<CellSet[]> ReadAsync(IndicatorSource source, Func<int, CellQuery> cells) =>
        await Task.WhenAll(source.Partitions.Select(async (partition, number) =>
        {
            try
            {
                return await GrainFactory.GetGrain<IAggregationGrain>(partition).ReadCellsAsync(cells(number)).WaitAsync(s_readLimit);
            }
            catch (Exception e)
            {
                LogFoldUnreachable(e, partition, Id);
                return new CellSet(ReadRefusal.Unavailable, 0, default, false, [], null);
            }
        }));

    /// <summary>Makes sure that the tree is that of the source's version.</summary>
    private async Task<ValuesResult?> AreasAsync(IndicatorSpec spec, IndicatorSource source, ValuesQuery query)
    {
        if (source.AreaSystem is null || !NeedsAreas(spec, query)) return null;
        if (_areas?.System.Id == source.AreaSystem && _areas.System.Version == source.AreaVersion) return null;
        if (await GrainFactory.GetGrain<IAreaSystemGrain>(source.AreaSystem).GetAsync(Caller.Hub, source.AreaVersion) is not { } system) return Unavailable();
        _areas = new(system);
        return null;
    }

    private static bool NeedsAreas(IndicatorSpec spec, ValuesQuery query) =>
        (spec.ByArea && (query.Level is not null || query.Area is not null || query.Within?.Areas is not null)) || (spec.Formula is { } formula && Formula.Read(formula).Needs is { Population: true } or { Ranks: true });

    /// <summary>
    /// News can be lost and a fold that stands still sends none: an indicator that is asked looks after its folds and its
    /// dataset now and then; nobody waits for that unless it was long ago or never.
    /// </summary>
    private Task LookAfterAsync()
    {
        var age = _checked == long.MinValue ? TimeSpan.MaxValue : Stopwatch.GetElapsedTime(_checked);
        if (age < options.Value.Recheck) return Task.CompletedTask;
        _checking ??= CheckAsync();
        return age < 4 * options.Value.Recheck ? Task.CompletedTask : _checking;
    }

    private async Task CheckAsync()
    {
        await Task.Yield();
        try
        {
            await KnowSourceAsync();
            var partitions = Source.Partitions;
            var folds = await Task.WhenAll(partitions.Select(partition => GrainFactory.GetGrain<IAggregationGrain>(partition).StatusAsync())).WaitAsync(s_checkLimit);
            for (var i = 0; i < folds.Length; i++)
            {
                if (_ledger is { } ledger && folds[i].Sequence > ledger.Current[i])
                {
                    ledger.Announce(i, folds[i].Sequence, changed: true);
                    Signal();
                }

                if (folds[i].Halted is not null) Doubt();
            }
        }
        catch (Exception e)
        {
            // The next answer finds out whether the folds can be read.
            LogCheckFailed(e, Id);
            Doubt();
        }
        finally
        {
            _checked = Stopwatch.GetTimestamp();
            _checking = null;
        }
    }

    private void Doubt()
    {
        _ledger?.Doubt();
        Signal();
    }

    private void SettleSoon() => _settle.Change(TimeSpan.Zero, s_joinPeriod);

    /// <summary>
    /// Tells the dataset's folds of what they may not know and lets a pending definition answer once it has joined in all
    /// partitions; keeps what the dataset was found to be. Does not interleave with <see cref="PutAsync"/>. An activation that
    /// ends waits for its turns, and a fold that begins asks it in return: so no turn waits long for a fold.
    /// </summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        var isBuilding = false;
        try
        {
            if (_stored.Value.Definition is not null)
            {
                await RefreshAsync();
                if (_stored.Value.Pending is { } pending && await IsKnownToHaveJoinedAsync(pending))
                {
                    await _stored.StoreAsync(IndicatorRules.Joined(_stored.Value, options.Value.MaxDefinitions));
                    _ledger?.Outdate();
                    Signal();
                    LogJoined(Id, pending.Version);
                }
                else if (_stored.Value is { Pending: null, Definition: { } first } && first.Version == _stored.Value.Changes)
                {
                    // Never changed since it was made: it may still be the first, being filled.
                    isBuilding = !await IsKnownToHaveJoinedAsync(first);
                }

                if (_source is not null) await _stored.StoreAsync(_stored.Value with { Source = _source });
                var stored = _stored.Value;
                if (stored.Announced < stored.Changes)
                {
                    var told = await GrainFactory.GetGrain<IDatasetGrain>(stored.Definition!.Spec.Dataset).AttachIndicatorAsync(Caller.Hub, Id).WaitAsync(s_checkLimit, cancellationToken);
                    if (told.Refusal != CatalogRefusal.None) throw new InvalidOperationException($"dataset {stored.Definition.Spec.Dataset}: {told.Refusal} {told.Detail?.In("en")}");
                    await _stored.StoreAsync(_stored.Value with { Announced = stored.Changes });
                }

                if (isBuilding || _stored.Value.Pending is not null) return;
            }

            _settle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
        catch (Exception e)
        {
            LogNotSettled(e, Id);
        }
    }

    /// <summary>Whether a definition has joined, as far as the folds say it soon; else the next turn hears it.</summary>
    private async Task<bool> IsKnownToHaveJoinedAsync(IndicatorDefinition definition)
    {
        if (_joining is not { } asked || asked.Version != definition.Version) _joining = asked = (definition.Version, HasJoinedAsync(definition));
        if (await Task.WhenAny(asked.Answer, Task.Delay(s_patience)) != asked.Answer) return false;
        _joining = null;
        return await asked.Answer;
    }

    private async Task<bool> HasJoinedAsync(IndicatorDefinition definition)
    {
        // An empty range: only whether it, or all that it is computed from, has joined is asked.
        var nothing = Array.ConvertAll(definition.Inputs ?? [definition], of => new CellQuery(of.Indicator, of.Version, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 0, 1));
        var sets = await Task.WhenAll(Source.Partitions.Select(partition => GrainFactory.GetGrain<IAggregationGrain>(partition).ReadManyAsync(nothing)));
        Learn(definition, [.. sets.SelectMany(each => each)]);
        return Array.TrueForAll(sets, each => Array.TrueForAll(each, set => set is { Refusal: ReadRefusal.None, Joined: true }));
    }

    /// <summary>Takes note of how far a definition is; what was told before never goes back.</summary>
    private DefinitionProgress Learn(IndicatorDefinition definition, CellSet[] sets)
    {
        var found = sets.Select(set => set.Progress ?? default).Aggregate((one, other) => one.With(other));
        if (_progress.Version == definition.Version) found = found.After(_progress.Progress);
        _progress = (definition.Version, found);
        return found;
    }

    /// <summary>How far the definition is that is to answer next; null where there is nothing to fill.</summary>
    private DefinitionProgress? Progress(IndicatorState stored)
    {
        if (stored.Pending is { } pending) return _progress.Version == pending.Version ? _progress.Progress : default(DefinitionProgress);
        return _progress.Version == stored.Definition?.Version && _progress.Progress.Phase != FillPhase.Joined ? _progress.Progress : null;
    }

    /// <summary>Whether a version number is at hand, at once; else some are reserved first and the answer is false.</summary>
    private async ValueTask<bool> HasVersionAsync()
    {
        if (_lastVersion < _reserved.Value.Reserved) return true;
        _reserving ??= _reserved.StoreAsync(new(_reserved.Value.Reserved + options.Value.VersionBlock));
        try
        {
            await _reserving;
        }
        finally
        {
            _reserving = null;
        }

        return false;
    }

    private ValuesResult? WatermarkFault(Watermark watermark, string dataset, string parameter = "watermark")
    {
        if (watermark.Dataset != dataset || watermark.Sequences.Length != Source.Partitions.Length)
        {
            return Refused(ReadRefusal.Invalid, new(
                $"{parameter}: Er gehört zu „{watermark.Dataset}“, der Indikator zu „{dataset}“.", $"{parameter}: It is of “{watermark.Dataset}”, the indicator of “{dataset}”."));
        }

        return watermark.Incarnation == _incarnation
            ? null
            : Refused(ReadRefusal.Gone, new($"{parameter}: Er stammt von vor einer Wiederherstellung.", $"{parameter}: It is from before a restore."));
    }

    private static bool Reached(AnswerLedger ledger, ValuesQuery query) => query.AtLeast is not { } watermark || ledger.Includes(watermark.Sequences);

    /// <summary>What is told with every answer; made anew only where something in it is another.</summary>
    private IndicatorInfo? Info()
    {
        var (stored, progress) = (_stored.Value, Progress(_stored.Value));
        if (!ReferenceEquals(_infoOf.Stored, stored) || !ReferenceEquals(_infoOf.Source, _source) || _infoOf.Progress != progress)
        {
            _info = IndicatorRules.Info(_source is null ? stored : stored with { Source = _source }) is { } info ? info with { Progress = progress } : null;
            _infoOf = (stored, _source, progress);
        }

        return _info;
    }

    /// <summary>The ledger; outdated where another definition answers now than when it was last used.</summary>
    private AnswerLedger Ledger()
    {
        var ledger = _ledger ??= new(Source.Partitions.Length, options.Value.MemoRows);
        if (_answering == _stored.Value.Definition) return ledger;
        _answering = _stored.Value.Definition;
        ledger.Outdate();
        return ledger;
    }

    private ValuesResult Page(AnswerLedger ledger, RolledUp page, bool notModified = false) => new(
        ReadRefusal.None,
        new(Info()!, ledger.Version, Text(ref _baseText, ledger.Base), Text(ref _currentText, ledger.Current), ledger.AsOf, page.Rows, page.Next, notModified) { ValidUntil = page.ValidUntil },
        null);

    /// <summary>Polls ask for the same two again and again; arrays of the ledger are never changed in place.</summary>
    private string Text(ref (long[]? Sequences, string Text) last, long[] sequences)
    {
        if (last.Sequences != sequences) last = (sequences, new Watermark(_incarnation!.Value, _stored.Value.Definition!.Spec.Dataset, sequences).ToString());
        return last.Text;
    }

    private ValuesResult Building(IndicatorDefinition definition, CellSet[] sets)
    {
        var share = (int)(100 * Learn(definition, sets).Share);
        return Refused(ReadRefusal.NotYet, new(
            $"„{Id}“ wird gerade aus dem Bestand aufgebaut; {share} % sind geschafft.", $"“{Id}” is being built from what is stored; {share}% are done."));
    }

    private ValuesResult NotYet() => Refused(ReadRefusal.NotYet, new($"„{Id}“ hat den Stand noch nicht erreicht.", $"“{Id}” has not reached the watermark yet."));

    private ValuesResult Unavailable() => Refused(ReadRefusal.Unavailable, new(
        $"Die Werte von „{Id}“ lassen sich gerade nicht lesen.", $"The values of “{Id}” cannot be read at the moment."));

    private ValuesResult TooMany() => Refused(ReadRefusal.TooMany, new(
        $"Die Antwort beträfe mehr als {read.Value.MaxCells} Zellen (DataHub:Read:MaxCells); Zeitraum einschränken.",
        $"The answer would touch more than {read.Value.MaxCells} cells (DataHub:Read:MaxCells); narrow the time range."));

    private static ValuesResult Refused(ReadRefusal refusal, LocalText detail) => new(refusal, null, detail);

    /// <summary>What a read came to: a page of a version, a refusal, or neither where it must be made again.</summary>
    private readonly record struct Loaded(long Version, RolledUp? Page, ValuesResult? Refusal)
    {
        /// <summary>What the page was made from.</summary>
        public IndicatorDefinition? Definition { get; init; }
    }

    public Task FlushAsync(Caller caller) => _outbox.FlushAsync(caller);

    [LoggerMessage(1300, LogLevel.Information, "Indicator {Indicator} created on {Dataset}")]
    private partial void LogCreated(string indicator, string dataset);

    [LoggerMessage(1301, LogLevel.Information, "Indicator {Indicator}: definition {Version} has joined in all partitions and answers from now on")]
    private partial void LogJoined(string indicator, int version);

    [LoggerMessage(1302, LogLevel.Warning, "Indicator {Indicator} cannot read its folds and repeats what it answered, as version {Version}, marked stale")]
    private partial void LogStale(string indicator, long version);

    [LoggerMessage(1303, LogLevel.Warning, "The fold {Partition} did not answer indicator {Indicator}")]
    private partial void LogFoldUnreachable(Exception exception, string partition, string indicator);

    [LoggerMessage(1304, LogLevel.Warning, "Indicator {Indicator} could not look after its folds; the next answer tries to read them")]
    private partial void LogCheckFailed(Exception exception, string indicator);

    [LoggerMessage(1305, LogLevel.Warning, "Indicator {Indicator}: its folds could not be told of a change or asked whether they joined; it is tried again")]
    private partial void LogNotSettled(Exception exception, string indicator);

    [LoggerMessage(1306, LogLevel.Error, "Indicator {Indicator} could not be read")]
    private partial void LogUnreadable(Exception exception, string indicator);
}
