using System.Text.Json.Serialization;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// What a job does, as its maintainers write it: steps in their order, each over tables that earlier ones made. Data, not
/// code: it can be stored, exported, compared and run again. Limits: <see cref="JobLimits"/>.
/// </summary>
/// <param name="Title">For people.</param>
/// <param name="Agency">For which it runs: it reads what this agency may read, and writes into datasets that it publishes; fixed.</param>
/// <param name="Steps">In the order in which they run; at least one.</param>
[GenerateSerializer, Immutable, Alias("datahub.JobSpec"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record JobSpec(
    [property: Id(0), JsonRequired] LocalText Title,
    [property: Id(1), JsonRequired] string Agency,
    [property: Id(2), JsonRequired] StepSpec[] Steps)
{
    /// <summary>Whose roles reach the job; null: keys of the agency only. Fixed.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Dataspace { get; init; }

    /// <summary>For people.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public LocalText? Description { get; init; }

    /// <summary>What starts runs by itself; at most <see cref="JobLimits.Triggers"/>.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public TriggerSpec[]? Triggers { get; init; }

    /// <summary>Who may do what with the job and its runs is decided as for something internal of the agency in the dataspace.</summary>
    [JsonIgnore] public Holding Holding => new(null, Dataspace, Agency, AccessClass.Internal);
}

/// <summary>One step; exactly one of its kinds is set. Its table, where it makes one, goes by its id.</summary>
/// <param name="Id">A lower-case letter, then lower-case letters, digits and underscores; unique in the job. SQL names the table so.</param>
[GenerateSerializer, Immutable, Alias("datahub.StepSpec"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StepSpec([property: Id(0), JsonRequired] string Id)
{
    /// <summary>For people.</summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public LocalText? Title { get; init; }

    /// <summary>Rows of a dataset, of a file, or of another hub.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public ReadStep? Read { get; init; }

    /// <summary>What must hold of a table.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public CheckStep? Check { get; init; }

    /// <summary>A table computed by SQL.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public TransformStep? Transform { get; init; }

    /// <summary>A table computed by a recipe.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public RecipeStep? Recipe { get; init; }

    /// <summary>Rows into a dataset, by the way of every push.</summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public WriteStep? Write { get; init; }

    /// <summary>A dataset's release, by the rules of every release.</summary>
    [Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public PublishStep? Publish { get; init; }

    /// <summary>How often it is tried again when a part of the hub did not answer, 0 to 10. Faults of data or definition are never tried again.</summary>
    [Id(8)] public int Retries { get; init; } = 3;

    /// <summary>Values of columns become pseudonyms.</summary>
    [Id(9), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public PseudonymiseStep? Pseudonymise { get; init; }

    /// <summary>The area in which each row lies.</summary>
    [Id(10), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public PlaceStep? Place { get; init; }

    /// <summary>What the values of groups of rows come to.</summary>
    [Id(11), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public AggregateStep? Aggregate { get; init; }

    /// <summary>The kinds, as they are written.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["read", "check", "transform", "pseudonymise", "place", "aggregate", "recipe", "write", "publish"];

    /// <summary>Which of the kinds is set, as it is written; null where none is or several are.</summary>
    [JsonIgnore]
    public string? Kind
    {
        get
        {
            object?[] kinds = [Read, Check, Transform, Pseudonymise, Place, Aggregate, Recipe, Write, Publish];
            return kinds.Count(kind => kind is not null) == 1 ? Kinds[Array.FindIndex(kinds, kind => kind is not null)] : null;
        }
    }

    /// <summary>The tables that it needs, by the ids of their steps.</summary>
    [JsonIgnore]
    public IEnumerable<string> Inputs =>
        Check is not null ? [Check.Input, .. Check.Rules.Select(rule => rule.References?.Table).OfType<string>()]
        : Transform is not null ? Transform.Inputs
        : Pseudonymise is not null ? [Pseudonymise.Input]
        : Place is not null ? new[] { Place.Address?.Register.Table, Place.Input }.OfType<string>()
        : Aggregate is not null ? [Aggregate.Input]
        : Recipe is not null ? new[] { Recipe.Input, Recipe.Previous, Recipe.Population, Recipe.Crosswalk }.OfType<string>()
        : Write is not null ? [Write.Input]
        : [];

    /// <summary>Whether it makes a table.</summary>
    [JsonIgnore] public bool MakesTable => Read is not null || Transform is not null || Pseudonymise is not null || Place is not null || Aggregate is not null || Recipe is not null;
}

/// <summary>A file or a dataset; of another hub with <see cref="Hub"/>, where <see cref="File"/> may say how its rows are read.</summary>
[GenerateSerializer, Immutable, Alias("datahub.ReadStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReadStep
{
    /// <summary>A file that is named when a run is started, or that it fetches (<see cref="Url"/>).</summary>
    [Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public FileFormat? File { get; init; }

    /// <summary>
    /// The rows of a dataset that stand at the watermark which the run pins when it starts; with <see cref="Hub"/> of that
    /// hub's, at the watermark at which it gave them.
    /// </summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Dataset { get; init; }

    /// <summary>Only rows of this instant and later; null: from the beginning.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateTimeOffset? From { get; init; }

    /// <summary>Only rows before this instant; null: to the end.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public DateTimeOffset? To { get; init; }

    /// <summary>Only rows of the period that the run is for; a run without one reads as if it were not said.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] public bool OfPeriod { get; init; }

    /// <summary>
    /// With <see cref="File"/>: from where a run fetches the file before its first step, by http or https, without
    /// credentials but <see cref="Key"/>; only from hosts that the operator allows (<c>DataHub:Pipelines:PullHosts</c>). It is
    /// kept as an uploaded file; while the host says that it is the same, or its content is, the same file is read again.
    /// </summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Url { get; init; }

    /// <summary>With <see cref="Url"/> or <see cref="Hub"/>: name of the agency's key for that host (<see cref="IPullKeyGrain"/>).</summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Key { get; init; }

    /// <summary>With <see cref="Url"/> or <see cref="Hub"/>: id of a purpose of the sharing agreement under which it is read.</summary>
    [Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Purpose { get; init; }

    /// <summary>
    /// Address of another hub, such as <c>https://hub.example.org</c>: a run fetches all rows of its <see cref="Dataset"/>
    /// before its first step, all pages at one watermark, and keeps them as an uploaded file.
    /// </summary>
    [Id(8), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Hub { get; init; }

    /// <summary>With <see cref="Hub"/>: what its answer includes at least, as an earlier answer of it named.</summary>
    [Id(9), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Watermark { get; init; }

    // Methods: what is computed is no member that a definition could have.

    /// <summary>The dataset of this hub that it reads; null: none.</summary>
    public string? Own() => Hub is null ? Dataset : null;

    /// <summary>From where a run fetches it; null: it does not.</summary>
    public string? Address() => Hub is null ? Url
        : $"{Hub.TrimEnd('/')}/api/v1/datasets/{Dataset}/records?limit=10000&format=ndjson{Parameter("from", Instant(From))}{Parameter("to", Instant(To))}{Parameter("watermark", Watermark)}";

    /// <summary>How the file is written that it reads; null: it reads none.</summary>
    public FileFormat? Format() => Hub is null ? File : (File ?? new()) with { Type = "ndjson" };

    /// <summary>Whoever starts a run names the file that it reads.</summary>
    public bool IsNamed() => File is not null && Address() is null;

    private static string Parameter(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    private static string? Instant(DateTimeOffset? instant) => instant?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>How a file is written. What is not said is found out from the file, and pinned in the run.</summary>
[GenerateSerializer, Immutable, Alias("datahub.FileFormat"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record FileFormat
{
    /// <summary>csv, xlsx, json (one list of objects), ndjson, geojson or parquet; null: by the ending of the file's name.</summary>
    [Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Type { get; init; }

    /// <summary>Of CSV: utf-8, utf-16 or windows-1252.</summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Encoding { get; init; }

    /// <summary>Of CSV: between two cells of a line.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Delimiter { get; init; }

    /// <summary>How numbers are written in texts: <c>,</c> or <c>.</c>; the other one may stand between thousands. Numbers that are none of a text need it not.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? DecimalChar { get; init; }

    /// <summary>Of CSV and XLSX: the line or row of the headings, counted from 1; what stands above is skipped.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? HeaderRow { get; init; }

    /// <summary>The columns that are wanted, in their order; null: all, with the narrowest type that fits every value.</summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public FileColumn[]? Columns { get; init; }

    /// <summary>Texts that mean that there is no value; null: the empty one.</summary>
    [Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? MissingValues { get; init; }

    /// <summary>Rows that may be left out because a value is not of its column's type, 0 to 1,000,000; each is counted and the first are named. Beyond that the step fails.</summary>
    [Id(8)] public long MaxFaults { get; init; }

    /// <summary>Of XLSX: the sheet's name, whatever its case; null: the first one that is visible.</summary>
    [Id(9), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Sheet { get; init; }

    /// <summary>IANA name of the zone of whose clocks times without an offset are; null: they are no instants.</summary>
    [Id(10), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? TimeZone { get; init; }
}

/// <param name="Header">The heading in the file.</param>
[GenerateSerializer, Immutable, Alias("datahub.FileColumn"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record FileColumn([property: Id(0), JsonRequired] string Header)
{
    /// <summary>In the table; null: as the heading, with underscores for all but letters and digits.</summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Name { get; init; }

    /// <summary>string, number, integer, boolean, date, time or datetime; null: the narrowest that fits every value.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Type { get; init; }

    /// <summary>Of dates and instants: a pattern such as <c>%d.%m.%Y</c>; null: ISO 8601 or, where the file is German, <c>%d.%m.%Y</c>.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Format { get; init; }
}

/// <param name="Input">Id of the step whose table it is.</param>
[GenerateSerializer, Immutable, Alias("datahub.CheckStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CheckStep([property: Id(0), JsonRequired] string Input, [property: Id(1), JsonRequired] CheckRule[] Rules);

/// <summary>One thing that must hold; exactly one of its kinds is set.</summary>
[GenerateSerializer, Immutable, Alias("datahub.CheckRule"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CheckRule
{
    /// <summary>The column that it is about; null with <see cref="Rows"/>, <see cref="Unique"/>, <see cref="Sql"/> and <see cref="Contract"/>.</summary>
    [Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Column { get; init; }

    /// <summary>Every row has a value.</summary>
    [Id(1)] public bool Required { get; init; }

    /// <summary>Least value.</summary>
    [Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Minimum { get; init; }

    /// <summary>Greatest value.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Maximum { get; init; }

    /// <summary>The values that are allowed.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? Enum { get; init; }

    /// <summary>A regular expression that the whole text matches.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Pattern { get; init; }

    /// <summary>No two rows have the same values in these columns.</summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string[]? Unique { get; init; }

    /// <summary>Every value stands in a column of another table too.</summary>
    [Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public CheckReference? References { get; init; }

    /// <summary>How many rows there are.</summary>
    [Id(8), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public CheckRange? Rows { get; init; }

    /// <summary>A condition in SQL over the input's columns that holds for every row.</summary>
    [Id(9), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Sql { get; init; }

    /// <summary>How much the mean of the column (without a column: the number of rows) may differ from the job's last complete run, as a share such as 0.2.</summary>
    [Id(10), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Drift { get; init; }

    /// <summary><c>block</c> (the run fails) or <c>warn</c> (it goes on, and says so).</summary>
    [Id(11)] public string Severity { get; init; } = "block";

    /// <summary>
    /// Id of a dataset that the job's agency publishes, and into which the job may push: its contract takes every row, as it
    /// would if the table were written into it. It is asked as it stands when the step runs; nothing is stored or counted.
    /// </summary>
    [Id(12), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Contract { get; init; }
}

[GenerateSerializer, Immutable, Alias("datahub.CheckReference"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CheckReference([property: Id(0), JsonRequired] string Table, [property: Id(1), JsonRequired] string Column);

[GenerateSerializer, Immutable, Alias("datahub.CheckRange"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CheckRange
{
    [Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Minimum { get; init; }

    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Maximum { get; init; }
}

/// <param name="Sql">One <c>SELECT</c>, in the words of DuckDB, over the tables of <see cref="Inputs"/> by their ids. The rows of its result lie in the order of all columns.</param>
[GenerateSerializer, Immutable, Alias("datahub.TransformStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TransformStep([property: Id(0), JsonRequired] string[] Inputs, [property: Id(1), JsonRequired] string Sql);

/// <summary>Exactly one of <see cref="Name"/> and <see cref="Definition"/> is set.</summary>
/// <param name="Input">Id of the step whose table it is.</param>
[GenerateSerializer, Immutable, Alias("datahub.RecipeStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RecipeStep([property: Id(0), JsonRequired] string Input)
{
    /// <summary>Of a recipe that the hub brings: <c>social-monitoring</c>.</summary>
    [Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Name { get; init; }

    /// <summary>A recipe as JSON (<see cref="RecipeJson"/>): a composite index, the use of libraries, or rates.</summary>
    [Id(2), JsonConverter(typeof(RawJsonConverter)), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Definition { get; init; }

    /// <summary>Of a composite index: id of the step whose table is the result of an earlier edition, to compare with.</summary>
    [Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Previous { get; init; }

    /// <summary>Of rates: id of the step whose table has inhabitants by area and date.</summary>
    [Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Population { get; init; }

    /// <summary>Of rates over an area reform: id of the step whose table says which share of an old area is in which new one.</summary>
    [Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Crosswalk { get; init; }
}

/// <summary>Columns go into the contract's fields of the same name.</summary>
/// <param name="Input">Id of the step whose table it is.</param>
/// <param name="Dataset">That the job's agency publishes.</param>
[GenerateSerializer, Immutable, Alias("datahub.WriteStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record WriteStep([property: Id(0), JsonRequired] string Input, [property: Id(1), JsonRequired] string Dataset)
{
    [Id(2)] public string Feed { get; init; } = "default";

    /// <summary>Rows that may go to quarantine, 0 to 1,000,000; beyond that the step fails. What was taken stays.</summary>
    [Id(3)] public long MaxQuarantined { get; init; }
}

/// <param name="Dataset">Becomes available, if its checklist allows it.</param>
[GenerateSerializer, Immutable, Alias("datahub.PublishStep"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PublishStep([property: Id(0), JsonRequired] string Dataset);

/// <summary>Limits of a job's definition.</summary>
public static class JobLimits
{
    public const int Steps = 50, Rules = 100, Inputs = 20, Columns = 1_000, Keys = 20, SqlLength = 100_000, NameLength = 128;

    /// <summary>Rows of a register of addresses (<see cref="PlaceRegister"/>).</summary>
    public const int RegisterRows = 1_000_000;

    /// <summary>Versions of one job, and runs that it remembers.</summary>
    public const int Versions = 500, Runs = 500;

    /// <summary>Triggers of one job; times of a schedule that are caught up one by one; periods of one backfill.</summary>
    public const int Triggers = 20, CaughtUp = 100, Periods = 1_000;
}
