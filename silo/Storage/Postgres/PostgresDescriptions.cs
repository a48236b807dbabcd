using System.Text.Json;

using DataHub.Catalog;
using DataHub.Hosting;
using DataHub.Indicators;

using Npgsql;

namespace DataHub.Storage.Postgres;

/// <summary>
/// Keeps what datasets, indicators and area systems mean in tables beside the rows, for the views of the schema
/// <c>analysis</c>: grains' state is packed, and SQL cannot read it. Every silo looks every two seconds; what another has
/// just done is not done again, because each state is known by its version.
/// </summary>
internal sealed partial class PostgresDescriptions(PostgresDatabase database, ClusterSettings cluster, ILogger<PostgresDescriptions> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(2);

    /// <summary>Of the advisory lock; any number that nobody else uses.</summary>
    private const long Lock = 0x44_65_73_63_72_69_62_65;

    /// <summary>States of one transaction.</summary>
    private const int StepStates = 100;

    private readonly GrainStateSerializer _serializer = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Starting is work enough for the database.
        using var timer = new PeriodicTimer(s_period);
        while (await NextAsync(timer, stoppingToken))
        {
            try
            {
                while (await DescribeAsync(stoppingToken) == StepStates)
                {
                }
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                LogNotDescribed(e);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private const string TryLock = "SELECT pg_try_advisory_xact_lock($1)";

    private const string SelectChanged =
        """
        SELECT s.grain_type, s.grain_key, s.grain_n0, s.grain_n1, s.version, s.payload, d.subject
        FROM orleans.grain_state s LEFT JOIN described d USING (grain_type, grain_key, grain_n0, grain_n1)
        WHERE s.service_id = $1 AND s.grain_type = ANY ($2::text[]) AND d.version IS DISTINCT FROM s.version LIMIT $3
        """;

    /// <summary>Describes what has changed, all of it or up to a step's states.</summary>
    /// <returns>How many states; 0 too where another silo is at it.</returns>
    internal async Task<int> DescribeAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.Source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!(await PostgresDatabase.ReadAsync(connection, new PostgresStatement(TryLock).Bind(Lock), static row => row.GetBoolean(0), cancellationToken))[0]) return 0;
        var changed = await PostgresDatabase.ReadAsync(
            connection, new PostgresStatement(SelectChanged).Bind(cluster.ServiceId).Bind(["dataset", "indicator", "areas"]).Bind((long)StepStates),
            ChangedState.Of, cancellationToken);
        if (changed.Count == 0) return 0;

        var datasets = Changed<DatasetState>("dataset", static state => state.Info?.Id);
        var indicators = Changed<IndicatorState>("indicator", static state => state.Definition?.Indicator);
        var areas = Changed<AreaSystemState>("areas", static state => state.Present?.Id);
        PostgresStatement[] statements =
        [
            new PostgresStatement(ForgetDatasets).Bind([.. datasets.Keys]),
            new PostgresStatement(ForgetFields).Bind([.. datasets.Keys]),
            new PostgresStatement(ForgetIndicators).Bind([.. indicators.Keys]),
            new PostgresStatement(ForgetAreas).Bind([.. areas.Keys]),
            new PostgresStatement(PutDatasets).Bind(Json(datasets.Values.Where(state => state?.Info is not null).Select(state => OfDataset(state!.Info!)))),
            new PostgresStatement(PutFields).Bind(Json(datasets.Values.Where(state => state?.Info is not null).SelectMany(state => OfFields(state!.Info!)))),
            new PostgresStatement(PutIndicators).Bind(Json(indicators.Values.Where(state => state?.Definition is { Spec.Formula: null }).Select(state => OfIndicator(state!)))),
            new PostgresStatement(PutAreas).Bind(Json(areas.Values.Where(state => state?.Present is not null).SelectMany(state => OfAreas(state!.Present!)))),
        ];
        // What a newer program wrote is left to its silos.
        var described = changed.Where(state => !state.IsUnreadable).ToArray();
        var note = new PostgresStatement(Note)
            .Bind(Array.ConvertAll(described, state => state.Type)).Bind(Array.ConvertAll(described, state => state.Key)).Bind(Array.ConvertAll(described, state => state.N0))
            .Bind(Array.ConvertAll(described, state => state.N1)).Bind(Array.ConvertAll(described, state => state.Version)).Bind(Array.ConvertAll(described, state => state.Subject));
        foreach (var statement in statements.Append(note)) await PostgresDatabase.ReadAsync(connection, statement, static _ => 0, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return changed.Count;

        // By what they describe; what was described before and is not any more has no state.
        Dictionary<string, T?> Changed<T>(string type, Func<T, string?> idOf)
        {
            var states = new Dictionary<string, T?>();
            foreach (var of in changed.Where(state => state.Type == type))
            {
                try
                {
                    var state = of.Payload is null ? default : _serializer.Deserialize<T>(new BinaryData(of.Payload));
                    of.Subject = (state is null ? null : idOf(state)) ?? of.Subject;
                    if (of.Subject is { } subject) states[subject] = state;
                }
                catch (InvalidDataException e)
                {
                    LogUnreadable(e, type, of.Subject ?? of.Key);
                    of.IsUnreadable = true;
                }
            }

            return states;
        }
    }

    private sealed record ChangedState(string Type, string Key, long N0, long N1, int Version, byte[]? Payload)
    {
        public string? Subject { get; set; }

        public bool IsUnreadable { get; set; }

        public static ChangedState Of(NpgsqlDataReader row) =>
            new(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt32(4), row.IsDBNull(5) ? null : row.Blob(5)) { Subject = row.TextOrNull(6) };
    }

    private const string ForgetDatasets = "DELETE FROM dataset_description WHERE dataset = ANY ($1::text[])";
    private const string ForgetFields = "DELETE FROM field_description WHERE dataset = ANY ($1::text[])";
    private const string ForgetIndicators = "DELETE FROM indicator_description WHERE indicator = ANY ($1::text[])";
    private const string ForgetAreas = "DELETE FROM area_description WHERE system = ANY ($1::text[])";

    private const string PutDatasets = "INSERT INTO dataset_description SELECT * FROM jsonb_populate_recordset(NULL::dataset_description, $1::jsonb)";
    private const string PutFields = "INSERT INTO field_description SELECT * FROM jsonb_populate_recordset(NULL::field_description, $1::jsonb)";
    private const string PutIndicators = "INSERT INTO indicator_description SELECT * FROM jsonb_populate_recordset(NULL::indicator_description, $1::jsonb)";
    private const string PutAreas = "INSERT INTO area_description SELECT * FROM jsonb_populate_recordset(NULL::area_description, $1::jsonb)";

    private const string Note =
        """
        INSERT INTO described (grain_type, grain_key, grain_n0, grain_n1, version, subject)
        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::int[], $6::text[])
        ON CONFLICT (grain_type, grain_key, grain_n0, grain_n1) DO UPDATE SET version = excluded.version, subject = excluded.subject
        """;

    private static Dictionary<string, object?> OfDataset(DatasetInfo dataset) => new()
    {
        ["dataset"] = dataset.Id,
        ["title_de"] = dataset.Spec.Title.De,
        ["title_en"] = dataset.Spec.Title.En,
        ["publisher"] = dataset.Spec.Publisher,
        ["kind"] = ContractWords.Of(dataset.Spec.Kind),
        ["access"] = ContractWords.Of(AccessRules.May(Caller.Public, AccessRights.ReadRows, dataset.Holding) ? AccessClass.Open : AccessClass.Internal),
        ["license"] = dataset.Spec.License,
        ["area_system"] = dataset.Spec.AreaSystem,
        ["contract_version"] = dataset.ContractVersion,
    };

    private static IEnumerable<Dictionary<string, object?>> OfFields(DatasetInfo dataset) => dataset.Spec.Schema.Fields.Select((field, ordinal) => new Dictionary<string, object?>
    {
        ["dataset"] = dataset.Id,
        ["ordinal"] = ordinal,
        ["name"] = field.Name,
        ["type"] = ContractWords.Of(field.Type),
        ["role"] = ContractWords.Of(field.Role),
        ["unit"] = field.Unit,
        ["title_de"] = field.Title?.De,
        ["title_en"] = field.Title?.En,
    });

    /// <summary>The definition that answers, open and suppressing as the grain's rules say, which look at one that is pending too.</summary>
    private static Dictionary<string, object?> OfIndicator(IndicatorState state)
    {
        var definition = state.Definition!;
        var spec = definition.Spec;
        return new()
        {
            ["indicator"] = definition.Indicator,
            ["version"] = definition.Version,
            ["dataset"] = spec.Dataset,
            ["title_de"] = spec.Title.De,
            ["title_en"] = spec.Title.En,
            ["access"] = ContractWords.Of(IndicatorRules.MayRead(Caller.Public, state, state.Source) ? AccessClass.Open : AccessClass.Internal),
            ["license"] = state.Source?.License,
            ["function"] = JsonNamingPolicy.CamelCase.ConvertName(spec.Function.ToString()),
            ["field"] = spec.Field,
            ["filter"] = spec.Filter,
            ["window"] = spec.Window,
            ["sliding"] = spec.Sliding,
            ["time_zone"] = spec.TimeZone,
            ["by_area"] = spec.ByArea,
            ["dimensions"] = spec.Dimensions,
            ["unit"] = spec.Unit,
            ["decimals"] = spec.Decimals,
            ["minimum_count"] = IndicatorRules.MinimumCount(state, definition),
        };
    }

    private static IEnumerable<Dictionary<string, object?>> OfAreas(AreaSystem system) => system.Areas.Select(area => new Dictionary<string, object?>
    {
        ["system"] = system.Id,
        ["area"] = area.Id,
        ["parent"] = area.Parent,
        ["name"] = area.Name,
        ["level"] = area.Level,
        ["population"] = area.Population,
    });

    /// <summary>Records as JSON; U+0000, which jsonb cannot hold, becomes U+FFFD.</summary>
    private static string Json(IEnumerable<Dictionary<string, object?>> records) => JsonSerializer.Serialize(records).Replace("\\u0000", "\\uFFFD", StringComparison.Ordinal);

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(1134, LogLevel.Warning, "The state of {Type} {Key} cannot be read; analysts do not see it")]
    private partial void LogUnreadable(Exception e, string type, string key);

    [LoggerMessage(1133, LogLevel.Warning, "What datasets and indicators mean was not noted for analysts; it is tried again")]
    private partial void LogNotDescribed(Exception e);
}
