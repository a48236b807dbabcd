using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

using DataHub.Catalog;

namespace DataHub.Pipelines;

/// <summary>
/// What happened in a run, as events of OpenLineage 2-0-2: of the run itself, and of each of its steps as a run of its own
/// whose parent it is. Told from what the run has stored, so the same events come whenever they are asked for. Pure.
/// </summary>
internal static class OpenLineageEvents
{
    public const string Namespace = "datahub";

    private const string Producer = "urn:datahub", Spec = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

    /// <summary>All events so far, in the order of their times.</summary>
    public static JsonObject[] Of(RunInfo run)
    {
        var events = new List<(DateTimeOffset At, int Order, JsonObject Event)>();
        if (run.Started is { } began) events.Add((began, 0, Event("START", began, RunOf(run, null), JobOf(run, null), Inputs(run), [])));
        for (var i = 0; i < run.Steps.Length; i++)
        {
            var (step, spec) = (run.Steps[i], run.Pinned.Spec.Steps[i]);
            if (step.Started is not { } started) continue;
            events.Add((started, 1 + (2 * i), Event("START", started, RunOf(run, step), JobOf(run, spec), [], [])));
            if (step.Ended is { } stepEnded && Word(step.State) is { } word)
                events.Add((stepEnded, 2 + (2 * i), Event(word, stepEnded, RunOf(run, step, step.Cause), JobOf(run, spec), StepInputs(run, spec, step), StepOutputs(run, spec, step))));
        }

        // What was told of an end before a resumption stays as it was told.
        foreach (var ended in run.Breaks)
        {
            var at = Array.FindIndex(run.Steps, step => step.Id == ended.Step.Id);
            if (Word(ended.State) is not { } how || at < 0) continue;
            if (ended.Step.Started <= ended.Ended)
                events.Add((ended.Ended, 2 + (2 * at), Event(how, ended.Ended, RunOf(run, ended.Step, ended.Step.Cause), JobOf(run, run.Pinned.Spec.Steps[at]), StepInputs(run, run.Pinned.Spec.Steps[at], ended.Step), [])));
            if (run.Started <= ended.Ended) events.Add((ended.Ended, int.MaxValue - 1, Event(how, ended.Ended, RunOf(run, null, ended.Cause), JobOf(run, null), Inputs(run), Outputs(run, at))));
            events.Add((ended.Resumed, int.MaxValue, Event("RUNNING", ended.Resumed, RunOf(run, null), JobOf(run, null), Inputs(run), [])));
        }

        if (run.Ended is { } end && Word(run.State) is { } last) events.Add((end, int.MaxValue, Event(last, end, RunOf(run, null, run.Cause), JobOf(run, null), Inputs(run), Outputs(run, run.Steps.Length))));
        return [.. events.OrderBy(one => one.At).ThenBy(one => one.Order).Select(one => one.Event)];
    }

    /// <summary>The run's id as a UUID: its ULID has as many bits.</summary>
    public static Guid IdOf(string run)
    {
        const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        var value = UInt128.Zero;
        foreach (var c in run) value = (value << 5) | (uint)Alphabet.IndexOf(c, StringComparison.Ordinal);
        Span<byte> bytes = stackalloc byte[16];
        for (var i = 15; i >= 0; i--, value >>= 8) bytes[i] = (byte)(value & 0xFF);
        return new(bytes, bigEndian: true);
    }

    /// <summary>A step's id: the same whenever it is asked for.</summary>
    public static Guid IdOf(string run, string step)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{run}/{step}")).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new(bytes, bigEndian: true);
    }

    private static JsonObject Event(string type, DateTimeOffset at, JsonObject run, JsonObject job, JsonObject[] inputs, JsonObject[] outputs) => new()
    {
        ["eventType"] = type,
        ["eventTime"] = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture),
        ["run"] = run,
        ["job"] = job,
        ["inputs"] = new JsonArray([.. inputs]),
        ["outputs"] = new JsonArray([.. outputs]),
        ["producer"] = Producer,
        ["schemaURL"] = Spec,
    };

    private static JsonObject RunOf(RunInfo run, StepInfo? step, LocalText? cause = null)
    {
        var facets = new JsonObject();
        if (step is not null)
        {
            var parent = Facet("1-2-0", "ParentRunFacet");
            parent["run"] = new JsonObject { ["runId"] = IdOf(run.Pinned.Id).ToString() };
            parent["job"] = new JsonObject { ["namespace"] = Namespace, ["name"] = JobName(run) };
            facets["parent"] = parent;
        }

        if (cause is not null)
        {
            var error = Facet("1-0-1", "ErrorMessageRunFacet");
            error["message"] = cause.De;
            error["programmingLanguage"] = "de";
            facets["errorMessage"] = error;
        }

        return new() { ["runId"] = (step is null ? IdOf(run.Pinned.Id) : IdOf(run.Pinned.Id, step.Id)).ToString(), ["facets"] = facets };
    }

    private static JsonObject JobOf(RunInfo run, StepSpec? step)
    {
        var type = Facet("2-0-4", "JobTypeJobFacet");
        type["processingType"] = "BATCH";
        type["integration"] = "DATAHUB";
        type["jobType"] = step is null ? "JOB" : step.Kind!.ToUpperInvariant();
        return new()
        {
            ["namespace"] = Namespace,
            ["name"] = step is null ? JobName(run) : $"{JobName(run)}.{step.Id}",
            ["facets"] = new JsonObject { ["jobType"] = type },
        };
    }

    /// <summary>What runs in another's shadow is a job of its own: it writes nothing, and no run of the job itself.</summary>
    private static string JobName(RunInfo run) => run.Pinned.ShadowOf is null ? run.Pinned.Job : $"{run.Pinned.Job}@shadow";

    /// <summary>What the run reads from outside.</summary>
    private static JsonObject[] Inputs(RunInfo run) =>
        [.. run.Pinned.Inputs.Select(input => Source(input)), .. (run.Pinned.Areas ?? []).Select(areas => (areas.System, areas.Version)).Distinct().Select(areas => Areas(areas.System, areas.Version))];

    /// <summary>The datasets that so many of its steps wrote into.</summary>
    private static JsonObject[] Outputs(RunInfo run, int steps) =>
        [.. run.Pinned.Spec.Steps.Take(steps).Select((spec, i) => spec.Write is { } write && run.Steps[i] is { State: RunState.Complete, Receipt: not null } step ? Written(run, write, step) : null).OfType<JsonObject>()];

    private static JsonObject[] StepInputs(RunInfo run, StepSpec spec, StepInfo step)
    {
        if (spec.Read is not null) return [.. run.Pinned.Inputs.Where(input => input.Step == spec.Id).Select(input => Source(input, step.RowsIn))];
        var areas = (run.Pinned.Areas ?? []).Where(one => one.Step == spec.Id).Select(one => Areas(one.System, one.Version));
        return [.. spec.Inputs.Distinct().Select(input =>
        {
            var table = Table(run, run.Steps.Single(one => one.Id == input), rowsIn: true);
            if (spec.Check is { } check && input == check.Input && step.Kept.Length == check.Rules.Length)
            {
                var assertions = Facet("1-1-0", "DataQualityAssertionsDatasetFacet");
                assertions["assertions"] = new JsonArray([.. check.Rules.Select((rule, i) => Assertion(rule, step.Kept[i]))]);
                ((JsonObject)table["inputFacets"]!)["dataQualityAssertions"] = assertions;
            }

            return table;
        }), .. areas];
    }

    private static JsonObject[] StepOutputs(RunInfo run, StepSpec spec, StepInfo step) =>
        step.State != RunState.Complete ? []
        : spec.Write is { } write ? step.Receipt is null ? [] : [Written(run, write, step)]
        : spec.MakesTable ? [Table(run, step, rowsIn: false)]
        : [];

    private static JsonObject Source(PinnedInput input, long? rows = null)
    {
        var facets = new JsonObject();
        var version = Facet("1-0-1", "DatasetVersionDatasetFacet");
        version["datasetVersion"] = (input.Dataset is null ? null : input.Watermark) ?? Convert.ToHexStringLower(input.Sha256 ?? []);
        facets["version"] = version;
        return new()
        {
            ["namespace"] = Namespace,
            ["name"] = input.Dataset is { } dataset ? $"dataset/{dataset}" : $"file/{input.File}",
            ["facets"] = facets,
            ["inputFacets"] = Statistics("inputStatistics", "1-0-0", "InputStatisticsInputDatasetFacet", rows),
        };
    }

    /// <summary>An area system that rows were placed with.</summary>
    private static JsonObject Areas(string system, int number)
    {
        var version = Facet("1-0-1", "DatasetVersionDatasetFacet");
        version["datasetVersion"] = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new() { ["namespace"] = Namespace, ["name"] = $"areas/{system}", ["facets"] = new JsonObject { ["version"] = version }, ["inputFacets"] = new JsonObject() };
    }

    private static JsonObject Table(RunInfo run, StepInfo step, bool rowsIn)
    {
        var facets = Described(step);
        if (!rowsIn && Columns(run, step) is { } lineage) facets["columnLineage"] = lineage;
        var table = new JsonObject { ["namespace"] = Namespace, ["name"] = NameOf(run, step.Id), ["facets"] = facets };
        if (rowsIn) table["inputFacets"] = Statistics("inputStatistics", "1-0-0", "InputStatisticsInputDatasetFacet", step.RowsOut);
        else table["outputFacets"] = Statistics("outputStatistics", "1-0-2", "OutputStatisticsOutputDatasetFacet", step.RowsOut);
        return table;
    }

    private static JsonObject Written(RunInfo run, WriteStep write, StepInfo step)
    {
        var facets = new JsonObject();
        if (step.Watermark is not null)
        {
            var version = Facet("1-0-1", "DatasetVersionDatasetFacet");
            version["datasetVersion"] = step.Watermark;
            facets["version"] = version;
        }

        if (Columns(run, write) is { } lineage) facets["columnLineage"] = lineage;
        return new()
        {
            ["namespace"] = Namespace,
            ["name"] = $"dataset/{write.Dataset}",
            ["facets"] = facets,
            ["outputFacets"] = Statistics("outputStatistics", "1-0-2", "OutputStatisticsOutputDatasetFacet", step.RowsOut),
        };
    }

    private static string NameOf(RunInfo run, string step) => $"run/{run.Pinned.Id}/{step}";

    /// <summary>Which columns those of a table come from: of SQL as the engine told, of a dataset's rows those of its fields. Null where it is not known of all of them.</summary>
    private static JsonObject? Columns(RunInfo run, StepInfo step)
    {
        if (step.Columns.Length == 0) return null;
        var dataset = Array.Find(run.Pinned.Inputs, input => input.Step == step.Id)?.Dataset;
        if (dataset is null && Array.Exists(step.Columns, column => column.From is null)) return null;
        return Lineage(step.Columns.Select(column => (column.Name, dataset is not null ? (IEnumerable<(string, string)>)[($"dataset/{dataset}", column.Name)] : column.From!.Select(from => (NameOf(run, from.Table), from.Column)))));
    }

    /// <summary>Every column of a table that is written goes into the field of its name.</summary>
    private static JsonObject? Columns(RunInfo run, WriteStep write) => run.Steps.FirstOrDefault(step => step.Id == write.Input) is { Columns.Length: > 0 } table
        ? Lineage(table.Columns.Select(column => (column.Name, (IEnumerable<(string, string)>)[(NameOf(run, table.Id), column.Name)])))
        : null;

    private static JsonObject Lineage(IEnumerable<(string Column, IEnumerable<(string Name, string Field)> From)> columns)
    {
        var facet = Facet("1-2-0", "ColumnLineageDatasetFacet");
        var fields = new JsonObject();
        foreach (var (column, from) in columns)
            fields[column] = new JsonObject { ["inputFields"] = new JsonArray([.. from.Select(one => new JsonObject { ["namespace"] = Namespace, ["name"] = one.Name, ["field"] = one.Field })]) };
        facet["fields"] = fields;
        return facet;
    }

    private static JsonObject Described(StepInfo step)
    {
        var schema = Facet("1-2-0", "SchemaDatasetFacet");
        schema["fields"] = new JsonArray([.. step.Columns.Select(column => new JsonObject { ["name"] = column.Name, ["type"] = ContractCheck.Word(column.Type) })]);
        var facets = new JsonObject { ["schema"] = schema };
        if (step.Sha256 is not null)
        {
            var version = Facet("1-0-1", "DatasetVersionDatasetFacet");
            version["datasetVersion"] = Convert.ToHexStringLower(step.Sha256);
            facets["version"] = version;
        }

        return facets;
    }

    private static JsonObject Assertion(CheckRule rule, bool kept)
    {
        var assertion = new JsonObject
        {
            ["assertion"] = rule switch
            {
                { Required: true } => "not_null",
                { Enum: not null } => "accepted_values",
                { Pattern: not null } => "pattern",
                { Unique: not null } => "unique",
                { References: not null } => "relationships",
                { Rows: not null } => "row_count",
                { Drift: not null } => "drift",
                { Sql: not null } => "sql",
                { Contract: not null } => "contract",
                _ => "range",
            },
            ["success"] = kept,
        };
        if (rule.Column is not null) assertion["column"] = rule.Column;
        return assertion;
    }

    private static JsonObject Statistics(string name, string version, string facet, long? rows)
    {
        if (rows is null) return [];
        var statistics = Facet(version, facet);
        statistics["rowCount"] = rows;
        return new() { [name] = statistics };
    }

    private static JsonObject Facet(string version, string name) => new() { ["_producer"] = Producer, ["_schemaURL"] = $"https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}" };

    private static string? Word(RunState state) => state switch { RunState.Complete => "COMPLETE", RunState.Fail => "FAIL", RunState.Abort => "ABORT", _ => null };
}
