using System.Globalization;

using DataHub.Catalog;

using Microsoft.Extensions.Logging;

namespace DataHub.Pipelines;

/// <summary>Tries the SQL of a job without rows, as far as the columns of its tables are known before a run: what is wrong is said when the job is put, not at night.</summary>
internal sealed partial class JobSql(ISqlEngine sql, DatasetTables datasets, IGrainFactory grains, ILogger<JobSql> logger)
{
    /// <summary>Statements that are tried: each takes a process.</summary>
    private const int Most = 20;

    /// <summary>For all of a job; what is not tried by then the run will.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly StepTurns _turns = new(2);

    public async Task<JobProblem[]> ProblemsAsync(JobSpec spec, Caller acting)
    {
        var known = new Dictionary<string, TableColumn[]>(StringComparer.Ordinal);
        var problems = new List<JobProblem>();
        var tried = 0;
        using var patience = new CancellationTokenSource(s_patience);
        for (var i = 0; i < spec.Steps.Length && tried < Most; i++)
        {
            var step = spec.Steps[i];
            if (step.Read is { } read && await ColumnsAsync(read, acting) is { } columns) known[step.Id] = columns;
            if (Derived(step, known, $"steps[{i.ToString(CultureInfo.InvariantCulture)}].{step.Kind}", problems) is { } made) known[step.Id] = made;
            if (step.Transform is not { } transform || !transform.Inputs.All(known.ContainsKey)) continue;
            tried++;
            var had = false;
            try
            {
                await _turns.EnterAsync(spec.Agency, patience.Token);
                had = true;
                known[step.Id] = await sql.DescribeAsync([.. transform.Inputs.Distinct().Select(input => (input, known[input]))], transform.Sql, patience.Token);
            }
            catch (SqlRefusedException e)
            {
                problems.Add(new($"steps[{i.ToString(CultureInfo.InvariantCulture)}].transform.sql", e.Reason));
            }
            catch (Exception e)
            {
                // The run will say it; whether the engine works is not the job's concern.
                LogNotTried(e, step.Id);
                break;
            }
            finally
            {
                if (had) _turns.Leave();
            }
        }

        return [.. problems];
    }

    /// <summary>The columns of a table that another one's columns tell; null: there is none such.</summary>
    private static TableColumn[]? Derived(StepSpec step, Dictionary<string, TableColumn[]> known, string at, List<JobProblem> problems)
    {
        try
        {
            return step switch
            {
                { Place: { } place } when known.TryGetValue(place.Input, out var input) => Placed(place, input, known),
                { Aggregate: { } aggregate } when known.TryGetValue(aggregate.Input, out var input) => AggregateRules.Columns(aggregate, input),
                { Pseudonymise: { } pseudonymise } when known.TryGetValue(pseudonymise.Input, out var input) => PseudonymRules.Columns(pseudonymise, input),
                _ => null,
            };
        }
        catch (StepException e)
        {
            problems.Add(new(at, e.Reason));
            return null;
        }
    }

    private static TableColumn[] Placed(PlaceStep place, TableColumn[] input, Dictionary<string, TableColumn[]> known)
    {
        if (place.Address?.Register is { } register && known.TryGetValue(register.Table, out var columns)) PlaceRules.CheckRegister(register, columns);
        return PlaceRules.Columns(place, input);
    }

    /// <summary>The columns of what a step reads; null: only the file itself will tell.</summary>
    private async Task<TableColumn[]?> ColumnsAsync(ReadStep read, Caller acting)
    {
        if (read.Own() is { } id)
        {
            var dataset = await grains.GetGrain<IDatasetGrain>(id).GetAsync(acting);
            return dataset is null ? null : (await datasets.OpenAsync(acting, id, dataset.ContractVersion)).Columns;
        }

        return read.Format()?.Columns is { } columns && columns.All(column => column.Type is not null)
            ? [.. columns.Select(column => new TableColumn(column.Name ?? JobRules.ColumnName(column.Header), TypeOf(column.Type!)))]
            : null;
    }

    /// <summary>The type that a word of a definition means.</summary>
    public static FieldType TypeOf(string word) => word switch
    {
        "number" => FieldType.Number,
        "integer" => FieldType.Integer,
        "boolean" => FieldType.Boolean,
        "date" => FieldType.Date,
        "time" => FieldType.Time,
        "datetime" => FieldType.DateTime,
        _ => FieldType.String,
    };

    [LoggerMessage(4014, LogLevel.Warning, "The SQL of step {Step} could not be tried when its job was put; its run will")]
    private partial void LogNotTried(Exception exception, string step);
}
