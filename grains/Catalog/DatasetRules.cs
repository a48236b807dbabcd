using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DataHub.Catalog;

/// <summary>Who may do what with a dataset, and what comes of it. Pure.</summary>
internal static class DatasetRules
{
    /// <summary>The feed every dataset has.</summary>
    public const string DefaultFeed = "default";

    public const int MaxPartitions = 16;
    public const int MaxDescriptionLength = 4_000;

    /// <summary>How often a feed may be expected to push.</summary>
    public static readonly TimeSpan MinRhythm = TimeSpan.FromSeconds(1), MaxRhythm = TimeSpan.FromDays(366);

    /// <summary>The shard of a partition: the same on every machine and for ever.</summary>
    public static int ShardOf(string partition, int shards) =>
        (int)(BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(partition))) % (uint)shards);

    /// <summary>What the caller lacks for putting a dataset; null where nothing. Each kind of change needs its own right.</summary>
    /// <param name="dataspace">The one it is to belong to; null: none.</param>
    private static LocalText? MayPut(Caller caller, string id, DatasetInfo? standing, DatasetSpec spec, DataspaceInfo? dataspace)
    {
        if (standing is null) return MayMake(caller, id, spec, dataspace);

        // What stands counts as closed: whoever reads it because it is open changes nothing.
        var held = standing.Holding with { Access = AccessClass.Internal, State = ReleaseState.Draft };
        var (old, needed) = (standing.Spec, AccessRights.None);
        if (old.Title != spec.Title || old.Description != spec.Description || old.License != spec.License) needed |= AccessRights.EditMetadata;
        if (old.Access != spec.Access) needed |= AccessRights.Release;
        if (old.Dataspace != spec.Dataspace) needed |= AccessRights.Grant;
        if (old.LegalBasis != spec.LegalBasis) needed |= AccessRights.EditMetadata;
        if (needed == AccessRights.None && AccessRules.May(caller, AccessRights.EditMetadata, held) && FixedFault(old, spec) is null && SameSchema(spec, old)) return null;
        if (needed == AccessRights.None || FixedFault(old, spec) is not null || !SameSchema(spec, old)) needed |= AccessRights.EditDefinitions;
        foreach (var right in AccessRules.Each)
        {
            if ((needed & right) != 0 && AccessRules.Decide(caller, right, held).Missing is { } missing) return missing;
        }

        // A dataset that moves is given up by the one side and taken in by the other.
        return old.Dataspace != spec.Dataspace && dataspace is not null ? AccessRules.Decide(caller, AccessRights.Grant, dataspace.Holding with { Dataset = id }).Missing : null;
    }

    private static bool SameSchema(DatasetSpec spec, DatasetSpec old) => ContractEvolution.Same(ContractEvolution.Arrange(spec.Schema with { Version = old.Schema.Version }, old.Schema), old.Schema);

    /// <summary>A new dataset is made by its publisher, or in a dataspace by those who develop there, for the agency that owns it.</summary>
    private static LocalText? MayMake(Caller caller, string id, DatasetSpec spec, DataspaceInfo? dataspace)
    {
        var own = new Holding(id, null, spec.Publisher, AccessClass.Internal, ReleaseState.Draft);
        if (dataspace is null) return AccessRules.Decide(caller, AccessRights.EditDefinitions, own).Missing;
        if (dataspace.Spec.Owner != spec.Publisher && AccessRules.Decide(caller, AccessRights.EditDefinitions, own).Missing is { } publisher) return publisher;
        return AccessRules.Decide(caller, AccessRights.EditDefinitions, dataspace.Holding with { Dataset = id }).Missing;
    }

    /// <summary>What is wrong with a dataset in itself, whoever asks and whatever stands.</summary>
    public static LocalText? SpecFault(string id, DatasetSpec spec)
    {
        if (!CatalogIds.IsValid(id)) return BadId("", id);
        if (!CatalogIds.IsValid(spec.Publisher)) return BadId("publisher: ", spec.Publisher);
        if (spec.AreaSystem is not null && !CatalogIds.IsValid(spec.AreaSystem)) return BadId("areaSystem: ", spec.AreaSystem);
        if (AgencyRules.TextFault(spec.Title) is { } title) return new("title: " + title.De, "title: " + title.En);
        if (spec.Description is { De.Length: > MaxDescriptionLength } or { En.Length: > MaxDescriptionLength }) return TooLong("description", MaxDescriptionLength);
        if (spec.License is { Length: > AgencyRules.MaxTextLength }) return TooLong("license", AgencyRules.MaxTextLength);
        if (spec.LegalBasis is { Length: > AgencyRules.MaxTextLength }) return TooLong("legalBasis", AgencyRules.MaxTextLength);
        if (spec.Dataspace is not null && !CatalogIds.IsValid(spec.Dataspace)) return BadId("dataspace: ", spec.Dataspace);
        if (!Enum.IsDefined(spec.Kind)) return new("kind: observations oder records.", "kind: observations or records.");
        if (!Enum.IsDefined(spec.Access)) return new("access: open oder internal.", "access: open or internal.");
        return spec.Partitions is < 1 or > MaxPartitions
            ? new($"partitions: 1 bis {MaxPartitions}.", $"partitions: 1 to {MaxPartitions}.")
            : null;
    }

    /// <summary>The dataset after a put, or why it was refused; a refusal and an equal dataset leave the state as it is.</summary>
    /// <param name="publisherExists">Whether the agency named as publisher exists.</param>
    /// <param name="areaVersion">Present version of the area system named; 0 where it names none, null where there is no such system.</param>
    public static (DatasetState State, DatasetResult Result) Put(
        DatasetState state, string id, Caller caller, DatasetSpec spec, bool publisherExists, int? areaVersion, int shards, CatalogOptions limits, DateTimeOffset now,
        DataspaceInfo? dataspace = null)
    {
        var standing = state.Info;
        var wanted = spec.Wanted;
        spec = spec with { Wanted = null };
        if (MayPut(caller, id, standing, spec, dataspace) is { } missing) return Refused(CatalogRefusal.Forbidden, missing);

        if (SpecFault(id, spec) is { } fault) return Refused(CatalogRefusal.Invalid, fault);
        if (!publisherExists)
        {
            return Refused(CatalogRefusal.Invalid, new(
                $"publisher: Die Behörde „{spec.Publisher}“ gibt es nicht; erst PUT /api/v1/agencies/{spec.Publisher}.",
                $"publisher: The agency “{spec.Publisher}” does not exist; first PUT /api/v1/agencies/{spec.Publisher}."));
        }

        if (spec.Dataspace is not null && (dataspace is null || spec.Dataspace == Dataspaces.Platform))
        {
            return Refused(CatalogRefusal.Invalid, new(
                $"dataspace: Den Datenraum „{spec.Dataspace}“ gibt es nicht; erst PUT /api/v1/dataspaces/{spec.Dataspace}.",
                $"dataspace: The dataspace “{spec.Dataspace}” does not exist; first PUT /api/v1/dataspaces/{spec.Dataspace}."));
        }

        if (areaVersion is null)
        {
            return Refused(CatalogRefusal.Invalid, new(
                $"areaSystem: Das Gebietssystem „{spec.AreaSystem}“ gibt es nicht; erst PUT /api/v1/areas/{spec.AreaSystem}.",
                $"areaSystem: The area system “{spec.AreaSystem}” does not exist; first PUT /api/v1/areas/{spec.AreaSystem}."));
        }

        if (standing is not null && FixedFault(standing.Spec, spec) is { } changed) return Refused(CatalogRefusal.Conflict, changed);

        TableSchema schema;
        try
        {
            schema = spec.Schema with { Version = (standing?.ContractVersion ?? 0) + 1 };
            if (standing is not null) schema = ContractEvolution.Arrange(schema, standing.Spec.Schema);
            var contract = CompiledContract.Compile(schema, spec.Kind);
            if (standing is not null && ContractEvolution.Same(schema, standing.Spec.Schema))
            {
                schema = standing.Spec.Schema;
            }
            else if (standing is not null && !contract.CanFollow(CompiledContract.Compile(standing.Spec.Schema, standing.Spec.Kind), out var breaks))
            {
                return Refused(CatalogRefusal.Conflict, SchemaFault(breaks), breaks);
            }
        }
        catch (ContractException e)
        {
            return Refused(CatalogRefusal.Invalid, SchemaFault(e.Problems), e.Problems);
        }

        var isNewContract = schema.Version != standing?.ContractVersion;
        if (isNewContract && state.Contracts.Length >= limits.MaxContractVersions)
        {
            return Refused(CatalogRefusal.TooMany, new(
                $"Der Datensatz „{id}“ hat {state.Contracts.Length} Fassungen seines Vertrags, so viele, wie DataHub:Catalog:MaxContractVersions erlaubt.",
                $"The dataset “{id}” has {state.Contracts.Length} contract versions, as many as DataHub:Catalog:MaxContractVersions allows."));
        }

        var next = spec with { Schema = schema };
        var version = Math.Max(areaVersion.Value, standing?.AreaVersion ?? 0);
        if (standing is not null && next == standing.Spec && version == standing.AreaVersion && (wanted ?? standing.State) == standing.State)
        {
            return (state, new(CatalogRefusal.None, standing, null));
        }

        if (standing is not null && (wanted ?? standing.State) == standing.State && ReleaseRules.ChangeFault(standing, next) is { } release) return Refused(CatalogRefusal.Conflict, release);
        var info = standing is null
            ? new DatasetInfo(id, next, PartitionsOf(id, spec.Partitions, shards), version, [new(DefaultFeed, null, null)], [], now, now) { State = ReleaseState.Draft }
            : standing with { Spec = next, AreaVersion = version, Modified = now };

        // Whoever changes what was declared ready declares it anew: nobody releases alone what nobody else has seen.
        if (standing is { State: ReleaseState.Ready } && next != standing.Spec) info = ReleaseRules.Stepped(info, caller, ReleaseState.Ready, now);
        var to = wanted ?? (standing is null ? ReleaseRules.Beginning(caller, id, next, dataspace) : standing.State);
        if (standing is null && wanted is null)
        {
            if (to != ReleaseState.Draft) info = ReleaseRules.Stepped(info, caller, to, now);
        }
        else if (to != info.State)
        {
            (info, var refusal, var detail, var checks) = ReleaseRules.Step(caller, info, info.State, to, now);
            if (refusal != CatalogRefusal.None) return (state, new(refusal, standing, detail) { Checks = checks });
        }

        var contracts = isNewContract ? [.. state.Contracts, schema] : state.Contracts;
        return (state with { Info = info, Contracts = contracts }, new(CatalogRefusal.None, info, null) { Created = standing is null });

        (DatasetState, DatasetResult) Refused(CatalogRefusal refusal, LocalText detail, IEnumerable<ContractProblem>? problems = null) =>
            (state, new(refusal, standing, detail) { Problems = [.. problems ?? []] });
    }

    /// <summary>A step in the dataset's life.</summary>
    public static (DatasetState State, DatasetResult Result) Move(DatasetState state, string id, Caller caller, ReleaseState to, DateTimeOffset now)
    {
        if (state.Info is not { } info) return (state, new(CatalogRefusal.NotFound, null, NoDataset(id)));
        var (next, refusal, detail, checks) = ReleaseRules.Step(caller, info, info.State, to, now);
        return refusal != CatalogRefusal.None
            ? (state, new(refusal, info, detail) { Checks = checks })
            : (next == info ? state : state with { Info = next }, new(CatalogRefusal.None, next, null));
    }

    public static (DatasetState State, DatasetResult Result) PutFeed(DatasetState state, string id, Caller caller, FeedInfo feed, CatalogOptions limits, DateTimeOffset now)
    {
        if (state.Info is not { } info) return (state, new(CatalogRefusal.NotFound, null, NoDataset(id)));
        if (AccessRules.Decide(caller, AccessRights.EditDefinitions, info.Holding, feed.Id).Missing is { } missing) return Refused(CatalogRefusal.Forbidden, missing);
        if (!CatalogIds.IsValid(feed.Id)) return Refused(CatalogRefusal.Invalid, BadId("", feed.Id));
        if (feed.Title is not null && AgencyRules.TextFault(feed.Title) is { } title) return Refused(CatalogRefusal.Invalid, new("title: " + title.De, "title: " + title.En));
        if (feed.Rhythm is { } rhythm && (rhythm < MinRhythm || rhythm > MaxRhythm)) return Refused(CatalogRefusal.Invalid, new("rhythm: PT1S bis P366D.", "rhythm: PT1S to P366D."));

        if (feed.Quota is { } quota)
        {
            if (!caller.IsPlatformAdmin && quota != Array.Find(info.Feeds, f => f.Id == feed.Id)?.Quota)
                return Refused(CatalogRefusal.Forbidden, new("quota: Das Kontingent setzt nur ein Admin-Schlüssel der Plattform.", "quota: Only an admin key of the platform sets the quota."));
            if (QuotaFault(quota) is { } member) return Refused(CatalogRefusal.Invalid, new($"quota.{member}: 1 bis {FeedQuota.Most}.", $"quota.{member}: 1 to {FeedQuota.Most}."));
        }
        else if (!caller.IsPlatformAdmin)
        {
            // Whoever may not set it keeps it.
            feed = feed with { Quota = Array.Find(info.Feeds, f => f.Id == feed.Id)?.Quota };
        }
        if (feed.Csv is { } csv && CsvProfileCheck.Fault(csv, info.Spec.Schema) is { } profile) return Refused(CatalogRefusal.Invalid, profile);

        var place = Array.FindIndex(info.Feeds, f => f.Id == feed.Id);
        if (place >= 0 && info.Feeds[place] with { Csv = feed.Csv } == feed && CsvProfile.Same(info.Feeds[place].Csv, feed.Csv)) return (state, new(CatalogRefusal.None, info, null));
        if (place < 0 && info.Feeds.Length >= limits.MaxFeeds)
        {
            return Refused(CatalogRefusal.TooMany, new(
                $"Der Datensatz „{id}“ hat {info.Feeds.Length} Datenquellen, so viele, wie DataHub:Catalog:MaxFeeds erlaubt.",
                $"The dataset “{id}” has {info.Feeds.Length} feeds, as many as DataHub:Catalog:MaxFeeds allows."));
        }

        FeedInfo[] feeds = place < 0 ? [.. info.Feeds, feed] : [.. info.Feeds[..place], feed, .. info.Feeds[(place + 1)..]];
        var next = info with { Feeds = [.. feeds.OrderBy(f => f.Id, StringComparer.Ordinal)], Modified = now };
        return (state with { Info = next }, new(CatalogRefusal.None, next, null) { Created = place < 0 });

        (DatasetState, DatasetResult) Refused(CatalogRefusal refusal, LocalText detail) => (state, new(refusal, info, detail));
    }

    public static (DatasetState State, DatasetResult Result) AttachIndicator(DatasetState state, string id, Caller caller, string indicator, CatalogOptions limits)
    {
        if (state.Info is not { } info) return (state, new(CatalogRefusal.NotFound, null, NoDataset(id)));
        if (AccessRules.Decide(caller, AccessRights.EditDefinitions, info.Holding).Missing is { } missing) return (state, new(CatalogRefusal.Forbidden, info, missing));
        if (!CatalogIds.IsValid(indicator)) return (state, new(CatalogRefusal.Invalid, info, BadId("", indicator)));
        if (info.Indicators.Contains(indicator, StringComparer.Ordinal)) return (state, new(CatalogRefusal.None, info, null));
        if (info.Indicators.Length >= limits.MaxIndicators)
        {
            return (state, new(CatalogRefusal.TooMany, info, new(
                $"Auf dem Datensatz „{id}“ stehen {info.Indicators.Length} Indikatoren, so viele, wie DataHub:Catalog:MaxIndicators erlaubt.",
                $"The dataset “{id}” has {info.Indicators.Length} indicators, as many as DataHub:Catalog:MaxIndicators allows.")));
        }

        var next = info with { Indicators = [.. info.Indicators.Append(indicator).Order(StringComparer.Ordinal)] };
        return (state with { Info = next }, new(CatalogRefusal.None, next, null) { Created = true });
    }

    /// <summary>A newer version of the dataset's area system; an older one changes nothing.</summary>
    public static DatasetState AreaSystemChanged(DatasetState state, int version, DateTimeOffset now) =>
        state.Info is { Spec.AreaSystem: not null } info && version > info.AreaVersion
            ? state with { Info = info with { AreaVersion = version, Modified = now } }
            : state;

    private static string? QuotaFault(FeedQuota quota) =>
        quota.RowsPerSecond is < 1 or > FeedQuota.Most ? "rowsPerSecond"
        : quota.BytesPerSecond is < 1 or > FeedQuota.Most ? "bytesPerSecond"
        : quota.RowsPerDay is < 1 or > FeedQuota.Most ? "rowsPerDay"
        : null;

    private static DatasetPartition[] PartitionsOf(string id, int partitions, int shards)
    {
        var made = new DatasetPartition[partitions];
        for (var i = 0; i < partitions; i++)
        {
            var key = $"{id}/{i}";
            made[i] = new(key, ShardOf(key, shards));
        }

        return made;
    }

    /// <summary>What rows already stored depend on.</summary>
    private static LocalText? FixedFault(DatasetSpec standing, DatasetSpec wanted)
    {
        if (standing.Publisher != wanted.Publisher) return Fixed("publisher", standing.Publisher);
        if (standing.Kind != wanted.Kind) return Fixed("kind", standing.Kind == DatasetKind.Records ? "records" : "observations");
        if (standing.AreaSystem != wanted.AreaSystem) return Fixed("areaSystem", standing.AreaSystem ?? "null");
        if (standing.Partitions != wanted.Partitions) return Fixed("partitions", standing.Partitions.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return null;

        static LocalText Fixed(string member, string value) => new(
            $"{member} liegt seit dem Anlegen fest: {value}. Für etwas anderes einen neuen Datensatz anlegen.",
            $"{member} has been fixed since creation: {value}. For anything else make a new dataset.");
    }

    private static LocalText SchemaFault(IReadOnlyList<ContractProblem> problems)
    {
        var first = problems[0];
        var field = first.Field is null ? "schema: " : $"schema, {first.Field}: ";
        var more = problems.Count - 1;
        return new(
            field + first.Detail.De + (more > 0 ? $" (und {more} weitere, siehe errors)" : ""),
            field + first.Detail.In("en") + (more > 0 ? $" (and {more} more, see errors)" : ""));
    }

    private static LocalText NoDataset(string id) => new($"Den Datensatz „{id}“ gibt es nicht.", $"The dataset “{id}” does not exist.");

    private static LocalText BadId(string member, string id) =>
        new($"{member}Die Kennung „{id}“ hat nicht die Form {CatalogIds.Pattern}.", $"{member}The id “{id}” does not match {CatalogIds.Pattern}.");

    private static LocalText TooLong(string member, int limit) => new($"{member}: höchstens {limit} Zeichen.", $"{member}: at most {limit} characters.");
}
